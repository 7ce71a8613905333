/* Prompts that do not fit: who is asked, and what the caller is told, in every dialect's words. */
#include "rule_rig.h"

#include "call/count.h"

static const struct scripted_answer good = {
    .type = JSON, .pieces = {"{\"model\":\"x\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]," USAGE(10, 5) "}"}};

/* A request of 8000 bytes: " word" 1600 times, 1600 tokens in every vocabulary. */
static struct str request_of(struct buf *out, const char *extra) {
  buf_init(out, 0);
  buf_printf(out, "{\"model\":\"m\",%s\"messages\":[{\"role\":\"user\",\"content\":\"", extra);
  for (int i = 0; i < 1600; i++) buf_put(out, STR(" word"));
  buf_put(out, STR("\"}]}"));
  buf_put_char(out, 0);
  assert_true(tokenizer_load(TOKENIZER_O200K) && tokenizer_load(TOKENIZER_CL100K)); /* else the pool is wanted */
  return str_sub(buf_str(out), 0, out->n - 1);
}

static void limits(int64_t a, int64_t b, int64_t c) {
  for (int i = 0; i < 3; i++) rig.deployments[i].model = STR("gpt-4o");
  rig.deployments[0].context_tokens = a;
  rig.deployments[1].context_tokens = b;
  rig.deployments[2].context_tokens = c;
}

TEST(the_next_with_room_is_asked) {
  struct buf body;
  rig_open(request_of(&body, "").p);
  limits(1000, 1200, 128000);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 1);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[2]);
  rig_close();
  buf_clear(&body);
}

TEST(nobody_has_room) {
  struct buf body;
  rig_open(request_of(&body, "").p);
  limits(1000, 1000, 1000);
  assert_int_equal(rig_run(), ERR_CONTEXT_EXCEEDED);
  assert_int_equal(rig.sent, 0);
  struct buf told;
  buf_init(&told, 0);
  dialect_openai_chat.put_error(&told, ERR_CONTEXT_EXCEEDED, &rig.info);
  assert_true(str_find(buf_str(&told), STR("\"code\":\"context_length_exceeded\"")) != SIZE_MAX);
  assert_true(str_find(buf_str(&told), STR("This model's maximum context length is 1000 tokens. However, your messages "
                                           "resulted in 16")) != SIZE_MAX);
  buf_clear(&told);
  rig_close();
  buf_clear(&body);
}

/* What is set as the most holds where nothing is known, where more is, where the option is off, and whoever cuts. */
TEST(what_is_set_as_the_most_holds) {
  static const struct {
    int64_t known, set;
    const char *extra;
    const char *told; /* NULL: it is sent */
    bool is_off;
  } rows[] = {{-1, 1000, "", "is 1000 tokens", false},
              {128000, 1000, "", "is 1000 tokens", false},
              {128000, 1000, "", "is 1000 tokens", true},
              {1000, 1200, "", "is 1000 tokens", false},
              {1000, 1200, "", "is 1200 tokens", true},
              {1000, 1200, "\"truncation\":\"auto\",", "is 1000 tokens", false},
              {1000, 5000, "\"truncation\":\"auto\",", NULL, false},
              {1000, 5000, "", "is 1000 tokens", false},
              {1000, 5000, "", NULL, true},
              {-1, 5000, "", NULL, false},
              {128000, 0, "", NULL, false},
              /* what cannot be read: by its bytes, and only for what is set */
              {128000, 1000, "\"temperature\":\"x\",", "is 1000 tokens", false},
              {1000, 5000, "\"temperature\":\"x\",", NULL, false},
              {1000, 0, "\"temperature\":\"x\",", NULL, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf body;
    rig_open(request_of(&body, rows[i].extra).p);
    rule_rig_open();
    rule_row.max_context_tokens = rows[i].set;
    limits(rows[i].known, rows[i].known, rows[i].known);
    if (rows[i].is_off) rig.options.routing_context_check = CONFIG_CONTEXT_CHECK_OFF;
    rig.answers[0] = good;
    enum err e = rig_run();
    if (e != (rows[i].told ? ERR_CONTEXT_EXCEEDED : OK)) fail_msg("row %zu: %s %s", i, err_code(e), rig.info.text);
    if (rows[i].told && !strstr(rig.info.text, rows[i].told)) fail_msg("row %zu: %s", i, rig.info.text);
    assert_int_equal(rig.sent, rows[i].told ? 0 : 1);
    rig_close();
    buf_clear(&body);
  }
}

TEST(what_shortens_nothing_excuses_nothing) {
  static const char *const extras[] = {
      "\"truncation\":\"disabled\",", "\"context_management\":null,",
      "\"context_management\":{\"edits\":[{\"type\":\"clear_thinking_20251015\",\"keep\":\"all\"}]},"};
  for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
    struct buf body;
    rig_open(request_of(&body, extras[i]).p);
    limits(1000, 1000, 1000);
    assert_int_equal(rig_run(), ERR_CONTEXT_EXCEEDED);
    rig_close();
    buf_clear(&body);
  }
}

