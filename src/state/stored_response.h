/* Responses that were kept for their owners (OpenAI Responses with `store`): the response as it was sent, and all items
 * that led to it and came of it, so that a later request may go on from its id or name an item by id. Shared by all
 * workers. What another owner has is not found, as if it did not exist.
 *
 * What is put lies in memory, and is found there, until a thread of its own has written it to the file; a fraction of a
 * second as a rule, and for as long as the file cannot be written. Both are bounded by count, bytes and age, the oldest
 * go first. One lock guards the memory, held for a look-up and a copy. The file survives the process, also one that is
 * killed, but for what was not written yet. Functions named *_file block: for the thread pool.
 *
 * Texts are JSON that nobody here looks into; dialect/openai_responses/expand.h makes and reads them. */
#ifndef MAESTRO_STATE_STORED_RESPONSE_H
#define MAESTRO_STATE_STORED_RESPONSE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { STORED_RESPONSE_ID_MAX = 128, STORED_RESPONSE_ITEMS_MAX = 16384 };
#define STORED_RESPONSE_FILE "responses.db"

struct stored_response_limits { /* 0: nothing is kept */
  size_t count;                 /* responses, of all owners together */
  size_t bytes;                 /* of all that is kept, bookkeeping included */
  int64_t ttl_ms;               /* since it was put */
};

struct stored_response_item {
  struct str id, json; /* json: a slice of the response's input or output */
};

struct stored_response {
  struct str id;
  struct str response;                      /* the object, as the caller got it */
  struct str input;                         /* JSON array: all input items, earlier turns included, each with an id */
  struct str output;                        /* JSON array */
  const struct stored_response_item *items; /* of both that have an id, to be found by it; put only */
  size_t item_count;
};

struct stored_responses;

/* NULL when memory is short. */
struct stored_responses *stored_response_new(const struct stored_response_limits *limits);
/* From here on what is put goes to that file, which is made when it is needed. What is wrong with it is told by
 * stored_response_status, not here: ERR_NO_MEMORY (also: no thread) only. Once at most. */
enum err stored_response_open(struct stored_responses *s, const char *path, struct err_info *info) MUST_CHECK;
/* Writes what is left, within two seconds. When no other thread uses it any more. */
void stored_response_free(struct stored_responses *s);
/* New bounds (a reload); what is beyond them goes. */
void stored_response_set_limits(struct stored_responses *s, const struct stored_response_limits *limits,
                                int64_t now_ms);

/* Keeps a copy; one of the same owner and id is replaced. now_ms: any clock that never goes back, the same for all
 * calls. ERR_BAD_VALUE for an empty or overlong id; ERR_BODY_TOO_LARGE when it alone is beyond the limit;
 * ERR_NO_MEMORY. Where the limits keep nothing it is forgotten at once (OK). */
enum err stored_response_put(struct stored_responses *s, struct str owner, const struct stored_response *r,
                             int64_t now_ms, struct err_info *info) MUST_CHECK;

/* In memory. False: it is not there; look into the file, where there is one. *out (without items) is a copy in `a`. *e
 * is ERR_NO_MEMORY when it could not be copied. */
bool stored_response_get(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms, struct arena *a,
                         struct stored_response *out, enum err *e) MUST_CHECK;
/* The item of that id that was put last. */
bool stored_response_get_item(struct stored_responses *s, struct str owner, struct str item_id, int64_t now_ms,
                              struct arena *a, struct str *json, enum err *e) MUST_CHECK;
bool stored_response_delete(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms);

bool stored_response_has_file(const struct stored_responses *s);
/* In the file, after memory was asked. ERR_NOT_FOUND; ERR_STORE_… when it cannot be read. */
enum err stored_response_get_file(struct stored_responses *s, struct str owner, struct str id, struct arena *a,
                                  struct stored_response *out, struct err_info *info) MUST_CHECK;
enum err stored_response_get_item_file(struct stored_responses *s, struct str owner, struct str item_id,
                                       struct arena *a, struct str *json, struct err_info *info) MUST_CHECK;
/* After memory has let it go. ERR_NOT_FOUND: the file does not have it. */
enum err stored_response_delete_file(struct stored_responses *s, struct str owner, struct str id,
                                     struct err_info *info) MUST_CHECK;

struct stored_response_sum {
  size_t count, bytes;
};
struct stored_response_sum stored_response_sum(struct stored_responses *s); /* in memory */

struct stored_response_status {
  bool has_file;
  enum err fault; /* of the file's last use; OK: it works */
  char text[ERR_TEXT_MAX];
  struct stored_response_sum waiting; /* in memory, not in the file */
  struct stored_response_sum written; /* in the file */
  uint64_t lost;                      /* went from memory by its bounds before they could be written */
};
void stored_response_status(struct stored_responses *s, struct stored_response_status *out);

#endif
