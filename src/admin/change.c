/* Changes: see change.h. */
#include "admin/change.h"

#include "admin/job.h"
#include "gateway/exchange.h"
#include "gateway/rules.h"
#include "jobs/reload.h"
#include "state/store/store.h"
#include "state/store/store_audit.h"

enum { BODY_MAX = 512 * 1024, CHANGE_MS = 30000 };

/* ---- in the store ---- */

static enum err check_tag(const struct change *c, const struct buf *before, struct err_info *info) {
  char tag[ENTITY_TAG_BYTES] = "";
  if (!c->if_match.n) return OK;
  enum err e = before->n ? entity_tag(buf_str(before), tag) : OK;
  if (e || entity_tag_is_in(c->if_match, str_from_c(tag))) return e;
  return err_set(info, ERR_PRECONDITION, "it was changed since it was read; read it again");
}

static enum err describe(struct db *db, const struct change_row *row, const struct change *c, struct buf *out,
                         struct err_info *info) {
  enum err e = row->describe(db, c, out, info);
  return !e && out->failed ? ERR_NO_MEMORY : e;
}

enum err change_run(struct db *db, const struct change_row *row, struct change *c, struct err_info *info) {
  struct buf before, after;
  buf_init(&before, 0);
  buf_init(&after, 0);
  enum err e = describe(db, row, c, &before, info);
  if (!e) e = check_tag(c, &before, info);
  if (!e) e = row->run(db, c, info);
  if (!e && c->out->failed) e = ERR_NO_MEMORY;
  if (!e) e = describe(db, row, c, &after, info);
  if (!e && after.n) e = entity_tag(buf_str(&after), c->tag);
  if (!e) {
    const struct audit_row audit = {.actor = c->actor,
                                    .address = c->address,
                                    .action = str_from_c(row->action),
                                    .entity_type = str_from_c(row->entity_type),
                                    .entity_id = c->name,
                                    .before = buf_str(&before),
                                    .after = buf_str(&after)};
    e = store_audit_add(db, &audit, info);
  }
  buf_clear(&before);
  buf_clear(&after);
  return e;
}

/* ---- in the pool ---- */

struct change_job {
  struct job job;
  const struct change_row *row;
  struct change change;
};

static enum err run(struct db *db, void *arg, struct err_info *info) {
  struct change_job *j = arg;
  return change_run(db, j->row, &j->change, info);
}

/* What is stored is in force only with the next snapshot, so that a failure here must not look like a success. */
static enum err publish(struct err_info *info) {
  struct config_diags diags;
  struct err_info why = {0};
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, &why);
  config_diags_clear(&diags);
  return e ? err_set(info, e, "the change is stored, but not in force: %.400s", err_info_text(e, &why)) : OK;
}

static enum err work(void *arg) {
  struct change_job *j = arg;
  struct err_info *info = &j->job.info;
  enum err e = j->row->begin ? j->row->begin(&j->change, info) : OK;
  if (!e) e = store_write(run, j, info);
  return e ? e : publish(info);
}

static void clear(void *arg) {
  struct change_job *j = arg;
  secret_free(j->change.key);
}

/* ---- on the worker ---- */

enum err change_caller(struct request_context *rc, struct arena *a, struct str *actor, struct str *address) {
  const struct rules *rules = snapshot_get(rc->snapshot, GATEWAY_RULES);
  char name[AUTH_NAME_BYTES], numeric[46];
  auth_client_address(rules->auth, rc->request, http_exchange_peer(rc->x), numeric);
  *actor = arena_dup(a, auth_principal_name(&rc->principal, name));
  *address = arena_dup(a, str_from_c(numeric));
  return actor->p && address->p ? OK : ERR_NO_MEMORY;
}

static enum err note_caller(struct request_context *rc, struct change *c) {
  c->if_match = arena_dup(c->arena, http_header_get(rc->request->headers, STR("If-Match")));
  return c->if_match.p ? change_caller(rc, c->arena, &c->actor, &c->address) : ERR_NO_MEMORY;
}

static enum err read_body(struct request_context *rc, const struct change_row *row, struct change *c,
                          struct err_info *info) {
  if (!row->fields) return OK;
  c->in = arena_alloc(c->arena, row->fields->bytes);
  if (!c->in) return ERR_NO_MEMORY;
  return entity_body(rc, c->arena, BODY_MAX, row->fields, row->allowed, row->required, c->in, info);
}

static enum err prepare(struct request_context *rc, struct change_job *j, struct err_info *info) {
  struct change *c = &j->change;
  enum err e = entity_path(rc, c->arena, &c->name, &c->item, info);
  if (!e) e = read_body(rc, j->row, c, info);
  if (!e) e = note_caller(rc, c);
  return !e && j->row->prepare ? j->row->prepare(rc, c, info) : e;
}

static const struct change_row *asked; /* by change_row_of */

const struct change_row *change_row_of(void (*endpoint)(struct request_context *rc)) {
  asked = NULL;
  endpoint(NULL);
  return asked;
}

void change_serve(struct request_context *rc, const struct change_row *row) {
  struct err_info info = {0};
  if (!rc) {
    asked = row;
    return;
  }
  struct change_job *j = job_new(sizeof *j, work, clear);
  enum err e = j ? OK : ERR_NO_MEMORY;
  if (j) {
    j->row = row;
    j->change.arena = &j->job.arena;
    j->change.out = &j->job.out;
    e = prepare(rc, j, &info);
  }
  if (!e) e = job_run(&j->job, POOL_STORE, CHANGE_MS, &info);
  if (e) {
    exchange_fail(rc, e, &info);
  } else {
    exchange_adopt(rc);
    entity_answer_change(rc, row->status, str_from_c(j->change.tag), &j->job.out);
  }
  job_unref(j);
}
