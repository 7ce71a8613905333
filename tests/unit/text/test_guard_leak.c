/* The guard against leaked scaffolding: what it stops, what it lets pass, and that cuts make no difference. */
#include "text/guard_leak.h"

#include <stdlib.h>

#include "text_rig.h"

static struct text_rig rig = {.last = -1};
static struct guard_leak guard;

static enum err feed(struct str s) {
  const struct text_sink sink = text_rig_sink(&rig);
  struct err_info info = {.code = ""};
  char *copy = malloc(s.n ? s.n : 1); /* exact, so that a read beyond is seen */
  memcpy(copy, s.p, s.n);
  enum err e = guard_leak_feed(&guard, str_from(copy, s.n), &sink, &info);
  free(copy);
  assert_true(!e || info.text[0]);
  assert_true(guard.held.n <= GUARD_LEAK_HELD);
  return e;
}

static enum err end(void) {
  const struct text_sink sink = text_rig_sink(&rig);
  return guard_leak_end(&guard, &sink, NULL);
}

static void begin(void) {
  guard_leak_init(&guard, TEXT_PIECE_TEXT);
  text_rig_begin(&rig);
}

/* In pieces of `step` bytes; step 0: of random lengths from *seed. */
static enum err run(struct str text, size_t step, uint32_t *seed) {
  enum err e = OK;
  begin();
  for (size_t at = 0; !e && at < text.n;) {
    size_t n = step ? step : 1 + text_rig_random(seed) % 12;
    if (n > text.n - at) n = text.n - at;
    e = feed(str_sub(text, at, at + n));
    at += n;
  }
  if (!e) e = end();
  guard_leak_clear(&guard);
  return e;
}

static void expect(enum err e, bool is_leak, struct str want) {
  assert_int_equal(e, is_leak ? ERR_GUARD_LEAK : OK);
  if (want.n == 0)
    assert_int_equal(rig.out.n, 0);
  else
    assert_str(str_sub(buf_str(&rig.out), 3, rig.out.n), want);
}

/* out: what goes out, all of it when there is no leak. */
static void check(struct str text, bool is_leak, struct str out) {
  uint32_t seed = 7;
  expect(run(text, text.n ? text.n : 1, NULL), is_leak, out);
  for (size_t cut = 0; cut <= text.n; cut++) {
    begin();
    enum err e = feed(str_sub(text, 0, cut));
    if (!e) e = feed(str_sub(text, cut, text.n));
    if (!e) e = end();
    guard_leak_clear(&guard);
    expect(e, is_leak, out);
  }
  for (size_t step = 1; step < 4; step++) expect(run(text, step, NULL), is_leak, out);
  for (unsigned i = 0; i < 50; i++) expect(run(text, 0, &seed), is_leak, out);
}

#define LEAK(text, out) check(STR(text), true, STR(out))
#define PASS(text) check(STR(text), false, STR(text))

TEST(closed_pairs_are_leaks) {
  LEAK("Done.\n<task-notification>\n<task-id>1</task-id>\n</task-notification>\nbye", "Done.\n");
  LEAK("<teammate-message teammate_id=\"lead\">go</teammate-message>", "");
  LEAK("a <channel source=\"x\">hi</channel>", "a ");
  LEAK("a<cross-session-message>b</cross-session-message>", "a");
  LEAK("a<tick>1</tick>", "a");
  LEAK("a<tick>\xff</tick >", "a");
  LEAK("a<tick\nat='5'\n>1</tick>", "a");
  LEAK("a<<tick>1</tick>", "a<");
  LEAK("a<tick> </tick >b</tick>", "a"); /* who wants it exact sees one pair */
  LEAK("<tick></tick\n></tick>", "");
  LEAK("<tick> </tick > <tick> </tick> ", "");
  LEAK("a<tick a<tick>1</tick>", "a<tick a");
}

TEST(what_is_no_pair_passes) {
  PASS("");
  PASS("a < b, a</b>, <b>c</b>, 1<2");
  PASS("<tick>1");
  PASS("1</tick>");
  PASS("<tick></tick>");
  PASS("<tick> </tick >after");
  PASS("<tick> \r\n\t</tick>after");
  PASS("<tick/>a</tick>");
  PASS("<tick>1</channel>");
  PASS("<ticker>1</ticker>");
  PASS("<Tick>1</Tick>");
  PASS("<tick>1</tick x>");
  PASS("<tick>1< /tick>");
  PASS("<|channel|>analysis<|message|>x<|channel|>"); /* Harmony's */
  PASS("<tic");
  PASS("a</");
  PASS("<");
  PASS("<\xc3tick>a</tick>");
}

