/* What stands beside the content of Gemini's answers: finishReason, usageMetadata, citationMetadata, logprobsResult.
 * Called by gemini_answer.c, for whole answers and for a stream's last chunk. Citations and logprobs come as other
 * dialects' JSON and are read here, which happens once in an answer. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/citation.h"
#include "dialect/gemini/gemini_internal.h"

static const struct str own_words[] = {
    STR("STOP"),
    STR("MAX_TOKENS"),
    STR("SAFETY"),
    STR("RECITATION"),
    STR("LANGUAGE"),
    STR("OTHER"),
    STR("BLOCKLIST"),
    STR("PROHIBITED_CONTENT"),
    STR("SPII"),
    STR("IMAGE_SAFETY"),
    STR("MALFORMED_FUNCTION_CALL"),
    STR("UNEXPECTED_TOOL_CALL"),
    STR("NO_IMAGE"),
    STR("TOO_MANY_TOOL_CALLS"),
    STR("IMAGE_PROHIBITED_CONTENT"),
    STR("IMAGE_OTHER"),
    STR("IMAGE_RECITATION"),
};

struct str gemini_beside_finish_word(const struct answer_stop *s) {
  for (size_t i = 0; i < sizeof own_words / sizeof *own_words; i++)
    if (str_eq(own_words[i], s->native)) return s->native;
  switch (s->reason) {
    case STOP_LENGTH:
    case STOP_CONTEXT: return STR("MAX_TOKENS");
    case STOP_FILTER:
    case STOP_REFUSAL: return STR("SAFETY");
    case STOP_MALFORMED: return STR("MALFORMED_FUNCTION_CALL");
    case STOP_OTHER: return STR("OTHER");
    default: return STR("STOP");
  }
}

void gemini_beside_put_usage(struct buf *out, const struct usage *u) {
  int64_t input = usage_get(u, USAGE_INPUT), output = usage_get(u, USAGE_OUTPUT),
          thoughts = usage_get(u, USAGE_REASONING);
  if (!u->known) return;
  json_out_key(out, "usageMetadata");
  json_out_begin(out, '{');
  if (usage_has(u, USAGE_INPUT)) json_out_member_i64(out, "promptTokenCount", input);
  if (usage_has(u, USAGE_OUTPUT))
    json_out_member_i64(out, "candidatesTokenCount", output > thoughts ? output - thoughts : 0);
  if (usage_has(u, USAGE_INPUT) && usage_has(u, USAGE_OUTPUT))
    json_out_member_i64(out, "totalTokenCount", input + output);
  if (thoughts) json_out_member_i64(out, "thoughtsTokenCount", thoughts);
  if (usage_has(u, USAGE_CACHE_READ))
    json_out_member_i64(out, "cachedContentTokenCount", usage_get(u, USAGE_CACHE_READ));
  json_out_end(out, '}');
}

/* Any dialect's citation of an address. */
void gemini_beside_add_citation(struct buf *list, struct str raw) {
  yyjson_doc *doc = yyjson_read(raw.p, raw.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_val *root = yyjson_doc_get_root(doc);
  struct citation c;
  if (citation_read(root, &c)) {
    json_out_begin(list, '{');
    json_out_member_value_if(list, "startIndex", c.start);
    json_out_member_value_if(list, "endIndex", c.end);
    json_out_member_string(list, "uri", c.url);
    json_out_member_string_if(list, "title", c.title);
    json_out_member_string_if(list, "license", json_pool_str(root, "license"));
    json_out_end(list, '}');
  }
  yyjson_doc_free(doc);
}

/* `elements` of one or more citations, joined by commas. */
void gemini_beside_add_citations(struct buf *list, struct str elements) {
  struct buf array;
  size_t n;
  yyjson_val *one;
  buf_init(&array, 0);
  buf_put_char(&array, '[');
  buf_put(&array, elements);
  buf_put_char(&array, ']');
  yyjson_doc *doc = yyjson_read(array.p, array.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_doc_get_root(doc));
  while ((one = yyjson_arr_iter_next(&it))) {
    char *json = yyjson_val_write(one, 0, &n);
    if (json) gemini_beside_add_citation(list, str_from(json, n));
    free(json);
  }
  yyjson_doc_free(doc);
  buf_clear(&array);
}

void gemini_beside_put_metadata(struct buf *out, struct str elements) {
  if (!elements.n) return;
  json_out_key(out, "citationMetadata");
  json_out_begin(out, '{');
  json_out_key(out, "citationSources"); /* so the Gemini API; Vertex AI calls it `citations` */
  json_out_begin(out, '[');
  buf_put(out, elements);
  json_out_end(out, ']');
  json_out_end(out, '}');
}

static void put_token(struct buf *out, yyjson_val *v) {
  json_out_begin(out, '{');
  json_out_member_string(out, "token", json_pool_str(v, "token"));
  json_out_member_value_if(out, "logProbability", yyjson_obj_get(v, "logprob"));
  json_out_end(out, '}');
}

void gemini_beside_put_logprobs(struct buf *out, struct str elements) {
  struct buf array;
  yyjson_val *one, *other;
  if (!elements.n) return;
  buf_init(&array, 0);
  buf_put_char(&array, '[');
  buf_put(&array, elements);
  buf_put_char(&array, ']');
  yyjson_doc *doc = yyjson_read(array.p, array.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_val *root = yyjson_doc_get_root(doc);
  if (root) {
    json_out_key(out, "logprobsResult");
    json_out_begin(out, '{');
    json_out_key(out, "topCandidates");
    json_out_begin(out, '[');
    yyjson_arr_iter it = yyjson_arr_iter_with(root);
    while ((one = yyjson_arr_iter_next(&it))) {
      json_out_begin(out, '{');
      json_out_key(out, "candidates");
      json_out_begin(out, '[');
      yyjson_arr_iter top = yyjson_arr_iter_with(yyjson_obj_get(one, "top_logprobs"));
      while ((other = yyjson_arr_iter_next(&top))) put_token(out, other);
      json_out_end(out, ']');
      json_out_end(out, '}');
    }
    json_out_end(out, ']');
    json_out_key(out, "chosenCandidates");
    json_out_begin(out, '[');
    it = yyjson_arr_iter_with(root);
    while ((one = yyjson_arr_iter_next(&it))) put_token(out, one);
    json_out_end(out, ']');
    json_out_end(out, '}');
  }
  yyjson_doc_free(doc);
  buf_clear(&array);
}
