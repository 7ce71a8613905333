/* The admin API of names: see names.h. */
#include "admin/names/names.h"

#include "admin/job.h"
#include "admin/names/names_change.h"
#include "admin/names/names_json.h"
#include "admin/names/names_refer.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "jobs/reload.h"

enum { REFRESH_MS = 30000 };

/* ---- reads ---- */

static struct names_view view_of(struct request_context *rc) {
  exchange_adopt(rc);
  return (struct names_view){route_names_stored(rc->names), rc->names->declared, rc->catalog};
}

/* Answers with what `put` writes of the path's name; nothing written: 404. */
static void show(struct request_context *rc, const char *what,
                 void (*put)(struct buf *out, const struct names_view *view, struct str name)) {
  struct err_info info = {0};
  struct names_view view = view_of(rc);
  struct str name, item;
  struct buf b;
  buf_init(&b, 0);
  enum err e = entity_path(rc, rc->arena, &name, &item, &info);
  if (!e) put(&b, &view, name);
  if (!e && !b.n && !b.failed)
    e = err_set(&info, ERR_NOT_FOUND, "there is no %s \"%.*s\"", what, STR_ARG(str_cut_utf8(name, NAMES_TEXT_MAX)));
  entity_end(rc, e, &info, &b);
  buf_clear(&b);
}

/* The same with a page of a list; of all the kind's rows, or of what `put` makes of them. */
static void list(struct request_context *rc, const char *what, enum names_kind kind,
                 void (*put)(struct buf *out, const struct names_view *view, enum names_kind kind, struct page *page)) {
  struct err_info info = {0};
  struct names_view view = view_of(rc);
  struct page page;
  struct buf b;
  buf_init(&b, 0);
  enum err e = page_begin(rc, true, &page, &info);
  if (!e) put(&b, &view, kind, &page);
  if (!e) e = page_end(rc, &page, what, &info);
  entity_end(rc, e, &info, &b);
  buf_clear(&b);
}

static void put_row(struct buf *out, const struct names_view *view, enum names_kind kind, struct str id) {
  const void *row = names_refer_row(view->stored, kind, id);
  if (row) names_json_put_row(out, kind, row);
}

static void put_aliases(struct buf *out, const struct names_view *view, enum names_kind kind, struct page *page) {
  (void)kind;
  names_json_put_aliases(out, view, page);
}
static void put_groups(struct buf *out, const struct names_view *view, enum names_kind kind, struct page *page) {
  (void)kind;
  names_json_put_groups(out, view, page);
}
static void put_members(struct buf *out, const struct names_view *view, struct str name) {
  if (names_find_group(view->declared, name) || names_find_group(view->stored, name))
    names_json_put_members(out, view, name);
}

void names_aliases(struct request_context *rc) { list(rc, "alias", NAMES_ALIAS, put_aliases); }
void names_alias(struct request_context *rc) { show(rc, "alias", names_json_put_alias); }
void names_groups(struct request_context *rc) { list(rc, "group", NAMES_GROUP, put_groups); }
void names_group_show(struct request_context *rc) { show(rc, "group", names_json_put_group); }
void names_members(struct request_context *rc) { show(rc, "group", put_members); }

#define READS(name, list_name, KIND)                                                      \
  static void put_##name(struct buf *out, const struct names_view *view, struct str id) { \
    put_row(out, view, NAMES_##KIND, id);                                                 \
  }                                                                                       \
  void names_##list_name(struct request_context *rc) {                                    \
    list(rc, names_kind_word(NAMES_##KIND), NAMES_##KIND, names_json_put_rows);           \
  }                                                                                       \
  void names_##name##_show(struct request_context *rc) { show(rc, names_kind_word(NAMES_##KIND), put_##name); }
READS(tool_set, tool_sets, TOOL_SET)
READS(model, models, MODEL)
READS(prompt, prompts, PROMPT)
#undef READS

/* ---- the snapshot anew ---- */

static enum err refresh(void *arg) {
  struct job *j = arg;
  struct config_diags diags;
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, &j->info);
  config_diags_clear(&diags);
  json_out_begin(&j->out, '{');
  json_out_member_string(&j->out, "message", STR("every name is as it is stored"));
  json_out_end(&j->out, '}');
  return e;
}

void names_refresh(struct request_context *rc) {
  struct err_info info = {0};
  struct job *j = job_new(sizeof *j, refresh, NULL);
  enum err e = j ? job_run(j, POOL_STORE, REFRESH_MS, &info) : ERR_NO_MEMORY;
  if (e)
    exchange_fail(rc, e, &info);
  else
    exchange_answer(rc, 200, &j->out);
  job_unref(j);
}

/* ---- changes ---- */

#define X(name, entity, fields, allowed, required, status, prepare) \
  void names_##name(struct request_context *rc) { change_serve(rc, names_operation(NAMES_DO_##name)); }
#include "admin/names/names.def"
#undef X

/* ---- what these are, for the API's description ---- */

static const struct schema_member names_refresh_rows[] = {
    {"message", SCHEMA_TEXT, .help = "what was done"},
};
const struct schema names_refresh_schema = SCHEMA_OF("Done", names_refresh_rows);
