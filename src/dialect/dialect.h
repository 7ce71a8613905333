/* A dialect is a wire format, both directions, no network: a table of pure functions over bytes. Dialects are rows of
 * dialects.def; adding one is a file and a row.
 *
 * Two ways lead through a dialect. *Relay*: caller and provider speak the same; the request is edited by spans, the
 * reply passes frame by frame, and a look at it says what it means (struct events). Unknown members, their order and
 * their spelling survive byte for byte. *Translation*: the request is decoded into the canonical model (llm/request.h)
 * and encoded by the target's dialect; the reply is decoded into events (llm/event.h) and encoded by the caller's. A
 * member that is NULL is not there for this dialect: the comment says what that means. */
#ifndef MAESTRO_DIALECT_DIALECT_H
#define MAESTRO_DIALECT_DIALECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/envelope_edit.h"
#include "base/envelope_scan.h"
#include "base/json_pool.h"
#include "io/frame_reader.h"
#include "llm/answer.h"
#include "llm/caps.h"
#include "llm/embedding.h"
#include "llm/event.h"
#include "llm/request.h"

/* ---- the envelope: what the gateway needs to know of a request before it is routed ---- */

/* Slices and offsets into the body. `operation`, `model` and `is_stream` are set before read_request where the path
 * says them (Gemini). */
struct dialect_request {
  enum llm_operation operation;
  struct str model; /* unescaped */
  bool is_stream;
  bool wants_usage;       /* the caller asked for usage in the stream */
  bool wants_receipt;     /* a gateway-only `maestro` member was sent */
  bool is_array;          /* Gemini without alt=sse: the stream is a JSON array */
  bool must_encode;       /* a relayed answer would not be in the shape that the caller's path asks for */
  struct str previous_id; /* Responses: the kept response that was put in full; the gateway sets it. Or empty */
  struct str options;     /* the raw `maestro` member, or empty */
  int64_t max_tokens;     /* the caller's output limit; -1: none */
  int64_t least_tokens;   /* the vendor refuses this request with a lower limit; 0: with none */
  int64_t choices;        /* how many answers the limit holds for each of; 0: one */
};

/* ---- relay ---- */

/* The changes a relayed request needs. */
struct dialect_request_edits {
  struct str model;       /* the name the upstream knows; empty: leave as it is */
  bool ask_usage;         /* ask the upstream for usage in the stream */
  int64_t max_tokens;     /* the output limit to say in place of the caller's, or where there is none; 0: leave it */
  bool is_vendor;         /* the upstream is the vendor itself, whose newer words its imitators do not know (OpenAI) */
  int64_t context_tokens; /* to be allotted, where a request says so (Ollama) and the caller does not; 0: none */
};

/* The changes a relayed reply needs, fixed for the whole reply. */
struct dialect_reply_edits {
  struct str model; /* splice this in place of the upstream's name; empty: leave */
  bool hide_usage;  /* the caller did not ask for usage in the stream: withhold what we asked for */
  bool has_choices; /* the caller asked for several answers: which of them have ended is noted */
};

/* What relaying one frame needs to remember of the ones before it. Zero-initialise. */
struct dialect_stream {
  bool saw_content, saw_stop, saw_end;
  bool skips_lf; /* the frame before ended in a CR that was not sent on, or whose LF went with it: that LF may come as a
                    frame of its own, and goes nowhere */
  uint64_t begun, stopped; /* choices, where that is noted: bit (1 << choice) */
  struct usage usage;      /* what earlier frames said: a dialect that tells usage in pieces adds to it */
  /* Responses, whose error ends what was relayed: the number of the next event, the response's id. */
  uint64_t sequence;
  char response_id[96];
  struct json_pool pool; /* cleared by the relay */
};

