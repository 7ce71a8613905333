/* Capabilities of a target against a request: see caps.h. The walk goes over the request once, in the caller's order,
 * so that the first path in an error is the first fault that a person finds. */
#include "llm/caps.h"

#include <stdio.h>

#include "llm/effort.h"

static const struct {
  enum cap_class class;
  const char *word;
} rows[CAPS_COUNT] = {
#define X(name, class, word) {CAP_CLASS_##class, word},
#include "llm/caps.def"
#undef X
};
_Static_assert(CAPS_COUNT <= 64, "a set is 64 bits");

enum cap_class caps_class(enum cap cap) { return rows[cap].class; }
const char *caps_word(enum cap cap) { return rows[cap].word; }

void caps_dropped_init(struct caps_dropped *d) {
  *d = (struct caps_dropped){0};
  buf_init(&d->names, CAPS_DROPPED_BYTES_MAX + 8);
}

void caps_dropped_clear(struct caps_dropped *d) { buf_clear(&d->names); }

static bool is_listed(struct str list, struct str path) {
  struct str one;
  while (list.n) {
    str_cut(list, ',', &one, &list);
    if (str_eq(str_trim(one), path)) return true;
  }
  return false;
}

void caps_dropped_add(struct caps_dropped *d, const char *path) {
  struct str s = str_from_c(path);
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == ',') return;
  if (s.n == 0 || d->is_full || is_listed(buf_str(&d->names), s)) return;
  d->is_full = d->names.n + s.n + 2 > CAPS_DROPPED_BYTES_MAX;
  if (d->names.n) buf_put(&d->names, STR(", "));
  buf_put(&d->names, d->is_full ? STR("...") : s);
}

struct walk {
  const struct request *request;
  struct str target;
  caps_set can;
  const struct request_words *words;
  struct caps_dropped *dropped;
  struct err_info *info;
};

/* Where the walk is: at an item, a part of it, a part of that result, or at a tool; all NULL: the request itself. The
 * path is made when it has to be named: most requests have hundreds of places and nothing to name. */
struct place {
  const struct request_item *item;
  const struct request_part *part, *result;
  const struct request_tool *tool;
};

static void write_path(const struct walk *w, const struct place *at, char out[ERR_PARAM_MAX]) {
  out[0] = 0;
  if (at->tool) err_path_index(out, "", w->words->tools, at->tool->source);
  if (!at->item) return;
  request_path(w->words, at->item, at->part, NULL, out);
  if (!at->result || at->result->source >= REQUEST_SOURCE_ITEM) return;
  char part[ERR_PARAM_MAX];
  memcpy(part, out, sizeof part);
  err_path_index(out, part, w->words->content, at->result->source);
}

static bool can(const struct walk *w, enum cap cap) { return w->can & (UINT64_C(1) << cap); }

/* What comes near to it, where the target has that. */
static const char *way_out(const struct walk *w, enum cap cap) {
  static const struct {
    enum cap cap, instead;
    const char *words;
  } ways[] = {
      {CAP_IMAGE_URL, CAP_IMAGE_DATA, "; the picture itself can, as base64"},
      {CAP_IMAGE_FILE, CAP_IMAGE_DATA, "; the picture itself can, as base64"},
      {CAP_DOCUMENT_URL, CAP_DOCUMENT_DATA, "; the document itself can, as base64"},
      {CAP_DOCUMENT_FILE, CAP_DOCUMENT_DATA, "; the document itself can, as base64"},
      {CAP_FORMAT_JSON_OBJECT, CAP_FORMAT_JSON_SCHEMA, "; a JSON schema can"},
      {CAP_TOOL_CUSTOM, CAP_TOOLS, "; a function can"},
  };
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    if (ways[i].cap == cap && can(w, ways[i].instead)) return ways[i].words;
  return "";
}

static enum err refuse(struct walk *w, enum cap cap, const char *path) {
  return err_set_param(w->info, ERR_UNSUPPORTED, path,
                       "%s cannot be said in the %.*s API of the model that was asked for%s", caps_word(cap),
                       STR_ARG(w->target), way_out(w, cap));
}

