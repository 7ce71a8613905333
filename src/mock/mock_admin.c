/* What the mock tells about itself and its models: /healthz, /v1/models and /__mock/. */
#include "mock/mock_call.h"

enum { MODEL_CREATED_S = 1767225600 }; /* 2026-01-01 */

static enum err send_buf(struct http_exchange *x, struct buf *body) {
  enum err e = body->failed ? ERR_NO_MEMORY : mock_call_json(x, 200, buf_str(body));
  buf_clear(body);
  return e;
}

static bool is_hidden(const struct mock *m) { return m->shared->options.is_demo; }

static enum err not_here(struct http_exchange *x, const struct mock_dialect *d) {
  const struct http_request *r = http_exchange_request(x);
  struct str text =
      arena_printf(http_exchange_arena(x), "Invalid URL (%.*s %.*s)", STR_ARG(r->method_name), STR_ARG(r->path));
  return mock_call_error(x, d, &(struct mock_error){404, text, STR("invalid_request_error"), STR_NONE, STR_NONE});
}

enum err mock_admin_health(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  (void)m, (void)d;
  return mock_call_json(x, 200, STR("{\"status\":\"ok\"}\n"));
}

enum err mock_admin_requests(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  if (is_hidden(m)) return not_here(x, d);
  struct buf body;
  buf_init(&body, 0);
  mock_shared_requests_json(m->shared, &body);
  return send_buf(x, &body);
}

enum err mock_admin_stats(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  if (is_hidden(m)) return not_here(x, d);
  struct buf body;
  buf_init(&body, 0);
  mock_shared_stats_json(m->shared, &body);
  return send_buf(x, &body);
}

enum err mock_admin_reset(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  if (is_hidden(m)) return not_here(x, d);
  mock_shared_reset(m->shared);
  return mock_call_json(x, 200, STR("{\"reset\":true}\n"));
}

/* --- models ------------------------------------------------------------------------------------------------------- */

static void put_model(struct buf *out, struct str id) {
  buf_put(out, STR("{\n      \"id\": "));
  buf_put_json(out, id);
  buf_put(out, STR(",\n      \"object\": \"model\",\n      \"created\": "));
  buf_put_u64(out, MODEL_CREATED_S);
  buf_put(out, STR(",\n      \"owned_by\": \"maestro\"\n    }"));
}

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

enum err mock_models_list(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  (void)d;
  struct buf body;
  struct str id;
  buf_init(&body, 0);
  buf_put(&body, STR("{\n  \"object\": \"list\",\n  \"data\": ["));
  for (size_t i = 0; model_at(m, i, &id); i++) {
    if (str_has_suffix(id, STR("-"))) continue;
    buf_put(&body, i ? STR(",\n    ") : STR("\n    "));
    put_model(&body, id);
  }
  buf_put(&body, STR("\n  ]\n}\n"));
  return send_buf(x, &body);
}

enum err mock_models_get(struct http_exchange *x, struct mock *m, const struct mock_dialect *d) {
  struct str path = http_exchange_request(x)->path;
  struct str wanted = str_sub(path, str_find(path, STR("/models/")) + 8, path.n), id;
  struct mock_plan plan = {0};
  bool is_known = !is_hidden(m) && mock_plan_apply(&plan, wanted);
  for (size_t i = 0; !is_known && model_at(m, i, &id); i++)
    is_known = str_eq(id, wanted) && !str_has_suffix(id, STR("-"));
  if (!is_known) {
    struct str text = arena_printf(http_exchange_arena(x), "The model '%.*s' does not exist", STR_ARG(wanted));
    return mock_call_error(
        x, d, &(struct mock_error){404, text, STR("invalid_request_error"), STR("model"), STR("model_not_found")});
  }
  struct buf body;
  buf_init(&body, 0);
  put_model(&body, wanted);
  buf_put_char(&body, '\n');
  return send_buf(x, &body);
}
