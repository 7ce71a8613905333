/* OpenAI embeddings: see openai_embeddings.h. Each input is an item with one text part; an input that was one string
 * stands beside the list. Inputs that are tokens are opaque: no other API takes OpenAI's. A relayed reply is looked at
 * by an envelope scan, since its tree would be many times its bytes. */
#include "dialect/openai_embeddings.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/envelope_once.h"
#include "base/json_out.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_envelope.h"
#include "dialect/openai_member.h"

#define NAME STR("openai_embeddings")

enum reply_row { REPLY_MODEL, REPLY_DATA, REPLY_ERROR, REPLY_USAGE, REPLY_PROMPT, REPLY_TOTAL, REPLY_ROWS };
static const struct str reply_paths[REPLY_ROWS] = {
    [REPLY_MODEL] = STR("model"),
    [REPLY_DATA] = STR("data"),
    [REPLY_ERROR] = STR("error"),
    [REPLY_USAGE] = STR("usage"),
    [REPLY_PROMPT] = STR("usage.prompt_tokens"),
    [REPLY_TOTAL] = STR("usage.total_tokens"),
};

static const struct str request_paths[] = OPENAI_ENVELOPE_PATHS("input");
static struct envelope_once table = {.paths = request_paths, .n = OPENAI_ENVELOPE_ROWS};
static struct envelope_once reply_table = {.paths = reply_paths, .n = REPLY_ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  struct dialect_request r;
  enum err e = openai_envelope_read(a, body, scan, &r, info);
  if (e) return e;
  const struct envelope_value *input = envelope_scan_value(scan, OPENAI_ENVELOPE_CONTENT);
  if (!input || input->type == ENVELOPE_NULL) return err_set_param(info, ERR_MISSING, "input", "\"input\" is required");
  r.operation = LLM_EMBED;
  r.is_stream = false; /* there is no such thing here */
  r.max_tokens = -1;
  *out = r;
  return OK;
}

/* ---- relay ---- */

static void read_count(struct usage *u, struct str body, const struct envelope_value *v) {
  uint64_t n;
  if (v && str_to_u64(envelope_raw(body, v), &n) && n <= INT64_MAX) usage_set(u, USAGE_INPUT, (int64_t)n);
}

static enum err relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                            struct buf *out, struct err_info *info) {
  static const struct envelope_limits limits = {.keys_are_lenient = true};
  struct envelope_scan scan;
  size_t at = 0;
  *events = (struct events){0};
  if (envelope_scan_whole(&scan, envelope_once_table(&reply_table), &limits, NULL, body, NULL))
    return dialect_bad_reply(info, "it is not a JSON object");
  const struct envelope_value *model = envelope_scan_value(&scan, REPLY_MODEL),
                              *data = envelope_scan_value(&scan, REPLY_DATA),
                              *error = envelope_scan_value(&scan, REPLY_ERROR);
  if (error && (error->type == ENVELOPE_OBJECT || error->type == ENVELOPE_STRING) && !data) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (!data || data->type != ENVELOPE_ARRAY) return dialect_bad_reply(info, "it has no \"data\"");
  events_add(events, EVENT_START);
  events_add(events, EVENT_STOP);
  if (data->count) events_add(events, EVENT_DELTA);
  read_count(&events->usage, body, envelope_scan_value(&scan, REPLY_TOTAL));
  read_count(&events->usage, body, envelope_scan_value(&scan, REPLY_PROMPT));
  if (events->usage.known) events_add(events, EVENT_USAGE);
  if (edits->model.n && model && model->type == ENVELOPE_STRING) {
    buf_put(out, str_sub(body, 0, model->offset));
    buf_put_json(out, edits->model);
    at = (size_t)model->offset + model->length;
  }
  buf_put(out, str_sub(body, at, body.n));
  return out->failed ? ERR_NO_MEMORY : OK;
}

/* The receipt of embeddings is in the headers alone. */
static void put_receipt(struct buf *out, size_t from, struct str receipt) { (void)out, (void)from, (void)receipt; }

/* ---- requests ---- */

enum member { MODEL, INPUT, MAESTRO, DIMENSIONS, ENCODING_FORMAT, USER, MEMBERS };
static const struct str members[MEMBERS] = {
    [MODEL] = STR("model"),           [INPUT] = STR("input"), [MAESTRO] = STR("maestro"),
    [DIMENSIONS] = STR("dimensions"), [USER] = STR("user"),   [ENCODING_FORMAT] = STR("encoding_format"),
};
static const struct openai_field fields[] = {
    {DIMENSIONS, OPENAI_NUMBER, offsetof(struct request, dimensions)},
    {USER, OPENAI_STRING, offsetof(struct request, user)},
    {ENCODING_FORMAT, OPENAI_STRING, offsetof(struct request, encoding_format)}, /* of the answer: the caller's own */
};
enum { FIELDS = sizeof fields / sizeof *fields };

