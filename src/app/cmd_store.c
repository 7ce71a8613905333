/* `maestro store migrate|backup|restore|export|import|seed`. What only reads works beside a running server; what writes
 * takes the lock of the data directory, and says who has it when somebody does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/store_seed.h"
#include "base/json_out.h"
#include "base/log.h"
#include "state/data_lock.h"
#include "state/disk.h"
#include "state/session.h"
#include "state/store/migrate.h"
#include "state/store/store.h"
#include "state/store/store_audit.h"
#include "state/store/store_names.h"
#include "state/store/store_node.h"
#include "state/store/store_team.h"
#include "state/store/store_user.h"
#include "state/stored_response.h"

enum { BUSY_MS = 5000, IMPORT_MAX_BYTES = 512 << 20 };

struct place {
  struct arena arena;
  struct cli_paths paths;
  const char *store; /* its file */
};

struct note_count {
  const char *name; /* NULL: the end */
  size_t n;
};

/* The audit row of what a command did to the store as a whole. */
static enum err note(struct db *db, const char *action, const struct note_count *counts, struct err_info *info) {
  struct buf after;
  buf_init(&after, 0);
  json_out_begin(&after, '{');
  for (; counts->name; counts++) json_out_member_i64(&after, counts->name, (int64_t)counts->n);
  json_out_end(&after, '}');
  const struct audit_row row = {
      .actor = STR("command"), .action = str_from_c(action), .entity_type = STR("store"), .after = buf_str(&after)};
  enum err e = after.failed ? ERR_NO_MEMORY : store_audit_add(db, &row, info);
  buf_clear(&after);
  return e;
}

static int fail(enum err e, const struct err_info *info) { return cli_fail(CLI_FAILED, "%s", err_info_text(e, info)); }

static const char *beside(struct place *p, const char *path, const char *suffix) {
  return arena_printf(&p->arena, "%s%s", path, suffix).p;
}

/* Reading, of a store that is there and of a version that is known. */
static enum err open_store(const char *path, struct db **out, struct err_info *info) {
  const struct db_options options = {.path = path, .is_read_only = true, .busy_ms = BUSY_MS};
  struct db *db = NULL;
  unsigned version = 0;
  if (!disk_exists(path)) return err_set(info, ERR_NOT_FOUND, "there is no store at %s", path);
  enum err e = db_open(&db, &options, info);
  if (!e) e = migrate_version(db, &version, info);
  if (!e && version > db_migration_count())
    e = err_set(info, ERR_STORE_NEWER, "%s has version %u, this program knows %u", path, version, db_migration_count());
  if (e)
    db_close(db);
  else
    *out = db;
  return e;
}

/* ---- migrate ---- */

static int say_version(struct place *p, const struct err_info *held) {
  struct err_info info = {0};
  struct db *db = NULL;
  unsigned version = 0;
  enum err e = open_store(p->store, &db, &info);
  if (!e) e = migrate_version(db, &version, &info);
  db_close(db);
  if (e) return fail(e, &info);
  if (version < db_migration_count()) return cli_fail(CLI_FAILED, "%s", held->text);
  printf("The store has version %u, which is this program's; a running server keeps it so.\n", version);
  return CLI_OK;
}

static int migrate(struct place *p, int argc, char **argv) {
  const struct db_options options = {.path = p->store, .busy_ms = BUSY_MS};
  struct data_lock lock = {-1};
  struct err_info info = {0};
  struct db *db = NULL;
  unsigned from = 0;
  (void)argc, (void)argv;
  enum err e = data_lock_take(p->paths.data_dir, "store migrate", &lock, &info);
  if (e == ERR_CONFLICT) return say_version(p, &info);
  if (!e) e = db_open(&db, &options, &info);
  if (!e) e = migrate_run(db, 0, &from, &info);
  db_close(db);
  data_lock_release(&lock);
  if (e) return fail(e, &info);
  if (from == db_migration_count())
    printf("The store has version %u already.\n", from);
  else
    printf("The store went from version %u to %u.\n", from, db_migration_count());
  return CLI_OK;
}

/* ---- backup and restore ---- */

