/* Memory with one end: see arena.h. Blocks double from 4 KiB to 64 KiB; a larger request gets a block of its own. */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 65536 };

struct arena_block {
  struct arena_block *next;
  size_t bytes; /* whole allocation, this header included */
};

struct arena_hook {
  struct arena_hook *next;
  void (*fn)(void *);
  void *arg;
};

static_assert(sizeof(struct arena_block) % ALIGN == 0, "data after the block header stays aligned");

void arena_init(struct arena *a, size_t limit_bytes) { *a = (struct arena){.limit_bytes = limit_bytes}; }

static void run_hooks(struct arena *a) {
  while (a->hooks) {
    struct arena_hook *hook = a->hooks;
    a->hooks = hook->next;
    hook->fn(hook->arg);
  }
}

/* Frees every block but `keep`. */
static void free_blocks(struct arena *a, const struct arena_block *keep) {
  for (struct arena_block *b = a->block, *next; b; b = next) {
    next = b->next;
    if (b == keep) continue;
    ASAN_UNPOISON_MEMORY_REGION(b, b->bytes);
    free(b);
  }
}

void arena_clear(struct arena *a) {
  run_hooks(a);
  free_blocks(a, NULL);
  arena_init(a, a->limit_bytes);
}

void arena_reset(struct arena *a) {
  run_hooks(a);
  struct arena_block *keep = a->block;
  while (keep && keep->bytes != BLOCK_MIN) keep = keep->next;
  free_blocks(a, keep);
  arena_init(a, a->limit_bytes);
  if (!keep) return;
  keep->next = NULL;
  a->block = keep;
  a->held_bytes = keep->bytes;
  a->at = (char *)(keep + 1);
  a->end = (char *)keep + keep->bytes;
  ASAN_POISON_MEMORY_REGION(a->at, (size_t)(a->end - a->at));
}

static bool grow(struct arena *a, size_t n) {
  size_t bytes = a->block ? a->block->bytes * 2 : BLOCK_MIN;
  if (bytes > BLOCK_MAX) bytes = BLOCK_MAX;
  if (n > SIZE_MAX - sizeof(struct arena_block)) return false;
  bool own = n + sizeof(struct arena_block) > bytes;
  if (own) bytes = n + sizeof(struct arena_block);
  if (a->limit_bytes && bytes > a->limit_bytes - (a->held_bytes < a->limit_bytes ? a->held_bytes : a->limit_bytes))
    return false;
  struct arena_block *b = malloc(bytes);
  if (!b) return false;
  b->bytes = bytes;
  b->next = a->block;
  a->block = b;
  a->held_bytes += bytes;
  a->at = (char *)(b + 1);
  a->end = (char *)b + bytes;
  ASAN_POISON_MEMORY_REGION(a->at, (size_t)(a->end - a->at));
  return true;
}

void *arena_alloc(struct arena *a, size_t n) {
  if (n > SIZE_MAX - ALIGN) return NULL;
  size_t rounded = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if (rounded > (size_t)(a->end - a->at) && !grow(a, rounded)) return NULL;
  void *p = a->at;
  a->at += rounded;
  ASAN_UNPOISON_MEMORY_REGION(p, n);
  return p;
}

void *arena_zalloc(struct arena *a, size_t n) {
  void *p = arena_alloc(a, n);
  return p ? memset(p, 0, n) : NULL;
}

struct str arena_dup(struct arena *a, struct str s) {
  char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
  if (!p) return STR_NONE;
  if (s.n) memcpy(p, s.p, s.n);
  p[s.n] = 0;
  return str_from(p, s.n);
}

struct str arena_printf(struct arena *a, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
  if (p) vsnprintf(p, (size_t)n + 1, format, again);
  va_end(again);
  return p ? str_from(p, (size_t)n) : STR_NONE;
}

bool arena_on_clear(struct arena *a, void (*fn)(void *), void *arg) {
  struct arena_hook *hook = arena_alloc(a, sizeof *hook);
  if (!hook) return false;
  *hook = (struct arena_hook){a->hooks, fn, arg};
  a->hooks = hook;
  return true;
}
