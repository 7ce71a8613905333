/* What is set for models, as part of the section of names: see route_rules.h. */
#include "route/route_rules.h"

#include <stdio.h>
#include <stdlib.h>

static int by_length(const void *left, const void *right) {
  const struct route_rule *a = left, *b = right;
  if (a->row->is_exact != b->row->is_exact) return a->row->is_exact ? -1 : 1;
  return a->prefix.n < b->prefix.n ? 1 : a->prefix.n > b->prefix.n ? -1 : 0;
}

static int by_importance(const void *left, const void *right) {
  const struct names_prompt *a = *(const struct names_prompt *const *)left,
                            *b = *(const struct names_prompt *const *)right;
  if (a->priority != b->priority) return a->priority > b->priority ? -1 : 1;
  if (a->scope != b->scope) return a->scope < b->scope ? -1 : 1;
  return a->row.id < b->row.id ? -1 : 1;
}

static struct str lower(struct arena *a, struct str s) {
  char *p = arena_alloc(a, s.n);
  for (size_t i = 0; p && i < s.n; i++) p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
  return p ? str_from(p, s.n) : STR_NONE;
}

static const struct names_list *tools_of(const struct names *stored, const struct names_model *m) {
  const struct names_tool_set *set = m->tool_set.n ? names_find_tool_set(stored, m->tool_set) : NULL;
  const struct names_list *list = set ? &set->tools : &m->tools;
  return list->is_set ? list : NULL;
}

/* -1, no limit, is 0 here. What stands in a store beyond the range is its end. */
static uint32_t rate_of(int64_t n) { return n <= 0 ? 0 : n < UINT32_MAX ? (uint32_t)n : UINT32_MAX; }

/* The account is the row's own: a number is never given twice. */
static enum err add_rates(struct route_rule *rule) {
  const struct names_model *m = rule->row;
  char name[48];
  rule->limits = limits_none;
  rule->limits.requests_per_minute = rate_of(m->requests_per_minute);
  rule->limits.tokens_per_minute = rate_of(m->tokens_per_minute);
  if (limits_is_none(&rule->limits)) return OK;
  snprintf(name, sizeof name, "model_config:%lld", (long long)m->row.id);
  rule->account = ledger_account(str_from_c(name));
  return rule->account ? OK : ERR_NO_MEMORY;
}

enum err route_rules_add(struct route_names *n, const struct names *stored) {
  size_t rows = stored->of[NAMES_MODEL].n, prompts = stored->of[NAMES_PROMPT].n;
  n->rules = ARENA_NEW_ARRAY(&n->arena, struct route_rule, rows + 1);
  n->prompts = ARENA_NEW_ARRAY(&n->arena, const struct names_prompt *, prompts + 1);
  if (!n->rules || !n->prompts) return ERR_NO_MEMORY;
  for (size_t i = 0; i < rows; i++) {
    const struct names_model *m = names_model_at(stored, i);
    struct str prefix = lower(&n->arena, m->prefix);
    if (!prefix.p) return ERR_NO_MEMORY;
    if (!m->is_active) continue;
    struct route_rule *rule = &n->rules[n->rule_count++];
    *rule = (struct route_rule){.row = m, .prefix = prefix, .tools = tools_of(stored, m)};
    if (add_rates(rule)) return ERR_NO_MEMORY;
  }
  for (size_t i = 0; i < prompts; i++)
    if (names_prompt_at(stored, i)->is_active) n->prompts[n->prompt_count++] = names_prompt_at(stored, i);
  qsort(n->rules, n->rule_count, sizeof *n->rules, by_length);
  qsort(n->prompts, n->prompt_count, sizeof *n->prompts, by_importance);
  return OK;
}
