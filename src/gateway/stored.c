/* Kept responses around an exchange: see stored.h. */
#include "gateway/stored.h"

#include "base/clock.h"
#include "dialect/openai_responses/expand.h"

static struct stored_responses *kept; /* set by main; shared by all workers */

void stored_set(struct stored_responses *responses) { kept = responses; }
struct stored_responses *stored_get(void) {
  return kept;
}

static int64_t now_ms(void) { return (int64_t)(clock_mono_us() / 1000); }

/* ---- before ---- */

static bool find_response(void *arg, struct str id, struct arena *a, struct str *input, struct str *output,
                          enum err *e) {
  struct stored *s = arg;
  struct stored_response r;
  if (!stored_response_get(kept, s->owner, id, now_ms(), a, &r, e)) return false;
  *input = r.input;
  *output = r.output;
  s->previous_id = arena_dup(a, id);
  return true;
}

static bool find_item(void *arg, struct str id, struct arena *a, struct str *json, enum err *e) {
  const struct stored *s = arg;
  return stored_response_get_item(kept, s->owner, id, now_ms(), a, json, e);
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
