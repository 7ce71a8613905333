/* Calls and results that came without an id get one: see request.h. Ollama's and Gemini's older clients, OpenAI's
 * legacy functions and careless callers leave it out; every other dialect wants it. So does a call whose id is another
 * one's already, as servers have them that count anew in each answer. Used by call/translate.c before a request is
 * encoded for another dialect than its own.
 *
 * Invariant: a result looks at a bounded number of open calls, and a call at a bounded number of those before it, so a
 * hostile list costs no more than a long one. */
#include "llm/request.h"

enum { LOOKED_AT_MAX = 256 };

struct open_call {
  struct str id, said, name; /* said: the id as it came */
  uint64_t hash;             /* of said */
  struct request_place place;
  bool is_answered;
};

struct pairing {
  struct arena *arena;
  struct open_call *calls;
  size_t count, room, first; /* first: all before it are answered */
  unsigned made;
  struct request_place lone; /* the first result without a call */
  bool has_looked_at_all;
};

/* A word that callers' own ids hardly begin with. */
static enum err make_id(struct pairing *p, struct str *id) {
  *id = arena_printf(p->arena, "call_made_%u", p->made++);
  return id->p ? OK : ERR_NO_MEMORY;
}

static bool is_said_again(const struct pairing *p, const struct open_call *call) {
  size_t least = p->count > LOOKED_AT_MAX ? p->count - LOOKED_AT_MAX : 0;
  for (size_t i = p->count; i-- > least;)
    if (p->calls[i].hash == call->hash && str_eq(p->calls[i].said, call->said)) return true;
  return false;
}

static enum err add_call(struct pairing *p, const struct request_item *item, struct request_part *part) {
  enum err e = OK;
  if (p->count == p->room) {
    size_t room = p->room ? p->room * 2 : 16;
    struct open_call *v = arena_realloc(p->arena, p->calls, p->room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    p->calls = v;
    p->room = room;
  }
  struct open_call call = {.said = part->call_id, .name = part->name, .hash = str_hash(part->call_id, 0)};
  if (!call.said.n || is_said_again(p, &call)) e = make_id(p, &part->call_id);
  call.id = part->call_id;
  call.place = (struct request_place){item, part};
  if (!e) p->calls[p->count++] = call;
  return e;
}

static bool is_answer_to(const struct request_part *part, const struct open_call *call) {
  if (call->is_answered) return false;
  if (part->call_id.n) return str_eq(part->call_id, call->said);
  return !part->name.n || str_eq(part->name, call->name);
}

static enum err add_result(struct pairing *p, const struct request_item *item, struct request_part *part) {
  while (p->first < p->count && p->calls[p->first].is_answered) p->first++;
  for (size_t i = p->first; i < p->count && i - p->first < LOOKED_AT_MAX; i++) {
    if (!is_answer_to(part, &p->calls[i])) continue;
    p->calls[i].is_answered = true;
    part->call_id = p->calls[i].id;
    return OK;
  }
  if (p->count - p->first > LOOKED_AT_MAX) p->has_looked_at_all = false;
  if (!p->lone.part) p->lone = (struct request_place){item, part};
  return part->call_id.n ? OK : make_id(p, &part->call_id);
}

static struct request_place find_lone(const struct pairing *p) {
  const struct request_place none = {0};
  if (!p->has_looked_at_all || p->lone.part) return p->has_looked_at_all ? p->lone : none;
  for (size_t i = p->first; i < p->count; i++)
    if (!p->calls[i].is_answered) return p->calls[i].place;
  return none;
}

enum err request_pair_calls(struct arena *a, struct request *r, struct request_place *lone) {
  struct pairing p = {.arena = a, .has_looked_at_all = true};
  enum err e = OK;
  for (size_t i = 0; !e && i < r->item_count; i++)
    for (size_t k = 0; !e && k < r->items[i].part_count; k++) {
      const struct request_item *item = &r->items[i];
      struct request_part *part = &r->items[i].parts[k];
      if (part->kind == PART_TOOL_CALL) e = add_call(&p, item, part);
      if (part->kind == PART_TOOL_RESULT) e = add_result(&p, item, part);
    }
  if (lone) *lone = find_lone(&p);
  return e;
}
