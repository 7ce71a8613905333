/* Streams on their way through: when the first byte goes out, what may still be mended, where the receipt stands, and
 * how a stream ends, properly or not. */
#include "call_rig.h"

static void one_stream(const char *body, const char *const pieces[PIECES_MAX]) {
  rig_open(body);
  memcpy(rig.answers[0].pieces, pieces, sizeof rig.answers[0].pieces);
}

#define PIECES(...) ((const char *const[PIECES_MAX]){__VA_ARGS__})

TEST(frames_go_out_as_they_come) {
  one_stream(STREAM_USAGE, PIECES(ROLE, TEXT("a") TEXT("b"), STOP, USAGE_CHUNK(3, 4), DONE));
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got, ROLE TEXT("a") TEXT("b") STOP USAGE_CHUNK(3, 4) DONE);
  assert_true(rig.is_told);
  assert_int_equal(rig.writes, 4); /* the role waits for content; then one write a read */
  assert_int_equal(rig.call.outcome.usage.tokens[USAGE_OUTPUT], 4);
  assert_true(rig.call.outcome.ttft_us > 0 || rig.call.outcome.duration_us == 0);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

TEST(usage_is_asked_for_and_withheld) {
  one_stream(STREAM, PIECES(TEXT("a"), STOP, USAGE_CHUNK(3, 4), DONE));
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0],
              "{\"stream_options\":{\"include_usage\":true},\"model\":\"m0\",\"messages\":[{}],"
              "\"stream\":true}");
  expect_text(&rig.got, TEXT("a") STOP DONE);
  assert_int_equal(rig.call.outcome.usage.tokens[USAGE_INPUT], 3);
  rig_close();
}

TEST(failures_before_content_are_mended) {
  static const char *const before[][PIECES_MAX] = {
      {NULL},
      {cut},
      {ROLE, cut},
      {ROLE, late},
      {ROLE},
      {"data: junk\n\n"},
      {ROLE "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n"},
      {ROLE, "data: {\"error\":\"overloaded\"}\n\n"},
      {ROLE TEXT("a") "data: {\"error\":\"in the same read: nobody has seen it\"}\n\n"},
      {"data: {\"choi"},
  };
  for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
    one_stream(STREAM_USAGE, before[i]);
    rig.answers[1] = (struct scripted_answer){.pieces = {ROLE, TEXT("b"), STOP, DONE}};
    enum err e = rig_run();
    if (e) print_error("case %zu: %s %s\n", i, err_code(e), rig.info.text);
    assert_int_equal(e, OK);
    assert_int_equal(rig.sent, 2);
    expect_text(&rig.got, ROLE TEXT("b") STOP DONE); /* nothing of the first */
    rig_close();
  }
}

TEST(failures_after_content_are_told) {
  static const struct {
    const char *pieces[PIECES_MAX];
    const char *got;
    enum err e;
    int status;
  } rows[] = {
      {{TEXT("a"), cut}, TEXT("a"), ERR_UPSTREAM_CUT, 0},
      {{TEXT("a")}, TEXT("a"), ERR_UPSTREAM_CUT, 0},
      {{TEXT("a"), TEXT("b") "data: {\"cho"}, TEXT("a") TEXT("b"), ERR_UPSTREAM_CUT, 0},
      {{TEXT("a"), TEXT("b") "data: junk\n\n"}, TEXT("a") TEXT("b"), ERR_UPSTREAM_PROTOCOL, 0},
      {{TEXT("a"), "data: {\"error\":{\"message\":\"m\",\"code\":429}}\n\n"}, TEXT("a"), ERR_UPSTREAM_STATUS, 429},
      {{TEXT("a"), "data: {\"error\":{\"message\":\"m\"}}\n\n"}, TEXT("a"), ERR_UPSTREAM_STATUS, 502},
      {{TEXT("a"), STOP, cut}, TEXT("a") STOP, ERR_UPSTREAM_CUT, 0}, /* its end mark is missing */
      {{TEXT("a"), STOP "data: {\"usage\":"}, TEXT("a") STOP, ERR_UPSTREAM_CUT, 0},
      {{TEXT("a"), gone}, TEXT("a"), ERR_CANCELLED, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    one_stream(STREAM_USAGE, rows[i].pieces);
    rig.answers[1] = (struct scripted_answer){.pieces = {TEXT("never"), STOP, DONE}};
    assert_int_equal(rig_run(), rows[i].e);
    if (rows[i].status) assert_int_equal(rig.info.http_status, rows[i].status);
    assert_int_equal(rig.sent, 1);
    expect_text(&rig.got, rows[i].got);
    assert_false(rig.is_told);
    rig_close();
  }
}

TEST(the_last_candidates_content_is_not_forgotten) {
  one_stream(STREAM_USAGE, PIECES(ROLE TEXT("a") "data: {\"error\":\"at once\"}\n\n"));
  rig.plan.n = 1;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  expect_text(&rig.got, ROLE TEXT("a"));
  rig_close();
  one_stream(STREAM_USAGE,
             PIECES(ROLE "data: {\"error\":\"at once\"}\n\n")); /* but without content, a status is better */
  rig.plan.n = 1;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.writes, 0);
  rig_close();
}

