/* JSON strings as bytes: see json_bytes.h. */
#include "base/json_bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

const unsigned char json_bytes_plain[256] = {
    [0x20 ... 0x21] = 1,
    [0x23 ... 0x5b] = 1,
    [0x5d ... 0x7f] = 1,
};
const unsigned char json_bytes_escaped[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

#if defined(__SSE2__)
static inline __m128i odd_bytes(const char *p) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                      _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
}

static const char *run_blocks(const char *p, const char *end) {
  while (end - p >= 32) {
    __m128i a = odd_bytes(p), b = odd_bytes(p + 16);
    if (_mm_movemask_epi8(_mm_or_si128(a, b))) {
      unsigned mask = (unsigned)_mm_movemask_epi8(a) | (unsigned)_mm_movemask_epi8(b) << 16;
      return p + __builtin_ctz(mask);
    }
    p += 32;
  }
  if (end - p >= 16) {
    unsigned mask = (unsigned)_mm_movemask_epi8(odd_bytes(p));
    p += mask ? (unsigned)__builtin_ctz(mask) : 16;
  }
  return p;
}
#elif defined(__ARM_NEON) && defined(__aarch64__)
static const char *run_blocks(const char *p, const char *end) {
  for (; end - p >= 16; p += 16) {
    uint8x16_t v = vld1q_u8((const uint8_t *)p);
    uint8x16_t odd = vorrq_u8(vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20)),
                              vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))));
    /* four bits a byte: the narrowing shift is NEON's movemask */
    uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(odd), 4)), 0);
    if (mask) return p + (__builtin_ctzll(mask) >> 2);
  }
  return p;
}
#else
static const char *run_blocks(const char *p, const char *end) {
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  for (; end - p >= 8; p += 8) {
    uint64_t v;
    memcpy(&v, p, 8);
    uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');
    /* may take a plain byte behind an odd one for odd, never the reverse: the caller looks again byte by byte */
    uint64_t odd = (v - ones * 0x20) | (quote - ones) | (slash - ones) | v;
    if (odd & tops) break;
  }
  return p;
}
#endif

const char *json_bytes_run_long(const char *p, const char *end) {
  p = run_blocks(p, end);
  while (p < end && json_bytes_plain[(unsigned char)*p]) p++;
  return p;
}

size_t json_bytes_put_utf8(char out[4], unsigned code_point) {
  if (code_point < 0x80) {
    out[0] = (char)code_point;
    return 1;
  }
  size_t n = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
  static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = n; i-- > 1; code_point >>= 6) out[i] = (char)(0x80 | (code_point & 0x3f));
  out[0] = (char)(lead[n] | code_point);
  return n;
}

static unsigned code_unit(const char *p) {
  return json_bytes_hex(p[0]) << 12 | json_bytes_hex(p[1]) << 8 | json_bytes_hex(p[2]) << 4 | json_bytes_hex(p[3]);
}

/* The code point of the \u escape at p, joined with its other half; *used is what it took. UINT32_MAX: lone surrogate.
 */
static uint32_t code_point(const char *p, const char *end, size_t *used) {
  unsigned unit = code_unit(p + 2);
  *used = 6;
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || end - p < 12 || p[6] != '\\' || json_bytes_escape(p + 6, end) != 6) return UINT32_MAX;
  unsigned low = code_unit(p + 8);
  if (low < 0xdc00 || low > 0xdfff) return UINT32_MAX;
  *used = 12;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

char *json_bytes_lone_half(char *p, char *end, bool *is_high) {
  size_t used;
  for (; p < end && (p = memchr(p, '\\', (size_t)(end - p))); p += used) {
    used = json_bytes_escape(p, end);
    if (used == JSON_BYTES_HALF && code_point(p, end, &used) == UINT32_MAX) {
      *is_high = code_unit(p + 2) < 0xdc00;
      return p;
    }
    if (!used) used = 1;
  }
  return end;
}

bool json_bytes_mend_halves(char *text, size_t n) {
  char *end = text + n, *half;
  bool is_high, has_any = false;
  for (char *p = text; (half = json_bytes_lone_half(p, end, &is_high)) < end; p = half + JSON_BYTES_HALF) {
    memcpy(half, "\\ufffd", JSON_BYTES_HALF);
    has_any = true;
  }
  return has_any;
}

bool json_bytes_unescape(struct str raw, enum json_bytes_mode mode, char *out, size_t *n) {
  const char *p = raw.p, *end = raw.n ? raw.p + raw.n : raw.p;
  char *to = out;
  while (p < end) {
    const char *plain = json_bytes_run(p, end);
    size_t run = (size_t)(plain - p);
    if (run) memcpy(to, p, run);
    to += run;
    p = plain;
    if (p == end) break;
    bool is_escape = *p == '\\';
    size_t used = is_escape ? json_bytes_escape(p, end) : (unsigned char)*p >= 0x80 ? json_bytes_utf8(p, end) : 0;
    if (used == 0) return false;
    if (!is_escape) {
      memcpy(to, p, used);
      to += used;
    } else if (used == 2) {
      *to++ = (char)json_bytes_escaped[(unsigned char)p[1]];
    } else {
      uint32_t point = code_point(p, end, &used);
      if (mode == JSON_BYTES_STRICT && (point == UINT32_MAX || point == 0)) return false;
      to += json_bytes_put_utf8(to, point == UINT32_MAX ? 0xfffd : point);
    }
    p += used;
  }
  *n = (size_t)(to - out);
  return true;
}
