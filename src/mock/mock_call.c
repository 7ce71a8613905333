/* Reads a request, plans its answer and says it: see mock_call.h. */
#include "mock/mock_call.h"

#include <zlib.h>

static void put_hex(char *out, uint64_t v, unsigned digits) {
  static const char hex[] = "0123456789abcdef";
  for (unsigned i = digits; i-- > 0; v >>= 4) out[i] = hex[v & 15];
}

static struct str make_request_id(const struct mock *m, uint64_t count, bool is_uuid, char *out) {
  if (is_uuid) {
    memset(out, '-', MOCK_REQUEST_ID_BYTES);
    put_hex(out, m->id_salt >> 32, 8);
    put_hex(out + 9, m->id_salt >> 16, 4);
    put_hex(out + 14, 0x4000 | (m->id_salt & 0xfff), 4); /* version 4 and variant 1 of RFC 9562 */
    put_hex(out + 19, 0x8000 | (count >> 48 & 0x3fff), 4);
    put_hex(out + 24, count, 12);
  } else {
    memcpy(out, "req_", 4);
    put_hex(out + 4, m->id_salt, 16);
    put_hex(out + 20, count, 16);
  }
  return str_from(out, MOCK_REQUEST_ID_BYTES);
}

static void make_ids(struct mock_call *c) {
  struct mock *m = c->mock;
  uint64_t count = ++m->id_count;
  memcpy(c->a.id, "Mock", 4);
  put_hex(c->a.id + 4, m->id_salt, 16);
  put_hex(c->a.id + 20, count, MOCK_ID_BYTES - 20);
  make_request_id(m, count, c->dialect->is_id_uuid, c->request_id);
  c->a.created_s = clock_wall_us() / 1000000;
}

struct http_headers mock_call_headers(const struct mock_call *c, struct str content_type, struct http_header *v) {
  const struct mock_dialect *d = c->dialect;
  size_t n = 0;
  v[n++] = (struct http_header){STR("Content-Type"), content_type};
  if (d->id_header.n) v[n++] = (struct http_header){d->id_header, str_from(c->request_id, sizeof c->request_id)};
  if (d->fixed.name.n) v[n++] = d->fixed;
  return (struct http_headers){v, n};
}

struct str mock_call_json_type(const struct mock_dialect *d) {
  return d->json_type.n ? d->json_type : STR("application/json");
}

enum err mock_call_json(struct http_exchange *x, int status, struct str json) {
  struct http_header v[] = {{STR("Content-Type"), STR("application/json")}};
  return http_exchange_reply(x, status, (struct http_headers){v, 1}, json);
}

enum err mock_call_error(struct http_exchange *x, struct mock *m, const struct mock_dialect *d,
                         const struct mock_error *given) {
  struct mock_error fault = mock_dialect_error(d, given);
  struct http_header v[MOCK_HEADERS_MAX];
  char id[MOCK_REQUEST_ID_BYTES];
  struct buf body;
  size_t n = 0;
  if (fault.request_id.n == 0) fault.request_id = make_request_id(m, ++m->id_count, d->is_id_uuid, id);
  v[n++] = (struct http_header){STR("Content-Type"), mock_call_json_type(d)};
  if (d->id_header.n) v[n++] = (struct http_header){d->id_header, fault.request_id};
  if (d->error_header.n) v[n++] = (struct http_header){d->error_header, fault.type};
  if (fault.status == 429) v[n++] = (struct http_header){STR("Retry-After"), STR("2")};
  buf_init(&body, 0);
  d->error(&fault, &body);
  enum err e = http_exchange_reply(x, fault.status, (struct http_headers){v, n}, buf_str(&body));
  buf_clear(&body);
  return e;
}

static enum err refuse(struct mock_call *c, struct mock_error *fault) {
  fault->request_id = str_from(c->request_id, sizeof c->request_id);
  return mock_call_error(c->x, c->mock, c->dialect, fault);
}

/* --- planning ---------------------------------------------------------------------------------------------------- */