/* A candidate that this failure does not lead to is none. */
TEST(content_is_not_forgotten_for_one_who_is_only_larger) {
  static const struct {
    const char *error, *got;
    size_t sent;
  } rows[] = {{"data: {\"error\":\"at once\"}\n\n", ROLE TEXT("a"), 1},
              {"data: {\"error\":{\"message\":\"big\",\"code\":413}}\n\n", ROLE TEXT("b") STOP DONE, 2}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char piece[512];
    snprintf(piece, sizeof piece, "%s%s%s", ROLE, TEXT("a"), rows[i].error);
    one_stream(STREAM_USAGE, PIECES(piece));
    rig.plan.n = 1;
    rig.plan.larger = rig.order + 1;
    rig.plan.larger_n = rig.plan.extra = 1;
    rig.answers[1] = (struct scripted_answer){.pieces = {ROLE, TEXT("b"), STOP, DONE}};
    assert_int_equal(rig_run(), rows[i].sent == 1 ? ERR_UPSTREAM_STATUS : OK);
    assert_int_equal(rig.sent, rows[i].sent);
    expect_text(&rig.got, rows[i].got);
    rig_close();
  }
}

static void put_relay_error(const struct dialect_stream *state, enum err e, const struct err_info *info,
                            struct buf *out) {
  (void)info;
  buf_printf(out, "%s behind %s", err_code(e), state->saw_content ? "content" : "nothing");
}

/* What was relayed and nobody got is nothing that an error could go on from. */
TEST(an_error_goes_on_from_what_the_caller_got) {
  static const struct {
    const char *pieces[PIECES_MAX], *told;
  } rows[] = {{{TEXT("a"), cut}, "upstream_cut behind content"}, {{ROLE, cut}, NULL}, {{cut}, NULL}};
  struct dialect numbering = dialect_openai_chat;
  numbering.put_relay_error = put_relay_error;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out, plain;
    buf_init(&out, 0);
    buf_init(&plain, 0);
    one_stream(STREAM, rows[i].pieces);
    rig.plan.n = 1;
    enum err e = rig_run();
    assert_int_equal(e, ERR_UPSTREAM_CUT);
    rig.call.dialect = &numbering;
    call_put_stream_error(&rig.call, e, &rig.info, &out);
    numbering.put_stream_error(&plain, e, &rig.info);
    expect_text(&out, rows[i].told ? rows[i].told : arena_printf(&rig.arena, "%.*s", STR_ARG(buf_str(&plain))).p);
    buf_clear(&out);
    buf_clear(&plain);
    rig_close();
  }
}

/* What is known of the first content is known of the attempt that the caller has it from. */
TEST(content_that_is_forgotten_has_no_time) {
  one_stream(STREAM, PIECES(TEXT("a") "data: {\"error\":\"at once\"}\n\n"));
  rig.plan.n = 2;
  rig.answers[1] = (struct scripted_answer){.start = ERR_CONNECT_FAILED};
  assert_int_equal(rig_run(), ERR_CONNECT_FAILED);
  assert_int_equal(rig.writes, 0);
  assert_int_equal(rig.call.outcome.ttft_us, 0);
  rig_close();
}

