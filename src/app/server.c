/* The serving process, from start to drain: see server.h. */
#include "app/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/operations.h"
#include "app/router.h"
#include "app/server_greet.h"
#include "app/server_start.h"
#include "base/crypto.h"
#include "base/log.h"
#include "gateway/exchange.h"
#include "gateway/rules.h"
#include "gateway/stored.h"
#include "io/pool.h"
#include "jobs/reload.h"
#include "policy/login_guard.h"
#include "policy/principals.h"
#include "record/log_writer.h"
#include "route/discovered.h"
#include "state/ledger.h"
#include "state/server_info.h"
#include "state/session.h"
#include "state/signature_store.h"
#include "state/store/store.h"
#include "state/store/store_node.h"

enum {
  TICK_MS = 500,
  DISCOVERY_EVERY_MS = 600000,
  DISCOVERY_SOON_MS = 15000,
  TRIM_EVERY_MS = 10000,
  MEND_EVERY_MS = 5000,
  SESSIONS_EVERY_MS = 30000,
  TRIM_FLOOR_BYTES = 128 << 20,
  TOP_PAD_BYTES = 256 << 10 /* that a heap grows by, so that it grows seldom */
};

/* ---- configuration at start ---- */

static void print_diags(const struct config_diags *diags) {
  struct buf b;
  buf_init(&b, 0);
  config_diags_write(diags, &b);
  fprintf(stderr, "%.*s", STR_ARG(buf_str(&b)));
  buf_clear(&b);
}

/* The first key: the configured one is copied to the local context, so that commands of this user work; without one a
 * generated key stands there. */
static enum err settle_key(const struct config *config, const struct cli_paths *paths, bool *created,
                           struct config_diags *diags, struct err_info *info) {
  struct secret *key = NULL;
  enum err e = OK;
  *created = false;
  if (config->keys.n == 0) {
    e = contexts_local_key(paths->contexts, &key, created, diags, info);
    if (!e) rules_set_generated_key(secret_reveal(key));
    secret_free(key);
    return e;
  }
  struct contexts contexts = {0};
  e = contexts_load(paths->contexts, &contexts, diags);
  if (e) return e;
  struct context *local = contexts_find(&contexts, STR(CONTEXTS_LOCAL));
  struct str revealed = secret_reveal(config->keys.items[0]);
  if (local && !secret_eq(local->key, revealed)) {
    e = contexts_update(&contexts, STR(CONTEXTS_LOCAL), NULL, &revealed, info);
    if (!e) e = contexts_save(paths->contexts, &contexts, info);
  }
  contexts_clear(&contexts);
  return e;
}

/* A home that cannot be written takes the commands their copy of the key, but not the service. */
static void settle_key_or_warn(const struct config *config, const struct cli_paths *paths, bool *created,
                               struct config_diags *diags) {
  struct err_info info = {0};
  const struct config_place place = {str_from_c(paths->contexts), 0};
  enum err e = settle_key(config, paths, created, diags, &info);
  if (e)
    config_diags_add(diags, CONFIG_WARNING, place, STR_NONE, "calls of this machine and configured keys still work",
                     "the key for this machine's commands could not be kept: %s", err_info_text(e, &info));
}

static void set_logging(const struct config *config) {
  static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR};
  log_set_level(levels[config->options.log_level]);
}

static bool has_provider(const struct config *config) {
  for (size_t i = 0; i < config->provider_count; i++)
    if (config->providers[i].is_active) return true;
  return false;
}

/* ---- while serving ---- */

/* What is kept of answers, in its bounds of now. */
static void keep_answers(const struct config_options *o) {
  const struct stored_response_limits limits = {o->responses_max_count, o->responses_max_bytes,
                                                (int64_t)o->responses_ttl_ms};
  if (!stored_get())
    stored_set(stored_response_new(&limits));
  else
    stored_response_set_limits(stored_get(), &limits, (int64_t)(clock_mono_us() / 1000));
}

/* Stored responses outlive the process in a file; without it they are kept in memory all the same. */
__attribute__((noinline)) static void open_answers(const struct cli_paths *paths) {
  char path[1500];
  struct err_info info = {0};
  if (!stored_get() || snprintf(path, sizeof path, "%s/" STORED_RESPONSE_FILE, paths->data_dir) >= (int)sizeof path)
    return;
  enum err e = stored_response_open(stored_get(), path, &info);
  if (e)
    log_line(LOG_LEVEL_ERROR, "stored responses are kept in memory only", log_c(LOG_ERROR, err_info_text(e, &info)));
}

