/* Server-sent event streams: see modes.h. With a pace each connection runs one stream, their starts spread over one
 * pace interval; without, connections run streams in a closed loop. Every stream must have its events in order and
 * [DONE]. Lag is how late an event is against the stream's own earliest schedule (arrival - number * pace, least over
 * the stream): it includes the upstream's own unevenness, so compare it with the direct row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "hist.h"
#include "modes.h"

#define PACED_GRACE_NS (20 * NS_PER_S)
#define BROKEN_MAX 1000

struct streams {
  struct hist ttft;
  struct hist gap;
  struct hist lag;
  struct hist whole;
  uint64_t *arrivals; /* paced: [connection][chunk] */
  uint64_t begin_ns;
  uint64_t end_ns;
  uint64_t good;
  uint64_t broken;
  uint64_t failed;
  uint64_t contents;
  uint64_t events_lost;
  unsigned to_restart;
  bool is_stopping;
};

static bool in_window(const struct streams *streams, uint64_t ns) {
  return ns >= streams->begin_ns && ns < streams->end_ns;
}

static void streams_body(struct engine *engine, struct conn *conn, const char *data, size_t length) {
  struct streams *streams = engine->context;
  const struct options *options = engine->options;
  uint64_t now = engine->now_ns;
  unsigned first = conn->sse.content_count;
  unsigned contents = sse_feed(&conn->sse, data, length);
  bool counts = in_window(streams, now);
  for (unsigned i = 0; i < contents; i++) {
    if (streams->arrivals && first + i < options->chunks)
      streams->arrivals[(size_t)(conn - engine->conns) * options->chunks + first + i] = now;
    if (conn->first_ns == 0) {
      conn->first_ns = now;
      if (counts) hist_add(&streams->ttft, now - conn->began_ns);
    } else if (counts) {
      hist_add(&streams->gap, now - conn->last_ns);
    }
    conn->last_ns = now;
  }
  if (counts) streams->contents += contents;
}

static void explain_once(const struct streams *streams, const struct conn *conn) {
  if (streams->broken + streams->failed != 1) return;
  fprintf(stderr, "load: first broken stream: status %d, %u events, %u with text, done %d, in order %d\n",
          conn->reply.status, conn->sse.event_count, conn->sse.content_count, conn->sse.is_done, !conn->sse.is_broken);
}

static void count_lost(struct streams *streams, const struct options *options, const struct conn *conn) {
  if (conn->sse.content_count < options->chunks) streams->events_lost += options->chunks - conn->sse.content_count;
}

static void streams_done(struct engine *engine, struct conn *conn) {
  struct streams *streams = engine->context;
  const struct options *options = engine->options;
  bool is_good = conn->reply.status == 200 && conn->sse.is_done && !conn->sse.is_broken &&
                 conn->sse.content_count == options->chunks;
  conn->finished++;
  if (!is_good) {
    streams->broken++;
    count_lost(streams, options, conn);
    explain_once(streams, conn);
    if (streams->broken > BROKEN_MAX) streams->is_stopping = true;
  } else if (in_window(streams, engine->now_ns)) {
    streams->good++;
    hist_add(&streams->whole, engine->now_ns - conn->began_ns);
  }
  if (options->pace_ms == 0 && !streams->is_stopping) engine_begin(engine, conn, engine->now_ns);
}

static void streams_fail(struct engine *engine, struct conn *conn) {
  struct streams *streams = engine->context;
  streams->failed++;
  streams->to_restart++;
  count_lost(streams, engine->options, conn);
  explain_once(streams, conn);
  if (streams->failed > BROKEN_MAX) streams->is_stopping = true;
}

static const struct engine_hooks streams_hooks = {
    .on_body = streams_body, .on_done = streams_done, .on_fail = streams_fail};

static void run_paced(struct engine *engine, struct streams *streams) {
  const struct options *options = engine->options;
  uint64_t origin = options_now_ns();
  uint64_t spread = options->pace_ms * NS_PER_MS / options->conns;
  uint64_t until = origin + (uint64_t)options->chunks * options->pace_ms * NS_PER_MS + PACED_GRACE_NS;
  unsigned next = 0;
  streams->begin_ns = origin;
  streams->end_ns = UINT64_MAX;
  while ((next < options->conns || engine->in_flight) && !modes_stop && options_now_ns() < until) {
    while (next < options->conns && origin + next * spread <= options_now_ns()) {
      engine_begin(engine, &engine->conns[next], origin + next * spread);
      next++;
    }
    engine_step(engine, next < options->conns ? origin + next * spread : until);
  }
}

