/* The HTTP client on libcurl: proxies, and whatever the own client leaves to it. Called through http_client.h. A call
 * and its configured easy handle live in their origin's free list between exchanges; curl's callbacks fill the call's
 * upstream_reply and wake its fiber. curl never resolves: addresses come from io/resolver and reach curl's cache by
 * CURLOPT_RESOLVE only when they have changed, so that pooled connections are found by host name.
 * Invariant: an easy handle is in its multi exactly while `added` is set. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "io/curl_call.h"
#include "io/resolver.h"

enum {
  IDLE_CALLS_MAX = 256, /* easy handles kept per origin */
  CONNECTS_KEPT = 16384,
  NUDGE_US = 250000
};

/* All of it is compared, for the reason given at is_pool_of in http_client_h1.c. */
static bool is_slot_of(const struct curl_slot *s, const struct curl_client *c, const struct http_origin *o) {
  return s->id == o->id && s->loop == &c->loop[o->allow_private] && strncmp(s->url, o->url.p, o->url.n) == 0 &&
         s->url[o->url.n] == '/';
}

static struct curl_slot *find_slot(struct curl_client *c, const struct http_origin *origin) {
  struct curl_slot **bucket = &c->bucket[origin->id % CURL_CLIENT_BUCKETS];
  for (struct curl_slot *s = *bucket; s; s = s->next)
    if (is_slot_of(s, c, origin)) return s;
  struct curl_slot *s = calloc(1, sizeof *s);
  char *url = malloc(origin->url.n + 2);
  if (!s || !url) {
    free(s);
    free(url);
    return NULL;
  }
  memcpy(url, origin->url.p, origin->url.n);
  memcpy(url + origin->url.n, "/", 2);
  *s = (struct curl_slot){.next = *bucket, .id = origin->id, .url = url, .loop = &c->loop[origin->allow_private]};
  if (c->options.use_proxy_env) s->proxy = http_proxy_for(&c->proxies, origin);
  fiber_sem_init(&s->permits, c->options.connections_per_origin);
  s->is_plain = !origin->is_tls && !(s->proxy && str_has_prefix(s->proxy->url, STR("https:")));
  *bucket = s;
  return s;
}

static struct curl_call *take_call(struct curl_client *c, struct curl_slot *slot) {
  struct curl_call *call = slot->idle;
  if (!call) return curl_call_new(c, slot);
  slot->idle = call->next_idle;
  slot->idle_count--;
  return call;
}

static void give_call(struct curl_call *call) {
  struct curl_slot *slot = call->slot;
  call->request = NULL;
  if (call->has_permit) {
    call->has_permit = false;
    fiber_sem_post(&slot->permits);
  }
  upstream_reply_recycle(&call->reply);
  if (slot->idle_count >= IDLE_CALLS_MAX) {
    curl_call_free(call);
    return;
  }
  call->next_idle = slot->idle;
  slot->idle = call;
  slot->idle_count++;
}

static bool put_address(struct buf *b, const struct sockaddr_storage *address) {
  char text[INET6_ADDRSTRLEN];
  bool is_ipv6 = address->ss_family == AF_INET6;
  const void *raw = is_ipv6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
  if (!inet_ntop(address->ss_family, raw, text, sizeof text)) return false;
  buf_printf(b, is_ipv6 ? "[%s]" : "%s", text);
  return !b->failed;
}

/* Tells curl the addresses of the host that it will connect to, if they are news. */
static enum err set_addresses(struct curl_call *call, struct err_info *info) {
  const struct http_origin *origin = call->request->origin;
  const struct http_proxy *proxy = call->slot->proxy;
  struct str host = proxy ? proxy->host : origin->host;
  uint16_t port = proxy ? proxy->port : origin->port;
  struct resolver_result found;
  enum err e =
      resolver_lookup(host, port, proxy ? true : origin->allow_private, call->connect_deadline_us, &found, info);
  if (e == ERR_TIMEOUT) return ERR_CONNECT_TIMEOUT;
  if (e || (proxy ? proxy->is_ip : origin->is_ip)) return e;
  uint64_t addresses = 1;
  for (unsigned i = 0; i < found.count; i++) {
    size_t n = found.address[i].ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    addresses = str_hash(str_from((const char *)&found.address[i], n), addresses);
  }
  if (addresses == call->slot->addresses) return OK;
  struct buf text;
  buf_init(&text, 0);
  buf_printf(&text, "%s:%u:", host.p, (unsigned)port);
  bool ok = true;
  for (unsigned i = 0; ok && i < found.count; i++) {
    if (i) buf_put_char(&text, ',');
    ok = put_address(&text, &found.address[i]);
  }
  buf_put_char(&text, 0);
  curl_slist_free_all(call->resolve);
  call->resolve = ok && !text.failed ? curl_slist_append(NULL, text.p) : NULL;
  buf_clear(&text);
  if (!call->resolve || curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->resolve)) return ERR_NO_MEMORY;
  call->slot->addresses = addresses;
  return OK;
}

