/* Who there is, as a section: see principals.h. Hashes are as good as random, so their own bytes place them. */
#include "policy/principals.h"

#include <stdlib.h>

#include "base/clock.h"

static uint64_t first_bytes(const struct crypto_hash *hash) {
  uint64_t v;
  memcpy(&v, hash->bytes, sizeof v);
  return v;
}

static uint32_t tag_of(const struct crypto_hash *hash) {
  uint32_t v;
  memcpy(&v, hash->bytes + sizeof(uint64_t), sizeof v);
  return v;
}

static const struct principal_token *look_up(const struct principals *p, const struct crypto_hash *hash) {
  if (!p->slot_count) return NULL;
  uint32_t tag = tag_of(hash);
  for (size_t mask = p->slot_count - 1, i = first_bytes(hash) & mask; p->slots[i].place; i = (i + 1) & mask) {
    if (p->slots[i].tag != tag) continue;
    const struct principal_token *t = &p->tokens[p->slots[i].place - 1];
    if (crypto_equal(&t->hash, hash, sizeof *hash)) return t;
  }
  return NULL;
}

bool principals_find(void *principals, enum auth_source source, const struct crypto_hash *hash,
                     struct auth_principal *out) {
  const struct principals *p = principals;
  const struct principal_token *t = source == AUTH_SOURCE_SESSION ? NULL : look_up(p, hash);
  if (!t || (t->expires_us && t->expires_us <= clock_wall_us())) return false;
  *out = (struct auth_principal){.kind = AUTH_USER,
                                 .index = (uint32_t)(t->user - p->people.users),
                                 .id = (uint64_t)t->user->id,
                                 .token = first_bytes(hash),
                                 .place = (uint32_t)(t - p->tokens),
                                 .role = t->user->role};
  return true;
}

bool principals_has_users(const struct principals *p) { return p->people.user_count > 0 || p->source == STORE_UNKNOWN; }

const struct user *principals_user(const struct principals *p, const struct auth_principal *principal) {
  bool is_known = principal->kind == AUTH_USER && principal->index < p->people.user_count;
  const struct user *u = is_known ? &p->people.users[principal->index] : NULL;
  return u && (uint64_t)u->id == principal->id ? u : NULL;
}

const struct team *principals_team(const struct principals *p, const struct user *u) {
  return p->users[u - p->people.users].team;
}

void principals_limits(const struct principals *p, const struct auth_principal *principal, struct limits_caller *out) {
  const struct user *u = principals_user(p, principal);
  if (!u) return;
  const struct principal_user *of = &p->users[u - p->people.users];
  const struct principal_token *t = principal->place < p->token_count ? &p->tokens[principal->place] : NULL;
  out->v[out->n++] = &of->limits;
  if (of->team_limits) out->v[out->n++] = of->team_limits;
  if (t && t->user == u && t->limits && first_bytes(&t->hash) == principal->token) out->v[out->n++] = t->limits;
}

bool principals_is_live(const struct principals *p, const struct auth_principal *principal) {
  if (principal->kind != AUTH_USER) return true;
  for (size_t mask = p->slot_count - 1, i = principal->token & mask; p->slot_count && p->slots[i].place;
       i = (i + 1) & mask) {
    const struct principal_token *t = &p->tokens[p->slots[i].place - 1];
    if ((uint64_t)t->user->id == principal->id && first_bytes(&t->hash) == principal->token) return true;
  }
  return false;
}

/* ---- building ---- */

/* `known`: its account, where somebody has looked it up before. */
static bool make_subject(enum limits_scope scope, int64_t id, int64_t life, struct str name,
                         const struct limits *limits, struct ledger_account *known, struct limits_subject *out) {
  static const enum limits_kind kinds[] = {[LIMITS_USER] = LIMITS_OF_USER,
                                           [LIMITS_TEAM] = LIMITS_OF_TEAM,
                                           [LIMITS_TOKEN] = LIMITS_OF_TOKEN,
                                           [LIMITS_MODEL] = LIMITS_OF_MODEL};
  char account[PEOPLE_ACCOUNT_BYTES];
  if (!known) known = ledger_account(people_account(scope, id, life, name, account));
  *out = (struct limits_subject){known, name, *limits, kinds[scope]};
  return known != NULL;
}

static const struct limits_subject *new_subject(struct principals *p, enum limits_scope scope, int64_t id,
                                                struct str name, const struct limits *limits) {
  struct limits_subject *s = ARENA_NEW(&p->arena, struct limits_subject);
  return s && make_subject(scope, id, 1, name, limits, NULL, s) ? s : NULL;
}

