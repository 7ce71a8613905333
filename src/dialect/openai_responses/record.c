/* What is stored of a finished response, and the answers to requests for it: see expand.h. */
#include <yyjson.h>

#include "base/envelope_once.h"
#include "base/envelope_scan.h"
#include "base/json_out.h"
#include "base/json_pool.h"
#include "dialect/openai_responses/expand.h"
#include "io/frame_sse.h"

enum { PAGE_MAX = 100, PAGE_DEFAULT = 20 };

/* ---- the record ---- */

struct recorder {
  struct arena *arena;
  struct openai_responses_record *record;
  struct buf list;
  struct err_info *info;
};

/* Remembers that the element at list.p + from has this id; slices are taken when the list is whole. */
struct mark {
  struct str id;
  size_t from, to;
};

static const char *prefix_of(struct str type) {
  static const struct {
    struct str type;
    const char *prefix;
  } rows[] = {{STR("function_call"), "fc_"},
              {STR("function_call_output"), "fco_"},
              {STR("custom_tool_call"), "ctc_"},
              {STR("custom_tool_call_output"), "ctco_"},
              {STR("reasoning"), "rs_"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (str_eq(type, rows[i].type)) return rows[i].prefix;
  return "msg_";
}

/* A message's content, which may have been written as a string, as the API shows it. */
static void put_content(struct buf *out, struct yyjson_val *item, struct yyjson_val *content) {
  bool is_assistant = str_eq(json_pool_str(item, "role"), STR("assistant"));
  json_out_key(out, "content");
  json_out_begin(out, '[');
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_assistant ? STR("output_text") : STR("input_text"));
  json_out_key(out, "text");
  json_split_put(out, content);
  json_out_end(out, '}');
  json_out_end(out, ']');
}

static struct str put_element(struct recorder *r, struct yyjson_val *item, size_t index) {
  struct str id = json_pool_str(item, "id"), response = r->record->id;
  if (!id.n) {
    if (str_has_prefix(response, STR("resp_"))) response = str_sub(response, 5, response.n);
    id = arena_printf(r->arena, "%s%.*s_in%zu", prefix_of(json_pool_str(item, "type")), STR_ARG(response), index);
    if (!id.p) return id;
  } else {
    id = arena_dup(r->arena, id);
  }
  json_out_begin(&r->list, '{');
  json_out_member_string(&r->list, "id", id);
  if (!yyjson_obj_get(item, "type")) json_out_member_string(&r->list, "type", STR("message"));
  yyjson_obj_iter it = yyjson_obj_iter_with(item);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    struct str name = str_from(yyjson_get_str(key), yyjson_get_len(key));
    struct yyjson_val *value = yyjson_obj_iter_get_val(key);
    if (str_eq(name, STR("id"))) continue;
    if (str_eq(name, STR("content")) && yyjson_is_str(value)) {
      put_content(&r->list, item, value);
      continue;
    }
    json_out_key_str(&r->list, name);
    json_split_put(&r->list, value);
  }
  json_out_end(&r->list, '}');
  return id;
}

/* Copies a list with ids for all; its items are added to the record. */
static enum err put_list(struct recorder *r, struct yyjson_val *list, struct str *out) {
  size_t n = yyjson_arr_size(list), i, max, marked = 0;
  yyjson_val *item;
  struct mark *marks = ARENA_NEW_ARRAY(r->arena, struct mark, n ? n : 1);
  if (!marks) return ERR_NO_MEMORY;
  buf_reset(&r->list);
  json_out_begin(&r->list, '[');
  yyjson_arr_foreach(list, i, max, item) {
    if (!yyjson_is_obj(item)) continue;
    size_t from = r->list.n;
    struct str id = put_element(r, item, i);
    if (!id.p || r->list.failed) return ERR_NO_MEMORY;
    if (r->list.p[from] == ',') from++;
    marks[marked++] = (struct mark){id, from, r->list.n};
  }
  json_out_end(&r->list, ']');
  *out = r->list.failed ? STR_NONE : arena_dup(r->arena, buf_str(&r->list));
  if (!out->p) return ERR_NO_MEMORY;
  for (i = 0; i < marked; i++)
    r->record->items[r->record->item_count++] =
        (struct openai_responses_record_item){marks[i].id, str_sub(*out, marks[i].from, marks[i].to)};
  return OK;
}

