/* Ollama's replies and stream lines as events, events and answers as Ollama's lines and replies, relay, errors, lists,
 * embeddings. Expectations are Ollama's API documentation and what its JavaScript client needs; clocks are ours. */
#include "base/clock.h"
#include "dialect/anthropic/anthropic.h"
#include "dialect/ollama/ollama.h"
#include "translate_rig.h"

static const struct dialect *const chat = &dialect_ollama, *const generate = &dialect_ollama_generate;

/* ---- as events ---- */

#define HEAD "{\"model\":\"l\",\"created_at\":\"2026-11-20T10:00:00.5Z\","
#define LINE(message) HEAD "\"message\":{\"role\":\"assistant\"," message "},\"done\":false}\n"
#define DONE(more) HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true" more "}\n"
#define START "start  l 0\n"

static void expect_stream(const char *stream, enum err expected, const char *events) {
  rig_expect_stream(chat, str_from_c(stream), expected, events);
}

static void expect_reply(const char *body, enum err expected, const char *events) {
  rig_expect_reply(chat, body, expected, events);
}

TEST(text_and_thinking) {
  expect_stream(LINE("\"content\":\"\",\"thinking\":\"h\"") LINE("\"content\":\"\",\"thinking\":\"m\"")
                    LINE("\"content\":\"He\"") "\n" LINE("\"content\":\"l\\nlo\"") DONE(
                        ",\"done_reason\":\"stop\",\"total_duration\":9,\"prompt_eval_count\":26,\"eval_count\":3"),
                OK,
                START
                "open 0 reasoning\ndelta 0 h\ndelta 0 m\nclose 0\nopen 1 text\ndelta 1 He\ndelta 1 l\nlo\nclose 1\n"
                "usage 26 3 - - -\nstop 0 end (stop)\nend\n");
}

TEST(calls_with_and_without_ids) {
  expect_stream(
      LINE("\"content\":\"a\"")
          LINE("\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1.0}}},"
               "{\"id\":\"own\",\"function\":{\"index\":1,\"name\":\"g\",\"arguments\":{}}}]")
              LINE("\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"h\"}},{\"function\":{\"name\":\"i\","
                   "\"arguments\":\"{\\\"s\\\":1}\"}}]") DONE(",\"done_reason\":\"stop\""),
      OK,
      START
      "open 0 text\ndelta 0 a\nclose 0\nopen 1 call id=call_id_0 name=f\ndelta 1 {\"x\":1.0}\nclose 1\n"
      "open 2 call id=own name=g\ndelta 2 {}\nclose 2\nopen 3 call id=call_id_2 name=h\ndelta 3 {}\nclose 3\n"
      "open 4 call id=call_id_3 name=i\ndelta 4 {\"s\":1}\nclose 4\nstop 0 calls (stop)\nend\n");
}

TEST(ends) {
  expect_stream(DONE(",\"done_reason\":\"length\""), OK, START "stop 0 length (length)\nend\n");
  expect_stream(DONE(""), OK, START "stop 0 end\nend\n");
  expect_stream(DONE(",\"done_reason\":\"load\""), OK, START "stop 0 end (load)\nend\n");
  expect_stream(DONE(",\"done_reason\":\"new\""), OK, START "stop 0 other (new)\nend\n");
  expect_stream(DONE("") DONE("") LINE("\"content\":\"late\""), OK, START "stop 0 end\nend\n");
  expect_stream("{\"model\":\"l\",\"done\":true,\"eval_count\":-1}", OK, START "stop 0 end\nend\n"); /* no last LF */
  expect_stream(LINE("\"content\":\"a\""), OK, START "open 0 text\ndelta 0 a\n"); /* cut: never ended */
}

