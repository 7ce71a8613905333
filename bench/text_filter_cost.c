/* What it costs to look through an answer's text: nanoseconds of processor time an event, with every machine on, while
 * no marker is in sight. Two ways: `events`, as a translation puts them; `relayed`, as beside a relay, where text that
 * cannot matter passes without being decoded. Built and run by bench/text.
 *
 * Each text is cut into deltas of about a token; the time of handing them to nobody is taken off. Medians of rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text/text_filter.h"

enum { ROUNDS = 15, EVENTS = 200000, DELTA_MAX = 7 };

static const struct {
  const char *name, *text;
} texts[] = {
    {"prose",
     "The harbour was quiet that morning, and the boats lay where the tide had left them. Nobody spoke of the storm, "
     "although everyone had heard it; the old men counted their nets and the children counted the gulls. "},
    {"code",
     "for (size_t i = 0; i < count; i++) {\n  struct item *item = &items[i];\n  if (item->kind == KIND_TEXT) total += "
     "item->bytes;\n  else\n    skipped++;\n}\n"},
    {"markdown", "## Steps\n\n1. Run `make build`, then `make test`.\n2. Read **docs/config.md**.\n\n- one\n- two\n\n"},
};

static enum err nobody(void *arg, const struct event *event, struct err_info *info) {
  (void)info;
  *(volatile size_t *)arg += event->bytes.n;
  return OK;
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct str delta_of(const char *text, size_t length, size_t *at, unsigned *seed) {
  *seed = *seed * 1103515245u + 12345u;
  size_t n = 1 + (*seed >> 16) % DELTA_MAX;
  if (*at + n > length) *at = 0;
  struct str s = str_from(text + *at, n);
  *at += n;
  return s;
}

enum way { BARE, EVENTS_PUT, RELAYED };

static double round_ns(const char *text, enum way way) {
  struct arena arena;
  struct text_filter filter;
  struct err_info info = {0};
  size_t sum = 0, at = 0, length = strlen(text);
  unsigned seed = 1;
  const struct event_sink sink = {&sum, nobody};
  const struct text_filter_options all = {.tool_text = true, .think = true, .leak = true, .runaway = true};
  struct event event = {.kind = EVENT_OPEN, .part_kind = PART_TEXT};
  enum err e;
  arena_init(&arena, 0);
  text_filter_init(&filter, &arena, &all);
  e = text_filter_put(&filter, &event, &sink, &info);
  event.kind = EVENT_DELTA;
  event.bytes = STR("So: ");
  if (!e) e = text_filter_put(&filter, &event, &sink, &info);
  double from = now_ns();
  for (size_t i = 0; i < EVENTS && !e; i++) {
    event.bytes = delta_of(text, length, &at, &seed);
    if (way == RELAYED && text_filter_pass(&filter, PART_TEXT, event.bytes, &e, &info)) continue;
    e = way == BARE ? event_put(&sink, &event, &info) : text_filter_put(&filter, &event, &sink, &info);
  }
  double ns = (now_ns() - from) / EVENTS;
  if (e) fprintf(stderr, "text_filter_cost: %s\n", err_info_text(e, &info));
  if (e) exit(1);
  text_filter_clear(&filter);
  arena_clear(&arena);
  return ns;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_ns(const char *text, enum way way) {
  double v[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) v[i] = round_ns(text, way);
  qsort(v, ROUNDS, sizeof *v, by_size);
  return v[ROUNDS / 2];
}

int main(void) {
  printf("%-10s %12s %12s   ns an event of 1 to %d bytes, above handing it on\n", "text", "events", "relayed",
         DELTA_MAX);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    double bare = median_ns(texts[i].text, BARE);
    printf("%-10s %12.1f %12.1f\n", texts[i].name, median_ns(texts[i].text, EVENTS_PUT) - bare,
           median_ns(texts[i].text, RELAYED) - bare);
  }
  return 0;
}
