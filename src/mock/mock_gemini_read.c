/* Requests in Gemini's format, in both spellings of members that the API takes, with the refusals that clients meet: an
 * odd number of results, a lost or foreign signature (wording from public reports of 2025 and 2026). One parse reads
 * all. Shapes: the types of the vendor's JavaScript client 2.32 (read 2026-11). */
#include "mock/mock_gemini.h"
#include "mock/mock_json.h"
#include "mock/mock_sign.h"

struct reader {
  struct mock_request *q;
  struct arena *arena;
  struct mock_error *fault;
  yyjson_val *root;
  struct mock_gemini *own;
};

/* A member under its JSON name or its protocol buffer's. */
static yyjson_val *get(yyjson_val *object, const char *camel, const char *snake) {
  yyjson_val *v = yyjson_obj_get(object, camel);
  return v ? v : yyjson_obj_get(object, snake);
}

static yyjson_val *call_of(yyjson_val *part) { return get(part, "functionCall", "function_call"); }
static yyjson_val *result_of(yyjson_val *part) { return get(part, "functionResponse", "function_response"); }

static bool is_model(yyjson_val *content) { return yyjson_equals_str(yyjson_obj_get(content, "role"), "model"); }

/* --- what the API refuses ----------------------------------------------------------------------------------------- */

/* The two stand-ins for calls that another model made are the vendor's own. */
static bool is_stand_in(struct str signature) {
  return str_eq(signature, STR("skip_thought_signature_validator")) ||
         str_eq(signature, STR("context_engineering_is_the_way_to_go"));
}

static bool check_signature(struct reader *r, yyjson_val *part) {
  struct str signature = mock_json_str(get(part, "thoughtSignature", "thought_signature"));
  yyjson_val *call = call_of(part);
  if (signature.n == 0 || is_stand_in(signature)) return true;
  bool is_good = call ? mock_sign_is_good(signature, MOCK_GEMINI_CALL, mock_json_member(call, "name"))
                      : mock_sign_is_good(signature, MOCK_GEMINI_TEXT, MOCK_GEMINI_ANY_TEXT);
  return is_good || mock_refuse(r->fault, STR("Thought signature is not valid"));
}

static size_t count_of(yyjson_val *content, yyjson_val *(*member)(yyjson_val *)) {
  yyjson_val *part;
  size_t i, n, count = 0;
  yyjson_arr_foreach(yyjson_obj_get(content, "parts"), i, n, part) count += member(part) != NULL;
  return count;
}

static bool check_content(struct reader *r, yyjson_val *content, yyjson_val *previous) {
  yyjson_val *role = yyjson_obj_get(content, "role"), *part;
  size_t i, n, results = count_of(content, result_of);
  if (role && !is_model(content) && !yyjson_equals_str(role, "user") && !yyjson_equals_str(role, "function"))
    return mock_refuse(r->fault, STR("Please use a valid role: user, model."));
  if (!yyjson_is_arr(yyjson_obj_get(content, "parts")))
    return mock_refuse(r->fault, STR("* GenerateContentRequest.contents.parts: contents.parts must not be empty.\n"));
  if (results && (!is_model(previous) || results != count_of(previous, call_of)))
    return mock_refuse(
        r->fault, STR("Please ensure that the number of function response parts is equal to the number of function "
                      "call parts of the function call turn."));
  yyjson_arr_foreach(yyjson_obj_get(content, "parts"), i, n, part) {
    if (!check_signature(r, part)) return false;
  }
  return true;
}

/* Remembers the first call of a content that has no signature; the first is the one that needs it. */
static void note_unsigned(struct reader *r, yyjson_val *content, size_t position) {
  yyjson_val *part;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(content, "parts"), i, n, part) {
    if (!call_of(part)) continue;
    if (r->own->unsigned_call.n == 0 && !get(part, "thoughtSignature", "thought_signature")) {
      r->own->unsigned_call = mock_json_member(call_of(part), "name");
      r->own->unsigned_position = position;
    }
    return;
  }
}

