/* The list of endpoints with their texts: see openapi_ops.h. */
#include "admin/openapi_ops.h"

#include <stdlib.h>

#include "admin/audit.h"
#include "admin/catalog_reads.h"
#include "admin/dashboard.h"
#include "admin/home.h"
#include "admin/models_refresh.h"
#include "admin/names.h"
#include "admin/nodes.h"
#include "admin/nodes_ask.h"
#include "admin/nodes_manage.h"
#include "admin/openapi.h"
#include "admin/priorities.h"
#include "admin/records.h"
#include "admin/seeds.h"
#include "admin/sessions.h"
#include "admin/settings.h"
#include "admin/subject_limits.h"
#include "admin/teams.h"
#include "admin/users.h"
#include "api/models.h"
#include "api/ollama.h"
#include "api/ollama_manage.h"
#include "api/operations.h"
#include "api/responses.h"
#include "gateway/exchange.h"

enum { OPS_MAX = 1024 };

static struct openapi_op ops[OPS_MAX];
static const char *tags_seen[OPS_MAX];
static size_t ops_n;

/* ---- texts ---- */

enum kind { OTHER, CHANGE };

static const struct {
  void (*run)(struct request_context *rc);
  enum kind kind;
  const char *tag, *summary, *query, *response, *more;
} texts[] = {
#define X(function, kind, tag, summary, query, response, more) {function, kind, tag, summary, query, response, more},
#include "admin/openapi.def"
#undef X
};

/* Calls of models, by dialect and operation; the format is the vendor's own. */
static const struct {
  const char *dialect;
  enum endpoint_what what;
  const char *summary, *link;
} calls[] = {
    {"openai_chat", GENERATE, "Chat completion", "https://platform.openai.com/docs/api-reference/chat/create"},
    {"openai_completions", COMPLETE, "Completion of a text",
     "https://platform.openai.com/docs/api-reference/completions/create"},
    {"openai_responses", GENERATE, "Response", "https://platform.openai.com/docs/api-reference/responses/create"},
    {"openai_embeddings", EMBED, "Embeddings", "https://platform.openai.com/docs/api-reference/embeddings/create"},
    {"anthropic", GENERATE, "Message", "https://docs.anthropic.com/en/api/messages"},
    {"anthropic", COUNT, "Tokens of a message", "https://docs.anthropic.com/en/api/messages-count-tokens"},
    {"gemini", GENERATE, "Content", "https://ai.google.dev/api/generate-content"},
    {"gemini", COUNT, "Tokens of a prompt", "https://ai.google.dev/api/tokens"},
    {"gemini_embed", EMBED, "Embeddings", "https://ai.google.dev/api/embeddings"},
    {"ollama", GENERATE, "Chat", "https://github.com/ollama/ollama/blob/main/docs/api.md"},
    {"ollama_generate", COMPLETE, "Completion of a text", "https://github.com/ollama/ollama/blob/main/docs/api.md"},
    {"ollama_generate", GENERATE, "Completion of a text", "https://github.com/ollama/ollama/blob/main/docs/api.md"},
    {"ollama_embed", EMBED, "Embeddings", "https://github.com/ollama/ollama/blob/main/docs/api.md"},
    {"ollama_embeddings", EMBED, "One embedding", "https://github.com/ollama/ollama/blob/main/docs/api.md"},
};

static const struct {
  struct str prefix;
  const char *tag;
} tags[] = {
    {STR("openai"), "OpenAI"}, {STR("anthropic"), "Anthropic"}, {STR("gemini"), "Gemini"}, {STR("ollama"), "Ollama"}};

static const char *tag_of(const struct endpoint *e) {
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
    if (str_has_prefix(e->dialect->name, tags[i].prefix)) return tags[i].tag;
  return str_has_prefix(e->route, STR("/admin")) || str_has_prefix(e->route, STR("/api/admin")) ? "Administration"
                                                                                                : "Operations";
}

static void describe_call(struct openapi_op *op) {
  unsigned what = op->endpoint->what & OPERATION_MASK;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (calls[i].what != what || !str_eq(op->endpoint->dialect->name, str_from_c(calls[i].dialect))) continue;
    op->summary = calls[i].summary;
    op->link = calls[i].link;
  }
  op->response = "{\"type\":\"object\"}";
  op->more = op->endpoint->what & PATH_STREAM
                 ? "The answer is a stream."
                 : "Body, answer, errors and streams are the vendor's; a receipt comes with "
                   "the modes of Maestro.";
}

/* Bodies of what is no change by a row. */
static const struct {
  void (*run)(struct request_context *rc);
  const struct fields *fields;
  unsigned required;
  unsigned allowed;
} bodies[] = {{sessions_login, &sessions_login_fields, ~0u, ~0u},
              {priorities_set, &priorities_fields, PRIORITIES_REQUIRED, ~0u},
              {nodes_manage_pull, &nodes_manage_fields, NODES_MANAGE_NAME, NODES_MANAGE_PULL},
              {nodes_manage_pull_all, &nodes_manage_fields, NODES_MANAGE_NAME, NODES_MANAGE_PULL},
              {nodes_manage_pull_any, &nodes_manage_fields, NODES_MANAGE_NAME, ~0u}};

static void describe_body(struct openapi_op *op) {
  if (op->row) op->body = op->row->fields, op->allowed = op->row->allowed, op->required = op->row->required;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
    if (bodies[i].run == op->endpoint->run)
      op->body = bodies[i].fields, op->allowed = bodies[i].allowed, op->required = bodies[i].required;
}

