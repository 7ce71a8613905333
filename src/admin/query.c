/* Parameters of a query: see query.h. */
#include "admin/query.h"

#include <inttypes.h>

#include "admin/fields.h"

static struct str find(struct str query, const char *name) {
  while (query.n) {
    struct str one, key, value;
    str_cut(query, '&', &one, &query);
    str_cut(one, '=', &key, &value);
    if (str_eq(key, str_from_c(name))) return value;
  }
  return STR_NONE;
}

enum err query_text(struct arena *a, struct str query, const char *name, struct str *out, struct err_info *info) {
  struct str raw = find(query, name);
  char *p = arena_alloc(a, raw.n);
  if (!p) return ERR_NO_MEMORY;
  struct str text = str_from(p, str_percent_decode(raw, p, raw.n));
  bool is_sound = str_is_utf8(text);
  for (size_t i = 0; i < text.n; i++) is_sound = is_sound && (unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f;
  if (!is_sound) return fields_refuse_named(info, name, "\"%s\" is malformed", name);
  *out = text;
  return OK;
}

enum err query_number(struct str query, const char *name, uint64_t min, uint64_t max, uint64_t *out,
                      struct err_info *info) {
  struct str raw = find(query, name);
  uint64_t n;
  if (!raw.n) return OK;
  if (!str_to_u64(raw, &n) || n < min || n > max)
    return fields_refuse_named(info, name, "\"%s\" must be a whole number from %" PRIu64 " to %" PRIu64, name, min,
                               max);
  *out = n;
  return OK;
}
