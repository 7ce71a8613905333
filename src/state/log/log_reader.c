/* Reading the request log: see log_reader.h. A day is read from the roll-up or from its file, never from both: what
 * log_reader_open found sealed stays so for this reader, since it holds the roll-up's moment. A file that retention
 * deletes meanwhile, or that a newer program wrote, counts as empty. */
#include "state/log/log_reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "state/log/log_file.h"

/* ---- its days ---- */

struct add_days {
  struct log_reader *r;
  size_t room;
  int64_t today;
};

static enum err add_day(struct add_days *a, const struct log_reader_day *day) {
  struct log_reader *r = a->r;
  if (r->day_count == a->room) {
    size_t room = a->room ? 2 * a->room : 64;
    struct log_reader_day *v = arena_realloc(&r->arena, r->days, a->room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    r->days = v;
    a->room = room;
  }
  r->days[r->day_count++] = *day;
  return OK;
}

static enum err take_day(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct add_days *a = arg;
  (void)columns, (void)info;
  if (row[0].i >= a->today) return OK;
  return add_day(a, &(struct log_reader_day){row[0].i, row[1].i, row[2].i, true, false});
}

static int compare_days(const void *a, const void *b) {
  int64_t x = ((const struct log_reader_day *)a)->day, y = ((const struct log_reader_day *)b)->day;
  return x < y ? -1 : x > y;
}

/* Sealed days are there, ascending: the files' days join them. */
static enum err join_files(struct add_days *a, const int64_t *files, size_t n) {
  struct log_reader *r = a->r;
  size_t sealed = r->day_count;
  enum err e = OK;
  for (size_t i = 0; !e && i < n; i++) {
    const struct log_reader_day key = {.day = files[i]};
    struct log_reader_day *known = sealed ? bsearch(&key, r->days, sealed, sizeof key, compare_days) : NULL;
    if (known)
      known->has_file = true;
    else
      e = add_day(a, &(struct log_reader_day){files[i], 0, 0, false, true});
  }
  if (!e && r->day_count) qsort(r->days, r->day_count, sizeof *r->days, compare_days);
  return e;
}

enum err log_reader_open(struct log_reader *r, const char *folder, int64_t today, struct err_info *info) {
  struct add_days a = {.r = r, .today = today};
  int64_t *files = NULL;
  size_t n = 0;
  *r = (struct log_reader){.folder = folder};
  arena_init(&r->arena, 0);
  enum err e = log_stats_open(&r->stats, folder, true, info);
  if (e == ERR_NOT_FOUND || e == ERR_STORE_CORRUPT || e == ERR_STORE_NEWER) e = OK; /* the files tell the rest */
  if (!e && r->stats) e = db_begin_read(r->stats, info);
  if (!e && r->stats) e = db_run(r->stats, DB_STAT_DAY_LIST, NULL, 0, take_day, &a, info);
  if (!e) e = log_file_days(&r->arena, folder, &files, &n);
  if (!e) e = join_files(&a, files, n);
  if (e) log_reader_close(r);
  return e;
}

void log_reader_close(struct log_reader *r) {
  db_close(r->stats);
  arena_clear(&r->arena);
  *r = (struct log_reader){0};
}

/* ---- figures ---- */

struct facets {
  log_facet_fn *fn;
  void *arg;
};

static enum err take_facet(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  const struct facets *f = arg;
  struct log_sums sums;
  (void)columns;
  log_sums_get(row, &sums);
  const struct db_value *rest = row + LOG_SUM_COLUMNS;
  const struct log_facet facet = {rest[0].i, rest[1].s, rest[2].s, &sums};
  return f->fn(f->arg, &facet, info);
}

/* The unsealed days' files, one after the other. */
static enum err each_file(struct log_reader *r, const struct log_filter *filter, int64_t from, int64_t to,
                          enum db_query query, db_row_fn *fn, void *arg, int64_t *day, struct err_info *info) {
  enum err e = OK;
  for (size_t i = 0; !e && i < r->day_count; i++) {
    const struct log_reader_day *d = &r->days[i];
    struct db *file = NULL;
    if (d->is_sealed || !d->has_file || d->day < from || d->day > to) continue;
    e = log_file_read(r->folder, d->day, &file, info);
    if (e == ERR_NOT_FOUND || e == ERR_STORE_CORRUPT || e == ERR_STORE_NEWER) {
      e = OK; /* deleted meanwhile, or not ours to read */
      continue;
    }
    *day = d->day;
    if (!e) e = log_filter_run(file, query, filter, fn, arg, info);
    db_close(file);
  }
  return e;
}

struct open_days {
  struct log_reader *r;
  size_t room;
  int64_t day;
};

static enum err keep_open(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct open_days *o = arg;
  struct log_reader *r = o->r;
  (void)columns, (void)info;
  if (r->open_count == o->room) {
    size_t room = o->room ? 2 * o->room : 256;
    struct log_series *v = arena_realloc(&r->arena, r->open, o->room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    r->open = v;
    o->room = room;
  }
  struct log_series *s = &r->open[r->open_count++];
  log_series_get(row, s);
  s->day = o->day;
  for (int i = 0; i < LOG_TEXTS; i++) /* which live as long as the statement stands here */
    if (s->text[i].n && !(s->text[i] = arena_dup(&r->arena, s->text[i])).p) return ERR_NO_MEMORY;
  return OK;
}

enum err log_reader_open_days(struct log_reader *r, struct err_info *info) {
  const struct log_filter all = {0};
  struct open_days o = {.r = r};
  if (r->has_open) return OK;
  r->has_open = true;
  return each_file(r, &all, INT64_MIN, INT64_MAX, DB_LOG_SERIES_LIST, keep_open, &o, &o.day, info);
}

enum err log_reader_facets(struct log_reader *r, enum log_dimension by, int64_t from, int64_t to, log_facet_fn *fn,
                           void *arg, struct err_info *info) {
  struct facets f = {fn, arg};
  const struct db_value params[] = {db_int(by), db_int(from), db_int(to)};
  enum err e = r->stats ? db_run(r->stats, DB_STAT_FACET_LIST, params, 3, take_facet, &f, info) : OK;
  if (!e) e = log_reader_open_days(r, info);
  for (size_t i = 0; !e && i < r->open_count; i++) {
    const struct log_series *s = &r->open[i];
    char room[LOG_DIMENSION_ROOM];
    if (s->day < from || s->day > to) continue;
    const struct log_facet facet = {s->day, log_dimension_value(by, s, room),
                                    by == LOG_BY_USER ? s->text[LOG_TEXT_USER] : STR_NONE, &s->sums};
    e = fn(arg, &facet, info);
  }
  return e;
}

/* Of "user:7 openai/gpt" what is behind the space. */
static enum err take_model(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct db_value named[LOG_SUM_COLUMNS + 3];
  struct str principal;
  memcpy(named, row, sizeof named);
  str_cut(named[LOG_SUM_COLUMNS + 1].s, ' ', &principal, &named[LOG_SUM_COLUMNS + 1].s);
  return take_facet(arg, named, columns, info);
}

enum err log_reader_models_of(struct log_reader *r, struct str principal, int64_t from, int64_t to, log_facet_fn *fn,
                              void *arg, struct err_info *info) {
  struct facets f = {fn, arg};
  char first[LOG_TEXT_MAX + 2], behind[LOG_TEXT_MAX + 2];
  size_t n = principal.n < LOG_TEXT_MAX ? principal.n : LOG_TEXT_MAX;
  if (!r->stats || !n) return OK;
  memcpy(first, principal.p, n);
  memcpy(behind, principal.p, n);
  first[n] = ' ';
  behind[n] = ' ' + 1;
  const struct db_value params[] = {db_int(LOG_BY_USER_MODEL), db_text(str_from(first, n + 1)),
                                    db_text(str_from(behind, n + 1)), db_int(from), db_int(to)};
  return db_run(r->stats, DB_STAT_FACET_RANGE, params, 5, take_model, &f, info);
}

/* ---- how many, and where ---- */

enum { FACET_PARTS = 8 };

struct part {
  struct str value;
  enum log_dimension by;
};

/* The parts of a filter that a facet tells of. */
static void facet_parts(const struct log_filter *f, char room[16], struct part out[FACET_PARTS]) {
  struct str status = STR_NONE;
  if (f->status) {
    snprintf(room, 16, "%d", f->status);
    status = str_from_c(room);
  }
  const struct part parts[FACET_PARTS] = {
      {f->principal, LOG_BY_USER},    {f->team, LOG_BY_TEAM}, {f->source, LOG_BY_SOURCE}, {f->type, LOG_BY_TYPE},
      {f->endpoint, LOG_BY_ENDPOINT}, {f->node, LOG_BY_NODE}, {f->error, LOG_BY_ERROR},   {status, LOG_BY_STATUS}};
  memcpy(out, parts, sizeof parts);
}

enum err log_reader_may_match(struct log_reader *r, const struct log_filter *filter, size_t day_index, bool *out,
                              struct err_info *info) {
  const struct log_reader_day *d = &r->days[day_index];
  struct db_value params[LOG_FILTER_PARAMS + 2];
  struct part parts[FACET_PARTS];
  char like[LOG_LIKE_MAX], room[16];
  enum err e = OK;
  *out = true;
  if (!d->is_sealed || !r->stats) return OK;
  facet_parts(filter, room, parts);
  for (int i = 0; !e && *out && i < FACET_PARTS; i++) {
    const struct db_value facet[] = {db_int(parts[i].by), db_int(d->day), db_text(parts[i].value)};
    int64_t n = 0;
    if (!parts[i].value.n) continue;
    e = db_run(r->stats, DB_STAT_FACET_HAS, facet, 3, db_take_int, &n, info);
    *out = n > 0;
  }
  log_filter_put(filter, like, params);
  const struct db_value names[] = {db_int(LOG_BY_MODEL), db_int(LOG_BY_ASKED), db_int(d->day), params[10]};
  int64_t n = 1;
  if (!e && *out && filter->model.n) e = db_run(r->stats, DB_STAT_FACET_LIKE, names, 4, db_take_int, &n, info);
  if (!e && *out && n && filter->principal.n && log_filter_parts(filter) > 1) { /* one caller's series are few */
    params[LOG_FILTER_PARAMS] = params[LOG_FILTER_PARAMS + 1] = db_int(d->day);
    e = db_run(r->stats, DB_STAT_DAILY_COUNT_USER, params, LOG_FILTER_PARAMS + 2, db_take_int, &n, info);
  }
  *out = *out && n > 0;
  return e;
}

enum { TOTAL_SERIES_MAX = 30000 /* that are looked at for a total */ };

/* Whole days only, and days whose rows are there. */
static bool days_of(const struct log_reader *r, const struct log_filter *f, int64_t *from, int64_t *to) {
  int64_t now_day = r->day_count ? r->days[r->day_count - 1].day : 0;
  *from = f->from_us ? log_day(f->from_us) : 0;
  *to = f->to_us ? log_day(f->to_us - 1) : INT32_MAX;
  bool cuts = (f->from_us && log_day_begins_us(*from) != f->from_us) ||
              (f->to_us && log_day_begins_us(*to + 1) != f->to_us && *to <= now_day);
  for (size_t i = 0; i < r->day_count; i++) /* rows that retention has deleted are in no list */
    if (!r->days[i].has_file && r->days[i].day >= *from) *from = r->days[i].day + 1;
  return !cuts;
}

/* The filter is a facet: nothing but the category, or one part and the category. */
static bool choose_facet(const struct log_filter *f, struct part *out, char room[16]) {
  struct log_filter rest = *f;
  struct part parts[FACET_PARTS];
  rest.category = LOG_CATEGORY_ANY;
  unsigned n = log_filter_parts(&rest);
  *out = (struct part){STR_NONE, LOG_BY_NOTHING};
  if (n > 1 || f->model.n || f->user.n) return n == 0;
  facet_parts(f, room, parts);
  for (int i = 0; i < FACET_PARTS; i++)
    if (parts[i].value.n) *out = parts[i];
  return true;
}

static enum err total_of_facet(struct log_reader *r, const struct part *facet, enum log_category category, int64_t from,
                               int64_t to, int64_t *out, struct err_info *info) {
  const struct db_value params[] = {db_int(facet->by), db_text(facet->value), db_int(from), db_int(to)};
  int64_t n[2] = {0}; /* all, and those that went well */
  enum err e = db_run(r->stats, DB_STAT_FACET_COUNT, params, 4, db_take_ints, n, info);
  const int64_t by_category[] = {
      [LOG_CATEGORY_ANY] = n[0], [LOG_CATEGORY_SUCCESS] = n[1], [LOG_CATEGORY_ERROR] = n[0] - n[1]};
  if (!e) *out += by_category[category];
  return e;
}

static enum err total_of_daily(struct log_reader *r, const struct log_filter *filter, int64_t from, int64_t to,
                               int64_t *out, bool *is_exact, struct err_info *info) {
  struct db_value params[LOG_FILTER_PARAMS + 2];
  char like[LOG_LIKE_MAX];
  int64_t series = 0, n = 0;
  for (size_t i = 0; i < r->day_count; i++)
    if (r->days[i].day >= from && r->days[i].day <= to) series += r->days[i].series;
  *is_exact = filter->principal.n || series <= TOTAL_SERIES_MAX;
  if (!*is_exact) return OK;
  log_filter_put(filter, like, params);
  params[LOG_FILTER_PARAMS] = db_int(from);
  params[LOG_FILTER_PARAMS + 1] = db_int(to);
  enum err e = db_run(r->stats, filter->principal.n ? DB_STAT_DAILY_COUNT_USER : DB_STAT_DAILY_COUNT, params,
                      LOG_FILTER_PARAMS + 2, db_take_int, &n, info);
  *out += n;
  return e;
}

static enum err add_int(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)columns, (void)info;
  *(int64_t *)arg += row[0].i;
  return OK;
}

enum err log_reader_total(struct log_reader *r, const struct log_filter *filter, int64_t *out, bool *is_exact,
                          struct err_info *info) {
  struct part facet;
  char room[16];
  int64_t from, to, day;
  enum err e = OK;
  *out = 0;
  *is_exact = days_of(r, filter, &from, &to);
  if (*is_exact && r->stats)
    e = choose_facet(filter, &facet, room) ? total_of_facet(r, &facet, filter->category, from, to, out, info)
                                           : total_of_daily(r, filter, from, to, out, is_exact, info);
  if (e || !*is_exact) return e;
  return each_file(r, filter, from, to, DB_LOG_SERIES_COUNT, add_int, out, &day, info);
}
