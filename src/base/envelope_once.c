/* Tables made on first use: see envelope_once.h. */
#include "base/envelope_once.h"

#include <pthread.h>

const struct envelope_table *envelope_once_table(struct envelope_once *once) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  if (atomic_load_explicit(&once->is_made, memory_order_acquire)) return &once->table;
  pthread_mutex_lock(&lock);
  if (!atomic_load_explicit(&once->is_made, memory_order_relaxed)) {
    if (envelope_table_init(&once->table, once->paths, once->n, NULL)) __builtin_trap();
    atomic_store_explicit(&once->is_made, true, memory_order_release);
  }
  pthread_mutex_unlock(&lock);
  return &once->table;
}
