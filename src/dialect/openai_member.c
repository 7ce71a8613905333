/* Members that OpenAI's dialects share: see openai_member.h. Sources: OpenAI API reference and the types of its SDK
 * (read 2026-11); usage spellings of DeepSeek, OpenRouter, Moonshot and xAI from their references. */
#include "dialect/openai_member.h"

#include <yyjson.h>

#include "base/json_out.h"

/* ---- fields of the top level ---- */

enum err openai_member_read_fields(struct openai_reader *rd, const struct str *names, struct yyjson_val *const *found,
                                   const struct openai_field *fields, size_t n, struct request *r) {
  for (size_t i = 0; i < n; i++) {
    struct yyjson_val *v = found[fields[i].row];
    const char *name = names[fields[i].row].p;
    void *field = (char *)r + fields[i].offset;
    if (!v) continue;
    switch (fields[i].type) {
      case OPENAI_NUMBER:
        if (!yyjson_is_raw(v)) return openai_member_wrong_type(rd, NULL, name, "a number");
        *(struct str *)field = str_from(yyjson_get_raw(v), yyjson_get_len(v));
        break;
      case OPENAI_STRING:
        if (!yyjson_is_str(v)) return openai_member_wrong_type(rd, NULL, name, "a string");
        *(struct str *)field = json_pool_text(v);
        break;
      case OPENAI_BOOL:
        if (!yyjson_is_bool(v)) return openai_member_wrong_type(rd, NULL, name, "true or false");
        *(int8_t *)field = yyjson_is_true(v);
        break;
      case OPENAI_OBJECT:
        if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, NULL, name, "an object");
        *(struct yyjson_val **)field = v;
        break;
    }
  }
  return OK;
}

void openai_member_put_fields(struct buf *out, const struct str *names, const struct openai_field *fields, size_t n,
                              const struct request *r) {
  for (size_t i = 0; i < n; i++) {
    const char *name = names[fields[i].row].p;
    const void *field = (const char *)r + fields[i].offset;
    const struct str *s = field;
    switch (fields[i].type) {
      case OPENAI_NUMBER: json_out_member_raw_if(out, name, *s); break;
      case OPENAI_STRING:
        if (s->p) json_out_member_string(out, name, *s);
        break;
      case OPENAI_BOOL: json_out_member_tri(out, name, *(const int8_t *)field); break;
      case OPENAI_OBJECT: json_out_member_value_if(out, name, *(struct yyjson_val *const *)field); break;
    }
  }
}

enum err openai_member_read_stop(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  const struct read_member at = openai_member_at(rd, NULL);
  if (!v) return OK;
  if (!yyjson_is_str(v)) return read_member_strings(&at, "stop", v, &r->stop, &r->stop_count);
  r->stop = ARENA_NEW(rd->arena, struct str);
  if (!r->stop) return ERR_NO_MEMORY;
  r->stop[0] = json_pool_text(v);
  r->stop_count = 1;
  r->stop_is_plain = true;
  return OK;
}

void openai_member_put_stop(struct buf *out, const struct request *r) {
  if (!r->stop) return;
  json_out_key(out, "stop");
  if (r->stop_is_plain && r->stop_count == 1) {
    buf_put_json(out, r->stop[0]);
    return;
  }
  buf_put_char(out, '[');
  for (size_t i = 0; i < r->stop_count; i++) json_out_string(out, r->stop[i]);
  buf_put_char(out, ']');
}

enum err openai_member_keep_unknown(struct openai_reader *rd, const char *path, const char *prefix,
                                    struct yyjson_val *object, const struct str *known, size_t n,
                                    struct json_rest *rest) {
  struct yyjson_val *found[JSON_SPLIT_NAMES_MAX];
  struct json_rest left;
  if (!yyjson_is_obj(object)) return OK;
  enum err e = openai_member_split(rd, path, object, known, n, found, &left);
  return e ? e : json_rest_join(rd->arena, rest, str_from_c(prefix), &left);
}

enum err openai_member_read_stream_options(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  if (!v) return OK;
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, NULL, "stream_options", "an object");
  yyjson_val *usage = yyjson_obj_get(v, "include_usage");
  if (usage && !yyjson_is_null(usage) && !yyjson_is_bool(usage))
    return openai_member_wrong_type(rd, "stream_options", "include_usage", "true or false");
  r->wants_usage = yyjson_is_true(usage);
  static const struct str known[] = {STR("include_usage")};
  return openai_member_keep_unknown(rd, "stream_options", "stream_options", v, known, 1, &r->nested);
}

