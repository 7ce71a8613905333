/* Translation between two small dialects of the test's own: what is sent, when content is committed and when another
 * candidate may still answer, how long an end waits for usage, and that a cut stream never ends cleanly.
 *
 * The target's frames are JSON objects whose members are events in their order; the caller's stream is a line for each
 * event, and its end tells the usage and the receipt. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <yyjson.h>
#include <zlib.h>

#include "../io/in_fiber.h"
#include "call/call_internal.h"
#include "call_rig.h"
#include "dialect/dialect.h"

/* ---- the target ---- */

static struct {
  bool ends_by_itself; /* decode_end ends an answer that has stopped */
  enum err encode_fails;
} habits;

struct decoder {
  bool has_stopped, has_ended;
  uint32_t parts;
};

static enum err put_member(struct decoder *d, struct str key, yyjson_val *value, const struct event_sink *sink,
                           struct err_info *info) {
  struct event e = {.kind = EVENT_PING, .dialect = STR("target")};
  struct usage usage = {0};
  uint32_t number = (uint32_t)json_pool_count(value);
  if (str_eq(key, STR("start"))) {
    e.kind = EVENT_START, e.id = json_pool_text(value);
  } else if (str_eq(key, STR("open"))) {
    e.kind = EVENT_OPEN, e.part = d->parts++, e.choice = number;
  } else if (str_eq(key, STR("call"))) {
    e.kind = EVENT_OPEN, e.part = d->parts++, e.part_kind = PART_TOOL_CALL, e.name = json_pool_text(value);
  } else if (str_eq(key, STR("text"))) {
    e.kind = EVENT_DELTA, e.part = d->parts - 1, e.bytes = json_pool_text(value);
  } else if (str_eq(key, STR("usage"))) {
    usage_set(&usage, USAGE_OUTPUT, number);
    e.kind = EVENT_USAGE, e.usage = &usage;
  } else if (str_eq(key, STR("stop"))) {
    d->has_stopped = true;
    e.kind = EVENT_STOP, e.choice = number;
  } else if (str_eq(key, STR("end"))) {
    d->has_ended = true;
    e.kind = EVENT_END;
  } else if (str_eq(key, STR("error"))) {
    e.kind = EVENT_ERROR, e.bytes = STR("{\"error\":{\"message\":\"overloaded\",\"code\":529}}");
  } else if (!str_eq(key, STR("ping"))) {
    return dialect_bad_reply(info, "a member that nobody knows");
  }
  return event_put(sink, &e, info);
}

static enum err put_members(struct decoder *d, yyjson_val *root, const struct event_sink *sink, struct err_info *info) {
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(root);
  enum err e = yyjson_is_obj(root) ? OK : dialect_bad_reply(info, "no object");
  while (!e && (key = yyjson_obj_iter_next(&it)))
    e = put_member(d, json_pool_text(key), yyjson_obj_iter_get_val(key), sink, info);
  return e;
}

static enum err decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                             const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  (void)x;
  if (frame->is_error) return event_put(sink, &(struct event){.kind = EVENT_ERROR, .bytes = STR("{}")}, info);
  return put_members(state, json_pool_parse(pool, frame->data), sink, info);
}

static enum err decode_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                           struct err_info *info) {
  struct decoder *d = state;
  (void)x;
  if (!habits.ends_by_itself || !d->has_stopped || d->has_ended) return OK;
  return event_put(sink, &(struct event){.kind = EVENT_END}, info);
}

static enum err decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info) {
  struct decoder d = {0};
  struct json_pool pool = {0};
  (void)x;
  enum err e = put_members(&d, json_pool_parse(&pool, body), sink, info);
  json_pool_clear(&pool);
  return e;
}

static enum err encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  (void)a, (void)info;
  buf_printf(out, "{\"to\":\"%.*s\",\"for\":\"%.*s\",\"usage\":%d}", STR_ARG(target->model), STR_ARG(r->model),
             target->ask_usage);
  return habits.encode_fails;
}

