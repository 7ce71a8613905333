/* Answers in the OpenAPI document: see openapi_answers.h. What several operations have stands under components once,
 * and is referred to: headers, failures, answers of models' calls, schemas. */
#include "admin/openapi/openapi_answers.h"

#include <stdio.h>

#include "admin/people/sessions.h"
#include "admin/priorities.h"
#include "admin/records/records.h"
#include "api/operations.h"
#include "base/json_out.h"

/* ---- headers ---- */

enum header {
  TAG,
  LINK,
  COOKIE,
  FILE_NAME,
  RETRY,
  RETRY_MS,
  CHALLENGE,
  RECEIPT_FIRST,
  RECEIPT_LAST = RECEIPT_FIRST + 7,
  RATE_FIRST,
  RATE_LAST = RATE_FIRST + 11,
  HEADERS
};

static const struct {
  const char *name, *type, *text;
} headers[HEADERS] = {
    [TAG] = {"ETag", "string", "what it is now; for If-Match of a change, If-None-Match of a read"},
    [LINK] = {"Link", "string", "the next page's address, rel=\"next\"; absent on the last"},
    [COOKIE] = {"Set-Cookie", "string", "maestro_session"},
    [FILE_NAME] = {"Content-Disposition", "string", "a file name"},
    [RETRY] = {"Retry-After", "integer", "seconds until it is worth trying again, where that is known"},
    [RETRY_MS] = {"Retry-After-Ms", "integer", "the same in milliseconds"},
    [CHALLENGE] = {"WWW-Authenticate", "string", "how to send a credential"},
    [RECEIPT_FIRST] = {"x-maestro-model", "string", "provider/model that answered"},
    {"x-maestro-mode", "string", "how the model's name was resolved"},
    {"x-maestro-turns", "integer", "calls of models that made the answer"},
    {"x-maestro-cost-usd", "number", "US dollars; absent: no price is known, or it is not known yet"},
    {"x-maestro-overhead-us", "integer", "microseconds that were spent here"},
    {"x-maestro-dropped", "string", "what the model cannot be told and was left out"},
    {"x-maestro-max-tokens", "integer", "the output limit that was sent in place of a higher one"},
    [RECEIPT_LAST] = {"x-maestro-estimated", "string", "1: tokens were counted here"},
    [RATE_FIRST] = {"x-ratelimit-limit-requests", "string", "of the caller's limits or the provider's"},
    {"x-ratelimit-remaining-requests", "string", "requests that are left"},
    {"x-ratelimit-reset-requests", "string", "until there are more"},
    {"x-ratelimit-limit-tokens", "string", "of the caller's limits or the provider's"},
    {"x-ratelimit-remaining-tokens", "string", "tokens that are left"},
    {"x-ratelimit-reset-tokens", "string", "until there are more"},
    {"anthropic-ratelimit-requests-limit", "string", "the same six where the vendor calls them so"},
    {"anthropic-ratelimit-requests-remaining", "string", "requests that are left"},
    {"anthropic-ratelimit-requests-reset", "string", "when there are more, RFC 3339"},
    {"anthropic-ratelimit-tokens-limit", "string", "of the caller's limits or the provider's"},
    {"anthropic-ratelimit-tokens-remaining", "string", "tokens that are left"},
    [RATE_LAST] = {"anthropic-ratelimit-tokens-reset", "string", "when there are more, RFC 3339"},
};
_Static_assert(HEADERS <= 32, "a bit for each");
#define BIT(header) (1u << (header))
#define AGAIN (BIT(RETRY) | BIT(RETRY_MS))
#define BITS(first, last) ((2u << (last)) - (1u << (first)))

static void put_ref(struct buf *b, const char *folder, const char *name) {
  json_out_begin(b, '{');
  json_out_key(b, "$ref");
  buf_printf(b, "\"#/components/%s/%s\"", folder, name);
  json_out_end(b, '}');
}

static void put_header_refs(struct buf *b, unsigned bits) {
  if (!bits) return;
  json_out_key(b, "headers");
  json_out_begin(b, '{');
  for (unsigned i = 0; i < HEADERS; i++) {
    if (!(bits & BIT(i))) continue;
    json_out_key(b, headers[i].name);
    put_ref(b, "headers", headers[i].name);
  }
  json_out_end(b, '}');
}

