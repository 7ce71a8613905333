/* Teams and limits as the API changes them: what is stored, what is answered, what is refused as a whole, and that each
 * accepted change is on record. */
#include "admin/people/subject_limits.h"

#include "../state/store_rig.h"
#include "admin/people/teams.h"
#include "state/people.h"
#include "state/store/migrate.h"
#include "state/store/store_user.h"

static struct store_rig rig;
static struct db *db;
static struct arena arena;
static struct err_info info;
static char last[4096]; /* the last answer */

static int setup(void **state) {
  const struct db_options options = {.path = rig.path, .busy_ms = 100};
  struct store_user u = {.is_active = true};
  struct user_token token = {.name = STR("ci"), .created_us = 1};
  unsigned from;
  (void)state;
  arena_init(&arena, 0);
  store_rig_init(&rig); /* fills rig.path in */
  assert_int_equal(db_open(&db, &options, NULL), OK);
  assert_int_equal(migrate_run(db, 0, &from, NULL), OK);
  assert_int_equal(store_user_add(db, STR("ann"), &u, NULL), OK);
  assert_int_equal(store_user_add_token(db, u.id, &token, NULL), OK);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  db_close(db);
  store_rig_clear(&rig);
  arena_clear(&arena);
  return 0;
}

/* In a transaction, as store_write does it. */
static enum err run(const struct change_row *row, const char *name, const char *item, const char *body) {
  struct buf out;
  struct change c = {
      .arena = &arena, .name = str_from_c(name), .item = str_from_c(item), .actor = STR("admin"), .out = &out};
  info = (struct err_info){0};
  buf_init(&out, 0);
  enum err e = OK;
  if (row->fields) {
    c.in = arena_alloc(&arena, row->fields->bytes);
    assert_non_null(c.in);
    e = fields_read(&arena, str_from_c(body), row->fields, row->allowed, row->required, c.in, &info);
  }
  if (!e) e = db_begin(db, &info);
  if (!e) {
    e = change_run(db, row, &c, &info);
    if (e)
      db_rollback(db);
    else
      e = db_commit(db, &info);
  }
  snprintf(last, sizeof last, "%.*s", STR_ARG(buf_str(&out)));
  buf_clear(&out);
  return e;
}

static enum err limit(enum subject_limits_operation operation, const char *name, const char *item, const char *body) {
  return run(subject_limits_operation(operation), name, item, body);
}

static enum err team(enum teams_operation operation, const char *name, const char *body) {
  return run(teams_operation(operation), name, "", body);
}

static void load(struct people *p) { assert_int_equal(people_load(db, 0, p, NULL), OK); }

static enum err take_count(void *arg, const struct db_value *row, unsigned columns, struct err_info *i) {
  (void)columns, (void)i;
  *(int64_t *)arg = row[0].i;
  return OK;
}

static int64_t audit_rows(const char *action) {
  const struct db_value params[] = {db_text(STR("")), db_text(str_from_c(action)), db_text(STR("")), db_text(STR(""))};
  int64_t n = 0;
  assert_int_equal(db_run(db, DB_AUDIT_COUNT, params, 4, take_count, &n, NULL), OK);
  return n;
}

TEST(set_replaces_merge_keeps_clear_lifts) {
  struct people p;
  assert_int_equal(limit(SUBJECT_LIMITS_user_set, "ann", "", "{\"request_limit\":5,\"budget_usd\":\"0.000000001\"}"),
                   OK);
  assert_non_null(
      strstr(last, "\"username\":\"ann\",\"budget_usd\":0.000000001,\"period\":\"total\",\"request_limit\":5"));
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
  assert_non_null(strstr(last, "\"token\":\"ci\""));
  assert_int_equal(limit(SUBJECT_LIMITS_team_set, "red", "", "{\"requests_per_minute\":2}"), OK);
  assert_int_equal(limit(SUBJECT_LIMITS_model_set, "up/org/m", "", "{\"requests_per_minute\":3}"), OK);
  assert_non_null(strstr(last, "\"model\":\"up/org/m\""));
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
    assert_int_equal(info.http_status, 422);
    assert_true(info.param[0]);
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
  assert_non_null(strstr(last, "\"models\":[],\"nodes\":[\"n\"],\"limits\":null"));
  assert_int_equal(team(TEAMS_OPERATION_update, "blue", "{}"), ERR_NOT_FOUND);
  load(&p);
  assert_int_equal(store_user_find(db, STR("ann"), &u, NULL), OK);
  u.team_id = p.teams[0].id;
  people_clear(&p);
  assert_int_equal(store_user_update(db, &u, NULL), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), ERR_CONFLICT);
  assert_non_null(strstr(info.text, "\"ann\""));
  u.team_id = 0;
  assert_int_equal(store_user_update(db, &u, NULL), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), OK);
  assert_int_equal(team(TEAMS_OPERATION_delete, "red", ""), ERR_NOT_FOUND);
  assert_int_equal(audit_rows(""), 3);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(set_replaces_merge_keeps_clear_lifts), T(each_has_its_own),
                                     T(what_is_not_there_or_no_limit_changes_nothing),
                                     T(a_team_has_lists_and_stays_while_somebody_is_in_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
