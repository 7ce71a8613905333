/* Gemini requests: read in every form the vendor takes, written back as they were, and written from other dialects'
 * requests. */
#include "gemini_unit.h"

#define USER "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]"
#define HI "{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}"

TEST(test_same_value_comes_back) {
  check_same("{" USER "}");
  check_same("{" USER ",\"generationConfig\":{},\"toolConfig\":{},\"tools\":[]}");
  check_same("{" USER ",\"systemInstruction\":\"be brief\"}");
  check_same("{" USER ",\"systemInstruction\":{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}}");
  check_same("{" USER
             ",\"safetySettings\":[{\"category\":\"HARM_CATEGORY_HARASSMENT\",\"threshold\":\"BLOCK_NONE\"}],"
             "\"cachedContent\":\"cachedContents/x\",\"labels\":{\"a\":\"b\"},\"new\":null}");
  check_same("{" USER
             ",\"generationConfig\":{\"temperature\":1e-2,\"topP\":0.95,\"topK\":64,\"candidateCount\":2,"
             "\"maxOutputTokens\":100,\"stopSequences\":[\"a\",\"b\"],\"presencePenalty\":0.10,\"frequencyPenalty\":-1,"
             "\"seed\":7,\"responseLogprobs\":true,\"logprobs\":3,\"responseModalities\":[\"TEXT\"],"
             "\"mediaResolution\":\"MEDIA_RESOLUTION_LOW\",\"speechConfig\":{\"x\":1}}}");
  check_same("{" USER ",\"generationConfig\":{\"stopSequences\":[]}}");
  check_same("{" USER
             ",\"generationConfig\":{\"responseMimeType\":\"text/x.enum\",\"responseSchema\":{\"type\":"
             "\"STRING\",\"enum\":[\"a\"]}}}");
  check_same("{" USER ",\"generationConfig\":{\"responseMimeType\":\"text/plain\"}}");
  check_same(
      "{" USER
      ",\"generationConfig\":{\"responseMimeType\":\"application/json\",\"responseSchema\":{\"type\":"
      "\"OBJECT\",\"properties\":{\"a\":{\"type\":\"INTEGER\",\"nullable\":true}},\"propertyOrdering\":[\"a\"]}}}");
}

TEST(test_thinking_comes_back) {
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingBudget\":-1}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":false,\"thinkingBudget\":0}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":2048,\"new\":1}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"HIGH\"}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"low\"}}}");
  check_same("{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"THINKING_LEVEL_UNSPECIFIED\"}}}");
}

TEST(test_parts_come_back) {
  check_same(
      "{\"contents\":[{\"role\":\"user\",\"parts\":["
      "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\",\"displayName\":\"x\"},"
      "\"mediaResolution\":{\"level\":\"MEDIA_RESOLUTION_HIGH\"}},"
      "{\"fileData\":{\"mimeType\":\"video/mp4\",\"fileUri\":\"gs://b/x.mp4\"},"
      "\"videoMetadata\":{\"startOffset\":\"1s\",\"fps\":2}},"
      "{\"fileData\":{\"fileUri\":\"https://youtu.be/x\"}},{\"text\":\"\"},{\"brandNew\":{\"a\":1}}]}]}");
  check_same(
      "{\"contents\":[" HI
      ",{\"role\":\"model\",\"parts\":[{\"text\":\"hm\",\"thought\":true},"
      "{\"text\":\"a\",\"thoughtSignature\":\"c2ln\"},{\"thoughtSignature\":\"c2ln\"},"
      "{\"functionCall\":{\"name\":\"f\",\"args\":{\"n\":1.50}},\"thoughtSignature\":\"c2ln\",\"thought\":false},"
      "{\"functionCall\":{\"id\":\"1\",\"name\":\"g\"}},"
      "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1\"}},"
      "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\",\"output\":\"1\"}}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{\"output\":\"x\"}}},"
      "{\"functionResponse\":{\"id\":\"1\",\"name\":\"g\",\"response\":{\"a\":[1,2]},\"scheduling\":\"SILENT\","
      "\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}}]}]}");
  check_same("{\"contents\":[" HI
             ",{\"role\":\"model\"},{\"role\":\"function\",\"parts\":[]},{\"role\":\"user\","
             "\"parts\":[{\"text\":\"a\"}],\"extra\":1}]}");
}

