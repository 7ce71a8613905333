/* Ids of stored responses, made into what they stand for, before a request is decoded or relayed; and what is stored of
 * a finished one. Pure functions over JSON texts: where responses are kept is its caller's business
 * (state/stored_response; the gateway joins the two). Source: OpenAI API reference, "Responses" and "Conversation
 * state" (read 2026-11).
 *
 * How the gateway uses it, around an exchange in this dialect:
 *
 * Before it, if (openai_responses_names_ids(scan, body)), openai_responses_expand. On ERR_NOT_FOUND the id is none of
 * ours: a target of this same dialect may know it (then the body is relayed as it is), for any other the error is the
 * answer. Else what was expanded takes the body's place.
 *
 * After it, if (openai_responses_is_stored(scan)), openai_responses_record fills what stored_response_put wants from
 * the expanded body and the response object that the caller got (of a stream: openai_responses_final, over the last
 * bytes sent).
 *
 * GET /v1/responses/{id} is the stored `response` as it is, GET …/input_items openai_responses_put_input_items, DELETE
 * openai_responses_put_deleted, an unknown id openai_responses_not_found. */
#ifndef MAESTRO_DIALECT_OPENAI_RESPONSES_EXPAND_H
#define MAESTRO_DIALECT_OPENAI_RESPONSES_EXPAND_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/envelope_scan.h"
#include "base/err.h"

/* False: not found; *e is set where something failed. Texts are in `a`. */
struct openai_responses_lookup {
  void *arg;
  bool (*response)(void *arg, struct str id, struct arena *a, struct str *input, struct str *output, enum err *e);
  bool (*item)(void *arg, struct str id, struct arena *a, struct str *json, enum err *e);
};

/* A quick look for previous_response_id and item_reference; true may be a false alarm (the latter stands in a text).
 * scan: of the body, by this dialect's request_table. */
bool openai_responses_names_ids(const struct envelope_scan *scan, struct str body);
/* The body with `input` in full and without previous_response_id. Instructions of earlier turns are not carried over
 * (as the API has it), nor is their thinking that nobody could read again (no encrypted_content). ERR_NOT_FOUND with
 * the path and id of the first that is unknown; faults of the body's own types as the decoder has them.
 * ERR_BODY_TOO_LARGE where out's limit is passed: a short body may name a large item many times. */
enum err openai_responses_expand(struct str body, const struct openai_responses_lookup *lookup, struct arena *a,
                                 struct buf *out, struct err_info *info) MUST_CHECK;

/* "store" is true unless it was said to be false. */
bool openai_responses_is_stored(const struct envelope_scan *scan);

struct openai_responses_record_item {
  struct str id, json;
};
/* What is to be stored; all of it in the arena, items are slices of input and output. */
struct openai_responses_record {
  struct str id, response, input, output;
  struct openai_responses_record_item *items;
  size_t item_count;
};
/* body: the request, expanded; response: the object that was sent. Input items without ids get some. */
enum err openai_responses_record(struct str body, struct str response, struct arena *a,
                                 struct openai_responses_record *out, struct err_info *info) MUST_CHECK;
/* The response within the bytes of the stream's last frames (response.completed or response.incomplete), a slice of
 * them; false: there is none. */
bool openai_responses_final(struct str frames, struct str *response);

/* GET …/input_items: the query's members; empty: not said. */
struct openai_responses_page {
  struct str after; /* id of the item behind which to go on */
  struct str order; /* "asc" | "desc", the default */
  struct str limit; /* 1 to 100; 20 */
};
enum err openai_responses_put_input_items(struct buf *out, struct str input, const struct openai_responses_page *page,
                                          struct err_info *info) MUST_CHECK;
void openai_responses_put_deleted(struct buf *out, struct str id);
enum err openai_responses_not_found(struct str id, const char *param, struct err_info *info) MUST_CHECK;

#endif
