/* The grammar of a JSON number (RFC 8259, section 6) without its value: at once where it is whole, or byte by byte.
 * Used by the envelope scan. Pure. */
#ifndef MAESTRO_BASE_JSON_NUMBER_H
#define MAESTRO_BASE_JSON_NUMBER_H

#include "base/str.h"

static inline bool json_number_is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* What follows the number at p (a minus or a digit) when it is right and something follows, else NULL. */
static inline const char *json_number_whole(const char *p, const char *end) {
  if (*p == '-') p++;
  const char *digits = p;
  while (p < end && json_number_is_digit(*p)) p++;
  if (p == digits || (*digits == '0' && p - digits > 1)) return NULL;
  if (p < end && *p == '.') {
    digits = ++p;
    while (p < end && json_number_is_digit(*p)) p++;
    if (p == digits) return NULL;
  }
  if (p < end && (*p | 0x20) == 'e') {
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    digits = p;
    while (p < end && json_number_is_digit(*p)) p++;
    if (p == digits) return NULL;
  }
  return p < end ? p : NULL;
}

/* Where one stands within a number. */
enum json_number {
  JSON_NUMBER_START,
  JSON_NUMBER_MINUS,
  JSON_NUMBER_ZERO,
  JSON_NUMBER_INTEGER,
  JSON_NUMBER_POINT,
  JSON_NUMBER_FRACTION,
  JSON_NUMBER_E,
  JSON_NUMBER_SIGN,
  JSON_NUMBER_EXPONENT,
  JSON_NUMBER_NONE, /* this byte does not go on with it */
};

static inline enum json_number json_number_next(enum json_number at, char c) {
  bool digit = json_number_is_digit(c), e = (c | 0x20) == 'e';
  switch (at) {
    case JSON_NUMBER_START:
      if (c == '-') return JSON_NUMBER_MINUS;
      __attribute__((fallthrough));
    case JSON_NUMBER_MINUS: return c == '0' ? JSON_NUMBER_ZERO : digit ? JSON_NUMBER_INTEGER : JSON_NUMBER_NONE;
    case JSON_NUMBER_INTEGER:
      if (digit) return JSON_NUMBER_INTEGER;
      __attribute__((fallthrough));
    case JSON_NUMBER_ZERO: return c == '.' ? JSON_NUMBER_POINT : e ? JSON_NUMBER_E : JSON_NUMBER_NONE;
    case JSON_NUMBER_POINT: return digit ? JSON_NUMBER_FRACTION : JSON_NUMBER_NONE;
    case JSON_NUMBER_FRACTION: return digit ? JSON_NUMBER_FRACTION : e ? JSON_NUMBER_E : JSON_NUMBER_NONE;
    case JSON_NUMBER_E:
      if (c == '+' || c == '-') return JSON_NUMBER_SIGN;
      __attribute__((fallthrough));
    default: return digit ? JSON_NUMBER_EXPONENT : JSON_NUMBER_NONE;
  }
}

/* May the number end here? */
static inline bool json_number_is_whole(enum json_number at) {
  return at == JSON_NUMBER_ZERO || at == JSON_NUMBER_INTEGER || at == JSON_NUMBER_FRACTION ||
         at == JSON_NUMBER_EXPONENT;
}

#endif
