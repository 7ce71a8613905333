/* CORS: which origins are well-formed and match, what preflights and plain replies carry, and that `*` never comes with
 * credentials. */
#include "policy/cors.h"

#include "unit.h"

static const struct str named[] = {{"https://app.example.com", 23}, {"http://*.dev.example:*", 22}};
static const struct str star[] = {{"*", 1}};
static const struct cors_rules off = {0}, by_name = {.origins = named, .origins_n = 2},
                               to_all = {.origins = star, .origins_n = 1};

static struct http_header sent[8];
static size_t sent_n;

static struct http_request request_of(enum http_method method, const char *headers) {
  struct str rest = str_from_c(headers), line;
  sent_n = 0;
  for (bool more = rest.n > 0; more;) {
    more = str_cut(rest, '\n', &line, &rest);
    struct http_header *h = &sent[sent_n++];
    assert_true(str_cut(line, ':', &h->name, &h->value));
    h->value = str_trim(h->value);
  }
  return (struct http_request){.method = method, .headers = {sent, sent_n}};
}

static struct str find(const struct http_header *v, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (str_eq_nocase(v[i].name, str_from_c(name))) return v[i].value;
  return STR_NONE;
}

#define PREFLIGHT "Access-Control-Request-Method: POST\nAccess-Control-Request-Headers: authorization, content-type\n"

