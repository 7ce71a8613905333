/* Output of a connection: straight to the kernel while that takes it, else into one buffer per connection that poll
 * drains. A writer on a fiber suspends above the high watermark, so a slow reader holds at most that much here. Callers
 * are http_reply.c and http_body.c (100 Continue). Invariant: while out is not empty poll watches for UV_WRITABLE and
 * write_deadline_us is set; it moves only when the client takes a byte. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "io/http_server_internal.h"

enum { OUT_MIN_BYTES = 4096 };

static void restart_deadline(struct http_conn *c) {
  c->write_deadline_us = loop_now_us() + (uint64_t)c->server->options.limits.write_timeout_ms * 1000;
}

void http_out_clear(struct http_conn *c) {
  free(c->out.p);
  held_charge(&c->out.charged, 0);
  c->out = (struct http_out){0};
}

/* Bytes taken by the kernel; 0 when it takes none now, -1 when the client has gone. */
static ssize_t send_now(struct http_conn *c, struct iovec *v, int count) {
  const struct msghdr message = {.msg_iov = v, .msg_iovlen = (size_t)count};
  ssize_t n;
  do n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n >= 0) return n;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return 0;
  http_conn_gone(c);
  return -1;
}

void http_out_flush(struct http_conn *c) {
  struct http_out *o = &c->out;
  struct iovec v = {o->p + o->at, o->n - o->at};
  const ssize_t sent = v.iov_len ? send_now(c, &v, 1) : 0;
  if (sent < 0) return;
  if (sent > 0) restart_deadline(c);
  o->at += (size_t)sent;
  if (o->at == o->n) http_out_clear(c);
  if (o->n - o->at <= c->server->options.limits.write_low_bytes) fiber_wake(c->writer);
  if (o->n == 0) http_conn_update(c);
}

static bool append(struct http_conn *c, const char *p, size_t n) {
  struct http_out *o = &c->out;
  if (o->cap - o->n < n && o->at) {
    memmove(o->p, o->p + o->at, o->n - o->at);
    o->n -= o->at;
    o->at = 0;
  }
  if (o->cap - o->n < n) {
    size_t cap = o->cap ? o->cap * 2 : OUT_MIN_BYTES;
    if (cap < o->n + n) cap = o->n + n;
    char *grown = realloc(o->p, cap);
    if (!grown) return false;
    o->p = grown;
    o->cap = cap;
    held_charge(&o->charged, cap);
  }
  if (o->n == 0) restart_deadline(c);
  memcpy(o->p + o->n, p, n);
  o->n += n;
  return true;
}

/* Drops the first n bytes of the slices. */
static void skip(struct iovec **v, int *count, size_t n) {
  while (*count && n >= (*v)->iov_len) {
    n -= (*v)->iov_len;
    ++*v;
    --*count;
  }
  if (*count == 0) return;
  (*v)->iov_base = (char *)(*v)->iov_base + n;
  (*v)->iov_len -= n;
}

/* Sends what goes, queues up to about `most` bytes in all. False when the client has gone. */
static bool push(struct http_conn *c, struct iovec **v, int *count, size_t most) {
  if (c->fd < 0) return false;
  if (c->out.n == 0) {
    const ssize_t sent = send_now(c, *v, *count);
    if (sent < 0) return false;
    skip(v, count, (size_t)sent);
  }
  while (*count) {
    const size_t queued = c->out.n - c->out.at, room = most > queued ? most - queued : 0;
    /* Small slices are never split: a head lies in a buffer that the next reply overwrites. */
    const bool is_whole = (*v)->iov_len <= HTTP_HEAD_BYTES || (*v)->iov_len <= room;
    const size_t n = is_whole ? (*v)->iov_len : room;
    if (n == 0 && (*v)->iov_len) break;
    if (n && !append(c, (*v)->iov_base, n)) {
      http_conn_gone(c); /* no memory: an incomplete reply can only be cut */
      return false;
    }
    skip(v, count, n);
  }
  http_conn_update(c);
  return true;
}

enum err http_out_send(struct http_conn *c, struct iovec *v, int count) {
  return push(c, &v, &count, SIZE_MAX) ? OK : ERR_CANCELLED;
}

/* Until the queue is down at the low watermark. */
WAIT static enum err wait_for_room(struct http_conn *c) {
  enum err e = OK;
  c->writer = fiber_self();
  while (!e && c->fd >= 0 && c->out.n - c->out.at > c->server->options.limits.write_low_bytes)
    e = fiber_park(DEADLINE_NONE);
  c->writer = (struct fiber_id){NULL, 0};
  return c->fd < 0 ? ERR_CANCELLED : e;
}

enum err http_out_write(struct http_conn *c, struct iovec *v, int count) {
  const size_t high = c->server->options.limits.write_high_bytes;
  for (;;) {
    if (!push(c, &v, &count, high)) return ERR_CANCELLED;
    if (count == 0 && c->out.n - c->out.at < high) return OK;
    const enum err e = wait_for_room(c);
    if (e || count == 0) return e;
  }
}
