/* Requests in OpenAI's chat format: the quick scan, and the parse that finds texts, tools and schemas. */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"
#include "mock/mock_sign.h"

static bool refuse(struct mock_error *fault, struct str message, struct str param, struct str code) {
  *fault = (struct mock_error){.status = 400, .message = message, .param = param, .code = code};
  return false;
}

bool mock_openai_refuse_json(struct mock_error *fault) {
  return refuse(fault,
                STR("We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "
                    "HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid "
                    "JSON.)"),
                STR_NONE, STR_NONE);
}

bool mock_openai_scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  (void)a;
  if (!mock_scan_chat(q->body, &q->scan)) return mock_openai_refuse_json(fault);
  if (!q->scan.model.p) return refuse(fault, STR("you must provide a model parameter"), STR_NONE, STR_NONE);
  if (!q->scan.has_messages)
    return refuse(fault, STR("Missing required parameter: 'messages'."), STR("messages"),
                  STR("missing_required_parameter"));
  return true;
}

/* reasoning_details come back as they were sent, in one piece or several, with the signature of the whole: whoever
 * changes the text or loses the signature is told. */
static bool check_reasoning(yyjson_val *message, struct arena *a, struct mock_error *fault) {
  yyjson_val *details = yyjson_obj_get(message, "reasoning_details"), *detail;
  struct str signature = STR_NONE;
  size_t i, n, bytes = 0;
  yyjson_arr_foreach(details, i, n, detail) bytes += mock_json_member(detail, "text").n;
  char *text = bytes ? arena_alloc(a, bytes) : NULL, *to = text;
  if (!text) return true;
  yyjson_arr_foreach(details, i, n, detail) {
    struct str piece = mock_json_member(detail, "text"), given = mock_json_member(detail, "signature");
    if (piece.n) memcpy(to, piece.p, piece.n);
    to += piece.n;
    if (given.n) signature = given;
  }
  return mock_sign_is_good(signature, STR("reasoning"), str_from(text, bytes)) ||
         refuse(fault, STR("Invalid signature in reasoning_details"), STR("messages"), STR_NONE);
}

static bool read_messages(struct mock_request *q, yyjson_val *messages, struct arena *a, struct mock_error *fault) {
  yyjson_val *message, *last = NULL, *last_user = NULL;
  size_t i, n;
  yyjson_arr_foreach(messages, i, n, message) {
    last = message;
    if (yyjson_equals_str(yyjson_obj_get(message, "role"), "user")) last_user = message;
    if (!check_reasoning(message, a, fault)) return false;
  }
  q->user_text = mock_json_text(yyjson_obj_get(last_user, "content"), a);
  q->scan.is_tool_last = yyjson_equals_str(yyjson_obj_get(last, "role"), "tool") ||
                         yyjson_equals_str(yyjson_obj_get(last, "role"), "function");
  if (q->scan.is_tool_last) q->tool_result = mock_json_text(yyjson_obj_get(last, "content"), a);
  return true;
}

static void add_tool(struct mock_request *q, yyjson_val *function, bool is_custom, struct arena *a) {
  yyjson_val *name = yyjson_obj_get(function, "name");
  if (!yyjson_is_str(name) || q->tool_count == MOCK_TOOLS_MAX) return;
  q->tools[q->tool_count++] = (struct mock_tool){
      .name = mock_json_str(name),
      .arguments = is_custom ? mock_custom_input : mock_json_made(yyjson_obj_get(function, "parameters"), false, a),
      .is_custom = is_custom};
}

static void read_tools(struct mock_request *q, yyjson_val *tools, struct arena *a) {
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(tools, i, n, tool) {
    bool is_custom = yyjson_equals_str(yyjson_obj_get(tool, "type"), "custom");
    add_tool(q, yyjson_obj_get(tool, is_custom ? "custom" : "function"), is_custom, a);
  }
}

/* The legacy way to offer tools; only where there are none. */
static void read_functions(struct mock_request *q, yyjson_val *functions, struct arena *a) {
  yyjson_val *function;
  size_t i, n;
  q->is_functions = q->tool_count == 0 && yyjson_arr_size(functions) > 0;
  if (!q->is_functions) return;
  yyjson_arr_foreach(functions, i, n, function) add_tool(q, function, false, a);
}

static void read_format(struct mock_request *q, yyjson_val *format, struct arena *a) {
  yyjson_val *type = yyjson_obj_get(format, "type");
  if (yyjson_equals_str(type, "json_schema"))
    q->json = mock_json_made(yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema"), q->is_demo, a);
  else if (yyjson_equals_str(type, "json_object"))
    q->json = mock_json_any(q->is_demo);
}

bool mock_openai_parse(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  yyjson_val *root = mock_json_read(q->body, a);
  if (!root) return mock_openai_refuse_json(fault);
  yyjson_val *messages = yyjson_obj_get(root, "messages");
  if (!yyjson_is_arr(messages))
    return refuse(fault, STR("Invalid type for 'messages': expected an array of objects."), STR("messages"),
                  STR("invalid_type"));
  if (!read_messages(q, messages, a, fault)) return false;
  read_tools(q, yyjson_obj_get(root, "tools"), a);
  read_functions(q, yyjson_obj_get(root, "functions"), a);
  q->takes_quirks = true;
  read_format(q, yyjson_obj_get(root, "response_format"), a);
  q->is_parsed = true;
  return true;
}
