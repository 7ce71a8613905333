/* The API's description for people: see openapi.h. HTML without scripts but for a filter and the login form, under a
 * policy that lets the page load from this server alone. What it shows is ours, so nothing needs escaping but '<' and
 * its kin in texts. */
#include "admin/html.h"
#include "admin/openapi/openapi.h"
#include "admin/openapi/openapi_words.h"
#include "base/json.h"
#include "gateway/exchange.h"

extern const char docs_style_start[] __attribute__((visibility("hidden")));
extern const char docs_style_end[] __attribute__((visibility("hidden")));
extern const char docs_script_start[] __attribute__((visibility("hidden")));
extern const char docs_script_end[] __attribute__((visibility("hidden")));

/* With `names` set as code. */
static void put_prose(struct buf *b, const char *c) {
  struct str rest = str_from_c(c), part;
  for (bool is_code = false, more = true; more; is_code = !is_code) {
    more = str_cut(rest, '`', &part, &rest);
    if (is_code) buf_put(b, STR("<code>"));
    html_put(b, part);
    if (is_code) buf_put(b, STR("</code>"));
  }
}
static void put_c(struct buf *b, const char *c) { html_put(b, str_from_c(c)); }

static void put_head(struct buf *b, const char *title) {
  buf_put(b, STR("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                 "content=\"width=device-width,initial-scale=1\"><title>"));
  put_c(b, title);
  buf_put(b, STR("</title><link rel=\"stylesheet\" href=\"/api/docs/docs.css\"><script src=\"/api/docs/docs.js\" "
                 "defer></script></head><body>"));
}

/* ---- one endpoint ---- */

static void put_row(struct buf *b, struct str name, struct str type, const char *help) {
  buf_put(b, STR("<tr><td><code>"));
  html_put(b, name);
  buf_put(b, STR("</code></td><td>"));
  html_put(b, type);
  buf_put(b, STR("</td><td>"));
  put_c(b, help);
  buf_put(b, STR("</td></tr>"));
}

static const char *const type_names[FIELD_TYPE_COUNT] = {[FIELD_STRING] = "text",
                                                         [FIELD_BOOL] = "true or false",
                                                         [FIELD_INTEGER] = "whole number",
                                                         [FIELD_USD] = "US dollars",
                                                         [FIELD_CHOICE] = "one of a few",
                                                         [FIELD_STRINGS] = "list of texts",
                                                         [FIELD_OBJECTS] = "list of objects",
                                                         [FIELD_OTHER] = "see the description"};

static void put_field(struct buf *b, const struct field *f, bool is_required) {
  buf_put(b, STR("<tr><td><code>"));
  html_put(b, f->key);
  buf_put(b, is_required ? STR("</code> <b>required</b></td><td>") : STR("</code></td><td>"));
  if (f->type == FIELD_CHOICE)
    for (int64_t i = 0; i < f->max; i++) {
      if (i) buf_put(b, STR(", "));
      put_c(b, f->choices[i]);
    }
  else
    put_c(b, type_names[f->type]);
  if (f->is_nullable) buf_put(b, STR(" or null"));
  buf_put(b, STR("</td><td>"));
  put_c(b, f->help ? f->help : "");
  if (f->must) {
    if (f->help) buf_put(b, STR("; "));
    put_c(b, f->must);
  }
  buf_put(b, STR("</td></tr>"));
}

static void put_body(struct buf *b, const struct openapi_op *op) {
  if (!op->body) return;
  buf_put(b, STR("<h4>Body</h4><div class=\"wide\"><table>"));
  for (size_t i = 0; i < op->body->n; i++)
    if (op->allowed & op->body->v[i].bit) put_field(b, &op->body->v[i], op->required & op->body->v[i].bit);
  buf_put(b, STR("</table></div>"));
}

static void put_parameters(struct buf *b, const struct openapi_op *op) {
  struct str name, type, query = str_from_c(op->query);
  size_t at = 0;
  if (!query.n && str_find_char(op->endpoint->route, '{') == SIZE_MAX) return;
  buf_put(b, STR("<h4>Parameters</h4><div class=\"wide\"><table>"));
  while (openapi_next_name(op->endpoint->route, &at, &name)) put_row(b, name, STR("in the path"), "percent-encoded");
  while (openapi_next_query(&query, &name, &type)) put_row(b, name, type, "in the query");
  buf_put(b, STR("</table></div>"));
}

static void put_callers(struct buf *b, const struct openapi_op *op) {
  bool is_first = true;
  buf_put(b, STR("<p class=\"who\"><code>"));
  html_put(b, op->endpoint->route);
  buf_put(b, STR("</code> is open to: "));
  for (size_t i = 0; i < OPENAPI_CALLERS; i++) {
    if (!openapi_may(op, i)) continue;
    if (!is_first) buf_put(b, STR(", "));
    put_c(b, i == 0 ? "everybody" : openapi_caller(i));
    is_first = false;
    if (i == 0) break;
  }
  buf_put(b, STR("</p>"));
}

