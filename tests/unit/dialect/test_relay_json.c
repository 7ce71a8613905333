/* Relaying JSON by spans, over a small dialect of its own: names of models replaced, everything else byte for byte, in
 * every framing; receipts; data over several lines; line ends that pieces cut in two. */
#include "dialect/relay_json.h"

#include <yyjson.h>

#include "unit.h"

enum row { MODEL, MAESTRO, MESSAGE, MESSAGE_MODEL, MESSAGE_MAESTRO, ROWS };

static const struct str paths[ROWS] = {STR("model"), STR("maestro"), STR("message"), STR("message.model"),
                                       STR("message.maestro")};

static const struct envelope_table *table(void) {
  static struct envelope_table made;
  if (made.n == 0) assert_int_equal(envelope_table_init(&made, paths, ROWS, NULL), OK);
  return &made;
}

static bool has(yyjson_val *root, const char *key) { return yyjson_obj_get(root, key) != NULL; }

/* {"text"} is content, {"stop"} ends a choice, {"done"} the stream; usage comes in pieces. */
static enum err look(struct dialect_stream *state, yyjson_val *root, struct str event, bool is_whole,
                     struct events *events, struct err_info *info) {
  if (has(root, "junk")) return err_set(info, ERR_UPSTREAM_PROTOCOL, "junk");
  if (has(root, "error") || str_eq(event, STR("error"))) events_add(events, EVENT_ERROR);
  if (has(root, "text")) events_add(events, EVENT_DELTA);
  if (has(root, "stop") || is_whole) events_add(events, EVENT_STOP);
  if (has(root, "done")) events_add(events, EVENT_END);
  int64_t tokens = json_pool_count(yyjson_obj_get(root, "tokens"));
  if (tokens >= 0) {
    usage_set(&state->usage, USAGE_OUTPUT, usage_get(&state->usage, USAGE_OUTPUT) + tokens);
    events->usage = state->usage;
    events_add(events, EVENT_USAGE);
  }
  return OK;
}

static const struct relay_json_rules at_top = {.table = table,
                                               .model_row = {MODEL, MESSAGE_MODEL},
                                               .model_rows = 2,
                                               .receipt_row = -1,
                                               .maestro_row = MAESTRO,
                                               .look = look};
static const struct relay_json_rules within = {.table = table,
                                               .model_row = {MESSAGE_MODEL, MODEL},
                                               .model_rows = 2,
                                               .receipt_row = MESSAGE,
                                               .maestro_row = MESSAGE_MAESTRO,
                                               .look = look};

static struct buf out;
static struct events events;
static struct err_info info;
static const struct dialect_reply_edits ours = {.model = STR("our \"m\"")}, none = {.model = STR_NONE};

#define OURS "\"our \\\"m\\\"\""

static void expect(const char *text) {
  assert_false(out.failed);
  if (!str_eq(buf_str(&out), str_from_c(text))) print_error("got:\n%.*s\nwant:\n%s\n", STR_ARG(buf_str(&out)), text);
  assert_str(buf_str(&out), str_from_c(text));
  buf_clear(&out);
}

/* ---- whole replies ---- */

TEST(replies) {
  static const struct {
    const char *body, *got;
  } rows[] = {
      {"{\"model\":\"m\"}", "{\"model\":" OURS "}"},
      {"{}", "{}"},
      {" {\n\t\"z\" : 1.0e2 ,\"model\" : \"a\\u0062\" , \"z\":{\"model\":\"not this\"} }\r\n",
       " {\n\t\"z\" : 1.0e2 ,\"model\" : " OURS " , \"z\":{\"model\":\"not this\"} }\r\n"},
      {"{\"message\":{\"model\":\"a\"},\"model\":\"b\"}", "{\"message\":{\"model\":" OURS "},\"model\":" OURS "}"},
      {"{\"model\":\"b\",\"message\":{\"model\":\"a\",\"x\":1}}",
       "{\"model\":" OURS ",\"message\":{\"model\":" OURS ",\"x\":1}}"},
      {"{\"model\":null,\"message\":\"m\"}", "{\"model\":null,\"message\":\"m\"}"}, /* no name: nothing to replace */
      {"{\"x\":\"\\ud800\"}", "{\"x\":\"\\ud800\"}"},                               /* as truncating servers send it */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int k = 0; k < 2; k++) {
      assert_int_equal(relay_json_reply(k ? &at_top : &within, str_from_c(rows[i].body), &ours, &events, &out, &info),
                       OK);
      expect(rows[i].got);
      assert_int_equal(relay_json_reply(&at_top, str_from_c(rows[i].body), &none, &events, &out, &info), OK);
      expect(rows[i].body);
    }
}

