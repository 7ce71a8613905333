/* `maestro user create|list|show|refresh-token|delete`. With a running server (or a context that is elsewhere) it is
 * the admin API that does it; without one the command takes the lock of the data directory and runs the same change on
 * the store itself. Either way the answer is the API's JSON, printed for people or, with --json, as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/people/users_change.h"
#include "admin/people/users_json.h"
#include "app/cli.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "route/catalog.h"
#include "state/data_lock.h"
#include "state/store/store.h"

struct place {
  struct arena arena;
  struct cli_paths paths;
  struct contexts contexts;
  struct buf answer;   /* JSON */
  struct buf balances; /* the same, of a user that a server has; empty: none */
  bool as_json, has_all_models, is_remote;
  const char *role, *models, *token;
  uint64_t expires_days; /* 0: never */
};

/* ---- without one ---- */

struct here {
  struct change change;
  const struct change_row *row;
};

static enum err run_change(struct db *db, void *arg, struct err_info *info) {
  struct here *h = arg;
  return change_run(db, h->row, &h->change, info);
}

/* The configured key, as a server would take it. */
static enum err find_key(const struct cli_paths *paths, struct secret **out, struct err_info *info) {
  const struct config_sources sources = {.config_dir = paths->config_dir,
                                         .data_dir = paths->data_dir,
                                         .vocabulary = catalog_vocabulary(),
                                         .env = config_getenv};
  struct config *config = NULL;
  struct config_diags diags;
  config_diags_init(&diags);
  enum err e = config_load(&sources, &config, &diags);
  if (e) {
    err_set(info, e, "the configuration has faults: `maestro check` tells which");
  } else if (secret_bytes(config->options.auth_jwt_secret)) {
    *out = secret_dup(config->options.auth_jwt_secret);
    if (!*out) e = ERR_NO_MEMORY;
  } else {
    e = store_token_key(out, info);
  }
  config_unref(config);
  config_diags_clear(&diags);
  return e;
}

static enum err change_here(struct place *p, enum users_operation operation, struct str user, struct str item,
                            struct str body, struct err_info *info) {
  struct users_input in;
  struct people now;
  struct buf out;
  struct here h = {.row = users_operation(operation)};
  h.change =
      (struct change){.arena = &p->arena, .name = user, .item = item, .in = &in, .actor = STR("command"), .out = &out};
  buf_init(&out, 0);
  enum err e = fields_read(&p->arena, body, &users_fields, h.row->allowed, h.row->required, &in, info);
  if (!e && h.row->begin) e = find_key(&p->paths, &h.change.key, info);
  if (!e) e = store_write(run_change, &h, info);
  if (!e) {
    store_people(&now); /* kept for a server that cannot read the store */
    people_clear(&now);
    buf_put(&p->answer, buf_str(&out));
  }
  crypto_wipe(out.p, out.n);
  buf_clear(&out);
  secret_free(h.change.key);
  return e;
}

static enum err read_here(struct place *p, struct str user, struct err_info *info) {
  struct people people;
  enum err e = OK;
  store_people(&people);
  const struct user *one = user.n ? people_find(&people, user) : NULL;
  if (user.n && !one) {
    e = err_set(info, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(user));
  } else if (one) {
    users_json_put(&p->answer, one, STR_NONE);
  } else {
    json_out_begin(&p->answer, '[');
    for (size_t i = 0; i < people.user_count; i++) users_json_put(&p->answer, &people.users[i], STR_NONE);
    json_out_end(&p->answer, ']');
  }
  people_clear(&people);
  return e;
}

/* operation COUNT: a read. */
static int here(struct place *p, enum users_operation operation, struct str user, struct str item, struct str body) {
  struct err_info info = {0};
  struct store_status status;
  enum err e = store_start(p->paths.data_dir, "user", &info);
  if (e) return cli_fail(CLI_FAILED, "%s", err_info_text(e, &info));
  store_status(&status);
  if (status.fault)
    e = err_set(&info, status.fault, "%s", status.text);
  else if (operation == USERS_OPERATION_COUNT)
    e = read_here(p, user, &info);
  else
    e = change_here(p, operation, user, item, body, &info);
  store_stop();
  return e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : CLI_OK;
}

