/* Listeners and workers of the serving process: see server_start.h. Each worker's parts are made on its own thread. */
#include "app/server_start.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/operations.h"
#include "app/router.h"
#include "base/log.h"
#include "base/metrics.h"
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "gateway/rules.h"
#include "io/held.h"
#include "io/http_client.h"
#include "io/pool.h"
#include "io/worker.h"
#include "jobs/discovery.h"
#include "jobs/reload.h"
#include "mock/mock.h"
#include "record/log_writer.h"

enum {
  GIVE_UP_MS = 5000,
  LATE_EXIT = 1,
  DESCRIPTORS_KEPT = 64 /* for files, loops and listeners */,
  CALLS_KEPT = 4096
};

struct server_worker {
  struct server_start *start;
  struct gateway_worker gateway;
  struct loop *loop;
  struct http_server *server, *demo_server;
  struct mock *demo;
  bool has_figures; /* under figures_lock: what follows from the parts above may be read */
};

struct server_start {
  struct http_listener *listener, *demo_listener;
  struct mock_shared *demo;
  struct workers *workers;
  struct server_worker *each;
  unsigned count;
  struct http_server_limits limits;
  struct http_client_options client;
  atomic_bool is_discovering, discovers_again; /* again: asked for while it ran, perhaps for another configuration */
  struct fiber_id discovering;                 /* worker 0's, as is is_draining */
  bool is_draining;
  uint64_t drain_deadline_us;
};

static struct server_start *the_start; /* for the scrape; set once before serving */

uint16_t server_start_port(const struct server_start *s) { return http_listener_port(s->listener); }

enum err server_start_listen(struct server_start **out, const struct config *config, bool with_demo,
                             struct err_info *info) {
  const struct mock_options demo = {.is_demo = true};
  struct server_start *s = calloc(1, sizeof *s);
  char url[64];
  if (!s) return ERR_NO_MEMORY;
  s->count = config->options.server_workers;
  enum err e = http_listener_open(&s->listener, config->options.server_host, (uint16_t)config->options.server_port,
                                  s->count, info);
  if (!e && with_demo) e = http_listener_open(&s->demo_listener, STR("127.0.0.1"), 0, s->count, info);
  if (!e && with_demo) e = mock_shared_new(&s->demo, &demo, info);
  if (e) {
    server_start_free(s);
    return e;
  }
  rules_set_port(server_start_port(s));
  if (with_demo) {
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", http_listener_port(s->demo_listener));
    catalog_set_demo_url(url);
  }
  *out = s;
  return OK;
}

/* ---- a worker's life ---- */

static enum err start_servers(struct server_worker *w, struct err_info *info) {
  struct server_start *s = w->start;
  const struct http_server_options main_options = {
      .limits = s->limits, .handler = router_handle, .error_body = router_error_body, .arg = &w->gateway};
  enum err e = http_server_new(&w->server, s->listener, w->gateway.index, &main_options, info);
  if (e || !s->demo_listener) return e;
  e = mock_new(&w->demo, s->demo, info);
  if (e) return e;
  const struct http_server_options demo_options = {
      .limits = s->limits, .handler = mock_handle, .error_body = mock_error_body, .arg = w->demo};
  return http_server_new(&w->demo_server, s->demo_listener, w->gateway.index, &demo_options, info);
}

/* A worker may end while another still serves /metrics of all. */
static pthread_mutex_t figures_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_figures(struct server_worker *w, bool has_figures) {
  pthread_mutex_lock(&figures_lock);
  w->has_figures = has_figures;
  pthread_mutex_unlock(&figures_lock);
}

static void worker_stop(unsigned index, void *arg) {
  struct server_worker *w = &((struct server_start *)arg)->each[index];
  set_figures(w, false);
  if (w->server) http_server_free(w->server);
  if (w->demo_server) http_server_free(w->demo_server);
  mock_free(w->demo);
  if (w->gateway.client) http_client_free(w->gateway.client);
  auth_failures_free(w->gateway.failures);
  snapshot_leave();
  ledger_worker_detach();
  log_writer_detach();
  metrics_worker_detach();
  log_worker_detach();
}

