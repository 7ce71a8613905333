/* Which node is meant: see node_choice.h. */
#include "gateway/node_choice.h"

#include "call/manage.h"
#include "gateway/permit.h"
#include "route/resolve.h"

enum { SHOWN = 120 /* bytes of a name in a message */, CODES_BYTES = 320 };

enum err node_choice_check(const struct catalog_provider *at, struct err_info *info) {
  if (!manage_is_possible(at))
    return err_set(info, ERR_NOT_SERVED, "\"%.*s\" is no Ollama node: its models cannot be managed here",
                   STR_ARG(at->provider.id));
  if (at->is_ready) return OK;
  return err_set(info, ERR_NO_CREDENTIAL, "the node \"%.*s\" has no credential", STR_ARG(at->provider.id));
}

static enum err no_name(const char *param, struct err_info *info) {
  return err_set_param(info, ERR_MISSING, param, "\"%s\" is required", param);
}

static enum err check(struct request_context *rc, const struct node_choice *c, struct str name, const char *param,
                      unsigned flags, struct err_info *info) {
  if (!c->model.n) return no_name(param, info);
  if (!node_model_name_is_valid(c->model))
    return err_set_param(info, ERR_BAD_VALUE, param, "\"%s\" is no name that a model can have", param);
  enum err e = node_choice_check(c->at, info);
  if (!e && !(flags & NODE_CHOICE_UNBOUND)) e = permit_model_at(rc, &c->at->provider, name, c->model, info);
  return e;
}

/* What names its node. *found: it did. */
static enum err by_code(struct request_context *rc, struct str name, struct node_choice *out, bool *found,
                        struct err_info *info) {
  struct str code, model;
  *found = true;
  if (resolve_is_of_node(name)) return resolve_node(rc->catalog, name, &out->at, &out->model, info);
  const struct catalog_provider *at =
      str_cut(name, '/', &code, &model) ? map_get(&rc->catalog->by_provider, code) : NULL;
  if (at)
    *out = (struct node_choice){at, model};
  else
    *found = false;
  return OK;
}

static bool lists(const struct request_context *rc, const struct catalog_provider *at, struct str model) {
  char room[NODE_MODEL_NAME_MAX + sizeof ":latest"];
  struct str plain = resolve_untagged(model);
  struct buf tagged = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  if (catalog_find(rc->catalog, at->provider.id, plain)) return true;
  buf_put(&tagged, plain);
  buf_put(&tagged, RESOLVE_LATEST);
  return !tagged.failed && catalog_find(rc->catalog, at->provider.id, buf_str(&tagged));
}

/* What was seen of all nodes on the way to the one. */
struct survey {
  size_t nodes, permitted, holders;
  enum err fault; /* of the last that may not be chosen */
  const struct catalog_provider *only, *holder;
  char codes[CODES_BYTES]; /* of those that may be chosen */
  struct buf text;
};

static void look(struct request_context *rc, struct str name, const char *param, unsigned flags, struct survey *s,
                 struct err_info *info) {
  s->text = (struct buf){.p = s->codes, .cap = sizeof s->codes, .limit_bytes = sizeof s->codes};
  for (size_t i = 0; i < rc->catalog->provider_count; i++) {
    const struct catalog_provider *at = &rc->catalog->providers[i];
    const struct node_choice one = {at, name};
    if (!manage_is_possible(at)) continue;
    s->nodes++;
    enum err e = check(rc, &one, name, param, flags, info);
    if (e) {
      s->fault = e;
      continue;
    }
    s->permitted++;
    s->only = at;
    if (lists(rc, at, name)) s->holders++, s->holder = at;
    size_t before = s->text.n;
    if (before) buf_put(&s->text, STR(", "));
    buf_put(&s->text, at->provider.id);
    if (s->text.failed) s->text.n = before; /* the rest does not fit */
  }
}

static enum err among_all(struct request_context *rc, struct str name, const char *param, unsigned flags,
                          struct node_choice *out, struct err_info *info) {
  struct survey s = {0};
  struct err_info why = {0};
  look(rc, name, param, flags, &s, &why);
  if (s.nodes == 0) return err_set(info, ERR_NOT_SERVED, "there is no Ollama node whose models could be managed");
  if (s.permitted == 0) {
    *info = why;
    return s.fault;
  }
  const struct catalog_provider *at = s.permitted == 1 ? s.only : NULL;
  if (!at && flags & NODE_CHOICE_HOLDER && s.holders == 1) at = s.holder;
  if (!at && flags & NODE_CHOICE_HOLDER && s.holders == 0)
    return err_set_param(info, ERR_MODEL_NOT_FOUND, param, "model '%.*s' not found: no Ollama node lists it",
                         STR_ARG(str_cut_utf8(name, SHOWN)));
  if (!at)
    return err_set_param(info, ERR_BAD_VALUE, param,
                         "several Ollama nodes could be meant (%.*s): write \"node:<code>:%.*s\"",
                         STR_ARG(buf_str(&s.text)), STR_ARG(str_cut_utf8(name, SHOWN)));
  *out = (struct node_choice){at, name};
  return OK;
}

enum err node_choice_find(struct request_context *rc, struct str name, const char *param, unsigned flags,
                          struct node_choice *out, struct err_info *info) {
  struct node_choice c;
  bool found;
  if (!name.n) return no_name(param, info);
  enum err e = by_code(rc, name, &c, &found, info);
  if (!e && found) e = check(rc, &c, name, param, flags, info);
  if (!e && !found) e = among_all(rc, name, param, flags, &c, info);
  if (!e) *out = c;
  return e;
}

enum err node_choice_same(struct request_context *rc, struct str name, const char *param, unsigned flags,
                          const struct catalog_provider *at, struct str *model, struct err_info *info) {
  struct node_choice c = {at, name};
  bool found;
  if (!name.n) return no_name(param, info);
  enum err e = by_code(rc, name, &c, &found, info);
  if (!e && found && c.at != at)
    return err_set_param(info, ERR_BAD_VALUE, param, "both models must be of one node, which is \"%.*s\" here",
                         STR_ARG(at->provider.id));
  if (!e) e = check(rc, &c, name, param, flags, info);
  if (!e) *model = c.model;
  return e;
}
