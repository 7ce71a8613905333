/* Calls in text: the examples that the format's description gives, each family as its published template writes it,
 * what must stay text, and hostile markup. Every case is cut at every byte, and at random, with the same result. A
 * result is written as its pieces: text as it is, a call as "[name{args}]"; texts that follow each other are one. */
#include "text/tool_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

/* As a whole reply. As a stream the white space may differ; the calls may not, nor may it matter where it is cut. */
static void expect(const char *text, const char *expected) {
  const struct tool_text_options stream = {.request = &request};
  struct seen streamed, whole;
  expect_with((struct tool_text_options){.holds_space = true}, str_from_c(text), str_from_c(expected));
  run(&streamed, str_from_c(text), &stream, 0, 0);
  run(&whole, str_from_c(text), &(struct tool_text_options){.request = &request, .holds_space = true}, 0, 0);
  assert_int_equal(streamed.calls, whole.calls);
  assert_int_equal(streamed.skipped, whole.skipped);
  expect_with(stream, str_from_c(text), buf_str(&streamed.all));
  buf_clear(&streamed.all);
  buf_clear(&whole.all);
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
#define E3(bar)                        \
  DSML(bar, "tool_calls")              \
  DSML(bar, "invoke name=\"read\"")    \
  DSML(bar, "parameter name=\"path\"") \
  "/etc/hosts" DSML_END(bar, "parameter") DSML_END(bar, "invoke") DSML_END(bar, "tool_calls")
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

/* Each family as its template writes it. */
#define DS(words) "<" BAR "tool" LOW words BAR ">"
#define DS_CALLS(inside) DS("calls" LOW "begin") inside DS("calls" LOW "end")
#define DS_CALL(inside) DS("call" LOW "begin") inside DS("call" LOW "end")
#define DS_SEP DS("sep")
#define DS_CALL_BEGIN DS("call" LOW "begin")

TEST(deepseek) {
  /* R1, V3 */
  expect("Sure. " DS_CALLS(DS_CALL("function" DS_SEP "get_weather\n```json\n{\"city\": \"Paris\"}\n```") "\n" DS_CALL(
             "function" DS_SEP "f\n```json\n{}\n```")),
         "Sure.[get_weather{\"city\": \"Paris\"}][f{}]");
  /* V3.1 */
  expect(DS_CALLS(DS_CALL("get_weather" DS_SEP "{\"city\": \"Paris\"}") DS_CALL("f" DS_SEP "{\"a\":1}")),
         "[get_weather{\"city\": \"Paris\"}][f{\"a\":1}]");
  expect(DS_CALL("f" DS_SEP "{\"a\":1}"), "[f{\"a\":1}]"); /* without its section */
  expect(DS("calls" LOW "begin") DS("call" LOW "begin") "f" DS_SEP "{\"a\":1}", "[f{\"a\":1}]"); /* without ends */
  expect_text(DS("calls" LOW "begin") DS("call" LOW "begin") "f" DS_SEP "{\"a\":");
  expect_text(DS_CALLS(DS_CALL("unknown" DS_SEP "{\"a\":1}")));
  /* V3.2: line ends between tags, typed by `string` */
  expect("Let me see.\n\n" DSML(BAR, "function_calls") "\n" DSML(BAR, "invoke name=\"f\"") "\n" DSML(
             BAR, "parameter name=\"a\" string=\"true\"") "a &lt; b\n" DSML_END(BAR, "parameter") "\n" DSML(
             BAR, "parameter name=\"b\" string=\"false\"") "[1, 2]" DSML_END(BAR, "parameter") "\n" DSML_END(BAR, "invoke") "\n" DSML_END(
             BAR, "function_calls"),
         "Let me see.[f{\"a\":\"a &lt; b\\n\",\"b\":[1, 2]}]");
}

TEST(kimi) {
  expect("I will." KIMI(KIMI_CALL("functions.f:0", "{\"a\": {\"b\": \"\\u003c\"}}")),
         "I will.[f{\"a\": {\"b\": \"\\u003c\"}}]"); /* as written */
  expect(KIMI_CALL("functions.f:0", "{}") KIMI_CALL("g:1", ""), "[f{}][g{}]");
  expect(
      "<|tool_calls_section_begin|>\n<|tool_call_begin|>\nfunctions.f:0\n<|tool_call_argument_begin|>\n{\"a\":1}\n"
      "<|tool_call_end|>\n<|tool_calls_section_end|>\n",
      "[f{\"a\":1}]");
  expect_text(KIMI(KIMI_CALL("functions.f:0", "{\"a\":")));
  expect_text(KIMI(KIMI_CALL("functions.unknown:0", "{\"a\":1}")));
}

TEST(hermes_and_qwen) {
  expect(
      "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"</tool_call>\"}}\n</tool_call>\n<tool_call>\n{\"name\": "
      "\"g\", \"arguments\": \"{\\\"b\\\": 2}\"}\n</tool_call>",
      "[f{\"a\": \"</tool_call>\"}][g{\"b\": 2}]");
  expect("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}}\n</tool_call>",
         "[f{\"a\": 1}]"); /* one too many */
  expect("<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}", "[f{\"a\": 1}]");
  expect("<tool_call>[{\"name\":\"f\",\"arguments\":{}},{\"name\":\"g\",\"arguments\":{}}]</tool_call>", "[f{}][g{}]");
  expect_text("<tool_call>{\"name\": \"unknown\", \"arguments\": {\"a\": 1}}</tool_call>");
  expect_text("<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>");
  expect_text("<tool_call>{\"name\": \"f\", \"argum");
  /* Qwen3-Coder */
  expect(
      "I'll do it.\n<tool_call>\n<function=write>\n<parameter=path>\na.c\n</parameter>\n<parameter=content>\nint x;\n\n"
      "if (a < b && c) &lt;\n</parameter>\n</function>\n</tool_call>",
      "I'll do it.[write{\"path\":\"a.c\",\"content\":\"int x;\\n\\nif (a < b && c) &lt;\"}]");
  expect("<function=f>\n<parameter=a>\n1\n</parameter>\n</function>", "[f{\"a\":1}]");
  expect("<function=f>\n</function>\n<function=g></function>", "[f{}][g{}]");
  expect("<tool_call>\n<function=f>\n<parameter=a>\n1\n</function>\n</tool_call>", "[f{\"a\":1}]"); /* unclosed value */
  expect_text("<tool_call>\n<function=write>\n<parameter=content>\nhalf a val");
  expect_text("<function=unknown>\n<parameter=a>\n1\n</parameter>\n</function>");
}

TEST(glm) {
  expect(
      "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Beijing</arg_value>\n<arg_key>days</arg_key>\n"
      "<arg_value>3</arg_value>\n</tool_call>",
      "[get_weather{\"city\":\"Beijing\",\"days\":3}]");
  expect(
      "<tool_call>typed<arg_key>s</arg_key><arg_value>42</arg_value><arg_key>l</arg_key><arg_value>[\"x\"]</arg_value>"
      "</tool_call>\n<tool_call>f</tool_call>",
      "[typed{\"s\":\"42\",\"l\":[\"x\"]}][f{}]");
}

TEST(minimax) {
  expect(
      "<tool_calls>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n{\"name\": \"g\", \"arguments\": {}}\n</tool_calls>",
      "[f{\"a\": 1}][g{}]");
  expect("Ok.\n<minimax:tool_call>\n" INVOKE("f", "\n" PARAM("a", "x &amp; y") "\n" PARAM(
                                                      "b", "{\"c\": 1}") "\n") "\n" INVOKE("g",
                                                                                           "") "\n</minimax:tool_call>",
         "Ok.[f{\"a\":\"x &amp; y\",\"b\":{\"c\": 1}}][g{}]");
}

TEST(mistral) {
  expect(
      "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": [1]}, \"id\": \"abcdefghi\"}, {\"name\": \"g\", "
      "\"arguments\": {}}]",
      "[f{\"a\": [1]}][g{}]");
  expect("[TOOL_CALLS]f{\"a\": 1}[TOOL_CALLS]g{}", "[f{\"a\": 1}][g{}]");
  expect("[TOOL_CALLS]f[ARGS]{\"a\": 1}", "[f{\"a\": 1}]");
  expect("Hm. [TOOL_CALLS]f[CALL_ID]abc123XYZ[ARGS]{\"a\": 1} ok", "Hm.[f{\"a\": 1}] ok");
  expect_text("[TOOL_CALLS]unknown[ARGS]{\"a\": 1}");
  expect_text("[TOOL_CALLS] [{\"name\": \"f\", \"arg");
  expect_text("[TOOL_CALLS");
  expect_text("see [TOOL] and [1]");
}

