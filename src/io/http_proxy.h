/* Which proxy the environment names for an origin (http_client_options.use_proxy_env). Read once when a client is made;
 * pure afterwards. The proxy's user and password are secrets: they live in `url` and are never put into texts. */
#ifndef MAESTRO_IO_HTTP_PROXY_H
#define MAESTRO_IO_HTTP_PROXY_H

#include "base/arena.h"
#include "io/http_client.h"

struct http_proxy {
  struct str url;  /* "http://user:password@host:port", as curl takes it, NUL-terminated; empty: none */
  struct str host; /* without brackets, NUL-terminated */
  uint16_t port;
  bool is_ip, is_http; /* is_http: speaks HTTP to us, else SOCKS (names are resolved by the proxy) */
};

struct http_proxy_env {
  struct http_proxy for_http, for_https;
  struct str exceptions; /* NO_PROXY */
};

/* Lower case wins over upper case; ALL_PROXY stands in for a missing one. ERR_BAD_CONFIG for a malformed value, which
 * the text does not repeat. Memory from `a`. */
enum err http_proxy_env_read(struct http_proxy_env *out, struct arena *a, struct err_info *info) MUST_CHECK;
/* NULL: go directly, as everything on this machine does. */
const struct http_proxy *http_proxy_for(const struct http_proxy_env *env, const struct http_origin *origin);
/* "a.b, .c.d 10.0.0.0/8 *": a name matches itself and everything below it; addresses match exactly or by prefix. */
bool http_proxy_is_excepted(struct str exceptions, struct str host, bool is_ip);

#endif
