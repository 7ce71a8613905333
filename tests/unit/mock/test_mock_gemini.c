/* The Gemini dialect byte for byte: the shapes of the vendor's REST reference and guides (2026-11). */
#include "mock_rig.h"

RIG_GROUP(.seed = 1, .record = true)

#define PATH(model, operation) "/v1beta/models/" model ":" operation
#define ASK "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hello\"}]}]"
#define TOOLS                                                                                                        \
  ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\",\"properties\":{\"a\"" \
  ":{\"type\":\"STRING\"}},\"required\":[\"a\"]}}]}]"
#define PROMPT ",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":2}]"
#define TAIL(model) ",\"modelVersion\":\"" model "\",\"responseId\":\"#############################\"}"
#define SIGNATURE "################################################################"

TEST(a_whole_answer) {
  assert_post(
      &rig, PATH("echo", "generateContent"), ASK "}", 200,
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hello\"}],\"role\":\"model\"},\"finishReason\":\"STOP\","
      "\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":2,\"candidatesTokenCount\":2,\"totalTokenCount\":4" PROMPT
      "}" TAIL("echo"));
  assert_post(
      &rig, "/v1/models/tool%2Bno-usage:generateContent", ASK TOOLS "}", 200,
      "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"mock\"},\"id\":"
      "\"########\"},\"thoughtSignature\":\"" SIGNATURE
      "\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}]" TAIL("tool+no-usage"));
}

#define CHUNK(part, finish, usage, model)                                          \
  "{\"candidates\":[{\"content\":{\"parts\":[" part "],\"role\":\"model\"}" finish \
  ",\"index\":0}],\"usageMetadata\":{"                                             \
  "\"promptTokenCount\":2," usage PROMPT "}" TAIL(model)
#define STARTED "\"totalTokenCount\":2"
#define ENDED "\"candidatesTokenCount\":2,\"totalTokenCount\":4"
#define STOP ",\"finishReason\":\"STOP\""

TEST(a_stream_of_events) {
  assert_post(&rig, PATH("echo+chunks-2", "streamGenerateContent") "?alt=sse", ASK "}", 200,
              "data: " CHUNK("{\"text\":\"he\"}", "", STARTED, "echo+chunks-2") "\r\n\r\n"
              "data: " CHUNK("{\"text\":\"llo\"}", "", STARTED, "echo+chunks-2") "\r\n\r\n"
              "data: " CHUNK("{\"text\":\"\"}", STOP, ENDED, "echo+chunks-2") "\r\n\r\n");
}

TEST(a_stream_as_an_array) {
  struct reply r = rig_post(&rig, PATH("echo+chunks-1", "streamGenerateContent"), ASK "}");
  assert_str(reply_header(&r, "Content-Type"), STR("application/json; charset=UTF-8"));
  assert_masked(&r, "[" CHUNK("{\"text\":\"hello\"}", "", STARTED, "echo+chunks-1") ",\r\n" CHUNK(
                        "{\"text\":\"\"}", STOP, ENDED, "echo+chunks-1") "]");
  reply_clear(&r);
}

TEST(what_stops_an_answer) {
  assert_post_has(&rig, PATH("length", "generateContent"), ASK "}", 200, "\"finishReason\":\"MAX_TOKENS\"");
  assert_post_has(&rig, PATH("filter", "generateContent"), ASK "}", 200, "\"finishReason\":\"SAFETY\"");
  assert_post_has(&rig, PATH("refusal", "generateContent"), ASK "}", 200,
                  "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},\"usageMetadata\"");
  assert_post_has(&rig, PATH("empty", "generateContent"), ASK "}", 200, "{\"content\":{\"role\":\"model\"},");
}

TEST(counting_and_embedding) {
  assert_post(&rig, PATH("m", "countTokens"), "{\"generateContentRequest\":" ASK "}}", 200,
              "{\"totalTokens\":2" PROMPT "}");
  assert_post_has(&rig, PATH("m", "embedContent"),
                  "{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"outputDimensionality\":2}", 200,
                  "{\"embedding\":{\"values\":[");
  assert_post_has(&rig, PATH("m", "batchEmbedContents"),
                  "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", 200,
                  "{\"embeddings\":[{\"values\":[");
  assert_post_has(&rig, PATH("m", "batchEmbedContents"), "{\"requests\":[]}", 400, "INVALID_ARGUMENT");
}

#define ERROR(code, status, message) \
  "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"

TEST(errors) {
  const char *path = PATH("fail-503", "generateContent");
  assert_post(&rig, path, ASK "}", 503,
              ERROR("503", "UNAVAILABLE", "The model is overloaded. Please try again later."));
  assert_post(&rig, PATH("fail-503", "streamGenerateContent"), ASK "}", 503,
              "[" ERROR("503", "UNAVAILABLE", "The model is overloaded. Please try again later.") "]");
  assert_post(&rig, PATH("m", "generateContent"), "{}", 400,
              ERROR("400", "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified\\n"));
  assert_post(&rig, PATH("m", "generateContent"), ASK, 400,
              ERROR("400", "INVALID_ARGUMENT", "Invalid JSON payload received. Expected an object."));
  assert_post(&rig, "/v1beta/x", "{}", 404, ERROR("404", "NOT_FOUND", "Invalid URL (POST /v1beta/x)"));
}

TEST(the_first_call_of_a_turn_needs_its_signature) {
  static const char lost[] =
      "{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\"}}"
      "]},"
      "{\"parts\":[{\"function_response\":{\"name\":\"f\",\"response\":{\"result\":\"done\"}}}]}";
  char later[512];
  assert_post_has(&rig, PATH("tool", "generateContent"), ASK "}", 200, "\"parts\"");
  snprintf(later, sizeof later, "%s]}", lost);
  assert_post_has(&rig, PATH("tool", "generateContent"), later, 200, "{\"text\":\"done\"}");
  assert_post_has(&rig, PATH("strict-signature+tool", "generateContent"), later, 400,
                  "function call `default_api:f` , position 2.");
  snprintf(later, sizeof later, "%s,{\"role\":\"user\",\"parts\":[{\"text\":\"next\"}]}]}", lost);
  assert_post_has(&rig, PATH("strict-signature+echo", "generateContent"), later, 200, "next");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),
      cmocka_unit_test(a_stream_of_events),
      cmocka_unit_test(a_stream_as_an_array),
      cmocka_unit_test(what_stops_an_answer),
      cmocka_unit_test(counting_and_embedding),
      cmocka_unit_test(errors),
      cmocka_unit_test(the_first_call_of_a_turn_needs_its_signature),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
