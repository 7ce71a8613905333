/* One look at a piece of text before any machine of this folder is woken: which kinds of bytes that matter to one of
 * them are in it. Most pieces of most answers have none, and what the others hold seldom begins a marker. Called by
 * text_filter, guard_leak and tool_text. Pure; two table look-ups a byte, no branch that text could mislead. */
#ifndef MAESTRO_TEXT_TEXT_LOOK_H
#define MAESTRO_TEXT_TEXT_LOOK_H

#include "base/str.h"

enum {
  TEXT_LOOK_OPEN = 1,        /* '<' or '[' that may begin a marker: what stands behind it, if known, does not say no */
  TEXT_LOOK_TICK = 2,        /* '`' */
  TEXT_LOOK_TILDE = 4,       /* '~' */
  TEXT_LOOK_LINE = 8,        /* '\n' */
  TEXT_LOOK_BLANK = 16,      /* other white space: ' ', '\t', '\r' */
  TEXT_LOOK_WORD = 32,       /* anything else */
  TEXT_LOOK_IN_TAG = 64,     /* beside WORD: some marker has it behind its '<' ... */
  TEXT_LOOK_IN_BRACKET = 128 /* ... or behind its '[' */
};
enum { TEXT_LOOK_WHITE = TEXT_LOOK_LINE | TEXT_LOOK_BLANK };

extern const unsigned char text_look_not_word[256]; /* the class with WORD the other way round */
static inline unsigned text_look_of(char c) { return text_look_not_word[(unsigned char)c] ^ TEXT_LOOK_WORD; }

struct text_look {
  unsigned seen;  /* classes of all bytes */
  unsigned after; /* of those behind the last line end, or of all */
  bool is_white_last;
};

/* s has a '<' or '[': may one of them begin a marker? */
bool text_look_may_open(struct str s);

static inline struct text_look text_look(struct str s) {
  unsigned seen = 0, after = 0, last = 0;
  for (size_t i = 0; i < s.n; i++) {
    last = text_look_of(s.p[i]);
    seen |= last;
    after = last == TEXT_LOOK_LINE ? 0 : after | last;
  }
  if (seen & TEXT_LOOK_OPEN && !text_look_may_open(s)) seen = (seen & ~(unsigned)TEXT_LOOK_OPEN) | TEXT_LOOK_WORD;
  return (struct text_look){seen, after, (last & TEXT_LOOK_WHITE) != 0};
}

#endif
