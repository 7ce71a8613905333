/* Bodies of changes as a table: what is taken, and how what is not is named. */
#include "admin/people/users_input.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "unit.h"

#define ALL 1023u

TEST(each_fault_has_its_path_and_status) {
  static const struct {
    const char *body;
    unsigned allowed, required;
    enum err e;
    const char *param, *text;
  } rows[] = {
      {"{\"username\":\"ann\"}", USERS_USERNAME, USERS_USERNAME, OK, "", ""},
      {"", USERS_ROLE, 0, OK, "", ""},
      {" \n", USERS_ROLE, 0, OK, "", ""},
      {"{}", USERS_ROLE, 0, OK, "", ""},
      {"", ALL, USERS_USERNAME, ERR_MISSING, "username", "required"},
      {"{\"username\":null}", ALL, USERS_USERNAME, ERR_BAD_TYPE, "username", ""},
      {"{\"username\":7}", ALL, 0, ERR_BAD_TYPE, "username", ""},
      {"{\"username\":\"\"}", ALL, 0, ERR_BAD_VALUE, "username", "1 to 128"},
      {"{\"username\":\"a/b\"}", ALL, 0, ERR_BAD_VALUE, "username", "'/'"},
      {"{\"username\":\"a\\u0000b\"}", ALL, 0, ERR_BAD_VALUE, "username", ""},
      {"{\"username\":\"a\\r\\nSet-Cookie: x\"}", ALL, 0, ERR_BAD_VALUE, "username", "control"},
      {"{\"username\":\" a\"}", ALL, 0, ERR_BAD_VALUE, "username", "white space"},
      {"{\"username\":\"a'; DROP TABLE users; --\"}", ALL, 0, OK, "", ""},
      {"{\"username\":\"Zo\xc3\xab\"}", ALL, 0, OK, "", ""},
      {"{\"role\":\"root\"}", ALL, 0, ERR_BAD_VALUE, "role", "user, viewer, operator or admin"},
      {"{\"role\":[\"admin\"]}", ALL, 0, ERR_BAD_TYPE, "role", ""},
      {"{\"is_active\":1}", ALL, 0, ERR_BAD_TYPE, "is_active", ""},
      {"{\"is_active\":\"false\"}", ALL, 0, ERR_BAD_TYPE, "is_active", ""},
      {"{\"has_all_models\":null}", ALL, 0, ERR_BAD_TYPE, "has_all_models", ""},
      {"{\"models\":\"gpt\"}", ALL, 0, ERR_BAD_TYPE, "models", ""},
      {"{\"models\":[\"a\",7]}", ALL, 0, ERR_BAD_TYPE, "models[1]", ""},
      {"{\"models\":[\"a\",\"\"]}", ALL, 0, ERR_BAD_VALUE, "models[1]", ""},
      {"{\"models\":[\"a\",\"b\",\"a\"]}", ALL, 0, ERR_BAD_VALUE, "models[2]", "twice"},
      {"{\"models\":[]}", ALL, 0, OK, "", ""},
      {"{\"node_ids\":[\"a\",\"a\"]}", ALL, 0, ERR_BAD_VALUE, "node_ids[1]", "twice"},
      {"{\"node_id\":4}", ALL, 0, OK, "", ""},
      {"{\"node_id\":-4}", ALL, 0, ERR_BAD_VALUE, "node_id", "number or code"},
      {"{\"node_id\":true}", ALL, 0, ERR_BAD_TYPE, "node_id", ""},
      {"{\"node_id\":\"\"}", ALL, 0, ERR_BAD_VALUE, "node_id", ""},
      {"{\"node_ids\":[4,\"4\"]}", ALL, 0, ERR_BAD_VALUE, "node_ids[1]", "twice"},
      {"{\"node_ids\":4}", ALL, 0, ERR_BAD_TYPE, "node_ids", ""},
      {"{\"model_name\":\"a\\u0007\"}", ALL, 0, ERR_BAD_VALUE, "model_name", ""},
      {"{\"expires_in_days\":0}", ALL, 0, ERR_BAD_VALUE, "expires_in_days", "1 to 36500"},
      {"{\"expires_in_days\":36501}", ALL, 0, ERR_BAD_VALUE, "expires_in_days", ""},
      {"{\"expires_in_days\":-1}", ALL, 0, ERR_BAD_VALUE, "expires_in_days", ""},
      {"{\"expires_in_days\":1.5}", ALL, 0, ERR_BAD_VALUE, "expires_in_days", ""},
      {"{\"expires_in_days\":99999999999999999999}", ALL, 0, ERR_BAD_VALUE, "expires_in_days", ""},
      {"{\"expires_in_days\":\"7\"}", ALL, 0, ERR_BAD_TYPE, "expires_in_days", ""},
      {"{\"expires_in_days\":null}", ALL, 0, OK, "", ""},
      {"{\"role\":\"user\",\"role\":\"admin\"}", ALL, 0, ERR_DUPLICATE_KEY, "role", ""},
      {"{\"ROLE\":\"user\"}", ALL, 0, ERR_BAD_VALUE, "ROLE", "not taken"},
      {"{\"id\":7}", ALL, 0, ERR_BAD_VALUE, "id", "not taken"},
      {"{\"role\":\"admin\"}", USERS_USERNAME, 0, ERR_BAD_VALUE, "role", "not taken"},
      {"[]", ALL, 0, ERR_BAD_TYPE, "", ""},
      {"{\"username\":\"ann\"", ALL, 0, ERR_BAD_JSON, "", ""},
      {"{\"username\":\"ann\"} x", ALL, 0, ERR_BAD_JSON, "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    struct users_input in = {.has = 12345};
    struct err_info info = {0};
    arena_init(&a, 0);
    enum err e =
        fields_read(&a, str_from_c(rows[i].body), &users_fields, rows[i].allowed, rows[i].required, &in, &info);
    if (e != rows[i].e) fail_msg("%s: %s, not %s (%s)", rows[i].body, err_code(e), err_code(rows[i].e), info.text);
    if (e) {
      assert_int_equal(in.has, 12345);
      if (strcmp(info.param, rows[i].param)) fail_msg("%s: param \"%s\"", rows[i].body, info.param);
      if (!strstr(info.text, rows[i].text)) fail_msg("%s: text \"%s\"", rows[i].body, info.text);
      assert_int_equal(err_info_status(e, &info), e == ERR_BAD_JSON ? 400 : 422);
    }
    arena_clear(&a);
  }
}

TEST(lists_have_an_end) {
  struct arena a;
  struct users_input in;
  struct err_info info = {0};
  struct buf b;
  arena_init(&a, 0);
  buf_init(&b, 0);
  for (int n = USER_MODELS_MAX; n <= USER_MODELS_MAX + 1; n++) {
    buf_reset(&b);
    buf_put(&b, STR("{\"models\":["));
    for (int i = 0; i < n; i++) buf_printf(&b, "%s\"m%d\"", i ? "," : "", i);
    buf_put(&b, STR("]}"));
    enum err e = fields_read(&a, buf_str(&b), &users_fields, USERS_MODELS, 0, &in, &info);
    assert_int_equal(e, n == USER_MODELS_MAX ? OK : ERR_BAD_VALUE);
  }
  assert_int_equal(in.models.n, USER_MODELS_MAX);
  assert_str(in.models.v[7], STR("m7"));
  char name[USER_NAME_MAX + 2];
  memset(name, 'a', sizeof name);
  for (int n = USER_NAME_MAX; n <= USER_NAME_MAX + 1; n++) {
    buf_reset(&b);
    buf_printf(&b, "{\"username\":\"%.*s\"}", n, name);
    assert_int_equal(fields_read(&a, buf_str(&b), &users_fields, USERS_USERNAME, 0, &in, &info),
                     n == USER_NAME_MAX ? OK : ERR_BAD_VALUE);
  }
  buf_clear(&b);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_fault_has_its_path_and_status),
                                     cmocka_unit_test(lists_have_an_end)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
