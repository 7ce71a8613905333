/* Limits made from a configuration: whom they bind, accounts that follow a key wherever it stands, figures without
 * secrets. */
#include "gateway/limits.h"

#include "../state/fake.h"
#include "policy/principals.h"

static struct fake fake;

static struct limits_section *build(const char *json) {
  void *section = NULL;
  struct config_diags diags;
  fake = (struct fake){.files = {{"/c/maestro/maestro.json", json}}};
  fake_load(&fake);
  fake_expect(&fake, "");
  config_diags_init(&diags);
  assert_int_equal(limits_section.build(fake.config, NULL, NULL, &section, &diags), OK);
  config_diags_clear(&diags);
  return section;
}

static void drop(struct limits_section *s) {
  limits_section.free(s);
  fake_clear(&fake);
}

static const struct limits_subject *of(const struct limits_section *s, enum auth_kind kind, uint32_t index) {
  const struct auth_principal p = {.kind = kind, .index = index};
  struct limits_caller c = limits_of(s, &p);
  assert_int_equal(c.n, 1);
  return c.v[0];
}

TEST(none_without_options) {
  struct limits_section *s = build("{}");
  assert_int_equal(of(s, AUTH_KEY, 0)->limits.budget_nano_usd, -1);
  assert_int_equal(of(s, AUTH_LOCAL, 0)->limits.budget_nano_usd, -1);
  assert_int_equal(of(s, AUTH_KEY, 0)->limits.requests_per_minute, 0);
  drop(s);
  ledger_close();
}

TEST(each_option_reaches_its_limit) {
  struct limits_section *s = build(
      "{\"limits\":{\"budgetUsd\":0.000000001,\"period\":\"day\",\"requestsPerMinute\":2,\"requestsPerDay\":3,"
      "\"tokensPerMinute\":4,\"tokensPerDay\":5,\"concurrency\":6,\"trim\":true,\"minOutput\":7}}");
  const struct limits *l = &of(s, AUTH_KEY, 0)->limits;
  assert_int_equal(l->budget_nano_usd, 1);
  assert_int_equal(l->period, LEDGER_DAY);
  assert_int_equal(l->requests_per_minute, 2);
  assert_int_equal(l->requests_per_day, 3);
  assert_int_equal(l->tokens_per_minute, 4);
  assert_int_equal(l->tokens_per_day, 5);
  assert_int_equal(l->concurrency, 6);
  assert_true(l->trim);
  assert_int_equal(l->min_output, 7);
  assert_int_equal(of(s, AUTH_LOCAL, 0)->limits.budget_nano_usd, 1);  /* a local caller is the generated key's equal */
  assert_int_equal(of(s, AUTH_ADMIN, 0)->limits.budget_nano_usd, -1); /* whoever sets the limits */
  drop(s);
  ledger_close();
}

/* A section on top of people: as a snapshot would have it. */
static const struct principals *principals;
static enum err people_section(const struct config *config, const struct snapshot *made, const void *old, void **out,
                               struct config_diags *diags) {
  (void)config, (void)made, (void)old, (void)diags;
  *out = (void *)(uintptr_t)principals;
  return OK;
}

/* Settings of models, of which one has rates. */
static struct route_rule rules[2];
static struct route_names names = {.rules = rules, .rule_count = 2};
static enum err names_section(const struct config *config, const struct snapshot *made, const void *old, void **out,
                              struct config_diags *diags) {
  static const struct names_model rows[2] = {{.prefix = STR("qwen")}, {.prefix = STR("kimi")}};
  (void)config, (void)made, (void)old, (void)diags;
  for (size_t i = 0; i < 2; i++) rules[i] = (struct route_rule){.row = &rows[i], .limits = limits_none};
  rules[0].limits.requests_per_minute = 77;
  rules[0].account = ledger_account(STR("model_config:1"));
  *out = &names;
  return OK;
}

/* Ann (7, in team "red", with a token that has limits), Bob (8, in no team), and limits of up/m1. */
static struct principals *make_people(void) {
  struct people people;
  struct principals *p;
  people_init(&people);
  struct arena *a = people_arena(&people);
  assert_true(people_make_users(&people, 2));
  people.user_count = 2;
  people.teams = ARENA_NEW(a, struct team);
  people.models = ARENA_NEW(a, struct model_limits);
  people.team_count = people.model_count = 1;
  people.teams[0] =
      (struct team){.id = 3, .name = STR("red"), .limits = {.budget_nano_usd = 5, .period = LEDGER_MONTH}};
  people.models[0] = (struct model_limits){STR("up/m1"), {.budget_nano_usd = -1, .requests_per_day = 9}};
  people.users[0] = (struct user){.id = 7,
                                  .life = 1,
                                  .name = STR("ann"),
                                  .team_id = 3,
                                  .team = STR("red"),
                                  .is_active = true,
                                  .token_count = 1,
                                  .tokens = ARENA_NEW(a, struct user_token),
                                  .limits = {.budget_nano_usd = -1, .requests_per_minute = 4}};
  people.users[0].tokens[0] =
      (struct user_token){.id = 12, .name = STR("ci"), .limits = {.budget_nano_usd = -1, .concurrency = 2}};
  people.users[1] = (struct user){.id = 8, .life = 2, .name = STR("bob"), .is_active = true, .limits = limits_none};
  assert_int_equal(principals_new(&people, STORE_DB, NULL, &p), OK);
  return p;
}

