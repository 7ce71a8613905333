/* Walking over JSON text: see json_walk.h. */
#include "base/json_walk.h"

#include "base/json_bytes.h"

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
  return p;
}

/* Behind the closing quote; end where there is none. */
static const char *skip_string(const char *p, const char *end) {
  for (p++; p < end && *p != '"'; p++) {
    if (*p == '\\' && p + 1 < end) p++;
  }
  return p < end ? p + 1 : end;
}

static const char *skip_container(const char *p, const char *end) {
  size_t depth = 0;
  while (p < end) {
    char c = *p;
    if (c == '"') {
      p = skip_string(p, end);
      continue;
    }
    p++;
    if (c == '{' || c == '[') depth++;
    if ((c == '}' || c == ']') && --depth == 0) return p;
  }
  return end;
}

static const char *skip_value(const char *p, const char *end) {
  if (p == end) return p;
  if (*p == '"') return skip_string(p, end);
  if (*p == '{' || *p == '[') return skip_container(p, end);
  while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\n' && *p != '\r' && *p != '\t') p++;
  return p;
}

bool json_walk_open(struct json_walk *w, struct str value, struct arena *a) {
  value = str_trim(value);
  if (value.n < 2 || (value.p[0] != '{' && value.p[0] != '[')) return false;
  *w = (struct json_walk){value.p + 1, value.p + value.n - 1, value.p[0] == '{', a};
  return true;
}

bool json_walk_next(struct json_walk *w, struct json_walk_item *item) {
  const char *p = skip_space(w->at, w->end);
  if (p < w->end && *p == ',') p = skip_space(p + 1, w->end);
  if (p == w->end) return false;
  *item = (struct json_walk_item){.begin = p, .key = STR("")};
  if (w->is_object) {
    const char *behind = skip_string(p, w->end);
    if (*p != '"' || behind == w->end) return false;
    if (!json_walk_string(str_from(p, (size_t)(behind - p)), w->a, &item->key)) return false;
    p = skip_space(behind, w->end);
    if (p == w->end || *p != ':') return false;
    p = skip_space(p + 1, w->end);
  }
  const char *behind = skip_value(p, w->end);
  if (behind == p) return false;
  item->value = str_from(p, (size_t)(behind - p));
  w->at = behind;
  return true;
}

bool json_walk_member(struct str object, struct str key, struct arena *a, struct str *value) {
  struct json_walk w;
  struct json_walk_item item;
  bool found = false;
  if (!json_walk_is_object(object) || !json_walk_open(&w, object, a)) return false;
  while (json_walk_next(&w, &item)) {
    if (!str_eq(item.key, key)) continue;
    *value = item.value;
    found = true;
  }
  return found;
}

bool json_walk_string(struct str value, struct arena *a, struct str *out) {
  if (!json_walk_is_string(value)) return false;
  struct str raw = str_sub(value, 1, value.n - 1);
  if (str_find_char(raw, '\\') == SIZE_MAX) {
    *out = raw;
    return true;
  }
  char *text = arena_alloc(a, raw.n);
  size_t n;
  if (!text || !json_bytes_unescape(raw, JSON_BYTES_LOOSE, text, &n)) return false;
  *out = str_from(text, n);
  return true;
}
