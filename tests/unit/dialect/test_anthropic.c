/* Anthropic Messages beside translation: the envelope, relaying, errors and lists. Expectations from the vendor's API
 * reference ("Errors", "List models") and from what its clients were seen to need. */
#include "anthropic_support.h"
#include "base/span.h"

static const struct dialect *const d = &dialect_anthropic;

/* ---- the envelope ---- */

static enum err read_envelope(struct arena *a, struct str body, struct envelope_scan *scan, struct dialect_request *r,
                              struct err_info *info) {
  enum err e = envelope_scan_whole(scan, d->request_table(), NULL, a, body, info);
  return e ? e : d->read_request(a, body, scan, r, info);
}

TEST(test_envelope) {
  struct arena a;
  struct envelope_scan scan;
  struct err_info info = {0};
  struct dialect_request r = {.operation = LLM_COUNT_TOKENS};
  arena_init(&a, 0);
  struct str body =
      q("{'model':'cl\\u0061ude','messages':[{}],'stream':true,'max_tokens':128000,'maestro':{'budget':1}}");
  assert_int_equal(read_envelope(&a, body, &scan, &r, &info), OK);
  assert_str(r.model, STR("claude"));
  assert_true(r.is_stream && r.wants_usage && r.wants_receipt);
  assert_int_equal(r.operation, LLM_COUNT_TOKENS);
  assert_int_equal(r.max_tokens, 128000);
  assert_int_equal(r.least_tokens, 0);
  assert_str(r.options, q("{'budget':1}"));
  body = q("{'model':'m','messages':[1],'stream':null,'max_tokens':-5}");
  assert_int_equal(read_envelope(&a, body, &scan, &r, &info), OK);
  assert_false(r.is_stream || r.wants_receipt);
  assert_int_equal(r.max_tokens, -1);
  body = q("{'model':'m','messages':[1],'max_tokens':4096,'thinking':{'type':'enabled','budget_tokens':1024}}");
  assert_int_equal(read_envelope(&a, body, &scan, &r, &info), OK);
  assert_int_equal(r.least_tokens, 1025);
  body = q("{'model':'m','messages':[1],'thinking':{'budget_tokens':9223372036854775807}}");
  assert_int_equal(read_envelope(&a, body, &scan, &r, &info), OK);
  assert_int_equal(r.least_tokens, INT64_MAX);
  arena_clear(&a);
}

