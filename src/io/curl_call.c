/* One exchange of the curl client: see curl_call.h. curl's callbacks run on whatever stack curl runs on; they store
 * and wake. What curl's lenient parser lets through is checked again here. Two things it hides stay unseen: the missing
 * close_notify of a body that ends with its connection, and a reply that died within its first line, which it repeats.
 */
#include "io/curl_call.h"

#include <stdlib.h>

enum {
  GATHER_BYTES = 64 * 1024, /* curl sends a body of up to 64 KiB in one write with the head */
  KEPT_BYTES = 64 * 1024,
  FIXED_NODES = 4 /* Expect, Accept-Encoding, Accept, Content-Type */
};

static void wake(struct curl_call *call) {
  if (call->is_waiting) fiber_wake(call->waiter);
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  struct curl_call *call = arg;
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  if (call->connected) { /* curl resends on its own: a second connect has its own time */
    call->connected = false;
    call->connect_deadline_us =
        clock_deadline_ms(call->request->connect_ms ? call->request->connect_ms : HTTP_CLIENT_CONNECT_MS);
    wake(call);
  }
  call->sockets++;
  return curl_loop_open(call->slot->loop, address);
}

/* curl is about to write the request. It repeats one by itself, up to five times, when a reused connection dies before
 * a reply byte; here that is allowed once, and the second connection has to be a new one. */
static int on_request(void *arg, char *ip, char *local_ip, int port, int local_port) {
  (void)ip, (void)local_ip, (void)port, (void)local_port;
  struct curl_call *call = arg;
  bool is_reused = call->sockets == call->sockets_before;
  if (call->attempts++ > 0) {
    call->must_be_fresh = is_reused;
    if (is_reused || call->reply.response.resends) return CURL_PREREQFUNC_ABORT;
    call->reply.response.resends = 1;
  }
  call->sockets_before = call->sockets;
  call->reply.response.is_reused = is_reused;
  call->connected = true;
  call->progress_us = clock_mono_us();
  if (is_reused) {
    call->client->stats.reused++;
  } else {
    call->client->stats.connects++;
  }
  wake(call); /* the deadline is another one now */
  return CURL_PREREQFUNC_OK;
}

static size_t on_upload(char *out, size_t size, size_t count, void *arg) {
  struct curl_call *call = arg;
  size_t room = size * count, n = 0;
  while (room && call->slice < call->request->body_slices) {
    struct str part = call->request->body[call->slice];
    part = str_sub(part, call->slice_offset, part.n);
    size_t take = part.n < room ? part.n : room;
    if (take) memcpy(out + n, part.p, take);
    n += take;
    room -= take;
    call->slice_offset += take;
    if (take == part.n) {
      call->slice++;
      call->slice_offset = 0;
    }
  }
  call->progress_us = clock_mono_us();
  return n;
}

static int on_seek(void *arg, curl_off_t offset, int origin) {
  struct curl_call *call = arg;
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  call->slice = call->slice_offset = 0;
  return CURL_SEEKFUNC_OK;
}

/* "HTTP/1.1 200 OK": curl has understood it already, but in its lenient way. */
static bool parse_status_line(struct curl_call *call, struct str line) {
  if (line.n < 12 || !str_has_prefix(line, STR("HTTP/1.")) || (line.p[7] != '0' && line.p[7] != '1') ||
      line.p[8] != ' ')
    return false;
  uint64_t status;
  if (!str_to_u64(str_sub(line, 9, 12), &status) || (line.n > 12 && line.p[12] != ' ')) return false;
  call->version_minor = line.p[7] - '0';
  call->status = (int)status;
  return true;
}

static enum err store_header(struct curl_call *call, struct str line) {
  struct upstream_reply *r = &call->reply;
  if (line.n < 2 || line.p[line.n - 2] != '\r')
    return upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, "the provider's reply has a malformed line end");
  line.n -= 2;
  if (line.n == 0) {
    if (call->status >= 100 && call->status < 200 && call->status != 101) return upstream_reply_head_restart(r);
    return upstream_reply_head_end(r, call->status, call->version_minor);
  }
  if (r->headers == 0 && str_has_prefix(line, STR("HTTP/"))) {
    if (parse_status_line(call, line)) return OK;
    return upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, "the provider's reply has a malformed status line");
  }
  struct str name, value;
  if (!str_cut(line, ':', &name, &value) || !http_client_is_header_name(name) || !http_header_value_is_safe(value))
    return upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, "the provider's reply has a malformed header");
  enum err e = upstream_reply_name(r, name);
  return e ? e : upstream_reply_value(r, value);
}