/* A string as the one message that it stands for. */
static enum err put_text(struct recorder *r, struct yyjson_val *text, struct str *out) {
  struct buf json;
  buf_init(&json, 0);
  buf_put(&json, STR("[{\"type\":\"message\",\"role\":\"user\",\"content\":"));
  json_split_put(&json, text);
  buf_put(&json, STR("}]"));
  yyjson_doc *doc = json.failed ? NULL : yyjson_read(json.p, json.n, YYJSON_READ_NUMBER_AS_RAW);
  enum err e = doc ? put_list(r, yyjson_doc_get_root(doc), out) : ERR_NO_MEMORY;
  yyjson_doc_free(doc);
  buf_clear(&json);
  return e;
}

static enum err record(struct recorder *r, struct yyjson_val *request, struct yyjson_val *response) {
  struct openai_responses_record *out = r->record;
  struct yyjson_val *input = yyjson_obj_get(request, "input"), *output = yyjson_obj_get(response, "output");
  if (!yyjson_is_obj(request) || !yyjson_is_arr(output) || !json_pool_str(response, "id").n)
    return err_set(r->info, ERR_BAD_VALUE, "this is no response that could be stored");
  out->id = arena_dup(r->arena, json_pool_str(response, "id"));
  out->items = ARENA_NEW_ARRAY(r->arena, struct openai_responses_record_item,
                               yyjson_arr_size(input) + yyjson_arr_size(output) + 1);
  if (!out->id.p || !out->items) return ERR_NO_MEMORY;
  enum err e = yyjson_is_str(input) ? put_text(r, input, &out->input) : put_list(r, input, &out->input);
  return e ? e : put_list(r, output, &out->output);
}

enum err openai_responses_record(struct str body, struct str response, struct arena *a,
                                 struct openai_responses_record *out, struct err_info *info) {
  struct openai_responses_record made = {0};
  struct recorder r = {.arena = a, .record = &made, .info = info};
  yyjson_doc *request = yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_doc *reply = yyjson_read(response.p, response.n, YYJSON_READ_NUMBER_AS_RAW);
  buf_init(&r.list, 0);
  enum err e = record(&r, yyjson_doc_get_root(request), yyjson_doc_get_root(reply));
  if (!e) made.response = arena_dup(a, response);
  if (!e && !made.response.p) e = ERR_NO_MEMORY;
  buf_clear(&r.list);
  yyjson_doc_free(request);
  yyjson_doc_free(reply);
  if (!e) *out = made;
  return e;
}

/* ---- the end of a stream ---- */

enum final_row { TYPE, RESPONSE, FINAL_ROWS };
static const struct str final_paths[FINAL_ROWS] = {[TYPE] = STR("type"), [RESPONSE] = STR("response")};
static struct envelope_once table = {.paths = final_paths, .n = FINAL_ROWS};

static bool response_within(struct str data, struct str *response) {
  static const struct envelope_limits limits = {.keys_are_lenient = true};
  struct envelope_scan scan;
  if (envelope_scan_whole(&scan, envelope_once_table(&table), &limits, NULL, data, NULL)) return false;
  const struct envelope_value *type = envelope_scan_value(&scan, TYPE), *v = envelope_scan_value(&scan, RESPONSE);
  if (!type || !v || v->type != ENVELOPE_OBJECT) return false;
  struct str word = envelope_raw(data, type);
  if (!str_eq(word, STR("\"response.completed\"")) && !str_eq(word, STR("\"response.incomplete\""))) return false;
  *response = envelope_raw(data, v);
  return true;
}

