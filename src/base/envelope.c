/* Tables of members and their decoded values: see envelope.h. */
#include "base/envelope.h"

#include <assert.h>

#include "base/envelope_scan.h"
#include "base/json_bytes.h"

static_assert(ENVELOPE_PATHS_MAX <= 64 && ENVELOPE_SLOTS == 256,
              "rows are bits of one word, slots the top byte of a hash");

/* The parent's row + 1; 0 when no earlier row has that path. */
static unsigned row_of(const struct envelope_table *t, struct str path) {
  for (unsigned i = 0; i < t->n; i++)
    if (str_eq(t->names[i].path, path)) return i + 1;
  return 0;
}

static enum err bad_row(size_t i, struct str path, struct err_info *info) {
  return err_set(info, ERR_INTERNAL, "envelope table: row %zu, \"%.*s\"", i, STR_ARG(path));
}

enum err envelope_table_init(struct envelope_table *t, const struct str *paths, size_t n, struct err_info *info) {
  struct envelope_table made = {0};
  if (n > ENVELOPE_PATHS_MAX) return err_set(info, ERR_INTERNAL, "envelope table with %zu rows", n);
  for (size_t i = 0; i < n; i++) {
    struct str parent_path, name = paths[i];
    unsigned parent = 0;
    if (str_cut(paths[i], '.', &parent_path, &name)) {
      parent = row_of(&made, parent_path);
      if (parent == 0 || made.names[parent - 1].parent != 0) return bad_row(i, paths[i], info);
      made.names[parent - 1].has_children = true;
    } else {
      name = paths[i];
    }
    if (name.n == 0 || name.n > ENVELOPE_NAME_MAX || str_find_char(name, '.') != SIZE_MAX || row_of(&made, paths[i]))
      return bad_row(i, paths[i], info);
    struct envelope_words words = envelope_words(name.p, name.n);
    made.names[i] = (struct envelope_name){.path = paths[i], .name = name, .words = words, .parent = (uint8_t)parent};
    unsigned slot = envelope_slot(words, name.n, parent);
    while (made.slots[slot]) slot = (slot + 1) % ENVELOPE_SLOTS;
    made.slots[slot] = (uint8_t)(i + 1);
    made.n++;
  }
  *t = made;
  return OK;
}

/* The value of a row, or NULL with *e set. */
static const struct envelope_value *present(const struct envelope_scan *s, unsigned row, enum err *e,
                                            struct err_info *info) {
  const struct envelope_value *v = envelope_scan_value(s, row);
  if (v) return v;
  const char *path = row < s->table->n ? s->table->names[row].path.p : "";
  *e = err_set_param(info, ERR_MISSING, path, "\"%s\" is required", path);
  return NULL;
}

static const char *path_of(const struct envelope_scan *s, unsigned row) { return s->table->names[row].path.p; }

enum err envelope_string(const struct envelope_scan *s, unsigned row, struct str body, struct arena *arena,
                         struct str *out, struct err_info *info) {
  enum err e = OK;
  const struct envelope_value *v = present(s, row, &e, info);
  if (!v) return e;
  if (v->type != ENVELOPE_STRING)
    return err_set_param(info, ERR_BAD_TYPE, path_of(s, row), "\"%s\" must be a string", path_of(s, row));
  struct str raw = str_sub(body, (size_t)v->offset + 1, (size_t)v->offset + v->length - 1);
  if (str_find_char(raw, '\\') == SIZE_MAX) {
    *out = raw;
    return OK;
  }
  char *bytes = arena_alloc(arena, raw.n);
  size_t n = 0;
  if (!bytes) return ERR_NO_MEMORY;
  if (!json_bytes_unescape(raw, JSON_BYTES_STRICT, bytes, &n))
    return err_set_param(info, ERR_BAD_VALUE, path_of(s, row), "\"%s\" has an escape that stands for no character",
                         path_of(s, row));
  *out = str_from(bytes, n);
  return OK;
}

enum err envelope_bool(const struct envelope_scan *s, unsigned row, bool *out, struct err_info *info) {
  enum err e = OK;
  const struct envelope_value *v = present(s, row, &e, info);
  if (!v) return e;
  if (v->type != ENVELOPE_TRUE && v->type != ENVELOPE_FALSE)
    return err_set_param(info, ERR_BAD_TYPE, path_of(s, row), "\"%s\" must be true or false", path_of(s, row));
  *out = v->type == ENVELOPE_TRUE;
  return OK;
}

enum err envelope_u64(const struct envelope_scan *s, unsigned row, struct str body, uint64_t *out,
                      struct err_info *info) {
  enum err e = OK;
  const struct envelope_value *v = present(s, row, &e, info);
  if (!v) return e;
  if (v->type != ENVELOPE_NUMBER)
    return err_set_param(info, ERR_BAD_TYPE, path_of(s, row), "\"%s\" must be a number", path_of(s, row));
  if (!str_to_u64(envelope_raw(body, v), out))
    return err_set_param(info, ERR_BAD_VALUE, path_of(s, row), "\"%s\" must be a whole number that is not negative",
                         path_of(s, row));
  return OK;
}
