/* Whole responses for this dialect's callers, and the response object that stream events carry as well. Called through
 * the dialect's table and by stream_encode.c. What the caller asked for is told again, as the API does. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_responses/output.h"

/* A member behind another one, ready to be written: most of an object that says again what nobody asked for. */
#define MEMBER(key, json) STR(",\"" key "\":" json)

/* ---- how it ended ---- */

/* The word for incomplete_details; NULL: the response is complete. */
static const char *incomplete_reason(const struct answer *answer) {
  const struct answer_stop *stop = &answer->stops[0];
  if (!stop->is_set) return NULL;
  switch (stop->reason) {
    case STOP_LENGTH:
    case STOP_CONTEXT: return "max_output_tokens";
    case STOP_FILTER: return "content_filter";
    case STOP_MALFORMED: return "malformed_tool_call";
    case STOP_REFUSAL: break;
    default: return NULL;
  }
  for (size_t i = 0; i < answer->part_count; i++)
    if (answer->parts[i].kind == PART_REFUSAL) return NULL; /* said in words; a text was broken off (Anthropic) */
  return "content_filter";
}

const char *openai_responses_final_status(const struct answer *answer) {
  return incomplete_reason(answer) ? "incomplete" : "completed";
}

/* ---- usage ---- */

static void put_detail(struct buf *out, const struct usage *u, enum usage_class class, const char *key) {
  if (usage_has(u, class)) json_out_member_i64(out, key, usage_get(u, class));
}

/* Clients take the three sums for granted, so without both of them there is none; what is unknown is left out. Codex
 * takes no details without the cached tokens, so they stand or fall with them. */
static void put_usage(struct buf *out, const struct answer *answer) {
  const struct usage *u = &answer->usage;
  if (!answer->has_usage || !usage_has(u, USAGE_INPUT) || !usage_has(u, USAGE_OUTPUT)) {
    buf_put(out, MEMBER("usage", "null"));
    return;
  }
  json_out_key(out, "usage");
  json_out_begin(out, '{');
  json_out_member_i64(out, "input_tokens", usage_get(u, USAGE_INPUT));
  if (usage_has(u, USAGE_CACHE_READ)) {
    json_out_key(out, "input_tokens_details");
    json_out_begin(out, '{');
    put_detail(out, u, USAGE_CACHE_READ, "cached_tokens");
    put_detail(out, u, USAGE_CACHE_WRITE, "cache_write_tokens");
    json_out_end(out, '}');
  }
  json_out_member_i64(out, "output_tokens", usage_get(u, USAGE_OUTPUT));
  if (usage_has(u, USAGE_REASONING)) {
    json_out_key(out, "output_tokens_details");
    json_out_begin(out, '{');
    put_detail(out, u, USAGE_REASONING, "reasoning_tokens");
    json_out_end(out, '}');
  }
  json_out_member_i64(out, "total_tokens", usage_get(u, USAGE_INPUT) + usage_get(u, USAGE_OUTPUT));
  json_out_end(out, '}');
}

/* ---- what was asked ---- */

static void put_number(struct buf *out, const char *key, struct str digits, struct str otherwise) {
  if (digits.n)
    json_out_member_raw_if(out, key, digits);
  else
    buf_put(out, otherwise);
}

static void put_instructions(struct buf *out, const struct request *r) {
  const struct request_item *first = r && r->item_count ? &r->items[0] : NULL;
  bool has_text = first && first->source == UINT32_MAX && first->form == CONTENT_STRING && first->part_count;
  if (has_text)
    json_out_member_string(out, "instructions", first->parts[0].text);
  else
    buf_put(out, MEMBER("instructions", "null"));
}

