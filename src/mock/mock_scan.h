/* One quick pass over a chat request: the few members that decide how the mock answers, without building a document. It
 * trusts the JSON to be sound (with `record` on, the whole body is parsed too) and takes keys as they stand, unescaped
 * spelling only. Pure, linear, no recursion. Its own code on purpose: the gateway's envelope scan is what tests check.
 */
#ifndef MAESTRO_MOCK_SCAN_H
#define MAESTRO_MOCK_SCAN_H

#include "base/str.h"

struct mock_scan {
  struct str model; /* between its quotes, escapes untouched; p is NULL when absent */
  bool has_messages;
  bool is_stream;
  bool wants_usage;    /* stream_options.include_usage */
  bool wants_logprobs; /* logprobs is true */
  bool wants_json;     /* response_format.type is not "text" */
  bool is_tool_last;   /* the last message's role is "tool" or "function" */
  uint32_t n;          /* choices, 1 when absent */
  uint64_t text_bytes; /* of all `content` and `text` strings under `messages`, escapes as they stand */
};

/* False when the text is not one JSON object with its brackets and strings closed. */
bool mock_scan_chat(struct str body, struct mock_scan *out);

#endif
