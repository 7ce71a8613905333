/* Turns of a Gemini request as items: `contents` and `systemInstruction` with their parts. Called by
 * gemini_request_decode; all of it in the request's arena.
 *
 * A part is a union of one data member with thought, thoughtSignature and more beside it. Calls need no id here
 * (request_pair_calls makes up for it). The node as it was written stays in part.raw, so that the same dialect writes
 * back what was sent. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/gemini/gemini_internal.h"
#include "llm/signature.h"

enum part_name {
  TEXT,
  INLINE_DATA,
  FILE_DATA,
  FUNCTION_CALL,
  FUNCTION_RESPONSE,
  EXECUTABLE_CODE,
  CODE_EXECUTION_RESULT,
  SERVER_CALL,
  SERVER_RESPONSE,
  DATA_NAMES,
  THOUGHT = DATA_NAMES,
  THOUGHT_SIGNATURE,
  PART_NAMES
};

static const struct str part_names[PART_NAMES] = {
    [TEXT] = STR("text"),
    [INLINE_DATA] = STR("inlineData"),
    [FILE_DATA] = STR("fileData"),
    [FUNCTION_CALL] = STR("functionCall"),
    [FUNCTION_RESPONSE] = STR("functionResponse"),
    [EXECUTABLE_CODE] = STR("executableCode"),
    [CODE_EXECUTION_RESULT] = STR("codeExecutionResult"),
    [SERVER_CALL] = STR("toolCall"),
    [SERVER_RESPONSE] = STR("toolResponse"),
    [THOUGHT] = STR("thought"),
    [THOUGHT_SIGNATURE] = STR("thoughtSignature"),
};

struct contents {
  struct arena *a;
  struct request *r;
  struct err_info *info;
};

/* Members of an object within a part that nobody here knows: named by their path where they cannot be passed on. */
static enum err keep_unknown(struct contents *c, yyjson_val *object, const char *path, const struct str *known,
                             size_t n) {
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(object);
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = json_pool_text(key);
    size_t i = 0;
    while (i < n && !gemini_names_is(name, known[i])) i++;
    if (i < n) continue;
    struct str whole = arena_printf(c->a, "%s.%.*s", path, STR_ARG(name));
    if (!whole.p || json_rest_add(c->a, &c->r->nested, whole, yyjson_obj_iter_get_val(key))) return ERR_NO_MEMORY;
  }
  return OK;
}

/* ---- media ---- */

static enum part_kind kind_of_mime(struct str mime) {
  if (str_has_prefix_nocase(mime, STR("image/"))) return PART_IMAGE;
  if (str_has_prefix_nocase(mime, STR("audio/"))) return PART_AUDIO;
  if (str_has_prefix_nocase(mime, STR("video/"))) return PART_VIDEO;
  return PART_DOCUMENT;
}

/* Gemini's own store (Files API, Cloud Storage) is nobody else's; any other address may be. */
static bool is_own_file(struct str uri) {
  return str_has_prefix(uri, STR("gs://")) || str_has_prefix(uri, STR("files/")) ||
         str_has_prefix(uri, STR("https://generativelanguage.googleapis.com/"));
}

/* YouTube addresses come without a type. */
static bool is_video_url(struct str uri) {
  return str_has_prefix(uri, STR("https://www.youtube.com/")) || str_has_prefix(uri, STR("https://youtu.be/"));
}

static enum err decode_media(struct contents *c, yyjson_val *v, bool is_file, const char *path,
                             struct request_part *out) {
  struct media *m = ARENA_NEW(c->a, struct media);
  struct str body = STR_NONE;
  const char *member = is_file ? "fileUri" : "data";
  if (!m) return ERR_NO_MEMORY;
  if (!yyjson_is_obj(v)) return gemini_names_bad_type(path, NULL, "an object", c->info);
  enum err e = gemini_names_string(gemini_names_get(v, "mimeType"), path, "mimeType", &m->mime, c->info);
  if (!e) e = gemini_names_string(gemini_names_get(v, "displayName"), path, "displayName", &m->name, c->info);
  if (!e) e = gemini_names_string(gemini_names_get(v, member), path, member, &body, c->info);
  if (e) return e;
  if (body.n == 0) {
    char where[ERR_PARAM_MAX];
    gemini_names_path(where, path, member);
    return err_set_param(c->info, ERR_MISSING, where, "\"%s\" is required", where);
  }
  if (!is_file)
    m->data = body;
  else if (is_own_file(body))
    m->file_id = body;
  else
    m->url = body;
  out->kind = is_file && !m->mime.n && is_video_url(body) ? PART_VIDEO : kind_of_mime(m->mime);
  out->media = m;
  out->raw = v;
  static const struct str known[] = {STR("mimeType"), STR("displayName"), STR("data"), STR("fileUri")};
  return keep_unknown(c, v, path, known, sizeof known / sizeof *known);
}

