/* The filter between upstream and caller: events in, events out, as lines of text. */
#include "text/text_filter.h"

#include "base/json.h"
#include "text_rig.h"
#include "unit.h"

struct rig {
  struct arena arena;
  struct request request;
  struct request_tool tools[2];
  struct text_filter filter;
  struct buf out;
  struct err_info info;
  unsigned asked; /* how often the tools were wanted */
};

static const char *const kinds[] = {[PART_TEXT] = "text",
                                    [PART_REASONING] = "reasoning",
                                    [PART_REFUSAL] = "refusal",
                                    [PART_TOOL_CALL] = "call",
                                    [PART_IMAGE] = "image"};

static enum err note(void *arg, const struct event *e, struct err_info *info) {
  struct rig *r = arg;
  (void)info;
  switch (e->kind) {
    case EVENT_START: buf_printf(&r->out, "start\n"); break;
    case EVENT_OPEN:
      buf_printf(&r->out, "open %u.%u %s", e->choice, e->part, kinds[e->part_kind]);
      if (e->name.n) buf_printf(&r->out, " %.*s id=%.*s", STR_ARG(e->name), STR_ARG(e->id));
      buf_put_char(&r->out, '\n');
      break;
    case EVENT_DELTA: buf_printf(&r->out, "%u: %.*s\n", e->part, STR_ARG(e->bytes)); break;
    case EVENT_ATTACH: buf_printf(&r->out, "attach %u\n", e->part); break;
    case EVENT_CLOSE: buf_printf(&r->out, "close %u\n", e->part); break;
    case EVENT_STOP: buf_printf(&r->out, "stop %u %d %.*s\n", e->choice, (int)e->reason, STR_ARG(e->native)); break;
    case EVENT_END: buf_printf(&r->out, "end\n"); break;
    default: break;
  }
  return OK;
}

static enum err tools(void *arg, const struct request **out, struct err_info *info) {
  struct rig *r = arg;
  (void)info;
  r->asked++;
  *out = &r->request;
  return OK;
}

static void begin(struct rig *r, struct text_filter_options o) {
  struct json doc;
  *r = (struct rig){0};
  arena_init(&r->arena, 0);
  buf_init(&r->out, 0);
  request_init(&r->request, STR("openai_chat"), LLM_GENERATE);
  r->request.tools = r->tools;
  r->request.tool_count = 1;
  r->tools[0].name = STR("look");
  assert_int_equal(json_parse_copy(&doc, STR("{\"type\":\"object\",\"properties\":{\"at\":{\"type\":\"string\"}}}"),
                                   NULL, &r->arena, &r->info),
                   OK);
  r->tools[0].schema = doc.root;
  o.id_base = STR("t1");
  o.tools = (struct tool_text_source){r, tools};
  text_filter_init(&r->filter, &r->arena, &o);
}

static void end(struct rig *r) {
  text_filter_clear(&r->filter);
  buf_clear(&r->out);
  arena_clear(&r->arena);
}

static enum err put(struct rig *r, struct event e) {
  const struct event_sink sink = {r, note};
  return text_filter_put(&r->filter, &e, &sink, &r->info);
}

static void start(struct rig *r) { assert_int_equal(put(r, (struct event){.kind = EVENT_START}), OK); }
static void open(struct rig *r, uint32_t part, enum part_kind kind) {
  struct event e = {.kind = EVENT_OPEN, .part = part, .part_kind = kind};
  if (kind == PART_TOOL_CALL) e.name = STR("own"), e.id = STR("c9");
  assert_int_equal(put(r, e), OK);
}
static void delta(struct rig *r, uint32_t part, const char *text) {
  assert_int_equal(put(r, (struct event){.kind = EVENT_DELTA, .part = part, .bytes = str_from_c(text)}), OK);
}
static void stop(struct rig *r, enum stop_reason reason) {
  assert_int_equal(put(r, (struct event){.kind = EVENT_STOP, .reason = reason, .native = STR("said")}), OK);
  assert_int_equal(put(r, (struct event){.kind = EVENT_END}), OK);
}
static void close_part(struct rig *r, uint32_t part) {
  assert_int_equal(put(r, (struct event){.kind = EVENT_CLOSE, .part = part}), OK);
}
static void expect(struct rig *r, const char *text) {
  buf_put_char(&r->out, 0);
  assert_string_equal(r->out.p, text);
  buf_reset(&r->out);
}

