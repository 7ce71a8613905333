/* Models that come and go: see mock_shelf.h. Searches are linear: there are few, and only tests ask. */
#include "mock/mock_shelf.h"

void mock_shelf_init(struct mock_shelf *s) {
  s->count = 0;
  pthread_mutex_init(&s->lock, NULL);
}

void mock_shelf_reset(struct mock_shelf *s) {
  pthread_mutex_lock(&s->lock);
  s->count = 0;
  pthread_mutex_unlock(&s->lock);
}

void mock_shelf_destroy(struct mock_shelf *s) { pthread_mutex_destroy(&s->lock); }

struct str mock_shelf_name(struct str name) {
  const struct str tag = STR(":latest");
  return str_has_suffix(name, tag) ? str_sub(name, 0, name.n - tag.n) : name;
}

/* Under the lock; the count when there is none. */
static unsigned index_of(const struct mock_shelf *s, struct str name) {
  unsigned i = 0;
  while (i < s->count && !str_eq(str_from(s->v[i].name, s->v[i].n), name)) i++;
  return i;
}

void mock_shelf_put(struct mock_shelf *s, struct str name, bool is_gone) {
  name = mock_shelf_name(name);
  if (name.n == 0 || name.n > MOCK_SHELF_NAME_MAX) return;
  pthread_mutex_lock(&s->lock);
  unsigned at = index_of(s, name);
  if (at == s->count) {
    if (s->count == MOCK_SHELF_MAX) memmove(&s->v[0], &s->v[1], --s->count * sizeof s->v[0]);
    at = s->count++;
    memcpy(s->v[at].name, name.p, name.n);
    s->v[at].n = name.n;
  }
  s->v[at].is_gone = is_gone;
  pthread_mutex_unlock(&s->lock);
}

bool mock_shelf_has(struct mock_shelf *s, struct str name, bool is_made_with) {
  pthread_mutex_lock(&s->lock);
  unsigned at = index_of(s, mock_shelf_name(name));
  bool has = at == s->count ? is_made_with : !s->v[at].is_gone;
  pthread_mutex_unlock(&s->lock);
  return has;
}

static bool is_among(const struct str *ids, size_t n, struct str name) {
  for (size_t i = 0; i < n; i++)
    if (str_eq(ids[i], name)) return true;
  return false;
}

size_t mock_shelf_list(struct mock_shelf *s, const struct str *ids, size_t n, struct arena *a, struct str *out,
                       size_t room) {
  size_t made = 0;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < n && made < room; i++) {
    unsigned at = index_of(s, ids[i]);
    if (at == s->count || !s->v[at].is_gone) out[made++] = ids[i];
  }
  for (unsigned i = 0; i < s->count && made < room; i++) {
    struct str name = str_from(s->v[i].name, s->v[i].n);
    if (s->v[i].is_gone || is_among(ids, n, name)) continue;
    name = arena_dup(a, name);
    if (name.p) out[made++] = name;
  }
  pthread_mutex_unlock(&s->lock);
  return made;
}
