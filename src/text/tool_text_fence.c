/* Markdown for tool_text: see tool_text_fence.h. */
#include "text/tool_text_fence.h"

enum tool_text_fence_event tool_text_fence_end_run(struct tool_text_fence *f) {
  size_t run = f->run;
  bool is_tick = f->run_char == '`', is_fence = f->is_run_first && run >= 3;
  f->run = 0;
  if (run == 0) return TOOL_TEXT_FENCE_NOTHING;
  switch (f->code) {
    case TOOL_TEXT_PROSE:
      if (is_fence || is_tick) {
        f->code = is_fence ? TOOL_TEXT_INFO : TOOL_TEXT_SPAN;
        f->opening_char = f->run_char;
        f->opening_run = run;
      }
      return is_fence ? TOOL_TEXT_FENCE_NOTHING : TOOL_TEXT_FENCE_NONE;
    case TOOL_TEXT_INFO: /* no fence has a backtick behind its own: it was a span */
      if (!is_tick || f->opening_char != '`') break;
      f->code = run == f->opening_run ? TOOL_TEXT_PROSE : TOOL_TEXT_SPAN;
      return TOOL_TEXT_FENCE_NONE;
    case TOOL_TEXT_SPAN:
      if (is_tick && run == f->opening_run) f->code = TOOL_TEXT_PROSE;
      break;
    case TOOL_TEXT_FENCE:
    case TOOL_TEXT_FENCE_END:
      if (!f->is_run_first || f->run_char != f->opening_char || run < f->opening_run) break;
      f->code = TOOL_TEXT_FENCE_END;
      return TOOL_TEXT_FENCE_CLOSED;
  }
  return TOOL_TEXT_FENCE_NOTHING;
}

static enum tool_text_fence_event end_line(struct tool_text_fence *f, enum tool_text_fence_event event) {
  f->is_line_start = true;
  if (f->code == TOOL_TEXT_INFO) {
    f->code = TOOL_TEXT_FENCE;
    return TOOL_TEXT_FENCE_OPENED;
  }
  if (f->code != TOOL_TEXT_FENCE) f->code = TOOL_TEXT_PROSE;
  return event;
}

enum tool_text_fence_event tool_text_fence_step(struct tool_text_fence *f, char c) {
  unsigned class = text_look_of(c);
  enum tool_text_fence_event event = TOOL_TEXT_FENCE_NOTHING;
  if (f->run && c != f->run_char) event = tool_text_fence_end_run(f);
  if (class == TEXT_LOOK_BLANK) return event;
  if (class == TEXT_LOOK_LINE) return end_line(f, event);
  if (class & (TEXT_LOOK_TICK | TEXT_LOOK_TILDE) && f->run++ == 0) {
    f->is_run_first = f->is_line_start;
    f->run_char = c;
  }
  f->is_line_start = false;
  if (f->code != TOOL_TEXT_FENCE_END) return event;
  f->code = TOOL_TEXT_FENCE; /* that was no closing fence */
  return TOOL_TEXT_FENCE_CONTINUED;
}

void tool_text_fence_skip(struct tool_text_fence *f, struct str s) {
  struct text_look look = text_look(s);
  f->is_line_start = look.seen & TEXT_LOOK_LINE && !(look.after & ~(unsigned)TEXT_LOOK_BLANK);
}

bool tool_text_fence_steps(struct tool_text_fence *f, struct str s, bool may_open) {
  struct tool_text_fence next = *f;
  for (size_t i = 0; i < s.n; i++) {
    if (may_open && tool_text_fence_may_open(&next, s.p[i])) return false;
    (void)tool_text_fence_step(&next, s.p[i]);
  }
  *f = next;
  return true;
}

void tool_text_hold_hear(struct tool_text_hold *h, enum tool_text_fence_event event, size_t at) {
  switch (event) {
    case TOOL_TEXT_FENCE_NOTHING: break;
    case TOOL_TEXT_FENCE_NONE: h->state = TOOL_TEXT_HOLD_NONE; break;
    case TOOL_TEXT_FENCE_OPENED:
      h->from = at + 1;
      if (h->state == TOOL_TEXT_HOLD_RUN) h->state = TOOL_TEXT_HOLD_BLANK;
      break;
    case TOOL_TEXT_FENCE_CLOSED:
      if (h->state == TOOL_TEXT_HOLD_INSIDE) h->state = TOOL_TEXT_HOLD_CLOSED;
      break;
    case TOOL_TEXT_FENCE_CONTINUED:
      if (h->state == TOOL_TEXT_HOLD_CLOSED) h->state = TOOL_TEXT_HOLD_INSIDE;
      break;
  }
}

void tool_text_hold_step(struct tool_text_hold *h, const struct tool_text_fence *f, enum tool_text_fence_event event,
                         char c, size_t at) {
  unsigned class = text_look_of(c);
  tool_text_hold_hear(h, event, at);
  if (h->state == TOOL_TEXT_HOLD_NONE || class & TEXT_LOOK_WHITE) return;
  if (f->run == 1) h->to = at; /* this may be its closing fence */
  if (h->state == TOOL_TEXT_HOLD_BLANK && class != TEXT_LOOK_OPEN) h->state = TOOL_TEXT_HOLD_NONE;
  if (h->state == TOOL_TEXT_HOLD_CLOSED) h->state = TOOL_TEXT_HOLD_NONE; /* something follows it */
}
