/* A curl multi handle driven by libuv: see curl_loop.h. */
#include "io/curl_loop.h"

#include <stdlib.h>
#include <unistd.h>

enum { DRIVE_ROUNDS_MAX = 8 };

struct curl_loop_socket {
  uv_poll_t poll;
  struct curl_loop *owner;
  curl_socket_t fd;
  int wanted; /* by curl: UV_READABLE, UV_WRITABLE */
  int polled; /* registered with libuv */
  bool is_connected, is_silent;
};

static void on_timer(uv_timer_t *timer);

/* Lets curl do what is due, then reports what has finished. */
static void drive(struct curl_loop *l) {
  int running;
  for (unsigned i = 0; l->timeout_due && i < DRIVE_ROUNDS_MAX; i++) {
    l->timeout_due = false;
    loop_enter_callback();
    curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    loop_leave_callback();
  }
  int left;
  for (CURLMsg *m; (m = curl_multi_info_read(l->multi, &left));) {
    if (m->msg != CURLMSG_DONE) continue;
    CURL *easy = m->easy_handle;
    CURLcode result = m->data.result;
    loop_enter_callback();
    curl_multi_remove_handle(l->multi, easy); /* m is gone from here */
    loop_leave_callback();
    l->on_done(easy, result);
  }
  if (l->timeout_due) uv_timer_start(l->timer, on_timer, 0, 0);
}

static struct curl_loop_socket *find(const struct curl_loop *l, curl_socket_t fd) {
  return fd >= 0 && (size_t)fd < l->sockets ? l->socket[fd] : NULL;
}

static struct curl_loop_socket *adopt(struct curl_loop *l, curl_socket_t fd) {
  if ((size_t)fd >= l->sockets) {
    size_t count = l->sockets ? l->sockets : 64;
    while (count <= (size_t)fd) count *= 2;
    struct curl_loop_socket **grown = realloc(l->socket, count * sizeof *grown);
    if (!grown) return NULL;
    memset(grown + l->sockets, 0, (count - l->sockets) * sizeof *grown);
    l->socket = grown;
    l->sockets = count;
  }
  struct curl_loop_socket *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  if (uv_poll_init_socket(l->uv, &s->poll, fd) != 0) {
    free(s);
    return NULL;
  }
  uv_unref((uv_handle_t *)&s->poll);
  s->poll.data = s;
  s->owner = l;
  s->fd = fd;
  l->socket[fd] = s;
  l->open++;
  return s;
}

static void free_socket(uv_handle_t *handle) { free(handle->data); }

/* Out of the poll set at once, so the descriptor may go. */
static void drop(struct curl_loop *l, curl_socket_t fd) {
  struct curl_loop_socket *s = find(l, fd);
  if (!s) return;
  l->socket[fd] = NULL;
  l->open--;
  uv_close((uv_handle_t *)&s->poll, free_socket);
}

/* curl takes a pooled connection for usable when bytes wait on it (7.88), and they would pass for the next reply. */
static void spoil(curl_socket_t fd) {
  char waste[2048];
  shutdown(fd, SHUT_RDWR);
  for (unsigned i = 0; i < 64 && recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0; i++) continue;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct curl_loop_socket *s = poll->data;
  struct curl_loop *l = s->owner;
  if (status < 0) {
    events = s->wanted; /* libuv has stopped the poll */
    s->polled = 0;
  } else if ((events & s->wanted) == 0) {
    /* An idle or paused connection stirred: only now stop watching it (see on_socket). */
    uv_poll_stop(poll);
    s->polled = 0;
    if (s->is_silent) spoil(s->fd);
    if (s->wanted && uv_poll_start(poll, s->wanted, on_poll) == 0) s->polled = s->wanted;
    return;
  }
  int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
              (status < 0 ? CURL_CSELECT_ERR : 0);
  int running;
  loop_enter_callback();
  curl_multi_socket_action(l->multi, s->fd, flags, &running);
  loop_leave_callback();
  drive(l);
}

