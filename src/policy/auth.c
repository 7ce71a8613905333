/* Who is calling: see auth.h. auth_check reads as the contract does: Host and Origin first, then every credential that
 * is present, then the local rule, then what that caller may do with this class of endpoint. */
#include "policy/auth.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/base64.h"
#include "policy/auth_failures.h"
#include "policy/auth_rules.h"
#include "policy/cors.h"

#define KIND(kind) (1u << AUTH_##kind)
#define ALL_KINDS ((1u << AUTH_KIND_COUNT) - 1)

/* Rows: what the endpoint asks for. An empty row asks for nothing. */
static const struct {
  unsigned kinds;            /* who may, whatever their role */
  enum user_role least_role; /* a user of this role may, too; none: no role is enough */
  bool is_first_keys;        /* so may the first server key */
  bool is_not_for_sessions;  /* models are for tokens, which are counted */
} classes[AUTH_CLASS_COUNT] = {
    [AUTH_CLASS_OPEN] = {ALL_KINDS},
    [AUTH_CLASS_DETAILS] = {ALL_KINDS},
    [AUTH_CLASS_INFERENCE] = {KIND(LOCAL) | KIND(KEY) | KIND(ADMIN) | KIND(USER), .is_not_for_sessions = true},
    [AUTH_CLASS_MANAGE] = {KIND(ADMIN) | KIND(USER), .is_first_keys = true, .is_not_for_sessions = true},
    [AUTH_CLASS_METRICS] = {ALL_KINDS & ~(KIND(NOBODY) | KIND(DOCS))},
    [AUTH_CLASS_API_READ] = {KIND(LOCAL) | KIND(KEY) | KIND(ADMIN), USER_ROLE_VIEWER},
    [AUTH_CLASS_API_REFRESH] = {KIND(LOCAL) | KIND(KEY) | KIND(ADMIN), USER_ROLE_OPERATOR},
    [AUTH_CLASS_API_OPERATE] = {KIND(ADMIN), USER_ROLE_OPERATOR, .is_first_keys = true},
    [AUTH_CLASS_API_SECRETS] = {KIND(ADMIN), USER_ROLE_ADMIN, .is_first_keys = true},
    [AUTH_CLASS_API_CHANGE] = {KIND(ADMIN), USER_ROLE_ADMIN, .is_first_keys = true},
    [AUTH_CLASS_PANEL_READ] = {KIND(LOCAL) | KIND(ADMIN), USER_ROLE_VIEWER},
    [AUTH_CLASS_PANEL_OPERATE] = {KIND(ADMIN), USER_ROLE_OPERATOR},
    [AUTH_CLASS_PANEL_CHANGE] = {KIND(ADMIN), USER_ROLE_ADMIN},
    [AUTH_CLASS_DOCS] = {KIND(ADMIN) | KIND(DOCS), USER_ROLE_VIEWER},
};

bool auth_may(const struct auth_principal *principal, enum auth_class class) {
  if (class >= AUTH_CLASS_COUNT || principal->kind >= AUTH_KIND_COUNT) return false;
  if (principal->is_session && classes[class].is_not_for_sessions) return false;
  enum user_role least = classes[class].least_role;
  bool has_role = principal->kind == AUTH_USER && least && principal->role >= least;
  bool is_first_key = principal->kind == AUTH_KEY && principal->is_first_key;
  return classes[class].kinds & 1u << principal->kind || has_role || (classes[class].is_first_keys && is_first_key);
}

struct str auth_principal_name(const struct auth_principal *principal, char out[AUTH_NAME_BYTES]) {
  static const char *const names[AUTH_KIND_COUNT] = {"nobody", "local", "key", "admin", "user", "metrics", "docs"};
  const char *name = principal->kind < AUTH_KIND_COUNT ? names[principal->kind] : names[0];
  struct buf b = {.p = out, .cap = AUTH_NAME_BYTES, .limit_bytes = AUTH_NAME_BYTES}; /* asked for with every request */
  buf_put(&b, str_from_c(name));
  if (principal->kind == AUTH_KEY || principal->kind == AUTH_USER) {
    buf_put_char(&b, ':');
    buf_put_u64(&b, principal->kind == AUTH_KEY ? (uint64_t)principal->index + 1 : principal->id);
  }
  return buf_str(&b);
}

