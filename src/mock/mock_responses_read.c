/* Requests in OpenAI's Responses format: one parse finds what the answer needs and repeats, puts the conversation of
 * previous_response_id before the input, and refuses what the vendor refuses, so that a gateway's mistakes show. */
#include <stdlib.h>

#include "mock/mock_json.h"
#include "mock/mock_openai.h"
#include "mock/mock_responses.h"
#include "mock/mock_stored.h"

/* One side of a call: they must come in pairs. */
struct side {
  struct str call_id;
  size_t order; /* of the item */
  bool is_output;
};

struct reader {
  struct mock_request *q;
  struct mock_responses *own;
  struct arena *arena;
  struct mock_error *fault;
  struct buf context; /* items as JSON, with commas between */
  struct side *sides;
  size_t side_count, side_room, items;
  yyjson_val *last, *last_user;
};

static bool refuse(struct mock_error *fault, struct str message, struct str param, struct str code) {
  *fault = (struct mock_error){.status = 400, .message = message, .param = param, .code = code};
  return false;
}

static bool refuse_memory(struct reader *r) {
  *r->fault = (struct mock_error){.status = 500};
  return false;
}

/* --- what the vendor refuses ------------------------------------------------------------------------------------- */

static bool refuse_missing(struct reader *r, const char *where, size_t index, const char *member) {
  struct str param = arena_printf(r->arena, "%s[%zu].%s", where, index, member);
  return refuse(r->fault, arena_printf(r->arena, "Missing required parameter: '%.*s'.", STR_ARG(param)), param,
                STR("missing_required_parameter"));
}

/* Members of the chat format, and where they went. */
static const struct {
  const char *name, *moved_to;
} moved[] = {
    {"messages", "input"},
    {"max_tokens", "max_output_tokens"},
    {"max_completion_tokens", "max_output_tokens"},
    {"response_format", "text.format"},
    {"reasoning_effort", "reasoning.effort"},
    {"verbosity", "text.verbosity"},
};

static bool check_moved(struct reader *r, yyjson_val *root) {
  for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++)
    if (yyjson_obj_get(root, moved[i].name))
      return refuse(r->fault,
                    arena_printf(r->arena,
                                 "Unsupported parameter: '%s'. In the Responses API, this parameter has moved to '%s'. "
                                 "Try again with the new parameter.",
                                 moved[i].name, moved[i].moved_to),
                    str_from_c(moved[i].name), STR("unsupported_parameter"));
  return true;
}

enum { REQUIRED_MAX = 3 };
/* The types of items, with their required members. */
static const struct item_type {
  const char *name;
  const char *required[REQUIRED_MAX];
} item_types[] = {
    {"message", {"role", "content"}},
    {"function_call", {"call_id", "name", "arguments"}},
    {"function_call_output", {"call_id", "output"}},
    {"custom_tool_call", {"call_id", "name", "input"}},
    {"custom_tool_call_output", {"call_id", "output"}},
    {"reasoning", {"summary"}},
    {"item_reference", {"id"}},
    {"additional_tools", {0}},
    {"apply_patch_call", {"call_id"}},
    {"apply_patch_call_output", {"call_id"}},
    {"code_interpreter_call", {"id"}},
    {"compaction", {"encrypted_content"}},
    {"compaction_trigger", {0}},
    {"computer_call", {"call_id"}},
    {"computer_call_output", {"call_id", "output"}},
    {"file_search_call", {"id"}},
    {"image_generation_call", {"id"}},
    {"local_shell_call", {"call_id"}},
    {"local_shell_call_output", {"output"}},
    {"mcp_approval_request", {"id"}},
    {"mcp_approval_response", {"approval_request_id"}},
    {"mcp_call", {"id"}},
    {"mcp_list_tools", {"id"}},
    {"program", {0}},
    {"program_output", {0}},
    {"shell_call", {"call_id"}},
    {"shell_call_output", {"call_id", "output"}},
    {"tool_search_call", {0}},
    {"tool_search_output", {0}},
    {"web_search_call", {0}},
};
enum { ITEM_TYPES = sizeof item_types / sizeof item_types[0] };

/* The type an item has or means; NULL: none that is known. */
static const struct item_type *type_of(yyjson_val *item) {
  struct str name = mock_json_member(item, "type");
  if (name.n == 0) name = yyjson_obj_get(item, "role") ? STR("message") : STR("item_reference");
  for (size_t i = 0; i < ITEM_TYPES; i++)
    if (str_eq(name, str_from_c(item_types[i].name))) return &item_types[i];
  return NULL;
}

