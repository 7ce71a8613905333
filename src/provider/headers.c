/* The headers that every request to a provider carries, built once: see provider.h. */
#include "provider/provider.h"

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

/* None where requests are signed one by one (sign.c). */
static enum err add_credential(struct arena *a, struct http_header *v, size_t *n, bool as_api_key,
                               const struct provider *p, struct err_info *info) {
  if (!p->secret.n || p->aws.access_key_id.n) return OK;
  if (as_api_key) return add_header(v, n, STR("api-key"), p->secret, info);
  struct str value = provider_keep_secret(a, p->type->key_prefix, p->secret);
  return value.p ? add_header(v, n, p->type->key_header, value, info) : ERR_NO_MEMORY;
}

enum { OWN_HEADERS = 5 };

enum err provider_build_headers(struct arena *a, const struct provider_spec *spec, const struct provider_preset *preset,
                                struct provider *p, struct err_info *info) {
  struct http_header *v = ARENA_NEW_ARRAY(a, struct http_header, spec->headers.n + OWN_HEADERS);
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  v[n++] = (struct http_header){STR("Content-Type"), STR("application/json")};
  v[n++] = (struct http_header){STR("User-Agent"), STR("maestro/" MAESTRO_VERSION)};
  if (preset && preset->title_header.n) v[n++] = (struct http_header){preset->title_header, STR("Maestro")};
  if (p->type->header.name.n) v[n++] = p->type->header;
  enum err e = add_credential(a, v, &n, preset && preset->auth == PROVIDER_AUTH_API_KEY, p, info);
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
