/* The section of names: what leads where, what is in force, circles, and what is set for a model. */
#include "route/route_names.h"

#include "route/resolve.h"
#include "route_rig.h"

static struct snapshot *snapshot;
static struct names stored; /* for route_names_check */

static void build(const char *rest, unsigned errors) {
  static struct snapshot_section sections[2];
  static const struct snapshot_table table = {sections, 2};
  char text[4096];
  sections[0] = catalog_section;
  sections[1] = route_names_section;
  snprintf(text, sizeof text,
           "{\"providers\":{" PROVIDER("a", "", "\"gpt\":{},\"small\":{}") "," PROVIDER(
               "b", ",\"priority\":1", "\"gpt\":{},\"kimi-k2\":{},\"t:latest\":{}") "," PROVIDER("s", ",\"scopedModels\":true", "\"gpt\":{},\"own\":{},\"t\":{}") ","
           "\"open\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:9/v1\",\"apiKey\":\"k\"}}%s}",
           rest);
  rig.fake.files[0] = (struct fake_entry){"/c/maestro/maestro.json", text};
  rig.fake.vocabulary = catalog_vocabulary();
  fake_load(&rig.fake);
  assert_int_equal(rig.fake.diags.errors, 0);
  struct config_diags diags;
  struct buf report;
  config_diags_init(&diags);
  buf_init(&report, 0);
  rig.e = snapshot_build(&table, rig.fake.config, NULL, &snapshot, &diags, NULL);
  config_diags_write(&diags, &report);
  buf_put_char(&report, '\0');
  rig.report = report.p;
  if (rig.e && !errors) print_error("%s\n", rig.report);
  assert_int_equal(diags.errors, errors);
  config_diags_clear(&diags);
  arena_init(&rig.arena, 0);
  names_init(&stored);
  if (rig.e) return;
  rig.catalog = (struct catalog *)(uintptr_t)snapshot_get(snapshot, 0);
  rig.names = (struct route_names *)(uintptr_t)snapshot_get(snapshot, 1);
}

static int teardown(void **state) {
  (void)state;
  snapshot_unref(snapshot);
  snapshot = NULL;
  fake_clear(&rig.fake);
  free(rig.report);
  arena_clear(&rig.arena);
  names_clear(&stored);
  memset(&rig, 0, sizeof rig);
  return 0;
}

static void leads(const char *name, enum resolve_how how, const char *expected) {
  struct resolution r;
  struct err_info info = {0};
  enum err e = resolve_name(rig.catalog, rig.names, &rig.arena, str_from_c(name), &r, &info);
  if (e) print_error("%s: %s\n", name, info.text);
  assert_int_equal(e, OK);
  assert_int_equal(r.how, how);
  assert_str(r.told, str_from_c(name));
  expect_names(r.v, r.n, expected);
}

static void larger(const char *name, const char *expected) {
  struct resolution r;
  struct err_info info = {0};
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, str_from_c(name), &r, &info), OK);
  expect_names(r.larger, r.larger_n, expected);
}

TEST(aliases_lead_to_models_aliases_and_groups) {
  build(
      ",\"aliases\":{\"one\":\"a/small\",\"two\":\"one\",\"many\":\"gpt\",\"small\":\"b/gpt\",\"q:latest\":\"a/small\","
      "\"pool\":\"g\"},\"groups\":{\"g\":{\"strategy\":\"priority\",\"members\":[\"a/gpt\",\"two\"]}}",
      0);
  leads("one", RESOLVE_ALIAS, "a/small");
  leads("two", RESOLVE_ALIAS, "a/small");
  leads("many", RESOLVE_ALIAS, "b/gpt a/gpt");
  leads("small", RESOLVE_ALIAS, "b/gpt"); /* before the model of that name */
  leads("q", RESOLVE_ALIAS, "a/small");
  leads("pool", RESOLVE_ALIAS, "a/gpt a/small");
  leads("g", RESOLVE_GROUP, "a/gpt a/small");
}

