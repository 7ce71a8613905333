/* Golden cases: tests/golden/<dialect>/<case>/ holds a caller's request.json, the upstream's body as raw bytes
 * (upstream.txt, with upstream.head where it is no plain 200), what the upstream must be sent where that matters
 * (sent.json), and expect.txt:
 *
 *   status N                what the caller gets
 *   events a+b c            kinds of each frame that says something, in order, or "none"
 *   usage input=N ...       what the upstream has said of it, or "unknown"
 *   retry_after_ms N        only where there is one
 *   body                    and behind this line the caller's bytes
 *
 * Expectations are written from the vendor's reference, never recorded from our output. Each case runs with the
 * upstream's bytes whole, one by one, and cut at every place. */
#include <dirent.h>

#include "call_rig.h"

enum { CASES_MIN = 37 };

struct golden {
  char name[64];
  struct buf request, upstream, head, sent, expect;
  struct buf status_line, retry_line, body, events, usage, type; /* what expect and head say, taken apart */
  int upstream_status;
};

static bool load(const char *folder, const char *name, const char *file, struct buf *out) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  assert_true(buf_reserve(out, 1 << 16));
  out->n = fread(out->p, 1, (1 << 16) - 1, f);
  out->p[out->n] = 0;
  fclose(f);
  return true;
}

static void take(struct str line, const char *word, struct buf *out) {
  size_t n = strlen(word);
  if (!str_has_prefix(line, str_from_c(word)) || line.n <= n || line.p[n] != ' ') return;
  buf_put(out, str_sub(line, n + 1, line.n));
}

static void take_apart(struct golden *g) {
  struct str rest = buf_str(&g->expect), line = STR_NONE;
  for (bool more = true; more && !str_eq(line, STR("body"));) {
    more = str_cut(rest, '\n', &line, &rest);
    take(line, "status", &g->status_line);
    take(line, "events", &g->events);
    take(line, "usage", &g->usage);
    take(line, "retry_after_ms", &g->retry_line);
  }
  buf_put(&g->body, rest);
}

static void clear_case(struct golden *g) {
  struct buf *const all[] = {&g->request,    &g->upstream, &g->head,   &g->sent,  &g->expect, &g->status_line,
                             &g->retry_line, &g->body,     &g->events, &g->usage, &g->type};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) buf_clear(all[i]);
}

/* ---- events, by the dialect alone ---- */

static void put_events(struct buf *out, const struct events *events) {
  static const char *const names[] = {
#define X(name, text) text,
#include "llm/event.def"
#undef X
  };
  bool first = true;
  for (unsigned k = 0; k < EVENT_KINDS; k++) {
    if (!events_has(events, (enum event_kind)k)) continue;
    if (first && out->n) buf_put_char(out, ' ');
    if (!first) buf_put_char(out, '+');
    buf_put(out, str_from_c(names[k]));
    first = false;
  }
}

static void put_usage(struct buf *out, const struct usage *u) {
  static const char *const names[] = {"input", "output", "cache_read", "cache_write", "reasoning"};
  for (int i = 0; i < USAGE_CLASSES; i++) {
    if (!usage_has(u, (enum usage_class)i) || u->is_estimated) continue;
    buf_printf(out, "%s%s=%lld", out->n ? " " : "", names[i], (long long)u->tokens[i]);
  }
  if (out->n == 0) buf_put(out, STR("unknown"));
}

static void stream_events(struct str stream, size_t first, struct buf *out) {
  const struct dialect_reply_edits edits = {.model = STR("up/gpt-5.4"), .hide_usage = !rig.request.wants_usage};
  struct dialect_stream so_far = {0};
  struct frame_sse frames;
  struct frame frame;
  struct events events;
  struct buf unused;
  enum err e = OK;
  buf_init(&unused, 0);
  frame_sse_init(&frames, 0);
  const struct str pieces[] = {str_sub(stream, 0, first), str_sub(stream, first, stream.n), STR("\n"), STR("\n")};
  for (size_t i = 0; i < 4; i++) {
    if (i > 1 && !frame_sse_is_partial(&frames)) break;
    frame_sse_feed(&frames, pieces[i]);
    while (!e && frame_sse_next(&frames, &frame, &e)) {
      e = dialect_openai_chat.relay_frame(&so_far, &frame, &edits, &events, &unused, NULL);
      if (!e) put_events(out, &events);
    }
  }
  frame_sse_clear(&frames);
  buf_clear(&unused);
}

static void expect_events(const struct golden *g, size_t first) {
  struct buf got, unused;
  struct events events = {0};
  const struct dialect_reply_edits edits = {0};
  buf_init(&got, 0);
  buf_init(&unused, 0);
  if (g->upstream_status == 200 && rig.request.is_stream) {
    stream_events(buf_str(&g->upstream), first, &got);
  } else if (g->upstream_status == 200) {
    assert_int_equal(dialect_openai_chat.relay_reply(buf_str(&g->upstream), &edits, &events, &unused, NULL), OK);
    put_events(&got, &events);
  }
  if (got.n == 0) buf_put(&got, STR("none"));
  expect_text(&got, g->events.p);
  buf_clear(&got);
  buf_clear(&unused);
}

