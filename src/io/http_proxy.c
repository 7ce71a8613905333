/* Which proxy the environment names for an origin: see http_proxy.h. */
#include "io/http_proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>

static struct str variable(const char *lower, const char *upper) {
  const char *value = getenv(lower);
  if (!value || !*value) value = getenv(upper);
  return str_trim(str_from_c(value));
}

static const struct {
  struct str prefix, scheme; /* as given; as curl is told */
  uint16_t port;
  bool is_http;
} schemes[] = {{STR("http://"), STR("http://"), 80, true},
               {STR("https://"), STR("https://"), 443, true},
               {STR("socks5://"), STR("socks5h://"), 1080, false},
               {STR("socks5h://"), STR("socks5h://"), 1080, false},
               {STR("socks4a://"), STR("socks4a://"), 1080, false}};

static bool parse_proxy(struct arena *a, struct str value, struct http_proxy *out) {
  size_t row = 0;
  struct str rest = value;
  if (str_find(value, STR("://")) != SIZE_MAX) {
    while (row < sizeof schemes / sizeof *schemes && !str_has_prefix_nocase(value, schemes[row].prefix)) row++;
    if (row == sizeof schemes / sizeof *schemes) return false;
    rest = str_sub(value, schemes[row].prefix.n, value.n);
  }
  rest = str_sub(rest, 0, str_find_char(rest, '/'));
  size_t at = str_rfind_char(rest, '@');
  struct str user = at == SIZE_MAX ? STR_NONE : str_sub(rest, 0, at + 1);
  struct str authority = at == SIZE_MAX ? rest : str_sub(rest, at + 1, rest.n);
  for (size_t i = 0; i < rest.n; i++)
    if (rest.p[i] <= ' ' || rest.p[i] >= 0x7f) return false;
  /* The origin's parser knows hosts and ports already. */
  struct http_origin o;
  struct str url = arena_printf(a, "http://%.*s", STR_ARG(authority));
  if (!url.p || http_origin_parse(a, url, true, &o, NULL)) return false;
  bool has_port = str_has_suffix(authority, STR(":80")) || o.port != 80;
  out->host = o.host;
  out->is_ip = o.is_ip;
  out->is_http = schemes[row].is_http;
  out->port = has_port ? o.port : schemes[row].port;
  bool in_brackets = str_find_char(o.host, ':') != SIZE_MAX;
  out->url = arena_printf(a, "%s%.*s%s%s%s:%u", schemes[row].scheme.p, STR_ARG(user), in_brackets ? "[" : "", o.host.p,
                          in_brackets ? "]" : "", (unsigned)out->port);
  return out->url.p != NULL;
}

enum err http_proxy_env_read(struct http_proxy_env *out, struct arena *a, struct err_info *info) {
  struct http_proxy_env env = {0};
  struct str http = variable("http_proxy", "HTTP_PROXY"), https = variable("https_proxy", "HTTPS_PROXY");
  struct str all = variable("all_proxy", "ALL_PROXY");
  if (!http.n) http = all;
  if (!https.n) https = all;
  if (http.n && !parse_proxy(a, http, &env.for_http))
    return err_set(info, ERR_BAD_CONFIG, "the proxy for http in the environment is not usable");
  if (https.n && !parse_proxy(a, https, &env.for_https))
    return err_set(info, ERR_BAD_CONFIG, "the proxy for https in the environment is not usable");
  env.exceptions = arena_dup(a, variable("no_proxy", "NO_PROXY"));
  if (!env.exceptions.p) return ERR_NO_MEMORY;
  *out = env;
  return OK;
}

/* host and entry are both numeric; entry may have "/bits". */
static bool address_matches(struct str entry, struct str host) {
  char text[64];
  unsigned char want[16], got[16];
  struct str address, bits_text;
  uint64_t bits;
  bool has_bits = str_cut(entry, '/', &address, &bits_text);
  if (address.n && address.p[0] == '[' && address.p[address.n - 1] == ']') address = str_sub(address, 1, address.n - 1);
  if (address.n >= sizeof text || host.n >= sizeof text) return false;
  memcpy(text, address.p, address.n);
  text[address.n] = 0;
  int family = memchr(text, ':', address.n) ? AF_INET6 : AF_INET;
  if (inet_pton(family, text, want) != 1) return false;
  memcpy(text, host.p, host.n);
  text[host.n] = 0;
  if (inet_pton(family, text, got) != 1) return false;
  unsigned size = family == AF_INET6 ? 128 : 32;
  bits = size;
  if (has_bits && (!str_to_u64(bits_text, &bits) || bits > size)) return false;
  if (memcmp(want, got, bits / 8) != 0) return false;
  unsigned mask = bits % 8 ? 0xff00u >> (bits % 8) & 0xffu : 0;
  return !mask || (want[bits / 8] & mask) == (got[bits / 8] & mask);
}

static bool entry_matches(struct str entry, struct str host, bool is_ip) {
  if (str_eq(entry, STR("*"))) return true;
  if (is_ip) return entry.n && address_matches(entry, host);
  while (entry.n && entry.p[0] == '.') entry = str_sub(entry, 1, entry.n);
  if (entry.n == 0 || host.n < entry.n) return false;
  struct str tail = str_sub(host, host.n - entry.n, host.n);
  return str_eq_nocase(tail, entry) && (host.n == entry.n || host.p[host.n - entry.n - 1] == '.');
}

bool http_proxy_is_excepted(struct str exceptions, struct str host, bool is_ip) {
  for (size_t i = 0; i < exceptions.n;) {
    size_t from = i;
    while (i < exceptions.n && exceptions.p[i] != ',' && exceptions.p[i] != ' ') i++;
    if (i > from && entry_matches(str_sub(exceptions, from, i), host, is_ip)) return true;
    i++;
  }
  return false;
}

const struct http_proxy *http_proxy_for(const struct http_proxy_env *env, const struct http_origin *origin) {
  const struct http_proxy *proxy = origin->is_tls ? &env->for_https : &env->for_http;
  if (proxy->url.n == 0 || http_proxy_is_excepted(env->exceptions, origin->host, origin->is_ip)) return NULL;
  /* A proxy elsewhere would look for the service on its own machine. */
  bool is_here = origin->is_ip ? http_proxy_is_excepted(STR("127.0.0.0/8,::1"), origin->host, true)
                               : http_proxy_is_excepted(STR("localhost"), origin->host, false);
  return is_here ? NULL : proxy;
}
