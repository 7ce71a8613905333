/* Answers to a caller that speaks Anthropic Messages: expectations from the vendor's API reference ("Streaming
 * messages") and from what its SDKs need (event lines, one block at a time, usage in message_start and message_delta).
 */
#include "anthropic_support.h"

struct fake_receipt {
  int calls;
};

static void put_receipt(void *arg, struct buf *out) {
  ((struct fake_receipt *)arg)->calls++;
  buf_put(out, STR("{\"mode\":\"auto\"}"));
}

struct run {
  struct arena arena;
  struct dialect_exchange x;
  void *state;
  struct buf out;
};

static void run_begin(struct run *r) {
  arena_init(&r->arena, 0);
  r->x = test_exchange(&r->arena, NULL);
  r->state = arena_zalloc(&r->arena, dialect_anthropic.encoder_bytes);
  buf_init(&r->out, 0);
}

static void run_end(struct run *r) {
  buf_clear(&r->out);
  arena_clear(&r->arena);
}

static void put(struct run *r, struct event e) {
  struct err_info info = {0};
  assert_int_equal(dialect_anthropic.encode_event(r->state, &r->x, &e, &r->out, &info), OK);
}

static void start(struct run *r) {
  put(r, (struct event){.kind = EVENT_START, .id = STR("chatcmpl-1"), .name = STR("up")});
}
static void open_part(struct run *r, uint32_t part, enum part_kind kind) {
  put(r, (struct event){.kind = EVENT_OPEN, .part = part, .part_kind = kind});
}
static void open_call(struct run *r, uint32_t part, const char *id, const char *name) {
  put(r, (struct event){.kind = EVENT_OPEN,
                        .part = part,
                        .part_kind = PART_TOOL_CALL,
                        .id = str_from_c(id),
                        .name = str_from_c(name)});
}
static void delta(struct run *r, uint32_t part, enum part_kind kind, const char *bytes) {
  put(r, (struct event){.kind = EVENT_DELTA, .part = part, .part_kind = kind, .bytes = str_from_c(bytes)});
}
static void close_part(struct run *r, uint32_t part, enum part_kind kind) {
  put(r, (struct event){.kind = EVENT_CLOSE, .part = part, .part_kind = kind});
}
static void sign(struct run *r, uint32_t part, enum part_kind kind, const char *bytes, const char *origin) {
  put(r, (struct event){.kind = EVENT_ATTACH,
                        .attachment = ATTACH_SIGNATURE,
                        .part = part,
                        .part_kind = kind,
                        .bytes = str_from_c(bytes),
                        .dialect = str_from_c(origin)});
}
static void stop(struct run *r, enum stop_reason reason) {
  put(r, (struct event){.kind = EVENT_STOP, .reason = reason});
}
static void end(struct run *r) { put(r, (struct event){.kind = EVENT_END}); }

/* The frames as lines "event json", one each. */
static void assert_frames(struct run *r, const char *expected) {
  struct buf lines;
  struct frame_reader reader;
  struct frame frame;
  enum err e;
  buf_init(&lines, 0);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, buf_str(&r->out));
  while (frame_reader_next(&reader, &frame, &e)) {
    yyjson_doc *doc = yyjson_read(frame.data.p, frame.data.n, 0);
    assert_non_null(doc);
    assert_str(json_pool_str(yyjson_doc_get_root(doc), "type"), frame.event);
    yyjson_doc_free(doc);
    if (lines.n) buf_put_char(&lines, '\n');
    buf_put(&lines, frame.data);
  }
  frame_reader_clear(&reader);
  assert_text(buf_str(&lines), q(expected));
  buf_clear(&lines);
}

#define MESSAGE(usage)                                                                                            \
  "{'type':'message_start','message':{'type':'message','id':'msg_r1_0','role':'assistant','model':'asked-model'," \
  "'content':[],'stop_reason':null,'stop_sequence':null,'usage':{" usage "}}}\n"
