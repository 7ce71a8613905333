/* What a failed reply says, whoever wrote it: see provider.h. Shapes: OpenAI, Anthropic, Gemini and Bedrock API
 * references (read 2026-11); the variants are those seen at vLLM, Ollama and OpenRouter. */
#include <stdio.h>
#include <yyjson.h>

#include "provider/provider.h"

static struct str json_str(yyjson_val *v) {
  return yyjson_is_str(v) ? str_from(yyjson_get_str(v), yyjson_get_len(v)) : STR_NONE;
}

static bool is_digits(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < '0' || s.p[i] > '9') return false;
  return s.n > 0;
}

/* A short word for machines: kept only when it is one and the sanitiser finds nothing in it. */
static void keep_word(const struct provider *p, yyjson_val *v, char *out, size_t max) {
  char clean[ERR_PARAM_MAX];
  struct str s = json_str(v);
  if (s.n == 0 || s.n >= max || s.n >= sizeof clean || is_digits(s)) return;
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f) return;
  provider_sanitise(p, s, clean, sizeof clean);
  if (!str_eq(str_from_c(clean), s)) return;
  memcpy(out, s.p, s.n);
  out[s.n] = 0;
}

/* The message wherever this family of servers puts it: error.message, error as text, message, detail as text or as a
 * list of faults (FastAPI). */
static struct str find_message(yyjson_val *root, yyjson_val *error) {
  yyjson_val *detail = yyjson_obj_get(root, "detail");
  yyjson_val *const places[] = {yyjson_obj_get(error, "message"), error, yyjson_obj_get(root, "message"), detail,
                                yyjson_obj_get(yyjson_arr_get_first(detail), "msg")};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (json_str(places[i]).n) return json_str(places[i]);
  return STR_NONE;
}

enum {
  MESSAGE_MAX = 500,            /* bytes of an upstream's own words that a caller sees */
  FAILURE_BODY_MAX = 256 * 1024 /* a larger body is not worth its tree */
};

static void describe(const struct provider *p, int status, struct str message, struct err_info *info) {
  char clean[MESSAGE_MAX + 1];
  provider_sanitise(p, message, clean, sizeof clean);
  if (status == 401 || status == 403) /* or a caller would think that it is its own key */
    err_set(info, OK, "the provider \"%.*s\" refused Maestro's credential for it%s%s", STR_ARG(p->id),
            clean[0] ? ": " : "", clean);
  else if (clean[0])
    err_set(info, OK, "%.*s: %s", STR_ARG(p->id), clean);
  else
    err_set(info, OK, "%.*s answered with status %d and no message", STR_ARG(p->id), status);
}

/* The HTTP status that a body names as its `code`, as a number or as digits; else 502. */
static int status_within(yyjson_val *code) {
  uint64_t status = yyjson_get_uint(code);
  if (!str_to_u64(json_str(code), &status) && !yyjson_is_uint(code)) return 502;
  return status >= 400 && status < 600 ? (int)status : 502;
}

/* What the vendors call their failures, where no HTTP status says it: Anthropic's error types, OpenAI's types and
 * codes, Bedrock's exceptions. */
static int status_of_word(struct str word) {
  static const struct {
    struct str word;
    int status;
  } rows[] = {
      {STR("invalid_request_error"), 400},
      {STR("authentication_error"), 401},
      {STR("billing_error"), 402},
      {STR("permission_error"), 403},
      {STR("not_found_error"), 404},
      {STR("request_too_large"), 413},
      {STR("rate_limit_error"), 429},
      {STR("api_error"), 500},
      {STR("timeout_error"), 504},
      {STR("overloaded_error"), 529},
      {STR("rate_limit_exceeded"), 429},
      {STR("insufficient_quota"), 429},

      {STR("context_length_exceeded"), 400},
      {STR("validationException"), 400},
      {STR("accessDeniedException"), 403},
      {STR("throttlingException"), 429},
      {STR("internalServerException"), 500},
      {STR("serviceUnavailableException"), 503},
      {STR("modelStreamErrorException"), 502},
      {STR("modelTimeoutException"), 504},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (str_eq(rows[i].word, word)) return rows[i].status;
  return 0;
}

/* The status of a failure that came with a good one: what its members say, else 502. */
static int status_of(yyjson_val *root, yyjson_val *at) {
  int status = status_within(yyjson_obj_get(at, "code"));
  const char *const members[] = {"type", "code"};
  for (size_t i = 0; status == 502 && i < sizeof members / sizeof *members; i++) {
    int named = status_of_word(json_str(yyjson_obj_get(at, members[i])));
    if (named) return named;
  }
  int named = status_of_word(json_str(yyjson_obj_get(root, "__type")));
  return named ? named : status;
}

/* How vendors say that the prompt does not fit; clients compact their history when they are told so in their own API's
 * words. Sources: error references and messages of OpenAI, Anthropic, Gemini, Bedrock, vLLM and llama.cpp (read
 * 2026-11).
 */
static bool is_about_context(int status, const char *text) {
  static const char *const phrases[] = {"prompt is too long",
                                        "maximum context length",
                                        "context_length_exceeded",
                                        "exceeds the maximum number of tokens",
                                        "exceed context limit",
                                        "exceeds the context window",
                                        "exceeds the context length",
                                        "exceeds the available context size",
                                        "Input is too long for requested model"};
  if (status != 400 && status != 413) return false;
  for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
    if (strstr(text, phrases[i])) return true;
  return false;
}

/* The failure itself: the body's `error`, that of a failed response (Responses), or the body. */
static yyjson_val *find_error(yyjson_val *root) {
  yyjson_val *error = yyjson_obj_get(root, "error");
  if (yyjson_is_obj(error) || yyjson_is_str(error)) return error;
  return yyjson_obj_get(yyjson_obj_get(root, "response"), "error");
}

/* A code where the provider gave none, for what clients act on. */
static void put_code(struct err_info *info) {
  if (is_about_context(info->http_status, info->text))
    snprintf(info->code, sizeof info->code, "context_length_exceeded");
  else if (info->http_status == 429 && !info->code[0])
    snprintf(info->code, sizeof info->code, "rate_limit_exceeded");
}

enum err provider_classify_failure(const struct provider *p, int status, struct http_headers headers, struct str body,
                                   struct err_info *info) {
  *info = (struct err_info){.retry_after_ms = provider_retry_after_ms(headers, clock_wall_us())};
  yyjson_doc *doc = body.n && body.n <= FAILURE_BODY_MAX ? yyjson_read(body.p, body.n, 0) : NULL;
  yyjson_val *root = yyjson_doc_get_root(doc);
  if (yyjson_is_arr(root)) root = yyjson_arr_get_first(root);
  yyjson_val *error = find_error(root), *at = yyjson_is_obj(error) ? error : root;
  bool is_event = at == root && str_eq(json_str(yyjson_obj_get(at, "type")), STR("error"));
  info->http_status = status ? status : status_of(root, at);
  describe(p, info->http_status, find_message(root, error), info);
  keep_word(p, yyjson_obj_get(at, "code"), info->code, sizeof info->code);
  if (!is_event) keep_word(p, yyjson_obj_get(at, "type"), info->type, sizeof info->type);
  keep_word(p, yyjson_obj_get(at, "param"), info->param, sizeof info->param);
  put_code(info);
  yyjson_doc_free(doc);
  return ERR_UPSTREAM_STATUS;
}
