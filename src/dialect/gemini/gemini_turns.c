/* The turns of a canonical request as Gemini writes them: `systemInstruction` and `contents`. Called by
 * gemini_body_encode. A request that was Gemini's own comes out turn by turn as it was; any other is gathered: items of
 * one role in a row are one turn, and in a user's turn results come first and for themselves, since the vendor wants
 * them right behind the calls, one for each, and nothing beside them.
 *
 * Gemini 3 refuses a history whose first call of a step has no thought signature. Where the call was made by another
 * model, the stand-in that the vendor documents for this takes its place there, and nowhere else (Gemini API guide,
 * "Thought signatures", FAQ; read 2026-11). */
#include <yyjson.h>

#include "base/json_out.h"
#include "base/map.h"
#include "dialect/gemini/gemini_internal.h"
#include "dialect/tool_name.h"

static const struct str stand_in = STR("skip_thought_signature_validator");

struct turns {
  const struct request *r;
  struct arena *arena;
  struct buf *out;
  bool is_own;
  enum gemini_generation generation;
  struct map calls; /* call id to the part that calls: foreign results do not name their tool */
};

enum which { ALL_PARTS, RESULTS, ALL_BUT_RESULTS };

/* "gemini-2.5-pro", "models/gemini-3-flash", "google/gemini-3.1-pro-preview". */
enum gemini_generation gemini_turns_generation(struct str model) {
  size_t at = str_find(model, STR("gemini-"));
  struct str tail = at == SIZE_MAX ? STR_NONE : str_sub(model, at + sizeof "gemini-" - 1, model.n);
  if (!tail.n || tail.p[0] < '1' || tail.p[0] > '9') return GEMINI_UNKNOWN;
  bool has_two_digits = tail.n > 1 && tail.p[1] >= '0' && tail.p[1] <= '9';
  return has_two_digits || tail.p[0] >= '3' ? GEMINI_3 : GEMINI_2;
}

/* ---- media ---- */

/* Where nobody said the type, the name's ending does, else what is most common of the kind. It is required of data; of
 * a film's address it is not (YouTube's have no ending). */
static struct str mime_of(enum part_kind kind, const struct media *m) {
  static const struct {
    struct str ending, mime;
  } endings[] = {
      {STR(".png"), STR("image/png")},   {STR(".jpg"), STR("image/jpeg")},      {STR(".jpeg"), STR("image/jpeg")},
      {STR(".gif"), STR("image/gif")},   {STR(".webp"), STR("image/webp")},     {STR(".heic"), STR("image/heic")},
      {STR(".mp3"), STR("audio/mp3")},   {STR(".wav"), STR("audio/wav")},       {STR(".mp4"), STR("video/mp4")},
      {STR(".webm"), STR("video/webm")}, {STR(".pdf"), STR("application/pdf")}, {STR(".txt"), STR("text/plain")},
      {STR(".html"), STR("text/html")},  {STR(".csv"), STR("text/csv")},
  };
  struct str path = m->url, query;
  if (m->mime.n) return m->mime;
  str_cut(path.n ? path : m->name, '?', &path, &query);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (path.n > endings[i].ending.n &&
        str_eq_nocase(str_sub(path, path.n - endings[i].ending.n, path.n), endings[i].ending))
      return endings[i].mime;
  switch (kind) {
    case PART_IMAGE: return STR("image/jpeg");
    case PART_AUDIO: return STR("audio/wav");
    case PART_VIDEO: return m->data.n ? STR("video/mp4") : STR_NONE;
    default: return STR("application/pdf");
  }
}

void gemini_turns_put_media(struct buf *out, enum part_kind kind, const struct media *m) {
  json_out_key(out, m->data.n ? "inlineData" : "fileData");
  json_out_begin(out, '{');
  json_out_member_string_if(out, "mimeType", mime_of(kind, m));
  if (m->data.n)
    json_out_member_string(out, "data", m->data);
  else
    json_out_member_string(out, "fileUri", m->url.n ? m->url : m->file_id);
  json_out_end(out, '}');
}

