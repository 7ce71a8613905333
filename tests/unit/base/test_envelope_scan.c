/* The envelope scan: every text is judged whole, cut at every byte, and byte by byte, with one result; and by yyjson.
 */
#include "../../../fuzz/envelope_oracle.h"
#include "unit.h"

static struct envelope_table table;
static struct envelope_scan scan, other;
static struct arena arena;

static int setup(void **state __attribute__((unused))) {
  arena_init(&arena, 0);
  return envelope_table_init(&table, oracle_paths, ORACLE_ROWS, NULL) == OK ? 0 : -1;
}
static int teardown(void **state __attribute__((unused))) {
  arena_clear(&arena);
  return 0;
}

static enum err whole(struct str text, struct err_info *info) {
  *info = (struct err_info){.http_status = 0};
  return envelope_scan_whole(&scan, &table, NULL, &arena, text, info);
}

/* Feeds pieces of `step` bytes, the first of `first`, each in memory of its own. */
static enum err in_pieces(struct str text, size_t first, size_t step, struct err_info *info) {
  *info = (struct err_info){.http_status = 0};
  envelope_scan_init(&other, &table, NULL, &arena);
  enum err e = OK;
  for (size_t at = 0, n = first; at < text.n && e == OK; at += n, n = step) {
    if (n > text.n - at) n = text.n - at;
    char *piece = malloc(n ? n : 1);
    memcpy(piece, text.p + at, n);
    e = envelope_scan_feed(&other, str_from(piece, n), info);
    free(piece);
  }
  return e == OK ? envelope_scan_end(&other, info) : e;
}

static void assert_same(enum err e, const struct err_info *info, enum err want, const struct err_info *want_info) {
  assert_int_equal(e, want);
  assert_string_equal(info->text, want_info->text);
  assert_string_equal(info->param, want_info->param);
  if (e) return;
  assert_int_equal(other.found, scan.found);
  assert_memory_equal(envelope_scan_root(&other), envelope_scan_root(&scan), sizeof(struct envelope_value));
  assert_int_equal(envelope_scan_depth(&other), envelope_scan_depth(&scan));
  for (unsigned row = 0; row < ORACLE_ROWS; row++) {
    const struct envelope_value *a = envelope_scan_value(&scan, row), *b = envelope_scan_value(&other, row);
    if (!a) continue;
    assert_int_equal(a->key_offset, b->key_offset);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->comma_before, b->comma_before);
    assert_int_equal(a->comma_after, b->comma_after);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->type, b->type);
  }
}

static void judge(struct str text, enum err want) {
  struct err_info info, piecewise;
  enum err e = whole(text, &info);
  if (e != want) print_message("text: %.*s: %s\n", STR_ARG(text), info.text);
  assert_int_equal(e, want);
  for (size_t cut = 1; cut < text.n; cut++) assert_same(in_pieces(text, cut, text.n, &piecewise), &piecewise, e, &info);
  for (size_t step = 1; step < 4; step++) assert_same(in_pieces(text, step, step, &piecewise), &piecewise, e, &info);
  oracle_check(text, 0, 0x9669);
}

