/* A worker's HTTP server: set-up, limits, the sweep that enforces every timeout, drain and end. Made on the worker's
 * thread by app; connections live in http_conn.c. Timeouts cost a request one store: each connection carries a
 * deadline, and one coarse timer per server looks at all of them a few times within the shortest limit. Invariant: the
 * sweep runs while there is a connection, a pause of accepting, or a drain. */
#include <stdlib.h>

#include "io/http_server_internal.h"

enum { SWEEP_SHARE = 8, SWEEP_MIN_MS = 5, SWEEP_MAX_MS = 500, SWEEP_DRAIN_MS = 20 };

static size_t default_held_bytes(void) {
  uint64_t total = uv_get_total_memory(), allowed = uv_get_constrained_memory();
  if (allowed && allowed < total) total = allowed;
  return total ? (size_t)(total / 4) : (size_t)256 << 20;
}

static void set_defaults(struct http_server_limits *l) {
#define DEFAULT(member, value) \
  if (l->member == 0) l->member = (value)
  DEFAULT(target_bytes, 8 << 10);
  DEFAULT(header_bytes, 64 << 10);
  DEFAULT(header_count, 100);
  DEFAULT(body_bytes, 64 << 20);
  DEFAULT(inflate_ratio, 100);
  DEFAULT(connections, 10000);
  DEFAULT(held_bytes, default_held_bytes());
  DEFAULT(held_wait_ms, 2000);
  DEFAULT(header_timeout_ms, 10000);
  DEFAULT(body_timeout_ms, 30000);
  DEFAULT(idle_timeout_ms, 75000);
  DEFAULT(write_timeout_ms, 60000);
  DEFAULT(write_high_bytes, 256 << 10);
  DEFAULT(write_low_bytes, 64 << 10);
#undef DEFAULT
  if (l->write_low_bytes > l->write_high_bytes) l->write_low_bytes = l->write_high_bytes;
}

static uint64_t sweep_period_ms(const struct http_server *s) {
  const struct http_server_limits *l = &s->options.limits;
  if (s->is_draining) return SWEEP_DRAIN_MS;
  uint64_t least = l->header_timeout_ms;
  if (l->body_timeout_ms < least) least = l->body_timeout_ms;
  if (l->idle_timeout_ms < least) least = l->idle_timeout_ms;
  if (l->write_timeout_ms < least) least = l->write_timeout_ms;
  least /= SWEEP_SHARE;
  return least < SWEEP_MIN_MS ? SWEEP_MIN_MS : least > SWEEP_MAX_MS ? SWEEP_MAX_MS : least;
}

static void on_handle_closed(uv_handle_t *handle) {
  struct http_server *s = handle->data;
  if (--s->handles_open == 0 && s->on_drained) s->on_drained(s->drained_arg);
}

static void close_if_drained(struct http_server *s) {
  if (!s->is_draining || s->is_closing || s->conns) return;
  s->is_closing = true;
  uv_close((uv_handle_t *)&s->accept_poll, on_handle_closed);
  uv_close((uv_handle_t *)&s->wake, on_handle_closed);
  uv_close((uv_handle_t *)&s->sweep, on_handle_closed);
}

static void on_sweep(uv_timer_t *timer) {
  struct http_server *s = timer->data;
  const uint64_t now_us = loop_now_us();
  const bool is_over = s->is_draining && now_us >= s->drain_deadline_us;
  for (struct http_conn *c = s->conns, *next; c; c = next) {
    next = c->next; /* a connection leaves the list in a callback of its own, never here */
    if (is_over && !c->x)
      http_conn_close(c);
    else if (is_over && !s->is_cancelled)
      fiber_cancel(c->x->fiber);
    else
      http_conn_sweep(c, now_us);
  }
  s->is_cancelled |= is_over;
  if (s->accept_after_us) http_listener_update(s);
  if (s->conns || s->accept_after_us) uv_timer_start(timer, on_sweep, sweep_period_ms(s), 0);
}