#define BLOCK(index, block) "{'type':'content_block_start','index':" index ",'content_block':{" block "}}\n"
#define PIECE(index, piece) "{'type':'content_block_delta','index':" index ",'delta':{" piece "}}\n"
#define TEXT(index, text) PIECE(index, "'type':'text_delta','text':'" text "'")
#define ARGS(index, text) PIECE(index, "'type':'input_json_delta','partial_json':'" text "'")
#define DONE(index) "{'type':'content_block_stop','index':" index "}\n"
#define FINISH(reason, usage)                                                                         \
  "{'type':'message_delta','delta':{'stop_reason':'" reason "','stop_sequence':null},'usage':{" usage \
  "}}\n{'type':"                                                                                      \
  "'message_stop'}"
#define NOTHING "'input_tokens':0,'output_tokens':0"
/* "maestro1:none:", the stand-in for thinking that nobody signed, and "maestro1:gemini:xyz" (base64 by RFC 4648) */
#define UNSIGNED "bWFlc3RybzE6bm9uZTo="
#define SIGNED_ELSEWHERE "bWFlc3RybzE6Z2VtaW5pOnh5eg=="

TEST(test_text_and_usage) {
  struct run r;
  struct usage usage = {0};
  run_begin(&r);
  start(&r);
  assert_int_equal(r.out.n, 0); /* usage may still come */
  usage_set(&usage, USAGE_INPUT, 100);
  usage_set(&usage, USAGE_CACHE_READ, 60);
  put(&r, (struct event){.kind = EVENT_USAGE, .usage = &usage});
  open_part(&r, 0, PART_TEXT);
  delta(&r, 0, PART_TEXT, "a\"b");
  delta(&r, 0, PART_TEXT, "c");
  put(&r, (struct event){.kind = EVENT_PING});
  close_part(&r, 0, PART_TEXT);
  stop(&r, STOP_END);
  usage_set(&usage, USAGE_OUTPUT, 9);
  usage_set(&usage, USAGE_REASONING, 4);
  put(&r, (struct event){.kind = EVENT_USAGE, .usage = &usage});
  struct fake_receipt receipt = {0};
  r.x.put_receipt = put_receipt;
  r.x.receipt_arg = &receipt;
  end(&r);
  assert_frames(&r, MESSAGE("'input_tokens':40,'cache_read_input_tokens':60,'output_tokens':0")
                        BLOCK("0", "'type':'text','text':''") TEXT("0", "a\\'b") TEXT("0", "c") "{'type': 'ping'}\n" DONE("0")
                            "{'type':'message_delta','delta':{'stop_reason':'end_turn','stop_sequence':null},'usage':{"
                            "'input_tokens':40,'cache_read_input_tokens':60,'output_tokens':9,'output_tokens_details':{"
                            "'thinking_tokens':4}},'maestro':{'mode':'auto'}}\n{'type':'message_stop'}");
  assert_int_equal(receipt.calls, 1);
  run_end(&r);
}

TEST(test_empty_answer) {
  struct run r;
  run_begin(&r);
  start(&r);
  open_part(&r, 0, PART_TEXT);
  close_part(&r, 0, PART_TEXT);
  stop(&r, STOP_LENGTH);
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING) FINISH("max_tokens", NOTHING));
  run_end(&r);
}

TEST(test_parallel_calls_do_not_mix) {
  struct run r;
  run_begin(&r);
  start(&r);
  open_part(&r, 0, PART_TEXT);
  delta(&r, 0, PART_TEXT, "t");
  open_call(&r, 1, "a", "f"); /* the text has not been closed */
  open_call(&r, 2, "b", "g");
  delta(&r, 2, PART_TOOL_CALL, "{2");
  delta(&r, 1, PART_TOOL_CALL, "{1");
  delta(&r, 0, PART_TEXT, "u");
  delta(&r, 1, PART_TOOL_CALL, "}");
  close_part(&r, 0, PART_TEXT);
  close_part(&r, 1, PART_TOOL_CALL);
  delta(&r, 2, PART_TOOL_CALL, "}");
  close_part(&r, 2, PART_TOOL_CALL);
  stop(&r, STOP_END); /* some servers say so with calls, too */
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING) BLOCK("0", "'type':'text','text':''") TEXT("0", "t") DONE("0")
                        BLOCK("1", "'type':'tool_use','id':'a','name':'f','input':{}") ARGS("1", "{1") ARGS("1", "}")
                            DONE("1") BLOCK("2", "'type':'tool_use','id':'b','name':'g','input':{}") ARGS("2", "{2")
                                ARGS("2", "}") DONE("2") BLOCK("3", "'type':'text','text':''") TEXT("3", "u") DONE("3")
                                    FINISH("tool_use", NOTHING));
  run_end(&r);
}