TEST(test_tools_come_back) {
  check_same(
      "{" USER
      ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\",\"description\":\"d\",\"parameters\":{"
      "\"type\":\"OBJECT\",\"properties\":{\"x\":{\"type\":\"STRING\"}}},\"response\":{\"type\":\"STRING\"},"
      "\"behavior\":\"BLOCKING\"},{\"name\":\"b\"}],\"googleSearch\":{}},"
      "{\"functionDeclarations\":[{\"name\":\"c\",\"parametersJsonSchema\":{\"type\":\"object\",\"$defs\":{}}}]},"
      "{\"codeExecution\":{}},{\"urlContext\":{}},{},{\"brandNew\":{\"a\":1}}]}");
  check_same("{" USER ",\"toolConfig\":{\"functionCallingConfig\":{}}}");
  check_same("{" USER ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"AUTO\"}}}");
  check_same("{" USER
             ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"VALIDATED\"},\"retrievalConfig\":{\"a\":1}}}");
  check_same("{" USER ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"NONE\",\"new\":2}}}");
  check_same("{" USER
             ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\"]}}}");
  check_same("{" USER
             ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\","
             "\"b\"]}}}");
}

TEST(test_other_spellings_are_read) {
  check_recoded(
      "gemini", "gemini", "m",
      "{\"contents\":{\"parts\":{\"text\":\"hi\"}},\"system_instruction\":{\"parts\":{\"text\":\"s\"}},"
      "\"generation_config\":{\"max_output_tokens\":5,\"top_p\":1,\"response_mime_type\":\"application/json\","
      "\"thinking_config\":{\"include_thoughts\":true,\"thinking_budget\":1024}},"
      "\"tool_config\":{\"function_calling_config\":{\"mode\":\"ANY\",\"allowed_function_names\":[\"a\"]}},"
      "\"tools\":{\"function_declarations\":{\"name\":\"a\",\"parameters_json_schema\":{}}}}",
      "{\"contents\":[" HI
      "],\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},"
      "\"generationConfig\":{\"maxOutputTokens\":5,\"topP\":1,\"responseMimeType\":\"application/json\","
      "\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingBudget\":1024}},"
      "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\"]}},"
      "\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\",\"parametersJsonSchema\":{}}]}]}");
}

TEST(test_maestro_member_stays_here) {
  check_recoded("gemini", "gemini", "m", "{" USER ",\"maestro\":{\"budget\":1},\"model\":\"models/other\"}",
                "{" USER ",\"model\":\"models/m\"}");
}

/* ---- the canonical model ---- */

TEST(test_calls_and_results_are_paired) {
  struct coded c;
  assert_int_equal(
      decode_with(
          &c, "gemini", LLM_GENERATE,
          "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"a\",\"args\":{\"n\":1}}},"
          "{\"functionCall\":{\"name\":\"b\"}},{\"functionCall\":{\"name\":\"a\"}},{\"functionCall\":{\"name\":"
          "\"d\",\"id\":\"D\"}}]},{\"role\":\"user\",\"parts\":["
          "{\"functionResponse\":{\"name\":\"b\",\"response\":{\"output\":\"B\"}}},"
          "{\"functionResponse\":{\"name\":\"a\",\"response\":{\"error\":\"no\"}}},"
          "{\"functionResponse\":{\"name\":\"d\",\"id\":\"D\",\"response\":{\"name\":\"d\",\"content\":[1]}}},"
          "{\"functionResponse\":{\"name\":\"a\",\"response\":{\"x\":1,\"y\":2}}}]}]}"),
      OK);
  const struct request_part *calls = c.request.items[0].parts, *results = c.request.items[1].parts;
  assert_int_equal(request_pair_calls(&c.arena, &c.request, NULL), OK);
  assert_str(calls[0].text, STR("{\"n\":1}"));
  assert_str(calls[1].text, STR("{}"));
  assert_true(calls[0].is_args_valid && calls[0].call_id.n > 0);
  assert_false(str_eq(calls[0].call_id, calls[2].call_id));
  assert_str(results[0].call_id, calls[1].call_id);
  assert_str(results[1].call_id, calls[0].call_id);
  assert_str(results[2].call_id, STR("D"));
  assert_str(results[3].call_id, calls[2].call_id);
  assert_str(results[0].results[0].text, STR("B"));
  assert_true(results[1].is_error && !results[0].is_error);
  assert_str(results[1].results[0].text, STR("no"));
  assert_str(results[2].results[0].text, STR("[1]"));
  assert_str(results[3].results[0].text, STR("{\"x\":1,\"y\":2}"));
  coded_clear(&c);
}

