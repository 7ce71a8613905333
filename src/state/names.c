/* Kinds, fields and rows of names: see names.h. */
#include "state/names.h"

#include <stdio.h>

#include "base/json_out.h"
#include "state/config/config_price.h"

static const struct names_field fields[] = {
#define F(KIND, name, member, key, type, min, max, def, words, help) \
  {NAMES_##KIND, NAMES_##type, STR(key), offsetof(struct names_##name, member), min, max, def, words, help},
#include "state/names.def"
#undef F
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const struct {
  const char *word;
  size_t bytes;
  enum db_query list;
} kinds[NAMES_KINDS] = {
#define K(KIND, name, word, query) [NAMES_##KIND] = {word, sizeof(struct names_##name), query##_LIST},
#include "state/names.def"
#undef K
};

const struct names_field *names_fields(enum names_kind kind, size_t *n) {
  size_t from = 0, to;
  while (fields[from].kind != kind) from++;
  for (to = from; to < FIELDS && fields[to].kind == kind;) to++;
  *n = to - from;
  return fields + from;
}

const char *names_kind_word(enum names_kind kind) { return kinds[kind].word; }
size_t names_row_bytes(enum names_kind kind) { return kinds[kind].bytes; }

bool names_word_parse(const char *words, struct str word, unsigned *out) {
  struct str rest = str_from_c(words), one;
  bool more = true;
  for (unsigned i = 0; more; i++) {
    more = str_cut(rest, '|', &one, &rest);
    if (!str_eq(one, word)) continue;
    *out = i;
    return true;
  }
  return false;
}

struct str names_word(const char *words, unsigned index) {
  struct str rest = str_from_c(words), one = STR_NONE;
  for (unsigned i = 0; i <= index; i++) str_cut(rest, '|', &one, &rest);
  return one;
}

bool names_tokens_parse(struct str text, int64_t *out) {
  uint64_t unit = 1, n;
  char last = text.n ? text.p[text.n - 1] : '0';
  if ((last | 0x20) == 'k') unit = 1024;
  if ((last | 0x20) == 'm') unit = 1024 * 1024;
  if (unit > 1) text.n--;
  if (!str_to_u64(text, &n) || n == 0 || n > 1000000000 / unit) return false;
  *out = (int64_t)(n * unit);
  return true;
}

/* ---- values ---- */

static void *value_at(const struct names_field *f, const void *row) { return (char *)(uintptr_t)row + f->offset; }

static bool has_control(struct str s, bool may_have_lines) {
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (may_have_lines && (c == '\n' || c == '\t' || c == '\r')) continue;
    if (c < 0x20 || c == 0x7f) return true;
  }
  return false;
}

static const char *check_text(const struct names_field *f, struct str s) {
  if (s.n < (size_t)f->min) return "must not be empty";
  if (s.n > (size_t)f->max) return "is too long";
  if (!str_is_utf8(s) || has_control(s, f->type == NAMES_PROSE)) return "must be text without control characters";
  return f->type == NAMES_TEXT && str_trim(s).n != s.n ? "must not begin or end with a space" : NULL;
}

static const char *check_list(const struct names_field *f, const struct names_list *list) {
  if (list->n > (size_t)f->max) return "has too many elements";
  for (size_t i = 0; i < list->n; i++)
    if (list->v[i].n == 0 || list->v[i].n > NAMES_TEXT_MAX || !str_is_utf8(list->v[i]) ||
        has_control(list->v[i], false))
      return "must be a list of texts of 1 to 256 bytes";
  return NULL;
}

size_t names_pins_double(const struct names_pins *pins) {
  size_t i = 0;
  for (bool is_new = true; i < pins->nodes.n; i++) {
    for (size_t k = 0; k < i && is_new; k++) is_new = !str_eq(pins->nodes.v[k], pins->nodes.v[i]);
    if (!is_new) break;
  }
  return i;
}

bool names_are_two_sources(const struct names_member *a, const struct names_member *b) {
  return a != b && a->is_metadata_source && b->is_metadata_source && a->is_active && b->is_active &&
         str_eq(a->group, b->group);
}

static const char *check_pins(const struct names_field *f, const struct names_pins *pins) {
  const char *why = check_list(f, &pins->nodes);
  for (size_t i = 0; !why && pins->priority && i < pins->nodes.n; i++)
    if (pins->priority[i] < -NAMES_PRIORITY_MAX || pins->priority[i] > NAMES_PRIORITY_MAX)
      why = "has a priority out of range";
  return why || names_pins_double(pins) == pins->nodes.n ? why : "has one that comes twice";
}

static bool is_number(const struct names_field *f) {
  return f->type == NAMES_NUMBER || f->type == NAMES_LIMIT || f->type == NAMES_TOKENS || f->type == NAMES_FACTOR;
}

const char *names_check(const struct names_field *f, const void *row) {
  const void *value = value_at(f, row);
  int64_t number = is_number(f) ? *(const int64_t *)value : f->min;
  if (f->type == NAMES_TEXT || f->type == NAMES_PROSE) return check_text(f, *(const struct str *)value);
  if (f->type == NAMES_LIST) return check_list(f, value);
  if (f->type == NAMES_PINS) return check_pins(f, value);
  if ((f->type == NAMES_LIMIT || f->type == NAMES_TOKENS) && number == f->by_default) return NULL;
  return number < f->min || number > f->max ? "is out of range" : NULL;
}

void names_row_init(enum names_kind kind, void *row) {
  size_t n;
  const struct names_field *f = names_fields(kind, &n);
  memset(row, 0, kinds[kind].bytes);
  for (size_t i = 0; i < n; i++) {
    void *value = value_at(&f[i], row);
    if (f[i].type == NAMES_FLAG) *(bool *)value = f[i].by_default != 0;
    if (is_number(&f[i])) *(int64_t *)value = f[i].by_default;
  }
}

/* ---- the value ---- */

void names_init(struct names *n) {
  *n = (struct names){0};
  arena_init(&n->arena, 0);
}

void names_clear(struct names *n) {
  arena_clear(&n->arena);
  names_init(n);
}

/* Room doubles: it is full when the count is a power of two. */
void *names_add(struct names *n, enum names_kind kind) {
  struct names_table *t = &n->of[kind];
  size_t bytes = kinds[kind].bytes;
  if (t->n == NAMES_ROWS_MAX) return NULL;
  if ((t->n & (t->n - 1)) == 0) {
    void *moved = arena_realloc(&n->arena, t->v, t->n * bytes, (t->n ? t->n * 2 : 1) * bytes);
    if (!moved) return NULL;
    t->v = moved;
  }
  void *row = (char *)t->v + t->n++ * bytes;
  names_row_init(kind, row);
  return row;
}

const void *names_find_id(const struct names *n, enum names_kind kind, int64_t id) {
  const struct names_table *t = &n->of[kind];
  for (size_t i = 0; i < t->n; i++) {
    const struct names_row *row = (const void *)((const char *)t->v + i * kinds[kind].bytes);
    if (row->id == id) return row;
  }
  return NULL;
}

const struct names_group *names_find_group(const struct names *n, struct str name) {
  for (size_t i = 0; i < n->of[NAMES_GROUP].n; i++)
    if (str_eq(names_group_at(n, i)->name, name)) return names_group_at(n, i);
  return NULL;
}

const struct names_tool_set *names_find_tool_set(const struct names *n, struct str name) {
  for (size_t i = 0; i < n->of[NAMES_TOOL_SET].n; i++)
    if (str_eq(names_tool_set_at(n, i)->name, name)) return names_tool_set_at(n, i);
  return NULL;
}

/* ---- lists as text ---- */

static void put_pin(struct buf *out, struct str node, int64_t priority) {
  if (!priority) {
    json_out_string(out, node);
    return;
  }
  json_out_begin(out, '{');
  json_out_member_string(out, "node_id", node);
  json_out_member_i64(out, "priority", priority);
  json_out_end(out, '}');
}

static void put_pins(struct buf *out, const struct names_pins *pins) {
  json_out_begin(out, '[');
  for (size_t i = 0; i < pins->nodes.n; i++) put_pin(out, pins->nodes.v[i], pins->priority ? pins->priority[i] : 0);
  json_out_end(out, ']');
}

static void put_list(struct buf *out, const struct names_list *list) {
  json_out_begin(out, '[');
  for (size_t i = 0; i < list->n; i++) json_out_string(out, list->v[i]);
  json_out_end(out, ']');
}

static struct str text_of(struct arena *a, struct buf *b) {
  struct str text = b->failed ? STR_NONE : arena_dup(a, buf_str(b));
  buf_clear(b);
  return text;
}

struct str names_list_text(struct arena *a, const struct names_list *list) {
  struct buf b;
  if (!list->is_set) return STR_NONE;
  buf_init(&b, 0);
  put_list(&b, list);
  return text_of(a, &b);
}

struct str names_pins_text(struct arena *a, const struct names_pins *pins) {
  struct buf b;
  if (!pins->nodes.is_set) return STR_NONE;
  buf_init(&b, 0);
  put_pins(&b, pins);
  return text_of(a, &b);
}

static enum err fault(const struct json_node *n, enum err e, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return err_set_param(info, e, path, "\"%s\" %s", path, why);
}

static enum err take_text(struct arena *a, const struct json_node *node, struct str *out, struct err_info *info) {
  enum err e = json_string(node, out, info);
  if (!e && !(*out = arena_dup(a, *out)).p) e = ERR_NO_MEMORY;
  return e;
}

/* "gpu1", or {"node_id": "gpu1", "priority": 5}. */
static enum err take_pin(struct arena *a, const struct json_node *node, struct str *out, int64_t *priority,
                         struct err_info *info) {
  struct json_node one;
  if (json_type(node) != JSON_OBJECT) return take_text(a, node, out, info);
  const struct json_node id = json_member(node, STR("node_id"));
  enum err e = json_check_keys(node, NULL, 0, a, info);
  for (struct json_iter it = json_each(node); !e && json_next(&it, &one);) {
    if (str_eq(one.key, STR("priority")))
      e = json_i64(&one, priority, info);
    else if (!str_eq(one.key, STR("node_id")))
      e = fault(&one, ERR_BAD_VALUE, "is not known here", info);
  }
  return e ? e : take_text(a, &id, out, info);
}

/* priority: of max elements, which then may be pins; NULL: they are texts. */
static enum err take_list(struct arena *a, const struct json_node *node, size_t max, int64_t *priority,
                          struct names_list *out, struct err_info *info) {
  struct json_node one;
  size_t n = json_count(node), at = 0;
  enum err e = json_expect(node, JSON_ARRAY, info);
  if (e) return e;
  if (n > max) return fault(node, ERR_BAD_VALUE, "has too many elements", info);
  struct str *v = ARENA_NEW_ARRAY(a, struct str, n + 1);
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(node); !e && json_next(&it, &one); at++)
    e = priority ? take_pin(a, &one, &v[at], &priority[at], info) : take_text(a, &one, &v[at], info);
  if (!e) *out = (struct names_list){v, n, true};
  return e;
}

