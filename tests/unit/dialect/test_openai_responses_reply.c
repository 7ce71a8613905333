/* Responses as answers: whole replies and streams as events, events as replies and streams, relay, errors. Frames
 * follow OpenAI's reference of the streaming events (2026-11); each stream is also read cut at every byte. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_responses/openai_responses.h"
#include "json_equal.h"
#include "llm/signature.h"
#include "unit.h"

static const struct dialect *const d = &dialect_openai_responses;
static struct arena arena;
static struct buf seen, out;
static struct dialect_exchange x;
static struct request request;
static yyjson_doc *request_doc;

static int setup(void **state) {
  (void)state;
  arena_init(&arena, 0);
  buf_init(&seen, 0);
  buf_init(&out, 0);
  request_init(&request, STR("other"), LLM_GENERATE);
  x = (struct dialect_exchange){
      .arena = &arena, .reply_id = STR("r1"), .created_s = 7, .model = STR("p/m"), .request = &request};
  return 0;
}
static int teardown(void **state) {
  (void)state;
  buf_clear(&seen);
  buf_clear(&out);
  arena_clear(&arena);
  yyjson_doc_free(request_doc);
  request_doc = NULL;
  return 0;
}

/* ---- events as text ---- */

static const char *const kinds[] = {
    [PART_TEXT] = "text",          [PART_REASONING] = "reasoning", [PART_REASONING_SUMMARY] = "summary",
    [PART_REDACTED] = "redacted",  [PART_REFUSAL] = "refusal",     [PART_TOOL_CALL] = "call",
    [PART_TOOL_RESULT] = "result", [PART_SERVER_TOOL] = "server",  [PART_IMAGE] = "image",
    [PART_DOCUMENT] = "document",  [PART_AUDIO] = "audio",         [PART_VIDEO] = "video",
    [PART_OPAQUE] = "opaque"};
static const char *const reasons[] = {"end",     "length", "tool_calls", "sequence",  "filter",
                                      "refusal", "pause",  "context",    "malformed", "other"};

static enum err log_event(void *arg, const struct event *e, struct err_info *info) {
  (void)arg;
  (void)info;
  switch (e->kind) {
    case EVENT_START:
      buf_printf(&seen, "start %.*s %.*s %d\n", STR_ARG(e->id), STR_ARG(e->name), (int)e->created_s);
      break;
    case EVENT_OPEN:
      buf_printf(&seen, "open %u %s", e->part, kinds[e->part_kind]);
      if (e->item_id.n) buf_printf(&seen, " item=%.*s", STR_ARG(e->item_id));
      if (e->id.n) buf_printf(&seen, " id=%.*s", STR_ARG(e->id));
      if (e->part_kind == PART_TOOL_CALL) buf_printf(&seen, " name=%.*s", STR_ARG(e->name));
      if (e->namespace.n) buf_printf(&seen, " in=%.*s", STR_ARG(e->namespace));
      if (e->tool_kind == TOOL_CUSTOM) buf_printf(&seen, " custom");
      if (e->raw.n) buf_printf(&seen, " raw=%.*s", STR_ARG(e->raw));
      buf_put_char(&seen, '\n');
      break;
    case EVENT_DELTA: buf_printf(&seen, "delta %u %.*s\n", e->part, STR_ARG(e->bytes)); break;
    case EVENT_ATTACH:
      buf_printf(&seen, "attach %u %d %.*s%.*s\n", e->part, (int)e->attachment, STR_ARG(e->bytes), STR_ARG(e->raw));
      break;
    case EVENT_CLOSE: buf_printf(&seen, "close %u\n", e->part); break;
    case EVENT_USAGE:
      buf_printf(&seen, "usage");
      for (int i = 0; i < USAGE_CLASSES; i++)
        if (usage_has(e->usage, (enum usage_class)i)) buf_printf(&seen, " %d:%d", i, (int)e->usage->tokens[i]);
      buf_put_char(&seen, '\n');
      break;
    case EVENT_STOP: buf_printf(&seen, "stop %s %.*s\n", reasons[e->reason], STR_ARG(e->native)); break;
    case EVENT_ERROR: buf_printf(&seen, "error %.*s\n", STR_ARG(e->bytes)); break;
    case EVENT_END: buf_printf(&seen, "end\n"); break;
    default: buf_printf(&seen, "? %d\n", (int)e->kind); break;
  }
  return OK;
}

static void assert_seen(const char *want) {
  if (!str_eq(buf_str(&seen), str_from_c(want)))
    fprintf(stderr, "--- got\n%.*s--- want\n%s", STR_ARG(buf_str(&seen)), want);
  assert_str(buf_str(&seen), str_from_c(want));
}

static enum err decode_whole(const char *body, struct err_info *info) {
  struct event_sink sink = {NULL, log_event};
  buf_reset(&seen);
  *info = (struct err_info){0};
  return d->decode_reply(&x, str_from_c(body), &sink, info);
}

/* The stream in two pieces, cut at `cut`. */
static enum err decode_stream(struct str bytes, size_t cut, struct err_info *info) {
  struct event_sink sink = {NULL, log_event};
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  void *state = arena_zalloc(&arena, d->decoder_bytes);
  enum err e = OK;
  buf_reset(&seen);
  *info = (struct err_info){0};
  frame_reader_init(&reader, d->framing, 0);
  for (int piece = 0; piece < 2 && !e; piece++) {
    frame_reader_feed(&reader, piece ? str_sub(bytes, cut, bytes.n) : str_sub(bytes, 0, cut));
    while (!e && frame_reader_next(&reader, &frame, &e)) e = d->decode_frame(state, &x, &pool, &frame, &sink, info);
  }
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  return e;
}

static void assert_stream(const char *frames, const char *want) {
  struct err_info info;
  struct str bytes = str_from_c(frames);
  for (size_t cut = 0; cut <= bytes.n; cut++) {
    assert_int_equal(decode_stream(bytes, cut, &info), OK);
    assert_seen(want);
  }
}

/* ---- decoding ---- */

#define RESPONSE(status, output, more)                                                               \
  "{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":5,\"model\":\"m\",\"status\":\"" status \
  "\",\"error\":null,"                                                                               \
  "\"output\":[" output "]" more "}"
#define USAGE                                                                                           \
  ",\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":6," \
  "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":16}"
#define MESSAGE(id, content) \
  "{\"id\":\"" id "\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"completed\",\"content\":[" content "]}"
#define OUTPUT_TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}"
#define CALL(id, call, name, args)                                                                                     \
  "{\"id\":\"" id "\",\"type\":\"function_call\",\"call_id\":\"" call "\",\"name\":\"" name "\",\"arguments\":\"" args \
  "\",\"status\":\"completed\"}"

