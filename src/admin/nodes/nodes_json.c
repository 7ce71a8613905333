/* Nodes as JSON: see nodes_json.h. */
#include "admin/nodes/nodes_json.h"

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
#include "state/config/timeouts.def"
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
  json_out_member_bool(b, "scoped_models", p->is_scoped);
  put_text(b, "health_check_url", node->health_url);
  put_timeouts(b, &p->timeouts);
  json_out_member_strings(b, "quirks", p->quirks.items, p->quirks.n);
  json_out_member_i64(b, "listed_models", (int64_t)count_listed(node));
  json_out_member_time(b, "created_at", node->created_us);
  json_out_member_time(b, "updated_at", node->updated_us);
  json_out_member_time(b, "synced_at", node->synced_us);
}

void nodes_json_put_changed(struct buf *b, const struct node *node, const struct config_provider *shadow,
                            bool drops_credential) {
  json_out_begin(b, '{');
  put_members(b, node);
  if (shadow) put_text(b, "shadowed_by", shadow->id);
  if (drops_credential) json_out_member_bool(b, "credential_dropped", true);
  json_out_end(b, '}');
}

void nodes_json_put(struct buf *b, const struct node *node) { nodes_json_put_changed(b, node, NULL, false); }

void nodes_json_put_who(struct buf *b, const struct node *node) {
  json_out_member_i64(b, "node_id", node->id);
  json_out_member_string(b, "node_code", node->p.id);
  json_out_member_string(b, "node_name", node->name);
}

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

/* ---- what these are, for the API's description ---- */

static const struct schema_member timeout_rows[] = {
#define X(member, camel, option, text) {#member, SCHEMA_MS | SCHEMA_NULL, .help = text},
#include "state/config/timeouts.def"
#undef X
};
static const struct schema timeouts_schema = SCHEMA_OF(NULL, timeout_rows);

