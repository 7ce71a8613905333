/* A growing byte buffer with a hard limit and a sticky failure: see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t limit_bytes) { *b = (struct buf){.limit_bytes = limit_bytes}; }

void buf_clear(struct buf *b) {
  free(b->p);
  buf_init(b, b->limit_bytes);
}

void buf_reset(struct buf *b) {
  b->n = 0;
  b->failed = false;
}

bool buf_reserve(struct buf *b, size_t n) {
  if (b->failed) return false;
  if (n <= b->cap - b->n) return true;
  if (n > SIZE_MAX / 2 - b->n || (b->limit_bytes && b->n + n > b->limit_bytes)) goto refused;
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

void buf_put(struct buf *b, struct str s) {
  if (s.n == 0 || !buf_reserve(b, s.n)) return;
  memcpy(b->p + b->n, s.p, s.n);
  b->n += s.n;
}

void buf_put_char(struct buf *b, char c) { buf_put(b, str_from(&c, 1)); }

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

void buf_printf(struct buf *b, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  size_t room = b->failed ? 0 : b->cap - b->n;
  int n = vsnprintf(room ? b->p + b->n : NULL, room, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n >= room && buf_reserve(b, (size_t)n + 1)) vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
  va_end(again);
  if (n < 0) b->failed = true;
  if (!b->failed) b->n += (size_t)n;
}

/* Length of the well-formed UTF-8 sequence at the start of s, or 0. */
static size_t utf8_length(struct str s) {
  unsigned char c = (unsigned char)s.p[0];
  size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  return n <= s.n && str_is_utf8(str_from(s.p, n)) ? n : 0;
}

void buf_put_json(struct buf *b, struct str s) {
  static const char hex[] = "0123456789abcdef";
  buf_put_char(b, '"');
  size_t plain = 0, i = 0;
  while (i < s.n) {
    unsigned char c = (unsigned char)s.p[i];
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      i++;
      continue;
    }
    size_t n = c >= 0x80 ? utf8_length(str_sub(s, i, s.n)) : 0;
    if (n) {
      i += n;
      continue;
    }
    buf_put(b, str_sub(s, plain, i));
    if (c >= 0x80) {
      buf_put(b, STR("\xef\xbf\xbd"));
    } else if (c == '"' || c == '\\') {
      buf_put(b, str_from((char[]){'\\', (char)c}, 2));
    } else if (c == '\n') {
      buf_put(b, STR("\\n"));
    } else if (c == '\t') {
      buf_put(b, STR("\\t"));
    } else if (c == '\r') {
      buf_put(b, STR("\\r"));
    } else {
      buf_put(b, str_from((char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6));
    }
    plain = ++i;
  }
  buf_put(b, str_sub(s, plain, s.n));
  buf_put_char(b, '"');
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
