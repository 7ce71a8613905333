/* Names in the store: see store_names.h. Parameters are the kind's fields in order, behind what every row has. */
#include "state/store/store_names.h"

#include "base/clock.h"

static const struct {
  enum db_query add, update, delete;
} queries[NAMES_KINDS] = {
#define K(KIND, name, word, query) [NAMES_##KIND] = {query##_ADD, query##_UPDATE, query##_DELETE},
#include "state/names.def"
#undef K
};

static struct db_value value_of(const struct names_field *f, const void *row, struct arena *a, enum err *e) {
  const void *value = (const char *)row + f->offset;
  struct str text;
  int64_t number;
  switch (f->type) {
    case NAMES_TEXT:
    case NAMES_PROSE:
      text = *(const struct str *)value;
      return db_text(text.p ? text : STR("")); /* what was not said is empty, not null */
    case NAMES_FLAG: return db_int(*(const bool *)value);
    case NAMES_WORD: return db_text(names_word(f->words, *(const unsigned *)value));
    case NAMES_LIST:
      if (!((const struct names_list *)value)->is_set) return db_null();
      text = names_list_text(a, value);
      if (!text.p) *e = ERR_NO_MEMORY;
      return db_text(text);
    case NAMES_PINS:
      if (!((const struct names_pins *)value)->nodes.is_set) return db_null();
      text = names_pins_text(a, value);
      if (!text.p) *e = ERR_NO_MEMORY;
      return db_text(text);
    default: number = *(const int64_t *)value;
  }
  return f->type != NAMES_NUMBER && number == f->by_default ? db_null() : db_int(number);
}

/* `at` parameters are there already; returns how many are there now. */
static unsigned put_fields(struct db_value *params, unsigned at, enum names_kind kind, const void *row, struct arena *a,
                           enum err *e) {
  size_t n;
  const struct names_field *f = names_fields(kind, &n);
  for (size_t i = 0; i < n && at < DB_PARAMS_MAX; i++) params[at++] = value_of(&f[i], row, a, e);
  return at;
}

/* What the row is found by is there already; the field that says so to people. */
static enum err refuse_second(enum names_kind kind, const void *row, struct err_info *info) {
  static const size_t by[NAMES_KINDS] = {[NAMES_MEMBER] = 1, [NAMES_PROMPT] = 1}; /* else the first */
  size_t n;
  const struct names_field *f = &names_fields(kind, &n)[by[kind]];
  const struct str *name = (const void *)((const char *)row + f->offset);
  return err_set_param(info, ERR_CONFLICT, f->key.p, "there is a %s \"%.*s\" already", names_kind_word(kind),
                       STR_ARG(str_cut_utf8(*name, NAMES_TEXT_MAX)));
}

static enum err run(struct db *db, enum names_kind kind, enum db_query query, const struct db_value *first,
                    unsigned count, const void *row, int64_t *id, struct err_info *info) {
  struct db_value params[DB_PARAMS_MAX];
  struct arena work;
  enum err e = OK;
  arena_init(&work, 0);
  memcpy(params, first, count * sizeof *first);
  count = put_fields(params, count, kind, row, &work, &e);
  if (!e) e = db_run(db, query, params, count, id ? db_take_int : NULL, id, info);
  arena_clear(&work);
  return e == ERR_CONFLICT ? refuse_second(kind, row, info) : e;
}

static enum err no_row(enum names_kind kind, int64_t id, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no %s %lld", names_kind_word(kind), (long long)id);
}

static enum err add(struct db *db, enum names_kind kind, struct names_row *row, struct err_info *info) {
  const struct db_value first[] = {db_int(row->created_us), db_int(row->updated_us)};
  return run(db, kind, queries[kind].add, first, 2, row, &row->id, info);
}

enum err store_names_add(struct db *db, enum names_kind kind, void *row, struct err_info *info) {
  struct names_row *r = row;
  r->created_us = r->updated_us = clock_wall_us();
  return add(db, kind, r, info);
}

enum err store_names_update(struct db *db, enum names_kind kind, void *row, struct err_info *info) {
  struct names_row *r = row;
  r->updated_us = clock_wall_us();
  const struct db_value first[] = {db_int(r->id), db_int(r->updated_us)};
  enum err e = run(db, kind, queries[kind].update, first, 2, row, NULL, info);
  return e || db_changes(db) ? e : no_row(kind, r->id, info);
}

enum err store_names_delete(struct db *db, enum names_kind kind, int64_t id, struct err_info *info) {
  const struct db_value params[] = {db_int(id)};
  enum err e = db_run(db, queries[kind].delete, params, 1, NULL, NULL, info);
  return e || db_changes(db) ? e : no_row(kind, id, info);
}

enum err store_names_import(struct db *db, const struct names *names, struct err_info *info) {
  enum err e = OK;
  for (unsigned kind = 0; !e && kind < NAMES_KINDS; kind++) {
    size_t bytes = names_row_bytes((enum names_kind)kind);
    for (size_t i = 0; !e && i < names->of[kind].n; i++)
      e = add(db, (enum names_kind)kind, (void *)((char *)names->of[kind].v + i * bytes), info);
  }
  return e;
}
