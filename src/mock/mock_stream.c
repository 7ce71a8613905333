/* Streams an answer event by event. Without an interval many events share a write; with one, event k leaves at the
 * first one's time plus k intervals, so that pace does not drift; the finish, the usage and the end leave together.
 * Uneven answers are written in small pieces, cut within every character that is not ASCII. */
#include "mock/mock_call.h"

enum { WRITE_BYTES = 30 * 1024, GOOD_EVENTS = 3, UNEVEN_BYTES = 19 };

struct stream {
  struct mock_call *c;
  struct buf head, out;
  struct mock_progress progress; /* the dialect's */
  uint64_t first_us, slots;      /* of the schedule */
  uint64_t sent_bytes;
  size_t cuts; /* of uneven writes */
  bool has_misbehaved;
};

/* The k-th write of an uneven stream ends after the first byte of a character, if there is one of several in reach. */
static struct str uneven_write(struct str rest, size_t k) {
  size_t n = UNEVEN_BYTES * mock_answer_uneven(k);
  for (size_t i = 0; i < n && i < rest.n; i++)
    if ((unsigned char)rest.p[i] >= 0xc0) n = i + 1;
  return str_sub(rest, 0, n);
}

static enum err send_out(struct stream *s) {
  if (s->out.failed) return ERR_NO_MEMORY;
  if (s->out.n == 0) return OK;
  enum err e = OK;
  for (struct str rest = buf_str(&s->out), piece; rest.n && !e; rest = str_sub(rest, piece.n, rest.n)) {
    piece = s->c->a.is_uneven ? uneven_write(rest, s->cuts++) : rest;
    e = http_exchange_reply_write(s->c->x, piece);
  }
  s->sent_bytes += s->out.n;
  buf_reset(&s->out);
  return e;
}

/* At least the head. */
static enum err send_all(struct stream *s) { return s->out.n ? send_out(s) : http_exchange_reply_flush(s->c->x); }

/* True when the plan cuts inside what is about to be sent; shortens it to what still goes. */
static bool is_cut_here(struct stream *s) {
  const struct mock_plan *plan = &s->c->plan;
  if (plan->fault != MOCK_FAULT_CUT_AT || s->sent_bytes + s->out.n < plan->cut_bytes) return false;
  s->out.n = (size_t)(plan->cut_bytes - s->sent_bytes);
  return true;
}

static enum err wait_for_slot(struct stream *s) {
  uint64_t interval_us = (uint64_t)s->c->plan.interval_ms * 1000;
  if (s->slots++ == 0) {
    s->first_us = clock_mono_us();
    return OK;
  }
  return fiber_sleep_until(s->first_us + (s->slots - 1) * interval_us);
}

/* What happens after the good events. *is_over: nothing follows. */
static enum err misbehave(struct stream *s, bool *is_over) {
  struct mock_call *c = s->c;
  struct mock_error fault = {.status = 500, .request_id = str_from(c->request_id, sizeof c->request_id)};
  enum err e = OK;
  s->has_misbehaved = *is_over = true;
  switch ((enum mock_fault)c->plan.fault) {
    case MOCK_FAULT_CUT:
      e = send_all(s);
      if (!e) http_exchange_reply_abort(c->x);
      return e;
    case MOCK_FAULT_STALL: e = send_all(s); return e ? e : mock_fault_stall();
    case MOCK_FAULT_STREAM_ERROR:
    case MOCK_FAULT_STREAM_FAILED:
      fault = mock_dialect_error(c->dialect, &fault);
      if (c->plan.fault == MOCK_FAULT_STREAM_FAILED && c->dialect->failed_event)
        c->dialect->failed_event(&c->a, &fault, &s->progress, &s->out);
      else
        c->dialect->error_event(&fault, &s->progress, &s->out);
      e = send_out(s);
      return e ? e : http_exchange_reply_end(c->x);
    case MOCK_FAULT_GARBAGE_JSON: c->dialect->broken_event(&s->progress, &s->out); break;
    default: break;
  }
  *is_over = false;
  return OK;
}

/* A fault comes after some events, or before the end of a stream that has fewer. */
static bool is_due(const struct mock_call *c, const struct mock_step *step) {
  return c->events_sent == GOOD_EVENTS || step->kind == MOCK_STEP_FINISH;
}

static enum err send_events(struct stream *s, bool *is_over) {
  struct mock_call *c = s->c;
  struct mock_steps steps = {0};
  struct mock_step step;
  while (mock_steps_next(&steps, &c->a, &step)) {
    bool is_tail = step.kind > MOCK_STEP_FINISH || (step.kind == MOCK_STEP_FINISH && step.choice > 0);
    enum err e = OK;
    if (c->plan.interval_ms && !is_tail) {
      e = send_out(s);
      if (!e) e = wait_for_slot(s);
      if (e) return e;
    }
    if (c->plan.fault && !s->has_misbehaved && is_due(c, &step)) {
      e = misbehave(s, is_over);
      if (e || *is_over) return e;
    }
    size_t before = s->out.n;
    c->dialect->event(&c->a, buf_str(&s->head), &step, &s->progress, &s->out);
    if (s->out.n == before) continue;
    c->events_sent++;
    if (is_cut_here(s)) {
      *is_over = true;
      e = send_all(s);
      if (!e) http_exchange_reply_abort(c->x);
      return e;
    }
    if (s->out.n >= WRITE_BYTES || (c->plan.interval_ms && !is_tail && step.kind != MOCK_STEP_FINISH)) e = send_out(s);
    if (e) return e;
  }
  return send_out(s);
}

static enum err begin(struct stream *s) {
  struct mock_call *c = s->c;
  struct http_header v[MOCK_HEADERS_MAX];
  struct http_headers headers = mock_call_headers(c, c->dialect->stream_type, v);
  v[headers.n++] = (struct http_header){STR("Cache-Control"), STR("no-cache")};
  enum err e = http_exchange_reply_start(c->x, 200, headers);
  if (e || !c->plan.first_ms) return e;
  e = http_exchange_reply_flush(c->x);
  return e ? e : fiber_sleep_until(clock_deadline_ms(c->plan.first_ms));
}

enum err mock_stream_run(struct mock_call *c) {
  struct stream s = {.c = c};
  bool is_over = false;
  mock_count(&c->mock->counters.streams_started, 1);
  buf_init(&s.head, 0);
  buf_init(&s.out, 0);
  buf_reserve(&s.out, c->plan.interval_ms ? 1024 : WRITE_BYTES + 2048);
  if (c->dialect->head) c->dialect->head(&c->a, &s.head);
  enum err e = s.head.failed ? ERR_NO_MEMORY : begin(&s);
  if (!e) e = send_events(&s, &is_over);
  if (!e && !is_over) e = http_exchange_reply_end(c->x);
  if (e && e != ERR_CANCELLED) http_exchange_reply_abort(c->x);
  if (!e) mock_count(&c->mock->counters.streams_finished, 1);
  buf_clear(&s.head);
  buf_clear(&s.out);
  return e;
}
