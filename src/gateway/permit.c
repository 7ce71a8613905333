/* What this caller may use: see permit.h. */
#include "gateway/permit.h"

#include "policy/access.h"
#include "policy/principals.h"

/* A principal that is a user but in no list (which no snapshot makes) may use nothing. */
static const struct user nobody;

/* Whose lists apply; user NULL: nobody's. */
struct lists {
  const struct user *user;
  const struct team *team;
};

static struct lists lists_of(const struct request_context *rc) {
  if (rc->principal.kind != AUTH_USER) return (struct lists){0};
  const struct user *u = principals_user(rc->principals, &rc->principal);
  return u ? (struct lists){u, principals_team(rc->principals, u)} : (struct lists){&nobody, NULL};
}

struct str permit_user_name(const struct request_context *rc) {
  const struct user *user = lists_of(rc).user;
  return user ? user->name : STR("");
}

static enum access judge(const struct lists *l, const struct deployment *d, struct str asked) {
  const struct access_target target = {asked, d->at->provider.id, d->model, d->qualified};
  return access_judge(l->user, l->team, &target);
}

bool permit_shows(const struct request_context *rc, const struct deployment *d) {
  const struct lists l = lists_of(rc);
  return !l.user || judge(&l, d, STR_NONE) == ACCESS_GRANTED;
}

static enum err refuse(enum access why, struct err_info *info) {
  static const char *const texts[] = {
      [ACCESS_NO_MODEL] = "you have no access to this model",
      [ACCESS_NO_NODE] = "you have no access to a provider of this model",
      [ACCESS_NO_NODE_MODEL] = "you have no access to this model at its provider",
      [ACCESS_TEAM_NO_MODEL] = "your team has no access to this model",
      [ACCESS_TEAM_NO_NODE] = "your team has no access to a provider of this model",
  };
  return err_set_param(info, ERR_FORBIDDEN, "model", "%s; an administrator can allow it", texts[why]);
}

enum err permit_manage(const struct request_context *rc, struct err_info *info) {
  const struct user *user = lists_of(rc).user;
  if (!user || user->can_manage_ollama || rc->principal.role == USER_ROLE_ADMIN) return OK;
  return err_set(info, ERR_FORBIDDEN, "you may not manage models; an administrator can allow it (can_manage_ollama)");
}

bool permit_is_bound(const struct request_context *rc) {
  const struct lists l = lists_of(rc);
  return l.user && (!l.user->has_all_models || l.user->node_model_count || (l.team && l.team->model_count));
}

static enum access judge_at(const struct lists *l, const struct provider *at, struct str asked, struct str qualified) {
  const struct access_target target = {asked, at->id, str_sub(qualified, at->id.n + 1, qualified.n), qualified};
  return access_judge(l->user, l->team, &target);
}

enum err permit_model_at(const struct request_context *rc, const struct provider *at, struct str asked,
                         struct str model, struct err_info *info) {
  const struct lists l = lists_of(rc);
  char room[NODE_CODE_MAX + 2 * NODE_MODEL_NAME_MAX];
  struct buf b = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  if (!l.user) return OK;
  buf_put(&b, at->id);
  buf_put_char(&b, '/');
  buf_put(&b, resolve_untagged(model));
  struct str plain = buf_str(&b);
  buf_put(&b, RESOLVE_LATEST);
  if (b.failed) return err_set_param(info, ERR_BAD_VALUE, "model", "the model's name is too long");
  enum access why = judge_at(&l, at, asked, plain);
  return !why || !judge_at(&l, at, asked, buf_str(&b)) ? OK : refuse(why, info);
}

struct judging {
  const struct lists *lists;
  struct str name;
  enum access why; /* how far the nearest one came */
};

static bool is_allowed(void *arg, const struct deployment *d) {
  struct judging *j = arg;
  enum access said = judge(j->lists, d, j->name);
  if (said > j->why) j->why = said;
  return said == ACCESS_GRANTED;
}

static enum err keep_allowed(struct request_context *rc, const struct lists *lists, struct str name,
                             struct resolution *r, struct err_info *info) {
  struct judging j = {lists, name, ACCESS_NO_MODEL};
  enum err e = resolve_keep(rc->arena, r, is_allowed, &j);
  return e || r->n ? e : refuse(j.why, info);
}

enum err permit_resolve(struct request_context *rc, struct str name, struct resolution *out, struct err_info *info) {
  const struct lists lists = lists_of(rc);
  struct resolution r;
  enum err e = resolve_name(rc->catalog, rc->names, rc->arena, name, &r, info);
  if (!e && lists.user) e = keep_allowed(rc, &lists, name, &r, info);
  if (!e) *out = r;
  if (e != ERR_MODEL_NOT_FOUND || !lists.user) return e;
  return err_set_param(
      info, e, "model",
      "no model of this name is known, or you have no access to it; GET /v1/models lists what you may use");
}

enum err permit_still(const struct request_context *rc, struct err_info *info) {
  const struct snapshot *now = snapshot_current();
  if (now == rc->snapshot || !now || principals_is_live(snapshot_get(now, GATEWAY_PRINCIPALS), &rc->principal))
    return OK;
  return err_set(info, ERR_UNAUTHENTICATED, "the credential was revoked while the request ran");
}
