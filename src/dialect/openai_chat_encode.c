/* The canonical model into OpenAI chat requests: the members beside the messages, and messages whose caller speaks chat
 * too, which come back as they were. Messages of foreign callers are in openai_chat_foreign.c. Source: OpenAI API
 * reference, "Create chat completion" (read 2026-11).
 *
 * For foreign callers only members go out that OpenAI-likes in general understand: several of them answer 400 to a
 * member that they do not know, and a hint is not worth that. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_request.h"
#include "dialect/tool_name.h"
#include "llm/effort.h"

static struct yyjson_val *said(const struct request *r, enum openai_chat_member row) {
  const struct openai_chat_native *native = openai_chat_native(r);
  return native ? native->found[row] : NULL;
}

static const char *member_name(enum openai_chat_member row) { return openai_chat_members[row].p; }

static void put_said(struct buf *out, const struct request *r, enum openai_chat_member row) {
  json_out_member_value_if(out, member_name(row), said(r, row));
}

/* ---- messages that came as chat messages ---- */

static const struct str role_words[] = {
    [ROLE_SYSTEM] = STR("system"),       [ROLE_DEVELOPER] = STR("developer"), [ROLE_USER] = STR("user"),
    [ROLE_ASSISTANT] = STR("assistant"), [ROLE_TOOL] = STR("tool"),
};

static void put_part(struct buf *out, const struct request_part *p) {
  if (p->raw) {
    json_out_value(out, p->raw);
    return;
  }
  bool is_text = p->kind == PART_TEXT;
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_text ? STR("text") : STR("refusal"));
  json_out_member_string(out, is_text ? "text" : "refusal", p->text);
  json_out_member_value_if(out, "cache_control", p->cache.raw);
  json_out_rest(out, &p->rest);
  json_out_end(out, '}');
}

static bool is_content(const struct request_part *p) {
  switch (p->kind) {
    case PART_TEXT:
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_OPAQUE: return true;
    case PART_REFUSAL: return p->source != UINT32_MAX;
    default: return false;
  }
}

static void put_content(struct buf *out, enum content_form form, const struct request_part *parts, size_t n) {
  if (form != CONTENT_STRING && form != CONTENT_ARRAY) return; /* a null is among the rest */
  json_out_key(out, "content");
  if (form == CONTENT_STRING) {
    for (size_t i = 0; i < n; i++)
      if (parts[i].kind == PART_TEXT) {
        buf_put_json(out, parts[i].text);
        return;
      }
    buf_put(out, STR("\"\""));
    return;
  }
  json_out_begin(out, '[');
  for (size_t i = 0; i < n; i++)
    if (is_content(&parts[i])) put_part(out, &parts[i]);
  json_out_end(out, ']');
}

/* Parts of one kind as an array of their nodes; nothing where there are none. */
static void put_raws(struct buf *out, const char *member, const struct request_item *item,
                     bool (*is_of)(const struct request_part *)) {
  bool is_begun = false;
  for (size_t i = 0; i < item->part_count; i++) {
    if (!is_of(&item->parts[i])) continue;
    if (!is_begun) json_out_key(out, member);
    if (!is_begun) json_out_begin(out, '[');
    is_begun = true;
    json_out_value(out, item->parts[i].raw);
  }
  if (is_begun) json_out_end(out, ']');
}

/* Thinking that another maker has signed is for that one only. */
static bool is_detail(const struct request_part *p) {
  bool is_foreign = p->signature.origin.n && !str_eq(p->signature.origin, STR("openai_chat"));
  return p->raw && !is_foreign &&
         (p->kind == PART_REASONING || p->kind == PART_REASONING_SUMMARY || p->kind == PART_REDACTED);
}
static bool is_call(const struct request_part *p) { return p->kind == PART_TOOL_CALL && p->source != UINT32_MAX; }

static void put_own_message(struct buf *out, const struct request_item *item) {
  const struct request_part *result = item->role == ROLE_TOOL ? &item->parts[0] : NULL;
  bool is_legacy = result && !result->call_id.p;
  json_out_begin(out, '{');
  json_out_member_string(out, "role", is_legacy ? STR("function") : role_words[item->role]);
  if (result) {
    put_content(out, item->form, result->results, result->result_count);
    if (!is_legacy) json_out_member_string(out, "tool_call_id", result->call_id);
    if (result->name.p) json_out_member_string(out, "name", result->name);
  } else {
    put_content(out, item->form, item->parts, item->part_count);
    if (item->name.p) json_out_member_string(out, "name", item->name);
  }
  for (size_t i = 0; i < item->part_count; i++) {
    const struct request_part *p = &item->parts[i];
    if (p->kind == PART_REASONING && !p->raw) json_out_member_string(out, p->name.p, p->text);
    if (p->kind == PART_REFUSAL && p->source == UINT32_MAX) json_out_member_string(out, "refusal", p->text);
    if (p->kind == PART_TOOL_CALL && p->source == UINT32_MAX) json_out_member_value_if(out, "function_call", p->raw);
  }
  put_raws(out, "reasoning_details", item, is_detail);
  put_raws(out, "tool_calls", item, is_call);
  json_out_member_value_if(out, "cache_control", item->cache.raw);
  json_out_rest(out, &item->rest);
  json_out_end(out, '}');
}

