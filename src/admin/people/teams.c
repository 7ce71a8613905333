/* Teams: see teams.h. */
#include "admin/people/teams.h"

#include "admin/nodes/nodes_find.h"
#include "admin/nodes/nodes_input.h"
#include "admin/page.h"
#include "admin/people/subject_limits.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "policy/principals.h"
#include "state/store/store.h"
#include "state/store/store_team.h"

enum { LIST_MAX = 500 };

/* ---- the body ---- */

enum member { TEAMS_NAME = 1, TEAMS_MODELS = 2, TEAMS_NODES = 4 };

struct input {
  unsigned has; /* of enum member */
  struct str name;
  struct field_strings models, nodes;
};

#define PATTERNS(key, bit, member, most, text)                                                                        \
  {                                                                                                                   \
    STR(key), FIELD_STRINGS, bit, offsetof(struct input, member),                                                     \
        .max = most, .is_valid = user_pattern_is_valid, .must = "must have 1 to 256 bytes and no control characters", \
        .help = text                                                                                                  \
  }
static const struct field rows[] = {
    {STR("name"), FIELD_STRING, TEAMS_NAME, offsetof(struct input, name), .is_valid = user_name_is_valid,
     .must = USER_NAME_MUST, .help = "the team's name"},
    PATTERNS("models", TEAMS_MODELS, models, USER_MODELS_MAX, "names or patterns of models; none: no restriction"),
    {STR("nodes"), FIELD_OTHER, TEAMS_NODES, offsetof(struct input, nodes), .read = nodes_read_refs,
     .schema = NODES_REFS_SCHEMA, .help = "nodes, or patterns of nodes; none: no restriction"},
};
static const struct fields fields = {rows, sizeof rows / sizeof *rows, sizeof(struct input)};

/* ---- the answer ---- */

static void put(struct buf *b, const struct team *t) {
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", t->id);
  json_out_member_string(b, "name", t->name);
  json_out_member_time(b, "created_at", t->created_us);
  json_out_member_time(b, "updated_at", t->updated_us);
  json_out_member_strings(b, "models", t->models, t->model_count);
  json_out_member_strings(b, "nodes", t->nodes, t->node_count);
  subject_limits_put_member(b, &t->limits);
  json_out_end(b, '}');
}

static const struct schema_member teams_rows[] = {
    {"id", SCHEMA_INTEGER, .help = "stays the same while the team is there"},
    {"name", SCHEMA_TEXT, .help = "the team's name"},
    {"created_at", SCHEMA_TIME, .help = "when it was made"},
    {"updated_at", SCHEMA_TIME, .help = "when it was changed last"},
    {"models", SCHEMA_TEXTS, .help = "names or patterns of models; empty: no restriction"},
    {"nodes", SCHEMA_TEXTS, .help = "nodes, or patterns of nodes; empty: no restriction"},
    {"limits", SCHEMA_OBJECT | SCHEMA_NULL, .of = &subject_limits_schema, .help = "null: none"},
};
const struct schema teams_schema = SCHEMA_OF("Team", teams_rows);
static const struct schema_member teams_members_rows[] = {
    {"team", SCHEMA_TEXT, .help = "the team's name"},
    {"members", SCHEMA_TEXTS, .help = "names of users"},
};
const struct schema teams_members_schema = SCHEMA_OF("TeamMembers", teams_members_rows);

/* ---- reads ---- */

static enum err no_team(struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no team \"%.*s\"", STR_ARG(str_cut_utf8(name, USER_NAME_MAX)));
}

static void show(struct request_context *rc, void (*fn)(struct buf *b, const struct people *p, const struct team *t)) {
  struct err_info info = {0};
  struct str name, item;
  struct buf b;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &name, &item, &info);
  const struct team *t = e ? NULL : people_find_team(&rc->principals->people, name);
  if (!e && !t) e = no_team(name, &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  fn(&b, &rc->principals->people, t);
  entity_answer(rc, &b);
  buf_clear(&b);
}