TEST(pairs_may_nest_and_follow) {
  LEAK("a<channel>b <tick>c</tick>", "a");
  LEAK("<tick></tick>a<tick>b</tick>", "<tick></tick>a");
  LEAK("<channel><tick></tick></channel>", "");
  LEAK("a<tick><tick></tick>", "a");
  LEAK("a<tick><channel></tick>", "a");
  LEAK("a<tick><b></tick>", "a");
  LEAK("a<tick><channel></channel></tick>", "a");
  LEAK("a<tick></tic</tick>", "a");
}

TEST(code_is_no_leak) {
  PASS("Write `<tick>1</tick>` for it.");
  PASS("`<channel>` and `</channel>` make a pair: <channel> opens.");
  PASS("``<tick>`1`</tick>``");
  PASS("```xml\n<tick>1</tick>\n```\nbye");
  PASS("So: ```xml\n<tick>1</tick>\n```");
  PASS("````\n```\n<tick>1</tick>\n````");
  PASS("```\n<tick>1</tick>\n");
  PASS("```<tick>1</tick>```");
  PASS("  ```\n  <tick>1</tick>\n  ```  \nbye");
  PASS("<tick>`</tick>`");
  LEAK("```\na\n```\n<tick>1</tick>", "```\na\n```\n");
  LEAK("```\na\n````\n<tick>1</tick>", "```\na\n````\n");
  LEAK("a<tick>\n```\nb\n```\n</tick>", "a");
  LEAK("`a` <tick>`b`</tick>", "`a` ");
  LEAK("<tick>`</tick>` </tick>", "");
  LEAK("<tick>`x <channel></tick>` </tick>", "");
  PASS("<tick>`</tick> <channel>` </channel>");
  LEAK("```a``` <tick>1</tick>", "```a``` ");
}

TEST(a_backtick_that_stays_open_is_no_code) {
  LEAK("it`s <tick>1</tick>\n", "it`s ");
  LEAK("it`s <tick>1</tick>", "it`s ");
  LEAK("it`s\n<tick>1</tick>", "it`s\n");
  LEAK("``a` <tick>1</tick>\n", "``a` ");
  LEAK("a`<tick>1\n</tick>`", "a`");
  PASS("a`<tick>1");
}

TEST(kinds_are_kept) {
  const struct text_sink sink = text_rig_sink(&rig);
  guard_leak_init(&guard, TEXT_PIECE_REASONING);
  text_rig_begin(&rig);
  assert_int_equal(guard_leak_feed(&guard, STR("a<b"), &sink, NULL), OK);
  assert_true(guard_leak_is_idle(&guard));
  assert_int_equal(guard_leak_feed(&guard, STR("<ti"), &sink, NULL), OK);
  assert_false(guard_leak_is_idle(&guard));
  assert_int_equal(guard_leak_end(&guard, &sink, NULL), OK);
  assert_true(guard_leak_is_idle(&guard));
  assert_str(buf_str(&rig.out), STR("[R:a<b<ti"));
  guard_leak_clear(&guard);
}

TEST(ordinary_text_is_not_held) {
  begin();
  for (unsigned i = 0; i < 100; i++) {
    assert_int_equal(feed(STR("if (a < b) x = `y`; <b>bold</b> ")), OK);
    assert_true(guard_leak_is_idle(&guard));
  }
  assert_int_equal(feed(STR("``")), OK);
  assert_true(guard_leak_is_idle(&guard));
  guard_leak_clear(&guard);
}

/* A pair whose content is n bytes, behind `before` other bytes, fed in pieces of `step`. */
static enum err run_pair(struct str before, size_t n, size_t step) {
  char *text = malloc(before.n + n + 32);
  memcpy(text, before.p, before.n);
  memcpy(text + before.n, "<tick>", 6);
  memset(text + before.n + 6, 'x', n);
  memcpy(text + before.n + 6 + n, "</tick>", 7);
  enum err e = run(str_from(text, before.n + n + 13), step, NULL);
  if (!e) assert_str(str_sub(buf_str(&rig.out), 3, rig.out.n), str_from(text, before.n + n + 13));
  free(text);
  return e;
}

