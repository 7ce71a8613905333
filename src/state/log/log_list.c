/* Lists of rows: see log_list.h. The merge is a heap of the series that pass, by the number of their newest row below
 * the page's begin; of most that number is known without a look (the series says its last row), of the others it is
 * first guessed too high and looked up when it comes to the top. */
#include "state/log/log_list.h"

#include "state/log/log_file.h"

enum { SERIES_KEPT = 256 /* by their number's last bits */ };

struct candidate {
  int64_t row; /* its newest row below the top of the heap, or above that */
  bool is_exact;
  int64_t series;
};

struct walk {
  struct log_reader *r;
  const struct log_list *list;
  log_list_fn *fn;
  void *arg;
  struct db *file;
  int64_t day;
  int64_t low, high; /* rows low < row < high */
  uint64_t skip;     /* of those that pass */
  unsigned left;     /* to the end of the page */
  int64_t last_id;   /* given to fn */
  bool is_more;
  const struct log_series *kept[SERIES_KEPT], *emitting; /* series as they are needed */
  struct candidate *heap;
  size_t heap_n, heap_room;
};

/* ---- one row ---- */

static enum err keep_series(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct walk *w = arg;
  (void)columns, (void)info;
  struct log_series *s = ARENA_NEW(&w->r->arena, struct log_series);
  if (!s) return ERR_NO_MEMORY;
  log_series_get(row, s);
  s->id = row[LOG_SERIES_COLUMNS].i;
  for (int i = 0; i < LOG_TEXTS; i++) s->text[i] = arena_dup(&w->r->arena, s->text[i]);
  w->emitting = s;
  return OK;
}

static enum err find_series(struct walk *w, int64_t id, struct err_info *info) {
  const struct log_series **kept = &w->kept[id & (SERIES_KEPT - 1)];
  const struct db_value param = db_int(id);
  w->emitting = *kept;
  if (w->emitting && w->emitting->id == id) return OK;
  w->emitting = NULL;
  enum err e = db_run(w->file, DB_LOG_SERIES_GET, &param, 1, keep_series, w, info);
  if (!e && !w->emitting) e = err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  if (!e) *kept = w->emitting;
  return e;
}

static int64_t or_unknown(const struct db_value *v) { return v->type == DB_NULL ? -1 : v->i; }

static enum err emit(void *arg, const struct db_value *v, unsigned columns, struct err_info *info) {
  struct walk *w = arg;
  (void)columns;
  if (v[0].i <= w->low) return OK;
  if (w->left == 0) {
    w->is_more = true;
    return OK;
  }
  enum err e = find_series(w, v[1].i, info);
  if (e) return e;
  const struct log_series *s = w->emitting;
  struct log_row row = {.id = log_id(w->day, v[0].i),
                        .at_us = v[2].i,
                        .trace = v[3].s,
                        .status = s->status,
                        .is_stream = s->is_stream,
                        .attempts = (uint32_t)v[4].i,
                        .is_estimated = v[5].i != 0,
                        .cost_nano_usd = or_unknown(&v[11]),
                        .ttft_us = or_unknown(&v[12]),
                        .duration_us = v[13].i};
  memcpy(row.text, s->text, sizeof row.text);
  for (int i = 0; i < USAGE_CLASSES; i++) row.tokens[i] = or_unknown(&v[6 + i]);
  w->left--;
  w->last_id = row.id;
  return w->fn(w->arg, &row, info);
}

/* ---- a file ---- */

/* The first row that is not before the time. */
static enum err bisect(struct walk *w, int64_t at_us, int64_t last, int64_t *out, struct err_info *info) {
  int64_t low = 1, high = last + 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2, us = 0;
    const struct db_value param = db_int(middle);
    enum err e = db_run(w->file, DB_LOG_ROW_AT, &param, 1, db_take_ints, &us, info);
    if (e) return e;
    if (us < at_us)
      low = middle + 1;
    else
      high = middle;
  }
  *out = low;
  return OK;
}

static enum err find_bounds(struct walk *w, struct err_info *info) {
  const struct log_filter *f = w->list->filter;
  int64_t last[2] = {0}, begins = log_day_begins_us(w->day), ends = log_day_begins_us(w->day + 1), first;
  enum err e = db_run(w->file, DB_LOG_ROW_LAST, NULL, 0, db_take_ints, last, info);
  w->low = 0;
  w->high = last[0] + 1;
  if (!e && f->from_us > begins) {
    e = bisect(w, f->from_us, last[0], &first, info);
    if (!e) w->low = first - 1;
  }
  if (!e && f->to_us && f->to_us < ends) {
    e = bisect(w, f->to_us, last[0], &first, info);
    if (!e && first < w->high) w->high = first;
  }
  int64_t before_day = w->list->before_id >> LOG_ID_ROW_BITS;
  int64_t before_row = w->list->before_id & ((INT64_C(1) << LOG_ID_ROW_BITS) - 1);
  if (w->list->before_id && before_day == w->day && before_row < w->high) w->high = before_row;
  return e;
}