/* By memchr: measured at 65 KB, memmem costs far more. */
static bool has_tag(struct str body) {
  const char *end = body.p + body.n, *p = body.p;
  while (p < end && (p = memchr(p, '[', (size_t)(end - p)))) {
    if ((size_t)(end - p) >= 7 && memcmp(p, "[[mock:", 7) == 0) return true;
    p++;
  }
  return false;
}

/* The tag of the last user text takes the model's place. */
static bool apply_tag(struct mock_call *c, struct mock_error *fault) {
  struct str tag;
  if (!mock_plan_tag(c->q.user_text, &tag)) return true;
  c->plan = mock_plan_default(&c->mock->shared->options);
  if (mock_plan_apply(&c->plan, tag)) return true;
  *fault = (struct mock_error){
      .status = 400,
      .message = STR("The mock knows no behaviour of this name; GET /v1/models lists them, docs/mock.md all."),
      .param = STR("messages"),
      .code = STR("unknown_mock_behaviour")};
  return false;
}

static bool parse(struct mock_call *c, struct mock_error *fault) {
  return c->q.is_parsed || c->dialect->parse(&c->q, http_exchange_arena(c->x), fault);
}

static bool make_plan(struct mock_call *c, struct mock_error *fault) {
  const struct mock_options *options = &c->mock->shared->options;
  c->plan = mock_plan_default(options);
  if (options->is_demo) return !c->q.scan.wants_json || parse(c, fault);
  (void)mock_plan_apply(&c->plan, c->q.scan.model);
  bool is_tagged = has_tag(c->q.body);
  bool is_plain = c->plan.answer == MOCK_ANSWER_TEXT && !c->plan.is_once && !c->q.scan.is_tool_last;
  if (is_plain && !is_tagged && !options->record) return true;
  if (!parse(c, fault)) return false;
  if (is_tagged && !apply_tag(c, fault)) return false;
  if (c->plan.is_once && !mock_shared_is_first(c->mock->shared, c->plan.fault, c->q.user_text))
    c->plan.fault = MOCK_FAULT_NONE;
  return true;
}

/* --- one reply ---------------------------------------------------------------------------------------------------- */

static bool squeeze(struct str body, struct buf *out) {
  z_stream z = {0};
  if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  uLong bound = deflateBound(&z, (uLong)body.n);
  bool is_whole = false;
  if (buf_reserve(out, bound)) {
    z.next_in = (Bytef *)(uintptr_t)body.p;
    z.avail_in = (uInt)body.n;
    z.next_out = (Bytef *)out->p;
    z.avail_out = (uInt)bound;
    is_whole = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->n = z.total_out;
  }
  deflateEnd(&z);
  return is_whole;
}

static bool takes_gzip(const struct mock_call *c) {
  return c->plan.is_gzip &&
         http_header_has_token(http_exchange_request(c->x)->headers, STR("Accept-Encoding"), STR("gzip"));
}

static enum err send_whole(struct mock_call *c, struct str body) {
  struct http_header v[MOCK_HEADERS_MAX];
  struct http_headers headers = mock_call_headers(c, mock_call_json_type(c->dialect), v);
  if (!takes_gzip(c)) return http_exchange_reply(c->x, 200, headers, body);
  struct buf squeezed;
  buf_init(&squeezed, 0);
  enum err e = ERR_NO_MEMORY;
  if (squeeze(body, &squeezed)) {
    v[headers.n++] = (struct http_header){STR("Content-Encoding"), STR("gzip")};
    e = http_exchange_reply(c->x, 200, headers, buf_str(&squeezed));
  }
  buf_clear(&squeezed);
  return e;
}

/* The head at once, the body late. */
static enum err send_late(struct mock_call *c, struct str body) {
  struct http_header v[MOCK_HEADERS_MAX];
  enum err e = http_exchange_reply_start(c->x, 200, mock_call_headers(c, mock_call_json_type(c->dialect), v));
  if (!e) e = http_exchange_reply_flush(c->x);
  if (!e) e = fiber_sleep_until(clock_deadline_ms(c->plan.first_ms));
  if (!e) e = http_exchange_reply_write(c->x, body);
  return e ? e : http_exchange_reply_end(c->x);
}

