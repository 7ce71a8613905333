/* Kept responses by their id: see responses.h. */
#include "api/responses.h"

#include "dialect/openai_responses/expand.h"
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "gateway/stored.h"

static void fail_not_found(struct request_context *rc, struct str id) {
  struct err_info info = {0};
  enum err e = openai_responses_not_found(id, "response_id", &info);
  exchange_fail(rc, e, &info);
}

static struct str owner_of(struct request_context *rc, char out[AUTH_NAME_BYTES]) {
  return limits_owner(snapshot_get(rc->snapshot, GATEWAY_LIMITS), &rc->principal, out);
}

static void fail(struct request_context *rc, enum err e, const struct err_info *info) {
  if (e == ERR_NOT_FOUND)
    fail_not_found(rc, rc->path_rest);
  else
    exchange_fail(rc, e, info);
}

static bool find(struct request_context *rc, struct stored_response *out) {
  char owner[AUTH_NAME_BYTES];
  struct err_info info = {0};
  enum err e = stored_find(owner_of(rc, owner), rc->path_rest, rc->arena, out, &info);
  if (e) fail(rc, e, &info);
  return !e;
}

/* The value of a parameter of the query, as it was sent; the ids and numbers looked for need no decoding. */
static struct str parameter(struct str query, struct str name) {
  struct str one, key, value;
  while (query.n) {
    str_cut(query, '&', &one, &query);
    if (str_cut(one, '=', &key, &value) && str_eq(key, name)) return value;
  }
  return STR_NONE;
}

/* A stream that is asked for and does not come would be one without events to the vendor's SDK. */
static bool wants_stream(struct request_context *rc) {
  struct err_info info = {0};
  if (!str_eq(parameter(rc->request->query, STR("stream")), STR("true"))) return false;
  enum err e =
      err_set_param(&info, ERR_UNSUPPORTED, "stream", "a kept response is not streamed again; ask without \"stream\"");
  exchange_fail(rc, e, &info);
  return true;
}

void responses_get(struct request_context *rc) {
  struct stored_response r;
  if (!wants_stream(rc) && find(rc, &r)) rc->error = reply_json(&rc->reply, 200, r.response);
}

void responses_delete(struct request_context *rc) {
  char owner[AUTH_NAME_BYTES];
  struct err_info info = {0};
  struct buf json;
  enum err e = stored_delete(owner_of(rc, owner), rc->path_rest, &info);
  if (e) {
    fail(rc, e, &info);
    return;
  }
  buf_init(&json, 0);
  openai_responses_put_deleted(&json, rc->path_rest);
  exchange_answer(rc, 200, &json);
  buf_clear(&json);
}

void responses_input_items(struct request_context *rc) {
  struct stored_response r;
  struct str query = rc->request->query;
  const struct openai_responses_page page = {parameter(query, STR("after")), parameter(query, STR("order")),
                                             parameter(query, STR("limit"))};
  struct err_info info = {0};
  struct buf json;
  if (!find(rc, &r)) return;
  buf_init(&json, 0);
  enum err e = openai_responses_put_input_items(&json, r.input, &page, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    exchange_answer(rc, 200, &json);
  buf_clear(&json);
}
