/* Cuts a text as the published patterns of the two encodings do (the npm package `tiktoken` 1.0.22, `pat_str`; read
 * 2026-11-28), by hand: docs/decisions/0011 says why. The alternatives of a pattern are tried in its order, each as a
 * backtracking matcher would: greedy, giving back as little as it can. Every function takes a place in the text and
 * returns where its alternative ends, or NULL where it does not match. Each character is looked at a bounded number of
 * times. Pure. */
#include "text/tokenizer_internal.h"

/* One character: its class and its length, 1 to 4 bytes. */
struct character {
  enum tokenizer_class class;
  unsigned n;
};

static bool is_tail(unsigned char c) { return (c & 0xc0) == 0x80; }

/* A code point of 2 to 4 bytes at p; 0: what stands there is no UTF-8. */
static uint32_t decode(const unsigned char *p, size_t left, unsigned *n) {
  unsigned char c = p[0];
  if (c >= 0xc2 && c <= 0xdf && left >= 2 && is_tail(p[1])) {
    *n = 2;
    return (uint32_t)(c & 0x1f) << 6 | (p[1] & 0x3f);
  }
  if ((c & 0xf0) == 0xe0 && left >= 3 && is_tail(p[1]) && is_tail(p[2])) {
    uint32_t code = (uint32_t)(c & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    *n = 3;
    return code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? code : 0;
  }
  if (c >= 0xf0 && c <= 0xf4 && left >= 4 && is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3])) {
    uint32_t code =
        (uint32_t)(c & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    *n = 4;
    return code >= 0x10000 && code <= 0x10ffff ? code : 0;
  }
  return 0;
}

static struct character look(const struct tokenizer_classes *c, const char *p, const char *end) {
  uint32_t code = (unsigned char)*p;
  unsigned n = 1;
  /* The first block of the first 256 characters is block 0. */
  if (code < 0x80) return (struct character){c->blocks[code], 1};
  code = decode((const unsigned char *)p, (size_t)(end - p), &n);
  if (!code) return (struct character){CLASS_OTHER, 1};
  const unsigned char *i = c->index + (code >> 8) * 2;
  return (struct character){c->blocks[(size_t)(i[0] | i[1] << 8) * 256 + (code & 0xff)], n};
}

#define SET(class) (1U << (class))
#define LETTERS (SET(CLASS_UPPER) | SET(CLASS_LOWER) | SET(CLASS_LETTER))
#define SPACES (SET(CLASS_NEWLINE) | SET(CLASS_SPACE))
#define UPPERS (SET(CLASS_UPPER) | SET(CLASS_LETTER) | SET(CLASS_MARK)) /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
#define LOWERS (SET(CLASS_LOWER) | SET(CLASS_LETTER) | SET(CLASS_MARK)) /* [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
#define SYMBOLS (SET(CLASS_OTHER) | SET(CLASS_MARK))                    /* [^\s\p{L}\p{N}] */

static bool is_in(unsigned set, enum tokenizer_class class) { return set >> class & 1; }

/* The end of the characters of a set from p on. */
static const char *run(const struct tokenizer_classes *c, unsigned set, const char *p, const char *end) {
  while (p < end) {
    struct character x = look(c, p, end);
    if (!is_in(set, x.class)) break;
    p += x.n;
  }
  return p;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d) at p, or p. Without case, U+017F (long s) is an s. */
static const char *contraction(const char *p, const char *end) {
  size_t left = (size_t)(end - p);
  if (left < 2 || *p != '\'') return p;
  unsigned a = (unsigned char)p[1] | 0x20U, b = left > 2 ? (unsigned char)p[2] | 0x20U : 0;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return p + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return p + 3;
  if (left > 2 && (unsigned char)p[1] == 0xc5 && (unsigned char)p[2] == 0xbf) return p + 3;
  return p;
}

