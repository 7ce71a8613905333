/* Tokens to users: found by hash, and only while the user is active and the token has not expired. */
#include "policy/principals.h"

#include <stdio.h>

#include "base/clock.h"
#include "unit.h"

static int64_t now_us = 1000000;
static int64_t wall(void) { return now_us; }

static struct crypto_hash hash_of(const char *text) {
  struct crypto_hash h;
  assert_int_equal(crypto_sha256(str_from_c(text), &h), OK);
  return h;
}

/* `n` users with two tokens each, "t<user>.<0|1>"; every third one is inactive. */
static struct principals *make(size_t n) {
  struct people people;
  struct principals *p = NULL;
  people_init(&people);
  assert_true(people_make_users(&people, n));
  struct arena *arena = people_arena(&people);
  people.user_count = n;
  for (size_t i = 0; i < n; i++) {
    struct user *u = &people.users[i];
    *u = (struct user){.id = (int64_t)(100 + i),
                       .name = arena_printf(arena, "u%zu", i),
                       .life = 1,
                       .limits = limits_none,
                       .is_active = i % 3 != 2,
                       .role = (enum user_role)(i % USER_ROLE_COUNT),
                       .token_count = 2};
    u->tokens = ARENA_NEW_ARRAY(arena, struct user_token, 2);
    for (size_t k = 0; k < 2; k++) {
      char text[32];
      snprintf(text, sizeof text, "t%zu.%zu", i, k);
      u->tokens[k] = (struct user_token){.name = STR("x"), .hash = hash_of(text), .limits = limits_none};
    }
    u->tokens[1].expires_us = 2000000;
  }
  assert_int_equal(principals_new(&people, STORE_DB, NULL, &p), OK);
  assert_int_equal(people.user_count, 0);
  return p;
}

static bool find(struct principals *p, const char *token, struct auth_principal *out) {
  struct crypto_hash h = hash_of(token);
  return principals_find(p, AUTH_SOURCE_BEARER, &h, out);
}

TEST(each_token_finds_its_user) {
  struct principals *p = make(1000);
  for (size_t i = 0; i < 1000; i++) {
    struct auth_principal who = {0};
    char text[32];
    snprintf(text, sizeof text, "t%zu.0", i);
    assert_int_equal(find(p, text, &who), i % 3 != 2);
    if (i % 3 == 2) continue;
    assert_int_equal(who.kind, AUTH_USER);
    assert_int_equal(who.id, 100 + i);
    assert_int_equal(who.role, i % USER_ROLE_COUNT);
    assert_ptr_equal(principals_user(p, &who), &p->people.users[i]);
  }
  struct auth_principal who;
  assert_false(find(p, "t1000.0", &who));
  assert_false(find(p, "", &who));
  principals_free(p);
}

TEST(nobody_is_found_among_none) {
  struct principals *p = make(0);
  struct auth_principal who;
  assert_false(find(p, "t0.0", &who));
  assert_false(principals_has_users(p));
  assert_false(principals_is_live(p, &(struct auth_principal){.kind = AUTH_USER, .id = 1, .token = 5}));
  assert_true(principals_is_live(p, &(struct auth_principal){.kind = AUTH_KEY}));
  principals_free(p);
}

TEST(an_expired_token_is_none) {
  struct principals *p = make(1);
  struct auth_principal who;
  now_us = 1999999;
  assert_true(find(p, "t0.1", &who));
  now_us = 2000000;
  assert_false(find(p, "t0.1", &who));
  assert_true(find(p, "t0.0", &who));
  now_us = 1000000;
  principals_free(p);
}

TEST(a_token_is_no_session) {
  struct principals *p = make(1);
  struct auth_principal who;
  struct crypto_hash h = hash_of("t0.0");
  assert_false(principals_find(p, AUTH_SOURCE_SESSION, &h, &who));
  assert_true(principals_find(p, AUTH_SOURCE_X_API_KEY, &h, &who));
  principals_free(p);
}

TEST(two_tokens_of_one_user_are_one_caller) {
  struct principals *p = make(2);
  struct auth_principal a, b, other;
  assert_true(find(p, "t0.0", &a) && find(p, "t0.1", &b) && find(p, "t1.0", &other));
  assert_true(auth_principal_equal(&a, &b));
  assert_false(auth_principal_equal(&a, &other));
  char name[AUTH_NAME_BYTES];
  assert_str(auth_principal_name(&a, name), STR("user:100"));
  principals_free(p);
}

