/* One model call: see call.h. */
#include "call/call.h"

#include <stdio.h>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/call_internal.h"
#include "call/fit.h"
#include "call/translate.h"

/* A limit of ours that an attempt at that deployment would pass, or our administrator has closed it. */
static bool is_own_refusal(enum err e) {
  return e == ERR_BUDGET_EXCEEDED || e == ERR_RATE_LIMITED || e == ERR_MAINTENANCE;
}

/* Whether a failure of one deployment may be mended by asking another. The status of an upstream decides where there is
 * one: a fault of the request itself would be answered the same everywhere. */
static bool may_try_other(enum err e, const struct err_info *info) {
  if (is_own_refusal(e)) return true; /* another candidate may be cheaper, have a price, or have no such limit */
  if (e == ERR_CANCELLED || err_retry(e) != ERR_RETRY_OTHER) return false;
  if (e != ERR_UPSTREAM_STATUS) return true;
  int status = info->http_status;
  return status >= 500 || status == 401 || status == 402 || status == 403 || status == 404 || status == 408 ||
         status == 409 || status == 425 || status == 429;
}

/* What another model may have room for: as we know of this one, or as its provider says. */
static bool is_too_long(enum err e, const struct err_info *info) {
  if (e != ERR_UPSTREAM_STATUS) return e == ERR_CONTEXT_EXCEEDED;
  return info->http_status == 413 || str_eq(str_from_c(err_info_code(e, info)), STR("context_length_exceeded"));
}

const struct deployment *call_next(const struct call *c, struct plan_walk *walk, enum err e,
                                   const struct err_info *info) {
  const struct deployment *larger = is_too_long(e, info) ? plan_next_larger(c->plan, walk) : NULL;
  return larger || !may_try_other(e, info) ? larger : plan_next(c->plan, walk);
}

static bool may_repeat(enum err e, const struct err_info *info) {
  if (e != ERR_UPSTREAM_STATUS) return may_try_other(e, info);
  int status = info->http_status;
  return status >= 500 || status == 408 || status == 409 || status == 429;
}

enum { BACKOFF_MS = 250, BACKOFF_MAX_MS = 8000 };

/* Growing pauses with jitter; never shorter than what the upstream asked for. */
static enum err pause_before_repeat(unsigned repeat, const struct err_info *info) {
  uint64_t ms = repeat < 6 ? (uint64_t)BACKOFF_MS << repeat : BACKOFF_MAX_MS;
  ms += id_random_below(ms / 4 + 1);
  if (info->retry_after_ms > (int64_t)ms) ms = (uint64_t)info->retry_after_ms;
  return ms > BACKOFF_MAX_MS * 4 ? ERR_RATE_LIMITED : fiber_sleep_until(clock_deadline_ms(ms));
}

/* Says whose failure it was, where the text does not come from that provider and says so itself. */
static enum err name_provider(const struct deployment *d, enum err e, struct err_info *info) {
  char text[ERR_TEXT_MAX];
  if (!e || e == ERR_CANCELLED || e == ERR_UPSTREAM_STATUS || err_blame(e) != ERR_BLAME_UPSTREAM) return e;
  snprintf(text, sizeof text, "%s", err_info_text(e, info));
  return err_set(info, e, "%.*s: %.500s", STR_ARG(d->at->provider.id), text);
}

/* So many times the provider's price the caller is charged at the model in hand. */
static int64_t cost_factor(const struct call *c) { return c->rule ? c->rule->row->cost_factor : PRICE_ONCE; }

/* What is known of a reply is known of the last one only. */
static void begin_attempt(struct call *c, const struct deployment *d) {
  struct call_outcome *o = &c->outcome;
  c->seen = (struct count_output){0};
  c->relayed = NULL;
  o->deployment = d;
  o->attempts++;
  o->upstream_status = 0;
  o->is_reused = false;
  o->usage = (struct usage){0};
  o->cost = (struct cost){0};
  o->cost_factor = cost_factor(c);
}

static enum err try_deployment(struct call *c, const struct deployment *d, struct err_info *info) {
  *info = (struct err_info){0};
  enum err unfit = translate_shape(c, d, info);
  if (!unfit) unfit = fit_check(c, d, info);
  if (unfit) return unfit;
  c->price = price_times(&d->price, cost_factor(c));
  for (unsigned repeat = 0;; repeat++) {
    *info = (struct err_info){0};
    enum err e = reserve_attempt(c, d, info);
    if (e) return e;
    begin_attempt(c, d);
    e = name_provider(d, attempt_run(c, d, info), info);
    reserve_settle(c, e);
    if (!e || c->sink.has_content(c->sink.arg) || repeat == c->plan->same_target_repeats || !may_repeat(e, info))
      return e;
    if (pause_before_repeat(repeat, info)) return fiber_is_cancelled() ? ERR_CANCELLED : e;
  }
}

