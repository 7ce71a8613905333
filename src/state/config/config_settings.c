/* Options kept in the store: see config_settings.h. */
#include "state/config/config_settings.h"

#include <stdio.h>

#include "base/json_out.h"
#include "state/config/config_load.h"

/* Nobody names a file of this machine from afar. */
static const struct config_row *find_row(struct str path) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row((enum config_option_id)id);
    if (str_eq(path, str_from_c(row->option.path)))
      return row->option.is_reloadable && !row->option.is_secret && row->kind != CONFIG_KIND_PATH ? row : NULL;
  }
  return NULL;
}

const struct config_option *config_setting_find(struct str path) {
  const struct config_row *row = find_row(path);
  return row ? &row->option : NULL;
}

enum err config_setting_check(const struct config_option *option, struct str value, struct err_info *info) {
  struct config scratch = {0};
  struct config_diags diags;
  struct arena arena;
  arena_init(&arena, 0);
  config_diags_init(&diags);
  struct config_read r = {.file = STR("store"), .diags = &diags, .severity = CONFIG_ERROR, .arena = &arena};
  const struct config_found found = {.origin = CONFIG_FROM_STORE, .path = str_from_c(option->path)};
  bool is_fine = config_value_set_text(&r, &scratch, config_row(option->id), &found, value);
  enum err e = OK;
  if (r.is_no_memory)
    e = ERR_NO_MEMORY;
  else if (!is_fine)
    e = err_set_param(info, ERR_BAD_VALUE, option->path, "\"%s\" %.*s", option->path,
                      STR_ARG(diags.n ? diags.items[0].text : STR("is not understood")));
  config_diags_clear(&diags);
  arena_clear(&arena);
  return e;
}

/* ---- as a source ---- */

static void keep(struct config_loader *l, const struct names_setting *s) {
  struct names_setting *copy = names_add(&l->c->settings, NAMES_SETTING);
  l->is_no_memory |= !copy;
  if (!copy) return;
  copy->name = config_loader_dup(l, s->name);
  copy->value = config_loader_dup(l, s->value);
}

void config_load_settings(struct config_loader *l) {
  const struct names *settings = l->sources->settings;
  struct config_read r = {.file = STR("store"), .diags = l->diags, .severity = CONFIG_WARNING, .arena = l->arena};
  for (size_t i = 0; settings && i < settings->of[NAMES_SETTING].n; i++) {
    const struct names_setting *s = names_setting_at(settings, i);
    const struct config_row *row = find_row(s->name);
    const struct config_found found = {CONFIG_FROM_STORE, {r.file, 0}, config_loader_dup(l, s->name), NULL};
    keep(l, s);
    if (row)
      config_value_set_text(&r, l->c, row, &found, s->value);
    else
      config_diags_add(l->diags, CONFIG_WARNING, found.place, found.path, NULL, "is no option that may be kept so");
  }
  l->is_no_memory |= r.is_no_memory;
}

static const struct names_setting *find_setting(const struct names *n, struct str name) {
  for (size_t i = 0; i < n->of[NAMES_SETTING].n; i++)
    if (str_eq(names_setting_at(n, i)->name, name)) return names_setting_at(n, i);
  return NULL;
}

bool config_settings_equal(const struct names *a, const struct names *b) {
  if (a->of[NAMES_SETTING].n != b->of[NAMES_SETTING].n) return false;
  for (size_t i = 0; i < a->of[NAMES_SETTING].n; i++) {
    const struct names_setting *s = names_setting_at(a, i), *other = find_setting(b, s->name);
    if (!other || !str_eq(other->value, s->value)) return false;
  }
  return true;
}

/* ---- as JSON ---- */