TEST(errors_in_a_stream) {
  expect_stream(LINE("\"content\":\"a\"") "{\"error\":\"out of memory\"}\n", OK,
                START "open 0 text\ndelta 0 a\nerror {\"error\":\"out of memory\"}\n");
  expect_stream("{}\n", ERR_UPSTREAM_PROTOCOL, "");
  expect_stream("[]\n", ERR_UPSTREAM_PROTOCOL, "");
  expect_stream("nonsense\n", ERR_UPSTREAM_PROTOCOL, "");
  expect_stream(LINE("\"tool_calls\":[{\"function\":{}}]"), ERR_UPSTREAM_PROTOCOL, START);
  expect_stream(LINE("\"tool_calls\":[7]"), ERR_UPSTREAM_PROTOCOL, START);
  /* left out it would be a shorter answer that ended well */
  expect_stream(LINE("\"tool_calls\":{}"), ERR_UPSTREAM_PROTOCOL, START);
  expect_stream(LINE("\"content\":5"), ERR_UPSTREAM_PROTOCOL, START);
  expect_stream(LINE("\"content\":\"\",\"thinking\":{}"), ERR_UPSTREAM_PROTOCOL, START);
  expect_stream("{\"model\":\"l\",\"message\":{},\"done\":true,\"error\":null}\n", OK, START "stop 0 end\nend\n");
}

TEST(whole_replies) {
  expect_reply(HEAD
               "\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"thinking\":\"t\"},\"logprobs\":[{\"token\":"
               "\"hi\",\"logprob\":-0.10}],\"done\":true,\"done_reason\":\"stop\",\"eval_count\":1}",
               OK,
               START
               "open 0 reasoning\ndelta 0 t\nclose 0\nopen 1 text\ndelta 1 hi\nattach 1 2 "
               "{\"token\":\"hi\",\"logprob\":-0.10} ollama\nclose 1\nusage - 1 - - -\nstop 0 end (stop)\nend\n");
  expect_reply(HEAD "\"response\":\"hi\",\"done\":true}", OK,
               START "open 0 text\ndelta 0 hi\nclose 0\nstop 0 end\nend\n");
  expect_reply(HEAD "\"message\":{\"content\":\"\",\"images\":[\"AAAA\"]},\"done\":true}", OK,
               START "open 0 image\ndelta 0 AAAA\nclose 0\nstop 0 end\nend\n");
  expect_reply(" {\"error\":\"x\"}\n", OK, "error {\"error\":\"x\"}\n");
  expect_reply("{\"done\":true}", ERR_UPSTREAM_PROTOCOL, "");
  /* the first line of a stream that nobody asked for, cut behind it */
  expect_reply(HEAD "\"message\":{\"content\":\"half\"},\"done\":false}", ERR_UPSTREAM_PROTOCOL, "");
  expect_reply("", ERR_UPSTREAM_PROTOCOL, "");
  expect_reply("7", ERR_UPSTREAM_PROTOCOL, "");
}

/* ---- from events ---- */

static uint64_t mono_us;
static uint64_t fake_mono(void) { return mono_us; }
static int64_t fake_wall(void) { return INT64_C(1795170600123456); } /* 2026-11-20T10:30:00.123Z */
#define NOW "\"model\":\"p/m\",\"created_at\":\"2026-11-20T10:30:00.123Z\","

struct writing {
  struct rig *t;
  const struct dialect *d;
  void *state;
};

static enum err forward(void *arg, const struct event *e, struct err_info *info) {
  struct writing *w = arg;
  mono_us += 1000;
  return w->d->encode_event(w->state, &w->t->x, e, &w->t->text, info);
}

/* `stream` in the dialect `from`, as d writes it. */
static void expect_written(const struct dialect *d, const struct dialect *from, const char *stream,
                           const char *expected) {
  struct rig t;
  rig_init(&t);
  clock_inject(fake_mono, fake_wall);
  mono_us = t.x.began_us = 5000;
  t.x.put_receipt = rig_receipt;
  t.request.logprobs = 1;
  struct writing w = {&t, d, arena_zalloc(&t.arena, d->encoder_bytes)};
  const struct event_sink sink = {&w, forward};
  assert_int_equal(rig_feed(&t, from, str_from_c(stream), 0, &sink), OK);
  rig_expect(&t, expected);
  clock_inject(NULL, NULL);
  rig_clear(&t);
}