void http_server_start_sweep(struct http_server *s) {
  if (!uv_is_active((uv_handle_t *)&s->sweep)) uv_timer_start(&s->sweep, on_sweep, sweep_period_ms(s), 0);
}

static void on_wake(uv_async_t *wake) { http_listener_update(wake->data); }

static void free_memory(struct http_server *s) {
  http_exchange_free_all(s);
  http_parse_shared_clear(&s->parse);
  free(s->read_buffer);
  free(s->head_buffer);
  free(s);
}

static void on_open_failed(uv_handle_t *wake) { free_memory(wake->data); }

/* Takes s over: on failure it is freed, once libuv has let go of it. */
static enum err open_handles(struct http_server *s, struct err_info *info) {
  s->accept_poll.data = s->wake.data = s->sweep.data = s;
  int rc = uv_async_init(s->uv, &s->wake, on_wake);
  if (rc) {
    free_memory(s);
    return err_set(info, ERR_IO, "cannot make an HTTP server: %s", uv_strerror(rc));
  }
  rc = uv_poll_init(s->uv, &s->accept_poll, http_listener_fd(s->listener));
  if (rc) {
    uv_close((uv_handle_t *)&s->wake, on_open_failed);
    return err_set(info, ERR_IO, "cannot watch the listening socket: %s", uv_strerror(rc));
  }
  uv_timer_init(s->uv, &s->sweep);
  s->handles_open = 3;
  return OK;
}

enum err http_server_new(struct http_server **out, struct http_listener *listener, unsigned worker_index,
                         const struct http_server_options *options, struct err_info *info) {
  struct http_server *s = calloc(1, sizeof *s);
  if (!s) return err_set(info, ERR_NO_MEMORY, "no memory for an HTTP server");
  s->listener = listener;
  s->index = worker_index;
  s->options = *options;
  s->uv = loop_uv(loop_current());
  set_defaults(&s->options.limits);
  held_set_limit(s->options.limits.held_bytes);
  s->read_buffer = malloc(HTTP_READ_BYTES);
  s->head_buffer = malloc(HTTP_HEAD_BYTES);
  const struct http_server_limits *l = &s->options.limits;
  enum err e = http_parse_shared_init(&s->parse, l->target_bytes, l->header_bytes, l->header_count);
  if (e || !s->read_buffer || !s->head_buffer) {
    free_memory(s);
    return err_set(info, ERR_NO_MEMORY, "no memory for an HTTP server");
  }
  e = open_handles(s, info);
  if (e) return e;
  http_listener_register(listener, s);
  http_listener_update(s);
  *out = s;
  return OK;
}

void http_server_drain(struct http_server *s, uint64_t deadline_us, void (*on_drained)(void *), void *arg) {
  s->drain_deadline_us = deadline_us;
  s->on_drained = on_drained;
  s->drained_arg = arg;
  if (!s->is_draining) {
    s->is_draining = true;
    http_listener_accept_queued(s, UINT32_MAX);
    http_listener_update(s);
    http_listener_leave(s->listener, s);
  }
  uv_timer_start(&s->sweep, on_sweep, 0, 0); /* it closes what is idle */
  close_if_drained(s);
}

void http_server_conn_freed(struct http_server *s) { close_if_drained(s); }

void http_server_free(struct http_server *s) {
  if (!s) return;
  http_listener_leave(s->listener, s);
  free_memory(s);
}

const struct http_server_stats *http_server_stats(const struct http_server *s) { return &s->stats; }

void http_server_set_limits(struct http_server *s, const struct http_server_limits *limits) {
  struct http_server_limits l = *limits;
  set_defaults(&l);
  struct http_parse_shared parse;
  /* Without memory the caps of heads stay as they were; everything else is taken over. */
  if (http_parse_shared_init(&parse, l.target_bytes, l.header_bytes, l.header_count) == OK) {
    http_parse_shared_clear(&s->parse);
    s->parse = parse;
  }
  s->options.limits = l;
  held_set_limit(l.held_bytes);
}
