/* Attempts to sign in: see login_guard.h. Two tables of auth_failures: one by address, one by account. */
#include "policy/login_guard.h"

#include <pthread.h>

#include "policy/auth_failures.h"

enum { ENTRIES = 8192 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct auth_failures *addresses, *accounts;

enum err login_guard_start(struct err_info *info) {
  const struct auth_failures_options options = {
      .addresses = ENTRIES, .burst = LOGIN_GUARD_BURST, .refill_ms = LOGIN_GUARD_REFILL_MS};
  login_guard_stop();
  enum err e = auth_failures_new(&addresses, &options, info);
  return e ? e : auth_failures_new(&accounts, &options, info);
}

void login_guard_stop(void) {
  auth_failures_free(addresses);
  auth_failures_free(accounts);
  addresses = accounts = NULL;
}

struct keys {
  uint64_t address, account;
  struct crypto_hash name; /* of the account, to remember it by */
};

static enum err keys_of(struct str account, const char *address, struct keys *out) {
  enum err e = crypto_sha256(account, &out->name);
  if (e) return e;
  char hex[2 * CRYPTO_HASH_BYTES + 1] = {0};
  crypto_hex(out->name.bytes, sizeof out->name.bytes, hex);
  out->account = auth_failures_key(accounts, hex);
  out->address = auth_failures_key(addresses, address);
  return OK;
}

enum err login_guard_begin(struct str account, const char *address, uint64_t now_us, struct err_info *info) {
  struct keys k;
  enum err e = keys_of(account, address, &k);
  if (e) return e;
  pthread_mutex_lock(&lock);
  int64_t wait_ms = auth_failures_wait_ms(addresses, k.address, now_us);
  if (!auth_failures_remembers(addresses, k.address, &k.name)) {
    int64_t account_ms = auth_failures_wait_ms(accounts, k.account, now_us);
    if (account_ms > wait_ms) wait_ms = account_ms;
  }
  if (!wait_ms) {
    auth_failures_add(addresses, k.address, now_us);
    auth_failures_add(accounts, k.account, now_us);
  }
  pthread_mutex_unlock(&lock);
  if (!wait_ms) return OK;
  if (info) info->retry_after_ms = wait_ms;
  return err_set(info, ERR_RATE_LIMITED, "too many attempts to sign in; try again in %lld s",
                 (long long)(wait_ms + 999) / 1000);
}

static void give_back(struct str account, const char *address, bool is_known) {
  struct keys k;
  if (keys_of(account, address, &k)) return;
  pthread_mutex_lock(&lock);
  auth_failures_forgive(addresses, k.address);
  auth_failures_forgive(accounts, k.account);
  if (is_known) auth_failures_remember(addresses, k.address, &k.name);
  pthread_mutex_unlock(&lock);
}

void login_guard_succeed(struct str account, const char *address) { give_back(account, address, true); }
void login_guard_take_back(struct str account, const char *address) { give_back(account, address, false); }
