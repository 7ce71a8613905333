/* Tokens of a request, counted here: where its provider has no endpoint that counts them (call/translate.c), where it
 * is to be seen whether they fit the model (call/fit.c), and for what an upstream did not report. Text is counted by
 * text/token_estimate.h, media by text/media_tokens.h; what a turn and a tool cost beside their words is added by what
 * vendors say of it, or what their prompts' formats make of it. An estimate always: OpenAI's text is exact, but how it
 * frames messages and tools is not published in full. Pure; linear in the request. */
#ifndef MAESTRO_CALL_COUNT_H
#define MAESTRO_CALL_COUNT_H

#include "llm/request.h"
#include "text/token_estimate.h"

struct count_result {
  int64_t tokens; /* at least 1 */
  int64_t media;  /* of them for pictures, documents, sound */
};

/* model: as its provider knows it. Takes a millisecond for each 20 KB, and some tens once where count_is_ready is
 * false: for the thread pool. */
struct count_result count_request(const struct request *r, struct str model);
bool count_is_ready(struct str model);

/* The words of an answer as they come, for the case that its usage does not: add costs about a nanosecond a byte. Lives
 * where its answer does. Zero-initialise. */
struct count_output {
  struct token_tally tally;
};
/* Text of the model, unescaped; cut anywhere. */
static inline void count_output_add(struct count_output *o, struct str text) { token_tally_add(&o->tally, text); }
/* 0: there was no text. */
static inline int64_t count_output_tokens(const struct count_output *o, struct str model) {
  return token_tally_tokens(&o->tally, token_family_of(model));
}

#endif
