/* Requests shaped for a model: see shape.h. A first look finds which tools go and whether the caller insists on one of
 * them; then one pass copies the body, with what goes left out and what comes put in. */
#include "call/shape.h"

#include <stdio.h>

#include "base/json_walk.h"
#include "base/map.h"

enum { PATH_BYTES = 192, PATH_DEPTH = 3, CHOICE_DEPTH = 6 };

/* Letter case and '_' do not count, since Gemini's members have two spellings. */
static bool is_same_word(struct str a, struct str b) {
  size_t i = 0, j = 0;
  for (;;) {
    while (i < a.n && a.p[i] == '_') i++;
    while (j < b.n && b.p[j] == '_') j++;
    if (i == a.n || j == b.n) return i == a.n && j == b.n;
    if ((a.p[i++] | 0x20) != (b.p[j++] | 0x20)) return false;
  }
}

bool shape_is_fixed(struct str member) {
  static const struct str fixed[] = {STR("model"),
                                     STR("messages"),
                                     STR("input"),
                                     STR("prompt"),
                                     STR("contents"),
                                     STR("system"),
                                     STR("stream"),
                                     STR("instructions"),
                                     STR("max_tokens"),
                                     STR("max_completion_tokens"),
                                     STR("max_output_tokens"),
                                     STR("generationConfig"),
                                     STR("generationConfig.maxOutputTokens"),
                                     STR("options"),
                                     STR("options.num_predict"),
                                     STR("n"),
                                     STR("best_of"),
                                     STR("generationConfig.candidateCount"),
                                     STR("maestro")};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (is_same_word(member, fixed[i])) return true;
  return false;
}

static bool takes_prompt(enum llm_operation operation) { return operation != LLM_EMBED; }

bool shape_is_wanted(const struct route_shape *shape, enum llm_operation operation) {
  return shape->unsupported || (shape->tools && operation != LLM_EMBED) ||
         (shape->prompt_count && takes_prompt(operation));
}

/* ---- how each dialect is told what it is ---- */

enum system_form {
  SYSTEM_NONE,
  SYSTEM_MESSAGE, /* the first of the list whose role says so, before the model spoke; else one is put in front */
  SYSTEM_TEXT,    /* a member: a string, or a list of text blocks */
  SYSTEM_PARTS    /* Gemini's content with parts */
};

static const struct system_place {
  struct str dialect;
  enum system_form form;
  struct str member, spelling; /* spelling: another one of the same; or empty */
} places[] = {
    {STR("openai_chat"), SYSTEM_MESSAGE, STR("messages"), STR("")},
    {STR("ollama"), SYSTEM_MESSAGE, STR("messages"), STR("")},
    {STR("ollama_generate"), SYSTEM_TEXT, STR("system"), STR("")},
    {STR("anthropic"), SYSTEM_TEXT, STR("system"), STR("")},
    {STR("openai_responses"), SYSTEM_TEXT, STR("instructions"), STR("")},
    {STR("gemini"), SYSTEM_PARTS, STR("systemInstruction"), STR("system_instruction")},
};

static const struct system_place *place_of(const struct dialect *dialect) {
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (str_eq(places[i].dialect, dialect->name)) return &places[i];
  return NULL;
}

/* ---- the work ---- */

struct shaping {
  const struct route_shape *shape;
  const struct dialect *dialect;
  struct arena *a;
  struct str body;
  const char *copied; /* of the body so far */
  struct buf *out;
  struct shape_done done;
  struct caps_dropped *dropped;
  struct map gone;    /* names of tools that go */
  bool no_tools_left; /* then what speaks of tools goes, too */
  struct str prompt;  /* escaped, without quotes; empty: none comes */
  const struct system_place *place;
  bool has_odd_system; /* the caller's own system prompt has no known form */
};

static void cut(struct shaping *s, const char *from, const char *to) {
  if (from > s->copied) buf_put(s->out, str_from(s->copied, (size_t)(from - s->copied)));
  s->copied = to;
  s->done.is_changed = true;
}

static void put_at(struct shaping *s, const char *at) { cut(s, at, at); }

/* Leaves items of one container out, with the commas between. Call leave for those that go and keep for the others, in
 * order; close at the end. */
