/* Which credentials a request carries: see auth.h. One pass over the headers; a name is looked at further only when its
 * length and first letter fit, since this runs for every request. Nothing is judged here. */
#include "policy/auth.h"

static void add(struct auth_credentials *out, enum auth_source source, struct str text) {
  if (out->n == AUTH_CREDENTIALS_MAX || text.n > AUTH_CREDENTIAL_BYTES_MAX) {
    out->overflow = true;
    return;
  }
  out->v[out->n++] = (struct auth_credential){source, text};
}

static void add_authorization(struct auth_credentials *out, struct str value) {
  static const struct str bearer = {"bearer", 6};
  value = str_trim(value);
  bool is_bearer = str_has_prefix_nocase(value, bearer) &&
                   (value.n == bearer.n || value.p[bearer.n] == ' ' || value.p[bearer.n] == '\t');
  if (is_bearer)
    add(out, AUTH_SOURCE_BEARER, str_trim(str_sub(value, bearer.n, value.n)));
  else
    add(out, AUTH_SOURCE_RAW, value);
}

/* What is too long to be a session, and what comes after the first few, is nobody's: a browser sends what sites have
 * planted, so it must not spoil the good ones. */
enum { SESSION_BYTES_MAX = 128, SESSIONS_SENT_MAX = 4 };

static void add_sessions(struct auth_credentials *out, struct str cookies) {
  struct str pair, name, value;
  bool more = true;
  for (unsigned n = 0; more && n < SESSIONS_SENT_MAX;) {
    more = str_cut(cookies, ';', &pair, &cookies);
    if (!str_cut(pair, '=', &name, &value) || !str_eq(str_trim(name), STR(AUTH_SESSION_COOKIE))) continue;
    value = str_trim(value);
    if (value.n == 0 || value.n > SESSION_BYTES_MAX || out->n == AUTH_CREDENTIALS_MAX) continue;
    add(out, AUTH_SOURCE_SESSION, value);
    n++;
  }
}

static void add_query_keys(struct auth_credentials *out, struct str query) {
  struct str pair, name, value;
  size_t used = 0;
  bool more = query.n > 0;
  while (more) {
    more = str_cut(query, '&', &pair, &query);
    str_cut(pair, '=', &name, &value);
    if (!str_eq(name, STR("key"))) continue;
    char *at = out->query_bytes + used;
    size_t n = str_percent_decode(value, at, AUTH_QUERY_KEY_MAX - used);
    if (n == SIZE_MAX) {
      out->overflow = true;
      continue;
    }
    add(out, AUTH_SOURCE_QUERY, str_from(at, n));
    used += n;
  }
}

void auth_collect(const struct http_request *request, unsigned accept, struct auth_credentials *out) {
  out->n = 0;
  out->overflow = false;
  for (size_t i = 0; i < request->headers.n; i++) {
    const struct http_header *h = &request->headers.v[i];
    switch (h->name.n) {
      case sizeof "cookie" - 1:
        if ((accept & AUTH_ACCEPT_SESSION) && str_eq_nocase(h->name, STR("cookie"))) add_sessions(out, h->value);
        break;
      case sizeof "x-api-key" - 1:
        if (str_eq_nocase(h->name, STR("x-api-key"))) add(out, AUTH_SOURCE_X_API_KEY, str_trim(h->value));
        break;
      case sizeof "authorization" - 1:
        if (str_eq_nocase(h->name, STR("authorization"))) add_authorization(out, h->value);
        break;
      case sizeof "x-goog-api-key" - 1:
        if (str_eq_nocase(h->name, STR("x-goog-api-key"))) add(out, AUTH_SOURCE_GOOGLE, str_trim(h->value));
        break;
      case sizeof "x-subscription-token" - 1:
        if ((accept & AUTH_ACCEPT_SUBSCRIPTION) && str_eq_nocase(h->name, STR("x-subscription-token")))
          add(out, AUTH_SOURCE_SUBSCRIPTION, str_trim(h->value));
        break;
      default: break;
    }
  }
  if (accept & AUTH_ACCEPT_QUERY_KEY) add_query_keys(out, request->query);
}

bool auth_is_placeholder(struct str s) {
  /* What the tools' own manuals say to put in when a local server asks for no key; compared without "sk-" and
   * "sk-ant-". */
  static const struct str known[] = {
      {"x", 1},
      {"key", 3},
      {"none", 4},
      {"null", 4},
      {"test", 4},
      {"fake", 4},
      {"vllm", 4},
      {"1234", 4},
      {"dummy", 5},
      {"empty", 5},
      {"local", 5},
      {"no-key", 6},
      {"nokey", 5},
      {"token", 5},
      {"unused", 6},
      {"ollama", 6},
      {"api-key", 7},
      {"api_key", 7},
      {"maestro", 7},
      {"anything", 8},
      {"changeme", 8},
      {"undefined", 9},
      {"dummy-key", 9},
      {"test-key", 8},
      {"local-key", 9},
      {"lm-studio", 9},
      {"lmstudio", 8},
      {"not-needed", 10},
      {"no-auth", 7},
      {"not-required", 12},
      {"no-key-needed", 13},
      {"your-api-key", 12},
      {"placeholder", 11},
      {"no-key-required", 15},
      {"router-maestro", 14},
  };
  if (s.n > 64) return false;
  if (str_has_prefix_nocase(s, STR("sk-"))) s = str_sub(s, 3, s.n);
  if (str_has_prefix_nocase(s, STR("ant-"))) s = str_sub(s, 4, s.n);
  size_t fill = 0;
  while (fill < s.n && memchr("xX*.-_", s.p[fill], 6)) fill++;
  if (fill == s.n) return true;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (s.n == known[i].n && str_eq_nocase(s, known[i])) return true;
  return false;
}
