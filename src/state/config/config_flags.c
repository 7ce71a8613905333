/* The command line: flags of the table, by name or letter, and --set path=value for every other option. Values are
 * checked when the configuration is loaded, not here. */
#include <stdlib.h>

#include "state/config/config_load.h"

struct parsing {
  struct arena *arena;
  int argc, at;
  char *const *argv;
  struct config_flag *flags;
  size_t count;
  const char *file;
  struct str *rest;
  size_t rest_count;
  struct err_info *info;
};

/* The row whose flag is `name`: letters when is_letter. */
static const struct config_row *find_row(struct str name, bool is_letter) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    struct str flag, letter;
    str_cut(str_from_c(config_row(id)->option.flag), ' ', &flag, &letter);
    if (name.n && str_eq(name, is_letter ? letter : flag)) return config_row(id);
  }
  return NULL;
}

static enum err unknown_flag(struct parsing *p, struct str name, bool is_letter) {
  const char *names[CONFIG_OPTION_COUNT + 2] = {"config", "set"};
  if (is_letter) return err_set(p->info, ERR_BAD_VALUE, "unknown flag -%.*s", STR_ARG(name));
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) names[id + 2] = config_row(id)->option.flag;
  const char *near = config_read_nearest(name, names, CONFIG_OPTION_COUNT + 2);
  if (!near || !*near) return err_set(p->info, ERR_BAD_VALUE, "unknown flag --%.*s", STR_ARG(name));
  return err_set(p->info, ERR_BAD_VALUE, "unknown flag --%.*s; did you mean --%.*s?", STR_ARG(name),
                 (int)strcspn(near, " "), near);
}

/* What follows "=" or is the next word. */
static enum err take_value(struct parsing *p, struct str shown, bool has_value, struct str *value) {
  if (has_value) return OK;
  if (p->at + 1 >= p->argc) return err_set(p->info, ERR_BAD_VALUE, "%.*s needs a value", STR_ARG(shown));
  *value = str_from_c(p->argv[++p->at]);
  return OK;
}

static enum err parse_set(struct parsing *p, struct str value) {
  struct str path, text;
  if (!str_cut(value, '=', &path, &text) || path.n == 0)
    return err_set(p->info, ERR_BAD_VALUE, "--set needs an option and a value: --set log.level=debug");
  p->flags[p->count++] = (struct config_flag){path, text};
  return OK;
}

static enum err parse_long(struct parsing *p, struct str word) {
  struct str name, value, shown;
  bool has_value = str_cut(word, '=', &name, &value);
  shown = name;
  name = str_sub(name, 2, name.n);
  const struct config_row *row = find_row(name, false);
  bool is_file = str_eq(name, STR("config")), is_set = str_eq(name, STR("set"));
  if (!row && !is_file && !is_set) return unknown_flag(p, name, false);
  enum err e = take_value(p, shown, has_value, &value);
  if (e) return e;
  if (is_set) return parse_set(p, value);
  if (is_file)
    p->file = value.p; /* the end of an argument, so NUL-terminated */
  else
    p->flags[p->count++] = (struct config_flag){name, value};
  return OK;
}

static enum err parse_short(struct parsing *p, struct str word) {
  struct str letter = str_sub(word, 1, 2), value = str_sub(word, 2, word.n);
  const struct config_row *row = find_row(letter, true);
  bool is_file = str_eq(letter, STR("c"));
  if (!row && !is_file) return unknown_flag(p, letter, true);
  enum err e = take_value(p, str_sub(word, 0, 2), value.n > 0, &value);
  if (e) return e;
  if (is_file) {
    p->file = value.p;
    return OK;
  }
  struct str flag, other;
  str_cut(str_from_c(row->option.flag), ' ', &flag, &other);
  p->flags[p->count++] = (struct config_flag){flag, value};
  return OK;
}

enum err config_flags_parse(struct arena *a, int argc, char *const *argv, struct config_flag **flags,
                            size_t *flag_count, const char **file, struct config_strings *rest, struct err_info *info) {
  struct parsing p = {.arena = a, .argc = argc, .argv = argv, .file = *file, .info = info};
  size_t room = argc > 0 ? (size_t)argc : 0;
  p.flags = ARENA_NEW_ARRAY(a, struct config_flag, room);
  p.rest = ARENA_NEW_ARRAY(a, struct str, room);
  if (!p.flags || !p.rest) return err_set(info, ERR_NO_MEMORY, "out of memory");
  bool is_over = false;
  for (; p.at < argc; p.at++) {
    struct str word = str_from_c(argv[p.at]);
    enum err e = OK;
    bool is_flag = !is_over && word.n > 1 && word.p[0] == '-';
    if (is_flag && str_eq(word, STR("--"))) {
      is_over = true;
    } else if (is_flag) {
      e = word.p[1] == '-' ? parse_long(&p, word) : parse_short(&p, word);
    } else if (rest) {
      p.rest[p.rest_count++] = word;
    } else {
      e = err_set(info, ERR_BAD_VALUE, "unexpected argument \"%.*s\"", STR_ARG(word));
    }
    if (e) return e;
  }
  *flags = p.flags;
  *flag_count = p.count;
  *file = p.file;
  if (rest) *rest = (struct config_strings){p.rest, p.rest_count};
  return OK;
}
