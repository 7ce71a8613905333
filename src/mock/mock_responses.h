/* What the files of the Responses dialect share: what a request said, and the pieces that whole replies and streams
 * have in common. struct mock_responses is mock_request.own and lives in the exchange's arena. Shapes: the vendor's
 * OpenAPI document and the types of its JavaScript client 6.49; words of errors as its users report them (read
 * 2026-11). */
#ifndef MAESTRO_MOCK_RESPONSES_H
#define MAESTRO_MOCK_RESPONSES_H

#include "mock/mock_dialect.h"

struct mock_responses {
  struct str head, tail; /* members that the response object repeats: before `model`, and behind `output` */
  struct str context;    /* the items of previous_response_id and of this input as JSON, with commas between */
  bool has_encrypted;    /* include asks for reasoning.encrypted_content */
  bool has_summary;      /* reasoning.summary asks for one */
  bool is_stored;        /* unless store is false */
};

static inline const struct mock_responses *mock_responses_of(const struct mock_answer *a) { return a->q->own; }

bool mock_responses_scan(struct mock_request *q, struct arena *a, struct mock_error *fault);

/* encrypted_content: opaque to all but a mock of the same seed. */
void mock_responses_seal(const char id[MOCK_ID_BYTES], uint64_t seed, struct buf *out);
bool mock_responses_is_sealed(struct str text, uint64_t seed);

/* An item of the output: the kind of its step (REASONING, SERVER_TOOL, TEXT, REFUSAL, TOOL_OPEN) and, for a tool,
 * which. */
struct mock_responses_item {
  enum mock_step_kind kind;
  unsigned tool;
};
/* Item i of the output; false past the end. */
bool mock_responses_item_at(const struct mock_answer *a, unsigned i, struct mock_responses_item *item);
void mock_responses_put_id(const struct mock_answer *a, struct mock_responses_item item, struct buf *out);
/* is_done: with its content; else as output_item.added says it. */
void mock_responses_put_item(const struct mock_answer *a, struct mock_responses_item item, bool is_done,
                             struct buf *out);
void mock_responses_put_citation(const struct mock_answer *a, struct buf *out);
void mock_responses_put_part(const struct mock_answer *a, enum mock_step_kind kind, bool is_done, struct buf *out);

enum mock_responses_status { MOCK_RESPONSES_BEGUN, MOCK_RESPONSES_ENDED, MOCK_RESPONSES_FAILED };
/* The response object; `why` with FAILED only. One that ENDED is kept, unless the client said store: false. */
void mock_responses_put(const struct mock_answer *a, enum mock_responses_status status, const struct mock_error *why,
                        struct buf *out);

void mock_responses_event(const struct mock_answer *a, struct str head, const struct mock_step *step,
                          struct mock_progress *at, struct buf *out);
void mock_responses_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out);
void mock_responses_failed_event(const struct mock_answer *a, const struct mock_error *e, struct mock_progress *at,
                                 struct buf *out);
void mock_responses_broken_event(struct mock_progress *at, struct buf *out);

#endif
