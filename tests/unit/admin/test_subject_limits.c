/* Teams and limits as the API changes them: what is stored, what is answered, what is refused as a whole, and that each
 * accepted change is on record. */
#include "admin/people/subject_limits.h"

#include "admin/people/teams.h"
#include "change_rig.h"
#include "state/people.h"
#include "state/store/store_audit.h"
#include "state/store/store_user.h"

static int setup(void **state) {
  struct store_user u = {.is_active = true};
  struct user_token token = {.name = STR("ci"), .created_us = 1};
  change_rig_make(state);
  assert_int_equal(store_user_add(rig.db, STR("ann"), &u, NULL), OK);
  assert_int_equal(store_user_add_token(rig.db, u.id, &token, NULL), OK);
  return 0;
}

static enum err limit(enum subject_limits_operation operation, const char *name, const char *item, const char *body) {
  return change_rig_run(subject_limits_operation(operation), name, item, body);
}

static enum err team(enum teams_operation operation, const char *name, const char *body) {
  return change_rig_run(teams_operation(operation), name, "", body);
}

static void load(struct people *p) { assert_int_equal(people_load(rig.db, 0, p, NULL), OK); }

static int64_t audit_rows(const char *action) {
  const struct audit_filter filter = {.action = str_from_c(action)};
  int64_t n = 0;
  assert_int_equal(store_audit_count(rig.db, &filter, &n, NULL), OK);
  return n;
}

TEST(set_replaces_merge_keeps_clear_lifts) {
  struct people p;
  assert_int_equal(limit(SUBJECT_LIMITS_user_set, "ann", "", "{\"request_limit\":5,\"budget_usd\":\"0.000000001\"}"),
                   OK);
  assert_true(says("\"username\":\"ann\",\"budget_usd\":0.000000001,\"period\":\"total\",\"request_limit\":5"));
  assert_int_equal(limit(SUBJECT_LIMITS_user_merge, "ann", "", "{\"token_limit\":7,\"budget_usd\":null}"), OK);
  load(&p);
  assert_int_equal(p.users[0].limits.requests_per_day, 5);
  assert_int_equal(p.users[0].limits.tokens_per_day, 7);
  assert_int_equal(p.users[0].limits.budget_nano_usd, -1);
  people_clear(&p);
  assert_int_equal(limit(SUBJECT_LIMITS_user_set, "ann", "", "{\"concurrency\":2}"), OK);
  load(&p);
  assert_int_equal(p.users[0].limits.requests_per_day, 0);
  assert_int_equal(p.users[0].limits.concurrency, 2);
  people_clear(&p);
  assert_int_equal(limit(SUBJECT_LIMITS_user_clear, "ann", "", ""), OK);
  load(&p);
  assert_true(limits_is_none(&p.users[0].limits));
  people_clear(&p);
  assert_int_equal(audit_rows("limits_set"), 3);
  assert_int_equal(audit_rows("limits_clear"), 1);
}

TEST(each_has_its_own) {
  struct people p;
  assert_int_equal(team(TEAMS_OPERATION_create, "", "{\"name\":\"red\"}"), OK);
  assert_int_equal(limit(SUBJECT_LIMITS_token_set, "ann", "ci", "{\"requests_per_minute\":1}"), OK);
  assert_true(says("\"token\":\"ci\""));
  assert_int_equal(limit(SUBJECT_LIMITS_team_set, "red", "", "{\"requests_per_minute\":2}"), OK);
  assert_int_equal(limit(SUBJECT_LIMITS_model_set, "up/org/m", "", "{\"requests_per_minute\":3}"), OK);
  assert_true(says("\"model\":\"up/org/m\""));
  load(&p);
  assert_true(limits_is_none(&p.users[0].limits));
  assert_int_equal(p.users[0].tokens[0].limits.requests_per_minute, 1);
  assert_int_equal(p.teams[0].limits.requests_per_minute, 2);
  assert_int_equal(people_find_model(&p, STR("up/org/m"))->limits.requests_per_minute, 3);
  people_clear(&p);
  assert_int_equal(limit(SUBJECT_LIMITS_model_clear, "up/org/m", "", ""), OK);
  assert_int_equal(limit(SUBJECT_LIMITS_model_clear, "up/org/m", "", ""), ERR_NOT_FOUND);
  assert_int_equal(limit(SUBJECT_LIMITS_token_clear, "ann", "ci", ""), OK);
  load(&p);
  assert_true(limits_is_none(&p.users[0].tokens[0].limits));
  assert_int_equal(p.model_count, 0);
  people_clear(&p);
}

TEST(what_is_not_there_or_no_limit_changes_nothing) {
  static const char *const bad[] = {"{\"request_limit\":0}",
                                    "{\"request_limit\":4000000001}",
                                    "{\"budget_usd\":-1}",
                                    "{\"budget_usd\":1000000.1}",
                                    "{\"budget_usd\":true}",
                                    "{\"period\":\"year\"}",
                                    "{\"period\":null}",
                                    "{\"min_output\":0}",
                                    "{\"trim\":null}",
                                    "{\"requests_per_day\":1e2}",
                                    "{\"other\":1}",
                                    "{\"request_limit\":1,\"request_limit\":1}",
                                    "{\"token_limit\":1,\"tokens_per_day\":1}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_not_equal(limit(SUBJECT_LIMITS_user_set, "ann", "", bad[i]), OK);
    assert_int_equal(last.info.http_status, 422);
    assert_true(last.info.param[0]);
  }
  assert_int_equal(limit(SUBJECT_LIMITS_user_set, "bob", "", "{}"), ERR_NOT_FOUND);
  assert_int_equal(limit(SUBJECT_LIMITS_token_set, "ann", "none", "{}"), ERR_NOT_FOUND);
  assert_int_equal(limit(SUBJECT_LIMITS_team_merge, "none", "", "{}"), ERR_NOT_FOUND);
  assert_int_equal(audit_rows(""), 0);
}

TEST(a_team_has_lists_and_stays_while_somebody_is_in_it) {
  struct people p;
  struct store_user u;
  assert_int_equal(team(TEAMS_OPERATION_create, "", "{\"name\":\"red\",\"models\":[\"a*\",\"b\"],\"nodes\":[\"n\"]}"),
                   OK);
  assert_int_equal(team(TEAMS_OPERATION_create, "", "{\"name\":\"red\"}"), ERR_CONFLICT);
  assert_int_equal(team(TEAMS_OPERATION_update, "red", "{\"models\":[]}"), OK);
  assert_true(says("\"models\":[],\"nodes\":[\"n\"],\"limits\":null"));
  assert_int_equal(team(TEAMS_OPERATION_update, "blue", "{}"), ERR_NOT_FOUND);
  load(&p);
  assert_int_equal(store_user_find(rig.db, STR("ann"), &u, NULL), OK);
  u.team_id = p.teams[0].id;
  people_clear(&p);
  assert_int_equal(store_user_update(rig.db, &u, NULL), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), ERR_CONFLICT);
  assert_non_null(strstr(last.info.text, "\"ann\""));
  u.team_id = 0;
  assert_int_equal(store_user_update(rig.db, &u, NULL), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), ERR_NOT_FOUND);
  assert_int_equal(audit_rows(""), 3);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, change_rig_clear)
  const struct CMUnitTest tests[] = {T(set_replaces_merge_keeps_clear_lifts), T(each_has_its_own),
                                     T(what_is_not_there_or_no_limit_changes_nothing),
                                     T(a_team_has_lists_and_stays_while_somebody_is_in_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
