/* Ollama embeddings: /api/embed (several inputs, `embeddings`) and the older /api/embeddings (one `prompt`, one
 * `embedding`). Each input is an item with one text part; an input that was one string stands beside the list. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/ollama/ollama_internal.h"

/* ---- requests ---- */

static enum err put_item(const struct read_member *at, const char *name, yyjson_val *v, uint32_t source,
                         struct request *r) {
  struct request_part *p = ARENA_NEW(at->arena, struct request_part);
  if (!p) return ERR_NO_MEMORY;
  *p = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX};
  r->items[r->item_count++] =
      (struct request_item){.role = ROLE_USER, .source = source, .form = CONTENT_STRING, .parts = p, .part_count = 1};
  return read_member_string(at, name, v, &p->text);
}

static enum err read_inputs(const struct read_member *at, yyjson_val *v, struct request *r) {
  size_t i, max, n = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1;
  yyjson_val *one;
  r->items = ARENA_NEW_ARRAY(at->arena, struct request_item, n);
  if (!r->items) return ERR_NO_MEMORY;
  if (yyjson_is_str(v)) return put_item(at, "input", v, UINT32_MAX, r);
  if (!yyjson_is_arr(v)) return read_member_bad_type(at, "input", "a string or an array of strings");
  yyjson_arr_foreach(v, i, max, one) {
    char name[32];
    snprintf(name, sizeof name, "input[%zu]", i);
    enum err e = put_item(at, name, one, (uint32_t)i, r);
    if (e) return e;
  }
  return OK;
}

enum { MODEL, MAESTRO, INPUT, DIMENSIONS, NAMES };
static const struct str names[NAMES] = {STR("model"), STR("maestro"), STR("input"), STR("dimensions")};
static const struct str legacy_names[INPUT + 1] = {STR("model"), STR("maestro"), STR("prompt")};

enum err ollama_embed_decode_request(struct arena *a, yyjson_val *root, const struct dialect_request *envelope,
                                     struct request *out, struct err_info *info) {
  const struct read_member top = {"", a, info};
  yyjson_val *f[NAMES];
  struct request r;
  request_init(&r, STR("ollama_embed"), LLM_EMBED);
  r.model = envelope->model;
  enum err e = read_member_split(&top, root, names, NAMES, f, &r.rest);
  if (!e && !f[INPUT]) e = read_member_missing(&top, "input");
  if (!e) e = read_inputs(&top, f[INPUT], &r);
  if (!e) e = read_member_number(&top, "dimensions", f[DIMENSIONS], &r.dimensions);
  if (!e) *out = r;
  return e;
}

enum err ollama_embeddings_decode_request(struct arena *a, yyjson_val *root, const struct dialect_request *envelope,
                                          struct request *out, struct err_info *info) {
  const struct read_member top = {"", a, info};
  yyjson_val *f[INPUT + 1];
  struct request r;
  request_init(&r, STR("ollama_embeddings"), LLM_EMBED);
  r.model = envelope->model;
  r.items = ARENA_NEW(a, struct request_item);
  if (!r.items) return ERR_NO_MEMORY;
  enum err e = read_member_split(&top, root, legacy_names, INPUT + 1, f, &r.rest);
  if (!e && !f[INPUT]) e = read_member_missing(&top, "prompt");
  if (!e) e = put_item(&top, "prompt", f[INPUT], UINT32_MAX, &r);
  if (!e) *out = r;
  return e;
}

static enum err put_item_text(struct buf *out, const struct request_item *item) {
  struct buf text;
  bool is_plain = item->part_count == 1 && item->parts[0].kind == PART_TEXT;
  buf_init(&text, 0);
  for (size_t k = 0; !is_plain && k < item->part_count; k++)
    if (item->parts[k].kind == PART_TEXT) buf_put(&text, item->parts[k].text);
  json_out_string(out, is_plain ? item->parts[0].text : buf_str(&text));
  enum err e = text.failed ? ERR_NO_MEMORY : OK;
  buf_clear(&text);
  return e;
}

