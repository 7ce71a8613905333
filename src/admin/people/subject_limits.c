/* Limits in the admin API: see subject_limits.h. */
#include "admin/people/subject_limits.h"

#include "admin/page.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "policy/principals.h"
#include "state/store/store_team.h"
#include "state/store/store_user.h"

/* ---- the body ---- */

/* The counts' bits follow, in their order. */
enum member { BUDGET = 1, PERIOD = 2, TRIM = 4, REQUEST_LIMIT = 8, TOKEN_LIMIT = 16, FIRST_COUNT = 32 };
enum { LIST_MAX = 500 };
enum { A_MINUTE_REQUESTS, A_DAY_REQUESTS, A_MINUTE_TOKENS, A_DAY_TOKENS, CALLS, LEAST_OUTPUT };

struct input {
  unsigned has; /* of enum member */
  int64_t budget_nano_usd;
  unsigned period; /* enum ledger_period */
  bool trim;
  int64_t counts[LIMITS_COUNTS];
};

static const char *const periods[LEDGER_PERIODS] = {
    [LEDGER_TOTAL] = "total", [LEDGER_MONTH] = "month", [LEDGER_DAY] = "day"};

#define COUNT(key, bit, which, most, unset, text)                                             \
  {                                                                                           \
    STR(key), FIELD_INTEGER, bit, offsetof(struct input, counts) + (which) * sizeof(int64_t), \
        .min = 1, .max = most, .is_nullable = true, .none = unset, .help = text               \
  }
static const struct field rows[] = {
    {STR("budget_usd"), FIELD_USD, BUDGET, offsetof(struct input, budget_nano_usd), .max = 1000000000000000,
     .must = "must be 0 to 1000000 US dollars, or null for no budget", .is_nullable = true, .none = -1,
     .help = "what may be spent in the period, in US dollars; null: no budget"},
    {STR("period"), FIELD_CHOICE, PERIOD, offsetof(struct input, period), .max = LEDGER_PERIODS, .choices = periods,
     .help = "of the budget: all time, the UTC month or the UTC day"},
    {STR("trim"), FIELD_BOOL, TRIM, offsetof(struct input, trim),
     .help = "lower a caller's own output limit to what the budget pays for"},
    COUNT("request_limit", REQUEST_LIMIT, A_DAY_REQUESTS, 4000000000, 0, "another name of requests_per_day"),
    COUNT("token_limit", TOKEN_LIMIT, A_DAY_TOKENS, 4000000000, 0, "another name of tokens_per_day"),
    COUNT("requests_per_minute", FIRST_COUNT << A_MINUTE_REQUESTS, A_MINUTE_REQUESTS, 100000000, 0,
          "calls in a UTC minute; null: no limit"),
    COUNT("requests_per_day", FIRST_COUNT << A_DAY_REQUESTS, A_DAY_REQUESTS, 4000000000, 0,
          "calls in a UTC day; null: no limit"),
    COUNT("tokens_per_minute", FIRST_COUNT << A_MINUTE_TOKENS, A_MINUTE_TOKENS, 4000000000, 0,
          "input and output tokens in a UTC minute; null: no limit"),
    COUNT("tokens_per_day", FIRST_COUNT << A_DAY_TOKENS, A_DAY_TOKENS, 4000000000, 0,
          "input and output tokens in a UTC day; null: no limit"),
    COUNT("concurrency", FIRST_COUNT << CALLS, CALLS, 1000000, 0, "calls at the same time; null: no limit"),
    COUNT("min_output", FIRST_COUNT << LEAST_OUTPUT, LEAST_OUTPUT, 1000000, LIMITS_MIN_OUTPUT,
          "tokens below which no output limit is lowered; null: 16"),
};

static const struct fields fields = {rows, sizeof rows / sizeof *rows, sizeof(struct input)};

static enum err check_once(const struct input *in, unsigned both, const char *name, struct err_info *info) {
  return (in->has & both) == both ? fields_refuse_named(info, name, "\"%s\" comes with its other name", name) : OK;
}

/* The two short names are those of their counts. */
static enum err apply(const struct input *in, struct limits *l, struct err_info *info) {
  unsigned has = in->has;
  enum err e = check_once(in, REQUEST_LIMIT | FIRST_COUNT << A_DAY_REQUESTS, "request_limit", info);
  if (!e) e = check_once(in, TOKEN_LIMIT | FIRST_COUNT << A_DAY_TOKENS, "token_limit", info);
  if (e) return e;
  if (has & REQUEST_LIMIT) has |= FIRST_COUNT << A_DAY_REQUESTS;
  if (has & TOKEN_LIMIT) has |= FIRST_COUNT << A_DAY_TOKENS;
  if (has & BUDGET) l->budget_nano_usd = in->budget_nano_usd;
  if (has & PERIOD) l->period = (enum ledger_period)in->period;
  if (has & TRIM) l->trim = in->trim;
  for (unsigned i = 0; i < LIMITS_COUNTS; i++)
    if (has & FIRST_COUNT << i) *limits_count_of(l, i) = (uint32_t)in->counts[i];
  return OK;
}