static size_t on_header(char *p, size_t size, size_t count, void *arg) {
  struct curl_call *call = arg;
  size_t n = size * count;
  if (call->reply.head_done) return n; /* trailers */
  if (store_header(call, str_from(p, n))) return 0;
  if (call->reply.head_done) wake(call);
  return n;
}

static size_t on_body(char *p, size_t size, size_t count, void *arg) {
  struct curl_call *call = arg;
  size_t n = size * count;
  if (upstream_reply_held_bytes(&call->reply) >= UPSTREAM_REPLY_HOLD_BYTES) {
    call->paused = true;
    call->client->stats.pauses++;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (upstream_reply_body(&call->reply, str_from(p, n))) return 0;
  wake(call);
  return n;
}

static const struct {
  CURLcode code;
  enum err e;
  const char *reason; /* NULL: the table's text */
} verdicts[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_RESOLVE_FAILED, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_RESOLVE_FAILED, "the proxy's host name could not be resolved"},
    {CURLE_COULDNT_CONNECT, ERR_CONNECT_FAILED, NULL},
    {CURLE_PROXY, ERR_CONNECT_FAILED, "the proxy refused the connection"},
    {CURLE_OPERATION_TIMEDOUT, ERR_CONNECT_TIMEOUT, NULL},
    {CURLE_SSL_CONNECT_ERROR, ERR_TLS_FAILED, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_TLS_FAILED, "the provider's certificate could not be verified"},
    {CURLE_SSL_CACERT_BADFILE, ERR_TLS_FAILED, "the CA bundle could not be read"},
    {CURLE_SSL_CIPHER, ERR_TLS_FAILED, NULL},
    {CURLE_GOT_NOTHING, ERR_UPSTREAM_CUT, NULL},
    {CURLE_RECV_ERROR, ERR_UPSTREAM_CUT, NULL},
    {CURLE_SEND_ERROR, ERR_UPSTREAM_CUT, NULL},
    {CURLE_PARTIAL_FILE, ERR_UPSTREAM_CUT, NULL},
    {CURLE_ABORTED_BY_CALLBACK, ERR_UPSTREAM_CUT, NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_UPSTREAM_PROTOCOL, NULL},
    {CURLE_WEIRD_SERVER_REPLY, ERR_UPSTREAM_PROTOCOL, NULL},
    {CURLE_BAD_CONTENT_ENCODING, ERR_UPSTREAM_PROTOCOL, NULL},
    {CURLE_FILESIZE_EXCEEDED, ERR_UPSTREAM_PROTOCOL, NULL},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, ERR_UPSTREAM_PROTOCOL, "the provider's reply has more than 64 KiB of headers"},
#endif
    {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY, NULL},
};

void curl_call_on_done(CURL *easy, CURLcode result) {
  struct curl_call *call = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
  call->added = false;
  call->client->stats.calls_live--;
  enum err e = ERR_INTERNAL;
  const char *reason = "the transfer failed";
  if (result == CURLE_OK) {
    e = call->reply.head_done ? OK : ERR_UPSTREAM_CUT; /* curl takes the end of the connection for the head's end */
    reason = NULL;
  }
  for (size_t i = 0; result && i < sizeof verdicts / sizeof *verdicts; i++) {
    if (verdicts[i].code != result) continue;
    e = verdicts[i].e;
    reason = verdicts[i].reason;
    break;
  }
  /* curl has one code for a cut and for a malformed chunk; its words differ from version to version, "chunk" stays. */
  if (result == CURLE_RECV_ERROR && strstr(call->error_text, "chunk")) {
    e = ERR_UPSTREAM_PROTOCOL;
    reason = "the provider's reply has a malformed chunk";
  }
  if (e == ERR_UPSTREAM_CUT && !call->connected) { /* no request was sent: a tunnel was not made */
    e = ERR_CONNECT_FAILED;
    reason = "the proxy refused the connection";
  }
  /* Older versions say so of a header line over their own limit. */
  if (result == CURLE_OUT_OF_MEMORY && call->connected && !call->reply.head_done) {
    e = ERR_UPSTREAM_PROTOCOL;
    reason = "the provider's reply has more than 64 KiB of headers";
  }
  upstream_reply_end(&call->reply, e, reason);
  wake(call);
}

