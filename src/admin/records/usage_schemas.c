/* What usage.c writes, as tables for the API's description (base/schema.h). Static; a member more there is a row more
 * here, which the integration tests see to. */
#include "admin/records/records_json.h"
#include "admin/records/usage.h"

static const struct schema_member period_rows[] = {
    {"start_date", SCHEMA_DAY | SCHEMA_NULL, .help = "null: since ever"},
    {"end_date", SCHEMA_DAY, .help = "counted, too"},
};
static const struct schema period_schema = SCHEMA_OF(NULL, period_rows);

static const struct schema_member dashboard_users_rows[] = {
    {"total", SCHEMA_COUNT, .help = "users there are"},
    {"active_today", SCHEMA_COUNT, .help = "users who called today"},
    {"new_this_week", SCHEMA_COUNT, .help = "users made since Monday"},
};
static const struct schema dashboard_users_schema = SCHEMA_OF(NULL, dashboard_users_rows);

static const struct schema_member dashboard_requests_rows[] = {
    {"today", SCHEMA_COUNT, .help = "since midnight, UTC"},
    {"today_success", SCHEMA_COUNT, .help = "of them"},
    {"today_errors", SCHEMA_COUNT, .help = "of them"},
    {"today_avg_duration", SCHEMA_MS | SCHEMA_NULL, .help = "null: there were none"},
    {"today_avg_ttft", SCHEMA_MS | SCHEMA_NULL, .help = "until the first content"},
    {"this_week", SCHEMA_COUNT, .help = "since Monday"},
    {"this_month", SCHEMA_COUNT, .help = "since the first"},
    {"total", SCHEMA_COUNT, .help = "that the log has"},
    {"total_avg_duration", SCHEMA_MS | SCHEMA_NULL, .help = "null: there were none"},
};
static const struct schema dashboard_requests_schema = SCHEMA_OF(NULL, dashboard_requests_rows);

static const struct schema_member three_rows[] = {
    {"total", SCHEMA_TOKENS, .help = "both"},
    {"prompt", SCHEMA_TOKENS, .help = "of the prompts"},
    {"completion", SCHEMA_TOKENS, .help = "of the answers"},
};
static const struct schema three_schema = SCHEMA_OF(NULL, three_rows);

static const struct schema_member dashboard_tokens_rows[] = {
    {"today", SCHEMA_OBJECT, .of = &three_schema},
    {"this_week", SCHEMA_OBJECT, .of = &three_schema},
    {"this_month", SCHEMA_OBJECT, .of = &three_schema},
    {"all_time", SCHEMA_OBJECT, .of = &three_schema},
};
static const struct schema dashboard_tokens_schema = SCHEMA_OF(NULL, dashboard_tokens_rows);

static const struct schema_member dashboard_costs_rows[] = {
    {"today", SCHEMA_USD | SCHEMA_NULL, .help = "of the requests whose price is known; null: of none"},
    {"this_week", SCHEMA_USD | SCHEMA_NULL, .help = "likewise"},
    {"this_month", SCHEMA_USD | SCHEMA_NULL, .help = "likewise"},
    {"all_time", SCHEMA_USD | SCHEMA_NULL, .help = "likewise"},
};
static const struct schema dashboard_costs_schema = SCHEMA_OF(NULL, dashboard_costs_rows);

static const struct schema_member used_rows[] = {
    {"name", SCHEMA_TEXT, .help = "provider/model"},
    {"requests", SCHEMA_COUNT, .help = "of all time"},
    {"tokens", SCHEMA_TOKENS, .help = "of all time"},
};
static const struct schema used_schema = SCHEMA_OF(NULL, used_rows);

static const struct schema_member dashboard_models_rows[] = {
    {"most_used", SCHEMA_LIST, .of = &used_schema, .help = "the first ten"},
    {"total_models", SCHEMA_COUNT, .help = "models that are served"},
};
static const struct schema dashboard_models_schema = SCHEMA_OF(NULL, dashboard_models_rows);

static const struct schema_member system_rows[] = {
    {"request_log", SCHEMA_WORD, .words = "ok|failing", .help = "whether requests are being written"},
    {"rows_written", SCHEMA_COUNT, .help = "since this process began"},
    {"rows_dropped", SCHEMA_COUNT, .help = "that could not be written"},
    {"queue_pending", SCHEMA_BYTES, .help = "that wait to be written"},
};
static const struct schema system_schema = SCHEMA_OF(NULL, system_rows);

static const struct schema_member usage_dashboard_rows[] = {
    {"users", SCHEMA_OBJECT, .of = &dashboard_users_schema},
    {"requests", SCHEMA_OBJECT, .of = &dashboard_requests_schema},
    {"tokens", SCHEMA_OBJECT, .of = &dashboard_tokens_schema},
    {"cost_usd", SCHEMA_OBJECT, .of = &dashboard_costs_schema},
    {"models", SCHEMA_OBJECT, .of = &dashboard_models_schema},
    {"system", SCHEMA_OBJECT, .of = &system_schema},
};
const struct schema usage_dashboard_schema = SCHEMA_OF("Dashboard", usage_dashboard_rows);

static const struct schema_member usage_chart_rows[] = {
    {"labels", SCHEMA_TEXTS, .help = "days or models"},
    {"data", SCHEMA_COUNTS, .help = "a figure for each"},
    {"period", SCHEMA_WORD, .words = "7d|2w|1m", .help = "as it was asked for"},
};
const struct schema usage_chart_schema = SCHEMA_OF("Chart", usage_chart_rows);

