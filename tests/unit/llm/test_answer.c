/* A whole answer from events: order, interleaved parts, limits, and usage that comes in pieces. */
#include "llm/answer.h"

#include <stdlib.h>

#include "unit.h"

static struct arena arena;
static struct answer *answer; /* too large for a stack */
static struct event_sink sink;
static struct err_info info;

static void begin(size_t limit) {
  arena_init(&arena, 0);
  answer = malloc(sizeof *answer);
  memset(answer, '#', sizeof *answer);
  answer_init(answer, &arena, limit);
  sink = answer_sink(answer);
  info = (struct err_info){0};
}

static void end(void) {
  answer_clear(answer);
  answer_clear(answer);
  free(answer);
  arena_clear(&arena);
}

/* Every slice of an event is gone after the call, as a frame's is. */
static struct str lend(struct str s) {
  if (s.n == 0) return s;
  char *p = malloc(s.n);
  memcpy(p, s.p, s.n);
  return str_from(p, s.n);
}

static enum err put(struct event e) {
  struct str *const slices[] = {&e.bytes, &e.id,  &e.name,    &e.namespace, &e.item_id,
                                &e.mime,  &e.raw, &e.dialect, &e.native,    &e.text};
  for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) *slices[i] = lend(*slices[i]);
  enum err result = event_put(&sink, &e, &info);
  for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) free((void *)(uintptr_t)slices[i]->p);
  return result;
}

static void must(struct event e) { assert_int_equal(put(e), OK); }

static struct event open_part(uint32_t part, enum part_kind kind) {
  return (struct event){.kind = EVENT_OPEN, .part = part, .part_kind = kind};
}

static struct event delta(uint32_t part, struct str bytes) {
  return (struct event){.kind = EVENT_DELTA, .part = part, .bytes = bytes};
}

TEST(an_answer_with_everything) {
  struct usage usage = {0};
  begin(0);
  must((struct event){.kind = EVENT_START, .id = STR("msg_1"), .name = STR("model-x"), .created_s = 7});
  must(open_part(0, PART_REASONING));
  must(delta(0, STR("hm")));
  must((struct event){.kind = EVENT_ATTACH,
                      .part = 0,
                      .attachment = ATTACH_SIGNATURE,
                      .bytes = STR("sig"),
                      .dialect = STR("anthropic")});
  must((struct event){.kind = EVENT_CLOSE, .part = 0});
  must((struct event){.kind = EVENT_PING});
  must(open_part(1, PART_TEXT));
  must(delta(1, STR("Hel")));
  must(delta(1, STR_NONE));
  must(delta(1, STR("lo")));
  static const struct str citations[] = {STR("{\"a\":1}"), STR("{\"b\":2}")};
  for (size_t i = 0; i < 2; i++)
    must((struct event){.kind = EVENT_ATTACH,
                        .part = 1,
                        .attachment = ATTACH_CITATION,
                        .raw = citations[i],
                        .dialect = STR("anthropic")});
  must((struct event){
      .kind = EVENT_ATTACH, .part = 1, .attachment = ATTACH_LOGPROBS, .raw = STR("{\"token\":\"Hel\"}")});
  must(
      (struct event){.kind = EVENT_ATTACH, .part = 1, .attachment = ATTACH_LOGPROBS, .raw = STR("{\"token\":\"lo\"}")});
  struct event call = open_part(2, PART_TOOL_CALL);
  call.id = STR("call_1"), call.item_id = STR("fc_1"), call.name = STR("f"), call.namespace = STR("ns");
  call.tool_kind = TOOL_CUSTOM;
  must(call);
  struct event native = open_part(3, PART_SERVER_TOOL);
  native.raw = STR("{\"type\":\"web_search\"}"), native.dialect = STR("anthropic");
  must(native);
  struct event sound = open_part(4, PART_AUDIO);
  sound.mime = STR("audio/wav");
  must(sound);
  must((struct event){.kind = EVENT_ATTACH, .part = 4, .attachment = ATTACH_AUDIO_ID, .bytes = STR("audio_9")});
  usage_set(&usage, USAGE_INPUT, 3);
  must((struct event){.kind = EVENT_USAGE, .usage = &usage});
  must((struct event){.kind = EVENT_STOP, .reason = STOP_SEQUENCE, .native = STR("stop_sequence"), .text = STR("END")});
  assert_false(answer->is_ended);
  must((struct event){.kind = EVENT_END});

  assert_str(answer->id, STR("msg_1"));
  assert_str(answer->model, STR("model-x"));
  assert_int_equal(answer->created_s, 7);
  assert_int_equal(answer->part_count, 5);
  const struct answer_part *p = answer->parts;
  assert_int_equal(p[0].kind, PART_REASONING);
  assert_str(buf_str(&p[0].text), STR("hm"));
  assert_str(p[0].signature.bytes, STR("sig"));
  assert_str(p[0].signature.origin, STR("anthropic"));
  assert_true(p[0].is_closed && !p[1].is_closed);
  assert_str(buf_str(&p[1].text), STR("Hello"));
  assert_str(buf_str(&p[1].citations), STR("{\"a\":1},{\"b\":2}"));
  assert_str(p[1].raw_dialect, STR("anthropic"));
  assert_str(answer_logprobs(answer, 0), STR("{\"token\":\"Hel\"},{\"token\":\"lo\"}"));
  assert_str(p[2].id, STR("call_1"));
  assert_str(p[2].item_id, STR("fc_1"));
  assert_str(p[2].name, STR("f"));
  assert_str(p[2].namespace, STR("ns"));
  assert_int_equal(p[2].tool_kind, TOOL_CUSTOM);
  assert_str(p[3].raw, STR("{\"type\":\"web_search\"}"));
  assert_str(p[3].raw_dialect, STR("anthropic"));
  assert_str(p[4].mime, STR("audio/wav"));
  assert_str(p[4].id, STR("audio_9"));
  assert_true(answer->has_usage && answer->is_ended && answer->stops[0].is_set);
  assert_int_equal(answer->stops[0].reason, STOP_SEQUENCE);
  assert_str(answer->stops[0].native, STR("stop_sequence"));
  assert_str(answer->stops[0].sequence, STR("END"));
  end();
}

