/* Changes of the admin API, each test with a store of its own: change_rig_run does what a request does between its body
 * and its answer, in one transaction as store_write has it. */
#ifndef MAESTRO_TESTS_CHANGE_RIG_H
#define MAESTRO_TESTS_CHANGE_RIG_H

#include "../state/one_store_rig.h"
#include "admin/change.h"
#include "arena_rig.h"

static const char *change_rig_if_match = ""; /* of the next change */
static struct {
  char answer[16384], tag[ENTITY_TAG_BYTES];
  struct err_info info;
} last;

static inline int change_rig_make(void **state) {
  arena_rig_make(state);
  return one_store_rig_make(state);
}

static inline int change_rig_clear(void **state) {
  arena_rig_clear(state);
  return one_store_rig_clear(state);
}

static inline enum err change_rig_run(const struct change_row *row, const char *name, const char *item,
                                      const char *body) {
  struct buf out;
  struct change c = {.arena = &arena,
                     .name = str_from_c(name),
                     .item = str_from_c(item),
                     .key = secret_new(STR("key")),
                     .actor = STR("admin"),
                     .address = STR("192.0.2.1"),
                     .if_match = str_from_c(change_rig_if_match),
                     .out = &out};
  enum err e = OK;
  last.info = (struct err_info){0};
  buf_init(&out, 0);
  if (row->fields) {
    assert_non_null(c.in = arena_alloc(&arena, row->fields->bytes));
    e = fields_read(&arena, str_from_c(body), row->fields, row->allowed, row->required, c.in, &last.info);
  }
  if (!e) e = db_begin(rig.db, &last.info);
  if (!e) {
    e = change_run(rig.db, row, &c, &last.info);
    if (e)
      db_rollback(rig.db);
    else
      e = db_commit(rig.db, &last.info);
  }
  snprintf(last.answer, sizeof last.answer, "%.*s", STR_ARG(buf_str(&out)));
  snprintf(last.tag, sizeof last.tag, "%s", c.tag);
  buf_clear(&out);
  secret_free(c.key);
  return e;
}

static inline bool says(const char *piece) { return strstr(last.answer, piece) != NULL; }

#endif
