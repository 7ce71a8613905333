/* Shared by the files of the Gemini dialects only. Wire format: Gemini API reference, v1beta (generateContent,
 * countTokens, embedContent, models), its guides on function calling, thinking, thought signatures and structured
 * output, and the types of @google/genai 3.1 (all read 2026-11).
 *
 * The vendor's JSON is protobuf's: a member may be written in camelCase or snake_case, and a message stands for a list
 * of one. Both are read everywhere; camelCase and lists are written. */
#ifndef MAESTRO_DIALECT_GEMINI_INTERNAL_H
#define MAESTRO_DIALECT_GEMINI_INTERNAL_H

#include "dialect/dialect.h"

struct yyjson_val;

#define GEMINI_NAME STR("gemini")

enum { GEMINI_CHOICES_MAX = 8, GEMINI_SCHEMA_DEPTH_MAX = 64 };

/* ---- gemini_names.c: members and values, checked ---- */

/* json_split over both spellings; names are given in camelCase. `path`: of the object, for errors. */
enum err gemini_names_split(struct arena *a, struct yyjson_val *object, const struct str *names, size_t n,
                            struct yyjson_val **found, struct json_rest *rest, const char *path,
                            struct err_info *info) MUST_CHECK;
/* True for either spelling. */
bool gemini_names_is(struct str key, struct str camel);
/* The member in either spelling; NULL where it is absent, null, or object is none. */
struct yyjson_val *gemini_names_get(struct yyjson_val *object, const char *camel);
/* "<path>.<member>", cut to fit; path may be empty. */
void gemini_names_path(char out[ERR_PARAM_MAX], const char *path, const char *member);
void gemini_names_path_at(char out[ERR_PARAM_MAX], const char *path, size_t index);
/* Values of members; v == NULL leaves *out alone. ERR_BAD_TYPE with the path. Numbers as they were written. */
enum err gemini_names_string(struct yyjson_val *v, const char *path, const char *member, struct str *out,
                             struct err_info *info) MUST_CHECK;
enum err gemini_names_number(struct yyjson_val *v, const char *path, const char *member, struct str *out,
                             struct err_info *info) MUST_CHECK;
enum err gemini_names_bool(struct yyjson_val *v, const char *path, const char *member, int8_t *out,
                           struct err_info *info) MUST_CHECK;
enum err gemini_names_bad_type(const char *path, const char *member, const char *wanted, struct err_info *info);
/* The value's compact JSON in `a`; {0} when memory is short. */
struct str gemini_names_json(struct arena *a, struct yyjson_val *v);

/* Elements of an array, or the one object that stands for a list of one. */
struct gemini_list {
  struct yyjson_val *next;
  size_t left, index;
  bool is_array;
};
/* False when v is neither. v == NULL: empty. */
bool gemini_list_begin(struct gemini_list *l, struct yyjson_val *v) MUST_CHECK;
struct yyjson_val *gemini_list_next(struct gemini_list *l); /* NULL at the end; l->index is the element's then */

/* ---- gemini_schema.c ---- */

/* Gemini's OpenAPI subset (upper-case types, nullable, numbers as strings) as JSON Schema, a new tree in `a`. What is
 * JSON Schema already comes out the same. ERR_BAD_VALUE with the path beyond GEMINI_SCHEMA_DEPTH_MAX. */
enum err gemini_schema_convert(struct arena *a, struct yyjson_val *schema, const char *path, struct yyjson_val **out,
                               struct err_info *info) MUST_CHECK;

/* ---- requests ---- */

/* How the caller wrote what the canonical request has one word for: request.native. */
struct gemini_native {
  bool is_wrapped; /* countTokens: generateContentRequest */
  bool has_model;  /* in the body as well */
  bool has_tools, has_generation_config, has_thinking_config, has_tool_config, has_calling_config;
  struct str calling_mode; /* the word behind TOOL_CHOICE_AUTO, where it was said */
  /* The format's two members, as they were written, and what they were read as. */
  struct str mime;
  struct yyjson_val *schema_raw, *schema_read;
  bool is_schema_openapi;
  enum response_format format;
  struct str level; /* the word behind reasoning.effort */
  struct str system_role;
};

enum err gemini_request_decode(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) MUST_CHECK;
/* `contents` and `systemInstruction` (either may be NULL) into r->items; the role of the latter, which means nothing.
 */
