/* Answers that come back as the pieces they were streamed in: see request.h. Runs of the assistant's items become one,
 * and in it runs of text and of thinking one part each. Nothing is joined over a signature, a marker or a member that
 * only one of the pieces has: those belong to what they stand on. */
#include "llm/request.h"

static bool is_bare(const struct request_item *item) {
  return item->role == ROLE_ASSISTANT && !item->id.n && !item->name.n && !item->cache.raw && !item->rest.n;
}

/* A signature ends what it stands on, so only the last piece may have one. */
static bool goes_on(const struct request_part *p, const struct request_part *next) {
  if (p->kind != next->kind || (p->kind != PART_TEXT && p->kind != PART_REASONING)) return false;
  if (p->signature.bytes.n || p->cache.raw || p->citations || p->rest.n) return false;
  return !next->cache.raw && !next->citations && !next->rest.n;
}

/* The parts of n items in one array. */
static enum err gather_items(struct arena *a, struct request_item *first, size_t n) {
  size_t count = 0, at = 0;
  for (size_t i = 0; i < n; i++) count += first[i].part_count;
  struct request_part *parts = ARENA_NEW_ARRAY(a, struct request_part, count + 1);
  if (!parts) return ERR_NO_MEMORY;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < first[i].part_count; k++) parts[at++] = first[i].parts[k];
  first->parts = parts;
  first->part_count = count;
  return OK;
}

/* n parts from `first` on as one: the texts in a row, and the last one's signature. */
static enum err join_parts(struct arena *a, struct request_part *first, size_t n) {
  size_t bytes = 0, at = 0;
  for (size_t i = 0; i < n; i++) bytes += first[i].text.n;
  char *text = arena_alloc(a, bytes + 1);
  if (!text) return ERR_NO_MEMORY;
  for (size_t i = 0; i < n; i++) {
    if (first[i].text.n) memcpy(text + at, first[i].text.p, first[i].text.n);
    at += first[i].text.n;
  }
  first->text = str_from(text, bytes);
  first->signature = first[n - 1].signature;
  first->raw = NULL;
  return OK;
}

static enum err join_item(struct arena *a, struct request_item *item) {
  size_t kept = 0, at = 0;
  while (at < item->part_count) {
    size_t n = 1;
    while (at + n < item->part_count && goes_on(&item->parts[at + n - 1], &item->parts[at + n])) n++;
    item->parts[kept] = item->parts[at];
    if (n > 1) {
      memmove(&item->parts[kept], &item->parts[at], n * sizeof *item->parts);
      enum err e = join_parts(a, &item->parts[kept], n);
      if (e) return e;
    }
    kept++;
    at += n;
  }
  item->part_count = kept;
  return OK;
}

enum err request_join_pieces(struct arena *a, struct request *r) {
  size_t kept = 0, at = 0;
  enum err e = OK;
  while (!e && at < r->item_count) {
    size_t n = 1;
    while (is_bare(&r->items[at]) && at + n < r->item_count && is_bare(&r->items[at + n])) n++;
    if (n > 1) e = gather_items(a, &r->items[at], n);
    r->items[kept] = r->items[at];
    if (!e && r->items[kept].role == ROLE_ASSISTANT) e = join_item(a, &r->items[kept]);
    kept++;
    at += n;
  }
  if (!e) r->item_count = kept;
  return e;
}
