/* What requests read: an epoch and an array of immutable, refcounted sections, each built from the configuration by the
 * layer that uses it. A reload builds what changed, shares the rest and publishes with one pointer; each worker adopts
 * it at the end of a turn, and an exchange keeps the one it began with (snapshot_ref). Building and publishing: one
 * thread at a time, not a loop's. Invariant: a section is freed exactly once, after the last snapshot that shares it.
 *
 * Globals: the newest published snapshot (under a mutex), and per thread the adopted one. */
#ifndef MAESTRO_STATE_SNAPSHOT_H
#define MAESTRO_STATE_SNAPSHOT_H

#include "base/err.h"
#include "state/config/config.h"
#include "state/config/config_diag.h"

struct snapshot;

struct snapshot_section {
  const char *name;
  /* Makes the section. `made` has the sections of earlier rows (snapshot_get), so that later ones may build on them.
   * `old` is the same section of the running snapshot or NULL. Setting *out = (void *)old says "unchanged": it is
   * shared. An error (reported in diags) keeps the whole running snapshot. */
  enum err (*build)(const struct config *config, const struct snapshot *made, const void *old, void **out,
                    struct config_diags *diags);
  void (*free)(void *section); /* on the thread that drops the last reference; NULL: nothing to free */
};

enum { SNAPSHOT_SECTIONS_MAX = 32 };

struct snapshot_table {
  const struct snapshot_section *rows; /* outlives every snapshot */
  size_t count;                        /* at most SNAPSHOT_SECTIONS_MAX */
};

/* *out has one reference. `old` is usually snapshot_newest's, or NULL; it must be of the same table. */
enum err snapshot_build(const struct snapshot_table *table, const struct config *config, const struct snapshot *old,
                        struct snapshot **out, struct config_diags *diags, struct err_info *info) MUST_CHECK;
/* Takes the caller's reference and makes it the newest. Workers still run on what they adopted: broadcast
 * snapshot_adopt. */
void snapshot_publish(struct snapshot *s);
/* A reference to the newest, or NULL before the first publish. Any thread; takes the mutex. */
struct snapshot *snapshot_newest(void) MUST_CHECK;
/* Drops the newest, at the end of the process. */
void snapshot_unpublish(void);

/* On a worker: makes the newest this thread's current one. At its start and when told, from the loop's stack. */
void snapshot_adopt(void);
/* On a worker: gives the current one up, when it stops. */
void snapshot_leave(void);
/* This thread's, borrowed until its next snapshot_adopt: a fiber that waits takes a reference. NULL before the first.
 */
const struct snapshot *snapshot_current(void);

/* Any thread, no lock. NULL is allowed for unref and gives NULL for ref. */
const struct snapshot *snapshot_ref(const struct snapshot *s);
void snapshot_unref(const struct snapshot *s);

uint64_t snapshot_epoch(const struct snapshot *s); /* 1 for the first built by this process, then rising */
const struct config *snapshot_config(const struct snapshot *s);
/* Section by its row in the table. */
const void *snapshot_get(const struct snapshot *s, size_t row);

#endif