static void forget_answers(void) {
  struct stored_responses *kept = stored_get();
  stored_set(NULL);
  stored_response_free(kept);
  signature_store_clear();
}

static struct log_writer_options log_options(const struct config_options *o) {
  return (struct log_writer_options){.is_on = o->logs_enabled,
                                     .ring_bytes = o->logs_ring_bytes,
                                     .store = {o->logs_keep_days, o->logs_keep_stats_days, o->logs_keep_bytes}};
}

static void on_publish(void *arg) {
  struct snapshot *now = snapshot_newest();
  keep_answers(&snapshot_config(now)->options);
  const struct log_writer_options logs = log_options(&snapshot_config(now)->options);
  log_writer_set_options(&logs);
  set_logging(snapshot_config(now));
  log_line(LOG_LEVEL_INFO, "configuration in force", log_u64(LOG_EPOCH, snapshot_epoch(now)));
  snapshot_unref(now);
  server_start_adopt(arg);
}

static void reload(const char *why) {
  struct config_diags diags;
  struct err_info info = {0};
  config_diags_init(&diags);
  enum err e = reload_now(&diags, &info);
  reload_log(&diags);
  if (e)
    log_line(LOG_LEVEL_ERROR, "reload refused; the running configuration stays", log_c(LOG_REASON, why),
             log_c(LOG_ERROR, err_info_text(e, &info)));
  config_diags_clear(&diags);
}

static size_t resident_bytes(void) {
  unsigned long total, resident = 0;
  FILE *f = fopen("/proc/self/statm", "re");
  if (!f) return 0;
  if (fscanf(f, "%lu %lu", &total, &resident) != 2) resident = 0;
  fclose(f);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* After a peak the workers' heaps keep what they have freed (main.c wants them to). Once most of it lies idle it goes
 * back to the system: a pause of milliseconds, seldom. */
static void give_back_memory(void) {
  size_t resident = resident_bytes();
  if (resident < TRIM_FLOOR_BYTES) return;
  struct mallinfo2 heap = mallinfo2();
  if (heap.uordblks + heap.hblkhd < resident / 2) malloc_trim(0);
}

/* A provider that has not said yet which models it has: it was down, so it is asked again soon. */
static bool lacks_models(void) {
  struct snapshot *now = snapshot_newest();
  const struct catalog *c = snapshot_get(now, GATEWAY_CATALOG);
  bool lacks = false;
  for (size_t i = 0; i < c->provider_count && !lacks; i++)
    lacks = c->providers[i].is_open && c->providers[i].is_ready && !c->providers[i].is_demo &&
            !c->providers[i].provider.has_no_list;
  snapshot_unref(now);
  return lacks;
}

/* ---- people who sign in ---- */

static void load_sessions(void) {
  struct err_info info = {0};
  enum err e = session_load(&info);
  if (e) log_line(LOG_LEVEL_WARN, "sessions of before are not known", log_c(LOG_ERROR, err_info_text(e, &info)));
}

static void keep_sessions(void) {
  struct err_info info = {0};
  struct snapshot *now = snapshot_newest();
  int64_t idle_us = (int64_t)snapshot_config(now)->options.admin_session_idle_ms * 1000;
  snapshot_unref(now);
  enum err e = session_keep(clock_wall_us(), idle_us, &info);
  if (e) log_line(LOG_LEVEL_WARN, "sessions' last use is not stored", log_c(LOG_ERROR, err_info_text(e, &info)));
}

/* Where no password is configured one lies in the data directory, for who can read it there. */
static void settle_admin_password(const struct config *config) {
  struct secret *made = NULL;
  struct err_info info = {0};
  enum err e = secret_bytes(config->options.admin_password) ? OK : store_admin_password(&made, &info);
  rules_set_admin_password(secret_reveal(made));
  secret_free(made);
  if (e)
    log_line(LOG_LEVEL_WARN, "the administrator has no password: it could not be kept",
             log_c(LOG_ERROR, err_info_text(e, &info)));
}

/* For a store that will fail. */
static void keep_people(void) {
  struct snapshot *now = snapshot_newest();
  const struct principals *p = now ? snapshot_get(now, GATEWAY_PRINCIPALS) : NULL;
  if (p && p->source == STORE_DB) store_keep_people(&p->people);
  snapshot_unref(now);
}

/* A store that failed may be there again: then it is what counts. */
static void mend_store(void) {
  struct config_diags diags;
  struct err_info info = {0};
  if (!store_retry()) return;
  load_sessions();
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, &info);
  if (e) log_line(LOG_LEVEL_ERROR, "the store's users are not in force", log_c(LOG_ERROR, err_info_text(e, &info)));
  config_diags_clear(&diags);
}

