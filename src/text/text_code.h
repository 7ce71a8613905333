/* Which bytes of a model's text are quoted as code, in Markdown's way: fences of three or more backticks and inline
 * spans. The guard against leaks and the splitter of thinking leave code alone. A machine over bytes; pure, no memory.
 *
 * An inline span is known to be one only when it closes, and it closes on its line or not at all: what lies behind an
 * open backtick is in doubt until then, and the caller is told how the doubt ended. Three backticks or more that do not
 * close on their line open a fence, wherever on the line they stand, for models begin fences behind words; it ends with
 * a line of as many backticks and nothing else. Source: CommonMark 0.31, fenced code blocks and code spans (read
 * 2026-11), but for where a fence may begin.
 *
 * Why tool_text has another walk over Markdown, tool_text_fence.h says. */
#ifndef MAESTRO_TEXT_TEXT_CODE_H
#define MAESTRO_TEXT_TEXT_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum text_code_state { TEXT_CODE_NONE, TEXT_CODE_DOUBT, TEXT_CODE_FENCE };

enum text_code_event {
  TEXT_CODE_NOTHING,
  TEXT_CODE_OPENED, /* doubt begins with the byte that was given */
  TEXT_CODE_CLOSED, /* all that was in doubt is code */
  TEXT_CODE_VOID    /* none of it is */
};

struct text_code { /* zero-initialised: at the beginning of a text */
  enum text_code_state state;
  uint32_t run;        /* backticks just before */
  uint32_t opening;    /* backticks that opened the doubt or the fence */
  bool is_inside_line; /* FENCE: something but white space and backticks stood on this line */
  bool is_closing;     /* FENCE: this line is a closing one so far */
};

/* One byte more. The state is then that of this byte. A backtick itself changes nothing: runs are judged behind their
 * end. */
enum text_code_event text_code_step(struct text_code *c, char byte);
/* The text ends: CLOSED, VOID or NOTHING. */
enum text_code_event text_code_end(struct text_code *c);

#endif
