/* links: text */
/* The filter over a text part: whole and in pieces, put or passed beside a relay, it says the same words, thoughts and
 * calls, and stops for the same reason. Without a find all of the text comes out, where no tags of thinking are taken
 * off. First byte: which machines and which kind of part; second: how it is cut. */
#include <stdlib.h>
#include <string.h>

#include "llm/request.h"
#include "text/text_filter.h"

static struct request_tool tools[2] = {{.name = STR("f")}, {.name = STR("g")}};
static struct request request;

static void check(bool ok) {
  if (!ok) abort();
}

struct seen {
  struct buf all, words;
  enum err e;
  bool has_changed;
};

static void say(struct seen *s, enum part_kind kind, struct str bytes) {
  static const char marks[] = {[PART_TEXT] = 1, [PART_REASONING] = 2, [PART_REFUSAL] = 3, [PART_TOOL_CALL] = 4};
  for (size_t i = 0; i < bytes.n; i++) { /* each byte with its kind: pieces do not show */
    buf_put_char(&s->all, marks[kind]);
    buf_put_char(&s->all, bytes.p[i]);
  }
  if (kind != PART_TOOL_CALL) buf_put(&s->words, bytes);
}

static enum err take(void *arg, const struct event *event, struct err_info *info) {
  struct seen *s = arg;
  (void)info;
  if (event->kind == EVENT_OPEN && event->part_kind == PART_TOOL_CALL) say(s, PART_TOOL_CALL, event->name);
  if (event->kind == EVENT_DELTA) say(s, event->part_kind, event->bytes);
  if (event->kind == EVENT_STOP) buf_printf(&s->all, "\x05%d", (int)event->reason);
  return OK;
}

static enum err get_tools(void *arg, const struct request **out, struct err_info *info) {
  (void)arg, (void)info;
  *out = &request;
  return OK;
}

static enum err put(struct text_filter *f, struct seen *s, struct event event) {
  const struct event_sink sink = {s, take};
  return text_filter_put(f, &event, &sink, NULL);
}

static void run(struct str text, const struct text_filter_options *o, enum part_kind kind, uint32_t cut, bool relays,
                struct seen *s) {
  struct arena arena;
  struct text_filter f;
  *s = (struct seen){0};
  arena_init(&arena, 0);
  text_filter_init(&f, &arena, o);
  enum err e = put(&f, s, (struct event){.kind = EVENT_OPEN, .part_kind = kind});
  for (size_t at = 0, n; !e && at < text.n; at += n) {
    n = cut ? 1 + (at * 2654435761u >> 8 ^ cut) % (cut & 15 ? cut & 15 : 16) : text.n;
    if (n > text.n - at) n = text.n - at;
    char *piece = malloc(n); /* of its own, and gone before the next */
    memcpy(piece, text.p + at, n);
    if (relays && text_filter_pass(&f, kind, str_from(piece, n), &e, NULL))
      say(s, kind, str_from(piece, n));
    else
      e = put(&f, s, (struct event){.kind = EVENT_DELTA, .part_kind = kind, .bytes = str_from(piece, n)});
    free(piece);
  }
  if (!e) e = put(&f, s, (struct event){.kind = EVENT_CLOSE});
  if (!e) e = put(&f, s, (struct event){.kind = EVENT_STOP, .reason = STOP_END});
  if (!e) e = put(&f, s, (struct event){.kind = EVENT_END});
  s->e = e;
  s->has_changed = f.has_changed;
  text_filter_clear(&f);
  arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str text = str_from((const char *)data + 2, size - 2);
  if (!request.tools) request_init(&request, STR("openai_chat"), LLM_GENERATE);
  request.tools = tools;
  request.tool_count = 2;
  const struct text_filter_options options = {.tool_text = data[0] & 1,
                                              .think = data[0] & 2,
                                              .leak = data[0] & 4,
                                              .runaway = true,
                                              .starts_in_think = (data[0] & 10) == 10,
                                              .id_base = STR("t"),
                                              .tools = {NULL, get_tools}};
  enum part_kind kind = data[0] & 16 ? PART_REASONING : data[0] & 32 ? PART_REFUSAL : PART_TEXT;
  struct seen whole, cut;
  run(text, &options, kind, 0, false, &whole);
  run(text, &options, kind, data[1] | 256u, data[0] & 64, &cut);
  check(whole.e == OK || whole.e == ERR_GUARD_LEAK);
  check(cut.e == whole.e && cut.has_changed == whole.has_changed);
  check(str_eq(buf_str(&whole.all), buf_str(&cut.all)));
  bool is_exact = !options.think && !whole.has_changed; /* white space around tags goes with them */
  check(!is_exact || str_has_prefix(text, buf_str(&whole.words)));
  check(!is_exact || whole.e || whole.words.n == text.n);
  buf_clear(&whole.all);
  buf_clear(&whole.words);
  buf_clear(&cut.all);
  buf_clear(&cut.words);
  return 0;
}
