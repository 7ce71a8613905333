/* Tokens as other programs read them: three parts, HS256 over the first two, the claims that were asked for. */
#include "policy/jwt.h"

#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/json.h"
#include "unit.h"

/* RFC 4648, section 5, without padding, by the padded decoder. */
static struct str decode(struct arena *a, struct str part) {
  char *text = arena_alloc(a, part.n + 4);
  size_t n = part.n;
  for (size_t i = 0; i < n; i++) text[i] = part.p[i] == '-' ? '+' : part.p[i] == '_' ? '/' : part.p[i];
  while (n % 4) text[n++] = '=';
  char *out = arena_alloc(a, base64_room(n));
  size_t got = base64_decode(str_from(text, n), out);
  assert_int_not_equal(got, SIZE_MAX);
  return str_from(out, got);
}

static struct str issue(struct arena *a, const struct jwt_claims *claims) {
  struct buf b;
  buf_init(&b, 0);
  assert_int_equal(jwt_issue(STR("a key"), claims, &b, NULL), OK);
  struct str token = arena_dup(a, buf_str(&b));
  buf_clear(&b);
  return token;
}

static void member_is(const struct json_node *n, const char *key, const char *expected) {
  struct str got = STR_NONE;
  assert_int_equal(json_get_string(n, str_from_c(key), &got, NULL), OK);
  assert_str(got, str_from_c(expected));
}

TEST(it_has_three_parts_and_says_whose_it_is) {
  struct arena a;
  struct json doc;
  struct str header, rest, payload, signature;
  unsigned char mac[32];
  unsigned mac_n = 0;
  arena_init(&a, 0);
  struct str token =
      issue(&a, &(struct jwt_claims){.username = STR("ann \"o\""), .issued_s = 1700000000, .expires_s = 1700000060});
  assert_true(str_cut(token, '.', &header, &rest));
  assert_true(str_cut(rest, '.', &payload, &signature));
  assert_int_equal(str_find_char(token, '='), SIZE_MAX);

  assert_int_equal(json_parse_copy(&doc, decode(&a, header), NULL, &a, NULL), OK);
  struct json_node n = json_root(&doc);
  member_is(&n, "alg", "HS256");
  member_is(&n, "typ", "JWT");

  assert_int_equal(json_parse_copy(&doc, decode(&a, payload), NULL, &a, NULL), OK);
  n = json_root(&doc);
  member_is(&n, "username", "ann \"o\"");
  member_is(&n, "sub", "ann \"o\"");
  member_is(&n, "iss", "maestro");
  member_is(&n, "aud", "llm-api");
  int64_t at = 0;
  assert_int_equal(json_get_i64(&n, STR("iat"), &at, NULL), OK);
  assert_int_equal(at, 1700000000);
  assert_int_equal(json_get_i64(&n, STR("exp"), &at, NULL), OK);
  assert_int_equal(at, 1700000060);

  size_t signed_bytes = header.n + 1 + payload.n;
  assert_non_null(HMAC(EVP_sha256(), "a key", 5, (const unsigned char *)token.p, signed_bytes, mac, &mac_n));
  assert_str(decode(&a, signature), str_from((const char *)mac, mac_n));
  arena_clear(&a);
}

TEST(one_that_does_not_expire_says_nothing_of_it_and_no_two_are_equal) {
  struct arena a;
  struct json doc;
  struct str header, rest, payload;
  arena_init(&a, 0);
  const struct jwt_claims claims = {.username = STR("ann"), .issued_s = 1700000000};
  struct str token = issue(&a, &claims);
  str_cut(token, '.', &header, &rest);
  str_cut(rest, '.', &payload, &rest);
  assert_int_equal(json_parse_copy(&doc, decode(&a, payload), NULL, &a, NULL), OK);
  struct json_node root = json_root(&doc), expires = json_member(&root, STR("exp"));
  assert_int_equal(json_type(&expires), JSON_ABSENT);
  assert_false(str_eq(token, issue(&a, &claims)));
  arena_clear(&a);
}

TEST(an_empty_key_signs_nothing) {
  struct buf b;
  buf_init(&b, 0);
  assert_int_equal(jwt_issue(STR_NONE, &(struct jwt_claims){.username = STR("ann")}, &b, NULL), ERR_INTERNAL);
  assert_int_equal(b.n, 0);
  buf_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_has_three_parts_and_says_whose_it_is),
      cmocka_unit_test(one_that_does_not_expire_says_nothing_of_it_and_no_two_are_equal),
      cmocka_unit_test(an_empty_key_signs_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
