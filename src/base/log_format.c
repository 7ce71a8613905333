/* One log line as bytes: see log_format.h. Written by hand, since printf alone would cost more than the rest of the
 * line. */
#include "base/log_format.h"

#include "base/clock.h"

enum { TAIL = 16 }; /* room kept for ,"cut":true}\n */

struct line {
  char *at, *end; /* end leaves TAIL bytes */
};

static const struct {
  struct str json, text;
} names[LOG_NAME_COUNT] = {
#define X(name, key, meaning) [LOG_##name] = {{",\"" key "\":", sizeof key + 3}, {" " key "=", sizeof key + 1}},
#include "base/log_field.def"
#undef X
};

static bool put(struct line *l, const char *p, size_t n) {
  if ((size_t)(l->end - l->at) < n) return false;
  memcpy(l->at, p, n);
  l->at += n;
  return true;
}

static bool put_str(struct line *l, struct str s) { return put(l, s.p, s.n); }

static bool put_u64(struct line *l, uint64_t v) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + v % 10);
  while (v /= 10);
  return put(l, digits + at, sizeof digits - at);
}

static bool put_i64(struct line *l, int64_t v) {
  return (v >= 0 || put(l, "-", 1)) && put_u64(l, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Bytes that stand for themselves in a JSON string; above 0x7f the sequence decides. */
static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/* Length of the well-formed sequence at p, 0 when ill-formed. */
static size_t utf8_length(const char *p, size_t n) {
  unsigned char c = (unsigned char)p[0];
  size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  return want <= n && str_is_utf8(str_from(p, want)) ? want : 0;
}

static bool put_escape(struct line *l, unsigned code) {
  static const char hex[] = "0123456789abcdef";
  char e[6] = {'\\', 'u', '0', '0', hex[code >> 4 & 15], hex[code & 15]};
  char two = code == '"' || code == '\\' ? (char)code
             : code == '\n'              ? 'n'
             : code == '\t'              ? 't'
             : code == '\r'              ? 'r'
                                         : 0;
  if (!two) return put(l, e, 6);
  e[1] = two;
  return put(l, e, 2);
}

static bool put_quoted(struct line *l, struct str s) {
  bool is_cut = s.n > LOG_VALUE_MAX;
  if (is_cut) {
    s.n = LOG_VALUE_MAX;
    while (s.n > LOG_VALUE_MAX - 4 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80) s.n--;
  }
  bool ok = put(l, "\"", 1);
  for (size_t i = 0; i < s.n && ok;) {
    size_t from = i;
    while (i < s.n && is_plain((unsigned char)s.p[i])) i++;
    ok = put(l, s.p + from, i - from);
    if (!ok || i == s.n) break;
    unsigned char c = (unsigned char)s.p[i];
    size_t n = c < 0x80 ? 0 : utf8_length(s.p + i, s.n - i);
    /* C1 controls, which some terminals obey, are escaped like the others. */
    bool is_c1 = n == 2 && c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0;
    if (c < 0x80 || is_c1)
      ok = put_escape(l, is_c1 ? (unsigned char)s.p[i + 1] : c);
    else
      ok = n ? put(l, s.p + i, n) : put(l, "\xef\xbf\xbd", 3);
    i += n ? n : 1;
  }
  return ok && (!is_cut || put(l, "\xe2\x80\xa6", 3)) && put(l, "\"", 1);
}

static bool put_text_value(struct line *l, struct str s) {
  bool is_bare = s.n > 0 && s.n <= LOG_VALUE_MAX;
  for (size_t i = 0; i < s.n && is_bare; i++)
    is_bare = is_plain((unsigned char)s.p[i]) && s.p[i] != ' ' && s.p[i] != '=';
  return is_bare ? put_str(l, s) : put_quoted(l, s);
}

/* clock_format_rfc3339 with the second's part kept, since many lines share it. */
static void put_time(struct line *l, int64_t wall_us) {
  static _Thread_local struct {
    int64_t second;
    char text[25];
  } kept = {.second = INT64_MIN};
  int64_t second = wall_us / 1000000;
  if (second != kept.second) {
    clock_format_rfc3339(wall_us, kept.text);
    kept.second = second;
  }
  unsigned ms = (unsigned)(wall_us / 1000 % 1000);
  kept.text[20] = (char)('0' + ms / 100);
  kept.text[21] = (char)('0' + ms / 10 % 10);
  kept.text[22] = (char)('0' + ms % 10);
  (void)put(l, kept.text, 24);
}

static bool put_field(struct line *l, bool is_json, const struct log_field *f) {
  if (f->name >= LOG_NAME_COUNT || !put_str(l, is_json ? names[f->name].json : names[f->name].text)) return false;
  switch (f->type) {
    case LOG_TYPE_U64: return put_u64(l, f->v.u64);
    case LOG_TYPE_I64: return put_i64(l, f->v.i64);
    case LOG_TYPE_BOOL: return put_str(l, f->v.boolean ? STR("true") : STR("false"));
    case LOG_TYPE_STR: return is_json ? put_quoted(l, f->v.str) : put_text_value(l, f->v.str);
  }
  return false;
}

size_t log_format(char out[LOG_LINE_MAX], bool is_json, int64_t wall_us, enum log_level level, struct str event,
                  const struct log_field *fields, size_t n) {
  static const struct {
    struct str json, text;
  } levels[] = {
      {{"\",\"level\":\"debug\",\"event\":\"", 27}, {" DEBUG ", 7}},
      {{"\",\"level\":\"info\",\"event\":\"", 26}, {" INFO ", 6}},
      {{"\",\"level\":\"warn\",\"event\":\"", 26}, {" WARN ", 6}},
      {{"\",\"level\":\"error\",\"event\":\"", 27}, {" ERROR ", 7}},
  };
  struct line l = {out, out + LOG_LINE_MAX - TAIL};
  unsigned at = level <= LOG_LEVEL_ERROR ? level : LOG_LEVEL_ERROR;
  if (is_json) (void)put(&l, "{\"time\":\"", 9);
  put_time(&l, wall_us);
  (void)put_str(&l, is_json ? levels[at].json : levels[at].text);
  (void)put_str(&l, str_sub(event, 0, LOG_EVENT_MAX));
  if (is_json) (void)put(&l, "\"", 1);
  bool is_cut = n > LOG_FIELDS_MAX;
  for (size_t i = 0; i < n && i < LOG_FIELDS_MAX; i++) {
    char *before = l.at;
    if (put_field(&l, is_json, &fields[i])) continue;
    l.at = before;
    is_cut = true;
    break;
  }
  l.end += TAIL;
  if (is_cut) (void)put_str(&l, is_json ? STR(",\"cut\":true") : STR(" cut=true"));
  (void)put_str(&l, is_json ? STR("}\n") : STR("\n"));
  return (size_t)(l.at - out);
}
