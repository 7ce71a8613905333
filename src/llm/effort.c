/* Words and budgets of thinking: see effort.h. */
#include "llm/effort.h"

static const struct {
  struct str word;
  int64_t tokens;
} efforts[] = {{STR("minimal"), 1024}, {STR("low"), 1024},    {STR("medium"), 8192},
               {STR("high"), 24576},   {STR("xhigh"), 32768}, {STR("max"), 32768}}; /* from weak to strong */
enum { EFFORTS = sizeof efforts / sizeof *efforts, MEDIUM_FROM = (1024 + 8192) / 2, HIGH_FROM = (8192 + 24576) / 2 };

static size_t rank_of(struct str word) {
  size_t i = 0;
  while (i < EFFORTS && !str_eq(efforts[i].word, word)) i++;
  return i;
}

bool effort_is_off(const struct request_reasoning *r) {
  return r->enabled == 0 || r->budget_tokens == 0 || str_eq(r->effort, STR("none"));
}

int64_t effort_budget(struct str effort) {
  size_t rank = rank_of(effort);
  return rank < EFFORTS ? efforts[rank].tokens : -1;
}

bool effort_is_other(struct str effort) {
  return effort.n > 0 && !str_eq(effort, STR("none")) && effort_budget(effort) < 0;
}

struct str effort_of_budget(int64_t tokens) {
  if (tokens < 1) return STR_NONE;
  return tokens <= MEDIUM_FROM ? STR("low") : tokens <= HIGH_FROM ? STR("medium") : STR("high");
}

struct str effort_within(struct str effort, struct str least, struct str most) {
  size_t rank = rank_of(effort);
  if (rank == EFFORTS) return effort;
  return rank < rank_of(least) ? least : rank > rank_of(most) ? most : effort;
}
