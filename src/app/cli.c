/* The command line: see cli.h. */
#include "app/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

static const struct command {
  const char *name, *arguments, *help, *details;
  int (*run)(int argc, char **argv);
} commands[] = {
#define X(name, arguments, help, details, function) {name, arguments, help, details, function},
#include "app/commands.def"
#undef X
};

enum { COMMANDS = sizeof commands / sizeof *commands, FLAGS_MAX = 32 };

#define FLAG_CHARACTERS "-abcdefghijklmnopqrstuvwxyz"

static void print_help(FILE *to) {
  fprintf(to,
          "Maestro " MAESTRO_VERSION
          ": one gateway between your AI tools and every language model.\n\nUsage: maestro COMMAND [ARGUMENTS]\n\n");
  for (size_t i = 0; i < COMMANDS; i++) fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
  fprintf(to,
          "\n`maestro COMMAND --help` tells more. Start with `maestro serve`, then:\n"
          "  curl http://localhost:8080/v1/chat/completions -H 'Content-Type: application/json' \\\n"
          "    -d '{\"model\":\"maestro-auto\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'\n");
}

int cli_fail(enum cli_exit code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("maestro: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return code;
}

static void drop(int *argc, char **argv, int at, int n) {
  for (int i = at; i + n <= *argc; i++) argv[i] = argv[i + n];
  *argc -= n;
}

bool cli_take_flag(int *argc, char **argv, const char *flag) {
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], flag)) continue;
    drop(argc, argv, i, 1);
    return true;
  }
  return false;
}

const char *cli_take_option(int *argc, char **argv, const char *flag, const char *short_flag, bool *is_bad) {
  size_t n = strlen(flag);
  for (int i = 1; i < *argc; i++) {
    if (!strncmp(argv[i], flag, n) && argv[i][n] == '=') {
      const char *value = argv[i] + n + 1;
      drop(argc, argv, i, 1);
      return value;
    }
    if (strcmp(argv[i], flag) && (!short_flag || strcmp(argv[i], short_flag))) continue;
    if (i + 1 >= *argc) {
      *is_bad = true;
      return NULL;
    }
    const char *value = argv[i + 1];
    drop(argc, argv, i, 2);
    return value;
  }
  return NULL;
}

enum err cli_paths(struct arena *a, struct cli_paths *out, struct err_info *info) {
  struct cli_paths p;
  enum err e = config_directories(a, config_getenv, NULL, &p.config_dir, &p.data_dir, info);
  if (e) return e;
  p.contexts = arena_printf(a, "%s/contexts.json", p.config_dir).p;
  p.server_info = arena_printf(a, "%s/server.json", p.data_dir).p;
  if (!p.contexts || !p.server_info) return ERR_NO_MEMORY;
  *out = p;
  return OK;
}

/* Anywhere: `server stop --help` must not stop a server. */
static bool wants_help(int argc, char **argv) {
  for (int i = 2; i < argc; i++)
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
  return false;
}

static void print_command_help(const struct command *c) {
  bool takes_options = !strcmp(c->name, "serve") || !strcmp(c->name, "check");
  printf("Usage: maestro %s%s%s\n\n%s.\n", c->name, *c->arguments ? " " : "", c->arguments, c->help);
  if (*c->details) printf("\n%s", c->details);
  if (!takes_options) return;
  struct buf b;
  buf_init(&b, 0);
  config_write_help(&b);
  printf("\nOptions:\n%.*s", STR_ARG(buf_str(&b)));
  buf_clear(&b);
}

/* The flags that a command's help names, as "--word"; they are found there so that no flag stands in two places. */
static size_t flags_of(const struct command *c, struct arena *a, const char **out, size_t max) {
  const char *texts[] = {c->arguments, c->details};
  size_t n = 0;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (const char *at = strstr(texts[i], "--"); at && n < max; at = strstr(at, "--")) {
      size_t length = strspn(at, FLAG_CHARACTERS);
      out[n] = arena_printf(a, "%.*s", (int)length, at).p;
      n += out[n] != NULL;
      at += length;
    }
  return n;
}

