/* The Ollama dialect byte for byte: the shapes of the vendor's API document (2026-11). */
#include "mock_rig.h"

RIG_GROUP(.seed = 1, .record = true)

#define CHAT "/api/chat"
#define ASK(model, more) "{\"model\":\"" model "\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]" more "}"
#define WHOLE ",\"stream\":false"
#define TOOLS                                                                                                          \
  ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\"" \
  ":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}}}]"
#define HEAD(model) "{\"model\":\"" model "\",\"created_at\":\"####-##-##T##:##:##.000000001Z\","
#define MESSAGE(rest) "\"message\":{\"role\":\"assistant\",\"content\":" rest "}"
#define DONE ",\"done\":true,\"done_reason\":\"stop\""
#define COUNTS                                                                                                     \
  ",\"total_duration\":3200000,\"load_duration\":1000000,\"prompt_eval_count\":2,\"prompt_eval_duration\":200000," \
  "\"eval_count\":2,\"eval_duration\":2000000}"

TEST(a_whole_answer) {
  assert_post(&rig, CHAT, ASK("echo", WHOLE), 200, HEAD("echo") MESSAGE("\"hello\"") DONE COUNTS);
  assert_post(&rig, CHAT, ASK("tool+no-usage", WHOLE TOOLS), 200,
              HEAD("tool+no-usage") MESSAGE(
                  "\"\",\"tool_calls\":[{\"id\":\"call_########\",\"function\":{\"index\":0,\"name\":\"f\","
                  "\"arguments\":{\"a\":\"mock\"}}}]") DONE ",\"total_duration\":#######,\"load_duration\":1000000}");
}

TEST(lines_unless_told_otherwise) {
  struct reply r = rig_post(&rig, CHAT, ASK("echo+chunks-2", ""));
  assert_str(reply_header(&r, "Content-Type"), STR("application/x-ndjson"));
  assert_masked(&r, HEAD("echo+chunks-2") MESSAGE("\"he\"") ",\"done\":false}\n" HEAD("echo+chunks-2")
                        MESSAGE("\"llo\"") ",\"done\":false}\n" HEAD("echo+chunks-2") MESSAGE("\"\"") DONE COUNTS "\n");
  reply_clear(&r);
}

TEST(generating) {
  assert_post(&rig, "/api/generate", "{\"model\":\"echo\",\"prompt\":\"hello\",\"stream\":false}", 200,
              HEAD("echo") "\"response\":\"hello\"" DONE ",\"context\":[1,2,3]" COUNTS);
  assert_post(&rig, "/api/generate", "{\"model\":\"echo\"}", 200,
              HEAD("echo") "\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}");
}

TEST(embedding) {
  assert_post_has(&rig, "/api/embed", "{\"model\":\"m\",\"input\":\"hello\",\"dimensions\":2}", 200,
                  "{\"model\":\"m\",\"embeddings\":[[");
  assert_post_has(&rig, "/api/embed", "{\"model\":\"m\",\"input\":[1]}", 400, "{\"error\":\"invalid input type\"}");
  assert_post_has(&rig, "/api/embed", "{\"model\":\"m\",\"input\":[]}", 200, "\"embeddings\":[],");
  assert_post_has(&rig, "/api/embeddings", "{\"model\":\"m\",\"prompt\":\"hello\"}", 200, "{\"embedding\":[");
}

TEST(errors) {
  assert_post(&rig, CHAT, ASK("fail-404", ""), 404, "{\"error\":\"model not found, try pulling it first\"}");
  assert_post(&rig, CHAT, "", 400, "{\"error\":\"missing request body\"}");
  assert_post(&rig, CHAT, "{}", 400, "{\"error\":\"model is required\"}");
  assert_post(&rig, CHAT, ASK("m", ",\"format\":7"), 400,
              "{\"error\":\"invalid format; expected \\\"json\\\" or a valid JSON Schema object\"}");
  assert_post(&rig, "/api/x", "{}", 404, "{\"error\":\"Invalid URL (POST /api/x)\"}");
  assert_post_has(&rig, CHAT, ASK("stream-error", ""), 200,
                  "\n{\"error\":\"an error was encountered while running the model: unexpected EOF\"}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer), cmocka_unit_test(lines_unless_told_otherwise),
      cmocka_unit_test(generating),     cmocka_unit_test(embedding),
      cmocka_unit_test(errors),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
