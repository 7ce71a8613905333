/* Calls between special tokens: sections of Kimi and DeepSeek, Harmony's messages, and the JSON lists of Mistral and
 * Llama, with Llama's bare object. Called by tool_text. Arguments are JSON as the model wrote it; a call whose JSON is
 * no object is bad, and left out where its section has good ones. */
#include <yyjson.h>

#include "text/tool_text_internal.h"

enum phase { START, SECTION, HEADER, NAME, ARGS, JSON, NEXT, REST, END };

static enum tool_text_step over(const struct tool_text *t) { return t->block.calls ? TOOL_TEXT_DONE : TOOL_TEXT_FAIL; }

static enum tool_text_step decide(struct tool_text *t, enum tool_text_verdict verdict, enum phase next) {
  t->block.phase = (uint8_t)next;
  if (verdict == TOOL_TEXT_GOOD) return TOOL_TEXT_CALL;
  if (verdict == TOOL_TEXT_UNKNOWN) return TOOL_TEXT_FAIL;
  t->block.bad++;
  return TOOL_TEXT_AGAIN;
}

/* A name or header beyond its bound: given up at that very byte, wherever the text was cut. */
static bool is_too_long(struct tool_text *t) {
  if (t->at - t->block.from <= TOOL_TEXT_TAG_MAX) return false;
  t->at = t->block.from + TOOL_TEXT_TAG_MAX;
  return true;
}

/* Arguments without the fence that DeepSeek's first form has around them. */
static struct str unfenced(struct str s) {
  s = str_trim(s);
  if (!str_has_prefix(s, STR("```"))) return s;
  size_t line = str_find_char(s, '\n');
  s = str_sub(s, line == SIZE_MAX ? 3 : line + 1, s.n);
  if (str_has_suffix(s, STR("```"))) s.n -= 3;
  return str_trim(s);
}

/* ---- sections ---- */
struct section {
  struct str begin, call, separator, call_end, end;
};
#define BAR "\xef\xbd\x9c"
#define LOW "\xe2\x96\x81"
#define DEEPSEEK(words) \
  { "<" BAR words BAR ">", sizeof("<" BAR words BAR ">") - 1 }
static const struct section kimi = {{"<|tool_calls_section_begin|>", 28},
                                    {"<|tool_call_begin|>", 19},
                                    {"<|tool_call_argument_begin|>", 28},
                                    {"<|tool_call_end|>", 17},
                                    {"<|tool_calls_section_end|>", 26}};
static const struct section deepseek = {DEEPSEEK("tool" LOW "calls" LOW "begin"),
                                        DEEPSEEK("tool" LOW "call" LOW "begin"), DEEPSEEK("tool" LOW "sep"),
                                        DEEPSEEK("tool" LOW "call" LOW "end"), DEEPSEEK("tool" LOW "calls" LOW "end")};

static enum tool_text_step between(struct tool_text *t, struct str s, const struct section *k) {
  t->at = tool_text_skip_space(s, t->at);
  struct str rest = tool_text_rest(s, t->at);
  enum tool_text_match begin = tool_text_literal(rest, k->begin), call = tool_text_literal(rest, k->call),
                       end = tool_text_literal(rest, k->end);
  if (begin == TOOL_TEXT_MATCH_WHOLE) { /* repeated */
    t->at += k->begin.n;
    t->open_wrapper = k->end;
    return TOOL_TEXT_AGAIN;
  }
  if (call == TOOL_TEXT_MATCH_WHOLE) {
    t->at += k->call.n;
    t->block.from = t->at;
    t->block.phase = HEADER;
    return TOOL_TEXT_AGAIN;
  }
  if (end == TOOL_TEXT_MATCH_WHOLE) {
    t->at += k->end.n;
    t->open_wrapper = STR_NONE;
    return TOOL_TEXT_DONE;
  }
  if (begin == TOOL_TEXT_MATCH_PART || call == TOOL_TEXT_MATCH_PART || end == TOOL_TEXT_MATCH_PART)
    return TOOL_TEXT_MORE;
  return over(t);
}

