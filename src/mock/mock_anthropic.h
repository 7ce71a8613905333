/* What the two operations of the Anthropic dialect share: how requests are read, what signatures stand for. */
#ifndef MAESTRO_MOCK_ANTHROPIC_H
#define MAESTRO_MOCK_ANTHROPIC_H

#include "mock/mock_dialect.h"

/* q->own. */
struct mock_anthropic {
  bool hides_thinking; /* thinking.display is "omitted": a signature without the text */
};

bool mock_anthropic_scan(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_anthropic_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault);

/* Purposes of mock_sign.h. */
#define MOCK_ANTHROPIC_THINKING STR("anthropic-thinking")
#define MOCK_ANTHROPIC_REDACTED STR("anthropic-redacted")
#define MOCK_ANTHROPIC_SEARCH STR("anthropic-search")
/* What redacted blocks sign: they carry no text that could come back. */
#define MOCK_ANTHROPIC_REDACTED_TEXT STR("redacted")

#endif