static uint64_t connect_deadline(const struct http_client_request *request) {
  return clock_deadline_ms(request->connect_ms ? request->connect_ms : HTTP_CLIENT_CONNECT_MS);
}

static uint64_t head_deadline(const struct curl_call *call) {
  if (!call->connected) return call->connect_deadline_us;
  return call->request->headers_ms ? call->progress_us + call->request->headers_ms * UINT64_C(1000) : DEADLINE_NONE;
}

static void abandon(struct curl_call *call) {
  if (!call->added) return;
  call->added = false;
  call->client->stats.calls_live--;
  curl_loop_remove(call->slot->loop, call->easy);
}

/* Each transfer has at most one connection, and takes an idle one before it opens another. */
static enum err take_permit(struct curl_call *call) {
  enum err e = fiber_sem_wait(&call->slot->permits, call->connect_deadline_us);
  call->has_permit = e == OK;
  return e == ERR_TIMEOUT ? ERR_CONNECT_TIMEOUT : e;
}

/* One transfer up to its head, or to its end. */
static enum err send_and_wait(struct curl_call *call, struct err_info *info) {
  call->connected = false;
  call->attempts = 0;
  call->sockets = call->sockets_before = 0;
  call->slice = call->slice_offset = 0;
  call->version_minor = call->status = 0;
  call->error_text[0] = 0;
  call->added = true;
  call->client->stats.calls_live++;
  if (curl_loop_add(call->slot->loop, call->easy)) {
    call->added = false;
    call->client->stats.calls_live--;
    return err_set(info, ERR_NO_MEMORY, "out of memory");
  }
  while (!call->reply.head_done && !call->reply.ended) {
    uint64_t deadline_us = head_deadline(call), nudge_us = loop_now_us() + NUDGE_US;
    bool was_connected = call->connected;
    call->is_waiting = true;
    enum err e = fiber_park(!was_connected && nudge_us < deadline_us ? nudge_us : deadline_us);
    call->is_waiting = false;
    if (call->reply.head_done || call->reply.ended) break;
    if (e == ERR_CANCELLED) return e;
    if (e == ERR_TIMEOUT && !was_connected && !call->connected) curl_loop_nudge(call->slot->loop);
    if (clock_mono_us() < head_deadline(call)) continue;
    return call->connected ? ERR_HEADERS_TIMEOUT : ERR_CONNECT_TIMEOUT;
  }
  return call->reply.head_done ? OK : upstream_reply_failure(&call->reply, info);
}

static bool may_resend(const struct curl_call *call) {
  if (call->must_be_fresh) return true;
  return call->reply.outcome == ERR_UPSTREAM_CUT && call->reply.response.is_reused && !call->reply.response.resends &&
         call->status == 0;
}

static enum err curl_start(struct http_client *base, const struct http_client_request *request, struct http_call **out,
                           struct err_info *info) {
  struct curl_client *c = (struct curl_client *)base;
  struct curl_call *call = NULL;
  enum err e = http_client_check_request(request, info);
  if (e) return e;
  struct curl_slot *slot = find_slot(c, request->origin);
  if (slot) call = take_call(c, slot);
  if (!call) return err_set(info, ERR_NO_MEMORY, "out of memory");
  c->stats.calls++;
  call->base.ops = base->ops;
  call->waiter = fiber_self();
  call->connect_deadline_us = connect_deadline(request);
  e = curl_call_prepare(call, request);
  if (!e) e = set_addresses(call, info);
  if (!e) e = take_permit(call);
  if (!e) e = send_and_wait(call, info);
  if (e && !call->added && call->reply.ended && may_resend(call)) {
    upstream_reply_begin(&call->reply, request);
    call->reply.response.resends = 1;
    call->connect_deadline_us = connect_deadline(request);
    curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, 1L);
    e = send_and_wait(call, info);
    curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, 0L);
  }
  c->stats.resends += call->reply.response.resends;
  if (!e) {
    *out = &call->base;
    return OK;
  }
  if (e != ERR_CANCELLED) c->stats.failures++;
  abandon(call);
  give_call(call);
  return e;
}