TEST(whole_replies) {
  static const struct {
    const char *body, *events;
  } rows[] = {
      {RESPONSE("completed", MESSAGE("msg_1", OUTPUT_TEXT("hi")), USAGE),
       "start resp_1 m 5\nopen 0 text item=msg_1\ndelta 0 hi\nclose 0\nusage 0:10 1:6 2:4 4:2\nstop end "
       "completed\nend\n"},
      {RESPONSE("completed", "", ""), "start resp_1 m 5\nstop end completed\nend\n"},
      {RESPONSE("completed", CALL("fc_1", "c1", "f", "{}") "," CALL("fc_2", "", "g", ""), ""),
       "start resp_1 m 5\nopen 0 call item=fc_1 id=c1 name=f\ndelta 0 {}\nclose 0\n"
       "open 1 call item=fc_2 id=call_r1_0 name=g\nclose 1\nstop tool_calls completed\nend\n"},
      {RESPONSE("completed",
                "{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"k\",\"namespace\":\"n\",\"input\":\"x\"}",
                ""),
       "start resp_1 m 5\nopen 0 call id=c name=n__k custom\ndelta 0 x\nclose 0\nstop tool_calls completed\nend\n"},
      {RESPONSE("incomplete", MESSAGE("msg_1", OUTPUT_TEXT("hi")),
                ",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}"),
       "start resp_1 m 5\nopen 0 text item=msg_1\ndelta 0 hi\nclose 0\nstop length max_output_tokens\nend\n"},
      {RESPONSE("incomplete", "", ",\"incomplete_details\":{\"reason\":\"content_filter\"}"),
       "start resp_1 m 5\nstop filter content_filter\nend\n"},
      {RESPONSE("completed", MESSAGE("msg_1", "{\"type\":\"refusal\",\"refusal\":\"no\"}"), ""),
       "start resp_1 m 5\nopen 0 refusal item=msg_1\ndelta 0 no\nclose 0\nstop refusal completed\nend\n"},
      {RESPONSE("completed",
                "{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"},"
                "{\"type\":\"summary_text\",\"text\":\"b\"}],\"encrypted_content\":\"E\"},"
                "{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"F\"},"
                "{\"id\":\"rs_3\",\"type\":\"reasoning\",\"summary\":[],\"content\":[{\"type\":\"reasoning_text\","
                "\"text\":\"c\"}]}",
                ""),
       "start resp_1 m 5\nopen 0 summary item=rs_1\ndelta 0 a\nclose 0\nopen 1 summary item=rs_1\ndelta 1 b\n"
       "attach 1 0 E\nclose 1\nopen 2 redacted item=rs_2\nattach 2 0 F\nclose 2\nopen 3 reasoning item=rs_3\ndelta 3 "
       "c\n"
       "close 3\nstop end completed\nend\n"},
      {RESPONSE("completed",
                MESSAGE("msg_1",
                        "{\"type\":\"output_text\",\"text\":\"hi\",\"annotations\":[{\"type\":\"url_citation\","
                        "\"start_index\":0}],\"logprobs\":[{\"token\":\"h\",\"logprob\":-0.10}]}"),
                ""),
       "start resp_1 m 5\nopen 0 text item=msg_1\ndelta 0 hi\nattach 0 1 "
       "{\"type\":\"url_citation\",\"start_index\":0}\n"
       "attach 0 2 {\"token\":\"h\",\"logprob\":-0.10}\nclose 0\nstop end completed\nend\n"},
      {RESPONSE("completed",
                "{\"id\":\"ws_1\",\"type\":\"web_search_call\",\"status\":\"completed\"},{\"type\":\"new_thing\"}", ""),
       "start resp_1 m 5\nopen 0 server item=ws_1 "
       "raw={\"id\":\"ws_1\",\"type\":\"web_search_call\",\"status\":\"completed\"}\n"
       "close 0\nopen 1 opaque raw={\"type\":\"new_thing\"}\nclose 1\nstop end completed\nend\n"},
      {"{\"error\":{\"message\":\"x\"}}", "error {\"error\":{\"message\":\"x\"}}\n"},
      {"{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"output\":[]}",
       "error "
       "{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"output\":[]}\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info;
    assert_int_equal(decode_whole(rows[i].body, &info), OK);
    assert_seen(rows[i].events);
  }
}

TEST(no_replies) {
  static const char *const rows[] = {"",
                                     "[]",
                                     "1",
                                     "{}",
                                     "{\"output\":{}}",
                                     "<html>",
                                     "{\"output\":[1]}",
                                     "{\"output\":[{}]}",
                                     "{\"output\":[{\"type\":\"function_call\",\"arguments\":\"\"}]}",
                                     "{\"output\":[],\"status\":\"queued\"}"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info;
    assert_int_equal(decode_whole(rows[i], &info), ERR_UPSTREAM_PROTOCOL);
    assert_true(info.text[0]);
  }
}

#define F(type, members) "event: " type "\ndata: {\"type\":\"" type "\"," members "}\n\n"
#define CREATED F("response.created", "\"response\":" RESPONSE("in_progress", "", ""))
#define COMPLETED F("response.completed", "\"response\":" RESPONSE("completed", "", USAGE))
#define END_LOG "usage 0:10 1:6 2:4 4:2\nstop end completed\nend\n"

TEST(a_stream_of_text) {
  assert_stream(
      CREATED F("response.in_progress", "\"response\":{}")
          F("response.output_item.added",
            "\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[]}")
              F("response.content_part.added",
                "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":"
                "{\"type\":\"output_text\",\"text\":\"\"}")
                  F("response.output_text.delta",
                    "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"he\\nl\"")
                      F("response.output_text.delta",
                        "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"lo\",\"logprobs\":[{"
                        "\"a\":1}]")
                          F("response.output_text.annotation.added",
                            "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"annotation_index\":0,"
                            "\"annotation\":{\"type\":\"file_path\"}")
                              F("response.output_text.done",
                                "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"text\":\"he\\nllo\"")
                                  F("response.content_part.done",
                                    "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{}")
                                      F("response.output_item.done",
                                        "\"output_index\":0,\"item\":" MESSAGE("msg_1", OUTPUT_TEXT("he\\nllo")))
                                          COMPLETED "data: [DONE]\n\n" COMPLETED,
      "start resp_1 m 5\nopen 0 text item=msg_1\ndelta 0 he\nl\ndelta 0 lo\nattach 0 2 {\"a\":1}\n"
      "attach 0 1 {\"type\":\"file_path\"}\nclose 0\n" END_LOG);
}

