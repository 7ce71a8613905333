/* One value that stood between tags, as JSON: by the type that the function's schema has for it, else by what it looks
 * like (a JSON literal, child elements, a string). Called by tool_text_args.c. What is written is valid JSON whatever
 * the text holds. Of XML only the five predefined entities and numeric ones are known. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/json_bytes.h"
#include "base/json_out.h"
#include "llm/request.h"
#include "text/tool_text_internal.h"

enum { SCHEMA_DEPTH_MAX = 4, SCHEMA_BRANCHES_MAX = 64, JSON_VALUES_MAX = 1 << 18 };

/* ---- the schema ---- */
static unsigned type_of_word(struct str word) {
  static const struct {
    struct str word;
    unsigned type;
  } words[] = {{{"string", 6}, TOOL_TEXT_STRING}, {{"integer", 7}, TOOL_TEXT_NUMBER}, {{"number", 6}, TOOL_TEXT_NUMBER},
               {{"boolean", 7}, TOOL_TEXT_BOOL},  {{"array", 5}, TOOL_TEXT_ARRAY},    {{"object", 6}, TOOL_TEXT_OBJECT},
               {{"null", 4}, TOOL_TEXT_NULL}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (str_eq_nocase(words[i].word, word)) return words[i].type;
  return 0;
}

static unsigned type_of(yyjson_val *v) {
  switch (yyjson_get_type(v)) {
    case YYJSON_TYPE_STR: return TOOL_TEXT_STRING;
    case YYJSON_TYPE_RAW:
    case YYJSON_TYPE_NUM: return TOOL_TEXT_NUMBER;
    case YYJSON_TYPE_BOOL: return TOOL_TEXT_BOOL;
    case YYJSON_TYPE_ARR: return TOOL_TEXT_ARRAY;
    case YYJSON_TYPE_OBJ: return TOOL_TEXT_OBJECT;
    case YYJSON_TYPE_NULL: return TOOL_TEXT_NULL;
    default: return 0;
  }
}

/* "#/$defs/name" */
static yyjson_val *referred(yyjson_val *root, yyjson_val *schema) {
  struct str ref = json_pool_str(schema, "$ref"), step;
  yyjson_val *v = ref.n > 1 && ref.p[0] == '#' && ref.p[1] == '/' ? root : NULL;
  ref = str_sub(ref, 2, ref.n);
  for (bool more = true; v && more;) {
    more = str_cut(ref, '/', &step, &ref);
    v = yyjson_obj_getn(v, step.p, step.n);
  }
  return v;
}

/* Bounded by SCHEMA_DEPTH_MAX, and by *left schemas in all. */
static unsigned types_of(yyjson_val *root, yyjson_val *schema, unsigned depth, unsigned *left) {
  static const char *const branches[] = {"anyOf", "oneOf", "allOf"};
  if (!yyjson_is_obj(schema) || depth == SCHEMA_DEPTH_MAX || *left == 0) return 0;
  --*left;
  unsigned types = 0;
  size_t i, max;
  yyjson_val *v, *type = yyjson_obj_get(schema, "type"), *list = yyjson_obj_get(schema, "enum");
  if (yyjson_is_str(type)) types |= type_of_word(json_pool_text(type));
  if (yyjson_is_arr(type)) {
    yyjson_arr_foreach(type, i, max, v) types |= type_of_word(json_pool_text(v));
  }
  if (types) return types;
  yyjson_val *target = referred(root, schema);
  if (target) types |= types_of(root, target, depth + 1, left);
  for (size_t b = 0; b < sizeof branches / sizeof *branches; b++) {
    yyjson_val *of = yyjson_obj_get(schema, branches[b]);
    if (!yyjson_is_arr(of)) continue;
    yyjson_arr_foreach(of, i, max, v) types |= types_of(root, v, depth + 1, left);
  }
  if (yyjson_is_arr(list)) {
    yyjson_arr_foreach(list, i, max, v) types |= type_of(v);
  }
  types |= type_of(yyjson_obj_get(schema, "const"));
  if (!types && yyjson_obj_get(schema, "properties")) types = TOOL_TEXT_OBJECT;
  if (!types && yyjson_obj_get(schema, "items")) types = TOOL_TEXT_ARRAY;
  return types;
}

static yyjson_val *property(const struct tool_text *t, struct str param) {
  yyjson_val *schema = t->block.tool < 0 ? NULL : t->request->tools[t->block.tool].schema;
  return yyjson_obj_getn(yyjson_obj_get(schema, "properties"), param.p, param.n);
}

unsigned tool_text_types(const struct tool_text *t, struct str param) {
  unsigned left = SCHEMA_BRANCHES_MAX;
  yyjson_val *schema = property(t, param);
  return schema ? types_of(t->request->tools[t->block.tool].schema, schema, 0, &left) : 0;
}

bool tool_text_has_property(const struct tool_text *t, struct str param) { return property(t, param) != NULL; }

/* ---- JSON ---- */
yyjson_val *tool_text_parse(struct tool_text *t, struct str text, unsigned *type) {
  text = str_trim(text);
  if (text.n == 0 || !memchr("{[\"-0123456789tfn", text.p[0], 17)) return NULL;
  if ((text.p[0] == '{' || text.p[0] == '[') && !json_is_within(text, TOOL_TEXT_DEPTH_MAX, JSON_VALUES_MAX))
    return NULL;
  yyjson_val *v = json_pool_parse(&t->pool, text);
  *type = type_of(v);
  return *type ? v : NULL;
}

void tool_text_put_parsed(struct buf *out, struct str text, yyjson_val *v) {
  text = str_trim(text);
  bool has_surrogates = str_find(text, STR("\\ud")) != SIZE_MAX || str_find(text, STR("\\uD")) != SIZE_MAX;
  if (has_surrogates)
    json_out_value(out, v);
  else
    json_out_raw(out, text);
}

/* ---- text ---- */

/* The entity at the beginning of s (an ampersand): its bytes, and what it stands for in out. 0: none. */
static size_t entity(struct str s, char out[4], size_t *out_n) {
  static const struct {
    struct str name;
    char c;
  } named[] = {
      {{"&lt;", 4}, '<'}, {{"&gt;", 4}, '>'}, {{"&amp;", 5}, '&'}, {{"&quot;", 6}, '"'}, {{"&apos;", 6}, '\''}};
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
    if (!str_has_prefix(s, named[i].name)) continue;
    out[0] = named[i].c;
    *out_n = 1;
    return named[i].name.n;
  }
  if (s.n < 4 || s.p[1] != '#') return 0;
  bool is_hex = s.p[2] == 'x' || s.p[2] == 'X';
  size_t at = is_hex ? 3 : 2, from = at;
  unsigned code = 0;
  for (; at < s.n && at < from + 7; at++) {
    unsigned digit = json_bytes_hex(s.p[at]);
    if (digit > 15 || (!is_hex && digit > 9)) break;
    code = code * (is_hex ? 16 : 10) + digit;
  }
  bool is_scalar = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
  if (at == from || at >= s.n || s.p[at] != ';' || !is_scalar) return 0;
  *out_n = json_bytes_put_utf8(out, code);
  return at + 1;
}

