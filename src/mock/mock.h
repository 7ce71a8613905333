/* A scriptable upstream: what the tests, the benchmarks and the built-in demo provider call instead of a vendor. It
 * answers from byte templates of its own and never through src/dialect, so that the checked does not check itself.
 *
 * `maestro mock` and `maestro serve` (demo) make one mock_shared per listener before the workers start, one mock per
 * worker on its thread, and give mock_handle and mock_error_body to http_server. What an answer does is chosen by the
 * model name or by a tag `[[mock:NAME]]` in the last user text (behaviour.def; several are joined by '+').
 *
 * Invariant: the same request gives the same bytes but for ids and times. A prompt's tokens are ceil(bytes / 4) of
 * its texts (OpenAI chat: every `content` and `text` string under `messages` as they stand in the JSON), a completion's
 * ceil(bytes / 4) of its text, reasoning, tool names and arguments together. */
#ifndef MAESTRO_MOCK_MOCK_H
#define MAESTRO_MOCK_MOCK_H

#include "io/http_server.h"

struct mock;        /* one per worker */
struct mock_shared; /* one per listener; thread-safe inside */

struct mock_options {
  uint32_t latency_ms;        /* before the head of every answer */
  uint32_t chunk_interval_ms; /* between the events of a stream; 0: as fast as the reader takes them */
  uint32_t chunks;            /* content events of a stream; 0: 8, more for large replies */
  uint32_t reply_bytes;       /* of the answer's text; 0: one short sentence */
  uint64_t seed;              /* of ids and generated text */
  bool record;  /* keep the last requests for /__mock/requests and check each body as JSON: not for benchmarks */
  bool is_demo; /* every answer says that no model was called; behaviours and /__mock/ do not exist */
};

enum err mock_shared_new(struct mock_shared **out, const struct mock_options *options,
                         struct err_info *info) MUST_CHECK;
void mock_shared_free(struct mock_shared *s); /* after every mock of it; NULL is fine */

enum err mock_new(struct mock **out, struct mock_shared *shared, struct err_info *info) MUST_CHECK;
void mock_free(struct mock *m); /* NULL is fine */
/* The server whose open connections /__mock/stats counts; it must outlive the mock. Optional. */
void mock_watch(struct mock *m, const struct http_server *server);

/* An http_handler; `mock` is the worker's struct mock. */
void mock_handle(struct http_exchange *x, void *mock);
/* http_server_options.error_body: the envelope of the path's dialect. */
void mock_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out);

#endif