TEST(an_empty_answer) {
  begin(0);
  must((struct event){.kind = EVENT_START});
  must((struct event){.kind = EVENT_STOP});
  must((struct event){.kind = EVENT_END});
  assert_int_equal(answer->part_count, 0);
  assert_int_equal(answer->choice_count, 1);
  assert_false(answer->has_usage);
  assert_int_equal(answer->usage.known, 0);
  end();
}

TEST(parallel_calls_do_not_mix) {
  enum { CALLS = 20 };
  begin(0);
  for (uint32_t i = 0; i < CALLS; i++) must(open_part(i, PART_TOOL_CALL));
  for (int round = 0; round < 50; round++)
    for (uint32_t i = 0; i < CALLS; i++) {
      char c = (char)('a' + i);
      must(delta(round % 2 ? i : CALLS - 1 - i, str_from(&c, 1)));
    }
  for (uint32_t i = 0; i < CALLS; i++) {
    struct str text = buf_str(&answer->parts[i].text);
    assert_int_equal(text.n, 50);
    for (size_t k = 0; k < text.n; k++) assert_int_equal(text.p[k], 'a' + (k % 2 ? i : CALLS - 1 - i));
  }
  end();
}

TEST(choices) {
  begin(0);
  struct event e = open_part(0, PART_TEXT);
  e.choice = 3;
  must(e);
  assert_int_equal(answer->choice_count, 4);
  must((struct event){.kind = EVENT_ATTACH, .part = 0, .attachment = ATTACH_LOGPROBS, .raw = STR("{}")});
  assert_int_equal(answer_logprobs(answer, 0).n, 0); /* each choice has its own */
  assert_str(answer_logprobs(answer, 3), STR("{}"));
  must((struct event){.kind = EVENT_STOP, .choice = ANSWER_CHOICES_MAX - 1, .reason = STOP_LENGTH});
  assert_int_equal(answer->choice_count, ANSWER_CHOICES_MAX);
  assert_int_equal(answer->stops[ANSWER_CHOICES_MAX - 1].reason, STOP_LENGTH);
  assert_false(answer->stops[3].is_set);
  assert_int_equal(put((struct event){.kind = EVENT_STOP, .choice = ANSWER_CHOICES_MAX}), ERR_UPSTREAM_TOO_LARGE);
  e = open_part(1, PART_TEXT);
  e.choice = UINT32_MAX;
  assert_int_equal(put(e), ERR_UPSTREAM_TOO_LARGE);
  assert_int_equal(answer->part_count, 1);
  end();
}

TEST(what_is_out_of_order) {
  begin(0);
  static const enum event_kind of_part[] = {EVENT_DELTA, EVENT_ATTACH, EVENT_CLOSE};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(put((struct event){.kind = of_part[i], .part = 0}), ERR_UPSTREAM_PROTOCOL);
    assert_int_equal(put((struct event){.kind = of_part[i], .part = UINT32_MAX}), ERR_UPSTREAM_PROTOCOL);
    assert_true(info.text[0]);
  }
  assert_int_equal(put(open_part(1, PART_TEXT)), ERR_UPSTREAM_PROTOCOL); /* the first is 0 */
  must(open_part(0, PART_TEXT));
  assert_int_equal(put(open_part(0, PART_TEXT)), ERR_UPSTREAM_PROTOCOL);
  assert_int_equal(put((struct event){.kind = EVENT_ERROR, .bytes = STR("{}")}), ERR_INTERNAL);
  assert_int_equal(answer->part_count, 1);
  end();
}

