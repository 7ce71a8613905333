/* Members that the envelopes of all dialects have, whatever they are called: the model, flags, the output limit, the
 * gateway's own options. What read_request and edit_request of a dialect are made of; rows are those of its own table.
 * A member that is absent or null leaves its output alone. Pure. */
#ifndef MAESTRO_DIALECT_ENVELOPE_READ_H
#define MAESTRO_DIALECT_ENVELOPE_READ_H

#include "dialect/dialect.h"

enum { ENVELOPE_READ_MODEL_BYTES_MAX = 512 };

/* The body has the member, and it is not null. */
bool envelope_read_is_said(const struct envelope_scan *scan, unsigned row);
/* Required; a name goes into headers and logs as well, so it has no control characters. */
enum err envelope_read_model(struct arena *a, struct str body, const struct envelope_scan *scan, unsigned row,
                             struct str *out, struct err_info *info) MUST_CHECK;
enum err envelope_read_flag(const struct envelope_scan *scan, unsigned row, bool *out,
                            struct err_info *info) MUST_CHECK;
/* A number that is no count (-1 means "no limit" to some servers) is the upstream's to judge and leaves *out alone. */
enum err envelope_read_limit(struct str body, const struct envelope_scan *scan, unsigned row, int64_t *out,
                             struct err_info *info) MUST_CHECK;
/* Says an output limit in that row. */
enum err envelope_read_edit_limit(struct arena *a, int64_t max_tokens, unsigned row,
                                  struct envelope_edit *edit) MUST_CHECK;
/* The `maestro` member: out->options and out->wants_receipt. */
enum err envelope_read_options(struct str body, const struct envelope_scan *scan, unsigned row,
                               struct dialect_request *out, struct err_info *info) MUST_CHECK;
/* The edits that every relayed request needs: the upstream's name of the model where there is one, and nothing for the
 * gateway alone. ERR_NO_MEMORY only. */
enum err envelope_read_edit(struct arena *a, struct str model, unsigned model_row, unsigned options_row,
                            struct envelope_edit *edit) MUST_CHECK;

#endif
