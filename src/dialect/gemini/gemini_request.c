/* A Gemini request as the canonical one: the members beside the turns (those are in gemini_contents.c).
 * generateContent, streamGenerateContent and countTokens, whose body may be {contents, …} or {generateContentRequest:
 * {…}}.
 *
 * Unknown members of the objects within (generationConfig, toolConfig) are kept in request.nested under their path,
 * "generationConfig.speechConfig", which is how x-maestro-dropped names them and where the encoder finds them. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/gemini/gemini_internal.h"

struct decode {
  struct arena *a;
  struct request *r;
  struct gemini_native *native;
  struct err_info *info;
};

static enum err keep(struct decode *d, const char *path, struct str key, yyjson_val *value) {
  struct str whole = arena_printf(d->a, "%s.%.*s", path, STR_ARG(key));
  return whole.p ? json_rest_add(d->a, &d->r->nested, whole, value) : ERR_NO_MEMORY;
}

static enum err keep_all(struct decode *d, const char *path, const struct json_rest *rest) {
  return json_rest_join(d->a, &d->r->nested, str_from_c(path), rest);
}

/* ---- generationConfig ---- */

enum config_name {
  TEMPERATURE,
  TOP_P,
  TOP_K,
  CANDIDATE_COUNT,
  MAX_OUTPUT_TOKENS,
  PRESENCE_PENALTY,
  FREQUENCY_PENALTY,
  SEED,
  LOGPROBS,
  NUMBERS,
  RESPONSE_LOGPROBS = NUMBERS,
  STOP_SEQUENCES,
  RESPONSE_MIME_TYPE,
  RESPONSE_SCHEMA,
  RESPONSE_JSON_SCHEMA,
  THINKING_CONFIG,
  CONFIG_NAMES
};

static const struct str config_names[CONFIG_NAMES] = {
    [TEMPERATURE] = STR("temperature"),
    [TOP_P] = STR("topP"),
    [TOP_K] = STR("topK"),
    [CANDIDATE_COUNT] = STR("candidateCount"),
    [MAX_OUTPUT_TOKENS] = STR("maxOutputTokens"),
    [PRESENCE_PENALTY] = STR("presencePenalty"),
    [FREQUENCY_PENALTY] = STR("frequencyPenalty"),
    [SEED] = STR("seed"),
    [LOGPROBS] = STR("logprobs"),
    [RESPONSE_LOGPROBS] = STR("responseLogprobs"),
    [STOP_SEQUENCES] = STR("stopSequences"),
    [RESPONSE_MIME_TYPE] = STR("responseMimeType"),
    [RESPONSE_SCHEMA] = STR("responseSchema"),
    [RESPONSE_JSON_SCHEMA] = STR("responseJsonSchema"),
    [THINKING_CONFIG] = STR("thinkingConfig"),
};

static const char config_path[] = "generationConfig", thinking_path[] = "generationConfig.thinkingConfig";

static enum err decode_stops(struct decode *d, yyjson_val *v) {
  yyjson_val *one;
  char where[ERR_PARAM_MAX];
  if (!v) return OK;
  if (!yyjson_is_arr(v)) return gemini_names_bad_type(config_path, "stopSequences", "an array", d->info);
  d->r->stop = ARENA_NEW_ARRAY(d->a, struct str, yyjson_arr_size(v));
  if (!d->r->stop) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  while ((one = yyjson_arr_iter_next(&it))) {
    gemini_names_path_at(where, "generationConfig.stopSequences", d->r->stop_count);
    enum err e = gemini_names_string(one, where, NULL, &d->r->stop[d->r->stop_count], d->info);
    if (e) return e;
    d->r->stop_count++;
  }
  return OK;
}

