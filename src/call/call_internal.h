/* Shared by the files of call/ only. */
#ifndef MAESTRO_CALL_CALL_INTERNAL_H
#define MAESTRO_CALL_CALL_INTERNAL_H

#include "call/call.h"
#include "call/codec.h"

/* One attempt at one deployment, from request to the end of its answer. */
WAIT enum err attempt_run(struct call *c, const struct deployment *d, struct err_info *info);

/* Whom to ask after that failure, with `walk` moved on; NULL: nobody. On a copy of c->walk it tells whether there is
 * one. */
const struct deployment *call_next(const struct call *c, struct plan_walk *walk, enum err e,
                                   const struct err_info *info);

/* What call_run_fixed does between beginning and end. */
WAIT enum err fixed_answer(struct call *c, const struct fixed_answer *answer, struct err_info *info);

/* The changes that this deployment's reply needs for this caller. */
struct dialect_reply_edits attempt_reply_edits(const struct call *c, const struct deployment *d);

/* Passes a stream on to the sink, to its end: relayed or translated as the codec says, its text through the codec's
 * filter. deadline_us bounds the whole attempt. */
WAIT enum err stream_run(struct call *c, const struct deployment *d, const struct codec *codec, struct http_call *http,
                         uint64_t first_deadline_us, uint64_t deadline_us, struct err_info *info);
/* http_call_read, with the time it took since `now_us` added to the outcome. */
WAIT enum err attempt_read(struct call *c, struct http_call *http, struct str *piece, uint64_t now_us,
                           uint64_t deadline_us, struct err_info *info);
/* Charges the process (io/held.h) for what the call holds, and `more` bytes that its caller does: to be called whenever
 * a buffer has grown. ERR_BUSY with Retry-After where the process holds too much. attempt_unhold: when `more` is gone.
 */
enum err attempt_hold(struct call *c, size_t more, struct err_info *info) MUST_CHECK;
void attempt_unhold(struct call *c);
/* Counts here what a complete answer's upstream has not reported, marked as estimated: the request's tokens, and those
 * of the words that were seen. What nobody looked at stays unknown. May wait (WAIT). */
void attempt_estimate(struct call *c, const struct deployment *d);
/* Keeps what one reply or frame said about usage: of each class its last word. */
void attempt_note(struct call *c, const struct usage *usage);

#endif
