/* maestro.json, all or nothing, and priorities.json, entry by entry. Options are found by their path in the table, so
 * that a new row needs nothing here. */
#include <stdio.h>
#include <stdlib.h>

#include "state/config/config_check.h"
#include "state/config/config_load.h"

struct section {
  struct config_loader *l;
  struct config_read *r;
  const char *folder;
};

/* Paths that options have in the files of other projects. */
static const struct other_path {
  const char *path;
  enum config_option_id id;
} other_paths[] = {
    {"guards.leak_guard.enabled", CONFIG_OPTION_guards_leak_enabled},
    {"guards.runaway_guard.enabled", CONFIG_OPTION_guards_runaway_enabled},
    {"guards.runaway_guard.max_bytes", CONFIG_OPTION_guards_runaway_max_bytes},
    {"guards.runaway_guard.max_deltas", CONFIG_OPTION_guards_runaway_max_deltas},
};
enum { PATHS = CONFIG_OPTION_COUNT + sizeof other_paths / sizeof *other_paths };

static enum config_option_id option_at(unsigned i) {
  return i < CONFIG_OPTION_COUNT ? (enum config_option_id)i : other_paths[i - CONFIG_OPTION_COUNT].id;
}
static struct str path_at(unsigned i) {
  return str_from_c(i < CONFIG_OPTION_COUNT ? config_row(i)->option.path : other_paths[i - CONFIG_OPTION_COUNT].path);
}

static const struct config_row *find_option(struct str path) {
  for (unsigned i = 0; i < PATHS; i++)
    if (str_eq(path, path_at(i))) return config_row(option_at(i));
  return NULL;
}

static bool is_section(struct str path) {
  for (unsigned i = 0; i < PATHS; i++) {
    struct str option = path_at(i);
    if (option.n > path.n && option.p[path.n] == '.' && str_has_prefix(option, path)) return true;
  }
  return false;
}

/* ---- priorities ---- */

static bool check_priority(struct str s) {
  size_t slash = str_find_char(s, '/');
  return slash != SIZE_MAX && slash > 0 && slash + 1 < s.n && str_trim(s).n == s.n;
}

/* A bad entry is a fault with r->severity and is left out. */
static void read_priorities(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *val) {
  if (!yyjson_is_arr(val)) {
    config_read_wrong_type(r, key, val, "an array of \"provider/model\" names");
    return;
  }
  size_t n = yyjson_arr_size(val), kept = 0, at = 0;
  if (n > CONFIG_PRIORITIES_MAX) {
    config_read_fault(r, key, val, NULL, "more than %d entries", CONFIG_PRIORITIES_MAX);
    return;
  }
  struct str *items = ARENA_NEW_ARRAY(l->arena, struct str, n);
  struct config_place *places = ARENA_NEW_ARRAY(l->arena, struct config_place, n);
  if (!items || !places) {
    r->is_no_memory = true;
    return;
  }
  yyjson_arr_iter iter = yyjson_arr_iter_with(val);
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)); at++) {
    size_t mark = config_read_push_index(r, at), earlier = 0;
    struct str name;
    if (config_read_string(r, NULL, item, 1, 512, &name)) {
      while (earlier < kept && !str_eq(items[earlier], name)) earlier++;
      if (!check_priority(name))
        config_read_fault(r, NULL, item, NULL, "\"%.*s\" is not of the form provider/model", STR_ARG(name));
      else if (earlier < kept)
        config_read_note(r, CONFIG_WARNING, NULL, item, "the first place counts", "\"%.*s\" is listed twice",
                         STR_ARG(name));
      else {
        places[kept] = config_read_place(r, NULL, item);
        items[kept++] = name;
      }
    }
    config_read_pop(r, mark);
  }
  l->c->priorities = (struct config_strings){items, kept};
  l->c->priority_places = places;
}

/* ---- maestro.json ---- */

/* Root members that are no options. */
static void read_providers_member(struct section *s, yyjson_val *key, yyjson_val *val) {
  config_load_provider_map(s->l, s->r, key, val);
}
static void read_priorities_member(struct section *s, yyjson_val *key, yyjson_val *val) {
  if (s->l->has_priorities)
    config_read_note(s->r, CONFIG_NOTE, key, NULL, NULL, "the list in priorities.json is not used");
  read_priorities(s->l, s->r, key, val);
}
static void read_aliases_member(struct section *s, yyjson_val *key, yyjson_val *val) {
  config_load_aliases(s->l, s->r, key, val);
}
static void read_groups_member(struct section *s, yyjson_val *key, yyjson_val *val) {
  config_load_groups(s->l, s->r, key, val);
}
static void read_schema_member(struct section *s, yyjson_val *key, yyjson_val *val) { (void)s, (void)key, (void)val; }

