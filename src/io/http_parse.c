/* llhttp's callbacks and the pull interface over them: see http_parse.h. The semantic checks are in http_parse_head.c.
 */
#include "io/llhttp_names.h"

#include <assert.h>
#include <stdlib.h>

#include "io/http_parse.h"

/* Of one message; both are thrown away, so a real client needs next to nothing. */
enum { OVERHEAD_MAX = 16384, HEADER_COUNT_MAX = 4096, HEADER_BYTES_MAX = 16 << 20 };

static_assert(sizeof(llhttp_t) <= HTTP_PARSE_LLHTTP_BYTES && _Alignof(llhttp_t) <= 16, "llhttp_t fits its storage");

static llhttp_t *parser_of(struct http_parse *p) { return (llhttp_t *)(void *)p->llhttp; }

static uint32_t offset_of(const struct http_parse *p, const char *at) { return p->offset + (uint32_t)(at - p->data); }

static int fail(struct http_parse *p, enum err e) {
  p->failure = e;
  return -1;
}

static int on_url(llhttp_t *ll, const char *at, size_t n) {
  struct http_parse *p = ll->data;
  if (p->target_n == 0) p->target_at = offset_of(p, at);
  p->target_n += (uint32_t)n;
  return p->target_n > p->shared->target_bytes ? fail(p, ERR_TARGET_TOO_LONG) : 0;
}

static int on_url_complete(llhttp_t *ll) {
  struct http_parse *p = ll->data;
  p->is_target_done = true;
  return 0;
}

static int on_overhead(llhttp_t *ll, const char *at, size_t n) {
  struct http_parse *p = ll->data;
  (void)at;
  p->overhead_bytes += (uint32_t)n + 2;
  return p->overhead_bytes > OVERHEAD_MAX ? fail(p, ERR_HEADER_TOO_LARGE) : 0;
}

static int on_header_field(llhttp_t *ll, const char *at, size_t n) {
  struct http_parse *p = ll->data;
  if (p->is_head_done) return on_overhead(ll, at, n);
  if (!p->is_in_field) {
    if (p->count >= p->shared->header_count || p->count >= p->fields_cap) return fail(p, ERR_HEADER_TOO_LARGE);
    p->fields[p->count] = (struct http_parse_field){.name_at = offset_of(p, at)};
    p->is_in_field = true;
  }
  p->fields[p->count].name_n += (uint32_t)n;
  return 0;
}

static int on_header_value(llhttp_t *ll, const char *at, size_t n) {
  struct http_parse *p = ll->data;
  if (p->is_head_done) return on_overhead(ll, at, n);
  struct http_parse_field *f = &p->fields[p->count];
  if (f->value_n == 0) f->value_at = offset_of(p, at);
  f->value_n += (uint32_t)n;
  return 0;
}

static int on_header_value_complete(llhttp_t *ll) {
  struct http_parse *p = ll->data;
  if (p->is_head_done) return 0;
  p->count++;
  p->is_in_field = false;
  return 0;
}

/* Where the copied part of the head ends: with the last field, but not before a whole request line. */
static uint32_t head_end(const struct http_parse *p) {
  const uint32_t line_end = p->target_at + p->target_n + (uint32_t)sizeof " HTTP/1.1\r\n" - 1;
  if (p->count == 0) return line_end;
  const struct http_parse_field *f = &p->fields[p->count - 1];
  const uint32_t end = f->value_n ? f->value_at + f->value_n : f->name_at + f->name_n + 1;
  return end > line_end ? end : line_end;
}

