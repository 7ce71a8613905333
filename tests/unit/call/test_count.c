/* What a request counts for: text, turns, tools and media, by each vendor's rules. */
#include "call/count.h"

#include <stdlib.h>

#include "base/json.h"
#include "dialect/dialect.h"
#include "policy/budget.h"
#include "unit.h"

static struct count_result count(const char *dialect, const char *body, const char *model) {
  struct arena a;
  struct json doc;
  struct request r;
  struct err_info info = {0};
  const struct dialect *d = dialect_by_name(str_from_c(dialect));
  arena_init(&a, 0);
  struct dialect_request envelope = {.max_tokens = -1};
  assert_int_equal(json_parse_copy(&doc, str_from_c(body), &(struct json_limits){.numbers_are_raw = true}, &a, &info),
                   OK);
  enum err e = d->decode_request(&a, doc.root, &envelope, &r, &info);
  if (e) print_error("%s\n", info.text);
  assert_int_equal(e, OK);
  struct count_result result = count_request(&r, str_from_c(model));
  arena_clear(&a);
  return result;
}

/* The cookbook's example conversation: 129 tokens with gpt-3.5-turbo and gpt-4, 124 with gpt-4o ("How to count tokens
 * with tiktoken"). */
#define TURN(role, name, text) "{\"role\":\"" role "\",\"name\":\"" name "\",\"content\":\"" text "\"}"
static const char conversation[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful, pattern-following assistant "
    "that translates corporate jargon into plain English.\"},"
    TURN("system", "example_user", "New synergies will help drive top-line growth.") ","
    TURN("system", "example_assistant", "Things working well together will increase revenue.") ","
    TURN("system", "example_user", "Let's circle back when we have more bandwidth to touch base on opportunities for "
         "increased leverage.") ","
    TURN("system", "example_assistant", "Let's talk later when we're less busy about how to do better.") ","
    "{\"role\":\"user\",\"content\":\"This late pivot means we don't have time to boil the ocean for the client "
    "deliverable.\"}]}";

TEST(the_cookbooks_conversation) {
  assert_in_range(count("openai_chat", conversation, "gpt-4").tokens, 129 - 4, 129 + 4);
  assert_in_range(count("openai_chat", conversation, "gpt-4o").tokens, 124 - 4, 124 + 4);
}

/* "Token counting" of Anthropic's guide (read 2026-11-28): 14 for the texts, 403 with the tool. */
#define HELLO "\"messages\":[{\"role\":\"user\",\"content\":\"Hello, Claude\"}]"
#define WEATHER                                                                                                    \
  "\"tools\":[{\"name\":\"get_weather\",\"description\":\"Get the current weather in a given location\","          \
  "\"input_schema\":{\"type\":\"object\",\"properties\":{\"location\":{\"type\":\"string\",\"description\":\"The " \
  "city and state, e.g. San Francisco, CA\"}},\"required\":[\"location\"]}}],\"messages\":[{\"role\":\"user\","    \
  "\"content\":\"What's the weather like in San Francisco?\"}]"

TEST(the_examples_of_anthropics_guide) {
  assert_in_range(count("anthropic", "{\"model\":\"m\",\"max_tokens\":1,\"system\":\"You are a scientist\"," HELLO "}",
                        "claude-opus-4-1")
                      .tokens,
                  11, 19);
  assert_in_range(count("anthropic", "{\"model\":\"m\",\"max_tokens\":1," WEATHER "}", "claude-opus-4-1").tokens, 363,
                  443);
}

/* "Tokens" of Gemini's guide (read 2026-11-28): 10. */
TEST(the_example_of_geminis_guide) {
  assert_in_range(count("gemini",
                        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"The quick brown fox jumps over "
                        "the lazy dog.\"}]}]}",
                        "gemini-2.5-flash")
                      .tokens,
                  9, 11);
}

/* A tool of OpenAI's: 7 to begin, 12 for all, 3 for its properties, 3 for each, 3 for each of an enum's values less 3.
 */
TEST(tools_are_framed) {
  const char *without = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
  const char *with =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[{\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"description\":\"d.\",\"parameters\":{\"type\":\"object\","
      "\"properties\":{\"u\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}}}}}]}";
  int64_t lines = tokenizer_count(TOKENIZER_O200K, STR("f:d")) + tokenizer_count(TOKENIZER_O200K, STR("u:string:")) + 2;
  assert_int_equal(count("openai_chat", with, "gpt-4o").tokens - count("openai_chat", without, "gpt-4o").tokens,
                   7 + 12 + 3 + 3 - 3 + 2 * 3 + lines);
}

TEST(schemas_of_any_depth_end) {
  enum { DEPTH = 20 };
  struct buf body;
  buf_init(&body, 0);
  buf_put(
      &body,
      STR("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[{\"type\":\"function\","
          "\"function\":{\"name\":\"f\",\"parameters\":"));
  for (int i = 0; i < DEPTH; i++) buf_put(&body, STR("{\"type\":\"object\",\"properties\":{\"inner\":"));
  buf_put(&body, STR("{\"type\":\"string\"}"));
  for (int i = 0; i < DEPTH; i++) buf_put(&body, STR("}}"));
  buf_put(&body, STR("}}]}"));
  buf_put_char(&body, 0);
  assert_in_range(count("openai_chat", body.p, "gpt-4o").tokens, DEPTH * 4, DEPTH * 40);
  buf_clear(&body);
}

/* The picture is a PNG of 640 x 480. */
#define PICTURE "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAA="

TEST(pictures_count_by_their_size) {
  struct count_result r = count("openai_chat",
                                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                                "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64," PICTURE "\"}}]}]}",
                                "gpt-4o");
  assert_int_equal(r.media, 85 + 2 * 170);
  r = count("anthropic",
            "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
            "\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"" PICTURE "\"}}]}]}",
            "claude-sonnet-4-5");
  assert_int_equal(r.media, 23 * 18);
  assert_true(r.tokens > r.media);
}

/* The bound of a reservation (policy/budget.h). */
TEST(nothing_counts_more_than_the_bound) {
  const char *picture =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
      "{\"url\":\"https://example.com/a.png\"}}]}]}";
  const char *const bodies[] = {conversation, picture};
  const char *const models[] = {"gpt-4o", "gpt-4o-mini", "claude-opus-4-7", "gemini-3-pro", "qwen3"};
  for (size_t b = 0; b < 2; b++)
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
      assert_true(count("openai_chat", bodies[b], models[m]).tokens <=
                  budget_input_bound(str_from_c(bodies[b]), budget_picture_tokens(str_from_c(models[m]))));
}

TEST(output_counts_however_it_is_cut) {
  struct str text = STR("The answer is 42; das ist schön, 本当に。");
  struct count_output whole = {0};
  count_output_add(&whole, text);
  for (size_t cut = 0; cut <= text.n; cut++) {
    struct count_output parts = {0};
    count_output_add(&parts, str_sub(text, 0, cut));
    count_output_add(&parts, str_sub(text, cut, text.n));
    assert_int_equal(count_output_tokens(&parts, STR("gpt-4o")), count_output_tokens(&whole, STR("gpt-4o")));
  }
  assert_in_range(count_output_tokens(&whole, STR("gpt-4o")), 10, 24);
  assert_int_equal(count_output_tokens(&(struct count_output){0}, STR("gpt-4o")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_cookbooks_conversation),         cmocka_unit_test(the_examples_of_anthropics_guide),
      cmocka_unit_test(the_example_of_geminis_guide),       cmocka_unit_test(tools_are_framed),
      cmocka_unit_test(schemas_of_any_depth_end),           cmocka_unit_test(pictures_count_by_their_size),
      cmocka_unit_test(nothing_counts_more_than_the_bound), cmocka_unit_test(output_counts_however_it_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
