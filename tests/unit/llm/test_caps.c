/* What a target cannot say: each row of caps.def against a request that has just that, refused with its path or left
 * out and named; and the list of what was left out. */
#include "llm/caps.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json.h"
#include "unit.h"

static struct arena arena;
static struct yyjson_val *tree; /* {"x":1}: something that is not nothing */
static struct request request;
static struct request_item item;
static struct request_part part, inner;
static struct request_tool tool;
static struct media media;
static const struct request_words words = {
    .list = "messages", .system = "system", .content = "content", .tools = "tools"};

static struct yyjson_val *parse(const char *text) {
  struct json doc;
  const struct json_limits limits = {.numbers_are_raw = true};
  assert_int_equal(json_parse_copy(&doc, str_from_c(text), &limits, &arena, NULL), OK);
  return doc.root;
}

/* A user's turn with one text. */
static void begin(void) {
  arena_init(&arena, 0);
  tree = parse("{\"x\":1}");
  part = (struct request_part){.kind = PART_TEXT, .source = 1, .text = STR("t")};
  inner = (struct request_part){.kind = PART_TEXT, .source = 4};
  item = (struct request_item){.role = ROLE_USER, .source = 2, .form = CONTENT_ARRAY, .parts = &part, .part_count = 1};
  tool = (struct request_tool){.source = 3, .name = STR("f"), .strict = -1};
  media = (struct media){.data = STR("QQ==")};
  request_init(&request, STR("caller"), LLM_GENERATE);
  request.items = &item;
  request.item_count = 1;
}

static void end(void) { arena_clear(&arena); }

static void has_media(enum part_kind kind) {
  part.kind = kind;
  part.media = &media;
}

static void has_media_url(enum part_kind kind) {
  has_media(kind);
  media = (struct media){.url = STR("https://x")};
}

static void has_media_file(enum part_kind kind) {
  has_media(kind);
  media = (struct media){.file_id = STR("file-1")};
}

static void has_result(enum part_kind kind) {
  part = (struct request_part){.kind = PART_TOOL_RESULT, .source = 1, .results = &inner, .result_count = 1};
  inner.kind = kind;
  inner.media = kind == PART_IMAGE ? &media : NULL;
}

static void has_tool(void) {
  request.tools = &tool;
  request.tool_count = 1;
}