TEST(accepts_what_the_grammar_allows) {
  static const char *const texts[] = {
      "{}",
      " {} ",
      "\t\r\n{\n}\n",
      "{\"a\":1}",
      "{\"a\":{}}",
      "{\"a\":[]}",
      "{\"\":0}",
      "{\"a\":\"\"}",
      "{\"a\":[[],{}]}",
      "{\"a\":[1,2,3]}",
      "{\"a\" : [ 1 , 2 ] , \"b\" : 3 }",
      "{\"a\":null,\"b\":true,\"c\":false}",
      "{\"n\":0}",
      "{\"n\":-0}",
      "{\"n\":1}",
      "{\"n\":-1}",
      "{\"n\":10}",
      "{\"n\":1.5}",
      "{\"n\":-0.0}",
      "{\"n\":1e5}",
      "{\"n\":1E5}",
      "{\"n\":1e+5}",
      "{\"n\":1e-5}",
      "{\"n\":1.25E-10}",
      "{\"n\":0e0}",
      "{\"n\":0.1e1}",
      "{\"n\":1e999}",
      "{\"n\":123456789012345678901234567890}",
      "{\"n\":-9223372036854775808}",
      "{\"n\":[0,1]}",
      "{\"n\":[-0]}",
      "{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
      "{\"s\":\"\\u0000\"}",
      "{\"s\":\"\\u00e9\\uABCD\\uabcd\"}",
      "{\"s\":\"\\ud83d\\ude00\"}",
      "{\"s\":\"\\ud800\"}",
      "{\"s\":\"\\udc00\\ud800\"}",
      "{\"s\":\"\\ud800\\n\"}",
      "{\"s\":\"\x7f\"}",
      "{\"s\":\"/\"}",
      "{\"s\":\"\xc2\x80\xdf\xbf\"}",
      "{\"s\":\"\xe0\xa0\x80\xef\xbf\xbf\"}",
      "{\"s\":\"\xed\x9f\xbf\xee\x80\x80\"}",
      "{\"s\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}",
      "{\"s\":\"\xef\xbb\xbf\"}",
      "{\"s\":\"\xe6\x98\xa5\xe7\x9c\xa0 abc \xc3\xbc\"}",
      "{\"\xc3\xbc\":1,\"\xf0\x9f\x98\x80\":2}",
      "{\"s\":\"0123456789abcdef0123456789abcdef0123456789\"}",
      "{\"s\":\"0123456789abcde\\n0123456789abcdef\\\"01\"}",
      "{\"a\":{\"a\":{\"a\":{}}}}",
      "{\"x\":{\"k\":1,\"k\":2}}",
      "{\"b\":{\"c\":1,\"c\":2}}",
      "{\"a\":[{\"b\":1,\"b\":2}]}",
      "{\"a\":{\"c\":{\"d\":1,\"d\":2}}}",
      "{\"a\":{\"b\":1,\"c\":2,\"B\":3}}",
      "{\"A1\":1,\"a1\":2}",
      "{\"mode\":1,\"modeL2\":2}",
      "{\"mo\\u0064el\":\"x\"}",
      "{\"x\":\"}\",\"y\":\"]\"}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[{}]}",
      "{\"stream_options\":{\"include_usage\":true,\"other\":[1]}}",
      "{\"stream_options\":null}",
      "{\"stream_options\":[{}]}",
      "{\"max_completion_tokens\":1,\"max_completion_token\":2}",
      "{\"a\":{\"b\":{}},\"b\":{\"b\":1}}",
      "{\"include_usage\":1,\"stream_options.include_usage\":2}",
      "{\"\\ud800\":1,\"\\ud801\":2}",
      "{\"\\u0000\":1,\"\":2}",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) judge(str_from_c(texts[i]), OK);
}

