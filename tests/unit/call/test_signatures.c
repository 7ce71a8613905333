/* What a call's thinking was signed with comes back with the words it was put on, whatever a client made of them. */
#include "call/signatures.h"

#include "base/clock.h"
#include "state/signature_store.h"
#include "unit.h"

static struct arena arena;
static struct dialect maker = {.name = STR("maker")};

/* "call_1" was signed "sig" over "all of it". */
static void keep(void) {
  const struct signature_store_item item = {.kind = SIGNATURE_OF_THINKING,
                                            .signature = {STR("sig"), STR("maker")},
                                            .text = STR("all of it"),
                                            .part = PART_REASONING};
  signature_store_clear();
  signature_store_put(STR("me"), STR("call_1"), &item, clock_mono_us());
}

static struct request_part *restored(struct str text, struct str signature, struct str origin, size_t *count) {
  static struct request_part parts[2];
  static struct request_item item;
  struct request r;
  struct call c = {.arena = &arena, .work = &arena, .owner = STR("me")};
  request_init(&r, STR("caller"), LLM_GENERATE);
  parts[0] = (struct request_part){.kind = PART_REASONING, .text = text, .signature = {signature, origin}};
  parts[1] = (struct request_part){.kind = PART_TOOL_CALL, .call_id = STR("call_1")};
  item = (struct request_item){.role = ROLE_ASSISTANT, .parts = parts, .part_count = 2};
  r.items = &item;
  r.item_count = 1;
  assert_int_equal(signatures_restore(&c, &r, &maker), OK);
  *count = item.part_count;
  return item.parts;
}

TEST(a_thought_that_came_back_shortened_is_whole_again) {
  size_t n;
  keep();
  const struct request_part *p = restored(STR("it"), STR("sig"), STR("maker"), &n);
  assert_int_equal(n, 2);
  assert_str(p[0].text, STR("all of it"));
  assert_str(p[0].signature.bytes, STR("sig"));
}

TEST(another_signature_is_left_to_its_maker) {
  size_t n;
  keep();
  const struct request_part *p = restored(STR("it"), STR("other"), STR("maker"), &n);
  assert_int_equal(n, 2);
  assert_str(p[0].text, STR("it"));
}

TEST(a_thought_without_signature_gets_the_kept_one_beside_it) {
  size_t n;
  keep();
  const struct request_part *p = restored(STR("it"), STR_NONE, STR_NONE, &n);
  assert_int_equal(n, 3);
  assert_str(p[0].text, STR("it"));
  assert_str(p[1].text, STR("all of it"));
  assert_str(p[1].signature.bytes, STR("sig"));
}

int main(void) {
  arena_init(&arena, 0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thought_that_came_back_shortened_is_whole_again),
      cmocka_unit_test(another_signature_is_left_to_its_maker),
      cmocka_unit_test(a_thought_without_signature_gets_the_kept_one_beside_it),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  signature_store_clear();
  arena_clear(&arena);
  return failed;
}
