/* Text with calls in it, taken apart: see tool_text.h. Here: markers, white space and the blocks' frame; where
 * the text stands in Markdown says tool_text_fence.c, what a block says its format's step (tool_text_xml.c,
 * tool_text_token.c). Bytes are held and taken off as text or as a call; no offset ever goes back, which makes the
 * whole linear.
 *
 * The markers are those of published chat templates. Read in November 2026: the templates of DeepSeek V3.1 and V3.2
 * (DSML), GLM-4.6, Kimi K2 and MiniMax M2 as llama.cpp keeps them (models/templates); openai/harmony, docs/format.md;
 * the parsers of vLLM for MiniMax M1, of SGLang for gpt-oss, Llama 3.2 and Mistral's list. The others are known by
 * their vendors' descriptions and by lists of parsers that agree: DeepSeek R1 and V3 (a fence around the JSON), Hermes
 * 2 Pro and Qwen 2.5 and 3, Qwen3-Coder (<function=…>), Mistral's later NAME[CALL_ID]…[ARGS]{…}, Llama 3.1's
 * <function=…>, Anthropic's <function_calls>. Kimi's sections, F1 to F6 and their mixtures: as seen to leak. */
#include "text/tool_text.h"

#include "llm/request.h"
#include "text/tool_text_internal.h"

enum {
  SLICE_BYTES = 16 * 1024, /* of what is fed, copied at a time */
  SPACE_MAX_BYTES = 4096   /* more white space than that is text */
};

#define MARKER(literal) \
  { literal, sizeof literal - 1 }
#define XML(literal) \
  { MARKER(literal), tool_text_xml, tool_text_xml_end, .is_xml = true }
