/* Merging the bytes of one piece, as byte pair encoding defines it: again and again, of all neighbours whose bytes
 * together are a token, those of the lowest rank become one, the leftmost first among equals.
 *
 * A piece of any length takes linear time and no memory: it is merged in windows. That loses nothing, because for such
 * an encoding it holds that (1) any run of neighbours of a result is the result of its own bytes, since no merge
 * crosses its ends and those within keep their order; and (2) two results side by side are the result of both their
 * bytes if the two tokens that meet are the result of theirs: the first merge to cross the joint would find both
 * tokens' bytes in the state in which it would find them alone. So a window's result is kept up to a joint well before
 * its end, the next window begins there, and the joint is checked by (2), or needs no check where the next window
 * begins with the token that the last one had there. What makes a joint fail is a token that depends on bytes a hundred
 * and more further right; then an earlier one is tried. */
#include "text/tokenizer_internal.h"

enum {
  WINDOW = TOKENIZER_WINDOW,
  GROUP = 16, /* ranks whose lowest is kept */
  GROUPS = WINDOW / GROUP,
  JOINT = WINDOW - 160, /* the last joint lies at or before this; more than a token from the end */
  JOINT_STEP = 40,
  JOINTS = 6 /* that are tried */
};

/* A window in merging. A part is a run of bytes that are one token by now; of its bytes only the first and the last
 * have meaning here. */
struct window {
  tokenizer_rank ranks[WINDOW];  /* at a part's first byte: of the part and its right neighbour together */
  tokenizer_rank lowest[GROUPS]; /* of each group of ranks */
  unsigned char after[WINDOW];   /* at a part's first byte: its length */
  unsigned char before[WINDOW];  /* at a part's last byte: its length */
  unsigned n, groups;
};

static void set_rank(struct window *w, unsigned i, tokenizer_rank rank) {
  unsigned g = i / GROUP, end = (g + 1) * GROUP < w->n ? (g + 1) * GROUP : w->n;
  tokenizer_rank old = w->ranks[i];
  w->ranks[i] = rank;
  if (rank < w->lowest[g]) {
    w->lowest[g] = rank;
  } else if (old == w->lowest[g]) {
    tokenizer_rank lowest = RANK_NONE;
    for (unsigned k = g * GROUP; k < end; k++)
      if (w->ranks[k] < lowest) lowest = w->ranks[k];
    w->lowest[g] = lowest;
  }
}

static tokenizer_rank rank_at(const struct tokenizer_vocabulary *v, const struct window *w, const char *p, unsigned i) {
  unsigned next = i + w->after[i];
  return next < w->n ? tokenizer_find(v, p + i, (size_t)w->after[i] + w->after[next]) : RANK_NONE;
}

static void join(const struct tokenizer_vocabulary *v, struct window *w, const char *p, unsigned i) {
  unsigned next = i + w->after[i], n = (unsigned)w->after[i] + w->after[next];
  set_rank(w, next, RANK_NONE);
  w->after[i] = (unsigned char)n;
  w->before[i + n - 1] = (unsigned char)n;
  set_rank(w, i, rank_at(v, w, p, i));
  if (i == 0) return;
  unsigned left = i - w->before[i - 1];
  set_rank(w, left, rank_at(v, w, p, left));
}

/* Leaves in w the parts that are the tokens of n bytes, 1 to WINDOW. */
static void merge_window(const struct tokenizer_vocabulary *v, struct window *w, const char *p, unsigned n) {
  w->n = n;
  w->groups = (n + GROUP - 1) / GROUP;
  memset(w->lowest, 0xff, sizeof *w->lowest * w->groups);
  memset(w->after, 1, n);
  memset(w->before, 1, n);
  for (unsigned i = 0; i < n; i++) {
    w->ranks[i] = rank_at(v, w, p, i);
    if (w->ranks[i] < w->lowest[i / GROUP]) w->lowest[i / GROUP] = w->ranks[i];
  }
  for (;;) {
    unsigned best = 0;
    for (unsigned g = 1; g < w->groups; g++)
      if (w->lowest[g] < w->lowest[best]) best = g;
    tokenizer_rank rank = w->lowest[best];
    if (rank == RANK_NONE) return;
    unsigned i = best * GROUP;
    while (w->ranks[i] != rank) i++;
    join(v, w, p, i);
  }
}

/* The tokens up to the last joint at or before `limit`, at least one; *joint is where it is, *length the length of the
 * token before it. */
static int64_t parts_until(const struct window *w, unsigned limit, unsigned *joint, unsigned *length) {
  int64_t count = 0;
  unsigned i = 0;
  do {
    *length = w->after[i];
    i += *length;
    count++;
  } while (i < w->n && i + w->after[i] <= limit);
  *joint = i;
  return count;
}

/* Whether a bytes and the b bytes after them are the two tokens that they are apart. */
static bool is_joint(const struct tokenizer_vocabulary *v, struct window *w, const char *p, unsigned a, unsigned b) {
  merge_window(v, w, p, a + b);
  return w->after[0] == a && w->after[a] == b;
}

/* One step of a piece longer than a window: the tokens up to the next joint, which *p is moved to. *is_merged: w is the
 * window at *p, merged. */
static int64_t step(const struct tokenizer_vocabulary *v, struct window *w, bool *is_merged, const char **p,
                    const char *end) {
  int64_t count = 0;
  unsigned joint = 0, length;
  for (unsigned k = 0; k < JOINTS; k++) {
    if (!*is_merged) merge_window(v, w, *p, WINDOW);
    count = parts_until(w, JOINT - k * JOINT_STEP, &joint, &length);
    unsigned expected = w->after[joint];
    const char *from = *p + joint;
    size_t left = (size_t)(end - from);
    merge_window(v, w, from, left < WINDOW ? (unsigned)left : WINDOW);
    unsigned first = w->after[0];
    *is_merged = first == expected;
    if (*is_merged || is_joint(v, w, from - length, length, first)) break;
  }
  *p += joint;
  return count;
}

int64_t tokenizer_merge(const struct tokenizer_vocabulary *v, const char *p, size_t n) {
  struct window w;
  int64_t count = 0;
  const char *end = p + n;
  bool is_merged = false;
  while (end - p > WINDOW) count += step(v, &w, &is_merged, &p, end);
  if (!is_merged) merge_window(v, &w, p, (unsigned)(end - p));
  for (unsigned i = 0; i < w.n; i += w.after[i]) count++;
  return count;
}
