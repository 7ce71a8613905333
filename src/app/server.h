/* The serving process: workers, listeners, signals, reloads, the drain at the end. One per process; run by cmd_serve on
 * the main thread, which owns no loop: it waits for signals and looks at watched files. */
#ifndef MAESTRO_APP_SERVER_H
#define MAESTRO_APP_SERVER_H

#include "app/cli.h"

struct server_options {
  const struct config_sources *sources;
  struct cli_paths paths;
};

/* Serves until SIGTERM or SIGINT; returns an exit code. */
int server_run(const struct server_options *options);

#endif