bool auth_principal_equal(const struct auth_principal *a, const struct auth_principal *b) {
  return a->kind == b->kind && a->index == b->index && a->id == b->id;
}

static enum err copy_hosts(struct arena *a, const struct auth_rules_input *input, struct auth_rules *rules,
                           struct err_info *info) {
  struct auth_host *hosts = ARENA_NEW_ARRAY(a, struct auth_host, input->hosts_n);
  if (!hosts) return ERR_NO_MEMORY;
  for (size_t i = 0; i < input->hosts_n; i++) {
    struct in6_addr v6;
    struct str text = arena_dup(a, input->hosts[i]); /* with a NUL */
    bool is_bare_v6 = text.p && inet_pton(AF_INET6, text.p, &v6) == 1;
    if (is_bare_v6) text = arena_printf(a, "[%.*s]", STR_ARG(text));
    if (!text.p) return ERR_NO_MEMORY;
    if (!auth_local_parse_host(text, &hosts[i]))
      return err_set_param(info, ERR_BAD_VALUE, "server.hosts", "\"%.*s\" is not a host name or host:port",
                           STR_ARG(str_sub(text, 0, 100)));
  }
  rules->hosts = hosts;
  rules->hosts_n = input->hosts_n;
  return OK;
}

/* As browsers write it: scheme and host in lower case, the scheme's own port left out. */
static struct str dup_origin(struct arena *a, struct str origin) {
  struct str s = arena_dup(a, origin);
  if (!s.p) return s;
  char *p = (char *)s.p; /* our own copy */
  for (size_t i = 0; i < s.n; i++)
    if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] | 0x20);
  bool has_own_port = (str_has_prefix(s, STR("https://")) && str_has_suffix(s, STR(":443"))) ||
                      (str_has_prefix(s, STR("http://")) && str_has_suffix(s, STR(":80")));
  return has_own_port ? str_sub(s, 0, str_rfind_char(s, ':')) : s;
}

static enum err copy_origins(struct arena *a, const struct auth_rules_input *input, struct auth_rules *rules,
                             struct err_info *info) {
  struct str *origins = ARENA_NEW_ARRAY(a, struct str, input->origins_n);
  if (!origins) return ERR_NO_MEMORY;
  for (size_t i = 0; i < input->origins_n; i++) {
    origins[i] = dup_origin(a, input->origins[i]);
    if (!origins[i].p) return ERR_NO_MEMORY;
    if (!cors_pattern_is_valid(origins[i]))
      return err_set_param(info, ERR_BAD_VALUE, "server.origins",
                           "\"%.*s\" is not an origin such as https://app.example.com",
                           STR_ARG(str_sub(origins[i], 0, 100)));
  }
  rules->origins = origins;
  rules->origins_n = input->origins_n;
  return OK;
}

static enum err copy_proxies(struct arena *a, const struct auth_rules_input *input, struct auth_rules *rules,
                             struct err_info *info) {
  struct auth_net *nets = ARENA_NEW_ARRAY(a, struct auth_net, input->trusted_proxies_n);
  if (!nets) return ERR_NO_MEMORY;
  for (size_t i = 0; i < input->trusted_proxies_n; i++)
    if (!auth_local_parse_net(input->trusted_proxies[i], &nets[i]))
      return err_set_param(info, ERR_BAD_VALUE, "server.trustedProxies",
                           "\"%.*s\" is not an address or a block a.b.c.d/n",
                           STR_ARG(str_sub(input->trusted_proxies[i], 0, 100)));
  rules->proxies = nets;
  rules->proxies_n = input->trusted_proxies_n;
  return OK;
}

