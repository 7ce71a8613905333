/* OpenAI completions: requests and answers, for itself and with chat on the other side. Expectations are OpenAI's
 * reference ("Create completion", "The completion object"). */
#include "dialect/openai_completions.h"

#include "dialect/openai_chat.h"
#include "translate_rig.h"

static const struct dialect *const d = &dialect_openai_completions;

TEST(the_same_comes_back) {
  static const char *const bodies[] = {
      "{\"model\":\"m\",\"prompt\":\"x\"}",
      "{\"model\":\"m\",\"prompt\":[\"x\"],\"stream\":false,\"logprobs\":2,\"echo\":false,\"best_of\":1,\"new\":1.50}",
      "{\"model\":\"m\",\"prompt\":[\"x\",\"y\"],\"suffix\":\"z\",\"max_tokens\":5,\"stop\":[\"a\"],\"user\":null}",
      "{\"model\":\"m\",\"prompt\":[1,2],\"n\":2,\"temperature\":0.0,\"logit_bias\":{\"1\":2}}",
      "{\"model\":\"m\",\"prompt\":[[1],[2]],\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    struct rig t;
    rig_init(&t);
    assert_int_equal(rig_decode(&t, d, bodies[i]), OK);
    assert_int_equal(rig_encode(&t, d), OK);
    rig_expect_json(&t, bodies[i]);
    rig_clear(&t);
  }
}

/* Decoded here, checked against chat and encoded for it. */
static enum err to_chat(struct rig *t, const char *body) {
  struct caps_dropped dropped;
  assert_int_equal(rig_decode(t, d, body), OK);
  caps_dropped_init(&dropped);
  enum err e =
      caps_check(&t->request, dialect_openai_chat.name, dialect_openai_chat.caps, &d->words, &dropped, &t->info);
  caps_dropped_clear(&dropped);
  return e ? e : rig_encode(t, &dialect_openai_chat);
}

TEST(answered_by_chat) {
  static const struct {
    const char *body, *path;
  } refused[] = {
      {"{\"model\":\"m\",\"prompt\":[\"x\",\"y\"]}", "prompt"},
      {"{\"model\":\"m\",\"prompt\":[1]}", "prompt"},
      {"{\"model\":\"m\",\"prompt\":\"x\",\"suffix\":\"z\"}", "suffix"},
      {"{\"model\":\"m\",\"prompt\":\"x\",\"echo\":true}", "echo"},
      {"{\"model\":\"m\",\"prompt\":\"x\",\"best_of\":2}", "best_of"},
  };
  struct rig t;
  rig_init(&t);
  assert_int_equal(to_chat(&t, "{\"model\":\"m\",\"prompt\":\"x\",\"max_tokens\":5,\"logprobs\":2}"), OK);
  rig_expect_json(&t,
                  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":5,"
                  "\"logprobs\":true,\"top_logprobs\":2}");
  rig_clear(&t);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    rig_init(&t);
    assert_int_equal(to_chat(&t, refused[i].body), ERR_UNSUPPORTED);
    assert_string_equal(t.info.param, refused[i].path);
    rig_clear(&t);
  }
}

TEST(for_chat_callers) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, &dialect_openai_chat,
                              "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"seed\":1}"),
                   OK);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, "{\"model\":\"m\",\"prompt\":\"x\",\"seed\":1}");
  assert_int_equal(rig_decode(&t, &dialect_openai_chat,
                              "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":"
                              "\"user\",\"content\":\"x\"}]}"),
                   OK);
  assert_int_equal(rig_encode(&t, d), ERR_UNSUPPORTED);
  assert_string_equal(t.info.param, "messages");
  rig_clear(&t);
}

TEST(what_is_wrong_is_named) {
  static const struct rig_fault cases[] = {{"{\"model\":\"m\"}", ERR_MISSING, "prompt"},
                                           {"{\"model\":\"m\",\"prompt\":{}}", ERR_BAD_TYPE, "prompt"},
                                           {"{\"model\":\"m\",\"prompt\":[]}", ERR_BAD_VALUE, "prompt"},
                                           {"{\"model\":\"m\",\"prompt\":\"x\",\"echo\":1}", ERR_BAD_TYPE, "echo"},
                                           {"{\"model\":\"m\",\"prompt\":\"x\",\"suffix\":1}", ERR_BAD_TYPE, "suffix"}};
  rig_expect_faults(d, cases, sizeof cases / sizeof *cases);
}

