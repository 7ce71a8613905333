/* What stands between an upstream's events and whoever takes them: think tags become reasoning, leaked markup becomes
 * tool calls, leaked scaffolding and runaway answers end with an error. Used by call/ for every answer; one filter for
 * each attempt, in the exchange's arena. Pure.
 *
 * The events that come out have the same order and meaning, with numbers of parts of their own, since parts come and go
 * here. Text that may turn out to be something else is held back until that is decided, everything else passes at once.
 * Invariant: a text part that nothing was found in comes out as it went in, opened with its first byte. */
#ifndef MAESTRO_TEXT_TEXT_FILTER_H
#define MAESTRO_TEXT_TEXT_FILTER_H

#include "base/arena.h"
#include "llm/answer.h"
#include "text/guard_leak.h"
#include "text/guard_runaway.h"
#include "text/think_split.h"
#include "text/tool_text.h"

/* Which machines are on. */
struct text_filter_options {
  bool tool_text, think, leak, runaway;
  bool starts_in_think; /* the model's template opens the thinking, so its text lacks the tag */
  bool is_whole;        /* a whole reply: white space around blocks is trimmed */
  struct guard_runaway_options runaway_limits;
  struct str id_base; /* [a-z0-9_]: ids of found calls begin with "call_<id_base>_" */
  /* Whose tools may be called: asked for when markup begins, which is seldom. */
  struct tool_text_source tools;
};
static inline bool text_filter_is_wanted(const struct text_filter_options *o) {
  return o->tool_text || o->think || o->leak || o->runaway;
}

struct text_channel;

struct text_filter {
  struct text_filter_options options;
  struct arena *arena;
  const struct event_sink *down; /* of the event in hand */
  struct err_info *info;
  struct text_channel *channels, *current; /* of text parts; current: the last that text came for */
  uint32_t *part_of;                       /* the number that goes out for each that came in */
  uint32_t parts_in, part_room, parts_out;
  uint32_t calls; /* found in text so far */
  uint64_t called[ANSWER_CHOICES_MAX / 64];
  struct guard_runaway runaway;
  struct buf joined; /* what one large delta, or a part's end, has made of a text: it goes out as one delta */
  bool is_joining;
  bool has_stopped;
  bool has_changed; /* what goes out is not what came in */
};

/* The filter's memory is a's but for buffers, which text_filter_clear gives back. */
void text_filter_init(struct text_filter *f, struct arena *a, const struct text_filter_options *options);
void text_filter_clear(struct text_filter *f);
/* One event; what is decided goes to down. A guard's error ends the answer, and nothing held back may go out then. */
enum err text_filter_put(struct text_filter *f, const struct event *event, const struct event_sink *down,
                         struct err_info *info) MUST_CHECK;
/* The answer was cut: everything held back comes out as the text it is. */
enum err text_filter_release(struct text_filter *f, const struct event_sink *down, struct err_info *info) MUST_CHECK;
/* For relays: text that goes on with the part that text came for last. True: it has been taken, and it passes as it is.
 * False: nothing was taken; the frame has to be decoded and its events put. */
bool text_filter_pass(struct text_filter *f, enum part_kind kind, struct str text, enum err *e, struct err_info *info);
/* False while something is held back: text that may turn out to be something else, or a part's beginning, which comes
 * out with its first byte. Before the first part everything is. */
bool text_filter_is_idle(const struct text_filter *f);
size_t text_filter_held_bytes(const struct text_filter *f);

#endif
