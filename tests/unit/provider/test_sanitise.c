/* Messages of upstreams before a caller sees them: what must go goes, wherever it stands; what explains the failure
 * stays; nothing is cut inside a character; hostile lengths cost no more than reading them. */
#include <stdlib.h>

#include "provider/provider.h"
#include "unit.h"

static const struct http_header headers[] = {
    {STR("Content-Type"), STR("application/json")},
    {STR("Authorization"), STR("Bearer pa$$ word!")},
    {STR("x-extra-key"), STR("abcdefgh-ijklmnop")},
    {STR("x-short"), STR("ab")},
};
static const struct provider provider = {
    .id = STR("acme"),
    .origin = {.host = STR("llm.acme.example")},
    .headers = {headers, sizeof headers / sizeof *headers},
    .secret = STR("pa$$ word!"),
};

static const char *clean(const char *message) {
  static char out[2048];
  memset(out, '#', sizeof out);
  provider_sanitise(&provider, str_from_c(message), out, sizeof out);
  return out;
}

TEST(what_explains_stays) {
  static const char *const texts[] = {
      "The model `gpt-4.1-mini-2025-04-14` does not exist or you do not have access to it.",
      "Invalid value: 'tool'. Supported values are: 'system', 'assistant'; see messages[0].role.",
      "This model's maximum context length is 128000 tokens (max_tokens:4096, n_ctx=8192).",
      "model 'meta-llama/Llama-3.3-70B-Instruct-Turbo' is overloaded at 12:34:56",
      "accounts/fireworks/models/llama-v3p1-405b-instruct not found; try qwen2.5-coder:32b-instruct-q4_K_M",
      "ft:gpt-4o-mini-2024-07-18:acme::AbCdEf12 is gone; anthropic.claude-3-5-sonnet-20241022-v2:0 is not",
      "claude-3-5-sonnet-20241022-extended-thinking-2025 and gemini-2-0-flash-thinking-exp-01-21-preview",
      "Bearer authentication required",
      "request 550e8400-e29b-41d4-a716-446655440000 of 2026-11-20T10:11:12.345Z failed: 50% done?",
      "unexpected std::vector, a:b:c, x=1&y=2, 3.5, v1.2.3, ..., :::, ?",
      "\xc3\x9c"
      "bergro\xc3\x9f: \xe6\xa8\xa1\xe5\x9e\x8b \xf0\x9f\x98\x80",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_string_equal(clean(texts[i]), texts[i]);
}

TEST(the_providers_own_secrets_go_wherever_they_stand) {
  assert_string_equal(clean("key pa$$ word! is wrong"), "key [secret] is wrong");
  assert_string_equal(clean("pa$$ word!"), "[secret]");
  assert_string_equal(clean("xpa$$ word!ypa$$ word!"), "x[secret]y[secret]");
  assert_string_equal(clean("k=abcdefgh-ijklmnop&"), "k=[secret]&");
  assert_string_equal(clean("pa$$ word"), "pa$$ word");                     /* not the secret */
  assert_string_equal(clean("application/json ab"), "application/json ab"); /* no secrets */
}

TEST(a_short_key_is_hidden_as_a_word_only) {
  static const char *const rows[][3] = {
      {"x", "max_tokens: x is wrong (x, x-y)", "max_tokens: [secret] is wrong ([secret], x-y)"},
      {"token", "\"token\": max_tokens, tokens", "\"[secret]\": max_tokens, tokens"},
      {"hunter2", "hunter2", "[secret]"},
      {"hunter22", "xhunter22y", "x[secret]y"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct provider p = {.id = STR("acme"), .secret = str_from_c(rows[i][0])};
    char out[256];
    provider_sanitise(&p, str_from_c(rows[i][1]), out, sizeof out);
    assert_string_equal(out, rows[i][2]);
  }
}

TEST(keys_and_tokens_go) {
  static const char *const rows[][2] = {
      {"Incorrect API key provided: sk-proj-abc****wxyz.", "Incorrect API key provided: [secret]."},
      {"sk-maestro-2fd8a1c9", "[secret]"},
      {"'gsk_0123456789' AIzaSyD-x0123456, AKIAABCDEFGH1234", "'[secret]' [secret], [secret]"},
      {"Authorization: Bearer abc123def", "Authorization: Bearer [secret]"},
      {"bearer: AbcdefGh", "bearer: [secret]"},
      {"bearer \"abcdefghijklmnopqrstuvwx\"", "bearer \"[secret]\""},
      {"eyJhbGciOiJIUzI1NiJ9.e30.abc", "[secret]"},
      {"key 0123456789abcdef0123456789abcdef was revoked", "key [secret] was revoked"},
      {"aB3dE6gH9jK2-mN5pQ8sT1_vW4yZ7xA0", "[secret]"},
      {"(token=0123456789abcdefghij)", "([secret])"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(clean(rows[i][0]), rows[i][1]);
}

TEST(addresses_go) {
  static const char *const rows[][2] = {
      {"see https://platform.example/account/keys.", "see [url]."},
      {"POST http://10.0.0.7:8000/v1/chat: refused", "POST [url]: refused"},
      {"postgres://u:p@db/x", "[url]"},
      {"dial tcp 10.0.0.7:8000: connection refused", "dial tcp [address]: connection refused"},
      {"from 192.168.1.20, 127.0.0.1:1/x and (8.8.8.8)", "from [address], [address] and ([address])"},
      {"addr=10.0.0.7:80", "[address]"},
      {"[2001:db8::1]:443 and ::1, fe80::1%eth0, 1:2:3:4:5:6:7:8, ::ffff:10.0.0.1",
       "[[address]]:443 and [address], [address], [address], [address]"},
      {"llm.acme.example:9000 and LLM.ACME.EXAMPLE/x", "[host] and [host]"},
      {"contact help@vendor.com or api.vendor.ai:443/v1", "contact [host] or [host]"},
      {"lookup vllm-0.vllm.prod.svc.cluster.local", "lookup [host]"},
      {"ollama:11434 and vllm-7b.acme.de:8000/v1: refused", "[host] and [host]: refused"},
      {"localhost:3000, LOCALHOST", "[host], [host]"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(clean(rows[i][0]), rows[i][1]);
}

TEST(a_name_that_begins_like_the_host_stays) {
  const struct provider p = {.origin = {.host = STR("llama")}};
  char out[64];
  provider_sanitise(&p, STR("llama-3.1 at llama"), out, sizeof out);
  assert_string_equal(out, "llama-3.1 at [host]");
}

TEST(control_characters_become_spaces) {
  assert_string_equal(clean("a\r\nb\tc\x1b[31md\x7f"), "a  b c [31md ");
  char out[16];
  provider_sanitise(&provider, STR("a\0b"), out, sizeof out);
  assert_string_equal(out, "a b");
}

TEST(cut_between_characters_at_every_length) {
  static const char text[] = "ab\xc3\xa4 \xe6\xa8\xa1\xe5\x9e\x8b \xf0\x9f\x98\x80 http://x pa$$ word!";
  for (size_t max = 1; max <= sizeof text + 8; max++) {
    char *out = malloc(max);
    provider_sanitise(&provider, str_from(text, sizeof text - 1), out, max);
    assert_true(strlen(out) < max);
    assert_true(str_is_utf8(str_from_c(out)));
    assert_true(str_has_prefix(str_from_c(clean(text)), str_from_c(out)));
    free(out);
  }
}

TEST(hostile_lengths) {
  enum { N = 1 << 20 };
  static const char *const pieces[] = {"a",  "-", "sk-", "://",      "pa$$ word!", "pa$$ word",
                                       "1.", ":", "=",   "\xc3\xa4", "\n"};
  char *text = malloc(N + 16), out[501];
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    size_t n = 0, k = strlen(pieces[i]);
    while (n + k <= N) memcpy(text + n, pieces[i], k), n += k;
    provider_sanitise(&provider, str_from(text, n), out, sizeof out);
    assert_true(strlen(out) <= 500 && str_is_utf8(str_from_c(out)));
    assert_true(str_find(str_from_c(out), provider.secret) == SIZE_MAX);
  }
  free(text);
  provider_sanitise(&provider, STR_NONE, out, sizeof out);
  assert_string_equal(out, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_explains_stays),
      cmocka_unit_test(the_providers_own_secrets_go_wherever_they_stand),
      cmocka_unit_test(a_short_key_is_hidden_as_a_word_only),
      cmocka_unit_test(keys_and_tokens_go),
      cmocka_unit_test(addresses_go),
      cmocka_unit_test(a_name_that_begins_like_the_host_stays),
      cmocka_unit_test(control_characters_become_spaces),
      cmocka_unit_test(cut_between_characters_at_every_length),
      cmocka_unit_test(hostile_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