/* One line a row: how a request gets it, and the path that is then named. */
static const char *give(enum cap cap) {
  static struct str stop[] = {STR("\n")};
  static struct request_item two[2];
  static const char path_part[] = "messages[2].content[1]", path_tool[] = "tools[3]";
  switch (cap) {
    case CAP_SYSTEM_MID:
      two[0] = item;
      two[1] = (struct request_item){.role = ROLE_SYSTEM, .source = 7};
      request.items = two;
      request.item_count = 2;
      return "messages[7]";
    case CAP_DEVELOPER_ROLE: item.role = ROLE_DEVELOPER; return NULL; /* said as system: nothing is lost */
    case CAP_PARTICIPANT_NAME: item.name = STR("Ann"); return "messages[2].name";
    case CAP_IMAGE_DATA: has_media(PART_IMAGE); return path_part;
    case CAP_IMAGE_URL: has_media_url(PART_IMAGE); return path_part;
    case CAP_IMAGE_FILE: has_media_file(PART_IMAGE); return path_part;
    case CAP_IMAGE_DETAIL:
      has_media(PART_IMAGE);
      media.detail = STR("low");
      return "messages[2].content[1].image_url.detail";
    case CAP_DOCUMENT_DATA: has_media(PART_DOCUMENT); return path_part;
    case CAP_DOCUMENT_TEXT:
      has_media(PART_DOCUMENT);
      media = (struct media){.text = STR("plain")};
      return path_part;
    case CAP_DOCUMENT_URL: has_media_url(PART_DOCUMENT); return path_part;
    case CAP_DOCUMENT_FILE: has_media_file(PART_DOCUMENT); return path_part;
    case CAP_AUDIO_DATA: has_media(PART_AUDIO); return path_part;
    case CAP_VIDEO_DATA: has_media(PART_VIDEO); return path_part;
    case CAP_TOOLS: has_tool(); return path_tool;
    case CAP_TOOL_CUSTOM:
      has_tool();
      tool.kind = TOOL_CUSTOM;
      return path_tool;
    case CAP_TOOL_HOSTED:
      has_tool();
      tool.kind = TOOL_HOSTED;
      tool.raw = tree;
      return path_tool;
    case CAP_TOOL_NAMESPACE:
      has_tool();
      tool.namespace = STR("n");
      return NULL; /* said within the name */
    case CAP_TOOL_STRICT:
      has_tool();
      tool.strict = 1;
      return "tools[3].function.strict";
    case CAP_TOOL_CHOICE_NONE: request.tool_choice = TOOL_CHOICE_NONE; return "tool_choice";
    case CAP_TOOL_CHOICE_REQUIRED: request.tool_choice = TOOL_CHOICE_REQUIRED; return "tool_choice";
    case CAP_TOOL_CHOICE_NAMED: request.tool_choice = TOOL_CHOICE_NAMED; return "tool_choice";
    case CAP_PARALLEL_TOOL_CALLS: request.parallel_tool_calls = 0; return "parallel_tool_calls";
    case CAP_RESULT_RICH: has_result(PART_IMAGE); return path_part;
    case CAP_RESULT_ERROR:
      has_result(PART_TEXT);
      part.is_error = true;
      return "messages[2].content[1].is_error";
    case CAP_SERVER_TOOL: part.kind = PART_SERVER_TOOL; return path_part;
    case CAP_REASONING_HISTORY: part.kind = PART_REASONING; return path_part;
    case CAP_REASONING_EFFORT: request.reasoning.effort = STR("low"); return "reasoning_effort";
    case CAP_EFFORT_OTHER: request.reasoning.effort = STR("turbo"); return "reasoning_effort";
    case CAP_REASONING_BUDGET: request.reasoning.budget_tokens = 0; return "thinking.budget_tokens";
    case CAP_REASONING_OFF: request.reasoning.enabled = 0; return "thinking";
    case CAP_CITATIONS: part.citations = tree; return "messages[2].content[1].citations";
    case CAP_CACHE_MARKER: part.cache.raw = tree; return "messages[2].content[1].cache_control";
    case CAP_FORMAT_JSON_OBJECT: request.format = FORMAT_JSON_OBJECT; return "response_format";
    case CAP_FORMAT_JSON_SCHEMA: request.format = FORMAT_JSON_SCHEMA; return "response_format";
    case CAP_TEMPERATURE: request.temperature = STR("0"); return "temperature";
    case CAP_TOP_P: request.top_p = STR("1"); return "top_p";
    case CAP_TOP_K: request.top_k = STR("1"); return "top_k";
    case CAP_FREQUENCY_PENALTY: request.frequency_penalty = STR("0.1"); return "frequency_penalty";
    case CAP_PRESENCE_PENALTY: request.presence_penalty = STR("-1e-1"); return "presence_penalty";
    case CAP_SEED: request.seed = STR("7"); return "seed";
    case CAP_STOP:
      request.stop = stop;
      request.stop_count = 1;
      return "stop";
    case CAP_CHOICES: request.choices = STR("2"); return "n";
    case CAP_LOGPROBS: request.logprobs = 1; return "logprobs";
    case CAP_LOGIT_BIAS: request.logit_bias = tree; return "logit_bias";
    case CAP_METADATA: request.metadata = tree; return "metadata";
    case CAP_USER: request.user = STR("u"); return "user";
    case CAP_STORE: request.store = 1; return "store";
    case CAP_SERVICE_TIER: request.service_tier = STR("auto"); return "service_tier";
    case CAP_PROMPT_CACHE_KEY: request.prompt_cache_key = STR("k"); return "prompt_cache_key";
    case CAP_VERBOSITY: request.verbosity = STR("low"); return "verbosity";
    case CAP_OPAQUE_PART: part.kind = PART_OPAQUE; return path_part;
    case CAP_DIMENSIONS: request.dimensions = STR("256"); return "dimensions";
    case CAP_NATIVE_MEMBER: request.native_member = "background"; return "background";
    case CAP_SUFFIX: request.suffix = STR("}"); return "suffix";
    case CAP_ECHO: request.echo = 1; return "echo";
    case CAP_BEST_OF: request.best_of = STR("3"); return "best_of";
    case CAP_AUDIO_ANSWER: request.wants_audio = true; return "modalities";
    case CAPS_COUNT: break;
  }
  fail();
  return NULL;
}

static const caps_set everything = (CAP_BIT(AUDIO_ANSWER) << 1) - 1; /* the last row's bit and all below */

static enum err check(caps_set can, struct caps_dropped *dropped, struct err_info *info) {
  *info = (struct err_info){0};
  caps_dropped_init(dropped);
  return caps_check(&request, STR("target"), can, &words, dropped, info);
}

