/* A canonical request as a Gemini one: tools, their choice, generationConfig, and what surrounds the turns (those are
 * in gemini_turns.c). For countTokens the request is wrapped, so that system and tools are counted as well.
 *
 * Thinking. Gemini 2.5 takes a budget, Gemini 3 a level; both at once are refused. Efforts and budgets are worth what
 * the vendor's own OpenAI compatibility says: minimal and low 1024, medium 8192, high 24576 tokens. 2.5 Pro, and all of
 * Gemini 3, cannot be switched off: they get the least they take (128 tokens; MINIMAL, for Pro LOW). Sources: Gemini
 * API guides "Thinking" and "OpenAI compatibility" (read 2026-11). */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/gemini/gemini_internal.h"
#include "dialect/tool_name.h"
#include "llm/effort.h"

struct body {
  const struct request *r;
  const struct gemini_native *native; /* NULL: the request was not Gemini's */
  struct str model;
  enum gemini_generation generation;
  struct arena *arena;
  struct buf *out;
};

/* An object that is there only when it has members, or was there though it had none. */
struct lazy {
  size_t before, inner;
};

static struct lazy lazy_begin(struct buf *out, const char *key) {
  struct lazy l = {.before = out->n};
  json_out_key(out, key);
  json_out_begin(out, '{');
  l.inner = out->n;
  return l;
}

static void lazy_end(struct buf *out, struct lazy l, bool is_kept) {
  if (out->n == l.inner && !is_kept)
    out->n = l.before;
  else
    json_out_end(out, '}');
}

/* Members that were kept under their path (gemini_request.c): those of `prefix` ("generationConfig."), but for those of
 * an object within it. */
static void put_nested(struct body *b, struct str prefix, struct str but) {
  const struct json_rest *nested = &b->r->nested;
  for (size_t i = 0; b->native && i < nested->n; i++) {
    struct str key = nested->v[i].key;
    if (!str_has_prefix(key, prefix) || (but.n && str_has_prefix(key, but))) continue;
    json_out_key_str(b->out, str_sub(key, prefix.n, key.n));
    json_out_value(b->out, nested->v[i].value);
  }
}

/* ---- tools ---- */

static void put_function(struct body *b, const struct request_tool *t) {
  json_out_begin(b->out, '{');
  json_out_member_string(b->out, "name", b->native ? t->name : tool_name_wire(b->arena, t->namespace, t->name));
  json_out_member_string_if(b->out, "description", t->description);
  if (b->native && t->raw)
    json_out_member_value_if(b->out, t->is_openapi ? "parameters" : "parametersJsonSchema", t->raw);
  else
    json_out_member_value_if(b->out, "parametersJsonSchema", t->schema);
  if (b->native) json_out_rest(b->out, &t->rest);
  json_out_end(b->out, '}');
}

/* The functions among the tools [from, to), as one list. */
static bool put_functions(struct body *b, size_t from, size_t to) {
  bool is_open = false;
  for (size_t i = from; i < to; i++) {
    if (b->r->tools[i].kind != TOOL_FUNCTION) continue;
    if (!is_open) {
      json_out_key(b->out, "functionDeclarations");
      json_out_begin(b->out, '[');
      is_open = true;
    }
    put_function(b, &b->r->tools[i]);
  }
  if (is_open) json_out_end(b->out, ']');
  return is_open;
}

static void put_own_tools(struct body *b) {
  const struct request *r = b->r;
  for (size_t i = 0, end; i < r->tool_count; i = end) {
    for (end = i + 1; end < r->tool_count && r->tools[end].source == r->tools[i].source;) end++;
    if (r->tools[i].kind == TOOL_HOSTED && !r->tools[i].name.n) { /* an object that held none */
      json_out_value(b->out, r->tools[i].raw);
      continue;
    }
    json_out_begin(b->out, '{');
    put_functions(b, i, end);
    for (; i < end; i++)
      if (r->tools[i].kind == TOOL_HOSTED) {
        json_out_key_str(b->out, r->tools[i].name);
        json_out_value(b->out, r->tools[i].raw);
      }
    json_out_end(b->out, '}');
  }
}