/* Waits for the signal to end; reloads on SIGHUP and when a watched file has changed. */
static int wait_for_end(struct server_start *start) {
  sigset_t set;
  uint64_t next_discovery = clock_mono_us() + (uint64_t)DISCOVERY_EVERY_MS * 1000;
  uint64_t next_look = clock_mono_us() + (uint64_t)DISCOVERY_SOON_MS * 1000;
  uint64_t next_trim = clock_mono_us() + (uint64_t)TRIM_EVERY_MS * 1000;
  uint64_t next_mend = clock_mono_us() + (uint64_t)MEND_EVERY_MS * 1000;
  uint64_t next_sessions = clock_mono_us() + (uint64_t)SESSIONS_EVERY_MS * 1000;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  for (;;) {
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    int signal = sigtimedwait(&set, NULL, &tick);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal == SIGHUP) {
      reload("SIGHUP");
      server_start_discover(start);
    } else if (reload_is_due()) {
      reload("a file has changed");
      server_start_discover(start);
    }
    bool is_due = clock_mono_us() >= next_discovery, is_look = clock_mono_us() >= next_look;
    if (is_due || (is_look && lacks_models())) server_start_discover(start);
    if (is_due) next_discovery = clock_mono_us() + (uint64_t)DISCOVERY_EVERY_MS * 1000;
    if (is_look) next_look = clock_mono_us() + (uint64_t)DISCOVERY_SOON_MS * 1000;
    if (clock_mono_us() >= next_mend) {
      keep_people();
      mend_store();
      next_mend = clock_mono_us() + (uint64_t)MEND_EVERY_MS * 1000;
    }
    if (clock_mono_us() >= next_sessions) {
      keep_sessions();
      next_sessions = clock_mono_us() + (uint64_t)SESSIONS_EVERY_MS * 1000;
    }
    if (clock_mono_us() >= next_trim) {
      give_back_memory();
      next_trim = clock_mono_us() + (uint64_t)TRIM_EVERY_MS * 1000;
    }
  }
}

static void block_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it: only sigtimedwait takes them */
  signal(SIGPIPE, SIG_IGN);
}