#define EVENT(name, json) "event: " name "\ndata: {\"type\":\"" name "\"," json "}\n\n"
#define ANTHROPIC_START                                                                              \
  EVENT("message_start",                                                                             \
        "\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\"," \
        "\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":4,\"output_tokens\":1}}")
#define BLOCK(n, block) EVENT("content_block_start", "\"index\":" n ",\"content_block\":" block)
#define PIECE(n, delta) EVENT("content_block_delta", "\"index\":" n ",\"delta\":" delta)
#define BLOCK_END(n) EVENT("content_block_stop", "\"index\":" n)
#define ANTHROPIC_END(reason)                                                                          \
  EVENT("message_delta", "\"delta\":{\"stop_reason\":\"" reason "\"},\"usage\":{\"output_tokens\":9}") \
  "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

/* One millisecond an event: the first content is the third or so, durations are nanoseconds. */
TEST(streams_are_written_line_by_line) {
  expect_written(
      chat, &dialect_anthropic,
      ANTHROPIC_START BLOCK("0", "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
          PIECE("0", "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}") BLOCK_END("0")
              BLOCK("1", "{\"type\":\"text\",\"text\":\"\"}") PIECE("1", "{\"type\":\"text_delta\",\"text\":\"a\\\"\"}")
                  BLOCK_END("1") BLOCK("2", "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{}}")
                      PIECE("2", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"x\\\"\"}")
                          PIECE("2", "{\"type\":\"input_json_delta\",\"partial_json\":\":1}\"}") BLOCK_END("2")
                              ANTHROPIC_END("tool_use"),
      "{" NOW
      "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n"
      "{" NOW
      "\"message\":{\"role\":\"assistant\",\"content\":\"a\\\"\"},\"done\":false}\n"
      "{" NOW
      "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"t1\",\"function\":{\"index\":0,"
      "\"name\":\"f\",\"arguments\":{\"x\":1}}}]},\"done\":false}\n"
      "{" NOW
      "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"stop\",\"done\":true,"
      "\"total_duration\":15000000,\"prompt_eval_count\":4,\"prompt_eval_duration\":4000000,\"eval_count\":9,"
      "\"eval_duration\":11000000,\"maestro\":{\"r\":1}}\n");
}

TEST(generate_has_its_own_words) {
  expect_written(generate, chat,
                 HEAD "\"message\":{\"content\":\"\",\"thinking\":\"h\"}}\n" HEAD
                      "\"message\":{\"content\":\"a\"}}\n" DONE(",\"done_reason\":\"length\""),
                 "{" NOW
                 "\"response\":\"\",\"thinking\":\"h\",\"done\":false}\n"
                 "{" NOW
                 "\"response\":\"a\",\"done\":false}\n"
                 "{" NOW
                 "\"response\":\"\",\"done_reason\":\"length\",\"done\":true,\"total_duration\":9000000,"
                 "\"prompt_eval_duration\":3000000,\"eval_duration\":6000000,\"maestro\":{\"r\":1}}\n");
}

TEST(images_and_logprobs_are_lines) {
  expect_written(chat, chat,
                 HEAD
                 "\"message\":{\"content\":\"a\",\"images\":[\"AA==\"]},\"logprobs\":[{\"t\":1}],"
                 "\"done\":false}\n",
                 "{" NOW
                 "\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n"
                 "{" NOW
                 "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":[{\"t\":1}],\"done\":false}\n"
                 "{" NOW
                 "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"images\":[\"AA==\"]},\"done\":false}\n");
}

static enum err give(struct rig *t, void *state, const struct event *e) {
  return chat->encode_event(state, &t->x, e, &t->text, &t->info);
}

/* Calls that arrive in turns are each whole when they are written. */
TEST(interleaved_calls_are_not_mixed) {
  struct rig t;
  rig_init(&t);
  clock_inject(fake_mono, fake_wall);
  void *s = arena_zalloc(&t.arena, chat->encoder_bytes);
  const struct event events[] = {
      {.kind = EVENT_START},
      {.kind = EVENT_OPEN, .part = 0, .part_kind = PART_TOOL_CALL, .id = STR("a"), .name = STR("f")},
      {.kind = EVENT_OPEN, .part = 1, .part_kind = PART_TOOL_CALL, .id = STR("b"), .name = STR("g")},
      {.kind = EVENT_DELTA, .part = 1, .part_kind = PART_TOOL_CALL, .bytes = STR("{\"y\"")},
      {.kind = EVENT_DELTA, .part = 0, .part_kind = PART_TOOL_CALL, .bytes = STR("not")},
      {.kind = EVENT_DELTA, .part = 1, .part_kind = PART_TOOL_CALL, .bytes = STR(":2}")},
      {.kind = EVENT_DELTA, .part = 0, .part_kind = PART_TOOL_CALL, .bytes = STR(" json")},
      {.kind = EVENT_OPEN, .part = 2, .choice = 1, .part_kind = PART_TEXT},
      {.kind = EVENT_DELTA, .part = 2, .choice = 1, .part_kind = PART_TEXT, .bytes = STR("another choice")},
      {.kind = EVENT_CLOSE, .part = 1, .part_kind = PART_TOOL_CALL},
      {.kind = EVENT_CLOSE, .part = 1, .part_kind = PART_TOOL_CALL},
      {.kind = EVENT_CLOSE, .part = 0, .part_kind = PART_TOOL_CALL},
      {.kind = EVENT_STOP, .reason = STOP_FILTER},
      {.kind = EVENT_END},
  };
  for (size_t i = 0; i < sizeof events / sizeof *events; i++) assert_int_equal(give(&t, s, &events[i]), OK);
  mono_us = 0;
  rig_expect(&t,
             "{" NOW
             "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"b\",\"function\":{"
             "\"index\":1,\"name\":\"g\",\"arguments\":{\"y\":2}}}]},\"done\":false}\n"
             "{" NOW
             "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a\",\"function\":{"
             "\"index\":0,\"name\":\"f\",\"arguments\":{\"_invalid_json\":\"not json\"}}}]},\"done\":false}\n"
             "{" NOW
             "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"content_filter\",\"done\":true,"
             "\"eval_duration\":0}\n");
  clock_inject(NULL, NULL);
  rig_clear(&t);
}

TEST(whole_answers) {
  static const char *const bodies[] = {
      "\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"thinking\":\"t\",\"tool_calls\":[{\"id\":\"a\","
      "\"function\":"
      "{\"index\":0,\"name\":\"f\",\"arguments\":{\"x\":1}}},{\"id\":\"b\",\"function\":{\"index\":1,\"name\":\"g\","
      "\"arguments\":{}}}]},\"done_reason\":\"stop\",\"done\":true,\"prompt_eval_count\":2,\"eval_count\":3",
      "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"length\",\"done\":true"};
  for (size_t i = 0; i < 2; i++) {
    struct rig t;
    char body[600];
    struct answer *a;
    rig_init(&t);
    clock_inject(fake_mono, fake_wall);
    assert_non_null(a = arena_alloc(&t.arena, sizeof *a));
    answer_init(a, &t.arena, 0);
    struct event_sink sink = answer_sink(a);
    snprintf(body, sizeof body, "{" NOW "%s}", bodies[i]);
    assert_int_equal(chat->decode_reply(&t.x, str_from_c(body), &sink, &t.info), OK);
    chat->encode_reply(&t.x, a, &t.text);
    rig_expect_json(&t, body);
    clock_inject(NULL, NULL);
    answer_clear(a);
    rig_clear(&t);
  }
}

TEST(fillers_are_lines_of_their_kind) {
  struct rig t;
  rig_init(&t);
  clock_inject(fake_mono, fake_wall);
  chat->put_keep_alive(&t.x, &t.text);
  generate->put_keep_alive(&t.x, &t.text);
  rig_expect(&t, "{" NOW
                 "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n"
                 "{" NOW "\"response\":\"\",\"done\":false}\n");
  clock_inject(NULL, NULL);
  rig_clear(&t);
  expect_stream(
      "{\"model\":\"\",\"created_at\":\"1970-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":"
      "\"\"},\"done\":false}\n",
      OK, "start   0\n");
}

/* ---- relay ---- */

static const struct dialect_reply_edits rename_it = {.model = STR("p/m")};

static void expect_relayed(const struct dialect *d, const char *body, const char *out, unsigned kinds) {
  struct events events;
  struct buf b;
  struct err_info info = {0};
  buf_init(&b, 0);
  assert_int_equal(d->relay_reply(str_from_c(body), &rename_it, &events, &b, &info), out ? OK : ERR_UPSTREAM_PROTOCOL);
  if (out) assert_int_equal(events.kinds, kinds);
  assert_str(buf_str(&b), str_from_c(out ? out : ""));
  buf_clear(&b);
}

#define BIT(kind) (1u << EVENT_##kind)

TEST(replies_are_relayed) {
  expect_relayed(chat, "{\"model\":\"l\", \"message\":{\"content\":\"x\"},\"done\":true,\"eval_count\":2}",
                 "{\"model\":\"p/m\", \"message\":{\"content\":\"x\"},\"done\":true,\"eval_count\":2}",
                 BIT(START) | BIT(DELTA) | BIT(STOP) | BIT(USAGE));
  expect_relayed(chat, "{\"model\":\"l\",\"message\":{\"content\":\"\"}}",
                 "{\"model\":\"p/m\",\"message\":{\"content\":\"\"}}", BIT(START) | BIT(STOP));
  expect_relayed(chat, "{\"error\":\"x\"}", "", BIT(ERROR));
  expect_relayed(chat, "{\"x\":1}", NULL, 0);
  expect_relayed(chat, "{\"model\":\"l\",\"message\":{\"content\":\"half\"},\"done\":false}", NULL, 0);
  expect_relayed(&dialect_ollama_embed, "{\"model\":\"l\",\"embeddings\":[[1]],\"prompt_eval_count\":3}",
                 "{\"model\":\"p/m\",\"embeddings\":[[1]],\"prompt_eval_count\":3}",
                 BIT(START) | BIT(DELTA) | BIT(STOP) | BIT(USAGE));
  expect_relayed(&dialect_ollama_embeddings, "{\"embedding\":[1]}", "{\"embedding\":[1]}",
                 BIT(START) | BIT(DELTA) | BIT(STOP));
}

TEST(lines_are_relayed_and_take_the_receipt) {
  static const char stream[] =
      "{\"model\":\"l\",\"message\":{\"content\":\"x\"},\"done\":false}\r\n\n"
      "{\"model\":\"l\",\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":1}\n"
      "{\"model\":\"l\"}\n";
  static const unsigned kinds[] = {BIT(DELTA), 0, BIT(STOP) | BIT(END) | BIT(USAGE), 0};
  struct dialect_stream relay = {0};
  struct frame_reader reader;
  struct frame frame;
  struct events events;
  struct buf out;
  struct err_info info = {0};
  enum err e;
  size_t n = 0;
  buf_init(&out, 0);
  frame_reader_init(&reader, FRAMING_NDJSON, 0);
  frame_reader_feed(&reader, str_from_c(stream));
  while (frame_reader_next(&reader, &frame, &e)) {
    size_t from = out.n;
    assert_int_equal(chat->relay_frame(&relay, &frame, &rename_it, &events, &out, &info), OK);
    assert_int_equal(events.kinds, kinds[n++]);
    if (events_has(&events, EVENT_END)) chat->put_receipt(&out, from, STR("{}"));
  }
  assert_int_equal(n, 4);
  assert_str(
      buf_str(&out),
      STR("{\"model\":\"p/m\",\"message\":{\"content\":\"x\"},\"done\":false}\r\n\n"
          "{\"model\":\"p/m\",\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":1,\"maestro\":{}}\n"));
  buf_clear(&out);
  frame_reader_clear(&reader);
  json_pool_clear(&relay.pool);
}

/* ---- errors and lists ---- */

TEST(errors_are_one_text) {
  struct rig t;
  rig_init(&t);
  err_set(&t.info, ERR_MODEL_NOT_FOUND, "model 'x' not found");
  chat->put_error(&t.text, ERR_MODEL_NOT_FOUND, &t.info);
  err_set_param(&t.info, ERR_UNSUPPORTED, "messages[0].images[1]", "it is no picture");
  chat->put_error(&t.text, ERR_UNSUPPORTED, &t.info);
  err_set_param(&t.info, ERR_BAD_TYPE, "think", "\"think\" must be a word");
  chat->put_error(&t.text, ERR_BAD_TYPE, &t.info);
  chat->put_stream_error(&t.text, ERR_UPSTREAM_CUT, NULL);
  t.info = (struct err_info){0};
  err_set(&t.info, ERR_GUARD_LEAK, "stopped");
  chat->put_stream_error(&t.text, ERR_GUARD_LEAK, &t.info);
  rig_expect(
      &t,
      "{\"error\":\"model 'x' not found\"}{\"error\":\"messages[0].images[1]: it is no picture\"}"
      "{\"error\":\"\\\"think\\\" must be a word\"}"
      "{\"error\":\"the provider closed the connection before its answer was complete\"}\n{\"error\":\"stopped\"}\n");
  rig_clear(&t);
}

TEST(models_are_tags) {
  struct rig t;
  rig_init(&t);
  const struct dialect_model models[] = {{.id = STR("abc"), .owned_by = STR("o"), .extra = STR("\"k\":1")},
                                         {.id = STR("b")}};
  chat->put_model_list(&t.text, models, 1);
  rig_expect_json(
      &t, /* the digest is SHA-256's published test vector for "abc" */
      "{\"models\":[{\"name\":\"abc\",\"model\":\"abc\",\"modified_at\":\"1970-01-01T00:00:00.000Z\",\"size\":0,"
      "\"digest\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"details\":{"
      "\"parent_model\":\"\",\"format\":\"\",\"family\":\"o\",\"families\":[\"o\"],\"parameter_size\":\"\","
      "\"quantization_level\":\"\"},\"k\":1}]}");
  buf_reset(&t.text);
  chat->put_model_list(&t.text, models, 2);
  yyjson_doc *doc = yyjson_read(t.text.p, t.text.n, 0);
  assert_int_equal(yyjson_arr_size(yyjson_obj_get(yyjson_doc_get_root(doc), "models")), 2);
  yyjson_doc_free(doc);
  rig_clear(&t);
}

/* ---- embeddings ---- */

static void expect_embed(const struct dialect *d, const char *body, size_t items) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d, body), OK);
  assert_int_equal(t.request.item_count, items);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, body);
  rig_clear(&t);
}

