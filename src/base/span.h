/* A short, sorted list of edits on a body that stays where it is: at `offset`, `length` bytes give way to `bytes`.
 * Policy, route and provider append; the client sends body and edits as slices, without a copy. Bytes are borrowed:
 * body and replacements must outlive the slices. Spans never overlap; inserts at one place keep the order they were
 * added in. */
#ifndef MAESTRO_BASE_SPAN_H
#define MAESTRO_BASE_SPAN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SPAN_MAX = 96, SPAN_SLICES_MAX = 2 * SPAN_MAX + 1 };

struct span {
  size_t offset, length; /* what is replaced; length 0 inserts before offset */
  struct str bytes;      /* what stands there instead; empty deletes */
};

struct span_list {
  size_t body_bytes;
  size_t n;
  struct span v[SPAN_MAX]; /* sorted by offset */
};

/* For a body of that many bytes. Reads and writes no spans yet, so it is cheap. */
void span_list_init(struct span_list *l, size_t body_bytes);
/* ERR_INTERNAL, nothing added, when the span leaves the body, overlaps another (two edits of one place is a bug of the
 * caller, never of the client) or the list is full. */
enum err span_add(struct span_list *l, size_t offset, size_t length, struct str bytes,
                  struct err_info *info) MUST_CHECK;
/* Bytes of the edited body. */
size_t span_total(const struct span_list *l);
/* The edited body as slices of body and replacements, none empty; returns how many (at most SPAN_SLICES_MAX).
 * body.n must be the list's body_bytes, else 0. */
size_t span_slices(const struct span_list *l, struct str body, struct str out[SPAN_SLICES_MAX]);
/* The same into a buffer. */
void span_apply(const struct span_list *l, struct str body, struct buf *out);

#endif
