/* Lists of the admin API come in pages, all in one way: ?limit= and ?after=, the key of the last entry seen, and a Link
 * header (RFC 8288, rel="next") with the whole address of the next page, which is absent on the last. A page is found
 * by its key, so it costs the same wherever it is, and what comes or goes meanwhile shifts none. The key is a name
 * (users, teams) or a number (nodes, names). */
#ifndef MAESTRO_ADMIN_PAGE_H
#define MAESTRO_ADMIN_PAGE_H

#include "gateway/request_context.h"

/* *limit is the default before and 1 to max after; *after is empty for the first page. */
enum err page_read(struct request_context *rc, uint64_t max, uint64_t *limit, struct str *after,
                   struct err_info *info) MUST_CHECK;
/* ERR_BAD_VALUE, 422: `after` names nothing that is there. */
enum err page_refuse_after(const char *what, struct err_info *info);
/* An entry with a name and a rising number is the key of a next page by its number, behind a '/', which no name has:
 * the page is found also when the entry has gone. */
struct str page_number_key(struct arena *a, int64_t id);
bool page_number_of(struct str after, int64_t *id); /* false: it is no such key */
/* ---- lists of what has numbers: stored entries as they rise, declared ones in their order ---- */

enum { PAGE_MAX = 500 /* a turn of the loop makes it */ };
struct page {
  int64_t after; /* the last entry of the page before; 0: none */
  bool has_declared_first;
  bool is_begun; /* the declared one that `after` names has come */
  bool has_more;
  size_t left;
  int64_t last; /* that was taken */
};

/* The number of a declared entry, made of its name and what else tells it apart (0: nothing), so that it stays: beyond
 * those that the store gives, within what JavaScript counts exactly. */
int64_t page_declared_id(struct str name, uint64_t more);
enum err page_begin(struct request_context *rc, bool has_declared_first, struct page *out,
                    struct err_info *info) MUST_CHECK;
/* Asked for each entry in the list's order: whether it is on the page. Or in two steps, where something dear decides
 * between them whether it is an entry at all: whether it stands behind `after`; whether there is room for it. */
bool page_takes(struct page *p, int64_t id);
bool page_reaches(struct page *p, int64_t id);
bool page_has_room(struct page *p, int64_t id);
/* Names the next page, if there is one. ERR_BAD_VALUE, 422, where `after` is a declared entry that is not there. */
enum err page_end(struct request_context *rc, const struct page *p, const char *what, struct err_info *info) MUST_CHECK;

/* There is more behind that key. Other parameters of the query stay as they are. */
void page_more(struct request_context *rc, struct str last_key);

#endif
