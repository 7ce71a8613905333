/* What the tests of text machines share: a sink that writes pieces down as "T:words R:thoughts" with neighbours of one
 * kind joined, and runs of a machine over a text cut everywhere, which must all give the same. */
#ifndef MAESTRO_TESTS_TEXT_RIG_H
#define MAESTRO_TESTS_TEXT_RIG_H

#include "base/buf.h"
#include "text/text_piece.h"
#include "unit.h"

struct text_rig {
  struct buf out;
  int last;      /* kind of the last piece, or -1 */
  size_t pieces; /* that were put */
};

static enum err text_rig_put(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct text_rig *r = arg;
  (void)info;
  assert_true(piece->bytes.n > 0);
  if (r->last != (int)piece->kind) buf_put(&r->out, piece->kind == TEXT_PIECE_TEXT ? STR("[T:") : STR("[R:"));
  buf_put(&r->out, piece->bytes);
  r->last = (int)piece->kind;
  r->pieces++;
  return OK;
}

static inline struct text_sink text_rig_sink(struct text_rig *r) { return (struct text_sink){r, text_rig_put}; }

static inline void text_rig_begin(struct text_rig *r) {
  buf_reset(&r->out);
  r->last = -1;
  r->pieces = 0;
}

/* Small and the same everywhere. */
static inline uint32_t text_rig_random(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

#endif
