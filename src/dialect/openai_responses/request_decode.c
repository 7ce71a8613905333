/* A Responses request as the canonical one: the members beside `input`. Called through the dialect's table; everything
 * lives in the caller's arena and tree. What has no word in the canonical request stays in request.rest and
 * request.nested or, where this dialect has to spell it again, in request.native. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"

enum member {
  MODEL,
  INPUT,
  INSTRUCTIONS,
  TOOLS,
  TOOL_CHOICE,
  PARALLEL,
  TEXT,
  REASONING,
  INCLUDE,
  STORE,
  STREAM,
  MAX_OUTPUT_TOKENS,
  TEMPERATURE,
  TOP_P,
  TOP_LOGPROBS,
  METADATA,
  USER,
  SERVICE_TIER,
  CACHE_KEY,
  MAESTRO,
  MEMBERS
};

static const struct str names[MEMBERS] = {
    [MODEL] = STR("model"),
    [INPUT] = STR("input"),
    [INSTRUCTIONS] = STR("instructions"),
    [TOOLS] = STR("tools"),
    [TOOL_CHOICE] = STR("tool_choice"),
    [PARALLEL] = STR("parallel_tool_calls"),
    [TEXT] = STR("text"),
    [REASONING] = STR("reasoning"),
    [INCLUDE] = STR("include"),
    [STORE] = STR("store"),
    [STREAM] = STR("stream"),
    [MAX_OUTPUT_TOKENS] = STR("max_output_tokens"),
    [TEMPERATURE] = STR("temperature"),
    [TOP_P] = STR("top_p"),
    [TOP_LOGPROBS] = STR("top_logprobs"),
    [METADATA] = STR("metadata"),
    [USER] = STR("user"),
    [SERVICE_TIER] = STR("service_tier"),
    [CACHE_KEY] = STR("prompt_cache_key"),
    [MAESTRO] = STR("maestro"),
};

const struct openai_responses_native *openai_responses_native_of(const struct request *r) {
  return r && str_eq(r->dialect, OPENAI_RESPONSES) ? r->native : NULL;
}

/* Members that change the answer and mean something to OpenAI alone: state that is kept there, work that goes on there.
 */
static const char *native_member(const struct json_rest *rest) {
  static const char *const state[] = {"conversation", "previous_response_id", "prompt"};
  for (size_t i = 0; i < rest->n; i++) {
    if (json_rest_is_null(&rest->v[i])) continue;
    if (str_eq(rest->v[i].key, STR("background")) && !yyjson_is_false(rest->v[i].value)) return "background";
    for (size_t k = 0; k < sizeof state / sizeof *state; k++)
      if (str_eq(rest->v[i].key, str_from_c(state[k]))) return state[k];
  }
  return NULL;
}

static enum err count_items(struct openai_reader *rd, struct yyjson_val *const *v, size_t *n) {
  *n = 1; /* a string is one item */
  if (!v[INPUT]) *n = 0;
  if (yyjson_is_arr(v[INPUT])) *n = yyjson_arr_size(v[INPUT]);
  if (v[INPUT] && !yyjson_is_arr(v[INPUT]) && !yyjson_is_str(v[INPUT]))
    return openai_member_wrong_type(rd, NULL, "input", "a string or an array");
  if (yyjson_is_arr(v[INSTRUCTIONS]))
    *n += yyjson_arr_size(v[INSTRUCTIONS]);
  else if (yyjson_is_str(v[INSTRUCTIONS]))
    *n += 1;
  else if (v[INSTRUCTIONS])
    return openai_member_wrong_type(rd, NULL, "instructions", "a string or an array");
  return OK;
}

static enum err add_string(struct openai_reader *rd, struct yyjson_val *v, enum request_role role, uint32_t source,
                           struct request *r) {
  struct request_item *item = &r->items[r->item_count++];
  *item = (struct request_item){.role = role, .source = source, .form = CONTENT_STRING};
  if (!yyjson_get_len(v) && role == ROLE_SYSTEM)
    return OK; /* Codex sends empty instructions: there is nothing to say */
  item->parts = ARENA_NEW(rd->arena, struct request_part);
  if (!item->parts) return ERR_NO_MEMORY;
  item->part_count = 1;
  item->parts[0] = (struct request_part){
      .kind = PART_TEXT, .source = UINT32_MAX, .text = str_from(yyjson_get_str(v), yyjson_get_len(v))};
  return OK;
}

static enum err add_list(struct openai_reader *rd, struct yyjson_val *list, const char *name, struct yyjson_val **nodes,
                         struct request *r) {
  size_t i, max;
  yyjson_val *node;
  yyjson_arr_foreach(list, i, max, node) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, name, i);
    if (nodes) nodes[i] = node;
    enum err e =
        openai_responses_decode_item(rd, node, path, nodes ? (uint32_t)i : UINT32_MAX, &r->items[r->item_count++]);
    if (e) return e;
  }
  return OK;
}

