/* Declared aliases and groups, and settings of the store as a source of options. */
#include "state/config/config_settings.h"

#include "fake.h"

static void load(struct fake *f, const char *json) {
  f->files[0] = (struct fake_entry){"/c/maestro/maestro.json", json};
  fake_load(f);
}

TEST(aliases_and_groups_are_read_in_every_form) {
  struct fake f = {0};
  load(&f,
       "{\"aliases\": {\"a\": \"x/y\", \"b\": {\"model\": \"m\", \"contextLength\": \"4K\", \"capabilities\": "
       "[\"v\"]},\n"
       " \"c\": [{\"model\": \"m\", \"node\": \"n\"}, \"z\"]},\n"
       " \"groups\": {\"g\": {\"strategy\": \"weighted\", \"members\": [\"a\", {\"model\": \"b\", \"weight\": 3, "
       "\"fallback\": true}],"
       " \"listInCatalog\": false, \"maxFailoverRetries\": 1}}}");
  assert_int_equal(f.diags.errors, 0);
  const struct names *n = &f.config->names;
  assert_int_equal(n->of[NAMES_ALIAS].n, 4);
  assert_str(names_alias_at(n, 0)->real, STR("x/y"));
  assert_int_equal(names_alias_at(n, 1)->context_tokens, 4096);
  assert_str(names_alias_at(n, 2)->node, STR("n"));
  assert_str(names_alias_at(n, 3)->real, STR("z"));
  assert_int_equal(names_alias_at(n, 3)->row.place.line, 2);
  const struct names_group *g = names_find_group(n, STR("g"));
  assert_non_null(g);
  assert_int_equal(g->strategy, NAMES_WEIGHTED);
  assert_false(g->is_listed);
  assert_true(g->is_active);
  assert_int_equal(g->max_retries, 1);
  assert_int_equal(n->of[NAMES_MEMBER].n, 2);
  assert_int_equal(names_member_at(n, 1)->weight, 3);
  assert_true(names_member_at(n, 1)->is_fallback);
  fake_clear(&f);
  load(&f,
       "{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"fallback413\": true, \"metadataSource\": true,"
       " \"nodes\": [\"a\", {\"node\": \"b\", \"priority\": -4}]}, {\"model\": \"k\", \"metadataSource\": true, "
       "\"active\": false}]}}}");
  assert_int_equal(f.diags.errors, 0);
  const struct names_member *m = names_member_at(&f.config->names, 0);
  assert_true(m->is_fallback_413 && m->is_metadata_source && !m->is_fallback);
  assert_int_equal(m->pins.nodes.n, 2);
  assert_str(m->pins.nodes.v[1], STR("b"));
  assert_int_equal(m->pins.priority[0], 0);
  assert_int_equal(m->pins.priority[1], -4);
  fake_clear(&f);
}

TEST(faults_say_where) {
  static const struct {
    const char *json, *text;
  } rows[] = {
      {"{\"aliases\": {\"a\": 1}}", "aliases.a: must be an object"},
      {"{\"aliases\": []}", "aliases: must be an object of names"},
      {"{\"aliases\": {\"a\": {}}}", "aliases.a: needs \"model\""},
      {"{\"aliases\": {\"a\": {\"model\": \"m\", \"colour\": 1}}}", "aliases.a.colour: unknown key"},
      {"{\"aliases\": {\"a\": {\"model\": \"m\", \"contextLength\": \"big\"}}}",
       "aliases.a.contextLength: must be a number of tokens"},
      {"{\"aliases\": {\"a\": \"x\",\n\"a\": \"y\"}}", "appears twice; first in line 1"},
      {"{\"aliases\": {\"a\": [\"x\",\n\"y\"]}}",
       "aliases.a[1]: is an alias already in line 1 of /c/maestro/maestro.json"},
      {"{\"aliases\": {\"a\": \"x\"},\n\"groups\": {\"a\": {\"members\": []}}}",
       "aliases.a: is a group already in line 2 of /c/maestro/maestro.json"},
      {"{\"groups\": {\"g\": {\"strategy\": \"luck\"}}}", "groups.g.strategy"},
      {"{\"groups\": {\"g\": {\"members\": {}}}}", "groups.g.members: must be an array"},
      {"{\"groups\": {\"g\": {\"members\": [\"m\", \"m\"]}}}", "groups.g.members[1]: is a member already"},
      {"{\"groups\": {\"g\": {\"members\": [{\"weight\": -1}]}}}", "groups.g.members[0].weight"},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"nodes\": \"a\"}]}}}",
       "groups.g.members[0].nodes: must be an array of at most 64 providers"},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"nodes\": [1]}]}}}", "groups.g.members[0].nodes[0]: "},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"nodes\": [{\"priority\": 1}]}]}}}",
       "groups.g.members[0].nodes[0]: needs \"node\""},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"nodes\": [{\"node\": \"a\", \"priority\": "
       "1000001}]}]}}}",
       "groups.g.members[0].nodes[0].priority"},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"nodes\": [\"a\", {\"node\": \"a\", \"priority\": "
       "1}]}]}}}",
       "groups.g.members[0].nodes: \"a\" comes twice"},
      {"{\"groups\": {\"g\": {\"members\": [{\"model\": \"m\", \"metadataSource\": true},\n{\"model\": \"k\", "
       "\"metadataSource\": true}]}}}",
       "groups.g.members[1]: \"metadataSource\" is said in line 1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct fake f = {0};
    load(&f, rows[i].json);
    assert_true(f.diags.errors > 0);
    if (!strstr(f.text, rows[i].text)) print_error("%s\n%s\n", rows[i].json, f.text);
    assert_non_null(strstr(f.text, rows[i].text));
    fake_clear(&f);
  }
}

