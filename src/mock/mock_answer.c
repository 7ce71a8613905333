/* Plans and requests to answers, and answers to the steps of a stream: see mock_answer.h. */
#include "mock/mock_answer.h"

#include "mock/mock_leak.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
static const struct str sentence = TEXT("This is a deterministic answer from the mock upstream.");
static const struct str thoughts = TEXT("The user wrote something. A short answer will do.");
static const struct str no_answer = TEXT("I'm sorry, but I can't help with that.");
static const struct str no_tools = TEXT("The request offers no tools.");
static const struct str multibyte = TEXT(
    "Gr\u00fc\u00dfe aus Z\u00fcrich \u2014 \u4f60\u597d\uff0c\u4e16\u754c \U0001f44b\U0001f3fd "
    "\u05e9\u05dc\u05d5\u05dd e\u0301.");
static const struct str demo = TEXT(
    "This is a demo answer: no real model was called. To get real answers, configure a provider: set an API key "
    "such as OPENAI_API_KEY or OPENROUTER_API_KEY in the environment (for a server of your own LOCAL_OPENAI_BASE_URL), "
    "or "
    "add one under providers in maestro.json; it is used at once. `maestro init` writes a first configuration.");

enum { WORD_BYTES = 8, PIECES_DEFAULT = 8, PIECE_BYTES_MAX = 4096 };

void mock_prose_init(struct mock_prose *p, uint64_t seed) {
  static const char words[] =
      "blossom cottage crystal evening feather harbour horizon journey "
      "lantern meadows morning orchard pebbles thistle village whisper ";
  for (size_t at = 0; at < sizeof p->block; at += WORD_BYTES) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    memcpy(p->block + at, words + (seed >> 60) * WORD_BYTES, WORD_BYTES);
  }
}

static struct str prose_text(const struct mock_prose *prose, struct arena *arena, size_t bytes) {
  const size_t block = sizeof prose->block;
  if (bytes <= block) return str_from(prose->block, bytes);
  char *p = arena_alloc(arena, bytes);
  if (!p) return STR_NONE;
  for (size_t at = 0; at < bytes; at += block) memcpy(p + at, prose->block, bytes - at < block ? bytes - at : block);
  return str_from(p, bytes);
}

/* The usual text: as long as asked for, or one word for each event asked for, or the sentence. */
static enum err plain_text(struct mock_answer *a, const struct mock_plan *plan, const struct mock_options *options,
                           const struct mock_prose *prose, struct arena *arena) {
  size_t bytes = plan->reply_bytes ? plan->reply_bytes : (size_t)plan->chunks * WORD_BYTES;
  a->is_plain = true;
  if (options->is_demo || bytes == 0) {
    a->text = options->is_demo ? demo : sentence;
    return OK;
  }
  a->text = prose_text(prose, arena, bytes);
  return a->text.p ? OK : ERR_NO_MEMORY;
}

static size_t default_pieces(const struct mock_plan *plan, size_t bytes) {
  if (plan->chunks) return plan->chunks;
  return bytes > PIECES_DEFAULT * PIECE_BYTES_MAX ? bytes / PIECE_BYTES_MAX : PIECES_DEFAULT;
}

/* "[[call NAME MEMBER VALUE]]" in the user's text: which tool, and the one argument that it gets. False: not said. */
static bool find_call(struct str text, struct arena *arena, struct mock_tool *out) {
  const struct str mark = STR("[[call ");
  struct str name, member, value, rest;
  struct buf json;
  size_t at = str_find(text, mark);
  if (at == SIZE_MAX) return false;
  rest = str_sub(text, at + mark.n, text.n);
  size_t end = str_find(rest, STR("]]"));
  if (end == SIZE_MAX || !str_cut(str_sub(rest, 0, end), ' ', &name, &rest) || !str_cut(rest, ' ', &member, &value))
    return false;
  buf_init(&json, 0);
  buf_put_char(&json, '{');
  buf_put_json(&json, member);
  buf_put_char(&json, ':');
  buf_put_json(&json, value);
  buf_put_char(&json, '}');
  *out = (struct mock_tool){.name = name, .arguments = arena_dup(arena, buf_str(&json))};
  buf_clear(&json);
  return out->arguments.p != NULL;
}

static void use_tools(struct mock_answer *a, const struct mock_request *q, unsigned wanted, struct arena *arena) {
  if (q->tool_count == 0) {
    a->text = no_tools;
    return;
  }
  a->tool_count = wanted;
  for (unsigned i = 0; i < wanted; i++) a->tools[i] = q->tools[i < q->tool_count ? i : 0];
  if (wanted == 1) (void)find_call(q->user_text, arena, &a->tools[0]);
  a->finish = MOCK_FINISH_TOOLS;
}

