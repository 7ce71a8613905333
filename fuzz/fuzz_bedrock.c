/* links: dialect */
/* Bedrock Converse over hostile bytes: requests, whole replies, and event streams. The first byte says which. A stream
 * is lines of "<event type> <JSON>" ("!" before the type makes it an exception) that are put into AWS's framing here,
 * since no fuzzer guesses checksums; the framing itself is fuzzed by what is fed as it is. */
#include <zlib.h>

#include "dialect/bedrock/bedrock_converse.h"
#include "translate.h"

static void put_u32(struct buf *b, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) buf_put_char(b, (char)(v >> shift & 255));
}

static uint32_t crc_from(const struct buf *b, size_t from) {
  return (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(b->n - from));
}

static void put_message(struct buf *b, struct str type, struct str json) {
  bool is_exception = type.n && type.p[0] == '!';
  struct str name = is_exception ? STR(":exception-type") : STR(":event-type");
  if (is_exception) type = str_sub(type, 1, type.n);
  type = str_sub(type, 0, 200);
  size_t from = b->n, headers = 1 + name.n + 3 + type.n;
  put_u32(b, (uint32_t)(16 + headers + json.n));
  put_u32(b, (uint32_t)headers);
  put_u32(b, crc_from(b, from));
  buf_put_char(b, (char)name.n);
  buf_put(b, name);
  buf_put(b, STR("\x07"));
  buf_put_char(b, 0);
  buf_put_char(b, (char)type.n);
  buf_put(b, type);
  buf_put(b, json);
  put_u32(b, crc_from(b, from));
}

static void run_stream(struct str lines, unsigned flags) {
  struct buf stream;
  struct str line, type, json;
  buf_init(&stream, 0);
  while (lines.n) {
    str_cut(lines, '\n', &line, &lines);
    str_cut(line, ' ', &type, &json);
    put_message(&stream, type, json);
  }
  translate_stream(&dialect_bedrock_converse, buf_str(&stream), flags, 1 + flags % 7);
  buf_clear(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 2;
  switch (data[0] & 3) {
    case 0: translate_request(&dialect_bedrock_converse, rest); break;
    case 1: translate_reply(&dialect_bedrock_converse, rest); break;
    case 2: run_stream(rest, flags); break;
    default: translate_stream(&dialect_bedrock_converse, rest, flags, 3);
  }
  return 0;
}
