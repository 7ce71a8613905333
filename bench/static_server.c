/* The server alone, for measuring what a request costs before any gateway: answers everything with 200 and a small JSON
 * body. Not part of the build. From the root, after `cmake --preset release && cmake --build --preset release`:
 *
 *   cc -O2 -g -D_GNU_SOURCE -Isrc bench/static_server.c build/release/libmaestro_io.a build/release/libmaestro_base.a \
 *     $(pkg-config --libs libuv libllhttp libcurl openssl zlib yyjson) -lpthread -o build/static_server
 *   taskset -c 0 build/static_server 8090 [workers [body_bytes [read_body]]]
 *
 *   taskset -c 1 wrk -t1 -c64 -d5 http://127.0.0.1:8090/
 *
 * CPU per request is the growth of utime + stime in /proc/PID/stat over wrk's count. Prints its port, runs until
 * SIGTERM or SIGINT, then drains and prints its counters and CPU time. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "io/http_server.h"
#include "io/worker.h"

static struct http_listener *listener;
static struct http_server *servers[64];
static struct str reply_body;
static bool reads_body;

static void handle(struct http_exchange *x, void *arg) {
  (void)arg;
  struct str body;
  if (reads_body && http_exchange_read_body(x, NULL, &body, NULL) != OK) return;
  static const struct http_header v[] = {{STR("Content-Type"), STR("application/json")}};
  if (http_exchange_reply(x, 200, (struct http_headers){v, 1}, reply_body) != OK) return;
}

static enum err start(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  (void)loop, (void)arg;
  const struct http_server_options options = {.handler = handle};
  return http_server_new(&servers[index], listener, index, &options, info);
}

static void stop(unsigned index, void *arg) {
  (void)arg;
  const struct http_server_stats *s = http_server_stats(servers[index]);
  printf("worker %u: %lu connections, %lu requests, %lu errors, %lu gone\n", index,
         (unsigned long)s->connections_accepted, (unsigned long)s->requests, (unsigned long)s->protocol_errors,
         (unsigned long)s->client_gone);
  http_server_free(servers[index]);
}

static void on_drained(void *arg) { loop_stop(arg); }

static void drain(unsigned index, void *arg) {
  (void)arg;
  http_server_drain(servers[index], clock_deadline_ms(2000), on_drained, loop_current());
}

int main(int argc, char **argv) {
  const unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
  const size_t bytes = argc > 3 ? (size_t)atol(argv[3]) : 1024;
  reads_body = argc > 4;
  char *text = malloc(bytes + 1);
  if (!text || count == 0 || count > 64) return 2;
  memset(text, 'x', bytes);
  reply_body = str_from(text, bytes);
  struct err_info info = {0};
  struct workers *workers;
  const struct worker_options options = {.count = count, .start = start, .stop = stop};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (http_listener_open(&listener, STR("127.0.0.1"), (uint16_t)(argc > 1 ? atoi(argv[1]) : 0), count, &info) != OK ||
      workers_start(&workers, &options, &info) != OK) {
    fprintf(stderr, "%s\n", info.text);
    return 1;
  }
  printf("port %u\n", http_listener_port(listener));
  fflush(stdout);
  int got;
  sigwait(&set, &got);
  workers_broadcast(workers, drain, NULL);
  workers_join(workers);
  http_listener_close(listener);
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  printf("cpu user %ld.%06ld system %ld.%06ld\n", (long)r.ru_utime.tv_sec, (long)r.ru_utime.tv_usec,
         (long)r.ru_stime.tv_sec, (long)r.ru_stime.tv_usec);
  free(text);
  return 0;
}
