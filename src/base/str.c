/* Borrowed byte slices: see str.h. */
#include "base/str.h"

#include "base/json_bytes.h"

static unsigned char lower(char c) {
  unsigned char u = (unsigned char)c;
  return (u >= 'A' && u <= 'Z') ? (unsigned char)(u + 32) : u;
}

bool str_eq_nocase(struct str a, struct str b) {
  if (a.n != b.n) return false;
  for (size_t i = 0; i < a.n; i++)
    if (lower(a.p[i]) != lower(b.p[i])) return false;
  return true;
}

int str_cmp(struct str a, struct str b) {
  size_t n = a.n < b.n ? a.n : b.n;
  int d = n ? memcmp(a.p, b.p, n) : 0;
  if (d) return d;
  return a.n < b.n ? -1 : a.n > b.n;
}

bool str_has_prefix(struct str s, struct str prefix) {
  return s.n >= prefix.n && str_eq(str_from(s.p, prefix.n), prefix);
}

bool str_has_prefix_nocase(struct str s, struct str prefix) {
  return s.n >= prefix.n && str_eq_nocase(str_from(s.p, prefix.n), prefix);
}

bool str_has_suffix(struct str s, struct str suffix) {
  return s.n >= suffix.n && str_eq(str_sub(s, s.n - suffix.n, s.n), suffix);
}

struct str str_sub(struct str s, size_t from, size_t to) {
  if (to > s.n) to = s.n;
  if (from > to) from = to;
  return s.p ? str_from(s.p + from, to - from) : STR_NONE;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct str str_trim(struct str s) {
  while (s.n && is_space(s.p[0])) s.p++, s.n--;
  while (s.n && is_space(s.p[s.n - 1])) s.n--;
  return s;
}

size_t str_find_char(struct str s, char c) {
  const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
  return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t str_rfind_char(struct str s, char c) {
  for (size_t i = s.n; i-- > 0;)
    if (s.p[i] == c) return i;
  return SIZE_MAX;
}

size_t str_find(struct str s, struct str needle) {
  if (needle.n == 0) return 0;
  for (size_t at = 0; at + needle.n <= s.n;) {
    const char *hit = memchr(s.p + at, needle.p[0], s.n - needle.n - at + 1);
    if (!hit) return SIZE_MAX;
    at = (size_t)(hit - s.p);
    if (hit[needle.n - 1] == needle.p[needle.n - 1] && memcmp(hit, needle.p, needle.n) == 0) return at;
    at++;
  }
  return SIZE_MAX;
}

bool str_cut(struct str s, char c, struct str *head, struct str *tail) {
  size_t at = str_find_char(s, c);
  if (at == SIZE_MAX) {
    *head = s;
    *tail = STR_NONE;
    return false;
  }
  *head = str_sub(s, 0, at);
  *tail = str_sub(s, at + 1, s.n);
  return true;
}

bool str_to_u64(struct str s, uint64_t *out) {
  uint64_t value = 0;
  if (s.n == 0) return false;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] < '0' || s.p[i] > '9') return false;
    uint64_t digit = (uint64_t)(s.p[i] - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *out = value;
  return true;
}

size_t str_percent_decode(struct str s, char *out, size_t cap) {
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '%' && s.n - i > 2 && (json_bytes_hex(s.p[i + 1]) | json_bytes_hex(s.p[i + 2])) < 16) {
      c = (char)(json_bytes_hex(s.p[i + 1]) << 4 | json_bytes_hex(s.p[i + 2]));
      i += 2;
    }
    if (n == cap) return SIZE_MAX;
    out[n++] = c;
  }
  return n;
}

bool str_glob(struct str pattern, struct str s) {
  size_t p = 0, i = 0, star = SIZE_MAX, resume = 0;
  while (i < s.n) {
    if (p < pattern.n && pattern.p[p] == '*') {
      star = p++;
      resume = i;
    } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == s.p[i])) {
      p++, i++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.n && pattern.p[p] == '*') p++;
  return p == pattern.n;
}

enum { DISTANCE_MAX_BYTES = 128 };

unsigned str_distance(struct str a, struct str b, unsigned max) {
  if (a.n > DISTANCE_MAX_BYTES || b.n > DISTANCE_MAX_BYTES) return max + 1;
  unsigned row[3][DISTANCE_MAX_BYTES + 1];
  for (unsigned j = 0; j <= b.n; j++) row[0][j] = j;
  for (size_t i = 1; i <= a.n; i++) {
    unsigned *cur = row[i % 3], *prev = row[(i + 2) % 3], *prev2 = row[(i + 1) % 3];
    cur[0] = (unsigned)i;
    for (size_t j = 1; j <= b.n; j++) {
      unsigned differs = lower(a.p[i - 1]) != lower(b.p[j - 1]);
      unsigned best = prev[j - 1] + differs;
      if (prev[j] + 1 < best) best = prev[j] + 1;
      if (cur[j - 1] + 1 < best) best = cur[j - 1] + 1;
      if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]) &&
          prev2[j - 2] + 1 < best)
        best = prev2[j - 2] + 1;
      cur[j] = best;
    }
  }
  unsigned d = row[a.n % 3][b.n];
  return d > max ? max + 1 : d;
}

const char *str_nearest(struct str word, const char *const *words, size_t n) {
  const char *best = NULL;
  unsigned distance = word.n < 4 ? 2 : 3;
  for (size_t i = 0; i < n; i++) {
    unsigned d = str_distance(word, str_from_c(words[i]), 3);
    if (d < distance) best = words[i], distance = d;
  }
  return best;
}

uint64_t str_hash(struct str s, uint64_t seed) {
  uint64_t h = 14695981039346656037u ^ seed;
  for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  return h ^ (h >> 32);
}

bool str_is_utf8(struct str s) {
  const unsigned char *p = (const unsigned char *)s.p;
  size_t i = 0;
  while (i < s.n) {
    unsigned char c = p[i];
    if (c < 0x80) {
      i++;
      continue;
    }
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    if (c < 0xc2 || c > 0xf4 || s.n - i <= more) return false;
    unsigned char second = p[i + 1];
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (size_t k = 2; k <= more; k++)
      if ((p[i + k] & 0xc0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

struct str str_cut_utf8(struct str s, size_t max_bytes) {
  s = str_sub(s, 0, max_bytes);
  size_t back = 0;
  while (back < 3 && back < s.n && ((unsigned char)s.p[s.n - 1 - back] & 0xc0) == 0x80) back++;
  if (back == s.n) return s;
  unsigned char lead = (unsigned char)s.p[s.n - 1 - back];
  size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  return more > back ? str_sub(s, 0, s.n - 1 - back) : s;
}
