/* Asking providers for their models: who is asked, what is kept of the answers, and that one provider's failure is no
 * other's. The HTTP client is a fake behind its vtable. */
#include "jobs/discovery.h"

#include "../io/in_fiber.h"
#include "../route/route_rig.h"

static struct {
  struct http_client client;
  unsigned asked;
  char targets[1024];
  bool changed;
  enum err e;
} net;

struct net_call {
  struct http_call base;
  struct http_response response;
  const char *body;
  enum err then; /* behind the body */
};

/* By port: 1 lists a and b; 2 cannot be reached; 3 answers 500; 4 sends junk; 5 breaks off; 6 lists nothing; others
 * list "x". */
static enum err net_start(struct http_client *c, const struct http_client_request *request, struct http_call **out,
                          struct err_info *info) {
  uint16_t port = request->origin->port;
  (void)info;
  net.asked++;
  CHECK(request->method == HTTP_GET && request->body_slices == 0);
  CHECK(http_header_get(request->headers, STR("authorization")).n > 0);
  size_t used = strlen(net.targets);
  snprintf(net.targets + used, sizeof net.targets - used, "%u%.*s ", port, STR_ARG(request->target));
  if (port == 2) return ERR_CONNECT_FAILED;
  struct net_call *call = calloc(1, sizeof *call);
  *call = (struct net_call){.base = {c->ops},
                            .response = {.status = port == 3 ? 500 : 200},
                            .body = port == 1   ? "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\\u0001\"},{\"id\":\"b\"}]}"
                                    : port == 4 ? "<html>"
                                    : port == 5 ? "{\"data\":["
                                    : port == 6 ? "{\"data\":[]}"
                                                : "{\"data\":[{\"id\":\"x\"}]}",
                            .then = port == 5 ? ERR_UPSTREAM_CUT : OK};
  *out = &call->base;
  return OK;
}

static const struct http_response *net_response(const struct http_call *call) {
  return &((const struct net_call *)call)->response;
}

static enum err net_read(struct http_call *base, struct str *piece, uint64_t deadline_us, struct err_info *info) {
  struct net_call *call = (struct net_call *)base;
  (void)info;
  CHECK(deadline_us != DEADLINE_NONE);
  enum err e = fiber_yield(); /* so that the others are asked meanwhile */
  if (e) return e;
  if (!call->body[0]) {
    *piece = STR_NONE;
    return call->then;
  }
  *piece = str_from(call->body++, 1);
  return OK;
}

static void net_close(struct http_call *call) { free(call); }

static const struct http_client_ops ops = {
    .start = net_start, .response = net_response, .read = net_read, .close = net_close};

static void run(void *arg) {
  (void)arg;
  net.e = discovery_run(&net.client, rig.catalog, &net.changed);
}

static void discover(void) {
  memset(&net, 0, sizeof net);
  net.client.ops = &ops;
  in_fiber(run);
}

static void expect_list(const char *provider, const char *expected) {
  const struct discovered_list *l = discovered_get(str_from_c(provider));
  if (!expected) {
    assert_null(l);
    return;
  }
  assert_non_null(l);
  char text[256] = "";
  for (size_t i = 0; i < l->n; i++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s%.*s", i ? " " : "", STR_ARG(l->ids[i]));
  }
  discovered_release(l);
  assert_string_equal(text, expected);
}

#define OPEN(id, port) \
  "\"" id "\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:" port "/v1\",\"apiKey\":\"k\"}"

TEST(each_answers_for_itself) {
  rig_build("{\"providers\":{" OPEN("one", "1") "," OPEN("two", "2") "," OPEN("three", "3") "," OPEN("four", "4") "," OPEN(
      "five", "5") "," OPEN("six", "6") "," PROVIDER("declared", "", "\"m\":{}") ",\"poor\":{\"type\":\"openai-compatible\","
      "\"baseURL\":\"http://127.0.0.1:7\",\"apiKeyEnv\":\"NOT_SET\"}}}");
  discover();
  assert_int_equal(net.e, OK);
  assert_true(net.changed);
  assert_string_equal(net.targets, "1/v1/models 2/v1/models 3/v1/models 4/v1/models 5/v1/models 6/v1/models ");
  expect_list("one", "a b");
  expect_list("six", "");
  static const char *const none[] = {"two", "three", "four", "five", "declared", "poor"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) expect_list(none[i], NULL);
  discover();
  assert_false(net.changed); /* the same again */
  listed("five", "old ones");
  discover();
  assert_false(net.changed);
  expect_list("five", "old ones"); /* what does not answer keeps what it had */
  rig_clear();
  discovered_clear();
}

TEST(many_are_asked_in_turns) {
  char text[8192];
  int n = snprintf(text, sizeof text, "{\"providers\":{");
  for (int i = 0; i < 40; i++)
    n += snprintf(text + n, sizeof text - (size_t)n,
                  "%s\"p%d\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:%d/v1\",\"apiKey\":\"k\"}",
                  i ? "," : "", i, 100 + i);
  snprintf(text + n, sizeof text - (size_t)n, "}}");
  rig_build(text);
  discover();
  assert_int_equal(net.e, OK);
  assert_int_equal(net.asked, 40);
  assert_int_equal(discovered_total(), 40);
  rig_clear();
  discovered_clear();
}

TEST(nobody_to_ask) {
  rig_build("{}");
  discover();
  assert_int_equal(net.e, OK);
  assert_true(!net.changed && net.asked == 0);
  rig_clear();
}

static struct fiber_id asking;

static void leave(void *arg) {
  (void)arg;
  fiber_cancel(asking);
}

static void run_and_leave(void *arg) {
  asking = fiber_self();
  CHECK(fiber_spawn(NULL, leave, NULL) == OK);
  run(arg);
}

TEST(a_cancelled_run_leaves_nothing_behind) {
  rig_build("{\"providers\":{" OPEN("one", "1") "}}");
  memset(&net, 0, sizeof net);
  net.client.ops = &ops;
  in_fiber(run_and_leave);
  assert_int_equal(net.e, ERR_CANCELLED);
  expect_list("one", NULL);
  rig_clear();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_answers_for_itself),
                                     cmocka_unit_test(many_are_asked_in_turns), cmocka_unit_test(nobody_to_ask),
                                     cmocka_unit_test(a_cancelled_run_leaves_nothing_behind)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