/* ---- calls and results ---- */

static void put_call(struct turns *t, const struct request_part *p) {
  json_out_key(t->out, "functionCall");
  if (t->is_own && p->raw) {
    json_out_value(t->out, p->raw);
    return;
  }
  json_out_begin(t->out, '{');
  json_out_member_string_if(t->out, "id", p->call_id);
  json_out_member_string(t->out, "name", tool_name_wire(t->arena, p->namespace, p->name));
  json_out_key(t->out, "args");
  request_put_call_args(t->out, p);
  json_out_end(t->out, '}');
}

static struct str text_of(const struct request_part *p) {
  if (p->kind == PART_TEXT || p->kind == PART_REFUSAL) return p->text;
  return p->kind == PART_DOCUMENT ? p->media->text : STR_NONE;
}

static bool is_media(const struct request_part *p) {
  return p->media && (p->media->data.n || p->media->url.n || p->media->file_id.n);
}

/* Gemini 3 takes data within a result; addresses, and data for other models, go into the turn that follows. */
static bool is_within_result(const struct turns *t, const struct request_part *p) {
  return is_media(p) && p->media->data.n && t->generation != GEMINI_2;
}

static void put_response(struct turns *t, const struct request_part *p) {
  struct buf text;
  buf_init(&text, 0);
  for (size_t i = 0; i < p->result_count; i++) {
    struct str one = text_of(&p->results[i]);
    if (text.n && one.n) buf_put_char(&text, '\n');
    buf_put(&text, one);
  }
  json_out_key(t->out, "response");
  json_out_begin(t->out, '{');
  json_out_member_string(t->out, p->is_error ? "error" : "output", buf_str(&text));
  json_out_end(t->out, '}');
  if (text.failed) t->out->failed = true;
  buf_clear(&text);
}

static void put_result(struct turns *t, const struct request_part *p) {
  const struct request_part *call = p->name.n ? p : map_get(&t->calls, p->call_id);
  struct str said = call ? tool_name_wire(t->arena, call->namespace, call->name) : STR_NONE;
  bool has_parts = false;
  json_out_key(t->out, "functionResponse");
  if (t->is_own && p->raw) {
    json_out_value(t->out, p->raw);
    return;
  }
  if (!said.n) said = tool_name_wire(t->arena, STR_NONE, p->call_id.n ? p->call_id : STR("tool"));
  json_out_begin(t->out, '{');
  json_out_member_string_if(t->out, "id", p->call_id);
  json_out_member_string(t->out, "name", said);
  put_response(t, p);
  for (size_t i = 0; i < p->result_count; i++) {
    if (!is_within_result(t, &p->results[i])) continue;
    if (!has_parts) {
      json_out_key(t->out, "parts");
      json_out_begin(t->out, '[');
      has_parts = true;
    }
    json_out_begin(t->out, '{');
    gemini_turns_put_media(t->out, p->results[i].kind, p->results[i].media);
    json_out_end(t->out, '}');
  }
  if (has_parts) json_out_end(t->out, ']');
  json_out_end(t->out, '}');
}

/* ---- parts ---- */

/* True when the part has something to say to Gemini. */
static bool is_said(const struct turns *t, const struct request_part *p) {
  bool is_ours = str_eq(p->signature.origin, GEMINI_NAME);
  switch (p->kind) {
    case PART_TEXT: return t->is_own || p->text.n > 0;
    case PART_REFUSAL: return p->text.n > 0;
    case PART_REASONING: return is_ours || (t->is_own && !p->signature.bytes.n);
    case PART_REASONING_SUMMARY:
    case PART_REDACTED: return false;
    case PART_SERVER_TOOL:
    case PART_OPAQUE: return t->is_own && p->raw;
    case PART_TOOL_CALL:
    case PART_TOOL_RESULT: return true;
    default: return is_media(p) || text_of(p).n > 0;
  }
}

