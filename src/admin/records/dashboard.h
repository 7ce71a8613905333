/* The admin API's figures: dashboard, charts, use by users. Each is read in the pool by a function of usage.c. */
#ifndef MAESTRO_ADMIN_DASHBOARD_H
#define MAESTRO_ADMIN_DASHBOARD_H

#include "gateway/request_context.h"

void dashboard_stats(struct request_context *rc);       /* GET /admin/dashboard/stats */
void dashboard_requests(struct request_context *rc);    /* GET /admin/dashboard/charts/requests?period=7d|2w|1m */
void dashboard_tokens(struct request_context *rc);      /* …/charts/tokens */
void dashboard_models(struct request_context *rc);      /* …/charts/models */
void dashboard_users(struct request_context *rc);       /* GET /admin/dashboard/user-stats */
void dashboard_teams(struct request_context *rc);       /* GET /admin/dashboard/team-stats */
void dashboard_team_usage(struct request_context *rc);  /* GET /admin/teams/{team}/token-usage */
void dashboard_token_usage(struct request_context *rc); /* GET /admin/users/{user}/token-usage */
void dashboard_model_usage(struct request_context *rc); /* GET /admin/users/{user}/model-usage */
void dashboard_usage(struct request_context *rc);       /* GET /api/admin/stats?days=&provider=&model= */

#endif