/* What a call leaks of: the tool that would have been called, or where none is offered one that nobody has. */
static enum err use_leak(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q,
                         struct arena *arena) {
  struct mock_tool tool = {.name = STR("get_weather"), .arguments = STR("{\"city\":\"mock\"}")};
  if (q->tool_count && !q->tools[0].is_custom) tool = q->tools[0];
  (void)find_call(q->user_text, arena, &tool);
  a->text = mock_leak_text(plan, &tool, arena);
  a->is_uneven = !plan->chunks && !mock_leak_is_long(plan);
  return a->text.p ? OK : ERR_NO_MEMORY;
}

static void set_quirk(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q) {
  if (!q->takes_quirks) return;
  a->quirk = (enum mock_quirk)plan->tool_quirk;
  for (unsigned i = 0; a->quirk == MOCK_QUIRK_ARGS_INVALID && i < a->tool_count; i++)
    a->tools[i].arguments = STR("{\"broken\": \"by the mock");
}

static bool repeats_tool_result(const struct mock_request *q, const struct mock_options *options) {
  return q->is_parsed && q->scan.is_tool_last && !options->is_demo;
}

/* What stands before or beside the content. */
static void set_extras(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q) {
  if (plan->thinking == MOCK_THINKING_PLAIN) a->reasoning = thoughts;
  if (plan->reasoning_style && !plan->thinking) a->reasoning = thoughts;
  if (plan->thinking == MOCK_THINKING_REDACTED) a->redacted = thoughts;
  a->has_server_tool = plan->uses_server_tool;
  a->has_citation = plan->cites && a->text.n;
  a->has_audio = plan->speaks && a->text.n;
  a->reasoning_style = (enum mock_reasoning_style)plan->reasoning_style;
  set_quirk(a, plan, q);
}

static enum err set_content(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q,
                            const struct mock_options *options, const struct mock_prose *prose, struct arena *arena) {
  if (repeats_tool_result(q, options)) {
    a->text = q->tool_result;
    return OK;
  }
  if (options->is_demo && q->json.n) {
    a->text = q->json;
    return OK;
  }
  if (plan->answer >= MOCK_ANSWER_LEAK) return use_leak(a, plan, q, arena);
  switch ((enum mock_answer_kind)plan->answer) {
    case MOCK_ANSWER_ECHO: a->text = q->user_text; return OK;
    case MOCK_ANSWER_TOOL: use_tools(a, q, 1, arena); return OK;
    case MOCK_ANSWER_TOOL_PARALLEL: use_tools(a, q, q->is_functions ? 1 : 2, arena); return OK;
    case MOCK_ANSWER_JSON: a->text = q->json.n ? q->json : STR("{\"answer\":\"mock\"}"); return OK;
    case MOCK_ANSWER_UNICODE:
      a->text = multibyte;
      a->by_character = true;
      return OK;
    case MOCK_ANSWER_REFUSAL: a->refusal = no_answer; return OK;
    case MOCK_ANSWER_EMPTY: return OK;
    case MOCK_ANSWER_LENGTH: a->finish = MOCK_FINISH_LENGTH; break;
    case MOCK_ANSWER_FILTER: a->finish = MOCK_FINISH_FILTER; break;
    case MOCK_ANSWER_PAUSE: a->finish = MOCK_FINISH_PAUSE; break;
    case MOCK_ANSWER_SEQUENCE:
      a->finish = MOCK_FINISH_SEQUENCE;
      a->stop_sequence = q->stop_sequence.n ? q->stop_sequence : STR("END");
      break;
    case MOCK_ANSWER_TEXT: break;
  }
  return plain_text(a, plan, options, prose, arena);
}

static uint64_t tokens(uint64_t bytes) { return (bytes + 3) / 4; }

static void count_usage(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q) {
  uint64_t bytes = a->text.n + a->refusal.n;
  for (unsigned i = 0; i < a->tool_count; i++) bytes += a->tools[i].name.n + a->tools[i].arguments.n;
  a->prompt_tokens = tokens(q->scan.text_bytes);
  a->reasoning_tokens = tokens(a->reasoning.n + a->redacted.n);
  a->completion_tokens = (tokens(bytes) + a->reasoning_tokens) * a->choices;
  a->reasoning_tokens *= a->choices;
  if (plan->usage == MOCK_USAGE_CACHE) {
    a->cached_tokens = a->prompt_tokens / 2;
    a->cache_write_tokens = a->prompt_tokens / 4;
    a->reasoning_tokens = a->completion_tokens / 2;
  }
}