static void put_signature(struct turns *t, const struct request_part *p, bool *saw_call) {
  bool is_ours = str_eq(p->signature.origin, GEMINI_NAME), is_first = p->kind == PART_TOOL_CALL && !*saw_call;
  bool is_foreign = !t->is_own || (p->signature.bytes.n && !is_ours);
  if (p->kind == PART_TOOL_CALL) *saw_call = true;
  if (is_ours)
    json_out_member_string_if(t->out, "thoughtSignature", p->signature.bytes);
  else if (is_first && is_foreign && t->generation != GEMINI_2)
    json_out_member_string(t->out, "thoughtSignature", stand_in);
}

static void put_media_part(struct turns *t, const struct request_part *p) {
  if (t->is_own && p->raw) {
    json_out_key(t->out, p->media->data.n ? "inlineData" : "fileData");
    json_out_value(t->out, p->raw);
  } else if (is_media(p)) {
    gemini_turns_put_media(t->out, p->kind, p->media);
  } else {
    json_out_member_string(t->out, "text", text_of(p));
  }
}

static void put_part(struct turns *t, const struct request_part *p, bool *saw_call) {
  if (p->kind == PART_SERVER_TOOL || p->kind == PART_OPAQUE) {
    json_out_value(t->out, p->raw);
    return;
  }
  json_out_begin(t->out, '{');
  switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
    case PART_REASONING:
      if (p->text.p || !t->is_own) json_out_member_string(t->out, "text", p->text);
      if (p->kind == PART_REASONING) json_out_member_bool(t->out, "thought", true);
      break;
    case PART_TOOL_CALL: put_call(t, p); break;
    case PART_TOOL_RESULT: put_result(t, p); break;
    default: put_media_part(t, p); break;
  }
  put_signature(t, p, saw_call);
  if (t->is_own) json_out_rest(t->out, &p->rest);
  json_out_end(t->out, '}');
}

/* What of a result does not fit into it. */
static bool put_result_media(struct turns *t, const struct request_part *p) {
  bool has_put = false;
  for (size_t i = 0; i < p->result_count; i++) {
    const struct request_part *one = &p->results[i];
    if (!is_media(one) || is_within_result(t, one)) continue;
    json_out_begin(t->out, '{');
    gemini_turns_put_media(t->out, one->kind, one->media);
    json_out_end(t->out, '}');
    has_put = true;
  }
  return has_put;
}

static bool put_parts(struct turns *t, const struct request_item *item, enum which which, bool *saw_call) {
  bool has_put = false;
  for (size_t i = 0; i < item->part_count; i++) {
    const struct request_part *p = &item->parts[i];
    bool is_result = p->kind == PART_TOOL_RESULT;
    if (which == ALL_BUT_RESULTS && is_result) has_put = put_result_media(t, p) || has_put;
    if ((which == RESULTS && !is_result) || (which == ALL_BUT_RESULTS && is_result) || !is_said(t, p)) continue;
    put_part(t, p, saw_call);
    has_put = true;
  }
  return has_put;
}

/* ---- turns ---- */

static struct str role_of(const struct turns *t, const struct request_item *item) {
  if (item->role == ROLE_ASSISTANT) return STR("model");
  return item->role == ROLE_TOOL && t->is_own ? STR("function") : STR("user");
}

static void put_own(struct turns *t, const struct request_item *item) {
  bool saw_call = false;
  json_out_begin(t->out, '{');
  json_out_member_string(t->out, "role", role_of(t, item));
  if (item->form != CONTENT_ABSENT) {
    json_out_key(t->out, "parts");
    json_out_begin(t->out, '[');
    put_parts(t, item, ALL_PARTS, &saw_call);
    json_out_end(t->out, ']');
  }
  json_out_rest(t->out, &item->rest);
  json_out_end(t->out, '}');
}

