/* Models of Ollama nodes, administered: see nodes_manage.h. What is asked is a struct task with one struct part for
 * each node, each on a fiber of its own where there are several; all write lines to the one reply, which takes them one
 * by one. */
#include "admin/nodes/nodes_manage.h"

#include <yyjson.h>

#include "admin/change.h"
#include "admin/job.h"
#include "admin/nodes/nodes_find.h"
#include "admin/nodes/nodes_input.h"
#include "admin/query.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/node_choice.h"
#include "jobs/node_refresh.h"
#include "state/store/store.h"
#include "state/store/store_audit.h"

enum { BODY_MAX = 16 * 1024, AUDIT_MS = 10000, AUDIT_RETRY_MS = 100, AT_ONCE = FIBER_GROUP_MAX };

struct input {
  unsigned has;
  struct str name, node;
  bool is_stream, is_insecure;
};

#define NAME_MUST "must have 1 to 256 bytes, no control characters, and no white space at its ends"
#define AT(member) offsetof(struct input, member)
static const struct field rows[] = {
    {STR("name"), FIELD_STRING, NODES_MANAGE_NAME, AT(name), .is_valid = node_model_name_is_valid, .must = NAME_MUST,
     .help = "the model, as Ollama's registry knows it"},
    {STR("model"), FIELD_STRING, NODES_MANAGE_NAME, AT(name), .is_valid = node_model_name_is_valid, .must = NAME_MUST,
     .help = "the same"},
    {STR("stream"), FIELD_BOOL, NODES_MANAGE_STREAM, AT(is_stream),
     .help = "false: one answer at the end in place of lines of progress"},
    {STR("insecure"), FIELD_BOOL, NODES_MANAGE_INSECURE, AT(is_insecure),
     .help = "the node may use a registry without TLS"},
    {STR("node"), FIELD_OTHER, NODES_MANAGE_NODE, AT(node), .read = nodes_read_ref, .schema = NODES_REF_SCHEMA,
     .help = "the node's number or code; left out where there is one Ollama node"},
    {STR("node_id"), FIELD_OTHER, NODES_MANAGE_NODE, AT(node), .read = nodes_read_ref, .schema = NODES_REF_SCHEMA,
     .help = "the same"}};
const struct fields nodes_manage_fields = {rows, sizeof rows / sizeof *rows, sizeof(struct input)};

struct task;

/* What is done at one node. */
struct part {
  struct task *task;
  struct nodes_found node;
  struct manage manage;
  enum err fault;
  struct err_info info;
};

struct task {
  struct request_context *rc;
  enum manage_operation operation;
  bool is_stream, is_all;
  struct str model, body;
  struct part *v;
  size_t n;
};

/* ---- which node ---- */

static enum err check_node(const struct nodes_found *found, struct err_info *info) {
  enum err e = nodes_check_use(found, info);
  return e ? e : node_choice_check(found->state.at, info);
}

static enum err find_node(struct request_context *rc, struct str ref, struct nodes_found *out, struct err_info *info) {
  enum err e = nodes_find_any(rc, ref, out, info);
  return e ? e : check_node(out, info);
}

/* By the name of the model alone, where no node is named beside it. */
static enum err choose_node(struct request_context *rc, struct str name, unsigned flags, struct nodes_found *out,
                            struct str *model, struct err_info *info) {
  struct node_choice choice;
  size_t i = 0;
  enum err e = node_choice_find(rc, name, "name", flags | NODE_CHOICE_UNBOUND, &choice, info);
  if (e) return e;
  *model = choice.model;
  while (nodes_each(rc, &i, out))
    if (out->state.at == choice.at) return OK;
  return ERR_INTERNAL; /* the catalog is made of these */
}

static enum err find_any(struct request_context *rc, struct str node, unsigned flags, struct nodes_found *out,
                         struct str *model, struct err_info *info) {
  if (!node.n) return choose_node(rc, *model, flags, out, model, info);
  if (!node_model_name_is_valid(*model)) return fields_refuse_named(info, "name", "\"name\" " NAME_MUST);
  return find_node(rc, node, out, info);
}

