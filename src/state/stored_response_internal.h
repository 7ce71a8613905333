/* What the two halves of stored responses share: stored_response.c keeps them in memory, stored_response_file.c takes
 * them from there into the file. Lock order: the file's lock, then the memory's. */
#ifndef MAESTRO_STATE_STORED_RESPONSE_INTERNAL_H
#define MAESTRO_STATE_STORED_RESPONSE_INTERNAL_H

#include <pthread.h>

#include "state/stored_response.h"

struct stored_file;

/* In a chain of one of the tables: a response by its id, or one of its items. The newest come first. */
struct stored_node {
  struct stored_node *next, **link; /* link: what points here */
  struct stored_entry *entry;
  struct str id, json; /* json: of an item */
};

struct stored_entry {
  struct stored_entry *older, *newer;
  int64_t put_ms;
  size_t bytes;    /* of the block */
  bool is_writing; /* the file's thread holds it, and is the one to free it */
  bool is_dropped; /* it was let go meanwhile: no other thread knows it any more */
  struct str owner, response, input, output;
  struct stored_node self;
  size_t item_count;
  struct stored_node items[];
};

enum { STORED_BUCKETS = 4096 };

struct stored_responses {
  pthread_mutex_t lock;
  struct stored_response_limits limits;
  struct stored_entry *oldest, *newest;
  size_t count, bytes;
  uint64_t lost;
  uint64_t seed;
  struct stored_file *file; /* NULL: memory alone; set once, before others use it */
  struct stored_node *by_id[STORED_BUCKETS], *by_item[STORED_BUCKETS];
};

/* ---- for the file's thread ---- */
/* The oldest entries, of up to max_bytes together but one at least, held until stored_response_release. How many. */
size_t stored_response_hold(struct stored_responses *s, struct stored_entry **out, size_t max, size_t max_bytes);
bool stored_response_is_dropped(struct stored_responses *s, const struct stored_entry *e);
/* is_written: they leave the memory. Else they stay, and are held no more. */
void stored_response_release(struct stored_responses *s, struct stored_entry **held, size_t n, bool is_written);
struct stored_response_limits stored_response_limits_of(struct stored_responses *s);

/* ---- for the memory ---- */
/* Something was put; wants_trim: the limits are others. */
void stored_file_wake(struct stored_file *f, bool wants_trim);
/* Writes what is left and closes. */
void stored_file_free(struct stored_file *f);
void stored_file_status(struct stored_file *f, struct stored_response_status *out);

#endif
