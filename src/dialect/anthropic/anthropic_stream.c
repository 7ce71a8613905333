/* Anthropic Messages, the stream to a caller of this dialect.
 *
 * It has one block open at a time, with ascending indexes. So a part that another one comes upon is ended; where it
 * goes on later it gets another block. Only a tool call cannot be divided: what comes while one is open waits for its
 * end. Blocks of text and thinking begin with their first piece, as an empty one could not be sent back. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"

static bool is_thinking(enum part_kind kind) { return kind == PART_REASONING || kind == PART_REASONING_SUMMARY; }
static bool is_text(enum part_kind kind) { return kind == PART_TEXT || kind == PART_REFUSAL; }

static void put_type(struct buf *out, const char *type) { json_out_member_string(out, "type", str_from_c(type)); }

/* A part that is not done: the one whose block is open, or one that waits. */
struct pending {
  struct pending *next;
  uint32_t part;
  enum part_kind kind;
  bool is_begun;                  /* its block is open */
  bool is_closed;                 /* CLOSE has come */
  bool is_signed;                 /* its signature has been written */
  struct str id, name, namespace; /* of a call, in the arena */
  struct buf text;                /* what waits: text, or arguments; the node of a native block */
  struct buf citations;           /* each in its own array element's form, joined by commas */
  struct buf signature, origin;
};

struct encoder {
  bool is_hooked, is_begun, has_calls;
  uint32_t index;               /* of the block that is open, or of the next one */
  struct pending *first, *last; /* in order of opening; only the first may have its block open */
  struct pending *spare;
  size_t count;
  struct usage usage;
  struct str id; /* of the upstream's answer */
  bool has_stop;
  enum stop_reason reason;
  struct str native, stop_dialect, sequence; /* of the stop */
};
_Static_assert(sizeof(struct encoder) <= ANTHROPIC_ENCODER_BYTES, "the state is as large as its dialect says");

enum { PENDING_MAX = 4096, PENDING_BYTES_MAX = 64 << 20 };

struct writer {
  struct encoder *s;
  const struct dialect_exchange *x;
  struct buf *out;
  struct err_info *info;
};

static void begin_frame(const struct writer *w, const char *event) {
  buf_put(w->out, STR("event: "));
  buf_put(w->out, str_from_c(event));
  buf_put(w->out, STR("\ndata: {\"type\":\""));
  buf_put(w->out, str_from_c(event));
  buf_put_char(w->out, '"');
}

static void end_frame(const struct writer *w) { buf_put(w->out, STR("}\n\n")); }

static void free_pending(void *arg) {
  struct encoder *s = arg;
  for (int list = 0; list < 2; list++)
    for (struct pending *p = list ? s->spare : s->first; p; p = p->next) {
      buf_clear(&p->text);
      buf_clear(&p->citations);
      buf_clear(&p->signature);
      buf_clear(&p->origin);
    }
}

static void begin_message(const struct writer *w) {
  if (w->s->is_begun) return;
  w->s->is_begun = true;
  begin_frame(w, "message_start");
  json_out_key(w->out, "message");
  json_out_begin(w->out, '{');
  anthropic_put_head(w->x, w->out, w->s->id);
  json_out_key(w->out, "content");
  json_out_raw(w->out, STR("[]"));
  anthropic_put_nullable(w->out, "stop_reason", STR_NONE);
  anthropic_put_nullable(w->out, "stop_sequence", STR_NONE);
  json_out_key(w->out, "usage");
  json_out_begin(w->out, '{');
  anthropic_put_usage(w->out, &w->s->usage);
  json_out_end(w->out, '}');
  json_out_end(w->out, '}');
  end_frame(w);
}

/* ---- blocks ---- */

static void begin_start(const struct writer *w) {
  begin_frame(w, "content_block_start");
  json_out_member_i64(w->out, "index", w->s->index);
  json_out_key(w->out, "content_block");
  json_out_begin(w->out, '{');
}

static void end_start(const struct writer *w, struct pending *p) {
  json_out_end(w->out, '}');
  end_frame(w);
  p->is_begun = true;
}

static void begin_delta(const struct writer *w, const char *type) {
  begin_frame(w, "content_block_delta");
  json_out_member_i64(w->out, "index", w->s->index);
  json_out_key(w->out, "delta");
  json_out_begin(w->out, '{');
  put_type(w->out, type);
}

static void end_delta(const struct writer *w) {
  json_out_end(w->out, '}');
  end_frame(w);
}

