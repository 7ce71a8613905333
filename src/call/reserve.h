/* Money and rates of one call: admitted once, paid for by the attempt. Whoever calls (a key; a user, its team, its
 * token) is asked once for the call, the model's own limits with each attempt at it; money is reserved for all at once.
 * Called by call/call.c around the call and each attempt, and by the attempt when it learns something. An attempt
 * *reserves* the most it can cost before anything is sent; it is *settled* with what it did cost, before a receipt
 * leaves, or *released* where it cost nothing. Every path out of an attempt passes reserve_settle, also one that is
 * cancelled: nothing waits from there on, so no shield is needed.
 *
 * Once a provider has begun an answer the attempt costs: what it reported, else its prompt and the output that was
 * seen, as an estimate. A refusal, a failure to connect or to answer, a page in place of an answer cost nothing. */
#ifndef MAESTRO_CALL_RESERVE_H
#define MAESTRO_CALL_RESERVE_H

#include "base/buf.h"
#include "policy/rate_limit.h"
#include "route/route_names.h"

struct call;
struct call_outcome;

struct reserve {
  struct rate_limit_ticket ticket;
  struct rate_limit_ticket model_ticket; /* of the attempt in hand, at a model with limits */
  struct limits_caller subjects;         /* who calls, and the model of the last attempt */
  struct limits_subject rule;            /* of the settings that govern that model: one of the subjects, or unused */
  struct ledger_reservation money;
  const struct deployment *deployment;
  int64_t input_bound, tokens_known; /* tokens; known: asked for from the rates */
  int has_pictures;                  /* the body; -1: nobody has looked */
  int64_t max_tokens;                /* output limit that the provider is to be told; 0: as the caller said */
  struct str own_max_tokens;         /* the canonical request's own, once max_tokens has replaced it */
  bool has_own_max_tokens;
  /* what this attempt has seen */
  bool has_answer;     /* its beginning */
  int64_t seen_output; /* tokens, estimated */
  size_t smallest;     /* content frame, bytes */
  int64_t tokens_used; /* of the call's attempts so far */
  bool has_budget;     /* the caller or the model of the attempt in hand */
  /* the receipt's own function, while ours stands in its place */
  void (*put_receipt)(void *arg, const struct call_outcome *outcome, struct buf *out);
  void *receipt_arg;
};

/* May this caller make a call now? ERR_RATE_LIMITED with retry_after_ms. To be followed by reserve_end, if OK. */
enum err reserve_begin(struct call *c, struct err_info *info) MUST_CHECK;
void reserve_end(struct call *c);
/* The same for a request that is no model call, and takes no tokens: its place in the caller's rates of requests, to be
 * ended with rate_limit_end(ticket, 0, …). */
enum err reserve_request(const struct limits_caller *caller, struct rate_limit_ticket *ticket,
                         struct err_info *info) MUST_CHECK;

/* ERR_BUDGET_EXCEEDED with the shortfall; ERR_RATE_LIMITED for the model's own limit; ERR_BUSY when the journal is full
 * or there is none to rely on. If OK, to be followed by reserve_settle with the attempt's result. Waits, if at all,
 * before anything is taken: for the tokens to be counted, where the bytes do not fit. */
WAIT enum err reserve_attempt(struct call *c, const struct deployment *d, struct err_info *info);
void reserve_settle(struct call *c, enum err result);

/* The rates of what is set for models, as whom they bind; false: it has none. `rule` may be NULL. */
bool reserve_rule_subject(const struct route_rule *rule, struct limits_subject *out);

/* The provider has begun an answer: 200, of a kind that answers have. */
void reserve_answered(struct call *c);
/* A content frame of so many bytes came. */
void reserve_saw(struct call *c, size_t frame_bytes);
/* outcome.usage has grown. */
void reserve_noted(struct call *c);
/* Puts the output limit that is to be said into the decoded request, or the caller's own back. ERR_NO_MEMORY only. */
enum err reserve_limit_request(struct call *c) MUST_CHECK;

#endif