/* One cannot say `user`, the other can say everything. */
static const struct dialect target = {.name = STR("target"),
                                      .framing = FRAMING_SSE,
                                      .decoder_bytes = sizeof(struct decoder),
                                      .encode_request = encode_request,
                                      .decode_reply = decode_reply,
                                      .decode_frame = decode_frame,
                                      .decode_end = decode_end},
                            able = {.name = STR("able"),
                                    .caps = UINT64_MAX,
                                    .framing = FRAMING_SSE,
                                    .decoder_bytes = sizeof(struct decoder),
                                    .encode_request = encode_request,
                                    .decode_reply = decode_reply,
                                    .decode_frame = decode_frame},
                            lines = {.name = STR("lines"),
                                     .framing = FRAMING_NDJSON,
                                     .decoder_bytes = sizeof(struct decoder),
                                     .encode_request = encode_request,
                                     .decode_reply = decode_reply,
                                     .decode_frame = decode_frame,
                                     .decode_end = decode_end},
                            binary = {.name = STR("binary"),
                                      .framing = FRAMING_AWS,
                                      .decoder_bytes = sizeof(struct decoder),
                                      .encode_request = encode_request,
                                      .decode_reply = decode_reply,
                                      .decode_frame = decode_frame,
                                      .decode_end = decode_end};

/* ---- the caller ---- */

static struct {
  struct request extra; /* members that a request has beside its model */
  unsigned decoded;
  pthread_t thread;
  bool waits;
  atomic_bool has_begun, may_go_on;
} seen;

static enum err decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  (void)root, (void)info;
  request_init(out, STR("caller"), LLM_GENERATE);
  out->model = arena_dup(a, envelope->model);
  out->user = seen.extra.user;
  out->choices = seen.extra.choices;
  out->suffix = seen.extra.suffix;
  seen.decoded++;
  seen.thread = pthread_self();
  atomic_store(&seen.has_begun, true);
  while (seen.waits && !atomic_load(&seen.may_go_on)) usleep(1000);
  return OK;
}

struct encoder {
  struct usage usage;
  unsigned ended;
};

static void put_end(const struct dialect_exchange *x, const struct usage *usage, struct buf *out) {
  if (usage_has(usage, USAGE_OUTPUT))
    buf_printf(out, "end %lld", (long long)usage->tokens[USAGE_OUTPUT]);
  else
    buf_put(out, STR("end ?"));
  if (x->put_receipt) buf_put_char(out, ' ');
  if (x->put_receipt) x->put_receipt(x->receipt_arg, out);
  buf_put_char(out, '\n');
}

static enum err encode_event(void *state, const struct dialect_exchange *x, const struct event *e, struct buf *out,
                             struct err_info *info) {
  struct encoder *s = state;
  (void)info;
  assert_int_equal(s->ended, 0); /* nothing behind the end, no second one */
  switch (e->kind) {
    case EVENT_START: buf_printf(out, "start %.*s\n", STR_ARG(x->model)); break;
    case EVENT_OPEN:
      if (e->part_kind == PART_TOOL_CALL) buf_printf(out, "call %.*s\n", STR_ARG(e->name));
      break;
    case EVENT_DELTA: buf_printf(out, "%.*s\n", STR_ARG(e->bytes)); break;
    case EVENT_USAGE: answer_merge_usage(&s->usage, e->usage); break;
    case EVENT_END:
      s->ended++;
      put_end(x, &s->usage, out);
      break;
    case EVENT_ERROR: fail(); break;
    default: break;
  }
  return OK;
}

static void encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  for (size_t i = 0; i < answer->part_count; i++) buf_printf(out, "%.*s\n", STR_ARG(buf_str(&answer->parts[i].text)));
  put_end(x, &answer->usage, out);
}

static void encode_error(void *state, const struct dialect_exchange *x, enum err e, const struct err_info *info,
                         struct buf *out) {
  (void)x, (void)info;
  buf_printf(out, "error %s %u\n", err_code(e), ((struct encoder *)state)->ended);
}

static void put_stream_error(struct buf *out, enum err e, const struct err_info *info) {
  (void)info;
  buf_printf(out, "plain %s\n", err_code(e));
}

static const struct dialect caller = {.name = STR("caller"),
                                      .words = {.list = "messages", .content = "content"},
                                      .encoder_bytes = sizeof(struct encoder),
                                      .decode_request = decode_request,
                                      .encode_reply = encode_reply,
                                      .encode_event = encode_event,
                                      .encode_error = encode_error,
                                      .put_stream_error = put_stream_error};