TEST(refuses_what_it_does_not) {
  static const char *const texts[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "[]",
      "[{}]",
      "null",
      "1",
      "\"a\"",
      "true",
      "{}{}",
      "{} {}",
      "{},",
      "{}x",
      "{}\x01",
      "{}]",
      "{]",
      "[}",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\" 1}",
      "{\"a\":1,}",
      "{,}",
      "{,\"a\":1}",
      "{\"a\":1 \"b\":2}",
      "{\"a\":1,,\"b\":2}",
      "{\"a\"::1}",
      "{\"a\":1:2}",
      "{a:1}",
      "{'a':1}",
      "{1:2}",
      "{null:1}",
      "{\"a\":[1,]}",
      "{\"a\":[,1]}",
      "{\"a\":[1 2]}",
      "{\"a\":[1}",
      "{\"a\":{1}}",
      "{\"a\":[}]}",
      "{\"a\":[1]",
      "{\"a\":{\"b\":1}",
      "{\"a\":1",
      "{\"a\":",
      "{\"a\"",
      "{\"a",
      "{\"n\":01}",
      "{\"n\":00}",
      "{\"n\":-}",
      "{\"n\":-01}",
      "{\"n\":+1}",
      "{\"n\":.5}",
      "{\"n\":1.}",
      "{\"n\":1.e5}",
      "{\"n\":1e}",
      "{\"n\":1e+}",
      "{\"n\":1e5.5}",
      "{\"n\":1.5.5}",
      "{\"n\":0x1}",
      "{\"n\":1a}",
      "{\"n\":--1}",
      "{\"n\":-a}",
      "{\"n\":1-1}",
      "{\"n\":Infinity}",
      "{\"n\":NaN}",
      "{\"n\":-Infinity}",
      "{\"n\":1_000}",
      "{\"n\":1e5",
      "{\"n\":1.5",
      "{\"n\":-0",
      "{\"l\":tru}",
      "{\"l\":True}",
      "{\"l\":nul}",
      "{\"l\":nulll}",
      "{\"l\":fals}",
      "{\"l\":falsee}",
      "{\"l\":t}",
      "{\"l\":truefalse}",
      "{\"l\":tru",
      "{\"l\":n",
      "{\"l\":undefined}",
      "{\"s\":\"}",
      "{\"s\":\"\\\"}",
      "{\"s\":\"\\x\"}",
      "{\"s\":\"\\u12\"}",
      "{\"s\":\"\\u12g4\"}",
      "{\"s\":\"\\U0041\"}",
      "{\"s\":\"\\u\"}",
      "{\"s\":\"\\'\"}",
      "{\"s\":\"\\0\"}",
      "{\"s\":\"\n\"}",
      "{\"s\":\"\t\"}",
      "{\"s\":\"\x1f\"}",
      "{\"s\":\"\x01\"}",
      "{\"s\":\"\x80\"}",
      "{\"s\":\"\xbf\"}",
      "{\"s\":\"\xc0\x80\"}",
      "{\"s\":\"\xc1\xbf\"}",
      "{\"s\":\"\xc2\"}",
      "{\"s\":\"\xc2\x41\"}",
      "{\"s\":\"\xe0\x9f\xbf\"}",
      "{\"s\":\"\xe0\x80\x80\"}",
      "{\"s\":\"\xed\xa0\x80\"}",
      "{\"s\":\"\xed\xbf\xbf\"}",
      "{\"s\":\"\xe6\x98\"}",
      "{\"s\":\"\xe6\x41\x41\"}",
      "{\"s\":\"\xf0\x8f\xbf\xbf\"}",
      "{\"s\":\"\xf4\x90\x80\x80\"}",
      "{\"s\":\"\xf5\x80\x80\x80\"}",
      "{\"s\":\"\xf0\x9f\x98\"}",
      "{\"s\":\"\xff\"}",
      "{\"s\":\"\xfe\"}",
      "{\"\xff\":1}",
      "{\"\n\":1}",
      "{\"\\x\":1}",
      "{\"\\u00\":1}",
      "{\"\xed\xa0\x80\":1}",
      "\xef\xbb\xbf{}",
      "{\xc2\xa0}",
      "{\"a\":1}\xef\xbb\xbf",
      "{\"a\":\x0b 1}",
      "\x0c{}",
      "{\"a\":1}//",
      "{/**/}",
      "{\"a\":\"b\"\"c\"}",
      "{\"s\":\"0123456789abcdef0123456789abcdef01234567\x1f\"}",
      "{\"x\":{\"y\":\"\xc3\"}}",
      "{\"x\":{\"\\q\":1}}",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) judge(str_from_c(texts[i]), ERR_BAD_JSON);
  judge(STR("{\"a\":1}\0"), ERR_BAD_JSON);
  judge(STR("{\"a\":\"\0\"}"), ERR_BAD_JSON);
  judge(STR("\0{}"), ERR_BAD_JSON);
}

