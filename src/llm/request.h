/* A request for a model, whatever dialect it came in: the canonical model that a foreign dialect is encoded from. An
 * ordered list of items, never hoisted: a system message in mid-conversation stays where it was. Made by a dialect's
 * decode_request over a JSON tree, read by every dialect's encode_request; both in the arena of their exchange, which
 * owns everything. Pure data.
 *
 * Rules: numbers are kept as written (raw digits); a member that was absent leaves its field empty; a known member that
 * was null is kept in the node's `rest` with its null; members that the dialect does not know are kept there too and
 * come back when the same dialect is encoded. Sub-trees that no dialect changes (schemas, metadata) stay JSON values.
 */
#ifndef MAESTRO_LLM_REQUEST_H
#define MAESTRO_LLM_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_split.h"
#include "base/str.h"

struct yyjson_val;

enum llm_operation {
  LLM_GENERATE, /* chat, messages, responses, generateContent … */
  LLM_COMPLETE, /* a prompt without turns: /v1/completions, /api/generate */
  LLM_EMBED,
  LLM_COUNT_TOKENS,
  LLM_OPERATIONS
};

enum request_role { ROLE_SYSTEM, ROLE_DEVELOPER, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL };

enum part_kind {
  PART_TEXT,
  PART_REASONING,         /* text of thinking; signature may follow it */
  PART_REASONING_SUMMARY, /* a summary made for people (Responses); never sent back as thinking */
  PART_REDACTED,          /* thinking that only its maker can read: all of it is in `signature` */
  PART_REFUSAL,
  PART_TOOL_CALL,
  PART_TOOL_RESULT,
  PART_SERVER_TOOL, /* a tool that the provider runs itself, call or result: `raw`, native to its dialect only */
  PART_IMAGE,
  PART_DOCUMENT,
  PART_AUDIO,
  PART_VIDEO,
  PART_OPAQUE, /* of a type that the dialect does not know: `raw`, native to its dialect only */
  PART_KINDS
};

/* Something that only its maker can read and that has to be handed back to it unchanged. */
struct signature {
  struct str bytes;  /* as the origin's wire format writes it (text; base64 or opaque) */
  struct str origin; /* name of the dialect that made it: replayed to that one only */
};

/* Bytes that are no text. Exactly one of data, url and file_id is set. */
struct media {
  struct str mime;    /* "image/png", or empty: not said */
  struct str data;    /* base64, without a data: prefix */
  struct str url;     /* never fetched here */
  struct str file_id; /* known to its provider only */
  struct str name;    /* a document's title or file name */
  struct str detail;  /* OpenAI's "low" | "high" | "auto" */
  struct str text;    /* a document that is plain text, unencoded; data is empty then */
};

/* The breakpoint of a prompt cache, by Anthropic's algebra. */
struct cache_marker {
  struct yyjson_val *raw; /* the native object (`cache_control`, `cachePoint`); NULL: no marker */
  struct str ttl;         /* "5m" | "1h", or empty: the default */
};

enum tool_kind {
  TOOL_FUNCTION,
  TOOL_CUSTOM, /* free-form text input (OpenAI) */
  TOOL_HOSTED  /* run by the provider (web_search, code_interpreter …): native to its dialect only */
};

/* request_part.source of a part that is the caller's whole item, not an element of its content (Responses: a call, a
 * result, thinking): its path is the item's. */
#define REQUEST_SOURCE_ITEM (UINT32_MAX - 1)

struct request_part {
  enum part_kind kind;
  uint32_t source; /* index in the item's content as the caller wrote it; UINT32_MAX: content was one string */
  struct str text; /* TEXT, REASONING(_SUMMARY), REFUSAL; TOOL_CALL: arguments as written (JSON text, or free text of a
                      custom tool); unescaped UTF-8 */
  struct signature signature; /* REASONING, REDACTED, and on TEXT or TOOL_CALL where the origin signs those (Gemini) */
  struct media *media;        /* IMAGE, DOCUMENT, AUDIO, VIDEO */
  /* TOOL_CALL and TOOL_RESULT */
  struct str call_id;   /* pairs a call with its result; empty: none was said (see request_pair_calls) */
  struct str item_id;   /* Responses: the id of the item itself */
  struct str name;      /* of the tool, unqualified */
  struct str namespace; /* Responses: of the group the tool stands in; empty: none */
  enum tool_kind tool_kind;
  bool is_args_valid;           /* TOOL_CALL of a function: text is known to be one JSON object */
  bool is_error;                /* TOOL_RESULT: the tool failed */
  bool has_is_error;            /* it was said, be it false */
  bool is_result_plain;         /* the result was one string, not an array */
  struct request_part *results; /* TOOL_RESULT: its content */
  size_t result_count;
  struct cache_marker cache;
  struct yyjson_val *citations; /* TEXT: as the origin wrote them (`citations`, `annotations`); NULL: none */
  struct yyjson_val *raw;       /* SERVER_TOOL, OPAQUE: the whole node. Of other kinds it is for the encoder of the
                                   caller's own dialect only: the node as it was written (Gemini) */
  struct json_rest rest;
};