static int backup(struct place *p, int argc, char **argv) {
  struct err_info info = {0};
  struct db *db = NULL;
  if (argc < 2) return cli_fail(CLI_USAGE, "usage: maestro store backup FILE");
  const char *part = beside(p, argv[1], ".part");
  enum err e = part ? open_store(p->store, &db, &info) : ERR_NO_MEMORY;
  if (!e) {
    unlink(part); /* of a backup that was ended */
    e = db_copy(db, part, &info);
  }
  db_close(db);
  if (!e && rename(part, argv[1])) {
    e = err_set(&info, ERR_IO, "%s: %s", argv[1], strerror(errno));
    unlink(part);
  }
  if (e) return fail(e, &info);
  printf("Wrote %s\n", argv[1]);
  return CLI_OK;
}

/* The store that was, its log included, gets another name beside its own, so that at any moment there is one. */
static enum err set_aside(struct place *p, const char *from_suffix, const char *to_suffix, struct err_info *info) {
  const char *from = beside(p, p->store, from_suffix), *to = beside(p, p->store, to_suffix);
  if (!from || !to) return ERR_NO_MEMORY;
  unlink(to); /* of an earlier one; its log would be applied to a file that it does not belong to */
  if (!disk_exists(from)) return OK;
  return link(from, to) ? err_set(info, ERR_IO, "%s: %s", to, strerror(errno)) : OK;
}

static enum err put_in_place(struct place *p, const char *part, struct err_info *info) {
  const char *log = beside(p, p->store, "-wal"), *index = beside(p, p->store, "-shm");
  if (!log || !index) return ERR_NO_MEMORY;
  bool had_store = disk_exists(p->store);
  enum err e = had_store ? set_aside(p, "", ".before-restore", info) : OK;
  if (!e && had_store) e = set_aside(p, "-wal", ".before-restore-wal", info);
  if (e) return e;
  unlink(log); /* it belongs to the old file, and would be applied to the new one */
  unlink(index);
  return rename(part, p->store) ? err_set(info, ERR_IO, "%s: %s", p->store, strerror(errno)) : OK;
}

/* Responses are kept under users' numbers, which a store that is put back may give to others. */
static void forget_responses(struct place *p) {
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    const char *path = arena_printf(&p->arena, "%s/" STORED_RESPONSE_FILE "%s", p->paths.data_dir, suffixes[i]).p;
    if (path) unlink(path);
  }
}

static enum err restore_from(struct place *p, const char *path, struct err_info *info) {
  const char *part = beside(p, p->store, ".restoring");
  struct db *db = NULL;
  bool is_ours = false;
  enum err e = part ? open_store(path, &db, info) : ERR_NO_MEMORY;
  if (!e) e = db_has_schema(db, &is_ours, info);
  if (!e && !is_ours) e = err_set(info, ERR_BAD_VALUE, "%s is no store", path);
  if (!e) e = db_check(db, info);
  if (e == ERR_STORE_CORRUPT)
    e = err_set(info, e, "%s is no whole store; nothing was changed (`maestro store import` reads exports)", path);
  if (!e) {
    unlink(part);
    e = db_copy(db, part, info);
  }
  db_close(db);
  if (e) return e;
  e = put_in_place(p, part, info);
  if (e)
    unlink(part);
  else
    forget_responses(p);
  return e;
}

/* For a server that cannot read the store. How many users there are now. */
static size_t keep_last_known(void) {
  struct people people;
  struct names names;
  store_people(&people);
  store_names(&names);
  size_t users = people.user_count;
  people_clear(&people);
  names_clear(&names);
  store_nodes_unref(store_nodes());
  store_nodes_forget();
  return users;
}

static enum err note_restored(struct db *db, void *users, struct err_info *info) {
  const struct note_count counts[] = {{"users", *(const size_t *)users}, {NULL, 0}};
  return note(db, "restore", counts, info);
}

