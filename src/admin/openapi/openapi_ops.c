/* The list of endpoints with their texts: see openapi_ops.h. */
#include "admin/openapi/openapi_ops.h"

#include <stdlib.h>

#include "admin/audit.h"
#include "admin/catalog_reads.h"
#include "admin/home.h"
#include "admin/models_refresh.h"
#include "admin/names/names.h"
#include "admin/names/names_json.h"
#include "admin/nodes/nodes.h"
#include "admin/nodes/nodes_ask.h"
#include "admin/nodes/nodes_change.h"
#include "admin/nodes/nodes_json.h"
#include "admin/nodes/nodes_manage.h"
#include "admin/nodes/nodes_sync.h"
#include "admin/openapi/openapi.h"
#include "admin/people/sessions.h"
#include "admin/people/subject_limits.h"
#include "admin/people/teams.h"
#include "admin/people/users.h"
#include "admin/people/users_json.h"
#include "admin/priorities.h"
#include "admin/records/dashboard.h"
#include "admin/records/records.h"
#include "admin/records/usage.h"
#include "admin/seeds.h"
#include "admin/settings.h"
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

enum kind { PLAIN, TAGGED, CHANGE };

#define NONE \
  { OPENAPI_NONE, NULL, NULL }
#define EMPTY \
  { OPENAPI_EMPTY, NULL, NULL }
#define ONE(schema) \
  { OPENAPI_ONE, &(schema), NULL }
#define LIST(schema) \
  { OPENAPI_LIST, &(schema), NULL }
#define EITHER(schema) \
  { OPENAPI_EITHER, &(schema), NULL }
#define MEDIA(types) \
  { OPENAPI_NONE, NULL, types }
#define BOTH(schema, types) \
  { OPENAPI_ONE, &(schema), types }
#define MODELS \
  { OPENAPI_MODELS, NULL, NULL }
#define MODEL \
  { OPENAPI_MODEL, NULL, NULL }
static const struct {
  void (*run)(struct request_context *rc);
  enum kind kind;
  const char *tag, *summary, *query;
  struct openapi_answer answer;
  const char *more;
} texts[] = {
#define X(function, kind, tag, summary, query, answer, more) {function, kind, tag, summary, query, answer, more},
#include "admin/openapi/openapi.def"
#undef X
};

static const char *tag_of(const struct endpoint *e) {
  const struct openapi_vendor *vendor = openapi_vendors_of(e);
  if (vendor) return vendor->tag;
  return str_has_prefix(e->route, STR("/admin")) || str_has_prefix(e->route, STR("/api/admin")) ? "Administration"
                                                                                                : "Operations";
}

static void describe_call(struct openapi_op *op) {
  bool is_stream = op->endpoint->what & PATH_STREAM;
  op->call = openapi_vendors_call(op->endpoint);
  if (!op->call) return;
  op->summary = op->call->summary;
  op->link = op->call->link;
  op->answer = (struct openapi_answer){.shape = is_stream ? OPENAPI_LIST : OPENAPI_ONE, .schema = op->call->answer};
  op->more = is_stream ? "The answer is a stream."
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
  op->tag = op->summary = op->more = op->query = op->link = "";
  if (op->endpoint->run == exchange_call) describe_call(op);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (texts[i].run != op->endpoint->run) continue;
    op->tag = texts[i].tag;
    op->summary = texts[i].summary;
    op->query = texts[i].query;
    op->answer = texts[i].answer;
    op->is_tagged = texts[i].kind == TAGGED;
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

static struct openapi_op *find(struct str route, enum http_method method) {
  for (size_t i = 0; i < ops_n; i++)
    if (ops[i].method == method && str_eq(ops[i].endpoint->route, route)) return &ops[i];
  return NULL;
}

static void add_vendor(struct openapi_op *op, const struct openapi_vendor *vendor) {
  for (size_t i = 0; i < op->vendor_count; i++)
    if (op->vendors[i] == vendor) return;
  if (vendor && op->vendor_count < OPENAPI_VENDORS) op->vendors[op->vendor_count++] = vendor;
}

static void add(const struct endpoint *e, enum http_method method) {
  if (ops_n == OPS_MAX || !(e->method_mask & 1u << method)) return;
  if (method == HTTP_HEAD && e->method_mask & 1u << HTTP_GET) return; /* what GET brings along */
  struct openapi_op *op = find(e->route, method);
  if (op) { /* another header's row of the same path */
    add_vendor(op, openapi_vendors_of(e));
    return;
  }
  op = &ops[ops_n];
  *op = (struct openapi_op){.endpoint = e, .method = method};
  op->is_twin = str_has_prefix(e->route, STR("/api/admin/")) && find(without_prefix(e->route), method);
  add_vendor(op, openapi_vendors_of(e));
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

bool openapi_is_paged(const struct openapi_op *op) {
  return str_find(str_from_c(op->query), STR("after:")) != SIZE_MAX;
}

int openapi_status(const struct openapi_op *op) {
  if (op->row) return op->row->status;
  bool is_empty = op->answer.shape == OPENAPI_NONE && !op->answer.media;
  return is_empty ? 204 : 200;
}

const struct schema *openapi_schema(const struct openapi_op *op, size_t vendor) {
  bool has_vendor = vendor < op->vendor_count;
  if (op->answer.shape == OPENAPI_MODELS) return has_vendor ? op->vendors[vendor]->models : NULL;
  if (op->answer.shape == OPENAPI_MODEL) return has_vendor ? op->vendors[vendor]->model : NULL;
  return op->answer.schema;
}

/* ---- schemas ---- */

enum { SCHEMAS_MAX = 256 };

struct seen {
  const struct schema *v[SCHEMAS_MAX];
  size_t n;
  void (*fn)(void *arg, const struct schema *s);
  void *arg;
};

static void see(void *arg, const struct schema *s) {
  struct seen *seen = arg;
  for (size_t i = 0; i < seen->n; i++)
    if (seen->v[i] == s) return;
  if (seen->n == SCHEMAS_MAX) return;
  seen->v[seen->n++] = s;
  seen->fn(seen->arg, s);
}

void openapi_each_schema(bool (*passes)(const struct openapi_op *op), void (*fn)(void *arg, const struct schema *s),
                         void *arg) {
  struct seen seen = {.fn = fn, .arg = arg};
  for (size_t i = 0; i < ops_n; i++) {
    if (passes && !passes(&ops[i])) continue;
    for (size_t k = 0; k < ops[i].vendor_count || k == 0; k++)
      if (openapi_schema(&ops[i], k)) schema_each_named(openapi_schema(&ops[i], k), see, &seen);
    for (size_t k = 0; k < ops[i].vendor_count; k++) schema_each_named(ops[i].vendors[k]->error, see, &seen);
  }
}
