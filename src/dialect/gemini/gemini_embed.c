/* Gemini's embeddings: embedContent ({content, …} answered by `embedding`) and batchEmbedContents ({requests: […]}
 * answered by `embeddings`). Both are read, as caller's and as target's; a target is always asked with a batch, which
 * is where providers send embeddings, and each request in it names the model again. So nothing is ever relayed: that
 * name would have to change in every request.
 *
 * Each request is an item; its texts are the item's parts. Options stand in each request: what all of them agree on is
 * the canonical request's, else only Gemini can say it. Source: Gemini API reference, "Embeddings", and @google/genai
 * 3.1 (read 2026-11). */
#include <stdio.h>
#include <yyjson.h>

#include "base/envelope_once.h"
#include "base/json_out.h"
#include "dialect/envelope_read.h"
#include "dialect/gemini/gemini.h"
#include "dialect/gemini/gemini_internal.h"

#define EMBED_NAME STR("gemini_embed")

/* How one request was written; request.native is an array of these, one for each item. */
struct embed_native {
  bool has_model;
  struct str role, dimensions;
  struct yyjson_val *task_type, *title; /* strings */
  struct json_rest rest;                /* of the request; the item's is of its content */
};

/* ---- envelope ---- */

enum row { REQUESTS, CONTENT, MAESTRO, ROWS };

static const struct str paths[ROWS] = {
    [REQUESTS] = STR("requests"), [CONTENT] = STR("content"), [MAESTRO] = STR("maestro")};

static struct envelope_once table = {.paths = paths, .n = ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  (void)a;
  if (!envelope_scan_value(scan, REQUESTS) && !envelope_scan_value(scan, CONTENT))
    return err_set_param(info, ERR_MISSING, "content", "\"content\" or \"requests\" is required");
  out->max_tokens = -1;
  return envelope_read_options(body, scan, MAESTRO, out, info);
}

/* ---- requests ---- */

struct embed {
  struct arena *a;
  struct request *r;
  struct embed_native *native;
  struct err_info *info;
};

static enum err decode_parts(struct embed *d, yyjson_val *v, const char *path, struct request_item *item) {
  static const struct str names[] = {STR("text")};
  struct gemini_list list;
  yyjson_val *one, *found[1];
  char where[ERR_PARAM_MAX];
  if (!gemini_list_begin(&list, v)) return gemini_names_bad_type(path, NULL, "an array", d->info);
  item->form = v ? CONTENT_ARRAY : CONTENT_ABSENT;
  item->parts = ARENA_NEW_ARRAY(d->a, struct request_part, list.left + 1);
  if (!item->parts) return ERR_NO_MEMORY;
  while ((one = gemini_list_next(&list))) {
    struct request_part *p = &item->parts[item->part_count++];
    gemini_names_path_at(where, path, list.index - 1);
    p->source = (uint32_t)(list.index - 1);
    enum err e = gemini_names_split(d->a, one, names, 1, found, &p->rest, where, d->info);
    if (!e) e = gemini_names_string(found[0], where, "text", &p->text, d->info);
    if (e) return e;
    if (found[0]) continue;
    p->kind = PART_OPAQUE; /* a picture to embed is no other dialect's */
    p->raw = one;
    p->rest = (struct json_rest){0};
  }
  return OK;
}

static enum err decode_content(struct embed *d, yyjson_val *v, const char *path, struct request_item *item,
                               struct str *role) {
  static const struct str names[] = {STR("role"), STR("parts")};
  yyjson_val *found[2];
  char where[ERR_PARAM_MAX];
  item->role = ROLE_USER;
  enum err e = gemini_names_split(d->a, v, names, 2, found, &item->rest, path, d->info);
  if (!e) e = gemini_names_string(found[0], path, "role", role, d->info);
  if (e) return e;
  gemini_names_path(where, path, "parts");
  return decode_parts(d, found[1], where, item);
}

enum name { N_CONTENT, N_MODEL, N_TASK_TYPE, N_TITLE, N_DIMENSIONS, N_MAESTRO, NAMES };
static const struct str names[NAMES] = {[N_CONTENT] = STR("content"),
                                        [N_MODEL] = STR("model"),
                                        [N_TASK_TYPE] = STR("taskType"),
                                        [N_TITLE] = STR("title"),
                                        [N_DIMENSIONS] = STR("outputDimensionality"),
                                        [N_MAESTRO] = STR("maestro")};

