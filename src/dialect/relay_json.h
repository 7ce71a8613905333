/* Relaying for dialects whose frames are JSON: the names of models are replaced by spans, a receipt is put in, and a
 * look at the tree says what a reply or frame means. Shared by the dialects; each gives its rules. Everything that is
 * not edited passes byte for byte. (OpenAI chat has its own, which looks without a tree.) */
#ifndef MAESTRO_DIALECT_RELAY_JSON_H
#define MAESTRO_DIALECT_RELAY_JSON_H

#include "dialect/dialect.h"

enum { RELAY_JSON_MODEL_ROWS_MAX = 4 };

struct relay_json_rules {
  /* Of the members below; parents before their children, as envelope_table_init wants it. */
  const struct envelope_table *(*table)(void);
  uint8_t model_row[RELAY_JSON_MODEL_ROWS_MAX]; /* where a model's name may stand ("model", "message.model") */
  uint8_t model_rows;
  int8_t receipt_row; /* row of the object that takes the receipt; -1: the top level */
  /* Row of a `maestro` member in that object, from an upstream that is a Maestro as well: the receipt takes its place.
   */
  uint8_t maestro_row;
  /* Says what one frame (event: its SSE name) or, with is_whole, one reply means; adds usage to state->usage where it
   * comes in pieces. state is never NULL. ERR_UPSTREAM_PROTOCOL: it is none of this dialect's. */
  enum err (*look)(struct dialect_stream *state, struct yyjson_val *root, struct str event, bool is_whole,
                   struct events *events, struct err_info *info);
};

enum err relay_json_reply(const struct relay_json_rules *rules, struct str body,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info) MUST_CHECK;
/* Frames without data (comments, blank lines) pass as they are. After state->saw_end frames are withheld. */
enum err relay_json_frame(const struct relay_json_rules *rules, struct dialect_stream *state, const struct frame *frame,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info) MUST_CHECK;
/* Into the reply or the frame (of that framing) that begins at out->p + from; nothing where it is none. */
void relay_json_put_receipt(const struct relay_json_rules *rules, enum framing framing, struct buf *out, size_t from,
                            struct str receipt);

#endif
