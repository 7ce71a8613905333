/* The listening socket that all workers poll, and who may accept from it. Opened and closed by main, used by each
 * worker's http_server. The counters are atomics; the mutex guards only the table of servers and is taken when a
 * worker comes, leaves, or must be woken because its turn has come or gone.
 * Invariant: a slot's server is set exactly while that server's wake handle is open. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http_server_internal.h"

enum { BACKLOG = 4096, WORKERS_MAX = 256, ACCEPT_BACKOFF_US = 100000, KEEPALIVE_IDLE_S = 60 };

struct slot {
  _Alignas(64) atomic_uint open; /* connections of that worker */
  atomic_bool is_accepting;
  struct http_server *server; /* under lock */
};

struct http_listener {
  int fd;
  uint16_t port;
  unsigned workers, registered;
  bool is_shut;
  pthread_mutex_t lock;
  struct slot *slots;
};

bool http_listener_is_turn(const uint32_t *open, unsigned k) {
  for (unsigned j = 0; j < k; j++)
    if (open[j] < open[k] + HTTP_ACCEPT_BIAS) return false;
  return true;
}

static enum err parse_address(struct str host, uint16_t port, struct sockaddr_storage *out, socklen_t *length,
                              struct err_info *info) {
  char text[INET6_ADDRSTRLEN];
  if (str_eq_nocase(host, STR("localhost"))) host = STR("127.0.0.1");
  if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') host = str_sub(host, 1, host.n - 1);
  memset(out, 0, sizeof *out);
  if (host.n && host.n < sizeof text) {
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      *length = sizeof *v4;
      return OK;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      *length = sizeof *v6;
      return OK;
    }
  }
  return err_set(info, ERR_BAD_VALUE, "the listening address must be numeric or \"localhost\"");
}

/* Accepted sockets inherit TCP_NODELAY and keep-alive, which saves system calls per connection. */
static void set_options(int fd, int family) {
  const int on = 1, off = 0, idle_s = KEEPALIVE_IDLE_S;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
}

static uint16_t port_of(const struct sockaddr_storage *a) {
  return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                        : ((const struct sockaddr_in *)a)->sin_port);
}

enum err http_listener_open(struct http_listener **out, struct str host, uint16_t port, unsigned workers,
                            struct err_info *info) {
  struct sockaddr_storage address;
  socklen_t length = 0;
  if (workers == 0 || workers > WORKERS_MAX) return err_set(info, ERR_BAD_VALUE, "between 1 and 256 workers");
  enum err e = parse_address(host, port, &address, &length, info);
  if (e) return e;
  struct http_listener *l = calloc(1, sizeof *l);
  if (l) l->slots = aligned_alloc(64, workers * sizeof *l->slots);
  int fd = l && l->slots ? socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
  if (fd < 0) {
    e = err_set(info, ERR_IO, "cannot make a listening socket: %s", strerror(errno));
    goto out;
  }
  set_options(fd, address.ss_family);
  if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
    const char *way_out = errno == EADDRINUSE ? "; end the program that has it, or take another port" : "";
    e = err_set(info, ERR_IO, "cannot listen on %.*s port %u: %s%s", STR_ARG(host), port, strerror(errno), way_out);
    goto out;
  }
  memset(l->slots, 0, workers * sizeof *l->slots);
  pthread_mutex_init(&l->lock, NULL);
  l->fd = fd;
  l->port = port_of(&address);
  l->workers = workers;
  *out = l;
  return OK;
out:
  if (fd >= 0) close(fd);
  if (l) free(l->slots);
  free(l);
  return e;
}

uint16_t http_listener_port(const struct http_listener *l) { return l->port; }
int http_listener_fd(const struct http_listener *l) { return l->fd; }

void http_listener_close(struct http_listener *l) {
  if (!l) return;
  close(l->fd);
  pthread_mutex_destroy(&l->lock);
  free(l->slots);
  free(l);
}

void http_listener_register(struct http_listener *l, struct http_server *s) {
  pthread_mutex_lock(&l->lock);
  l->slots[s->index].server = s;
  l->registered++;
  pthread_mutex_unlock(&l->lock);
}

