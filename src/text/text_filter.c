/* Between an upstream's events and the caller's: see text_filter.h. A text goes through leak guard, think tags and tool
 * text, in this order; thoughts through guard and tool text; a refusal through the guard. */
#include "text/text_filter.h"

#include <stdio.h>

/* A text part of the answer, from its beginning to its end. */
struct text_channel {
  struct text_channel *next;
  struct text_filter *filter;
  struct event open; /* as it came; its texts are copies */
  bool has_leak, has_think, has_tool;
  struct guard_leak leak;
  struct think_split think;
  struct buf whole; /* of a whole reply: think tags are looked for in all of it at once */
  struct tool_text tool;
  /* the part that goes out */
  bool is_open, was_open;
  bool is_closing; /* it is closed, but how the answer ends decides what the rest of its text is */
  enum part_kind kind;
  uint32_t part;
};

enum {
  PARTS_AT_ONCE = 8,
  JOIN_BYTES = 128,            /* a delta of so many is not told in pieces, which markup would make many */
  JOINED_KEPT_BYTES = 64 << 10 /* memory that is kept for the next */
};

void text_filter_init(struct text_filter *f, struct arena *a, const struct text_filter_options *options) {
  *f = (struct text_filter){.options = *options, .arena = a};
  guard_runaway_init(&f->runaway, &options->runaway_limits);
}

static void clear_machines(struct text_channel *c) {
  if (c->has_leak) guard_leak_clear(&c->leak);
  buf_clear(&c->whole);
  if (c->has_tool) tool_text_clear(&c->tool);
  c->has_leak = c->has_think = c->has_tool = false;
}

void text_filter_clear(struct text_filter *f) {
  for (struct text_channel *c = f->channels; c; c = c->next) clear_machines(c);
  f->channels = f->current = NULL;
  guard_runaway_clear(&f->runaway);
  buf_clear(&f->joined);
}

static enum err put(struct text_filter *f, const struct event *event) { return event_put(f->down, event, f->info); }

/* ---- what goes out of a text part ---- */

static enum err put_delta(struct text_channel *c, struct str bytes) {
  return put(c->filter, &(struct event){.kind = EVENT_DELTA,
                                        .part = c->part,
                                        .choice = c->open.choice,
                                        .part_kind = c->kind,
                                        .bytes = bytes,
                                        .dialect = c->open.dialect});
}

static enum err put_joined(struct text_channel *c) {
  struct buf *joined = &c->filter->joined;
  if (joined->n == 0) return OK;
  enum err e = put_delta(c, buf_str(joined));
  buf_reset(joined);
  if (joined->cap > JOINED_KEPT_BYTES) buf_clear(joined);
  return e;
}

static enum err end_joining(struct text_channel *c, enum err e) {
  c->filter->is_joining = false;
  enum err sent = put_joined(c);
  return e ? e : sent;
}

static enum err close_out(struct text_channel *c) {
  if (!c->is_open) return OK;
  enum err e = put_joined(c);
  if (e) return e;
  c->is_open = false;
  return put(c->filter, &(struct event){.kind = EVENT_CLOSE,
                                        .part = c->part,
                                        .choice = c->open.choice,
                                        .part_kind = c->kind,
                                        .dialect = c->open.dialect});
}

/* The first part that goes out is the one that came in, where it is of its kind. */
static enum err open_out(struct text_channel *c, enum part_kind kind) {
  if (c->is_open && c->kind == kind) return OK;
  enum err e = close_out(c);
  if (e) return e;
  struct event open = {.choice = c->open.choice, .dialect = c->open.dialect};
  if (!c->was_open && kind == c->open.part_kind) open = c->open;
  open.kind = EVENT_OPEN;
  open.part_kind = kind;
  open.part = c->part = c->filter->parts_out++;
  c->kind = kind;
  c->is_open = c->was_open = true;
  return put(c->filter, &open);
}

static enum err put_text(struct text_channel *c, enum part_kind kind, struct str bytes) {
  enum err e = open_out(c, kind);
  if (e || !c->filter->is_joining) return e ? e : put_delta(c, bytes);
  buf_put(&c->filter->joined, bytes);
  return c->filter->joined.failed ? ERR_NO_MEMORY : OK;
}

/* Of the function that the machine has found by its name: the first of that name. */
static struct str namespace_of(const struct text_channel *c, struct str name) {
  const struct request *r = c->tool.request;
  for (size_t i = 0; r && i < r->tool_count; i++)
    if (r->tools[i].kind == TOOL_FUNCTION && str_eq(r->tools[i].name, name)) return r->tools[i].namespace;
  return STR_NONE;
}