/* ---- the rig ---- */

static void open_with(const struct dialect *to, const char *body) {
  rig_open(body);
  memset(&habits, 0, sizeof habits);
  memset(&seen, 0, sizeof seen);
  rig.call.dialect = &caller;
  rig.call.reply_id = STR("r1");
  rig.call.owner = STR("tester");
  for (size_t i = 0; i < 3; i++) rig.providers[i].dialects[0] = to;
}

#define PIECES(...) ((const char *const[PIECES_MAX]){__VA_ARGS__})

static void one_stream(const char *const pieces[PIECES_MAX]) {
  open_with(&target, STREAM);
  memcpy(rig.answers[0].pieces, pieces, sizeof rig.answers[0].pieces);
  rig.answers[1] = (struct scripted_answer){
      .pieces = {"data: {\"start\":\"2\",\"open\":0,\"text\":\"second\",\"stop\":0,\"end\":1}\n\n"}};
}

#define F(members) "data: {" members "}\n\n"
#define BEGIN F("\"start\":\"1\",\"open\":0")
#define TEXT_(t) F("\"text\":\"" t "\"")
#define STOP_ F("\"stop\":0")
#define USAGE_(n) F("\"usage\":" #n)
#define END_ F("\"end\":1")
#define SECOND "start two/m1\nsecond\nend ?\n"

static void expect(const char *const pieces[PIECES_MAX], enum err e, size_t sent, const char *got) {
  one_stream(pieces);
  assert_int_equal(rig_run(), e);
  assert_int_equal(rig.sent, sent);
  expect_text(&rig.got, got);
  rig_close();
}

/* ---- streams ---- */

TEST(a_stream_from_event_to_event) {
  one_stream(PIECES(BEGIN, TEXT_("a") TEXT_("b"), ": hi\n\n" F("\"ping\":1"), STOP_ USAGE_(7) END_));
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0], "{\"to\":\"m0\",\"for\":\"m\",\"usage\":1}");
  expect_text(&rig.got, "start one/m0\na\nb\nend 7\n");
  assert_int_equal(rig.writes, 2); /* the start waits for content; what one read brought is one write */
  assert_int_equal(rig.call.outcome.usage.tokens[USAGE_OUTPUT], 7);
  assert_true(rig.call.outcome.is_complete);
  rig_close();
}

TEST(every_cut_of_the_bytes) {
  static const char all[] = BEGIN TEXT_("a") TEXT_("\\u00e9b") STOP_ USAGE_(7) END_;
  for (size_t first = 1; first < sizeof all; first++) {
    open_with(&target, STREAM);
    rig.answers[0] = (struct scripted_answer){.bytes = str_from_c(all), .first = first};
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.got,
                "start one/m0\na\n\xc3\xa9"
                "b\nend 7\n");
    rig_close();
  }
}

TEST(what_is_content) {
  expect(PIECES(BEGIN, cut), OK, 2, SECOND);
  expect(PIECES(BEGIN TEXT_(""), cut), OK, 2, SECOND); /* an empty text is none */
  expect(PIECES(BEGIN F("\"ping\":1,\"usage\":3"), cut), OK, 2, SECOND);
  expect(PIECES(BEGIN TEXT_("a"), cut), ERR_UPSTREAM_CUT, 1, "start one/m0\na\n");
  expect(PIECES(F("\"call\":\"f\""), cut), ERR_UPSTREAM_CUT, 1, "call f\n"); /* a call is, by its name */
  expect(PIECES(NULL), OK, 2, SECOND);
  expect(PIECES("data: junk\n\n"), OK, 2, SECOND);
  expect(PIECES(F("\"what\":1")), OK, 2, SECOND);
  expect(PIECES(BEGIN TEXT_("a") "data: junk\n\n"), OK, 2, SECOND); /* in the same read: nobody has seen it */
  expect(PIECES(BEGIN TEXT_("a"), "data: junk\n\n"), ERR_UPSTREAM_PROTOCOL, 1, "start one/m0\na\n");
}

TEST(an_answer_without_content_is_one) {
  expect(PIECES(BEGIN STOP_ END_), OK, 1, "start one/m0\nend ?\n");
  expect(PIECES(BEGIN, STOP_, END_), OK, 1, "start one/m0\nend ?\n");
  expect(PIECES(END_), OK, 1, "end ?\n");
}