TEST(every_row_is_refused_or_named) {
  struct caps_dropped dropped;
  struct err_info info;
  assert_int_equal(everything, (UINT64_C(1) << CAPS_COUNT) - 1);
  for (int cap = 0; cap < CAPS_COUNT; cap++) {
    begin();
    const char *path = give((enum cap)cap);
    assert_int_equal(check(everything, &dropped, &info), OK);
    assert_int_equal(dropped.names.n, 0);
    caps_dropped_clear(&dropped);

    enum err e = check(everything & ~(UINT64_C(1) << cap), &dropped, &info);
    if (caps_class((enum cap)cap) == CAP_CLASS_ANSWER) {
      assert_int_equal(e, ERR_UNSUPPORTED);
      assert_string_equal(info.param, path);
      assert_int_equal(err_info_status(e, &info), 400);
      assert_true(str_has_prefix(str_from_c(info.text), str_from_c(caps_word((enum cap)cap))));
      assert_non_null(strstr(info.text, "target"));
      assert_int_equal(dropped.names.n, 0);
    } else {
      assert_int_equal(e, OK);
      assert_str(buf_str(&dropped.names), str_from_c(path));
    }
    caps_dropped_clear(&dropped);

    request.dialect = STR("target"); /* its own dialect: nothing is anybody's business */
    assert_int_equal(check(0, &dropped, &info), OK);
    assert_int_equal(dropped.names.n, 0);
    caps_dropped_clear(&dropped);
    end();
  }
}

TEST(a_refusal_says_what_comes_near) {
  struct caps_dropped dropped;
  struct err_info info;
  begin();
  has_media_url(PART_IMAGE);
  assert_int_equal(check(CAP_BIT(IMAGE_DATA), &dropped, &info), ERR_UNSUPPORTED);
  assert_string_equal(info.text,
                      "image by URL cannot be said in the target API of the model that was asked for; the "
                      "picture itself can, as base64");
  caps_dropped_clear(&dropped);
  assert_int_equal(check(0, &dropped, &info), ERR_UNSUPPORTED); /* nor can it have the other */
  assert_string_equal(info.text, "image by URL cannot be said in the target API of the model that was asked for");
  caps_dropped_clear(&dropped);
  end();
}

TEST(a_plain_request_needs_nothing) {
  struct caps_dropped dropped;
  struct err_info info;
  begin();
  item.role = ROLE_SYSTEM; /* at the head it is no mid-conversation */
  request.choices = request.best_of = STR("1");
  request.store = request.logprobs = request.echo = 0;
  request.frequency_penalty = STR("0");
  request.presence_penalty = STR("-0.0e9"); /* a nought changes nothing */
  request.format = FORMAT_TEXT;
  request.tool_choice = TOOL_CHOICE_AUTO;
  assert_int_equal(check(0, &dropped, &info), OK);
  assert_int_equal(dropped.names.n, 0);
  caps_dropped_clear(&dropped);
  end();
}

TEST(forms_that_have_no_name) {
  struct caps_dropped dropped;
  struct err_info info;
  begin();
  request.tool_choice_raw = tree; /* {"type":"allowed_tools"} and what else comes */
  assert_int_equal(check(everything, &dropped, &info), ERR_UNSUPPORTED);
  assert_string_equal(info.param, "tool_choice");
  caps_dropped_clear(&dropped);
  end();
  begin();
  has_result(PART_OPAQUE);
  assert_int_equal(check(everything & ~CAP_BIT(OPAQUE_PART), &dropped, &info), ERR_UNSUPPORTED);
  assert_string_equal(info.param, "messages[2].content[1]");
  caps_dropped_clear(&dropped);
  end();
  static const enum part_kind thoughts[] = {PART_REASONING_SUMMARY, PART_REDACTED};
  for (size_t i = 0; i < 2; i++) {
    begin();
    part.kind = thoughts[i];
    assert_int_equal(check(0, &dropped, &info), OK);
    assert_str(buf_str(&dropped.names), STR("messages[2].content[1]"));
    caps_dropped_clear(&dropped);
    end();
  }
}

static void keep(struct json_rest *rest, const char *text) {
  struct yyjson_val *none[1];
  assert_int_equal(json_split(&arena, parse(text), NULL, 0, none, rest, NULL), OK);
}

