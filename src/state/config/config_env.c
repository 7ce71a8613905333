/* The environment and .env. The process's variables win over .env's; an empty one counts as unset everywhere. Values of
 * .env are kept as secrets, since any of them may be a key, and its text is wiped once it has been read. */
#include <stdio.h>
#include <stdlib.h>

#include "state/config/config_check.h"
#include "state/config/config_load.h"

enum { VARIABLES_MAX = 1024 }; /* of .env */

const char *config_getenv(void *unused, const char *name) {
  (void)unused;
  return getenv(name);
}

/* ---- .env ---- */

struct env_line {
  struct str name;
  char *value; /* unescaped in place */
  size_t value_n;
};

static char unescape(char c) { return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c; }

/* A quoted value beginning at s[0]; NULL, or the reason against it. Only double quotes have escapes. */
static const char *read_quoted(char *s, size_t n, struct env_line *out) {
  char quote = s[0];
  size_t at = 1, put = 0;
  out->value = s;
  for (; at < n && s[at] != quote; at++) {
    if (quote == '"' && s[at] == '\\' && at + 1 < n)
      s[put++] = unescape(s[++at]);
    else
      s[put++] = s[at];
  }
  if (at >= n) return "a quote is not closed on its line";
  out->value_n = put;
  struct str rest = str_trim(str_from(s + at + 1, n - at - 1));
  return rest.n == 0 || rest.p[0] == '#' ? NULL : "there is text after the closing quote";
}

/* One line without its end. *is_empty for blank lines and comments. */
static const char *read_line(char *s, size_t n, struct env_line *out, bool *is_empty) {
  struct str line = str_trim(str_from(s, n)), name;
  *is_empty = line.n == 0 || line.p[0] == '#';
  if (*is_empty) return NULL;
  if (str_has_prefix(line, STR("export ")) || str_has_prefix(line, STR("export\t")))
    line = str_trim(str_sub(line, 7, line.n));
  size_t equals = str_find_char(line, '=');
  if (equals == SIZE_MAX) return "is not NAME=value";
  name = str_trim(str_sub(line, 0, equals));
  if (config_check_variable(name)) return "what is before = is not the name of a variable";
  out->name = name;
  struct str value = str_trim(str_sub(line, equals + 1, line.n));
  char *v = s + (value.p - s);
  if (value.n && (value.p[0] == '"' || value.p[0] == '\'')) return read_quoted(v, value.n, out);
  for (size_t i = 0; i < value.n; i++)
    if (value.p[i] == '#' && (i == 0 || value.p[i - 1] == ' ' || value.p[i - 1] == '\t')) value.n = i;
  out->value = v;
  out->value_n = str_trim(value).n;
  return NULL;
}

/* False when there is no room for another one: what follows is not read. */
static bool keep_variable(struct config_loader *l, const struct env_line *line, unsigned number) {
  struct config_owned *o = l->owned;
  struct config_variable *v = NULL;
  for (size_t i = 0; !v && i < o->variable_count; i++)
    if (str_eq(o->variables[i].name, line->name)) v = &o->variables[i];
  if (!v && o->variable_count == VARIABLES_MAX) {
    config_diags_add(l->diags, CONFIG_WARNING, (struct config_place){o->dotenv, number}, STR_NONE,
                     "the rest of the file is left out", "more than %d variables", VARIABLES_MAX);
    return false;
  }
  if (v) {
    config_diags_add(l->diags, CONFIG_WARNING, (struct config_place){o->dotenv, number}, v->name, NULL,
                     "set twice; the value of line %u is not used", v->line);
  } else {
    v = &o->variables[o->variable_count++];
    v->name = config_loader_dup(l, line->name);
  }
  v->line = number;
  v->value = secret_new_in(l->arena, str_from(line->value, line->value_n));
  if (!v->value) l->is_no_memory = true;
  return true;
}

void config_load_dotenv(struct config_loader *l, const char *path) {
  struct config_bytes bytes;
  if (!config_loader_read(l, path, CONFIG_WARNING, &bytes) || !bytes.exists) goto out;
  l->owned->dotenv = bytes.path;
  l->owned->variables = ARENA_NEW_ARRAY(l->arena, struct config_variable, VARIABLES_MAX);
  if (!l->owned->variables) {
    l->is_no_memory = true;
    goto out;
  }
  size_t at = str_has_prefix(buf_str(&bytes.buf), STR("\xef\xbb\xbf")) ? 3 : 0;
  for (unsigned number = 1; at < bytes.buf.n; number++) {
    char *line = bytes.buf.p + at;
    char *end = memchr(line, '\n', bytes.buf.n - at);
    size_t n = end ? (size_t)(end - line) : bytes.buf.n - at;
    struct env_line parsed = {0};
    bool is_empty;
    const char *why = memchr(line, '\0', n) ? "has a NUL byte" : read_line(line, n, &parsed, &is_empty);
    if (why)
      config_diags_add(l->diags, CONFIG_WARNING, (struct config_place){bytes.path, number}, STR_NONE,
                       "the line is left out", "%s", why);
    else if (!is_empty && !keep_variable(l, &parsed, number))
      break;
    at += n + 1;
  }
  config_loader_check_mode(l, &bytes, l->owned->variable_count > 0);
out:
  config_bytes_clear(&bytes);
}

