/* Who may call, made from a configuration: keys of a person or the generated one, and CORS in the spelling that
 * browsers send. */
#include "gateway/rules.h"

#include "../state/fake.h"

static struct fake fake;

static enum err build(const char *json, struct rules **out, char text[512]) {
  void *section = NULL;
  struct config_diags diags;
  struct buf report;
  fake = (struct fake){.files = {{"/c/maestro/maestro.json", json}}};
  fake_load(&fake);
  fake_expect(&fake, "");
  config_diags_init(&diags);
  buf_init(&report, 0);
  enum err e = rules_section.build(fake.config, NULL, NULL, &section, &diags);
  config_diags_write(&diags, &report);
  snprintf(text, 512, "%.*s", STR_ARG(buf_str(&report)));
  config_diags_clear(&diags);
  buf_clear(&report);
  *out = section;
  return e;
}

static enum err check(const struct rules *r, const char *host, const char *bearer, struct auth_principal *who) {
  const struct http_header v[] = {{STR("Host"), str_from_c(host)}, {STR("Authorization"), str_from_c(bearer)}};
  const struct http_request request = {
      .method = HTTP_GET, .host = str_from_c(host), .headers = {v, bearer ? 2 : 1}, .version_minor = 1};
  const struct http_peer peer = {.address = "127.0.0.1", .local_port = 8080, .is_loopback = true};
  const struct auth_call call = {.request = &request, .peer = &peer, .class = AUTH_CLASS_INFERENCE};
  struct err_info info = {0};
  return auth_check(r->auth, &call, who, &info);
}

TEST(keys_of_a_person_close_local_calls) {
  struct rules *r;
  struct auth_principal who;
  char text[512];
  rules_set_generated_key(STR("sk-maestro-generated"));
  assert_int_equal(build("{}", &r, text), OK);
  assert_int_equal(check(r, "localhost:8080", NULL, &who), OK);
  assert_int_equal(who.kind, AUTH_LOCAL);
  assert_int_equal(check(r, "localhost:8080", "Bearer sk-maestro-generated", &who), OK);
  assert_int_equal(who.kind, AUTH_KEY);
  rules_section.free(r);
  fake_clear(&fake);
  assert_int_equal(build("{\"server\":{\"key\":\"sk-maestro-of-a-person\"}}", &r, text), OK);
  assert_int_equal(check(r, "localhost:8080", NULL, &who), ERR_UNAUTHENTICATED);
  assert_int_equal(check(r, "localhost:8080", "Bearer sk-maestro-generated", &who), ERR_UNAUTHENTICATED);
  assert_int_equal(check(r, "localhost:8080", "Bearer sk-maestro-of-a-person", &who), OK);
  rules_section.free(r);
  fake_clear(&fake);
  rules_set_generated_key(STR_NONE);
}

TEST(another_bind_is_never_local) {
  struct rules *r;
  struct auth_principal who;
  char text[512];
  assert_int_equal(build("{\"server\":{\"host\":\"0.0.0.0\"}}", &r, text), OK);
  assert_int_equal(check(r, "localhost:8080", NULL, &who), ERR_UNAUTHENTICATED);
  rules_section.free(r);
  fake_clear(&fake);
}

TEST(origins_as_browsers_send_them) {
  struct rules *r;
  char text[512];
  assert_int_equal(
      build("{\"server\":{\"origins\":[\"https://App.Example.COM:443\",\"http://x.example:8080\"]}}", &r, text), OK);
  assert_int_equal(r->cors.origins_n, 2);
  assert_true(cors_origin_matches(r->cors.origins, r->cors.origins_n, STR("https://app.example.com")));
  assert_true(cors_origin_matches(r->cors.origins, r->cors.origins_n, STR("http://x.example:8080")));
  assert_false(cors_origin_matches(r->cors.origins, r->cors.origins_n, STR("http://x.example")));
  rules_section.free(r);
  fake_clear(&fake);
  assert_int_equal(build("{}", &r, text), OK);
  assert_int_equal(r->cors.origins_n, 0);
  rules_section.free(r);
  rules_section.free(NULL);
  fake_clear(&fake);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(keys_of_a_person_close_local_calls),
                                     cmocka_unit_test(another_bind_is_never_local),
                                     cmocka_unit_test(origins_as_browsers_send_them)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
