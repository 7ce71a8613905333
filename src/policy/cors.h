/* CORS (Fetch standard, as of November 2026): off until origins are configured. Pure functions; the gateway adds the
 * headers to replies and answers preflights, after auth_check_origin. Cookies are never allowed across origins (no
 * Access-Control-Allow-Credentials), so `*` can be configured without opening a session to anybody.
 * Invariant: every value written is the request's own Origin that matched, a fixed text, or a checked list of tokens.
 */
#ifndef MAESTRO_POLICY_CORS_H
#define MAESTRO_POLICY_CORS_H

#include "base/err.h"
#include "io/http_msg.h"
#include "io/http_server.h"

enum { CORS_HEADERS_MAX = 8 };

struct cors_rules {          /* borrowed; of a snapshot */
  const struct str *origins; /* "https://app.example.com", a glob of one, or "*"; none: CORS is off */
  size_t origins_n;
  uint32_t max_age_s; /* how long a browser may keep a preflight's answer; 0: 600 */
};

/* scheme://host[:port] in lower case without path, user or wildcard; also "null" is none. Browsers' own schemes
 * (chrome-extension://id) are well-formed. */
bool cors_origin_is_well_formed(struct str origin);
/* An origin or pattern as it may be configured: "*", or well-formed but for `*` and `?` in it. */
bool cors_pattern_is_valid(struct str pattern);
bool cors_origin_matches(const struct str *patterns, size_t n, struct str origin);

/* OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_is_preflight(const struct http_request *request);
/* Headers for a reply, preflight or not: fills out and returns how many. None when CORS is off; `Vary: Origin` alone
 * for a request whose origin is not allowed. Values borrow from the request, the rules and static text. */
size_t cors_headers(const struct cors_rules *rules, const struct http_request *request,
                    struct http_header out[CORS_HEADERS_MAX]);
/* An OPTIONS request as a whole: the status to answer without a body (204, or 403 for a preflight that is not allowed),
 * and the headers with it, `Allow` included. `methods` is the route's list ("GET, POST"). */
int cors_answer_options(const struct cors_rules *rules, const struct http_request *request, struct str methods,
                        struct http_header out[CORS_HEADERS_MAX], size_t *n);

#endif