TEST(test_media_and_files) {
  struct coded c;
  assert_int_equal(
      decode_with(&c, "gemini", LLM_GENERATE,
                  "{\"contents\":[{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}},"
                  "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"AAAA\",\"displayName\":\"n\"}},"
                  "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"AAAA\"}},"
                  "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://generativelanguage.googleapis.com/"
                  "v1beta/files/a\"}},{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://x/y.png\"}},"
                  "{\"fileData\":{\"fileUri\":\"https://www.youtube.com/watch?v=1\"}}]}]}"),
      OK);
  const struct request_part *p = c.request.items[0].parts;
  const enum part_kind kinds[] = {PART_IMAGE, PART_DOCUMENT, PART_AUDIO, PART_IMAGE, PART_IMAGE, PART_VIDEO};
  assert_int_equal(c.request.items[0].part_count, 6);
  for (size_t i = 0; i < 6; i++) assert_int_equal(p[i].kind, kinds[i]);
  assert_str(p[0].media->data, STR("AAAA"));
  assert_str(p[1].media->name, STR("n"));
  assert_true(p[3].media->file_id.n > 0 && p[4].media->file_id.n == 0);
  assert_str(p[4].media->url, STR("https://x/y.png"));
  coded_clear(&c);
}

static void check_schema(const char *openapi, const char *want) {
  struct coded c;
  char json[2048];
  snprintf(json, sizeof json, "{" USER ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":%s}]}]}",
           openapi);
  assert_int_equal(decode_with(&c, "gemini", LLM_GENERATE, json), OK);
  assert_true(c.request.tools[0].is_openapi);
  json_split_put(&c.out, c.request.tools[0].schema);
  check_json(buf_str(&c.out), want);
  coded_clear(&c);
}

