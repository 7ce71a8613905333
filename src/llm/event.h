/* Canonical events: what an upstream's bytes mean, whatever its dialect. A dialect's decoder emits them in order; an
 * encoder, the accounting and the collector (llm/answer.h) take them. Slices borrow the frame and live for the call
 * only. Pure data.
 *
 * Order: START once; then parts. A part is OPEN, any DELTA and ATTACH, CLOSE, by its number, which counts up from 0 in
 * the order of opening over the whole answer. Parts never nest, but several may be open at once (parallel tool calls).
 * USAGE may come any time and often; the last word of each class counts. STOP once for each choice; END once, last. A
 * decoder repairs what its upstream leaves out (a CLOSE that never came, a call without an id), never what is lost. */
#ifndef MAESTRO_LLM_EVENT_H
#define MAESTRO_LLM_EVENT_H

#include "base/err.h"
#include "llm/request.h"
#include "llm/usage.h"

enum event_kind {
#define X(name, text) EVENT_##name,
#include "llm/event.def"
#undef X
  EVENT_KINDS
};

/* Why a choice ended. */
enum stop_reason {
  STOP_END,        /* the model had finished */
  STOP_LENGTH,     /* max_tokens */
  STOP_TOOL_CALLS, /* calls wait for their results */
  STOP_SEQUENCE,   /* one of the caller's sequences; `text` says which, if known */
  STOP_FILTER,     /* the provider's filter took the rest */
  STOP_REFUSAL,    /* the model refused */
  STOP_PAUSE,      /* to be sent again as it is, to go on (Anthropic) */
  STOP_CONTEXT,    /* the context window is full */
  STOP_MALFORMED,  /* the model's tool call was no valid one (Gemini) */
  STOP_OTHER       /* a word that its dialect does not map; `native` has it */
};

enum event_attachment {
  ATTACH_SIGNATURE, /* bytes: of the part; with dialect as origin */
  ATTACH_CITATION,  /* raw: one citation or annotation, native */
  ATTACH_LOGPROBS,  /* raw: elements of OpenAI's content array, joined by commas */
  ATTACH_AUDIO_ID   /* bytes */
};

struct event {
  enum event_kind kind;
  uint32_t part, choice;
  enum part_kind part_kind; /* OPEN, DELTA, ATTACH, CLOSE */
  struct str bytes;         /* DELTA: UTF-8, unescaped; of a TOOL_CALL a piece of its arguments; IMAGE, AUDIO: base64.
                               ATTACH: the signature or id. ERROR: the frame's JSON, whole */
  /* OPEN of a call or result, and START (id of the answer, name of the model) */
  struct str id, name, namespace, item_id;
  enum tool_kind tool_kind;
  struct str mime;   /* OPEN of IMAGE, AUDIO, DOCUMENT */
  int64_t created_s; /* START; 0 unknown */
  enum event_attachment attachment;
  struct str raw;     /* ATTACH (citation, logprobs), OPEN of SERVER_TOOL and OPAQUE parts, OPAQUE: JSON, native */
  struct str dialect; /* whose raw, signature or native reason it is */
  enum stop_reason reason;
  struct str native;         /* STOP: the upstream's own word, or empty */
  struct str text;           /* STOP: the matched sequence; ERROR: unused */
  const struct usage *usage; /* USAGE */
};

/* Who takes events. A failure ends the decoding and is returned by it. */
struct event_sink {
  void *arg;
  enum err (*put)(void *arg, const struct event *event, struct err_info *info);
};
static inline enum err event_put(const struct event_sink *sink, const struct event *event, struct err_info *info) {
  return sink->put(sink->arg, event, info);
}

/* The summary of one frame or reply that a relay looks at: which kinds it held. */
struct events {
  unsigned kinds;      /* bit (1 << EVENT_x); DELTA here means content: text, reasoning, refusal, or a call's part */
  struct usage usage;  /* EVENT_USAGE */
  bool is_usage_alone; /* EVENT_USAGE of the whole answer, in a frame without a part of it */
  /* Of a frame that does nothing but go on with the first choice's text (or thought): its bytes, unescaped. Empty: it
   * does more, or to tell would cost as much as decoding it. */
  struct str text;
  enum part_kind text_kind;
};

static inline bool events_has(const struct events *e, enum event_kind kind) { return e->kinds & (1u << kind); }
static inline void events_add(struct events *e, enum event_kind kind) { e->kinds |= 1u << kind; }

#endif