/* A turn without parts is refused: it is left out. */
static bool put_turn(struct turns *t, const struct request_item *items, size_t n, enum which which) {
  size_t before = t->out->n;
  bool saw_call = false, has_put = false;
  json_out_begin(t->out, '{');
  json_out_member_string(t->out, "role", role_of(t, items));
  json_out_key(t->out, "parts");
  json_out_begin(t->out, '[');
  for (size_t i = 0; i < n; i++) has_put = put_parts(t, &items[i], which, &saw_call) || has_put;
  json_out_end(t->out, ']');
  json_out_end(t->out, '}');
  if (!has_put) t->out->n = before;
  return has_put;
}

static bool put_foreign(struct turns *t, const struct request_item *items, size_t n) {
  bool has_put = false;
  for (size_t i = 0, end; i < n; i = end) {
    bool is_model = items[i].role == ROLE_ASSISTANT;
    for (end = i + 1; end < n && (items[end].role == ROLE_ASSISTANT) == is_model;) end++;
    if (is_model) {
      has_put = put_turn(t, &items[i], end - i, ALL_PARTS) || has_put;
      continue;
    }
    has_put = put_turn(t, &items[i], end - i, RESULTS) || has_put;
    has_put = put_turn(t, &items[i], end - i, ALL_BUT_RESULTS) || has_put;
  }
  return has_put;
}

static void put_system(struct turns *t, size_t n) {
  const struct request_item *items = t->r->items;
  const struct gemini_native *native = t->is_own ? t->r->native : NULL;
  size_t before = t->out->n;
  bool saw_call = false, has_put = false;
  json_out_key(t->out, "systemInstruction");
  if (t->is_own && items[0].form == CONTENT_STRING && n == 1 && items[0].part_count == 1) {
    json_out_string(t->out, items[0].parts[0].text);
    return;
  }
  json_out_begin(t->out, '{');
  if (native) json_out_member_string_if(t->out, "role", native->system_role);
  if (!t->is_own || items[0].form != CONTENT_ABSENT) {
    json_out_key(t->out, "parts");
    json_out_begin(t->out, '[');
    for (size_t i = 0; i < n; i++) has_put = put_parts(t, &items[i], ALL_PARTS, &saw_call) || has_put;
    json_out_end(t->out, ']');
  }
  if (t->is_own) json_out_rest(t->out, &items[0].rest);
  json_out_end(t->out, '}');
  if (!t->is_own && !has_put) t->out->n = before;
}

static enum err learn_calls(struct turns *t) {
  const struct request *r = t->r;
  map_init(&t->calls, t->arena);
  for (size_t i = 0; i < r->item_count; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      struct request_part *p = &r->items[i].parts[k];
      if (p->kind == PART_TOOL_CALL && p->call_id.n && !map_put(&t->calls, p->call_id, p)) return ERR_NO_MEMORY;
    }
  return OK;
}

enum err gemini_turns_encode(const struct request *r, struct str model, struct arena *a, struct buf *out,
                             struct err_info *info) {
  struct turns t = {.r = r, .arena = a, .out = out, .generation = gemini_turns_generation(model)};
  size_t system = 0;
  t.is_own = str_eq(r->dialect, GEMINI_NAME);
  enum err e = learn_calls(&t);
  if (e) return e;
  while (system < r->item_count && request_is_system(&r->items[system])) system++;
  if (!t.is_own && system == r->item_count) system = 0; /* contents are required: then it is what the user says */
  if (system) put_system(&t, system);
  json_out_key(out, "contents");
  json_out_begin(out, '[');
  bool has_put = t.is_own;
  for (size_t i = system; t.is_own && i < r->item_count; i++) put_own(&t, &r->items[i]);
  if (!t.is_own && r->item_count) has_put = put_foreign(&t, r->items + system, r->item_count - system);
  json_out_end(out, ']');
  if (has_put) return OK;
  return dialect_refuse(r, NULL, NULL, info, "the request has no content that could be sent to the model");
}