static bool is_type(yyjson_val *item, const char *name) {
  const struct item_type *t = type_of(item);
  return t && strcmp(t->name, name) == 0;
}

static bool is_known_part(struct str type, bool is_assistant) {
  static const char *const said[] = {"output_text", "refusal"};
  static const char *const given[] = {"input_text", "input_image", "input_file", "input_audio"};
  for (size_t i = 0; is_assistant && i < 2; i++)
    if (str_eq(type, str_from_c(said[i]))) return true;
  for (size_t i = 0; !is_assistant && i < 4; i++)
    if (str_eq(type, str_from_c(given[i]))) return true;
  return false;
}

static bool check_parts(struct reader *r, yyjson_val *content, const char *member, bool is_assistant, size_t index) {
  yyjson_val *part;
  size_t i, n;
  if (!yyjson_is_str(content) && !yyjson_is_arr(content)) return refuse_missing(r, "input", index, member);
  yyjson_arr_foreach(content, i, n, part) {
    struct str type = mock_json_member(part, "type");
    if (is_known_part(type, is_assistant)) continue;
    return refuse(r->fault,
                  arena_printf(r->arena, "Invalid value: '%.*s'. Supported values are: %s.", STR_ARG(type),
                               is_assistant ? "'output_text' and 'refusal'"
                                            : "'input_text', 'input_image', 'input_file', and 'input_audio'"),
                  arena_printf(r->arena, "input[%zu].%s[%zu]", index, member, i), STR("invalid_value"));
  }
  return true;
}

static bool check_message(struct reader *r, yyjson_val *item, size_t index) {
  static const char *const roles[] = {"user", "assistant", "system", "developer"};
  struct str role = mock_json_member(item, "role");
  for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
    if (str_eq(role, str_from_c(roles[i])))
      return check_parts(r, yyjson_obj_get(item, "content"), "content", i == 1, index);
  return refuse(r->fault,
                arena_printf(r->arena,
                             "Invalid value: '%.*s'. Supported values are: 'assistant', 'system', 'developer', and "
                             "'user'.",
                             STR_ARG(role)),
                arena_printf(r->arena, "input[%zu].role", index), STR("invalid_value"));
}

static bool check_shape(struct reader *r, yyjson_val *item, size_t index) {
  const struct item_type *type = type_of(item);
  if (!yyjson_is_obj(item))
    return refuse(r->fault, arena_printf(r->arena, "Invalid type for 'input[%zu]': expected an object.", index),
                  arena_printf(r->arena, "input[%zu]", index), STR("invalid_type"));
  if (!type)
    return refuse(r->fault,
                  arena_printf(r->arena, "Invalid value: '%.*s' is no type of an input item.",
                               STR_ARG(mock_json_member(item, "type"))),
                  arena_printf(r->arena, "input[%zu].type", index), STR("invalid_value"));
  for (size_t i = 0; i < REQUIRED_MAX && type->required[i]; i++)
    if (!yyjson_obj_get(item, type->required[i])) return refuse_missing(r, "input", index, type->required[i]);
  if (is_type(item, "message")) return check_message(r, item, index);
  if (is_type(item, "function_call_output") || is_type(item, "custom_tool_call_output"))
    return check_parts(r, yyjson_obj_get(item, "output"), "output", false, index);
  return true;
}

/* --- items ------------------------------------------------------------------------------------------------------- */

static bool add_side(struct reader *r, yyjson_val *item, bool is_output) {
  if (r->side_count == r->side_room) {
    size_t room = r->side_room ? r->side_room * 2 : 16;
    struct side *grown = arena_realloc(r->arena, r->sides, r->side_room * sizeof *grown, room * sizeof *grown);
    if (!grown) return refuse_memory(r);
    r->sides = grown;
    r->side_room = room;
  }
  r->sides[r->side_count++] = (struct side){mock_json_member(item, "call_id"), r->items, is_output};
  return true;
}

static bool refuse_item(struct reader *r, struct str id) {
  refuse(r->fault,
         arena_printf(r->arena,
                      "Item with id '%.*s' not found. Items are not persisted when `store` is set to false. Try again "
                      "with `store` set to true, or remove this item from your input.",
                      STR_ARG(id)),
         STR("input"), STR_NONE);
  r->fault->status = 404;
  return false;
}