/* ---- what is sent ---- */

static enum err make_body(struct task *t, bool is_insecure) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_member_string(&b, "model", t->model);
  if (is_insecure) json_out_member_bool(&b, "insecure", true);
  json_out_end(&b, '}');
  t->body = b.failed ? STR_NONE : arena_dup(t->rc->arena, buf_str(&b));
  buf_clear(&b);
  return t->body.p ? OK : ERR_NO_MEMORY;
}

static void part_init(struct part *part, struct task *t, const struct nodes_found *node) {
  *part = (struct part){.task = t, .node = *node};
  part->manage = (struct manage){.client = t->rc->worker->client,
                                 .at = node->state.at,
                                 .arena = t->rc->arena,
                                 .operation = t->operation,
                                 .body = &t->body,
                                 .body_slices = 1,
                                 .arg = part};
}

static enum err add_part(struct task *t, const struct nodes_found *node) {
  if (!(t->v = ARENA_NEW(t->rc->arena, struct part))) return ERR_NO_MEMORY;
  part_init(t->v, t, node);
  t->n = 1;
  t->rc->managed = &t->v->manage;
  return OK;
}

/* Every Ollama node that is in use. */
static enum err add_all(struct task *t, struct err_info *info) {
  struct request_context *rc = t->rc;
  struct nodes_found node;
  size_t i = 0;
  t->v = ARENA_NEW_ARRAY(rc->arena, struct part, rc->catalog->provider_count + 1);
  if (!t->v) return ERR_NO_MEMORY;
  while (nodes_each(rc, &i, &node))
    if (node.state.at && !check_node(&node, NULL)) part_init(&t->v[t->n++], t, &node);
  return t->n ? OK : err_set(info, ERR_NOT_SERVED, "there is no Ollama node whose models could be managed");
}

/* ---- the audit log ---- */

struct audit_job {
  struct job job;
  struct audit_row row;
};

static enum err add_row(struct db *db, void *arg, struct err_info *info) {
  return store_audit_add(db, &((struct audit_job *)arg)->row, info);
}

static enum err audit_work(void *arg) {
  struct audit_job *j = arg;
  return store_write_aside(add_row, j, &j->job.info);
}

static bool is_begun(const struct part *part) { return part->manage.upstream_status == 200; }

