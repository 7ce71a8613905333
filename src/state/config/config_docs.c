/* What is generated from the options table: --help and docs/config.md. */
#include "state/config/config_load.h"

static struct str section_of(const char *path) {
  struct str s = str_from_c(path);
  return str_sub(s, 0, str_rfind_char(s, '.'));
}

static const char *value_word(const struct config_row *row) {
  static const char *const words[] = {"BOOL", "N", "BYTES", "MS", "USD", "TEXT", "FILE", "LIST", "WORD"};
  return words[row->kind];
}

void config_write_help(struct buf *out) {
  buf_put(out, STR("  -c, --config FILE         Declared configuration (MAESTRO_CONFIG)\n"));
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row(id);
    struct str flag, letter, env, more;
    if (!row->option.flag[0]) continue;
    str_cut(str_from_c(row->option.flag), ' ', &flag, &letter);
    str_cut(str_from_c(row->option.env), ' ', &env, &more);
    size_t start = out->n;
    if (letter.n)
      buf_printf(out, "  -%.*s, --%.*s %s", STR_ARG(letter), STR_ARG(flag), value_word(row));
    else
      buf_printf(out, "      --%.*s %s", STR_ARG(flag), value_word(row));
    do buf_put_char(out, ' ');
    while (!out->failed && out->n - start < 28);
    buf_printf(out, "%s", row->option.help);
    if (env.n) buf_printf(out, " (%.*s)", STR_ARG(env));
    if (row->option.default_text[0]) buf_printf(out, " [%s]", row->option.default_text);
    buf_put_char(out, '\n');
  }
  buf_put(out, STR("      --set OPTION=VALUE    Any option of docs/config.md by its name in the file\n"));
}

/* ---- docs/config.md ---- */

static void put_cell(struct buf *out, struct str text) {
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] == '|') buf_put_char(out, '\\');
    buf_put_char(out, text.p[i]);
  }
}

static void put_range(struct buf *out, const struct config_row *row) {
  const struct config_option *o = &row->option;
  char names[128];
  switch (row->kind) {
    case CONFIG_KIND_BOOL: buf_put(out, STR("true or false")); return;
    case CONFIG_KIND_U32:
      buf_printf(out, "%llu to %llu", (unsigned long long)o->min, (unsigned long long)o->max);
      return;
    case CONFIG_KIND_BYTES:
      buf_printf(out, "bytes, %llu to %llu", (unsigned long long)o->min, (unsigned long long)o->max);
      return;
    case CONFIG_KIND_MS:
      buf_printf(out, "ms, %llu to %llu", (unsigned long long)o->min, (unsigned long long)o->max);
      return;
    case CONFIG_KIND_USD: buf_printf(out, "US dollars, 0 to %llu", (unsigned long long)o->max); return;
    case CONFIG_KIND_ENUM:
      config_row_choices(row, names, sizeof names);
      buf_put(out, str_from_c(names));
      return;
    case CONFIG_KIND_LIST: buf_put(out, STR("list of text")); return;
    case CONFIG_KIND_PATH: buf_put(out, STR("file")); return;
    case CONFIG_KIND_STRING: buf_put(out, STR("text")); return;
  }
}

static void put_variables(struct buf *out, const struct config_option *o) {
  struct str rest = str_from_c(o->env), name;
  for (bool more = rest.n > 0, first = true; more; first = false) {
    more = str_cut(rest, ' ', &name, &rest);
    buf_printf(out, "%s`%.*s`", first ? "" : ", ", STR_ARG(name));
  }
  str_cut(str_from_c(o->flag), ' ', &name, &rest);
  if (name.n) buf_printf(out, "%s`--%.*s`", o->env[0] ? ", " : "", STR_ARG(name));
}

static void put_docs_row(struct buf *out, const struct config_row *row) {
  const struct config_option *o = &row->option;
  buf_printf(out, "| `%s` | ", o->path);
  if (o->default_text[0]) buf_printf(out, "`%s`", o->default_text);
  buf_put(out, STR(" | "));
  put_range(out, row);
  buf_put(out, STR(" | "));
  put_variables(out, o);
  buf_put(out, STR(" | "));
  put_cell(out, str_from_c(o->help));
  if (o->is_secret) buf_put(out, STR(" Secret."));
  if (!o->is_reloadable) buf_put(out, STR(" Takes effect at the next start."));
  buf_put(out, STR(" |\n"));
}

void config_write_docs(struct buf *out) {
  struct str section = STR_NONE;
  buf_put(out, STR("# Options\n\n"
                   "Generated from `src/state/config/options.def`; do not edit.\n\n"
                   "In `maestro.json` an option's name is its path: `server.port` is `{\"server\": {\"port\": 8080}}`. "
                   "Comments and trailing commas are allowed; an unknown key is an error. Precedence, highest first: "
                   "flags, environment, `.env` beside the file, the file, settings kept in the store (names.md), the "
                   "default. `--set NAME=VALUE` sets any option. "
                   "Sizes may be written as \"64MiB\", times as \"10s\".\n"));
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row(id);
    if (!str_eq(section, section_of(row->option.path))) {
      section = section_of(row->option.path);
      buf_printf(
          out,
          "\n## %.*s\n\n| option | default | value | variable, flag | meaning |\n| --- | --- | --- | --- | --- |\n",
          STR_ARG(section));
    }
    put_docs_row(out, row);
  }
}
