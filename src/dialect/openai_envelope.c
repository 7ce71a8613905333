/* The envelope of OpenAI's requests: see openai_envelope.h. */
#include "dialect/openai_envelope.h"

#include "dialect/envelope_read.h"

/* `n`, or the larger `best_of`, for each of several prompts. */
static int64_t read_choices(struct str body, const struct envelope_scan *scan) {
  const struct envelope_value *prompts = envelope_scan_value(scan, OPENAI_ENVELOPE_CONTENT);
  int64_t n = 0, best_of = 0, count = 0;
  (void)!envelope_read_limit(body, scan, OPENAI_ENVELOPE_CHOICES, &n, NULL);
  (void)!envelope_read_limit(body, scan, OPENAI_ENVELOPE_BEST_OF, &best_of, NULL);
  if (best_of > n) n = best_of;
  struct str list = prompts && prompts->type == ENVELOPE_ARRAY ? str_trim(envelope_raw(body, prompts)) : STR_NONE;
  struct str first = list.n ? str_trim(str_sub(list, 1, list.n)) : STR_NONE;
  /* Texts or lists of tokens; messages are objects, and one prompt may be a list of numbers. */
  if (first.n && (first.p[0] == '"' || first.p[0] == '[')) count = prompts->count;
  if (count > 1 && __builtin_mul_overflow(n ? n : 1, count, &n)) n = INT64_MAX;
  return n;
}

enum err openai_envelope_read(struct arena *a, struct str body, const struct envelope_scan *scan,
                              struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.max_tokens = -1};
  enum err e = envelope_read_model(a, body, scan, OPENAI_ENVELOPE_MODEL, &r.model, info);
  if (e) return e;
  if (envelope_read_is_said(scan, OPENAI_ENVELOPE_STREAM_OPTIONS) &&
      envelope_scan_value(scan, OPENAI_ENVELOPE_STREAM_OPTIONS)->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "stream_options", "\"stream_options\" must be an object");
  e = envelope_read_options(body, scan, OPENAI_ENVELOPE_MAESTRO, &r, info);
  if (!e) e = envelope_read_flag(scan, OPENAI_ENVELOPE_STREAM, &r.is_stream, info);
  if (!e) e = envelope_read_flag(scan, OPENAI_ENVELOPE_INCLUDE_USAGE, &r.wants_usage, info);
  if (!e) e = envelope_read_limit(body, scan, OPENAI_ENVELOPE_MAX_TOKENS, &r.max_tokens, info);
  if (!e) e = envelope_read_limit(body, scan, OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS, &r.max_tokens, info);
  if (!e) r.choices = read_choices(body, scan);
  if (!e) *out = r;
  return e;
}

/* Chat's older word where it stands, else what the upstream knows. */
static enum err edit_limit(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit) {
  const struct envelope_scan *s = edit->scan;
  bool has_old = envelope_scan_value(s, OPENAI_ENVELOPE_MAX_TOKENS);
  bool has_new = envelope_scan_value(s, OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS);
  bool is_new = has_new || (!has_old && want->is_vendor);
  enum err e = is_new ? envelope_read_edit_limit(a, want->max_tokens, OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS, edit) : OK;
  if (!e && (has_old || !is_new)) e = envelope_read_edit_limit(a, want->max_tokens, OPENAI_ENVELOPE_MAX_TOKENS, edit);
  return e;
}

enum err openai_envelope_edit(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                              struct err_info *info) {
  const struct envelope_value *options = envelope_scan_value(edit->scan, OPENAI_ENVELOPE_STREAM_OPTIONS);
  (void)info;
  if (want->ask_usage && options && options->type == ENVELOPE_NULL)
    envelope_edit_set(edit, OPENAI_ENVELOPE_STREAM_OPTIONS, STR("{\"include_usage\":true}"));
  else if (want->ask_usage)
    envelope_edit_set(edit, OPENAI_ENVELOPE_INCLUDE_USAGE, STR("true"));
  enum err e = want->max_tokens ? edit_limit(a, want, edit) : OK;
  return e ? e : envelope_read_edit(a, want->model, OPENAI_ENVELOPE_MODEL, OPENAI_ENVELOPE_MAESTRO, edit);
}
