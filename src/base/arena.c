/* Memory with one end: see arena.h. Blocks double from 4 KiB to 64 KiB; a request of more than a quarter of the next
 * one gets a block of its own, so that blocks grow with what is small and no large one is made for the sake of one
 * request. */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* clang's way of saying it */
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && __has_include(<sanitizer/asan_interface.h>)
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

/* A new block of that many bytes, taken within the limit but not yet linked. */
static struct arena_block *take_block(struct arena *a, size_t bytes) {
  if (a->limit_bytes && (a->held_bytes > a->limit_bytes || bytes > a->limit_bytes - a->held_bytes)) return NULL;
  struct arena_block *b = malloc(bytes);
  if (!b) return NULL;
  b->bytes = bytes;
  a->held_bytes += bytes;
  ASAN_POISON_MEMORY_REGION(b + 1, bytes - sizeof *b);
  return b;
}

/* n (rounded) bytes that the newest block has no room for. */
static void *alloc_slowly(struct arena *a, size_t n) {
  size_t bytes = a->block ? a->block->bytes * 2 : BLOCK_MIN;
  if (bytes > BLOCK_MAX) bytes = BLOCK_MAX;
  bool own = n > bytes / 4 && (a->block || n > bytes - sizeof(struct arena_block));
  struct arena_block *b = own ? NULL : take_block(a, bytes);
  if (!b) { /* too large for one, or the limit leaves no room for one */
    own = true;
    b = take_block(a, n + sizeof *b);
  }
  if (!b) return NULL;
  if (own && a->block) { /* behind the newest, whose free part stays in use */
    b->next = a->block->next;
    a->block->next = b;
    return b + 1;
  }
  b->next = a->block;
  a->block = b;
  a->at = (char *)(b + 1) + n;
  a->end = (char *)b + b->bytes;
  return b + 1;
}

/* What an allocation takes: never nothing, so that every one has an address of its own. */
static size_t round_up(size_t n) { return n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN; }

void *arena_alloc(struct arena *a, size_t n) {
  if (n > SIZE_MAX / 2) return NULL;
  size_t rounded = round_up(n);
  char *p = a->at;
  if (rounded <= (size_t)(a->end - a->at)) {
    a->at += rounded;
  } else if (!(p = alloc_slowly(a, rounded))) {
    return NULL;
  }
  ASAN_UNPOISON_MEMORY_REGION(p, n);
  return p;
}

/* p fills a block of its own: lets the allocator move or extend that. */
static void *realloc_block(struct arena *a, struct arena_block **link, size_t rounded) {
  struct arena_block *b = *link;
  size_t bytes = rounded + sizeof *b, more = bytes > b->bytes ? bytes - b->bytes : 0;
  if (a->limit_bytes && more > a->limit_bytes - (a->held_bytes < a->limit_bytes ? a->held_bytes : a->limit_bytes))
    return NULL;
  ASAN_UNPOISON_MEMORY_REGION(b, b->bytes);
  a->held_bytes -= b->bytes;
  struct arena_block *moved = realloc(b, bytes);
  if (moved) {
    moved->bytes = bytes;
    *link = moved;
    if (link == &a->block) a->at = a->end = (char *)moved + bytes;
  }
  a->held_bytes += (*link)->bytes;
  return moved ? moved + 1 : NULL;
}

void *arena_realloc(struct arena *a, void *p, size_t old_n, size_t n) {
  if (!p) return arena_alloc(a, n);
  if (n > SIZE_MAX / 2) return NULL;
  size_t old = round_up(old_n), rounded = round_up(n);
  if ((char *)p + old == a->at && rounded <= (size_t)(a->end - (char *)p)) {
    a->at = (char *)p + rounded;
    ASAN_POISON_MEMORY_REGION(p, old);
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    return p;
  }
  if (a->block && rounded >= BLOCK_MAX) {
    struct arena_block **link = &a->block;
    while (*link && (void *)(*link + 1) != p) link = &(*link)->next;
    if (*link && (*link)->bytes == old + sizeof **link) return realloc_block(a, link, rounded);
  }
  void *moved = arena_alloc(a, n);
  if (moved) memcpy(moved, p, old_n < n ? old_n : n);
  return moved;
}

void *arena_zalloc(struct arena *a, size_t n) {
  void *p = arena_alloc(a, n);
  return p ? memset(p, 0, n) : NULL;
}

void *arena_zalloc_array(struct arena *a, size_t count, size_t size) {
  size_t n;
  return __builtin_mul_overflow(count, size, &n) ? NULL : arena_zalloc(a, n);
}

struct str arena_dup(struct arena *a, struct str s) {
  char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
  if (!p) return STR_NONE;
  if (s.n) memcpy(p, s.p, s.n);
  p[s.n] = 0;
  return str_from(p, s.n);
}

struct str arena_join(struct arena *a, const struct str *parts, size_t count) {
  size_t n = 0;
  for (size_t i = 0; i < count; i++) n += parts[i].n;
  char *p = arena_alloc(a, n), *at = p;
  for (size_t i = 0; p && i < count; i++) {
    if (parts[i].n) memcpy(at, parts[i].p, parts[i].n);
    at += parts[i].n;
  }
  return p ? str_from(p, n) : STR_NONE;
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
