/* The bodies of names: each kind's fields, what is laid over a row, and what is refused with which path. */
#include "admin/names/names_input.h"

#include "arena_rig.h"
#include "unit.h"

static enum err read(const struct fields *fields, const char *json, struct names_input *in, struct err_info *info) {
  return fields_read(&arena, str_from_c(json), fields, ~0u, 0, in, info);
}

TEST(every_kind_has_its_own_fields_and_no_others) {
  size_t total = 0;
  for (unsigned kind = 0; kind < NAMES_KINDS; kind++) {
    size_t n, extra = kind == NAMES_ALIAS; /* node_ids */
    const struct names_field *f = names_fields((enum names_kind)kind, &n);
    const struct fields *fields = &names_input_fields[kind];
    assert_int_equal(fields->n, n + extra);
    for (size_t i = 0; i < n; i++) {
      assert_str(fields->v[i + extra].key, f[i].key);
      assert_int_equal(fields->v[i + extra].bit, 1u << i);
      assert_int_equal(fields->v[i + extra].offset, offsetof(struct names_input, row) + f[i].offset);
    }
    total += n;
  }
  assert_int_equal(total, NAMES_LAST_SETTING + 1);
}

TEST(only_what_came_is_laid_over_a_row) {
  struct names_input in;
  struct names_model m;
  names_row_init(NAMES_MODEL, &m);
  m.context_tokens = 7;
  m.is_closed = true;
  assert_int_equal(
      read(&names_input_fields[NAMES_MODEL],
           "{\"model_prefix\":\"kimi\",\"unsupported_params\":[\"a\",\"b\"],\"is_active\":false}", &in, NULL),
      OK);
  names_input_overlay(NAMES_MODEL, &in, &m);
  assert_str(m.prefix, STR("kimi"));
  assert_int_equal(m.unsupported.n, 2);
  assert_false(m.is_active);
  assert_true(m.is_closed);
  assert_int_equal(m.context_tokens, 7);
  assert_int_equal(read(&names_input_fields[NAMES_MODEL],
                        "{\"unsupported_params\":null,\"default_context_length\":\"2K\"}", &in, NULL),
                   OK);
  names_input_overlay(NAMES_MODEL, &in, &m);
  assert_false(m.unsupported.is_set);
  assert_int_equal(m.context_tokens, 2048);
  assert_int_equal(read(&names_input_fields[NAMES_MODEL], "{\"default_context_length\":null}", &in, NULL), OK);
  names_input_overlay(NAMES_MODEL, &in, &m);
  assert_int_equal(m.context_tokens, 0);
}

TEST(costs_are_decimals_and_limits_may_be_taken_back) {
  static const struct {
    const char *json;
    int64_t factor;
  } rows[] = {{"{\"cost_multiplier\":0.000000001}", 1},
              {"{\"cost_multiplier\":1000}", INT64_C(1000000000000)},
              {"{\"cost_multiplier\":\"1.1\"}", 1100000000},
              {"{\"cost_multiplier\":25e-1}", 2500000000},
              {"{\"cost_multiplier\":null}", PRICE_ONCE}};
  struct names_input in;
  struct names_model m;
  names_row_init(NAMES_MODEL, &m);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(read(&names_input_fields[NAMES_MODEL], rows[i].json, &in, NULL), OK);
    names_input_overlay(NAMES_MODEL, &in, &m);
    assert_int_equal(m.cost_factor, rows[i].factor);
  }
  assert_int_equal(
      read(&names_input_fields[NAMES_MODEL],
           "{\"requests_per_minute\":7,\"tokens_per_minute\":null,\"max_context_length\":\"1K\"}", &in, NULL),
      OK);
  names_input_overlay(NAMES_MODEL, &in, &m);
  assert_true(m.requests_per_minute == 7 && m.tokens_per_minute == -1 && m.max_context_tokens == 1024);
}