static const struct http_response *curl_response(const struct http_call *base) {
  return &((const struct curl_call *)base)->reply.response;
}

static enum err curl_read(struct http_call *base, struct str *piece, uint64_t deadline_us, struct err_info *info) {
  struct curl_call *call = (struct curl_call *)base;
  enum err e;
  call->waiter = fiber_self();
  if (upstream_reply_has_worked(&call->reply)) {
    e = fiber_yield(); /* decoding goes on without a wait for as long as there is input */
    if (e) return e;
  }
  for (;;) {
    if (upstream_reply_take(&call->reply, piece, &e, info)) return e;
    if (call->paused) {
      call->paused = false;
      curl_loop_unpause(call->slot->loop, call->easy);
      continue;
    }
    call->is_waiting = true;
    e = fiber_park(deadline_us);
    call->is_waiting = false;
    if (e && !upstream_reply_held_bytes(&call->reply) && !call->reply.ended) return e;
  }
}

static void curl_close(struct http_call *base) {
  struct curl_call *call = (struct curl_call *)base;
  abandon(call);
  give_call(call);
}

static const struct http_client_stats *curl_stats(const struct http_client *base) {
  struct curl_client *c = (struct curl_client *)base;
  c->stats.connections_open = c->loop[0].open + c->loop[1].open;
  return &c->stats;
}

static void free_client(struct http_client *base) {
  struct curl_client *c = (struct curl_client *)base;
  for (unsigned i = 0; i < CURL_CLIENT_BUCKETS; i++) {
    for (struct curl_slot *s = c->bucket[i], *next; s; s = next) {
      next = s->next;
      for (struct curl_call *call = s->idle, *after; call; call = after) {
        after = call->next_idle;
        curl_call_free(call);
      }
      free(s->url);
      free(s);
    }
  }
  curl_loop_clear(&c->loop[0]);
  curl_loop_clear(&c->loop[1]);
  if (c->share) curl_share_cleanup(c->share);
  arena_clear(&c->arena);
  free(c);
}

static const struct http_client_ops curl_ops = {curl_start, curl_response, curl_read,
                                                curl_close, curl_stats,    free_client};

enum err http_client_new_curl(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                              struct err_info *info) {
  enum err e = ERR_NO_MEMORY;
  if (curl_global_init(CURL_GLOBAL_DEFAULT)) return err_set(info, ERR_NO_MEMORY, "curl could not be initialised");
  struct curl_client *c = calloc(1, sizeof *c);
  if (!c) return err_set(info, ERR_NO_MEMORY, "out of memory");
  c->base.ops = &curl_ops;
  arena_init(&c->arena, 0);
  c->options = *options;
  if (!c->options.connections_per_origin) c->options.connections_per_origin = HTTP_CLIENT_CONNECTIONS_PER_ORIGIN;
  if (!c->options.idle_ms) c->options.idle_ms = HTTP_CLIENT_IDLE_MS;
  c->options.ca_file = arena_dup(&c->arena, options->ca_file);
  c->share = curl_share_init();
  if (!c->share || curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) || !c->options.ca_file.p)
    goto failed;
  if (options->use_proxy_env) {
    e = http_proxy_env_read(&c->proxies, &c->arena, info);
    if (e) goto failed;
  }
  for (unsigned i = 0; i < 2; i++) {
    e = curl_loop_init(&c->loop[i], loop, curl_call_on_done, curl_call_is_silent, info);
    if (e) goto failed;
    curl_multi_setopt(c->loop[i].multi, CURLMOPT_MAXCONNECTS, (long)CONNECTS_KEPT);
  }
  *out = &c->base;
  return OK;
failed:
  free_client(&c->base);
  return e;
}
