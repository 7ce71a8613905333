/* The text form of nodes: see node.h. Written and read through the same table of fields; read as strictly as anything
 * that comes from outside: an operator may have edited it, a disk may have cut it. */
#include "base/base64.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/map.h"
#include "state/config/config_check.h"
#include "state/node.h"
#include "state/text_lines.h"

#define KIND "maestro-nodes"
enum { TEXT_VERSION = 1 };

/* ---- writing ---- */

static void put_bytes(struct buf *b, const char *key, struct str bytes) {
  json_out_key(b, key);
  buf_put_char(b, '"');
  base64_put(b, bytes);
  buf_put_char(b, '"');
}

static void put_fields(struct buf *b, const struct node_field *fields, size_t n, const void *of, bool with_bytes) {
  for (size_t i = 0; i < n; i++) {
    const char *at = (const char *)of + fields[i].offset, *key = fields[i].key;
    const struct str *text = (const struct str *)(const void *)at; /* of the two types that are text */
    switch (fields[i].type) {
      case NODE_I64: json_out_member_i64(b, key, *(const int64_t *)(const void *)at); break;
      case NODE_I32: json_out_member_i64(b, key, *(const int32_t *)(const void *)at); break;
      case NODE_U32: json_out_member_i64(b, key, *(const uint32_t *)(const void *)at); break;
      case NODE_BOOL: json_out_member_bool(b, key, *(const bool *)at); break;
      case NODE_TEXT: json_out_member_string_if(b, key, *text); break;
      case NODE_WORDS: {
        const struct config_strings *words = (const struct config_strings *)(const void *)at;
        if (words->n) json_out_member_strings(b, key, words->items, words->n);
        break;
      }
      case NODE_BYTES:
        if (with_bytes && text->n) put_bytes(b, key, *text);
    }
  }
}

static void put_node(struct buf *b, const struct node *node, bool with_credentials) {
  json_out_begin(b, '{');
  put_fields(b, node_fields, NODE_FIELDS, node, with_credentials);
  if (!with_credentials && node->sealed.n) json_out_member_bool(b, "credential_left_out", true);
  json_out_key(b, "models");
  json_out_begin(b, '[');
  for (size_t i = 0; i < node->model_count; i++) {
    json_out_begin(b, '{');
    put_fields(b, node_model_fields, NODE_MODEL_FIELDS, &node->models[i], false);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  json_out_end(b, '}');
}

void nodes_write(const struct nodes *nodes, bool with_credentials, struct buf *out) {
  struct buf line;
  buf_init(&line, 0);
  buf_printf(out, "{\"kind\":\"" KIND "\",\"version\":%d,\"nodes\":%zu}\n", (int)TEXT_VERSION, nodes->n);
  for (size_t i = 0; i < nodes->n; i++) {
    put_node(&line, &nodes->v[i], with_credentials);
    text_lines_put(out, &line);
  }
  buf_clear(&line);
}

/* ---- reading ---- */

static enum err bad(const struct json_node *n, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" %s", path, why);
}

static enum err read_bytes(struct arena *a, const struct json_node *n, struct str *out, struct err_info *info) {
  struct str text;
  enum err e = json_string(n, &text, info);
  if (e) return e;
  char *bytes = arena_alloc(a, base64_room(text.n));
  size_t decoded = bytes ? base64_decode(text, bytes) : 0;
  if (!bytes) return ERR_NO_MEMORY;
  if (decoded == SIZE_MAX) return bad(n, "is no base64", info);
  *out = str_from(bytes, decoded);
  return OK;
}

static enum err read_number(const struct json_node *n, int64_t min, int64_t max, int64_t *out, struct err_info *info) {
  enum err e = json_i64(n, out, info);
  return e || (*out >= min && *out <= max) ? e : bad(n, "is out of range", info);
}

static enum err read_words(struct arena *a, const struct json_node *n, struct config_strings *out,
                           struct err_info *info) {
  struct json_node one;
  size_t count = json_count(n), at = 0;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && count > CONFIG_QUIRKS_MAX) e = bad(n, "has too many", info);
  struct str *v = e ? NULL : ARENA_NEW_ARRAY(a, struct str, count + 1);
  if (!v) return e ? e : ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &one); at++) {
    e = json_string(&one, &v[at], info);
    if (!e && (!v[at].n || str_find_char(v[at], ' ') != SIZE_MAX)) e = bad(&one, "is no word", info);
    if (!e && !(v[at] = arena_dup(a, v[at])).p) e = ERR_NO_MEMORY;
    if (e) return e;
  }
  *out = (struct config_strings){v, count};
  return OK;
}

static enum err read_field(struct arena *a, const struct node_field *f, const struct json_node *n, void *of,
                           struct err_info *info) {
  char *at = (char *)of + f->offset;
  struct str *text = (struct str *)(void *)at, s;
  int64_t v = 0;
  enum err e = OK;
  switch (f->type) {
    case NODE_I64:
      e = read_number(n, 0, INT64_MAX, &v, info);
      *(int64_t *)(void *)at = v;
      break;
    case NODE_I32:
      e = read_number(n, INT32_MIN, INT32_MAX, &v, info);
      *(int32_t *)(void *)at = (int32_t)v;
      break;
    case NODE_U32:
      e = read_number(n, 0, UINT32_MAX, &v, info);
      *(uint32_t *)(void *)at = (uint32_t)v;
      break;
    case NODE_BOOL: return json_bool(n, (bool *)at, info);
    case NODE_BYTES: return read_bytes(a, n, text, info);
    case NODE_WORDS: return read_words(a, n, (struct config_strings *)(void *)at, info);
    case NODE_TEXT:
      e = json_string(n, &s, info);
      if (!e && !(*text = arena_dup(a, s)).p) e = ERR_NO_MEMORY;
  }
  return e;
}

