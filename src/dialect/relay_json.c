/* Relaying JSON by spans: see relay_json.h. */
#include "dialect/relay_json.h"

#include <yyjson.h>

static enum err scan_json(const struct relay_json_rules *rules, struct envelope_scan *scan, struct str json) {
  static const struct envelope_limits limits = {.keys_are_lenient = true};
  return envelope_scan_whole(scan, rules->table(), &limits, NULL, json, NULL);
}

/* Replaces the models' names; rows stand in the order of their offsets only by luck, so the nearest next one is taken.
 */
static void put_edited(const struct relay_json_rules *rules, const struct envelope_scan *scan, struct str json,
                       struct str model, struct buf *out) {
  size_t at = 0;
  if (!buf_reserve(out, json.n + model.n + 2)) return;
  while (model.n) {
    const struct envelope_value *next = NULL;
    for (unsigned i = 0; i < rules->model_rows; i++) {
      const struct envelope_value *v = envelope_scan_value(scan, rules->model_row[i]);
      if (v && v->type == ENVELOPE_STRING && v->offset >= at && (!next || v->offset < next->offset)) next = v;
    }
    if (!next) break;
    buf_put(out, str_sub(json, at, next->offset));
    buf_put_json(out, model);
    at = (size_t)next->offset + next->length;
  }
  buf_put(out, str_sub(json, at, json.n));
}

enum err relay_json_reply(const struct relay_json_rules *rules, struct str body,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info) {
  struct envelope_scan scan;
  struct dialect_stream state = {0};
  *events = (struct events){0};
  enum err e = ERR_UPSTREAM_PROTOCOL;
  yyjson_val *root = scan_json(rules, &scan, body) ? NULL : json_pool_parse(&state.pool, body);
  if (!root) {
    e = err_set(info, e, "the provider answered with something that is not a JSON object");
    goto out;
  }
  e = rules->look(&state, root, STR_NONE, true, events, info);
  if (e || events_has(events, EVENT_ERROR)) goto out;
  put_edited(rules, &scan, body, edits->model, out);
  e = out->failed ? ERR_NO_MEMORY : OK;
out:
  json_pool_clear(&state.pool);
  return e;
}

static enum err put_frame(const struct relay_json_rules *rules, struct dialect_stream *state,
                          const struct envelope_scan *scan, const struct frame *frame, struct str model,
                          struct buf *out) {
  if (frame->data_offset != SIZE_MAX) {
    buf_put(out, str_sub(frame->raw, 0, frame->data_offset));
    put_edited(rules, scan, frame->data, model, out);
    buf_put(out, str_sub(frame->raw, frame->data_offset + frame->data.n, frame->raw.n));
    return out->failed ? ERR_NO_MEMORY : OK;
  }
  /* Several data lines: JSON may be cut at white space only, so joined by a space it is the same value. */
  if (frame->event.n) {
    buf_put(out, STR("event: "));
    buf_put(out, frame->event);
    buf_put_char(out, '\n');
  }
  buf_put(out, STR("data: "));
  size_t from = out->n;
  put_edited(rules, scan, frame->data, model, out);
  for (size_t i = from; i < out->n; i++)
    if (out->p[i] == '\n') out->p[i] = ' ';
  buf_put(out, STR("\n\n"));
  dialect_stream_withhold(state, frame);
  return out->failed ? ERR_NO_MEMORY : OK;
}

enum err relay_json_frame(const struct relay_json_rules *rules, struct dialect_stream *state, const struct frame *frame,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info) {
  struct envelope_scan scan;
  *events = (struct events){0};
  if (dialect_stream_skips(state, frame)) return OK;
  if (!frame->has_data || frame->data.n == 0) {
    buf_put(out, frame->raw);
    return out->failed ? ERR_NO_MEMORY : OK;
  }
  if (state->saw_end) {
    dialect_stream_withhold(state, frame);
    return OK;
  }
  yyjson_val *root = scan_json(rules, &scan, frame->data) ? NULL : json_pool_parse(&state->pool, frame->data);
  if (!root) return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider sent a stream event that is not a JSON object");
  enum err e = rules->look(state, root, frame->event, false, events, info);
  if (e || events_has(events, EVENT_ERROR)) return e;
  if (events_has(events, EVENT_STOP)) state->saw_stop = true;
  if (events_has(events, EVENT_DELTA)) state->saw_content = true;
  if (events_has(events, EVENT_END)) state->saw_end = true;
  return put_frame(rules, state, &scan, frame, edits->model, out);
}

/* The JSON object within a reply or one frame; empty where there is none. */
static struct str object_within(enum framing framing, struct str text) {
  struct frame_reader reader;
  struct frame frame;
  enum err e;
  struct str trimmed = str_trim(text);
  if (trimmed.n && trimmed.p[0] == '{') return trimmed;
  frame_reader_init(&reader, framing, 0);
  frame_reader_feed(&reader, text);
  struct str data = STR_NONE;
  while (!data.n && frame_reader_next(&reader, &frame, &e))
    if (frame.has_data && frame.data_offset != SIZE_MAX) {
      size_t at = (size_t)(frame.raw.p - text.p) + frame.data_offset;
      data = str_trim(str_sub(text, at, at + frame.data.n));
    }
  frame_reader_clear(&reader);
  return data;
}

void relay_json_put_receipt(const struct relay_json_rules *rules, enum framing framing, struct buf *out, size_t from,
                            struct str receipt) {
  struct envelope_scan scan;
  struct str object = object_within(framing, str_sub(buf_str(out), from, out->n));
  if (!object.n || scan_json(rules, &scan, object)) return;
  const struct envelope_value *holder =
      rules->receipt_row < 0 ? envelope_scan_root(&scan) : envelope_scan_value(&scan, (unsigned)rules->receipt_row);
  const struct envelope_value *theirs = envelope_scan_value(&scan, rules->maestro_row);
  if (!holder || holder->type != ENVELOPE_OBJECT) return;
  struct str member = theirs ? STR_NONE : holder->count ? STR(",\"maestro\":") : STR("\"maestro\":");
  size_t base = (size_t)(object.p - out->p),
         at = base + (theirs ? theirs->offset : holder->offset + holder->length - 1);
  size_t gone = theirs ? theirs->length : 0, added = member.n + receipt.n, tail = out->n - at - gone;
  if (added > gone && !buf_reserve(out, added - gone)) return;
  memmove(out->p + at + added, out->p + at + gone, tail);
  if (member.n) memcpy(out->p + at, member.p, member.n);
  memcpy(out->p + at + member.n, receipt.p, receipt.n);
  out->n = at + added + tail;
}