TEST(a_stream_as_events) {
  static const char stream[] =
      "data: {\"id\":\"cmpl-1\",\"model\":\"m\",\"created\":5,\"choices\":[{\"text\":\"a\","
      "\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n"
      "data: {\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":\"length\"}],\"usage\":"
      "{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
  static const size_t cuts[] = {0, SIZE_MAX};
  for (int i = 0; i < 2; i++) {
    struct rig t;
    rig_init(&t);
    struct event_sink sink = rig_sink(&t);
    assert_int_equal(rig_feed(&t, d, str_from_c(stream), cuts[i], &sink), OK);
    rig_expect(&t, "start cmpl-1 m 5\nopen 0 text\ndelta 0 a\nclose 0\nstop 0 length (length)\nusage 1 2 - - -\nend\n");
    rig_clear(&t);
  }
}

#define HEAD "{\"id\":\"cmpl-id\",\"object\":\"text_completion\",\"created\":7,\"model\":\"p/m\",\"choices\":["
#define PROBS "{\"tokens\":[\"a\"],\"token_logprobs\":[-0.5],\"top_logprobs\":[{\"a\":-0.5,\"b\":-2}]}"

TEST(answers) {
  static const struct usage usage = {.tokens = {1, 2}, .known = 3};
  static const struct event events[] = {
      {.kind = EVENT_START, .id = STR("chatcmpl-x")},
      {.kind = EVENT_OPEN, .part_kind = PART_REASONING},
      {.kind = EVENT_DELTA, .part_kind = PART_REASONING, .bytes = STR("hm")},
      {.kind = EVENT_CLOSE, .part_kind = PART_REASONING},
      {.kind = EVENT_OPEN, .part = 1, .part_kind = PART_TEXT},
      {.kind = EVENT_DELTA, .part = 1, .part_kind = PART_TEXT, .bytes = STR("a")},
      {.kind = EVENT_ATTACH,
       .part = 1,
       .part_kind = PART_TEXT,
       .attachment = ATTACH_LOGPROBS,
       .dialect = STR("openai_chat"),
       .raw = STR("{\"token\":\"a\",\"logprob\":-0.5,\"top_logprobs\":[{\"token\":\"a\",\"logprob\":-0.5},{\"token\":"
                  "\"b\",\"logprob\":-2}]}")},
      {.kind = EVENT_CLOSE, .part = 1, .part_kind = PART_TEXT},
      {.kind = EVENT_STOP, .reason = STOP_SEQUENCE},
      {.kind = EVENT_USAGE, .usage = &usage},
      {.kind = EVENT_END}};
  struct rig t;
  rig_init(&t);
  t.x.put_receipt = rig_receipt;
  struct answer *a = arena_zalloc(&t.arena, sizeof *a);
  void *encoder = arena_zalloc(&t.arena, d->encoder_bytes);
  answer_init(a, &t.arena, 0);
  struct event_sink sink = answer_sink(a);
  for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
    assert_int_equal(event_put(&sink, &events[i], &t.info), OK);
    assert_int_equal(d->encode_event(encoder, &t.x, &events[i], &t.text, &t.info), OK);
  }
  rig_expect(&t, "data: " HEAD
                 "{\"text\":\"a\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n"
                 "data: " HEAD "{\"text\":\"\",\"index\":0,\"logprobs\":" PROBS
                 ",\"finish_reason\":null}]}\n\n"
                 "data: " HEAD
                 "{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}],\"maestro\":{"
                 "\"r\":1}}\n\ndata: [DONE]\n\n");
  buf_reset(&t.text);
  d->encode_reply(&t.x, a, &t.text);
  rig_expect_json(&t, HEAD "{\"text\":\"a\",\"index\":0,\"logprobs\":" PROBS
                           ",\"finish_reason\":\"stop\"}],\"usage\":{"
                           "\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3},\"maestro\":{\"r\":1}}");
  answer_clear(a);
  rig_clear(&t);
}

/* A relayed chunk is content where its text is. */
TEST(relay_sees_the_text) {
  struct events events;
  struct buf out;
  static const struct dialect_reply_edits edits = {.model = STR("p/m")};
  buf_init(&out, 0);
  assert_int_equal(d->relay_reply(STR("{\"model\":\"m\",\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}]}"),
                                  &edits, &events, &out, NULL),
                   OK);
  assert_true(events_has(&events, EVENT_DELTA));
  assert_str(buf_str(&out), STR("{\"model\":\"p/m\",\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}]}"));
  buf_reset(&out);
  assert_int_equal(d->relay_reply(STR("{\"choices\":[{\"text\":\"\"}]}"), &edits, &events, &out, NULL), OK);
  assert_false(events_has(&events, EVENT_DELTA));
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_comes_back), cmocka_unit_test(answered_by_chat),
      cmocka_unit_test(for_chat_callers),    cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(a_stream_as_events),  cmocka_unit_test(answers),
      cmocka_unit_test(relay_sees_the_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
