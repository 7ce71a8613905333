/* `maestro serve` and `maestro check`: both begin by reading the configuration in the same way. */
#include <stdio.h>

#include "admin/openapi/openapi.h"
#include "app/cli.h"
#include "app/router.h"
#include "app/server.h"
#include "gateway/exchange.h"
#include "jobs/reload.h"
#include "route/discovered.h"

/* Flags to sources; the arena holds everything. */
static enum err read_sources(struct arena *a, int argc, char **argv, struct cli_paths *paths,
                             struct config_sources *out, struct err_info *info) {
  struct config_flag *flags;
  struct config_sources s = {.vocabulary = catalog_vocabulary(), .env = config_getenv};
  enum err e = cli_paths(a, paths, info);
  if (!e) e = config_flags_parse(a, argc - 1, argv + 1, &flags, &s.flag_count, &s.file, NULL, info);
  if (e) return e;
  s.flags = flags;
  s.config_dir = paths->config_dir;
  s.data_dir = paths->data_dir;
  *out = s;
  return OK;
}

int cmd_serve(int argc, char **argv) {
  struct arena a;
  struct err_info info = {0};
  struct config_sources sources;
  struct server_options options = {.sources = &sources};
  arena_init(&a, 0);
  enum err e = read_sources(&a, argc, argv, &options.paths, &sources, &info);
  int code = e ? cli_fail(CLI_USAGE, "%s", err_info_text(e, &info)) : server_run(&options);
  arena_clear(&a);
  return code;
}

static void print_json(const struct config_diags *diags, bool is_ok) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, is_ok ? STR("{\"ok\":true,\"faults\":") : STR("{\"ok\":false,\"faults\":"));
  config_diags_write_json(diags, &b);
  printf("%.*s}\n", STR_ARG(buf_str(&b)));
  buf_clear(&b);
}

/* What is only listed later has no price either: prices are written down. */
static size_t count_unpriced(const struct catalog_provider *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->count; i++) n += !price_is_known(&p->deployments[i].price);
  return n;
}

static void print_summary(const struct snapshot *snapshot) {
  const struct catalog *c = snapshot_get(snapshot, GATEWAY_CATALOG);
  bool has_unpriced = false;
  printf("ok: %zu provider%s, %zu model%s\n", c->provider_count, c->provider_count == 1 ? "" : "s", c->deployment_count,
         c->deployment_count == 1 ? "" : "s");
  for (size_t i = 0; i < c->provider_count; i++) {
    const struct catalog_provider *p = &c->providers[i];
    printf("  %-20.*s %s", STR_ARG(p->provider.id), p->is_ready ? "ready" : "no credential");
    size_t unpriced = count_unpriced(p);
    if (p->is_open)
      printf(", models as it lists them, without prices\n");
    else if (unpriced)
      printf(", %zu model%s, %zu without a price\n", p->count, p->count == 1 ? "" : "s", unpriced);
    else
      printf(", %zu model%s\n", p->count, p->count == 1 ? "" : "s");
    has_unpriced |= unpriced || p->is_open;
  }
  if (has_unpriced && snapshot_config(snapshot)->options.limits_budget_usd > 0)
    printf("  limits.budgetUsd refuses models without a price: docs/providers.md, Prices\n");
  if (c->provider_count == 0)
    printf("  none configured: without nodes in the store `maestro serve` answers with the built-in demo\n");
}

static void print_text(const struct config_diags *diags, const struct snapshot *snapshot, bool is_ok) {
  struct buf b;
  buf_init(&b, 0);
  config_diags_write(diags, &b);
  fprintf(stderr, "%.*s", STR_ARG(buf_str(&b)));
  buf_clear(&b);
  if (is_ok)
    print_summary(snapshot);
  else
    fprintf(stderr, "%u fault%s; this configuration would not be accepted\n", diags->errors,
            diags->errors == 1 ? "" : "s");
}

/* docs/config.md and docs/api-admin.md, which come from tables. */
static int write_docs(void (*write)(struct buf *out)) {
  struct buf b;
  buf_init(&b, 0);
  write(&b);
  printf("%.*s", STR_ARG(buf_str(&b)));
  buf_clear(&b);
  return CLI_OK;
}

int cmd_check(int argc, char **argv) {
  struct arena a;
  struct cli_paths paths;
  struct config_sources sources;
  struct config_diags diags;
  struct err_info info = {0};
  bool as_json = cli_take_flag(&argc, argv, "--json");
  int code = CLI_OK;
  if (cli_take_flag(&argc, argv, "--write-docs")) return write_docs(config_write_docs);
  if (cli_take_flag(&argc, argv, "--write-api-docs")) {
    router_init();
    return write_docs(openapi_write_markdown);
  }
  if (cli_take_flag(&argc, argv, "--write-openapi")) {
    router_init();
    return write_docs(openapi_write);
  }
  arena_init(&a, 0);
  config_diags_init(&diags);
  enum err e = read_sources(&a, argc, argv, &paths, &sources, &info);
  if (e) {
    code = cli_fail(CLI_USAGE, "%s", err_info_text(e, &info));
    goto out;
  }
  reload_init(&sources, gateway_snapshot_table());
  e = reload_now(&diags, &info);
  struct snapshot *snapshot = snapshot_newest();
  if (as_json)
    print_json(&diags, !e);
  else
    print_text(&diags, snapshot, !e);
  snapshot_unref(snapshot);
  snapshot_unpublish();
  code = e ? CLI_CONFIG : CLI_OK;
out:
  config_diags_clear(&diags);
  arena_clear(&a);
  return code;
}
