/* What the envelope scan must say of a text, worked out with yyjson: shared by its unit test and its fuzz target. The
 * grammar is yyjson's own (strict); our further rules are checked on its tree. abort() on disagreement. */
#ifndef MAESTRO_FUZZ_ENVELOPE_ORACLE_H
#define MAESTRO_FUZZ_ENVELOPE_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/envelope_edit.h"
#include "base/envelope_scan.h"
#include "base/json_bytes.h"

enum {
  ORACLE_MODEL,
  ORACLE_STREAM,
  ORACLE_OPTIONS,
  ORACLE_USAGE,
  ORACLE_A,
  ORACLE_B,
  ORACLE_LONG,
  ORACLE_A_B,
  ORACLE_ROWS
};
static const struct str oracle_paths[ORACLE_ROWS] = {
    STR("model"), STR("stream"), STR("stream_options"),        STR("stream_options.include_usage"),
    STR("a"),     STR("b"),      STR("max_completion_tokens"), STR("a.b"),
};

#define ORACLE_CHECK(ok)                                                                    \
  do {                                                                                      \
    if (!(ok)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n  text: %.*s\n", __FILE__, __LINE__, #ok, STR_ARG(text)); \
      abort();                                                                              \
    }                                                                                       \
  } while (0)

/* yyjson refuses lone surrogate escapes, we do not: replaces them by private-use escapes, one for one. False when the
 * text has private-use characters of its own, so that keys might meet that differ. */
static inline bool oracle_replace_lone(struct str text, char *copy) {
  bool replaced = false, is_private = false;
  if (text.n) memcpy(copy, text.p, text.n);
  for (size_t i = 0; i < text.n; i++) {
    if ((unsigned char)copy[i] == 0xee) is_private = true;
    if (copy[i] != '\\') continue;
    i++;
    if (i + 4 >= text.n || copy[i] != 'u') continue;
    if ((copy[i + 1] | 0x20) == 'e') is_private = true;
    if ((copy[i + 1] | 0x20) != 'd' || json_bytes_hex(copy[i + 2]) < 8) continue;
    bool high =
        json_bytes_hex(copy[i + 2]) < 12 && json_bytes_hex(copy[i + 3]) < 16 && json_bytes_hex(copy[i + 4]) < 16;
    if (high && i + 10 < text.n && copy[i + 5] == '\\' && copy[i + 6] == 'u' && (copy[i + 7] | 0x20) == 'd' &&
        json_bytes_hex(copy[i + 8]) >= 12 && json_bytes_hex(copy[i + 8]) < 16) {
      i += 8;
    } else if (json_bytes_hex(copy[i + 2]) < 16) {
      copy[i + 1] = 'e';
      copy[i + 2] = (char)('0' + (json_bytes_hex(copy[i + 2]) - 8));
      replaced = true;
    }
  }
  return !(replaced && is_private);
}

static inline unsigned oracle_depth(yyjson_val *root) { /* the fuzzer's inputs are small: recursion-free by levels */
  unsigned depth = 0;
  static yyjson_val *level[512];
  static size_t left[512];
  static bool in_object[512];
  if (!yyjson_is_ctn(root)) return 0;
  level[0] = unsafe_yyjson_get_first(root);
  left[0] = yyjson_get_len(root);
  unsigned at = 1;
  depth = 1;
  in_object[0] = yyjson_is_obj(root);
  while (at) {
    if (left[at - 1] == 0) {
      at--;
      continue;
    }
    left[at - 1]--;
    yyjson_val *v = level[at - 1];
    if (in_object[at - 1]) v++;
    level[at - 1] = unsafe_yyjson_get_next(v);
    if (!yyjson_is_ctn(v)) continue;
    if (at == 511) return 512;
    in_object[at] = yyjson_is_obj(v);
    left[at] = yyjson_get_len(v);
    level[at] = left[at] ? unsafe_yyjson_get_first(v) : NULL;
    if (++at > depth) depth = at;
  }
  return depth;
}

static inline struct str oracle_str(yyjson_val *v) { return str_from(yyjson_get_str(v), yyjson_get_len(v)); }

/* Whether a key is a name but for letter case, where the long s and the Kelvin sign are an s and a k, too. */
static inline bool oracle_is_name(struct str key, struct str name) {
  size_t at = 0;
  for (size_t i = 0; i < name.n; i++) {
    char letter = (char)(name.p[i] | 0x20);
    struct str rest = str_sub(key, at, key.n), odd = letter == 's' ? STR("\u017f") : STR("\u212a");
    if ((letter == 's' || letter == 'k') && str_has_prefix(rest, odd))
      at += odd.n;
    else if (str_eq_nocase(str_sub(rest, 0, 1), str_sub(name, i, i + 1)))
      at++;
    else
      return false;
  }
  return at == key.n;
}

/* Bits of the faults that our rules see in an object. */
enum { FAULT_JSON = 1, FAULT_DUPLICATE = 2, FAULT_VALUE = 4 };
static inline unsigned oracle_key_faults(yyjson_val *object, bool is_top) {
  unsigned faults = 0;
  size_t i, max, j, jmax;
  yyjson_val *key, *val, *other, *other_val;
  if (yyjson_get_len(object) > ENVELOPE_MEMBERS_MAX) faults |= FAULT_VALUE;
  yyjson_obj_foreach(object, i, max, key, val) {
    if (i > 200) break;
    yyjson_obj_foreach(object, j, jmax, other, other_val) {
      if (j >= i) break;
      if (str_eq(oracle_str(key), oracle_str(other))) faults |= FAULT_DUPLICATE;
    }
    for (unsigned row = 0; is_top && row < ORACLE_ROWS; row++)
      if (oracle_is_name(oracle_str(key), oracle_paths[row]) && !str_eq(oracle_str(key), oracle_paths[row]))
        faults |= FAULT_VALUE;
  }
  return faults;
}

static inline unsigned oracle_faults(yyjson_val *root) {
  if (!yyjson_is_obj(root)) return FAULT_JSON;
  unsigned faults = oracle_key_faults(root, true);
  if (oracle_depth(root) > ENVELOPE_DEPTH_MAX) faults |= FAULT_JSON;
  size_t i, max;
  yyjson_val *key, *val;
  yyjson_obj_foreach(root, i, max, key, val) {
    bool has_children = str_eq(oracle_str(key), STR("stream_options")) || str_eq(oracle_str(key), STR("a"));
    if (has_children && yyjson_is_obj(val)) faults |= oracle_key_faults(val, false);
  }
  return faults;
}

static inline enum envelope_type oracle_type(yyjson_val *v) {
  return yyjson_is_null(v)    ? ENVELOPE_NULL
         : yyjson_is_true(v)  ? ENVELOPE_TRUE
         : yyjson_is_false(v) ? ENVELOPE_FALSE
         : yyjson_is_str(v)   ? ENVELOPE_STRING
         : yyjson_is_arr(v)   ? ENVELOPE_ARRAY
         : yyjson_is_obj(v)   ? ENVELOPE_OBJECT
                              : ENVELOPE_NUMBER;
}

static inline yyjson_val *oracle_find(yyjson_val *root, unsigned row) {
  struct str head, tail;
  if (!str_cut(oracle_paths[row], '.', &head, &tail)) return yyjson_obj_getn(root, head.p, head.n);
  return yyjson_obj_getn(yyjson_obj_getn(root, head.p, head.n), tail.p, tail.n);
}

/* The scan's values against the tree of `copy`, which has the same offsets as the text. */
static inline void oracle_check_values(struct str text, struct str copy, const struct envelope_scan *s,
                                       yyjson_val *root) {
  ORACLE_CHECK(envelope_scan_root(s)->count == yyjson_get_len(root));
  ORACLE_CHECK(envelope_scan_depth(s) == oracle_depth(root));
  for (unsigned row = 0; row < ORACLE_ROWS; row++) {
    const struct envelope_value *v = envelope_scan_value(s, row);
    yyjson_val *want = oracle_find(root, row);
    ORACLE_CHECK(!v == !want);
    if (!v) continue;
    ORACLE_CHECK(v->type == oracle_type(want));
    ORACLE_CHECK(v->count == (yyjson_is_ctn(want) ? yyjson_get_len(want) : 0));
    ORACLE_CHECK(copy.p[v->key_offset] == '"' && v->key_offset < v->offset);
    ORACLE_CHECK(v->comma_before == ENVELOPE_NO_COMMA ||
                 (copy.p[v->comma_before] == ',' && v->comma_before < v->key_offset));
    ORACLE_CHECK(v->comma_after == ENVELOPE_NO_COMMA ||
                 (copy.p[v->comma_after] == ',' && v->comma_after >= v->offset + v->length));
    struct str raw = envelope_raw(copy, v);
    yyjson_doc *doc = yyjson_read(raw.p, raw.n, YYJSON_READ_NUMBER_AS_RAW);
    ORACLE_CHECK(doc && yyjson_equals(yyjson_doc_get_root(doc), want));
    yyjson_doc_free(doc);
  }
}

/* Edits chosen by `pick` must give a text that the scan accepts again and that says what was asked for. */
static inline void oracle_check_edits(struct str text, const struct envelope_scan *s,
                                      const struct envelope_table *table, uint32_t pick) {
  static struct envelope_scan again;
  struct arena arena;
  struct envelope_edit edit;
  static struct span_list spans;
  struct buf out;
  arena_init(&arena, 0);
  buf_init(&out, 0);
  envelope_edit_init(&edit, s);
  for (unsigned row = 0; row < ORACLE_ROWS; row++, pick >>= 2) {
    if ((pick & 3) == 1) envelope_edit_set(&edit, row, row == ORACLE_A ? STR("{\"b\":9}") : STR("[7]"));
    if ((pick & 3) == 2) envelope_edit_remove(&edit, row);
  }
  span_list_init(&spans, text.n);
  enum err e = envelope_edit_spans(&edit, &arena, &spans, NULL);
  bool set_above_a = (edit.set | edit.removed) >> ORACLE_A & 1,
       set_above_o = (edit.set | edit.removed) >> ORACLE_OPTIONS & 1;
  const struct envelope_value *a = envelope_scan_value(s, ORACLE_A), *o = envelope_scan_value(s, ORACLE_OPTIONS);
  bool bad_a =
      !set_above_a && edit.set >> ORACLE_A_B & 1 && a && a->type != ENVELOPE_OBJECT && a->type != ENVELOPE_NULL;
  bool bad_o =
      !set_above_o && edit.set >> ORACLE_USAGE & 1 && o && o->type != ENVELOPE_OBJECT && o->type != ENVELOPE_NULL;
  ORACLE_CHECK((e == ERR_BAD_TYPE) == (bad_a || bad_o));
  if (e == OK) {
    span_apply(&spans, text, &out);
    ORACLE_CHECK(out.n == span_total(&spans));
    ORACLE_CHECK(envelope_scan_whole(&again, table, NULL, &arena, buf_str(&out), NULL) == OK);
    for (unsigned row = 0; row < ORACLE_ROWS; row++) {
      bool under = row == ORACLE_A_B ? set_above_a : row == ORACLE_USAGE && set_above_o;
      const struct envelope_value *v = envelope_scan_value(&again, row), *before = envelope_scan_value(s, row);
      if (under) continue;
      if (edit.set >> row & 1) {
        ORACLE_CHECK(v && str_eq(envelope_raw(buf_str(&out), v), edit.value[row]));
      } else if (edit.removed >> row & 1) {
        ORACLE_CHECK(!v);
      } else if (row != ORACLE_A && row != ORACLE_OPTIONS) {
        ORACLE_CHECK(!v == !before && (!v || str_eq(envelope_raw(buf_str(&out), v), envelope_raw(text, before))));
      }
    }
  } else {
    ORACLE_CHECK(e == ERR_BAD_TYPE);
  }
  buf_clear(&out);
  arena_clear(&arena);
}

/* Feeds the pieces that `cut` makes: 0 the whole, else a cut behind each byte where a mixed counter says so. */
static inline enum err oracle_feed(struct envelope_scan *s, struct str text, uint32_t cut, struct err_info *info) {
  size_t from = 0;
  enum err e = OK;
  for (size_t i = 1; cut && e == OK && i < text.n; i++) {
    if ((uint32_t)(i * 2654435761u ^ cut * 40503u) >> 20 & (cut & 15)) continue;
    char *piece = malloc(i - from + 1); /* of its own, so that a read past its end is seen */
    memcpy(piece, text.p + from, i - from);
    e = envelope_scan_feed(s, str_from(piece, i - from), info);
    free(piece);
    from = i;
  }
  if (e == OK) e = envelope_scan_feed(s, str_sub(text, from, text.n), info);
  return e == OK ? envelope_scan_end(s, info) : e;
}

static inline void oracle_check(struct str text, uint32_t cut, uint32_t pick) {
  static struct envelope_table table;
  static struct envelope_scan s;
  struct arena arena;
  struct err_info info = {.code = ""};
  if (!table.n && envelope_table_init(&table, oracle_paths, ORACLE_ROWS, NULL)) abort();
  arena_init(&arena, 0);
  envelope_scan_init(&s, &table, NULL, &arena);
  enum err e = oracle_feed(&s, text, cut, &info);
  ORACLE_CHECK(e == OK || info.text[0]);
  ORACLE_CHECK(str_is_utf8(str_from_c(info.param)) || info.param[0]);
  char *copy = calloc(1, text.n + 1);
  bool is_sure = oracle_replace_lone(text, copy);
  yyjson_doc *doc = yyjson_read(copy, text.n, YYJSON_READ_NUMBER_AS_RAW);
  unsigned faults = doc ? oracle_faults(yyjson_doc_get_root(doc)) : 0;
  if (!doc) {
    ORACLE_CHECK(e != OK);
  } else if (!is_sure) {
    (void)faults;
  } else if (!faults) {
    ORACLE_CHECK(e == OK);
    oracle_check_values(text, str_from(copy, text.n), &s, yyjson_doc_get_root(doc));
    oracle_check_edits(text, &s, &table, pick);
  } else {
    ORACLE_CHECK((e == ERR_BAD_JSON && faults & FAULT_JSON) || (e == ERR_DUPLICATE_KEY && faults & FAULT_DUPLICATE) ||
                 (e == ERR_BAD_VALUE && faults & FAULT_VALUE) ||
                 (e != OK && yyjson_get_len(yyjson_doc_get_root(doc)) > 200));
  }
  yyjson_doc_free(doc);
  free(copy);
  arena_clear(&arena);
}

#endif