/* A call that was found in text, whole, as a part of its own. */
static enum err put_call(struct text_channel *c, const struct text_piece *piece) {
  struct text_filter *f = c->filter;
  uint32_t choice = c->open.choice, part = f->parts_out++;
  char id[96];
  int n = snprintf(id, sizeof id, "call_%.*s_t%u", STR_ARG(f->options.id_base), f->calls++);
  struct event event = {.kind = EVENT_OPEN,
                        .part = part,
                        .choice = choice,
                        .part_kind = PART_TOOL_CALL,
                        .id = str_from(id, n < (int)sizeof id ? (size_t)n : sizeof id - 1),
                        .name = piece->name,
                        .namespace = namespace_of(c, piece->name)};
  f->called[choice / 64] |= UINT64_C(1) << choice % 64;
  enum err e = put(f, &event);
  event = (struct event){.kind = EVENT_DELTA, .part = part, .choice = choice, .part_kind = PART_TOOL_CALL};
  event.bytes = piece->bytes;
  if (!e) e = put(f, &event);
  event.kind = EVENT_CLOSE;
  event.bytes = STR_NONE;
  return e ? e : put(f, &event);
}

static enum err take_piece(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct text_channel *c = arg;
  (void)info;
  if (piece->kind == TEXT_PIECE_TEXT) return put_text(c, c->open.part_kind, piece->bytes);
  if (piece->kind == TEXT_PIECE_REASONING) {
    c->filter->has_changed = c->filter->has_changed || c->open.part_kind != PART_REASONING;
    return put_text(c, PART_REASONING, piece->bytes);
  }
  c->filter->has_changed = true;
  enum err e = close_out(c);
  return e ? e : put_call(c, piece);
}

/* ---- the machines, one behind the other ---- */

static enum err feed_tool(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct text_channel *c = arg;
  const struct text_sink out = {c, take_piece};
  /* The thoughts of an inline think block are no place for calls. */
  if (!c->has_tool || piece->kind != TEXT_PIECE_TEXT) return take_piece(c, piece, info);
  return tool_text_feed(&c->tool, piece->bytes, &out, info);
}

static enum err feed_think(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct text_channel *c = arg;
  const struct text_sink out = {c, feed_tool};
  if (!c->has_think) return feed_tool(c, piece, info);
  if (!c->filter->options.is_whole) return think_split_feed(&c->think, piece->bytes, &out, info);
  buf_put(&c->whole, piece->bytes);
  return c->whole.failed ? ERR_NO_MEMORY : OK;
}

static enum err feed(struct text_channel *c, struct str bytes, struct err_info *info) {
  const struct text_sink out = {c, feed_think};
  if (c->has_leak) return guard_leak_feed(&c->leak, bytes, &out, info);
  return text_put(&out, TEXT_PIECE_TEXT, bytes, info);
}

/* The text is over, or was cut off: what is held back is decided. What might still come for it passes as it is. */
static enum err end_machines(struct text_channel *c, bool is_cut, struct err_info *info) {
  const struct text_sink to_think = {c, feed_think}, to_tool = {c, feed_tool}, out = {c, take_piece};
  c->filter->is_joining = !c->filter->options.is_whole;
  enum err e = c->has_leak ? guard_leak_end(&c->leak, &to_think, info) : OK;
  const struct think_split_options think = {c->filter->options.starts_in_think};
  if (!e && c->has_think)
    e = c->filter->options.is_whole ? think_split_whole(buf_str(&c->whole), &think, &to_tool, info)
                                    : think_split_end(&c->think, &to_tool, info);
  if (!e && c->has_tool) e = is_cut ? tool_text_cut(&c->tool, &out, info) : tool_text_end(&c->tool, &out, info);
  clear_machines(c);
  return end_joining(c, e);
}

/* ---- parts ---- */

static bool is_text(enum part_kind kind) { return kind == PART_TEXT || kind == PART_REASONING || kind == PART_REFUSAL; }

static struct str keep(struct text_filter *f, struct str s, bool *failed) {
  struct str copy = s.n ? arena_dup(f->arena, s) : STR_NONE;
  *failed = *failed || (s.n && !copy.p);
  return copy;
}

static struct text_channel *find(struct text_filter *f, uint32_t part) {
  if (f->current && f->current->open.part == part) return f->current;
  struct text_channel *c = f->channels;
  while (c && c->open.part != part) c = c->next;
  return c;
}

