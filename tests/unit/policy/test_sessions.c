/* Credentials of sessions: a cookie and its token find the same session, and only while its owner is who it was. */
#include "policy/sessions.h"

#include "base/clock.h"
#include "unit.h"

static int64_t now_us = 5000000;
static int64_t wall(void) { return now_us; }

#define COOKIE STR("ms_a-secret-of-a-browser")

static struct principals *principals;

static int setup(void **state) {
  struct people people;
  (void)state;
  people_init(&people);
  if (!people_make_users(&people, 3)) return -1;
  people.user_count = 3;
  for (size_t i = 0; i < 3; i++)
    people.users[i] = (struct user){.id = (int64_t)(10 + i), .role = USER_ROLE_VIEWER, .is_active = true};
  clock_inject(NULL, wall);
  return principals_new(&people, STORE_DB, NULL, &principals) ? -1 : 0;
}

static int teardown(void **state) {
  (void)state;
  session_clear();
  principals_free(principals);
  clock_inject(NULL, NULL);
  return 0;
}

static struct sessions_rules rules_of(const char *name, const char *password) {
  struct sessions_rules r = {.idle_us = 1000000, .total_us = 9000000, .principals = principals};
  assert_int_equal(sessions_set_admin(&r, str_from_c(name), str_from_c(password)), OK);
  return r;
}

static void sign_in(const struct sessions_rules *r, bool is_admin, int64_t user_id) {
  struct session s = {.user_id = user_id, .created_us = now_us, .seen_us = now_us, .expires_us = now_us + r->total_us};
  assert_int_equal(sessions_key(r, COOKIE, is_admin, &s.key), OK);
  (void)!session_add(&s, NULL); /* there is no store here */
}

static bool find(const struct sessions_rules *r, enum auth_source source, struct str text, struct auth_principal *out) {
  struct crypto_hash h;
  assert_int_equal(crypto_sha256(text, &h), OK);
  return sessions_find(r, source, &h, out);
}

static bool finds_cookie(const struct sessions_rules *r) {
  struct auth_principal p;
  return find(r, AUTH_SOURCE_SESSION, COOKIE, &p);
}

TEST(cookie_and_token_are_one_session) {
  struct sessions_rules r = rules_of("root", "secret");
  struct auth_principal a = {0}, b = {0};
  char token[SESSIONS_TOKEN_BYTES];
  sign_in(&r, true, 0);
  assert_int_equal(sessions_token(COOKIE, token), OK);
  struct str t = str_from(token, sizeof token);
  assert_true(find(&r, AUTH_SOURCE_SESSION, COOKIE, &a));
  assert_true(find(&r, AUTH_SOURCE_BEARER, t, &b));
  assert_int_equal(a.kind, AUTH_ADMIN);
  assert_true(a.is_session);
  assert_memory_equal(&a.session, &b.session, sizeof a.session);
  assert_false(find(&r, AUTH_SOURCE_BEARER, COOKIE, &a)); /* neither goes where the other does */
  assert_false(find(&r, AUTH_SOURCE_SESSION, t, &a));
}

TEST(a_new_name_or_password_ends_the_administrators_sessions) {
  struct sessions_rules r = rules_of("root", "secret");
  sign_in(&r, true, 0);
  assert_true(finds_cookie(&r));
  const struct sessions_rules others[] = {rules_of("root", "secret2"), rules_of("roo", "tsecret"),
                                          rules_of("root", "")};
  for (size_t i = 0; i < 3; i++) assert_false(finds_cookie(&others[i]));
  assert_true(finds_cookie(&r));
}

TEST(the_administrator_s_login) {
  struct sessions_rules r = rules_of("root", "secret"), none = rules_of("root", "");
  assert_true(sessions_is_admin(&r, STR("root"), STR("secret")));
  assert_false(sessions_is_admin(&r, STR("root"), STR("secre")));
  assert_false(sessions_is_admin(&r, STR("roots"), STR("ecret")));
  assert_false(sessions_is_admin(&r, STR(""), STR("")));
  assert_false(sessions_is_admin(&none, STR("root"), STR("")));
}

TEST(a_user_s_session_lasts_while_the_user_is_who_it_was) {
  struct sessions_rules r = rules_of("root", "secret");
  struct auth_principal p = {0};
  struct user *u = &principals->people.users[1];
  sign_in(&r, false, 11);
  assert_true(find(&r, AUTH_SOURCE_SESSION, COOKIE, &p));
  assert_int_equal(p.kind, AUTH_USER);
  assert_int_equal(p.id, 11);
  assert_int_equal(p.index, 1);
  assert_int_equal(p.role, USER_ROLE_VIEWER);
  const struct user was = *u;
  u->is_active = false;
  assert_false(finds_cookie(&r));
  *u = was, u->role = USER_ROLE_USER;
  assert_false(finds_cookie(&r));
  *u = was, u->sessions_from_us = now_us;
  assert_false(finds_cookie(&r));
  *u = was, u->created_us = now_us + 1; /* deleted and made again */
  assert_false(finds_cookie(&r));
  *u = was, u->id = 12;
  assert_false(finds_cookie(&r));
  *u = was;
  assert_true(finds_cookie(&r));
  r.principals = NULL;
  assert_false(finds_cookie(&r));
}

TEST(idle_ones_end) {
  struct sessions_rules r = rules_of("root", "secret");
  sign_in(&r, true, 0);
  now_us += r.idle_us - 1;
  assert_true(finds_cookie(&r));
  now_us += r.idle_us;
  assert_false(finds_cookie(&r));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(cookie_and_token_are_one_session, setup, teardown),
      cmocka_unit_test_setup_teardown(a_new_name_or_password_ends_the_administrators_sessions, setup, teardown),
      cmocka_unit_test_setup_teardown(the_administrator_s_login, setup, teardown),
      cmocka_unit_test_setup_teardown(a_user_s_session_lasts_while_the_user_is_who_it_was, setup, teardown),
      cmocka_unit_test_setup_teardown(idle_ones_end, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
