/* The strategy behind the model "test": the same short answer to every request, without a provider, in every caller's
 * dialect. It shows that a client reaches the gateway with its key, its protocol and its streaming in order. Part of
 * the contract, with its usage of 10 tokens in and 10 out, so that scripts can rely on it. */
#ifndef MAESTRO_BRAIN_SMOKE_H
#define MAESTRO_BRAIN_SMOKE_H

#include "call/call.h"

/* Result as call_run_fixed's. */
WAIT enum err smoke_run(struct call *call, struct err_info *info);

#endif
