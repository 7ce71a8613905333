/* Schemas of answers: what JSON Schema a table becomes, and how people are told. Expectations are JSON Schema's own
 * keywords (draft 2020-12). */
#include "base/schema.h"

#include "unit.h"

static const struct schema_member point_rows[] = {{"x", SCHEMA_INTEGER, .help = "to the right"}};
static const struct schema point = SCHEMA_OF("Point", point_rows);
static const struct schema_member inner_rows[] = {{"ms", SCHEMA_MS, .help = "how long"},
                                                  {"point", SCHEMA_OBJECT, .of = &point}};
static const struct schema inner = SCHEMA_OF(NULL, inner_rows);

static void check(const struct schema_member *rows, size_t n, const char *want) {
  const struct schema s = {NULL, rows, n, false, NULL};
  struct buf b;
  buf_init(&b, 0);
  schema_put(&s, &b);
  assert_str(buf_str(&b), str_from_c(want));
  buf_clear(&b);
}

#define MEMBER(type, required) "{\"type\":\"object\",\"properties\":{\"a\":" type "},\"required\":[" required "]}"

TEST(a_member_of_each_type) {
  static const struct {
    struct schema_member row;
    const char *want;
  } rows[] = {
      {{"a", SCHEMA_TEXT, .help = NULL}, MEMBER("{\"type\":\"string\"}", "\"a\"")},
      {{"a", SCHEMA_TEXT | SCHEMA_NULL, .help = "it"},
       MEMBER("{\"type\":[\"string\",\"null\"],\"description\":\"it\"}", "\"a\"")},
      {{"a", SCHEMA_BOOL | SCHEMA_OPTIONAL, .help = NULL}, MEMBER("{\"type\":\"boolean\"}", "")},
      {{"a", SCHEMA_COUNT, .help = NULL}, MEMBER("{\"type\":\"integer\",\"minimum\":0}", "\"a\"")},
      {{"a", SCHEMA_BYTES, .help = NULL}, MEMBER("{\"type\":\"integer\",\"minimum\":0,\"x-unit\":\"bytes\"}", "\"a\"")},
      {{"a", SCHEMA_USD, .help = NULL}, MEMBER("{\"type\":\"number\",\"x-unit\":\"USD\"}", "\"a\"")},
      {{"a", SCHEMA_TIME, .help = NULL}, MEMBER("{\"type\":\"string\",\"format\":\"date-time\"}", "\"a\"")},
      {{"a", SCHEMA_DAY, .help = NULL}, MEMBER("{\"type\":\"string\",\"format\":\"date\"}", "\"a\"")},
      {{"a", SCHEMA_WORD, .words = "b|c"}, MEMBER("{\"type\":\"string\",\"enum\":[\"b\",\"c\"]}", "\"a\"")},
      {{"a", SCHEMA_WORD | SCHEMA_NULL, .words = "b"},
       MEMBER("{\"type\":[\"string\",\"null\"],\"enum\":[\"b\",null]}", "\"a\"")},
      {{"a", SCHEMA_TEXTS, .help = NULL}, MEMBER("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "\"a\"")},
      {{"a", SCHEMA_ANY, .help = NULL}, MEMBER("{}", "\"a\"")},
      {{"a", SCHEMA_OBJECT, .of = &point}, MEMBER("{\"$ref\":\"#/components/schemas/Point\"}", "\"a\"")},
      {{"a", SCHEMA_OBJECT | SCHEMA_NULL, .of = &point},
       MEMBER("{\"anyOf\":[{\"$ref\":\"#/components/schemas/Point\"},{\"type\":\"null\"}]}", "\"a\"")},
      {{"a", SCHEMA_OBJECT, .of = &point, .help = "it"},
       MEMBER("{\"allOf\":[{\"$ref\":\"#/components/schemas/Point\"}],\"description\":\"it\"}", "\"a\"")},
      {{"a", SCHEMA_LIST, .of = &point},
       MEMBER("{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Point\"}}", "\"a\"")},
      {{"a", SCHEMA_MAP, .of = &point},
       MEMBER("{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/components/schemas/Point\"}}", "\"a\"")},
      {{NULL, SCHEMA_PART, .of = &point},
       "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\",\"description\":\"to the right\"}},"
       "\"required\":[\"x\"]}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i].row, 1, rows[i].want);
}

static void put_own(struct buf *b) { buf_put(b, STR("{\"type\":\"object\"}")); }

TEST(what_has_more_members_says_so_and_what_writes_itself_does) {
  static const struct schema open = SCHEMA_OPEN(NULL, point_rows), own = {.put = put_own};
  struct buf b;
  buf_init(&b, 0);
  schema_put(&open, &b);
  assert_true(str_has_suffix(buf_str(&b), STR("\"required\":[\"x\"],\"additionalProperties\":true}")));
  b.n = 0;
  schema_put(&own, &b);
  assert_str(buf_str(&b), STR("{\"type\":\"object\"}"));
  buf_clear(&b);
}

static void put_path(void *arg, struct str path, const struct schema_member *m) {
  buf_put(arg, path);
  buf_put_char(arg, ':');
  schema_put_type(m, arg);
  buf_put_char(arg, ';');
}

TEST(members_of_nameless_schemas_stand_behind_their_own) {
  static const struct schema_member rows[] = {{"a", SCHEMA_OBJECT, .of = &inner},
                                              {"b", SCHEMA_LIST, .of = &inner},
                                              {"c", SCHEMA_MAP, .of = &inner},
                                              {NULL, SCHEMA_PART, .of = &point},
                                              {"w", SCHEMA_WORD | SCHEMA_NULL, .words = "y|n"}};
  static const struct schema s = SCHEMA_OF(NULL, rows);
  struct buf b;
  buf_init(&b, 0);
  schema_walk(&s, put_path, &b);
  assert_str(buf_str(&b), STR("a:object;a.ms:milliseconds;a.point:object;b:list of objects;b[].ms:milliseconds;"
                              "b[].point:object;c:objects by name;c.*.ms:milliseconds;c.*.point:object;x:whole "
                              "number;w:y, n or null;"));
  buf_clear(&b);
}

static void count(void *arg, const struct schema *named) {
  assert_ptr_equal(named, &point);
  ++*(int *)arg;
}

TEST(named_schemas_are_found_wherever_they_are) {
  static const struct schema_member rows[] = {{"a", SCHEMA_LIST, .of = &inner}, {"b", SCHEMA_OBJECT, .of = &point}};
  static const struct schema s = SCHEMA_OF(NULL, rows);
  int n = 0;
  schema_each_named(&s, count, &n);
  assert_int_equal(n, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_member_of_each_type),
      cmocka_unit_test(what_has_more_members_says_so_and_what_writes_itself_does),
      cmocka_unit_test(members_of_nameless_schemas_stand_behind_their_own),
      cmocka_unit_test(named_schemas_are_found_wherever_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