TEST(streams_without_content_are_answers) {
  static const char *const pieces[][PIECES_MAX] = {{ROLE STOP DONE}, {ROLE, STOP, DONE},     {DONE},
                                                   {STOP},           {ROLE, "data: [DONE]"}, {ROLE, STOP, DONE, cut}};
  static const char *const got[] = {ROLE STOP DONE, ROLE STOP DONE, DONE, STOP, ROLE DONE, ROLE STOP DONE};
  for (size_t i = 0; i < sizeof got / sizeof *got; i++) {
    one_stream(STREAM_USAGE, pieces[i]);
    assert_int_equal(rig_run(), OK);
    assert_int_equal(rig.sent, 1);
    expect_text(&rig.got, got[i]);
    rig_close();
  }
}

TEST(a_missing_last_line_end_is_made_up) {
  static const char *const pieces[][PIECES_MAX] = {
      {TEXT("a") STOP "data: [DONE]"}, {TEXT("a") STOP "data: [DONE]\n"}, {TEXT("a"), STOP, "data: [DO", "NE]"}};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    one_stream(STREAM, pieces[i]);
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.got, TEXT("a") STOP DONE);
    rig_close();
  }
  one_stream(STREAM, PIECES(TEXT("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"));
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got, TEXT("a") STOP);
  rig_close();
}

#define CRLF "\r\n\r\n"
#define TEXT_CRLF "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}" CRLF
#define STOP_CRLF(more) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]" more "}" CRLF
#define DONE_CRLF "data: [DONE]" CRLF

/* Wherever a read cuts a CR LF in two, it is passed on once, and whole before anything else is. */
TEST(a_line_end_is_not_left_half) {
  static const char stream[] = TEXT_CRLF STOP_CRLF("") DONE_CRLF;
  static const char with[] = TEXT_CRLF STOP_CRLF(",\"maestro\":{\"in\":0,\"out\":1}") DONE_CRLF;
  for (size_t first = 1; first < sizeof stream - 1; first++)
    for (int wants_receipt = 0; wants_receipt < 2; wants_receipt++) {
      rig_open(STREAM);
      rig.answers[0] = (struct scripted_answer){.bytes = str_from(stream, sizeof stream - 1), .first = first};
      if (wants_receipt) rig.call.put_receipt = caller_receipt;
      assert_int_equal(rig_run(), OK);
      expect_text(&rig.got, wants_receipt ? with : stream);
      rig_close();
    }
  one_stream(STREAM, PIECES("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r", cut));
  assert_int_equal(rig_run(), ERR_UPSTREAM_CUT);
  expect_text(&rig.got, TEXT_CRLF);
  rig_close();
}

TEST(nothing_counts_behind_the_end) {
  static const char *const behind[][PIECES_MAX] = {
      {TEXT("a") STOP DONE TEXT("x"), TEXT("y"), "data: junk\n\n", NULL},
      {TEXT("a") STOP DONE, "data: {\"error\":\"x\"}\n\n", cut},
      {TEXT("a") STOP DONE, late},
      {TEXT("a") STOP DONE, cut},
      {TEXT("a") STOP DONE, "data: {\"unfinished"},
  };
  for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
    one_stream(STREAM, behind[i]);
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.got, TEXT("a") STOP DONE);
    for (size_t k = 1; k < rig.reads; k++) assert_true(rig.wait_ms[k] <= 500); /* and nobody waits for long */
    rig_close();
  }
  one_stream(STREAM, PIECES(DONE, gone));
  assert_int_equal(rig_run(), ERR_CANCELLED);
  rig_close();
}

static uint64_t fake_now_us;
static uint64_t fake_clock(void) { return fake_now_us += 100000; } /* a tenth of a second at each look */

