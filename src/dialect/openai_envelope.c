/* The envelope of OpenAI's requests: see openai_envelope.h. */
#include "dialect/openai_envelope.h"

enum { MODEL_MAX = 512 };

void openai_envelope_table(struct envelope_table *table, struct str content) {
  const struct str paths[OPENAI_ENVELOPE_ROWS] = {
      [OPENAI_ENVELOPE_MODEL] = STR("model"),
      [OPENAI_ENVELOPE_CONTENT] = content,
      [OPENAI_ENVELOPE_STREAM] = STR("stream"),
      [OPENAI_ENVELOPE_STREAM_OPTIONS] = STR("stream_options"),
      [OPENAI_ENVELOPE_INCLUDE_USAGE] = STR("stream_options.include_usage"),
      [OPENAI_ENVELOPE_MAX_TOKENS] = STR("max_tokens"),
      [OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS] = STR("max_completion_tokens"),
      [OPENAI_ENVELOPE_MAESTRO] = STR("maestro"),
  };
  if (envelope_table_init(table, paths, OPENAI_ENVELOPE_ROWS, NULL)) __builtin_trap(); /* a fault of the rows above */
}

static bool is_null_or_absent(const struct envelope_value *v) { return !v || v->type == ENVELOPE_NULL; }

static enum err read_bool(const struct envelope_scan *scan, unsigned row, bool *out, struct err_info *info) {
  return is_null_or_absent(envelope_scan_value(scan, row)) ? OK : envelope_bool(scan, row, out, info);
}

/* A number that is no count (-1 means "no limit" to some servers) is the upstream's to judge. */
static enum err read_limit(struct str body, const struct envelope_scan *scan, unsigned row, int64_t *out,
                           struct err_info *info) {
  uint64_t v;
  const struct envelope_value *value = envelope_scan_value(scan, row);
  if (is_null_or_absent(value)) return OK;
  enum err e = envelope_u64(scan, row, body, &v, value->type == ENVELOPE_NUMBER ? NULL : info);
  if (e) return value->type == ENVELOPE_NUMBER ? OK : e;
  *out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
  return OK;
}

/* A name goes into headers and logs as well. */
static bool is_model_name(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= MODEL_MAX;
}

enum err openai_envelope_read(struct arena *a, struct str body, const struct envelope_scan *scan,
                              struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.max_tokens = -1};
  const struct envelope_value *options = envelope_scan_value(scan, OPENAI_ENVELOPE_STREAM_OPTIONS);
  const struct envelope_value *maestro = envelope_scan_value(scan, OPENAI_ENVELOPE_MAESTRO);
  enum err e = envelope_string(scan, OPENAI_ENVELOPE_MODEL, body, a, &r.model, info);
  if (e) return e;
  if (!is_model_name(r.model))
    return err_set_param(info, ERR_BAD_VALUE, "model",
                         "\"model\" must be a name of 1 to %d bytes without control characters", MODEL_MAX);
  if (!is_null_or_absent(options) && options->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "stream_options", "\"stream_options\" must be an object");
  if (maestro && maestro->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "maestro", "\"maestro\" must be an object");
  if ((e = read_bool(scan, OPENAI_ENVELOPE_STREAM, &r.is_stream, info))) return e;
  if ((e = read_bool(scan, OPENAI_ENVELOPE_INCLUDE_USAGE, &r.wants_usage, info))) return e;
  if ((e = read_limit(body, scan, OPENAI_ENVELOPE_MAX_TOKENS, &r.max_tokens, info))) return e;
  if ((e = read_limit(body, scan, OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS, &r.max_tokens, info))) return e;
  r.wants_receipt = maestro != NULL;
  r.options = maestro ? envelope_raw(body, maestro) : STR_NONE;
  *out = r;
  return OK;
}

enum err openai_envelope_edit(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                              struct err_info *info) {
  (void)info;
  if (want->model.n) {
    struct buf json;
    buf_init(&json, 0);
    buf_put_json(&json, want->model);
    struct str copy = json.failed ? STR_NONE : arena_dup(a, buf_str(&json));
    buf_clear(&json);
    if (!copy.p) return ERR_NO_MEMORY;
    envelope_edit_set(edit, OPENAI_ENVELOPE_MODEL, copy);
  }
  if (envelope_scan_value(edit->scan, OPENAI_ENVELOPE_MAESTRO)) envelope_edit_remove(edit, OPENAI_ENVELOPE_MAESTRO);
  if (want->ask_usage) {
    const struct envelope_value *options = envelope_scan_value(edit->scan, OPENAI_ENVELOPE_STREAM_OPTIONS);
    if (options && options->type == ENVELOPE_NULL)
      envelope_edit_set(edit, OPENAI_ENVELOPE_STREAM_OPTIONS, STR("{\"include_usage\":true}"));
    else
      envelope_edit_set(edit, OPENAI_ENVELOPE_INCLUDE_USAGE, STR("true"));
  }
  return OK;
}
