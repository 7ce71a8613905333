/* What the matrix found, and docs/dialects.md made from it: tests/matrix/dialects.md.in with its tables put in. All is
 * static. */
#ifndef MAESTRO_TESTS_MATRIX_DOCS_H
#define MAESTRO_TESTS_MATRIX_DOCS_H

#include "matrix_run.h"

enum cell_state { CELL_PASSED, CELL_REASON, CELL_NONE, CELL_FAILED, CELL_STATES };

/* One pair of one kind ("request", "reply", "stream", "error") of one case. */
struct cell {
  struct matrix_case *of;
  const char *kind;
  const struct dialect *caller, *target;
  size_t turn, turns; /* of its caller among all of them */
  enum cell_state state;
  bool is_refused; /* as it should be */
};

enum { REASONS_MAX = 256 };

static size_t tally[CELL_STATES];
static struct str reasons[REASONS_MAX];
static size_t reason_count;
/* Of each case and pair, all kinds together. */
static struct {
  bool has[CELL_STATES], is_refused;
  bool why[REASONS_MAX];
} found[CASES_MAX][DIALECTS][DIALECTS];

static size_t index_of(const struct dialect *d) {
  size_t i = 0;
  while (dialects[i] != d) i++;
  return i;
}

static void note(const struct cell *cell, struct str why) {
  size_t i = 0;
  while (i < reason_count && !str_eq(reasons[i], why)) i++;
  assert_true(i < REASONS_MAX);
  if (i == reason_count) reasons[reason_count++] = why;
  found[cell->of - cases][index_of(cell->caller)][index_of(cell->target)].why[i] = true;
}

static void note_reason(struct cell *cell, struct str why) {
  cell->state = CELL_REASON;
  note(cell, why);
}

static void note_none(struct cell *cell, struct str why) {
  cell->state = CELL_NONE;
  note(cell, why);
}

static void note_cell(const struct cell *cell) {
  tally[cell->state]++;
  size_t c = (size_t)(cell->of - cases), a = index_of(cell->caller), b = index_of(cell->target);
  found[c][a][b].has[cell->state] = true;
  found[c][a][b].is_refused |= cell->is_refused;
}

/* ---- tables ---- */

static const struct {
  enum llm_operation op;
  const char *word, *title;
} operations[] = {{LLM_GENERATE, "generate", "Conversations"},
                  {LLM_COMPLETE, "complete", "Completions of a prompt"},
                  {LLM_COUNT_TOKENS, "count_tokens", "Counts of tokens"},
                  {LLM_EMBED, "embed", "Embeddings"}};

static void put_cell(struct buf *out, size_t c, size_t caller, size_t target) {
  bool is_any = found[c][caller][target].has[CELL_PASSED] || found[c][caller][target].has[CELL_REASON];
  buf_printf(out, " | %s", found[c][caller][target].is_refused ? "refused" : is_any ? "yes" : "–");
  for (size_t i = 0; i < reason_count; i++)
    if (found[c][caller][target].why[i]) buf_printf(out, " [%zu]", i + 1);
}

static void put_head(struct buf *out, const char *first, enum llm_operation op) {
  buf_printf(out, "| %s |", first);
  size_t n = 0;
  for (size_t k = 0; k < DIALECTS; k++)
    if (is_target(dialects[k], op)) buf_printf(out, " `%.*s` |", STR_ARG(dialects[k]->name)), n++;
  buf_put(out, STR("\n| --- |"));
  for (size_t k = 0; k < n; k++) buf_put(out, STR(" --- |"));
  buf_put_char(out, '\n');
}

static void put_matrix(struct buf *out) {
  for (size_t o = 0; o < sizeof operations / sizeof *operations; o++) {
    buf_printf(out, "### %s\n", operations[o].title);
    for (size_t i = 0; i < DIALECTS; i++) {
      if (!is_caller(dialects[i], operations[o].op)) continue;
      buf_printf(out, "\nFrom callers of `%.*s`:\n\n", STR_ARG(dialects[i]->name));
      put_head(out, "case", operations[o].op);
      for (size_t c = 0; c < case_count; c++) {
        if (!str_eq(cases[c].operation, str_from_c(operations[o].word))) continue;
        buf_printf(out, "| %.*s", STR_ARG(cases[c].title));
        for (size_t k = 0; k < DIALECTS; k++)
          if (is_target(dialects[k], operations[o].op)) put_cell(out, c, i, k);
        buf_put(out, STR(" |\n"));
      }
    }
    buf_put_char(out, '\n');
  }
}

