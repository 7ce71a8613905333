/* Memory with one end: everything taken from an arena dies when it is cleared. An exchange's memory is its arena;
 * foreign handles hang on it by cleanup hooks, run last-in first-out by arena_clear. Not thread-safe: one owner. */
#ifndef MAESTRO_BASE_ARENA_H
#define MAESTRO_BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_block;
struct arena_hook;

struct arena {
  char *at, *end;            /* free part of the newest block */
  struct arena_block *block; /* newest first */
  struct arena_hook *hooks;  /* newest first */
  size_t held_bytes;         /* taken from the allocator */
  size_t limit_bytes;        /* 0: none */
};

/* limit_bytes caps what the arena may take from the allocator; 0 for no cap. Takes nothing until first use. */
void arena_init(struct arena *a, size_t limit_bytes);
/* Runs the hooks and gives all memory back; the arena may be used again. */
void arena_clear(struct arena *a);
/* The same but for one small block, which is kept for what comes next (a pool of arenas stays warm). */
void arena_reset(struct arena *a);
/* 16-byte aligned, uninitialised; NULL when the limit or the allocator says no. n may be 0. */
void *arena_alloc(struct arena *a, size_t n) MUST_CHECK;
/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t n) MUST_CHECK;
/* p (NULL, or the last result for it) of old_n bytes becomes n bytes, which may move. Extends in place where p is the
 * newest allocation or fills a block of its own, so that a growing array does not leave its past behind. NULL: p is as
 * it was. */
void *arena_realloc(struct arena *a, void *p, size_t old_n, size_t n) MUST_CHECK;
/* count x size bytes, zeroed; NULL on overflow too. */
void *arena_zalloc_array(struct arena *a, size_t count, size_t size) MUST_CHECK;
/* A NUL-terminated copy (the NUL is not counted); {NULL, 0} on failure. */
struct str arena_dup(struct arena *a, struct str s);
/* The parts behind each other, without a NUL; {NULL, 0} on failure. */
struct str arena_join(struct arena *a, const struct str *parts, size_t count);
/* Formatted, NUL-terminated; {NULL, 0} on failure. */
struct str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* fn(arg) runs once, at arena_clear. False when memory is short: fn has not been kept. */
bool arena_on_clear(struct arena *a, void (*fn)(void *), void *arg) MUST_CHECK;

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_NEW_ARRAY(a, type, count) ((type *)arena_zalloc_array((a), (count), sizeof(type)))

#endif
