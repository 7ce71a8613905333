/* Who is calling, decided on headers alone, before any body is read. Pure functions over plain inputs: rules are built
 * once per snapshot and never change; the only state, the failures per address, is the worker's (auth_failures.h).
 * Called by gateway/exchange.c for every request: auth_check. Keys are kept as SHA-256 hashes only; a candidate is
 * compared with all of them in constant time. Invariant: no text written here repeats a byte of the request.
 *
 * A call without a valid credential is *local*, and allowed, only while no key was set by a person and no user exists,
 * the bind and the peer are loopback, and nothing in the head hints at a browser's other site or a proxy in between. */
#ifndef MAESTRO_POLICY_AUTH_H
#define MAESTRO_POLICY_AUTH_H

#include "base/arena.h"
#include "base/crypto.h"
#include "io/http_msg.h"
#include "io/http_server.h"
#include "state/people.h"

struct auth_failures;

enum auth_kind {
  AUTH_NOBODY,  /* only where an endpoint asks for nothing */
  AUTH_LOCAL,   /* no credential, but local */
  AUTH_KEY,     /* a server key; index counts from 0, the first has more rights */
  AUTH_ADMIN,   /* the admin token, or an admin's session */
  AUTH_USER,    /* a user's token, found by auth_rules.find */
  AUTH_METRICS, /* the metrics token; good for /metrics alone */
  AUTH_DOCS,    /* docs.username and docs.password; good for the API's description alone */
  AUTH_KIND_COUNT
};

struct auth_principal {
  enum auth_kind kind;
  uint32_t index;      /* AUTH_KEY: place in the list; AUTH_USER: whatever `find` set */
  uint64_t id;         /* AUTH_USER and sessions: whatever `find` set */
  uint64_t token;      /* AUTH_USER: which of the user's tokens, for principals_is_live */
  uint32_t place;      /* the same: whatever `find` set */
  enum user_role role; /* AUTH_USER: what opens beyond inference */
  bool is_first_key;
  bool is_session;            /* an administrator or user who has signed in */
  struct crypto_hash session; /* its key in the table of sessions */
};

/* What an endpoint asks for; each row of the route table names one. */
enum auth_class {
  AUTH_CLASS_OPEN,          /* /health, /readyz, /, login, assets: nobody is asked */
  AUTH_CLASS_DETAILS,       /* /healthz, /: served to all; a principal unlocks more. Never fails for credentials */
  AUTH_CLASS_INFERENCE,     /* inference, model lists, /v1/route, own traces, feedback */
  AUTH_CLASS_MANAGE,        /* models of nodes are managed: users (of whom the endpoint asks more), the first key */
  AUTH_CLASS_METRICS,       /* /metrics */
  AUTH_CLASS_API_READ,      /* /api/admin: reads without secrets, models */
  AUTH_CLASS_API_REFRESH,   /* /api/admin/models/refresh: any key, and local calls */
  AUTH_CLASS_API_OPERATE,   /* /api/admin: asks or starts something, but changes no setting */
  AUTH_CLASS_API_SECRETS,   /* /api/admin: reads that show secrets */
  AUTH_CLASS_API_CHANGE,    /* /api/admin: everything that changes */
  AUTH_CLASS_PANEL_READ,    /* /admin: reads */
  AUTH_CLASS_PANEL_OPERATE, /* /admin: asks or starts something, but changes no setting */
  AUTH_CLASS_PANEL_CHANGE,  /* /admin: everything that changes, and reads with secrets */
  AUTH_CLASS_DOCS, /* /api/docs and the like. Without a credential the endpoint answers itself: it offers a login */
  AUTH_CLASS_COUNT
};

/* Credentials that only some endpoints take, beside the headers that all do. */
enum auth_accept {
  AUTH_ACCEPT_QUERY_KEY = 1,    /* ?key=, Gemini paths */
  AUTH_ACCEPT_SUBSCRIPTION = 2, /* X-Subscription-Token, search paths */
  AUTH_ACCEPT_SESSION = 4       /* the dashboard's cookie, AUTH_SESSION_COOKIE; /admin and /api/admin paths */
};
#define AUTH_SESSION_COOKIE "maestro_session"

enum auth_source {
  AUTH_SOURCE_BEARER,
  AUTH_SOURCE_RAW, /* Authorization without a scheme, or with another one */
  AUTH_SOURCE_X_API_KEY,
  AUTH_SOURCE_GOOGLE,
  AUTH_SOURCE_QUERY,
  AUTH_SOURCE_SUBSCRIPTION,
  AUTH_SOURCE_SESSION
};

enum { AUTH_CREDENTIALS_MAX = 8, AUTH_QUERY_KEY_MAX = 512, AUTH_CREDENTIAL_BYTES_MAX = 8192 };

struct auth_credential {
  enum auth_source source;
  struct str text; /* borrowed from the request or from query_bytes */
};

struct auth_credentials {
  struct auth_credential v[AUTH_CREDENTIALS_MAX];
  unsigned n;
  bool overflow; /* more, or longer ones, than fit: counts as an invalid one */
  char query_bytes[AUTH_QUERY_KEY_MAX];
};