static int perform(struct place *p, enum users_operation operation, const char *method, struct str user,
                   const char *tail, struct str item, struct str body) {
  const struct context *context = contexts_current(&p->contexts);
  if (!cli_is_served(&p->paths, context)) return here(p, operation, user, item, body);
  p->is_remote = true;
  const char *name = cli_percent_encode(&p->arena, user), *last = cli_percent_encode(&p->arena, item);
  struct str path = name && last ? arena_printf(&p->arena, "/api/admin/users%s%s%s%s", user.n ? "/" : "", name, tail,
                                                item.n ? last : "")
                                 : STR_NONE;
  return path.p ? cli_ask(&p->paths, &p->arena, context, method, path.p, body, &p->answer)
                : cli_fail(CLI_FAILED, "out of memory");
}

/* ---- what is printed ---- */

static struct str member(const struct json_node *n, const char *key) {
  struct str s = STR_NONE;
  return json_get_string(n, str_from_c(key), &s, NULL) ? STR_NONE : s;
}

static bool flag(const struct json_node *n, const char *key) {
  bool v = false;
  return !json_get_bool(n, str_from_c(key), &v, NULL) && v;
}

static void print_models(const struct json_node *u) {
  struct json_node list = json_member(u, STR("models")), one;
  bool is_first = true;
  if (flag(u, "has_all_models")) {
    printf("all");
    return;
  }
  if (!json_count(&list)) printf("none");
  for (struct json_iter it = json_each(&list); json_next(&it, &one); is_first = false) {
    struct str s = STR_NONE;
    if (!json_string(&one, &s, NULL)) printf("%s%.*s", is_first ? "" : ",", STR_ARG(s));
  }
}

static void print_row(const struct json_node *u) {
  struct json_node tokens = json_member(u, STR("tokens"));
  printf("%-24.*s %-9.*s %-9s %6zu  ", STR_ARG(member(u, "username")), STR_ARG(member(u, "role")),
         flag(u, "is_active") ? "active" : "inactive", json_count(&tokens));
  print_models(u);
  printf("\n");
}

static void print_user(const struct json_node *u) {
  struct json_node list = json_member(u, STR("tokens")), one;
  printf("%.*s: %.*s, %s, since %.*s\n  models: ", STR_ARG(member(u, "username")), STR_ARG(member(u, "role")),
         flag(u, "is_active") ? "active" : "inactive", STR_ARG(str_sub(member(u, "created_at"), 0, 10)));
  print_models(u);
  printf("\n");
  if (member(u, "team").n) printf("  team: %.*s\n", STR_ARG(member(u, "team")));
  for (struct json_iter it = json_each(&list); json_next(&it, &one);) {
    struct str expires = member(&one, "expires_at");
    printf("  token %.*s, made %.*s, %s%.*s\n", STR_ARG(member(&one, "name")),
           STR_ARG(str_sub(member(&one, "created_at"), 0, 10)), expires.n ? "holds until " : "does not expire",
           STR_ARG(str_sub(expires, 0, 10)));
  }
}

/* What is limited, and what is left where a server has counted: "budget $3 a month, $2.5 left, 60 requests a minute".
 */
static void print_limits(const char *label, struct str name, const struct json_node *l) {
  static const struct {
    struct str key;
    const char *what, *when;
  } counts[] = {{STR("requests_per_minute"), "request", "a minute"},
                {STR("requests_per_day"), "request", "a day"},
                {STR("tokens_per_minute"), "token", "a minute"},
                {STR("tokens_per_day"), "token", "a day"},
                {STR("concurrency"), "call", "at the same time"}};
  struct json_node node = json_member(l, STR("budget_usd")), left = json_member(l, STR("left_usd"));
  struct str text, period = member(l, "period");
  const char *before = "";
  if (json_type(l) != JSON_OBJECT) return;
  printf("  %s%.*s: ", label, STR_ARG(name));
  if (!json_number_raw(&node, &text, NULL)) {
    printf("budget $%.*s%s%.*s", STR_ARG(text), str_eq(period, STR("total")) ? "" : " a ",
           str_eq(period, STR("total")) ? 0 : (int)period.n, period.p);
    if (!json_number_raw(&left, &text, NULL)) printf(", $%.*s left", STR_ARG(text));
    before = ", ";
  }
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    node = json_member(l, counts[i].key);
    if (json_number_raw(&node, &text, NULL)) continue;
    const char *plural = str_eq(text, STR("1")) ? "" : "s";
    printf("%s%.*s %s%s %s", before, STR_ARG(text), counts[i].what, plural, counts[i].when);
    before = ", ";
  }
  printf("%s\n", *before ? "" : "no limits");
}