static void put_link(struct buf *b, const char *name) {
  buf_put(b, STR("<a href=\"#answer-"));
  put_c(b, name);
  buf_put(b, STR("\">"));
  put_c(b, name);
  buf_put(b, STR("</a>"));
}

static void put_answer(struct buf *b, const struct openapi_op *op) {
  buf_put(b, STR("<h4>Answer</h4><p>"));
  openapi_words_answer(b, op, put_link);
  buf_put(b, STR("</p>"));
}

static void put_answer_member(void *arg, struct str path, const struct schema_member *m) {
  struct buf *b = arg;
  buf_put(b, STR("<tr><td><code>"));
  html_put(b, path);
  buf_put(b, m->type & SCHEMA_OPTIONAL ? STR("</code> optional</td><td>") : STR("</code></td><td>"));
  openapi_words_type(b, m, put_link);
  buf_put(b, STR("</td><td>"));
  put_c(b, m->help ? m->help : "");
  buf_put(b, STR("</td></tr>"));
}

struct answers {
  struct buf *b;
  bool is_open;
};

/* The anchor is within, so that a link to it opens what is folded. */
static void put_answer_schema(void *arg, const struct schema *s) {
  const struct answers *a = arg;
  buf_put(a->b, a->is_open ? STR("<details open class=\"op\"><summary><code>")
                           : STR("<details class=\"op\"><summary><code>"));
  put_c(a->b, s->name);
  buf_put(a->b, STR("</code></summary><div class=\"wide\" id=\"answer-"));
  put_c(a->b, s->name);
  buf_put(a->b, STR("\"><table>"));
  schema_walk(s, put_answer_member, a->b);
  buf_put(a->b, STR("</table></div></details>"));
}

/* `twin`: the same below /api/admin, or NULL. */
static void put_op(struct buf *b, const struct openapi_op *op, const struct openapi_op *twin, bool is_open) {
  struct str method = http_method_name(op->method);
  buf_put(b, is_open ? STR("<details open class=\"op\"><summary><span class=\"m ")
                     : STR("<details class=\"op\"><summary><span class=\"m "));
  html_put(b, method);
  buf_put(b, STR("\">"));
  html_put(b, method);
  buf_put(b, STR("</span> <code>"));
  html_put(b, op->endpoint->route);
  buf_put(b, STR("</code> <span class=\"sum\">"));
  put_c(b, op->summary);
  buf_put(b, STR("</span></summary>"));
  if (*op->more) {
    buf_put(b, STR("<p>"));
    put_prose(b, op->more);
    buf_put(b, STR("</p>"));
  }
  put_callers(b, op);
  if (twin) put_callers(b, twin);
  put_parameters(b, op);
  put_body(b, op);
  put_answer(b, op);
  if (*op->link) {
    buf_put(b, STR("<p><a rel=\"noreferrer\" href=\""));
    put_c(b, op->link);
    buf_put(b, STR("\">The format, by its vendor</a></p>"));
  }
  buf_put(b, STR("</details>"));
}

/* ---- the page ---- */

static const struct openapi_op *twin_of(const struct openapi_op *ops, size_t n, const struct openapi_op *op) {
  for (size_t i = 0; i < n; i++)
    if (ops[i].is_twin && ops[i].method == op->method &&
        str_eq(str_sub(ops[i].endpoint->route, 4, ops[i].endpoint->route.n), op->endpoint->route))
      return &ops[i];
  return NULL;
}

static bool is_first_of_tag(const struct openapi_op *ops, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (!strcmp(ops[k].tag, ops[i].tag)) return false;
  return true;
}

/* "#audit-log" */
static void put_anchor(struct buf *b, const char *tag) {
  for (; *tag; tag++) buf_put_char(b, *tag == ' ' ? '-' : (char)(*tag | 0x20));
}

static void put_navigation(struct buf *b, const struct openapi_op *ops, size_t n) {
  buf_put(b, STR("<nav><input id=\"filter\" type=\"search\" placeholder=\"Filter paths and words\" "
                 "aria-label=\"Filter\"><ul>"));
  for (size_t i = 0; i < n; i++) {
    if (!is_first_of_tag(ops, i)) continue;
    buf_put(b, STR("<li><a href=\"#"));
    put_anchor(b, ops[i].tag);
    buf_put(b, STR("\">"));
    put_c(b, ops[i].tag);
    buf_put(b, STR("</a></li>"));
  }
  buf_put(b, STR("<li><a href=\"#answers\">Answers</a></li></ul></nav>"));
}