/* [upper]*[lower]+ from p on, where "upper" and "lower" share the letters without case and the marks; NULL: no match.
 * *uppers is where the run of uppers ends. The run is taken whole and given back to its last shared character. */
static const char *word_with_lower(const struct tokenizer_classes *c, const char *p, const char *end,
                                   const char **uppers) {
  const char *shared = NULL;
  while (p < end) {
    struct character x = look(c, p, end);
    if (!is_in(UPPERS, x.class)) {
      *uppers = p;
      return x.class == CLASS_LOWER ? run(c, LOWERS, p, end) : shared;
    }
    p += x.n;
    if (x.class != CLASS_UPPER) shared = p;
  }
  *uppers = p;
  return shared;
}

/* The first two alternatives of o200k_base: a word in which lowers follow uppers, or one of uppers; before it at most
 * one character that is no letter, number or end of line; after it a contraction. */
static const char *word_o200k(const struct tokenizer_classes *c, struct character first, const char *p,
                              const char *end) {
  bool may_lead = !is_in(LETTERS | SET(CLASS_NUMBER) | SET(CLASS_NEWLINE), first.class);
  const char *uppers, *led = p + first.n, *stop = NULL;
  if (may_lead && !(stop = word_with_lower(c, led, end, &uppers)) && first.class == CLASS_MARK)
    return contraction(led, end); /* a mark may be the word as well as what leads it, and is its own lower */
  if (may_lead && !stop && uppers > led) stop = uppers;
  if (!may_lead && is_in(LETTERS, first.class) && !(stop = word_with_lower(c, p, end, &uppers))) stop = uppers;
  return stop ? contraction(stop, end) : NULL;
}

static const char *number(const struct tokenizer_classes *c, const char *p, const char *end) {
  for (int i = 0; i < 3 && p < end; i++) {
    struct character x = look(c, p, end);
    if (x.class != CLASS_NUMBER) break;
    p += x.n;
  }
  return p;
}

/* " ?[^\s\p{L}\p{N}]+" and then end-of-line characters, and slashes where `slashes` says so. */
static const char *symbols(const struct tokenizer_classes *c, bool slashes, const char *p, const char *end) {
  const char *from = *p == ' ' ? p + 1 : p, *stop = run(c, SYMBOLS, from, end);
  if (stop == from) return NULL;
  while (stop < end && (*stop == '\r' || *stop == '\n' || (slashes && *stop == '/'))) stop++;
  return stop;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ at a space: up to the last end of line in a run; else a run without its last character,
 * which may lead a word; all of it where the text ends, or where it is one character. */
static const char *spaces(const struct tokenizer_classes *c, const char *p, const char *end) {
  const char *line = NULL, *last = p, *q = p;
  while (q < end) {
    struct character x = look(c, q, end);
    if (!is_in(SPACES, x.class)) break;
    last = q;
    q += x.n;
    if (x.class == CLASS_NEWLINE) line = q;
  }
  if (line) return line;
  return q == end || last == p ? q : last;
}

const char *tokenizer_cut_o200k(const struct tokenizer_classes *c, const char *p, const char *end) {
  struct character first = look(c, p, end);
  const char *stop = word_o200k(c, first, p, end);
  if (stop) return stop;
  if (first.class == CLASS_NUMBER) return number(c, p, end);
  if ((stop = symbols(c, true, p, end))) return stop;
  return spaces(c, p, end);
}

const char *tokenizer_cut_cl100k(const struct tokenizer_classes *c, const char *p, const char *end) {
  const char *stop = contraction(p, end);
  if (stop > p) return stop;
  struct character first = look(c, p, end);
  if (is_in(LETTERS, first.class)) return run(c, LETTERS, p + first.n, end);
  if (first.class == CLASS_NUMBER) return number(c, p, end);
  if (first.class != CLASS_NEWLINE && (stop = run(c, LETTERS, p + first.n, end)) > p + first.n) return stop;
  if ((stop = symbols(c, false, p, end))) return stop;
  return spaces(c, p, end);
}