TEST(what_a_reply_means) {
  assert_int_equal(relay_json_reply(&at_top, STR("{\"tokens\":12,\"text\":\"a\"}"), &none, &events, &out, &info), OK);
  assert_true(events_has(&events, EVENT_USAGE) && events_has(&events, EVENT_DELTA) && events_has(&events, EVENT_STOP));
  assert_int_equal(events.usage.tokens[USAGE_OUTPUT], 12);
  buf_clear(&out);
  assert_int_equal(relay_json_reply(&at_top, STR("{\"error\":{}}"), &ours, &events, &out, &info), OK);
  assert_true(events_has(&events, EVENT_ERROR));
  assert_int_equal(out.n, 0); /* nothing of it for the caller */
  static const char *const bad[] = {
      "", "[]", "\"x\"", "{", "{}x", "{\"model\":\"a\",\"model\":\"b\"}", "{\"junk\":1}", "\xef\xbb\xbf{}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    info = (struct err_info){0};
    assert_int_equal(relay_json_reply(&at_top, str_from_c(bad[i]), &ours, &events, &out, &info), ERR_UPSTREAM_PROTOCOL);
    assert_true(info.text[0]);
    assert_int_equal(out.n, 0);
  }
}

TEST(a_full_buffer_fails) {
  buf_init(&out, 4);
  assert_int_equal(relay_json_reply(&at_top, STR("{\"model\":\"m\"}"), &ours, &events, &out, &info), ERR_NO_MEMORY);
  buf_clear(&out);
  buf_init(&out, 0);
}

/* ---- frames ---- */

/* A stream through the reader and the relay, cut once at each byte and then in steps; the result must be the same. */
static void relay(enum framing framing, struct str stream, const struct dialect_reply_edits *edits, size_t first,
                  size_t step, enum err want) {
  struct frame_reader reader;
  struct dialect_stream state = {0};
  struct frame frame;
  enum err e = OK;
  frame_reader_init(&reader, framing, 0);
  for (size_t at = 0, n = first; at < stream.n && !e; at += n, n = step) {
    frame_reader_feed(&reader, str_sub(stream, at, at + n));
    while (!e && frame_reader_next(&reader, &frame, &e))
      e = relay_json_frame(&at_top, &state, &frame, edits, &events, &out, &info);
  }
  assert_int_equal(e, want);
  json_pool_clear(&state.pool);
  frame_reader_clear(&reader);
}

static void expect_stream(enum framing framing, const char *stream, const char *got) {
  struct str s = str_from_c(stream);
  for (size_t cut = 1; cut <= s.n; cut++) {
    relay(framing, s, &ours, cut, s.n, OK);
    expect(got);
  }
  for (size_t step = 1; step <= 3; step++) {
    relay(framing, s, &ours, step, step, OK);
    expect(got);
  }
}

TEST(events_are_edited) {
  expect_stream(FRAMING_SSE, "data: {\"model\":\"m\",\"text\":\"a\"}\n\n",
                "data: {\"model\":" OURS ",\"text\":\"a\"}\n\n");
  expect_stream(FRAMING_SSE,
                ": hello\n\nid: 7\nevent: e\nretry: 1\ndata:{\"message\":{\"model\":\"m\"}}\nx: y\n\n\ndata:  {} \n\n",
                ": hello\n\nid: 7\nevent: e\nretry: 1\ndata:{\"message\":{\"model\":" OURS
                "}}\nx: y\n\n\ndata:  {} \n\n");
  expect_stream(FRAMING_SSE, "event: e\r\ndata: {\"model\":\"m\"}\r\n\r\n: c\r\n\r\ndata: {}\r\n\r\n",
                "event: e\r\ndata: {\"model\":" OURS "}\r\n\r\n: c\r\n\r\ndata: {}\r\n\r\n");
  expect_stream(FRAMING_SSE, "data: {\"model\":\"m\"}\r\rdata: {}\r\r", "data: {\"model\":" OURS "}\r\rdata: {}\r\r");
  expect_stream(FRAMING_SSE, "event: ping\n\ndata:\n\n", "event: ping\n\ndata:\n\n"); /* nothing in it */
}

TEST(lines_are_edited) {
  expect_stream(FRAMING_NDJSON, "{\"model\":\"m\",\"x\": 1}\n\n {\"message\":{\"model\":\"\"}} \r\n{}\n",
                "{\"model\":" OURS ",\"x\": 1}\n\n {\"message\":{\"model\":" OURS "}} \r\n{}\n");
}