/* The request has this at `path`. */
static enum err has_member(struct walk *w, enum cap cap, const char *path) {
  if (can(w, cap)) return OK;
  if (caps_class(cap) == CAP_CLASS_ANSWER) return refuse(w, cap, path);
  caps_dropped_add(w->dropped, path);
  return OK;
}

static enum err has(struct walk *w, enum cap cap, const struct place *at) {
  char path[ERR_PARAM_MAX];
  if (can(w, cap)) return OK;
  write_path(w, at, path);
  return has_member(w, cap, path);
}

/* What is put in front of the names of the members there; returns its length. */
static size_t write_prefix(const struct walk *w, const struct place *at, char path[ERR_PARAM_MAX]) {
  write_path(w, at, path);
  size_t n = strlen(path);
  if (n && n < ERR_PARAM_MAX - 1) path[n++] = '.';
  path[n] = 0;
  return n;
}

/* The same of a member there, by its word in OpenAI's chat: what stays must not look as if it had been left out. */
static enum err has_there(struct walk *w, enum cap cap, const struct place *at, const char *word) {
  char path[ERR_PARAM_MAX];
  if (can(w, cap)) return OK;
  size_t n = write_prefix(w, at, path);
  snprintf(path + n, sizeof path - n, "%s", request_member_word(w->words, word));
  return has_member(w, cap, path);
}

/* Members that the caller's dialect does not know: nobody can say what they would mean elsewhere. */
static void drop_rest(struct walk *w, const struct json_rest *rest, const struct place *at) {
  char path[ERR_PARAM_MAX];
  if (rest->n == 0) return;
  size_t n = write_prefix(w, at, path);
  for (size_t i = 0; i < rest->n; i++) {
    struct str key = str_sub(rest->v[i].key, 0, sizeof path - 1 - n);
    if (json_rest_is_null(&rest->v[i])) continue;
    if (key.n) memcpy(path + n, key.p, key.n);
    path[n + key.n] = 0;
    caps_dropped_add(w->dropped, path);
  }
}

/* ---- content ---- */

static enum cap media_cap(const struct request_part *p) {
  const struct media *m = p->media;
  switch (p->kind) {
    case PART_IMAGE: return m->url.n ? CAP_IMAGE_URL : m->file_id.n ? CAP_IMAGE_FILE : CAP_IMAGE_DATA;
    case PART_DOCUMENT:
      return m->url.n       ? CAP_DOCUMENT_URL
             : m->file_id.n ? CAP_DOCUMENT_FILE
             : m->text.p    ? CAP_DOCUMENT_TEXT
                            : CAP_DOCUMENT_DATA;
    case PART_AUDIO: return CAP_AUDIO_DATA;
    default: return CAP_VIDEO_DATA;
  }
}

static enum err check_result(struct walk *w, const struct place *at) {
  const struct request_part *p = at->part;
  enum err e = OK;
  for (size_t i = 0; !e && i < p->result_count; i++) {
    const struct request_part *r = &p->results[i];
    const struct place inner = {.item = at->item, .part = p, .result = r};
    if (r->kind != PART_TEXT) e = has(w, r->kind == PART_OPAQUE ? CAP_OPAQUE_PART : CAP_RESULT_RICH, at);
    if (!e && r->cache.raw) e = has_there(w, CAP_CACHE_MARKER, &inner, "cache_control");
    drop_rest(w, &r->rest, &inner);
  }
  return e || !p->is_error ? e : has_there(w, CAP_RESULT_ERROR, at, "is_error");
}

static void leave_out(struct walk *w, const struct place *at) {
  char path[ERR_PARAM_MAX];
  write_path(w, at, path);
  caps_dropped_add(w->dropped, path);
}

/* Thinking that the target made, on its way back through another dialect. */
static bool comes_home(const struct walk *w, const struct request_part *p) {
  return p->signature.bytes.n && str_eq(p->signature.origin, w->target);
}

