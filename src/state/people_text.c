/* The text form of people: see people.h. Read as strictly as anything that comes from outside: an operator may have
 * edited it, a disk may have cut it. */
#include <stdlib.h>

#include "base/json.h"
#include "base/json_out.h"
#include "base/map.h"
#include "state/people.h"
#include "state/text_lines.h"

#define KIND "maestro-people"
enum { TEXT_VERSION = 2, OLDEST_VERSION = 1 /* without teams and limits */ };

/* ---- writing ---- */

static void put_hash(struct buf *b, const struct crypto_hash *hash) {
  char hex[2 * CRYPTO_HASH_BYTES];
  crypto_hex(hash->bytes, CRYPTO_HASH_BYTES, hex);
  json_out_member_string(b, "sha256", str_from(hex, sizeof hex));
}

static void put_limits(struct buf *b, const struct limits *l) {
  if (limits_is_none(l)) return;
  json_out_key(b, "limits");
  limits_put(l, b);
}

static void put_tokens(struct buf *b, const struct user *u) {
  json_out_key(b, "tokens");
  json_out_begin(b, '[');
  for (size_t i = 0; i < u->token_count; i++) {
    const struct user_token *t = &u->tokens[i];
    json_out_begin(b, '{');
    if (t->id) json_out_member_i64(b, "id", t->id);
    json_out_member_string(b, "name", t->name);
    put_hash(b, &t->hash);
    json_out_member_i64(b, "created_us", t->created_us);
    if (t->expires_us) json_out_member_i64(b, "expires_us", t->expires_us);
    put_limits(b, &t->limits);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

static void put_user(struct buf *b, const struct user *u) {
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", u->id);
  if (u->life > 1) json_out_member_i64(b, "life", u->life);
  json_out_member_string(b, "name", u->name);
  json_out_member_string_if(b, "team", u->team);
  json_out_member_string(b, "role", str_from_c(user_role_name(u->role)));
  json_out_member_bool(b, "is_active", u->is_active);
  json_out_member_bool(b, "has_all_models", u->has_all_models);
  if (u->can_manage_ollama) json_out_member_bool(b, "can_manage_ollama", true);
  json_out_member_i64(b, "created_us", u->created_us);
  json_out_member_i64(b, "updated_us", u->updated_us);
  if (u->sessions_from_us) json_out_member_i64(b, "sessions_from_us", u->sessions_from_us);
  put_tokens(b, u);
  json_out_member_strings(b, "models", u->models, u->model_count);
  json_out_member_strings(b, "nodes", u->nodes, u->node_count);
  json_out_key(b, "node_models");
  json_out_begin(b, '[');
  for (size_t i = 0; i < u->node_model_count; i++) {
    json_out_begin(b, '{');
    json_out_member_string(b, "node", u->node_models[i].node);
    json_out_member_string(b, "model", u->node_models[i].pattern);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  put_limits(b, &u->limits);
  json_out_end(b, '}');
}

static void put_team(struct buf *b, const struct team *t) {
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", t->id);
  json_out_member_string(b, "name", t->name);
  json_out_member_i64(b, "created_us", t->created_us);
  json_out_member_i64(b, "updated_us", t->updated_us);
  json_out_member_strings(b, "models", t->models, t->model_count);
  json_out_member_strings(b, "nodes", t->nodes, t->node_count);
  put_limits(b, &t->limits);
  json_out_end(b, '}');
}

static void put_model(struct buf *b, const struct model_limits *m) {
  json_out_begin(b, '{');
  json_out_member_string(b, "model", m->model);
  put_limits(b, &m->limits);
  json_out_end(b, '}');
}

void people_write(const struct people *p, struct buf *out) {
  struct buf line;
  buf_init(&line, 0);
  json_out_begin(&line, '{');
  json_out_member_string(&line, "kind", STR(KIND));
  json_out_member_i64(&line, "version", TEXT_VERSION);
  json_out_member_i64(&line, "teams", (int64_t)p->team_count);
  json_out_member_i64(&line, "models", (int64_t)p->model_count);
  json_out_member_i64(&line, "users", (int64_t)p->user_count);
  json_out_end(&line, '}');
  text_lines_put(out, &line);
  for (size_t i = 0; i < p->team_count; i++) {
    put_team(&line, &p->teams[i]);
    text_lines_put(out, &line);
  }
  for (size_t i = 0; i < p->model_count; i++) {
    put_model(&line, &p->models[i]);
    text_lines_put(out, &line);
  }
  for (size_t i = 0; i < p->user_count; i++) {
    put_user(&line, &p->users[i]);
    text_lines_put(out, &line);
  }
  buf_clear(&line);
}

/* ---- reading ---- */

struct reader {
  struct people *p;
  struct arena *arena;                        /* p's */
  struct map names, hashes, teams, models;    /* what has come already; teams: the struct team */
  size_t user_lines, team_lines, model_lines; /* that the first line tells of */
  size_t most; /* lines that there can be: none behind the first is shorter than 32 bytes */
};

static enum err bad(const struct json_node *n, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" %s", path, why);
}

static bool read_hex(struct str hex, struct crypto_hash *out) {
  if (hex.n != 2 * CRYPTO_HASH_BYTES) return false;
  for (size_t i = 0; i < hex.n; i++) {
    char c = hex.p[i];
    int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (v < 0) return false;
    out->bytes[i / 2] = (uint8_t)(i % 2 ? out->bytes[i / 2] | v : v << 4);
  }
  return true;
}

static enum err keep(struct reader *r, struct str s, struct str *out) {
  *out = arena_dup(r->arena, s);
  return out->p ? OK : ERR_NO_MEMORY;
}

/* Remembers a value that may come once. */
static enum err once(struct map *seen, struct str value, void *what, const struct json_node *n, struct err_info *info) {
  if (map_get(seen, value)) return bad(n, "comes twice", info);
  return map_put(seen, value, what) ? OK : ERR_NO_MEMORY;
}

static enum err read_limits(const struct json_node *owner, struct limits *out, struct err_info *info) {
  struct json_node n;
  *out = limits_none;
  enum err e = json_get_object(owner, STR("limits"), &n, info);
  return e || !n.val ? e : limits_read(&n, out, info);
}

static enum err read_token(struct reader *r, const struct json_node *n, struct user_token *t, struct err_info *info) {
  struct json_node name = json_member(n, STR("name")), hash = json_member(n, STR("sha256")),
                   created = json_member(n, STR("created_us"));
  struct str text, hex;
  enum err e = json_string(&name, &text, info);
  if (!e && !user_name_is_valid(text)) e = bad(&name, "is no name of a token", info);
  if (!e) e = keep(r, text, &t->name);
  if (!e) e = json_string(&hash, &hex, info);
  if (!e && !read_hex(hex, &t->hash)) e = bad(&hash, "is no SHA-256 in hexadecimal digits", info);
  if (!e) e = json_i64(&created, &t->created_us, info);
  if (!e) e = json_get_i64(n, STR("expires_us"), &t->expires_us, info);
  if (!e) e = json_get_i64(n, STR("id"), &t->id, info);
  if (!e) e = read_limits(n, &t->limits, info);
  return e ? e : once(&r->hashes, str_from((const char *)t->hash.bytes, CRYPTO_HASH_BYTES), t, &hash, info);
}

static enum err read_tokens(struct reader *r, const struct json_node *user, struct user *u, struct err_info *info) {
  struct json_node list = {0}, node;
  enum err e = json_get_array(user, STR("tokens"), &list, info);
  size_t n = json_count(&list);
  if (!e && n > USER_TOKENS_MAX) e = bad(&list, "has too many", info);
  if (e) return e;
  u->tokens = ARENA_NEW_ARRAY(r->arena, struct user_token, n + 1);
  if (!u->tokens) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&list); !e && json_next(&it, &node);)
    e = read_token(r, &node, &u->tokens[u->token_count++], info);
  return e;
}

