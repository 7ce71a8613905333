/* Thinking in tags: what is taken for it, what is not, and that cuts make no difference. */
#include "text/think_split.h"

#include <stdlib.h>

#include "text_rig.h"

static struct text_rig rig = {.last = -1};

static void feed(struct think_split *t, struct str s) {
  const struct text_sink sink = text_rig_sink(&rig);
  assert_int_equal(think_split_feed(t, s, &sink, NULL), OK);
}

static void end(struct think_split *t) {
  const struct text_sink sink = text_rig_sink(&rig);
  assert_int_equal(think_split_end(t, &sink, NULL), OK);
}

/* In pieces of `step` bytes; step 0: of random lengths from *seed. */
static void run(struct str text, bool starts_inside, size_t step, uint32_t *seed) {
  struct think_split t;
  think_split_init(&t, &(struct think_split_options){starts_inside});
  text_rig_begin(&rig);
  for (size_t at = 0; at < text.n;) {
    size_t n = step ? step : 1 + text_rig_random(seed) % 12;
    if (n > text.n - at) n = text.n - at;
    char *copy = malloc(n); /* exact, so that a read beyond is seen */
    memcpy(copy, text.p + at, n);
    feed(&t, str_from(copy, n));
    free(copy);
    at += n;
  }
  end(&t);
  assert_true(think_split_is_idle(&t));
}

static void check(struct str text, bool starts_inside, struct str want) {
  uint32_t seed = 7;
  struct think_split t;
  run(text, starts_inside, text.n ? text.n : 1, NULL);
  assert_str(buf_str(&rig.out), want);
  for (size_t cut = 0; cut <= text.n; cut++) {
    think_split_init(&t, &(struct think_split_options){starts_inside});
    text_rig_begin(&rig);
    feed(&t, str_sub(text, 0, cut));
    feed(&t, str_sub(text, cut, text.n));
    end(&t);
    assert_str(buf_str(&rig.out), want);
  }
  for (size_t step = 1; step < 4; step++) {
    run(text, starts_inside, step, NULL);
    assert_str(buf_str(&rig.out), want);
  }
  for (unsigned i = 0; i < 50; i++) {
    run(text, starts_inside, 0, &seed);
    assert_str(buf_str(&rig.out), want);
  }
}

#define STREAM(text, want) check(STR(text), false, STR(want))
#define INSIDE(text, want) check(STR(text), true, STR(want))

TEST(every_tag_splits) {
  STREAM("<think>a</think>b", "[R:a[T:b");
  STREAM("<thinking>a</thinking>b", "[R:a[T:b");
  STREAM("<thought>a</thought>b", "[R:a[T:b");
  STREAM("<reasoning>a</reasoning>b", "[R:a[T:b");
  STREAM("<seed:think>a</seed:think>b", "[R:a[T:b");
  STREAM("[THINK]a[/THINK]b", "[R:a[T:b");
  STREAM("<|START_THINKING|>a<|END_THINKING|>b", "[R:a[T:b");
  STREAM("<|begin_of_thought|>a<|end_of_thought|>b", "[R:a[T:b");
  STREAM(
      "\xe2\x97\x81think\xe2\x96\xb7"
      "a\xe2\x97\x81/think\xe2\x96\xb7"
      "b",
      "[R:a[T:b");
}

TEST(white_space_around_tags_goes) {
  STREAM("<think>\nLet me see.\nYes.\n</think>\n\nIt is 42.\n", "[R:Let me see.\nYes.[T:It is 42.\n");
  STREAM("\n\n <think>a</think> b", "[R:a[T:b");
  STREAM("<think>a</think>\r\n\r\n    code\r\n", "[R:a[T:    code\r\n"); /* indentation means something */
  STREAM("<think>\n\n</think>\n\nb", "[T:b");                            /* switched off, as Qwen3 says it */
  STREAM("<think></think>b", "[T:b");
  STREAM("<think>a \n b</think>", "[R:a \n b");
  STREAM("<think>a</think>\n \n", "[R:a");
}

