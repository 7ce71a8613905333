/* Closed-loop and fixed-rate requests, and idle connections: see modes.h. A fixed rate counts latency from when the
 * request was due, so a stalled server cannot hide behind a waiting generator. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "hist.h"
#include "modes.h"

#define GRACE_NS (5 * NS_PER_S)
#define ERRORS_MAX 10000
#define IDLE_OPENING 64 /* idle: connections being opened at once */

struct closed {
  struct hist latency;
  uint64_t begin_ns;
  uint64_t end_ns;
  uint64_t started;
  uint64_t finished; /* replies in all, for --requests */
  uint64_t in_window;
  uint64_t errors;
  uint64_t status_errors;
  unsigned to_restart; /* connections that failed and wait for the loop to start them again */
  bool is_stopping;
};

static bool may_start(const struct closed *closed, const struct options *options) {
  return !closed->is_stopping && (options->requests == 0 || closed->started < options->requests);
}

static void closed_done(struct engine *engine, struct conn *conn) {
  struct closed *closed = engine->context;
  uint64_t now = engine->now_ns;
  closed->finished++;
  if (conn->reply.status != 200) closed->status_errors++;
  if (conn->began_ns >= closed->begin_ns && conn->began_ns < closed->end_ns)
    hist_add(&closed->latency, now - conn->began_ns);
  if (now >= closed->begin_ns && now < closed->end_ns) closed->in_window++;
  if (engine->options->rate == 0 && may_start(closed, engine->options)) {
    closed->started++;
    engine_begin(engine, conn, now);
  }
}

static void closed_fail(struct engine *engine, struct conn *conn) {
  struct closed *closed = engine->context;
  (void)conn;
  closed->errors++;
  closed->to_restart++;
  if (closed->errors > ERRORS_MAX) closed->is_stopping = true;
}

static const struct engine_hooks closed_hooks = {.on_done = closed_done, .on_fail = closed_fail};

static void restart_failed(struct engine *engine, struct closed *closed) {
  unsigned count = engine->options->conns;
  closed->to_restart = 0;
  for (unsigned i = 0; i < count && may_start(closed, engine->options); i++) {
    if (engine->conns[i].state != CONN_CLOSED) continue;
    closed->started++;
    engine_begin(engine, &engine->conns[i], options_now_ns());
  }
}