/* ---- calls and results ---- */

static enum err decode_call(struct contents *c, yyjson_val *v, const char *path, struct request_part *out) {
  yyjson_val *args = gemini_names_get(v, "args");
  if (!yyjson_is_obj(v)) return gemini_names_bad_type(path, NULL, "an object", c->info);
  enum err e = gemini_names_string(gemini_names_get(v, "id"), path, "id", &out->call_id, c->info);
  if (!e) e = gemini_names_string(gemini_names_get(v, "name"), path, "name", &out->name, c->info);
  if (e) return e;
  if (args && !yyjson_is_obj(args)) return gemini_names_bad_type(path, "args", "an object", c->info);
  if (!out->name.n) {
    char where[ERR_PARAM_MAX];
    gemini_names_path(where, path, "name");
    return err_set_param(c->info, ERR_MISSING, where, "\"%s\" is required", where);
  }
  out->kind = PART_TOOL_CALL;
  out->text = args ? gemini_names_json(c->a, args) : STR("{}");
  out->is_args_valid = true;
  out->raw = v;
  static const struct str known[] = {STR("id"), STR("name"), STR("args")};
  return out->text.p ? keep_unknown(c, v, path, known, sizeof known / sizeof *known) : ERR_NO_MEMORY;
}

/* What the tool said, out of the object that a result has to be: "output" or "error" by the vendor's convention; {name,
 * content} as the AI SDK writes it; else the whole object is the output. */
static enum err read_response(struct contents *c, yyjson_val *response, struct request_part *out) {
  size_t members = yyjson_obj_size(response);
  yyjson_val *output = yyjson_obj_get(response, "output"), *error = yyjson_obj_get(response, "error");
  yyjson_val *content = yyjson_obj_get(response, "content");
  yyjson_val *said = response;
  if (members == 1 && (output || error))
    said = output ? output : error;
  else if (members == 2 && content && str_eq(json_pool_str(response, "name"), out->name))
    said = content;
  out->is_error = error && !output && !yyjson_is_null(error);
  out->has_is_error = out->is_error;
  out->results[0] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(said)};
  if (!yyjson_is_str(said)) out->results[0].text = gemini_names_json(c->a, said);
  return out->results[0].text.p ? OK : ERR_NO_MEMORY;
}

static enum err decode_result_media(struct contents *c, yyjson_val *v, const char *path, struct request_part *out) {
  yyjson_val *data = gemini_names_get(v, "inlineData"), *file = gemini_names_get(v, "fileData");
  char where[ERR_PARAM_MAX];
  *out = (struct request_part){.kind = PART_OPAQUE, .raw = v};
  if (!data && !file) return yyjson_is_obj(v) ? OK : gemini_names_bad_type(path, NULL, "an object", c->info);
  gemini_names_path(where, path, data ? "inlineData" : "fileData");
  return decode_media(c, data ? data : file, !data, where, out);
}

static enum err decode_result(struct contents *c, yyjson_val *v, const char *path, struct request_part *out) {
  struct gemini_list parts;
  char list[ERR_PARAM_MAX], where[ERR_PARAM_MAX];
  yyjson_val *response = gemini_names_get(v, "response"), *one;
  if (!yyjson_is_obj(v)) return gemini_names_bad_type(path, NULL, "an object", c->info);
  enum err e = gemini_names_string(gemini_names_get(v, "id"), path, "id", &out->call_id, c->info);
  if (!e) e = gemini_names_string(gemini_names_get(v, "name"), path, "name", &out->name, c->info);
  if (e) return e;
  if (response && !yyjson_is_obj(response)) return gemini_names_bad_type(path, "response", "an object", c->info);
  if (!gemini_list_begin(&parts, gemini_names_get(v, "parts")))
    return gemini_names_bad_type(path, "parts", "an array", c->info);
  out->kind = PART_TOOL_RESULT;
  out->raw = v;
  out->results = ARENA_NEW_ARRAY(c->a, struct request_part, parts.left + 1);
  if (!out->results) return ERR_NO_MEMORY;
  if (response) {
    if ((e = read_response(c, response, out))) return e;
    out->result_count = 1;
  }
  gemini_names_path(list, path, "parts");
  while ((one = gemini_list_next(&parts))) {
    gemini_names_path_at(where, list, parts.index - 1);
    struct request_part *p = &out->results[out->result_count++];
    if ((e = decode_result_media(c, one, where, p))) return e;
    p->source = (uint32_t)(parts.index - 1);
  }
  out->is_result_plain = out->result_count <= 1;
  static const struct str known[] = {STR("id"), STR("name"), STR("response"), STR("parts")};
  return keep_unknown(c, v, path, known, sizeof known / sizeof *known);
}

