/* AWS event streams: messages built here with zlib's CRC-32, and two as the codec of the AWS SDK for JavaScript
 * (@smithy/eventstream-codec) writes them; cut at every byte. */
#include <zlib.h>

#include "frame_rig.h"

enum { PRELUDE = 12, TRAILER = 4 };

static void put_u32(struct buf *b, uint32_t v) {
  const char bytes[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
  buf_put(b, str_from(bytes, 4));
}

static uint32_t crc(const char *p, size_t n) { return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n); }

/* A message whose lengths are what is said, be it wrong; the checksums are right. */
static void put_message(struct buf *out, struct str headers, struct str payload, uint32_t total, uint32_t headers_n) {
  size_t from = out->n;
  put_u32(out, total);
  put_u32(out, headers_n);
  put_u32(out, crc(out->p + from, 8));
  buf_put(out, headers);
  buf_put(out, payload);
  put_u32(out, crc(out->p + from, out->n - from));
}

static void put_sound(struct buf *out, struct str headers, struct str payload) {
  put_message(out, headers, payload, (uint32_t)(PRELUDE + headers.n + payload.n + TRAILER), (uint32_t)headers.n);
}

/* A header of type string; names and values shorter than 256 bytes. */
static void put_text(struct buf *headers, const char *name, const char *value) {
  buf_put_char(headers, (char)strlen(name));
  buf_put(headers, str_from_c(name));
  buf_put(headers, STR("\x07\0"));
  buf_put_char(headers, (char)strlen(value));
  buf_put(headers, str_from_c(value));
}

static struct buf stream, headers;

static void put_event(const char *type, const char *payload) {
  buf_reset(&headers);
  put_text(&headers, ":message-type", "event");
  put_text(&headers, ":event-type", type);
  put_sound(&stream, buf_str(&headers), str_from_c(payload));
}

static void expect_stream(size_t limit, const char *events, bool is_partial, enum err e) {
  expect(FRAMING_AWS, buf_str(&stream), limit, events, is_partial, e);
  buf_clear(&stream);
  buf_clear(&headers);
}

static struct str unhex(const char *hex, char *out) {
  size_t n = strlen(hex) / 2;
  for (size_t i = 0; i < n; i++) {
    const char digits[] = {hex[2 * i], hex[2 * i + 1], 0};
    out[i] = (char)strtoul(digits, NULL, 16);
  }
  return str_from(out, n);
}

/* Encoded with EventStreamCodec.encode of @smithy/eventstream-codec: an event, and an exception with a header of each
 * type. */
TEST(messages_of_the_vendors_codec) {
  static const char event[] =
      "0000009400000057b4ab9aee0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d7479"
      "70650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f63"
      "6b496e646578223a302c2264656c7461223a7b2274657874223a224869227d7d1f944657";
  static const char exception[] =
      "000000b10000008a45e894f3017400016601016202ff017303fffe01690400000007016c0500000000000000090362696e06000301020302"
      "6174080000018bcfe5680001750900112233445566778899aabbccddeeff0f3a657863657074696f6e2d747970650700137468726f74746c"
      "696e67457863657074696f6e0d3a6d6573736167652d74797065070009657863657074696f6e7b226d657373616765223a22736c6f772064"
      "6f776e227d45cec414";
  char bytes[512];
  buf_put(&stream, unhex(event, bytes));
  buf_put(&stream, unhex(exception, bytes));
  expect_stream(0,
                "contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hi\"}}\n"
                "!throttlingException|{\"message\":\"slow down\"}\n",
                false, OK);
}

TEST(messages_however_they_are_cut) {
  put_event("a", "{\"x\":1}");
  put_event("b", ""); /* nothing to say */
  put_sound(&stream, STR_NONE, STR("{}"));
  put_sound(&stream, STR_NONE, STR_NONE); /* the smallest there is */
  put_event("c", "{}");
  expect_stream(0, "a|{\"x\":1}\n(b)\n|{}\nc|{}\n", false, OK);
}

TEST(failures_are_marked) {
  put_text(&headers, ":exception-type", "validationException");
  put_text(&headers, ":event-type", "later"); /* does not hide it */
  put_sound(&stream, buf_str(&headers), STR("{\"message\":\"m\"}"));
  buf_reset(&headers);
  put_text(&headers, ":message-type", "error");
  put_text(&headers, ":error-code", "InternalError");
  put_text(&headers, ":error-message", "m");
  put_sound(&stream, buf_str(&headers), STR_NONE);
  expect_stream(0, "!validationException|{\"message\":\"m\"}\n!(InternalError)\n", false, OK);
}

