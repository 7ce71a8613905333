/* The OpenAPI document: see openapi.h. */
#include "admin/openapi/openapi.h"

#include "admin/entity.h"
#include "admin/openapi/openapi_answers.h"
#include "base/json_out.h"
#include "gateway/exchange.h"

static const char info[] =
    "{\"title\":\"Maestro\",\"version\":\"" MAESTRO_VERSION
    "\",\"description\":\"One gateway between any LLM client and any provider. Model calls keep their vendor's format; "
    "the administration is JSON. Every answer has x-request-id and x-maestro-trace-id. Members may be added to an "
    "answer; "
    "`x-unit` says of what a number is.\",\"license\":{\"name\":\"See LICENSE\"}}";

static const char components[] =
    "{\"securitySchemes\":{"
    "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"A server key, a user's token, the admin "
    "token "
    "or the token of a login.\"},"
    "\"apiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"x-api-key\"},"
    "\"googleKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"x-goog-api-key\"},"
    "\"queryKey\":{\"type\":\"apiKey\",\"in\":\"query\",\"name\":\"key\"},"
    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"maestro_session\",\"description\":\"What a login "
    "sets. A "
    "change needs X-CSRF-Token, too, and a page of this server.\"},"
    "\"docs\":{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"docs.username and docs.password.\"}}";

/* ---- an operation ---- */

static void put_parameter(struct buf *b, struct str name, const char *in, struct str type) {
  bool is_path = in[0] == 'p';
  json_out_begin(b, '{');
  json_out_member_string(b, "name", name);
  json_out_member_string(b, "in", str_from_c(in));
  if (is_path) json_out_member_bool(b, "required", true);
  json_out_key(b, "schema");
  json_out_begin(b, '{');
  json_out_member_string(b, "type", type);
  json_out_end(b, '}');
  json_out_end(b, '}');
}

static void put_parameters(struct buf *b, const struct openapi_op *op) {
  struct str name, type, query = str_from_c(op->query);
  size_t at = 0;
  json_out_key(b, "parameters");
  json_out_begin(b, '[');
  while (openapi_next_name(op->endpoint->route, &at, &name)) put_parameter(b, name, "path", STR("string"));
  while (openapi_next_query(&query, &name, &type)) put_parameter(b, name, "query", type);
  if (op->row && at) put_parameter(b, STR("If-Match"), "header", STR("string"));
  if (op->is_tagged && op->method == HTTP_GET) put_parameter(b, STR("If-None-Match"), "header", STR("string"));
  json_out_end(b, ']');
}

static void put_json_content(struct buf *b, struct str schema) {
  json_out_key(b, "content");
  json_out_begin(b, '{');
  json_out_key(b, "application/json");
  json_out_begin(b, '{');
  json_out_key(b, "schema");
  json_out_raw(b, schema);
  json_out_end(b, '}');
  json_out_end(b, '}');
}

static void put_body(struct buf *b, const struct openapi_op *op) {
  struct buf schema;
  buf_init(&schema, 0);
  if (op->body)
    fields_put_schema(op->body, op->allowed, op->required, &schema);
  else if (op->vendor_count && (op->method == HTTP_POST || op->endpoint->what & MANAGED))
    buf_put(&schema, STR("{\"type\":\"object\"}"));
  if (schema.n) {
    json_out_key(b, "requestBody");
    json_out_begin(b, '{');
    json_out_member_bool(b, "required", !op->body || op->required != 0);
    put_json_content(b, buf_str(&schema));
    json_out_end(b, '}');
  }
  if (schema.failed) b->failed = true;
  buf_clear(&schema);
}

static void put_scheme(struct buf *b, const char *name) {
  json_out_begin(b, '{');
  json_out_key(b, name);
  json_out_begin(b, '[');
  json_out_end(b, ']');
  json_out_end(b, '}');
}

