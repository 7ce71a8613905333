/* OpenAI completions, answers for callers: whole and in chunks. Text and refusals are the text; for thinking and calls
 * there is no place. Finishing chunks wait for the end, because usage and the receipt go with them. Source: OpenAI API
 * reference, "The completion object" (read 2026-11). */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_write.h"
#include "dialect/openai_completions.h"
#include "dialect/openai_member.h"

static void put_head(const struct dialect_exchange *x, struct str id, int64_t created_s, struct buf *out) {
  json_out_begin(out, '{');
  json_out_member_string(out, "id", openai_chat_reply_id(x, "cmpl-", id));
  json_out_member_string(out, "object", STR("text_completion"));
  json_out_member_i64(out, "created", created_s ? created_s : x->created_s);
  json_out_member_string(out, "model", x->model);
  json_out_key(out, "choices");
  json_out_begin(out, '[');
}

static struct str finish_word(enum stop_reason reason) {
  return reason == STOP_TOOL_CALLS ? STR("stop") : openai_chat_finish_reason(reason, STR_NONE, false, false);
}

/* Chat's elements (token, logprob, top_logprobs), joined by commas, as this API's lists. */
static void put_logprobs(struct buf *out, struct str elements) {
  struct buf list;
  yyjson_val *one, *top;
  buf_init(&list, 0);
  buf_put_char(&list, '[');
  buf_put(&list, elements);
  buf_put_char(&list, ']');
  yyjson_doc *doc = list.failed ? NULL : yyjson_read(list.p, list.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_val *root = yyjson_doc_get_root(doc);
  static const char *const columns[][2] = {{"tokens", "token"}, {"token_logprobs", "logprob"}};
  json_out_begin(out, '{');
  for (int c = 0; c < 2; c++) {
    json_out_key(out, columns[c][0]);
    json_out_begin(out, '[');
    yyjson_arr_iter it = yyjson_arr_iter_with(root);
    while ((one = yyjson_arr_iter_next(&it))) json_out_value(out, yyjson_obj_get(one, columns[c][1]));
    json_out_end(out, ']');
  }
  json_out_key(out, "top_logprobs");
  json_out_begin(out, '[');
  yyjson_arr_iter it = yyjson_arr_iter_with(root);
  while ((one = yyjson_arr_iter_next(&it))) {
    json_out_begin(out, '{');
    yyjson_arr_iter tops = yyjson_arr_iter_with(yyjson_obj_get(one, "top_logprobs"));
    while ((top = yyjson_arr_iter_next(&tops))) {
      json_out_key_str(out, json_pool_str(top, "token"));
      yyjson_val *value = yyjson_obj_get(top, "logprob");
      if (value)
        json_split_put(out, value);
      else
        buf_put(out, STR("null"));
    }
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  json_out_end(out, '}');
  yyjson_doc_free(doc);
  buf_clear(&list);
}

static void put_choice(struct buf *out, uint32_t choice, struct str text, struct str logprobs, struct str finish) {
  json_out_begin(out, '{');
  json_out_member_string(out, "text", text);
  json_out_member_i64(out, "index", choice);
  json_out_key(out, "logprobs");
  if (logprobs.n)
    put_logprobs(out, logprobs);
  else
    buf_put(out, STR("null"));
  json_out_key(out, "finish_reason");
  if (finish.n)
    buf_put_json(out, finish);
  else
    buf_put(out, STR("null"));
  json_out_end(out, '}');
}

static bool is_text(enum part_kind kind) { return kind == PART_TEXT || kind == PART_REFUSAL; }

void openai_completions_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  put_head(x, answer->id, answer->created_s, out);
  for (uint32_t c = 0; c < answer->choice_count; c++) {
    struct buf text;
    buf_init(&text, 0);
    for (size_t i = 0; i < answer->part_count; i++)
      if (answer->parts[i].choice == c && is_text(answer->parts[i].kind))
        buf_put(&text, buf_str(&answer->parts[i].text));
    struct str logprobs = answer_logprobs(answer, c);
    put_choice(out, c, buf_str(&text), logprobs,
               finish_word(answer->stops[c].is_set ? answer->stops[c].reason : STOP_END));
    if (text.failed) out->failed = true;
    buf_clear(&text);
  }
  json_out_end(out, ']');
  if (answer->has_usage && answer->usage.known) {
    json_out_key(out, "usage");
    openai_member_put_usage(out, &answer->usage);
  }
  dialect_put_receipt_member(x, out);
  json_out_end(out, '}');
}

/* ---- the stream ---- */

struct writer {
  struct str head; /* `data: {"id":…,"choices":[` */
  struct openai_chat_choices seen;
  uint8_t reason[ANSWER_CHOICES_MAX];
  struct usage usage;
  bool is_ended;
};
_Static_assert(sizeof(struct writer) <= OPENAI_COMPLETIONS_ENCODER_BYTES, "the state fits");

static enum err start(struct writer *w, const struct dialect_exchange *x, const struct event *event) {
  struct buf head;
  bool is_start = event->kind == EVENT_START;
  buf_init(&head, 0);
  buf_put(&head, STR("data: "));
  put_head(x, is_start ? event->id : STR_NONE, is_start ? event->created_s : 0, &head);
  w->head = head.failed ? STR_NONE : arena_dup(x->arena, buf_str(&head));
  buf_clear(&head);
  return w->head.p ? OK : ERR_NO_MEMORY;
}

static void put_chunk(struct writer *w, const struct dialect_exchange *x, uint32_t choice, struct str text,
                      struct str logprobs, struct str finish, bool has_receipt, struct buf *out) {
  openai_chat_choices_add(&w->seen, choice);
  buf_put(out, w->head);
  put_choice(out, choice, text, logprobs, finish);
  buf_put_char(out, ']');
  if (x->wants_usage) buf_put(out, STR(",\"usage\":null"));
  if (has_receipt) dialect_put_receipt_member(x, out);
  buf_put(out, STR("}\n\n"));
}

static void end(struct writer *w, const struct dialect_exchange *x, struct buf *out) {
  uint32_t last = 0;
  if (w->is_ended) return;
  w->is_ended = true;
  for (uint32_t c = 0; c < ANSWER_CHOICES_MAX; c++)
    if (openai_chat_choices_has(&w->seen, c)) last = c;
  for (uint32_t c = 0; c <= last; c++)
    if (c == last || openai_chat_choices_has(&w->seen, c))
      put_chunk(w, x, c, STR(""), STR_NONE, finish_word((enum stop_reason)w->reason[c]), c == last && !x->wants_usage,
                out);
  openai_chat_put_end(x, w->head, &w->usage, out);
}

enum err openai_completions_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                         struct buf *out, struct err_info *info) {
  struct writer *w = state;
  enum err e = OK;
  if (event->choice >= ANSWER_CHOICES_MAX)
    return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the answer has too many choices");
  if (!w->head.p && (e = start(w, x, event))) return e;
  switch (event->kind) {
    case EVENT_DELTA:
      if (is_text(event->part_kind)) put_chunk(w, x, event->choice, event->bytes, STR_NONE, STR_NONE, false, out);
      break;
    case EVENT_ATTACH:
      if (event->attachment == ATTACH_LOGPROBS)
        put_chunk(w, x, event->choice, STR(""), event->raw, STR_NONE, false, out);
      break;
    case EVENT_USAGE: answer_merge_usage(&w->usage, event->usage); break;
    case EVENT_STOP:
      openai_chat_choices_add(&w->seen, event->choice);
      w->reason[event->choice] = (uint8_t)event->reason;
      break;
    case EVENT_END: end(w, x, out); break;
    default: break;
  }
  return out->failed ? ERR_NO_MEMORY : OK;
}