/* "functions.NAME:0" */
static int64_t resolve_header(struct tool_text *t, struct str header) {
  struct str trimmed = str_trim(header), head, tail;
  int64_t tool = tool_text_resolve(t, trimmed);
  if (tool < 0 && str_cut(trimmed, ':', &head, &tail)) tool = tool_text_resolve(t, str_trim(head));
  return tool;
}

static enum tool_text_step header(struct tool_text *t, struct str s, const struct section *k) {
  const struct str ends[] = {k->separator, k->call_end};
  size_t which, to;
  enum tool_text_match m = tool_text_find(s, &t->at, ends, 2, &which);
  to = t->at;
  if (is_too_long(t)) return TOOL_TEXT_FAIL;
  if (m != TOOL_TEXT_MATCH_WHOLE) return TOOL_TEXT_MORE;
  struct str words = str_sub(s, t->block.from, to);
  t->at += ends[which].n;
  if (which == 1) return decide(t, TOOL_TEXT_BAD, SECTION);
  t->block.tool = resolve_header(t, words);
  t->block.from = t->at;
  if (t->block.tool < 0 && k == &deepseek && str_eq(str_trim(words), STR("function"))) {
    t->block.phase = NAME; /* it was the call's type */
    return TOOL_TEXT_AGAIN;
  }
  t->block.phase = ARGS;
  return t->block.tool < 0 ? TOOL_TEXT_FAIL : TOOL_TEXT_AGAIN;
}

static enum tool_text_step name_line(struct tool_text *t, struct str s) {
  const char *line = t->at < s.n ? memchr(s.p + t->at, '\n', s.n - t->at) : NULL;
  t->at = line ? (size_t)(line - s.p) : s.n;
  if (is_too_long(t)) return TOOL_TEXT_FAIL;
  if (!line) return TOOL_TEXT_MORE;
  t->block.tool = tool_text_resolve(t, str_trim(str_sub(s, t->block.from, t->at)));
  t->block.from = t->at;
  t->block.phase = ARGS;
  return t->block.tool < 0 ? TOOL_TEXT_FAIL : TOOL_TEXT_AGAIN;
}

static enum tool_text_step arguments(struct tool_text *t, struct str s, const struct section *k) {
  const struct str ends[] = {k->call_end, k->end, k->call};
  size_t which, to;
  if (tool_text_find(s, &t->at, ends, 3, &which) != TOOL_TEXT_MATCH_WHOLE) return TOOL_TEXT_MORE;
  to = t->at;
  if (which == 0) t->at += ends[0].n;
  return decide(t, tool_text_args_json(t, unfenced(str_sub(s, t->block.from, to))), SECTION);
}

static enum tool_text_step sections(struct tool_text *t, struct str s, const struct section *k) {
  switch ((enum phase)t->block.phase) {
    case START:
      t->block.phase = SECTION; /* it begins with one of the two, or the marker would not be here */
      return TOOL_TEXT_AGAIN;
    case HEADER: return header(t, s, k);
    case NAME: return name_line(t, s);
    case ARGS: return arguments(t, s, k);
    default: return between(t, s, k);
  }
}

enum tool_text_step tool_text_kimi(struct tool_text *t, struct str s) { return sections(t, s, &kimi); }
enum tool_text_step tool_text_deepseek(struct tool_text *t, struct str s) { return sections(t, s, &deepseek); }

enum tool_text_step tool_text_section_end(struct tool_text *t, struct str s) {
  t->at = s.n;
  if (t->block.phase == SECTION) return over(t);
  if (t->block.phase != ARGS) return TOOL_TEXT_FAIL;
  enum tool_text_step step = decide(t, tool_text_args_json(t, unfenced(str_sub(s, t->block.from, s.n))), SECTION);
  return step == TOOL_TEXT_CALL ? step : TOOL_TEXT_FAIL;
}

