/* A stream on its way through: upstream pieces are cut into frames, each frame is relayed by the dialect (which says
 * what it means), and what one read brought goes out in one write. Nothing is sent before the first content, so that a
 * failure until then may still be mended by another attempt. With a receipt wanted, the frame that ends the answer is
 * held back until usage has arrived. Memory: one output buffer, bounded; one frame, bounded. */
#include "call/call_internal.h"

enum {
  FRAME_MAX = 4 * 1024 * 1024, /* bytes of one event: an image as data URL fits */
  UNSENT_MAX = 1024 * 1024,    /* bytes held before the first content */
  RECEIPT_HOLD_MS = 2000,
  LINE_END_MAX = 2,     /* CR LF */
  TAIL_MS = 500,        /* how long to wait for the end behind the end mark, to keep the connection */
  EDITS_MAX = 64 * 1024 /* bytes that a frame may grow by: a model's name and the receipt */
};

struct relay {
  struct call *call;
  const struct deployment *deployment;
  struct dialect_reply_edits edits;
  struct frame_sse frames;
  struct dialect_stream state;
  struct buf out;  /* edited frames to be sent */
  struct buf held; /* the finishing frame that waits for its receipt */
  struct buf receipt;
  bool is_holding, receipt_done, is_committed;
  uint64_t hold_until, tail_until;
};

static void put_receipt(struct relay *r, struct buf *to, size_t from) {
  struct call *c = r->call;
  c->outcome.duration_us = clock_mono_us() - c->outcome.started_us;
  buf_reset(&r->receipt);
  c->put_receipt(c->receipt_arg, &c->outcome, &r->receipt);
  c->dialect->put_receipt(to, from, buf_str(&r->receipt));
  r->receipt_done = true;
}

/* Sends the held frame after all, before what lies in out from `from` on. */
static void release(struct relay *r, size_t from) {
  if (!r->is_holding) return;
  r->is_holding = false;
  if (!r->receipt_done) put_receipt(r, &r->held, 0);
  if (r->held.n == 0 || !buf_reserve(&r->out, r->held.n)) return;
  memmove(r->out.p + from + r->held.n, r->out.p + from, r->out.n - from);
  memcpy(r->out.p + from, r->held.p, r->held.n);
  r->out.n += r->held.n;
  buf_reset(&r->held);
}

/* Where the receipt goes: on the caller's usage frame if it asked for one, else on the finishing frame, which waits for
 * what usage still comes; usage that the finishing frame brings itself may be overtaken by a later one. */
static void place_receipt(struct relay *r, const struct events *events, size_t from) {
  if (!r->call->put_receipt || r->receipt_done) return;
  bool is_shown = r->out.n > from;
  if (events->is_usage_alone && r->state.saw_stop) {
    if (is_shown) put_receipt(r, &r->out, from);
    release(r, from);
  } else if (events_has(events, EVENT_END)) {
    release(r, from);
  } else if (events_has(events, EVENT_STOP) && is_shown && !r->is_holding) {
    r->is_holding = true;
    r->hold_until = clock_deadline_ms(RECEIPT_HOLD_MS);
    buf_reset(&r->held);
    buf_put(&r->held, str_from(r->out.p + from, r->out.n - from));
    r->out.n = from;
  }
}

/* The second half of the held frame's last line end, where a piece's end has cut it in two. */
static bool is_rest_of_held(const struct relay *r, const struct frame *frame) {
  return r->is_holding && r->held.n && r->held.p[r->held.n - 1] == '\r' && str_eq(frame->raw, STR("\n"));
}

static enum err take_frame(struct relay *r, const struct frame *frame, struct err_info *info) {
  struct events events;
  size_t from = r->out.n;
  if (is_rest_of_held(r, frame)) {
    buf_put_char(&r->held, '\n');
    return OK;
  }
  enum err e = r->call->dialect->relay_frame(&r->state, frame, &r->edits, &events, &r->out, info);
  if (e) return e;
  if (events_has(&events, EVENT_ERROR)) {
    const struct provider *p = &r->deployment->at->provider;
    return p->type->classify_failure(p, 0, (struct http_headers){0}, frame->data, info);
  }
  if (events_has(&events, EVENT_DELTA)) {
    r->is_committed = true;
    if (!r->call->outcome.ttft_us) r->call->outcome.ttft_us = clock_mono_us() - r->call->outcome.started_us;
  }
  /* An answer without content is an answer: an empty reply, or a refusal by content filter. */
  if (events_has(&events, EVENT_STOP)) r->is_committed = true;
  if (events_has(&events, EVENT_END)) r->tail_until = clock_deadline_ms(TAIL_MS);
  attempt_note(r->call, r->deployment, &events);
  place_receipt(r, &events, from);
  return r->out.failed || r->held.failed ? ERR_NO_MEMORY : OK;
}

static enum err take_piece(struct relay *r, struct str piece, struct err_info *info) {
  struct frame frame;
  enum err e = OK;
  frame_sse_feed(&r->frames, piece);
  while (!e && frame_sse_next(&r->frames, &frame, &e)) {
    /* What follows the end mark is no part of the answer, but for the rest of its own line end. */
    bool is_behind = r->state.saw_end && frame.raw.n > LINE_END_MAX;
    if (!is_behind) e = take_frame(r, &frame, info);
  }
  return r->state.saw_end && e == ERR_UPSTREAM_TOO_LARGE ? OK : e;
}

