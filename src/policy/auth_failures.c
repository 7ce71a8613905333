/* Failed credentials per address: see auth_failures.h. Sets of four buckets, chosen by the key; a bucket is the time at
 * which it will be full again (one number, refilled by the clock alone). Seeded per table, so a client cannot choose
 * its set. */
#include "policy/auth_failures.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/id.h"

enum { WAYS = 4, SEEN = 1024 };

struct bucket {
  uint64_t key;     /* 0: free */
  uint64_t full_us; /* monotonic time at which every failure is forgotten */
};

struct auth_failures {
  uint64_t seed;
  uint64_t refill_us;
  uint64_t burst_us; /* burst x refill: how far ahead of now full_us may be */
  unsigned sets;     /* a power of two */
  uint64_t seen[SEEN];
  struct bucket buckets[];
};

enum err auth_failures_new(struct auth_failures **out, const struct auth_failures_options *options,
                           struct err_info *info) {
  unsigned want = options && options->addresses ? options->addresses : 1024, sets = 1;
  while (sets < (1u << 20) && sets * WAYS < want) sets *= 2;
  struct auth_failures *f = calloc(1, sizeof *f + (size_t)sets * WAYS * sizeof f->buckets[0]);
  if (!f) return err_set(info, ERR_NO_MEMORY, "no memory for the table of failed credentials");
  f->seed = id_random_u64();
  f->sets = sets;
  f->refill_us = (uint64_t)(options && options->refill_ms ? options->refill_ms : 1000) * 1000;
  f->burst_us = f->refill_us * (options && options->burst ? options->burst : 10);
  *out = f;
  return OK;
}

void auth_failures_free(struct auth_failures *f) { free(f); }

uint64_t auth_failures_key(const struct auth_failures *f, const char *address) {
  struct str text = str_from_c(address);
  uint8_t v6[16];
  uint64_t key;
  if (str_find_char(text, ':') == SIZE_MAX || inet_pton(AF_INET6, address, v6) != 1)
    key = str_hash(text, f->seed);
  else if (memcmp(v6, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
    char v4[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, v6 + 12, v4, sizeof v4);
    key = str_hash(str_from_c(v4), f->seed);
  } else {
    key = str_hash(str_from((const char *)v6, 8), f->seed + 1);
  }
  return key ? key : 1;
}

static struct bucket *set_of(const struct auth_failures *f, uint64_t key) {
  return (struct bucket *)&f->buckets[(key & (f->sets - 1)) * WAYS];
}

int64_t auth_failures_wait_ms(const struct auth_failures *f, uint64_t key, uint64_t now_us) {
  const struct bucket *set = set_of(f, key);
  for (int i = 0; i < WAYS; i++) {
    if (set[i].key != key) continue;
    /* One more failure must fit. */
    uint64_t after = set[i].full_us + f->refill_us;
    if (set[i].full_us <= now_us || after <= now_us + f->burst_us) return 0;
    return (int64_t)((after - now_us - f->burst_us + 999) / 1000);
  }
  return 0;
}

void auth_failures_add(struct auth_failures *f, uint64_t key, uint64_t now_us) {
  struct bucket *set = set_of(f, key), *use = &set[0];
  for (int i = 0; i < WAYS; i++) {
    if (set[i].key == key) {
      use = &set[i];
      goto found;
    }
    if (set[i].full_us < use->full_us) use = &set[i];
  }
  *use = (struct bucket){.key = key};
found:
  if (use->full_us < now_us) use->full_us = now_us;
  use->full_us += f->refill_us;
  if (use->full_us > now_us + f->burst_us) use->full_us = now_us + f->burst_us;
}

void auth_failures_forgive(struct auth_failures *f, uint64_t key) {
  struct bucket *set = set_of(f, key);
  for (int i = 0; i < WAYS; i++)
    if (set[i].key == key && set[i].full_us > f->refill_us) set[i].full_us -= f->refill_us;
}

static uint64_t tag_of(const struct auth_failures *f, uint64_t key, const struct crypto_hash *credential) {
  uint64_t head;
  memcpy(&head, credential->bytes, sizeof head);
  uint64_t tag = (head ^ f->seed) * 0x9e3779b97f4a7c15u ^ key;
  tag *= 0xd6e8feb86659fd93u;
  tag ^= tag >> 32;
  return tag ? tag : 1;
}

void auth_failures_remember(struct auth_failures *f, uint64_t key, const struct crypto_hash *credential) {
  uint64_t tag = tag_of(f, key, credential), *pair = &f->seen[tag % (SEEN / 2) * 2];
  if (pair[0] == tag) return;
  pair[1] = pair[0]; /* the newer of two stays, so that a good and a bad key that share a place both do */
  pair[0] = tag;
}

bool auth_failures_remembers(const struct auth_failures *f, uint64_t key, const struct crypto_hash *credential) {
  uint64_t tag = tag_of(f, key, credential);
  const uint64_t *pair = &f->seen[tag % (SEEN / 2) * 2];
  return pair[0] == tag || pair[1] == tag;
}
