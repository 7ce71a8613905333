/* OpenAI chat replies and chunks on their way through: what they mean (events, usage), what is spliced or withheld, and
 * that all other bytes stay. */
#include "dialect/openai_chat.h"

#include <stdio.h>

#include "unit.h"

static const struct dialect *const d = &dialect_openai_chat;

static const struct dialect_reply_edits none = {0}, rename_it = {.model = STR("p/m")},
                                        hide = {.model = STR("p/m"), .hide_usage = true};

struct seen {
  enum err e;
  struct events events;
  struct buf out;
  struct err_info info;
};

static void clear(struct seen *s) { buf_clear(&s->out); }

static struct seen reply(const char *body, const struct dialect_reply_edits *edits) {
  struct seen s = {.e = OK};
  s.e = d->relay_reply(str_from_c(body), edits, &s.events, &s.out, &s.info);
  return s;
}

/* All frames of a stream. Events of the frames are joined. */
static struct seen stream_with(struct dialect_stream *state, const char *text,
                               const struct dialect_reply_edits *edits) {
  struct seen s = {.e = OK};
  struct frame_sse frames;
  struct frame frame;
  struct events events;
  frame_sse_init(&frames, 0);
  frame_sse_feed(&frames, str_from_c(text));
  while (!s.e && frame_sse_next(&frames, &frame, &s.e)) {
    if ((s.e = d->relay_frame(state, &frame, edits, &events, &s.out, &s.info))) break;
    s.events.kinds |= events.kinds;
    s.events.is_usage_alone = s.events.is_usage_alone || events.is_usage_alone;
    if (events_has(&events, EVENT_USAGE)) s.events.usage = events.usage;
  }
  frame_sse_clear(&frames);
  return s;
}

static struct seen stream(const char *text, const struct dialect_reply_edits *edits) {
  struct dialect_stream state = {0};
  return stream_with(&state, text, edits);
}

static void expect_out(struct seen s, const char *expected) {
  assert_int_equal(s.e, OK);
  if (!str_eq(buf_str(&s.out), str_from_c(expected))) print_error("%.*s\n", STR_ARG(buf_str(&s.out)));
  assert_str(buf_str(&s.out), str_from_c(expected));
  clear(&s);
}

#define BITS2(a, b) ((1u << EVENT_##a) | (1u << EVENT_##b))

TEST(whole_replies_say_what_they_are) {
  struct seen s = reply("{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]}", &rename_it);
  assert_int_equal(s.events.kinds, BITS2(START, STOP) | 1u << EVENT_DELTA);
  expect_out(s, "{\"id\":\"x\",\"model\":\"p/m\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]}");
  s = reply("{\"choices\":[{\"message\":{\"content\":\"\",\"refusal\":null,\"tool_calls\":[ ]}}]}", &rename_it);
  assert_int_equal(s.events.kinds, BITS2(START, STOP)); /* empty, and without a model to splice */
  expect_out(s, "{\"choices\":[{\"message\":{\"content\":\"\",\"refusal\":null,\"tool_calls\":[ ]}}]}");
  expect_out(reply(" { \"model\" : null , \"choices\":[],\"x\":1.00 } \n", &rename_it),
             " { \"model\" : null , \"choices\":[],\"x\":1.00 } \n");
  expect_out(reply("{\"m\\u006fdel\":\"\\u0041\",\"choices\":[]}", &rename_it),
             "{\"m\\u006fdel\":\"p/m\",\"choices\":[]}");
  expect_out(reply("{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", &none),
             "{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}");
}

TEST(what_is_no_reply) {
  static const char *const bodies[] = {"",
                                       "x",
                                       "[]",
                                       "null",
                                       "\"x\"",
                                       "{",
                                       "{}",
                                       "{\"choices\":null}",
                                       "{\"choices\":{}}",
                                       "{\"choices\":[]}x",
                                       "{\"choices\":[],\"choices\":[]}",
                                       "{\"choices\":[],\"model\":\"a\",\"model\":\"b\"}",
                                       "{\"error\":null}",
                                       "{\"choices\":[\"\xff\"]}"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    struct seen s = reply(bodies[i], &rename_it);
    assert_int_equal(s.e, ERR_UPSTREAM_PROTOCOL);
    assert_true(s.info.text[0] && s.out.n == 0);
    clear(&s);
  }
}

