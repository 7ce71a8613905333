/* Calls in text: the examples that the format's description gives, each family as its published template writes it,
 * what must stay text, and hostile markup. Every case is cut at every byte, and at random, with the same result. A
 * result is written as its pieces: text as it is, a call as "[name{args}]"; texts that follow each other are one. */
#include "text/tool_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "llm/request.h"
#include "unit.h"

#define BAR "\xef\xbd\x9c"
#define LOW "\xe2\x96\x81"

static struct arena arena;
static struct request request;
static struct request_tool tools[64];

static int set_up(void **state) {
  (void)state;
  static const char *const names[] = {"get_weather", "a",         "b",         "read",      "shell",    "grep",
                                      "sum",         "gh_search", "ping",      "s_t",       "list_dir", "Bash",
                                      "f",           "g",         "read_file", "w",         "tag",      "cfg",
                                      "Read",        "h",         "search",    "mcp__x__y", "p__q"};
  static const struct {
    const char *name, *schema;
  } typed[] = {
      {"typed",
       "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},\"b\":{\"type\":"
       "\"boolean\"},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"o\":{\"type\":\"object\"},"
       "\"any\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]},\"opt\":{\"type\":[\"string\",\"null\"]},"
       "\"ref\":{\"$ref\":\"#/$defs/"
       "word\"},\"e\":{\"enum\":[\"1\",\"2\"]}},\"$defs\":{\"word\":{\"type\":\"string\"}}}"},
      {"write",
       "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"content\":{\"type\":\"string\"}}}"},
  };
  arena_init(&arena, 0);
  request_init(&request, STR("openai"), LLM_GENERATE);
  memset(tools, 0, sizeof tools);
  size_t n = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) tools[n++].name = str_from_c(names[i]);
  for (size_t i = 0; i < sizeof typed / sizeof *typed; i++, n++) {
    struct json doc;
    struct err_info info = {0};
    assert_int_equal(json_parse_copy(&doc, str_from_c(typed[i].schema), NULL, &arena, &info), OK);
    tools[n].name = str_from_c(typed[i].name);
    tools[n].schema = doc.root;
  }
  request.tools = tools;
  request.tool_count = n;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

struct seen {
  struct buf all;
  unsigned calls, skipped;
  bool is_last_text;
};

static enum err see(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct seen *s = arg;
  (void)info;
  assert_true(piece->bytes.n > 0);
  if (piece->kind == TEXT_PIECE_CALL) {
    struct json doc;
    struct err_info why = {0};
    assert_int_equal(json_parse_copy(&doc, piece->bytes, NULL, &arena, &why), OK);
    struct json_node root = json_root(&doc);
    assert_int_equal(json_type(&root), JSON_OBJECT);
    buf_put_char(&s->all, '[');
    buf_put(&s->all, piece->name);
    buf_put(&s->all, piece->bytes);
    buf_put_char(&s->all, ']');
    s->calls++;
    return OK;
  }
  buf_put(&s->all, piece->bytes);
  return OK;
}

/* cut: bytes of the first piece, 0 all of it; seed: pieces of random lengths behind it. */
static void run(struct seen *s, struct str text, const struct tool_text_options *options, size_t cut, unsigned seed) {
  struct tool_text t;
  const struct text_sink sink = {s, see};
  *s = (struct seen){0};
  tool_text_init(&t, options);
  for (size_t at = 0, n; at < text.n; at += n) {
    n = at == 0 && cut ? cut : seed ? 1 + (unsigned)rand_r(&seed) % 9 : text.n - at;
    if (n > text.n - at) n = text.n - at;
    char *piece = malloc(n); /* of its own, and gone before the next */
    memcpy(piece, text.p + at, n);
    assert_int_equal(tool_text_feed(&t, str_from(piece, n), &sink, NULL), OK);
    free(piece);
  }
  assert_int_equal(tool_text_end(&t, &sink, NULL), OK);
  assert_true(tool_text_is_idle(&t));
  assert_int_equal(t.calls, s->calls);
  s->skipped = t.skipped;
  tool_text_clear(&t);
}

static void expect_with(struct tool_text_options options, struct str text, struct str expected) {
  struct seen s;
  options.request = &request;
  for (size_t cut = 0; cut <= text.n + 40; cut++) {
    unsigned seed = cut > text.n || cut % 2 ? (unsigned)(cut * 77 + 1) : 0;
    run(&s, text, &options, cut > text.n ? 0 : cut, seed);
    if (!str_eq(buf_str(&s.all), expected))
      fail_msg("cut %zu of\n%.*s\ngives\n%.*s\nnot\n%.*s", cut, STR_ARG(text), STR_ARG(buf_str(&s.all)),
               STR_ARG(expected));
    buf_clear(&s.all);
  }
}

/* As a whole reply, without and with white space held. */
static void expect(const char *text, const char *expected) {
  expect_with((struct tool_text_options){.holds_space = true}, str_from_c(text), str_from_c(expected));
}
static void expect_stream(const char *text, const char *expected) {
  expect_with((struct tool_text_options){0}, str_from_c(text), str_from_c(expected));
}
static void expect_text(const char *text) {
  expect(text, text);
  expect_stream(text, text);
}

