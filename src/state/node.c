/* Nodes, read from the store, and their credentials: see node.h. */
#include "state/node.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/json_out.h"
#include "io/http_client.h"

const struct node_field node_fields[NODE_FIELDS] = {
    {"id", NODE_I64, offsetof(struct node, id)},
    {"code", NODE_TEXT, offsetof(struct node, p.id)},
    {"name", NODE_TEXT, offsetof(struct node, name)},
    {"type", NODE_TEXT, offsetof(struct node, p.type)},
    {"base_url", NODE_TEXT, offsetof(struct node, p.base_url)},
    {"region", NODE_TEXT, offsetof(struct node, p.region)},
    {"health_url", NODE_TEXT, offsetof(struct node, health_url)},
    {"priority", NODE_I32, offsetof(struct node, p.priority)},
    {"weight", NODE_U32, offsetof(struct node, p.weight)},
    {"usage", NODE_U32, offsetof(struct node, p.usage)},
    {"is_active", NODE_BOOL, offsetof(struct node, p.is_active)},
    {"is_warmup", NODE_BOOL, offsetof(struct node, p.is_warmup)},
    {"is_sync", NODE_BOOL, offsetof(struct node, p.is_sync)},
    {"allow_private", NODE_BOOL, offsetof(struct node, allow_private)},
    {"created_us", NODE_I64, offsetof(struct node, created_us)},
    {"updated_us", NODE_I64, offsetof(struct node, updated_us)},
    {"synced_us", NODE_I64, offsetof(struct node, synced_us)},
    {"sealed", NODE_BYTES, offsetof(struct node, sealed)},
#define X(member, camel, option, help) {#member, NODE_I32, offsetof(struct node, p.timeouts.member)},
#include "state/config/timeouts.def"
#undef X
    {"quirks", NODE_WORDS, offsetof(struct node, p.quirks)},
    {"is_scoped", NODE_BOOL, offsetof(struct node, p.is_scoped)},
};
_Static_assert(sizeof(enum config_usage) == sizeof(uint32_t), "usage is read as a number");

const struct node_field node_model_fields[NODE_MODEL_FIELDS] = {
    {"name", NODE_TEXT, offsetof(struct node_model, name)},
    {"is_available", NODE_BOOL, offsetof(struct node_model, is_available)},
    {"is_listed", NODE_BOOL, offsetof(struct node_model, is_listed)},
    {"context_tokens", NODE_I64, offsetof(struct node_model, context_tokens)},
    {"listed_tokens", NODE_I64, offsetof(struct node_model, listed_tokens)},
    {"size_bytes", NODE_I64, offsetof(struct node_model, size_bytes)},
    {"family", NODE_TEXT, offsetof(struct node_model, family)},
    {"digest", NODE_TEXT, offsetof(struct node_model, digest)},
    {"seen_us", NODE_I64, offsetof(struct node_model, seen_us)},
};

void node_init(struct node *node) { *node = (struct node){.p = {.timeouts = config_timeouts_unset}}; }

/* ---- names ---- */

static bool is_code_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

bool node_code_is_valid(struct str code) {
  for (size_t i = 0; i < code.n; i++)
    if (!is_code_char(code.p[i])) return false;
  return code.n > 0 && code.n <= NODE_CODE_MAX;
}

struct str node_code_of_name(struct arena *a, struct str name) {
  char code[NODE_CODE_MAX];
  size_t n = 0;
  bool gap = false;
  for (size_t i = 0; i < name.n; i++) {
    char c = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 'a' - 'A') : name.p[i];
    if (!is_code_char(c) || c == '-') {
      gap = n > 0;
      continue;
    }
    if (n + gap >= sizeof code) break;
    if (gap) code[n++] = '-';
    gap = false;
    code[n++] = c;
  }
  return arena_dup(a, str_from(code, n));
}

static bool is_clean(struct str s, size_t max) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= max && str_is_utf8(s) && str_trim(s).n == s.n;
}