TEST(test_openapi_becomes_json_schema) {
  check_schema(
      "{\"type\":\"OBJECT\",\"properties\":{\"type\":{\"type\":\"STRING\",\"nullable\":true},"
      "\"n\":{\"type\":\"INTEGER\",\"format\":\"int32\",\"minimum\":1}},\"required\":[\"n\"],"
      "\"propertyOrdering\":[\"n\"]}",
      "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":[\"string\",\"null\"]},"
      "\"n\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1}},\"required\":[\"n\"]}");
  check_schema(
      "{\"type\":\"ARRAY\",\"items\":{\"type\":\"NUMBER\"},\"minItems\":\"1\",\"max_items\":\"9\","
      "\"example\":[1]}",
      "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":1,\"maxItems\":9,\"examples\":[[1]]}");
  check_schema("{\"anyOf\":[{\"type\":\"STRING\"},{\"type\":\"BOOLEAN\"}],\"nullable\":true}",
               "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"},{\"type\":\"null\"}]}");
  check_schema("{\"type\":\"STRING\",\"enum\":[\"A\",\"B\"],\"nullable\":true,\"default\":\"STRING\"}",
               "{\"type\":[\"string\",\"null\"],\"enum\":[\"A\",\"B\",null],\"default\":\"STRING\"}");
  check_schema(
      "{\"type\":\"object\",\"additionalProperties\":false,\"$defs\":{\"d\":{\"type\":[\"string\",\"null\"]}},"
      "\"properties\":{\"a\":{\"$ref\":\"#/$defs/d\"}}}",
      "{\"type\":\"object\",\"additionalProperties\":false,\"$defs\":{\"d\":{\"type\":[\"string\",\"null\"]}},"
      "\"properties\":{\"a\":{\"$ref\":\"#/$defs/d\"}}}");
}

TEST(test_deep_schemas_are_refused) {
  struct coded c;
  struct buf json;
  buf_init(&json, 0);
  buf_put(&json, STR("{" USER ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":"));
  for (int i = 0; i < 100; i++) buf_put(&json, STR("{\"items\":"));
  buf_put(&json, STR("{}"));
  for (int i = 0; i < 100; i++) buf_put_char(&json, '}');
  buf_put(&json, STR("}]}]}"));
  buf_put_char(&json, 0);
  assert_int_equal(decode_with(&c, "gemini", LLM_GENERATE, json.p), ERR_BAD_VALUE);
  assert_string_equal(c.info.param, "tools[0].functionDeclarations[0].parameters");
  coded_clear(&c);
  buf_clear(&json);
}

TEST(test_reasoning_and_format) {
  struct coded c;
  assert_int_equal(
      decode_with(&c, "gemini", LLM_GENERATE,
                  "{" USER ",\"generationConfig\":{\"responseMimeType\":\"application/json\","
                  "\"responseJsonSchema\":{\"type\":\"OBJECT\"},\"thinkingConfig\":{\"includeThoughts\":true,"
                  "\"thinkingLevel\":\"HIGH\"}}}"),
      OK);
  assert_int_equal(c.request.format, FORMAT_JSON_SCHEMA);
  json_split_put(&c.out, c.request.format_schema);
  check_json(buf_str(&c.out), "{\"type\":\"object\"}"); /* Gemini CLI writes upper-case types here, too */
  assert_str(c.request.reasoning.effort, STR("high"));
  assert_int_equal(c.request.reasoning.visible, 1);
  assert_int_equal(c.request.reasoning.enabled, 1);
  coded_clear(&c);
}

/* Our own wrapping of another dialect's signature, as a caller hands it back: "maestro1:anthropic:SIG" in base64. */
TEST(test_foreign_thought_is_gathered) {
  struct coded c;
  assert_int_equal(
      decode_with(&c, "gemini", LLM_GENERATE,
                  "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"one \",\"thought\":true},"
                  "{\"text\":\"two\",\"thought\":true},{\"text\":\"\",\"thought\":true,\"thoughtSignature\":"
                  "\"bWFlc3RybzE6YW50aHJvcGljOlNJRw==\"},{\"text\":\"answer\"}]}]}"),
      OK);
  assert_int_equal(c.request.items[0].part_count, 2);
  assert_int_equal(c.request.items[0].parts[0].kind, PART_REASONING);
  assert_str(c.request.items[0].parts[0].text, STR("one two"));
  assert_str(c.request.items[0].parts[0].signature.origin, STR("anthropic"));
  assert_str(c.request.items[0].parts[0].signature.bytes, STR("SIG"));
  coded_clear(&c);
}

/* ---- faults ---- */

static const struct {
  const char *json;
  enum err e;
  const char *param;
} faults[] = {
    {"{}", ERR_MISSING, "contents"},
    {"[]", ERR_BAD_TYPE, ""},
    {"{\"contents\":\"hi\"}", ERR_BAD_TYPE, "contents"},
    {"{\"contents\":[1]}", ERR_BAD_TYPE, "contents[0]"},
    {"{\"contents\":[{\"role\":\"assistant\"}]}", ERR_BAD_VALUE, "contents[0].role"},
    {"{\"contents\":[{\"role\":1}]}", ERR_BAD_TYPE, "contents[0].role"},
    {"{\"contents\":[{\"parts\":\"x\"}]}", ERR_BAD_TYPE, "contents[0].parts"},
    {"{\"contents\":[{\"parts\":[\"x\"]}]}", ERR_BAD_TYPE, "contents[0].parts[0]"},
    {"{\"contents\":[{\"parts\":[{\"text\":1}]}]}", ERR_BAD_TYPE, "contents[0].parts[0].text"},
    {"{\"contents\":[{\"parts\":[{\"text\":\"a\",\"functionCall\":{\"name\":\"f\"}}]}]}", ERR_BAD_VALUE,
     "contents[0].parts[0]"},
    {"{\"contents\":[{\"parts\":[{\"text\":\"a\",\"thought\":1}]}]}", ERR_BAD_TYPE, "contents[0].parts[0].thought"},
    {"{\"contents\":[{\"parts\":[{\"text\":\"a\",\"thoughtSignature\":1}]}]}", ERR_BAD_TYPE,
     "contents[0].parts[0].thoughtSignature"},
    {"{\"contents\":[{\"parts\":[{\"thoughtSignature\":\"a\",\"thought_signature\":\"a\"}]}]}", ERR_DUPLICATE_KEY,
     "contents[0].parts[0].thoughtSignature"},
    {"{\"contents\":[{\"parts\":[{\"functionCall\":{}}]}]}", ERR_MISSING, "contents[0].parts[0].functionCall.name"},
    {"{\"contents\":[{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":\"{}\"}}]}]}", ERR_BAD_TYPE,
     "contents[0].parts[0].functionCall.args"},
    {"{\"contents\":[{\"parts\":[{\"functionCall\":3}]}]}", ERR_BAD_TYPE, "contents[0].parts[0].functionCall"},
    {"{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":\"x\"}}]}]}", ERR_BAD_TYPE,
     "contents[0].parts[0].functionResponse.response"},
    {"{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"parts\":[1]}}]}]}", ERR_BAD_TYPE,
     "contents[0].parts[0].functionResponse.parts[0]"},
    {"{\"contents\":[{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\"}}]}]}", ERR_MISSING,
     "contents[0].parts[0].inlineData.data"},
    {"{\"contents\":[{\"parts\":[{\"fileData\":{\"fileUri\":2}}]}]}", ERR_BAD_TYPE,
     "contents[0].parts[0].fileData.fileUri"},
    {"{" USER ",\"systemInstruction\":1}", ERR_BAD_TYPE, "systemInstruction"},
    {"{" USER ",\"systemInstruction\":{\"parts\":[{\"text\":1}]}}", ERR_BAD_TYPE, "systemInstruction.parts[0].text"},
    {"{" USER ",\"tools\":1}", ERR_BAD_TYPE, "tools"},
    {"{" USER ",\"tools\":[1]}", ERR_BAD_TYPE, "tools[0]"},
    {"{" USER ",\"tools\":[{\"functionDeclarations\":1}]}", ERR_BAD_TYPE, "tools[0].functionDeclarations"},
    {"{" USER ",\"tools\":[{\"functionDeclarations\":[{}]}]}", ERR_MISSING, "tools[0].functionDeclarations[0].name"},
    {"{" USER ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":1}]}]}", ERR_BAD_TYPE,
     "tools[0].functionDeclarations[0].parameters"},
    {"{" USER
     ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{},\"parametersJsonSchema\":{}}]}]}",
     ERR_BAD_VALUE, "tools[0].functionDeclarations[0].parameters"},
    {"{" USER ",\"toolConfig\":1}", ERR_BAD_TYPE, "toolConfig"},
    {"{" USER ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":1}}}", ERR_BAD_TYPE,
     "toolConfig.functionCallingConfig.mode"},
    {"{" USER ",\"toolConfig\":{\"functionCallingConfig\":{\"allowedFunctionNames\":[1]}}}", ERR_BAD_TYPE,
     "toolConfig.functionCallingConfig.allowedFunctionNames"},
    {"{" USER ",\"generationConfig\":[]}", ERR_BAD_TYPE, "generationConfig"},
    {"{" USER ",\"generationConfig\":{\"temperature\":\"1\"}}", ERR_BAD_TYPE, "generationConfig.temperature"},
    {"{" USER ",\"generationConfig\":{\"stopSequences\":\"x\"}}", ERR_BAD_TYPE, "generationConfig.stopSequences"},
    {"{" USER ",\"generationConfig\":{\"stopSequences\":[\"x\",1]}}", ERR_BAD_TYPE,
     "generationConfig.stopSequences[1]"},
    {"{" USER ",\"generationConfig\":{\"responseMimeType\":1}}", ERR_BAD_TYPE, "generationConfig.responseMimeType"},
    {"{" USER ",\"generationConfig\":{\"responseSchema\":1}}", ERR_BAD_TYPE, "generationConfig.responseSchema"},
    {"{" USER ",\"generationConfig\":{\"thinkingConfig\":1}}", ERR_BAD_TYPE, "generationConfig.thinkingConfig"},
    {"{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":-2}}}", ERR_BAD_VALUE,
     "generationConfig.thinkingConfig.thinkingBudget"},
    {"{" USER ",\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":\"y\"}}}", ERR_BAD_TYPE,
     "generationConfig.thinkingConfig.includeThoughts"},
};

