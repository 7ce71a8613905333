/* A canonical request as a Responses request. Called through the dialect's table. For a caller of this dialect every
 * member comes back; for others only what the API has a word for is written (struct dialect.caps), and OpenAI keeps
 * nothing that the caller did not ask it to keep. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_responses/internal.h"
#include "llm/effort.h"

/* ---- text ---- */

/* What was left over of the object `prefix`. */
static void put_nested(struct buf *out, const struct request *r, struct str prefix) {
  for (size_t i = 0; i < r->nested.n; i++) {
    struct str key = r->nested.v[i].key;
    if (!str_has_prefix(key, prefix) || key.n <= prefix.n || key.p[prefix.n] != '.') continue;
    struct str name = str_sub(key, prefix.n + 1, key.n);
    if (str_eq(prefix, STR("text")) && str_has_prefix(name, STR("format."))) continue;
    json_out_key_str(out, name);
    json_split_put(out, r->nested.v[i].value);
  }
}

static void put_format(struct buf *out, const struct request *r, const struct openai_responses_native *native) {
  static const struct str words[] = {[FORMAT_TEXT] = STR("text"),
                                     [FORMAT_JSON_OBJECT] = STR("json_object"),
                                     [FORMAT_JSON_SCHEMA] = STR("json_schema")};
  json_out_key(out, "format");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", words[r->format]);
  if (r->format_name.p)
    json_out_member_string(out, "name", r->format_name);
  else if (r->format == FORMAT_JSON_SCHEMA && !native)
    json_out_member_string(out, "name", STR("response")); /* required; other APIs have none */
  if (r->format_description.p) json_out_member_string(out, "description", r->format_description);
  json_out_member_value_if(out, "schema", r->format_schema);
  /* Strictness is OpenAI's default and asks for a subset of JSON Schema that others do not know. */
  json_out_member_tri(out, "strict",
                      r->format != FORMAT_JSON_SCHEMA || native || r->format_strict >= 0 ? r->format_strict : 0);
  if (native) put_nested(out, r, STR("text.format"));
  json_out_end(out, '}');
}

static bool is_verbosity(struct str s) {
  return str_eq(s, STR("low")) || str_eq(s, STR("medium")) || str_eq(s, STR("high"));
}

void openai_responses_put_text(struct buf *out, const struct request *r) {
  const struct openai_responses_native *native = openai_responses_native_of(r);
  bool has_verbosity = native ? r->verbosity.p != NULL : is_verbosity(r->verbosity);
  if (r->format == FORMAT_UNSET && !has_verbosity && !(native && native->text)) return;
  json_out_key(out, "text");
  json_out_begin(out, '{');
  if (r->format != FORMAT_UNSET) put_format(out, r, native);
  if (has_verbosity) json_out_member_string(out, "verbosity", r->verbosity);
  if (native) put_nested(out, r, STR("text"));
  json_out_end(out, '}');
}

/* ---- reasoning ---- */

/* Asked for in so many words: models that do not reason refuse these members. */
static bool wants_reasoning(const struct request_reasoning *g) {
  return g->enabled == 1 || g->is_adaptive || g->budget_tokens > 0 || (g->effort.n && !str_eq(g->effort, STR("none")));
}

void openai_responses_put_reasoning(struct buf *out, const struct request *r) {
  const struct openai_responses_native *native = openai_responses_native_of(r);
  const struct request_reasoning *g = &r->reasoning;
  struct str effort = native || g->effort.n ? g->effort : effort_of_budget(g->budget_tokens), summary = g->summary;
  if (!native && wants_reasoning(g) && !summary.n && g->visible != 0) summary = STR("auto");
  if (!effort.p && !summary.p && !(native && native->reasoning)) return;
  json_out_key(out, "reasoning");
  json_out_begin(out, '{');
  if (effort.p) json_out_member_string(out, "effort", effort);
  if (summary.p) json_out_member_string(out, "summary", summary);
  if (native) put_nested(out, r, STR("reasoning"));
  json_out_end(out, '}');
}

/* ---- the plain members ---- */

static void put_include(struct buf *out, const struct request *r, const struct openai_responses_native *native) {
  if (native) {
    if (native->include) json_out_member_value_if(out, "include", native->include);
    return;
  }
  bool wants_encrypted = wants_reasoning(&r->reasoning), wants_logprobs = r->logprobs == 1;
  if (!wants_encrypted && !wants_logprobs) return;
  json_out_key(out, "include");
  json_out_begin(out, '[');
  if (wants_encrypted) json_out_string(out, STR("reasoning.encrypted_content"));
  if (wants_logprobs) json_out_string(out, STR("message.output_text.logprobs"));
  json_out_end(out, ']');
}

/* OpenAI's bounds of metadata: 16 strings of 512 bytes under keys of 64. */
static bool is_metadata(struct yyjson_val *v) {
  if (!yyjson_is_obj(v) || yyjson_obj_size(v) > 16) return false;
  yyjson_obj_iter it = yyjson_obj_iter_with(v);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    struct yyjson_val *value = yyjson_obj_iter_get_val(key);
    if (!yyjson_is_str(value) || yyjson_get_len(value) > 512 || yyjson_get_len(key) > 64) return false;
  }
  return true;
}

static bool is_tier(struct str s) {
  static const struct str tiers[] = {STR("auto"), STR("default"), STR("flex"), STR("scale"), STR("priority")};
  for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
    if (str_eq(s, tiers[i])) return true;
  return false;
}

static void put_hints(struct buf *out, const struct request *r, const struct openai_responses_native *native) {
  if (native || is_metadata(r->metadata)) json_out_member_value_if(out, "metadata", r->metadata);
  if (r->user.p && (native || r->user.n)) json_out_member_string(out, "user", r->user);
  if (r->service_tier.p && (native || is_tier(r->service_tier)))
    json_out_member_string(out, "service_tier", r->service_tier);
  if (r->prompt_cache_key.p) json_out_member_string(out, "prompt_cache_key", r->prompt_cache_key);
  json_out_member_tri(out, "store", native || r->store >= 0 ? r->store : 0);
}

enum err openai_responses_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                         struct buf *out, struct err_info *info) {
  const struct openai_responses_native *native = openai_responses_native_of(r);
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  if (r->is_stream || (native && native->has_stream)) json_out_member_bool(out, "stream", r->is_stream);
  enum err e = openai_responses_put_items(out, r, a, info);
  if (e) return e;
  openai_responses_put_tools(out, r);
  openai_responses_put_tool_choice(out, r);
  json_out_member_tri(out, "parallel_tool_calls", r->parallel_tool_calls);
  json_out_member_raw_if(out, "max_output_tokens", r->max_tokens);
  json_out_member_raw_if(out, "temperature", r->temperature);
  json_out_member_raw_if(out, "top_p", r->top_p);
  json_out_member_raw_if(out, "top_logprobs", r->top_logprobs);
  openai_responses_put_text(out, r);
  openai_responses_put_reasoning(out, r);
  put_include(out, r, native);
  put_hints(out, r, native);
  if (native) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return out->failed ? ERR_NO_MEMORY : OK;
}
