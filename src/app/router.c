/* Paths to endpoints: see router.h. */
#include "app/router.h"

#include "admin/home.h"
#include "admin/models_refresh.h"
#include "api/openai.h"
#include "api/operations.h"
#include "base/metrics.h"
#include "dialect/plain.h"
#include "gateway/exchange.h"

static void router_not_found(struct request_context *rc) {
  struct err_info info = {0};
  enum err e = err_set(&info, ERR_NOT_FOUND, "nothing is served at this path; the API begins at /v1");
  exchange_fail(rc, e, &info);
}

enum { ANY_METHOD = 0xff };

/* HTTP_OTHER in the table means any method; GET brings HEAD along. */
#define MASK(method) \
  ((method) == HTTP_OTHER ? ANY_METHOD : (1u << (method)) | ((method) == HTTP_GET ? 1u << HTTP_HEAD : 0u))
#define METHODS(method) ((method) == HTTP_GET ? STR("GET, HEAD, OPTIONS") : STR("POST, OPTIONS"))

static struct endpoint endpoints[] = {
#define X(method, template, class, accept, dialect, function) \
  {STR(template), {0}, MASK(method), AUTH_CLASS_##class, (accept), &dialect, function, 0},
#include "app/routes.def"
#undef X
};

static const enum http_method methods[] = {
#define X(method, template, class, accept, dialect, function) method,
#include "app/routes.def"
#undef X
};

enum { ENDPOINTS = sizeof endpoints / sizeof *endpoints };

void router_init(void) {
  for (size_t i = 0; i < ENDPOINTS; i++) {
    endpoints[i].methods = METHODS(methods[i]);
    endpoints[i].metrics_label = metrics_endpoint(endpoints[i].route);
  }
}

static bool matches(struct str template, struct str path, struct str *rest) {
  size_t open = template.p[template.n - 1] == '}' ? str_rfind_char(template, '{') : SIZE_MAX;
  if (open == SIZE_MAX) {
    *rest = STR_NONE;
    return str_eq(template, path);
  }
  *rest = str_sub(path, open, path.n);
  return path.n > open && str_has_prefix(path, str_sub(template, 0, open));
}

const struct endpoint *router_find(struct str path, struct str *rest) {
  for (size_t i = 0; i < ENDPOINTS; i++)
    if (matches(endpoints[i].route, path, rest)) return &endpoints[i];
  return &endpoints[ENDPOINTS - 1];
}

void router_handle(struct http_exchange *x, void *arg) {
  struct str rest;
  const struct endpoint *endpoint = router_find(http_exchange_request(x)->path, &rest);
  exchange_run(x, arg, endpoint, rest);
}

void router_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out) {
  struct str rest;
  (void)arg;
  const struct dialect *dialect = path.n ? router_find(path, &rest)->dialect : &dialect_openai_chat;
  dialect->put_error(out, e, info);
}
