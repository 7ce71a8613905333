/* Managing models of a node: what is sent, progress cut anywhere, and each way that it ends. */
#include "call/manage.h"

#include "call_rig.h"

static const struct str body = STR("{\"model\":\"m\"}");
static struct manage manage;

static enum err on_lines(void *arg, struct str lines) { return caller_write(arg, lines, false); }

static void open_with(const struct scripted_answer *answer) {
  const struct provider_spec spec = {
      .id = STR("box"), .type = STR("ollama"), .base_url = STR("http://127.0.0.1:1/base"), .allow_private = true};
  rig_open(WHOLE);
  assert_int_equal(provider_init(&rig.arena, &spec, &rig.providers[0].provider, &rig.info), OK);
  rig.info = (struct err_info){0};
  rig.answers[0] = *answer;
  manage = (struct manage){.client = &rig.client,
                           .at = &rig.providers[0],
                           .arena = &rig.arena,
                           .operation = MANAGE_PULL,
                           .body = &body,
                           .body_slices = 1,
                           .on_lines = on_lines};
}

static enum err run(void) {
  enum err e = manage_run(&manage, &rig.info);
  for (size_t i = 0; i < rig.sent; i++) assert_false(rig.calls[i].is_open);
  return e;
}

static void close_it(void) {
  manage_clear(&manage);
  rig_close();
}

#define LINES "{\"status\":\"pulling manifest\"}\n\n{\"status\":\"pulling 6d\",\"total\":9,\"completed\":3}\r\n"
#define SUCCESS "{\"status\":\"success\"}\n"

