/* Requests shaped for a model: every byte that is not concerned stays. */
#include "call/shape.h"

#include "base/json_walk.h"
#include "dialect/anthropic/anthropic.h"
#include "dialect/gemini/gemini.h"
#include "dialect/ollama/ollama.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses/openai_responses.h"
#include "unit.h"

struct shape_case {
  const struct dialect *dialect;
  const char *tools, *unsupported, *prompt; /* lists by space; NULL: nothing is set */
  const char *body, *expected;              /* expected NULL: unchanged */
  const char *dropped;                      /* NULL: nothing */
  enum err e;
  const char *param;
};

static void split(const char *text, struct names_list *out, struct str room[16]) {
  struct str rest = str_from_c(text);
  size_t n = 0;
  for (bool more = rest.n > 0; more && n < 16;) more = str_cut(rest, ' ', &room[n++], &rest);
  *out = (struct names_list){room, n, true};
}

static void run_case(const struct shape_case *c) {
  struct arena a;
  struct buf out;
  struct caps_dropped dropped;
  struct err_info info = {0};
  struct str tool_room[16], member_room[16];
  struct names_list tools, unsupported;
  struct names_prompt prompt = {.text = c->prompt ? str_from_c(c->prompt) : STR("")};
  const struct names_prompt *prompts[] = {&prompt};
  struct route_shape shape = {.prompts = prompts, .prompt_count = c->prompt != NULL};
  struct shape_done done = {0};
  if (c->tools) split(c->tools, &tools, tool_room), shape.tools = &tools;
  if (c->unsupported) split(c->unsupported, &unsupported, member_room), shape.unsupported = &unsupported;
  arena_init(&a, 0);
  buf_init(&out, 0);
  caps_dropped_init(&dropped);
  enum err e = shape_body(&shape, c->dialect, LLM_GENERATE, str_from_c(c->body), &a, &out, &done, &dropped, &info);
  if (e != c->e) print_error("%s\n%s\n", c->body, err_info_text(e, &info));
  assert_int_equal(e, c->e);
  if (c->param) assert_string_equal(info.param, c->param);
  if (!e) {
    assert_int_equal(done.is_changed, c->expected != NULL);
    if (c->expected && !str_eq(buf_str(&out), str_from_c(c->expected)))
      print_error("got      %.*s\nexpected %s\n", STR_ARG(buf_str(&out)), c->expected);
    if (c->expected) assert_true(str_eq(buf_str(&out), str_from_c(c->expected)));
    assert_true(str_eq(buf_str(&dropped.names), str_from_c(c->dropped ? c->dropped : "")));
  }
  caps_dropped_clear(&dropped);
  buf_clear(&out);
  arena_clear(&a);
}

#define CHAT &dialect_openai_chat
#define F(name) "{\"type\":\"function\",\"function\":{\"name\":\"" name "\"}}"