TEST(errors_travel_under_any_status) {
  static const char *const errors[] = {"{\"error\":{\"message\":\"m\"}}", "{\"error\":\"m\"}", "{\"error\":{}}",
                                       "{\"error\":\"\"}", "{\"choices\":[],\"error\":{\"code\":1}}"};
  static const char *const fine[] = {"{\"choices\":[],\"error\":null}", "{\"choices\":[],\"error\":{}}",
                                     "{\"choices\":[],\"error\":\"\"}", "{\"choices\":[],\"error\":false}"};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    struct seen s = reply(errors[i], &rename_it);
    assert_true(s.e == OK && s.events.kinds == 1u << EVENT_ERROR && s.out.n == 0);
    clear(&s);
  }
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) expect_out(reply(fine[i], &rename_it), fine[i]);
}

/* in, out, cache read, cache write, reasoning; -1 unknown */
static void expect_usage(const char *usage, const int64_t expected[USAGE_CLASSES]) {
  char body[512];
  snprintf(body, sizeof body, "{\"choices\":[],\"usage\":%s}", usage);
  struct seen s = reply(body, &none);
  assert_int_equal(s.e, OK);
  bool any = false;
  for (int i = 0; i < USAGE_CLASSES; i++) {
    if (usage_has(&s.events.usage, (enum usage_class)i) != (expected[i] >= 0)) print_error("%s: class %d\n", usage, i);
    assert_int_equal(usage_has(&s.events.usage, (enum usage_class)i), expected[i] >= 0);
    if (expected[i] >= 0) assert_int_equal(s.events.usage.tokens[i], expected[i]);
    any = any || expected[i] >= 0;
  }
  assert_int_equal(events_has(&s.events, EVENT_USAGE), any);
  clear(&s);
}

