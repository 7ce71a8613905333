/* What the vendors' citations have in common, by the types of their SDKs. */
#include "dialect/citation.h"

#include <yyjson.h>

#include "unit.h"

static bool read(const char *json, struct citation *c, yyjson_doc **doc) {
  *doc = yyjson_read(json, strlen(json), YYJSON_READ_NUMBER_AS_RAW);
  assert_non_null(*doc);
  return citation_read(yyjson_doc_get_root(*doc), c);
}

TEST(addresses_of_every_vendor) {
  static const struct {
    const char *json, *title, *start, *end;
  } rows[] = {
      {"{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://"
       "u\",\"title\":\"t\",\"start_index\":1,\"end_index\":2}}",
       "t", "1", "2"},
      {"{\"type\":\"url_citation\",\"url\":\"https://u\",\"title\":\"t\",\"start_index\":1,\"end_index\":2}", "t", "1",
       "2"},
      {"{\"type\":\"web_search_result_location\",\"url\":\"https://u\",\"title\":\"t\",\"encrypted_index\":\"e\"}", "t",
       NULL, NULL},
      {"{\"startIndex\":1,\"endIndex\":2,\"uri\":\"https://u\"}", "", "1", "2"},
      {"{\"web\":{\"uri\":\"https://u\",\"title\":\"t\"}}", "t", NULL, NULL},
      {"{\"title\":\"t\",\"location\":{\"web\":{\"url\":\"https://u\",\"domain\":\"u\"}}}", "t", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct citation c;
    yyjson_doc *doc;
    assert_true(read(rows[i].json, &c, &doc));
    assert_str(c.url, STR("https://u"));
    assert_str(c.title, str_from_c(rows[i].title));
    assert_int_equal(c.start != NULL, rows[i].start != NULL);
    if (c.start) assert_string_equal(yyjson_get_raw(c.start), rows[i].start);
    if (c.end) assert_string_equal(yyjson_get_raw(c.end), rows[i].end);
    yyjson_doc_free(doc);
  }
}

TEST(what_names_no_address_is_none) {
  static const char *const rows[] = {
      "{}",
      "7",
      "[\"url\"]",
      "{\"url\":7}",
      "{\"url_citation\":\"x\"}",
      "{\"type\":\"char_location\",\"cited_text\":\"c\",\"document_index\":0}",
      "{\"title\":\"t\",\"location\":{\"documentChar\":{\"start\":1}}}",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct citation c;
    yyjson_doc *doc;
    assert_false(read(rows[i], &c, &doc));
    yyjson_doc_free(doc);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_of_every_vendor),
                                     cmocka_unit_test(what_names_no_address_is_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