static void put_outcome(struct buf *b, const struct task *t) {
  json_out_begin(b, '{');
  json_out_member_string(b, "model", t->model);
  json_out_key(b, "nodes");
  json_out_begin(b, '[');
  for (size_t i = 0; i < t->n; i++) {
    if (!is_begun(&t->v[i])) continue;
    json_out_begin(b, '{');
    json_out_member_string(b, "code", t->v[i].node.node.p.id);
    json_out_member_string(b, "result", t->v[i].fault ? str_from_c(err_code(t->v[i].fault)) : STR("success"));
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  json_out_end(b, '}');
}

static enum err fill_row(struct audit_job *j, const struct task *t) {
  struct arena *a = &j->job.arena;
  bool is_delete = t->operation == MANAGE_DELETE;
  put_outcome(&j->job.out, t);
  struct str id = t->is_all ? arena_dup(a, t->model)
                            : arena_printf(a, "%.*s/%.*s", STR_ARG(t->v->node.node.p.id), STR_ARG(t->model));
  j->row = (struct audit_row){.action = is_delete   ? STR("delete_model")
                                        : t->is_all ? STR("pull_model_all")
                                                    : STR("pull_model"),
                              .entity_type = STR("node_model"),
                              .entity_id = id};
  *(is_delete ? &j->row.before : &j->row.after) = buf_str(&j->job.out);
  if (!id.p || j->job.out.failed) return ERR_NO_MEMORY;
  return change_caller(t->rc, a, &j->row.actor, &j->row.address);
}

/* The store's queue empties: what was done is not left out of the log because many others did something, too. */
static enum err keep_row(struct audit_job *j, struct err_info *info) {
  enum err e;
  while ((e = job_run(&j->job, POOL_STORE, AUDIT_MS, info)) == ERR_BUSY)
    if (fiber_sleep_until(clock_deadline_ms(AUDIT_RETRY_MS))) break;
  return e;
}

/* One row for what was begun, also when its caller has left. */
static enum err audit(const struct task *t, struct err_info *info) {
  struct err_info why = {0};
  bool any = false;
  for (size_t i = 0; i < t->n; i++) any = any || is_begun(&t->v[i]);
  if (!any) return OK;
  struct audit_job *j = job_new(sizeof *j, audit_work, NULL);
  if (!j) return ERR_NO_MEMORY;
  fiber_shield_begin(clock_deadline_ms(AUDIT_MS));
  enum err e = fill_row(j, t);
  if (!e) e = keep_row(j, &why);
  fiber_shield_end();
  job_unref(j);
  return e ? err_set(info, e, "it is done, but not in the audit log: %.400s", err_info_text(e, &why)) : OK;
}

/* ---- lines ---- */

static const char *text_of(const struct part *part) { return err_info_text(part->fault, &part->info); }

static enum err send_line(struct request_context *rc, struct buf *b) {
  buf_put_char(b, '\n');
  enum err e = b->failed ? ERR_NO_MEMORY : reply_write(&rc->reply, buf_str(b));
  buf_clear(b);
  return e;
}

static enum err relay_lines(void *arg, struct str lines) {
  return reply_write(&((struct part *)arg)->task->rc->reply, lines);
}

static void put_marked(struct buf *b, const struct part *part, struct yyjson_val *root) {
  static const char *const numbers[] = {"total", "completed"};
  json_out_begin(b, '{');
  nodes_json_put_who(b, &part->node.node);
  json_out_member_string(b, "status", json_pool_str(root, "status"));
  json_out_member_string_if(b, "digest", json_pool_str(root, "digest"));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    int64_t n = json_pool_count(yyjson_obj_get(root, numbers[i]));
    if (n >= 0) json_out_member_i64(b, numbers[i], n);
  }
  json_out_end(b, '}');
}

/* Of several nodes each line says whose it is; of what a node says only what progress has. */
static enum err relay_marked(void *arg, struct str lines) {
  struct json_pool pool = {0};
  struct str line;
  struct buf b;
  buf_init(&b, 0);
  while (lines.n) {
    str_cut(lines, '\n', &line, &lines);
    put_marked(&b, arg, json_pool_parse(&pool, line));
    if (lines.n) buf_put_char(&b, '\n');
  }
  json_pool_clear(&pool);
  return send_line(((struct part *)arg)->task->rc, &b);
}

static enum err send_end(const struct part *part) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  nodes_json_put_who(&b, &part->node.node);
  if (part->fault)
    json_out_member_string(&b, "error", str_from_c(text_of(part)));
  else
    json_out_member_string(&b, "status", STR("success"));
  json_out_end(&b, '}');
  return send_line(part->task->rc, &b);
}

static void put_error_line(void *arg, enum err e, const struct err_info *info, struct buf *out) {
  (void)arg;
  dialect_ollama.put_stream_error(out, e, info);
}

/* ---- the work ---- */

static enum err run_part(struct part *part) {
  enum err e = part->fault = manage_run(&part->manage, &part->info);
  manage_clear(&part->manage);
  if (!e) node_refresh(part->manage.client, part->manage.at);
  return e;
}

/* One node's failure is no other's. */
static enum err run_one_of_all(void *arg) {
  struct part *part = arg;
  enum err e = run_part(part);
  if (e == ERR_CANCELLED) return e;
  return part->task->is_stream ? send_end(part) : OK;
}

