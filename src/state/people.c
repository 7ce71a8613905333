/* People read from the store: see people.h. Lists come ordered by user, so that each is one run of a flat array. */
#include "state/people.h"

#include <stdatomic.h>
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
  if (str_eq(name, STR(".")) || str_eq(name, STR(".."))) return false; /* clients take these out of a path */
  return name.n > 0 && name.n <= USER_NAME_MAX && str_is_utf8(name) && !has_control(name) &&
         str_find_char(name, '/') == SIZE_MAX && str_trim(name).n == name.n;
}

bool user_pattern_is_valid(struct str pattern) {
  return pattern.n > 0 && pattern.n <= USER_PATTERN_MAX && str_is_utf8(pattern) && !has_control(pattern);
}

/* ---- accounts ---- */

struct str people_account(enum limits_scope scope, int64_t id, int64_t life, struct str model,
                          char out[PEOPLE_ACCOUNT_BYTES]) {
  static const char *const kinds[] = {
      [LIMITS_USER] = "user", [LIMITS_TEAM] = "team", [LIMITS_TOKEN] = "token", [LIMITS_MODEL] = "model"};
  char hex[2 * CRYPTO_HASH_BYTES + 1] = "";
  struct crypto_hash hash;
  int n;
  if (scope == LIMITS_MODEL && model.n + sizeof "model:" > LEDGER_NAME_MAX) {
    if (crypto_sha256(model, &hash)) return STR_NONE;
    crypto_hex(hash.bytes, 16, hex);
    n = snprintf(out, PEOPLE_ACCOUNT_BYTES, "model#%.32s", hex);
  } else if (scope == LIMITS_MODEL) {
    n = snprintf(out, PEOPLE_ACCOUNT_BYTES, "model:%.*s", STR_ARG(model));
  } else if (life > 1) {
    n = snprintf(out, PEOPLE_ACCOUNT_BYTES, "%s:%lld.%lld", kinds[scope], (long long)id, (long long)life);
  } else {
    n = snprintf(out, PEOPLE_ACCOUNT_BYTES, "%s:%lld", kinds[scope], (long long)id);
  }
  return str_from(out, (size_t)n);
}

/* ---- memory ---- */

enum { SHARED_MAX = 256 /* generations of text that a value may keep alive */ };

struct people_memory {
  _Atomic unsigned refs;
  unsigned depth;
  struct people_memory *older;
  struct arena arena;
};

static void memory_unref(struct people_memory *m) {
  while (m && atomic_fetch_sub(&m->refs, 1) == 1) {
    struct people_memory *older = m->older;
    arena_clear(&m->arena);
    free(m);
    m = older;
  }
}

void people_init(struct people *p) { *p = (struct people){0}; }

void people_clear(struct people *p) {
  memory_unref(p->memory);
  free(p->users);
  people_init(p);
}

struct arena *people_arena(struct people *p) {
  if (p->memory) return &p->memory->arena;
  p->memory = calloc(1, sizeof *p->memory);
  if (!p->memory) return NULL;
  atomic_store(&p->memory->refs, 1);
  arena_init(&p->memory->arena, 0);
  return &p->memory->arena;
}

bool people_make_users(struct people *p, size_t n) {
  p->users = calloc(n + 1, sizeof *p->users);
  return p->users != NULL;
}

enum err people_patch(const struct people *old, int64_t user_id, struct people *one, struct people *out) {
  struct people made = *one; /* its memory, teams and models */
  enum err e = OK;
  size_t at = 0;
  if (old->memory && old->memory->depth >= SHARED_MAX)
    e = ERR_BUSY;
  else if (!people_arena(&made) || !(made.users = malloc((old->user_count + 2) * sizeof *made.users)))
    e = ERR_NO_MEMORY;
  if (e) {
    people_clear(one);
    return e;
  }
  while (at < old->user_count && old->users[at].id < user_id) at++;
  size_t behind = at < old->user_count && old->users[at].id == user_id ? at + 1 : at;
  if (at) memcpy(made.users, old->users, at * sizeof *made.users);
  made.user_count = at;
  if (one->user_count) made.users[made.user_count++] = one->users[0];
  if (behind < old->user_count)
    memcpy(made.users + made.user_count, old->users + behind, (old->user_count - behind) * sizeof *made.users);
  made.user_count += old->user_count - behind;
  if (old->memory) {
    atomic_fetch_add(&old->memory->refs, 1);
    made.memory->older = old->memory;
    made.memory->depth = old->memory->depth + 1;
  }
  free(one->users);
  people_init(one);
  *out = made;
  return OK;
}

/* ---- looking ---- */

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

const struct team *people_find_team(const struct people *p, struct str name) {
  for (size_t i = 0; i < p->team_count; i++)
    if (str_eq(p->teams[i].name, name)) return &p->teams[i];
  return NULL;
}

