/* HTTP/1.1 client for upstreams, behind a vtable; one client per worker with its own connection pools per origin.
 * Redirects, cookies, netrc, alt-svc and HSTS do not exist here. A caller of the gateway never chooses the origin: it
 * comes from configuration. The one retry is built in: a reused connection that died before any reply byte is replaced
 * by a fresh one, once, and counted. */
#ifndef MAESTRO_IO_HTTP_CLIENT_H
#define MAESTRO_IO_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "io/fiber.h"
#include "io/http_msg.h"
#include "io/loop.h"

/* Where requests go; parsed once from a base URL, immutable, shared between threads, outlives its calls. */
struct http_origin {
  struct str url;       /* "https://host:port" (default port left out), NUL-terminated */
  struct str host;      /* lower case, without brackets, NUL-terminated */
  struct str base_path; /* of the base URL, without trailing '/', may be empty */
  uint16_t port;
  bool is_tls, is_ip; /* is_ip: host is a numeric address */
  bool allow_private; /* egress policy: loopback and private addresses */
  uint64_t id;        /* hash of url and allow_private, to find a pool; no proof that two are the same */
};
/* base_url: http or https, no user, query or fragment. Memory from `a`. ERR_BAD_VALUE with the reason. */
enum err http_origin_parse(struct arena *a, struct str base_url, bool allow_private, struct http_origin *out,
                           struct err_info *info) MUST_CHECK;

struct http_client;
struct http_call; /* one exchange; ended by http_call_close on every path */

/* Defaults of the options and of a request's connect_ms. */
enum { HTTP_CLIENT_CONNECTIONS_PER_ORIGIN = 1024, HTTP_CLIENT_IDLE_MS = 60000, HTTP_CLIENT_CONNECT_MS = 10000 };

struct http_client_options {
  struct str ca_file;              /* PEM bundle; empty: the system's */
  bool insecure_skip_verify;       /* tests only; logged loudly by the caller */
  bool use_proxy_env;              /* HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY (and lower case) */
  unsigned connections_per_origin; /* 0: 1024 */
  uint32_t idle_ms;                /* close a pooled connection unused for so long; 0: 60000 */
};

struct http_client_request {
  enum http_method method;
  const struct http_origin *origin;
  struct str target;           /* begins with '/', already encoded; the origin's base_path is NOT added */
  struct http_headers headers; /* Host, Content-Length, Connection, Accept-Encoding are the client's own */
  const struct str *body;      /* slices sent one after another; alive until the call is closed */
  size_t body_slices;
  bool accept_gzip;         /* ask for and decode gzip; else identity */
  uint32_t connect_ms;      /* resolve + connect + TLS; 0: 10000 -> ERR_CONNECT_TIMEOUT */
  uint32_t headers_ms;      /* from the request sent, or since its upload moved, to the reply's head; 0: none ->
                               ERR_HEADERS_TIMEOUT */
  size_t reply_limit_bytes; /* decoded body; 0: none -> ERR_UPSTREAM_TOO_LARGE */
};

struct http_response {
  int status;
  struct http_headers
      headers;      /* as sent, also of a decoded body; at most 128, 64 KiB in all, else ERR_UPSTREAM_PROTOCOL */
  bool is_reused;   /* sent on a pooled connection */
  unsigned resends; /* 0 or 1 */
};

struct http_client_stats { /* per worker; racy reads are fine */
  uint64_t calls, connects, reused, resends, failures, pauses;
  uint32_t connections_open, calls_live;
};

/* On libcurl, whose proxies it is for. */
enum err http_client_new_curl(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                              struct err_info *info) MUST_CHECK;
/* Our own: llhttp and OpenSSL on libuv. Cheapest and strictest; knows no proxy (use_proxy_env is ignored). */
enum err http_client_new_h1(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                            struct err_info *info) MUST_CHECK;
/* What a gateway wants: our own, and curl for the origins that use_proxy_env sends through a proxy. */
enum err http_client_new(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                         struct err_info *info) MUST_CHECK;
void http_client_free(struct http_client *c); /* when no call is live */
const struct http_client_stats *http_client_stats(const struct http_client *c);

/* Sends and waits for the head. On failure *out is untouched and nothing needs closing. */
WAIT enum err http_call_start(struct http_client *c, const struct http_client_request *request, struct http_call **out,
                              struct err_info *info);
const struct http_response *http_call_response(const struct http_call *call); /* valid until close */
/* The next decoded piece, valid until the next read or close; n == 0 with OK is the clean end. A connection that ends
 * early is ERR_UPSTREAM_CUT. Un-pauses the transport: a slow reader holds at most about 128 KiB here. */
WAIT enum err http_call_read(struct http_call *call, struct str *piece, uint64_t deadline_us, struct err_info *info);
/* Reads to the clean end, into out. ERR_UPSTREAM_TOO_LARGE beyond its limit; what is behind is left unread. */
WAIT enum err http_call_read_all(struct http_call *call, struct buf *out, uint64_t deadline_us, struct err_info *info);
/* Idempotent on NULL; never waits; an unfinished exchange closes its connection at once, so the upstream sees it. */
void http_call_close(struct http_call *call);

/* The vtable, for implementations only. */
struct http_client_ops {
  enum err (*start)(struct http_client *, const struct http_client_request *, struct http_call **, struct err_info *);
  const struct http_response *(*response)(const struct http_call *);
  enum err (*read)(struct http_call *, struct str *, uint64_t, struct err_info *);
  void (*close)(struct http_call *);
  const struct http_client_stats *(*stats)(const struct http_client *);
  void (*free)(struct http_client *);
};
struct http_client {
  const struct http_client_ops *ops;
}; /* first member of each implementation */
struct http_call {
  const struct http_client_ops *ops;
};
/* What every implementation asks before it sends: ERR_INTERNAL for a target or header that must not go out. */
enum err http_client_check_request(const struct http_client_request *request, struct err_info *info) MUST_CHECK;
bool http_client_is_header_name(struct str name); /* a token, RFC 9110 */
bool http_client_owns_header(struct str name);    /* framing and hop-by-hop fields: a caller's are left out */
uint64_t http_client_body_bytes(const struct http_client_request *request);

#endif