TEST(usage_in_every_spelling) {
  static const struct {
    const char *usage;
    int64_t expected[USAGE_CLASSES];
  } rows[] = {
      {"{\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21,\"prompt_tokens_details\":{\"cached_tokens\":"
       "4,"
       "\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":5,\"audio_tokens\":0}}",
       {9, 12, 4, -1, 5}},
      {"{\"prompt_tokens\":9,\"completion_tokens\":1,\"prompt_cache_hit_tokens\":6,\"prompt_cache_miss_tokens\":3}",
       {9, 1, 6, -1, -1}},                                                                      /* DeepSeek */
      {"{\"prompt_tokens\":9,\"completion_tokens\":1,\"cached_tokens\":2}", {9, 1, 2, -1, -1}}, /* Moonshot */
      {"{\"prompt_tokens\":9,\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":2,"
       "\"cache_write_tokens\":3},\"cost\":0.001}",
       {9, 1, 2, 3, -1}}, /* OpenRouter */
      {"{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":40,\"completion_tokens_details\":"
       "{\"reasoning_tokens\":30}}",
       {9, 31, -1, -1, 30}}, /* xAI counts reasoning apart */
      {"{\"prompt_tokens\":9,\"completion_tokens\":31,\"total_tokens\":40,\"completion_tokens_details\":"
       "{\"reasoning_tokens\":30}}",
       {9, 31, -1, -1, 30}},
      {"{\"prompt_tokens\":12.0,\"completion_tokens\":0}", {12, 0, -1, -1, -1}},
      {"{\"prompt_tokens\":12.5,\"completion_tokens\":1e3}", {-1, -1, -1, -1, -1}},
      {"{\"prompt_tokens\":-1,\"completion_tokens\":\"7\"}", {-1, -1, -1, -1, -1}},
      {"{\"prompt_tokens\":null,\"completion_tokens\":9007199254740993}", {-1, -1, -1, -1, -1}},
      {"{\"prompt_tokens\":99999999999999999999,\"completion_tokens\":2}", {-1, 2, -1, -1, -1}},
      {"{\"prompt_tokens\":1,\"completion_tokens\":2,\"prompt_tokens_details\":null}", {1, 2, -1, -1, -1}},
      {"{\"note\":\"\\\"cached_tokens\\\":5\",\"prompt_tokens\":1,\"completion_tokens\":2}", {1, 2, -1, -1, -1}},
      {"{}", {-1, -1, -1, -1, -1}},
      {"null", {-1, -1, -1, -1, -1}},
      {"[]", {-1, -1, -1, -1, -1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect_usage(rows[i].usage, rows[i].expected);
}

#define CHOICE "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]"

TEST(the_model_is_spliced_and_usage_taken_out_wherever_they_stand) {
  static const struct {
    const char *in, *out;
  } rows[] = {
      {"{\"usage\":null,\"model\":\"m\"," CHOICE "}", "{\"model\":\"p/m\"," CHOICE "}"},
      {"{\"model\":\"m\",\"usage\":null," CHOICE "}", "{\"model\":\"p/m\"," CHOICE "}"},
      {"{\"model\":\"m\"," CHOICE ",\"usage\":{\"prompt_tokens\":1}}", "{\"model\":\"p/m\"," CHOICE "}"},
      {"{" CHOICE ",\"usage\":null,\"model\":\"m\"}", "{" CHOICE ",\"model\":\"p/m\"}"},
      {"{" CHOICE ",\"model\":\"m\" , \"usage\" : {\"a\":[{}]} }", "{" CHOICE ",\"model\":\"p/m\"  }"},
      {"{\"usage\":null}", "{}"},
      {"{ \"usage\" : 1 , \"x\":1}", "{  \"x\":1}"},
      {"{\"model\":7,\"usage\":null}", "{\"model\":7}"},
      {"{\"model\":\"\\\"\\\\\\u0041\"," CHOICE "}", "{\"model\":\"p/m\"," CHOICE "}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char in[512], out[512];
    snprintf(in, sizeof in, ": c\r\nid: 7\r\ndata: %s\r\nretry: 5\r\n\r\n", rows[i].in);
    snprintf(out, sizeof out, ": c\r\nid: 7\r\ndata: %s\r\nretry: 5\r\n\r\n", rows[i].out);
    expect_out(stream(in, &hide), out);
    expect_out(stream(in, &none), in);
  }
}

TEST(the_usage_chunk_is_withheld_from_who_did_not_ask) {
  static const char last[] =
      "data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
  struct seen s = stream(last, &hide);
  assert_true(s.events.is_usage_alone && events_has(&s.events, EVENT_USAGE));
  assert_int_equal(s.events.usage.tokens[USAGE_OUTPUT], 4);
  expect_out(s, "");
  s = stream(last, &none);
  assert_true(s.events.is_usage_alone);
  expect_out(s, last);
  /* Usage beside a part of the answer is not alone: the part goes on. */
  s = stream("data: {" CHOICE ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n", &hide);
  assert_true(!s.events.is_usage_alone && events_has(&s.events, EVENT_USAGE) && events_has(&s.events, EVENT_DELTA));
  expect_out(s, "data: {" CHOICE "}\n\n");
  /* Neither usage nor a part: Azure's first chunk. */
  expect_out(stream("data: {\"choices\":[],\"model\":\"\",\"prompt_filter_results\":[{}]}\n\n", &hide),
             "data: {\"choices\":[],\"model\":\"p/m\",\"prompt_filter_results\":[{}]}\n\n");
}

static unsigned kinds_of(const char *choice) {
  char text[1024];
  snprintf(text, sizeof text, "data: {\"choices\":[%s]}\n\n", choice);
  struct seen s = stream(text, &none);
  unsigned kinds = s.events.kinds;
  expect_out(s, text);
  return kinds;
}

TEST(content_is_known_when_it_is_there) {
  static const char *const yes[] = {
      "{\"delta\":{\"content\":\"a\"}}",
      "{\"delta\":{\"content\" : \" \"}}",
      "{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}},{\"delta\":{\"content\":\"b\"}}",
      "{\"delta\":{\"content\":[{\"type\":\"text\"}]}}",
      "{\"delta\":{\"content\":null,\"reasoning_content\":\"r\"}}",
      "{\"delta\":{\"reasoning\":\"r\"}}",
      "{\"delta\":{\"refusal\":\"no\"}}",
      "{\"delta\":{\"tool_calls\":[{\"index\":0}]}}",
      "{\"delta\":{\"function_call\":{\"name\":\"f\"}}}",
      "{\"delta\":{\"audio\":{\"id\":\"x\"}}}",
      "{\"delta\":{\"content\":\"\\\"\"}}",
  };
  static const char *const no[] = {
      "{\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}}",
      "{\"delta\":{}}",
      "{\"delta\":{\"content\":null,\"tool_calls\":[],\"function_call\":{ },\"audio\":null}}",
      "{\"delta\":{\"note\":\"\\\"content\\\":\\\"x\\\"\"}}",
      "{\"delta\":{\"note\":\"content\"},\"content\":\"\"}",
      "{\"delta\":{\"note\":\"a\\\\\\\"content\"}}",
      "{\"logprobs\":{\"content\":[]}}",
  };
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    if (!(kinds_of(yes[i]) & 1u << EVENT_DELTA)) print_error("%s\n", yes[i]);
    assert_int_equal(kinds_of(yes[i]), 1u << EVENT_DELTA);
  }
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
    if (kinds_of(no[i])) print_error("%s\n", no[i]);
    assert_int_equal(kinds_of(no[i]), 0);
  }
}

TEST(a_choice_ends_only_by_its_own_finish_reason) {
  assert_int_equal(kinds_of("{\"delta\":{},\"finish_reason\":\"stop\"}"), 1u << EVENT_STOP);
  assert_int_equal(kinds_of("{\"finish_reason\" : \"length\",\"delta\":{\"content\":\"a\"}}"), BITS2(STOP, DELTA));
  assert_int_equal(kinds_of("{\"delta\":{},\"finish_reason\":null}"), 0);
  assert_int_equal(kinds_of("{\"native_finish_reason\":\"stop\",\"finish_reason\":null}"), 0);
  assert_int_equal(
      kinds_of("{\"delta\":{\"content\":\"{\\\"finish_reason\\\":\\\"stop\\\"}\"},\"finish_reason\":null}"),
      1u << EVENT_DELTA);
  assert_int_equal(kinds_of("{\"delta\":{\"content\":\"finish_reason\"},\"finish_reason\":null}"), 1u << EVENT_DELTA);
  assert_int_equal(kinds_of("{\"finish_reason\":null},{\"finish_reason\":\"tool_calls\"}"), 1u << EVENT_STOP);
}

TEST(the_state_remembers) {
  struct dialect_stream so_far = {0};
  expect_out(stream_with(&so_far, "data: {" CHOICE "}\n\n", &none), "data: {" CHOICE "}\n\n");
  assert_true(so_far.saw_content && !so_far.saw_stop && !so_far.saw_end);
  struct seen s = stream_with(&so_far, "data: {" CHOICE "}\n\n", &none);
  assert_int_equal(s.events.kinds, 0); /* only the first content is news */
  clear(&s);
  s = stream_with(&so_far, "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n", &none);
  clear(&s);
  assert_true(so_far.saw_stop && !so_far.saw_end);
  s = stream_with(&so_far, "data: [DONE]\n\n", &none);
  assert_int_equal(s.events.kinds, 1u << EVENT_END);
  expect_out(s, "data: [DONE]\n\n");
  assert_true(so_far.saw_end);
  /* What comes behind the end is no part of the answer; line ends and comments do no harm. */
  s = stream_with(&so_far, ": c\n\ndata: {" CHOICE "}\n\ndata: junk\n\ndata: [DONE]\n\n\n", &none);
  assert_int_equal(s.events.kinds, 0);
  expect_out(s, ": c\n\n\n");
}

TEST(comments_and_empty_events_pass) {
  static const char text[] = ": keep-alive\n\nevent: ping\n\ndata\n\ndata:\r\n\r\n\n";
  struct seen s = stream(text, &hide);
  assert_int_equal(s.events.kinds, 0);
  expect_out(s, text);
}

TEST(several_data_lines_become_one) {
  expect_out(stream("event: x\ndata: {\"model\":\ndata: \"m\",\ndata:" CHOICE "\ndata: }\n\n", &rename_it),
             "data: {\"model\": \"p/m\", " CHOICE " }\n\n");
  struct seen s = stream("data: [DO\ndata: NE]\n\n", &none);
  assert_int_equal(s.e, ERR_UPSTREAM_PROTOCOL);
  clear(&s);
}

TEST(stream_errors) {
  struct seen s = stream("data: {\"error\":{\"message\":\"m\"}}\n\n", &hide);
  assert_true(s.e == OK && s.events.kinds == 1u << EVENT_ERROR && s.out.n == 0);
  clear(&s);
  static const char *const bad[] = {"data: x\n\n", "data: {\n\n", "data: []\n\n",
                                    "data: {\"model\":\"a\",\"model\":\"b\"}\n\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    s = stream(bad[i], &hide);
    assert_int_equal(s.e, ERR_UPSTREAM_PROTOCOL);
    assert_true(s.info.text[0] && s.out.n == 0);
    clear(&s);
  }
}

TEST(a_full_buffer_is_an_error_and_no_crash) {
  struct seen s = {.e = OK};
  buf_init(&s.out, 8);
  assert_int_equal(d->relay_reply(STR("{\"model\":\"m\",\"choices\":[]}"), &rename_it, &s.events, &s.out, NULL),
                   ERR_NO_MEMORY);
  d->put_receipt(&s.out, 0, STR("{}"));
  clear(&s);
}

static void expect_receipt(const char *in, size_t from, const char *expected) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, str_from_c(in));
  d->put_receipt(&b, from, STR("{\"r\":1}"));
  if (!str_eq(buf_str(&b), str_from_c(expected))) print_error("%.*s\n", STR_ARG(buf_str(&b)));
  assert_str(buf_str(&b), str_from_c(expected));
  buf_clear(&b);
}

TEST(receipts_stand_last_in_the_object) {
  expect_receipt("{\"a\":{}}", 0, "{\"a\":{},\"maestro\":{\"r\":1}}");
  expect_receipt(" {\"a\":1 } \r\n\t ", 0, " {\"a\":1 ,\"maestro\":{\"r\":1}} \r\n\t ");
  expect_receipt("{ }", 0, "{ \"maestro\":{\"r\":1}}");
  expect_receipt("data: {\"a\":1}\n\n", 0, "data: {\"a\":1,\"maestro\":{\"r\":1}}\n\n");
  expect_receipt("data: {\"a\":1}\r\n\r\n", 0, "data: {\"a\":1,\"maestro\":{\"r\":1}}\r\n\r\n");
  expect_receipt(": {\nevent: }\ndata:{\"a\":1} \nid: }\n\n", 0,
                 ": {\nevent: }\ndata:{\"a\":1,\"maestro\":{\"r\":1}} \nid: }\n\n");
  expect_receipt("data: {\"a\":1}\n\ndata: {\"b\":2}\n\n", 15,
                 "data: {\"a\":1}\n\ndata: {\"b\":2,\"maestro\":{\"r\":1}}\n\n");
  expect_receipt("{\"maestro\":[1],\"a\":1}", 0, "{\"maestro\":{\"r\":1},\"a\":1}"); /* of a Maestro behind us */
  expect_receipt("data: {\"a\":1,\"maestro\": {\"a\":[1,2,3]} }\n\n", 0, "data: {\"a\":1,\"maestro\": {\"r\":1} }\n\n");
  static const char *const without[] = {"", "data: [DONE]\n\n", ": {}\n\n", "\n", "[]", "data: {\"a\":1}"};
  for (size_t i = 0; i < sizeof without / sizeof *without; i++) expect_receipt(without[i], 0, without[i]);
}

static void expect_error(enum err e, const struct err_info *info, const char *expected) {
  struct buf b;
  char event[1024];
  buf_init(&b, 0);
  d->put_error(&b, e, info);
  assert_str(buf_str(&b), str_from_c(expected));
  buf_reset(&b);
  d->put_stream_error(&b, e, info);
  snprintf(event, sizeof event, "data: %s\n\n", expected);
  assert_str(buf_str(&b), str_from_c(event));
  buf_clear(&b);
}

TEST(errors_in_openais_shape) {
  expect_error(ERR_UNAUTHENTICATED, NULL,
               "{\"error\":{\"message\":\"no valid credential\",\"type\":\"authentication_error\",\"param\":null,"
               "\"code\":\"invalid_api_key\"}}");
  static const struct {
    int status;
    const char *type;
  } rows[] = {{400, "invalid_request_error"},
              {401, "authentication_error"},
              {402, "insufficient_quota"},
              {403, "permission_error"},
              {404, "invalid_request_error"},
              {408, "timeout_error"},
              {413, "invalid_request_error"},
              {422, "invalid_request_error"},
              {429, "rate_limit_error"},
              {500, "api_error"},
              {502, "api_error"},
              {503, "api_error"},
              {504, "api_error"},
              {529, "rate_limit_error"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {.text = "a \"b\"\n\xff", .param = "messages[0].role", .http_status = rows[i].status};
    char expected[256];
    snprintf(expected, sizeof expected,
             "{\"error\":{\"message\":\"a \\\"b\\\"\\n\xef\xbf\xbd\",\"type\":\"%s\",\"param\":\"messages[0].role\","
             "\"code\":\"upstream_error\"}}",
             rows[i].type);
    expect_error(ERR_UPSTREAM_STATUS, &info, expected);
  }
  expect_error(ERR_GUARD_LEAK, &(struct err_info){.text = "m"},
               "{\"error\":{\"message\":\"m\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"guard_leak\"}}");
  expect_error(
      ERR_GUARD_RUNAWAY, &(struct err_info){.text = "m"},
      "{\"error\":{\"message\":\"m\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"guard_runaway\"}}");
  const struct err_info theirs = {.text = "m", .code = "c", .type = "t"};
  expect_error(ERR_UPSTREAM_STATUS, &theirs,
               "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}");
}

TEST(model_lists) {
  const struct dialect_model models[] = {
      {.id = STR("p/\"m\""),
       .owned_by = STR("p"),
       .context_tokens = 100,
       .prompt_tokens = 90,
       .output_tokens = 10,
       .extra = STR("\"x\":1")},
      {.id = STR("v"), .owned_by = STR("maestro"), .context_tokens = -1, .prompt_tokens = -1, .output_tokens = -1}};
  struct buf b;
  buf_init(&b, 0);
  d->put_model_list(&b, models, 2);
  assert_str(
      buf_str(&b),
      STR("{\"object\":\"list\",\"data\":[{\"id\":\"p/\\\"m\\\"\",\"object\":\"model\",\"created\":0,\"owned_by\":"
          "\"p\",\"max_prompt_tokens\":90,\"max_output_tokens\":10,\"max_context_window_tokens\":100,"
          "\"max_model_len\":100,\"x\":1},{\"id\":\"v\",\"object\":\"model\",\"created\":0,\"owned_by\":"
          "\"maestro\"}]}"));
  buf_reset(&b);
  d->put_model_list(&b, NULL, 0);
  assert_str(buf_str(&b), STR("{\"object\":\"list\",\"data\":[]}"));
  buf_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_replies_say_what_they_are),
      cmocka_unit_test(what_is_no_reply),
      cmocka_unit_test(errors_travel_under_any_status),
      cmocka_unit_test(usage_in_every_spelling),
      cmocka_unit_test(the_model_is_spliced_and_usage_taken_out_wherever_they_stand),
      cmocka_unit_test(the_usage_chunk_is_withheld_from_who_did_not_ask),
      cmocka_unit_test(content_is_known_when_it_is_there),
      cmocka_unit_test(a_choice_ends_only_by_its_own_finish_reason),
      cmocka_unit_test(the_state_remembers),
      cmocka_unit_test(comments_and_empty_events_pass),
      cmocka_unit_test(several_data_lines_become_one),
      cmocka_unit_test(stream_errors),
      cmocka_unit_test(a_full_buffer_is_an_error_and_no_crash),
      cmocka_unit_test(receipts_stand_last_in_the_object),
      cmocka_unit_test(errors_in_openais_shape),
      cmocka_unit_test(model_lists),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
