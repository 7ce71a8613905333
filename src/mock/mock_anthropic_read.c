/* Requests in Anthropic's Messages format, with the refusals of the real API that clients and gateways depend on: their
 * wording is what client programs match (seen in public reports of 2025 and 2026). One parse reads all, so that scan
 * is enough. Roles, blocks and limits: the types of the vendor's JavaScript client 1.10 (read 2026-11). */
#include "mock/mock_anthropic.h"
#include "mock/mock_json.h"
#include "mock/mock_sign.h"

struct reader {
  struct mock_request *q;
  struct arena *arena;
  struct mock_error *fault;
  yyjson_val *root;
  struct mock_anthropic *own;
};

static bool is_type(yyjson_val *block, const char *type) {
  return yyjson_equals_str(yyjson_obj_get(block, "type"), type);
}

/* --- what the API refuses ----------------------------------------------------------------------------------------- */

/* The block of `message` that has this type and this string as its member `key`. */
static bool has_block(yyjson_val *message, const char *type, const char *key, struct str id) {
  yyjson_val *block;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, n, block) {
    if (is_type(block, type) && str_eq(mock_json_member(block, key), id)) return true;
  }
  return false;
}

static bool check_block(struct reader *r, yyjson_val *block, size_t message, size_t at, yyjson_val *previous) {
  if (is_type(block, "text") && mock_json_member(block, "text").n == 0)
    return mock_refuse(r->fault, STR("messages: text content blocks must be non-empty"));
  if (is_type(block, "tool_result")) {
    struct str id = mock_json_member(block, "tool_use_id");
    if (!mock_json_is_role(previous, "assistant") || !has_block(previous, "tool_use", "id", id))
      return mock_refuse(
          r->fault, arena_printf(r->arena,
                                 "messages.%zu.content.%zu: unexpected `tool_use_id` found in `tool_result` blocks: "
                                 "%.*s. Each `tool_result` block must have a corresponding `tool_use` block in the "
                                 "previous message.",
                                 message, at, STR_ARG(id)));
  }
  if (is_type(block, "thinking") && !mock_sign_is_good(mock_json_member(block, "signature"), MOCK_ANTHROPIC_THINKING,
                                                       mock_json_member(block, "thinking")))
    return mock_refuse(
        r->fault,
        arena_printf(r->arena, "messages.%zu.content.%zu: Invalid `signature` in `thinking` block", message, at));
  if (is_type(block, "redacted_thinking") &&
      !mock_sign_is_good(mock_json_member(block, "data"), MOCK_ANTHROPIC_REDACTED, MOCK_ANTHROPIC_REDACTED_TEXT))
    return mock_refuse(
        r->fault,
        arena_printf(r->arena, "messages.%zu.content.%zu: Invalid `data` in `redacted_thinking` block", message, at));
  return true;
}

/* Search results that come back are sealed too. */
static bool check_search(struct reader *r, yyjson_val *block, size_t message, size_t at) {
  yyjson_val *result;
  size_t i, n;
  if (!is_type(block, "web_search_tool_result")) return true;
  yyjson_arr_foreach(yyjson_obj_get(block, "content"), i, n, result) {
    if (!mock_sign_is_good(mock_json_member(result, "encrypted_content"), MOCK_ANTHROPIC_SEARCH,
                           mock_json_member(result, "url")))
      return mock_refuse(
          r->fault, arena_printf(r->arena,
                                 "messages.%zu.content.%zu: Invalid `encrypted_content` in `web_search_tool_result` "
                                 "block",
                                 message, at));
  }
  return true;
}

/* Every call of an assistant's message is answered in the message that follows, if one does. */
static bool check_answered(struct reader *r, yyjson_val *assistant, size_t index, yyjson_val *next) {
  yyjson_val *block;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(assistant, "content"), i, n, block) {
    struct str id = mock_json_member(block, "id");
    if (is_type(block, "tool_use") && !has_block(next, "tool_result", "tool_use_id", id))
      return mock_refuse(
          r->fault, arena_printf(r->arena,
                                 "messages.%zu: `tool_use` ids were found without `tool_result` blocks immediately "
                                 "after: %.*s. Each `tool_use` block must have a corresponding `tool_result` block "
                                 "in the next message.",
                                 index, STR_ARG(id)));
  }
  return true;
}

static bool check_message(struct reader *r, yyjson_val *message, size_t index, yyjson_val *previous) {
  yyjson_val *content = yyjson_obj_get(message, "content"), *block;
  size_t i, n;
  if (!mock_json_is_role(message, "user") && !mock_json_is_role(message, "assistant") &&
      !mock_json_is_role(message, "system"))
    return mock_refuse(
        r->fault, arena_printf(r->arena, "messages.%zu.role: Input should be 'user', 'assistant' or 'system'", index));
  if (!yyjson_is_str(content) && !yyjson_is_arr(content))
    return mock_refuse(r->fault, arena_printf(r->arena, "messages.%zu.content: Input should be a valid list", index));
  yyjson_arr_foreach(content, i, n, block) {
    if (!check_block(r, block, index, i, previous) || !check_search(r, block, index, i)) return false;
  }
  return true;
}