static enum err read_fields(struct arena *a, const struct json_node *object, const struct node_field *fields, size_t n,
                            void *of, struct err_info *info) {
  enum err e = json_expect(object, JSON_OBJECT, info);
  for (size_t i = 0; !e && i < n; i++) {
    struct json_node node = json_member(object, str_from_c(fields[i].key));
    if (json_type(&node) != JSON_ABSENT) e = read_field(a, &fields[i], &node, of, info);
  }
  return e;
}

static enum err read_models(struct arena *a, const struct json_node *object, struct node *node, struct err_info *info) {
  struct json_node list = {0}, item;
  struct map names;
  enum err e = json_get_array(object, STR("models"), &list, info);
  size_t n = json_count(&list);
  if (!e && n > 2 * NODE_MODELS_MAX) e = bad(&list, "has too many", info);
  if (e) return e;
  map_init(&names, a);
  node->models = ARENA_NEW_ARRAY(a, struct node_model, n + 1);
  if (!node->models) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&list); json_next(&it, &item); node->model_count++) {
    struct node_model *m = &node->models[node->model_count];
    e = read_fields(a, &item, node_model_fields, NODE_MODEL_FIELDS, m, info);
    if (!e && !node_model_name_is_valid(m->name)) e = bad(&item, "has no name of a model", info);
    if (!e && map_get(&names, m->name)) e = bad(&item, "comes twice", info);
    if (!e && !map_put(&names, m->name, m)) e = ERR_NO_MEMORY;
    if (e) return e;
  }
  return OK;
}

static bool is_timeout(int32_t ms) { return ms >= CONFIG_TIMEOUT_UNSET && ms <= CONFIG_TIMEOUT_MAX_MS; }

static enum err check_node(const struct nodes *nodes, const struct json_node *object, const struct node *node,
                           struct err_info *info) {
  if (!node_code_is_valid(node->p.id)) return bad(object, "\"code\" is no code of a node", info);
  if (!node_name_is_valid(node->name)) return bad(object, "\"name\" is no name of a node", info);
  if (!node->p.type.n || config_check_url(node->p.base_url))
    return bad(object, "\"type\" or \"base_url\" is wrong", info);
  if (node->p.usage > CONFIG_USAGE_NONE) return bad(object, "\"usage\" is wrong", info);
#define X(member, camel, option, help) \
  if (!is_timeout(node->p.timeouts.member)) return bad(object, "\"" #member "\" is out of range", info);
#include "state/config/timeouts.def"
#undef X
  if (node->id <= 0 || (nodes->n && nodes->v[nodes->n - 1].id >= node->id))
    return bad(object, "\"id\" must rise from line to line", info);
  for (size_t i = 0; i < nodes->n; i++)
    if (str_eq(nodes->v[i].p.id, node->p.id) || str_eq(nodes->v[i].name, node->name))
      return bad(object, "its code or name comes twice", info);
  return OK;
}

struct reading {
  struct nodes *out;
  int64_t expected;
};

static enum err read_head(struct reading *r, const struct json_node *first, struct err_info *info) {
  struct json_node nodes = json_member(first, STR("nodes"));
  enum err e = text_lines_head(first, KIND, TEXT_VERSION, TEXT_VERSION, info);
  if (!e) e = read_number(&nodes, 0, NODES_MAX, &r->expected, info);
  if (!e && !(r->out->v = ARENA_NEW_ARRAY(&r->out->arena, struct node, (size_t)r->expected + 1))) e = ERR_NO_MEMORY;
  return e;
}

static enum err take_line(void *arg, unsigned number, const struct json_node *line, struct err_info *info) {
  struct reading *r = arg;
  struct nodes *out = r->out;
  if (number == 1) return read_head(r, line, info);
  if (out->n == (size_t)r->expected) return err_set(info, ERR_BAD_VALUE, "more nodes than the first line says");
  struct node *node = &out->v[out->n];
  node_init(node); /* texts of earlier versions do not say all there is */
  enum err e = read_fields(&out->arena, line, node_fields, NODE_FIELDS, node, info);
  if (!e) e = check_node(out, line, node, info);
  if (!e) e = read_models(&out->arena, line, node, info);
  if (!e) out->n++;
  return e;
}

static enum err take_end(void *arg, unsigned lines, struct err_info *info) {
  const struct reading *r = arg;
  if (lines && r->out->n == (size_t)r->expected) return OK;
  return err_set(info, ERR_BAD_VALUE, "it was cut: fewer nodes than its first line says");
}

enum err nodes_read(struct str text, struct nodes *out, struct err_info *info) {
  struct reading r = {.out = out};
  node_list_init(out);
  enum err e = text_lines_read(text, &(struct text_lines_reader){take_line, take_end, &r}, info);
  if (e) node_list_clear(out);
  return e;
}
