/* Paths to endpoints: every path of the contract, what is no path of ours, and in whose dialect that is said. */
#include "app/router.h"

#include "admin/people/users.h"
#include "api/models.h"
#include "api/operations.h"
#include "base/metrics.h"
#include "dialect/openai_chat.h"
#include "dialect/plain.h"
#include "gateway/exchange.h"
#include "unit.h"

static const struct endpoint *find(const char *path, const char *rest) {
  struct str got;
  enum http_method method =
      router_find(str_from_c(path), HTTP_GET, (struct http_headers){0}, &got)->method_mask & 2 ? HTTP_GET : HTTP_POST;
  const struct endpoint *e = router_find(str_from_c(path), method, (struct http_headers){0}, &got);
  assert_non_null(e);
  assert_non_null(e->run);
  assert_str(got, str_from_c(rest));
  return e;
}

TEST(what_is_served) {
  router_init();
  static const struct {
    const char *path, *route, *rest;
    void (*run)(struct request_context *);
    const char *allow;
  } rows[] = {
      {"/v1/chat/completions", "/v1/chat/completions", "", exchange_call, "POST, OPTIONS"},
      {"/chat/completions", "/chat/completions", "", exchange_call, "POST, OPTIONS"},
      {"/api/openai/v1/chat/completions", "/api/openai/v1/chat/completions", "", exchange_call, "POST, OPTIONS"},
      {"/v1/models", "/v1/models", "", models_list, "GET, HEAD, OPTIONS"},
      {"/models", "/models", "", models_list, "GET, HEAD, OPTIONS"},
      {"/v1/models/a", "/v1/models/{model}", "a", models_get, "GET, HEAD, OPTIONS"},
      {"/v1/models/p/org/m:1%2f", "/v1/models/{model}", "p/org/m:1%2f", models_get, "GET, HEAD, OPTIONS"},
      {"/models/a/b", "/models/{model}", "a/b", models_get, "GET, HEAD, OPTIONS"},
      {"/health", "/health", "", operations_health, "GET, HEAD, OPTIONS"},
      {"/healthz", "/healthz", "", operations_healthz, "GET, HEAD, OPTIONS"},
      {"/readyz", "/readyz", "", operations_readyz, "GET, HEAD, OPTIONS"},
      {"/metrics", "/metrics", "", operations_metrics, "GET, HEAD, OPTIONS"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct endpoint *e = find(rows[i].path, rows[i].rest);
    assert_str(e->route, str_from_c(rows[i].route));
    assert_true(e->run == rows[i].run);
    assert_str(e->methods, str_from_c(rows[i].allow));
    bool is_get = str_has_prefix(e->methods, STR("GET"));
    assert_int_equal(e->method_mask, is_get ? 1u << HTTP_GET | 1u << HTTP_HEAD : 1u << HTTP_POST);
  }
}

TEST(what_is_not_is_said_in_the_prefixs_dialect) {
  static const char *const openai[] = {"/v1/nothing",           "/v1/models/", "/v1/chat/completions/", "/v1/chat",
                                       "/v1//chat/completions", "/v1/MODELS",  "/api/openai/x",         "/chat/x",
                                       "/api/openai/v1/nothing"};
  static const char *const plain[] = {"/v2", "/x", "/Health", "/health/",     "//", "/v",
                                      "*",   "",   "/api",    "/api/admin/x", "/v1"};
  const struct endpoint *nothing = NULL;
  for (size_t i = 0; i < sizeof openai / sizeof *openai; i++) {
    struct str rest;
    const struct endpoint *e = router_find(str_from_c(openai[i]), HTTP_POST, (struct http_headers){0}, &rest);
    assert_ptr_equal(e->dialect, &dialect_openai_chat);
    assert_int_equal(e->method_mask & 0xfe, 0xfe); /* any method gets its 404 */
    if (nothing) assert_true(e->run == nothing->run);
    nothing = e;
  }
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
    struct str rest;
    const struct endpoint *e = router_find(str_from_c(plain[i]), HTTP_POST, (struct http_headers){0}, &rest);
    assert_ptr_equal(e->dialect, &dialect_plain);
    assert_true(e->run == nothing->run);
  }
}