TEST(parallel_calls_interleaved) {
  assert_stream(
      CREATED F("response.output_item.added",
                "\"output_index\":0,\"item\":{\"id\":\"fc_1\",\"type\":\"function_call\","
                "\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"\"}")
          F("response.output_item.added",
            "\"output_index\":1,\"item\":{\"id\":\"ctc_2\",\"type\":\"custom_tool_call\","
            "\"call_id\":\"c2\",\"name\":\"g\",\"input\":\"\"}")
              F("response.function_call_arguments.delta",
                "\"item_id\":\"fc_1\",\"output_index\":0,\"delta\":\"{\\\"a\\\"\"")
                  F("response.custom_tool_call_input.delta", "\"item_id\":\"ctc_2\",\"output_index\":1,\"delta\":\"x\"")
                      F("response.function_call_arguments.delta",
                        "\"item_id\":\"fc_1\",\"output_index\":0,\"delta\":\":1}\"")
                          F("response.custom_tool_call_input.done",
                            "\"item_id\":\"ctc_2\",\"output_index\":1,\"input\":\"x\"")
                              F("response.output_item.done",
                                "\"output_index\":1,\"item\":{\"id\":\"ctc_2\",\"type\":\"custom_tool_call\"}")
                                  F("response.output_item.done",
                                    "\"output_index\":0,\"item\":" CALL("fc_1", "c1", "f", "{\\\"a\\\":1}")) COMPLETED,
      "start resp_1 m 5\nopen 0 call item=fc_1 id=c1 name=f\nopen 1 call item=ctc_2 id=c2 name=g custom\n"
      "delta 0 {\"a\"\ndelta 1 x\ndelta 0 :1}\nclose 1\nclose 0\n"
      "usage 0:10 1:6 2:4 4:2\nstop tool_calls completed\nend\n");
}

TEST(thinking_is_signed_at_its_items_end) {
  assert_stream(
      CREATED F("response.output_item.added",
                "\"output_index\":0,\"item\":{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[]}")
          F("response.reasoning_summary_part.added", "\"item_id\":\"rs_1\",\"output_index\":0,\"summary_index\":0") F(
              "response.reasoning_summary_text.delta",
              "\"item_id\":\"rs_1\",\"output_index\":0,\"summary_index\":0,\"delta\":\"a\"")
              F("response.reasoning_summary_part.done", "\"item_id\":\"rs_1\",\"output_index\":0,\"summary_index\":0")
                  F("response.reasoning_summary_text.delta",
                    "\"item_id\":\"rs_1\",\"output_index\":0,\"summary_index\":1,\"delta\":\"b\"")
                      F("response.output_item.done",
                        "\"output_index\":0,\"item\":{\"id\":\"rs_1\",\"type\":\"reasoning\",\"encrypted_content\":"
                        "\"E\"}")
                          F("response.output_item.added",
                            "\"output_index\":1,\"item\":{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[]}")
                              F("response.output_item.done",
                                "\"output_index\":1,\"item\":{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[],"
                                "\"encrypted_content\":\"F\"}")
                                  F("response.reasoning_text.delta",
                                    "\"item_id\":\"rs_3\",\"output_index\":2,\"content_index\":0,\"delta\":\"c\"")
                                      COMPLETED,
      "start resp_1 m 5\nopen 0 summary item=rs_1\ndelta 0 a\nclose 0\nopen 1 summary item=rs_1\ndelta 1 b\n"
      "attach 1 0 E\nclose 1\nopen 2 redacted item=rs_2\nattach 2 0 F\nclose 2\n"
      "open 3 reasoning item=rs_3\ndelta 3 c\nclose 3\n" END_LOG);
}

