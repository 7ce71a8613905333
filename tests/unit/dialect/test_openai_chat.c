/* OpenAI chat requests: what is read, each fault with its path, and edits that leave every other byte alone. */
#include "dialect/openai_chat.h"

#include "arena_rig.h"
#include "dialect/plain.h"
#include "unit.h"

static struct envelope_scan scan;

static enum err read_text(struct str body, struct dialect_request *out, struct err_info *info) {
  const struct dialect *d = &dialect_openai_chat;
  *info = (struct err_info){0};
  enum err e = envelope_scan_whole(&scan, d->request_table(), NULL, &arena, body, info);
  return e ? e : d->read_request(&arena, body, &scan, out, info);
}

#define M "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

TEST(reads_what_routing_needs) {
  struct dialect_request r;
  struct err_info info;
  assert_int_equal(read_text(STR("{\"model\":\"m\"," M "}"), &r, &info), OK);
  assert_str(r.model, STR("m"));
  assert_true(!r.is_stream && !r.wants_usage && !r.wants_receipt && r.options.n == 0);
  assert_int_equal(r.max_tokens, -1);
  assert_int_equal(read_text(STR("{" M ",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":7,"
                                 "\"maestro\":{\"a\":[1]},\"model\":\"a\\u002f\\u00e4 \\ud83d\\ude00\"}"),
                             &r, &info),
                   OK);
  assert_str(r.model, STR("a/\xc3\xa4 \xf0\x9f\x98\x80"));
  assert_true(r.is_stream && r.wants_usage && r.wants_receipt);
  assert_str(r.options, STR("{\"a\":[1]}"));
  assert_int_equal(r.max_tokens, 7);
}