static int restore(struct place *p, int argc, char **argv) {
  struct data_lock lock = {-1};
  struct err_info info = {0};
  struct store_status status;
  if (argc < 2) return cli_fail(CLI_USAGE, "usage: maestro store restore FILE");
  enum err e = data_lock_take(p->paths.data_dir, "store restore", &lock, &info);
  bool had_store = disk_exists(p->store);
  if (!e) e = restore_from(p, argv[1], &info);
  data_lock_release(&lock);
  /* Opened as a server would: brought up to date, and who may call is kept for the case that it fails. */
  if (!e) e = store_start(p->paths.data_dir, "store restore", &info);
  if (e) return fail(e, &info);
  store_status(&status);
  if (status.fault) {
    store_stop();
    return cli_fail(CLI_FAILED, "%s", status.text);
  }
  e = session_end_stored(&info); /* some of them may have been signed out since */
  size_t users = keep_last_known();
  if (!e) e = store_write(note_restored, &users, &info);
  if (e) {
    store_stop();
    return fail(e, &info);
  }
  printf("Restored %zu user%s from %s", users, users == 1 ? "" : "s", argv[1]);
  if (had_store) printf("; what was there is %s.before-restore", p->store);
  printf("\n");
  store_stop();
  return CLI_OK;
}

/* ---- export and import ---- */

struct content {
  struct people people;
  struct names names;
  struct nodes nodes;
};

static void content_init(struct content *c) {
  people_init(&c->people);
  names_init(&c->names);
  node_list_init(&c->nodes);
}

static void content_clear(struct content *c) {
  people_clear(&c->people);
  names_clear(&c->names);
  node_list_clear(&c->nodes);
}

static enum err read_content(struct db *db, struct content *out, struct err_info *info) {
  unsigned version = 0;
  enum err e = migrate_version(db, &version, info);
  if (!e && version < db_migration_count())
    e = err_set(info, ERR_BAD_VALUE, "the store has version %u of %u: run `maestro store migrate` first", version,
                db_migration_count());
  if (!e) e = db_begin_read(db, info);
  if (!e) e = people_load(db, 0, &out->people, info);
  if (!e) e = names_load(db, &out->names, info);
  return e ? e : nodes_load(db, 0, NULL, &out->nodes, info);
}

/* A credential opens with its store's key alone, so it stays; `backup` and store.key together take it along. */
static void say_left_out(const struct nodes *nodes) {
  for (size_t i = 0; i < nodes->n; i++)
    if (nodes->v[i].sealed.n)
      fprintf(
          stderr,
          "The node \"%.*s\" is exported without its credential and headers: give it new ones where it is imported.\n",
          STR_ARG(nodes->v[i].p.id));
}

static int export(struct place *p, int argc, char **argv) {
  struct err_info info = {0};
  struct db *db = NULL;
  struct content content;
  struct buf text;
  content_init(&content);
  buf_init(&text, 0);
  enum err e = open_store(p->store, &db, &info);
  if (!e) e = read_content(db, &content, &info);
  db_close(db);
  if (!e) people_write(&content.people, &text);
  if (!e) names_write(&content.names, &text);
  if (!e) nodes_write(&content.nodes, false, &text);
  if (!e && text.failed) e = ERR_NO_MEMORY;
  if (!e && argc > 1) e = disk_replace(argv[1], buf_str(&text), 0600, &info);
  if (!e && argc < 2 && (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout)))
    e = err_set(&info, ERR_IO, "standard output: %s", strerror(errno));
  int code = e ? fail(e, &info) : CLI_OK;
  if (!e) say_left_out(&content.nodes);
  content_clear(&content);
  buf_clear(&text);
  return code;
}

static enum err add_all(struct db *db, void *arg, struct err_info *info) {
  const struct content *c = arg;
  enum err e = OK;
  const struct people *people = &c->people;
  for (size_t i = 0; !e && i < people->team_count; i++) e = store_team_import(db, &people->teams[i], info);
  for (size_t i = 0; !e && i < people->model_count; i++)
    e = store_team_set_model_limits(db, people->models[i].model, &people->models[i].limits, info);
  for (size_t i = 0; !e && i < people->user_count; i++) e = store_user_import(db, &people->users[i], info);
  for (size_t i = 0; !e && i < c->nodes.n; i++) e = store_node_import(db, &c->nodes.v[i], info);
  if (!e) e = store_names_import(db, &c->names, info);
  const struct note_count counts[] = {
      {"users", people->user_count},     {"teams", people->team_count}, {"model_limits", people->model_count},
      {"names", names_count(&c->names)}, {"nodes", c->nodes.n},         {NULL, 0}};
  return e ? e : note(db, "import", counts, info);
}