static int on_headers_complete(llhttp_t *ll) {
  struct http_parse *p = ll->data;
  p->raw_n = head_end(p);
  if (p->raw_n > p->shared->header_bytes) return fail(p, ERR_HEADER_TOO_LARGE);
  /* llhttp takes HTTP/0.9, which has no version to look at, and other protocols with shorter names. */
  if (llhttp_get_http_major(ll) != 1 || p->raw_n > p->offset + p->data_n) {
    err_set(p->info, ERR_BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are served here");
    if (p->info) p->info->http_status = 505;
    return fail(p, ERR_BAD_REQUEST);
  }
  if (p->partial.n) {
    if (p->raw_n > p->offset) buf_put(&p->partial, str_from(p->data, p->raw_n - p->offset));
    if (p->partial.failed) return fail(p, ERR_NO_MEMORY);
  }
  p->raw = p->partial.n ? p->partial.p : p->data;
  struct http_parse_facts facts = {
      .minor = llhttp_get_http_minor(ll),
      .keep_alive = llhttp_should_keep_alive(ll),
      .is_chunked = ll->flags & F_CHUNKED,
      .has_length = ll->flags & F_CONTENT_LENGTH,
      .wants_upgrade = (ll->flags & F_UPGRADE) && (ll->flags & F_CONNECTION_UPGRADE),
      .length = ll->content_length,
  };
  static const uint8_t methods[] = {
      [LLHTTP_GET] = HTTP_GET,        [LLHTTP_HEAD] = HTTP_HEAD,   [LLHTTP_POST] = HTTP_POST,
      [LLHTTP_PUT] = HTTP_PUT,        [LLHTTP_PATCH] = HTTP_PATCH, [LLHTTP_DELETE] = HTTP_DELETE,
      [LLHTTP_OPTIONS] = HTTP_OPTIONS};
  p->head = (struct http_parse_head){.method = ll->method < sizeof methods ? methods[ll->method] : HTTP_OTHER};
  enum err e = http_parse_check_head(p, &facts, p->info);
  if (e) return fail(p, e);
  ll->upgrade = 0; /* offers we do not take are ignored, and the body is read as ever */
  p->is_head_done = true;
  p->step->has_head = true;
  return 0;
}

static int on_body(llhttp_t *ll, const char *at, size_t n) {
  struct http_parse *p = ll->data;
  p->step->body = str_from(at, n);
  /* A run returns one piece. Only a chunked body can have a second one in the same input. */
  return ll->flags & F_CHUNKED ? HPE_PAUSED : 0;
}

static int on_message_complete(llhttp_t *ll) {
  struct http_parse *p = ll->data;
  p->step->is_done = true;
  return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_extension_name = on_overhead,
    .on_chunk_extension_value = on_overhead,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

enum err http_parse_shared_init(struct http_parse_shared *s, size_t target_bytes, size_t header_bytes,
                                unsigned header_count) {
  if (header_count > HEADER_COUNT_MAX) header_count = HEADER_COUNT_MAX;
  if (header_bytes > HEADER_BYTES_MAX) header_bytes = HEADER_BYTES_MAX;
  struct http_parse_field *fields = calloc(header_count, sizeof *fields);
  if (!fields) return ERR_NO_MEMORY;
  *s = (struct http_parse_shared){target_bytes, header_bytes, header_count, header_count, fields};
  return OK;
}

void http_parse_shared_clear(struct http_parse_shared *s) {
  free(s->fields);
  s->fields = NULL;
}

static void forget_head(struct http_parse *p) {
  if (p->partial.p) buf_clear(&p->partial);
  if (p->own_fields) {
    free(p->own_fields);
    p->own_fields = NULL;
  }
  p->raw = NULL;
  p->is_target_done = false;
}

static void reset_message(struct http_parse *p) {
  forget_head(p);
  p->offset = p->target_at = p->target_n = p->count = p->raw_n = p->overhead_bytes = 0;
  p->is_in_field = p->is_head_done = p->is_message_done = false;
}

void http_parse_init(struct http_parse *p, const struct http_parse_shared *shared) {
  *p = (struct http_parse){.shared = shared};
  llhttp_init(parser_of(p), HTTP_REQUEST, &settings);
  parser_of(p)->data = p;
}

void http_parse_clear(struct http_parse *p) { reset_message(p); }

/* Keeps what a head in pieces has brought so far. */
static enum err save_partial(struct http_parse *p, struct str seen) {
  if (p->offset + seen.n > p->shared->header_bytes) return ERR_HEADER_TOO_LARGE;
  buf_put(&p->partial, seen);
  if (p->partial.failed) return ERR_NO_MEMORY;
  p->offset += (uint32_t)seen.n;
  if (p->own_fields) return OK;
  p->own_fields = malloc(sizeof *p->own_fields * p->fields_cap);
  if (!p->own_fields) return ERR_NO_MEMORY;
  memcpy(p->own_fields, p->fields, sizeof *p->fields * (p->count + p->is_in_field));
  return OK;
}

static bool is_token_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* llhttp's error, or the one a callback left, as ours. */
static enum err classify(struct http_parse *p, llhttp_errno_t code, struct str in, struct err_info *info) {
  if (p->failure) return p->failure;
  llhttp_t *ll = parser_of(p);
  const char *reason = llhttp_get_error_reason(ll), *at = llhttp_get_error_pos(ll);
  if (code == HPE_PAUSED_H2_UPGRADE ||
      (code == HPE_INVALID_VERSION && reason && strcmp(reason, "Invalid HTTP version") == 0)) {
    err_set(info, ERR_BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are served here");
    if (info) info->http_status = 505;
  } else if (code == HPE_INVALID_METHOD && at && at >= in.p && at < in.p + in.n && is_token_char(*at)) {
    err_set(info, ERR_BAD_REQUEST, "this request method is not known here");
    if (info) info->http_status = 501;
  } else {
    err_set(info, ERR_BAD_REQUEST, "malformed HTTP request: %s", reason ? reason : "unknown");
  }
  return ERR_BAD_REQUEST;
}

static enum err end_with(struct http_parse *p, enum err e, struct str in) {
  p->failure = e;
  /* http_parse_path wants the whole target in one place. */
  if (p->partial.n && !p->is_head_done) buf_put(&p->partial, in);
  p->raw = p->partial.n ? p->partial.p : in.p;
  p->raw_n = (uint32_t)(p->partial.n ? p->partial.n : in.n);
  return e;
}

enum err http_parse_run(struct http_parse *p, struct str *in, struct http_parse_step *step, struct err_info *info) {
  *step = (struct http_parse_step){0};
  if (p->failure) return p->failure;
  llhttp_t *ll = parser_of(p);
  const struct str all = *in;
  p->step = step;
  p->info = info;
  p->data = all.p;
  p->data_n = (uint32_t)all.n;
  p->fields = p->own_fields ? p->own_fields : p->shared->fields;
  if (!p->own_fields) p->fields_cap = p->shared->fields_cap;
  llhttp_errno_t code = llhttp_execute(ll, all.p, all.n);
  if (code == HPE_PAUSED) {
    const char *stop = llhttp_get_error_pos(ll);
    *in = str_from(stop, (size_t)(all.p + all.n - stop));
    llhttp_resume(ll);
  } else if (code == HPE_OK) {
    *in = str_from(all.p + all.n, 0);
  } else {
    return end_with(p, classify(p, code, all, info), all);
  }
  if (!p->is_head_done && all.n) {
    enum err e = save_partial(p, all);
    if (e) return end_with(p, e, STR_NONE);
  }
  p->is_message_done = step->is_done;
  if (step->is_done && !step->has_head) reset_message(p);
  p->step = NULL;
  p->info = NULL;
  return OK;
}

enum err http_parse_take(struct http_parse *p, struct arena *a, struct http_request *out) {
  const struct http_parse_head *h = &p->head;
  char *copy = arena_alloc(a, p->raw_n);
  struct http_header *v = arena_alloc(a, sizeof *v * (p->count ? p->count : 1));
  if (!copy || !v) return ERR_NO_MEMORY;
  memcpy(copy, p->raw, p->raw_n);
  for (uint32_t i = 0; i < p->count; i++) {
    const struct http_parse_field *f = &p->fields[i];
    uint32_t n = f->value_n;
    while (n && (copy[f->value_at + n - 1] == ' ' || copy[f->value_at + n - 1] == '\t')) n--;
    v[i] = (struct http_header){str_from(copy + f->name_at, f->name_n), str_from(copy + f->value_at, n)};
  }
  *out = (struct http_request){
      .method = h->method,
      .method_name = str_from(copy + h->method_at, h->method_n),
      .target = str_from(copy + p->target_at, p->target_n),
      .path = h->path_n ? str_from(copy + h->path_at, h->path_n) : STR("/"),
      .query = str_from(copy + h->query_at, h->query_n),
      .headers = {v, p->count},
      .version_minor = h->version_minor,
      .has_body = h->has_body,
      .content_length = h->content_length,
  };
  if (h->host_index != UINT32_MAX)
    out->host = v[h->host_index].value;
  else if (h->authority_n)
    out->host = str_from(copy + h->authority_at, h->authority_n);
  if (p->is_message_done)
    reset_message(p);
  else
    forget_head(p);
  return OK;
}

struct str http_parse_path(const struct http_parse *p) {
  if (!p->is_target_done || !p->raw || !p->target_n || p->target_at + p->target_n > p->raw_n) return STR_NONE;
  struct str target = str_from(p->raw + p->target_at, p->target_n), path, query;
  if (target.p[0] != '/') return STR_NONE;
  str_cut(target, '?', &path, &query);
  return path;
}