static enum err take_pins(struct arena *a, const struct json_node *node, struct names_pins *out,
                          struct err_info *info) {
  int64_t *priority = ARENA_NEW_ARRAY(a, int64_t, NAMES_PINS_MAX);
  if (!priority) return ERR_NO_MEMORY;
  enum err e = take_list(a, node, NAMES_PINS_MAX, priority, &out->nodes, info);
  if (!e) out->priority = priority;
  return e;
}

enum err names_list_parse(struct arena *a, struct str text, struct names_list *out) {
  struct json doc;
  enum err e = json_parse_copy(&doc, text, NULL, a, NULL);
  if (e) return e;
  struct json_node root = json_root(&doc);
  return take_list(a, &root, NAMES_LIST_MAX, NULL, out, NULL);
}

enum err names_pins_parse(struct arena *a, struct str text, struct names_pins *out) {
  struct json doc;
  enum err e = json_parse_copy(&doc, text, NULL, a, NULL);
  if (e) return e;
  struct json_node root = json_root(&doc);
  return take_pins(a, &root, out, NULL);
}

/* ---- loading ---- */

struct loading {
  struct names *n;
  enum names_kind kind;
};

static enum err take_value(struct arena *a, const struct names_field *f, const struct db_value *v, void *row) {
  void *value = value_at(f, row);
  switch (f->type) {
    case NAMES_TEXT:
    case NAMES_PROSE: {
      struct str s = arena_dup(a, v->s);
      *(struct str *)value = s;
      return s.p ? OK : ERR_NO_MEMORY;
    }
    case NAMES_FLAG: *(bool *)value = v->i != 0; return OK;
    /* A word of a newer program is none of ours: the first one stands for it. */
    case NAMES_WORD: (void)!names_word_parse(f->words, v->s, value); return OK;
    case NAMES_LIST: return v->type == DB_NULL ? OK : names_list_parse(a, v->s, value);
    case NAMES_PINS: return v->type == DB_NULL ? OK : names_pins_parse(a, v->s, value);
    default: *(int64_t *)value = v->type == DB_NULL ? f->by_default : v->i; return OK;
  }
}

