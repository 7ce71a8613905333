/* Shared by the files of the OpenAI Responses dialect only. What is not explained here is a member of struct dialect.
 */
#ifndef MAESTRO_DIALECT_OPENAI_RESPONSES_INTERNAL_H
#define MAESTRO_DIALECT_OPENAI_RESPONSES_INTERNAL_H

#include "dialect/dialect.h"
#include "dialect/openai_member.h"

#define OPENAI_RESPONSES STR("openai_responses")

/* ---- requests ---- */

/* How the caller wrote what the canonical request has no word for: request.native of this dialect's requests. */
struct openai_responses_native {
  bool has_input, input_is_plain;  /* it was said; it was one string */
  bool has_stream;                 /* "stream" was said, be it false */
  bool wants_encrypted;            /* include has "reasoning.encrypted_content" */
  bool wants_logprobs;             /* include has "message.output_text.logprobs" */
  struct str previous_id;          /* what the gateway has put in full: told again */
  struct yyjson_val *instructions; /* an array */
  struct yyjson_val *text, *reasoning, *include;
  struct yyjson_val *tool_choice;
  struct yyjson_val **nodes; /* of `input`, by request_item.source */
  size_t node_count;
};

/* NULL where the request is another dialect's. */
const struct openai_responses_native *openai_responses_native_of(const struct request *r);

enum err openai_responses_decode_request(struct arena *a, struct yyjson_val *root,
                                         const struct dialect_request *envelope, struct request *out,
                                         struct err_info *info);
enum err openai_responses_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                         struct buf *out, struct err_info *info);
/* One element of `input` at `path` as an item of index `source`. */
enum err openai_responses_decode_item(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                      uint32_t source, struct request_item *out) MUST_CHECK;
/* `tools`, namespaces flattened, and `tool_choice`. */
enum err openai_responses_decode_tools(struct openai_reader *rd, struct yyjson_val *tools,
                                       struct request *out) MUST_CHECK;
enum err openai_responses_decode_tool_choice(struct openai_reader *rd, struct yyjson_val *choice,
                                             struct request *out) MUST_CHECK;
/* The members `instructions` and `input`. */
enum err openai_responses_put_items(struct buf *out, const struct request *r, struct arena *a,
                                    struct err_info *info) MUST_CHECK;
void openai_responses_put_tools(struct buf *out, const struct request *r);
void openai_responses_put_tool_choice(struct buf *out, const struct request *r);
/* `text` and `reasoning`, where there is something to say. */
void openai_responses_put_text(struct buf *out, const struct request *r);
void openai_responses_put_reasoning(struct buf *out, const struct request *r);

/* ---- signatures: how thinking of another dialect stands in encrypted_content ---- */

/* Thinking that only its maker can read is told from a signature of readable thinking by its origin's ending. */
#define OPENAI_RESPONSES_REDACTED "_redacted"

/* ---- replies ---- */

/* True for a wire type of an item that a provider's own tool makes; what is neither known nor this is opaque. */
bool openai_responses_is_server_tool(struct str type);

/* Emits whole output items as events; parts are numbered on from *next_part. */
struct openai_responses_emitter {
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
  uint32_t next_part;
  unsigned made_ids;
  bool saw_call, saw_refusal;
};
enum err openai_responses_emit(struct openai_responses_emitter *em, const struct event *event) MUST_CHECK;
enum err openai_responses_emit_item(struct openai_responses_emitter *em, struct yyjson_val *item) MUST_CHECK;
/* OPEN of a function or custom tool call; *part is its number. */
enum err openai_responses_emit_call(struct openai_responses_emitter *em, struct yyjson_val *item,
                                    uint32_t *part) MUST_CHECK;
/* The value as JSON in a piece of raw text that stands behind another event field: of an item or annotation. */
enum err openai_responses_emit_raw(struct openai_responses_emitter *em, const struct event *event,
                                   struct yyjson_val *raw) MUST_CHECK;
/* A text's logprobs, where it has any. */
enum err openai_responses_emit_logprobs(struct openai_responses_emitter *em, uint32_t part,
                                        struct yyjson_val *logprobs) MUST_CHECK;
/* START; then, of a response that has ended, USAGE, STOP and END. */
enum err openai_responses_emit_start(struct openai_responses_emitter *em, struct yyjson_val *response) MUST_CHECK;
enum err openai_responses_emit_end(struct openai_responses_emitter *em, struct yyjson_val *response) MUST_CHECK;
/* False where nothing is known. */
bool openai_responses_read_usage(struct yyjson_val *usage, struct usage *out);
/* A failed response, or an error object in its stead. */
bool openai_responses_is_error(struct yyjson_val *response);

enum err openai_responses_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                       struct err_info *info);
enum { OPENAI_RESPONSES_DECODER_BYTES = 7680, OPENAI_RESPONSES_ENCODER_BYTES = 5632 };
enum err openai_responses_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                       const struct frame *frame, const struct event_sink *sink, struct err_info *info);

void openai_responses_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum err openai_responses_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                       struct buf *out, struct err_info *info);
void openai_responses_encode_error(void *state, const struct dialect_exchange *x, enum err e,
                                   const struct err_info *info, struct buf *out);

/* ---- relay ---- */

const struct envelope_table *openai_responses_request_table(void);
enum err openai_responses_read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                                       struct dialect_request *out, struct err_info *info);
enum err openai_responses_edit_request(struct arena *a, const struct dialect_request_edits *want,
                                       struct envelope_edit *edit, struct err_info *info);
enum err openai_responses_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                      struct buf *out, struct err_info *info);
enum err openai_responses_relay_frame(struct dialect_stream *state, const struct frame *frame,
                                      const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                                      struct err_info *info);
void openai_responses_put_receipt(struct buf *out, size_t from, struct str receipt);

/* ---- errors and lists ---- */

void openai_responses_put_error(struct buf *out, enum err e, const struct err_info *info);
void openai_responses_put_relay_error(const struct dialect_stream *state, enum err e, const struct err_info *info,
                                      struct buf *out);
void openai_responses_put_stream_error(struct buf *out, enum err e, const struct err_info *info);
/* The `error` member of a failed response. */
void openai_responses_put_response_error(struct buf *out, enum err e, const struct err_info *info);
/* The frame `event: error`. */
void openai_responses_put_error_frame(struct buf *out, uint64_t sequence, enum err e, const struct err_info *info);

#endif
