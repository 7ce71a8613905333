/* What snapshots are made of (store.h): people, names and nodes, each read whole from the store and kept as a text in a
 * file beside it, from which it comes where the store fails. One row of struct kept for each. People alone are patched,
 * too, where little has changed; their file then waits for store_keep_people. */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/log.h"
#include "state/disk.h"
#include "state/store/store_internal.h"

enum { KEPT_MAX_BYTES = 512 << 20 };

static _Atomic bool is_kept_stale; /* people.jsonl */
static _Atomic uint64_t patched;   /* generation of the newest of store_people_since */

/* One value that is read whole, and its copy for a store that fails. */
struct kept {
  const char *file;
  const char *what; /* is known of nothing, where neither can be read */
  void (*init)(void *value);
  enum err (*load)(struct db *db, void *out, struct err_info *info);
  void (*write)(const void *value, struct buf *out);
  enum err (*read)(struct str text, void *out, struct err_info *info);
  _Atomic bool *is_stale; /* set where it may be older than what is in force; NULL: it never is */
};

static void init_people(void *people) { people_init(people); }
static enum err load_people(struct db *of, void *out, struct err_info *info) { return people_load(of, 0, out, info); }
static void write_people(const void *people, struct buf *out) { people_write(people, out); }
static enum err read_people(struct str text, void *out, struct err_info *info) { return people_read(text, out, info); }
static const struct kept kept_people = {STORE_PEOPLE_FILE, "who may call", init_people,   load_people,
                                        write_people,      read_people,    &is_kept_stale};

static void init_names(void *names) { names_init(names); }
static enum err load_names(struct db *of, void *out, struct err_info *info) { return names_load(of, out, info); }
static void write_names(const void *names, struct buf *out) { names_write(names, out); }
static enum err read_names(struct str text, void *out, struct err_info *info) { return names_read(text, out, info); }
static const struct kept kept_names = {STORE_NAMES_FILE, "aliases and groups", init_names, load_names,
                                       write_names,      read_names,           NULL};

static void init_nodes(void *nodes) { node_list_init(nodes); }
static enum err load_nodes(struct db *of, void *out, struct err_info *info) {
  return nodes_load(of, 0, NULL, out, info);
}
static void write_nodes(const void *nodes, struct buf *out) { nodes_write(nodes, true, out); }
static enum err read_nodes(struct str text, void *out, struct err_info *info) { return nodes_read(text, out, info); }
static const struct kept kept_nodes = {STORE_NODES_FILE, "nodes",    init_nodes, load_nodes,
                                       write_nodes,      read_nodes, NULL};

static void keep(const struct kept *k, const void *value) {
  struct err_info info = {0};
  struct buf text;
  if (k->is_stale) atomic_store(k->is_stale, false); /* what changes from here on makes it so again */
  buf_init(&text, 0);
  k->write(value, &text);
  char path[STORE_PATH_BYTES];
  enum err e = text.failed ? ERR_NO_MEMORY : store_path_beside(k->file, path);
  if (!e) e = disk_replace(path, buf_str(&text), 0600, &info);
  buf_clear(&text);
  if (e && k->is_stale) atomic_store(k->is_stale, true);
  if (e)
    log_line(LOG_LEVEL_WARN, "the copy for a store that fails is not up to date", log_c(LOG_FILE, k->file),
             log_c(LOG_REASON, err_info_text(e, &info)));
}

static enum store_source load_kept(const struct kept *k, void *out) {
  struct err_info info = {0};
  struct buf text;
  buf_init(&text, 0);
  char path[STORE_PATH_BYTES];
  enum err e = store_path_beside(k->file, path);
  if (!e) e = disk_read(path, KEPT_MAX_BYTES, &text, NULL, &info);
  bool is_absent = e == ERR_NOT_FOUND;
  if (!e) e = k->read(buf_str(&text), out, &info);
  buf_clear(&text);
  if (!e) return STORE_KEPT;
  k->init(out);
  bool has_path = !store_path_beside(STORE_FILE, path);
  /* Neither was ever made, so nobody is in it; what cannot be looked at may hold somebody. */
  if (is_absent && has_path && access(path, F_OK) && errno == ENOENT) return STORE_NONE;
  log_line(LOG_LEVEL_ERROR, "neither the store nor its copy can be read", log_c(LOG_NAME, k->what),
           log_c(LOG_REASON, err_info_text(e, &info)));
  return STORE_UNKNOWN;
}

static enum store_source load(const struct kept *k, void *out) {
  struct store_status now;
  struct err_info info = {0};
  store_status(&now);
  k->init(out);
  if (!now.is_started) return STORE_NONE;
  struct db *db = store_lock();
  enum err e = db ? db_begin_read(db, &info) : ERR_STORE_FAILED;
  bool is_open = db != NULL;
  if (!e) {
    e = k->load(db, out, &info);
    db_rollback(db);
  }
  store_unlock();
  if (is_open && e) store_set_status(e, &info, 0);
  if (e) return load_kept(k, out);
  keep(k, out);
  return STORE_DB;
}

enum store_source store_people(struct people *out) { return load(&kept_people, out); }
enum store_source store_names(struct names *out) { return load(&kept_names, out); }
enum store_source store_node_list(struct nodes *out) { return load(&kept_nodes, out); }

void store_keep_people(const struct people *people) {
  if (!atomic_load(&is_kept_stale) || people->generation != atomic_load(&patched)) return; /* a newer one comes */
  keep(&kept_people, people);
  if (people->generation != atomic_load(&patched)) atomic_store(&is_kept_stale, true); /* it came meanwhile */
}

enum store_news store_people_since(uint64_t since, const struct people *old, struct people *out) {
  int64_t ids[STORE_PATCH_MAX];
  unsigned n = 0;
  struct people made;
  people_init(&made);
  struct db *db = store_lock();
  bool is_known = db && store_changed_since(since, ids, &n);
  enum err e = !is_known ? ERR_STORE_FAILED : n ? db_begin_read(db, NULL) : OK;
  bool is_reading = !e && n;
  for (unsigned i = 0; !e && i < n; i++) {
    struct people one, next;
    e = people_load(db, ids[i], &one, NULL);
    if (!e) e = people_patch(i ? &made : old, ids[i], &one, &next);
    if (e) break;
    people_clear(&made);
    made = next;
  }
  if (is_reading) db_rollback(db);
  made.generation = store_generation();
  store_unlock();
  if (e) people_clear(&made);
  if (e) return STORE_UNCLEAR;
  if (!n) return STORE_SAME;
  atomic_store(&patched, made.generation);
  atomic_store(&is_kept_stale, true);
  *out = made;
  return STORE_PATCHED;
}
