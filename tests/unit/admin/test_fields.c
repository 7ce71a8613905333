/* Tables of fields: each type's readings and refusals, and the schema that says the same. */
#include "admin/fields.h"

#include <stdio.h>
#include <stdlib.h>

#include "arena_rig.h"
#include "unit.h"

struct point {
  unsigned has;
  int64_t x;
  struct str label;
};
enum { POINT_X = 1, POINT_LABEL = 2 };

struct thing {
  unsigned has;
  struct str name;
  bool is_on;
  int64_t count, usd;
  unsigned kind;
  struct field_strings tags;
  struct field_objects points;
  struct point at;
  int64_t size;
};
enum { NAME = 1, ON = 2, COUNT = 4, MONEY = 8, KIND = 16, TAGS = 32, POINTS = 64, SIZE = 128, PLACE = 256, ALL = 511 };

static const char *const kinds[] = {"small", "large", "huge"};

static bool is_lower(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < 'a' || s.p[i] > 'z') return false;
  return true;
}

/* "4K" or 4096. */
static enum err read_size(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct str s;
  (void)a;
  if (json_type(n) == JSON_NUMBER) return json_i64(n, value, info);
  enum err e = json_string(n, &s, info);
  if (!e && !str_eq(s, STR("4K"))) return fields_refuse(n, "must be a size", info);
  if (!e) *(int64_t *)value = 4096;
  return e;
}

static const struct field point_rows[] = {
    {STR("x"), FIELD_INTEGER, POINT_X, offsetof(struct point, x), .min = -5, .max = 5},
    {STR("label"), FIELD_STRING, POINT_LABEL, offsetof(struct point, label), .max = 3, .must = "must be short"}};
static const struct fields points = {point_rows, 2, sizeof(struct point)};

static const struct field rows[] = {
    {STR("name"), FIELD_STRING, NAME, offsetof(struct thing, name), .min = 1, .max = 4, .is_valid = is_lower,
     .must = "must have 1 to 4 small letters", .help = "what it is called"},
    {STR("is_on"), FIELD_BOOL, ON, offsetof(struct thing, is_on), .help = NULL},
    {STR("count"), FIELD_INTEGER, COUNT, offsetof(struct thing, count), .min = 1, .max = 100, .is_nullable = true,
     .none = -1},
    {STR("usd"), FIELD_USD, MONEY, offsetof(struct thing, usd), .min = 0, .max = 5000000000},
    {STR("kind"), FIELD_CHOICE, KIND, offsetof(struct thing, kind), .max = 3, .choices = kinds},
    {STR("tags"), FIELD_STRINGS, TAGS, offsetof(struct thing, tags), .min = 1, .max = 2, .is_valid = is_lower,
     .must = "must be small letters"},
    {STR("points"), FIELD_OBJECTS, POINTS, offsetof(struct thing, points), .max = 2, .element = &points,
     .element_required = POINT_X},
    {STR("at"), FIELD_OBJECT, PLACE, offsetof(struct thing, at), .element = &points, .element_required = POINT_X,
     .is_nullable = true},
    {STR("size"), FIELD_OTHER, SIZE, offsetof(struct thing, size), .read = read_size,
     .schema = "\"type\":[\"integer\",\"string\"]"}};
static const struct fields things = {rows, sizeof rows / sizeof *rows, sizeof(struct thing)};