/* JSON Schema wants the type application/json, says the vendor; other types are Gemini's own. */
static enum err decode_format(struct decode *d, yyjson_val *const *found) {
  yyjson_val *openapi = found[RESPONSE_SCHEMA], *schema = openapi ? openapi : found[RESPONSE_JSON_SCHEMA];
  const char *member = openapi ? "responseSchema" : "responseJsonSchema";
  char where[ERR_PARAM_MAX];
  struct gemini_native *n = d->native;
  enum err e = gemini_names_string(found[RESPONSE_MIME_TYPE], config_path, "responseMimeType", &n->mime, d->info);
  if (e) return e;
  gemini_names_path(where, config_path, member);
  if (openapi && found[RESPONSE_JSON_SCHEMA])
    return err_set_param(d->info, ERR_BAD_VALUE, where, "\"%s\" excludes \"responseJsonSchema\"", where);
  if (schema && !yyjson_is_obj(schema)) return gemini_names_bad_type(config_path, member, "an object", d->info);
  bool is_json = str_eq_nocase(n->mime, STR("application/json")), is_text = str_eq_nocase(n->mime, STR("text/plain"));
  if (n->mime.n && !is_json && !is_text) { /* text/x.enum and what is to come */
    if ((e = keep(d, config_path, config_names[RESPONSE_MIME_TYPE], found[RESPONSE_MIME_TYPE]))) return e;
    d->r->native_member = "generationConfig.responseMimeType";
    n->mime = STR_NONE;
    return schema ? keep(d, config_path, config_names[openapi ? RESPONSE_SCHEMA : RESPONSE_JSON_SCHEMA], schema) : OK;
  }
  if (schema) {
    if ((e = gemini_schema_convert(d->a, schema, where, &n->schema_read, d->info))) return e;
    n->schema_raw = schema;
    n->is_schema_openapi = openapi != NULL;
  }
  n->format = schema ? FORMAT_JSON_SCHEMA : is_json ? FORMAT_JSON_OBJECT : is_text ? FORMAT_TEXT : FORMAT_UNSET;
  d->r->format = n->format;
  d->r->format_schema = n->schema_read;
  return OK;
}

static const struct {
  struct str level, effort;
} levels[] = {{STR("MINIMAL"), STR("minimal")},
              {STR("LOW"), STR("low")},
              {STR("MEDIUM"), STR("medium")},
              {STR("HIGH"), STR("high")}};

static enum err decode_level(struct decode *d, yyjson_val *v) {
  struct str word = STR_NONE;
  enum err e = gemini_names_string(v, thinking_path, "thinkingLevel", &word, d->info);
  if (e || !v) return e;
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (str_eq_nocase(levels[i].level, word)) {
      d->r->reasoning.effort = levels[i].effort;
      d->r->reasoning.enabled = 1;
      d->native->level = word;
      return OK;
    }
  return keep(d, thinking_path, STR("thinkingLevel"), v);
}

/* 0 is off, -1 the model's own measure. */
static enum err decode_budget(struct decode *d, yyjson_val *v) {
  struct str raw = STR_NONE;
  struct request_reasoning *out = &d->r->reasoning;
  uint64_t tokens;
  enum err e = gemini_names_number(v, thinking_path, "thinkingBudget", &raw, d->info);
  if (e || !v) return e;
  if (str_eq(raw, STR("-1"))) {
    out->is_adaptive = true;
    out->enabled = 1;
    return OK;
  }
  if (!str_to_u64(raw, &tokens) || tokens > INT32_MAX) {
    char where[ERR_PARAM_MAX];
    gemini_names_path(where, thinking_path, "thinkingBudget");
    return err_set_param(d->info, ERR_BAD_VALUE, where, "\"%s\" must be a whole number from -1 on", where);
  }
  out->enabled = tokens > 0;
  if (tokens > 0) out->budget_tokens = (int64_t)tokens;
  return OK;
}

static enum err decode_thinking(struct decode *d, yyjson_val *v) {
  static const struct str names[] = {STR("includeThoughts"), STR("thinkingBudget"), STR("thinkingLevel")};
  yyjson_val *found[3];
  struct json_rest rest;
  if (!v) return OK;
  enum err e = gemini_names_split(d->a, v, names, 3, found, &rest, thinking_path, d->info);
  if (!e) e = gemini_names_bool(found[0], thinking_path, "includeThoughts", &d->r->reasoning.visible, d->info);
  if (!e) e = decode_budget(d, found[1]);
  if (!e) e = decode_level(d, found[2]);
  if (!e) e = keep_all(d, thinking_path, &rest);
  d->native->has_thinking_config = true;
  return e;
}