TEST(test_faults_have_paths) {
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    struct coded c;
    enum err e = decode_with(&c, "gemini", LLM_GENERATE, faults[i].json);
    if (e != faults[i].e || strcmp(c.info.param, faults[i].param))
      fprintf(stderr, "%s: %s at \"%s\" (%s)\n", faults[i].json, err_code(e), c.info.param, c.info.text);
    assert_int_equal(e, faults[i].e);
    assert_string_equal(c.info.param, faults[i].param);
    coded_clear(&c);
  }
}

/* ---- from other dialects ---- */

#define SKIP "\"thoughtSignature\":\"skip_thought_signature_validator\""

TEST(test_from_openai_chat) {
  check_recoded(
      "openai_chat", "gemini", "gemini-3-pro",
      "{\"model\":\"x\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"developer\",\"content\":"
      "\"d\"},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},{\"type\":\"image_url\",\"image_url\":{"
      "\"url\":\"data:image/png;base64,AAAA\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y.png\"}}]},"
      "{\"role\":\"assistant\",\"content\":\"ok\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{"
      "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":"
      "\"g\","
      "\"arguments\":\"not json\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"one\"},"
      "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"two\"},{\"role\":\"user\",\"content\":\"and?\"}],"
      "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"D\",\"parameters\":{\"type\":"
      "\"object\",\"properties\":{}}}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
      "\"temperature\":0.50,\"top_p\":1,\"max_completion_tokens\":9,\"stop\":\"END\",\"seed\":1,\"n\":1,"
      "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"r\",\"schema\":{\"type\":\"object\"}}}"
      "}",
      "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\"},{\"text\":\"d\"}]},\"contents\":["
      "{\"role\":\"user\",\"parts\":[{\"text\":\"look\"},{\"inlineData\":{\"mimeType\":\"image/"
      "png\",\"data\":\"AAAA\"}},"
      "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://x/y.png\"}}]},"
      "{\"role\":\"model\",\"parts\":[{\"text\":\"ok\"},{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\",\"args\":{"
      "\"a\":1}}," SKIP
      "},{\"functionCall\":{\"id\":\"c2\",\"name\":\"g\",\"args\":{\"_invalid_json\":\"not json\"}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c1\",\"name\":\"f\",\"response\":{\"output\":"
      "\"one\"}}},"
      "{\"functionResponse\":{\"id\":\"c2\",\"name\":\"g\",\"response\":{\"output\":\"two\"}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"text\":\"and?\"}]}],"
      "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"D\",\"parametersJsonSchema\":{\"type\":"
      "\"object\",\"properties\":{}}}]}],"
      "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}},"
      "\"generationConfig\":{\"temperature\":0.50,\"topP\":1,\"maxOutputTokens\":9,\"stopSequences\":[\"END\"],"
      "\"seed\":1,"
      "\"responseMimeType\":\"application/json\",\"responseJsonSchema\":{\"type\":\"object\"}}}");
}

