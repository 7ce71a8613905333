/* links: dialect */
/* Ollama over hostile bytes: chat, generate and embeddings, as caller and as target, from and to every dialect. The
 * first byte says which. */
#include "dialect/ollama/ollama.h"
#include "translate.h"

static void run_embeddings(struct str body) {
  struct translate_rig *t = malloc(sizeof *t);
  struct embeddings found;
  struct err_info info = {0};
  check(t != NULL);
  translate_begin(t, NULL);
  t->request.item_count = 1 + (body.n & 1);
  enum err e = dialect_ollama_embed.decode_embeddings(&t->x, body, &found, &info);
  check_info(e, &info);
  check(e || found.error.n || found.n == t->request.item_count);
  if (!e && !found.error.n) {
    dialect_ollama_embed.encode_embeddings(&t->x, &found, &t->sink.out);
    check_json(buf_str(&t->sink.out));
  }
  translate_end(t);
  free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 3;
  switch (data[0] & 7) {
    case 0: translate_request(&dialect_ollama, rest); break;
    case 1: translate_request(&dialect_ollama_generate, rest); break;
    case 2: translate_request(flags & 1 ? &dialect_ollama_embed : &dialect_ollama_embeddings, rest); break;
    case 3: run_embeddings(rest); break;
    case 4: translate_reply(&dialect_ollama, rest); break;
    default: translate_stream(&dialect_ollama, rest, flags, 1u + (data[0] & 7u) % 5u);
  }
  return 0;
}