/* ---- Harmony ---- */
static const struct str channels[] = {
    {"<|message|>", 11}, {"<|start|>", 9}, {"<|channel|>", 11}, {"<|constrain|>", 13}};

/* Behind "to=" in a message's header. */
static struct str recipient(struct str head) {
  size_t at = str_find(head, STR("to="));
  if (at == SIZE_MAX) return STR_NONE;
  head = str_sub(head, at + 3, head.n);
  size_t n = 0;
  while (n < head.n && tool_text_is_name_char(head.p[n])) n++;
  return str_sub(head, 0, n);
}

static enum tool_text_step harmony_header(struct tool_text *t, struct str s) {
  size_t which = 0;
  for (; t->at < s.n && t->at < TOOL_TEXT_TAG_MAX; t->at++) {
    if (s.p[t->at] == '\n') return TOOL_TEXT_FAIL;
    if (s.p[t->at] != '<') continue;
    size_t at = t->at;
    struct str here = tool_text_rest(s, at);
    enum tool_text_match m = TOOL_TEXT_MATCH_NONE;
    for (which = 0; which < 4; which++)
      if ((m = tool_text_literal(here, channels[which])) != TOOL_TEXT_MATCH_NONE) break;
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    if (m == TOOL_TEXT_MATCH_NONE) return TOOL_TEXT_FAIL;
    t->at += channels[which].n;
    if (which) {
      t->at--;
      continue;
    }
    t->block.tool = tool_text_resolve(t, recipient(str_sub(s, 0, at)));
    t->block.from = t->at;
    t->block.phase = ARGS;
    return t->block.tool < 0 ? TOOL_TEXT_FAIL : TOOL_TEXT_AGAIN;
  }
  return t->at >= TOOL_TEXT_TAG_MAX ? TOOL_TEXT_FAIL : TOOL_TEXT_MORE;
}

enum tool_text_step tool_text_harmony(struct tool_text *t, struct str s) {
  static const struct str ends[] = {
      {"<|call|>", 8}, {"<|end|>", 7}, {"<|return|>", 10}, {"<|start|>", 9}, {"<|channel|>", 11}};
  if (t->block.phase == END) return over(t);
  if (t->block.phase == START) return harmony_header(t, s);
  size_t which, to;
  if (tool_text_find(s, &t->at, ends, 5, &which) != TOOL_TEXT_MATCH_WHOLE) return TOOL_TEXT_MORE;
  to = t->at;
  if (which < 3) t->at += ends[which].n;
  return decide(t, tool_text_args_json(t, str_sub(s, t->block.from, to)), END);
}

enum tool_text_step tool_text_harmony_end(struct tool_text *t, struct str s) {
  t->at = s.n;
  if (t->block.phase == END) return over(t);
  if (t->block.phase != ARGS) return TOOL_TEXT_FAIL;
  enum tool_text_step step = decide(t, tool_text_args_json(t, str_sub(s, t->block.from, s.n)), END);
  return step == TOOL_TEXT_CALL ? step : TOOL_TEXT_FAIL;
}

/* ---- lists: [TOOL_CALLS] and <|python_tag|> ---- */
static bool is_mistral(struct str s) { return s.p[0] == '['; }

static enum tool_text_step list_item(struct tool_text *t, struct str s) {
  for (; t->at < s.n; t->at++)
    if (!text_is_white(s.p[t->at]) && !(t->block.phase == NEXT && (s.p[t->at] == ',' || s.p[t->at] == ';'))) break;
  if (t->at == s.n) return TOOL_TEXT_MORE;
  char c = s.p[t->at];
  if (c == '[' && t->block.phase == SECTION && !t->block.is_array) {
    t->block.is_array = true;
    t->at++;
    return TOOL_TEXT_AGAIN;
  }
  if (c == ']' && t->block.is_array) {
    t->at++;
    return over(t);
  }
  t->block.from = t->at;
  t->block.tool = -1;
  if (c == '{') {
    tool_text_json_start(t);
    t->block.phase = JSON;
    return TOOL_TEXT_AGAIN;
  }
  if (!t->block.is_array && t->block.is_json_list && tool_text_is_name_char(c)) {
    t->block.phase = NAME;
    return TOOL_TEXT_AGAIN;
  }
  return over(t);
}