static enum err read_items(struct openai_reader *rd, struct yyjson_val *const *v,
                           struct openai_responses_native *native, struct request *r) {
  size_t n;
  enum err e = count_items(rd, v, &n);
  if (e) return e;
  native->node_count = yyjson_is_arr(v[INPUT]) ? yyjson_arr_size(v[INPUT]) : 0;
  native->nodes = ARENA_NEW_ARRAY(rd->arena, struct yyjson_val *, native->node_count + 1);
  r->items = ARENA_NEW_ARRAY(rd->arena, struct request_item, n ? n : 1);
  if (!native->nodes || !r->items) return ERR_NO_MEMORY;
  if (yyjson_is_arr(v[INSTRUCTIONS])) {
    native->instructions = v[INSTRUCTIONS];
    e = add_list(rd, v[INSTRUCTIONS], "instructions", NULL, r);
  } else if (v[INSTRUCTIONS]) {
    e = add_string(rd, v[INSTRUCTIONS], ROLE_SYSTEM, UINT32_MAX, r);
  }
  if (e || !v[INPUT]) return e;
  native->input_is_plain = yyjson_is_str(v[INPUT]);
  return native->input_is_plain ? add_string(rd, v[INPUT], ROLE_USER, 0, r)
                                : add_list(rd, v[INPUT], "input", native->nodes, r);
}

/* ---- text, reasoning, include ---- */

static enum err read_format(struct openai_reader *rd, struct yyjson_val *node, struct request *r) {
  enum { TYPE, NAME, DESCRIPTION, SCHEMA, STRICT, NAMES };
  static const struct str format_names[NAMES] = {STR("type"), STR("name"), STR("description"), STR("schema"),
                                                 STR("strict")};
  static const struct {
    struct str word;
    enum response_format format;
  } types[] = {
      {STR("text"), FORMAT_TEXT}, {STR("json_object"), FORMAT_JSON_OBJECT}, {STR("json_schema"), FORMAT_JSON_SCHEMA}};
  struct yyjson_val *v[NAMES];
  struct json_rest rest;
  struct str type = STR_NONE;
  enum err e = openai_member_split(rd, "text.format", node, format_names, NAMES, v, &rest);
  if (!e) e = openai_member_required(rd, "text.format", "type", v[TYPE], &type);
  if (!e) e = openai_member_string(rd, "text.format", "name", v[NAME], &r->format_name);
  if (!e) e = openai_member_string(rd, "text.format", "description", v[DESCRIPTION], &r->format_description);
  if (!e) e = openai_member_bool(rd, "text.format", "strict", v[STRICT], &r->format_strict);
  if (e) return e;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (str_eq(type, types[i].word)) r->format = types[i].format;
  if (r->format == FORMAT_UNSET)
    return openai_member_wrong_value(rd, "text.format", "type", "must be one of text, json_object, json_schema");
  if (r->format == FORMAT_JSON_SCHEMA && !v[SCHEMA]) return openai_member_missing(rd, "text.format", "schema");
  if (v[SCHEMA] && !yyjson_is_obj(v[SCHEMA])) return openai_member_wrong_type(rd, "text.format", "schema", "an object");
  r->format_schema = v[SCHEMA];
  return json_rest_join(rd->arena, &r->nested, STR("text.format"), &rest);
}

static enum err read_text(struct openai_reader *rd, struct yyjson_val *node, struct request *r) {
  enum { FORMAT, VERBOSITY, NAMES };
  static const struct str text_names[NAMES] = {STR("format"), STR("verbosity")};
  struct yyjson_val *v[NAMES];
  struct json_rest rest;
  if (!node) return OK;
  enum err e = openai_member_split(rd, "text", node, text_names, NAMES, v, &rest);
  if (!e) e = openai_member_string(rd, "text", "verbosity", v[VERBOSITY], &r->verbosity);
  if (!e && v[FORMAT]) e = read_format(rd, v[FORMAT], r);
  return e ? e : json_rest_join(rd->arena, &r->nested, STR("text"), &rest);
}

static enum err read_reasoning(struct openai_reader *rd, struct yyjson_val *node, struct request *r) {
  enum { EFFORT, SUMMARY, NAMES };
  static const struct str reasoning_names[NAMES] = {STR("effort"), STR("summary")};
  struct yyjson_val *v[NAMES];
  struct json_rest rest;
  if (!node) return OK;
  enum err e = openai_member_split(rd, "reasoning", node, reasoning_names, NAMES, v, &rest);
  if (!e) e = openai_member_string(rd, "reasoning", "effort", v[EFFORT], &r->reasoning.effort);
  if (!e) e = openai_member_string(rd, "reasoning", "summary", v[SUMMARY], &r->reasoning.summary);
  if (e) return e;
  if (r->reasoning.effort.n) r->reasoning.enabled = str_eq(r->reasoning.effort, STR("none")) ? 0 : 1;
  if (r->reasoning.summary.n) r->reasoning.visible = 1;
  return json_rest_join(rd->arena, &r->nested, STR("reasoning"), &rest);
}

