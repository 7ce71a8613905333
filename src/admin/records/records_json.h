/* Rows and sums of the request log as the admin API and the exports write them. Unknown figures are null. */
#ifndef MAESTRO_ADMIN_RECORDS_JSON_H
#define MAESTRO_ADMIN_RECORDS_JSON_H

#include "base/buf.h"
#include "base/schema.h"
#include "state/log/log_series.h"

/* One object. */
void records_json_row(struct buf *b, const struct log_row *row);
/* A line, with its end; header: the columns' names. Text cells that a spreadsheet would take for a formula begin with
 * an apostrophe. */
void records_csv_header(struct buf *b);
void records_csv_row(struct buf *b, const struct log_row *row);
/* The members prompt_tokens, completion_tokens, total_tokens, …, cost_usd of an object that is open. */
void records_json_sums(struct buf *b, const struct log_sums *s);
/* What a person reads of a code of err.def; empty for an unknown one. */
struct str records_error_text(struct str code);

extern const struct schema records_json_row_schema, records_json_sums_schema;

#endif