static enum err take_row(void *arg, const struct db_value *v, unsigned columns, struct err_info *info) {
  struct loading *l = arg;
  size_t n;
  const struct names_field *f = names_fields(l->kind, &n);
  struct names_row *row = names_add(l->n, l->kind);
  if (!row || columns != n + 3) return err_set(info, ERR_NO_MEMORY, "out of memory, or too many names");
  row->id = v[0].i;
  row->created_us = v[1].i;
  row->updated_us = v[2].i;
  enum err e = OK;
  for (size_t i = 0; !e && i < n; i++) e = take_value(&l->n->arena, &f[i], &v[3 + i], row);
  if (e == ERR_NO_MEMORY || !e) return e;
  return err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
}

enum err names_load(struct db *db, struct names *out, struct err_info *info) {
  enum err e = OK;
  names_init(out);
  for (unsigned kind = 0; !e && kind < NAMES_KINDS; kind++) {
    struct loading l = {out, (enum names_kind)kind};
    e = db_run(db, kinds[kind].list, NULL, 0, take_row, &l, info);
  }
  if (e) names_clear(out);
  return e;
}

/* ---- fields as JSON ---- */

static void put_factor(struct buf *out, int64_t billionths) {
  char digits[32];
  struct buf b = {.p = digits, .cap = sizeof digits, .limit_bytes = sizeof digits};
  buf_put_nano_usd(&b, billionths);
  json_out_raw(out, buf_str(&b));
}