static const struct schema_member node_rows[] = {
    {"id", SCHEMA_INTEGER, .help = "a number that stays"},
    {"code", SCHEMA_TEXT, .help = "by which models and lists refer to it"},
    {"name", SCHEMA_TEXT, .help = "for people"},
    {"node_type", SCHEMA_TEXT, .help = "the kind of provider"},
    {"base_url", SCHEMA_TEXT, .help = "its address"},
    {"region", SCHEMA_TEXT | SCHEMA_NULL, .help = "of a cloud's service"},
    {"priority", SCHEMA_INTEGER, .help = "higher is asked first"},
    {"weight", SCHEMA_INTEGER, .help = "its share among those of one priority"},
    {"is_active", SCHEMA_BOOL, .help = "whether it is asked at all"},
    {"has_api_key", SCHEMA_BOOL, .help = "whether it has a credential"},
    {"api_key_hint", SCHEMA_TEXT | SCHEMA_NULL, .help = "its last characters"},
    {"is_credential_unreadable", SCHEMA_BOOL | SCHEMA_OPTIONAL,
     .help = "only where true: the key that it was sealed with is another now"},
    {"bedrock_auth_mode", SCHEMA_WORD | SCHEMA_OPTIONAL, .words = "iam|api_key", .help = "of AWS Bedrock alone"},
    {"header_names", SCHEMA_TEXTS, .help = "headers that are sent along; their values are not shown"},
    {"usage", SCHEMA_WORD, .words = "option|always|none", .help = "whether a stream's usage is asked for"},
    {"allow_private", SCHEMA_BOOL, .help = "whether its address may be a private one"},
    {"timeouts", SCHEMA_OBJECT, .of = &timeouts_schema, .help = "its own, in milliseconds; null: as upstream says"},
    {"quirks", SCHEMA_TEXTS, .help = "in what it differs from its kind"},
    {"warmup_enabled", SCHEMA_BOOL, .help = "whether a connection is kept open"},
    {"auto_sync_enabled", SCHEMA_BOOL, .help = "whether it is asked for its models by itself"},
    {"scoped_models", SCHEMA_BOOL, .help = "whether its models are asked only where the node is named"},
    {"health_check_url", SCHEMA_TEXT | SCHEMA_NULL, .help = "null: its list of models is what is asked for"},
    {"listed_models", SCHEMA_COUNT, .help = "models that it has listed"},
    {"created_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: it is declared in the configuration"},
    {"updated_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: it is declared in the configuration"},
    {"synced_at", SCHEMA_TIME | SCHEMA_NULL, .help = "when its list of models was read; null: never"},
};
static const struct schema node_schema = SCHEMA_OF(NULL, node_rows);
static const struct schema_member nodes_json_health_rows[] = {
    {"health_status", SCHEMA_WORD, .words = "unknown|healthy|unhealthy", .help = "of the last health check"},
    {"error", SCHEMA_TEXT | SCHEMA_NULL, .help = "what was wrong"},
    {"error_class", SCHEMA_TEXT | SCHEMA_NULL, .help = "its code"},
    {"latency_ms", SCHEMA_MS | SCHEMA_NULL, .help = "until it answered"},
    {"checked_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: never"},
};
const struct schema nodes_json_health_schema = SCHEMA_OF(NULL, nodes_json_health_rows);
static const struct schema_member nodes_json_changed_rows[] = {
    {NULL, SCHEMA_PART, .of = &node_schema},
    {"shadowed_by", SCHEMA_TEXT | SCHEMA_OPTIONAL,
     .help = "only where a declared provider has its code: nothing is sent to the node as long as it has"},
    {"credential_dropped", SCHEMA_BOOL | SCHEMA_OPTIONAL,
     .help = "only where true: the origin is another now, so the credential is gone"},
};
const struct schema nodes_json_changed_schema = SCHEMA_OF("StoredNode", nodes_json_changed_rows);
static const struct schema_member nodes_json_rows[] = {
    {NULL, SCHEMA_PART, .of = &node_schema},
    {"source", SCHEMA_WORD, .words = "stored|declared", .help = "what is declared is changed in its file"},
    {"is_read_only", SCHEMA_BOOL, .help = "whether it is declared"},
    {"is_shadowed", SCHEMA_BOOL, .help = "whether a declared provider has its code"},
    {"shadowed_by", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "that provider"},
    {"is_in_use", SCHEMA_BOOL, .help = "whether requests can go there now"},
    {"model_count", SCHEMA_COUNT, .help = "models that are served there now"},
    {NULL, SCHEMA_PART, .of = &nodes_json_health_schema},
};
const struct schema nodes_json_schema = SCHEMA_OF("Node", nodes_json_rows);
static const struct schema_member nodes_json_model_rows[] = {
    {"model_name", SCHEMA_TEXT, .help = "as the node calls it"},
    {"is_available", SCHEMA_BOOL, .help = "whether it is offered"},
    {"is_listed", SCHEMA_BOOL, .help = "whether the node has listed it"},
    {"context_length", SCHEMA_TOKENS | SCHEMA_NULL, .help = "null: unknown"},
    {"is_context_set", SCHEMA_BOOL, .help = "whether an administrator said so"},
    {"model_size", SCHEMA_BYTES | SCHEMA_NULL, .help = "null: unknown"},
    {"model_family", SCHEMA_TEXT | SCHEMA_NULL, .help = "as the node says"},
    {"model_digest", SCHEMA_TEXT | SCHEMA_NULL, .help = "as the node says"},
    {"last_seen", SCHEMA_TIME | SCHEMA_NULL, .help = "when the node listed it last"},
};
const struct schema nodes_json_model_schema = SCHEMA_OF("NodeModel", nodes_json_model_rows);
static const struct schema_member nodes_json_who_rows[] = {
    {"node_id", SCHEMA_INTEGER, .help = "the node's number"},
    {"node_code", SCHEMA_TEXT, .help = "the node's code"},
    {"node_name", SCHEMA_TEXT, .help = "the node's name"},
};
const struct schema nodes_json_who_schema = SCHEMA_OF(NULL, nodes_json_who_rows);
