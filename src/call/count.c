/* Counting a request: see count.h. */
#include "call/count.h"

#include <yyjson.h>

#include "base/buf.h"
#include "text/media_tokens.h"

/* What a family's prompt adds to the words: once, for each turn, and once where there are tools.
 * OpenAI: "How to count tokens with tiktoken" (cookbook; read 2026-11-28): 3 and the role for each message, 3 for the
 * answer's beginning. Anthropic: the examples of "Token counting" (14 for two short texts), "Tool use" for the prompt
 * that tools bring (346 tokens). Google: "Tokens" (a text alone counts as itself). Llama, Qwen, DeepSeek, Mistral:
 * their chat templates. */
static const struct frame {
  int16_t once, turn, tools, tool;
} frames[TOKEN_FAMILIES] = {
    [TOKEN_FAMILY_O200K] = {3, 4, 12, 7},    [TOKEN_FAMILY_CL100K] = {3, 4, 12, 10},
    [TOKEN_FAMILY_CLAUDE] = {3, 4, 346, 12}, [TOKEN_FAMILY_CLAUDE_NEW] = {3, 4, 346, 12},
    [TOKEN_FAMILY_GEMINI] = {0, 0, 0, 8},    [TOKEN_FAMILY_LLAMA] = {5, 5, 60, 12},
    [TOKEN_FAMILY_QWEN] = {3, 5, 120, 12},   [TOKEN_FAMILY_DEEPSEEK] = {2, 2, 60, 12},
    [TOKEN_FAMILY_MISTRAL] = {1, 3, 4, 12},  [TOKEN_FAMILY_UNKNOWN] = {3, 4, 40, 12},
};

struct count {
  struct token_count text;
  struct str model;
  const struct frame *frame;
  int64_t tokens; /* beside the text's and the media's */
  int64_t media;
};

static void add_text(struct count *c, struct str s) {
  if (s.n) token_count_add(&c->text, s);
}

static void add_json(struct count *c, struct yyjson_val *v) {
  struct buf text;
  if (!v) return;
  buf_init(&text, 0);
  json_split_put(&text, v);
  add_text(c, buf_str(&text));
  buf_clear(&text);
}

static void add_media(struct count *c, const struct request_part *p) {
  static const enum media_kind kinds[PART_KINDS] = {[PART_IMAGE] = MEDIA_IMAGE,
                                                    [PART_DOCUMENT] = MEDIA_DOCUMENT,
                                                    [PART_AUDIO] = MEDIA_AUDIO,
                                                    [PART_VIDEO] = MEDIA_VIDEO};
  const struct media *m = p->media;
  add_text(c, m->text);
  if (!m->text.n) c->media += media_tokens(c->model, kinds[p->kind], m->data, m->detail);
}

static void add_part(struct count *c, const struct request_part *p) {
  add_text(c, p->text);
  add_text(c, p->name);
  if (p->kind == PART_SERVER_TOOL || p->kind == PART_OPAQUE) add_json(c, p->raw);
  if (p->media) add_media(c, p);
}

/* ---- tools ---- */

enum { PROPERTIES = 3, PROPERTY = 3, ENUM = -3, ENUM_VALUE = 3, SCHEMA_DEPTH_MAX = 6 };

static struct str text_of(struct yyjson_val *object, const char *key) {
  struct yyjson_val *v = yyjson_obj_get(object, key);
  return yyjson_is_str(v) ? str_from(yyjson_get_str(v), yyjson_get_len(v)) : STR_NONE;
}

static void add_line(struct count *c, struct str name, struct str type, struct str description) {
  struct buf line;
  if (description.n && description.p[description.n - 1] == '.') description.n--;
  buf_init(&line, 0);
  buf_put(&line, name);
  if (type.n) buf_put_char(&line, ':');
  buf_put(&line, type);
  buf_put_char(&line, ':');
  buf_put(&line, description);
  add_text(c, buf_str(&line));
  buf_clear(&line);
}

/* OpenAI's tools as its cookbook counts them: a line for each property, "name:type:description", and what frames it.
 * Objects within objects are taken likewise, as deep as a person writes them; what is deeper as it stands. */
static void add_properties(struct count *c, struct yyjson_val *schema, unsigned depth) {
  struct yyjson_val *properties = yyjson_obj_get(schema, "properties"), *key, *value;
  size_t i, n;
  if (yyjson_obj_size(properties) == 0) return;
  if (depth == SCHEMA_DEPTH_MAX) {
    add_json(c, properties);
    return;
  }
  c->tokens += PROPERTIES;
  yyjson_obj_foreach(properties, i, n, key, value) {
    struct yyjson_val *list = yyjson_obj_get(value, "enum"), *one;
    size_t k, count;
    c->tokens += PROPERTY;
    add_line(c, str_from(yyjson_get_str(key), yyjson_get_len(key)), text_of(value, "type"),
             text_of(value, "description"));
    if (yyjson_is_arr(list)) c->tokens += ENUM;
    yyjson_arr_foreach(list, k, count, one) {
      c->tokens += ENUM_VALUE;
      if (yyjson_is_str(one)) add_text(c, str_from(yyjson_get_str(one), yyjson_get_len(one)));
    }
    add_properties(c, value, depth + 1);
    add_properties(c, yyjson_obj_get(value, "items"), depth + 1);
  }
}

static void add_tool(struct count *c, const struct request_tool *t) {
  c->tokens += c->frame->tool;
  if (t->kind == TOOL_FUNCTION && token_family_encoding(c->text.family) != TOKENIZER_ENCODINGS) {
    add_line(c, t->name, STR_NONE, t->description);
    add_properties(c, t->schema, 0);
    return;
  }
  add_text(c, t->name);
  add_text(c, t->description);
  add_json(c, t->kind == TOOL_HOSTED ? t->raw : t->kind == TOOL_CUSTOM ? t->format : t->schema);
}

struct count_result count_request(const struct request *r, struct str model) {
  struct count c = {.model = model};
  token_count_init(&c.text, token_family_of(model));
  c.frame = &frames[c.text.family];
  c.tokens = c.frame->once;
  for (size_t i = 0; i < r->item_count; i++) {
    c.tokens += c.frame->turn;
    add_text(&c, r->items[i].name);
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      add_part(&c, p);
      for (size_t m = 0; m < p->result_count; m++) add_part(&c, &p->results[m]);
    }
  }
  add_text(&c, r->suffix);
  if (r->tool_count) c.tokens += c.frame->tools;
  for (size_t i = 0; i < r->tool_count; i++) add_tool(&c, &r->tools[i]);
  add_json(&c, r->format_schema);
  int64_t tokens = c.tokens + c.media + token_count_tokens(&c.text);
  return (struct count_result){tokens > 0 ? tokens : 1, c.media};
}

bool count_is_ready(struct str model) { return token_count_is_ready(token_family_of(model)); }
