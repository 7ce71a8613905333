/* Members that all envelopes have, over a table of this test's own. */
#include "dialect/envelope_read.h"

#include <stdio.h>

#include "base/envelope_once.h"
#include "unit.h"

enum row { MODEL, FLAG, LIMIT, OPTIONS, ROWS };
static const struct str paths[ROWS] = {STR("m"), STR("flag"), STR("limit"), STR("maestro")};
static struct envelope_once table = {.paths = paths, .n = ROWS};

struct read {
  struct arena arena;
  struct envelope_scan scan;
  struct err_info info;
  struct dialect_request r;
};

static enum err read_body(struct read *t, const char *body) {
  struct str text = str_from_c(body);
  memset(t, 0, sizeof *t);
  t->r.max_tokens = -1;
  arena_init(&t->arena, 0);
  assert_int_equal(envelope_scan_whole(&t->scan, envelope_once_table(&table), NULL, &t->arena, text, &t->info), OK);
  enum err e = envelope_read_model(&t->arena, text, &t->scan, MODEL, &t->r.model, &t->info);
  if (!e) e = envelope_read_flag(&t->scan, FLAG, &t->r.is_stream, &t->info);
  if (!e) e = envelope_read_limit(text, &t->scan, LIMIT, &t->r.max_tokens, &t->info);
  return e ? e : envelope_read_options(text, &t->scan, OPTIONS, &t->r, &t->info);
}

TEST(what_is_said) {
  struct read t;
  assert_int_equal(read_body(&t, "{\"m\":\"a\\/b\",\"flag\":true,\"limit\":7,\"maestro\":{\"x\":1}}"), OK);
  assert_str(t.r.model, STR("a/b"));
  assert_true(t.r.is_stream && t.r.wants_receipt);
  assert_int_equal(t.r.max_tokens, 7);
  assert_str(t.r.options, STR("{\"x\":1}"));
  arena_clear(&t.arena);
}

TEST(null_is_not_said) {
  struct read t;
  assert_int_equal(read_body(&t, "{\"m\":\"a\",\"flag\":null,\"limit\":null}"), OK);
  assert_false(t.r.is_stream || t.r.wants_receipt);
  assert_int_equal(t.r.max_tokens, -1);
  assert_false(envelope_read_is_said(&t.scan, FLAG) || envelope_read_is_said(&t.scan, OPTIONS));
  assert_true(envelope_read_is_said(&t.scan, MODEL));
  arena_clear(&t.arena);
}

TEST(limits_that_are_no_counts) {
  static const struct {
    const char *body;
    int64_t limit;
  } rows[] = {{"{\"m\":\"a\",\"limit\":-1}", -1},
              {"{\"m\":\"a\",\"limit\":1.5}", -1},
              {"{\"m\":\"a\",\"limit\":18446744073709551615}", INT64_MAX}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct read t;
    assert_int_equal(read_body(&t, rows[i].body), OK);
    assert_int_equal(t.r.max_tokens, rows[i].limit);
    arena_clear(&t.arena);
  }
}

TEST(faults_name_the_member) {
  char long_name[600];
  snprintf(long_name, sizeof long_name, "{\"m\":\"%0*d\"}", ENVELOPE_READ_MODEL_BYTES_MAX + 1, 0);
  const struct {
    const char *body;
    enum err e;
    const char *param;
  } rows[] = {{"{}", ERR_MISSING, "m"},
              {"{\"m\":1}", ERR_BAD_TYPE, "m"},
              {"{\"m\":\"\"}", ERR_BAD_VALUE, "model"},
              {"{\"m\":\"a\\n\"}", ERR_BAD_VALUE, "model"},
              {long_name, ERR_BAD_VALUE, "model"},
              {"{\"m\":\"a\",\"flag\":1}", ERR_BAD_TYPE, "flag"},
              {"{\"m\":\"a\",\"limit\":\"7\"}", ERR_BAD_TYPE, "limit"},
              {"{\"m\":\"a\",\"maestro\":null}", ERR_BAD_TYPE, "maestro"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct read t;
    assert_int_equal(read_body(&t, rows[i].body), rows[i].e);
    assert_string_equal(t.info.param, rows[i].param);
    arena_clear(&t.arena);
  }
}

TEST(edits) {
  struct read t;
  struct envelope_edit edit;
  const char *body = "{\"m\":\"a\",\"maestro\":{},\"z\":1}";
  assert_int_equal(read_body(&t, body), OK);
  envelope_edit_init(&edit, &t.scan);
  assert_int_equal(envelope_read_edit(&t.arena, STR("q\"b"), MODEL, OPTIONS, &edit), OK);
  assert_str(edit.value[MODEL], STR("\"q\\\"b\""));
  assert_true(edit.removed == 1u << OPTIONS && edit.set == 1u << MODEL);
  envelope_edit_init(&edit, &t.scan);
  assert_int_equal(envelope_read_edit(&t.arena, STR_NONE, MODEL, OPTIONS, &edit), OK);
  assert_true(edit.set == 0);
  arena_clear(&t.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_said),
      cmocka_unit_test(null_is_not_said),
      cmocka_unit_test(limits_that_are_no_counts),
      cmocka_unit_test(faults_name_the_member),
      cmocka_unit_test(edits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
