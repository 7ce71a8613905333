/* Tokens of a request, where its provider has no endpoint that counts them: an estimate from the bytes, marked as one.
 * Used by call/attempt.c. */
#ifndef MAESTRO_CALL_COUNT_H
#define MAESTRO_CALL_COUNT_H

#include "llm/request.h"

/* About four bytes of ASCII a token, two and a half of other scripts; a few tokens for each turn and tool; a fixed
 * amount for an image or a document's page. Never 0. */
int64_t count_estimate(const struct request *r);

#endif
