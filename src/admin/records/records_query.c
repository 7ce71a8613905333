/* What is asked of the records: see records_query.h. */
#include "admin/records/records_query.h"

#include "admin/entity.h"
#include "admin/fields.h"
#include "admin/query.h"
#include "base/clock.h"
#include "gateway/exchange.h"
#include "policy/principals.h"

static struct str principal_of(struct arena *a, const struct user *u) {
  return arena_printf(a, "user:%lld", (long long)u->id);
}

enum err records_query_user(struct request_context *rc, struct arena *a, struct str *name, struct str *principal,
                            struct err_info *info) {
  struct str none;
  exchange_adopt(rc);
  enum err e = entity_path(rc, a, name, &none, info);
  const struct user *u = e ? NULL : people_find(&rc->principals->people, *name);
  if (!e && !u)
    e = err_set(info, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(str_cut_utf8(*name, USER_NAME_MAX)));
  if (e) return e;
  *principal = principal_of(a, u);
  return principal->p ? OK : ERR_NO_MEMORY;
}

enum err records_query_team(struct request_context *rc, struct arena *a, struct str *name, struct err_info *info) {
  struct str none;
  exchange_adopt(rc);
  enum err e = entity_path(rc, a, name, &none, info);
  if (e || people_find_team(&rc->principals->people, *name)) return e;
  return err_set(info, ERR_NOT_FOUND, "there is no team \"%.*s\"", STR_ARG(str_cut_utf8(*name, USER_NAME_MAX)));
}

/* *out stays 0 where it is absent. */
static enum err read_time(struct arena *a, struct str query, const char *name, bool is_end, int64_t *out,
                          struct err_info *info) {
  struct str text;
  int64_t us;
  enum err e = query_text(a, query, name, &text, info);
  if (e || !text.n) return e;
  if (!clock_parse_time(text, &us))
    return fields_refuse_named(info, name, "\"%s\" is no date (2026-11-28) or time (2026-11-28T10:00:00Z)", name);
  if (is_end) us += text.n == 10 ? INT64_C(86400000000) : 1;
  *out = us;
  return OK;
}

enum err records_query_times(struct str query, struct arena *a, struct log_filter *out, struct err_info *info) {
  enum err e = read_time(a, query, "start_date", false, &out->from_us, info);
  if (!e) e = read_time(a, query, "end_date", true, &out->to_us, info);
  if (!e && out->to_us && out->from_us >= out->to_us)
    e = fields_refuse_named(info, "end_date", "\"end_date\" lies before \"start_date\"");
  return e;
}

static enum err read_category(struct arena *a, struct str query, enum log_category *out, struct err_info *info) {
  struct str text;
  enum err e = query_text(a, query, "status_category", &text, info);
  if (e || !text.n) return e;
  if (str_eq(text, STR("success")))
    *out = LOG_CATEGORY_SUCCESS;
  else if (str_eq(text, STR("error")))
    *out = LOG_CATEGORY_ERROR;
  else
    e = fields_refuse_named(info, "status_category", "\"status_category\" must be success or error");
  return e;
}

enum err records_query_filter(struct request_context *rc, struct arena *a, struct log_filter *out,
                              struct err_info *info) {
  const struct {
    const char *name;
    struct str *value;
  } texts[] = {{"username", &out->user},     {"principal", &out->principal}, {"team", &out->team},
               {"model_name", &out->model},  {"source", &out->source},       {"request_type", &out->type},
               {"url_path", &out->endpoint}, {"node", &out->node},           {"error_code", &out->error}};
  struct str query = rc->request->query;
  uint64_t status = 0;
  enum err e = OK;
  *out = (struct log_filter){0};
  for (size_t i = 0; !e && i < sizeof texts / sizeof *texts; i++) {
    e = query_text(a, query, texts[i].name, texts[i].value, info);
    if (!e && texts[i].value->n > LOG_TEXT_MAX)
      e = fields_refuse_named(info, texts[i].name, "\"%s\" is too long", texts[i].name);
  }
  if (!e) e = query_number(query, "status_code", 100, 599, &status, info);
  if (!e) e = read_category(a, query, &out->category, info);
  if (!e) e = records_query_times(query, a, out, info);
  out->status = (int)status;
  const struct user *u =
      !e && out->user.n && !out->principal.n ? people_find(&rc->principals->people, out->user) : NULL;
  if (u) {
    out->principal = principal_of(a, u);
    out->user = STR_NONE;
  }
  return e;
}
