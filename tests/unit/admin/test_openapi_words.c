/* Answers in words, and the same in the document, of a table of a few routes. */
#include "admin/openapi/openapi_words.h"

#include "admin/openapi/openapi.h"
#include "admin/people/sessions.h"
#include "admin/people/users.h"
#include "api/models.h"
#include "api/operations.h"
#include "arena_rig.h"
#include "base/json.h"
#include "dialect/anthropic/anthropic.h"
#include "dialect/openai_chat.h"
#include "dialect/plain.h"
#include "gateway/exchange.h"
#include "unit.h"

#define ROW(methods, path, header, class, what, dialect, run) \
  { STR(path), STR(header), {0}, methods, what, AUTH_CLASS_##class, 0, &dialect, run, 0 }
static const struct endpoint rows[] = {
    ROW(1u << HTTP_GET, "/admin/users", "", PANEL_READ, 0, dialect_plain, users_list),
    ROW(1u << HTTP_POST, "/admin/users", "", PANEL_CHANGE, 0, dialect_plain, users_create),
    ROW(1u << HTTP_POST, "/admin/auth/logout", "", PANEL_READ, 0, dialect_plain, sessions_logout),
    ROW(1u << HTTP_GET, "/metrics", "", METRICS, 0, dialect_plain, operations_metrics),
    ROW(1u << HTTP_GET, "/v1/models", "", INFERENCE, 0, dialect_openai_chat, models_list),
    ROW(1u << HTTP_GET, "/v1/models", "anthropic-version", INFERENCE, 0, dialect_anthropic, models_list),
    ROW(1u << HTTP_POST, "/v1/chat/completions", "", INFERENCE, GENERATE, dialect_openai_chat, exchange_call)};

static void put_link(struct buf *b, const char *name) { buf_printf(b, "<%s>", name); }

TEST(each_answer_is_told) {
  static const struct {
    const char *route;
    enum http_method method;
    const char *want;
  } told[] = {{"/admin/users", HTTP_GET, "200: list of <User>"},
              {"/admin/users", HTTP_POST, "201: <User>"},
              {"/admin/auth/logout", HTTP_POST, "204"},
              {"/metrics", HTTP_GET, "200: text/plain"},
              {"/v1/models", HTTP_GET, "200: <OpenAIModels> or <AnthropicModels>"},
              {"/v1/chat/completions", HTTP_POST, "200: <ChatCompletion>"}};
  size_t n;
  openapi_ops_init(rows, sizeof rows / sizeof *rows);
  const struct openapi_op *ops = openapi_ops(&n);
  assert_int_equal(n, sizeof told / sizeof *told);
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    struct buf b;
    while (!str_eq(ops[i].endpoint->route, str_from_c(told[k].route)) || ops[i].method != told[k].method) k++;
    buf_init(&b, 0);
    openapi_words_answer(&b, &ops[i], put_link);
    assert_str(buf_str(&b), str_from_c(told[k].want));
    buf_clear(&b);
  }
}

TEST(types_of_members_lead_to_their_schemas) {
  static const struct schema_member row[] = {{"x", SCHEMA_INTEGER, .help = "it"}};
  static const struct schema point = SCHEMA_OF("Point", row), nameless = SCHEMA_OF(NULL, row);
  static const struct {
    struct schema_member m;
    const char *want;
  } told[] = {{{"a", SCHEMA_OBJECT, .of = &point}, "<Point>"},
              {{"a", SCHEMA_OBJECT | SCHEMA_NULL, .of = &point}, "<Point> or null"},
              {{"a", SCHEMA_LIST, .of = &point}, "list of <Point>"},
              {{"a", SCHEMA_MAP, .of = &point}, "<Point> by name"},
              {{"a", SCHEMA_LIST, .of = &nameless}, "list of objects"},
              {{"a", SCHEMA_TEXT | SCHEMA_NULL, .help = NULL}, "text or null"}};
  for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
    struct buf b;
    buf_init(&b, 0);
    openapi_words_type(&b, &told[i].m, put_link);
    assert_str(buf_str(&b), str_from_c(told[i].want));
    buf_clear(&b);
  }
}

TEST(the_document_has_them_too) {
  static const char *const pieces[] = {
      "{\"$ref\":\"#/components/responses/ChatCompletion\"}",
      "\"schema\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/OpenAIModels\"},"
      "{\"$ref\":\"#/components/schemas/AnthropicModels\"}]}",
      "\"schema\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/User\"}}",
      "\"412\":{\"$ref\":\"#/components/responses/Changed\"}",
      "\"content\":{\"text/plain\":{}}",
      "\"Link\":{\"$ref\":\"#/components/headers/Link\"}",
      "\"AnthropicError\":{"};
  struct buf b;
  struct json doc;
  buf_init(&b, 0);
  openapi_ops_init(rows, sizeof rows / sizeof *rows);
  openapi_write(&b);
  assert_int_equal(json_parse_copy(&doc, buf_str(&b), NULL, &arena, NULL), OK);
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    if (str_find(buf_str(&b), str_from_c(pieces[i])) == SIZE_MAX) fail_msg("no %s", pieces[i]);
  buf_clear(&b);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, arena_rig_make, arena_rig_clear)
  const struct CMUnitTest tests[] = {T(each_answer_is_told), T(types_of_members_lead_to_their_schemas),
                                     T(the_document_has_them_too)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
