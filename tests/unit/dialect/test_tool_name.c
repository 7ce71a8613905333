/* Names of tools on the wire and the way back. */
#include "dialect/tool_name.h"
#include "unit.h"

TEST(names_on_the_wire) {
  struct arena a;
  arena_init(&a, 0);
  assert_str(tool_name_wire(&a, STR_NONE, STR("get_weather-1")), STR("get_weather-1"));
  assert_str(tool_name_wire(&a, STR_NONE, STR("a.b/c")), STR("a_b_c"));
  assert_str(tool_name_wire(&a, STR("ns"), STR("f")), STR("ns__f"));
  arena_clear(&a);
}

TEST(the_way_back) {
  struct request_tool tools[] = {{.name = STR("a.b")},
                                 {.name = STR("a_b")},
                                 {.kind = TOOL_HOSTED, .name = STR("hosted")},
                                 {.name = STR("f"), .namespace = STR("n.s")},
                                 {.name = STR("x.y")}};
  struct request r = {.dialect = STR("ours"), .tools = tools, .tool_count = sizeof tools / sizeof *tools};
  assert_str(tool_name_declared(&r, STR("theirs"), STR("a_b")), STR("a_b")); /* the very name goes first */
  assert_str(tool_name_declared(&r, STR("theirs"), STR("x_y")), STR("x.y"));
  assert_str(tool_name_declared(&r, STR("theirs"), STR("x.y")), STR("x.y")); /* an API that takes the dot */
  assert_str(tool_name_declared(&r, STR("theirs"), STR("xzy")), STR("xzy")); /* '_' alone stands for another */
  assert_str(tool_name_declared(&r, STR("theirs"), STR("n_s__f")), STR("n_s__f"));
  assert_str(tool_name_declared(&r, STR("ours"), STR("x_y")), STR("x_y")); /* nothing was said otherwise */
  assert_ptr_equal(tool_name_find(&r, STR("n_s__f")), &tools[3]);
  assert_null(tool_name_find(&r, STR("hosted")));
  assert_null(tool_name_find(NULL, STR("a_b")));
}

TEST(names_that_were_cut) {
  char text[TOOL_NAME_BYTES_MAX + 6];
  memset(text, 'n', sizeof text);
  struct request_tool tool = {.name = str_from(text, sizeof text)};
  struct request r = {.tools = &tool, .tool_count = 1};
  struct arena a;
  arena_init(&a, 0);
  struct str wire = tool_name_wire(&a, STR_NONE, tool.name);
  assert_int_equal(wire.n, TOOL_NAME_BYTES_MAX);
  assert_str(tool_name_declared(&r, STR("theirs"), wire), tool.name);
  assert_int_equal(tool_name_declared(&r, STR("theirs"), str_sub(wire, 0, wire.n - 1)).n, TOOL_NAME_BYTES_MAX - 1);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_on_the_wire),
      cmocka_unit_test(the_way_back),
      cmocka_unit_test(names_that_were_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
