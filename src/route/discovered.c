/* Model ids that providers listed: see discovered.h. */
#include "route/discovered.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct list {
  struct discovered_list pub; /* first: handed out */
  atomic_uint refs;
  struct str provider;
  struct list *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list *lists; /* under the lock */
static _Atomic uint64_t generation;

static void unref(struct list *l) {
  if (l && atomic_fetch_sub(&l->refs, 1) == 1) free(l);
}

/* One allocation: the list, its slices, and the bytes they point to. */
static struct list *make(struct str provider, const struct str *ids, size_t n) {
  size_t bytes = provider.n;
  for (size_t i = 0; i < n; i++) bytes += ids[i].n;
  struct list *l = malloc(sizeof *l + n * sizeof *ids + bytes);
  if (!l) return NULL;
  struct str *v = (struct str *)(l + 1);
  char *at = (char *)(v + n);
  *l = (struct list){.pub = {v, n}, .provider = {at, provider.n}};
  atomic_init(&l->refs, 1);
  if (provider.n) memcpy(at, provider.p, provider.n);
  at += provider.n;
  for (size_t i = 0; i < n; i++) {
    if (ids[i].n) memcpy(at, ids[i].p, ids[i].n);
    v[i] = str_from(at, ids[i].n);
    at += ids[i].n;
  }
  return l;
}

static bool is_same(const struct list *a, const struct list *b) {
  if (!a || a->pub.n != b->pub.n) return false;
  for (size_t i = 0; i < a->pub.n; i++)
    if (!str_eq(a->pub.ids[i], b->pub.ids[i])) return false;
  return true;
}

static struct list **place_of(struct str provider) {
  struct list **at = &lists;
  while (*at && !str_eq((*at)->provider, provider)) at = &(*at)->next;
  return at;
}

bool discovered_put(struct str provider_id, const struct str *ids, size_t n, bool *changed) {
  struct list *l = make(provider_id, ids, n), *old;
  if (!l) return false;
  pthread_mutex_lock(&lock);
  struct list **at = place_of(provider_id);
  old = *at;
  *changed = !is_same(old, l);
  l->next = old ? old->next : NULL;
  *at = l;
  atomic_fetch_add(&generation, 1);
  pthread_mutex_unlock(&lock);
  unref(old);
  return true;
}

void discovered_forget(struct str provider_id) {
  pthread_mutex_lock(&lock);
  struct list **at = place_of(provider_id), *old = *at;
  if (old) *at = old->next;
  atomic_fetch_add(&generation, 1);
  pthread_mutex_unlock(&lock);
  unref(old);
}

uint64_t discovered_generation(void) { return atomic_load(&generation); }

const struct discovered_list *discovered_get(struct str provider_id) {
  pthread_mutex_lock(&lock);
  struct list *l = *place_of(provider_id);
  if (l) atomic_fetch_add(&l->refs, 1);
  pthread_mutex_unlock(&lock);
  return l ? &l->pub : NULL;
}

void discovered_release(const struct discovered_list *list) { unref((struct list *)(uintptr_t)list); }

size_t discovered_total(void) {
  size_t n = 0;
  pthread_mutex_lock(&lock);
  for (struct list *l = lists; l; l = l->next) n += l->pub.n;
  pthread_mutex_unlock(&lock);
  return n;
}

void discovered_clear(void) {
  pthread_mutex_lock(&lock);
  struct list *l = lists;
  lists = NULL;
  pthread_mutex_unlock(&lock);
  for (struct list *next; l; l = next) {
    next = l->next;
    unref(l);
  }
}