enum err mock_answer_build(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q,
                           const struct mock_options *options, const struct mock_prose *prose, struct arena *arena) {
  a->q = q;
  a->finish = MOCK_FINISH_STOP;
  enum err e = set_content(a, plan, q, options, prose, arena);
  if (e) return e;
  if (!repeats_tool_result(q, options)) set_extras(a, plan, q);
  a->choices = q->scan.n < 1 ? 1 : q->scan.n > MOCK_CHOICES_MAX ? MOCK_CHOICES_MAX : q->scan.n;
  a->pieces = default_pieces(plan, a->text.n);
  a->has_obfuscation = plan->has_obfuscation;
  a->is_escaped = plan->is_escaped;
  if (a->is_escaped) a->is_plain = false;
  a->has_logprobs = q->scan.wants_logprobs;
  a->has_usage = plan->usage != MOCK_USAGE_NONE;
  a->asked_usage = a->has_usage && q->scan.wants_usage;
  count_usage(a, plan, q);
  return OK;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static struct str text_of(const struct mock_steps *it, const struct mock_answer *a) {
  switch (it->kind) {
    case MOCK_STEP_REASONING: return a->reasoning;
    case MOCK_STEP_TEXT: return a->text;
    case MOCK_STEP_REFUSAL: return a->refusal;
    case MOCK_STEP_TOOL_ARGUMENTS: return a->tools[it->tool].arguments;
    default: return STR_NONE;
  }
}

static size_t pieces_of(const struct mock_steps *it, const struct mock_answer *a) {
  return it->kind == MOCK_STEP_TEXT ? a->pieces : it->kind == MOCK_STEP_TOOL_ARGUMENTS ? 5 : 4;
}

size_t mock_answer_uneven(size_t k) {
  static const unsigned char sizes[] = {1, 4, 2, 9, 1, 3, 17, 1, 7, 2, 13, 5};
  return sizes[k % sizeof sizes];
}

/* Where the piece that begins at from ends, when characters are left out of account. */
static size_t piece_end(const struct mock_steps *it, const struct mock_answer *a, size_t bytes) {
  size_t count = pieces_of(it, a);
  if (a->by_character) return it->from + 1;
  if (a->is_uneven && it->kind == MOCK_STEP_TEXT) {
    size_t step = mock_answer_uneven(it->piece);
    return step < bytes - it->from ? it->from + step : bytes;
  }
  return it->piece >= count ? bytes : bytes * it->piece / count;
}

static bool is_inside_character(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* Moves to the next piece that is not empty, cut where characters begin; false when the text is used up. */
static bool next_piece(struct mock_steps *it, const struct mock_answer *a) {
  struct str text = text_of(it, a);
  it->from = it->to;
  if (it->from >= text.n) return false;
  while (it->to == it->from) {
    it->piece++;
    it->to = piece_end(it, a, text.n);
    if (it->to < it->from) it->to = it->from;
    while (it->to > it->from && it->to < text.n && is_inside_character(text.p[it->to])) it->to++;
  }
  return true;
}

/* The step kind after this one, when it is used up. */
static void next_kind(struct mock_steps *it, const struct mock_answer *a) {
  it->piece = it->from = it->to = 0;
  if (it->kind == MOCK_STEP_TOOL_ARGUMENTS && it->tool + 1 < a->tool_count) {
    it->kind = MOCK_STEP_TOOL_OPEN;
    it->tool++;
    return;
  }
  it->kind = (enum mock_step_kind)(it->kind + 1);
}

static bool opens_with_tool(const struct mock_answer *a) {
  return a->tool_count == 1 && a->text.n == 0 && a->reasoning.n == 0 && a->redacted.n == 0 && !a->has_server_tool;
}

/* Whether the kind has (another) step; on true from and to are its piece. */
static bool begin_round(struct mock_steps *it, const struct mock_answer *a) {
  switch (it->kind) {
    case MOCK_STEP_REASONING:
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL: return next_piece(it, a);
    case MOCK_STEP_REDACTED: return a->redacted.n > 0 && it->piece++ == 0;
    case MOCK_STEP_SERVER_TOOL: return a->has_server_tool && it->piece++ == 0;
    case MOCK_STEP_CITATION: return a->has_citation && it->piece++ == 0;
    case MOCK_STEP_TOOL_OPEN: return it->tool < a->tool_count && it->piece++ == 0 && !opens_with_tool(a);
    case MOCK_STEP_TOOL_ARGUMENTS: return it->tool < a->tool_count && next_piece(it, a);
    case MOCK_STEP_USAGE: return a->asked_usage && it->piece++ == 0;
    case MOCK_STEP_START:
    case MOCK_STEP_FINISH:
    case MOCK_STEP_DONE: return it->piece++ == 0;
    case MOCK_STEP_END: break;
  }
  return false;
}

bool mock_steps_next(struct mock_steps *it, const struct mock_answer *a, struct mock_step *out) {
  if (it->choice == 0)
    while (!begin_round(it, a)) {
      if (it->kind == MOCK_STEP_END) return false;
      next_kind(it, a);
    }
  bool per_choice = it->kind < MOCK_STEP_USAGE;
  *out = (struct mock_step){
      .kind = it->kind,
      .choice = it->choice,
      .tool = it->tool,
      .piece = str_sub(text_of(it, a), it->from, it->to),
      .opens_tool = it->kind == MOCK_STEP_START && opens_with_tool(a),
  };
  it->choice = per_choice && it->choice + 1 < a->choices ? it->choice + 1 : 0;
  return true;
}