static void put_headers(struct buf *b) {
  json_out_key(b, "headers");
  json_out_begin(b, '{');
  for (size_t i = 0; i < HEADERS; i++) {
    json_out_key(b, headers[i].name);
    json_out_begin(b, '{');
    json_out_member_string(b, "description", str_from_c(headers[i].text));
    json_out_key(b, "schema");
    json_out_begin(b, '{');
    json_out_member_string(b, "type", str_from_c(headers[i].type));
    json_out_end(b, '}');
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
}

/* ---- failures ---- */

static const struct schema_member failure_rows[] = {
    {"message", SCHEMA_TEXT, .help = "for people"},
    {"code", SCHEMA_TEXT, .help = "the stable word"},
    {"param", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the path of the member, or the parameter, that is meant"}};
static const struct schema failure_schema = SCHEMA_OF(NULL, failure_rows);
static const struct schema_member error_rows[] = {{"error", SCHEMA_OBJECT, .of = &failure_schema},
                                                  {"detail", SCHEMA_TEXT, .help = "the message again"}};
static const struct schema error_schema = SCHEMA_OF("Error", error_rows);

static const struct {
  int status; /* 0: all that are not named */
  const char *name, *text;
  unsigned headers;
} failures[] = {
    {400, "Malformed", "malformed", 0},
    {401, "Unauthorized", "no valid credential", BIT(CHALLENGE)},
    {403, "Forbidden", "a credential that does not open this", 0},
    {404, "NotFound", "there is no such thing", 0},
    {409, "Conflict", "it exists, or is in use", 0},
    {412, "Changed", "it was changed since it was read (If-Match)", 0},
    {422, "Unprocessable", "a member is missing, unknown, of the wrong type or out of range", 0},
    {429, "TooMany", "too many requests, or failed logins", AGAIN},
    {503, "Unavailable", "not now: the store, memory or the server's end", AGAIN},
    {0, "Failure",
     "a fault of another kind: 408 too slow, 413 too large, 415 of a type that is not taken, 500 a fault of "
     "this server, 502 or 504 of a provider's, 507 the disk is full",
     AGAIN}};

static bool is_ours(const struct openapi_op *op) { return op->vendor_count == 0; }

/* Which of them an endpoint of ours answers with. */
static bool can_fail(const struct openapi_op *op, int status) {
  bool is_change = op->method != HTTP_GET, has_name = str_find_char(op->endpoint->route, '{') != SIZE_MAX;
  enum auth_class class = op->endpoint->class;
  if (class == AUTH_CLASS_DETAILS || (class == AUTH_CLASS_OPEN && !op->body)) return false;
  switch (status) {
    case 400: return op->body || op->endpoint->what & MANAGED;
    case 401: return class != AUTH_CLASS_DOCS;
    case 404: return has_name || op->row;
    case 409: return is_change;
    case 412: return op->row != NULL;
    case 422: return op->body || *op->query || is_change;
    default: return true;
  }
}

/* ---- contents ---- */

static void put_schema(struct buf *b, const struct openapi_answer *answer, const struct schema *schema) {
  bool is_either = answer->shape == OPENAPI_EITHER;
  if (is_either) {
    json_out_begin(b, '{');
    json_out_key(b, "anyOf");
    json_out_begin(b, '[');
  }
  if (answer->shape != OPENAPI_LIST) schema_put_use(schema, b);
  if (answer->shape == OPENAPI_LIST || is_either) {
    json_out_begin(b, '{');
    json_out_member_string(b, "type", STR("array"));
    json_out_key(b, "items");
    schema_put_use(schema, b);
    json_out_end(b, '}');
  }
  if (is_either) {
    json_out_end(b, ']');
    json_out_end(b, '}');
  }
}

/* Where a header decides whose shape it is, any of them. */
static void put_schemas(struct buf *b, const struct openapi_op *op,
                        void (*put)(struct buf *b, const struct openapi_op *op, size_t vendor)) {
  if (op->vendor_count < 2) {
    put(b, op, 0);
    return;
  }
  json_out_begin(b, '{');
  json_out_key(b, "anyOf");
  json_out_begin(b, '[');
  for (size_t i = 0; i < op->vendor_count; i++) put(b, op, i);
  json_out_end(b, ']');
  json_out_end(b, '}');
}

static void put_answer_schema(struct buf *b, const struct openapi_op *op, size_t vendor) {
  put_schema(b, &op->answer, openapi_schema(op, vendor));
}
static void put_error_schema(struct buf *b, const struct openapi_op *op, size_t vendor) {
  schema_put_use(is_ours(op) ? &error_schema : op->vendors[vendor]->error, b);
}

static void begin_json(struct buf *b) {
  json_out_key(b, "application/json");
  json_out_begin(b, '{');
  json_out_key(b, "schema");
}

static void put_media(struct buf *b, const char *types) {
  struct str rest = str_from_c(types), one;
  for (bool more = rest.n > 0; more;) {
    more = str_cut(rest, '|', &one, &rest);
    json_out_key_str(b, one);
    json_out_raw(b, STR("{}"));
  }
}

static void put_answer_content(struct buf *b, const struct openapi_op *op, const char *more) {
  bool has_json = openapi_schema(op, 0) != NULL;
  if (!has_json && !more) return;
  json_out_key(b, "content");
  json_out_begin(b, '{');
  if (has_json) {
    begin_json(b);
    put_schemas(b, op, put_answer_schema);
    json_out_end(b, '}');
  }
  put_media(b, more);
  json_out_end(b, '}');
}

static void put_error_content(struct buf *b, const struct openapi_op *op, const char *more) {
  json_out_key(b, "content");
  json_out_begin(b, '{');
  begin_json(b);
  put_schemas(b, op, put_error_schema);
  json_out_end(b, '}');
  put_media(b, more);
  json_out_end(b, '}');
}

/* ---- responses ---- */

static void begin_response(struct buf *b, int status, const char *text) {
  char key[12];
  struct buf digits = {.p = key, .cap = sizeof key, .limit_bytes = sizeof key};
  buf_put_u64(&digits, (uint64_t)status);
  json_out_key_str(b, status ? buf_str(&digits) : STR("default"));
  if (!text) return;
  json_out_begin(b, '{');
  json_out_member_string(b, "description", str_from_c(text));
}

static unsigned headers_of(const struct openapi_op *op) {
  unsigned bits = op->is_tagged || op->row ? BIT(TAG) : 0;
  if (openapi_is_paged(op)) bits |= BIT(LINK);
  if (op->endpoint->run == sessions_login || op->endpoint->run == sessions_logout) bits |= BIT(COOKIE);
  if (op->endpoint->run == records_export) bits |= BIT(FILE_NAME);
  return bits;
}

/* Under components, by its schema's name: several paths have it. */
static const char *name_of_call(const struct openapi_op *op, char out[64]) {
  snprintf(out, 64, "%s%s", op->call->answer->name, op->endpoint->what & PATH_STREAM ? "Stream" : "");
  return out;
}

static void put_call_response(struct buf *b, const struct openapi_op *op) {
  unsigned what = op->endpoint->what & OPERATION_MASK;
  bool may_stream = what == GENERATE || what == COMPLETE;
  json_out_begin(b, '{');
  json_out_member_string(b, "description", STR("as its vendor has it; what a provider adds passes through"));
  put_header_refs(b, BITS(RECEIPT_FIRST, RATE_LAST));
  put_answer_content(b, op, may_stream ? op->vendors[0]->stream : NULL);
  json_out_end(b, '}');
}

static void put_success(struct buf *b, const struct openapi_op *op) {
  char name[64];
  bool has_content = openapi_schema(op, 0) || op->answer.media;
  begin_response(b, openapi_status(op), op->call ? NULL : has_content ? "OK" : "done");
  if (op->call) {
    put_ref(b, "responses", name_of_call(op, name));
    return;
  }
  put_header_refs(b, headers_of(op));
  put_answer_content(b, op, op->answer.media);
  json_out_end(b, '}');
  if (!op->is_tagged || op->method != HTTP_GET) return;
  begin_response(b, 304, NULL);
  put_ref(b, "responses", "NotModified");
}

static void put_vendor_failure(struct buf *b, const struct openapi_op *op) {
  json_out_begin(b, '{');
  json_out_member_string(b, "description",
                         STR("an error, with the status and in the shape that the vendor's clients know"));
  put_header_refs(b, AGAIN | BIT(CHALLENGE) | BITS(RECEIPT_FIRST, RATE_LAST));
  put_error_content(b, op, NULL);
  json_out_end(b, '}');
}

static void put_stale(struct buf *b) {
  begin_response(b, 409, "it was changed since it was read, or is declared elsewhere");
  put_header_refs(b, BIT(TAG));
  json_out_key(b, "content");
  json_out_begin(b, '{');
  begin_json(b);
  json_out_begin(b, '{');
  json_out_key(b, "anyOf");
  json_out_begin(b, '[');
  schema_put_use(&priorities_stale_schema, b);
  schema_put_use(&error_schema, b);
  json_out_end(b, ']');
  for (int i = 0; i < 4; i++) json_out_end(b, '}');
}

/* Whoever may look into the description is told of a login as a page. */
static void put_failures(struct buf *b, const struct openapi_op *op) {
  if (!is_ours(op)) {
    begin_response(b, 0, NULL);
    if (op->vendor_count == 1)
      put_ref(b, "responses", op->vendors[0]->error->name);
    else
      put_vendor_failure(b, op);
    return;
  }
  if (op->endpoint->class == AUTH_CLASS_DOCS) {
    begin_response(b, 401, "no valid credential; where a page was asked for, a login");
    put_header_refs(b, BIT(CHALLENGE));
    put_error_content(b, op, "text/html");
    json_out_end(b, '}');
  }
  if (op->endpoint->run == operations_readyz) {
    begin_response(b, 503, "the server drains");
    put_answer_content(b, op, NULL);
    json_out_end(b, '}');
  }
  bool is_stale = op->endpoint->run == priorities_set;
  if (is_stale) put_stale(b);
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    if (!can_fail(op, failures[i].status) || (is_stale && failures[i].status == 409)) continue;
    begin_response(b, failures[i].status, NULL);
    put_ref(b, "responses", failures[i].name);
  }
}

void openapi_answers_put(struct buf *b, const struct openapi_op *op) {
  json_out_key(b, "responses");
  json_out_begin(b, '{');
  put_success(b, op);
  put_failures(b, op);
  json_out_end(b, '}');
}

/* ---- components ---- */

static void put_common_responses(struct buf *b, const struct openapi_op *ops, size_t n) {
  static const struct openapi_op ours;
  char name[64], earlier[64];
  json_out_key(b, "responses");
  json_out_begin(b, '{');
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    json_out_key(b, failures[i].name);
    json_out_begin(b, '{');
    json_out_member_string(b, "description", str_from_c(failures[i].text));
    put_header_refs(b, failures[i].headers);
    put_error_content(b, &ours, NULL);
    json_out_end(b, '}');
  }
  json_out_key(b, "NotModified");
  json_out_begin(b, '{');
  json_out_member_string(b, "description", STR("it is what If-None-Match says"));
  put_header_refs(b, BIT(TAG));
  json_out_end(b, '}');
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < i && (is_ours(&ops[k]) || ops[k].vendor_count > 1 || ops[k].vendors[0] != ops[i].vendors[0])) k++;
    if (k < i || ops[i].vendor_count != 1) continue;
    json_out_key(b, ops[i].vendors[0]->error->name);
    put_vendor_failure(b, &ops[i]);
  }
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    if (!ops[i].call) continue;
    name_of_call(&ops[i], name);
    while (k < i && (!ops[k].call || strcmp(name_of_call(&ops[k], earlier), name))) k++;
    if (k < i) continue;
    json_out_key(b, name);
    put_call_response(b, &ops[i]);
  }
  json_out_end(b, '}');
}

static void put_named(void *arg, const struct schema *s) {
  json_out_key(arg, s->name);
  schema_put(s, arg);
}

void openapi_answers_put_components(struct buf *b, const struct openapi_op *ops, size_t n) {
  put_headers(b);
  put_common_responses(b, ops, n);
  json_out_key(b, "schemas");
  json_out_begin(b, '{');
  put_named(b, &error_schema);
  put_named(b, &priorities_stale_schema);
  openapi_each_schema(NULL, put_named, b);
  json_out_end(b, '}');
}