TEST(each_operation_has_its_path_and_method) {
  static const struct {
    enum manage_operation operation;
    enum http_method method;
    const char *target, *answer, *kept;
  } rows[] = {{MANAGE_PULL, HTTP_POST, "/base/api/pull", SUCCESS, SUCCESS},
              {MANAGE_PUSH, HTTP_POST, "/base/api/push", SUCCESS, SUCCESS},
              {MANAGE_CREATE, HTTP_POST, "/base/api/create", SUCCESS, SUCCESS},
              {MANAGE_COPY, HTTP_POST, "/base/api/copy", NULL, ""},
              {MANAGE_DELETE, HTTP_DELETE, "/base/api/delete", NULL, ""},
              {MANAGE_SHOW, HTTP_POST, "/base/api/show", "{\"a\":1}", "{\"a\":1}"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    open_with(&(struct scripted_answer){.type = JSON, .pieces = {rows[i].answer}});
    manage.operation = rows[i].operation;
    assert_int_equal(run(), OK);
    assert_int_equal(rig.requests[0].method, rows[i].method);
    assert_str(rig.requests[0].target, str_from_c(rows[i].target));
    assert_str(buf_str(&rig.bodies[0]), body);
    assert_str(buf_str(&manage.answer), str_from_c(rows[i].kept));
    assert_int_equal(manage.upstream_status, 200);
    assert_int_equal(manage_has_progress(rows[i].operation), rows[i].operation < MANAGE_COPY);
    close_it();
  }
  assert_false(manage_is_possible(&(struct catalog_provider){.provider = {.type = &provider_anthropic}}));
}

TEST(progress_cut_at_every_byte_is_relayed_as_it_came) {
  static const char all[] = LINES SUCCESS "{\"status\":\"after the end\"}\n";
  for (size_t cut_at = 1; cut_at < sizeof all - 1; cut_at++)
    for (size_t step = 0; step <= 1; step++) { /* two pieces; or byte by byte from there on */
      open_with(&(struct scripted_answer){
          .bytes = str_from(all, sizeof all - 1), .first = cut_at, .step = step ? 1 : sizeof all});
      assert_int_equal(run(), OK);
      expect_text(&rig.got,
                  "{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling 6d\",\"total\":9,\"completed\":3}\n");
      assert_str(buf_str(&manage.answer), STR(SUCCESS));
      close_it();
    }
}

TEST(each_way_that_it_ends) {
  static const struct {
    struct scripted_answer answer;
    enum err e;
    int http_status; /* 0: not looked at */
    const char *text, *got;
  } rows[] = {
      {{.pieces = {LINES, "{\"status\":\"success\"}"}}, OK, 0, NULL, NULL},
      {{.start = ERR_CONNECT_FAILED}, ERR_CONNECT_FAILED, 0, NULL, ""},
      {{.pieces = {LINES}}, ERR_UPSTREAM_CUT, 0, "before it said success", NULL},
      {{.pieces = {NULL}}, ERR_UPSTREAM_CUT, 0, "before it said success", ""},
      {{.pieces = {LINES, cut}}, ERR_UPSTREAM_CUT, 0, NULL, NULL},
      {{.pieces = {LINES, late}}, ERR_SILENCE_TIMEOUT, 0, NULL, NULL},
      {{.pieces = {LINES, gone}}, ERR_CANCELLED, 0, NULL, NULL},
      {{.pieces = {"{\"error\":\"no such thing\"}\n"}}, ERR_UPSTREAM_STATUS, 500, "no such thing", ""},
      {{.pieces = {LINES, "{\"error\":\"no such thing\"}"}}, ERR_UPSTREAM_STATUS, 500, "no such thing", NULL},
      {{.pieces = {"{\"error\":null}\n", SUCCESS}}, OK, 0, NULL, "{\"error\":null}\n"},
      {{.status = 404, .type = JSON, .pieces = {"{\"error\":\"not here\"}"}}, ERR_UPSTREAM_STATUS, 404, "not here", ""},
      {{.status = 302}, ERR_UPSTREAM_PROTOCOL, 0, "302", ""},
      {{.status = 204}, ERR_UPSTREAM_PROTOCOL, 0, "204", ""},
      {{.pieces = {"[1]\n"}}, ERR_UPSTREAM_PROTOCOL, 0, "no JSON object", ""},
      {{.pieces = {"{\"status\":\"a\"}x\n"}}, ERR_UPSTREAM_PROTOCOL, 0, "no JSON object", ""},
      {{.pieces = {"{\"status\":[\"success\"]}\n", SUCCESS}}, OK, 0, NULL, "{\"status\":[\"success\"]}\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    open_with(&rows[i].answer);
    rig.providers[0].provider.timeouts.silence_ms = 1000;
    enum err e = run();
    if (e != rows[i].e) fail_msg("row %zu: %s", i, err_code(e));
    if (rows[i].http_status) assert_int_equal(err_info_status(e, &rig.info), rows[i].http_status);
    if (rows[i].text && !strstr(err_info_text(e, &rig.info), rows[i].text)) fail_msg("row %zu: %s", i, rig.info.text);
    if (rows[i].got) expect_text(&rig.got, rows[i].got);
    close_it();
  }
}

TEST(lines_have_a_limit_and_the_caller_may_end_it) {
  static char line[70 * 1024];
  memset(line, ' ', sizeof line);
  open_with(&(struct scripted_answer){.bytes = str_from(line, sizeof line), .first = 1000, .step = 1000});
  assert_int_equal(run(), ERR_UPSTREAM_TOO_LARGE);
  close_it();
  open_with(&(struct scripted_answer){.pieces = {LINES, SUCCESS}});
  rig.write_fails = ERR_CANCELLED;
  assert_int_equal(run(), ERR_CANCELLED);
  assert_int_equal(rig.writes, 1);
  close_it();
  open_with(&(struct scripted_answer){.pieces = {LINES, SUCCESS}});
  manage.on_lines = NULL;
  assert_int_equal(run(), OK);
  assert_int_equal(rig.writes, 0);
  close_it();
}

TEST(silence_is_limited_by_the_provider_and_duration_is_not) {
  open_with(&(struct scripted_answer){.pieces = {LINES, LINES, SUCCESS}});
  rig.providers[0].provider.timeouts =
      (struct provider_timeouts){.silence_ms = 5000, .headers_ms = 3000, .first_token_ms = 1, .total_ms = 1};
  assert_int_equal(run(), OK);
  assert_int_equal(rig.requests[0].headers_ms, 3000);
  for (size_t i = 0; i < rig.reads; i++) assert_true(rig.wait_ms[i] > 4000 && rig.wait_ms[i] <= 5000);
  close_it();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_operation_has_its_path_and_method),
      cmocka_unit_test(progress_cut_at_every_byte_is_relayed_as_it_came),
      cmocka_unit_test(each_way_that_it_ends),
      cmocka_unit_test(lines_have_a_limit_and_the_caller_may_end_it),
      cmocka_unit_test(silence_is_limited_by_the_provider_and_duration_is_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
