/* An answer as the items of a response: which parts make one item, what the items are called, and how they are written.
 * Shared by reply_encode.c (whole replies) and stream_encode.c (the same, growing). Lives in its exchange's arena. */
#ifndef MAESTRO_DIALECT_OPENAI_RESPONSES_OUTPUT_H
#define MAESTRO_DIALECT_OPENAI_RESPONSES_OUTPUT_H

#include "dialect/openai_responses/internal.h"

enum openai_responses_item_kind { ITEM_MESSAGE, ITEM_REASONING, ITEM_CALL, ITEM_IMAGE, ITEM_NATIVE };

/* Its parts follow one another: a part joins the newest item or begins one. */
struct openai_responses_item {
  enum openai_responses_item_kind kind;
  uint32_t first, count; /* its parts */
  uint32_t open;         /* of them not closed (streams) */
  bool is_done;          /* its end has been told (streams) */
  struct str id;         /* of the item */
  struct str source_id;  /* the upstream's item: parts of one thinking item have it in common */
  struct str call_id, name, namespace;
};

struct openai_responses_place {
  uint32_t item;        /* index in `items` is output_index; UINT32_MAX: the part is not shown */
  uint32_t index;       /* content_index or summary_index */
  uint32_t annotations; /* told so far (streams) */
};

struct openai_responses_output {
  const struct dialect_exchange *x;
  const struct answer *answer;
  struct openai_responses_item *items;
  struct openai_responses_place *places; /* by part */
  size_t item_count, item_room, place_count, place_room;
};

/* The answer's next part, which must be part number place_count. */
enum err openai_responses_output_add(struct openai_responses_output *o) MUST_CHECK;
/* True where a part of thinking stands in `content`, not in `summary`. */
bool openai_responses_is_content(const struct answer_part *p);
/* The item as the next element of an array or a member's value. status: NULL writes none where the kind allows. */
void openai_responses_put_item(struct buf *out, const struct openai_responses_output *o, size_t item,
                               const char *status);
/* `logprobs` of a text part; of what is only begun none. */
void openai_responses_put_logprobs(struct buf *out, const struct openai_responses_output *o, uint32_t part,
                                   bool is_begun);
/* One part of a message or of thinking, with all of its text or, is_begun, without. */
void openai_responses_put_part(struct buf *out, const struct openai_responses_output *o, uint32_t part, bool is_begun);
/* How many annotations the part has; the i-th goes to out unless out is NULL. */
size_t openai_responses_annotations(const struct answer_part *p, size_t i, struct buf *out);

/* A response object. output: with the items; error: with its `error` (OK: null). */
void openai_responses_put_response(struct buf *out, const struct openai_responses_output *o, const char *status,
                                   enum err error, const struct err_info *info);
/* "completed" or "incomplete", by how the answer stopped. */
const char *openai_responses_final_status(const struct answer *answer);

#endif
