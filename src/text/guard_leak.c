/* The leak guard: see guard_leak.h. Offsets count from the text's beginning; what is pending are the bytes from put_to
 * to `at`, first those in `held`, then those of the piece being fed. While nothing is held, no tag open and no backtick
 * seen, a piece costs one look at each byte. */
#include "text/guard_leak.h"

static const struct str names[] = {STR("task-notification"), STR("teammate-message"), STR("channel"),
                                   STR("cross-session-message"), STR("tick")};
_Static_assert(sizeof names / sizeof *names == GUARD_LEAK_NAMES, "a row for each");

static const uint64_t nowhere = UINT64_MAX;

void guard_leak_init(struct guard_leak *g, enum text_piece_kind kind) {
  *g = (struct guard_leak){.kind = kind, .most = GUARD_LEAK_HELD, .hold = nowhere};
  buf_init(&g->held, 0);
}

void guard_leak_clear(struct guard_leak *g) { buf_clear(&g->held); }

/* The piece being fed, and where it stands in the text. */
struct feeding {
  struct str bytes;
  uint64_t base;
  const struct text_sink *sink;
  struct err_info *info;
};

static enum err put_until(struct guard_leak *g, const struct feeding *f, uint64_t to) {
  enum err e = OK;
  if (g->held.n && to > g->put_to) {
    size_t n = to - g->put_to < g->held.n ? (size_t)(to - g->put_to) : g->held.n;
    e = text_put(f->sink, g->kind, str_sub(buf_str(&g->held), 0, n), f->info);
    buf_shift(&g->held, n);
    g->put_to += n;
  }
  if (!e && to > g->put_to) {
    e = text_put(f->sink, g->kind, str_sub(f->bytes, (size_t)(g->put_to - f->base), (size_t)(to - f->base)), f->info);
    g->put_to = to;
  }
  return e;
}

/* ---- tags ---- */

static uint64_t first_open(const struct guard_leak_found *found) {
  uint64_t first = nowhere;
  for (unsigned i = 0; found->open_count && i < GUARD_LEAK_NAMES; i++)
    if (found->open[i].last && found->open[i].first < first) first = found->open[i].first;
  return first;
}

/* Holds no more than has to be: from the first tag that may yet be part of a leak. */
static void let_go(struct guard_leak *g) {
  if (g->found.is_leak) return;
  uint64_t from = g->tag == GUARD_LEAK_NO_TAG ? nowhere : g->tag_at, open = first_open(&g->found);
  uint64_t doubted = g->code.state == TEXT_CODE_DOUBT ? first_open(&g->before_doubt) : nowhere;
  if (open < from) from = open;
  g->hold = doubted < from ? doubted : from;
}

static void end_opening(struct guard_leak *g) {
  struct guard_leak_open *o = &g->found.open[g->name];
  g->found.content = g->tag_at; /* a tag is content of those around it */
  if (g->is_slash) return;
  if (o->last == 0) g->found.open_count++;
  uint64_t first = o->last ? o->first : g->tag_at;
  *o = (struct guard_leak_open){.last = g->tag_at + 1, .previous = o->last, .first = first, .end = g->at};
}

/* A loose one may end a leak, but takes nothing away: for a client that wants it exact the pair is still open. */
static void end_closing(struct guard_leak *g) {
  struct guard_leak_open *o = &g->found.open[g->name];
  if (o->last && (o->previous || g->found.content > o->end)) {
    g->found.is_leak = true;
  } else if (o->last && !g->is_loose) { /* an empty pair */
    *o = (struct guard_leak_open){0};
    g->found.open_count--;
  }
  g->found.content = g->at;
}

static void begin_tag(struct guard_leak *g) {
  g->tag = GUARD_LEAK_NAME;
  g->tag_at = g->at;
  g->names = (1u << GUARD_LEAK_NAMES) - 1;
  g->name_n = 0;
  g->is_close = g->is_loose = g->is_slash = false;
  if (g->hold == nowhere) g->hold = g->at;
}

