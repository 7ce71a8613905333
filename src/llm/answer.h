/* A whole answer, collected from events: what encode_reply writes, and what a strategy reads. Lives in the arena it was
 * collected into; texts are copied. Bounded by limit_bytes. */
#ifndef MAESTRO_LLM_ANSWER_H
#define MAESTRO_LLM_ANSWER_H

#include "base/arena.h"
#include "base/buf.h"
#include "llm/event.h"

enum { ANSWER_PARTS_MAX = 4096, ANSWER_CHOICES_MAX = 128 };

struct answer_part {
  enum part_kind kind;
  uint32_t choice;
  struct buf text; /* the deltas; owned by the collector (answer_clear) */
  struct str id, item_id, name, namespace, mime;
  enum tool_kind tool_kind;
  struct signature signature; /* bytes empty: none */
  struct str raw;             /* SERVER_TOOL, OPAQUE: native JSON */
  struct str raw_dialect;     /* whose */
  struct buf citations;       /* JSON array's elements, joined by commas; native to raw_dialect */
  bool is_closed;
};

struct answer_stop {
  bool is_set;
  enum stop_reason reason;
  struct str native, sequence;
};

struct answer {
  struct arena *arena;
  size_t limit_bytes, held_bytes;
  struct str id, model;
  int64_t created_s;
  struct answer_part *parts; /* in order of their number */
  size_t part_count, part_room;
  struct answer_stop stops[ANSWER_CHOICES_MAX];
  size_t choice_count;  /* 1 + the highest choice seen; at least 1 */
  struct buf *logprobs; /* ANSWER_CHOICES_MAX, or NULL: there are none (answer_logprobs) */
  struct usage usage;
  bool has_usage, is_ended;
};

/* limit_bytes: of all texts together; 0 for none. */
void answer_init(struct answer *a, struct arena *arena, size_t limit_bytes);
void answer_clear(struct answer *a);
/* An event_sink over the answer. ERR_UPSTREAM_TOO_LARGE beyond the limits; EVENT_ERROR is not taken (ERR_INTERNAL): its
 * caller has to look at it first. */
struct event_sink answer_sink(struct answer *a);
/* Of a choice: elements of OpenAI's array, joined by commas; or empty. */
struct str answer_logprobs(const struct answer *a, uint32_t choice);
/* Adds the classes that `from` knows to *to: usage comes in pieces. */
void answer_merge_usage(struct usage *to, const struct usage *from);

#endif
