/* Nodes asked on demand: see nodes_ask.h. */
#include "admin/nodes/nodes_ask.h"

#include <stdio.h>

#include "admin/nodes/nodes_find.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "jobs/node_refresh.h"
#include "route/runtime.h"

enum { HEALTH_MS = 5000, LIST_MS = 15000, ALL_MS = 120000 };

struct question {
  struct http_client *client;
  const struct catalog_provider *at;
  struct str target; /* of the health check; empty: the list of models */
  uint32_t timeout_ms;
  struct arena arena; /* of what it answers: a list may be long */
  bool wants_models;
  struct discovery_models models;
  enum err fault;
  struct err_info info;
};

/* Whoever asks, the answer tells how the provider is. */
static void note_health(const struct question *q, uint32_t latency_ms) {
  struct runtime_health health = {.at_us = clock_wall_us(), .fault = q->fault, .latency_ms = latency_ms};
  if (q->fault)
    provider_sanitise(&q->at->provider, str_from_c(err_info_text(q->fault, &q->info)), health.text, sizeof health.text);
  runtime_set_health(q->at->runtime, &health);
}

static enum err ask(void *arg) {
  struct question *q = arg;
  uint32_t latency_ms = 0;
  q->fault = discovery_ask(q->client, &q->at->provider, q->target, q->timeout_ms, &q->arena,
                           q->wants_models ? &q->models : NULL, &latency_ms, &q->info);
  if (q->fault == ERR_CANCELLED) return q->fault;
  note_health(q, latency_ms);
  return OK;
}

/* ---- health ---- */

/* The path of the node's own health check; it was checked to be of the same origin. */
static struct str health_target(const struct node *node) {
  struct str url = node->health_url;
  size_t host = str_find(url, STR("://"));
  struct str rest = host == SIZE_MAX ? STR_NONE : str_sub(url, host + 3, url.n);
  size_t slash = str_find_char(rest, '/');
  if (!url.n) return STR_NONE;
  return slash == SIZE_MAX ? STR("/") : str_sub(rest, slash, rest.n);
}

void nodes_health_check(struct request_context *rc) {
  struct err_info info = {0};
  struct nodes_found found;
  struct str name, item;
  struct buf b;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &name, &item, &info);
  if (!e) e = nodes_find_any(rc, name, &found, &info);
  if (!e) e = nodes_check_use(&found, &info);
  bool can_ask = !e && (found.node.health_url.n || !found.state.at->provider.has_no_list); /* else it is unknown */
  if (can_ask) {
    struct question q = {.client = rc->worker->client,
                         .at = found.state.at,
                         .target = health_target(&found.node),
                         .timeout_ms = HEALTH_MS};
    q.wants_models = !q.target.n;
    arena_init(&q.arena, 0);
    e = ask(&q);
    arena_clear(&q.arena);
  }
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  nodes_json_put_who(&b, &found.node);
  nodes_json_put_health(&b, found.state.at);
  json_out_end(&b, '}');
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

/* ---- models ---- */

static enum err take_models(const struct question *q, struct arena *a, struct nodes_answer *out) {
  bool changed;
  enum err e = node_refresh_models(a, &q->models, &out->v, &out->n);
  return e ? e : node_refresh_note(a, q->at->provider.id, out->v, out->n, &changed);
}

/* For the change's own memory: the snapshot may be gone when the pool is at it. */
static enum err begin_answer(struct change *c, const struct node *node, struct nodes_answer *out) {
  *out = (struct nodes_answer){
      .code = arena_dup(c->arena, node->p.id), .name = arena_dup(c->arena, node->name), .id = node->id};
  return out->code.p && out->name.p ? OK : ERR_NO_MEMORY;
}

static struct nodes_answers *answers_new(struct change *c, size_t room) {
  struct nodes_answers *all = ARENA_NEW(c->arena, struct nodes_answers);
  if (all) all->v = ARENA_NEW_ARRAY(c->arena, struct nodes_answer, room + 1);
  return all && all->v ? all : NULL;
}

static void question_init(struct question *q, const struct request_context *rc, const struct catalog_provider *at) {
  *q = (struct question){.client = rc->worker->client, .at = at, .timeout_ms = LIST_MS, .wants_models = true};
  arena_init(&q->arena, 0);
}

static enum err take_answer(struct change *c, const struct question *q, struct nodes_answers *all) {
  struct nodes_answer *answer = &all->v[all->n++];
  enum err e = begin_answer(c, q->at->node, answer);
  answer->fault = q->fault;
  if (!e && !q->fault) return take_models(q, c->arena, answer);
  if (!e)
    provider_sanitise(&q->at->provider, str_from_c(err_info_text(q->fault, &q->info)), answer->text,
                      sizeof answer->text);
  return e;
}

enum err nodes_ask_one(struct request_context *rc, struct change *c, struct err_info *info) {
  struct nodes_found found;
  struct question q;
  struct nodes_answers *all = answers_new(c, 1);
  if (!all) return ERR_NO_MEMORY;
  exchange_adopt(rc);
  enum err e = nodes_find_stored(rc, c->name, &found, info);
  if (!e) e = nodes_check_use(&found, info);
  if (!e && found.state.at->provider.has_no_list)
    e = err_set(info, ERR_CONFLICT, "the address of this type has no list of models; add them one by one");
  if (e) return e;
  question_init(&q, rc, found.state.at);
  e = ask(&q);
  if (!e) e = take_answer(c, &q, all);
  arena_clear(&q.arena);
  c->in = all;
  if (!e && all->v[0].fault) e = err_set(info, all->v[0].fault, "%s", all->v[0].text);
  return e;
}

static enum err ask_some(struct question *v, size_t n, uint64_t deadline_us) {
  struct fiber_group group;
  enum err e = OK;
  fiber_group_init(&group);
  for (size_t i = 0; !e && i < n; i++) e = fiber_group_go(&group, ask, &v[i]);
  if (!e) e = fiber_group_join_all(&group, deadline_us);
  fiber_group_end(&group);
  return e;
}

enum err nodes_ask_all(struct request_context *rc, struct change *c, struct err_info *info) {
  enum { AT_ONCE = FIBER_GROUP_MAX };
  uint64_t deadline = clock_deadline_ms(ALL_MS);
  exchange_adopt(rc);
  const struct catalog *catalog = rc->catalog;
  struct nodes_answers *all = answers_new(c, catalog->provider_count);
  struct question *questions = ARENA_NEW_ARRAY(c->arena, struct question, AT_ONCE);
  enum err e = all && questions ? OK : ERR_NO_MEMORY;
  (void)info;
  for (size_t next = 0; !e && next < catalog->provider_count;) {
    size_t n = 0;
    for (; next < catalog->provider_count && n < AT_ONCE; next++) {
      const struct catalog_provider *at = &catalog->providers[next];
      if (at->node && at->is_ready && !at->provider.has_no_list) question_init(&questions[n++], rc, at);
    }
    e = ask_some(questions, n, deadline);
    for (size_t i = 0; i < n; i++) {
      if (!e) e = take_answer(c, &questions[i], all);
      arena_clear(&questions[i].arena);
    }
  }
  c->in = all;
  return e;
}

static const struct schema_member nodes_ask_health_rows[] = {
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {NULL, SCHEMA_PART, .of = &nodes_json_health_schema},
};
const struct schema nodes_ask_health_schema = SCHEMA_OF("NodeHealth", nodes_ask_health_rows);
