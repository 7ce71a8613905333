/* Names, from the store and from their text form: both ways give the same, and a text that was cut or changed is
 * refused. Fields refuse what is out of range. */
#include "state/names.h"

#include "base/json_out.h"
#include "one_store_rig.h"
#include "state/seed.h"
#include "state/store/store_names.h"

/* A row of a kind from its members; the arena is the row's. */
static enum err read_row(struct arena *a, enum names_kind kind, const char *json, void *row, struct err_info *info) {
  static const struct json_limits limits = {.numbers_are_raw = true};
  struct json doc;
  assert_int_equal(json_parse_copy(&doc, str_from_c(json), &limits, a, NULL), OK);
  struct json_node root = json_root(&doc);
  names_row_init(kind, row);
  return names_read_fields(a, kind, &root, true, row, info);
}

union any {
  struct names_row row;
  struct names_alias alias;
  struct names_group group;
  struct names_member member;
  struct names_tool_set tool_set;
  struct names_model model;
  struct names_prompt prompt;
  struct names_setting setting;
};

static const struct {
  enum names_kind kind;
  const char *json;
} samples[] = {
    {NAMES_ALIAS,
     "{\"display_name\":\"fast/one\",\"real_name\":\"a/"
     "b\",\"node_id\":\"n\",\"context_length\":\"1M\",\"capabilities\":[\"x\",\"y\\\"\"]}"},
    {NAMES_ALIAS, "{\"display_name\":\"fast/one\",\"real_name\":\"a/c\"}"},
    {NAMES_GROUP,
     "{\"name\":\"g\",\"strategy\":\"priority\",\"max_failover_retries\":0,\"description\":\"two\\nlines\",\"is_"
     "active\":false}"},
    {NAMES_MEMBER, "{\"group\":\"g\",\"model_display_name\":\"a/b\",\"nodes\":[],\"priority\":-3}"},
    {NAMES_MEMBER,
     "{\"group\":\"g\",\"model_display_name\":\"a/c\",\"nodes\":[\"a\",{\"node_id\":\"b\",\"priority\":7}]}"},
    {NAMES_TOOL_SET, "{\"name\":\"all\",\"tools\":null}"},
    {NAMES_TOOL_SET, "{\"name\":\"none\",\"tools\":[]}"},
    {NAMES_MODEL, "{\"model_prefix\":\"kimi\",\"unsupported_params\":[\"top_p\"],\"default_context_length\":12}"},
    {NAMES_MODEL,
     "{\"model_prefix\":\"qwen\",\"max_context_length\":\"8K\",\"requests_per_minute\":9,\"tokens_per_minute\":"
     "4000000000,"
     "\"cost_multiplier\":1.25}"},
    {NAMES_PROMPT,
     "{\"scope_type\":\"user\",\"scope_value\":\"ann\",\"prompt\":\"Be kind.\\n'); DROP TABLE aliases; --\"}"},
    {NAMES_SETTING, "{\"key\":\"log.level\",\"value\":\"\"}"},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void add_samples(void) {
  struct arena a;
  arena_init(&a, 0);
  for (size_t i = 0; i < SAMPLES; i++) {
    union any row;
    assert_int_equal(read_row(&a, samples[i].kind, samples[i].json, &row, NULL), OK);
    assert_int_equal(store_names_add(rig.db, samples[i].kind, &row, NULL), OK);
    assert_true(row.row.id > 0 && row.row.created_us > 0);
  }
  arena_clear(&a);
}

TEST(what_is_stored_is_what_is_read_by_either_way) {
  struct names stored, again;
  struct buf text, second;
  add_samples();
  assert_int_equal(names_load(rig.db, &stored, NULL), OK);
  assert_int_equal(names_count(&stored), SAMPLES);
  const struct names_alias *a = names_alias_at(&stored, 0);
  assert_str(a->name, STR("fast/one"));
  assert_int_equal(a->context_tokens, 1024 * 1024);
  assert_int_equal(a->capabilities.n, 2);
  assert_str(a->capabilities.v[1], STR("y\""));
  assert_false(names_alias_at(&stored, 1)->capabilities.is_set);
  assert_int_equal(names_group_at(&stored, 0)->max_retries, 0);
  assert_true(names_member_at(&stored, 0)->pins.nodes.is_set);
  const struct names_pins *pins = &names_member_at(&stored, 1)->pins;
  assert_int_equal(pins->nodes.n, 2);
  assert_str(pins->nodes.v[1], STR("b"));
  assert_int_equal(pins->priority[0], 0);
  assert_int_equal(pins->priority[1], 7);
  assert_int_equal(names_group_at(&stored, 0)->strategy, NAMES_PRIORITY);
  assert_false(names_group_at(&stored, 0)->is_active);
  assert_true(names_group_at(&stored, 0)->is_listed);
  assert_int_equal(names_member_at(&stored, 0)->weight, 1);
  assert_false(names_tool_set_at(&stored, 0)->tools.is_set);
  assert_true(names_tool_set_at(&stored, 1)->tools.is_set);
  assert_int_equal(names_prompt_at(&stored, 0)->scope, NAMES_FOR_USER);
  const struct names_model *plain = names_model_at(&stored, 0), *bound = names_model_at(&stored, 1);
  assert_true(plain->requests_per_minute == -1 && plain->tokens_per_minute == -1 && !plain->max_context_tokens);
  assert_int_equal(plain->cost_factor, PRICE_ONCE);
  assert_true(bound->requests_per_minute == 9 && bound->tokens_per_minute == 4000000000);
  assert_int_equal(bound->max_context_tokens, 8192);
  assert_int_equal(bound->cost_factor, 1250000000);
  assert_non_null(names_find_group(&stored, STR("g")));
  assert_null(names_find_group(&stored, STR("h")));
  assert_ptr_equal(names_find_id(&stored, NAMES_MODEL, names_model_at(&stored, 0)->row.id), names_model_at(&stored, 0));

  buf_init(&text, 0);
  buf_init(&second, 0);
  names_write(&stored, &text);
  assert_int_equal(names_read(buf_str(&text), &again, NULL), OK);
  names_write(&again, &second);
  assert_str(buf_str(&second), buf_str(&text));
  names_clear(&again);
  names_clear(&stored);
  buf_clear(&second);

  /* Cut at every byte but the last, which is a line's end. */
  for (size_t n = 0; n + 1 < text.n; n++) {
    struct err_info info = {0};
    assert_int_equal(names_read(str_from(text.p, n), &again, &info), ERR_BAD_VALUE);
    assert_int_equal(names_count(&again), 0);
  }
  buf_clear(&text);
}

TEST(rows_change_and_go_and_no_two_have_one_name) {
  struct arena a;
  union any row;
  struct err_info info = {0};
  struct names now;
  add_samples();
  arena_init(&a, 0);
  for (size_t i = 0; i < SAMPLES; i++) {
    assert_int_equal(read_row(&a, samples[i].kind, samples[i].json, &row, NULL), OK);
    assert_int_equal(store_names_add(rig.db, samples[i].kind, &row, &info), ERR_CONFLICT);
  }
  assert_int_equal(names_load(rig.db, &now, NULL), OK);
  struct names_group g = *names_group_at(&now, 0);
  g.priority = 12;
  assert_int_equal(store_names_update(rig.db, NAMES_GROUP, &g, NULL), OK);
  assert_int_equal(store_names_delete(rig.db, NAMES_SETTING, names_setting_at(&now, 0)->row.id, NULL), OK);
  assert_int_equal(store_names_delete(rig.db, NAMES_SETTING, names_setting_at(&now, 0)->row.id, &info), ERR_NOT_FOUND);
  g.row.id = 999;
  g.name = STR("other");
  assert_int_equal(store_names_update(rig.db, NAMES_GROUP, &g, &info), ERR_NOT_FOUND);
  assert_int_equal(store_names_import(rig.db, &now, &info), ERR_CONFLICT);
  names_clear(&now);
  assert_int_equal(names_load(rig.db, &now, NULL), OK);
  assert_int_equal(names_group_at(&now, 0)->priority, 12);
  assert_int_equal(now.of[NAMES_SETTING].n, 0);
  names_clear(&now);
  arena_clear(&a);
}

TEST(fields_refuse_with_their_path) {
  static const struct {
    enum names_kind kind;
    const char *json;
    enum err e;
    const char *param;
  } rows[] = {
      {NAMES_ALIAS, "{\"real_name\":\"x\"}", ERR_MISSING, "display_name"},
      {NAMES_ALIAS, "{\"display_name\":\"\",\"real_name\":\"x\"}", ERR_BAD_VALUE, "display_name"},
      {NAMES_ALIAS, "{\"display_name\":\" a\",\"real_name\":\"x\"}", ERR_BAD_VALUE, "display_name"},
      {NAMES_ALIAS, "{\"display_name\":\"a\\nb\",\"real_name\":\"x\"}", ERR_BAD_VALUE, "display_name"},
      {NAMES_ALIAS, "{\"display_name\":1,\"real_name\":\"x\"}", ERR_BAD_TYPE, "display_name"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":null}", ERR_BAD_TYPE, "real_name"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":\"b\",\"x\":1}", ERR_BAD_VALUE, "x"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":\"b\",\"context_length\":\"9G\"}", ERR_BAD_VALUE,
       "context_length"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":\"b\",\"context_length\":0}", ERR_BAD_VALUE,
       "context_length"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":\"b\",\"capabilities\":[\"\"]}", ERR_BAD_VALUE,
       "capabilities"},
      {NAMES_ALIAS, "{\"display_name\":\"a\",\"real_name\":\"b\",\"capabilities\":[1]}", ERR_BAD_TYPE,
       "capabilities[0]"},
      {NAMES_GROUP, "{\"name\":\"a\",\"strategy\":\"luck\"}", ERR_BAD_VALUE, "strategy"},
      {NAMES_GROUP, "{\"name\":\"a\",\"max_failover_retries\":101}", ERR_BAD_VALUE, "max_failover_retries"},
      {NAMES_GROUP, "{\"name\":\"a\",\"name\":\"b\"}", ERR_DUPLICATE_KEY, "name"},
      {NAMES_MEMBER, "{\"group\":\"g\",\"model_display_name\":\"m\",\"weight\":-1}", ERR_BAD_VALUE, "weight"},
      {NAMES_MEMBER, "{\"group\":\"g\",\"model_display_name\":\"m\",\"priority\":1.5}", ERR_BAD_VALUE, "priority"},
      {NAMES_PROMPT, "{\"scope_type\":\"user\",\"prompt\":\"a\\u0001\"}", ERR_BAD_VALUE, "prompt"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    union any row;
    struct err_info info = {0};
    arena_init(&a, 0);
    enum err e = read_row(&a, rows[i].kind, rows[i].json, &row, &info);
    if (e != rows[i].e) print_error("%s: %s\n", rows[i].json, err_info_text(e, &info));
    assert_int_equal(e, rows[i].e);
    assert_string_equal(info.param, rows[i].param);
    arena_clear(&a);
  }
}

TEST(an_import_has_one_source_for_each_group) {
  struct names n, again;
  struct buf text;
  struct err_info info = {0};
  names_init(&n);
  for (unsigned i = 0; i < 3; i++) {
    struct names_member *m = names_add(&n, NAMES_MEMBER);
    m->group = i == 1 ? STR("other") : STR("g");
    m->model = i ? STR("b") : STR("a");
    m->is_metadata_source = true;
  }
  for (unsigned active = 0; active < 2; active++) {
    struct names_member *last = (struct names_member *)(uintptr_t)names_member_at(&n, 2);
    last->is_active = active;
    buf_init(&text, 0);
    names_write(&n, &text);
    assert_int_equal(names_read(buf_str(&text), &again, &info), active ? ERR_BAD_VALUE : OK);
    if (active) assert_non_null(strstr(info.text, "\"g\" has two members"));
    names_clear(&again);
    buf_clear(&text);
  }
  names_clear(&n);
}

TEST(tokens_are_numbers_with_a_unit) {
  static const struct {
    const char *text;
    int64_t tokens; /* 0: none */
  } rows[] = {{"1", 1},
              {"128000", 128000},
              {"198K", 202752},
              {"198k", 202752},
              {"1M", 1048576},
              {"0", 0},
              {"", 0},
              {"K", 0},
              {"-1", 0},
              {"1.5K", 0},
              {"1G", 0},
              {"1 K", 0},
              {"953M", 999292928},
              {"954M", 0},
              {"1000000000", 1000000000},
              {"1000000001", 0},
              {"99999999999999999999", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t tokens = 0;
    assert_int_equal(names_tokens_parse(str_from_c(rows[i].text), &tokens), rows[i].tokens != 0);
    assert_int_equal(tokens, rows[i].tokens);
  }
}

static unsigned noted[SEED_STATES];
static void note(void *arg, enum names_kind kind, struct str name, enum seed_state state) {
  (void)arg, (void)kind, (void)name;
  noted[state]++;
}

TEST(seeds_are_laid_once_and_restored_when_asked) {
  struct names now;
  memset(noted, 0, sizeof noted);
  assert_int_equal(seed_look(rig.db, note, NULL, NULL), OK);
  assert_int_equal(noted[SEED_MISSING], 15);
  assert_int_equal(seed_lay(rig.db, false, note, NULL, NULL), OK);
  assert_int_equal(noted[SEED_ADDED], 15);
  assert_int_equal(names_load(rig.db, &now, NULL), OK);
  assert_int_equal(names_count(&now), 15);
  struct names_model m = *names_model_at(&now, 1);
  assert_str(m.prefix, STR("deepseek"));
  assert_int_equal(m.unsupported.n, 2);
  assert_int_equal(m.context_tokens, 163840);
  for (size_t i = 0; i < now.of[NAMES_MODEL].n; i++) {
    struct str set = names_model_at(&now, i)->tool_set;
    if (set.n) assert_non_null(names_find_tool_set(&now, set));
  }
  m.context_tokens = 5;
  assert_int_equal(store_names_update(rig.db, NAMES_MODEL, &m, NULL), OK);
  names_clear(&now);
  assert_int_equal(seed_look(rig.db, note, NULL, NULL), OK);
  assert_int_equal(noted[SEED_CHANGED], 1);
  assert_int_equal(noted[SEED_AS_DELIVERED], 14);
  assert_int_equal(seed_lay(rig.db, false, note, NULL, NULL), OK);
  assert_int_equal(noted[SEED_KEPT], 15);
  assert_int_equal(seed_lay(rig.db, true, note, NULL, NULL), OK);
  assert_int_equal(noted[SEED_RESTORED], 1);
  assert_int_equal(names_load(rig.db, &now, NULL), OK);
  assert_int_equal(names_model_at(&now, 1)->context_tokens, 163840);
  names_clear(&now);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_stored_is_what_is_read_by_either_way, one_store_rig_make,
                                      one_store_rig_clear),
      cmocka_unit_test_setup_teardown(rows_change_and_go_and_no_two_have_one_name, one_store_rig_make,
                                      one_store_rig_clear),
      cmocka_unit_test(fields_refuse_with_their_path),
      cmocka_unit_test(an_import_has_one_source_for_each_group),
      cmocka_unit_test(tokens_are_numbers_with_a_unit),
      cmocka_unit_test_setup_teardown(seeds_are_laid_once_and_restored_when_asked, one_store_rig_make,
                                      one_store_rig_clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
