/* The members of a JSON body that Maestro itself reads, as a table of paths ("model", "stream_options.include_usage"),
 * where the scan (base/envelope_scan.h) found them, and their decoded values. Tables are prepared once at start-up,
 * then shared by all threads and never changed; values live as long as their scan. */
#ifndef MAESTRO_BASE_ENVELOPE_H
#define MAESTRO_BASE_ENVELOPE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct envelope_scan;

enum {
  ENVELOPE_PATHS_MAX = 64, /* rows of a table */
  ENVELOPE_NAME_MAX = 48,  /* bytes of one key in a table */
  ENVELOPE_SLOTS = 256,
};
#define ENVELOPE_NO_COMMA UINT32_MAX

enum envelope_type {
  ENVELOPE_NULL,
  ENVELOPE_FALSE,
  ENVELOPE_TRUE,
  ENVELOPE_NUMBER,
  ENVELOPE_STRING,
  ENVELOPE_ARRAY,
  ENVELOPE_OBJECT,
};

/* Where one member stands. All offsets count from the body's first byte. */
struct envelope_value {
  uint32_t key_offset;   /* the key's opening quote */
  uint32_t offset;       /* the value's first byte: a quote, a brace, a digit … */
  uint32_t length;       /* of the raw value, quotes or braces included */
  uint32_t comma_before; /* the comma before this member, or ENVELOPE_NO_COMMA for the first of its object */
  uint32_t comma_after;  /* the comma after it, or ENVELOPE_NO_COMMA for the last */
  uint32_t count;        /* elements of an array, members of an object, else 0 */
  uint8_t type;          /* enum envelope_type */
};

/* The first and the last eight bytes of a key (they overlap or are padded with zeros when it is short): up to 16 bytes,
 * two keys of one length are equal when these are. */
struct envelope_words {
  uint64_t head, tail;
};

struct envelope_name {
  struct str path, name;
  struct envelope_words words;
  uint8_t parent; /* row of the parent + 1; 0 at the top level */
  bool has_children;
};
struct envelope_table {
  struct envelope_name names[ENVELOPE_PATHS_MAX];
  uint8_t slots[ENVELOPE_SLOTS]; /* row + 1, by hash; 0 free */
  uint8_t n;
};

/* Row i of the table is paths[i]: "model", or "parent.child" where "parent" is an earlier row. The bytes of paths are
 * borrowed for the table's life and end in a NUL (string literals). ERR_INTERNAL when a row breaks these rules. */
enum err envelope_table_init(struct envelope_table *t, const struct str *paths, size_t n,
                             struct err_info *info) MUST_CHECK;

static inline uint64_t envelope_load_u64(const char *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline uint64_t envelope_load_u32(const char *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline struct envelope_words envelope_words(const char *p, size_t n) {
  if (n >= 8) return (struct envelope_words){envelope_load_u64(p), envelope_load_u64(p + n - 8)};
  if (n >= 4) return (struct envelope_words){envelope_load_u32(p), envelope_load_u32(p + n - 4)};
  if (n == 0) return (struct envelope_words){0, 0};
  const unsigned char *u = (const unsigned char *)p;
  return (struct envelope_words){u[0] | (uint64_t)u[n >> 1] << 8 | (uint64_t)u[n - 1] << 16, 0};
}

/* The same for keys that differ only in letter case (and for some that do not). */
static inline unsigned envelope_slot(struct envelope_words w, size_t n, unsigned parent) {
  const uint64_t fold = 0x2020202020202020u;
  uint64_t h = ((w.head | fold) * 0x9e3779b97f4a7c15u) ^ (((w.tail | fold) + n + 131u * parent) * 0xd6e8feb86659fd93u);
  return (unsigned)((h ^ (h >> 29)) * 0xbf58476d1ce4e5b9u >> 56);
}

/* The raw JSON of a value, a slice of body. */
static inline struct str envelope_raw(struct str body, const struct envelope_value *v) {
  return str_sub(body, v->offset, (size_t)v->offset + v->length);
}
/* Decoded values. Absent: ERR_MISSING; another type, null too: ERR_BAD_TYPE; both with the row's path as param.
 * A string without escapes is a slice of body, else it is unescaped into the arena (ERR_NO_MEMORY). Lone surrogates and
 * U+0000 are refused with ERR_BAD_VALUE. */
enum err envelope_string(const struct envelope_scan *s, unsigned row, struct str body, struct arena *arena,
                         struct str *out, struct err_info *info) MUST_CHECK;
enum err envelope_bool(const struct envelope_scan *s, unsigned row, bool *out, struct err_info *info) MUST_CHECK;
/* A number without sign, fraction or exponent that fits; else ERR_BAD_VALUE. */
enum err envelope_u64(const struct envelope_scan *s, unsigned row, struct str body, uint64_t *out,
                      struct err_info *info) MUST_CHECK;

#endif