static enum err check_part(struct walk *w, const struct request_item *item, const struct request_part *p) {
  const struct place at = {.item = item, .part = p};
  enum err e = OK;
  switch (p->kind) {
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_AUDIO:
    case PART_VIDEO: e = has(w, media_cap(p), &at); break;
    case PART_REASONING:
      if (!comes_home(w, p)) e = has(w, CAP_REASONING_HISTORY, &at);
      break;
    case PART_REASONING_SUMMARY: /* made for people, and what only its maker can read: nobody else is told either */
    case PART_REDACTED:
      if (!comes_home(w, p)) leave_out(w, &at);
      break;
    case PART_SERVER_TOOL: e = has(w, CAP_SERVER_TOOL, &at); break;
    case PART_OPAQUE: e = has(w, CAP_OPAQUE_PART, &at); break;
    case PART_TOOL_RESULT: e = check_result(w, &at); break;
    default: break;
  }
  if (!e && p->media && p->media->detail.n) e = has_there(w, CAP_IMAGE_DETAIL, &at, "image_url.detail");
  if (!e && p->cache.raw) e = has_there(w, CAP_CACHE_MARKER, &at, "cache_control");
  if (!e && p->citations) e = has_there(w, CAP_CITATIONS, &at, "citations");
  drop_rest(w, &p->rest, &at);
  return e;
}

static enum err check_items(struct walk *w) {
  const struct request *r = w->request;
  bool is_begun = false;
  enum err e = OK;
  for (size_t i = 0; !e && i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    const struct place at = {.item = item};
    if (request_is_system(item) && is_begun) e = has(w, CAP_SYSTEM_MID, &at);
    is_begun = is_begun || !request_is_system(item);
    if (!e && item->name.n) e = has_there(w, CAP_PARTICIPANT_NAME, &at, "name");
    if (!e && item->cache.raw) e = has_there(w, CAP_CACHE_MARKER, &at, "cache_control");
    drop_rest(w, &item->rest, &at);
    for (size_t k = 0; !e && k < item->part_count; k++) e = check_part(w, item, &item->parts[k]);
  }
  return e;
}

/* ---- tools ---- */

static enum err check_tools(struct walk *w) {
  const struct request *r = w->request;
  enum err e = OK;
  for (size_t i = 0; !e && i < r->tool_count; i++) {
    const struct request_tool *t = &r->tools[i];
    const struct place at = {.tool = t};
    if (t->kind == TOOL_HOSTED) {
      e = has(w, CAP_TOOL_HOSTED, &at);
      continue;
    }
    e = has(w, t->kind == TOOL_CUSTOM ? CAP_TOOL_CUSTOM : CAP_TOOLS, &at);
    /* A namespace is said within the name where the target has none: nothing is lost, nothing is named. */
    if (!e && t->cache.raw) e = has_there(w, CAP_CACHE_MARKER, &at, "cache_control");
    if (!e && t->strict == 1) e = has_there(w, CAP_TOOL_STRICT, &at, "function.strict");
    drop_rest(w, &t->rest, &at);
  }
  return e;
}

/* ---- the members beside them ---- */

static enum err check_choice(struct walk *w) {
  const char *path = request_member_word(w->words, "tool_choice");
  switch (w->request->tool_choice) {
    case TOOL_CHOICE_NONE: return has_member(w, CAP_TOOL_CHOICE_NONE, path);
    case TOOL_CHOICE_REQUIRED: return has_member(w, CAP_TOOL_CHOICE_REQUIRED, path);
    case TOOL_CHOICE_NAMED: return has_member(w, CAP_TOOL_CHOICE_NAMED, path);
    default: return w->request->tool_choice_raw ? refuse(w, CAP_TOOL_CHOICE_NAMED, path) : OK;
  }
}

static bool is_one(struct str number) { return str_eq(number, STR("1")); }

/* Said, and not as the nought that means the same as nothing ("0", "-0.00"): clients send their defaults along. */
static bool is_some(struct str number) {
  for (size_t i = 0; i < number.n && number.p[i] != 'e' && number.p[i] != 'E'; i++)
    if (number.p[i] >= '1' && number.p[i] <= '9') return true;
  return false;
}

