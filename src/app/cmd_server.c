/* `maestro server start|stop|info|status|show-key`: the server of this machine, found by server.json and the contexts.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/cli.h"
#include "base/clock.h"
#include "base/json.h"

struct place {
  struct arena arena;
  struct cli_paths paths;
  struct contexts contexts;
  bool as_json;
};

static int start(struct place *p, int argc, char **argv) {
  (void)p;
  return cmd_serve(argc, argv);
}

static bool is_alive(const struct server_info *s) { return !kill((pid_t)s->pid, 0) || errno == EPERM; }

enum { STOP_MS = 60000 };

static int stop(struct place *p, int argc, char **argv) {
  struct server_info s;
  (void)argc, (void)argv;
  if (!cli_find_server(&p->paths, &s))
    return cli_fail(CLI_NOT_RUNNING, "no server runs here; `maestro serve` starts one");
  if (kill((pid_t)s.pid, SIGTERM))
    return cli_fail(CLI_FAILED, "could not stop pid %lld: %s", (long long)s.pid, strerror(errno));
  if (isatty(STDOUT_FILENO)) printf("Stopping (running requests finish first) ...\n");
  for (int waited = 0; waited < STOP_MS; waited += 50) {
    const struct timespec tick = {.tv_nsec = 50 * 1000000L};
    if (!is_alive(&s)) {
      printf("Stopped.\n");
      return CLI_OK;
    }
    nanosleep(&tick, NULL);
  }
  return cli_fail(CLI_FAILED, "pid %lld has not ended within %d s; it may still be finishing requests",
                  (long long)s.pid, STOP_MS / 1000);
}

static int info(struct place *p, int argc, char **argv) {
  struct server_info s;
  (void)argc, (void)argv;
  if (!cli_find_server(&p->paths, &s))
    return cli_fail(CLI_NOT_RUNNING, "no server runs here; `maestro serve` starts one");
  char started[25];
  clock_format_rfc3339(s.started_wall_us, started);
  if (p->as_json)
    printf("{\"pid\":%lld,\"host\":\"%s\",\"port\":%u,\"started\":\"%s\",\"version\":\"%s\"}\n", (long long)s.pid,
           s.host, s.port, started, s.version);
  else
    printf("pid       %lld\naddress   %s:%u\nstarted   %s\nversion   %s\n", (long long)s.pid, s.host, s.port, started,
           s.version);
  return CLI_OK;
}

static struct str word_of(const struct json_node *n, const char *key) {
  struct str word = STR_NONE;
  return json_get_string(n, str_from_c(key), &word, NULL) ? STR_NONE : word;
}

/* A line for each thing that /healthz tells this caller; what it did not tell is left out. */
static void print_health(struct arena *a, struct str text) {
  static const char *const parts[] = {"store", "responses"};
  struct json doc;
  struct json_node one;
  struct str id;
  uint64_t models = 0;
  if (json_parse_copy(&doc, text, NULL, a, NULL)) {
    printf("health    %.*s\n", STR_ARG(text));
    return;
  }
  struct json_node root = json_root(&doc), providers = json_member(&root, STR("providers_configured"));
  printf("health    %.*s\n", STR_ARG(word_of(&root, "status")));
  if (!word_of(&root, "version").n) return;
  printf("version   %.*s\nproviders ", STR_ARG(word_of(&root, "version")));
  if (!json_count(&providers)) printf("none");
  const char *before = "";
  for (struct json_iter it = json_each(&providers); json_next(&it, &one); before = ", ")
    if (!json_string(&one, &id, NULL)) printf("%s%.*s", before, STR_ARG(id));
  if (!json_get_u64(&root, STR("models"), &models, NULL)) printf("\nmodels    %llu\n", (unsigned long long)models);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    struct json_node part = json_member(&root, str_from_c(parts[i]));
    struct str detail = word_of(&part, "detail");
    printf("%-9s %.*s%s%.*s\n", parts[i], STR_ARG(word_of(&part, "status")), detail.n ? ": " : "", STR_ARG(detail));
  }
}

static int status(struct place *p, int argc, char **argv) {
  const struct context *c = contexts_current(&p->contexts);
  struct cli_reply reply;
  struct err_info why = {0};
  struct context local = *c;
  char endpoint[CLI_ENDPOINT_BYTES];
  (void)argc, (void)argv;
  local.endpoint = (char *)cli_endpoint(&p->paths, c, endpoint, sizeof endpoint);
  enum err e = cli_request(&local, "GET", "/healthz", &reply, &why);
  int code = CLI_OK;
  if (e) {
    if (p->as_json) printf("{\"context\":\"%s\",\"endpoint\":\"%s\",\"reachable\":false}\n", c->name, local.endpoint);
    code = p->as_json ? CLI_NOT_RUNNING
                      : cli_fail(CLI_NOT_RUNNING, "%s; `maestro serve` starts one", err_info_text(e, &why));
  } else if (p->as_json) {
    printf("{\"context\":\"%s\",\"endpoint\":\"%s\",\"reachable\":true,\"health\":%.*s}\n", c->name, local.endpoint,
           STR_ARG(buf_str(&reply.body)));
  } else {
    printf("context   %s\nendpoint  %s\n", c->name, local.endpoint);
    print_health(&p->arena, buf_str(&reply.body));
  }
  if (!e && reply.status != 200) code = CLI_FAILED;
  buf_clear(&reply.body);
  return code;
}

static int show_key(struct place *p, int argc, char **argv) {
  const struct context *c = contexts_current(&p->contexts);
  (void)argc, (void)argv;
  struct str key = secret_reveal(c->key);
  if (!key.n) return cli_fail(CLI_FAILED, "the context \"%s\" has no key yet; `maestro serve` makes one", c->name);
  printf("%.*s\n", STR_ARG(key));
  return CLI_OK;
}

static const struct {
  const char *name;
  int (*run)(struct place *p, int argc, char **argv);
} actions[] = {{"start", start}, {"stop", stop}, {"info", info}, {"status", status}, {"show-key", show_key}};

enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(struct place *p, int argc, char **argv) {
  const char *names[ACTIONS];
  for (size_t i = 0; i < ACTIONS; i++) {
    names[i] = actions[i].name;
    if (argc < 2 || strcmp(argv[1], names[i])) continue;
    bool is_start = actions[i].run == start; /* it takes what `serve` takes */
    int code = is_start ? CLI_OK : cli_check_arguments("server", argc - 1, argv + 1, 0);
    return code ? code : actions[i].run(p, argc - 1, argv + 1);
  }
  return cli_no_action("server", argc > 1 ? argv[1] : NULL, names, ACTIONS);
}

int cmd_server(int argc, char **argv) {
  struct place p = {0};
  struct config_diags diags;
  struct err_info why = {0};
  int code;
  p.as_json = cli_take_flag(&argc, argv, "--json");
  arena_init(&p.arena, 0);
  config_diags_init(&diags);
  enum err e = cli_paths(&p.arena, &p.paths, &why);
  if (!e) e = contexts_load(p.paths.contexts, &p.contexts, &diags);
  if (e) {
    code = cli_fail(CLI_FAILED, "%s",
                    why.text[0] ? why.text : "contexts.json cannot be read; `maestro context list` says why");
  } else {
    code = run(&p, argc, argv);
    contexts_clear(&p.contexts);
  }
  config_diags_clear(&diags);
  arena_clear(&p.arena);
  return code;
}