TEST(tools_outside_of_the_set_go_and_nothing_else_changes) {
  static const struct shape_case cases[] = {
      {CHAT, "read_* list", NULL, NULL,
       "{ \"model\" : \"m\", \"tools\": [ " F("read_file") " , " F("rm") "] , \"x\":1e0}",
       "{ \"model\" : \"m\", \"tools\": [ " F("read_file") "] , \"x\":1e0}", "tools[1]", OK, NULL},
      {CHAT, "list", NULL, NULL, "{\"tools\":[" F("a") "," F("b") "," F("list") "," F("c") "]}",
       "{\"tools\":[" F("list") "]}", "tools[0], tools[1], tools[3]", OK, NULL},
      {CHAT, "*", NULL, NULL, "{\"tools\":[" F("a") "]}", NULL, NULL, OK, NULL},
      /* none is left: what speaks of tools goes with them */
      {CHAT, "x", NULL, NULL,
       "{\"tool_choice\":\"required\",\"a\":1,\"tools\":[" F("a") "],\"parallel_tool_calls\":true}", "{\"a\":1}",
       "tool_choice, tools, parallel_tool_calls", OK, NULL},
      /* tools that the provider runs itself are none of the set's */
      {&dialect_openai_responses, "x", NULL, NULL,
       "{\"tools\":[{\"type\":\"web_search\"},{\"type\":\"function\",\"name\":\"a\",\"parameters\":{}}]}",
       "{\"tools\":[{\"type\":\"web_search\"}]}", "tools[1]", OK, NULL},
      {&dialect_anthropic, "x", NULL, NULL,
       "{\"tools\":[{\"type\":\"bash_20250124\",\"name\":\"bash\"},{\"name\":\"a\",\"input_schema\":{}}]}",
       "{\"tools\":[{\"type\":\"bash_20250124\",\"name\":\"bash\"}]}", "tools[1]", OK, NULL},
      {&dialect_gemini, "b", NULL, NULL,
       "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\"},{\"name\":\"b\"}]},{\"googleSearch\":{}}]}",
       "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"b\"}]},{\"googleSearch\":{}}]}",
       "tools[0].functionDeclarations[0]", OK, NULL},
      {&dialect_ollama, "b", NULL, NULL, "{\"tools\":[" F("a") "," F("b") "]}", "{\"tools\":[" F("b") "]}", "tools[0]",
       OK, NULL},
      {CHAT, "b", NULL, NULL, "{\"functions\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
       "{\"functions\":[{\"name\":\"b\"}]}", "functions[0]", OK, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

TEST(no_spelling_gets_a_tool_past_its_set) {
  static const struct shape_case cases[] = {
      {CHAT, "ok", NULL, NULL, "{\"to\\u006fls\":[" F("bad") "]}", "{}", "tools", OK, NULL},
      {CHAT, "ok", NULL, NULL,
       "{\"tools\":[" F("ok") ",{\"type\":\"function\",\"f\\u0075nction\":{\"n\\u0061me\":\"bad\"}}]}",
       "{\"tools\":[" F("ok") "]}", "tools[1]", OK, NULL},
      {CHAT, "ok", NULL, NULL, "{\"tools\":[" F("ok") "," F("b\\u0061d") "]}", "{\"tools\":[" F("ok") "]}", "tools[1]",
       OK, NULL},
      {CHAT, "ok", NULL, NULL,
       "{\"tools\":[" F("ok") ",{\"type\":\"function\",\"function\":{\"name\":\"ok\",\"name\":\"bad\"}}]}",
       "{\"tools\":[" F("ok") "]}", "tools[1]", OK, NULL},
      {CHAT, "ok", NULL, NULL,
       "{\"tools\":[" F("ok") ",{\"type\":\"web_search\",\"type\":\"function\",\"function\":{\"name\":\"bad\"}}]}",
       "{\"tools\":[" F("ok") "]}", "tools[1]", OK, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

TEST(who_insists_on_a_tool_that_goes_is_told_where) {
#define TWO "\"tools\":[" F("ok") "," F("bad") "]"
  static const struct shape_case cases[] = {
      {CHAT, "ok", NULL, NULL, "{" TWO ",\"tool_choice\":" F("bad") "}", NULL, NULL, ERR_BAD_VALUE, "tool_choice"},
      {CHAT, "ok", NULL, NULL,
       "{" TWO
       ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[" F("bad") "]}}}",
       NULL, NULL, ERR_BAD_VALUE, "tool_choice"},
      {CHAT, "ok", NULL, NULL, "{" TWO ",\"tool_choice\":" F("ok") "}",
       "{\"tools\":[" F("ok") "],\"tool_choice\":" F("ok") "}", "tools[1]", OK, NULL},
      {&dialect_anthropic, "ok", NULL, NULL,
       "{\"tools\":[{\"name\":\"bad\"}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"bad\"}}", NULL, NULL,
       ERR_BAD_VALUE, "tool_choice"},
      {&dialect_gemini, "ok", NULL, NULL,
       "{\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"bad\"]}},"
       "\"tools\":[{\"functionDeclarations\":[{\"name\":\"bad\"}]}]}",
       NULL, NULL, ERR_BAD_VALUE, "toolConfig"},
      {&dialect_openai_responses, "ok", NULL, NULL,
       "{\"tools\":[{\"type\":\"function\",\"name\":\"bad\"}],\"tool_choice\":{\"type\":\"function\",\"name\":\"bad\"}"
       "}",
       NULL, NULL, ERR_BAD_VALUE, "tool_choice"},
      {CHAT, "ok", NULL, NULL, "{\"functions\":[{\"name\":\"bad\"}],\"function_call\":{\"name\":\"bad\"}}", NULL, NULL,
       ERR_BAD_VALUE, "function_call"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

TEST(members_that_a_model_does_not_take_go_by_either_word) {
  static const struct shape_case cases[] = {
      {CHAT, NULL, "top_p seed", NULL, "{\"top_p\":0.5,\"a\":1,\"seed\":2}", "{\"a\":1}", "top_p, seed", OK, NULL},
      {CHAT, NULL, "top_p", NULL, "{\"a\": 1 , \"top_p\":0.5}", "{\"a\": 1}", "top_p", OK, NULL},
      {CHAT, NULL, "top_p", NULL, "{\"top_p\":0.5}", "{}", "top_p", OK, NULL},
      {CHAT, NULL, "top_p", NULL, "{\"a\":{\"top_p\":1}}", NULL, NULL, OK, NULL},
      {&dialect_gemini, NULL, "top_p", NULL, "{\"generationConfig\":{\"topP\":1,\"topK\":2}}",
       "{\"generationConfig\":{\"topK\":2}}", "generationConfig.topP", OK, NULL},
      {&dialect_gemini, NULL, "top_p", NULL, "{\"generation_config\":{\"top_p\":1,\"topK\":2}}",
       "{\"generation_config\":{\"topK\":2}}", "generation_config.top_p", OK, NULL},
      {&dialect_ollama, NULL, "top_p options.mirostat", NULL, "{\"options\":{\"mirostat\":1,\"top_p\":1}}",
       "{\"options\":{}}", "options.mirostat, options.top_p", OK, NULL},
      /* what was reserved rests on it */
      {CHAT, NULL, "max_tokens model messages", NULL, "{\"max_tokens\":5,\"model\":\"m\",\"messages\":[]}", NULL, NULL,
       OK, NULL},
      {CHAT, NULL, "tools tool_choice", NULL, "{\"tools\":[" F("a") "],\"tool_choice\":\"auto\",\"b\":0}", "{\"b\":0}",
       "tools, tool_choice", OK, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

TEST(system_prompts_stand_before_the_callers) {
  static const struct shape_case cases[] = {
      {CHAT, NULL, NULL, "Be \"kind\".", "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
       "{\"messages\":[{\"role\":\"system\",\"content\":\"Be \\\"kind\\\".\"},{\"role\":\"user\",\"content\":\"hi\"}]}",
       NULL, OK, NULL},
      {CHAT, NULL, NULL, "P",
       "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"content\":\"S\",\"role\":\"system\"}]}",
       "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"content\":\"P\\n\\nS\",\"role\":\"system\"}]}", NULL,
       OK, NULL},
      {CHAT, NULL, NULL, "P",
       "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"ho\"},"
       "{\"role\":\"system\",\"content\":\"S\"}]}",
       "{\"messages\":[{\"role\":\"system\",\"content\":\"P\"},{\"role\":\"user\",\"content\":\"hi\"},"
       "{\"role\":\"assistant\",\"content\":\"ho\"},{\"role\":\"system\",\"content\":\"S\"}]}",
       NULL, OK, NULL},
      {CHAT, NULL, NULL, "P",
       "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"S\"}]}]}",
       "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"P\"},{\"type\":\"text\","
       "\"text\":\"S\"}]}]}",
       NULL, OK, NULL},
      {CHAT, NULL, NULL, "P", "{\"messages\":[]}", "{\"messages\":[{\"role\":\"system\",\"content\":\"P\"}]}", NULL, OK,
       NULL},
      {&dialect_anthropic, NULL, NULL, "P", "{\"messages\":[]}", "{\"messages\":[],\"system\":\"P\"}", NULL, OK, NULL},
      {&dialect_anthropic, NULL, NULL, "P", "{\"system\":\"S\"}", "{\"system\":\"P\\n\\nS\"}", NULL, OK, NULL},
      {&dialect_anthropic, NULL, NULL, "P", "{\"system\":[{\"type\":\"text\",\"text\":\"S\"}]}",
       "{\"system\":[{\"type\":\"text\",\"text\":\"P\"},{\"type\":\"text\",\"text\":\"S\"}]}", NULL, OK, NULL},
      {&dialect_openai_responses, NULL, NULL, "P", "{\"instructions\":null,\"input\":\"x\"}",
       "{\"input\":\"x\",\"instructions\":\"P\"}", NULL, OK, NULL},
      {&dialect_openai_responses, NULL, NULL, "P", "{\"instructions\":\"\",\"input\":\"x\"}",
       "{\"instructions\":\"P\",\"input\":\"x\"}", NULL, OK, NULL},
      {&dialect_gemini, NULL, NULL, "P", "{\"contents\":[]}",
       "{\"contents\":[],\"systemInstruction\":{\"parts\":[{\"text\":\"P\"}]}}", NULL, OK, NULL},
      {&dialect_gemini, NULL, NULL, "P", "{\"system_instruction\":{\"parts\":[{\"text\":\"S\"}]}}",
       "{\"system_instruction\":{\"parts\":[{\"text\":\"P\"},{\"text\":\"S\"}]}}", NULL, OK, NULL},
      {&dialect_ollama, NULL, NULL, "P", "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"}]}",
       "{\"messages\":[{\"role\":\"system\",\"content\":\"P\\n\\nS\"}]}", NULL, OK, NULL},
      {&dialect_ollama_generate, NULL, NULL, "P", "{\"prompt\":\"x\"}", "{\"prompt\":\"x\",\"system\":\"P\"}", NULL, OK,
       NULL},
      /* of no known form: said, not put beside or in its place */
      {&dialect_gemini, NULL, NULL, "P", "{\"systemInstruction\":{\"payts\":[]}}", NULL, NULL, ERR_BAD_TYPE,
       "systemInstruction"},
      {&dialect_anthropic, NULL, NULL, "P", "{\"system\":7}", NULL, NULL, ERR_BAD_TYPE, "system"},
      /* all at once */
      {CHAT, "x", "seed", "P", "{\"seed\":1,\"tools\":[" F("a") "],\"messages\":[],\"top_k\":3}",
       "{\"messages\":[{\"role\":\"system\",\"content\":\"P\"}],\"top_k\":3}", "seed, tools", OK, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

TEST(places_of_tools_are_the_callers) {
  static const struct {
    uint64_t gone;
    uint32_t left, place;
  } rows[] = {{0, 0, 0},           {0, 70, 70},         {1, 0, 1},
              {1, 5, 6},           {0xa, 0, 0},         {0xa, 1, 2},
              {0xa, 2, 4},         {0xa, 9, 11},        {UINT64_C(1) << 63, 62, 62},
              {UINT64_MAX, 0, 64}, {UINT64_MAX, 3, 67}, {UINT64_C(1) << 63, 63, 64}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(shape_tool_place(&(struct shape_done){.gone = rows[i].gone}, rows[i].left), rows[i].place);
}

TEST(fixed_members_are_known) {
  assert_true(shape_is_fixed(STR("max_tokens")));
  assert_true(shape_is_fixed(STR("Model")));
  assert_true(shape_is_fixed(STR("generation_config")));
  assert_true(shape_is_fixed(STR("generation_config.max_output_tokens")));
  assert_false(shape_is_fixed(STR("top_p")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tools_outside_of_the_set_go_and_nothing_else_changes),
      cmocka_unit_test(no_spelling_gets_a_tool_past_its_set),
      cmocka_unit_test(who_insists_on_a_tool_that_goes_is_told_where),
      cmocka_unit_test(members_that_a_model_does_not_take_go_by_either_word),
      cmocka_unit_test(system_prompts_stand_before_the_callers),
      cmocka_unit_test(places_of_tools_are_the_callers),
      cmocka_unit_test(fixed_members_are_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