TEST(names_the_key_at_fault) {
  static const struct {
    const char *text;
    enum err e;
    const char *param;
  } cases[] = {
      {"{\"model\":1,\"model\":2}", ERR_DUPLICATE_KEY, "model"},
      {"{\"model\":1,\"mo\\u0064el\":2}", ERR_DUPLICATE_KEY, "model"},
      {"{\"x y\":1,\"z\":0,\"x\\u0020y\":2}", ERR_DUPLICATE_KEY, "x y"},
      {"{\"\":1,\"\":2}", ERR_DUPLICATE_KEY, ""},
      {"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\uDE00\":2}", ERR_DUPLICATE_KEY, "\xf0\x9f\x98\x80"},
      {"{\"\\ud800\":1,\"\\uD800\":2}", ERR_DUPLICATE_KEY, "???"}, /* no character: not shown */
      {"{\"\\u0001\":1,\"\\u0001\":2}", ERR_DUPLICATE_KEY, "?"},
      {"{\"stream_options\":{\"include_usage\":1,\"include_usage\":2}}", ERR_DUPLICATE_KEY,
       "stream_options.include_usage"},
      {"{\"stream_options\":{\"x\":1,\"y\":0,\"x\":2}}", ERR_DUPLICATE_KEY, "stream_options.x"},
      {"{\"a\":{\"b\":{},\"\\u0062\":1}}", ERR_DUPLICATE_KEY, "a.b"},
      {"{\"Model\":1}", ERR_BAD_VALUE, "Model"},
      {"{\"model\":1,\"MODEL\":2}", ERR_BAD_VALUE, "MODEL"},
      {"{\"Max_Completion_Tokens\":2}", ERR_BAD_VALUE, "Max_Completion_Tokens"},
      {"{\"stre\\u0041m\":2}", ERR_BAD_VALUE, "streAm"},
      {"{\"A\":1}", ERR_BAD_VALUE, "A"},
      {"{\"\xc5\xbftream\":1}", ERR_BAD_VALUE, "\xc5\xbftream"}, /* letters that Go folds to s and k */
      {"{\"stream\":1,\"\\u017FTREAM\":1}", ERR_BAD_VALUE, "\xc5\xbfTREAM"},
      {"{\"max_completion_to\xe2\x84\xaa\x65n\xc5\xbf\":2}", ERR_BAD_VALUE,
       "max_completion_to\xe2\x84\xaa\x65n\xc5\xbf"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct err_info info;
    judge(str_from_c(cases[i].text), cases[i].e);
    assert_int_equal(whole(str_from_c(cases[i].text), &info), cases[i].e);
    assert_string_equal(info.param, cases[i].param);
    assert_non_null(strstr(info.text, cases[i].param));
  }
}

static struct str repeated_keys(struct buf *b, size_t key_bytes, char last) {
  buf_reset(b);
  buf_put_char(b, '{');
  for (int copy = 0; copy < 2; copy++) {
    buf_put(b, copy ? STR(",\"") : STR("\""));
    for (size_t i = 1; i < key_bytes; i++) buf_put_char(b, (char)('a' + i % 26));
    buf_put_char(b, copy ? last : 'Z');
    buf_put(b, STR("\":1"));
  }
  buf_put_char(b, '}');
  return buf_str(b);
}

TEST(long_keys_are_compared_to_their_end) {
  struct buf b;
  buf_init(&b, 0);
  static const size_t sizes[] = {15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 127, 128, 129, 130, 200};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    judge(repeated_keys(&b, sizes[i], 'Y'), OK);
    judge(repeated_keys(&b, sizes[i], 'Z'), ERR_DUPLICATE_KEY);
  }
  buf_clear(&b);
}

static struct str many_members(struct buf *b, const char *prefix, unsigned n, const char *suffix) {
  buf_reset(b);
  buf_printf(b, "%s", prefix);
  for (unsigned i = 0; i < n; i++) buf_printf(b, "%s\"key%u\":%u", i ? "," : "", i, i);
  buf_printf(b, "%s", suffix);
  return buf_str(b);
}

