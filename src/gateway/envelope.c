/* What is known of a request before it is routed: see gateway/envelope.h. */
#include "gateway/envelope.h"

#include "gateway/limits.h"
#include "llm/signature.h"

static enum err scan_piece(void *arg, struct str piece, struct err_info *info) {
  return envelope_scan_feed(arg, piece, info);
}

struct str envelope_path_model(struct request_context *rc) {
  struct str raw = rc->path_rest;
  char *out = arena_alloc(rc->arena, raw.n);
  struct str name = out ? str_from(out, str_percent_decode(raw, out, raw.n)) : STR_NONE;
  for (size_t i = 0; i < name.n; i++)
    if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f) return STR_NONE;
  return str_is_utf8(name) ? name : STR_NONE;
}

/* "alt=sse" among the query's parameters: without it a Gemini stream is a JSON array. */
static bool asks_for_events(struct str query) {
  struct str one;
  while (query.n) {
    str_cut(query, '&', &one, &query);
    if (str_eq(one, STR("alt=sse"))) return true;
  }
  return false;
}

/* What the path says of a request, before its body is looked at. */
enum err envelope_read_path(struct request_context *rc, struct dialect_request *request) {
  unsigned what = rc->endpoint->what;
  *request = (struct dialect_request){.operation = (enum llm_operation)((what & OPERATION_MASK) - 1), .max_tokens = -1};
  request->is_stream = what & PATH_STREAM;
  request->is_array = request->is_stream && !asks_for_events(rc->request->query);
  if (!(what & PATH_MODEL)) return OK;
  request->model = envelope_path_model(rc);
  return request->model.n
             ? OK
             : err_set_param(&rc->info, ERR_BAD_VALUE, "model", "the model's name in the path is malformed");
}

/* What stands for kept responses is put in their place; the new body is looked at again. */
static enum err expand(struct request_context *rc, struct turn *t, struct envelope_scan *scan) {
  bool is_changed = false;
  const struct limits_section *limits = snapshot_get(rc->snapshot, GATEWAY_LIMITS);
  struct str owner = limits_owner(limits, &rc->principal, t->owner);
  enum err e = stored_begin(&t->stored, rc->arena, owner, rc->options->server_limits_body_bytes, scan, &t->call.body,
                            &is_changed, &rc->info);
  if (e || !is_changed) return e;
  return envelope_scan_whole(scan, rc->endpoint->dialect->request_table(), NULL, rc->arena, t->call.body, &rc->info);
}

enum err envelope_read_body(struct request_context *rc, struct turn *t, struct dialect_request *request) {
  const struct dialect *dialect = rc->endpoint->dialect;
  struct envelope_scan *scan = arena_alloc(rc->arena, sizeof *scan);
  if (!scan) return ERR_NO_MEMORY;
  envelope_scan_init(scan, dialect->request_table(), NULL, rc->arena);
  const struct http_body_options options = {.on_bytes = scan_piece, .arg = scan};
  enum err e = http_exchange_read_body(rc->x, &options, &t->call.body, &rc->info);
  rc->bytes_in = t->call.body.n;
  if (!e) e = envelope_scan_end(scan, &rc->info);
  if (!e && rc->endpoint->what & KEPT) e = expand(rc, t, scan);
  if (!e) e = dialect->read_request(rc->arena, t->call.body, scan, request, &rc->info);
  request->previous_id = t->stored.previous_id;
  if (!e && dialect->carries_signatures && signature_is_wrapped_within(t->call.body)) request->must_encode = true;
  t->call.scan = scan;
  return e;
}