/* Two of the things that can be included are Maestro's to give in every dialect; the others are named as left over. */
static enum err read_include(struct openai_reader *rd, struct yyjson_val *list, struct openai_responses_native *native,
                             struct request *r) {
  if (!list) return OK;
  if (!yyjson_is_arr(list)) return openai_member_wrong_type(rd, NULL, "include", "an array");
  size_t i, max;
  yyjson_val *v, *foreign = NULL;
  yyjson_arr_foreach(list, i, max, v) {
    char path[ERR_PARAM_MAX];
    struct str word = STR_NONE;
    err_path_index(path, NULL, "include", i);
    enum err e = openai_member_string(rd, path, NULL, v, &word);
    if (e) return e;
    if (str_eq(word, STR("reasoning.encrypted_content")))
      native->wants_encrypted = true;
    else if (str_eq(word, STR("message.output_text.logprobs")))
      native->wants_logprobs = true;
    else
      foreign = v;
  }
  native->include = list;
  if (native->wants_logprobs) r->logprobs = 1;
  return foreign ? json_rest_add(rd->arena, &r->nested, STR("include"), list) : OK;
}

/* ---- all ---- */

static enum err read_plain(struct openai_reader *rd, struct yyjson_val *const *v, struct request *r) {
  const struct {
    enum member member;
    struct str *out;
  } strings[] = {{MODEL, &r->model},
                 {USER, &r->user},
                 {SERVICE_TIER, &r->service_tier},
                 {CACHE_KEY, &r->prompt_cache_key}},
    numbers[] = {{MAX_OUTPUT_TOKENS, &r->max_tokens},
                 {TEMPERATURE, &r->temperature},
                 {TOP_P, &r->top_p},
                 {TOP_LOGPROBS, &r->top_logprobs}};
  int8_t stream = r->is_stream;
  enum err e = OK;
  for (size_t i = 0; !e && i < sizeof strings / sizeof *strings; i++)
    e = openai_member_string(rd, NULL, names[strings[i].member].p, v[strings[i].member], strings[i].out);
  for (size_t i = 0; !e && i < sizeof numbers / sizeof *numbers; i++)
    e = openai_member_number(rd, NULL, names[numbers[i].member].p, v[numbers[i].member], numbers[i].out);
  if (!e) e = openai_member_bool(rd, NULL, "store", v[STORE], &r->store);
  if (!e) e = openai_member_bool(rd, NULL, "parallel_tool_calls", v[PARALLEL], &r->parallel_tool_calls);
  if (!e) e = openai_member_bool(rd, NULL, "stream", v[STREAM], &stream);
  if (e) return e;
  r->is_stream = stream == 1;
  if (v[METADATA] && !yyjson_is_obj(v[METADATA])) return openai_member_wrong_type(rd, NULL, "metadata", "an object");
  r->metadata = v[METADATA];
  return OK;
}

enum err openai_responses_decode_request(struct arena *a, struct yyjson_val *root,
                                         const struct dialect_request *envelope, struct request *out,
                                         struct err_info *info) {
  struct openai_reader rd = {a, info};
  struct openai_responses_native *native = ARENA_NEW(a, struct openai_responses_native);
  struct yyjson_val *v[MEMBERS];
  struct request r;
  if (!native) return ERR_NO_MEMORY;
  request_init(&r, OPENAI_RESPONSES, LLM_GENERATE);
  r.is_stream = envelope->is_stream;
  r.wants_usage = true; /* a response always tells it */
  enum err e = openai_member_split(&rd, NULL, root, names, MEMBERS, v, &r.rest);
  if (e) return e;
  native->previous_id = envelope->previous_id;
  native->text = v[TEXT];
  native->reasoning = v[REASONING];
  native->has_stream = v[STREAM] != NULL;
  native->has_input = v[INPUT] != NULL;
  native->tool_choice = v[TOOL_CHOICE];
  r.native_member = native_member(&r.rest);
  e = read_plain(&rd, v, &r);
  if (!e) e = read_items(&rd, v, native, &r);
  if (!e) e = openai_responses_decode_tools(&rd, v[TOOLS], &r);
  if (!e) e = openai_responses_decode_tool_choice(&rd, v[TOOL_CHOICE], &r);
  if (!e) e = read_text(&rd, v[TEXT], &r);
  if (!e) e = read_reasoning(&rd, v[REASONING], &r);
  if (!e) e = read_include(&rd, v[INCLUDE], native, &r);
  if (e) return e;
  if (envelope->model.n) r.model = envelope->model;
  r.native = native;
  *out = r;
  return OK;
}
