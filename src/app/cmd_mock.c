/* `maestro mock`: the scriptable upstream on a port of its own, on one worker, until SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "io/pool.h"
#include "io/worker.h"
#include "mock/mock.h"

enum { WORKERS = 1, DRAIN_MS = 1000 };

struct mock_server {
  struct http_listener *listener;
  struct mock_shared *shared;
  struct mock *mock;
  struct http_server *server;
  struct loop *loop;
};

static enum err start(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  struct mock_server *s = arg;
  s->loop = loop;
  enum err e = mock_new(&s->mock, s->shared, info);
  if (e) return e;
  const struct http_server_options options = {
      .limits = {.connections = 50000}, .handler = mock_handle, .error_body = mock_error_body, .arg = s->mock};
  e = http_server_new(&s->server, s->listener, index, &options, info);
  if (!e) mock_watch(s->mock, s->server);
  return e;
}

static void stop(unsigned index, void *arg) {
  struct mock_server *s = arg;
  (void)index;
  mock_free(s->mock);
  if (s->server) http_server_free(s->server);
}

static void drain(unsigned index, void *arg) {
  struct mock_server *s = arg;
  (void)index;
  http_server_drain(s->server, clock_deadline_ms(DRAIN_MS), (void (*)(void *))loop_stop, s->loop);
}

static void wait_for_signal(void) {
  sigset_t set;
  int signal;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigwait(&set, &signal);
}

static int serve(const char *host, uint16_t port, const struct mock_options *options) {
  struct mock_server s = {0};
  struct workers *workers = NULL;
  struct err_info info = {0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  pool_init();
  enum err e = http_listener_open(&s.listener, str_from_c(host), port, WORKERS, &info);
  if (!e) e = mock_shared_new(&s.shared, options, &info);
  const struct worker_options worker = {.count = WORKERS, .start = start, .stop = stop, .arg = &s};
  if (!e) e = workers_start(&workers, &worker, &info);
  if (!e) {
    printf("mock upstream on http://%s:%u/v1\n", host, http_listener_port(s.listener));
    fflush(stdout);
    wait_for_signal();
    workers_broadcast(workers, drain, &s);
    workers_join(workers);
  }
  mock_shared_free(s.shared);
  if (s.listener) http_listener_close(s.listener);
  return e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : CLI_OK;
}

static bool take_number(int *argc, char **argv, const char *flag, uint64_t max, uint64_t *out) {
  bool is_bad = false;
  const char *text = cli_take_option(argc, argv, flag, NULL, &is_bad);
  if (!text && !is_bad) return true;
  if (text && str_to_u64(str_from_c(text), out) && *out <= max) return true;
  cli_fail(CLI_USAGE, "%s must be a whole number from 0 to %llu", flag, (unsigned long long)max);
  return false;
}

int cmd_mock(int argc, char **argv) {
  uint64_t port = 8090, latency = 0, pace = 0, chunks = 0, bytes = 0, seed = 1;
  bool is_bad = false;
  bool is_fast = cli_take_flag(&argc, argv, "--fast");
  const char *host = cli_take_option(&argc, argv, "--host", NULL, &is_bad);
  if (is_bad) return cli_fail(CLI_USAGE, "--host needs a value");
  if (!take_number(&argc, argv, "--port", 65535, &port) || !take_number(&argc, argv, "--latency", 3600000, &latency) ||
      !take_number(&argc, argv, "--pace", 3600000, &pace) || !take_number(&argc, argv, "--chunks", 1000000, &chunks) ||
      !take_number(&argc, argv, "--reply-bytes", 16 << 20, &bytes) ||
      !take_number(&argc, argv, "--seed", UINT64_MAX, &seed))
    return CLI_USAGE;
  if (argc > 1)
    return cli_fail(CLI_USAGE, "`maestro mock` does not take \"%s\"; `maestro mock --help` tells what it takes",
                    argv[1]);
  const struct mock_options options = {.latency_ms = (uint32_t)latency,
                                       .chunk_interval_ms = (uint32_t)pace,
                                       .chunks = (uint32_t)chunks,
                                       .reply_bytes = (uint32_t)bytes,
                                       .seed = seed,
                                       .record = !is_fast};
  return serve(host ? host : "127.0.0.1", (uint16_t)port, &options);
}
