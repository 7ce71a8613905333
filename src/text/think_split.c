/* Inline thinking: see think_split.h. Bytes are looked at one by one only while something is held; runs of thinking are
 * passed on whole, up to the next byte with which a closing tag may begin. */
#include "text/think_split.h"

#include "text/text_code.h"

static const struct tag {
  struct str open, close;
  bool is_implied; /* some template writes the opening tag itself, so the closing one may come alone */
} tags[] = {
    {STR("<think>"), STR("</think>"), true},
    {STR("<thinking>"), STR("</thinking>"), false},
    {STR("<thought>"), STR("</thought>"), true},
    {STR("<reasoning>"), STR("</reasoning>"), false},
    {STR("<seed:think>"), STR("</seed:think>"), true},
    {STR("[THINK]"), STR("[/THINK]"), false},
    {STR("<|START_THINKING|>"), STR("<|END_THINKING|>"), true},
    {STR("<|begin_of_thought|>"), STR("<|end_of_thought|>"), false},
    {STR("\xe2\x97\x81think\xe2\x96\xb7"), STR("\xe2\x97\x81/think\xe2\x96\xb7"), false},
};
enum { TAGS = sizeof tags / sizeof *tags };

enum { ALL = (1u << TAGS) - 1 };

static uint32_t implied_tags(void) {
  uint32_t set = 0;
  for (unsigned i = 0; i < TAGS; i++) set |= tags[i].is_implied ? 1u << i : 0;
  return set;
}

/* Whether a tag in `set` (bits by row) begins with s; *row gets the one that is s, or TAGS. */
static bool match(uint32_t set, bool is_close, struct str s, unsigned *row) {
  bool is_prefix = false;
  *row = TAGS;
  for (unsigned i = 0; i < TAGS; i++) {
    struct str tag = is_close ? tags[i].close : tags[i].open;
    if (!(set & 1u << i) || !str_has_prefix(tag, s)) continue;
    is_prefix = true;
    if (tag.n == s.n) *row = i;
  }
  return is_prefix;
}

void think_split_init(struct think_split *t, const struct think_split_options *options) {
  *t = (struct think_split){.closing = implied_tags(), .starts_inside = options && options->starts_inside};
}

/* All that is held goes out but its last `keep` bytes, which are of an unfinished tag. */
static enum err put_held(struct think_split *t, size_t keep, enum text_piece_kind kind, const struct text_sink *sink,
                         struct err_info *info) {
  size_t n = (size_t)t->white + t->partial - keep;
  enum err e = text_put(sink, kind, str_from(t->held, n), info);
  memmove(t->held, t->held + n, keep);
  t->white = 0;
  t->partial = (uint8_t)keep;
  return e;
}

/* The byte c behind the unfinished tag that is held: whether it is part of one. *row as in match. */
static bool extend(struct think_split *t, uint32_t set, bool is_close, char c, unsigned *row) {
  char *partial = t->held + t->white;
  partial[t->partial] = c;
  if (!match(set, is_close, str_from(partial, t->partial + 1u), row)) return false;
  t->partial++;
  return true;
}

/* ---- inside ---- */

/* How many of the n bytes at p, the last of which has broken a tag, and less than all of them, another begins with. */
static size_t overlap(const struct think_split *t, const char *p, size_t n) {
  unsigned row;
  for (size_t k = n - 1; k > 0; k--)
    if (match(t->closing, true, str_from(p + n - k, k), &row)) return k;
  return 0;
}

/* One byte, which may be a tag's or white space, or stand behind what is held. *taken: not to be seen again. */
static enum err step_inside(struct think_split *t, char c, bool *taken, const struct text_sink *sink,
                            struct err_info *info) {
  unsigned row;
  *taken = true;
  if (t->partial == 0 && text_is_white(c)) {
    t->held[t->white++] = c;
    return t->white == THINK_SPLIT_HELD ? put_held(t, 0, TEXT_PIECE_REASONING, sink, info) : OK;
  }
  if (extend(t, t->closing, true, c, &row)) {
    if (row == TAGS) return OK;
    t->white = t->partial = 0;
    t->state = THINK_SPLIT_CLOSED;
    t->has_line_end = false;
    return OK;
  }
  *taken = false;
  size_t k = t->partial ? overlap(t, t->held + t->white, t->partial + 1u) : 0;
  return put_held(t, k ? k - 1 : 0, TEXT_PIECE_REASONING, sink, info);
}

