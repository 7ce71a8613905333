/* Series in a database: see log_series.h. Hours are 24 numbers of 32 bits, little-endian, in one column: they are
 * shown, never searched. */
#include "state/log/log_series.h"

#include <endian.h>

void log_sums_put(const struct log_sums *s, unsigned char hours[4 * LOG_HOURS], struct db_value out[LOG_SUM_COLUMNS]) {
  for (int i = 0; i < LOG_SUMS; i++) out[i] = db_int(s->v[i]);
  for (int i = 0; i < LOG_HOURS; i++) {
    uint32_t n = htole32(s->hours[i]);
    memcpy(hours + 4 * i, &n, 4);
  }
  out[LOG_SUMS] = db_bytes(hours, 4 * LOG_HOURS);
}

void log_sums_get(const struct db_value *row, struct log_sums *out) {
  *out = (struct log_sums){0};
  for (int i = 0; i < LOG_SUMS; i++) out->v[i] = row[i].i;
  if (row[LOG_SUMS].s.n != 4 * LOG_HOURS) return;
  for (int i = 0; i < LOG_HOURS; i++) {
    uint32_t n;
    memcpy(&n, row[LOG_SUMS].s.p + 4 * i, 4);
    out->hours[i] = le32toh(n);
  }
}

void log_series_put(const struct log_series *s, unsigned char hours[4 * LOG_HOURS],
                    struct db_value out[LOG_SERIES_COLUMNS]) {
  for (int i = 0; i < LOG_TEXTS; i++) out[i] = db_text(s->text[i]);
  out[LOG_TEXTS] = db_int(s->status);
  out[LOG_TEXTS + 1] = db_int(s->is_stream);
  log_sums_put(&s->sums, hours, out + LOG_TEXTS + 2);
}

void log_series_get(const struct db_value *row, struct log_series *out) {
  *out = (struct log_series){0};
  for (int i = 0; i < LOG_TEXTS; i++) out->text[i] = row[i].s;
  out->status = (int32_t)row[LOG_TEXTS].i;
  out->is_stream = row[LOG_TEXTS + 1].i != 0;
  log_sums_get(row + LOG_TEXTS + 2, &out->sums);
}

/* "%abc%" for LIKE with '!' as its escape. */
static struct str put_like(struct str part, char like[LOG_LIKE_MAX]) {
  size_t n = 0;
  part = str_sub(part, 0, LOG_TEXT_MAX);
  if (!part.n) return STR_NONE;
  like[n++] = '%';
  for (size_t i = 0; i < part.n; i++) {
    char c = part.p[i];
    if (c == '%' || c == '_' || c == '!') like[n++] = '!';
    like[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  }
  like[n++] = '%';
  return str_from(like, n);
}

void log_filter_put(const struct log_filter *f, char like[LOG_LIKE_MAX], struct db_value out[LOG_FILTER_PARAMS]) {
  const struct str exact[] = {f->user, f->principal, f->team, f->source, f->endpoint, f->type, f->node, f->error};
  for (int i = 0; i < 8; i++) out[i] = db_text(exact[i]);
  out[8] = db_int(f->status);
  out[9] = db_int(f->category);
  out[10] = db_text(put_like(f->model, like));
}

enum err log_filter_run(struct db *file, enum db_query query, const struct log_filter *filter, db_row_fn *fn, void *arg,
                        struct err_info *info) {
  struct db_value params[LOG_FILTER_PARAMS];
  char like[LOG_LIKE_MAX];
  log_filter_put(filter, like, params);
  return db_run(file, query, params, LOG_FILTER_PARAMS, fn, arg, info);
}

unsigned log_filter_parts(const struct log_filter *f) {
  const struct str texts[] = {f->user, f->principal, f->team,  f->source, f->endpoint,
                              f->type, f->node,      f->error, f->model};
  unsigned n = (f->status != 0 ? 1u : 0u) + (f->category != LOG_CATEGORY_ANY ? 1u : 0u);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) n += texts[i].n ? 1u : 0u;
  return n;
}

bool log_filter_has_time(const struct log_filter *f, int64_t at_us) {
  return at_us >= f->from_us && (!f->to_us || at_us < f->to_us);
}

enum err log_format_create(struct db *db, const enum db_query *ddl, size_t n, struct err_info *info) {
  const struct db_value format = db_int(LOG_FORMAT);
  enum err e = db_begin(db, info);
  if (e) return e;
  e = db_run(db, DB_LOG_CREATE_FORMAT, NULL, 0, NULL, NULL, info);
  for (size_t i = 0; !e && i < n; i++) e = db_run(db, ddl[i], NULL, 0, NULL, NULL, info);
  if (!e) e = db_run(db, DB_LOG_SET_FORMAT, &format, 1, NULL, NULL, info);
  if (!e) return db_commit(db, info);
  db_rollback(db);
  return e;
}

enum err log_format_check(struct db *db, struct err_info *info) {
  int64_t format = 0;
  enum err e = db_run(db, DB_LOG_GET_FORMAT, NULL, 0, db_take_int, &format, info);
  if (!e && format != LOG_FORMAT) e = err_set(info, ERR_STORE_NEWER, "%s", err_text(ERR_STORE_NEWER));
  return e;
}