/* A byte that makes no tag of it. */
static void break_tag(struct guard_leak *g) {
  g->tag = GUARD_LEAK_NO_TAG;
  g->found.content = g->tag_at;
}

static void step_name(struct guard_leak *g, char c) {
  if (c == '/' && g->name_n == 0 && !g->is_close) {
    g->is_close = true;
    return;
  }
  for (unsigned i = 0; i < GUARD_LEAK_NAMES; i++) {
    if (!(g->names & 1u << i)) continue;
    if (g->name_n == names[i].n && (text_is_white(c) || c == '>' || (c == '/' && !g->is_close))) {
      g->tag = GUARD_LEAK_INSIDE;
      g->name = (uint8_t)i;
      return;
    }
    if (g->name_n == names[i].n || names[i].p[g->name_n] != c) g->names &= (uint8_t) ~(1u << i);
  }
  g->name_n++;
  if (!g->names) break_tag(g);
}

static void step_inside(struct guard_leak *g, char c) {
  if (c == '>') {
    g->tag = GUARD_LEAK_NO_TAG;
    if (g->is_close)
      end_closing(g);
    else
      end_opening(g);
  } else if ((g->is_close && !text_is_white(c)) || g->at - g->tag_at >= g->most / 32) {
    break_tag(g);
  } else {
    g->is_loose = g->is_close;
    g->is_slash = c == '/';
  }
}

static void step_tag(struct guard_leak *g, char c) {
  if (g->tag != GUARD_LEAK_NO_TAG && (c == '<' || c == '`')) break_tag(g);
  if (g->tag == GUARD_LEAK_NAME) step_name(g, c);
  if (g->tag == GUARD_LEAK_INSIDE) step_inside(g, c);
}

static void step_text(struct guard_leak *g, char c) {
  if (g->tag != GUARD_LEAK_NO_TAG) {
    step_tag(g, c);
    if (g->tag == GUARD_LEAK_NO_TAG) let_go(g);
    if (g->tag == GUARD_LEAK_NO_TAG && c != '<') return;
  }
  if (c == '<' && g->code.state != TEXT_CODE_FENCE)
    begin_tag(g);
  else if (g->tag == GUARD_LEAK_NO_TAG && !text_is_white(c))
    g->found.content = g->at;
}

/* ---- code ---- */

static void end_doubt(struct guard_leak *g, enum text_code_event event) {
  if (event == TEXT_CODE_OPENED) {
    if (g->found.open_count || g->before_doubt.open_count) g->before_doubt = g->found;
  } else if (event == TEXT_CODE_CLOSED) {
    g->found = g->before_doubt;
    g->tag = GUARD_LEAK_NO_TAG;
    g->found.content = g->at - 1; /* the code */
    let_go(g);
  }
}

static bool is_certain_leak(const struct guard_leak *g) { return g->found.is_leak && g->code.state != TEXT_CODE_DOUBT; }

/* ---- the bound ---- */

/* Tags that open before `from` are let go. */
static void expire(struct guard_leak_found *found, uint64_t from) {
  for (unsigned i = 0; i < GUARD_LEAK_NAMES; i++) {
    struct guard_leak_open *o = &found->open[i];
    if (o->last == 0 || o->first >= from) continue;
    if (o->previous <= from) o->previous = 0;
    o->first = o->previous ? from : o->last - 1;
    if (o->last > from) continue;
    *o = (struct guard_leak_open){0};
    found->open_count--;
  }
}

/* Too much is held. A leak in doubt is one: no line of code is so long. */
static enum err slide(struct guard_leak *g, const struct feeding *f) {
  if (g->found.is_leak) return ERR_GUARD_LEAK;
  g->hold += g->most / 2;
  expire(&g->found, g->hold);
  expire(&g->before_doubt, g->hold);
  let_go(g);
  return put_until(g, f, g->hold == nowhere ? g->at : g->hold);
}

