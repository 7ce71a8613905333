/* Priorities: see priorities.h. The change is a file's, so it runs as a job of its own and not as a change.h row: the
 * audit row is written in the transaction in which the file is replaced, and an undone transaction puts it back. */
#include "admin/priorities.h"

#include "admin/change.h"
#include "admin/fields.h"
#include "admin/job.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "jobs/reload.h"
#include "state/disk.h"
#include "state/store/store.h"
#include "state/store/store_audit.h"

enum { BODY_MAX = 1 << 20, FILE_MAX = 4 << 20, CHANGE_MS = 30000, LIST_MAX = 10000, NAME_MAX_BYTES = 512 };
enum { HAS_REVISION = 1, HAS_PRIORITIES = 2, HAS_FALLBACK = 4, HAS_GUARDS = 8 };
enum { HAS_STRATEGY = 1, HAS_RETRIES = 2 };

_Static_assert(PRIORITIES_REQUIRED == (HAS_REVISION | HAS_PRIORITIES), "what a change says");

struct fallback {
  unsigned has;
  unsigned strategy;
  int64_t max_retries;
};

struct input {
  unsigned has;
  struct str revision;
  struct field_strings priorities;
  struct fallback fallback;
};

/* ---- the body ---- */

static const char *const strategies[] = {"priority", "same-model", "none"};

static const struct field fallback_rows[] = {
    {STR("strategy"), FIELD_CHOICE, HAS_STRATEGY, offsetof(struct fallback, strategy), .max = 3, .choices = strategies},
    {STR("maxRetries"), FIELD_INTEGER, HAS_RETRIES, offsetof(struct fallback, max_retries), .max = 10}};
static const struct fields fallback_fields = {fallback_rows, 2, sizeof(struct fallback)};

static enum err read_fallback(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  return fields_read_node(a, n, &fallback_fields, ~0u, HAS_STRATEGY | HAS_RETRIES, value, info);
}

/* What GET answered comes back with the rest; guards are settings, so they are not read here. */
static enum err skip(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  (void)a, (void)value;
  return json_expect(n, JSON_OBJECT, info);
}

static bool is_qualified(struct str s) {
  size_t slash = str_find_char(s, '/');
  return s.n <= NAME_MAX_BYTES && user_pattern_is_valid(str_sub(s, 0, USER_PATTERN_MAX)) && slash != SIZE_MAX &&
         slash > 0 && slash + 1 < s.n && str_trim(s).n == s.n;
}

static const struct field rows[] = {
    {STR("revision"), FIELD_STRING, HAS_REVISION, offsetof(struct input, revision), .max = 64,
     .must = "must be the revision that was read", .help = "of what was read"},
    {STR("priorities"), FIELD_STRINGS, HAS_PRIORITIES, offsetof(struct input, priorities), .max = LIST_MAX,
     .is_valid = is_qualified, .must = "must be of the form provider/model", .help = "models, preferred first"},
    {STR("fallback"), FIELD_OTHER, HAS_FALLBACK, offsetof(struct input, fallback), .read = read_fallback,
     .schema = "\"type\":\"object\",\"properties\":{\"strategy\":{\"enum\":[\"priority\",\"same-model\",\"none\"]},"
               "\"maxRetries\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":10}}",
     .help = "what is tried when a model fails"},
    {STR("guards"), FIELD_OTHER, HAS_GUARDS, offsetof(struct input, has), .read = skip, .schema = "\"type\":\"object\"",
     .help = "taken and ignored: guards are settings"}};
const struct fields priorities_fields = {rows, 4, sizeof(struct input)};

/* ---- what is shown ---- */

static void put_list(struct buf *b, const struct str *v, size_t n, unsigned strategy, int64_t max_retries) {
  json_out_key(b, "priorities");
  json_out_begin(b, '[');
  for (size_t i = 0; i < n; i++) json_out_string(b, v[i]);
  json_out_end(b, ']');
  json_out_key(b, "fallback");
  json_out_begin(b, '{');
  json_out_member_string(b, "strategy", str_from_c(strategies[strategy]));
  json_out_member_i64(b, "maxRetries", max_retries);
  json_out_end(b, '}');
}

