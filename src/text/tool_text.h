/* Tool calls that a model wrote as text, made real. One machine stands behind one text part of one answer; whoever
 * decodes the answer (call/) feeds it that part's bytes, cut anywhere, and gets pieces: the text without the markup,
 * and whole calls of tools that the request knows. Everything else stays text, byte for byte: markup of unknown tools,
 * unparsable or unclosed blocks, and whatever stands in Markdown code. One exception: beside good calls of its block
 * one whose arguments are no JSON object is dropped and counted (`skipped`), for half a block would be no text either.
 *
 * The result does not depend on how the bytes are cut. Held back is only what may be the beginning of a marker, an open
 * block (at most `block_max_bytes`), and white space that a block may want gone. Time is linear in the bytes: what has
 * been looked at and given up is not looked at again.
 *
 * Code: fenced blocks (``` and ~~~) and inline code, which ends with its line at the latest. One exception: a fence
 * that wraps nothing but calls and is the last thing of the text is taken for them; so the text of a fence that begins
 * with a marker waits for what follows it.
 *
 * White space: behind a block it is dropped where nothing or white space stands before, else kept as one space; from
 * the first call on it is held until more text follows, and dropped at the end.
 *
 * Formats: the table in tool_text.c. */
#ifndef MAESTRO_TEXT_TOOL_TEXT_H
#define MAESTRO_TEXT_TOOL_TEXT_H

#include "base/buf.h"
#include "base/json_pool.h"
#include "text/text_piece.h"

struct request;
struct tool_text_format;

enum { TOOL_TEXT_CALLS_MAX = 128, TOOL_TEXT_BLOCK_MAX_BYTES = 1 << 20 };

/* Where the request comes from when markup begins: to have it decoded may cost more than all of the text. */
struct tool_text_source {
  void *arg;
  enum err (*get)(void *arg, const struct request **out, struct err_info *info);
};

struct tool_text_options {
  const struct request *request; /* whose functions may be called; outlives the machine. NULL: ask the source, once */
  struct tool_text_source source;
  bool is_reasoning;      /* thoughts: pieces are REASONING, only formats of special tokens count */
  bool holds_space;       /* a whole reply: white space before the first block goes too */
  size_t block_max_bytes; /* a longer block is text; 0: TOOL_TEXT_BLOCK_MAX_BYTES */
  unsigned calls_max;     /* later ones are text; 0: TOOL_TEXT_CALLS_MAX */
};

/* Where the text stands in Markdown. */
enum tool_text_code { TOOL_TEXT_PROSE, TOOL_TEXT_SPAN, TOOL_TEXT_INFO, TOOL_TEXT_FENCE, TOOL_TEXT_FENCE_END };
/* Why decided text is not put out: a fence may wrap calls. */
enum tool_text_hold {
  TOOL_TEXT_HOLD_NONE,
  TOOL_TEXT_HOLD_RUN,    /* it may begin here */
  TOOL_TEXT_HOLD_BLANK,  /* nothing is in it yet */
  TOOL_TEXT_HOLD_INSIDE, /* a marker was first in it */
  TOOL_TEXT_HOLD_CLOSED  /* nothing follows it yet */
};

