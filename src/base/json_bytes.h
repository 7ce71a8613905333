/* JSON strings as bytes: runs of plain bytes, escapes, UTF-8 sequences. The inner loops of the envelope scan, of
 * escaping (base/buf.c) and of unescaping; called by dialects for text that is still escaped. Pure; never reads past
 * `end`. "Plain" is ASCII from U+0020 on but for the quote and the backslash: such bytes stand for themselves in JSON.
 */
#ifndef MAESTRO_BASE_JSON_BYTES_H
#define MAESTRO_BASE_JSON_BYTES_H

#include "base/str.h"

/* [byte]: 1 plain; the letter's meaning after a backslash, 0 none ('u' is not in it). */
extern const unsigned char json_bytes_plain[256], json_bytes_escaped[256];

/* The first byte from p on that is not plain, or end. For runs of any length. */
const char *json_bytes_run_long(const char *p, const char *end);

/* The same, with the first 16 bytes one by one and inline: keys and words are short and alike, and a predicted branch
 * costs less than waiting for a vector's mask. */
static inline const char *json_bytes_run(const char *p, const char *end) {
  if (end - p >= 16) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
      if (!json_bytes_plain[(unsigned char)p[i]]) return p + i;
    p += 16;
  }
  return json_bytes_run_long(p, end);
}

/* Value of a hexadecimal digit, or more than 15. */
static inline unsigned json_bytes_hex(char c) {
  unsigned digit = (unsigned)(unsigned char)c - '0', letter = ((unsigned)(unsigned char)c | 0x20) - 'a';
  return digit < 10 ? digit : letter < 6 ? letter + 10 : 255;
}

/* Bytes of the escape at p (a backslash) when it is whole and valid, else 0. Surrogates are not looked at. */
static inline size_t json_bytes_escape(const char *p, const char *end) {
  if (end - p >= 2 && json_bytes_escaped[(unsigned char)p[1]]) return 2;
  if (end - p < 6 || p[1] != 'u') return 0;
  unsigned digits = json_bytes_hex(p[2]) | json_bytes_hex(p[3]) | json_bytes_hex(p[4]) | json_bytes_hex(p[5]);
  return digits < 16 ? 6 : 0;
}

/* Bytes of the UTF-8 sequence at p (a byte from 0x80 on) when it is whole and well-formed, else 0. */
static inline size_t json_bytes_utf8(const char *p, const char *end) {
  const unsigned char *u = (const unsigned char *)p;
  unsigned lead = u[0];
  if (lead < 0xe0) return lead >= 0xc2 && end - p >= 2 && (u[1] & 0xc0) == 0x80 ? 2 : 0;
  if (lead < 0xf0) {
    if (end - p < 3) return 0;
    unsigned word = lead | (unsigned)u[1] << 8 | (unsigned)u[2] << 16, range = word & 0x200f;
    /* range 0: overlong (E0 with less than A0); 200D: a surrogate (ED with A0 or more) */
    return (word & 0xc0c0f0) == 0x8080e0 && range != 0 && range != 0x200d ? 3 : 0;
  }
  if (lead > 0xf4 || end - p < 4) return 0;
  unsigned word = lead | (unsigned)u[1] << 8 | (unsigned)u[2] << 16 | (unsigned)u[3] << 24;
  unsigned second = u[1];
  bool in_range = lead == 0xf0 ? second >= 0x90 : lead == 0xf4 ? second < 0x90 : true;
  return (word & 0xc0c0c000u) == 0x80808000u && in_range ? 4 : 0;
}

/* The first byte from p on that begins no whole, well-formed sequence of more than one byte, or end. */
static inline const char *json_bytes_run_utf8(const char *p, const char *end) {
  for (size_t n; p < end && (signed char)*p < 0; p += n) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (uint32_t word; end - p >= 4; p += 3) { /* most scripts need three bytes: in one load, as above */
      memcpy(&word, p, sizeof word);
      if ((word & 0xc0c0f0) != 0x8080e0 || (word & 0x200f) == 0 || (word & 0x200f) == 0x200d) break;
    }
    if (p == end || (signed char)*p >= 0) break;
#endif
    if (!(n = json_bytes_utf8(p, end))) break;
  }
  return p;
}

enum json_bytes_mode {
  JSON_BYTES_STRICT, /* refuses lone surrogates and U+0000 */
  JSON_BYTES_LOOSE,  /* lone surrogates become U+FFFD, U+0000 a NUL byte */
};
/* What stands between a JSON string's quotes, unescaped into out, which has room for raw.n bytes (never more are
 * needed). False when refused or when raw is no valid string body; then *n and out mean nothing. */
bool json_bytes_unescape(struct str raw, enum json_bytes_mode mode, char *out, size_t *n);

/* In text that is JSON but for them: the first escape from p on that is half a surrogate pair without the other, or
 * end.
 */
enum { JSON_BYTES_HALF = 6 };
char *json_bytes_lone_half(char *p, char *end, bool *is_high);
/* Writes U+FFFD, which is as long, in the place of all of them; false where there are none. */
bool json_bytes_mend_halves(char *text, size_t n);

/* Writes a code point (surrogates too, as three bytes) to out; returns the bytes, at most 4. */
size_t json_bytes_put_utf8(char out[4], unsigned code_point);

#endif
