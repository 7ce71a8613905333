/* `maestro store seed [--reset] [--status] [--json]`: the default tool sets and settings of models, by the admin API
 * where a server runs, else on the store itself. Used by cmd_store.c. */
#ifndef MAESTRO_APP_STORE_SEED_H
#define MAESTRO_APP_STORE_SEED_H

#include "app/cli.h"

int store_seed(const struct cli_paths *paths, struct arena *a, int argc, char **argv);

#endif
