/* Helpers over the canonical request: paths in the caller's words, arguments as objects, media and their URLs. */
#include "llm/request.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "unit.h"

static const struct request_words chat = {
    .list = "messages", .system = "system", .content = "content", .tools = "tools"};
static const struct request_words bare = {
    .list = "input", .system = "instructions", .content = "", .tools = "tools", .reasoning = "thinking"};

static void expect_path(const struct request_words *words, uint32_t item, int64_t part, enum part_kind kind,
                        const char *member, const char *expected) {
  char path[ERR_PARAM_MAX];
  struct request_item i = {.source = item};
  struct request_part p = {.source = (uint32_t)part, .kind = kind};
  request_path(words, &i, part < 0 ? NULL : &p, member, path);
  assert_string_equal(path, expected);
}

TEST(paths) {
  expect_path(&chat, 3, -1, PART_TEXT, NULL, "messages[3]");
  expect_path(&chat, 3, -1, PART_TEXT, "role", "messages[3].role");
  expect_path(&chat, 3, 1, PART_TEXT, NULL, "messages[3].content[1]");
  expect_path(&chat, 3, 1, PART_IMAGE, "source.url", "messages[3].content[1].source.url");
  expect_path(&chat, 3, UINT32_MAX, PART_TEXT, NULL, "messages[3].content");
  expect_path(&chat, 3, REQUEST_SOURCE_ITEM, PART_TOOL_CALL, "arguments", "messages[3].arguments");
  expect_path(&chat, UINT32_MAX, -1, PART_TEXT, NULL, "system");
  expect_path(&chat, UINT32_MAX, 2, PART_TEXT, "text", "system[2].text");
  expect_path(&chat, UINT32_MAX, UINT32_MAX, PART_TEXT, NULL, "system");
  expect_path(&chat, 0, 0, PART_REASONING, NULL, "messages[0].content[0]");
  expect_path(&bare, 0, 4, PART_TEXT, NULL, "input[0][4]");
  expect_path(&bare, 0, 4, PART_REASONING, NULL, "input[0].thinking");
  expect_path(&chat, UINT32_MAX - 2, UINT32_MAX - 2, PART_TEXT, NULL, "messages[4294967293].content[4294967293]");
}

TEST(a_long_path_is_cut) {
  char member[300], path[ERR_PARAM_MAX + 4];
  memset(member, 'm', sizeof member);
  member[sizeof member - 1] = 0;
  memset(path, '#', sizeof path);
  struct request_item i = {.source = 1};
  request_path(&chat, &i, NULL, member, path);
  assert_int_equal(strlen(path), ERR_PARAM_MAX - 1);
  assert_int_equal(path[ERR_PARAM_MAX], '#');
}

TEST(not_said_is_not_zero) {
  struct request r;
  request_init(&r, STR("d"), LLM_GENERATE);
  assert_str(r.dialect, STR("d"));
  assert_int_equal(r.parallel_tool_calls, -1);
  assert_int_equal(r.format_strict, -1);
  assert_int_equal(r.logprobs, -1);
  assert_int_equal(r.store, -1);
  assert_int_equal(r.echo, -1);
  assert_int_equal(r.reasoning.enabled, -1);
  assert_int_equal(r.reasoning.budget_tokens, -1);
  assert_int_equal(r.reasoning.visible, -1);
}

static struct buf out;

static void expect_args(struct str text, const char *expected) {
  request_put_args_object(&out, text);
  assert_false(out.failed);
  assert_str(buf_str(&out), str_from_c(expected));
  buf_clear(&out);
}

TEST(arguments_as_an_object) {
  expect_args(STR_NONE, "{}");
  expect_args(STR(" \r\n\t"), "{}");
  expect_args(STR("{}"), "{}");
  expect_args(STR(" {\"a\": 1.50, \"a\":2}\n"), "{\"a\": 1.50, \"a\":2}"); /* as the model wrote it */
  static const char *const others[] = {"[1]", "1", "null", "{\"a\":1", "{\"a\":1}}", "{a:1}", "{'a':1}", "{\"a\":1,}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    struct buf want;
    buf_init(&want, 0);
    buf_put(&want, STR("{\"_invalid_json\":"));
    buf_put_json(&want, str_from_c(others[i]));
    buf_put_char(&want, '}');
    buf_put_char(&want, 0);
    expect_args(str_from_c(others[i]), want.p);
    buf_clear(&want);
  }
  expect_args(STR("\"x\"\n"), "{\"_invalid_json\":\"\\\"x\\\"\"}");
}

static struct buf nested(size_t depth) {
  struct buf b;
  buf_init(&b, 0);
  for (size_t i = 1; i < depth; i++) buf_put(&b, STR("{\"a\":"));
  buf_put(&b, STR("{}"));
  for (size_t i = 1; i < depth; i++) buf_put_char(&b, '}');
  return b;
}