static void put_asked(struct buf *out, const struct request *r) {
  size_t from;
  put_instructions(out, r);
  put_number(out, "max_output_tokens", r ? r->max_tokens : STR_NONE, MEMBER("max_output_tokens", "null"));
  json_out_member_bool(out, "parallel_tool_calls", !r || r->parallel_tool_calls != 0);
  json_out_member_bool(out, "store", !r || r->store != 0);
  put_number(out, "temperature", r ? r->temperature : STR_NONE, MEMBER("temperature", "1.0"));
  put_number(out, "top_p", r ? r->top_p : STR_NONE, MEMBER("top_p", "1.0"));
  buf_put(out, MEMBER("truncation", "\"disabled\""));
  from = out->n;
  if (r) openai_responses_put_reasoning(out, r);
  if (out->n == from) buf_put(out, MEMBER("reasoning", "{\"effort\":null,\"summary\":null}"));
  from = out->n;
  if (r) openai_responses_put_text(out, r);
  if (out->n == from) buf_put(out, MEMBER("text", "{\"format\":{\"type\":\"text\"}}"));
  from = out->n;
  if (r) openai_responses_put_tool_choice(out, r);
  if (out->n == from) buf_put(out, MEMBER("tool_choice", "\"auto\""));
  from = out->n;
  if (r && r->tool_count) openai_responses_put_tools(out, r);
  if (out->n == from) buf_put(out, MEMBER("tools", "[]"));
  if (r && r->metadata)
    json_out_member_value_if(out, "metadata", r->metadata);
  else
    buf_put(out, MEMBER("metadata", "{}"));
  if (r && r->service_tier.n) json_out_member_string(out, "service_tier", r->service_tier);
  if (r && r->user.n) json_out_member_string(out, "user", r->user);
}

static void put_previous(struct buf *out, const struct request *r) {
  const struct openai_responses_native *native = openai_responses_native_of(r);
  if (native && native->previous_id.n)
    json_out_member_string(out, "previous_response_id", native->previous_id);
  else
    buf_put(out, MEMBER("previous_response_id", "null"));
}

/* ---- the object ---- */

static struct str reply_id(const struct openai_responses_output *o) {
  if (str_has_prefix(o->answer->id, STR("resp_")) && dialect_is_id(o->answer->id)) return o->answer->id;
  const struct str parts[] = {STR("resp_"), o->x->reply_id};
  return arena_join(o->x->arena, parts, 2);
}

static void put_output(struct buf *out, const struct openai_responses_output *o, const char *status) {
  bool is_cut = !str_eq(str_from_c(status), STR("completed"));
  json_out_key(out, "output");
  json_out_begin(out, '[');
  for (size_t i = 0; i < o->item_count; i++)
    openai_responses_put_item(out, o, i, is_cut && i + 1 == o->item_count ? "incomplete" : "completed");
  json_out_end(out, ']');
}

void openai_responses_put_response(struct buf *out, const struct openai_responses_output *o, const char *status,
                                   enum err error, const struct err_info *info) {
  const struct answer *a = o->answer;
  bool is_begun = str_eq(str_from_c(status), STR("in_progress"));
  const char *reason = is_begun || error ? NULL : incomplete_reason(a);
  json_out_begin(out, '{');
  json_out_member_string(out, "id", reply_id(o));
  buf_put(out, MEMBER("object", "\"response\""));
  json_out_member_i64(out, "created_at", a->created_s ? a->created_s : o->x->created_s);
  json_out_member_string(out, "status", str_from_c(status));
  buf_put(out, MEMBER("background", "false"));
  if (error) {
    json_out_key(out, "error");
    openai_responses_put_response_error(out, error, info);
  } else {
    buf_put(out, MEMBER("error", "null"));
  }
  if (reason) {
    json_out_key(out, "incomplete_details");
    json_out_begin(out, '{');
    json_out_member_string(out, "reason", str_from_c(reason));
    json_out_end(out, '}');
  } else {
    buf_put(out, MEMBER("incomplete_details", "null"));
  }
  json_out_member_string(out, "model", o->x->model);
  put_previous(out, o->x->request);
  put_asked(out, o->x->request);
  if (is_begun) {
    buf_put(out, MEMBER("output", "[],\"usage\":null"));
  } else {
    put_output(out, o, status);
    put_usage(out, a);
  }
  if (!is_begun && !error) dialect_put_receipt_member(o->x, out);
  json_out_end(out, '}');
}

void openai_responses_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  struct openai_responses_output o = {.x = x, .answer = answer};
  for (size_t i = 0; i < answer->part_count; i++)
    if (openai_responses_output_add(&o)) {
      out->failed = true;
      return;
    }
  openai_responses_put_response(out, &o, openai_responses_final_status(answer), OK, NULL);
}