/* Of the header as a client sends it (RFC 7617): a look-up like that of a key. */
static enum err hash_docs(const struct auth_rules_input *input, struct auth_rules *rules) {
  struct buf login, header;
  rules->has_docs = input->docs_password.n > 0;
  if (!rules->has_docs) return OK;
  buf_init(&login, 0);
  buf_init(&header, 0);
  buf_put(&login, input->docs_username);
  buf_put_char(&login, ':');
  buf_put(&login, input->docs_password);
  buf_put(&header, STR("Basic "));
  base64_put(&header, buf_str(&login));
  enum err e = login.failed || header.failed ? ERR_NO_MEMORY : crypto_sha256(buf_str(&header), &rules->docs);
  crypto_wipe(login.p, login.n);
  crypto_wipe(header.p, header.n);
  buf_clear(&login);
  buf_clear(&header);
  return e;
}

static enum err hash_secrets(struct arena *a, const struct auth_rules_input *input, struct auth_rules *rules,
                             struct err_info *info) {
  struct crypto_hash *keys = ARENA_NEW_ARRAY(a, struct crypto_hash, input->keys_n);
  if (!keys) return ERR_NO_MEMORY;
  for (size_t i = 0; i < input->keys_n; i++) {
    if (input->keys[i].n == 0) return err_set(info, ERR_BAD_VALUE, "server key %zu is empty", i + 1);
    enum err e = crypto_sha256(input->keys[i], &keys[i]);
    if (e) return e;
  }
  rules->keys = keys;
  rules->keys_n = (uint32_t)input->keys_n;
  rules->has_admin = input->admin_token.n > 0;
  rules->has_metrics = input->metrics_token.n > 0;
  enum err e = rules->has_admin ? crypto_sha256(input->admin_token, &rules->admin) : OK;
  if (!e && rules->has_metrics) e = crypto_sha256(input->metrics_token, &rules->metrics);
  return e ? e : hash_docs(input, rules);
}

enum err auth_rules_new(struct arena *a, const struct auth_rules_input *input, struct auth_rules **out,
                        struct err_info *info) {
  if (input->keys_n > AUTH_KEYS_MAX)
    return err_set(info, ERR_BAD_VALUE, "more than %d server keys", (int)AUTH_KEYS_MAX);
  struct auth_rules *rules = ARENA_NEW(a, struct auth_rules);
  enum err e = rules ? OK : ERR_NO_MEMORY;
  if (!e) e = hash_secrets(a, input, rules, info);
  if (!e) e = copy_hosts(a, input, rules, info);
  if (!e) e = copy_origins(a, input, rules, info);
  if (!e) e = copy_proxies(a, input, rules, info);
  if (e) return e;
  rules->is_bind_loopback = input->is_bind_loopback;
  rules->may_be_local = input->is_bind_loopback && !input->is_key_set_by_person && !input->has_users;
  rules->port = input->port;
  rules->find = input->find;
  rules->find_arg = input->find_arg;
  *out = rules;
  return OK;
}

const struct str *auth_rules_origins(const struct auth_rules *rules, size_t *n) {
  *n = rules->origins_n;
  return rules->origins;
}