void http_listener_leave(struct http_listener *l, struct http_server *s) {
  pthread_mutex_lock(&l->lock);
  if (l->slots[s->index].server == s) {
    l->slots[s->index].server = NULL;
    /* From here on the kernel refuses, instead of queueing what nobody will take. */
    if (--l->registered == 0) shutdown(l->fd, SHUT_RD);
  }
  pthread_mutex_unlock(&l->lock);
}

uint32_t http_listener_total(const struct http_listener *l) {
  uint32_t total = 0;
  for (unsigned i = 0; i < l->workers; i++) total += atomic_load_explicit(&l->slots[i].open, memory_order_relaxed);
  return total;
}

void http_listener_set_accepting(struct http_listener *l, unsigned k, bool is_accepting) {
  atomic_store(&l->slots[k].is_accepting, is_accepting);
}

bool http_listener_is_wanted(const struct http_listener *l, unsigned k) {
  uint32_t open[WORKERS_MAX];
  for (unsigned i = 0; i <= k; i++) open[i] = atomic_load(&l->slots[i].open);
  return http_listener_is_turn(open, k);
}

void http_listener_count(struct http_listener *l, unsigned k, int change) {
  if (change > 0)
    atomic_fetch_add(&l->slots[k].open, 1);
  else
    atomic_fetch_sub(&l->slots[k].open, 1);
  for (unsigned other = k + 1; other < l->workers; other++) {
    if (http_listener_is_wanted(l, other) == atomic_load(&l->slots[other].is_accepting)) continue;
    pthread_mutex_lock(&l->lock);
    if (l->slots[other].server) uv_async_send(&l->slots[other].server->wake);
    pthread_mutex_unlock(&l->lock);
  }
}

static void describe_peer(const struct sockaddr_storage *a, uint16_t local_port, struct http_peer *out) {
  *out = (struct http_peer){.port = port_of(a), .local_port = local_port};
  const void *bytes = &((const struct sockaddr_in *)a)->sin_addr;
  int family = a->ss_family;
  if (family == AF_INET6) {
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)a)->sin6_addr;
    out->is_loopback = IN6_IS_ADDR_LOOPBACK(v6);
    bytes = v6;
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
      bytes = v6->s6_addr + 12;
      family = AF_INET;
    }
  }
  if (family == AF_INET) out->is_loopback = *(const unsigned char *)bytes == 127;
  inet_ntop(family, bytes, out->address, sizeof out->address);
}

/* False when there is nothing more to take now. */
static bool accept_one(struct http_server *s) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  int fd = accept4(s->listener->fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      s->stats.connections_refused++;
      s->accept_after_us = loop_now_us() + ACCEPT_BACKOFF_US;
      http_server_start_sweep(s);
      http_listener_update(s);
    }
    return false;
  }
  if (http_listener_total(s->listener) >= s->options.limits.connections) {
    s->stats.connections_refused++;
    http_conn_refuse(s, fd);
    return true;
  }
  struct http_peer peer;
  describe_peer(&address, s->listener->port, &peer);
  http_conn_open(s, fd, &peer);
  return true;
}

void http_listener_accept_queued(struct http_server *s, unsigned most) {
  while (most-- && accept_one(s)) {
    if (!s->is_draining && !http_listener_is_wanted(s->listener, s->index)) return;
  }
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
  struct http_server *s = poll->data;
  (void)events;
  if (status < 0) return;
  /* Few at a time when others may share the load, so that a burst does not land on one worker. */
  http_listener_accept_queued(s, s->listener->workers > 1 ? HTTP_ACCEPT_BIAS : 64);
}

void http_listener_update(struct http_server *s) {
  bool is_wanted = !s->is_draining && http_listener_is_wanted(s->listener, s->index);
  if (is_wanted && s->accept_after_us) {
    is_wanted = loop_now_us() >= s->accept_after_us;
    if (is_wanted) s->accept_after_us = 0;
  }
  if (is_wanted == s->is_accepting) return;
  s->is_accepting = is_wanted;
  http_listener_set_accepting(s->listener, s->index, is_wanted);
  if (is_wanted)
    uv_poll_start(&s->accept_poll, UV_READABLE, on_acceptable);
  else
    uv_poll_stop(&s->accept_poll);
  /* Another worker's count may have changed between the look and the store, and seen the old answer. */
  if (!s->is_draining && !s->accept_after_us && http_listener_is_wanted(s->listener, s->index) != is_wanted)
    uv_async_send(&s->wake);
}
