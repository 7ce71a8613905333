/* The receipt: see receipt.h. */
#include "gateway/receipt.h"

uint64_t receipt_overhead_us(const struct request_context *rc, const struct call_outcome *outcome) {
  uint64_t elapsed = clock_mono_us() - rc->started_us;
  return elapsed > outcome->upstream_us ? elapsed - outcome->upstream_us : 0;
}

static void put_count(const struct usage *u, enum usage_class class, struct buf *out) {
  if (usage_has(u, class))
    buf_put_i64(out, u->tokens[class]);
  else
    buf_put(out, STR("null"));
}

static void put_usage(const struct usage *u, struct buf *out) {
  static const struct {
    enum usage_class class;
    struct str name;
  } names[] = {{USAGE_INPUT, STR("input")},
               {USAGE_OUTPUT, STR("output")},
               {USAGE_CACHE_READ, STR("cache_read")},
               {USAGE_CACHE_WRITE, STR("cache_write")},
               {USAGE_REASONING, STR("reasoning")}};
  buf_put_char(out, '{');
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (i) buf_put_char(out, ',');
    buf_put_json(out, names[i].name);
    buf_put_char(out, ':');
    put_count(u, names[i].class, out);
  }
  buf_put_char(out, '}');
}

static void put_usd(const struct cost *cost, int64_t nano_usd, struct buf *out) {
  if (cost->is_known)
    buf_put_nano_usd(out, nano_usd);
  else
    buf_put(out, STR("null"));
}

/* Input, output, cache and reasoning apart. */
static void put_split(const struct cost *cost, struct buf *out) {
  static const struct str names[USAGE_CLASSES] = {[USAGE_INPUT] = STR("input"),
                                                  [USAGE_OUTPUT] = STR("output"),
                                                  [USAGE_CACHE_READ] = STR("cache_read"),
                                                  [USAGE_CACHE_WRITE] = STR("cache_write"),
                                                  [USAGE_REASONING] = STR("reasoning")};
  if (!cost->is_known) {
    buf_put(out, STR("null"));
    return;
  }
  for (int i = 0; i < USAGE_CLASSES; i++) {
    buf_put_char(out, i ? ',' : '{');
    buf_put_json(out, names[i]);
    buf_put_char(out, ':');
    buf_put_nano_usd(out, cost->class_nano_usd[i]);
  }
  buf_put_char(out, '}');
}

/* An attempt that is charged. */
struct receipt_turn {
  const struct deployment *deployment;
  const struct usage *usage;
  const struct cost *cost;
  int64_t cost_factor;
  uint64_t duration_us, ttft_us; /* ttft_us 0: no content came, or it is not known */
  enum err error;                /* OK: it answered */
};

static struct receipt_turn turn_of_loss(const struct call_loss *l) {
  return (struct receipt_turn){l->deployment, &l->usage, &l->cost, l->cost_factor, l->duration_us, 0, l->error};
}

static uint64_t beyond(uint64_t us, uint64_t lost_us) { return us > lost_us ? us - lost_us : 0; }

/* The time of the losses is in their own turns. */
static struct receipt_turn turn_of_answer(const struct call_outcome *o) {
  uint64_t lost_us = 0;
  for (const struct call_loss *l = o->losses; l; l = l->next) lost_us += l->duration_us;
  return (struct receipt_turn){.deployment = o->deployment,
                               .usage = &o->usage,
                               .cost = &o->cost,
                               .cost_factor = o->cost_factor,
                               .duration_us = beyond(o->duration_us, lost_us),
                               .ttft_us = beyond(o->ttft_us, lost_us)};
}

static void put_turn(const struct receipt_turn *t, unsigned number, unsigned attempts, struct buf *out) {
  const struct deployment *d = t->deployment;
  buf_put(out, STR("{\"turn\":"));
  buf_put_u64(out, number);
  buf_put(out, STR(",\"role\":\"worker\",\"slot\":"));
  if (d->spec && d->spec->slot.n)
    buf_put_json(out, d->spec->slot);
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"model\":"));
  buf_put_json(out, d->qualified);
  buf_put(out, STR(",\"provider\":"));
  buf_put_json(out, d->at->provider.id);
  if (t->error) {
    buf_put(out, STR(",\"error\":"));
    buf_put_json(out, str_from_c(err_code(t->error)));
  }
  buf_put(out, STR(",\"attempts\":"));
  buf_put_u64(out, attempts);
  buf_put(out, STR(",\"ms\":"));
  buf_put_u64(out, t->duration_us / 1000);
  buf_put(out, STR(",\"ttft_ms\":"));
  if (t->ttft_us)
    buf_put_u64(out, t->ttft_us / 1000);
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"usage\":"));
  put_usage(t->usage, out);
  buf_put(out, STR(",\"cost_usd\":"));
  put_usd(t->cost, t->cost->total_nano_usd, out);
  buf_put(out, STR(",\"cost\":"));
  put_split(t->cost, out);
  if (t->cost_factor && t->cost_factor != PRICE_ONCE) { /* of what the provider asks; so much is the caller charged */
    buf_put(out, STR(",\"cost_multiplier\":"));
    buf_put_nano_usd(out, t->cost_factor);
  }
  buf_put_char(out, '}');
}