static enum err add_input(struct openai_reader *rd, const char *name, struct yyjson_val *v, uint32_t source,
                          struct request *r) {
  struct request_part *p = ARENA_NEW(rd->arena, struct request_part);
  bool is_tokens = yyjson_is_arr(v) && yyjson_is_raw(yyjson_arr_get_first(v));
  if (!p) return ERR_NO_MEMORY;
  if (!yyjson_is_str(v) && !is_tokens)
    return openai_member_wrong_type(rd, NULL, name, "a string or an array of tokens");
  p->kind = is_tokens ? PART_OPAQUE : PART_TEXT;
  p->source = UINT32_MAX;
  p->text = json_pool_text(v);
  p->raw = is_tokens ? v : NULL;
  r->items[r->item_count++] =
      (struct request_item){.role = ROLE_USER, .source = source, .form = CONTENT_STRING, .parts = p, .part_count = 1};
  return OK;
}

static enum err read_input(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  size_t n = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1;
  bool is_one = yyjson_is_str(v) || yyjson_is_raw(yyjson_arr_get_first(v));
  yyjson_val *one;
  if (!v) return openai_member_missing(rd, NULL, "input");
  if (!yyjson_is_str(v) && !yyjson_is_arr(v))
    return openai_member_wrong_type(rd, NULL, "input", "a string or an array of strings");
  if (n == 0 || (!is_one && n > EMBEDDING_VECTORS_MAX))
    return openai_member_wrong_value(rd, NULL, "input", "must have 1 to 4096 elements");
  r->items = ARENA_NEW_ARRAY(rd->arena, struct request_item, is_one ? 1 : n);
  if (!r->items) return ERR_NO_MEMORY;
  if (is_one) return add_input(rd, "input", v, UINT32_MAX, r);
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  for (uint32_t i = 0; (one = yyjson_arr_iter_next(&it)); i++) {
    char name[32];
    snprintf(name, sizeof name, "input[%u]", i);
    enum err e = add_input(rd, name, one, i, r);
    if (e) return e;
  }
  return OK;
}

static enum err decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  struct openai_reader rd = {a, info};
  struct request r;
  struct yyjson_val *found[MEMBERS];
  request_init(&r, NAME, LLM_EMBED);
  enum err e = openai_member_split(&rd, NULL, root, members, MEMBERS, found, &r.rest);
  if (!e) e = openai_member_read_fields(&rd, members, found, fields, FIELDS, &r);
  if (!e && r.encoding_format.p && !str_eq(r.encoding_format, STR("float")) &&
      !str_eq(r.encoding_format, STR("base64")))
    e = openai_member_wrong_value(&rd, NULL, "encoding_format", "must be \"float\" or \"base64\"");
  if (!e) e = read_input(&rd, found[INPUT], &r);
  if (e) return e;
  r.model = envelope->model;
  *out = r;
  return OK;
}

static void put_input(struct buf *out, const struct request_item *item) {
  struct buf text;
  if (item->part_count == 1 && item->parts[0].kind == PART_OPAQUE) {
    json_out_value(out, item->parts[0].raw);
    return;
  }
  buf_init(&text, 0);
  for (size_t i = 0; i < item->part_count; i++)
    if (item->parts[i].kind == PART_TEXT) buf_put(&text, item->parts[i].text);
  json_out_string(out, buf_str(&text));
  if (text.failed) out->failed = true;
  buf_clear(&text);
}

static enum err encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  bool is_own = str_eq(r->dialect, NAME), is_plain = r->item_count == 1 && r->items[0].source == UINT32_MAX;
  (void)a;
  if (r->operation != LLM_EMBED)
    return err_set_param(info, ERR_UNSUPPORTED, "model", "the model that was asked for makes embeddings only");
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  json_out_key(out, "input");
  if (!is_plain) json_out_begin(out, '[');
  for (size_t i = 0; i < r->item_count; i++) put_input(out, &r->items[i]);
  if (!is_plain) json_out_end(out, ']');
  openai_member_put_fields(out, members, fields, is_own ? FIELDS : FIELDS - 1, r);
  if (is_own) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return out->failed ? ERR_NO_MEMORY : OK;
}

/* ---- answers ---- */

