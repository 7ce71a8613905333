/* Providers whose requests are signed, each as it stands, in place of carrying a key: see provider.h. Called for every
 * attempt behind everything else that makes the request; without a credential of that kind it costs one comparison. */
#include "provider/provider.h"

static bool is_own(const struct http_header *own, size_t n, struct str name) {
  for (size_t i = 0; i < n; i++)
    if (str_eq_nocase(own[i].name, name)) return true;
  return false;
}

enum err provider_sign(struct arena *a, const struct provider *p, int64_t wall_us, struct http_client_request *request,
                       struct err_info *info) {
  static const struct str scheme_end = STR("://");
  struct http_header own[SIGV4_HEADERS_MAX];
  size_t own_count, n = 0;
  if (!p->aws.access_key_id.n) return OK;
  const struct str url = request->origin->url;
  const struct sigv4_request r = {.method = http_method_name(request->method),
                                  .path = request->target,
                                  .host = str_sub(url, str_find(url, scheme_end) + scheme_end.n, url.n),
                                  .region = p->region,
                                  .service = STR("bedrock"),
                                  .body = request->body,
                                  .body_slices = request->body_slices,
                                  .time_s = wall_us / 1000000};
  enum err e = sigv4_sign(a, &p->aws, &r, own, &own_count, info);
  if (e) return e;
  struct http_header *v = ARENA_NEW_ARRAY(a, struct http_header, request->headers.n + own_count);
  if (!v) return ERR_NO_MEMORY;
  for (size_t i = 0; i < request->headers.n; i++)
    if (!is_own(own, own_count, request->headers.v[i].name)) v[n++] = request->headers.v[i];
  memcpy(v + n, own, own_count * sizeof *v);
  request->headers = (struct http_headers){v, n + own_count};
  return OK;
}