static enum err read_names(struct reader *r, const struct json_node *user, struct str key, size_t max, struct str **out,
                           size_t *count, struct err_info *info) {
  struct json_node list = {0}, node;
  enum err e = json_get_array(user, key, &list, info);
  size_t n = json_count(&list);
  if (!e && n > max) e = bad(&list, "has too many", info);
  if (e) return e;
  *out = ARENA_NEW_ARRAY(r->arena, struct str, n + 1);
  if (!*out) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&list); !e && json_next(&it, &node);) {
    struct str s;
    e = json_string(&node, &s, info);
    if (!e && !user_pattern_is_valid(s)) e = bad(&node, "is no name or pattern", info);
    if (!e) e = keep(r, s, &(*out)[(*count)++]);
  }
  return e;
}

static enum err read_node_models(struct reader *r, const struct json_node *user, struct user *u,
                                 struct err_info *info) {
  struct json_node list = {0}, node;
  enum err e = json_get_array(user, STR("node_models"), &list, info);
  size_t n = json_count(&list);
  if (!e && n > USER_NODE_MODELS_MAX) e = bad(&list, "has too many", info);
  if (e) return e;
  u->node_models = ARENA_NEW_ARRAY(r->arena, struct user_node_model, n + 1);
  if (!u->node_models) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&list); !e && json_next(&it, &node);) {
    struct json_node at = json_member(&node, STR("node")), model = json_member(&node, STR("model"));
    struct user_node_model *m = &u->node_models[u->node_model_count++];
    struct str s;
    e = json_string(&at, &s, info);
    if (!e && !user_pattern_is_valid(s)) e = bad(&at, "is no name or pattern", info);
    if (!e) e = keep(r, s, &m->node);
    if (!e) e = json_string(&model, &s, info);
    if (!e && !user_pattern_is_valid(s)) e = bad(&model, "is no name or pattern", info);
    if (!e) e = keep(r, s, &m->pattern);
  }
  return e;
}