static void begin_block(const struct writer *w, struct pending *p) {
  if (p->is_begun) return;
  begin_start(w);
  if (is_text(p->kind)) {
    put_type(w->out, "text");
    json_out_member_string(w->out, "text", STR_NONE);
  } else if (is_thinking(p->kind)) {
    put_type(w->out, "thinking");
    json_out_member_string(w->out, "thinking", STR_NONE);
    json_out_member_string(w->out, "signature", STR_NONE);
  } else {
    anthropic_put_call(w->x, w->out, p->id, p->namespace, p->name, p->part);
    json_out_key(w->out, "input");
    json_out_raw(w->out, STR("{}"));
  }
  end_start(w, p);
}

/* The frame that streams are made of, in few writes. */
static void put_piece(const struct writer *w, struct pending *p, struct str bytes) {
  static const struct str before =
      STR("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
  if (!bytes.n) return;
  begin_block(w, p);
  buf_put(w->out, before);
  buf_put_u64(w->out, w->s->index);
  buf_put(w->out, p->kind == PART_TOOL_CALL ? STR(",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":")
                  : is_text(p->kind)        ? STR(",\"delta\":{\"type\":\"text_delta\",\"text\":")
                                            : STR(",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":"));
  buf_put_json(w->out, bytes);
  buf_put(w->out, STR("}}\n\n"));
}

static void put_signature(const struct writer *w, struct pending *p, const struct signature *s) {
  if (p->is_signed) return;
  p->is_signed = true;
  begin_block(w, p);
  begin_delta(w, "signature_delta");
  json_out_key(w->out, "signature");
  anthropic_put_signature(w->out, s);
  end_delta(w);
}

static void put_citation(const struct writer *w, struct pending *p, struct str raw) {
  begin_block(w, p);
  begin_delta(w, "citations_delta");
  json_out_key(w->out, "citation");
  json_out_raw(w->out, raw);
  end_delta(w);
}

static void end_block(const struct writer *w, struct pending *p) {
  if (!p->is_begun) return;
  if (is_thinking(p->kind)) put_signature(w, p, &(struct signature){0});
  begin_frame(w, "content_block_stop");
  json_out_member_i64(w->out, "index", w->s->index);
  end_frame(w);
  w->s->index++;
  p->is_begun = false;
}

/* A node of this dialect. The input of a call is told in a delta, as the SDKs await it there. */
static void put_native(const struct writer *w, struct pending *p) {
  struct json_pool pool = {0};
  yyjson_val *node = json_pool_parse(&pool, buf_str(&p->text)), *key, *input = NULL;
  begin_start(w);
  yyjson_obj_iter it = yyjson_obj_iter_with(node);
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = json_pool_text(key);
    yyjson_val *value = yyjson_obj_iter_get_val(key);
    bool is_input = str_eq(name, STR("input")) && yyjson_is_obj(value);
    json_out_key_str(w->out, name);
    if (is_input)
      buf_put(w->out, STR("{}"));
    else
      json_split_put(w->out, value);
    if (is_input && yyjson_obj_size(value)) input = value;
  }
  end_start(w, p);
  if (input) {
    struct buf text;
    buf_init(&text, 0);
    json_split_put(&text, input);
    if (text.failed) w->out->failed = true;
    begin_delta(w, "input_json_delta");
    json_out_member_string(w->out, "partial_json", buf_str(&text));
    end_delta(w);
    buf_clear(&text);
  }
  end_block(w, p);
  json_pool_clear(&pool);
}

static void put_redacted(const struct writer *w, struct pending *p, const struct signature *s) {
  if (!s->bytes.n) return;
  begin_start(w);
  put_type(w->out, "redacted_thinking");
  json_out_key(w->out, "data");
  anthropic_put_signature(w->out, s);
  end_start(w, p);
  end_block(w, p);
}

/* ---- the queue ---- */

static enum err enqueue(const struct writer *w, const struct event *e, struct pending **out) {
  struct encoder *s = w->s;
  struct pending *p = s->spare;
  if (s->count == PENDING_MAX)
    return err_set(w->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts");
  if (!s->is_hooked && !arena_on_clear(w->x->arena, free_pending, s)) return ERR_NO_MEMORY;
  s->is_hooked = true;
  if (p)
    s->spare = p->next;
  else if (!(p = ARENA_NEW(w->x->arena, struct pending)))
    return ERR_NO_MEMORY;
  struct buf *bufs[] = {&p->text, &p->citations, &p->signature, &p->origin};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
    buf_reset(bufs[i]);
    bufs[i]->limit_bytes = PENDING_BYTES_MAX;
  }
  p->next = NULL;
  p->part = e->part;
  p->kind = e->part_kind;
  p->is_begun = p->is_closed = p->is_signed = false;
  p->id = e->id.n ? arena_dup(w->x->arena, e->id) : STR_NONE;
  p->name = e->name.n ? arena_dup(w->x->arena, e->name) : STR_NONE;
  p->namespace = e->namespace.n ? arena_dup(w->x->arena, e->namespace) : STR_NONE;
  if (s->last)
    s->last->next = p;
  else
    s->first = p;
  s->last = p;
  s->count++;
  *out = p;
  return (e->id.n && !p->id.p) || (e->name.n && !p->name.p) || (e->namespace.n && !p->namespace.p) ? ERR_NO_MEMORY : OK;
}

static struct pending *find_pending(const struct encoder *s, uint32_t part) {
  struct pending *p = s->first;
  while (p && p->part != part) p = p->next;
  return p;
}

static void drop_first(struct encoder *s) {
  struct pending *p = s->first;
  s->first = p->next;
  if (!s->first) s->last = NULL;
  buf_clear(&p->text); /* a spare one holds little */
  p->next = s->spare;
  s->spare = p;
  s->count--;
}

static struct signature kept_signature(const struct pending *p) {
  return (struct signature){buf_str(&p->signature), buf_str(&p->origin)};
}

/* What waited of a part that has come to the front. */
static void flush(const struct writer *w, struct pending *p) {
  struct signature s = kept_signature(p);
  if (p->kind == PART_TOOL_CALL) begin_block(w, p);
  if (is_text(p->kind) || is_thinking(p->kind) || p->kind == PART_TOOL_CALL) {
    put_piece(w, p, buf_str(&p->text));
    buf_reset(&p->text);
  }
  if (is_thinking(p->kind) && s.bytes.n) put_signature(w, p, &s);
  if (is_text(p->kind) && p->citations.n) {
    struct json_pool pool = {0};
    buf_put_char(&p->citations, ']');
    yyjson_arr_iter it = yyjson_arr_iter_with(json_pool_parse(&pool, buf_str(&p->citations)));
    for (yyjson_val *v; (v = yyjson_arr_iter_next(&it));) {
      struct buf raw;
      buf_init(&raw, 0);
      json_split_put(&raw, v);
      put_citation(w, p, buf_str(&raw));
      buf_clear(&raw);
    }
    json_pool_clear(&pool);
    buf_reset(&p->citations);
  }
}

/* Is the part in front done, or does it stand aside for the next one? */
static bool is_over(const struct pending *p) {
  return p->is_closed || (p->next && (is_text(p->kind) || is_thinking(p->kind)));
}

/* While it is: its block ends, and the next part comes forward. */
static void advance(const struct writer *w) {
  struct encoder *s = w->s;
  while (s->first && is_over(s->first)) {
    struct pending *p = s->first;
    struct signature kept = kept_signature(p);
    if (p->kind == PART_REDACTED)
      put_redacted(w, p, &kept);
    else if (p->kind == PART_SERVER_TOOL || p->kind == PART_OPAQUE)
      put_native(w, p);
    else
      end_block(w, p);
    drop_first(s);
    if (s->first) flush(w, s->first);
  }
}

/* ---- events ---- */

static bool is_shown(const struct event *e) {
  return is_text(e->part_kind) || is_thinking(e->part_kind) || e->part_kind == PART_REDACTED ||
         e->part_kind == PART_TOOL_CALL || anthropic_is_native(e->part_kind, e->dialect, e->raw);
}

static enum err on_open(const struct writer *w, const struct event *e) {
  struct pending *p;
  if (e->choice || !is_shown(e)) return OK; /* its further events find no part */
  begin_message(w);
  enum err err = enqueue(w, e, &p);
  if (err) return err;
  w->s->has_calls = w->s->has_calls || e->part_kind == PART_TOOL_CALL;
  if (e->raw.n) buf_put(&p->text, e->raw);
  advance(w);
  if (w->s->first == p && p->kind == PART_TOOL_CALL) begin_block(w, p);
  return p->text.failed ? ERR_UPSTREAM_TOO_LARGE : OK;
}

/* A text that had stood aside goes on: as a part of its own. */
static enum err reopen(const struct writer *w, const struct event *e, struct pending **out) {
  if (e->choice || !(is_text(e->part_kind) || is_thinking(e->part_kind))) return OK;
  const struct event again = {.part = e->part, .part_kind = e->part_kind};
  enum err err = enqueue(w, &again, out);
  if (!err) advance(w);
  return err;
}

static enum err on_delta(const struct writer *w, const struct event *e) {
  struct pending *p = find_pending(w->s, e->part);
  if (!p && e->bytes.n) {
    begin_message(w);
    enum err err = reopen(w, e, &p);
    if (err) return err;
  }
  if (!p || (p->kind != PART_TOOL_CALL && !is_text(p->kind) && !is_thinking(p->kind))) return OK;
  if (p == w->s->first)
    put_piece(w, p, e->bytes);
  else
    buf_put(&p->text, e->bytes);
  return p->text.failed ? err_set(w->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer is larger than allowed") : OK;
}

static enum err on_attach(const struct writer *w, const struct event *e) {
  struct pending *p = find_pending(w->s, e->part);
  if (!p) return OK;
  const struct signature s = {e->bytes, e->dialect};
  bool is_front = p == w->s->first;
  if (e->attachment == ATTACH_SIGNATURE && is_thinking(p->kind) && is_front) {
    put_signature(w, p, &s);
  } else if (e->attachment == ATTACH_SIGNATURE && (is_thinking(p->kind) || p->kind == PART_REDACTED)) {
    buf_reset(&p->signature);
    buf_reset(&p->origin);
    buf_put(&p->signature, s.bytes);
    buf_put(&p->origin, s.origin);
  } else if (e->attachment == ATTACH_CITATION && is_text(p->kind) && str_eq(e->dialect, ANTHROPIC_NAME)) {
    if (is_front) {
      put_citation(w, p, e->raw);
    } else {
      buf_put_char(&p->citations, p->citations.n ? ',' : '[');
      buf_put(&p->citations, e->raw);
    }
  }
  return p->signature.failed || p->citations.failed ? ERR_UPSTREAM_TOO_LARGE : OK;
}

static enum err on_close(const struct writer *w, const struct event *e) {
  struct pending *p = find_pending(w->s, e->part);
  if (!p) return OK;
  p->is_closed = true;
  advance(w);
  return OK;
}

static enum err on_stop(const struct writer *w, const struct event *e) {
  struct encoder *s = w->s;
  struct arena *a = w->x->arena;
  if (e->choice || s->has_stop) return OK;
  s->has_stop = true;
  s->reason = e->reason;
  s->native = arena_dup(a, e->native);
  s->stop_dialect = arena_dup(a, e->dialect);
  s->sequence = arena_dup(a, e->text);
  return s->native.p && s->stop_dialect.p && s->sequence.p ? OK : ERR_NO_MEMORY;
}

static enum err on_end(const struct writer *w) {
  struct encoder *s = w->s;
  begin_message(w);
  for (struct pending *p = s->first; p; p = p->next) p->is_closed = true;
  advance(w);
  enum stop_reason reason = s->has_stop ? s->reason : STOP_OTHER;
  begin_frame(w, "message_delta");
  json_out_key(w->out, "delta");
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "stop_reason", anthropic_stop_word(reason, s->native, s->stop_dialect, s->has_calls));
  anthropic_put_nullable(w->out, "stop_sequence", reason == STOP_SEQUENCE ? s->sequence : STR_NONE);
  json_out_end(w->out, '}');
  json_out_key(w->out, "usage");
  json_out_begin(w->out, '{');
  anthropic_put_usage(w->out, &s->usage);
  json_out_end(w->out, '}');
  dialect_put_receipt_member(w->x, w->out);
  end_frame(w);
  begin_frame(w, "message_stop");
  end_frame(w);
  return OK;
}

enum err anthropic_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                struct buf *out, struct err_info *info) {
  const struct writer w = {state, x, out, info};
  enum err e = OK;
  switch (event->kind) {
    case EVENT_START: /* written with what comes next, as usage may be known by then */
      if (event->id.n && !w.s->id.p) w.s->id = arena_dup(x->arena, event->id);
      break;
    case EVENT_OPEN: e = on_open(&w, event); break;
    case EVENT_DELTA: e = on_delta(&w, event); break;
    case EVENT_ATTACH: e = on_attach(&w, event); break;
    case EVENT_CLOSE: e = on_close(&w, event); break;
    case EVENT_USAGE: answer_merge_usage(&w.s->usage, event->usage); break;
    case EVENT_STOP: e = on_stop(&w, event); break;
    case EVENT_END: e = on_end(&w); break;
    case EVENT_PING: buf_put(out, STR("event: ping\ndata: {\"type\": \"ping\"}\n\n")); break;
    default: break;
  }
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