/* ---- parts ---- */

static enum err decode_text(struct contents *c, yyjson_val *v, bool is_thought, const char *path,
                            struct request_part *out) {
  out->kind = is_thought ? PART_REASONING : PART_TEXT;
  return gemini_names_string(v, path, "text", &out->text, c->info);
}

/* Which member of the union it is; DATA_NAMES: none that is known. */
static enum err find_data(struct contents *c, yyjson_val *const *found, const char *path, enum part_name *out) {
  *out = DATA_NAMES;
  for (enum part_name i = 0; i < DATA_NAMES; i++) {
    if (!found[i]) continue;
    if (*out != DATA_NAMES)
      return err_set_param(c->info, ERR_BAD_VALUE, path, "\"%s\" has both \"%.*s\" and \"%.*s\"; a part is one thing",
                           path, STR_ARG(part_names[*out]), STR_ARG(part_names[i]));
    *out = i;
  }
  return OK;
}

static enum err decode_data(struct contents *c, yyjson_val *node, yyjson_val *const *found, enum part_name data,
                            bool is_thought, const char *path, struct request_part *out) {
  char where[ERR_PARAM_MAX];
  gemini_names_path(where, path, data == DATA_NAMES ? NULL : part_names[data].p);
  switch (data) {
    case TEXT: return decode_text(c, found[TEXT], is_thought, path, out);
    case INLINE_DATA: return decode_media(c, found[data], false, where, out);
    case FILE_DATA: return decode_media(c, found[data], true, where, out);
    case FUNCTION_CALL: return decode_call(c, found[data], where, out);
    case FUNCTION_RESPONSE: return decode_result(c, found[data], where, out);
    case DATA_NAMES: /* a signature may stand alone */
      out->kind = is_thought ? PART_REASONING : PART_TEXT;
      if (out->signature.bytes.n && out->rest.n == 0) return OK;
      out->kind = PART_OPAQUE;
      break;
    default: out->kind = PART_SERVER_TOOL; break;
  }
  out->raw = node;
  out->rest = (struct json_rest){0};
  return OK;
}

/* Thoughts come in pieces, and so do callers hand them back; another dialect's signature is of all of them. */
static enum err gather_thought(struct contents *c, struct request_item *item) {
  struct request_part *last = &item->parts[item->part_count - 1];
  size_t first = item->part_count - 1;
  if (last->kind != PART_REASONING || !last->signature.bytes.n || str_eq(last->signature.origin, GEMINI_NAME))
    return OK;
  while (first > 0 && item->parts[first - 1].kind == PART_REASONING && !item->parts[first - 1].signature.bytes.n)
    first--;
  if (first == item->part_count - 1) return OK;
  struct buf text;
  buf_init(&text, 0);
  for (size_t i = first; i < item->part_count; i++) buf_put(&text, item->parts[i].text);
  struct str whole = text.failed ? STR_NONE : arena_dup(c->a, buf_str(&text));
  buf_clear(&text);
  if (!whole.p) return ERR_NO_MEMORY;
  item->parts[first].text = whole;
  item->parts[first].signature = last->signature;
  item->part_count = first + 1;
  return OK;
}

static enum err decode_part(struct contents *c, yyjson_val *v, const char *path, struct request_part *out) {
  yyjson_val *found[PART_NAMES];
  enum part_name data;
  struct str slot = STR_NONE;
  int8_t thought = 0;
  enum err e = gemini_names_split(c->a, v, part_names, PART_NAMES, found, &out->rest, path, c->info);
  if (!e) e = gemini_names_bool(found[THOUGHT], path, "thought", &thought, c->info);
  if (!e) e = gemini_names_string(found[THOUGHT_SIGNATURE], path, "thoughtSignature", &slot, c->info);
  if (!e) e = find_data(c, found, path, &data);
  if (e) return e;
  if (slot.n) {
    out->signature = signature_read(c->a, slot, GEMINI_NAME);
    if (!out->signature.origin.n) return ERR_NO_MEMORY;
  }
  if ((e = decode_data(c, v, found, data, thought, path, out))) return e;
  for (size_t i = 0; i < out->rest.n; i++) { /* which part of a film is meant, and how closely it is looked at */
    if (!gemini_names_is(out->rest.v[i].key, STR("videoMetadata")) || json_rest_is_null(&out->rest.v[i])) continue;
    struct str where = arena_printf(c->a, "%s.videoMetadata", path);
    if (!where.p) return ERR_NO_MEMORY;
    c->r->native_member = where.p;
  }
  bool is_said = out->kind == PART_REASONING || out->kind == PART_OPAQUE || out->kind == PART_SERVER_TOOL;
  if (found[THOUGHT] && !is_said && json_rest_add(c->a, &out->rest, part_names[THOUGHT], found[THOUGHT]))
    return ERR_NO_MEMORY;
  return OK;
}

