/* Strategies: how an answer is made of model calls. A plan names one by id; the exchange runs it here. Each turn is a
 * call_run, so money, rates and access hold for every strategy alike. */
#ifndef MAESTRO_BRAIN_STRATEGY_H
#define MAESTRO_BRAIN_STRATEGY_H

#include "call/call.h"

/* Runs the strategy that call->plan names; result as call_run's. */
WAIT enum err strategy_run(struct call *call, struct err_info *info);

#endif