static void describe(struct openapi_op *op) {
  op->tag = op->summary = op->more = op->query = op->response = op->link = "";
  if (op->endpoint->run == exchange_call) describe_call(op);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (texts[i].run != op->endpoint->run) continue;
    op->tag = texts[i].tag;
    op->summary = texts[i].summary;
    op->query = texts[i].query;
    op->response = texts[i].response;
    op->more = texts[i].more;
    if (texts[i].kind == CHANGE) op->row = change_row_of(op->endpoint->run);
  }
  describe_body(op);
  if (!*op->tag) op->tag = tag_of(op->endpoint);
  if (!*op->summary) op->summary = op->endpoint->route.p; /* a literal */
}

/* ---- the list ---- */

static struct str without_prefix(struct str route) {
  return str_has_prefix(route, STR("/api/admin/")) ? str_sub(route, 4, route.n) : route;
}

static bool has_op(struct str route, enum http_method method) {
  for (size_t i = 0; i < ops_n; i++)
    if (ops[i].method == method && str_eq(ops[i].endpoint->route, route)) return true;
  return false;
}

static void add(const struct endpoint *e, enum http_method method) {
  if (ops_n == OPS_MAX || !(e->method_mask & 1u << method)) return;
  if (method == HTTP_HEAD && e->method_mask & 1u << HTTP_GET) return; /* what GET brings along */
  if (has_op(e->route, method)) return;                               /* another header's row of the same path */
  struct openapi_op *op = &ops[ops_n];
  *op = (struct openapi_op){.endpoint = e, .method = method};
  op->is_twin = str_has_prefix(e->route, STR("/api/admin/")) && has_op(without_prefix(e->route), method);
  describe(op);
  ops_n++;
}

/* Of the paths of an API those that its vendor has come before their other names. */
static unsigned rank_of_path(struct str route) {
  return str_has_prefix(route, STR("/v1/")) || str_has_prefix(route, STR("/v1beta/")) ? 0 : 1;
}

/* By tag, as they first came, the vendors' own paths, then path and method: how people look for things. */
static size_t rank_of(const char *tag) {
  size_t i = 0;
  while (i < ops_n && strcmp(tags_seen[i], tag)) i++;
  return i;
}

static int compare(const void *x, const void *y) {
  const struct openapi_op *a = x, *b = y;
  size_t ra = rank_of(a->tag), rb = rank_of(b->tag);
  if (ra != rb) return ra < rb ? -1 : 1;
  unsigned pa = rank_of_path(a->endpoint->route), pb = rank_of_path(b->endpoint->route);
  if (pa != pb) return pa < pb ? -1 : 1;
  int order = str_cmp(a->endpoint->route, b->endpoint->route);
  return order ? order : (int)a->method - (int)b->method;
}

static void sort(void) {
  for (size_t i = 0; i < ops_n; i++) tags_seen[i] = ops[i].tag; /* the array moves under the comparison */
  qsort(ops, ops_n, sizeof *ops, compare);
}

void openapi_ops_init(const struct endpoint *endpoints, size_t n) {
  static const enum http_method methods[] = {HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE};
  ops_n = 0;
  /* Rows that want no header come first: they say what a path is for. */
  for (int with_header = 0; with_header < 2; with_header++)
    for (size_t i = 0; i < n; i++) {
      bool is_catch_all = endpoints[i].method_mask & 1u << HTTP_OTHER;
      for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
        if (!is_catch_all && (endpoints[i].header.n > 0) == with_header) add(&endpoints[i], methods[k]);
    }
  sort();
}

const struct openapi_op *openapi_ops(size_t *n) {
  *n = ops_n;
  return ops;
}

/* ---- who may ---- */

static const struct {
  const char *name;
  struct auth_principal principal;
} callers[OPENAPI_CALLERS] = {{"nobody", {.kind = AUTH_NOBODY}},
                              {"local", {.kind = AUTH_LOCAL}},
                              {"server key", {.kind = AUTH_KEY, .index = 1}},
                              {"first server key", {.kind = AUTH_KEY, .is_first_key = true}},
                              {"user", {.kind = AUTH_USER, .role = USER_ROLE_USER}},
                              {"viewer", {.kind = AUTH_USER, .role = USER_ROLE_VIEWER}},
                              {"operator", {.kind = AUTH_USER, .role = USER_ROLE_OPERATOR}},
                              {"admin", {.kind = AUTH_ADMIN}}};

const char *openapi_caller(size_t i) { return callers[i].name; }

bool openapi_may(const struct openapi_op *op, size_t caller) {
  return auth_may(&callers[caller].principal, op->endpoint->class);
}

bool openapi_next_name(struct str route, size_t *at, struct str *name) {
  size_t open = str_find_char(str_sub(route, *at, route.n), '{');
  if (open == SIZE_MAX) return false;
  struct str rest = str_sub(route, *at + open + 1, route.n);
  size_t close = str_find_char(rest, '}');
  if (close == SIZE_MAX) return false;
  *name = str_sub(rest, 0, close);
  *at += open + close + 2;
  return true;
}

bool openapi_next_query(struct str *rest, struct str *name, struct str *type) {
  struct str one;
  if (!rest->n) return false;
  str_cut(*rest, ',', &one, rest);
  str_cut(one, ':', name, type);
  return true;
}
