/* Limits as data: what is none, their text form, and what a store gives back. */
#include "state/limits.h"

#include "base/json.h"
#include "state/store/migrate.h"
#include "state/store/store_team.h"
#include "store_rig.h"

static const struct limits all = {.budget_nano_usd = 0,
                                  .period = LEDGER_DAY,
                                  .requests_per_minute = 1,
                                  .requests_per_day = 4000000000,
                                  .tokens_per_minute = 3,
                                  .tokens_per_day = 4,
                                  .concurrency = 5,
                                  .min_output = 6,
                                  .trim = true};

/* Structs have gaps, so it is the text that is compared. */
static void expect_same(const struct limits *a, const struct limits *b) {
  struct buf text[2];
  for (size_t i = 0; i < 2; i++) {
    buf_init(&text[i], 0);
    limits_put(i ? b : a, &text[i]);
  }
  assert_str(buf_str(&text[0]), buf_str(&text[1]));
  buf_clear(&text[0]);
  buf_clear(&text[1]);
}

TEST(none_is_what_binds_nobody) {
  assert_true(limits_is_none(&limits_none));
  struct limits l = limits_none;
  l.period = LEDGER_DAY; /* of no budget */
  assert_true(limits_is_none(&l));
  for (size_t i = 0; i < LIMITS_COUNTS; i++) {
    l = limits_none;
    *limits_count_of(&l, i) = 1;
    assert_false(limits_is_none(&l));
  }
  l = limits_none;
  l.budget_nano_usd = 0; /* nothing may be spent */
  assert_false(limits_is_none(&l));
}

static enum err parse(const char *text, struct limits *out, struct err_info *info) {
  struct arena a;
  struct json doc;
  arena_init(&a, 0);
  enum err e = json_parse_copy(&doc, str_from_c(text), NULL, &a, info);
  struct json_node root = json_root(&doc);
  if (!e) e = limits_read(&root, out, info);
  arena_clear(&a);
  return e;
}

TEST(the_text_form_gives_the_same) {
  const struct limits *const each[] = {&all, &limits_none};
  for (size_t i = 0; i < 2; i++) {
    struct limits back;
    struct buf b;
    buf_init(&b, 0);
    limits_put(each[i], &b);
    buf_put_char(&b, '\0');
    assert_int_equal(parse(b.p, &back, NULL), OK);
    expect_same(&back, each[i]);
    assert_int_equal(back.budget_nano_usd, each[i]->budget_nano_usd);
    assert_int_equal(back.tokens_per_day, each[i]->tokens_per_day);
    assert_int_equal(back.period, each[i]->period);
    buf_clear(&b);
  }
}

TEST(what_is_no_limit_is_named) {
  static const struct {
    const char *text, *param;
  } rows[] = {{"{\"budget_nano_usd\":-1}", "budget_nano_usd"},
              {"{\"budget_nano_usd\":1.5}", "budget_nano_usd"},
              {"{\"period\":\"week\"}", "period"},
              {"{\"concurrency\":1000001}", "concurrency"},
              {"{\"tokens_per_day\":-1}", "tokens_per_day"},
              {"{\"trim\":1}", "trim"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    struct limits l = all;
    assert_int_not_equal(parse(rows[i].text, &l, &info), OK);
    assert_string_equal(info.param, rows[i].param);
    expect_same(&l, &all);
  }
}

TEST(a_store_gives_back_what_it_was_given) {
  struct store_rig rig;
  struct db *db;
  struct people p;
  unsigned from;
  int64_t id;
  store_rig_init(&rig);
  const struct db_options options = {.path = rig.path, .busy_ms = 100};
  assert_int_equal(db_open(&db, &options, NULL), OK);
  assert_int_equal(migrate_run(db, 0, &from, NULL), OK);
  assert_int_equal(store_team_add(db, STR("red"), &id, NULL), OK);
  assert_int_equal(store_team_set_limits(db, id, &all, NULL), OK);
  assert_int_equal(store_team_set_model_limits(db, STR("up/m"), &all, NULL), OK);
  assert_int_equal(store_team_set_model_limits(db, STR("up/m"), &all, NULL), OK); /* again */
  assert_int_equal(people_load(db, 0, &p, NULL), OK);
  assert_int_equal(p.team_count + p.model_count, 2);
  expect_same(&p.teams[0].limits, &all);
  expect_same(&people_find_model(&p, STR("up/m"))->limits, &all);
  people_clear(&p);
  assert_int_equal(store_team_set_limits(db, id, &limits_none, NULL), OK);
  assert_int_equal(store_team_set_model_limits(db, STR("up/m"), &limits_none, NULL), OK);
  assert_int_equal(people_load(db, 0, &p, NULL), OK);
  assert_int_equal(p.team_count, 1);
  assert_int_equal(p.model_count, 0);
  expect_same(&people_find_team(&p, STR("red"))->limits, &limits_none);
  people_clear(&p);
  db_close(db);
  store_rig_clear(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(none_is_what_binds_nobody),
      cmocka_unit_test(the_text_form_gives_the_same),
      cmocka_unit_test(what_is_no_limit_is_named),
      cmocka_unit_test(a_store_gives_back_what_it_was_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