TEST(an_alias_of_a_node_comes_before_one_for_all) {
  build(",\"aliases\":{\"x\":[{\"model\":\"gpt\"},{\"model\":\"small\",\"node\":\"a\"}]}", 0);
  leads("x", RESOLVE_ALIAS, "a/small b/gpt");
  assert_str(route_names_alias_on(rig.names, STR("a"), STR("x"))->real, STR("small"));
  assert_str(route_names_alias_on(rig.names, STR("b"), STR("x"))->real, STR("gpt"));
  assert_null(route_names_alias_on(rig.names, STR("a"), STR("y")));
}

TEST(an_alias_of_its_own_name_is_the_model) {
  build(",\"aliases\":{\"gpt\":{\"model\":\"gpt\",\"contextLength\":\"8K\"}}", 0);
  leads("gpt", RESOLVE_ALIAS, "b/gpt a/gpt");
}

TEST(groups_take_turns_and_pins_hold) {
  build(
      ",\"groups\":{\"r\":{\"members\":[\"a/gpt\",\"b/gpt\",\"a/small\"]},"
      "\"p\":{\"strategy\":\"priority\",\"members\":[{\"model\":\"gpt\",\"nodes\":[\"a\"]},{\"model\":\"r\",\"nodes\":["
      "\"b\"]}]},"
      "\"off\":{\"active\":false,\"members\":[\"a/gpt\"]}}",
      0);
  leads("r", RESOLVE_GROUP, "a/gpt b/gpt a/small");
  leads("r", RESOLVE_GROUP, "a/gpt b/gpt a/small"); /* a look takes no turn */
  route_names_take_turn(route_names_find(rig.names, STR("r")));
  leads("r", RESOLVE_GROUP, "b/gpt a/small a/gpt");
  route_names_take_turn(route_names_find(rig.names, STR("p"))); /* and those within */
  leads("r", RESOLVE_GROUP, "a/small a/gpt b/gpt");
  leads("p", RESOLVE_GROUP, "a/gpt b/gpt");
  struct resolution r;
  struct err_info info = {0};
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("off"), &r, &info), ERR_MODEL_NOT_FOUND);
}

TEST(pins_have_an_order_of_their_own) {
  build(
      ",\"aliases\":{\"any\":\"gpt\",\"each\":[{\"model\":\"gpt\",\"node\":\"a\"},{\"model\":\"gpt\",\"node\":\"b\"}]},"
      "\"groups\":{\"plain\":{\"members\":[{\"model\":\"gpt\",\"nodes\":[\"a\",\"b\"]}]},"
      "\"higher\":{\"members\":[{\"model\":\"gpt\",\"nodes\":[\"b\",{\"node\":\"a\",\"priority\":1}]}]},"
      "\"lower\":{\"members\":[{\"model\":\"any\",\"nodes\":[{\"node\":\"b\",\"priority\":-1},{\"node\":\"a\"}]}]},"
      "\"rows\":{\"members\":[{\"model\":\"each\",\"nodes\":[\"b\",{\"node\":\"a\",\"priority\":1}]},\"b/kimi-k2\"]},"
      "\"outer\":{\"members\":[{\"model\":\"plain\",\"nodes\":[{\"node\":\"a\",\"priority\":1},\"b\"]}]}}",
      0);
  leads("plain", RESOLVE_GROUP, "b/gpt a/gpt"); /* by the providers' priority */
  leads("higher", RESOLVE_GROUP, "a/gpt b/gpt");
  leads("lower", RESOLVE_GROUP, "a/gpt b/gpt");
  leads("each", RESOLVE_ALIAS, "b/gpt a/gpt");
  leads("rows", RESOLVE_GROUP, "a/gpt b/gpt b/kimi-k2"); /* its own candidates only */
  leads("outer", RESOLVE_GROUP, "a/gpt b/gpt");
}