TEST(members_are_capped) {
  struct buf b;
  struct err_info info;
  struct envelope_limits limits = {.members = 5};
  buf_init(&b, 0);
  assert_int_equal(whole(many_members(&b, "{", 1024, "}"), &info), OK);
  assert_int_equal(envelope_scan_root(&scan)->count, 1024);
  assert_int_equal(whole(many_members(&b, "{", 1025, "}"), &info), ERR_BAD_VALUE);
  assert_string_equal(info.param, "key1024");
  assert_int_equal(whole(many_members(&b, "{\"x\":{", 2000, "}}"), &info), OK); /* nobody looks into it */
  assert_int_equal(whole(many_members(&b, "{\"stream_options\":{", 1025, "}}"), &info), ERR_BAD_VALUE);
  assert_string_equal(info.param, "stream_options.key1024");
  assert_int_equal(whole(many_members(&b, "{", 1000, ",\"key7\":1}"), &info), ERR_DUPLICATE_KEY);
  assert_int_equal(whole(many_members(&b, "{", 33, ",\"key32\":1}"), &info), ERR_DUPLICATE_KEY);
  assert_int_equal(whole(many_members(&b, "{", 32, ",\"key31\":1}"), &info), ERR_DUPLICATE_KEY);
  /* two large objects one after another share one table */
  many_members(&b, "{\"a\":{", 100, "},\"stream_options\":{");
  for (unsigned i = 0; i < 100; i++) buf_printf(&b, "%s\"key%u\":1", i ? "," : "", i);
  buf_put(&b, STR("}}"));
  assert_int_equal(whole(buf_str(&b), &info), OK);
  assert_int_equal(envelope_scan_value(&scan, ORACLE_OPTIONS)->count, 100);
  /* without an arena the struct's own room is all */
  assert_int_equal(envelope_scan_whole(&scan, &table, NULL, NULL, many_members(&b, "{", 32, "}"), NULL), OK);
  assert_int_equal(envelope_scan_whole(&scan, &table, NULL, NULL, many_members(&b, "{", 33, "}"), NULL), ERR_NO_MEMORY);
  assert_int_equal(envelope_scan_whole(&scan, &table, &limits, NULL, many_members(&b, "{", 5, "}"), NULL), OK);
  assert_int_equal(envelope_scan_whole(&scan, &table, &limits, NULL, many_members(&b, "{", 6, "}"), NULL),
                   ERR_BAD_VALUE);
  buf_clear(&b);
}

static enum err nested(struct buf *b, unsigned depth, const struct envelope_limits *limits) {
  buf_reset(b);
  buf_put(b, STR("{\"x\":"));
  for (unsigned i = 1; i < depth; i++) buf_put(b, i % 2 ? STR("[") : STR("{\"a\":"));
  buf_put(b, STR("0"));
  for (unsigned i = depth; i-- > 1;) buf_put(b, i % 2 ? STR("]") : STR("}"));
  buf_put_char(b, '}');
  return envelope_scan_whole(&scan, &table, limits, NULL, buf_str(b), NULL);
}

TEST(depth_and_size_are_capped) {
  struct buf b;
  struct err_info info = {.code = ""};
  struct envelope_limits shallow = {.depth = 3}, small = {.body_bytes = 10};
  buf_init(&b, 0);
  assert_int_equal(nested(&b, 128, NULL), OK);
  assert_int_equal(envelope_scan_depth(&scan), 128);
  assert_int_equal(nested(&b, 129, NULL), ERR_BAD_JSON);
  assert_int_equal(nested(&b, 5000, NULL), ERR_BAD_JSON);
  assert_int_equal(nested(&b, 3, &shallow), OK);
  assert_int_equal(nested(&b, 4, &shallow), ERR_BAD_JSON);
  assert_int_equal(envelope_scan_whole(&scan, &table, &small, NULL, STR("{\"aa\":123}"), &info), OK);
  assert_int_equal(envelope_scan_whole(&scan, &table, &small, NULL, STR("{\"aa\":1234}"), &info), ERR_BODY_TOO_LARGE);
  envelope_scan_init(&scan, &table, &small, NULL);
  assert_int_equal(envelope_scan_feed(&scan, STR("{\"aa\":"), &info), OK);
  assert_int_equal(envelope_scan_feed(&scan, STR("12345"), &info), ERR_BODY_TOO_LARGE);
  assert_int_equal(envelope_scan_feed(&scan, STR("1"), &info), ERR_BODY_TOO_LARGE);
  assert_int_equal(envelope_scan_end(&scan, &info), ERR_BODY_TOO_LARGE);
  buf_clear(&b);
}

