/* Where a model's text stands in Markdown, for tool_text: a machine over bytes of its own, and beside it what is known
 * of the one fence that may wrap calls. Code is what CommonMark calls so, but a fence may be indented as far as it
 * likes (in a list it is), and inline code ends with its line: a lone backtick must not hide what follows. Pure, no
 * memory.
 *
 * The other walk over Markdown is text_code.h, and cannot be this one: it waits for an open backtick's end before it
 * takes anything for code, where this takes it for code at once; it knows no tildes, and finds fences behind words,
 * where this asks for a line of their own. A guard must not be fooled by a lone backtick; a call is better left text.
 */
#ifndef MAESTRO_TEXT_TOOL_TEXT_FENCE_H
#define MAESTRO_TEXT_TOOL_TEXT_FENCE_H

#include "text/text_look.h"

enum tool_text_code { TOOL_TEXT_PROSE, TOOL_TEXT_SPAN, TOOL_TEXT_INFO, TOOL_TEXT_FENCE, TOOL_TEXT_FENCE_END };

struct tool_text_fence { /* at a text's beginning: zero, with is_line_start */
  enum tool_text_code code;
  bool is_line_start; /* nothing but white space since */
  bool is_run_first;  /* the run began its line */
  char run_char, opening_char;
  size_t run, opening_run; /* of backticks or tildes: just before; those that opened the code */
};

enum tool_text_fence_event {
  TOOL_TEXT_FENCE_NOTHING,
  TOOL_TEXT_FENCE_NONE,     /* what might have been a fence is none */
  TOOL_TEXT_FENCE_OPENED,   /* with this byte, a line end */
  TOOL_TEXT_FENCE_CLOSED,   /* before this byte, unless it goes on with a word */
  TOOL_TEXT_FENCE_CONTINUED /* it did */
};

/* c, next, may begin a fence. */
static inline bool tool_text_fence_may_open(const struct tool_text_fence *f, char c) {
  return f->code == TOOL_TEXT_PROSE && f->is_line_start && text_look_of(c) & (TEXT_LOOK_TICK | TEXT_LOOK_TILDE);
}
/* One byte more. The state is then that of this byte. */
enum tool_text_fence_event tool_text_fence_step(struct tool_text_fence *f, char c);
/* The text has ended. */
enum tool_text_fence_event tool_text_fence_end_run(struct tool_text_fence *f);
/* Text that was no Markdown: where does it leave the line? */
void tool_text_fence_skip(struct tool_text_fence *f, struct str s);
/* Many bytes at once: the steps one by one, or false, and nothing has changed: may_open, and a fence may open. */
bool tool_text_fence_steps(struct tool_text_fence *f, struct str s, bool may_open);
/* The same, told what a look at them has found: without ticks a line end is all that counts. */
static inline bool tool_text_fence_pass(struct tool_text_fence *f, struct str s, const struct text_look *look,
                                        bool may_open) {
  if (f->run || look->seen & (TEXT_LOOK_TICK | TEXT_LOOK_TILDE) || f->code == TOOL_TEXT_FENCE_END)
    return tool_text_fence_steps(f, s, may_open);
  if (look->seen & TEXT_LOOK_LINE) {
    f->is_line_start = !(look->after & ~(unsigned)TEXT_LOOK_BLANK);
    f->code = f->code == TOOL_TEXT_INFO || f->code == TOOL_TEXT_FENCE ? TOOL_TEXT_FENCE : TOOL_TEXT_PROSE;
  } else if (look->seen & ~(unsigned)TEXT_LOOK_BLANK) {
    f->is_line_start = false;
  }
  return true;
}

enum tool_text_hold_state {
  TOOL_TEXT_HOLD_NONE,
  TOOL_TEXT_HOLD_RUN,    /* it may begin here */
  TOOL_TEXT_HOLD_BLANK,  /* nothing is in it yet */
  TOOL_TEXT_HOLD_INSIDE, /* a marker was first in it */
  TOOL_TEXT_HOLD_CLOSED  /* nothing follows it yet */
};

/* Why decided text is not put out: a fence may wrap calls. */
struct tool_text_hold {
  enum tool_text_hold_state state;
  size_t from, to; /* of its inside, in what is held */
};

/* What the fence has said of the byte before `at`, or of that at it. */
void tool_text_hold_hear(struct tool_text_hold *h, enum tool_text_fence_event event, size_t at);
/* The byte c at `at`, of which f has just said `event`. */
void tool_text_hold_step(struct tool_text_hold *h, const struct tool_text_fence *f, enum tool_text_fence_event event,
                         char c, size_t at);

#endif
