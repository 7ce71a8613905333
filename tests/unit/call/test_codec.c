/* Which way a call takes: the whole decision as a table. */
#include "call/codec.h"

#include "unit.h"

static enum err decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  (void)a, (void)root, (void)envelope, (void)out, (void)info;
  return ERR_INTERNAL;
}
static enum err encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  (void)r, (void)target, (void)a, (void)out, (void)info;
  return ERR_INTERNAL;
}
static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  (void)a, (void)want, (void)edit, (void)info;
  return ERR_INTERNAL;
}

static void encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  (void)x, (void)answer, (void)out;
}
static enum err decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info) {
  (void)x, (void)body, (void)sink, (void)info;
  return ERR_INTERNAL;
}
static void encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer, struct buf *out) {
  (void)x, (void)answer, (void)out;
}
static enum err decode_embeddings(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                  struct err_info *info) {
  (void)x, (void)body, (void)out, (void)info;
  return ERR_INTERNAL;
}

#define RELAYS .edit_request = edit_request
#define CALLS .decode_request = decode_request, .encode_reply = encode_reply
#define IS_CALLED .encode_request = encode_request, .decode_reply = decode_reply
static const struct dialect chat = {RELAYS, CALLS, IS_CALLED}, messages = {RELAYS, CALLS, IS_CALLED},
                            only_target = {IS_CALLED}, only_caller = {CALLS}, only_relay = {RELAYS},
                            encodes = {CALLS, IS_CALLED}, half_caller = {.decode_request = decode_request},
                            half_target = {.encode_request = encode_request},
                            vectors = {.decode_request = decode_request, .encode_embeddings = encode_embeddings},
                            embeds = {.encode_request = encode_request, .decode_embeddings = decode_embeddings};

enum { NONE = -1 };

static const struct {
  const struct dialect *caller;
  struct dialect_request request;
  /* the provider's */
  enum llm_operation operations[4];
  const struct dialect *dialects[4];
  /* expected */
  int endpoint;
  enum codec_send send;
} rows[] = {
    /* one's own is relayed, wherever it stands */
    {&chat, {0}, {0}, {&chat}, 0, CODEC_RELAY},
    {&chat, {0}, {0}, {&messages, &chat}, 1, CODEC_RELAY},
    {&chat, {0}, {0}, {&messages, &only_target, &chat, &chat}, 2, CODEC_RELAY},
    /* else the first that it can be said in */
    {&chat, {0}, {0}, {&messages}, 0, CODEC_ENCODE},
    {&chat, {0}, {0}, {&only_caller, &only_target, &messages}, 1, CODEC_ENCODE},
    {&only_caller, {0}, {0}, {&only_caller, &chat}, 1, CODEC_ENCODE},
    /* dialects that this build does not have */
    {&chat, {0}, {0}, {NULL, &messages}, 1, CODEC_ENCODE},
    {&chat, {0}, {0}, {NULL, NULL, &chat}, 2, CODEC_RELAY},
    {&chat, {0}, {0}, {NULL}, NONE, 0},
    {&chat, {0}, {0}, {0}, NONE, 0},
    /* a relay that cannot say it: still one's own before another */
    {&chat, {.must_encode = true}, {0}, {&chat}, 0, CODEC_ENCODE},
    {&chat, {.is_array = true}, {0}, {&chat}, 0, CODEC_ENCODE},
    {&chat, {.must_encode = true}, {0}, {&messages, &chat, &chat}, 1, CODEC_ENCODE},
    {&chat, {.is_array = true}, {0}, {&messages, &only_target}, 0, CODEC_ENCODE},
    {&only_relay, {.must_encode = true}, {0}, {&only_relay, &chat}, NONE, 0},
    /* a dialect without a relay is encoded again */
    {&encodes, {0}, {0}, {&messages, &encodes}, 1, CODEC_ENCODE},
    {&only_relay, {0}, {0}, {&chat, &only_relay}, 1, CODEC_RELAY},
    {&only_relay, {0}, {0}, {&chat, &messages}, NONE, 0},
    {&chat, {0}, {0}, {&only_caller, &only_relay}, NONE, 0},
    /* only endpoints of the operation count */
    {&chat, {.operation = LLM_COMPLETE}, {LLM_GENERATE, LLM_COMPLETE}, {&chat, &messages}, 1, CODEC_ENCODE},
    {&vectors, {.operation = LLM_EMBED}, {LLM_GENERATE, LLM_EMBED}, {&embeds, &embeds}, 1, CODEC_ENCODE},
    {&vectors, {.operation = LLM_EMBED}, {LLM_EMBED}, {&chat}, NONE, 0},
    {&chat, {.operation = LLM_EMBED}, {LLM_EMBED}, {&embeds}, NONE, 0},
    {&vectors, {0}, {0}, {&chat}, NONE, 0},
    /* and only those whose answer can be told */
    {&half_caller, {0}, {0}, {&chat}, NONE, 0},
    {&chat, {0}, {0}, {&half_target, &messages}, 1, CODEC_ENCODE},
    {&chat, {.operation = LLM_EMBED}, {LLM_GENERATE, LLM_COMPLETE}, {&chat, &chat}, NONE, 0},
    {&chat,
     {.operation = LLM_COUNT_TOKENS},
     {0, LLM_COUNT_TOKENS, LLM_COUNT_TOKENS},
     {&chat, &messages, &chat},
     2,
     CODEC_RELAY},
};

TEST(the_table) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct provider_endpoint endpoints[5] = {0};
    const struct dialect *dialects[5] = {0};
    size_t n = 4;
    while (n && !rows[i].dialects[n - 1]) n--;
    for (size_t k = 0; k < n; k++) {
      endpoints[k] = (struct provider_endpoint){.operation = rows[i].operations[k], .dialect = STR("some")};
      dialects[k] = rows[i].dialects[k];
    }
    if (n == 0) endpoints[0].dialect = STR("missing");
    struct codec codec = {.endpoint = 77, .target = &only_caller};
    bool is_chosen = codec_choose(endpoints, dialects, rows[i].caller, &rows[i].request, &codec);
    if (is_chosen != (rows[i].endpoint != NONE)) print_error("row %zu\n", i);
    assert_int_equal(is_chosen, rows[i].endpoint != NONE);
    if (!is_chosen) {
      assert_int_equal(codec.endpoint, 77); /* untouched */
      continue;
    }
    if ((int)codec.endpoint != rows[i].endpoint || codec.request != rows[i].send) print_error("row %zu\n", i);
    assert_int_equal(codec.endpoint, rows[i].endpoint);
    assert_ptr_equal(codec.target, rows[i].dialects[rows[i].endpoint]);
    assert_int_equal(codec.request, rows[i].send);
    assert_int_equal(codec.answer, rows[i].send);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
