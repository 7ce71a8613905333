/* The table of strategies: see strategy.h. */
#include "brain/strategy.h"

#include "brain/smoke.h"

static enum err (*const strategies[])(struct call *, struct err_info *) = {
#define X(name, function) [PLAN_##name] = function,
#include "route/strategies.def"
#undef X
};

enum err strategy_run(struct call *call, struct err_info *info) { return strategies[call->plan->strategy](call, info); }
