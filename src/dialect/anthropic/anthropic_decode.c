/* Anthropic Messages, a request's members: from the caller's JSON tree to the canonical request. Content is decoded in
 * anthropic_decode_content.c. Types are checked where Maestro reads them; what it does not read stays as it is, in
 * `rest` or, where it stood within a member that is taken apart, in `nested` under its path. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/anthropic/anthropic_internal.h"

enum { PATH_DEPTH_MAX = 8 };

static const struct anthropic_at root_at = {0};

/* ---- what the decoders share ---- */

void anthropic_write_path(const struct anthropic_at *at, const char *member, char out[ERR_PARAM_MAX]) {
  const struct anthropic_at *chain[PATH_DEPTH_MAX];
  size_t depth = 0, n = 0;
  for (; at && at->up && depth < PATH_DEPTH_MAX; at = at->up) chain[depth++] = at;
  out[0] = 0;
  while (depth-- && n < ERR_PARAM_MAX) {
    const struct anthropic_at *step = chain[depth];
    int put = step->member ? snprintf(out + n, ERR_PARAM_MAX - n, "%s%s", n ? "." : "", step->member)
                           : snprintf(out + n, ERR_PARAM_MAX - n, "[%zu]", step->index);
    n += put > 0 ? (size_t)put : 0;
  }
  if (member && n < ERR_PARAM_MAX) snprintf(out + n, ERR_PARAM_MAX - n, "%s%s", n ? "." : "", member);
}

enum err anthropic_fault(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                         enum err e, const char *what) {
  char path[ERR_PARAM_MAX];
  anthropic_write_path(at, member, path);
  return err_set_param(d->info, e, path, "%s: %s", path[0] ? path : "body", what);
}

enum err anthropic_split(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *object,
                         const struct str *names, size_t n, struct yyjson_val **found, struct json_rest *rest) {
  struct err_info inner = {0};
  enum err e = json_split(d->arena, object, names, n, found, rest, &inner);
  return e && e != ERR_NO_MEMORY
             ? anthropic_fault(d, at, inner.param[0] ? inner.param : NULL, e, err_info_text(e, &inner))
             : e;
}

enum err anthropic_get_string(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                              struct yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_str(v)) return anthropic_fault(d, at, member, ERR_BAD_TYPE, "a string is expected");
  *out = json_pool_text(v);
  return OK;
}

enum err anthropic_get_number(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                              struct yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_raw(v)) return anthropic_fault(d, at, member, ERR_BAD_TYPE, "a number is expected");
  *out = str_from(yyjson_get_raw(v), yyjson_get_len(v));
  return OK;
}

enum err anthropic_get_bool(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                            struct yyjson_val *v, int8_t *out) {
  if (!v) return OK;
  if (!yyjson_is_bool(v)) return anthropic_fault(d, at, member, ERR_BAD_TYPE, "true or false is expected");
  *out = yyjson_is_true(v);
  return OK;
}

enum err anthropic_get_cache(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *v,
                             struct cache_marker *out) {
  if (!v) return OK;
  if (!yyjson_is_obj(v)) return anthropic_fault(d, at, "cache_control", ERR_BAD_TYPE, "an object is expected");
  out->raw = v;
  out->ttl = json_pool_str(v, "ttl");
  return OK;
}

/* ---- members that are taken apart ---- */

/* What is left of the member `name`, kept under its path. */
static enum err keep_nested(const struct anthropic_decoder *d, const char *name, const struct json_rest *left) {
  return json_rest_join(d->arena, &d->request->nested, str_from_c(name), left);
}

static enum err keep_one(const struct anthropic_decoder *d, const char *name, struct str key,
                         struct yyjson_val *value) {
  struct json_rest_member one = {key, value};
  return keep_nested(d, name, &(struct json_rest){&one, 1, 1});
}

/* A whole member that the canonical request has no words for. */
static enum err keep_whole(const struct anthropic_decoder *d, struct str key, struct yyjson_val *value) {
  return json_rest_add(d->arena, &d->request->rest, key, value);
}