TEST(the_end_waits_for_usage) {
  one_stream(PIECES(BEGIN TEXT_("a"), STOP_, F("\"ping\":1"), USAGE_(3), USAGE_(9), END_));
  rig.call.put_receipt = caller_receipt;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got, "start one/m0\na\nend 9 {\"in\":0,\"out\":9}\n"); /* once, with the last word */
  assert_int_equal(rig.writes, 2);
  for (size_t i = 2; i < 6; i++) assert_true(rig.wait_ms[i] <= 2000);
  assert_int_equal(rig.wait_ms[1], UINT64_MAX);
  rig_close();
}

TEST(but_two_seconds_at_most) {
  one_stream(PIECES(BEGIN TEXT_("a") STOP_, late, NULL));
  rig.call.put_receipt = caller_receipt;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got,
              "start one/m0\na\nend ? {\"in\":3,\"out\":1}\n"); /* counted here: what frames a prompt, a word */
  assert_true(rig.call.outcome.usage.is_estimated);
  assert_true(rig.wait_ms[1] <= 2000 && rig.wait_ms[1] > 1000);
  assert_true(rig.wait_ms[2] <= 500); /* then only for the connection's sake */
  rig_close();
}

TEST(what_comes_after_an_early_end) {
  static const char *const behind[][PIECES_MAX] = {
      {BEGIN TEXT_("a") STOP_, late, USAGE_(7) END_},
      {BEGIN TEXT_("a") STOP_, late, USAGE_(7), TEXT_("b") STOP_ END_ END_, "data: junk\n\n"},
      {BEGIN TEXT_("a") STOP_, late, F("\"usage\":7,\"error\":1"), cut},
      {BEGIN TEXT_("a") STOP_, late, USAGE_(7) "data: junk\n\n", USAGE_(8)},
      {BEGIN TEXT_("a") STOP_, late, USAGE_(7), late},
  };
  for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
    one_stream(behind[i]);
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.got, "start one/m0\na\nend ?\n");
    assert_int_equal(rig.call.outcome.usage.tokens[USAGE_OUTPUT], 7); /* the record still learns of it */
    rig_close();
  }
  one_stream(PIECES(BEGIN TEXT_("a") STOP_, late, gone));
  assert_int_equal(rig_run(), ERR_CANCELLED);
  rig_close();
}

TEST(the_end_comes_once) {
  static const char got[] = "start one/m0\na\nend 7\n";
  expect(PIECES(BEGIN TEXT_("a") STOP_ USAGE_(7) END_ END_), OK, 1, got);
  expect(PIECES(BEGIN TEXT_("a") STOP_ USAGE_(7) END_, END_, TEXT_("b"), NULL), OK, 1, got);
  expect(PIECES(BEGIN TEXT_("a") F("\"stop\":0,\"usage\":7,\"end\":1,\"text\":\"b\",\"end\":1,\"error\":1")), OK, 1,
         got);
  expect(PIECES(BEGIN TEXT_("a") STOP_ USAGE_(7) END_, cut), OK, 1, got);
  expect(PIECES(BEGIN TEXT_("a") STOP_ USAGE_(7) END_, late), OK, 1, got);
}

TEST(a_cut_is_never_a_clean_end) {
  static const char *const pieces[][PIECES_MAX] = {
      {BEGIN TEXT_("a"), NULL},
      {BEGIN TEXT_("a"), cut},
      {BEGIN TEXT_("a"), STOP_, NULL},
      {BEGIN TEXT_("a"), STOP_, cut},
      {BEGIN TEXT_("a"), STOP_ USAGE_(7), NULL},
      {BEGIN TEXT_("a"), "data: {\"end\":"},
      {BEGIN TEXT_("a"), STOP_ "data: {\"en"},
  };
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    expect(pieces[i], ERR_UPSTREAM_CUT, 1, "start one/m0\na\n");
}

