/* Ids of stored responses made into what they stand for, what is stored of a response, and what is told of it. */
#include "dialect/openai_responses/expand.h"

#include <stdio.h>
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"
#include "json_equal.h"
#include "unit.h"

static struct arena arena;
static struct buf out;

static int setup(void **state) {
  (void)state;
  arena_init(&arena, 0);
  buf_init(&out, 0);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  arena_clear(&arena);
  buf_clear(&out);
  return 0;
}

static bool find_response(void *arg, struct str id, struct arena *a, struct str *input, struct str *output,
                          enum err *e) {
  (void)arg;
  (void)a;
  *e = str_eq(id, STR("resp_broken")) ? ERR_NO_MEMORY : OK;
  if (!str_eq(id, STR("resp_1"))) return false;
  *input = STR("[{\"id\":\"msg_0\",\"type\":\"message\",\"role\":\"user\",\"content\":\"q\"}]");
  *output = STR(
      "[{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[]},{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[],"
      "\"encrypted_content\":\"E\"},{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}]");
  return true;
}

static bool find_item(void *arg, struct str id, struct arena *a, struct str *json, enum err *e) {
  (void)arg;
  (void)a;
  *e = OK;
  if (!str_eq(id, STR("msg_1"))) return false;
  *json = STR("{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":\"a\"}");
  return true;
}

static const struct openai_responses_lookup lookup = {NULL, find_response, find_item};

TEST(bodies_that_name_ids) {
  static const struct {
    const char *body;
    bool names_ids, is_stored;
  } rows[] = {
      {"{\"model\":\"m\",\"input\":\"hi\"}", false, true},
      {"{\"previous_response_id\":\"x\",\"store\":false}", true, false},
      {"{\"input\":[{\"type\":\"item_reference\"}],\"store\":true}", true, true},
      {"{}", false, true},
      {"{\"metadata\":{\"store\":false,\"previous_response_id\":\"x\"},\"store\":null}", false, true},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct envelope_scan scan;
    struct str body = str_from_c(rows[i].body);
    assert_int_equal(envelope_scan_whole(&scan, openai_responses_request_table(), NULL, &arena, body, NULL), OK);
    assert_int_equal(openai_responses_names_ids(&scan, body), rows[i].names_ids);
    assert_int_equal(openai_responses_is_stored(&scan), rows[i].is_stored);
  }
}