TEST(data_over_several_lines_becomes_one) {
  expect_stream(FRAMING_SSE,
                "event: e\ndata: {\"model\":\ndata: \"m\",\ndata:\ndata: \"x\":[1,\ndata:2]}\n\ndata: {}\n\n",
                "event: e\ndata: {\"model\": " OURS ",  \"x\":[1, 2]}\n\ndata: {}\n\n");
  expect_stream(FRAMING_SSE, "data: {\r\ndata: \"model\":\"m\"}\r\n\r\ndata: {}\r\n\r\n",
                "data: { \"model\":" OURS "}\n\ndata: {}\r\n\r\n");
  expect_stream(FRAMING_SSE, "data: {\rdata: }\r\rdata: {}\r\r", "data: { }\n\ndata: {}\r\r");
}

TEST(nothing_passes_behind_the_end) {
  expect_stream(FRAMING_SSE, "data: {\"done\":1}\n\ndata: {\"text\":\"x\"}\n\ndata: junk\n\n",
                "data: {\"done\":1}\n\n");
  expect_stream(FRAMING_SSE, "data: {\"done\":1}\r\n\r\ndata: {\"text\":\"x\"}\r\n\r\n", "data: {\"done\":1}\r\n\r\n");
  expect_stream(FRAMING_NDJSON, "{\"done\":1}\n{\"text\":\"x\"}\n", "{\"done\":1}\n");
}

TEST(what_a_frame_means) {
  struct dialect_stream seen = {0};
  static const struct {
    const char *data;
    enum event_kind kind;
  } rows[] = {{"{\"text\":\"a\"}", EVENT_DELTA},
              {"{\"stop\":1}", EVENT_STOP},
              {"{\"tokens\":2}", EVENT_USAGE},
              {"{\"tokens\":3}", EVENT_USAGE},
              {"{\"done\":1}", EVENT_END}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str raw = str_from_c(rows[i].data);
    struct frame frame = {.raw = raw, .data = raw, .has_data = true};
    assert_int_equal(relay_json_frame(&at_top, &seen, &frame, &none, &events, &out, &info), OK);
    assert_int_equal(events.kinds, 1u << rows[i].kind);
    if (i == 3) assert_int_equal(events.usage.tokens[USAGE_OUTPUT], 5);
  }
  assert_true(seen.saw_content && seen.saw_stop && seen.saw_end);
  buf_clear(&out);
  json_pool_clear(&seen.pool);
  relay(FRAMING_SSE, STR("event: error\ndata: {\"model\":\"m\"}\n\n"), &ours, 50, 50, OK);
  assert_true(events_has(&events, EVENT_ERROR));
  assert_int_equal(out.n, 0);
  static const char *const bad[] = {"data: junk\n\n", "data: []\n\n", "data: {\"a\"\n\n", "data: {\"junk\":1}\n\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct str s = str_from_c(bad[i]);
    relay(FRAMING_SSE, s, &ours, s.n, s.n, ERR_UPSTREAM_PROTOCOL);
    assert_int_equal(out.n, 0);
  }
}

TEST(a_frame_of_brackets_is_refused) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, STR("data: {\"a\":"));
  for (int i = 0; i < 100000; i++) buf_put_char(&b, '[');
  for (int i = 0; i < 100000; i++) buf_put_char(&b, ']');
  buf_put(&b, STR("}\n\n"));
  relay(FRAMING_SSE, buf_str(&b), &ours, b.n, b.n, ERR_UPSTREAM_PROTOCOL);
  assert_int_equal(out.n, 0);
  buf_clear(&b);
}

/* ---- receipts ---- */

static void expect_receipt(const struct relay_json_rules *rules, enum framing framing, const char *text,
                           const char *got) {
  static const char *const before[] = {"", "data: {\"first\":1}\n\n"};
  for (size_t i = 0; i < 2; i++) {
    struct buf want;
    buf_init(&want, 0);
    buf_put(&out, str_from_c(before[i]));
    buf_put(&out, str_from_c(text));
    relay_json_put_receipt(rules, framing, &out, strlen(before[i]), STR("{\"r\":1}"));
    buf_put(&want, str_from_c(before[i]));
    buf_put(&want, str_from_c(got));
    buf_put_char(&want, 0);
    expect(want.p);
    buf_clear(&want);
  }
}