static enum err read_team_of(const struct reader *r, const struct json_node *n, struct user *u, struct err_info *info) {
  struct json_node at = json_member(n, STR("team"));
  struct str name = STR_NONE;
  enum err e = json_get_string(n, STR("team"), &name, info);
  const struct team *t = name.n ? map_get(&r->teams, name) : NULL;
  if (!e && name.n && !t) e = bad(&at, "is no team of this file", info);
  if (e || !t) return e;
  u->team_id = t->id;
  u->team = t->name;
  return OK;
}

static enum err read_user(struct reader *r, const struct json_node *n, struct user *u, struct err_info *info) {
  struct json_node id = json_member(n, STR("id")), name = json_member(n, STR("name")),
                   role = json_member(n, STR("role")), active = json_member(n, STR("is_active"));
  struct str text;
  *u = (struct user){.life = 1};
  enum err e = json_i64(&id, &u->id, info);
  if (!e && (u->id <= 0 || (r->p->user_count && r->p->users[r->p->user_count - 1].id >= u->id)))
    e = bad(&id, "must rise from line to line", info);
  if (!e) e = json_string(&name, &text, info);
  if (!e && !user_name_is_valid(text)) e = bad(&name, "is no name of a user", info);
  if (!e) e = keep(r, text, &u->name);
  if (!e) e = once(&r->names, u->name, u, &name, info);
  if (!e) e = json_get_i64(n, STR("life"), &u->life, info);
  if (!e) e = read_team_of(r, n, u, info);
  if (!e) e = read_limits(n, &u->limits, info);
  if (!e) e = json_string(&role, &text, info);
  if (!e && !user_role_parse(text, &u->role)) e = bad(&role, "is no role", info);
  if (!e) e = json_bool(&active, &u->is_active, info);
  if (!e) e = json_get_bool(n, STR("has_all_models"), &u->has_all_models, info);
  if (!e) e = json_get_bool(n, STR("can_manage_ollama"), &u->can_manage_ollama, info);
  if (!e) e = json_get_i64(n, STR("created_us"), &u->created_us, info);
  if (!e) e = json_get_i64(n, STR("updated_us"), &u->updated_us, info);
  if (!e) e = json_get_i64(n, STR("sessions_from_us"), &u->sessions_from_us, info);
  if (!e) e = read_tokens(r, n, u, info);
  if (!e) e = read_names(r, n, STR("models"), USER_MODELS_MAX, &u->models, &u->model_count, info);
  if (!e) e = read_names(r, n, STR("nodes"), USER_NODES_MAX, &u->nodes, &u->node_count, info);
  return e ? e : read_node_models(r, n, u, info);
}

static enum err read_team(struct reader *r, const struct json_node *n, struct team *t, struct err_info *info) {
  struct json_node id = json_member(n, STR("id")), name = json_member(n, STR("name"));
  struct str text;
  *t = (struct team){0};
  enum err e = json_i64(&id, &t->id, info);
  if (!e && (t->id <= 0 || (r->p->team_count && r->p->teams[r->p->team_count - 1].id >= t->id)))
    e = bad(&id, "must rise from line to line", info);
  if (!e) e = json_string(&name, &text, info);
  if (!e && !user_name_is_valid(text)) e = bad(&name, "is no name of a team", info);
  if (!e) e = keep(r, text, &t->name);
  if (!e) e = once(&r->teams, t->name, t, &name, info);
  if (!e) e = json_get_i64(n, STR("created_us"), &t->created_us, info);
  if (!e) e = json_get_i64(n, STR("updated_us"), &t->updated_us, info);
  if (!e) e = read_names(r, n, STR("models"), USER_MODELS_MAX, &t->models, &t->model_count, info);
  if (!e) e = read_names(r, n, STR("nodes"), USER_NODES_MAX, &t->nodes, &t->node_count, info);
  return e ? e : read_limits(n, &t->limits, info);
}

