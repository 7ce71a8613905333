/* What policy costs a request at 10,000 users: processor time of finding the token's owner, judging the model,
 * reserving money and rates with the user, its team and the model, settling, and telling what is left. Then what a
 * change of one user costs: reading it anew and indexing everybody. Built and run by bench/limits.
 *
 * Every user has limits of each kind, is in one of 100 teams with limits, and has three patterns of models; the model
 * has limits, too. Users come in random order, so that memory is as cold as it would be. Medians of rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "call/call.h"
#include "dialect/openai_chat.h"
#include "gateway/limits.h"
#include "policy/access.h"
#include "policy/principals.h"
#include "state/store/store_team.h"
#include "state/store/store_user.h"

enum { USERS = 10000, TEAMS = 100, ROUNDS = 15, CALLS = 5000, CHANGES = 25 };

static void must(enum err e, const char *what, const struct err_info *info) {
  if (!e) return;
  fprintf(stderr, "limits_cost: %s: %s\n", what, err_info_text(e, info));
  exit(1);
}

static double now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- people ---- */

static const struct limits limits = {.budget_nano_usd = INT64_C(1000000000000),
                                     .period = LEDGER_MONTH,
                                     .requests_per_minute = 100000000,
                                     .requests_per_day = 4000000000,
                                     .tokens_per_minute = 4000000000,
                                     .tokens_per_day = 4000000000,
                                     .concurrency = 1000000,
                                     .min_output = LIMITS_MIN_OUTPUT};

static struct str token_of(unsigned user, char out[64]) {
  return str_from(out, (size_t)snprintf(out, 64, "a-token-of-the-benchmark-with-some-length-%06u", user));
}

static enum err add_user(struct db *db, unsigned i, struct err_info *info) {
  static const struct str patterns[] = {STR("gpt-*"), STR("claude-*"), STR("up/*")};
  struct store_user u = {.is_active = true, .team_id = 1 + i % TEAMS};
  struct user_token token = {.name = STR("default"), .created_us = 1};
  char text[64], name[32];
  enum err e = crypto_sha256(token_of(i, text), &token.hash);
  if (!e) e = store_user_add(db, str_from(name, (size_t)snprintf(name, sizeof name, "user-%u", i)), &u, info);
  if (!e) e = store_user_add_token(db, u.id, &token, info);
  if (!e) e = store_user_set_limits(db, u.id, &limits, info);
  for (size_t k = 0; !e && k < 3; k++) e = store_user_allow(db, STORE_USER_MODELS, u.id, STR_NONE, patterns[k], info);
  return e;
}

static enum err fill(struct db *db, void *arg, struct err_info *info) {
  enum err e = store_team_set_model_limits(db, STR("up/model"), &limits, info);
  (void)arg;
  for (unsigned i = 0; !e && i < TEAMS; i++) {
    char name[32];
    int64_t id;
    e = store_team_add(db, str_from(name, (size_t)snprintf(name, sizeof name, "team-%u", i)), &id, info);
    if (!e) e = store_team_set_limits(db, id, &limits, info);
  }
  for (unsigned i = 0; !e && i < USERS; i++) e = add_user(db, i, info);
  return e;
}

static enum err change(struct db *db, void *arg, struct err_info *info) {
  struct limits l = limits;
  l.requests_per_minute -= 1 + *(unsigned *)arg;
  return store_user_set_limits(db, 1 + *(unsigned *)arg * 97 % USERS, &l, info);
}

static struct principals *build(const struct principals *old) {
  void *out = NULL;
  struct config_diags diags;
  config_diags_init(&diags);
  must(principals_section.build(NULL, NULL, old, &out, &diags), "building the principals", NULL);
  config_diags_clear(&diags);
  return out;
}

/* ---- a request ---- */

enum stage { AUTH, ALLOWLIST, RESERVE, SETTLE, HEADERS, STAGES };

struct bench {
  struct principals *principals;
  struct auth_rules *rules;
  struct catalog_provider provider;
  struct deployment deployment;
  struct endpoint endpoint;
  struct request_context *rc;
  struct call *call;
  unsigned seed;
};

