/* HTTP client, the part without sockets: dispatch to an implementation, the choice between them, origins, and the
 * checks that a request passes whoever sends it. See http_client.h. */
#include "io/http_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/http_proxy.h"

void http_client_free(struct http_client *c) {
  if (c) c->ops->free(c);
}

const struct http_client_stats *http_client_stats(const struct http_client *c) { return c->ops->stats(c); }

enum err http_call_start(struct http_client *c, const struct http_client_request *request, struct http_call **out,
                         struct err_info *info) {
  return c->ops->start(c, request, out, info);
}

const struct http_response *http_call_response(const struct http_call *call) { return call->ops->response(call); }

enum err http_call_read(struct http_call *call, struct str *piece, uint64_t deadline_us, struct err_info *info) {
  return call->ops->read(call, piece, deadline_us, info);
}

enum err http_call_read_all(struct http_call *call, struct buf *out, uint64_t deadline_us, struct err_info *info) {
  for (;;) {
    struct str piece;
    enum err e = http_call_read(call, &piece, deadline_us, info);
    if (e || piece.n == 0) return e;
    buf_put(out, piece);
    if (out->failed) return ERR_UPSTREAM_TOO_LARGE;
  }
}

void http_call_close(struct http_call *call) {
  if (call) call->ops->close(call);
}

static bool is_token_char(unsigned char c) {
  /* RFC 9110, 5.6.2 */
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_client_is_header_name(struct str name) {
  for (size_t i = 0; i < name.n; i++)
    if (!is_token_char((unsigned char)name.p[i])) return false;
  return name.n > 0;
}

bool http_client_owns_header(struct str name) {
  static const struct str own[] = {
      STR("host"),   STR("content-length"), STR("connection"),        STR("accept-encoding"),
      STR("expect"), STR("upgrade"),        STR("transfer-encoding"), STR("keep-alive"),
      STR("te"),     STR("trailer"),        STR("proxy-connection")};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (own[i].n == name.n && str_eq_nocase(own[i], name)) return true;
  return false;
}

enum err http_client_check_request(const struct http_client_request *request, struct err_info *info) {
  if (!request->origin || http_method_name(request->method).n == 0)
    return err_set(info, ERR_INTERNAL, "an upstream request lacks its method or origin");
  struct str target = request->target;
  if (target.n == 0 || target.p[0] != '/') return err_set(info, ERR_INTERNAL, "an upstream request lacks its target");
  for (size_t i = 0; i < target.n; i++)
    if (target.p[i] <= ' ' || target.p[i] >= 0x7f || target.p[i] == '#')
      return err_set(info, ERR_INTERNAL, "the target of an upstream request is not encoded");
  for (size_t i = 0; i < request->headers.n; i++) {
    struct http_header h = request->headers.v[i];
    if (!http_client_is_header_name(h.name) || !http_header_value_is_safe(h.value))
      return err_set(info, ERR_INTERNAL, "a header of an upstream request is not safe to send");
  }
  return OK;
}

uint64_t http_client_body_bytes(const struct http_client_request *request) {
  uint64_t n = 0;
  for (size_t i = 0; i < request->body_slices; i++) n += request->body[i].n;
  return n;
}

static enum err bad_url(struct err_info *info, const char *why) {
  return err_set(info, ERR_BAD_VALUE, "the base URL is not usable: %s", why);
}

/* "1.2.3" or "0x7f.1": getaddrinfo would take such names for addresses. */
static bool looks_like_ipv4(struct str host) {
  size_t dot = str_rfind_char(host, '.');
  struct str last = dot == SIZE_MAX ? host : str_sub(host, dot + 1, host.n);
  if (str_has_prefix_nocase(last, STR("0x"))) return true;
  for (size_t i = 0; i < last.n; i++)
    if (last.p[i] < '0' || last.p[i] > '9') return false;
  return last.n > 0;
}

/* Lower case, or the canonical form of an address, into `text`; NULL, or what is wrong. */
static const char *parse_host(struct str host, bool in_brackets, char text[256], bool *is_ip) {
  unsigned char address[16];
  *is_ip = true;
  if (host.n == 0) return "it has no host";
  if (host.n > 253) return "the host name is too long";
  for (size_t i = 0; i < host.n; i++) {
    char c = host.p[i];
    text[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
  }
  text[host.n] = 0;
  if (in_brackets) {
    if (strlen(text) != host.n || inet_pton(AF_INET6, text, address) != 1)
      return "the address in brackets is malformed";
    return inet_ntop(AF_INET6, address, text, 256) ? NULL : "the address in brackets is malformed";
  }
  if (strlen(text) == host.n && inet_pton(AF_INET, text, address) == 1) return NULL;
  *is_ip = false;
  if (looks_like_ipv4(str_from(text, host.n))) return "the IPv4 address is malformed";
  for (size_t i = 0; i < host.n; i++) {
    char c = text[i];
    bool edge = i == 0 || i + 1 == host.n || text[i - 1] == '.' || text[i + 1] == '.';
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((c == '-' || c == '.') && !edge) || c == '_'))
      return "the host name has a character that is not allowed";
  }
  return NULL;
}