static void put_value(struct buf *out, const struct names_field *f, const void *row) {
  const void *value = value_at(f, row);
  int64_t number = 0;
  switch (f->type) {
    case NAMES_TEXT:
    case NAMES_PROSE: json_out_string(out, *(const struct str *)value); return;
    case NAMES_FLAG: json_out_bool(out, *(const bool *)value); return;
    case NAMES_WORD: json_out_string(out, names_word(f->words, *(const unsigned *)value)); return;
    case NAMES_LIST:
      if (((const struct names_list *)value)->is_set)
        put_list(out, value);
      else
        json_out_raw(out, STR_NONE);
      return;
    case NAMES_PINS:
      if (((const struct names_pins *)value)->nodes.is_set)
        put_pins(out, value);
      else
        json_out_raw(out, STR_NONE);
      return;
    case NAMES_FACTOR: put_factor(out, *(const int64_t *)value); return;
    default: number = *(const int64_t *)value;
  }
  if (f->type != NAMES_NUMBER && number == f->by_default)
    json_out_raw(out, STR_NONE);
  else
    json_out_i64(out, number);
}

void names_put_fields(struct buf *out, enum names_kind kind, const void *row) {
  size_t n;
  const struct names_field *f = names_fields(kind, &n);
  for (size_t i = 0; i < n; i++) {
    json_out_key_plain(out, f[i].key);
    put_value(out, &f[i], row);
  }
}

