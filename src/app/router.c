/* Paths to endpoints: see router.h. */
#include "app/router.h"

#include "admin/audit.h"
#include "admin/catalog_reads.h"
#include "admin/home.h"
#include "admin/models_refresh.h"
#include "admin/names/names.h"
#include "admin/nodes/nodes.h"
#include "admin/nodes/nodes_ask.h"
#include "admin/nodes/nodes_manage.h"
#include "admin/openapi/openapi.h"
#include "admin/openapi/openapi_ops.h"
#include "admin/people/sessions.h"
#include "admin/people/subject_limits.h"
#include "admin/people/teams.h"
#include "admin/people/users.h"
#include "admin/priorities.h"
#include "admin/records/dashboard.h"
#include "admin/records/records.h"
#include "admin/seeds.h"
#include "admin/settings.h"
#include "api/models.h"
#include "api/ollama.h"
#include "api/ollama_manage.h"
#include "api/operations.h"
#include "api/responses.h"
#include "base/metrics.h"
#include "dialect/plain.h"
#include "gateway/exchange.h"

/* The address that a client was given ends in what the client adds itself: the commonest mistake of all. */
static bool is_doubled(struct str path) {
  static const struct str beginnings[] = {STR("/v1/v1/"), STR("/v1/v1beta/"), STR("/v1/api/"), STR("/v1beta/v1beta/"),
                                          STR("/api/api/")};
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (str_has_prefix(path, beginnings[i])) return true;
  return false;
}

static void router_not_found(struct request_context *rc) {
  struct err_info info = {0};
  enum err e = err_set(&info, ERR_NOT_FOUND, "nothing is served at this path; %s",
                       is_doubled(rc->request->path)
                           ? "the client adds the first part of it by itself, so leave that out of its address"
                           : "GET / lists what is");
  exchange_fail(rc, e, &info);
}

enum { ANY_METHOD = 0xff };

/* HTTP_OTHER in the table means any method; GET brings HEAD along. */
#define MASK(method) \
  ((method) == HTTP_OTHER ? ANY_METHOD : (1u << (method)) | ((method) == HTTP_GET ? 1u << HTTP_HEAD : 0u))

static struct endpoint endpoints[] = {
#define X(method, template, class, accept, header, what, dialect, function) \
  {STR(template), STR(header), {0}, MASK(method), (what), AUTH_CLASS_##class, (accept), &dialect, function, 0},
#include "app/routes.def"
#undef X
};

enum { ENDPOINTS = sizeof endpoints / sizeof *endpoints };

/* What Allow says of a set of methods. The texts are made once, at the start. */
static struct str methods_of(unsigned mask) {
  static const enum http_method order[] = {HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE};
  static char texts[ANY_METHOD + 1][64];
  struct buf b = {.p = texts[mask], .cap = sizeof texts[mask], .limit_bytes = sizeof texts[mask]};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    if (!(mask & 1u << order[i])) continue;
    buf_put(&b, http_method_name(order[i]));
    buf_put(&b, STR(", "));
  }
  buf_put(&b, STR("OPTIONS"));
  return buf_str(&b);
}

/* The administration: who has signed in may come with a cookie. */
static bool takes_sessions(enum auth_class class) { return class >= AUTH_CLASS_API_READ && class < AUTH_CLASS_COUNT; }

void router_init(void) {
  for (size_t i = 0; i < ENDPOINTS; i++) {
    unsigned mask = 0;
    if (takes_sessions(endpoints[i].class)) endpoints[i].accept |= AUTH_ACCEPT_SESSION;
    for (size_t k = 0; k < ENDPOINTS; k++)
      if (str_eq(endpoints[k].route, endpoints[i].route)) mask |= endpoints[k].method_mask;
    endpoints[i].methods = methods_of(mask);
    endpoints[i].metrics_label = metrics_endpoint(endpoints[i].route);
  }
  openapi_ops_init(endpoints, ENDPOINTS);
}

/* "{first}/middle/{second}tail": the first stands for one segment. *rest is all from the first to before the tail. */
static bool matches_two(struct str template, size_t open, struct str path, struct str *rest) {
  struct str middle = str_sub(template, str_find_char(template, '}') + 1, template.n), tail;
  size_t second = str_find_char(middle, '{');
  tail = str_sub(middle, str_find_char(middle, '}') + 1, middle.n);
  middle = str_sub(middle, 0, second);
  if (path.n < open + tail.n || !str_has_prefix(path, str_sub(template, 0, open)) || !str_has_suffix(path, tail))
    return false;
  struct str all = str_sub(path, open, path.n - tail.n);
  size_t slash = str_find_char(all, '/');
  if (slash == SIZE_MAX || slash == 0 || !str_has_prefix(str_sub(all, slash, all.n), middle)) return false;
  if (all.n == slash + middle.n) return false;
  *rest = all;
  return true;
}

/* A {name} stands for one byte at least; what is behind it decides by its last occurrence ("a:b:generateContent"). */
static bool matches(const struct endpoint *e, struct str path, struct str *rest) {
  struct str template = e->route;
  size_t open = str_find_char(template, '{');
  *rest = STR_NONE;
  if (open == SIZE_MAX) return str_eq(template, path);
  struct str tail = str_sub(template, str_find_char(template, '}') + 1, template.n);
  if (str_find_char(tail, '{') != SIZE_MAX) return matches_two(template, open, path, rest);
  if (path.n < open + tail.n || !str_has_prefix(path, str_sub(template, 0, open)) || !str_has_suffix(path, tail))
    return false;
  *rest = str_sub(path, open, path.n - tail.n);
  return rest->n > 0 && !(e->what & SEGMENT && str_find_char(*rest, '/') != SIZE_MAX);
}

const struct endpoint *router_find(struct str path, enum http_method method, struct http_headers headers,
                                   struct str *rest) {
  const struct endpoint *other_method = NULL;
  struct str other_rest = STR_NONE;
  for (size_t i = 0; i < ENDPOINTS; i++) {
    const struct endpoint *e = &endpoints[i];
    if (!matches(e, path, rest)) continue;
    if (e->header.n && !http_header_get(headers, e->header).p) continue;
    bool is_catch_all = e->method_mask == ANY_METHOD;
    if (e->method_mask & (1u << method) && !(is_catch_all && other_method)) return e;
    if (!other_method && !is_catch_all) other_method = e, other_rest = *rest;
  }
  *rest = other_rest;
  return other_method ? other_method : &endpoints[ENDPOINTS - 1];
}

void router_handle(struct http_exchange *x, void *arg) {
  struct str rest;
  const struct http_request *q = http_exchange_request(x);
  const struct endpoint *endpoint = router_find(q->path, q->method, q->headers, &rest);
  exchange_run(x, arg, endpoint, rest);
}

void router_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out) {
  struct str rest;
  (void)arg;
  const struct dialect *dialect =
      path.n ? router_find(path, HTTP_POST, (struct http_headers){0}, &rest)->dialect : &dialect_openai_chat;
  dialect->put_error(out, e, info);
}
