/* Requests in Ollama's format, with its refusals of what other formats allow: content in parts, arguments as a string,
 * images by URL. One parse reads all. Shapes: the vendor's API document and the types of its JavaScript client 0.6.4
 * (read 2026-11); the errors are those of its Go server. */
#include "mock/mock_json.h"
#include "mock/mock_ollama.h"

struct reader {
  struct mock_request *q;
  struct arena *arena;
  struct mock_error *fault;
  yyjson_val *root;
  struct mock_ollama *own;
};

static bool take_model(struct reader *r, struct str model) {
  if (model.n == 0) return mock_refuse(r->fault, STR("model is required"));
  r->own->name = model;
  r->own->model = mock_json_escaped(model, r->arena);
  r->q->scan.model = r->own->model;
  if (str_has_suffix(model, STR(":latest"))) r->q->scan.model.n -= 7;
  return true;
}

static bool begin_any(struct reader *r, struct mock_request *q, struct arena *a, struct mock_error *fault) {
  *r = (struct reader){q, a, fault, NULL, ARENA_NEW(a, struct mock_ollama)};
  q->own = r->own;
  q->scan.n = 1;
  q->is_parsed = true;
  if (!r->own) return mock_refuse(r->fault, STR("no memory"));
  if (q->body.n == 0) return mock_refuse(r->fault, STR("missing request body"));
  r->root = mock_json_read(q->body, a);
  if (!yyjson_is_obj(r->root)) return mock_refuse(r->fault, STR("invalid character in request body"));
  r->own->root = r->root;
  return true;
}

static bool begin(struct reader *r, struct mock_request *q, struct arena *a, struct mock_error *fault) {
  if (!begin_any(r, q, a, fault)) return false;
  struct str model = mock_json_member(r->root, "model");
  if (model.n == 0) model = mock_json_member(r->root, "name"); /* what older clients say */
  return take_model(r, model);
}

/* --- what the server refuses -------------------------------------------------------------------------------------- */

static bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

static bool check_images(struct reader *r, yyjson_val *images) {
  yyjson_val *image;
  size_t i, n;
  yyjson_arr_foreach(images, i, n, image) {
    struct str data = mock_json_str(image);
    if (data.n == 0)
      return mock_refuse(r->fault, STR("json: cannot unmarshal value of images into type api.ImageData"));
    for (size_t at = 0; at < data.n; at++)
      if (!is_base64(data.p[at]))
        return mock_refuse(r->fault, arena_printf(r->arena, "illegal base64 data at input byte %zu", at));
  }
  return true;
}

static bool check_calls(struct reader *r, yyjson_val *calls) {
  yyjson_val *call;
  size_t i, n;
  yyjson_arr_foreach(calls, i, n, call) {
    yyjson_val *arguments = yyjson_obj_get(yyjson_obj_get(call, "function"), "arguments");
    if (arguments && !yyjson_is_obj(arguments))
      return mock_refuse(r->fault, STR("json: cannot unmarshal string into Go struct field "
                                       "ToolCallFunction.messages.tool_calls.function.arguments of type "
                                       "api.ToolCallFunctionArguments"));
  }
  return true;
}

static bool check_message(struct reader *r, yyjson_val *message) {
  yyjson_val *content = yyjson_obj_get(message, "content");
  if (!mock_json_is_role(message, "user") && !mock_json_is_role(message, "assistant") &&
      !mock_json_is_role(message, "system") && !mock_json_is_role(message, "tool"))
    return mock_refuse(r->fault, STR("invalid role, must be one of [system user assistant tool]"));
  if (content && !yyjson_is_str(content) && !yyjson_is_null(content))
    return mock_refuse(
        r->fault, STR("json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string"));
  return check_images(r, yyjson_obj_get(message, "images")) && check_calls(r, yyjson_obj_get(message, "tool_calls"));
}

static bool read_think(struct reader *r) {
  yyjson_val *think = yyjson_obj_get(r->root, "think");
  struct str level = mock_json_str(think);
  r->own->is_silent = yyjson_is_false(think);
  if (!think || yyjson_is_bool(think) || yyjson_is_null(think) || str_eq(level, STR("high")) ||
      str_eq(level, STR("medium")) || str_eq(level, STR("low")))
    return true;
  return mock_refuse(r->fault, STR("invalid think value (must be \"high\", \"medium\", \"low\", true, or false)"));
}