/* What is left out is repaired: indexes, beginnings, deltas, ends; what comes twice is taken once. */
TEST(streams_that_need_repair) {
  static const struct {
    const char *frames, *events;
  } rows[] = {
      /* items' ends alone */
      {CREATED F("response.output_item.done", "\"item\":" MESSAGE("m1", OUTPUT_TEXT("a")))
           F("response.output_item.done", "\"item\":" CALL("f1", "c", "f", "{}")) COMPLETED,
       "start resp_1 m 5\nopen 0 text item=m1\ndelta 0 a\nclose 0\nopen 1 call item=f1 id=c name=f\ndelta 1 {}\nclose "
       "1\n"
       "usage 0:10 1:6 2:4 4:2\nstop tool_calls completed\nend\n"},
      /* the finished response alone */
      {F("response.completed", "\"response\":" RESPONSE("completed", MESSAGE("m1", OUTPUT_TEXT("a")), "")),
       "start resp_1 m 5\nopen 0 text item=m1\ndelta 0 a\nclose 0\nstop end completed\nend\n"},
      /* an item that was begun and never told, and one that never came: the finished response has both */
      {CREATED F("response.output_item.added", "\"output_index\":0,\"item\":{\"id\":\"m1\",\"type\":\"message\"}")
           F("response.completed",
             "\"response\":" RESPONSE("completed", MESSAGE("m1", OUTPUT_TEXT("a")) "," CALL("f1", "c", "f", "{}"), "")),
       "start resp_1 m 5\nopen 0 text item=m1\ndelta 0 a\nclose 0\nopen 1 call item=f1 id=c name=f\ndelta 1 {}\n"
       "close 1\nstop tool_calls completed\nend\n"},
      /* a call whose arguments and end never came */
      {CREATED F(
           "response.output_item.added",
           "\"output_index\":0,\"item\":{\"id\":\"f1\",\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\"}")
           F("response.completed", "\"response\":" RESPONSE("completed", CALL("f1", "c", "f", "{}"), "")),
       "start resp_1 m 5\nopen 0 call item=f1 id=c name=f\ndelta 0 {}\nclose 0\nstop tool_calls completed\nend\n"},
      /* what was told under other numbers than it has there is not told again */
      {CREATED F("response.output_item.done", "\"output_index\":3,\"item\":" MESSAGE("m1", OUTPUT_TEXT("a")))
           F("response.completed", "\"response\":" RESPONSE("completed", MESSAGE("m1", OUTPUT_TEXT("a")), "")),
       "start resp_1 m 5\nopen 0 text item=m1\ndelta 0 a\nclose 0\nstop end completed\nend\n"},
      /* deltas without beginnings, indexes or `event:`; no ends */
      {"data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
       "data: {\"type\":\"response.output_text.delta\",\"delta\":\"b\"}\n\n" COMPLETED,
       "start   0\nopen 0 text\ndelta 0 a\ndelta 0 b\nclose 0\n" END_LOG},
      /* two calls told apart by id, arguments only at the end */
      {CREATED F("response.output_item.added",
                 "\"item\":{\"id\":\"f1\",\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\"}")
           F("response.output_item.added",
             "\"item\":{\"id\":\"f2\",\"type\":\"function_call\",\"call_id\":\"c2\",\"name\":\"g\"}")
               F("response.function_call_arguments.delta", "\"item_id\":\"f2\",\"delta\":\"2\"")
                   F("response.function_call_arguments.done", "\"item_id\":\"f1\",\"arguments\":\"1\"")
                       F("response.function_call_arguments.done", "\"item_id\":\"f2\",\"arguments\":\"2\"")
                           F("response.output_item.done", "\"item\":" CALL("f1", "c1", "f", "1")) COMPLETED,
       "start resp_1 m 5\nopen 0 call item=f1 id=c1 name=f\nopen 1 call item=f2 id=c2 name=g\ndelta 1 2\ndelta 0 "
       "1\nclose 0\n"
       "close 1\nusage 0:10 1:6 2:4 4:2\nstop tool_calls completed\nend\n"},
      /* everything twice */
      {CREATED CREATED F("response.output_item.added",
                         "\"output_index\":0,\"item\":{\"id\":\"m1\",\"type\":\"message\"}")
           F("response.output_item.added", "\"output_index\":0,\"item\":{\"id\":\"m1\",\"type\":\"message\"}") F(
               "response.output_text.done", "\"output_index\":0,\"content_index\":0,\"text\":\"a\"")
               F("response.output_text.done", "\"output_index\":0,\"content_index\":0,\"text\":\"a\"") F(
                   "response.content_part.done", "\"output_index\":0,\"content_index\":0")
                   F("response.content_part.done", "\"output_index\":0,\"content_index\":0") F(
                       "response.output_text.done", "\"output_index\":0,\"content_index\":0,\"text\":\"a\"")
                       F("response.output_item.done", "\"output_index\":0,\"item\":" MESSAGE("m1", OUTPUT_TEXT("a"))) F(
                           "response.output_item.done", "\"output_index\":0,\"item\":" MESSAGE("m1", OUTPUT_TEXT("a")))
                           COMPLETED COMPLETED,
       "start resp_1 m 5\nopen 0 text\ndelta 0 a\nclose 0\n" END_LOG},
      /* a call that is named only at its end */
      {CREATED F("response.output_item.added", "\"output_index\":0,\"item\":{\"id\":\"f1\",\"type\":\"function_call\"}")
           F("response.function_call_arguments.delta", "\"output_index\":0,\"delta\":\"{}\"")
               F("response.output_item.done", "\"output_index\":0,\"item\":" CALL("f1", "c1", "f", "{}")) COMPLETED,
       "start resp_1 m 5\nopen 0 call item=f1 id=c1 name=f\ndelta 0 {}\nclose 0\n"
       "usage 0:10 1:6 2:4 4:2\nstop tool_calls completed\nend\n"},
      /* unknown events, a comment, a provider's own tool */
      {": hi\n\n" CREATED F("response.web_search_call.searching", "\"output_index\":0")
           F("response.of_tomorrow", "\"x\":1") F(
               "response.output_item.added", "\"output_index\":0,\"item\":{\"id\":\"ws\",\"type\":\"web_search_call\"}")
               F("response.output_item.done",
                 "\"output_index\":0,\"item\":{\"id\":\"ws\",\"type\":\"web_search_call\"}") COMPLETED,
       "start resp_1 m 5\nopen 0 server item=ws raw={\"id\":\"ws\",\"type\":\"web_search_call\"}\nclose 0\n" END_LOG},
      /* cut: there is no end */
      {CREATED F("response.output_text.delta", "\"output_index\":0,\"content_index\":0,\"delta\":\"a\""),
       "start resp_1 m 5\nopen 0 text\ndelta 0 a\n"},
      {CREATED F("response.incomplete",
                 "\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                 "\"max_output_tokens\"},\"output\":[]}"),
       "start resp_1 m 5\nstop length max_output_tokens\nend\n"},
      {F("response.failed", "\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}") COMPLETED,
       "error {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}}\n"},
      {CREATED F("error", "\"message\":\"x\"") COMPLETED,
       "start resp_1 m 5\nerror {\"type\":\"error\",\"message\":\"x\"}\n"},
      {"data: {\"error\":{\"message\":\"x\"}}\n\n", "error {\"error\":{\"message\":\"x\"}}\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_stream(rows[i].frames, rows[i].events);
}

TEST(streams_that_are_none) {
  static const char *const rows[] = {"data: x\n\n",
                                     "data: []\n\n",
                                     "data: {}\n\n",
                                     F("response.output_item.done", "\"item\":1"),
                                     F("response.output_item.done", "\"item\":{}"),
                                     F("response.completed", "\"x\":1")};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info;
    assert_int_equal(decode_stream(str_from_c(rows[i]), 0, &info), ERR_UPSTREAM_PROTOCOL);
  }
}

TEST(open_items_have_a_bound) {
  struct err_info info;
  struct buf frames;
  buf_init(&frames, 0);
  for (int i = 0; i < 129; i++)
    buf_printf(
        &frames,
        "data: {\"type\":\"response.output_text.delta\",\"output_index\":%d,\"content_index\":0,\"delta\":\"a\"}\n\n",
        i);
  assert_int_equal(decode_stream(buf_str(&frames), 0, &info), ERR_UPSTREAM_TOO_LARGE);
  buf_clear(&frames);
}

/* ---- encoding ---- */

static struct event events[64];
static size_t event_count;
static struct usage usage;

static struct event *add(enum event_kind kind, uint32_t part, enum part_kind part_kind) {
  struct event *e = &events[event_count++];
  *e = (struct event){.kind = kind, .part = part, .part_kind = part_kind};
  return e;
}
static void start(void) {
  event_count = 0;
  usage = (struct usage){0};
  *add(EVENT_START, 0, PART_TEXT) =
      (struct event){.kind = EVENT_START, .id = STR("up_1"), .name = STR("m"), .created_s = 5};
}
static void part(uint32_t n, enum part_kind kind, const char *text) {
  add(EVENT_OPEN, n, kind);
  if (text) add(EVENT_DELTA, n, kind)->bytes = str_from_c(text);
  add(EVENT_CLOSE, n, kind);
}
static void stop(enum stop_reason reason) {
  usage_set(&usage, USAGE_INPUT, 10);
  usage_set(&usage, USAGE_OUTPUT, 6);
  usage_set(&usage, USAGE_CACHE_READ, 4);
  add(EVENT_USAGE, 0, PART_TEXT)->usage = &usage;
  add(EVENT_STOP, 0, PART_TEXT)->reason = reason;
  add(EVENT_END, 0, PART_TEXT);
}

static void encode_whole(void) {
  struct answer answer;
  struct err_info info = {0};
  answer_init(&answer, &arena, 0);
  struct event_sink sink = answer_sink(&answer);
  for (size_t i = 0; i < event_count; i++) assert_int_equal(event_put(&sink, &events[i], &info), OK);
  buf_reset(&out);
  d->encode_reply(&x, &answer, &out);
  assert_false(out.failed);
  answer_clear(&answer);
}

static void *encode_stream(void) {
  struct err_info info = {0};
  void *state = arena_zalloc(&arena, d->encoder_bytes);
  buf_reset(&out);
  for (size_t i = 0; i < event_count; i++) assert_int_equal(d->encode_event(state, &x, &events[i], &out, &info), OK);
  return state;
}

/* The frames as lines of "type output_index inner_index: word"; each is checked to be numbered and named. */
static void list_frames(void) {
  struct frame_reader reader;
  struct frame frame;
  enum err e;
  int64_t sequence = 0;
  struct json_pool pool = {0};
  buf_reset(&seen);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, buf_str(&out));
  while (frame_reader_next(&reader, &frame, &e)) {
    yyjson_val *root = json_pool_parse(&pool, frame.data);
    assert_non_null(root);
    assert_str(json_pool_str(root, "type"), frame.event);
    assert_int_equal(json_pool_count(yyjson_obj_get(root, "sequence_number")), sequence++);
    struct str type = frame.event;
    if (str_has_prefix(type, STR("response."))) type = str_sub(type, 9, type.n);
    buf_printf(&seen, "%.*s", STR_ARG(type));
    static const char *const indexes[] = {"output_index", "content_index", "summary_index"};
    for (int i = 0; i < 3; i++)
      if (yyjson_obj_get(root, indexes[i]))
        buf_printf(&seen, " %c%d", indexes[i][0], (int)json_pool_count(yyjson_obj_get(root, indexes[i])));
    static const char *const words[] = {"item_id", "delta", "text", "refusal", "arguments", "input"};
    for (int i = 0; i < 6; i++)
      if (yyjson_obj_get(root, words[i])) buf_printf(&seen, " %.*s", STR_ARG(json_pool_str(root, words[i])));
    yyjson_val *item = yyjson_obj_get(root, "item");
    if (item)
      buf_printf(&seen, " %.*s %.*s", STR_ARG(json_pool_str(item, "id")), STR_ARG(json_pool_str(item, "status")));
    buf_put_char(&seen, '\n');
  }
  assert_false(frame_reader_is_partial(&reader));
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
}