static enum err open_channel(struct text_filter *f, const struct event *event) {
  const struct text_filter_options *o = &f->options;
  struct text_channel *c = ARENA_NEW(f->arena, struct text_channel);
  bool failed = false;
  if (!c) return ERR_NO_MEMORY;
  c->filter = f;
  c->open = *event;
  c->open.id = keep(f, event->id, &failed);
  c->open.item_id = keep(f, event->item_id, &failed);
  c->open.name = keep(f, event->name, &failed);
  c->open.raw = keep(f, event->raw, &failed);
  c->open.mime = c->open.namespace = STR_NONE;
  if (failed) return ERR_NO_MEMORY;
  c->has_leak = o->leak;
  c->has_think = o->think && event->part_kind == PART_TEXT;
  c->has_tool = o->tool_text && event->part_kind != PART_REFUSAL;
  if (c->has_leak) guard_leak_init(&c->leak, TEXT_PIECE_TEXT);
  const struct think_split_options think = {o->starts_in_think};
  think_split_init(&c->think, &think);
  buf_init(&c->whole, 0);
  const struct tool_text_options tool = {
      .source = o->tools, .is_reasoning = event->part_kind == PART_REASONING, .holds_space = o->is_whole};
  if (c->has_tool) tool_text_init(&c->tool, &tool);
  struct text_channel **at = &f->channels;
  while (*at) at = &(*at)->next;
  *at = c;
  return OK;
}

