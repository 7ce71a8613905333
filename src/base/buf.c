/* A growing byte buffer with a hard limit and a sticky failure: see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_bytes.h"

void buf_init(struct buf *b, size_t limit_bytes) { *b = (struct buf){.limit_bytes = limit_bytes}; }

void buf_clear(struct buf *b) {
  free(b->p);
  buf_init(b, b->limit_bytes);
}

void buf_reset(struct buf *b) {
  b->n = 0;
  b->failed = false;
}

bool buf_grow(struct buf *b, size_t n) {
  if (b->failed) return false;
  if (n > SIZE_MAX / 4 - b->n || (b->limit_bytes && n > (b->n < b->limit_bytes ? b->limit_bytes - b->n : 0)))
    goto refused;
  if (n <= b->cap - b->n) return true;
  size_t cap = b->cap ? b->cap : 256;
  while (cap < b->n + n) cap *= 2;
  if (b->limit_bytes && cap > b->limit_bytes) cap = b->limit_bytes;
  char *p = realloc(b->p, cap);
  if (!p) goto refused;
  b->p = p;
  b->cap = cap;
  return true;
refused:
  b->failed = true;
  return false;
}

void buf_put_u64(struct buf *b, uint64_t v) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + v % 10);
  while (v /= 10);
  buf_put(b, str_from(digits + at, sizeof digits - at));
}

void buf_put_i64(struct buf *b, int64_t v) {
  if (v < 0) buf_put_char(b, '-');
  buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Text of n bytes that fills the capacity to its end, where vsnprintf's NUL has no place. */
static void put_exactly(struct buf *b, size_t n, const char *format, va_list args) {
  char *text = malloc(n + 1);
  if (text && vsnprintf(text, n + 1, format, args) == (int)n)
    buf_put(b, str_from(text, n));
  else
    b->failed = true;
  free(text);
}

void buf_printf(struct buf *b, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  size_t room = b->failed ? 0 : b->cap - b->n, n;
  int length = vsnprintf(room ? b->p + b->n : NULL, room, format, args);
  va_end(args);
  if (length < 0) {
    b->failed = true;
  } else if ((n = (size_t)length) < room) {
    b->n += n;
  } else if (buf_reserve(b, n)) {
    if (n < b->cap - b->n) {
      vsnprintf(b->p + b->n, n + 1, format, again);
      b->n += n;
    } else {
      put_exactly(b, n, format, again);
    }
  }
  va_end(again);
}

static void put_json_escape(struct buf *b, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char letters[256] = {['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  if (c >= 0x80) {
    buf_put(b, STR("\xef\xbf\xbd"));
  } else if (letters[c]) {
    buf_put(b, str_from((char[]){'\\', letters[c]}, 2));
  } else {
    buf_put(b, str_from((char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6));
  }
}

void buf_put_json(struct buf *b, struct str s) {
  const char *p = s.p, *end = s.n ? s.p + s.n : s.p, *plain = p;
  if (s.n > SIZE_MAX / 2 || !buf_reserve(b, s.n + 2)) { /* escapes only add to it */
    b->failed = true;
    return;
  }
  b->p[b->n++] = '"';
  while ((p = p < end ? json_bytes_run(p, end) : end) < end) {
    const char *odd = p;
    if ((p = json_bytes_run_utf8(p, end)) > odd) continue;
    buf_put(b, str_from(plain, (size_t)(p - plain)));
    put_json_escape(b, (unsigned char)*p);
    plain = ++p;
  }
  buf_put(b, str_from(plain, (size_t)(end - plain)));
  buf_put_char(b, '"');
}

void buf_put_percent(struct buf *b, struct str s, const char *also) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '_' || c == '.' || c == '~' || (c && strchr(also, c));
    if (is_plain) {
      buf_put_char(b, (char)c);
      continue;
    }
    buf_put_char(b, '%');
    buf_put_char(b, digits[c >> 4]);
    buf_put_char(b, digits[c & 15]);
  }
}

void buf_put_nano_usd(struct buf *b, int64_t nano_usd) {
  uint64_t v = nano_usd < 0 ? 0 - (uint64_t)nano_usd : (uint64_t)nano_usd;
  char digits[9];
  size_t n = 9;
  uint64_t fraction = v % 1000000000u;
  for (size_t i = 9; i-- > 0; fraction /= 10) digits[i] = (char)('0' + fraction % 10);
  while (n && digits[n - 1] == '0') n--;
  if (nano_usd < 0) buf_put_char(b, '-');
  buf_put_u64(b, v / 1000000000u);
  if (n) {
    buf_put_char(b, '.');
    buf_put(b, str_from(digits, n));
  }
}

void buf_shift(struct buf *b, size_t n) {
  if (n > b->n) n = b->n;
  if (n && b->n > n) memmove(b->p, b->p + n, b->n - n);
  b->n -= n;
}
