/* OpenAI chat requests into the canonical model: the members beside the messages (those are in
 * openai_chat_messages.c). Source: OpenAI API reference, "Create chat completion", and the types of its SDK (read
 * 2026-11); `reasoning` is OpenRouter's, `thinking` DeepSeek's and Z.ai's, `top_k` vLLM's and OpenRouter's. */
#include <stddef.h>
#include <stdio.h>
#include <yyjson.h>

#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_request.h"

const struct str openai_chat_members[OPENAI_CHAT_MEMBERS_COUNT] = {
#define X(name, text) STR(text),
    OPENAI_CHAT_MEMBERS(X)
#undef X
};

#define FIELD(name, type, member) \
  { OPENAI_CHAT_##name, OPENAI_##type, offsetof(struct request, member) }
const struct openai_field openai_chat_fields[OPENAI_CHAT_FIELDS] = {
    FIELD(TEMPERATURE, NUMBER, temperature), FIELD(TOP_P, NUMBER, top_p),
    FIELD(FREQUENCY_PENALTY, NUMBER, frequency_penalty), FIELD(PRESENCE_PENALTY, NUMBER, presence_penalty),
    FIELD(SEED, NUMBER, seed), FIELD(N, NUMBER, choices), FIELD(LOGPROBS, BOOL, logprobs),
    FIELD(TOP_LOGPROBS, NUMBER, top_logprobs), FIELD(LOGIT_BIAS, OBJECT, logit_bias), FIELD(USER, STRING, user),
    FIELD(PARALLEL_TOOL_CALLS, BOOL, parallel_tool_calls),
    /* Own requests only from here. */
    FIELD(TOP_K, NUMBER, top_k), FIELD(METADATA, OBJECT, metadata), FIELD(SERVICE_TIER, STRING, service_tier),
    FIELD(STORE, BOOL, store), FIELD(PROMPT_CACHE_KEY, STRING, prompt_cache_key), FIELD(VERBOSITY, STRING, verbosity),
    FIELD(REASONING_EFFORT, STRING, reasoning.effort), /* read only: `reasoning` may have said it */
};

const struct openai_chat_native *openai_chat_native(const struct request *r) {
  return str_eq(r->dialect, STR("openai_chat")) ? r->native : NULL;
}

bool openai_chat_is_legacy(const struct request *r) {
  const struct openai_chat_native *native = openai_chat_native(r);
  return native && native->found[OPENAI_CHAT_FUNCTIONS] && !native->found[OPENAI_CHAT_TOOLS];
}

/* ---- tools ---- */

/* A function's definition, the same under `tools[].function` and in `functions`. */
static enum err read_function(struct openai_reader *rd, const char *path, struct yyjson_val *node,
                              struct request_tool *t) {
  enum { NAME, DESCRIPTION, PARAMETERS, STRICT, N };
  static const struct str names[N] = {STR("name"), STR("description"), STR("parameters"), STR("strict")};
  struct yyjson_val *found[N];
  enum err e = openai_member_split(rd, path, node, names, N, found, &t->rest);
  if (e) return e;
  if (!found[NAME]) return openai_member_missing(rd, path, "name");
  if ((e = openai_member_string(rd, path, "name", found[NAME], &t->name))) return e;
  if ((e = openai_member_string(rd, path, "description", found[DESCRIPTION], &t->description))) return e;
  if (found[PARAMETERS] && !yyjson_is_obj(found[PARAMETERS]))
    return openai_member_wrong_type(rd, path, "parameters", "an object");
  if (found[STRICT] && !yyjson_is_bool(found[STRICT]))
    return openai_member_wrong_type(rd, path, "strict", "true or false");
  t->schema = found[PARAMETERS];
  t->strict = found[STRICT] ? (int8_t)yyjson_is_true(found[STRICT]) : -1;
  return OK;
}

static enum err read_custom(struct openai_reader *rd, const char *path, struct yyjson_val *node,
                            struct request_tool *t) {
  enum { NAME, DESCRIPTION, FORMAT, N };
  static const struct str names[N] = {STR("name"), STR("description"), STR("format")};
  struct yyjson_val *found[N];
  enum err e = openai_member_split(rd, path, node, names, N, found, &t->rest);
  if (e) return e;
  if (!found[NAME]) return openai_member_missing(rd, path, "name");
  if ((e = openai_member_string(rd, path, "name", found[NAME], &t->name))) return e;
  if (found[FORMAT] && !yyjson_is_obj(found[FORMAT])) return openai_member_wrong_type(rd, path, "format", "an object");
  t->format = found[FORMAT];
  return openai_member_string(rd, path, "description", found[DESCRIPTION], &t->description);
}

/* Members beside the definition that nobody knows: they are named where they cannot be passed on. */
static enum err add_beside(struct openai_reader *rd, const char *path, struct yyjson_val *node,
                           struct request_tool *t) {
  static const struct str names[] = {STR("type"), STR("function"), STR("custom"), STR("cache_control")};
  enum { N = sizeof names / sizeof *names };
  struct yyjson_val *found[N];
  struct json_rest beside;
  enum err e = openai_member_split(rd, path, node, names, N, found, &beside);
  return e ? e : json_rest_join(rd->arena, &t->rest, STR_NONE, &beside);
}

static enum err read_tool(struct openai_reader *rd, const char *path, struct yyjson_val *node, struct request_tool *t) {
  char inner[ERR_PARAM_MAX];
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  yyjson_val *type_node = yyjson_obj_get(node, "type"), *cache = yyjson_obj_get(node, "cache_control");
  struct str type = json_pool_text(type_node);
  if (!type_node) return openai_member_missing(rd, path, "type");
  if (!yyjson_is_str(type_node)) return openai_member_wrong_type(rd, path, "type", "a string");
  t->raw = node;
  t->strict = -1;
  if (yyjson_is_obj(cache)) t->cache = (struct cache_marker){cache, json_pool_str(cache, "ttl")};
  bool is_function = str_eq(type, STR("function")), is_custom = str_eq(type, STR("custom"));
  t->kind = is_function ? TOOL_FUNCTION : is_custom ? TOOL_CUSTOM : TOOL_HOSTED;
  if (t->kind == TOOL_HOSTED) {
    t->name = type;
    return OK;
  }
  openai_member_path(inner, path, is_function ? "function" : "custom");
  yyjson_val *definition = yyjson_obj_get(node, is_function ? "function" : "custom");
  if (!definition) return openai_member_missing(rd, inner, NULL);
  enum err e = is_function ? read_function(rd, inner, definition, t) : read_custom(rd, inner, definition, t);
  return e ? e : add_beside(rd, path, node, t);
}

static enum err read_tools(struct openai_reader *rd, struct yyjson_val *const *found, struct request *r) {
  struct yyjson_val *lists[] = {found[OPENAI_CHAT_TOOLS], found[OPENAI_CHAT_FUNCTIONS]};
  size_t n = 0;
  for (int k = 0; k < 2; k++) {
    if (lists[k] && !yyjson_is_arr(lists[k]))
      return openai_member_wrong_type(rd, NULL, k ? "functions" : "tools", "an array");
    n += yyjson_arr_size(lists[k]);
  }
  if (!(r->tools = ARENA_NEW_ARRAY(rd->arena, struct request_tool, n))) return ERR_NO_MEMORY;
  for (int k = 0; k < 2; k++) {
    yyjson_val *node;
    yyjson_arr_iter it = yyjson_arr_iter_with(lists[k]);
    for (uint32_t i = 0; (node = yyjson_arr_iter_next(&it)); i++) {
      char path[ERR_PARAM_MAX];
      struct request_tool *t = &r->tools[r->tool_count];
      err_path_index(path, NULL, k ? "functions" : "tools", i);
      t->source = i;
      enum err e = k ? read_function(rd, path, node, t) : read_tool(rd, path, node, t);
      if (e) return e;
      t->raw = node;
      r->tool_count++;
    }
  }
  return OK;
}

static enum err read_choice_word(struct openai_reader *rd, const char *member, struct yyjson_val *v,
                                 struct request *r) {
  static const struct {
    struct str word;
    enum tool_choice choice;
  } rows[] = {{STR("auto"), TOOL_CHOICE_AUTO},
              {STR("none"), TOOL_CHOICE_NONE},
              {STR("required"), TOOL_CHOICE_REQUIRED},
              {STR("any"), TOOL_CHOICE_REQUIRED}}; /* Mistral's word */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (str_eq(json_pool_text(v), rows[i].word)) {
      r->tool_choice = rows[i].choice;
      return OK;
    }
  return openai_member_wrong_value(rd, NULL, member,
                                   "must be \"auto\", \"none\", \"required\", or an object with a name");
}

static enum err read_choice(struct openai_reader *rd, struct yyjson_val *const *found, struct request *r) {
  yyjson_val *v = found[OPENAI_CHAT_TOOL_CHOICE], *legacy = found[OPENAI_CHAT_FUNCTION_CALL];
  const char *member = v ? "tool_choice" : "function_call";
  if (!v && !(v = legacy)) return OK;
  if (yyjson_is_str(v)) return read_choice_word(rd, member, v, r);
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, NULL, member, "a string or an object");
  struct str type = json_pool_str(v, "type");
  yyjson_val *named = v == legacy                     ? v
                      : str_eq(type, STR("function")) ? yyjson_obj_get(v, "function")
                      : str_eq(type, STR("custom"))   ? yyjson_obj_get(v, "custom")
                                                      : NULL;
  if (!named && !str_eq(type, STR("function")) && !str_eq(type, STR("custom"))) {
    r->tool_choice_raw = v; /* allowed_tools, and what comes after it */
    return OK;
  }
  struct str name = json_pool_str(named, "name");
  if (!name.n) {
    char path[ERR_PARAM_MAX];
    snprintf(path, sizeof path, "%s%s%.*s", member, v == legacy ? "" : ".", STR_ARG(v == legacy ? STR_NONE : type));
    return openai_member_missing(rd, path, "name");
  }
  r->tool_choice = TOOL_CHOICE_NAMED;
  r->tool_choice_name = name;
  return OK;
}