struct tool_text {
  struct tool_text_options options;
  const struct request *request; /* NULL: not asked for yet */
  enum err source_failed;
  struct buf held; /* from `head` on: not put out. Offsets below count from there */
  size_t head, at; /* at: what has been looked at */
  /* text */
  bool is_quiet;      /* nothing is in doubt, and line ends change nothing but where a line starts */
  bool is_plain;      /* nothing is in doubt: bytes without a special one pass as they are */
  bool is_trimming;   /* but for white space at their end */
  bool is_started;    /* something but white space came */
  bool has_words;     /* text was put out */
  bool is_last_space; /* and its last byte is white space */
  bool is_after_call; /* nothing but white space came since a block */
  bool is_inner;      /* the machine of a fence's inside */
  struct buf space;   /* white space that is held */
  enum tool_text_code code;
  enum tool_text_hold hold;
  bool is_line_start; /* nothing but white space since */
  char run_char, fence_char;
  bool is_run_first; /* the run of run_char began its line */
  size_t run, fence_run;
  size_t run_from, inner_from, inner_to; /* of what is held */
  struct str open_wrapper;               /* its closer is still to come; a literal's */
  /* block */
  const struct tool_text_format *format; /* NULL: text */
  uint8_t phase, unit;
  bool is_first, is_array, is_json_list, is_raw_values, is_value_seen, takes_words;
  unsigned depth, json_depth;
  bool is_json_string, is_json_escape;
  int64_t tool;                                 /* of the request, or -1 */
  size_t from, value_from, key_from, key_bytes; /* of the unit's body; of the value; of its tag's name */
  size_t child_from, child_bytes;
  int8_t child_string;
  unsigned block_calls, block_bad;
  struct buf params;  /* struct tool_text_param */
  struct buf args;    /* the call's */
  struct buf scratch; /* decoded text */
  struct json_pool pool;
  /* result */
  unsigned calls;   /* put out */
  unsigned skipped; /* calls that were dropped because their arguments are no JSON object, beside good ones */
};

void tool_text_init(struct tool_text *t, const struct tool_text_options *options);
/* ERR_NO_MEMORY, or what the sink says; the machine is of no use then but to be cleared. */
enum err tool_text_feed(struct tool_text *t, struct str bytes, const struct text_sink *sink,
                        struct err_info *info) MUST_CHECK;
/* The model has ended its text: an open block is closed where that leaves no doubt, else it is text. */
enum err tool_text_end(struct tool_text *t, const struct text_sink *sink, struct err_info *info) MUST_CHECK;
/* The text was cut off (length limit): what is open comes out as text. */
enum err tool_text_cut(struct tool_text *t, const struct text_sink *sink, struct err_info *info) MUST_CHECK;
void tool_text_clear(struct tool_text *t);

/* Nothing is held back. */
static inline bool tool_text_is_idle(const struct tool_text *t) { return t->held.n == 0 && t->space.n == 0; }

/* [byte]: where it may begin a marker, code or a line, 1; white space beside those, 2. */
extern const unsigned char tool_text_special[256];
/* These bytes, fed now, would come out as one piece of text, unchanged. Feed looks for itself; this is for whoever
 * relays the frame that they came in: bytes that are then not fed must be given to tool_text_pass. */
static inline bool tool_text_is_clean(const struct tool_text *t, struct str bytes) {
  if (!t->is_plain || bytes.n == 0) return false;
  unsigned char special = 0;
  for (size_t i = 0; i < bytes.n; i++) special |= tool_text_special[(unsigned char)bytes.p[i]];
  return !(special & 1) && !(t->is_trimming && tool_text_special[(unsigned char)bytes.p[bytes.n - 1]]);
}
static inline void tool_text_pass(struct tool_text *t, struct str bytes) {
  if (bytes.n) t->is_last_space = tool_text_special[(unsigned char)bytes.p[bytes.n - 1]];
}
/* The same with line ends in them, and behind one: true, and they have been passed; false, and nothing has changed. */
static inline bool tool_text_pass_lines(struct tool_text *t, struct str bytes) {
  bool is_line_start = t->is_line_start;
  if (!t->is_quiet || bytes.n == 0) return false;
  for (size_t i = 0; i < bytes.n; i++) {
    unsigned char special = tool_text_special[(unsigned char)bytes.p[i]];
    if (special == 1 && bytes.p[i] != '\n') return false;
    is_line_start = bytes.p[i] == '\n' || (special && is_line_start);
  }
  t->is_line_start = is_line_start;
  t->is_plain = !is_line_start;
  tool_text_pass(t, bytes);
  return true;
}

#endif
