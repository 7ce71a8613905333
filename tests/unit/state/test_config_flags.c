/* The command line, and what is generated from the options table. */
#include <yyjson.h>

#include "fake.h"

static enum err parse(struct arena *a, struct config_flag **flags, size_t *count, const char **file,
                      struct config_strings *rest, struct err_info *info, char *const *argv) {
  int argc = 0;
  while (argv[argc]) argc++;
  *info = (struct err_info){0};
  return config_flags_parse(a, argc, argv, flags, count, file, rest, info);
}

TEST(forms_of_flags) {
  struct arena a;
  struct config_flag *flags;
  size_t count;
  const char *file = NULL;
  struct config_strings rest;
  struct err_info info;
  char *argv[] = {"--port", "80",    "--host=::1",      "-p81", "-p",  "82", "word",   "--config",
                  "f.json", "--set", "log.level=debug", "-k",   "key", "--", "--port", NULL};
  arena_init(&a, 0);
  assert_int_equal(parse(&a, &flags, &count, &file, &rest, &info, argv), OK);
  static const char *const expected[][2] = {{"port", "80"}, {"host", "::1"},        {"port", "81"},
                                            {"port", "82"}, {"log.level", "debug"}, {"api-key", "key"}};
  assert_int_equal(count, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_str(flags[i].name, str_from_c(expected[i][0]));
    assert_str(flags[i].value, str_from_c(expected[i][1]));
  }
  assert_string_equal(file, "f.json");
  assert_int_equal(rest.n, 2);
  assert_str(rest.items[0], STR("word"));
  assert_str(rest.items[1], STR("--port"));
  arena_clear(&a);
}

TEST(faults_of_flags) {
  static const struct {
    char *argv[3];
    const char *text;
  } rows[] = {{{"--prot", "1", NULL}, "unknown flag --prot; did you mean --port?"},
              {{"--qqqqqqqq", NULL}, "unknown flag --qqqqqqqq"},
              {{"-x", NULL}, "unknown flag -x"},
              {{"--port", NULL}, "--port needs a value"},
              {{"-p", NULL}, "-p needs a value"},
              {{"--set", "port", NULL}, "--set needs an option and a value: --set log.level=debug"},
              {{"word", NULL}, "unexpected argument \"word\""}};
  struct arena a;
  struct err_info info;
  arena_init(&a, 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct config_flag *flags;
    size_t count;
    const char *file = NULL;
    assert_int_equal(parse(&a, &flags, &count, &file, NULL, &info, rows[i].argv), ERR_BAD_VALUE);
    assert_string_equal(info.text, rows[i].text);
  }
  arena_clear(&a);
}

TEST(the_last_flag_wins) {
  struct fake f = {.flags = {{STR("port"), STR("1")}, {STR("server.port"), STR("2")}}, .flag_count = 2};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->options.server_port, 2);
  fake_clear(&f);
}

TEST(help_names_every_flag) {
  struct buf out;
  buf_init(&out, 0);
  config_write_help(&out);
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    struct str flag, letter;
    char text[64];
    str_cut(str_from_c(config_option(id)->flag), ' ', &flag, &letter);
    if (!flag.n) continue;
    snprintf(text, sizeof text, "--%.*s ", STR_ARG(flag));
    assert_int_not_equal(str_find(buf_str(&out), str_from_c(text)), SIZE_MAX);
  }
  assert_int_not_equal(str_find(buf_str(&out), STR("  -p, --port N              Port to listen on; 0 picks a free one. "
                                                   "(MAESTRO_PORT) [8080]\n")),
                       SIZE_MAX);
  buf_clear(&out);
}

TEST(docs_name_every_option_and_variable) {
  struct buf out;
  buf_init(&out, 0);
  config_write_docs(&out);
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    char text[96];
    snprintf(text, sizeof text, "| `%s` | ", config_option(id)->path);
    assert_int_not_equal(str_find(buf_str(&out), str_from_c(text)), SIZE_MAX);
  }
  assert_int_not_equal(str_find(buf_str(&out), STR("`MAESTRO_METRICS_TOKEN`, `ROUTER_MAESTRO_METRICS_TOKEN`")),
                       SIZE_MAX);
  assert_int_not_equal(str_find(buf_str(&out), STR("| debug, info, warn or error |")), SIZE_MAX);
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forms_of_flags),
      cmocka_unit_test(faults_of_flags),
      cmocka_unit_test(the_last_flag_wins),
      cmocka_unit_test(help_names_every_flag),
      cmocka_unit_test(docs_name_every_option_and_variable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
