/* The reader of files that people write: parsing, places, faults and the walk over tables of members. Scalars are in
 * config_read_value.c. Lines come from where yyjson, parsing in place, left a string or a raw number in the text. */
#include "state/config/config_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"

static bool index_lines(struct config_read *r) {
  size_t lines = 1;
  for (const char *p = r->text, *end = r->text + r->text_n; (p = memchr(p, '\n', (size_t)(end - p))); p++) lines++;
  r->line_starts = malloc(lines * sizeof *r->line_starts);
  if (!r->line_starts) return false;
  r->line_starts[r->line_count++] = 0;
  for (const char *p = r->text, *end = r->text + r->text_n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
    r->line_starts[r->line_count++] = (uint32_t)(p + 1 - r->text);
  return true;
}

/* Number of the line that holds this byte. */
static unsigned line_of(const struct config_read *r, size_t offset) {
  size_t low = 0, high = r->line_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (r->line_starts[middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  return (unsigned)low + 1;
}

static bool open_failed(struct config_read *r, unsigned line, const char *text) {
  config_diags_add(r->diags, r->severity, (struct config_place){r->file, line}, STR_NONE, NULL, "%s", text);
  r->is_bad = true;
  return false;
}

bool config_read_open(struct config_read *r, struct arena *arena, struct config_diags *diags,
                      enum config_severity severity, struct str file, struct str bytes) {
  *r = (struct config_read){.file = file, .diags = diags, .severity = severity, .arena = arena};
  if (str_has_prefix(bytes, STR("\xef\xbb\xbf"))) bytes = str_sub(bytes, 3, bytes.n);
  if (bytes.n > CONFIG_FILE_BYTES_MAX) return open_failed(r, 0, "larger than 4 MiB");
  r->text = calloc(1, bytes.n + YYJSON_PADDING_SIZE);
  r->text_n = bytes.n;
  if (r->text && bytes.n) memcpy(r->text, bytes.p, bytes.n);
  if (!r->text || !index_lines(r)) {
    r->is_no_memory = true;
    return open_failed(r, 0, "out of memory");
  }
  if (str_trim(bytes).n == 0) return open_failed(r, 1, "the file is empty");
  yyjson_read_err err;
  r->doc = yyjson_read_opts(
      r->text, r->text_n,
      YYJSON_READ_INSITU | YYJSON_READ_ALLOW_COMMENTS | YYJSON_READ_ALLOW_TRAILING_COMMAS | YYJSON_READ_NUMBER_AS_RAW,
      NULL, &err);
  if (!r->doc) {
    char text[160];
    snprintf(text, sizeof text, "not valid JSON: %s", err.msg);
    return open_failed(r, line_of(r, err.pos < r->text_n ? err.pos : r->text_n), text);
  }
  r->root = yyjson_doc_get_root(r->doc);
  return true;
}

void config_read_clear(struct config_read *r) {
  yyjson_doc_free(r->doc);
  crypto_wipe(r->text, r->text_n);
  free(r->text);
  free(r->line_starts);
  r->doc = NULL;
  r->root = NULL;
  r->text = NULL;
  r->line_starts = NULL;
  r->text_n = r->line_count = 0;
}

static bool is_in_text(const struct config_read *r, yyjson_val *val, size_t *offset) {
  if (!yyjson_is_str(val) && !yyjson_is_raw(val)) return false;
  const char *p = yyjson_is_str(val) ? yyjson_get_str(val) : yyjson_get_raw(val);
  if (p < r->text || p > r->text + r->text_n) return false;
  *offset = (size_t)(p - r->text);
  return true;
}

/* Strings and numbers say where they stand, containers by what is first in them; for the rest (true, null, {}) the
 * nearest before it in the text speaks: yyjson keeps a document's values in one array in the order of the text. */
static bool find_offset(const struct config_read *r, yyjson_val *val, size_t *offset) {
  yyjson_val *inner = val;
  for (unsigned depth = 0; depth < 8 && yyjson_is_ctn(inner) && unsafe_yyjson_get_len(inner) > 0; depth++)
    inner = unsafe_yyjson_get_first(inner);
  if (is_in_text(r, inner, offset)) return true;
  for (; val && val > r->root; val--)
    if (is_in_text(r, val, offset)) return true;
  return false;
}

unsigned config_read_line(const struct config_read *r, yyjson_val *key, yyjson_val *val) {
  size_t offset = 0;
  if (!r->root) return 0;
  /* A member that is an object begins where its key stands; its first member may be lines below. */
  if (key && (!val || yyjson_is_ctn(val) || !is_in_text(r, val, &offset))) val = key;
  return val && find_offset(r, val, &offset) ? line_of(r, offset) : 1;
}

struct config_place config_read_place(const struct config_read *r, yyjson_val *key, yyjson_val *val) {
  return (struct config_place){r->file, config_read_line(r, key, val)};
}

static size_t push(struct config_read *r, const char *before, struct str text, const char *after) {
  size_t mark = r->path_n, room = sizeof r->path - r->path_n;
  int n = snprintf(r->path + r->path_n, room, "%s%.*s%s", before, STR_ARG(text), after);
  if (n > 0) r->path_n += (size_t)n < room ? (size_t)n : room - 1;
  return mark;
}

size_t config_read_push(struct config_read *r, struct str name) {
  char clean[128]; /* a name is the file's: cut, and without what would garble a terminal */
  size_t n = 0;
  for (; n < name.n && n < sizeof clean; n++) {
    unsigned char c = (unsigned char)name.p[n];
    clean[n] = c < 0x20 || c == 0x7f ? '?' : (char)c;
  }
  return push(r, r->path_n ? "." : "", str_from(clean, n), n < name.n ? "…" : "");
}

size_t config_read_push_index(struct config_read *r, size_t index) {
  char digits[24];
  snprintf(digits, sizeof digits, "%zu", index);
  return push(r, "[", str_from_c(digits), "]");
}

void config_read_pop(struct config_read *r, size_t mark) {
  r->path_n = mark;
  r->path[mark] = '\0';
}

struct str config_read_path(const struct config_read *r) {
  return str_from(r->path, r->path_n);
}

/* Finding a line may walk over the whole file: not for a diagnostic that is only counted. */
static void add(struct config_read *r, enum config_severity severity, yyjson_val *key, yyjson_val *val,
                const char *hint, const char *text) {
  struct config_place place = {r->file, 0};
  if (!config_diags_is_full(r->diags)) place = config_read_place(r, key, val);
  config_diags_add(r->diags, severity, place, config_read_path(r), hint, "%s", text);
}

void config_read_fault(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *hint, const char *format,
                       ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  add(r, r->severity, key, val, hint, text);
  r->is_bad = true;
}

void config_read_note(struct config_read *r, enum config_severity severity, yyjson_val *key, yyjson_val *val,
                      const char *hint, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  add(r, severity, key, val, hint, text);
}

/* Spellings of one name: "keep_alive_ms", "KeepAliveMS" and "keepAliveMs". */
static bool is_same_spelling(struct str a, struct str b) {
  size_t i = 0, j = 0;
  for (;;) {
    while (i < a.n && (a.p[i] == '_' || a.p[i] == '-')) i++;
    while (j < b.n && (b.p[j] == '_' || b.p[j] == '-')) j++;
    if (i == a.n || j == b.n) return i == a.n && j == b.n;
    if ((a.p[i++] | 0x20) != (b.p[j++] | 0x20)) return false;
  }
}

const char *config_read_nearest(struct str word, const char *const *names, size_t count) {
  const char *best = NULL;
  unsigned limit = word.n < 3 ? 0 : word.n < 6 ? 1 : 3, best_distance = limit + 1;
  for (size_t i = 0; i < count; i++) {
    struct str rest = str_from_c(names[i]), name;
    for (bool more = true; more;) {
      more = str_cut(rest, ' ', &name, &rest);
      if (is_same_spelling(word, name)) return names[i];
      unsigned distance = str_distance(word, name, limit);
      if (distance < best_distance && distance < name.n) {
        best_distance = distance;
        best = names[i];
      }
    }
  }
  return best;
}

static void report_unknown(struct config_read *r, yyjson_val *key, const struct config_member *members, size_t count,
                           enum config_severity severity) {
  const char *names[CONFIG_MEMBERS_MAX];
  char hint[256];
  for (size_t i = 0; i < count; i++) names[i] = members[i].names;
  const char *near = config_diags_is_full(r->diags) ? NULL : config_read_nearest(config_read_text(key), names, count);
  size_t n = 0;
  if (near)
    n = (size_t)snprintf(hint, sizeof hint, "did you mean \"%.*s\"?", (int)strcspn(near, " "), near);
  else
    n = (size_t)snprintf(hint, sizeof hint, "known here:");
  for (size_t i = 0; !near && i < count && n + 48 < sizeof hint; i++)
    n += (size_t)snprintf(hint + n, sizeof hint - n, "%s %.*s", i ? "," : "", (int)strcspn(names[i], " "), names[i]);
  size_t mark = config_read_push(r, config_read_text(key));
  if (severity == CONFIG_ERROR)
    config_read_fault(r, key, NULL, hint, "unknown key");
  else
    config_read_note(r, severity, key, NULL, hint, "unknown key, ignored");
  config_read_pop(r, mark);
}

static const struct config_member *find_member(const struct config_member *members, size_t count, struct str name) {
  for (size_t i = 0; i < count; i++) {
    struct str rest = str_from_c(members[i].names), spelling;
    for (bool more = true; more;) {
      more = str_cut(rest, ' ', &spelling, &rest);
      if (str_eq(name, spelling)) return &members[i];
    }
  }
  return NULL;
}

bool config_read_members(struct config_read *r, yyjson_val *key, yyjson_val *obj, const struct config_member *members,
                         size_t count, enum config_severity unknown, void *out) {
  bool seen[CONFIG_MEMBERS_MAX] = {false};
  if (!yyjson_is_obj(obj)) {
    config_read_wrong_type(r, key, obj, "an object");
    return false;
  }
  config_read_duplicates(r, obj);
  if (yyjson_obj_size(obj) > CONFIG_OBJECT_MEMBERS_MAX) return false;
  yyjson_obj_iter iter = yyjson_obj_iter_with(obj);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    yyjson_val *val = yyjson_obj_iter_get_val(name);
    const struct config_member *member = find_member(members, count, config_read_text(name));
    if (!member) {
      report_unknown(r, name, members, count, unknown);
      continue;
    }
    if (!config_read_is_first(obj, name)) continue; /* reported above */
    size_t mark = config_read_push(r, config_read_text(name));
    if (seen[member - members])
      config_read_fault(r, name, NULL, NULL, "the same as another spelling of \"%.*s\" that is there too",
                        (int)strcspn(member->names, " "), member->names);
    else
      member->read(r, name, val, out);
    seen[member - members] = true;
    config_read_pop(r, mark);
  }
  return true;
}

void config_read_duplicates(struct config_read *r, yyjson_val *obj) {
  size_t n = yyjson_obj_size(obj), at = 0;
  if (n > CONFIG_OBJECT_MEMBERS_MAX) {
    config_read_fault(r, NULL, obj, NULL, "more than %d members", CONFIG_OBJECT_MEMBERS_MAX);
    return;
  }
  if (n < 2) return;
  uint64_t *hashes = malloc(n * sizeof *hashes);
  yyjson_val **keys = malloc(n * sizeof *keys);
  if (!hashes || !keys) {
    r->is_no_memory = true;
    goto out;
  }
  yyjson_obj_iter iter = yyjson_obj_iter_with(obj);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)); at++) {
    hashes[at] = str_hash(config_read_text(key), 0);
    keys[at] = key;
    size_t first = 0;
    while (first < at && (hashes[first] != hashes[at] || !str_eq(config_read_text(keys[first]), config_read_text(key))))
      first++;
    if (first == at) continue;
    size_t mark = config_read_push(r, config_read_text(key));
    config_read_fault(r, key, NULL, NULL, "appears twice; first in line %u", config_read_line(r, keys[first], NULL));
    config_read_pop(r, mark);
  }
out:
  free(hashes);
  free(keys);
}

bool config_read_is_first(yyjson_val *obj, yyjson_val *key) {
  struct str name = config_read_text(key);
  return yyjson_obj_getn(obj, name.p, name.n) == yyjson_obj_iter_get_val(key);
}
