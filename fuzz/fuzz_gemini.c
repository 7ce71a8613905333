/* links: dialect */
/* Gemini over hostile bytes, both dialects: see dialect_fuzz.h. The first byte says what the rest is. */
#include "dialect/gemini/gemini.h"
#include "dialect_fuzz.h"

static void run_embeddings(struct str body) {
  struct fuzz_events *f = fuzz_events_new(LLM_EMBED, 0);
  struct request_item item = {.source = UINT32_MAX};
  struct embeddings answer = {0};
  struct err_info info = {0};
  f->request.items = &item;
  f->request.item_count = 1;
  enum err e = dialect_gemini_embed.decode_embeddings(&f->x, body, &answer, &info);
  check_info(e, &info);
  if (!e && !answer.error.n) {
    dialect_gemini_embed.encode_embeddings(&f->x, &answer, &f->out);
    check_is_json(buf_str(&f->out));
  }
  fuzz_events_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 4;
  switch (data[0] & 7) {
    case 0: fuzz_request(&dialect_gemini, LLM_GENERATE, rest); break;
    case 1: fuzz_reply(&dialect_gemini, LLM_GENERATE, rest, flags); break;
    case 2: fuzz_stream(&dialect_gemini, rest, flags); break;
    case 3: fuzz_request(&dialect_gemini, LLM_COUNT_TOKENS, rest); break;
    case 4: fuzz_request(&dialect_gemini_embed, LLM_EMBED, rest); break;
    case 5: run_embeddings(rest); break;
    case 6: fuzz_relay(&dialect_gemini, rest, flags); break;
    default: fuzz_reply(&dialect_gemini, LLM_COUNT_TOKENS, rest, flags); break;
  }
  return 0;
}