/* The data of the n-th frame from the end. */
static struct str frame_from_end(size_t n) {
  struct str text = buf_str(&out), last = STR_NONE;
  for (size_t i = 0; i <= n; i++) {
    text = str_sub(text, 0, text.n - 2);
    size_t at = text.n;
    while (at && !(text.p[at - 1] == '\n' && at > 1 && text.p[at - 2] == '\n')) at--;
    last = str_sub(text, at, text.n);
    text = str_sub(text, 0, at);
  }
  size_t data = str_find(last, STR("data: "));
  return str_sub(last, data + 6, last.n);
}

static void assert_member(struct str json, const char *pointer, const char *want) {
  yyjson_doc *doc = yyjson_read(json.p, json.n, YYJSON_READ_NUMBER_AS_RAW);
  assert_non_null(doc);
  yyjson_val *v = yyjson_doc_ptr_get(doc, pointer);
  struct buf text;
  buf_init(&text, 0);
  if (v)
    json_split_put(&text, v);
  else
    buf_put(&text, STR("absent"));
  if (!str_eq(buf_str(&text), str_from_c(want)))
    fprintf(stderr, "%s is %.*s, not %s\nin %.*s\n", pointer, STR_ARG(buf_str(&text)), want, STR_ARG(json));
  assert_str(buf_str(&text), str_from_c(want));
  buf_clear(&text);
  yyjson_doc_free(doc);
}

static void ask(const char *body) {
  struct dialect_request envelope = {.max_tokens = -1, .model = STR("m")};
  struct err_info info = {0};
  yyjson_doc_free(request_doc);
  request_doc = yyjson_read(body, strlen(body), YYJSON_READ_NUMBER_AS_RAW);
  assert_int_equal(d->decode_request(&arena, yyjson_doc_get_root(request_doc), &envelope, &request, &info), OK);
}

static void put_receipt(void *arg, struct buf *to) {
  (*(int *)arg)++;
  buf_put(to, STR("{\"r\":1}"));
}