#define LIST "[TOOL_CALLS][{\"name\":\"look\",\"arguments\":{}}]"
#define CALL "<tool_call>{\"name\":\"look\",\"arguments\":{\"at\":\"42\"}}</tool_call>"

static void test_plain_text_passes(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.tool_text = true, .think = true, .leak = true, .runaway = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "a < b");
  delta(&r, 0, " and so on");
  close_part(&r, 0);
  open(&r, 1, PART_TOOL_CALL);
  delta(&r, 1, "{}");
  close_part(&r, 1);
  stop(&r, STOP_END);
  assert_false(r.filter.has_changed);
  assert_int_equal(r.asked, 0);
  buf_put_char(&r.out, 0);
  assert_non_null(strstr(r.out.p, "open 0.0 text\n"));
  assert_non_null(strstr(r.out.p, "close 0\nopen 0.1 call own id=c9\n1: {}\nclose 1\nstop 0 0 said\nend\n"));
  end(&r);
}

static void test_found_call_is_a_part_and_the_stop_follows(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.tool_text = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "Looking. ");
  delta(&r, 0, CALL);
  close_part(&r, 0);
  open(&r, 1, PART_TOOL_CALL);
  delta(&r, 1, "{}");
  close_part(&r, 1);
  stop(&r, STOP_END);
  expect(&r,
         "start\nopen 0.0 text\n0: Looking. \nclose 0\nopen 0.1 call look id=call_t1_t0\n1: {\"at\":\"42\"}\nclose 1\n"
         "open 0.2 call own id=c9\n2: {}\nclose 2\nstop 0 2 \nend\n");
  assert_true(r.filter.has_changed);
  assert_int_equal(r.asked, 1);
  end(&r);
}

static void test_answer_that_was_cut_by_length_says_so(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.tool_text = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, CALL);
  close_part(&r, 0);
  stop(&r, STOP_LENGTH);
  expect(&r, "start\nopen 0.0 call look id=call_t1_t0\n0: {\"at\":\"42\"}\nclose 0\nstop 0 1 said\nend\n");
  end(&r);
}

static void test_thinking_is_a_part_of_its_own(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.think = true, .leak = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "<think>hm</think>");
  delta(&r, 0, "Yes");
  close_part(&r, 0);
  stop(&r, STOP_END);
  expect(&r, "start\nopen 0.0 reasoning\n0: hm\nclose 0\nopen 0.1 text\n1: Yes\nclose 1\nstop 0 0 said\nend\n");
  assert_true(r.filter.has_changed);
  end(&r);
}

static void test_whole_reply_may_have_lost_its_opening_tag(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.think = true, .tool_text = true, .is_whole = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "hm, so\n</think>\nYes");
  close_part(&r, 0);
  stop(&r, STOP_END);
  expect(&r, "start\nopen 0.0 reasoning\n0: hm, so\nclose 0\nopen 0.1 text\n1: Yes\nclose 1\nstop 0 0 said\nend\n");
  end(&r);
}

static void test_empty_part_stays(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.tool_text = true, .think = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  close_part(&r, 0);
  stop(&r, STOP_END);
  expect(&r, "start\nopen 0.0 text\nclose 0\nstop 0 0 said\nend\n");
  end(&r);
}

