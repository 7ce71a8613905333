/* A call's name and arguments: which function of the request is meant, and one valid JSON object for it, from JSON as
 * the model wrote it, from values between tags, or from words. Called by the formats' steps. Whatever is written is
 * valid JSON, or the verdict is not GOOD. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/json_out.h"
#include "llm/request.h"
#include "text/tool_text_internal.h"

static bool has_request(struct tool_text *t) {
  if (!t->request && !t->source_failed && t->options.source.get)
    t->source_failed = t->options.source.get(t->options.source.arg, &t->request, NULL);
  return t->request != NULL;
}

static int64_t function_of(struct tool_text *t, struct str name) {
  if (!has_request(t)) return -1;
  const struct request *r = t->request;
  if (r->tool_choice == TOOL_CHOICE_NONE) return -1;
  for (size_t i = 0; name.n && i < r->tool_count; i++)
    if (r->tools[i].kind == TOOL_FUNCTION && str_eq(r->tools[i].name, name)) return (int64_t)i;
  return -1;
}

int64_t tool_text_resolve(struct tool_text *t, struct str name) {
  int64_t tool = function_of(t, name);
  if (tool < 0 && str_has_prefix(name, STR("functions."))) tool = function_of(t, str_sub(name, 10, name.n));
  return tool;
}

/* One of the names that a server's tool goes by. */
static int64_t resolve_mcp(struct tool_text *t, struct str server, struct str name) {
  static const struct {
    struct str before, between;
  } forms[] = {{{"", 0}, {"_", 1}}, {{"mcp__", 5}, {"__", 2}}, {{"", 0}, {"__", 2}}};
  int64_t tool = -1;
  for (size_t i = 0; server.n && tool < 0 && i < sizeof forms / sizeof *forms; i++) {
    buf_reset(&t->scratch);
    buf_put(&t->scratch, forms[i].before);
    buf_put(&t->scratch, server);
    buf_put(&t->scratch, forms[i].between);
    buf_put(&t->scratch, name);
    tool = function_of(t, buf_str(&t->scratch));
  }
  return tool < 0 ? tool_text_resolve(t, name) : tool;
}

bool tool_text_param_add(struct tool_text *t, const struct tool_text_param *p) {
  if (t->params.n >= TOOL_TEXT_PARAMS_MAX * sizeof *p) return false;
  buf_put(&t->params, str_from((const char *)p, sizeof *p));
  return !t->params.failed;
}

static struct tool_text_param param_at(const struct tool_text *t, size_t i) {
  struct tool_text_param p;
  memcpy(&p, t->params.p + i * sizeof p, sizeof p);
  return p;
}

/* ---- JSON as written ---- */