struct leaving {
  const char *from;      /* where the run that goes begins; NULL: there is none */
  const char *to;        /* its end so far */
  const char *last_kept; /* end of it */
};

static void leave(struct leaving *l, const struct json_walk_item *item) {
  if (!l->from) l->from = item->begin;
  l->to = item->value.p + item->value.n;
}

static void keep(struct shaping *s, struct leaving *l, const struct json_walk_item *item) {
  if (l->from) cut(s, l->from, item->begin);
  l->from = NULL;
  l->last_kept = item->value.p + item->value.n;
}

static void close_leaving(struct shaping *s, struct leaving *l) {
  if (l->from) cut(s, l->last_kept ? l->last_kept : l->from, l->to);
  l->from = NULL;
}

/* ---- tools ---- */

static bool is_key(const struct json_walk_item *item, const char *camel, const char *snake) {
  return str_eq(item->key, str_from_c(camel)) || (snake && str_eq(item->key, str_from_c(snake)));
}

static bool is_allowed(const struct shaping *s, struct str name) {
  for (size_t i = 0; i < s->shape->tools->n; i++)
    if (str_glob(s->shape->tools->v[i], name)) return true;
  return false;
}

/* What a tool says of itself. It may say it twice, and whoever gets it may believe either: then it goes. */
struct tool {
  struct str name, list, key; /* list: of the tools that it holds (Gemini's declarations, a namespace of Responses) */
  unsigned names, lists;
  bool has_type, is_function; /* of another type: its provider runs it itself */
};

static void note_name(struct shaping *s, struct str value, struct tool *t) {
  t->names++;
  if (!json_walk_string(value, s->a, &t->name)) t->name = STR_NONE;
}

static void note_names_in(struct shaping *s, struct str object, struct tool *t) {
  struct json_walk w;
  struct json_walk_item item;
  t->is_function = true;
  if (!json_walk_is_object(object) || !json_walk_open(&w, object, s->a)) return;
  while (json_walk_next(&w, &item))
    if (is_key(&item, "name", NULL)) note_name(s, item.value, t);
}

static struct tool look_at_tool(struct shaping *s, struct str value) {
  struct tool t = {0};
  struct json_walk w;
  struct json_walk_item item;
  if (!json_walk_is_object(value) || !json_walk_open(&w, value, s->a)) return t;
  while (json_walk_next(&w, &item)) {
    struct str type;
    if (is_key(&item, "type", NULL)) {
      t.has_type = true;
      bool is_text = json_walk_string(item.value, s->a, &type);
      t.is_function |= is_text && (str_eq(type, STR("function")) || str_eq(type, STR("custom")));
    } else if (is_key(&item, "name", NULL)) {
      note_name(s, item.value, &t);
    } else if (is_key(&item, "functionDeclarations", "function_declarations") || is_key(&item, "tools", NULL)) {
      t.lists++;
      t.list = item.value;
      t.key = item.key;
    } else if (is_key(&item, "function", NULL) || is_key(&item, "custom", NULL)) {
      note_names_in(s, item.value, &t);
    }
  }
  t.is_function |= !t.has_type;
  return t;
}

/* Whether the tool stays; of one that holds others (inner levels do not nest), whether one of them does. */
static bool stays(struct shaping *s, struct str value, bool is_inner, enum err *e) {
  struct tool t = look_at_tool(s, value);
  struct json_walk w;
  struct json_walk_item item;
  if (!is_inner && t.lists == 1 && json_walk_is_array(t.list) && json_walk_open(&w, t.list, s->a)) {
    bool any = false;
    while (json_walk_next(&w, &item)) any |= stays(s, item.value, true, e);
    return any;
  }
  if (!t.is_function && !t.lists) return true;
  if (t.names == 1 && !t.lists && t.name.n && is_allowed(s, t.name)) return true;
  if (t.names == 0 && !t.lists) return true; /* no function at all: for its provider to judge */
  if (t.name.n && !map_put(&s->gone, t.name, s)) *e = ERR_NO_MEMORY;
  return false;
}

static bool is_tools(const struct json_walk_item *item) {
  return is_key(item, "tools", NULL) || is_key(item, "functions", NULL);
}

