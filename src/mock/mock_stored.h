/* The Responses that a mock keeps for previous_response_id, item_reference, GET and DELETE. Shared by the workers
 * behind a lock of its own, which only requests in that format take. Bounded: MOCK_STORED_MAX responses and
 * MOCK_STORED_BYTES_MAX bytes, the oldest go first; one that is larger by itself is not kept. Texts go in and come out
 * as copies, so nothing borrowed outlives the lock. */
#ifndef MAESTRO_MOCK_STORED_H
#define MAESTRO_MOCK_STORED_H

#include <pthread.h>

#include "base/arena.h"

enum { MOCK_STORED_MAX = 64, MOCK_STORED_BYTES_MAX = 32 << 20 };

struct mock_stored_entry {
  struct str id, response, context; /* one allocation, which begins at id.p */
};

struct mock_stored {
  pthread_mutex_t lock;                              /* guards all below */
  struct mock_stored_entry entries[MOCK_STORED_MAX]; /* the oldest first, no gaps */
  unsigned count;
  size_t bytes;
};

void mock_stored_init(struct mock_stored *s);
void mock_stored_clear(struct mock_stored *s); /* forgets all; ready for use again */
void mock_stored_destroy(struct mock_stored *s);

/* response: the object as JSON. context: a JSON array of every item so far, its input's and its output's. Copies. */
void mock_stored_keep(struct mock_stored *s, struct str id, struct str response, struct str context);
/* Copies in memory of `a`; false when there is none (or no memory). Either output may be NULL. */
bool mock_stored_find(struct mock_stored *s, struct str id, struct arena *a, struct str *response, struct str *context);
/* The newest response in whose JSON something has that id; the caller looks for the item in it. */
bool mock_stored_find_item(struct mock_stored *s, struct str item_id, struct arena *a, struct str *response);
bool mock_stored_delete(struct mock_stored *s, struct str id);

#endif