bool openai_responses_final(struct str frames, struct str *response) {
  struct frame_sse reader;
  struct frame frame;
  enum err e;
  bool is_found = false;
  frame_sse_init(&reader, 0);
  frame_sse_feed(&reader, frames);
  while (!is_found && frame_sse_next(&reader, &frame, &e))
    if (frame.has_data && frame.data_offset != SIZE_MAX) {
      size_t at = (size_t)(frame.raw.p - frames.p) + frame.data_offset;
      is_found = response_within(str_sub(frames, at, at + frame.data.n), response);
    }
  frame_sse_clear(&reader);
  return is_found;
}

/* ---- answers ---- */

void openai_responses_put_deleted(struct buf *out, struct str id) {
  json_out_begin(out, '{');
  json_out_member_string(out, "id", id);
  json_out_member_string(out, "object", STR("response"));
  json_out_member_bool(out, "deleted", true);
  json_out_end(out, '}');
}

static enum err read_page(const struct openai_responses_page *page, size_t *limit, bool *is_ascending,
                          struct err_info *info) {
  uint64_t n = PAGE_DEFAULT;
  if (page->limit.n && (!str_to_u64(page->limit, &n) || n < 1 || n > PAGE_MAX))
    return err_set_param(info, ERR_BAD_VALUE, "limit", "\"limit\" must be a number from 1 to %d", PAGE_MAX);
  *is_ascending = str_eq(page->order, STR("asc"));
  if (page->order.n && !*is_ascending && !str_eq(page->order, STR("desc")))
    return err_set_param(info, ERR_BAD_VALUE, "order", "\"order\" must be asc or desc");
  *limit = (size_t)n;
  return OK;
}

/* The position of the item with that id in the order of the list; SIZE_MAX: none. */
static size_t position(struct yyjson_val *list, struct str id) {
  size_t i, max;
  yyjson_val *item;
  yyjson_arr_foreach(list, i, max, item) {
    if (str_eq(json_pool_str(item, "id"), id)) return i;
  }
  return SIZE_MAX;
}

enum err openai_responses_put_input_items(struct buf *out, struct str input, const struct openai_responses_page *page,
                                          struct err_info *info) {
  size_t limit = 0, first = 0, n, shown = 0;
  bool is_ascending = false;
  struct str first_id = STR_NONE, last_id = STR_NONE;
  enum err e = read_page(page, &limit, &is_ascending, info);
  if (e) return e;
  yyjson_doc *doc = yyjson_read(input.p, input.n, YYJSON_READ_NUMBER_AS_RAW);
  struct yyjson_val *list = yyjson_doc_get_root(doc);
  n = yyjson_arr_size(list);
  if (page->after.n) {
    size_t at = position(list, page->after);
    if (at == SIZE_MAX) {
      e = openai_responses_not_found(page->after, "after", info);
      goto out;
    }
    first = is_ascending ? at + 1 : n - at;
  }
  json_out_begin(out, '{');
  json_out_member_string(out, "object", STR("list"));
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (; shown < limit && first + shown < n; shown++) {
    size_t at = is_ascending ? first + shown : n - 1 - first - shown;
    struct yyjson_val *item = yyjson_arr_get(list, at);
    last_id = json_pool_str(item, "id");
    if (!shown) first_id = last_id;
    json_out_value(out, item);
  }
  json_out_end(out, ']');
  if (shown) {
    json_out_member_string(out, "first_id", first_id);
    json_out_member_string(out, "last_id", last_id);
  } else {
    json_out_member_raw_if(out, "first_id", STR("null"));
    json_out_member_raw_if(out, "last_id", STR("null"));
  }
  json_out_member_bool(out, "has_more", first + shown < n);
  json_out_end(out, '}');
  e = out->failed ? ERR_NO_MEMORY : OK;
out:
  yyjson_doc_free(doc);
  return e;
}