static enum err find_gone(struct shaping *s) {
  struct json_walk top, w;
  struct json_walk_item member, item;
  enum err e = OK;
  bool any = false, has = false;
  if (!json_walk_open(&top, s->body, s->a)) return OK;
  while (json_walk_next(&top, &member)) {
    if (!is_tools(&member) || !json_walk_is_array(member.value) || !json_walk_open(&w, member.value, s->a)) continue;
    while (json_walk_next(&w, &item)) {
      has = true;
      any |= stays(s, item.value, false, &e);
    }
  }
  s->no_tools_left = has && !any;
  return e;
}

/* A name that the caller insists on, anywhere in a choice of a tool: OpenAI's "function", "custom" and "allowed_tools",
 * Anthropic's "name", Gemini's "allowedFunctionNames". */
static bool insists(struct shaping *s, struct str value, unsigned depth, struct str *name) {
  struct json_walk w;
  struct json_walk_item item;
  if (json_walk_is_string(value)) return json_walk_string(value, s->a, name) && map_get(&s->gone, *name);
  if (depth == CHOICE_DEPTH || !json_walk_open(&w, value, s->a)) return false;
  while (json_walk_next(&w, &item)) {
    bool is_name = !w.is_object || is_key(&item, "name", NULL) || is_key(&item, "function", NULL) ||
                   is_key(&item, "custom", NULL) || is_key(&item, "tools", NULL) ||
                   is_key(&item, "allowed_tools", NULL) ||
                   is_key(&item, "functionCallingConfig", "function_calling_config") ||
                   is_key(&item, "allowedFunctionNames", "allowed_function_names");
    if (is_name && insists(s, item.value, depth + 1, name)) return true;
  }
  return false;
}

static bool is_choice(const struct json_walk_item *item) {
  return is_key(item, "tool_choice", NULL) || is_key(item, "function_call", NULL) ||
         is_key(item, "toolConfig", "tool_config");
}

static enum err check_choice(struct shaping *s, struct err_info *info) {
  struct json_walk top;
  struct json_walk_item member;
  struct str name;
  char path[64];
  if (!s->gone.count || !json_walk_open(&top, s->body, s->a)) return OK;
  while (json_walk_next(&top, &member)) {
    if (!is_choice(&member) || json_walk_is_string(member.value) || !insists(s, member.value, 0, &name)) continue;
    snprintf(path, sizeof path, "%.*s", STR_ARG(member.key));
    return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" asks for the tool \"%.*s\", which this model may not use",
                         path, STR_ARG(str_cut_utf8(name, 64)));
  }
  return OK;
}

static void note_tool(struct shaping *s, struct str of, size_t index, bool is_inner) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%.*s[%zu]", STR_ARG(of), index);
  caps_dropped_add(s->dropped, path);
  if (!is_inner && index < 64) s->done.gone |= UINT64_C(1) << index;
}

/* of: the path of the list. */
static void filter_tools(struct shaping *s, struct str of, struct str list, bool is_inner) {
  struct json_walk w;
  struct json_walk_item item;
  struct leaving l = {0};
  enum err ignored = OK;
  if (!json_walk_is_array(list) || !json_walk_open(&w, list, s->a)) return;
  for (size_t i = 0; json_walk_next(&w, &item); i++) {
    if (!stays(s, item.value, is_inner, &ignored)) {
      leave(&l, &item);
      note_tool(s, of, i, is_inner);
      continue;
    }
    keep(s, &l, &item);
    if (is_inner) continue;
    char path[PATH_BYTES];
    struct tool t = look_at_tool(s, item.value);
    snprintf(path, sizeof path, "%.*s[%zu].%.*s", STR_ARG(of), i, STR_ARG(t.key));
    filter_tools(s, str_from_c(path), t.list, true);
  }
  close_leaving(s, &l);
}

/* ---- system prompts ---- */