static enum err decode_config(struct decode *d, yyjson_val *v) {
  yyjson_val *found[CONFIG_NAMES];
  struct json_rest rest;
  struct request *r = d->r;
  struct str *const numbers[NUMBERS] = {
      [TEMPERATURE] = &r->temperature,
      [TOP_P] = &r->top_p,
      [TOP_K] = &r->top_k,
      [CANDIDATE_COUNT] = &r->choices,
      [MAX_OUTPUT_TOKENS] = &r->max_tokens,
      [PRESENCE_PENALTY] = &r->presence_penalty,
      [FREQUENCY_PENALTY] = &r->frequency_penalty,
      [SEED] = &r->seed,
      [LOGPROBS] = &r->top_logprobs,
  };
  if (!v) return OK;
  enum err e = gemini_names_split(d->a, v, config_names, CONFIG_NAMES, found, &rest, config_path, d->info);
  for (int i = 0; !e && i < NUMBERS; i++)
    e = gemini_names_number(found[i], config_path, config_names[i].p, numbers[i], d->info);
  if (!e) e = gemini_names_bool(found[RESPONSE_LOGPROBS], config_path, "responseLogprobs", &r->logprobs, d->info);
  if (!e) e = decode_stops(d, found[STOP_SEQUENCES]);
  if (!e) e = decode_format(d, found);
  if (!e) e = decode_thinking(d, found[THINKING_CONFIG]);
  if (!e) e = keep_all(d, config_path, &rest);
  d->native->has_generation_config = true;
  return e;
}

/* ---- tools ---- */

