/* What the machines of this folder make of a model's text: pieces, in order. A machine stands behind one text part of
 * one answer (tool_text, think_split, guard_leak), takes its text as it comes, cut anywhere, and puts out pieces as
 * soon as nothing can change them any more. However the text is cut, the pieces say the same: texts of one kind that
 * follow each other mean their concatenation. Slices live for the call only. Pure data. */
#ifndef MAESTRO_TEXT_TEXT_PIECE_H
#define MAESTRO_TEXT_TEXT_PIECE_H

#include "base/err.h"
#include "base/str.h"

enum text_piece_kind {
  TEXT_PIECE_TEXT,      /* the model's words, never empty */
  TEXT_PIECE_REASONING, /* its thoughts, never empty */
  TEXT_PIECE_CALL       /* one whole tool call */
};

struct text_piece {
  enum text_piece_kind kind;
  struct str bytes; /* text; of a CALL its arguments: one JSON object, valid */
  struct str name;  /* CALL: of a tool of the request */
};

/* Who takes pieces. A failure ends the machine's work and is returned by it. */
struct text_sink {
  void *arg;
  enum err (*put)(void *arg, const struct text_piece *piece, struct err_info *info);
};

static inline enum err text_put(const struct text_sink *sink, enum text_piece_kind kind, struct str bytes,
                                struct err_info *info) {
  const struct text_piece piece = {.kind = kind, .bytes = bytes};
  return bytes.n ? sink->put(sink->arg, &piece, info) : OK;
}

/* What markup takes for white space: JSON's and XML's. */
static inline bool text_is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

#endif
