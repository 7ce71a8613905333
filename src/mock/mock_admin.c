/* What the mock tells about itself and its models: /healthz, /v1/models and /__mock/. */
#include "mock/mock_call.h"

enum { MODELS_MAX = 128 };

static enum err send_buf(struct http_exchange *x, const struct mock_target *t, struct buf *body) {
  struct http_header type = {STR("Content-Type"), mock_call_json_type(t->dialect)};
  enum err e =
      body->failed ? ERR_NO_MEMORY : http_exchange_reply(x, 200, (struct http_headers){&type, 1}, buf_str(body));
  buf_clear(body);
  return e;
}

static bool is_hidden(const struct mock *m) { return m->shared->options.is_demo; }

static enum err not_here(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  const struct http_request *r = http_exchange_request(x);
  struct str text =
      arena_printf(http_exchange_arena(x), "Invalid URL (%.*s %.*s)", STR_ARG(r->method_name), STR_ARG(r->path));
  return mock_call_error(x, m, t->dialect, &(struct mock_error){.status = 404, .message = text});
}

enum err mock_admin_health(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  (void)m, (void)t;
  return mock_call_json(x, 200, STR("{\"status\":\"ok\"}\n"));
}

enum err mock_admin_requests(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  if (is_hidden(m)) return not_here(x, m, t);
  struct buf body;
  buf_init(&body, 0);
  mock_shared_requests_json(m->shared, &body);
  return send_buf(x, t, &body);
}

enum err mock_admin_stats(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  if (is_hidden(m)) return not_here(x, m, t);
  struct buf body;
  buf_init(&body, 0);
  mock_shared_stats_json(m->shared, &body);
  return send_buf(x, t, &body);
}

enum err mock_admin_reset(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  if (is_hidden(m)) return not_here(x, m, t);
  mock_shared_reset(m->shared);
  return mock_call_json(x, 200, STR("{\"reset\":true}\n"));
}

/* --- models ------------------------------------------------------------------------------------------------------- */

/* The plain models, then every behaviour that needs no number. False past the end. */
static bool model_at(const struct mock *m, size_t i, struct str *id) {
  static const char *const plain[] = {"mock-small", "mock-large"};
  if (is_hidden(m)) {
    *id = STR("demo");
    return i == 0;
  }
  if (i < 2) {
    *id = str_from_c(plain[i]);
    return true;
  }
  struct str help;
  return mock_plan_row(i - 2, id, &help);
}

enum err mock_models_list(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  struct str ids[MODELS_MAX], id;
  struct buf body;
  struct arena *a = http_exchange_arena(x);
  struct str *shown = ids;
  size_t n = 0;
  for (size_t i = 0; n < MODELS_MAX && model_at(m, i, &id); i++)
    if (!str_has_suffix(id, STR("-"))) ids[n++] = id;
  if (t->dialect == &mock_ollama && !is_hidden(m)) {
    shown = ARENA_NEW_ARRAY(a, struct str, n + MOCK_SHELF_MAX);
    n = shown ? mock_shelf_list(&m->shared->shelf, ids, n, a, shown, n + MOCK_SHELF_MAX) : 0;
  }
  buf_init(&body, 0);
  t->dialect->models(shown, n, &body);
  return send_buf(x, t, &body);
}

enum err mock_models_get(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  struct str wanted = t->wildcard, id;
  struct mock_plan plan = {0};
  bool is_known = !is_hidden(m) && mock_plan_apply(&plan, wanted);
  for (size_t i = 0; !is_known && model_at(m, i, &id); i++)
    is_known = str_eq(id, wanted) && !str_has_suffix(id, STR("-"));
  if (!is_known) {
    struct str text = arena_printf(http_exchange_arena(x), "The model '%.*s' does not exist", STR_ARG(wanted));
    return mock_call_error(
        x, m, t->dialect,
        &(struct mock_error){.status = 404, .message = text, .param = STR("model"), .code = STR("model_not_found")});
  }
  struct buf body;
  buf_init(&body, 0);
  t->dialect->model(wanted, &body);
  return send_buf(x, t, &body);
}