static enum err add_tool(struct decode *d, size_t *room, struct request_tool **out) {
  struct request *r = d->r;
  if (r->tool_count == *room) {
    size_t more = *room ? *room * 2 : 16;
    struct request_tool *v = arena_realloc(d->a, r->tools, *room * sizeof *v, more * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    r->tools = v;
    *room = more;
  }
  *out = &r->tools[r->tool_count++];
  **out = (struct request_tool){.strict = -1};
  return OK;
}

static enum err decode_function(struct decode *d, yyjson_val *v, const char *path, struct request_tool *out) {
  static const struct str names[] = {STR("name"), STR("description"), STR("parameters"), STR("parametersJsonSchema")};
  yyjson_val *found[4];
  char where[ERR_PARAM_MAX];
  enum err e = gemini_names_split(d->a, v, names, 4, found, &out->rest, path, d->info);
  if (!e) e = gemini_names_string(found[0], path, "name", &out->name, d->info);
  if (!e) e = gemini_names_string(found[1], path, "description", &out->description, d->info);
  if (e) return e;
  gemini_names_path(where, path, "name");
  if (!out->name.n) return err_set_param(d->info, ERR_MISSING, where, "\"%s\" is required", where);
  gemini_names_path(where, path, found[2] ? "parameters" : "parametersJsonSchema");
  if (found[2] && found[3])
    return err_set_param(d->info, ERR_BAD_VALUE, where, "\"%s\" excludes \"parametersJsonSchema\"", where);
  out->is_openapi = found[2] != NULL;
  out->raw = found[2] ? found[2] : found[3];
  if (!out->raw) return OK;
  if (!yyjson_is_obj(out->raw)) return gemini_names_bad_type(where, NULL, "an object", d->info);
  return gemini_schema_convert(d->a, out->raw, where, &out->schema, d->info);
}

static enum err decode_functions(struct decode *d, yyjson_val *v, uint32_t source, size_t *room) {
  struct gemini_list list;
  char path[ERR_PARAM_MAX], where[ERR_PARAM_MAX];
  yyjson_val *one;
  snprintf(path, sizeof path, "tools[%u].functionDeclarations", source);
  if (!gemini_list_begin(&list, v)) return gemini_names_bad_type(path, NULL, "an array", d->info);
  while ((one = gemini_list_next(&list))) {
    struct request_tool *tool;
    gemini_names_path_at(where, path, list.index - 1);
    enum err e = add_tool(d, room, &tool);
    if (!e) e = decode_function(d, one, where, tool);
    if (e) return e;
    tool->source = source;
  }
  return OK;
}

/* One object holds functions and, beside them, tools that Gemini runs itself: {"googleSearch": {}}. An object that
 * holds nothing is kept as a hosted tool without a name. */
static enum err decode_tool(struct decode *d, yyjson_val *v, uint32_t source, size_t *room) {
  char path[ERR_PARAM_MAX];
  yyjson_val *key;
  struct request_tool *tool;
  err_path_index(path, NULL, "tools", source);
  if (!yyjson_is_obj(v)) return gemini_names_bad_type(path, NULL, "an object", d->info);
  size_t before = d->r->tool_count;
  yyjson_val *functions = gemini_names_get(v, "functionDeclarations");
  enum err e = functions ? decode_functions(d, functions, source, room) : OK;
  yyjson_obj_iter it = yyjson_obj_iter_with(v);
  while (!e && (key = yyjson_obj_iter_next(&it))) {
    struct str name = json_pool_text(key);
    if (gemini_names_is(name, STR("functionDeclarations"))) continue;
    if ((e = add_tool(d, room, &tool))) break;
    tool->kind = TOOL_HOSTED;
    tool->source = source;
    tool->name = name;
    tool->raw = yyjson_obj_iter_get_val(key);
  }
  if (e || d->r->tool_count > before) return e;
  if ((e = add_tool(d, room, &tool))) return e;
  tool->kind = TOOL_HOSTED;
  tool->source = source;
  tool->raw = v;
  return OK;
}

static enum err decode_tools(struct decode *d, yyjson_val *v) {
  struct gemini_list list;
  size_t room = 0;
  yyjson_val *one;
  enum err e = OK;
  if (!gemini_list_begin(&list, v)) return gemini_names_bad_type("tools", NULL, "an array", d->info);
  while (!e && (one = gemini_list_next(&list))) e = decode_tool(d, one, (uint32_t)(list.index - 1), &room);
  return e;
}

/* ---- toolConfig ---- */

static const char calling_path[] = "toolConfig.functionCallingConfig";

/* Several allowed names, and modes to come, are Gemini's own. VALIDATED lets the model choose, as AUTO does. */
static enum err read_calling(struct decode *d, yyjson_val *v, struct str mode, yyjson_val *names) {
  struct request *r = d->r;
  size_t n = yyjson_arr_size(names);
  bool is_any = str_eq(mode, STR("ANY"));
  if (n > 0 && !(is_any && n == 1)) {
    r->tool_choice_raw = v;
  } else if (is_any) {
    r->tool_choice = n ? TOOL_CHOICE_NAMED : TOOL_CHOICE_REQUIRED;
    r->tool_choice_name = n ? json_pool_text(yyjson_arr_get_first(names)) : STR_NONE;
  } else if (str_eq(mode, STR("NONE"))) {
    r->tool_choice = TOOL_CHOICE_NONE;
  } else if (str_eq(mode, STR("AUTO")) || str_eq(mode, STR("VALIDATED"))) {
    r->tool_choice = TOOL_CHOICE_AUTO;
    d->native->calling_mode = mode;
  } else if (mode.n) {
    r->tool_choice_raw = v;
  }
  return OK;
}

static enum err decode_calling(struct decode *d, yyjson_val *v) {
  static const struct str names[] = {STR("mode"), STR("allowedFunctionNames")};
  yyjson_val *found[2], *one;
  struct json_rest rest;
  struct str mode = STR_NONE;
  if (!v) return OK;
  d->native->has_calling_config = true;
  enum err e = gemini_names_split(d->a, v, names, 2, found, &rest, calling_path, d->info);
  if (!e) e = gemini_names_string(found[0], calling_path, "mode", &mode, d->info);
  if (e) return e;
  if (found[1] && !yyjson_is_arr(found[1]))
    return gemini_names_bad_type(calling_path, "allowedFunctionNames", "an array", d->info);
  yyjson_arr_iter it = yyjson_arr_iter_with(found[1]);
  while ((one = yyjson_arr_iter_next(&it)))
    if (!yyjson_is_str(one))
      return gemini_names_bad_type(calling_path, "allowedFunctionNames", "an array of strings", d->info);
  e = read_calling(d, v, mode, found[1]);
  return e || d->r->tool_choice_raw ? e : keep_all(d, calling_path, &rest);
}

static enum err decode_tool_config(struct decode *d, yyjson_val *v) {
  static const struct str names[] = {STR("functionCallingConfig")};
  yyjson_val *found[1];
  struct json_rest rest;
  if (!v) return OK;
  d->native->has_tool_config = true;
  enum err e = gemini_names_split(d->a, v, names, 1, found, &rest, "toolConfig", d->info);
  if (!e) e = decode_calling(d, found[0]);
  return e ? e : keep_all(d, "toolConfig", &rest);
}

/* ---- the whole ---- */

enum request_name {
  CONTENTS,
  SYSTEM_INSTRUCTION,
  TOOLS,
  TOOL_CONFIG,
  GENERATION_CONFIG,
  MODEL,   /* the path says it */
  MAESTRO, /* the gateway's own */
  REQUEST_NAMES
};

static const struct str request_names[REQUEST_NAMES] = {
    [CONTENTS] = STR("contents"),      [SYSTEM_INSTRUCTION] = STR("systemInstruction"), [TOOLS] = STR("tools"),
    [TOOL_CONFIG] = STR("toolConfig"), [GENERATION_CONFIG] = STR("generationConfig"),   [MODEL] = STR("model"),
    [MAESTRO] = STR("maestro"),
};

/* What countTokens counts: the body itself, or the request that it wraps (and that names its model again). */
static enum err unwrap(struct decode *d, yyjson_val **root) {
  yyjson_val *inner = gemini_names_get(*root, "generateContentRequest");
  if (d->r->operation != LLM_COUNT_TOKENS || !inner) return OK;
  if (!yyjson_is_obj(inner)) return gemini_names_bad_type("generateContentRequest", NULL, "an object", d->info);
  if (gemini_names_get(*root, "contents"))
    return err_set_param(d->info, ERR_BAD_VALUE, "generateContentRequest",
                         "\"generateContentRequest\" excludes \"contents\"");
  d->native->is_wrapped = true;
  *root = inner;
  return OK;
}

static bool is_text_only(yyjson_val *modalities) {
  size_t i, max;
  yyjson_val *one;
  yyjson_arr_foreach(modalities, i, max, one) if (!str_eq_nocase(json_pool_text(one), STR("TEXT"))) return false;
  return true;
}

/* Members that change the answer and that only Gemini can say: a conversation that it keeps, pictures and sound as the
 * answer. */
static void note_native_members(struct request *r) {
  for (size_t i = 0; i < r->rest.n && !r->native_member; i++)
    if (gemini_names_is(r->rest.v[i].key, STR("cachedContent")) && !json_rest_is_null(&r->rest.v[i]))
      r->native_member = "cachedContent";
  for (size_t i = 0; i < r->nested.n && !r->native_member; i++) {
    struct str key = r->nested.v[i].key, prefix = STR("generationConfig.");
    if (!str_has_prefix(key, prefix) || is_text_only(r->nested.v[i].value)) continue;
    if (gemini_names_is(str_sub(key, prefix.n, key.n), STR("responseModalities")))
      r->native_member = "generationConfig.responseModalities";
  }
}

enum err gemini_request_decode(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  struct request r;
  struct gemini_native *native = ARENA_NEW(a, struct gemini_native);
  yyjson_val *found[REQUEST_NAMES];
  if (!native) return ERR_NO_MEMORY;
  request_init(&r, GEMINI_NAME, envelope->operation);
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.wants_usage = true; /* Gemini's streams always tell */
  r.native = native;
  struct decode d = {a, &r, native, info};
  enum err e = unwrap(&d, &root);
  if (!e) e = gemini_names_split(a, root, request_names, REQUEST_NAMES, found, &r.rest, "", info);
  if (e) return e;
  native->has_model = found[MODEL] != NULL;
  if (!found[CONTENTS]) return err_set_param(info, ERR_MISSING, "contents", "\"contents\" is required");
  e = gemini_contents_decode(a, found[SYSTEM_INSTRUCTION], found[CONTENTS], &r, &native->system_role, info);
  native->has_tools = found[TOOLS] != NULL;
  if (!e) e = decode_tools(&d, found[TOOLS]);
  if (!e) e = decode_tool_config(&d, found[TOOL_CONFIG]);
  if (!e) e = decode_config(&d, found[GENERATION_CONFIG]);
  if (!e) note_native_members(&r);
  if (!e) *out = r;
  return e;
}
