/* One exchange of the curl client: the easy handle, what it is set to, and curl's callbacks. Used by http_client_curl.c
 * only, which decides when a call starts, waits and ends; kept in its origin's free list between exchanges.
 * Invariant: the easy handle is in its multi exactly while `added` is set. */
#ifndef MAESTRO_IO_CURL_CALL_H
#define MAESTRO_IO_CURL_CALL_H

#include "io/curl_loop.h"
#include "io/http_client.h"
#include "io/http_proxy.h"
#include "io/upstream_reply.h"

struct curl_call;

/* What is kept of an origin: its idle handles, and which addresses curl was told. */
struct curl_slot {
  struct curl_slot *next;
  uint64_t id, addresses; /* hashes */
  struct curl_loop *loop;
  char *url; /* ends in '/' */
  const struct http_proxy *proxy;
  bool is_plain; /* no TLS on the connection, neither to the origin nor to the proxy */
  struct curl_call *idle;
  unsigned idle_count;
  struct fiber_sem permits; /* connections_per_origin; curl's own limit spins for ever in 8.14 */
};

enum { CURL_CLIENT_BUCKETS = 64 };

struct curl_client {
  struct http_client base;
  struct http_client_stats stats;
  struct http_client_options options;
  struct arena arena;
  struct http_proxy_env proxies;
  struct curl_loop loop[2]; /* by allow_private: connections made under different policies must not meet in a pool */
  CURLSH *share;            /* TLS sessions */
  struct curl_slot *bucket[CURL_CLIENT_BUCKETS];
};

struct curl_call {
  struct http_call base;
  struct curl_client *client;
  struct curl_slot *slot;
  struct curl_call *next_idle;
  CURL *easy;
  struct upstream_reply reply;
  struct fiber_id waiter;
  const struct http_client_request *request;
  /* what the easy handle is set to */
  struct buf target, header_text, body;
  struct curl_slist *node, *resolve;
  size_t nodes;
  enum http_method method;
  bool had_body;
  uint32_t connect_ms;
  /* of the exchange */
  uint64_t body_bytes, connect_deadline_us, progress_us;
  size_t slice, slice_offset; /* READFUNCTION's place in the body */
  unsigned attempts, sockets, sockets_before;
  int version_minor, status;
  bool has_permit, is_waiting, added, connected, paused, must_be_fresh, is_upload_done;
  char error_text[CURL_ERROR_SIZE];
};

struct curl_call *curl_call_new(struct curl_client *c, struct curl_slot *slot);
void curl_call_free(struct curl_call *call);
/* Puts a checked request onto the handle; only what differs from the last one is set. ERR_NO_MEMORY. */
enum err curl_call_prepare(struct curl_call *call, const struct http_client_request *request) MUST_CHECK;
/* For curl_loop: the transfer has ended. */
void curl_call_on_done(CURL *easy, CURLcode result);
bool curl_call_is_silent(CURL *easy);

#endif