static enum err worker_start(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  struct server_start *s = arg;
  struct server_worker *w = &s->each[index];
  w->start = s;
  w->loop = loop;
  w->gateway.index = index;
  enum err e = log_worker_attach(info);
  if (!e) e = metrics_worker_attach(index, info);
  if (e) return e;
  if ((e = log_writer_attach(index, info))) return e;
  ledger_worker_attach(index);
  snapshot_adopt();
  e = auth_failures_new(&w->gateway.failures, NULL, info);
  if (!e) e = http_client_new(&w->gateway.client, loop, &s->client, info);
  if (!e) e = start_servers(w, info);
  if (!e) set_figures(w, true);
  return e;
}

/* ---- figures that other rooms keep ---- */

/* Racy by intent, word by word: they are counters of other threads. */
__attribute__((no_sanitize("thread"))) static void scrape_worker(unsigned i, const struct server_worker *w) {
  const struct http_server_stats *server = http_server_stats(w->server);
  const struct http_client_stats *client = http_client_stats(w->gateway.client);
  const struct loop_stats *loop = loop_stats(w->loop);
  metrics_set(i, METRIC_CONNECTIONS_OPEN, 0, 0, server->connections_open);
  metrics_set(i, METRIC_CONNECTIONS, 0, 0, (int64_t)server->connections_accepted);
  metrics_set(i, METRIC_CONNECTIONS_REFUSED, 0, 0, (int64_t)server->connections_refused);
  metrics_set(i, METRIC_PROTOCOL_ERRORS, 0, 0, (int64_t)server->protocol_errors);
  metrics_set(i, METRIC_UPSTREAM_CONNECTS, 0, 0, (int64_t)client->connects);
  metrics_set(i, METRIC_UPSTREAM_CONNECTIONS, METRICS_ACTIVE, 0, client->calls_live);
  metrics_set(i, METRIC_UPSTREAM_CONNECTIONS, METRICS_IDLE, 0,
              client->connections_open > client->calls_live ? client->connections_open - client->calls_live : 0);
  metrics_set(i, METRIC_LOOP_TURNS, 0, 0, (int64_t)loop->turns);
  metrics_set(i, METRIC_LOOP_SLOW_TURNS, 0, 0, (int64_t)loop->slow_turns);
  metrics_set(i, METRIC_FIBERS, 0, 0, loop->fibers_live);
  metrics_set(i, METRIC_FIBERS_REFUSED, 0, 0, (int64_t)loop->fibers_refused);
}

static void scrape_money(void) {
  struct ledger_stats s;
  const struct snapshot *now = snapshot_current(); /* a scrape runs on a worker */
  ledger_stats(&s);
  metrics_set(0, METRIC_JOURNAL_ROWS, 0, 0, (int64_t)s.rows);
  metrics_set(0, METRIC_JOURNAL_IN_FLIGHT, 0, 0, s.in_flight);
  if (now) limits_scrape(snapshot_get(now, GATEWAY_LIMITS));
}

static void scrape_records(void) {
  struct log_writer_stats s;
  log_writer_stats(&s);
  metrics_set(0, METRIC_RECORD_ROWS, 0, 0, (int64_t)s.written);
  metrics_set(0, METRIC_RECORD_DROPPED, 0, 0, (int64_t)s.dropped);
}

static void scrape(void) {
  pthread_mutex_lock(&figures_lock);
  for (unsigned i = 0; i < the_start->count; i++)
    if (the_start->each[i].has_figures) scrape_worker(i, &the_start->each[i]);
  pthread_mutex_unlock(&figures_lock);
  metrics_set(0, METRIC_HELD_BYTES, 0, 0, (int64_t)held_bytes());
  scrape_money();
  scrape_records();
  metrics_set(0, METRIC_LOG_DROPPED, 0, 0, (int64_t)log_dropped_total());
}

/* Every caller may need a connection to a provider: half of the descriptors, at most CALLS_KEPT, are kept for those, so
 * that many idle callers cannot starve the calls. */
static void read_limits(const struct config *config, struct http_server_limits *out) {
  struct rlimit files;
  config_server_limits(config, out);
  if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY) return;
  rlim_t free_files = files.rlim_cur > 4 * DESCRIPTORS_KEPT ? files.rlim_cur - DESCRIPTORS_KEPT : 2 * DESCRIPTORS_KEPT;
  rlim_t most = free_files - (free_files / 2 < CALLS_KEPT ? free_files / 2 : CALLS_KEPT);
  if (out->connections > most) out->connections = (uint32_t)most;
}

