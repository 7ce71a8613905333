/* What kinds of bytes are in a piece of text: see text_look.h. */
#include "text/text_look.h"

#define ONLY(class) (TEXT_LOOK_WORD | (class))

/* In tags: '/', '|', the first byte of a wide bar, and the first letters of tool_text.c's formats and guard_leak.c's
 * names. In brackets: that of Mistral's list. */
const unsigned char text_look_not_word[256] = {
    ['<'] = ONLY(TEXT_LOOK_OPEN),   ['['] = ONLY(TEXT_LOOK_OPEN),   ['`'] = ONLY(TEXT_LOOK_TICK),
    ['~'] = ONLY(TEXT_LOOK_TILDE),  ['\n'] = ONLY(TEXT_LOOK_LINE),  [' '] = ONLY(TEXT_LOOK_BLANK),
    ['\t'] = ONLY(TEXT_LOOK_BLANK), ['\r'] = ONLY(TEXT_LOOK_BLANK), ['/'] = TEXT_LOOK_IN_TAG,
    ['|'] = TEXT_LOOK_IN_TAG,       ['C'] = TEXT_LOOK_IN_TAG,       ['T'] = TEXT_LOOK_IN_TAG | TEXT_LOOK_IN_BRACKET,
    ['a'] = TEXT_LOOK_IN_TAG,       ['c'] = TEXT_LOOK_IN_TAG,       ['f'] = TEXT_LOOK_IN_TAG,
    ['i'] = TEXT_LOOK_IN_TAG,       ['m'] = TEXT_LOOK_IN_TAG,       ['t'] = TEXT_LOOK_IN_TAG,
    [0xef] = TEXT_LOOK_IN_TAG};

bool text_look_may_open(struct str s) {
  for (size_t i = 0; i < s.n; i++) {
    if (text_look_of(s.p[i]) != TEXT_LOOK_OPEN) continue;
    unsigned bit = s.p[i] == '<' ? TEXT_LOOK_IN_TAG : TEXT_LOOK_IN_BRACKET;
    if (i + 1 == s.n || text_look_of(s.p[i + 1]) & bit) return true;
  }
  return false;
}
