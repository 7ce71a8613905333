/* The quick pass over chat requests. */
#include "mock/mock_scan.h"

#include <stdlib.h>

#include "unit.h"

static struct mock_scan scan_of(const char *body) {
  struct mock_scan s;
  assert_true(mock_scan_chat(str_from_c(body), &s));
  return s;
}

TEST(a_usual_request) {
  struct mock_scan s = scan_of(
      " {\"model\":\"gpt-4o\", "
      "\"messages\":[{\"role\":\"system\",\"content\":\"12345\"},{\"role\":\"user\",\"content\":"
      "[{\"type\":\"text\",\"text\":\"123\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}],"
      "\"stream\" : true,\"stream_options\":{\"include_usage\": "
      "true},\"n\":3,\"response_format\":{\"type\":\"json_object\"}}\n");
  assert_str(s.model, STR("gpt-4o"));
  assert_true(s.has_messages && s.is_stream && s.wants_usage && s.wants_json);
  assert_false(s.is_tool_last);
  assert_int_equal(s.n, 3);
  assert_int_equal(s.text_bytes, 8);
}

TEST(absent_members) {
  struct mock_scan s = scan_of("{\"messages\":[]}");
  assert_null(s.model.p);
  assert_true(s.has_messages);
  assert_false(s.is_stream || s.wants_usage || s.wants_json || s.is_tool_last);
  assert_int_equal(s.n, 1);
  assert_int_equal(s.text_bytes, 0);
  assert_false(scan_of("{}").has_messages);
}

TEST(members_of_deeper_objects_do_not_count) {
  struct mock_scan s = scan_of(
      "{\"metadata\":{\"model\":\"no\",\"stream\":true,\"n\":4,\"messages\":1,\"content\":\"xxxx\"},\"tools\":[{"
      "\"type\":"
      "\"function\",\"function\":{\"name\":\"content\",\"text\":\"yyyy\"}}],\"model\":\"yes\",\"stream\":false}");
  assert_str(s.model, STR("yes"));
  assert_false(s.is_stream || s.has_messages);
  assert_int_equal(s.n, 1);
  assert_int_equal(s.text_bytes, 0);
}

TEST(the_last_role_decides) {
  assert_true(scan_of("{\"messages\":[{\"role\":\"user\",\"content\":\"tool\"},{\"content\":\"r\",\"role\":\"tool\"}]}")
                  .is_tool_last);
  assert_false(scan_of("{\"messages\":[{\"role\":\"tool\"},{\"role\":\"user\"}]}").is_tool_last);
}

TEST(escapes_in_strings) {
  struct mock_scan s = scan_of("{\"a\":\"\\\\\",\"b\":\"\\\\\\\"}\",\"model\":\"q\\\"\\\\x\",\"c\":\"{[\"}");
  assert_str(s.model, STR("q\\\"\\\\x"));
}

TEST(broken_text_is_refused_cut_at_every_byte) {
  static const char body[] =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\\\"b\"}],\"stream\":true,\"n\":2}";
  struct mock_scan s;
  for (size_t n = 0; n < sizeof body - 1; n++) {
    char *exact = malloc(n ? n : 1);
    memcpy(exact, body, n);
    assert_false(mock_scan_chat(str_from(exact, n), &s));
    free(exact);
  }
  assert_true(mock_scan_chat(str_from_c(body), &s));
  assert_false(mock_scan_chat(STR("[]"), &s));
  assert_false(mock_scan_chat(STR("\"x\""), &s));
  assert_false(mock_scan_chat(STR("{}}"), &s));
  assert_false(mock_scan_chat(STR("{}{}"), &s));
  assert_false(mock_scan_chat(STR("}"), &s));
}

TEST(a_deep_text_costs_no_stack) {
  size_t n = 1 << 20;
  char *deep = malloc(2 * n + 2);
  struct mock_scan s;
  memset(deep, '[', n + 1);
  memcpy(deep, "{", 1);
  memset(deep + n + 1, ']', n);
  deep[2 * n + 1] = '}';
  assert_true(mock_scan_chat(str_from(deep, 2 * n + 2), &s));
  free(deep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_usual_request),
      cmocka_unit_test(absent_members),
      cmocka_unit_test(members_of_deeper_objects_do_not_count),
      cmocka_unit_test(the_last_role_decides),
      cmocka_unit_test(escapes_in_strings),
      cmocka_unit_test(broken_text_is_refused_cut_at_every_byte),
      cmocka_unit_test(a_deep_text_costs_no_stack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
