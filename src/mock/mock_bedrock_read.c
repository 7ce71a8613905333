/* Requests in Bedrock's Converse format, with the refusals of the real service about turns, tools and signatures (the
 * wording is from public reports of 2024 to 2026). One parse reads all. Shapes: the types of the vendor's JavaScript
 * client 3.1164 (read 2026-11). */
#include "mock/mock_bedrock.h"
#include "mock/mock_json.h"
#include "mock/mock_sign.h"

struct reader {
  struct mock_request *q;
  struct arena *arena;
  struct mock_error *fault;
  yyjson_val *root;
  struct mock_bedrock *own;
};

static size_t count_of(yyjson_val *message, const char *kind) {
  yyjson_val *block;
  size_t i, n, count = 0;
  yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, n, block) count += yyjson_obj_get(block, kind) != NULL;
  return count;
}

/* --- what the service refuses ------------------------------------------------------------------------------------- */

static bool has_result(yyjson_val *message, struct str id) {
  yyjson_val *block;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, n, block) {
    if (str_eq(mock_json_member(yyjson_obj_get(block, "toolResult"), "toolUseId"), id)) return true;
  }
  return false;
}

/* The calls of the turn before and the results of this one belong together. */
static bool check_results(struct reader *r, yyjson_val *message, size_t index, yyjson_val *previous) {
  yyjson_val *block;
  size_t i, n, results = count_of(message, "toolResult");
  if (results > count_of(previous, "toolUse"))
    return mock_refuse(r->fault,
                       arena_printf(r->arena,
                                    "The number of toolResult blocks at messages.%zu.content exceeds the number of "
                                    "toolUse blocks of previous turn.",
                                    index));
  yyjson_arr_foreach(yyjson_obj_get(previous, "content"), i, n, block) {
    yyjson_val *call = yyjson_obj_get(block, "toolUse");
    struct str id = mock_json_member(call, "toolUseId");
    if (call && !has_result(message, id))
      return mock_refuse(
          r->fault,
          arena_printf(r->arena, "Expected toolResult blocks at messages.%zu.content for the following Ids: %.*s",
                       index, STR_ARG(id)));
  }
  if (yyjson_obj_get(r->root, "toolConfig") || (!results && !count_of(message, "toolUse"))) return true;
  return mock_refuse(r->fault,
                     STR("The toolConfig field must be defined when using toolUse and toolResult content blocks."));
}

static bool check_block(struct reader *r, yyjson_val *block, size_t message, size_t at) {
  yyjson_val *text = yyjson_obj_get(block, "text"), *reasoning = yyjson_obj_get(block, "reasoningContent"),
             *thought = yyjson_obj_get(reasoning, "reasoningText"),
             *redacted = yyjson_obj_get(reasoning, "redactedContent");
  if (text && str_trim(mock_json_str(text)).n == 0)
    return mock_refuse(
        r->fault, arena_printf(r->arena,
                               "The text field in the ContentBlock object at messages.%zu.content.%zu is blank. Add "
                               "text to the text field, and try again.",
                               message, at));
  bool is_good = !thought || mock_sign_is_good(mock_json_member(thought, "signature"), MOCK_BEDROCK_REASONING,
                                               mock_json_member(thought, "text"));
  if (redacted) is_good = mock_sign_is_good(mock_json_str(redacted), MOCK_BEDROCK_REDACTED, MOCK_BEDROCK_REDACTED_TEXT);
  return is_good ||
         mock_refuse(r->fault,
                     arena_printf(r->arena,
                                  "The model returned the following errors: messages.%zu.content.%zu: Invalid "
                                  "`signature` in `thinking` block",
                                  message, at));
}

static bool check_message(struct reader *r, yyjson_val *message, size_t index, yyjson_val *previous) {
  yyjson_val *content = yyjson_obj_get(message, "content"), *block;
  size_t i, n;
  if (!mock_json_is_role(message, "user") && !mock_json_is_role(message, "assistant"))
    return mock_refuse(
        r->fault, arena_printf(r->arena,
                               "1 validation error detected: Value at 'messages.%zu.member.role' failed to satisfy "
                               "constraint: Member must satisfy enum value set: [user, assistant]",
                               index + 1));
  if (!previous && !mock_json_is_role(message, "user"))
    return mock_refuse(r->fault,
                       STR("A conversation must start with a user message. Try again with a conversation that starts "
                           "with a user message."));
  if (previous && mock_json_is_role(message, "user") == mock_json_is_role(previous, "user"))
    return mock_refuse(r->fault,
                       STR("A conversation must alternate between user and assistant roles. Make sure the conversation "
                           "alternates between user and assistant roles and try again."));
  if (!yyjson_is_arr(content) || yyjson_arr_size(content) == 0)
    return mock_refuse(r->fault, arena_printf(r->arena,
                                              "The content field in the Message object at messages.%zu is empty. Add a "
                                              "ContentBlock object to the content field and try again.",
                                              index));
  yyjson_arr_foreach(content, i, n, block) {
    if (!check_block(r, block, index, i)) return false;
  }
  return check_results(r, message, index, previous);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* The last result of a message: its texts, or its first JSON. */
static struct str result_text(struct reader *r, yyjson_val *message) {
  yyjson_val *block, *content = NULL;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, n, block) {
    yyjson_val *result = yyjson_obj_get(block, "toolResult");
    if (result) content = yyjson_obj_get(result, "content");
  }
  struct str text = mock_json_text(content, r->arena);
  if (text.n) return text;
  yyjson_val *json = yyjson_obj_get(yyjson_arr_get_first(content), "json");
  return json ? mock_json_written(json, r->arena) : STR_NONE;
}

