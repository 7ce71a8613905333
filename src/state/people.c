/* People read from the store: see people.h. Lists come ordered by user, so that each is one run of a flat array. */
#include "state/people.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const role_names[USER_ROLE_COUNT] = {"user", "viewer", "operator", "admin"};

const char *user_role_name(enum user_role role) { return role < USER_ROLE_COUNT ? role_names[role] : role_names[0]; }

bool user_role_parse(struct str name, enum user_role *out) {
  for (int i = 0; i < USER_ROLE_COUNT; i++) {
    if (!str_eq(name, str_from_c(role_names[i]))) continue;
    *out = (enum user_role)i;
    return true;
  }
  return false;
}

static bool has_control(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return true;
  return false;
}

bool user_name_is_valid(struct str name) {
  return name.n > 0 && name.n <= USER_NAME_MAX && str_is_utf8(name) && !has_control(name) &&
         str_find_char(name, '/') == SIZE_MAX && str_trim(name).n == name.n;
}

bool user_pattern_is_valid(struct str pattern) {
  return pattern.n > 0 && pattern.n <= USER_PATTERN_MAX && str_is_utf8(pattern) && !has_control(pattern);
}

void people_init(struct people *p) {
  *p = (struct people){0};
  arena_init(&p->arena, 0);
}

void people_clear(struct people *p) {
  arena_clear(&p->arena);
  people_init(p);
}

const struct user *people_find(const struct people *p, struct str name) {
  for (size_t i = 0; i < p->user_count; i++)
    if (str_eq(p->users[i].name, name)) return &p->users[i];
  return NULL;
}

const struct user *people_find_id(const struct people *p, int64_t id) {
  size_t from = 0, to = p->user_count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (p->users[middle].id == id) return &p->users[middle];
    if (p->users[middle].id < id)
      from = middle + 1;
    else
      to = middle;
  }
  return NULL;
}

/* ---- reading the store ---- */

struct loader {
  struct people *p;
  size_t user_room;
  size_t at;  /* the user whose rows come now */
  void *flat; /* the array in hand, of `size` bytes each */
  size_t count, room, size;
  size_t *counts; /* how many each user has of it */
};

static bool grow(struct loader *l) {
  if (l->count < l->room) return true;
  size_t room = l->room ? l->room * 2 : 64;
  void *moved = arena_realloc(&l->p->arena, l->flat, l->room * l->size, room * l->size);
  if (!moved) return false;
  l->flat = moved;
  l->room = room;
  return true;
}

static enum err take_user(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  (void)columns;
  if (!grow(l)) return err_set(info, ERR_NO_MEMORY, "out of memory");
  struct user u = {.id = row[0].i,
                   .name = arena_dup(&l->p->arena, row[1].s),
                   .is_active = row[3].i != 0,
                   .has_all_models = row[4].i != 0,
                   .created_us = row[5].i,
                   .updated_us = row[6].i,
                   .sessions_from_us = row[7].i,
                   .has_password = row[8].i != 0};
  if (!u.name.p) return err_set(info, ERR_NO_MEMORY, "out of memory");
  /* A role of a newer program is no reason to give more than the least. */
  if (!user_role_parse(row[2].s, &u.role)) u.role = USER_ROLE_USER;
  ((struct user *)l->flat)[l->count++] = u;
  return OK;
}

/* Makes room for one more of that user's; false: there is no such user, or (then *e) no memory. */
static bool place(struct loader *l, int64_t user_id, enum err *e) {
  while (l->at < l->p->user_count && l->p->users[l->at].id < user_id) l->at++;
  if (l->at == l->p->user_count || l->p->users[l->at].id != user_id) return false;
  if (!grow(l)) *e = ERR_NO_MEMORY;
  if (*e) return false;
  l->counts[l->at]++;
  return true;
}

static enum err take_token(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  enum err e = OK;
  (void)columns;
  if (row[2].s.n != CRYPTO_HASH_BYTES) return err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  if (!place(l, row[0].i, &e)) return e;
  struct user_token *t = &((struct user_token *)l->flat)[l->count++];
  *t = (struct user_token){.name = arena_dup(&l->p->arena, row[1].s), .created_us = row[3].i, .expires_us = row[4].i};
  memcpy(t->hash.bytes, row[2].s.p, CRYPTO_HASH_BYTES);
  return t->name.p ? OK : ERR_NO_MEMORY;
}

static enum err take_name(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  enum err e = OK;
  (void)columns, (void)info;
  if (!place(l, row[0].i, &e)) return e;
  struct str *s = &((struct str *)l->flat)[l->count++];
  *s = arena_dup(&l->p->arena, row[1].s);
  return s->p ? OK : ERR_NO_MEMORY;
}

static enum err take_node_model(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  enum err e = OK;
  (void)columns, (void)info;
  if (!place(l, row[0].i, &e)) return e;
  struct user_node_model *m = &((struct user_node_model *)l->flat)[l->count++];
  m->node = arena_dup(&l->p->arena, row[1].s);
  m->pattern = arena_dup(&l->p->arena, row[2].s);
  return m->node.p && m->pattern.p ? OK : ERR_NO_MEMORY;
}

/* One list of all users: a flat array, of which each user gets its run. */
static enum err load_list(struct db *db, const struct db_value *id, struct people *p, enum db_query query,
                          db_row_fn *take, size_t size, void (*give)(struct user *u, void *run, size_t n),
                          struct err_info *info) {
  struct loader l = {.p = p, .size = size, .counts = ARENA_NEW_ARRAY(&p->arena, size_t, p->user_count + 1)};
  enum err e = l.counts ? db_run(db, query, id, 1, take, &l, info) : ERR_NO_MEMORY;
  char *run = l.flat;
  for (size_t i = 0; !e && i < p->user_count; i++) {
    give(&p->users[i], run, l.counts[i]);
    run += l.counts[i] * size;
  }
  return e;
}

static void give_tokens(struct user *u, void *run, size_t n) { u->tokens = run, u->token_count = n; }
static void give_models(struct user *u, void *run, size_t n) { u->models = run, u->model_count = n; }
static void give_nodes(struct user *u, void *run, size_t n) { u->nodes = run, u->node_count = n; }
static void give_node_models(struct user *u, void *run, size_t n) { u->node_models = run, u->node_model_count = n; }

enum err people_load(struct db *db, int64_t user_id, struct people *out, struct err_info *info) {
  struct loader l = {.p = out, .size = sizeof(struct user)};
  const struct db_value id = db_int(user_id);
  people_init(out);
  enum err e = db_run(db, DB_USER_LIST, &id, 1, take_user, &l, info);
  out->users = l.flat;
  out->user_count = e ? 0 : l.count;
  if (!e) e = load_list(db, &id, out, DB_TOKEN_LIST, take_token, sizeof(struct user_token), give_tokens, info);
  if (!e) e = load_list(db, &id, out, DB_MODEL_LIST, take_name, sizeof(struct str), give_models, info);
  if (!e) e = load_list(db, &id, out, DB_NODE_LIST, take_name, sizeof(struct str), give_nodes, info);
  if (!e)
    e = load_list(db, &id, out, DB_NODE_MODEL_LIST, take_node_model, sizeof(struct user_node_model), give_node_models,
                  info);
  if (e) people_clear(out);
  return e;
}