static const struct schema_member model_rows[] = {
    {"model_name", SCHEMA_TEXT, .help = "provider/model"},
    {"request_count", SCHEMA_COUNT, .help = "requests"},
    {NULL, SCHEMA_PART, .of = &records_json_sums_schema},
};
static const struct schema model_schema = SCHEMA_OF("ModelUse", model_rows);

static const struct schema_member totals_rows[] = {
    {"total_requests", SCHEMA_COUNT, .help = "requests"},
    {"failed_requests", SCHEMA_COUNT, .help = "of them"},
    {NULL, SCHEMA_PART, .of = &records_json_sums_schema},
};
static const struct schema totals_schema = SCHEMA_OF(NULL, totals_rows);

static const struct schema_member user_rows[] = {
    {"username", SCHEMA_TEXT, .help = "the name; of a server key how the log calls it"},
    {"principal", SCHEMA_TEXT, .help = "how the log calls who called"},
    {NULL, SCHEMA_PART, .of = &totals_schema},
    {"models", SCHEMA_LIST, .of = &model_schema, .help = "the most used first"},
};
static const struct schema user_schema = SCHEMA_OF("UserUse", user_rows);

static const struct schema_member team_rows[] = {
    {"team", SCHEMA_TEXT, .help = "the team's name"},
    {NULL, SCHEMA_PART, .of = &totals_schema},
};
static const struct schema team_schema = SCHEMA_OF("TeamUse", team_rows);

static const struct schema_member usage_teams_rows[] = {
    {"teams", SCHEMA_LIST, .of = &team_schema, .help = "which called most comes first"},
    {"total", SCHEMA_COUNT, .help = "teams with requests in the period"},
    {"period", SCHEMA_OBJECT, .of = &period_schema},
};
const struct schema usage_teams_schema = SCHEMA_OF("TeamsUse", usage_teams_rows);

static const struct schema_member usage_users_rows[] = {
    {"users", SCHEMA_LIST, .of = &user_schema, .help = "who called most comes first"},
    {"total", SCHEMA_COUNT, .help = "users with requests in the period"},
    {"period", SCHEMA_OBJECT, .of = &period_schema},
};
const struct schema usage_users_schema = SCHEMA_OF("UsersUse", usage_users_rows);

static const struct schema_member sum_rows[] = {
    {NULL, SCHEMA_PART, .of = &records_json_sums_schema},
    {"total_requests", SCHEMA_COUNT, .help = "requests"},
};
static const struct schema sum_schema = SCHEMA_OF(NULL, sum_rows);

static const struct schema_member usage_tokens_of_team_rows[] = {
    {"team", SCHEMA_TEXT, .help = "whose use"},
    {"usage", SCHEMA_OBJECT, .of = &sum_schema},
    {"period", SCHEMA_OBJECT, .of = &period_schema},
};
const struct schema usage_tokens_of_team_schema = SCHEMA_OF("TeamTokenUse", usage_tokens_of_team_rows);

static const struct schema_member usage_tokens_of_user_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose use"},
    {"usage", SCHEMA_OBJECT, .of = &sum_schema},
    {"period", SCHEMA_OBJECT, .of = &period_schema},
};
const struct schema usage_tokens_of_user_schema = SCHEMA_OF("TokenUse", usage_tokens_of_user_rows);

static const struct schema_member usage_models_of_user_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose use"},
    {"model_usage", SCHEMA_LIST, .of = &model_schema, .help = "the most used first"},
    {"period", SCHEMA_OBJECT, .of = &period_schema},
};
const struct schema usage_models_of_user_schema = SCHEMA_OF("ModelsUse", usage_models_of_user_rows);

static const struct schema_member by_rows[] = {
    {"request_count", SCHEMA_COUNT, .help = "requests"},
    {"failed_count", SCHEMA_COUNT, .help = "of them"},
    {NULL, SCHEMA_PART, .of = &records_json_sums_schema},
    {"avg_latency_ms", SCHEMA_MS | SCHEMA_NULL, .help = "until the end; null: there were none"},
    {"avg_ttft_ms", SCHEMA_MS | SCHEMA_NULL, .help = "until the first content"},
};
static const struct schema by_schema = SCHEMA_OF("Use", by_rows);

static const struct schema_member day_rows[] = {
    {"date", SCHEMA_DAY, .help = "UTC"},
    {"request_count", SCHEMA_COUNT, .help = "requests"},
    {"total_tokens", SCHEMA_TOKENS, .help = "of prompts and answers"},
    {"hours", SCHEMA_COUNTS, .help = "requests of each of the 24 hours, UTC"},
};
static const struct schema day_schema = SCHEMA_OF(NULL, day_rows);

static const struct schema_member usage_stats_rows[] = {
    {"days", SCHEMA_COUNT, .help = "that are counted"},
    {NULL, SCHEMA_PART, .of = &totals_schema},
    {"by_provider", SCHEMA_MAP, .of = &by_schema, .help = "by the provider's name"},
    {"by_model", SCHEMA_MAP, .of = &by_schema, .help = "by provider/model"},
    {"by_day", SCHEMA_LIST, .of = &day_schema, .help = "oldest first"},
};
const struct schema usage_stats_schema = SCHEMA_OF("Stats", usage_stats_rows);
