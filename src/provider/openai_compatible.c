/* OpenAI chat completions at a base URL: see openai_compatible.h. Wire format: OpenAI API reference, chat completions,
 * models and error objects (read 2026-11); the variants of error bodies are those seen at vLLM, Ollama and OpenRouter.
 */
#include "provider/openai_compatible.h"

#include <yyjson.h>

#include "base/json.h"

/* Adds or replaces: what is configured overrules what the type or preset would send. */
static enum err add_header(struct http_header *v, size_t *n, struct str name, struct str value, struct err_info *info) {
  if (!http_client_is_header_name(name))
    return err_set_param(info, ERR_BAD_VALUE, "headers", "\"%.*s\" is no name of a header", STR_ARG(name));
  if (!http_header_value_is_safe(value))
    return err_set(info, ERR_BAD_VALUE, "the value of header \"%.*s\" has control characters", STR_ARG(name));
  size_t at = 0;
  while (at < *n && !str_eq_nocase(v[at].name, name)) at++;
  v[at] = (struct http_header){name, value};
  if (at == *n) ++*n;
  return OK;
}

static enum err add_credential(struct arena *a, struct http_header *v, size_t *n, bool as_api_key, struct str secret,
                               struct err_info *info) {
  if (!secret.n) return OK;
  if (as_api_key) return add_header(v, n, STR("api-key"), secret, info);
  struct str bearer = provider_keep_secret(a, STR("Bearer "), secret);
  return bearer.p ? add_header(v, n, STR("Authorization"), bearer, info) : ERR_NO_MEMORY;
}

enum { OWN_HEADERS = 4 };

static enum err build_headers(struct arena *a, const struct provider_spec *spec, const struct provider_preset *preset,
                              struct provider *p, struct err_info *info) {
  struct http_header *v = ARENA_NEW_ARRAY(a, struct http_header, spec->headers.n + OWN_HEADERS);
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  v[n++] = (struct http_header){STR("Content-Type"), STR("application/json")};
  v[n++] = (struct http_header){STR("User-Agent"), STR("maestro/" MAESTRO_VERSION)};
  /* What providers ask their callers to say about themselves: attribution on OpenRouter's rankings. */
  if (preset && str_eq(preset->name, STR("openrouter"))) v[n++] = (struct http_header){STR("X-Title"), STR("Maestro")};
  enum err e = add_credential(a, v, &n, preset && preset->auth == PROVIDER_AUTH_API_KEY, p->secret, info);
  for (size_t i = 0; !e && i < spec->headers.n; i++) {
    struct http_header h = {arena_dup(a, spec->headers.v[i].name),
                            provider_keep_secret(a, STR_NONE, spec->headers.v[i].value)};
    if (!h.name.p || !h.value.p) return ERR_NO_MEMORY;
    if (http_client_owns_header(h.name))
      return err_set_param(info, ERR_BAD_VALUE, "headers", "the header \"%.*s\" is the client's own", STR_ARG(h.name));
    e = add_header(v, &n, h.name, h.value, info);
  }
  p->headers = (struct http_headers){v, n};
  return e;
}

static enum err init(struct arena *a, const struct provider_spec *spec, const struct provider_preset *preset,
                     struct provider *p, struct err_info *info) {
  p->target[PROVIDER_CHAT] = arena_printf(a, "%.*s/chat/completions", STR_ARG(p->origin.base_path));
  p->target[PROVIDER_LIST_MODELS] = arena_printf(a, "%.*s/models", STR_ARG(p->origin.base_path));
  if (!p->target[PROVIDER_CHAT].p || !p->target[PROVIDER_LIST_MODELS].p) return ERR_NO_MEMORY;
  p->usage = spec->has_usage ? spec->usage : preset ? preset->usage : PROVIDER_USAGE_OPTION;
  return build_headers(a, spec, preset, p, info);
}

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

static enum err classify_failure(const struct provider *p, int status, struct http_headers headers, struct str body,
                                 struct err_info *info) {
  *info = (struct err_info){.retry_after_ms = provider_retry_after_ms(headers, clock_wall_us())};
  yyjson_doc *doc = body.n && body.n <= FAILURE_BODY_MAX ? yyjson_read(body.p, body.n, 0) : NULL;
  yyjson_val *root = yyjson_doc_get_root(doc);
  if (yyjson_is_arr(root)) root = yyjson_arr_get_first(root);
  yyjson_val *error = yyjson_obj_get(root, "error"), *at = yyjson_is_obj(error) ? error : root;
  info->http_status = status ? status : status_within(yyjson_obj_get(at, "code"));
  describe(p, info->http_status, find_message(root, error), info);
  keep_word(p, yyjson_obj_get(at, "code"), info->code, sizeof info->code);
  keep_word(p, yyjson_obj_get(at, "type"), info->type, sizeof info->type);
  keep_word(p, yyjson_obj_get(at, "param"), info->param, sizeof info->param);
  yyjson_doc_free(doc);
  return ERR_UPSTREAM_STATUS;
}

enum { CATALOG_MODELS_MAX = 4096, MODEL_ID_MAX = 256 };

/* An id goes into headers, logs and JSON, and comes back in requests: nothing invisible. */
static bool is_model_id(struct str id) {
  for (size_t i = 0; i < id.n; i++)
    if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f) return false;
  return id.n > 0 && id.n <= MODEL_ID_MAX && str_trim(id).n == id.n;
}

static enum err parse_catalog(struct arena *a, struct str body, struct str **ids, size_t *count,
                              struct err_info *info) {
  struct json doc;
  struct str *v = NULL, id;
  size_t n = 0;
  struct json_node root = {0}, data = {0}, row, member;
  if (json_parse_copy(&doc, body, NULL, a, NULL) == OK) {
    root = json_root(&doc);
    data = json_type(&root) == JSON_ARRAY ? root : json_member(&root, STR("data"));
  }
  if (json_type(&data) != JSON_ARRAY)
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the model list is not an OpenAI list");
  size_t most = json_count(&data) < CATALOG_MODELS_MAX ? json_count(&data) : CATALOG_MODELS_MAX;
  if (!(v = ARENA_NEW_ARRAY(a, struct str, most + 1))) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&data); n < most && json_next(&it, &row);) {
    member = json_member(&row, STR("id"));
    if (json_string(&member, &id, NULL) == OK && is_model_id(id)) v[n++] = id;
  }
  *ids = v;
  *count = n;
  return OK;
}

const struct provider_type provider_openai_compatible = {
    .dialect = STR("openai_chat"),
    .init = init,
    .classify_failure = classify_failure,
    .parse_catalog = parse_catalog,
};
