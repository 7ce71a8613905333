/* Anthropic Messages, what pairs calls with results in a request from another dialect: ids and names on the wire. The
 * vendor wants both of certain letters only. A call or result without an id gets one: results follow their calls, so
 * that one goes to the first call still open (of the same name where the result tells it). */
#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/tool_name.h"

enum { PAIR_LOOK_MAX = 128 }; /* open calls looked at for one result: a bound on hostile lists */

struct open_call {
  struct str id, name;
  bool is_paired;
};

struct pairing {
  struct arena *arena;
  struct open_call *calls;
  size_t count, room, first; /* first: all before it are paired */
  unsigned made;
};

static bool is_wire_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void anthropic_put_tool_name(const struct anthropic_encoder *e, struct str group, struct str name) {
  struct str wire = e->is_own ? name : tool_name_wire(e->arena, group, name);
  if (name.n && !wire.p) e->out->failed = true;
  json_out_member_string(e->out, "name", wire);
}

static enum err wire_id(struct arena *a, struct str id, struct str *out) {
  size_t bad = 0;
  while (bad < id.n && is_wire_char(id.p[bad])) bad++;
  if (bad == id.n) {
    *out = id;
    return OK;
  }
  char *p = arena_alloc(a, id.n);
  if (!p) return ERR_NO_MEMORY;
  for (size_t i = 0; i < id.n; i++) p[i] = is_wire_char(id.p[i]) ? id.p[i] : '_';
  *out = str_from(p, id.n);
  return OK;
}

static enum err make_id(struct pairing *p, struct str *out) {
  *out = arena_printf(p->arena, "call_%u", ++p->made);
  return out->p ? OK : ERR_NO_MEMORY;
}

static enum err add_call(struct pairing *p, const struct request_part *part, struct str *id) {
  if (p->count == p->room) {
    size_t room = p->room ? p->room * 2 : 16;
    struct open_call *v = arena_realloc(p->arena, p->calls, p->room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    p->calls = v;
    p->room = room;
  }
  enum err e = part->call_id.n ? wire_id(p->arena, part->call_id, id) : make_id(p, id);
  if (!e) p->calls[p->count++] = (struct open_call){*id, part->name, false};
  return e;
}

/* The call that a result without an id belongs to. */
static enum err pair_unnamed(struct pairing *p, struct str name, struct str *id) {
  size_t end = p->count - p->first > PAIR_LOOK_MAX ? p->first + PAIR_LOOK_MAX : p->count;
  for (size_t i = p->first; i < end; i++) {
    if (p->calls[i].is_paired || (name.n && !str_eq(p->calls[i].name, name))) continue;
    p->calls[i].is_paired = true;
    *id = p->calls[i].id;
    return OK;
  }
  return make_id(p, id);
}

static enum err add_result(struct pairing *p, const struct request_part *part, struct str *id) {
  enum err e = OK;
  while (p->first < p->count && p->calls[p->first].is_paired) p->first++;
  if (!part->call_id.n) return pair_unnamed(p, part->name, id);
  e = wire_id(p->arena, part->call_id, id);
  size_t end = p->count - p->first > PAIR_LOOK_MAX ? p->first + PAIR_LOOK_MAX : p->count;
  for (size_t i = p->first; !e && i < end; i++) {
    if (p->calls[i].is_paired || !str_eq(p->calls[i].id, *id)) continue;
    p->calls[i].is_paired = true;
    break;
  }
  return e;
}

enum err anthropic_ids_make(struct anthropic_encoder *e) {
  const struct request *r = e->r;
  struct pairing p = {.arena = e->arena};
  struct anthropic_ids *ids = ARENA_NEW(e->arena, struct anthropic_ids);
  size_t total = 0;
  enum err err = OK;
  if (!ids || !(ids->first = ARENA_NEW_ARRAY(e->arena, size_t, r->item_count))) return ERR_NO_MEMORY;
  for (size_t i = 0; i < r->item_count; i++) {
    ids->first[i] = total;
    total += r->items[i].part_count;
  }
  if (!(ids->ids = ARENA_NEW_ARRAY(e->arena, struct str, total))) return ERR_NO_MEMORY;
  for (size_t i = 0; !err && i < r->item_count; i++)
    for (size_t k = 0; !err && k < r->items[i].part_count; k++) {
      const struct request_part *part = &r->items[i].parts[k];
      struct str *id = &ids->ids[ids->first[i] + k];
      if (part->kind == PART_TOOL_CALL) err = add_call(&p, part, id);
      if (part->kind == PART_TOOL_RESULT) err = add_result(&p, part, id);
    }
  if (!err) e->ids = ids;
  return err;
}

struct str anthropic_ids_get(const struct anthropic_encoder *e, const struct request_item *item,
                             const struct request_part *part) {
  if (!e->ids) return part->call_id;
  return e->ids->ids[e->ids->first[item - e->r->items] + (size_t)(part - item->parts)];
}