TEST(expansion) {
  static const struct {
    const char *body, *want;
  } rows[] = {
      {"{\"model\":\"m\",\"previous_response_id\":\"resp_1\",\"input\":\"next\",\"x\":1.50}",
       "{\"model\":\"m\",\"x\":1.50,\"input\":[{\"id\":\"msg_0\",\"type\":\"message\",\"role\":\"user\",\"content\":"
       "\"q\"},"
       "{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"E\"},"
       "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]},"
       "{\"type\":\"message\",\"role\":\"user\",\"content\":\"next\"}]}"},
      {"{\"input\":[{\"role\":\"user\",\"content\":\"a\"},{\"type\":\"item_reference\",\"id\":\"msg_1\"},{\"id\":\"msg_"
       "1\"},"
       "{\"type\":null,\"id\":\"msg_1\"},{\"id\":\"msg_9\",\"role\":\"user\",\"content\":\"b\"}]}",
       "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},{\"id\":\"msg_1\",\"type\":\"message\",\"role\":"
       "\"assistant\",\"content\":"
       "\"a\"},{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":\"a\"},{\"id\":\"msg_1\","
       "\"type\":"
       "\"message\",\"role\":\"assistant\",\"content\":\"a\"},{\"id\":\"msg_9\",\"role\":\"user\",\"content\":\"b\"}]"
       "}"},
      {"{\"previous_response_id\":null,\"input\":[]}", "{\"input\":[]}"},
      {"{\"previous_response_id\":\"resp_1\"}",
       "{\"input\":[{\"id\":\"msg_0\",\"type\":\"message\",\"role\":\"user\",\"content\":\"q\"},{\"id\":\"rs_2\","
       "\"type\":"
       "\"reasoning\",\"summary\":[],\"encrypted_content\":\"E\"},{\"id\":\"msg_1\",\"type\":\"message\",\"role\":"
       "\"assistant\","
       "\"content\":[]}]}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    buf_reset(&out);
    assert_int_equal(openai_responses_expand(str_from_c(rows[i].body), &lookup, &arena, &out, &info), OK);
    assert_json(buf_str(&out), rows[i].want);
  }
}

TEST(what_cannot_be_expanded) {
  static const struct {
    const char *body;
    enum err e;
    const char *param, *code;
  } rows[] = {
      {"{\"previous_response_id\":\"resp_2\",\"input\":\"\"}", ERR_NOT_FOUND, "previous_response_id",
       "previous_response_not_found"},
      {"{\"previous_response_id\":\"resp_broken\",\"input\":\"\"}", ERR_NO_MEMORY, "", ""},
      {"{\"previous_response_id\":1,\"input\":\"\"}", ERR_BAD_TYPE, "previous_response_id", ""},
      {"{\"input\":[{\"type\":\"message\"},{\"type\":\"item_reference\",\"id\":\"x\"}]}", ERR_NOT_FOUND, "input[1].id",
       ""},
      {"{\"input\":[{\"type\":\"item_reference\"}]}", ERR_BAD_TYPE, "input[0].id", ""},
      {"{\"input\":1}", ERR_BAD_TYPE, "input", ""},
      {"[]", ERR_BAD_JSON, "", ""},
      {"x", ERR_BAD_JSON, "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    buf_reset(&out);
    assert_int_equal(openai_responses_expand(str_from_c(rows[i].body), &lookup, &arena, &out, &info), rows[i].e);
    assert_string_equal(info.param, rows[i].param);
    assert_string_equal(info.code, rows[i].code);
    assert_int_equal(out.n, 0);
  }
}

TEST(a_record) {
  struct openai_responses_record r;
  struct err_info info = {0};
  struct str response = STR("{\"id\":\"resp_7\",\"output\":[{\"id\":\"msg_2\",\"type\":\"message\",\"n\":1.0}]}");
  assert_int_equal(
      openai_responses_record(
          STR("{\"input\":[{\"role\":\"user\",\"content\":\"hi\"},{\"id\":\"m\",\"type\":\"message\",\"role\":"
              "\"assistant\",\"content\":\"yes\"},{\"type\":\"function_call_output\",\"call_id\":\"c\","
              "\"output\":\"o\"}]}"),
          response, &arena, &r, &info),
      OK);
  assert_str(r.id, STR("resp_7"));
  assert_str(r.response, response);
  assert_json(
      r.input,
      "[{\"id\":\"msg_7_in0\",\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
      "\"hi\"}]},{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
      "\"text\":\"yes\"}]},{\"id\":\"fco_7_in2\",\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"o\"}"
      "]");
  assert_json(r.output, "[{\"id\":\"msg_2\",\"type\":\"message\",\"n\":1.0}]");
  assert_int_equal(r.item_count, 4);
  assert_str(r.items[1].id, STR("m"));
  assert_json(r.items[1].json,
              "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
              "\"text\":\"yes\"}]}");
  assert_str(r.items[3].id, STR("msg_2"));
  assert_json(r.items[3].json, "{\"id\":\"msg_2\",\"type\":\"message\",\"n\":1.0}");
  assert_int_equal(openai_responses_record(STR("{\"input\":\"hi\"}"), response, &arena, &r, &info), OK);
  assert_json(
      r.input,
      "[{\"id\":\"msg_7_in0\",\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
      "\"hi\"}]}]");
  static const char *const bad[] = {"{}", "{\"id\":\"x\"}", "{\"output\":[]}", "1", ""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(openai_responses_record(STR("{}"), str_from_c(bad[i]), &arena, &r, &info), ERR_BAD_VALUE);
}

TEST(the_end_of_a_stream) {
  struct str response;
  assert_true(
      openai_responses_final(STR("event: x\ndata: {\"type\":\"x\",\"response\":{}}\n\nevent: response.completed\ndata: "
                                 "{\"type\":\"response.completed\",\"response\":{\"id\": 1}}\n\n"),
                             &response));
  assert_str(response, STR("{\"id\": 1}"));
  assert_true(openai_responses_final(STR("data: {\"type\":\"response.incomplete\",\"response\":{}}\n\n"), &response));
  assert_false(openai_responses_final(STR("data: {\"type\":\"response.failed\",\"response\":{}}\n\n"), &response));
  assert_false(openai_responses_final(STR("data: {\"type\":\"response.completed\",\"response\":1}\n\n"), &response));
  assert_false(openai_responses_final(STR("data: x\n\n"), &response));
}

TEST(pages_of_input_items) {
  static const char input[] = "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]";
  static const struct {
    const char *after, *order, *limit, *want;
  } rows[] = {
      {"", "", "",
       "{\"object\":\"list\",\"data\":[{\"id\":\"c\"},{\"id\":\"b\"},{\"id\":\"a\"}],\"first_id\":\"c\",\"last_id\":"
       "\"a\","
       "\"has_more\":false}"},
      {"", "asc", "2",
       "{\"object\":\"list\",\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"first_id\":\"a\",\"last_id\":\"b\","
       "\"has_more\":true}"},
      {"b", "asc", "",
       "{\"object\":\"list\",\"data\":[{\"id\":\"c\"}],\"first_id\":\"c\",\"last_id\":\"c\",\"has_more\":false}"},
      {"b", "desc", "",
       "{\"object\":\"list\",\"data\":[{\"id\":\"a\"}],\"first_id\":\"a\",\"last_id\":\"a\",\"has_more\":false}"},
      {"c", "asc", "", "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    struct openai_responses_page page = {str_from_c(rows[i].after), str_from_c(rows[i].order),
                                         str_from_c(rows[i].limit)};
    buf_reset(&out);
    assert_int_equal(openai_responses_put_input_items(&out, str_from_c(input), &page, &info), OK);
    assert_json(buf_str(&out), rows[i].want);
  }
  static const struct {
    struct openai_responses_page page;
    enum err e;
    const char *param;
  } bad[] = {{{.limit = STR("0")}, ERR_BAD_VALUE, "limit"},
             {{.limit = STR("101")}, ERR_BAD_VALUE, "limit"},
             {{.limit = STR("x")}, ERR_BAD_VALUE, "limit"},
             {{.order = STR("up")}, ERR_BAD_VALUE, "order"},
             {{.after = STR("z")}, ERR_NOT_FOUND, "after"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct err_info info = {0};
    buf_reset(&out);
    assert_int_equal(openai_responses_put_input_items(&out, str_from_c(input), &bad[i].page, &info), bad[i].e);
    assert_string_equal(info.param, bad[i].param);
  }
}

TEST(a_deleted_response) {
  openai_responses_put_deleted(&out, STR("resp_1"));
  assert_json(buf_str(&out), "{\"id\":\"resp_1\",\"object\":\"response\",\"deleted\":true}");
  struct err_info info = {0};
  assert_int_equal(openai_responses_not_found(STR("resp_1"), "", &info), ERR_NOT_FOUND);
  assert_string_equal(info.text, "there is no response with the id 'resp_1'");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(bodies_that_name_ids), T(expansion),          T(what_cannot_be_expanded), T(a_record), T(the_end_of_a_stream),
      T(pages_of_input_items), T(a_deleted_response),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
