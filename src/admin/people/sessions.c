/* Signing in: see sessions.h. A name that does not exist, a user without a password, without a panel's role or switched
 * off, and a wrong password are one and the same answer after the same work. */
#include "admin/people/sessions.h"

#include <stdio.h>

#include "admin/entity.h"
#include "admin/job.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/exchange.h"
#include "gateway/rules.h"
#include "policy/login_guard.h"
#include "state/password.h"
#include "state/secret.h"
#include "state/store/store.h"

enum { BODY_MAX = 8192, LOGIN_MS = 30000, SECRET_RANDOM_BYTES = 32 };

static const struct rules *rules_of(const struct request_context *rc) {
  return snapshot_get(rc->snapshot, GATEWAY_RULES);
}

/* ---- the work in the pool ---- */

struct login {
  struct job job;
  struct str name, password; /* in the job's arena */
  bool is_admin;             /* the configured administrator's name and password */
  int64_t user_id;
  char hash[PASSWORD_HASH_MAX]; /* of the user's; empty: there is none */
  struct sessions_rules rules;  /* for the key; what it points to is not used */
  struct secret *secret;        /* of the session that was made */
  struct session session;
};

static void login_clear(void *arg) {
  struct login *l = arg;
  secret_free(l->secret);
  crypto_wipe((char *)(uintptr_t)l->password.p, l->password.n);
  crypto_wipe(l->hash, sizeof l->hash);
}

static enum err take_password(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct login *l = arg;
  (void)columns, (void)info;
  l->user_id = row[0].i;
  if (row[1].s.n < sizeof l->hash) memcpy(l->hash, row[1].s.p ? row[1].s.p : "", row[1].s.n);
  return OK;
}

static enum err find_password(struct db *db, void *arg, struct err_info *info) {
  struct login *l = arg;
  const struct db_value name = db_text(l->name);
  return db_run(db, DB_PASSWORD_FIND, &name, 1, take_password, l, info);
}

static enum err refuse_login(struct err_info *info) {
  snprintf(info->code, sizeof info->code, "invalid_login");
  return err_set(info, ERR_UNAUTHENTICATED, "the name or the password is wrong");
}

/* A session is as old as the look at the password, however long the verifying took, so that a change of it meanwhile
 * ends this one, too. */
static enum err make_session(struct login *l, int64_t now) {
  l->secret = secret_new_random(STR(SESSIONS_COOKIE_PREFIX), SECRET_RANDOM_BYTES);
  if (!l->secret) return ERR_NO_MEMORY;
  l->session = (struct session){.user_id = l->is_admin ? 0 : l->user_id,
                                .created_us = now,
                                .seen_us = now,
                                .expires_us = now + l->rules.total_us};
  enum err e = sessions_key(&l->rules, secret_reveal(l->secret), l->is_admin, &l->session.key);
  if (e) return e;
  struct err_info why = {0};
  e = session_add(&l->session, &why);
  if (e)
    log_line(LOG_LEVEL_WARN, "a session is not stored and ends with this process",
             log_c(LOG_REASON, err_info_text(e, &why)));
  return OK;
}

/* The time of a change is from before its commit: one that was on its way at the first look has the older time, and is
 * seen by a second one. */
static enum err check_again(struct login *l) {
  struct login now = {.name = l->name};
  enum err e = store_read(find_password, &now, &l->job.info);
  if (!e && (now.user_id != l->user_id || strcmp(now.hash, l->hash) != 0)) e = refuse_login(&l->job.info);
  struct err_info ignored = {0};
  if (e) (void)!session_end(&l->session.key, &ignored);
  crypto_wipe(now.hash, sizeof now.hash);
  return e;
}

/* The store fails for users alone: the administrator can come in and look. */
static enum err work(void *arg) {
  struct login *l = arg;
  int64_t now = clock_wall_us();
  bool fits = false;
  enum err store = l->is_admin ? OK : store_read(find_password, l, &l->job.info);
  enum err e = password_verify(str_from_c(l->hash), l->password, &fits, &l->job.info);
  if (!e) e = store;
  if (!e && !l->is_admin && !fits) e = refuse_login(&l->job.info);
  if (!e) e = make_session(l, now);
  return e || l->is_admin ? e : check_again(l);
}

/* ---- the request ---- */

struct login_input {
  unsigned has;
  struct str name, password;
};

static const struct field login_rows[] = {
    {STR("username"), FIELD_STRING, 1, offsetof(struct login_input, name), .min = 1, .max = USER_NAME_MAX,
     .must = "must have 1 to 128 bytes", .help = "the administrator's or a user's"},
    {STR("password"), FIELD_STRING, 2, offsetof(struct login_input, password), .min = 1, .max = PASSWORD_BYTES_MAX,
     .must = "must have 1 to 1024 bytes"}};
const struct fields sessions_login_fields = {login_rows, 2, sizeof(struct login_input)};

