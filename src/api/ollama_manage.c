/* Ollama's management of models for callers: see ollama_manage.h. The body goes on as it came but for the names, from
 * which the node's code is taken off, and `stream`, which progress is always asked for with. */
#include "api/ollama_manage.h"

#include "base/envelope_once.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "gateway/node_choice.h"
#include "gateway/permit.h"
#include "jobs/node_refresh.h"

enum { BODY_MAX = 1024 * 1024 /* templates, licences and messages are in it, files never */ };

enum {
  MODEL,
  NAME,
  SOURCE,
  DESTINATION,
  FROM,
  STREAM,
  MODELFILE,
  PATH,
  FILES,
  DRAFT_FILES,
  ADAPTERS,
  REMOTE_HOST,
  ROWS
};
static const struct str paths[ROWS] = {[MODEL] = STR("model"),         [NAME] = STR("name"),
                                       [SOURCE] = STR("source"),       [DESTINATION] = STR("destination"),
                                       [FROM] = STR("from"),           [STREAM] = STR("stream"),
                                       [MODELFILE] = STR("modelfile"), [PATH] = STR("path"),
                                       [FILES] = STR("files"),         [DRAFT_FILES] = STR("draft_files"),
                                       [ADAPTERS] = STR("adapters"),   [REMOTE_HOST] = STR("remote_host")};
static struct envelope_once table = {.paths = paths, .n = ROWS};

static const struct action {
  unsigned row, other; /* of the model's name, and of that of another model of the same node; ROWS: none */
  bool is_held;        /* the node has the model already */
  bool is_change;      /* the node's list of models is another then */
} actions[MANAGE_OPERATIONS] = {
    [MANAGE_PULL] = {MODEL, ROWS, false, true},   [MANAGE_PUSH] = {MODEL, ROWS, true, false},
    [MANAGE_CREATE] = {MODEL, FROM, false, true}, [MANAGE_COPY] = {SOURCE, DESTINATION, true, true},
    [MANAGE_DELETE] = {MODEL, ROWS, true, true},
};

struct work {
  struct request_context *rc;
  enum manage_operation operation;
  const struct action *action; /* its row */
  struct err_info *info;       /* of whatever fails */
  struct envelope_scan *scan;
  struct envelope_edit *edit;
  struct span_list *spans;
  struct str body;
  struct node_choice choice;
  struct manage manage;
};

/* ---- the request ---- */

static enum err read_body(struct work *w, struct err_info *info) {
  struct request_context *rc = w->rc;
  const struct http_body_options options = {.max_bytes = BODY_MAX};
  w->scan = arena_alloc(rc->arena, sizeof *w->scan);
  w->edit = arena_alloc(rc->arena, sizeof *w->edit);
  w->spans = arena_alloc(rc->arena, sizeof *w->spans);
  if (!w->scan || !w->edit || !w->spans) return ERR_NO_MEMORY;
  enum err e = http_exchange_read_body(rc->x, &options, &w->body, info);
  rc->bytes_in = w->body.n;
  if (!e && !w->body.n) e = err_set(info, ERR_BAD_REQUEST, "missing request body");
  if (!e) e = envelope_scan_whole(w->scan, envelope_once_table(&table), NULL, rc->arena, w->body, info);
  if (!e) envelope_edit_init(w->edit, w->scan);
  return e;
}

/* Null is as good as absent, as Ollama's server has it. */
static bool is_said(const struct work *w, unsigned row) {
  const struct envelope_value *v = envelope_scan_value(w->scan, row);
  return v && v->type != ENVELOPE_NULL;
}

/* A member that may be absent or empty. */
static enum err read_name(const struct work *w, unsigned row, struct str *out, struct err_info *info) {
  *out = STR_NONE;
  if (!is_said(w, row)) return OK;
  return envelope_string(w->scan, row, w->body, w->rc->arena, out, info);
}

static enum err read_stream(const struct work *w, bool *out, struct err_info *info) {
  *out = true;
  enum err e = is_said(w, STREAM) ? envelope_bool(w->scan, STREAM, out, info) : OK;
  if (!e && !*out) envelope_edit_set(w->edit, STREAM, STR("true"));
  return e;
}

static enum err set_name(struct work *w, unsigned row, struct str asked, struct str model) {
  struct buf b;
  if (asked.n == model.n) return OK;
  buf_init(&b, 0);
  buf_put_json(&b, model);
  struct str json = b.failed ? STR_NONE : arena_dup(w->rc->arena, buf_str(&b));
  buf_clear(&b);
  if (!json.p) return ERR_NO_MEMORY;
  envelope_edit_set(w->edit, row, json);
  return OK;
}

/* `model`, or `name` as older clients say; of both the first counts, and the other would only be misunderstood. */
static enum err choose(struct work *w, struct err_info *info) {
  struct request_context *rc = w->rc;
  unsigned row = w->action->row, flags = w->action->is_held ? NODE_CHOICE_HOLDER : 0;
  struct str name;
  enum err e = read_name(w, row, &name, info);
  if (!e && row == MODEL && !name.n) {
    e = read_name(w, NAME, &name, info);
    if (name.n) row = NAME;
  }
  if (e) return e;
  rc->asked = name;
  if (row != SOURCE) envelope_edit_remove(w->edit, row == MODEL ? NAME : MODEL);
  e = node_choice_find(rc, name, paths[w->action->row].p, flags, &w->choice, info);
  return e ? e : set_name(w, row, name, w->choice.model);
}