enum err server_start_workers(struct server_start *s, const struct config *config, struct err_info *info) {
  s->each = calloc(s->count, sizeof *s->each);
  if (!s->each) return ERR_NO_MEMORY;
  read_limits(config, &s->limits);
  config_client_options(config, &s->client);
  the_start = s;
  operations_on_scrape(scrape);
  const struct worker_options options = {.count = s->count, .start = worker_start, .stop = worker_stop, .arg = s};
  return workers_start(&s->workers, &options, info);
}

/* ---- told from outside ---- */

static void adopt(unsigned index, void *arg) {
  struct server_start *s = arg;
  struct http_server_limits limits;
  snapshot_adopt();
  read_limits(snapshot_config(snapshot_current()), &limits);
  http_server_set_limits(s->each[index].server, &limits);
}

void server_start_adopt(struct server_start *s) { workers_broadcast(s->workers, adopt, s); }

static enum err rebuild(void *arg) {
  struct config_diags diags;
  struct err_info info = {0};
  (void)arg;
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, &info);
  reload_log(&diags);
  config_diags_clear(&diags);
  return e;
}

static enum err discover_once(struct server_worker *w) {
  const struct snapshot *snapshot = snapshot_ref(snapshot_current());
  bool changed = false;
  enum err result = OK;
  enum err e = discovery_run(w->gateway.client, snapshot_get(snapshot, GATEWAY_CATALOG), &changed);
  if (!e && changed) e = fiber_await(POOL_FILE, rebuild, NULL, NULL, DEADLINE_NONE, &result);
  snapshot_unref(snapshot);
  return e;
}

static void discover(void *arg) {
  struct server_worker *w = arg;
  struct server_start *s = w->start;
  do atomic_store(&s->discovers_again, false);
  while (discover_once(w) != ERR_CANCELLED && atomic_load(&s->discovers_again) && !fiber_is_cancelled());
  atomic_store(&s->is_discovering, false);
}

static void spawn_discover(void *arg) {
  struct server_worker *w = arg;
  if (w->start->is_draining || fiber_spawn(&w->start->discovering, discover, w))
    atomic_store(&w->start->is_discovering, false);
}

void server_start_discover(struct server_start *s) {
  atomic_store(&s->discovers_again, true);
  if (atomic_exchange(&s->is_discovering, true)) return;
  if (!loop_post(workers_loop(s->workers, 0), spawn_discover, &s->each[0])) atomic_store(&s->is_discovering, false);
}

/* ---- the end ---- */

static void drain_demo(void *arg) {
  struct server_worker *w = arg;
  if (w->demo_server)
    http_server_drain(w->demo_server, clock_deadline_ms(GIVE_UP_MS), (void (*)(void *))loop_stop, w->loop);
  else
    loop_stop(w->loop);
}

static void drain(unsigned index, void *arg) {
  struct server_start *s = arg;
  struct server_worker *w = &s->each[index];
  if (index == 0) { /* nobody waits for the lists any more, and a provider may never answer */
    s->is_draining = true;
    fiber_cancel(s->discovering);
  }
  http_server_drain(w->server, s->drain_deadline_us, drain_demo, w);
}

/* The last resort: a system call that a pool thread cannot leave (a name server that hangs) would keep the process. */
static void on_late(int signal) {
  static const char text[] = "maestro: gave up waiting for the last workers\n";
  (void)signal;
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  _exit(LATE_EXIT);
}

void server_start_drain(struct server_start *s, uint32_t drain_ms) {
  signal(SIGALRM, on_late);
  alarm(drain_ms / 1000 + 2 * GIVE_UP_MS / 1000);
  s->drain_deadline_us = drain_ms ? clock_deadline_ms(drain_ms) : clock_mono_us();
  workers_broadcast(s->workers, drain, s);
  workers_join(s->workers);
  s->workers = NULL;
  alarm(0);
}

void server_start_free(struct server_start *s) {
  if (!s) return;
  if (s->listener) http_listener_close(s->listener);
  if (s->demo_listener) http_listener_close(s->demo_listener);
  mock_shared_free(s->demo);
  free(s->each);
  free(s);
}