static enum err read_body(struct request_context *rc, struct login_input *out, struct err_info *info) {
  struct str type = http_header_get(rc->request->headers, STR("content-type")), media, rest;
  str_cut(type, ';', &media, &rest);
  if (!str_eq_nocase(str_trim(media), STR("application/json")))
    return err_set(info, ERR_UNSUPPORTED_MEDIA, "a login needs \"Content-Type: application/json\"");
  return entity_body(rc, rc->arena, BODY_MAX, &sessions_login_fields, ~0u, ~0u, out, info);
}

static struct login *login_new(const struct rules *rules, struct str name, struct str password) {
  struct login *l = job_new(sizeof *l, work, login_clear);
  if (!l) return NULL;
  l->name = arena_dup(&l->job.arena, name);
  l->password = arena_dup(&l->job.arena, password);
  l->is_admin = sessions_is_admin(&rules->sessions, name, password);
  l->rules = rules->sessions;
  if (l->name.p && l->password.p) return l;
  job_unref(l);
  return NULL;
}

/* ---- the answer ---- */

static enum err put_cookie(struct request_context *rc, struct str value, int64_t max_age_s) {
  /* Only a page that came over TLS says so; a script's cookie is not kept from plain HTTP. */
  bool is_secure = str_has_prefix(http_header_get(rc->request->headers, STR("origin")), STR("https://"));
  struct str cookie =
      arena_printf(rc->arena, AUTH_SESSION_COOKIE "=%.*s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
                   STR_ARG(value), (long long)max_age_s, is_secure ? "; Secure" : "");
  if (!cookie.p) return ERR_NO_MEMORY;
  reply_add_header(&rc->reply, STR("Set-Cookie"), cookie);
  return OK;
}

static enum err put_session(struct buf *b, const struct crypto_hash *key, const struct session *s, int64_t idle_us) {
  char csrf[AUTH_CSRF_BYTES];
  enum err e = auth_csrf(key, csrf);
  if (e) return e;
  json_out_member_string(b, "csrf_token", str_from_c(csrf));
  json_out_member_time(b, "created_at", s->created_us);
  json_out_member_time(b, "expires_at", s->expires_us);
  json_out_member_i64(b, "idle_seconds", idle_us / 1000000);
  return OK;
}

static void put_who(struct buf *b, struct str name, const char *role) {
  json_out_member_string(b, "username", name);
  json_out_member_string(b, "role", str_from_c(role));
}

static void answer(struct request_context *rc, int status, struct buf *b, enum err e) {
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("no-store"));
  if (e || b->failed)
    exchange_fail(rc, e ? e : ERR_NO_MEMORY, NULL);
  else
    exchange_answer(rc, status, b);
  crypto_wipe(b->p, b->n);
  buf_clear(b);
}

static void answer_login(struct request_context *rc, const struct login *l) {
  const struct rules *rules = rules_of(rc);
  const struct user *u = l->is_admin ? NULL : people_find_id(&rules->sessions.principals->people, l->session.user_id);
  struct str secret = secret_reveal(l->secret);
  char token[SESSIONS_TOKEN_BYTES];
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  put_who(&b, l->name, l->is_admin ? "admin" : u ? user_role_name(u->role) : "viewer");
  enum err e = put_session(&b, &l->session.key, &l->session, rules->sessions.idle_us);
  if (!auth_is_browser(rc->request)) {
    if (!e) e = sessions_token(secret, token);
    if (!e) json_out_member_string(&b, "token", str_from(token, sizeof token));
  }
  json_out_end(&b, '}');
  if (!e) e = put_cookie(rc, secret, l->rules.total_us / 1000000);
  answer(rc, 200, &b, e);
}

/* A session that the browser had goes: a login never takes over one that somebody may have planted. */
static void find_former(const struct request_context *rc, struct crypto_hash out[AUTH_CREDENTIALS_MAX], size_t *n) {
  const struct rules *rules = rules_of(rc);
  struct auth_credentials c;
  auth_collect(rc->request, AUTH_ACCEPT_SESSION, &c);
  *n = 0;
  for (unsigned i = 0; i < c.n; i++) {
    struct crypto_hash hash;
    struct auth_principal p;
    if (c.v[i].source != AUTH_SOURCE_SESSION || crypto_sha256(c.v[i].text, &hash)) continue;
    if (sessions_find(&rules->sessions, AUTH_SOURCE_SESSION, &hash, &p)) out[(*n)++] = p.session;
  }
}

struct ending {
  struct job job;
  size_t n;
  struct crypto_hash keys[AUTH_CREDENTIALS_MAX];
};

static enum err end_sessions(void *arg) {
  struct ending *x = arg;
  enum err e = OK;
  for (size_t i = 0; i < x->n; i++) {
    enum err one = session_end(&x->keys[i], &x->job.info);
    if (one) e = one;
  }
  return e;
}

/* The sessions of those keys; OK when the store knows it, too. */
static enum err end_all(const struct crypto_hash *keys, size_t n, struct err_info *info) {
  struct err_info why = {0};
  struct ending *x = n ? job_new(sizeof *x, end_sessions, NULL) : NULL;
  if (!x) return n ? ERR_NO_MEMORY : OK;
  x->n = n;
  memcpy(x->keys, keys, n * sizeof *keys);
  enum err e = job_run(&x->job, POOL_STORE, LOGIN_MS, &why);
  job_unref(x);
  if (e && e != ERR_CANCELLED)
    return err_set(info, e, "the session has ended, but the store could not note it: a restart may bring it back");
  return e;
}

