/* Limits as a section of the snapshot: see limits.h. */
#include "gateway/limits.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/metrics.h"
#include "policy/rate_limit.h"

struct limits_section {
  struct arena arena;
  struct limits_subject *keys; /* in the order of config.keys; the generated one where there are none */
  size_t key_count;
  bool has_local; /* only while no person has set a key are there local callers */
  struct limits_subject local, admin;
};

/* ---- building ---- */

static struct limits limits_from(const struct config_options *o) {
  static const enum ledger_period periods[] = {
      [CONFIG_PERIOD_TOTAL] = LEDGER_TOTAL, [CONFIG_PERIOD_MONTH] = LEDGER_MONTH, [CONFIG_PERIOD_DAY] = LEDGER_DAY};
  return (struct limits){.budget_nano_usd = o->limits_budget_usd > 0 ? o->limits_budget_usd : -1,
                         .period = periods[o->limits_period],
                         .requests_per_minute = o->limits_requests_per_minute,
                         .requests_per_day = o->limits_requests_per_day,
                         .tokens_per_minute = o->limits_tokens_per_minute,
                         .tokens_per_day = o->limits_tokens_per_day,
                         .concurrency = o->limits_concurrency,
                         .min_output = o->limits_min_output,
                         .trim = o->limits_trim};
}

static enum err make(struct limits_subject *out, struct str account, struct str label, const struct limits *limits) {
  *out = (struct limits_subject){ledger_account(account), label, *limits};
  if (!out->account || !label.p) return ERR_NO_MEMORY;
  if (limits->budget_nano_usd >= 0) (void)metrics_account(label);
  return OK;
}

/* "key:" and half of a hash: of no use to whoever wants the key, and not the hash that credentials are compared by. */
static enum err name_key(struct str key, char out[36]) {
  const struct str parts[] = {STR("maestro ledger account\n"), key};
  struct crypto_hash hash;
  enum err e = crypto_sha256_parts(parts, 2, &hash);
  if (e) return e;
  memcpy(out, "key:", 4);
  crypto_hex(hash.bytes, 16, out + 4);
  return OK;
}

static enum err fill(struct limits_section *s, const struct config *config) {
  static const struct limits none = {.budget_nano_usd = -1};
  const struct limits limits = limits_from(&config->options);
  bool is_generated = config->keys.n == 0;
  s->has_local = is_generated;
  s->key_count = is_generated ? 1 : config->keys.n;
  s->keys = ARENA_NEW_ARRAY(&s->arena, struct limits_subject, s->key_count);
  if (!s->keys) return ERR_NO_MEMORY;
  enum err e = make(&s->local, STR("local"), STR("local"), is_generated ? &limits : &none);
  if (!e) e = make(&s->admin, STR("admin"), STR("admin"), &none);
  for (size_t i = 0; !e && i < s->key_count; i++) {
    char name[36];
    struct str label = arena_printf(&s->arena, "key:%zu", i + 1);
    if (!is_generated) e = name_key(secret_reveal(config->keys.items[i]), name);
    if (!e) e = make(&s->keys[i], is_generated ? STR("key:generated") : str_from(name, sizeof name), label, &limits);
  }
  return e;
}

static void limits_free(void *section) {
  struct limits_section *s = section;
  if (!s) return;
  arena_clear(&s->arena);
  free(s);
}

static enum err build(const struct config *config, const struct snapshot *made, const void *old, void **out,
                      struct config_diags *diags) {
  (void)made, (void)old, (void)diags;
  struct limits_section *s = calloc(1, sizeof *s);
  if (!s) return ERR_NO_MEMORY;
  arena_init(&s->arena, 0);
  enum err e = fill(s, config);
  if (e)
    limits_free(s);
  else
    *out = s;
  return e;
}

const struct snapshot_section limits_section = {"limits", build, limits_free};

/* ---- reading ---- */

static const struct limits_subject *subject_of(const struct limits_section *s, const struct auth_principal *p) {
  if (p->kind == AUTH_KEY && p->index < s->key_count) return &s->keys[p->index];
  return p->kind == AUTH_LOCAL ? &s->local : &s->admin;
}

struct limits_caller limits_of(const struct limits_section *s, const struct auth_principal *principal,
                               struct limits_subject *own) {
  char name[AUTH_NAME_BYTES];
  const struct limits_subject *of = subject_of(s, principal);
  if (principal->kind != AUTH_USER) return (struct limits_caller){{of}, 1};
  *own = (struct limits_subject){ledger_account(auth_principal_name(principal, name)), STR("user"), of->limits};
  return (struct limits_caller){{own->account ? own : of}, 1};
}

struct str limits_owner(const struct limits_section *s, const struct auth_principal *principal,
                        char out[AUTH_NAME_BYTES]) {
  if (principal->kind != AUTH_KEY) return auth_principal_name(principal, out);
  return ledger_account_name(subject_of(s, principal)->account);
}

static void add(struct request_context *rc, struct str name, struct buf *value) {
  struct str text = value->failed ? STR_NONE : arena_dup(rc->arena, buf_str(value));
  if (text.p) reply_add_header(&rc->reply, name, text);
  buf_reset(value);
}