TEST(test_envelope_faults) {
  static const struct {
    const char *body;
    enum err e;
    const char *param;
  } cases[] = {
      {"{'messages':[{}]}", ERR_MISSING, "model"},
      {"{'model':7,'messages':[{}]}", ERR_BAD_TYPE, "model"},
      {"{'model':'','messages':[{}]}", ERR_BAD_VALUE, "model"},
      {"{'model':'a\\nb','messages':[{}]}", ERR_BAD_VALUE, "model"},
      {"{'model':'m'}", ERR_MISSING, "messages"},
      {"{'model':'m','messages':{}}", ERR_BAD_TYPE, "messages"},
      {"{'model':'m','messages':[]}", ERR_BAD_VALUE, "messages"},
      {"{'model':'m','messages':[{}],'stream':'x'}", ERR_BAD_TYPE, "stream"},
      {"{'model':'m','messages':[{}],'max_tokens':'x'}", ERR_BAD_TYPE, "max_tokens"},
      {"{'model':'m','messages':[{}],'maestro':1}", ERR_BAD_TYPE, "maestro"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct arena a;
    struct envelope_scan scan;
    struct err_info info = {0};
    struct dialect_request r = {0};
    arena_init(&a, 0);
    assert_int_equal(read_envelope(&a, q(cases[i].body), &scan, &r, &info), cases[i].e);
    assert_string_equal(info.param, cases[i].param);
    arena_clear(&a);
  }
}

TEST(test_edits) {
  struct arena a;
  struct envelope_scan scan;
  struct envelope_edit edit;
  struct span_list spans;
  struct err_info info = {0};
  struct dialect_request r = {0};
  struct buf out;
  arena_init(&a, 0);
  buf_init(&out, 0);
  struct str body = q("{'maestro':{}, 'model' : 'm','messages':[{'role' : 'user'}], 'odd':1.0}");
  assert_int_equal(read_envelope(&a, body, &scan, &r, &info), OK);
  envelope_edit_init(&edit, &scan);
  const struct dialect_request_edits want = {.model = STR("o\"x"), .ask_usage = true};
  assert_int_equal(d->edit_request(&a, &want, &edit, &info), OK);
  span_list_init(&spans, body.n);
  assert_int_equal(envelope_edit_spans(&edit, &a, &spans, &info), OK);
  span_apply(&spans, body, &out);
  assert_json_str(buf_str(&out), STR("{\"model\":\"o\\\"x\",\"messages\":[{\"role\":\"user\"}],\"odd\":1.0}"));
  buf_clear(&out);
  arena_clear(&a);
}

/* ---- relay ---- */

#define START_FRAME(model)                                                                      \
  "event: message_start\ndata: {'type':'message_start','message':{'id':'msg_1','model':'" model \
  "','content':[],"                                                                             \
  "'usage':{'input_tokens':10,'cache_read_input_tokens':90,'output_tokens':1}}}\n\n"

struct relayed {
  struct buf out;
  struct dialect_stream state;
  unsigned kinds; /* of all frames */
  struct usage usage;
};

static enum err relay(struct relayed *r, struct str stream, size_t cut) {
  const struct dialect_reply_edits edits = {.model = STR("mine")};
  struct frame_reader reader;
  struct frame frame;
  struct events events;
  enum err e = OK, cut_error = OK;
  *r = (struct relayed){0};
  buf_init(&r->out, 0);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  for (int piece = 0; !e && piece < 2; piece++) {
    frame_reader_feed(&reader, piece ? str_sub(stream, cut, stream.n) : str_sub(stream, 0, cut));
    while (!e && frame_reader_next(&reader, &frame, &cut_error)) {
      e = d->relay_frame(&r->state, &frame, &edits, &events, &r->out, NULL);
      r->kinds |= events.kinds;
      if (events_has(&events, EVENT_USAGE)) r->usage = events.usage;
    }
  }
  frame_reader_clear(&reader);
  json_pool_clear(&r->state.pool);
  return e;
}

TEST(test_relayed_stream) {
#define REST                                                                                                         \
  "event: content_block_start\ndata: {'type':'content_block_start','index':0,'content_block':{'type':'text',"        \
  "'text':''}}\n\nevent: ping\ndata: {'type': 'ping'}\n\nevent: new_thing\ndata: {'type':'new_thing','model':5}\n\n" \
  "event: content_block_delta\ndata: {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':"   \
  "'x'}}\n\nevent: message_delta\ndata: {'type':'message_delta','delta':{'stop_reason':'end_turn'},'usage':{"        \
  "'output_tokens':15}}\n\nevent: message_stop\ndata: {'type':'message_stop'}\n\n"
  struct str stream = q(START_FRAME("claude-x") REST), expected = q(START_FRAME("mine") REST);
  for (size_t cut = 0; cut <= stream.n; cut++) {
    struct relayed r;
    assert_int_equal(relay(&r, stream, cut), OK);
    assert_text(buf_str(&r.out), expected);
    unsigned all = 1u << EVENT_START | 1u << EVENT_DELTA | 1u << EVENT_USAGE | 1u << EVENT_STOP | 1u << EVENT_PING |
                   1u << EVENT_END;
    assert_int_equal(r.kinds, all);
    assert_int_equal(usage_get(&r.usage, USAGE_INPUT), 100);
    assert_int_equal(usage_get(&r.usage, USAGE_CACHE_READ), 90);
    assert_int_equal(usage_get(&r.usage, USAGE_OUTPUT), 15);
    assert_true(r.state.saw_stop && r.state.saw_end && r.state.saw_content);
    buf_clear(&r.out);
  }
}

TEST(test_relayed_faults) {
  struct relayed r;
  assert_int_equal(relay(&r, q("event: error\ndata: {'type':'error','error':{'type':'overloaded_error'}}\n\n"), 0), OK);
  assert_int_equal(r.kinds, 1u << EVENT_ERROR);
  assert_int_equal(r.out.n, 0);
  buf_clear(&r.out);
  assert_int_equal(relay(&r, q("data: {'choices':[]}\n\n"), 0), ERR_UPSTREAM_PROTOCOL);
  buf_clear(&r.out);
  assert_int_equal(relay(&r, q("data: nothing\n\n"), 0), ERR_UPSTREAM_PROTOCOL);
  buf_clear(&r.out);
}

/* Calls, thinking that is only a signature, and empty text: what is content and what is not. */
TEST(test_content_of_frames) {
  static const struct {
    const char *frame;
    bool is_content;
  } cases[] = {
      {"{'type':'content_block_start','index':0,'content_block':{'type':'tool_use','id':'i','name':'f','input':{}}}",
       true},
      {"{'type':'content_block_start','index':0,'content_block':{'type':'redacted_thinking','data':'x'}}", true},
      {"{'type':'content_block_start','index':0,'content_block':{'type':'thinking','thinking':''}}", false},
      {"{'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta','thinking':'x'}}", true},
      {"{'type':'content_block_delta','index':0,'delta':{'type':'signature_delta','signature':'x'}}", false},
      {"{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':''}}", false},
      {"{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta','partial_json':'{'}}", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct relayed r;
    char frame[512];
    snprintf(frame, sizeof frame, "data: %s\n\n", cases[i].frame);
    assert_int_equal(relay(&r, q(frame), 0), OK);
    assert_int_equal(r.kinds, cases[i].is_content ? 1u << EVENT_DELTA : 0);
    buf_clear(&r.out);
  }
}

static void relay_whole(const char *body, enum err expected, unsigned kinds, const char *out_expected) {
  const struct dialect_reply_edits edits = {.model = STR("mine")};
  struct events events;
  struct buf out;
  buf_init(&out, 0);
  assert_int_equal(d->relay_reply(q(body), &edits, &events, &out, NULL), expected);
  if (!expected) assert_int_equal(events.kinds, kinds);
  assert_text(buf_str(&out), q(out_expected));
  buf_clear(&out);
}

TEST(test_relayed_replies) {
  unsigned message = 1u << EVENT_START | 1u << EVENT_STOP;
  relay_whole(
      "{'type':'message','model' : 'x','content':[{'type':'text','text':'a'}],'usage':{'input_tokens':1}, 'z':[1.0]}",
      OK, message | 1u << EVENT_DELTA | 1u << EVENT_USAGE,
      "{'type':'message','model' : 'mine','content':[{'type':'text','text':'a'}],'usage':{'input_tokens':1}, "
      "'z':[1.0]}");
  relay_whole("{'model':'x','content':[]}", OK, message, "{'model':'mine','content':[]}");
  relay_whole("{'input_tokens':12,'context_management':{}}", OK, message | 1u << EVENT_USAGE,
              "{'input_tokens':12,'context_management':{}}");
  relay_whole("{'type':'error','error':{}}", OK, 1u << EVENT_ERROR, "");
  relay_whole("{'error':{'message':'x'}}", OK, 1u << EVENT_ERROR, "");
  relay_whole("{'choices':[]}", ERR_UPSTREAM_PROTOCOL, 0, "");
  relay_whole("<html>", ERR_UPSTREAM_PROTOCOL, 0, "");
}

TEST(test_receipts) {
  struct buf out;
  buf_init(&out, 0);
  buf_put(&out, q("event: a\ndata: {}\n\n"));
  size_t from = out.n;
  buf_put(&out, q("event: message_delta\ndata: {'type':'message_delta','delta':{}}\n\n"));
  d->put_receipt(&out, from, q("{'mode':'passthrough'}"));
  assert_text(buf_str(&out),
              q("event: a\ndata: {}\n\nevent: message_delta\ndata: {'type':'message_delta','delta':{},'maestro':{"
                "'mode':'passthrough'}}\n\n"));
  buf_reset(&out);
  buf_put(&out, q("{'content':[],'maestro':{'theirs':1}}"));
  d->put_receipt(&out, 0, STR("{}"));
  assert_text(buf_str(&out), q("{'content':[],'maestro':{}}"));
  buf_clear(&out);
}

/* ---- errors and lists ---- */

static void assert_error(enum err e, const struct err_info *info, const char *expected) {
  struct buf out;
  buf_init(&out, 0);
  d->put_error(&out, e, info);
  assert_json_str(buf_str(&out), q(expected));
  buf_reset(&out);
  d->put_stream_error(&out, e, info);
  assert_true(str_has_prefix(buf_str(&out), STR("event: error\ndata: {\"type\":\"error\"")));
  assert_true(str_has_suffix(buf_str(&out), STR("}\n\n")));
  buf_clear(&out);
}

TEST(test_error_types) {
  static const struct {
    int status;
    const char *type;
  } cases[] = {{400, "invalid_request_error"},
               {401, "authentication_error"},
               {402, "billing_error"},
               {403, "permission_error"},
               {404, "not_found_error"},
               {413, "request_too_large"},
               {429, "rate_limit_error"},
               {500, "api_error"},
               {502, "api_error"},
               {503, "overloaded_error"},
               {504, "timeout_error"},
               {529, "overloaded_error"},
               {405, "invalid_request_error"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct err_info info = {.http_status = cases[i].status, .text = "t", .type = "insufficient_quota"};
    char expected[256];
    snprintf(expected, sizeof expected, "{'type':'error','error':{'type':'%s','message':'t'}}", cases[i].type);
    assert_error(ERR_UPSTREAM_STATUS, &info, expected);
  }
  struct err_info own = {.http_status = 400, .text = "t", .type = "overloaded_error"}; /* the upstream's own word */
  assert_error(ERR_UPSTREAM_STATUS, &own, "{'type':'error','error':{'type':'overloaded_error','message':'t'}}");
  assert_error(ERR_UNAUTHENTICATED, NULL,
               "{'type':'error','error':{'type':'authentication_error','message':'no valid credential'}}");
  struct err_info guard = {.text = "p: stopped"}; /* clients ask again */
  assert_error(ERR_GUARD_LEAK, &guard, "{'type':'error','error':{'type':'overloaded_error','message':'p: stopped'}}");
  assert_error(ERR_GUARD_RUNAWAY, &guard,
               "{'type':'error','error':{'type':'overloaded_error','message':'p: stopped'}}");
}

TEST(test_error_messages) {
  struct err_info param = {.text = "a string is expected", .param = "messages[0].role"};
  assert_error(
      ERR_BAD_TYPE, &param,
      "{'type':'error','error':{'type':'invalid_request_error','message':'messages[0].role: a string is expected'}}");
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please "
       "reduce.",
       "prompt is too long: 9001 tokens > 8192 maximum"},
      {"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (1 in the messages)",
       "prompt is too long: 5000 tokens > 4096 maximum"},
      {"prompt is too long: 7 tokens > 5 maximum", "prompt is too long: 7 tokens > 5 maximum"},
      {"anth: prompt is too long: 7 tokens > 5 maximum", "prompt is too long: 7 tokens > 5 maximum"},
      {"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
       "prompt is too long: 1200000 tokens > 1048576 maximum"},
      {"Input exceeds the window.", "prompt is too long: Input exceeds the window."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct err_info info = {.http_status = 400, .code = "context_length_exceeded"};
    struct buf out;
    buf_init(&out, 0);
    snprintf(info.text, sizeof info.text, "%s", cases[i].text);
    d->put_error(&out, ERR_UPSTREAM_STATUS, &info);
    yyjson_doc *doc = yyjson_read(out.p, out.n, 0);
    assert_str(json_pool_str(yyjson_obj_get(yyjson_doc_get_root(doc), "error"), "message"),
               str_from_c(cases[i].message));
    yyjson_doc_free(doc);
    buf_clear(&out);
  }
}

TEST(test_lists) {
  const struct dialect_model models[] = {
      {.id = STR("anthropic/claude-x"), .context_tokens = 200000, .prompt_tokens = -1, .output_tokens = 64000},
      {.id = STR("b"), .context_tokens = -1, .prompt_tokens = -1, .output_tokens = -1, .extra = STR("\"maestro\":{}")},
  };
  struct buf out;
  buf_init(&out, 0);
  d->put_model_list(&out, models, 2);
  assert_json_str(
      buf_str(&out),
      q("{'data':[{'type':'model','id':'anthropic/claude-x','display_name':'anthropic/claude-x','created_at':"
        "'1970-01-01T00:00:00Z','max_input_tokens':200000,'max_tokens':64000},{'type':'model','id':'b','"
        "display_name':'b',"
        "'created_at':'1970-01-01T00:00:00Z','maestro':{}}],'has_more':false,'first_id':'anthropic/"
        "claude-x','last_id':'b'}"));
  buf_reset(&out);
  d->put_model_list(&out, NULL, 0);
  assert_json_str(buf_str(&out), q("{'data':[],'has_more':false,'first_id':null,'last_id':null}"));
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_envelope),        cmocka_unit_test(test_envelope_faults),
      cmocka_unit_test(test_edits),           cmocka_unit_test(test_relayed_stream),
      cmocka_unit_test(test_relayed_faults),  cmocka_unit_test(test_content_of_frames),
      cmocka_unit_test(test_relayed_replies), cmocka_unit_test(test_receipts),
      cmocka_unit_test(test_error_types),     cmocka_unit_test(test_error_messages),
      cmocka_unit_test(test_lists),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
