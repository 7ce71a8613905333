/* config_load: the order in which sources are read, and the life of the result. The parts are in config_*.c; what they
 * share is config_load.h. */
#include "state/config/config.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "state/config/config_load.h"
#include "state/disk.h"

enum { ARENA_BYTES_MAX = 64 << 20 };

/* ---- what the parts share ---- */

struct str config_loader_dup(struct config_loader *l, struct str s) {
  struct str copy = arena_dup(l->arena, s);
  l->is_no_memory |= !copy.p;
  return copy;
}

static enum err read_source(const struct config_sources *s, const char *path, struct buf *out, unsigned *mode,
                            struct err_info *info) {
  if (s->read) return s->read(s->read_arg, path, out, mode, info);
  return disk_read(path, CONFIG_FILE_BYTES_MAX, out, mode, info);
}

/* For watching: each path once. */
static void note_file(struct config_loader *l, struct str path, bool exists) {
  struct config *c = l->c;
  for (size_t i = 0; i < c->file_count; i++)
    if (str_eq(c->files[i].path, path)) return;
  if (c->file_count < CONFIG_FILES_MAX) c->files[c->file_count++] = (struct config_file){path, exists};
}

bool config_loader_read(struct config_loader *l, const char *path, enum config_severity severity,
                        struct config_bytes *out) {
  struct err_info info = {0};
  *out = (struct config_bytes){.path = config_loader_dup(l, str_from_c(path))};
  buf_init(&out->buf, 0);
  enum err e = read_source(l->sources, path, &out->buf, &out->mode, &info);
  out->exists = e == OK;
  note_file(l, out->path, e != ERR_NOT_FOUND);
  if (e == OK || e == ERR_NOT_FOUND) return true;
  config_diags_add(l->diags, severity, (struct config_place){out->path, 0}, STR_NONE, NULL, "cannot be read: %s",
                   err_info_text(e, &info));
  config_bytes_clear(out);
  return false;
}

void config_bytes_clear(struct config_bytes *b) {
  crypto_wipe(b->buf.p, b->buf.cap);
  buf_clear(&b->buf);
}

void config_loader_check_mode(struct config_loader *l, const struct config_bytes *b, bool has_secret) {
  if (!has_secret || (b->mode & 077) == 0) return;
  config_diags_add(l->diags, CONFIG_WARNING, (struct config_place){b->path, 0}, STR_NONE, "chmod 600",
                   "holds keys and may be read by other users");
}

/* ---- which files ---- */

static bool exists(struct config_loader *l, const char *folder, const char *name) {
  struct str path = arena_printf(&l->scratch, "%s/%s", folder, name);
  struct buf bytes;
  unsigned mode;
  l->is_no_memory |= !path.p;
  if (!path.p) return false;
  buf_init(&bytes, 0);
  enum err e = read_source(l->sources, path.p, &bytes, &mode, NULL);
  crypto_wipe(bytes.p, bytes.cap);
  buf_clear(&bytes);
  return e != ERR_NOT_FOUND;
}

/* ".../maestro" to ".../router-maestro"; NULL for a folder of another name. */
static const char *sibling(struct config_loader *l, const char *folder) {
  struct str path = str_from_c(folder);
  if (!str_has_suffix(path, STR("/maestro"))) return NULL;
  struct str other = arena_printf(l->arena, "%.*s/router-maestro", STR_ARG(str_sub(path, 0, path.n - 8)));
  l->is_no_memory |= !other.p;
  return other.p;
}

/* Files of router-maestro serve where there are none of our own. contexts.json does not count: the first start makes
 * it. */