TEST(what_came_is_read) {
  struct thing t;
  assert_int_equal(
      fields_read(&arena,
                  STR("{\"name\":\"abc\",\"is_on\":true,\"count\":null,\"usd\":0.1,\"kind\":\"huge\",\"tags\":[\"a\","
                      "\"b\"],\"points\":[{\"x\":-5},{\"label\":\"q\",\"x\":5}],\"at\":{\"x\":4},\"size\":\"4K\"}"),
                  &things, ALL, NAME, &t, NULL),
      OK);
  assert_int_equal(t.has, ALL);
  assert_str(t.name, STR("abc"));
  assert_true(t.is_on);
  assert_int_equal(t.count, -1);
  assert_int_equal(t.usd, 100000000); /* exactly: a tenth of a dollar never was a double */
  assert_int_equal(t.kind, 2);
  assert_int_equal(t.tags.n, 2);
  assert_str(t.tags.v[1], STR("b"));
  const struct point *p = t.points.v;
  assert_int_equal(t.points.n, 2);
  assert_int_equal(p[0].x, -5);
  assert_int_equal(p[0].has, POINT_X);
  assert_str(p[1].label, STR("q"));
  assert_int_equal(t.at.has, POINT_X);
  assert_int_equal(t.at.x, 4);
  assert_int_equal(t.size, 4096);
  assert_int_equal(fields_read(&arena, STR("{\"usd\":\"1.25\",\"size\":7,\"at\":null}"), &things, ALL, 0, &t, NULL),
                   OK);
  assert_int_equal(t.has, MONEY | SIZE | PLACE);
  assert_int_equal(t.at.has, 0);
  assert_int_equal(t.usd, 1250000000);
  assert_int_equal(t.size, 7);
  assert_null(t.tags.v);
}

TEST(what_is_wrong_is_named) {
  static const struct {
    const char *body;
    enum err e;
    const char *param, *text;
  } faults[] = {
      {"{}", ERR_MISSING, "name", "required"},
      {"{\"name\":\"\"}", ERR_BAD_VALUE, "name", "1 to 4 small"},
      {"{\"name\":\"abcde\"}", ERR_BAD_VALUE, "name", "1 to 4 small"},
      {"{\"name\":\"AB\"}", ERR_BAD_VALUE, "name", "1 to 4 small"},
      {"{\"name\":null}", ERR_BAD_TYPE, "name", ""},
      {"{\"name\":\"a\",\"count\":0}", ERR_BAD_VALUE, "count", "1 to 100"},
      {"{\"name\":\"a\",\"count\":101}", ERR_BAD_VALUE, "count", "1 to 100"},
      {"{\"name\":\"a\",\"count\":1.5}", ERR_BAD_VALUE, "count", ""},
      {"{\"name\":\"a\",\"usd\":-1}", ERR_BAD_VALUE, "usd", ""},
      {"{\"name\":\"a\",\"usd\":\"much\"}", ERR_BAD_VALUE, "usd", ""},
      {"{\"name\":\"a\",\"usd\":1e400}", ERR_BAD_VALUE, "usd", ""},
      {"{\"name\":\"a\",\"usd\":true}", ERR_BAD_TYPE, "usd", ""},
      {"{\"name\":\"a\",\"kind\":\"tiny\"}", ERR_BAD_VALUE, "kind", "small, large or huge"},
      {"{\"name\":\"a\",\"kind\":0}", ERR_BAD_TYPE, "kind", ""},
      {"{\"name\":\"a\",\"tags\":[]}", ERR_BAD_VALUE, "tags", "too few"},
      {"{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\"]}", ERR_BAD_VALUE, "tags", "too many"},
      {"{\"name\":\"a\",\"tags\":[\"a\",\"a\"]}", ERR_BAD_VALUE, "tags[1]", "twice"},
      {"{\"name\":\"a\",\"tags\":[\"A\"]}", ERR_BAD_VALUE, "tags[0]", "small letters"},
      {"{\"name\":\"a\",\"points\":[{\"label\":\"q\"}]}", ERR_MISSING, "points[0].x", "required"},
      {"{\"name\":\"a\",\"points\":[{\"x\":1},{\"x\":9}]}", ERR_BAD_VALUE, "points[1].x", "-5 to 5"},
      {"{\"name\":\"a\",\"points\":[{\"x\":1,\"y\":1}]}", ERR_BAD_VALUE, "points[0].y", "not taken"},
      {"{\"name\":\"a\",\"points\":[7]}", ERR_BAD_TYPE, "points[0]", ""},
      {"{\"name\":\"a\",\"at\":{}}", ERR_MISSING, "at.x", "required"},
      {"{\"name\":\"a\",\"at\":{\"x\":1,\"z\":1}}", ERR_BAD_VALUE, "at.z", "not taken"},
      {"{\"name\":\"a\",\"at\":[]}", ERR_BAD_TYPE, "at", ""},
      {"{\"name\":\"a\",\"size\":\"4M\"}", ERR_BAD_VALUE, "size", "size"},
      {"{\"name\":\"a\",\"name\":\"b\"}", ERR_DUPLICATE_KEY, "name", ""},
      {"{\"name\":\"a\",\"other\":1}", ERR_BAD_VALUE, "other", "not taken here; known here: name, "},
      {"{\"name\":\"a\",\"knid\":1}", ERR_BAD_VALUE, "knid", "not taken here; did you mean \"kind\"?"},
      {"7", ERR_BAD_TYPE, "", ""},
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    struct thing t = {.has = 999};
    struct err_info info = {0};
    enum err e = fields_read(&arena, str_from_c(faults[i].body), &things, ALL, NAME, &t, &info);
    if (e != faults[i].e) fail_msg("%s: %s (%s)", faults[i].body, err_code(e), info.text);
    if (strcmp(info.param, faults[i].param)) fail_msg("%s: param \"%s\"", faults[i].body, info.param);
    if (!strstr(info.text, faults[i].text)) fail_msg("%s: text \"%s\"", faults[i].body, info.text);
    assert_int_equal(err_info_status(e, &info), 422);
    assert_int_equal(t.has, 999);
  }
}