static size_t team_index(const struct people *people, int64_t id) {
  size_t from = 0, to = people->team_count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (people->teams[middle].id < id)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

/* The account of a user that has had it before; `*at` goes through the old ones as ids rise. */
static struct ledger_account *known_account(const struct principals *old, const struct user *u, size_t *at) {
  while (old && *at < old->people.user_count && old->people.users[*at].id < u->id) ++*at;
  bool is_there = old && *at < old->people.user_count && old->people.users[*at].id == u->id &&
                  old->people.users[*at].life == u->life;
  return is_there ? old->users[*at].limits.account : NULL;
}

static bool make_user(struct principals *p, const struct principals *old, const struct user *u, size_t *at,
                      struct principal_user *out) {
  struct ledger_account *known = known_account(old, u, at);
  if (!make_subject(LIMITS_USER, u->id, u->life, u->name, &u->limits, known, &out->limits)) return false;
  size_t team = u->team_id ? team_index(&p->people, u->team_id) : p->people.team_count;
  bool is_in_team = team < p->people.team_count && p->people.teams[team].id == u->team_id;
  out->team = is_in_team ? &p->people.teams[team] : NULL;
  out->team_limits = is_in_team ? &p->teams[team] : NULL;
  return true;
}

static enum err make_subjects(struct principals *p, const struct principals *old) {
  const struct people *people = &p->people;
  size_t at = 0;
  p->users = ARENA_NEW_ARRAY(&p->arena, struct principal_user, people->user_count + 1);
  p->teams = ARENA_NEW_ARRAY(&p->arena, struct limits_subject, people->team_count + 1);
  map_init(&p->models, &p->arena);
  bool ok = p->users && p->teams;
  for (size_t i = 0; ok && i < people->team_count; i++) {
    const struct team *t = &people->teams[i];
    ok = make_subject(LIMITS_TEAM, t->id, 1, t->name, &t->limits, NULL, &p->teams[i]);
  }
  for (size_t i = 0; ok && i < people->model_count; i++) {
    const struct model_limits *m = &people->models[i];
    const struct limits_subject *s = new_subject(p, LIMITS_MODEL, 0, m->model, &m->limits);
    ok = s && map_put(&p->models, m->model, (void *)(uintptr_t)s);
  }
  for (size_t i = 0; ok && i < people->user_count; i++) ok = make_user(p, old, &people->users[i], &at, &p->users[i]);
  return ok ? OK : ERR_NO_MEMORY;
}

static bool place_token(struct principals *p, const struct user *u, const struct user_token *t, size_t room) {
  size_t at = first_bytes(&t->hash) & (room - 1);
  const struct limits_subject *limits = NULL;
  while (p->slots[at].place) at = (at + 1) & (room - 1);
  if (!limits_is_none(&t->limits) && !(limits = new_subject(p, LIMITS_TOKEN, t->id, t->name, &t->limits))) return false;
  p->tokens[p->token_count++] = (struct principal_token){t->hash, u, t->expires_us, limits};
  p->slots[at] = (struct principal_slot){tag_of(&t->hash), (uint32_t)p->token_count};
  return true;
}

static enum err index_tokens(struct principals *p) {
  size_t n = 0, room = 16;
  for (size_t i = 0; i < p->people.user_count; i++)
    if (p->people.users[i].is_active) n += p->people.users[i].token_count;
  while (room < 2 * n) room *= 2;
  p->tokens = ARENA_NEW_ARRAY(&p->arena, struct principal_token, n + 1);
  p->slots = ARENA_NEW_ARRAY(&p->arena, struct principal_slot, room);
  if (!p->tokens || !p->slots) return ERR_NO_MEMORY;
  p->slot_count = room;
  for (size_t i = 0; i < p->people.user_count; i++) {
    const struct user *u = &p->people.users[i];
    for (size_t k = 0; u->is_active && k < u->token_count; k++)
      if (!place_token(p, u, &u->tokens[k], room)) return ERR_NO_MEMORY;
  }
  return OK;
}

enum err principals_new(struct people *people, enum store_source source, const struct principals *old,
                        struct principals **out) {
  struct principals *p = calloc(1, sizeof *p);
  if (!p) {
    people_clear(people);
    return ERR_NO_MEMORY;
  }
  p->people = *people;
  people_init(people);
  arena_init(&p->arena, 0);
  p->source = source;
  enum err e = make_subjects(p, old);
  if (!e) e = index_tokens(p);
  if (e)
    principals_free(p);
  else
    *out = p;
  return e;
}

void principals_free(void *section) {
  struct principals *p = section;
  if (!p) return;
  people_clear(&p->people);
  arena_clear(&p->arena);
  free(p);
}

static enum err build(const struct config *config, const struct snapshot *made, const void *old, void **out,
                      struct config_diags *diags) {
  const struct principals *before = old;
  struct principals *p = NULL;
  struct people people;
  uint64_t generation = store_generation(); /* before the reading: what comes meanwhile is read again */
  (void)config, (void)made, (void)diags;
  if (before && before->generation == generation) {
    *out = (void *)(uintptr_t)before;
    return OK;
  }
  bool may_patch = before && before->source == STORE_DB;
  enum store_news news = may_patch ? store_people_since(before->generation, &before->people, &people) : STORE_UNCLEAR;
  enum store_source source = news == STORE_UNCLEAR ? store_people(&people) : STORE_DB;
  bool is_no_news = before && source != STORE_DB && before->source != STORE_UNKNOWN; /* no older than any copy */
  if (news == STORE_SAME || is_no_news) {
    if (is_no_news) people_clear(&people);
    *out = (void *)(uintptr_t)before;
    return OK;
  }
  enum err e = principals_new(&people, source, before, &p);
  if (e) return e;
  p->generation = generation;
  *out = p;
  return OK;
}

const struct snapshot_section principals_section = {"principals", build, principals_free};