static enum err list_all(struct walk *w, struct err_info *info) {
  int64_t there = w->high - 1 - w->low;
  int64_t skipped = w->skip < (uint64_t)there ? (int64_t)w->skip : there;
  w->skip -= (uint64_t)skipped; /* numbers have no gaps */
  w->high -= skipped;
  const struct db_value params[] = {db_int(w->high), db_int((int64_t)w->left + 1)};
  return skipped == there ? OK : db_run(w->file, DB_LOG_ROW_BEFORE, params, 2, emit, w, info);
}

static void sink(struct candidate *h, size_t n, size_t i) {
  struct candidate moving = h[i];
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && h[child + 1].row > h[child].row) child++;
    if (h[child].row <= moving.row) break;
    h[i] = h[child];
    i = child;
  }
  h[i] = moving;
}

static enum err add_candidate(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct walk *w = arg;
  int64_t last_row = row[1].i;
  (void)columns, (void)info;
  if (w->heap_n == w->heap_room) {
    size_t room = w->heap_room ? 2 * w->heap_room : 64;
    struct candidate *v = arena_realloc(&w->r->arena, w->heap, w->heap_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    w->heap = v;
    w->heap_room = room;
  }
  bool is_exact = last_row < w->high;
  w->heap[w->heap_n++] = (struct candidate){is_exact ? last_row : w->high - 1, is_exact, row[0].i};
  return OK;
}

/* The top becomes the series' newest row below `before`, or goes. */
static enum err look_up_top(struct walk *w, int64_t before, struct err_info *info) {
  const struct db_value params[] = {db_int(w->heap[0].series), db_int(before)};
  int64_t row = 0;
  enum err e = db_run(w->file, DB_LOG_ROW_OF_SERIES, params, 2, db_take_ints, &row, info);
  if (e) return e;
  w->heap[0].row = row;
  w->heap[0].is_exact = true;
  if (row <= w->low) w->heap[0] = w->heap[--w->heap_n];
  if (w->heap_n) sink(w->heap, w->heap_n, 0);
  return OK;
}

static enum err list_filtered(struct walk *w, struct err_info *info) {
  struct db_value params[LOG_FILTER_PARAMS + 1];
  char like[LOG_LIKE_MAX];
  log_filter_put(w->list->filter, like, params);
  params[LOG_FILTER_PARAMS] = db_int(w->low);
  w->heap_n = 0;
  enum err e = db_run(w->file, w->list->filter->principal.n ? DB_LOG_SERIES_LAST_USER : DB_LOG_SERIES_LAST, params,
                      LOG_FILTER_PARAMS + 1, add_candidate, w, info);
  for (size_t i = w->heap_n / 2; i-- > 0;) sink(w->heap, w->heap_n, i);
  while (!e && w->heap_n && !w->is_more) {
    const struct candidate top = w->heap[0];
    if (top.is_exact && w->skip) {
      w->skip--;
    } else if (top.is_exact) {
      const struct db_value row[] = {db_int(top.row + 1), db_int(1)};
      e = db_run(w->file, DB_LOG_ROW_BEFORE, row, 2, emit, w, info);
    }
    if (!e) e = look_up_top(w, top.is_exact ? top.row : top.row + 1, info);
  }
  return e;
}

static enum err list_day(struct walk *w, struct err_info *info) {
  enum err e = log_file_read(w->r->folder, w->day, &w->file, info);
  if (e == ERR_NOT_FOUND || e == ERR_STORE_CORRUPT || e == ERR_STORE_NEWER) return OK; /* not ours to read */
  if (!e) e = db_begin_read(w->file, info);
  if (!e) e = find_bounds(w, info);
  memset(w->kept, 0, sizeof w->kept);
  if (!e && w->high - 1 > w->low) e = log_filter_parts(w->list->filter) ? list_filtered(w, info) : list_all(w, info);
  if (w->file) db_rollback(w->file);
  db_close(w->file);
  w->file = NULL;
  return e;
}

enum err log_list_run(struct log_reader *r, const struct log_list *list, log_list_fn *fn, void *arg, int64_t *next_id,
                      struct err_info *info) {
  const struct log_filter *f = list->filter;
  struct walk w = {.r = r, .list = list, .fn = fn, .arg = arg, .skip = list->offset, .left = list->limit};
  enum err e = OK;
  *next_id = 0;
  for (size_t i = r->day_count; !e && i-- > 0 && !w.is_more;) {
    const struct log_reader_day *d = &r->days[i];
    bool may = true;
    if (!d->has_file || (list->before_id && d->day > list->before_id >> LOG_ID_ROW_BITS)) continue;
    if (log_day_begins_us(d->day + 1) <= f->from_us || (f->to_us && log_day_begins_us(d->day) >= f->to_us)) continue;
    e = log_reader_may_match(r, f, i, &may, info);
    w.day = d->day;
    if (!e && may) e = list_day(&w, info);
  }
  if (!e && w.is_more) *next_id = w.last_id;
  return e;
}
