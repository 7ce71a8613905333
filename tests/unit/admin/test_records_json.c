/* A row as JSON and CSV: unknown is null or empty, never zero; nothing that a spreadsheet runs. */
#include "admin/records/records_json.h"

#include <stdio.h>
#include <yyjson.h>

#include "unit.h"

static struct log_row row(void) {
  return (struct log_row){.id = 77,
                          .at_us = INT64_C(1795824000123000),
                          .trace = STR("tr_1"),
                          .text = {[LOG_TEXT_USER] = STR("ann"),
                                   [LOG_TEXT_PRINCIPAL] = STR("user:7"),
                                   [LOG_TEXT_ASKED] = STR("gpt"),
                                   [LOG_TEXT_MODEL] = STR("openai/gpt"),
                                   [LOG_TEXT_ERROR] = STR("model_not_found")},
                          .status = 404,
                          .tokens = {-1, 5, -1, -1, -1},
                          .cost_nano_usd = -1,
                          .ttft_us = -1,
                          .duration_us = 1020};
}

TEST(json) {
  struct log_row r = row();
  struct buf b;
  buf_init(&b, 0);
  records_json_row(&b, &r);
  yyjson_doc *doc = yyjson_read(b.p, b.n, 0);
  yyjson_val *v = yyjson_doc_get_root(doc);
  assert_true(yyjson_is_obj(v));
  assert_int_equal(yyjson_get_int(yyjson_obj_get(v, "id")), 77);
  assert_string_equal(yyjson_get_str(yyjson_obj_get(v, "created_at")), "2026-11-28T00:00:00.123Z");
  assert_string_equal(yyjson_get_str(yyjson_obj_get(v, "model_name")), "gpt");
  assert_string_equal(yyjson_get_str(yyjson_obj_get(v, "error_message")), "no such model");
  assert_int_equal(yyjson_get_int(yyjson_obj_get(v, "completion_tokens")), 5);
  static const char *const unknown[] = {"prompt_tokens", "total_tokens", "reasoning_tokens", "cost_usd", "ttft_ms",
                                        "team",          "node"};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
    assert_true(yyjson_is_null(yyjson_obj_get(v, unknown[i])));
  assert_true(yyjson_get_real(yyjson_obj_get(v, "duration_ms")) == 1.020);
  yyjson_doc_free(doc);
  r.cost_nano_usd = 0; /* known, and nothing */
  r.tokens[USAGE_INPUT] = 2;
  buf_reset(&b);
  records_json_row(&b, &r);
  doc = yyjson_read(b.p, b.n, 0);
  v = yyjson_doc_get_root(doc);
  assert_true(yyjson_is_num(yyjson_obj_get(v, "cost_usd")));
  assert_int_equal(yyjson_get_int(yyjson_obj_get(v, "total_tokens")), 7);
  yyjson_doc_free(doc);
  buf_clear(&b);
}

static size_t cells_of(struct str line) {
  bool is_quoted = false;
  size_t n = 1;
  for (size_t i = 0; i < line.n; i++) {
    if (line.p[i] == '"') is_quoted = !is_quoted;
    if (line.p[i] == ',' && !is_quoted) n++;
  }
  return n;
}

TEST(csv_is_safe) {
  static const struct {
    const char *asked, *cell;
  } rows[] = {{"=1+1", "\"'=1+1\""},         {"+cmd", "\"'+cmd\""}, {"-2", "\"'-2\""},
              {"@SUM(A1)", "\"'@SUM(A1)\""}, {"a,b", "\"a,b\""},    {"say \"hi\"", "\"say \"\"hi\"\"\""},
              {"plain", "\"plain\""},        {"\"", "\"\"\"\""}};
  struct buf header;
  buf_init(&header, 0);
  records_csv_header(&header);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct log_row r = row();
    struct buf b;
    char want[64];
    buf_init(&b, 0);
    r.text[LOG_TEXT_ASKED] = str_from_c(rows[i].asked);
    records_csv_row(&b, &r);
    snprintf(want, sizeof want, ",%s,", rows[i].cell);
    if (str_find(buf_str(&b), str_from_c(want)) == SIZE_MAX) fail_msg("%s not in %.*s", want, STR_ARG(buf_str(&b)));
    assert_int_equal(cells_of(buf_str(&b)), cells_of(buf_str(&header)));
    assert_true(str_has_suffix(buf_str(&b), STR("\r\n")));
    buf_clear(&b);
  }
  buf_clear(&header);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(csv_is_safe)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
