/* What the requests for records ask: filters and times of a query, the user of a path. Texts live in the caller's
 * arena. Faults are ERR_BAD_VALUE with status 422 and the parameter's name. */
#ifndef MAESTRO_ADMIN_RECORDS_QUERY_H
#define MAESTRO_ADMIN_RECORDS_QUERY_H

#include "gateway/request_context.h"
#include "state/log/log_series.h"
#include "state/people.h"

/* username, model_name, status_code, status_category, request_type, source, url_path, team, node, error_code, and the
 * times. A user who exists is looked for by number. */
enum err records_query_filter(struct request_context *rc, struct arena *a, struct log_filter *out,
                              struct err_info *info) MUST_CHECK;
/* start_date and end_date: a date (the end's day belongs to it) or a time. */
enum err records_query_times(struct str query, struct arena *a, struct log_filter *out,
                             struct err_info *info) MUST_CHECK;
/* The {user} of the path, who exists; *principal ("user:7") in `a`. Adopts the newest snapshot. */
enum err records_query_user(struct request_context *rc, struct arena *a, struct str *name, struct str *principal,
                            struct err_info *info) MUST_CHECK;
/* The {team} of the path, which exists. Adopts the newest snapshot. */
enum err records_query_team(struct request_context *rc, struct arena *a, struct str *name,
                            struct err_info *info) MUST_CHECK;

#endif