TEST(finds_members) {
  struct err_info info;
  struct str body =
      STR(" {\"x\":[1,2], \"model\" : \"gpt-4o\" ,\"a\":{\"q\":0,\"b\":[1,[2,3],{}]},\"stream\":true,\"b\":[]}");
  assert_int_equal(whole(body, &info), OK);
  const struct envelope_value *v = envelope_scan_value(&scan, ORACLE_MODEL);
  assert_str(envelope_raw(body, v), STR("\"gpt-4o\""));
  assert_int_equal(v->key_offset, str_find(body, STR("\"model\"")));
  assert_int_equal(v->comma_before, str_find(body, STR(", \"model\"")));
  assert_int_equal(v->comma_after, str_find(body, STR(",\"a\"")));
  assert_str(envelope_raw(body, envelope_scan_value(&scan, ORACLE_A_B)), STR("[1,[2,3],{}]"));
  assert_int_equal(envelope_scan_value(&scan, ORACLE_A_B)->count, 3);
  assert_int_equal(envelope_scan_value(&scan, ORACLE_A)->count, 2);
  assert_int_equal(envelope_scan_value(&scan, ORACLE_B)->count, 0);
  assert_int_equal(envelope_scan_value(&scan, ORACLE_B)->comma_after, ENVELOPE_NO_COMMA);
  assert_null(envelope_scan_value(&scan, ORACLE_OPTIONS));
  assert_null(envelope_scan_value(&scan, ORACLE_USAGE));
  assert_null(envelope_scan_value(&scan, 1000));
  assert_str(envelope_raw(body, envelope_scan_root(&scan)), str_sub(body, 1, body.n));
  assert_int_equal(envelope_scan_root(&scan)->count, 5);
  assert_int_equal(envelope_scan_depth(&scan), 4);
}

TEST(decodes_values) {
  struct err_info info;
  struct str out = STR("untouched");
  bool flag = false;
  uint64_t number = 7;
  struct str body =
      STR("{\"model\":\"a\\u002fb\\n\\ud83d\\ude00\",\"stream\":true,\"a\":1e3,\"b\":\"x\",\"max_completion_tokens\":"
          "18446744073709551615}");
  assert_int_equal(whole(body, &info), OK);
  assert_int_equal(envelope_string(&scan, ORACLE_MODEL, body, &arena, &out, &info), OK);
  assert_str(out, STR("a/b\n\xf0\x9f\x98\x80"));
  assert_int_equal(envelope_string(&scan, ORACLE_B, body, &arena, &out, &info), OK);
  assert_true(out.p == body.p + envelope_scan_value(&scan, ORACLE_B)->offset + 1 && out.n == 1);
  assert_int_equal(envelope_string(&scan, ORACLE_STREAM, body, &arena, &out, &info), ERR_BAD_TYPE);
  assert_string_equal(info.param, "stream");
  assert_int_equal(envelope_string(&scan, ORACLE_USAGE, body, &arena, &out, &info), ERR_MISSING);
  assert_string_equal(info.param, "stream_options.include_usage");
  assert_int_equal(envelope_bool(&scan, ORACLE_STREAM, &flag, &info), OK);
  assert_true(flag);
  assert_int_equal(envelope_bool(&scan, ORACLE_B, &flag, &info), ERR_BAD_TYPE);
  assert_int_equal(envelope_u64(&scan, ORACLE_LONG, body, &number, &info), OK);
  assert_true(number == UINT64_MAX);
  assert_int_equal(envelope_u64(&scan, ORACLE_A, body, &number, &info), ERR_BAD_VALUE);
  assert_int_equal(envelope_u64(&scan, ORACLE_B, body, &number, &info), ERR_BAD_TYPE);
  assert_true(number == UINT64_MAX);
  body = STR("{\"model\":\"\\ud800x\",\"b\":\"\\u0000\"}");
  assert_int_equal(whole(body, &info), OK);
  assert_int_equal(envelope_string(&scan, ORACLE_MODEL, body, &arena, &out, &info), ERR_BAD_VALUE);
  assert_int_equal(envelope_string(&scan, ORACLE_B, body, &arena, &out, &info), ERR_BAD_VALUE);
  assert_str(out, STR("x"));
}

TEST(lenient_keys_let_replies_pass) {
  struct envelope_limits lenient = {.keys_are_lenient = true};
  static const char *const good[] = {"{\"x\":1,\"x\":2}", "{\"Model\":1,\"model\":2}", "{\"a\":{\"x\":1,\"x\":2}}"};
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(envelope_scan_whole(&scan, &table, &lenient, NULL, str_from_c(good[i]), NULL), OK);
  assert_int_equal(envelope_scan_whole(&scan, &table, &lenient, NULL, STR("{\"b\":1,\"b\":2}"), NULL),
                   ERR_DUPLICATE_KEY);
}