TEST(unknown_members_are_named_wherever_they_stand) {
  struct caps_dropped dropped;
  struct err_info info;
  begin();
  has_tool();
  has_result(PART_TEXT);
  keep(&request.rest, "{\"new\":1,\"null_is_nothing\":null,\"two words\":1,\"caf\\u00e9\":1,\"a,b\":1,\"\":1}");
  keep(&request.nested, "{\"thinking.block\":1}");
  keep(&item.rest, "{\"m\":1}");
  keep(&part.rest, "{\"p\":[]}");
  keep(&inner.rest, "{\"r\":{}}");
  inner.cache.raw = tree;
  tool.cache.raw = tree;
  tool.namespace = STR("n"); /* hides none of what the tool has beside it */
  tool.strict = 1;
  keep(&tool.rest, "{\"t\":false}");
  assert_int_equal(check(CAP_BIT(TOOLS), &dropped, &info), OK);
  assert_str(buf_str(&dropped.names),
             STR("messages[2].m, messages[2].content[1].content[4].cache_control, "
                 "messages[2].content[1].content[4].r, messages[2].content[1].p, tools[3].cache_control, "
                 "tools[3].function.strict, tools[3].t, new, thinking.block"));
  caps_dropped_clear(&dropped);
  end();
}

TEST(parts_of_a_plain_result_have_its_path) {
  struct caps_dropped dropped;
  struct err_info info;
  static const uint32_t sources[] = {UINT32_MAX, REQUEST_SOURCE_ITEM};
  for (size_t i = 0; i < 2; i++) {
    begin();
    has_result(PART_TEXT);
    inner.source = sources[i];
    inner.cache.raw = tree;
    assert_int_equal(check(0, &dropped, &info), OK);
    assert_str(buf_str(&dropped.names), STR("messages[2].content[1].cache_control"));
    caps_dropped_clear(&dropped);
    end();
  }
}

TEST(what_is_left_out_of_a_part_has_the_callers_word) {
  static const struct request_word own[] = {
      {"image_url.detail", "detail"}, {"function.strict", "strict"}, {NULL, NULL}};
  struct request_words responses = words;
  struct caps_dropped dropped;
  struct err_info info;
  begin();
  has_media(PART_IMAGE);
  media.detail = STR("low");
  has_tool();
  tool.strict = 1;
  responses.members = own;
  caps_dropped_init(&dropped);
  assert_int_equal(
      caps_check(&request, STR("target"), CAP_BIT(IMAGE_DATA) | CAP_BIT(TOOLS), &responses, &dropped, &info), OK);
  assert_str(buf_str(&dropped.names), STR("messages[2].content[1].detail, tools[3].strict"));
  caps_dropped_clear(&dropped);
  end();
}

/* ---- the list ---- */

TEST(each_path_once) {
  struct caps_dropped d;
  caps_dropped_init(&d);
  static const char *const paths[] = {"a", "a.b", "a", "b", "a.b", "", "a b", "a\n", "caf\xc3\xa9", "a,b", "ab"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) caps_dropped_add(&d, paths[i]);
  assert_str(buf_str(&d.names), STR("a, a.b, b, ab"));
  caps_dropped_clear(&d);
}

TEST(the_list_is_bounded) {
  struct caps_dropped d;
  char path[ERR_PARAM_MAX];
  caps_dropped_init(&d);
  for (int i = 0; i < 100000; i++) {
    snprintf(path, sizeof path, "messages[%d].content[0].cache_control", i);
    caps_dropped_add(&d, path);
  }
  assert_false(d.names.failed);
  assert_true(d.names.n <= CAPS_DROPPED_BYTES_MAX + 8 && d.names.n > CAPS_DROPPED_BYTES_MAX - 60);
  assert_true(str_has_suffix(buf_str(&d.names), STR("cache_control, ...")));
  size_t n = d.names.n;
  caps_dropped_add(&d, "x"); /* would still fit, but the end has been said */
  assert_int_equal(d.names.n, n);
  caps_dropped_clear(&d);
}

TEST(a_path_that_ends_in_dots_ends_nothing) {
  struct caps_dropped d;
  caps_dropped_init(&d);
  caps_dropped_add(&d, "rest...");
  caps_dropped_add(&d, "...");
  caps_dropped_add(&d, "user");
  assert_str(buf_str(&d.names), STR("rest..., ..., user"));
  caps_dropped_clear(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_refused_or_named),
      cmocka_unit_test(a_refusal_says_what_comes_near),
      cmocka_unit_test(a_plain_request_needs_nothing),
      cmocka_unit_test(forms_that_have_no_name),
      cmocka_unit_test(unknown_members_are_named_wherever_they_stand),
      cmocka_unit_test(parts_of_a_plain_result_have_its_path),
      cmocka_unit_test(what_is_left_out_of_a_part_has_the_callers_word),
      cmocka_unit_test(each_path_once),
      cmocka_unit_test(the_list_is_bounded),
      cmocka_unit_test(a_path_that_ends_in_dots_ends_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
