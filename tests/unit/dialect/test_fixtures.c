/* The captured requests of real clients (tests/fixtures/clients): decoded and encoded again in the same dialect each is
 * the same JSON value, down to the spelling of numbers; encoded for every other dialect it is accepted, or refused with
 * the path of a member. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/dialect.h"
#include "unit.h"

static const struct {
  const char *path; /* glob */
  const char *dialect;
} paths[] = {
    {"/v1/chat/completions*", "openai_chat"},
    {"/v1/responses*", "openai_responses"},
    {"/v1/completions*", "openai_completions"},
    {"/v1/embeddings", "openai_embeddings"},
    {"/v1/messages*", "anthropic"},
    {"/v1*/models/*:*enerateContent*", "gemini"},
    {"/v1*/models/*:countTokens", "gemini"},
    {"/v1*/models/*:*mbedContent*", "gemini_embed"},
    {"/api/chat", "ollama"},
    {"/api/generate", "ollama_generate"},
    {"/api/embed", "ollama_embed"},
    {"/model/*/converse*", "bedrock_converse"},
};

static const struct dialect *dialect_of(struct str path) {
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (str_glob(str_from_c(paths[i].path), path)) return dialect_by_name(str_from_c(paths[i].dialect));
  return NULL;
}

static yyjson_val *member(yyjson_val *v, const char *key) { return yyjson_obj_get(v, key); }

static struct dialect_request envelope_of(yyjson_val *body, struct str path) {
  struct dialect_request e = {.max_tokens = -1, .model = json_pool_str(body, "model")};
  struct str head, tail;
  e.is_stream = yyjson_is_true(member(body, "stream")) || str_find(path, STR(":stream")) != SIZE_MAX;
  e.is_array = str_has_suffix(path, STR(":streamGenerateContent"));
  if (str_find(path, STR("countTokens")) != SIZE_MAX || str_find(path, STR("count_tokens")) != SIZE_MAX)
    e.operation = LLM_COUNT_TOKENS;
  if (str_find(path, STR("mbed")) != SIZE_MAX) e.operation = LLM_EMBED;
  if (str_has_prefix(path, STR("/api/generate"))) e.operation = LLM_COMPLETE;
  if (!e.model.n && str_cut(path, ':', &head, &tail)) e.model = str_sub(head, str_rfind_char(head, '/') + 1, head.n);
  return e;
}

static void fail_with(const char *file, const char *what, struct str got, const struct err_info *info) {
  fprintf(stderr, "%s: %s: %s (%s)\n%.*s\n", file, what, info->text, info->param, STR_ARG(got));
  fail();
}

/* Into every other dialect; what comes out must be JSON. */
static void check_foreign(const char *file, const struct dialect *own, const struct request *r, struct arena *a) {
  static const struct dialect *const all[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const struct dialect *target = all[i];
    if (target == own || !target->encode_request) continue;
    struct caps_dropped dropped;
    struct err_info info = {0};
    struct buf out;
    caps_dropped_init(&dropped);
    buf_init(&out, 0);
    struct dialect_target t = {.model = STR("target-model"), .ask_usage = true, .max_tokens = 8192};
    enum err e = caps_check(r, target->name, target->caps, &own->words, &dropped, &info);
    if (!e) e = target->encode_request(r, &t, a, &out, &info);
    if (e && e != ERR_UNSUPPORTED) fail_with(file, "foreign encode failed", target->name, &info);
    if (e && !info.param[0]) fail_with(file, "refused without a path", target->name, &info);
    yyjson_doc *doc = e ? NULL : yyjson_read(out.p, out.n, YYJSON_READ_NUMBER_AS_RAW);
    if (!e && !doc) fail_with(file, "foreign encode is no JSON", buf_str(&out), &info);
    yyjson_doc_free(doc);
    buf_clear(&out);
    caps_dropped_clear(&dropped);
  }
}

static bool check_file(const char *file) {
  yyjson_doc *doc = yyjson_read_file(file, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
  assert_non_null(doc);
  yyjson_val *root = yyjson_doc_get_root(doc), *body = member(root, "body");
  struct str path = json_pool_str(root, "path");
  const struct dialect *d = yyjson_is_obj(body) ? dialect_of(path) : NULL;
  if (!d || !d->decode_request) {
    yyjson_doc_free(doc);
    return false;
  }
  struct arena a;
  struct request r;
  struct err_info info = {0};
  struct buf out;
  arena_init(&a, 0);
  buf_init(&out, 0);
  struct dialect_request envelope = envelope_of(body, path);
  enum err e = d->decode_request(&a, body, &envelope, &r, &info);
  if (e) fail_with(file, "decode failed", path, &info);
  struct dialect_target t = {.model = envelope.model, .max_tokens = -1};
  if (d->encode_request) {
    e = d->encode_request(&r, &t, &a, &out, &info);
    if (e) fail_with(file, "encode failed", path, &info);
    yyjson_doc *again = yyjson_read(out.p, out.n, YYJSON_READ_NUMBER_AS_RAW);
    if (!again || !yyjson_equals(yyjson_doc_get_root(again), body))
      fail_with(file, "not the same after decode and encode", buf_str(&out), &info);
    yyjson_doc_free(again);
  }
  check_foreign(file, d, &r, &a);
  buf_clear(&out);
  arena_clear(&a);
  yyjson_doc_free(doc);
  return true;
}

static void test_all(void **state) {
  (void)state;
  DIR *clients = opendir("tests/fixtures/clients");
  assert_non_null(clients);
  int checked = 0, skipped = 0;
  for (struct dirent *c; (c = readdir(clients));) {
    char folder[300], file[600];
    if (c->d_name[0] == '.') continue;
    snprintf(folder, sizeof folder, "tests/fixtures/clients/%s", c->d_name);
    DIR *d = opendir(folder);
    if (!d) continue;
    for (struct dirent *f; (f = readdir(d));) {
      if (!str_has_suffix(str_from_c(f->d_name), STR(".json"))) continue;
      snprintf(file, sizeof file, "%s/%s", folder, f->d_name);
      if (check_file(file))
        checked++;
      else
        skipped++;
    }
    closedir(d);
  }
  closedir(clients);
  printf("%d requests checked, %d without a body of a known dialect\n", checked, skipped);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
