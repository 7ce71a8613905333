/* Thinking that a model writes into its answer, between tags, becomes reasoning. One machine stands behind one text
 * part; text may come cut anywhere, the outcome is the same. It holds back some dozens of bytes at most, in itself: no
 * memory is taken and none is to be given back.
 *
 * A tag opens thinking only where the answer begins, behind white space, or where a thinking block has just ended.
 * Everywhere else it is text, so an answer about such tags stays whole. Thinking ends with the tag that belongs to its
 * opening one; without it, all of the rest is thinking. White space around the tags goes: what precedes the opening
 * one, what stands just within both, and the blank lines behind the closing one; the first line of the answer keeps its
 * indentation. Of a white run longer than THINK_SPLIT_HELD bytes a part may stay.
 *
 * Tags: those of DeepSeek, Qwen, GLM, MiniMax, Nemotron and others (think), Seed-OSS, Magistral, EXAONE Deep, Cohere
 * Command, Kimi, OpenThoughts, and the words that models without training for it are prompted to use (thinking,
 * reasoning). Sources: the reasoning parsers of vLLM 0.22 and SGLang and chat templates of these models (read 2026-11).
 */
#ifndef MAESTRO_TEXT_THINK_SPLIT_H
#define MAESTRO_TEXT_THINK_SPLIT_H

#include "text/text_piece.h"

struct think_split_options {
  bool starts_inside; /* the template wrote the opening tag: the answer begins in the middle of thinking */
};

enum { THINK_SPLIT_HELD = 64, THINK_SPLIT_TAG_MAX = 24 };

enum think_split_state {
  THINK_SPLIT_BEFORE, /* nothing but white space so far */
  THINK_SPLIT_OPENED, /* just behind an opening tag: white space goes */
  THINK_SPLIT_INSIDE,
  THINK_SPLIT_CLOSED, /* just behind a closing tag: another may open */
  THINK_SPLIT_TEXT
};

struct think_split {
  enum think_split_state state;
  bool starts_inside;
  bool has_line_end; /* CLOSED: a line has ended since the tag */
  uint32_t closing;  /* the closing tags that count, as bits by row */
  uint8_t white;     /* bytes of white space in held */
  uint8_t partial;   /* bytes of an unfinished tag behind them */
  char held[THINK_SPLIT_HELD + THINK_SPLIT_TAG_MAX];
};

void think_split_init(struct think_split *t, const struct think_split_options *options);
/* The next piece of text. A failure is the sink's; the machine is of no use after it. */
enum err think_split_feed(struct think_split *t, struct str bytes, const struct text_sink *sink,
                          struct err_info *info) MUST_CHECK;
/* The text is over: what is held goes out. */
enum err think_split_end(struct think_split *t, const struct text_sink *sink, struct err_info *info) MUST_CHECK;
/* True when the rest of the text is text: nothing is held and nothing will change, so the caller may stop feeding. */
static inline bool think_split_is_idle(const struct think_split *t) { return t->state == THINK_SPLIT_TEXT; }

/* A whole text at once. It finds one thing more: a closing tag without an opening one, at the beginning or at the end
 * of a line and outside of code, ends thinking that a template has begun. In a stream it would come too late. */
enum err think_split_whole(struct str text, const struct think_split_options *options, const struct text_sink *sink,
                           struct err_info *info) MUST_CHECK;

#endif