static unsigned next_user(struct bench *b) {
  b->seed = b->seed * 1103515245u + 12345u;
  return (b->seed >> 8) % USERS;
}

/* Everything up to `last`, that many times; nanoseconds each. */
static double round_ns(struct bench *b, enum stage last) {
  struct err_info info = {0};
  struct http_header headers[] = {{STR("Host"), STR("gateway.example:8080")},
                                  {STR("User-Agent"), STR("bench")},
                                  {STR("Content-Type"), STR("application/json")},
                                  {STR("Authorization"), STR_NONE}};
  const struct http_request request = {.method = HTTP_POST,
                                       .method_name = STR("POST"),
                                       .headers = {headers, 4},
                                       .host = STR("gateway.example:8080"),
                                       .has_body = true};
  const struct http_peer peer = {.address = "10.0.0.1", .local_port = 8080};
  const struct auth_call ask = {.request = &request, .peer = &peer, .class = AUTH_CLASS_INFERENCE, .now_us = 1};
  const struct access_target target = {STR("model"), STR("up"), STR("model"), STR("up/model")};
  char bearer[80] = "Bearer ";
  double from = now_ns(CLOCK_THREAD_CPUTIME_ID);
  for (unsigned i = 0; i < CALLS; i++) {
    struct auth_principal who;
    headers[3].value = str_from(bearer, 7 + token_of(next_user(b), bearer + 7).n);
    must(auth_check(b->rules, &ask, &who, &info), "auth", &info);
    if (last == AUTH) continue;
    const struct user *u = principals_user(b->principals, &who);
    if (access_judge(u, principals_team(b->principals, u), &target)) exit(1);
    if (last == ALLOWLIST) continue;
    struct limits_caller caller = {.models = &b->principals->models};
    struct call *c = b->call;
    principals_limits(b->principals, &who, &caller);
    c->limits = &caller;
    c->outcome = (struct call_outcome){0};
    c->price = b->deployment.price; /* as call/translate.h does it */
    must(reserve_begin(c, &info), "begin", &info);
    must(reserve_attempt(c, &b->deployment, &info), "attempt", &info);
    c->outcome.attempts = 1;
    if (last >= SETTLE) {
      c->outcome.upstream_status = 200;
      usage_set(&c->outcome.usage, USAGE_INPUT, 12);
      usage_set(&c->outcome.usage, USAGE_OUTPUT, 30);
    }
    reserve_settle(c, last >= SETTLE ? OK : ERR_CONNECT_FAILED);
    reserve_end(c);
    if (last < HEADERS) continue;
    reply_init(&b->rc->reply, NULL, b->endpoint.dialect);
    if (!limits_add_headers(b->rc, &c->reserve.subjects)) exit(1);
    arena_reset(b->rc->arena);
  }
  return (now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / CALLS;
}

/* What making the token's text and picking a user costs: not of the request. */
static double overhead_ns(struct bench *b) {
  char text[64];
  size_t sum = 0;
  double from = now_ns(CLOCK_THREAD_CPUTIME_ID);
  for (unsigned i = 0; i < CALLS; i++) sum += token_of(next_user(b), text).n + (size_t)text[40];
  *(volatile size_t *)&sum = sum;
  return (now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / CALLS;
}

static void print_request(struct bench *b, bool as_values) {
  static const char *const names[STAGES] = {"owner of the token", "allowlists", "reserve and release", "settle",
                                            "headers"};
  static double rows[STAGES + 1][ROUNDS];
  double before = 0;
  for (int r = 0; r < ROUNDS; r++) {
    rows[STAGES][r] = overhead_ns(b);
    for (unsigned s = 0; s < STAGES; s++) {
      struct err_info info = {0};
      rows[s][r] = round_ns(b, (enum stage)s);
      /* Rows are given back as far as the balances before the last ones go. */
      for (int i = 0; i < 2; i++) must(ledger_flush(&info), "the ledger", &info);
    }
  }
  for (unsigned s = 0; s <= STAGES; s++) qsort(rows[s], ROUNDS, sizeof(double), by_size);
  static const char *const keys[STAGES] = {"auth", "allowlists", "reserve", "settle", "headers"};
  double none = rows[STAGES][ROUNDS / 2];
  if (!as_values)
    printf("%d users, %d teams, one model, all with limits; nanoseconds of processor time a request\n", USERS, TEAMS);
  for (unsigned s = 0; s < STAGES; s++) {
    double up_to = rows[s][ROUNDS / 2] - none;
    if (as_values)
      printf("%s_us=%.2f %s", keys[s], (up_to - before) / 1e3, s == STAGES - 1 ? "\n" : "");
    else
      printf("  %-22s %8.0f   all until here %8.0f\n", names[s], up_to - before, up_to);
    if (as_values && s == SETTLE) printf("policy_us=%.2f ", up_to / 1e3);
    before = up_to;
  }
}

/* ---- a change ---- */

static void print_change(struct bench *b, bool as_values) {
  double whole[CHANGES], one[CHANGES];
  struct err_info info = {0};
  for (unsigned i = 0; i < CHANGES; i++) {
    must(store_write(change, &i, &info), "a change", &info);
    double from = now_ns(CLOCK_MONOTONIC);
    struct principals *next = build(b->principals);
    one[i] = now_ns(CLOCK_MONOTONIC) - from;
    principals_free(b->principals);
    b->principals = next;
    if (i % 5) continue;
    from = now_ns(CLOCK_MONOTONIC);
    principals_free(build(NULL));
    whole[i / 5] = now_ns(CLOCK_MONOTONIC) - from;
  }
  qsort(one, CHANGES, sizeof(double), by_size);
  qsort(whole, CHANGES / 5, sizeof(double), by_size);
  printf(as_values ? "change_ms=%.2f whole_ms=%.0f\n"
                   : "a changed user in force after %.2f ms of reading and indexing; everybody read %.0f ms\n",
         one[CHANGES / 2] / 1e6, whole[CHANGES / 10] / 1e6);
}

int main(int argc, char **argv) {
  bool as_values = argc > 1 && !strcmp(argv[1], "--values"); /* key=value, for bench/run */
  struct err_info info = {0};
  struct arena arena, of_request;
  static char folder[] = "/tmp/maestro-limits-XXXXXX", ledger[64], command[64];
  static struct bench b = {.seed = 1};
  if (!mkdtemp(folder)) return 1;
  arena_init(&arena, 0);
  arena_init(&of_request, 0);
  snprintf(ledger, sizeof ledger, "%s/ledger", folder);
  must(store_start(folder, "bench", &info), "the store", &info);
  must(store_write(fill, NULL, &info), "the users", &info);
  must(ledger_open(ledger, 1, NULL, &info), "the ledger", &info);
  ledger_worker_attach(0);
  b.principals = build(NULL);
  const struct auth_rules_input input = {
      .has_users = true, .is_key_set_by_person = true, .find = principals_find, .find_arg = b.principals};
  must(auth_rules_new(&arena, &input, &b.rules, &info), "the rules", &info);
  b.provider.provider.id = STR("up");
  b.deployment = (struct deployment){.at = &b.provider,
                                     .model = STR("model"),
                                     .qualified = STR("up/model"),
                                     .price = {.nano_usd_per_mtok = {1000000, 2000000}, .known = 3},
                                     .context_tokens = 128000,
                                     .output_tokens = 4096};
  b.endpoint.dialect = &dialect_openai_chat;
  b.rc = ARENA_NEW(&arena, struct request_context);
  b.call = ARENA_NEW(&arena, struct call);
  struct dialect_request *request = ARENA_NEW(&arena, struct dialect_request);
  if (!b.rc || !b.call || !request) return 1;
  b.rc->arena = &of_request;
  b.rc->endpoint = &b.endpoint;
  request->max_tokens = 200;
  b.call->request = request;
  b.call->reply_id = STR("tr_0123456789abcdef");
  b.call->body =
      STR("{\"model\":\"model\",\"max_tokens\":200,\"messages\":[{\"role\":\"user\",\"content\":\"Say hello to the "
          "people who read what benchmarks print, and be brief.\"}]}");
  print_request(&b, as_values);
  print_change(&b, as_values);
  principals_free(b.principals);
  ledger_worker_detach();
  ledger_close();
  store_stop();
  arena_clear(&of_request);
  arena_clear(&arena);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command);
}
