/* Members of envelopes: see envelope_read.h. */
#include "dialect/envelope_read.h"

bool envelope_read_is_said(const struct envelope_scan *scan, unsigned row) {
  const struct envelope_value *v = envelope_scan_value(scan, row);
  return v && v->type != ENVELOPE_NULL;
}

static bool is_model_name(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= ENVELOPE_READ_MODEL_BYTES_MAX;
}

enum err envelope_read_model(struct arena *a, struct str body, const struct envelope_scan *scan, unsigned row,
                             struct str *out, struct err_info *info) {
  struct str name;
  enum err e = envelope_string(scan, row, body, a, &name, info);
  if (e) return e;
  if (!is_model_name(name))
    return err_set_param(info, ERR_BAD_VALUE, "model",
                         "\"model\" must be a name of 1 to %d bytes without control characters",
                         ENVELOPE_READ_MODEL_BYTES_MAX);
  *out = name;
  return OK;
}

enum err envelope_read_flag(const struct envelope_scan *scan, unsigned row, bool *out, struct err_info *info) {
  return envelope_read_is_said(scan, row) ? envelope_bool(scan, row, out, info) : OK;
}

enum err envelope_read_limit(struct str body, const struct envelope_scan *scan, unsigned row, int64_t *out,
                             struct err_info *info) {
  uint64_t v;
  if (!envelope_read_is_said(scan, row)) return OK;
  bool is_number = envelope_scan_value(scan, row)->type == ENVELOPE_NUMBER;
  enum err e = envelope_u64(scan, row, body, &v, is_number ? NULL : info);
  if (e) return is_number ? OK : e;
  *out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
  return OK;
}

enum err envelope_read_edit_limit(struct arena *a, int64_t max_tokens, unsigned row, struct envelope_edit *edit) {
  char digits[24];
  struct buf b = {.p = digits, .cap = sizeof digits, .limit_bytes = sizeof digits};
  buf_put_i64(&b, max_tokens);
  struct str text = arena_dup(a, buf_str(&b));
  if (!text.p) return ERR_NO_MEMORY;
  envelope_edit_set(edit, row, text);
  return OK;
}

enum err envelope_read_options(struct str body, const struct envelope_scan *scan, unsigned row,
                               struct dialect_request *out, struct err_info *info) {
  const struct envelope_value *v = envelope_scan_value(scan, row);
  if (v && v->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "maestro", "\"maestro\" must be an object");
  out->wants_receipt = v != NULL;
  out->options = v ? envelope_raw(body, v) : STR_NONE;
  return OK;
}

enum err envelope_read_edit(struct arena *a, struct str model, unsigned model_row, unsigned options_row,
                            struct envelope_edit *edit) {
  if (envelope_scan_value(edit->scan, options_row)) envelope_edit_remove(edit, options_row);
  if (!model.n) return OK;
  struct buf json;
  buf_init(&json, 0);
  buf_put_json(&json, model);
  struct str copy = json.failed ? STR_NONE : arena_dup(a, buf_str(&json));
  buf_clear(&json);
  if (!copy.p) return ERR_NO_MEMORY;
  envelope_edit_set(edit, model_row, copy);
  return OK;
}
