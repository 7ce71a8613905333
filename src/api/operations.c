/* What operators and their tools ask: see operations.h. */
#include "api/operations.h"

#include <stdatomic.h>

#include "base/metrics.h"
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "gateway/stored.h"
#include "policy/principals.h"

/* Globals: set by main, once before serving and once at its end. */
static void (*before_scrape)(void);
static atomic_bool is_draining;

void operations_on_scrape(void (*fn)(void)) { before_scrape = fn; }
void operations_set_draining(void) { atomic_store(&is_draining, true); }

static void answer(struct request_context *rc, int status, struct str body) {
  enum err e = reply_json(&rc->reply, status, body);
  if (e) rc->error = e;
}

void operations_hello(struct request_context *rc) { rc->error = reply_json(&rc->reply, 200, STR("{}")); }

void operations_health(struct request_context *rc) { answer(rc, 200, STR("{\"status\":\"healthy\"}")); }

void operations_readyz(struct request_context *rc) {
  if (atomic_load(&is_draining))
    answer(rc, 503, STR("{\"status\":\"draining\"}"));
  else
    answer(rc, 200, STR("{\"status\":\"ready\"}"));
}

/* Budgets and rates: of all accounts to those who administer, else the caller's own. */
static void put_money(struct request_context *rc, struct buf *b) {
  struct ledger_stats s;
  bool sees_all = auth_may(&rc->principal, AUTH_CLASS_API_CHANGE) || rc->principal.kind == AUTH_LOCAL;
  ledger_stats(&s);
  buf_put(b, STR(",\"limits\":"));
  limits_put_json(snapshot_get(rc->snapshot, GATEWAY_LIMITS), sees_all ? NULL : &rc->principal, b);
  buf_printf(b, ",\"journal\":{\"durable\":%s,\"in_flight\":%u,\"recovered\":%llu,\"torn\":%llu}",
             ledger_is_durable() && !s.is_writing_bad ? "true" : "false", s.in_flight, (unsigned long long)s.recovered,
             (unsigned long long)s.torn);
}

static void put_fault(struct buf *b, enum err fault, const char *text) {
  if (!fault) return;
  buf_put(b, STR(",\"code\":"));
  buf_put_json(b, str_from_c(err_code(fault)));
  buf_put(b, STR(",\"detail\":"));
  buf_put_json(b, str_from_c(text));
}

/* Serving goes on without it, so the status stays "ok"; whoever watches it looks here. */
static void put_store(struct buf *b, const struct principals *principals) {
  static const char *const sources[] = {
      [STORE_NONE] = "none", [STORE_DB] = "store", [STORE_KEPT] = "last_known", [STORE_UNKNOWN] = "unknown"};
  struct store_status status;
  store_status(&status);
  buf_put(b, STR(",\"store\":{\"status\":"));
  buf_put_json(b, !status.is_started ? STR("none") : status.fault ? STR("failing") : STR("ok"));
  put_fault(b, status.fault, status.text);
  buf_put(b, STR(",\"schema_version\":"));
  buf_put_u64(b, status.version);
  buf_put(b, STR(",\"users\":"));
  buf_put_u64(b, principals->people.user_count);
  buf_put(b, STR(",\"users_from\":"));
  buf_put_json(b, str_from_c(sources[principals->source]));
  buf_put_char(b, '}');
}

/* Stored responses: with a file that does not work they are kept in memory, where the oldest may go unwritten. */
static void put_responses(struct buf *b) {
  struct stored_response_status s;
  if (!stored_get()) return;
  stored_response_status(stored_get(), &s);
  buf_put(b, STR(",\"responses\":{\"status\":"));
  buf_put_json(b, !s.has_file ? STR("memory") : s.fault ? STR("failing") : STR("ok"));
  put_fault(b, s.fault, s.text);
  buf_printf(b, ",\"stored\":%zu,\"stored_bytes\":%zu,\"waiting\":%zu,\"lost\":%llu}", s.written.count, s.written.bytes,
             s.waiting.count, (unsigned long long)s.lost);
}

