/* Translation of one attempt: the caller's request into the target's dialect, the target's answer as events into the
 * caller's. Used by call/attempt.c and call/stream.c; lives in the exchange's arena for one attempt. */
#ifndef MAESTRO_CALL_TRANSLATE_H
#define MAESTRO_CALL_TRANSLATE_H

#include "call/call_ids.h"
#include "call/call_internal.h"
#include "call/codec.h"
#include "call/count.h"
#include "call/signatures.h"

struct translation {
  struct call *call;
  const struct deployment *deployment;
  const struct dialect *target;
  struct dialect_exchange x;
  struct json_pool pool;
  struct text_filter filter;
  bool has_filter;
  struct signature_watch watch;
  struct call_ids ids;
  void *decoder, *encoder; /* encoder NULL: the answer is only looked through */
  struct buf *out;         /* of the encoder, for the event in hand */
  struct events *events;   /* what the frame in hand means */
  unsigned choices;        /* that are to end */
  uint64_t stopped;        /* which have: bit (1 << choice) */
  bool saw_stop;           /* all of them have: the end is due */
  bool saw_content;        /* it has come, though the filter may hold it yet */
  bool is_ended;
};

/* Shapes the call's request for this deployment, by what is set for its model (call/shape.h): the body, its scan, the
 * context to be said; and says what is set for it (c->rule). ERR_MAINTENANCE while the model is closed. Large
 * bodies are worked on in the pool. */
WAIT enum err translate_shape(struct call *c, const struct deployment *d, struct err_info *info);
/* The body for this deployment: decoded once for the call, encoded for each attempt into call->encoded. Large bodies
 * are worked on in the thread pool. ERR_UNSUPPORTED with the path where the target cannot say it; what was left out is
 * added to call->dropped. */
WAIT enum err translate_request(struct call *c, const struct deployment *d, const struct dialect *target,
                                bool ask_usage, struct str *body, struct err_info *info);
/* The request into call->canonical, for an answer that no target gives. */
WAIT enum err translate_decode(struct call *c, struct err_info *info);
/* What the caller's encoder has to know of this call; canonical is there. with_receipt: the encoder puts it in. */
struct dialect_exchange translate_exchange(struct call *c, const struct deployment *d, bool with_receipt);
/* The tokens of the request for this deployment's model, estimated here; it is decoded for that where it is not. */
WAIT enum err translate_count_input(struct call *c, const struct deployment *d, struct count_result *count,
                                    struct err_info *info);
/* The answer to a request for a count of tokens, estimated here: into call->reply. */
WAIT enum err translate_count(struct call *c, const struct deployment *d, struct err_info *info);
/* What an error that came within an answer means, by its provider. */
enum err translate_provider_error(const struct deployment *d, struct http_headers headers, struct str body,
                                  struct err_info *info) MUST_CHECK;
/* A delta of the model's words, for an upstream that does not count them. */
static inline void translate_count_words(struct call *c, const struct event *e) {
  if (e->part_kind != PART_IMAGE && e->part_kind != PART_AUDIO) count_output_add(&c->seen, e->bytes);
}
/* A whole reply into call->reply. */
enum err translate_reply(struct call *c, const struct deployment *d, const struct codec *codec, struct str body,
                         struct http_headers headers, struct err_info *info) MUST_CHECK;
/* A whole reply in the caller's own dialect, which lies in call->reply relayed: where the filter finds something,
 * call->reply is the answer encoded anew. A reply that the decoder cannot read stays as it is. */
WAIT enum err translate_mend(struct call *c, const struct deployment *d, const struct text_filter_options *filter,
                             struct str body, struct err_info *info);
/* A text_filter's tool_text_source over a call: its canonical request, decoded at the first asking. */
WAIT enum err translate_tools(void *call, const struct request **out, struct err_info *info);

/* A stream: begin once, then each frame; `end` at the connection's end (ERR_UPSTREAM_CUT when the answer was not
 * complete), `finish` when its stop has come and nothing more is waited for. Bytes for the caller go to out. */
WAIT enum err translation_begin(struct translation *t, struct call *c, const struct deployment *d,
                                const struct codec *codec, struct err_info *info);
void translation_clear(struct translation *t);
enum err translation_frame(struct translation *t, const struct frame *frame, struct events *events, struct buf *out,
                           struct err_info *info) MUST_CHECK;
enum err translation_end(struct translation *t, struct events *events, struct buf *out,
                         struct err_info *info) MUST_CHECK;
enum err translation_finish(struct translation *t, struct buf *out, struct err_info *info) MUST_CHECK;
/* The stream was cut: what the filter holds back is said after all. */
enum err translation_release(struct translation *t, struct buf *out, struct err_info *info) MUST_CHECK;

/* The same beside a relay of the caller's own dialect: frames are decoded and looked through while the upstream's bytes
 * are what the caller gets, until the filter has found something (translation_has_changed): then the caller gets what
 * translation_frame writes. Without tool text and think tags nothing is ever written. */
enum err translation_watch(struct translation *t, struct call *c, const struct deployment *d,
                           const struct codec *codec) MUST_CHECK;
/* All that came so far has gone to the caller as it was: what has stopped is known there. */
static inline void translation_note_relayed(struct translation *t) { t->x.stops_told = t->stopped; }
/* From here on the translation's bytes go out: it ends when every choice that the request asks for has. */
void translation_take_over(struct translation *t);
static inline bool translation_has_changed(const struct translation *t) { return t->filter.has_changed; }

#endif