TEST(the_tail_does_not_get_longer_with_every_read) {
  one_stream(STREAM, PIECES(TEXT("a") STOP DONE, ": c\n\n", ": c\n\n", ": c\n\n", ": c\n\n", ": c\n\n", late));
  fake_now_us = 1000000;
  clock_inject(fake_clock, NULL);
  enum err e = rig_run();
  clock_inject(NULL, NULL);
  assert_int_equal(e, OK);
  for (size_t k = 2; k < rig.reads; k++) assert_true(rig.wait_ms[k] < rig.wait_ms[k - 1] || rig.wait_ms[k] == 0);
  rig_close();
}

/* ---- receipts ---- */

static void with_receipt(const char *body, const char *const pieces[PIECES_MAX], const char *got) {
  one_stream(body, pieces);
  rig.call.put_receipt = caller_receipt;
  enum err e = rig_run();
  if (e) print_error("%s %s\n", err_code(e), rig.info.text);
  assert_int_equal(e, OK);
  expect_text(&rig.got, got);
  rig_close();
}

#define STOP_USAGE(in, out) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]," USAGE(in, out) "}\n\n"
#define USAGE_CHUNK_WITH(in, out, receipt) "data: {\"choices\":[]," USAGE(in, out) ",\"maestro\":" receipt "}\n\n"

/* "a" is a token; the request of these tests is none that could be counted. */
#define COUNTED_HERE "{\"in\":0,\"out\":1}"

TEST(the_receipt_stands_on_the_finishing_chunk) {
  static const char expected[] = TEXT("a") STOP_WITH("{\"in\":3,\"out\":4}") DONE;
  with_receipt(STREAM, PIECES(TEXT("a") STOP USAGE_CHUNK(3, 4) DONE), expected);
  with_receipt(STREAM, PIECES(TEXT("a"), STOP, USAGE_CHUNK(3, 4), DONE), expected);
  with_receipt(STREAM, PIECES(TEXT("a"), STOP, ": c\n\n", USAGE_CHUNK(3, 4) DONE),
               TEXT("a") ": c\n\n" STOP_WITH("{\"in\":3,\"out\":4}") DONE);
  with_receipt(STREAM, PIECES(TEXT("a"), STOP_USAGE(3, 4), DONE), expected); /* both in one */
  with_receipt(STREAM, PIECES(TEXT("a"), STOP_USAGE(1, 1), USAGE_CHUNK(3, 4), DONE), expected);
  with_receipt(STREAM, PIECES(TEXT("a"), STOP, DONE), TEXT("a") STOP_WITH(COUNTED_HERE) DONE);
  with_receipt(STREAM, PIECES(TEXT("a"), STOP), TEXT("a") STOP_WITH(COUNTED_HERE));
  with_receipt(STREAM, PIECES(STOP, USAGE_CHUNK(3, 4)), STOP_WITH("{\"in\":3,\"out\":4}"));
}

