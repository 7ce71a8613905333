/* What Ollama's clients ask beside chat: see ollama.h. */
#include "api/ollama.h"

#include "api/models.h"
#include "base/json.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "route/resolve.h"

/* Clients look at it to know which members they may send: `think` with levels came with 0.12. */
#define API_LEVEL "0.12.0"
enum { BODY_MAX = 64 * 1024 };

void ollama_version(struct request_context *rc) {
  rc->error = reply_json(&rc->reply, 200, STR("{\"version\":\"" API_LEVEL "\"}"));
}

void ollama_ps(struct request_context *rc) { rc->error = reply_json(&rc->reply, 200, STR("{\"models\":[]}")); }

/* `model`, or `name` as older clients say. */
static enum err read_name(struct request_context *rc, struct str *out, struct err_info *info) {
  const struct http_body_options options = {.max_bytes = BODY_MAX};
  struct json doc;
  struct str body, name = STR_NONE;
  enum err e = http_exchange_read_body(rc->x, &options, &body, info);
  if (!e) e = json_parse_copy(&doc, body, NULL, rc->arena, info);
  if (e) return e;
  struct json_node root = json_root(&doc);
  e = json_get_string(&root, STR("name"), &name, info);
  if (!e) e = json_get_string(&root, STR("model"), &name, info);
  if (!e && !name.n) e = err_set_param(info, ERR_MISSING, "model", "\"model\" is required");
  if (!e) *out = name;
  return e;
}

static void put_shown(struct buf *b, const struct dialect_model *m) {
  static const struct str details =
      STR("{\"parent_model\":\"\",\"format\":\"\",\"family\":\"\",\"families\":[],\"parameter_size\":\"\","
          "\"quantization_level\":\"\"}");
  json_out_begin(b, '{');
  json_out_member_string(b, "modelfile", STR(""));
  json_out_member_string(b, "parameters", STR(""));
  json_out_member_string(b, "template", STR(""));
  json_out_member_raw_if(b, "details", details);
  json_out_key(b, "model_info");
  json_out_begin(b, '{');
  json_out_member_string(b, "general.architecture", STR("maestro"));
  json_out_member_string(b, "general.basename", m->id);
  if (m->context_tokens > 0) json_out_member_i64(b, "maestro.context_length", m->context_tokens);
  json_out_end(b, '}');
  json_out_key(b, "capabilities");
  json_out_begin(b, '[');
  json_out_string(b, STR("completion"));
  if (m->has_tools) json_out_string(b, STR("tools"));
  if (m->has_vision) json_out_string(b, STR("vision"));
  if (m->has_reasoning) json_out_string(b, STR("thinking"));
  json_out_end(b, ']');
  json_out_end(b, '}');
}

void ollama_show(struct request_context *rc) {
  struct err_info info = {0};
  struct dialect_model model;
  struct str name;
  struct buf json;
  enum err e = read_name(rc, &name, &info);
  if (!e) e = models_describe(rc, name, &model, &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&json, 0);
  put_shown(&json, &model);
  exchange_answer(rc, 200, &json);
  buf_clear(&json);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member ollama_version_rows[] = {
    {"version", SCHEMA_TEXT, .help = "of the API that is spoken"},
};
const struct schema ollama_version_schema = SCHEMA_OF("OllamaVersion", ollama_version_rows);

/* The vendor has more members in what it shows. */
static const struct schema_member details_rows[] = {
    {"family", SCHEMA_TEXT, .help = "unknown, so empty"},
};
static const struct schema details_schema = SCHEMA_OPEN(NULL, details_rows);

static const struct schema_member ollama_ps_rows[] = {
    {"models", SCHEMA_LIST, .of = &details_schema, .help = "none: what providers have loaded is not known"},
};
const struct schema ollama_ps_schema = SCHEMA_OF("OllamaLoaded", ollama_ps_rows);

static const struct schema_member ollama_show_rows[] = {
    {"modelfile", SCHEMA_TEXT, .help = "empty"},
    {"parameters", SCHEMA_TEXT, .help = "empty"},
    {"template", SCHEMA_TEXT, .help = "empty"},
    {"details", SCHEMA_OBJECT, .of = &details_schema},
    {"model_info", SCHEMA_ANY, .help = "the context's length among them, where it is known"},
    {"capabilities", SCHEMA_TEXTS, .help = "completion, tools, vision, thinking"},
};
const struct schema ollama_show_schema = SCHEMA_OF("OllamaModel", ollama_show_rows);
