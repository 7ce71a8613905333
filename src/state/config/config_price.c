/* Decimal text to integer nano-USD. Digits are collected as they stand and shifted by the exponent once: no floating
 * point, so 0.1 is exactly 100 000 000. */
#include "state/config/config_price.h"

enum { NANO_DIGITS = 9 };
static const int64_t MAX_NANO_USD = 1000000ll * 1000000000ll;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "e-3" at s.p[at..]: false when it is malformed. */
static bool parse_exponent(struct str s, size_t at, int *exponent) {
  bool is_negative = false;
  uint64_t v;
  if (at == s.n) return true;
  if (s.p[at] != 'e' && s.p[at] != 'E') return false;
  at++;
  if (at < s.n && (s.p[at] == '-' || s.p[at] == '+')) is_negative = s.p[at++] == '-';
  if (!str_to_u64(str_sub(s, at, s.n), &v) || v > 1000) return false;
  *exponent = is_negative ? -(int)v : (int)v;
  return true;
}

const char *config_price_parse_usd(struct str text, int64_t *nano_usd) {
  static const char *const not_a_number = "must be a number of USD";
  static const char *const too_large = "more than a million USD";
  size_t at = 0, digits = 0;
  int shift = NANO_DIGITS, exponent = 0;
  int64_t v = 0;
  bool is_fraction = false;
  if (text.n && text.p[0] == '-') return "must not be negative";
  for (; at < text.n && (is_digit(text.p[at]) || (text.p[at] == '.' && !is_fraction)); at++) {
    if (text.p[at] == '.') {
      is_fraction = true;
      continue;
    }
    digits++;
    if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, text.p[at] - '0', &v))
      return "has too many digits";
    shift -= is_fraction;
  }
  if (digits == 0 || text.p[0] == '.' || text.p[at - 1] == '.') return not_a_number;
  if (!parse_exponent(text, at, &exponent)) return not_a_number;
  shift += exponent;
  for (; shift > 0 && v != 0; shift--)
    if (__builtin_mul_overflow(v, 10, &v)) return too_large;
  for (; shift < 0 && v != 0; shift++) {
    if (v % 10 != 0) return "finer than a billionth of a USD";
    v /= 10;
  }
  if (v > MAX_NANO_USD) return too_large;
  *nano_usd = v;
  return NULL;
}