TEST(only_the_beginning_opens) {
  STREAM("The tag <think> opens, </think> closes.", "[T:The tag <think> opens, </think> closes.");
  STREAM("`<think>` opens.", "[T:`<think>` opens.");
  STREAM("  Hello <think>a</think>", "[T:  Hello <think>a</think>");
  STREAM("<think>a</think>\nThe tag <think> is x</think>", "[R:a[T:The tag <think> is x</think>");
  STREAM("<think>a</think>\n<think>b</think>\nc", "[R:ab[T:c"); /* two in a row */
  STREAM("<think>a</think>\n<thinking>b</thinking>\nc", "[R:ab[T:c");
  STREAM("</think>a", "[T:</think>a");
  STREAM("<thinker>a</thinker>", "[T:<thinker>a</thinker>");
  STREAM("<THINK>a", "[T:<THINK>a");
  STREAM("", "");
  STREAM(" \n ", "[T: \n ");
  STREAM("<thin", "[T:<thin");
  STREAM(" \n<thin", "[T: \n<thin");
  STREAM("<think>a</think>\n  <thin", "[R:a[T:  <thin");
  STREAM("<<think>", "[T:<<think>");
}

TEST(thinking_ends_with_its_own_tag) {
  STREAM("<think>a </thinking> b</think>c", "[R:a </thinking> b[T:c");
  STREAM("<think>x < y </thin </think>c", "[R:x < y </thin[T:c");
  STREAM("<think>a<think>b</think>c", "[R:a<think>b[T:c");
  STREAM("<think>a\n</th</think>b", "[R:a\n</th[T:b");
  STREAM("[THINK]a[[/THINK]b", "[R:a[[T:b");
  STREAM(
      "\xe2\x97\x81think\xe2\x96\xb7"
      "a\xe2\x97\x81/think\xe2\x97\x81/think\xe2\x96\xb7"
      "b",
      "[R:a\xe2\x97\x81/think[T:b"); /* a tag's beginning within one that breaks */
}

TEST(thinking_without_an_end_stays_thinking) {
  STREAM("<think>a b", "[R:a b");
  STREAM("<think>a </thi", "[R:a </thi");
  STREAM("<think>", "");
  STREAM("<think>a\n", "[R:a");
  INSIDE("a b", "[R:a b");
}

TEST(templates_may_have_opened_it) {
  INSIDE("a\n</think>\n\nb", "[R:a[T:b");
  INSIDE("\n a</think>b", "[R:a[T:b");
  INSIDE("</think>b", "[T:b");
  INSIDE("<think>a</think>b", "[R:a[T:b"); /* and the model opens it all the same */
  INSIDE("a</seed:think>b", "[R:a[T:b");
  INSIDE("a<|END_THINKING|>b", "[R:a[T:b");
  INSIDE("a</thinking>b", "[R:a</thinking>b"); /* no template opens that */
  INSIDE("<b>a</think>c", "[R:<b>a[T:c");
  INSIDE("<th", "[R:<th");
  INSIDE("[THINK]a</think>[/THINK]b", "[R:a</think>[T:b");
  INSIDE("a</think>b</think>c", "[R:a[T:b</think>c");
}

TEST(long_white_runs_are_bounded) {
  char text[400], want[400];
  for (size_t n = 0; n < 200; n++) {
    size_t at = 0;
    memcpy(text, "<think>a", 8);
    memset(text + 8, n % 2 ? ' ' : '\n', n);
    memcpy(text + 8 + n, "</think>b", 9);
    memcpy(want, "[R:a", 4);
    at = 4;
    memset(want + at, n % 2 ? ' ' : '\n', n / THINK_SPLIT_HELD * THINK_SPLIT_HELD);
    at += n / THINK_SPLIT_HELD * THINK_SPLIT_HELD;
    memcpy(want + at, "[T:b", 4);
    check(str_from(text, n + 17), false, str_from(want, at + 4));
  }
  memset(text, ' ', 100); /* so long a run is no layout */
  memcpy(text + 100, "<think>a</think>", 16);
  memcpy(want, "[T:", 3);
  memcpy(want + 3, text, 116);
  check(str_from(text, 116), false, str_from(want, 119));
}

TEST(other_bytes_pass) {
  STREAM("<think>\xff\xfe\0a</think>\xc3", "[R:\xff\xfe\0a[T:\xc3");
  STREAM("\xe2\x97", "[T:\xe2\x97");
}

static void whole(struct str text, bool starts_inside, struct str want) {
  const struct text_sink sink = text_rig_sink(&rig);
  text_rig_begin(&rig);
  assert_int_equal(think_split_whole(text, &(struct think_split_options){starts_inside}, &sink, NULL), OK);
  assert_str(buf_str(&rig.out), want);
}
#define WHOLE(text, want) whole(STR(text), false, STR(want))