TEST(only_whole_origins_are_well_formed) {
  static const char *const yes[] = {"https://a",         "http://localhost:3000", "https://a-b.example.com:8443",
                                    "http://[::1]:8080", "http://127.0.0.1",      "chrome-extension://abcdef",
                                    "app://obsidian.md"};
  static const char *const no[] = {"",
                                   "null",
                                   "*",
                                   "a",
                                   "https://",
                                   "://a",
                                   "https://a/",
                                   "https://a?",
                                   "https://a#",
                                   "https://u@a",
                                   "https://a:",
                                   "https://a:0",
                                   "https://a:65536",
                                   "https://a:1:2",
                                   "https://A",
                                   "HTTPS://a",
                                   "https:a",
                                   "https://a b",
                                   "http://[::1",
                                   "http://::1",
                                   "https://*.a",
                                   "https://a\r\nX: y",
                                   "https://:80"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    if (!cors_origin_is_well_formed(str_from_c(yes[i]))) fail_msg("%s", yes[i]);
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (cors_origin_is_well_formed(str_from_c(no[i]))) fail_msg("%s", no[i]);
  char nul[] = "https://a\0b";
  assert_false(cors_origin_is_well_formed(str_from(nul, sizeof nul - 1)));
}

TEST(patterns_match_hosts_and_ports_and_nothing_else) {
  static const struct {
    const char *origin;
    bool matches;
  } rows[] = {
      {"https://app.example.com", true},
      {"http://app.example.com", false},
      {"https://app.example.com:444", false},
      {"https://xapp.example.com", false},
      {"https://app.example.com.evil", false},
      {"http://a.dev.example:3000", true},
      {"http://a.b.dev.example:1", true},
      {"http://a.dev.example", false},
      {"https://a.dev.example:3000", false},
      {"http://evil.com/.dev.example:3000", false},
      {"http://evil.com:1.dev.example:3000", false},
      {"null", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (cors_origin_matches(named, 2, str_from_c(rows[i].origin)) != rows[i].matches) fail_msg("%s", rows[i].origin);
  assert_true(cors_origin_matches(star, 1, STR("https://any.example")));
  assert_false(cors_origin_matches(star, 1, STR("null")));
  assert_false(cors_origin_matches(NULL, 0, STR("https://any.example")));
}

TEST(off_means_no_header_at_all) {
  struct http_header out[CORS_HEADERS_MAX];
  struct http_request r = request_of(HTTP_GET, "Origin: https://app.example.com");
  assert_int_equal(cors_headers(&off, &r, out), 0);
  assert_int_equal(cors_headers(NULL, &r, out), 0);
}

TEST(a_reply_names_the_origin_that_matched) {
  struct http_header out[CORS_HEADERS_MAX];
  struct http_request r = request_of(HTTP_POST, "Origin: https://app.example.com");
  size_t n = cors_headers(&by_name, &r, out);
  assert_str(find(out, n, "Access-Control-Allow-Origin"), STR("https://app.example.com"));
  assert_str(find(out, n, "Vary"), STR("Origin"));
  assert_int_not_equal(str_find(find(out, n, "Access-Control-Expose-Headers"), STR("x-maestro-model")), SIZE_MAX);
  assert_null(find(out, n, "Access-Control-Allow-Credentials").p);
  assert_null(find(out, n, "Access-Control-Allow-Methods").p);
}

TEST(strangers_get_vary_alone) {
  struct http_header out[CORS_HEADERS_MAX];
  static const char *const heads[] = {"Origin: https://evil.example", "Accept: */*", "Origin: null",
                                      "Origin: https://app.example.com\nOrigin: https://app.example.com"};
  for (size_t i = 0; i < 4; i++) {
    struct http_request r = request_of(HTTP_POST, heads[i]);
    assert_int_equal(cors_headers(&by_name, &r, out), 1);
    assert_str(out[0].name, STR("Vary"));
  }
}

TEST(star_is_sent_as_star_and_never_with_credentials) {
  struct http_header out[CORS_HEADERS_MAX];
  struct http_request r =
      request_of(HTTP_OPTIONS, PREFLIGHT "Origin: https://evil.example\nAccess-Control-Request-Private-Network: true");
  size_t n = cors_headers(&to_all, &r, out);
  assert_str(find(out, n, "Access-Control-Allow-Origin"), STR("*"));
  assert_null(find(out, n, "Access-Control-Allow-Credentials").p);
  assert_null(find(out, n, "Access-Control-Allow-Private-Network").p);
}

TEST(a_preflight_is_answered_in_full) {
  struct http_header out[CORS_HEADERS_MAX];
  struct cors_rules rules = by_name;
  rules.max_age_s = 3600;
  size_t n;
  struct http_request r = request_of(
      HTTP_OPTIONS, PREFLIGHT "Origin: https://app.example.com\nAccess-Control-Request-Private-Network: true");
  assert_true(cors_is_preflight(&r));
  assert_int_equal(cors_answer_options(&rules, &r, STR("GET, POST"), out, &n), 204);
  assert_true(n <= CORS_HEADERS_MAX);
  assert_str(find(out, n, "Access-Control-Allow-Origin"), STR("https://app.example.com"));
  assert_str(find(out, n, "Access-Control-Allow-Headers"), STR("authorization, content-type"));
  assert_int_not_equal(str_find(find(out, n, "Access-Control-Allow-Methods"), STR("POST")), SIZE_MAX);
  assert_str(find(out, n, "Access-Control-Max-Age"), STR("3600"));
  assert_str(find(out, n, "Access-Control-Allow-Private-Network"), STR("true"));
  assert_str(find(out, n, "Allow"), STR("GET, POST"));
}

TEST(what_the_browser_asks_for_is_repeated_only_when_it_is_a_list_of_names) {
  struct http_header out[CORS_HEADERS_MAX];
  struct http_request r = request_of(HTTP_OPTIONS,
                                     "Origin: https://app.example.com\nAccess-Control-Request-Method: POST\n"
                                     "Access-Control-Request-Headers: a;b=\"c\"");
  size_t n = cors_headers(&by_name, &r, out);
  assert_null(find(out, n, "Access-Control-Allow-Headers").p);
  assert_str(find(out, n, "Access-Control-Allow-Origin"), STR("https://app.example.com"));
}

TEST(other_options_requests) {
  struct http_header out[CORS_HEADERS_MAX];
  size_t n;
  struct http_request r = request_of(HTTP_OPTIONS, PREFLIGHT "Origin: https://evil.example");
  assert_int_equal(cors_answer_options(&by_name, &r, STR("GET"), out, &n), 403);
  assert_int_equal(cors_answer_options(&off, &r, STR("GET"), out, &n), 403);
  assert_int_equal(n, 0);
  r = request_of(HTTP_OPTIONS, "Accept: */*");
  assert_false(cors_is_preflight(&r));
  assert_int_equal(cors_answer_options(&off, &r, STR("GET"), out, &n), 204);
  assert_int_equal(n, 1);
  assert_str(out[0].value, STR("GET"));
  r = request_of(HTTP_POST, PREFLIGHT "Origin: https://app.example.com");
  assert_false(cors_is_preflight(&r));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_whole_origins_are_well_formed),
      cmocka_unit_test(patterns_match_hosts_and_ports_and_nothing_else),
      cmocka_unit_test(off_means_no_header_at_all),
      cmocka_unit_test(a_reply_names_the_origin_that_matched),
      cmocka_unit_test(strangers_get_vary_alone),
      cmocka_unit_test(star_is_sent_as_star_and_never_with_credentials),
      cmocka_unit_test(a_preflight_is_answered_in_full),
      cmocka_unit_test(what_the_browser_asks_for_is_repeated_only_when_it_is_a_list_of_names),
      cmocka_unit_test(other_options_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