TEST(test_from_anthropic) {
  check_recoded(
      "anthropic", "gemini", "gemini-3-flash",
      "{\"model\":\"x\",\"max_tokens\":50,\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":"
      "\"ephemeral\"}},{\"type\":\"text\",\"text\":\"b\"}],\"messages\":[{\"role\":\"user\",\"content\":\"go\"},"
      "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"SIG\"},"
      "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{\"a\":1}}]},{\"role\":\"user\",\"content\":["
      "{\"type\":\"tool_result\",\"tool_use_id\":\"t1\",\"is_error\":true,\"content\":[{\"type\":\"text\",\"text\":"
      "\"bad\"},"
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"AAAA\"}}]},"
      "{\"type\":\"text\",\"text\":\"well?\"}]}],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":20000}}",
      "{\"systemInstruction\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]},\"contents\":["
      "{\"role\":\"user\",\"parts\":[{\"text\":\"go\"}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":"
      "\"t1\","
      "\"name\":\"f\",\"args\":{\"a\":1}}," SKIP
      "}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"t1\","
      "\"name\":\"f\",\"response\":{\"error\":\"bad\"},\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
      "\"AAAA\"}}]}}]},{\"role\":\"user\",\"parts\":[{\"text\":\"well?\"}]}],\"generationConfig\":{\"maxOutputTokens\":"
      "50,"
      "\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingLevel\":\"HIGH\"}}}");
}

