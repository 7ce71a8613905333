/* The reader's scalars: each checks type and range, reports with the path at hand and leaves *out untouched on a fault.
 * Only values of plain members are shown, and those cut. */
#include <stdio.h>
#include <stdlib.h>

#include "state/config/config_read.h"
#include "state/config/config_value.h"

static const char *type_name(yyjson_val *val) {
  if (yyjson_is_raw(val)) return "a number";
  if (yyjson_is_str(val)) return "a string";
  if (yyjson_is_obj(val)) return "an object";
  if (yyjson_is_arr(val)) return "an array";
  if (yyjson_is_null(val)) return "null";
  return "true or false";
}

void config_read_wrong_type(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *wanted) {
  config_read_fault(r, key, val, NULL, "must be %s, not %s", wanted, type_name(val));
}

struct str config_read_text(yyjson_val *val) {
  if (yyjson_is_str(val)) return str_from(yyjson_get_str(val), yyjson_get_len(val));
  if (yyjson_is_raw(val)) return str_from(yyjson_get_raw(val), yyjson_get_len(val));
  return STR_NONE;
}

struct str config_read_dup(struct config_read *r, struct str s) {
  struct str copy = arena_dup(r->arena, s);
  if (!copy.p) r->is_no_memory = true;
  return copy;
}

/* Control characters have no use in any setting and would garble logs and headers. */
static bool is_clean(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return true;
}

static bool check_string(struct config_read *r, yyjson_val *key, yyjson_val *val, size_t min, size_t max) {
  struct str s = config_read_text(val);
  if (!yyjson_is_str(val)) {
    config_read_wrong_type(r, key, val, "a string");
  } else if (s.n < min) {
    config_read_fault(r, key, val, NULL, "must not be empty");
  } else if (s.n > max) {
    config_read_fault(r, key, val, NULL, "longer than %zu bytes", max);
  } else if (!is_clean(s)) {
    config_read_fault(r, key, val, NULL, "must not contain control characters");
  } else {
    return true;
  }
  return false;
}

bool config_read_string(struct config_read *r, yyjson_val *key, yyjson_val *val, size_t min, size_t max,
                        struct str *out) {
  if (!check_string(r, key, val, min, max)) return false;
  struct str copy = config_read_dup(r, config_read_text(val));
  if (!copy.p) return false;
  *out = copy;
  return true;
}

bool config_read_secret(struct config_read *r, yyjson_val *key, yyjson_val *val, const struct secret **out) {
  if (!check_string(r, key, val, 1, SECRET_BYTES_MAX)) return false;
  const struct secret *s = secret_new_in(r->arena, config_read_text(val));
  r->has_secret = true;
  if (!s) {
    r->is_no_memory = true;
    return false;
  }
  *out = s;
  return true;
}

bool config_read_bool(struct config_read *r, yyjson_val *key, yyjson_val *val, bool *out) {
  if (!yyjson_is_bool(val)) {
    config_read_wrong_type(r, key, val, "true or false");
    return false;
  }
  *out = yyjson_get_bool(val);
  return true;
}

bool config_read_u64(struct config_read *r, yyjson_val *key, yyjson_val *val, uint64_t min, uint64_t max,
                     uint64_t *out) {
  uint64_t v;
  if (!yyjson_is_raw(val)) {
    config_read_wrong_type(r, key, val, "a whole number");
    return false;
  }
  struct str text = config_read_text(val);
  if (!str_to_u64(text, &v) || v < min || v > max) {
    config_read_fault(r, key, val, NULL, "%.*s is not a whole number from %llu to %llu",
                      (int)(text.n < 40 ? text.n : 40), text.p, (unsigned long long)min, (unsigned long long)max);
    return false;
  }
  *out = v;
  return true;
}

bool config_read_u32(struct config_read *r, yyjson_val *key, yyjson_val *val, uint32_t min, uint32_t max,
                     uint32_t *out) {
  uint64_t v;
  if (!config_read_u64(r, key, val, min, max, &v)) return false;
  *out = (uint32_t)v;
  return true;
}

bool config_read_i32(struct config_read *r, yyjson_val *key, yyjson_val *val, int32_t min, int32_t max, int32_t *out) {
  uint64_t v;
  struct str text = config_read_text(val);
  bool is_negative = str_has_prefix(text, STR("-"));
  if (!yyjson_is_raw(val)) {
    config_read_wrong_type(r, key, val, "a whole number");
    return false;
  }
  if (!str_to_u64(str_sub(text, is_negative, text.n), &v) || v > INT32_MAX ||
      (is_negative ? -(int64_t)v : (int64_t)v) < min || (is_negative ? -(int64_t)v : (int64_t)v) > max) {
    config_read_fault(r, key, val, NULL, "%.*s is not a whole number from %d to %d", (int)(text.n < 40 ? text.n : 40),
                      text.p, min, max);
    return false;
  }
  *out = (int32_t)(is_negative ? -(int64_t)v : (int64_t)v);
  return true;
}

bool config_read_ms(struct config_read *r, yyjson_val *key, yyjson_val *val, uint32_t max, uint32_t *out) {
  uint64_t v;
  struct str text = config_read_text(val);
  if (!yyjson_is_raw(val) && !yyjson_is_str(val)) {
    config_read_wrong_type(r, key, val, "milliseconds");
    return false;
  }
  if (!config_value_ms(text, &v) || v > max) {
    config_read_fault(r, key, val, NULL, "%.*s is not a time of at most %u milliseconds",
                      (int)(text.n < 40 ? text.n : 40), text.p, max);
    return false;
  }
  *out = (uint32_t)v;
  return true;
}

bool config_read_strings(struct config_read *r, yyjson_val *key, yyjson_val *val, size_t max_count,
                         struct config_strings *out) {
  if (!yyjson_is_arr(val)) {
    config_read_wrong_type(r, key, val, "an array of strings");
    return false;
  }
  size_t n = yyjson_arr_size(val), at = 0;
  if (n > max_count) {
    config_read_fault(r, key, val, NULL, "more than %zu entries", max_count);
    return false;
  }
  struct str *items = ARENA_NEW_ARRAY(r->arena, struct str, n);
  if (!items) {
    r->is_no_memory = true;
    return false;
  }
  yyjson_arr_iter iter = yyjson_arr_iter_with(val);
  bool ok = true;
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)); at++) {
    size_t mark = config_read_push_index(r, at);
    ok = config_read_string(r, NULL, item, 1, 4096, &items[at]) && ok;
    config_read_pop(r, mark);
  }
  if (ok) *out = (struct config_strings){items, n};
  return ok;
}

bool config_read_enum(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *const *names, size_t count,
                      unsigned *out) {
  char list[256] = "";
  size_t n = 0;
  if (!yyjson_is_str(val)) {
    config_read_wrong_type(r, key, val, "a string");
    return false;
  }
  struct str text = config_read_text(val);
  for (size_t i = 0; i < count; i++) {
    if (str_eq(text, str_from_c(names[i]))) {
      *out = (unsigned)i;
      return true;
    }
    if (n + 48 < sizeof list) n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "one of ", names[i]);
  }
  config_read_fault(r, key, val, list, "\"%.*s\" is not known", (int)(text.n < 40 ? text.n : 40), text.p);
  return false;
}