/* Behind the value at p, in JSON known to be valid. */
static size_t skip_value(struct str s, size_t at) {
  unsigned depth = 0;
  for (bool in_string = false; at < s.n; at++) {
    char c = s.p[at];
    if (in_string) {
      if (c == '\\')
        at++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      depth--;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return s.n;
}

/* A member's value as it stands in an object known to be valid; empty: there is none. */
static struct str member_of(struct str object, struct str key) {
  for (size_t at = tool_text_skip_space(object, 1); at < object.n && object.p[at] == '"';) {
    size_t from = ++at;
    while (at < object.n && object.p[at] != '"') at += object.p[at] == '\\' ? 2 : 1;
    struct str name = str_sub(object, from, at);
    at = tool_text_skip_space(object, at + 1) + 1; /* behind the colon */
    size_t end = skip_value(object, at);
    if (str_eq(name, key)) return str_trim(str_sub(object, at, end));
    at = tool_text_skip_space(object, end + 1);
  }
  return STR_NONE;
}

/* `Read` of a coding agent counts lines from 1 and refuses what models like to write. */
static void mend_read(struct tool_text *t) {
  yyjson_val *root = json_pool_parse(&t->pool, buf_str(&t->args)), *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(root);
  buf_reset(&t->scratch);
  json_out_begin(&t->scratch, '{');
  while ((key = yyjson_obj_iter_next(&it))) {
    yyjson_val *v = yyjson_obj_iter_get_val(key);
    struct str name = json_pool_text(key);
    bool is_offset = str_eq(name, STR("offset")), is_limit = str_eq(name, STR("limit"));
    double number = 1;
    if (is_offset || is_limit) {
      char digits[32] = "";
      struct str raw = yyjson_is_raw(v) ? str_from(yyjson_get_raw(v), yyjson_get_len(v)) : STR_NONE;
      if (raw.n == 0) continue;
      if (raw.n < sizeof digits) memcpy(digits, raw.p, raw.n);
      number = strtod(digits, NULL);
    }
    json_out_key_str(&t->scratch, name);
    double size = number < 0 ? -number : number;
    if (number >= 1)
      json_out_value(&t->scratch, v);
    else if (is_offset)
      json_out_i64(&t->scratch, 1);
    else
      json_out_i64(&t->scratch, size < 100 ? 100 : size > 500 ? 500 : (int64_t)size);
  }
  json_out_end(&t->scratch, '}');
  buf_reset(&t->args);
  buf_put(&t->args, buf_str(&t->scratch));
}

static enum tool_text_verdict finished(struct tool_text *t) {
  if (!t->args.failed && str_eq(t->request->tools[t->block.tool].name, STR("Read"))) mend_read(t);
  return t->args.failed || t->scratch.failed ? TOOL_TEXT_BAD : TOOL_TEXT_GOOD;
}

enum tool_text_verdict tool_text_args_json(struct tool_text *t, struct str json) {
  unsigned type;
  json = str_trim(json);
  buf_reset(&t->args);
  if (json.n == 0 || str_eq(json, STR("null"))) json = STR("{}");
  yyjson_val *v = tool_text_parse(t, json, &type);
  if (v && type == TOOL_TEXT_STRING) { /* an object that was put into a string */
    buf_reset(&t->scratch);
    buf_put(&t->scratch, json_pool_text(v));
    json = str_trim(buf_str(&t->scratch));
    v = tool_text_parse(t, json, &type);
  }
  if (!v || type != TOOL_TEXT_OBJECT) return TOOL_TEXT_BAD;
  tool_text_put_parsed(&t->args, json, v);
  return finished(t);
}

enum tool_text_verdict tool_text_args_call(struct tool_text *t, struct str json) {
  static const struct str members[] = {{"arguments", 9}, {"parameters", 10}, {"args", 4}, {"input", 5}};
  unsigned type;
  json = str_trim(json);
  yyjson_val *v = tool_text_parse(t, json, &type);
  if (!v || type != TOOL_TEXT_OBJECT) return TOOL_TEXT_BAD;
  yyjson_val *function = yyjson_obj_get(v, "function");
  if (yyjson_is_obj(function)) {
    v = function;
    json = member_of(json, STR("function"));
    if (json.n == 0) return TOOL_TEXT_BAD;
  }
  struct str name = json_pool_str(v, "name");
  if (name.n == 0) name = json_pool_str(v, "function");
  t->block.tool = tool_text_resolve(t, name);
  if (t->block.tool < 0) return TOOL_TEXT_UNKNOWN;
  struct str args = STR_NONE;
  for (size_t i = 0; args.n == 0 && i < sizeof members / sizeof *members; i++) args = member_of(json, members[i]);
  return tool_text_args_json(t, args);
}

/* ---- values between tags ---- */
static bool is_list_tag(struct str tag) {
  return str_eq(tag, STR("parameter")) || str_eq(tag, STR("param")) || str_eq(tag, STR("argument"));
}

struct value {
  struct str key, text;
  int8_t is_string; /* 1: as it is; 0: JSON; 2: as it is, of the schema's type; -1: with entities */
  char digits[8];   /* what key is where it is its position */
};

/* The i-th value; false when it is none of its own (the key of a key and value pair). */
static bool value_at(const struct tool_text *t, struct str s, size_t i, struct value *v) {
  struct tool_text_param p = param_at(t, i);
  struct str child = str_sub(s, p.child, p.child + p.child_bytes);
  v->text = str_sub(s, p.value, p.value + p.value_bytes);
  v->is_string = p.is_string;
  if (p.key_bytes) {
    v->key = str_sub(s, p.key, p.key + p.key_bytes);
  } else if (str_eq(child, STR("arg_key"))) {
    return false;
  } else if (str_eq(child, STR("arg_value"))) { /* GLM, which writes values as they are */
    if (i == 0) return false;
    struct tool_text_param key = param_at(t, i - 1);
    if (!str_eq(str_sub(s, key.child, key.child + key.child_bytes), STR("arg_key"))) return false;
    v->key = str_trim(str_sub(s, key.value, key.value + key.value_bytes));
    v->is_string = 2;
  } else if (is_list_tag(child)) {
    size_t n = 0;
    for (size_t k = i, place = 1; k; k /= 10, place *= 10) n++;
    n = n ? n : 1;
    for (size_t k = 0, rest = i; k < n; k++, rest /= 10) v->digits[n - 1 - k] = (char)('0' + rest % 10);
    v->key = str_from(v->digits, n);
  } else {
    v->key = child;
  }
  return v->key.n > 0;
}

static void put_value(struct tool_text *t, const struct value *v) {
  unsigned types = tool_text_types(t, v->key);
  if (v->is_string == 1) types = TOOL_TEXT_STRING;
  tool_text_value(t, &t->args, v->text, types, v->is_string < 0);
}

/* The arguments in one element, as <arguments>{…}</arguments>. */
static bool put_whole(struct tool_text *t, struct str s) {
  struct value v;
  unsigned type;
  if (t->params.n != sizeof(struct tool_text_param) || !value_at(t, s, 0, &v)) return false;
  if (!str_eq(v.key, STR("arguments")) && !str_eq(v.key, STR("parameters"))) return false;
  if (tool_text_has_property(t, v.key)) return false;
  struct str text = str_trim(v.text);
  yyjson_val *root = tool_text_parse(t, text, &type);
  if (!root || type != TOOL_TEXT_OBJECT) return false;
  tool_text_put_parsed(&t->args, text, root);
  return true;
}

enum tool_text_verdict tool_text_args_params(struct tool_text *t, struct str s) {
  size_t count = t->params.n / sizeof(struct tool_text_param);
  bool is_done[TOOL_TEXT_PARAMS_MAX] = {0};
  buf_reset(&t->args);
  if (put_whole(t, s)) return finished(t);
  json_out_begin(&t->args, '{');
  for (size_t i = 0; i < count; i++) {
    struct value v, other;
    if (is_done[i] || !value_at(t, s, i, &v)) continue;
    json_out_key_str(&t->args, v.key);
    bool is_list = false;
    size_t start = t->args.n;
    put_value(t, &v);
    for (size_t k = i + 1; k < count; k++) { /* said more than once: a list */
      if (is_done[k] || !value_at(t, s, k, &other) || !str_eq(other.key, v.key)) continue;
      is_done[k] = true;
      if (!is_list && buf_reserve(&t->args, 1)) {
        memmove(t->args.p + start + 1, t->args.p + start, t->args.n - start);
        t->args.p[start] = '[';
        t->args.n++;
        is_list = true;
      }
      put_value(t, &other);
    }
    if (is_list) json_out_end(&t->args, ']');
  }
  json_out_end(&t->args, '}');
  return finished(t);
}

/* ---- words ---- */
struct pair {
  struct str key, value;
};

/* The next of k="v", k='v', k=v from *at on; false when something else stands there. */
static bool next_pair(struct str s, size_t *at, struct pair *p) {
  size_t from = *at, i = from;
  while (i < s.n && (s.p[i] == '_' || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') ||
                     (i > from && s.p[i] >= '0' && s.p[i] <= '9')))
    i++;
  if (i == from || i == s.n || s.p[i] != '=') return false;
  p->key = str_sub(s, from, i++);
  char quote = i < s.n ? s.p[i] : 0;
  if (quote == '"' || quote == '\'') {
    const char *end = memchr(s.p + i + 1, quote, s.n - i - 1);
    if (!end) return false;
    p->value = str_from(s.p + i + 1, (size_t)(end - s.p) - i - 1);
    i = (size_t)(end - s.p) + 1;
    if (i < s.n && !text_is_white(s.p[i]) && s.p[i] != ',') return false;
  } else {
    from = i;
    while (i < s.n && !text_is_white(s.p[i]) && s.p[i] != ',') i++;
    p->value = str_sub(s, from, i);
  }
  while (i < s.n && (text_is_white(s.p[i]) || s.p[i] == ',')) i++;
  *at = i;
  return true;
}

static size_t count_pairs(struct str text) {
  size_t n = 0, at = 0;
  struct pair p;
  for (; at < text.n; n++)
    if (n == TOOL_TEXT_PARAMS_MAX || !next_pair(text, &at, &p)) return 0;
  return n;
}

/* Pairs hold text unless the schema has another type for them. */
static void put_pairs(struct tool_text *t, struct str text) {
  struct pair p;
  json_out_begin(&t->args, '{');
  for (size_t at = 0; at < text.n && next_pair(text, &at, &p);) {
    unsigned types = tool_text_types(t, p.key);
    json_out_key_str(&t->args, p.key);
    tool_text_value(t, &t->args, p.value, types ? types : TOOL_TEXT_STRING, true);
  }
  json_out_end(&t->args, '}');
}

static struct str without_labels(struct str text) {
  static const struct str labels[] = {{"command", 7}, {"run", 3},  {"execute", 7}, {"tool", 4},
                                      {"toolrun", 7}, {"bash", 4}, {"shell", 5}};
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; !found && i < sizeof labels / sizeof *labels; i++) {
      struct str rest = str_sub(text, labels[i].n, text.n);
      if (!str_has_prefix_nocase(text, labels[i]) || rest.n == 0) continue;
      if (!text_is_white(rest.p[0]) && rest.p[0] != ':') continue;
      if (rest.p[0] == ':') rest = str_sub(rest, 1, rest.n);
      text = str_trim(rest);
      found = text.n > 0;
    }
  }
  return text;
}

