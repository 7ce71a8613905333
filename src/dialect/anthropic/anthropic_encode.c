/* Anthropic Messages, a request as the target: its members, tools and choice. Messages are in anthropic_encode_items.c,
 * limits and thinking in dialect/claude.c. A caller of the same dialect gets back what it said; another's request is
 * said as the vendor takes it:
 * - temperature: cut to 1 (others count to 2); left out with thinking on, as the vendor allows only its default then,
 *   and for models without it
 * - top_p, top_k: left out likewise; top_p also beside a temperature, which newer models refuse together
 * - a JSON schema: output_config.format
 * - tool_choice: only with tools, as the vendor wants it
 * - hosted tools: left out; those of another vendor cost and answer otherwise */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/claude.h"

/* Where a caller of this dialect said it, be it empty. */
static void put_string(struct buf *out, const char *key, struct str s, bool is_own) {
  if (is_own ? s.p != NULL : s.n > 0) json_out_member_string(out, key, s);
}

/* What was left of a member that had been taken apart: those of `nested` under "<name>.", but not deeper ones that have
 * their own object (`but`, or NULL). */
static void put_nested(const struct anthropic_encoder *e, const char *name, const char *but) {
  const struct json_rest *nested = &e->r->nested;
  struct str prefix = str_from_c(name), deeper = str_from_c(but);
  for (size_t i = 0; e->is_own && i < nested->n; i++) {
    struct str key = nested->v[i].key;
    if (!str_has_prefix(key, prefix) || key.n <= prefix.n || key.p[prefix.n] != '.') continue;
    if (but && str_has_prefix(key, deeper) && key.n > deeper.n) continue;
    json_out_key_str(e->out, str_sub(key, prefix.n + 1, key.n));
    json_split_put(e->out, nested->v[i].value);
  }
}

static bool has_nested(const struct anthropic_encoder *e, const char *prefix) {
  for (size_t i = 0; e->is_own && i < e->r->nested.n; i++)
    if (str_has_prefix(e->r->nested.v[i].key, str_from_c(prefix))) return true;
  return false;
}

/* ---- tools ---- */

void anthropic_put_cache(const struct anthropic_encoder *e, const struct cache_marker *cache) {
  if (!cache->raw) return;
  if (e->is_own || str_eq(json_pool_str(cache->raw, "type"), STR("ephemeral"))) {
    json_out_member_value_if(e->out, "cache_control", cache->raw);
    return;
  }
  json_out_key(e->out, "cache_control");
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "type", STR("ephemeral"));
  json_out_member_string_if(e->out, "ttl", cache->ttl);
  json_out_end(e->out, '}');
}

static void put_tool(const struct anthropic_encoder *e, const struct request_tool *t) {
  struct buf *out = e->out;
  if (t->kind == TOOL_HOSTED) {
    json_out_value(out, t->raw);
    return;
  }
  json_out_begin(out, '{');
  if (e->is_own && t->has_type) json_out_member_string(out, "type", STR("custom"));
  anthropic_put_tool_name(e, t->namespace, t->name);
  put_string(out, "description", t->description, e->is_own);
  if (t->schema)
    json_out_member_value_if(out, "input_schema", t->schema);
  else if (!e->is_own) /* required */
    json_out_member_raw_if(out, "input_schema", STR("{\"type\":\"object\",\"properties\":{}}"));
  if (e->is_own || t->strict == 1) json_out_member_tri(out, "strict", t->strict);
  anthropic_put_cache(e, &t->cache);
  if (e->is_own) json_out_rest(out, &t->rest);
  json_out_end(out, '}');
}

