/* The requests the generator sends, and the clocks: see options.h. The bodies are what an SDK sends: a short chat of
 * some 300 bytes, a prompt of 65 KB with the escapes that real documents have, 10 MB of text, or for streams a list of
 * numbers, 8 bytes each, that an echoing upstream cuts into as many events: so each event carries its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "options.h"

#define PROMPT_BYTES (65u * 1000u)
#define BIG_BYTES (10u * 1024u * 1024u)

static const char small_text[] =
    "What is the capital of France? Answer in one word and name the river that runs through it.";
static const char prompt_text[] =
    "Line one of a document.\\nIt has \\\"quoted words\\\", a path C:\\\\temp\\\\notes.txt, a tab\\there, caf\\u00e9 "
    "and "
    "na\\u00efve as escapes, \xc3\xa9t\xc3\xa9 and \xe6\xbc\xa2\xe5\xad\x97 as they are, and {\\\"json\\\": [1, 2.5, "
    "true]} inside.\\n";
static const char big_text[] = "All work and no play makes a very long prompt that somebody pasted from a log file.\\n";

uint64_t options_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t options_cpu_ns(const struct options *options) {
  uint64_t sum = 0;
  for (int i = 0; i < options->pid_count; i++) {
    clockid_t id;
    struct timespec t;
    if (clock_getcpuclockid(options->pids[i], &id) != 0 || clock_gettime(id, &t) != 0) {
      fprintf(stderr, "load: no CPU clock for process %d\n", (int)options->pids[i]);
      exit(1);
    }
    sum += (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
  }
  return sum;
}

static char *count_text(unsigned count, size_t *length) {
  char *text = malloc((size_t)count * 8 + 1);
  if (!text) return NULL;
  for (unsigned i = 0; i < count; i++) snprintf(text + (size_t)i * 8, 9, "%07u ", i % 10000000u);
  *length = (size_t)count * 8;
  return text;
}

static char *append(char *at, const char *text, size_t length) {
  memcpy(at, text, length);
  return at + length;
}

/* The user's text, JSON-escaped already; the caller frees it. */
static char *user_text(const struct options *options, size_t *length) {
  const char *unit = small_text;
  size_t want = sizeof(small_text) - 1;
  if (strcmp(options->body, "count") == 0) return count_text(options->chunks, length);
  if (strcmp(options->body, "prompt") == 0) {
    unit = prompt_text;
    want = PROMPT_BYTES;
  } else if (strcmp(options->body, "big") == 0) {
    unit = big_text;
    want = BIG_BYTES;
  }
  size_t unit_length = strlen(unit);
  size_t repeats = (want + unit_length - 1) / unit_length;
  char *text = malloc(repeats * unit_length);
  if (!text) return NULL;
  for (size_t i = 0; i < repeats; i++) memcpy(text + i * unit_length, unit, unit_length);
  *length = repeats * unit_length;
  return text;
}

/* The template with the model in the place of its %s; the caller frees it. */
static char *with_model(const char *template, const char *model) {
  const char *place = strstr(template, "%s");
  size_t before = place ? (size_t)(place - template) : strlen(template), length = strlen(model);
  char *text = malloc(strlen(template) + length + 1);
  if (!text) return NULL;
  memcpy(text, template, before);
  if (place) memcpy(text + before, model, length);
  strcpy(text + before + (place ? length : 0), place ? place + 2 : "");
  return text;
}

char *options_request(const struct options *options, size_t *length) {
  const struct dialect *d = options->dialect;
  const char *path = options->path ? options->path : options->is_stream ? d->stream_path : d->path;
  const char *after = options->is_stream ? d->after_stream : d->after;
  size_t text_length = 0;
  char *text = user_text(options, &text_length);
  char *target = with_model(path, options->model), *before = with_model(d->before, options->model), *request = NULL;
  if (text && target && before) {
    size_t body_length = strlen(before) + text_length + strlen(after);
    int head_length =
        asprintf(&request,
                 "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: maestro-bench\r\nAccept: application/json\r\n"
                 "Content-Type: application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n",
                 target, options->port, options->key ? "Authorization: Bearer " : "", options->key ? options->key : "",
                 options->key ? "\r\n" : "", body_length);
    *length = (size_t)head_length + body_length;
    request = head_length < 0 ? NULL : realloc(request, *length);
    if (request)
      append(append(append(request + head_length, before, strlen(before)), text, text_length), after, strlen(after));
  }
  if (!request) {
    fprintf(stderr, "load: out of memory\n");
    exit(1);
  }
  free(text);
  free(target);
  free(before);
  return request;
}