void sessions_login(struct request_context *rc) {
  struct err_info info = {0};
  struct login_input in;
  struct login *l = NULL;
  struct crypto_hash former[AUTH_CREDENTIALS_MAX];
  size_t former_count = 0;
  char address[46];
  enum err e = auth_is_foreign_page(rc->request)
                   ? err_set(&info, ERR_FORBIDDEN, "only a page of this server may sign in")
                   : read_body(rc, &in, &info);
  auth_client_address(rules_of(rc)->auth, rc->request, http_exchange_peer(rc->x), address);
  if (!e) e = login_guard_begin(in.name, address, clock_mono_us(), &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  exchange_adopt(rc); /* of a user that was made a moment ago */
  l = login_new(rules_of(rc), in.name, in.password);
  e = l ? job_run_slow(&l->job, LOGIN_MS, &info) : ERR_NO_MEMORY;
  if (!e)
    login_guard_succeed(in.name, address);
  else if (e != ERR_UNAUTHENTICATED && e != ERR_CANCELLED)
    login_guard_take_back(in.name, address);
  log_line(LOG_LEVEL_INFO, "login", log_str(LOG_CLIENT, str_from_c(address)), log_c(LOG_CODE, err_code(e)));
  if (!e) {
    find_former(rc, former, &former_count);
    if (end_all(former, former_count, NULL) == ERR_CANCELLED) e = ERR_CANCELLED;
  }
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer_login(rc, l);
  job_unref(l);
}

void sessions_show(struct request_context *rc) {
  const struct rules *rules = rules_of(rc);
  const struct auth_principal *p = &rc->principal;
  const struct user *u = rules->sessions.principals ? principals_user(rules->sessions.principals, p) : NULL;
  char name[AUTH_NAME_BYTES];
  struct session s;
  enum err e = OK;
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  if (p->kind == AUTH_ADMIN && p->is_session)
    put_who(&b, rules->sessions.admin_name, "admin");
  else
    put_who(&b, u ? u->name : auth_principal_name(p, name),
            u                                      ? user_role_name(u->role)
            : auth_may(p, AUTH_CLASS_PANEL_CHANGE) ? "admin"
                                                   : "viewer");
  json_out_member_bool(&b, "can_change", auth_may(p, AUTH_CLASS_PANEL_CHANGE));
  json_out_member_bool(&b, "is_session", p->is_session);
  if (p->is_session && session_find(&p->session, clock_wall_us(), rules->sessions.idle_us, &s))
    e = put_session(&b, &p->session, &s, rules->sessions.idle_us);
  json_out_end(&b, '}');
  answer(rc, 200, &b, e);
}

void sessions_logout(struct request_context *rc) {
  struct err_info info = {0};
  struct buf b;
  enum err e = rc->principal.is_session ? end_all(&rc->principal.session, 1, &info)
                                        : err_set(&info, ERR_UNAUTHENTICATED, "there is no session to end");
  if (!e) e = put_cookie(rc, STR_NONE, 0);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  answer(rc, 204, &b, OK);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member who_rows[] = {
    {"username", SCHEMA_TEXT, .help = "the administrator's or user's name, or how the log calls the caller"},
    {"role", SCHEMA_WORD, .words = "user|viewer|operator|admin", .help = "what is allowed"},
};
static const struct schema who_schema = SCHEMA_OF(NULL, who_rows);

static const struct schema_member sessions_login_rows[] = {
    {NULL, SCHEMA_PART, .of = &who_schema},
    {"csrf_token", SCHEMA_TEXT, .help = "for X-CSRF-Token of every change that the cookie allows"},
    {"created_at", SCHEMA_TIME, .help = "when it began"},
    {"expires_at", SCHEMA_TIME, .help = "when it ends at the latest"},
    {"idle_seconds", SCHEMA_SECONDS, .help = "without a request after which it ends"},
    {"token", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the session as a bearer; absent where a browser asks"},
};
const struct schema sessions_login_schema = SCHEMA_OF("Login", sessions_login_rows);

static const struct schema_member sessions_rows[] = {
    {NULL, SCHEMA_PART, .of = &who_schema},
    {"can_change", SCHEMA_BOOL, .help = "whether changes are allowed"},
    {"is_session", SCHEMA_BOOL, .help = "whether there is a session; the following only then"},
    {"csrf_token", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "for X-CSRF-Token of every change that the cookie allows"},
    {"created_at", SCHEMA_TIME | SCHEMA_OPTIONAL, .help = "when it began"},
    {"expires_at", SCHEMA_TIME | SCHEMA_OPTIONAL, .help = "when it ends at the latest"},
    {"idle_seconds", SCHEMA_SECONDS | SCHEMA_OPTIONAL, .help = "without a request after which it ends"},
};
const struct schema sessions_schema = SCHEMA_OF("Session", sessions_rows);