static enum err read_vectors(const struct dialect_exchange *x, struct yyjson_val *data, struct embeddings *out,
                             struct err_info *info) {
  static const char *const wrong = "it has not one vector for each input";
  size_t n = yyjson_arr_size(data);
  yyjson_val *one;
  if (!n || n > EMBEDDING_VECTORS_MAX || (x->request && n != x->request->item_count))
    return dialect_bad_reply(info, wrong);
  out->v = ARENA_NEW_ARRAY(x->arena, struct embedding_vector, n);
  if (!out->v) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(data);
  for (size_t i = 0; (one = yyjson_arr_iter_next(&it)); i++) {
    yyjson_val *vector = yyjson_obj_get(one, "embedding");
    int64_t index = json_pool_count(yyjson_obj_get(one, "index"));
    size_t at = index < 0 ? i : (size_t)index;
    if (at >= n || out->v[at].numbers.n || out->v[at].base64.n) return dialect_bad_reply(info, wrong);
    enum err e = yyjson_is_str(vector) ? embedding_read_base64(x->arena, json_pool_text(vector), &out->v[at], info)
                                       : embedding_read_numbers(x->arena, vector, &out->v[at], info);
    if (e) return e;
  }
  out->n = n;
  return OK;
}

static enum err decode_embeddings(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                  struct err_info *info) {
  struct embeddings found = {0};
  enum err e = OK;
  /* Not by a pool: the numbers of a large answer are more than it takes. Its depth is of no matter, for nothing here
   * goes deeper than three levels. */
  yyjson_doc *doc = yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_val *root = yyjson_doc_get_root(doc), *usage = yyjson_obj_get(root, "usage");
  struct str model = json_pool_str(root, "model"), id = json_pool_str(root, "id");
  if (!yyjson_is_obj(root)) {
    e = dialect_bad_reply(info, "it is not a JSON object");
  } else if (openai_member_is_error(root, "data")) {
    found.error = arena_dup(x->arena, body);
    if (!found.error.p) e = ERR_NO_MEMORY;
  } else {
    e = read_vectors(x, yyjson_obj_get(root, "data"), &found, info);
    usage_set(&found.usage, USAGE_INPUT, json_pool_count(yyjson_obj_get(usage, "total_tokens")));
    usage_set(&found.usage, USAGE_INPUT, json_pool_count(yyjson_obj_get(usage, "prompt_tokens")));
    if (!e && model.n && !(found.model = arena_dup(x->arena, model)).p) e = ERR_NO_MEMORY;
    if (!e && id.n && !(found.id = arena_dup(x->arena, id)).p) e = ERR_NO_MEMORY;
  }
  yyjson_doc_free(doc);
  if (!e) *out = found;
  return e;
}

static void encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer, struct buf *out) {
  bool is_base64 = x->request && str_eq(x->request->encoding_format, STR("base64"));
  json_out_begin(out, '{');
  json_out_member_string(out, "object", STR("list"));
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (size_t i = 0; i < answer->n; i++) {
    json_out_begin(out, '{');
    json_out_member_string(out, "object", STR("embedding"));
    json_out_member_i64(out, "index", (int64_t)i);
    json_out_key(out, "embedding");
    if (is_base64) {
      buf_put_char(out, '"');
      embedding_put_base64(out, &answer->v[i]);
      buf_put_char(out, '"');
    } else {
      embedding_put_numbers(out, &answer->v[i]);
    }
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  json_out_member_string(out, "model", x->model);
  if (usage_has(&answer->usage, USAGE_INPUT)) {
    json_out_key(out, "usage");
    json_out_begin(out, '{');
    json_out_member_i64(out, "prompt_tokens", usage_get(&answer->usage, USAGE_INPUT));
    json_out_member_i64(out, "total_tokens", usage_get(&answer->usage, USAGE_INPUT));
    json_out_end(out, '}');
  }
  json_out_end(out, '}');
}

const struct dialect dialect_openai_embeddings = {
    .name = NAME,
    .words = {.list = "input", .system = "input", .content = "", .tools = "tools"},
    .caps = CAP_BIT(DIMENSIONS) | CAP_BIT(USER),
    .framing = FRAMING_NONE,
    .request_table = request_table,
    .read_request = read_request,
    .edit_request = openai_envelope_edit,
    .relay_reply = relay_reply,
    .put_receipt = put_receipt,
    .decode_request = decode_request,
    .encode_embeddings = encode_embeddings,
    .encode_request = encode_request,
    .decode_embeddings = decode_embeddings,
    .put_error = openai_chat_put_error,
    .put_stream_error = openai_chat_put_stream_error,
    .put_model = openai_chat_put_model,
    .put_model_list = openai_chat_put_model_list,
};