TEST(test_missing_ids_and_closes) {
  struct run r;
  run_begin(&r);
  start(&r);
  open_call(&r, 0, "", "f");
  put(&r, (struct event){.kind = EVENT_OPEN,
                         .part = 1,
                         .part_kind = PART_TOOL_CALL,
                         .id = STR("x"),
                         .name = STR("g"),
                         .namespace = STR("ns")});
  stop(&r, STOP_TOOL_CALLS);
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING) BLOCK("0", "'type':'tool_use','id':'toolu_r1_0','name':'f','input':{}") DONE("0")
                        BLOCK("1", "'type':'tool_use','id':'x','name':'ns__g','input':{}") DONE("1")
                            FINISH("tool_use", NOTHING));
  run_end(&r);
}

TEST(test_thinking) {
  struct run r;
  run_begin(&r);
  start(&r);
  open_part(&r, 0, PART_REASONING);
  delta(&r, 0, PART_REASONING, "h");
  sign(&r, 0, PART_REASONING, "b3du", "anthropic");
  close_part(&r, 0, PART_REASONING);
  open_part(&r, 1, PART_REASONING);
  delta(&r, 1, PART_REASONING, "i");
  sign(&r, 1, PART_REASONING, "xyz", "gemini");
  close_part(&r, 1, PART_REASONING);
  open_part(&r, 2, PART_REASONING_SUMMARY);
  delta(&r, 2, PART_REASONING_SUMMARY, "j");
  open_part(&r, 3, PART_REDACTED);
  sign(&r, 3, PART_REDACTED, "ZGF0YQ==", "anthropic");
  close_part(&r, 3, PART_REDACTED);
  stop(&r, STOP_END);
  end(&r);
#define THINKING(index, text, signature)                         \
  BLOCK(index, "'type':'thinking','thinking':'','signature':''") \
  PIECE(index, "'type':'thinking_delta','thinking':'" text "'")  \
  PIECE(index, "'type':'signature_delta','signature':'" signature "'") DONE(index)
  assert_frames(&r, MESSAGE(NOTHING) THINKING("0", "h", "b3du") THINKING("1", "i", SIGNED_ELSEWHERE)
                        THINKING("2", "j", UNSIGNED) BLOCK("3", "'type':'redacted_thinking','data':'ZGF0YQ=='")
                            DONE("3") FINISH("end_turn", NOTHING));
  run_end(&r);
}

TEST(test_native_parts_and_those_of_others) {
  struct run r;
  run_begin(&r);
  start(&r);
  struct event e = {.kind = EVENT_OPEN, .part_kind = PART_SERVER_TOOL, .dialect = STR("openai_responses")};
  e.raw = STR("{\"type\":\"web_search_call\"}");
  put(&r, e);
  close_part(&r, 0, PART_SERVER_TOOL);
  e.part = 1;
  e.dialect = STR("anthropic");
  e.raw = q("{'type':'server_tool_use','id':'s','name':'web_search','input':{'q':1.0}}");
  put(&r, e);
  close_part(&r, 1, PART_SERVER_TOOL);
  open_part(&r, 2, PART_IMAGE);
  delta(&r, 2, PART_IMAGE, "AAAA");
  close_part(&r, 2, PART_IMAGE);
  e.choice = 1; /* the dialect has one choice */
  e.part = 3;
  e.part_kind = PART_TEXT;
  put(&r, e);
  stop(&r, STOP_PAUSE);
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING) BLOCK("0", "'type':'server_tool_use','id':'s','name':'web_search','input':{}")
                        ARGS("0", "{\\'q\\':1.0}") DONE("0") FINISH("pause_turn", NOTHING));
  run_end(&r);
}

