/* POST /api/admin/models/refresh: see models_refresh.h. Files and the build run in the pool's file lane; the fiber
 * waits. */
#include "admin/models_refresh.h"

#include <stdlib.h>

#include "gateway/exchange.h"
#include "io/pool.h"
#include "jobs/discovery.h"
#include "jobs/reload.h"

enum { REFRESH_MS = 30000 };

struct job {
  bool is_rebuild;
  struct config_diags diags;
  struct err_info info;
};

static enum err work(void *arg) {
  struct job *j = arg;
  enum err e = j->is_rebuild ? reload_rebuild(&j->diags, &j->info) : reload_now(&j->diags, &j->info);
  reload_log(&j->diags);
  return e;
}

static void drop(void *arg) {
  struct job *j = arg;
  config_diags_clear(&j->diags);
  free(j);
}

/* The job owns its memory until drop, so a caller that leaves strands nothing. */
static enum err run_job(bool is_rebuild, uint64_t deadline_us, struct err_info *info) {
  struct job *j = calloc(1, sizeof *j);
  enum err result = ERR_INTERNAL;
  if (!j) return ERR_NO_MEMORY;
  j->is_rebuild = is_rebuild;
  config_diags_init(&j->diags);
  enum err e = fiber_await(POOL_FILE, work, j, drop, deadline_us, &result);
  if (e) return e;
  return result ? err_set(info, result,
                          "the configuration has faults; the running one stays in force. See `maestro "
                          "check` or the log")
                : OK;
}

void admin_models_refresh(struct request_context *rc) {
  struct err_info info = {0};
  uint64_t deadline = clock_deadline_ms(REFRESH_MS);
  bool changed = false;
  enum err e = run_job(false, deadline, &info);
  if (!e) {
    exchange_adopt(rc);
    e = discovery_run(rc->worker->client, rc->catalog, &changed);
  }
  if (!e && changed) e = run_job(true, deadline, &info);
  if (!e && changed) exchange_adopt(rc);
  if (e == ERR_BAD_CONFIG) info.http_status = 422;
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, STR("{\"success\":true,\"models_count\":"));
  buf_put_u64(&b, rc->catalog->deployment_count);
  buf_put_char(&b, '}');
  exchange_answer(rc, 200, &b);
  buf_clear(&b);
}

static const struct schema_member admin_models_refresh_rows[] = {
    {"success", SCHEMA_BOOL, .help = "always true"},
    {"models_count", SCHEMA_COUNT, .help = "models that are served now"},
};
const struct schema admin_models_refresh_schema = SCHEMA_OF("ModelsRefresh", admin_models_refresh_rows);
