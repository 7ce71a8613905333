/* Kept Responses: see mock_stored.h. Searches are linear: there are few, and only tests ask. */
#include "mock/mock_stored.h"

#include <stdlib.h>

void mock_stored_init(struct mock_stored *s) {
  *s = (struct mock_stored){0};
  pthread_mutex_init(&s->lock, NULL);
}

static size_t bytes_of(const struct mock_stored_entry *e) { return e->id.n + e->response.n + e->context.n; }

/* Under the lock. */
static void drop(struct mock_stored *s, unsigned at) {
  s->bytes -= bytes_of(&s->entries[at]);
  free((char *)s->entries[at].id.p);
  s->count--;
  memmove(&s->entries[at], &s->entries[at + 1], (s->count - at) * sizeof s->entries[0]);
}

void mock_stored_clear(struct mock_stored *s) {
  pthread_mutex_lock(&s->lock);
  while (s->count) drop(s, s->count - 1);
  pthread_mutex_unlock(&s->lock);
}

void mock_stored_destroy(struct mock_stored *s) {
  mock_stored_clear(s);
  pthread_mutex_destroy(&s->lock);
}

static struct str put(char **to, struct str text) {
  struct str copy = str_from(*to, text.n);
  if (text.n) memcpy(*to, text.p, text.n);
  *to += text.n;
  return copy;
}

void mock_stored_keep(struct mock_stored *s, struct str id, struct str response, struct str context) {
  size_t bytes = id.n + response.n + context.n;
  char *at = bytes > MOCK_STORED_BYTES_MAX ? NULL : malloc(bytes);
  if (!at) return;
  struct mock_stored_entry made = {0};
  made.id = put(&at, id);
  made.response = put(&at, response);
  made.context = put(&at, context);
  pthread_mutex_lock(&s->lock);
  while (s->count && (s->count == MOCK_STORED_MAX || s->bytes + bytes > MOCK_STORED_BYTES_MAX)) drop(s, 0);
  s->entries[s->count++] = made;
  s->bytes += bytes;
  pthread_mutex_unlock(&s->lock);
}

/* Under the lock; MOCK_STORED_MAX when there is none. */
static unsigned index_of(const struct mock_stored *s, struct str id) {
  for (unsigned i = s->count; i-- > 0;)
    if (str_eq(s->entries[i].id, id)) return i;
  return MOCK_STORED_MAX;
}

bool mock_stored_find(struct mock_stored *s, struct str id, struct arena *a, struct str *response,
                      struct str *context) {
  bool is_found = false;
  pthread_mutex_lock(&s->lock);
  unsigned at = index_of(s, id);
  if (at < MOCK_STORED_MAX) {
    struct str first = response ? arena_dup(a, s->entries[at].response) : STR_NONE;
    struct str second = context ? arena_dup(a, s->entries[at].context) : STR_NONE;
    is_found = (!response || first.p) && (!context || second.p);
    if (is_found && response) *response = first;
    if (is_found && context) *context = second;
  }
  pthread_mutex_unlock(&s->lock);
  return is_found;
}

bool mock_stored_find_item(struct mock_stored *s, struct str item_id, struct arena *a, struct str *response) {
  struct str quoted = arena_printf(a, "\"id\":\"%.*s\"", STR_ARG(item_id));
  bool is_found = false;
  if (item_id.n == 0 || !quoted.p) return false;
  pthread_mutex_lock(&s->lock);
  for (unsigned i = s->count; i-- > 0 && !is_found;) {
    if (str_find(s->entries[i].response, quoted) == SIZE_MAX) continue;
    struct str copy = arena_dup(a, s->entries[i].response);
    is_found = copy.p != NULL;
    if (is_found) *response = copy;
  }
  pthread_mutex_unlock(&s->lock);
  return is_found;
}

bool mock_stored_delete(struct mock_stored *s, struct str id) {
  pthread_mutex_lock(&s->lock);
  unsigned at = index_of(s, id);
  if (at < MOCK_STORED_MAX) drop(s, at);
  pthread_mutex_unlock(&s->lock);
  return at < MOCK_STORED_MAX;
}
