/* One connection of the own HTTP/1.1 client: see h1_conn.h. Reads go into one shared buffer and are parsed at once;
 * writes are tried directly, and only what the kernel does not take is queued. */
#include "io/h1_conn.h"

#include <netinet/tcp.h>
#include <stdlib.h>

enum {
  PUMP_BYTES = 96 * 1024, /* encrypted or written in one go; the rest waits for the write's callback */
  KEPT_BYTES = 32 * 1024,
  UNSENT_BYTES = 256 * 1024, /* written to the kernel but not yet sent */
  KEEPALIVE_S = 60
};

struct write {
  uv_write_t request;
  struct h1_conn *conn;
  char *owned; /* freed with it */
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void wake(struct h1_exchange *x) {
  if (x->is_waiting) fiber_wake(x->waiter);
}

/* ---- ends ---- */

static void on_closed(uv_handle_t *handle) { free(handle->data); }

void h1_conn_close(struct h1_conn *c) {
  if (c->state == H1_CONN_CLOSED) return;
  c->state = H1_CONN_CLOSED;
  if (c->exchange) c->exchange->conn = NULL;
  c->exchange = NULL;
  c->tls_info = NULL;
  c->net->stats->connections_open--;
  if (!c->is_decrypting)
    h1_tls_session_clear(&c->tls); /* not later: the client's TLS context may go before on_closed */
  uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void fail(struct h1_conn *c) {
  c->state = H1_CONN_FAILED;
  fiber_wake(c->waiter);
}

/* The exchange is over, well or not; the connection goes back or away. */
static void finish(struct h1_conn *c, bool may_stay) {
  struct h1_exchange *x = c->exchange;
  c->exchange = NULL;
  x->conn = NULL;
  /* Under TLS the end may lie in the same read that paused it; an idle connection must be watched. */
  if (may_stay && x->is_paused) may_stay = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0;
  x->is_paused = false;
  if (may_stay && x->is_sent && c->writes == 0) {
    c->net->on_idle(c);
  } else {
    h1_conn_close(c);
  }
  wake(x);
}

/* is_clean: the peer has said that it ends here. */
static void ended(struct h1_conn *c, bool is_clean) {
  if (c->exchange) {
    upstream_parser_eof(&c->parser, is_clean);
    finish(c, false);
  } else if (c->tls.ssl && !c->tls.is_established) {
    fail(c);
  } else {
    c->net->on_lost(c);
    h1_conn_close(c);
  }
}

/* ---- writing ---- */

static void pump(struct h1_conn *c);
static void pump_plain(struct h1_conn *c);

static void sent(struct h1_exchange *x) {
  x->is_sent = true;
  x->progress_us = loop_now_us();
  wake(x); /* its deadline counts from here */
}

static void on_write(uv_write_t *request, int status) {
  struct write *w = (struct write *)request;
  struct h1_conn *c = w->conn;
  c->writes--;
  free(w->owned);
  free(w);
  /* After a failed write the read side tells more: a reply that came first, or the connection's end. */
  if (c->state == H1_CONN_CLOSED || status < 0 || !c->exchange) return;
  c->exchange->progress_us = loop_now_us();
  if (c->tls.ssl) {
    pump(c);
  } else if (c->exchange->next < c->exchange->slices) {
    pump_plain(c);
  } else if (c->writes == 0) {
    sent(c->exchange);
  }
}

/* Takes `owned`. False: out of memory, nothing was queued. */
static bool queue(struct h1_conn *c, uv_buf_t *bufs, size_t count, char *owned) {
  struct write *w = malloc(sizeof *w);
  if (!w) goto failed;
  w->conn = c;
  w->owned = owned;
  if (uv_write(&w->request, (uv_stream_t *)&c->tcp, bufs, (unsigned)count, on_write) != 0) goto failed;
  c->writes++;
  return true;
failed:
  free(w);
  free(owned);
  return false;
}

/* Sends what TLS has produced. to_be_continued: the callback shall come even if all is taken at once. */
static void flush(struct h1_conn *c, bool to_be_continued) {
  struct buf *out = &c->tls.out;
  if (out->n == 0) return;
  uv_buf_t piece = uv_buf_init(out->p, (unsigned)out->n);
  if (!to_be_continued && c->writes == 0) {
    int n = uv_try_write((uv_stream_t *)&c->tcp, &piece, 1);
    if (n == (int)out->n) {
      if (out->cap > KEPT_BYTES) buf_clear(out);
      buf_reset(out);
      return;
    }
    if (n > 0) piece = uv_buf_init(out->p + n, (unsigned)(out->n - (size_t)n));
  }
  char *owned = out->p;
  buf_init(out, 0);
  (void)queue(c, &piece, 1, owned); /* a lost record breaks the stream, and the peer ends it */
}

/* The next up to 16 KiB of the request: a part of a large slice where it lies, else small ones gathered. */
static struct str next_record(struct h1_net *net, struct h1_exchange *x) {
  size_t n = 0;
  for (;;) {
    struct str part = x->head;
    if (!part.n) {
      if (x->next == x->slices) break;
      part = str_sub(x->slice[x->next], x->offset, x->slice[x->next].n);
    }
    struct str take = str_sub(part, 0, H1_RECORD_BYTES - n);
    if (x->head.n) {
      x->head = str_sub(x->head, take.n, x->head.n);
    } else if (take.n == part.n) {
      x->next++;
      x->offset = 0;
    } else {
      x->offset += take.n;
    }
    if (n == 0 && take.n == H1_RECORD_BYTES) return take;
    if (take.n) memcpy(net->record + n, take.p, take.n);
    n += take.n;
    if (n == H1_RECORD_BYTES) break;
  }
  return str_from(net->record, n);
}

/* Encrypts and sends the next part of the request. */
static void pump(struct h1_conn *c) {
  struct h1_exchange *x = c->exchange;
  size_t done = 0;
  while (!x->is_sent && (x->head.n || x->next < x->slices) && done < PUMP_BYTES) {
    struct str record = next_record(c->net, x);
    if (record.n == 0) continue; /* only empty slices were left */
    if (h1_tls_send(&c->tls, record)) {
      upstream_reply_end(&x->reply, ERR_UPSTREAM_CUT, NULL);
      finish(c, false);
      return;
    }
    done += record.n;
  }
  bool is_last = x->next == x->slices;
  flush(c, !is_last);
  if (is_last && !x->is_sent && c->writes == 0) sent(x);
}

static void out_of_memory(struct h1_conn *c, struct h1_exchange *x) {
  upstream_reply_end(&x->reply, ERR_NO_MEMORY, NULL);
  finish(c, false);
}

/* The next part of a large body, from where it lies; the write's callback asks for more, a turn later. */
static void pump_plain(struct h1_conn *c) {
  struct h1_exchange *x = c->exchange;
  uv_buf_t *v = c->net->vector;
  size_t count = 0, room = PUMP_BYTES;
  while (x->next < x->slices && room) {
    struct str part = str_sub(x->slice[x->next], x->offset, x->slice[x->next].n), take = str_sub(part, 0, room);
    if (take.n) v[count++] = (uv_buf_t){.base = (char *)take.p, .len = take.n};
    room -= take.n;
    x->offset = take.n == part.n ? 0 : x->offset + take.n;
    x->next += take.n == part.n;
  }
  x->queued_bytes = SIZE_MAX; /* it moves, whatever the queue's length says */
  if (count == 0) {
    if (c->writes == 0) sent(x); /* only empty slices were left */
  } else if (!queue(c, v, count, NULL)) {
    out_of_memory(c, x);
  }
}

/* A large request: the head's memory is the client's, and wanted again soon, so it is copied; then part after part. */
static void send_large(struct h1_conn *c, struct h1_exchange *x) {
  char *owned = malloc(x->head.n);
  uv_buf_t head = {.base = owned, .len = x->head.n};
  if (owned) memcpy(owned, x->head.p, x->head.n);
  if (!owned || !queue(c, &head, 1, owned))
    out_of_memory(c, x);
  else
    pump_plain(c);
}

/* Head and slices in one writev; the rest, if any, through libuv's queue. */
static void send_plain(struct h1_conn *c, struct h1_exchange *x) {
  uv_buf_t *v = c->net->vector;
  size_t count = 0, total = x->head.n;
  v[count++] = uv_buf_init((char *)x->head.p, (unsigned)x->head.n);
  for (size_t i = 0; i < x->slices; i++) {
    if (x->slice[i].n == 0) continue;
    v[count++] = (uv_buf_t){.base = (char *)x->slice[i].p, .len = x->slice[i].n};
    total += x->slice[i].n;
  }
  if (total > PUMP_BYTES) {
    send_large(c, x);
    return;
  }
  x->next = x->slices;
  int n = uv_try_write((uv_stream_t *)&c->tcp, v, (unsigned)count);
  if (n >= 0 && (size_t)n == total) {
    x->is_sent = true;
    return;
  }
  size_t skip = n > 0 ? (size_t)n : 0, first = 0;
  while (first < count && skip >= v[first].len) skip -= v[first++].len;
  v[first].base += skip;
  v[first].len -= skip;
  char *owned = NULL;
  if (first == 0) { /* the head's memory is the client's, and wanted again soon */
    owned = malloc(v[0].len);
    if (owned) memcpy(owned, v[0].base, v[0].len);
    v[0].base = owned;
  }
  if ((first == 0 && !owned) || !queue(c, v + first, count - first, owned)) out_of_memory(c, x);
}

static bool reserve_vector(struct h1_net *net, size_t count) {
  if (count <= net->vector_size) return true;
  uv_buf_t *vector = realloc(net->vector, count * sizeof *vector);
  if (!vector) return false;
  net->vector = vector;
  net->vector_size = count;
  return true;
}

void h1_conn_send(struct h1_conn *c, struct h1_exchange *x) {
  c->exchange = x;
  x->conn = c;
  x->is_sent = x->got_byte = x->is_paused = false;
  x->next = x->offset = 0;
  x->queued_bytes = SIZE_MAX;
  x->progress_us = loop_now_us();
  upstream_parser_begin(&c->parser, &x->reply);
  if (c->tls.ssl) {
    pump(c);
  } else if (reserve_vector(c->net, x->slices + 1)) {
    send_plain(c, x);
  } else {
    upstream_reply_end(&x->reply, ERR_NO_MEMORY, NULL);
    finish(c, false);
  }
}

bool h1_conn_has_progressed(struct h1_conn *c, struct h1_exchange *x) {
  size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
  if (x->is_sent || queued == x->queued_bytes) return false;
  x->queued_bytes = queued;
  x->progress_us = loop_now_us();
  return true;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  (void)suggested;
  *out = uv_buf_init(((struct h1_conn *)handle->data)->net->input, H1_INPUT_BYTES);
}

/* Plain bytes of the reply. */
static void take_in(struct h1_conn *c, struct str bytes) {
  struct h1_exchange *x = c->exchange;
  size_t used = 0;
  if (!x) { /* nobody asked */
    c->net->on_lost(c);
    h1_conn_close(c);
    return;
  }
  x->got_byte = true;
  if (upstream_parser_feed(&c->parser, bytes, &used)) {
    finish(c, false);
  } else if (c->parser.is_complete) {
    finish(c, c->parser.keeps_alive && used == bytes.n);
  } else if (x->reply.head_done) {
    if (!x->is_paused && upstream_reply_held_bytes(&x->reply) >= UPSTREAM_REPLY_HOLD_BYTES) {
      x->is_paused = true;
      c->net->stats->pauses++;
      uv_read_stop((uv_stream_t *)&c->tcp);
    }
    wake(x);
  }
}

static void decrypt(struct h1_conn *c) {
  if (!c->tls.is_established) {
    enum err e = h1_tls_handshake(&c->tls, c->tls_info);
    flush(c, false);
    if (e) {
      fail(c);
      return;
    }
    if (!c->tls.is_established) return;
    fiber_wake(c->waiter);
  }
  for (;;) {
    struct str plain;
    if (h1_tls_next(&c->net->tls, &c->tls, &plain)) {
      ended(c, false);
      return;
    }
    if (plain.n == 0) break;
    take_in(c, plain);
    if (c->state != H1_CONN_OPEN) return;
  }
  flush(c, false); /* an answer to a key update */
  if (c->tls.has_close_notify) ended(c, true);
}

static void take_in_tls(struct h1_conn *c, struct str ciphertext) {
  h1_tls_receive(&c->tls, ciphertext);
  c->is_decrypting = true;
  decrypt(c);
  c->is_decrypting = false;
  if (c->state == H1_CONN_CLOSED) h1_tls_session_clear(&c->tls);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  struct h1_conn *c = stream->data;
  if (n > 0 && c->tls.ssl) {
    take_in_tls(c, str_from(buf->base, (size_t)n));
  } else if (n > 0) {
    take_in(c, str_from(buf->base, (size_t)n));
  } else if (n < 0) {
    ended(c, n == UV_EOF && !c->tls.ssl); /* under TLS only close_notify is an end */
  }
}

void h1_conn_resume(struct h1_conn *c) {
  if (!c->exchange || !c->exchange->is_paused) return;
  c->exchange->is_paused = false;
  if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) ended(c, false);
}

/* ---- beginnings ---- */

/* A body of megabytes would fill the kernel's send buffer in one call and stop the loop for as long: take it in parts.
 */
static void limit_unsent(struct h1_conn *c) {
  const int bytes = UNSENT_BYTES;
  uv_os_fd_t fd;
  if (!uv_fileno((uv_handle_t *)&c->tcp, &fd)) setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static void on_connect(uv_connect_t *request, int status) {
  struct h1_conn *c = request->handle->data;
  if (c->state == H1_CONN_CLOSED) return;
  c->connect_status = status;
  if (status < 0) {
    fail(c);
    return;
  }
  c->state = H1_CONN_OPEN;
  uv_tcp_nodelay(&c->tcp, 1);
  uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
  limit_unsent(c);
  fiber_wake(c->waiter);
}

struct h1_conn *h1_conn_new(struct h1_net *net, const struct sockaddr *address) {
  struct h1_conn *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->net = net;
  c->waiter = fiber_self();
  uv_tcp_init(net->uv, &c->tcp);
  uv_unref((uv_handle_t *)&c->tcp); /* a pooled connection does not keep the loop; a waiting fiber does */
  c->tcp.data = c;
  net->stats->connections_open++;
  c->connect_status = uv_tcp_connect(&c->connect, &c->tcp, address, on_connect);
  if (c->connect_status < 0) c->state = H1_CONN_FAILED;
  return c;
}

enum err h1_conn_start_read(struct h1_conn *c) {
  return uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0 ? OK : ERR_CONNECT_FAILED;
}

enum err h1_conn_start_tls(struct h1_conn *c, struct str host, bool is_ip, struct h1_tls_resume *resume,
                           struct err_info *info) {
  enum err e = h1_tls_session_init(&c->net->tls, &c->tls, host, is_ip, resume);
  if (!e) e = h1_conn_start_read(c);
  if (!e) e = h1_tls_handshake(&c->tls, info);
  if (e) return e;
  c->tls_info = info;
  flush(c, false);
  return OK;
}