/* As many descriptors as the system lets us have: the usual soft limit of 1024 is below server.limits.connections. */
static void raise_descriptors(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

static void write_server_info(const struct config *config, const struct server_start *start, const char *path) {
  struct err_info info = {0};
  struct server_info s = {.pid = getpid(),
                          .port = server_start_port(start),
                          .started_wall_us = clock_wall_us(),
                          .version = MAESTRO_VERSION};
  snprintf(s.host, sizeof s.host, "%s", config->options.server_host.p);
  enum err e = server_info_write(path, &s, &info);
  if (e) log_line(LOG_LEVEL_WARN, "server.json not written", log_c(LOG_ERROR, err_info_text(e, &info)));
}

/* ---- money ---- */

/* Without it the gateway serves all the same, but nobody who has a budget. */
__attribute__((noinline)) static void open_ledger(const struct config *config, const struct cli_paths *paths) {
  struct err_info info = {0};
  struct buf folder, notes;
  struct str rest, line;
  buf_init(&folder, 0);
  buf_init(&notes, 0);
  buf_printf(&folder, "%s/ledger", paths->data_dir);
  buf_put_char(&folder, 0);
  enum err e = folder.failed ? ERR_NO_MEMORY : OK;
  if (!e) e = ledger_open(folder.p, config->options.server_workers, &notes, &info);
  for (rest = buf_str(&notes); rest.n;) {
    str_cut(rest, '\n', &line, &rest);
    log_line(LOG_LEVEL_WARN, "ledger", log_str(LOG_REASON, line));
  }
  if (e)
    log_line(LOG_LEVEL_ERROR, "what is spent will not be written down, and callers with a budget are refused",
             log_c(LOG_ERROR, err_info_text(e, &info)));
  buf_clear(&folder);
  buf_clear(&notes);
}

static void start_request_log(const struct config *config, const struct cli_paths *paths) {
  struct err_info info = {0};
  const struct log_writer_options logs = log_options(&config->options);
  enum err e = log_writer_start(paths->data_dir, &logs, &info);
  if (e) log_line(LOG_LEVEL_ERROR, "requests will not be recorded", log_c(LOG_ERROR, err_info_text(e, &info)));
}

static const char has_faults[] = "the configuration has faults; nothing was started";

static int serve(const struct config *config, const struct server_options *options, bool created_key) {
  struct server_start *start = NULL;
  struct err_info info = {0};
  struct config_diags diags;
  int code = CLI_OK;
  config_diags_init(&diags);
  open_ledger(config, &options->paths); /* before the first snapshot names its accounts */
  start_request_log(config, &options->paths);
  enum err e = server_start_listen(&start, config, !has_provider(config), &info);
  if (!e) e = reload_now(&diags, &info); /* the first snapshot: now the port and the demo are known */
  if (e && diags.n) print_diags(&diags);
  keep_answers(&config->options);
  if (!e) open_answers(&options->paths);
  mallopt(M_TOP_PAD, TOP_PAD_BYTES);
  if (!e) e = server_start_workers(start, config, &info);
  if (e) {
    code = cli_fail(e == ERR_BAD_CONFIG ? CLI_CONFIG : CLI_FAILED, "%s",
                    diags.errors ? has_faults : err_info_text(e, &info));
    goto out;
  }
  reload_on_publish(on_publish, start);
  write_server_info(config, start, options->paths.server_info);
  server_greet(config, server_start_port(start), options->paths.data_dir, created_key);
  log_line(LOG_LEVEL_INFO, "serving", log_str(LOG_LISTEN, config->options.server_host),
           log_u64(LOG_PORT, server_start_port(start)), log_u64(LOG_WORKERS, config->options.server_workers),
           log_c(LOG_VERSION, MAESTRO_VERSION), log_i64(LOG_PROCESS_ID, getpid()));
  server_start_discover(start);
  int signal = wait_for_end(start);
  log_line(LOG_LEVEL_INFO, "draining", log_i64(LOG_SIGNAL, signal));
  operations_set_draining();
  reload_on_publish(NULL, NULL);
  server_start_drain(start, config->options.server_drain_ms);
  server_info_remove(options->paths.server_info, getpid());
  log_line(LOG_LEVEL_INFO, "stopped", log_i64(LOG_PROCESS_ID, getpid()));
out:
  server_start_free(start);
  log_writer_stop();
  forget_answers();
  config_diags_clear(&diags);
  return code;
}

int server_run(const struct server_options *options) {
  struct config *config = NULL;
  struct config_diags diags;
  struct err_info info = {0};
  bool created_key = false;
  int code;
  block_signals();
  raise_descriptors();
  pool_init();
  router_init();
  config_diags_init(&diags);
  reload_init(options->sources, gateway_snapshot_table());
  enum err e = crypto_init(&info);
  if (!e) e = config_load(options->sources, &config, &diags);
  if (!e) settle_key_or_warn(config, &options->paths, &created_key, &diags);
  if (diags.n) print_diags(&diags);
  if (e) {
    code = cli_fail(e == ERR_BAD_CONFIG ? CLI_CONFIG : CLI_FAILED, "%s", info.text[0] ? info.text : has_faults);
    goto out;
  }
  set_logging(config);
  log_set_json(config->options.log_format == CONFIG_FORMAT_JSON ||
               (config->options.log_format == CONFIG_FORMAT_AUTO && !isatty(STDERR_FILENO)));
  e = log_start(NULL, &info);
  if (!e) e = login_guard_start(&info);
  store_set_seal_key(secret_reveal(config->options.store_key));
  if (!e) e = store_start(options->paths.data_dir, "serve", &info);
  if (!e) settle_admin_password(config);
  if (!e) load_sessions();
  code = e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : serve(config, options, created_key);
  keep_people();
  store_stop();
  log_stop();
out:
  snapshot_unpublish();
  ledger_close(); /* no snapshot holds an account any more */
  discovered_clear();
  store_nodes_forget();
  store_set_seal_key(STR_NONE);
  rules_set_generated_key(STR_NONE);
  rules_set_admin_password(STR_NONE);
  session_clear();
  login_guard_stop();
  config_unref(config);
  config_diags_clear(&diags);
  return code;
}
