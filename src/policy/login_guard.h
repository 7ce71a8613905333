/* How often somebody may try to sign in: failures per account and per address, counted for the whole process (a mutex,
 * held for a look). An attempt is charged before its password is looked at and given back when that was right, so that
 * many at once are not more than one after another. From an address that has signed in to an account before, others'
 * failures at that account do not count, so that a stranger locks nobody out. Memory is constant. */
#ifndef MAESTRO_POLICY_LOGIN_GUARD_H
#define MAESTRO_POLICY_LOGIN_GUARD_H

#include "base/err.h"

enum {
  LOGIN_GUARD_BURST = 5,        /* wrong passwords at once, of an account and of an address */
  LOGIN_GUARD_REFILL_MS = 60000 /* and one more each minute */
};

/* Before serving. */
enum err login_guard_start(struct err_info *info) MUST_CHECK;
void login_guard_stop(void);
/* Charges an attempt. ERR_RATE_LIMITED, with the exact info->retry_after_ms, charges nothing. */
enum err login_guard_begin(struct str account, const char *address, uint64_t now_us, struct err_info *info) MUST_CHECK;
/* The password was right: what was charged is given back, and the address is known for that account. */
void login_guard_succeed(struct str account, const char *address);
/* It was never looked at: given back. */
void login_guard_take_back(struct str account, const char *address);

#endif