/* The kept item of that id; NULL when there is none. */
static yyjson_val *kept_item(struct reader *r, struct str id) {
  struct str response;
  yyjson_val *item;
  size_t i, n;
  if (!r->q->stored || !mock_stored_find_item(r->q->stored, id, r->arena, &response)) return NULL;
  yyjson_arr_foreach(yyjson_obj_get(mock_json_read(response, r->arena), "output"), i, n, item) {
    if (str_eq(mock_json_member(item, "id"), id)) return item;
  }
  return NULL;
}

/* Reasoning comes back sealed, or by an id that is kept. */
static bool check_reasoning(struct reader *r, yyjson_val *item) {
  struct str sealed = mock_json_member(item, "encrypted_content"), id = mock_json_member(item, "id");
  if (sealed.p) {
    if (mock_responses_is_sealed(sealed, r->q->seed)) return true;
    return refuse(r->fault,
                  arena_printf(r->arena,
                               "The encrypted content %.*s... could not be verified. Reason: Encrypted content could "
                               "not be decrypted or parsed.",
                               STR_ARG(str_cut_utf8(sealed, 4))),
                  STR_NONE, STR("invalid_encrypted_content"));
  }
  return id.n == 0 || kept_item(r, id) || refuse_item(r, id);
}

static bool see_item(struct reader *r, yyjson_val *item) {
  if (is_type(item, "item_reference")) {
    struct str id = mock_json_member(item, "id");
    item = kept_item(r, id);
    if (!item) return refuse_item(r, id);
  }
  struct str json = mock_json_written(item, r->arena);
  if (!json.p) return refuse_memory(r);
  if (r->items++) buf_put_char(&r->context, ',');
  buf_put(&r->context, json);
  r->last = item;
  r->q->scan.text_bytes += mock_json_text(yyjson_obj_get(item, "content"), r->arena).n +
                           mock_json_text(yyjson_obj_get(item, "output"), r->arena).n +
                           mock_json_member(item, "arguments").n + mock_json_member(item, "input").n;
  if (is_type(item, "message")) {
    if (yyjson_equals_str(yyjson_obj_get(item, "role"), "user")) r->last_user = item;
    return true;
  }
  if (is_type(item, "function_call") || is_type(item, "custom_tool_call")) return add_side(r, item, false);
  if (is_type(item, "function_call_output") || is_type(item, "custom_tool_call_output")) return add_side(r, item, true);
  return !is_type(item, "reasoning") || check_reasoning(r, item);
}

static bool read_input(struct reader *r, yyjson_val *input) {
  yyjson_val *item;
  size_t i, n;
  if (yyjson_is_str(input)) {
    struct str text = mock_json_str(input);
    if (r->items++) buf_put_char(&r->context, ',');
    buf_put(&r->context, STR("{\"role\":\"user\",\"content\":"));
    buf_put_json(&r->context, text);
    buf_put_char(&r->context, '}');
    r->last = r->last_user = NULL;
    r->q->user_text = text;
    r->q->scan.text_bytes += text.n;
    return true;
  }
  if (!yyjson_is_arr(input))
    return refuse(r->fault, STR("Invalid type for 'input': expected one of a string or an array of input items."),
                  STR("input"), STR("invalid_type"));
  yyjson_arr_foreach(input, i, n, item) {
    if (!check_shape(r, item, i) || !see_item(r, item)) return false;
  }
  return true;
}

static bool read_previous(struct reader *r, yyjson_val *id) {
  struct str context;
  yyjson_val *item;
  size_t i, n;
  if (!yyjson_is_str(id)) return true;
  if (!r->q->stored || !mock_stored_find(r->q->stored, mock_json_str(id), r->arena, NULL, &context))
    return refuse(r->fault,
                  arena_printf(r->arena, "Previous response with id '%.*s' not found.", STR_ARG(mock_json_str(id))),
                  STR("previous_response_id"), STR("previous_response_not_found"));
  yyjson_arr_foreach(mock_json_read(context, r->arena), i, n, item) {
    if (!see_item(r, item)) return false;
  }
  return true;
}

static int compare_sides(const void *left, const void *right) {
  const struct side *a = left, *b = right;
  int by_id = str_cmp(a->call_id, b->call_id);
  return by_id ? by_id : a->is_output - b->is_output;
}

