/* Stored responses as rows: the tables of responses.db, a file of its own beside the store, so that neither people nor
 * money ever wait for megabytes of conversation. Every call blocks; called by stored_response_file.c, which owns the
 * connection. Items are kept as places within the lists that hold them. */
#ifndef MAESTRO_STATE_STORE_RESPONSE_H
#define MAESTRO_STATE_STORE_RESPONSE_H

#include "state/store/db.h"
#include "state/stored_response.h"

/* Makes the tables where they are missing. */
enum err store_response_prepare(struct db *db, struct err_info *info) MUST_CHECK;
enum err store_response_sum(struct db *db, struct stored_response_sum *out, struct err_info *info) MUST_CHECK;

/* In the caller's transaction. One of the same owner and id is replaced; *sum follows. */
enum err store_response_put(struct db *db, struct str owner, const struct stored_response *r,
                            struct stored_response_sum *sum, struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND; also for what is older than ttl_ms. *out (without items) is in `a`. */
enum err store_response_get(struct db *db, struct str owner, struct str id, int64_t ttl_ms, struct arena *a,
                            struct stored_response *out, struct err_info *info) MUST_CHECK;
/* The item of that id that was put last. */
enum err store_response_get_item(struct db *db, struct str owner, struct str item_id, int64_t ttl_ms, struct arena *a,
                                 struct str *json, struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND; *sum follows. */
enum err store_response_delete(struct db *db, struct str owner, struct str id, struct stored_response_sum *sum,
                               struct err_info *info) MUST_CHECK;
/* The oldest go until the rest is within the limits. */
enum err store_response_trim(struct db *db, const struct stored_response_limits *limits,
                             struct stored_response_sum *sum, struct err_info *info) MUST_CHECK;

#endif