/* NAME, then [CALL_ID]id and [ARGS] where they are written. */
static enum tool_text_step list_name(struct tool_text *t, struct str s) {
  if (t->block.phase == NAME) {
    while (t->at < s.n && tool_text_is_name_char(s.p[t->at])) t->at++;
    if (is_too_long(t)) return TOOL_TEXT_FAIL;
    if (t->at == s.n) return TOOL_TEXT_MORE;
    t->block.tool = tool_text_resolve(t, str_sub(s, t->block.from, t->at));
    t->block.from = t->at;
    t->block.phase = HEADER;
    return t->block.tool < 0 ? TOOL_TEXT_FAIL : TOOL_TEXT_AGAIN;
  }
  t->at = tool_text_skip_space(s, t->at);
  if (is_too_long(t)) return TOOL_TEXT_FAIL;
  if (t->at == s.n) return TOOL_TEXT_MORE;
  struct str rest = tool_text_rest(s, t->at);
  if (rest.p[0] == '{') {
    t->block.from = t->at;
    tool_text_json_start(t);
    t->block.phase = JSON;
    return TOOL_TEXT_AGAIN;
  }
  enum tool_text_match args = tool_text_literal(rest, STR("[ARGS]")), id = tool_text_literal(rest, STR("[CALL_ID]"));
  if (args == TOOL_TEXT_MATCH_WHOLE) {
    t->at += 6;
    return TOOL_TEXT_AGAIN;
  }
  if (id == TOOL_TEXT_MATCH_WHOLE) {
    size_t at = t->at + 9;
    while (at < s.n && tool_text_is_name_char(s.p[at])) at++;
    if (at - t->at > TOOL_TEXT_TAG_MAX) return TOOL_TEXT_FAIL;
    if (at == s.n) return TOOL_TEXT_MORE;
    t->at = at;
    return TOOL_TEXT_AGAIN;
  }
  return args == TOOL_TEXT_MATCH_PART || id == TOOL_TEXT_MATCH_PART ? TOOL_TEXT_MORE : TOOL_TEXT_FAIL;
}

enum tool_text_step tool_text_list(struct tool_text *t, struct str s) {
  if (t->block.phase == END) return over(t);
  if (t->block.phase == START) {
    t->block.is_json_list = is_mistral(s); /* names stand before the JSON */
    t->at = t->block.format->marker.n;
    t->block.phase = SECTION;
  }
  if (t->block.phase == NAME || t->block.phase == HEADER) return list_name(t, s);
  if (t->block.phase != JSON) return list_item(t, s);
  enum tool_text_match m = tool_text_json(t, s);
  if (m == TOOL_TEXT_MATCH_NONE) return TOOL_TEXT_FAIL;
  if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
  struct str value = str_sub(s, t->block.from, t->at);
  enum phase next = t->block.is_array || !t->block.is_json_list ? NEXT : END;
  return decide(t, t->block.tool < 0 ? tool_text_args_call(t, value) : tool_text_args_json(t, value), next);
}

enum tool_text_step tool_text_list_end(struct tool_text *t, struct str s) {
  if (t->block.phase != NEXT && t->block.phase != END) return TOOL_TEXT_FAIL;
  t->at = s.n;
  return over(t);
}

/* ---- a bare object that is the whole text ---- */

/* Can s, an object's beginning, be a call? Told from its first member: a call's name is known as soon as it is read, so
 * that other JSON passes at once. */
