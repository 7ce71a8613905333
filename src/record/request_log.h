/* What is kept of every request: one log line, the request's metrics and, of a request for a model, a row of the
 * request log (log_writer.h), refused ones too. Called once per request, by the exchange, after the reply has ended.
 * Holds no text of a user: names of models, routes and principals only. */
#ifndef MAESTRO_RECORD_REQUEST_LOG_H
#define MAESTRO_RECORD_REQUEST_LOG_H

#include "base/err.h"
#include "llm/cost.h"

struct request_record {
  bool has_row;                        /* to be kept in the request log; what follows is for it alone */
  struct str user, team, source, type; /* user: the name; empty: as principal */
  struct str asked;                    /* the model's name as it was asked for; empty: not known */
  struct str request_id, trace_id, route, method, principal, client;
  struct str model, provider; /* of what ran; empty: no model was called; without one, no provider was asked */
  unsigned endpoint_label;    /* metrics_endpoint */
  int status;                 /* answered; 499: the client left before */
  enum err error;
  const struct err_info *info; /* NULL: nothing to say */
  bool is_stream, is_model_call;
  unsigned attempts;
  int upstream_status;
  struct usage usage;
  struct cost cost;
  uint64_t duration_us, ttft_us, overhead_us;
  size_t bytes_in, bytes_out;
};

void request_log_write(const struct request_record *r);

#endif