enum err ollama_embed_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                     struct buf *out, struct err_info *info) {
  (void)a, (void)info;
  bool is_plain = r->item_count == 1 && r->items[0].source == UINT32_MAX;
  enum err e = OK;
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  json_out_key(out, "input");
  if (!is_plain) json_out_begin(out, '[');
  for (size_t i = 0; !e && i < r->item_count; i++) e = put_item_text(out, &r->items[i]);
  if (!is_plain) json_out_end(out, ']');
  json_out_member_raw_if(out, "dimensions", r->dimensions);
  if (str_eq(r->dialect, STR("ollama_embed"))) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}

enum err ollama_embeddings_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                          struct buf *out, struct err_info *info) {
  (void)a;
  if (r->item_count != 1)
    return dialect_refuse(r, r->item_count > 1 ? &r->items[1] : NULL, NULL, info,
                          "Ollama's older embeddings API takes exactly one text");
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  json_out_key(out, "prompt");
  enum err e = put_item_text(out, &r->items[0]);
  if (str_eq(r->dialect, STR("ollama_embeddings"))) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}

/* ---- replies ---- */

void ollama_embed_encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer,
                                    struct buf *out) {
  json_out_begin(out, '{');
  json_out_member_string(out, "model", x->model);
  json_out_key(out, "embeddings");
  json_out_begin(out, '[');
  for (size_t i = 0; i < answer->n; i++) {
    if (i) buf_put_char(out, ',');
    embedding_put_numbers(out, &answer->v[i]);
  }
  json_out_end(out, ']');
  ollama_put_total_duration(x, out);
  if (usage_has(&answer->usage, USAGE_INPUT))
    json_out_member_i64(out, "prompt_eval_count", usage_get(&answer->usage, USAGE_INPUT));
  json_out_end(out, '}');
}

void ollama_embeddings_encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer,
                                         struct buf *out) {
  (void)x;
  json_out_begin(out, '{');
  json_out_key(out, "embedding");
  if (answer->n)
    embedding_put_numbers(out, &answer->v[0]);
  else
    buf_put(out, STR("[]"));
  json_out_end(out, '}');
}

static enum err read_vectors(const struct dialect_exchange *x, yyjson_val *root, struct embeddings *out,
                             struct err_info *info) {
  yyjson_val *list = yyjson_obj_get(root, "embeddings"), *single = yyjson_obj_get(root, "embedding"), *one;
  size_t i, max, n = yyjson_is_arr(list) ? yyjson_arr_size(list) : yyjson_is_arr(single) ? 1 : 0;
  if (!n || n != x->request->item_count || n > EMBEDDING_VECTORS_MAX)
    return dialect_bad_reply(info, "it has not one vector for each input");
  out->v = ARENA_NEW_ARRAY(x->arena, struct embedding_vector, n);
  if (!out->v) return ERR_NO_MEMORY;
  out->n = n;
  if (!yyjson_is_arr(list)) return embedding_read_numbers(x->arena, single, &out->v[0], info);
  yyjson_arr_foreach(list, i, max, one) {
    enum err e = embedding_read_numbers(x->arena, one, &out->v[i], info);
    if (e) return e;
  }
  return OK;
}

enum err ollama_embed_decode_embeddings(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                        struct err_info *info) {
  struct json_pool pool = {0};
  struct embeddings found = {0};
  enum err e = OK;
  yyjson_val *root = json_pool_parse(&pool, body);
  if (!yyjson_is_obj(root)) {
    e = dialect_bad_reply(info, "it is no JSON object");
  } else if (yyjson_obj_get(root, "error")) {
    found.error = arena_dup(x->arena, str_trim(body));
    if (!found.error.p) e = ERR_NO_MEMORY;
  } else {
    struct str model = json_pool_str(root, "model");
    e = read_vectors(x, root, &found, info);
    if (!e && model.n && !(found.model = arena_dup(x->arena, model)).p) e = ERR_NO_MEMORY;
    usage_set(&found.usage, USAGE_INPUT, json_pool_count(yyjson_obj_get(root, "prompt_eval_count")));
  }
  json_pool_clear(&pool);
  if (!e) *out = found;
  return e;
}