/* Without a server: what is set. */
static void print_set_limits(const struct json_node *user) {
  struct json_node limits = json_member(user, STR("limits")), list = json_member(user, STR("tokens")), one;
  print_limits("limits", STR_NONE, &limits);
  for (struct json_iter it = json_each(&list); json_next(&it, &one);) {
    limits = json_member(&one, STR("limits"));
    print_limits("token ", member(&one, "name"), &limits);
  }
}

/* With a server: what it has counted. */
static void print_balances(struct place *p) {
  static const struct json_limits limits = {.numbers_are_raw = true};
  struct json doc;
  struct json_node one;
  if (!p->balances.n || json_parse_copy(&doc, buf_str(&p->balances), &limits, &p->arena, NULL)) return;
  struct json_node root = json_root(&doc), list = json_member(&root, STR("balances"));
  for (struct json_iter it = json_each(&list); json_next(&it, &one);) print_limits("", member(&one, "name"), &one);
}

enum shape { SHAPE_LIST, SHAPE_USER, SHAPE_TOKEN };

/* A token goes to standard output alone, so that it can be piped where it belongs. */
static int print(struct place *p, enum shape shape) {
  static const struct json_limits raw = {.numbers_are_raw = true};
  struct json doc;
  struct json_node one;
  if (p->answer.failed) return cli_fail(CLI_FAILED, "out of memory");
  if (p->as_json) {
    printf("%.*s\n", STR_ARG(buf_str(&p->answer)));
    return CLI_OK;
  }
  if (json_parse_copy(&doc, buf_str(&p->answer), &raw, &p->arena, NULL))
    return cli_fail(CLI_FAILED, "the server's answer cannot be understood");
  struct json_node root = json_root(&doc);
  switch (shape) {
    case SHAPE_LIST:
      printf("%-24s %-9s %-9s %6s  %s\n", "NAME", "ROLE", "STATE", "TOKENS", "MODELS");
      for (struct json_iter it = json_each(&root); json_next(&it, &one);) print_row(&one);
      break;
    case SHAPE_USER:
      print_user(&root);
      if (p->balances.n)
        print_balances(p);
      else
        print_set_limits(&root);
      break;
    case SHAPE_TOKEN:
      fprintf(stderr, "The token of %.*s, which is shown only now:\n", STR_ARG(member(&root, "username")));
      printf("%.*s\n", STR_ARG(member(&root, "token")));
  }
  return CLI_OK;
}

/* ---- actions ---- */

static void put_expires(struct place *p, struct buf *b) {
  if (p->expires_days) json_out_member_i64(b, "expires_in_days", (int64_t)p->expires_days);
}

static int create(struct place *p, struct str name) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_member_string(&b, "username", name);
  if (p->role) json_out_member_string(&b, "role", str_from_c(p->role));
  if (p->has_all_models) json_out_member_bool(&b, "has_all_models", true);
  if (p->models) {
    struct str rest = str_from_c(p->models), one;
    json_out_key(&b, "models");
    json_out_begin(&b, '[');
    while (rest.n) {
      str_cut(rest, ',', &one, &rest);
      json_out_string(&b, str_trim(one));
    }
    json_out_end(&b, ']');
  }
  put_expires(p, &b);
  json_out_end(&b, '}');
  int code = perform(p, USERS_OPERATION_create, "POST", STR_NONE, "", STR_NONE, buf_str(&b));
  buf_clear(&b);
  if (code) return code;
  if (!p->as_json && !p->models && !p->has_all_models)
    fprintf(stderr, "It may use no model yet: see --models and --all-models, or the admin API.\n");
  return print(p, SHAPE_TOKEN);
}

enum { PAGE = 500 };

/* How many users the page that begins at `from` of the answer has, and the name of the last. */
static size_t look_at_page(struct place *p, size_t from, struct str *last) {
  struct json doc;
  struct json_node one;
  struct str page = str_sub(buf_str(&p->answer), from, p->answer.n);
  if (json_parse_copy(&doc, page, NULL, &p->arena, NULL)) return 0;
  struct json_node root = json_root(&doc);
  for (struct json_iter it = json_each(&root); json_next(&it, &one);) *last = member(&one, "username");
  return json_count(&root);
}

