/* links: text */
/* Calls in text: the same pieces however the text is cut, text unchanged where there is no call, arguments that are one
 * JSON object, and a call of a known name only. First byte: the options; second: how it is cut. */
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "llm/request.h"
#include "text/tool_text.h"

static struct request_tool tools[6];
static struct request request;

struct seen {
  struct buf all, text;
  unsigned calls;
  enum text_piece_kind words;
};

static void check(bool ok) {
  if (!ok) abort();
}

static void set_up(void) {
  static const char schema[] =
      "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},\"b\":{\"type\":"
      "\"boolean\"},\"l\":{\"type\":\"array\"},\"o\":{\"type\":\"object\"},\"m\":{\"anyOf\":[{\"type\":\"string\"},"
      "{\"$ref\":\"#/$defs/x\"}]}},\"$defs\":{\"x\":{\"type\":[\"number\",\"null\"]}}}";
  static const char *const names[] = {"f", "g", "Read", "s_t", "mcp__x__y", "function"};
  if (request.tools) return;
  request_init(&request, STR("openai"), LLM_GENERATE);
  for (size_t i = 0; i < 6; i++) tools[i].name = str_from_c(names[i]);
  tools[1].schema = yyjson_doc_get_root(yyjson_read(schema, sizeof schema - 1, 0));
  request.tools = tools;
  request.tool_count = 6;
}

static enum err see(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct seen *s = arg;
  (void)info;
  check(piece->bytes.n > 0);
  if (piece->kind != TEXT_PIECE_CALL) {
    check(piece->kind == s->words);
    buf_put(&s->all, piece->bytes);
    buf_put(&s->text, piece->bytes);
    return OK;
  }
  yyjson_doc *doc = yyjson_read(piece->bytes.p, piece->bytes.n, YYJSON_READ_NUMBER_AS_RAW);
  check(yyjson_is_obj(yyjson_doc_get_root(doc)));
  yyjson_doc_free(doc);
  bool is_known = false;
  for (size_t i = 0; i < request.tool_count; i++) is_known |= str_eq(piece->name, tools[i].name);
  check(is_known);
  buf_printf(&s->all, "\x01%.*s\x02", STR_ARG(piece->name));
  buf_put(&s->all, piece->bytes);
  s->calls++;
  return OK;
}

static void run(struct str text, const struct tool_text_options *options, bool is_cut_off, uint32_t cut,
                struct seen *s) {
  struct tool_text t;
  const struct text_sink sink = {s, see};
  *s = (struct seen){.words = options->is_reasoning ? TEXT_PIECE_REASONING : TEXT_PIECE_TEXT};
  tool_text_init(&t, options);
  for (size_t at = 0, n; at < text.n; at += n) {
    n = cut ? 1 + (at * 2654435761u >> 8 ^ cut) % (cut & 15 ? cut & 15 : 16) : text.n;
    if (n > text.n - at) n = text.n - at;
    char *piece = malloc(n); /* of its own, and gone before the next */
    memcpy(piece, text.p + at, n);
    check(tool_text_feed(&t, str_from(piece, n), &sink, NULL) == OK);
    free(piece);
  }
  check((is_cut_off ? tool_text_cut(&t, &sink, NULL) : tool_text_end(&t, &sink, NULL)) == OK);
  check(tool_text_is_idle(&t) && t.calls == s->calls);
  tool_text_clear(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  set_up();
  struct str text = str_from((const char *)data + 2, size - 2);
  const struct tool_text_options options = {.request = &request,
                                            .is_reasoning = data[0] & 1,
                                            .holds_space = data[0] & 2,
                                            .block_max_bytes = data[0] & 4   ? 40
                                                               : data[0] & 8 ? 300
                                                                             : 0,
                                            .calls_max = data[0] & 16 ? 2 : 0};
  bool is_cut_off = data[0] & 32;
  struct seen whole, cut;
  run(text, &options, is_cut_off, 0, &whole);
  run(text, &options, is_cut_off, data[1] | 256u, &cut);
  check(str_eq(buf_str(&whole.all), buf_str(&cut.all)));
  check(whole.calls || str_eq(buf_str(&whole.text), text));
  check(!options.calls_max || whole.calls <= options.calls_max);
  buf_clear(&whole.all);
  buf_clear(&whole.text);
  buf_clear(&cut.all);
  buf_clear(&cut.text);
  return 0;
}
