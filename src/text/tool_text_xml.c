/* Calls written as tags: tool_calls, invoke, tool_call, function=, CallMcpTool, with what stands between them. One step
 * for the whole family, since models mix its members. Called by tool_text. A call's values are noted as offsets while
 * its tags are found, so that nothing is read twice; a value runs to the first closing tag of its name, hence markup
 * in it is the value's. */
#include "text/tool_text_internal.h"

enum phase {
  START,
  SECTION,  /* between calls of a wrapper */
  NAME,     /* <tool_call>NAME … */
  BODY,     /* behind a call's opening tag */
  CHILDREN, /* between its values */
  VALUE,
  CDATA,
  JSON,   /* in the call's arguments, or in {"name": …} */
  CLOSER, /* behind the arguments */
  PLAIN,  /* in arguments that are words */
  END
};

enum unit { UNIT_NAMED, UNIT_MCP, UNIT_JSON_BODY, UNIT_JSON_CALL, UNIT_PLAIN };

static const struct str sections[] = {{"tool_calls", 10}, {"function_calls", 14}, {"minimax:tool_call", 17}};
static const struct str calls[] = {{"invoke", 6}, {"tool_call", 9}, {"function", 8}, {"CallMcpTool", 11}};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct str *among(const struct str *list, size_t count, struct str name) {
  for (size_t i = 0; i < count; i++)
    if (str_eq(list[i], name)) return &list[i];
  return NULL;
}

/* What follows is no call. With calls before it, the block ends here; else all of it is text. */
static enum tool_text_step junk(struct tool_text *t) {
  if (t->block.calls == 0) return TOOL_TEXT_FAIL;
  if (t->block.depth == 0) t->open_wrapper = STR_NONE;
  return TOOL_TEXT_DONE;
}

static enum tool_text_step begin(struct tool_text *t, enum unit unit, enum phase phase) {
  t->block.unit = (uint8_t)unit;
  t->block.phase = (uint8_t)phase;
  t->block.from = t->at;
  buf_reset(&t->params);
  return TOOL_TEXT_AGAIN;
}

/* takes_words: its body may be something else than values and JSON. */
static enum tool_text_step begin_named(struct tool_text *t, struct str name, bool takes_words) {
  t->block.takes_words = takes_words;
  t->block.tool = tool_text_resolve(t, name);
  return t->block.tool < 0 ? TOOL_TEXT_FAIL : begin(t, UNIT_NAMED, BODY);
}

/* An opening tag between calls; t->at is behind it. */
static enum tool_text_step open_tag(struct tool_text *t, const struct tool_text_tag *tag) {
  const struct str *section = among(sections, COUNT(sections), tag->name);
  bool is_tool_call = str_eq(tag->name, STR("tool_call")) && !tag->has_value;
  if (section || is_tool_call) {
    if (++t->block.depth > TOOL_TEXT_DEPTH_MAX) return TOOL_TEXT_FAIL;
    t->open_wrapper = section ? *section : calls[1];
    if (section) t->block.is_raw_values = section == &sections[2];
    t->block.is_first = is_tool_call;
    t->block.is_array = is_tool_call; /* its closer is the section's, not the call's */
    t->block.phase = SECTION;
    return TOOL_TEXT_AGAIN;
  }
  if (str_eq(tag->name, calls[3]) && !tag->has_value) return begin(t, UNIT_MCP, CHILDREN);
  if (tag->has_value && among(calls, 3, tag->name)) return begin_named(t, tag->value, str_eq(tag->name, calls[1]));
  return junk(t);
}

static bool is_separator(const struct tool_text *t, char c) {
  return text_is_white(c) || (t->block.is_json_list && memchr(",;[]}", c, 5));
}