/* Texts joined as the parts of one, escaped for JSON. */
static enum err join_prompts(struct shaping *s) {
  struct buf text, json;
  buf_init(&text, 0);
  buf_init(&json, 0);
  for (size_t i = 0; i < s->shape->prompt_count; i++) {
    if (i) buf_put(&text, STR("\n\n"));
    buf_put(&text, s->shape->prompts[i]->text);
  }
  buf_put_json(&json, buf_str(&text));
  bool failed = text.failed || json.failed;
  if (!failed) s->prompt = arena_dup(s->a, str_sub(buf_str(&json), 1, json.n - 1));
  buf_clear(&text);
  buf_clear(&json);
  return failed || !s->prompt.p ? ERR_NO_MEMORY : OK;
}

static void put_string(struct shaping *s) {
  buf_put_char(s->out, '"');
  buf_put(s->out, s->prompt);
  buf_put_char(s->out, '"');
}

static bool is_empty(const struct shaping *s, struct str container) {
  struct json_walk w;
  struct json_walk_item item;
  return !json_walk_open(&w, container, s->a) || !json_walk_next(&w, &item);
}

/* In front of a text: a string gets it in its beginning, a list a block of its own. False: it is neither. */
static bool put_before(struct shaping *s, struct str value, struct str block_begin) {
  if (!json_walk_is_string(value) && !json_walk_is_array(value)) return false;
  put_at(s, value.p + 1);
  if (json_walk_is_string(value)) {
    buf_put(s->out, s->prompt);
    if (value.n > 2) buf_put(s->out, STR("\\n\\n"));
    return true;
  }
  buf_put(s->out, block_begin);
  put_string(s);
  buf_put(s->out, is_empty(s, value) ? STR("}") : STR("},"));
  return true;
}

static const struct str text_block = STR("{\"type\":\"text\",\"text\":"), plain_part = STR("{\"text\":");

static void put_message(struct shaping *s, struct str list) {
  struct json_walk w;
  struct json_walk_item item;
  struct str role, content;
  if (!json_walk_is_array(list) || !json_walk_open(&w, list, s->a)) return;
  while (json_walk_next(&w, &item)) {
    bool has_role = json_walk_member(item.value, STR("role"), s->a, &role) && json_walk_string(role, s->a, &role);
    bool is_system = has_role && (str_eq(role, STR("system")) || str_eq(role, STR("developer")));
    /* What the operator says in mid-conversation is no place for what holds from its beginning. */
    if (has_role && !is_system && !str_eq(role, STR("user"))) break;
    if (!is_system || !json_walk_member(item.value, STR("content"), s->a, &content)) continue;
    if (put_before(s, content, text_block)) return;
  }
  s->done.has_first = true;
  put_at(s, list.p + 1);
  buf_put(s->out, STR("{\"role\":\"system\",\"content\":"));
  put_string(s);
  buf_put(s->out, is_empty(s, list) ? STR("}") : STR("},"));
}

/* False, and nothing done, where it is of no form that is known. */
static bool put_system(struct shaping *s, struct str value) {
  struct str parts;
  if (s->place->form == SYSTEM_TEXT) return put_before(s, value, text_block);
  if (s->place->form == SYSTEM_PARTS && json_walk_member(value, STR("parts"), s->a, &parts))
    return put_before(s, parts, plain_part);
  return false;
}

static void put_system_value(struct shaping *s) {
  if (s->place->form == SYSTEM_PARTS) buf_put(s->out, STR("{\"parts\":[{\"text\":"));
  put_string(s);
  if (s->place->form == SYSTEM_PARTS) buf_put(s->out, STR("}]}"));
}

static bool is_place(const struct shaping *s, const struct json_walk_item *member) {
  return s->prompt.n &&
         (str_eq(member->key, s->place->member) || (s->place->spelling.n && str_eq(member->key, s->place->spelling)));
}

/* ---- members that go ---- */

static struct str own_word(const struct shaping *s, struct str word, char room[NAMES_TEXT_MAX + 1]) {
  snprintf(room, NAMES_TEXT_MAX + 1, "%.*s", STR_ARG(word));
  return str_from_c(request_member_word(&s->dialect->words, room));
}

