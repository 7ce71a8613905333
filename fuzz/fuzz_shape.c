/* links: call */
/* Requests shaped for a model, over hostile bodies: what comes out is JSON that the dialect's envelope accepts, no tool
 * gets past its set, and shaping it again takes nothing more out. The first byte says which dialect and what is set. */
#include <stdint.h>
#include <stdlib.h>
#include <yyjson.h>

#include "call/shape.h"
#include "dialect/anthropic/anthropic.h"
#include "dialect/gemini/gemini.h"
#include "dialect/ollama/ollama.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses/openai_responses.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool is_true) {
  if (!is_true) abort();
}

/* Names in every place where a function's may stand, whichever of two is believed. */
static void check_tool(yyjson_val *tool) {
  static const char *const places[] = {"function", "custom"};
  size_t i, n;
  yyjson_val *key, *value;
  yyjson_val *type = yyjson_obj_get(tool, "type");
  for (size_t p = 0; p < 2; p++) {
    yyjson_val *inner = yyjson_obj_get(tool, places[p]);
    if (!inner) continue;
    yyjson_obj_foreach(inner, i, n, key, value) {
      if (yyjson_equals_str(key, "name")) check(yyjson_equals_str(value, "ok"));
    }
  }
  if (type && !yyjson_equals_str(type, "function") && !yyjson_equals_str(type, "custom")) return;
  yyjson_obj_foreach(tool, i, n, key, value) {
    if (yyjson_equals_str(key, "name") && yyjson_is_str(value)) check(yyjson_equals_str(value, "ok"));
  }
}

static void check_tools(struct str body) {
  yyjson_doc *doc = yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW);
  yyjson_val *tool;
  size_t i, n;
  check(doc);
  yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "tools"), i, n, tool) {
    if (yyjson_is_obj(tool)) check_tool(tool);
  }
  yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static const struct dialect *const dialects[] = {&dialect_openai_chat,     &dialect_anthropic,
                                                   &dialect_gemini,          &dialect_ollama,
                                                   &dialect_ollama_generate, &dialect_openai_responses};
  static const struct str names[] = {STR("ok")},
                          members[] = {STR("top_p"), STR("tool_choice"), STR("reasoning_effort")};
  static const struct names_list tools = {names, 1, true}, unsupported = {members, 3, true};
  static const struct names_prompt prompt = {.text = {"P\"\n", 3}};
  static struct envelope_scan scan;
  if (n < 1) return 0;
  const struct dialect *d = dialects[data[0] % 6];
  unsigned what = data[0] / 6;
  const struct names_prompt *prompts[] = {&prompt};
  const struct route_shape shape = {.tools = what & 1 ? &tools : NULL,
                                    .unsupported = what & 2 ? &unsupported : NULL,
                                    .prompts = prompts,
                                    .prompt_count = what & 4 ? 1 : 0};
  struct str body = str_from((const char *)data + 1, n - 1);
  struct arena a;
  struct buf out, again;
  struct caps_dropped dropped, more;
  struct err_info info = {0};
  struct shape_done done = {0}, done_again = {0};
  arena_init(&a, 64 << 20);
  buf_init(&out, 0);
  buf_init(&again, 0);
  caps_dropped_init(&dropped);
  caps_dropped_init(&more);
  if (!envelope_scan_whole(&scan, d->request_table(), NULL, &a, body, NULL) &&
      !shape_body(&shape, d, LLM_GENERATE, body, &a, &out, &done, &dropped, &info)) {
    struct str shaped = done.is_changed ? buf_str(&out) : body;
    check(envelope_scan_whole(&scan, d->request_table(), NULL, &a, shaped, NULL) == OK);
    if (what & 1) check_tools(shaped);
    enum err e = shape_body(&shape, d, LLM_GENERATE, shaped, &a, &again, &done_again, &more, &info);
    check(!e && more.names.n == 0);
  }
  caps_dropped_clear(&dropped);
  caps_dropped_clear(&more);
  buf_clear(&out);
  buf_clear(&again);
  arena_clear(&a);
  return 0;
}
