/* What an answer is looked through for: the whole decision as a table, and the search that spares the decoding. */
#include "call/filters.h"

#include "unit.h"

static const struct dialect joins = {.joins_streams = true}, starts_anew = {0}, other = {0};

enum { NOTHING = 0, TOOLS = 1, THINK = 2, LEAK = 4, RUNAWAY = 8, GUARDS = LEAK | RUNAWAY };
static const char with_tools[] = "{\"tools\":[]}", without[] = "{}";

static const struct {
  enum llm_operation operation;
  bool is_stream, is_vendor_address;
  const struct dialect *caller, *target; /* the same: relayed */
  const char *body;
  unsigned tool_text, think; /* options */
  bool guards;
  int want;
  enum codec_send answer;
} rows[] = {
    /* at a server that imitates: relayed */
    {LLM_GENERATE, true, false, &joins, &joins, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, TOOLS | GUARDS,
     CODEC_RELAY},
    {LLM_GENERATE, false, false, &joins, &joins, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, TOOLS,
     CODEC_RELAY},
    {LLM_GENERATE, true, false, &joins, &joins, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, false, TOOLS,
     CODEC_RELAY},
    {LLM_GENERATE, true, false, &joins, &joins, with_tools, CONFIG_GUARD_OFF, CONFIG_GUARD_ON, true, THINK | GUARDS,
     CODEC_RELAY},
    /* translated: thinking, too */
    {LLM_GENERATE, true, false, &joins, &other, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true,
     TOOLS | THINK | GUARDS, CODEC_ENCODE},
    {LLM_GENERATE, false, false, &joins, &other, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, TOOLS | THINK,
     CODEC_ENCODE},
    /* at the vendor's own */
    {LLM_GENERATE, true, true, &joins, &joins, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, GUARDS,
     CODEC_RELAY},
    {LLM_GENERATE, true, true, &joins, &other, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, GUARDS,
     CODEC_ENCODE},
    {LLM_GENERATE, true, true, &joins, &other, with_tools, CONFIG_GUARD_ON, CONFIG_GUARD_ON, true,
     TOOLS | THINK | GUARDS, CODEC_ENCODE},
    /* a relay that nobody can go on with is none where something may be found */
    {LLM_GENERATE, true, false, &starts_anew, &starts_anew, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true,
     TOOLS | GUARDS, CODEC_ENCODE},
    {LLM_GENERATE, true, false, &starts_anew, &starts_anew, without, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true, GUARDS,
     CODEC_RELAY},
    {LLM_GENERATE, true, false, &starts_anew, &starts_anew, without, CONFIG_GUARD_OFF, CONFIG_GUARD_ON, true,
     THINK | GUARDS, CODEC_ENCODE},
    {LLM_GENERATE, false, false, &starts_anew, &starts_anew, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true,
     TOOLS, CODEC_RELAY},
    {LLM_GENERATE, true, true, &starts_anew, &starts_anew, with_tools, CONFIG_GUARD_AUTO, CONFIG_GUARD_AUTO, true,
     GUARDS, CODEC_RELAY},
    /* no chat */
    {LLM_COMPLETE, true, false, &joins, &joins, with_tools, CONFIG_GUARD_ON, CONFIG_GUARD_ON, true, GUARDS,
     CODEC_RELAY},
    {LLM_EMBED, false, false, &joins, &joins, with_tools, CONFIG_GUARD_ON, CONFIG_GUARD_ON, true, NOTHING, CODEC_RELAY},
};

TEST(every_way_and_every_switch) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct config_options options = {.guards_tool_text = rows[i].tool_text,
                                           .guards_think = rows[i].think,
                                           .guards_leak_enabled = rows[i].guards,
                                           .guards_runaway_enabled = rows[i].guards};
    const struct dialect_request request = {.operation = rows[i].operation, .is_stream = rows[i].is_stream};
    const struct catalog_provider at = {.provider = {.is_vendor_address = rows[i].is_vendor_address}};
    const struct deployment d = {.at = &at};
    enum codec_send send = rows[i].caller == rows[i].target ? CODEC_RELAY : CODEC_ENCODE;
    struct codec codec = {.target = rows[i].target, .request = send, .answer = send};
    struct call call = {
        .options = &options, .dialect = rows[i].caller, .request = &request, .body = str_from_c(rows[i].body)};
    filters_choose(&call, &d, &codec);
    const struct text_filter_options *f = &codec.filter;
    int got = (f->tool_text ? TOOLS : 0) | (f->think ? THINK : 0) | (f->leak ? LEAK : 0) | (f->runaway ? RUNAWAY : 0);
    if (got != rows[i].want || codec.answer != rows[i].answer || codec.request != send ||
        f->is_whole == rows[i].is_stream)
      fail_msg("row %zu: found %d, wanted %d; answer %d", i, got, rows[i].want, (int)codec.answer);
  }
}

TEST(bytes_in_which_nothing_can_be_found) {
  const struct text_filter_options tools = {.tool_text = true}, guards = {.leak = true, .runaway = true};
  static const char *const may[] = {"{\"content\":\"<tool_call>\"}",
                                    "{\"content\":\"\\u003cinvoke\"}",
                                    "{\"content\":\"\\u003Cinvoke\"}",
                                    "{\"content\":\"[TOOL_CALLS]\"}",
                                    "{\"content\":\"{\\\"name\\\"\"}",
                                    "{\"content\": \"\\n \\t{\\\"name\\\"\"}",
                                    "{\"content\":\"\xe2\x97\x81think\xe2\x96\xb7\"}",
                                    "{\"content\":\"\\u25c1think\\u25b7\"}"};
  for (size_t i = 0; i < sizeof may / sizeof *may; i++) {
    assert_true(filters_may_change(&tools, str_from_c(may[i])));
    assert_false(filters_may_change(&guards, str_from_c(may[i])));
  }
  const struct text_filter_options inside = {.think = true, .starts_in_think = true};
  assert_true(filters_may_change(&inside, STR("{\"content\":\"all of it\"}")));
  assert_false(filters_may_change(&tools, STR("{\"message\": {\"content\": \"words\\n{}\"}, \"usage\": {}}")));
  assert_false(filters_may_change(&tools, STR("{\"content\":\"2 > 1, and {braces} [here]\"}")));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_way_and_every_switch),
                                     cmocka_unit_test(bytes_in_which_nothing_can_be_found)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
