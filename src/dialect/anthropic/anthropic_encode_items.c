/* Anthropic Messages, `system` and `messages` of a request. A caller of this dialect gets its messages back one by one.
 * Those of other dialects are put into turns, as the vendor wants them: what is said in a row by one side is one turn,
 * the results of a turn's calls come first in the turn that follows and in the order of the calls, and the first turn
 * is the user's. A system message in mid-conversation is said by the user: the vendor's own form for it is new, and its
 * older models and the servers that imitate it refuse the role. */
#include <stdlib.h>

#include "base/json_out.h"
#include "base/map.h"
#include "dialect/anthropic/anthropic_internal.h"

static struct str role_word(enum request_role role) {
  switch (role) {
    case ROLE_SYSTEM: return STR("system");
    case ROLE_DEVELOPER: return STR("developer");
    case ROLE_ASSISTANT: return STR("assistant");
    default: return STR("user");
  }
}

/* ---- the same dialect ---- */

static enum err put_own_content(const struct anthropic_encoder *e, const struct request_item *item) {
  enum err err = OK;
  bool is_plain = item->form == CONTENT_STRING && item->part_count == 1 && item->parts[0].kind == PART_TEXT;
  if (is_plain) {
    json_out_string(e->out, item->parts[0].text);
    return OK;
  }
  json_out_begin(e->out, '[');
  for (size_t k = 0; !err && k < item->part_count; k++) err = anthropic_encode_block(e, item, &item->parts[k]);
  json_out_end(e->out, ']');
  return err;
}

static enum err put_own_messages(const struct anthropic_encoder *e, size_t i) {
  const struct request *r = e->r;
  enum err err = OK;
  json_out_key(e->out, "messages");
  json_out_begin(e->out, '[');
  for (; !err && i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    json_out_begin(e->out, '{');
    json_out_member_string(e->out, "role", role_word(item->role));
    if (item->form == CONTENT_STRING || item->form == CONTENT_ARRAY) {
      json_out_key(e->out, "content");
      err = put_own_content(e, item);
    }
    json_out_rest(e->out, &item->rest);
    json_out_end(e->out, '}');
  }
  json_out_end(e->out, ']');
  return err;
}

static enum err put_own(const struct anthropic_encoder *e) {
  const struct request *r = e->r;
  size_t first = 0;
  enum err err = OK;
  if (r->item_count && r->items[0].source == UINT32_MAX && request_is_system(&r->items[0])) {
    json_out_key(e->out, "system");
    err = put_own_content(e, &r->items[0]);
    first = 1;
  }
  return err ? err : put_own_messages(e, first);
}

/* ---- turns ---- */

/* A block, with the marker of its message behind the last one. */
static enum err put_block(const struct anthropic_encoder *e, const struct request_item *item, size_t k) {
  bool is_last = k + 1 == item->part_count;
  if (!item->cache.raw || !is_last || item->parts[k].cache.raw) return anthropic_encode_block(e, item, &item->parts[k]);
  size_t from = e->out->n;
  enum err err = anthropic_encode_block(e, item, &item->parts[k]);
  if (err || e->out->n == from || e->out->failed || e->out->p[e->out->n - 1] != '}') return err;
  e->out->n--; /* the brace comes back behind the marker */
  anthropic_put_cache(e, &item->cache);
  json_out_end(e->out, '}');
  return OK;
}

static enum err put_system(const struct anthropic_encoder *e, size_t *first) {
  const struct request *r = e->r;
  enum err err = OK;
  size_t n = 0, parts = 0;
  while (n < r->item_count && request_is_system(&r->items[n])) parts += r->items[n++].part_count;
  *first = n;
  if (!parts) return OK;
  const struct request_item *only = &r->items[0];
  json_out_key(e->out, "system");
  bool is_plain =
      n == 1 && parts == 1 && only->parts[0].kind == PART_TEXT && !only->parts[0].cache.raw && !only->cache.raw;
  if (is_plain) {
    json_out_string(e->out, only->parts[0].text);
    return OK;
  }
  json_out_begin(e->out, '[');
  for (size_t i = 0; !err && i < n; i++)
    for (size_t k = 0; !err && k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      if (p->kind == PART_TEXT)
        err = put_block(e, &r->items[i], k);
      else if (p->kind == PART_IMAGE || p->kind == PART_DOCUMENT)
        err = dialect_refuse(r, &r->items[i], p, e->info, "the anthropic API takes only text in a system prompt");
    }
  json_out_end(e->out, ']');
  return err;
}

struct result {
  size_t order; /* of its call; SIZE_MAX: none in the turn before */
  size_t item, part;
};

static int compare_results(const void *a, const void *b) {
  const struct result *x = a, *y = b;
  if (x->order != y->order) return x->order < y->order ? -1 : 1;
  if (x->item != y->item) return x->item < y->item ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
}

