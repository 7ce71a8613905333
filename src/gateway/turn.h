/* One call of a model within an exchange: the call, its plan, and what of them goes out to the caller. Made by
 * exchange_call, in the exchange's arena. */
#ifndef MAESTRO_GATEWAY_TURN_H
#define MAESTRO_GATEWAY_TURN_H

#include "gateway/request_context.h"
#include "gateway/stored.h"

struct turn {
  struct request_context *rc;
  struct call call;
  struct plan plan;
  struct stored stored;
  struct limits_caller limits;
  char owner[AUTH_NAME_BYTES];
};

/* What the call needs of its exchange; the plan is made. */
void turn_prepare(struct turn *t, const struct dialect_request *request, bool wants_receipt);
/* What the head says of the call: our own headers, and those of the upstream that concern the caller. is_final: nothing
 * more will become known. Nothing once the head is out. */
void turn_add_headers(struct turn *t, bool is_final);
void turn_open_stream(struct turn *t);
WAIT enum err turn_send_whole(struct turn *t);

#endif