bool node_name_is_valid(struct str name) { return is_clean(name, NODE_NAME_MAX); }
bool node_model_name_is_valid(struct str name) { return is_clean(name, NODE_MODEL_NAME_MAX); }

struct str node_origin(struct arena *a, struct str base_url) {
  struct http_origin origin;
  struct err_info info;
  return http_origin_parse(a, base_url, false, &origin, &info) ? STR_NONE : origin.url;
}

int64_t node_model_context(const struct node_model *m) {
  return m->context_tokens ? m->context_tokens : m->listed_tokens;
}

/* ---- the credential ---- */

enum err node_key_derive(struct str master, struct node_key *out) {
  return crypto_derive(master, STR("maestro node credentials 1"), out->bytes);
}

/* What the seal is bound to; empty: no memory, or no origin. */
static struct str context_of(struct arena *a, const struct node *node) {
  struct str origin = node_origin(a, node->p.base_url);
  return origin.n ? arena_printf(a, "maestro node\n%.*s", STR_ARG(origin)) : STR_NONE;
}

static void put_credential(struct buf *b, const struct config_provider *p) {
  json_out_begin(b, '{');
  json_out_member_string_if(b, "api_key", secret_reveal(p->api_key));
  json_out_member_string_if(b, "aws_access_key_id", p->aws.access_key_id);
  json_out_member_string_if(b, "aws_secret_key", secret_reveal(p->aws.secret_access_key));
  json_out_member_string_if(b, "aws_session_token", secret_reveal(p->aws.session_token));
  json_out_key(b, "headers");
  json_out_begin(b, '{');
  for (size_t i = 0; i < p->header_count; i++) {
    json_out_key_str(b, p->headers[i].name);
    json_out_string(b, secret_reveal(p->headers[i].value));
  }
  json_out_end(b, '}');
  json_out_end(b, '}');
}

enum err node_seal(struct arena *a, const struct node_key *key, struct node *node, struct err_info *info) {
  const struct config_provider *p = &node->p;
  struct buf text;
  if (!p->api_key && !p->aws.secret_access_key && !p->header_count) {
    node->sealed = STR_NONE;
    return OK;
  }
  struct str context = context_of(a, node);
  if (!context.p) return err_set(info, ERR_INTERNAL, "a node without an address has no credential");
  buf_init(&text, SECRET_BYTES_MAX);
  if (!buf_reserve(&text, 32 * 1024)) return ERR_NO_MEMORY; /* so that it does not move and leave a copy */
  put_credential(&text, p);
  uint8_t *out = arena_alloc(a, text.n + CRYPTO_SEAL_EXTRA);
  enum err e = text.failed || !out ? ERR_NO_MEMORY : crypto_seal(key->bytes, context, buf_str(&text), out);
  if (!e) node->sealed = str_from((const char *)out, text.n + CRYPTO_SEAL_EXTRA);
  crypto_wipe(text.p, text.cap);
  buf_clear(&text);
  return e;
}

static bool read_secret(struct arena *a, const struct json_node *n, const struct secret **out) {
  struct str s;
  *out = NULL;
  if (json_type(n) == JSON_ABSENT) return true;
  return !json_string(n, &s, NULL) && (*out = secret_new_in(a, s));
}

static bool read_headers(struct arena *a, const struct json_node *list, struct config_provider *p) {
  struct json_node node;
  p->headers = ARENA_NEW_ARRAY(a, struct config_header, json_count(list) + 1);
  if (!p->headers) return false;
  for (struct json_iter it = json_each(list); json_next(&it, &node); p->header_count++) {
    struct config_header *h = &p->headers[p->header_count];
    h->name = arena_dup(a, node.key);
    if (!h->name.p || !read_secret(a, &node, &h->value)) return false;
  }
  return true;
}

