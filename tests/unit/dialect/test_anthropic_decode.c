/* Answers of Anthropic's API as events: expectations from its API reference ("Streaming messages", "Messages" and
 * "Count tokens") and the types of its SDK. */
#include "anthropic_support.h"

#define EVENT(name, json) "event: " name "\ndata: " json "\n\n"
#define BEGIN                                                                                                     \
  EVENT("message_start",                                                                                          \
        "{'type':'message_start','message':{'id':'msg_1','type':'message','role':'assistant','model':'claude-x'," \
        "'content':[],'stop_reason':null,'stop_sequence':null,'usage':{'input_tokens':10,"                        \
        "'cache_creation_input_tokens':5,'cache_read_input_tokens':85,'output_tokens':1}}}")
#define BLOCK(index, block) \
  EVENT("content_block_start", "{'type':'content_block_start','index':" #index ",'content_block':" block "}")
#define DELTA(index, delta) \
  EVENT("content_block_delta", "{'type':'content_block_delta','index':" #index ",'delta':" delta "}")
#define STOP(index) EVENT("content_block_stop", "{'type':'content_block_stop','index':" #index "}")
#define FINISH(reason, sequence)                                                                                 \
  EVENT("message_delta", "{'type':'message_delta','delta':{'stop_reason':'" reason "','stop_sequence':" sequence \
                         "},'usage':{'output_tokens':15}}")                                                      \
  EVENT("message_stop", "{'type':'message_stop'}")
#define STARTED "start msg_1 claude-x\nusage in=100 read=85 write=5\n"
#define USED "usage in=100 out=15 read=85 write=5\n"

TEST(test_text_stream) {
  assert_stream(q(BEGIN BLOCK(0, "{'type':'text','text':''}") EVENT("ping", "{'type': 'ping'}")
                      DELTA(0, "{'type':'text_delta','text':'Hel'}")
                          DELTA(0, "{'type':'text_delta','text':'lo \\u00e9'}") STOP(0) FINISH("end_turn", "null")),
                NULL, STARTED "open 0 text\nping\ndelta 0 Hello \xc3\xa9\nclose 0\n" USED "stop 0 end_turn \nend");
}

TEST(test_thinking_and_tools_stream) {
  assert_stream(
      q(BEGIN BLOCK(0, "{'type':'thinking','thinking':'','signature':''}") DELTA(
          0, "{'type':'thinking_delta','thinking':'Hm.'}") DELTA(0, "{'type':'signature_delta','signature':'c2ln'}")
            STOP(0) BLOCK(1, "{'type':'redacted_thinking','data':'ZGF0YQ=='}") STOP(1)
                BLOCK(2, "{'type':'tool_use','id':'toolu_1','name':'get','input':{}}")
                    DELTA(2, "{'type':'input_json_delta','partial_json':''}")
                        DELTA(2, "{'type':'input_json_delta','partial_json':'{\\'a\\':'}")
                            DELTA(2, "{'type':'input_json_delta','partial_json':' 1}'}") STOP(2)
                                BLOCK(3, "{'type':'tool_use','id':'toolu_2','name':'none','input':{}}") STOP(3)
                                    FINISH("tool_use", "null")),
      NULL,
      "start msg_1 claude-x\nusage in=100 read=85 write=5\nopen 0 reasoning\ndelta 0 Hm.\nattach 0 c2ln "
      "anthropic\nclose 0\n"
      "open 1 redacted\nattach 1 ZGF0YQ== anthropic\nclose 1\n"
      "open 2 call toolu_1 get\ndelta 2 {\"a\": 1}\nclose 2\nopen 3 call toolu_2 none\nclose 3\n" USED
      "stop 2 tool_use \nend");
}

TEST(test_server_tool_stream) {
  assert_stream(
      q(BEGIN BLOCK(0, "{'type':'server_tool_use','id':'srvtoolu_1','name':'web_search','input':{}}")
            DELTA(0, "{'type':'input_json_delta','partial_json':'{\\'query\\':\\'x\\'}'}") STOP(0)
                BLOCK(1, "{'type':'web_search_tool_result','tool_use_id':'srvtoolu_1','content':[]}") STOP(1)
                    BLOCK(2, "{'type':'text','text':''}") DELTA(
                        2, "{'type':'citations_delta','citation':{'type':'web_search_result_location','url':'u'}}")
                        DELTA(2, "{'type':'text_delta','text':'y'}") STOP(2) FINISH("pause_turn", "null")),
      NULL,
      STARTED
      "open 0 server "
      "{\"type\":\"server_tool_use\",\"id\":\"srvtoolu_1\",\"name\":\"web_search\",\"input\":{\"query\":\"x\"}}\n"
      "close 0\n"
      "open 1 server {\"type\":\"web_search_tool_result\",\"tool_use_id\":\"srvtoolu_1\",\"content\":[]}\nclose 1\n"
      "open 2 text\nattach 2 {\"type\":\"web_search_result_location\",\"url\":\"u\"} anthropic\ndelta 2 y\nclose "
      "2\n" USED "stop 6 pause_turn \nend");
}

TEST(test_unknown_block_is_kept_with_its_deltas) {
  assert_stream(q(BEGIN BLOCK(0, "{'type':'compaction','content':null}")
                      DELTA(0, "{'type':'compaction_delta','content':'sum','encrypted_content':'e'}") STOP(0)
                          EVENT("news", "{'type':'news','x':1}") FINISH("compaction", "null")),
                NULL,
                STARTED
                "open 0 opaque {\"type\":\"compaction\",\"content\":\"sum\",\"encrypted_content\":\"e\"}\nclose 0\n"
                "opaque\n" USED "stop 9 compaction \nend");
}

TEST(test_stops) {
  static const struct {
    const char *stream, *line;
  } cases[] = {
      {FINISH("max_tokens", "null"), "stop 1 max_tokens "},
      {FINISH("stop_sequence", "'END'"), "stop 3 stop_sequence END"},
      {FINISH("refusal", "null"), "stop 5 refusal "},
      {FINISH("model_context_window_exceeded", "null"), "stop 7 model_context_window_exceeded "},
      {FINISH("something_new", "null"), "stop 9 something_new "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char stream[2048], expected[512];
    snprintf(stream, sizeof stream, "%s%s", BEGIN, cases[i].stream);
    snprintf(expected, sizeof expected, STARTED USED "%s\nend", cases[i].line);
    assert_stream(q(stream), NULL, expected);
  }
}

/* What servers that imitate the vendor leave out. */
TEST(test_repairs) {
  assert_stream(q(EVENT("content_block_delta",
                        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta',"
                        "'text':'a'}}") EVENT("message_stop", "{'type':'message_stop'}")),
                NULL, "start  \nopen 0 text\ndelta 0 a\nclose 0\nstop 0  \nend");
  assert_stream(
      q(BEGIN BLOCK(0, "{'type':'text','text':'a'}") BLOCK(1, "{'type':'tool_use','name':'f','input':{'b':2}}") STOP(7)
            FINISH("tool_use", "null") FINISH("end_turn", "null")),
      NULL,
      STARTED
      "open 0 text\ndelta 0 a\nopen 1 call toolu_r1_1 f\nusage in=100 out=15 read=85 write=5\n"
      "close 0\ndelta 1 {\"b\":2}\nclose 1\nstop 2 tool_use \nend");
  /* The end mark is owed where the stop has come. */
  assert_stream(q(BEGIN EVENT("message_delta", "{'type':'message_delta','delta':{'stop_reason':'end_turn'}}")), NULL,
                STARTED "stop 0 end_turn \nend");
  /* A repeated index begins another block. */
  assert_stream(q(BEGIN BLOCK(0, "{'type':'tool_use','id':'a','name':'f','input':{}}")
                      BLOCK(0, "{'type':'tool_use','id':'b','name':'f','input':{}}") FINISH("tool_use", "null")),
                NULL, STARTED "open 0 call a f\nclose 0\nopen 1 call b f\n" USED "close 1\nstop 2 tool_use \nend");
}

TEST(test_error_and_cut_streams) {
  assert_stream(
      q(BEGIN EVENT("error", "{'type':'error','error':{'type':'overloaded_error','message':'Overloaded'}}")), NULL,
      STARTED "error {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}");
  assert_stream(q(BEGIN BLOCK(0, "{'type':'text','text':''}") DELTA(0, "{'type':'text_delta','text':'a'}")), NULL,
                STARTED "open 0 text\ndelta 0 a");
}

TEST(test_bad_streams) {
  static const char *const streams[] = {
      "data: [1]\n\n",
      "data: {'x':1}\n\n",
      "data: nonsense\n\n",
      BEGIN DELTA(0, "{'type':'input_json_delta','partial_json':'{}'}"),
      BEGIN EVENT("content_block_start", "{'type':'content_block_start','index':0}"),
      /* left out it would be a shorter answer that ended well */
      BEGIN BLOCK(0, "{'text':''}"),
      BEGIN BLOCK(0, "{'type':'text','text':5}"),
      BEGIN BLOCK(0, "{'type':'text','text':''}") DELTA(0, "{'type':'input_json_delta','partial_json':'{}'}"),
      BEGIN BLOCK(0, "{'type':'tool_use','id':'t','name':'f','input':{}}") DELTA(0, "{'type':'text_delta','text':'a'}"),
  };
  for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
    struct event_log log;
    struct err_info info = {0};
    assert_int_equal(decode_stream(q(streams[i]), 3, NULL, &log, &info), ERR_UPSTREAM_PROTOCOL);
    assert_true(info.text[0] != 0);
    buf_clear(&log.text);
  }
}

TEST(test_too_many_open_blocks) {
  struct buf stream;
  struct event_log log;
  struct err_info info = {0};
  buf_init(&stream, 0);
  buf_put(&stream, q(BEGIN));
  for (int i = 0; i < 129; i++)
    buf_printf(&stream,
               "data: {\"type\":\"content_block_start\",\"index\":%d,\"content_block\":{\"type\":\"text\"}}\n\n", i);
  assert_int_equal(decode_stream(buf_str(&stream), 0, NULL, &log, &info), ERR_UPSTREAM_TOO_LARGE);
  buf_clear(&log.text);
  buf_clear(&stream);
}

static enum err decode_reply(const char *body, const struct request *r, struct event_log *log) {
  struct arena a;
  struct err_info info = {0};
  arena_init(&a, 0);
  struct dialect_exchange x = test_exchange(&a, r);
  struct event_sink sink = {log, log_put};
  buf_init(&log->text, 0);
  log->delta_part = -1;
  enum err e = dialect_anthropic.decode_reply(&x, q(body), &sink, &info);
  arena_clear(&a);
  return e;
}

static void assert_reply(const char *body, const struct request *r, const char *expected) {
  struct event_log log;
  assert_int_equal(decode_reply(body, r, &log), OK);
  assert_text(buf_str(&log.text), str_from_c(expected));
  buf_clear(&log.text);
}

TEST(test_replies) {
  assert_reply(
      "{'id':'msg_9','type':'message','role':'assistant','model':'claude-x','content':[{'type':'thinking','thinking':'"
      "t',"
      "'signature':'cw=='},{'type':'text','text':'hi','citations':[{'type':'char_location'}]},{'type':'tool_use','id':"
      "'toolu_1','name':'f','input':{'n':1.50}},{'type':'server_tool_use','id':'s','name':'web_search','input':{'q':1}}"
      "],"
      "'stop_reason':'tool_use','stop_sequence':null,'usage':{'input_tokens':3,'output_tokens':7,"
      "'output_tokens_details':{'thinking_tokens':4}}}",
      NULL,
      "start msg_9 claude-x\nopen 0 reasoning\ndelta 0 t\nattach 0 cw== anthropic\nclose 0\nopen 1 text\ndelta 1 hi\n"
      "attach 1 {\"type\":\"char_location\"} anthropic\nclose 1\nopen 2 call toolu_1 f\ndelta 2 {\"n\":1.50}\nclose 2\n"
      "open 3 server {\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{\"q\":1}}\nclose 3\n"
      "usage in=3 out=7 reasoning=4\nstop 2 tool_use \nend");
  assert_reply("{'type':'message','content':[],'stop_reason':'end_turn'}", NULL, "start  \nstop 0 end_turn \nend");
  assert_reply("{'type':'error','error':{'type':'api_error','message':'m'}}", NULL,
               "error {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}");
}

TEST(test_count_reply) {
  const struct request r = {.operation = LLM_COUNT_TOKENS, .dialect = STR("gemini")};
  struct event_log log;
  assert_reply("{'input_tokens':2095}", &r, "start  \nusage in=2095\nstop 0  \nend");
  assert_int_equal(decode_reply("{'content':[]}", &r, &log), ERR_UPSTREAM_PROTOCOL);
  buf_clear(&log.text);
}

/* Imitators write a call's arguments as they like. */
TEST(test_arguments_of_a_reply) {
  static const struct {
    const char *input, *delta;
  } rows[] = {{"{'a':1}", "\ndelta 0 {\"a\":1}"},
              {"'{}'", "\ndelta 0 {}"},
              {"[1]", "\ndelta 0 [1]"},
              {"7", "\ndelta 0 7"},
              {"[]", "\ndelta 0 {}"},
              {"null", ""},
              {"{}", ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char body[200], events[200];
    snprintf(body, sizeof body,
             "{'content':[{'type':'tool_use','id':'t','name':'f','input':%s}],'stop_reason':'tool_use'}",
             rows[i].input);
    snprintf(events, sizeof events, "start  \nopen 0 call t f%s\nclose 0\nstop 2 tool_use \nend", rows[i].delta);
    assert_reply(body, NULL, events);
  }
}

TEST(test_an_error_without_its_type) {
  assert_stream(q(BEGIN "data: {'error':{'message':'x'}}\n\n"), NULL, STARTED "error {\"error\":{\"message\":\"x\"}}");
  assert_reply("{'error':'x'}", NULL, "error {\"error\":\"x\"}");
}

TEST(test_bad_replies) {
  static const char *const bodies[] = {"[]",
                                       "",
                                       "<html>",
                                       "{}",
                                       "{'content':'x'}",
                                       "{'content':[1]}",
                                       "{'content':[{'text':'a'}]}",
                                       "{'content':[{'type':'text','text':['a']}]}"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    struct event_log log;
    assert_int_equal(decode_reply(bodies[i], NULL, &log), ERR_UPSTREAM_PROTOCOL);
    buf_clear(&log.text);
  }
}

/* A tool that had to be renamed for the vendor has its own name in the answer; one of this dialect's caller is left. */
TEST(test_tool_names_come_back) {
  struct request_tool tools[] = {{.name = STR("weather.now")}, {.name = STR("plain")}};
  struct request r = {.dialect = STR("gemini"), .tools = tools, .tool_count = 2};
  const char *body =
      "{'content':[{'type':'tool_use','id':'i','name':'weather_now','input':{}}],'stop_reason':'tool_use'}";
  assert_reply(body, &r, "start  \nopen 0 call i weather.now\nclose 0\nstop 2 tool_use \nend");
  r.dialect = STR("anthropic");
  assert_reply(body, &r, "start  \nopen 0 call i weather_now\nclose 0\nstop 2 tool_use \nend");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_stream),
      cmocka_unit_test(test_thinking_and_tools_stream),
      cmocka_unit_test(test_server_tool_stream),
      cmocka_unit_test(test_unknown_block_is_kept_with_its_deltas),
      cmocka_unit_test(test_stops),
      cmocka_unit_test(test_repairs),
      cmocka_unit_test(test_error_and_cut_streams),
      cmocka_unit_test(test_bad_streams),
      cmocka_unit_test(test_too_many_open_blocks),
      cmocka_unit_test(test_replies),
      cmocka_unit_test(test_count_reply),
      cmocka_unit_test(test_arguments_of_a_reply),
      cmocka_unit_test(test_an_error_without_its_type),
      cmocka_unit_test(test_bad_replies),
      cmocka_unit_test(test_tool_names_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