static enum err decode_thinking(const struct anthropic_decoder *d, struct yyjson_val *thinking) {
  enum { TYPE, BUDGET, DISPLAY, N };
  static const struct str names[N] = {STR("type"), STR("budget_tokens"), STR("display")};
  const struct anthropic_at at = {&root_at, "thinking", 0};
  struct request_reasoning *r = &d->request->reasoning;
  struct yyjson_val *found[N];
  struct json_rest left;
  struct str type = STR_NONE, display = STR_NONE;
  if (!thinking) return OK;
  enum err e = anthropic_split(d, &at, thinking, names, N, found, &left);
  if (!e) e = anthropic_get_string(d, &at, "type", found[TYPE], &type);
  if (!e) e = anthropic_get_string(d, &at, "display", found[DISPLAY], &display);
  if (e) return e;
  if (!found[TYPE]) return anthropic_fault(d, &at, "type", ERR_MISSING, "a type is required");
  bool is_enabled = str_eq(type, STR("enabled")), is_adaptive = str_eq(type, STR("adaptive"));
  bool is_disabled = str_eq(type, STR("disabled"));
  bool has_budget = found[BUDGET] != NULL, can_budget = is_enabled || !has_budget;
  if (!(is_enabled || is_adaptive || is_disabled) || !can_budget) return keep_whole(d, STR("thinking"), thinking);
  if (has_budget) {
    struct str digits = STR_NONE;
    uint64_t budget;
    if ((e = anthropic_get_number(d, &at, "budget_tokens", found[BUDGET], &digits))) return e;
    bool is_plain = str_to_u64(digits, &budget) && budget <= INT32_MAX;
    if (!is_plain)
      return anthropic_fault(d, &at, "budget_tokens", ERR_BAD_VALUE, "a whole number of tokens is expected");
    r->budget_tokens = (int64_t)budget;
  }
  r->enabled = !is_disabled;
  r->is_adaptive = is_adaptive;
  if (str_eq(display, STR("omitted")) || str_eq(display, STR("summarized")))
    r->visible = str_eq(display, STR("summarized"));
  else if (found[DISPLAY] && (e = keep_one(d, "thinking", STR("display"), found[DISPLAY])))
    return e;
  return keep_nested(d, "thinking", &left);
}

/* {"type": "json_schema", "schema": …}; anything else is kept under `name`. *is_known says which. */
static enum err decode_format(const struct anthropic_decoder *d, const char *name, struct yyjson_val *format,
                              bool *is_known) {
  enum { TYPE, SCHEMA, N };
  static const struct str names[N] = {STR("type"), STR("schema")};
  const struct anthropic_at at = {&root_at, name, 0};
  struct yyjson_val *found[N];
  struct json_rest left;
  *is_known = false;
  enum err e = anthropic_split(d, &at, format, names, N, found, &left);
  if (e) return e;
  if (!str_eq(json_pool_text(found[TYPE]), STR("json_schema"))) return OK;
  if (!yyjson_is_obj(found[SCHEMA])) return anthropic_fault(d, &at, "schema", ERR_BAD_TYPE, "an object is expected");
  *is_known = true;
  d->request->format = FORMAT_JSON_SCHEMA;
  d->request->format_schema = found[SCHEMA];
  return keep_nested(d, name, &left);
}

static enum err decode_output(const struct anthropic_decoder *d, struct yyjson_val *config, struct yyjson_val *legacy) {
  enum { EFFORT, FORMAT, N };
  static const struct str names[N] = {STR("effort"), STR("format")};
  const struct anthropic_at at = {&root_at, "output_config", 0};
  struct yyjson_val *found[N] = {0};
  struct json_rest left = {0};
  bool is_known = false;
  enum err e = config ? anthropic_split(d, &at, config, names, N, found, &left) : OK;
  if (config && !e && yyjson_obj_size(config) == 0) e = keep_whole(d, STR("output_config"), config);
  if (!e) e = anthropic_get_string(d, &at, "effort", found[EFFORT], &d->request->reasoning.effort);
  if (!e && found[FORMAT]) {
    e = decode_format(d, "output_config.format", found[FORMAT], &is_known);
    if (!e && !is_known) e = keep_one(d, "output_config", STR("format"), found[FORMAT]);
  }
  if (!e) e = keep_nested(d, "output_config", &left);
  if (e || !legacy) return e;
  if (!is_known) {
    e = decode_format(d, "output_format", legacy, &is_known);
    d->request->format_is_legacy = is_known;
    if (e || is_known) return e;
  }
  return keep_whole(d, STR("output_format"), legacy);
}

