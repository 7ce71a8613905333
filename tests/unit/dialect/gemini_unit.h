/* What the tests of the Gemini dialects share: a request from text to text, and JSON compared as values. Expectations
 * are the vendor's: Gemini API reference and guides, types of @google/genai 3.1 (read 2026-11). */
#ifndef MAESTRO_TESTS_GEMINI_UNIT_H
#define MAESTRO_TESTS_GEMINI_UNIT_H

#include "json_equal.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/gemini/gemini.h"

static inline void check_json_at(const char *file, int line, struct str got, const char *want) {
  if (json_is_equal(got, str_from_c(want))) return;
  fprintf(stderr, "%s:%d:\n got  %.*s\n want %s\n", file, line, STR_ARG(got), want);
  fail();
}
#define check_json(got, want) check_json_at(__FILE__, __LINE__, got, want)

struct coded {
  struct arena arena;
  yyjson_doc *doc;
  struct request request;
  struct err_info info;
  struct buf out;
};

static inline void coded_clear(struct coded *c) {
  buf_clear(&c->out);
  yyjson_doc_free(c->doc);
  arena_clear(&c->arena);
}

static inline enum err decode_with(struct coded *c, const char *dialect, enum llm_operation operation,
                                   const char *json) {
  const struct dialect *d = dialect_by_name(str_from_c(dialect));
  struct dialect_request envelope = {.operation = operation, .model = STR("asked"), .max_tokens = -1};
  memset(c, 0, sizeof *c);
  arena_init(&c->arena, 0);
  buf_init(&c->out, 0);
  c->doc = yyjson_read(json, strlen(json), YYJSON_READ_NUMBER_AS_RAW);
  assert_non_null(c->doc);
  return d->decode_request(&c->arena, yyjson_doc_get_root(c->doc), &envelope, &c->request, &c->info);
}

/* From one dialect's request to another's, capabilities checked. */
static inline enum err recode(struct coded *c, const char *from, const char *to, const char *model,
                              enum llm_operation operation, const char *json) {
  const struct dialect *source = dialect_by_name(str_from_c(from)), *d = dialect_by_name(str_from_c(to));
  struct dialect_target target = {.model = str_from_c(model), .max_tokens = -1};
  struct caps_dropped dropped;
  enum err e = decode_with(c, from, operation, json);
  if (e) return e;
  caps_dropped_init(&dropped);
  e = caps_check(&c->request, d->name, d->caps, &source->words, &dropped, &c->info);
  caps_dropped_clear(&dropped);
  if (!e && d != source) e = request_pair_calls(&c->arena, &c->request, NULL);
  return e ? e : d->encode_request(&c->request, &target, &c->arena, &c->out, &c->info);
}

static inline void check_recoded_at(const char *file, int line, const char *from, const char *to, const char *model,
                                    enum llm_operation operation, const char *json, const char *want) {
  struct coded c;
  enum err e = recode(&c, from, to, model, operation, json);
  if (e) {
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, c.info.text, c.info.param);
    fail();
  }
  check_json_at(file, line, buf_str(&c.out), want);
  coded_clear(&c);
}
#define check_recoded(from, to, model, json, want) \
  check_recoded_at(__FILE__, __LINE__, from, to, model, LLM_GENERATE, json, want)
/* The same dialect gives the same value. */
#define check_same(json) check_recoded("gemini", "gemini", "m", json, json)

#endif
