/* The caller's half of an answer: see reply.h. */
#include "gateway/reply.h"

#include <stdio.h>

void reply_init(struct reply *r, struct http_exchange *x, const struct dialect *dialect) {
  r->x = x;
  r->dialect = dialect;
  r->stream_type = dialect->content_type_stream;
  r->header_count = 0;
  r->status = 0;
  r->bytes_out = 0;
  r->is_stream = r->is_started = r->is_ended = r->has_content = r->is_told = false;
  r->put_error_event = NULL;
  r->put_keep_alive = NULL;
}

void reply_clear(struct reply *r) {
  if (r->is_stream) fiber_group_end(&r->ticker);
}

void reply_add_header(struct reply *r, struct str name, struct str value) {
  if (r->header_count < REPLY_HEADERS_MAX) r->headers[r->header_count++] = (struct http_header){name, value};
}

enum err reply_body(struct reply *r, int status, struct str content_type, struct str body) {
  if (body.n) reply_add_header(r, STR("Content-Type"), content_type); /* nothing has no type: 204, 304 */
  r->status = status;
  r->is_started = r->is_ended = true;
  r->bytes_out = body.n;
  return http_exchange_reply(r->x, status, (struct http_headers){r->headers, r->header_count}, body);
}

enum err reply_json(struct reply *r, int status, struct str body) {
  return reply_body(r, status, STR("application/json"), body);
}

/* ---- streams ---- */

static enum err start(struct reply *r) {
  if (r->is_started) return OK;
  reply_add_header(r, STR("Content-Type"), r->stream_type);
  reply_add_header(r, STR("Cache-Control"), STR("no-cache"));
  reply_add_header(r, STR("X-Accel-Buffering"), STR("no"));
  r->status = 200;
  r->is_started = true;
  return http_exchange_reply_start(r->x, 200, (struct http_headers){r->headers, r->header_count});
}

/* One writer at a time: the answer's fiber or the ticker, whose bytes are a filler. */
static enum err write_exclusively(struct reply *r, struct str bytes, bool is_filler) {
  enum err e = fiber_sem_wait(&r->writing, DEADLINE_NONE);
  if (e) return e;
  if (is_filler && r->is_told) goto out;
  e = start(r);
  if (!e) e = http_exchange_reply_write(r->x, bytes);
  r->last_write_us = clock_mono_us();
  r->bytes_out += bytes.n;
out:
  fiber_sem_post(&r->writing);
  return e;
}

/* When something must be sent into the silence. */
static uint64_t due_us(const struct reply *r) {
  if (!r->is_started) return r->head_after_ms ? r->opened_us + (uint64_t)r->head_after_ms * 1000 : DEADLINE_NONE;
  return r->keep_alive_ms ? r->last_write_us + (uint64_t)r->keep_alive_ms * 1000 : DEADLINE_NONE;
}

static enum err write_keep_alive(struct reply *r) {
  struct buf out;
  if (!r->put_keep_alive) return write_exclusively(r, r->dialect->keep_alive, true);
  buf_init(&out, 0);
  r->put_keep_alive(r->arg, &out);
  enum err e = out.failed ? ERR_NO_MEMORY : write_exclusively(r, buf_str(&out), true);
  buf_clear(&out);
  return e;
}

/* Fills silence until it is cancelled, or the answer has ended. Nobody wakes it when the head goes out, so it looks by
 * itself. */
static enum err tick(void *arg) {
  struct reply *r = arg;
  for (;;) {
    uint64_t due = due_us(r), look = r->is_started ? DEADLINE_NONE : clock_deadline_ms(r->keep_alive_ms);
    enum err e = fiber_sleep_until(due < look ? due : look);
    if (e || r->is_told) return e;
    if (due_us(r) > clock_mono_us()) continue; /* not yet, or something was written meanwhile */
    e = write_keep_alive(r);
    if (e) return e;
  }
}

void reply_open_stream(struct reply *r, uint32_t head_after_ms, uint32_t keep_alive_ms) {
  r->is_stream = true;
  r->head_after_ms = head_after_ms;
  r->keep_alive_ms = keep_alive_ms;
  r->opened_us = r->last_write_us = clock_mono_us();
  fiber_sem_init(&r->writing, 1);
  fiber_group_init(&r->ticker);
  /* Without a ticker (no fiber to be had) the stream still works, only its silence is silent. */
  bool has_words = r->dialect->keep_alive.n || r->put_keep_alive;
  if (has_words && (head_after_ms || keep_alive_ms) && fiber_group_go(&r->ticker, tick, r)) r->keep_alive_ms = 0;
}

enum err reply_write(struct reply *r, struct str bytes) {
  r->has_content = true;
  return write_exclusively(r, bytes, false);
}

enum err reply_end(struct reply *r) {
  fiber_group_end(&r->ticker);
  enum err e = start(r);
  r->is_ended = true;
  return e ? e : http_exchange_reply_end(r->x);
}

/* ---- errors ---- */

static enum err stream_error(struct reply *r, enum err e, const struct err_info *info) {
  struct buf out;
  buf_init(&out, 0);
  if (r->put_error_event)
    r->put_error_event(r->arg, e, info, &out);
  else
    r->dialect->put_stream_error(&out, e, info);
  enum err sent = write_exclusively(r, buf_str(&out), false);
  buf_clear(&out);
  return sent ? sent : reply_end(r);
}

/* After 408, 409, 429 and everything from 500 on clients ask again by themselves, some of them ten times. It is in vain
 * where waiting does not help: faults of the set-up, and a call that alone is beyond a rate. */
static bool is_for_good(enum err e, const struct err_info *info) {
  if (e == ERR_RATE_LIMITED) return info && info->retry_after_ms == 0;
  return e == ERR_NO_CREDENTIAL || (err_retry(e) == ERR_RETRY_NEVER && err_blame(e) == ERR_BLAME_US);
}

static enum err whole_error(struct reply *r, enum err e, const struct err_info *info) {
  char seconds[24], ms[24];
  int status = err_info_status(e, info);
  struct buf out;
  buf_init(&out, 0);
  r->dialect->put_error(&out, e, info);
  if (info && info->retry_after_ms > 0) {
    int n = snprintf(seconds, sizeof seconds, "%lld", (long long)((info->retry_after_ms + 999) / 1000));
    int k = snprintf(ms, sizeof ms, "%lld", (long long)info->retry_after_ms);
    reply_add_header(r, STR("Retry-After"), str_from(seconds, (size_t)n));
    reply_add_header(r, STR("Retry-After-Ms"), str_from(ms, (size_t)k));
  }
  if (is_for_good(e, info)) reply_add_header(r, STR("x-should-retry"), STR("false"));
  if (e == ERR_UNAUTHENTICATED) reply_add_header(r, STR("WWW-Authenticate"), STR("Bearer"));
  enum err sent = reply_json(r, status, buf_str(&out));
  buf_clear(&out);
  return sent;
}

enum err reply_error(struct reply *r, enum err e, const struct err_info *info) {
  if (r->is_ended) return OK;
  if (r->is_stream && r->is_started) return stream_error(r, e, info);
  if (r->is_stream) fiber_group_end(&r->ticker); /* it might be about to start the head */
  if (r->is_stream && r->is_started) return stream_error(r, e, info);
  return whole_error(r, e, info);
}
