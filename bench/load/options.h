/* What the command line asked for, and the two helpers every mode shares: the clock and the CPU time of the processes
 * under test. Filled once by options_read in main.c, constant afterwards.
 * Invariant: every run is bounded in time (seconds) and stays on 127.0.0.1, for there is no option for another host. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dialect.h"

#define OPTIONS_PIDS 64

struct options {
  const char *mode;
  uint16_t port;        /* of the proxy under test */
  uint16_t listen_port; /* cancel: where the silent upstream listens */
  const struct dialect *dialect;
  const char *path; /* NULL: the dialect's */
  const char *model;
  const char *body; /* small, prompt, big or count */
  bool is_stream;
  bool is_fresh; /* a new connection for each request */
  unsigned conns;
  unsigned rate;   /* requests per second over all connections, 0: as fast as replies come */
  unsigned chunks; /* streams: content events each must have */
  unsigned pace_ms;
  unsigned trials;   /* cancel */
  uint64_t requests; /* stop after so many, 0: only seconds count */
  double seconds;
  double warmup;
  const char *key; /* the bearer credential, from BENCH_KEY or --key-file */
  pid_t pids[OPTIONS_PIDS];
  int pid_count;
  char *const *command; /* start: after -- */
};

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

uint64_t options_now_ns(void);
/* CPU time spent so far by all threads, dead ones included, of the processes under test. */
uint64_t options_cpu_ns(const struct options *options);
/* The request line, headers and body for these options; the caller frees it. */
char *options_request(const struct options *options, size_t *length);

#endif
