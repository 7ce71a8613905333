/* CORS: see cors.h. What a browser sent is repeated only after it matched or was checked to be a list of tokens. */
#include "policy/cors.h"

enum { ORIGIN_MAX = 255, REQUEST_HEADERS_MAX = 1024 };

static bool is_in(char c, const char *set) { return c && strchr(set, c); }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* With is_pattern `*` and `?` may stand for characters of the host and `*` for the port. */
static bool check_origin(struct str s, bool is_pattern) {
  size_t colon = str_find_char(s, ':');
  if (s.n > ORIGIN_MAX || colon == SIZE_MAX || colon == 0) return false;
  for (size_t i = 0; i < colon; i++)
    if (!is_lower(s.p[i]) && (i == 0 || (!is_digit(s.p[i]) && !is_in(s.p[i], "+-.")))) return false;
  if (!str_has_prefix(str_sub(s, colon, s.n), STR("://"))) return false;
  struct str authority = str_sub(s, colon + 3, s.n), host = authority, port;
  size_t bracket = authority.n && authority.p[0] == '[' ? str_find_char(authority, ']') : 0;
  if (bracket == SIZE_MAX) return false;
  size_t after = str_find_char(str_sub(authority, bracket, authority.n), ':');
  bool has_port = after != SIZE_MAX;
  if (has_port) host = str_sub(authority, 0, bracket + after);
  port = has_port ? str_sub(authority, host.n + 1, authority.n) : STR_NONE;
  uint64_t number;
  bool any_port = is_pattern && str_eq(port, STR("*"));
  if (has_port && !any_port && (port.n > 5 || !str_to_u64(port, &number) || port.p[0] == '0' || number > 65535))
    return false;
  for (size_t i = 0; i < host.n; i++) {
    char c = host.p[i];
    bool is_v6 = bracket && (c == ':' || (c == '[' && i == 0) || (c == ']' && i == host.n - 1));
    if (!is_lower(c) && !is_digit(c) && !is_in(c, "-._") && !is_v6 && !(is_pattern && is_in(c, "*?"))) return false;
  }
  return host.n > 0;
}

bool cors_origin_is_well_formed(struct str origin) { return check_origin(origin, false); }

bool cors_pattern_is_valid(struct str pattern) { return str_eq(pattern, STR("*")) || check_origin(pattern, true); }

bool cors_origin_matches(const struct str *patterns, size_t n, struct str origin) {
  if (n == 0 || !cors_origin_is_well_formed(origin)) return false;
  for (size_t i = 0; i < n; i++)
    if (str_glob(patterns[i], origin)) return true;
  return false;
}

/* The one value of that header; empty when there is none or several. */
static struct str one_header(const struct http_request *request, struct str name) {
  struct str value = STR_NONE;
  unsigned n = 0;
  for (size_t i = 0; i < request->headers.n; i++) {
    const struct http_header *h = &request->headers.v[i];
    if (h->name.n != name.n || !str_eq_nocase(h->name, name)) continue;
    value = h->value;
    n++;
  }
  return n == 1 ? value : STR_NONE;
}

bool cors_is_preflight(const struct http_request *request) {
  return request->method == HTTP_OPTIONS && one_header(request, STR("origin")).n &&
         one_header(request, STR("access-control-request-method")).n;
}

static bool has_star(const struct cors_rules *rules) {
  for (size_t i = 0; i < rules->origins_n; i++)
    if (str_eq(rules->origins[i], STR("*"))) return true;
  return false;
}

/* Names of headers with commas and spaces between; what is anything else is not repeated. */
static bool is_token_list(struct str s) {
  if (s.n == 0 || s.n > REQUEST_HEADERS_MAX) return false;
  for (size_t i = 0; i < s.n; i++) {
    char c = (char)(s.p[i] | 0x20);
    if (!is_lower(c) && !is_digit(s.p[i]) && !is_in(s.p[i], "-_, ")) return false;
  }
  return true;
}

static struct str max_age(uint32_t seconds) {
  /* Static text, since the values borrow: the steps a person would choose. */
  if (seconds >= 86400) return STR("86400");
  if (seconds >= 7200) return STR("7200");
  if (seconds >= 3600) return STR("3600");
  return seconds == 0 || seconds >= 600 ? STR("600") : seconds >= 60 ? STR("60") : STR("5");
}

size_t cors_headers(const struct cors_rules *rules, const struct http_request *request,
                    struct http_header out[CORS_HEADERS_MAX]) {
  size_t n = 0;
  struct str origin = one_header(request, STR("origin"));
  if (!rules || rules->origins_n == 0) return 0;
  bool any = has_star(rules);
  if (!any) out[n++] = (struct http_header){STR("Vary"), STR("Origin")};
  if (origin.n == 0 || (!any && !cors_origin_matches(rules->origins, rules->origins_n, origin))) return n;
  out[n++] = (struct http_header){STR("Access-Control-Allow-Origin"), any ? STR("*") : origin};
  if (!cors_is_preflight(request)) {
    out[n++] = (struct http_header){
        STR("Access-Control-Expose-Headers"),
        STR("x-request-id, retry-after, x-maestro-trace-id, x-maestro-model, x-maestro-mode, x-maestro-turns, "
            "x-maestro-cost-usd, x-maestro-overhead-us, x-maestro-dropped, x-maestro-estimated")};
    return n;
  }
  struct str asked = one_header(request, STR("access-control-request-headers"));
  out[n++] = (struct http_header){STR("Access-Control-Allow-Methods"), STR("GET, HEAD, POST, PUT, PATCH, DELETE")};
  if (is_token_list(asked)) out[n++] = (struct http_header){STR("Access-Control-Allow-Headers"), asked};
  out[n++] = (struct http_header){STR("Access-Control-Max-Age"), max_age(rules->max_age_s)};
  /* A page of the public network may reach this machine only where a person named its origin. */
  if (!any && str_eq(one_header(request, STR("access-control-request-private-network")), STR("true")))
    out[n++] = (struct http_header){STR("Access-Control-Allow-Private-Network"), STR("true")};
  return n;
}

int cors_answer_options(const struct cors_rules *rules, const struct http_request *request, struct str methods,
                        struct http_header out[CORS_HEADERS_MAX], size_t *n) {
  *n = cors_headers(rules, request, out);
  bool is_allowed = *n > 1 || (*n == 1 && str_eq(out[0].name, STR("Access-Control-Allow-Origin")));
  if (cors_is_preflight(request) && !is_allowed) return 403;
  out[(*n)++] = (struct http_header){STR("Allow"), methods};
  return 204;
}
