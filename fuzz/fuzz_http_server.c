/* links: io
 * The bytes of a client, through the parser of io/http_server as a connection feeds it: whole, in two pieces and byte
 * by byte. However they are cut they must mean the same, and everything a request points at must lie in its arena. The
 * first byte chooses the cut. */
#include <stdlib.h>

#include "io/http_parse.h"

enum { INPUT_MAX = 16384 };

static struct http_parse_shared shared;

struct outcome {
  int status; /* of the failure, or 0 */
  uint64_t heads, done, hash;
};

static void mix(struct outcome *o, struct str s) { o->hash = str_hash(s, o->hash + 1); }

static void check_request(struct outcome *o, const struct http_request *r) {
  if (r->path.n == 0 || r->target.n == 0 || r->method_name.n == 0) abort();
  if (r->version_minor == 1 && r->host.n == 0) abort();
  if (r->content_length >= 0 && r->has_body != (r->content_length > 0)) abort();
  mix(o, r->method_name);
  mix(o, r->path);
  mix(o, r->query);
  mix(o, r->host);
  for (size_t i = 0; i < r->headers.n; i++) {
    if (!http_header_value_is_safe(r->headers.v[i].value)) abort();
    mix(o, r->headers.v[i].name);
    mix(o, r->headers.v[i].value);
  }
}

static void feed(struct http_parse *p, struct outcome *o, uint64_t *body_hash, const uint8_t *data, size_t n) {
  char *copy = malloc(n ? n : 1); /* exact, so that a read past the end is seen */
  if (!copy) abort();
  for (size_t i = 0; i < n; i++) copy[i] = (char)data[i];
  struct str in = str_from(copy, n);
  while (in.n && !o->status) {
    struct http_parse_step step;
    struct err_info info = {0};
    const size_t before = in.n;
    const enum err e = http_parse_run(p, &in, &step, &info);
    if (e) {
      o->status = err_info_status(e, &info);
      if (o->status < 400) abort();
      (void)str_is_utf8(http_parse_path(p));
      break;
    }
    if (in.n == before && !step.has_head && !step.is_done && !step.body.n) abort();
    if (step.has_head) {
      struct arena a;
      struct http_request r;
      arena_init(&a, 0);
      if (http_parse_take(p, &a, &r) != OK) abort();
      check_request(o, &r);
      arena_clear(&a);
      o->heads++;
    }
    for (size_t i = 0; i < step.body.n; i++) *body_hash = *body_hash * 31 + (unsigned char)step.body.p[i];
    o->done += step.is_done;
  }
  free(copy);
}

/* Pieces of `first` bytes, then of `step`. */
static struct outcome run(const uint8_t *data, size_t size, size_t first, size_t step) {
  struct http_parse p;
  struct outcome o = {0};
  uint64_t body_hash = 0;
  http_parse_init(&p, &shared);
  for (size_t at = 0, n = first; at < size && !o.status; at += n, n = step) {
    if (n > size - at) n = size - at;
    feed(&p, &o, &body_hash, data + at, n);
  }
  http_parse_clear(&p);
  o.hash += body_hash;
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!shared.fields && http_parse_shared_init(&shared, 8192, 65536, 100) != OK) abort();
  if (size < 2 || size > INPUT_MAX) return 0;
  const size_t first = (size_t)data[0] * 8 % size;
  data++;
  size--;
  const struct outcome whole = run(data, size, size, size);
  const struct outcome cut = run(data, size, first ? first : 1, size);
  const struct outcome bytewise = run(data, size, 1, 1);
  if (whole.status != bytewise.status || cut.status != bytewise.status) abort();
  /* A fault in a body may come before or after its head was reported; without one all is equal. */
  if (!whole.status && (whole.hash != bytewise.hash || whole.done != bytewise.done || cut.hash != bytewise.hash))
    abort();
  return 0;
}
