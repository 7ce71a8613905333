/* The envelope of OpenAI's requests: see openai_envelope.h. */
#include "dialect/openai_envelope.h"

#include "dialect/envelope_read.h"

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
  if (!e) *out = r;
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
  return envelope_read_edit(a, want->model, OPENAI_ENVELOPE_MODEL, OPENAI_ENVELOPE_MAESTRO, edit);
}