static enum tool_text_step section(struct tool_text *t, struct str s) {
  while (t->at < s.n && is_separator(t, s.p[t->at])) t->at++;
  if (t->at == s.n) return TOOL_TEXT_MORE;
  char c = s.p[t->at];
  if (c == '{' || c == '[') {
    t->block.is_json_list = true;
    t->block.is_first = false;
    if (c == '[') return TOOL_TEXT_AGAIN;
    tool_text_json_start(t);
    return begin(t, UNIT_JSON_CALL, JSON);
  }
  if (t->block.is_first && tool_text_is_name_char(c)) {
    t->block.from = t->at;
    t->block.phase = NAME;
    return TOOL_TEXT_AGAIN;
  }
  if (c != '<') return junk(t);
  struct tool_text_tag tag;
  enum tool_text_match m = tool_text_tag(tool_text_rest(s, t->at), &tag);
  if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
  if (m == TOOL_TEXT_MATCH_NONE) return junk(t);
  t->block.is_first = false;
  bool is_section = among(sections, COUNT(sections), tag.name) || (t->block.is_array && str_eq(tag.name, calls[1]));
  if (tag.is_close) {
    if (!is_section && !among(calls, COUNT(calls), tag.name)) return junk(t);
    t->at += tag.n;
    if (!is_section) return TOOL_TEXT_AGAIN;
    t->open_wrapper = STR_NONE;
    if (--t->block.depth == 0) t->block.phase = END;
    return TOOL_TEXT_AGAIN;
  }
  if (!is_section && !among(calls, COUNT(calls), tag.name)) return junk(t);
  t->at += tag.n;
  return open_tag(t, &tag);
}

/* The call ends at t->at; `to` is where its body does. */
static enum tool_text_step finish(struct tool_text *t, struct str s, size_t to) {
  enum tool_text_verdict verdict = TOOL_TEXT_BAD;
  struct str body = str_sub(s, t->block.from, to);
  switch ((enum unit)t->block.unit) {
    case UNIT_NAMED: verdict = t->params.n ? tool_text_args_params(t, s) : tool_text_args_plain(t, body); break;
    case UNIT_MCP: verdict = tool_text_args_mcp(t, s); break;
    case UNIT_JSON_BODY: verdict = tool_text_args_json(t, body); break;
    case UNIT_JSON_CALL: verdict = tool_text_args_call(t, body); break;
    case UNIT_PLAIN: verdict = tool_text_args_plain(t, body); break;
  }
  t->block.phase = t->block.depth ? SECTION : END;
  if (verdict == TOOL_TEXT_GOOD) return TOOL_TEXT_CALL;
  if (verdict == TOOL_TEXT_UNKNOWN) return TOOL_TEXT_FAIL;
  t->block.bad++;
  return TOOL_TEXT_AGAIN;
}

/* A closing tag behind a call's values: true when it is the call's own, false when it closes what is around. */
static bool is_own_closer(const struct tool_text *t, struct str name) {
  return among(calls, COUNT(calls), name) && !(t->block.depth && t->block.is_array && str_eq(name, calls[1]));
}

static enum tool_text_step body(struct tool_text *t, struct str s) {
  t->at = tool_text_skip_space(s, t->at);
  if (t->at == s.n) return TOOL_TEXT_MORE;
  if (s.p[t->at] == '{') {
    tool_text_json_start(t);
    t->block.from = t->at;
    t->block.unit = UNIT_JSON_BODY;
    t->block.phase = JSON;
  } else if (s.p[t->at] == '<' || t->block.unit == UNIT_NAMED) {
    if (s.p[t->at] != '<' && !t->block.takes_words) return TOOL_TEXT_FAIL;
    t->block.unit = UNIT_NAMED;
    t->block.phase = CHILDREN;
  } else {
    t->block.is_value_seen = false; /* its line is not over */
    t->block.phase = PLAIN;
  }
  return TOOL_TEXT_AGAIN;
}

/* The name of <tool_call>NAME: known as soon as it has ended. */
static enum tool_text_step name(struct tool_text *t, struct str s) {
  while (t->at < s.n && tool_text_is_name_char(s.p[t->at])) t->at++;
  if (t->at - t->block.from > TOOL_TEXT_TAG_MAX) {
    t->at = t->block.from + TOOL_TEXT_TAG_MAX; /* wherever the text was cut */
    return TOOL_TEXT_FAIL;
  }
  if (t->at == s.n) return TOOL_TEXT_MORE;
  t->block.tool = tool_text_resolve(t, str_sub(s, t->block.from, t->at));
  return t->block.tool < 0 ? TOOL_TEXT_FAIL : begin(t, UNIT_PLAIN, BODY);
}

