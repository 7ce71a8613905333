/* Members that Ollama's chat and generate requests share: options, format, think, images. Called by their decoders and
 * encoders; values live in the caller's tree and arena. Options that the canonical request has no place for stand in
 * its rest as "options.<name>", which is also how they are named where they have to be left out. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/ollama/ollama_internal.h"
#include "llm/effort.h"

/* ---- decode ---- */

static bool is_count(struct str digits) {
  uint64_t n;
  return str_to_u64(digits, &n) && n > 0;
}

enum option { TEMPERATURE, TOP_P, TOP_K, NUM_PREDICT, STOP, SEED, FREQUENCY_PENALTY, PRESENCE_PENALTY, OPTIONS };
static const struct str option_names[OPTIONS] = {
    STR("temperature"),
    STR("top_p"),
    STR("top_k"),
    STR("num_predict"),
    STR("stop"),
    STR("seed"),
    STR("frequency_penalty"),
    STR("presence_penalty"),
};

static enum err read_stop(const struct read_member *at, yyjson_val *v, struct request *r) {
  if (!v || !yyjson_is_str(v)) return read_member_strings(at, "stop", v, &r->stop, &r->stop_count);
  r->stop = ARENA_NEW(at->arena, struct str);
  if (!r->stop) return ERR_NO_MEMORY;
  r->stop[0] = json_pool_text(v);
  r->stop_count = 1;
  r->stop_is_plain = true;
  return OK;
}

/* -1 ("until it ends") and -2 ("until the context is full") are no limits: they stay what they are. */
static enum err read_num_predict(const struct read_member *at, yyjson_val *v, struct request *r) {
  struct str digits = STR_NONE;
  enum err e = read_member_number(at, "num_predict", v, &digits);
  if (e || !digits.n) return e;
  if (is_count(digits)) {
    r->max_tokens = digits;
    return OK;
  }
  return json_rest_add(at->arena, &r->rest, STR(OLLAMA_OPTIONS_PREFIX "num_predict"), v);
}

static enum err read_options(const struct read_member *top, yyjson_val *options, struct request *r) {
  if (!options) return OK;
  const struct read_member at = {"options", top->arena, top->info};
  yyjson_val *f[OPTIONS];
  struct json_rest rest;
  enum err e = read_member_split(&at, options, option_names, OPTIONS, f, &rest);
  if (!e && yyjson_obj_size(options) == 0) e = json_rest_add(top->arena, &r->rest, STR(OLLAMA_OPTIONS), options);
  if (!e) e = json_rest_join(top->arena, &r->rest, STR(OLLAMA_OPTIONS), &rest);
  if (!e) e = read_member_number(&at, "temperature", f[TEMPERATURE], &r->temperature);
  if (!e) e = read_member_number(&at, "top_p", f[TOP_P], &r->top_p);
  if (!e) e = read_member_number(&at, "top_k", f[TOP_K], &r->top_k);
  if (!e) e = read_num_predict(&at, f[NUM_PREDICT], r);
  if (!e) e = read_stop(&at, f[STOP], r);
  if (!e) e = read_member_number(&at, "seed", f[SEED], &r->seed);
  if (!e) e = read_member_number(&at, "frequency_penalty", f[FREQUENCY_PENALTY], &r->frequency_penalty);
  if (!e) e = read_member_number(&at, "presence_penalty", f[PRESENCE_PENALTY], &r->presence_penalty);
  return e;
}

static enum err read_format(const struct read_member *at, yyjson_val *v, struct request *r) {
  if (!v) return OK;
  if (yyjson_is_obj(v)) {
    r->format = FORMAT_JSON_SCHEMA;
    r->format_schema = v;
    return OK;
  }
  if (!yyjson_is_str(v)) return read_member_bad_type(at, "format", "\"json\" or a JSON schema");
  if (str_eq(json_pool_text(v), STR("json"))) {
    r->format = FORMAT_JSON_OBJECT;
    return OK;
  }
  if (yyjson_get_len(v)) return read_member_bad_value(at, "format", "must be \"json\" or a JSON schema");
  return json_rest_add(at->arena, &r->rest, STR("format"), v); /* "" is how older clients say that they want none */
}

static enum err read_think(const struct read_member *at, yyjson_val *v, struct request *r) {
  if (!v) return OK;
  if (yyjson_is_str(v) && yyjson_get_len(v)) {
    r->reasoning.effort = json_pool_text(v);
    r->reasoning.enabled = !str_eq(r->reasoning.effort, STR("none"));
    return OK;
  }
  return yyjson_is_str(v) ? read_member_bad_value(at, "think", "must be true, false, \"low\", \"medium\" or \"high\"")
                          : read_member_bool(at, "think", v, &r->reasoning.enabled);
}