TEST(the_schema_says_what_is_taken) {
  struct buf b;
  struct json doc;
  buf_init(&b, 0);
  fields_put_schema(&things, ALL & ~ON, NAME | COUNT, &b);
  assert_int_equal(json_parse_copy(&doc, buf_str(&b), NULL, &arena, NULL), OK);
  static const char *const pieces[] = {
      "\"required\":[\"name\",\"count\"]",
      "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4,\"description\":\"what it is called\"}",
      "\"count\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":100}",
      "\"kind\":{\"type\":\"string\",\"enum\":[\"small\",\"large\",\"huge\"]}",
      "\"tags\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,\"items\":{\"type\":\"string\"}}",
      "\"required\":[\"x\"]",
      "\"at\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{\"x\":{",
      "\"size\":{\"type\":[\"integer\",\"string\"]}",
      "\"additionalProperties\":false"};
  buf_put_char(&b, '\0');
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    if (!strstr(b.p, pieces[i])) fail_msg("no %s in %s", pieces[i], b.p);
  assert_null(strstr(b.p, "is_on"));
  buf_clear(&b);
}

TEST(of_two_names_of_a_field_one_is_required) {
  static const struct field named[] = {{STR("a"), FIELD_BOOL, 1, offsetof(struct thing, is_on), .help = NULL},
                                       {STR("b"), FIELD_BOOL, 2, offsetof(struct thing, is_on), .help = NULL},
                                       {STR("c"), FIELD_BOOL, 2, offsetof(struct thing, is_on), .help = NULL},
                                       {STR("d"), FIELD_BOOL, 4, offsetof(struct thing, is_on), .help = NULL}};
  static const struct fields fields = {named, 4, sizeof(struct thing)};
  struct buf b;
  buf_init(&b, 0);
  fields_put_schema(&fields, ~0u, 3, &b);
  assert_true(str_has_suffix(
      buf_str(&b),
      STR("\"required\":[\"a\"],\"allOf\":[{\"anyOf\":[{\"required\":[\"b\"]},{\"required\":[\"c\"]}]}]}")));
  buf_clear(&b);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, arena_rig_make, arena_rig_clear)
  const struct CMUnitTest tests[] = {T(what_came_is_read), T(what_is_wrong_is_named), T(the_schema_says_what_is_taken),
                                     T(of_two_names_of_a_field_one_is_required)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