/* Whether the member at this path goes; *has_inner: one below it may. */
static bool goes(const struct shaping *s, struct str path, bool *has_inner) {
  char room[NAMES_TEXT_MAX + 1];
  bool found = false;
  *has_inner = false;
  for (size_t i = 0; s->shape->unsupported && i < s->shape->unsupported->n && !found; i++) {
    struct str word = own_word(s, s->shape->unsupported->v[i], room);
    bool is_said = is_same_word(path, word) || is_same_word(path, s->shape->unsupported->v[i]);
    found = is_said && !shape_is_fixed(path);
    for (struct str rest = word, head; str_cut(rest, '.', &head, &rest) && !*has_inner;)
      *has_inner = is_same_word(path, str_from(word.p, (size_t)(rest.p - word.p) - 1));
  }
  if (s->no_tools_left && !found) {
    static const struct str words[] = {STR("tools"),         STR("functions"),   STR("tool_choice"),
                                       STR("function_call"), STR("tool_config"), STR("parallel_tool_calls")};
    for (size_t i = 0; i < sizeof words / sizeof *words && !found; i++) found = is_same_word(path, words[i]);
  }
  return found;
}

/* As deep as paths are: PATH_DEPTH. */
static void copy_object(struct shaping *s, struct str object, struct str prefix, unsigned depth) {
  struct json_walk w;
  struct json_walk_item member;
  struct leaving l = {0};
  bool has_place = false;
  if (!json_walk_open(&w, object, s->a) || !w.is_object) return;
  while (json_walk_next(&w, &member)) {
    char path[PATH_BYTES];
    bool has_inner;
    int n = snprintf(path, sizeof path, "%.*s%s%.*s", STR_ARG(prefix), prefix.n ? "." : "", STR_ARG(member.key));
    struct str where = n > 0 && n < PATH_BYTES ? str_from(path, (size_t)n) : STR("?");
    if (goes(s, where, &has_inner)) {
      leave(&l, &member);
      caps_dropped_add(s->dropped, path);
      continue;
    }
    bool is_system = !prefix.n && is_place(s, &member);
    if (is_system && s->place->form != SYSTEM_MESSAGE && str_eq(member.value, STR("null"))) {
      leave(&l, &member); /* said at the end instead */
      continue;
    }
    keep(s, &l, &member);
    if (!prefix.n && s->shape->tools && is_tools(&member)) filter_tools(s, member.key, member.value, false);
    if (is_system && s->place->form == SYSTEM_MESSAGE)
      put_message(s, member.value), has_place = true;
    else if (is_system && put_system(s, member.value))
      has_place = true;
    else if (is_system)
      s->has_odd_system = true;
    if (has_inner && depth < PATH_DEPTH && json_walk_is_object(member.value))
      copy_object(s, member.value, where, depth + 1);
  }
  close_leaving(s, &l);
  if (prefix.n || !s->prompt.n || has_place || s->place->form == SYSTEM_MESSAGE) return;
  put_at(s, w.end);
  if (l.last_kept) buf_put_char(s->out, ',');
  buf_put_char(s->out, '"');
  buf_put(s->out, s->place->member);
  buf_put(s->out, STR("\":"));
  put_system_value(s);
}

enum err shape_body(const struct route_shape *shape, const struct dialect *dialect, enum llm_operation operation,
                    struct str body, struct arena *a, struct buf *out, struct shape_done *done,
                    struct caps_dropped *dropped, struct err_info *info) {
  struct shaping s = {.shape = shape,
                      .dialect = dialect,
                      .a = a,
                      .body = str_trim(body),
                      .out = out,
                      .dropped = dropped,
                      .place = place_of(dialect)};
  s.copied = s.body.p;
  map_init(&s.gone, a);
  enum err e = shape->tools ? find_gone(&s) : OK;
  if (!e && shape->tools) e = check_choice(&s, info);
  if (!e && shape->prompt_count && s.place && takes_prompt(operation)) e = join_prompts(&s);
  if (e) return e;
  buf_reset(out);
  copy_object(&s, s.body, STR_NONE, 1);
  if (s.done.is_changed) cut(&s, s.body.p + s.body.n, s.body.p + s.body.n);
  if (s.has_odd_system)
    return err_set_param(info, ERR_BAD_TYPE, s.place->member.p,
                         "\"%s\" has no form that this model's system prompt can be put in front of",
                         s.place->member.p);
  if (!s.done.is_changed) return OK;
  if (out->failed) return ERR_NO_MEMORY;
  *done = s.done;
  return OK;
}
