/* What is learned about a provider while serving: see runtime.h. */
#include "route/runtime.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/id.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *names[RUNTIME_PROVIDERS_MAX]; /* under the lock; [0] stays NULL */
static size_t name_count = 1;
static atomic_bool refuses_usage_option[RUNTIME_PROVIDERS_MAX];

static struct runtime_health healths[RUNTIME_PROVIDERS_MAX]; /* under the lock */
static struct {
  atomic_uint_least64_t begun, ended; /* two that only rise, so that no reader sees less than nothing in flight */
} loads[RUNTIME_PROVIDERS_MAX];

static char instance[ID_BYTES];
static pthread_once_t instance_once = PTHREAD_ONCE_INIT;

static void make_instance(void) { (void)id_make(STR("in_"), instance); }

struct str runtime_instance(void) {
  pthread_once(&instance_once, make_instance);
  return str_from_c(instance);
}

unsigned runtime_slot(struct str provider_id) {
  size_t slot = 1;
  pthread_mutex_lock(&lock);
  while (slot < name_count && !str_eq(str_from_c(names[slot]), provider_id)) slot++;
  if (slot == name_count) {
    char *copy = slot < RUNTIME_PROVIDERS_MAX ? malloc(provider_id.n + 1) : NULL;
    if (copy) {
      if (provider_id.n) memcpy(copy, provider_id.p, provider_id.n);
      copy[provider_id.n] = 0;
      names[name_count++] = copy;
    } else {
      slot = 0;
    }
  }
  pthread_mutex_unlock(&lock);
  return (unsigned)slot;
}

void runtime_refuse_usage_option(unsigned slot) {
  atomic_store_explicit(&refuses_usage_option[slot], true, memory_order_relaxed);
}

bool runtime_takes_usage_option(unsigned slot) {
  return !atomic_load_explicit(&refuses_usage_option[slot], memory_order_relaxed);
}

void runtime_set_health(unsigned slot, const struct runtime_health *health) {
  pthread_mutex_lock(&lock);
  healths[slot] = *health;
  pthread_mutex_unlock(&lock);
}

void runtime_get_health(unsigned slot, struct runtime_health *out) {
  pthread_mutex_lock(&lock);
  *out = healths[slot];
  pthread_mutex_unlock(&lock);
}

void runtime_call_begin(unsigned slot) { atomic_fetch_add_explicit(&loads[slot].begun, 1, memory_order_relaxed); }
void runtime_call_end(unsigned slot) { atomic_fetch_add_explicit(&loads[slot].ended, 1, memory_order_release); }

struct runtime_load runtime_load(unsigned slot) {
  uint64_t ended = atomic_load_explicit(&loads[slot].ended, memory_order_acquire);
  uint64_t begun = atomic_load_explicit(&loads[slot].begun, memory_order_relaxed);
  return (struct runtime_load){begun, (uint32_t)(begun - ended)};
}