/* Other vendors' hosted tools that Gemini runs, too; by the beginning of their type. Their settings have no equal here,
 * so x-maestro-dropped names them all the same. Beside functions they are left out: models before Gemini 3 refuse both.
 */
static const char *hosted_equal(const struct request_tool *t) {
  static const struct {
    struct str type;
    const char *member;
  } rows[] = {{STR("web_search"), "googleSearch"},
              {STR("code_interpreter"), "codeExecution"},
              {STR("code_execution"), "codeExecution"},
              {STR("web_fetch"), "urlContext"}};
  struct str type = json_pool_str(t->raw, "type");
  for (size_t i = 0; t->kind == TOOL_HOSTED && i < sizeof rows / sizeof *rows; i++)
    if (str_has_prefix(type, rows[i].type)) return rows[i].member;
  return NULL;
}

static void put_foreign_tools(struct body *b) {
  const struct request *r = b->r;
  size_t before = b->out->n;
  json_out_begin(b->out, '{');
  bool has_functions = put_functions(b, 0, r->tool_count);
  json_out_end(b->out, '}');
  if (has_functions) return;
  b->out->n = before;
  for (size_t i = 0; i < r->tool_count; i++) {
    const char *member = hosted_equal(&r->tools[i]);
    if (!member) continue;
    json_out_begin(b->out, '{');
    json_out_key(b->out, member);
    json_out_raw(b->out, STR("{}"));
    json_out_end(b->out, '}');
  }
}

static void put_tools(struct body *b) {
  size_t before = b->out->n;
  json_out_key(b->out, "tools");
  json_out_begin(b->out, '[');
  size_t inner = b->out->n;
  if (b->native)
    put_own_tools(b);
  else
    put_foreign_tools(b);
  if (b->out->n > inner || (b->native && b->native->has_tools))
    json_out_end(b->out, ']');
  else
    b->out->n = before;
}

static bool has_functions(const struct request *r) {
  for (size_t i = 0; i < r->tool_count; i++)
    if (r->tools[i].kind == TOOL_FUNCTION) return true;
  return false;
}

static void put_calling(struct body *b) {
  static const struct str words[] = {[TOOL_CHOICE_AUTO] = STR("AUTO"),
                                     [TOOL_CHOICE_NONE] = STR("NONE"),
                                     [TOOL_CHOICE_REQUIRED] = STR("ANY"),
                                     [TOOL_CHOICE_NAMED] = STR("ANY")};
  const struct request *r = b->r;
  if (b->native && r->tool_choice_raw) {
    json_out_member_value_if(b->out, "functionCallingConfig", r->tool_choice_raw);
    return;
  }
  struct lazy l = lazy_begin(b->out, "functionCallingConfig");
  bool is_as_written = b->native && r->tool_choice == TOOL_CHOICE_AUTO && b->native->calling_mode.n;
  if (is_as_written)
    json_out_member_string(b->out, "mode", b->native->calling_mode);
  else if (r->tool_choice != TOOL_CHOICE_UNSET)
    json_out_member_string(b->out, "mode", words[r->tool_choice]);
  if (r->tool_choice == TOOL_CHOICE_NAMED) {
    json_out_key(b->out, "allowedFunctionNames");
    json_out_begin(b->out, '[');
    json_out_string(b->out, b->native ? r->tool_choice_name
                                      : tool_name_wire(b->arena, r->tool_choice_namespace, r->tool_choice_name));
    json_out_end(b->out, ']');
  }
  put_nested(b, STR("toolConfig.functionCallingConfig."), STR_NONE);
  lazy_end(b->out, l, b->native && b->native->has_calling_config);
}