TEST(what_changed_since_is_noticed) {
  struct principals *before = make(4), *after = make(4);
  struct auth_principal who;
  assert_true(find(before, "t1.0", &who));
  assert_true(principals_is_live(after, &who));
  principals_free(after);
  after = make(1); /* the user is gone */
  assert_false(principals_is_live(after, &who));
  assert_null(principals_user(after, &who));
  principals_free(after);
  after = make(4);
  for (size_t i = 0; i < after->token_count; i++) /* the token was renewed; its old place is enough to look at */
    if (after->tokens[i].user == &after->people.users[1]) after->tokens[i].hash = hash_of("another");
  assert_false(principals_is_live(after, &who));
  principals_free(after);
  principals_free(before);
}

TEST(nobody_knows_is_not_nobody) {
  struct people people;
  struct principals *p;
  people_init(&people);
  assert_int_equal(principals_new(&people, STORE_UNKNOWN, NULL, &p), OK);
  assert_true(principals_has_users(p));
  principals_free(p);
  assert_int_equal(principals_new(&people, STORE_KEPT, NULL, &p), OK);
  assert_false(principals_has_users(p));
  principals_free(p);
}

/* Users 100 to 102; the one in the middle is in a team, and its token has limits. */
TEST(what_binds_a_user_follows_it_through_a_change) {
  struct principals *before, *after;
  struct people people, one, patched;
  struct auth_principal who;
  before = make(3);
  people_init(&one);
  struct arena *a = people_arena(&one);
  assert_true(people_make_users(&one, 1));
  one.user_count = 1;
  one.users[0] = before->people.users[1];
  one.users[0].team_id = 4;
  one.users[0].limits.concurrency = 3;
  one.users[0].tokens = ARENA_NEW(a, struct user_token);
  one.users[0].token_count = 1;
  one.users[0].tokens[0] = (struct user_token){.id = 9, .hash = hash_of("new"), .limits = limits_none};
  one.users[0].tokens[0].limits.requests_per_day = 8;
  one.teams = ARENA_NEW(a, struct team);
  one.team_count = 1;
  one.teams[0] = (struct team){.id = 4, .name = STR("red"), .limits = limits_none};
  assert_int_equal(people_patch(&before->people, 101, &one, &patched), OK);
  people = patched;
  assert_int_equal(principals_new(&people, STORE_DB, before, &after), OK);
  const struct ledger_account *account = before->users[1].limits.account;
  assert_ptr_equal(account, ledger_account(STR("user:101")));
  assert_ptr_equal(after->users[1].limits.account, account);
  principals_free(before); /* what is shared stays */
  assert_false(find(after, "t1.0", &who));
  assert_true(find(after, "new", &who));
  struct limits_caller c = {0};
  principals_limits(after, &who, &c);
  assert_int_equal(c.n, 3);
  assert_int_equal(c.v[0]->limits.concurrency, 3);
  assert_int_equal(c.v[1]->kind, LIMITS_OF_TEAM);
  assert_int_equal(c.v[2]->limits.requests_per_day, 8);
  assert_str(principals_team(after, principals_user(after, &who))->name, STR("red"));
  assert_true(find(after, "t0.0", &who));
  c = (struct limits_caller){0};
  principals_limits(after, &who, &c);
  assert_int_equal(c.n, 1);
  assert_str(after->people.users[0].name, STR("u0"));
  principals_free(after);
}

static int setup(void **state) {
  (void)state;
  clock_inject(NULL, wall);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_token_finds_its_user),
      cmocka_unit_test(nobody_is_found_among_none),
      cmocka_unit_test(an_expired_token_is_none),
      cmocka_unit_test(a_token_is_no_session),
      cmocka_unit_test(two_tokens_of_one_user_are_one_caller),
      cmocka_unit_test(what_changed_since_is_noticed),
      cmocka_unit_test(nobody_knows_is_not_nobody),
      cmocka_unit_test(what_binds_a_user_follows_it_through_a_change),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