static void put_string(struct tool_text *t, struct buf *out, struct str s, bool has_entities) {
  if (!has_entities || str_find_char(s, '&') == SIZE_MAX) {
    json_out_string(out, s);
    return;
  }
  buf_reset(&t->scratch);
  while (s.n) {
    size_t plain = str_find_char(s, '&'), n = 0, out_n = 0;
    buf_put(&t->scratch, str_sub(s, 0, plain));
    if (plain == SIZE_MAX) break;
    s = str_sub(s, plain, s.n);
    char decoded[4];
    n = entity(s, decoded, &out_n);
    buf_put(&t->scratch, n ? str_from(decoded, out_n) : str_sub(s, 0, 1));
    s = str_sub(s, n ? n : 1, s.n);
  }
  json_out_string(out, buf_str(&t->scratch));
}

/* <![CDATA[…]]> and nothing else. */
static bool unwrap_cdata(struct str *s) {
  struct str trimmed = str_trim(*s);
  if (!str_has_prefix(trimmed, STR("<![CDATA[")) || !str_has_suffix(trimmed, STR("]]>")) || trimmed.n < 12)
    return false;
  struct str inner = str_sub(trimmed, 9, trimmed.n - 3);
  if (str_find(inner, STR("]]>")) != SIZE_MAX) return false;
  *s = inner;
  return true;
}