static enum err map_part(struct text_filter *f, uint32_t to) {
  if (f->parts_in == f->part_room) {
    size_t room = f->part_room ? 2 * (size_t)f->part_room : PARTS_AT_ONCE;
    uint32_t *v = arena_realloc(f->arena, f->part_of, f->part_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    f->part_of = v;
    f->part_room = (uint32_t)room;
  }
  f->part_of[f->parts_in++] = to;
  return OK;
}

/* An empty part is said, too, where nothing else was made of it. */
static enum err close_channel(struct text_channel *c, bool is_cut) {
  struct text_filter *f = c->filter;
  enum err e = end_machines(c, is_cut, f->info);
  bool is_bare = !c->was_open && (f->called[c->open.choice / 64] & UINT64_C(1) << c->open.choice % 64) == 0;
  if (!e && is_bare) e = open_out(c, c->open.part_kind);
  if (!e) e = close_out(c);
  struct text_channel **at = &f->channels;
  while (*at != c) at = &(*at)->next;
  *at = c->next;
  if (f->current == c) f->current = NULL;
  return e;
}

/* Before the answer's end is known; what other machines hold may be a call's beginning, too. */
static bool has_doubt(const struct text_channel *c) {
  return c->has_tool && (!tool_text_is_idle(&c->tool) || c->whole.n || (c->has_leak && !guard_leak_is_idle(&c->leak)));
}

/* Parts of a choice that wait for the answer's end are closed; with is_over the others' text is over, too. */
static enum err settle(struct text_filter *f, uint32_t choice, bool is_over, bool is_cut) {
  enum err e = OK;
  for (struct text_channel *c = f->channels, *next; c && !e; c = next) {
    next = c->next;
    if (c->open.choice != choice) continue;
    if (c->is_closing)
      e = close_channel(c, is_cut);
    else if (is_over)
      e = end_machines(c, is_cut, f->info);
  }
  return e;
}

static enum err take_open(struct text_filter *f, const struct event *event) {
  /* What follows keeps its place: before a call all text is decided, in a whole reply before anything. */
  enum err failed = settle(f, event->choice, f->options.is_whole || !is_text(event->part_kind), false);
  if (failed) return failed;
  if (event->part != f->parts_in || f->parts_in == ANSWER_PARTS_MAX)
    return err_set(f->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts");
  if (is_text(event->part_kind)) {
    enum err e = map_part(f, UINT32_MAX);
    return e ? e : open_channel(f, event);
  }
  struct event out = *event;
  out.part = f->parts_out++;
  enum err e = map_part(f, out.part);
  return e ? e : put(f, &out);
}

/* Most text is nothing but text: one look at its bytes, and the machines have had it. False: they have to be fed. */
static bool is_passed(struct text_channel *c, struct str text) {
  if (!c->is_open || c->kind != c->open.part_kind || text.n == 0) return false;
  if (c->has_think && !think_split_is_idle(&c->think)) return false;
  if (!c->has_leak && !c->has_tool) return true;
  const struct text_look look = text_look(text);
  if (c->has_leak && !guard_leak_may_pass(&c->leak, &look)) return false;
  if (c->has_tool && !tool_text_pass(&c->tool, text, &look)) return false;
  if (c->has_leak) guard_leak_pass(&c->leak, text, &look);
  return true;
}

static enum err pass_on(struct text_filter *f, const struct event *event, uint32_t part) {
  if (part == event->part) return put(f, event);
  struct event out = *event;
  out.part = part;
  return put(f, &out);
}

static enum err take_of_part(struct text_filter *f, const struct event *event) {
  struct text_channel *c = find(f, event->part);
  if (c && event->kind == EVENT_DELTA) {
    f->current = c;
    if (is_passed(c, event->bytes)) return pass_on(f, event, c->part);
    f->is_joining = event->bytes.n >= JOIN_BYTES && !f->options.is_whole;
    return end_joining(c, feed(c, event->bytes, f->info));
  }
  if (c && event->kind == EVENT_CLOSE) {
    c->is_closing = has_doubt(c);
    return c->is_closing ? OK : close_channel(c, false);
  }
  if (c) {
    enum err e = c->is_open ? OK : open_out(c, c->open.part_kind);
    if (e) return e;
    struct event out = *event;
    out.part = c->part;
    out.part_kind = c->kind;
    return put(f, &out);
  }
  bool is_over = event->part < f->parts_in && f->part_of[event->part] == UINT32_MAX;
  if (event->part >= f->parts_in || (is_over && event->kind == EVENT_DELTA))
    return err_set(f->info, ERR_UPSTREAM_PROTOCOL, "the provider's answer goes on with a part that is not open");
  return is_over ? OK : pass_on(f, event, f->part_of[event->part]);
}

static enum err take_stop(struct text_filter *f, const struct event *event) {
  struct event out = *event;
  bool is_cut = event->reason == STOP_LENGTH || event->reason == STOP_CONTEXT || event->reason == STOP_FILTER;
  enum err e = settle(f, event->choice, true, is_cut);
  if (e) return e;
  f->has_stopped = true;
  bool has_called = f->called[event->choice / 64] & UINT64_C(1) << event->choice % 64;
  if (has_called && (out.reason == STOP_END || out.reason == STOP_SEQUENCE)) {
    out.reason = STOP_TOOL_CALLS;
    out.native = out.dialect = out.text = STR_NONE;
  }
  return put(f, &out);
}

static enum err end_all(struct text_filter *f, bool is_cut) {
  enum err e = OK;
  for (struct text_channel *c = f->channels, *next; c && !e; c = next) {
    next = c->next;
    e = c->is_closing ? close_channel(c, is_cut) : end_machines(c, is_cut, f->info);
  }
  return e;
}

enum err text_filter_put(struct text_filter *f, const struct event *event, const struct event_sink *down,
                         struct err_info *info) {
  enum err e = OK;
  f->down = down;
  f->info = info;
  if (event->choice >= ANSWER_CHOICES_MAX)
    return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the answer has too many choices");
  if (event->kind == EVENT_DELTA && f->options.runaway) e = guard_runaway_add(&f->runaway, event->bytes, info);
  if (event->kind == EVENT_ATTACH && f->options.runaway)
    e = guard_runaway_count(&f->runaway, 1, event->bytes.n + event->raw.n, info);
  if (e) return e;
  switch (event->kind) {
    case EVENT_OPEN: return take_open(f, event);
    case EVENT_DELTA:
    case EVENT_ATTACH:
    case EVENT_CLOSE: return take_of_part(f, event);
    case EVENT_STOP: return take_stop(f, event);
    case EVENT_END: e = end_all(f, false); return e ? e : put(f, event);
    default: return put(f, event);
  }
}

enum err text_filter_release(struct text_filter *f, const struct event_sink *down, struct err_info *info) {
  f->down = down;
  f->info = info;
  return end_all(f, true);
}

bool text_filter_is_idle(const struct text_filter *f) {
  if (f->parts_out == 0 && !f->has_stopped) return false;
  for (const struct text_channel *c = f->channels; c; c = c->next) {
    if (!c->was_open) return false;
    if (c->has_leak && !guard_leak_is_idle(&c->leak)) return false;
    if (c->has_think && !think_split_is_idle(&c->think)) return false;
    if (c->has_tool && !tool_text_is_idle(&c->tool)) return false;
  }
  return true;
}

bool text_filter_pass(struct text_filter *f, enum part_kind kind, struct str text, enum err *e, struct err_info *info) {
  struct text_channel *c = f->current;
  if (!c || c->open.part_kind != kind || !is_passed(c, text)) return false;
  *e = f->options.runaway ? guard_runaway_add(&f->runaway, text, info) : OK;
  return true;
}

size_t text_filter_held_bytes(const struct text_filter *f) {
  size_t bytes = f->joined.cap + (f->runaway.tail ? GUARD_RUNAWAY_WINDOW : 0);
  for (const struct text_channel *c = f->channels; c; c = c->next)
    bytes += (c->has_leak ? c->leak.held.cap : 0) + c->whole.cap +
             (c->has_tool ? c->tool.held.cap + c->tool.args.cap + c->tool.pool.cap : 0);
  return bytes;
}
