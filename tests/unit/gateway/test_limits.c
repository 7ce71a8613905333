/* Limits made from a configuration: whom they bind, accounts that follow a key wherever it stands, figures without
 * secrets. */
#include "gateway/limits.h"

#include "../state/fake.h"

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
  static struct limits_subject own;
  struct limits_caller c = limits_of(s, &p, &own);
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

TEST(a_user_has_an_account_and_no_limit_yet) {
  struct limits_section *s = build("{\"limits\":{\"budgetUsd\":1}}");
  const struct auth_principal seven = {.kind = AUTH_USER, .id = 7}, eight = {.kind = AUTH_USER, .id = 8};
  struct limits_subject own[2];
  struct limits_caller a = limits_of(s, &seven, &own[0]), b = limits_of(s, &eight, &own[1]);
  assert_ptr_equal(a.v[0]->account, ledger_account(STR("user:7")));
  assert_ptr_not_equal(a.v[0]->account, b.v[0]->account);
  assert_int_equal(a.v[0]->limits.budget_nano_usd, -1);
  drop(s);
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
  assert_str(buf_str(&b), STR("[{\"name\":\"key:1\",\"period\":\"total\",\"spent_usd\":0,\"reserved_usd\":0,"
                              "\"budget_usd\":1.5,\"left_usd\":1.5},{\"name\":\"key:2\",\"period\":\"total\","
                              "\"spent_usd\":0,\"reserved_usd\":0,\"budget_usd\":1.5,\"left_usd\":1.5}]"));
  buf_reset(&b);
  limits_put_json(s, &second, &b);
  assert_str(buf_str(&b), STR("[{\"name\":\"key:2\",\"period\":\"total\",\"spent_usd\":0,\"reserved_usd\":0,"
                              "\"budget_usd\":1.5,\"left_usd\":1.5}]"));
  buf_clear(&b);
  drop(s);
  ledger_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(none_without_options),
      cmocka_unit_test(each_option_reaches_its_limit),
      cmocka_unit_test(a_user_has_an_account_and_no_limit_yet),
      cmocka_unit_test(an_account_follows_its_key),
      cmocka_unit_test(figures_name_no_secret),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
