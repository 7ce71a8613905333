/* Responses kept in memory: see stored_response.h. An entry is one block: its nodes for the two hash tables and all its
 * texts behind them. Entries stand in a list by age, so whatever has to go is at its head. */
#include "state/stored_response.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/id.h"

enum { BUCKETS = 4096 };

/* In a chain of one of the tables: a response by its id, or one of its items. The newest come first. */
struct node {
  struct node *next, **link; /* link: what points here */
  struct entry *entry;
  struct str id, json; /* json: of an item */
};

struct entry {
  struct entry *older, *newer;
  int64_t put_ms;
  size_t bytes; /* of the block */
  struct str owner, response, input, output;
  struct node self;
  size_t item_count;
  struct node items[];
};

struct stored_responses {
  pthread_mutex_t lock;
  struct stored_response_limits limits;
  struct entry *oldest, *newest;
  size_t count, bytes;
  uint64_t seed;
  struct node *by_id[BUCKETS], *by_item[BUCKETS];
};

struct stored_responses *stored_response_new(const struct stored_response_limits *limits) {
  struct stored_responses *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  if (pthread_mutex_init(&s->lock, NULL)) {
    free(s);
    return NULL;
  }
  s->limits = *limits;
  s->seed = id_random_u64();
  return s;
}

/* ---- tables and list ---- */

static size_t bucket_of(const struct stored_responses *s, struct str owner, struct str id) {
  return str_hash(id, str_hash(owner, s->seed)) % BUCKETS;
}

static void chain(struct node **head, struct node *n) {
  n->next = *head;
  n->link = head;
  if (*head) (*head)->link = &n->next;
  *head = n;
}

static void unchain(struct node *n) {
  *n->link = n->next;
  if (n->next) n->next->link = n->link;
}

static void drop(struct stored_responses *s, struct entry *e) {
  unchain(&e->self);
  for (size_t i = 0; i < e->item_count; i++) unchain(&e->items[i]);
  if (e->older)
    e->older->newer = e->newer;
  else
    s->oldest = e->newer;
  if (e->newer)
    e->newer->older = e->older;
  else
    s->newest = e->older;
  s->count--;
  s->bytes -= e->bytes;
  free(e);
}

static void add(struct stored_responses *s, struct entry *e) {
  e->older = s->newest;
  if (s->newest)
    s->newest->newer = e;
  else
    s->oldest = e;
  s->newest = e;
  s->count++;
  s->bytes += e->bytes;
  chain(&s->by_id[bucket_of(s, e->owner, e->self.id)], &e->self);
  for (size_t i = 0; i < e->item_count; i++) chain(&s->by_item[bucket_of(s, e->owner, e->items[i].id)], &e->items[i]);
}

static struct node *find(struct node *head, struct str owner, struct str id) {
  for (struct node *n = head; n; n = n->next)
    if (str_eq(n->id, id) && str_eq(n->entry->owner, owner)) return n;
  return NULL;
}

static bool is_beyond(const struct stored_responses *s, int64_t now_ms) {
  return s->count > s->limits.count || s->bytes > s->limits.bytes || now_ms - s->oldest->put_ms >= s->limits.ttl_ms;
}

static void trim(struct stored_responses *s, int64_t now_ms) {
  while (s->oldest && is_beyond(s, now_ms)) drop(s, s->oldest);
}