TEST(tables_are_checked) {
  static struct envelope_table t;
  struct err_info info = {.code = ""};
  const struct str twice[] = {STR("a"), STR("a")}, orphan[] = {STR("a.b")}, late[] = {STR("a.b"), STR("a")},
                   deep[] = {STR("a"), STR("a.b"), STR("a.b.c")}, empty[] = {STR("")}, good[] = {STR("a"), STR("a.a")};
  struct str many[65];
  assert_int_equal(envelope_table_init(&t, twice, 2, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, orphan, 1, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, late, 2, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, deep, 3, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, empty, 1, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, good, 2, &info), OK);
  char names[65][4];
  for (int i = 0; i < 65; i++) many[i] = str_from(names[i], (size_t)snprintf(names[i], sizeof names[i], "k%d", i));
  assert_int_equal(envelope_table_init(&t, many, 65, &info), ERR_INTERNAL);
  assert_int_equal(envelope_table_init(&t, many, 64, &info), OK);
  struct buf b;
  buf_init(&b, 0);
  buf_put_char(&b, '{');
  for (int i = 0; i < 64; i++) buf_printf(&b, "%s\"k%d\":%d", i ? "," : "", i, i);
  buf_put_char(&b, '}');
  assert_int_equal(envelope_scan_whole(&scan, &t, NULL, NULL, buf_str(&b), &info), OK);
  for (unsigned i = 0; i < 64; i++) {
    uint64_t value = 999;
    assert_int_equal(envelope_u64(&scan, i, buf_str(&b), &value, &info), OK);
    assert_int_equal(value, i);
  }
  buf_clear(&b);
}

static uint64_t random_state = 88172645463325252u;
static uint32_t random_u32(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 16);
}

TEST(agrees_with_yyjson_on_mutations) {
  static const char *const bases[] = {
      "{\"model\":\"gpt-4o\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"a\":{\"b\":[1,2.5e-3,"
      "\"x\\n\"]}}",
      "{\"a\":{\"b\":null,\"c\":\"\\ud83d\\ude00\\u00e9\"},\"b\":[{\"k\":false},[],{}],\"max_completion_tokens\":-12}",
      " { \"x\" : \"\xe6\x98\xa5\xf0\x9f\x98\x80\xc3\xa9\" , \"y\" : [ true , null , 0 ] , \"stream_options\" : { } } ",
      "{\"mo\\u0064el\":\"a string that is longer than one vector, by some \\\"words\\\"\",\"b\":123456789,\"a\":0}",
  };
  static const char alphabet[] = "{}[]:,\"\\\\\"\"ntrue falsn0123456789.eE+-u \n\x01\x80\xc3\xa9\xed\xa0\xf0\x9f";
  char text[256];
  for (int round = 0; round < 200000; round++) {
    const char *base = bases[random_u32() % 4];
    size_t n = strlen(base);
    memcpy(text, base, n);
    for (uint32_t changes = 1 + random_u32() % 3; changes; changes--) {
      size_t at = random_u32() % n;
      char c = alphabet[random_u32() % (sizeof alphabet - 1)];
      switch (random_u32() % 4) {
        case 0: text[at] = c; break;
        case 1: memmove(text + at, text + at + 1, n-- - at - 1); break;
        case 2:
          memmove(text + at + 1, text + at, n++ - at);
          text[at] = c;
          break;
        default: text[at] = text[random_u32() % n];
      }
    }
    oracle_check(str_from(text, n), random_u32() % 3 ? random_u32() : 0, random_u32());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepts_what_the_grammar_allows),
      cmocka_unit_test(refuses_what_it_does_not),
      cmocka_unit_test(names_the_key_at_fault),
      cmocka_unit_test(long_keys_are_compared_to_their_end),
      cmocka_unit_test(members_are_capped),
      cmocka_unit_test(depth_and_size_are_capped),
      cmocka_unit_test(finds_members),
      cmocka_unit_test(decodes_values),
      cmocka_unit_test(lenient_keys_let_replies_pass),
      cmocka_unit_test(tables_are_checked),
      cmocka_unit_test(agrees_with_yyjson_on_mutations),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
