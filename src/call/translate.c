/* Translation: see translate.h. */
#include "call/translate.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "call/count.h"
#include "call/shape.h"
#include "io/pool.h"

enum {
  POOL_BYTES = 256 * 1024, /* a larger body is decoded and encoded off the loop */
  COUNT_POOL_BYTES = 32 * 1024,
  CHOICES_MAX = 64 /* whose ends are told apart */
};

/* ---- the request ---- */

struct work {
  struct call *call;
  const struct dialect *target;
  struct dialect_target as;
  struct err_info *info;
  struct count_result count; /* of do_count */
  struct route_shape shape;  /* of do_shape */
  struct envelope_scan *scan;
  struct shape_done done;
};

static void clear_arena(void *arena) { arena_clear(arena); }

static bool has_work_arena(struct call *c) {
  if (c->work) return true;
  if (c->body.n <= POOL_BYTES) {
    c->work = c->arena;
    return true;
  }
  struct arena *own = ARENA_NEW(c->arena, struct arena);
  if (!own) return false;
  arena_init(own, 0);
  if (!arena_on_clear(c->arena, clear_arena, own)) return false;
  c->work = own;
  return true;
}

static enum err decode_body(struct call *c, struct str body, struct request *r, struct err_info *info) {
  /* Clients that cut texts by UTF-16 leave half a character behind, in their history for good. */
  static const struct json_limits limits = {.numbers_are_raw = true, .mends_halves = true};
  struct json doc;
  enum err e = json_parse_copy(&doc, body, &limits, c->work, info);
  return e ? e : c->dialect->decode_request(c->work, doc.root, c->request, r, info);
}

/* Where the caller has the tool that is the `at`-th of those that are left. */
static uint32_t place_among(uint64_t gone, uint32_t at) {
  uint32_t i = 0;
  for (; i < 64 && gone >> i; i++)
    if (!(gone >> i & 1) && at-- == 0) return i;
  return i + at;
}

/* Places as the caller counts them: nothing has to be named of what was put in front. */
static void count_as_caller(const struct call *c, struct request *r) {
  for (size_t i = 0; c->has_first && i < r->item_count; i++)
    if (r->items[i].source && r->items[i].source != UINT32_MAX) r->items[i].source--;
  for (size_t i = 0; c->gone_tools && i < r->tool_count; i++)
    r->tools[i].source = place_among(c->gone_tools, r->tools[i].source);
}

static enum err decode(struct call *c, struct err_info *info) {
  struct request *r = ARENA_NEW(c->work, struct request);
  if (!r) return ERR_NO_MEMORY;
  enum err e = decode_body(c, c->body, r, info), asked = OK;
  if (e && c->asked_body.n)
    asked = decode_body(c, c->asked_body, r, info); /* the same fault, where the caller has it */
  if (e) return asked ? asked : e;
  count_as_caller(c, r);
  c->canonical = r;
  c->mended_for = NULL;
  return OK;
}

static enum err refuse_lone(const struct call *c, const struct dialect *target, const struct request_place *lone,
                            struct err_info *info) {
  char path[ERR_PARAM_MAX];
  request_path(&c->dialect->words, lone->item, lone->part, NULL, path);
  return err_set_param(info, ERR_UNSUPPORTED, path, "%s, which the %.*s API does not take",
                       lone->part->kind == PART_TOOL_CALL ? "a call without its result" : "a result without its call",
                       STR_ARG(target->name));
}

/* What other dialects want of a request and its own does not. */
static enum err mend(struct call *c, const struct dialect *target, struct err_info *info) {
  struct request_place lone;
  c->mended_for = target;
  enum err e = c->dialect->returns_pieces ? request_join_pieces(c->work, c->canonical) : OK;
  if (!e) e = request_pair_calls(c->work, c->canonical, &lone);
  if (!e && target->pairs_calls && lone.part) e = refuse_lone(c, target, &lone, info);
  return e ? e : signatures_restore(c, c->canonical, target);
}

static enum err do_work(void *arg) {
  struct work *w = arg;
  struct call *c = w->call;
  bool is_good = c->canonical && (!c->mended_for || c->mended_for == w->target);
  enum err e = is_good ? OK : decode(c, w->info);
  if (!e) e = reserve_limit_request(c);
  if (!e) e = caps_check(c->canonical, w->target->name, w->target->caps, &c->dialect->words, &c->dropped, w->info);
  if (!e && w->target != c->dialect) e = mend(c, w->target, w->info);
  buf_reset(&c->encoded);
  if (!e) e = w->target->encode_request(c->canonical, &w->as, c->work, &c->encoded, w->info);
  return e ? e : c->encoded.failed ? ERR_NO_MEMORY : OK;
}

static enum err do_decode(void *arg) {
  struct work *w = arg;
  return w->call->canonical ? OK : decode(w->call, w->info);
}

static enum err do_count(void *arg) {
  struct work *w = arg;
  w->count = count_request(w->call->canonical, w->as.model);
  return OK;
}

static void keep(void *arg) { (void)arg; } /* the work lies in the arena; the shield lets no one clear it too early */

/* Large bodies go to the pool. A cancel waits for the job, which holds the exchange's arena: milliseconds. */
static enum err run(enum err (*job)(void *), struct work *w, bool is_long) {
  enum err result = ERR_INTERNAL;
  if (!is_long) return job(w);
  fiber_shield_begin(DEADLINE_NONE);
  enum err e = fiber_await(POOL_CPU, job, w, keep, DEADLINE_NONE, &result);
  fiber_shield_end();
  if (e == ERR_BUSY) return job(w); /* every place in the queue is taken */
  return fiber_is_cancelled() ? ERR_CANCELLED : e ? e : result;
}

