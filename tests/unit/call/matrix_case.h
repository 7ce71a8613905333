/* The files of tests/matrix taken apart: cases (*.case) and the rules of comparison (rules.txt); docs/testing.md says
 * how both are written. Everything stays in memory until the process ends; all is static. */
#ifndef MAESTRO_TESTS_MATRIX_CASE_H
#define MAESTRO_TESTS_MATRIX_CASE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/dialect.h"
#include "unit.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

enum { SECTIONS_MAX = 256, CASES_MAX = 96, RULES_MAX = 256 };

/* "== kind words" and the lines below it. */
struct section {
  struct str kind, who, rest; /* "request", "openai_chat" or "a>b", what follows on the line */
  struct str body;
  bool is_used;
};

enum { MODELS_MAX = 8 };

struct matrix_case {
  struct str name, title, about; /* about: the comment below the title */
  struct str operation;          /* "generate", unless the case says otherwise */
  bool is_stream, is_array, replies_first, is_failing;
  struct {
    struct str dialect, model; /* what the target's model is called, where that matters */
  } models[MODELS_MAX];
  size_t model_count;
  struct section v[SECTIONS_MAX];
  size_t n;
};

/* A line of rules.txt: words, the first of which says what it does. */
struct rule {
  struct str verb, dialect, rest;
};

static struct matrix_case cases[CASES_MAX];
static size_t case_count;
static struct rule rules[RULES_MAX];
static size_t rule_count;

/* Files as read: reachable to the end. */
static char *texts[CASES_MAX + 8];
static size_t text_count;

static struct str read_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) fail_msg("%s cannot be read", path);
  char *p = malloc(1 << 20);
  assert_non_null(p);
  assert_true(text_count < sizeof texts / sizeof *texts);
  texts[text_count++] = p;
  size_t n = fread(p, 1, 1 << 20, f);
  fclose(f);
  assert_true(n < 1 << 20);
  return str_from(p, n);
}

/* The next word of *line. */
static struct str take_word(struct str *line) {
  struct str s = str_trim(*line);
  size_t n = str_find_char(s, ' ');
  struct str word = str_sub(s, 0, n < s.n ? n : s.n);
  *line = str_trim(str_sub(s, word.n, s.n));
  return word;
}

static void read_head_line(struct matrix_case *c, struct str line) {
  struct str word = take_word(&line);
  if (str_eq(word, STR("title"))) c->title = line;
  if (str_eq(word, STR("operation"))) c->operation = line;
  if (str_eq(word, STR("is_stream"))) c->is_stream = true;
  if (str_eq(word, STR("model"))) {
    assert_true(c->model_count < MODELS_MAX);
    c->models[c->model_count].dialect = take_word(&line);
    c->models[c->model_count++].model = line;
  }
  if (str_eq(word, STR("is_array"))) c->is_array = true;
  if (str_eq(word, STR("is_failing"))) c->is_failing = true;
  if (str_eq(word, STR("replies_first"))) c->replies_first = true;
}

static void read_case(struct matrix_case *c, const char *folder, const char *file) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  struct str rest = read_file(path), line;
  c->name = str_from(strdup(file), strlen(file) - 5);
  c->operation = STR("generate");
  for (bool more = true; more;) {
    more = str_cut(rest, '\n', &line, &rest);
    if (str_has_prefix(line, STR("== "))) {
      assert_true(c->n < SECTIONS_MAX);
      struct section *s = &c->v[c->n++];
      line = str_sub(line, 3, line.n);
      s->kind = take_word(&line);
      s->who = take_word(&line);
      s->rest = line;
      s->body = str_from(rest.p, 0);
    } else if (c->n) {
      struct section *s = &c->v[c->n - 1];
      s->body.n = (size_t)(line.p + line.n - s->body.p) + (more ? 1 : 0);
    } else if (str_has_prefix(line, STR("# "))) {
      const char *from = c->about.n ? c->about.p : line.p;
      c->about = str_from(from, (size_t)(line.p + line.n - from));
    } else {
      read_head_line(c, line);
    }
  }
  assert_true(c->title.n > 0);
}

static int by_name(const void *a, const void *b) {
  return str_cmp(((const struct matrix_case *)a)->name, ((const struct matrix_case *)b)->name);
}

static void read_rules(const char *path) {
  struct str rest = read_file(path), line;
  for (bool more = true; more;) {
    more = str_cut(rest, '\n', &line, &rest);
    size_t hash = str_find(line, STR(" # "));
    line = str_trim(str_sub(line, 0, hash == SIZE_MAX ? line.n : hash));
    if (line.n == 0 || line.p[0] == '#') continue;
    assert_true(rule_count < RULES_MAX);
    struct rule *r = &rules[rule_count++];
    r->verb = take_word(&line);
    r->dialect = take_word(&line);
    r->rest = line;
  }
}

static void read_all(const char *folder) {
  char path[600];
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *f; (f = readdir(dir));) {
    if (!str_has_suffix(str_from_c(f->d_name), STR(".case"))) continue;
    assert_true(case_count < CASES_MAX);
    read_case(&cases[case_count++], folder, f->d_name);
  }
  closedir(dir);
  qsort(cases, case_count, sizeof *cases, by_name);
  snprintf(path, sizeof path, "%s/rules.txt", folder);
  read_rules(path);
}

/* ---- finding one's way ---- */

static bool is_one_of(struct str list, struct str name) {
  struct str one;
  while (list.n) {
    str_cut(list, ',', &one, &list);
    if (str_glob(one, name)) return true;
  }
  return false;
}

static struct str model_of(const struct matrix_case *c, struct str target) {
  for (size_t i = 0; i < c->model_count; i++)
    if (str_eq(c->models[i].dialect, target)) return c->models[i].model;
  return STR("the-model");
}

/* The section of a kind for a dialect; NULL: there is none. */
static struct section *find(struct matrix_case *c, const char *kind, struct str who) {
  for (size_t i = 0; i < c->n; i++)
    if (str_eq(c->v[i].kind, str_from_c(kind)) && is_one_of(c->v[i].who, who)) {
      c->v[i].is_used = true;
      return &c->v[i];
    }
  return NULL;
}

/* "none <kind> <who>": this dialect has no such thing, and why. */
static struct section *find_none(struct matrix_case *c, const char *kind, struct str who) {
  for (size_t i = 0; i < c->n; i++) {
    struct str rest = c->v[i].rest, whom = take_word(&rest);
    if (!str_eq(c->v[i].kind, STR("none")) || !str_eq(c->v[i].who, str_from_c(kind)) || !is_one_of(whom, who)) continue;
    c->v[i].is_used = true;
    return &c->v[i];
  }
  return NULL;
}

static bool has_kind(const struct matrix_case *c, const char *kind) {
  for (size_t i = 0; i < c->n; i++)
    if (str_eq(c->v[i].kind, str_from_c(kind))) return true;
  return false;
}

/* "differs <kind> <callers>><targets>": lists and stars are of foreign pairs; a dialect with itself is
 * named alone. */
static bool is_about(const struct section *s, const char *kind, struct str caller, struct str target) {
  struct str rest = s->rest, pair = take_word(&rest), callers, targets;
  if (!str_eq(s->kind, STR("differs")) || !is_one_of(s->who, str_from_c(kind))) return false;
  if (!str_cut(pair, '>', &callers, &targets)) fail_msg("a pair is a>b: %.*s", STR_ARG(pair));
  if (str_eq(caller, target) && !(str_eq(callers, caller) && str_eq(targets, target))) return false;
  return is_one_of(callers, caller) && is_one_of(targets, target);
}

#endif