/* ---- bytes, through the whole call ---- */

static void parse_head(struct golden *g, struct http_header *extra) {
  struct str rest = buf_str(&g->head), line;
  uint64_t status = 200;
  g->upstream_status = 200;
  buf_put(&g->type, rig.request.is_stream ? STR("text/event-stream") : STR("application/json"));
  if (rest.n == 0) return;
  buf_reset(&g->type);
  for (bool more = true; more;) {
    struct str name, value;
    more = str_cut(rest, '\n', &line, &rest);
    if (str_has_prefix(line, STR("HTTP/1.1 "))) assert_true(str_to_u64(str_sub(line, 9, line.n), &status));
    if (!str_cut(line, ':', &name, &value)) continue;
    if (str_eq(name, STR("Content-Type")))
      buf_put(&g->type, str_trim(value));
    else
      *extra = (struct http_header){name, str_trim(value)};
  }
  g->upstream_status = (int)status;
}

/* What the gateway does with a call's end. */
static int finish(enum err e, struct buf *out) {
  if (!e && rig.request.is_stream) {
    buf_put(out, buf_str(&rig.got));
    return 200;
  }
  if (!e) {
    struct buf receipt;
    buf_init(&receipt, 0);
    caller_receipt(NULL, &rig.call.outcome, &receipt);
    if (rig.request.wants_receipt) dialect_openai_chat.put_receipt(&rig.call.reply, 0, buf_str(&receipt));
    buf_put(out, buf_str(&rig.call.reply));
    buf_clear(&receipt);
    return 200;
  }
  buf_put(out, buf_str(&rig.got));
  if (rig.writes) {
    dialect_openai_chat.put_stream_error(out, e, &rig.info);
    return 200;
  }
  dialect_openai_chat.put_error(out, e, &rig.info);
  return err_info_status(e, &rig.info);
}

static void run(struct golden *g, size_t first, size_t step) {
  struct buf got, usage;
  char text[32];
  rig_open(g->request.p);
  struct http_header extra = {STR_NONE, STR_NONE};
  buf_reset(&g->type);
  parse_head(g, &extra);
  buf_put_char(&g->type, '\0');
  rig.plan.n = 1;
  rig.deployments[0].model = STR("gpt-5.4");
  rig.deployments[0].qualified = STR("up/gpt-5.4");
  rig.providers[0].provider.id = STR("up");
  if (rig.request.wants_receipt && rig.request.is_stream) rig.call.put_receipt = caller_receipt;
  rig.answers[0] = (struct scripted_answer){.status = g->upstream_status,
                                            .type = g->type.p,
                                            .header = extra,
                                            .bytes = buf_str(&g->upstream),
                                            .first = first,
                                            .step = step};
  enum err e = rig_run();
  buf_init(&got, 0);
  buf_init(&usage, 0);
  snprintf(text, sizeof text, "%d", finish(e, &got));
  expect_text(&got, g->body.p);
  assert_string_equal(text, g->status_line.p);
  put_usage(&usage, &rig.call.outcome.usage);
  expect_text(&usage, g->usage.p);
  if (g->sent.n) expect_text(&rig.bodies[0], g->sent.p);
  snprintf(text, sizeof text, "%lld", e ? (long long)rig.info.retry_after_ms : 0);
  assert_string_equal(text, g->retry_line.n ? g->retry_line.p : "0");
  if (step == 0) expect_events(g, first);
  buf_clear(&got);
  buf_clear(&usage);
  rig_close();
}

static void run_case(const char *folder, const char *name) {
  struct golden g = {.upstream_status = 200};
  snprintf(g.name, sizeof g.name, "%s", name);
  assert_true(load(folder, name, "request.json", &g.request));
  assert_true(load(folder, name, "upstream.txt", &g.upstream));
  assert_true(load(folder, name, "expect.txt", &g.expect));
  load(folder, name, "upstream.head", &g.head);
  load(folder, name, "sent.json", &g.sent);
  take_apart(&g);
  struct buf *const texts[] = {&g.status_line, &g.events, &g.usage, &g.retry_line, &g.body};
  for (size_t i = 0; i < 5; i++) {
    buf_put_char(texts[i], '\0');
    texts[i]->n--;
  }
  print_message("%s\n", name);
  run(&g, 0, 0);
  run(&g, 1, 1);
  for (size_t first = 1; first < g.upstream.n; first++) run(&g, first, 0);
  clear_case(&g);
}

TEST(openai_chat) {
  static const char folder[] = "tests/golden/openai_chat";
  DIR *dir = opendir(folder);
  unsigned cases = 0;
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (entry->d_name[0] == '.') continue;
    run_case(folder, entry->d_name);
    cases++;
  }
  closedir(dir);
  assert_true(cases >= CASES_MIN); /* a lost case is noticed */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(openai_chat)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
