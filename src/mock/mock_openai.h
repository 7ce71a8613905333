/* How the OpenAI chat dialect reads requests; used by its table only. */
#ifndef MAESTRO_MOCK_OPENAI_H
#define MAESTRO_MOCK_OPENAI_H

#include "mock/mock_dialect.h"

bool mock_openai_scan(struct mock_request *q, struct mock_error *fault);
bool mock_openai_parse(struct mock_request *q, struct arena *a, bool is_demo, struct mock_error *fault);

#endif
