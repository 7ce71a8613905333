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
                                 .role = t->user->role};
  return true;
}

bool principals_has_users(const struct principals *p) { return p->people.user_count > 0 || p->source == STORE_UNKNOWN; }

const struct user *principals_user(const struct principals *p, const struct auth_principal *principal) {
  bool is_known = principal->kind == AUTH_USER && principal->index < p->people.user_count;
  const struct user *u = is_known ? &p->people.users[principal->index] : NULL;
  return u && (uint64_t)u->id == principal->id ? u : NULL;
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

static enum err index_tokens(struct principals *p) {
  size_t n = 0, room = 16;
  for (size_t i = 0; i < p->people.user_count; i++)
    if (p->people.users[i].is_active) n += p->people.users[i].token_count;
  while (room < 2 * n) room *= 2;
  p->tokens = ARENA_NEW_ARRAY(&p->people.arena, struct principal_token, n + 1);
  p->slots = ARENA_NEW_ARRAY(&p->people.arena, struct principal_slot, room);
  if (!p->tokens || !p->slots) return ERR_NO_MEMORY;
  p->slot_count = room;
  for (size_t i = 0; i < p->people.user_count; i++) {
    const struct user *u = &p->people.users[i];
    for (size_t k = 0; u->is_active && k < u->token_count; k++) {
      const struct user_token *t = &u->tokens[k];
      size_t at = first_bytes(&t->hash) & (room - 1);
      while (p->slots[at].place) at = (at + 1) & (room - 1);
      p->tokens[p->token_count++] = (struct principal_token){t->hash, u, t->expires_us};
      p->slots[at] = (struct principal_slot){tag_of(&t->hash), (uint32_t)p->token_count};
    }
  }
  return OK;
}

enum err principals_new(struct people *people, enum store_source source, struct principals **out) {
  struct principals *p = calloc(1, sizeof *p);
  if (!p) {
    people_clear(people);
    return ERR_NO_MEMORY;
  }
  p->people = *people;
  people_init(people);
  p->source = source;
  enum err e = index_tokens(p);
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
  enum store_source source = store_people(&people);
  if (before && source != STORE_DB &&
      before->source != STORE_UNKNOWN) { /* what is in force is no older than any copy */
    people_clear(&people);
    *out = (void *)(uintptr_t)before;
    return OK;
  }
  enum err e = principals_new(&people, source, &p);
  if (e) return e;
  p->generation = generation;
  *out = p;
  return OK;
}

const struct snapshot_section principals_section = {"principals", build, principals_free};