/* ---- tools ---- */

/* OpenAI's {"type":"grammar","grammar":{…}}; the Responses API writes the same flat. */
static void put_tool_format(struct buf *out, struct yyjson_val *format) {
  if (!str_eq(json_pool_str(format, "type"), STR("grammar")) || yyjson_obj_get(format, "grammar")) {
    json_out_member_value_if(out, "format", format);
    return;
  }
  json_out_key(out, "format");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("grammar"));
  json_out_key(out, "grammar");
  json_out_begin(out, '{');
  json_out_member_value_if(out, "definition", yyjson_obj_get(format, "definition"));
  json_out_member_value_if(out, "syntax", yyjson_obj_get(format, "syntax"));
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static void put_foreign_tool(struct buf *out, const struct request_tool *t, struct str name) {
  bool is_custom = t->kind == TOOL_CUSTOM;
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_custom ? STR("custom") : STR("function"));
  json_out_key(out, is_custom ? "custom" : "function");
  json_out_begin(out, '{');
  json_out_member_string(out, "name", name);
  json_out_member_string_if(out, "description", t->description);
  if (is_custom) {
    put_tool_format(out, t->format);
  } else {
    json_out_member_value_if(out, "parameters", t->schema);
    if (t->strict == 1) json_out_member_bool(out, "strict", true);
  }
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static enum err put_foreign_tools(struct buf *out, const struct request *r, struct arena *a, bool *has_tools) {
  *has_tools = false;
  for (size_t i = 0; i < r->tool_count; i++) {
    const struct request_tool *t = &r->tools[i];
    if (t->kind == TOOL_HOSTED) continue;
    struct str name = tool_name_wire(a, t->namespace, t->name);
    if (!name.p) return ERR_NO_MEMORY;
    if (!*has_tools) json_out_key(out, "tools");
    if (!*has_tools) json_out_begin(out, '[');
    *has_tools = true;
    put_foreign_tool(out, t, name);
  }
  if (*has_tools) json_out_end(out, ']');
  return OK;
}

static void put_own_tools(struct buf *out, const struct request *r) {
  static const enum openai_chat_member lists[] = {OPENAI_CHAT_TOOLS, OPENAI_CHAT_FUNCTIONS};
  const struct openai_chat_native *native = openai_chat_native(r);
  for (int k = 0; k < 2; k++) {
    if (!native->found[lists[k]]) continue;
    json_out_key(out, member_name(lists[k]));
    json_out_begin(out, '[');
    for (size_t i = 0; i < r->tool_count; i++) {
      bool is_function = yyjson_obj_get(r->tools[i].raw, "type") == NULL; /* an element of `functions` has none */
      if (is_function == (lists[k] == OPENAI_CHAT_FUNCTIONS)) json_out_value(out, r->tools[i].raw);
    }
    json_out_end(out, ']');
  }
}

static bool is_custom_tool(const struct request *r, struct str namespace, struct str name) {
  for (size_t i = 0; i < r->tool_count; i++)
    if (str_eq(r->tools[i].name, name) && str_eq(r->tools[i].namespace, namespace))
      return r->tools[i].kind == TOOL_CUSTOM;
  return false;
}

static void put_choice(struct buf *out, const struct request *r, struct arena *a) {
  static const struct str words[] = {
      [TOOL_CHOICE_AUTO] = STR("auto"), [TOOL_CHOICE_NONE] = STR("none"), [TOOL_CHOICE_REQUIRED] = STR("required")};
  if (r->tool_choice == TOOL_CHOICE_UNSET) return;
  if (r->tool_choice != TOOL_CHOICE_NAMED) {
    json_out_member_string(out, "tool_choice", words[r->tool_choice]);
    return;
  }
  struct str name = tool_name_wire(a, r->tool_choice_namespace, r->tool_choice_name);
  if (!name.p) out->failed = true;
  bool is_custom = is_custom_tool(r, r->tool_choice_namespace, r->tool_choice_name);
  json_out_key(out, "tool_choice");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_custom ? STR("custom") : STR("function"));
  json_out_key(out, is_custom ? "custom" : "function");
  json_out_begin(out, '{');
  json_out_member_string(out, "name", name);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

/* ---- the rest ---- */