/* Without functions a choice among them is refused. */
static void put_tool_config(struct body *b) {
  if (!b->native && !has_functions(b->r)) return;
  struct lazy l = lazy_begin(b->out, "toolConfig");
  put_calling(b);
  put_nested(b, STR("toolConfig."), STR("toolConfig.functionCallingConfig."));
  lazy_end(b->out, l, b->native && b->native->has_tool_config);
}

/* ---- thinking ---- */

enum { PRO_BUDGET_MIN = 128, PRO_BUDGET_MAX = 32768, BUDGET_MAX = 24576 };

static bool is_pro(const struct body *b) { return str_find(b->model, STR("-pro")) != SIZE_MAX; }

static void put_level(struct body *b, struct str level) {
  if (is_pro(b) && str_eq(level, STR("MINIMAL"))) level = STR("LOW");
  json_out_member_string(b->out, "thinkingLevel", level);
}

static void put_off(struct body *b) {
  if (b->generation == GEMINI_3)
    put_level(b, STR("MINIMAL"));
  else
    json_out_member_i64(b->out, "thinkingBudget", b->generation == GEMINI_2 && is_pro(b) ? PRO_BUDGET_MIN : 0);
}

static void put_tokens(struct body *b, int64_t tokens) {
  int64_t most = is_pro(b) ? PRO_BUDGET_MAX : BUDGET_MAX;
  json_out_member_i64(b->out, "thinkingBudget", b->generation == GEMINI_2 && tokens > most ? most : tokens);
}

static void put_effort(struct body *b, struct str effort) {
  static const struct {
    struct str effort, level;
  } levels[] = {{STR("minimal"), STR("MINIMAL")},
                {STR("low"), STR("LOW")},
                {STR("medium"), STR("MEDIUM")},
                {STR("high"), STR("HIGH")}};
  struct str word = effort_within(effort, STR("minimal"), STR("high"));
  if (b->generation == GEMINI_2 && effort_budget(effort) >= 0) put_tokens(b, effort_budget(effort));
  for (size_t i = 0; b->generation != GEMINI_2 && i < sizeof levels / sizeof *levels; i++)
    if (str_eq(levels[i].effort, word)) put_level(b, levels[i].level);
}

static void put_budget(struct body *b, int64_t tokens) {
  if (b->generation == GEMINI_3)
    put_effort(b, effort_of_budget(tokens));
  else
    put_tokens(b, tokens);
}

static void put_own_thinking(struct body *b) {
  const struct request_reasoning *t = &b->r->reasoning;
  json_out_member_tri(b->out, "includeThoughts", t->visible);
  if (t->enabled == 0)
    json_out_member_i64(b->out, "thinkingBudget", 0);
  else if (t->is_adaptive)
    json_out_member_i64(b->out, "thinkingBudget", -1);
  else if (t->budget_tokens >= 0)
    json_out_member_i64(b->out, "thinkingBudget", t->budget_tokens);
  if (t->effort.n && str_eq_nocase(b->native->level, t->effort))
    json_out_member_string(b->out, "thinkingLevel", b->native->level);
  else
    put_effort(b, t->effort);
  put_nested(b, STR("generationConfig.thinkingConfig."), STR_NONE);
}

/* Thoughts are shown where thinking was asked for and hiding it was not. */
static void put_foreign_thinking(struct body *b) {
  const struct request_reasoning *t = &b->r->reasoning;
  bool is_off = effort_is_off(t);
  bool is_asked = !is_off && (t->enabled == 1 || t->effort.n || t->budget_tokens >= 0 || t->summary.n);
  if (t->visible >= 0 || is_asked) json_out_member_bool(b->out, "includeThoughts", !is_off && t->visible != 0);
  if (is_off)
    put_off(b);
  else if (t->effort.n)
    put_effort(b, t->effort);
  else if (t->budget_tokens >= 0)
    put_budget(b, t->budget_tokens);
  else if (t->is_adaptive && b->generation != GEMINI_3) /* where it is what happens anyway */
    json_out_member_i64(b->out, "thinkingBudget", -1);
}