void openai_member_put_stream(struct buf *out, const struct request *r, bool ask_usage, bool stream_was_said,
                              struct yyjson_val *options_said) {
  bool wants_usage = r->is_stream && (ask_usage || r->wants_usage);
  if (r->is_stream || stream_was_said) json_out_member_bool(out, "stream", r->is_stream);
  if (!wants_usage && !options_said) return;
  json_out_key(out, "stream_options");
  json_out_begin(out, '{');
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(options_said);
  bool was_said = false;
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = json_pool_text(key);
    bool is_usage = str_eq(name, STR("include_usage"));
    was_said = was_said || is_usage;
    json_out_key_str(out, name);
    if (is_usage && wants_usage)
      buf_put(out, STR("true"));
    else
      json_split_put(out, yyjson_obj_iter_get_val(key));
  }
  if (wants_usage && !was_said) json_out_member_bool(out, "include_usage", true);
  json_out_end(out, '}');
}

/* ---- usage ---- */

void openai_member_settle_usage(struct usage *u, int64_t total) {
  int64_t reasoning = usage_get(u, USAGE_REASONING), output = usage_get(u, USAGE_OUTPUT);
  if (total < 0 || !reasoning || !usage_has(u, USAGE_INPUT) || !usage_has(u, USAGE_OUTPUT)) return;
  if (total == usage_get(u, USAGE_INPUT) + output + reasoning) usage_set(u, USAGE_OUTPUT, output + reasoning);
}

static void read_details(struct yyjson_val *object, struct usage *out) {
  static const struct {
    const char *name;
    enum usage_class class;
  } rows[] = {{"cached_tokens", USAGE_CACHE_READ},
              {"cache_write_tokens", USAGE_CACHE_WRITE},
              {"reasoning_tokens", USAGE_REASONING}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    usage_set(out, rows[i].class, json_pool_count(yyjson_obj_get(object, rows[i].name)));
}

bool openai_member_read_usage(struct yyjson_val *usage, struct usage *out) {
  struct usage u = {0};
  if (!yyjson_is_obj(usage)) return false;
  usage_set(&u, USAGE_INPUT, json_pool_count(yyjson_obj_get(usage, "prompt_tokens")));
  usage_set(&u, USAGE_OUTPUT, json_pool_count(yyjson_obj_get(usage, "completion_tokens")));
  usage_set(&u, USAGE_CACHE_READ, json_pool_count(yyjson_obj_get(usage, "prompt_cache_hit_tokens")));
  read_details(usage, &u);
  read_details(yyjson_obj_get(usage, "prompt_tokens_details"), &u);
  read_details(yyjson_obj_get(usage, "completion_tokens_details"), &u);
  openai_member_settle_usage(&u, json_pool_count(yyjson_obj_get(usage, "total_tokens")));
  if (!u.known) return false;
  *out = u;
  return true;
}

void openai_member_put_usage(struct buf *out, const struct usage *u) {
  int64_t input = usage_get(u, USAGE_INPUT), output = usage_get(u, USAGE_OUTPUT);
  bool has_cached = usage_has(u, USAGE_CACHE_READ), has_written = usage_has(u, USAGE_CACHE_WRITE);
  json_out_begin(out, '{');
  if (usage_has(u, USAGE_INPUT)) json_out_member_i64(out, "prompt_tokens", input);
  if (usage_has(u, USAGE_OUTPUT)) json_out_member_i64(out, "completion_tokens", output);
  if (usage_has(u, USAGE_INPUT) && usage_has(u, USAGE_OUTPUT)) json_out_member_i64(out, "total_tokens", input + output);
  if (has_cached || has_written) {
    json_out_key(out, "prompt_tokens_details");
    json_out_begin(out, '{');
    if (has_cached) json_out_member_i64(out, "cached_tokens", usage_get(u, USAGE_CACHE_READ));
    if (has_written) json_out_member_i64(out, "cache_write_tokens", usage_get(u, USAGE_CACHE_WRITE));
    json_out_end(out, '}');
  }
  if (usage_has(u, USAGE_REASONING)) {
    json_out_key(out, "completion_tokens_details");
    json_out_begin(out, '{');
    json_out_member_i64(out, "reasoning_tokens", usage_get(u, USAGE_REASONING));
    json_out_end(out, '}');
  }
  json_out_end(out, '}');
}

bool openai_member_is_error(struct yyjson_val *root, const char *beside) {
  yyjson_val *error = yyjson_obj_get(root, "error");
  if (!yyjson_is_obj(error) && !yyjson_is_str(error)) return false;
  bool is_empty = yyjson_is_obj(error) ? yyjson_obj_size(error) == 0 : yyjson_get_len(error) == 0;
  return !is_empty || !yyjson_obj_get(root, beside);
}