/* index: of a choice in a relayed stream; -1, where it is not said: the first. */
static inline void dialect_stream_note(struct dialect_stream *state, int64_t index, bool has_stopped) {
  uint64_t bit = UINT64_C(1) << (index < 0 ? 0 : index < 63 ? index : 63);
  state->begun |= bit;
  if (has_stopped) state->stopped |= bit;
}
/* With every choice that is noted. */
static inline bool dialect_stream_has_stopped(const struct dialect_stream *state) {
  return state->saw_stop && !(state->begun & ~state->stopped);
}
/* The frame is not sent on as it is, nor is what a read has cut off its last line end. */
static inline void dialect_stream_withhold(struct dialect_stream *state, const struct frame *frame) {
  state->skips_lf = frame->raw.n && frame->raw.p[frame->raw.n - 1] == '\r';
}
/* Asked of each frame, once: it is that line feed. */
static inline bool dialect_stream_skips(struct dialect_stream *state, const struct frame *frame) {
  bool skips_lf = state->skips_lf;
  state->skips_lf = false;
  return skips_lf && str_eq(frame->raw, STR("\n"));
}

/* ---- translation ---- */

/* What both halves of a translation know of their exchange; lives as long as it. */
struct dialect_exchange {
  struct arena *arena;
  struct str reply_id;           /* unique, [a-z0-9_]: base of the ids that have to be invented ("<reply_id>_0") */
  int64_t created_s;             /* when the exchange began, Unix seconds */
  uint64_t began_us;             /* the same moment by clock_mono_us; 0: unknown. For dialects that tell durations */
  struct str model;              /* what the caller is told */
  bool wants_usage;              /* of a stream: the caller asked for it (OpenAI) */
  bool is_array;                 /* see dialect_request */
  const struct request *request; /* the canonical request */
  /* Of a stream whose beginning was relayed: the choices whose end the caller knows already, bit (1 << choice). */
  uint64_t stops_told;
  /* Appends the receipt, a JSON object; NULL: none is wanted. To be called once, when the answer has ended. */
  void (*put_receipt)(void *arg, struct buf *out);
  void *receipt_arg;
};

/* What encoding for a target has to know beside the request. */
struct dialect_target {
  struct str model;   /* as the provider knows it */
  bool ask_usage;     /* ask for usage in the stream, where that is an option */
  int64_t max_tokens; /* the model's own output limit, for dialects that need one said (Anthropic); -1 unknown */
  /* Where an encoder names what this model, not its dialect, has no place for (dialect_drop); NULL: nowhere. */
  struct caps_dropped *dropped;
  bool is_vendor;         /* it is the vendor itself, whose newer words its imitators do not know (OpenAI) */
  int64_t context_tokens; /* see dialect_request_edits */
};

struct dialect_model {
  struct str id; /* as a caller may write it */
  struct str owned_by;
  int64_t context_tokens, prompt_tokens, output_tokens; /* -1: unknown */
  bool has_vision, has_tools, has_reasoning;
  struct str extra; /* further raw JSON members without braces, or empty */
};

struct dialect {
  struct str name; /* what providers and routes say: "openai_chat" */
  struct request_words words;
  caps_set caps;           /* what its requests can say (llm/caps.def) */
  bool carries_signatures; /* its requests have slots for signatures, where another dialect's may stand, wrapped */
  bool signs_calls; /* its tool calls come signed, and it wants the signatures back (Gemini); else a stand-in is sent */
  bool pairs_calls; /* its requests are refused where a call has no result, or a result no call (Anthropic, Bedrock) */
  bool returns_pieces; /* its clients hand a streamed answer back in the pieces it came in (Gemini) */
  bool joins_streams;  /* encode_event can go on with an answer whose beginning was relayed */
  /* Its answers always tell numbers of tokens: what a provider does not report is told as it is counted here. */
  bool must_tell_usage;
  enum framing framing;
  struct str content_type_stream;      /* "text/event-stream" */
  const struct str *forwarded_headers; /* of the caller, to a provider of the same dialect; ends with an empty one; may
                                          be NULL */
  struct str keep_alive;               /* what may be sent into silence; empty: nothing may */
  /* The same where it tells the model (Ollama); NULL: keep_alive is all there is. */
  void (*put_keep_alive)(const struct dialect_exchange *x, struct buf *out);

