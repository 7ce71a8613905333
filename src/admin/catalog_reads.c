/* Reads of the catalog: see catalog_reads.h. */
#include "admin/catalog_reads.h"

#include <stdlib.h>

#include "admin/entity.h"
#include "base/json_out.h"
#include "gateway/exchange.h"

/* ---- models ---- */

static void put_tokens(struct buf *b, const char *key, int64_t tokens) {
  json_out_key(b, key);
  if (tokens > 0)
    json_out_i64(b, tokens);
  else
    json_out_raw(b, STR("null"));
}

/* Whether the provider itself speaks it; calls in other dialects are translated. */
static bool serves(const struct provider *p, struct str dialect) {
  for (const struct provider_endpoint *e = p->type->endpoints; e->dialect.n; e++)
    if (e->operation == LLM_GENERATE && (!dialect.n || str_eq(e->dialect, dialect))) return true;
  return false;
}

static void put_model(struct buf *b, const struct route_names *names, const struct deployment *d) {
  const struct provider *p = &d->at->provider;
  int64_t context = route_names_context(names, d->qualified, 0, d);
  bool has_both = context > 0 && d->output_tokens > 0 && context > d->output_tokens;
  json_out_begin(b, '{');
  json_out_member_string(b, "provider", p->id);
  json_out_member_string(b, "id", d->qualified);
  json_out_member_string(b, "name", d->model);
  put_tokens(b, "max_prompt_tokens", has_both ? context - d->output_tokens : context);
  put_tokens(b, "max_output_tokens", d->output_tokens);
  put_tokens(b, "max_context_window_tokens", context);
  json_out_key(b, "operation_capabilities");
  json_out_begin(b, '{');
  json_out_member_bool(b, "chat", serves(p, STR_NONE));
  json_out_member_bool(b, "chat_stream", serves(p, STR_NONE));
  json_out_member_bool(b, "responses", serves(p, STR("openai_responses")));
  json_out_member_bool(b, "responses_stream", serves(p, STR("openai_responses")));
  json_out_member_bool(b, "native_anthropic", serves(p, STR("anthropic")));
  json_out_end(b, '}');
  json_out_end(b, '}');
}

/* Priorities in their order, then the rest by name. */
static int compare(const void *x, const void *y) {
  const struct deployment *a = *(const struct deployment *const *)x, *b = *(const struct deployment *const *)y;
  if (a->order != b->order) return a->order < b->order ? -1 : 1;
  return str_cmp(a->qualified, b->qualified);
}

void catalog_reads_models(struct request_context *rc) {
  const struct catalog *c = rc->catalog;
  const struct deployment **v = ARENA_NEW_ARRAY(rc->arena, const struct deployment *, c->deployment_count + 1);
  size_t n = 0;
  struct buf b;
  if (!v) {
    exchange_fail(rc, ERR_NO_MEMORY, NULL);
    return;
  }
  for (size_t i = 0; i < c->deployment_count; i++)
    if (c->deployments[i].at->is_ready) v[n++] = &c->deployments[i];
  qsort(v, n, sizeof *v, compare);
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_key(&b, "models");
  json_out_begin(&b, '[');
  for (size_t i = 0; i < n; i++) put_model(&b, rc->names, v[i]);
  json_out_end(&b, ']');
  json_out_end(&b, '}');
  entity_answer(rc, &b);
  buf_clear(&b);
}

/* ---- credentials ---- */

static void answer_providers(struct request_context *rc, void (*put)(struct buf *b, const struct config_provider *p)) {
  const struct config *config = snapshot_config(rc->snapshot);
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_key(&b, "providers");
  json_out_begin(&b, '[');
  for (size_t i = 0; i < config->provider_count; i++) put(&b, &config->providers[i]);
  json_out_end(&b, ']');
  json_out_end(&b, '}');
  entity_answer(rc, &b);
  buf_clear(&b);
}

static bool has_credential(const struct config_provider *p) {
  return p->credential >= CONFIG_CREDENTIAL_ENV || p->aws.secret_access_key;
}

static void put_credential(struct buf *b, const struct config_provider *p) {
  if (!has_credential(p)) return;
  json_out_begin(b, '{');
  json_out_member_string(b, "provider", p->id);
  json_out_member_string(b, "auth_type", STR("api"));
  json_out_member_string(b, "status", STR("active"));
  json_out_end(b, '}');
}