TEST(each_dialect_says_it_as_its_vendor_does) {
  static const struct {
    const char *dialect;
    struct str begins, ends;
  } rows[] = {
      {"anthropic", STR("prompt is too long: 16"), STR(" tokens > 1000 maximum")},
      {"gemini", STR("The input token count (16"), STR(") exceeds the maximum number of tokens allowed (1000).")},
      {"ollama", STR("the input length (16"), STR(") exceeds the context length (1000)")},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf body, told;
    const struct dialect *d = dialect_by_name(str_from_c(rows[i].dialect));
    struct str text = request_of(&body, "\"max_tokens\":5,");
    rig_open(WHOLE);
    limits(1000, 1000, 1000);
    if (d == &dialect_gemini) {
      buf_reset(&body);
      buf_put(&body, STR("{\"contents\":[{\"parts\":[{\"text\":\""));
      for (int k = 0; k < 1600; k++) buf_put(&body, STR(" word"));
      buf_put(&body, STR("\"}]}]}"));
      text = buf_str(&body);
    }
    rig.call.dialect = d;
    rig.call.body = text;
    assert_int_equal(rig_run(), ERR_CONTEXT_EXCEEDED);
    buf_init(&told, 0);
    d->put_error(&told, ERR_CONTEXT_EXCEEDED, &rig.info);
    if (str_find(buf_str(&told), rows[i].begins) == SIZE_MAX || str_find(buf_str(&told), rows[i].ends) == SIZE_MAX)
      print_error("%.*s\n", STR_ARG(buf_str(&told)));
    assert_true(str_find(buf_str(&told), rows[i].begins) != SIZE_MAX);
    assert_true(str_find(buf_str(&told), rows[i].ends) != SIZE_MAX);
    assert_int_equal(err_info_status(ERR_CONTEXT_EXCEEDED, &rig.info), 400);
    buf_clear(&told);
    rig_close();
    buf_clear(&body);
  }
}

/* What is not certain is sent. */
TEST(doubt_is_in_favour_of_the_caller) {
  static const struct {
    const char *extra;
    int64_t limit;
    enum config_context_check check;
  } rows[] = {
      {"", -1, CONFIG_CONTEXT_CHECK_AUTO},   /* the limit is not known */
      {"", 1560, CONFIG_CONTEXT_CHECK_AUTO}, /* within the estimate's error */
      {"", 1000, CONFIG_CONTEXT_CHECK_OFF},
      {"\"transforms\":[\"middle-out\"],", 1000, CONFIG_CONTEXT_CHECK_AUTO}, /* the provider shortens it */
      {"\"truncation\":\"auto\",", 1000, CONFIG_CONTEXT_CHECK_AUTO},
      {"\"context_management\":{\"edits\":[{\"type\":\"clear_tool_uses_20250919\"}]},", 1000,
       CONFIG_CONTEXT_CHECK_AUTO},
      {"\"other\":{},", 5000, CONFIG_CONTEXT_CHECK_AUTO},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf body;
    rig_open(request_of(&body, rows[i].extra).p);
    limits(rows[i].limit, 1, 1);
    rig.options.routing_context_check = rows[i].check;
    rig.answers[0] = good;
    enum err e = rig_run();
    if (e) print_error("row %zu: %s\n", i, rig.info.text);
    assert_int_equal(e, OK);
    assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[0]);
    rig_close();
    buf_clear(&body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_next_with_room_is_asked),
      cmocka_unit_test(nobody_has_room),
      cmocka_unit_test(what_is_set_as_the_most_holds),
      cmocka_unit_test(what_shortens_nothing_excuses_nothing),
      cmocka_unit_test(each_dialect_says_it_as_its_vendor_does),
      cmocka_unit_test(doubt_is_in_favour_of_the_caller),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
