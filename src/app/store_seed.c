/* `maestro store seed`: see store_seed.h. Either way the answer is the API's JSON, printed for people or as it is. */
#include "app/store_seed.h"

#include <stdio.h>

#include "admin/seeds.h"
#include "base/json.h"
#include "state/store/store.h"

struct seeding {
  struct seeds_input in;
  struct change change;
  bool is_status;
};

static enum err run(struct db *db, void *arg, struct err_info *info) {
  struct seeding *s = arg;
  if (s->is_status) return seeds_describe(db, &s->change, s->change.out, info);
  return change_run(db, &seeds_change, &s->change, info);
}

static int here(const struct cli_paths *paths, struct seeding *s) {
  struct err_info info = {0};
  struct store_status status;
  struct names now;
  enum err e = store_start(paths->data_dir, "store seed", &info);
  if (e) return cli_fail(CLI_FAILED, "%s", err_info_text(e, &info));
  store_status(&status);
  if (status.fault)
    e = err_set(&info, status.fault, "%s", status.text);
  else
    e = s->is_status ? store_read(run, s, &info) : store_write(run, s, &info);
  if (!e && !s->is_status) {
    store_names(&now); /* kept for a server that cannot read the store */
    names_clear(&now);
  }
  store_stop();
  return e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : CLI_OK;
}

static int served(const struct cli_paths *paths, struct arena *a, const struct context *context, struct seeding *s) {
  struct str body = s->in.is_reset ? STR("{\"reset\":true}") : STR("{}");
  if (s->is_status) body = STR("");
  return cli_ask(paths, a, context, s->is_status ? "GET" : "POST", "/api/admin/seed", body, s->change.out);
}

static int print(struct arena *a, struct str answer, bool is_status) {
  struct json doc;
  struct json_node row;
  size_t done = 0;
  if (json_parse_copy(&doc, answer, NULL, a, NULL)) return cli_fail(CLI_FAILED, "the answer cannot be understood");
  struct json_node root = json_root(&doc), rows = json_member(&root, STR("rows"));
  for (struct json_iter it = json_each(&rows); json_next(&it, &row);) {
    struct str kind = STR_NONE, name = STR_NONE, state = STR_NONE;
    if (json_get_string(&row, STR("kind"), &kind, NULL) || json_get_string(&row, STR("name"), &name, NULL) ||
        json_get_string(&row, STR("state"), &state, NULL))
      continue;
    printf("%-13.*s %-12.*s %.*s\n", STR_ARG(kind), STR_ARG(name), STR_ARG(state));
    done += str_eq(state, STR("added")) || str_eq(state, STR("restored"));
  }
  if (!is_status) printf("%zu of %zu added or put back\n", done, json_count(&rows));
  return CLI_OK;
}

int store_seed(const struct cli_paths *paths, struct arena *a, int argc, char **argv) {
  struct seeding s = {0};
  struct contexts contexts;
  struct config_diags diags;
  struct buf answer;
  bool as_json = cli_take_flag(&argc, argv, "--json");
  s.is_status = cli_take_flag(&argc, argv, "--status");
  s.in = (struct seeds_input){1, cli_take_flag(&argc, argv, "--reset")};
  if (argc > 1 || (s.is_status && s.in.is_reset))
    return cli_fail(CLI_USAGE, "usage: maestro store seed [--reset | --status] [--json]");
  buf_init(&answer, 0);
  s.change = (struct change){.arena = a, .in = &s.in, .actor = STR("command"), .out = &answer};
  config_diags_init(&diags);
  enum err e = contexts_load(paths->contexts, &contexts, &diags);
  config_diags_clear(&diags);
  if (e) return cli_fail(CLI_FAILED, "%s cannot be read; `maestro context list` tells why", paths->contexts);
  const struct context *context = contexts_current(&contexts);
  int code = cli_is_served(paths, context) ? served(paths, a, context, &s) : here(paths, &s);
  if (!code && answer.failed) code = cli_fail(CLI_FAILED, "out of memory");
  if (!code && as_json) printf("%.*s\n", STR_ARG(buf_str(&answer)));
  if (!code && !as_json) code = print(a, buf_str(&answer), s.is_status);
  buf_clear(&answer);
  contexts_clear(&contexts);
  return code;
}
