/* What a leaking model writes: the rows of leak.def filled in. Called by mock_answer.c, once an answer. Pure; the text
 * lives in the arena. */
#ifndef MAESTRO_MOCK_LEAK_H
#define MAESTRO_MOCK_LEAK_H

#include "mock/mock_answer.h"

/* The text of a plan's `answer` from MOCK_ANSWER_LEAK on, with the plan's prose around it. `tool` is what it calls; its
 * arguments are a JSON object. Empty when memory is short. */
struct str mock_leak_text(const struct mock_plan *plan, const struct mock_tool *tool, struct arena *arena);
/* Whether it is so long that a stream's pieces need not be small. */
bool mock_leak_is_long(const struct mock_plan *plan);

#endif