/* Tokens and money of an attempt. An answer whose cost is unknown counts as such. */
static void count_used(unsigned pair, const struct usage *usage, const struct cost *cost, bool is_charged) {
  static const struct {
    enum usage_class class;
    enum metrics_token_kind kind;
  } kinds[] = {{USAGE_INPUT, METRICS_INPUT},
               {USAGE_OUTPUT, METRICS_OUTPUT},
               {USAGE_CACHE_READ, METRICS_CACHED},
               {USAGE_CACHE_WRITE, METRICS_CACHE_WRITE},
               {USAGE_REASONING, METRICS_REASONING}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (usage_get(usage, kinds[i].class))
      metrics_add(METRIC_TOKENS, pair, kinds[i].kind, usage_get(usage, kinds[i].class));
  if (cost->is_known)
    metrics_add(METRIC_COST, pair, 0, cost->total_nano_usd);
  else if (is_charged)
    metrics_inc(METRIC_COST_UNKNOWN, pair, 0);
}

/* Counts a finished call; the request's own figures are the record room's. Of a count of tokens nothing was used. */
static void count(const struct call *c, enum err e, const struct err_info *info) {
  const struct call_outcome *o = &c->outcome;
  if (!o->deployment) return;
  unsigned pair = o->deployment->metrics_label;
  int status = e ? err_info_status(e, info) : 200;
  metrics_inc(METRIC_MODEL_REQUESTS, pair, metrics_status_class(status));
  metrics_observe_us(METRIC_MODEL_DURATION, pair, o->duration_us);
  if (o->ttft_us && c->request->is_stream) metrics_observe_us(METRIC_TTFT, pair, o->ttft_us);
  if (c->request->operation != LLM_COUNT_TOKENS) count_used(pair, &o->usage, &o->cost, !e);
  for (const struct call_loss *l = o->losses; l; l = l->next)
    count_used(l->deployment->metrics_label, &l->usage, &l->cost, true);
  if (o->resends) metrics_add(METRIC_RESENDS, 0, 0, o->resends);
}

static void begin(struct call *c) {
  c->outcome = (struct call_outcome){.started_us = clock_mono_us()};
  c->walk = (struct plan_walk){0};
  buf_init(&c->reply, 0);
  buf_init(&c->encoded, 0);
  buf_init(&c->shaped, 0);
  caps_dropped_init(&c->dropped);
  caps_dropped_init(&c->unshaped);
}

static enum err end(struct call *c, enum err e, const struct err_info *info) {
  c->outcome.duration_us = clock_mono_us() - c->outcome.started_us;
  c->outcome.is_complete = !e;
  count(c, e, info);
  return e;
}

/* The request's own line tells of its last attempt only. */
static void note_fallback(const struct call *c, const struct deployment *d, enum err e, const struct err_info *info) {
  metrics_inc(METRIC_FALLBACKS, d->at->metrics_label, 0);
  log_line(LOG_LEVEL_INFO, "another candidate is asked", log_str(LOG_TRACE_ID, c->reply_id),
           log_str(LOG_MODEL, d->qualified), log_str(LOG_PROVIDER, d->at->provider.id),
           log_str(LOG_CODE, str_from_c(err_info_code(e, info))),
           log_str(LOG_ERROR, str_from_c(err_info_text(e, info))));
}

enum err call_run(struct call *c, struct err_info *info) {
  enum err e = ERR_INTERNAL;
  begin(c);
  if ((e = reserve_begin(c, info))) return e;
  for (const struct deployment *d = plan_next(c->plan, &c->walk), *next; d; d = next) {
    struct err_info own;
    enum err this = try_deployment(c, d, &own);
    /* A candidate that a limit keeps us from says nothing about why an earlier one has failed. */
    if (!is_own_refusal(this) || c->outcome.attempts == 0) {
      e = this;
      *info = own;
    }
    next = !e || c->sink.has_content(c->sink.arg) ? NULL : call_next(c, &c->walk, this, &own);
    if (next) note_fallback(c, d, this, &own);
  }
  reserve_end(c);
  return end(c, e, info);
}

enum err call_run_fixed(struct call *c, const struct fixed_answer *answer, struct err_info *info) {
  begin(c);
  c->outcome.deployment = c->plan->v[0];
  c->outcome.cost = (struct cost){.is_known = true}; /* nobody was asked, so nothing was spent */
  return end(c, fixed_answer(c, answer, info), info);
}

void call_clear(struct call *c) {
  buf_clear(&c->reply);
  buf_clear(&c->encoded);
  buf_clear(&c->shaped);
  caps_dropped_clear(&c->dropped);
  caps_dropped_clear(&c->unshaped);
  held_charge(&c->held, 0);
}
