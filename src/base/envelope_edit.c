/* Edits of members as spans: see envelope_edit.h. */
#include "base/envelope_edit.h"

#include "base/buf.h"

void envelope_edit_init(struct envelope_edit *e, const struct envelope_scan *scan) {
  e->scan = scan;
  e->set = e->removed = 0;
}

static uint64_t bit(unsigned row) { return (uint64_t)1 << row; }

void envelope_edit_keep(struct envelope_edit *e, unsigned row) {
  e->set &= ~bit(row);
  e->removed &= ~bit(row);
}

void envelope_edit_set(struct envelope_edit *e, unsigned row, struct str json) {
  envelope_edit_keep(e, row);
  e->set |= bit(row);
  e->value[row] = json;
}

void envelope_edit_remove(struct envelope_edit *e, unsigned row) {
  envelope_edit_keep(e, row);
  e->removed |= bit(row);
}

/* Rows of one object: parent is its row + 1, 0 for the top level. */
static uint64_t rows_of(const struct envelope_table *t, unsigned parent) {
  uint64_t rows = 0;
  for (unsigned i = 0; i < t->n; i++)
    if (t->names[i].parent == parent) rows |= bit(i);
  return rows;
}

/* `"name":json` of each row, with commas between, to out (NULL: only measures). Returns the bytes. */
static size_t members_text(const struct envelope_edit *e, uint64_t rows, char *out) {
  size_t n = 0;
  for (; rows; rows &= rows - 1) {
    unsigned row = (unsigned)__builtin_ctzll(rows);
    const struct str parts[] = {n ? STR(",\"") : STR("\""), e->scan->table->names[row].name, STR("\":"), e->value[row]};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
      if (out && parts[i].n) memcpy(out + n, parts[i].p, parts[i].n);
      n += parts[i].n;
    }
  }
  return n;
}

/* prefix, the members, suffix; {NULL, 0} when memory is short. */
static struct str make_text(const struct envelope_edit *e, uint64_t rows, struct arena *arena, struct str prefix,
                            struct str suffix) {
  size_t n = prefix.n + members_text(e, rows, NULL) + suffix.n;
  char *p = arena_alloc(arena, n);
  if (!p) return STR_NONE;
  memcpy(p, prefix.p, prefix.n);
  size_t at = prefix.n + members_text(e, rows, p + prefix.n);
  memcpy(p + at, suffix.p, suffix.n);
  return str_from(p, n);
}

/* The rows' members in the order of the body. */
static unsigned in_order(const struct envelope_scan *s, uint64_t rows, const struct envelope_value **out) {
  unsigned n = 0;
  for (; rows; rows &= rows - 1) {
    const struct envelope_value *v = envelope_scan_value(s, (unsigned)__builtin_ctzll(rows));
    unsigned at = n++;
    for (; at && out[at - 1]->key_offset > v->key_offset; at--) out[at] = out[at - 1];
    out[at] = v;
  }
  return n;
}

/* One span for each run of neighbours that go. A run takes the comma behind it; at the object's end the one before it.
 */
static enum err remove_members(const struct envelope_edit *e, uint64_t rows, struct span_list *out,
                               struct err_info *info) {
  const struct envelope_value *gone[ENVELOPE_PATHS_MAX];
  unsigned n = in_order(e->scan, rows, gone);
  for (unsigned i = 0, first; i < n; i++) {
    first = i;
    while (i + 1 < n && gone[i]->comma_after == gone[i + 1]->comma_before) i++;
    size_t from = gone[first]->key_offset, to;
    if (gone[i]->comma_after != ENVELOPE_NO_COMMA) {
      to = (size_t)gone[i]->comma_after + 1;
    } else {
      to = (size_t)gone[i]->offset + gone[i]->length;
      if (gone[first]->comma_before != ENVELOPE_NO_COMMA) from = gone[first]->comma_before;
    }
    enum err err = span_add(out, from, to - from, STR_NONE, info);
    if (err) return err;
  }
  return OK;
}

/* The edits of the rows of one object that is there. */
static enum err object_spans(const struct envelope_edit *e, const struct envelope_value *object, uint64_t rows,
                             struct arena *arena, struct span_list *out, struct err_info *info) {
  uint64_t there = e->scan->found, gone = rows & e->removed & there, added = rows & e->set & ~there;
  enum err err = remove_members(e, gone, out, info);
  if (err) return err;
  for (uint64_t left = rows & e->set & there; left; left &= left - 1) {
    unsigned row = (unsigned)__builtin_ctzll(left);
    const struct envelope_value *v = envelope_scan_value(e->scan, row);
    if ((err = span_add(out, v->offset, v->length, e->value[row], info))) return err;
  }
  if (!added) return OK;
  bool is_left_empty = object->count == (unsigned)__builtin_popcountll(gone);
  struct str text = make_text(e, added, arena, STR(""), is_left_empty ? STR("") : STR(","));
  return text.p ? span_add(out, (size_t)object->offset + 1, 0, text, info) : ERR_NO_MEMORY;
}

enum err envelope_edit_spans(const struct envelope_edit *e, struct arena *arena, struct span_list *out,
                             struct err_info *info) {
  const struct envelope_table *t = e->scan->table;
  struct envelope_edit all = *e; /* with the parents that children bring with them */
  uint64_t top = rows_of(t, 0);
  for (uint64_t left = top & ~(e->set | e->removed); left; left &= left - 1) {
    unsigned row = (unsigned)__builtin_ctzll(left);
    uint64_t rows = t->names[row].has_children ? rows_of(t, row + 1) & (e->set | e->removed) : 0;
    const struct envelope_value *parent = envelope_scan_value(e->scan, row);
    enum err err = OK;
    if (!rows) continue;
    if (parent && parent->type == ENVELOPE_OBJECT) {
      err = object_spans(e, parent, rows, arena, out, info);
    } else if (!(rows &= e->set)) {
      continue;
    } else if (parent && parent->type != ENVELOPE_NULL) {
      err = err_set_param(info, ERR_BAD_TYPE, t->names[row].path.p, "\"%s\" must be an object", t->names[row].path.p);
    } else {
      struct str text = make_text(e, rows, arena, STR("{"), STR("}"));
      if (!text.p) return ERR_NO_MEMORY;
      envelope_edit_set(&all, row, text);
    }
    if (err) return err;
  }
  return object_spans(&all, envelope_scan_root(e->scan), top, arena, out, info);
}