/* ---- the answer ---- */

static void put_count(struct buf *b, const char *key, uint32_t n) {
  json_out_key(b, key);
  if (n)
    json_out_i64(b, n);
  else
    json_out_raw(b, STR("null"));
}

static void put_members(struct buf *b, const struct limits *l) {
  json_out_key(b, "budget_usd");
  if (l->budget_nano_usd < 0)
    json_out_raw(b, STR("null"));
  else
    buf_put_nano_usd(b, l->budget_nano_usd);
  json_out_member_string(b, "period", str_from_c(limits_period_name(l->period)));
  put_count(b, "request_limit", l->requests_per_day);
  put_count(b, "token_limit", l->tokens_per_day);
  for (size_t i = 0; i < LIMITS_COUNTS; i++) put_count(b, limits_counts[i].key, limits_count_get(l, i));
  json_out_member_bool(b, "trim", l->trim);
}

void subject_limits_put_member(struct buf *b, const struct limits *l) {
  json_out_key(b, "limits");
  if (limits_is_none(l)) {
    json_out_raw(b, STR("null"));
    return;
  }
  json_out_begin(b, '{');
  put_members(b, l);
  json_out_end(b, '}');
}

static const struct schema_member limit_rows[] = {
    {"budget_usd", SCHEMA_USD | SCHEMA_NULL, .help = "what may be spent in the period; null: no budget"},
    {"period", SCHEMA_WORD, .words = "total|month|day",
     .help = "of the budget: all time, the UTC month or the UTC day"},
    {"request_limit", SCHEMA_COUNT | SCHEMA_NULL, .help = "another name of requests_per_day"},
    {"token_limit", SCHEMA_TOKENS | SCHEMA_NULL, .help = "another name of tokens_per_day"},
    {"requests_per_minute", SCHEMA_COUNT | SCHEMA_NULL, .help = "calls in a UTC minute; null: no limit"},
    {"requests_per_day", SCHEMA_COUNT | SCHEMA_NULL, .help = "calls in a UTC day; null: no limit"},
    {"tokens_per_minute", SCHEMA_TOKENS | SCHEMA_NULL, .help = "in a UTC minute; null: no limit"},
    {"tokens_per_day", SCHEMA_TOKENS | SCHEMA_NULL, .help = "in a UTC day; null: no limit"},
    {"concurrency", SCHEMA_COUNT | SCHEMA_NULL, .help = "calls at the same time; null: no limit"},
    {"min_output", SCHEMA_TOKENS | SCHEMA_NULL, .help = "below which no output limit is lowered"},
    {"trim", SCHEMA_BOOL, .help = "whether a caller's own output limit is lowered to what the budget pays for"},
};
const struct schema subject_limits_schema = SCHEMA_OF("Limits", limit_rows);

static const struct schema_member owner_rows[] = {
    {"username", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "of a user's and of a token's limits"},
    {"token", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the token's name"},
    {"team", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the team's name"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {NULL, SCHEMA_PART, .of = &subject_limits_schema},
};
const struct schema subject_limits_owned_schema = SCHEMA_OF("OwnedLimits", owner_rows);

static const struct schema_member balance_rows[] = {{"balances", SCHEMA_LIST, .of = &limits_balance_schema,
                                                     .help = "of everything that binds: itself, its team, its tokens"}};
const struct schema subject_limits_balances_schema = SCHEMA_OF("Balances", balance_rows);

/* ---- whose ---- */

/* `name` and `item` of the path say who; `people` may be of the snapshot or just read from the store. */
struct owner {
  enum limits_scope scope;
  struct str name, item;
};

struct found {
  const struct limits *limits;
  int64_t id; /* of the user or team */
};

static enum err no_such(const char *what, struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no %s \"%.*s\"", what, STR_ARG(str_cut_utf8(name, USER_NAME_MAX)));
}

static enum err find_in_user(const struct user *u, const struct owner *o, struct found *out, struct err_info *info) {
  *out = (struct found){&u->limits, u->id};
  if (o->scope == LIMITS_USER) return OK;
  for (size_t i = 0; i < u->token_count; i++) {
    if (!str_eq(u->tokens[i].name, o->item)) continue;
    out->limits = &u->tokens[i].limits;
    return OK;
  }
  return err_set(info, ERR_NOT_FOUND, "the user has no token \"%.*s\"", STR_ARG(str_cut_utf8(o->item, USER_NAME_MAX)));
}

static enum err find(const struct people *p, const struct owner *o, struct found *out, struct err_info *info) {
  if (o->scope == LIMITS_TEAM) {
    const struct team *t = people_find_team(p, o->name);
    if (!t) return no_such("team", o->name, info);
    *out = (struct found){&t->limits, t->id};
    return OK;
  }
  if (o->scope == LIMITS_MODEL) {
    const struct model_limits *m = people_find_model(p, o->name);
    *out = (struct found){m ? &m->limits : &limits_none, 0};
    return OK;
  }
  const struct user *u = people_find(p, o->name);
  return u ? find_in_user(u, o, out, info) : no_such("user", o->name, info);
}

static void put(struct buf *b, const struct owner *o, const struct limits *l) {
  static const char *const keys[] = {
      [LIMITS_USER] = "username", [LIMITS_TOKEN] = "username", [LIMITS_TEAM] = "team", [LIMITS_MODEL] = "model"};
  json_out_begin(b, '{');
  json_out_member_string(b, keys[o->scope], o->name);
  if (o->scope == LIMITS_TOKEN) json_out_member_string(b, "token", o->item);
  put_members(b, l);
  json_out_end(b, '}');
}

/* ---- reads ---- */

/* Whom the path names; false: it was answered that there is nobody. */
static bool find_or_fail(struct request_context *rc, struct owner *o, struct found *out) {
  struct err_info info = {0};
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &o->name, &o->item, &info);
  if (!e) e = find(&rc->principals->people, o, out, &info);
  if (!e && o->scope == LIMITS_MODEL && out->limits == &limits_none)
    e = err_set(&info, ERR_NOT_FOUND, "the model has no limits");
  if (e) exchange_fail(rc, e, &info);
  return !e;
}