static void put_format(struct buf *out, const struct request *r) {
  if (r->format != FORMAT_JSON_OBJECT && r->format != FORMAT_JSON_SCHEMA) return;
  json_out_key(out, "response_format");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", r->format == FORMAT_JSON_OBJECT ? STR("json_object") : STR("json_schema"));
  if (r->format == FORMAT_JSON_SCHEMA) {
    json_out_key(out, "json_schema");
    json_out_begin(out, '{');
    json_out_member_string(out, "name", r->format_name.n ? r->format_name : STR("response")); /* OpenAI wants one */
    json_out_member_string_if(out, "description", r->format_description);
    json_out_member_value_if(out, "schema", r->format_schema);
    json_out_member_tri(out, "strict", r->format_strict);
    json_out_end(out, '}');
  }
  json_out_end(out, '}');
}

/* "max" is no word of most servers. */
static struct str effort_of(const struct request_reasoning *r) {
  /* "none" is refused by many models: it is said only where the caller said it in that word, and so knows. */
  if (r->enabled == 0) return str_eq(r->effort, STR("none")) ? r->effort : STR_NONE;
  return r->effort.n ? effort_within(r->effort, STR("minimal"), STR("xhigh")) : effort_of_budget(r->budget_tokens);
}

static void put_own_members(struct buf *out, const struct request *r, const struct dialect_target *target) {
  static const enum openai_chat_member as_said[] = {
      OPENAI_CHAT_TOOL_CHOICE, OPENAI_CHAT_FUNCTION_CALL, OPENAI_CHAT_RESPONSE_FORMAT, OPENAI_CHAT_REASONING_EFFORT,
      OPENAI_CHAT_REASONING,   OPENAI_CHAT_THINKING,      OPENAI_CHAT_MODALITIES};
  put_own_tools(out, r);
  for (size_t i = 0; i < sizeof as_said / sizeof *as_said; i++) put_said(out, r, as_said[i]);
  struct request copy = *r;
  if (!said(r, OPENAI_CHAT_PARALLEL_TOOL_CALLS)) copy.parallel_tool_calls = -1;
  openai_member_put_fields(out, openai_chat_members, openai_chat_fields, OPENAI_CHAT_FIELDS_WRITTEN, &copy);
  bool has_both = said(r, OPENAI_CHAT_MAX_TOKENS) && said(r, OPENAI_CHAT_MAX_COMPLETION_TOKENS);
  json_out_member_raw_if(out, r->max_tokens_is_legacy ? "max_tokens" : "max_completion_tokens", r->max_tokens);
  if (has_both) put_said(out, r, OPENAI_CHAT_MAX_TOKENS);
  openai_member_put_stop(out, r);
  openai_member_put_stream(out, r, target->ask_usage, said(r, OPENAI_CHAT_STREAM) != NULL,
                           said(r, OPENAI_CHAT_STREAM_OPTIONS));
  json_out_rest(out, &r->rest);
}

static enum err put_foreign_members(struct buf *out, const struct request *r, const struct dialect_target *target,
                                    struct arena *a) {
  bool has_tools;
  struct request copy = *r;
  enum err e = put_foreign_tools(out, r, a, &has_tools);
  if (e) return e;
  if (has_tools) put_choice(out, r, a);
  if (!has_tools || r->parallel_tool_calls == 1) copy.parallel_tool_calls = -1; /* it is how things are anyway */
  if (r->logprobs != 1 && r->top_logprobs.n) copy.logprobs = 1;
  put_format(out, r);
  json_out_member_string_if(out, "reasoning_effort", effort_of(&r->reasoning));
  openai_member_put_fields(out, openai_chat_members, openai_chat_fields, OPENAI_CHAT_FIELDS_OF_ALL, &copy);
  /* OpenAI's own reasoning models refuse the old word, most others know no other. */
  json_out_member_raw_if(out, target->is_vendor ? "max_completion_tokens" : "max_tokens", r->max_tokens);
  openai_member_put_stop(out, r);
  openai_member_put_stream(out, r, target->ask_usage, false, NULL);
  return OK;
}

enum err openai_chat_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                    struct buf *out, struct err_info *info) {
  bool is_own = openai_chat_native(r) != NULL;
  enum err e = OK;
  if (r->operation == LLM_COUNT_TOKENS || r->operation == LLM_EMBED)
    return err_set_param(info, ERR_UNSUPPORTED, "model", "the model that was asked for speaks a chat API, which %s",
                         r->operation == LLM_EMBED ? "makes no embeddings" : "does not count tokens");
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  json_out_key(out, "messages");
  json_out_begin(out, '[');
  if (is_own)
    for (size_t i = 0; i < r->item_count; i++) put_own_message(out, &r->items[i]);
  else
    e = openai_chat_put_foreign_messages(r, a, out, info);
  json_out_end(out, ']');
  if (!e && is_own) put_own_members(out, r, target);
  if (!e && !is_own) e = put_foreign_members(out, r, target, a);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