void stored_response_free(struct stored_responses *s) {
  if (!s) return;
  while (s->oldest) drop(s, s->oldest);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

void stored_response_set_limits(struct stored_responses *s, const struct stored_response_limits *limits,
                                int64_t now_ms) {
  pthread_mutex_lock(&s->lock);
  s->limits = *limits;
  trim(s, now_ms);
  pthread_mutex_unlock(&s->lock);
}

/* ---- putting ---- */

static struct str copy(char **at, struct str s) {
  char *p = *at;
  if (s.n) memcpy(p, s.p, s.n);
  *at += s.n;
  return str_from(p, s.n);
}

/* An item whose text lies within the response's own lists is a slice of the copy, not another one. */
static struct str copy_within(const struct stored_response *r, const struct entry *e, char **at, struct str json) {
  const struct str from[] = {r->input, r->output}, to[] = {e->input, e->output};
  for (size_t i = 0; i < 2; i++)
    if (json.p >= from[i].p && json.p + json.n <= from[i].p + from[i].n)
      return str_from(to[i].p + (json.p - from[i].p), json.n);
  return copy(at, json);
}

static size_t bytes_of(struct str owner, const struct stored_response *r) {
  size_t n = sizeof(struct entry) + r->item_count * sizeof(struct node);
  n += owner.n + r->id.n + r->response.n + r->input.n + r->output.n;
  for (size_t i = 0; i < r->item_count; i++) {
    struct str json = r->items[i].json;
    bool is_within = (json.p >= r->input.p && json.p + json.n <= r->input.p + r->input.n) ||
                     (json.p >= r->output.p && json.p + json.n <= r->output.p + r->output.n);
    n += r->items[i].id.n + (is_within ? 0 : json.n);
  }
  return n;
}

static struct entry *entry_of(struct str owner, const struct stored_response *r, size_t bytes, int64_t now_ms) {
  struct entry *e = malloc(bytes);
  if (!e) return NULL;
  *e = (struct entry){.put_ms = now_ms, .bytes = bytes, .item_count = r->item_count};
  char *at = (char *)(e->items + r->item_count);
  e->owner = copy(&at, owner);
  e->response = copy(&at, r->response);
  e->input = copy(&at, r->input);
  e->output = copy(&at, r->output);
  e->self = (struct node){.entry = e, .id = copy(&at, r->id)};
  for (size_t i = 0; i < r->item_count; i++) {
    struct str id = copy(&at, r->items[i].id);
    e->items[i] = (struct node){.entry = e, .id = id, .json = copy_within(r, e, &at, r->items[i].json)};
  }
  return e;
}

enum err stored_response_put(struct stored_responses *s, struct str owner, const struct stored_response *r,
                             int64_t now_ms, struct err_info *info) {
  if (r->id.n == 0 || r->id.n > STORED_RESPONSE_ID_MAX)
    return err_set(info, ERR_BAD_VALUE, "a response's id has 1 to %d bytes", STORED_RESPONSE_ID_MAX);
  if (r->item_count > STORED_RESPONSE_ITEMS_MAX)
    return err_set(info, ERR_BODY_TOO_LARGE, "the response has too many items to be stored");
  size_t bytes = bytes_of(owner, r);
  struct entry *e = entry_of(owner, r, bytes, now_ms), *unused = NULL;
  if (!e) return ERR_NO_MEMORY;
  enum err result = OK;
  pthread_mutex_lock(&s->lock);
  struct node *same = find(s->by_id[bucket_of(s, owner, r->id)], owner, r->id);
  if (same) drop(s, same->entry);
  bool keeps = s->limits.count && s->limits.bytes && s->limits.ttl_ms > 0;
  if (keeps && bytes > s->limits.bytes) result = ERR_BODY_TOO_LARGE;
  if (keeps && !result) {
    add(s, e);
    trim(s, now_ms);
  } else {
    unused = e;
  }
  pthread_mutex_unlock(&s->lock);
  free(unused);
  return result ? err_set(info, result, "the response is too large to be stored") : OK;
}

/* ---- finding ---- */

static bool dup(struct arena *a, struct str s, struct str *out) {
  *out = arena_dup(a, s);
  return out->p != NULL;
}

bool stored_response_get(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms, struct arena *a,
                         struct stored_response *out, enum err *e) {
  struct stored_response r = {0};
  *e = OK;
  pthread_mutex_lock(&s->lock);
  trim(s, now_ms);
  struct node *n = find(s->by_id[bucket_of(s, owner, id)], owner, id);
  bool is_copied = n && dup(a, n->id, &r.id) && dup(a, n->entry->response, &r.response) &&
                   dup(a, n->entry->input, &r.input) && dup(a, n->entry->output, &r.output);
  if (n && !is_copied) *e = ERR_NO_MEMORY;
  pthread_mutex_unlock(&s->lock);
  if (is_copied) *out = r;
  return is_copied;
}

bool stored_response_get_item(struct stored_responses *s, struct str owner, struct str item_id, int64_t now_ms,
                              struct arena *a, struct str *json, enum err *e) {
  *e = OK;
  pthread_mutex_lock(&s->lock);
  trim(s, now_ms);
  struct node *n = find(s->by_item[bucket_of(s, owner, item_id)], owner, item_id);
  struct str found = STR_NONE;
  bool is_copied = n && dup(a, n->json, &found);
  if (n && !is_copied) *e = ERR_NO_MEMORY;
  pthread_mutex_unlock(&s->lock);
  if (is_copied) *json = found;
  return is_copied;
}

bool stored_response_delete(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms) {
  pthread_mutex_lock(&s->lock);
  trim(s, now_ms);
  struct node *n = find(s->by_id[bucket_of(s, owner, id)], owner, id);
  if (n) drop(s, n->entry);
  pthread_mutex_unlock(&s->lock);
  return n != NULL;
}

struct stored_response_sum stored_response_sum(struct stored_responses *s) {
  pthread_mutex_lock(&s->lock);
  struct stored_response_sum sum = {s->count, s->bytes};
  pthread_mutex_unlock(&s->lock);
  return sum;
}