static void put_guards(struct buf *b, const struct config_options *o) {
  json_out_key(b, "guards");
  json_out_begin(b, '{');
  json_out_key(b, "leak_guard");
  json_out_begin(b, '{');
  json_out_member_bool(b, "enabled", o->guards_leak_enabled);
  json_out_end(b, '}');
  json_out_key(b, "runaway_guard");
  json_out_begin(b, '{');
  json_out_member_bool(b, "enabled", o->guards_runaway_enabled);
  json_out_member_i64(b, "max_bytes", (int64_t)o->guards_runaway_max_bytes);
  json_out_member_i64(b, "max_deltas", o->guards_runaway_max_deltas);
  json_out_end(b, '}');
  json_out_end(b, '}');
}

enum { REVISION_BYTES = 2 * CRYPTO_HASH_BYTES };

/* The whole answer; the revision is the SHA-256 of what stands before it. */
static enum err put_all(struct buf *b, const struct config *config, char revision[REVISION_BYTES]) {
  const struct config_options *o = &config->options;
  struct crypto_hash hash;
  json_out_begin(b, '{');
  put_list(b, config->priorities.items, config->priorities.n, o->fallback_strategy, o->fallback_max_retries);
  put_guards(b, o);
  enum err e = b->failed ? ERR_NO_MEMORY : crypto_sha256(buf_str(b), &hash);
  if (e) return e;
  crypto_hex(hash.bytes, sizeof hash.bytes, revision);
  json_out_member_string(b, "revision", str_from(revision, REVISION_BYTES));
  json_out_end(b, '}');
  return b->failed ? ERR_NO_MEMORY : OK;
}

/* The revision as an entity tag, which router-maestro's clients send back. */
static struct str tag_of(struct request_context *rc, const char revision[REVISION_BYTES]) {
  return arena_printf(rc->arena, "\"%.*s\"", (int)REVISION_BYTES, revision);
}

void priorities_show(struct request_context *rc) {
  char revision[REVISION_BYTES];
  struct buf b;
  buf_init(&b, 0);
  enum err e = put_all(&b, snapshot_config(rc->snapshot), revision);
  if (e)
    exchange_fail(rc, e, NULL);
  else
    entity_answer_tagged(rc, tag_of(rc, revision), &b);
  buf_clear(&b);
}

/* ---- the file ---- */

struct priorities_job {
  struct job job;
  struct str path; /* of priorities.json */
  struct input in;
  bool is_stale;
  char revision[REVISION_BYTES]; /* that they have now, where is_stale */
  struct str actor, address;
  struct str before; /* JSON, for the audit log */
  struct buf old_file, new_file;
  bool had_file, is_replaced;
};

static void clear(void *arg) {
  struct priorities_job *j = arg;
  buf_clear(&j->old_file);
  buf_clear(&j->new_file);
}

/* The file anew: its other members as they are, list and fallback from the body. */
static enum err make_file(struct priorities_job *j, struct err_info *info) {
  struct json doc = {0};
  struct json_node root = {0}, node;
  struct buf *b = &j->new_file;
  enum err e = disk_read(j->path.p, FILE_MAX, &j->old_file, NULL, info);
  j->had_file = !e;
  if (e && e != ERR_NOT_FOUND) return e;
  if (j->had_file && str_trim(buf_str(&j->old_file)).n) {
    e = json_parse_relaxed(&doc, buf_str(&j->old_file), NULL, &j->job.arena, info);
    if (e) return err_set(info, ERR_CONFLICT, "priorities.json has a fault; mend it first (`maestro check`)");
    root = json_root(&doc);
  }
  json_out_begin(b, '{');
  put_list(b, j->in.priorities.v, j->in.priorities.n, j->in.fallback.strategy, j->in.fallback.max_retries);
  for (struct json_iter it = json_each(&root); json_next(&it, &node);) {
    if (str_eq(node.key, STR("priorities")) || str_eq(node.key, STR("fallback"))) continue;
    json_out_key_str(b, node.key);
    json_out_value(b, node.val);
  }
  json_out_end(b, '}');
  buf_put_char(b, '\n');
  return b->failed ? ERR_NO_MEMORY : OK;
}

static enum err run(struct db *db, void *arg, struct err_info *info) {
  struct priorities_job *j = arg;
  struct buf after;
  buf_init(&after, 0);
  json_out_begin(&after, '{');
  put_list(&after, j->in.priorities.v, j->in.priorities.n, j->in.fallback.strategy, j->in.fallback.max_retries);
  json_out_end(&after, '}');
  const struct audit_row row = {.actor = j->actor,
                                .address = j->address,
                                .action = STR("priorities_set"),
                                .entity_type = STR("config"),
                                .entity_id = STR("priorities"),
                                .before = j->before,
                                .after = buf_str(&after)};
  enum err e = after.failed ? ERR_NO_MEMORY : store_audit_add(db, &row, info);
  if (!e) e = disk_replace(j->path.p, buf_str(&j->new_file), 0600, info);
  j->is_replaced = !e;
  buf_clear(&after);
  return e;
}

