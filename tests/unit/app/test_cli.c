/* The command line's own parts: flags taken out of the arguments, near misses, exit codes, where files are. */
#include "app/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

struct args {
  char *v[12];
  int n;
};

static struct args args_of(const char *text) {
  static char words[256];
  struct args a = {.n = 0};
  snprintf(words, sizeof words, "%s", text);
  for (char *at = words, *next; at && a.n < 11; at = next) {
    next = strchr(at, ' ');
    if (next) *next++ = 0;
    a.v[a.n++] = at;
  }
  return a;
}

static void expect_args(const struct args *a, const char *expected) {
  char text[256] = "";
  for (int i = 0; i < a->n; i++) {
    if (i) strncat(text, " ", sizeof text - strlen(text) - 1);
    strncat(text, a->v[i], sizeof text - strlen(text) - 1);
  }
  assert_string_equal(text, expected);
  assert_null(a->v[a->n]); /* the list still ends in NULL */
}

TEST(flags_are_taken_out) {
  struct args a = args_of("check --json x --json");
  assert_true(cli_take_flag(&a.n, a.v, "--json"));
  expect_args(&a, "check x --json");
  assert_true(cli_take_flag(&a.n, a.v, "--json"));
  assert_false(cli_take_flag(&a.n, a.v, "--json"));
  assert_false(cli_take_flag(&a.n, a.v, "check")); /* the command's own name is none */
  expect_args(&a, "check x");
}

TEST(options_are_taken_out_in_every_spelling) {
  bool is_bad = false;
  struct args a = args_of("mock --port 80 x");
  assert_string_equal(cli_take_option(&a.n, a.v, "--port", "-p", &is_bad), "80");
  expect_args(&a, "mock x");
  a = args_of("mock x --port=81");
  assert_string_equal(cli_take_option(&a.n, a.v, "--port", "-p", &is_bad), "81");
  expect_args(&a, "mock x");
  a = args_of("mock -p 82 --ports=9");
  assert_string_equal(cli_take_option(&a.n, a.v, "--port", "-p", &is_bad), "82");
  expect_args(&a, "mock --ports=9");
  a = args_of("mock --port=");
  assert_string_equal(cli_take_option(&a.n, a.v, "--port", NULL, &is_bad), "");
  expect_args(&a, "mock");
  assert_null(cli_take_option(&a.n, a.v, "--port", NULL, &is_bad));
  assert_false(is_bad);
  a = args_of("mock x --port");
  assert_null(cli_take_option(&a.n, a.v, "--port", NULL, &is_bad));
  assert_true(is_bad);
}

/* Runs the command line with its output in a file; text gets both streams. */
static int run(const char *line, char text[8192]) {
  struct args a = args_of(line);
  FILE *file = tmpfile();
  assert_non_null(file);
  fflush(NULL);
  int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
  dup2(fileno(file), STDOUT_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  int code = cli_main(a.n, a.v);
  fflush(NULL);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close(out);
  close(err);
  rewind(file);
  text[fread(text, 1, 8191, file)] = 0;
  fclose(file);
  return code;
}

TEST(help_and_mistakes) {
  char text[8192];
  static const char *const helps[] = {"maestro", "maestro help", "maestro --help", "maestro -h"};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(run(helps[i], text), CLI_OK);
    assert_non_null(strstr(text, "Usage: maestro COMMAND"));
    assert_non_null(strstr(text, "  serve "));
  }
  assert_int_equal(run("maestro serve --help", text), CLI_OK);
  assert_non_null(strstr(text, "Usage: maestro serve"));
  assert_non_null(strstr(text, "--port"));
  assert_int_equal(run("maestro mock -h", text), CLI_OK);
  assert_non_null(strstr(text, "Usage: maestro mock"));
  assert_int_equal(run("maestro sevre", text), CLI_USAGE);
  assert_non_null(strstr(text, "did you mean \"serve\"?"));
  assert_int_equal(run("maestro elephant", text), CLI_USAGE);
  assert_non_null(strstr(text, "`maestro --help` lists them"));
  static const char *const versions[] = {"maestro --version", "maestro -v", "maestro version"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(run(versions[i], text), CLI_OK);
    assert_non_null(strstr(text, MAESTRO_VERSION));
  }
  assert_int_equal(run("maestro serve --prot 80", text), CLI_USAGE);
  assert_non_null(strstr(text, "port"));
}

TEST(a_mistake_is_told_with_what_to_do) {
  static const struct {
    const char *line, *said;
  } mistakes[] = {
      {"maestro mock --port x", "--port must be a whole number from 0 to 65535"},
      {"maestro mock --chunks", "--chunks must be a whole number from 0 to 1000000"},
      {"maestro mock now", "does not take \"now\""},
      {"maestro store elephant", "there is no `store elephant`; `maestro store --help` lists them"},
      {"maestro store", "usage: maestro store migrate|backup|restore|export|import|seed [FILE]"},
      {"maestro store bakup", "did you mean `store backup`?"},
      {"maestro server stop --josn", "`maestro server stop` does not take \"--josn\""},
      {"maestro server info now --json", "`maestro server info` does not take \"now\""},
      {"maestro context show a", "`maestro context show` does not take \"a\""},
      {"maestro context get-key a b", "`maestro context get-key` does not take \"b\""},
      {"maestro context elephant", "there is no `context elephant`"},
      {"maestro user", "usage: maestro user create|list|show|refresh-token|delete [NAME]"},
  };
  char text[8192];
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    assert_int_equal(run(mistakes[i].line, text), CLI_USAGE);
    if (!strstr(text, mistakes[i].said)) fail_msg("%s: %s", mistakes[i].line, text);
  }
}

TEST(files_are_where_the_environment_says) {
  struct arena a;
  struct cli_paths p;
  struct err_info info = {0};
  arena_init(&a, 0);
  setenv("XDG_CONFIG_HOME", "/x/config", 1);
  setenv("XDG_DATA_HOME", "/x/data", 1);
  assert_int_equal(cli_paths(&a, &p, &info), OK);
  assert_string_equal(p.contexts, "/x/config/maestro/contexts.json");
  assert_string_equal(p.server_info, "/x/data/maestro/server.json");
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("XDG_DATA_HOME");
  unsetenv("HOME");
  assert_int_equal(cli_paths(&a, &p, &info), ERR_BAD_CONFIG);
  assert_true(info.text[0]);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flags_are_taken_out), cmocka_unit_test(options_are_taken_out_in_every_spelling),
      cmocka_unit_test(help_and_mistakes), cmocka_unit_test(a_mistake_is_told_with_what_to_do),
      cmocka_unit_test(files_are_where_the_environment_says)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