/* One request of a batch, or the body that is one. */
static enum err decode_one(struct embed *d, yyjson_val *v, const char *path, uint32_t source) {
  yyjson_val *found[NAMES];
  char where[ERR_PARAM_MAX];
  struct request_item *item = &d->r->items[d->r->item_count];
  struct embed_native *n = &d->native[d->r->item_count];
  struct str text;
  enum err e = gemini_names_split(d->a, v, names, NAMES, found, &n->rest, path, d->info);
  if (!e) e = gemini_names_string(found[N_TASK_TYPE], path, "taskType", &text, d->info);
  if (!e) e = gemini_names_string(found[N_TITLE], path, "title", &text, d->info);
  if (!e) e = gemini_names_number(found[N_DIMENSIONS], path, "outputDimensionality", &n->dimensions, d->info);
  if (e) return e;
  gemini_names_path(where, path, "content");
  if (!found[N_CONTENT]) return err_set_param(d->info, ERR_MISSING, where, "\"%s\" is required", where);
  n->has_model = found[N_MODEL] != NULL;
  n->task_type = found[N_TASK_TYPE];
  n->title = found[N_TITLE];
  item->source = source;
  if ((e = decode_content(d, found[N_CONTENT], where, item, &n->role))) return e;
  d->r->item_count++;
  return OK;
}

static enum err decode_batch(struct embed *d, yyjson_val *v) {
  struct gemini_list list;
  char path[ERR_PARAM_MAX];
  yyjson_val *one;
  enum err e = OK;
  if (!gemini_list_begin(&list, v)) return gemini_names_bad_type("requests", NULL, "an array", d->info);
  while (!e && (one = gemini_list_next(&list))) {
    gemini_names_path_at(path, "requests", list.index - 1);
    e = decode_one(d, one, path, (uint32_t)(list.index - 1));
  }
  return e;
}

/* A member that no other dialect can say, for x-maestro-dropped. */
static enum err note(struct embed *d, size_t i, struct str key, yyjson_val *value) {
  struct request *r = d->r;
  bool is_whole = r->items[i].source == UINT32_MAX;
  struct str path = is_whole ? key : arena_printf(d->a, "requests[%u].%.*s", r->items[i].source, STR_ARG(key));
  if (!value) return OK;
  return path.p ? json_rest_add(d->a, &r->nested, path, value) : ERR_NO_MEMORY;
}

/* Members of a batch's requests that nobody else knows, and an option on which its requests differ. */
static enum err gather(struct embed *d) {
  struct request *r = d->r;
  const struct embed_native *first = d->native;
  enum err e = OK;
  for (size_t i = 0; !e && i < r->item_count; i++) {
    const struct embed_native *n = &d->native[i];
    if (!str_eq(n->dimensions, first->dimensions)) r->native_member = "requests.outputDimensionality";
    e = note(d, i, names[N_TASK_TYPE], n->task_type);
    if (!e) e = note(d, i, names[N_TITLE], n->title);
    for (size_t k = 0; !e && k < n->rest.n; k++) e = note(d, i, n->rest.v[k].key, n->rest.v[k].value);
  }
  if (r->item_count && !r->native_member) r->dimensions = first->dimensions;
  return e;
}

static enum err decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  struct request r;
  if (!yyjson_is_obj(root)) return gemini_names_bad_type("", NULL, "an object", info);
  yyjson_val *batch = gemini_names_get(root, "requests");
  size_t n = yyjson_is_arr(batch) ? yyjson_arr_size(batch) : 1;
  request_init(&r, EMBED_NAME, LLM_EMBED);
  r.model = envelope->model;
  struct embed d = {a, &r, ARENA_NEW_ARRAY(a, struct embed_native, n + 1), info};
  r.items = ARENA_NEW_ARRAY(a, struct request_item, n + 1);
  if (!d.native || !r.items) return ERR_NO_MEMORY;
  if (batch && n > EMBEDDING_VECTORS_MAX)
    return err_set_param(info, ERR_BAD_VALUE, "requests", "\"requests\" has more than %d elements",
                         EMBEDDING_VECTORS_MAX);
  enum err e = batch ? decode_batch(&d, batch) : decode_one(&d, root, "", UINT32_MAX);
  if (!e && batch) {
    static const struct str top[] = {STR("requests"), STR("maestro")};
    yyjson_val *found[2];
    e = gemini_names_split(a, root, top, 2, found, &r.rest, "", info);
  }
  if (!e && r.item_count == 0)
    e = err_set_param(info, ERR_BAD_VALUE, "requests", "\"requests\" must have at least one request");
  if (!e) e = gather(&d);
  r.native = d.native;
  if (!e) *out = r;
  return e;
}

static void put_content(const struct request_item *item, const struct embed_native *n, struct buf *out) {
  json_out_key(out, "content");
  json_out_begin(out, '{');
  if (n) json_out_member_string_if(out, "role", n->role);
  if (!n || item->form != CONTENT_ABSENT) {
    json_out_key(out, "parts");
    json_out_begin(out, '[');
    for (size_t i = 0; i < item->part_count; i++) {
      const struct request_part *p = &item->parts[i];
      if (n && p->kind == PART_OPAQUE) json_out_value(out, p->raw);
      if (p->kind != PART_TEXT) continue;
      json_out_begin(out, '{');
      json_out_member_string(out, "text", p->text);
      if (n) json_out_rest(out, &p->rest);
      json_out_end(out, '}');
    }
    json_out_end(out, ']');
  }
  if (n) json_out_rest(out, &item->rest);
  json_out_end(out, '}');
}