TEST(members_for_what_is_too_long_stand_apart) {
  build(
      ",\"groups\":{\"g\":{\"strategy\":\"priority\",\"members\":[\"a/small\",{\"model\":\"a/"
      "gpt\",\"fallback413\":true,\"priority\":-5},"
      "{\"model\":\"b/kimi-k2\",\"fallback413\":true,\"fallback\":true,\"priority\":-9},{\"model\":\"b/"
      "gpt\",\"fallback\":true}]},"
      "\"outer\":{\"members\":[\"b/gpt\",{\"model\":\"g\",\"fallback413\":true}]},"
      "\"over\":{\"members\":[\"g\"]},"
      "\"both\":{\"strategy\":\"priority\",\"members\":[\"b/"
      "gpt\",{\"model\":\"inner\",\"fallback\":true,\"fallback413\":true}]},"
      "\"inner\":{\"strategy\":\"priority\",\"members\":[\"a/small\",{\"model\":\"a/gpt\",\"fallback413\":true}]},"
      "\"alone\":{\"members\":[{\"model\":\"gpt\",\"nodes\":[\"b\",{\"node\":\"a\",\"priority\":1}],\"fallback413\":"
      "true}]}}",
      0);
  leads("g", RESOLVE_GROUP, "a/small b/kimi-k2 b/gpt");
  larger("g", "b/kimi-k2 a/gpt");
  leads("outer", RESOLVE_GROUP, "b/gpt"); /* all of a group that is one such member */
  larger("outer", "a/small b/kimi-k2 a/gpt b/gpt");
  leads("over", RESOLVE_GROUP, "a/small b/kimi-k2 b/gpt"); /* and what is within one that is none */
  larger("over", "b/kimi-k2 a/gpt");
  leads("both", RESOLVE_GROUP, "b/gpt a/small"); /* the narrower of two uses holds */
  larger("both", "a/small a/gpt");
  leads("alone", RESOLVE_GROUP, "a/gpt b/gpt"); /* nobody else is there */
  larger("alone", "");
}

TEST(a_full_group_reaches_its_larger_member) {
  char text[4096] = ",\"groups\":{\"g\":{\"strategy\":\"priority\",\"members\":[";
  size_t n = strlen(text);
  for (int i = 0; i < NAMES_CANDIDATES_MAX; i++) n += (size_t)snprintf(text + n, sizeof text - n, "\"open/m%d\",", i);
  snprintf(text + n, sizeof text - n, "{\"model\":\"a/gpt\",\"fallback413\":true}]}}");
  build(text, 0);
  struct resolution r;
  struct err_info info = {0};
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("g"), &r, &info), OK);
  assert_int_equal(r.n, NAMES_CANDIDATES_MAX);
  larger("g", "a/gpt");
}

TEST(a_scoped_provider_is_reached_by_a_pin_or_its_name) {
  build(
      ",\"aliases\":{\"bare\":\"own\",\"here\":{\"model\":\"own\",\"node\":\"s\"},\"full\":\"s/own\",\"tag\":\"t\"},"
      "\"groups\":{\"pinned\":{\"members\":[{\"model\":\"own\",\"nodes\":[\"s\"]}]},"
      "\"over\":{\"members\":[{\"model\":\"bare\",\"nodes\":[\"s\"]}]},"
      "\"shared\":{\"members\":[\"gpt\"]},\"wide\":{\"members\":[{\"model\":\"gpt\",\"nodes\":[\"a\",{\"node\":\"s\","
      "\"priority\":1}]}]}}",
      0);
  leads("here", RESOLVE_ALIAS, "s/own");
  leads("full", RESOLVE_ALIAS, "s/own");
  leads("pinned", RESOLVE_GROUP, "s/own");
  leads("over", RESOLVE_GROUP, "s/own");
  leads("shared", RESOLVE_GROUP, "b/gpt a/gpt");
  leads("wide", RESOLVE_GROUP, "s/gpt a/gpt");
  leads("tag", RESOLVE_ALIAS, "b/t:latest"); /* as callers who say "t" */
  struct resolution r;
  struct err_info info = {0};
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("bare"), &r, &info), ERR_MODEL_NOT_FOUND);
  assert_non_null(strstr(rig.report, "aliases.bare: leads to no model"));
  assert_non_null(strstr(rig.report, "a scoped provider has it: name it, \"s/own\""));
}

TEST(a_group_is_shown_as_its_source) {
  build(
      ",\"groups\":{"
      "\"h\":{\"members\":[{\"model\":\"gpt\",\"metadataSource\":true,\"nodes\":[\"b\"]},\"a/small\"]}}",
      0);
  struct route_expansion x;
  assert_int_equal(route_names_expand_source(route_names_find(rig.names, STR("h")), &rig.arena, &x), OK);
  expect_names(x.v, x.n, "b/gpt");
}