static void put_reasons(struct buf *out) {
  for (size_t i = 0; i < reason_count; i++) buf_printf(out, "%zu. %.*s\n", i + 1, STR_ARG(reasons[i]));
}

static void put_cases(struct buf *out) {
  static const char *const kinds[] = {"request", "reply", "stream", "error"};
  buf_put(out, STR("| case | file | what is compared | what it says |\n| --- | --- | --- | --- |\n"));
  for (size_t c = 0; c < case_count; c++) {
    buf_printf(out, "| %.*s | `%.*s` |", STR_ARG(cases[c].title), STR_ARG(cases[c].name));
    for (size_t k = 0, n = 0; k < 4; k++)
      if (has_kind(&cases[c], kinds[k])) buf_printf(out, "%s%s", n++ ? ", " : " ", kinds[k]);
    buf_put(out, STR(" |"));
    struct str line, rest = cases[c].about;
    while (rest.n) {
      str_cut(rest, '\n', &line, &rest);
      buf_printf(out, " %.*s", STR_ARG(str_trim(str_sub(line, 1, line.n))));
    }
    buf_put(out, STR(" |\n"));
  }
}

static void put_dialects(struct buf *out) {
  static const char *const framings[FRAMINGS] = {"–", "server-sent events", "lines of JSON", "AWS event stream"};
  buf_put(out, STR("| dialect | caller of | target of | streams |\n| --- | --- | --- | --- |\n"));
  for (size_t i = 0; i < DIALECTS; i++) {
    buf_printf(out, "| `%.*s` |", STR_ARG(dialects[i]->name));
    for (size_t side = 0; side < 2; side++) {
      size_t n = 0;
      for (size_t o = 0; o < sizeof operations / sizeof *operations; o++)
        if ((side ? is_target : is_caller)(dialects[i], operations[o].op) &&
            (operations[o].op != LLM_COUNT_TOKENS || serves(dialects[i], LLM_COUNT_TOKENS) > 0))
          buf_printf(out, "%s%s", n++ ? ", " : " ", operations[o].word);
      buf_put(out, n ? STR(" |") : STR(" – |"));
    }
    bool is_stream = dialects[i]->encode_event || dialects[i]->decode_frame;
    buf_printf(out, " %s |\n", framings[is_stream ? dialects[i]->framing : FRAMING_NONE]);
  }
}

/* What only targets of other operations can say is the business of these. */
static bool is_of_conversations(int cap) {
  bool is_said = false, is_said_elsewhere = false;
  for (size_t k = 0; k < DIALECTS; k++) {
    bool can = dialects[k]->caps & (UINT64_C(1) << cap);
    if (is_target(dialects[k], LLM_GENERATE))
      is_said = is_said || can;
    else
      is_said_elsewhere = is_said_elsewhere || can;
  }
  return is_said || !is_said_elsewhere;
}

static void put_caps(struct buf *out) {
  put_head(out, "what a request holds", LLM_GENERATE);
  for (int cap = 0; cap < CAPS_COUNT; cap++) {
    if (!is_of_conversations(cap)) continue;
    buf_printf(out, "| %s |", caps_word((enum cap)cap));
    for (size_t k = 0; k < DIALECTS; k++) {
      if (!is_target(dialects[k], LLM_GENERATE)) continue;
      bool can = dialects[k]->caps & (UINT64_C(1) << cap);
      buf_printf(out, " %s |", can ? "said" : caps_class((enum cap)cap) == CAP_CLASS_ANSWER ? "refused" : "named");
    }
    buf_put_char(out, '\n');
  }
}

/* ---- efforts: by asking each target ---- */

static const struct {
  const char *dialect, *model;
  const char *at[2]; /* where a request of that dialect says how much to think */
} thinkers[] = {
    {"openai_chat", "gpt-5", {"/reasoning_effort", NULL}},
    {"openai_responses", "gpt-5", {"/reasoning/effort", NULL}},
    {"anthropic", "claude-sonnet-4-5", {"/thinking", "/output_config/effort"}},
    {"anthropic", "claude-opus-4-7", {"/thinking", "/output_config/effort"}},
    {"gemini", "gemini-2.5-flash", {"/generationConfig/thinkingConfig", NULL}},
    {"gemini", "gemini-3-pro-preview", {"/generationConfig/thinkingConfig", NULL}},
    {"ollama", "gpt-oss:20b", {"/think", NULL}},
    {"bedrock_converse", "anthropic.claude-sonnet-4-5-20250929-v1:0", {"/additionalModelRequestFields/thinking", NULL}},
    {"bedrock_converse",
     "anthropic.claude-opus-4-7-v1:0",
     {"/additionalModelRequestFields/thinking", "/outputConfig/effort"}},
};
enum { THINKERS = sizeof thinkers / sizeof *thinkers };