enum tool_text_verdict tool_text_args_plain(struct tool_text *t, struct str text) {
  text = str_trim(text);
  buf_reset(&t->args);
  if (text.n == 0) {
    buf_put(&t->args, STR("{}"));
  } else if (count_pairs(text)) {
    put_pairs(t, text);
  } else {
    json_out_begin(&t->args, '{');
    json_out_key_str(&t->args, STR("command"));
    tool_text_value(t, &t->args, without_labels(text), TOOL_TEXT_STRING, true);
    json_out_end(&t->args, '}');
  }
  return finished(t);
}

/* ---- CallMcpTool ---- */
enum tool_text_verdict tool_text_args_mcp(struct tool_text *t, struct str s) {
  struct str server = STR_NONE, name = STR_NONE, args = STR_NONE;
  unsigned type;
  for (size_t i = 0; i < t->params.n / sizeof(struct tool_text_param); i++) {
    struct tool_text_param p = param_at(t, i);
    struct str child = str_sub(s, p.child, p.child + p.child_bytes),
               text = str_sub(s, p.value, p.value + p.value_bytes);
    if (str_eq(child, STR("serverName"))) server = str_trim(text);
    if (str_eq(child, STR("toolName"))) name = str_trim(text);
    if (str_eq(child, STR("arguments"))) args = str_trim(text);
  }
  if (name.n == 0) return TOOL_TEXT_BAD;
  t->block.tool = resolve_mcp(t, server, name);
  if (t->block.tool < 0) return TOOL_TEXT_UNKNOWN;
  if (args.n == 0) return tool_text_args_json(t, args);
  yyjson_val *v = tool_text_parse(t, args, &type);
  if (v && (type == TOOL_TEXT_OBJECT || type == TOOL_TEXT_STRING)) {
    if (tool_text_args_json(t, args) == TOOL_TEXT_GOOD) return TOOL_TEXT_GOOD;
    v = tool_text_parse(t, args, &type);
  }
  buf_reset(&t->args);
  if (!v && count_pairs(args)) {
    put_pairs(t, args);
    return finished(t);
  }
  if (!v) { /* elements make an object */
    tool_text_value(t, &t->args, args, 0, true);
    if (t->args.n && t->args.p[0] == '{') return finished(t);
    buf_reset(&t->args);
  }
  json_out_begin(&t->args, '{');
  json_out_key_str(&t->args, STR("input"));
  tool_text_value(t, &t->args, args, 0, true);
  json_out_end(&t->args, '}');
  return finished(t);
}