/* A line end behind the opening tag together with one before the closing tag is layout. */
static struct str without_layout(struct str s) {
  size_t head = str_has_prefix(s, STR("\r\n")) ? 2 : str_has_prefix(s, STR("\n")) ? 1 : 0;
  size_t tail = str_has_suffix(s, STR("\r\n")) ? 2 : str_has_suffix(s, STR("\n")) ? 1 : 0;
  if (!head || !tail) return s;
  return s.n < head + tail ? STR_NONE : str_sub(s, head, s.n - tail);
}

/* ---- child elements ---- */
struct element {
  struct str name, text;
  uint32_t parent, end; /* end: index behind its last descendant */
  bool is_list;         /* all its children are <item> */
};
struct elements {
  uint32_t count;
  struct element list[TOOL_TEXT_ELEMENTS_MAX];
};

/* The tag at p with no attribute: <name>, </name>, <name/>. */
static size_t bare_tag(struct str s, struct tool_text_tag *tag) {
  if (s.n == 0 || s.p[0] != '<' || tool_text_tag(s, tag) != TOOL_TEXT_MATCH_WHOLE) return 0;
  return tag->n == tag->name.n + 2 + tag->is_close + tag->is_empty ? tag->n : 0;
}

/* Text that is nothing but well-formed elements, as a list in their order; false when it is anything else. */
static bool read_elements(struct str s, struct elements *e) {
  uint32_t stack[TOOL_TEXT_DEPTH_MAX], depth = 0;
  struct element *list = e->list;
  e->count = 1;
  list[0] = (struct element){.text = s};
  stack[depth++] = 0;
  bool has_children[TOOL_TEXT_ELEMENTS_MAX] = {0};
  for (size_t at = tool_text_skip_space(s, 0); at < s.n; at = tool_text_skip_space(s, at)) {
    struct tool_text_tag tag;
    uint32_t top = stack[depth - 1];
    size_t n = bare_tag(str_sub(s, at, s.n), &tag);
    if (n == 0) {
      /* a leaf's text runs to the next tag; an element with children has none */
      if (top == 0 || has_children[top]) return false;
      struct str rest = str_sub(s, at, s.n);
      bool is_cdata = str_has_prefix(rest, STR("<![CDATA["));
      size_t skip = str_find(rest, is_cdata ? STR("]]>") : STR("</"));
      if (skip == SIZE_MAX || (!is_cdata && str_find_char(str_sub(rest, 1, skip), '<') != SIZE_MAX)) return false;
      at += is_cdata ? skip + 3 : skip;
      if (!bare_tag(str_sub(s, at, s.n), &tag) || !tag.is_close) return false;
      continue;
    }
    at += n;
    if (tag.is_close) {
      if (top == 0 || !str_eq(tag.name, list[top].name)) return false;
      list[top].text.n = (size_t)(tag.name.p - 2 - list[top].text.p);
      list[top].end = e->count;
      depth--;
      continue;
    }
    if (e->count == TOOL_TEXT_ELEMENTS_MAX || depth == TOOL_TEXT_DEPTH_MAX) return false;
    has_children[top] = true;
    list[e->count] = (struct element){.name = tag.name, .text = {s.p + at, 0}, .parent = top, .end = e->count + 1};
    if (!tag.is_empty) stack[depth++] = e->count;
    e->count++;
  }
  list[0].end = e->count;
  return depth == 1 && e->count > 1;
}

static bool is_leaf(const struct elements *e, uint32_t i) { return e->list[i].end == i + 1; }

/* The next child of `parent` behind i that is called so, or 0. */
static uint32_t next_of_name(const struct elements *e, uint32_t i, uint32_t parent, struct str name) {
  for (uint32_t k = e->list[i].end; k < e->list[parent].end; k = e->list[k].end)
    if (str_eq(e->list[k].name, name)) return k;
  return 0;
}