void operations_healthz(struct request_context *rc) {
  const struct catalog *c = rc->catalog;
  struct buf b;
  if (!auth_may(&rc->principal, AUTH_CLASS_API_READ)) {
    answer(rc, 200, STR("{\"status\":\"ok\"}"));
    return;
  }
  buf_init(&b, 0);
  buf_put(&b, STR("{\"status\":\"ok\",\"version\":\"" MAESTRO_VERSION "\",\"providers_configured\":["));
  bool first = true, has_real = false;
  for (size_t i = 0; i < c->provider_count; i++) {
    if (!c->providers[i].is_ready) continue;
    if (!first) buf_put_char(&b, ',');
    buf_put_json(&b, c->providers[i].provider.id);
    first = false;
    has_real = has_real || !c->providers[i].is_demo;
  }
  buf_put(&b, STR("],\"has_real_provider\":"));
  buf_put(&b, has_real ? STR("true") : STR("false"));
  buf_put(&b, STR(",\"models\":"));
  buf_put_u64(&b, c->deployment_count);
  buf_put(&b, STR(",\"registry_models\":"));
  buf_put_u64(&b, c->registry->model_count);
  buf_put(&b, STR(",\"registry_age_days\":"));
  buf_put_i64(&b, registry_age_days(c->registry, clock_wall_us()));
  put_money(rc, &b);
  buf_put(&b, STR(",\"epoch\":"));
  buf_put_u64(&b, snapshot_epoch(rc->snapshot));
  put_store(&b, snapshot_get(rc->snapshot, GATEWAY_PRINCIPALS));
  put_responses(&b);
  buf_put_char(&b, '}');
  exchange_answer(rc, 200, &b);
  buf_clear(&b);
}

void operations_metrics(struct request_context *rc) {
  struct buf b;
  buf_init(&b, 0);
  if (before_scrape) before_scrape();
  /* A plain user is not told what others spend, as at /healthz. */
  metrics_write(&b, rc->principal.kind != AUTH_USER || auth_may(&rc->principal, AUTH_CLASS_API_READ));
  enum err e = reply_body(&rc->reply, 200, STR(METRICS_CONTENT_TYPE), buf_str(&b));
  if (e) rc->error = e;
  buf_clear(&b);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member operations_health_rows[] = {
    {"status", SCHEMA_WORD, .words = "healthy", .help = "it answers"},
};
const struct schema operations_health_schema = SCHEMA_OF("Health", operations_health_rows);

static const struct schema_member operations_readyz_rows[] = {
    {"status", SCHEMA_WORD, .words = "ready|draining", .help = "draining: with status 503"},
};
const struct schema operations_readyz_schema = SCHEMA_OF("Ready", operations_readyz_rows);

static const struct schema_member journal_rows[] = {
    {"durable", SCHEMA_BOOL, .help = "whether what is spent outlives a crash"},
    {"in_flight", SCHEMA_COUNT, .help = "reservations now"},
    {"recovered", SCHEMA_COUNT, .help = "that were read back at the start"},
    {"torn", SCHEMA_COUNT, .help = "that a crash had cut"},
};
static const struct schema journal_schema = SCHEMA_OF(NULL, journal_rows);

static const struct schema_member store_rows[] = {
    {"status", SCHEMA_WORD, .words = "none|ok|failing", .help = "of the store"},
    {"code", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "why it fails"},
    {"detail", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the same for people"},
    {"schema_version", SCHEMA_COUNT, .help = "of its tables"},
    {"users", SCHEMA_COUNT, .help = "users that are known"},
    {"users_from", SCHEMA_WORD, .words = "none|store|last_known|unknown", .help = "where they were read"},
};
static const struct schema store_schema = SCHEMA_OF(NULL, store_rows);

static const struct schema_member responses_rows[] = {
    {"status", SCHEMA_WORD, .words = "memory|ok|failing", .help = "of the file of kept responses"},
    {"code", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "why it fails"},
    {"detail", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the same for people"},
    {"stored", SCHEMA_COUNT, .help = "responses in the file"},
    {"stored_bytes", SCHEMA_BYTES, .help = "their size"},
    {"waiting", SCHEMA_COUNT, .help = "not written yet"},
    {"lost", SCHEMA_COUNT, .help = "that could not be written"},
};
static const struct schema responses_schema = SCHEMA_OF(NULL, responses_rows);

static const struct schema_member operations_healthz_rows[] = {
    {"status", SCHEMA_WORD, .words = "ok", .help = "it serves; all the rest only with a credential"},
    {"version", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "of this program"},
    {"providers_configured", SCHEMA_TEXTS | SCHEMA_OPTIONAL, .help = "that can be called"},
    {"has_real_provider", SCHEMA_BOOL | SCHEMA_OPTIONAL, .help = "whether one of them is not the demo"},
    {"models", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "that are served"},
    {"registry_models", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "that the built-in registry knows"},
    {"registry_age_days", SCHEMA_INTEGER | SCHEMA_OPTIONAL, .help = "how old it is"},
    {"limits", SCHEMA_LIST | SCHEMA_OPTIONAL, .of = &limits_balance_schema,
     .help = "what binds the caller; administrators see all"},
    {"journal", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = &journal_schema},
    {"epoch", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "grows with each change that is in force"},
    {"store", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = &store_schema},
    {"responses", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = &responses_schema},
};
const struct schema operations_healthz_schema = SCHEMA_OF("HealthDetails", operations_healthz_rows);
