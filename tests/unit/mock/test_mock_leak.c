/* What each leaking model writes, as its family's published template has it, and how a stream cuts it. */
#include "mock/mock_leak.h"

#include <yyjson.h>

#include "mock_rig.h"

static struct mock_prose prose;
static struct arena arena;

static const struct mock_tool search = {.name = STR("web_search"),
                                        .arguments = STR("{\"q\":\"a < b\",\"n\":42,\"all\":true,\"in\":[\"x\"]}")};

static struct mock_answer build(const char *name, struct mock_request *q) {
  static const struct mock_options options;
  struct mock_answer a = {0};
  struct mock_plan plan = mock_plan_default(&options);
  assert_true(mock_plan_apply(&plan, str_from_c(name)));
  q->is_parsed = true;
  q->scan.n = 1;
  assert_int_equal(mock_answer_build(&a, &plan, q, &options, &prose, &arena), OK);
  return a;
}

#define XML_CALL                                                                                       \
  "<invoke name=\"web_search\">\n<parameter name=\"q\">a < b</parameter>\n<parameter name=\"n\">42"    \
  "</parameter>\n<parameter name=\"all\">true</parameter>\n<parameter name=\"in\">[\"x\"]</parameter>" \
  "\n</invoke>\n"
#define ARGUMENTS "{\"q\":\"a < b\",\"n\":42,\"all\":true,\"in\":[\"x\"]}"
#define BAR "\xef\xbd\x9c" /* U+FF5C */
#define LOW "\xe2\x96\x81" /* U+2581 */
#define DSML BAR "DSML" BAR
#define CALLS_BEGIN "<" BAR "tool" LOW "calls" LOW "begin" BAR "><" BAR "tool" LOW "call" LOW "begin" BAR ">"
#define CALL_SEP "<" BAR "tool" LOW "sep" BAR ">"
#define CALLS_END "<" BAR "tool" LOW "call" LOW "end" BAR "><" BAR "tool" LOW "calls" LOW "end" BAR ">"

static const struct {
  const char *name, *text;
} templates[] = {
    {"leak-xml", "<tool_calls>\n" XML_CALL "</tool_calls>"},
    {"leak-anthropic", "<function_calls>\n" XML_CALL "</function_calls>"},
    {"leak-minimax", "<minimax:tool_call>\n" XML_CALL "</minimax:tool_call>"},
    {"leak-dsml", "<" DSML "function_calls>\n<" DSML "invoke name=\"web_search\">\n"
                  "<" DSML "parameter name=\"q\" string=\"true\">a < b</" DSML "parameter>\n"
                  "<" DSML "parameter name=\"n\" string=\"false\">42</" DSML "parameter>\n"
                  "<" DSML "parameter name=\"all\" string=\"false\">true</" DSML "parameter>\n"
                  "<" DSML "parameter name=\"in\" string=\"false\">[\"x\"]</" DSML "parameter>\n"
                  "</" DSML "invoke>\n</" DSML "function_calls>"},
    {"leak-dsml4", "<" DSML "tool_calls>\n<" DSML "invoke name=\"web_search\">\n"
                   "<" DSML "parameter name=\"q\" string=\"true\">a < b</" DSML "parameter>\n"
                   "<" DSML "parameter name=\"n\" string=\"false\">42</" DSML "parameter>\n"
                   "<" DSML "parameter name=\"all\" string=\"false\">true</" DSML "parameter>\n"
                   "<" DSML "parameter name=\"in\" string=\"false\">[\"x\"]</" DSML "parameter>\n"
                   "</" DSML "invoke>\n</" DSML "tool_calls>"},
    {"leak-deepseek", CALLS_BEGIN "function" CALL_SEP "web_search\n```json\n" ARGUMENTS "\n```" CALLS_END},
    {"leak-deepseek31", CALLS_BEGIN "web_search" CALL_SEP ARGUMENTS CALLS_END},
    {"leak-kimi",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.web_search:0<|tool_call_argument_begin|>" ARGUMENTS
     "<|tool_call_end|><|tool_calls_section_end|>"},
    {"leak-hermes", "<tool_call>\n{\"name\": \"web_search\", \"arguments\": " ARGUMENTS "}\n</tool_call>"},
    {"leak-qwen-coder",
     "<tool_call>\n<function=web_search>\n<parameter=q>\na < b\n</parameter>\n<parameter=n>\n42\n"
     "</parameter>\n<parameter=all>\ntrue\n</parameter>\n<parameter=in>\n[\"x\"]\n</parameter>\n"
     "</function>\n</tool_call>"},
    {"leak-glm",
     "<tool_call>web_search\n<arg_key>q</arg_key>\n<arg_value>a < b</arg_value>\n<arg_key>n</arg_key>\n"
     "<arg_value>42</arg_value>\n<arg_key>all</arg_key>\n<arg_value>true</arg_value>\n"
     "<arg_key>in</arg_key>\n<arg_value>[\"x\"]</arg_value>\n</tool_call>"},
    {"leak-mistral", "[TOOL_CALLS][{\"name\": \"web_search\", \"arguments\": " ARGUMENTS "}]"},
    {"leak-mistral11", "[TOOL_CALLS]web_search[ARGS]" ARGUMENTS},
    {"leak-harmony", "<|channel|>commentary to=functions.web_search <|constrain|>json<|message|>" ARGUMENTS "<|call|>"},
    {"leak-llama", "<|python_tag|>{\"type\": \"function\", \"name\": \"web_search\", \"parameters\": " ARGUMENTS "}"},
    {"leak-mcp", "<CallMcpTool><serverName>web</serverName><toolName>search</toolName><arguments>" ARGUMENTS
                 "</arguments></CallMcpTool>"},
    {"leak-think",
     "<think>\nThe user wrote something. A call will do.\n</think>\n\n<tool_call>\n"
     "{\"name\": \"web_search\", \"arguments\": " ARGUMENTS "}\n</tool_call>"},
};

