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
#include "text/tool_text_fence.h"

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

/* The block of markup that the text is in; offsets are like the machine's `at`. What phase, unit and flags say is the
 * format's own. */
struct tool_text_block {
  const struct tool_text_format *format; /* NULL: in none */
  uint8_t phase, unit;
  bool is_first, is_array, is_json_list, is_raw_values, is_value_seen, takes_words;
  unsigned depth;
  int64_t tool;                                 /* of the request, or -1 */
  size_t from, value_from, key_from, key_bytes; /* of the unit's body; of the value; of its tag's name */
  size_t child_from, child_bytes;
  int8_t child_string;
  unsigned calls, bad; /* put out; left out */
};

/* Within a JSON value. */
struct tool_text_json {
  unsigned depth;
  bool is_string, is_escape;
};

struct tool_text {
  struct tool_text_options options;
  const struct request *request; /* NULL: not asked for yet */
  enum err source_failed;
  struct buf held; /* from `head` on: not put out. Offsets below count from there */
  size_t head, at; /* at: what has been looked at */
  /* text */
  bool is_quiet;      /* nothing is held or in doubt, and no block has just ended */
  bool is_trimming;   /* white space at the end of what comes is held */
  bool is_started;    /* something but white space came */
  bool has_words;     /* text was put out */
  bool is_last_space; /* and its last byte is white space */
  bool is_after_call; /* nothing but white space came since a block */
  bool is_inner;      /* the machine of a fence's inside */
  struct buf space;   /* white space that is held */
  struct tool_text_fence fence;
  struct tool_text_hold hold;
  struct str open_wrapper; /* its closer is still to come; a literal's */
  struct tool_text_block block;
  struct tool_text_json json;
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

/* Bytes, not none, that, fed now, would come out as one piece of text, unchanged: true, and they have been taken;
 * nothing is put out. False: nothing has changed. Feed looks for itself; this is for whoever relays the frame that they
 * came in. */
static inline bool tool_text_pass(struct tool_text *t, struct str bytes, const struct text_look *look) {
  if (!t->is_quiet || look->seen & TEXT_LOOK_OPEN || (t->is_trimming && look->is_white_last)) return false;
  bool may_open = !t->options.is_reasoning && !t->is_inner;
  if (!tool_text_fence_pass(&t->fence, bytes, look, may_open)) return false;
  t->is_last_space = look->is_white_last;
  return true;
}

#endif