TEST(a_whole_response) {
  int receipts = 0;
  ask("{\"model\":\"a\",\"input\":\"q\",\"instructions\":\"be\",\"temperature\":0.50,\"max_output_tokens\":9,\"store\":"
      "false,"
      "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"tool_choice\":\"required\",\"metadata\":{\"k\":\"v\"}}");
  x.put_receipt = put_receipt;
  x.receipt_arg = &receipts;
  start();
  part(0, PART_TEXT, "hel");
  part(1, PART_TEXT, "lo");
  part(2, PART_TOOL_CALL, "{\"a\":1}");
  events[7].id = STR("c1");
  events[7].name = STR("f");
  part(3, PART_TOOL_CALL, NULL);
  events[10].name = STR("g");
  stop(STOP_TOOL_CALLS);
  encode_whole();
  assert_json(
      buf_str(&out),
      "{\"id\":\"resp_r1\",\"object\":\"response\",\"created_at\":5,\"status\":\"completed\",\"background\":false,"
      "\"error\":null,\"incomplete_details\":null,\"model\":\"p/"
      "m\",\"previous_response_id\":null,\"instructions\":\"be\","
      "\"max_output_tokens\":9,\"parallel_tool_calls\":true,\"store\":false,\"temperature\":0.50,\"top_p\":1.0,"
      "\"truncation\":\"disabled\",\"reasoning\":{\"effort\":null,\"summary\":null},\"text\":{\"format\":{\"type\":"
      "\"text\"}},"
      "\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"metadata\":{\"k\":\"v\"},"
      "\"output\":["
      "{\"id\":\"msg_r1_0\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":["
      "{\"type\":\"output_text\",\"text\":\"hel\",\"annotations\":[],\"logprobs\":[]},"
      "{\"type\":\"output_text\",\"text\":\"lo\",\"annotations\":[],\"logprobs\":[]}]},"
      "{\"id\":\"fc_r1_1\",\"type\":\"function_call\",\"status\":\"completed\",\"arguments\":\"{\\\"a\\\":1}\","
      "\"call_id\":\"c1\",\"name\":\"f\"},{\"id\":\"fc_r1_2\",\"type\":\"function_call\",\"status\":\"completed\","
      "\"arguments\":\"{}\",\"call_id\":\"call_r1_2\",\"name\":\"g\"}],\"usage\":{\"input_tokens\":10,"
      "\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":6,"
      "\"total_tokens\":16},\"maestro\":{\"r\":1}}");
  assert_int_equal(receipts, 1);
}

TEST(how_a_response_ends) {
  static const struct {
    enum stop_reason reason;
    enum part_kind kind;
    const char *status, *details, *last;
  } rows[] = {
      {STOP_END, PART_TEXT, "\"completed\"", "null", "completed"},
      {STOP_SEQUENCE, PART_TEXT, "\"completed\"", "null", "completed"},
      {STOP_LENGTH, PART_TEXT, "\"incomplete\"", "{\"reason\":\"max_output_tokens\"}", "incomplete"},
      {STOP_CONTEXT, PART_TEXT, "\"incomplete\"", "{\"reason\":\"max_output_tokens\"}", "incomplete"},
      {STOP_FILTER, PART_TEXT, "\"incomplete\"", "{\"reason\":\"content_filter\"}", "incomplete"},
      {STOP_REFUSAL, PART_REFUSAL, "\"completed\"", "null", "completed"},
      {STOP_REFUSAL, PART_TEXT, "\"incomplete\"", "{\"reason\":\"content_filter\"}", "incomplete"},
      {STOP_REFUSAL, PART_REASONING, "\"incomplete\"", "{\"reason\":\"content_filter\"}", "incomplete"},
      {STOP_PAUSE, PART_TEXT, "\"completed\"", "null", "completed"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    start();
    part(0, rows[i].kind, "t");
    stop(rows[i].reason);
    encode_whole();
    assert_member(buf_str(&out), "/status", rows[i].status);
    assert_member(buf_str(&out), "/incomplete_details", rows[i].details);
    encode_stream();
    struct str type = arena_printf(&arena, "\"response.%s\"", rows[i].last);
    assert_member(frame_from_end(0), "/type", type.p);
    assert_member(frame_from_end(0), "/response/status", rows[i].status);
  }
}

TEST(unknown_usage_is_null) {
  start();
  part(0, PART_TEXT, "t");
  usage_set(&usage, USAGE_OUTPUT, 6);
  add(EVENT_USAGE, 0, PART_TEXT)->usage = &usage;
  add(EVENT_STOP, 0, PART_TEXT);
  add(EVENT_END, 0, PART_TEXT);
  encode_whole();
  assert_member(buf_str(&out), "/usage", "null");
}

TEST(a_streamed_message) {
  start();
  add(EVENT_OPEN, 0, PART_TEXT);
  add(EVENT_DELTA, 0, PART_TEXT)->bytes = STR("he\"");
  add(EVENT_DELTA, 0, PART_TEXT)->bytes = STR("llo");
  add(EVENT_CLOSE, 0, PART_TEXT);
  add(EVENT_CLOSE, 0, PART_TEXT);
  part(1, PART_REFUSAL, "no");
  stop(STOP_END);
  encode_stream();
  list_frames();
  assert_seen(
      "created\nin_progress\noutput_item.added o0 msg_r1_0 in_progress\ncontent_part.added o0 c0 msg_r1_0\n"
      "output_text.delta o0 c0 msg_r1_0 he\"\noutput_text.delta o0 c0 msg_r1_0 llo\noutput_text.done o0 c0 msg_r1_0 "
      "he\"llo\n"
      "content_part.done o0 c0 msg_r1_0\ncontent_part.added o0 c1 msg_r1_0\nrefusal.delta o0 c1 msg_r1_0 no\n"
      "refusal.done o0 c1 msg_r1_0 no\ncontent_part.done o0 c1 msg_r1_0\noutput_item.done o0 msg_r1_0 "
      "completed\ncompleted\n");
  assert_member(frame_from_end(0), "/response/id", "\"resp_r1\"");
  assert_member(frame_from_end(0), "/response/usage/total_tokens", "16");
  assert_member(frame_from_end(0), "/response/output/0/content/1", "{\"type\":\"refusal\",\"refusal\":\"no\"}");
  assert_member(frame_from_end(1), "/item/content/0/text", "\"he\\\"llo\"");
}

TEST(streamed_calls_interleaved) {
  ask("{\"model\":\"a\",\"input\":\"q\",\"tools\":[{\"type\":\"function\",\"name\":\"n__plain\"},{\"type\":"
      "\"namespace\",\"name\":"
      "\"my.ns\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}]}");
  start();
  part(0, PART_TEXT, "t");
  struct event *e = add(EVENT_OPEN, 1, PART_TOOL_CALL);
  e->id = STR("c1");
  e->name = STR("my_ns__f");
  e = add(EVENT_OPEN, 2, PART_TOOL_CALL);
  e->name = STR("n__plain");
  e->tool_kind = TOOL_CUSTOM;
  add(EVENT_DELTA, 2, PART_TOOL_CALL)->bytes = STR("x");
  add(EVENT_DELTA, 1, PART_TOOL_CALL)->bytes = STR("{");
  add(EVENT_CLOSE, 2, PART_TOOL_CALL);
  add(EVENT_DELTA, 1, PART_TOOL_CALL)->bytes = STR("}");
  add(EVENT_CLOSE, 1, PART_TOOL_CALL);
  part(3, PART_TOOL_CALL, NULL);
  stop(STOP_TOOL_CALLS);
  encode_stream();
  list_frames();
  assert_seen(
      "created\nin_progress\noutput_item.added o0 msg_r1_0 in_progress\ncontent_part.added o0 c0 msg_r1_0\n"
      "output_text.delta o0 c0 msg_r1_0 t\noutput_text.done o0 c0 msg_r1_0 t\ncontent_part.done o0 c0 msg_r1_0\n"
      "output_item.done o0 msg_r1_0 completed\noutput_item.added o1 fc_r1_1 in_progress\n"
      "output_item.added o2 ctc_r1_2 in_progress\ncustom_tool_call_input.delta o2 ctc_r1_2 x\n"
      "function_call_arguments.delta o1 fc_r1_1 {\ncustom_tool_call_input.done o2 ctc_r1_2 x\n"
      "output_item.done o2 ctc_r1_2 completed\nfunction_call_arguments.delta o1 fc_r1_1 }\n"
      "function_call_arguments.done o1 fc_r1_1 {}\noutput_item.done o1 fc_r1_1 completed\n"
      "output_item.added o3 fc_r1_3 in_progress\nfunction_call_arguments.delta o3 fc_r1_3 {}\n"
      "function_call_arguments.done o3 fc_r1_3 {}\noutput_item.done o3 fc_r1_3 completed\ncompleted\n");
  assert_member(frame_from_end(0), "/response/output/1/namespace", "\"my.ns\"");
  assert_member(frame_from_end(0), "/response/output/1/name", "\"f\"");
  assert_member(frame_from_end(0), "/response/output/1/call_id", "\"c1\"");
  assert_member(
      frame_from_end(0), "/response/output/2",
      "{\"id\":\"ctc_r1_2\",\"type\":\"custom_tool_call\",\"status\":\"completed\",\"input\":\"x\",\"call_id\":"
      "\"call_r1_2\",\"name\":\"n__plain\"}");
}

/* As APIs say them that take more or fewer letters for a name. */
TEST(names_are_restored) {
  static const struct {
    const char *said, *name, *namespace;
  } rows[] = {{"my.ns__f", "\"f\"", "\"my.ns\""},
              {"my_ns__f", "\"f\"", "\"my.ns\""},
              {"my_ns__g", "\"my_ns__g\"", "absent"},
              {"a_b", "\"a.b\"", "absent"},
              {"c.d", "\"c.d\"", "absent"},
              {"n__0123456789012345678901234567890123456789012345678901234567890",
               "\"01234567890123456789012345678901234567890123456789012345678901234567\"", "\"n\""}};
  ask("{\"model\":\"a\",\"input\":\"q\",\"tools\":[{\"type\":\"function\",\"name\":\"a.b\"},{\"type\":\"namespace\","
      "\"name\":\"my.ns\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]},{\"type\":\"namespace\",\"name\":\"n\","
      "\"tools\":[{\"type\":\"function\",\"name\":"
      "\"01234567890123456789012345678901234567890123456789012345678901234567\"}]}]}");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    start();
    part(0, PART_TOOL_CALL, "{}");
    events[1].name = str_from_c(rows[i].said);
    stop(STOP_TOOL_CALLS);
    encode_whole();
    assert_member(buf_str(&out), "/output/0/name", rows[i].name);
    assert_member(buf_str(&out), "/output/0/namespace", rows[i].namespace);
  }
}

TEST(streamed_thinking) {
  struct buf want;
  struct signature signature = {STR("SIG"), STR("anthropic")};
  ask("{\"model\":\"a\",\"input\":\"q\",\"include\":[\"reasoning.encrypted_content\"]}");
  start();
  add(EVENT_OPEN, 0, PART_REASONING);
  add(EVENT_DELTA, 0, PART_REASONING)->bytes = STR("hm");
  struct event *e = add(EVENT_ATTACH, 0, PART_REASONING);
  e->bytes = STR("SIG");
  e->dialect = STR("anthropic");
  add(EVENT_CLOSE, 0, PART_REASONING);
  part(1, PART_TEXT, "t");
  stop(STOP_END);
  encode_stream();
  list_frames();
  assert_seen(
      "created\nin_progress\noutput_item.added o0 rs_r1_0 \nreasoning_summary_part.added o0 s0 rs_r1_0\n"
      "reasoning_summary_text.delta o0 s0 rs_r1_0 hm\nreasoning_summary_text.done o0 s0 rs_r1_0 hm\n"
      "reasoning_summary_part.done o0 s0 rs_r1_0\noutput_item.done o0 rs_r1_0 \n"
      "output_item.added o1 msg_r1_1 in_progress\ncontent_part.added o1 c0 msg_r1_1\noutput_text.delta o1 c0 msg_r1_1 "
      "t\n"
      "output_text.done o1 c0 msg_r1_1 t\ncontent_part.done o1 c0 msg_r1_1\noutput_item.done o1 msg_r1_1 completed\n"
      "completed\n");
  buf_init(&want, 0);
  buf_put_char(&want, '"');
  signature_put(&want, &signature, STR("openai_responses"));
  buf_put(&want, STR("\""));
  buf_put_char(&want, 0);
  assert_member(frame_from_end(0), "/response/output/0/encrypted_content", want.p);
  assert_member(frame_from_end(0), "/response/output/0/summary", "[{\"type\":\"summary_text\",\"text\":\"hm\"}]");
  buf_clear(&want);
  ask("{\"model\":\"a\",\"input\":\"q\"}"); /* who does not ask for it does not get it */
  encode_whole();
  assert_member(buf_str(&out), "/output/0/encrypted_content", "absent");
}

/* Of its own kind: parts of one item come together again, content stays content, native items stay whole. */
TEST(own_items_keep_their_shape) {
  static const char *const items[] = {
      "{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"},{\"type\":"
      "\"summary_text\","
      "\"text\":\"b\"}],\"content\":[{\"type\":\"reasoning_text\",\"text\":\"c\"}],\"encrypted_content\":\"E\\\"\"}",
      "{\"id\":\"ws_1\",\"type\":\"web_search_call\",\"status\":\"completed\"}",
      MESSAGE("msg_1",
              "{\"type\":\"output_text\",\"text\":\"x\",\"annotations\":[{\"type\":\"file_path\",\"index\":0}],"
              "\"logprobs\":[]}"),
      "{\"id\":\"fc_1\",\"type\":\"function_call\",\"status\":\"completed\",\"arguments\":\"{}\",\"call_id\":\"c\","
      "\"name\":\"f\"}"};
  struct answer answer;
  struct err_info info = {0};
  struct str body =
      arena_printf(&arena, RESPONSE("completed", "%s,%s,%s,%s", ""), items[0], items[1], items[2], items[3]);
  ask("{\"model\":\"a\",\"input\":\"q\",\"include\":[\"reasoning.encrypted_content\"]}");
  answer_init(&answer, &arena, 0);
  struct event_sink sink = answer_sink(&answer);
  assert_int_equal(d->decode_reply(&x, body, &sink, &info), OK);
  d->encode_reply(&x, &answer, &out);
  answer_clear(&answer);
  yyjson_doc *doc = yyjson_read(out.p, out.n, YYJSON_READ_NUMBER_AS_RAW);
  for (size_t i = 0; i < 4; i++) {
    struct buf one;
    buf_init(&one, 0);
    json_split_put(&one, yyjson_arr_get(yyjson_obj_get(yyjson_doc_get_root(doc), "output"), i));
    assert_json(buf_str(&one), items[i]);
    buf_clear(&one);
  }
  assert_member(buf_str(&out), "/id", "\"resp_1\"");
  yyjson_doc_free(doc);
}

TEST(citations_of_others) {
  start();
  add(EVENT_OPEN, 0, PART_TEXT);
  struct event *e = add(EVENT_ATTACH, 0, PART_TEXT);
  e->attachment = ATTACH_CITATION;
  e->dialect = STR("anthropic");
  e->raw = STR("{\"type\":\"web_search_result_location\",\"url\":\"https://e\",\"title\":\"T\"}");
  e = add(EVENT_ATTACH, 0, PART_TEXT);
  e->attachment = ATTACH_CITATION;
  e->dialect = STR("anthropic");
  e->raw = STR("{\"type\":\"char_location\"}");
  add(EVENT_DELTA, 0, PART_TEXT)->bytes = STR("h\xc3\xa4");
  add(EVENT_CLOSE, 0, PART_TEXT);
  stop(STOP_END);
  encode_stream();
  list_frames();
  assert_true(str_find(buf_str(&seen), STR("output_text.annotation.added o0 c0 msg_r1_0\noutput_text.done")) !=
              SIZE_MAX);
  assert_member(
      frame_from_end(0), "/response/output/0/content/0/annotations",
      "[{\"type\":\"url_citation\",\"start_index\":0,\"end_index\":2,\"url\":\"https://e\",\"title\":\"T\"}]");
}

TEST(an_image_is_a_generated_one) {
  start();
  part(0, PART_IMAGE, "QUI=");
  stop(STOP_END);
  encode_stream();
  assert_member(frame_from_end(0), "/response/output/0",
                "{\"id\":\"ig_r1_0\",\"type\":\"image_generation_call\",\"status\":\"completed\",\"result\":\"QUI=\"}");
}

TEST(an_error_ends_a_stream) {
  struct err_info info = {.code = "context_length_exceeded", .text = "too \"long\""};
  start();
  add(EVENT_OPEN, 0, PART_TEXT);
  add(EVENT_DELTA, 0, PART_TEXT)->bytes = STR("he");
  void *writer = encode_stream();
  d->encode_error(writer, &x, ERR_UPSTREAM_CUT, &info, &out);
  list_frames();
  assert_true(str_has_suffix(buf_str(&seen), STR("output_text.delta o0 c0 msg_r1_0 he\nerror\nfailed\n")));
  assert_member(frame_from_end(0), "/response/error",
                "{\"code\":\"context_length_exceeded\",\"message\":\"too \\\"long\\\"\"}");
  assert_member(frame_from_end(0), "/response/status", "\"failed\"");
  assert_member(frame_from_end(0), "/response/output/0/status", "\"incomplete\"");
  assert_member(frame_from_end(0), "/response/output/0/content/0/text", "\"he\"");
  assert_member(frame_from_end(1), "/error/message", "\"too \\\"long\\\"\"");
  assert_member(frame_from_end(1), "/message", "\"too \\\"long\\\"\"");
  buf_reset(&out);
  d->put_stream_error(&out, ERR_UPSTREAM_CUT, &info);
  list_frames();
  assert_seen("error\nfailed\n");
  assert_member(frame_from_end(0), "/response/error/code", "\"context_length_exceeded\"");
  buf_reset(&out);
  info = (struct err_info){.text = "stopped"};
  d->put_stream_error(&out, ERR_GUARD_LEAK, &info);
  list_frames();
  assert_seen("error\nfailed\n");
  assert_member(frame_from_end(1), "/error",
                "{\"message\":\"stopped\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"guard_leak\"}");
  assert_member(frame_from_end(0), "/response/error", "{\"code\":\"guard_leak\",\"message\":\"stopped\"}");
}

/* ---- relay ---- */

/* The kinds of all events; what is sent on is in `out`. */
static unsigned relay_frames(struct dialect_stream *relayed, const char *text) {
  struct frame_reader reader;
  struct frame frame;
  enum err e = OK;
  struct err_info info = {0};
  struct dialect_reply_edits edits = {.model = STR("p/m")};
  unsigned all = 0;
  buf_reset(&out);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, str_from_c(text));
  while (frame_reader_next(&reader, &frame, &e)) {
    struct events ev;
    assert_int_equal(d->relay_frame(relayed, &frame, &edits, &ev, &out, &info), OK);
    all |= ev.kinds;
  }
  frame_reader_clear(&reader);
  json_pool_clear(&relayed->pool);
  return all;
}

