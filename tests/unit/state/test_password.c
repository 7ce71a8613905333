/* Passwords: argon2id texts, of which none fits another, and a look at nothing that costs the same. */
#include "state/password.h"

#include <time.h>

#include "base/clock.h"
#include "unit.h"

static bool fits(const char *hash, const char *password) {
  bool yes = true;
  assert_int_equal(password_verify(str_from_c(hash), str_from_c(password), &yes, NULL), OK);
  return yes;
}

TEST(a_hash_fits_its_password_alone) {
  char one[PASSWORD_HASH_MAX], two[PASSWORD_HASH_MAX];
  assert_int_equal(password_hash(STR("correct horse"), one, NULL), OK);
  assert_int_equal(password_hash(STR("correct horse"), two, NULL), OK);
  assert_true(str_has_prefix(str_from_c(one), STR("$argon2id$v=19$m=65536,t=2,p=1$")));
  assert_string_not_equal(one, two); /* salted */
  assert_true(fits(one, "correct horse"));
  assert_false(fits(one, "correct horse "));
  assert_false(fits(one, ""));
}

/* The published vector of the reference implementation (phc-winner-argon2, test.c): argon2id, t=2, m=2^16, p=1. */
TEST(another_program_s_hash_is_understood) {
  assert_true(
      fits("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"));
}

TEST(what_is_no_hash_fits_nothing) {
  static const char *const bad[] = {"", "x", "$argon2id$v=19$m=65536,t=2,p=1$", "$2b$10$abcdefghijklmnopqrstuv",
                                    "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c29tZXNhbHQ$AAAA"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(fits(bad[i], "password"));
}

/* CPU time of this thread, so that others on the machine do not matter: what is absent must not be told by a short cut.
 */
static int64_t cpu_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

TEST(an_absent_hash_takes_as_long) {
  char hash[PASSWORD_HASH_MAX];
  int64_t best[2] = {INT64_MAX, INT64_MAX};
  assert_int_equal(password_hash(STR("correct horse"), hash, NULL), OK);
  for (int i = 0; i < 6; i++) {
    int64_t from = cpu_us();
    assert_false(fits(i % 2 ? hash : "", "wrong"));
    int64_t took = cpu_us() - from;
    if (took < best[i % 2]) best[i % 2] = took;
  }
  assert_true(best[0] * 3 > best[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_hash_fits_its_password_alone),
      cmocka_unit_test(another_program_s_hash_is_understood),
      cmocka_unit_test(what_is_no_hash_fits_nothing),
      cmocka_unit_test(an_absent_hash_takes_as_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
