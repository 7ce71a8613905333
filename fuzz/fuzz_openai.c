/* links: dialect */
/* OpenAI chat, completions and embeddings over hostile bytes, as caller and as target, from and to every dialect. The
 * first byte says which. (Relaying chat is fuzz_openai_chat's.) */
#include "dialect/openai_chat.h"
#include "dialect/openai_completions.h"
#include "dialect/openai_embeddings.h"
#include "translate.h"

static void run_embeddings(struct str body) {
  struct translate_rig *t = malloc(sizeof *t);
  struct embeddings found;
  struct events events;
  struct err_info info = {0};
  const struct dialect *d = &dialect_openai_embeddings;
  static const struct dialect_reply_edits edits = {.model = STR("p/m")};
  check(t != NULL);
  translate_begin(t, NULL);
  t->request.item_count = 1 + (body.n & 1);
  if (body.n & 2) t->request.encoding_format = STR("base64");
  enum err e = d->decode_embeddings(&t->x, body, &found, &info);
  check_info(e, &info);
  check(e || found.error.n || found.n == t->request.item_count);
  if (!e && !found.error.n) {
    d->encode_embeddings(&t->x, &found, &t->sink.out);
    check_json(buf_str(&t->sink.out));
  }
  buf_reset(&t->sink.out);
  e = d->relay_reply(body, &edits, &events, &t->sink.out, &info);
  check_info(e, &info);
  translate_end(t);
  free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 3;
  switch (data[0] & 7) {
    case 0: translate_request(&dialect_openai_chat, rest); break;
    case 1: translate_request(&dialect_openai_completions, rest); break;
    case 2: translate_request(&dialect_openai_embeddings, rest); break;
    case 3: run_embeddings(rest); break;
    case 4: translate_reply(&dialect_openai_chat, rest); break;
    default: translate_stream(&dialect_openai_chat, rest, flags, 1u + (data[0] & 7u) % 5u);
  }
  return 0;
}
