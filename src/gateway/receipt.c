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

static void put_turn(const struct call_outcome *o, struct buf *out) {
  const struct deployment *d = o->deployment;
  buf_put(out, STR("{\"turn\":1,\"role\":\"worker\",\"slot\":"));
  if (d->spec && d->spec->slot.n)
    buf_put_json(out, d->spec->slot);
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"model\":"));
  buf_put_json(out, d->qualified);
  buf_put(out, STR(",\"provider\":"));
  buf_put_json(out, d->at->provider.id);
  buf_put(out, STR(",\"attempts\":"));
  buf_put_u64(out, o->attempts);
  buf_put(out, STR(",\"ms\":"));
  buf_put_u64(out, o->duration_us / 1000);
  buf_put(out, STR(",\"ttft_ms\":"));
  if (o->ttft_us)
    buf_put_u64(out, o->ttft_us / 1000);
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"usage\":"));
  put_usage(&o->usage, out);
  buf_put(out, STR(",\"cost_usd\":"));
  put_usd(&o->cost, o->cost.total_nano_usd, out);
  buf_put(out, STR(",\"cost\":"));
  put_split(&o->cost, out);
  if (o->cost_factor && o->cost_factor != PRICE_ONCE) { /* of what the provider asks; so much is the caller charged */
    buf_put(out, STR(",\"cost_multiplier\":"));
    buf_put_nano_usd(out, o->cost_factor);
  }
  buf_put_char(out, '}');
}

void receipt_put(const struct request_context *rc, const struct plan *plan, const struct call_outcome *o,
                 struct buf *out) {
  const struct deployment *d = o->deployment;
  buf_put(out, STR("{\"trace_id\":"));
  buf_put_json(out, rc->trace_id);
  buf_put(out, STR(",\"mode\":"));
  buf_put_json(out, str_from_c(plan_mode_name(plan->mode)));
  buf_put(out, STR(",\"route\":["));
  put_turn(o, out);
  buf_put(out, STR("],\"turns\":1,\"usage_by_model\":{"));
  buf_put_json(out, d->qualified);
  buf_put(out, STR(":{\"in\":"));
  put_count(&o->usage, USAGE_INPUT, out);
  buf_put(out, STR(",\"out\":"));
  put_count(&o->usage, USAGE_OUTPUT, out);
  buf_put(out, STR("}},\"cost_usd\":"));
  put_usd(&o->cost, o->cost.total_nano_usd, out);
  buf_put(out, STR(",\"cost_vs_frontier_only_usd\":null,\"savings_pct\":null,\"estimated\":"));
  buf_put(out, o->cost.is_estimated || o->usage.is_estimated ? STR("true") : STR("false"));
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
  reply_add_header(&rc->reply, STR("x-maestro-turns"), STR("1"));
  add_number(rc, STR("x-maestro-overhead-us"), receipt_overhead_us(rc, o));
  if (!is_final || !o->cost.is_known) return;
  char digits[48];
  struct buf b = {.p = digits, .cap = sizeof digits, .limit_bytes = sizeof digits};
  buf_put_nano_usd(&b, o->cost.total_nano_usd);
  struct str text = arena_dup(rc->arena, buf_str(&b));
  if (text.p) reply_add_header(&rc->reply, STR("x-maestro-cost-usd"), text);
}
