/* Reply heads: one pass to check and measure, one to copy; no formatting functions. Called by http_reply.c and, at the
 * connection cap, by http_conn.c. The Date line is made once a second. The bytes live in a buffer of the worker, since
 * nothing waits between building a head and sending it; only a large one goes to the exchange's arena.
 * Invariant: nothing that could end a header line or the head comes from a caller. */
#include <time.h>

#include "io/http_server_internal.h"

enum { FIXED_BYTES = 256 }; /* more than all lines of our own together */

static char *put(char *at, struct str s) {
  if (s.n) memcpy(at, s.p, s.n);
  return at + s.n;
}

static char *put_two(char *at, int v) {
  *at++ = (char)('0' + v / 10 % 10);
  *at++ = (char)('0' + v % 10);
  return at;
}

static char *put_number(char *at, uint64_t v) {
  char digits[20];
  size_t n = sizeof digits;
  do digits[--n] = (char)('0' + v % 10);
  while (v /= 10);
  return put(at, str_from(digits + n, sizeof digits - n));
}

/* IMF-fixdate, RFC 9110 §5.6.7; always the same length. */
static void refresh_date(struct http_server *s) {
  static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const int64_t wall_us = clock_wall_us();
  const time_t seconds = (time_t)(wall_us / 1000000);
  struct tm t;
  gmtime_r(&seconds, &t);
  char *at = put(s->date, STR("Date: "));
  at = put(at, str_from(days + 3 * t.tm_wday, 3));
  at = put(at, STR(", "));
  at = put_two(at, t.tm_mday);
  *at++ = ' ';
  at = put(at, str_from(months + 3 * t.tm_mon, 3));
  *at++ = ' ';
  at = put_two(at, (t.tm_year + 1900) / 100);
  at = put_two(at, t.tm_year + 1900);
  *at++ = ' ';
  at = put_two(at, t.tm_hour);
  *at++ = ':';
  at = put_two(at, t.tm_min);
  *at++ = ':';
  at = put_two(at, t.tm_sec);
  at = put(at, STR(" GMT\r\n"));
  s->date_n = (uint32_t)(at - s->date);
  s->date_until_us = loop_now_us() + 1000000 - (uint64_t)(wall_us % 1000000);
}

static bool is_name(struct str name) {
  static const struct {
    bool is_token[256];
  } table = {.is_token = {['a' ... 'z'] = true,
                          ['A' ... 'Z'] = true,
                          ['0' ... '9'] = true,
                          ['!'] = true,
                          ['#'] = true,
                          ['$'] = true,
                          ['%'] = true,
                          ['&'] = true,
                          ['\''] = true,
                          ['*'] = true,
                          ['+'] = true,
                          ['-'] = true,
                          ['.'] = true,
                          ['^'] = true,
                          ['_'] = true,
                          ['`'] = true,
                          ['|'] = true,
                          ['~'] = true}};
  bool is_good = name.n > 0;
  for (size_t i = 0; i < name.n; i++) is_good &= table.is_token[(unsigned char)name.p[i]];
  return is_good;
}

/* The headers that the server writes itself; a caller's are left out. */
static bool is_ours(struct str name) {
  switch (name.n) {
    case 4: return str_eq_nocase(name, STR("date"));
    case 10: return str_eq_nocase(name, STR("connection")) || str_eq_nocase(name, STR("keep-alive"));
    case 14: return str_eq_nocase(name, STR("content-length"));
    case 17: return str_eq_nocase(name, STR("transfer-encoding"));
    default: return false;
  }
}

static bool measure(const struct http_reply_head *h, size_t *bytes) {
  size_t n = FIXED_BYTES;
  for (size_t i = 0; i < h->headers.n; i++) {
    const struct http_header *v = &h->headers.v[i];
    if (!is_name(v->name) || !http_header_value_is_safe(v->value)) return false;
    n += v->name.n + v->value.n + 4;
  }
  *bytes = n;
  return h->status >= 100 && h->status <= 999;
}

enum err http_reply_head_build(struct http_server *s, struct arena *a, const struct http_reply_head *h,
                               struct str *out) {
  size_t bytes;
  if (!measure(h, &bytes)) return ERR_INTERNAL;
  char *start = s->head_buffer;
  if (bytes > HTTP_HEAD_BYTES) start = a ? arena_alloc(a, bytes) : NULL;
  if (!start) return ERR_NO_MEMORY;
  if (loop_now_us() >= s->date_until_us) refresh_date(s);
  char *at = put(start, STR("HTTP/1.1 "));
  *at++ = (char)('0' + h->status / 100);
  at = put_two(at, h->status);
  *at++ = ' ';
  at = put(at, http_status_text(h->status));
  at = put(at, STR("\r\n"));
  at = put(at, str_from(s->date, s->date_n));
  for (size_t i = 0; i < h->headers.n; i++) {
    const struct http_header *v = &h->headers.v[i];
    if (is_ours(v->name)) continue;
    at = put(at, v->name);
    at = put(at, STR(": "));
    at = put(at, v->value);
    at = put(at, STR("\r\n"));
  }
  if (h->content_length >= 0) {
    at = put(at, STR("Content-Length: "));
    at = put_number(at, (uint64_t)h->content_length);
    at = put(at, STR("\r\n"));
  }
  if (h->is_chunked) at = put(at, STR("Transfer-Encoding: chunked\r\n"));
  if (h->is_close)
    at = put(at, STR("Connection: close\r\n"));
  else if (h->is_keep_alive)
    at = put(at, STR("Connection: keep-alive\r\n"));
  at = put(at, STR("\r\n"));
  *out = str_from(start, (size_t)(at - start));
  return OK;
}