TEST(but_some_servers_leave_their_mark_out) {
  static const struct {
    const char *pieces[PIECES_MAX];
    enum err e;
    const char *got;
  } rows[] = {
      {{BEGIN TEXT_("a"), STOP_ USAGE_(7)}, OK, "start one/m0\na\nend 7\n"},
      {{BEGIN TEXT_("a"), STOP_ "data: {\"usage\":7}"}, OK, "start one/m0\na\nend 7\n"}, /* nor its last line end */
      {{BEGIN TEXT_("a")}, ERR_UPSTREAM_CUT, "start one/m0\na\n"},
      {{BEGIN TEXT_("a"), STOP_, cut}, ERR_UPSTREAM_CUT, "start one/m0\na\n"}, /* no clean end of the connection */
      {{BEGIN TEXT_("a"), STOP_ "data: {\"usage\":"}, ERR_UPSTREAM_CUT, "start one/m0\na\n"},
      {{BEGIN TEXT_("a"), STOP_ END_}, OK, "start one/m0\na\nend ?\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    one_stream(rows[i].pieces);
    habits.ends_by_itself = true;
    assert_int_equal(rig_run(), rows[i].e);
    expect_text(&rig.got, rows[i].got);
    rig_close();
  }
}

TEST(errors_within_the_stream) {
  expect(PIECES(F("\"error\":1")), OK, 2, SECOND);
  expect(PIECES(BEGIN, F("\"error\":1")), OK, 2, SECOND);
  expect(PIECES(BEGIN TEXT_("a") F("\"error\":1")), OK, 2, SECOND);
  expect(PIECES(BEGIN TEXT_("a"), F("\"error\":1")), ERR_UPSTREAM_STATUS, 1, "start one/m0\na\n");
  one_stream(PIECES(BEGIN TEXT_("a"), STOP_, F("\"error\":1")));
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.info.http_status, 529);
  assert_non_null(strstr(rig.info.text, "overloaded"));
  expect_text(&rig.got, "start one/m0\na\n");
  struct buf out;
  buf_init(&out, 0);
  call_put_stream_error(&rig.call, ERR_UPSTREAM_STATUS, &rig.info, &out); /* by the writer, which knows where it was */
  expect_text(&out, "error upstream_error 0\n");
  buf_clear(&out);
  rig_close();
  one_stream(PIECES(BEGIN, F("\"error\":1")));
  rig.plan.n = 1;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.writes, 0);
  call_put_stream_error(&rig.call, ERR_UPSTREAM_STATUS, &rig.info, &out);
  expect_text(&out, "plain upstream_error\n");
  buf_clear(&out);
  rig_close();
}

/* ---- several choices ---- */

TEST(an_end_is_due_when_all_choices_have_stopped) {
  static const struct {
    const char *n, *pieces[PIECES_MAX];
    enum err e;
    const char *got;
  } rows[] = {
      /* One has stopped, the other is silent for long: that is no end. */
      {"2", {BEGIN TEXT_("a") STOP_, late}, ERR_TOTAL_TIMEOUT, "start one/m0\na\n"},
      {"", {BEGIN F("\"open\":1") TEXT_("a") STOP_, late}, ERR_TOTAL_TIMEOUT, "start one/m0\na\n"},
      {"2", {BEGIN TEXT_("a") STOP_, late, F("\"stop\":1") END_}, ERR_TOTAL_TIMEOUT, "start one/m0\na\n"},
      {"2", {BEGIN TEXT_("a") STOP_ STOP_, late}, ERR_TOTAL_TIMEOUT, "start one/m0\na\n"}, /* the same one again */
      {"2", {BEGIN TEXT_("a") STOP_ F("\"stop\":1"), late, NULL}, OK, "start one/m0\na\nend ?\n"},
      {"1", {BEGIN TEXT_("a") STOP_, late, NULL}, OK, "start one/m0\na\nend ?\n"},
      {"1", {BEGIN TEXT_("a") STOP_, F("\"open\":1") TEXT_("b"), late}, ERR_TOTAL_TIMEOUT, "start one/m0\na\nb\n"},
      {"100", {BEGIN TEXT_("a") STOP_, late}, ERR_TOTAL_TIMEOUT, "start one/m0\na\n"},
      {"0", {BEGIN TEXT_("a") STOP_, late, NULL}, OK, "start one/m0\na\nend ?\n"},
      {"1e9", {BEGIN TEXT_("a"), F("\"stop\":4000000000"), late}, ERR_UPSTREAM_TOO_LARGE, "start one/m0\na\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    one_stream(rows[i].pieces);
    for (size_t k = 0; k < 3; k++) rig.providers[k].dialects[0] = &able;
    seen.extra.choices = str_from_c(rows[i].n);
    enum err e = rig_run();
    if (e != rows[i].e) print_error("row %zu: %s\n", i, err_code(e));
    assert_int_equal(e, rows[i].e);
    expect_text(&rig.got, rows[i].got);
    rig_close();
  }
}

/* ---- other framings ---- */

TEST(lines_of_json) {
  static const char *const pieces[][PIECES_MAX] = {
      {"{\"start\":\"1\",\"open\":0}\n{\"te", "xt\":\"a\"}\r\n\n{\"stop\":0,\"usage\":7}\n{\"end\":1}\n"},
      {"{\"open\":0,\"start\":\"1\",\"text\":\"a\"}\n{\"stop\":0,\"usage\":7,\"end\":1}"}, /* without its line end */
  };
  for (size_t i = 0; i < 2; i++) {
    open_with(&lines, STREAM);
    rig.answers[0].type = "application/x-ndjson; charset=utf-8";
    memcpy(rig.answers[0].pieces, pieces[i], sizeof pieces[i]);
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.got, "start one/m0\na\nend 7\n");
    rig_close();
  }
  open_with(&lines, STREAM); /* the framing of another dialect is no stream of this one */
  rig.plan.n = 1;
  rig.answers[0].pieces[0] = BEGIN;
  assert_int_equal(rig_run(), ERR_UPSTREAM_PROTOCOL);
  rig_close();
}

