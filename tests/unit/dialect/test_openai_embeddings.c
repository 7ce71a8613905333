/* OpenAI embeddings, both ways. Expectations are OpenAI's reference ("Create embeddings"); 1.0 is 3f800000, 0.5 is
 * 3f000000 in base64 of little-endian floats. */
#include "dialect/openai_embeddings.h"

#include "translate_rig.h"

static const struct dialect *const d = &dialect_openai_embeddings;

TEST(requests) {
  static const char *const bodies[] = {
      "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":5,\"encoding_format\":\"float\",\"user\":\"u\"}",
      "{\"model\":\"m\",\"input\":[\"x\"],\"new\":1.0}",
      "{\"model\":\"m\",\"input\":[\"x\",\"\"],\"encoding_format\":\"base64\",\"dimensions\":null}",
      "{\"model\":\"m\",\"input\":[1,2]}",
      "{\"model\":\"m\",\"input\":[[1],[2,3]]}",
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

TEST(foreign_requests) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d,
                              "{\"model\":\"m\",\"input\":[\"x\",\"y\"],\"encoding_format\":\"base64\","
                              "\"dimensions\":5,\"new\":1}"),
                   OK);
  t.request.dialect = STR("somebody");
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, "{\"model\":\"m\",\"input\":[\"x\",\"y\"],\"dimensions\":5}");
  t.request.operation = LLM_GENERATE;
  assert_int_equal(rig_encode(&t, d), ERR_UNSUPPORTED);
  assert_string_equal(t.info.param, "model");
  rig_clear(&t);
}

TEST(what_is_wrong_is_named) {
  static const struct rig_fault cases[] = {
      {"{\"model\":\"m\"}", ERR_MISSING, "input"},
      {"{\"model\":\"m\",\"input\":1}", ERR_BAD_TYPE, "input"},
      {"{\"model\":\"m\",\"input\":[]}", ERR_BAD_VALUE, "input"},
      {"{\"model\":\"m\",\"input\":[\"x\",1]}", ERR_BAD_TYPE, "input[1]"},
      {"{\"model\":\"m\",\"input\":[{}]}", ERR_BAD_TYPE, "input[0]"},
      {"{\"model\":\"m\",\"input\":\"x\",\"encoding_format\":\"x\"}", ERR_BAD_VALUE, "encoding_format"},
      {"{\"model\":\"m\",\"input\":\"x\",\"dimensions\":\"5\"}", ERR_BAD_TYPE, "dimensions"}};
  rig_expect_faults(d, cases, sizeof cases / sizeof *cases);
}

static enum err read(struct rig *t, const char *request, const char *reply, struct embeddings *out) {
  assert_int_equal(rig_decode(t, d, request), OK);
  return d->decode_embeddings(&t->x, str_from_c(reply), out, &t->info);
}

#define TWO "{\"model\":\"m\",\"input\":[\"x\",\"y\"]}"

TEST(answers) {
  struct rig t;
  struct embeddings e;
  rig_init(&t);
  /* Out of order, and one of each form. */
  assert_int_equal(read(&t, TWO,
                        "{\"object\":\"list\",\"model\":\"u\",\"data\":[{\"index\":1,\"embedding\":\"AACAPw==\"},{"
                        "\"index\":0,\"embedding\":[0.50]}],\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}",
                        &e),
                   OK);
  assert_str(e.model, STR("u"));
  d->encode_embeddings(&t.x, &e, &t.text);
  rig_expect_json(&t,
                  "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.50]},{"
                  "\"object\":\"embedding\",\"index\":1,\"embedding\":[1]}],\"model\":\"p/m\",\"usage\":{"
                  "\"prompt_tokens\":3,\"total_tokens\":3}}");
  t.request.encoding_format = STR("base64");
  e.usage.known = 0;
  buf_reset(&t.text);
  d->encode_embeddings(&t.x, &e, &t.text);
  rig_expect_json(&t,
                  "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":\"AAAAPw==\"},"
                  "{\"object\":\"embedding\",\"index\":1,\"embedding\":\"AACAPw==\"}],\"model\":\"p/m\"}");
  rig_clear(&t);
}

TEST(answers_that_are_none) {
  static const char *const replies[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"data\":[]}",
                                        "{\"data\":[{\"embedding\":[1]}]}",
                                        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}",
                                        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":2,\"embedding\":[1]}]}",
                                        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[\"1\"]}]}",
                                        "{\"data\":[{\"embedding\":[1]},{}]}"};
  for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
    struct rig t;
    struct embeddings e;
    rig_init(&t);
    assert_int_equal(read(&t, TWO, replies[i], &e), ERR_UPSTREAM_PROTOCOL);
    rig_clear(&t);
  }
  struct rig t;
  struct embeddings e;
  rig_init(&t);
  assert_int_equal(read(&t, TWO, "{\"error\":{\"message\":\"x\"}}", &e), OK);
  assert_str(e.error, STR("{\"error\":{\"message\":\"x\"}}"));
  rig_clear(&t);
}

TEST(relay) {
  static const struct dialect_reply_edits edits = {.model = STR("p/m")};
  struct events events;
  struct buf out;
  buf_init(&out, 0);
  assert_int_equal(
      d->relay_reply(STR("{\"data\":[{\"embedding\":[1]}],\"model\" : \"u\",\"usage\":{\"prompt_tokens\":3,"
                         "\"total_tokens\":4}}"),
                     &edits, &events, &out, NULL),
      OK);
  assert_str(buf_str(&out), STR("{\"data\":[{\"embedding\":[1]}],\"model\" : \"p/m\",\"usage\":{\"prompt_tokens\":3,"
                                "\"total_tokens\":4}}"));
  assert_true(events_has(&events, EVENT_STOP) && events_has(&events, EVENT_USAGE));
  assert_int_equal(usage_get(&events.usage, USAGE_INPUT), 3);
  assert_int_equal(d->relay_reply(STR("{\"error\":\"x\"}"), &edits, &events, &out, NULL), OK);
  assert_true(events_has(&events, EVENT_ERROR));
  assert_int_equal(d->relay_reply(STR("{\"x\":1}"), &edits, &events, &out, NULL), ERR_UPSTREAM_PROTOCOL);
  assert_int_equal(d->relay_reply(STR("[1]"), &edits, &events, &out, NULL), ERR_UPSTREAM_PROTOCOL);
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests), cmocka_unit_test(foreign_requests),      cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(answers),  cmocka_unit_test(answers_that_are_none), cmocka_unit_test(relay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
