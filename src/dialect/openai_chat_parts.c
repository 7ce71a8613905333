/* Open parts of an OpenAI answer: see openai_chat_parts.h. OpenAI tells parts apart by where in a delta they stand, and
 * calls by `index`; what servers leave out or repeat of that is mended here. */
#include "dialect/openai_chat_parts.h"

#include "dialect/tool_name.h"

static bool is_text(unsigned kind) {
  return kind == PART_TEXT || kind == PART_REASONING || kind == PART_REASONING_SUMMARY || kind == PART_REFUSAL;
}

static enum err put(struct openai_chat_reading *r, enum event_kind kind, const struct openai_chat_open *o,
                    struct str bytes) {
  struct event e = {.kind = kind, .part = o->part, .choice = o->choice, .part_kind = (enum part_kind)o->kind};
  e.bytes = bytes;
  return event_put(r->sink, &e, r->info);
}

static enum err close_at(struct openai_chat_reading *r, uint32_t i) {
  struct openai_chat_parts *p = r->parts;
  struct openai_chat_open o = p->open[i];
  memmove(&p->open[i], &p->open[i + 1], (p->open_count - i - 1) * sizeof o);
  p->open_count--;
  return put(r, EVENT_CLOSE, &o, STR_NONE);
}

/* Closes the choice's open parts: all, or the texts only. */
static enum err close_those(struct openai_chat_reading *r, uint32_t choice, bool only_texts) {
  enum err e = OK;
  for (uint32_t i = 0; !e && i < r->parts->open_count;) {
    const struct openai_chat_open *o = &r->parts->open[i];
    if (o->choice == choice && (!only_texts || is_text(o->kind)))
      e = close_at(r, i);
    else
      i++;
  }
  return e;
}

enum err openai_chat_parts_close(struct openai_chat_reading *r, uint32_t choice) {
  return close_those(r, choice, false);
}

uint32_t openai_chat_parts_last(const struct openai_chat_parts *p, uint32_t choice) {
  for (uint32_t i = p->open_count; i-- > 0;)
    if (p->open[i].choice == choice) return p->open[i].part;
  return UINT32_MAX;
}

static struct openai_chat_open *find_kind(struct openai_chat_parts *p, uint32_t choice, enum part_kind kind) {
  for (uint32_t i = 0; i < p->open_count; i++)
    if (p->open[i].choice == choice && p->open[i].kind == kind) return &p->open[i];
  return NULL;
}

