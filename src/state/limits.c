/* Limits as data: see limits.h. */
#include "state/limits.h"

#include <stddef.h>

#include "base/json_out.h"

const struct limits limits_none = {.budget_nano_usd = -1, .min_output = LIMITS_MIN_OUTPUT};

#define COUNT(member, maximum) \
  { #member, offsetof(struct limits, member), maximum }
const struct limits_count limits_counts[LIMITS_COUNTS] = {
    COUNT(requests_per_minute, 100000000), COUNT(requests_per_day, 4000000000), COUNT(tokens_per_minute, 4000000000),
    COUNT(tokens_per_day, 4000000000),     COUNT(concurrency, 1000000),         COUNT(min_output, 1000000)};

static const char *const periods[LEDGER_PERIODS] = {
    [LEDGER_TOTAL] = "total", [LEDGER_MONTH] = "month", [LEDGER_DAY] = "day"};

bool limits_is_none(const struct limits *l) {
  bool has_any = l->budget_nano_usd >= 0 || l->trim || l->min_output != LIMITS_MIN_OUTPUT;
  for (size_t i = 0; i < LIMITS_COUNT_MIN_OUTPUT; i++) has_any = has_any || limits_count_get(l, i);
  return !has_any;
}

const char *limits_period_name(enum ledger_period period) { return periods[period]; }

bool limits_period_parse(struct str name, enum ledger_period *out) {
  for (int i = 0; i < LEDGER_PERIODS; i++) {
    if (!str_eq(name, str_from_c(periods[i]))) continue;
    *out = (enum ledger_period)i;
    return true;
  }
  return false;
}

/* ---- the text form ---- */

void limits_put(const struct limits *l, struct buf *out) {
  json_out_begin(out, '{');
  if (l->budget_nano_usd >= 0) json_out_member_i64(out, "budget_nano_usd", l->budget_nano_usd);
  json_out_member_string(out, "period", str_from_c(periods[l->period]));
  for (size_t i = 0; i < LIMITS_COUNTS; i++)
    if (limits_count_get(l, i)) json_out_member_i64(out, limits_counts[i].key, limits_count_get(l, i));
  json_out_member_bool(out, "trim", l->trim);
  json_out_end(out, '}');
}

static enum err bad(const struct json_node *n, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" %s", path, why);
}

enum err limits_read(const struct json_node *n, struct limits *out, struct err_info *info) {
  struct limits l = limits_none;
  struct str period = str_from_c(periods[LEDGER_TOTAL]);
  struct json_node budget = json_member(n, STR("budget_nano_usd")), at = json_member(n, STR("period"));
  enum err e = json_get_i64(n, STR("budget_nano_usd"), &l.budget_nano_usd, info);
  if (!e && budget.val && l.budget_nano_usd < 0) e = bad(&budget, "is below 0", info);
  if (!e) e = json_get_string(n, STR("period"), &period, info);
  if (!e && !limits_period_parse(period, &l.period)) e = bad(&at, "is no period", info);
  if (!e) e = json_get_bool(n, STR("trim"), &l.trim, info);
  for (size_t i = 0; !e && i < LIMITS_COUNTS; i++) {
    const struct limits_count *c = &limits_counts[i];
    struct json_node node = json_member(n, str_from_c(c->key));
    uint64_t v = limits_count_get(&l, i);
    e = json_get_u64(n, str_from_c(c->key), &v, info);
    if (!e && v > c->maximum) e = bad(&node, "is too large", info);
    if (!e) *limits_count_of(&l, i) = (uint32_t)v;
  }
  if (!e) *out = l;
  return e;
}

/* ---- the store ---- */

static const char *const scopes[] = {
    [LIMITS_USER] = "user", [LIMITS_TEAM] = "team", [LIMITS_TOKEN] = "token", [LIMITS_MODEL] = "model"};

/* What stands in a store beyond a range is its nearest end: no limit at all is 0 alone. */
static uint32_t within(int64_t v, uint32_t maximum) { return v < 0 ? 1 : v > (int64_t)maximum ? maximum : (uint32_t)v; }

struct limits limits_of_row(const struct db_value *row) {
  struct limits l = limits_none;
  if (row[0].type == DB_NULL) return l;
  if (!limits_period_parse(row[0].s, &l.period)) l.period = LEDGER_TOTAL;
  if (row[1].type != DB_NULL) l.budget_nano_usd = row[1].i;
  for (size_t i = 0; i < LIMITS_COUNTS; i++) *limits_count_of(&l, i) = within(row[2 + i].i, limits_counts[i].maximum);
  l.trim = row[2 + LIMITS_COUNTS].i != 0;
  return l;
}

enum err limits_store(struct db *db, enum limits_scope scope, int64_t id, struct str model, const struct limits *l,
                      struct err_info *info) {
  struct db_value params[DB_PARAMS_MAX] = {db_text(str_from_c(scopes[scope])), db_int(id),
                                           db_text(model.p ? model : STR(""))};
  unsigned n = 3;
  if (limits_is_none(l)) return db_run(db, DB_LIMITS_CLEAR, params, n, NULL, NULL, info);
  params[n++] = l->budget_nano_usd < 0 ? db_null() : db_int(l->budget_nano_usd);
  params[n++] = db_text(str_from_c(periods[l->period]));
  for (size_t i = 0; i < LIMITS_COUNTS; i++) params[n++] = db_int(limits_count_get(l, i));
  params[n++] = db_int(l->trim);
  return db_run(db, DB_LIMITS_SET, params, n, NULL, NULL, info);
}