static enum err decode_parts(struct contents *c, yyjson_val *v, const char *path, struct request_item *item) {
  struct gemini_list list;
  char where[ERR_PARAM_MAX];
  yyjson_val *one;
  if (!v) return OK;
  if (!gemini_list_begin(&list, v)) return gemini_names_bad_type(path, NULL, "an array", c->info);
  item->form = CONTENT_ARRAY;
  item->parts = ARENA_NEW_ARRAY(c->a, struct request_part, list.left);
  if (!item->parts) return ERR_NO_MEMORY;
  while ((one = gemini_list_next(&list))) {
    struct request_part *p = &item->parts[item->part_count];
    p->source = (uint32_t)(list.index - 1);
    gemini_names_path_at(where, path, list.index - 1);
    enum err e = decode_part(c, one, where, p);
    if (e) return e;
    item->part_count++;
    if ((e = gather_thought(c, item))) return e;
  }
  return OK;
}

/* ---- items ---- */

static const struct {
  struct str word;
  enum request_role role;
} roles[] = {{STR("user"), ROLE_USER}, {STR("model"), ROLE_ASSISTANT}, {STR("function"), ROLE_TOOL}};

static enum err decode_role(struct contents *c, yyjson_val *v, const char *path, enum request_role *out) {
  struct str word = roles[0].word;
  char where[ERR_PARAM_MAX];
  enum err e = gemini_names_string(v, path, "role", &word, c->info);
  if (e) return e;
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (str_eq(roles[i].word, word) || word.n == 0) {
      *out = roles[i].role;
      return OK;
    }
  gemini_names_path(where, path, "role");
  return err_set_param(c->info, ERR_BAD_VALUE, where, "\"%s\" must be \"user\" or \"model\"", where);
}

static enum err decode_content(struct contents *c, yyjson_val *v, const char *path, struct request_item *item) {
  static const struct str names[] = {STR("role"), STR("parts")};
  yyjson_val *found[2];
  char where[ERR_PARAM_MAX];
  enum err e = gemini_names_split(c->a, v, names, 2, found, &item->rest, path, c->info);
  if (!e) e = decode_role(c, found[0], path, &item->role);
  if (e) return e;
  gemini_names_path(where, path, "parts");
  return decode_parts(c, found[1], where, item);
}

static enum err decode_system(struct contents *c, yyjson_val *v, struct request_item *item, struct str *role) {
  static const struct str names[] = {STR("role"), STR("parts")};
  yyjson_val *found[2];
  item->source = UINT32_MAX;
  item->role = ROLE_SYSTEM;
  if (yyjson_is_str(v)) {
    item->form = CONTENT_STRING;
    item->parts = ARENA_NEW(c->a, struct request_part);
    if (!item->parts) return ERR_NO_MEMORY;
    item->parts[0] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(v)};
    item->part_count = 1;
    return OK;
  }
  enum err e = gemini_names_split(c->a, v, names, 2, found, &item->rest, "systemInstruction", c->info);
  if (!e) e = gemini_names_string(found[0], "systemInstruction", "role", role, c->info);
  return e ? e : decode_parts(c, found[1], "systemInstruction.parts", item);
}

enum err gemini_contents_decode(struct arena *a, struct yyjson_val *system, struct yyjson_val *contents,
                                struct request *r, struct str *system_role, struct err_info *info) {
  struct contents c = {.a = a, .r = r, .info = info};
  struct gemini_list list;
  yyjson_val *one;
  char path[ERR_PARAM_MAX];
  enum err e = OK;
  if (!gemini_list_begin(&list, contents)) return gemini_names_bad_type("contents", NULL, "an array", info);
  r->items = ARENA_NEW_ARRAY(a, struct request_item, list.left + 1);
  if (!r->items) return ERR_NO_MEMORY;
  if (system) {
    if ((e = decode_system(&c, system, &r->items[0], system_role))) return e;
    r->item_count = 1;
  }
  while ((one = gemini_list_next(&list))) {
    struct request_item *item = &r->items[r->item_count];
    item->source = (uint32_t)(list.index - 1);
    gemini_names_path_at(path, "contents", list.index - 1);
    if ((e = decode_content(&c, one, path, item))) return e;
    r->item_count++;
  }
  return OK;
}
