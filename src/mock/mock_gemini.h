/* What the operations of the Gemini dialect share. */
#ifndef MAESTRO_MOCK_GEMINI_H
#define MAESTRO_MOCK_GEMINI_H

#include "mock/mock_dialect.h"

/* q->own. */
struct mock_gemini {
  struct str unsigned_call; /* a function call of this turn that came back without its signature; n == 0: none */
  size_t unsigned_position; /* of its content, from 1 */
  const struct str *texts;  /* to embed */
  size_t text_count;
  uint64_t dimensions; /* 0: the default */
};

bool mock_gemini_scan_whole(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_gemini_scan_stream(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_gemini_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_gemini_scan_embed(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_gemini_scan_batch(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_gemini_check(const struct mock_request *q, const struct mock_plan *plan, struct arena *a,
                       struct mock_error *fault);

/* Purposes of mock_sign.h: a call signs its name, a text a constant, since a client may join or cut texts. */
#define MOCK_GEMINI_CALL STR("gemini-call")
#define MOCK_GEMINI_TEXT STR("gemini-text")
#define MOCK_GEMINI_ANY_TEXT STR("text")

#endif
