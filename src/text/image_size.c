/* Sizes by header bytes: see image_size.h. */
#include "text/image_size.h"

enum { SEGMENTS_MAX = 512 }; /* of a JPEG, before its frame header */

static int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

/* Byte i of the file, or -1 beyond its end or where there is no base64. */
static int byte_at(struct str b, size_t i) {
  size_t q = i / 3 * 4;
  if (q >= b.n || b.n - q < 2 + i % 3) return -1;
  int x = sextet(b.p[q + i % 3]), y = sextet(b.p[q + i % 3 + 1]);
  if (x < 0 || y < 0) return -1;
  return i % 3 == 0 ? (x << 2 | y >> 4) & 0xff : i % 3 == 1 ? (x << 4 | y >> 2) & 0xff : (x << 6 | y) & 0xff;
}

/* n <= 4 bytes from i as a number; false where one is missing. */
static bool number(struct str b, size_t i, unsigned n, bool is_little, uint32_t *out) {
  uint32_t v = 0;
  for (unsigned k = 0; k < n; k++) {
    int c = byte_at(b, i + (is_little ? n - 1 - k : k));
    if (c < 0) return false;
    v = v << 8 | (uint32_t)c;
  }
  *out = v;
  return true;
}

static bool is_at(struct str b, size_t i, struct str bytes) {
  for (size_t k = 0; k < bytes.n; k++)
    if (byte_at(b, i + k) != (unsigned char)bytes.p[k]) return false;
  return true;
}

static bool both(struct str b, size_t width_at, size_t height_at, unsigned n, bool is_little, struct image_size *s) {
  return number(b, width_at, n, is_little, &s->width) && number(b, height_at, n, is_little, &s->height);
}

static bool read_png(struct str b, struct image_size *s) {
  return is_at(b, 12, STR("IHDR")) && both(b, 16, 20, 4, false, s);
}

static bool read_gif(struct str b, struct image_size *s) { return both(b, 6, 8, 2, true, s); }

static bool read_bmp(struct str b, struct image_size *s) {
  uint32_t head;
  if (!number(b, 14, 4, true, &head)) return false;
  if (head == 12) return both(b, 18, 20, 2, true, s);
  if (head < 40 || !both(b, 18, 22, 4, true, s)) return false;
  if (s->height > INT32_MAX) s->height = 0 - s->height; /* negative: rows from the top */
  return true;
}

static bool read_webp(struct str b, struct image_size *s) {
  uint32_t bits;
  if (!is_at(b, 8, STR("WEBP"))) return false;
  if (is_at(b, 12, STR("VP8 "))) {
    if (!is_at(b, 23, STR("\x9d\x01\x2a")) || !both(b, 26, 28, 2, true, s)) return false;
    s->width &= 0x3fff;
    s->height &= 0x3fff;
    return true;
  }
  if (is_at(b, 12, STR("VP8L"))) {
    if (byte_at(b, 20) != 0x2f || !number(b, 21, 4, true, &bits)) return false;
    *s = (struct image_size){(bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1};
    return true;
  }
  if (!is_at(b, 12, STR("VP8X")) || !both(b, 24, 27, 3, true, s)) return false;
  s->width++;
  s->height++;
  return true;
}

/* From marker to marker to the first frame header. */
static bool read_jpeg(struct str b, struct image_size *s) {
  size_t i = 2;
  for (int n = 0; n < SEGMENTS_MAX; n++) {
    if (byte_at(b, i) != 0xff) return false;
    int marker = byte_at(b, i + 1);
    uint32_t length;
    if (marker == 0xff) { /* a fill byte */
      i++;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) { /* without a length */
      i += 2;
      continue;
    }
    if (marker < 0xc0 || marker == 0xd9 || marker == 0xda || !number(b, i + 2, 2, false, &length) || length < 2)
      return false;
    if (marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) return both(b, i + 7, i + 5, 2, false, s);
    i += 2 + length;
  }
  return false;
}

bool image_size_read(struct str base64, struct image_size *out) {
  static const struct {
    struct str magic;
    bool (*read)(struct str b, struct image_size *s);
  } formats[] = {
      {STR("\x89PNG\r\n\x1a\n"), read_png},
      {STR("\xff\xd8\xff"), read_jpeg},
      {STR("GIF87a"), read_gif},
      {STR("GIF89a"), read_gif},
      {STR("RIFF"), read_webp},
      {STR("BM"), read_bmp},
  };
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    struct image_size s = {0};
    if (!is_at(base64, 0, formats[i].magic)) continue;
    if (!formats[i].read(base64, &s) || !s.width || !s.height) return false;
    *out = s;
    return true;
  }
  return false;
}

/* Counts "/Type", spaces, "/Page" and then no letter, as the bytes go by. */
uint32_t image_size_pdf_pages(struct str base64) {
  static const char word[] = "/Type/Page";
  enum { AFTER_TYPE = 5, WORD = sizeof word - 1 };
  uint32_t pages = 0;
  unsigned matched = 0;
  if (!is_at(base64, 0, STR("%PDF-"))) return 0;
  for (size_t i = 0;; i++) {
    int c = byte_at(base64, i);
    if (matched == WORD) {
      if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) pages++;
      matched = 0;
    }
    if (c < 0) return pages;
    if (c == word[matched])
      matched++;
    else if (matched != AFTER_TYPE || (c != ' ' && c != '\r' && c != '\n'))
      matched = c == '/' ? 1 : 0;
  }
}

uint64_t image_size_wav_deciseconds(struct str base64) {
  uint32_t bytes_a_second;
  if (!is_at(base64, 0, STR("RIFF")) || !is_at(base64, 8, STR("WAVEfmt ")) ||
      !number(base64, 28, 4, true, &bytes_a_second) || bytes_a_second < 1000)
    return 0;
  return (uint64_t)(base64.n / 4 * 3) * 10 / bytes_a_second;
}