static enum err encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  const struct embed_native *own = str_eq(r->dialect, EMBED_NAME) ? r->native : NULL;
  bool is_named = str_has_prefix(target->model, STR("models/"));
  struct str model = is_named ? target->model : arena_printf(a, "models/%.*s", STR_ARG(target->model));
  (void)info;
  if (!model.p) return ERR_NO_MEMORY;
  json_out_begin(out, '{');
  json_out_key(out, "requests");
  json_out_begin(out, '[');
  for (size_t i = 0; i < r->item_count; i++) {
    const struct embed_native *n = own ? &own[i] : NULL;
    json_out_begin(out, '{');
    json_out_member_string(out, "model", model); /* the vendor requires it within a batch */
    put_content(&r->items[i], n, out);
    json_out_member_value_if(out, "taskType", n ? n->task_type : NULL);
    json_out_member_value_if(out, "title", n ? n->title : NULL);
    json_out_member_raw_if(out, "outputDimensionality", n ? n->dimensions : r->dimensions);
    if (n) json_out_rest(out, &n->rest);
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  if (own) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return out->failed ? ERR_NO_MEMORY : OK;
}

/* ---- replies ---- */

static void put_vector(struct buf *out, const struct embedding_vector *v) {
  json_out_begin(out, '{');
  json_out_key(out, "values");
  embedding_put_numbers(out, v);
  json_out_end(out, '}');
}

static void encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer, struct buf *out) {
  bool is_single = x->request && x->request->item_count == 1 && x->request->items[0].source == UINT32_MAX;
  json_out_begin(out, '{');
  if (is_single && answer->n) {
    json_out_key(out, "embedding");
    put_vector(out, &answer->v[0]);
  } else {
    json_out_key(out, "embeddings");
    json_out_begin(out, '[');
    for (size_t i = 0; i < answer->n; i++) put_vector(out, &answer->v[i]);
    json_out_end(out, ']');
  }
  if (usage_has(&answer->usage, USAGE_INPUT)) {
    json_out_key(out, "usageMetadata");
    json_out_begin(out, '{');
    json_out_member_i64(out, "promptTokenCount", usage_get(&answer->usage, USAGE_INPUT));
    json_out_end(out, '}');
  }
  json_out_end(out, '}');
}

static enum err read_vectors(const struct dialect_exchange *x, yyjson_val *root, struct embeddings *out,
                             struct err_info *info) {
  yyjson_val *list = yyjson_obj_get(root, "embeddings"), *single = yyjson_obj_get(root, "embedding"), *one;
  struct gemini_list vectors;
  size_t wanted = x->request ? x->request->item_count : 0;
  if (!gemini_list_begin(&vectors, list ? list : single)) return dialect_bad_reply(info, "it has no embeddings");
  if (!vectors.left || vectors.left > EMBEDDING_VECTORS_MAX || (x->request && vectors.left != wanted))
    return dialect_bad_reply(info, "it has not one vector for each input");
  out->v = ARENA_NEW_ARRAY(x->arena, struct embedding_vector, vectors.left);
  if (!out->v) return ERR_NO_MEMORY;
  while ((one = gemini_list_next(&vectors))) {
    yyjson_val *values = yyjson_is_obj(one) ? yyjson_obj_get(one, "values") : NULL;
    enum err e = embedding_read_numbers(x->arena, values, &out->v[out->n], info);
    if (e) return e;
    out->n++;
  }
  return OK;
}

static enum err decode_embeddings(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                  struct err_info *info) {
  struct json_pool pool = {0};
  struct embeddings found = {0};
  struct usage usage = {0};
  enum err e = OK;
  yyjson_val *root = json_pool_parse(&pool, body);
  if (!yyjson_is_obj(root)) {
    e = dialect_bad_reply(info, "it is not a JSON object");
  } else if (yyjson_obj_get(root, "error")) {
    found.error = arena_dup(x->arena, str_trim(body));
    if (!found.error.p) e = ERR_NO_MEMORY;
  } else {
    e = read_vectors(x, root, &found, info);
    gemini_reply_usage(yyjson_obj_get(root, "usageMetadata"), &usage);
    if (usage_has(&usage, USAGE_INPUT)) usage_set(&found.usage, USAGE_INPUT, usage_get(&usage, USAGE_INPUT));
  }
  json_pool_clear(&pool);
  if (!e) *out = found;
  return e;
}

const struct dialect dialect_gemini_embed = {
    .name = STR("gemini_embed"),
    .words = {.list = "requests", .system = "content.parts", .content = "content.parts", .tools = "tools"},
    .caps = CAP_BIT(DIMENSIONS),
    .framing = FRAMING_NONE,
    .content_type_stream = STR("application/json"),
    .request_table = request_table,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_request = encode_request,
    .encode_embeddings = encode_embeddings,
    .decode_embeddings = decode_embeddings,
    .put_error = gemini_error_put,
    .put_stream_error = gemini_error_put_stream,
    .put_model = gemini_error_put_model,
    .put_model_list = gemini_error_put_model_list,
};
