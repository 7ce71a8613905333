/* Money and rates of one call: see reserve.h. */
#include "call/reserve.h"

#include <stdio.h>

#include "base/metrics.h"
#include "call/call.h"
#include "call/translate.h"
#include "policy/budget.h"

enum { BYTES_A_TOKEN = 4, TRIES = 8, BUSY_RETRY_MS = 1000, RATE_PICTURE_TOKENS = 1500 };

static bool is_free_of_charge(const struct call *c) { return c->request->operation == LLM_COUNT_TOKENS; }

/* The prompt's tokens as far as they can be told by its length. */
static int64_t seen_input(const struct call *c) {
  int64_t bytes = c->reserve.input_bound - BUDGET_TEMPLATE_TOKENS;
  return (bytes + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
}

/* ---- refusals ---- */

enum { WHOSE_BYTES = 160 };

/* "your team's monthly budget", "the budget of key:1". */
static const char *whose(const struct limits_subject *s, const char *what, char out[WHOSE_BYTES]) {
  static const char *const owners[] = {[LIMITS_OF_USER] = "your",
                                       [LIMITS_OF_TEAM] = "your team's",
                                       [LIMITS_OF_TOKEN] = "this token's",
                                       [LIMITS_OF_MODEL] = "this model's",
                                       [LIMITS_OF_RULE] = "this model's"};
  if (s->kind == LIMITS_OF_KEY)
    snprintf(out, WHOSE_BYTES, "the %s of %.*s", what, STR_ARG(s->label));
  else
    snprintf(out, WHOSE_BYTES, "%s %s", owners[s->kind], what);
  return out;
}

static enum err refuse_rate(const struct rate_limit_refusal *r, struct err_info *info) {
  static const struct {
    const char *one, *when;
  } what[] = {[RATE_LIMIT_REQUESTS_MINUTE] = {"request", "a minute"},
              [RATE_LIMIT_REQUESTS_DAY] = {"request", "a day"},
              [RATE_LIMIT_TOKENS_MINUTE] = {"token", "a minute"},
              [RATE_LIMIT_TOKENS_DAY] = {"token", "a day"},
              [RATE_LIMIT_CONCURRENCY] = {"call", "at the same time"}};
  static const enum metrics_refusal kinds[] = {[RATE_LIMIT_REQUESTS_MINUTE] = METRICS_REFUSED_REQUESTS,
                                               [RATE_LIMIT_REQUESTS_DAY] = METRICS_REFUSED_REQUESTS,
                                               [RATE_LIMIT_TOKENS_MINUTE] = METRICS_REFUSED_TOKENS,
                                               [RATE_LIMIT_TOKENS_DAY] = METRICS_REFUSED_TOKENS,
                                               [RATE_LIMIT_CONCURRENCY] = METRICS_REFUSED_CONCURRENCY};
  metrics_inc(METRIC_REFUSED, kinds[r->kind], 0);
  *info = (struct err_info){0};
  info->retry_after_ms = r->retry_after_ms;
  char limit[64], text[WHOSE_BYTES];
  snprintf(limit, sizeof limit, "limit of %llu %s%s %s", (unsigned long long)r->limit, what[r->kind].one,
           r->limit == 1 ? "" : "s", what[r->kind].when);
  whose(r->subject, limit, text);
  if (r->retry_after_ms == 0) return err_set(info, ERR_RATE_LIMITED, "this call alone needs more than %s", text);
  return err_set(info, ERR_RATE_LIMITED, "%s is reached; try again in %lld s", text,
                 (long long)(r->retry_after_ms + 999) / 1000);
}

/* ---- the call ---- */

static bool has_token_rate(const struct limits_caller *caller) {
  for (unsigned i = 0; i < caller->n; i++)
    if (caller->v[i]->limits.tokens_per_minute || caller->v[i]->limits.tokens_per_day) return true;
  return false;
}

static bool has_budget(const struct limits_caller *caller) {
  for (unsigned i = 0; i < caller->n; i++)
    if (caller->v[i]->limits.budget_nano_usd >= 0) return true;
  return false;
}

static int64_t choices_of(const struct call *c) { return c->request->choices > 1 ? c->request->choices : 1; }

/* What is known of a call's tokens before it is made. */
static int64_t tokens_known(const struct call *c) {
  int64_t output = 0, sum;
  if (c->request->max_tokens > 0 && __builtin_mul_overflow(c->request->max_tokens, choices_of(c), &output))
    return INT64_MAX;
  return __builtin_add_overflow(seen_input(c), output, &sum) ? INT64_MAX : sum;
}

/* Looking for pictures costs a pass over the body: once, and only where somebody asks. d NULL: of no model yet. */
static int64_t input_bound(struct call *c, const struct deployment *d) {
  struct reserve *r = &c->reserve;
  if (r->has_pictures < 0) r->has_pictures = budget_pictures(c->body) ? 1 : 0;
  if (!r->has_pictures) return (int64_t)c->body.n + BUDGET_TEMPLATE_TOKENS;
  return budget_input_bound(c->body, d ? budget_picture_tokens(d->model) : RATE_PICTURE_TOKENS);
}

static void settle_then_put_receipt(void *arg, const struct call_outcome *outcome, struct buf *out) {
  struct call *c = arg;
  if (outcome->cost.is_known) reserve_settle(c, OK);
  c->reserve.put_receipt(c->reserve.receipt_arg, outcome, out);
}

enum err reserve_begin(struct call *c, struct err_info *info) {
  struct reserve *r = &c->reserve;
  struct rate_limit_refusal refusal;
  *r = (struct reserve){.has_pictures = -1};
  if (!c->limits) return OK;
  r->subjects = *c->limits;
  bool has_rate = !is_free_of_charge(c) && has_token_rate(c->limits);
  r->input_bound = has_rate ? input_bound(c, NULL) : (int64_t)c->body.n + BUDGET_TEMPLATE_TOKENS;
  r->tokens_known = has_rate ? tokens_known(c) : 0;
  enum err e = rate_limit_take(c->limits, (uint64_t)r->tokens_known, clock_wall_us(), &r->ticket, &refusal);
  if (e) return refuse_rate(&refusal, info);
  if (!c->put_receipt || is_free_of_charge(c)) return OK;
  r->put_receipt = c->put_receipt;
  r->receipt_arg = c->receipt_arg;
  c->put_receipt = settle_then_put_receipt;
  c->receipt_arg = c;
  return OK;
}

enum err reserve_request(const struct limits_caller *caller, struct rate_limit_ticket *ticket, struct err_info *info) {
  struct rate_limit_refusal refusal;
  enum err e = rate_limit_take(caller, 0, clock_wall_us(), ticket, &refusal);
  return e ? refuse_rate(&refusal, info) : OK;
}

void reserve_end(struct call *c) {
  struct reserve *r = &c->reserve;
  if (r->put_receipt) {
    c->put_receipt = r->put_receipt;
    c->receipt_arg = r->receipt_arg;
    r->put_receipt = NULL;
  }
  if (c->outcome.attempts == 0)
    rate_limit_give_back(&r->ticket);
  else
    rate_limit_end(&r->ticket, (uint64_t)r->tokens_used, clock_wall_us());
}

/* ---- an attempt ---- */

static void put_usd(int64_t nano_usd, char out[48]) {
  struct buf b = {.p = out, .cap = 47, .limit_bytes = 47};
  buf_put_nano_usd(&b, nano_usd);
  out[b.n] = 0;
}

static enum err refuse_money(const struct limits_subject *s, int64_t amount, int64_t left, struct err_info *info) {
  char most[48], rest[48], lacking[48];
  int64_t shortfall;
  char text[WHOSE_BYTES];
  static const char *const budgets[] = {
      [LEDGER_TOTAL] = "budget", [LEDGER_MONTH] = "monthly budget", [LEDGER_DAY] = "daily budget"};
  if (__builtin_sub_overflow(amount, left, &shortfall)) shortfall = INT64_MAX;
  put_usd(amount, most);
  put_usd(left > 0 ? left : 0, rest);
  put_usd(shortfall, lacking);
  metrics_inc(METRIC_REFUSED, METRICS_REFUSED_BUDGET, 0);
  return err_set(info, ERR_BUDGET_EXCEEDED, "this call may cost up to $%s, and %s has $%s left: $%s are missing", most,
                 whose(s, budgets[s->limits.period], text), rest, lacking);
}

static void copy_text(char *out, size_t room, struct str text) {
  size_t n = text.n < room ? text.n : room;
  if (n) memcpy(out, text.p, n);
}

/* 20260622 of "2026-06-22". */
static uint32_t date_of(const struct price *p) {
  uint32_t v = 0;
  for (const char *c = p->date; *c; c++)
    if (*c >= '0' && *c <= '9') v = v * 10 + (uint32_t)(*c - '0');
  return v;
}

static struct journal_entry entry_for(const struct call *c, const struct deployment *d, int64_t amount) {
  struct journal_entry e = {.reserved_nano_usd = amount,
                            .input_nano_usd_per_mtok = -1,
                            .output_nano_usd_per_mtok = -1,
                            .began_us = clock_wall_us(),
                            .price_date = date_of(&c->price),
                            .attempt = c->outcome.attempts + 1};
  if (price_is_known(&c->price)) {
    e.input_nano_usd_per_mtok = c->price.nano_usd_per_mtok[USAGE_INPUT];
    e.output_nano_usd_per_mtok = c->price.nano_usd_per_mtok[USAGE_OUTPUT];
  }
  copy_text(e.trace, sizeof e.trace, c->reply_id);
  copy_text(e.model, sizeof e.model, d->qualified);
  return e;
}

/* A rule has rates, and no money is booked to it; it is the last. */
static unsigned claim(const struct limits_caller *caller, struct ledger_claim out[JOURNAL_ACCOUNTS_MAX]) {
  unsigned n = 0;
  for (; n < caller->n && caller->v[n]->kind != LIMITS_OF_RULE; n++) {
    const struct limits_subject *s = caller->v[n];
    out[n] = (struct ledger_claim){s->account, {-1, -1, -1}};
    out[n].cap_nano_usd[s->limits.period] = s->limits.budget_nano_usd;
  }
  return n;
}

static enum err take(struct call *c, const struct deployment *d, int64_t amount, struct ledger_refusal *refusal,
                     struct err_info *info) {
  struct ledger_claim claims[JOURNAL_ACCOUNTS_MAX];
  struct journal_entry entry = entry_for(c, d, amount);
  enum err e = ledger_reserve(claims, claim(&c->reserve.subjects, claims), &entry, &c->reserve.money, refusal);
  if (e != ERR_BUSY) return e;
  metrics_inc(METRIC_REFUSED, METRICS_REFUSED_JOURNAL, 0);
  info->retry_after_ms = BUSY_RETRY_MS;
  return err_set(info, ERR_BUSY, "too many calls are waiting to be billed; try again shortly");
}

static struct budget_terms terms_for(const struct call *c, const struct deployment *d) {
  return (struct budget_terms){.price = &c->price,
                               .input_tokens = c->reserve.input_bound,
                               .max_tokens = c->request->max_tokens,
                               .choices = c->request->choices,
                               .model_output_tokens = d->output_tokens,
                               .context_tokens = d->context_tokens,
                               .has_output = c->request->operation != LLM_EMBED,
                               .has_reasoning_apart = d->at->provider.bills_reasoning_apart};
}

static bool may_trim(const struct call *c, const struct limits_subject *s) {
  return c->request->operation != LLM_EMBED && (c->request->max_tokens < 0 || s->limits.trim);
}

/* No subject's floor is passed on behalf of another, and none that makes the request a fault. */
static int64_t least_output(const struct call *c, int64_t wanted) {
  const struct limits_caller *subjects = &c->reserve.subjects;
  int64_t least = c->request->least_tokens;
  for (unsigned i = 0; i < subjects->n; i++)
    if (subjects->v[i]->limits.budget_nano_usd >= 0 && subjects->v[i]->limits.min_output > least)
      least = subjects->v[i]->limits.min_output;
  return least < wanted ? least : wanted;
}

/* The input as it is counted, where that is exact and less than the bytes that stand for it at first: asked only when
 * these do not fit. Media stay as they are bound; how tools are framed is not published, so they get an eighth more.
 * False: there is nothing less. */
WAIT static bool count_input(struct call *c, const struct deployment *d, int64_t *tokens) {
  struct err_info ignored = {0};
  struct count_result count;
  bool has_vocabulary = token_family_encoding(token_family_of(d->model)) != TOKENIZER_ENCODINGS;
  if (!has_vocabulary || translate_count_input(c, d, &count, &ignored) || count.media) return false;
  int64_t exact = count.tokens + (c->canonical->tool_count ? count.tokens / 8 : 0) + BUDGET_TEMPLATE_TOKENS;
  if (exact >= *tokens) return false;
  *tokens = exact;
  return true;
}

/* With a money budget: the bound, then with the input as it is counted, then less output where that is allowed and the
 * bound does not fit. Others may take what was left between two tries. */
static enum err take_within_budget(struct call *c, const struct deployment *d, struct err_info *info) {
  struct budget_terms t = terms_for(c, d);
  int64_t wanted = budget_output_wanted(&t), output = wanted, amount = 0;
  int64_t least = least_output(c, wanted);
  bool is_counted = false;
  for (int i = 0; i < TRIES; i++) {
    struct ledger_refusal refusal;
    if (!budget_amount(&t, output, &amount)) amount = INT64_MAX;
    enum err e = take(c, d, amount, &refusal, info);
    bool is_ours = t.max_tokens < 0 || output < wanted;
    if (!e && t.has_output && is_ours && c->price.nano_usd_per_mtok[USAGE_OUTPUT] > 0) c->reserve.max_tokens = output;
    if (e != ERR_BUDGET_EXCEEDED) return e;
    if (!is_counted) {
      is_counted = true;
      if (count_input(c, d, &t.input_tokens)) continue;
    }
    const struct limits_subject *s = c->reserve.subjects.v[refusal.claim];
    if (!may_trim(c, s)) return refuse_money(s, amount, refusal.left_nano_usd, info);
    output = budget_affordable(&t, wanted, refusal.left_nano_usd);
    if (output >= least) continue;
    if (!budget_amount(&t, least, &amount)) amount = INT64_MAX;
    return refuse_money(s, amount, refusal.left_nano_usd, info);
  }
  info->retry_after_ms = BUSY_RETRY_MS;
  return err_set(info, ERR_BUSY, "the budget is being spent by too many calls at once; try again shortly");
}

static enum err check_budget_can_hold(const struct call *c, const struct deployment *d, struct err_info *info) {
  if (!price_is_known(&c->price)) {
    metrics_inc(METRIC_REFUSED, METRICS_REFUSED_UNPRICED, 0);
    return err_set(
        info, ERR_BUDGET_EXCEEDED,
        "the price of \"%.*s\" is not known, so nobody can use it on a budget; an administrator can give it one "
        "(docs/providers.md, Prices)",
        STR_ARG(d->qualified));
  }
  if (ledger_is_durable()) return OK;
  metrics_inc(METRIC_REFUSED, METRICS_REFUSED_JOURNAL, 0);
  return err_set(info, ERR_BUSY,
                 "what is spent cannot be written down, so a caller with a budget is not served; see the "
                 "server's log");
}

static enum err reserve_money(struct call *c, const struct deployment *d, struct err_info *info) {
  struct reserve *r = &c->reserve;
  if (r->has_budget && !d->at->is_demo) {
    r->input_bound = input_bound(c, d);
    enum err e = check_budget_can_hold(c, d, info);
    return e ? e : take_within_budget(c, d, info);
  }
  struct ledger_refusal refusal;
  const struct budget_terms t = terms_for(c, d);
  int64_t amount = 0;
  /* Nothing to be checked: the bound is for what is shown as reserved, and for the mark of an overrun. */
  if (price_is_known(&c->price) && !budget_amount(&t, budget_output_wanted(&t), &amount)) amount = 0;
  return take(c, d, d->at->is_demo ? 0 : amount, &refusal, info);
}

bool reserve_rule_subject(const struct route_rule *rule, struct limits_subject *out) {
  if (!rule || !rule->account) return false;
  *out = (struct limits_subject){rule->account, rule->row->prefix, rule->limits, LIMITS_OF_RULE};
  return true;
}

/* The limits of the model itself, and of the settings that govern it, where there are any; their rates count attempts.
 */
static enum err enter_model(struct call *c, const struct deployment *d, struct err_info *info) {
  struct reserve *r = &c->reserve;
  struct rate_limit_refusal refusal;
  struct limits_caller model = {.n = 0};
  r->subjects = limits_with_model(c->limits, d->qualified);
  if (reserve_rule_subject(c->rule, &r->rule)) r->subjects.v[r->subjects.n++] = &r->rule;
  for (unsigned i = c->limits->n; i < r->subjects.n; i++) model.v[model.n++] = r->subjects.v[i];
  if (!model.n) return OK;
  int64_t tokens = 0;
  if (!is_free_of_charge(c) && has_token_rate(&model)) {
    r->input_bound = input_bound(c, NULL);
    tokens = tokens_known(c);
  }
  enum err e = rate_limit_take(&model, (uint64_t)tokens, clock_wall_us(), &r->model_ticket, &refusal);
  return e ? refuse_rate(&refusal, info) : OK;
}

enum err reserve_attempt(struct call *c, const struct deployment *d, struct err_info *info) {
  struct reserve *r = &c->reserve;
  if (!c->limits) return OK;
  enum err e = enter_model(c, d, info);
  if (e || is_free_of_charge(c)) return e;
  r->deployment = d;
  r->max_tokens = 0;
  r->has_answer = false;
  r->seen_output = 0;
  r->smallest = 0;
  r->has_budget = has_budget(&r->subjects);
  c->outcome.max_tokens = 0;
  e = reserve_money(c, d, info);
  if (e)
    rate_limit_give_back(&r->model_ticket);
  else
    c->outcome.max_tokens = r->max_tokens;
  return e;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static void update_slot(struct call *c) {
  const struct usage *u = &c->outcome.usage;
  if (!c->reserve.money.is_taken) return;
  int64_t input = usage_has(u, USAGE_INPUT) ? usage_get(u, USAGE_INPUT) : seen_input(c);
  ledger_note(&c->reserve.money, input, larger(usage_get(u, USAGE_OUTPUT), c->reserve.seen_output));
}

void reserve_answered(struct call *c) {
  c->reserve.has_answer = true;
  update_slot(c);
}

void reserve_noted(struct call *c) { update_slot(c); }

/* The smallest frame of a stream is hardly more than its frame: what others have more is text. A frame is a token at
 * least. */
void reserve_saw(struct call *c, size_t frame_bytes) {
  struct reserve *r = &c->reserve;
  if (!r->money.is_taken) return;
  if (r->smallest == 0 || frame_bytes < r->smallest) r->smallest = frame_bytes;
  r->seen_output += 1 + (int64_t)((frame_bytes - r->smallest) / BYTES_A_TOKEN);
  update_slot(c);
}

/* What the attempt used, the provider's word first; is_estimated: not all of it is. */
static struct usage usage_of(const struct call *c, bool is_failed) {
  struct usage u = c->outcome.usage;
  bool is_whole = !c->request->is_stream;
  int64_t seen = is_whole ? (int64_t)((c->reply.n + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN) : c->reserve.seen_output;
  if (!usage_has(&u, USAGE_INPUT) || !usage_has(&u, USAGE_OUTPUT)) u.is_estimated = true;
  if (!usage_has(&u, USAGE_INPUT)) usage_set(&u, USAGE_INPUT, seen_input(c));
  if (c->request->operation == LLM_EMBED) {
    usage_set(&u, USAGE_OUTPUT, 0);
  } else if (!usage_has(&u, USAGE_OUTPUT) || (is_failed && seen > usage_get(&u, USAGE_OUTPUT))) {
    usage_set(&u, USAGE_OUTPUT, seen); /* of a cut stream, usage is of its beginning */
    u.is_estimated = true;
  }
  return u;
}

static bool has_cost(const struct call *c, enum err result) {
  if (!result) return true;
  bool saw_something = c->outcome.usage.known || c->reserve.seen_output > 0;
  return c->reserve.has_answer && (result != ERR_UPSTREAM_STATUS || saw_something);
}

/* Money and tokens of an attempt that cost something. */
static void settle(struct call *c, enum err result) {
  struct reserve *r = &c->reserve;
  const struct usage u = usage_of(c, result != OK);
  struct cost cost = cost_of(&u, c->price.known ? &c->price : NULL);
  /* The provider was held to the bound: what was guessed here may not pass it. */
  bool is_told = !result && c->outcome.cost.is_known; /* and its receipt has to say the same */
  if (u.is_estimated && !is_told && r->has_budget) cost_limit(&cost, r->money.amount_nano_usd);
  struct journal_result done = {.amount_nano_usd = cost.total_nano_usd};
  static const enum usage_class classes[JOURNAL_CLASSES] = {USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHE_READ,
                                                            USAGE_CACHE_WRITE, USAGE_REASONING};
  for (int i = 0; i < JOURNAL_CLASSES; i++) done.tokens[i] = usage_get(&u, classes[i]);
  if (u.is_estimated || cost.is_estimated) done.flags |= JOURNAL_ESTIMATED;
  if (!cost.is_known) done.flags |= JOURNAL_UNPRICED;
  if (result) done.flags |= JOURNAL_FAILED;
  if (cost.is_known && done.amount_nano_usd > r->money.amount_nano_usd) metrics_inc(METRIC_OVERRUNS, 0, 0);
  r->tokens_used += usage_get(&u, USAGE_INPUT) + usage_get(&u, USAGE_OUTPUT);
  ledger_settle(&r->money, &done);
  if (result) losses_add(c, &u, &cost, result);
}

void reserve_settle(struct call *c, enum err result) {
  struct reserve *r = &c->reserve;
  int64_t before = r->tokens_used;
  if (r->money.is_taken && has_cost(c, result)) settle(c, result);
  ledger_release(&r->money);
  if (r->model_ticket.is_taken) rate_limit_end(&r->model_ticket, (uint64_t)(r->tokens_used - before), clock_wall_us());
}

enum err reserve_limit_request(struct call *c) {
  struct reserve *r = &c->reserve;
  struct request *q = c->canonical;
  if (!r->has_own_max_tokens) r->own_max_tokens = q->max_tokens;
  r->has_own_max_tokens = true;
  q->max_tokens = r->own_max_tokens;
  if (!r->max_tokens) return OK;
  q->max_tokens = arena_printf(c->work, "%lld", (long long)r->max_tokens);
  return q->max_tokens.p ? OK : ERR_NO_MEMORY;
}