static enum err run_all(struct task *t) {
  enum err e = OK;
  for (size_t next = 0; !e && next < t->n;) {
    struct fiber_group group;
    fiber_group_init(&group);
    for (size_t n = 0; !e && n < AT_ONCE && next < t->n; n++) e = fiber_group_go(&group, run_one_of_all, &t->v[next++]);
    if (!e) e = fiber_group_join_all(&group, DEADLINE_NONE);
    fiber_group_end(&group);
  }
  return e;
}

static void put_results(struct buf *b, const struct task *t) {
  size_t failed = 0;
  for (size_t i = 0; i < t->n; i++) failed += t->v[i].fault != OK;
  json_out_begin(b, '{');
  json_out_member_bool(b, "success", failed == 0);
  json_out_member_string(b, "status", failed ? STR("failed") : STR("success"));
  json_out_member_string(b, "model", t->model);
  json_out_key(b, "results");
  json_out_begin(b, '[');
  for (size_t i = 0; i < t->n; i++) {
    json_out_begin(b, '{');
    nodes_json_put_who(b, &t->v[i].node.node);
    json_out_member_bool(b, "success", !t->v[i].fault);
    if (t->v[i].fault) json_out_member_string(b, "error", str_from_c(text_of(&t->v[i])));
    if (t->v[i].fault) json_out_member_string(b, "error_class", str_from_c(err_code(t->v[i].fault)));
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  json_out_end(b, '}');
}

static void put_done(struct buf *b, const struct task *t) {
  json_out_begin(b, '{');
  json_out_member_bool(b, "success", true);
  json_out_member_string(b, "status", STR("success"));
  json_out_member_string(b, "model", t->model);
  nodes_json_put_who(b, &t->v->node.node);
  json_out_end(b, '}');
}

static void answer(struct task *t) {
  struct request_context *rc = t->rc;
  struct buf b;
  buf_init(&b, 0);
  if (t->is_all)
    put_results(&b, t);
  else if (t->is_stream)
    buf_put(&b, STR("{\"status\":\"success\"}"));
  else
    put_done(&b, t);
  if (!t->is_stream) {
    entity_answer_change(rc, 200, STR_NONE, &b);
    buf_clear(&b);
    return;
  }
  enum err e = send_line(rc, &b);
  if (!e) e = reply_end(&rc->reply);
  if (e) exchange_fail(rc, e, NULL);
}

static void begin_stream(struct task *t) {
  struct reply *r = &t->rc->reply;
  t->rc->is_stream = true;
  r->stream_type = STR("application/x-ndjson");
  r->put_error_event = put_error_line;
  reply_open_stream(r, 0, 0);
  for (size_t i = 0; i < t->n; i++) t->v[i].manage.on_lines = t->is_all ? relay_marked : relay_lines;
}

static enum err run(struct task *t, struct err_info *info) {
  if (t->is_stream) begin_stream(t);
  enum err e = t->is_all ? run_all(t) : run_part(t->v);
  if (e && !t->is_all) *info = t->v->info;
  struct err_info why = {0};
  enum err recorded = audit(t, &why);
  if (e || !recorded) return e;
  *info = why;
  return recorded;
}

/* ---- endpoints ---- */

static enum err read_input(struct request_context *rc, unsigned allowed, struct input *in, struct err_info *info) {
  enum err e = entity_body(rc, rc->arena, BODY_MAX, &nodes_manage_fields, allowed, NODES_MANAGE_NAME, in, info);
  if (!(in->has & NODES_MANAGE_STREAM)) in->is_stream = true;
  rc->asked = in->name;
  return e;
}

static void serve_pull(struct request_context *rc, unsigned allowed, bool is_all) {
  struct err_info info = {0};
  struct input in = {0};
  struct str node, item;
  struct nodes_found found;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &node, &item, &info);
  if (!e) e = read_input(rc, allowed, &in, &info);
  struct task t = {.rc = rc, .operation = MANAGE_PULL, .is_stream = in.is_stream, .is_all = is_all, .model = in.name};
  if (!e && !is_all) e = find_any(rc, node.n ? node : in.node, 0, &found, &t.model, &info);
  if (!e) e = make_body(&t, in.is_insecure);
  if (!e) e = is_all ? add_all(&t, &info) : add_part(&t, &found);
  if (!e) e = run(&t, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(&t);
}

void nodes_manage_pull(struct request_context *rc) { serve_pull(rc, NODES_MANAGE_PULL, false); }
void nodes_manage_pull_all(struct request_context *rc) { serve_pull(rc, NODES_MANAGE_PULL, true); }
void nodes_manage_pull_any(struct request_context *rc) { serve_pull(rc, NODES_MANAGE_PULL | NODES_MANAGE_NODE, false); }

/* A model that is there, at the node of the query or at the only one that has it. */
static enum err find_model(struct task *t, struct str name, struct err_info *info) {
  struct request_context *rc = t->rc;
  struct nodes_found found;
  struct str node;
  rc->asked = t->model = name;
  enum err e = query_text(rc->arena, rc->request->query, "node", &node, info);
  if (!e && !name.n) e = fields_refuse_named(info, "name", "\"name\" is required");
  if (!e) e = find_any(rc, node, NODE_CHOICE_HOLDER, &found, &t->model, info);
  if (!e) e = make_body(t, false);
  return e ? e : add_part(t, &found);
}

void nodes_manage_delete(struct request_context *rc) {
  struct err_info info = {0};
  struct task t = {.rc = rc, .operation = MANAGE_DELETE};
  struct str name, item;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &name, &item, &info);
  if (!e) e = find_model(&t, name, &info);
  if (!e) e = run(&t, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(&t);
}

void nodes_manage_show(struct request_context *rc) {
  struct err_info info = {0};
  struct task t = {.rc = rc, .operation = MANAGE_SHOW};
  struct json_pool pool = {0};
  struct str name;
  exchange_adopt(rc);
  enum err e = query_text(rc->arena, rc->request->query, "name", &name, &info);
  if (!e) e = find_model(&t, name, &info);
  if (!e) e = manage_run(&t.v->manage, &info);
  if (!e && !yyjson_is_obj(json_pool_parse(&pool, buf_str(&t.v->manage.answer))))
    e = err_set(&info, ERR_UPSTREAM_PROTOCOL, "the node's answer is no JSON object");
  if (e)
    exchange_fail(rc, e, &info);
  else
    entity_answer_change(rc, 200, STR_NONE, &t.v->manage.answer);
  json_pool_clear(&pool);
  if (t.v) manage_clear(&t.v->manage);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member result_rows[] = {
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {"success", SCHEMA_BOOL, .help = "whether it was done there"},
    {"error", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "what was wrong"},
    {"error_class", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "its code"},
};
static const struct schema result_schema = SCHEMA_OF(NULL, result_rows);

static const struct schema_member nodes_manage_results_rows[] = {
    {"success", SCHEMA_BOOL, .help = "whether it was done everywhere"},
    {"status", SCHEMA_WORD, .words = "success|failed", .help = "the same"},
    {"model", SCHEMA_TEXT, .help = "the model's name"},
    {"results", SCHEMA_LIST, .of = &result_schema, .help = "of each node"},
};
const struct schema nodes_manage_results_schema = SCHEMA_OF("NodesManaged", nodes_manage_results_rows);

static const struct schema_member nodes_manage_done_rows[] = {
    {"success", SCHEMA_BOOL, .help = "always true"},
    {"status", SCHEMA_WORD, .words = "success", .help = "the same"},
    {"model", SCHEMA_TEXT, .help = "the model's name"},
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
};
const struct schema nodes_manage_done_schema = SCHEMA_OF("NodeManaged", nodes_manage_done_rows);