static void put_login(struct buf *b, const struct config_provider *p) {
  json_out_begin(b, '{');
  json_out_member_string(b, "provider", p->id);
  json_out_member_string(b, "display_name", p->id);
  json_out_member_string(b, "auth_type", STR("api"));
  json_out_member_bool(b, "credential_required", !p->allow_unauthenticated);
  json_out_member_string(b, "source", p->is_preset || p->preset ? STR("builtin") : STR("custom"));
  json_out_key(b, "api_key_env");
  if (p->api_key_env.n)
    json_out_string(b, p->api_key_env);
  else
    json_out_raw(b, STR("null"));
  json_out_end(b, '}');
}

void catalog_reads_credentials(struct request_context *rc) { answer_providers(rc, put_credential); }
void catalog_reads_logins(struct request_context *rc) { answer_providers(rc, put_login); }

/* ---- what these are, for the API's description ---- */

static const struct schema_member serves_rows[] = {
    {"chat", SCHEMA_BOOL, .help = "whether it can be called at all"},
    {"chat_stream", SCHEMA_BOOL, .help = "the same, answering with a stream"},
    {"responses", SCHEMA_BOOL, .help = "whether the provider itself speaks OpenAI's Responses"},
    {"responses_stream", SCHEMA_BOOL, .help = "the same, answering with a stream"},
    {"native_anthropic", SCHEMA_BOOL, .help = "whether the provider itself speaks Anthropic's Messages"},
};
static const struct schema serves_schema = SCHEMA_OF(NULL, serves_rows);

static const struct schema_member model_rows[] = {
    {"provider", SCHEMA_TEXT, .help = "the provider's name"},
    {"id", SCHEMA_TEXT, .help = "provider/model"},
    {"name", SCHEMA_TEXT, .help = "as the provider calls it"},
    {"max_prompt_tokens", SCHEMA_TOKENS | SCHEMA_NULL, .help = "null: unknown"},
    {"max_output_tokens", SCHEMA_TOKENS | SCHEMA_NULL, .help = "null: unknown"},
    {"max_context_window_tokens", SCHEMA_TOKENS | SCHEMA_NULL, .help = "null: unknown"},
    {"operation_capabilities", SCHEMA_OBJECT, .of = &serves_schema},
};
static const struct schema model_schema = SCHEMA_OF(NULL, model_rows);

static const struct schema_member catalog_reads_models_rows[] = {
    {"models", SCHEMA_LIST, .of = &model_schema, .help = "the priorities first, then by name"},
};
const struct schema catalog_reads_models_schema = SCHEMA_OF("CatalogModels", catalog_reads_models_rows);

static const struct schema_member credential_rows[] = {
    {"provider", SCHEMA_TEXT, .help = "the provider's name"},
    {"auth_type", SCHEMA_WORD, .words = "api", .help = "a key"},
    {"status", SCHEMA_WORD, .words = "active", .help = "it is used"},
};
static const struct schema credential_schema = SCHEMA_OF(NULL, credential_rows);

static const struct schema_member catalog_reads_credentials_rows[] = {
    {"providers", SCHEMA_LIST, .of = &credential_schema, .help = "those that have one"},
};
const struct schema catalog_reads_credentials_schema = SCHEMA_OF("Credentials", catalog_reads_credentials_rows);

static const struct schema_member login_rows[] = {
    {"provider", SCHEMA_TEXT, .help = "the provider's name"},
    {"display_name", SCHEMA_TEXT, .help = "the same"},
    {"auth_type", SCHEMA_WORD, .words = "api", .help = "a key"},
    {"credential_required", SCHEMA_BOOL, .help = "whether it cannot be called without"},
    {"source", SCHEMA_WORD, .words = "builtin|custom", .help = "whether this program knows its address"},
    {"api_key_env", SCHEMA_TEXT | SCHEMA_NULL, .help = "the variable that its key may come from"},
};
static const struct schema login_schema = SCHEMA_OF(NULL, login_rows);

static const struct schema_member catalog_reads_logins_rows[] = {
    {"providers", SCHEMA_LIST, .of = &login_schema, .help = "all of them"},
};
const struct schema catalog_reads_logins_schema = SCHEMA_OF("Logins", catalog_reads_logins_rows);