static bool read_format(struct reader *r) {
  yyjson_val *format = yyjson_obj_get(r->root, "format");
  struct mock_request *q = r->q;
  if (!format || yyjson_is_null(format) || yyjson_equals_str(format, "")) return true;
  q->scan.wants_json = true;
  if (yyjson_is_obj(format))
    q->json = mock_json_made(format, q->is_demo, r->arena);
  else if (yyjson_equals_str(format, "json"))
    q->json = mock_json_any(q->is_demo);
  else
    return mock_refuse(r->fault, STR("invalid format; expected \"json\" or a valid JSON Schema object"));
  return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void read_tools(struct reader *r) {
  struct mock_request *q = r->q;
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(r->root, "tools"), i, n, tool) {
    yyjson_val *function = yyjson_obj_get(tool, "function");
    struct str name = mock_json_member(function, "name");
    if (name.n == 0 || q->tool_count == MOCK_TOOLS_MAX) continue;
    q->tools[q->tool_count++] = (struct mock_tool){
        .name = name, .arguments = mock_json_made(yyjson_obj_get(function, "parameters"), false, r->arena)};
  }
}

/* What chat and generate have in common. */
static bool read_common(struct reader *r) {
  yyjson_val *stream = yyjson_obj_get(r->root, "stream"), *stop;
  stop = yyjson_obj_get(yyjson_obj_get(r->root, "options"), "stop");
  r->q->stop_sequence = mock_json_str(yyjson_is_arr(stop) ? yyjson_arr_get_first(stop) : stop);
  r->q->scan.is_stream = !yyjson_is_false(stream) && r->own->loads.n == 0;
  return read_think(r) && read_format(r);
}

static void note_load(struct reader *r, bool is_empty) {
  yyjson_val *keep = yyjson_obj_get(r->root, "keep_alive");
  if (is_empty) r->own->loads = yyjson_is_int(keep) && yyjson_get_sint(keep) == 0 ? STR("unload") : STR("load");
}

bool mock_ollama_scan_chat(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  yyjson_val *messages, *message, *last = NULL, *last_user = NULL;
  size_t i, n;
  if (!begin(&r, q, a, fault)) return false;
  messages = yyjson_obj_get(r.root, "messages");
  yyjson_arr_foreach(messages, i, n, message) {
    if (!check_message(&r, message)) return false;
    q->scan.text_bytes += mock_json_member(message, "content").n;
    last = message;
    if (mock_json_is_role(message, "user")) last_user = message;
  }
  q->scan.has_messages = true;
  q->user_text = mock_json_member(last_user, "content");
  q->scan.is_tool_last = mock_json_is_role(last, "tool");
  if (q->scan.is_tool_last) q->tool_result = mock_json_member(last, "content");
  note_load(&r, last == NULL);
  read_tools(&r);
  return read_common(&r);
}

bool mock_ollama_scan_generate(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin(&r, q, a, fault)) return false;
  q->user_text = mock_json_member(r.root, "prompt");
  q->scan.text_bytes = q->user_text.n + mock_json_member(r.root, "system").n;
  note_load(&r, q->user_text.n == 0);
  return check_images(&r, yyjson_obj_get(r.root, "images")) && read_common(&r);
}

static bool embed(struct reader *r, yyjson_val *input) {
  size_t count = yyjson_is_arr(input) ? yyjson_arr_size(input) : 1, i, n;
  struct str *texts = ARENA_NEW_ARRAY(r->arena, struct str, count + 1);
  yyjson_val *text;
  if (!texts) return mock_refuse(r->fault, STR("no memory"));
  if (!yyjson_is_str(input) && !yyjson_is_arr(input)) return mock_refuse(r->fault, STR("invalid input type"));
  texts[0] = mock_json_str(input);
  yyjson_arr_foreach(input, i, n, text) {
    if (!yyjson_is_str(text)) return mock_refuse(r->fault, STR("invalid input type"));
    texts[i] = mock_json_str(text);
  }
  for (i = 0; i < count; i++) r->q->scan.text_bytes += texts[i].n;
  if (count) r->q->user_text = texts[count - 1];
  r->own->texts = texts;
  r->own->text_count = count;
  r->own->dimensions = yyjson_get_uint(yyjson_obj_get(r->root, "dimensions"));
  return true;
}

bool mock_ollama_scan_embed(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  return begin(&r, q, a, fault) && embed(&r, yyjson_obj_get(r.root, "input"));
}

bool mock_ollama_scan_embeddings(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  return begin(&r, q, a, fault) && embed(&r, yyjson_obj_get(r.root, "prompt"));
}

bool mock_ollama_scan_show(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  return begin(&r, q, a, fault);
}

bool mock_ollama_scan_copy(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin_any(&r, q, a, fault)) return false;
  struct str source = mock_json_member(r.root, "source");
  r.own->destination = mock_json_member(r.root, "destination");
  if (source.n == 0) return mock_refuse(fault, STR("source \"\" is invalid"));
  if (r.own->destination.n == 0) return mock_refuse(fault, STR("destination \"\" is invalid"));
  q->user_text = source;
  return take_model(&r, source);
}

bool mock_ollama_scan_none(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  (void)a, (void)fault;
  q->scan.n = 1;
  q->is_parsed = true;
  return true;
}