static void put_security(struct buf *b, const struct openapi_op *op) {
  const struct endpoint *e = op->endpoint;
  json_out_key(b, "security");
  json_out_begin(b, '[');
  if (openapi_may(op, 0)) {
    json_out_begin(b, '{');
    json_out_end(b, '}');
  }
  if (e->class != AUTH_CLASS_OPEN) {
    put_scheme(b, "bearer");
    put_scheme(b, "apiKey");
    put_scheme(b, "googleKey");
    if (e->accept & AUTH_ACCEPT_QUERY_KEY) put_scheme(b, "queryKey");
    if (e->accept & AUTH_ACCEPT_SESSION) put_scheme(b, "session");
    if (e->class == AUTH_CLASS_DOCS) put_scheme(b, "docs");
  }
  json_out_end(b, ']');
  json_out_key(b, "x-callers");
  json_out_begin(b, '[');
  for (size_t i = 0; i < OPENAPI_CALLERS; i++)
    if (openapi_may(op, i)) json_out_string(b, str_from_c(openapi_caller(i)));
  json_out_end(b, ']');
}

/* Letters and digits of "get /v1/models/{model}", the rest as one '_'. */
static void put_operation_id(struct buf *b, const struct openapi_op *op) {
  struct str parts[] = {http_method_name(op->method), STR("/"), op->endpoint->route};
  json_out_key(b, "operationId");
  buf_put_char(b, '"');
  bool was_gap = true;
  for (size_t p = 0; p < 3; p++)
    for (size_t i = 0; i < parts[p].n; i++) {
      char c = parts[p].p[i];
      bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-';
      if (is_word) buf_put_char(b, c);
      if (!is_word && !was_gap) buf_put_char(b, '_');
      was_gap = !is_word;
    }
  buf_put_char(b, '"');
}

static void put_operation(struct buf *b, const struct openapi_op *op) {
  struct str name = http_method_name(op->method);
  char lower[8] = {0};
  for (size_t i = 0; i < name.n && i < sizeof lower - 1; i++) lower[i] = (char)(name.p[i] | 0x20);
  json_out_key(b, lower);
  json_out_begin(b, '{');
  json_out_key(b, "tags");
  json_out_begin(b, '[');
  json_out_string(b, str_from_c(op->tag));
  json_out_end(b, ']');
  json_out_member_string(b, "summary", str_from_c(op->summary));
  json_out_member_string_if(b, "description", str_from_c(op->more));
  put_operation_id(b, op);
  put_parameters(b, op);
  put_body(b, op);
  openapi_answers_put(b, op);
  put_security(b, op);
  if (*op->link) {
    json_out_key(b, "externalDocs");
    json_out_begin(b, '{');
    json_out_member_string(b, "url", str_from_c(op->link));
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
}

static void put_tags(struct buf *b, const struct openapi_op *ops, size_t n) {
  json_out_key(b, "tags");
  json_out_begin(b, '[');
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < i && strcmp(ops[k].tag, ops[i].tag)) k++;
    if (k < i) continue;
    json_out_begin(b, '{');
    json_out_member_string(b, "name", str_from_c(ops[i].tag));
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

void openapi_write(struct buf *b) {
  size_t n;
  const struct openapi_op *ops = openapi_ops(&n);
  json_out_begin(b, '{');
  json_out_member_string(b, "openapi", STR("3.1.0"));
  json_out_key(b, "info");
  json_out_raw(b, str_from_c(info));
  json_out_key(b, "servers");
  json_out_raw(b, STR("[{\"url\":\"/\"}]"));
  put_tags(b, ops, n);
  json_out_key(b, "paths");
  json_out_begin(b, '{');
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < i && !str_eq(ops[k].endpoint->route, ops[i].endpoint->route)) k++;
    if (k < i) continue; /* its path was written with the first */
    json_out_key_str(b, ops[i].endpoint->route);
    json_out_begin(b, '{');
    for (k = i; k < n; k++)
      if (str_eq(ops[k].endpoint->route, ops[i].endpoint->route)) put_operation(b, &ops[k]);
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
  json_out_key(b, "components");
  buf_put(b, str_from_c(components));
  openapi_answers_put_components(b, ops, n);
  json_out_end(b, '}');
  json_out_end(b, '}');
}

void openapi_json(struct request_context *rc) {
  struct buf b;
  if (!openapi_is_open(rc)) return;
  buf_init(&b, 0);
  openapi_write(&b);
  entity_answer(rc, &b);
  buf_clear(&b);
}
