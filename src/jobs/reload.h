/* Loading and reloading: configuration to snapshot to workers, all or nothing. A bad file changes nothing: the running
 * snapshot goes on and the diagnostics say why. One reload at a time; each blocks on files, so never on a loop. */
#ifndef MAESTRO_JOBS_RELOAD_H
#define MAESTRO_JOBS_RELOAD_H

#include "io/worker.h"
#include "state/config/config.h"
#include "state/snapshot.h"

/* Everything borrowed for the life of the process. Before anything else here. */
void reload_init(const struct config_sources *sources, const struct snapshot_table *table);
/* Called after each publish, on the thread that reloaded: broadcasts to workers. NULL: nobody yet. */
void reload_on_publish(void (*fn)(void *arg), void *arg);
/* Reads all sources again and publishes. Diagnostics of warnings and errors are added to diags (may be NULL). */
enum err reload_now(struct config_diags *diags, struct err_info *info) MUST_CHECK;
/* Whether the configuration would be accepted with these settings in place of the store's: ERR_BAD_VALUE says why not.
 * Takes no lock, so it may be asked within a transaction of the store. */
enum err reload_check(const struct names *settings, struct err_info *info) MUST_CHECK;
/* Publishes a new snapshot of the running configuration: after discovery has found models, and after changes of the
 * store. Where settings in it have changed it is reload_now. */
enum err reload_rebuild(struct config_diags *diags, struct err_info *info) MUST_CHECK;
/* True when a watched file has appeared, gone or changed since the last reload_now, whatever its result. Blocks on
 * stat; called twice a second by main. */
bool reload_is_due(void);
/* Logs each diagnostic; for reloads that nobody waits for. */
void reload_log(const struct config_diags *diags);

#endif