void openapi_write_page(struct buf *b, bool is_long) {
  size_t n;
  const struct openapi_op *ops = openapi_ops(&n);
  put_head(b, "Maestro API");
  buf_put(b, STR("<header><h1>Maestro API</h1><p>Version " MAESTRO_VERSION
                 " &middot; <a href=\"/api/openapi.json\">OpenAPI "
                 "3.1</a> &middot; "));
  buf_put(b, is_long ? STR("<a href=\"/api/docs\">folded</a>") : STR("<a href=\"/api/redoc\">all on one page</a>"));
  buf_put(b, STR("</p></header><div class=\"frame\">"));
  put_navigation(b, ops, n);
  buf_put(b, STR("<main>"));
  for (size_t i = 0; i < n; i++) {
    if (!is_first_of_tag(ops, i)) continue;
    buf_put(b, STR("<section><h2 id=\""));
    put_anchor(b, ops[i].tag);
    buf_put(b, STR("\">"));
    put_c(b, ops[i].tag);
    buf_put(b, STR("</h2>"));
    for (size_t k = i; k < n; k++)
      if (!strcmp(ops[k].tag, ops[i].tag) && !ops[k].is_twin) put_op(b, &ops[k], twin_of(ops, n, &ops[k]), is_long);
    buf_put(b, STR("</section>"));
  }
  buf_put(b, STR("<section><h2 id=\"answers\">Answers</h2>"));
  openapi_each_schema(NULL, put_answer_schema, &(struct answers){b, is_long});
  buf_put(b, STR("</section></main></div></body></html>"));
}

/* ---- serving ---- */

static void answer_page(struct request_context *rc, int status, struct buf *b) {
  reply_add_header(&rc->reply, STR("Content-Security-Policy"),
                   STR("default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"));
  reply_add_header(&rc->reply, STR("X-Content-Type-Options"), STR("nosniff"));
  reply_add_header(&rc->reply, STR("Referrer-Policy"), STR("no-referrer"));
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("no-store"));
  if (b->failed)
    exchange_fail(rc, ERR_NO_MEMORY, NULL);
  else
    rc->error = reply_body(&rc->reply, status, STR("text/html; charset=utf-8"), buf_str(b));
}

static void offer_login(struct request_context *rc) {
  struct buf b;
  buf_init(&b, 0);
  put_head(&b, "Sign in to Maestro");
  buf_put(&b, STR("<main class=\"login\"><h1>Maestro</h1><form id=\"login\"><label>Name<input name=\"username\" "
                  "autocomplete=\"username\" required autofocus></label><label>Password<input name=\"password\" "
                  "type=\"password\" autocomplete=\"current-password\" required></label><button>Sign in</button><p "
                  "id=\"said\" role=\"alert\"></p><noscript><p>Signing in needs JavaScript; a program sends the admin "
                  "token instead.</p></noscript></form></main></body></html>"));
  answer_page(rc, 401, &b);
  buf_clear(&b);
}

bool openapi_is_open(struct request_context *rc) {
  struct err_info info = {0};
  if (auth_may(&rc->principal, AUTH_CLASS_DOCS)) return true;
  if (secret_bytes(rc->options->docs_password))
    reply_add_header(&rc->reply, STR("WWW-Authenticate"), STR("Basic realm=\"Maestro API\", charset=\"UTF-8\""));
  if (str_find(http_header_get(rc->request->headers, STR("accept")), STR("text/html")) != SIZE_MAX) {
    offer_login(rc);
  } else {
    enum err e = err_set(&info, ERR_UNAUTHENTICATED,
                         "the description of the API needs the administration's login, or that of docs.username");
    exchange_fail(rc, e, &info);
  }
  return false;
}

static void show(struct request_context *rc, bool is_long) {
  struct buf b;
  if (!openapi_is_open(rc)) return;
  buf_init(&b, 0);
  openapi_write_page(&b, is_long);
  answer_page(rc, 200, &b);
  buf_clear(&b);
}

void openapi_docs(struct request_context *rc) { show(rc, false); }
void openapi_redoc(struct request_context *rc) { show(rc, true); }

static void answer_asset(struct request_context *rc, const char *type, const char *start, const char *end) {
  reply_add_header(&rc->reply, STR("X-Content-Type-Options"), STR("nosniff"));
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("max-age=300"));
  rc->error = reply_body(&rc->reply, 200, str_from_c(type), str_from(start, (size_t)(end - start)));
}

void openapi_style(struct request_context *rc) {
  answer_asset(rc, "text/css; charset=utf-8", docs_style_start, docs_style_end);
}
void openapi_script(struct request_context *rc) {
  answer_asset(rc, "text/javascript; charset=utf-8", docs_script_start, docs_script_end);
}