/* What takes no option of the configuration knows all its flags by its help. */
static int check_flags(const struct command *c, int argc, char **argv) {
  static const char *const open[] = {"serve", "check", "server", "version"};
  const char *flags[FLAGS_MAX], *wrong = NULL, *near = NULL;
  struct arena a;
  arena_init(&a, 0);
  size_t n = flags_of(c, &a, flags, FLAGS_MAX);
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (!strcmp(c->name, open[i])) argc = 0;
  for (int i = 2; i < argc && !wrong; i++) {
    bool is_known = strncmp(argv[i], "--", 2) != 0;
    const char *flag = arena_printf(&a, "%.*s", (int)strcspn(argv[i], "="), argv[i]).p;
    for (size_t k = 0; k < n && !is_known && flag; k++) is_known = !strcmp(flag, flags[k]);
    if (is_known || !flag) continue;
    wrong = flag;
    near = str_nearest(str_from_c(flag), flags, n);
  }
  int code = CLI_OK;
  if (near) code = cli_fail(CLI_USAGE, "there is no flag \"%s\" here; did you mean \"%s\"?", wrong, near);
  if (wrong && !near)
    code = cli_fail(CLI_USAGE, "there is no flag \"%s\" here; `maestro %s --help` lists them", wrong, c->name);
  arena_clear(&a);
  return code;
}

int cli_check_arguments(const char *command, int argc, char **argv, int most) {
  if (argc <= most + 1) return CLI_OK;
  return cli_fail(CLI_USAGE, "`maestro %s %s` does not take \"%s\"; `maestro %s --help` tells what it takes", command,
                  argv[0], argv[most + 1], command);
}

int cli_no_action(const char *command, const char *action, const char *const *names, size_t n) {
  const char *near = action ? str_nearest(str_from_c(action), names, n) : NULL;
  if (near) return cli_fail(CLI_USAGE, "there is no `%s %s`; did you mean `%s %s`?", command, action, command, near);
  if (action)
    return cli_fail(CLI_USAGE, "there is no `%s %s`; `maestro %s --help` lists them", command, action, command);
  for (size_t i = 0; i < COMMANDS; i++)
    if (!strcmp(command, commands[i].name))
      return cli_fail(CLI_USAGE, "usage: maestro %s %s", command, commands[i].arguments);
  return CLI_USAGE;
}

/* After a crash the number may belong to another process by now, which must not be taken for the server. */
static bool is_maestro(int64_t pid) {
  char path[64], name[32] = "";
  if (pid <= 0 || (kill((pid_t)pid, 0) && errno != EPERM)) return false;
  snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
  FILE *f = fopen(path, "re");
  if (!f) return true; /* no /proc here */
  bool is_read = fgets(name, sizeof name, f);
  fclose(f);
  return is_read && !strncmp(name, "maestro", 7);
}

bool cli_find_server(const struct cli_paths *paths, struct server_info *out) {
  struct err_info info = {0};
  return !server_info_read(paths->server_info, out, &info) && is_maestro(out->pid);
}

const char *cli_endpoint(const struct cli_paths *paths, const struct context *c, char *room, size_t max) {
  struct server_info s;
  if (strcmp(c->name, CONTEXTS_LOCAL) || !cli_find_server(paths, &s)) return c->endpoint;
  bool is_here =
      !strcmp(s.host, "0.0.0.0") || !strcmp(s.host, "::") || !strcmp(s.host, "127.0.0.1") || !strcmp(s.host, "::1");
  bool is_ipv6 = !is_here && strchr(s.host, ':');
  snprintf(room, max, "http://%s%s%s:%u", is_ipv6 ? "[" : "", is_here ? "localhost" : s.host, is_ipv6 ? "]" : "",
           s.port);
  return room;
}

int cli_main(int argc, char **argv) {
  const char *names[COMMANDS];
  const char *name = argc > 1 ? argv[1] : "help";
  if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
    print_help(stdout);
    return CLI_OK;
  }
  if (!strcmp(name, "--version") || !strcmp(name, "-v") || !strcmp(name, "-V")) name = "version";
  for (size_t i = 0; i < COMMANDS; i++) {
    names[i] = commands[i].name;
    if (strcmp(name, commands[i].name)) continue;
    if (wants_help(argc, argv)) {
      print_command_help(&commands[i]);
      return CLI_OK;
    }
    int code = check_flags(&commands[i], argc, argv);
    return code ? code : commands[i].run(argc - 1, argv + 1);
  }
  const char *near = str_nearest(str_from_c(name), names, COMMANDS);
  return near ? cli_fail(CLI_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", name, near)
              : cli_fail(CLI_USAGE, "there is no command \"%s\"; `maestro --help` lists them", name);
}

int cli_find_contexts(struct arena *a, struct cli_paths *paths, struct contexts *contexts) {
  struct config_diags diags;
  struct err_info info = {0};
  config_diags_init(&diags);
  enum err e = cli_paths(a, paths, &info);
  if (!e) e = contexts_load(paths->contexts, contexts, &diags);
  config_diags_clear(&diags);
  if (!e) return CLI_OK;
  return cli_fail(CLI_FAILED, "%s",
                  info.text[0] ? info.text : "contexts.json cannot be read; `maestro context list` says why");
}