TEST(embedding_requests_come_back) {
  expect_embed(&dialect_ollama_embed, "{\"model\":\"m\",\"input\":\"a\",\"truncate\":true,\"dimensions\":8}", 1);
  expect_embed(&dialect_ollama_embed, "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"keep_alive\":null}", 2);
  expect_embed(&dialect_ollama_embed, "{\"model\":\"m\",\"input\":[\"a\"],\"options\":{\"num_ctx\":1}}", 1);
  expect_embed(&dialect_ollama_embeddings, "{\"model\":\"m\",\"prompt\":\"a\",\"options\":{}}", 1);
  static const struct {
    const struct dialect *d;
    const char *body, *path;
    enum err e;
  } faults[] = {
      {&dialect_ollama_embed, "{\"model\":\"m\"}", "input", ERR_MISSING},
      {&dialect_ollama_embed, "{\"model\":\"m\",\"input\":3}", "input", ERR_BAD_TYPE},
      {&dialect_ollama_embed, "{\"model\":\"m\",\"input\":[\"a\",3]}", "input[1]", ERR_BAD_TYPE},
      {&dialect_ollama_embed, "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":\"8\"}", "dimensions", ERR_BAD_TYPE},
      {&dialect_ollama_embeddings, "{\"model\":\"m\",\"prompt\":[]}", "prompt", ERR_BAD_TYPE},
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    struct rig t;
    rig_init(&t);
    assert_int_equal(rig_decode(&t, faults[i].d, faults[i].body), faults[i].e);
    assert_string_equal(t.info.param, faults[i].path);
    rig_clear(&t);
  }
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, &dialect_ollama_embed, "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}"), OK);
  assert_int_equal(rig_encode(&t, &dialect_ollama_embeddings), ERR_UNSUPPORTED);
  assert_string_equal(t.info.param, "input[1]");
  rig_clear(&t);
}

