/* ONE model call: plan -> attempts -> bytes for the caller and what they cost. Every strategy goes through here, so
 * what must hold for each call (timeouts, fallback, accounting) is here and nowhere else. The story is call_run, top to
 * bottom; one attempt is call/attempt.c, a stream's bytes are call/stream.c. Runs on the exchange's fiber; everything
 * it takes lives in the exchange's arena or is given back before it returns. */
#ifndef MAESTRO_CALL_CALL_H
#define MAESTRO_CALL_CALL_H

#include "base/buf.h"
#include "call/count.h"
#include "call/losses.h"
#include "call/reserve.h"
#include "call/shape.h"
#include "io/held.h"
#include "route/plan.h"

/* What became of a call; filled while it runs. */
struct call_outcome {
  const struct deployment *deployment; /* of the last attempt; NULL: none was made */
  unsigned attempts;
  int upstream_status;                  /* 0: no reply */
  struct usage usage;                   /* of the last attempt, unless it is one of the losses */
  struct cost cost;                     /* as the caller is charged it; likewise */
  int64_t cost_factor;                  /* so many times the provider's price, in billionths; PRICE_ONCE or 0: once */
  struct call_loss *losses, *last_loss; /* attempts that failed and are charged, in time */
  unsigned losses_n;
  uint64_t started_us;         /* monotonic */
  uint64_t attempt_started_us; /* the last one */
  uint64_t ttft_us;            /* from started_us to the first content; 0: none came */
  uint64_t upstream_us;        /* time spent waiting for providers */
  uint64_t duration_us;
  bool is_reused; /* the last attempt went over a pooled connection */
  unsigned resends;
  int64_t max_tokens; /* the output limit that was said in the caller's place; 0: none was */
  bool is_complete;   /* the answer ended as it should */
};

/* Where a streamed answer goes. A whole answer is left in call.reply instead. */
struct call_sink {
  void *arg;
  /* Bytes of whole frames in the caller's dialect. The first call means that there is content; is_end: the answer's end
   * is among them, and nothing may fill the silence behind it. */
  WAIT enum err (*write)(void *arg, struct str bytes, bool is_end);
  /* True once the caller has got any byte of the answer: from here on no other attempt. */
  bool (*has_content)(void *arg);
};

struct translation;

struct call {
  /* set by the strategy */
  const struct plan *plan;
  const struct config_options *options;
  const struct dialect *dialect; /* the caller's */
  struct http_client *client;
  struct arena *arena;
  struct str body;
  const struct envelope_scan *scan;
  const struct dialect_request *request;
  struct http_headers headers;        /* the caller's: some go to a provider of its dialect */
  const struct limits_caller *limits; /* whom the call is charged to; NULL: nobody, and nothing is written down */
  struct str owner;                   /* who calls, by name: what is kept for them is theirs alone */
  const struct route_names *names;    /* what is set for models; NULL: nothing */
  struct str user;                    /* the caller's name, where it is a user; else empty */
  struct str reply_id;                /* unique, [a-z0-9_]: base of ids that a translation has to invent */
  struct call_sink sink;
  /* Appends the receipt (a JSON object) for a streamed answer; NULL: none is wanted. */
  void (*put_receipt)(void *arg, const struct call_outcome *outcome, struct buf *out);
  void *receipt_arg;
  /* Where something is set for the model in hand, body and scan are the request shaped for it (call/shape.h): */
  struct str asked_body; /* the caller's; empty: body is it */
  const struct envelope_scan *asked_scan;
  struct shape_done shape; /* what body has otherwise than asked_body */
  struct buf shaped;
  int64_t context_tokens;        /* to be said to a provider that allots it; 0: none */
  const struct route_rule *rule; /* what is set for the model in hand; NULL: nothing */
  struct price price;            /* of the model in hand, as the caller is charged it */
  /* of a translation: the request decoded (once for each target dialect), encoded for the attempt in hand */
  struct request *canonical;
  const struct dialect *mended_for; /* canonical was put right for this target, and no other may see it so; or NULL */
  struct arena *work; /* of `canonical` and what encoding takes. Of a large body it is one of its own: the pool works on
                         it, while fibers of the exchange may use `arena` */
  struct buf encoded;
  struct count_output seen;             /* the model's words in the attempt in hand, where somebody looks at them */
  struct plan_walk walk;                /* how far the plan has been gone */
  struct reserve reserve;               /* what the call may cost and has; call/reserve.c's */
  struct held held;                     /* what all buffers of this call cost the process; given back by call_clear */
  struct translation *translation;      /* of the stream that is being or was last written; NULL: none */
  const struct dialect_stream *relayed; /* the same of a relayed one */
  /* results */
  struct caps_dropped unshaped;      /* what the model does not take and was left out */
  struct caps_dropped dropped;       /* both, and what the target cannot say and was left out; cleared by call_clear */
  struct buf reply;                  /* a whole answer, edited; cleared by call_clear */
  struct http_headers reply_headers; /* of the upstream, fit for the caller; in the arena */
  struct call_outcome outcome;
};

/* OK: the answer is in call.reply, or went to the sink to its proper end. Otherwise *info says why; what the sink got
 * before must then end in an error event. */
WAIT enum err call_run(struct call *c, struct err_info *info);
/* An answer that no provider gives: said in the caller's dialect, streamed or whole, to one choice as to many; a count
 * of tokens is estimated. It costs nothing. plan->v[0] stands for who answered. Result as call_run's; ERR_UNSUPPORTED
 * for operations whose answer is no text. */
struct fixed_answer {
  struct str text;
  struct usage usage;
};
WAIT enum err call_run_fixed(struct call *c, const struct fixed_answer *answer, struct err_info *info);
/* The event that ends a stream which cannot be completed: from the stream's writer where there is one. */
void call_put_stream_error(const struct call *c, enum err e, const struct err_info *info, struct buf *out);
void call_clear(struct call *c);

#endif