/* Asked early, and again where changes come one after another. */
static enum err check_revision(const struct config *now, struct priorities_job *j, struct err_info *info) {
  struct buf b;
  buf_init(&b, 0);
  enum err e = put_all(&b, now, j->revision);
  buf_clear(&b);
  if (e || str_eq(j->in.revision, str_from(j->revision, REVISION_BYTES))) return e;
  j->is_stale = true;
  if (info) memcpy(info->code, "config_revision_conflict", sizeof "config_revision_conflict");
  return err_set(info, ERR_CONFLICT, "the priorities were changed since they were read; the revision is %.*s now",
                 (int)REVISION_BYTES, j->revision);
}

static enum err check_newest(struct priorities_job *j, struct err_info *info) {
  struct snapshot *s = snapshot_newest();
  enum err e = s ? check_revision(snapshot_config(s), j, info) : ERR_INTERNAL;
  snapshot_unref(s);
  return e;
}

static enum err work(void *arg) {
  struct priorities_job *j = arg;
  struct err_info *info = &j->job.info, ignored = {0}, why = {0};
  struct config_diags diags;
  enum err e = check_newest(j, info);
  if (!e) e = make_file(j, info);
  if (!e) e = store_write(run, j, info);
  if (e && j->is_replaced && j->had_file) (void)!disk_replace(j->path.p, buf_str(&j->old_file), 0600, &ignored);
  if (e) return e;
  config_diags_init(&diags);
  e = reload_now(&diags, &why);
  reload_log(&diags);
  config_diags_clear(&diags);
  return e ? err_set(info, e, "the priorities are stored, but not in force: %.400s", err_info_text(e, &why)) : OK;
}

/* ---- the request ---- */

static enum err declared_elsewhere(const char *what, struct err_info *info) {
  return err_set(info, ERR_CONFLICT, "%s is declared in maestro.json or by the environment, and changed there", what);
}

/* Where priorities.json is, if list and fallback are its own to say. */
static enum err find_file(struct request_context *rc, struct priorities_job *j, struct err_info *info) {
  const struct config *c = snapshot_config(rc->snapshot);
  const struct config_options *o = &c->options;
  struct str path = STR_NONE;
  for (size_t i = 0; i < c->file_count; i++)
    if (str_has_suffix(c->files[i].path, STR("/priorities.json"))) path = c->files[i].path;
  if (!path.n) return err_set(info, ERR_CONFLICT, "there is no folder of configuration for priorities.json");
  if (c->priorities.n && !str_eq(c->priority_places[0].file, path)) return declared_elsewhere("the list", info);
  if (!(j->in.has & HAS_FALLBACK)) {
    j->in.fallback.strategy = o->fallback_strategy;
    j->in.fallback.max_retries = o->fallback_max_retries;
  }
  bool is_new = j->in.fallback.strategy != (unsigned)o->fallback_strategy ||
                j->in.fallback.max_retries != (int64_t)o->fallback_max_retries;
  bool is_declared = c->origins[CONFIG_OPTION_fallback_strategy] > CONFIG_FROM_PRIORITIES ||
                     c->origins[CONFIG_OPTION_fallback_max_retries] > CONFIG_FROM_PRIORITIES;
  if (is_new && is_declared) return declared_elsewhere("fallback", info);
  j->path = arena_dup(&j->job.arena, path);
  return j->path.p ? OK : ERR_NO_MEMORY;
}

static enum err note_former(struct request_context *rc, struct priorities_job *j) {
  const struct config *c = snapshot_config(rc->snapshot);
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  put_list(&b, c->priorities.items, c->priorities.n, c->options.fallback_strategy, c->options.fallback_max_retries);
  json_out_end(&b, '}');
  j->before = b.failed ? STR_NONE : arena_dup(&j->job.arena, buf_str(&b));
  buf_clear(&b);
  return j->before.p ? OK : ERR_NO_MEMORY;
}

