/* Options: the table, and how one value gets from text or JSON into struct config_options. Both ways end in one place
 * for each kind, so that a number from the environment is judged like one from the file. */
#include "state/config/config_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "state/config/config_check.h"
#include "state/config/config_price.h"

#define CONFIG_APPLY_RELOAD true
#define CONFIG_APPLY_RESTART false
#define CONFIG_SECRECY_SECRET true
#define CONFIG_SECRECY_PLAIN false

static const struct config_row rows[CONFIG_OPTION_COUNT] = {
#define X(KIND, member, path_, env_, flag_, def, min_, max_, apply, secrecy, choices_, check_, help_) \
  [CONFIG_OPTION_##member] = {.option = {.id = CONFIG_OPTION_##member,                                \
                                         .path = path_,                                               \
                                         .env = env_,                                                 \
                                         .flag = flag_,                                               \
                                         .kind = #KIND,                                               \
                                         .default_text = def,                                         \
                                         .choices = choices_,                                         \
                                         .help = help_,                                               \
                                         .min = min_,                                                 \
                                         .max = max_,                                                 \
                                         .is_reloadable = CONFIG_APPLY_##apply,                       \
                                         .is_secret = CONFIG_SECRECY_##secrecy},                      \
                              .kind = CONFIG_KIND_##KIND,                                             \
                              .offset = offsetof(struct config_options, member),                      \
                              .check = check_},
#include "state/config/options.def"
#undef X
};

const struct config_row *config_row(enum config_option_id id) { return &rows[id]; }
const struct config_option *config_option(enum config_option_id id) { return &rows[id].option; }

/* ---- text to value ---- */

struct unit {
  const char *name;
  uint64_t factor;
};

/* Digits, perhaps spaces, perhaps a unit. */
static bool parse_with_unit(struct str text, const struct unit *units, size_t count, uint64_t *out) {
  size_t digits = 0;
  uint64_t v;
  while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') digits++;
  if (!str_to_u64(str_sub(text, 0, digits), &v)) return false;
  struct str unit = str_trim(str_sub(text, digits, text.n));
  for (size_t i = 0; i < count; i++) {
    if (!str_eq_nocase(unit, str_from_c(units[i].name))) continue;
    return !__builtin_mul_overflow(v, units[i].factor, out);
  }
  return false;
}

bool config_value_ms(struct str text, uint64_t *out) {
  static const struct unit units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}};
  return parse_with_unit(text, units, sizeof units / sizeof *units, out);
}

bool config_value_bytes(struct str text, uint64_t *out) {
  static const struct unit units[] = {{"", 1},           {"B", 1},
                                      {"K", 1ull << 10}, {"KiB", 1ull << 10},
                                      {"M", 1ull << 20}, {"MiB", 1ull << 20},
                                      {"G", 1ull << 30}, {"GiB", 1ull << 30},
                                      {"T", 1ull << 40}, {"TiB", 1ull << 40},
                                      {"KB", 1000},      {"MB", 1000000},
                                      {"GB", 1000000000}};
  return parse_with_unit(text, units, sizeof units / sizeof *units, out);
}

bool config_value_bool(struct str text, bool *out) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!str_eq_nocase(text, str_from_c(words[i]))) continue;
    *out = i % 2 == 1;
    return true;
  }
  return false;
}

size_t config_row_choice(const struct config_row *row, struct str text) {
  struct str rest = str_from_c(row->option.choices), choice, spelling;
  size_t index = 0;
  for (bool more = true; more; index++) {
    more = str_cut(rest, '|', &choice, &rest);
    for (bool other = true; other;) {
      other = str_cut(choice, ',', &spelling, &choice);
      if (str_eq_nocase(text, spelling)) return index;
    }
  }
  return SIZE_MAX;
}

void config_row_choices(const struct config_row *row, char *out, size_t out_bytes) {
  struct str rest = str_from_c(row->option.choices), choice, name, others;
  size_t n = 0;
  out[0] = '\0';
  for (bool more = true; more;) {
    more = str_cut(rest, '|', &choice, &rest);
    str_cut(choice, ',', &name, &others);
    bool last = str_find_char(rest, '|') == SIZE_MAX;
    int put = snprintf(out + n, out_bytes - n, "%.*s%s", STR_ARG(name), !more ? "" : last ? " or " : ", ");
    if (put < 0 || (size_t)put >= out_bytes - n) return;
    n += (size_t)put;
  }
}

/* ---- one option ---- */

struct setting {
  struct config_read *r;
  struct config *c;
  const struct config_row *row;
  const struct config_found *found;
  struct config_place place;
};

__attribute__((format(printf, 2, 3))) static bool fault(const struct setting *s, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  config_diags_add(s->r->diags, s->r->severity, s->place, s->found->path, NULL, "%s", text);
  s->r->is_bad = true;
  return false;
}