/* Each output needs its call, each call its output; of several faults the first item's is told. */
static bool check_pairs(struct reader *r) {
  const struct side *lone = NULL;
  if (r->side_count) qsort(r->sides, r->side_count, sizeof r->sides[0], compare_sides);
  for (size_t from = 0, to; from < r->side_count; from = to) {
    for (to = from + 1; to < r->side_count && str_eq(r->sides[to].call_id, r->sides[from].call_id);) to++;
    bool is_paired = !r->sides[from].is_output && r->sides[to - 1].is_output;
    if (!is_paired && (!lone || r->sides[from].order < lone->order)) lone = &r->sides[from];
  }
  if (!lone) return true;
  return refuse(r->fault,
                arena_printf(r->arena,
                             lone->is_output ? "No tool call found for function call output with call_id %.*s."
                                             : "No tool output found for function call %.*s.",
                             STR_ARG(lone->call_id)),
                STR("input"), STR_NONE);
}

/* --- tools and formats -------------------------------------------------------------------------------------------- */

static void add_tool(struct reader *r, yyjson_val *tool, struct str space) {
  struct mock_request *q = r->q;
  if (q->tool_count == MOCK_TOOLS_MAX) return;
  if (yyjson_equals_str(yyjson_obj_get(tool, "type"), "custom"))
    q->tools[q->tool_count++] = (struct mock_tool){
        .name = mock_json_member(tool, "name"), .arguments = mock_custom_input, .space = space, .is_custom = true};
  else if (yyjson_equals_str(yyjson_obj_get(tool, "type"), "function"))
    q->tools[q->tool_count++] =
        (struct mock_tool){.name = mock_json_member(tool, "name"),
                           .arguments = mock_json_made(yyjson_obj_get(tool, "parameters"), false, r->arena),
                           .space = space};
}

static bool read_tools(struct reader *r, yyjson_val *tools) {
  static const char *const named[] = {"function", "custom", "namespace"};
  yyjson_val *tool, *inner;
  size_t i, n, j, m;
  yyjson_arr_foreach(tools, i, n, tool) {
    yyjson_val *type = yyjson_obj_get(tool, "type");
    if (!yyjson_is_str(type)) return refuse_missing(r, "tools", i, "type");
    for (size_t k = 0; k < sizeof named / sizeof named[0]; k++)
      if (yyjson_equals_str(type, named[k]) && mock_json_member(tool, "name").n == 0)
        return refuse_missing(r, "tools", i, "name");
    add_tool(r, tool, STR_NONE);
    if (!yyjson_equals_str(type, "namespace")) continue;
    yyjson_arr_foreach(yyjson_obj_get(tool, "tools"), j, m, inner) add_tool(r, inner, mock_json_member(tool, "name"));
  }
  return true;
}

static bool read_format(struct reader *r, yyjson_val *format) {
  yyjson_val *type = yyjson_obj_get(format, "type"), *schema = yyjson_obj_get(format, "schema");
  if (yyjson_equals_str(type, "json_schema")) {
    if (!yyjson_is_obj(schema) || mock_json_member(format, "name").n == 0) {
      struct str param = schema ? STR("text.format.name") : STR("text.format.schema");
      return refuse(r->fault, arena_printf(r->arena, "Missing required parameter: '%.*s'.", STR_ARG(param)), param,
                    STR("missing_required_parameter"));
    }
    r->q->json = mock_json_made(schema, r->q->is_demo, r->arena);
  } else if (yyjson_equals_str(type, "json_object")) {
    r->q->json = mock_json_any(r->q->is_demo);
  }
  r->q->scan.wants_json = r->q->json.n > 0;
  return true;
}

/* --- what the response repeats ------------------------------------------------------------------------------------ */

struct echo {
  const char *name, *unless; /* the JSON that stands where the request has none or null */
};
static const struct echo head_echoes[] = {
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"max_tool_calls", "null"},
};
static const struct echo tail_echoes[] = {
    {"parallel_tool_calls", "true"},
    {"previous_response_id", "null"},
    {"prompt_cache_key", "null"},
    {"reasoning", "{\"effort\":null,\"summary\":null}"},
    {"safety_identifier", "null"},
    {"store", "true"},
    {"temperature", "1.0"},
    {"text", "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}"},
    {"tool_choice", "\"auto\""},
    {"tools", "[]"},
    {"top_logprobs", "0"},
    {"top_p", "1.0"},
    {"truncation", "\"disabled\""},
    {"user", "null"},
    {"metadata", "{}"},
};

static struct str make_echo(struct reader *r, yyjson_val *root, const struct echo *rows, size_t n) {
  struct buf out;
  buf_init(&out, 0);
  for (size_t i = 0; i < n && rows[i].name; i++) {
    yyjson_val *given = yyjson_obj_get(root, rows[i].name);
    struct str json = given && !yyjson_is_null(given) ? mock_json_written(given, r->arena) : STR_NONE;
    buf_printf(&out, "\"%s\":", rows[i].name);
    buf_put(&out, json.n ? json : str_from_c(rows[i].unless));
    buf_put_char(&out, ',');
  }
  struct str made = out.failed ? STR_NONE : arena_dup(r->arena, buf_str(&out));
  buf_clear(&out);
  return made;
}

