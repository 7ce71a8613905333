/* GET and DELETE of a response that was kept: see mock_stored.h. */
#include "mock/mock_call.h"

static enum err refuse(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  struct str text = arena_printf(http_exchange_arena(x), "Response with id '%.*s' not found.", STR_ARG(t->wildcard));
  return mock_call_error(x, m, t->dialect,
                         &(struct mock_error){.status = 404, .message = text, .type = STR("invalid_request_error")});
}

enum err mock_responses_get(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  struct str response;
  if (!mock_stored_find(&m->shared->stored, t->wildcard, http_exchange_arena(x), &response, NULL))
    return refuse(x, m, t);
  return mock_call_json(x, 200, response);
}

enum err mock_responses_delete(struct http_exchange *x, struct mock *m, const struct mock_target *t) {
  if (!mock_stored_delete(&m->shared->stored, t->wildcard)) return refuse(x, m, t);
  struct str body = arena_printf(http_exchange_arena(x), "{\"id\":\"%.*s\",\"object\":\"response\",\"deleted\":true}\n",
                                 STR_ARG(t->wildcard));
  return body.p ? mock_call_json(x, 200, body) : ERR_NO_MEMORY;
}