TEST(harmony) {
  expect("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\":1}<|call|>", "[f{\"a\":1}]");
  expect(
      "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\":1}<|call|>"
      "<|start|>assistant to=functions.g<|channel|>commentary<|constrain|>json<|message|>{}<|call|>",
      "[f{\"a\":1}][g{}]");
  expect("<|channel|>commentary to=functions.f<|message|>{\"a\":1}", "[f{\"a\":1}]");
  expect_text("<|channel|>final<|message|>Hello there");
  expect_text("<|channel|>commentary to=functions.unknown <|constrain|>json<|message|>{\"a\":1}<|call|>");
  expect_text("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\":1");
}

TEST(llama) {
  expect("<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "[f{\"a\": 1}]");
  expect(
      "<|python_tag|>{\"type\": \"function\", \"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": "
      "{}}",
      "[f{}][g{}]");
  expect("<function=f>{\"a\": \"x\"}</function>", "[f{\"a\": \"x\"}]");
  expect("<function=f>{\"a\": \"x\"}</function> then", "[f{\"a\": \"x\"}]then");
  expect("{\"name\": \"f\", \"parameters\": {\"a\": \"1\"}}", "[f{\"a\": \"1\"}]");
  expect("\n {\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {\"a\": 1}}}\n", "[f{\"a\": 1}]");
  expect_text("{\"name\": \"Alice\", \"parameters\": {\"a\": \"1\"}}");
  expect_text("{\"name\": \"f\", \"content\": \"sunny\"}"); /* an answer in JSON, about the tool */
  expect_text("{\"name\": \"f\", \"parameters\": {}, \"result\": 1}");
  expect_text("{\"name\": \"f\"}");
  expect_text("{\"name\": \"f\", \"parameters\": {\"a\": \"1\"}} is how it is written");
  expect_text("{\"name\": \"f\", \"parameters\": {\"a\": \"1\"");
  expect_text("So: {\"name\": \"f\", \"parameters\": {}}");
  expect_text("{\"answer\": 1}");
  expect_text("{");
}

TEST(doubled_bars) {
  expect(DSML(BAR BAR, "tool_calls") DSML(BAR BAR, "invoke name=\"f\"")
             DSML(BAR BAR, "parameter name=\"a\" string=\"true\"") "1" DSML_END(BAR BAR, "parameter")
                 DSML_END(BAR BAR, "invoke") DSML_END(BAR BAR, "tool_calls"),
         "[f{\"a\":\"1\"}]");
}

#define NS "antml:"
TEST(anthropic) {
  expect("I'll look.\n\n<function_calls>\n" INVOKE("f", "\n" PARAM("a", "x\ny") "\n") "\n</function_calls>",
         "I'll look.[f{\"a\":\"x\\ny\"}]");
  expect("I'll look. " INVOKE("f", PARAM("a", "1")), "I'll look.[f{\"a\":1}]"); /* without its wrapper */
  expect(INVOKE("f", PARAM("a", "1")) "\n</function_calls>", "[f{\"a\":1}]");
  expect("<" NS "function_calls><" NS "invoke name=\"f\"><" NS "parameter name=\"a\">1</" NS "parameter></" NS
         "invoke></" NS "function_calls>",
         "[f{\"a\":1}]");
}

/* What must stay text, byte for byte. */
TEST(text_stays_text) {
  static const char *const texts[] = {
      "",
      " ",
      "a\n\n b \n",
      "plain",
      "<",
      "<<<<<<",
      "</tool_call> </tool_calls>",
      "The <tool_call> tag is how Hermes calls.",
      "<tool_call>",
      "<tool_calls> are wrapped so </tool_calls>",
      "<invoke name=\"unknown\"><parameter name=\"a\">1</parameter></invoke>",
      "<tool_calls><invoke name=\"unknown\"></invoke></tool_calls> and on",
      "use `<invoke name=\"f\"></invoke>` for it",
      "``<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>``",
      "An example:\n```xml\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n```\nand so on.",
      "~~~\n<invoke name=\"f\"></invoke>\n~~~\nmore",
      "```\n<invoke name=\"f\"></invoke>\nint x;\n```",
      "```\nint x;\n<invoke name=\"f\"></invoke>\n```",
      "  ````\n```\n<invoke name=\"f\"></invoke>\n```\n````\n.",
      "```\n<invoke name=\"f\"></invoke>\n```not closed\n",
      "1. so:\n\n    ```xml\n    <invoke name=\"f\"></invoke>\n    ```\n2. and",
      "call <invoke name=\"f\"> to do so",
      "<tool_call>f is what\nit is</tool_call>",
      "```\n<div>\n```",
      "```\n```",
      "``` <invoke name=\"f\"></invoke> ```",
      "```a`b``` x",
      "<CallMcpTool><serverName>s</serverName><toolName>unknown</toolName></CallMcpTool>",
      "<CallMcpTool></CallMcpTool>",
      "<invoke name=\"f\">",
      "<invoke name=\"f\"><parameter name=\"a\">1",
      "<invoke name=\"f",
      "<invoke >",
      "<function=>x",
      "<" BAR "DSML" BAR "invoke name=\"f",
      "<" BAR "DSM",
      "<|tool_calls_section_begin|>",
      "<|python_tag|>print(1)",
      "\xff\xfe<\x80 \xef\xbd",
      "if (a<b && c>d) x[TOOL]",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_text(texts[i]);
}

TEST(a_fence_around_calls_alone_is_theirs) {
  expect("Now:\n```xml\n" INVOKE("f", PARAM("a", "1")) "\n```\n", "Now:[f{\"a\":1}]");
  expect("```\n" INVOKE("f", "") INVOKE("g", "") "\n```", "[f{}][g{}]");
  expect("~~~~json\n\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n\n~~~~", "[f{}]");
  expect("```\n" INVOKE("f", ""), "[f{}]"); /* unclosed */
}

TEST(white_space_around_blocks) {
  expect("a\n\n" INVOKE("f", "") "\n\nb\n\nc \n", "a[f{}] b\n\nc");
  expect_stream("a\n\n" INVOKE("f", "") "\n\nb\n\nc \n", "a\n\n[f{}]b\n\nc");
  expect_stream("a" INVOKE("f", "") "b", "a[f{}] b");
  expect("a " INVOKE("f", "") " b " INVOKE("g", "") "\n", "a[f{}] b[g{}]");
  expect("  " INVOKE("f", "") "  ", "[f{}]");
  expect("<tool_calls>" INVOKE("f", "") " some words </tool_calls> end", "[f{}]some words end");
}

TEST(values_have_the_schemas_type) {
  expect(INVOKE("typed", PARAM("s", "42") PARAM("n", " 42 ") PARAM("b", "True") PARAM("l", "[\"1\"]") PARAM("o", "{}")),
         "[typed{\"s\":\"42\",\"n\":42,\"b\":true,\"l\":[\"1\"],\"o\":{}}]");
  expect(INVOKE("typed", PARAM("n", "many") PARAM("l", "<item>1</item>") PARAM("s", "<b>x</b>")),
         "[typed{\"n\":\"many\",\"l\":[1],\"s\":\"<b>x</b>\"}]");
  expect(INVOKE("typed", PARAM("any", "null") PARAM("opt", "null") PARAM("ref", "1") PARAM("e", "1")),
         "[typed{\"any\":null,\"opt\":null,\"ref\":\"1\",\"e\":\"1\"}]");
  expect(INVOKE("typed", PARAM("opt", "12") PARAM("s", " keep \n")), "[typed{\"opt\":\"12\",\"s\":\" keep \\n\"}]");
  expect(INVOKE("typed", PARAM("s", "&lt;a&gt; &amp;lt; &#65;&#x42; &nbsp; &#xd800; &#0; & &quot;")),
         "[typed{\"s\":\"<a> &lt; AB &nbsp; &#xd800; &#0; & \\\"\"}]");
  expect(INVOKE("write", PARAM("path", "\nx\n") PARAM("content", "</invoke><invoke name=\"g\">")),
         "[write{\"path\":\"x\",\"content\":\"</invoke><invoke name=\\\"g\\\">\"}]");
  expect(INVOKE("f", PARAM("a", "1") PARAM("a", "x")), "[f{\"a\":[1,\"x\"]}]");
  expect(INVOKE("f", "{\"a\": 1}"), "[f{\"a\": 1}]");
  expect(INVOKE("f", "<arguments>{\"a\": 1}</arguments>"), "[f{\"a\": 1}]");
  expect(INVOKE("f", PARAM("a", "<k>1</k> text")), "[f{\"a\":\"<k>1</k> text\"}]");
  expect(INVOKE("f", PARAM("a", "<p><q>1</q><q><r/></q></p>")), "[f{\"a\":{\"p\":{\"q\":[1,{\"r\":\"\"}]}}}]");
  expect(INVOKE("f", PARAM("a", "\xff")), "[f{\"a\":\"\xef\xbf\xbd\"}]");
  expect(KIMI(KIMI_CALL("f:0", "{\"a\":\"\\ud800\"}")), "[f{\"a\":\"\xef\xbf\xbd\"}]");
}

TEST(names) {
  expect("<CallMcpTool><serverName>x</serverName><toolName>y</toolName></CallMcpTool>", "[mcp__x__y{}]");
  expect("<CallMcpTool><serverName>p</serverName><toolName>q</toolName></CallMcpTool>", "[p__q{}]");
  expect("<CallMcpTool><serverName>z</serverName><toolName>search</toolName></CallMcpTool>", "[search{}]");
  expect(INVOKE("functions.f", ""), "[f{}]");
  expect_text(INVOKE("F", ""));
  expect_text(INVOKE("ff", ""));
}

TEST(words_as_arguments) {
  expect("<tool_call>Bash command: git log --format=%h</tool_call>", "[Bash{\"command\":\"git log --format=%h\"}]");
  expect("<tool_call>f a=1 b='x y'</tool_call>", "[f{\"a\":\"1\",\"b\":\"x y\"}]");
  expect("<tool_call>typed n=1 s=2</tool_call>", "[typed{\"n\":1,\"s\":\"2\"}]");
  expect("<tool_call name=\"Bash\">ls < x</tool_call>", "[Bash{\"command\":\"ls < x\"}]");
}

TEST(read_is_mended) {
  expect(INVOKE("Read", PARAM("file", "a") PARAM("offset", "x") PARAM("limit", "-9000")),
         "[Read{\"file\":\"a\",\"limit\":500}]");
  expect(KIMI(KIMI_CALL("Read:0", "{\"offset\":0,\"limit\":3}")), "[Read{\"offset\":1,\"limit\":3}]");
}

TEST(thoughts_keep_their_tags) {
  const struct tool_text_options thoughts = {.is_reasoning = true};
  struct str xml = STR("so " INVOKE("f", "") " {\"name\":\"f\",\"parameters\":{}} <tool_call>f</tool_call>");
  expect_with(thoughts, xml, xml);
  expect_with(thoughts, STR("so " KIMI(KIMI_CALL("f:0", "{}"))), STR("so [f{}]"));
  expect_with(thoughts, STR(DS_CALLS(DS_CALL("f" DS_SEP "{}"))), STR("[f{}]"));
  expect_with(thoughts, STR("<" NS "invoke name=\"f\"></" NS "invoke>"),
              STR("<" NS "invoke name=\"f\"></" NS "invoke>"));
}

TEST(nested_interleaved_and_left_open) {
  expect(CALLS(CALLS(INVOKE("f", "")) INVOKE("g", "")), "[f{}][g{}]");
  expect("<tool_call>" INVOKE("f", PARAM("a", "1")) "</tool_call>", "[f{\"a\":1}]");
  expect("<invoke name=\"f\">" PARAM("a", "1") INVOKE("g", ""), "[f{\"a\":1}][g{}]"); /* a closing tag is missing */
  expect("<tool_call> see <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>", "<tool_call> see[f{}]");
  expect("<tool_call><tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>", "[f{}]");
  expect("<tool_calls>" INVOKE("f", PARAM("a", "1")) INVOKE("unknown", "x") "</tool_calls>",
         "[f{\"a\":1}]<invoke name=\"unknown\">x</invoke>");
  expect("<tool_calls>" INVOKE("f", PARAM("a", "1")) "<invoke name=\"g\"><parameter name=\"b\">2",
         "[f{\"a\":1}]<invoke name=\"g\"><parameter name=\"b\">2");
}

/* A text that was cut off makes no call of what was open. */
TEST(cut_text) {
  struct tool_text t;
  struct seen s = {0};
  const struct text_sink sink = {&s, see};
  const struct tool_text_options options = {.request = &request};
  const struct str text = STR("<invoke name=\"f\">" PARAM("a", "1"));
  tool_text_init(&t, &options);
  assert_int_equal(tool_text_feed(&t, text, &sink, NULL), OK);
  assert_false(tool_text_is_idle(&t));
  assert_int_equal(tool_text_cut(&t, &sink, NULL), OK);
  assert_str(buf_str(&s.all), text);
  tool_text_clear(&t);
  buf_clear(&s.all);
}

TEST(calls_left_out_are_counted) {
  struct seen s;
  const struct tool_text_options options = {.request = &request};
  run(&s, STR(KIMI(E13_CALLS("{\"p\":"))), &options, 0, 0);
  assert_int_equal(s.calls, 1);
  assert_int_equal(s.skipped, 1);
  buf_clear(&s.all);
  run(&s, STR(KIMI(KIMI_CALL("f:0", "{"))), &options, 0, 0);
  assert_int_equal(s.skipped, 0);
  buf_clear(&s.all);
}

/* Each piece at the earliest: text that is in no doubt, a call at its own end. */
TEST(nothing_waits_longer_than_its_doubt) {
  static const struct {
    const char *fed, *out;
  } steps[] = {{"Hello ", "Hello "},
               {"a <b", "a <b"},
               {"<too", ""},
               {"l x", "<tool x"},
               {"<tool_calls><invoke name=\"f\">", ""},
               {"</invoke>", "[f{}]"},
               {"<invoke name=\"g\"></invoke", ""},
               {">", "[g{}]"},
               {"</tool_calls> ", ""},
               {"on", " on"}};
  struct tool_text t;
  struct seen s = {0};
  const struct text_sink sink = {&s, see};
  const struct tool_text_options options = {.request = &request};
  tool_text_init(&t, &options);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    buf_reset(&s.all);
    assert_int_equal(tool_text_feed(&t, str_from_c(steps[i].fed), &sink, NULL), OK);
    assert_str(buf_str(&s.all), str_from_c(steps[i].out));
  }
  tool_text_clear(&t);
  buf_clear(&s.all);
}

static bool passes(struct tool_text *t, const char *text) {
  const struct text_look look = text_look(str_from_c(text));
  return tool_text_pass(t, str_from_c(text), &look);
}

TEST(what_passes_is_what_feed_would_put) {
  struct tool_text t;
  struct seen s = {0};
  const struct text_sink sink = {&s, see};
  const struct tool_text_options options = {.request = &request};
  tool_text_init(&t, &options);
  assert_false(passes(&t, "a")); /* it may begin anything */
  assert_int_equal(tool_text_feed(&t, STR("a"), &sink, NULL), OK);
  assert_true(passes(&t, "b c{"));
  assert_false(passes(&t, "b <"));
  assert_true(passes(&t, "1 < 2 `<b>` v[0]"));
  assert_true(passes(&t, "b\n"));
  assert_false(passes(&t, "```")); /* a fence that may wrap calls */
  assert_true(passes(&t, "b "));
  assert_int_equal(tool_text_feed(&t, STR(INVOKE("f", "") "x"), &sink, NULL), OK);
  assert_str(buf_str(&s.all), STR("a[f{}]x")); /* no second space */
  assert_false(passes(&t, "y "));              /* from a call on it is held */
  assert_int_equal(tool_text_feed(&t, STR("\n```"), &sink, NULL), OK);
  assert_false(passes(&t, "b"));
  tool_text_clear(&t);
  buf_clear(&s.all);
}

/* ---- hostile ---- */
static void repeat(struct buf *b, const char *what, size_t bytes) {
  for (size_t n = strlen(what); b->n + n <= bytes;) buf_put(b, str_from(what, n));
}

static const char *const repeated[] = {"x",
                                       "<",
                                       " ",
                                       "`",
                                       "```\n",
                                       "[",
                                       "{",
                                       "<tool_",
                                       "<tool_call>",
                                       "<tool_calls>",
                                       "<invoke name=\"f\">",
                                       "<invoke name=\"",
                                       "<function=f><parameter=a>",
                                       "<|tool_call_begin|>",
                                       "<" BAR "DSML" BAR,
                                       "[TOOL_CALLS]",
                                       "<|channel|>",
                                       "<tool_call>f ",
                                       "```\n<tool_call>\n",
                                       "<invoke name=\"f\"><a>",
                                       "<tool_call>{\"",
                                       "<|python_tag|>{",
                                       "</tool_call>",
                                       "~~~\n<invoke name=\"f\">x\n",
                                       "<CallMcpTool><arguments>",
                                       "<tool_calls><![CDATA[",
                                       "\n    ",
                                       "\xef\xbd",
                                       "{\"name\":\"f\",",
                                       "<invoke name=\"f\"><parameter name=\"a\"><k><k><k><k>"};

TEST(hostile_text_is_kept_within_bounds) {
  for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
    for (unsigned seed = 0; seed < 2; seed++) {
      struct seen s;
      struct buf text;
      const struct tool_text_options options = {.request = &request, .block_max_bytes = seed ? 1 << 14 : 1 << 18};
      buf_init(&text, 0);
      repeat(&text, repeated[i], 1 << 18);
      run(&s, buf_str(&text), &options, 0, seed);
      assert_int_equal(s.calls, 0);
      assert_str(buf_str(&s.all), buf_str(&text));
      buf_clear(&s.all);
      buf_clear(&text);
    }
  }
}

static enum err ignore(void *arg, const struct text_piece *piece, struct err_info *info) {
  (void)arg;
  (void)piece;
  (void)info;
  return OK;
}

/* Processor time for so many bytes of `what`, two at a time. */
static double seconds(const char *what, size_t bytes) {
  struct buf text;
  struct tool_text t;
  const struct text_sink sink = {NULL, ignore};
  const struct tool_text_options options = {.request = &request};
  buf_init(&text, 0);
  repeat(&text, what, bytes);
  tool_text_init(&t, &options);
  clock_t start = clock();
  for (size_t at = 0; at < text.n; at += 2)
    assert_int_equal(tool_text_feed(&t, str_sub(buf_str(&text), at, at + 2), &sink, NULL), OK);
  assert_int_equal(tool_text_end(&t, &sink, NULL), OK);
  clock_t end = clock();
  tool_text_clear(&t);
  buf_clear(&text);
  return (double)(end - start) / CLOCKS_PER_SEC;
}

/* Four times the text takes four times as long; looked at from the start again and again, it would take sixteen. */
TEST(hostile_text_takes_linear_time) {
  for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
    double some = seconds(repeated[i], 1 << 16), more = seconds(repeated[i], 1 << 18);
    if (more > 9 * some + 0.03) fail_msg("%s: %.3f s, then %.3f s", repeated[i], some, more);
  }
}

