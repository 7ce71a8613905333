/* Where requests come from: what real clients were seen to send (tests/fixtures/clients), and what paths say of others.
 */
#include "record/source.h"

#include <dirent.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/json_pool.h"
#include "llm/request.h"
#include "unit.h"

/* The client's folder, and how it is to be named. claude-code-router and Continue's Anthropic provider send the user
 * agent of any program of Node.js; LangChain's Anthropic is the vendor's own library. */
static const struct {
  const char *client, *source;
} expected[] = {
    {"ai-sdk-anthropic", "AI-SDK"},
    {"ai-sdk-google", "AI-SDK"},
    {"ai-sdk-openai", "AI-SDK"},
    {"ai-sdk-openai-compatible", "AI-SDK"},
    {"anthropic-js", "Anthropic-SDK"},
    {"aws-bedrock-js", "AWS-SDK"},
    {"claude-code", "Claude-Code"},
    {"claude-code-2.1.197", "Claude-Code"},
    {"claude-code-router", "Node.js"},
    {"codex", "Codex"},
    {"continue-anthropic", "Node.js"},
    {"continue-gemini", "Google-GenAI-SDK"},
    {"continue-openai", "Continue"},
    {"gemini-cli", "Gemini-CLI"},
    {"google-genai-js", "Google-GenAI-SDK"},
    {"langchain-anthropic", "Anthropic-SDK"},
    {"langchain-openai", "LangChain"},
    {"ollama-js", "Ollama-SDK"},
    {"openai-js", "OpenAI-SDK"},
    {"opencode-anthropic", "opencode"},
    {"opencode-compat", "opencode"},
    {"opencode-google", "opencode"},
    {"opencode-openai", "opencode"},
};

enum { HEADERS_MAX = 64 };

static void check_file(const char *file, const char *source) {
  yyjson_doc *doc = yyjson_read_file(file, 0, NULL, NULL);
  assert_non_null(doc);
  yyjson_val *root = yyjson_doc_get_root(doc), *key, *value;
  struct http_header h[HEADERS_MAX];
  size_t n = 0, i, max;
  yyjson_obj_foreach(yyjson_obj_get(root, "headers"), i, max, key, value) {
    assert_true(n < HEADERS_MAX);
    h[n++] = (struct http_header){str_from_c(yyjson_get_str(key)), str_from_c(yyjson_get_str(value))};
  }
  struct str path = json_pool_str(root, "path"), query;
  str_cut(path, '?', &path, &query);
  struct str got = source_of((struct http_headers){h, n}, path);
  if (!str_eq(got, str_from_c(source))) fail_msg("%s: %.*s, not %s", file, STR_ARG(got), source);
  yyjson_doc_free(doc);
}

TEST(captured_clients_are_known) {
  int files = 0;
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    char folder[128], file[400];
    snprintf(folder, sizeof folder, "tests/fixtures/clients/%s", expected[i].client);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *f; (f = readdir(d)); files++) {
      if (!str_has_suffix(str_from_c(f->d_name), STR(".json"))) continue;
      snprintf(file, sizeof file, "%s/%s", folder, f->d_name);
      check_file(file, expected[i].source);
    }
    closedir(d);
  }
  assert_true(files > 100);
}

static struct str of(const char *route, const char *header, const char *value) {
  const struct http_header h[] = {{str_from_c(header), str_from_c(value)}};
  return source_of((struct http_headers){h, header ? 1 : 0}, str_from_c(route));
}

TEST(paths_tell_of_unknown_tools) {
  static const char *const rows[][2] = {{"/openclaw/api/chat", "OpenClaw"},
                                        {"/claude/v1/messages", "Claude"},
                                        {"/grafana/assistant/api/v1/chat", "Grafana"},
                                        {"/cursor/chat/completions", "Cursor"},
                                        {"/codex/responses", "Codex-Desktop"},
                                        {"/v1/responses", "Codex-Desktop-Responses"},
                                        {"/api/openai/v1/responses", "Codex-Desktop-Responses"},
                                        {"/api/chat", "Ollama Native"},
                                        {"/api/embed", "Ollama Native"},
                                        {"/v1/chat/completions", "OpenAI-Compatible"},
                                        {"/chat/completions", "OpenAI-Compatible"},
                                        {"/api/openai/v1/embeddings", "OpenAI-Compatible"},
                                        {"/v1/messages", "Anthropic"},
                                        {"/api/anthropic/beta/v1/messages/count_tokens", "Anthropic"},
                                        {"/v1beta/models/{model}:generateContent", "Gemini"},
                                        {"/v1/models/{model}:countTokens", "Gemini"},
                                        {"/api/gemini/v1/models/{model}:embedContent", "Gemini"},
                                        {"/elsewhere", "Unknown"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_str(of(rows[i][0], NULL, NULL), str_from_c(rows[i][1]));
    assert_str(of(rows[i][0], "User-Agent", "MyTool/1.0"), str_from_c(rows[i][1]));
  }
}

TEST(headers_come_before_the_path) {
  assert_str(of("/v1/messages", "X-Maestro-Client", "Cowork"), STR("Claude-Desktop"));
  assert_str(of("/v1/messages", "X-Maestro-Client", "something"), STR("Anthropic"));
  assert_str(of("/v1/chat/completions", "user-agent", "Mozilla/5.0 Cursor/1.2 Electron"), STR("Cursor"));
  assert_str(of("/v1/chat/completions", "user-agent", "my-openclaw-bot"), STR("OpenClaw"));
  assert_str(of("/v1/chat/completions", "user-agent", "AsyncOpenAI/Python 1.2"), STR("OpenAI-SDK"));
  assert_str(of("/v1/messages", "x-stainless-lang", "go"), STR("Anthropic-SDK"));
  assert_str(of("/v1/chat/completions", "x-stainless-lang", "go"), STR("OpenAI-SDK"));
  /* A prefix that is one tool's own is that tool's, whatever library speaks. */
  assert_str(of("/cursor/chat/completions", "user-agent", "OpenAI/JS 7"), STR("Cursor"));
  /* Only the beginning of a header is looked at; none may cost much. */
  char text[4000];
  memset(text, '*', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  assert_str(of("/v1/chat/completions", "user-agent", text), STR("OpenAI-Compatible"));
}

TEST(types) {
  assert_str(source_request_type(LLM_GENERATE, STR("/v1/messages")), STR("chat"));
  assert_str(source_request_type(LLM_COMPLETE, STR("/v1/completions")), STR("completion"));
  assert_str(source_request_type(LLM_COMPLETE, STR("/api/generate")), STR("generate"));
  assert_str(source_request_type(LLM_EMBED, STR("/api/embed")), STR("embedding"));
  assert_str(source_request_type(LLM_COUNT_TOKENS, STR("/v1/messages/count_tokens")), STR("count"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(captured_clients_are_known),
                                     cmocka_unit_test(paths_tell_of_unknown_tools),
                                     cmocka_unit_test(headers_come_before_the_path), cmocka_unit_test(types)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
