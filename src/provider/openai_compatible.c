/* OpenAI chat completions at a base URL: see openai_compatible.h. Wire format: OpenAI API reference, chat completions,
 * models and error objects (read 2026-11); the variants of error bodies are those seen at vLLM, Ollama and OpenRouter.
 */
#include "provider/openai_compatible.h"

#include <stdio.h>
#include <yyjson.h>

static enum err add_header(struct http_header *v, size_t *n, struct str name, struct str value, struct err_info *info) {
  if (!http_header_value_is_safe(value))
    return err_set(info, ERR_BAD_VALUE, "the value of header \"%.*s\" has control characters", STR_ARG(name));
  v[(*n)++] = (struct http_header){name, value};
  return OK;
}

static bool is_reserved_header(struct str name) {
  static const struct str reserved[] = {STR("host"),       STR("content-length"),  STR("transfer-encoding"),
                                        STR("connection"), STR("accept-encoding"), STR("expect"),
                                        STR("te"),         STR("upgrade")};
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (str_eq_nocase(name, reserved[i])) return true;
  return false;
}

/* What providers ask their callers to send about themselves: attribution on OpenRouter's rankings. */
static const struct http_header openrouter_headers[] = {{STR("X-Title"), STR("Maestro")}};

static enum err build_headers(struct arena *a, const struct provider_spec *spec, const struct provider_preset *preset,
                              struct provider *p, struct err_info *info) {
  struct http_header *v = ARENA_NEW_ARRAY(a, struct http_header, spec->headers.n + 4);
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  v[n++] = (struct http_header){STR("Content-Type"), STR("application/json")};
  v[n++] = (struct http_header){STR("User-Agent"), STR("maestro/" MAESTRO_VERSION)};
  enum err e = OK;
  if (p->secret.n && preset && preset->auth == PROVIDER_AUTH_API_KEY) {
    e = add_header(v, &n, STR("api-key"), p->secret, info);
  } else if (p->secret.n) {
    struct str bearer = arena_printf(a, "Bearer %.*s", STR_ARG(p->secret));
    if (!bearer.p) return ERR_NO_MEMORY;
    e = add_header(v, &n, STR("Authorization"), bearer, info);
  }
  if (!e && preset && str_eq(preset->name, STR("openrouter"))) v[n++] = openrouter_headers[0];
  for (size_t i = 0; !e && i < spec->headers.n; i++) {
    struct http_header h = {arena_dup(a, spec->headers.v[i].name), arena_dup(a, spec->headers.v[i].value)};
    if (!h.name.p || !h.value.p) return ERR_NO_MEMORY;
    if (is_reserved_header(h.name))
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

/* A short word for machines: kept only when it is one. */
static void keep_word(yyjson_val *v, char *out, size_t max) {
  struct str s = json_str(v);
  if (s.n == 0 || s.n >= max) return;
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f) return;
  memcpy(out, s.p, s.n);
  out[s.n] = 0;
}

/* The message wherever this family of servers puts it: error.message, error as text, message, detail. */
static struct str find_message(yyjson_val *root, yyjson_val *error) {
  yyjson_val *const places[] = {yyjson_obj_get(error, "message"), error, yyjson_obj_get(root, "message"),
                                yyjson_obj_get(root, "detail")};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (json_str(places[i]).n) return json_str(places[i]);
  return STR_NONE;
}

enum { MESSAGE_MAX = 500 }; /* bytes of an upstream's own words that a caller sees */

static void describe(const struct provider *p, int status, struct str message, struct err_info *info) {
  char clean[MESSAGE_MAX + 1];
  provider_sanitise(p, message, clean, sizeof clean);
  if (clean[0])
    err_set(info, OK, "%.*s: %s", STR_ARG(p->id), clean);
  else
    err_set(info, OK, "%.*s answered with status %d and no message", STR_ARG(p->id), status);
}

static enum err classify_failure(const struct provider *p, int status, struct http_headers headers, struct str body,
                                 struct err_info *info) {
  *info = (struct err_info){.http_status = status, .retry_after_ms = provider_retry_after_ms(headers, clock_wall_us())};
  yyjson_doc *doc = body.n ? yyjson_read(body.p, body.n, 0) : NULL;
  yyjson_val *root = yyjson_doc_get_root(doc), *error = yyjson_obj_get(root, "error");
  if (yyjson_is_arr(root)) root = yyjson_arr_get_first(root), error = yyjson_obj_get(root, "error");
  describe(p, status, find_message(root, error), info);
  keep_word(yyjson_obj_get(error, "code"), info->code, sizeof info->code);
  keep_word(yyjson_obj_get(error, "type"), info->type, sizeof info->type);
  keep_word(yyjson_obj_get(error, "param"), info->param, sizeof info->param);
  yyjson_doc_free(doc);
  if (status == 401 || status == 403) {
    char own[ERR_TEXT_MAX];
    snprintf(own, sizeof own, "%s", info->text);
    err_set(info, OK, "the provider \"%.*s\" refused Maestro's credential for it: %.500s", STR_ARG(p->id), own);
  }
  return ERR_UPSTREAM_STATUS;
}

enum { CATALOG_MODELS_MAX = 4096 };

static enum err parse_catalog(struct arena *a, struct str body, struct str **ids, size_t *count,
                              struct err_info *info) {
  yyjson_doc *doc = yyjson_read(body.p, body.n, 0);
  yyjson_val *root = yyjson_doc_get_root(doc), *data = yyjson_is_arr(root) ? root : yyjson_obj_get(root, "data");
  enum err e = OK;
  if (!yyjson_is_arr(data)) {
    e = err_set(info, ERR_UPSTREAM_PROTOCOL, "the model list is not an OpenAI list");
    goto out;
  }
  struct str *v = ARENA_NEW_ARRAY(a, struct str, yyjson_arr_size(data));
  size_t n = 0, i, max;
  yyjson_val *row;
  if (!v) e = ERR_NO_MEMORY;
  yyjson_arr_foreach(data, i, max, row) {
    struct str id = json_str(yyjson_obj_get(row, "id"));
    if (e || id.n == 0 || id.n > 256 || n == CATALOG_MODELS_MAX || !http_header_value_is_safe(id)) continue;
    v[n] = arena_dup(a, id);
    if (!v[n++].p) e = ERR_NO_MEMORY;
  }
  if (!e) *ids = v, *count = n;
out:
  yyjson_doc_free(doc);
  return e;
}

const struct provider_type provider_openai_compatible = {
    .name = STR("openai-compatible"),
    .dialect = STR("openai_chat"),
    .init = init,
    .classify_failure = classify_failure,
    .parse_catalog = parse_catalog,
};