TEST(every_family_writes_its_template) {
  struct mock_request q = {.tools = {search}, .tool_count = 1};
  for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
    struct mock_answer a = build(templates[i].name, &q);
    assert_str(a.text, str_from_c(templates[i].text));
    assert_int_equal(a.finish, MOCK_FINISH_STOP);
    assert_int_equal(a.tool_count, 0);
  }
}

TEST(a_name_without_halves_has_no_server) {
  struct mock_request q = {.tools = {{.name = STR("ping"), .arguments = STR("{}")}}, .tool_count = 1};
  assert_str(build("leak-mcp", &q).text, STR("<CallMcpTool><serverName></serverName><toolName>ping</toolName>"
                                             "<arguments>{}</arguments></CallMcpTool>"));
  assert_str(build("leak-xml", &q).text, STR("<tool_calls>\n<invoke name=\"ping\">\n</invoke>\n</tool_calls>"));
}

TEST(braces_that_are_no_field_are_text) {
  struct mock_request q = {.tools = {{.name = STR("{KEY}"), .arguments = STR("{\"{NAME}\":{\"{VALUE}\":\"{ARGS}\"}}")}},
                           .tool_count = 1};
  assert_str(build("leak-glm", &q).text,
             STR("<tool_call>{KEY}\n<arg_key>{NAME}</arg_key>\n<arg_value>{\"{VALUE}\":\"{ARGS}\"}</arg_value>\n"
                 "</tool_call>"));
}

TEST(the_call_is_as_told_and_needs_no_tools) {
  struct mock_request q = {.user_text = STR("[[call f a \"x\"]]")};
  assert_str(build("leak-mistral11", &q).text, STR("[TOOL_CALLS]f[ARGS]{\"a\":\"\\\"x\\\"\"}"));
  q.user_text = STR_NONE;
  assert_str(build("leak-mistral11", &q).text, STR("[TOOL_CALLS]get_weather[ARGS]{\"city\":\"mock\"}"));
  q = (struct mock_request){.tools = {{.name = STR("c"), .arguments = STR("no JSON"), .is_custom = true}},
                            .tool_count = 1};
  assert_str(build("leak-mistral11", &q).text, STR("[TOOL_CALLS]get_weather[ARGS]{\"city\":\"mock\"}"));
}

TEST(words_around) {
  struct mock_request q = {.tools = {{.name = STR("f"), .arguments = STR("{}")}}, .tool_count = 1};
  assert_str(build("leak-mistral11+leak-prose", &q).text, STR("I will look that up.\n\n[TOOL_CALLS]f[ARGS]{}"));
  assert_str(build("leak-prose", &q).text,
             STR("I will look that up.\n\n<tool_calls>\n<invoke name=\"f\">\n</invoke>\n</tool_calls>"));
  assert_str(build("leak-prose-around+leak-kimi", &q).text,
             STR("I will look that up.\n\n<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0"
                 "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>\n\nThat should do."));
}

TEST(text_that_calls_nothing) {
  struct mock_request q = {.tools = {{.name = STR("f"), .arguments = STR("{\"a\":1}")}}, .tool_count = 1};
  assert_str(build("leak-text", &q).text,
             STR("A call looks like this:\n\n```xml\n<tool_calls>\n<invoke name=\"f\">\n<parameter name=\"a\">1"
                 "</parameter>\n</invoke>\n</tool_calls>\n```\n\nIt begins with `<tool_calls>`."));
  assert_str(build("leak-unknown", &q).text, STR("<tool_calls>\n<invoke name=\"mock_no_such_tool\">\n<parameter "
                                                 "name=\"a\">1</parameter>\n</invoke>\n</tool_calls>"));
  assert_true(str_has_prefix(build("think-inline", &q).text, STR("<think>\nThe user wrote")));
  assert_true(str_has_suffix(build("think-inline", &q).text, STR("</think>\n\nThis comes after the thoughts.")));
  assert_true(str_find(build("think-mention", &q).text, STR("`</think>`")) != SIZE_MAX);
}