TEST(orders_are_lists_of_places) {
  struct names_input in;
  assert_int_equal(read(&names_input_groups, "{\"groups\":[{\"name\":\"a\",\"priority\":-2}]}", &in, NULL), OK);
  assert_int_equal(in.order.n, 1);
  assert_int_equal(((const struct names_place *)in.order.v)[0].priority, -2);
  assert_int_equal(read(&names_input_members, "{\"member_ids\":[3,1]}", &in, NULL), OK);
  assert_int_equal(in.ids.n, 2);
  assert_int_equal(in.ids.v[0], 3);
}

TEST(refusals_have_the_path) {
  static const struct {
    const struct fields *fields;
    const char *json, *param;
  } rows[] = {
      {&names_input_fields[NAMES_ALIAS], "{\"display_name\":\"a\\nb\"}", "display_name"},
      {&names_input_fields[NAMES_ALIAS], "{\"context_length\":0}", "context_length"},
      {&names_input_fields[NAMES_ALIAS], "{\"context_length\":\"12X\"}", "context_length"},
      {&names_input_fields[NAMES_ALIAS], "{\"capabilities\":[\"ok\",\"\"]}", "capabilities[1]"},
      {&names_input_fields[NAMES_ALIAS], "{\"capabilities\":{}}", "capabilities"},
      {&names_input_fields[NAMES_ALIAS], "{\"node_ids\":[\"a\",\"a\"]}", "node_ids[1]"},
      {&names_input_fields[NAMES_GROUP], "{\"strategy\":\"luck\"}", "strategy"},
      {&names_input_fields[NAMES_GROUP], "{\"priority\":1000001}", "priority"},
      {&names_input_fields[NAMES_GROUP], "{\"tools\":[]}", "tools"},
      {&names_input_fields[NAMES_MODEL], "{\"cost_multiplier\":0}", "cost_multiplier"},
      {&names_input_fields[NAMES_MODEL], "{\"cost_multiplier\":-1}", "cost_multiplier"},
      {&names_input_fields[NAMES_MODEL], "{\"cost_multiplier\":1000.000000001}", "cost_multiplier"},
      {&names_input_fields[NAMES_MODEL], "{\"cost_multiplier\":0.0000000001}", "cost_multiplier"},
      {&names_input_fields[NAMES_MODEL], "{\"cost_multiplier\":\"much\"}", "cost_multiplier"},
      {&names_input_fields[NAMES_MODEL], "{\"requests_per_minute\":0}", "requests_per_minute"},
      {&names_input_fields[NAMES_MODEL], "{\"requests_per_minute\":100000001}", "requests_per_minute"},
      {&names_input_fields[NAMES_MODEL], "{\"tokens_per_minute\":4000000001}", "tokens_per_minute"},
      {&names_input_fields[NAMES_MODEL], "{\"max_context_length\":0}", "max_context_length"},
      {&names_input_fields[NAMES_PROMPT], "{\"prompt\":\"\\u0000\"}", "prompt"},
      {&names_input_groups, "{\"groups\":[]}", "groups"},
      {&names_input_groups, "{\"groups\":[{\"name\":\"a\"}]}", "groups[0].priority"},
      {&names_input_members, "{\"members\":[{\"id\":0,\"priority\":1}]}", "members[0].id"},
      {&names_input_members, "{\"member_ids\":[\"1\"]}", "member_ids[0]"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct names_input in;
    struct err_info info = {0};
    assert_int_not_equal(read(rows[i].fields, rows[i].json, &in, &info), OK);
    if (strcmp(info.param, rows[i].param) != 0) print_error("%s: %s\n", rows[i].json, info.text);
    assert_string_equal(info.param, rows[i].param);
    assert_true(info.http_status == 422 || strstr(rows[i].json, "\\u0000"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_has_its_own_fields_and_no_others),
      cmocka_unit_test(only_what_came_is_laid_over_a_row),
      cmocka_unit_test(costs_are_decimals_and_limits_may_be_taken_back),
      cmocka_unit_test(orders_are_lists_of_places),
      cmocka_unit_test(refusals_have_the_path),
  };
  return cmocka_run_group_tests(tests, arena_rig_make, arena_rig_clear);
}