/* ---- pieces ---- */

static enum err leak(struct guard_leak *g, const struct feeding *f) {
  enum err e = put_until(g, f, g->hold);
  return e ? e
           : err_set(f->info, ERR_GUARD_LEAK,
                     "the model wrote its client's scaffolding into the answer; the answer was stopped");
}

void guard_leak_pass_code(struct guard_leak *g, struct str bytes) {
  for (size_t i = 0; i < bytes.n; i++)
    if (text_code_step(&g->code, bytes.p[i]) == TEXT_CODE_OPENED) end_doubt(g, TEXT_CODE_OPENED);
}

/* The first '<' or '`' of n bytes, or n. Looked for in blocks, so that neither search goes far beyond the other's find;
 * a loop over bytes costs a mispredicted branch for each short delta. */
static size_t find_mark(const char *p, size_t n) {
  enum { BLOCK = 64 };
  for (size_t i = 0; i < n; i += BLOCK) {
    size_t block = n - i < BLOCK ? n - i : BLOCK;
    const char *tag = memchr(p + i, '<', block);
    const char *tick = memchr(p + i, '`', tag ? (size_t)(tag - p) - i : block);
    if (tick || tag) return (size_t)((tick ? tick : tag) - p);
  }
  return n;
}

/* How many of n bytes change nothing: nothing is held, no backtick is open. */
static size_t clean_run(const struct guard_leak *g, const char *p, size_t n) {
  if (n == 0 || g->hold != nowhere || g->code.run) return 0;
  if (g->code.state == TEXT_CODE_NONE) return find_mark(p, n);
  if (g->code.state != TEXT_CODE_FENCE || !g->code.is_inside_line || g->code.is_closing) return 0;
  const char *end = memchr(p, '\n', n);
  return end ? (size_t)(end - p) : n;
}

static enum err step(struct guard_leak *g, const struct feeding *f, char c) {
  enum text_code_event event = text_code_step(&g->code, c);
  if (event) end_doubt(g, event);
  if (is_certain_leak(g)) return leak(g, f);
  step_text(g, c);
  g->at++;
  if (is_certain_leak(g)) return leak(g, f);
  if (g->hold != nowhere && g->at - g->hold >= g->most) {
    enum err e = slide(g, f);
    return e == ERR_GUARD_LEAK ? leak(g, f) : e;
  }
  return OK;
}

enum err guard_leak_feed(struct guard_leak *g, struct str bytes, const struct text_sink *sink, struct err_info *info) {
  const struct text_look look = text_look(bytes);
  if (guard_leak_may_pass(g, &look)) { /* most of them */
    guard_leak_pass(g, bytes, &look);
    return text_put(sink, g->kind, bytes, info);
  }
  const struct feeding f = {bytes, g->at, sink, info};
  enum err e = OK;
  for (size_t i; !e && (i = (size_t)(g->at - f.base)) < bytes.n;) {
    size_t n = clean_run(g, bytes.p + i, bytes.n - i);
    g->at += n;
    if (i + n < bytes.n) e = step(g, &f, bytes.p[i + n]);
  }
  if (!e) e = put_until(g, &f, g->hold < g->at ? g->hold : g->at);
  if (e || g->hold == nowhere) return e;
  buf_put(&g->held, str_sub(bytes, (size_t)(g->put_to + g->held.n - f.base), bytes.n));
  return g->held.failed ? ERR_NO_MEMORY : OK;
}

enum err guard_leak_end(struct guard_leak *g, const struct text_sink *sink, struct err_info *info) {
  const struct feeding f = {STR_NONE, g->at, sink, info};
  end_doubt(g, text_code_end(&g->code));
  if (g->found.is_leak) return leak(g, &f);
  enum err e = put_until(g, &f, g->at);
  enum text_piece_kind kind = g->kind;
  guard_leak_clear(g);
  guard_leak_init(g, kind);
  return e;
}