TEST(arguments_of_calls) {
  static const struct {
    struct request_part call;
    const char *json;
  } rows[] = {
      {{.text = STR(" {\"a\":1}\n"), .is_args_valid = true}, "{\"a\":1}"},
      {{.text = STR("{\"a\":1}")}, "{\"a\":1}"},
      {{.text = STR("{\"a\":")}, "{\"_invalid_json\":\"{\\\"a\\\":\"}"},
      {{.text = STR("say \"hi\""), .tool_kind = TOOL_CUSTOM}, "{\"input\":\"say \\\"hi\\\"\"}"},
      {{.text = STR("{}"), .tool_kind = TOOL_CUSTOM}, "{\"input\":\"{}\"}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    buf_init(&out, 0);
    request_put_call_args(&out, &rows[i].call);
    assert_str(buf_str(&out), str_from_c(rows[i].json));
    buf_clear(&out);
  }
}

TEST(what_is_one_object) {
  static const struct {
    const char *text;
    bool is_object;
  } rows[] = {{"", false},       {"{}", true},          {"{\"a\":{}}", true},    {"{} ", true},
              {"{}{}", false},   {"[{}]", false},       {"\"{}\"", false},       {"{", false},
              {"}", false},      {"{\"a\"}", false},    {"{\"\xff\":1}", false}, {"{\"a\":01}", false},
              {"{/**/}", false}, {"{\"a\":NaN}", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(request_is_json_object(str_from_c(rows[i].text)), rows[i].is_object);
  assert_false(request_is_json_object(STR_NONE));
  assert_false(request_is_json_object(STR("{}\0")));
  struct buf b = nested(JSON_DEPTH_MAX);
  assert_true(request_is_json_object(buf_str(&b)));
  buf_clear(&b);
  b = nested(JSON_DEPTH_MAX + 1);
  assert_false(request_is_json_object(buf_str(&b)));
  buf_clear(&b);
}

/* Bombs: handed on as text, whole, and without the memory that a tree of them would take. */
TEST(what_is_too_deep_is_kept_as_text) {
  struct buf b = nested(200000);
  request_put_args_object(&out, buf_str(&b));
  assert_false(out.failed);
  assert_true(str_has_prefix(buf_str(&out), STR("{\"_invalid_json\":\"{\\\"a\\\":{")));
  assert_int_equal(out.n, sizeof "{\"_invalid_json\":\"\"}" - 1 + b.n + 2 * 199999); /* each quote is escaped */
  struct json doc;
  struct arena a;
  arena_init(&a, 0);
  assert_int_equal(json_parse_copy(&doc, buf_str(&out), NULL, &a, NULL), OK);
  arena_clear(&a);
  buf_clear(&out);
  buf_clear(&b);
}

TEST(a_huge_text) {
  size_t n = 4 << 20;
  char *text = malloc(n);
  memset(text, 'x', n);
  memcpy(text, "{\"a\":\"", 6);
  memcpy(text + n - 2, "\"}", 2);
  request_put_args_object(&out, str_from(text, n));
  assert_int_equal(out.n, n);
  assert_memory_equal(out.p, text, n);
  buf_clear(&out);
  request_put_args_object(&out, str_from(text, n - 1)); /* cut by a length limit: still all there */
  assert_int_equal(out.n, n - 1 + 4 + sizeof "{\"_invalid_json\":\"\"}" - 1);
  buf_clear(&out);
  buf_init(&out, 1000);
  request_put_args_object(&out, str_from(text, n));
  assert_true(out.failed);
  buf_clear(&out);
  buf_init(&out, 0);
  free(text);
}

TEST(media_from_urls) {
  static const struct {
    const char *url, *mime, *data, *kept;
  } rows[] = {
      {"data:image/png;base64,iVBORw==", "image/png", "iVBORw==", NULL},
      {"DATA:image/png;base64,iVBORw==", "image/png", "iVBORw==", NULL},
      {"data:;base64,QQ==", "", "QQ==", NULL},
      {"data:text/plain;charset=utf-8;base64,QQ==", "text/plain", "QQ==", NULL},
      {"data:image/png;base64,", NULL, NULL, "data:image/png;base64,"},
      {"data:text/plain,hello", NULL, NULL, "data:text/plain,hello"},
      {"data:image/png;base64", NULL, NULL, "data:image/png;base64"},
      {"data:", NULL, NULL, "data:"},
      {"data:,", NULL, NULL, "data:,"},
      {"https://example.com/a;base64,b", NULL, NULL, "https://example.com/a;base64,b"},
      {"gs://bucket/file", NULL, NULL, "gs://bucket/file"},
      {"", NULL, NULL, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct media m = {0};
    request_media_from_url(str_from_c(rows[i].url), &m);
    assert_str(m.url, str_from_c(rows[i].kept));
    assert_str(m.data, str_from_c(rows[i].data));
    assert_str(m.mime, str_from_c(rows[i].mime));
  }
}

TEST(media_to_urls) {
  static const struct {
    struct media media;
    const char *url;
  } rows[] = {
      {{.mime = STR("image/png"), .data = STR("QQ==")}, "data:image/png;base64,QQ=="},
      {{.data = STR("QQ==")}, "data:application/octet-stream;base64,QQ=="},
      {{.url = STR("https://example.com/a.png"), .mime = STR("image/png")}, "https://example.com/a.png"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    request_put_media_url(&out, &rows[i].media);
    assert_str(buf_str(&out), str_from_c(rows[i].url));
    struct media back = {0};
    request_media_from_url(buf_str(&out), &back);
    assert_str(back.data, rows[i].media.data);
    assert_str(back.url, rows[i].media.url);
    buf_clear(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths),
      cmocka_unit_test(a_long_path_is_cut),
      cmocka_unit_test(not_said_is_not_zero),
      cmocka_unit_test(arguments_as_an_object),
      cmocka_unit_test(arguments_of_calls),
      cmocka_unit_test(what_is_one_object),
      cmocka_unit_test(what_is_too_deep_is_kept_as_text),
      cmocka_unit_test(a_huge_text),
      cmocka_unit_test(media_from_urls),
      cmocka_unit_test(media_to_urls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
