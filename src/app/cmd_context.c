/* `maestro context …`: the servers that commands speak to, kept in contexts.json (0600). Keys are shown masked but by
 * `get-key`; a key to be stored is read from standard input or MAESTRO_CONTEXT_KEY, never from an argument. */
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "app/cli.h"
#include "base/crypto.h"

struct place {
  struct arena arena;
  struct cli_paths paths;
  struct contexts contexts;
  const char *endpoint; /* -e */
  bool as_json, has_key;
};

static void print_row(const struct place *p, const struct context *c, bool is_last) {
  char mask[64] = "", room[CLI_ENDPOINT_BYTES];
  bool is_current = !strcmp(c->name, p->contexts.current);
  const char *endpoint = cli_endpoint(&p->paths, c, room, sizeof room);
  if (c->key) secret_mask(c->key, 12, 4, mask, sizeof mask);
  if (p->as_json)
    printf("{\"name\":\"%s\",\"endpoint\":\"%s\",\"has_key\":%s,\"current\":%s}%s", c->name, endpoint,
           c->key ? "true" : "false", is_current ? "true" : "false", is_last ? "" : ",");
  else
    printf("%s %-16s %-40s %s\n", is_current ? "*" : " ", c->name, endpoint, c->key ? mask : "(no key)");
}

static int list(struct place *p, int argc, char **argv) {
  (void)argc, (void)argv;
  if (p->as_json) printf("[");
  for (size_t i = 0; i < p->contexts.n; i++) print_row(p, &p->contexts.items[i], i + 1 == p->contexts.n);
  if (p->as_json) printf("]\n");
  return CLI_OK;
}

static int show(struct place *p, int argc, char **argv) {
  (void)argc, (void)argv;
  print_row(p, contexts_current(&p->contexts), true);
  if (p->as_json) printf("\n");
  return CLI_OK;
}

static int save(struct place *p, enum err e, struct err_info *why, const char *done, const char *name) {
  if (!e) e = contexts_save(p->paths.contexts, &p->contexts, why);
  if (e) return cli_fail(CLI_FAILED, "%s", err_info_text(e, why));
  printf("%s %s\n", done, name);
  return CLI_OK;
}

static int need_name(int argc, const char *usage) {
  return argc > 1 ? CLI_OK : cli_fail(CLI_USAGE, "usage: maestro context %s", usage);
}

static int set(struct place *p, int argc, char **argv) {
  struct err_info why = {0};
  if (need_name(argc, "set NAME")) return CLI_USAGE;
  return save(p, contexts_select(&p->contexts, str_from_c(argv[1]), &why), &why, "Current context:", argv[1]);
}

/* One line from standard input, without echo on a terminal. */
static bool read_key(char *out, size_t max) {
  const char *env = getenv("MAESTRO_CONTEXT_KEY");
  if (env && !env[0]) env = NULL; /* empty is unset, as everywhere */
  struct termios before, quiet;
  bool is_terminal = !env && isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);
  if (env) return snprintf(out, max, "%s", env) < (int)max && out[0];
  if (is_terminal) {
    fprintf(stderr, "Key: ");
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  bool is_ok = fgets(out, (int)max, stdin);
  if (is_terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
  }
  if (is_ok) out[strcspn(out, "\r\n")] = 0;
  return is_ok && out[0];
}

enum { KEY_MAX = 1024 };

static int add(struct place *p, int argc, char **argv) {
  struct err_info why = {0};
  char key[KEY_MAX] = "";
  bool replaced = false;
  if (need_name(argc, "add NAME -e URL [--key] (the key is read from standard input)")) return CLI_USAGE;
  if (!p->endpoint) return cli_fail(CLI_USAGE, "`context add` needs -e URL");
  if (p->has_key && !read_key(key, sizeof key)) return cli_fail(CLI_USAGE, "no key came from standard input");
  enum err e =
      contexts_add(&p->contexts, str_from_c(argv[1]), str_from_c(p->endpoint), str_from_c(key), &replaced, &why);
  crypto_wipe(key, sizeof key);
  return save(p, e, &why, replaced ? "Replaced" : "Added", argv[1]);
}

static int update(struct place *p, int argc, char **argv) {
  struct err_info why = {0};
  char key[KEY_MAX] = "";
  if (need_name(argc, "update NAME [-e URL] [--key]")) return CLI_USAGE;
  if (!p->endpoint && !p->has_key) return cli_fail(CLI_USAGE, "`context update` needs -e URL or --key");
  if (p->has_key && !read_key(key, sizeof key)) return cli_fail(CLI_USAGE, "no key came from standard input");
  struct str endpoint = str_from_c(p->endpoint), secret = str_from_c(key);
  enum err e = contexts_update(&p->contexts, str_from_c(argv[1]), p->endpoint ? &endpoint : NULL,
                               p->has_key ? &secret : NULL, &why);
  crypto_wipe(key, sizeof key);
  return save(p, e, &why, "Updated", argv[1]);
}