TEST(what_leads_nowhere_is_told_at_the_start_and_when_asked) {
  struct resolution r;
  struct err_info info = {0};
  build(",\"aliases\":{\"lost\":\"nothing\"}", 0);
  assert_non_null(strstr(rig.report, "aliases.lost: leads to no model"));
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("lost"), &r, &info), ERR_MODEL_NOT_FOUND);
  assert_string_equal(info.text, "The alias \"lost\" leads to no model that is known now.");
}

TEST(declared_circles_void_the_file_and_are_named) {
  build(",\"aliases\":{\"x\":\"g\"},\"groups\":{\"g\":{\"members\":[\"a/gpt\",\"h\"]},\"h\":{\"members\":[\"x\"]}}", 1);
  assert_int_equal(rig.e, ERR_BAD_CONFIG);
  assert_non_null(strstr(rig.report, "names lead in a circle: \"g\" -> \"h\" -> \"x\" -> \"g\""));
}

TEST(names_that_lead_too_deep_are_refused) {
  build(
      ",\"aliases\":{\"1\":\"a/"
      "gpt\",\"2\":\"1\",\"3\":\"2\",\"4\":\"3\",\"5\":\"4\",\"6\":\"5\",\"7\":\"6\",\"8\":\"7\"}",
      0);
  leads("8", RESOLVE_ALIAS, "a/gpt");
  teardown(NULL);
  build(
      ",\"aliases\":{\"9\":\"8\",\"1\":\"a/"
      "gpt\",\"2\":\"1\",\"3\":\"2\",\"4\":\"3\",\"5\":\"4\",\"6\":\"5\",\"7\":\"6\",\"8\":\"7\"}",
      1);
  assert_non_null(strstr(rig.report, "more than 8 deep"));
}

static struct names_alias *alias(const char *name, const char *real, const char *node) {
  struct names_alias *a = names_add(&stored, NAMES_ALIAS);
  assert_non_null(a);
  a->row.id = (int64_t)stored.of[NAMES_ALIAS].n;
  a->name = str_from_c(name);
  a->real = str_from_c(real);
  a->node = str_from_c(node);
  return a;
}

static void judged(const struct names_alias *a, enum err code, const char *param, const char *text) {
  struct err_info info = {0};
  enum err e = route_names_check(&stored, &rig.fake.config->names, rig.catalog, NAMES_ALIAS, a, &info);
  if (e != code) print_error("%s\n", err_info_text(e, &info));
  assert_int_equal(e, code);
  if (!code) return;
  assert_string_equal(info.param, param);
  assert_non_null(strstr(info.text, text));
}

TEST(a_change_is_judged_before_it_is_kept) {
  build(",\"aliases\":{\"declared\":\"mine\"}", 0);
  judged(alias("mine", "a/gpt", ""), OK, NULL, NULL);
  judged(alias("here", "small", "a"), OK, NULL, NULL);
  judged(alias("b1", "small", "b"), ERR_BAD_VALUE, "real_name", "\"b\" has no model \"small\"");
  judged(alias("b2", "small", "nowhere"), ERR_BAD_VALUE, "node_ids", "no provider or node \"nowhere\"");
  judged(alias("b3", "nothing", ""), ERR_BAD_VALUE, "real_name", "no model, alias or group \"nothing\"");
  ((struct names_alias *)stored.of[NAMES_ALIAS].v)[0].real = STR("declared");
  judged(names_alias_at(&stored, 0), ERR_BAD_VALUE, "real_name", "circle");
}

/* One row for "m", by its beginning or as a whole. */
static struct names_model rule_row;
static struct route_rule rule;
static struct route_names ruled;

static void set_rule(bool is_exact, int64_t by_default, int64_t most) {
  names_row_init(NAMES_MODEL, &rule_row);
  rule_row.prefix = STR("m");
  rule_row.is_exact = is_exact;
  rule_row.context_tokens = by_default;
  rule_row.max_context_tokens = most;
  rule = (struct route_rule){.row = &rule_row, .prefix = STR("m")};
  ruled = (struct route_names){.rules = &rule, .rule_count = 1};
}

