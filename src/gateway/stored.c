/* Kept responses around an exchange: see stored.h. */
#include "gateway/stored.h"

#include "base/clock.h"
#include "dialect/openai_responses/expand.h"
#include "io/pool.h"

static struct stored_responses *kept; /* set by main; shared by all workers */

void stored_set(struct stored_responses *responses) { kept = responses; }
struct stored_responses *stored_get(void) {
  return kept;
}

static int64_t now_ms(void) { return (int64_t)(clock_mono_us() / 1000); }

/* ---- memory, then the file ---- */

struct look {
  enum err (*in_file)(struct look *l);
  struct str owner, id;
  struct arena *arena;
  struct stored_response *response;
  struct str *json;
  struct err_info *info;
};

static enum err response_in_file(struct look *l) {
  return stored_response_get_file(kept, l->owner, l->id, l->arena, l->response, l->info);
}
static enum err item_in_file(struct look *l) {
  return stored_response_get_item_file(kept, l->owner, l->id, l->arena, l->json, l->info);
}
static enum err delete_in_file(struct look *l) { return stored_response_delete_file(kept, l->owner, l->id, l->info); }

static enum err work(void *arg) {
  struct look *l = arg;
  return l->in_file(l);
}
static void keep(void *arg) {
  (void)arg;
} /* it lies on the fiber's stack, which the shield lets nobody leave too early */

/* In the pool. A cancel waits for the job, which writes to the exchange's arena: milliseconds. */
WAIT static enum err look(struct look l) {
  enum err result = ERR_INTERNAL;
  if (!stored_response_has_file(kept)) return ERR_NOT_FOUND;
  fiber_shield_begin(DEADLINE_NONE);
  enum err e = fiber_await(POOL_FILE, work, &l, keep, DEADLINE_NONE, &result);
  fiber_shield_end();
  return fiber_is_cancelled() ? ERR_CANCELLED : e ? e : result;
}

enum err stored_find(struct str owner, struct str id, struct arena *a, struct stored_response *out,
                     struct err_info *info) {
  enum err e = OK;
  if (!kept) return ERR_NOT_FOUND;
  if (stored_response_get(kept, owner, id, now_ms(), a, out, &e) || e) return e;
  return look((struct look){response_in_file, owner, id, a, out, NULL, info});
}

enum err stored_delete(struct str owner, struct str id, struct err_info *info) {
  if (!kept) return ERR_NOT_FOUND;
  bool was_there = stored_response_delete(kept, owner, id, now_ms());
  enum err e = look((struct look){delete_in_file, owner, id, NULL, NULL, NULL, info});
  return e == ERR_NOT_FOUND && was_there ? OK : e;
}

/* ---- before ---- */

static bool find_response(void *arg, struct str id, struct arena *a, struct str *input, struct str *output,
                          enum err *e) {
  struct stored *s = arg;
  struct stored_response r;
  *e = stored_find(s->owner, id, a, &r, NULL);
  if (*e) {
    if (*e == ERR_NOT_FOUND) *e = OK;
    return false;
  }
  *input = r.input;
  *output = r.output;
  s->previous_id = r.id;
  return true;
}

static bool find_item(void *arg, struct str id, struct arena *a, struct str *json, enum err *e) {
  const struct stored *s = arg;
  if (stored_response_get_item(kept, s->owner, id, now_ms(), a, json, e)) return true;
  if (!*e) *e = look((struct look){item_in_file, s->owner, id, a, NULL, json, NULL});
  if (!*e) return true;
  if (*e == ERR_NOT_FOUND) *e = OK;
  return false;
}

enum err stored_begin(struct stored *s, struct arena *a, struct str owner, size_t limit_bytes,
                      const struct envelope_scan *scan, struct str *body, bool *is_changed, struct err_info *info) {
  enum err e = OK;
  *is_changed = false;
  if (!kept) return OK;
  *s = (struct stored){.arena = a, .owner = owner, .body = *body, .is_wanted = openai_responses_is_stored(scan)};
  if (openai_responses_names_ids(scan, *body)) {
    const struct openai_responses_lookup lookup = {s, find_response, find_item};
    struct buf full;
    buf_init(&full, limit_bytes);
    e = openai_responses_expand(*body, &lookup, a, &full, info);
    struct str copy = e ? STR_NONE : arena_dup(a, buf_str(&full));
    buf_clear(&full);
    if (!e && !copy.p) e = ERR_NO_MEMORY;
    if (e) return e;
    *body = s->body = copy;
    *is_changed = true;
  }
  return OK;
}

/* ---- after ---- */

void stored_take(struct stored *s, struct str response) {
  if (s->is_wanted) s->response = arena_dup(s->arena, response);
}

void stored_watch(struct stored *s, struct str bytes) {
  struct str response;
  if (s->is_wanted && openai_responses_final(bytes, &response)) stored_take(s, response);
}

/* What cannot be kept is no fault of the answer: its id is then not found. */
void stored_end(struct stored *s, bool is_complete) {
  struct openai_responses_record r;
  if (!is_complete || !s->is_wanted || !s->response.n) return;
  if (openai_responses_record(s->body, s->response, s->arena, &r, NULL)) return;
  struct stored_response_item *items = ARENA_NEW_ARRAY(s->arena, struct stored_response_item, r.item_count + 1);
  if (!items) return;
  for (size_t i = 0; i < r.item_count; i++) items[i] = (struct stored_response_item){r.items[i].id, r.items[i].json};
  const struct stored_response row = {r.id, r.response, r.input, r.output, items, r.item_count};
  if (stored_response_put(kept, s->owner, &row, now_ms(), NULL)) return;
}