bool curl_call_is_silent(CURL *easy) {
  struct curl_call *call = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
  return call && call->slot->is_plain && !call->paused;
}

void curl_call_free(struct curl_call *call) {
  if (!call) return;
  if (call->easy) curl_easy_cleanup(call->easy);
  upstream_reply_clear(&call->reply);
  buf_clear(&call->target);
  buf_clear(&call->header_text);
  buf_clear(&call->body);
  curl_slist_free_all(call->resolve);
  free(call->node);
  free(call);
}

#define SET(option, value) failed |= curl_easy_setopt(easy, option, value) != CURLE_OK

/* Everything that stays the same from one exchange to the next. */
static bool configure(struct curl_call *call) {
  const struct http_client_options *o = &call->client->options;
  CURL *easy = call->easy;
  bool failed = false;
  SET(CURLOPT_URL, call->slot->url);
  SET(CURLOPT_PRIVATE, call);
  SET(CURLOPT_SHARE, call->client->share);
  SET(CURLOPT_ERRORBUFFER, call->error_text);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_NOPROGRESS, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_MAXAGE_CONN, (long)((o->idle_ms + 999) / 1000));
  SET(CURLOPT_NOPROXY, "");
  SET(CURLOPT_PROXY, call->slot->proxy ? call->slot->proxy->url.p : "");
  if (call->slot->proxy) SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, o->insecure_skip_verify ? 0L : 1L);
  SET(CURLOPT_SSL_VERIFYHOST, o->insecure_skip_verify ? 0L : 2L);
  if (o->ca_file.n) SET(CURLOPT_CAINFO, o->ca_file.p);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET(CURLOPT_OPENSOCKETDATA, call);
  SET(CURLOPT_CLOSESOCKETFUNCTION, curl_loop_close);
  SET(CURLOPT_CLOSESOCKETDATA, call->slot->loop);
  SET(CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, call);
  SET(CURLOPT_READFUNCTION, on_upload);
  SET(CURLOPT_READDATA, call);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, call);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, call);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, call);
  return !failed;
}

struct curl_call *curl_call_new(struct curl_client *c, struct curl_slot *slot) {
  struct curl_call *call = calloc(1, sizeof *call);
  if (!call) return NULL;
  call->client = c;
  call->slot = slot;
  call->method = HTTP_OTHER;
  upstream_reply_init(&call->reply);
  call->easy = curl_easy_init();
  if (call->easy && configure(call)) return call;
  curl_call_free(call);
  return NULL;
}

/* ---- one request onto a handle ---- */

/* Also https through a proxy needs no more than this: curl makes a tunnel for it. */
static bool set_target(struct curl_call *call) {
  const struct http_client_request *q = call->request;
  bool is_absolute = call->slot->proxy && call->slot->proxy->is_http && !q->origin->is_tls;
  size_t prefix = is_absolute ? q->origin->url.n : 0;
  if (call->target.n == prefix + q->target.n + 1 && memcmp(call->target.p + prefix, q->target.p, q->target.n) == 0)
    return true;
  buf_reset(&call->target);
  if (is_absolute) buf_put(&call->target, q->origin->url);
  buf_put(&call->target, q->target);
  buf_put_char(&call->target, 0);
  return !call->target.failed && curl_easy_setopt(call->easy, CURLOPT_REQUEST_TARGET, call->target.p) == CURLE_OK;
}