static enum err decode_tool_choice(const struct anthropic_decoder *d, struct yyjson_val *choice) {
  enum { TYPE, NAME, SERIAL, N };
  static const struct str names[N] = {STR("type"), STR("name"), STR("disable_parallel_tool_use")};
  static const struct {
    struct str type;
    enum tool_choice choice;
  } words[] = {{STR("auto"), TOOL_CHOICE_AUTO},
               {STR("any"), TOOL_CHOICE_REQUIRED},
               {STR("none"), TOOL_CHOICE_NONE},
               {STR("tool"), TOOL_CHOICE_NAMED}};
  const struct anthropic_at at = {&root_at, "tool_choice", 0};
  struct request *r = d->request;
  struct yyjson_val *found[N];
  struct json_rest left;
  struct str type = STR_NONE, name = STR_NONE;
  int8_t is_serial = -1;
  if (!choice) return OK;
  enum err e = anthropic_split(d, &at, choice, names, N, found, &left);
  if (!e) e = anthropic_get_string(d, &at, "type", found[TYPE], &type);
  if (!e) e = anthropic_get_string(d, &at, "name", found[NAME], &name);
  if (!e) e = anthropic_get_bool(d, &at, "disable_parallel_tool_use", found[SERIAL], &is_serial);
  if (e) return e;
  if (!found[TYPE]) return anthropic_fault(d, &at, "type", ERR_MISSING, "a type is required");
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (str_eq(words[i].type, type)) r->tool_choice = words[i].choice;
  bool is_named = r->tool_choice == TOOL_CHOICE_NAMED;
  if (is_named && !name.n) return anthropic_fault(d, &at, "name", ERR_MISSING, "the tool's name is required");
  if (r->tool_choice == TOOL_CHOICE_UNSET) {
    r->tool_choice_raw = choice;
    return OK;
  }
  if (is_named) r->tool_choice_name = name;
  if (found[NAME] && !is_named && (e = keep_one(d, "tool_choice", STR("name"), found[NAME]))) return e;
  if (is_serial >= 0) r->parallel_tool_calls = !is_serial;
  return keep_nested(d, "tool_choice", &left);
}

/* A user id is the vendor's only member of metadata; without one the object stays what it is. */
static enum err decode_metadata(const struct anthropic_decoder *d, struct yyjson_val *metadata) {
  static const struct str names[] = {STR("user_id")};
  const struct anthropic_at at = {&root_at, "metadata", 0};
  struct yyjson_val *user;
  struct json_rest left;
  if (!metadata) return OK;
  enum err e = anthropic_split(d, &at, metadata, names, 1, &user, &left);
  if (!e) e = anthropic_get_string(d, &at, "user_id", user, &d->request->user);
  if (e) return e;
  if (!user) d->request->metadata = metadata;
  return user ? keep_nested(d, "metadata", &left) : OK;
}

static enum err decode_stop(const struct anthropic_decoder *d, struct yyjson_val *stop) {
  const struct anthropic_at at = {&root_at, "stop_sequences", 0};
  struct request *r = d->request;
  if (!stop) return OK;
  if (!yyjson_is_arr(stop)) return anthropic_fault(d, &at, NULL, ERR_BAD_TYPE, "an array of strings is expected");
  r->stop = ARENA_NEW_ARRAY(d->arena, struct str, yyjson_arr_size(stop));
  if (!r->stop) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(stop);
  for (yyjson_val *v; (v = yyjson_arr_iter_next(&it));) {
    const struct anthropic_at one = {&at, NULL, r->stop_count};
    if (!yyjson_is_str(v)) return anthropic_fault(d, &one, NULL, ERR_BAD_TYPE, "a string is expected");
    r->stop[r->stop_count++] = json_pool_text(v);
  }
  return OK;
}

/* ---- the whole ---- */