#define TOKEN(literal, step) \
  { MARKER(literal), step, step##_end, .is_special = true }
#define SECTION(literal, step) \
  { MARKER(literal), step, tool_text_section_end, .is_special = true }
#define BAR "\xef\xbd\x9c"
#define LOW "\xe2\x96\x81"

static const struct tool_text_format formats[] = {
    XML("<tool_call>"),
    XML("<tool_call "),
    XML("<tool_calls>"),
    XML("<function_calls>"),
    XML("<invoke "),
    XML("<minimax:tool_call>"),
    XML("<function="),
    XML("<function "),
    XML("<CallMcpTool>"),
    SECTION("<|tool_calls_section_begin|>", tool_text_kimi),
    SECTION("<|tool_call_begin|>", tool_text_kimi),
    SECTION("<" BAR "tool" LOW "calls" LOW "begin" BAR ">", tool_text_deepseek),
    SECTION("<" BAR "tool" LOW "call" LOW "begin" BAR ">", tool_text_deepseek),
    TOKEN("<|start|>assistant", tool_text_harmony),
    TOKEN("<|channel|>", tool_text_harmony),
    TOKEN("<|python_tag|>", tool_text_list),
    TOKEN("[TOOL_CALLS]", tool_text_list),
};
/* Where it is the first thing of the text. */
static const struct tool_text_format bare = {.marker = MARKER("{"), .step = tool_text_bare, .end = tool_text_bare_end};

/* Ends of blocks, taken off where they follow one, or where their block was left open. */
static const struct str closers[] = {MARKER("tool_calls"), MARKER("function_calls"), MARKER("minimax:tool_call"),
                                     MARKER("tool_call"),  MARKER("invoke"),         MARKER("function"),
                                     MARKER("CallMcpTool")};
static const struct str token_closers[] = {MARKER("<|tool_calls_section_end|>"),
                                           MARKER("<" BAR "tool" LOW "calls" LOW "end" BAR ">")};
#define COUNT(list) (sizeof(list) / sizeof *(list))

void tool_text_init(struct tool_text *t, const struct tool_text_options *options) {
  *t = (struct tool_text){
      .options = *options, .request = options->request, .block.tool = -1, .fence.is_line_start = true};
  if (!t->options.block_max_bytes) t->options.block_max_bytes = TOOL_TEXT_BLOCK_MAX_BYTES;
  if (!t->options.calls_max) t->options.calls_max = TOOL_TEXT_CALLS_MAX;
  buf_init(&t->held, 0);
  buf_init(&t->space, 0);
  buf_init(&t->params, 0);
  buf_init(&t->args, 8 * t->options.block_max_bytes + 4096); /* escapes may make six bytes of one */
  buf_init(&t->scratch, 8 * t->options.block_max_bytes + 4096);
}

void tool_text_clear(struct tool_text *t) {
  buf_clear(&t->held);
  buf_clear(&t->space);
  buf_clear(&t->params);
  buf_clear(&t->args);
  buf_clear(&t->scratch);
  json_pool_clear(&t->pool);
}

/* ---- text that is decided ---- */
struct out {
  const struct text_sink *sink;
  struct err_info *info;
};

static enum err put(struct tool_text *t, struct str s, const struct out *out) {
  if (s.n == 0) return OK;
  t->has_words = true;
  t->is_last_space = text_is_white(s.p[s.n - 1]);
  return text_put(out->sink, t->options.is_reasoning ? TEXT_PIECE_REASONING : TEXT_PIECE_TEXT, s, out->info);
}

static enum err put_space(struct tool_text *t, const struct out *out) {
  enum err e = put(t, buf_str(&t->space), out);
  buf_reset(&t->space);
  return e;
}

/* White space at the end is held from the first call on. */
static enum err put_words(struct tool_text *t, struct str s, const struct out *out) {
  if (!t->options.holds_space && t->calls == 0) return put(t, s, out);
  enum err e = OK;
  if (t->is_after_call) {
    size_t skip = tool_text_skip_space(s, 0);
    if (skip == s.n) return OK;
    s = str_sub(s, skip, s.n);
    t->is_after_call = false;
    if (t->has_words && !t->is_last_space && (e = put(t, STR(" "), out)) != OK) return e;
  }
  size_t n = s.n;
  while (n && text_is_white(s.p[n - 1])) n--;
  if (n) {
    if ((e = put_space(t, out)) != OK || (e = put(t, str_sub(s, 0, n), out)) != OK) return e;
  }
  for (s = str_sub(s, n, s.n); s.n && e == OK;) {
    size_t room = SPACE_MAX_BYTES - t->space.n, take = s.n < room ? s.n : room;
    buf_put(&t->space, str_sub(s, 0, take));
    if (t->space.failed) return ERR_NO_MEMORY;
    if (take == room) e = put_space(t, out);
    s = str_sub(s, take, s.n);
  }
  return e;
}

static struct str window(const struct tool_text *t) {
  size_t n = t->held.n - t->head;
  if (n == 0) return STR_NONE;
  return str_from(t->held.p + t->head, n < t->options.block_max_bytes ? n : t->options.block_max_bytes);
}

/* Takes n bytes off. */
static void take(struct tool_text *t, size_t n) {
  t->head += n;
  t->at = t->at > n ? t->at - n : 0;
}

static enum err take_text(struct tool_text *t, size_t n, const struct out *out) {
  enum err e = put_words(t, str_sub(window(t), 0, n), out);
  take(t, n);
  return e;
}

/* ---- markers ---- */
/* [byte]: 1 where a marker, or the prefix of one, has it behind its first. */
static const unsigned char second_bytes[256] = {
    ['t'] = 1, ['f'] = 1, ['i'] = 1, ['m'] = 1, ['C'] = 1, ['|'] = 1, ['a'] = 1, ['T'] = 1, [0xef] = 1};

static enum tool_text_match match_format(const struct tool_text *t, struct str s,
                                         const struct tool_text_format **format) {
  enum tool_text_match best = TOOL_TEXT_MATCH_NONE;
  size_t prefix = 0;
  struct str name = STR_NONE;
  if (s.n == 1) return TOOL_TEXT_MATCH_PART;
  if (!second_bytes[(unsigned char)s.p[1]]) return TOOL_TEXT_MATCH_NONE;
  if (s.p[0] == '<') {
    best = tool_text_prefix(tool_text_rest(s, 1), &prefix);
    bool is_reading_prefix = s.n > 1 && best == TOOL_TEXT_MATCH_PART && s.p[1] == 'a';
    if (is_reading_prefix && t->options.is_reasoning) best = TOOL_TEXT_MATCH_NONE;
    if (best == TOOL_TEXT_MATCH_WHOLE) name = tool_text_rest(s, 1 + prefix);
  }
  bool is_token = prefix && s.p[1] != 'a'; /* DSML is a token; antml is not */
  for (size_t i = 0; i < COUNT(formats); i++) {
    const struct tool_text_format *f = &formats[i];
    enum tool_text_match m;
    if (prefix && f->is_xml)
      m = tool_text_literal(name, tool_text_rest(f->marker, 1));
    else
      m = tool_text_literal(s, f->marker);
    if (m == TOOL_TEXT_MATCH_NONE || (t->options.is_reasoning && !f->is_special && !is_token)) continue;
    *format = f;
    if (m == TOOL_TEXT_MATCH_WHOLE) return m;
    best = m;
  }
  return best == TOOL_TEXT_MATCH_WHOLE ? TOOL_TEXT_MATCH_NONE : best;
}

/* The end of a block that is over, at the beginning of s. */
static enum tool_text_match match_closer(const struct tool_text *t, struct str s, size_t *n) {
  enum tool_text_match best = TOOL_TEXT_MATCH_NONE;
  for (size_t i = 0; i < COUNT(closers) + COUNT(token_closers); i++) {
    bool is_token = i >= COUNT(closers);
    struct str closer = is_token ? token_closers[i - COUNT(closers)] : closers[i];
    if (!t->is_after_call && !str_eq(closer, t->open_wrapper)) continue;
    enum tool_text_match m = is_token ? tool_text_literal(s, closer) : tool_text_close(s, closer, n);
    if (is_token) *n = closer.n;
    if (m == TOOL_TEXT_MATCH_WHOLE) return m;
    if (m == TOOL_TEXT_MATCH_PART) best = m;
  }
  return best;
}

static void begin_block(struct tool_text *t, const struct tool_text_format *format) {
  t->block = (struct tool_text_block){.format = format, .tool = -1};
  buf_reset(&t->params);
}

static void end_block(struct tool_text *t) {
  t->block.format = NULL;
  if (t->block.calls)
    t->skipped += t->block.bad;
  else
    t->open_wrapper = STR_NONE; /* what opened it is text */
}

/* At a byte that may begin a marker; false: more bytes are needed to tell. */
static enum err at_mark(struct tool_text *t, const struct out *out, bool *more) {
  struct str s = window(t), here = tool_text_rest(s, t->at);
  const struct tool_text_format *format = &bare;
  size_t n;
  *more = false;
  if (t->hold.state == TOOL_TEXT_HOLD_BLANK) { /* in a fence */
    enum tool_text_match m = match_format(t, here, &format);
    *more = m == TOOL_TEXT_MATCH_PART && s.n < t->options.block_max_bytes;
    if (!*more) {
      t->hold.state = m == TOOL_TEXT_MATCH_WHOLE ? TOOL_TEXT_HOLD_INSIDE : TOOL_TEXT_HOLD_NONE;
      t->at++;
    }
    return OK;
  }
  enum err e = take_text(t, t->at, out); /* what is before it is decided */
  if (e != OK) return e;
  here = window(t);
  enum tool_text_match m = TOOL_TEXT_MATCH_WHOLE, closer = TOOL_TEXT_MATCH_NONE;
  if (here.p[0] != '{') {
    m = match_format(t, here, &format);
    if (t->calls && here.p[0] == '<') closer = match_closer(t, here, &n);
  }
  if (m == TOOL_TEXT_MATCH_WHOLE) {
    begin_block(t, format);
  } else if (closer == TOOL_TEXT_MATCH_WHOLE) {
    take(t, n);
    t->open_wrapper = STR_NONE;
    t->is_after_call = true;
    buf_reset(&t->space);
  } else if (m == TOOL_TEXT_MATCH_PART || closer == TOOL_TEXT_MATCH_PART) {
    *more = true;
  } else {
    t->at = 1;
  }
  return OK;
}

/* What a walk over text comes to. */
enum walk {
  WALK_END,  /* of what there is */
  WALK_MARK, /* t->at may begin a marker */
  WALK_FENCE /* t->at may begin a fence that wraps calls: what lies before is decided */
};

/* Goes on from t->at, in no block. */
static enum walk walk(struct tool_text *t, struct str s) {
  bool is_plain = !t->is_inner && !t->options.is_reasoning;
  for (; t->at < s.n; t->at++) {
    char c = s.p[t->at];
    unsigned class = text_look_of(c);
    bool is_first = !t->is_started && !(class & TEXT_LOOK_WHITE);
    t->is_started |= is_first;
    if (is_plain && tool_text_fence_may_open(&t->fence, c)) return WALK_FENCE;
    enum tool_text_fence_event event = tool_text_fence_step(&t->fence, c);
    tool_text_hold_step(&t->hold, &t->fence, event, c, t->at);
    if (is_first && is_plain && c == '{') return WALK_MARK;
    if (class != TEXT_LOOK_OPEN) continue;
    if (t->fence.code == TOOL_TEXT_PROSE || t->hold.state == TOOL_TEXT_HOLD_BLANK) return WALK_MARK;
  }
  return WALK_END;
}

/* ---- blocks ---- */
static enum err put_call(struct tool_text *t, size_t n, const struct out *out) {
  const struct text_piece piece = {
      .kind = TEXT_PIECE_CALL, .bytes = buf_str(&t->args), .name = t->request->tools[t->block.tool].name};
  enum err e = out->sink->put(out->sink->arg, &piece, out->info);
  take(t, n);
  t->at = 0;
  t->block.from = 0;
  t->calls++;
  t->block.calls++;
  t->skipped += t->block.bad;
  t->block.bad = 0;
  buf_reset(&t->space);
  t->is_after_call = true;
  t->fence.is_line_start = false;
  return e;
}

/* What a step said, done. */
static enum err after_step(struct tool_text *t, enum tool_text_step step, const struct out *out) {
  size_t n = t->at;
  if (step == TOOL_TEXT_CALL && t->calls < t->options.calls_max) return put_call(t, n, out);
  bool is_text = step != TOOL_TEXT_DONE || t->block.calls == 0;
  if (is_text) t->block.bad = 0; /* it comes out, so it is not left out */
  end_block(t);
  t->fence.is_line_start = false;
  if (!is_text) {
    take(t, n);
    return OK;
  }
  tool_text_fence_skip(&t->fence, str_sub(window(t), 0, n));
  return take_text(t, n, out);
}

static enum err run(struct tool_text *t, const struct out *out) {
  enum err e = OK;
  for (bool more = false; e == OK && !more;) {
    struct str s = window(t);
    bool is_full = s.n == t->options.block_max_bytes;
    if (t->block.format) {
      enum tool_text_step step = t->block.format->step(t, s);
      if (step == TOOL_TEXT_AGAIN) continue;
      if (step == TOOL_TEXT_MORE && !is_full) break;
      if (step == TOOL_TEXT_MORE) { /* too long for a block */
        t->at = s.n;
        step = TOOL_TEXT_FAIL;
      }
      e = after_step(t, step, out);
      continue;
    }
    enum tool_text_hold_state before = t->hold.state;
    enum walk end = walk(t, s);
    if (before != TOOL_TEXT_HOLD_NONE && t->hold.state == TOOL_TEXT_HOLD_NONE && end != WALK_MARK) {
      e = take_text(t, t->at, out);
      continue;
    }
    if (end == WALK_MARK) {
      e = at_mark(t, out, &more);
    } else if (end == WALK_FENCE) {
      e = take_text(t, t->at, out);
      (void)tool_text_fence_step(&t->fence, window(t).p[0]);
      t->hold.state = TOOL_TEXT_HOLD_RUN; /* an older one is decided with it: something follows its fence */
      t->at = 1;
    } else {
      if (is_full) t->hold.state = TOOL_TEXT_HOLD_NONE;
      if (t->hold.state == TOOL_TEXT_HOLD_NONE) e = take_text(t, t->at, out);
      more = !is_full;
    }
  }
  return e;
}

static void tidy(struct tool_text *t) {
  if (t->head) buf_shift(&t->held, t->head);
  t->head = 0;
  t->is_trimming = t->options.holds_space || t->calls;
  t->is_quiet = !t->block.format && tool_text_is_idle(t) && t->is_started && !t->is_after_call;
}

/* With nothing held, the bytes are read where they lie; what is left of them is held. */
static enum err feed_free(struct tool_text *t, struct str bytes, const struct out *out) {
  const struct buf own = t->held;
  t->held = (struct buf){.p = (char *)(uintptr_t)bytes.p, .n = bytes.n}; /* nothing writes to it */
  enum err e = run(t, out);
  struct str left = str_sub(bytes, t->head, bytes.n);
  t->held = own;
  t->head = 0;
  buf_put(&t->held, left);
  if (t->held.failed && e == OK) e = err_set(out->info, ERR_NO_MEMORY, "out of memory");
  tidy(t);
  return e;
}

enum err tool_text_feed(struct tool_text *t, struct str bytes, const struct text_sink *sink, struct err_info *info) {
  const struct out out = {sink, info};
  if (bytes.n == 0) return OK;
  const struct text_look look = text_look(bytes);
  if (tool_text_pass(t, bytes, &look)) return put(t, bytes, &out);
  if (t->held.n == 0) return feed_free(t, bytes, &out);
  enum err e = OK;
  while (bytes.n && e == OK) {
    struct str slice = str_sub(bytes, 0, SLICE_BYTES);
    buf_put(&t->held, slice);
    if (t->held.failed) return err_set(info, ERR_NO_MEMORY, "out of memory");
    e = run(t, &out);
    tidy(t);
    bytes = str_sub(bytes, slice.n, bytes.n);
  }
  return e ? e : t->source_failed;
}

/* ---- the end ---- */

/* A fence at the end of the text: how many calls are in it, or 0 when it holds anything else. */
struct fenced {
  unsigned calls;
  bool has_text;
};

static enum err count_piece(void *arg, const struct text_piece *piece, struct err_info *info __attribute__((unused))) {
  struct fenced *f = arg;
  if (piece->kind == TEXT_PIECE_CALL)
    f->calls++;
  else if (str_trim(piece->bytes).n)
    f->has_text = true;
  return OK;
}

static enum err read_fence(struct tool_text *t, struct str inner, const struct text_sink *sink, struct err_info *info,
                           unsigned *skipped) {
  struct tool_text inside;
  struct tool_text_options options = t->options;
  options.holds_space = true;
  options.calls_max -= t->calls;
  options.request = t->request;
  tool_text_init(&inside, &options);
  inside.is_inner = true;
  enum err e = tool_text_feed(&inside, inner, sink, info);
  if (e == OK) e = tool_text_end(&inside, sink, info);
  *skipped = inside.skipped;
  tool_text_clear(&inside);
  return e;
}

static enum err end_fence(struct tool_text *t, const struct out *out) {
  struct fenced found = {0};
  const struct text_sink counter = {&found, count_piece};
  unsigned skipped = 0;
  size_t to = t->hold.state == TOOL_TEXT_HOLD_CLOSED ? t->hold.to : t->at;
  struct str inner = str_trim(str_sub(window(t), t->hold.from, to));
  enum err e = t->calls < t->options.calls_max ? read_fence(t, inner, &counter, out->info, &skipped) : OK;
  if (e != OK) return e;
  if (found.calls == 0 || found.has_text) return take_text(t, t->at, out);
  buf_reset(&t->space);
  e = read_fence(t, inner, out->sink, out->info, &skipped);
  t->calls += found.calls;
  t->skipped += skipped;
  t->is_after_call = true;
  take(t, t->at);
  return e;
}

static enum err end_block_at(struct tool_text *t, const struct out *out, bool is_cut) {
  enum err e = OK;
  while (t->block.format && e == OK) {
    struct str s = window(t);
    enum tool_text_step step = is_cut || !t->block.format->end ? TOOL_TEXT_FAIL : t->block.format->end(t, s);
    if (step == TOOL_TEXT_AGAIN) step = TOOL_TEXT_FAIL;
    if (step == TOOL_TEXT_FAIL || step == TOOL_TEXT_DONE) t->at = s.n;
    e = after_step(t, step, out);
    if (t->block.format && window(t).n == 0) end_block(t);
  }
  return e;
}

/* Behind a call, and too long for a chance: the end of its markup, which has come in part. */
static bool is_part_of_closer(const struct tool_text *t) {
  enum { TELLING = 3 };
  struct str s = str_trim(window(t));
  size_t n;
  return t->is_after_call && s.n >= TELLING && match_closer(t, s, &n) == TOOL_TEXT_MATCH_PART;
}

static enum err end(struct tool_text *t, const struct text_sink *sink, struct err_info *info, bool is_cut) {
  const struct out out = {sink, info};
  if (is_part_of_closer(t)) {
    end_block(t);
    take(t, window(t).n);
  }
  enum err e = end_block_at(t, &out, is_cut);
  tool_text_hold_hear(&t->hold, tool_text_fence_end_run(&t->fence), t->at);
  if (e == OK && !is_cut && (t->hold.state == TOOL_TEXT_HOLD_INSIDE || t->hold.state == TOOL_TEXT_HOLD_CLOSED)) {
    t->at = window(t).n;
    e = end_fence(t, &out);
  }
  t->hold.state = TOOL_TEXT_HOLD_NONE;
  if (e == OK) e = take_text(t, window(t).n, &out);
  if (e == OK && t->calls == 0) e = put_space(t, &out);
  buf_reset(&t->space);
  tidy(t);
  return e ? e : t->source_failed;
}

enum err tool_text_end(struct tool_text *t, const struct text_sink *sink, struct err_info *info) {
  return end(t, sink, info, false);
}

enum err tool_text_cut(struct tool_text *t, const struct text_sink *sink, struct err_info *info) {
  return end(t, sink, info, true);
}
