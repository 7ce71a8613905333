/* A whole answer from events: see answer.h. */
#include "llm/answer.h"

enum { PARTS_AT_ONCE = 8 };

void answer_init(struct answer *a, struct arena *arena, size_t limit_bytes) {
  memset(a, 0, sizeof *a); /* too large for a literal on the stack */
  a->arena = arena;
  a->limit_bytes = limit_bytes;
  a->choice_count = 1;
}

void answer_clear(struct answer *a) {
  for (size_t i = 0; i < a->part_count; i++) {
    buf_clear(&a->parts[i].text);
    buf_clear(&a->parts[i].citations);
  }
  for (size_t i = 0; a->logprobs && i < ANSWER_CHOICES_MAX; i++) buf_clear(&a->logprobs[i]);
  a->part_count = 0;
}

void answer_merge_usage(struct usage *to, const struct usage *from) {
  for (int i = 0; i < USAGE_CLASSES; i++)
    if (usage_has(from, (enum usage_class)i)) usage_set(to, (enum usage_class)i, from->tokens[i]);
  to->is_estimated = to->is_estimated || from->is_estimated;
}

static bool hold(struct answer *a, size_t n) {
  a->held_bytes += n;
  return a->limit_bytes == 0 || a->held_bytes <= a->limit_bytes;
}

static bool keep(struct answer *a, struct str s, struct str *out) {
  if (s.n == 0) return true;
  struct str copy = arena_dup(a->arena, s);
  if (!copy.p) return false;
  *out = copy;
  return true;
}

static enum err see_choice(struct answer *a, uint32_t choice) {
  if (choice >= ANSWER_CHOICES_MAX) return ERR_UPSTREAM_TOO_LARGE;
  if (choice >= a->choice_count) a->choice_count = choice + 1;
  return OK;
}

static enum err open_part(struct answer *a, const struct event *e) {
  if (e->part != a->part_count) return ERR_UPSTREAM_PROTOCOL;
  if (see_choice(a, e->choice)) return ERR_UPSTREAM_TOO_LARGE;
  if (a->part_count == ANSWER_PARTS_MAX) return ERR_UPSTREAM_TOO_LARGE;
  if (a->part_count == a->part_room) {
    size_t room = a->part_room ? a->part_room * 2 : PARTS_AT_ONCE;
    struct answer_part *v = arena_realloc(a->arena, a->parts, a->part_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    a->parts = v;
    a->part_room = room;
  }
  struct answer_part *p = &a->parts[a->part_count];
  *p = (struct answer_part){.kind = e->part_kind, .choice = e->choice, .tool_kind = e->tool_kind};
  buf_init(&p->text, 0);
  buf_init(&p->citations, 0);
  if (!hold(a, e->raw.n + e->id.n + e->item_id.n + e->name.n + e->namespace.n + e->mime.n))
    return ERR_UPSTREAM_TOO_LARGE;
  bool kept = keep(a, e->id, &p->id) && keep(a, e->item_id, &p->item_id) && keep(a, e->name, &p->name) &&
              keep(a, e->namespace, &p->namespace) && keep(a, e->mime, &p->mime) && keep(a, e->raw, &p->raw) &&
              keep(a, e->dialect, &p->raw_dialect);
  if (!kept) return ERR_NO_MEMORY;
  a->part_count++;
  return OK;
}

static enum err add_element(struct buf *list, struct str raw) {
  if (list->n) buf_put_char(list, ',');
  buf_put(list, raw);
  return list->failed ? ERR_NO_MEMORY : OK;
}

static enum err add_logprobs(struct answer *a, uint32_t choice, struct str raw) {
  if (!a->logprobs) {
    a->logprobs = ARENA_NEW_ARRAY(a->arena, struct buf, ANSWER_CHOICES_MAX);
    for (size_t i = 0; a->logprobs && i < ANSWER_CHOICES_MAX; i++) buf_init(&a->logprobs[i], 0);
  }
  return a->logprobs ? add_element(&a->logprobs[choice], raw) : ERR_NO_MEMORY;
}

struct str answer_logprobs(const struct answer *a, uint32_t choice) {
  return a->logprobs && choice < ANSWER_CHOICES_MAX ? buf_str(&a->logprobs[choice]) : STR_NONE;
}

static enum err attach(struct answer *a, struct answer_part *p, const struct event *e) {
  if (!hold(a, e->bytes.n + e->raw.n)) return ERR_UPSTREAM_TOO_LARGE;
  switch (e->attachment) {
    case ATTACH_SIGNATURE:
      return keep(a, e->bytes, &p->signature.bytes) && keep(a, e->dialect, &p->signature.origin) ? OK : ERR_NO_MEMORY;
    case ATTACH_CITATION:
      if (!p->raw_dialect.n && !keep(a, e->dialect, &p->raw_dialect)) return ERR_NO_MEMORY;
      return add_element(&p->citations, e->raw);
    case ATTACH_LOGPROBS: return add_logprobs(a, p->choice, e->raw);
    case ATTACH_AUDIO_ID: return keep(a, e->bytes, &p->id) ? OK : ERR_NO_MEMORY;
  }
  return OK;
}

static enum err stop(struct answer *a, const struct event *e) {
  if (see_choice(a, e->choice) || !hold(a, e->native.n + e->text.n)) return ERR_UPSTREAM_TOO_LARGE;
  struct answer_stop *s = &a->stops[e->choice];
  s->is_set = true;
  s->reason = e->reason;
  return keep(a, e->native, &s->native) && keep(a, e->text, &s->sequence) ? OK : ERR_NO_MEMORY;
}

static enum err put(void *arg, const struct event *e, struct err_info *info) {
  struct answer *a = arg;
  bool is_of_part = e->kind == EVENT_DELTA || e->kind == EVENT_ATTACH || e->kind == EVENT_CLOSE;
  if (is_of_part && e->part >= a->part_count)
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider's answer goes on with a part that was never begun");
  switch (e->kind) {
    case EVENT_START:
      if (!hold(a, e->id.n + e->name.n)) return ERR_UPSTREAM_TOO_LARGE;
      a->created_s = e->created_s;
      return keep(a, e->id, &a->id) && keep(a, e->name, &a->model) ? OK : ERR_NO_MEMORY;
    case EVENT_OPEN: return open_part(a, e);
    case EVENT_DELTA:
      if (!hold(a, e->bytes.n)) return ERR_UPSTREAM_TOO_LARGE;
      buf_put(&a->parts[e->part].text, e->bytes);
      return a->parts[e->part].text.failed ? ERR_NO_MEMORY : OK;
    case EVENT_ATTACH: return attach(a, &a->parts[e->part], e);
    case EVENT_CLOSE: a->parts[e->part].is_closed = true; return OK;
    case EVENT_USAGE:
      a->has_usage = true;
      answer_merge_usage(&a->usage, e->usage);
      return OK;
    case EVENT_STOP: return stop(a, e);
    case EVENT_END: a->is_ended = true; return OK;
    case EVENT_ERROR: return ERR_INTERNAL;
    default: return OK;
  }
}

struct event_sink answer_sink(struct answer *a) {
  return (struct event_sink){a, put};
}
