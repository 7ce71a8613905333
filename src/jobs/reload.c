/* Loading and reloading: see reload.h. */
#include "jobs/reload.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "state/config/config_settings.h"
#include "state/store/store.h"

enum { GONE_LOOKS = 4, FILES_MAX = 32 };

struct stamp {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  bool exists;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* serialises reloads; guards everything below */
static const struct config_sources *sources;
static const struct snapshot_table *table;
static void (*on_publish)(void *);
static void *on_publish_arg;
static struct stamp stamps[FILES_MAX];
static unsigned gone_looks[FILES_MAX]; /* how often a file was looked for in vain */
static char *paths[FILES_MAX];
static size_t path_count;

void reload_init(const struct config_sources *s, const struct snapshot_table *t) {
  sources = s;
  table = t;
}

void reload_on_publish(void (*fn)(void *arg), void *arg) {
  pthread_mutex_lock(&lock);
  on_publish = fn;
  on_publish_arg = arg;
  pthread_mutex_unlock(&lock);
}

static struct stamp stamp_of(const char *path) {
  struct stat st;
  if (stat(path, &st)) return (struct stamp){0};
  return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim, true};
}

static bool stamp_eq(const struct stamp *a, const struct stamp *b) {
  return a->exists == b->exists && a->device == b->device && a->inode == b->inode && a->size == b->size &&
         a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void watch(const char *path) {
  for (size_t i = 0; i < path_count; i++)
    if (!strcmp(paths[i], path)) return;
  char *copy = path_count < FILES_MAX ? strdup(path) : NULL;
  if (!copy) return;
  stamps[path_count] = stamp_of(path);
  paths[path_count++] = copy;
}

/* Stamps are taken before reading: a change during the read is seen as a change afterwards. */
static void take_stamps(void) {
  for (size_t i = 0; i < path_count; i++) stamps[i] = stamp_of(paths[i]);
}

bool reload_is_due(void) {
  bool due = false;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < path_count && !due; i++) {
    struct stamp now = stamp_of(paths[i]);
    /* An editor may remove a file before it writes the new one: gone is only what stays away. */
    bool is_gone = stamps[i].exists && !now.exists;
    gone_looks[i] = is_gone ? gone_looks[i] + 1 : 0;
    due = !stamp_eq(&now, &stamps[i]) && (!is_gone || gone_looks[i] >= GONE_LOOKS);
  }
  pthread_mutex_unlock(&lock);
  return due;
}

static enum err publish(const struct config *config, struct config_diags *diags, struct err_info *info) {
  struct snapshot *old = snapshot_newest(), *made;
  enum err e = snapshot_build(table, config, old, &made, diags, info);
  if (!e) {
    if (old) config_note_restart(snapshot_config(old), config, diags);
    snapshot_publish(made);
    if (on_publish) on_publish(on_publish_arg);
  }
  snapshot_unref(old);
  return e;
}

static enum err load_names(struct db *db, void *out, struct err_info *info) { return names_load(db, out, info); }

/* Without a store that works, and in commands that have none, there are no settings: false. */
static bool read_settings(struct names *out) {
  struct store_status status;
  names_init(out);
  store_status(&status);
  return status.is_started && !store_read(load_names, out, NULL);
}

static enum err load_with(const struct names *settings, struct config **out, struct config_diags *diags) {
  struct config_sources with = *sources;
  with.settings = settings;
  return config_load(&with, out, diags);
}

/* Settings that the rest does not agree with (a file came later) must not keep the program from serving. */
static enum err load(struct config **out, struct config_diags *diags) {
  struct names settings;
  bool has_settings = read_settings(&settings) && settings.of[NAMES_SETTING].n;
  enum err e = load_with(has_settings ? &settings : NULL, out, diags);
  if (e == ERR_BAD_CONFIG && has_settings && !load_with(NULL, out, NULL)) {
    log_line(LOG_LEVEL_ERROR, "settings of the store are left out: with them the configuration has faults",
             log_u64(LOG_COUNT, settings.of[NAMES_SETTING].n));
    e = OK;
  }
  names_clear(&settings);
  return e;
}

enum err reload_check(const struct names *settings, struct err_info *info) {
  struct config_diags diags;
  struct config *config = NULL;
  config_diags_init(&diags);
  enum err e = load_with(settings, &config, &diags);
  if (e == ERR_BAD_CONFIG && load_with(NULL, &config, NULL)) e = OK; /* faulty without them as well */
  for (size_t i = 0; e == ERR_BAD_CONFIG && i < diags.n; i++) {
    const struct config_diag *d = &diags.items[i];
    if (d->severity != CONFIG_ERROR) continue;
    e = err_set_param(info, ERR_BAD_VALUE, d->path.n ? d->path.p : "value", "\"%.*s\" %.*s", STR_ARG(d->path),
                      STR_ARG(d->text));
  }
  config_unref(config);
  config_diags_clear(&diags);
  return e;
}

static enum err reload_all(struct config_diags *diags, struct err_info *info) {
  struct config *config = NULL;
  take_stamps();
  enum err e = load(&config, diags);
  if (e) {
    err_set(info, e, "the configuration has faults; the running one stays in force");
  } else {
    for (size_t i = 0; i < config->file_count; i++) watch(config->files[i].path.p);
    if (config->options.registry_file.n) watch(config->options.registry_file.p);
    e = publish(config, diags, info);
  }
  config_unref(config);
  return e;
}

enum err reload_now(struct config_diags *diags, struct err_info *info) {
  pthread_mutex_lock(&lock);
  enum err e = reload_all(diags, info);
  pthread_mutex_unlock(&lock);
  return e;
}

static bool has_other_settings(const struct snapshot *now) {
  struct names settings;
  bool is_other = read_settings(&settings) && !config_settings_equal(&settings, &snapshot_config(now)->settings);
  names_clear(&settings);
  return is_other;
}

enum err reload_rebuild(struct config_diags *diags, struct err_info *info) {
  pthread_mutex_lock(&lock);
  struct snapshot *now = snapshot_newest();
  enum err e = ERR_INTERNAL;
  if (now) e = has_other_settings(now) ? reload_all(diags, info) : publish(snapshot_config(now), diags, info);
  snapshot_unref(now);
  pthread_mutex_unlock(&lock);
  return e;
}

void reload_log(const struct config_diags *diags) {
  for (size_t i = 0; i < diags->n; i++) {
    const struct config_diag *d = &diags->items[i];
    enum log_level level = d->severity == CONFIG_ERROR     ? LOG_LEVEL_ERROR
                           : d->severity == CONFIG_WARNING ? LOG_LEVEL_WARN
                                                           : LOG_LEVEL_INFO;
    char why[1024];
    snprintf(why, sizeof why, d->hint.n ? "%.*s (%.*s)" : "%.*s%.*s", STR_ARG(d->text), STR_ARG(d->hint));
    log_line(level, "configuration", log_str(LOG_FILE, d->file), log_u64(LOG_LINE, d->line),
             log_str(LOG_OPTION, d->path), log_str(LOG_REASON, str_from_c(why)));
  }
}
