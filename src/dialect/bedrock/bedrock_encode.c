/* The canonical request as a Converse request. Leading system items become `system`, later ones a user's text; tools'
 * results are the user's; consecutive items of one role are one message, since roles have to alternate.
 *
 * Thinking is Anthropic's field in additionalModelRequestFields and only said to its models, as their version wants it
 * (dialect/claude.h): a budget, or adaptive with the effort in outputConfig. To other models an effort is
 * outputConfig.effort. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "base/map.h"
#include "dialect/bedrock/bedrock_internal.h"
#include "dialect/tool_name.h"
#include "llm/effort.h"

/* ---- messages ---- */

static const char *role_word(const struct request_item *item) {
  return item->role == ROLE_ASSISTANT ? "assistant" : "user";
}

static bool has_sayable(const struct bedrock_encoder *c, const struct request_item *item) {
  for (size_t i = 0; i < item->part_count; i++)
    if (bedrock_is_sayable(c, &item->parts[i])) return true;
  return false;
}

static enum err put_parts(struct bedrock_encoder *c, const struct request_item *item) {
  enum err e = OK;
  for (size_t i = 0; !e && i < item->part_count; i++) e = bedrock_put_part(c, item, &item->parts[i]);
  if (!e && has_sayable(c, item)) bedrock_put_cache_point(c, &item->cache);
  return e;
}

static size_t leading_system(const struct request *r) {
  size_t n = 0;
  while (n < r->item_count && request_is_system(&r->items[n])) n++;
  return n;
}

static enum err put_system(struct bedrock_encoder *c, size_t n) {
  const struct request *r = c->request;
  enum err e = OK;
  bool has_any = c->is_own;
  for (size_t i = 0; i < n; i++) has_any = has_any || has_sayable(c, &r->items[i]);
  if (!n || !has_any) return OK;
  json_out_key(c->out, "system");
  json_out_begin(c->out, '[');
  for (size_t i = 0; !e && i < n; i++) e = put_parts(c, &r->items[i]);
  json_out_end(c->out, ']');
  return e;
}

static enum err put_messages(struct bedrock_encoder *c, size_t from) {
  const struct request *r = c->request;
  const char *role = NULL; /* of the message that is open */
  enum err e = OK;
  json_out_key(c->out, "messages");
  json_out_begin(c->out, '[');
  for (size_t i = from; !e && i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    if (!c->is_own && !has_sayable(c, item)) continue;
    bool is_same = role && !c->is_own && strcmp(role, role_word(item)) == 0;
    if (role && !is_same) {
      json_out_end(c->out, ']');
      json_out_end(c->out, '}');
    }
    if (!is_same) {
      role = role_word(item);
      json_out_begin(c->out, '{');
      json_out_member_string(c->out, "role", str_from_c(role));
      if (c->is_own) json_out_rest(c->out, &item->rest);
      json_out_key(c->out, "content");
      json_out_begin(c->out, '[');
    }
    e = put_parts(c, item);
  }
  if (role) {
    json_out_end(c->out, ']');
    json_out_end(c->out, '}');
  }
  json_out_end(c->out, ']');
  return e;
}

/* ---- tools ---- */