/* One path, several rows: by method, and by a header that shows whose client asks. */
TEST(method_and_header_choose_the_row) {
  static const struct http_header version = {STR("Anthropic-Version"), STR("2023-06-01")},
                                  google = {STR("x-goog-api-client"), STR("genai")};
  static const struct {
    enum http_method method;
    const char *path;
    const struct http_header *header;
    const char *route, *rest, *dialect, *methods;
    unsigned what;
  } rows[] = {
      {HTTP_GET, "/v1/models", NULL, "/v1/models", "", "openai_chat", "GET, HEAD, OPTIONS", 0},
      {HTTP_HEAD, "/v1/models", &version, "/v1/models", "", "anthropic", "GET, HEAD, OPTIONS", 0},
      {HTTP_GET, "/v1/models/x", &google, "/v1/models/{model}", "x", "gemini", "GET, HEAD, OPTIONS", 0},
      {HTTP_POST, "/v1/models/a/b:c:generateContent", NULL, "/v1/models/{model}:generateContent", "a/b:c", "gemini",
       "POST, OPTIONS", GENERATE | PATH_MODEL},
      {HTTP_POST, "/v1beta/models/m:streamGenerateContent", NULL, "/v1beta/models/{model}:streamGenerateContent", "m",
       "gemini", "POST, OPTIONS", GENERATE | PATH_MODEL | PATH_STREAM},
      {HTTP_POST, "/v1/responses", NULL, "/v1/responses", "", "openai_responses", "POST, OPTIONS", GENERATE | KEPT},
      {HTTP_DELETE, "/v1/responses/resp_1", NULL, "/v1/responses/{id}", "resp_1", "openai_responses",
       "GET, HEAD, DELETE, OPTIONS", 0},
      {HTTP_GET, "/v1/responses/resp_1/input_items", NULL, "/v1/responses/{id}/input_items", "resp_1",
       "openai_responses", "GET, HEAD, OPTIONS", 0},
      {HTTP_POST, "/claude/v1/messages/count_tokens", NULL, "/claude/v1/messages/count_tokens", "", "anthropic",
       "POST, OPTIONS", COUNT},
      {HTTP_POST, "/api/chat", NULL, "/api/chat", "", "ollama", "POST, OPTIONS", GENERATE},
      {HTTP_POST, "/api/pull", NULL, "/api/pull", "", "ollama", "POST, OPTIONS", MANAGED},
      {HTTP_DELETE, "/api/delete", NULL, "/api/delete", "", "ollama", "DELETE, OPTIONS", MANAGED},
      {HTTP_DELETE, "/admin/models/ollama/me/a:b", NULL, "/admin/models/ollama/{name}", "me/a:b", "plain",
       "DELETE, OPTIONS", MANAGED},
      {HTTP_POST, "/admin/nodes/pull-model-all", NULL, "/admin/nodes/pull-model-all", "", "plain", "POST, OPTIONS",
       MANAGED},
      {HTTP_POST, "/admin/nodes/box/pull-model", NULL, "/admin/nodes/{node}/pull-model", "box", "plain",
       "POST, OPTIONS", SEGMENT | MANAGED},
      {HTTP_GET, "/api/nothing", NULL, "/api/{rest}", "nothing", "ollama", NULL, 0},
      /* The wrong method: the path's own row, whose methods are said. */
      {HTTP_GET, "/v1/messages", NULL, "/v1/messages", "", "anthropic", "POST, OPTIONS", GENERATE},
      {HTTP_PUT, "/v1/responses/resp_1", NULL, "/v1/responses/{id}", "resp_1", "openai_responses",
       "GET, HEAD, DELETE, OPTIONS", 0},
  };
  router_init();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str rest;
    const struct http_headers headers = {rows[i].header, rows[i].header ? 1 : 0};
    const struct endpoint *e = router_find(str_from_c(rows[i].path), rows[i].method, headers, &rest);
    assert_str(e->route, str_from_c(rows[i].route));
    assert_str(rest, str_from_c(rows[i].rest));
    assert_str(e->dialect->name, str_from_c(rows[i].dialect));
    if (rows[i].methods) assert_str(e->methods, str_from_c(rows[i].methods));
    assert_int_equal(e->what, rows[i].what);
  }
}