/* Thinking has to fit what stands beside it. */
static bool check_thinking(struct reader *r) {
  yyjson_val *thinking = yyjson_obj_get(r->root, "thinking"), *budget = yyjson_obj_get(thinking, "budget_tokens"),
             *temperature = yyjson_obj_get(r->root, "temperature");
  r->own->hides_thinking = str_eq(mock_json_member(thinking, "display"), STR("omitted"));
  if (!is_type(thinking, "enabled")) return true;
  if (yyjson_get_sint(budget) < 1024)
    return mock_refuse(r->fault, STR("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"));
  if (yyjson_get_sint(budget) >= yyjson_get_sint(yyjson_obj_get(r->root, "max_tokens")))
    return mock_refuse(r->fault, STR("`max_tokens` must be greater than `thinking.budget_tokens`."));
  if (yyjson_is_num(temperature) && (yyjson_get_num(temperature) < 1 || yyjson_get_num(temperature) > 1))
    return mock_refuse(r->fault, STR("`temperature` may only be set to 1 when thinking is enabled."));
  return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static yyjson_val *last_result(yyjson_val *message) {
  yyjson_val *block, *found = NULL;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, n, block) {
    if (is_type(block, "tool_result")) found = block;
  }
  return found;
}

static uint64_t content_bytes(yyjson_val *content) {
  yyjson_val *block;
  size_t i, n;
  uint64_t bytes = mock_json_text_bytes(content);
  yyjson_arr_foreach(content, i, n, block) bytes += mock_json_text_bytes(yyjson_obj_get(block, "content"));
  return bytes;
}

/* A mid-conversation system message stands between others without parting them. */
static bool read_messages(struct reader *r, yyjson_val *messages) {
  yyjson_val *message, *previous = NULL, *last_user = NULL;
  size_t i, n, previous_index = 0;
  yyjson_arr_foreach(messages, i, n, message) {
    if (!check_message(r, message, i, previous)) return false;
    r->q->scan.text_bytes += content_bytes(yyjson_obj_get(message, "content"));
    if (mock_json_is_role(message, "system")) continue;
    if (mock_json_is_role(previous, "assistant") && !check_answered(r, previous, previous_index, message)) return false;
    if (mock_json_is_role(message, "user") && mock_json_text_bytes(yyjson_obj_get(message, "content")))
      last_user = message;
    previous = message;
    previous_index = i;
  }
  yyjson_val *result = mock_json_is_role(previous, "user") ? last_result(previous) : NULL;
  r->q->user_text = mock_json_text(yyjson_obj_get(last_user, "content"), r->arena);
  r->q->scan.is_tool_last = result != NULL;
  r->q->tool_result = mock_json_text(yyjson_obj_get(result, "content"), r->arena);
  return true;
}

static void read_tools(struct reader *r) {
  struct mock_request *q = r->q;
  yyjson_val *tool;
  size_t i, n;
  yyjson_arr_foreach(yyjson_obj_get(r->root, "tools"), i, n, tool) {
    struct str name = mock_json_member(tool, "name");
    yyjson_val *schema = yyjson_obj_get(tool, "input_schema");
    if (name.n == 0 || !schema || q->tool_count == MOCK_TOOLS_MAX) continue;
    q->tools[q->tool_count++] = (struct mock_tool){.name = name, .arguments = mock_json_made(schema, false, r->arena)};
  }
}

static void read_format(struct reader *r) {
  yyjson_val *format = yyjson_obj_get(yyjson_obj_get(r->root, "output_config"), "format");
  if (!format) format = yyjson_obj_get(r->root, "output_format"); /* the beta's place */
  r->q->scan.wants_json = is_type(format, "json_schema");
  if (r->q->scan.wants_json) r->q->json = mock_json_made(yyjson_obj_get(format, "schema"), r->q->is_demo, r->arena);
}

static bool read_request(struct reader *r, bool is_count) {
  struct mock_request *q = r->q;
  yyjson_val *model = yyjson_obj_get(r->root, "model"), *messages = yyjson_obj_get(r->root, "messages");
  if (!yyjson_is_str(model)) return mock_refuse(r->fault, STR("model: Field required"));
  q->scan.model = mock_json_escaped(mock_json_str(model), r->arena);
  if (!messages) return mock_refuse(r->fault, STR("messages: Field required"));
  if (!yyjson_is_arr(messages)) return mock_refuse(r->fault, STR("messages: Input should be a valid list"));
  if (yyjson_arr_size(messages) == 0) return mock_refuse(r->fault, STR("messages: at least one message is required"));
  if (!is_count && !yyjson_obj_get(r->root, "max_tokens"))
    return mock_refuse(r->fault, STR("max_tokens: Field required"));
  if (!is_count && yyjson_get_sint(yyjson_obj_get(r->root, "max_tokens")) < 1)
    return mock_refuse(r->fault, STR("max_tokens: Input should be greater than or equal to 1"));
  if (!is_count && !check_thinking(r)) return false;
  if (!read_messages(r, messages)) return false;
  q->scan.text_bytes += mock_json_text_bytes(yyjson_obj_get(r->root, "system"));
  q->scan.has_messages = true;
  q->scan.is_stream = !is_count && yyjson_get_bool(yyjson_obj_get(r->root, "stream"));
  q->stop_sequence = mock_json_str(yyjson_arr_get_first(yyjson_obj_get(r->root, "stop_sequences")));
  read_tools(r);
  read_format(r);
  q->is_parsed = true;
  return true;
}

static bool scan(struct mock_request *q, struct arena *a, bool is_count, struct mock_error *fault) {
  struct reader r = {q, a, fault, mock_json_read(q->body, a), ARENA_NEW(a, struct mock_anthropic)};
  q->scan.n = 1;
  q->own = r.own;
  if (!r.own) return mock_refuse(r.fault, STR("no memory"));
  if (!yyjson_is_obj(r.root)) return mock_refuse(r.fault, STR("The request body is not valid JSON"));
  return read_request(&r, is_count);
}

bool mock_anthropic_scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  return scan(q, a, false, fault);
}

bool mock_anthropic_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  return scan(q, a, true, fault);
}