static void put_choice(const struct anthropic_encoder *e) {
  static const struct str words[] = {[TOOL_CHOICE_AUTO] = STR("auto"),
                                     [TOOL_CHOICE_NONE] = STR("none"),
                                     [TOOL_CHOICE_REQUIRED] = STR("any"),
                                     [TOOL_CHOICE_NAMED] = STR("tool")};
  const struct request *r = e->r;
  struct buf *out = e->out;
  enum tool_choice choice = r->tool_choice;
  if (e->is_own && r->tool_choice_raw) {
    json_out_member_value_if(out, "tool_choice", r->tool_choice_raw);
    return;
  }
  if (choice == TOOL_CHOICE_UNSET && r->parallel_tool_calls == 0) choice = TOOL_CHOICE_AUTO;
  if (choice == TOOL_CHOICE_UNSET) return;
  json_out_key(out, "tool_choice");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", words[choice]);
  if (choice == TOOL_CHOICE_NAMED) anthropic_put_tool_name(e, r->tool_choice_namespace, r->tool_choice_name);
  bool is_said = e->is_own ? r->parallel_tool_calls >= 0 : r->parallel_tool_calls == 0 && choice != TOOL_CHOICE_NONE;
  if (is_said) json_out_member_bool(out, "disable_parallel_tool_use", r->parallel_tool_calls == 0);
  put_nested(e, "tool_choice", NULL);
  json_out_end(out, '}');
}

void anthropic_encode_tools(const struct anthropic_encoder *e) {
  const struct request *r = e->r;
  size_t count = 0;
  for (size_t i = 0; i < r->tool_count; i++) count += e->is_own || r->tools[i].kind == TOOL_FUNCTION;
  if (count || (e->is_own && r->tools)) {
    json_out_key(e->out, "tools");
    json_out_begin(e->out, '[');
    for (size_t i = 0; i < r->tool_count; i++)
      if (e->is_own || r->tools[i].kind == TOOL_FUNCTION) put_tool(e, &r->tools[i]);
    json_out_end(e->out, ']');
  }
  if (count || e->is_own) put_choice(e);
}

/* ---- the other members ---- */

static void put_schema(const struct anthropic_encoder *e, const char *key, const char *nested) {
  json_out_key(e->out, key);
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "type", STR("json_schema"));
  json_out_key(e->out, "schema");
  json_out_value(e->out, e->r->format_schema);
  put_nested(e, nested, NULL);
  json_out_end(e->out, '}');
}

static void put_output(const struct anthropic_encoder *e, struct str effort) {
  const struct request *r = e->r;
  bool has_format = r->format == FORMAT_JSON_SCHEMA && !r->format_is_legacy;
  if (has_format || effort.n || (e->is_own && effort.p) || has_nested(e, "output_config.")) {
    json_out_key(e->out, "output_config");
    json_out_begin(e->out, '{');
    put_string(e->out, "effort", effort, e->is_own);
    if (has_format) put_schema(e, "format", "output_config.format");
    put_nested(e, "output_config", has_format ? "output_config.format." : NULL);
    json_out_end(e->out, '}');
  }
  if (r->format == FORMAT_JSON_SCHEMA && r->format_is_legacy) put_schema(e, "output_format", "output_format");
}

static void put_thinking(const struct anthropic_encoder *e, const char *type, int64_t budget) {
  json_out_key(e->out, "thinking");
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "type", str_from_c(type));
  if (budget >= 0) json_out_member_i64(e->out, "budget_tokens", budget);
  int8_t visible = e->r->reasoning.visible;
  if (visible >= 0) json_out_member_string(e->out, "display", visible ? STR("summarized") : STR("omitted"));
  put_nested(e, "thinking", NULL);
  json_out_end(e->out, '}');
}

static void put_own_members(const struct anthropic_encoder *e) {
  const struct request *r = e->r;
  struct buf *out = e->out;
  json_out_member_raw_if(out, "max_tokens", r->max_tokens);
  json_out_member_raw_if(out, "temperature", r->temperature);
  json_out_member_raw_if(out, "top_p", r->top_p);
  json_out_member_raw_if(out, "top_k", r->top_k);
  put_string(out, "service_tier", r->service_tier, true);
  if (r->reasoning.enabled >= 0)
    put_thinking(e,
                 !r->reasoning.enabled      ? "disabled"
                 : r->reasoning.is_adaptive ? "adaptive"
                                            : "enabled",
                 r->reasoning.budget_tokens);
  put_output(e, r->reasoning.effort);
  if (r->user.p) {
    json_out_key(out, "metadata");
    json_out_begin(out, '{');
    json_out_member_string(out, "user_id", r->user);
    put_nested(e, "metadata", NULL);
    json_out_end(out, '}');
  } else {
    json_out_member_value_if(out, "metadata", r->metadata);
  }
}

