/* OpenAI completions, requests both ways: see openai_completions.h. The prompt is one user item. Several prompts, or
 * prompts that are tokens, are known to this dialect alone. Replies are read as chat's are (a choice has `text` in
 * place of a message), and relayed by the same code. */
#include "dialect/openai_completions.h"

#include <yyjson.h>

#include "base/envelope_once.h"
#include "base/json_out.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_read.h"
#include "dialect/openai_envelope.h"
#include "dialect/openai_member.h"

#define NAME STR("openai_completions")

static const struct str request_paths[] = OPENAI_ENVELOPE_PATHS("prompt");
static struct envelope_once table = {.paths = request_paths, .n = OPENAI_ENVELOPE_ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  enum err e = openai_envelope_read(a, body, scan, out, info);
  if (!e) out->operation = LLM_COMPLETE;
  return e;
}

static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  struct dialect_request_edits own = *want;
  own.is_vendor = false; /* the vendor's own word for the limit has stayed max_tokens here */
  return openai_envelope_edit(a, &own, edit, info);
}

/* ---- members ---- */

enum member {
  MODEL,
  PROMPT,
  MAESTRO,
  STREAM,
  STREAM_OPTIONS,
  STOP,
  LOGPROBS,
  MAX_TOKENS,
  TEMPERATURE,
  TOP_P,
  FREQUENCY_PENALTY,
  PRESENCE_PENALTY,
  SEED,
  N,
  LOGIT_BIAS,
  USER,
  SUFFIX,
  ECHO_PROMPT,
  BEST_OF,
  MEMBERS
};

static const struct str members[MEMBERS] = {
    [MODEL] = STR("model"),
    [PROMPT] = STR("prompt"),
    [MAESTRO] = STR("maestro"),
    [STREAM] = STR("stream"),
    [STREAM_OPTIONS] = STR("stream_options"),
    [STOP] = STR("stop"),
    [LOGPROBS] = STR("logprobs"),
    [MAX_TOKENS] = STR("max_tokens"),
    [TEMPERATURE] = STR("temperature"),
    [TOP_P] = STR("top_p"),
    [FREQUENCY_PENALTY] = STR("frequency_penalty"),
    [PRESENCE_PENALTY] = STR("presence_penalty"),
    [SEED] = STR("seed"),
    [N] = STR("n"),
    [LOGIT_BIAS] = STR("logit_bias"),
    [USER] = STR("user"),
    [SUFFIX] = STR("suffix"),
    [ECHO_PROMPT] = STR("echo"),
    [BEST_OF] = STR("best_of"),
};

static const struct openai_field fields[] = {
    {MAX_TOKENS, OPENAI_NUMBER, offsetof(struct request, max_tokens)},
    {TEMPERATURE, OPENAI_NUMBER, offsetof(struct request, temperature)},
    {TOP_P, OPENAI_NUMBER, offsetof(struct request, top_p)},
    {FREQUENCY_PENALTY, OPENAI_NUMBER, offsetof(struct request, frequency_penalty)},
    {PRESENCE_PENALTY, OPENAI_NUMBER, offsetof(struct request, presence_penalty)},
    {SEED, OPENAI_NUMBER, offsetof(struct request, seed)},
    {N, OPENAI_NUMBER, offsetof(struct request, choices)},
    {LOGPROBS, OPENAI_NUMBER, offsetof(struct request, top_logprobs)}, /* so many alternatives of each token */
    {LOGIT_BIAS, OPENAI_OBJECT, offsetof(struct request, logit_bias)},
    {USER, OPENAI_STRING, offsetof(struct request, user)},
    {SUFFIX, OPENAI_STRING, offsetof(struct request, suffix)},
    {ECHO_PROMPT, OPENAI_BOOL, offsetof(struct request, echo)},
    {BEST_OF, OPENAI_NUMBER, offsetof(struct request, best_of)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

struct native {
  struct yyjson_val *found[MEMBERS];
};

/* ---- decoding ---- */

static enum err read_prompt(struct openai_reader *rd, struct yyjson_val *v, struct request *r) {
  struct request_item *item = ARENA_NEW(rd->arena, struct request_item);
  struct request_part *part = ARENA_NEW(rd->arena, struct request_part);
  bool is_list = yyjson_is_arr(v);
  yyjson_val *only = is_list ? yyjson_arr_get_first(v) : v;
  if (!item || !part) return ERR_NO_MEMORY;
  if (!v) return openai_member_missing(rd, NULL, "prompt");
  if (!yyjson_is_str(v) && !is_list)
    return openai_member_wrong_type(rd, NULL, "prompt", "a string or an array of strings");
  if (is_list && !yyjson_arr_size(v)) return openai_member_wrong_value(rd, NULL, "prompt", "must not be empty");
  *part = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(only)};
  if (is_list && (yyjson_arr_size(v) > 1 || !yyjson_is_str(only))) r->native_member = "prompt";
  *item = (struct request_item){.role = ROLE_USER, .source = is_list ? 0 : UINT32_MAX, .form = CONTENT_STRING};
  item->parts = part;
  item->part_count = 1;
  r->items = item;
  r->item_count = 1;
  return OK;
}

static enum err decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  struct openai_reader rd = {a, info};
  struct request r;
  struct native *native = ARENA_NEW(a, struct native);
  if (!native) return ERR_NO_MEMORY;
  request_init(&r, NAME, LLM_COMPLETE);
  enum err e = openai_member_split(&rd, NULL, root, members, MEMBERS, native->found, &r.rest);
  if (!e) e = openai_member_read_fields(&rd, members, native->found, fields, FIELDS, &r);
  if (!e) e = openai_member_read_stream_options(&rd, native->found[STREAM_OPTIONS], &r);
  if (!e) e = openai_member_read_stop(&rd, native->found[STOP], &r);
  if (!e) e = read_prompt(&rd, native->found[PROMPT], &r);
  if (e) return e;
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.has_stream = native->found[STREAM] != NULL;
  r.native = native;
  r.max_tokens_is_legacy = true;
  if (r.top_logprobs.n) r.logprobs = 1;
  *out = r;
  return OK;
}

