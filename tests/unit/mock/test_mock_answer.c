/* Answers from plans, and the order and the cuts of their streams. */
#include "mock/mock_answer.h"

#include "unit.h"

static struct mock_prose prose;
static struct arena arena;

static struct mock_answer build(const char *name, struct mock_request *q, const struct mock_options *options) {
  struct mock_answer a = {0};
  struct mock_plan plan = mock_plan_default(options);
  if (name) assert_true(mock_plan_apply(&plan, str_from_c(name)));
  assert_int_equal(mock_answer_build(&a, &plan, q, options, &prose, &arena), OK);
  return a;
}

/* The text pieces of choice 0 joined again, their number in *count. */
static struct str rejoin(const struct mock_answer *a, size_t *count) {
  struct mock_steps steps = {0};
  struct mock_step step;
  struct buf text;
  buf_init(&text, 0);
  *count = 0;
  while (mock_steps_next(&steps, a, &step))
    if (step.kind == MOCK_STEP_TEXT && step.choice == 0) {
      assert_true(step.piece.n > 0);
      assert_true(str_is_utf8(step.piece));
      buf_put(&text, step.piece);
      ++*count;
    }
  struct str kept = arena_dup(&arena, buf_str(&text));
  buf_clear(&text);
  return kept;
}

TEST(the_default_is_one_sentence_in_eight_pieces) {
  struct mock_options options = {0};
  struct mock_request q = {.scan = {.n = 1, .text_bytes = 9}};
  struct mock_answer a = build(NULL, &q, &options);
  size_t count;
  assert_str(a.text, STR("This is a deterministic answer from the mock upstream."));
  assert_str(rejoin(&a, &count), a.text);
  assert_int_equal(count, 8);
  assert_int_equal(a.prompt_tokens, 3);
  assert_int_equal(a.completion_tokens, 14);
  assert_true(a.has_usage);
  assert_false(a.asked_usage);
}

