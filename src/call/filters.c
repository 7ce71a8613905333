/* Which machines look through an answer: see filters.h. */
#include "call/filters.h"

#include "call/translate.h"

static bool is_on(unsigned option, bool by_default) {
  return option == CONFIG_GUARD_AUTO ? by_default : option == CONFIG_GUARD_ON;
}

void filters_choose(struct call *c, const struct deployment *d, struct codec *codec) {
  const struct config_options *o = c->options;
  const struct provider *p = &d->at->provider;
  bool is_chat = c->request->operation == LLM_GENERATE, is_stream = c->request->is_stream;
  bool is_relayed = codec->answer == CODEC_RELAY;
  struct text_filter_options f = {
      .tool_text = is_chat && is_on(o->guards_tool_text, !p->is_vendor_address),
      .think = is_chat && is_on(o->guards_think, !p->is_vendor_address && codec->target != c->dialect),
      .leak = is_stream && o->guards_leak_enabled,
      .runaway = is_stream && o->guards_runaway_enabled,
      .starts_in_think = p->starts_in_think,
      .is_whole = !is_stream,
      .runaway_limits = {.max_bytes = o->guards_runaway_max_bytes,
                         .max_deltas = o->guards_runaway_max_deltas,
                         .repeat_bytes = o->guards_runaway_repeat_bytes},
      .id_base = c->reply_id,
      .tools = {c, translate_tools},
  };
  if (is_stream && is_relayed && !c->dialect->joins_streams) {
    /* Nothing can be found for a request that does not even have the word in it. */
    f.tool_text = f.tool_text && str_find(c->body, STR("\"tools\"")) != SIZE_MAX;
    if (f.tool_text || f.think) codec->answer = CODEC_ENCODE;
  }
  codec->filter = f;
}

/* How markup begins, as JSON writes it: "<", "[TOOL_CALLS]" and "[THINK]", Kimi's triangle. */
static const struct str beginnings[] = {STR("<"),       STR("\\u003c"), STR("\\u003C"), STR("[T"), STR("\xe2\x97\x81"),
                                        STR("\\u25c1"), STR("\\u25C1")};

/* A call that is nothing but its object begins its string, behind white space. Linear: no look back passes a "{". */
static bool has_string_of_object(struct str body) {
  const char *p = body.p, *end = body.p + body.n;
  while (p < end && (p = memchr(p, '{', (size_t)(end - p)))) {
    const char *from = p++;
    for (;;) {
      if (from > body.p && from[-1] == ' ')
        from--;
      else if (from - body.p >= 2 && from[-2] == '\\' && (from[-1] == 'n' || from[-1] == 'r' || from[-1] == 't'))
        from -= 2;
      else
        break;
    }
    if (from > body.p && from[-1] == '"') return true;
  }
  return false;
}

bool filters_may_change(const struct text_filter_options *options, struct str body) {
  if (!options->tool_text && !options->think) return false;
  if (options->think && options->starts_in_think) return true;
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (str_find(body, beginnings[i]) != SIZE_MAX) return true;
  return options->tool_text && has_string_of_object(body);
}
