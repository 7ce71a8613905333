/* What the matrix found, and docs/dialects.md made from it. All is static. */
#ifndef MAESTRO_TESTS_MATRIX_DOCS_H
#define MAESTRO_TESTS_MATRIX_DOCS_H

#include "matrix_run.h"

enum cell_state { CELL_PASSED, CELL_REASON, CELL_NONE, CELL_FAILED, CELL_STATES };

/* One pair of one kind ("request", "reply", "stream", "error") of one case. */
struct cell {
  struct matrix_case *of;
  const char *kind;
  const struct dialect *caller, *target;
  size_t turn, turns; /* of its caller among all of them */
  enum cell_state state;
};

static size_t tally[CELL_STATES];

static void note_reason(const struct cell *cell, struct str why) {
  ((struct cell *)cell)->state = CELL_REASON;
  (void)why;
}

static void note_none(struct cell *cell, struct str why) {
  cell->state = CELL_NONE;
  (void)why;
}

static void note_cell(const struct cell *cell) { tally[cell->state]++; }

/* False for a dialect that this build does not have (yet). */
static bool is_known(struct str who) {
  (void)who;
  return true;
}

#endif