enum err ollama_read_members(const struct read_member *at, const struct ollama_members *m, struct request *r) {
  enum err e = read_options(at, m->options, r);
  if (!e) e = read_format(at, m->format, r);
  if (!e) e = read_think(at, m->think, r);
  if (!e) e = read_member_bool(at, "logprobs", m->logprobs, &r->logprobs);
  return e ? e : read_member_number(at, "top_logprobs", m->top_logprobs, &r->top_logprobs);
}

enum err ollama_read_images(const struct read_member *at, yyjson_val *images, struct request_part *parts) {
  size_t i, max;
  yyjson_val *image;
  if (!images) return OK;
  yyjson_arr_foreach(images, i, max, image) {
    char name[32];
    struct str data = STR_NONE;
    snprintf(name, sizeof name, "images[%zu]", i);
    enum err e = read_member_string(at, name, image, &data);
    if (e) return e;
    if (!data.n) return read_member_bad_value(at, name, "must be an image in base64");
    struct media *media = ARENA_NEW(at->arena, struct media);
    if (!media) return ERR_NO_MEMORY;
    media->data = data;
    media->mime = request_image_mime(data);
    parts[i] = (struct request_part){.kind = PART_IMAGE, .source = (uint32_t)i, .media = media};
  }
  return OK;
}

/* ---- encode ---- */

static void put_stop(struct buf *out, const struct request *r) {
  json_out_key(out, "stop");
  json_out_begin(out, '[');
  for (size_t i = 0; i < r->stop_count; i++) json_out_string(out, r->stop[i]);
  json_out_end(out, ']');
}

/* True when there were any. */
static bool put_options(struct buf *out, const struct request *r, bool is_own, int64_t context_tokens) {
  size_t before = out->n, inside;
  json_out_key(out, "options");
  json_out_begin(out, '{');
  inside = out->n;
  json_out_member_raw_if(out, "temperature", r->temperature);
  json_out_member_raw_if(out, "top_p", r->top_p);
  json_out_member_raw_if(out, "top_k", r->top_k);
  json_out_member_raw_if(out, "num_predict", r->max_tokens);
  if (is_own && r->stop_is_plain)
    json_out_member_string(out, "stop", r->stop[0]);
  else if (r->stop_count || (is_own && r->stop))
    put_stop(out, r);
  json_out_member_raw_if(out, "seed", r->seed);
  json_out_member_raw_if(out, "frequency_penalty", r->frequency_penalty);
  json_out_member_raw_if(out, "presence_penalty", r->presence_penalty);
  for (size_t i = 0; is_own && i < r->rest.n; i++) {
    struct str key = r->rest.v[i].key;
    if (!str_has_prefix(key, STR(OLLAMA_OPTIONS_PREFIX))) continue;
    json_out_key_str(out, str_sub(key, sizeof OLLAMA_OPTIONS_PREFIX - 1, key.n));
    json_out_value(out, r->rest.v[i].value);
    if (str_eq(key, STR(OLLAMA_OPTIONS_PREFIX "num_ctx"))) context_tokens = 0; /* the caller's own */
  }
  if (context_tokens) json_out_member_i64(out, "num_ctx", context_tokens);
  bool has_any = out->n != inside;
  if (has_any)
    json_out_end(out, '}');
  else
    out->n = before;
  return has_any;
}

/* Ollama thinks by default where the model can, so "the model decides" is said by silence. Budgets cannot be said. An
 * effort is said as it is where Ollama has the word (think: "low" | "medium" | "high"), else as its nearest neighbour.
 */
static void put_think(struct buf *out, const struct request_reasoning *r, bool is_own) {
  if (is_own && r->effort.n) {
    json_out_member_string(out, "think", r->effort);
  } else if (effort_is_off(r)) {
    json_out_member_bool(out, "think", false);
  } else if (r->is_adaptive) {
    return;
  } else if (r->effort.n) {
    json_out_member_string(out, "think", effort_within(r->effort, STR("low"), STR("high")));
  } else if (r->enabled == 1) {
    json_out_member_bool(out, "think", true);
  }
}

void ollama_put_members(struct buf *out, const struct request *r, bool is_own, int64_t context_tokens) {
  if (r->format == FORMAT_JSON_OBJECT) json_out_member_string(out, "format", STR("json"));
  if (r->format == FORMAT_JSON_SCHEMA) json_out_member_value_if(out, "format", r->format_schema);
  put_think(out, &r->reasoning, is_own);
  json_out_member_tri(out, "logprobs", r->logprobs);
  json_out_member_raw_if(out, "top_logprobs", r->top_logprobs);
  bool has_options = put_options(out, r, is_own, context_tokens);
  for (size_t i = 0; is_own && i < r->rest.n; i++) {
    struct str key = r->rest.v[i].key;
    if (str_has_prefix(key, STR(OLLAMA_OPTIONS_PREFIX)) || str_eq(key, STR("stream"))) continue;
    if (has_options && str_eq(key, STR("options"))) continue;
    json_out_key_str(out, key);
    json_out_value(out, r->rest.v[i].value);
  }
}