TEST(what_is_held_is_bounded) {
  const struct str before[] = {STR("a"), STR("<channel>open"), STR("it`s ")};
  for (size_t i = 0; i < 3; i++)
    for (size_t step = 1; step < 100000; step = step * 7 + 1) {
      assert_int_equal(run_pair(before[i], GUARD_LEAK_HELD / 2 - 40, step), ERR_GUARD_LEAK);
      assert_int_equal(run_pair(before[i], GUARD_LEAK_HELD + 40, step), OK);
    }
  /* Behind a tag that has been let go, all up to the leak goes out. */
  static char text[GUARD_LEAK_HELD + 64];
  for (size_t n = GUARD_LEAK_HELD - 40; n < GUARD_LEAK_HELD + 10; n++)
    for (size_t step = 1; step < 100000; step = step * 97 + 1) {
      memset(text, 'x', sizeof text);
      memcpy(text, "<channel>", 9);
      memcpy(text + n, "<tick>1</tick>", 14);
      enum err e = run(str_from(text, n + 14), step, NULL);
      expect(e, true, n + 14 <= GUARD_LEAK_HELD ? STR_NONE : str_from(text, n));
    }
  begin();
  assert_int_equal(feed(STR("a<tick>")), OK);
  for (unsigned i = 0; i < 20000; i++) assert_int_equal(feed(STR("some words of it ")), OK);
  assert_true(guard_leak_is_idle(&guard));
  assert_int_equal(feed(STR("</tick>")), OK); /* too late */
  assert_int_equal(feed(STR("<tick>a</tick>")), ERR_GUARD_LEAK);
  guard_leak_clear(&guard);
}

/* The bound falls where it falls, in whatever pieces. */
TEST(cuts_make_no_difference_at_the_bound) {
  static const struct str words[] = {STR("<tick>"),
                                     STR("</channel>"),
                                     STR("word "),
                                     STR("`"),
                                     STR("\n"),
                                     STR("<channel a='"),
                                     STR("'>"),
                                     STR("```\n"),
                                     STR("<"),
                                     STR("</tick>"),
                                     STR("lengthy words without a tag in them, ")};
  uint32_t seed = 11;
  for (unsigned round = 0; round < 12; round++) {
    struct buf text;
    buf_init(&text, 0);
    unsigned kinds = round % 2 ? 9 : 11;
    while (text.n < 150000) {
      unsigned word = text_rig_random(&seed) % 64;
      buf_put(&text, words[word < kinds ? word : 10]);
    }
    enum err e = run(buf_str(&text), text.n, NULL);
    uint64_t hash = str_hash(buf_str(&rig.out), 1);
    for (unsigned i = 0; i < 4; i++) {
      assert_int_equal(run(buf_str(&text), i % 2, &seed), e);
      assert_true(str_hash(buf_str(&rig.out), 1) == hash);
    }
    buf_clear(&text);
  }
}

TEST(hostile_texts_take_linear_time) {
  static const struct str units[] = {STR("<tick>"),
                                     STR("<tick "),
                                     STR("</tick>"),
                                     STR("<"),
                                     STR("`"),
                                     STR("` "),
                                     STR("```\n"),
                                     STR("<tick>`"),
                                     STR("x"),
                                     STR("\n"),
                                     STR("<channel><tick><teammate-message>")};
  enum { N = 1 << 20 };
  char *text = malloc(N + 64);
  for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
    for (size_t at = 0; at < N; at += units[u].n) memcpy(text + at, units[u].p, units[u].n);
    uint32_t seed = 3;
    for (unsigned i = 0; i < 2; i++) {
      assert_int_equal(run(str_from(text, N), i ? 0 : N, &seed), OK);
      assert_int_equal(rig.out.n, N + 3);
      assert_memory_equal(rig.out.p + 3, text, N);
    }
  }
  free(text);
}

static enum err refuse(void *arg, const struct text_piece *piece, struct err_info *info) {
  (void)arg, (void)piece, (void)info;
  return ERR_CANCELLED;
}

TEST(a_sink_may_refuse) {
  const struct text_sink sink = {NULL, refuse};
  guard_leak_init(&guard, TEXT_PIECE_TEXT);
  assert_int_equal(guard_leak_feed(&guard, STR("a<tick>1</tick>"), &sink, NULL), ERR_CANCELLED);
  guard_leak_clear(&guard);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(closed_pairs_are_leaks),
      cmocka_unit_test(what_is_no_pair_passes),
      cmocka_unit_test(pairs_may_nest_and_follow),
      cmocka_unit_test(code_is_no_leak),
      cmocka_unit_test(a_backtick_that_stays_open_is_no_code),
      cmocka_unit_test(kinds_are_kept),
      cmocka_unit_test(ordinary_text_is_not_held),
      cmocka_unit_test(what_is_held_is_bounded),
      cmocka_unit_test(cuts_make_no_difference_at_the_bound),
      cmocka_unit_test(hostile_texts_take_linear_time),
      cmocka_unit_test(a_sink_may_refuse),
  };
  buf_init(&rig.out, 0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  buf_clear(&rig.out);
  return failed;
}