static void show(struct request_context *rc, enum limits_scope scope) {
  struct owner o = {.scope = scope};
  struct found f;
  struct buf b;
  if (!find_or_fail(rc, &o, &f)) return;
  buf_init(&b, 0);
  put(&b, &o, f.limits);
  entity_answer(rc, &b);
  buf_clear(&b);
}

void subject_limits_user(struct request_context *rc) { show(rc, LIMITS_USER); }
void subject_limits_token(struct request_context *rc) { show(rc, LIMITS_TOKEN); }
void subject_limits_team(struct request_context *rc) { show(rc, LIMITS_TEAM); }
void subject_limits_model(struct request_context *rc) { show(rc, LIMITS_MODEL); }

void subject_limits_models(struct request_context *rc) {
  exchange_adopt(rc);
  const struct people *people = &rc->principals->people;
  struct err_info info = {0};
  struct str after = STR_NONE;
  uint64_t n = LIST_MAX;
  struct buf b;
  enum err e = page_read(rc, LIST_MAX, &n, &after, &info);
  const struct model_limits *last = after.n ? people_find_model(people, after) : NULL;
  if (!e && after.n && !last) e = page_refuse_after("model with limits", &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  size_t i = last ? (size_t)(last - people->models) + 1 : 0;
  for (; i < people->model_count && n; i++, n--) {
    const struct owner o = {.scope = LIMITS_MODEL, .name = people->models[i].model};
    put(&b, &o, &people->models[i].limits);
  }
  json_out_end(&b, ']');
  if (i < people->model_count) page_more(rc, people->models[i - 1].model);
  entity_answer(rc, &b);
  buf_clear(&b);
}

/* ---- balances ---- */

static void put_subject(struct buf *b, const struct limits_subject *s) {
  if (b->p[b->n - 1] != '[') buf_put_char(b, ',');
  limits_put_subject(s, clock_wall_us(), b);
}

static void put_user_subjects(struct buf *b, const struct principals *p, const struct user *u) {
  const struct principal_user *of = &p->users[u - p->people.users];
  put_subject(b, &of->limits);
  if (of->team_limits) put_subject(b, of->team_limits);
  for (size_t i = 0; i < p->token_count; i++)
    if (p->tokens[i].user == u && p->tokens[i].limits) put_subject(b, p->tokens[i].limits);
}

static void show_balance(struct request_context *rc, enum limits_scope scope) {
  struct owner o = {.scope = scope};
  struct found f;
  struct buf b;
  if (!find_or_fail(rc, &o, &f)) return;
  buf_init(&b, 0);
  buf_put(&b, STR("{\"balances\":["));
  if (scope == LIMITS_USER)
    put_user_subjects(&b, rc->principals, people_find(&rc->principals->people, o.name));
  else
    put_subject(
        &b, &rc->principals->teams[people_find_team(&rc->principals->people, o.name) - rc->principals->people.teams]);
  buf_put(&b, STR("]}"));
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

void subject_limits_user_balance(struct request_context *rc) { show_balance(rc, LIMITS_USER); }
void subject_limits_team_balance(struct request_context *rc) { show_balance(rc, LIMITS_TEAM); }

/* ---- changes ---- */

enum how { SET, MERGE, CLEAR };

/* As the store has it now; *people holds what *out points to. */
static enum err load(struct db *db, const struct owner *o, struct people *people, struct found *out,
                     struct err_info *info) {
  struct store_user u = {.id = STORE_CHANGED_TEAMS};
  bool is_of_user = o->scope == LIMITS_USER || o->scope == LIMITS_TOKEN;
  people_init(people);
  enum err e = is_of_user ? store_user_find(db, o->name, &u, info) : OK;
  if (!e) e = people_load(db, u.id, people, info);
  return e ? e : find(people, o, out, info);
}

static enum err keep(struct db *db, const struct owner *o, int64_t id, const struct limits *l, struct err_info *info) {
  switch (o->scope) {
    case LIMITS_USER: return store_user_set_limits(db, id, l, info);
    case LIMITS_TOKEN: return store_user_set_token_limits(db, id, o->item, l, info);
    case LIMITS_TEAM: return store_team_set_limits(db, id, l, info);
    case LIMITS_MODEL: return store_team_set_model_limits(db, o->name, l, info);
  }
  return ERR_INTERNAL;
}

static enum err run(struct db *db, struct change *c, enum limits_scope scope, enum how how, struct err_info *info) {
  const struct owner o = {scope, c->name, c->item};
  struct people people;
  struct found f;
  enum err e = load(db, &o, &people, &f, info);
  if (!e && how == CLEAR && scope == LIMITS_MODEL && f.limits == &limits_none)
    e = err_set(info, ERR_NOT_FOUND, "the model has no limits");
  struct limits l = !e && how == MERGE ? *f.limits : limits_none;
  if (!e && how != CLEAR) e = apply(c->in, &l, info);
  if (!e) e = keep(db, &o, f.id, &l, info);
  if (!e && how != CLEAR) put(c->out, &o, &l);
  people_clear(&people);
  return e;
}

/* The limits alone; nothing for what is not there, and for a model without. */
static enum err describe(struct db *db, const struct change *c, enum limits_scope scope, struct buf *out,
                         struct err_info *info) {
  const struct owner o = {scope, c->name, c->item};
  struct err_info why = {0};
  struct people people;
  struct found f;
  enum err e = load(db, &o, &people, &f, &why);
  if (!e && f.limits != &limits_none) put(out, &o, f.limits);
  people_clear(&people);
  if (e && e != ERR_NOT_FOUND) return err_set(info, e, "%s", err_info_text(e, &why));
  return OK;
}

/* The name as requests are charged: "provider/model". */
static enum err check_model(struct request_context *rc, struct change *c, struct err_info *info) {
  exchange_adopt(rc);
  if (map_get(&rc->catalog->by_qualified, c->name) || people_find_model(&rc->principals->people, c->name)) return OK;
  return err_set(info, ERR_NOT_FOUND, "there is no model \"%.*s\"; a name is \"provider/model\"",
                 STR_ARG(str_cut_utf8(c->name, USER_PATTERN_MAX)));
}

#define DESCRIBE(scope)                                                                                             \
  static enum err describe_##scope(struct db *db, const struct change *c, struct buf *out, struct err_info *info) { \
    return describe(db, c, LIMITS_##scope, out, info);                                                              \
  }
DESCRIBE(USER)
DESCRIBE(TOKEN)
DESCRIBE(TEAM)
DESCRIBE(MODEL)

#define ENTITY_USER "user"
#define ENTITY_TOKEN "user"
#define ENTITY_TEAM "team"
#define ENTITY_MODEL "model"
#define PREPARE_USER NULL
#define PREPARE_TOKEN NULL
#define PREPARE_TEAM NULL
#define PREPARE_MODEL check_model

#define X(name, whose, how, action, status)                                            \
  static enum err run_##name(struct db *db, struct change *c, struct err_info *info) { \
    return run(db, c, LIMITS_##whose, how, info);                                      \
  }                                                                                    \
  void subject_limits_##name(struct request_context *rc) {                             \
    change_serve(rc, subject_limits_operation(SUBJECT_LIMITS_##name));                 \
  }
#include "admin/people/subject_limits.def"
#undef X

const struct change_row *subject_limits_operation(enum subject_limits_operation operation) {
  static const struct change_row all[SUBJECT_LIMITS_COUNT] = {
#define X(name, whose, how, action, status) \
  {action,                                  \
   ENTITY_##whose,                          \
   status,                                  \
   how == CLEAR ? NULL : &fields,           \
   ~0u,                                     \
   0,                                       \
   how == CLEAR ? NULL : PREPARE_##whose,   \
   NULL,                                    \
   run_##name,                              \
   describe_##whose},
#include "admin/people/subject_limits.def"
#undef X
  };
  return &all[operation];
}
