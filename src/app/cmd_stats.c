/* `maestro stats`: use of models by requests, tokens and money, and a heat map of hours. Asks the running server (or
 * the context's), else reads the roll-ups itself; either way the answer is the admin API's JSON
 * (admin/records/usage.c), printed for people or, with --json, as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/records/usage.h"
#include "app/cli.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

enum { DAYS = 7, DAYS_MAX = 365, SHADES = 5, BAR_CELLS = 40 };

struct place {
  struct arena arena;
  struct cli_paths paths;
  struct contexts contexts;
  struct buf answer; /* JSON */
  bool as_json, has_heatmap, has_colour;
  uint64_t days;
  struct str provider, model;
};

/* ---- getting it ---- */

static int read_here(struct place *p) {
  struct log_reader reader;
  struct err_info info = {0};
  int64_t today = log_day(clock_wall_us());
  const struct usage_ask ask = {
      .today = today, .from = today - (int64_t)p->days + 1, .to = today, .node = p->provider, .model = p->model};
  struct str folder = arena_printf(&p->arena, "%s/logs", p->paths.data_dir);
  enum err e = folder.p ? log_reader_open(&reader, folder.p, today, &info) : ERR_NO_MEMORY;
  if (!e) {
    e = usage_stats(&reader, &ask, &p->answer, &info);
    log_reader_close(&reader);
  }
  return e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : CLI_OK;
}

static int get(struct place *p) {
  const struct context *context = contexts_current(&p->contexts);
  if (!context || !cli_is_served(&p->paths, context)) return read_here(p);
  const char *provider = cli_percent_encode(&p->arena, p->provider), *model = cli_percent_encode(&p->arena, p->model);
  struct str path = provider && model ? arena_printf(&p->arena, "/api/admin/stats?days=%llu&provider=%s&model=%s",
                                                     (unsigned long long)p->days, provider, model)
                                      : STR_NONE;
  if (!path.p) return cli_fail(CLI_FAILED, "out of memory");
  return cli_ask(&p->paths, &p->arena, context, "GET", path.p, STR_NONE, &p->answer);
}

/* ---- printing it ---- */

static int64_t number(const struct json_node *n, const char *key) {
  int64_t v = 0;
  return json_get_i64(n, str_from_c(key), &v, NULL) ? 0 : v;
}

/* With thousands apart: 1,234,567. */
static const char *grouped(int64_t v, char room[32]) {
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%lld", (long long)v), at = 0;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0 && digits[i - 1] != '-') room[at++] = ',';
    room[at++] = digits[i];
  }
  room[at] = '\0';
  return room;
}

/* A member that is a number or null, as it is written. */
static struct str as_text(struct place *p, const struct json_node *n, const char *key, const char *unit) {
  struct json_node v = json_member(n, str_from_c(key));
  double d;
  if (json_double(&v, &d, NULL)) return STR("-");
  return arena_printf(&p->arena, *unit == '$' ? "$%.4f" : "%.0f ms", d);
}

static void print_model(struct place *p, struct str name, const struct json_node *m) {
  char requests[32], tokens[32];
  struct str node, model;
  str_cut(name, '/', &node, &model);
  printf("%-36.*s %-18.*s %12s %16s %12.*s %10.*s\n", STR_ARG(model.n ? model : name), STR_ARG(node),
         grouped(number(m, "request_count"), requests), grouped(number(m, "total_tokens"), tokens),
         STR_ARG(as_text(p, m, "avg_latency_ms", "ms")), STR_ARG(as_text(p, m, "cost_usd", "$")));
}

/* "  without 3 requests whose price is not known"; nothing where there are none. */
static void print_some(const struct json_node *root, const char *key, const char *before, const char *after) {
  char room[32];
  int64_t n = number(root, key);
  if (n) printf("  %s %s request%s%s\n", before, grouped(n, room), n == 1 ? "" : "s", after);
}

static void print_summary(struct place *p, const struct json_node *root) {
  static const struct {
    const char *label, *key;
  } rows[] = {{"Total requests", "total_requests"},
              {"  failed", "failed_requests"},
              {"Total tokens", "total_tokens"},
              {"  prompt", "prompt_tokens"},
              {"  completion", "completion_tokens"}};
  char room[32];
  printf("Use of the last %lld day%s (UTC)\n\n", (long long)number(root, "days"), p->days == 1 ? "" : "s");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    printf("%-16s %16s\n", rows[i].label, grouped(number(root, rows[i].key), room));
  print_some(root, "estimated_requests", "estimated for", ", whose providers did not tell them all");
  printf("%-16s %16.*s\n", "Cost", STR_ARG(as_text(p, root, "cost_usd", "$")));
  print_some(root, "unpriced_requests", "without", " whose price is not known");
}

static void print_models(struct place *p, const struct json_node *root) {
  struct json_node models = json_member(root, STR("by_model")), one;
  printf("\n%-36s %-18s %12s %16s %12s %10s\n", "MODEL", "PROVIDER", "REQUESTS", "TOKENS", "LATENCY", "COST");
  for (struct json_iter it = json_each(&models); json_next(&it, &one);) print_model(p, one.key, &one);
}

/* 0 … SHADES - 1: only nothing is the lightest, only the most is the darkest. */
static int shade(int64_t v, int64_t most) {
  return v <= 0 || most <= 0 ? 0 : (int)((v * (SHADES - 1) + most - 1) / most);
}

