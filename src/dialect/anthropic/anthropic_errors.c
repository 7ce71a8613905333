/* Anthropic Messages, errors and model lists. Clients decide by status, by the error's type, and for a full context by
 * its text, which has to begin as the vendor's does ("prompt is too long: N tokens > M maximum"). */
#include <stdio.h>

#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"

static const char *const error_types[] = {
    "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
    "request_too_large",     "rate_limit_error",     "timeout_error", "api_error",        "overloaded_error",
    "conflict_error",
};

/* The vendor's word for the family of an error, by status. */
static const char *type_of_status(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 409: return "conflict_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503:
    case 529: return "overloaded_error";
    case 408:
    case 504: return "timeout_error";
    default: return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

static const char *error_type(enum err e, const struct err_info *info) {
  for (size_t i = 0; info && info->type[0] && i < sizeof error_types / sizeof *error_types; i++)
    if (strcmp(error_types[i], info->type) == 0) return error_types[i];
  return type_of_status(err_info_status(e, info));
}

/* The first whole number in text behind `words`; 0: none. */
static uint64_t number_behind(struct str text, struct str words) {
  uint64_t v = 0;
  size_t at = str_find(text, words), end;
  if (at == SIZE_MAX) return 0;
  for (at += words.n; at < text.n && (text.p[at] < '0' || text.p[at] > '9'); at++)
    if (text.p[at] == '.') return 0;
  for (end = at; end < text.n && text.p[end] >= '0' && text.p[end] <= '9'; end++) continue;
  return str_to_u64(str_sub(text, at, end), &v) ? v : 0;
}

static const struct str too_long = STR("prompt is too long");

static uint64_t first_number(struct str text, const struct str *words, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n && !v; i++) v = number_behind(text, words[i]);
  return v;
}

/* Another vendor's words for a full context: OpenAI's and Gemini's tell both numbers. */
static void put_too_long(struct buf *message, struct str text) {
  static const struct str limits[] = {STR("maximum context length is"), STR("maximum number of tokens allowed")};
  static const struct str sizes[] = {STR("resulted in"), STR("requested"), STR("input token count")};
  uint64_t most = first_number(text, limits, sizeof limits / sizeof *limits);
  uint64_t asked = first_number(text, sizes, sizeof sizes / sizeof *sizes);
  buf_put(message, too_long);
  if (most && asked > most)
    buf_printf(message, ": %llu tokens > %llu maximum", (unsigned long long)asked, (unsigned long long)most);
  else if (text.n)
    buf_printf(message, ": %.*s", STR_ARG(text));
}

static void put_message(struct buf *out, enum err e, const struct err_info *info) {
  struct str text = str_from_c(err_info_text(e, info));
  struct buf message;
  size_t at = str_find(text, too_long);
  buf_init(&message, 0);
  if (at != SIZE_MAX) { /* without the provider's name in front */
    buf_put(&message, str_sub(text, at, text.n));
  } else if (strcmp(err_info_code(e, info), "context_length_exceeded") == 0) {
    put_too_long(&message, text);
  } else {
    dialect_put_error_text(&message, e, info);
  }
  json_out_member_string(out, "message", buf_str(&message));
  buf_clear(&message);
}

void anthropic_put_error(struct buf *out, enum err e, const struct err_info *info) {
  buf_put_char(out, '{');
  json_out_member_string(out, "type", STR("error"));
  json_out_key(out, "error");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", str_from_c(error_type(e, info)));
  put_message(out, e, info);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

void anthropic_put_stream_error(struct buf *out, enum err e, const struct err_info *info) {
  buf_put(out, STR("event: error\ndata: "));
  anthropic_put_error(out, e, info);
  buf_put(out, STR("\n\n"));
}

/* ---- models ---- */

static void put_count_if(struct buf *out, const char *key, int64_t tokens) {
  if (tokens >= 0) json_out_member_i64(out, key, tokens);
}

void anthropic_put_model(struct buf *out, const struct dialect_model *m) {
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("model"));
  json_out_member_string(out, "id", m->id);
  json_out_member_string(out, "display_name", m->id);
  json_out_member_string(out, "created_at", STR("1970-01-01T00:00:00Z")); /* the vendor's way to say: unknown */
  put_count_if(out, "max_input_tokens", m->prompt_tokens >= 0 ? m->prompt_tokens : m->context_tokens);
  put_count_if(out, "max_tokens", m->output_tokens);
  if (m->extra.n) {
    buf_put_char(out, ',');
    buf_put(out, m->extra);
  }
  json_out_end(out, '}');
}

static void put_id(struct buf *out, const char *key, const struct dialect_model *m) {
  json_out_key(out, key);
  if (m)
    json_out_string(out, m->id);
  else
    json_out_raw(out, STR("null"));
}

void anthropic_put_model_list(struct buf *out, const struct dialect_model *models, size_t count) {
  json_out_begin(out, '{');
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (size_t i = 0; i < count; i++) anthropic_put_model(out, &models[i]);
  json_out_end(out, ']');
  json_out_member_bool(out, "has_more", false);
  put_id(out, "first_id", count ? &models[0] : NULL);
  put_id(out, "last_id", count ? &models[count - 1] : NULL);
  json_out_end(out, '}');
}