static enum err do_shape(void *arg) {
  struct work *w = arg;
  struct call *c = w->call;
  enum err e = shape_body(&w->shape, c->dialect, c->request->operation, c->body, c->work, &c->shaped, &w->done,
                          &c->unshaped, w->info);
  if (e || !w->done.is_changed) return e;
  if (!(w->scan = arena_alloc(c->work, sizeof *w->scan))) return ERR_NO_MEMORY;
  return envelope_scan_whole(w->scan, c->dialect->request_table(), NULL, c->work, buf_str(&c->shaped), w->info);
}

/* Another body: what was decoded is not it. */
static void take_body(struct call *c, struct str body, const struct envelope_scan *scan) {
  c->body = body;
  c->scan = scan;
  c->canonical = NULL;
}

enum err translate_shape(struct call *c, const struct deployment *d, struct err_info *info) {
  struct route_shape shape;
  enum err e = route_names_shape(c->names, c->request->model, d, c->user, c->arena, &shape);
  if (e) return e;
  c->rule = shape.rule;
  if (shape.is_closed)
    return err_set_param(info, ERR_MAINTENANCE, "model", "the model \"%.*s\" is closed for maintenance",
                         STR_ARG(str_cut_utf8(c->request->model, 120)));
  if (c->asked_body.n) take_body(c, c->asked_body, c->asked_scan);
  c->asked_body = STR_NONE;
  c->has_first = false;
  c->gone_tools = 0;
  c->context_tokens = shape.context_tokens;
  caps_dropped_clear(&c->unshaped);
  caps_dropped_init(&c->unshaped);
  if (!shape_is_wanted(&shape, c->request->operation)) return OK;
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .info = info, .shape = shape};
  e = run(do_shape, w, c->body.n > POOL_BYTES);
  if (!e) e = attempt_hold(c, 0, info);
  if (e || !w->done.is_changed) return e;
  c->has_first = w->done.has_first;
  c->gone_tools = w->done.gone;
  c->asked_body = c->body;
  c->asked_scan = c->scan;
  take_body(c, buf_str(&c->shaped), w->scan);
  return OK;
}

enum err translate_request(struct call *c, const struct deployment *d, const struct dialect *target, bool ask_usage,
                           struct str *body, struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c,
                     .target = target,
                     .as = {.model = d->model,
                            .ask_usage = ask_usage,
                            .max_tokens = d->output_tokens,
                            .dropped = &c->dropped,
                            .is_vendor = d->at->provider.is_vendor,
                            .context_tokens = c->context_tokens},
                     .info = info};
  enum err e = run(do_work, w, c->body.n > POOL_BYTES);
  if (!e) e = attempt_hold(c, 0, info);
  if (!e) *body = buf_str(&c->encoded);
  return e;
}

enum err translate_decode(struct call *c, struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .info = info};
  return run(do_decode, w, c->body.n > POOL_BYTES);
}

enum err translate_tools(void *call, const struct request **out, struct err_info *info) {
  struct call *c = call;
  enum err e = c->canonical ? OK : translate_decode(c, info);
  if (!e) *out = c->canonical;
  return e;
}

/* ---- what all kinds of answers share ---- */

static void put_receipt(void *arg, struct buf *out) {
  struct call *c = arg;
  attempt_estimate(c, c->outcome.deployment);
  c->outcome.duration_us = clock_mono_us() - c->outcome.started_us;
  c->put_receipt(c->receipt_arg, &c->outcome, out);
}

struct dialect_exchange translate_exchange(struct call *c, const struct deployment *d, bool with_receipt) {
  return (struct dialect_exchange){
      .arena = c->arena,
      .reply_id = c->reply_id,
      .created_s = clock_wall_us() / 1000000,
      .began_us = c->outcome.started_us,
      .model = attempt_reply_edits(c, d).model,
      .wants_usage = c->request->wants_usage,
      .is_array = c->request->is_array,
      .request = c->canonical,
      .put_receipt = with_receipt && c->put_receipt ? put_receipt : NULL,
      .receipt_arg = c,
  };
}

enum err translate_provider_error(const struct deployment *d, struct http_headers headers, struct str body,
                                  struct err_info *info) {
  const struct provider *p = &d->at->provider;
  return p->type->classify_failure(p, 0, headers, body, info);
}

/* ---- a count of tokens ---- */

/* Counting takes longer than decoding, and needs no arena. */
enum err translate_count_input(struct call *c, const struct deployment *d, struct count_result *count,
                               struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .as = {.model = d->model}, .info = info};
  enum err e = run(do_decode, w, c->body.n > POOL_BYTES);
  if (!e) e = run(do_count, w, c->body.n > COUNT_POOL_BYTES || !count_is_ready(d->model));
  if (!e) *count = w->count;
  return e;
}

enum err translate_count(struct call *c, const struct deployment *d, struct err_info *info) {
  struct answer *answer = arena_alloc(c->arena, sizeof *answer);
  struct count_result count;
  if (!answer) return ERR_NO_MEMORY;
  enum err e = translate_count_input(c, d, &count, info);
  if (e) return e;
  usage_set(&c->outcome.usage, USAGE_INPUT, count.tokens);
  c->outcome.usage.is_estimated = true;
  struct dialect_exchange x = translate_exchange(c, d, false);
  answer_init(answer, c->arena, 0);
  answer->usage = c->outcome.usage;
  answer->has_usage = answer->is_ended = true;
  c->dialect->encode_reply(&x, answer, &c->reply);
  answer_clear(answer);
  return c->reply.failed ? ERR_NO_MEMORY : OK;
}
