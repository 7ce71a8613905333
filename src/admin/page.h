/* Lists of the admin API come in pages, all in one way: ?limit= and ?after=, the key of the last entry seen, and a Link
 * header (RFC 8288, rel="next") with the whole address of the next page, which is absent on the last. A page is found
 * by its key, so it costs the same wherever it is, and what comes or goes meanwhile shifts none. */
#ifndef MAESTRO_ADMIN_PAGE_H
#define MAESTRO_ADMIN_PAGE_H

#include "gateway/request_context.h"

/* *limit is the default before and 1 to max after; *after is empty for the first page. */
enum err page_read(struct request_context *rc, uint64_t max, uint64_t *limit, struct str *after,
                   struct err_info *info) MUST_CHECK;
/* ERR_BAD_VALUE, 422: `after` names nothing that is there. */
enum err page_refuse_after(const char *what, struct err_info *info);
/* There is more behind that key. Other parameters of the query stay as they are. */
void page_more(struct request_context *rc, struct str last_key);

#endif