bool mock_gemini_check(const struct mock_request *q, const struct mock_plan *plan, struct arena *a,
                       struct mock_error *fault) {
  const struct mock_gemini *own = q->own;
  if (!plan->is_strict || own->unsigned_call.n == 0) return true;
  *fault = (struct mock_error){
      .status = 400,
      .message = arena_printf(a,
                              "Function call is missing a thought_signature in functionCall parts. This is required "
                              "for tools to work correctly, and missing thought_signature may lead to degraded model "
                              "performance. Additional data, function call `default_api:%.*s` , position %zu. Please "
                              "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                              STR_ARG(own->unsigned_call), own->unsigned_position)};
  return false;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* What a function said: its `output` or `result` where that is text, else the whole response. */
static struct str result_text(struct reader *r, yyjson_val *content) {
  yyjson_val *part, *response = NULL;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(content, "parts"), i, n, part) {
    if (result_of(part)) response = yyjson_obj_get(result_of(part), "response");
  }
  struct str text = mock_json_member(response, "output");
  if (text.n == 0) text = mock_json_member(response, "result");
  return text.n ? text : mock_json_written(response, r->arena);
}

static bool read_contents(struct reader *r, yyjson_val *contents) {
  yyjson_val *content, *previous = NULL, *last_user = NULL;
  size_t i, n;
  yyjson_arr_foreach(contents, i, n, content) {
    yyjson_val *parts = yyjson_obj_get(content, "parts");
    if (!check_content(r, content, previous)) return false;
    r->q->scan.text_bytes += mock_json_text_bytes(parts);
    previous = content;
    if (is_model(content)) {
      note_unsigned(r, content, i + 1);
    } else if (mock_json_text_bytes(parts)) {
      last_user = content;
      r->own->unsigned_call = STR_NONE; /* a new turn: what came before is not checked */
    }
  }
  r->q->user_text = mock_json_text(yyjson_obj_get(last_user, "parts"), r->arena);
  r->q->scan.is_tool_last = count_of(previous, result_of) > 0;
  if (r->q->scan.is_tool_last) r->q->tool_result = result_text(r, previous);
  return true;
}

static void read_tools(struct reader *r) {
  struct mock_request *q = r->q;
  yyjson_val *tool, *declaration;
  size_t i, j, n, m;
  yyjson_arr_foreach(yyjson_obj_get(r->root, "tools"), i, n, tool) {
    yyjson_arr_foreach(get(tool, "functionDeclarations", "function_declarations"), j, m, declaration) {
      struct str name = mock_json_member(declaration, "name");
      yyjson_val *schema = get(declaration, "parametersJsonSchema", "parameters_json_schema");
      if (!schema) schema = yyjson_obj_get(declaration, "parameters");
      if (name.n == 0 || q->tool_count == MOCK_TOOLS_MAX) continue;
      q->tools[q->tool_count++] =
          (struct mock_tool){.name = name, .arguments = mock_json_made(schema, false, r->arena)};
    }
  }
}

static void read_config(struct reader *r) {
  struct mock_request *q = r->q;
  yyjson_val *config = get(r->root, "generationConfig", "generation_config"),
             *schema = get(config, "responseJsonSchema", "response_json_schema"),
             *count = get(config, "candidateCount", "candidate_count");
  if (!schema) schema = get(config, "responseSchema", "response_schema");
  q->scan.wants_json =
      schema || yyjson_equals_str(get(config, "responseMimeType", "response_mime_type"), "application/json");
  if (schema)
    q->json = mock_json_made(schema, q->is_demo, r->arena);
  else if (q->scan.wants_json)
    q->json = mock_json_any(q->is_demo);
  q->stop_sequence = mock_json_str(yyjson_arr_get_first(get(config, "stopSequences", "stop_sequences")));
  uint64_t choices = yyjson_get_uint(count);
  q->scan.n = choices < 1 ? 1 : choices > MOCK_CHOICES_MAX ? MOCK_CHOICES_MAX : (uint32_t)choices;
}

static bool begin(struct reader *r, struct mock_request *q, struct arena *a, struct mock_error *fault) {
  *r = (struct reader){q, a, fault, mock_json_read(q->body, a), ARENA_NEW(a, struct mock_gemini)};
  q->own = r->own;
  q->scan.n = 1;
  q->scan.model = mock_json_escaped(q->wildcard, a);
  q->is_parsed = true;
  if (!r->own) return mock_refuse(r->fault, STR("no memory"));
  if (yyjson_is_obj(r->root)) return true;
  return mock_refuse(r->fault, STR("Invalid JSON payload received. Expected an object."));
}

static bool read_request(struct reader *r) {
  yyjson_val *contents = yyjson_obj_get(r->root, "contents");
  if (yyjson_arr_size(contents) == 0)
    return mock_refuse(r->fault, STR("* GenerateContentRequest.contents: contents is not specified\n"));
  if (!read_contents(r, contents)) return false;
  r->q->scan.text_bytes +=
      mock_json_text_bytes(yyjson_obj_get(get(r->root, "systemInstruction", "system_instruction"), "parts"));
  r->q->scan.has_messages = true;
  read_tools(r);
  read_config(r);
  return true;
}

bool mock_gemini_scan_whole(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  return begin(&r, q, a, fault) && read_request(&r);
}

bool mock_gemini_scan_stream(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  q->scan.is_stream = true;
  return begin(&r, q, a, fault) && read_request(&r);
}

/* The request to count stands bare or inside generateContentRequest. */
bool mock_gemini_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin(&r, q, a, fault)) return false;
  yyjson_val *inner = get(r.root, "generateContentRequest", "generate_content_request");
  if (inner) r.root = inner;
  return read_request(&r);
}

/* --- embeddings --------------------------------------------------------------------------------------------------- */

static void read_text(struct reader *r, yyjson_val *request, struct str *text) {
  yyjson_val *parts = yyjson_obj_get(yyjson_obj_get(request, "content"), "parts");
  *text = mock_json_text(parts, r->arena);
  r->q->scan.text_bytes += mock_json_text_bytes(parts);
  r->own->dimensions = yyjson_get_uint(get(request, "outputDimensionality", "output_dimensionality"));
  r->q->user_text = *text;
}

static bool embed(struct reader *r, yyjson_val *list, size_t count) {
  struct str *texts = ARENA_NEW_ARRAY(r->arena, struct str, count);
  yyjson_val *request;
  size_t i, n;
  if (!texts) return mock_refuse(r->fault, STR("no memory"));
  if (!list) read_text(r, r->root, &texts[0]);
  yyjson_arr_foreach(list, i, n, request) read_text(r, request, &texts[i]);
  for (i = 0; i < count; i++)
    if (texts[i].n == 0) return mock_refuse(r->fault, STR("content is empty"));
  r->own->texts = texts;
  r->own->text_count = count;
  return true;
}

bool mock_gemini_scan_embed(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  return begin(&r, q, a, fault) && embed(&r, NULL, 1);
}

bool mock_gemini_scan_batch(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin(&r, q, a, fault)) return false;
  yyjson_val *requests = yyjson_obj_get(r.root, "requests");
  size_t count = yyjson_arr_size(requests);
  if (count == 0) return mock_refuse(r.fault, STR("* BatchEmbedContentsRequest.requests: requests is not specified\n"));
  if (count > 100)
    return mock_refuse(r.fault,
                       STR("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"));
  return embed(&r, requests, count);
}
