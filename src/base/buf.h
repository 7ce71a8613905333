/* A growing byte buffer with a hard limit and a sticky failure: chain many puts, check `failed` once. Owned by its
 * holder; buf_clear gives the memory back. Grows by doubling. Not thread-safe.
 *
 * Invariant: n <= cap, and cap <= limit_bytes where there is a limit; so what fits the capacity fits the limit, and the
 * puts that a stream is made of are inline: a comparison and a copy. */
#ifndef MAESTRO_BASE_BUF_H
#define MAESTRO_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
  char *p;
  size_t n, cap;
  size_t limit_bytes; /* 0: none */
  bool failed;        /* limit or allocator said no; the content is what fitted before */
};

void buf_init(struct buf *b, size_t limit_bytes);
void buf_clear(struct buf *b);          /* frees; ready for use again with the same limit */
void buf_reset(struct buf *b);          /* empties, keeps the memory */
bool buf_grow(struct buf *b, size_t n); /* buf_reserve's other half */
/* Room for n more bytes at b->p + b->n; false (and failed) when refused. */
static inline bool buf_reserve(struct buf *b, size_t n) {
  return __builtin_expect(n <= b->cap - b->n && !b->failed, 1) || buf_grow(b, n);
}
static inline void buf_put(struct buf *b, struct str s) {
  if (s.n == 0 || !buf_reserve(b, s.n)) return;
  memcpy(b->p + b->n, s.p, s.n);
  b->n += s.n;
}
static inline void buf_put_char(struct buf *b, char c) {
  if (buf_reserve(b, 1)) b->p[b->n++] = c;
}
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* s as a JSON string with its quotes; control characters and ill-formed UTF-8 are escaped or replaced by U+FFFD. */
void buf_put_json(struct buf *b, struct str s);
/* s with all but unreserved characters (RFC 3986, section 2.3) and those of `also` percent-encoded. */
void buf_put_percent(struct buf *b, struct str s, const char *also);
/* Nano-USD as a JSON number in USD without exponent or rounding ("0.000123"). */
void buf_put_nano_usd(struct buf *b, int64_t nano_usd);
/* Removes the first n bytes. */
void buf_shift(struct buf *b, size_t n);
static inline struct str buf_str(const struct buf *b) { return str_from(b->p, b->n); }

#endif
