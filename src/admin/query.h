/* Parameters of a query, as the admin API takes them. */
#ifndef MAESTRO_ADMIN_QUERY_H
#define MAESTRO_ADMIN_QUERY_H

#include "base/arena.h"

/* The first value of that name, decoded into `a`; *out is empty when it is absent. ERR_BAD_VALUE (422) for one that no
 * name can have: no UTF-8, or control characters. */
enum err query_text(struct arena *a, struct str query, const char *name, struct str *out,
                    struct err_info *info) MUST_CHECK;
/* A whole number of the range, or what *out was when it is absent. */
enum err query_number(struct str query, const char *name, uint64_t min, uint64_t max, uint64_t *out,
                      struct err_info *info) MUST_CHECK;

#endif
