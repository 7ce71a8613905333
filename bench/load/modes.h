/* The modes of the load generator; each runs to its end and prints one line of key=value pairs on standard output.
 * They return the process's exit status: 0 when the run could be made (errors are counted, not fatal), 1 when not.
 * The keys are read by bench/lib; durations are microseconds and end in _us. */
#ifndef BENCH_LOAD_MODES_H
#define BENCH_LOAD_MODES_H

#include <signal.h>

#include "options.h"

extern volatile sig_atomic_t modes_stop; /* set by SIGTERM and SIGINT: finish the window now and print */

int mode_closed(
    const struct options *options); /* requests over kept or fresh connections, as fast as replies or at a rate */
int mode_streams(const struct options *options); /* server-sent event streams, every event checked */
int mode_idle(const struct options *options);    /* opens conns, one request each, holds them until input ends */
int mode_cancel(
    const struct options *options); /* leaves a silent upstream; how long until the upstream's side is closed */
int mode_start(const struct options *options); /* runs a command; how long until a GET of path is answered 200 */
int mode_probe(const struct options *options); /* waits until a GET of path is answered at all */
int mode_selftest(const struct options *options);

#endif