static const struct root_member {
  const char *name;
  void (*read)(struct section *s, yyjson_val *key, yyjson_val *val);
} root_members[] = {
    {"providers", read_providers_member}, {"priorities", read_priorities_member}, {"aliases", read_aliases_member},
    {"groups", read_groups_member},       {"$schema", read_schema_member},
};
enum { ROOT_MEMBERS = sizeof root_members / sizeof *root_members };

/* The distinct names that may follow `prefix`, for hints; into names[] (texts in `text`). */
static size_t known_names(struct str prefix, const char **names, size_t max, char *text, size_t text_bytes) {
  size_t count = 0, used = 0;
  for (unsigned i = 0; i < (prefix.n ? PATHS : CONFIG_OPTION_COUNT) && count < max; i++) {
    struct str path = path_at(i), name, rest;
    if (prefix.n && (!str_has_prefix(path, prefix) || path.p[prefix.n] != '.')) continue;
    str_cut(str_sub(path, prefix.n ? prefix.n + 1 : 0, path.n), '.', &name, &rest);
    if (count && str_eq(name, str_from_c(names[count - 1]))) continue; /* rows of a section stand together */
    if (used + name.n + 1 > text_bytes) break;
    memcpy(text + used, name.p, name.n);
    text[used + name.n] = '\0';
    names[count++] = text + used;
    used += name.n + 1;
  }
  for (size_t i = 0; prefix.n == 0 && i < ROOT_MEMBERS && count < max; i++) names[count++] = root_members[i].name;
  return count;
}

/* An option elsewhere in the file whose last name, or whole path, is `name`. */
static const char *option_elsewhere(struct str name) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    struct str path = str_from_c(config_row(id)->option.path);
    size_t dot = str_rfind_char(path, '.');
    if (str_eq(name, path) || str_eq_nocase(name, str_sub(path, dot + 1, path.n))) return config_row(id)->option.path;
  }
  return NULL;
}

static void report_unknown(struct section *s, yyjson_val *key, struct str prefix) {
  const char *names[64], *elsewhere;
  char text[1024], hint[256];
  struct str word = config_read_text(key);
  size_t count = known_names(prefix, names, 64, text, sizeof text), n = 0;
  const char *near = config_diags_is_full(s->r->diags) ? NULL : config_read_nearest(word, names, count);
  if (near) {
    snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
  } else if ((elsewhere = option_elsewhere(word))) {
    snprintf(hint, sizeof hint, "did you mean %s, one object inside another?", elsewhere);
  } else {
    n = (size_t)snprintf(hint, sizeof hint, "known here:");
    for (size_t i = 0; i < count && n + 48 < sizeof hint; i++)
      n += (size_t)snprintf(hint + n, sizeof hint - n, "%s %s", i ? "," : "", names[i]);
  }
  size_t mark = config_read_push(s->r, word);
  config_read_fault(s->r, key, NULL, hint, "unknown key");
  config_read_pop(s->r, mark);
}

static void read_section(struct section *s, yyjson_val *obj, struct str prefix);

/* One member of the section at the reader's path. Sections nest as deep as the table's paths do, not as the file's. */
static void read_member(struct section *s, yyjson_val *key, struct str prefix) {
  yyjson_val *val = yyjson_obj_iter_get_val(key);
  struct str name = config_read_text(key), path;
  size_t mark = config_read_push(s->r, name);
  path = arena_dup(&s->l->scratch, config_read_path(s->r));
  bool is_plain = str_find_char(name, '.') == SIZE_MAX;
  const struct config_row *row = is_plain ? find_option(path) : NULL;
  for (size_t i = 0; prefix.n == 0 && i < ROOT_MEMBERS; i++) {
    if (!str_eq(name, str_from_c(root_members[i].name))) continue;
    root_members[i].read(s, key, val);
    goto out;
  }
  if (row) {
    struct config_found found = {.origin = CONFIG_FROM_FILE, .path = path, .folder = s->folder};
    config_value_set_json(s->r, s->l->c, row, &found, key, val);
  } else if (is_plain && is_section(path)) {
    if (yyjson_is_obj(val))
      read_section(s, val, path);
    else
      config_read_wrong_type(s->r, key, val, "an object");
  } else {
    config_read_pop(s->r, mark);
    report_unknown(s, key, prefix);
  }
out:
  config_read_pop(s->r, mark);
}