static void put_value(struct buf *out, const struct config_row *row, const void *value) {
  switch (row->kind) {
    case CONFIG_KIND_BOOL: json_out_bool(out, *(const bool *)value); return;
    case CONFIG_KIND_U32:
    case CONFIG_KIND_MS: json_out_i64(out, *(const uint32_t *)value); return;
    case CONFIG_KIND_BYTES: json_out_i64(out, (int64_t) * (const uint64_t *)value); return;
    case CONFIG_KIND_USD: buf_put_nano_usd(out, *(const int64_t *)value); return;
    case CONFIG_KIND_STRING:
    case CONFIG_KIND_PATH: json_out_string(out, *(const struct str *)value); return;
    case CONFIG_KIND_ENUM: {
      struct str word = names_word(row->option.choices, *(const unsigned *)value), rest;
      str_cut(word, ',', &word, &rest); /* without its other spellings */
      json_out_string(out, word);
      return;
    }
    case CONFIG_KIND_LIST: {
      const struct config_strings *list = value;
      json_out_begin(out, '[');
      for (size_t i = 0; i < list->n; i++) json_out_string(out, list->items[i]);
      json_out_end(out, ']');
    }
  }
}

static void put_value_schema(struct buf *out, const struct config_row *row) {
  static const struct str types[] = {[CONFIG_KIND_BOOL] = STR("\"boolean\""), [CONFIG_KIND_U32] = STR("\"integer\""),
                                     [CONFIG_KIND_MS] = STR("\"integer\""),   [CONFIG_KIND_BYTES] = STR("\"integer\""),
                                     [CONFIG_KIND_USD] = STR("\"number\""),   [CONFIG_KIND_STRING] = STR("\"string\""),
                                     [CONFIG_KIND_PATH] = STR("\"string\""),  [CONFIG_KIND_ENUM] = STR("\"string\""),
                                     [CONFIG_KIND_LIST] = STR("\"array\"")};
  static const struct str units[] = {
      [CONFIG_KIND_MS] = STR("ms"), [CONFIG_KIND_BYTES] = STR("bytes"), [CONFIG_KIND_USD] = STR("USD")};
  json_out_begin(out, '{');
  json_out_key(out, "type");
  json_out_raw(out, types[row->kind]);
  if ((size_t)row->kind < sizeof units / sizeof *units) json_out_member_string_if(out, "x-unit", units[row->kind]);
  if (row->kind == CONFIG_KIND_LIST) json_out_member_raw_if(out, "items", STR("{\"type\":\"string\"}"));
  json_out_member_string(out, "description", str_from_c(row->option.help));
  json_out_end(out, '}');
}

static void open_section(struct buf *out, bool is_schema) {
  json_out_begin(out, '{');
  if (!is_schema) return;
  json_out_member_string(out, "type", STR("object"));
  json_out_key(out, "properties");
  json_out_begin(out, '{');
}
static void close_sections(struct buf *out, size_t n, bool is_schema) {
  for (size_t i = 0; i < n * (is_schema ? 2 : 1); i++) json_out_end(out, '}');
}

/* Rows of one section stand together, so objects open and close along the paths. c NULL: their schema. */
static void put_sections(const struct config *c, struct buf *out) {
  enum { DEPTH = 4 };
  struct str open[DEPTH];
  size_t depth = 0;
  open_section(out, !c);
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row((enum config_option_id)id);
    struct str rest = str_from_c(row->option.path), part;
    size_t level = 0;
    if (!find_row(rest)) continue;
    while (level < depth && str_has_prefix(rest, open[level]) && rest.p[open[level].n] == '.') {
      rest = str_sub(rest, open[level].n + 1, rest.n);
      level++;
    }
    close_sections(out, depth - level, !c);
    depth = level;
    while (depth < DEPTH && str_find_char(rest, '.') != SIZE_MAX) {
      str_cut(rest, '.', &part, &rest);
      open[depth++] = part;
      json_out_key_str(out, part);
      open_section(out, !c);
    }
    json_out_key_str(out, rest);
    if (c)
      put_value(out, row, (const char *)&c->options + row->offset);
    else
      put_value_schema(out, row);
  }
  close_sections(out, depth + 1, !c);
}

void config_settings_put(const struct config *c, struct buf *out) { put_sections(c, out); }
void config_settings_put_schema(struct buf *out) { put_sections(NULL, out); }
