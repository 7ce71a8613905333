/* Borrowed byte slices. A `struct str` never owns its bytes and is not NUL-terminated; who lends the bytes says how
 * long they live. Pure functions, no allocation. Used by every layer. */
#ifndef MAESTRO_BASE_STR_H
#define MAESTRO_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
  const char *p; /* may be NULL when n is 0 */
  size_t n;      /* bytes */
};

#define STR(literal) ((struct str){"" literal "", sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(s)). Cuts at INT_MAX. */
#define STR_ARG(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).p ? (s).p : "")

static inline struct str str_from(const char *p, size_t n) { return (struct str){p, n}; }
/* NULL gives the empty slice. */
static inline struct str str_from_c(const char *c) { return (struct str){c, c ? strlen(c) : 0}; }
static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
/* ASCII letters compare without case; other bytes exactly. */
bool str_eq_nocase(struct str a, struct str b);
int str_cmp(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_prefix_nocase(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* [from, to) clamped to s. */
struct str str_sub(struct str s, size_t from, size_t to);
/* Removes spaces and tabs (and CR, LF) at both ends. */
struct str str_trim(struct str s);
/* Index of the first / last `c`, or SIZE_MAX. */
size_t str_find_char(struct str s, char c);
size_t str_rfind_char(struct str s, char c);
/* Index of the first occurrence of `needle`, or SIZE_MAX. An empty needle is found at 0. */
size_t str_find(struct str s, struct str needle);
/* Splits at the first `c`: *head is what is before, *tail what follows. Without `c`: head = s, tail empty, false. */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);
/* Decimal digits only, no sign, no space; false on overflow or anything else. */
bool str_to_u64(struct str s, uint64_t *out);
/* Decodes %XX into out; a '%' without two hexadecimal digits stays as it is. Returns the bytes written, or SIZE_MAX
 * when they are more than cap. */
size_t str_percent_decode(struct str s, char *out, size_t cap);
/* Glob with `*` (any run) and `?` (any byte); linear in s for each star. */
bool str_glob(struct str pattern, struct str s);
/* Damerau-Levenshtein distance (ASCII case ignored), cut at `max` + 1. For "did you mean". Inputs over 128 bytes give
 * max + 1. */
unsigned str_distance(struct str a, struct str b, unsigned max);
/* The first of the nearest words that `word` may have been meant for: at most two letters away, one of a word of less
 * than four. NULL: none. */
const char *str_nearest(struct str word, const char *const *words, size_t n);
/* FNV-1a with a final mix; `seed` makes tables unpredictable to clients. */
uint64_t str_hash(struct str s, uint64_t seed);
/* True when s is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool str_is_utf8(struct str s);
/* The first max_bytes of s at most, without a UTF-8 sequence that the cut (or s itself) leaves incomplete at the end.
 */
struct str str_cut_utf8(struct str s, size_t max_bytes);

#endif