enum member {
  MODEL,
  MESSAGES,
  SYSTEM,
  MAX_TOKENS,
  STREAM,
  TOOLS,
  TOOL_CHOICE,
  METADATA,
  THINKING,
  OUTPUT_CONFIG,
  OUTPUT_FORMAT,
  STOP_SEQUENCES,
  TEMPERATURE,
  TOP_P,
  TOP_K,
  SERVICE_TIER,
  MAESTRO,
  MEMBERS
};
static const struct str member_names[MEMBERS] = {
    [MODEL] = STR("model"),
    [MESSAGES] = STR("messages"),
    [SYSTEM] = STR("system"),
    [MAX_TOKENS] = STR("max_tokens"),
    [STREAM] = STR("stream"),
    [TOOLS] = STR("tools"),
    [TOOL_CHOICE] = STR("tool_choice"),
    [METADATA] = STR("metadata"),
    [THINKING] = STR("thinking"),
    [OUTPUT_CONFIG] = STR("output_config"),
    [OUTPUT_FORMAT] = STR("output_format"),
    [STOP_SEQUENCES] = STR("stop_sequences"),
    [TEMPERATURE] = STR("temperature"),
    [TOP_P] = STR("top_p"),
    [TOP_K] = STR("top_k"),
    [SERVICE_TIER] = STR("service_tier"),
    [MAESTRO] = STR("maestro"), /* the gateway's own: never passed on */
};

/* Members that change the answer and mean something to Anthropic alone: servers it calls, state that it keeps. */
static const char *native_member(const struct json_rest *rest) {
  static const char *const names[] = {"mcp_servers", "container"};
  for (size_t i = 0; i < rest->n; i++) {
    struct yyjson_val *v = rest->v[i].value;
    if (json_rest_is_null(&rest->v[i]) || (yyjson_is_arr(v) && yyjson_arr_size(v) == 0)) continue;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
      if (str_eq(rest->v[i].key, str_from_c(names[k]))) return names[k];
  }
  return NULL;
}

static enum err decode_scalars(const struct anthropic_decoder *d, struct yyjson_val *const *found) {
  struct request *r = d->request;
  int8_t is_stream = -1;
  enum err e = anthropic_get_number(d, &root_at, "max_tokens", found[MAX_TOKENS], &r->max_tokens);
  if (!e) e = anthropic_get_number(d, &root_at, "temperature", found[TEMPERATURE], &r->temperature);
  if (!e) e = anthropic_get_number(d, &root_at, "top_p", found[TOP_P], &r->top_p);
  if (!e) e = anthropic_get_number(d, &root_at, "top_k", found[TOP_K], &r->top_k);
  if (!e) e = anthropic_get_string(d, &root_at, "service_tier", found[SERVICE_TIER], &r->service_tier);
  if (!e) e = anthropic_get_bool(d, &root_at, "stream", found[STREAM], &is_stream);
  if (e) return e;
  r->has_stream = is_stream >= 0;
  r->is_stream = is_stream == 1;
  return OK;
}

enum err anthropic_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                  struct request *out, struct err_info *info) {
  struct yyjson_val *found[MEMBERS];
  struct request r;
  bool is_count = envelope->operation == LLM_COUNT_TOKENS;
  request_init(&r, ANTHROPIC_NAME, is_count ? LLM_COUNT_TOKENS : LLM_GENERATE);
  const struct anthropic_decoder d = {a, info, &r};
  enum err e = anthropic_split(&d, &root_at, root, member_names, MEMBERS, found, &r.rest);
  if (!e) r.native_member = native_member(&r.rest);
  if (!e) e = decode_scalars(&d, found);
  r.model = envelope->model;
  r.wants_usage = true; /* this dialect's streams always tell it */
  if (!e && !found[MESSAGES]) e = anthropic_fault(&d, &root_at, "messages", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_decode_items(&d, found[SYSTEM], found[MESSAGES]);
  if (!e) e = anthropic_decode_tools(&d, found[TOOLS]);
  if (!e) e = decode_tool_choice(&d, found[TOOL_CHOICE]);
  if (!e) e = decode_thinking(&d, found[THINKING]);
  if (!e) e = decode_output(&d, found[OUTPUT_CONFIG], found[OUTPUT_FORMAT]);
  if (!e) e = decode_metadata(&d, found[METADATA]);
  if (!e) e = decode_stop(&d, found[STOP_SEQUENCES]);
  if (!e) *out = r;
  return e;
}