/* Older models: no stand-in, pictures behind the result, a budget within their bounds. */
TEST(test_older_models) {
  check_recoded(
      "anthropic", "gemini", "gemini-2.5-flash",
      "{\"model\":\"x\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"go\"},{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":"
      "["
      "{\"type\":\"tool_result\",\"tool_use_id\":\"t1\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":"
      "\"base64\","
      "\"media_type\":\"image/"
      "png\",\"data\":\"AAAA\"}}]}]}],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":31999}}",
      "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"go\"}]},{\"role\":\"model\",\"parts\":[{"
      "\"functionCall\":{"
      "\"id\":\"t1\",\"name\":\"f\",\"args\":{}}}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"t1\","
      "\"name\":\"f\",\"response\":{\"output\":\"\"}}}]},{\"role\":\"user\",\"parts\":[{\"inlineData\":{\"mimeType\":"
      "\"image/png\",\"data\":\"AAAA\"}}]}],\"generationConfig\":{\"maxOutputTokens\":50,\"thinkingConfig\":{"
      "\"includeThoughts\":true,\"thinkingBudget\":24576}}}");
}

static void check_thinking(const char *model, const char *effort, const char *want) {
  char json[512], whole[512];
  snprintf(json, sizeof json,
           "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"reasoning_effort\":\"%s\"}",
           effort);
  snprintf(whole, sizeof whole, "{" USER ",\"generationConfig\":{\"thinkingConfig\":%s}}", want);
  check_recoded("openai_chat", "gemini", model, json, whole);
}

TEST(test_efforts) {
  check_thinking("gemini-2.5-flash", "low", "{\"includeThoughts\":true,\"thinkingBudget\":1024}");
  check_thinking("gemini-2.5-flash", "medium", "{\"includeThoughts\":true,\"thinkingBudget\":8192}");
  check_thinking("models/gemini-2.5-pro", "high", "{\"includeThoughts\":true,\"thinkingBudget\":24576}");
  check_thinking("gemini-2.5-flash", "none", "{\"thinkingBudget\":0}");
  check_thinking("gemini-2.5-pro", "none", "{\"thinkingBudget\":128}");
  check_thinking("gemini-3-flash", "minimal", "{\"includeThoughts\":true,\"thinkingLevel\":\"MINIMAL\"}");
  check_thinking("gemini-3-pro", "minimal", "{\"includeThoughts\":true,\"thinkingLevel\":\"LOW\"}");
  check_thinking("gemini-3-flash", "xhigh", "{\"includeThoughts\":true,\"thinkingLevel\":\"HIGH\"}");
  check_thinking("gemini-3-flash", "none", "{\"thinkingLevel\":\"MINIMAL\"}");
}

/* A signature of Gemini's own that came back through another dialect goes home; the stand-in is not needed then. */
TEST(test_own_signatures_go_home) {
  struct coded c;
  struct buf out;
  assert_int_equal(decode_with(&c, "openai_chat", LLM_GENERATE,
                               "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
                               "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                               "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]}"),
                   OK);
  c.request.items[1].parts[0].signature = (struct signature){STR("c2ln"), STR("gemini")};
  struct dialect_target target = {.model = STR("gemini-3-pro"), .max_tokens = -1};
  buf_init(&out, 0);
  assert_int_equal(dialect_gemini.encode_request(&c.request, &target, &c.arena, &out, &c.info), OK);
  check_json(buf_str(&out), "{\"contents\":[" HI
                            ",{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":"
                            "\"f\",\"args\":{}},\"thoughtSignature\":\"c2ln\"}]}]}");
  buf_clear(&out);
  coded_clear(&c);
}

TEST(test_hosted_tools) {
  check_recoded("anthropic", "gemini", "m",
                "{\"model\":\"x\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[{"
                "\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":8}]}",
                "{" USER ",\"tools\":[{\"googleSearch\":{}}],\"generationConfig\":{\"maxOutputTokens\":5}}");
}

TEST(test_system_alone_is_said_by_the_user) {
  check_recoded("openai_chat", "gemini", "m",
                "{\"model\":\"x\",\"messages\":[{\"role\":\"system\",\"content\":\"hi\"}]}", "{" USER "}");
}

TEST(test_system_in_mid_conversation) {
  check_recoded(
      "openai_chat", "gemini", "m",
      "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":"
      "\"b\"},{\"role\":\"system\",\"content\":\"c\"},{\"role\":\"user\",\"content\":\"d\"}]}",
      "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\",\"parts\":[{\"text\":"
      "\"b\"}]},{\"role\":\"user\",\"parts\":[{\"text\":\"c\"},{\"text\":\"d\"}]}]}");
}

