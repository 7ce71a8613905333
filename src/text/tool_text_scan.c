/* Scanners over markup that may be cut anywhere: literals, tags, JSON values. Each says whether a match is there, is
 * ruled out, or may yet come. Called by the steps of tool_text; pure but for tool_text_json, whose state is the
 * machine's. Nothing here looks further back than TOOL_TEXT_TAG_MAX bytes. */
#include "text/tool_text_internal.h"

size_t tool_text_skip_space(struct str s, size_t at) {
  while (at < s.n && text_is_white(s.p[at])) at++;
  return at;
}

bool tool_text_is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || c == '/';
}

enum tool_text_match tool_text_find(struct str s, size_t *at, const struct str *literals, size_t count, size_t *which) {
  while (*at < s.n) {
    const char *p = memchr(s.p + *at, '<', s.n - *at);
    if (!p) break;
    *at = (size_t)(p - s.p);
    for (size_t i = 0; i < count; i++) {
      enum tool_text_match m = tool_text_literal(tool_text_rest(s, *at), literals[i]);
      if (m == TOOL_TEXT_MATCH_NONE) continue;
      *which = i;
      return m;
    }
    (*at)++;
  }
  *at = s.n;
  return TOOL_TEXT_MATCH_NONE;
}

/* DeepSeek's word is one token, printed with fullwidth bars, by some doubled, and by those who retell it with ASCII
 * ones. */
#define BAR "\xef\xbd\x9c"
#define PREFIX(literal) \
  { literal, sizeof literal - 1 }
static const struct str prefixes[] = {PREFIX(BAR "DSML" BAR), PREFIX(BAR BAR "DSML" BAR BAR), PREFIX("|DSML|"),
                                      PREFIX("antml:")};

enum tool_text_match tool_text_prefix(struct str s, size_t *n) {
  enum tool_text_match best = TOOL_TEXT_MATCH_NONE;
  *n = 0;
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    enum tool_text_match m = tool_text_literal(s, prefixes[i]);
    if (m == TOOL_TEXT_MATCH_WHOLE) {
      *n = prefixes[i].n;
      return m;
    }
    if (m == TOOL_TEXT_MATCH_PART) best = m;
  }
  return best;
}

enum tool_text_match tool_text_close(struct str s, struct str name, size_t *n) {
  enum tool_text_match m = tool_text_literal(s, STR("</"));
  if (m != TOOL_TEXT_MATCH_WHOLE) return m;
  s = tool_text_rest(s, 2);
  size_t prefix;
  enum tool_text_match with = tool_text_prefix(s, &prefix);
  s = tool_text_rest(s, prefix);
  m = tool_text_literal(s, name);
  if (m == TOOL_TEXT_MATCH_WHOLE) {
    s = tool_text_rest(s, name.n);
    m = s.n == 0 ? TOOL_TEXT_MATCH_PART : s.p[0] == '>' ? TOOL_TEXT_MATCH_WHOLE : TOOL_TEXT_MATCH_NONE;
  }
  *n = 2 + prefix + name.n + 1;
  return m == TOOL_TEXT_MATCH_NONE && with == TOOL_TEXT_MATCH_PART ? with : m;
}

static struct str unquoted(struct str s) {
  s = str_trim(s);
  bool is_quoted = s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
  return is_quoted ? str_from(s.p + 1, s.n - 2) : s;
}