/* Stopping and starting a poll costs two system calls, and curl loses interest in a connection after each reply. So a
 * readable poll stays until something happens on it while nobody wants to know. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned) {
  (void)assigned;
  struct curl_loop *l = arg;
  struct curl_loop_socket *s = find(l, fd);
  if (what == CURL_POLL_REMOVE && s && !s->is_connected) {
    /* curl closes a socket that never connected by itself, without its close callback (7.88). */
    drop(l, fd);
    return 0;
  }
  if (!s && what != CURL_POLL_REMOVE) s = adopt(l, fd);
  if (!s) return what == CURL_POLL_REMOVE ? 0 : -1;
  s->wanted = what == CURL_POLL_IN      ? UV_READABLE
              : what == CURL_POLL_OUT   ? UV_WRITABLE
              : what == CURL_POLL_INOUT ? UV_READABLE | UV_WRITABLE
                                        : 0;
  s->is_silent = s->wanted == 0 && l->is_silent(easy);
  s->is_connected |= (s->wanted & UV_READABLE) != 0; /* while it connects, only writable is asked for */
  int target = s->wanted | (s->polled & UV_READABLE);
  if (target == s->polled) return 0;
  if (target) {
    s->polled = uv_poll_start(&s->poll, target, on_poll) == 0 ? target : 0;
  } else {
    uv_poll_stop(&s->poll);
    s->polled = 0;
  }
  return 0;
}

static void on_timer(uv_timer_t *timer) {
  struct curl_loop *l = timer->data;
  l->timeout_due = true;
  drive(l);
}

static int on_timeout_change(CURLM *multi, long timeout_ms, void *arg) {
  (void)multi;
  struct curl_loop *l = arg;
  l->timeout_due = timeout_ms == 0; /* curl must not be entered from here */
  if (timeout_ms > 0) {
    uv_timer_start(l->timer, on_timer, (uint64_t)timeout_ms, 0);
  } else {
    uv_timer_stop(l->timer);
  }
  return 0;
}

static void free_handle(uv_handle_t *handle) { free(handle); }

enum err curl_loop_init(struct curl_loop *l, struct loop *loop, void (*on_done)(CURL *, CURLcode),
                        bool (*is_silent)(CURL *), struct err_info *info) {
  *l = (struct curl_loop){.uv = loop_uv(loop), .on_done = on_done, .is_silent = is_silent};
  l->multi = curl_multi_init();
  l->timer = malloc(sizeof *l->timer);
  if (!l->multi || !l->timer) {
    curl_multi_cleanup(l->multi);
    free(l->timer);
    return err_set(info, ERR_NO_MEMORY, "out of memory");
  }
  uv_timer_init(l->uv, l->timer);
  uv_unref((uv_handle_t *)l->timer);
  l->timer->data = l;
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
  curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
  return OK;
}

void curl_loop_clear(struct curl_loop *l) {
  if (!l->multi) return;
  loop_enter_callback();
  curl_multi_cleanup(l->multi); /* closes the pooled connections through curl_loop_close */
  loop_leave_callback();
  uv_timer_stop(l->timer);
  uv_close((uv_handle_t *)l->timer, free_handle);
  free(l->socket);
  *l = (struct curl_loop){0};
}

enum err curl_loop_add(struct curl_loop *l, CURL *easy) {
  loop_enter_callback();
  CURLMcode rc = curl_multi_add_handle(l->multi, easy);
  loop_leave_callback();
  if (rc) return ERR_NO_MEMORY;
  l->timeout_due = true;
  drive(l);
  return OK;
}

void curl_loop_remove(struct curl_loop *l, CURL *easy) {
  loop_enter_callback();
  curl_multi_remove_handle(l->multi, easy);
  loop_leave_callback();
  drive(l);
}

void curl_loop_unpause(struct curl_loop *l, CURL *easy) {
  loop_enter_callback();
  curl_easy_pause(easy, CURLPAUSE_CONT);
  loop_leave_callback();
  drive(l);
}

void curl_loop_nudge(struct curl_loop *l) {
  int running;
  loop_enter_callback();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* for its cost, which is rare here */
  curl_multi_socket_all(l->multi, &running);
#pragma GCC diagnostic pop
  loop_leave_callback();
  drive(l);
}

curl_socket_t curl_loop_open(struct curl_loop *l, const struct curl_sockaddr *address) {
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  drop(l, fd); /* a leftover can only be of a descriptor that was closed */
  if (adopt(l, fd)) return fd;
  close(fd);
  return CURL_SOCKET_BAD;
}

int curl_loop_close(void *l, curl_socket_t fd) {
  drop(l, fd);
  return close(fd);
}