/* Starts what is due on free connections and returns when the next one is. */
static uint64_t start_due(struct engine *engine, struct closed *closed, uint64_t origin_ns) {
  const struct options *options = engine->options;
  uint64_t due = origin_ns + closed->started * NS_PER_S / options->rate;
  for (unsigned i = 0; i < options->conns && due <= options_now_ns(); i++) {
    struct conn *conn = &engine->conns[i];
    if (conn->state != CONN_CLOSED && conn->state != CONN_IDLE) continue;
    if (!may_start(closed, options)) return UINT64_MAX;
    closed->started++;
    engine_begin(engine, conn, due);
    due = origin_ns + closed->started * NS_PER_S / options->rate;
  }
  /* Overdue and no connection free: the next reply wakes us. */
  return due <= options_now_ns() ? UINT64_MAX : due;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void run_until(struct engine *engine, struct closed *closed, uint64_t origin_ns, uint64_t until_ns) {
  const struct options *options = engine->options;
  while (!modes_stop && !closed->is_stopping && options_now_ns() < until_ns) {
    uint64_t next = until_ns;
    if (options->rate) {
      next = least(next, start_due(engine, closed, origin_ns));
    } else if (closed->to_restart) {
      restart_failed(engine, closed);
    }
    if (options->requests && closed->finished + closed->errors >= options->requests) break;
    engine_step(engine, next);
  }
}

static void print_closed(const struct engine *engine, const struct closed *closed, uint64_t span_ns, uint64_t cpu_ns) {
  double requests = closed->in_window ? (double)closed->in_window : 1;
  const struct hist *h = &closed->latency;
  printf("requests=%llu seconds=%.3f rps=%.0f p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f ",
         (unsigned long long)closed->in_window, (double)span_ns / 1e9,
         (double)closed->in_window / ((double)span_ns / 1e9), (double)hist_quantile_ns(h, .5) / 1e3,
         (double)hist_quantile_ns(h, .9) / 1e3, (double)hist_quantile_ns(h, .99) / 1e3,
         (double)hist_quantile_ns(h, .999) / 1e3, (double)h->max_ns / 1e3);
  printf(
      "cpu_us=%.2f cpu_share=%.2f errors=%llu status_errors=%llu unfinished=%u connects=%llu stale=%llu bytes=%llu\n",
      (double)cpu_ns / 1e3 / requests, (double)cpu_ns / (double)span_ns, (unsigned long long)closed->errors,
      (unsigned long long)closed->status_errors, engine->in_flight, (unsigned long long)engine->connects,
      (unsigned long long)engine->stale, (unsigned long long)engine->body_bytes);
}

int mode_closed(const struct options *options) {
  static struct closed closed;
  struct engine engine;
  engine_open(&engine, options, &closed_hooks, &closed);
  uint64_t origin = options_now_ns();
  closed.begin_ns = origin + (uint64_t)(options->warmup * 1e9);
  closed.end_ns = closed.begin_ns + (uint64_t)(options->seconds * 1e9);
  if (options->rate == 0) restart_failed(&engine, &closed); /* all are closed: starts all */
  run_until(&engine, &closed, origin, closed.begin_ns);
  uint64_t cpu_begin = options_cpu_ns(options);
  uint64_t begin = options_now_ns();
  run_until(&engine, &closed, origin, closed.end_ns);
  uint64_t cpu_ns = options_cpu_ns(options) - cpu_begin;
  uint64_t end = options_now_ns();
  if (end < closed.end_ns) closed.end_ns = end;
  closed.is_stopping = true;
  for (uint64_t grace = end + GRACE_NS; engine.in_flight && !modes_stop && options_now_ns() < grace;)
    engine_step(&engine, grace);
  print_closed(&engine, &closed, end - begin, cpu_ns);
  engine_close(&engine);
  return 0;
}

struct idle {
  unsigned opened;
  unsigned failed;
  unsigned status_errors;
};

static void idle_done(struct engine *engine, struct conn *conn) {
  struct idle *idle = engine->context;
  idle->opened++;
  if (conn->reply.status != 200) idle->status_errors++;
}

static void idle_fail(struct engine *engine, struct conn *conn) {
  struct idle *idle = engine->context;
  (void)conn;
  idle->failed++;
}

static const struct engine_hooks idle_hooks = {.on_done = idle_done, .on_fail = idle_fail};

int mode_idle(const struct options *options) {
  struct idle idle = {0};
  struct engine engine;
  unsigned next = 0;
  engine_open(&engine, options, &idle_hooks, &idle);
  uint64_t until = options_now_ns() + (uint64_t)(options->seconds * 1e9);
  while ((next < options->conns || engine.in_flight) && !modes_stop && options_now_ns() < until) {
    while (next < options->conns && engine.in_flight < IDLE_OPENING)
      engine_begin(&engine, &engine.conns[next++], options_now_ns());
    engine_step(&engine, until);
  }
  printf("ready opened=%u errors=%u status_errors=%u\n", idle.opened, idle.failed, idle.status_errors);
  fflush(stdout);
  for (struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN}; !modes_stop && options_now_ns() < until;) {
    char byte;
    engine_step(&engine, options_now_ns() + 20 * NS_PER_MS);
    if (poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0) break;
  }
  printf("held=%llu closed=%llu\n", (unsigned long long)(idle.opened - engine.idle_closed),
         (unsigned long long)engine.idle_closed);
  engine_close(&engine);
  return 0;
}
