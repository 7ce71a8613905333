/* Events as OpenAI chat chunks and as whole replies. Expectations are OpenAI's reference ("The chat completion object"
 * and "chunk object"); the places of the receipt are the contract's, section 5. */
#include "dialect/openai_chat.h"
#include "translate_rig.h"

static const struct dialect *const d = &dialect_openai_chat;

#define OPEN(n, k, ...) \
  { .kind = EVENT_OPEN, .part = n, .part_kind = PART_##k, __VA_ARGS__ }
#define DELTA(n, k, s) \
  { .kind = EVENT_DELTA, .part = n, .part_kind = PART_##k, .bytes = STR(s) }
#define CLOSE(n, k) \
  { .kind = EVENT_CLOSE, .part = n, .part_kind = PART_##k }
#define STOP(r, ...) \
  { .kind = EVENT_STOP, .reason = STOP_##r, __VA_ARGS__ }
#define START \
  { .kind = EVENT_START, .id = STR("msg_1"), .name = STR("claude") }
#define END \
  { .kind = EVENT_END }
#define HEAD(choices)                                                                                                  \
  "{\"id\":\"chatcmpl-id\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"p/m\",\"choices\":[" choices \
  "]"
#define CHUNK(delta) "data: " HEAD("{\"index\":0,\"delta\":" delta ",\"logprobs\":null,\"finish_reason\":null}") "}\n\n"
#define FINISH(delta, reason) \
  "data: " HEAD("{\"index\":0,\"delta\":" delta ",\"logprobs\":null,\"finish_reason\":\"" reason "\"}")

static void encode(struct rig *t, const struct event *events, size_t n) {
  void *state = arena_zalloc(&t->arena, d->encoder_bytes);
  for (size_t i = 0; i < n; i++) assert_int_equal(d->encode_event(state, &t->x, &events[i], &t->text, &t->info), OK);
}

static void expect_stream(const struct event *events, size_t n, const char *expected) {
  struct rig t;
  rig_init(&t);
  encode(&t, events, n);
  rig_expect(&t, expected);
  rig_clear(&t);
}
#define EXPECT(events, text) expect_stream(events, sizeof events / sizeof *events, text)

static void expect_answer(struct rig *t, const struct event *events, size_t n, const char *expected) {
  struct answer *a = arena_zalloc(&t->arena, sizeof *a);
  answer_init(a, &t->arena, 0);
  struct event_sink sink = answer_sink(a);
  for (size_t i = 0; i < n; i++) assert_int_equal(event_put(&sink, &events[i], &t->info), OK);
  buf_reset(&t->text);
  d->encode_reply(&t->x, a, &t->text);
  rig_expect_json(t, expected);
  answer_clear(a);
}
#define MESSAGE(message, finish)                                                                                      \
  "{\"id\":\"chatcmpl-id\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"p/m\",\"choices\":[{\"index\":0," \
  "\"message\":{\"role\":\"assistant\"," message "},\"logprobs\":null,\"finish_reason\":\"" finish "\"}]"
static void expect_reply(const struct event *events, size_t n, const char *expected) {
  struct rig t;
  rig_init(&t);
  expect_answer(&t, events, n, expected);
  rig_clear(&t);
}
#define REPLY(events, text) expect_reply(events, sizeof events / sizeof *events, text)

TEST(text) {
  static const struct event events[] = {
      START, OPEN(0, TEXT), DELTA(0, TEXT, "He\""), DELTA(0, TEXT, "y"), CLOSE(0, TEXT), STOP(END), END};
  EXPECT(events, CHUNK("{\"role\":\"assistant\",\"content\":\"He\\\"\"}") CHUNK("{\"content\":\"y\"}")
                     FINISH("{}", "stop") "}\n\ndata: [DONE]\n\n");
  REPLY(events, MESSAGE("\"content\":\"He\\\"y\",\"refusal\":null", "stop") "}");
}

TEST(empty) {
  static const struct event events[] = {START, STOP(LENGTH), END, END};
  EXPECT(events, FINISH("{\"role\":\"assistant\",\"content\":\"\"}", "length") "}\n\ndata: [DONE]\n\n");
  REPLY(events, MESSAGE("\"content\":\"\",\"refusal\":null", "length") "}");
}

/* It would stand in every chunk. */
TEST(an_endless_id_of_an_answer_is_none) {
  char id[DIALECT_ID_BYTES_MAX + 2] = "chatcmpl-";
  memset(id + 9, 'x', sizeof id - 10);
  id[sizeof id - 1] = 0;
  for (size_t less = 0; less < 2; less++) {
    struct rig t;
    rig_init(&t);
    const struct event events[] = {{.kind = EVENT_START, .id = str_from(id, sizeof id - 1 - less)}, STOP(END), END};
    encode(&t, events, 3);
    assert_int_equal(str_find(buf_str(&t.text), STR("\"id\":\"chatcmpl-id\"")) != SIZE_MAX, !less);
    assert_int_equal(str_find(buf_str(&t.text), STR("xxxx")) != SIZE_MAX, less);
    rig_clear(&t);
  }
}

TEST(calls) {
  static const struct event events[] = {START,
                                        OPEN(0, TOOL_CALL, .id = STR("a"), .name = STR("f")),
                                        OPEN(1, TOOL_CALL, .id = STR("b"), .name = STR("g"), .tool_kind = TOOL_CUSTOM),
                                        DELTA(1, TOOL_CALL, "free"),
                                        DELTA(0, TOOL_CALL, "{\"x\":1}"),
                                        CLOSE(0, TOOL_CALL),
                                        CLOSE(1, TOOL_CALL),
                                        OPEN(2, TOOL_CALL, .id = STR("c"), .name = STR("h")),
                                        CLOSE(2, TOOL_CALL),
                                        STOP(TOOL_CALLS),
                                        END};
  EXPECT(
      events,
      CHUNK("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\","
            "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}")
          CHUNK("{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"type\":\"custom\",\"custom\":{\"name\":\"g\",\"input\":"
                "\"\"}}]}") CHUNK("{\"tool_calls\":[{\"index\":1,\"custom\":{\"input\":\"free\"}}]}")
              CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":1}\"}}]}")
                  CHUNK("{\"tool_calls\":[{\"index\":2,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"h\","
                        "\"arguments\":\"\"}}]}")
                      CHUNK("{\"tool_calls\":[{\"index\":2,\"function\":{\"arguments\":\"{}\"}}]}")
                          FINISH("{}", "tool_calls") "}\n\ndata: [DONE]\n\n");
  REPLY(events,
        MESSAGE("\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{"
                "\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"b\",\"type\":\"custom\",\"custom\":{"
                "\"name\":\"g\",\"input\":\"free\"}},{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"h\","
                "\"arguments\":\"{}\"}}]",
                "tool_calls") "}");
}

/* "maestro1:anthropic:sig" in base64: a foreign signature comes back as what it was. */
TEST(thinking) {
  static const struct event events[] = {
      START,
      OPEN(0, REASONING),
      DELTA(0, REASONING, "hm"),
      {.kind = EVENT_ATTACH, .part_kind = PART_REASONING, .bytes = STR("sig"), .dialect = STR("anthropic")},
      CLOSE(0, REASONING),
      OPEN(1, TEXT),
      DELTA(1, TEXT, "x"),
      CLOSE(1, TEXT),
      STOP(END),
      END};
  EXPECT(events, CHUNK("{\"role\":\"assistant\",\"reasoning_content\":\"hm\"}")
                     CHUNK("{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"\",\"signature\":"
                           "\"bWFlc3RybzE6YW50aHJvcGljOnNpZw==\"}]}") CHUNK("{\"content\":\"x\"}")
                         FINISH("{}", "stop") "}\n\ndata: [DONE]\n\n");
  REPLY(events, MESSAGE("\"content\":\"x\",\"refusal\":null,\"reasoning_content\":\"hm\",\"reasoning_details\":[{"
                        "\"type\":\"reasoning.text\",\"text\":\"hm\",\"signature\":"
                        "\"bWFlc3RybzE6YW50aHJvcGljOnNpZw==\"}]",
                        "stop") "}");
}

TEST(refusals) {
  static const struct event said[] = {
      START, OPEN(0, REFUSAL), DELTA(0, REFUSAL, "no"), CLOSE(0, REFUSAL), STOP(REFUSAL), END};
  static const struct event unsaid[] = {START, STOP(REFUSAL), END};
  EXPECT(said, CHUNK("{\"role\":\"assistant\",\"refusal\":\"no\"}") FINISH("{}", "stop") "}\n\ndata: [DONE]\n\n");
  REPLY(said, MESSAGE("\"content\":null,\"refusal\":\"no\"", "stop") "}");
  REPLY(unsaid, MESSAGE("\"content\":\"\",\"refusal\":null", "content_filter") "}");
}

TEST(reasons) {
  static const struct {
    struct event stop;
    const char *word;
  } cases[] = {{STOP(END), "stop"},
               {STOP(LENGTH), "length"},
               {STOP(TOOL_CALLS), "tool_calls"},
               {STOP(SEQUENCE), "stop"},
               {STOP(FILTER), "content_filter"},
               {STOP(PAUSE), "stop"},
               {STOP(CONTEXT), "length"},
               {STOP(MALFORMED), "stop"},
               {STOP(OTHER, .native = STR("insufficient_system_resource"), .dialect = STR("openai_chat")),
                "insufficient_system_resource"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct event events[] = {START, cases[i].stop, END};
    struct rig t;
    char wanted[64];
    rig_init(&t);
    encode(&t, events, 3);
    snprintf(wanted, sizeof wanted, "\"finish_reason\":\"%s\"", cases[i].word);
    assert_true(str_find(buf_str(&t.text), str_from_c(wanted)) != SIZE_MAX);
    rig_clear(&t);
  }
}

TEST(citations_and_images) {
  static const struct event events[] = {
      START,
      OPEN(0, TEXT),
      DELTA(0, TEXT, "x"),
      {.kind = EVENT_ATTACH,
       .part_kind = PART_TEXT,
       .attachment = ATTACH_CITATION,
       .dialect = STR("anthropic"),
       .raw = STR("{\"type\":\"web_search_result_location\",\"url\":\"http://a\",\"title\":\"A\"}")},
      {.kind = EVENT_ATTACH,
       .part_kind = PART_TEXT,
       .attachment = ATTACH_CITATION,
       .dialect = STR("anthropic"),
       .raw = STR("{\"type\":\"char_location\"}")},
      CLOSE(0, TEXT),
      OPEN(1, IMAGE, .mime = STR("image/png")),
      DELTA(1, IMAGE, "AA"),
      DELTA(1, IMAGE, "AA"),
      CLOSE(1, IMAGE),
      STOP(END),
      END};
#define ANNOTATIONS "[{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"http://a\",\"title\":\"A\"}}]"
#define IMAGES "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]"
  EXPECT(events, CHUNK("{\"role\":\"assistant\",\"content\":\"x\"}") CHUNK("{\"annotations\":" ANNOTATIONS "}")
                     CHUNK("{\"images\":" IMAGES "}") FINISH("{}", "stop") "}\n\ndata: [DONE]\n\n");
  REPLY(events,
        MESSAGE("\"content\":\"x\",\"refusal\":null,\"annotations\":" ANNOTATIONS ",\"images\":" IMAGES, "stop") "}");
}

static const struct usage usage = {.tokens = {3, 4, 2, 0, 1}, .known = 1 | 2 | 4 | 16};
#define USAGE                                                                                             \
  "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7,\"prompt_tokens_details\":{" \
  "\"cached_tokens\":2},\"completion_tokens_details\":{\"reasoning_tokens\":1}}"

/* The receipt goes with the finish, or with the usage where the caller asked for one. */
TEST(usage_and_receipt) {
  static const struct event events[] = {START, STOP(END), {.kind = EVENT_USAGE, .usage = &usage}, END};
  struct rig t;
  rig_init(&t);
  t.x.put_receipt = rig_receipt;
  encode(&t, events, 4);
  rig_expect(&t, FINISH("{\"role\":\"assistant\",\"content\":\"\"}", "stop") ",\"maestro\":{\"r\":1}}\n\n"
                                                                            "data: [DONE]\n\n");
  buf_reset(&t.text);
  t.x.wants_usage = true;
  encode(&t, events, 4);
  rig_expect(&t, FINISH("{\"role\":\"assistant\",\"content\":\"\"}", "stop") ",\"usage\":null}\n\ndata: " HEAD(
                     "") "," USAGE ",\"maestro\":{\"r\":1}}\n\ndata: [DONE]\n\n");
  expect_answer(&t, events, 4,
                MESSAGE("\"content\":\"\",\"refusal\":null", "stop") "," USAGE ",\"maestro\":{\"r\":1}}");
  rig_clear(&t);
}

/* Who asked with `functions` is answered with function_call; there is room for one. */
TEST(the_old_form) {
  static const struct event events[] = {START,
                                        OPEN(0, TOOL_CALL, .id = STR("a"), .name = STR("f")),
                                        DELTA(0, TOOL_CALL, "{}"),
                                        CLOSE(0, TOOL_CALL),
                                        STOP(TOOL_CALLS),
                                        END};
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d,
                              "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
                              "\"functions\":[{\"name\":\"f\",\"parameters\":{}}]}"),
                   OK);
  encode(&t, events, 6);
  rig_expect(&t,
             CHUNK("{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}")
                 CHUNK("{\"function_call\":{\"arguments\":\"{}\"}}")
                     FINISH("{}", "function_call") "}\n\ndata: [DONE]\n\n");
  expect_answer(&t, events, 6,
                MESSAGE("\"content\":null,\"refusal\":null,\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}",
                        "function_call") "}");
  rig_clear(&t);
}

struct chunks {
  struct rig *t;
  void *state;
  struct buf *out;
};

static enum err write_event(void *arg, const struct event *event, struct err_info *info) {
  struct chunks *c = arg;
  return d->encode_event(c->state, &c->t->x, event, c->out, info);
}

/* What this dialect wrote it reads as the same events. */
TEST(there_and_back) {
  static const char stream[] =
      "data: {\"id\":\"chatcmpl-1\",\"model\":\"p/m\",\"created\":5,\"choices\":[{\"index\":0,\"delta\":{"
      "\"reasoning_content\":\"hm\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{\"t\":1}]}}]}\n\n"
      "data: {\"choices\":[{\"index\":1,\"delta\":{\"refusal\":\"b\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":"
      "\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n"
      "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  struct rig first, second;
  struct buf chunks;
  buf_init(&chunks, 0);
  rig_init(&first);
  rig_init(&second);
  struct event_sink sink = rig_sink(&first);
  assert_int_equal(rig_feed(&first, d, str_from_c(stream), 0, &sink), OK);
  /* The events again, this time written as chunks. */
  struct chunks writer = {&second, arena_zalloc(&second.arena, d->encoder_bytes), &chunks};
  assert_non_null(writer.state);
  buf_reset(&second.text);
  sink = (struct event_sink){&writer, write_event};
  assert_int_equal(rig_feed(&second, d, str_from_c(stream), 0, &sink), OK);
  sink = rig_sink(&second);
  assert_int_equal(rig_feed(&second, d, buf_str(&chunks), 0, &sink), OK);
  struct str events = buf_str(&first.text);
  char *expected = strndup(events.p, events.n);
  rig_expect(&second, expected);
  free(expected);
  buf_clear(&chunks);
  rig_clear(&first);
  rig_clear(&second);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text),
      cmocka_unit_test(empty),
      cmocka_unit_test(calls),
      cmocka_unit_test(thinking),
      cmocka_unit_test(refusals),
      cmocka_unit_test(reasons),
      cmocka_unit_test(citations_and_images),
      cmocka_unit_test(usage_and_receipt),
      cmocka_unit_test(the_old_form),
      cmocka_unit_test(an_endless_id_of_an_answer_is_none),
      cmocka_unit_test(there_and_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
