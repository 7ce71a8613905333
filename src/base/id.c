/* Identifiers: see id.h. xoshiro256** (Blackman and Vigna, 2018). A thread seeds itself at its first id; should the
 * system's generator fail, time and address are the seed, since an id is no secret. */
#include "base/id.h"

#include "base/clock.h"
#include "base/crypto.h"

static _Thread_local struct {
  uint64_t s[4];
  bool is_seeded;
} state;

static uint64_t (*injected)(void);

static uint64_t rotate(uint64_t v, int by) { return v << by | v >> (64 - by); }

static void seed(void) {
  if (crypto_random(state.s, sizeof state.s)) {
    state.s[0] = clock_mono_us();
    state.s[1] = (uint64_t)clock_wall_us();
    state.s[2] = (uint64_t)(uintptr_t)&state;
  }
  state.s[3] |= 1; /* never all zero */
  state.is_seeded = true;
}

uint64_t id_random_u64(void) {
  if (injected) return injected();
  if (!state.is_seeded) seed();
  uint64_t *s = state.s;
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint64_t id_random_below(uint64_t bound) {
  /* The high half of a 128-bit product; its bias is below 2^-32 for every bound under 2^32. */
  return (uint64_t)(((unsigned __int128)id_random_u64() * bound) >> 64);
}

struct str id_make(struct str prefix, char out[ID_BYTES]) {
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  size_t at = prefix.n < ID_PREFIX_MAX ? prefix.n : ID_PREFIX_MAX;
  if (at) memcpy(out, prefix.p, at);
  for (int half = 0; half < 2; half++) {
    uint64_t bits = id_random_u64();
    for (int i = 0; i < ID_RANDOM_CHARS / 2; i++, bits >>= 5) out[at++] = alphabet[bits & 31];
  }
  out[at] = 0;
  return str_from(out, at);
}

bool id_is_acceptable(struct str s) {
  if (s.n == 0 || s.n > ID_CLIENT_MAX) return false;
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < 0x21 || s.p[i] > 0x7e) return false;
  return true;
}

void id_inject(uint64_t (*next)(void)) { injected = next; }