TEST(users_have_two_prefixes_and_names_with_slashes) {
  router_init();
  static const struct {
    enum http_method method;
    const char *path, *route, *rest;
    void (*run)(struct request_context *);
  } rows[] = {
      {HTTP_POST, "", "", "", users_create},
      {HTTP_GET, "", "", "", users_list},
      {HTTP_GET, "/ann", "/{user}", "ann", users_show},
      {HTTP_PATCH, "/ann", "/{user}", "ann", users_update},
      {HTTP_PUT, "/ann", "/{user}", "ann", users_update},
      {HTTP_DELETE, "/ann", "/{user}", "ann", users_delete},
      {HTTP_PUT, "/ann/token", "/{user}/token", "ann", users_token_renew},
      {HTTP_PUT, "/ann/tokens/ci", "/{user}/tokens/{name}", "ann/tokens/ci", users_token_renew},
      {HTTP_DELETE, "/ann/tokens/models", "/{user}/tokens/{name}", "ann/tokens/models", users_token_revoke},
      {HTTP_DELETE, "/ann/models/openai/gpt", "/{user}/models/{model}", "ann/models/openai/gpt", users_models_remove},
      {HTTP_DELETE, "/ann/models/all", "/{user}/models/all", "ann", users_models_clear},
      {HTTP_POST, "/ann/models/all", "/{user}/models/all", "ann", users_models_all},
      {HTTP_POST, "/ann/models", "/{user}/models", "ann", users_models_set},
      {HTTP_POST, "/ann/nodes/gpu/models", "/{user}/nodes/{node}/models", "ann/nodes/gpu", users_models_of_node_set},
      {HTTP_GET, "/ann/nodes/gpu/models", "/{user}/nodes/{node}/models", "ann/nodes/gpu", users_models_of_node},
      {HTTP_POST, "/ann/nodes/gpu/models/all", "/{user}/nodes/{node}/models/all", "ann/nodes/gpu",
       users_models_of_node_clear},
      {HTTP_POST, "/ann/nodes/all", "/{user}/nodes/all", "ann", users_nodes_clear},
      {HTTP_DELETE, "/ann/nodes/gpu", "/{user}/nodes/{node}", "ann/nodes/gpu", users_nodes_remove},
      {HTTP_DELETE, "/ann/node-models", "/{user}/node-models", "ann", users_node_models_remove},
  };
  static const char *const prefixes[] = {"/admin/users", "/api/admin/users"};
  for (size_t p = 0; p < 2; p++)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      char path[128], route[128];
      struct str rest;
      snprintf(path, sizeof path, "%s%s", prefixes[p], rows[i].path);
      snprintf(route, sizeof route, "%s%s", prefixes[p], rows[i].route);
      const struct endpoint *e = router_find(str_from_c(path), rows[i].method, (struct http_headers){0}, &rest);
      assert_str(e->route, str_from_c(route));
      assert_str(rest, str_from_c(rows[i].rest));
      assert_true(e->run == rows[i].run);
      bool is_read = rows[i].method == HTTP_GET;
      assert_int_equal(e->class, p         ? is_read ? AUTH_CLASS_API_READ : AUTH_CLASS_API_CHANGE
                                 : is_read ? AUTH_CLASS_PANEL_READ
                                           : AUTH_CLASS_PANEL_CHANGE);
    }
  struct str rest;
  const struct endpoint *e = router_find(STR("/admin/users/ann/token"), HTTP_GET, (struct http_headers){0}, &rest);
  assert_str(e->methods, STR("PUT, OPTIONS"));
  e = router_find(STR("/admin/users/ann"), HTTP_POST, (struct http_headers){0}, &rest);
  assert_str(e->methods, STR("GET, HEAD, PUT, PATCH, DELETE, OPTIONS"));
}

/* Routes are named to the metrics in their order; beyond the table's end they would all share the label 0. */
/* Label 0 is that of what had no room. */
TEST(every_route_has_its_own_metrics) {
  static const char *const routes[] = {
#define X(method, template, class, accept, header, what, dialect, function) template,
#include "app/routes.def"
#undef X
  };
  const char *of_label[METRICS_ENDPOINT] = {NULL};
  struct str rest;
  unsigned last = 0;
  router_init();
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    unsigned label = metrics_endpoint(str_from_c(routes[i]));
    assert_true(label > 0 && label < METRICS_ENDPOINT);
    if (of_label[label]) assert_string_equal(of_label[label], routes[i]);
    of_label[label] = routes[i];
  }
  static const char *const late[] = {"/admin/settings", "/api/admin/settings", "/metrics", "/nowhere"};
  for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
    unsigned label = router_find(str_from_c(late[i]), HTTP_GET, (struct http_headers){0}, &rest)->metrics_label;
    assert_true(label > 0 && label != last);
    last = label;
  }
}

TEST(errors_of_the_server_take_the_paths_shape) {
  struct buf b;
  buf_init(&b, 0);
  router_error_body(NULL, STR("/v1/chat/completions"), ERR_BODY_TOO_LARGE, NULL, &b);
  assert_true(
      str_has_prefix(buf_str(&b), STR("{\"error\":{\"message\":\"the request's body is too large\",\"type\":")));
  buf_reset(&b);
  router_error_body(NULL, STR_NONE, ERR_BAD_REQUEST, NULL, &b); /* the request line was not understood */
  assert_true(str_find(buf_str(&b), STR("\"type\":\"invalid_request_error\"")) != SIZE_MAX);
  buf_reset(&b);
  router_error_body(NULL, STR("/metrics"), ERR_METHOD_NOT_ALLOWED, NULL, &b);
  assert_true(str_find(buf_str(&b), STR("\"detail\":")) != SIZE_MAX);
  buf_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_served),
                                     cmocka_unit_test(method_and_header_choose_the_row),
                                     cmocka_unit_test(what_is_not_is_said_in_the_prefixs_dialect),
                                     cmocka_unit_test(users_have_two_prefixes_and_names_with_slashes),
                                     cmocka_unit_test(every_route_has_its_own_metrics),
                                     cmocka_unit_test(errors_of_the_server_take_the_paths_shape)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