static void choose_folders(struct config_loader *l) {
  static const char *const own[] = {"maestro.json", "providers.json", "priorities.json"};
  const struct config_sources *s = l->sources;
  l->config_dir = s->config_dir;
  l->data_dir = s->data_dir;
  if (!s->config_dir || l->file) return;
  for (size_t i = 0; i < 3; i++)
    if (exists(l, s->config_dir, own[i])) return;
  const char *other = sibling(l, s->config_dir);
  if (!other || (!exists(l, other, "providers.json") && !exists(l, other, "priorities.json"))) return;
  l->config_dir = other;
  config_diags_add(l->diags, CONFIG_NOTE, (struct config_place){str_from_c(other), 0}, STR_NONE,
                   "to have files of its own, run: maestro init", "read in place");
  const char *data = s->data_dir && !exists(l, s->data_dir, "auth.json") ? sibling(l, s->data_dir) : NULL;
  if (data && exists(l, data, "auth.json")) l->data_dir = data;
}

/* The declared file: --config, MAESTRO_CONFIG, else maestro.json where there is one. */
static void choose_file(struct config_loader *l) {
  const char *env = l->sources->env ? l->sources->env(l->sources->env_arg, "MAESTRO_CONFIG") : NULL;
  struct str path = STR_NONE;
  if (l->sources->file)
    path = config_loader_dup(l, str_from_c(l->sources->file));
  else if (env && *env)
    path = config_loader_dup(l, str_from_c(env));
  l->file = path.p;
}

static void load_dotenv(struct config_loader *l) {
  const char *slash = l->file ? strrchr(l->file, '/') : NULL;
  struct str path = STR_NONE;
  if (l->file)
    path = arena_printf(l->arena, "%.*s.env", slash ? (int)(slash - l->file) + 1 : 0, l->file);
  else if (l->sources->config_dir)
    path = arena_printf(l->arena, "%s/.env", l->sources->config_dir);
  else
    return;
  l->is_no_memory |= !path.p;
  if (path.p) config_load_dotenv(l, path.p);
}

/* maestro.json of the folder is read when it is there, and watched for in any case. */
static void load_file(struct config_loader *l) {
  if (!l->file && l->sources->config_dir) {
    struct str path = arena_printf(l->arena, "%s/maestro.json", l->sources->config_dir);
    l->is_no_memory |= !path.p;
    if (exists(l, l->sources->config_dir, "maestro.json"))
      l->file = path.p;
    else if (path.p)
      note_file(l, path, false);
  }
  config_load_file(l);
}

/* ---- defaults and the end ---- */

static void load_defaults(struct config_loader *l) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row(id);
    struct str text = str_from_c(row->option.default_text);
    struct config_read r = {.file = STR("built in"), .diags = l->diags, .severity = CONFIG_ERROR, .arena = l->arena};
    struct config_found found = {CONFIG_FROM_DEFAULT, {r.file, 0}, str_from_c(row->option.path), NULL};
    config_value_set_text(&r, l->c, row, &found, text);
    l->is_no_memory |= r.is_no_memory;
  }
}

static uint32_t processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int n = CPU_COUNT(&set);
  return n > 0 ? (uint32_t)n : 1;
}

static void settle_keys(struct config_loader *l) {
  const struct config_options *o = &l->c->options;
  const struct secret **items = ARENA_NEW_ARRAY(l->arena, const struct secret *, o->server_keys.n + 1);
  size_t n = 0;
  if (!items) {
    l->is_no_memory = true;
    return;
  }
  if (o->server_key) items[n++] = o->server_key;
  for (size_t i = 0; i < o->server_keys.n; i++) {
    size_t earlier = 0;
    while (earlier < n && !secret_eq_secret(items[earlier], o->server_keys.items[i])) earlier++;
    if (earlier == n) items[n++] = o->server_keys.items[i];
  }
  l->c->keys = (struct config_secrets){items, n};
}

static void settle(struct config_loader *l) {
  struct config_options *o = &l->c->options;
  if (o->server_workers == 0) o->server_workers = processors() < 4 ? processors() : 4;
  if (o->server_limits_write_low_bytes >= o->server_limits_write_high_bytes)
    config_diags_add(l->diags, CONFIG_ERROR, l->c->places[CONFIG_OPTION_server_limits_write_low_bytes],
                     STR("server.limits.writeLowBytes"), NULL, "must be less than writeHighBytes");
  settle_keys(l);
  config_settle_providers(l);
}