TEST(or_on_the_usage_chunk_that_was_asked_for) {
  with_receipt(STREAM_USAGE, PIECES(TEXT("a") STOP USAGE_CHUNK(3, 4) DONE),
               TEXT("a") STOP USAGE_CHUNK_WITH(3, 4, "{\"in\":3,\"out\":4}") DONE);
  with_receipt(STREAM_USAGE, PIECES(TEXT("a"), STOP, USAGE_CHUNK(3, 4), DONE),
               TEXT("a") STOP USAGE_CHUNK_WITH(3, 4, "{\"in\":3,\"out\":4}") DONE);
  with_receipt(STREAM_USAGE, PIECES(TEXT("a"), STOP_USAGE(3, 4), DONE),
               TEXT("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]," USAGE(
                   3, 4) ",\"maestro\":{\"in\":3,\"out\":4}}\n\n" DONE);
  /* Running totals before the end are not it. */
  with_receipt(STREAM_USAGE, PIECES(TEXT("a"), USAGE_CHUNK(3, 1), TEXT("b"), STOP, USAGE_CHUNK(3, 4), DONE),
               TEXT("a") USAGE_CHUNK(3, 1) TEXT("b") STOP USAGE_CHUNK_WITH(3, 4, "{\"in\":3,\"out\":4}") DONE);
}

TEST(one_receipt_for_many_choices) {
  static const char second[] = "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]," USAGE(3, 2) "}\n\n";
  static const char second_out[] = "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n\n";
  static const char stop[] = "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
  one_stream(STREAM, PIECES(TEXT("a"), STOP, second, stop, USAGE_CHUNK(3, 4), DONE));
  rig.call.put_receipt = caller_receipt;
  assert_int_equal(rig_run(), OK);
  struct buf want;
  buf_init(&want, 0);
  buf_put(&want, STR(TEXT("a")));
  buf_put(&want, str_from_c(second_out));
  buf_put(&want, str_from_c(stop));
  buf_put(&want, STR(STOP_WITH("{\"in\":3,\"out\":4}") DONE));
  assert_str(buf_str(&rig.got), buf_str(&want));
  buf_clear(&want);
  rig_close();
}

TEST(the_finishing_chunk_waits_two_seconds_at_most) {
  one_stream(STREAM, PIECES(TEXT("a"), STOP, late, USAGE_CHUNK(3, 4), DONE));
  rig.call.put_receipt = caller_receipt;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.got, TEXT("a") STOP_WITH(COUNTED_HERE) DONE);
  assert_true(rig.wait_ms[1] == UINT64_MAX && rig.wait_ms[2] <= 2000 && rig.wait_ms[2] > 1000);
  assert_int_equal(rig.wait_ms[3], UINT64_MAX); /* then the stream has its time again */
  assert_int_equal(rig.writes, 3);
  assert_int_equal(rig.call.outcome.usage.tokens[USAGE_OUTPUT], 4); /* the record still learns of it */
  assert_false(rig.call.outcome.usage.is_estimated);
  rig_close();
}

TEST(a_cut_while_it_waits) {
  one_stream(STREAM, PIECES(TEXT("a"), STOP, cut));
  rig.call.put_receipt = caller_receipt;
  assert_int_equal(rig_run(), ERR_UPSTREAM_CUT);
  expect_text(&rig.got, TEXT("a") STOP_WITH(COUNTED_HERE));
  rig_close();
}

/* ---- limits ---- */

TEST(each_wait_has_its_limit_and_name) {
  static const struct {
    struct provider_timeouts limits;
    const char *pieces[PIECES_MAX];
    size_t read;
    uint64_t ms;
    enum err e;
  } rows[] = {
      {{.first_token_ms = 5000}, {ROLE, late}, 1, 5000, ERR_FIRST_CONTENT_TIMEOUT},
      {{.first_token_ms = 5000, .silence_ms = 3000}, {ROLE, late}, 1, 3000, ERR_SILENCE_TIMEOUT},
      {{.silence_ms = 3000, .total_ms = 2000}, {late}, 0, 2000, ERR_TOTAL_TIMEOUT},
      {{.first_token_ms = 50, .silence_ms = 3000}, {TEXT("a"), late}, 1, 3000, ERR_SILENCE_TIMEOUT},
      {{.first_token_ms = 50, .total_ms = 3000}, {TEXT("a"), late}, 1, 3000, ERR_TOTAL_TIMEOUT},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    one_stream(STREAM, rows[i].pieces);
    rig.plan.n = 1;
    rig.providers[0].provider.timeouts = rows[i].limits;
    assert_int_equal(rig_run(), rows[i].e);
    uint64_t waited = rig.wait_ms[rows[i].read];
    assert_true(waited <= rows[i].ms && waited + 1000 > rows[i].ms);
    rig_close();
  }
}

TEST(what_comes_before_content_is_bounded) {
  char *comment = malloc(600001);
  memset(comment, 'c', 600000);
  comment[0] = ':';
  memcpy(comment + 599998, "\n\n", 3);
  one_stream(STREAM, PIECES(comment, comment, TEXT("a") STOP DONE));
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.writes, 2); /* 1.2 MB of nothing went out before */
  rig_close();
  free(comment);
  char *huge = malloc((5 << 20) + 1);
  memset(huge, 'd', 5 << 20);
  memcpy(huge, "data: \"", 7);
  huge[5 << 20] = 0;
  one_stream(STREAM, PIECES(TEXT("a"), huge));
  assert_int_equal(rig_run(), ERR_UPSTREAM_TOO_LARGE);
  expect_text(&rig.got, TEXT("a"));
  rig_close();
  free(huge);
}