static enum err choose_other(struct work *w, struct err_info *info) {
  unsigned row = w->action->other;
  struct str name, model = STR_NONE;
  if (row == ROWS) return OK;
  enum err e = read_name(w, row, &name, info);
  if (e || (row == FROM && !name.n)) return e;
  e = node_choice_same(w->rc, name, paths[row].p, 0, w->choice.at, &model, info);
  return e ? e : set_name(w, row, name, model);
}

/* What a model is made from may be said in ways that no list is asked about: a Modelfile, the digest of any layer,
 * another host's model. */
static enum err check_parts(const struct work *w, struct err_info *info) {
  static const unsigned rows[] = {MODELFILE, PATH, FILES, DRAFT_FILES, ADAPTERS, REMOTE_HOST};
  if (w->operation != MANAGE_CREATE || !permit_is_bound(w->rc)) return OK;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (is_said(w, rows[i]))
      return err_set_param(info, ERR_FORBIDDEN, paths[rows[i]].p,
                           "\"%s\" is for those who may use every model; say \"from\"", paths[rows[i]].p);
  return OK;
}

static enum err make_body(struct work *w, struct err_info *info) {
  span_list_init(w->spans, w->body.n);
  enum err e = envelope_edit_spans(w->edit, w->rc->arena, w->spans, info);
  if (e) return e;
  struct str *slices = ARENA_NEW_ARRAY(w->rc->arena, struct str, 2 * w->spans->n + 1);
  if (!slices) return ERR_NO_MEMORY;
  w->manage.body_slices = span_slices(w->spans, w->body, slices);
  w->manage.body = slices;
  return OK;
}

static enum err prepare(struct work *w, struct err_info *info) {
  struct request_context *rc = w->rc;
  enum err e = exchange_check_loop(rc);
  if (!e) e = permit_manage(rc, info);
  if (!e) e = read_body(w, info);
  if (!e) e = read_stream(w, &rc->is_stream, info);
  if (!e) e = choose(w, info);
  if (!e) e = choose_other(w, info);
  if (!e) e = check_parts(w, info);
  return e ? e : make_body(w, info);
}

/* ---- the answer ---- */

static enum err send_lines(void *arg, struct str lines) {
  const struct work *w = arg;
  enum err e = permit_still(w->rc, w->info);
  return e ? e : reply_write(&w->rc->reply, lines);
}

static enum err answer(struct work *w) {
  struct reply *r = &w->rc->reply;
  struct str line = buf_str(&w->manage.answer);
  if (!manage_has_progress(w->operation)) return reply_body(r, 200, STR_NONE, STR_NONE);
  if (!w->rc->is_stream) return reply_json(r, 200, str_trim(line));
  enum err e = reply_write(r, line);
  return e ? e : reply_end(r);
}

static enum err run(struct work *w, struct err_info *info) {
  struct request_context *rc = w->rc;
  bool is_stream = rc->is_stream && manage_has_progress(w->operation);
  rc->is_stream = is_stream;
  w->manage.client = rc->worker->client;
  w->manage.at = w->choice.at;
  w->manage.arena = rc->arena;
  w->manage.operation = w->operation;
  w->manage.on_lines = is_stream ? send_lines : NULL;
  w->manage.arg = w;
  rc->managed = &w->manage;
  if (is_stream) reply_open_stream(&rc->reply, 0, 0);
  enum err e = manage_run(&w->manage, info);
  if (!e && w->action->is_change) node_refresh(rc->worker->client, w->choice.at);
  if (!e) e = permit_still(rc, info);
  if (!e) e = answer(w);
  manage_clear(&w->manage);
  return e;
}

static void act(struct request_context *rc, enum manage_operation operation) {
  struct err_info info = {0};
  struct rate_limit_ticket ticket;
  struct limits_caller caller = limits_of(snapshot_get(rc->snapshot, GATEWAY_LIMITS), &rc->principal);
  struct work *w = ARENA_NEW(rc->arena, struct work);
  enum err e = w ? OK : ERR_NO_MEMORY;
  if (w) *w = (struct work){.rc = rc, .operation = operation, .action = &actions[operation], .info = &info};
  if (!e) e = prepare(w, &info);
  if (!e) e = reserve_request(&caller, &ticket, &info);
  if (!e) {
    e = run(w, &info);
    rate_limit_end(&ticket, 0, clock_wall_us());
  }
  if (e) exchange_fail(rc, e, &info);
}

void ollama_manage_pull(struct request_context *rc) { act(rc, MANAGE_PULL); }
void ollama_manage_push(struct request_context *rc) { act(rc, MANAGE_PUSH); }
void ollama_manage_create(struct request_context *rc) { act(rc, MANAGE_CREATE); }
void ollama_manage_copy(struct request_context *rc) { act(rc, MANAGE_COPY); }
void ollama_manage_delete(struct request_context *rc) { act(rc, MANAGE_DELETE); }

/* ---- what these are, for the API's description ---- */

/* Whatever the node adds. */
static const struct schema_member status_rows[] = {
    {"status", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "success at the end"},
    {"error", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "what went wrong"}};
const struct schema ollama_manage_schema = SCHEMA_OPEN("OllamaStatus", status_rows);