TEST(a_whole_text_may_lack_the_opening_tag) {
  WHOLE("Let me see.\n</think>\n\nIt is 42.", "[R:Let me see.[T:It is 42.");
  WHOLE("Let me see.</think>\nIt is 42.", "[R:Let me see.[T:It is 42.");
  WHOLE("Let me see.\n</think>It is 42.", "[R:Let me see.[T:It is 42.");
  WHOLE("</think>b", "[T:b");
  WHOLE("a</think>", "[R:a");
  WHOLE("a</think>\n<think>b</think>c", "[R:ab[T:c");
  WHOLE("a</seed:think>\nb", "[R:a[T:b");
  WHOLE("it`s a\n</think>\nb", "[R:it`s a[T:b");
  WHOLE("it`s a</think>\nb", "[R:it`s a[T:b");
  WHOLE("it`s a</think>", "[R:it`s a");
  whole(STR("a</think>b"), true, STR("[R:a[T:b"));
  WHOLE("<think>a</think>b", "[R:a[T:b");
}

TEST(a_whole_text_may_mention_tags) {
  WHOLE("Close it with </think> then go on.", "[T:Close it with </think> then go on.");
  WHOLE("Close it with `</think>`\nthen", "[T:Close it with `</think>`\nthen");
  WHOLE("```\nx\n</think>\n```\nb", "[T:```\nx\n</think>\n```\nb");
  WHOLE("So:\n```xml\nx\n</think>", "[T:So:\n```xml\nx\n</think>");
  WHOLE("First <think>\nx\n</think>\nb", "[T:First <think>\nx\n</think>\nb");
  WHOLE("x\n</thinking>\nb", "[T:x\n</thinking>\nb");
  WHOLE("x\n[/THINK]\nb", "[T:x\n[/THINK]\nb");
  WHOLE("", "");
}

static enum err refuse(void *arg, const struct text_piece *piece, struct err_info *info) {
  (void)piece, (void)info;
  return ++*(int *)arg > 1 ? ERR_CANCELLED : OK;
}

TEST(a_sink_may_refuse) {
  int count = 0;
  const struct text_sink sink = {&count, refuse};
  struct think_split t;
  think_split_init(&t, NULL);
  assert_int_equal(think_split_feed(&t, STR("<think>a</think>b"), &sink, NULL), ERR_CANCELLED);
  assert_int_equal(count, 2);
}

/* A megabyte of each: what counts is that it ends soon and that all bytes come out. */
TEST(hostile_texts_take_linear_time) {
  static const struct str units[] = {
      STR("<think>"),   STR("</think"),        STR("</think>"), STR("<"), STR("["), STR("\xe2\x97\x81/think"),
      STR("`</think>"), STR("```\n</think> "), STR(" \n"),      STR("x")};
  enum { N = 1 << 20 };
  char *text = malloc(N + 32);
  for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
    for (size_t at = 0; at < N; at += units[u].n) memcpy(text + at, units[u].p, units[u].n);
    for (unsigned mode = 0; mode < 2; mode++) {
      uint32_t seed = 3;
      run(str_from(text, N), mode, N, NULL);
      uint64_t hash = str_hash(buf_str(&rig.out), 1);
      run(str_from(text, N), mode, mode ? 4099 : 0, &seed);
      assert_true(str_hash(buf_str(&rig.out), 1) == hash);
      const struct text_sink sink = text_rig_sink(&rig);
      assert_int_equal(think_split_whole(str_from(text, N), &(struct think_split_options){mode}, &sink, NULL), OK);
    }
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_tag_splits),
      cmocka_unit_test(white_space_around_tags_goes),
      cmocka_unit_test(only_the_beginning_opens),
      cmocka_unit_test(thinking_ends_with_its_own_tag),
      cmocka_unit_test(thinking_without_an_end_stays_thinking),
      cmocka_unit_test(templates_may_have_opened_it),
      cmocka_unit_test(long_white_runs_are_bounded),
      cmocka_unit_test(other_bytes_pass),
      cmocka_unit_test(a_whole_text_may_lack_the_opening_tag),
      cmocka_unit_test(a_whole_text_may_mention_tags),
      cmocka_unit_test(a_sink_may_refuse),
      cmocka_unit_test(hostile_texts_take_linear_time),
  };
  buf_init(&rig.out, 0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  buf_clear(&rig.out);
  return failed;
}