static void put_spec(struct bedrock_encoder *c, struct str name, const struct request_tool *t) {
  struct buf *out = c->out;
  json_out_begin(out, '{');
  json_out_key(out, "toolSpec");
  json_out_begin(out, '{');
  json_out_member_string(out, "name", name);
  if (t) json_out_member_string_if(out, "description", t->description);
  json_out_key(out, "inputSchema");
  json_out_begin(out, '{');
  json_out_key(out, "json");
  if (t && t->schema)
    json_out_value(out, t->schema);
  else
    json_out_raw(out, STR("{\"type\":\"object\",\"properties\":{}}"));
  json_out_end(out, '}');
  if (t && (c->is_own || t->strict == 1)) json_out_member_tri(out, "strict", t->strict);
  if (t && c->is_own) json_out_rest(out, &t->rest);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static void put_tools(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  for (size_t i = 0; i < r->tool_count; i++) {
    const struct request_tool *t = &r->tools[i];
    if (t->kind == TOOL_FUNCTION)
      put_spec(c, c->is_own ? t->name : tool_name_wire(c->arena, t->namespace, t->name), t);
    else if (c->is_own && t->raw)
      json_out_value(c->out, t->raw);
    else
      continue;
    bedrock_put_cache_point(c, &t->cache);
  }
}

/* Bedrock wants toolConfig wherever the conversation has tool blocks: tools that are only spoken of are told by name.
 */
static enum err put_tools_of_history(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  struct map seen;
  map_init(&seen, c->arena);
  for (size_t i = 0; i < r->item_count; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      struct request_part *p = &r->items[i].parts[k];
      if (p->kind != PART_TOOL_CALL) continue;
      struct str name = tool_name_wire(c->arena, p->namespace, p->name);
      if (!name.n || map_get(&seen, name)) continue;
      if (!map_put(&seen, name, p)) return ERR_NO_MEMORY;
      put_spec(c, name, NULL);
    }
  return OK;
}

static bool has_tool_blocks(const struct request *r) {
  for (size_t i = 0; i < r->item_count; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++)
      if (r->items[i].parts[k].kind == PART_TOOL_CALL) return true;
  return false;
}

static void put_choice(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  struct buf *out = c->out;
  const char *word = r->tool_choice == TOOL_CHOICE_AUTO       ? "auto"
                     : r->tool_choice == TOOL_CHOICE_REQUIRED ? "any"
                     : r->tool_choice == TOOL_CHOICE_NAMED    ? "tool"
                                                              : NULL;
  if (c->is_own && r->tool_choice_raw) json_out_member_value_if(out, "toolChoice", r->tool_choice_raw);
  if (!word) return;
  json_out_key(out, "toolChoice");
  json_out_begin(out, '{');
  json_out_key(out, word);
  json_out_begin(out, '{');
  if (r->tool_choice == TOOL_CHOICE_NAMED)
    json_out_member_string(
        out, "name",
        c->is_own ? r->tool_choice_name : tool_name_wire(c->arena, r->tool_choice_namespace, r->tool_choice_name));
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static void put_prefixed(struct bedrock_encoder *c, struct str prefix) {
  const struct json_rest *rest = &c->request->rest;
  for (size_t i = 0; c->is_own && i < rest->n; i++) {
    if (!str_has_prefix(rest->v[i].key, prefix)) continue;
    json_out_key_str(c->out, str_sub(rest->v[i].key, prefix.n, rest->v[i].key.n));
    json_out_value(c->out, rest->v[i].value);
  }
}

static enum err put_tool_config(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  enum err e = OK;
  bool has_history = !c->is_own && has_tool_blocks(r), is_none = r->tool_choice == TOOL_CHOICE_NONE,
       has_function = false;
  for (size_t i = 0; i < r->tool_count; i++) has_function = has_function || r->tools[i].kind == TOOL_FUNCTION;
  if (is_none && has_history)
    return dialect_refuse_member(r, "tool_choice", c->info,
                                 "Bedrock cannot forbid tools in a conversation that has used them");
  if (!(c->is_own ? r->tools != NULL : (has_function && !is_none) || has_history)) return OK;
  json_out_key(c->out, "toolConfig");
  json_out_begin(c->out, '{');
  json_out_key(c->out, "tools");
  json_out_begin(c->out, '[');
  if (c->is_own || has_function)
    put_tools(c);
  else
    e = put_tools_of_history(c);
  json_out_end(c->out, ']');
  if (c->is_own || has_function) put_choice(c);
  put_prefixed(c, STR(BEDROCK_TOOLS_PREFIX));
  json_out_end(c->out, '}');
  return e;
}

/* ---- thinking and the other fields of models ---- */

static bool is_thinking(const struct bedrock_encoder *c) {
  return c->limits.thinking == CLAUDE_THINKING_BUDGET || c->limits.thinking == CLAUDE_THINKING_ADAPTIVE;
}

static void put_thinking(struct bedrock_encoder *c) {
  static const struct str words[] = {[CLAUDE_THINKING_OFF] = STR("disabled"),
                                     [CLAUDE_THINKING_BUDGET] = STR("enabled"),
                                     [CLAUDE_THINKING_ADAPTIVE] = STR("adaptive")};
  int8_t visible = c->request->reasoning.visible;
  if (c->limits.thinking == CLAUDE_THINKING_UNSET) return;
  json_out_key(c->out, "thinking");
  json_out_begin(c->out, '{');
  json_out_member_string(c->out, "type", words[c->limits.thinking]);
  if (c->limits.thinking == CLAUDE_THINKING_BUDGET)
    json_out_member_i64(c->out, "budget_tokens", c->limits.budget_tokens);
  if (c->limits.thinking == CLAUDE_THINKING_ADAPTIVE && visible >= 0) /* the models with a budget show it anyway */
    json_out_member_string(c->out, "display", visible ? STR("summarized") : STR("omitted"));
  json_out_end(c->out, '}');
}

/* Claude takes no temperature, top_p or top_k while it thinks, and newer ones never; of the first two it takes one. */
static bool takes_sampling(const struct bedrock_encoder *c) {
  return !c->is_claude || c->is_own || (!is_thinking(c) && claude_traits(c->model).has_sampling);
}

/* A member that the model may not take, by OpenAI chat's word. */
static void put_sampling(struct bedrock_encoder *c, const char *key, const char *word, struct str number,
                         bool is_taken) {
  if (is_taken)
    json_out_member_raw_if(c->out, key, number);
  else if (number.n)
    dialect_drop(c->target, c->request, word);
}

static void put_model_fields(struct bedrock_encoder *c) {
  struct buf *out = c->out;
  size_t before = out->n;
  if (c->is_own || !c->is_claude) return;
  json_out_key(out, "additionalModelRequestFields");
  json_out_begin(out, '{');
  size_t inside = out->n;
  put_thinking(c);
  put_sampling(c, "top_k", "top_k", c->request->top_k, takes_sampling(c));
  if (out->n == inside)
    out->n = before;
  else
    json_out_end(out, '}');
}

/* Without thinking Claude takes no more than "high". */
static struct str effort_of(const struct bedrock_encoder *c) {
  struct str effort = c->request->reasoning.effort;
  if (!c->is_claude) return effort_budget(effort) < 0 ? STR_NONE : effort;
  effort = c->limits.effort;
  return !effort.n || is_thinking(c) ? effort : effort_within(effort, STR("low"), STR("high"));
}

static enum err put_output_config(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  struct buf *out = c->out, schema;
  bool has_format = r->format == FORMAT_JSON_SCHEMA && r->format_schema;
  struct str effort = effort_of(c);
  bool has_effort = effort.n > 0;
  if (c->is_own || !(has_format || has_effort)) return OK;
  buf_init(&schema, 0);
  json_out_key(out, "outputConfig");
  json_out_begin(out, '{');
  if (has_effort) json_out_member_string(out, "effort", effort);
  if (has_format) {
    json_split_put(&schema, r->format_schema); /* it is JSON in a string there */
    json_out_key(out, "textFormat");
    json_out_begin(out, '{');
    json_out_member_string(out, "type", STR("json_schema"));
    json_out_key(out, "structure");
    json_out_begin(out, '{');
    json_out_key(out, "jsonSchema");
    json_out_begin(out, '{');
    json_out_member_string(out, "schema", buf_str(&schema));
    json_out_member_string_if(out, "name", r->format_name);
    json_out_member_string_if(out, "description", r->format_description);
    for (int i = 0; i < 3; i++) json_out_end(out, '}');
  }
  json_out_end(out, '}');
  enum err e = schema.failed ? ERR_NO_MEMORY : OK;
  buf_clear(&schema);
  return e;
}

static void put_inference(struct bedrock_encoder *c) {
  const struct request *r = c->request;
  struct buf *out = c->out;
  size_t before = out->n;
  json_out_key(out, "inferenceConfig");
  json_out_begin(out, '{');
  size_t inside = out->n;
  json_out_member_raw_if(out, "maxTokens", c->is_claude && !c->is_own ? c->limits.max_tokens : r->max_tokens);
  struct str temperature = c->is_own ? r->temperature : dialect_at_most_one(r->temperature);
  put_sampling(c, "temperature", "temperature", temperature, takes_sampling(c));
  put_sampling(c, "topP", "top_p", r->top_p, takes_sampling(c) && (!c->is_claude || c->is_own || !r->temperature.n));
  if (r->stop_count || (c->is_own && r->stop)) {
    json_out_key(out, "stopSequences");
    json_out_begin(out, '[');
    for (size_t i = 0; i < r->stop_count; i++) json_out_string(out, r->stop[i]);
    json_out_end(out, ']');
  }
  put_prefixed(c, STR(BEDROCK_INFERENCE_PREFIX));
  if (out->n == inside)
    out->n = before;
  else
    json_out_end(out, '}');
}

static void put_service_tier(struct bedrock_encoder *c) {
  struct str tier = c->request->service_tier;
  if (c->is_own || !(str_eq(tier, STR("default")) || str_eq(tier, STR("flex")) || str_eq(tier, STR("priority"))))
    return;
  json_out_key(c->out, "serviceTier");
  json_out_begin(c->out, '{');
  json_out_member_string(c->out, "type", tier);
  json_out_end(c->out, '}');
}

static void put_rest(struct bedrock_encoder *c) {
  const struct json_rest *rest = &c->request->rest;
  for (size_t i = 0; c->is_own && i < rest->n; i++) {
    struct str key = rest->v[i].key;
    if (str_has_prefix(key, STR(BEDROCK_INFERENCE_PREFIX)) || str_has_prefix(key, STR(BEDROCK_TOOLS_PREFIX))) continue;
    json_out_key_str(c->out, key);
    json_out_value(c->out, rest->v[i].value);
  }
}

static bool names(struct str model, const char *word) { return str_find(model, str_from_c(word)) != SIZE_MAX; }

enum err bedrock_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                struct buf *out, struct err_info *info) {
  struct bedrock_encoder c = {
      .request = r, .target = target, .model = target->model, .arena = a, .out = out, .info = info};
  size_t system = leading_system(r);
  c.is_own = str_eq(r->dialect, BEDROCK_NAME);
  c.is_claude = names(c.model, "anthropic") || names(c.model, "claude");
  c.has_caching = c.is_claude || names(c.model, "nova");
  const struct claude_asked asked = {r, target, BEDROCK_NAME, false, a};
  enum err e = c.is_claude && !c.is_own ? claude_limits_decide(&asked, &c.limits) : OK;
  if (e) return e;
  json_out_begin(out, '{');
  e = put_system(&c, system);
  if (!e) e = put_messages(&c, system);
  put_inference(&c);
  if (!e) e = put_tool_config(&c);
  put_model_fields(&c);
  if (!e) e = put_output_config(&c);
  put_service_tier(&c);
  put_rest(&c);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