TEST(a_block_beyond_its_bound_is_text_however_it_is_cut) {
  struct buf text;
  const struct tool_text_options options = {.request = &request, .block_max_bytes = 64};
  buf_init(&text, 0);
  buf_put(&text, STR("<invoke name=\"f\"><parameter name=\"a\">"));
  repeat(&text, "abc ", 200);
  buf_put(&text, STR("</parameter></invoke> then " INVOKE("g", "")));
  struct seen whole;
  run(&whole, buf_str(&text), &options, 0, 0);
  assert_int_equal(whole.calls, 1);
  expect_with(options, buf_str(&text), buf_str(&whole.all));
  buf_clear(&whole.all);
  buf_clear(&text);
}

/* Names, headers and tags have a bound; what is given up is read again from there, not from where a piece ended. */
TEST(long_names_are_text_however_they_are_cut) {
  static const char *const begin[] = {
      "<|tool_call_begin|>", DS_CALL_BEGIN "function" DS_SEP, "[TOOL_CALLS]f ",  "[TOOL_CALLS]", "<tool_call>",
      "<|channel|>",         "{\"type\": \"function\", \"",   "<invoke name=\"", "{\"name\":"};
  static const char *const fill[] = {" ", "x", "- [TOOL_CALLS]f{} "};
  for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
    for (size_t k = 0; k < sizeof fill / sizeof *fill; k++) {
      struct seen whole, cut;
      struct buf text;
      const struct tool_text_options options = {.request = &request};
      buf_init(&text, 0);
      buf_put(&text, str_from_c(begin[i]));
      repeat(&text, fill[k], 1200);
      buf_put(&text, STR("<|tool_call_argument_begin|>\n{\"a\":1}</tool_call>" INVOKE("g", "")));
      run(&whole, buf_str(&text), &options, 0, 0);
      for (unsigned seed = 1; seed < 40; seed++) {
        run(&cut, buf_str(&text), &options, seed * 30, seed);
        assert_str(buf_str(&cut.all), buf_str(&whole.all));
        buf_clear(&cut.all);
      }
      buf_clear(&whole.all);
      buf_clear(&text);
    }
  }
}

