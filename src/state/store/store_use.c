/* Who names a row: see store_use.h. */
#include "state/store/store_use.h"

#include "base/buf.h"

enum { ROOM = 256 };

static enum err add_name(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct buf *names = arg;
  (void)columns, (void)info;
  if (names->n) buf_put(names, STR(", "));
  buf_put(names, row[0].s);
  return OK;
}

enum err store_use_check(struct db *db, const struct store_use *uses, size_t n, const char *what, struct str name,
                         struct err_info *info) {
  const struct db_value which = db_text(name);
  char room[ROOM];
  enum err e = OK;
  for (size_t i = 0; !e && i < n; i++) {
    struct buf names = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
    e = db_run(db, uses[i].query, &which, 1, add_name, &names, info);
    if (!e && names.n)
      e = err_set(info, ERR_CONFLICT, "%s is in use: %s: %.*s", what, uses[i].who,
                  STR_ARG(str_cut_utf8(buf_str(&names), sizeof room)));
  }
  return e;
}
