/* links: dialect */
/* OpenAI chat over hostile bytes: a request that is read and edited, a reply and a stream that are relayed. What yyjson
 * could read before, it can read afterwards, with the edits in it; a stream comes out the same however it is cut. */
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/openai_chat.h"

static const struct dialect *const d = &dialect_openai_chat;

static void check(bool ok) {
  if (!ok) abort();
}

/* NULL: no JSON object to yyjson. */
static yyjson_doc *object(struct str json) {
  yyjson_doc *doc = json.n ? yyjson_read(json.p, json.n, 0) : NULL;
  if (yyjson_is_obj(yyjson_doc_get_root(doc))) return doc;
  yyjson_doc_free(doc);
  return NULL;
}

static yyjson_val *member(yyjson_doc *doc, const char *name) { return yyjson_obj_get(yyjson_doc_get_root(doc), name); }

static bool is_text(yyjson_val *v, const char *text) { return yyjson_is_str(v) && yyjson_equals_str(v, text); }

static void check_info(enum err e, const struct err_info *info) {
  check(!e || (str_is_utf8(str_from_c(info->text)) && str_is_utf8(str_from_c(info->param))));
}

/* ---- requests ---- */

static void run_edit(struct arena *a, struct str body, const struct envelope_scan *scan, unsigned flags) {
  struct envelope_edit edit;
  struct span_list spans;
  struct buf out;
  struct err_info info = {0};
  const struct dialect_request_edits want = {.model = flags & 1 ? STR("a/\"\\\xc3\xa4") : STR_NONE,
                                             .ask_usage = flags & 2};
  envelope_edit_init(&edit, scan);
  check(d->edit_request(a, &want, &edit, &info) == OK);
  span_list_init(&spans, body.n);
  check(envelope_edit_spans(&edit, a, &spans, &info) == OK);
  buf_init(&out, 0);
  span_apply(&spans, body, &out);
  check(out.n == span_total(&spans));
  struct envelope_scan again;
  struct dialect_request r;
  check(envelope_scan_whole(&again, d->request_table(), NULL, a, buf_str(&out), &info) == OK);
  check(d->read_request(a, buf_str(&out), &again, &r, &info) == OK);
  check(!r.wants_receipt && (!want.ask_usage || r.wants_usage) && (!want.model.n || str_eq(r.model, want.model)));
  yyjson_doc *before = object(body), *after = before ? object(buf_str(&out)) : NULL;
  check(!before || (after && !member(after, "maestro")));
  yyjson_doc_free(before);
  yyjson_doc_free(after);
  buf_clear(&out);
}

static void run_request(struct str body, unsigned flags) {
  struct arena a;
  struct envelope_scan scan;
  struct dialect_request r = {0};
  struct err_info info = {0};
  arena_init(&a, 0);
  enum err e = envelope_scan_whole(&scan, d->request_table(), NULL, &a, body, &info);
  if (!e) e = d->read_request(&a, body, &scan, &r, &info);
  check_info(e, &info);
  if (!e) {
    check(r.model.n > 0 && str_is_utf8(r.model) && r.max_tokens >= -1 && r.wants_receipt == (r.options.n > 0));
    run_edit(&a, body, &scan, flags);
  }
  arena_clear(&a);
}

/* ---- replies ---- */

static void check_usage(const struct events *events) {
  for (int c = 0; c < USAGE_CLASSES; c++) check(usage_get(&events->usage, (enum usage_class)c) >= 0);
}

/* The edits that a JSON object must show. */
static void check_edited(struct str before, struct str after, const struct dialect_reply_edits *edits,
                         bool has_receipt) {
  yyjson_doc *old = object(before), *new = old ? object(after) : NULL;
  check(!old || new);
  if (new && edits->model.n && yyjson_is_str(member(old, "model"))) check(is_text(member(new, "model"), "p/m"));
  if (new && edits->hide_usage) check(!member(new, "usage"));
  if (new &&has_receipt) check(yyjson_is_obj(member(new, "maestro")));
  yyjson_doc_free(old);
  yyjson_doc_free(new);
}

static const struct dialect_reply_edits edits_by_flags[] = {
    {0}, {.model = STR("p/m")}, {.hide_usage = true}, {.model = STR("p/m"), .hide_usage = true}};

static void run_reply(struct str body, unsigned flags) {
  struct events events;
  struct buf out;
  struct err_info info = {0};
  const struct dialect_reply_edits *edits = &edits_by_flags[flags & 3];
  buf_init(&out, 0);
  enum err e = d->relay_reply(body, edits, &events, &out, &info);
  check_info(e, &info);
  if (!e && !events_has(&events, EVENT_ERROR)) {
    check_usage(&events);
    check_edited(body, buf_str(&out), edits, false);
    d->put_receipt(&out, 0, STR("{\"r\":1}"));
    check_edited(body, buf_str(&out), edits, true);
  } else {
    check(out.n == 0);
  }
  buf_clear(&out);
}

/* ---- streams ---- */

struct relayed {
  enum err e;
  unsigned kinds;
  struct buf out;
};

static void check_frame(const struct frame *frame, struct buf *out, const struct dialect_reply_edits *edits) {
  struct frame_sse frames;
  struct frame made;
  enum err e;
  struct str before = frame->data;
  if (!frame->has_data || !before.n || str_eq(str_trim(before), STR("[DONE]"))) return;
  for (int receipt = 0; receipt < 2; receipt++) {
    frame_sse_init(&frames, 0);
    frame_sse_feed(&frames, buf_str(out));
    check(frame_sse_next(&frames, &made, &e) && made.raw.n == out->n);
    check_edited(before, made.data, edits, receipt);
    frame_sse_clear(&frames);
    d->put_receipt(out, 0, STR("{\"r\":1}"));
  }
}

static void run_stream(struct str stream, unsigned flags, size_t step, struct relayed *r) {
  struct frame_sse frames;
  struct frame frame;
  struct dialect_stream so_far = {0};
  struct events events;
  const struct dialect_reply_edits *edits = &edits_by_flags[flags & 3];
  *r = (struct relayed){.e = OK};
  frame_sse_init(&frames, 0);
  for (size_t at = 0; at < stream.n && !r->e; at += step) {
    frame_sse_feed(&frames, str_sub(stream, at, at + step));
    while (!r->e && frame_sse_next(&frames, &frame, &r->e)) {
      struct buf one;
      struct err_info info = {0};
      buf_init(&one, 0);
      r->e = d->relay_frame(&so_far, &frame, edits, &events, &one, &info);
      check_info(r->e, &info);
      if (!r->e) {
        check_usage(&events);
        if (events.kinds) r->kinds = r->kinds * 31 + events.kinds;
        buf_put(&r->out, buf_str(&one));
        if (one.n) check_frame(&frame, &one, edits);
      } else {
        check(one.n == 0);
      }
      buf_clear(&one);
    }
  }
  frame_sse_clear(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 4;
  struct relayed whole, cut;
  switch (data[0] & 3) {
    case 0: run_request(rest, flags); break;
    case 1: run_reply(rest, flags); break;
    default:
      run_stream(rest, flags, rest.n, &whole);
      run_stream(rest, flags, 1 + (flags >> 2), &cut);
      check(whole.e == cut.e && str_eq(buf_str(&whole.out), buf_str(&cut.out)));
      check(whole.kinds == cut.kinds);
      buf_clear(&whole.out);
      buf_clear(&cut.out);
  }
  return 0;
}