static enum tool_text_step add_value(struct tool_text *t, size_t to) {
  const struct tool_text_param p = {.key = t->block.key_from,
                                    .key_bytes = t->block.key_bytes,
                                    .child = t->block.child_from,
                                    .child_bytes = t->block.child_bytes,
                                    .value = t->block.value_from,
                                    .value_bytes = to - t->block.value_from,
                                    .is_string = t->block.child_string};
  t->block.phase = CHILDREN;
  return tool_text_param_add(t, &p) ? TOOL_TEXT_AGAIN : TOOL_TEXT_FAIL;
}

static enum tool_text_step children(struct tool_text *t, struct str s) {
  const char *p = t->at < s.n ? memchr(s.p + t->at, '<', s.n - t->at) : NULL;
  t->at = p ? (size_t)(p - s.p) : s.n;
  if (!p) return TOOL_TEXT_MORE;
  struct tool_text_tag tag;
  enum tool_text_match m = tool_text_tag(tool_text_rest(s, t->at), &tag);
  if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
  if (m == TOOL_TEXT_MATCH_NONE) {
    t->at++;
    return TOOL_TEXT_AGAIN;
  }
  size_t tag_at = t->at;
  bool is_call = among(calls, COUNT(calls), tag.name), is_section = among(sections, COUNT(sections), tag.name);
  if (tag.is_close) {
    if (is_own_closer(t, tag.name)) t->at += tag.n;
    if (is_call || is_section) return finish(t, s, tag_at);
    t->at += tag.n;
    return TOOL_TEXT_AGAIN;
  }
  if (is_call || is_section) { /* the next call: this one's closing tag is missing */
    if (t->params.n) return finish(t, s, tag_at);
    if (t->block.depth == 0) return TOOL_TEXT_FAIL;
    t->block.bad++;
    t->block.phase = SECTION;
    return TOOL_TEXT_AGAIN;
  }
  bool is_equal = tag.has_value && tag.name.n + 1 < tag.n && tag.name.p[tag.name.n] == '=';
  t->block.child_from = (size_t)(tag.name.p - s.p);
  t->block.child_bytes = tag.name.n;
  t->block.key_from = tag.has_value ? (size_t)(tag.value.p - s.p) : 0;
  t->block.key_bytes = tag.has_value ? tag.value.n : 0;
  /* Those who write so write values as they are: no entity is meant. */
  t->block.child_string = (int8_t)(tag.is_string >= 0 ? tag.is_string : is_equal || t->block.is_raw_values ? 2 : -1);
  t->at += tag.n;
  t->block.value_from = t->at;
  t->block.is_value_seen = false;
  if (tag.is_empty) return add_value(t, t->at);
  t->block.phase = VALUE;
  return TOOL_TEXT_AGAIN;
}

static enum tool_text_step value(struct tool_text *t, struct str s) {
  if (!t->block.is_value_seen) {
    t->at = tool_text_skip_space(s, t->at);
    enum tool_text_match m = tool_text_literal(tool_text_rest(s, t->at), STR("<![CDATA["));
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    t->block.is_value_seen = true;
    if (m == TOOL_TEXT_MATCH_WHOLE) {
      t->at += 9;
      t->block.phase = CDATA;
      return TOOL_TEXT_AGAIN;
    }
  }
  struct str child = str_sub(s, t->block.child_from, t->block.child_from + t->block.child_bytes);
  for (const char *p; t->at < s.n && (p = memchr(s.p + t->at, '<', s.n - t->at)); t->at++) {
    t->at = (size_t)(p - s.p);
    size_t n, to = t->at;
    enum tool_text_match m = tool_text_close(tool_text_rest(s, t->at), child, &n);
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    if (m == TOOL_TEXT_MATCH_NONE) continue;
    t->at += n;
    return add_value(t, to);
  }
  t->at = s.n;
  return TOOL_TEXT_MORE;
}

static enum tool_text_step cdata(struct tool_text *t, struct str s) {
  for (const char *p; t->at < s.n && (p = memchr(s.p + t->at, ']', s.n - t->at)); t->at++) {
    t->at = (size_t)(p - s.p);
    enum tool_text_match m = tool_text_literal(tool_text_rest(s, t->at), STR("]]>"));
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    if (m == TOOL_TEXT_MATCH_NONE) continue;
    t->at += 3;
    t->block.phase = VALUE;
    return TOOL_TEXT_AGAIN;
  }
  t->at = s.n;
  return TOOL_TEXT_MORE;
}