#define INVOKE(name, inside) "<invoke name=\"" name "\">" inside "</invoke>"
#define PARAM(name, value) "<parameter name=\"" name "\">" value "</parameter>"
#define CALLS(inside) "<tool_calls>" inside "</tool_calls>"
#define DSML(bar, tag) "<" bar "DSML" bar tag ">"
#define DSML_END(bar, tag) "</" bar "DSML" bar tag ">"
#define KIMI(inside) "<|tool_calls_section_begin|>" inside "<|tool_calls_section_end|>"
#define KIMI_CALL(head, args) "<|tool_call_begin|>" head "<|tool_call_argument_begin|>" args "<|tool_call_end|>"

/* E1 … E24 */
TEST(examples) {
  expect("Looking it up. " CALLS(INVOKE("get_weather", PARAM("city", "Ankara") PARAM("days", "3"))),
         "Looking it up.[get_weather{\"city\":\"Ankara\",\"days\":3}]");
  expect(CALLS("<invoke name='a'><parameter name='x'>true</parameter></invoke>" INVOKE("b", "")),
         "[a{\"x\":true}][b{}]");
#define E3(bar)                                                                                        \
  DSML(bar, "tool_calls")                                                                              \
  DSML(bar, "invoke name=\"read\"")                                                                    \
  DSML(bar, "parameter name=\"path\"") "/etc/hosts" DSML_END(bar, "parameter") DSML_END(bar, "invoke") \
      DSML_END(bar, "tool_calls")
  expect(E3(BAR), "[read{\"path\":\"/etc/hosts\"}]");
  expect("Ok " E3("|") " done", "Ok[read{\"path\":\"/etc/hosts\"}] done");
  expect_stream("Ok " E3("|") " done", "Ok [read{\"path\":\"/etc/hosts\"}]done");
  expect("<tool_call name=\"shell\">" PARAM("cmd", "ls -la") "</invoke>", "[shell{\"cmd\":\"ls -la\"}]");
  expect("<tool_call name=\"grep\"><pattern>foo</pattern><path>src</path></tool_call>",
         "[grep{\"pattern\":\"foo\",\"path\":\"src\"}]");
  expect("<tool_call name=\"sum\"><parameter>1</parameter><parameter>2</parameter></tool_call>",
         "[sum{\"0\":1,\"1\":2}]");
  expect(
      "<CallMcpTool><serverName>gh</serverName><toolName>search</toolName><arguments>{\"q\":\"bug\",\"n\":5}"
      "</arguments></CallMcpTool>",
      "[gh_search{\"q\":\"bug\",\"n\":5}]");
  expect("<CallMcpTool><toolName>ping</toolName><arguments>host=\"a.b\" port=80</arguments></CallMcpTool>",
         "[ping{\"host\":\"a.b\",\"port\":\"80\"}]");
  expect("<CallMcpTool><serverName>s</serverName><toolName>t</toolName><arguments>[1,2]</arguments></CallMcpTool>",
         "[s_t{\"input\":[1,2]}]");
  expect("<tool_call>list_dir\n{\"path\":\".\"}</tool_call>", "[list_dir{\"path\":\".\"}]");
  expect("<tool_call>Bash run git status</tool_call>", "[Bash{\"command\":\"git status\"}]");
#define E13_CALLS(first)                    \
  KIMI_CALL("functions.read_file:0", first) \
  KIMI_CALL("functions.read_file:1", "{\"p\":\"b.c\"}")
  expect(KIMI(E13_CALLS("{\"p\":\"a.c\"}")), "[read_file{\"p\":\"a.c\"}][read_file{\"p\":\"b.c\"}]");
  expect("<|tool_calls_section_begin|>" E13_CALLS("{\"p\":\"a.c\"}"),
         "[read_file{\"p\":\"a.c\"}][read_file{\"p\":\"b.c\"}]");
  expect(KIMI(E13_CALLS("{\"p\":")), "[read_file{\"p\":\"b.c\"}]");
  expect(CALLS(INVOKE("w", PARAM("body", "<![CDATA[if (a<b) {}]]>"))), "[w{\"body\":\"if (a<b) {}\"}]");
  expect(CALLS(INVOKE("tag", PARAM("list", "<item>x</item><item>7</item>"))), "[tag{\"list\":[\"x\",7]}]");
  expect(CALLS(INVOKE("cfg", PARAM("o", "<k>1</k><k>2</k><z>q</z>"))), "[cfg{\"o\":{\"k\":[1,2],\"z\":\"q\"}}]");
  expect(CALLS(INVOKE("f", PARAM("id", "007") PARAM("e", ""))), "[f{\"id\":\"007\",\"e\":\"\"}]");
  expect_text("a <tool_box> b < c");
  expect(CALLS(INVOKE("Read", PARAM("offset", "-5") PARAM("limit", "-200"))), "[Read{\"offset\":1,\"limit\":200}]");
  expect(CALLS(INVOKE("f", PARAM("a", "1"))) " and " CALLS(INVOKE("g", "")), "[f{\"a\":1}]and[g{}]");
  expect_stream(CALLS(INVOKE("f", PARAM("a", "1"))) " and " CALLS(INVOKE("g", "")), "[f{\"a\":1}]and[g{}]");
  expect(DSML(BAR, "function_calls") DSML(BAR, "invoke name=\"f\"")
             DSML(BAR, "parameter name=\"z\" string=\"true\"") "42" DSML_END(BAR, "parameter") DSML_END(BAR, "invoke")
                 DSML_END(BAR, "function_calls"),
         "[f{\"z\":\"42\"}]");
  expect("<tool_call>{\"name\":\"h\",\"arguments\":{\"a\":1}}</tool_call>", "[h{\"a\":1}]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(examples),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