static bool is_first_of_name(const struct elements *e, uint32_t i) {
  for (uint32_t k = e->list[i].parent + 1; k < i; k = e->list[k].end)
    if (str_eq(e->list[k].name, e->list[i].name)) return false;
  return true;
}

/* Writes the elements below the root: one frame for each object or list that is open. */
static void put_elements(struct tool_text *t, struct buf *out, struct elements *e, bool has_entities) {
  struct frame {
    uint32_t parent, next; /* next: the child that is due; 0: none */
    bool is_group;         /* children of one name, as a list; else an object */
  } stack[2 * TOOL_TEXT_DEPTH_MAX];
  size_t depth = 0;
  for (uint32_t i = 0; i < e->count; i++) {
    e->list[i].is_list = !is_leaf(e, i);
    for (uint32_t k = i + 1; k < e->list[i].end; k = e->list[k].end)
      if (!str_eq(e->list[k].name, STR("item"))) e->list[i].is_list = false;
  }
  stack[depth++] = (struct frame){0, 1, e->list[0].is_list};
  json_out_begin(out, e->list[0].is_list ? '[' : '{');
  while (depth) {
    struct frame *f = &stack[depth - 1];
    uint32_t i = f->next;
    while (i && !f->is_group && !is_first_of_name(e, i))
      i = e->list[i].end < e->list[f->parent].end ? e->list[i].end : 0;
    if (i == 0) {
      json_out_end(out, f->is_group ? ']' : '}');
      depth--;
      continue;
    }
    const struct element *element = &e->list[i];
    uint32_t twin = next_of_name(e, i, f->parent, element->name);
    if (f->is_group) {
      f->next = twin;
    } else {
      f->next = element->end < e->list[f->parent].end ? element->end : 0;
      json_out_key_str(out, element->name);
      if (twin) { /* its twins with it, as a list */
        json_out_begin(out, '[');
        stack[depth++] = (struct frame){f->parent, i, true};
        continue;
      }
    }
    if (is_leaf(e, i)) {
      tool_text_value(t, out, element->text, TOOL_TEXT_LEAF, has_entities);
      continue;
    }
    json_out_begin(out, element->is_list ? '[' : '{');
    stack[depth++] = (struct frame){i, i + 1, element->is_list};
  }
}

/* Child elements as JSON; false when text holds anything else (or memory is short). */
static bool put_as_elements(struct tool_text *t, struct buf *out, struct str text, bool has_entities) {
  if (text.n == 0 || text.p[0] != '<') return false;
  struct elements *e = malloc(sizeof *e);
  bool is_read = e && read_elements(text, e);
  if (is_read) put_elements(t, out, e, has_entities);
  free(e);
  return is_read;
}

/* ---- the value ---- */
void tool_text_value(struct tool_text *t, struct buf *out, struct str text, unsigned types, bool has_entities) {
  struct str exact = text;
  unsigned type = 0;
  bool is_cdata = unwrap_cdata(&exact), is_leaf_text = types == TOOL_TEXT_LEAF;
  if (is_leaf_text) types = 0;
  if (!is_cdata) exact = without_layout(text);
  struct str trimmed = str_trim(exact);
  yyjson_val *v = types == TOOL_TEXT_STRING ? NULL : tool_text_parse(t, trimmed, &type);
  bool takes_string = types & TOOL_TEXT_STRING;
  if (v && (!takes_string || (type & types & ~(unsigned)TOOL_TEXT_STRING))) {
    tool_text_put_parsed(out, trimmed, v);
    return;
  }
  if (!takes_string && (types & TOOL_TEXT_BOOL)) {
    bool is_true = str_eq_nocase(trimmed, STR("true"));
    if (is_true || str_eq_nocase(trimmed, STR("false"))) {
      json_out_bool(out, is_true);
      return;
    }
  }
  if (!takes_string && !is_leaf_text && !is_cdata && put_as_elements(t, out, trimmed, has_entities)) return;
  put_string(t, out, takes_string ? exact : trimmed, has_entities && !is_cdata);
}
