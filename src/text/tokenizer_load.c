/* Unpacks the vocabularies that the build put into the binary, each once, for the life of the process. What is packed
 * is ours, yet nothing in it is believed: a file that does not add up counts as absent. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zlib.h>

#include "text/tokenizer_internal.h"

/* A packed file: the size of what follows unpacked (32 bits, little-endian), then a zlib stream. Unpacked, a vocabulary
 * is two such numbers (tokens, bytes of text), the length of each token (a byte) and the text: the tokens' bytes one
 * after the other, in the order of their ranks. */
extern const char tokenizer_classes_start[], tokenizer_classes_end[];
extern const char tokenizer_o200k_start[], tokenizer_o200k_end[];
extern const char tokenizer_cl100k_start[], tokenizer_cl100k_end[];

enum { UNPACKED_MAX = 16 << 20, INDEX_ENTRIES = 0x1100, BLOCK = 256, HEAD = 8 };

static struct tokenizer_vocabulary vocabularies[TOKENIZER_ENCODINGS];
static _Atomic(const struct tokenizer_vocabulary *) loaded[TOKENIZER_ENCODINGS];
static atomic_bool is_tried[TOKENIZER_ENCODINGS];
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static uint32_t read_u32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned char *unpack(struct str packed, size_t *size) {
  if (packed.n < 4) return NULL;
  uLongf n = read_u32((const unsigned char *)packed.p), want = n;
  if (n == 0 || n > UNPACKED_MAX) return NULL;
  unsigned char *out = malloc(n);
  if (!out) return NULL;
  if (uncompress(out, &n, (const Bytef *)packed.p + 4, packed.n - 4) != Z_OK || n != want) {
    free(out);
    return NULL;
  }
  *size = n;
  return out;
}

static bool read_classes(struct tokenizer_vocabulary *v, struct str packed) {
  size_t size;
  if (!(v->unpacked_classes = unpack(packed, &size)) || size < INDEX_ENTRIES * 2) return false;
  size_t blocks = (size - INDEX_ENTRIES * 2) / BLOCK;
  v->classes.index = v->unpacked_classes;
  v->classes.blocks = v->unpacked_classes + INDEX_ENTRIES * 2;
  for (size_t i = 0; i < INDEX_ENTRIES; i++)
    if ((size_t)(v->classes.index[i * 2] | v->classes.index[i * 2 + 1] << 8) >= blocks) return false;
  return true;
}

static void add(struct tokenizer_vocabulary *v, size_t offset, size_t n) {
  uint64_t hash = tokenizer_hash(v->text + offset, n);
  size_t mask = ((size_t)1 << v->slot_bits) - 1, i = (size_t)(hash >> (64 - v->slot_bits));
  while (v->slots[i].rank != RANK_NONE) i = (i + 1) & mask;
  v->slots[i] = (struct tokenizer_slot){(uint32_t)hash, (tokenizer_rank)(offset << RANK_LENGTH_BITS | n)};
}

static bool read_tokens(struct tokenizer_vocabulary *v, struct str packed) {
  size_t size;
  if (!(v->unpacked = unpack(packed, &size)) || size < HEAD) return false;
  size_t tokens = read_u32(v->unpacked), bytes = read_u32(v->unpacked + 4);
  if (tokens == 0 || tokens > size || bytes > size || HEAD + tokens + bytes != size || bytes >= 1U << 24) return false;
  for (v->slot_bits = 8; (size_t)1 << v->slot_bits < tokens + tokens / 4;) v->slot_bits++;
  v->slots = malloc(sizeof *v->slots << v->slot_bits);
  if (!v->slots) return false;
  memset(v->slots, 0xff, sizeof *v->slots << v->slot_bits);
  const unsigned char *lengths = v->unpacked + HEAD;
  v->text = (const char *)lengths + tokens;
  size_t offset = 0;
  for (size_t i = 0; i < tokens; offset += lengths[i++]) {
    if (lengths[i] == 0 || lengths[i] > TOKEN_BYTES_MAX || offset + lengths[i] > bytes) return false;
    add(v, offset, lengths[i]);
  }
  return true;
}

static void unload(struct tokenizer_vocabulary *v) {
  free(v->slots);
  free(v->unpacked);
  free(v->unpacked_classes);
  *v = (struct tokenizer_vocabulary){0};
}

static void load(enum tokenizer_encoding encoding) {
  const struct str packed[TOKENIZER_ENCODINGS] = {
      [TOKENIZER_O200K] = {tokenizer_o200k_start, (size_t)(tokenizer_o200k_end - tokenizer_o200k_start)},
      [TOKENIZER_CL100K] = {tokenizer_cl100k_start, (size_t)(tokenizer_cl100k_end - tokenizer_cl100k_start)}};
  const struct str classes = {tokenizer_classes_start, (size_t)(tokenizer_classes_end - tokenizer_classes_start)};
  struct tokenizer_vocabulary *v = &vocabularies[encoding];
  if (read_classes(v, classes) && read_tokens(v, packed[encoding]))
    atomic_store_explicit(&loaded[encoding], v, memory_order_release);
  else
    unload(v);
  atomic_store_explicit(&is_tried[encoding], true, memory_order_release);
}

const struct tokenizer_vocabulary *tokenizer_vocabulary_get(enum tokenizer_encoding encoding) {
  if (!atomic_load_explicit(&is_tried[encoding], memory_order_acquire)) {
    pthread_mutex_lock(&loading);
    if (!atomic_load_explicit(&is_tried[encoding], memory_order_relaxed)) load(encoding);
    pthread_mutex_unlock(&loading);
  }
  return atomic_load_explicit(&loaded[encoding], memory_order_acquire);
}

bool tokenizer_is_ready(enum tokenizer_encoding encoding) {
  return atomic_load_explicit(&is_tried[encoding], memory_order_acquire) ||
         &tokenizer_classes_start[0] == &tokenizer_classes_end[0];
}
