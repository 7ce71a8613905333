/* Gemini's errors and model lists. The envelope is google.rpc.Status as JSON: code is the HTTP status, status a word by
 * which clients decide, details are typed. Source: Gemini API reference and google.rpc error details (read 2026-11);
 * Gemini CLI shows an error only with code, message and status. */
#include "base/json_out.h"
#include "dialect/gemini/gemini_internal.h"

static const struct {
  int http;
  const char *status;
} statuses[] = {
    {400, "INVALID_ARGUMENT"},    {401, "UNAUTHENTICATED"},    {402, "RESOURCE_EXHAUSTED"}, {403, "PERMISSION_DENIED"},
    {404, "NOT_FOUND"},           {405, "UNIMPLEMENTED"},      {408, "DEADLINE_EXCEEDED"},  {409, "ABORTED"},
    {412, "FAILED_PRECONDITION"}, {429, "RESOURCE_EXHAUSTED"}, {499, "CANCELLED"},          {500, "INTERNAL"},
    {501, "UNIMPLEMENTED"},       {502, "UNAVAILABLE"},        {503, "UNAVAILABLE"},        {504, "DEADLINE_EXCEEDED"},
    {529, "UNAVAILABLE"},
};

/* An upstream's own word is kept where it is one of this vendor's. */
static const char *status_of(int http, const struct err_info *info) {
  for (size_t i = 0; info && info->type[0] && i < sizeof statuses / sizeof *statuses; i++)
    if (str_eq(str_from_c(statuses[i].status), str_from_c(info->type))) return statuses[i].status;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    if (statuses[i].http == http) return statuses[i].status;
  return http >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
}

static void begin_detail(struct buf *out, const char *type) {
  json_out_begin(out, '{');
  json_out_key(out, "@type");
  buf_put(out, STR("\"type.googleapis.com/google.rpc."));
  buf_put(out, str_from_c(type));
  buf_put_char(out, '"');
}

static void put_details(struct buf *out, enum err e, const struct err_info *info) {
  json_out_key(out, "details");
  json_out_begin(out, '[');
  begin_detail(out, "ErrorInfo");
  json_out_member_string(out, "reason", str_from_c(err_info_code(e, info)));
  json_out_member_string(out, "domain", STR("maestro"));
  json_out_end(out, '}');
  if (info && info->param[0]) {
    begin_detail(out, "BadRequest");
    json_out_key(out, "fieldViolations");
    json_out_begin(out, '[');
    json_out_begin(out, '{');
    json_out_member_string(out, "field", str_from_c(info->param));
    json_out_member_string(out, "description", str_from_c(err_info_text(e, info)));
    json_out_end(out, '}');
    json_out_end(out, ']');
    json_out_end(out, '}');
  }
  if (info && info->retry_after_ms > 0) {
    begin_detail(out, "RetryInfo");
    json_out_key(out, "retryDelay");
    buf_printf(out, "\"%lld.%03llds\"", (long long)(info->retry_after_ms / 1000),
               (long long)(info->retry_after_ms % 1000));
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
}

/* Clients look for the vendor's words to know that the context is full. */
static void put_message(struct buf *out, enum err e, const struct err_info *info) {
  static const struct str words = STR("The input token count exceeds the maximum number of tokens allowed");
  struct str text = str_from_c(err_info_text(e, info));
  bool is_context = str_eq(str_from_c(err_info_code(e, info)), STR("context_length_exceeded"));
  struct buf whole;
  buf_init(&whole, 0);
  if (is_context && str_find(text, STR("input token count")) == SIZE_MAX) {
    buf_put(&whole, words);
    buf_put(&whole, STR(": "));
  }
  buf_put(&whole, text);
  json_out_member_string(out, "message", buf_str(&whole));
  buf_clear(&whole);
}

void gemini_error_put(struct buf *out, enum err e, const struct err_info *info) {
  int http = err_info_status(e, info);
  buf_put(out, STR("{\"error\":{\"code\":"));
  buf_put_i64(out, http);
  put_message(out, e, info);
  json_out_member_string(out, "status", str_from_c(status_of(http, info)));
  put_details(out, e, info);
  buf_put(out, STR("}}"));
}

void gemini_error_put_stream(struct buf *out, enum err e, const struct err_info *info) {
  buf_put(out, STR("data: "));
  gemini_error_put(out, e, info);
  buf_put(out, STR("\r\n\r\n"));
}

void gemini_error_put_array(struct buf *out, enum err e, const struct err_info *info) {
  buf_put(out, STR(",\r\n"));
  gemini_error_put(out, e, info);
  buf_put(out, STR("\n]\n"));
}

/* ---- models ---- */

static void put_count(struct buf *out, const char *key, int64_t count) {
  if (count >= 0) json_out_member_i64(out, key, count);
}

void gemini_error_put_model(struct buf *out, const struct dialect_model *m) {
  bool is_named = str_has_prefix(m->id, STR("models/"));
  struct buf name;
  buf_init(&name, 0);
  if (!is_named) buf_put(&name, STR("models/"));
  buf_put(&name, m->id);
  json_out_begin(out, '{');
  json_out_member_string(out, "name", buf_str(&name));
  json_out_member_string(out, "displayName", m->id);
  put_count(out, "inputTokenLimit", m->prompt_tokens >= 0 ? m->prompt_tokens : m->context_tokens);
  put_count(out, "outputTokenLimit", m->output_tokens);
  json_out_key(out, "supportedGenerationMethods");
  buf_put(out, STR("[\"generateContent\",\"streamGenerateContent\",\"countTokens\"]"));
  if (m->has_reasoning) json_out_member_bool(out, "thinking", true);
  if (m->extra.n) {
    buf_put_char(out, ',');
    buf_put(out, m->extra);
  }
  json_out_end(out, '}');
  if (name.failed) out->failed = true;
  buf_clear(&name);
}

void gemini_error_put_model_list(struct buf *out, const struct dialect_model *models, size_t count) {
  buf_put(out, STR("{\"models\":["));
  for (size_t i = 0; i < count; i++) gemini_error_put_model(out, &models[i]);
  buf_put(out, STR("]}"));
}