static void relay(const char *text, const char *want, unsigned want_kinds) {
  struct dialect_stream relayed = {0};
  unsigned all = relay_frames(&relayed, text);
  assert_str(buf_str(&out), str_from_c(want));
  assert_int_equal(all, want_kinds);
}
#define BIT(name) (1u << EVENT_##name)

TEST(an_error_behind_relayed_events_goes_on_where_they_ended) {
  struct err_info info = {.text = "no"};
  struct dialect_stream relayed = {0};
  unsigned all = relay_frames(
      &relayed,
      "data: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_7\",\"output\":[]}}\n\n"
      "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"delta\":\"he\"}\n\n"
      "data: {\"type\":\"error\",\"sequence_number\":9,\"message\":\"no\"}\n\n");
  assert_true(all & BIT(ERROR));
  buf_reset(&out);
  d->put_relay_error(&relayed, ERR_UPSTREAM_CUT, &info, &out);
  assert_member(frame_from_end(1), "/sequence_number", "5");
  assert_member(frame_from_end(0), "/sequence_number", "6");
  assert_member(frame_from_end(0), "/response/id", "\"resp_7\"");
}

TEST(relayed_streams) {
  relay(
      "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"a\", \"x\":1.0}}\n\n",
      "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"p/m\", \"x\":1.0}}\n\n",
      BIT(START));
  relay("data: {\"type\":\"response.output_text.delta\",\"delta\":\"\"}\n\n",
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"\"}\n\n", 0);
  relay("data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n", BIT(DELTA));
  relay("data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\"}}\n\n",
        "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\"}}\n\n", 0);
  relay("data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\"}}\n\n",
        "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\"}}\n\n", BIT(DELTA));
  relay(
      "data: {\"type\":\"response.completed\",\"response\":{\"output\":[],\"usage\":{\"input_tokens\":1}}}\n\ndata: "
      "{\"late\":1}\n\n",
      "data: {\"type\":\"response.completed\",\"response\":{\"output\":[],\"usage\":{\"input_tokens\":1}}}\n\n",
      BIT(STOP) | BIT(USAGE) | BIT(END));
  relay("data: {\"type\":\"response.failed\",\"response\":{}}\n\n", "", BIT(ERROR));
  relay("data: {\"type\":\"error\"}\n\n", "", BIT(ERROR));
  relay(": c\n\n", ": c\n\n", 0);
}