static enum err send_reply(struct mock_call *c) {
  struct buf body;
  buf_init(&body, 0);
  buf_reserve(&body, 1536 + c->a.text.n * c->a.choices);
  c->dialect->reply(&c->a, &body);
  enum err e;
  if (body.failed)
    e = ERR_NO_MEMORY;
  else if (c->plan.fault != MOCK_FAULT_NONE && c->plan.fault != MOCK_FAULT_REJECT_USAGE)
    e = mock_fault_partial(c, buf_str(&body));
  else if (c->plan.first_ms)
    e = send_late(c, buf_str(&body));
  else
    e = send_whole(c, buf_str(&body));
  buf_clear(&body);
  return e;
}

/* --- the story ---------------------------------------------------------------------------------------------------- */

static enum err refuse_body(struct mock_call *c, enum err why, const struct err_info *info) {
  if (why == ERR_CANCELLED) return why;
  return refuse(c, &(struct mock_error){.status = err_info_status(why, info),
                                        .message = str_from_c(err_info_text(why, info)),
                                        .code = str_from_c(err_info_code(why, info))});
}

static enum err answer(struct mock_call *c) {
  const struct mock_shared *s = c->mock->shared;
  c->a.model = c->q.scan.model;
  enum err e = mock_answer_build(&c->a, &c->plan, &c->q, &s->options, &s->prose, http_exchange_arena(c->x));
  if (e) return refuse(c, &(struct mock_error){.status = 500});
  return c->q.scan.is_stream ? mock_stream_run(c) : send_reply(c);
}

static bool is_readable(struct mock_call *c, struct mock_error *fault) {
  struct arena *arena = http_exchange_arena(c->x);
  if (!c->dialect->scan(&c->q, arena, fault) || !make_plan(c, fault)) return false;
  return !c->dialect->check || c->dialect->check(&c->q, &c->plan, arena, fault);
}

static enum err run(struct mock_call *c) {
  struct mock_shared *s = c->mock->shared;
  struct mock_error fault = {0};
  struct err_info info = {0};
  make_ids(c);
  enum err e = http_exchange_read_body(c->x, &(struct http_body_options){0}, &c->q.body, &info);
  if (e) return refuse_body(c, e, &info);
  if (s->options.record) mock_shared_record(s, http_exchange_request(c->x), c->q.body);
  if (!is_readable(c, &fault)) return refuse(c, &fault);
  if (c->plan.closes) http_exchange_close_after(c->x);
  if (c->plan.latency_ms) {
    e = fiber_sleep_until(clock_deadline_ms(c->plan.latency_ms));
    if (e) return e;
  }
  if (c->plan.fault) {
    bool is_done = false;
    e = mock_fault_run(c, &is_done);
    if (is_done) return e;
  }
  return answer(c);
}

enum err mock_call_run(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  const struct http_request *r = http_exchange_request(x);
  struct mock_call c = {.x = x,
                        .mock = m,
                        .dialect = t->dialect,
                        .q = {.path = t->path,
                              .query = r->query,
                              .wildcard = t->wildcard,
                              .headers = r->headers,
                              .seed = m->shared->options.seed,
                              .stored = &m->shared->stored,
                              .shelf = &m->shared->shelf,
                              .is_demo = m->shared->options.is_demo}};
  mock_count(&m->counters.live, 1);
  enum err e = run(&c);
  mock_count(&m->counters.live, -1);
  mock_count(&m->counters.answers, 1);
  if (e == ERR_CANCELLED) {
    mock_count(&m->counters.aborted, 1);
    mock_shared_abort(m->shared, c.q.scan.model, c.q.scan.is_stream, c.events_sent);
  }
  return e;
}
