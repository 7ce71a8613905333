/* Responses in memory: see stored_response.h. An entry is one block: its nodes for the two hash tables and all its
 * texts behind them. Entries stand in a list by age, so whatever has to go is at its head. */
#include <stdlib.h>

#include "base/id.h"
#include "state/stored_response_internal.h"

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
  return str_hash(id, str_hash(owner, s->seed)) % STORED_BUCKETS;
}

static void chain(struct stored_node **head, struct stored_node *n) {
  n->next = *head;
  n->link = head;
  if (*head) (*head)->link = &n->next;
  *head = n;
}

static void unchain(struct stored_node *n) {
  *n->link = n->next;
  if (n->next) n->next->link = n->link;
}

static void drop(struct stored_responses *s, struct stored_entry *e) {
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
  e->is_dropped = true;
  if (!e->is_writing) free(e);
}

static void add(struct stored_responses *s, struct stored_entry *e) {
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

static struct stored_node *find(struct stored_node *head, struct str owner, struct str id) {
  for (struct stored_node *n = head; n; n = n->next)
    if (str_eq(n->id, id) && str_eq(n->entry->owner, owner)) return n;
  return NULL;
}

static bool is_too_much(const struct stored_responses *s) {
  return s->count > s->limits.count || s->bytes > s->limits.bytes;
}

static void trim(struct stored_responses *s, int64_t now_ms) {
  while (s->oldest && (is_too_much(s) || now_ms - s->oldest->put_ms >= s->limits.ttl_ms)) {
    if (s->file && is_too_much(s) && !s->oldest->is_writing) s->lost++;
    drop(s, s->oldest);
  }
}

void stored_response_free(struct stored_responses *s) {
  if (!s) return;
  stored_file_free(s->file);
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
  if (s->file) stored_file_wake(s->file, true);
}

/* ---- putting ---- */

static struct str copy(char **at, struct str s) {
  char *p = *at;
  if (s.n) memcpy(p, s.p, s.n);
  *at += s.n;
  return str_from(p, s.n);
}

/* An item's text is a slice of the copy, as it is of the response's own lists. */
static struct str slice_of(const struct stored_response *r, const struct stored_entry *e, struct str json) {
  const struct str from[] = {r->input, r->output}, to[] = {e->input, e->output};
  for (size_t i = 0; i < 2; i++)
    if (json.p >= from[i].p && json.p + json.n <= from[i].p + from[i].n)
      return str_from(to[i].p + (json.p - from[i].p), json.n);
  return STR_NONE;
}

static size_t bytes_of(struct str owner, const struct stored_response *r) {
  size_t n = sizeof(struct stored_entry) + r->item_count * sizeof(struct stored_node);
  n += owner.n + r->id.n + r->response.n + r->input.n + r->output.n;
  for (size_t i = 0; i < r->item_count; i++) n += r->items[i].id.n;
  return n;
}

static struct stored_entry *entry_of(struct str owner, const struct stored_response *r, size_t bytes, int64_t now_ms) {
  struct stored_entry *e = malloc(bytes);
  if (!e) return NULL;
  *e = (struct stored_entry){.put_ms = now_ms, .bytes = bytes, .item_count = r->item_count};
  char *at = (char *)(e->items + r->item_count);
  e->owner = copy(&at, owner);
  e->response = copy(&at, r->response);
  e->input = copy(&at, r->input);
  e->output = copy(&at, r->output);
  e->self = (struct stored_node){.entry = e, .id = copy(&at, r->id)};
  for (size_t i = 0; i < r->item_count; i++) {
    struct str id = copy(&at, r->items[i].id);
    e->items[i] = (struct stored_node){.entry = e, .id = id, .json = slice_of(r, e, r->items[i].json)};
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
  struct stored_entry *e = entry_of(owner, r, bytes, now_ms), *unused = NULL;
  if (!e) return ERR_NO_MEMORY;
  enum err result = OK;
  pthread_mutex_lock(&s->lock);
  struct stored_node *same = find(s->by_id[bucket_of(s, owner, r->id)], owner, r->id);
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
  if (s->file && !unused) stored_file_wake(s->file, false);
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
  struct stored_node *n = find(s->by_id[bucket_of(s, owner, id)], owner, id);
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
  struct stored_node *n = find(s->by_item[bucket_of(s, owner, item_id)], owner, item_id);
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
  struct stored_node *n = find(s->by_id[bucket_of(s, owner, id)], owner, id);
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

void stored_response_status(struct stored_responses *s, struct stored_response_status *out) {
  *out = (struct stored_response_status){.has_file = s->file};
  if (s->file) stored_file_status(s->file, out);
  pthread_mutex_lock(&s->lock);
  out->waiting = (struct stored_response_sum){s->count, s->bytes};
  out->lost = s->lost;
  pthread_mutex_unlock(&s->lock);
}

/* ---- for the file's thread ---- */

size_t stored_response_hold(struct stored_responses *s, struct stored_entry **out, size_t max, size_t max_bytes) {
  size_t n = 0, bytes = 0;
  pthread_mutex_lock(&s->lock);
  for (struct stored_entry *e = s->oldest; e && n < max && (n == 0 || bytes + e->bytes <= max_bytes); e = e->newer) {
    e->is_writing = true;
    bytes += e->bytes;
    out[n++] = e;
  }
  pthread_mutex_unlock(&s->lock);
  return n;
}

bool stored_response_is_dropped(struct stored_responses *s, const struct stored_entry *e) {
  pthread_mutex_lock(&s->lock);
  bool is_dropped = e->is_dropped;
  pthread_mutex_unlock(&s->lock);
  return is_dropped;
}

void stored_response_release(struct stored_responses *s, struct stored_entry **held, size_t n, bool is_written) {
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < n; i++) {
    held[i]->is_writing = false;
    if (held[i]->is_dropped)
      free(held[i]);
    else if (is_written)
      drop(s, held[i]);
  }
  pthread_mutex_unlock(&s->lock);
}

struct stored_response_limits stored_response_limits_of(struct stored_responses *s) {
  pthread_mutex_lock(&s->lock);
  struct stored_response_limits limits = s->limits;
  pthread_mutex_unlock(&s->lock);
  return limits;
}