/* The next part of an export, each of which begins with a line that says what it is. */
static struct str next_part(struct str *rest) {
  static const struct str head = STR("\n{\"kind\":\"maestro-"); /* a row has a kind, too */
  size_t next = str_find(*rest, head);
  struct str part = str_sub(*rest, 0, next == SIZE_MAX ? rest->n : next + 1);
  *rest = str_sub(*rest, part.n, rest->n);
  return part;
}

/* People, then names and nodes. All of them must be there, so that a text that was cut is known to be: but for exports
 * of the first form, which had people alone. */
static enum err parse_content(struct str text, struct content *out, struct err_info *info) {
  static const struct str first_form = STR("{\"kind\":\"maestro-people\",\"version\":1,");
  struct str rest = text;
  enum err e = people_read(next_part(&rest), &out->people, info);
  if (!rest.n && str_has_prefix(text, first_form)) return e;
  if (!e) e = names_read(next_part(&rest), &out->names, info);
  return e ? e : nodes_read(rest, &out->nodes, info);
}

/* Those that are no text are likely backups: the two are taken for each other. */
static enum err read_export(const char *path, struct buf *text, struct content *out, struct err_info *info) {
  enum err e = disk_read(path, IMPORT_MAX_BYTES, text, NULL, info);
  if (!e && str_has_prefix(buf_str(text), STR("SQLite format 3")))
    return err_set(info, ERR_BAD_VALUE, "%s is no export but a backup: `maestro store restore` reads it", path);
  return e ? e : parse_content(buf_str(text), out, info);
}

static int import(struct place *p, int argc, char **argv) {
  struct err_info info = {0};
  struct content content;
  struct buf text;
  if (argc < 2) return cli_fail(CLI_USAGE, "usage: maestro store import FILE");
  content_init(&content);
  buf_init(&text, 0);
  enum err e = read_export(argv[1], &text, &content, &info);
  if (!e) e = store_start(p->paths.data_dir, "store import", &info);
  if (!e) {
    e = store_write(add_all, &content, &info);
    if (!e) (void)keep_last_known();
    store_stop();
  }
  int code = e ? fail(e, &info) : CLI_OK;
  if (!e)
    printf("Imported %zu user%s, %zu name%s and %zu node%s\n", content.people.user_count,
           content.people.user_count == 1 ? "" : "s", names_count(&content.names),
           names_count(&content.names) == 1 ? "" : "s", content.nodes.n, content.nodes.n == 1 ? "" : "s");
  content_clear(&content);
  buf_clear(&text);
  return code;
}

static int seed(struct place *p, int argc, char **argv) { return store_seed(&p->paths, &p->arena, argc, argv); }

static const struct {
  const char *name;
  int most; /* arguments */
  int (*run)(struct place *p, int argc, char **argv);
} actions[] = {{"migrate", 0, migrate}, {"backup", 1, backup}, {"restore", 1, restore},
               {"export", 1, export},   {"import", 1, import}, {"seed", 3, seed}};

enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(struct place *p, int argc, char **argv) {
  const char *names[ACTIONS];
  for (size_t i = 0; i < ACTIONS; i++) {
    names[i] = actions[i].name;
    if (argc < 2 || strcmp(argv[1], names[i])) continue;
    int code = cli_check_arguments("store", argc - 1, argv + 1, actions[i].most);
    return code ? code : actions[i].run(p, argc - 1, argv + 1);
  }
  return cli_no_action("store", argc > 1 ? argv[1] : NULL, names, ACTIONS);
}

int cmd_store(int argc, char **argv) {
  struct place p = {0};
  struct err_info info = {0};
  int code;
  log_set_level(LOG_LEVEL_WARN); /* what a server would tell its operator */
  arena_init(&p.arena, 0);
  enum err e = cli_paths(&p.arena, &p.paths, &info);
  if (!e) {
    p.store = arena_printf(&p.arena, "%s/" STORE_FILE, p.paths.data_dir).p;
    if (!p.store) e = ERR_NO_MEMORY;
  }
  code = e ? fail(e, &info) : run(&p, argc, argv);
  arena_clear(&p.arena);
  return code;
}