TEST(parts_are_bounded) {
  begin(0);
  for (uint32_t i = 0; i < ANSWER_PARTS_MAX; i++) must(open_part(i, PART_TEXT));
  assert_int_equal(put(open_part(ANSWER_PARTS_MAX, PART_TEXT)), ERR_UPSTREAM_TOO_LARGE);
  end();
}

/* Whatever is kept counts: each kind of event, repeated, comes to the limit. */
TEST(bytes_are_bounded) {
  static char sixteen[] = "0123456789abcdef";
  const struct str s = {sixteen, 16};
  const struct event rows[] = {
      {.kind = EVENT_DELTA, .bytes = s},
      {.kind = EVENT_ATTACH, .attachment = ATTACH_SIGNATURE, .bytes = s},
      {.kind = EVENT_ATTACH, .attachment = ATTACH_CITATION, .raw = s},
      {.kind = EVENT_ATTACH, .attachment = ATTACH_LOGPROBS, .raw = s},
      {.kind = EVENT_ATTACH, .attachment = ATTACH_AUDIO_ID, .bytes = s},
      {.kind = EVENT_STOP, .native = s},
      {.kind = EVENT_STOP, .text = s},
      {.kind = EVENT_START, .id = s},
      {.kind = EVENT_START, .name = s},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    begin(160);
    must(open_part(0, PART_TEXT));
    for (int k = 0; k < 10; k++) must(rows[i]);
    assert_int_equal(put(rows[i]), ERR_UPSTREAM_TOO_LARGE);
    end();
  }
  for (int field = 0; field < 6; field++) {
    begin(160);
    enum err e = OK;
    uint32_t n = 0;
    for (; !e && n < 20; n++) {
      struct event open = open_part(n, PART_TOOL_CALL);
      *(struct str *[]){&open.id, &open.item_id, &open.name, &open.namespace, &open.mime, &open.raw}[field] = s;
      e = put(open);
    }
    assert_int_equal(e, ERR_UPSTREAM_TOO_LARGE);
    assert_int_equal(n, 11);
    assert_int_equal(answer->part_count, 10);
    end();
  }
}

TEST(memory_may_be_short) {
  begin(0);
  arena_clear(&arena);
  arena_init(&arena, 1);
  assert_int_equal(put((struct event){.kind = EVENT_START, .id = STR("x")}), ERR_NO_MEMORY);
  assert_int_equal(put(open_part(0, PART_TEXT)), ERR_NO_MEMORY);
  assert_int_equal(put((struct event){.kind = EVENT_STOP, .native = STR("x")}), ERR_NO_MEMORY);
  end();
}

TEST(usage_of_each_class_its_last_word) {
  struct usage first = {0}, second = {0}, third = {0};
  begin(0);
  usage_set(&first, USAGE_INPUT, 10);
  usage_set(&first, USAGE_CACHE_READ, 4);
  usage_set(&first, USAGE_OUTPUT, 1);
  usage_set(&second, USAGE_OUTPUT, 25);
  usage_set(&third, USAGE_OUTPUT, 0); /* a zero is a word, too */
  must((struct event){.kind = EVENT_USAGE, .usage = &first});
  must((struct event){.kind = EVENT_USAGE, .usage = &second});
  assert_int_equal(answer->usage.tokens[USAGE_INPUT], 10);
  assert_int_equal(answer->usage.tokens[USAGE_OUTPUT], 25);
  assert_int_equal(answer->usage.tokens[USAGE_CACHE_READ], 4);
  assert_false(usage_has(&answer->usage, USAGE_REASONING)); /* unknown, not zero */
  assert_false(answer->usage.is_estimated);
  must((struct event){.kind = EVENT_USAGE, .usage = &third});
  assert_int_equal(answer->usage.tokens[USAGE_OUTPUT], 0);
  third.is_estimated = true;
  must((struct event){.kind = EVENT_USAGE, .usage = &third});
  must((struct event){.kind = EVENT_USAGE, .usage = &first});
  assert_true(answer->usage.is_estimated);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_with_everything),
      cmocka_unit_test(an_empty_answer),
      cmocka_unit_test(parallel_calls_do_not_mix),
      cmocka_unit_test(choices),
      cmocka_unit_test(what_is_out_of_order),
      cmocka_unit_test(parts_are_bounded),
      cmocka_unit_test(bytes_are_bounded),
      cmocka_unit_test(memory_may_be_short),
      cmocka_unit_test(usage_of_each_class_its_last_word),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