static bool set_method(struct curl_call *call, bool has_body) {
  enum http_method method = call->request->method;
  CURL *easy = call->easy;
  bool failed = false;
  if (call->method == method && call->had_body == has_body) return true;
  if (call->method == HTTP_HEAD) SET(CURLOPT_NOBODY, 0L);
  if (method == HTTP_HEAD) {
    SET(CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    SET(CURLOPT_POST, 1L);
  } else {
    SET(CURLOPT_HTTPGET, 1L);
  }
  bool is_default = method == HTTP_HEAD || method == (has_body ? HTTP_POST : HTTP_GET);
  SET(CURLOPT_CUSTOMREQUEST, is_default ? NULL : http_method_name(method).p);
  call->method = method;
  call->had_body = has_body;
  return !failed;
}

/* One slice goes from where it lies, a few small ones are gathered, the rest streams. */
static bool set_body(struct curl_call *call) {
  const struct http_client_request *q = call->request;
  CURL *easy = call->easy;
  bool failed = false;
  const char *fields = "";
  call->body_bytes = http_client_body_bytes(q);
  if (call->body_bytes > GATHER_BYTES) {
    fields = NULL;
  } else if (q->body_slices == 1 && q->body->n) {
    fields = q->body->p;
  } else if (call->body_bytes) {
    for (size_t i = 0; i < q->body_slices; i++) buf_put(&call->body, q->body[i]);
    if (call->body.failed) return false;
    fields = call->body.p;
  }
  SET(CURLOPT_POSTFIELDS, fields);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_bytes);
  return !failed;
}

static bool reserve_nodes(struct curl_call *call, size_t count) {
  if (count <= call->nodes) return true;
  struct curl_slist *node = realloc(call->node, count * sizeof *node);
  if (!node) return false;
  call->node = node;
  call->nodes = count;
  return true;
}

/* curl only walks the list, so its nodes and texts are two reused blocks instead of two allocations a header. */
static bool set_headers(struct curl_call *call, bool has_body) {
  const struct http_client_request *q = call->request;
  bool has_accept = false, has_type = false;
  size_t bytes = 0, n = 0;
  for (size_t i = 0; i < q->headers.n; i++) bytes += q->headers.v[i].name.n + q->headers.v[i].value.n + 3;
  buf_reset(&call->header_text);
  if (!buf_reserve(&call->header_text, bytes) || !reserve_nodes(call, q->headers.n + FIXED_NODES)) return false;
  struct curl_slist *node = call->node;
  node[n++].data = "Expect:";
  node[n++].data = q->accept_gzip ? "Accept-Encoding: gzip" : "Accept-Encoding: identity";
  for (size_t i = 0; i < q->headers.n; i++) {
    struct http_header h = q->headers.v[i];
    if (http_client_owns_header(h.name)) continue;
    has_accept |= str_eq_nocase(h.name, STR("accept"));
    has_type |= str_eq_nocase(h.name, STR("content-type"));
    node[n++].data = call->header_text.p + call->header_text.n;
    struct str value = str_trim(h.value);
    buf_put(&call->header_text, h.name);
    buf_put(&call->header_text, value.n ? STR(": ") : STR(";")); /* "Name;" is curl's way to send an empty one */
    buf_put(&call->header_text, value);
    buf_put_char(&call->header_text, 0);
  }
  if (!has_accept) node[n++].data = "Accept:";
  if (!has_type && has_body) node[n++].data = "Content-Type:";
  for (size_t i = 0; i < n; i++) node[i].next = i + 1 < n ? &node[i + 1] : NULL;
  return curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, node) == CURLE_OK;
}

/* curl divides this among the addresses; what holds is our own deadline. */
static bool set_connect_time(struct curl_call *call) {
  uint32_t ms = call->request->connect_ms ? call->request->connect_ms : HTTP_CLIENT_CONNECT_MS;
  if (ms == call->connect_ms) return true;
  call->connect_ms = ms;
  return curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ms) == CURLE_OK;
}

enum err curl_call_prepare(struct curl_call *call, const struct http_client_request *request) {
  bool has_body = request->body_slices > 0 || request->method == HTTP_POST || request->method == HTTP_PUT ||
                  request->method == HTTP_PATCH;
  call->request = request;
  call->must_be_fresh = call->paused = false;
  if (call->body.cap > KEPT_BYTES) buf_clear(&call->body);
  buf_reset(&call->body);
  upstream_reply_begin(&call->reply, request);
  bool ok = set_connect_time(call) && set_target(call) && set_method(call, has_body) && set_headers(call, has_body) &&
            (!has_body || set_body(call));
  return ok ? OK : ERR_NO_MEMORY;
}