static void put_said(struct buf *out, const struct dialect *caller, struct str body, size_t t) {
  struct exchange *x = calloc(1, sizeof *x);
  const struct dialect *target = dialect_by_name(str_from_c(thinkers[t].dialect));
  enum err e = exchange_open(x, caller, target, LLM_GENERATE, false, false, body);
  x->deployment.model = str_from_c(thinkers[t].model);
  if (!e) e = run_request(x);
  assert_int_equal(e, OK);
  yyjson_doc *doc = yyjson_read(x->out.p, x->out.n, YYJSON_READ_NUMBER_AS_RAW);
  size_t n = 0;
  for (size_t i = 0; i < 2 && thinkers[t].at[i]; i++) {
    yyjson_val *v = yyjson_doc_ptr_get(doc, thinkers[t].at[i]);
    char *text = v ? yyjson_val_write(v, 0, NULL) : NULL;
    if (text) buf_printf(out, "%s`%s`", n++ ? " " : " ", text);
    free(text);
  }
  buf_put(out, n ? STR(" |") : STR(" – |"));
  yyjson_doc_free(doc);
  exchange_close(x);
  free(x);
}

static void put_efforts(struct buf *out) {
  static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
  static const unsigned budgets[] = {1024, 4096, 8192, 16384, 24576, 32768};
  char body[512];
  buf_put(out, STR("| asked for |"));
  for (size_t t = 0; t < THINKERS; t++) buf_printf(out, " `%s`: %s |", thinkers[t].dialect, thinkers[t].model);
  buf_put(out, STR("\n| --- |"));
  for (size_t t = 0; t < THINKERS; t++) buf_put(out, STR(" --- |"));
  buf_put_char(out, '\n');
  for (size_t i = 0; i < sizeof efforts / sizeof *efforts; i++) {
    snprintf(body, sizeof body,
             "{\"model\":\"the-model\",\"max_output_tokens\":65536,\"input\":\"Hi\",\"reasoning\":{\"effort\":\"%s\"}}",
             efforts[i]);
    buf_printf(out, "| effort %s |", efforts[i]);
    for (size_t t = 0; t < THINKERS; t++) put_said(out, dialect_by_name(STR("openai_responses")), str_from_c(body), t);
    buf_put_char(out, '\n');
  }
  for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
    buf_printf(out, "| a budget of %u |", budgets[i]);
    for (size_t t = 0; t < THINKERS; t++) {
      bool is_gemini = strcmp(thinkers[t].dialect, "gemini") == 0; /* asked by the other dialect that has budgets */
      snprintf(body, sizeof body,
               is_gemini
                   ? "{\"model\":\"the-model\",\"max_tokens\":65536,\"messages\":[{\"role\":\"user\",\"content\":"
                     "\"Hi\"}],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":%u}}"
                   : "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}],\"generationConfig\":{\"maxOutputTokens\":65536,"
                     "\"thinkingConfig\":{\"thinkingBudget\":%u}}}",
               budgets[i]);
      put_said(out, dialect_by_name(is_gemini ? STR("anthropic") : STR("gemini")), str_from_c(body), t);
    }
    buf_put_char(out, '\n');
  }
}

/* ---- the page ---- */

static void put_numbers(struct buf *out) {
  buf_printf(out, "%zu cells: %zu are as their texts say, of which %zu differ for a reason; %zu have nothing to say.",
             tally[CELL_PASSED] + tally[CELL_REASON] + tally[CELL_NONE], tally[CELL_PASSED] + tally[CELL_REASON],
             tally[CELL_REASON], tally[CELL_NONE]);
}

static const struct {
  struct str mark;
  void (*put)(struct buf *out);
} places[] = {{STR("@dialects@"), put_dialects}, {STR("@matrix@"), put_matrix}, {STR("@reasons@"), put_reasons},
              {STR("@cases@"), put_cases},       {STR("@caps@"), put_caps},     {STR("@efforts@"), put_efforts},
              {STR("@numbers@"), put_numbers}};

static void put_page(struct buf *out, struct str text) {
  while (text.n) {
    size_t at = text.n, which = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
      size_t here = str_find(text, places[i].mark);
      if (here < at) at = here, which = i;
    }
    buf_put(out, str_sub(text, 0, at));
    if (at == text.n) return;
    places[which].put(out);
    if (out->n && out->p[out->n - 1] == '\n' && at + places[which].mark.n < text.n) out->n--;
    text = str_sub(text, at + places[which].mark.n, text.n);
  }
}

#endif
