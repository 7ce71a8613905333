/* Code in Markdown: see text_code.h. */
#include "text/text_code.h"

static enum text_code_event end_run_in_fence(struct text_code *c) {
  c->is_closing = !c->is_inside_line && c->run >= c->opening;
  c->is_inside_line = true;
  c->run = 0;
  return TEXT_CODE_NOTHING;
}

/* The run before this byte is complete. */
static enum text_code_event end_run(struct text_code *c) {
  uint32_t run = c->run;
  if (c->state == TEXT_CODE_FENCE) return end_run_in_fence(c);
  c->run = 0;
  if (c->state == TEXT_CODE_NONE) {
    c->state = TEXT_CODE_DOUBT;
    c->opening = run;
    return TEXT_CODE_OPENED;
  }
  if (run != c->opening) return TEXT_CODE_NOTHING;
  c->state = TEXT_CODE_NONE;
  return TEXT_CODE_CLOSED;
}

static enum text_code_event end_line(struct text_code *c) {
  if (c->state == TEXT_CODE_DOUBT) {
    bool is_fence = c->opening >= 3;
    c->state = is_fence ? TEXT_CODE_FENCE : TEXT_CODE_NONE;
    c->is_inside_line = c->is_closing = false;
    return is_fence ? TEXT_CODE_CLOSED : TEXT_CODE_VOID;
  }
  if (c->is_closing) c->state = TEXT_CODE_NONE;
  c->is_inside_line = c->is_closing = false;
  return TEXT_CODE_NOTHING;
}

enum text_code_event text_code_step(struct text_code *c, char byte) {
  enum text_code_event event = TEXT_CODE_NOTHING;
  if (byte == '`') {
    if (c->run < UINT32_MAX) c->run++;
    return TEXT_CODE_NOTHING;
  }
  if (c->run) event = end_run(c);
  if (byte == '\n') {
    enum text_code_event at_end = c->state == TEXT_CODE_NONE ? TEXT_CODE_NOTHING : end_line(c);
    if (event == TEXT_CODE_OPENED) return TEXT_CODE_NOTHING; /* a doubt of no byte */
    return at_end ? at_end : event;
  }
  if (byte != ' ' && byte != '\t' && byte != '\r' && c->state == TEXT_CODE_FENCE) {
    c->is_inside_line = true;
    c->is_closing = false;
  }
  return event;
}

enum text_code_event text_code_end(struct text_code *c) {
  enum text_code_event event = c->run ? end_run(c) : TEXT_CODE_NOTHING;
  if (event == TEXT_CODE_OPENED)
    event = TEXT_CODE_NOTHING;
  else if (c->state == TEXT_CODE_DOUBT)
    event = c->opening >= 3 ? TEXT_CODE_CLOSED : TEXT_CODE_VOID;
  *c = (struct text_code){0};
  return event;
}