static enum tool_text_match bare_key(struct tool_text *t, struct str s) {
  static const struct str keys[] = {
      {"\"name\"", 6}, {"\"type\"", 6}, {"\"function\"", 10}, {"\"parameters\"", 12}, {"\"arguments\"", 11}};
  s = str_sub(s, 0, TOOL_TEXT_TAG_MAX);
  struct str rest = tool_text_rest(s, tool_text_skip_space(s, 1));
  enum tool_text_match best = TOOL_TEXT_MATCH_NONE;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    enum tool_text_match m = tool_text_literal(rest, keys[i]);
    if (m > best) best = m;
    if (m != TOOL_TEXT_MATCH_WHOLE || i > 1) continue;
    size_t at = tool_text_skip_space(rest, keys[i].n);
    if (at == rest.n) return TOOL_TEXT_MATCH_PART;
    if (rest.p[at] != ':') return TOOL_TEXT_MATCH_NONE;
    at = tool_text_skip_space(rest, at + 1);
    if (at == rest.n) return TOOL_TEXT_MATCH_PART;
    if (rest.p[at] != '"') return TOOL_TEXT_MATCH_NONE;
    rest = tool_text_rest(rest, at + 1);
    size_t end = str_find_char(rest, '"');
    if (end == SIZE_MAX) return TOOL_TEXT_MATCH_PART;
    rest.n = end;
    bool is_right = i ? str_eq(rest, STR("function")) : tool_text_resolve(t, rest) >= 0;
    return is_right ? TOOL_TEXT_MATCH_WHOLE : TOOL_TEXT_MATCH_NONE;
  }
  return best;
}

enum tool_text_step tool_text_bare(struct tool_text *t, struct str s) {
  if (t->block.phase == START) {
    enum tool_text_match m = bare_key(t, s);
    if (m == TOOL_TEXT_MATCH_PART && s.n < TOOL_TEXT_TAG_MAX) return TOOL_TEXT_MORE;
    t->at = m != TOOL_TEXT_MATCH_WHOLE;
    if (t->at) return TOOL_TEXT_FAIL;
    tool_text_json_start(t);
    t->block.phase = JSON;
  }
  if (t->block.phase == JSON) {
    enum tool_text_match m = tool_text_json(t, s);
    if (m != TOOL_TEXT_MATCH_WHOLE) return m == TOOL_TEXT_MATCH_NONE ? TOOL_TEXT_FAIL : TOOL_TEXT_MORE;
    t->block.from = t->at;
    t->block.phase = REST;
  }
  t->at = tool_text_skip_space(s, t->at);
  return t->at == s.n ? TOOL_TEXT_MORE : TOOL_TEXT_FAIL;
}

/* An object may have a name and be the answer itself; a call says its arguments, and nothing that no call has. */
static bool is_bare_call(struct tool_text *t, struct str json) {
  static const struct str members[] = {{"name", 4},        {"type", 4},      {"function", 8},
                                       {"parameters", 10}, {"arguments", 9}, {"id", 2}};
  unsigned type;
  yyjson_val *v = tool_text_parse(t, json, &type), *key, *function = yyjson_obj_get(v, "function");
  yyjson_obj_iter it = yyjson_obj_iter_with(v);
  while ((key = yyjson_obj_iter_next(&it))) {
    size_t i = 0;
    while (i < sizeof members / sizeof *members && !str_eq(json_pool_text(key), members[i])) i++;
    if (i == sizeof members / sizeof *members) return false;
  }
  if (yyjson_is_obj(function)) v = function;
  return yyjson_obj_get(v, "parameters") || yyjson_obj_get(v, "arguments");
}

enum tool_text_step tool_text_bare_end(struct tool_text *t, struct str s) {
  if (t->block.phase != REST) return TOOL_TEXT_FAIL;
  t->at = s.n;
  if (!is_bare_call(t, str_sub(s, 0, t->block.from))) return TOOL_TEXT_FAIL;
  return tool_text_args_call(t, str_sub(s, 0, t->block.from)) == TOOL_TEXT_GOOD ? TOOL_TEXT_CALL : TOOL_TEXT_FAIL;
}