/* ---- the rest ---- */

static enum err read_format(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  if (!v) return OK;
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, NULL, "response_format", "an object");
  struct str type = json_pool_str(v, "type");
  static const struct str known[] = {STR("type"), STR("json_schema")};
  enum err e = openai_member_keep_unknown(rd, "response_format", "response_format", v, known, 2, &r->nested);
  if (e) return e;
  if (str_eq(type, STR("text"))) {
    r->format = FORMAT_TEXT;
    return OK;
  }
  if (str_eq(type, STR("json_object"))) {
    r->format = FORMAT_JSON_OBJECT;
    return OK;
  }
  if (!str_eq(type, STR("json_schema")))
    return openai_member_wrong_value(rd, "response_format", "type",
                                     "must be \"text\", \"json_object\" or \"json_schema\"");
  static const char path[] = "response_format.json_schema";
  yyjson_val *s = yyjson_obj_get(v, "json_schema");
  if (!s) return openai_member_missing(rd, path, NULL);
  if (!yyjson_is_obj(s)) return openai_member_wrong_type(rd, path, NULL, "an object");
  yyjson_val *schema = yyjson_obj_get(s, "schema"), *strict = yyjson_obj_get(s, "strict");
  if (schema && !yyjson_is_obj(schema)) return openai_member_wrong_type(rd, path, "schema", "an object");
  if (strict && !yyjson_is_null(strict) && !yyjson_is_bool(strict))
    return openai_member_wrong_type(rd, path, "strict", "true or false");
  r->format = FORMAT_JSON_SCHEMA;
  r->format_schema = schema;
  r->format_name = json_pool_str(s, "name");
  r->format_description = json_pool_str(s, "description");
  r->format_strict = yyjson_is_bool(strict) ? (int8_t)yyjson_is_true(strict) : -1;
  static const struct str inner[] = {STR("name"), STR("description"), STR("schema"), STR("strict")};
  return openai_member_keep_unknown(rd, path, path, s, inner, 4, &r->nested);
}