const struct model_limits *people_find_model(const struct people *p, struct str model) {
  for (size_t i = 0; i < p->model_count; i++)
    if (str_eq(p->models[i].model, model)) return &p->models[i];
  return NULL;
}

/* ---- reading the store ---- */

/* Rows of a query become elements of a flat array. Those of a list come ordered by owner (a user, a team), so that
 * each owner's are one run of it. */
struct loader {
  struct arena *arena; /* of what elements point to */
  struct arena *rows;  /* of the array */
  void *flat;          /* `size` bytes each */
  size_t count, room, size;
  const char *owners; /* owner_count of owner_size bytes each, which begin with an id; NULL: what is read is no list */
  size_t owner_count, owner_size;
  size_t at;      /* the owner whose rows come now */
  size_t *counts; /* how many each owner has */
};

static enum err no_memory(struct err_info *info) { return err_set(info, ERR_NO_MEMORY, "out of memory"); }

/* Room for one more; NULL: no memory. */
static void *next(struct loader *l) {
  if (l->count == l->room) {
    size_t room = l->room ? l->room * 2 : 64;
    void *moved = arena_realloc(l->rows, l->flat, l->room * l->size, room * l->size);
    if (!moved) return NULL;
    l->flat = moved;
    l->room = room;
  }
  return (char *)l->flat + l->size * l->count++;
}

static int64_t owner_id(const struct loader *l, size_t i) {
  int64_t id;
  memcpy(&id, l->owners + i * l->owner_size, sizeof id);
  return id;
}

/* The same for an element of that owner; false: there is no such owner. */
static bool next_of(struct loader *l, int64_t id, void **out) {
  while (l->at < l->owner_count && owner_id(l, l->at) < id) l->at++;
  if (l->at == l->owner_count || owner_id(l, l->at) != id) return false;
  *out = next(l);
  if (*out) l->counts[l->at]++;
  return true;
}

static enum err take_user(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  struct user *u = next(l);
  (void)columns;
  if (!u) return no_memory(info);
  *u = (struct user){.id = row[0].i,
                     .name = arena_dup(l->arena, row[1].s),
                     .is_active = row[3].i != 0,
                     .has_all_models = row[4].i != 0,
                     .created_us = row[5].i,
                     .updated_us = row[6].i,
                     .life = row[7].i,
                     .team_id = row[8].i,
                     .team = row[9].s.n ? arena_dup(l->arena, row[9].s) : STR_NONE,
                     .sessions_from_us = row[10].i,
                     .has_password = row[11].i != 0,
                     .can_manage_ollama = row[12].i != 0,
                     .limits = limits_of_row(row + 13)};
  if (!u->name.p || (row[9].s.n && !u->team.p)) return no_memory(info);
  /* A role of a newer program is no reason to give more than the least. */
  if (!user_role_parse(row[2].s, &u->role)) u->role = USER_ROLE_USER;
  return OK;
}

static enum err take_team(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  struct team *t = next(l);
  (void)columns;
  if (!t) return no_memory(info);
  *t = (struct team){.id = row[0].i,
                     .name = arena_dup(l->arena, row[1].s),
                     .created_us = row[2].i,
                     .updated_us = row[3].i,
                     .limits = limits_of_row(row + 4)};
  return t->name.p ? OK : no_memory(info);
}

static enum err take_model(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  struct model_limits *m = next(l);
  (void)columns;
  if (!m) return no_memory(info);
  *m = (struct model_limits){arena_dup(l->arena, row[0].s), limits_of_row(row + 1)};
  return m->model.p ? OK : no_memory(info);
}

static enum err take_token(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  void *room = NULL;
  (void)columns;
  if (row[2].s.n != CRYPTO_HASH_BYTES) return err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  if (!next_of(l, row[0].i, &room)) return OK;
  if (!room) return no_memory(info);
  struct user_token *t = room;
  *t = (struct user_token){.id = row[5].i,
                           .name = arena_dup(l->arena, row[1].s),
                           .created_us = row[3].i,
                           .expires_us = row[4].i,
                           .limits = limits_of_row(row + 6)};
  memcpy(t->hash.bytes, row[2].s.p, CRYPTO_HASH_BYTES);
  return t->name.p ? OK : no_memory(info);
}

static enum err take_name(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  void *room = NULL;
  (void)columns;
  if (!next_of(l, row[0].i, &room)) return OK;
  if (!room) return no_memory(info);
  struct str *s = room;
  *s = arena_dup(l->arena, row[1].s);
  return s->p ? OK : no_memory(info);
}

static enum err take_node_model(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct loader *l = arg;
  void *room = NULL;
  (void)columns;
  if (!next_of(l, row[0].i, &room)) return OK;
  if (!room) return no_memory(info);
  struct user_node_model *m = room;
  *m = (struct user_node_model){arena_dup(l->arena, row[1].s), arena_dup(l->arena, row[2].s)};
  return m->node.p && m->pattern.p ? OK : no_memory(info);
}