TEST(test_orphans_are_sent_faithfully) {
  check_recoded("openai_chat", "gemini", "m",
                "{\"model\":\"x\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"lost\",\"content\":\"r\"}]}",
                "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"lost\",\"name\":\"lost\","
                "\"response\":{\"output\":\"r\"}}}]}]}");
}

/* ---- to other dialects ---- */

TEST(test_to_openai_chat) {
  struct coded c;
  assert_int_equal(
      recode(&c, "gemini", "openai_chat", "gpt", LLM_GENERATE,
             "{\"contents\":[" HI ",{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{"
             "\"a\":1}}}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{"
             "\"output\":\"r\"}}}]}],\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{"
             "\"type\":\"OBJECT\"}}]}]}"),
      OK);
  yyjson_doc *doc = yyjson_read(c.out.p, c.out.n, 0);
  yyjson_val *messages = yyjson_obj_get(yyjson_doc_get_root(doc), "messages");
  yyjson_val *call = yyjson_arr_get(yyjson_obj_get(yyjson_arr_get(messages, 1), "tool_calls"), 0);
  assert_true(yyjson_equals(yyjson_obj_get(call, "id"), yyjson_obj_get(yyjson_arr_get(messages, 2), "tool_call_id")));
  yyjson_val *tool = yyjson_arr_get(yyjson_obj_get(yyjson_doc_get_root(doc), "tools"), 0);
  yyjson_val *schema = yyjson_obj_get(yyjson_obj_get(tool, "function"), "parameters");
  assert_string_equal(yyjson_get_str(yyjson_obj_get(schema, "type")), "object");
  yyjson_doc_free(doc);
  coded_clear(&c);
}

TEST(test_several_allowed_names_are_geminis_own) {
  struct coded c;
  assert_int_equal(
      recode(&c, "gemini", "openai_chat", "gpt", LLM_GENERATE,
             "{" USER ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":["
             "\"a\",\"b\"]}}}"),
      ERR_UNSUPPORTED);
  coded_clear(&c);
}

/* ---- countTokens ---- */

TEST(test_count_tokens) {
  const char *plain = "{" USER "}", *wrapped = "{\"generateContentRequest\":{\"model\":\"models/m\"," USER
                                               ",\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]}}}";
  check_recoded_at(__FILE__, __LINE__, "gemini", "gemini", "m", LLM_COUNT_TOKENS, plain, plain);
  check_recoded_at(__FILE__, __LINE__, "gemini", "gemini", "m", LLM_COUNT_TOKENS, wrapped, wrapped);
  check_recoded_at(__FILE__, __LINE__, "anthropic", "gemini", "m", LLM_COUNT_TOKENS,
                   "{\"model\":\"x\",\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", wrapped);
  struct coded c;
  assert_int_equal(decode_with(&c, "gemini", LLM_COUNT_TOKENS, "{\"generateContentRequest\":1}"), ERR_BAD_TYPE);
  coded_clear(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_value_comes_back),
      cmocka_unit_test(test_thinking_comes_back),
      cmocka_unit_test(test_parts_come_back),
      cmocka_unit_test(test_tools_come_back),
      cmocka_unit_test(test_other_spellings_are_read),
      cmocka_unit_test(test_maestro_member_stays_here),
      cmocka_unit_test(test_calls_and_results_are_paired),
      cmocka_unit_test(test_media_and_files),
      cmocka_unit_test(test_openapi_becomes_json_schema),
      cmocka_unit_test(test_deep_schemas_are_refused),
      cmocka_unit_test(test_reasoning_and_format),
      cmocka_unit_test(test_foreign_thought_is_gathered),
      cmocka_unit_test(test_faults_have_paths),
      cmocka_unit_test(test_from_openai_chat),
      cmocka_unit_test(test_from_anthropic),
      cmocka_unit_test(test_older_models),
      cmocka_unit_test(test_efforts),
      cmocka_unit_test(test_own_signatures_go_home),
      cmocka_unit_test(test_hosted_tools),
      cmocka_unit_test(test_system_alone_is_said_by_the_user),
      cmocka_unit_test(test_system_in_mid_conversation),
      cmocka_unit_test(test_orphans_are_sent_faithfully),
      cmocka_unit_test(test_to_openai_chat),
      cmocka_unit_test(test_several_allowed_names_are_geminis_own),
      cmocka_unit_test(test_count_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
