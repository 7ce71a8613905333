/* Routes of the mock: see mock.h and route.def. */
#include "mock/mock.h"

#include <stdlib.h>

#include "mock/mock_call.h"

struct route {
  enum http_method method;
  struct str path, condition;
  mock_route_fn *fn;
  const struct mock_dialect *dialect;
};

static const struct route routes[] = {
#define X(method, path, condition, fn, dialect) {method, STR(path), STR(condition), fn, &dialect},
#include "mock/route.def"
#undef X
};
enum { ROUTES = sizeof routes / sizeof routes[0] };

/* *wildcard: what the pattern's star stands for, which is not nothing. */
static bool is_match(struct str pattern, struct str path, struct str *wildcard) {
  size_t star = str_find_char(pattern, '*');
  if (star == SIZE_MAX) return str_eq(pattern, path);
  struct str tail = str_sub(pattern, star + 1, pattern.n);
  if (path.n < pattern.n || !str_has_prefix(path, str_sub(pattern, 0, star)) || !str_has_suffix(path, tail))
    return false;
  *wildcard = str_sub(path, star, path.n - tail.n);
  return true;
}

static bool has_pair(struct str query, struct str start) {
  struct str pair;
  while (query.n) {
    str_cut(query, '&', &pair, &query);
    if (str_has_prefix(pair, start)) return true;
  }
  return false;
}

static bool is_for(const struct route *route, const struct http_request *r) {
  if (route->method != r->method) return false;
  if (str_has_prefix(route->condition, STR("?"))) return has_pair(r->query, str_sub(route->condition, 1, SIZE_MAX));
  return route->condition.n == 0 || http_header_count(r->headers, route->condition) > 0;
}

static struct str decoded_path(struct http_exchange *x) {
  struct str path = http_exchange_request(x)->path;
  if (str_find_char(path, '%') == SIZE_MAX) return path;
  char *out = arena_alloc(http_exchange_arena(x), path.n);
  return out ? str_from(out, str_percent_decode(path, out, path.n)) : path;
}

static enum err refuse(struct http_exchange *x, struct mock *m, struct str path, const struct route *known) {
  const struct http_request *r = http_exchange_request(x);
  struct arena *a = http_exchange_arena(x);
  struct mock_error fault = {.status = 404};
  if (known) {
    fault.status = 405;
    fault.code = STR("method_not_supported");
    fault.message =
        arena_printf(a, "Not allowed to %.*s on %.*s (HINT: Perhaps you meant to use a different HTTP method?)",
                     STR_ARG(r->method_name), STR_ARG(r->path));
  } else {
    fault.message = arena_printf(a, "Invalid URL (%.*s %.*s)", STR_ARG(r->method_name), STR_ARG(r->path));
  }
  return mock_call_error(x, m, known ? known->dialect : mock_dialect_of_path(path), &fault);
}

/* A request that no call reads is recorded here, so that a followed redirect or a wrong path is seen. */
static enum err record_stray(struct http_exchange *x, struct mock *m) {
  struct str body = STR_NONE;
  struct mock_shared *s = m->shared;
  if (!s->options.record) return OK;
  enum err e = http_exchange_read_body(x, &(struct http_body_options){0}, &body, NULL);
  if (e != ERR_CANCELLED) mock_shared_record(s, http_exchange_request(x), body);
  return e == ERR_CANCELLED ? e : OK;
}

static bool is_own(struct str path) { return str_has_prefix(path, STR("/__mock/")) || str_eq(path, STR("/healthz")); }

void mock_handle(struct http_exchange *x, void *mock) {
  struct mock *m = mock;
  const struct http_request *r = http_exchange_request(x);
  const struct route *known = NULL;
  struct mock_target target = {.path = decoded_path(x)};
  if (!is_own(r->path)) mock_count(&m->counters.requests, 1);
  for (size_t i = 0; i < ROUTES; i++) {
    if (!is_match(routes[i].path, target.path, &target.wildcard)) continue;
    known = &routes[i];
    if (!is_for(known, r)) continue;
    target.dialect = known->dialect;
    if (known->fn != mock_call_run && !is_own(r->path) && record_stray(x, m)) return;
    (void)known->fn(x, m, &target); /* nobody is left to tell */
    return;
  }
  if (record_stray(x, m)) return;
  (void)refuse(x, m, target.path, known);
}

void mock_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out) {
  (void)arg;
  const struct mock_dialect *d = mock_dialect_of_path(path);
  struct mock_error fault = {.status = err_info_status(e, info),
                             .message = str_from_c(err_info_text(e, info)),
                             .code = str_from_c(err_info_code(e, info))};
  fault = mock_dialect_error(d, &fault);
  d->error(&fault, out);
}

enum err mock_new(struct mock **out, struct mock_shared *shared, struct err_info *info) {
  struct mock *m = calloc(1, sizeof *m);
  if (!m) return err_set(info, ERR_NO_MEMORY, "no memory for the mock");
  m->shared = shared;
  pthread_mutex_lock(&shared->lock);
  uint64_t index = 0;
  for (struct mock *other = shared->workers; other; other = other->next) index++;
  m->id_salt = (shared->options.seed + 1) * 0x9e3779b97f4a7c15u ^ index << 48;
  m->next = shared->workers;
  shared->workers = m;
  pthread_mutex_unlock(&shared->lock);
  *out = m;
  return OK;
}

void mock_free(struct mock *m) {
  if (!m) return;
  pthread_mutex_lock(&m->shared->lock);
  struct mock **link = &m->shared->workers;
  while (*link && *link != m) link = &(*link)->next;
  if (*link) *link = m->next;
  pthread_mutex_unlock(&m->shared->lock);
  free(m);
}

void mock_watch(struct mock *m, const struct http_server *server) {
  pthread_mutex_lock(&m->shared->lock);
  m->server = server;
  pthread_mutex_unlock(&m->shared->lock);
}