static void test_parts_open_at_once_keep_their_text(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.tool_text = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "one");
  open(&r, 1, PART_REFUSAL);
  delta(&r, 1, "no");
  delta(&r, 0, " two");
  close_part(&r, 1);
  close_part(&r, 0);
  stop(&r, STOP_END);
  expect(&r, "start\nopen 0.0 text\n0: one\nopen 0.1 refusal\n1: no\n0:  two\nclose 1\nclose 0\nstop 0 0 said\nend\n");
  end(&r);
}

static void test_leak_is_an_error_and_stays_inside(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.leak = true});
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "So <tick>");
  assert_false(text_filter_is_idle(&r.filter));
  delta(&r, 0, "now");
  enum err e = put(&r, (struct event){.kind = EVENT_DELTA, .part = 0, .bytes = STR("</tick> x")});
  assert_int_equal(e, ERR_GUARD_LEAK);
  expect(&r, "start\nopen 0.0 text\n0: So \n");
  end(&r);
}

static void test_what_was_held_is_released_by_a_cut(void **state) {
  struct rig r;
  (void)state;
  begin(&r, (struct text_filter_options){.leak = true, .tool_text = true});
  const struct event_sink sink = {&r, note};
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "So <tick>now");
  assert_int_equal(text_filter_release(&r.filter, &sink, &r.info), OK);
  expect(&r, "start\nopen 0.0 text\n0: So \n0: <tick>now\n");
  end(&r);
}

static void test_clean_text_passes_without_events(void **state) {
  struct rig r;
  enum err e = OK;
  (void)state;
  begin(&r, (struct text_filter_options){.leak = true, .tool_text = true, .runaway = true});
  assert_false(text_filter_pass(&r.filter, PART_TEXT, STR("x"), &e, &r.info)); /* nothing is open */
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "So");
  assert_true(text_filter_pass(&r.filter, PART_TEXT, STR(" it is"), &e, &r.info));
  assert_int_equal(e, OK);
  assert_false(text_filter_pass(&r.filter, PART_REASONING, STR(" it is"), &e, &r.info));
  assert_false(text_filter_pass(&r.filter, PART_TEXT, STR(" <tool"), &e, &r.info));
  delta(&r, 0, " <tool");
  assert_false(text_filter_pass(&r.filter, PART_TEXT, STR("_call"), &e, &r.info));
  expect(&r, "start\nopen 0.0 text\n0: So\n0:  \n");
  end(&r);
}

/* Random Markdown with a call or a leak at its end: whether it counts depends on where Markdown stands. Whole, the end
 * makes the machines walk all of it; in pieces, what precedes passes by them, put or relayed. */
static enum err run_cut(struct rig *r, enum part_kind kind, struct str text, unsigned seed) {
  enum err e = OK;
  begin(r, (struct text_filter_options){.tool_text = true, .think = true, .leak = true});
  start(r);
  open(r, 0, kind);
  delta(r, 0, "So: ");
  for (size_t at = 0, n; at < text.n && !e; at += n) {
    n = seed ? 1 + text_rig_random(&seed) % 7 : text.n;
    struct str piece = str_sub(text, at, at + n);
    if (seed % 2 && text_filter_pass(&r->filter, kind, piece, &e, &r->info))
      buf_printf(&r->out, "0: %.*s\n", STR_ARG(piece));
    else
      e = put(r, (struct event){.kind = EVENT_DELTA, .bytes = piece});
  }
  if (!e) e = put(r, (struct event){.kind = EVENT_CLOSE});
  if (!e) e = put(r, (struct event){.kind = EVENT_STOP, .reason = STOP_END});
  return e ? e : put(r, (struct event){.kind = EVENT_END});
}

/* Texts that follow each other are one. */
static struct str joined(struct buf *out) {
  size_t to = 0;
  for (size_t i = 0; i < out->n; i++) {
    bool is_joint = out->n - i >= 4 && (!memcmp(out->p + i, "\n0: ", 4) || !memcmp(out->p + i, "\n2: ", 4));
    if (is_joint) i += 3;
    if (!is_joint) out->p[to++] = out->p[i];
  }
  return str_from(out->p, to);
}

