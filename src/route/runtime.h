/* What is learned about a provider while serving and is not in the snapshot: shared by all workers, atomic, kept by
 * provider id for the life of the process. A slot is interned when a catalog is built. */
#ifndef MAESTRO_ROUTE_RUNTIME_H
#define MAESTRO_ROUTE_RUNTIME_H

#include "base/err.h"
#include "base/str.h"

enum { RUNTIME_PROVIDERS_MAX = 1024 };

/* This process's own name, sent to providers as RUNTIME_VIA_HEADER: who receives it back has been configured as its own
 * provider. */
#define RUNTIME_VIA_HEADER "x-maestro-via"
struct str runtime_instance(void);

/* The slot of that provider id; 0 is shared by all that came after the table was full. Takes a mutex. */
unsigned runtime_slot(struct str provider_id);
/* The provider refused stream_options.include_usage: do not ask again. */
void runtime_refuse_usage_option(unsigned slot);
bool runtime_takes_usage_option(unsigned slot);

/* How a provider was when somebody looked (the admin API's health check); at_us 0: nobody has. */
struct runtime_health {
  int64_t at_us; /* wall clock */
  enum err fault;
  uint32_t latency_ms;
  char text[160]; /* of the fault */
};
/* Take a mutex. */
void runtime_set_health(unsigned slot, const struct runtime_health *health);
void runtime_get_health(unsigned slot, struct runtime_health *out);

/* Calls of the provider, since the start and now. */
void runtime_call_begin(unsigned slot);
void runtime_call_end(unsigned slot);
struct runtime_load {
  uint64_t calls;
  uint32_t in_flight;
};
struct runtime_load runtime_load(unsigned slot);

#endif