TEST(relayed_replies) {
  struct events ev;
  struct err_info info = {0};
  struct dialect_reply_edits edits = {.model = STR("p/m")};
  buf_reset(&out);
  assert_int_equal(d->relay_reply(STR(RESPONSE("completed", "{}", USAGE)), &edits, &ev, &out, &info), OK);
  assert_int_equal(ev.kinds, BIT(START) | BIT(STOP) | BIT(DELTA) | BIT(USAGE));
  assert_int_equal(usage_get(&ev.usage, USAGE_CACHE_READ), 4);
  assert_member(buf_str(&out), "/model", "\"p/m\"");
  assert_int_equal(d->relay_reply(STR("{\"error\":{\"message\":\"x\"}}"), &edits, &ev, &out, &info), OK);
  assert_int_equal(ev.kinds, BIT(ERROR));
  assert_int_equal(d->relay_reply(STR("{}"), &edits, &ev, &out, &info), ERR_UPSTREAM_PROTOCOL);
}

TEST(receipts_of_relayed_answers) {
  buf_reset(&out);
  buf_put(&out, STR("before {\"id\":1,\"maestro\":{\"old\":1}}\n"));
  d->put_receipt(&out, 7, STR("{\"r\":1}"));
  assert_str(buf_str(&out), STR("before {\"id\":1,\"maestro\":{\"r\":1}}\n"));
  buf_reset(&out);
  buf_put(&out, STR("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":1}}\n\n"));
  d->put_receipt(&out, 0, STR("{\"r\":1}"));
  assert_str(buf_str(&out), STR("event: response.completed\ndata: "
                                "{\"type\":\"response.completed\",\"response\":{\"id\":1,\"maestro\":{\"r\":1}}}\n\n"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(whole_replies),
      T(no_replies),
      T(a_stream_of_text),
      T(parallel_calls_interleaved),
      T(thinking_is_signed_at_its_items_end),
      T(streams_that_need_repair),
      T(streams_that_are_none),
      T(open_items_have_a_bound),
      T(a_whole_response),
      T(how_a_response_ends),
      T(unknown_usage_is_null),
      T(a_streamed_message),
      T(streamed_calls_interleaved),
      T(names_are_restored),
      T(streamed_thinking),
      T(own_items_keep_their_shape),
      T(citations_of_others),
      T(an_image_is_a_generated_one),
      T(an_error_ends_a_stream),
      T(an_error_behind_relayed_events_goes_on_where_they_ended),
      T(relayed_streams),
      T(relayed_replies),
      T(receipts_of_relayed_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