/* How many of n bytes stand before the next that may begin a tag, without the white space that would have to be held.
 * All tags that may close at one time begin alike. */
static size_t plain_run(const struct think_split *t, const char *p, size_t n) {
  char first = tags[__builtin_ctz(t->closing)].close.p[0];
  const char *at = memchr(p, first, n);
  size_t run = at ? (size_t)(at - p) : n, white = 0;
  while (white < run && text_is_white(p[run - 1 - white])) white++;
  return run - white % THINK_SPLIT_HELD; /* step_inside lets them go when it is full */
}

static enum err feed_inside(struct think_split *t, struct str *s, const struct text_sink *sink, struct err_info *info) {
  enum err e = OK;
  bool taken;
  if (t->white + t->partial == 0) {
    size_t n = plain_run(t, s->p, s->n);
    e = text_put(sink, TEXT_PIECE_REASONING, str_from(s->p, n), info);
    *s = str_from(s->p + n, s->n - n);
    if (e || s->n == 0) return e;
  }
  e = step_inside(t, s->p[0], &taken, sink, info);
  if (taken) *s = str_from(s->p + 1, s->n - 1);
  return e;
}

/* ---- between ---- */

static enum err hold_white(struct think_split *t, char c, const struct text_sink *sink, struct err_info *info) {
  bool is_dropped = t->state == THINK_SPLIT_OPENED || (t->state == THINK_SPLIT_BEFORE && t->starts_inside);
  if (t->state == THINK_SPLIT_CLOSED) { /* only the indentation of the answer's first line may stay */
    is_dropped = c == '\n' || !t->has_line_end;
    t->has_line_end |= c == '\n';
    if (c == '\n') t->white = 0;
  }
  if (is_dropped) return OK;
  t->held[t->white++] = c;
  if (t->white < THINK_SPLIT_HELD) return OK;
  t->state = THINK_SPLIT_TEXT;
  return put_held(t, 0, TEXT_PIECE_TEXT, sink, info);
}

/* What is held and what comes is no opening tag. */
static enum err begin(struct think_split *t, const struct text_sink *sink, struct err_info *info) {
  char begun[THINK_SPLIT_TAG_MAX] = {0};
  struct str s = str_from(begun, t->partial);
  enum err e = OK;
  if (t->state != THINK_SPLIT_OPENED && !(t->state == THINK_SPLIT_BEFORE && t->starts_inside)) {
    t->state = THINK_SPLIT_TEXT;
    return put_held(t, 0, TEXT_PIECE_TEXT, sink, info);
  }
  memcpy(begun, t->held, s.n); /* it may begin a closing one */
  t->partial = 0;
  t->state = THINK_SPLIT_INSIDE;
  while (!e && s.n) e = feed_inside(t, &s, sink, info);
  return e;
}

/* One byte before, between or just within tags; *taken as in step_inside. */
static enum err step_between(struct think_split *t, char c, bool *taken, const struct text_sink *sink,
                             struct err_info *info) {
  unsigned row;
  *taken = true;
  if (t->partial == 0 && text_is_white(c)) return hold_white(t, c, sink, info);
  if (t->state != THINK_SPLIT_OPENED && extend(t, ALL, false, c, &row)) {
    if (row == TAGS) return OK;
    t->white = t->partial = 0;
    t->state = THINK_SPLIT_OPENED;
    t->closing = 1u << row;
    return OK;
  }
  *taken = false;
  return begin(t, sink, info);
}