/* ---- look-up ---- */

static bool find_variable(const struct config_owned *o, const char *name, struct str *value,
                          struct config_found *found) {
  const char *text = o->env ? o->env(o->env_arg, name) : NULL;
  struct config_found at = {CONFIG_FROM_ENVIRONMENT, {STR("environment"), 0}, str_from_c(name), NULL};
  if (text && *text) {
    *value = str_from_c(text);
    if (found) *found = at;
    return true;
  }
  for (size_t i = 0; i < o->variable_count; i++) {
    const struct config_variable *v = &o->variables[i];
    if (!str_eq(v->name, str_from_c(name)) || secret_bytes(v->value) == 0) continue;
    *value = secret_reveal(v->value);
    at.origin = CONFIG_FROM_DOTENV;
    at.place = (struct config_place){o->dotenv, v->line};
    if (found) *found = at;
    return true;
  }
  return false;
}

bool config_loader_env(const struct config_loader *l, const char *name, struct str *value, struct config_found *found) {
  return find_variable(l->owned, name, value, found);
}

bool config_env(const struct config *c, const char *name, struct str *value) {
  return find_variable((const struct config_owned *)c, name, value, NULL);
}

/* A reader that lends arena, diagnostics and flags to config_value_set_text; no file is open. */
static struct config_read text_reader(struct config_loader *l, struct str file) {
  return (struct config_read){.file = file, .diags = l->diags, .severity = CONFIG_ERROR, .arena = l->arena};
}

/* The first of the option's variables that is set. */
static void apply_variables(struct config_loader *l, const struct config_row *row) {
  struct str rest = str_from_c(row->option.env), name;
  for (bool more = rest.n > 0; more;) {
    char text[128];
    struct str value;
    struct config_found found;
    more = str_cut(rest, ' ', &name, &rest);
    snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    if (!config_loader_env(l, text, &value, &found)) continue;
    struct config_read r = text_reader(l, found.place.file);
    found.path = name;
    config_value_set_text(&r, l->c, row, &found, value);
    l->is_no_memory |= r.is_no_memory;
    return;
  }
}

void config_load_environment(struct config_loader *l) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) apply_variables(l, config_row(id));
}

/* ---- flags ---- */

/* By long flag, or by path. */
static const struct config_row *find_flag(struct str name) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row(id);
    struct str flag, letter;
    str_cut(str_from_c(row->option.flag), ' ', &flag, &letter);
    if ((flag.n && str_eq(name, flag)) || str_eq(name, str_from_c(row->option.path))) return row;
  }
  return NULL;
}

static void report_unknown_flag(struct config_loader *l, struct config_place place, struct str path, struct str name) {
  const char *paths[CONFIG_OPTION_COUNT];
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) paths[id] = config_row(id)->option.path;
  const char *near = str_nearest(name, paths, CONFIG_OPTION_COUNT);
  struct str hint = near ? arena_printf(l->arena, "did you mean \"%s\"?", near) : STR("docs/config.md lists them");
  config_diags_add(l->diags, CONFIG_ERROR, place, path, hint.p, "no such option");
}

void config_load_flags(struct config_loader *l) {
  for (size_t i = 0; i < l->sources->flag_count; i++) {
    const struct config_flag *flag = &l->sources->flags[i];
    const struct config_row *row = find_flag(flag->name);
    struct config_place place = {STR("command line"), 0};
    struct str path = arena_printf(l->arena, "%s%.*s", str_find_char(flag->name, '.') == SIZE_MAX ? "--" : "--set ",
                                   STR_ARG(flag->name));
    if (!row) {
      report_unknown_flag(l, place, path, flag->name);
      continue;
    }
    struct config_read r = text_reader(l, place.file);
    struct config_found found = {CONFIG_FROM_FLAG, place, path, NULL};
    config_value_set_text(&r, l->c, row, &found, flag->value);
    l->is_no_memory |= r.is_no_memory;
  }
}
