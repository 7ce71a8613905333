/* The model "test": see smoke.h. */
#include "brain/smoke.h"

enum { TOKENS = 10 }; /* each way */

enum err smoke_run(struct call *call, struct err_info *info) {
  struct fixed_answer answer = {.text = STR("Maestro is up: this is the fixed answer of its model \"test\".")};
  usage_set(&answer.usage, USAGE_INPUT, TOKENS);
  usage_set(&answer.usage, USAGE_OUTPUT, TOKENS);
  return call_run_fixed(call, &answer, info);
}
