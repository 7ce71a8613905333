/* The walk over a model's text: where it stands in Markdown, and which byte may begin a marker or a fence. Called by
 * tool_text.c for bytes that are in no block; state is the machine's. Code is what CommonMark calls so, but a fence may
 * be indented as far as it likes (in a list it is), and inline code ends with its line: a lone backtick must not hide
 * what follows. Of the guards' own walk, text_code.h says why it is another one. */
#include "text/tool_text_internal.h"

const unsigned char tool_text_special[256] = {
    ['<'] = 1, ['['] = 1, ['`'] = 1, ['~'] = 1, ['\n'] = 1, [' '] = 2, ['\t'] = 2, ['\r'] = 2};

void tool_text_end_run(struct tool_text *t, size_t at) {
  size_t run = t->run;
  bool is_tick = t->run_char == '`', is_fence = t->is_run_first && run >= 3;
  t->run = 0;
  switch (t->code) {
    case TOOL_TEXT_PROSE:
      if (is_fence || is_tick) {
        t->code = is_fence ? TOOL_TEXT_INFO : TOOL_TEXT_SPAN;
        t->fence_char = t->run_char;
        t->fence_run = run;
      }
      if (!is_fence) t->hold = TOOL_TEXT_HOLD_NONE;
      return;
    case TOOL_TEXT_INFO: /* no fence has a backtick behind its own: it was a span */
      if (!is_tick || t->fence_char != '`') return;
      t->code = run == t->fence_run ? TOOL_TEXT_PROSE : TOOL_TEXT_SPAN;
      t->hold = TOOL_TEXT_HOLD_NONE;
      return;
    case TOOL_TEXT_SPAN:
      if (is_tick && run == t->fence_run) t->code = TOOL_TEXT_PROSE;
      return;
    case TOOL_TEXT_FENCE:
    case TOOL_TEXT_FENCE_END:
      if (!t->is_run_first || t->run_char != t->fence_char || run < t->fence_run) return;
      t->code = TOOL_TEXT_FENCE_END;
      if (t->hold == TOOL_TEXT_HOLD_INSIDE) {
        t->hold = TOOL_TEXT_HOLD_CLOSED;
        t->inner_to = at - run;
      }
      return;
  }
}

static void line_ends(struct tool_text *t, size_t at) {
  t->is_line_start = true;
  if (t->code == TOOL_TEXT_INFO) {
    t->code = TOOL_TEXT_FENCE;
    t->inner_from = at + 1;
    if (t->hold == TOOL_TEXT_HOLD_RUN) t->hold = TOOL_TEXT_HOLD_BLANK;
  } else if (t->code != TOOL_TEXT_FENCE) {
    t->code = TOOL_TEXT_PROSE;
  }
}

/* Something that is no white space, and no tick or tilde, in a fence or behind it. */
static void note_word(struct tool_text *t, char c) {
  t->is_line_start = false;
  if (t->code == TOOL_TEXT_FENCE_END) { /* that was no closing fence */
    t->code = TOOL_TEXT_FENCE;
    if (t->hold == TOOL_TEXT_HOLD_CLOSED) t->hold = TOOL_TEXT_HOLD_INSIDE;
  } else if (t->hold == TOOL_TEXT_HOLD_CLOSED) {
    t->hold = TOOL_TEXT_HOLD_NONE;
  }
  if (t->hold == TOOL_TEXT_HOLD_BLANK && c != '<' && c != '[') t->hold = TOOL_TEXT_HOLD_NONE;
}

void tool_text_tick(struct tool_text *t, char c) {
  if (t->run == 0) {
    t->is_run_first = t->is_line_start;
    t->run_char = c;
    if (t->code == TOOL_TEXT_FENCE_END) note_word(t, c);
    if (t->hold == TOOL_TEXT_HOLD_BLANK || (t->hold == TOOL_TEXT_HOLD_CLOSED && t->code == TOOL_TEXT_PROSE))
      t->hold = TOOL_TEXT_HOLD_NONE;
  }
  t->run++;
  t->is_line_start = false;
}

enum tool_text_walk tool_text_walk(struct tool_text *t, struct str s) {
  for (; t->at < s.n; t->at++) {
    char c = s.p[t->at];
    if (t->run && c != t->run_char) tool_text_end_run(t, t->at);
    if (tool_text_special[(unsigned char)c] != 1) {
      if (text_is_white(c)) continue;
      bool is_first = !t->is_started;
      t->is_started = true;
      note_word(t, c);
      if (is_first && c == '{' && !t->is_inner && !t->options.is_reasoning) return TOOL_TEXT_WALK_MARK;
      continue;
    }
    if (c == '\n') {
      line_ends(t, t->at);
      continue;
    }
    t->is_started = true;
    if (c == '`' || c == '~') {
      bool may_hold = t->code == TOOL_TEXT_PROSE && t->run == 0 && t->is_line_start && t->hold != TOOL_TEXT_HOLD_RUN &&
                      !t->options.is_reasoning && !t->is_inner;
      if (may_hold) {
        t->hold = TOOL_TEXT_HOLD_RUN; /* an older one is decided with it: something follows its fence */
        return TOOL_TEXT_WALK_HOLD;
      }
      tool_text_tick(t, c);
      continue;
    }
    note_word(t, c);
    if (t->code == TOOL_TEXT_PROSE || t->hold == TOOL_TEXT_HOLD_BLANK) return TOOL_TEXT_WALK_MARK;
  }
  return TOOL_TEXT_WALK_END;
}

void tool_text_note_raw(struct tool_text *t, struct str s) {
  size_t line = str_rfind_char(s, '\n');
  t->is_line_start = line != SIZE_MAX && tool_text_skip_space(s, line) == s.n;
}