TEST(embeddings_both_ways) {
  struct rig t;
  struct embeddings found;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, &dialect_ollama_embed, "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}"), OK);
  const char *body = "{\"model\":\"l\",\"embeddings\":[[0.10,-2e-3],[1]],\"total_duration\":5,\"prompt_eval_count\":4}";
  assert_int_equal(dialect_ollama_embed.decode_embeddings(&t.x, str_from_c(body), &found, &t.info), OK);
  assert_true(found.n == 2 && usage_get(&found.usage, USAGE_INPUT) == 4);
  assert_str(found.model, STR("l"));
  buf_reset(&t.text);
  dialect_ollama_embed.encode_embeddings(&t.x, &found, &t.text);
  rig_expect_json(&t, "{\"model\":\"p/m\",\"embeddings\":[[0.10,-2e-3],[1]],\"prompt_eval_count\":4}");
  buf_reset(&t.text);
  dialect_ollama_embeddings.encode_embeddings(&t.x, &found, &t.text);
  rig_expect_json(&t, "{\"embedding\":[0.10,-2e-3]}");
  static const char *const bad[] = {
      "", "[]", "{}", "{\"embeddings\":[[1]]}", "{\"embeddings\":[[1],[\"x\"]]}", "{\"embedding\":[1]}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(dialect_ollama_embed.decode_embeddings(&t.x, str_from_c(bad[i]), &found, &t.info),
                     ERR_UPSTREAM_PROTOCOL);
  assert_int_equal(dialect_ollama_embed.decode_embeddings(&t.x, STR("{\"error\":\"e\"}\n"), &found, &t.info), OK);
  assert_str(found.error, STR("{\"error\":\"e\"}"));
  rig_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_and_thinking),
      cmocka_unit_test(calls_with_and_without_ids),
      cmocka_unit_test(ends),
      cmocka_unit_test(errors_in_a_stream),
      cmocka_unit_test(whole_replies),
      cmocka_unit_test(streams_are_written_line_by_line),
      cmocka_unit_test(generate_has_its_own_words),
      cmocka_unit_test(images_and_logprobs_are_lines),
      cmocka_unit_test(interleaved_calls_are_not_mixed),
      cmocka_unit_test(whole_answers),
      cmocka_unit_test(fillers_are_lines_of_their_kind),
      cmocka_unit_test(replies_are_relayed),
      cmocka_unit_test(lines_are_relayed_and_take_the_receipt),
      cmocka_unit_test(errors_are_one_text),
      cmocka_unit_test(models_are_tags),
      cmocka_unit_test(embedding_requests_come_back),
      cmocka_unit_test(embeddings_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