/* OpenRouter's {effort, max_tokens, enabled, exclude} and the {type, budget_tokens} that others took from Anthropic.
 * What OpenAI's own `reasoning_effort` says comes first. */
static enum err read_reasoning(struct openai_reader *rd, struct yyjson_val *const *found, struct request *r) {
  yyjson_val *own = found[OPENAI_CHAT_REASONING], *thinking = found[OPENAI_CHAT_THINKING];
  struct request_reasoning *to = &r->reasoning;
  if (own && !yyjson_is_obj(own)) return openai_member_wrong_type(rd, NULL, "reasoning", "an object");
  if (thinking && !yyjson_is_obj(thinking)) return openai_member_wrong_type(rd, NULL, "thinking", "an object");
  yyjson_val *enabled = yyjson_obj_get(own, "enabled"), *exclude = yyjson_obj_get(own, "exclude");
  struct str type = json_pool_str(thinking, "type");
  if (yyjson_is_bool(enabled)) to->enabled = yyjson_is_true(enabled);
  if (yyjson_is_bool(exclude)) to->visible = !yyjson_is_true(exclude);
  if (!to->effort.n) to->effort = json_pool_str(own, "effort");
  to->budget_tokens = json_pool_count(yyjson_obj_get(own, "max_tokens"));
  if (str_eq(type, STR("enabled"))) to->enabled = 1;
  if (str_eq(type, STR("disabled"))) to->enabled = 0;
  if (str_eq(type, STR("adaptive"))) to->is_adaptive = true;
  if (to->budget_tokens < 0) to->budget_tokens = json_pool_count(yyjson_obj_get(thinking, "budget_tokens"));
  if (str_eq(to->effort, STR("none"))) to->enabled = 0;
  return OK;
}

