/* Shared by the files of the tokenizer only: the classes of characters, the vocabulary, cutting and merging. */
#ifndef MAESTRO_TEXT_TOKENIZER_INTERNAL_H
#define MAESTRO_TEXT_TOKENIZER_INTERNAL_H

#include "text/tokenizer.h"

/* What the patterns tell apart, in the order of scripts/tokenizer/generate.cjs. */
enum tokenizer_class {
  CLASS_OTHER,
  CLASS_NEWLINE, /* CR and LF */
  CLASS_SPACE,   /* the rest of White_Space */
  CLASS_UPPER,   /* Lu Lt */
  CLASS_LOWER,   /* Ll */
  CLASS_LETTER,  /* Lm Lo: letters without case */
  CLASS_MARK,    /* M */
  CLASS_NUMBER   /* N */
};

/* Of a code point: blocks[index[code >> 8] * 256 + (code & 255)]. */
struct tokenizer_classes {
  const unsigned char *index; /* 0x1100 numbers of 16 bits, little-endian */
  const unsigned char *blocks;
};

/* A token's rank: where its bytes begin in the vocabulary's text, which is in the order of ranks, and its length below
 * that. Ranks compare as numbers. */
typedef uint32_t tokenizer_rank;
#define RANK_NONE UINT32_MAX

enum { TOKEN_BYTES_MAX = 128, RANK_LENGTH_BITS = 8 };

struct tokenizer_slot {
  uint32_t hash; /* its other bits chose the slot */
  tokenizer_rank rank;
};

struct tokenizer_vocabulary {
  struct tokenizer_slot *slots; /* open addressing, RANK_NONE where free */
  const char *text;
  unsigned slot_bits;
  struct tokenizer_classes classes;
  unsigned char *unpacked, *unpacked_classes; /* what text and classes lie in */
};

/* NULL: there is none, or no memory for it. */
const struct tokenizer_vocabulary *tokenizer_vocabulary_get(enum tokenizer_encoding encoding);

static inline uint64_t tokenizer_read_8(const char *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

static inline uint32_t tokenizer_read_4(const char *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

/* 1 to 8 bytes in one number, which with n tells them. */
static inline uint64_t tokenizer_read(const char *p, size_t n) {
  if (n >= 4) return (uint64_t)tokenizer_read_4(p) << 32 | tokenizer_read_4(p + n - 4);
  return (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n >> 1] << 8 | (unsigned char)p[n - 1];
}

/* Only spreads: the vocabulary is fixed, so no text can make its chains longer. n > 0. */
static inline uint64_t tokenizer_hash(const char *p, size_t n) {
  const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
  uint64_t h = n * k;
  for (; n > 8; p += 8, n -= 8) {
    h = (h ^ tokenizer_read_8(p)) * k;
    h ^= h >> 29;
  }
  h = (h ^ tokenizer_read(p, n)) * k;
  return (h ^ (h >> 32)) * k;
}

static inline bool tokenizer_is_same(const char *a, const char *b, size_t n) {
  for (; n > 8; a += 8, b += 8, n -= 8)
    if (tokenizer_read_8(a) != tokenizer_read_8(b)) return false;
  return tokenizer_read(a, n) == tokenizer_read(b, n);
}

/* The rank of the token that these bytes are, or RANK_NONE. */
static inline tokenizer_rank tokenizer_find(const struct tokenizer_vocabulary *v, const char *p, size_t n) {
  if (n > TOKEN_BYTES_MAX) return RANK_NONE;
  uint64_t hash = tokenizer_hash(p, n);
  size_t mask = ((size_t)1 << v->slot_bits) - 1;
  for (size_t i = (size_t)(hash >> (64 - v->slot_bits));; i = (i + 1) & mask) {
    const struct tokenizer_slot *s = &v->slots[i];
    if (s->rank == RANK_NONE) return RANK_NONE;
    if (s->hash == (uint32_t)hash && (s->rank & ((1U << RANK_LENGTH_BITS) - 1)) == n &&
        tokenizer_is_same(v->text + (s->rank >> RANK_LENGTH_BITS), p, n))
      return s->rank;
  }
}

/* The end of the piece that begins at p < end, as the encoding's pattern cuts it. */
const char *tokenizer_cut_o200k(const struct tokenizer_classes *c, const char *p, const char *end);
const char *tokenizer_cut_cl100k(const struct tokenizer_classes *c, const char *p, const char *end);

/* The tokens of one piece, by merging its bytes; n > 0. */
int64_t tokenizer_merge(const struct tokenizer_vocabulary *v, const char *p, size_t n);

#endif
