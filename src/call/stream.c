/* A stream on its way through: upstream pieces are cut into frames, each frame is relayed by the dialect (which says
 * what it means) or translated, and what one read brought goes out in one write. Beside a relay the text is watched:
 * frames whose text is in doubt wait, and where something is found a translation takes over. Nothing is sent before the
 * first content, so that a failure until then may still be mended by another attempt. With a receipt wanted, the frame
 * that ends the answer is held back until usage has arrived. Memory: one output buffer, bounded; one frame, bounded. */
#include "call/translate.h"

enum {
  FRAME_MAX = 4 * 1024 * 1024, /* bytes of one event: an image as data URL fits */
  UNSENT_MAX = 1024 * 1024,    /* bytes held before the first content */
  WRITTEN_MAX = 64 << 20, /* what one read may become in a translation: Responses says a text four times at its end */
  RECEIPT_HOLD_MS = 2000,
  LINE_END_MAX = 2,      /* CR LF */
  TAIL_MS = 500,         /* how long to wait for the end behind the end mark, to keep the connection */
  EDITS_MAX = 64 * 1024, /* bytes that a frame may grow by: a model's name and the receipt */
  DOUBT_MAX = 4 << 20    /* bytes of relayed frames that wait for the filter's word */
};
#define NO_DOUBT SIZE_MAX

struct stream {
  struct call *call;
  const struct deployment *deployment;
  struct frame_reader frames;
  /* relayed */
  struct dialect_reply_edits edits;
  struct dialect_stream state;
  /* translated, or watched beside the relay */
  struct translation translation;
  bool is_translated, is_watched;
  size_t doubt_from; /* what lies in `out` from here on waits for the filter's word; NO_DOUBT: nothing does */
  struct buf other;  /* the same frames as the translation would write them */
  struct buf out;    /* edited frames to be sent */
  struct buf held;   /* the finishing frame that waits for its receipt */
  struct buf receipt;
  bool is_holding, receipt_done, is_committed, is_over; /* over: the end mark has come */
  bool is_held_certain; /* what is held is of no doubt: it goes out whatever the filter will say */
  bool is_early;        /* over, but the upstream has not said so: its usage may still come */
  uint64_t hold_until, tail_until;
};

static void put_receipt(struct stream *r, struct buf *to, size_t from) {
  struct call *c = r->call;
  attempt_estimate(c, r->deployment);
  c->outcome.duration_us = clock_mono_us() - c->outcome.started_us;
  buf_reset(&r->receipt);
  c->put_receipt(c->receipt_arg, &c->outcome, &r->receipt);
  c->dialect->put_receipt(to, from, buf_str(&r->receipt));
  r->receipt_done = true;
}