/* A stream cannot cut a character (its events are JSON), so U+FF5C stands alone between others. */
TEST(streams_cut_markers_unevenly) {
  struct mock_request q = {.tools = {search}, .tool_count = 1};
  for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
    struct mock_answer a = build(templates[i].name, &q);
    struct mock_steps steps = {0};
    struct mock_step step;
    size_t at = 0, count = 0, longest = 0, shortest = SIZE_MAX;
    while (mock_steps_next(&steps, &a, &step)) {
      if (step.kind != MOCK_STEP_TEXT) continue;
      assert_ptr_equal(step.piece.p, a.text.p + at);
      assert_true(str_is_utf8(step.piece));
      at += step.piece.n;
      count++;
      if (step.piece.n > longest) longest = step.piece.n;
      if (step.piece.n < shortest) shortest = step.piece.n;
    }
    assert_int_equal(at, a.text.n);
    assert_true(longest <= 19 && shortest == 1 && count >= a.text.n / 6);
  }
  assert_false(build("leak-xml+chunks-2", &q).is_uneven);
}

TEST(a_runaway_ends_in_time) {
  struct mock_request q = {0};
  const struct str line = STR("I will look at the file once more.\n");
  struct str text = build("runaway", &q).text;
  assert_true(text.n >= 12000000 && text.n < 12000000 + line.n && text.n % line.n == 0);
  for (size_t at = 0; at < text.n; at += line.n) assert_memory_equal(text.p + at, line.p, line.n);
  assert_true(str_has_prefix(build("runaway+leak-prose", &q).text, STR("I will look that up.\n\nI will look at")));
}

#define ASKING(more)                                                                                             \
  "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\","    \
  "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"," \
  "\"default\":\"<\xf0\x9f\x91\x8b>\"}},\"required\":[\"a\"]}}}]" more "}"

static struct reply ask(const struct rig *rig, const char *model, const char *template) {
  char body[1024];
  snprintf(body, sizeof body, template, model);
  struct reply r = rig_post(rig, "/v1/chat/completions", body);
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole);
  return r;
}

/* Where some chunk of the transfer ends within a character. */
static bool is_cut_in_character(struct str in) {
  in = str_sub(in, str_find(in, STR("\r\n\r\n")) + 4, in.n);
  while (in.n) {
    struct str size;
    if (!str_cut(in, '\n', &size, &in)) return false;
    size_t n = strtoul(size.p, NULL, 16);
    if (n && ((unsigned char)in.p[0] & 0xc0) == 0x80) return true;
    in = str_sub(in, n + 2, in.n);
  }
  return false;
}

TEST(a_leak_over_a_socket) {
  struct rig rig;
  rig_start(&rig, (struct mock_options){.record = true});
  struct reply r = ask(&rig, "leak-dsml", ASKING(""));
  assert_true(str_find(buf_str(&r.body), STR("<" DSML "invoke name=\\\"f\\\">\\n")) != SIZE_MAX);
  assert_true(str_find(buf_str(&r.body), STR("\"finish_reason\": \"stop\"")) != SIZE_MAX);
  assert_true(str_find(buf_str(&r.body), STR("\"tool_calls\"")) == SIZE_MAX);
  reply_clear(&r);
  r = ask(&rig, "leak-dsml", ASKING(",\"stream\":true"));
  assert_true(is_cut_in_character(buf_str(&r.raw)));
  assert_true(str_find(buf_str(&r.body), STR("\"finish_reason\":\"stop\"")) != SIZE_MAX);
  reply_clear(&r);
  r = ask(&rig, "leak-mistral11+escaped", ASKING(""));
  assert_true(str_find(buf_str(&r.body), STR("[TOOL_CALLS]f[ARGS]{\\\"a\\\":\\\"\\u003c\\ud83d\\udc4b\\u003e"
                                             "\\\"}\"")) != SIZE_MAX);
  reply_clear(&r);
  rig_stop(&rig);
}

static int begin(void **state) {
  (void)state;
  arena_init(&arena, 0);
  mock_prose_init(&prose, 1);
  return 0;
}

static int finish(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_family_writes_its_template),
      cmocka_unit_test(a_name_without_halves_has_no_server),
      cmocka_unit_test(braces_that_are_no_field_are_text),
      cmocka_unit_test(the_call_is_as_told_and_needs_no_tools),
      cmocka_unit_test(words_around),
      cmocka_unit_test(text_that_calls_nothing),
      cmocka_unit_test(streams_cut_markers_unevenly),
      cmocka_unit_test(a_runaway_ends_in_time),
      cmocka_unit_test(a_leak_over_a_socket),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