static enum err read_limits(struct openai_reader *rd, struct yyjson_val *const *found, struct request *r) {
  static const struct openai_field limit[] = {FIELD(MAX_TOKENS, NUMBER, max_tokens),
                                              FIELD(MAX_COMPLETION_TOKENS, NUMBER, max_tokens)};
  r->max_tokens_is_legacy = found[OPENAI_CHAT_MAX_TOKENS] && !found[OPENAI_CHAT_MAX_COMPLETION_TOKENS];
  return openai_member_read_fields(rd, openai_chat_members, found, limit, 2, r);
}

static enum err read_modalities(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  if (!v) return OK;
  if (!yyjson_is_arr(v)) return openai_member_wrong_type(rd, NULL, "modalities", "an array");
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  while ((one = yyjson_arr_iter_next(&it)))
    if (str_eq(json_pool_text(one), STR("audio"))) r->wants_audio = true;
  r->modalities = v;
  return OK;
}

enum err openai_chat_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                    struct request *out, struct err_info *info) {
  struct openai_reader rd = {a, info};
  struct request r;
  struct openai_chat_native *native = ARENA_NEW(a, struct openai_chat_native);
  if (!native) return ERR_NO_MEMORY;
  struct yyjson_val **found = native->found;
  request_init(&r, STR("openai_chat"), envelope->operation);
  enum err e =
      openai_member_split(&rd, NULL, root, openai_chat_members, OPENAI_CHAT_MEMBERS_COUNT, native->found, &r.rest);
  if (e) return e;
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.has_stream = native->found[OPENAI_CHAT_STREAM] != NULL;
  r.native = native;
  e = openai_member_read_fields(&rd, openai_chat_members, found, openai_chat_fields, OPENAI_CHAT_FIELDS, &r);
  if (!e) e = read_limits(&rd, found, &r);
  if (!e) e = openai_member_read_stream_options(&rd, found[OPENAI_CHAT_STREAM_OPTIONS], &r);
  if (!e) e = read_tools(&rd, found, &r);
  if (!e) e = read_choice(&rd, found, &r);
  if (!e) e = read_format(&rd, found[OPENAI_CHAT_RESPONSE_FORMAT], &r);
  if (!e) e = read_reasoning(&rd, found, &r);
  if (!e) e = read_modalities(&rd, found[OPENAI_CHAT_MODALITIES], &r);
  if (!e) e = openai_member_read_stop(&rd, found[OPENAI_CHAT_STOP], &r);
  if (!e && !found[OPENAI_CHAT_MESSAGES]) e = openai_member_missing(&rd, "messages", NULL);
  if (!e) e = openai_chat_decode_messages(&rd, found[OPENAI_CHAT_MESSAGES], &r);
  if (e) return e;
  if (openai_chat_is_legacy(&r) && r.parallel_tool_calls < 0)
    r.parallel_tool_calls = 0; /* there is room for one call */
  *out = r;
  return OK;
}