/* Sends the held frame after all, before what lies in out from `from` on. */
static void release(struct stream *r, size_t from) {
  if (!r->is_holding || r->is_translated) return;
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
static void place_receipt(struct stream *r, const struct events *events, size_t from) {
  if (!r->call->put_receipt || r->receipt_done) return;
  bool is_shown = r->out.n > from;
  if (events->is_usage_alone && r->state.saw_stop) {
    if (is_shown) put_receipt(r, &r->out, from);
    release(r, from);
  } else if (events_has(events, EVENT_END)) {
    /* One frame that is the end and the end mark, too (Ollama): nothing comes behind it. */
    if (events_has(events, EVENT_STOP) && is_shown && !r->is_holding) put_receipt(r, &r->out, from);
    release(r, from);
  } else if (events_has(events, EVENT_STOP) && is_shown && !r->is_holding) {
    r->is_holding = true;
    r->is_held_certain = r->doubt_from == NO_DOUBT;
    r->hold_until = clock_deadline_ms(RECEIPT_HOLD_MS);
    buf_reset(&r->held);
    buf_put(&r->held, str_from(r->out.p + from, r->out.n - from));
    r->out.n = from;
  }
}

/* ---- the watch beside a relay ---- */

/* From here on the caller gets what the translation writes; of the frames in doubt, too. Another choice's end that
 * waits for the receipt goes out without it, as the translation puts it at the end. */
static void take_over(struct stream *r, size_t from) {
  r->out.n = from;
  if (r->is_holding && r->is_held_certain) buf_put(&r->out, buf_str(&r->held));
  r->is_holding = false;
  buf_reset(&r->held);
  buf_put(&r->out, buf_str(&r->other));
  translation_take_over(&r->translation);
  buf_clear(&r->other);
  r->doubt_from = NO_DOUBT;
  r->is_translated = true;
  r->is_watched = false;
  r->call->translation = &r->translation;
}

/* What the frame's relayed bytes, from `from` on, are to become: sent, kept in doubt, or replaced. */
static void settle_doubt(struct stream *r, size_t from, struct events *events, const struct events *seen) {
  if (r->doubt_from != NO_DOUBT) from = r->doubt_from;
  bool is_idle = text_filter_is_idle(&r->translation.filter), is_too_much = r->out.n - from > DOUBT_MAX;
  if (translation_has_changed(&r->translation) || (!is_idle && is_too_much && r->translation.encoder)) {
    take_over(r, from);
    *events = *seen;
  } else {
    /* Where nothing can take over, the guards go on; what they have held so long goes out. */
    r->doubt_from = is_idle || is_too_much ? NO_DOUBT : from;
    if (!is_idle) return;
    buf_reset(&r->other);
    translation_note_relayed(&r->translation);
    r->is_held_certain = true;
  }
}

static bool is_guards(enum err e) { return e == ERR_GUARD_LEAK || e == ERR_GUARD_RUNAWAY; }

/* A frame that the relay has taken, seen through the filter. What only the decoder minds is no reason to stop. */
static enum err watch_frame(struct stream *r, const struct frame *frame, size_t from, struct events *events,
                            struct err_info *info) {
  enum err e = OK;
  struct events seen;
  struct err_info fault = {0};
  if (r->doubt_from == NO_DOUBT && events->text.n &&
      text_filter_pass(&r->translation.filter, events->text_kind, events->text, &e, &fault)) {
    count_output_add(&r->call->seen, events->text);
    if (!e) return OK;
  } else {
    e = translation_frame(&r->translation, frame, &seen, &r->other, &fault);
  }
  if (!e) {
    settle_doubt(r, from, events, &seen);
    return OK;
  }
  if (is_guards(e) || e == ERR_CANCELLED || e == ERR_NO_MEMORY) {
    r->out.n = r->doubt_from == NO_DOUBT ? from : r->doubt_from;
    r->doubt_from = NO_DOUBT;
    *info = fault;
    return e;
  }
  r->doubt_from = NO_DOUBT;
  r->is_watched = false;
  buf_clear(&r->other);
  return OK;
}

/* A frame whose last CRLF is cut in two goes out with all of it: the LF may never come, and what follows (an error's
 * frame) would be a part of this one to clients that look for CR LF CR LF. */
static void end_line(struct stream *r, const struct frame *frame, size_t from) {
  struct str sent = str_sub(buf_str(&r->out), from, r->out.n);
  if (!str_has_suffix(frame->raw, STR("\n\r")) || !str_has_suffix(sent, STR("\n\r"))) return;
  buf_put_char(&r->out, '\n');
  r->state.skips_lf = true;
}

static enum err relay_frame(struct stream *r, const struct frame *frame, struct events *events, struct err_info *info) {
  size_t from = r->out.n;
  enum err e = r->call->dialect->relay_frame(&r->state, frame, &r->edits, events, &r->out, info);
  if (e) {
    r->out.n = from; /* half a frame would run into the error's */
    return e;
  }
  end_line(r, frame, from);
  if (events_has(events, EVENT_ERROR)) {
    const struct provider *p = &r->deployment->at->provider;
    return p->type->classify_failure(p, 0, (struct http_headers){0}, frame->data, info);
  }
  if (events_has(events, EVENT_USAGE)) attempt_note(r->call, &events->usage);
  if (r->is_watched && frame->has_data && (e = watch_frame(r, frame, from, events, info))) return e;
  if (!r->is_translated) place_receipt(r, events, from);
  return OK;
}

/* A translated answer whose choices have all stopped waits within its encoder for usage and the end mark. */
static void note_hold(struct stream *r) {
  bool is_due = r->translation.saw_stop && !r->translation.is_ended;
  if (is_due && !r->is_holding) r->hold_until = clock_deadline_ms(RECEIPT_HOLD_MS);
  r->is_holding = is_due;
}

/* What a frame meant, for the clocks and for the question whether another attempt may still be made. */
static void note(struct stream *r, const struct events *events) {
  if (events_has(events, EVENT_DELTA)) {
    r->is_committed = true;
    if (!r->call->outcome.ttft_us) r->call->outcome.ttft_us = clock_mono_us() - r->call->outcome.started_us;
  }
  /* An answer without content is an answer: an empty reply, or a refusal by content filter. */
  if (events_has(events, EVENT_STOP)) r->is_committed = true;
  if (r->is_translated) note_hold(r);
  if (events_has(events, EVENT_END) && !r->is_over) {
    r->is_over = true;
    r->tail_until = clock_deadline_ms(TAIL_MS);
  }
}

/* A relay looks for the first content only: what comes behind it is content, too, until the stop. */
static bool is_content(const struct stream *r, const struct events *events) {
  if (events_has(events, EVENT_DELTA)) return true;
  bool is_end = events_has(events, EVENT_STOP) || events_has(events, EVENT_END) || events->is_usage_alone;
  return !r->is_translated && r->is_committed && !is_end;
}

static enum err take_frame(struct stream *r, const struct frame *frame, struct err_info *info) {
  struct events events;
  enum err e = r->is_translated ? translation_frame(&r->translation, frame, &events, &r->out, info)
                                : relay_frame(r, frame, &events, info);
  if (e) return e;
  if (is_content(r, &events)) reserve_saw(r->call, frame->data.n);
  note(r, &events);
  return r->out.failed || r->held.failed ? ERR_NO_MEMORY : OK;
}

/* The answer has been ended without its end mark; the record still learns of usage. What is wrong with such a frame is
 * nobody's business any more. */
static void note_late(struct stream *r, const struct frame *frame) {
  struct events events;
  struct err_info ignored = {0};
  if (translation_frame(&r->translation, frame, &events, &r->out, &ignored)) r->is_early = false;
}

static enum err take_piece(struct stream *r, struct str piece, struct err_info *info) {
  struct frame frame;
  enum err e = OK;
  frame_reader_feed(&r->frames, piece);
  while (!e && frame_reader_next(&r->frames, &frame, &e)) {
    /* What follows the end mark is no part of the answer, but for the rest of its own line end. */
    bool is_behind = r->is_over && frame.raw.n > LINE_END_MAX;
    if (!is_behind)
      e = take_frame(r, &frame, info);
    else if (r->is_early)
      note_late(r, &frame);
  }
  /* Nor is a frame behind it that cannot be cut off (its length, its checksum). */
  return r->is_over && (e == ERR_UPSTREAM_TOO_LARGE || e == ERR_UPSTREAM_PROTOCOL) ? OK : e;
}

/* What a stream keeps between reads; most keep so little that it costs nothing. */
static enum err hold(struct stream *r, struct err_info *info) {
  size_t bytes = r->out.cap + r->other.cap + r->held.cap + r->receipt.cap + r->state.pool.cap +
                 r->translation.pool.cap + text_filter_held_bytes(&r->translation.filter) +
                 frame_reader_held_bytes(&r->frames);
  return attempt_hold(r->call, bytes, info);
}

static enum err send_out(struct stream *r) {
  size_t n = r->doubt_from == NO_DOUBT ? r->out.n : r->doubt_from;
  if (n == 0 || (!r->is_committed && n < UNSENT_MAX)) return OK;
  enum err e = r->call->sink.write(r->call->sink.arg, str_from(r->out.p, n), r->is_over);
  buf_shift(&r->out, n);
  if (r->doubt_from != NO_DOUBT) r->doubt_from = 0;
  return e;
}

/* The next deadline, and which error it means when it passes. */
static uint64_t next_deadline(const struct stream *r, uint64_t now_us, uint64_t first_us, uint64_t total_us,
                              enum err *meaning) {
  const struct provider_timeouts *t = &r->deployment->at->provider.timeouts;
  uint64_t deadline = total_us, silent = clock_deadline_after(now_us, t->silence_ms);
  *meaning = ERR_TOTAL_TIMEOUT;
  if (silent < deadline) deadline = silent, *meaning = ERR_SILENCE_TIMEOUT;
  bool is_waiting = !r->is_committed && !r->translation.saw_content;
  if (is_waiting && first_us < deadline) deadline = first_us, *meaning = ERR_FIRST_CONTENT_TIMEOUT;
  if (r->is_holding && r->hold_until < deadline) deadline = r->hold_until, *meaning = OK;
  if (r->is_over && r->tail_until < deadline) deadline = r->tail_until, *meaning = OK;
  return deadline;
}

/* The unfinished event at the stream's end, as if its blank line followed: some servers leave it out. */
static enum err take_last(struct stream *r, struct err_info *info) {
  struct frame frame;
  enum err e = OK;
  if (r->is_over) return OK;
  if (r->frames.framing == FRAMING_AWS && frame_reader_is_partial(&r->frames))
    return err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended inside an event");
  for (int line_ends = 0; line_ends < 2 && !e && frame_reader_is_partial(&r->frames); line_ends++) {
    frame_reader_feed(&r->frames, STR("\n"));
    if (!frame_reader_next(&r->frames, &frame, &e)) continue;
    /* The beginning of an event ("dat") would be an empty one to the caller; the error has an event of its own. */
    if (frame.data.n == 0) continue;
    e = take_frame(r, &frame, info);
    if (e == ERR_UPSTREAM_PROTOCOL) e = err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended inside an event");
  }
  return e;
}

/* The connection has ended: what was still in doubt is decided. Whether the answer is complete is the relay's word. */
static enum err end_watch(struct stream *r, struct err_info *info) {
  struct events seen;
  struct err_info fault = {0};
  size_t from = r->doubt_from == NO_DOUBT ? r->out.n : r->doubt_from;
  enum err e = translation_end(&r->translation, &seen, &r->other, &fault);
  r->doubt_from = NO_DOUBT;
  if (is_guards(e)) {
    r->out.n = from;
    *info = fault;
    return e;
  }
  if (!e && translation_has_changed(&r->translation)) {
    take_over(r, from);
    note(r, &seen);
  }
  return OK;
}

static enum err finish(struct stream *r, struct err_info *info) {
  struct events events;
  enum err e = take_last(r, info);
  if (!e && r->is_watched) e = end_watch(r, info);
  if (!e && r->is_translated) {
    e = translation_end(&r->translation, &events, &r->out, info);
    if (!e) note(r, &events);
  } else if (!e && !r->is_over && !dialect_stream_has_stopped(&r->state)) {
    e = err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended before the answer was complete");
  }
  if (e) return e;
  release(r, r->out.n);
  r->is_committed = true;
  e = send_out(r);
  attempt_estimate(r->call, r->deployment); /* where no receipt has asked for it yet */
  return e;
}

/* What was in doubt is never decided any more, so it is what it seems to be. */
static void let_go(struct stream *r) {
  struct err_info ignored = {0};
  r->doubt_from = NO_DOUBT;
  if (r->is_translated && translation_release(&r->translation, &r->out, &ignored)) return;
}

/* What came before a fault is the caller's, too; but where nothing of it has gone out and another candidate is asked
 * next, it is forgotten, so that the other may answer in its place. */
static enum err fail(struct stream *r, enum err e, const struct err_info *info) {
  const struct call *c = r->call;
  struct plan_walk walk = c->walk;
  bool has_other = call_next(c, &walk, e, info) || e == ERR_BUSY; /* a status that says when to come back */
  if (e == ERR_CANCELLED || (has_other && !c->sink.has_content(c->sink.arg))) return e;
  if (!is_guards(e)) let_go(r);
  release(r, r->out.n);
  enum err sent = send_out(r);
  return sent ? sent : e;
}

/* One read. OK and *is_over at the stream's end; OK also when only the frame that was held back is due. */
static enum err take_next(struct stream *r, struct http_call *http, uint64_t first_us, uint64_t total_us, bool *is_over,
                          struct err_info *info) {
  struct str piece;
  enum err meaning;
  uint64_t now = clock_mono_us(), deadline = next_deadline(r, now, first_us, total_us, &meaning);
  enum err e = attempt_read(r->call, http, &piece, now, deadline, info);
  bool is_late = r->is_over && clock_mono_us() >= r->tail_until; /* an upstream that talks on for ever */
  *is_over = e ? e != ERR_CANCELLED && r->is_over : piece.n == 0 || is_late;
  if (*is_over) return OK; /* behind the end mark, however the connection ends */
  if (e != ERR_TIMEOUT) return e ? e : take_piece(r, piece, info);
  if (meaning) return meaning;
  if (!r->is_translated) {
    release(r, r->out.n);
    return OK;
  }
  r->is_holding = false;
  r->is_over = r->is_early = true;
  r->tail_until = clock_deadline_ms(TAIL_MS);
  return translation_finish(&r->translation, &r->out, info);
}

static enum err pump(struct stream *r, struct http_call *http, uint64_t first_us, uint64_t total_us,
                     struct err_info *info) {
  for (;;) {
    bool is_over;
    enum err e = take_next(r, http, first_us, total_us, &is_over, info);
    if (!e && !r->is_over) e = hold(r, info);
    if (!e && is_over) e = finish(r, info);
    if (e || is_over) return e ? fail(r, e, info) : OK;
    if ((e = send_out(r))) return e;
  }
}

static enum err begin(struct stream *r, const struct codec *codec, struct err_info *info) {
  if (codec->answer == CODEC_ENCODE) {
    r->is_translated = true;
    r->call->translation = &r->translation;
    return translation_begin(&r->translation, r->call, r->deployment, codec, info);
  }
  r->call->translation = NULL;
  r->call->relayed = &r->state;
  r->is_watched = text_filter_is_wanted(&codec->filter);
  return r->is_watched ? translation_watch(&r->translation, r->call, r->deployment, codec) : OK;
}

enum err stream_run(struct call *c, const struct deployment *d, const struct codec *codec, struct http_call *http,
                    uint64_t first_deadline_us, uint64_t deadline_us, struct err_info *info) {
  struct stream *r = ARENA_NEW(c->arena, struct stream);
  if (!r) return ERR_NO_MEMORY;
  r->call = c;
  r->deployment = d;
  r->doubt_from = NO_DOUBT;
  buf_init(&r->other, WRITTEN_MAX);
  r->edits = attempt_reply_edits(c, d);
  frame_reader_init(&r->frames, codec->target->framing, FRAME_MAX);
  buf_init(&r->out, codec->answer == CODEC_ENCODE ? WRITTEN_MAX : UNSENT_MAX + 2 * FRAME_MAX + EDITS_MAX);
  buf_init(&r->held, FRAME_MAX + EDITS_MAX);
  buf_init(&r->receipt, 0);
  enum err e = begin(r, codec, info);
  if (!e) e = pump(r, http, first_deadline_us, deadline_us, info);
  translation_clear(&r->translation);
  json_pool_clear(&r->state.pool);
  frame_reader_clear(&r->frames);
  buf_clear(&r->out);
  buf_clear(&r->other);
  buf_clear(&r->held);
  buf_clear(&r->receipt);
  attempt_unhold(c);
  return e;
}