static char *event_of(size_t bytes) {
  static const char head[] = "data: {\"choices\":[{\"delta\":{\"content\":\"", tail[] = "\"}}]}\n\n";
  char *event = malloc(bytes + 1);
  memset(event, 'd', bytes);
  memcpy(event, head, sizeof head - 1);
  memcpy(event + bytes + 1 - sizeof tail, tail, sizeof tail);
  return event;
}

TEST(the_process_may_hold_too_much) {
  char *large = event_of(100000);
  one_stream(STREAM_USAGE, PIECES(ROLE, large, STOP DONE)); /* nothing sent yet: a status, and no other is asked */
  held_set_limit(50000);
  assert_int_equal(rig_run(), ERR_BUSY);
  assert_int_equal(err_info_status(ERR_BUSY, &rig.info), 503);
  assert_true(rig.info.retry_after_ms > 0);
  assert_int_equal(rig.writes, 0);
  assert_int_equal(rig.sent, 1);
  rig_close();
  one_stream(STREAM_USAGE, PIECES(TEXT("a"), large, STOP DONE)); /* content: what came is sent, then the event tells */
  held_set_limit(50000);
  assert_int_equal(rig_run(), ERR_BUSY);
  assert_true(rig.got.n > 100000);
  assert_true(str_find(buf_str(&rig.got), STR("DONE")) == SIZE_MAX);
  rig_close();
  one_stream(STREAM_USAGE, PIECES(TEXT("a"), large, STOP DONE));
  held_set_limit(500000);
  assert_int_equal(rig_run(), OK);
  rig_close();
  one_stream(STREAM_USAGE, PIECES(TEXT("a"), TEXT("b"), STOP DONE)); /* small ones never ask */
  held_set_limit(1);
  assert_int_equal(rig_run(), OK);
  rig_close();
  large[100000 - 1] = 0; /* its blank line is not there yet: the reader holds it */
  one_stream(STREAM_USAGE, PIECES(TEXT("a"), large, "\n" STOP DONE));
  held_set_limit(50000);
  assert_int_equal(rig_run(), ERR_BUSY);
  expect_text(&rig.got, TEXT("a"));
  rig_close();
  free(large);
}

TEST(a_caller_who_is_gone_ends_it) {
  one_stream(STREAM, PIECES(TEXT("a"), TEXT("b"), STOP, DONE));
  rig.write_fails = ERR_CANCELLED;
  rig.answers[1] = rig.answers[0];
  assert_int_equal(rig_run(), ERR_CANCELLED);
  assert_int_equal(rig.writes, 1);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_go_out_as_they_come),
      cmocka_unit_test(usage_is_asked_for_and_withheld),
      cmocka_unit_test(failures_before_content_are_mended),
      cmocka_unit_test(failures_after_content_are_told),
      cmocka_unit_test(the_last_candidates_content_is_not_forgotten),
      cmocka_unit_test(content_is_not_forgotten_for_one_who_is_only_larger),
      cmocka_unit_test(an_error_goes_on_from_what_the_caller_got),
      cmocka_unit_test(content_that_is_forgotten_has_no_time),
      cmocka_unit_test(streams_without_content_are_answers),
      cmocka_unit_test(a_missing_last_line_end_is_made_up),
      cmocka_unit_test(a_line_end_is_not_left_half),
      cmocka_unit_test(nothing_counts_behind_the_end),
      cmocka_unit_test(the_tail_does_not_get_longer_with_every_read),
      cmocka_unit_test(the_receipt_stands_on_the_finishing_chunk),
      cmocka_unit_test(or_on_the_usage_chunk_that_was_asked_for),
      cmocka_unit_test(one_receipt_for_many_choices),
      cmocka_unit_test(the_finishing_chunk_waits_two_seconds_at_most),
      cmocka_unit_test(a_cut_while_it_waits),
      cmocka_unit_test(each_wait_has_its_limit_and_name),
      cmocka_unit_test(what_comes_before_content_is_bounded),
      cmocka_unit_test(the_process_may_hold_too_much),
      cmocka_unit_test(a_caller_who_is_gone_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