static void put_thinking(struct body *b) {
  struct lazy l = lazy_begin(b->out, "thinkingConfig");
  if (b->native)
    put_own_thinking(b);
  else
    put_foreign_thinking(b);
  lazy_end(b->out, l, b->native && b->native->has_thinking_config);
}

/* ---- generationConfig ---- */

static void put_format(struct body *b) {
  const struct request *r = b->r;
  const struct gemini_native *n = b->native;
  if (n && n->format == r->format && n->schema_read == r->format_schema) {
    json_out_member_string_if(b->out, "responseMimeType", n->mime);
    json_out_member_value_if(b->out, n->is_schema_openapi ? "responseSchema" : "responseJsonSchema", n->schema_raw);
    return;
  }
  if (r->format == FORMAT_JSON_OBJECT || r->format == FORMAT_JSON_SCHEMA)
    json_out_member_string(b->out, "responseMimeType", STR("application/json"));
  if (r->format == FORMAT_JSON_SCHEMA) json_out_member_value_if(b->out, "responseJsonSchema", r->format_schema);
}

static void put_config(struct body *b) {
  const struct request *r = b->r;
  bool is_one = str_eq(r->choices, STR("1"));
  struct lazy l = lazy_begin(b->out, "generationConfig");
  json_out_member_raw_if(b->out, "temperature", r->temperature);
  json_out_member_raw_if(b->out, "topP", r->top_p);
  json_out_member_raw_if(b->out, "topK", r->top_k);
  if (b->native || !is_one) json_out_member_raw_if(b->out, "candidateCount", r->choices);
  json_out_member_raw_if(b->out, "maxOutputTokens", r->max_tokens);
  json_out_member_raw_if(b->out, "presencePenalty", r->presence_penalty);
  json_out_member_raw_if(b->out, "frequencyPenalty", r->frequency_penalty);
  json_out_member_raw_if(b->out, "seed", r->seed);
  json_out_member_tri(b->out, "responseLogprobs", r->logprobs);
  json_out_member_raw_if(b->out, "logprobs", r->top_logprobs);
  if (r->stop) {
    json_out_key(b->out, "stopSequences");
    json_out_begin(b->out, '[');
    for (size_t i = 0; i < r->stop_count; i++) json_out_string(b->out, r->stop[i]);
    json_out_end(b->out, ']');
  }
  put_format(b);
  put_thinking(b);
  put_nested(b, STR("generationConfig."), STR("generationConfig.thinkingConfig."));
  lazy_end(b->out, l, b->native && b->native->has_generation_config);
}

/* ---- the whole ---- */

static void put_model(struct body *b) {
  struct buf name;
  buf_init(&name, 0);
  if (!str_has_prefix(b->model, STR("models/"))) buf_put(&name, STR("models/"));
  buf_put(&name, b->model);
  json_out_member_string(b->out, "model", buf_str(&name));
  buf_clear(&name);
}

enum err gemini_body_encode(const struct request *r, const struct dialect_target *target, struct arena *a,
                            struct buf *out, struct err_info *info) {
  struct body b = {.r = r, .arena = a, .out = out, .model = target->model};
  b.generation = gemini_turns_generation(target->model);
  if (str_eq(r->dialect, GEMINI_NAME)) b.native = r->native;
  bool is_wrapped = r->operation == LLM_COUNT_TOKENS && (!b.native || b.native->is_wrapped);
  if (is_wrapped) buf_put(out, STR("{\"generateContentRequest\":"));
  json_out_begin(out, '{');
  if (is_wrapped || (b.native && b.native->has_model)) put_model(&b);
  enum err e = gemini_turns_encode(r, target->model, a, out, info);
  if (e) return e;
  put_tools(&b);
  put_tool_config(&b);
  put_config(&b);
  if (b.native) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  if (is_wrapped) json_out_end(out, '}');
  return out->failed ? ERR_NO_MEMORY : OK;
}