static void *target(const struct setting *s) { return (char *)&s->c->options + s->row->offset; }

static bool no_memory(const struct setting *s) {
  s->r->is_no_memory = true;
  return false;
}

/* A secret's value is never shown, whatever is wrong with it; another's is cut. */
static bool bad_value(const struct setting *s, struct str text, const char *why) {
  if (s->row->option.is_secret) return fault(s, "%s", why);
  return fault(s, "\"%.*s\": %s", (int)(text.n < 60 ? text.n : 60), text.p ? text.p : "", why);
}

static bool set_number(const struct setting *s, struct str text) {
  const struct config_option *o = &s->row->option;
  char why[160];
  uint64_t v;
  bool ok = s->row->kind == CONFIG_KIND_MS      ? config_value_ms(text, &v)
            : s->row->kind == CONFIG_KIND_BYTES ? config_value_bytes(text, &v)
                                                : str_to_u64(text, &v);
  if (!ok || v < o->min || v > o->max) {
    const char *unit = s->row->kind == CONFIG_KIND_MS      ? " milliseconds"
                       : s->row->kind == CONFIG_KIND_BYTES ? " bytes"
                                                           : "";
    snprintf(why, sizeof why, "must be a whole number from %llu to %llu%s", (unsigned long long)o->min,
             (unsigned long long)o->max, unit);
    return bad_value(s, text, why);
  }
  if (s->row->kind == CONFIG_KIND_BYTES)
    *(uint64_t *)target(s) = v;
  else
    *(uint32_t *)target(s) = (uint32_t)v;
  return true;
}

static bool set_usd(const struct setting *s, struct str text) {
  const char *why = config_price_parse_usd(text, target(s));
  return !why || bad_value(s, text, why);
}

static bool set_bool(const struct setting *s, struct str text) {
  return config_value_bool(text, target(s)) || bad_value(s, text, "must be true or false");
}

static bool set_enum(const struct setting *s, struct str text) {
  char names[128], why[160];
  size_t index = config_row_choice(s->row, text);
  if (index == SIZE_MAX) {
    config_row_choices(s->row, names, sizeof names);
    snprintf(why, sizeof why, "must be %s", names);
    return bad_value(s, text, why);
  }
  *(unsigned *)target(s) = (unsigned)index;
  return true;
}

static bool judge(const struct setting *s, struct str text) {
  const char *why = s->row->check ? s->row->check(text) : NULL;
  for (size_t i = 0; !why && i < text.n; i++)
    if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) why = "must not contain control characters";
  return !why || bad_value(s, text, why);
}

/* "~/x" and paths relative to the file they stand in. */
static struct str resolve_path(const struct setting *s, struct str text) {
  const char *folder = s->found->folder;
  if (text.n == 0 || text.p[0] == '/' || !folder) return arena_dup(s->r->arena, text);
  return arena_printf(s->r->arena, "%s/%.*s", folder, STR_ARG(text));
}

static bool set_string(const struct setting *s, struct str text) {
  const struct config_option *o = &s->row->option;
  char why[64];
  size_t max = o->max ? o->max : 65535;
  if (text.n < o->min || text.n > max) {
    snprintf(why, sizeof why, text.n < o->min ? "must not be empty" : "longer than %zu bytes", max);
    return bad_value(s, text, why);
  }
  if (o->is_secret) {
    const struct secret **out = target(s);
    if (text.n == 0) {
      *out = NULL;
      return true;
    }
    if (!judge(s, text)) return false;
    s->r->has_secret = true;
    return (*out = secret_new_in(s->r->arena, text)) || no_memory(s);
  }
  if (text.n && !judge(s, text)) return false;
  struct str copy = s->row->kind == CONFIG_KIND_PATH ? resolve_path(s, text) : arena_dup(s->r->arena, text);
  if (!copy.p) return no_memory(s);
  *(struct str *)target(s) = copy;
  return true;
}

/* A list under construction: `n` of at most `max` places. */
struct list {
  struct str *strings;
  const struct secret **secrets;
  size_t n, max;
};

static bool list_begin(const struct setting *s, struct list *list, size_t max) {
  *list = (struct list){.max = max};
  if (max > s->row->option.max) return fault(s, "more than %llu entries", (unsigned long long)s->row->option.max);
  if (s->row->option.is_secret)
    list->secrets = ARENA_NEW_ARRAY(s->r->arena, const struct secret *, max);
  else
    list->strings = ARENA_NEW_ARRAY(s->r->arena, struct str, max);
  return list->secrets || list->strings || no_memory(s);
}