static bool keep_own(struct reader *r, yyjson_val *root) {
  struct mock_responses *own = r->own;
  yyjson_val *included;
  size_t i, n;
  own->head = make_echo(r, root, head_echoes, sizeof head_echoes / sizeof head_echoes[0]);
  own->tail = make_echo(r, root, tail_echoes, sizeof tail_echoes / sizeof tail_echoes[0]);
  own->context = r->context.failed ? STR_NONE : arena_dup(r->arena, buf_str(&r->context));
  own->is_stored = !yyjson_is_false(yyjson_obj_get(root, "store")) && r->q->stored;
  own->has_summary = yyjson_is_str(yyjson_obj_get(yyjson_obj_get(root, "reasoning"), "summary"));
  yyjson_arr_foreach(yyjson_obj_get(root, "include"), i, n, included) {
    if (yyjson_equals_str(included, "reasoning.encrypted_content")) own->has_encrypted = true;
  }
  r->q->own = own;
  return own->head.p && own->tail.p && own->context.p ? true : refuse_memory(r);
}

static bool read_root(struct reader *r, yyjson_val *root) {
  struct mock_request *q = r->q;
  yyjson_val *input = yyjson_obj_get(root, "input"), *previous = yyjson_obj_get(root, "previous_response_id");
  if (!check_moved(r, root)) return false;
  if (!input && !previous)
    return refuse(
        r->fault,
        STR("One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided."),
        STR("input"), STR("missing_required_parameter"));
  q->scan.text_bytes = mock_json_member(root, "instructions").n;
  if (!read_previous(r, previous) || (input && !read_input(r, input)) || !check_pairs(r)) return false;
  if (r->last_user) q->user_text = mock_json_text(yyjson_obj_get(r->last_user, "content"), r->arena);
  q->scan.is_tool_last =
      r->last && (is_type(r->last, "function_call_output") || is_type(r->last, "custom_tool_call_output"));
  if (q->scan.is_tool_last) q->tool_result = mock_json_text(yyjson_obj_get(r->last, "output"), r->arena);
  if (!read_tools(r, yyjson_obj_get(root, "tools"))) return false;
  if (!read_format(r, yyjson_obj_get(yyjson_obj_get(root, "text"), "format"))) return false;
  q->is_parsed = true;
  return keep_own(r, root);
}

bool mock_responses_scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  struct reader r = {.q = q, .arena = a, .fault = fault, .own = ARENA_NEW(a, struct mock_responses)};
  if (!r.own) return refuse_memory(&r);
  yyjson_val *root = mock_scan_chat(q->body, &q->scan) ? mock_json_read(q->body, a) : NULL;
  if (!root) return mock_openai_refuse_json(fault);
  q->scan.n = 1;
  q->takes_quirks = true;
  if (!q->scan.model.p)
    return refuse(fault, STR("Missing required parameter: 'model'."), STR("model"), STR("missing_required_parameter"));
  buf_init(&r.context, 0);
  bool is_fine = read_root(&r, root);
  buf_clear(&r.context);
  return is_fine;
}

/* --- seals -------------------------------------------------------------------------------------------------------- */

static const struct str seal_mark = {"gAAAAABm", 8};
enum { SEAL_ID_AT = 8, SEAL_HASH_AT = SEAL_ID_AT + MOCK_ID_BYTES, SEAL_BYTES = SEAL_HASH_AT + 16 };

void mock_responses_seal(const char id[MOCK_ID_BYTES], uint64_t seed, struct buf *out) {
  buf_put(out, seal_mark);
  buf_put(out, str_from(id, MOCK_ID_BYTES));
  buf_printf(out, "%016llx", (unsigned long long)str_hash(str_from(id, MOCK_ID_BYTES), seed));
}

bool mock_responses_is_sealed(struct str text, uint64_t seed) {
  struct buf expected;
  if (text.n != SEAL_BYTES) return false;
  buf_init(&expected, SEAL_BYTES * 2);
  mock_responses_seal(text.p + SEAL_ID_AT, seed, &expected);
  bool is_same = str_eq(text, buf_str(&expected));
  buf_clear(&expected);
  return is_same;
}