static void give_tokens(void *u, void *run, size_t n) {
  ((struct user *)u)->tokens = run, ((struct user *)u)->token_count = n;
}
static void give_models(void *u, void *run, size_t n) {
  ((struct user *)u)->models = run, ((struct user *)u)->model_count = n;
}
static void give_nodes(void *u, void *run, size_t n) {
  ((struct user *)u)->nodes = run, ((struct user *)u)->node_count = n;
}
static void give_node_models(void *u, void *run, size_t n) {
  ((struct user *)u)->node_models = run, ((struct user *)u)->node_model_count = n;
}
static void give_team_models(void *t, void *run, size_t n) {
  ((struct team *)t)->models = run, ((struct team *)t)->model_count = n;
}
static void give_team_nodes(void *t, void *run, size_t n) {
  ((struct team *)t)->nodes = run, ((struct team *)t)->node_count = n;
}

static const struct list {
  enum db_query query;
  bool is_of_team;
  size_t size;
  db_row_fn *take;
  void (*give)(void *owner, void *run, size_t n);
} lists[] = {
    {DB_TOKEN_LIST, false, sizeof(struct user_token), take_token, give_tokens},
    {DB_MODEL_LIST, false, sizeof(struct str), take_name, give_models},
    {DB_NODE_LIST, false, sizeof(struct str), take_name, give_nodes},
    {DB_NODE_MODEL_LIST, false, sizeof(struct user_node_model), take_node_model, give_node_models},
    {DB_TEAM_MODEL_LIST, true, sizeof(struct str), take_name, give_team_models},
    {DB_TEAM_NODE_LIST, true, sizeof(struct str), take_name, give_team_nodes},
};

static enum err load_list(struct db *db, const struct db_value ids[2], struct people *p, const struct list *list,
                          struct err_info *info) {
  char *owners = list->is_of_team ? (char *)p->teams : (char *)p->users;
  struct loader l = {.arena = people_arena(p),
                     .rows = people_arena(p),
                     .size = list->size,
                     .owners = owners,
                     .owner_count = list->is_of_team ? p->team_count : p->user_count,
                     .owner_size = list->is_of_team ? sizeof(struct team) : sizeof(struct user)};
  if (l.owner_count == 0) return OK;
  l.counts = ARENA_NEW_ARRAY(l.arena, size_t, l.owner_count);
  enum err e = l.counts ? db_run(db, list->query, ids, list->is_of_team ? 0 : 2, list->take, &l, info) : ERR_NO_MEMORY;
  char *run = l.flat;
  for (size_t i = 0; !e && i < l.owner_count; i++) {
    list->give(owners + i * l.owner_size, run, l.counts[i]);
    if (l.counts[i]) run += l.counts[i] * list->size;
  }
  return e;
}

/* Users stand in memory of their own, which is not shared: people_patch copies them. */
static enum err load_users(struct db *db, const struct db_value ids[2], struct people *p, struct err_info *info) {
  struct arena work;
  struct loader l = {.arena = people_arena(p), .rows = &work, .size = sizeof(struct user)};
  arena_init(&work, 0);
  enum err e = db_run(db, DB_USER_LIST, ids, 2, take_user, &l, info);
  if (!e && !people_make_users(p, l.count)) e = ERR_NO_MEMORY;
  if (!e && l.count) memcpy(p->users, l.flat, l.count * sizeof *p->users);
  if (!e) p->user_count = l.count;
  arena_clear(&work);
  return e;
}

static enum err load_all(struct db *db, const struct db_value ids[2], struct people *p, struct err_info *info) {
  struct arena *a = people_arena(p);
  struct loader teams = {.arena = a, .rows = a, .size = sizeof(struct team)};
  struct loader models = {.arena = a, .rows = a, .size = sizeof(struct model_limits)};
  if (!a) return ERR_NO_MEMORY;
  enum err e = load_users(db, ids, p, info);
  if (!e) e = db_run(db, DB_TEAM_LIST, NULL, 0, take_team, &teams, info);
  if (!e) e = db_run(db, DB_LIMITS_OF_MODELS, NULL, 0, take_model, &models, info);
  if (e) return e;
  p->teams = teams.flat;
  p->team_count = teams.count;
  p->models = models.flat;
  p->model_count = models.count;
  for (size_t i = 0; !e && i < sizeof lists / sizeof *lists; i++) e = load_list(db, ids, p, &lists[i], info);
  return e;
}

enum err people_load(struct db *db, int64_t user_id, struct people *out, struct err_info *info) {
  const struct db_value ids[] = {db_int(user_id), db_int(user_id ? user_id : INT64_MAX)};
  people_init(out);
  enum err e = load_all(db, ids, out, info);
  if (e) people_clear(out);
  return e;
}
