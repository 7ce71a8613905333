/* Snapshots: sections counted one by one, so that two snapshots share what did not change. The mutex is held for a
 * pointer and a count only, and only at reloads. */
#include "state/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct section {
  atomic_uint refs; /* snapshots that have it */
  void *data;
  void (*free)(void *);
};

struct snapshot {
  atomic_uint refs;
  uint64_t epoch;
  struct config *config;
  size_t count; /* sections made so far: all of them once it is published */
  struct section *sections[];
};

static pthread_mutex_t newest_lock = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot *newest;                /* under newest_lock; one reference */
static _Atomic uint64_t epochs;                /* the last one given */
static _Thread_local struct snapshot *adopted; /* one reference */

static void section_unref(struct section *s) {
  if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
  if (s->free && s->data) s->free(s->data);
  free(s);
}

/* One section: the old one when it says so, else a new one of its own. */
static enum err build_section(const struct snapshot_section *row, struct snapshot *s, const struct snapshot *old,
                              struct config_diags *diags) {
  struct section *before = old ? old->sections[s->count] : NULL;
  struct section *section = calloc(1, sizeof *section);
  if (!section) return ERR_NO_MEMORY;
  enum err e = row->build(s->config, s, before ? before->data : NULL, &section->data, diags);
  if (e) {
    free(section);
    return e;
  }
  if (before && section->data == before->data) {
    free(section);
    section = before;
    atomic_fetch_add_explicit(&section->refs, 1, memory_order_relaxed);
  } else {
    section->free = row->free;
    atomic_init(&section->refs, 1);
  }
  s->sections[s->count++] = section;
  return OK;
}

enum err snapshot_build(const struct snapshot_table *table, const struct config *config, const struct snapshot *old,
                        struct snapshot **out, struct config_diags *diags, struct err_info *info) {
  if (table->count > SNAPSHOT_SECTIONS_MAX || (old && old->count != table->count))
    return err_set(info, ERR_INTERNAL, "snapshot: the table is not that of the running snapshot");
  struct snapshot *s = calloc(1, sizeof *s + table->count * sizeof *s->sections);
  if (!s) return err_set(info, ERR_NO_MEMORY, "out of memory");
  atomic_init(&s->refs, 1);
  s->config = config_ref(config);
  for (size_t i = 0; i < table->count; i++) {
    enum err e = build_section(&table->rows[i], s, old, diags);
    if (!e) continue;
    snapshot_unref(s);
    return err_set(info, e, "section \"%s\" could not be built", table->rows[i].name);
  }
  s->epoch = atomic_fetch_add_explicit(&epochs, 1, memory_order_relaxed) + 1;
  *out = s;
  return OK;
}

static struct snapshot *take_reference(struct snapshot *s) {
  if (s) atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

/* Puts s in place of the newest and drops the old one, outside of the lock: freeing sections may take long. */
static void swap_newest(struct snapshot *s) {
  pthread_mutex_lock(&newest_lock);
  struct snapshot *before = newest;
  newest = s;
  pthread_mutex_unlock(&newest_lock);
  snapshot_unref(before);
}

void snapshot_publish(struct snapshot *s) { swap_newest(s); }
void snapshot_unpublish(void) { swap_newest(NULL); }

struct snapshot *snapshot_newest(void) {
  pthread_mutex_lock(&newest_lock);
  struct snapshot *s = take_reference(newest);
  pthread_mutex_unlock(&newest_lock);
  return s;
}

void snapshot_adopt(void) {
  struct snapshot *before = adopted;
  adopted = snapshot_newest();
  snapshot_unref(before);
}

void snapshot_leave(void) {
  struct snapshot *before = adopted;
  adopted = NULL;
  snapshot_unref(before);
}

const struct snapshot *snapshot_current(void) { return adopted; }

const struct snapshot *snapshot_ref(const struct snapshot *s) {
  return take_reference((struct snapshot *)(uintptr_t)s);
}

void snapshot_unref(const struct snapshot *snapshot) {
  struct snapshot *s = (struct snapshot *)(uintptr_t)snapshot;
  if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
  while (s->count) section_unref(s->sections[--s->count]); /* later ones may point into earlier ones */
  config_unref(s->config);
  free(s);
}

uint64_t snapshot_epoch(const struct snapshot *s) { return s->epoch; }
const struct config *snapshot_config(const struct snapshot *s) { return s->config; }
const void *snapshot_get(const struct snapshot *s, size_t row) {
  return row < s->count ? s->sections[row]->data : NULL;
}