static void read_section(struct section *s, yyjson_val *obj, struct str prefix) {
  config_read_duplicates(s->r, obj);
  if (yyjson_obj_size(obj) > CONFIG_OBJECT_MEMBERS_MAX) return;
  yyjson_obj_iter iter = yyjson_obj_iter_with(obj);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));)
    if (config_read_is_first(obj, key)) read_member(s, key, prefix);
}

void config_load_file(struct config_loader *l) {
  struct config_bytes bytes = {0};
  struct config_read r = {0};
  if (!l->file) return;
  if (!config_loader_read(l, l->file, CONFIG_ERROR, &bytes)) goto out;
  if (!bytes.exists) {
    config_diags_add(l->diags, CONFIG_ERROR, (struct config_place){bytes.path, 0}, STR_NONE, NULL,
                     "there is no such file");
    goto out;
  }
  l->c->file = bytes.path;
  if (!config_read_open(&r, l->arena, l->diags, CONFIG_ERROR, bytes.path, buf_str(&bytes.buf))) goto out;
  if (!yyjson_is_obj(r.root)) {
    config_read_wrong_type(&r, NULL, r.root, "an object");
    goto out;
  }
  const char *slash = strrchr(l->file, '/');
  struct str folder = slash ? str_from(l->file, (size_t)(slash - l->file)) : STR(".");
  struct section s = {l, &r, config_loader_dup(l, folder).p};
  read_section(&s, r.root, STR_NONE);
  config_check_names(l);
  config_loader_check_mode(l, &bytes, r.has_secret);
out:
  l->is_no_memory |= r.is_no_memory;
  config_read_clear(&r);
  config_bytes_clear(&bytes);
}

/* ---- priorities.json ---- */

static void read_list(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct config_loader *l = out;
  read_priorities(l, r, key, val);
  l->has_priorities = l->c->priorities.n > 0;
}

static void set_option(struct config_read *r, yyjson_val *key, yyjson_val *val, struct config_loader *l,
                       enum config_option_id id) {
  struct config_found found = {.origin = CONFIG_FROM_PRIORITIES, .path = config_read_path(r)};
  config_value_set_json(r, l->c, config_row(id), &found, key, val);
}
static void read_strategy(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  set_option(r, key, val, out, CONFIG_OPTION_fallback_strategy);
}
static void read_max_retries(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  set_option(r, key, val, out, CONFIG_OPTION_fallback_max_retries);
}
static void read_fallback(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {{"strategy", read_strategy},
                                                 {"maxRetries max_retries", read_max_retries}};
  config_read_members(r, key, val, members, 2, CONFIG_WARNING, out);
}

/* The reader's path is the row's: "guards.leak_guard.enabled". */
static void read_guard_option(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  const struct config_row *row = find_option(config_read_path(r));
  if (row) set_option(r, key, val, out, row->option.id);
}
static void read_leak_guard(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {{"enabled", read_guard_option}};
  config_read_members(r, key, val, members, 1, CONFIG_WARNING, out);
}
static void read_runaway_guard(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {
      {"enabled", read_guard_option}, {"max_bytes", read_guard_option}, {"max_deltas", read_guard_option}};
  config_read_members(r, key, val, members, 3, CONFIG_WARNING, out);
}
static void read_guards(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {{"leak_guard", read_leak_guard},
                                                 {"runaway_guard", read_runaway_guard}};
  config_read_members(r, key, val, members, 2, CONFIG_WARNING, out);
}

/* A member of the format that has no effect here: worth a word only when somebody has filled it. */
static void read_unused(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  (void)out;
  if (yyjson_is_ctn(val) && yyjson_get_len(val) > 0)
    config_read_note(r, CONFIG_NOTE, key, NULL, NULL, "has no effect in this version");
}

void config_load_priorities(struct config_loader *l) {
  static const struct config_member members[] = {
      {"priorities", read_list}, {"fallback", read_fallback}, {"model_overrides", read_unused},
      {"thinking", read_unused}, {"guards", read_guards},     {"beta_strip", read_unused},
      {"audit", read_unused},
  };
  struct config_bytes bytes;
  struct config_read r = {0};
  if (!l->config_dir) return;
  struct str path = arena_printf(l->arena, "%s/priorities.json", l->config_dir);
  if (!path.p || !config_loader_read(l, path.p, CONFIG_WARNING, &bytes)) {
    l->is_no_memory |= !path.p;
    return;
  }
  if (bytes.exists && config_read_open(&r, l->arena, l->diags, CONFIG_WARNING, bytes.path, buf_str(&bytes.buf)))
    config_read_members(&r, NULL, r.root, members, sizeof members / sizeof *members, CONFIG_WARNING, l);
  l->is_no_memory |= r.is_no_memory;
  config_read_clear(&r);
  config_bytes_clear(&bytes);
}