static enum tool_text_step json(struct tool_text *t, struct str s) {
  enum tool_text_match m = tool_text_json(t, s);
  if (m == TOOL_TEXT_MATCH_NONE) return TOOL_TEXT_FAIL;
  if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
  if (t->block.unit == UNIT_JSON_CALL) return finish(t, s, t->at);
  t->block.value_from = t->at;
  t->block.phase = CLOSER;
  return TOOL_TEXT_AGAIN;
}

static enum tool_text_step closer(struct tool_text *t, struct str s) {
  while (t->at < s.n && (text_is_white(s.p[t->at]) || s.p[t->at] == '}')) t->at++;
  if (t->at == s.n) return TOOL_TEXT_MORE;
  if (s.p[t->at] == '<') {
    struct tool_text_tag tag;
    enum tool_text_match m = tool_text_tag(tool_text_rest(s, t->at), &tag);
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    if (m == TOOL_TEXT_MATCH_WHOLE && tag.is_close && is_own_closer(t, tag.name)) t->at += tag.n;
  }
  return finish(t, s, t->block.value_from);
}

/* Words to the end of their line. */
static enum tool_text_step plain(struct tool_text *t, struct str s) {
  for (; t->at < s.n; t->at++) {
    char c = s.p[t->at];
    if (c == '\n') t->block.is_value_seen = true;
    if (c != '<') {
      if (t->block.is_value_seen && !text_is_white(c)) return TOOL_TEXT_FAIL;
      continue;
    }
    size_t n;
    enum tool_text_match m = tool_text_close(tool_text_rest(s, t->at), calls[1], &n);
    if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
    if (m == TOOL_TEXT_MATCH_WHOLE) return finish(t, s, t->at);
    if (t->block.is_value_seen) return TOOL_TEXT_FAIL;
  }
  return TOOL_TEXT_MORE;
}

static enum tool_text_step start(struct tool_text *t, struct str s) {
  struct tool_text_tag tag;
  enum tool_text_match m = tool_text_tag(s, &tag);
  if (m == TOOL_TEXT_MATCH_PART) return TOOL_TEXT_MORE;
  t->at = m == TOOL_TEXT_MATCH_WHOLE ? tag.n : 1;
  return m == TOOL_TEXT_MATCH_WHOLE ? open_tag(t, &tag) : TOOL_TEXT_FAIL;
}

enum tool_text_step tool_text_xml(struct tool_text *t, struct str s) {
  static tool_text_step_fn *const steps[] = {
      [START] = start, [SECTION] = section, [NAME] = name, [BODY] = body,     [CHILDREN] = children,
      [VALUE] = value, [CDATA] = cdata,     [JSON] = json, [CLOSER] = closer, [PLAIN] = plain};
  return t->block.phase == END ? TOOL_TEXT_DONE : steps[t->block.phase](t, s);
}

/* Closing tags and white space at the end of an unclosed value: without one, it may be half a value. */
static bool without_closers(struct str s, size_t from, size_t *to) {
  bool has_closer = false;
  for (size_t n = s.n;;) {
    while (n > from && text_is_white(s.p[n - 1])) n--;
    size_t at = n > from && s.p[n - 1] == '>' ? str_rfind_char(str_sub(s, from, n), '<') : SIZE_MAX;
    struct tool_text_tag tag;
    if (at == SIZE_MAX || tool_text_tag(str_sub(s, from + at, n), &tag) != TOOL_TEXT_MATCH_WHOLE || !tag.is_close ||
        !(among(calls, COUNT(calls), tag.name) || among(sections, COUNT(sections), tag.name)))
      return has_closer;
    has_closer = true;
    *to = n = from + at;
  }
}

enum tool_text_step tool_text_xml_end(struct tool_text *t, struct str s) {
  size_t to;
  switch ((enum phase)t->block.phase) {
    case VALUE:
      if (!without_closers(s, t->block.value_from, &to) || add_value(t, to) != TOOL_TEXT_AGAIN) return TOOL_TEXT_FAIL;
      t->at = s.n;
      return finish(t, s, to);
    case CHILDREN:
      if (t->params.n == 0) return TOOL_TEXT_FAIL;
      t->at = s.n;
      return finish(t, s, s.n);
    case CLOSER: t->at = s.n; return finish(t, s, t->block.value_from);
    case SECTION:
    case END: t->at = s.n; return TOOL_TEXT_DONE;
    default: return TOOL_TEXT_FAIL;
  }
}