TEST(test_stop_words) {
  static const struct {
    enum stop_reason reason;
    const char *word;
  } cases[] = {
      {STOP_END, "end_turn"},       {STOP_LENGTH, "max_tokens"}, {STOP_TOOL_CALLS, "tool_use"},
      {STOP_FILTER, "refusal"},     {STOP_REFUSAL, "refusal"},   {STOP_PAUSE, "pause_turn"},
      {STOP_MALFORMED, "end_turn"}, {STOP_OTHER, "end_turn"},    {STOP_CONTEXT, "model_context_window_exceeded"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct run r;
    char expected[1024];
    run_begin(&r);
    start(&r);
    stop(&r, cases[i].reason);
    end(&r);
    snprintf(expected, sizeof expected, MESSAGE(NOTHING) FINISH("%s", NOTHING), cases[i].word);
    assert_frames(&r, expected);
    run_end(&r);
  }
}

TEST(test_stop_sequence_and_native_reason) {
  struct run r;
  run_begin(&r);
  start(&r);
  put(&r, (struct event){.kind = EVENT_STOP, .reason = STOP_SEQUENCE, .text = STR("END")});
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING)
                    "{'type':'message_delta','delta':{'stop_reason':'stop_sequence','stop_sequence':'END'},'usage':{" NOTHING
                    "}}\n{'type':'message_stop'}");
  run_end(&r);
  run_begin(&r);
  start(&r);
  put(&r, (struct event){
              .kind = EVENT_STOP, .reason = STOP_OTHER, .native = STR("compaction"), .dialect = STR("anthropic")});
  end(&r);
  assert_frames(&r, MESSAGE(NOTHING) FINISH("compaction", NOTHING));
  run_end(&r);
}

/* ---- whole answers ---- */

static void collect(struct answer *a, const struct event *events, size_t n) {
  struct event_sink sink = answer_sink(a);
  for (size_t i = 0; i < n; i++) assert_int_equal(event_put(&sink, &events[i], NULL), OK);
}