static enum err read_tokens(const struct json_node *n, int64_t *out, struct err_info *info) {
  struct str text;
  bool is_text = json_type(n) == JSON_STRING;
  enum err e = is_text ? json_string(n, &text, info) : json_i64(n, out, info);
  if (e || (is_text ? names_tokens_parse(text, out) : *out > 0)) return e;
  return fault(n, ERR_BAD_VALUE, "is no number of tokens (128000, \"198K\", \"1M\")", info);
}

static enum err read_factor(const struct json_node *n, int64_t *out, struct err_info *info) {
  struct str text;
  enum err e = json_type(n) == JSON_STRING ? json_string(n, &text, info) : json_number_raw(n, &text, info);
  if (!e && config_price_parse_usd(text, out)) e = fault(n, ERR_BAD_VALUE, "is no decimal number", info);
  return e;
}

static enum err read_word(const struct names_field *f, const struct json_node *n, unsigned *out,
                          struct err_info *info) {
  struct str text;
  char why[160];
  enum err e = json_string(n, &text, info);
  if (e || names_word_parse(f->words, text, out)) return e;
  snprintf(why, sizeof why, "must be one of %s", f->words);
  return fault(n, ERR_BAD_VALUE, why, info);
}

static enum err read_value(struct arena *a, const struct names_field *f, const struct json_node *n, void *row,
                           struct err_info *info) {
  void *value = value_at(f, row);
  struct str text;
  enum err e;
  if (json_type(n) == JSON_NULL) {
    if (f->type == NAMES_LIST)
      *(struct names_list *)value = (struct names_list){0};
    else if (f->type == NAMES_PINS)
      *(struct names_pins *)value = (struct names_pins){0};
    else if (is_number(f) && f->type != NAMES_NUMBER)
      *(int64_t *)value = f->by_default;
    else if ((f->type == NAMES_TEXT || f->type == NAMES_PROSE) && f->min == 0)
      *(struct str *)value = STR("");
    else
      return fault(n, ERR_BAD_TYPE, "must not be null", info);
    return OK;
  }
  switch (f->type) {
    case NAMES_TEXT:
    case NAMES_PROSE:
      e = json_string(n, &text, info);
      if (!e && !(*(struct str *)value = arena_dup(a, text)).p) e = ERR_NO_MEMORY;
      return e;
    case NAMES_FLAG: return json_bool(n, value, info);
    case NAMES_WORD: return read_word(f, n, value, info);
    case NAMES_LIST: return take_list(a, n, (size_t)f->max, NULL, value, info);
    case NAMES_PINS: return take_pins(a, n, value, info);
    case NAMES_TOKENS: return read_tokens(n, value, info);
    case NAMES_FACTOR: return read_factor(n, value, info);
    default: return json_i64(n, value, info);
  }
}

static const struct names_field *find_field(const struct names_field *f, size_t n, struct str key) {
  for (size_t i = 0; i < n; i++)
    if (str_eq(f[i].key, key)) return &f[i];
  return NULL;
}

enum err names_read_fields(struct arena *a, enum names_kind kind, const struct json_node *object, bool is_whole,
                           void *row, struct err_info *info) {
  size_t n;
  const struct names_field *f = names_fields(kind, &n), *at;
  struct json_node node;
  enum err e = json_expect(object, JSON_OBJECT, info);
  if (!e) e = json_check_keys(object, NULL, 0, a, info);
  for (struct json_iter it = json_each(object); !e && json_next(&it, &node);) {
    if (!(at = find_field(f, n, node.key))) return fault(&node, ERR_BAD_VALUE, "is not known here", info);
    e = read_value(a, at, &node, row, info);
    const char *why = e ? NULL : names_check(at, row);
    if (why) e = fault(&node, ERR_BAD_VALUE, why, info);
  }
  for (size_t i = 0; !e && is_whole && i < n; i++) {
    node = json_member(object, f[i].key);
    bool is_due = (f[i].type == NAMES_TEXT || f[i].type == NAMES_PROSE) && f[i].min > 0;
    if (is_due && json_type(&node) == JSON_ABSENT) e = fault(&node, ERR_MISSING, "is required", info);
  }
  return e;
}
