/* What OpenAI's dialects share: how a chat request is read, and the words and shape of errors. */
#ifndef MAESTRO_MOCK_OPENAI_H
#define MAESTRO_MOCK_OPENAI_H

#include "mock/mock_dialect.h"

bool mock_openai_scan(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_openai_parse(struct mock_request *q, struct arena *a, struct mock_error *fault);

/* False, with what the vendor says to a body that is no JSON. */
bool mock_openai_refuse_json(struct mock_error *fault);

/* What custom tools are given. */
extern const struct str mock_custom_input;

enum { MOCK_OPENAI_ERRORS = 9 };
extern const struct mock_error mock_openai_errors[MOCK_OPENAI_ERRORS];
void mock_openai_error(const struct mock_error *e, struct buf *out);
void mock_openai_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out);
void mock_openai_broken_event(struct mock_progress *at, struct buf *out);

void mock_openai_models(const struct str *ids, size_t n, struct buf *out);
void mock_openai_model(struct str id, struct buf *out);

#endif