static void put_u32(struct buf *b, uint32_t v) {
  const char bytes[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
  buf_put(b, str_from(bytes, 4));
}

static void put_message(struct buf *b, struct str headers, const char *payload) {
  size_t from = b->n;
  put_u32(b, (uint32_t)(16 + headers.n + strlen(payload)));
  put_u32(b, (uint32_t)headers.n);
  put_u32(b, (uint32_t)crc32(0, (const Bytef *)b->p + from, 8));
  buf_put(b, headers);
  buf_put(b, str_from_c(payload));
  put_u32(b, (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(b->n - from)));
}

TEST(messages_of_aws) {
  static const struct {
    const char *last;
    struct str headers;
    size_t cut; /* bytes that are missing of the last message */
    enum err e;
    const char *got;
  } rows[] = {
      {"{\"stop\":0,\"usage\":7,\"end\":1}", {NULL, 0}, 0, OK, "a\nend 7\n"},
      {"{\"stop\":0,\"usage\":7}", {NULL, 0}, 0, OK, "a\nend 7\n"},
      {"{\"stop\":0}", {NULL, 0}, 1, ERR_UPSTREAM_CUT, "a\n"},
      {"", STR("\x0b:error-code\x07\0\1E"), 0, ERR_UPSTREAM_STATUS, "a\n"}, /* an error without a payload is one */
      {"", STR("\x0b:event-type\x07\0\1E"), 0, ERR_UPSTREAM_CUT, "a\n"},    /* an event without is none */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf b;
    buf_init(&b, 0);
    put_message(&b, STR_NONE, "{\"open\":0,\"text\":\"a\"}");
    size_t first = b.n;
    put_message(&b, rows[i].headers, rows[i].last);
    open_with(&binary, STREAM);
    habits.ends_by_itself = true;
    rig.answers[0] = (struct scripted_answer){
        .type = "application/vnd.amazon.eventstream", .bytes = str_from(b.p, b.n - rows[i].cut), .first = first};
    assert_int_equal(rig_run(), rows[i].e);
    expect_text(&rig.got, rows[i].got);
    rig_close();
    buf_clear(&b);
  }
  /* A stop has come and the next message is cut: whatever decode_end would say, that is no clean end. */
  struct buf b;
  buf_init(&b, 0);
  put_message(&b, STR_NONE, "{\"open\":0,\"text\":\"a\",\"stop\":0}");
  size_t first = b.n;
  put_message(&b, STR_NONE, "{\"usage\":7}");
  open_with(&binary, STREAM);
  habits.ends_by_itself = true;
  rig.answers[0] = (struct scripted_answer){
      .type = "application/vnd.amazon.eventstream", .bytes = str_from(b.p, b.n - 3), .first = first};
  assert_int_equal(rig_run(), ERR_UPSTREAM_CUT);
  expect_text(&rig.got, "a\n");
  rig_close();
  /* What cannot be cut off behind the end is no fault of the answer: no error follows a clean end. */
  buf_reset(&b);
  put_message(&b, STR_NONE, "{\"open\":0,\"text\":\"a\",\"stop\":0,\"usage\":7,\"end\":1}");
  put_message(&b, STR_NONE, "{}");
  b.p[b.n - 1] ^= 1; /* its checksum */
  open_with(&binary, STREAM);
  rig.answers[0] =
      (struct scripted_answer){.type = "application/vnd.amazon.eventstream", .bytes = buf_str(&b), .first = b.n};
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got, "a\nend 7\n");
  rig_close();
  buf_clear(&b);
}

