/* Helpers over the canonical request: see request.h. */
#include "llm/request.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/json.h"

enum { ARGS_VALUES_MAX = 1 << 20 }; /* 16 bytes each while they are looked at */

void request_init(struct request *r, struct str dialect, enum llm_operation operation) {
  *r = (struct request){.dialect = dialect, .operation = operation};
  r->parallel_tool_calls = r->format_strict = r->logprobs = r->store = r->echo = -1;
  r->reasoning = (struct request_reasoning){.enabled = -1, .budget_tokens = -1, .visible = -1};
}

const char *request_member_word(const struct request_words *words, const char *word) {
  for (const struct request_word *w = words->members; w && w->word; w++)
    if (strcmp(w->word, word) == 0) return w->own;
  return word;
}

void request_path(const struct request_words *words, const struct request_item *item, const struct request_part *part,
                  const char *member, char out[ERR_PARAM_MAX]) {
  char head[48], middle[48] = "", index[16] = "";
  if (part && part->source == REQUEST_SOURCE_ITEM) part = NULL;
  bool is_beside = item->source == UINT32_MAX; /* of the member beside the list there is no list of contents */
  if (is_beside)
    snprintf(head, sizeof head, "%s", words->system);
  else
    snprintf(head, sizeof head, "%s[%u]", words->list, item->source);
  if (part && part->source != UINT32_MAX) snprintf(index, sizeof index, "[%u]", part->source);
  if (part && part->kind == PART_REASONING && words->reasoning)
    snprintf(middle, sizeof middle, ".%s", words->reasoning);
  else if (part && part->kind == PART_TOOL_CALL && words->calls)
    snprintf(middle, sizeof middle, ".%s%s", words->calls, index);
  else if (part && !is_beside && words->content[0])
    snprintf(middle, sizeof middle, ".%s%s", words->content, index);
  else if (part)
    snprintf(middle, sizeof middle, "%s", index);
  snprintf(out, ERR_PARAM_MAX, "%s%s%s%s", head, middle, member ? "." : "", member ? member : "");
}

/* Only its grammar and its type are asked for; yyjson's own tree is not kept. What is nested deeper than other JSON may
 * be is none, so that nobody who reads it on has to go deeper. */
bool request_is_json_object(struct str text) {
  text = str_trim(text);
  if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}') return false;
  if (!json_is_within(text, JSON_DEPTH_MAX, ARGS_VALUES_MAX)) return false;
  yyjson_doc *doc = yyjson_read(text.p, text.n, YYJSON_READ_NUMBER_AS_RAW);
  bool is_object = yyjson_is_obj(yyjson_doc_get_root(doc));
  yyjson_doc_free(doc);
  return is_object;
}

void request_put_args_object(struct buf *out, struct str text) {
  text = str_trim(text);
  if (text.n == 0) {
    buf_put(out, STR("{}"));
  } else if (request_is_json_object(text)) {
    buf_put(out, text);
  } else {
    buf_put(out, STR("{\"_invalid_json\":"));
    buf_put_json(out, text);
    buf_put_char(out, '}');
  }
}

void request_put_call_args(struct buf *out, const struct request_part *call) {
  if (call->tool_kind == TOOL_CUSTOM) {
    buf_put(out, STR("{\"input\":"));
    buf_put_json(out, call->text);
    buf_put_char(out, '}');
  } else if (call->is_args_valid) {
    buf_put(out, str_trim(call->text));
  } else {
    request_put_args_object(out, call->text);
  }
}

void request_media_from_url(struct str url, struct media *media) {
  struct str head, data;
  if (!str_has_prefix_nocase(url, STR("data:")) || !str_cut(url, ',', &head, &data) ||
      !str_has_suffix(head, STR(";base64")) || !data.n) {
    media->url = url;
    return;
  }
  struct str type = str_sub(head, sizeof "data:" - 1, head.n - (sizeof ";base64" - 1)), parameters;
  str_cut(type, ';', &media->mime, &parameters);
  media->data = data;
}

void request_put_media_url(struct buf *out, const struct media *media) {
  if (!media->data.n) {
    buf_put(out, media->url);
    return;
  }
  buf_put(out, STR("data:"));
  buf_put(out, media->mime.n ? media->mime : STR("application/octet-stream"));
  buf_put(out, STR(";base64,"));
  buf_put(out, media->data);
}

struct str request_image_mime(struct str base64) {
  static const struct {
    struct str begin, mime;
  } kinds[] = {
      {STR("iVBORw0KGgo"), STR("image/png")}, {STR("/9j/"), STR("image/jpeg")}, {STR("R0lGOD"), STR("image/gif")}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (str_has_prefix(base64, kinds[i].begin)) return kinds[i].mime;
  bool is_webp = str_has_prefix(base64, STR("UklGR")) && str_eq(str_sub(base64, 12, 16), STR("RUJQ")); /* RIFF … EBP */
  return is_webp ? STR("image/webp") : STR_NONE;
}