static void put_team(struct buf *b, const struct people *p, const struct team *t) {
  (void)p;
  put(b, t);
}

static void put_members(struct buf *b, const struct people *p, const struct team *t) {
  json_out_begin(b, '{');
  json_out_member_string(b, "team", t->name);
  json_out_key(b, "members");
  json_out_begin(b, '[');
  for (size_t i = 0; i < p->user_count; i++)
    if (p->users[i].team_id == t->id) json_out_string(b, p->users[i].name);
  json_out_end(b, ']');
  json_out_end(b, '}');
}

void teams_show(struct request_context *rc) { show(rc, put_team); }
void teams_members(struct request_context *rc) { show(rc, put_members); }

void teams_list(struct request_context *rc) {
  struct err_info info = {0};
  struct str after = STR_NONE;
  uint64_t n = LIST_MAX;
  struct buf b;
  exchange_adopt(rc);
  const struct people *p = &rc->principals->people;
  enum err e = page_read(rc, LIST_MAX, &n, &after, &info);
  const struct team *last = after.n ? people_find_team(p, after) : NULL;
  if (!e && after.n && !last) e = page_refuse_after("team", &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  size_t i = last ? (size_t)(last - p->teams) + 1 : 0;
  for (; i < p->team_count && n; i++, n--) put(&b, &p->teams[i]);
  json_out_end(&b, ']');
  if (i < p->team_count) page_more(rc, p->teams[i - 1].name);
  entity_answer(rc, &b);
  buf_clear(&b);
}

/* ---- changes ---- */

static enum err describe(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  struct people people;
  enum err e = people_load(db, STORE_CHANGED_TEAMS, &people, info);
  const struct team *t = e ? NULL : people_find_team(&people, c->name);
  if (t) put(out, t);
  people_clear(&people);
  return e;
}

static enum err set_lists(struct db *db, int64_t id, const struct input *in, struct err_info *info) {
  enum err e = OK;
  if (in->has & TEAMS_MODELS) e = store_team_set_list(db, STORE_TEAM_MODELS, id, in->models.v, in->models.n, info);
  if (!e && in->has & TEAMS_NODES) e = store_team_set_list(db, STORE_TEAM_NODES, id, in->nodes.v, in->nodes.n, info);
  return e;
}

static enum err create(struct db *db, struct change *c, struct err_info *info) {
  const struct input *in = c->in;
  int64_t id = 0;
  enum err e = store_team_add(db, in->name, &id, info);
  if (e) return e;
  c->name = in->name;
  e = set_lists(db, id, in, info);
  return e ? e : describe(db, c, c->out, info);
}

static enum err update(struct db *db, struct change *c, struct err_info *info) {
  int64_t id;
  enum err e = store_team_find(db, c->name, &id, info);
  if (!e) e = set_lists(db, id, c->in, info);
  return e ? e : describe(db, c, c->out, info);
}

static enum err delete (struct db *db, struct change *c, struct err_info *info) {
  int64_t id; enum err e = store_team_find(db, c->name, &id, info); return e ? e : store_team_delete(db, id, info);
}

static enum err check_nodes(struct request_context *rc, struct change *c, struct err_info *info) {
  struct input *in = c->in;
  return in ? nodes_find_names(rc, c->arena, &in->nodes, "nodes", info) : OK;
}

#define X(name, allowed, required, status) \
  void teams_##name(struct request_context *rc) { change_serve(rc, teams_operation(TEAMS_OPERATION_##name)); }
#include "admin/people/teams.def"
#undef X

const struct change_row *teams_operation(enum teams_operation operation) {
  static const struct change_row all[TEAMS_OPERATION_COUNT] = {
#define X(name, allowed, required, status) \
  {#name, "team", status, (allowed) ? &fields : NULL, allowed, required, check_nodes, NULL, name, describe},
#include "admin/people/teams.def"
#undef X
  };
  return &all[operation];
}