/* As router-maestro's clients read it: they take the revision from `detail` and try again. */
static void refuse_stale(struct request_context *rc, const struct priorities_job *j, const struct err_info *info) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  for (int is_detail = 0; is_detail < 2; is_detail++) {
    json_out_key(&b, is_detail ? "detail" : "error");
    json_out_begin(&b, '{');
    json_out_member_string(&b, "message", str_from_c(err_info_text(ERR_CONFLICT, info)));
    json_out_member_string(&b, "code", str_from_c(err_info_code(ERR_CONFLICT, info)));
    if (is_detail) json_out_member_string(&b, "current_revision", str_from(j->revision, REVISION_BYTES));
    json_out_end(&b, '}');
  }
  json_out_end(&b, '}');
  entity_answer_change(rc, err_info_status(ERR_CONFLICT, info), tag_of(rc, j->revision), &b);
  buf_clear(&b);
  if (rc->error) return;
  rc->error = ERR_CONFLICT;
  rc->info = *info;
}

static enum err prepare(struct request_context *rc, struct priorities_job *j, struct err_info *info) {
  enum err e = entity_body(rc, &j->job.arena, BODY_MAX, &priorities_fields, ~0u, PRIORITIES_REQUIRED, &j->in, info);
  exchange_adopt(rc);
  if (!e) e = check_revision(snapshot_config(rc->snapshot), j, info);
  if (!e) e = find_file(rc, j, info);
  if (!e) e = note_former(rc, j);
  return e ? e : change_caller(rc, &j->job.arena, &j->actor, &j->address);
}

void priorities_set(struct request_context *rc) {
  struct err_info info = {0};
  struct priorities_job *j = job_new(sizeof *j, work, clear);
  enum err e = j ? prepare(rc, j, &info) : ERR_NO_MEMORY;
  if (!e) e = job_run(&j->job, POOL_STORE, CHANGE_MS, &info);
  if (e == ERR_CONFLICT && j->is_stale) { /* of no other error the job is ours to look into */
    refuse_stale(rc, j, &info);
  } else if (e) {
    exchange_fail(rc, e, &info);
  } else {
    exchange_adopt(rc);
    priorities_show(rc);
  }
  job_unref(j);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member shown_fallback_rows[] = {
    {"strategy", SCHEMA_WORD, .words = "priority|same-model|none", .help = "what is tried when a model fails"},
    {"maxRetries", SCHEMA_COUNT, .help = "how many"},
};
static const struct schema shown_fallback_schema = SCHEMA_OF(NULL, shown_fallback_rows);

static const struct schema_member leak_rows[] = {
    {"enabled", SCHEMA_BOOL, .help = "whether answers are looked through"},
};
static const struct schema leak_schema = SCHEMA_OF(NULL, leak_rows);

static const struct schema_member runaway_rows[] = {
    {"enabled", SCHEMA_BOOL, .help = "whether answers are looked through"},
    {"max_bytes", SCHEMA_BYTES, .help = "after which an answer counts as one without an end"},
    {"max_deltas", SCHEMA_COUNT, .help = "pieces after which it does"},
};
static const struct schema runaway_schema = SCHEMA_OF(NULL, runaway_rows);

static const struct schema_member guards_rows[] = {
    {"leak_guard", SCHEMA_OBJECT, .of = &leak_schema},
    {"runaway_guard", SCHEMA_OBJECT, .of = &runaway_schema},
};
static const struct schema guards_schema = SCHEMA_OF(NULL, guards_rows);

static const struct schema_member priorities_rows[] = {
    {"priorities", SCHEMA_TEXTS, .help = "provider/model, preferred first"},
    {"fallback", SCHEMA_OBJECT, .of = &shown_fallback_schema},
    {"guards", SCHEMA_OBJECT, .of = &guards_schema},
    {"revision", SCHEMA_TEXT, .help = "changes with what stands before it"},
};
const struct schema priorities_schema = SCHEMA_OF("Priorities", priorities_rows);

static const struct schema_member stale_rows[] = {
    {"message", SCHEMA_TEXT, .help = "for people"},
    {"code", SCHEMA_WORD, .words = "config_revision_conflict", .help = "the stable word"},
    {"current_revision", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "in `detail`: what it is now"},
};
static const struct schema stale_schema = SCHEMA_OF(NULL, stale_rows);

static const struct schema_member priorities_stale_rows[] = {
    {"error", SCHEMA_OBJECT, .of = &stale_schema},
    {"detail", SCHEMA_OBJECT, .of = &stale_schema},
};
const struct schema priorities_stale_schema = SCHEMA_OF("StalePriorities", priorities_stale_rows);