static void put_sampling(const struct anthropic_encoder *e, const struct claude_limits *limits) {
  const struct request *r = e->r;
  bool is_thinking = limits->thinking == CLAUDE_THINKING_BUDGET || limits->thinking == CLAUDE_THINKING_ADAPTIVE;
  bool is_taken = !is_thinking && claude_traits(e->target->model).has_sampling;
  bool takes_top_p = is_taken && !r->temperature.n;
  if (r->temperature.n && is_taken) json_out_member_raw_if(e->out, "temperature", dialect_at_most_one(r->temperature));
  if (r->temperature.n && !is_taken) dialect_drop(e->target, r, "temperature");
  if (takes_top_p) json_out_member_raw_if(e->out, "top_p", r->top_p);
  if (r->top_p.n && !takes_top_p) dialect_drop(e->target, r, "top_p");
  if (is_taken) json_out_member_raw_if(e->out, "top_k", r->top_k);
  if (r->top_k.n && !is_taken) dialect_drop(e->target, r, "top_k");
}

static void put_foreign_thinking(const struct anthropic_encoder *e, const struct claude_limits *limits) {
  switch (limits->thinking) {
    case CLAUDE_THINKING_UNSET: break;
    case CLAUDE_THINKING_OFF:
      json_out_key(e->out, "thinking");
      json_out_raw(e->out, STR("{\"type\":\"disabled\"}"));
      break;
    case CLAUDE_THINKING_BUDGET: put_thinking(e, "enabled", limits->budget_tokens); break;
    case CLAUDE_THINKING_ADAPTIVE: put_thinking(e, "adaptive", -1); break;
  }
}

/* "auto" means the same to all; the others' tiers are other products. */
static void put_foreign_members(const struct anthropic_encoder *e, const struct claude_limits *limits) {
  const struct request *r = e->r;
  bool is_count = r->operation == LLM_COUNT_TOKENS;
  put_foreign_thinking(e, limits);
  put_output(e, limits->effort);
  if (is_count) return;
  json_out_member_raw_if(e->out, "max_tokens", limits->max_tokens);
  put_sampling(e, limits);
  if (str_eq(r->service_tier, STR("auto")))
    json_out_member_string(e->out, "service_tier", r->service_tier);
  else if (r->service_tier.n)
    dialect_drop(e->target, r, "service_tier");
  if (!r->user.n) return;
  json_out_key(e->out, "metadata");
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "user_id", r->user);
  json_out_end(e->out, '}');
}

static enum err put_stop(const struct anthropic_encoder *e) {
  const struct request *r = e->r;
  if (!r->stop_count && !(e->is_own && r->stop)) return OK;
  json_out_key(e->out, "stop_sequences");
  json_out_begin(e->out, '[');
  for (size_t i = 0; i < r->stop_count; i++) json_out_string(e->out, r->stop[i]);
  json_out_end(e->out, ']');
  for (size_t i = 0; !e->is_own && i < r->stop_count; i++)
    if (str_trim(r->stop[i]).n == 0)
      return dialect_refuse_member(r, "stop", e->info,
                                   "the anthropic API takes no stop sequence that is only white space");
  return OK;
}

enum err anthropic_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                  struct buf *out, struct err_info *info) {
  struct anthropic_encoder e = {r, target, a, out, info, str_eq(r->dialect, ANTHROPIC_NAME)};
  struct claude_limits limits;
  enum err err = OK;
  if (r->operation == LLM_EMBED)
    return err_set_param(info, ERR_UNSUPPORTED, "model", "the anthropic API makes no embeddings");
  const struct claude_asked asked = {r, target, ANTHROPIC_NAME, true, a};
  if (!e.is_own) err = claude_limits_decide(&asked, &limits);
  if (err) return err;
  buf_put_char(out, '{');
  json_out_member_string(out, "model", target->model);
  if (r->is_stream || (e.is_own && r->has_stream)) {
    if (e.is_own || r->operation != LLM_COUNT_TOKENS) json_out_member_bool(out, "stream", r->is_stream);
  }
  if (e.is_own)
    put_own_members(&e);
  else
    put_foreign_members(&e, &limits);
  if (e.is_own || r->operation != LLM_COUNT_TOKENS) err = put_stop(&e);
  if (!err) err = anthropic_encode_items(&e);
  if (err) return err;
  anthropic_encode_tools(&e);
  if (e.is_own) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return out->failed ? ERR_NO_MEMORY : OK;
}
