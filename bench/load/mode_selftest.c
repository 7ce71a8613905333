/* The generator checks itself: see modes.h. A figure such as "no event lost" is worth what the parsers behind it are,
 * so bench/run calls this after each build. Replies and streams are fed cut in two at every byte and byte by byte,
 * broken streams must be noticed, and the histogram's quantiles must not be better than the samples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "modes.h"
#include "reply.h"
#include "sse.h"

static unsigned failures;

static void check(bool is_right, const char *what, size_t at) {
  if (is_right) return;
  if (++failures > 10) return;
  fprintf(stderr, "load: selftest: %s (cut at %zu)\n", what, at);
}

#define EVENT(n) "data: {\"choices\":[{\"delta\":{\"content\":\"" n " \"}}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define FAULT "data: {\"error\":{}}\n\n"
#define BYTES(text) (sizeof(text) - 1)
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

#define ANTHROPIC_DELTA(n)       \
  "event: content_block_delta\n" \
  "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" n " \"}}\n\n"
#define ANTHROPIC_FAULT "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n"
#define ANTHROPIC_STREAM(fault)                                                                                    \
  HEAD "\r\nevent: content_block_start\ndata: "                                                                    \
       "{\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" ANTHROPIC_DELTA("0") ANTHROPIC_DELTA("1") fault \
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define RESPONSES_DELTA(n) \
  "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"" n " \"}\n\n"
#define RESPONSES_STREAM \
  HEAD "\r\nevent: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\n" RESPONSES_DELTA( \
      "0") RESPONSES_DELTA("1") "event: response.completed\n"                                                     \
                                "data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"text\":\"0 1 \"}]}}\n\n"
#define GEMINI_PART(n) "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" n " \"}]}"
#define GEMINI_STREAM \
  HEAD "\r\n" GEMINI_PART("0") "}]}\r\n\r\n" GEMINI_PART("1") ",\"finishReason\":\"STOP\"}]}\r\n\r\n"
#define OLLAMA_LINE(n) "{\"message\":{\"role\":\"assistant\",\"content\":\"" n " \"},\"done\":false}\n"
#define OLLAMA_STREAM(n) HEAD "\r\n" OLLAMA_LINE("0") OLLAMA_LINE(n) "{\"message\":{\"content\":\"\"},\"done\":true}\n"

static const struct sample {
  const char *text;
  size_t body;         /* bytes expected */
  unsigned contents;   /* events with text */
  bool is_good;        /* a complete stream in order */
  bool is_refused;     /* not a reply at all */
  bool by_close;       /* ends with the connection only */
  const char *dialect; /* NULL: openai */
} samples[] = {
    {HEAD "content-length: 68\r\n\r\n" EVENT("0000000") DONE, BYTES(EVENT("0000000") DONE), 1, true, false, false,
     NULL},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n36;x=y\r\n" EVENT("0000000") "\r\n36\r\n" EVENT(
         "0000001") "\r\ne\r\n" DONE "\r\n0\r\nT: 1\r\n\r\n",
     BYTES(EVENT("0000000") EVENT("0000001") DONE), 2, true, false, false, NULL},
    {HEAD "\r\n" EVENT("0") EVENT("1") DONE, BYTES(EVENT("0") EVENT("1") DONE), 2, true, false, true, NULL},
    {HEAD "\r\n" EVENT("0") EVENT("2") DONE, BYTES(EVENT("0") EVENT("2") DONE), 2, false, false, true,
     NULL}, /* one is missing */
    {HEAD "\r\n" EVENT("0") EVENT("0") DONE, BYTES(EVENT("0") EVENT("0") DONE), 2, false, false, true,
     NULL},                                                                                         /* one came twice */
    {HEAD "\r\n" EVENT("0") EVENT("1"), BYTES(EVENT("0") EVENT("1")), 2, false, false, true, NULL}, /* cut */
    {HEAD "\r\n" EVENT("0") DONE EVENT("1"), BYTES(EVENT("0") DONE EVENT("1")), 2, false, false, true,
     NULL}, /* after the end */
    {HEAD "\r\n" EVENT("0") FAULT DONE, BYTES(EVENT("0") FAULT DONE), 1, false, false, true, NULL},
    {ANTHROPIC_STREAM(""), BYTES(ANTHROPIC_STREAM("")) - BYTES(HEAD "\r\n"), 2, true, false, true, "anthropic"},
    {ANTHROPIC_STREAM(ANTHROPIC_FAULT), BYTES(ANTHROPIC_STREAM(ANTHROPIC_FAULT)) - BYTES(HEAD "\r\n"), 2, false, false,
     true, "anthropic"},
    {RESPONSES_STREAM, BYTES(RESPONSES_STREAM) - BYTES(HEAD "\r\n"), 2, true, false, true, "responses"},
    {GEMINI_STREAM, BYTES(GEMINI_STREAM) - BYTES(HEAD "\r\n"), 2, true, false, true, "gemini"},
    {OLLAMA_STREAM("1"), BYTES(OLLAMA_STREAM("1")) - BYTES(HEAD "\r\n"), 2, true, false, true, "ollama"},
    {OLLAMA_STREAM("2"), BYTES(OLLAMA_STREAM("2")) - BYTES(HEAD "\r\n"), 2, false, false, true, "ollama"},
    {"HTTP/1.1 204 No Content\r\n\r\n", 0, 0, false, false, false, NULL},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0, 0, false, true, false, NULL},
    {"SSH-2.0-x\r\n\r\n", 0, 0, false, true, false, NULL},
};

static void feed_stream(void *context, const char *data, size_t length) { sse_feed(context, data, length); }

/* Feeds `step` bytes at a time after a first piece of `cut`. */
static void run_sample(const struct sample *sample, size_t cut, size_t step) {
  static struct reply reply;
  static struct sse sse;
  size_t length = strlen(sample->text), at = 0;
  ssize_t took = 0;
  reply_reset(&reply);
  sse_reset(&sse, dialect_by_name(sample->dialect ? sample->dialect : "openai"));
  while (at < length && took >= 0) {
    size_t part = at == 0 && cut ? cut : step;
    if (part > length - at) part = length - at;
    took = reply_feed(&reply, sample->text + at, part, feed_stream, &sse);
    if (took >= 0) check((size_t)took == part, "bytes left over", cut);
    at += part;
  }
  check((took < 0) == sample->is_refused, "accepted or refused wrongly", cut);
  if (sample->is_refused) return;
  check((reply.state == REPLY_DONE) == !sample->by_close && reply_at_close(&reply), "end not seen", cut);
  check(reply.body_bytes == sample->body, "wrong length", cut);
  check(sse.content_count == sample->contents, "wrong number of events", cut);
  check((sse.is_done && !sse.is_broken) == sample->is_good, "stream judged wrongly", cut);
}

static void check_histogram(void) {
  static struct hist hist;
  for (uint64_t i = 1; i <= 1000; i++) hist_add(&hist, i * 1000);
  for (unsigned q = 1; q <= 99; q++) {
    uint64_t got = hist_quantile_ns(&hist, q / 100.0), exact = q * 10000;
    check(got >= exact && got <= exact + exact / 50 + 1000, "quantile off", q);
  }
  check(hist.max_ns == 1000000 && hist_quantile_ns(&hist, 1) == 1000000, "maximum off", 0);
}

int mode_selftest(const struct options *options) {
  (void)options;
  for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
    for (size_t cut = 0; cut < strlen(samples[i].text); cut++) run_sample(&samples[i], cut, SIZE_MAX);
    run_sample(&samples[i], 0, 1);
  }
  check_histogram();
  return failures ? 1 : 0;
}