/* ---- requests ---- */

TEST(what_was_left_out_is_of_the_target_that_answered) {
  open_with(&target, STREAM);
  seen.extra.user = STR("u");
  rig.answers[0].pieces[0] = BEGIN TEXT_("a") STOP_ END_;
  assert_int_equal(rig_run(), OK);
  assert_str(buf_str(&rig.call.dropped.names), STR("user"));
  rig_close();
  open_with(&target, STREAM);
  seen.extra.user = STR("u");
  rig.providers[1].dialects[0] = &able;
  rig.answers[0].start = ERR_CONNECT_FAILED;
  rig.answers[1].pieces[0] = BEGIN TEXT_("a") STOP_ END_;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.call.dropped.names.n, 0);
  assert_int_equal(seen.decoded, 2); /* what was mended for one dialect is not for the next */
  expect_text(&rig.bodies[0], "{\"to\":\"m0\",\"for\":\"m\",\"usage\":1}");
  expect_text(&rig.bodies[1], "{\"to\":\"m1\",\"for\":\"m\",\"usage\":1}");
  rig_close();
}

TEST(candidates_of_one_dialect_share_the_work) {
  open_with(&target, STREAM);
  rig.answers[0].start = ERR_CONNECT_FAILED;
  rig.answers[1].start = ERR_CONNECT_FAILED;
  rig.answers[2].pieces[0] = BEGIN TEXT_("a") STOP_ END_;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 3);
  assert_int_equal(seen.decoded, 1);
  expect_text(&rig.bodies[2], "{\"to\":\"m2\",\"for\":\"m\",\"usage\":1}");
  rig_close();
}

TEST(what_cannot_be_said_is_never_sent) {
  open_with(&target, STREAM);
  seen.extra.suffix = STR("}");
  assert_int_equal(rig_run(), ERR_UNSUPPORTED);
  assert_string_equal(rig.info.param, "suffix");
  assert_int_equal(rig.sent, 0);
  rig_close();
  open_with(&target, STREAM);
  habits.encode_fails = ERR_BAD_VALUE;
  assert_int_equal(rig_run(), ERR_BAD_VALUE);
  assert_int_equal(rig.sent, 0);
  rig_close();
}

/* ---- whole replies ---- */

TEST(whole_replies) {
  static const struct {
    const char *body;
    enum err e;
    size_t sent;
    const char *got;
  } rows[] = {
      {"{\"start\":\"1\",\"open\":0,\"text\":\"a\",\"open\":0,\"text\":\"b\",\"usage\":7,\"stop\":0,\"end\":1}", OK, 1,
       "a\nb\nend 7\n"},
      {"{\"start\":\"1\",\"stop\":0,\"end\":1}", OK, 1, "end ?\n"},
      {"{\"error\":1}", OK, 2, "second\nend ?\n"},
      {"{\"open\":0,\"text\":\"a\",\"error\":1}", OK, 2, "second\nend ?\n"},
      {"{\"text\":\"of no part\"}", OK, 2, "second\nend ?\n"},
      {"[]", OK, 2, "second\nend ?\n"},
      {"{\"open\":0,\"text\":\"a\"", OK, 2, "second\nend ?\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    open_with(&target, WHOLE);
    rig.call.put_receipt = caller_receipt;
    rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {rows[i].body}};
    rig.answers[1] = (struct scripted_answer){.type = JSON, .pieces = {"{\"open\":0,\"text\":\"second\"}"}};
    assert_int_equal(rig_run(), rows[i].e);
    assert_int_equal(rig.sent, rows[i].sent);
    expect_text(&rig.call.reply, rows[i].got);
    rig_close();
  }
}