/* Without a branch on the content. */
static uint32_t hashes_differ(const struct crypto_hash *a, const struct crypto_hash *b) {
  uint64_t x[4], y[4];
  memcpy(x, a->bytes, sizeof x);
  memcpy(y, b->bytes, sizeof y);
  uint64_t d = (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
  return (uint32_t)((d | (0 - d)) >> 63);
}

/* Compares with every key, always, and takes the first that fits. */
static bool find_principal(const struct auth_rules *rules, enum auth_source source, const struct crypto_hash *hash,
                           struct auth_principal *out) {
  uint32_t place = 0; /* 1 + index */
  for (uint32_t i = 0; i < rules->keys_n; i++) {
    uint32_t is_hit = (hashes_differ(hash, &rules->keys[i]) ^ 1) & (uint32_t)(place == 0);
    place |= (i + 1) & (0 - is_hit);
  }
  bool is_admin = rules->has_admin & !hashes_differ(hash, &rules->admin);
  bool is_metrics = rules->has_metrics & !hashes_differ(hash, &rules->metrics);
  bool is_docs = source == AUTH_SOURCE_RAW && (rules->has_docs & !hashes_differ(hash, &rules->docs));
  *out = (struct auth_principal){0};
  if (source != AUTH_SOURCE_SESSION && (place || is_admin || is_metrics || is_docs)) {
    out->kind = place ? AUTH_KEY : is_admin ? AUTH_ADMIN : is_metrics ? AUTH_METRICS : AUTH_DOCS;
    out->index = place ? place - 1 : 0;
    out->is_first_key = place == 1;
    return true;
  }
  return rules->find && rules->find(rules->find_arg, source, hash, out);
}

/* What the credentials of one request amount to. */
struct verdict {
  struct auth_principal principal;
  bool has_valid, has_conflict;
  bool has_invalid;   /* one that is no placeholder */
  bool is_by_session; /* the principal comes from a cookie alone */
  int64_t wait_ms;    /* not 0: some were refused unseen */
};

/* What is good for one class alone, and steps back where another credential is there. */
static const enum auth_class side_classes[AUTH_KIND_COUNT] = {
    [AUTH_METRICS] = AUTH_CLASS_METRICS, [AUTH_DOCS] = AUTH_CLASS_DOCS};
static bool is_side(const struct auth_principal *p) { return side_classes[p->kind] != AUTH_CLASS_OPEN; }

static void accept_principal(struct verdict *v, const struct auth_principal *found, enum auth_class class) {
  if (is_side(found) && (class != side_classes[found->kind] || v->has_valid)) return;
  bool replaces = !v->has_valid || is_side(&v->principal);
  if (!replaces && !auth_principal_equal(&v->principal, found)) v->has_conflict = true;
  if (replaces) v->principal = *found;
  v->has_valid = true;
}

enum { AUTH_KNOWN_BAD = 0x5bd1e995 }; /* tells "was invalid before" from "was valid before" in the same memory */

static enum err judge_explicit(const struct auth_rules *rules, const struct auth_call *call,
                               const struct auth_credentials *credentials, struct verdict *v) {
  struct auth_failures *f = call->failures;
  struct crypto_hash bad[AUTH_CREDENTIALS_MAX];
  unsigned bad_n = 0;
  uint64_t key = 0;
  int64_t wait_ms = 0;
  if (f && (credentials->n || credentials->overflow)) {
    char address[46];
    auth_client_address(rules, call->request, call->peer, address);
    key = auth_failures_key(f, address);
    wait_ms = auth_failures_wait_ms(f, key, call->now_us);
  }
  for (unsigned i = 0; i < credentials->n; i++) {
    const struct auth_credential *c = &credentials->v[i];
    struct crypto_hash hash;
    struct auth_principal found;
    if (c->source == AUTH_SOURCE_SESSION || c->text.n == 0) continue;
    enum err e = crypto_sha256(c->text, &hash);
    if (e) return e;
    if (wait_ms && !auth_failures_remembers(f, key, &hash)) {
      if (!auth_is_placeholder(c->text)) v->wait_ms = wait_ms;
    } else if (find_principal(rules, c->source, &hash, &found)) {
      accept_principal(v, &found, call->class);
      if (f) auth_failures_remember(f, key, &hash);
    } else if (!auth_is_placeholder(c->text)) {
      bad[bad_n++] = hash;
    }
  }
  v->has_invalid = bad_n || credentials->overflow;
  if (!f || !v->has_invalid) return OK;
  if (!v->has_valid) {
    auth_failures_add(f, key, call->now_us);
    return OK;
  }
  /* A client that always sends some other key beside ours fails once; one that tries key after key does so each time.
   */
  for (unsigned i = 0; i < bad_n; i++) {
    if (auth_failures_remembers(f, key ^ AUTH_KNOWN_BAD, &bad[i])) continue;
    auth_failures_add(f, key, call->now_us);
    auth_failures_remember(f, key ^ AUTH_KNOWN_BAD, &bad[i]);
  }
  return OK;
}

/* Cookies come along by themselves: they count only where nothing explicit does, an expired one is nothing, and one
 * that would change something needs a page of ours behind it. */
static enum err judge_sessions(const struct auth_rules *rules, const struct auth_credentials *credentials,
                               struct verdict *v) {
  for (unsigned i = 0; i < credentials->n && !v->has_valid; i++) {
    const struct auth_credential *c = &credentials->v[i];
    struct crypto_hash hash;
    if (c->source != AUTH_SOURCE_SESSION) continue;
    enum err e = crypto_sha256(c->text, &hash);
    if (e) return e;
    v->has_valid = v->is_by_session = find_principal(rules, c->source, &hash, &v->principal);
  }
  return OK;
}

enum err auth_csrf(const struct crypto_hash *session, char out[AUTH_CSRF_BYTES]) {
  struct crypto_hash token;
  enum err e =
      crypto_hmac_sha256(str_from((const char *)session->bytes, sizeof session->bytes), STR("maestro csrf"), &token);
  if (e) return e;
  crypto_base64url(token.bytes, sizeof token.bytes, out);
  out[AUTH_CSRF_BYTES - 1] = 0;
  return OK;
}

static bool has_csrf(const struct http_request *request, const struct crypto_hash *session) {
  char expected[AUTH_CSRF_BYTES];
  struct str sent = http_header_get(request->headers, STR(AUTH_CSRF_HEADER));
  return sent.n == AUTH_CSRF_BYTES - 1 && !auth_csrf(session, expected) && crypto_equal(expected, sent.p, sent.n);
}

bool auth_is_browser(const struct http_request *request) {
  struct auth_head head;
  auth_local_scan(request->headers, &head);
  return head.origins || head.fetch_sites;
}

bool auth_is_foreign_page(const struct http_request *request) {
  struct auth_head head;
  auth_local_scan(request->headers, &head);
  return (head.origins || head.fetch_sites) && !auth_local_is_same_origin(request, &head);
}

static bool is_panel(enum auth_class class) {
  return class == AUTH_CLASS_PANEL_READ || class == AUTH_CLASS_PANEL_OPERATE || class == AUTH_CLASS_PANEL_CHANGE;
}

static enum err refuse(const struct auth_call *call, const struct verdict *v, enum auth_local local,
                       struct err_info *info) {
  static const char *const why[] = {
      [AUTH_LOCAL_YES] = "this call changes something or shows secrets, so it needs a credential",
      [AUTH_LOCAL_NOT_OFFERED] = "no credential was sent",
      [AUTH_LOCAL_PEER] = "no credential was sent",
      [AUTH_LOCAL_HOST] = "no credential was sent, and its Host header is none of this server's",
      [AUTH_LOCAL_PROXY] = "no credential was sent, and the call came through a proxy or tunnel",
      [AUTH_LOCAL_ORIGIN] = "no credential was sent, and the call came from another origin",
      [AUTH_LOCAL_FETCH_SITE] = "no credential was sent, and the call came from another site",
      [AUTH_LOCAL_BODY] = "no credential was sent, and without one the body needs \"Content-Type: application/json\"",
  };
  if (is_panel(call->class))
    return err_set(info, v->has_invalid ? ERR_FORBIDDEN : ERR_UNAUTHENTICATED,
                   "%s: sign in, or send the admin token as \"Authorization: Bearer ...\" (ADMIN_TOKEN)",
                   v->has_invalid ? "the credential is not valid" : why[local]);
  if (v->has_invalid && local == AUTH_LOCAL_YES)
    return err_set(info, ERR_UNAUTHENTICATED,
                   "the API key is not valid here; a local call needs none (send no key, or \"unused\"), and "
                   "`maestro server show-key` prints the server's own");
  return err_set(info, ERR_UNAUTHENTICATED,
                 "%s: send your token or a server key as \"Authorization: Bearer ...\", \"x-api-key\" or "
                 "\"x-goog-api-key\"; `maestro server show-key` prints the server's key",
                 v->has_invalid ? "the API key is not valid" : why[local]);
}

static enum err refuse_for_now(int64_t wait_ms, struct err_info *info) {
  if (info) info->retry_after_ms = wait_ms;
  return err_set(info, ERR_RATE_LIMITED, "too many invalid credentials from this address; try again in %lld s",
                 (long long)(wait_ms + 999) / 1000);
}

/* What would open a path to one whose credential does not. */
static const char *what_would(enum auth_class class, const struct auth_principal *principal) {
  static const char *const roles[USER_ROLE_COUNT] = {
      [USER_ROLE_VIEWER] = "; a user needs the role viewer, operator or admin for it",
      [USER_ROLE_OPERATOR] = "; a user needs the role operator or admin for it",
      [USER_ROLE_ADMIN] = "; a user needs the role admin for it"};
  bool is_key = principal->kind == AUTH_KEY;
  if (principal->is_session && classes[class].is_not_for_sessions)
    return "; a login is for the administration, models are called with a user's token or a server key";
  if (principal->kind == AUTH_USER && roles[classes[class].least_role]) return roles[classes[class].least_role];
  if (is_panel(class) && is_key) return "; it needs the admin token, or is asked below /api/admin";
  if (is_panel(class)) return "; it needs the admin token";
  return is_key && class != AUTH_CLASS_METRICS ? "; it needs the first server key" : "";
}

/* The caller is known: may it? */
static enum err allow(const struct auth_call *call, const struct verdict *v, const struct auth_head *head,
                      struct auth_principal *out, struct err_info *info) {
  bool is_safe = call->request->method == HTTP_GET || call->request->method == HTTP_HEAD;
  if (v->has_conflict && call->class == AUTH_CLASS_DETAILS) {
    *out = (struct auth_principal){.kind = AUTH_NOBODY};
    return OK;
  }
  if (v->has_conflict)
    return err_set(info, ERR_UNAUTHENTICATED, "two valid credentials of different callers were sent; send one");
  if (!auth_may(&v->principal, call->class))
    return err_set(info, ERR_FORBIDDEN, "this credential is valid but does not open this path%s",
                   what_would(call->class, &v->principal));
  if (v->is_by_session && !is_safe && !auth_local_is_same_origin(call->request, head))
    return err_set(info, ERR_FORBIDDEN,
                   "a session's cookie may change things only from this server's own pages; "
                   "a program sends the login's \"token\" as \"Authorization: Bearer ...\"");
  if (v->is_by_session && !is_safe && !has_csrf(call->request, &v->principal.session))
    return err_set(info, ERR_FORBIDDEN,
                   "a session may change things only with its \"" AUTH_CSRF_HEADER
                   "\", which GET /admin/auth/session tells");
  *out = v->principal;
  return OK;
}

enum err auth_check_origin(const struct auth_rules *rules, const struct http_request *request,
                           const struct http_peer *peer, struct err_info *info) {
  struct auth_head head;
  auth_local_scan(request->headers, &head);
  return auth_local_check_origin(rules, request, peer, &head, info);
}

enum err auth_check(const struct auth_rules *rules, const struct auth_call *call, struct auth_principal *out,
                    struct err_info *info) {
  struct auth_head head;
  struct auth_credentials credentials;
  struct verdict v = {0};
  auth_local_scan(call->request->headers, &head);
  enum err e = auth_local_check_origin(rules, call->request, call->peer, &head, info);
  if (e) return e;
  if (call->class == AUTH_CLASS_OPEN) {
    *out = (struct auth_principal){.kind = AUTH_NOBODY};
    return OK;
  }
  auth_collect(call->request, call->accept, &credentials);
  e = judge_explicit(rules, call, &credentials, &v);
  if (!e && !v.has_valid) e = judge_sessions(rules, &credentials, &v);
  if (e) return err_set(info, e, "%s", err_text(e));
  if (v.has_valid) return allow(call, &v, &head, out, info);

  enum auth_local local = auth_local_judge(rules, call->request, call->peer, &head);
  struct auth_principal principal = {.kind = local == AUTH_LOCAL_YES ? AUTH_LOCAL : AUTH_NOBODY};
  bool has_wrong = v.has_invalid || v.wait_ms;
  bool is_lenient = call->class == AUTH_CLASS_DETAILS || call->class == AUTH_CLASS_DOCS;
  if (is_lenient && has_wrong) principal.kind = AUTH_NOBODY;
  if (is_lenient || (!has_wrong && auth_may(&principal, call->class))) {
    *out = principal;
    return OK;
  }
  return v.wait_ms ? refuse_for_now(v.wait_ms, info) : refuse(call, &v, local, info);
}