static enum err read_model(struct reader *r, const struct json_node *n, struct model_limits *m, struct err_info *info) {
  struct json_node name = json_member(n, STR("model"));
  struct str text;
  *m = (struct model_limits){0};
  enum err e = json_string(&name, &text, info);
  if (!e && !user_pattern_is_valid(text)) e = bad(&name, "is no name of a model", info);
  if (!e) e = keep(r, text, &m->model);
  if (!e) e = once(&r->models, m->model, m, &name, info);
  return e ? e : read_limits(n, &m->limits, info);
}

static enum err read_count(const struct json_node *n, struct str key, size_t most, size_t *out, struct err_info *info) {
  struct json_node node = json_member(n, key);
  uint64_t count = 0;
  enum err e = json_get_u64(n, key, &count, info);
  if (!e && count > most) e = bad(&node, "is more than there are lines", info);
  if (!e) *out = (size_t)count;
  return e;
}

/* `most`: as many lines as there can be. */
static enum err read_head(struct reader *r, const struct json_node *n, size_t most, struct err_info *info) {
  struct json_node users = json_member(n, STR("users"));
  enum err e = text_lines_head(n, KIND, OLDEST_VERSION, TEXT_VERSION, info);
  if (!e) e = json_expect(&users, JSON_NUMBER, info);
  if (!e) e = read_count(n, STR("users"), most, &r->user_lines, info);
  if (!e) e = read_count(n, STR("teams"), most, &r->team_lines, info);
  if (!e) e = read_count(n, STR("models"), most, &r->model_lines, info);
  if (e) return e;
  r->p->teams = ARENA_NEW_ARRAY(r->arena, struct team, r->team_lines + 1);
  r->p->models = ARENA_NEW_ARRAY(r->arena, struct model_limits, r->model_lines + 1);
  return r->p->teams && r->p->models && people_make_users(r->p, r->user_lines) ? OK : ERR_NO_MEMORY;
}

/* A line behind the first: teams, then models, then users, as many as the first one says. */
static enum err read_line(struct reader *r, const struct json_node *n, struct err_info *info) {
  struct people *p = r->p;
  enum err e;
  if (p->team_count < r->team_lines) {
    if (!(e = read_team(r, n, &p->teams[p->team_count], info))) p->team_count++;
  } else if (p->model_count < r->model_lines) {
    if (!(e = read_model(r, n, &p->models[p->model_count], info))) p->model_count++;
  } else if (p->user_count < r->user_lines) {
    if (!(e = read_user(r, n, &p->users[p->user_count], info))) p->user_count++;
  } else {
    e = err_set(info, ERR_BAD_VALUE, "more users than the first line says");
  }
  return e;
}

static enum err take_line(void *arg, unsigned number, const struct json_node *line, struct err_info *info) {
  struct reader *r = arg;
  return number == 1 ? read_head(r, line, r->most, info) : read_line(r, line, info);
}

static enum err take_end(void *arg, unsigned lines, struct err_info *info) {
  const struct reader *r = arg;
  const struct people *p = r->p;
  if (lines && p->user_count == r->user_lines && p->team_count == r->team_lines && p->model_count == r->model_lines)
    return OK;
  return err_set(info, ERR_BAD_VALUE, "it was cut: fewer lines than its first one says");
}

enum err people_read(struct str text, struct people *out, struct err_info *info) {
  people_init(out);
  struct reader r = {.p = out, .arena = people_arena(out), .most = text.n / 32};
  struct map *const maps[] = {&r.names, &r.hashes, &r.teams, &r.models};
  if (!r.arena) return ERR_NO_MEMORY;
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) map_init(maps[i], r.arena);
  enum err e = text_lines_read(text, &(struct text_lines_reader){take_line, take_end, &r}, info);
  if (e) people_clear(out);
  return e;
}