TEST(a_user_is_bound_by_itself_its_team_and_its_token) {
  struct snapshot_section rows[GATEWAY_SECTIONS] = {0};
  const struct snapshot_table table = {rows, GATEWAY_SECTIONS};
  struct snapshot *made;
  struct config_diags diags;
  struct principals *p = make_people();
  principals = p;
  for (size_t i = 0; i < GATEWAY_SECTIONS; i++) rows[i] = (struct snapshot_section){"p", people_section, NULL};
  rows[GATEWAY_NAMES].build = names_section;
  rows[GATEWAY_LIMITS] = limits_section;
  fake = (struct fake){.files = {{"/c/maestro/maestro.json", "{}"}}};
  fake_load(&fake);
  config_diags_init(&diags);
  assert_int_equal(snapshot_build(&table, fake.config, NULL, &made, &diags, NULL), OK);
  config_diags_clear(&diags);
  const struct limits_section *s = snapshot_get(made, GATEWAY_LIMITS);
  struct auth_principal ann = {.kind = AUTH_USER, .index = 0, .id = 7, .place = 0};
  const struct auth_principal bob = {.kind = AUTH_USER, .index = 1, .id = 8, .place = 0}, key = {.kind = AUTH_KEY};
  struct limits_caller c = limits_of(s, &ann);
  assert_int_equal(c.n, 3);
  assert_ptr_equal(c.v[0]->account, ledger_account(STR("user:7")));
  assert_ptr_equal(c.v[1]->account, ledger_account(STR("team:3")));
  assert_ptr_equal(c.v[2]->account, ledger_account(STR("token:12")));
  assert_int_equal(c.v[1]->limits.budget_nano_usd, 5);
  ann.place = 1; /* a token that is not there */
  c = limits_of(s, &ann);
  assert_int_equal(c.n, 2);
  c = limits_of(s, &bob); /* made again, so not the account of its first life */
  assert_int_equal(c.n, 1);
  assert_ptr_equal(c.v[0]->account, ledger_account(STR("user:8.2")));
  assert_int_equal(limits_with_model(&c, STR("up/m1")).n, 2);
  assert_int_equal(limits_with_model(&c, STR("up/m2")).n, 1);
  c = limits_of(s, &key); /* a model's limits bind server keys, too */
  c = limits_with_model(&c, STR("up/m1"));
  assert_ptr_equal(c.v[1]->account, ledger_account(STR("model:up/m1")));
  struct buf b;
  buf_init(&b, 0);
  limits_put_json(s, NULL, &b);
  static const char *const shown[] = {"\"key:1\"", "\"team red\"", "\"model up/m1\"", "\"user ann\"",
                                      "\"requests_per_minute\":4",
                                      /* no money is booked to settings, so nothing is known of it */
                                      "{\"name\":\"model_config qwen\",\"period\":\"total\",\"spent_usd\":null,"
                                      "\"reserved_usd\":null,\"requests_per_minute\":77}"};
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    assert_int_not_equal(str_find(buf_str(&b), str_from_c(shown[i])), SIZE_MAX);
  assert_int_equal(str_find(buf_str(&b), STR("bob")), SIZE_MAX); /* without limits */
  assert_int_equal(str_find(buf_str(&b), STR("kimi")), SIZE_MAX);
  buf_reset(&b);
  ann.place = 0;
  limits_put_json(s, &ann, &b);
  assert_int_not_equal(str_find(buf_str(&b), STR("token ci")), SIZE_MAX);
  assert_int_equal(str_find(buf_str(&b), STR("key:1")), SIZE_MAX);
  buf_clear(&b);
  snapshot_unref(made);
  principals_free(p);
  fake_clear(&fake);
  ledger_close();
}

TEST(an_account_follows_its_key) {
  struct limits_section *s =
      build("{\"server\":{\"keys\":[\"sk-first-000001\",\"sk-second-000002\"]},\"limits\":{\"budgetUsd\":1}}");
  struct ledger_account *first = of(s, AUTH_KEY, 0)->account, *second = of(s, AUTH_KEY, 1)->account;
  assert_ptr_not_equal(first, second);
  assert_str(of(s, AUTH_KEY, 1)->label, STR("key:2"));
  drop(s);
  s = build("{\"server\":{\"keys\":[\"sk-second-000002\",\"sk-third-000003\",\"sk-first-000001\"]}}");
  assert_ptr_equal(of(s, AUTH_KEY, 0)->account, second);
  assert_ptr_equal(of(s, AUTH_KEY, 2)->account, first);
  assert_str(of(s, AUTH_KEY, 0)->label, STR("key:1"));
  drop(s);
  ledger_close();
}

TEST(figures_name_no_secret) {
  struct limits_section *s =
      build("{\"server\":{\"keys\":[\"sk-first-000001\",\"sk-second-000002\"]},\"limits\":{\"budgetUsd\":1.5}}");
  const struct auth_principal second = {.kind = AUTH_KEY, .index = 1};
  struct buf b;
  buf_init(&b, 0);
  limits_put_json(s, NULL, &b);
  assert_str(buf_str(&b), STR("[{\"name\":\"key:1\",\"period\":\"total\",\"spent_usd\":null,\"reserved_usd\":0,"
                              "\"budget_usd\":1.5,\"left_usd\":null},{\"name\":\"key:2\",\"period\":\"total\","
                              "\"spent_usd\":null,\"reserved_usd\":0,\"budget_usd\":1.5,\"left_usd\":null}]"));
  buf_reset(&b);
  limits_put_json(s, &second, &b);
  assert_str(buf_str(&b), STR("[{\"name\":\"key:2\",\"period\":\"total\",\"spent_usd\":null,\"reserved_usd\":0,"
                              "\"budget_usd\":1.5,\"left_usd\":null}]"));
  buf_clear(&b);
  drop(s);
  ledger_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(none_without_options),
      cmocka_unit_test(each_option_reaches_its_limit),
      cmocka_unit_test(a_user_is_bound_by_itself_its_team_and_its_token),
      cmocka_unit_test(an_account_follows_its_key),
      cmocka_unit_test(figures_name_no_secret),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
