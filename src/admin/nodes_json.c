/* Nodes as JSON: see nodes_json.h. */
#include "admin/nodes_json.h"

#include "admin/page.h"
#include "base/json_out.h"
#include "route/runtime.h"

struct node nodes_json_declared(const struct config_provider *p) {
  return (struct node){.id = page_declared_id(p->id, 0), .name = p->id, .p = *p, .allow_private = true};
}

static void put_null(struct buf *b, const char *key) {
  json_out_key(b, key);
  json_out_raw(b, STR_NONE);
}

static void put_text(struct buf *b, const char *key, struct str s) {
  if (s.n)
    json_out_member_string(b, key, s);
  else
    put_null(b, key);
}

static void put_credential(struct buf *b, const struct node *node) {
  static const char *const usages[] = {"option", "always", "none"};
  const struct config_provider *p = &node->p;
  char hint[8];
  json_out_member_bool(b, "has_api_key", node_has_credential(node));
  put_text(b, "api_key_hint", node_key_hint(node, hint));
  if (node->is_shut) json_out_member_bool(b, "is_credential_unreadable", true);
  if (str_eq(p->type, STR("bedrock")))
    json_out_member_string(b, "bedrock_auth_mode", p->aws.secret_access_key ? STR("iam") : STR("api_key"));
  json_out_key(b, "header_names");
  json_out_begin(b, '[');
  for (size_t i = 0; i < p->header_count; i++) json_out_string(b, p->headers[i].name);
  json_out_end(b, ']');
  json_out_member_string(b, "usage", str_from_c(usages[p->usage]));
}

static void put_timeout(struct buf *b, const char *key, int32_t ms) {
  if (ms < 0)
    put_null(b, key);
  else
    json_out_member_i64(b, key, ms);
}

/* Its own; null: as upstream.* says. */
static void put_timeouts(struct buf *b, const struct config_timeouts *t) {
  json_out_key(b, "timeouts");
  json_out_begin(b, '{');
#define X(member, camel, option, help) put_timeout(b, #member, t->member);
#include "state/timeouts.def"
#undef X
  json_out_end(b, '}');
}

static size_t count_listed(const struct node *node) {
  size_t n = 0;
  for (size_t i = 0; i < node->model_count; i++) n += node->models[i].is_listed;
  return n;
}

static void put_members(struct buf *b, const struct node *node) {
  const struct config_provider *p = &node->p;
  json_out_member_i64(b, "id", node->id);
  json_out_member_string(b, "code", p->id);
  json_out_member_string(b, "name", node->name);
  json_out_member_string(b, "node_type", p->type);
  json_out_member_string(b, "base_url", p->base_url);
  put_text(b, "region", p->region);
  json_out_member_i64(b, "priority", p->priority);
  json_out_member_i64(b, "weight", p->weight);
  json_out_member_bool(b, "is_active", p->is_active);
  put_credential(b, node);
  json_out_member_bool(b, "allow_private", node->allow_private);
  json_out_member_bool(b, "warmup_enabled", p->is_warmup);
  json_out_member_bool(b, "auto_sync_enabled", p->is_sync);
  put_text(b, "health_check_url", node->health_url);
  put_timeouts(b, &p->timeouts);
  json_out_member_strings(b, "quirks", p->quirks.items, p->quirks.n);
  json_out_member_i64(b, "listed_models", (int64_t)count_listed(node));
  json_out_member_time(b, "created_at", node->created_us);
  json_out_member_time(b, "updated_at", node->updated_us);
  json_out_member_time(b, "synced_at", node->synced_us);
}

void nodes_json_put_changed(struct buf *b, const struct node *node, bool drops_credential) {
  json_out_begin(b, '{');
  put_members(b, node);
  if (drops_credential) json_out_member_bool(b, "credential_dropped", true);
  json_out_end(b, '}');
}

void nodes_json_put(struct buf *b, const struct node *node) { nodes_json_put_changed(b, node, false); }

void nodes_json_put_health(struct buf *b, const struct catalog_provider *at) {
  struct runtime_health health = {0};
  if (at) runtime_get_health(at->runtime, &health);
  const char *status = !health.at_us ? "unknown" : health.fault ? "unhealthy" : "healthy";
  json_out_member_string(b, "health_status", str_from_c(status));
  if (health.fault) {
    json_out_member_string(b, "error", str_from_c(health.text));
    json_out_member_string(b, "error_class", str_from_c(err_code(health.fault)));
  } else {
    put_null(b, "error");
    put_null(b, "error_class");
  }
  if (health.at_us)
    json_out_member_i64(b, "latency_ms", health.latency_ms);
  else
    put_null(b, "latency_ms");
  json_out_member_time(b, "checked_at", health.at_us);
}

void nodes_json_put_state(struct buf *b, const struct node *node, const struct nodes_json_state *state) {
  json_out_begin(b, '{');
  put_members(b, node);
  json_out_member_string(b, "source", state->is_declared ? STR("declared") : STR("stored"));
  json_out_member_bool(b, "is_read_only", state->is_declared);
  json_out_member_bool(b, "is_shadowed", state->shadow != NULL);
  if (state->shadow) put_text(b, "shadowed_by", state->shadow->id);
  json_out_member_bool(b, "is_in_use", state->at && state->at->is_ready);
  json_out_member_i64(b, "model_count", state->at ? (int64_t)state->at->count : 0);
  nodes_json_put_health(b, state->at);
  json_out_end(b, '}');
}

void nodes_json_put_model(struct buf *b, const struct node_model *m) {
  json_out_begin(b, '{');
  json_out_member_string(b, "model_name", m->name);
  json_out_member_bool(b, "is_available", m->is_available);
  json_out_member_bool(b, "is_listed", m->is_listed);
  json_out_key(b, "context_length");
  if (node_model_context(m))
    json_out_i64(b, node_model_context(m));
  else
    json_out_raw(b, STR_NONE);
  json_out_member_bool(b, "is_context_set", m->context_tokens != 0);
  if (m->size_bytes)
    json_out_member_i64(b, "model_size", m->size_bytes);
  else
    put_null(b, "model_size");
  put_text(b, "model_family", m->family);
  put_text(b, "model_digest", m->digest);
  json_out_member_time(b, "last_seen", m->seen_us);
  json_out_end(b, '}');
}