/* Where each call of the turn [from, to) stands: id -> 1 + number. */
static enum err index_calls(const struct anthropic_encoder *e, size_t from, size_t to, struct map *calls) {
  uintptr_t n = 0;
  for (size_t i = from; i < to; i++)
    for (size_t k = 0; k < e->r->items[i].part_count; k++) {
      const struct request_part *p = &e->r->items[i].parts[k];
      if (p->kind != PART_TOOL_CALL) continue;
      if (!map_put(calls, anthropic_call_id(e, p), (void *)++n)) return ERR_NO_MEMORY;
    }
  return OK;
}

/* The results of the turn [from, to), in the order of the calls in the turn [calls_from, from). */
static enum err put_results(const struct anthropic_encoder *e, size_t calls_from, size_t from, size_t to) {
  const struct request *r = e->r;
  struct result *results = NULL;
  struct map calls;
  size_t count = 0, n = 0;
  for (size_t i = from; i < to; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) count += r->items[i].parts[k].kind == PART_TOOL_RESULT;
  if (!count) return OK;
  if (!(results = ARENA_NEW_ARRAY(e->arena, struct result, count))) return ERR_NO_MEMORY;
  map_init(&calls, e->arena);
  enum err err = index_calls(e, calls_from, from, &calls);
  for (size_t i = from; i < to; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      if (p->kind != PART_TOOL_RESULT) continue;
      uintptr_t at = (uintptr_t)map_get(&calls, anthropic_call_id(e, p));
      results[n++] = (struct result){at ? at - 1 : SIZE_MAX, i, k};
    }
  qsort(results, n, sizeof *results, compare_results);
  for (size_t i = 0; !err && i < n; i++) err = put_block(e, &r->items[results[i].item], results[i].part);
  return err;
}

static bool is_assistant(const struct request_item *item) { return item->role == ROLE_ASSISTANT; }

static void begin_turn(const struct anthropic_encoder *e, struct str role) {
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "role", role);
  json_out_key(e->out, "content");
  json_out_begin(e->out, '[');
}

/* The user's turn that a conversation lacks at its start. */
static void put_opening(const struct anthropic_encoder *e) {
  begin_turn(e, STR("user"));
  json_out_raw(e->out, STR("{\"type\":\"text\",\"text\":\".\"}")); /* it has to say something */
  json_out_end(e->out, ']');
  json_out_end(e->out, '}');
}

/* The items [from, to) as one turn; nothing where none of them says anything. */
static enum err put_turn(const struct anthropic_encoder *e, size_t calls_from, size_t from, size_t to) {
  const struct request *r = e->r;
  size_t before = e->out->n;
  bool is_last = to == r->item_count;
  begin_turn(e, is_assistant(&r->items[from]) ? STR("assistant") : STR("user"));
  size_t empty = e->out->n;
  enum err err = is_assistant(&r->items[from]) ? OK : put_results(e, calls_from, from, to);
  for (size_t i = from; !err && i < to; i++)
    for (size_t k = 0; !err && k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      bool is_end = is_last && is_assistant(&r->items[i]) && i + 1 == to && k + 1 == r->items[i].part_count;
      if (p->kind == PART_TOOL_RESULT && !is_assistant(&r->items[i])) continue;
      if (is_end && p->kind == PART_TEXT) { /* the vendor refuses a beginning of its answer that ends in white space */
        struct request_part cut = *p;
        while (cut.text.n && strchr(" \t\r\n", cut.text.p[cut.text.n - 1])) cut.text.n--;
        err = anthropic_encode_block(e, &r->items[i], &cut);
      } else {
        err = put_block(e, &r->items[i], k);
      }
    }
  if (e->out->n == empty) {
    e->out->n = before;
    return err;
  }
  json_out_end(e->out, ']');
  json_out_end(e->out, '}');
  return err;
}

static enum err put_turns(const struct anthropic_encoder *e, size_t first) {
  const struct request *r = e->r;
  enum err err = OK;
  json_out_key(e->out, "messages");
  json_out_begin(e->out, '[');
  size_t start = e->out->n, before = first;
  if (first < r->item_count && is_assistant(&r->items[first])) put_opening(e);
  for (size_t i = first; !err && i < r->item_count;) {
    size_t end = i + 1;
    while (end < r->item_count && is_assistant(&r->items[end]) == is_assistant(&r->items[i])) end++;
    err = put_turn(e, before, i, end);
    before = i;
    i = end;
  }
  if (!err && e->out->n == start && first) put_opening(e); /* a system prompt alone */
  if (!err && e->out->n == start)
    return dialect_refuse(r, NULL, NULL, e->info, "the anthropic API takes no conversation without a message");
  json_out_end(e->out, ']');
  return err;
}

enum err anthropic_encode_items(const struct anthropic_encoder *e) {
  size_t first = 0;
  if (e->is_own) return put_own(e);
  enum err err = put_system(e, &first);
  return err ? err : put_turns(e, first);
}
