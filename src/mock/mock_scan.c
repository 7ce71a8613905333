/* The quick pass: see mock_scan.h. */
#include "mock/mock_scan.h"

struct scanner {
  struct mock_scan *out;
  const char *at, *end;
  unsigned depth;      /* open brackets */
  struct str top, key; /* the key of the root's member we are in; the innermost key read last */
};

/* at is behind the opening quote; leaves it behind the closing one. */
static bool read_string(struct scanner *s, struct str *out) {
  const char *start = s->at, *from = s->at;
  while (from < s->end) {
    const char *quote = memchr(from, '"', (size_t)(s->end - from));
    if (!quote) return false;
    size_t slashes = 0;
    while (quote - slashes > start && quote[-1 - (ptrdiff_t)slashes] == '\\') slashes++;
    if (slashes % 2 == 0) {
      *out = str_from(start, (size_t)(quote - start));
      s->at = quote + 1;
      return true;
    }
    from = quote + 1;
  }
  return false;
}

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static bool is_key(struct scanner *s) {
  const char *p = s->at;
  while (p < s->end && is_space(*p)) p++;
  if (p == s->end || *p != ':') return false;
  s->at = p + 1;
  return true;
}

static void see_string(struct scanner *s, struct str value) {
  if (s->depth == 1) {
    if (str_eq(s->top, STR("model"))) s->out->model = value;
  } else if (str_eq(s->top, STR("messages"))) {
    if (str_eq(s->key, STR("content")) || str_eq(s->key, STR("text"))) s->out->text_bytes += value.n;
    if (s->depth == 3 && str_eq(s->key, STR("role")))
      s->out->is_tool_last = str_eq(value, STR("tool")) || str_eq(value, STR("function"));
  } else if (s->depth == 2 && str_eq(s->top, STR("response_format")) && str_eq(s->key, STR("type"))) {
    s->out->wants_json = !str_eq(value, STR("text"));
  }
}

static void see_literal(struct scanner *s, struct str value) {
  uint64_t number;
  if (s->depth == 1 && str_eq(s->top, STR("stream"))) s->out->is_stream = str_eq(value, STR("true"));
  if (s->depth == 1 && str_eq(s->top, STR("n")) && str_to_u64(value, &number))
    s->out->n = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
  if (s->depth == 1 && str_eq(s->top, STR("logprobs"))) s->out->wants_logprobs = str_eq(value, STR("true"));
  if (s->depth == 2 && str_eq(s->top, STR("stream_options")) && str_eq(s->key, STR("include_usage")))
    s->out->wants_usage = str_eq(value, STR("true"));
}

/* Called on a quote: a key or a value. */
static bool take_string(struct scanner *s) {
  struct str text;
  s->at++;
  if (!read_string(s, &text)) return false;
  if (!is_key(s)) {
    see_string(s, text);
    return true;
  }
  if (s->depth == 1) {
    s->top = text;
    if (str_eq(text, STR("messages"))) s->out->has_messages = true;
  }
  s->key = text;
  return true;
}

static void take_literal(struct scanner *s) {
  const char *start = s->at;
  while (s->at < s->end && !is_space(*s->at) && *s->at != ',' && *s->at != '}' && *s->at != ']') s->at++;
  see_literal(s, str_from(start, (size_t)(s->at - start)));
}

bool mock_scan_chat(struct str body, struct mock_scan *out) {
  struct scanner s = {.out = out, .at = body.p, .end = body.p + body.n};
  *out = (struct mock_scan){.n = 1};
  if (body.n == 0) return false;
  bool is_closed = false;
  while (s.at < s.end) {
    char c = *s.at;
    if (is_space(c) || c == ',') {
      s.at++;
    } else if (is_closed || (s.depth == 0 && c != '{')) {
      return false;
    } else if (c == '"') {
      if (!take_string(&s)) return false;
    } else if (c == '{' || c == '[') {
      s.depth++;
      s.at++;
    } else if (c == '}' || c == ']') {
      is_closed = --s.depth == 0;
      s.at++;
    } else {
      take_literal(&s);
    }
  }
  return is_closed;
}