TEST(calls_beyond_the_bound_are_text) {
  struct buf text;
  struct seen s;
  const struct tool_text_options options = {.request = &request, .calls_max = 3};
  buf_init(&text, 0);
  repeat(&text, INVOKE("f", ""), 5 * sizeof INVOKE("f", ""));
  run(&s, buf_str(&text), &options, 0, 0);
  assert_int_equal(s.calls, 3);
  buf_clear(&s.all);
  buf_clear(&text);
}

TEST(depth_is_bounded) {
  struct buf text;
  buf_init(&text, 0);
  buf_put(&text, STR("<invoke name=\"f\"><parameter name=\"a\">"));
  for (int i = 0; i < 100; i++) buf_printf(&text, "<k%d>", i);
  for (int i = 99; i >= 0; i--) buf_printf(&text, "</k%d>", i);
  buf_put(&text, STR("</parameter></invoke>"));
  struct seen s;
  const struct tool_text_options options = {.request = &request};
  run(&s, buf_str(&text), &options, 0, 1);
  assert_int_equal(s.calls, 1); /* the value is text */
  assert_true(str_has_prefix(buf_str(&s.all), STR("[f{\"a\":\"<k0>")));
  buf_clear(&s.all);
  buf_reset(&text);
  buf_put(&text, STR("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":"));
  for (int i = 0; i < 100; i++) buf_put_char(&text, '[');
  for (int i = 0; i < 100; i++) buf_put_char(&text, ']');
  buf_put(&text, STR("}}</tool_call>"));
  run(&s, buf_str(&text), &options, 0, 1);
  assert_int_equal(s.calls, 0);
  assert_str(buf_str(&s.all), buf_str(&text));
  buf_clear(&s.all);
  buf_clear(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(examples),
      cmocka_unit_test(deepseek),
      cmocka_unit_test(doubled_bars),
      cmocka_unit_test(kimi),
      cmocka_unit_test(hermes_and_qwen),
      cmocka_unit_test(glm),
      cmocka_unit_test(minimax),
      cmocka_unit_test(mistral),
      cmocka_unit_test(harmony),
      cmocka_unit_test(llama),
      cmocka_unit_test(anthropic),
      cmocka_unit_test(text_stays_text),
      cmocka_unit_test(a_fence_around_calls_alone_is_theirs),
      cmocka_unit_test(white_space_around_blocks),
      cmocka_unit_test(values_have_the_schemas_type),
      cmocka_unit_test(names),
      cmocka_unit_test(words_as_arguments),
      cmocka_unit_test(read_is_mended),
      cmocka_unit_test(thoughts_keep_their_tags),
      cmocka_unit_test(nested_interleaved_and_left_open),
      cmocka_unit_test(cut_text),
      cmocka_unit_test(calls_left_out_are_counted),
      cmocka_unit_test(nothing_waits_longer_than_its_doubt),
      cmocka_unit_test(what_passes_is_what_feed_would_put),
      cmocka_unit_test(hostile_text_is_kept_within_bounds),
      cmocka_unit_test(hostile_text_takes_linear_time),
      cmocka_unit_test(a_block_beyond_its_bound_is_text_however_it_is_cut),
      cmocka_unit_test(long_names_are_text_however_they_are_cut),
      cmocka_unit_test(calls_beyond_the_bound_are_text),
      cmocka_unit_test(depth_is_bounded),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
