/* Failed credentials per client address: a small fixed table of token buckets, one per worker, no lock, no allocation
 * after auth_failures_new. Each address (IPv6: its /64) may fail `burst` times and then once per `refill_ms`; beyond,
 * calls with a credential are refused unseen, so that guessing learns nothing. A credential that was good from that
 * address before still passes, so that a stranger behind the same proxy locks nobody out. Full sets forget their
 * least used address. Invariant: the memory is constant whatever clients do. */
#ifndef MAESTRO_POLICY_AUTH_FAILURES_H
#define MAESTRO_POLICY_AUTH_FAILURES_H

#include "base/crypto.h"
#include "base/err.h"

struct auth_failures;

struct auth_failures_options { /* 0: the default given */
  unsigned addresses;          /* 1024, rounded up to a power of two */
  unsigned burst;              /* 10 */
  uint32_t refill_ms;          /* 1000 */
};

enum err auth_failures_new(struct auth_failures **out, const struct auth_failures_options *options,
                           struct err_info *info) MUST_CHECK;
void auth_failures_free(struct auth_failures *f); /* NULL is fine */

/* The table's key of a numeric address; IPv6 by /64, IPv4-mapped as IPv4. What is no address shares one key. */
uint64_t auth_failures_key(const struct auth_failures *f, const char *address);
/* How long until that address may try again, in ms; 0: now. */
int64_t auth_failures_wait_ms(const struct auth_failures *f, uint64_t key, uint64_t now_us);
void auth_failures_add(struct auth_failures *f, uint64_t key, uint64_t now_us);
/* Takes one failure back. */
void auth_failures_forgive(struct auth_failures *f, uint64_t key);
/* Remembers, and tells, that this credential was good from that address (a small table, older ones are forgotten). */
void auth_failures_remember(struct auth_failures *f, uint64_t key, const struct crypto_hash *credential);
bool auth_failures_remembers(const struct auth_failures *f, uint64_t key, const struct crypto_hash *credential);

#endif