static enum err send_out(struct relay *r) {
  if (r->out.n == 0 || (!r->is_committed && r->out.n < UNSENT_MAX)) return OK;
  enum err e = r->call->sink.write(r->call->sink.arg, buf_str(&r->out));
  buf_reset(&r->out);
  return e;
}

/* The next deadline, and which error it means when it passes. */
static uint64_t next_deadline(const struct relay *r, uint64_t first_us, uint64_t total_us, enum err *meaning) {
  const struct provider_timeouts *t = &r->deployment->at->provider.timeouts;
  uint64_t deadline = total_us, silent = clock_deadline_ms(t->silence_ms);
  *meaning = ERR_TOTAL_TIMEOUT;
  if (silent < deadline) deadline = silent, *meaning = ERR_SILENCE_TIMEOUT;
  if (!r->is_committed && first_us < deadline) deadline = first_us, *meaning = ERR_FIRST_CONTENT_TIMEOUT;
  if (r->is_holding && r->hold_until < deadline) deadline = r->hold_until, *meaning = OK;
  if (r->state.saw_end && r->tail_until < deadline) deadline = r->tail_until, *meaning = OK;
  return deadline;
}

/* The unfinished event at the stream's end, as if its blank line followed: some servers leave it out. */
static enum err take_last(struct relay *r, struct err_info *info) {
  struct frame frame;
  enum err e = OK;
  if (r->state.saw_end) return OK;
  for (int line_ends = 0; line_ends < 2 && !e && frame_sse_is_partial(&r->frames); line_ends++) {
    frame_sse_feed(&r->frames, STR("\n"));
    if (!frame_sse_next(&r->frames, &frame, &e)) continue;
    e = take_frame(r, &frame, info);
    if (e == ERR_UPSTREAM_PROTOCOL) e = err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended inside an event");
  }
  return e;
}

static enum err finish(struct relay *r, struct err_info *info) {
  enum err e = take_last(r, info);
  if (e) return e;
  if (!r->state.saw_end && !r->state.saw_stop)
    return err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended before the answer was complete");
  release(r, r->out.n);
  r->is_committed = true;
  return send_out(r);
}

/* What came before a fault is the caller's, too; but where nothing of it has gone out and another candidate is left, it
 * is forgotten, so that the other may answer in its place. */
static enum err fail(struct relay *r, enum err e) {
  const struct call *c = r->call;
  bool is_last = r->deployment == c->plan->v[c->plan->n - 1];
  if (e == ERR_CANCELLED || (!is_last && !c->sink.has_content(c->sink.arg))) return e;
  release(r, r->out.n);
  enum err sent = send_out(r);
  return sent ? sent : e;
}

/* One read. OK and *is_over at the stream's end; OK also when only the frame that was held back is due. */
static enum err take_next(struct relay *r, struct http_call *http, uint64_t first_us, uint64_t total_us, bool *is_over,
                          struct err_info *info) {
  struct str piece;
  enum err meaning;
  uint64_t deadline = next_deadline(r, first_us, total_us, &meaning);
  enum err e = attempt_read(r->call, http, &piece, deadline, info);
  bool is_late = r->state.saw_end && clock_mono_us() >= r->tail_until; /* an upstream that talks on for ever */
  *is_over = e ? e != ERR_CANCELLED && r->state.saw_end : piece.n == 0 || is_late;
  if (*is_over) return OK; /* behind the end mark, however the connection ends */
  if (e != ERR_TIMEOUT) return e ? e : take_piece(r, piece, info);
  if (!meaning) release(r, r->out.n);
  return meaning;
}

static enum err pump(struct relay *r, struct http_call *http, uint64_t first_us, uint64_t total_us,
                     struct err_info *info) {
  for (;;) {
    bool is_over;
    enum err e = take_next(r, http, first_us, total_us, &is_over, info);
    if (!e && is_over) e = finish(r, info);
    if (e || is_over) return e ? fail(r, e) : OK;
    if ((e = send_out(r))) return e;
  }
}

enum err relay_stream(struct call *c, const struct deployment *d, struct http_call *http, uint64_t first_deadline_us,
                      uint64_t deadline_us, struct err_info *info) {
  struct relay *r = ARENA_NEW(c->arena, struct relay);
  if (!r) return ERR_NO_MEMORY;
  r->call = c;
  r->deployment = d;
  r->edits = attempt_reply_edits(c, d);
  frame_sse_init(&r->frames, FRAME_MAX);
  buf_init(&r->out, UNSENT_MAX + 2 * FRAME_MAX + EDITS_MAX);
  buf_init(&r->held, FRAME_MAX + EDITS_MAX);
  buf_init(&r->receipt, 0);
  enum err e = pump(r, http, first_deadline_us, deadline_us, info);
  frame_sse_clear(&r->frames);
  buf_clear(&r->out);
  buf_clear(&r->held);
  buf_clear(&r->receipt);
  return e;
}
