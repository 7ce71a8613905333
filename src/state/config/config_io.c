/* Options in the structs of the rooms that use them, and what differs between two configurations. */
#include "io/http_client.h"
#include "io/http_server.h"
#include "state/config/config_load.h"

void config_server_limits(const struct config *c, struct http_server_limits *out) {
  const struct config_options *o = &c->options;
  *out = (struct http_server_limits){
      .target_bytes = o->server_limits_target_bytes,
      .header_bytes = o->server_limits_header_bytes,
      .header_count = o->server_limits_header_count,
      .body_bytes = o->server_limits_body_bytes,
      .inflate_ratio = o->server_limits_inflate_ratio,
      .connections = o->server_limits_connections,
      .held_bytes = o->server_limits_held_bytes,
      .held_wait_ms = o->server_limits_held_wait_ms,
      .header_timeout_ms = o->server_limits_header_timeout_ms,
      .body_timeout_ms = o->server_limits_body_timeout_ms,
      .idle_timeout_ms = o->server_limits_idle_timeout_ms,
      .write_timeout_ms = o->server_limits_write_timeout_ms,
      .write_high_bytes = o->server_limits_write_high_bytes,
      .write_low_bytes = o->server_limits_write_low_bytes,
  };
}

void config_client_options(const struct config *c, struct http_client_options *out) {
  const struct config_options *o = &c->options;
  *out = (struct http_client_options){
      .ca_file = o->tls_ca_file,
      .use_proxy_env = o->upstream_proxy_from_env,
      .connections_per_origin = o->upstream_connections_per_origin,
      .idle_ms = o->upstream_idle_ms,
  };
}

static bool is_same_list(const struct config_strings *a, const struct config_strings *b) {
  bool same = a->n == b->n;
  for (size_t i = 0; same && i < a->n; i++) same = str_eq(a->items[i], b->items[i]);
  return same;
}

static bool is_same(const struct config_row *row, const struct config *a, const struct config *b) {
  const void *x = (const char *)&a->options + row->offset, *y = (const char *)&b->options + row->offset;
  switch (row->kind) {
    case CONFIG_KIND_BOOL: return *(const bool *)x == *(const bool *)y;
    case CONFIG_KIND_U32:
    case CONFIG_KIND_MS: return *(const uint32_t *)x == *(const uint32_t *)y;
    case CONFIG_KIND_ENUM: return *(const unsigned *)x == *(const unsigned *)y;
    case CONFIG_KIND_USD:
    case CONFIG_KIND_BYTES: return *(const uint64_t *)x == *(const uint64_t *)y;
    case CONFIG_KIND_STRING:
    case CONFIG_KIND_PATH: return str_eq(*(const struct str *)x, *(const struct str *)y);
    case CONFIG_KIND_LIST: return is_same_list(x, y);
  }
  return true;
}

void config_note_restart(const struct config *running, const struct config *next, struct config_diags *diags) {
  for (unsigned id = 0; id < CONFIG_OPTION_COUNT; id++) {
    const struct config_row *row = config_row(id);
    /* No secret needs a restart, so none is compared here. */
    if (row->option.is_reloadable || row->option.is_secret || is_same(row, running, next)) continue;
    config_diags_add(diags, CONFIG_WARNING, next->places[id], str_from_c(row->option.path), NULL,
                     "the change takes effect at the next start");
  }
}