TEST(null_is_absent_and_odd_limits_are_the_upstreams) {
  static const struct {
    const char *members;
    int64_t max_tokens;
  } rows[] = {
      {"\"stream\":null,\"stream_options\":null,\"max_tokens\":null,\"max_completion_tokens\":null", -1},
      {"\"stream\":false,\"stream_options\":{\"include_usage\":null}", -1},
      {"\"stream_options\":{}", -1},
      {"\"max_tokens\":0", 0},
      {"\"max_tokens\":5,\"max_completion_tokens\":9", 9},
      {"\"max_tokens\":5,\"max_completion_tokens\":null", 5},
      {"\"max_tokens\":-1", -1},
      {"\"max_tokens\":1e3", -1},
      {"\"max_tokens\":5,\"max_completion_tokens\":-1", 5},
      {"\"max_tokens\":18446744073709551615", INT64_MAX},
      {"\"max_tokens\":18446744073709551616", -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct dialect_request r;
    struct err_info info;
    struct str body = arena_printf(&arena, "{\"model\":\"m\"," M ",%s}", rows[i].members);
    assert_int_equal(read_text(body, &r, &info), OK);
    assert_true(!r.is_stream && !r.wants_usage);
    assert_int_equal(r.max_tokens, rows[i].max_tokens);
    assert_string_equal(info.text, "");
  }
}

TEST(each_fault_has_its_path) {
  static const struct {
    const char *body;
    enum err e;
    const char *param;
  } rows[] = {
      {"{" M "}", ERR_MISSING, "model"},
      {"{\"model\":null," M "}", ERR_BAD_TYPE, "model"},
      {"{\"model\":7," M "}", ERR_BAD_TYPE, "model"},
      {"{\"model\":\"\"," M "}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"a\\nb\"," M "}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"a\\u007f\"," M "}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"a\\u0000\"," M "}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"a\\ud800\"," M "}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"m\"}", ERR_MISSING, "messages"},
      {"{\"model\":\"m\",\"messages\":null}", ERR_BAD_TYPE, "messages"},
      {"{\"model\":\"m\",\"messages\":\"x\"}", ERR_BAD_TYPE, "messages"},
      {"{\"model\":\"m\",\"messages\":{}}", ERR_BAD_TYPE, "messages"},
      {"{\"model\":\"m\",\"messages\":[]}", ERR_BAD_VALUE, "messages"},
      {"{\"model\":\"m\"," M ",\"stream\":\"true\"}", ERR_BAD_TYPE, "stream"},
      {"{\"model\":\"m\"," M ",\"stream\":1}", ERR_BAD_TYPE, "stream"},
      {"{\"model\":\"m\"," M ",\"stream_options\":true}", ERR_BAD_TYPE, "stream_options"},
      {"{\"model\":\"m\"," M ",\"stream_options\":[]}", ERR_BAD_TYPE, "stream_options"},
      {"{\"model\":\"m\"," M ",\"stream_options\":{\"include_usage\":1}}", ERR_BAD_TYPE,
       "stream_options.include_usage"},
      {"{\"model\":\"m\"," M ",\"max_tokens\":\"5\"}", ERR_BAD_TYPE, "max_tokens"},
      {"{\"model\":\"m\"," M ",\"max_completion_tokens\":[]}", ERR_BAD_TYPE, "max_completion_tokens"},
      {"{\"model\":\"m\"," M ",\"maestro\":null}", ERR_BAD_TYPE, "maestro"},
      {"{\"model\":\"m\"," M ",\"maestro\":true}", ERR_BAD_TYPE, "maestro"},
      {"{\"model\":\"m\"," M ",\"model\":\"n\"}", ERR_DUPLICATE_KEY, "model"},
      {"{\"model\":\"m\"," M ",\"stream_options\":{\"include_usage\":true,\"include_usage\":true}}", ERR_DUPLICATE_KEY,
       "stream_options.include_usage"},
      {"{\"Model\":\"m\"," M "}", ERR_BAD_VALUE, "Model"},
      {"{\"model\":\"m\"," M ",\"\\ude00x\":1,\"\\ude00x\":1}", ERR_DUPLICATE_KEY, "???x"}, /* a text all the same */
      {"[]", ERR_BAD_JSON, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct dialect_request r = {.max_tokens = 77};
    struct err_info info;
    enum err e = read_text(str_from_c(rows[i].body), &r, &info);
    if (e != rows[i].e || strcmp(info.param, rows[i].param)) print_error("%s: %s\n", rows[i].body, info.text);
    assert_int_equal(e, rows[i].e);
    assert_string_equal(info.param, rows[i].param);
    assert_true(info.text[0]);
    assert_int_equal(r.max_tokens, 77); /* untouched */
  }
}

TEST(a_model_name_has_a_limit) {
  char name[514];
  struct dialect_request r;
  struct err_info info;
  memset(name, 'x', sizeof name);
  assert_int_equal(read_text(arena_printf(&arena, "{\"model\":\"%.512s\"," M "}", name), &r, &info), OK);
  assert_int_equal(r.model.n, 512);
  assert_int_equal(read_text(arena_printf(&arena, "{\"model\":\"%.513s\"," M "}", name), &r, &info), ERR_BAD_VALUE);
}

static void edited(const char *body, const char *model, bool ask_usage, const char *expected) {
  const struct dialect *d = &dialect_openai_chat;
  struct dialect_request r;
  struct err_info info;
  struct envelope_edit edit;
  struct span_list spans;
  struct buf out;
  struct str text = str_from_c(body);
  assert_int_equal(read_text(text, &r, &info), OK);
  envelope_edit_init(&edit, &scan);
  const struct dialect_request_edits want = {.model = str_from_c(model), .ask_usage = ask_usage};
  assert_int_equal(d->edit_request(&arena, &want, &edit, &info), OK);
  span_list_init(&spans, text.n);
  assert_int_equal(envelope_edit_spans(&edit, &arena, &spans, &info), OK);
  buf_init(&out, 0);
  span_apply(&spans, text, &out);
  if (!str_eq(buf_str(&out), str_from_c(expected))) print_error("%.*s\n", STR_ARG(buf_str(&out)));
  assert_str(buf_str(&out), str_from_c(expected));
  buf_clear(&out);
}

TEST(edits_touch_nothing_else) {
  edited("{ \"x\" : 1.0e0 ,\"model\":\"m\"," M "}", "", false, "{ \"x\" : 1.0e0 ,\"model\":\"m\"," M "}");
  edited("{\"model\" : \"m\" , " M "}", "n\"\\\n", false, "{\"model\" : \"n\\\"\\\\\\n\" , " M "}");
  edited("{\"maestro\":{},\"model\":\"m\"," M "}", "", false, "{\"model\":\"m\"," M "}");
  edited("{\"model\":\"m\",\"maestro\" : { } ," M "}", "n", false, "{\"model\":\"n\"," M "}");
  edited("{\"model\":\"m\"," M ",\"maestro\":{}}", "", false, "{\"model\":\"m\"," M "}");
}

TEST(usage_is_asked_for_where_it_belongs) {
  edited("{\"model\":\"m\"," M "}", "", true, "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\"," M "}");
  edited("{\"model\":\"m\"," M ",\"stream_options\":null}", "", true,
         "{\"model\":\"m\"," M ",\"stream_options\":{\"include_usage\":true}}");
  edited("{\"model\":\"m\"," M ",\"stream_options\":{}}", "", true,
         "{\"model\":\"m\"," M ",\"stream_options\":{\"include_usage\":true}}");
  edited("{\"model\":\"m\"," M ",\"stream_options\":{\"a\":1,\"include_usage\":false}}", "", true,
         "{\"model\":\"m\"," M ",\"stream_options\":{\"a\":1,\"include_usage\":true}}");
  edited("{\"maestro\":{},\"model\":\"m\"," M ",\"stream_options\":{\"a\":1}}", "n", true,
         "{\"model\":\"n\"," M ",\"stream_options\":{\"include_usage\":true,\"a\":1}}");
}

TEST(the_table_knows_its_dialects) {
  assert_ptr_equal(dialect_by_name(STR("openai_chat")), &dialect_openai_chat);
  assert_null(dialect_by_name(STR("openai")));
  assert_null(dialect_by_name(STR("")));
}

TEST(plain_errors_are_said_twice) {
  struct err_info info = {.text = "no \"way\"", .param = "a.b"};
  struct buf b;
  buf_init(&b, 0);
  dialect_plain.put_error(&b, ERR_BAD_VALUE, &info);
  assert_str(buf_str(&b),
             STR("{\"error\":{\"message\":\"no \\\"way\\\"\",\"code\":\"invalid_value\",\"param\":\"a.b\"},"
                 "\"detail\":\"no \\\"way\\\"\"}"));
  buf_reset(&b);
  dialect_plain.put_error(&b, ERR_NOT_FOUND, NULL);
  assert_str(buf_str(&b), STR("{\"error\":{\"message\":\"no such resource\",\"code\":\"not_found\"},"
                              "\"detail\":\"no such resource\"}"));
  buf_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_routing_needs),     cmocka_unit_test(null_is_absent_and_odd_limits_are_the_upstreams),
      cmocka_unit_test(each_fault_has_its_path),      cmocka_unit_test(a_model_name_has_a_limit),
      cmocka_unit_test(edits_touch_nothing_else),     cmocka_unit_test(usage_is_asked_for_where_it_belongs),
      cmocka_unit_test(the_table_knows_its_dialects), cmocka_unit_test(plain_errors_are_said_twice),
  };
  return cmocka_run_group_tests(tests, arena_rig_make, arena_rig_clear);
}