enum err gemini_contents_decode(struct arena *a, struct yyjson_val *system, struct yyjson_val *contents,
                                struct request *r, struct str *system_role, struct err_info *info) MUST_CHECK;
enum err gemini_body_encode(const struct request *r, const struct dialect_target *target, struct arena *a,
                            struct buf *out, struct err_info *info) MUST_CHECK;
/* The members "systemInstruction" and "contents". */
enum err gemini_turns_encode(const struct request *r, struct str model, struct arena *a, struct buf *out,
                             struct err_info *info) MUST_CHECK;
/* What a model's name says of what it takes. */
enum gemini_generation { GEMINI_UNKNOWN, GEMINI_2, GEMINI_3 };
enum gemini_generation gemini_turns_generation(struct str model);
/* inlineData or fileData, as the value to come. */
void gemini_turns_put_media(struct buf *out, enum part_kind kind, const struct media *m);

/* ---- replies ---- */

enum { GEMINI_NATIVE_WORD_MAX = 40 };

struct gemini_choice {
  bool is_seen, is_open, saw_call, is_signed, is_stopped;
  enum part_kind kind; /* of the open part */
  uint32_t part;
  enum stop_reason reason;
  unsigned native_bytes;
  char native[GEMINI_NATIVE_WORD_MAX];
  size_t citations, supports; /* how many have been told */
};

/* The stream's reader. */
struct gemini_decoder {
  bool is_started, is_ended;
  uint32_t next_part;
  unsigned invented;
  struct gemini_choice choices[GEMINI_CHOICES_MAX];
};
enum err gemini_reply_decode(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info) MUST_CHECK;
enum err gemini_reply_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                            const struct frame *frame, const struct event_sink *sink, struct err_info *info) MUST_CHECK;
enum err gemini_reply_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                          struct err_info *info) MUST_CHECK;
/* Has it anything that a reply is known by (of countTokens, too)? */
bool gemini_reply_is_one(struct yyjson_val *root);
/* usageMetadata, or the members of a countTokens reply, by usage.h's algebra. */
void gemini_reply_usage(struct yyjson_val *usage, struct usage *out);

enum { GEMINI_HELD_MAX = 128 };

/* A part that is sent when it is whole. */
struct gemini_held {
  bool is_used;
  uint32_t part;
  struct answer_part whole; /* text: what came so far */
};

/* The stream's writer. */
struct gemini_encoder {
  bool has_put; /* a chunk */
  struct str id;
  struct str tail; /* of every chunk: model and id */
  size_t held_count;
  struct gemini_held *held[GEMINI_HELD_MAX];
  struct answer_stop stops[GEMINI_CHOICES_MAX];
  size_t choice_count;
  struct usage usage;
  bool is_hung;
  struct buf citations; /* elements, joined by commas */
  struct buf logprobs;  /* the same, in OpenAI's shape */
};
void gemini_answer_encode(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum err gemini_answer_event(void *state, const struct dialect_exchange *x, const struct event *event, struct buf *out,
                             struct err_info *info) MUST_CHECK;

/* The vendor's own word where the stop has one, else the nearest. */
struct str gemini_beside_finish_word(const struct answer_stop *s);
/* Members of a reply (usage) and of a candidate; nothing where nothing is known. */
void gemini_beside_put_usage(struct buf *out, const struct usage *u);
void gemini_beside_put_metadata(struct buf *out, struct str citations);
void gemini_beside_put_logprobs(struct buf *out, struct str elements); /* OpenAI's, joined by commas */
/* Any dialect's citation, or several joined by commas, as elements for put_metadata: those that have an address. */
void gemini_beside_add_citation(struct buf *list, struct str raw);
void gemini_beside_add_citations(struct buf *list, struct str elements);

/* ---- what gemini and gemini_embed share (gemini_error.c) ---- */

void gemini_error_put(struct buf *out, enum err e, const struct err_info *info);
void gemini_error_put_stream(struct buf *out, enum err e, const struct err_info *info);
void gemini_error_put_array(struct buf *out, enum err e, const struct err_info *info);
void gemini_error_put_model(struct buf *out, const struct dialect_model *model);
void gemini_error_put_model_list(struct buf *out, const struct dialect_model *models, size_t count);

#endif
