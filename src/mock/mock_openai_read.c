/* Requests in OpenAI's chat format: the quick scan, and the parse that finds texts, tools and schemas. */
#include <stdlib.h>

#include "mock/mock_openai.h"
#include "mock/mock_schema.h"

static bool refuse(struct mock_error *fault, struct str message, struct str param, struct str code) {
  *fault = (struct mock_error){.status = 400, .message = message, .param = param, .code = code};
  return false;
}

static bool refuse_json(struct mock_error *fault) {
  return refuse(fault,
                STR("We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "
                    "HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid "
                    "JSON.)"),
                STR_NONE, STR_NONE);
}

bool mock_openai_scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  (void)a;
  if (!mock_scan_chat(q->body, &q->scan)) return refuse_json(fault);
  if (!q->scan.model.p) return refuse(fault, STR("you must provide a model parameter"), STR_NONE, STR_NONE);
  if (!q->scan.has_messages)
    return refuse(fault, STR("Missing required parameter: 'messages'."), STR("messages"),
                  STR("missing_required_parameter"));
  return true;
}

/* yyjson_get_len also counts the members of arrays and objects, so only strings may be asked. */
static struct str text_of(yyjson_val *v) {
  return yyjson_is_str(v) ? str_from(yyjson_get_str(v), yyjson_get_len(v)) : STR_NONE;
}

/* A message's content: a string, or its text parts joined by LF. */
static struct str content_text(yyjson_val *message, struct arena *a) {
  yyjson_val *content = yyjson_obj_get(message, "content"), *part;
  if (yyjson_is_str(content)) return text_of(content);
  size_t i, n, bytes = 0, at = 0;
  yyjson_arr_foreach(content, i, n, part) bytes += text_of(yyjson_obj_get(part, "text")).n + 1;
  char *joined = bytes ? arena_alloc(a, bytes) : NULL;
  if (!joined) return STR_NONE;
  yyjson_arr_foreach(content, i, n, part) {
    struct str text = text_of(yyjson_obj_get(part, "text"));
    if (text.n == 0) continue;
    if (at) joined[at++] = '\n';
    memcpy(joined + at, text.p, text.n);
    at += text.n;
  }
  return str_from(joined, at);
}

static void read_messages(struct mock_request *q, yyjson_val *messages, struct arena *a) {
  yyjson_val *message, *last = NULL, *last_user = NULL;
  size_t i, n;
  yyjson_arr_foreach(messages, i, n, message) {
    last = message;
    if (yyjson_equals_str(yyjson_obj_get(message, "role"), "user")) last_user = message;
  }
  q->user_text = content_text(last_user, a);
  q->scan.is_tool_last = yyjson_equals_str(yyjson_obj_get(last, "role"), "tool");
  if (q->scan.is_tool_last) q->tool_result = content_text(last, a);
}

/* JSON made from a schema, in memory of `a`. */
static struct str make_json(yyjson_val *schema, bool is_demo, struct arena *a) {
  struct buf made;
  buf_init(&made, 1 << 20);
  mock_schema_put(&made, schema, is_demo ? STR("demo answer: no real model was called") : STR("mock"));
  struct str json = made.failed ? STR("{}") : arena_dup(a, buf_str(&made));
  buf_clear(&made);
  return json;
}

static void read_tools(struct mock_request *q, yyjson_val *tools, struct arena *a) {
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(tools, i, n, tool) {
    yyjson_val *function = yyjson_obj_get(tool, "function"), *name = yyjson_obj_get(function, "name");
    if (!yyjson_is_str(name) || q->tool_count == MOCK_TOOLS_MAX) continue;
    q->tools[q->tool_count++] =
        (struct mock_tool){text_of(name), make_json(yyjson_obj_get(function, "parameters"), false, a)};
  }
}

static void read_format(struct mock_request *q, yyjson_val *format, struct arena *a) {
  yyjson_val *type = yyjson_obj_get(format, "type");
  if (yyjson_equals_str(type, "json_schema"))
    q->json = make_json(yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema"), q->is_demo, a);
  else if (yyjson_equals_str(type, "json_object"))
    q->json = q->is_demo ? STR("{\"answer\":\"demo answer: no real model was called\"}") : STR("{\"answer\":\"mock\"}");
}

static void free_document(void *doc) { yyjson_doc_free(doc); }

bool mock_openai_parse(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  yyjson_doc *doc = yyjson_read(q->body.p, q->body.n, 0);
  if (!doc) return refuse_json(fault);
  if (!arena_on_clear(a, free_document, doc)) {
    yyjson_doc_free(doc);
    *fault = (struct mock_error){.status = 500};
    return false;
  }
  yyjson_val *root = yyjson_doc_get_root(doc), *messages = yyjson_obj_get(root, "messages");
  if (!yyjson_is_arr(messages))
    return refuse(fault, STR("Invalid type for 'messages': expected an array of objects."), STR("messages"),
                  STR("invalid_type"));
  read_messages(q, messages, a);
  read_tools(q, yyjson_obj_get(root, "tools"), a);
  read_format(q, yyjson_obj_get(root, "response_format"), a);
  q->is_parsed = true;
  return true;
}
