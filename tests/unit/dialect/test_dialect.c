/* What all dialects' envelopes say and can be told about the output: the limit in place of the caller's or where there
 * is none, by each vendor's word, and for how many answers it holds. */
#include "dialect/dialect.h"

#include "unit.h"

enum { VENDOR = 1 };

static const struct {
  const char *dialect, *body;
  int64_t read; /* the caller's own; -1: none */
  int64_t choices;
  int flags;
  const char *edited; /* with 77 */
} rows[] = {
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}]}", -1, 0, 0,
     "{\"max_tokens\":77,\"model\":\"m\",\"messages\":[{}]}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}]}", -1, 0, VENDOR,
     "{\"max_completion_tokens\":77,\"model\":\"m\",\"messages\":[{}]}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":5,\"n\":3}", 5, 3, VENDOR,
     "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":77,\"n\":3}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}],\"max_completion_tokens\":5}", 5, 0, 0,
     "{\"model\":\"m\",\"messages\":[{}],\"max_completion_tokens\":77}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":9,\"max_completion_tokens\":5}", 5, 0, 0,
     "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":77,\"max_completion_tokens\":77}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":null}", -1, 0, 0,
     "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":77}"},
    {"openai_chat", "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":-1}", -1, 0, 0,
     "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":77}"},
    {"openai_completions", "{\"model\":\"m\",\"prompt\":\"x\",\"n\":2,\"best_of\":4}", -1, 4, VENDOR,
     "{\"max_tokens\":77,\"model\":\"m\",\"prompt\":\"x\",\"n\":2,\"best_of\":4}"},
    {"openai_completions", "{\"model\":\"m\",\"prompt\":[ \"x\",\"y\",\"z\"],\"n\":2,\"max_tokens\":1}", 1, 6, 0,
     "{\"model\":\"m\",\"prompt\":[ \"x\",\"y\",\"z\"],\"n\":2,\"max_tokens\":77}"},
    {"openai_completions", "{\"model\":\"m\",\"prompt\":[1,2,3]}", -1, 0, 0,
     "{\"max_tokens\":77,\"model\":\"m\",\"prompt\":[1,2,3]}"},
    {"openai_completions", "{\"model\":\"m\",\"prompt\":[[1,2],[3]]}", -1, 2, 0,
     "{\"max_tokens\":77,\"model\":\"m\",\"prompt\":[[1,2],[3]]}"},
    {"openai_completions", "{\"model\":\"m\",\"prompt\":[\"x\",\"y\"],\"n\":9223372036854775807}", -1, INT64_MAX, 0,
     NULL},
    {"openai_responses", "{\"model\":\"m\",\"input\":\"x\"}", -1, 0, VENDOR,
     "{\"max_output_tokens\":77,\"model\":\"m\",\"input\":\"x\"}"},
    {"openai_responses", "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":4}", 4, 0, 0,
     "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":77}"},
    {"anthropic", "{\"model\":\"m\",\"max_tokens\":4,\"messages\":[{}]}", 4, 0, 0,
     "{\"model\":\"m\",\"max_tokens\":77,\"messages\":[{}]}"},
    {"gemini", "{\"contents\":[{}]}", -1, 0, 0, "{\"generationConfig\":{\"maxOutputTokens\":77},\"contents\":[{}]}"},
    {"gemini", "{\"contents\":[{}],\"generationConfig\":{\"topK\":1,\"candidateCount\":2}}", -1, 2, 0,
     "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":77,\"topK\":1,\"candidateCount\":2}}"},
    {"gemini", "{\"contents\":[{}],\"generation_config\":{\"candidate_count\":3}}", -1, 3, 0,
     "{\"contents\":[{}],\"generation_config\":{\"maxOutputTokens\":77,\"candidate_count\":3}}"},
    {"gemini", "{\"contents\":[{}],\"generation_config\":{\"max_output_tokens\":9}}", 9, 0, 0,
     "{\"contents\":[{}],\"generation_config\":{\"max_output_tokens\":77}}"},
    {"ollama", "{\"model\":\"m\",\"messages\":[]}", -1, 0, 0,
     "{\"options\":{\"num_predict\":77},\"model\":\"m\",\"messages\":[]}"},
    {"ollama", "{\"model\":\"m\",\"messages\":[],\"options\":{\"num_predict\":-2}}", -1, 0, 0,
     "{\"model\":\"m\",\"messages\":[],\"options\":{\"num_predict\":77}}"},
};

static void edit(const struct dialect *d, const struct envelope_scan *scan, struct arena *a, struct str body, int flags,
                 const char *expected) {
  const struct dialect_request_edits want = {.max_tokens = 77, .is_vendor = flags & VENDOR};
  struct err_info info = {0};
  struct envelope_edit edits;
  struct span_list *spans = arena_alloc(a, sizeof *spans);
  struct buf out;
  envelope_edit_init(&edits, scan);
  span_list_init(spans, body.n);
  assert_int_equal(d->edit_request(a, &want, &edits, &info), OK);
  assert_int_equal(envelope_edit_spans(&edits, a, spans, &info), OK);
  buf_init(&out, 0);
  span_apply(spans, body, &out);
  if (!str_eq(buf_str(&out), str_from_c(expected))) fail_msg("got:\n%.*s\nwant:\n%s", STR_ARG(buf_str(&out)), expected);
  buf_clear(&out);
}

TEST(limits_are_read_and_said) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct dialect *d = dialect_by_name(str_from_c(rows[i].dialect));
    struct str body = str_from_c(rows[i].body);
    struct dialect_request r = {.max_tokens = -1};
    struct err_info info = {0};
    struct envelope_scan scan;
    struct arena a;
    arena_init(&a, 0);
    assert_non_null(d);
    assert_int_equal(envelope_scan_whole(&scan, d->request_table(), NULL, &a, body, &info), OK);
    assert_int_equal(d->read_request(&a, body, &scan, &r, &info), OK);
    if (r.max_tokens != rows[i].read || r.choices != rows[i].choices)
      fail_msg("row %zu: limit %lld, answers %lld", i, (long long)r.max_tokens, (long long)r.choices);
    if (rows[i].edited) edit(d, &scan, &a, body, rows[i].flags, rows[i].edited);
    arena_clear(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(limits_are_read_and_said)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
