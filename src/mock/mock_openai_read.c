/* Requests in OpenAI's chat format: the quick scan, and the parse that finds texts, tools and schemas. */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"

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

static void read_messages(struct mock_request *q, yyjson_val *messages, struct arena *a) {
  yyjson_val *message, *last = NULL, *last_user = NULL;
  size_t i, n;
  yyjson_arr_foreach(messages, i, n, message) {
    last = message;
    if (yyjson_equals_str(yyjson_obj_get(message, "role"), "user")) last_user = message;
  }
  q->user_text = mock_json_text(yyjson_obj_get(last_user, "content"), a);
  q->scan.is_tool_last = yyjson_equals_str(yyjson_obj_get(last, "role"), "tool");
  if (q->scan.is_tool_last) q->tool_result = mock_json_text(yyjson_obj_get(last, "content"), a);
}

static void read_tools(struct mock_request *q, yyjson_val *tools, struct arena *a) {
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(tools, i, n, tool) {
    yyjson_val *function = yyjson_obj_get(tool, "function"), *name = yyjson_obj_get(function, "name");
    if (!yyjson_is_str(name) || q->tool_count == MOCK_TOOLS_MAX) continue;
    q->tools[q->tool_count++] = (struct mock_tool){
        .name = mock_json_str(name), .arguments = mock_json_made(yyjson_obj_get(function, "parameters"), false, a)};
  }
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
  read_messages(q, messages, a);
  read_tools(q, yyjson_obj_get(root, "tools"), a);
  read_format(q, yyjson_obj_get(root, "response_format"), a);
  q->is_parsed = true;
  return true;
}