TEST(receipts_at_the_top) {
  static const struct {
    enum framing framing;
    const char *text, *got;
  } rows[] = {
      {FRAMING_SSE, "{\"a\":1}", "{\"a\":1,\"maestro\":{\"r\":1}}"}, /* a whole reply */
      {FRAMING_SSE, "{}", "{\"maestro\":{\"r\":1}}"},
      {FRAMING_SSE, " { \n \"a\" : 1 \n } \n", " { \n \"a\" : 1 \n ,\"maestro\":{\"r\":1}} \n"},
      {FRAMING_SSE, "data: {\"a\":1}\n\n", "data: {\"a\":1,\"maestro\":{\"r\":1}}\n\n"},
      {FRAMING_SSE, "event: e\r\ndata: {\"a\":1}\r\n\r\n", "event: e\r\ndata: {\"a\":1,\"maestro\":{\"r\":1}}\r\n\r\n"},
      {FRAMING_SSE, ": {}\n\ndata: {}\n\n", ": {}\n\ndata: {\"maestro\":{\"r\":1}}\n\n"},
      {FRAMING_NDJSON, "{\"a\":1}\n", "{\"a\":1,\"maestro\":{\"r\":1}}\n"},
      {FRAMING_NDJSON, " {} \r\n", " {\"maestro\":{\"r\":1}} \r\n"},
      /* of an upstream that is a Maestro as well */
      {FRAMING_SSE, "data: {\"maestro\":{\"theirs\":[1,2]},\"a\":1}\n\n", "data: {\"maestro\":{\"r\":1},\"a\":1}\n\n"},
      {FRAMING_NDJSON, "{\"a\":1, \"maestro\" : null }\n", "{\"a\":1, \"maestro\" : {\"r\":1} }\n"},
      /* where there is none to be put in */
      {FRAMING_SSE, "data: [DONE]\n\n", "data: [DONE]\n\n"},
      {FRAMING_SSE, "data: {\"a\"\n\n", "data: {\"a\"\n\n"},
      {FRAMING_SSE, ": c\n\n", ": c\n\n"},
      {FRAMING_SSE, "", ""},
      {FRAMING_NDJSON, "\n", "\n"},
      {FRAMING_NDJSON, "[]\n", "[]\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    expect_receipt(&at_top, rows[i].framing, rows[i].text, rows[i].got);
}

TEST(receipts_within) {
  expect_receipt(&within, FRAMING_SSE, "data: {\"message\":{\"id\":1},\"x\":2}\n\n",
                 "data: {\"message\":{\"id\":1,\"maestro\":{\"r\":1}},\"x\":2}\n\n");
  expect_receipt(&within, FRAMING_SSE, "data: {\"message\":{}}\n\n", "data: {\"message\":{\"maestro\":{\"r\":1}}}\n\n");
  expect_receipt(&within, FRAMING_SSE, "data: {\"message\":{\"maestro\":7,\"id\":1}}\n\n",
                 "data: {\"message\":{\"maestro\":{\"r\":1},\"id\":1}}\n\n");
  expect_receipt(&within, FRAMING_SSE, "data: {\"message\":null}\n\n", "data: {\"message\":null}\n\n");
  expect_receipt(&within, FRAMING_SSE, "data: {\"maestro\":1}\n\n", "data: {\"maestro\":1}\n\n");
}

TEST(a_receipt_longer_and_shorter_than_theirs) {
  static char long_receipt[5000];
  memset(long_receipt, 'r', sizeof long_receipt);
  memcpy(long_receipt, "{\"", 2);
  memcpy(long_receipt + sizeof long_receipt - 4, "\":1}", 4);
  buf_put(&out, STR("data: {\"maestro\":1,\"tail\":\"behind\"}\n\n"));
  relay_json_put_receipt(&at_top, FRAMING_SSE, &out, 0, str_from(long_receipt, sizeof long_receipt));
  assert_int_equal(out.n, sizeof "data: {\"maestro\":,\"tail\":\"behind\"}\n\n" - 1 + sizeof long_receipt);
  assert_true(str_has_suffix(buf_str(&out), STR("r\":1},\"tail\":\"behind\"}\n\n")));
  relay_json_put_receipt(&at_top, FRAMING_SSE, &out, 0, STR("{}"));
  expect("data: {\"maestro\":{},\"tail\":\"behind\"}\n\n");
}

/* The whole way: edited, then the receipt, as streams do it, over data of several lines. */
TEST(a_receipt_on_an_edited_frame) {
  relay(FRAMING_SSE, STR("data: {\"model\":\ndata: \"m\"}\n\n"), &ours, 100, 100, OK);
  relay_json_put_receipt(&at_top, FRAMING_SSE, &out, 0, STR("{}"));
  expect("data: {\"model\": " OURS ",\"maestro\":{}}\n\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(replies),
      cmocka_unit_test(what_a_reply_means),
      cmocka_unit_test(a_full_buffer_fails),
      cmocka_unit_test(events_are_edited),
      cmocka_unit_test(lines_are_edited),
      cmocka_unit_test(data_over_several_lines_becomes_one),
      cmocka_unit_test(nothing_passes_behind_the_end),
      cmocka_unit_test(what_a_frame_means),
      cmocka_unit_test(a_frame_of_brackets_is_refused),
      cmocka_unit_test(receipts_at_the_top),
      cmocka_unit_test(receipts_within),
      cmocka_unit_test(a_receipt_longer_and_shorter_than_theirs),
      cmocka_unit_test(a_receipt_on_an_edited_frame),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