/* In situ, so that no copy is left behind: text is wiped afterwards. */
static bool read_credential(struct arena *a, char *text, size_t n, struct arena *work, struct config_provider *p) {
  struct json doc;
  if (json_parse(&doc, text, n, NULL, work, NULL)) return false;
  struct json_node root = json_root(&doc), id = json_member(&root, STR("aws_access_key_id")),
                   key = json_member(&root, STR("api_key")), secret = json_member(&root, STR("aws_secret_key")),
                   token = json_member(&root, STR("aws_session_token")), headers = json_member(&root, STR("headers"));
  struct str access_key_id = STR_NONE;
  if (json_type(&id) != JSON_ABSENT && json_string(&id, &access_key_id, NULL)) return false;
  if (access_key_id.n && !(p->aws.access_key_id = arena_dup(a, access_key_id)).p) return false;
  return read_secret(a, &key, &p->api_key) && read_secret(a, &secret, &p->aws.secret_access_key) &&
         read_secret(a, &token, &p->aws.session_token) && read_headers(a, &headers, p);
}

enum err node_unseal(struct arena *a, const struct node_key *key, struct node *node) {
  struct arena work;
  if (!node->sealed.n) return OK;
  struct str context = context_of(a, node);
  size_t n = node->sealed.n < CRYPTO_SEAL_EXTRA ? 0 : node->sealed.n - CRYPTO_SEAL_EXTRA;
  char *text = malloc(n + JSON_PADDING);
  if (!text) return ERR_NO_MEMORY;
  node->is_shut = !context.p || crypto_unseal(key->bytes, context, node->sealed, (uint8_t *)text) != OK;
  enum err e = OK;
  arena_init(&work, 0);
  if (!node->is_shut && !read_credential(a, text, n, &work, &node->p)) e = ERR_NO_MEMORY;
  arena_clear(&work);
  crypto_wipe(text, n);
  free(text);
  return e;
}

bool node_has_credential(const struct node *node) {
  return node->p.api_key || node->p.aws.secret_access_key || node->is_shut;
}

enum { HINT_CHARS = 4, HINT_HIDDEN = 12 };

struct str node_key_hint(const struct node *node, char out[8]) {
  struct str key = secret_reveal(node->p.aws.secret_access_key ? node->p.aws.secret_access_key : node->p.api_key);
  out[0] = 0;
  if (key.n < HINT_CHARS + HINT_HIDDEN) return STR_NONE;
  memcpy(out, key.p + key.n - HINT_CHARS, HINT_CHARS);
  out[HINT_CHARS] = 0;
  return str_from_c(out);
}

/* ---- words ---- */

struct str node_words_text(struct arena *a, const struct config_strings *words) {
  struct str *parts = ARENA_NEW_ARRAY(a, struct str, 2 * words->n + 1);
  for (size_t i = 0; parts && i < words->n; i++) {
    parts[2 * i] = i ? STR(" ") : STR("");
    parts[2 * i + 1] = words->items[i];
  }
  return parts ? arena_join(a, parts, 2 * words->n) : STR_NONE;
}

enum err node_words_parse(struct arena *a, struct str text, struct config_strings *out) {
  struct str one, *v = ARENA_NEW_ARRAY(a, struct str, text.n / 2 + 1);
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  while (text.n) {
    str_cut(text, ' ', &one, &text);
    if (one.n && !(v[n++] = arena_dup(a, one)).p) return ERR_NO_MEMORY;
  }
  *out = (struct config_strings){v, n};
  return OK;
}

/* ---- reading the store ---- */

void node_list_init(struct nodes *nodes) {
  *nodes = (struct nodes){0};
  arena_init(&nodes->arena, 0);
}

void node_list_clear(struct nodes *nodes) {
  arena_clear(&nodes->arena);
  node_list_init(nodes);
}

struct loader {
  struct nodes *nodes;
  size_t room; /* of the array in hand */
  size_t at;   /* the node whose models come */
  struct node_model *models;
  size_t model_count;
};