static enum err check_members(struct walk *w) {
  const struct request *r = w->request;
  bool is_off = r->reasoning.enabled == 0, is_off_word = str_eq(r->reasoning.effort, STR("none"));
  const struct {
    bool is_set;
    enum cap cap;
    const char *path;
  } members[] = {
      {r->parallel_tool_calls >= 0, CAP_PARALLEL_TOOL_CALLS, "parallel_tool_calls"},
      {r->format == FORMAT_JSON_OBJECT, CAP_FORMAT_JSON_OBJECT, "response_format"},
      {r->format == FORMAT_JSON_SCHEMA, CAP_FORMAT_JSON_SCHEMA, "response_format"},
      {r->reasoning.effort.n > 0, CAP_REASONING_EFFORT, "reasoning_effort"},
      {effort_is_other(r->reasoning.effort) && (w->can & CAP_BIT(REASONING_EFFORT)), CAP_EFFORT_OTHER,
       "reasoning_effort"},
      {r->reasoning.budget_tokens >= 0, CAP_REASONING_BUDGET, "thinking.budget_tokens"},
      {is_off && !(is_off_word && (w->can & CAP_BIT(REASONING_EFFORT))), CAP_REASONING_OFF, "thinking"},
      {r->temperature.n > 0, CAP_TEMPERATURE, "temperature"},
      {r->top_p.n > 0, CAP_TOP_P, "top_p"},
      {r->top_k.n > 0, CAP_TOP_K, "top_k"},
      {is_some(r->frequency_penalty), CAP_FREQUENCY_PENALTY, "frequency_penalty"},
      {is_some(r->presence_penalty), CAP_PRESENCE_PENALTY, "presence_penalty"},
      {r->seed.n > 0, CAP_SEED, "seed"},
      {r->stop_count > 0, CAP_STOP, "stop"},
      {r->choices.n > 0 && !is_one(r->choices), CAP_CHOICES, "n"},
      {r->logprobs == 1 || r->top_logprobs.n > 0, CAP_LOGPROBS, "logprobs"},
      {r->logit_bias != NULL, CAP_LOGIT_BIAS, "logit_bias"},
      {r->metadata != NULL, CAP_METADATA, "metadata"},
      {r->user.n > 0, CAP_USER, "user"},
      {r->store == 1, CAP_STORE, "store"},
      {r->service_tier.n > 0, CAP_SERVICE_TIER, "service_tier"},
      {r->prompt_cache_key.n > 0, CAP_PROMPT_CACHE_KEY, "prompt_cache_key"},
      {r->verbosity.n > 0, CAP_VERBOSITY, "verbosity"},
      {r->dimensions.n > 0, CAP_DIMENSIONS, "dimensions"},
      {r->suffix.n > 0, CAP_SUFFIX, "suffix"},
      {r->echo == 1, CAP_ECHO, "echo"},
      {r->best_of.n > 0 && !is_one(r->best_of), CAP_BEST_OF, "best_of"},
      {r->wants_audio, CAP_AUDIO_ANSWER, "modalities"},
  };
  enum err e = OK;
  if (r->native_member) e = has_member(w, CAP_NATIVE_MEMBER, r->native_member);
  for (size_t i = 0; !e && i < sizeof members / sizeof *members; i++)
    if (members[i].is_set) e = has_member(w, members[i].cap, request_member_word(w->words, members[i].path));
  return e;
}

enum err caps_check(const struct request *r, struct str target, caps_set can, const struct request_words *words,
                    struct caps_dropped *dropped, struct err_info *info) {
  if (str_eq(r->dialect, target)) return OK;
  struct walk w = {r, target, can, words, dropped, info};
  enum err e = check_items(&w);
  if (!e) e = check_tools(&w);
  if (!e) e = check_choice(&w);
  if (!e) e = check_members(&w);
  drop_rest(&w, &r->rest, &(struct place){0});
  drop_rest(&w, &r->nested, &(struct place){0});
  return e;
}
