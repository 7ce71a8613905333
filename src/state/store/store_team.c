/* Teams in the store: see store_team.h. */
#include "state/store/store_team.h"

#include <stdio.h>

#include "base/clock.h"
#include "state/store/store.h"

enum err store_team_find(struct db *db, struct str name, int64_t *id, struct err_info *info) {
  const struct db_value param = db_text(name);
  int64_t found = 0;
  enum err e = db_run(db, DB_TEAM_FIND, &param, 1, db_take_int, &found, info);
  if (!e && !found) return err_set(info, ERR_NOT_FOUND, "there is no team \"%.*s\"", STR_ARG(name));
  if (!e) *id = found;
  return e;
}

enum err store_team_add(struct db *db, struct str name, int64_t *id, struct err_info *info) {
  const struct db_value params[] = {db_text(name), db_int(clock_wall_us())};
  store_changed(STORE_CHANGED_TEAMS);
  enum err e = db_run(db, DB_TEAM_ADD, params, 2, db_take_int, id, info);
  if (e == ERR_CONFLICT) return err_set_param(info, e, "name", "there is a team \"%.*s\" already", STR_ARG(name));
  return e;
}

static enum err touch(struct db *db, int64_t id, struct err_info *info) {
  const struct db_value params[] = {db_int(id), db_int(clock_wall_us())};
  store_changed(STORE_CHANGED_TEAMS);
  return db_run(db, DB_TEAM_TOUCH, params, 2, NULL, NULL, info);
}

enum err store_team_set_list(struct db *db, enum store_team_list list, int64_t id, const struct str *v, size_t n,
                             struct err_info *info) {
  static const struct {
    enum db_query clear, add;
  } queries[] = {[STORE_TEAM_MODELS] = {DB_TEAM_MODEL_CLEAR, DB_TEAM_MODEL_ADD},
                 [STORE_TEAM_NODES] = {DB_TEAM_NODE_CLEAR, DB_TEAM_NODE_ADD}};
  struct db_value params[2] = {db_int(id)};
  enum err e = db_run(db, queries[list].clear, params, 1, NULL, NULL, info);
  for (size_t i = 0; !e && i < n; i++) {
    params[1] = db_text(v[i]);
    e = db_run(db, queries[list].add, params, 2, NULL, NULL, info);
  }
  return e ? e : touch(db, id, info);
}

enum err store_team_set_limits(struct db *db, int64_t id, const struct limits *l, struct err_info *info) {
  enum err e = limits_store(db, LIMITS_TEAM, id, STR_NONE, l, info);
  return e ? e : touch(db, id, info);
}

/* ---- deleting ---- */

struct members {
  char names[ERR_TEXT_MAX / 2];
  size_t count;
};

static enum err take_member(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct members *m = arg;
  size_t at = strlen(m->names);
  (void)columns, (void)info;
  if (++m->count > 3)
    snprintf(m->names + at, sizeof m->names - at, " and others");
  else
    snprintf(m->names + at, sizeof m->names - at, "%s\"%.*s\"", at ? ", " : "", STR_ARG(str_cut_utf8(row[0].s, 60)));
  return OK;
}

enum err store_team_delete(struct db *db, int64_t id, struct err_info *info) {
  static const enum db_query clears[] = {DB_TEAM_MODEL_CLEAR, DB_TEAM_NODE_CLEAR, DB_TEAM_DELETE};
  const struct db_value param = db_int(id);
  struct members members = {0};
  store_changed(STORE_CHANGED_TEAMS);
  enum err e = db_run(db, DB_TEAM_MEMBERS, &param, 1, take_member, &members, info);
  if (!e && members.count)
    return err_set(info, ERR_CONFLICT, "the team has members: %s; take them out of it first", members.names);
  if (!e) e = limits_store(db, LIMITS_TEAM, id, STR_NONE, &limits_none, info);
  for (size_t i = 0; !e && i < sizeof clears / sizeof *clears; i++)
    e = db_run(db, clears[i], &param, 1, NULL, NULL, info);
  return e;
}

enum err store_team_import(struct db *db, const struct team *team, struct err_info *info) {
  int64_t id = 0;
  enum err e = store_team_add(db, team->name, &id, info);
  if (!e) e = store_team_set_list(db, STORE_TEAM_MODELS, id, team->models, team->model_count, info);
  if (!e) e = store_team_set_list(db, STORE_TEAM_NODES, id, team->nodes, team->node_count, info);
  return e ? e : store_team_set_limits(db, id, &team->limits, info);
}

enum err store_team_set_model_limits(struct db *db, struct str model, const struct limits *l, struct err_info *info) {
  store_changed(STORE_CHANGED_TEAMS);
  return limits_store(db, LIMITS_MODEL, 0, model, l, info);
}