static void run_looping(struct engine *engine, struct streams *streams, uint64_t until_ns) {
  while (!modes_stop && !streams->is_stopping && options_now_ns() < until_ns) {
    for (unsigned i = 0; streams->to_restart && i < engine->options->conns; i++) {
      if (engine->conns[i].state != CONN_CLOSED) continue;
      streams->to_restart--;
      engine_begin(engine, &engine->conns[i], options_now_ns());
    }
    engine_step(engine, until_ns);
  }
}

static void compute_lag(const struct engine *engine, struct streams *streams) {
  const struct options *options = engine->options;
  uint64_t pace = options->pace_ms * NS_PER_MS;
  for (unsigned c = 0; c < options->conns; c++) {
    const uint64_t *arrival = streams->arrivals + (size_t)c * options->chunks;
    unsigned count = engine->conns[c].sse.content_count;
    uint64_t base = UINT64_MAX;
    if (count > options->chunks) count = options->chunks;
    for (unsigned i = 0; i < count; i++)
      if (arrival[i] - i * pace < base) base = arrival[i] - i * pace;
    for (unsigned i = 0; i < count; i++) hist_add(&streams->lag, arrival[i] - i * pace - base);
  }
}

static double us(const struct hist *hist, double q) { return (double)hist_quantile_ns(hist, q) / 1e3; }

static void print_streams(const struct engine *engine, const struct streams *s, uint64_t span_ns, uint64_t cpu_ns) {
  double contents = s->contents ? (double)s->contents : 1;
  double good = s->good ? (double)s->good : 1;
  printf("streams=%llu broken=%llu failed=%llu unfinished=%u events=%llu events_lost=%llu seconds=%.3f ",
         (unsigned long long)s->good, (unsigned long long)s->broken, (unsigned long long)s->failed,
         engine->options->pace_ms ? engine->in_flight : 0, (unsigned long long)s->contents,
         (unsigned long long)s->events_lost, (double)span_ns / 1e9);
  printf("sps=%.0f eps=%.0f cpu_us=%.2f cpu_event_us=%.3f cpu_share=%.2f ttft_p50_us=%.1f ttft_p99_us=%.1f ",
         (double)s->good / ((double)span_ns / 1e9), (double)s->contents / ((double)span_ns / 1e9),
         (double)cpu_ns / 1e3 / good, (double)cpu_ns / 1e3 / contents, (double)cpu_ns / (double)span_ns,
         us(&s->ttft, .5), us(&s->ttft, .99));
  printf("gap_p50_us=%.1f gap_p99_us=%.1f gap_max_us=%.1f lag_p50_us=%.1f lag_p99_us=%.1f lag_max_us=%.1f ",
         us(&s->gap, .5), us(&s->gap, .99), (double)s->gap.max_ns / 1e3, us(&s->lag, .5), us(&s->lag, .99),
         (double)s->lag.max_ns / 1e3);
  printf("p50_us=%.1f p99_us=%.1f\n", us(&s->whole, .5), us(&s->whole, .99));
}

int mode_streams(const struct options *options) {
  static struct streams streams;
  struct engine engine;
  engine_open(&engine, options, &streams_hooks, &streams);
  uint64_t cpu, begin;
  if (options->pace_ms) {
    streams.arrivals = calloc((size_t)options->conns * options->chunks, sizeof(*streams.arrivals));
    if (!streams.arrivals) return 1;
    cpu = options_cpu_ns(options);
    begin = options_now_ns();
    run_paced(&engine, &streams);
  } else {
    uint64_t origin = options_now_ns();
    streams.begin_ns = origin + (uint64_t)(options->warmup * 1e9);
    streams.end_ns = streams.begin_ns + (uint64_t)(options->seconds * 1e9);
    streams.to_restart = options->conns;
    run_looping(&engine, &streams, streams.begin_ns);
    cpu = options_cpu_ns(options);
    begin = options_now_ns();
    run_looping(&engine, &streams, streams.end_ns);
  }
  uint64_t span = options_now_ns() - begin;
  cpu = options_cpu_ns(options) - cpu;
  if (streams.arrivals) compute_lag(&engine, &streams);
  print_streams(&engine, &streams, span, cpu);
  free(streams.arrivals);
  engine_close(&engine);
  return 0;
}