static enum err set_field(struct arena *a, const struct node_field *f, const struct db_value *v, void *out) {
  char *at = (char *)out + f->offset;
  struct str *text = (struct str *)(void *)at;
  switch (f->type) {
    case NODE_I64: *(int64_t *)(void *)at = v->i; break;
    case NODE_I32: *(int32_t *)(void *)at = (int32_t)v->i; break;
    case NODE_U32: *(uint32_t *)(void *)at = (uint32_t)v->i; break;
    case NODE_BOOL: *(bool *)at = v->i != 0; break;
    case NODE_TEXT:
    case NODE_BYTES: *text = arena_dup(a, v->s); return text->p ? OK : ERR_NO_MEMORY;
    case NODE_WORDS: return node_words_parse(a, v->s, (struct config_strings *)(void *)at);
  }
  return OK;
}

static void *grow(struct loader *l, void *v, size_t n, size_t size) {
  if (n < l->room) return v;
  size_t room = l->room ? 2 * l->room : 16;
  v = arena_realloc(&l->nodes->arena, v, l->room * size, room * size);
  if (v) l->room = room;
  return v;
}

static enum err take_node(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  (void)columns, (void)info;
  struct node *v = grow(l, l->nodes->v, l->nodes->n, sizeof *v);
  if (!v) return ERR_NO_MEMORY;
  l->nodes->v = v;
  struct node *node = &v[l->nodes->n];
  *node = (struct node){0};
  enum err e = OK;
  for (size_t i = 0; !e && i < NODE_FIELDS; i++) e = set_field(&l->nodes->arena, &node_fields[i], &row[i], node);
  if (node->p.usage > CONFIG_USAGE_NONE) node->p.usage = CONFIG_USAGE_OPTION; /* of a newer program */
  if (!e) l->nodes->n++;
  return e;
}

static enum err take_model(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  (void)columns, (void)info;
  while (l->at < l->nodes->n && l->nodes->v[l->at].id < row[0].i) l->at++;
  if (l->at == l->nodes->n || l->nodes->v[l->at].id != row[0].i) return OK;
  struct node_model *v = grow(l, l->models, l->model_count, sizeof *v);
  if (!v) return ERR_NO_MEMORY;
  l->models = v;
  struct node_model *m = &v[l->model_count++];
  *m = (struct node_model){0};
  l->nodes->v[l->at].model_count++;
  enum err e = OK;
  for (size_t i = 0; !e && i < NODE_MODEL_FIELDS; i++)
    e = set_field(&l->nodes->arena, &node_model_fields[i], &row[i + 1], m);
  return e;
}

enum err nodes_load(struct db *db, int64_t id, const struct node_key *key, struct nodes *out, struct err_info *info) {
  const struct db_value which = db_int(id);
  struct loader l = {.nodes = out};
  node_list_init(out);
  enum err e = db_run(db, DB_STORED_NODE_LIST, &which, 1, take_node, &l, info);
  l.room = 0;
  if (!e) e = db_run(db, DB_STORED_MODEL_LIST, &which, 1, take_model, &l, info);
  struct node_model *models = l.models;
  for (size_t i = 0; i < out->n; i++) {
    out->v[i].models = models;
    models += out->v[i].model_count;
  }
  for (size_t i = 0; !e && key && i < out->n; i++) e = node_unseal(&out->arena, key, &out->v[i]);
  if (e) node_list_clear(out);
  return e;
}

const struct node *nodes_find(const struct nodes *nodes, struct str code_or_id) {
  uint64_t id;
  bool is_id = str_to_u64(code_or_id, &id);
  for (size_t i = 0; i < nodes->n; i++)
    if (str_eq_nocase(nodes->v[i].p.id, code_or_id)) return &nodes->v[i];
  for (size_t i = 0; is_id && i < nodes->n; i++)
    if ((uint64_t)nodes->v[i].id == id) return &nodes->v[i];
  return NULL;
}