/* How an item's content was written, so that it can be written so again. */
enum content_form { CONTENT_ABSENT, CONTENT_NULL, CONTENT_STRING, CONTENT_ARRAY };

struct request_item {
  enum request_role role;
  uint32_t source; /* index in the caller's list; UINT32_MAX: the member beside the list (`system`, `instructions`) */
  enum content_form form;
  struct str id;   /* Responses: of the item */
  struct str name; /* OpenAI chat: of the participant */
  struct request_part *parts;
  size_t part_count;
  struct cache_marker cache; /* OpenAI-likes that mark a whole message */
  struct json_rest rest;
};

struct request_tool {
  enum tool_kind kind;
  uint32_t source;
  struct str name, namespace, description;
  struct yyjson_val *schema; /* FUNCTION: JSON Schema of the parameters; NULL: none given. Gemini's OpenAPI subset is
                                decoded to JSON Schema (lower-case types) */
  bool is_openapi;           /* the caller wrote Gemini's `parameters`, not `parametersJsonSchema` */
  int8_t strict;             /* -1 not said */
  struct yyjson_val *format; /* CUSTOM: the grammar */
  bool has_type;             /* Anthropic: the `type` of a function was said ("custom") */
  struct cache_marker cache;
  struct yyjson_val *raw;   /* HOSTED: the whole node; is_openapi: the schema as it was written */
  struct yyjson_val *group; /* Responses: the namespace's node that it stands in; NULL: none */
  struct json_rest rest;
};

enum tool_choice { TOOL_CHOICE_UNSET, TOOL_CHOICE_AUTO, TOOL_CHOICE_NONE, TOOL_CHOICE_REQUIRED, TOOL_CHOICE_NAMED };
enum response_format { FORMAT_UNSET, FORMAT_TEXT, FORMAT_JSON_OBJECT, FORMAT_JSON_SCHEMA };

/* Thinking: what was asked for, in whichever terms. Each dialect says the nearest it can (llm/effort.h). */
struct request_reasoning {
  int8_t enabled;        /* -1 not said, 0 off, 1 on */
  bool is_adaptive;      /* the model decides how much (Anthropic) */
  struct str effort;     /* "none" "minimal" "low" "medium" "high" "xhigh" "max", or empty */
  int64_t budget_tokens; /* -1 not said; Gemini's -1 ("dynamic") is is_adaptive */
  struct str summary;    /* Responses: "auto" "concise" "detailed", or empty */
  int8_t visible;        /* -1 not said; 0 keep it to yourself (display omitted, includeThoughts false); 1 show it */
};

struct request {
  struct str dialect; /* the caller's, by name: whose `rest` members these are */
  enum llm_operation operation;
  struct str model;
  bool is_stream, wants_usage;
  bool has_stream; /* it was said, be it false */

  struct request_item *items;
  size_t item_count;
  struct request_tool *tools;
  size_t tool_count;
  enum tool_choice tool_choice;
  struct str tool_choice_name;        /* NAMED */
  struct str tool_choice_namespace;   /* NAMED, Responses */
  struct yyjson_val *tool_choice_raw; /* a form that only the caller's dialect knows; tool_choice is UNSET then */
  int8_t parallel_tool_calls;         /* -1 not said */

  enum response_format format;
  struct yyjson_val *format_schema; /* JSON_SCHEMA */
  struct str format_name, format_description;
  int8_t format_strict;
  bool format_is_legacy; /* Anthropic: `output_format`, not `output_config.format` */

  struct request_reasoning reasoning;

  /* Numbers as written; empty: not said. */
  struct str max_tokens, temperature, top_p, top_k, frequency_penalty, presence_penalty, seed, choices, top_logprobs;
  int8_t logprobs;           /* -1 not said */
  bool max_tokens_is_legacy; /* OpenAI chat: `max_tokens`, not `max_completion_tokens` */
  struct yyjson_val *logit_bias;
  struct str *stop; /* sequences */
  size_t stop_count;
  bool stop_is_plain; /* it was one string */