enum err think_split_feed(struct think_split *t, struct str bytes, const struct text_sink *sink,
                          struct err_info *info) {
  enum err e = OK;
  bool taken;
  while (!e && bytes.n) {
    if (t->state == THINK_SPLIT_TEXT) return text_put(sink, TEXT_PIECE_TEXT, bytes, info);
    if (t->state == THINK_SPLIT_INSIDE) {
      e = feed_inside(t, &bytes, sink, info);
      continue;
    }
    e = step_between(t, bytes.p[0], &taken, sink, info);
    if (taken) bytes = str_from(bytes.p + 1, bytes.n - 1);
  }
  return e;
}

enum err think_split_end(struct think_split *t, const struct text_sink *sink, struct err_info *info) {
  bool is_inside = t->state == THINK_SPLIT_INSIDE || (t->state == THINK_SPLIT_BEFORE && t->starts_inside);
  enum err e = OK;
  if (t->partial || t->state == THINK_SPLIT_BEFORE) /* white space just behind a tag goes with it */
    e = put_held(t, 0, is_inside ? TEXT_PIECE_REASONING : TEXT_PIECE_TEXT, sink, info);
  t->white = t->partial = 0;
  t->state = THINK_SPLIT_TEXT;
  return e;
}

/* ---- whole texts ---- */

static bool stands_at_line_edge(struct str text, size_t from, size_t to) {
  while (from > 0 && (text.p[from - 1] == ' ' || text.p[from - 1] == '\t')) from--;
  if (from == 0 || text.p[from - 1] == '\n') return true;
  while (to < text.n && (text.p[to] == ' ' || text.p[to] == '\t' || text.p[to] == '\r')) to++;
  return to == text.n || text.p[to] == '\n';
}

/* The row whose tag stands at `at`, or TAGS. */
static unsigned tag_at(struct str text, size_t at, bool is_close) {
  unsigned i = 0;
  while (i < TAGS && !str_has_prefix(str_sub(text, at, text.n), is_close ? tags[i].close : tags[i].open)) i++;
  return i;
}

/* The first closing tag that ends thinking which a template began: *at and its row, or TAGS. */
static unsigned find_lone_close(struct str text, size_t *at) {
  struct text_code code = {0};
  uint32_t lone = implied_tags();
  unsigned found = TAGS; /* in doubt */
  for (size_t i = 0; i < text.n; i++) {
    enum text_code_event event = text_code_step(&code, text.p[i]);
    if (event == TEXT_CODE_VOID && found < TAGS) return found;
    if (event == TEXT_CODE_CLOSED) found = TAGS;
    if (code.state == TEXT_CODE_FENCE || found < TAGS || text.p[i] != '<') continue;
    unsigned row = tag_at(text, i, false);
    if (row < TAGS) lone &= ~(1u << row); /* the text has its own pairs */
    row = tag_at(text, i, true);
    if (row == TAGS || !(lone & 1u << row) || !stands_at_line_edge(text, i, i + tags[row].close.n)) continue;
    *at = i;
    found = row;
    if (code.state == TEXT_CODE_NONE) return found;
  }
  return text_code_end(&code) == TEXT_CODE_VOID ? found : TAGS;
}

/* Every closing tag begins with one of these bytes; most answers have none of them. */
static bool may_close(struct str text) {
  return str_find_char(text, '<') != SIZE_MAX || str_find_char(text, '[') != SIZE_MAX ||
         str_find_char(text, '\xe2') != SIZE_MAX;
}

enum err think_split_whole(struct str text, const struct think_split_options *options, const struct text_sink *sink,
                           struct err_info *info) {
  struct think_split t;
  size_t at = 0;
  enum err e = OK;
  think_split_init(&t, options);
  struct str trimmed = str_trim(text);
  unsigned row =
      t.starts_inside || tag_at(trimmed, 0, false) < TAGS || !may_close(text) ? TAGS : find_lone_close(text, &at);
  if (row < TAGS) {
    e = text_put(sink, TEXT_PIECE_REASONING, str_trim(str_sub(text, 0, at)), info);
    t.state = THINK_SPLIT_CLOSED;
    text = str_sub(text, at + tags[row].close.n, text.n);
  }
  if (!e) e = think_split_feed(&t, text, sink, info);
  return e ? e : think_split_end(&t, sink, info);
}
