/* Figures of the request log for people: dashboard, charts, use by users, what `maestro stats` prints. They come from
 * the roll-ups and today's sums (state/log/log_reader.h), never from rows. Each function appends one JSON object and
 * blocks on the disk: pool threads and commands. Days are UTC; whole days are counted. */
#ifndef MAESTRO_ADMIN_USAGE_H
#define MAESTRO_ADMIN_USAGE_H

#include "base/buf.h"
#include "base/schema.h"
#include "state/log/log_reader.h"

struct usage_ask {
  int64_t today;        /* day */
  int64_t from, to;     /* days, both included */
  struct str period;    /* as it was asked for, for charts */
  struct str name;      /* the user's or the team's */
  struct str principal; /* "user:7" */
  struct str node, model;
  unsigned limit;
  int64_t user_count, new_user_count, model_count; /* what the snapshot knows */
};

typedef enum err usage_fn(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info);

usage_fn usage_dashboard;
usage_fn usage_chart_requests, usage_chart_tokens, usage_chart_models;
usage_fn usage_users;          /* the limit first users by requests, each with its models */
usage_fn usage_tokens_of_user; /* of ask->principal */
usage_fn usage_models_of_user;
usage_fn usage_teams;          /* the limit first teams by requests */
usage_fn usage_tokens_of_team; /* of ask->name */
usage_fn usage_stats;          /* by provider, model and day; node and model filter it */

/* What they write; the charts have one shape. */
extern const struct schema usage_dashboard_schema, usage_chart_schema, usage_users_schema, usage_tokens_of_user_schema,
    usage_models_of_user_schema, usage_teams_schema, usage_tokens_of_team_schema, usage_stats_schema;

#endif