/* ---- the thread pool ---- */

static char *large_body(void) {
  size_t n = 300000;
  char *body = malloc(n + 1);
  memset(body, 'x', n);
  static const char head[] = "{\"model\":\"m\",\"stream\":true,\"messages\":[\"", tail[] = "\"]}";
  memcpy(body, head, sizeof head - 1);
  memcpy(body + n + 1 - sizeof tail, tail, sizeof tail);
  return body;
}

static enum err result;
static struct fiber_id running;

static void run_on_fiber(void *arg) {
  (void)arg;
  running = fiber_self();
  result = call_run(&rig.call, &rig.info);
}

TEST(a_large_body_is_worked_on_elsewhere) {
  char *body = large_body();
  open_with(&target, body);
  rig.answers[0].pieces[0] = BEGIN TEXT_("a") STOP_ END_;
  in_fiber(run_on_fiber);
  assert_int_equal(result, OK);
  assert_false(pthread_equal(seen.thread, pthread_self()));
  assert_true(rig.call.work != rig.call.arena);
  expect_text(&rig.got, "start one/m0\na\nend ?\n");
  assert_true(held_bytes() > 300000); /* its tree counts */
  rig_close();
  open_with(&target, STREAM);
  rig.answers[0].pieces[0] = BEGIN TEXT_("a") STOP_ END_;
  assert_int_equal(rig_run(), OK);
  assert_true(pthread_equal(seen.thread, pthread_self()));
  assert_ptr_equal(rig.call.work, rig.call.arena);
  rig_close();
  open_with(&target, body);
  held_set_limit(100000);
  in_fiber(run_on_fiber);
  assert_int_equal(result, ERR_BUSY);
  assert_int_equal(rig.sent, 0);
  rig_close();
  free(body);
}

static void cancel_meanwhile(void *arg) {
  (void)arg;
  while (!atomic_load(&seen.has_begun)) pause_ms(1);
  fiber_cancel(running);
  for (int i = 0; i < 20; i++) {
    pause_ms(1);
    CHECK(fiber_is_live(running));          /* it waits for the job, which uses its memory */
    CHECK(arena_alloc(rig.call.arena, 64)); /* others of the exchange may go on with theirs */
  }
  atomic_store(&seen.may_go_on, true);
}

TEST(a_cancel_waits_for_the_job) {
  char *body = large_body();
  open_with(&target, body);
  seen.waits = true;
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_spawn(NULL, run_on_fiber, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_meanwhile, NULL), OK);
  finish_loop(l);
  assert_int_equal(result, ERR_CANCELLED);
  assert_int_equal(rig.sent, 0);
  rig_close();
  free(body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stream_from_event_to_event),
      cmocka_unit_test(every_cut_of_the_bytes),
      cmocka_unit_test(what_is_content),
      cmocka_unit_test(an_answer_without_content_is_one),
      cmocka_unit_test(the_end_waits_for_usage),
      cmocka_unit_test(but_two_seconds_at_most),
      cmocka_unit_test(what_comes_after_an_early_end),
      cmocka_unit_test(the_end_comes_once),
      cmocka_unit_test(a_cut_is_never_a_clean_end),
      cmocka_unit_test(but_some_servers_leave_their_mark_out),
      cmocka_unit_test(errors_within_the_stream),
      cmocka_unit_test(an_end_is_due_when_all_choices_have_stopped),
      cmocka_unit_test(lines_of_json),
      cmocka_unit_test(messages_of_aws),
      cmocka_unit_test(what_was_left_out_is_of_the_target_that_answered),
      cmocka_unit_test(candidates_of_one_dialect_share_the_work),
      cmocka_unit_test(what_cannot_be_said_is_never_sent),
      cmocka_unit_test(whole_replies),
      cmocka_unit_test(a_large_body_is_worked_on_elsewhere),
      cmocka_unit_test(a_cancel_waits_for_the_job),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