static bool read_messages(struct reader *r) {
  yyjson_val *message, *previous = NULL, *last_user = NULL;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(r->root, "messages"), i, n, message) {
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (!check_message(r, message, i, previous)) return false;
    r->q->scan.text_bytes += mock_json_text_bytes(content);
    if (mock_json_is_role(message, "user") && mock_json_text_bytes(content)) last_user = message;
    previous = message;
  }
  if (!previous)
    return mock_refuse(r->fault, STR("A conversation must start with a user message. Try again with a conversation "
                                     "that starts with a user message."));
  r->q->user_text = mock_json_text(yyjson_obj_get(last_user, "content"), r->arena);
  r->q->scan.is_tool_last = count_of(previous, "toolResult") > 0;
  if (r->q->scan.is_tool_last) r->q->tool_result = result_text(r, previous);
  return true;
}

static void read_tools(struct reader *r) {
  struct mock_request *q = r->q;
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(yyjson_obj_get(r->root, "toolConfig"), "tools"), i, n, tool) {
    yyjson_val *spec = yyjson_obj_get(tool, "toolSpec"),
               *schema = yyjson_obj_get(yyjson_obj_get(spec, "inputSchema"), "json");
    struct str name = mock_json_member(spec, "name");
    if (name.n == 0 || q->tool_count == MOCK_TOOLS_MAX) continue;
    q->tools[q->tool_count++] = (struct mock_tool){.name = name, .arguments = mock_json_made(schema, false, r->arena)};
  }
}

/* The schema is a text that has JSON. */
static void read_format(struct reader *r) {
  yyjson_val *format = yyjson_obj_get(yyjson_obj_get(r->root, "outputConfig"), "textFormat"),
             *json = yyjson_obj_get(yyjson_obj_get(format, "structure"), "jsonSchema");
  r->q->scan.wants_json = json != NULL;
  if (json)
    r->q->json = mock_json_made(mock_json_read(mock_json_member(json, "schema"), r->arena), r->q->is_demo, r->arena);
}

static void read_rest(struct reader *r) {
  yyjson_val *path, *stop = yyjson_obj_get(yyjson_obj_get(r->root, "inferenceConfig"), "stopSequences");
  size_t i, n;
  r->q->stop_sequence = mock_json_str(yyjson_arr_get_first(stop));
  r->q->scan.text_bytes += mock_json_text_bytes(yyjson_obj_get(r->root, "system"));
  r->q->scan.has_messages = true;
  yyjson_arr_foreach(yyjson_obj_get(r->root, "additionalModelResponseFieldPaths"), i, n, path) {
    if (yyjson_equals_str(path, "/stop_sequence")) r->own->wants_sequence = true;
  }
  read_tools(r);
  read_format(r);
}

static bool begin(struct reader *r, struct mock_request *q, struct arena *a, struct mock_error *fault) {
  *r = (struct reader){q, a, fault, mock_json_read(q->body, a), ARENA_NEW(a, struct mock_bedrock)};
  q->own = r->own;
  q->scan.n = 1;
  q->scan.model = mock_json_escaped(q->wildcard, a);
  q->is_parsed = true;
  if (!r->own) return mock_refuse(r->fault, STR("no memory"));
  if (yyjson_is_obj(r->root)) return true;
  return mock_refuse(r->fault, STR("The request body could not be parsed as JSON."));
}

bool mock_bedrock_scan_whole(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin(&r, q, a, fault) || !read_messages(&r)) return false;
  read_rest(&r);
  return true;
}

bool mock_bedrock_scan_stream(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  q->scan.is_stream = true;
  return mock_bedrock_scan_whole(q, a, fault);
}

bool mock_bedrock_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r;
  if (!begin(&r, q, a, fault)) return false;
  r.root = yyjson_obj_get(yyjson_obj_get(r.root, "input"), "converse");
  if (!r.root) return mock_refuse(r.fault, STR("The input field must have a converse member."));
  if (!read_messages(&r)) return false;
  read_rest(&r);
  return true;
}
