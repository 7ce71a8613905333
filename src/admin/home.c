/* GET /: see home.h. The page is one document without scripts or foreign assets; what it shows of the configuration
 * needs a credential or a local call, like /healthz. */
#include "admin/home.h"

#include "admin/html.h"

static const char style[] =
    "<style>:root{color-scheme:light "
    "dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--card:#f6f8fa;--line:#d0d7de;--ok:#116329}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9198a1;--card:#151b23;--line:#3d444d;"
    "--ok:#3fb950}}"
    "body{font:16px/1.55 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;max-width:52rem;"
    "padding:2rem 1.25rem}h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}"
    ".soft{color:var(--soft)}.ok{color:var(--ok);font-weight:600}"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;overflow-x:auto;"
    "font:13.5px/1.5 ui-monospace,monospace}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.4rem .6rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top;"
    "overflow-wrap:anywhere}td:first-child{white-space:nowrap}th{font-weight:600;font-size:.9rem;color:var(--soft)}"
    "code{font:13.5px "
    "ui-monospace,monospace}"
    "@media(max-width:34rem){th{display:none}td{display:block;border:0;padding:.1rem 0}td:first-child{font-weight:600}"
    "td:last-child{border-bottom:1px solid var(--line);padding-bottom:.5rem;margin-bottom:.4rem}}"
    "</style>";

static void put_providers(const struct catalog *c, struct buf *b) {
  buf_put(b, STR("<h2>Providers</h2><table><tr><th>Provider</th><th>Models</th><th>State</th></tr>"));
  for (size_t i = 0; i < c->provider_count; i++) {
    const struct catalog_provider *p = &c->providers[i];
    buf_put(b, STR("<tr><td>"));
    html_put(b, p->provider.id);
    buf_put(b, STR("</td><td>"));
    if (p->is_open && p->count == 0)
      buf_put(b, STR("any, as <code>provider/model</code>"));
    else
      buf_put_u64(b, p->count);
    buf_put(b, p->is_demo    ? STR("</td><td>built-in demo, no real model</td></tr>")
               : p->is_ready ? STR("</td><td>ready</td></tr>")
                             : STR("</td><td>no credential</td></tr>"));
  }
  buf_put(b, STR("</table>"));
}

/* Where each kind of client points; the host is the request's own, so it is escaped. */
static void put_addresses(struct str host, struct buf *b) {
  static const struct {
    struct str clients, path, hint;
  } rows[] = {
      {STR("OpenAI"), STR("/v1"), STR("OPENAI_BASE_URL (in Codex: base_url)")},
      {STR("Anthropic"), STR(""), STR("ANTHROPIC_BASE_URL (also for Claude Code)")},
      {STR("Gemini"), STR(""), STR("GOOGLE_GEMINI_BASE_URL (also for Gemini CLI)")},
      {STR("Ollama"), STR(""), STR("OLLAMA_HOST")},
  };
  buf_put(b, STR("<h2>Point your tools at it</h2><table><tr><th>API</th><th>Address</th><th>Variable</th></tr>"));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    buf_put(b, STR("<tr><td>"));
    buf_put(b, rows[i].clients);
    buf_put(b, STR("</td><td><code>http://"));
    html_put(b, host);
    buf_put(b, rows[i].path);
    buf_put(b, STR("</code></td><td>"));
    buf_put(b, rows[i].hint);
    buf_put(b, STR("</td></tr>"));
  }
  buf_put(b, STR("</table>"));
}

static void put_page(struct request_context *rc, struct buf *b) {
  const struct catalog *c = rc->catalog;
  bool is_known = auth_may(&rc->principal, AUTH_CLASS_API_READ);
  struct str host = rc->request->host.n ? rc->request->host : STR("localhost:8080");
  buf_put(b, STR("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                 "content=\"width=device-width,initial-scale=1\"><title>Maestro</title>"));
  buf_put(b, str_from_c(style));
  buf_put(b, STR("</head><body><h1>Maestro</h1><p class=\"soft\">Version " MAESTRO_VERSION
                 " &middot; <span class=\"ok\">running</span></p>"));
  put_addresses(host, b);
  buf_put(b, STR("<h2>First request</h2><pre>curl http://"));
  html_put(b, host);
  buf_put(b, STR("/v1/chat/completions \\\n  -H 'Content-Type: application/json' \\\n"));
  if (rc->principal.kind != AUTH_LOCAL)
    buf_put(b, STR("  -H \"Authorization: Bearer $(maestro server show-key)\" \\\n"));
  buf_put(b,
          STR("  -d '{\"model\":\"maestro-auto\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'</pre>"));
  if (is_known)
    put_providers(c, b);
  else
    buf_put(b, STR("<p class=\"soft\">Providers and models are shown to callers with a key, and to local ones while "
                   "none is needed.</p>"));
  buf_put(
      b,
      STR("<h2>More</h2><p><a href=\"/v1/models\">/v1/models</a> &middot; <a href=\"/healthz\">/healthz</a> &middot; "
          "<a href=\"/metrics\">/metrics</a> &middot; <a href=\"/api/docs\">/api/docs</a></p></body></html>"));
}

static bool wants_html(const struct http_request *q) {
  return str_find(http_header_get(q->headers, STR("accept")), STR("text/html")) != SIZE_MAX;
}

static bool is_ollama(const struct http_request *q) {
  return str_has_prefix_nocase(http_header_get(q->headers, STR("user-agent")), STR("ollama"));
}

void home_page(struct request_context *rc) {
  struct buf b;
  enum err e;
  buf_init(&b, 0);
  reply_add_header(&rc->reply, STR("Vary"), STR("Accept, User-Agent"));
  if (wants_html(rc->request)) {
    reply_add_header(&rc->reply, STR("Content-Security-Policy"),
                     STR("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"));
    reply_add_header(&rc->reply, STR("X-Content-Type-Options"), STR("nosniff"));
    put_page(rc, &b);
    e = reply_body(&rc->reply, 200, STR("text/html; charset=utf-8"), buf_str(&b));
  } else if (is_ollama(rc->request)) {
    e = reply_body(&rc->reply, 200, STR("text/plain; charset=utf-8"), STR("Ollama is running"));
  } else {
    e = reply_json(&rc->reply, 200,
                   STR("{\"name\":\"maestro\",\"version\":\"" MAESTRO_VERSION
                       "\",\"status\":\"running\",\"message\":\"Ollama is running\",\"endpoints\":["
                       "\"/v1/chat/completions\",\"/v1/responses\",\"/v1/completions\",\"/v1/embeddings\","
                       "\"/v1/messages\",\"/v1/messages/count_tokens\",\"/v1beta/models\",\"/api/chat\","
                       "\"/api/generate\",\"/api/embed\",\"/api/tags\",\"/v1/models\",\"/health\",\"/healthz\","
                       "\"/readyz\",\"/metrics\"],"
                       "\"modes\":[\"auto\",\"passthrough\"]}"));
  }
  if (e) rc->error = e;
  buf_clear(&b);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member home_rows[] = {
    {"name", SCHEMA_WORD, .words = "maestro", .help = "this program"},
    {"version", SCHEMA_TEXT, .help = "its version"},
    {"status", SCHEMA_WORD, .words = "running", .help = "it answers"},
    {"message", SCHEMA_TEXT, .help = "for clients of Ollama"},
    {"endpoints", SCHEMA_TEXTS, .help = "paths that are served"},
    {"modes", SCHEMA_TEXTS, .help = "ways a model's name can be resolved"},
};
const struct schema home_schema = SCHEMA_OF("Home", home_rows);
