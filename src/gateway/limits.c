/* Limits as a section of the snapshot: see limits.h. */
#include "gateway/limits.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/metrics.h"
#include "policy/principals.h"
#include "policy/rate_limit.h"

enum { SHOWN_USERS_MAX = 100, NAME_BYTES = 2 * USER_PATTERN_MAX };

struct limits_section {
  struct arena arena;
  struct limits_subject *keys; /* in the order of config.keys; the generated one where there are none */
  size_t key_count;
  bool has_local; /* only while no person has set a key are there local callers */
  struct limits_subject local, admin;
  const struct principals *principals; /* of the same snapshot, as is the next; NULL: none */
  const struct route_names *names;
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
  *out = (struct limits_subject){ledger_account(account), label, *limits, LIMITS_OF_KEY};
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
  const struct limits limits = limits_from(&config->options);
  bool is_generated = config->keys.n == 0;
  s->has_local = is_generated;
  s->key_count = is_generated ? 1 : config->keys.n;
  s->keys = ARENA_NEW_ARRAY(&s->arena, struct limits_subject, s->key_count);
  if (!s->keys) return ERR_NO_MEMORY;
  enum err e = make(&s->local, STR("local"), STR("local"), is_generated ? &limits : &limits_none);
  if (!e) e = make(&s->admin, STR("admin"), STR("admin"), &limits_none);
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
  (void)old, (void)diags;
  struct limits_section *s = calloc(1, sizeof *s);
  if (!s) return ERR_NO_MEMORY;
  arena_init(&s->arena, 0);
  s->principals = made ? snapshot_get(made, GATEWAY_PRINCIPALS) : NULL;
  s->names = made ? snapshot_get(made, GATEWAY_NAMES) : NULL;
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

struct limits_caller limits_of(const struct limits_section *s, const struct auth_principal *principal) {
  struct limits_caller c = {.models = s->principals && s->principals->models.count ? &s->principals->models : NULL};
  if (principal->kind == AUTH_USER && s->principals) principals_limits(s->principals, principal, &c);
  if (c.n == 0) c.v[c.n++] = subject_of(s, principal);
  return c;
}

struct str limits_owner(const struct limits_section *s, const struct auth_principal *principal,
                        char out[AUTH_NAME_BYTES]) {
  if (principal->kind == AUTH_KEY) return ledger_account_name(subject_of(s, principal)->account);
  struct str name = auth_principal_name(principal, out);
  const struct user *u =
      principal->kind == AUTH_USER && s->principals ? principals_user(s->principals, principal) : NULL;
  if (!u || u->life <= 1) return name;
  struct buf b = {.p = out, .n = name.n, .cap = AUTH_NAME_BYTES, .limit_bytes = AUTH_NAME_BYTES};
  buf_put_char(&b, '.'); /* as of its account: made again, a user has nothing of the one before */
  buf_put_u64(&b, (uint64_t)u->life);
  return buf_str(&b);
}

/* ---- headers ---- */

enum { VALUE_BYTES = 24 };

/* The values of all headers stand in one piece of memory of the exchange. */
struct values {
  char *p;
  size_t n;
};

static struct str put_number(struct values *v, uint64_t n, const char *unit) {
  char digits[20];
  size_t count = 0, from = v->n;
  do digits[count++] = (char)('0' + n % 10);
  while (n /= 10);
  while (count) v->p[v->n++] = digits[--count];
  for (; *unit; unit++) v->p[v->n++] = *unit;
  return str_from(v->p + from, v->n - from);
}

/* "15s", as OpenAI writes durations; a moment in RFC 3339, as Anthropic does (docs of both, read 2026-11). */
static struct str put_reset(struct values *v, bool is_anthropic, int64_t ms, int64_t wall_us) {
  if (!is_anthropic) return put_number(v, (uint64_t)((ms + 999) / 1000), "s");
  char text[25], *at = v->p + v->n;
  int64_t second = (wall_us + ms * 1000) / 1000000; /* windows end with a second, and ms is rounded up */
  clock_format_rfc3339(second * 1000000, text);
  memcpy(at, text, 19);
  at[19] = 'Z';
  v->n += 20;
  return str_from(at, 20);
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
  bool is_anthropic = rc->endpoint->dialect == &dialect_anthropic;
  int64_t now = clock_wall_us();
  struct values v = {0};
  for (int of_tokens = 0; of_tokens < 2; of_tokens++) {
    struct rate_limit_view view;
    rate_limit_view(caller, of_tokens, now, &view);
    if (!view.limit) continue;
    if (!v.p) v.p = arena_alloc(rc->arena, 6 * VALUE_BYTES);
    if (!v.p) return true;
    reply_add_header(&rc->reply, names[is_anthropic][of_tokens].limit, put_number(&v, view.limit, ""));
    reply_add_header(&rc->reply, names[is_anthropic][of_tokens].remaining, put_number(&v, view.remaining, ""));
    reply_add_header(&rc->reply, names[is_anthropic][of_tokens].reset, put_reset(&v, is_anthropic, view.reset_ms, now));
  }
  return v.p != NULL;
}

/* ---- figures ---- */

static void put_usd(struct buf *out, const char *key, int64_t nano_usd) {
  buf_printf(out, ",\"%s\":", key);
  buf_put_nano_usd(out, nano_usd);
}

static void put_usd_if(struct buf *out, const char *key, int64_t nano_usd, bool is_known) {
  if (is_known)
    put_usd(out, key, nano_usd);
  else
    buf_printf(out, ",\"%s\":null", key);
}

/* What was spent before is in the ledger; as long as that is not open nobody knows it. To settings no money is booked:
 * what their models cost is not known here either. */
static void put_money(struct buf *out, const struct limits_subject *s, const struct ledger_balance *b) {
  const struct limits *l = &s->limits;
  bool is_booked = s->kind != LIMITS_OF_RULE, is_known = is_booked && ledger_is_durable();
  put_usd_if(out, "spent_usd", b->spent_nano_usd, is_known);
  put_usd_if(out, "reserved_usd", b->reserved_nano_usd, is_booked);
  if (l->budget_nano_usd < 0) return;
  put_usd(out, "budget_usd", l->budget_nano_usd);
  put_usd_if(out, "left_usd", l->budget_nano_usd - b->spent_nano_usd - b->reserved_nano_usd, is_known);
}

/* "key:1", "user ann". */
static struct str name_of(const struct limits_subject *s, char out[NAME_BYTES]) {
  static const char *const kinds[] = {[LIMITS_OF_USER] = "user ",
                                      [LIMITS_OF_TEAM] = "team ",
                                      [LIMITS_OF_TOKEN] = "token ",
                                      [LIMITS_OF_MODEL] = "model ",
                                      [LIMITS_OF_RULE] = "model_config "};
  if (s->kind == LIMITS_OF_KEY) return s->label;
  int n = snprintf(out, NAME_BYTES, "%s%.*s", kinds[s->kind], STR_ARG(s->label));
  return str_from(out, (size_t)n < NAME_BYTES ? (size_t)n : NAME_BYTES - 1);
}

void limits_put_subject(const struct limits_subject *s, int64_t wall_us, struct buf *out) {
  char name[NAME_BYTES];
  const struct limits *l = &s->limits;
  struct ledger_balance b = ledger_balance(s->account, l->period, wall_us);
  buf_put(out, STR("{\"name\":"));
  buf_put_json(out, name_of(s, name));
  buf_printf(out, ",\"period\":\"%s\"", limits_period_name(l->period));
  put_money(out, s, &b);
  for (size_t i = 0; i < LIMITS_COUNT_MIN_OUTPUT; i++)
    if (limits_count_get(l, i)) buf_printf(out, ",\"%s\":%u", limits_counts[i].key, limits_count_get(l, i));
  buf_put_char(out, '}');
}

static const struct schema_member limits_balance_rows[] = {
    {"name", SCHEMA_TEXT, .help = "whose it is, as in the request log"},
    {"period", SCHEMA_WORD, .words = "total|month|day", .help = "of the budget"},
    {"spent_usd", SCHEMA_USD | SCHEMA_NULL,
     .help = "in the period; null: the ledger cannot be read yet, or it is of settings of models, to which no money is "
             "booked"},
    {"reserved_usd", SCHEMA_USD | SCHEMA_NULL, .help = "by calls that have not ended; null: of settings"},
    {"budget_usd", SCHEMA_USD | SCHEMA_OPTIONAL, .help = "absent: no budget"},
    {"left_usd", SCHEMA_USD | SCHEMA_NULL | SCHEMA_OPTIONAL, .help = "what may still be spent; null as above"},
    {"requests_per_minute", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "absent: no limit"},
    {"requests_per_day", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "absent: no limit"},
    {"tokens_per_minute", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: no limit"},
    {"tokens_per_day", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: no limit"},
    {"concurrency", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "absent: no limit"},
};
const struct schema limits_balance_schema = SCHEMA_OF("Balance", limits_balance_rows);

/* Calls fn for everybody who is to be shown: server keys, then who has limits. */
static void each_subject(const struct limits_section *s, void (*fn)(void *arg, const struct limits_subject *s),
                         void *arg) {
  const struct principals *p = s->principals;
  size_t shown = 0;
  if (s->has_local) fn(arg, &s->local);
  for (size_t i = 0; i < s->key_count; i++) fn(arg, &s->keys[i]);
  for (size_t i = 0; p && i < p->people.team_count; i++)
    if (!limits_is_none(&p->teams[i].limits)) fn(arg, &p->teams[i]);
  for (size_t i = 0; p && i < p->models.count; i++) fn(arg, p->models.entries[i].value);
  for (size_t i = 0; s->names && i < s->names->rule_count; i++) {
    struct limits_subject rule;
    if (reserve_rule_subject(&s->names->rules[i], &rule)) fn(arg, &rule);
  }
  for (size_t i = 0; p && i < p->people.user_count && shown < SHOWN_USERS_MAX; i++) {
    if (limits_is_none(&p->users[i].limits.limits)) continue;
    fn(arg, &p->users[i].limits);
    shown++;
  }
}

struct listing {
  struct buf *out;
  int64_t wall_us;
  bool has_any;
};

static void list(void *arg, const struct limits_subject *s) {
  struct listing *l = arg;
  if (l->has_any) buf_put_char(l->out, ',');
  l->has_any = true;
  limits_put_subject(s, l->wall_us, l->out);
}

void limits_put_json(const struct limits_section *s, const struct auth_principal *only, struct buf *out) {
  struct listing l = {out, clock_wall_us(), false};
  buf_put_char(out, '[');
  if (only) {
    const struct limits_caller c = limits_of(s, only);
    for (unsigned i = 0; i < c.n; i++) list(&l, c.v[i]);
  } else {
    each_subject(s, list, &l);
  }
  buf_put_char(out, ']');
}

struct scraping {
  int64_t wall_us;
  uint64_t rows; /* bits of those that were set */
};
_Static_assert(METRICS_ACCOUNT <= 64, "a bit for each row");

static void scrape(void *arg, const struct limits_subject *s) {
  struct scraping *to = arg;
  char name[NAME_BYTES];
  if (s->limits.budget_nano_usd < 0 || !ledger_is_durable()) return;
  struct ledger_balance b = ledger_balance(s->account, s->limits.period, to->wall_us);
  unsigned row = metrics_account(name_of(s, name));
  if (row == 0) return; /* the table is full: a sum of several would mean nothing */
  metrics_set(0, METRIC_BUDGET_SPENT, row, 0, b.spent_nano_usd);
  metrics_set(0, METRIC_BUDGET_LEFT, row, 0, s->limits.budget_nano_usd - b.spent_nano_usd - b.reserved_nano_usd);
  to->rows |= UINT64_C(1) << row;
}

void limits_scrape(const struct limits_section *s) {
  struct scraping to = {.wall_us = clock_wall_us()};
  each_subject(s, scrape, &to);
  /* Who has no budget any more is not told by the last one that it had. */
  for (unsigned row = 1; row < METRICS_ACCOUNT; row++) {
    if (to.rows >> row & 1) continue;
    metrics_set(0, METRIC_BUDGET_SPENT, row, 0, METRICS_ABSENT);
    metrics_set(0, METRIC_BUDGET_LEFT, row, 0, METRICS_ABSENT);
  }
}