static void add(struct names *n, const char *key, const char *value) {
  struct names_setting *s = names_add(n, NAMES_SETTING);
  assert_non_null(s);
  s->name = str_from_c(key);
  s->value = str_from_c(value);
}

static enum err load_with(const struct names *settings, const char *json, struct config **out,
                          struct config_diags *diags) {
  struct fake f = {.files = {{"/c/maestro/maestro.json", json}}};
  const struct config_sources sources = {
      .config_dir = "/c/maestro", .settings = settings, .read = fake_read, .read_arg = &f};
  return config_load(&sources, out, diags);
}

TEST(settings_stand_behind_the_file_and_before_defaults) {
  struct names settings, same;
  struct config *c = NULL;
  struct config_diags diags;
  names_init(&settings);
  names_init(&same);
  config_diags_init(&diags);
  add(&settings, "fallback.maxRetries", "7");
  add(&settings, "log.level", "warn");
  add(&settings, "server.limits.headerCount", "many"); /* faulty */
  add(&settings, "server.key", "sk-maestro-no");       /* a secret */
  add(&settings, "no.such", "1");
  assert_int_equal(load_with(&settings, "{\"log\": {\"level\": \"error\"}}", &c, &diags), OK);
  assert_int_equal(diags.errors, 0);
  assert_int_equal(diags.warnings, 3);
  assert_int_equal(c->options.fallback_max_retries, 7);
  assert_int_equal(c->origins[CONFIG_OPTION_fallback_max_retries], CONFIG_FROM_STORE);
  assert_int_equal(c->options.log_level, CONFIG_LOG_ERROR);
  assert_int_equal(c->options.server_limits_header_count, 100);
  assert_null(c->options.server_key);
  assert_true(config_settings_equal(&c->settings, &settings));
  assert_false(config_settings_equal(&same, &settings));
  config_unref(c);
  config_diags_clear(&diags);
  names_clear(&settings);
  names_clear(&same);
}

TEST(only_what_takes_effect_and_is_no_secret_may_be_kept) {
  struct err_info info = {0};
  assert_null(config_setting_find(STR("server.port")));
  assert_null(config_setting_find(STR("server.key")));
  assert_null(config_setting_find(STR("registry.file")));
  assert_null(config_setting_find(STR("log")));
  const struct config_option *option = config_setting_find(STR("upstream.totalMs"));
  assert_non_null(option);
  assert_int_equal(config_setting_check(option, STR("10s"), &info), OK);
  assert_int_equal(config_setting_check(option, STR("soon"), &info), ERR_BAD_VALUE);
  assert_string_equal(info.param, "upstream.totalMs");
}

TEST(what_is_in_force_is_shown_by_section) {
  struct config *c = NULL;
  struct buf out;
  struct arena a;
  struct json doc;
  uint64_t retries = 0;
  assert_int_equal(load_with(NULL, "{}", &c, NULL), OK);
  buf_init(&out, 0);
  arena_init(&a, 0);
  config_settings_put(c, &out);
  assert_int_equal(json_parse_copy(&doc, buf_str(&out), NULL, &a, NULL), OK);
  struct json_node root = json_root(&doc), fallback = json_member(&root, STR("fallback"));
  assert_int_equal(json_get_u64(&fallback, STR("maxRetries"), &retries, NULL), OK);
  assert_int_equal(retries, 2);
  struct json_node server = json_member(&root, STR("server")), limits = json_member(&server, STR("limits"));
  assert_int_equal(json_type(&limits), JSON_OBJECT);
  struct json_node key = json_member(&server, STR("key"));
  assert_int_equal(json_type(&key), JSON_ABSENT);
  arena_clear(&a);
  buf_clear(&out);
  config_unref(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(aliases_and_groups_are_read_in_every_form),
      cmocka_unit_test(faults_say_where),
      cmocka_unit_test(settings_stand_behind_the_file_and_before_defaults),
      cmocka_unit_test(only_what_takes_effect_and_is_no_secret_may_be_kept),
      cmocka_unit_test(what_is_in_force_is_shown_by_section),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
