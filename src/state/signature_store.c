/* Signatures kept for their way back: see signature_store.h. */
#include "state/signature_store.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/id.h"

enum { SHARDS = 16, BUCKETS = 512, SHARD_BYTES = SIGNATURE_STORE_BYTES_MAX / SHARDS };

struct entry {
  struct entry *next;          /* of its bucket */
  struct entry *older, *newer; /* of its shard, in order of keeping */
  uint64_t hash, expires_us;
  enum signature_store_kind kind;
  enum part_kind part;
  size_t owner_n, call_n, origin_n, text_n, signature_n;
  char bytes[]; /* owner, call, origin, text, signature, one behind the other */
};

struct shard {
  pthread_mutex_t lock;
  struct entry *buckets[BUCKETS];
  struct entry *oldest, *newest;
  size_t held_bytes;
};

/* Process-wide: a conversation's next turn may come to any worker. */
static struct shard shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};
static uint64_t seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void) { seed = id_random_u64(); }

static uint64_t hash_of(struct str owner, struct str call, struct str origin) {
  pthread_once(&seeded, make_seed);
  return str_hash(origin, str_hash(call, str_hash(owner, seed)));
}

static struct str slice(const struct entry *e, size_t skip, size_t n) { return str_from(e->bytes + skip, n); }

static bool is_of(const struct entry *e, uint64_t hash, struct str owner, struct str call, struct str origin) {
  return e->hash == hash && str_eq(slice(e, 0, e->owner_n), owner) && str_eq(slice(e, e->owner_n, e->call_n), call) &&
         str_eq(slice(e, e->owner_n + e->call_n, e->origin_n), origin);
}

static size_t size_of(const struct entry *e) {
  return sizeof *e + e->owner_n + e->call_n + e->origin_n + e->text_n + e->signature_n;
}

static struct entry **bucket_of(struct shard *s, uint64_t hash) { return &s->buckets[(hash >> 8) % BUCKETS]; }

static void drop(struct shard *s, struct entry *e) {
  struct entry **link = bucket_of(s, e->hash);
  while (*link != e) link = &(*link)->next;
  *link = e->next;
  *(e->older ? &e->older->newer : &s->oldest) = e->newer;
  *(e->newer ? &e->newer->older : &s->newest) = e->older;
  s->held_bytes -= size_of(e);
  free(e);
}

static struct entry *find(struct shard *s, uint64_t hash, struct str owner, struct str call, struct str origin) {
  struct entry *e = *bucket_of(s, hash);
  while (e && !is_of(e, hash, owner, call, origin)) e = e->next;
  return e;
}

static struct entry *make(struct str owner, struct str call, const struct signature_store_item *item) {
  const struct str parts[] = {owner, call, item->signature.origin, item->text, item->signature.bytes};
  size_t n = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) n += parts[i].n;
  struct entry *e = n <= SIGNATURE_STORE_VALUE_MAX ? malloc(sizeof *e + n) : NULL;
  if (!e) return NULL;
  *e = (struct entry){.kind = item->kind,
                      .part = item->part,
                      .owner_n = owner.n,
                      .call_n = call.n,
                      .origin_n = item->signature.origin.n,
                      .text_n = item->text.n,
                      .signature_n = item->signature.bytes.n};
  char *at = e->bytes;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; at += parts[i].n, i++)
    if (parts[i].n) memcpy(at, parts[i].p, parts[i].n);
  return e;
}

static void add(struct shard *s, struct entry *e) {
  struct entry **bucket = bucket_of(s, e->hash);
  e->next = *bucket;
  *bucket = e;
  e->older = s->newest;
  *(s->newest ? &s->newest->newer : &s->oldest) = e;
  s->newest = e;
  s->held_bytes += size_of(e);
}

void signature_store_put(struct str owner, struct str call_id, const struct signature_store_item *item,
                         uint64_t now_us) {
  if (!owner.n || !call_id.n) return;
  struct entry *e = make(owner, call_id, item);
  if (!e) return;
  e->hash = hash_of(owner, call_id, item->signature.origin);
  e->expires_us = now_us + SIGNATURE_STORE_TTL_US;
  struct shard *s = &shards[e->hash % SHARDS];
  pthread_mutex_lock(&s->lock);
  struct entry *old = find(s, e->hash, owner, call_id, item->signature.origin);
  if (old) drop(s, old);
  add(s, e);
  while (s->oldest && (s->held_bytes > SHARD_BYTES || s->oldest->expires_us <= now_us)) drop(s, s->oldest);
  pthread_mutex_unlock(&s->lock);
}

bool signature_store_get(struct arena *a, struct str owner, struct str call_id, struct str origin, uint64_t now_us,
                         struct signature_store_item *out) {
  uint64_t hash = hash_of(owner, call_id, origin);
  struct shard *s = &shards[hash % SHARDS];
  struct signature_store_item item = {0};
  bool found = false;
  pthread_mutex_lock(&s->lock);
  const struct entry *e = find(s, hash, owner, call_id, origin);
  if (e && e->expires_us > now_us) {
    size_t at = e->owner_n + e->call_n;
    item.kind = e->kind;
    item.part = e->part;
    item.signature.origin = arena_dup(a, slice(e, at, e->origin_n));
    item.text = arena_dup(a, slice(e, at + e->origin_n, e->text_n));
    item.signature.bytes = arena_dup(a, slice(e, at + e->origin_n + e->text_n, e->signature_n));
    found = item.signature.origin.p && item.text.p && item.signature.bytes.p;
  }
  pthread_mutex_unlock(&s->lock);
  if (found) *out = item;
  return found;
}

void signature_store_clear(void) {
  for (size_t i = 0; i < SHARDS; i++) {
    pthread_mutex_lock(&shards[i].lock);
    while (shards[i].oldest) drop(&shards[i], shards[i].oldest);
    pthread_mutex_unlock(&shards[i].lock);
  }
}
