/* A short, sorted list of edits: see span.h. */
#include "base/span.h"

void span_list_init(struct span_list *l, size_t body_bytes) {
  l->body_bytes = body_bytes;
  l->n = 0;
}

static size_t span_end(const struct span *s) { return s->offset + s->length; }

enum err span_add(struct span_list *l, size_t offset, size_t length, struct str bytes, struct err_info *info) {
  if (l->n == SPAN_MAX) return err_set(info, ERR_INTERNAL, "more than %d edits of one body", SPAN_MAX);
  if (offset > l->body_bytes || length > l->body_bytes - offset)
    return err_set(info, ERR_INTERNAL, "an edit at %zu + %zu leaves a body of %zu bytes", offset, length,
                   l->body_bytes);
  /* Behind all that begin earlier and all inserts at the same place. Most callers add in order: look from the end. */
  size_t at = l->n;
  while (at && (l->v[at - 1].offset > offset || (l->v[at - 1].offset == offset && l->v[at - 1].length))) at--;
  const struct span *before = at ? &l->v[at - 1] : NULL, *after = at < l->n ? &l->v[at] : NULL;
  if ((before && span_end(before) > offset) || (after && length && offset + length > after->offset))
    return err_set(info, ERR_INTERNAL, "two edits of a body overlap at byte %zu", offset);
  memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof l->v[0]);
  l->v[at] = (struct span){offset, length, bytes};
  l->n++;
  return OK;
}

size_t span_total(const struct span_list *l) {
  size_t total = l->body_bytes;
  for (size_t i = 0; i < l->n; i++) total = total - l->v[i].length + l->v[i].bytes.n;
  return total;
}

size_t span_slices(const struct span_list *l, struct str body, struct str out[SPAN_SLICES_MAX]) {
  if (body.n != l->body_bytes) return 0;
  size_t n = 0, from = 0;
  for (size_t i = 0; i < l->n; i++) {
    const struct span *s = &l->v[i];
    if (s->offset > from) out[n++] = str_sub(body, from, s->offset);
    if (s->bytes.n) out[n++] = s->bytes;
    from = span_end(s);
  }
  if (from < body.n) out[n++] = str_sub(body, from, body.n);
  return n;
}

void span_apply(const struct span_list *l, struct str body, struct buf *out) {
  struct str slices[SPAN_SLICES_MAX];
  size_t n = span_slices(l, body, slices);
  for (size_t i = 0; i < n; i++) buf_put(out, slices[i]);
}