TEST(sizes_and_counts_are_kept) {
  static const struct {
    const char *name;
    size_t bytes, pieces;
  } cases[] = {{"big-1", 1024, 8},          {"big-100", 102400, 25}, {"chunks-200", 1600, 200},
               {"big-1+chunks-3", 1024, 3}, {"chunks-1", 8, 1},      {"big-1mb", 1 << 20, 256}};
  struct mock_options options = {0};
  struct mock_request q = {.scan = {.n = 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mock_answer a = build(cases[i].name, &q, &options);
    size_t count;
    assert_int_equal(a.text.n, cases[i].bytes);
    assert_str(rejoin(&a, &count), a.text);
    assert_int_equal(count, cases[i].pieces);
  }
}

TEST(characters_are_never_cut) {
  struct mock_options options = {0};
  size_t count;
  struct mock_request q = {
      .is_parsed = true, .scan = {.n = 1}, .user_text = STR("\u00fc\u4f60\U0001f44b\u00fc\u4f60\u00fc\u4f60")};
  struct mock_answer a = build("echo", &q, &options);
  assert_str(rejoin(&a, &count), q.user_text);
  a = build("unicode", &q, &options);
  assert_str(rejoin(&a, &count), a.text);
  assert_true(count > 20);
  for (uint32_t chunks = 1; chunks < 40; chunks++) {
    options.chunks = chunks;
    a = build("echo", &q, &options);
    assert_str(rejoin(&a, &count), q.user_text);
    assert_true(count <= 7);
  }
}

static const char *letters(const struct mock_answer *a, char *out) {
  struct mock_steps steps = {0};
  struct mock_step step;
  size_t n = 0;
  while (mock_steps_next(&steps, a, &step)) {
    out[n++] = "sxrwtcfoaFUD"[step.kind];
    if (a->choices > 1 && step.kind < MOCK_STEP_USAGE) out[n++] = (char)('0' + step.choice);
  }
  out[n] = 0;
  return out;
}

TEST(the_order_of_a_stream) {
  char out[256];
  struct mock_options options = {.chunks = 2};
  struct mock_request q = {.is_parsed = true,
                           .scan = {.n = 1, .wants_usage = true},
                           .tools = {{STR("f"), STR("{\"a\":\"mock\"}")}, {STR("g"), STR("{}")}},
                           .tool_count = 2};
  struct mock_answer a = build("thinking", &q, &options);
  assert_string_equal(letters(&a, out), "srrrrttFUD");
  a = build("tool", &q, &options);
  assert_string_equal(letters(&a, out), "saaaaaFUD");
  a = build("tool-parallel+no-usage", &q, &options);
  assert_string_equal(letters(&a, out), "soaaaaaoaaFD");
  a = build("refusal", &q, &options);
  assert_string_equal(letters(&a, out), "sffffFUD");
  a = build("empty", &q, &options);
  assert_string_equal(letters(&a, out), "sFUD");
  a = build("thinking-redacted+server-tool+citations", &q, &options);
  assert_string_equal(letters(&a, out), "sxwttcFUD");
  a = build("thinking+tool", &q, &options);
  assert_string_equal(letters(&a, out), "srrrroaaaaaFUD");
  q.scan.n = 2;
  a = build("chunks-2", &q, &options);
  assert_string_equal(letters(&a, out), "s0s1t0t1t0t1F0F1UD");
}

TEST(one_tool_twice_and_none) {
  struct mock_options options = {0};
  struct mock_request q = {.is_parsed = true, .scan = {.n = 1}, .tools = {{STR("f"), STR("{}")}}, .tool_count = 1};
  struct mock_answer a = build("tool-parallel", &q, &options);
  assert_int_equal(a.tool_count, 2);
  assert_str(a.tools[1].name, STR("f"));
  assert_int_equal(a.finish, MOCK_FINISH_TOOLS);
  q.tool_count = 0;
  a = build("tool", &q, &options);
  assert_int_equal(a.tool_count, 0);
  assert_int_equal(a.finish, MOCK_FINISH_STOP);
}

TEST(a_call_as_told) {
  static const struct {
    const char *text, *name, *arguments;
  } cases[] = {
      {"[[mock:tool]] [[call Bash command echo \"a b\" | tee c]]", "Bash",
       "{\"command\":\"echo \\\"a b\\\" | tee c\"}"},
      {"[[call f a ]]", "f", "{\"a\":\"\"}"},
      {"[[call f a]]", "first", "{}"},
      {"[[call f]]", "first", "{}"},
      {"[[call f a b", "first", "{}"},
      {"call f a b", "first", "{}"},
  };
  struct mock_options options = {0};
  struct mock_request q = {.is_parsed = true, .scan = {.n = 1}, .tools = {{STR("first"), STR("{}")}}, .tool_count = 1};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    q.user_text = str_from_c(cases[i].text);
    struct mock_answer a = build("tool", &q, &options);
    assert_int_equal(a.tool_count, 1);
    assert_str(a.tools[0].name, str_from_c(cases[i].name));
    assert_str(a.tools[0].arguments, str_from_c(cases[i].arguments));
  }
  q.tool_count = 0;
  q.user_text = str_from_c(cases[0].text);
  assert_int_equal(build("tool", &q, &options).tool_count, 0);
}

TEST(a_tool_result_is_repeated) {
  struct mock_options options = {0};
  struct mock_request q = {.is_parsed = true, .scan = {.n = 1, .is_tool_last = true}, .tool_result = STR("42")};
  assert_str(build("tool", &q, &options).text, STR("42"));
  assert_str(build(NULL, &q, &options).text, STR("42"));
}

TEST(choices_are_capped_and_paid) {
  struct mock_options options = {0};
  struct mock_request q = {.scan = {.n = 1000}};
  struct mock_answer a = build(NULL, &q, &options);
  assert_int_equal(a.choices, 4);
  assert_int_equal(a.completion_tokens, 4 * 14);
  a = build("usage-cache", &q, &options);
  assert_int_equal(a.reasoning_tokens, 2 * 14);
  assert_false(build("no-usage", &q, &options).has_usage);
}

TEST(a_demo_says_so) {
  struct mock_options options = {.is_demo = true};
  struct mock_request q = {.scan = {.n = 1}};
  struct mock_answer a = build(NULL, &q, &options);
  assert_true(str_find(a.text, STR("no real model was called")) != SIZE_MAX);
  assert_true(str_find(a.text, STR("OPENAI_API_KEY")) != SIZE_MAX);
  q.json = STR("{\"x\":1}");
  assert_str(build(NULL, &q, &options).text, q.json);
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
      cmocka_unit_test(the_default_is_one_sentence_in_eight_pieces),
      cmocka_unit_test(sizes_and_counts_are_kept),
      cmocka_unit_test(characters_are_never_cut),
      cmocka_unit_test(the_order_of_a_stream),
      cmocka_unit_test(one_tool_twice_and_none),
      cmocka_unit_test(a_call_as_told),
      cmocka_unit_test(a_tool_result_is_repeated),
      cmocka_unit_test(choices_are_capped_and_paid),
      cmocka_unit_test(a_demo_says_so),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
