/* gzip and deflate request bodies, piece by piece (zlib). Called by http_body.c on the exchange's fiber; holds about
 * 40 KiB while it lives. "deflate" is the zlib format (RFC 9110 §8.4.1.2), but raw deflate is what some clients send,
 * so the first byte decides. Several gzip members in a row are one body (RFC 1952 §2.2). */
#include <stdlib.h>
#include <zlib.h>

#include "io/http_server_internal.h"

enum { BITS_ZLIB = 15, BITS_GZIP = 15 + 16, BITS_RAW = -15 };

struct http_inflate {
  z_stream z;
  enum http_coding coding;
  bool is_open, is_ended, is_full; /* is_full: zlib may hold output back */
};

enum err http_inflate_new(struct http_inflate **out, enum http_coding coding) {
  struct http_inflate *f = calloc(1, sizeof *f);
  if (!f) return ERR_NO_MEMORY;
  f->coding = coding;
  *out = f;
  return OK;
}

void http_inflate_free(struct http_inflate *f) {
  if (!f) return;
  if (f->is_open) inflateEnd(&f->z);
  free(f);
}

/* Needs one byte to know the format. */
static enum err open_stream(struct http_inflate *f, unsigned char first) {
  int bits = BITS_GZIP;
  if (f->coding == HTTP_CODING_DEFLATE) bits = (first & 0x0f) == 8 && first >> 4 <= 7 ? BITS_ZLIB : BITS_RAW;
  if (inflateInit2(&f->z, bits) != Z_OK) return ERR_NO_MEMORY;
  f->is_open = true;
  return OK;
}

enum err http_inflate_run(struct http_inflate *f, struct str *in, char *out, size_t room, size_t *made,
                          struct err_info *info) {
  *made = 0;
  while ((in->n || f->is_full) && *made < room) {
    if (!f->is_open) {
      const enum err e = open_stream(f, (unsigned char)in->p[0]);
      if (e) return e;
    }
    if (f->is_ended) {
      if (in->n == 0) break;
      if (f->coding != HTTP_CODING_GZIP || inflateReset(&f->z) != Z_OK)
        return err_set(info, ERR_BAD_REQUEST, "the compressed body goes on after its end");
      f->is_ended = false;
    }
    const uInt in_n = in->n < 1u << 30 ? (uInt)in->n : 1u << 30;
    const uInt out_n = room - *made < 1u << 30 ? (uInt)(room - *made) : 1u << 30;
    f->z.next_in = (Bytef *)(uintptr_t)in->p;
    f->z.avail_in = in_n;
    f->z.next_out = (Bytef *)out + *made;
    f->z.avail_out = out_n;
    const int rc = inflate(&f->z, Z_NO_FLUSH);
    *in = str_sub(*in, in_n - f->z.avail_in, in->n);
    *made += out_n - f->z.avail_out;
    f->is_full = f->z.avail_out == 0;
    if (rc == Z_STREAM_END)
      f->is_ended = true;
    else if (rc == Z_MEM_ERROR)
      return ERR_NO_MEMORY;
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
      return err_set(info, ERR_BAD_REQUEST, "the compressed body is damaged");
    else if (f->z.avail_in == in_n && f->z.avail_out == out_n)
      break; /* no progress: cannot be with input and room, but a loop must end */
  }
  return OK;
}

bool http_inflate_is_ended(const struct http_inflate *f) { return f->is_ended; }
