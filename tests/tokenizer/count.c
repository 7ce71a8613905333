/* Counts texts for agree.cjs: reads, again and again, a line "<model> <bytes>\n" and so many bytes, and answers with a
 * line that is their count for that model. With arguments it measures instead: tokenizer_count FILE… prints MB/s of
 * counting each, and hostile texts, on the processor's clock. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text/token_estimate.h"

static int64_t count(enum token_family family, struct str text) {
  struct token_count c;
  token_count_init(&c, family);
  token_count_add(&c, text);
  return token_count_tokens(&c);
}

static int answer(void) {
  char model[128];
  size_t n;
  while (scanf("%127s %zu", model, &n) == 2 && getchar() == '\n') {
    char *text = malloc(n ? n : 1);
    if (!text || fread(text, 1, n, stdin) != n) return 1;
    printf("%" PRId64 "\n", count(token_family_of(str_from_c(model)), str_from(text, n)));
    free(text);
  }
  return feof(stdin) ? 0 : 1;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The best of five. */
static double speed(enum token_family family, struct str text) {
  double best = 1e9;
  for (int i = 0; i < 5; i++) {
    double from = seconds();
    if (count(family, text) < 0) return 0;
    double took = seconds() - from;
    if (took < best) best = took;
  }
  return (double)text.n / best / 1e6;
}

static void measure(const char *name, struct str text) {
  printf("%-28s %8.1f %8.1f %8.1f\n", name, speed(TOKEN_FAMILY_O200K, text), speed(TOKEN_FAMILY_CL100K, text),
         speed(TOKEN_FAMILY_QWEN, text));
}

enum { BYTES = 1 << 20 };

static int measure_all(char **files) {
  static char text[BYTES];
  double from = seconds();
  if (!tokenizer_load(TOKENIZER_O200K) || !tokenizer_load(TOKENIZER_CL100K)) return 1;
  printf("unpacking both: %.0f ms\n%-28s %8s %8s %8s\n", (seconds() - from) * 1e3, "MB/s of", "o200k", "cl100k",
         "estimate");
  for (; *files; files++) {
    FILE *f = fopen(*files, "rb");
    size_t n = f ? fread(text, 1, BYTES, f) : 0;
    if (f) fclose(f);
    if (n) measure(strrchr(*files, '/') ? strrchr(*files, '/') + 1 : *files, str_from(text, n));
  }
  static const struct {
    const char *name, *of;
  } hostile[] = {{"one letter", "a"},
                 {"letters at random", "abcdefghijklmnopqrstuvwxyz"},
                 {"spaces", " "},
                 {"symbols at random", "=-+*&^%$#@!"}};
  uint32_t seed = 1;
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    size_t n = strlen(hostile[i].of);
    for (size_t k = 0; k < BYTES; k++) text[k] = hostile[i].of[(seed = seed * 1664525 + 1013904223) / 65536 % n];
    measure(hostile[i].name, str_from(text, BYTES));
  }
  for (size_t k = 0; k < BYTES; k++) text[k] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
  measure("bytes at random", str_from(text, BYTES));
  return 0;
}

int main(int argc, char **argv) { return argc > 1 ? measure_all(argv + 1) : answer(); }