static void print_cell(const struct place *p, int s) {
  static const char *const shades[SHADES] = {" ", "░", "▒", "▓", "█"};
  static const int colours[SHADES] = {0, 22, 28, 34, 40}; /* of the 256: greens */
  if (p->has_colour && s)
    printf("\033[38;5;%dm%s\033[0m", colours[s], shades[s]);
  else
    fputs(shades[s], stdout);
}

static int64_t largest(const struct json_node *days, bool of_hours) {
  struct json_node day, hour, hours;
  int64_t most = 0, v;
  for (struct json_iter it = json_each(days); json_next(&it, &day);) {
    hours = json_member(&day, STR("hours"));
    if (!of_hours && number(&day, "request_count") > most) most = number(&day, "request_count");
    for (struct json_iter h = json_each(&hours); of_hours && json_next(&h, &hour);)
      if (!json_i64(&hour, &v, NULL) && v > most) most = v;
  }
  return most;
}

/* "11/28" of "2026-11-28" */
static void print_date(const struct json_node *day) {
  struct str date = STR_NONE;
  if (json_get_string(day, STR("date"), &date, NULL) || date.n != 10) return;
  printf("%.2s/%.2s ", date.p + 5, date.p + 8);
}

static void print_heatmap(const struct place *p, const struct json_node *root) {
  struct json_node days = json_member(root, STR("by_day")), day, hours, hour;
  int64_t most_a_day = largest(&days, false), most_an_hour = largest(&days, true), v;
  char room[32];
  printf("\nRequests by day\n");
  for (struct json_iter it = json_each(&days); json_next(&it, &day);) {
    int64_t n = number(&day, "request_count");
    int cells = most_a_day ? (int)((n * BAR_CELLS + most_a_day - 1) / most_a_day) : 0;
    print_date(&day);
    for (int i = 0; i < cells; i++) print_cell(p, SHADES - 1);
    printf("%s%s\n", cells ? " " : "", grouped(n, room));
  }
  printf("\nRequests by hour (UTC)\n      ");
  for (int h = 0; h < LOG_HOURS; h += 2) printf("%02d  ", h);
  printf("\n");
  for (struct json_iter it = json_each(&days); json_next(&it, &day);) {
    print_date(&day);
    hours = json_member(&day, STR("hours"));
    for (struct json_iter h = json_each(&hours); json_next(&h, &hour);) {
      int s = json_i64(&hour, &v, NULL) ? 0 : shade(v, most_an_hour);
      print_cell(p, s);
      print_cell(p, s);
    }
    printf("\n");
  }
  printf("\n      less ");
  for (int s = 1; s < SHADES; s++) print_cell(p, s);
  printf(" more: up to %s an hour\n", grouped(most_an_hour, room));
}

static int print(struct place *p) {
  struct json doc;
  if (p->answer.failed) return cli_fail(CLI_FAILED, "out of memory");
  if (p->as_json) {
    printf("%.*s\n", STR_ARG(buf_str(&p->answer)));
    return CLI_OK;
  }
  if (json_parse_copy(&doc, buf_str(&p->answer), NULL, &p->arena, NULL))
    return cli_fail(CLI_FAILED, "the server's answer cannot be understood");
  struct json_node root = json_root(&doc);
  if (!number(&root, "total_requests")) {
    printf("No usage data of the last %llu day%s%s.\n", (unsigned long long)p->days, p->days == 1 ? "" : "s",
           p->provider.n || p->model.n ? " for this --provider or --model" : "");
    return CLI_OK;
  }
  print_summary(p, &root);
  print_models(p, &root);
  if (p->has_heatmap) print_heatmap(p, &root);
  return CLI_OK;
}

int cmd_stats(int argc, char **argv) {
  struct place p = {.days = DAYS};
  bool is_bad = false;
  p.as_json = cli_take_flag(&argc, argv, "--json");
  p.has_heatmap = cli_take_flag(&argc, argv, "--heatmap");
  const char *days = cli_take_option(&argc, argv, "--days", "-d", &is_bad);
  p.provider = str_from_c(cli_take_option(&argc, argv, "--provider", "-p", &is_bad));
  p.model = str_from_c(cli_take_option(&argc, argv, "--model", "-m", &is_bad));
  if (is_bad) return cli_fail(CLI_USAGE, "an option lacks its value; `maestro stats --help` lists them");
  if (argc > 1)
    return cli_fail(CLI_USAGE, "usage: maestro stats [--days N] [--heatmap] [--provider P] [--model M] [--json]");
  if (days && (!str_to_u64(str_from_c(days), &p.days) || p.days < 1 || p.days > DAYS_MAX))
    return cli_fail(CLI_USAGE, "--days must be 1 to %d", (int)DAYS_MAX);
  const char *no_colour = getenv("NO_COLOR");
  p.has_colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
  log_set_level(LOG_LEVEL_WARN); /* what a server would tell its operator */
  arena_init(&p.arena, 0);
  buf_init(&p.answer, 0);
  int code = cli_find_contexts(&p.arena, &p.paths, &p.contexts);
  if (!code) {
    code = get(&p);
    if (!code) code = print(&p);
    contexts_clear(&p.contexts);
  }
  buf_clear(&p.answer);
  arena_clear(&p.arena);
  return code;
}