/* A server gives a page at a time; they become one array. */
static int list(struct place *p, struct str name) {
  struct str after = STR_NONE;
  size_t from = 0, n;
  (void)name;
  do {
    struct str query = arena_printf(&p->arena, "?limit=%d%s%s", (int)PAGE, after.n ? "&after=" : "",
                                    cli_percent_encode(&p->arena, after));
    if (!query.p) return cli_fail(CLI_FAILED, "out of memory");
    int code = perform(p, USERS_OPERATION_COUNT, "GET", STR_NONE, query.p, STR_NONE, STR_NONE);
    if (code) return code;
    n = p->is_remote ? look_at_page(p, from, &after) : 0;
    if (from && n) /* "[a" and "[b]" become "[a,b]" */
      p->answer.p[from] = ',';
    else if (from)
      p->answer.n = from, buf_put_char(&p->answer, ']');
    if (n == PAGE) from = --p->answer.n;
  } while (n == PAGE);
  return print(p, SHAPE_LIST);
}

static int show(struct place *p, struct str name) {
  int code = perform(p, USERS_OPERATION_COUNT, "GET", name, "", STR_NONE, STR_NONE);
  if (!code && p->is_remote && !p->as_json) {
    struct buf user = p->answer;
    p->answer = p->balances;
    code = perform(p, USERS_OPERATION_COUNT, "GET", name, "/balance", STR_NONE, STR_NONE);
    p->balances = p->answer;
    p->answer = user;
  }
  return code ? code : print(p, SHAPE_USER);
}

static int refresh_token(struct place *p, struct str name) {
  struct buf b;
  struct str token = str_from_c(p->token);
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  put_expires(p, &b);
  json_out_end(&b, '}');
  int code = perform(p, USERS_OPERATION_token_renew, "PUT", name, token.n ? "/tokens/" : "/token", token, buf_str(&b));
  buf_clear(&b);
  return code ? code : print(p, SHAPE_TOKEN);
}

static int delete (struct place *p, struct str name) {
  int code = perform(p, USERS_OPERATION_delete, "DELETE", name, "", STR_NONE, STR_NONE);
  if (code) return code;
  if (p->as_json)
    printf("{\"success\":true}\n");
  else
    printf("Deleted %.*s\n", STR_ARG(name));
  return CLI_OK;
}

static const struct {
  const char *name;
  int (*run)(struct place *p, struct str name);
} actions[] = {
    {"create", create}, {"list", list}, {"show", show}, {"refresh-token", refresh_token}, {"delete", delete}};

enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(struct place *p, int argc, char **argv) {
  const char *names[ACTIONS];
  for (size_t i = 0; i < ACTIONS; i++) {
    names[i] = actions[i].name;
    if (argc < 2 || strcmp(argv[1], names[i])) continue;
    bool is_list = actions[i].run == list;
    if (argc != (is_list ? 2 : 3) || (!is_list && !argv[2][0]))
      return cli_fail(CLI_USAGE, "usage: maestro user %s%s", names[i], is_list ? "" : " NAME");
    return actions[i].run(p, is_list ? STR_NONE : str_from_c(argv[2]));
  }
  return cli_no_action("user", argc > 1 ? argv[1] : NULL, names, ACTIONS);
}

int cmd_user(int argc, char **argv) {
  struct place p = {0};
  bool is_bad = false;
  p.as_json = cli_take_flag(&argc, argv, "--json");
  p.has_all_models = cli_take_flag(&argc, argv, "--all-models");
  p.role = cli_take_option(&argc, argv, "--role", NULL, &is_bad);
  p.models = cli_take_option(&argc, argv, "--models", NULL, &is_bad);
  const char *expires = cli_take_option(&argc, argv, "--expires", NULL, &is_bad);
  p.token = cli_take_option(&argc, argv, "--token", NULL, &is_bad);
  if (is_bad) return cli_fail(CLI_USAGE, "an option lacks its value; `maestro user --help` lists them");
  if (expires &&
      (!str_to_u64(str_from_c(expires), &p.expires_days) || p.expires_days < 1 || p.expires_days > USERS_DAYS_MAX))
    return cli_fail(CLI_USAGE, "--expires must be 1 to %d days; without it a token does not expire",
                    (int)USERS_DAYS_MAX);
  log_set_level(LOG_LEVEL_WARN); /* what a server would tell its operator */
  arena_init(&p.arena, 0);
  buf_init(&p.answer, 0);
  buf_init(&p.balances, 0);
  int code = cli_find_contexts(&p.arena, &p.paths, &p.contexts);
  if (!code) {
    code = run(&p, argc, argv);
    contexts_clear(&p.contexts);
  }
  crypto_wipe(p.answer.p, p.answer.n);
  buf_clear(&p.answer);
  buf_clear(&p.balances);
  arena_clear(&p.arena);
  return code;
}