  /* -- envelope -- */
  const struct envelope_table *(*request_table)(void); /* made on first use; thread-safe */
  /* After the scan has ended. Outputs borrow the body or `a`. */
  enum err (*read_request)(struct arena *a, struct str body, const struct envelope_scan *scan,
                           struct dialect_request *out, struct err_info *info);

  /* -- relay; NULL: never relayed -- */
  /* Adds the wanted changes to *edit (whose scan is the request's). Texts come from `a`. */
  enum err (*edit_request)(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                           struct err_info *info);
  /* A whole reply: events tell what it says; the edited bytes go to out. ERR_UPSTREAM_PROTOCOL when it is not a reply.
   */
  enum err (*relay_reply)(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                          struct buf *out, struct err_info *info);
  /* One stream frame likewise; a withheld frame adds nothing to out. EVENT_END: the stream's own end mark. */
  enum err (*relay_frame)(struct dialect_stream *state, const struct frame *frame,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info);
  /* Inserts the receipt (a JSON object) into the reply or frame that begins at out->p + from. */
  void (*put_receipt)(struct buf *out, size_t from, struct str receipt);

  /* -- translation, as the caller's dialect -- */
  /* root: the body's tree, numbers raw; it lives in the arena as *out does. Errors carry the member's path. */
  enum err (*decode_request)(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                             struct request *out, struct err_info *info);
  /* A whole answer. */
  void (*encode_reply)(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
  /* The answer to an embedding request (LLM_EMBED); then encode_reply and encode_event are NULL. x->request says in
   * which form the caller wants its vectors. */
  void (*encode_embeddings)(const struct dialect_exchange *x, const struct embeddings *answer, struct buf *out);
  /* The stream's writer: `state` is encoder_bytes, zeroed, in x's arena; it writes whole frames to out. Finishing
   * frames wait for EVENT_END, by when usage is known; EVENT_ERROR is never given to it. Memory that grows comes from
   * x's arena or hangs on it, and is bounded by what the frames hold. */
  size_t encoder_bytes;
  enum err (*encode_event)(void *state, const struct dialect_exchange *x, const struct event *event, struct buf *out,
                           struct err_info *info);

  /* -- translation, as the target's dialect -- */
  /* The whole body; caps_check has passed. */
  enum err (*encode_request)(const struct request *r, const struct dialect_target *target, struct arena *a,
                             struct buf *out, struct err_info *info);
  /* A whole reply as events, START to END. An error in a body of status 200 is one EVENT_ERROR. ERR_UPSTREAM_PROTOCOL
   * when it is no reply. */
  enum err (*decode_reply)(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                           struct err_info *info);
  /* The whole reply to an embedding request, into x->arena; then the other decoders are NULL. An error in a body of
   * status 200 is in out->error. ERR_UPSTREAM_PROTOCOL when it is no reply, or has not one vector for each input. */
  enum err (*decode_embeddings)(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                struct err_info *info);
  /* The stream's reader: `state` is decoder_bytes, zeroed, in x's arena. Emits EVENT_END at the end mark (or when what
   * ends the answer in its stead has come); decode_end, which is optional, at the connection's end, emits what is still
   * owed where a missing end mark is common (finish reason seen, no [DONE]). */
  size_t decoder_bytes;
  enum err (*decode_frame)(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                           const struct frame *frame, const struct event_sink *sink, struct err_info *info);
  enum err (*decode_end)(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                         struct err_info *info);

  /* -- errors and lists -- */
  void (*put_error)(struct buf *out, enum err e, const struct err_info *info);
  /* The event that ends a stream which cannot be completed. */
  void (*put_stream_error)(struct buf *out, enum err e, const struct err_info *info);
  /* The same where the stream is a JSON array (dialect_exchange.is_array) of which at least one element has been sent;
   * it ends the array. NULL: no stream of this dialect is one. */
  void (*put_array_error)(struct buf *out, enum err e, const struct err_info *info);
  /* The same from the stream's writer, whose state knows what has been sent (Responses: numbered events, the partial
   * response). To be called in its stead where encode_event has been in use; NULL: put_stream_error does. */
  void (*encode_error)(void *state, const struct dialect_exchange *x, enum err e, const struct err_info *info,
                       struct buf *out);
  /* The same where the stream has been relayed so far; NULL: put_stream_error does. */
  void (*put_relay_error)(const struct dialect_stream *state, enum err e, const struct err_info *info, struct buf *out);
  void (*put_model)(struct buf *out, const struct dialect_model *model);
  void (*put_model_list)(struct buf *out, const struct dialect_model *models, size_t count);
};

#define X(symbol) extern const struct dialect symbol;
#include "dialect/dialects.def"
#undef X
const struct dialect *dialect_by_name(struct str name); /* NULL: unknown */

/* ---- what dialects share ---- */

/* ERR_UPSTREAM_PROTOCOL with one wording. */
enum err dialect_bad_reply(struct err_info *info, const char *what);
/* Of a reply's member: the same, with its name, where it is there (and not null) in another type. What cannot be read
 * would be lost without a word otherwise, or leave a call's arguments with a hole in them. */
enum err dialect_want_text(struct err_info *info, struct yyjson_val *v, const char *name) MUST_CHECK;
enum err dialect_want_object(struct err_info *info, struct yyjson_val *v, const char *name) MUST_CHECK;
enum err dialect_want_array(struct err_info *info, struct yyjson_val *v, const char *name) MUST_CHECK;
/* A call's arguments where a reply has them as a value: nothing, null and [] (PHP's way to write it) are {}; a string
 * is their text; all else is written as the JSON it is, for request_put_args_object says it when it is no object. */
void dialect_put_arguments(struct buf *out, struct yyjson_val *v);
/* ERR_UNSUPPORTED from an encoder, with the path of what the target cannot say, in the caller's words: an item, a part
 * of it (NULL: the item as a whole), or no item at all: the list of them. */
enum err dialect_refuse(const struct request *r, const struct request_item *item, const struct request_part *part,
                        struct err_info *info, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same of a member of r, by OpenAI chat's word. */
enum err dialect_refuse_member(const struct request *r, const char *member, struct err_info *info, const char *text);
/* Names a member of r, by OpenAI chat's word, that is left out for this target's model: in the caller's word. */
void dialect_drop(const struct dialect_target *target, const struct request *r, const char *member);
/* A temperature where the target's ends at 1 and others' at 2, by its digits ("1", "1.0", "0.7", "7e-1"): what is
 * larger is said as 1; what has an exponent is the vendor's to judge. */
struct str dialect_at_most_one(struct str number);
/* `,"maestro":{…}` as the next member of the object being written, if x wants a receipt. */
void dialect_put_receipt_member(const struct dialect_exchange *x, struct buf *out);
/* An upstream's id of an answer is told again in every chunk, one of a call once; some put signatures into the latter.
 * What is longer is none: another is made. */
enum { DIALECT_ID_BYTES_MAX = 256, DIALECT_CALL_ID_BYTES_MAX = 16 * 1024 };
static inline bool dialect_is_id(struct str id) { return id.n > 0 && id.n <= DIALECT_ID_BYTES_MAX; }
static inline bool dialect_is_call_id(struct str id) { return id.n > 0 && id.n <= DIALECT_CALL_ID_BYTES_MAX; }
/* An error's text for an envelope without a place for the member's path: it goes before the text, unless that has it.
 */
void dialect_put_error_text(struct buf *out, enum err e, const struct err_info *info);
/* "<prefix><reply_id>_<n>" in x's arena: an id that had to be invented. {NULL, 0} when memory is short. */
struct str dialect_make_id(const struct dialect_exchange *x, const char *prefix, unsigned n);

#endif