/* "1.5s", as OpenAI writes durations; a moment in RFC 3339, as Anthropic does (docs of both, read 2026-11). */
static void put_reset(bool is_anthropic, int64_t ms, int64_t wall_us, struct buf *out) {
  char text[25];
  if (!is_anthropic) {
    buf_put_i64(out, (ms + 999) / 1000);
    buf_put_char(out, 's');
    return;
  }
  int64_t second = (wall_us + ms * 1000 + 999999) / 1000000;
  clock_format_rfc3339(second * 1000000, text);
  buf_put(out, str_from(text, 19));
  buf_put_char(out, 'Z');
}

static const struct {
  struct str limit, remaining, reset;
} names[2][2] = {
    {{STR("x-ratelimit-limit-requests"), STR("x-ratelimit-remaining-requests"), STR("x-ratelimit-reset-requests")},
     {STR("x-ratelimit-limit-tokens"), STR("x-ratelimit-remaining-tokens"), STR("x-ratelimit-reset-tokens")}},
    {{STR("anthropic-ratelimit-requests-limit"), STR("anthropic-ratelimit-requests-remaining"),
      STR("anthropic-ratelimit-requests-reset")},
     {STR("anthropic-ratelimit-tokens-limit"), STR("anthropic-ratelimit-tokens-remaining"),
      STR("anthropic-ratelimit-tokens-reset")}}};

bool limits_add_headers(struct request_context *rc, const struct limits_caller *caller) {
  bool is_anthropic = str_eq(rc->endpoint->dialect->name, STR("anthropic")), any = false;
  int64_t now = clock_wall_us();
  char room[48];
  struct buf value = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  for (int of_tokens = 0; of_tokens < 2; of_tokens++) {
    struct rate_limit_view view;
    rate_limit_view(caller, of_tokens, now, &view);
    if (!view.limit) continue;
    any = true;
    buf_put_u64(&value, view.limit);
    add(rc, names[is_anthropic][of_tokens].limit, &value);
    buf_put_u64(&value, view.remaining);
    add(rc, names[is_anthropic][of_tokens].remaining, &value);
    put_reset(is_anthropic, view.reset_ms, now, &value);
    add(rc, names[is_anthropic][of_tokens].reset, &value);
  }
  return any;
}

/* ---- figures ---- */

static void put_usd(struct buf *out, const char *key, int64_t nano_usd) {
  buf_printf(out, ",\"%s\":", key);
  buf_put_nano_usd(out, nano_usd);
}

static void put_rate(struct buf *out, const char *key, uint32_t limit) {
  if (limit) buf_printf(out, ",\"%s\":%u", key, limit);
}

static void put_subject(struct buf *out, const struct limits_subject *s, int64_t now) {
  static const char *const periods[] = {[LEDGER_TOTAL] = "total", [LEDGER_MONTH] = "month", [LEDGER_DAY] = "day"};
  const struct limits *l = &s->limits;
  struct ledger_balance b = ledger_balance(s->account, l->period, now);
  buf_put(out, STR("{\"name\":"));
  buf_put_json(out, s->label);
  buf_printf(out, ",\"period\":\"%s\"", periods[l->period]);
  put_usd(out, "spent_usd", b.spent_nano_usd);
  put_usd(out, "reserved_usd", b.reserved_nano_usd);
  if (l->budget_nano_usd >= 0) {
    put_usd(out, "budget_usd", l->budget_nano_usd);
    put_usd(out, "left_usd", l->budget_nano_usd - b.spent_nano_usd - b.reserved_nano_usd);
  }
  put_rate(out, "requests_per_minute", l->requests_per_minute);
  put_rate(out, "requests_per_day", l->requests_per_day);
  put_rate(out, "tokens_per_minute", l->tokens_per_minute);
  put_rate(out, "tokens_per_day", l->tokens_per_day);
  put_rate(out, "concurrency", l->concurrency);
  buf_put_char(out, '}');
}

void limits_put_json(const struct limits_section *s, const struct auth_principal *only, struct buf *out) {
  int64_t now = clock_wall_us();
  buf_put_char(out, '[');
  if (only) {
    struct limits_subject own;
    put_subject(out, limits_of(s, only, &own).v[0], now);
  } else {
    if (s->has_local) put_subject(out, &s->local, now);
    for (size_t i = 0; i < s->key_count; i++) {
      if (i || s->has_local) buf_put_char(out, ',');
      put_subject(out, &s->keys[i], now);
    }
  }
  buf_put_char(out, ']');
}

static void scrape(const struct limits_subject *s, int64_t now) {
  if (s->limits.budget_nano_usd < 0) return;
  struct ledger_balance b = ledger_balance(s->account, s->limits.period, now);
  unsigned row = metrics_account(s->label);
  if (row == 0) return; /* the table is full: a sum of several would mean nothing */
  metrics_set(0, METRIC_BUDGET_SPENT, row, 0, b.spent_nano_usd);
  metrics_set(0, METRIC_BUDGET_LEFT, row, 0, s->limits.budget_nano_usd - b.spent_nano_usd - b.reserved_nano_usd);
}

void limits_scrape(const struct limits_section *s) {
  int64_t now = clock_wall_us();
  if (s->has_local) scrape(&s->local, now);
  for (size_t i = 0; i < s->key_count; i++) scrape(&s->keys[i], now);
}
