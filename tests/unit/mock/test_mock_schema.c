/* Values that fit schemas. */
#include "mock/mock_schema.h"

#include <stdlib.h>

#include "unit.h"

static void check(const char *schema, const char *expected) {
  yyjson_doc *doc = yyjson_read(schema, strlen(schema), 0);
  assert_non_null(doc);
  struct buf out;
  buf_init(&out, 0);
  mock_schema_put(&out, yyjson_doc_get_root(doc), STR("mock"));
  assert_str(buf_str(&out), str_from_c(expected));
  buf_clear(&out);
  yyjson_doc_free(doc);
}

TEST(required_members_by_type) {
  check(
      "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\",\"minimum\":3},"
      "\"n\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"},\"a\":{\"type\":\"array\",\"items\":{\"type\":"
      "\"string\"},"
      "\"minItems\":1},\"e\":{\"type\":\"array\"},\"z\":{\"type\":\"null\"},\"o\":{\"type\":\"string\"}},"
      "\"required\":[\"s\",\"i\",\"n\",\"b\",\"a\",\"e\",\"z\"]}",
      "{\"s\":\"mock\",\"i\":3,\"n\":1,\"b\":true,\"a\":[\"mock\"],\"e\":[],\"z\":null}");
}

TEST(given_values_come_first) {
  check(
      "{\"properties\":{\"u\":{\"enum\":[\"c\",\"f\"]},\"k\":{\"const\":7},\"d\":{\"type\":\"string\",\"default\":"
      "\"x\"},"
      "\"t\":{\"type\":[\"integer\",\"null\"]},\"y\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"null\"}]}},"
      "\"required\":[\"u\",\"k\",\"d\",\"t\",\"y\"]}",
      "{\"u\":\"c\",\"k\":7,\"d\":\"x\",\"t\":1,\"y\":true}");
}

TEST(nested_and_referenced) {
  check(
      "{\"type\":\"object\",\"properties\":{\"p\":{\"$ref\":\"#/$defs/P\"}},\"required\":[\"p\"],\"$defs\":{\"P\":{"
      "\"type\":\"object\",\"properties\":{\"q\":{\"type\":\"string\"}},\"required\":[\"q\"]}}}",
      "{\"p\":{\"q\":\"mock\"}}");
}

TEST(endless_schemas_end) {
  check("{\"type\":\"object\",\"properties\":{\"p\":{\"$ref\":\"#\"}},\"required\":[\"p\"]}",
        "{\"p\":{\"p\":{\"p\":{\"p\":{\"p\":{\"p\":{}}}}}}}");
  check("{\"$ref\":\"#\"}", "{}");
}

TEST(odd_schemas_give_an_object) {
  check("{}", "{}");
  check("[]", "{}");
  check("true", "{}");
  check("{\"required\":[1,2]}", "{}");
  check("{\"required\":[\"x\"]}", "{\"x\":\"mock\"}");
  struct buf out;
  buf_init(&out, 0);
  mock_schema_put(&out, NULL, STR("mock"));
  assert_str(buf_str(&out), STR("{}"));
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(required_members_by_type),   cmocka_unit_test(given_values_come_first),
      cmocka_unit_test(nested_and_referenced),      cmocka_unit_test(endless_schemas_end),
      cmocka_unit_test(odd_schemas_give_an_object),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