static void load_all(struct config_loader *l) {
  load_defaults(l);
  choose_file(l);
  choose_folders(l);
  load_dotenv(l);
  config_load_priorities(l);
  config_load_settings(l);
  load_file(l);
  config_load_providers_file(l);
  config_load_providers_env(l);
  config_load_environment(l);
  config_load_flags(l);
  settle(l);
}

enum err config_load(const struct config_sources *sources, struct config **out, struct config_diags *diags) {
  struct config_owned *owned = calloc(1, sizeof *owned);
  struct config_diags own;
  if (!owned) return ERR_NO_MEMORY;
  config_diags_init(&own);
  if (!diags) diags = &own;
  unsigned errors_before = diags->errors;
  atomic_init(&owned->refs, 1);
  arena_init(&owned->arena, ARENA_BYTES_MAX);
  names_init(&owned->config.names);
  names_init(&owned->config.settings);
  owned->env = sources->env;
  owned->env_arg = sources->env_arg;
  struct config_loader l = {
      .sources = sources, .owned = owned, .c = &owned->config, .arena = &owned->arena, .diags = diags};
  arena_init(&l.scratch, ARENA_BYTES_MAX);
  owned->config.files = ARENA_NEW_ARRAY(&owned->arena, struct config_file, CONFIG_FILES_MAX);
  l.is_no_memory = !owned->config.files;
  if (!l.is_no_memory) load_all(&l);
  enum err e = l.is_no_memory ? ERR_NO_MEMORY : diags->errors > errors_before ? ERR_BAD_CONFIG : OK;
  arena_clear(&l.scratch);
  config_diags_clear(&own);
  if (e)
    config_unref(&owned->config);
  else
    *out = &owned->config;
  return e;
}

struct config *config_ref(const struct config *c) {
  struct config_owned *owned = (struct config_owned *)(uintptr_t)c;
  if (owned) atomic_fetch_add_explicit(&owned->refs, 1, memory_order_relaxed);
  return owned ? &owned->config : NULL;
}

void config_unref(const struct config *c) {
  struct config_owned *owned = (struct config_owned *)(uintptr_t)c;
  if (!owned || atomic_fetch_sub_explicit(&owned->refs, 1, memory_order_acq_rel) != 1) return;
  names_clear(&owned->config.names);
  names_clear(&owned->config.settings);
  arena_clear(&owned->arena);
  free(owned);
}

const struct config_provider *config_provider_find(const struct config *c, struct str id) {
  for (size_t i = 0; i < c->provider_count; i++)
    if (str_eq_nocase(c->providers[i].id, id)) return &c->providers[i];
  return NULL;
}

enum err config_directories(struct arena *a, const char *(*env)(void *, const char *), void *env_arg,
                            const char **config_dir, const char **data_dir, struct err_info *info) {
  static const struct {
    const char *variable, *below_home;
  } rows[] = {{"XDG_CONFIG_HOME", ".config"}, {"XDG_DATA_HOME", ".local/share"}};
  struct str made[2];
  const char *home = env(env_arg, "HOME");
  for (size_t i = 0; i < 2; i++) {
    const char *base = env(env_arg, rows[i].variable);
    if (base && base[0] == '/')
      made[i] = arena_printf(a, "%s/maestro", base);
    else if (home && home[0] == '/')
      made[i] = arena_printf(a, "%s/%s/maestro", home, rows[i].below_home);
    else
      return err_set(info, ERR_BAD_CONFIG, "neither %s nor HOME is set", rows[i].variable);
    if (!made[i].p) return err_set(info, ERR_NO_MEMORY, "out of memory");
  }
  *config_dir = made[0].p;
  *data_dir = made[1].p;
  return OK;
}