TEST(test_whole_answer) {
  struct run r;
  struct usage usage = {0};
  static struct answer answer;
  run_begin(&r);
  usage_set(&usage, USAGE_INPUT, 20);
  usage_set(&usage, USAGE_CACHE_WRITE, 5);
  usage_set(&usage, USAGE_OUTPUT, 7);
  const struct event events[] = {
      {.kind = EVENT_START, .id = STR("msg_own"), .name = STR("up")},
      {.kind = EVENT_OPEN, .part = 0, .part_kind = PART_REASONING},
      {.kind = EVENT_DELTA, .part = 0, .bytes = STR("t")},
      {.kind = EVENT_ATTACH, .part = 0, .attachment = ATTACH_SIGNATURE, .bytes = STR("xyz"), .dialect = STR("gemini")},
      {.kind = EVENT_OPEN, .part = 1, .part_kind = PART_TEXT},
      {.kind = EVENT_OPEN, .part = 2, .part_kind = PART_TEXT},
      {.kind = EVENT_DELTA, .part = 2, .bytes = STR("hi")},
      {.kind = EVENT_OPEN, .part = 3, .part_kind = PART_TOOL_CALL, .id = STR("c"), .name = STR("f")},
      {.kind = EVENT_DELTA, .part = 3, .bytes = STR("{\"n\":1e-2}")},
      {.kind = EVENT_OPEN, .part = 4, .part_kind = PART_TOOL_CALL, .id = STR("d"), .name = STR("g")},
      {.kind = EVENT_DELTA, .part = 4, .bytes = STR("not json")},
      {.kind = EVENT_OPEN, .part = 5, .part_kind = PART_TOOL_CALL, .name = STR("h")},
      {.kind = EVENT_OPEN, .part = 6, .part_kind = PART_TEXT, .choice = 1},
      {.kind = EVENT_DELTA, .part = 6, .bytes = STR("other")},
      {.kind = EVENT_USAGE, .usage = &usage},
      {.kind = EVENT_STOP, .reason = STOP_TOOL_CALLS, .native = STR("tool_calls")},
      {.kind = EVENT_END},
  };
  struct fake_receipt receipt = {0};
  r.x.put_receipt = put_receipt;
  r.x.receipt_arg = &receipt;
  answer_init(&answer, &r.arena, 0);
  collect(&answer, events, sizeof events / sizeof *events);
  dialect_anthropic.encode_reply(&r.x, &answer, &r.out);
  assert_json_str(
      buf_str(&r.out),
      q("{'type':'message','id':'msg_own','role':'assistant','model':'asked-model','content':[{'type':'thinking',"
        "'thinking':'t','signature':'" SIGNED_ELSEWHERE "'},{'type':'text','text':'hi'},{'type':'tool_use','id':'c',"
        "'name':'f','input':{'n':1e-2}},{'type':'tool_use','id':'d','name':'g','input':{'_invalid_json':'not json'}},"
        "{'type':'tool_use','id':'toolu_r1_5','name':'h','input':{}}],'stop_reason':'tool_use','stop_sequence':null,"
        "'usage':{'input_tokens':15,'cache_creation_input_tokens':5,'output_tokens':7},'maestro':{'mode':'auto'}}"));
  answer_clear(&answer);
  run_end(&r);
}

TEST(test_count) {
  struct run r;
  static struct answer answer;
  const struct request count = {.operation = LLM_COUNT_TOKENS};
  run_begin(&r);
  r.x.request = &count;
  answer_init(&answer, &r.arena, 0);
  usage_set(&answer.usage, USAGE_INPUT, 2095);
  dialect_anthropic.encode_reply(&r.x, &answer, &r.out);
  assert_str(buf_str(&r.out), STR("{\"input_tokens\":2095}"));
  answer_clear(&answer);
  run_end(&r);
}

/* What the encoder writes, the decoder reads. */
TEST(test_round_trip) {
  struct run r;
  run_begin(&r);
  start(&r);
  open_part(&r, 0, PART_REASONING);
  delta(&r, 0, PART_REASONING, "h");
  sign(&r, 0, PART_REASONING, "b3du", "anthropic");
  close_part(&r, 0, PART_REASONING);
  open_part(&r, 1, PART_TEXT);
  delta(&r, 1, PART_TEXT, "x");
  close_part(&r, 1, PART_TEXT);
  open_call(&r, 2, "a", "f");
  delta(&r, 2, PART_TOOL_CALL, "{}");
  close_part(&r, 2, PART_TOOL_CALL);
  stop(&r, STOP_TOOL_CALLS);
  end(&r);
  assert_stream(
      buf_str(&r.out), NULL,
      "start msg_r1_0 asked-model\nusage in=0\nopen 0 reasoning\ndelta 0 h\nattach 0 b3du anthropic\nclose 0\n"
      "open 1 text\ndelta 1 x\nclose 1\nopen 2 call a f\ndelta 2 {}\nclose 2\nusage in=0 out=0\n"
      "stop 2 tool_use \nend");
  run_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_and_usage),
      cmocka_unit_test(test_empty_answer),
      cmocka_unit_test(test_parallel_calls_do_not_mix),
      cmocka_unit_test(test_missing_ids_and_closes),
      cmocka_unit_test(test_thinking),
      cmocka_unit_test(test_native_parts_and_those_of_others),
      cmocka_unit_test(test_stop_words),
      cmocka_unit_test(test_stop_sequence_and_native_reason),
      cmocka_unit_test(test_whole_answer),
      cmocka_unit_test(test_count),
      cmocka_unit_test(test_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
