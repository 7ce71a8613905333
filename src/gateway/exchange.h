/* One exchange with a caller, from its head to its record. The router calls exchange_run; endpoints of model calls call
 * exchange_call. This file is the caller's half of the story; the model's half is call/call.c. */
#ifndef MAESTRO_GATEWAY_EXCHANGE_H
#define MAESTRO_GATEWAY_EXCHANGE_H

#include "gateway/request_context.h"

/* The snapshot's sections, in the order of enum gateway_section. */
const struct snapshot_table *gateway_snapshot_table(void);

/* Everything of one request: who, then the endpoint, then the record. Returns when the reply has ended. */
void exchange_run(struct http_exchange *x, struct gateway_worker *worker, const struct endpoint *endpoint,
                  struct str path_rest);
/* A request for a model: body, envelope, plan, strategy, reply. */
void exchange_call(struct request_context *rc);
/* ERR_LOOP where the request comes from this very process, configured as its own provider. */
enum err exchange_check_loop(const struct request_context *rc) MUST_CHECK;
/* Answers with JSON, made in a buffer that may have failed. */
void exchange_answer(struct request_context *rc, int status, const struct buf *json);
/* Goes on with the newest snapshot, for endpoints that have changed it or show what it has. Other workers adopt it by
 * themselves. */
void exchange_adopt(struct request_context *rc);
/* Answers with an error in the endpoint's dialect and keeps it for the record. */
void exchange_fail(struct request_context *rc, enum err e, const struct err_info *info);

#endif
