/* What Anthropic's models take, and thinking, effort and the output limit of a request from another dialect: see
 * claude.h.
 *
 * The vendor refuses what a model does not know, so the version in the model's name decides (SDK types 0.122 and 1.14
 * and the pages "Adaptive thinking", "Extended thinking", "Effort", read 2026-11):
 * - up to 4.5: thinking {"type": "enabled", "budget_tokens"}; temperature, top_p and top_k
 * - 4.6: either form of thinking, effort low to max; temperature, top_p and top_k
 * - from 4.7: only {"type": "adaptive"} with output_config.effort, xhigh too; no temperature, top_p or top_k
 * - other names (a server that speaks this dialect for models of its own): as the first row
 *
 * A budget (llm/effort.h) has to be 1024 at least and below max_tokens; a quarter of max_tokens is left for the answer.
 * Where that leaves no room, and where a tool is forced (which the vendor refuses together with thinking), thinking is
 * left out: it is a hint, the other is not. */
#include "dialect/claude.h"

#include "llm/effort.h"

enum {
  BUDGET_MIN = 1024,
  BUDGET_DEFAULT = 8192,
  MAX_TOKENS_DEFAULT = 4096, /* where neither the caller nor the model's entry says it: all models allow it */
  VERSION_UNKNOWN = 0,
  VERSION_NEWEST = 9999
};

/* ---- models ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Major and minor as one number: 405 for "claude-sonnet-4-5-20250929" and 307 for "us.anthropic.claude-3-7-sonnet". A
 * number of three digits or more is a date. */
static int model_version(struct str model) {
  size_t at = str_find(model, STR("claude-")), found = 0;
  int numbers[2] = {0, 0};
  if (at == SIZE_MAX) return VERSION_UNKNOWN;
  size_t colon = str_find_char(str_sub(model, at, model.n), ':'); /* what follows is Bedrock's own version: "v1:0" */
  if (at + colon < model.n) model.n = at + colon;
  for (size_t i = at + sizeof "claude-" - 1; i < model.n && found < 2;) {
    size_t end = i;
    while (end < model.n && model.p[end] != '-' && model.p[end] != '.' && model.p[end] != '@') end++;
    size_t n = end - i;
    bool is_number = n == 1 || n == 2;
    for (size_t k = i; k < end; k++) is_number = is_number && is_digit(model.p[k]);
    if (is_number)
      numbers[found++] = n == 1 ? model.p[i] - '0' : (model.p[i] - '0') * 10 + model.p[i + 1] - '0';
    else if (found)
      break; /* a minor version stands right behind the major */
    i = end + 1;
  }
  return found ? numbers[0] * 100 + numbers[1] : VERSION_NEWEST;
}

struct claude_traits claude_traits(struct str model) {
  int version = model_version(model);
  return (struct claude_traits){
      .has_adaptive = version >= 406,
      .is_adaptive_only = version >= 407,
      .has_xhigh = version >= 407,
      .has_sampling = version <= 406,
  };
}

/* ---- effort and budget ---- */

static int64_t budget_of(struct str effort) {
  int64_t tokens = effort_budget(effort);
  return tokens < 0 ? BUDGET_DEFAULT : tokens;
}

/* output_config.effort; empty for a word that the vendor does not know. */
static struct str effort_word(struct str effort, const struct claude_traits *traits) {
  if (str_eq(effort, STR("xhigh")) && !traits->has_xhigh) return STR("high");
  return effort_budget(effort) < 0 ? STR_NONE : effort_within(effort, STR("low"), STR("max"));
}

/* ---- the decision ---- */

static bool is_on(const struct request_reasoning *r) {
  return !effort_is_off(r) && (r->enabled == 1 || r->is_adaptive || r->effort.n || r->budget_tokens > 0);
}

/* With a budget, the vendor wants the turn that made the latest calls to begin with its thinking, which a caller of
 * another dialect may not have kept. Adaptive thinking does not. */
static bool has_calls_without_thinking(const struct request *r, struct str origin) {
  bool has_calls = false, has_thinking = false;
  for (size_t i = r->item_count; i--;) {
    const struct request_item *item = &r->items[i];
    bool is_results = false;
    for (size_t k = 0; k < item->part_count; k++) {
      const struct request_part *p = &item->parts[k];
      is_results = is_results || p->kind == PART_TOOL_RESULT;
      has_calls = has_calls || p->kind == PART_TOOL_CALL;
      has_thinking = has_thinking || (p->signature.bytes.n && str_eq(p->signature.origin, origin));
    }
    if (item->role == ROLE_USER && !is_results) break;
  }
  return has_calls && !has_thinking;
}

static struct str number_text(struct arena *a, int64_t v) { return arena_printf(a, "%lld", (long long)v); }

/* The caller's limit, at most the model's; -1 where it is no plain number. */
static int64_t caller_limit(const struct claude_asked *e) {
  uint64_t v;
  if (!str_to_u64(e->r->max_tokens, &v) || v > INT32_MAX) return -1;
  int64_t limit = (int64_t)v, most = e->target->max_tokens;
  return most > 0 && limit > most ? most : limit;
}

static void decide_budget(const struct claude_asked *e, int64_t wanted, int64_t *limit, bool is_given,
                          struct claude_limits *out) {
  if (!is_given && e->target->max_tokens <= 0 && wanted + MAX_TOKENS_DEFAULT > *limit)
    *limit = wanted + MAX_TOKENS_DEFAULT;
  int64_t most = *limit - *limit / 4;
  int64_t budget = wanted < BUDGET_MIN ? BUDGET_MIN : wanted;
  if (budget > most) budget = most < BUDGET_MIN ? BUDGET_MIN : most;
  if (budget >= *limit || has_calls_without_thinking(e->r, e->origin)) return;
  out->thinking = CLAUDE_THINKING_BUDGET;
  out->budget_tokens = budget;
}

enum err claude_limits_decide(const struct claude_asked *e, struct claude_limits *out) {
  const struct request_reasoning *r = &e->r->reasoning;
  struct claude_traits traits = claude_traits(e->target->model);
  bool is_given = e->r->max_tokens.n > 0;
  bool is_free = !is_given && !e->needs_limit;
  int64_t limit = is_free                     ? INT32_MAX
                  : is_given                  ? caller_limit(e)
                  : e->target->max_tokens > 0 ? e->target->max_tokens
                                              : MAX_TOKENS_DEFAULT;
  bool is_forced = e->r->tool_choice == TOOL_CHOICE_REQUIRED || e->r->tool_choice == TOOL_CHOICE_NAMED;
  struct claude_limits l = {.budget_tokens = -1};
  if (effort_is_off(r)) {
    l.thinking = CLAUDE_THINKING_OFF;
  } else if (is_on(r) && traits.has_adaptive) {
    l.effort = r->effort.n            ? effort_word(r->effort, &traits)
               : r->budget_tokens > 0 ? effort_of_budget(r->budget_tokens)
                                      : STR_NONE;
    if (!is_forced) l.thinking = CLAUDE_THINKING_ADAPTIVE;
  } else if (is_on(r) && !is_forced && limit >= 0) {
    decide_budget(e, r->budget_tokens > 0 ? r->budget_tokens : budget_of(r->effort), &limit, is_given, &l);
  }
  if (!is_free) l.max_tokens = limit < 0 ? e->r->max_tokens : number_text(e->arena, limit);
  if (!is_free && !l.max_tokens.p) return ERR_NO_MEMORY;
  *out = l;
  return OK;
}