/* Everything in the request that looks like a credential; `accept` is of enum auth_accept. The result points into the
 * request and into itself, so it must not be copied. */
void auth_collect(const struct http_request *request, unsigned accept, struct auth_credentials *out);
/* True for what tools send when no key is needed: empty, "unused", "dummy", "none", "ollama", "sk-...", and so on. */
bool auth_is_placeholder(struct str credential);

/* Finds who owns a credential that is no server key: user tokens, sessions. Must be a look-up by the hash. */
typedef bool auth_find(void *arg, enum auth_source source, const struct crypto_hash *hash, struct auth_principal *out);

/* Plain text, gone after auth_rules_new but for what it copies. */
struct auth_rules_input {
  const struct str *keys; /* server keys in order, the first is special; at most AUTH_KEYS_MAX */
  size_t keys_n;
  bool is_key_set_by_person; /* false when the one key was generated */
  bool has_users;
  struct str admin_token, metrics_token;   /* empty: none */
  struct str docs_username, docs_password; /* an empty password: none */
  bool is_bind_loopback;
  uint16_t port;           /* ours; 0: the local port of the connection */
  const struct str *hosts; /* server.hosts: "name" (any port) or "name:port" */
  size_t hosts_n;
  const struct str *origins; /* CORS origins: may call a loopback bind, but are not local. "*" or exact or glob */
  size_t origins_n;
  const struct str *trusted_proxies; /* addresses or CIDR blocks whose X-Forwarded-For is believed */
  size_t trusted_proxies_n;
  auth_find *find; /* may be NULL */
  void *find_arg;
};

enum { AUTH_KEYS_MAX = 4096 };

struct auth_rules;
/* Memory from `a`, which outlives the rules. ERR_BAD_VALUE names a host, origin or proxy that cannot be understood. */
enum err auth_rules_new(struct arena *a, const struct auth_rules_input *input, struct auth_rules **out,
                        struct err_info *info) MUST_CHECK;

/* The origins as browsers send them (lower case, default ports left out): what struct cors_rules should borrow. */
const struct str *auth_rules_origins(const struct auth_rules *rules, size_t *n);

struct auth_call {
  const struct http_request *request;
  const struct http_peer *peer;
  enum auth_class class;
  unsigned accept;                /* enum auth_accept */
  struct auth_failures *failures; /* of this worker; NULL: failures are not limited */
  uint64_t now_us;                /* monotonic: loop_now_us() */
};

/* Host and Origin, checked on every path of a loopback bind, preflights included: ERR_MISDIRECTED (421) for a foreign
 * Host, ERR_FORBIDDEN (403) for a foreign Origin. auth_check does it first; an OPTIONS request needs this one alone. */
enum err auth_check_origin(const struct auth_rules *rules, const struct http_request *request,
                           const struct http_peer *peer, struct err_info *info) MUST_CHECK;

/* Who calls, and may they: OK and *out; else ERR_MISDIRECTED, ERR_FORBIDDEN, ERR_UNAUTHENTICATED (two principals at
 * once included) or ERR_RATE_LIMITED with retry_after_ms. AUTH_CLASS_DETAILS and AUTH_CLASS_DOCS give AUTH_NOBODY (or
 * AUTH_LOCAL) where others fail with 401. */
enum err auth_check(const struct auth_rules *rules, const struct auth_call *call, struct auth_principal *out,
                    struct err_info *info) MUST_CHECK;
/* The same rights without a request: may that principal use an endpoint of that class? */
bool auth_may(const struct auth_principal *principal, enum auth_class class);

/* What a page must send back as "x-csrf-token" with each change that its cookie allows. NUL-terminated. */
enum { AUTH_CSRF_BYTES = 44 };
#define AUTH_CSRF_HEADER "x-csrf-token"
enum err auth_csrf(const struct crypto_hash *session, char out[AUTH_CSRF_BYTES]) MUST_CHECK;
/* A page of another site can have made this request: it came from a browser, and not from a page of this server. */
bool auth_is_foreign_page(const struct http_request *request);
/* Whether a browser sent it, as far as one can tell. */
bool auth_is_browser(const struct http_request *request);

/* "local", "admin", "key:1" (counting from 1), "user:7", "nobody", "metrics": for logs and records. NUL-terminated. */
enum { AUTH_NAME_BYTES = 32 };
struct str auth_principal_name(const struct auth_principal *principal, char out[AUTH_NAME_BYTES]);
bool auth_principal_equal(const struct auth_principal *a, const struct auth_principal *b);

/* The client's numeric address: the peer's, or what trusted proxies say in X-Forwarded-For (the right-most address
 * that is not a trusted proxy). Other forwarding headers are never believed. NUL-terminated. */
void auth_client_address(const struct auth_rules *rules, const struct http_request *request,
                         const struct http_peer *peer, char out[46]);
/* True when nothing but a missing credential speaks against a local call (bind, peer, Host, proxies, Origin, body). */
bool auth_is_local(const struct auth_rules *rules, const struct http_request *request, const struct http_peer *peer);

#endif
