/* A table of an envelope, made on first use: what a file keeps beside its rows. Lives as long as the process;
 * thread-safe. */
#ifndef MAESTRO_BASE_ENVELOPE_ONCE_H
#define MAESTRO_BASE_ENVELOPE_ONCE_H

#include <stdatomic.h>

#include "base/envelope.h"

struct envelope_once { /* static; set paths and n, zero-initialise the rest */
  const struct str *paths;
  size_t n;
  atomic_bool is_made;
  struct envelope_table table; /* private */
};

/* The table of the rows. Rows that break the rules of envelope_table_init are a fault of the program and end it. */
const struct envelope_table *envelope_once_table(struct envelope_once *once);

#endif