static void put_model(const struct deployment *d, const struct usage *u, struct buf *out) {
  buf_put_json(out, d->qualified);
  buf_put(out, STR(":{\"in\":"));
  put_count(u, USAGE_INPUT, out);
  buf_put(out, STR(",\"out\":"));
  put_count(u, USAGE_OUTPUT, out);
  buf_put_char(out, '}');
}

/* The losses at `d` from `l` on, added to *sum. */
static void add_losses_at(const struct call_loss *l, const struct deployment *d, struct usage *sum) {
  for (; l; l = l->next)
    if (l->deployment == d) usage_add(sum, &l->usage);
}

static bool is_first_at(const struct call_outcome *o, const struct call_loss *l) {
  const struct call_loss *first = o->losses;
  while (first->deployment != l->deployment) first = first->next;
  return first == l;
}

static void put_usage_by_model(const struct call_outcome *o, struct buf *out) {
  struct usage sum = o->usage;
  add_losses_at(o->losses, o->deployment, &sum);
  put_model(o->deployment, &sum, out);
  for (const struct call_loss *l = o->losses; l; l = l->next) {
    if (l->deployment == o->deployment || !is_first_at(o, l)) continue;
    sum = l->usage;
    add_losses_at(l->next, l->deployment, &sum);
    buf_put_char(out, ',');
    put_model(l->deployment, &sum, out);
  }
}

/* The last attempt of a call that failed may be one of the losses. */
static unsigned turns_of(const struct call_outcome *o) {
  bool is_lost = o->last_loss && o->last_loss->attempt == o->attempts;
  return o->losses_n + !is_lost;
}

static void put_route(const struct call_outcome *o, struct buf *out) {
  unsigned number = 1;
  for (const struct call_loss *l = o->losses; l; l = l->next, number++) {
    const struct receipt_turn lost = turn_of_loss(l);
    put_turn(&lost, number, 1, out);
    buf_put_char(out, ',');
  }
  const struct receipt_turn last = turn_of_answer(o);
  put_turn(&last, number, o->attempts - o->losses_n, out);
}

void receipt_put(const struct request_context *rc, const struct plan *plan, const struct call_outcome *o,
                 struct buf *out) {
  const struct deployment *d = o->deployment;
  struct usage usage;
  struct cost cost;
  losses_sum(o, true, &usage, &cost);
  buf_put(out, STR("{\"trace_id\":"));
  buf_put_json(out, rc->trace_id);
  buf_put(out, STR(",\"mode\":"));
  buf_put_json(out, str_from_c(plan_mode_name(plan->mode)));
  buf_put(out, STR(",\"route\":["));
  put_route(o, out);
  buf_put(out, STR("],\"turns\":"));
  buf_put_u64(out, turns_of(o));
  buf_put(out, STR(",\"usage_by_model\":{"));
  put_usage_by_model(o, out);
  buf_put(out, STR("},\"cost_usd\":"));
  put_usd(&cost, cost.total_nano_usd, out);
  buf_put(out, STR(",\"cost_vs_frontier_only_usd\":null,\"savings_pct\":null,\"estimated\":"));
  buf_put(out, cost.is_estimated || usage.is_estimated ? STR("true") : STR("false"));
  buf_put(out, STR(",\"price_date\":"));
  if (d->price.date[0])
    buf_put_json(out, str_from_c(d->price.date));
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"cached\":false,\"overhead_us\":"));
  buf_put_u64(out, receipt_overhead_us(rc, o));
  buf_put_char(out, '}');
}

static void add_number(struct request_context *rc, struct str name, uint64_t value) {
  char digits[24];
  struct buf b = {.p = digits, .cap = sizeof digits, .limit_bytes = sizeof digits};
  buf_put_u64(&b, value);
  struct str text = arena_dup(rc->arena, buf_str(&b));
  if (text.p) reply_add_header(&rc->reply, name, text);
}

void receipt_add_headers(struct request_context *rc, const struct plan *plan, const struct call_outcome *o,
                         bool is_final) {
  if (!o->deployment) return;
  reply_add_header(&rc->reply, STR("x-maestro-model"), o->deployment->qualified);
  reply_add_header(&rc->reply, STR("x-maestro-mode"), str_from_c(plan_mode_name(plan->mode)));
  add_number(rc, STR("x-maestro-turns"), turns_of(o));
  add_number(rc, STR("x-maestro-overhead-us"), receipt_overhead_us(rc, o));
  if (!is_final) return;
  struct usage usage;
  struct cost cost;
  losses_sum(o, true, &usage, &cost);
  if (usage.is_estimated) reply_add_header(&rc->reply, STR("x-maestro-estimated"), STR("1"));
  if (!cost.is_known) return;
  char digits[48];
  struct buf b = {.p = digits, .cap = sizeof digits, .limit_bytes = sizeof digits};
  buf_put_nano_usd(&b, cost.total_nano_usd);
  struct str text = arena_dup(rc->arena, buf_str(&b));
  if (text.p) reply_add_header(&rc->reply, STR("x-maestro-cost-usd"), text);
}