static int remove_one(struct place *p, int argc, char **argv) {
  struct err_info why = {0};
  if (need_name(argc, "remove NAME")) return CLI_USAGE;
  return save(p, contexts_remove(&p->contexts, str_from_c(argv[1]), &why), &why, "Removed", argv[1]);
}

static int test(struct place *p, int argc, char **argv) {
  struct context *c = argc > 1 ? contexts_find(&p->contexts, str_from_c(argv[1])) : contexts_current(&p->contexts);
  struct cli_reply reply;
  struct err_info why = {0};
  if (!c) return cli_fail(CLI_USAGE, "there is no context \"%s\"", argv[1]);
  char room[CLI_ENDPOINT_BYTES];
  struct context real = *c;
  real.endpoint = (char *)cli_endpoint(&p->paths, c, room, sizeof room);
  enum err e = cli_request(&real, "GET", "/v1/models", &reply, &why);
  int code = CLI_OK;
  if (e)
    code = cli_fail(CLI_NOT_RUNNING, "%s", err_info_text(e, &why));
  else if (reply.status == 200)
    printf("ok: %s answers%s\n", real.endpoint, c->key ? " and takes the key" : "; no key was sent");
  else
    code = cli_fail(CLI_FAILED, "%s answers with status %d: %.*s", real.endpoint, reply.status,
                    STR_ARG(buf_str(&reply.body)));
  buf_clear(&reply.body);
  return code;
}

static int get_key(struct place *p, int argc, char **argv) {
  struct context *c = argc > 1 ? contexts_find(&p->contexts, str_from_c(argv[1])) : contexts_current(&p->contexts);
  if (!c) return cli_fail(CLI_USAGE, "there is no context \"%s\"", argv[1]);
  if (!c->key) return cli_fail(CLI_FAILED, "the context \"%s\" has no key", c->name);
  printf("%.*s\n", STR_ARG(secret_reveal(c->key)));
  return CLI_OK;
}

static int set_key(struct place *p, int argc, char **argv) {
  struct context *c = argc > 1 ? contexts_find(&p->contexts, str_from_c(argv[1])) : contexts_current(&p->contexts);
  struct err_info why = {0};
  char key[KEY_MAX];
  if (!c) return cli_fail(CLI_USAGE, "there is no context \"%s\"", argv[1]);
  if (!read_key(key, sizeof key)) return cli_fail(CLI_USAGE, "no key came from standard input");
  struct str secret = str_from_c(key);
  enum err e = contexts_update(&p->contexts, str_from_c(c->name), NULL, &secret, &why);
  crypto_wipe(key, sizeof key);
  return save(p, e, &why, "Key stored for", c->name);
}

static const struct {
  const char *name;
  int most; /* arguments */
  int (*run)(struct place *p, int argc, char **argv);
} actions[] = {{"show", 0, show},       {"current", 0, show},   {"list", 0, list},         {"set", 1, set},
               {"add", 1, add},         {"update", 1, update},  {"remove", 1, remove_one}, {"test", 1, test},
               {"get-key", 1, get_key}, {"set-key", 1, set_key}};

enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(struct place *p, int argc, char **argv) {
  const char *names[ACTIONS];
  if (argc < 2) return list(p, argc, argv);
  for (size_t i = 0; i < ACTIONS; i++) {
    names[i] = actions[i].name;
    if (strcmp(argv[1], names[i])) continue;
    int code = cli_check_arguments("context", argc - 1, argv + 1, actions[i].most);
    return code ? code : actions[i].run(p, argc - 1, argv + 1);
  }
  return cli_no_action("context", argv[1], names, ACTIONS);
}

int cmd_context(int argc, char **argv) {
  struct place p = {0};
  struct config_diags diags;
  struct err_info why = {0};
  struct buf faults;
  bool is_bad = false;
  int code;
  p.as_json = cli_take_flag(&argc, argv, "--json");
  p.has_key = cli_take_flag(&argc, argv, "--key");
  p.endpoint = cli_take_option(&argc, argv, "--endpoint", "-e", &is_bad);
  if (is_bad) return cli_fail(CLI_USAGE, "-e needs a URL");
  arena_init(&p.arena, 0);
  buf_init(&faults, 0);
  config_diags_init(&diags);
  enum err e = cli_paths(&p.arena, &p.paths, &why);
  if (!e) e = contexts_load(p.paths.contexts, &p.contexts, &diags);
  config_diags_write(&diags, &faults);
  fprintf(stderr, "%.*s", STR_ARG(buf_str(&faults)));
  if (e) {
    code = cli_fail(CLI_FAILED, "%s", err_info_text(e, &why));
  } else {
    code = run(&p, argc, argv);
    contexts_clear(&p.contexts);
  }
  buf_clear(&faults);
  config_diags_clear(&diags);
  arena_clear(&p.arena);
  return code;
}