/* ---- encoding ---- */

/* The text of a foreign request; there are no turns and no instructions here. */
static enum err put_foreign_prompt(const struct request *r, struct buf *out, struct err_info *info) {
  struct buf text;
  const struct request_item *item = r->item_count ? &r->items[0] : NULL;
  bool is_good = r->item_count == 1 && item->role == ROLE_USER;
  buf_init(&text, 0);
  for (size_t i = 0; is_good && i < item->part_count; i++) {
    is_good = item->parts[i].kind == PART_TEXT;
    if (i) buf_put_char(&text, '\n');
    if (is_good) buf_put(&text, item->parts[i].text);
  }
  enum err e = text.failed ? ERR_NO_MEMORY : OK;
  if (!is_good)
    e = dialect_refuse(r, NULL, NULL, info,
                       "the model that was asked for goes on with one text; it takes no conversation");
  if (!e) json_out_member_string(out, "prompt", buf_str(&text));
  buf_clear(&text);
  return e;
}

static enum err encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  const struct native *own = str_eq(r->dialect, NAME) ? r->native : NULL;
  enum err e = OK;
  (void)a;
  if (r->operation != LLM_COMPLETE && r->operation != LLM_GENERATE)
    return err_set_param(info, ERR_UNSUPPORTED, "model",
                         "the model that was asked for writes text, and does that only");
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  if (own)
    json_out_member_value_if(out, "prompt", own->found[PROMPT]);
  else
    e = put_foreign_prompt(r, out, info);
  openai_member_put_fields(out, members, fields, FIELDS, r);
  openai_member_put_stop(out, r);
  openai_member_put_stream(out, r, target->ask_usage, own && r->has_stream, own ? own->found[STREAM_OPTIONS] : NULL);
  if (own) json_out_rest(out, &r->rest);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}

/* LOGPROBS is not among them: those of this API have another shape, which is written for callers, not read. */
#define CAPS                                                                                                        \
  (CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) | CAP_BIT(FREQUENCY_PENALTY) | CAP_BIT(PRESENCE_PENALTY) | CAP_BIT(SEED) | \
   CAP_BIT(STOP) | CAP_BIT(CHOICES) | CAP_BIT(LOGIT_BIAS) | CAP_BIT(USER) | CAP_BIT(SUFFIX) | CAP_BIT(ECHO) |       \
   CAP_BIT(BEST_OF))

const struct dialect dialect_openai_completions = {
    .name = NAME,
    .words = {.list = "prompt", .system = "prompt", .content = "", .tools = "tools"},
    .caps = CAPS,
    .framing = FRAMING_SSE,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR(": keep-alive\n\n"),
    .request_table = request_table,
    .read_request = read_request,
    .edit_request = edit_request,
    .relay_reply = openai_chat_relay_reply,
    .relay_frame = openai_chat_relay_frame,
    .put_receipt = openai_chat_put_receipt,
    .decode_request = decode_request,
    .encode_reply = openai_completions_encode_reply,
    .encoder_bytes = OPENAI_COMPLETIONS_ENCODER_BYTES,
    .encode_event = openai_completions_encode_event,
    .encode_request = encode_request,
    .decode_reply = openai_chat_read_reply,
    .decoder_bytes = OPENAI_CHAT_READ_BYTES,
    .decode_frame = openai_chat_read_frame,
    .decode_end = openai_chat_read_end,
    .put_error = openai_chat_put_error,
    .put_stream_error = openai_chat_put_stream_error,
    .put_model = openai_chat_put_model,
    .put_model_list = openai_chat_put_model_list,
};