  /* Hints: they change no answer. */
  struct yyjson_val *metadata;
  struct str user, service_tier, prompt_cache_key, verbosity;
  int8_t store; /* -1 not said */

  /* Path of a top-level member that changes the answer and that only the caller's dialect can say (Responses:
   * "background", "conversation"); NULL: none. */
  const char *native_member;

  /* LLM_EMBED: what is embedded (texts as items' text parts), and how. */
  struct str dimensions, encoding_format;

  /* LLM_COMPLETE: the text behind the gap that is to be filled; say the prompt again before the answer; the best of so
   * many tries. */
  struct str suffix, best_of;
  int8_t echo; /* -1 not said */

  struct yyjson_val *modalities; /* of the answer (OpenAI); wants_audio: sound is among them */
  bool wants_audio;

  struct json_rest rest; /* top-level members */

  /* What the encoder of the caller's own dialect wants to know of how the request was written and the model above has
   * no word for; of a type of that dialect's, in the same arena. NULL: nothing. */
  const void *native;

  /* What was left over of top-level members that were taken apart: the key is the path ("thinking.block_binding"). */
  struct json_rest nested;
};

/* Where a node stands in the caller's request, for errors and x-maestro-dropped: "messages[3].content[1].source".
 * list: the caller's word for its list ("messages"); system: for what stands beside it; content: for the parts. part
 * and member may be NULL. Cut to fit. */
struct request_words {
  const char *list, *system, *content, *tools;
  /* Of thinking and of tool calls where they have members of their own beside the content; NULL: they are content. */
  const char *reasoning, *calls;
  const struct request_word *members; /* where they are not called as in OpenAI's chat; ends with NULL; may be NULL */
};
struct request_word {
  const char *word, *own; /* OpenAI chat's, this dialect's */
};
/* What the dialect with these words calls a member that is called so in OpenAI's chat. */
const char *request_member_word(const struct request_words *words, const char *word);
void request_path(const struct request_words *words, const struct request_item *item, const struct request_part *part,
                  const char *member, char out[ERR_PARAM_MAX]);

/* What the model is told about itself and the conversation, in whichever role's name. */
static inline bool request_is_system(const struct request_item *item) {
  return item->role == ROLE_SYSTEM || item->role == ROLE_DEVELOPER;
}

/* Fills defaults (-1 where "not said"). */
void request_init(struct request *r, struct str dialect, enum llm_operation operation);

/* Tool arguments as a JSON object, for dialects that carry them so: the text itself where it is an object, {} where it
 * is blank, else {"_invalid_json": "<text>"}, so that nothing of what the model said is lost. */
struct buf;
void request_put_args_object(struct buf *out, struct str text);
/* The same of a call in a request, where its decoder has looked already; free text of a custom tool is {"input": "…"}.
 */
void request_put_call_args(struct buf *out, const struct request_part *call);
/* A URL as media: "data:<mime>;base64,<data>" is taken apart, anything else (also one without data) is media->url. */
void request_media_from_url(struct str url, struct media *media);
/* The reverse: a data: URL where there are data. */
void request_put_media_url(struct buf *out, const struct media *media);
/* The type of an image by how its base64 begins ("image/png", jpeg, gif, webp), or empty. */
struct str request_image_mime(struct str base64);
/* True when text is one JSON object (RFC 8259, white space around it allowed), nested no deeper than JSON_DEPTH_MAX. */
bool request_is_json_object(struct str text);
/* Puts together what a caller hands back in the pieces in which an answer was streamed (Gemini's SDK: a content for
 * each chunk), so that another dialect does not take each piece for a text, or a thought, of its own. ERR_NO_MEMORY
 * only. */
enum err request_join_pieces(struct arena *a, struct request *r) MUST_CHECK;
struct request_place {
  const struct request_item *item;
  const struct request_part *part;
};
/* Gives an id to each call and result that has none ("call_made_<n>"): a result belongs to the oldest call that waits
 * (of its name, where it has one); one of no call gets an id of its own. A call with the id of an earlier one (of the
 * last 256) gets another, too; results of that id are theirs in order. For other dialects than the caller's, whose
 * encoders rely on it. ERR_NO_MEMORY only.
 * *lone, unless it is NULL, is the first result without a call, else the first call without a result; its part is NULL
 * where there is none, or where so many calls wait at once that it was not looked for. */
enum err request_pair_calls(struct arena *a, struct request *r, struct request_place *lone) MUST_CHECK;

#endif