/* The attributes from `at` on, and the tag's end. */
static enum tool_text_match attributes(struct str s, size_t at, struct tool_text_tag *tag) {
  for (;;) {
    at = tool_text_skip_space(s, at);
    if (at == s.n) return TOOL_TEXT_MATCH_PART;
    if (s.p[at] == '/' && at + 1 == s.n) return TOOL_TEXT_MATCH_PART;
    tag->is_empty = s.p[at] == '/' && s.p[at + 1] == '>';
    if (s.p[at] == '>' || tag->is_empty) {
      tag->n = at + 1 + tag->is_empty;
      return TOOL_TEXT_MATCH_WHOLE;
    }
    size_t from = at;
    while (at < s.n && tool_text_is_name_char(s.p[at]) && s.p[at] != '/') at++;
    struct str key = str_from(s.p + from, at - from), value;
    if (at == s.n) return TOOL_TEXT_MATCH_PART;
    if (key.n == 0) return TOOL_TEXT_MATCH_NONE;
    at = tool_text_skip_space(s, at);
    if (at == s.n) return TOOL_TEXT_MATCH_PART;
    if (s.p[at] != '=') return TOOL_TEXT_MATCH_NONE;
    at = tool_text_skip_space(s, at + 1);
    if (at == s.n) return TOOL_TEXT_MATCH_PART;
    char quote = s.p[at];
    if (quote == '"' || quote == '\'') {
      const char *end = memchr(s.p + at + 1, quote, s.n - at - 1);
      if (!end) return TOOL_TEXT_MATCH_PART;
      value = str_from(s.p + at + 1, (size_t)(end - s.p) - at - 1);
      at = (size_t)(end - s.p) + 1;
    } else {
      for (from = at; at < s.n && !text_is_white(s.p[at]) && s.p[at] != '>' && s.p[at] != '<';) at++;
      value = str_from(s.p + from, at - from);
      if (at == s.n) return TOOL_TEXT_MATCH_PART;
      if (value.n == 0) return TOOL_TEXT_MATCH_NONE;
    }
    if (str_eq(key, STR("name"))) {
      tag->value = value;
      tag->has_value = true;
    } else if (str_eq(key, STR("string"))) {
      tag->is_string = str_eq(value, STR("true"));
    }
  }
}

enum tool_text_match tool_text_tag(struct str s, struct tool_text_tag *tag) {
  *tag = (struct tool_text_tag){.is_string = -1};
  struct str whole = s;
  s = str_sub(s, 0, TOOL_TEXT_TAG_MAX);
  size_t at = 1, prefix;
  enum tool_text_match more = whole.n < TOOL_TEXT_TAG_MAX ? TOOL_TEXT_MATCH_PART : TOOL_TEXT_MATCH_NONE;
  if (at < s.n && s.p[at] == '/') {
    tag->is_close = true;
    at++;
  }
  if (tool_text_prefix(tool_text_rest(s, at), &prefix) == TOOL_TEXT_MATCH_PART) return more;
  at += prefix;
  size_t from = at;
  while (at < s.n && tool_text_is_name_char(s.p[at]) && s.p[at] != '/') at++;
  tag->name = str_from(s.p + from, at - from);
  if (at == s.n) return more;
  bool is_letter = tag->name.n && ((unsigned char)((tag->name.p[0] | 0x20) - 'a') < 26 || tag->name.p[0] == '_');
  if (!is_letter) return TOOL_TEXT_MATCH_NONE;
  if (s.p[at] == '=') {
    const char *end = memchr(s.p + at, '>', s.n - at), *line = memchr(s.p + at, '\n', s.n - at);
    if (line && (!end || line < end)) return TOOL_TEXT_MATCH_NONE;
    if (!end) return more;
    tag->value = unquoted(str_from(s.p + at + 1, (size_t)(end - s.p) - at - 1));
    tag->has_value = true;
    tag->n = (size_t)(end - s.p) + 1;
    return tag->value.n ? TOOL_TEXT_MATCH_WHOLE : TOOL_TEXT_MATCH_NONE;
  }
  enum tool_text_match m = attributes(s, at, tag);
  return m == TOOL_TEXT_MATCH_PART ? more : m;
}

void tool_text_json_start(struct tool_text *t) {
  t->json.depth = 0;
  t->json.is_string = t->json.is_escape = false;
}

enum tool_text_match tool_text_json(struct tool_text *t, struct str s) {
  for (; t->at < s.n; t->at++) {
    char c = s.p[t->at];
    if (t->json.is_string) {
      if (t->json.is_escape)
        t->json.is_escape = false;
      else if (c == '\\')
        t->json.is_escape = true;
      else if (c == '"')
        t->json.is_string = false;
      else if ((unsigned char)c < ' ')
        return TOOL_TEXT_MATCH_NONE; /* a quote is missing: what follows is no string */
    } else if (c == '"') {
      t->json.is_string = true;
    } else if (c == '{' || c == '[') {
      if (++t->json.depth > TOOL_TEXT_DEPTH_MAX) return TOOL_TEXT_MATCH_NONE;
    } else if ((c == '}' || c == ']') && --t->json.depth == 0) {
      t->at++;
      return TOOL_TEXT_MATCH_WHOLE;
    }
  }
  return TOOL_TEXT_MATCH_PART;
}