static const char *parse_authority(struct str authority, struct str *host, struct str *port, bool *in_brackets) {
  *in_brackets = authority.n && authority.p[0] == '[';
  *port = STR_NONE;
  if (str_find_char(authority, '@') != SIZE_MAX) return "it holds a user name";
  if (!*in_brackets) {
    if (str_cut(authority, ':', host, port) && port->n == 0) return "the port is malformed";
    return NULL;
  }
  size_t end = str_find_char(authority, ']');
  if (end == SIZE_MAX) return "a bracket is not closed";
  *host = str_sub(authority, 1, end);
  struct str rest = str_sub(authority, end + 1, authority.n);
  if (rest.n && (rest.p[0] != ':' || rest.n == 1)) return "the port is malformed";
  *port = str_sub(rest, 1, rest.n);
  return NULL;
}

enum err http_origin_parse(struct arena *a, struct str base_url, bool allow_private, struct http_origin *out,
                           struct err_info *info) {
  struct http_origin o = {.allow_private = allow_private};
  struct str rest = base_url, authority, host, port;
  bool in_brackets;
  char text[256];
  if (base_url.n > 2048) return bad_url(info, "it is too long");
  for (size_t i = 0; i < rest.n; i++)
    if (rest.p[i] <= ' ' || rest.p[i] >= 0x7f) return bad_url(info, "it has a space or a character outside of ASCII");
  o.is_tls = str_has_prefix_nocase(rest, STR("https://"));
  if (!o.is_tls && !str_has_prefix_nocase(rest, STR("http://")))
    return bad_url(info, "it must begin with http:// or https://");
  rest = str_sub(rest, o.is_tls ? 8 : 7, rest.n);
  if (str_find_char(rest, '?') != SIZE_MAX || str_find_char(rest, '#') != SIZE_MAX)
    return bad_url(info, "it has a query or a fragment");
  size_t slash = str_find_char(rest, '/');
  authority = str_sub(rest, 0, slash);
  struct str path = slash == SIZE_MAX ? STR_NONE : str_sub(rest, slash, rest.n);
  while (path.n && path.p[path.n - 1] == '/') path.n--;
  const char *why = parse_authority(authority, &host, &port, &in_brackets);
  if (!why) why = parse_host(host, in_brackets, text, &o.is_ip);
  uint64_t number = o.is_tls ? 443 : 80;
  if (!why && port.n && (port.n > 5 || !str_to_u64(port, &number) || number == 0 || number > 65535))
    why = "the port is malformed";
  if (why) return bad_url(info, why);
  o.port = (uint16_t)number;
  char suffix[8] = "";
  if (o.port != (o.is_tls ? 443 : 80)) {
    snprintf(suffix, sizeof suffix, ":%u", (unsigned)o.port);
  }
  o.host = arena_dup(a, str_from_c(text));
  o.base_path = arena_dup(a, path);
  o.url = arena_printf(a, in_brackets ? "http%s://[%s]%s" : "http%s://%s%s", o.is_tls ? "s" : "", text, suffix);
  if (!o.host.p || !o.base_path.p || !o.url.p) return ERR_NO_MEMORY;
  o.id = str_hash(o.url, allow_private ? 2 : 1);
  *out = o;
  return OK;
}

/* ---- the choice: our own client, and curl for what goes through a proxy ---- */

struct choice {
  struct http_client base;
  struct http_client *direct, *proxied; /* proxied: NULL when the environment names no proxy */
  struct http_proxy_env env;
  struct arena arena;
  struct http_client_stats sum;
};

static enum err choice_start(struct http_client *base, const struct http_client_request *request,
                             struct http_call **out, struct err_info *info) {
  struct choice *c = (struct choice *)base;
  bool is_proxied = c->proxied && request->origin && http_proxy_for(&c->env, request->origin);
  return http_call_start(is_proxied ? c->proxied : c->direct, request, out, info);
}

static const struct http_client_stats *choice_stats(const struct http_client *base) {
  struct choice *c = (struct choice *)base;
  const struct http_client_stats *a = http_client_stats(c->direct);
  if (!c->proxied) return a;
  const struct http_client_stats *b = http_client_stats(c->proxied);
  c->sum = (struct http_client_stats){.calls = a->calls + b->calls,
                                      .connects = a->connects + b->connects,
                                      .reused = a->reused + b->reused,
                                      .resends = a->resends + b->resends,
                                      .failures = a->failures + b->failures,
                                      .pauses = a->pauses + b->pauses,
                                      .connections_open = a->connections_open + b->connections_open,
                                      .calls_live = a->calls_live + b->calls_live};
  return &c->sum;
}

static void choice_free(struct http_client *base) {
  struct choice *c = (struct choice *)base;
  http_client_free(c->direct);
  http_client_free(c->proxied);
  arena_clear(&c->arena);
  free(c);
}

enum err http_client_new(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                         struct err_info *info) {
  /* Calls belong to the client that started them, so the rest of the vtable is never reached through this one. */
  static const struct http_client_ops ops = {.start = choice_start, .stats = choice_stats, .free = choice_free};
  struct choice *c = calloc(1, sizeof *c);
  if (!c) return err_set(info, ERR_NO_MEMORY, "out of memory");
  c->base.ops = &ops;
  arena_init(&c->arena, 0);
  enum err e = http_client_new_h1(&c->direct, loop, options, info);
  if (!e && options->use_proxy_env) e = http_proxy_env_read(&c->env, &c->arena, info);
  if (!e && (c->env.for_http.url.n || c->env.for_https.url.n))
    e = http_client_new_curl(&c->proxied, loop, options, info);
  if (e) {
    choice_free(&c->base);
    return e;
  }
  *out = &c->base;
  return OK;
}
