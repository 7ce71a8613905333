/* Vectors between their two forms: see embedding.h. */
#include "llm/embedding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/base64.h"

enum { NUMBER_BYTES_MAX = 64, FLOAT_BYTES = 4 };

static enum err bad(struct err_info *info) {
  return err_set(info, ERR_UPSTREAM_PROTOCOL,
                 "the provider's answer could not be understood: an embedding is not a list of numbers");
}

static enum err too_large(struct err_info *info) {
  return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the provider's embedding has more than %d dimensions",
                 EMBEDDING_DIMENSIONS_MAX);
}

enum err embedding_read_numbers(struct arena *a, struct yyjson_val *array, struct embedding_vector *out,
                                struct err_info *info) {
  size_t bytes = 2;
  yyjson_val *v;
  if (!yyjson_is_arr(array) || yyjson_arr_size(array) == 0) return bad(info);
  if (yyjson_arr_size(array) > EMBEDDING_DIMENSIONS_MAX) return too_large(info);
  yyjson_arr_iter it = yyjson_arr_iter_with(array);
  while ((v = yyjson_arr_iter_next(&it))) {
    if (!yyjson_is_raw(v) || yyjson_get_len(v) > NUMBER_BYTES_MAX) return bad(info);
    bytes += yyjson_get_len(v) + 1;
  }
  char *text = arena_alloc(a, bytes), *at = text;
  if (!text) return ERR_NO_MEMORY;
  *at++ = '[';
  it = yyjson_arr_iter_with(array);
  while ((v = yyjson_arr_iter_next(&it))) {
    if (at != text + 1) *at++ = ',';
    memcpy(at, yyjson_get_raw(v), yyjson_get_len(v));
    at += yyjson_get_len(v);
  }
  *at++ = ']';
  *out = (struct embedding_vector){.numbers = str_from(text, (size_t)(at - text))};
  return OK;
}

static float float_at(const unsigned char *p) {
  uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* The floats' bytes, from malloc; NULL where s is no base64 of them. */
static unsigned char *decode(struct str s, size_t *n) {
  unsigned char *bytes = malloc(base64_room(s.n));
  *n = bytes ? base64_decode(s, bytes) : 0;
  if (*n && *n != SIZE_MAX && *n % FLOAT_BYTES == 0) return bytes;
  free(bytes);
  return NULL;
}

enum err embedding_read_base64(struct arena *a, struct str base64, struct embedding_vector *out,
                               struct err_info *info) {
  size_t n = 0;
  if (base64.n > EMBEDDING_DIMENSIONS_MAX * (FLOAT_BYTES * 4 / 3 + 1)) return too_large(info);
  unsigned char *bytes = decode(base64, &n);
  bool is_good = bytes != NULL;
  for (size_t i = 0; is_good && i < n; i += FLOAT_BYTES) is_good = isfinite(float_at(bytes + i));
  free(bytes);
  if (!is_good) return bad(info);
  struct str copy = arena_dup(a, base64);
  if (!copy.p) return ERR_NO_MEMORY;
  *out = (struct embedding_vector){.base64 = copy};
  return OK;
}

void embedding_put_numbers(struct buf *out, const struct embedding_vector *v) {
  if (v->numbers.n) {
    buf_put(out, v->numbers);
    return;
  }
  size_t n = 0;
  unsigned char *bytes = decode(v->base64, &n);
  if (!bytes) out->failed = true;
  buf_put_char(out, '[');
  for (size_t i = 0; bytes && i < n; i += FLOAT_BYTES) {
    if (i) buf_put_char(out, ',');
    buf_printf(out, "%.9g", (double)float_at(bytes + i));
  }
  buf_put_char(out, ']');
  free(bytes);
}

/* The next number of "[1,2]"; false at its end. */
static bool next_number(struct str *rest, float *out) {
  char digits[NUMBER_BYTES_MAX + 1];
  struct str one;
  if (rest->n == 0) return false;
  str_cut(*rest, ',', &one, rest);
  if (one.n > NUMBER_BYTES_MAX) return false;
  memcpy(digits, one.p, one.n);
  digits[one.n] = 0;
  *out = strtof(digits, NULL); /* the grammar has been checked; the process never leaves the C locale */
  return true;
}

void embedding_put_base64(struct buf *out, const struct embedding_vector *v) {
  if (v->base64.n) {
    buf_put(out, v->base64);
    return;
  }
  struct str rest = v->numbers.n > 2 ? str_sub(v->numbers, 1, v->numbers.n - 1) : STR_NONE;
  unsigned char block[3 * FLOAT_BYTES]; /* a multiple of three, so that blocks join without padding */
  size_t held = 0;
  float f;
  bool is_more = true;
  while (is_more) {
    uint32_t bits = 0;
    is_more = next_number(&rest, &f);
    if (is_more) {
      memcpy(&bits, &f, sizeof bits);
      for (int i = 0; i < FLOAT_BYTES; i++) block[held++] = (unsigned char)(bits >> (8 * i));
    }
    if (held == 0 || (is_more && held < sizeof block)) continue;
    base64_put(out, str_from((char *)block, held));
    held = 0;
  }
}
