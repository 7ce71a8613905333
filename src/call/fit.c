/* Requests that are too long: see fit.h. */
#include "call/fit.h"

#include <yyjson.h>

#include "call/translate.h"

enum {
  BYTES_A_TOKEN = 2, /* no text of people or machines has more tokens than one for so many bytes of its JSON */
  BYTES_A_GUESSED_TOKEN = 4,
  ERROR_PERCENT = 15,
  ERROR_PERCENT_OPENAI = 5,  /* its text is exact */
  ERROR_PERCENT_CLAUDE = 25, /* whose vocabulary nobody has */
};

static int64_t error_percent(enum token_family family) {
  switch (family) {
    case TOKEN_FAMILY_O200K:
    case TOKEN_FAMILY_CL100K: return ERROR_PERCENT_OPENAI;
    case TOKEN_FAMILY_CLAUDE:
    case TOKEN_FAMILY_CLAUDE_NEW: return ERROR_PERCENT_CLAUDE;
    default: return ERROR_PERCENT;
  }
}

/* Anthropic's context_management: all of its edits but those that clear thinking, which Claude Code always asks for and
 * which leave the rest as long as it is. */
static bool clears_turns(yyjson_val *management) {
  yyjson_val *edits = yyjson_obj_get(management, "edits"), *edit;
  size_t i, n;
  yyjson_arr_foreach(edits, i, n, edit) {
    yyjson_val *type = yyjson_obj_get(edit, "type");
    if (!yyjson_is_str(type) || strncmp(yyjson_get_str(type), "clear_thinking", 14) != 0) return true;
  }
  return !yyjson_is_arr(edits);
}

/* Members by which a caller has its prompt shortened on the other side: OpenAI's Responses, OpenRouter, Anthropic. */
static bool asks_to_be_cut(const struct request *r) {
  for (size_t i = 0; i < r->rest.n; i++) {
    const struct json_rest_member *m = &r->rest.v[i];
    if (json_rest_is_null(m)) continue;
    if (str_eq(m->key, STR("truncation")) && !yyjson_equals_str(m->value, "disabled")) return true;
    if (str_eq(m->key, STR("transforms"))) return true;
    if (str_eq(m->key, STR("context_management")) && clears_turns(m->value)) return true;
  }
  return false;
}

/* Ollama drops the beginning of what is too long. */
static bool is_cut_there(const struct deployment *d) { return d->at->provider.type == &provider_ollama; }

/* What the model is known to take, where that is to be checked here; 0: nothing is known. */
static int64_t known_limit(const struct call *c, const struct deployment *d) {
  bool is_checked = c->options->routing_context_check == CONFIG_CONTEXT_CHECK_AUTO && !is_cut_there(d);
  return is_checked && d->context_tokens > 0 ? d->context_tokens : 0;
}

/* The smaller of two of which 0 is none. */
static int64_t tighter(int64_t a, int64_t b) { return a && (!b || a < b) ? a : b; }

static bool is_of_text(const struct call *c) {
  return c->request->operation == LLM_GENERATE || c->request->operation == LLM_COMPLETE;
}

static bool exceeds(int64_t tokens, int64_t limit, int64_t error) {
  return limit > 0 && tokens > limit + limit / 100 * error;
}

/* As the vendor of the caller's dialect says it; clients look for these words. OpenAI and Anthropic: error references,
 * Google: as its API answers, Ollama: its server's source (read 2026-11). */
static enum err refuse(const struct call *c, int64_t tokens, int64_t limit, struct err_info *info) {
  long long n = (long long)tokens, m = (long long)limit;
  struct str dialect = c->dialect->name;
  if (str_eq(dialect, STR("anthropic")))
    return err_set(info, ERR_CONTEXT_EXCEEDED, "prompt is too long: %lld tokens > %lld maximum", n, m);
  if (str_eq(dialect, STR("gemini")))
    return err_set(info, ERR_CONTEXT_EXCEEDED,
                   "The input token count (%lld) exceeds the maximum number of tokens allowed (%lld).", n, m);
  if (str_has_prefix(dialect, STR("ollama")))
    return err_set(info, ERR_CONTEXT_EXCEEDED, "the input length (%lld) exceeds the context length (%lld)", n, m);
  return err_set(info, ERR_CONTEXT_EXCEEDED,
                 "This model's maximum context length is %lld tokens. However, your messages resulted in %lld tokens. "
                 "Please reduce the length of the messages.",
                 m, n);
}

/* What a request has that no decoder makes text of: Ollama's context, a list of tokens, and its template. */
static int64_t uncounted(const struct request *r) {
  int64_t tokens = 0;
  for (size_t i = 0; i < r->rest.n; i++) {
    const struct json_rest_member *m = &r->rest.v[i];
    if (str_eq(m->key, STR("context"))) tokens += (int64_t)yyjson_arr_size(m->value);
    if (str_eq(m->key, STR("template"))) tokens += (int64_t)yyjson_get_len(m->value) / BYTES_A_GUESSED_TOKEN;
  }
  return tokens;
}

/* Of what cannot be read, and of a list of prompts, which is read no further than the first, the bytes stand for it. */
static int64_t tokens_for_set(const struct call *c, bool is_read, const struct count_result *count) {
  int64_t guess = (int64_t)(c->body.n / BYTES_A_GUESSED_TOKEN);
  if (!is_read) return guess;
  int64_t tokens = count->tokens - count->media + uncounted(c->canonical);
  return c->canonical->native_member && guess > tokens ? guess : tokens;
}

enum err fit_check(struct call *c, const struct deployment *d, struct err_info *info) {
  int64_t known = known_limit(c, d), set = c->rule ? c->rule->row->max_context_tokens : 0;
  /* No text at all has more tokens than bytes: who has to keep to what is set may try that, too. */
  bool may_exceed = (known && c->body.n / BYTES_A_TOKEN > (uint64_t)known) || (set && c->body.n > (uint64_t)set);
  struct count_result count = {0};
  struct err_info unread = {0};
  if (!may_exceed || !is_of_text(c)) return OK;
  enum err e = translate_count_input(c, d, &count, &unread);
  if (e == ERR_CANCELLED) return e;
  int64_t tokens = e ? 0 : count.tokens - count.media, error = error_percent(token_family_of(d->model));
  int64_t most = set ? tokens_for_set(c, !e, &count) : 0;
  if (exceeds(most, set, error)) return refuse(c, most + count.media, tighter(known, set), info);
  /* What cannot be read is not ours to refuse for what is known: relayed, its provider says what is wrong with it. */
  bool is_refused = !e && exceeds(tokens, known, error) && !asks_to_be_cut(c->canonical);
  return is_refused ? refuse(c, count.tokens, tighter(known, set), info) : OK;
}
