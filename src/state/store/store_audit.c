/* The audit log: see store_audit.h. */
#include "state/store/store_audit.h"

#include "base/clock.h"

static struct db_value text_or_null(struct str s) { return s.n ? db_text(s) : db_null(); }

enum err store_audit_add(struct db *db, const struct audit_row *row, struct err_info *info) {
  const struct db_value params[] = {db_int(clock_wall_us()),   db_text(row->actor),       db_text(row->address),
                                    db_text(row->action),      db_text(row->entity_type), db_text(row->entity_id),
                                    text_or_null(row->before), text_or_null(row->after)};
  return db_run(db, DB_AUDIT_ADD, params, 8, NULL, NULL, info);
}

struct walk {
  enum err (*on_row)(void *arg, const struct audit_row *row);
  void *arg;
};

static enum err take_row(void *arg, const struct db_value *v, unsigned columns, struct err_info *info) {
  struct walk *w = arg;
  (void)columns, (void)info;
  const struct audit_row row = {.id = v[0].i,
                                .at_us = v[1].i,
                                .actor = v[2].s,
                                .address = v[3].s,
                                .action = v[4].s,
                                .entity_type = v[5].s,
                                .entity_id = v[6].s,
                                .before = v[7].s,
                                .after = v[8].s};
  return w->on_row(w->arg, &row);
}

static void put_filter(const struct audit_filter *f, struct db_value out[7]) {
  out[0] = db_text(f->actor);
  out[1] = db_text(f->action);
  out[2] = db_text(f->entity_type);
  out[3] = db_text(f->entity_id);
  out[4] = db_int(f->limit);
  out[5] = db_int(f->offset);
  out[6] = db_int(f->after);
}

enum err store_audit_list(struct db *db, const struct audit_filter *filter,
                          enum err (*on_row)(void *arg, const struct audit_row *row), void *arg,
                          struct err_info *info) {
  struct db_value params[7];
  struct walk w = {on_row, arg};
  put_filter(filter, params);
  return db_run(db, DB_AUDIT_LIST, params, 7, take_row, &w, info);
}

enum err store_audit_count(struct db *db, const struct audit_filter *filter, int64_t *out, struct err_info *info) {
  struct db_value params[7];
  put_filter(filter, params);
  return db_run(db, DB_AUDIT_COUNT, params, 4, db_take_int, out, info);
}