static void test_markdown_may_be_cut_anywhere(void **state) {
  static const char *const words[] = {"`",  "`",       "``",  "```",    "~~~",      "\n", "\n",     "\n```\n",
                                      " ",  "\t",      "w",   "x y",    "[",        "<",  "a[0]",   "1 < 2",
                                      "</", "\n~~~\n", "<b>", "```c\n", "\n``` \n", "{",  "<tick>", "</tick>"};
  static const char *const ends[] = {CALL, LIST, "<tick>now</tick>", "\n`" LIST, "`\n" LIST, "\n<tick>now</tick>`"};
  unsigned seed = 5, found = 0, leaks = 0;
  (void)state;
  for (int round = 0; round < 6000; round++) {
    struct buf text;
    struct rig whole, cut;
    buf_init(&text, 0);
    for (unsigned n = text_rig_random(&seed) % 12; n; n--)
      buf_put(&text, str_from_c(words[text_rig_random(&seed) % (sizeof words / sizeof *words)]));
    buf_put(&text, str_from_c(ends[text_rig_random(&seed) % 6]));
    enum part_kind kind = round % 2 ? PART_TEXT : PART_REASONING;
    enum err e = run_cut(&whole, kind, buf_str(&text), 0);
    struct str want = joined(&whole.out);
    found += whole.asked;
    leaks += e == ERR_GUARD_LEAK;
    for (unsigned i = 1; i < 5; i++) {
      assert_int_equal(run_cut(&cut, kind, buf_str(&text), i + 8 * (unsigned)round), e);
      assert_str(joined(&cut.out), want);
      end(&cut);
    }
    end(&whole);
    buf_clear(&text);
  }
  assert_true(found > 300 && leaks > 300);
}

static void test_deltas_without_end_are_stopped(void **state) {
  struct rig r;
  enum err e = OK;
  (void)state;
  struct text_filter_options o = {.runaway = true, .runaway_limits = {.max_bytes = 1000}};
  begin(&r, o);
  start(&r);
  open(&r, 0, PART_TEXT);
  delta(&r, 0, "So");
  for (int i = 0; i < 300 && !e; i++) assert_true(text_filter_pass(&r.filter, PART_TEXT, STR("word"), &e, &r.info));
  assert_int_equal(e, ERR_GUARD_RUNAWAY);
  end(&r);
}

static void test_signatures_without_end_are_stopped(void **state) {
  struct rig r;
  enum err e = OK;
  (void)state;
  begin(&r, (struct text_filter_options){.runaway = true, .runaway_limits = {.max_bytes = 1000}});
  start(&r);
  open(&r, 0, PART_REASONING);
  const struct event event = {
      .kind = EVENT_ATTACH, .part_kind = PART_REASONING, .attachment = ATTACH_SIGNATURE, .bytes = STR("signed")};
  int count = 0;
  for (; !e && count < 300; count++) e = put(&r, event);
  assert_int_equal(e, ERR_GUARD_RUNAWAY);
  assert_int_equal(count, 1000 / 6 + 1);
  end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain_text_passes),
      cmocka_unit_test(test_found_call_is_a_part_and_the_stop_follows),
      cmocka_unit_test(test_answer_that_was_cut_by_length_says_so),
      cmocka_unit_test(test_thinking_is_a_part_of_its_own),
      cmocka_unit_test(test_whole_reply_may_have_lost_its_opening_tag),
      cmocka_unit_test(test_empty_part_stays),
      cmocka_unit_test(test_parts_open_at_once_keep_their_text),
      cmocka_unit_test(test_leak_is_an_error_and_stays_inside),
      cmocka_unit_test(test_what_was_held_is_released_by_a_cut),
      cmocka_unit_test(test_clean_text_passes_without_events),
      cmocka_unit_test(test_markdown_may_be_cut_anywhere),
      cmocka_unit_test(test_deltas_without_end_are_stopped),
      cmocka_unit_test(test_signatures_without_end_are_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