TEST(headers_of_every_type) {
  static const struct str each[] = {
      STR("\1x\0"),
      STR("\1x\1"),
      STR("\1x\2\7"),
      STR("\1x\3\7\7"),
      STR("\1x\4\7\7\7\7"),
      STR("\1x\5\7\7\7\7\7\7\7\7"),
      STR("\1x\6\0\0"),
      STR("\1x\6\0\3\0\1\2"),
      STR("\1x\7\0\0"),
      STR("\1x\7\0\2yz"),
      STR("\1x\x8"
          "12345678"),
      STR("\1x\x9"
          "0123456789abcdef"),
      STR("\0\0"),
  };
  for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
    buf_put(&headers, each[i]);
    put_text(&headers, ":event-type", "e");
    put_sound(&stream, buf_str(&headers), STR("{}"));
    expect_stream(0, "e|{}\n", false, OK);
    for (size_t n = 1; n < each[i].n; n++) { /* cut short within the header */
      put_sound(&stream, str_sub(each[i], 0, n), STR_NONE);
      bool is_whole = each[i].p[0] == 0 && n == 2;
      expect_stream(0, "", false, is_whole ? OK : ERR_UPSTREAM_PROTOCOL);
    }
  }
  put_sound(&stream,
            STR("\1x\x0a"
                "0123456789abcdef"),
            STR_NONE); /* of a type that there is not */
  expect_stream(0, "", false, ERR_UPSTREAM_PROTOCOL);
  put_sound(&stream, STR("\xffx\7\0\0"), STR_NONE); /* a name beyond the end */
  expect_stream(0, "", false, ERR_UPSTREAM_PROTOCOL);
  put_sound(&stream, STR("\1x\7\xff\xffyz"), STR_NONE); /* a value beyond it */
  expect_stream(0, "", false, ERR_UPSTREAM_PROTOCOL);
  put_sound(&stream, STR("\x0b:event-type\6\0\1e"), STR("{}")); /* bytes are no name of an event */
  expect_stream(0, "|{}\n", false, OK);
}

TEST(wrong_lengths) {
  static const uint32_t totals[] = {0, 1, 11, 12, 15, (24u << 20) + 1, 0x7fffffff, 0x80000000, 0xffffffff};
  for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
    put_event("a", "{}");
    put_message(&stream, STR_NONE, STR_NONE, totals[i], 0);
    expect_stream(0, "a|{}\n", false, ERR_UPSTREAM_PROTOCOL);
  }
  static const uint32_t headers_n[] = {1, 3, 100, 0xfffffff0, 0xffffffff};
  for (size_t i = 0; i < sizeof headers_n / sizeof *headers_n; i++) {
    put_message(&stream, STR_NONE, STR_NONE, PRELUDE + TRAILER, headers_n[i]);
    expect_stream(0, "", false, ERR_UPSTREAM_PROTOCOL);
  }
}

TEST(a_message_is_limited) {
  put_event("a", "{\"x\":1}");
  size_t n = stream.n;
  expect_stream(n, "a|{\"x\":1}\n", false, OK);
  put_event("a", "{\"x\":1}");
  expect_stream(n - 1, "", false, ERR_UPSTREAM_TOO_LARGE);
  /* Known from its first bytes: nothing of it is waited for. */
  put_message(&stream, STR_NONE, STR_NONE, 20u << 20, 0);
  expect(FRAMING_AWS, str_sub(buf_str(&stream), 0, PRELUDE), 1000, "", false, ERR_UPSTREAM_TOO_LARGE);
  buf_clear(&stream);
}

TEST(every_broken_bit_is_noticed) {
  put_event("a", "{}");
  put_event("b", "{}");
  size_t first = stream.n;
  put_event("a", "{\"x\":[1,2]}");
  for (size_t i = 0; i < stream.n; i++) {
    stream.p[i] ^= (char)(1 << (i % 8));
    struct seen s = run(FRAMING_AWS, buf_str(&stream), 0, i / 2, 7, false);
    /* In a length the checksum of the prelude tells; elsewhere the one of the message. */
    assert_int_equal(s.e, ERR_UPSTREAM_PROTOCOL);
    assert_true(s.raw.n < first || i >= first);
    seen_clear(&s);
    stream.p[i] ^= (char)(1 << (i % 8));
  }
  expect_stream(0, "a|{}\nb|{}\na|{\"x\":[1,2]}\n", false, OK);
}

TEST(a_cut_message_is_none) {
  put_event("a", "{}");
  size_t first = stream.n;
  put_event("b", "{}");
  for (size_t n = first + 1; n < stream.n; n++)
    expect(FRAMING_AWS, str_sub(buf_str(&stream), 0, n), 0, "a|{}\n", true, OK);
  buf_clear(&stream);
  buf_clear(&headers);
}

TEST(a_whole_message_is_not_copied) {
  struct frame_aws a;
  struct frame f;
  enum err e;
  put_event("a", "{}");
  put_event("b", "{}");
  frame_aws_init(&a, 0);
  frame_aws_feed(&a, buf_str(&stream));
  assert_true(frame_aws_next(&a, &f, &e) && f.raw.p == stream.p);
  assert_true(frame_aws_next(&a, &f, &e) && f.raw.p == stream.p + f.raw.n);
  assert_null(a.held.p);
  frame_aws_clear(&a);
  buf_clear(&stream);
  buf_clear(&headers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_of_the_vendors_codec),
      cmocka_unit_test(messages_however_they_are_cut),
      cmocka_unit_test(failures_are_marked),
      cmocka_unit_test(headers_of_every_type),
      cmocka_unit_test(wrong_lengths),
      cmocka_unit_test(a_message_is_limited),
      cmocka_unit_test(every_broken_bit_is_noticed),
      cmocka_unit_test(a_cut_message_is_none),
      cmocka_unit_test(a_whole_message_is_not_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
