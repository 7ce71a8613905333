/* Asks providers which models they have: see discovery.h. */
#include "jobs/discovery.h"

#include "base/buf.h"
#include "base/log.h"
#include "route/discovered.h"

enum { LIST_MAX_BYTES = 8 * 1024 * 1024, LIST_MS = 15000, AT_ONCE = FIBER_GROUP_MAX };

struct query {
  struct http_client *client;
  const struct catalog_provider *at;
  bool changed;
};

static enum err read_list(struct http_call *http, struct buf *out, struct err_info *info) {
  uint64_t deadline = clock_deadline_ms(LIST_MS);
  for (;;) {
    struct str piece;
    enum err e = http_call_read(http, &piece, deadline, info);
    if (e || piece.n == 0) return e;
    buf_put(out, piece);
    if (out->failed) return ERR_UPSTREAM_TOO_LARGE;
  }
}

static enum err take_list(struct query *q, int status, struct str body, struct err_info *info) {
  const struct provider *p = &q->at->provider;
  struct arena arena;
  struct str *ids;
  size_t n;
  if (status != 200) return err_set(info, ERR_UPSTREAM_STATUS, "the model list answered with status %d", status);
  arena_init(&arena, 0);
  enum err e = p->type->parse_catalog(&arena, body, &ids, &n, info);
  if (!e && !discovered_put(p->id, ids, n, &q->changed)) e = ERR_NO_MEMORY;
  arena_clear(&arena);
  return e;
}

static enum err ask(void *arg) {
  struct query *q = arg;
  const struct provider *p = &q->at->provider;
  struct http_call *http = NULL;
  struct err_info info = {0};
  struct buf body;
  buf_init(&body, LIST_MAX_BYTES);
  const struct http_client_request request = {.method = HTTP_GET,
                                              .origin = &p->origin,
                                              .target = p->catalog_target,
                                              .headers = p->headers,
                                              .accept_gzip = true,
                                              .connect_ms = p->timeouts.connect_ms,
                                              .headers_ms = LIST_MS,
                                              .reply_limit_bytes = LIST_MAX_BYTES};
  enum err e = http_call_start(q->client, &request, &http, &info);
  if (!e) e = read_list(http, &body, &info);
  if (!e) e = take_list(q, http_call_response(http)->status, buf_str(&body), &info);
  http_call_close(http);
  buf_clear(&body);
  if (e && e != ERR_CANCELLED)
    log_line(LOG_LEVEL_WARN, "model list unavailable", log_str(LOG_PROVIDER, p->id), log_c(LOG_CODE, err_code(e)),
             log_c(LOG_REASON, err_info_text(e, &info)));
  return e == ERR_CANCELLED ? e : OK; /* one silent provider does not stop the others */
}

static bool is_asked(const struct catalog_provider *p) {
  if (p->is_demo || !p->is_ready) return false;
  const struct discovered_list *listed = discovered_get(p->provider.id);
  discovered_release(listed);
  return p->is_open || listed;
}

enum err discovery_run(struct http_client *client, const struct catalog *catalog, bool *changed) {
  struct query queries[AT_ONCE];
  enum err e = OK;
  *changed = false;
  for (size_t next = 0; !e && next < catalog->provider_count;) {
    struct fiber_group group;
    size_t n = 0;
    fiber_group_init(&group);
    for (; next < catalog->provider_count && n < AT_ONCE; next++) {
      if (!is_asked(&catalog->providers[next])) continue;
      queries[n] = (struct query){client, &catalog->providers[next], false};
      if (fiber_group_go(&group, ask, &queries[n])) break;
      n++;
    }
    if (n == 0 && next < catalog->provider_count) e = ERR_BUSY;
    if (!e) e = fiber_group_join_all(&group, clock_deadline_ms(2 * LIST_MS));
    fiber_group_end(&group);
    for (size_t i = 0; i < n; i++) *changed = *changed || queries[i].changed;
  }
  return e;
}