static bool list_add(const struct setting *s, struct list *list, struct str text) {
  if (!judge(s, text)) return false;
  if (list->secrets) {
    s->r->has_secret = true;
    if (!(list->secrets[list->n++] = secret_new_in(s->r->arena, text))) return no_memory(s);
  } else {
    struct str copy = arena_dup(s->r->arena, text);
    if (!copy.p) return no_memory(s);
    list->strings[list->n++] = copy;
  }
  return true;
}

static void list_end(const struct setting *s, const struct list *list) {
  if (list->secrets)
    *(struct config_secrets *)target(s) = (struct config_secrets){list->secrets, list->n};
  else
    *(struct config_strings *)target(s) = (struct config_strings){list->strings, list->n};
}

static bool set_list_text(const struct setting *s, struct str text) {
  struct list list;
  struct str rest = text, item;
  size_t commas = 0;
  for (size_t i = 0; i < text.n; i++) commas += text.p[i] == ',';
  if (!list_begin(s, &list, commas + 1)) return false;
  for (bool more = true; more;) {
    more = str_cut(rest, ',', &item, &rest);
    item = str_trim(item);
    if (item.n && !list_add(s, &list, item)) return false;
  }
  list_end(s, &list);
  return true;
}

static bool set_list_json(const struct setting *s, yyjson_val *val) {
  struct list list;
  if (yyjson_is_str(val)) return set_list_text(s, config_read_text(val));
  if (!yyjson_is_arr(val)) {
    config_read_wrong_type(s->r, NULL, val, "an array of strings");
    return false;
  }
  if (!list_begin(s, &list, yyjson_arr_size(val))) return false;
  yyjson_arr_iter iter = yyjson_arr_iter_with(val);
  bool ok = true;
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
    struct setting one = *s;
    one.place.line = config_read_line(s->r, NULL, item);
    if (yyjson_is_str(item))
      ok = list_add(&one, &list, config_read_text(item)) && ok;
    else
      ok = fault(&one, "every entry must be a string");
  }
  if (ok) list_end(s, &list);
  return ok;
}

static bool set_text(const struct setting *s, struct str text) {
  switch (s->row->kind) {
    case CONFIG_KIND_BOOL: return set_bool(s, text);
    case CONFIG_KIND_U32:
    case CONFIG_KIND_BYTES:
    case CONFIG_KIND_MS: return set_number(s, text);
    case CONFIG_KIND_USD: return set_usd(s, text);
    case CONFIG_KIND_ENUM: return set_enum(s, text);
    case CONFIG_KIND_STRING:
    case CONFIG_KIND_PATH: return set_string(s, text);
    case CONFIG_KIND_LIST: return set_list_text(s, text);
  }
  return false;
}

static bool note_origin(const struct setting *s) {
  enum config_option_id id = s->row->option.id;
  s->c->origins[id] = s->found->origin;
  s->c->places[id] = s->place;
  return true;
}

bool config_value_set_text(struct config_read *r, struct config *c, const struct config_row *row,
                           const struct config_found *found, struct str text) {
  struct setting s = {r, c, row, found, found->place};
  return set_text(&s, text) && note_origin(&s);
}

/* What JSON type a kind is written as: "a number", or NULL when val has it. */
static const char *wanted_type(const struct config_row *row, yyjson_val *val) {
  bool is_number = yyjson_is_raw(val), is_string = yyjson_is_str(val);
  switch (row->kind) {
    case CONFIG_KIND_BOOL: return yyjson_is_bool(val) ? NULL : "true or false";
    case CONFIG_KIND_U32: return is_number ? NULL : "a whole number";
    case CONFIG_KIND_BYTES: return is_number || is_string ? NULL : "a number of bytes or text such as \"64MiB\"";
    case CONFIG_KIND_USD: return is_number ? NULL : "a number of US dollars";
    case CONFIG_KIND_MS: return is_number || is_string ? NULL : "a number of milliseconds or text such as \"10s\"";
    case CONFIG_KIND_STRING:
    case CONFIG_KIND_PATH:
    case CONFIG_KIND_ENUM: return is_string ? NULL : "a string";
    case CONFIG_KIND_LIST: return NULL;
  }
  return NULL;
}

bool config_value_set_json(struct config_read *r, struct config *c, const struct config_row *row,
                           const struct config_found *found, yyjson_val *key, yyjson_val *val) {
  struct setting s = {r, c, row, found, config_read_place(r, key, val)};
  const char *wanted = wanted_type(row, val);
  if (wanted) {
    config_read_wrong_type(r, key, val, wanted);
    return false;
  }
  if (row->kind == CONFIG_KIND_LIST) return set_list_json(&s, val) && note_origin(&s);
  struct str text = yyjson_is_bool(val) ? str_from_c(yyjson_get_bool(val) ? "true" : "false") : config_read_text(val);
  return set_text(&s, text) && note_origin(&s);
}
