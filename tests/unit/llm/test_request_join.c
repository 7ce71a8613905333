/* Answers that come back in pieces: what is put together, and what must stay apart. Each case is written as the parts
 * of the assistant's items: t text, T text with a signature, h thought, H thought with a signature, c call, m text with
 * a cache marker, "/" between items, "|" where a user speaks between two of them. */
#include <stdio.h>

#include "base/arena.h"
#include "llm/request.h"
#include "unit.h"

enum { ITEMS_MAX = 16, PARTS_MAX = 64 };

static struct arena arena;
static struct request_item items[ITEMS_MAX];
static struct request_part parts[PARTS_MAX];
static char texts[PARTS_MAX][8];

/* The text of the nth part is "<n>;". */
static struct request_part make_part(char kind, unsigned n) {
  int bytes = snprintf(texts[n], sizeof texts[n], "%u;", n);
  struct request_part p = {.text = str_from(texts[n], (size_t)bytes)};
  p.kind = kind == 'c' ? PART_TOOL_CALL : kind == 'h' || kind == 'H' ? PART_REASONING : PART_TEXT;
  if (kind == 'T' || kind == 'H') p.signature = (struct signature){STR("s"), STR("gemini")};
  if (kind == 'm') p.cache.raw = (struct yyjson_val *)&parts;
  return p;
}

static void make(struct request *r, const char *written) {
  unsigned n = 0;
  request_init(r, STR("gemini"), LLM_GENERATE);
  r->items = items;
  r->item_count = 1;
  memset(items, 0, sizeof items);
  items[0] = (struct request_item){.role = ROLE_ASSISTANT, .parts = parts};
  for (const char *p = written; *p; p++) {
    struct request_item *last = &items[r->item_count - 1];
    if (*p == '/' || *p == '|') {
      if (*p == '|') items[r->item_count++] = (struct request_item){.role = ROLE_USER};
      items[r->item_count++] = (struct request_item){.role = ROLE_ASSISTANT, .parts = &parts[n]};
      continue;
    }
    parts[n] = make_part(*p, n);
    n++;
    last->part_count++;
  }
}

static void put_back(char *out, size_t size, const struct request *r) {
  size_t at = 0;
  for (size_t i = 0; i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    if (i)
      at += (size_t)snprintf(out + at, size - at, "%s",
                             item->role == ROLE_USER             ? "|"
                             : r->items[i - 1].role == ROLE_USER ? ""
                                                                 : "/");
    for (size_t k = 0; k < item->part_count; k++) {
      const struct request_part *p = &item->parts[k];
      bool is_signed = p->signature.bytes.n > 0;
      char kind = p->kind == PART_TOOL_CALL   ? 'c'
                  : p->kind == PART_REASONING ? (is_signed ? 'H' : 'h')
                  : is_signed                 ? 'T'
                  : p->cache.raw              ? 'm'
                                              : 't';
      at += (size_t)snprintf(out + at, size - at, "%c%.*s ", kind, STR_ARG(p->text));
    }
  }
}

TEST(what_is_joined) {
  static const struct {
    const char *written, *joined;
  } cases[] = {
      {"t", "t0; "},
      {"ttt", "t0;1;2; "},
      {"t/t/t", "t0;1;2; "},
      {"hh/hH/tt", "H0;1;2;3; t4;5; "},
      {"hhttc", "h0;1; t2;3; c4; "},
      {"c/c", "c0; c1; "},
      {"tct", "t0; c1; t2; "},
      {"tT/t", "T0;1; t2; "}, /* a signature ends what it stands on */
      {"HH", "H0; H1; "},
      {"tmt", "t0; m1; t2; "},  /* a marker says where a prompt's cache ends */
      {"t|t/t", "t0; |t1;2; "}, /* not over what another said */
      {"", ""},
      {"/", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct request r;
    char got[256] = "";
    make(&r, cases[i].written);
    assert_int_equal(request_join_pieces(&arena, &r), OK);
    put_back(got, sizeof got, &r);
    assert_string_equal(got, cases[i].joined);
    assert_int_equal(request_join_pieces(&arena, &r), OK); /* once more: nothing is left to join */
    char again[256] = "";
    put_back(again, sizeof again, &r);
    assert_string_equal(again, got);
  }
}

TEST(what_an_item_has_of_its_own_stays) {
  struct request r;
  make(&r, "t/t");
  items[1].name = STR("n");
  assert_int_equal(request_join_pieces(&arena, &r), OK);
  assert_int_equal(r.item_count, 2);
}

int main(void) {
  arena_init(&arena, 0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_joined),
                                     cmocka_unit_test(what_an_item_has_of_its_own_stays)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  arena_clear(&arena);
  return failed;
}