/* event: filled but for its numbers. */
static enum err open_part(struct openai_chat_reading *r, struct event *event, struct openai_chat_open **out) {
  struct openai_chat_parts *p = r->parts;
  if (p->open_count == OPENAI_CHAT_OPEN_MAX)
    return err_set(r->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts at once");
  struct openai_chat_open *o = &p->open[p->open_count];
  *o = (struct openai_chat_open){.part = p->next_part, .choice = (uint8_t)event->choice};
  o->kind = (uint8_t)event->part_kind;
  event->kind = EVENT_OPEN;
  event->part = o->part;
  enum err e = event_put(r->sink, event, r->info);
  if (e) return e;
  p->next_part++;
  p->open_count++;
  *out = o;
  return OK;
}

static enum err ensure(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind,
                       struct openai_chat_open **out) {
  struct event event = {.choice = choice, .part_kind = kind};
  if ((*out = find_kind(r->parts, choice, kind))) return OK;
  enum err e = is_text(kind) ? close_those(r, choice, true) : OK;
  return e ? e : open_part(r, &event, out);
}

enum err openai_chat_parts_ensure(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, uint32_t *part) {
  struct openai_chat_open *o;
  enum err e = ensure(r, choice, kind, &o);
  if (!e) *part = o->part;
  return e;
}

enum err openai_chat_parts_text(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, struct str text) {
  struct openai_chat_open *o;
  if (text.n == 0) return OK;
  enum err e = ensure(r, choice, kind, &o);
  if (!e && kind == PART_REFUSAL) openai_chat_choices_add(&r->parts->refused, choice);
  return e ? e : put(r, EVENT_DELTA, o, text);
}

enum err openai_chat_parts_attach(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, uint32_t part,
                                  enum event_attachment what, struct str bytes, struct str origin) {
  struct event e = {.kind = EVENT_ATTACH, .part = part, .choice = choice, .part_kind = kind, .attachment = what};
  bool is_raw = what == ATTACH_CITATION || what == ATTACH_LOGPROBS;
  *(is_raw ? &e.raw : &e.bytes) = bytes;
  e.dialect = origin;
  return event_put(r->sink, &e, r->info);
}

enum err openai_chat_parts_whole(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, struct str mime,
                                 struct str bytes, const struct signature *signature) {
  struct event event = {.choice = choice, .part_kind = kind, .mime = mime};
  struct openai_chat_open *o;
  enum err e = close_those(r, choice, true);
  if (!e) e = open_part(r, &event, &o);
  if (!e && bytes.n) e = put(r, EVENT_DELTA, o, bytes);
  if (!e && signature)
    e = openai_chat_parts_attach(r, choice, kind, o->part, ATTACH_SIGNATURE, signature->bytes, signature->origin);
  return e ? e : close_at(r, r->parts->open_count - 1);
}

/* ---- tool calls ---- */

/* Never 0. */
static uint64_t hash_of(struct str id) { return id.n ? str_hash(id, 0) | 1 : 0; }

/* Which open call a piece goes on with; NULL: it begins one. By index where there is one, but a name with another id is
 * another call (servers that number every call 0); else by id; else a piece without a name goes on with the last. */
static struct openai_chat_open *find_call(struct openai_chat_parts *p, uint32_t choice,
                                          const struct openai_chat_call *c) {
  uint64_t hash = hash_of(c->id);
  for (uint32_t i = p->open_count; i-- > 0;) {
    struct openai_chat_open *o = &p->open[i];
    if (o->choice != choice || o->kind != PART_TOOL_CALL) continue;
    if (c->index != OPENAI_CHAT_INDEX_NONE) {
      bool is_another = c->name.n && hash && o->id_hash && hash != o->id_hash;
      if (o->index == c->index && !is_another) return o;
    } else if (hash ? o->id_hash == hash : !c->name.n) {
      return o;
    }
  }
  return NULL;
}

static enum err open_call(struct openai_chat_reading *r, uint32_t choice, const struct openai_chat_call *c,
                          struct openai_chat_open **out) {
  struct event event = {.choice = choice, .part_kind = PART_TOOL_CALL, .id = c->id};
  if (!c->name.n) return dialect_bad_reply(r->info, "a tool call has no name");
  event.name = tool_name_declared(r->x->request, STR("openai_chat"), c->name);
  event.tool_kind = c->is_custom ? TOOL_CUSTOM : TOOL_FUNCTION;
  if (!dialect_is_call_id(event.id)) event.id = dialect_make_id(r->x, "call_", r->parts->invented++);
  if (!event.id.p) return ERR_NO_MEMORY;
  enum err e = close_those(r, choice, true);
  if (!e) e = open_part(r, &event, out);
  if (e) return e;
  (*out)->index = c->index;
  (*out)->id_hash = hash_of(c->id);
  openai_chat_choices_add(&r->parts->called, choice);
  return OK;
}

enum err openai_chat_parts_call(struct openai_chat_reading *r, uint32_t choice, const struct openai_chat_call *call) {
  struct openai_chat_open *o = find_call(r->parts, choice, call);
  enum err e = OK;
  if (!o && !call->name.n && !call->text.n) return OK; /* says nothing yet */
  if (!o) e = open_call(r, choice, call, &o);
  return e || !call->text.n ? e : put(r, EVENT_DELTA, o, call->text);
}