TEST(a_context_is_what_is_known_or_set_and_never_beyond_the_most) {
  static const struct {
    int64_t known, said, by_default, most;
    bool is_exact;
    int64_t shown;
  } rows[] = {
      {-1, 0, 0, 0, false, -1},           {4096, 0, 0, 0, false, 4096},   {4096, 0, 100, 0, false, 4096},
      {-1, 0, 100, 0, false, 100},        {4096, 0, 100, 0, true, 100},   {4096, 50, 100, 0, true, 50},
      {4096, 0, 0, 1000, false, 1000},    {-1, 0, 0, 1000, false, 1000},  {512, 0, 0, 1000, false, 512},
      {4096, 2000, 0, 1000, false, 1000}, {-1, 0, 100, 1000, false, 100}, {4096, 0, 5000, 1000, true, 1000},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct deployment d = {.model = STR("m1"), .qualified = STR("p/m1"), .context_tokens = rows[i].known};
    const struct deployment whole = {.model = STR("m"), .qualified = STR("p/m"), .context_tokens = rows[i].known};
    set_rule(rows[i].is_exact, rows[i].by_default, rows[i].most);
    int64_t shown = route_names_context(&ruled, STR("x"), rows[i].said, rows[i].is_exact ? &whole : &d);
    if (shown != rows[i].shown) fail_msg("row %zu: %lld", i, (long long)shown);
  }
  const struct deployment other = {.model = STR("n"), .qualified = STR("p/n"), .context_tokens = 4096};
  set_rule(false, 100, 1000);
  assert_int_equal(route_names_context(&ruled, STR("x"), 0, &other), 4096);
  assert_int_equal(route_names_context(&ruled, STR("Made"), 0, &other), 1000); /* by the name that is asked for */
  assert_int_equal(route_names_context(NULL, STR("m"), 0, &other), 4096);
}

TEST(a_call_gets_its_rule_and_no_context_beyond_the_most) {
  const struct deployment d = {.model = STR("m1"), .qualified = STR("p/m1")},
                          other = {.model = STR("n"), .qualified = STR("p/n")};
  struct route_shape shape;
  arena_init(&rig.arena, 0);
  set_rule(false, 5000, 1000);
  assert_int_equal(route_names_shape(&ruled, STR("x"), &d, STR_NONE, &rig.arena, &shape), OK);
  assert_ptr_equal(shape.rule, &rule);
  assert_int_equal(shape.context_tokens, 1000);
  set_rule(false, 0, 1000);
  assert_int_equal(route_names_shape(&ruled, STR("x"), &d, STR_NONE, &rig.arena, &shape), OK);
  assert_int_equal(shape.context_tokens, 0); /* a most is nothing that is said */
  assert_int_equal(route_names_shape(&ruled, STR("x"), &other, STR_NONE, &rig.arena, &shape), OK);
  assert_null(shape.rule);
  arena_clear(&rig.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(aliases_lead_to_models_aliases_and_groups, teardown),
      cmocka_unit_test_teardown(an_alias_of_a_node_comes_before_one_for_all, teardown),
      cmocka_unit_test_teardown(an_alias_of_its_own_name_is_the_model, teardown),
      cmocka_unit_test_teardown(groups_take_turns_and_pins_hold, teardown),
      cmocka_unit_test_teardown(pins_have_an_order_of_their_own, teardown),
      cmocka_unit_test_teardown(members_for_what_is_too_long_stand_apart, teardown),
      cmocka_unit_test_teardown(a_full_group_reaches_its_larger_member, teardown),
      cmocka_unit_test_teardown(a_scoped_provider_is_reached_by_a_pin_or_its_name, teardown),
      cmocka_unit_test_teardown(a_group_is_shown_as_its_source, teardown),
      cmocka_unit_test_teardown(what_leads_nowhere_is_told_at_the_start_and_when_asked, teardown),
      cmocka_unit_test_teardown(declared_circles_void_the_file_and_are_named, teardown),
      cmocka_unit_test_teardown(names_that_lead_too_deep_are_refused, teardown),
      cmocka_unit_test_teardown(a_change_is_judged_before_it_is_kept, teardown),
      cmocka_unit_test(a_context_is_what_is_known_or_set_and_never_beyond_the_most),
      cmocka_unit_test(a_call_gets_its_rule_and_no_context_beyond_the_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
