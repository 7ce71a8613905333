/* The judgements on single strings, as tables of what is accepted and what is not. */
#include "state/config/config_check.h"

#include "state/config/config_price.h"
#include "state/config/config_value.h"
#include "unit.h"

struct row {
  const char *text;
  bool is_good;
};

static void check_rows(const char *(*check)(struct str), const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *why = check(str_from_c(rows[i].text));
    if ((why == NULL) != rows[i].is_good) print_error("%s: %s\n", rows[i].text, why ? why : "accepted");
    assert_int_equal(why == NULL, rows[i].is_good);
  }
}
#define CHECK(check, ...)                                   \
  do {                                                      \
    static const struct row rows_[] = {__VA_ARGS__};        \
    check_rows(check, rows_, sizeof rows_ / sizeof *rows_); \
  } while (0)

TEST(urls) {
  CHECK(config_check_url, {"https://api.example.com", 1}, {"http://localhost:11434", 1}, {"HTTP://127.0.0.1/v1/", 1},
        {"https://[::1]:8080/x", 1}, {"https://a_b.example/v1/%7Bx", 1}, {"https://xn--bcher-kva.example", 1}, {"", 0},
        {"example.com", 0}, {"ftp://x", 0}, {"https://", 0}, {"https:///v1", 0}, {"https://u@h", 0},
        {"https://u:p@h/", 0}, {"https://h?x", 0}, {"https://h/#f", 0}, {"https://h/a b", 0}, {"https://h\\x", 0},
        {"https://h:0", 0}, {"https://h:65536", 0}, {"https://h:", 0}, {"https://h:80x", 0}, {"https://1.2.3", 0},
        {"https://0x7f.1", 0}, {"https://2130706433", 0}, {"https://1.2.3.4.", 0}, {"https://256.1.1.1", 0},
        {"https://01.2.3.4", 0}, {"https://[::1", 0}, {"https://[::1]x", 0}, {"https://[1.2.3.4]", 0},
        {"https://[fe80::1%eth0]", 0},
        {"https://b\xc3\xbc"
         "cher.example",
         0},
        {"https://a..b", 0}, {"https://h/../x", 0}, {"https://h/a/./b", 0}, {"https://h/a\r\nX: y", 0},
        {"https://a%2eb", 0});
}

TEST(other_strings) {
  CHECK(config_check_host, {"127.0.0.1", 1}, {"::", 1}, {"localhost", 1}, {"example.org", 0}, {"[::1]", 0}, {"", 0});
  CHECK(config_check_host_name, {"a.example", 1}, {"a.example:81", 1}, {"10.0.0.1", 1}, {"::1", 1}, {"[::1]:81", 1},
        {"a b", 0}, {"", 0}, {"http://a", 0});
  CHECK(config_check_network, {"10.0.0.0/8", 1}, {"::1/128", 1}, {"1.2.3.4", 1}, {"10.0.0.0/33", 0}, {"::/129", 0},
        {"10.0.0.0/", 0}, {"10.0.0/8", 0}, {"x", 0});
  CHECK(config_check_origin, {"https://a.example", 1}, {"http://localhost:3000", 1}, {"*", 0}, {"https://a/", 0},
        {"a", 0}, {"null", 0});
  CHECK(config_check_key, {"sk-maestro-abc_DEF", 1}, {"a b", 0}, {"", 0}, {"a,b", 0}, {"a\tb", 0}, {"k\xc3\xbc", 0});
  CHECK(config_check_variable, {"OPENAI_API_KEY", 1}, {"_x", 1}, {"1X", 0}, {"sk-abc", 0}, {"", 0}, {"A B", 0});
  CHECK(config_check_provider_id, {"groq", 1}, {"My Provider", 1}, {"a/b", 0}, {" a", 0}, {"a ", 0}, {"", 0},
        {"a\n", 0}, {"\xff", 0});
  CHECK(config_check_code, {"n1", 1}, {"a.b-c_D", 1}, {"a:b", 0}, {"", 0}, {"a b", 0});
  CHECK(config_check_header_name, {"X-Title", 1}, {"Authorization", 1}, {"Host", 0}, {"content-length", 0}, {"a b", 0},
        {"a:", 0}, {"", 0});
  CHECK(config_check_header_value, {"", 1}, {"a b", 1}, {" a", 0}, {"a\r\nb", 0}, {"a\x7f", 0});
}

TEST(prices_are_exact) {
  static const struct {
    const char *text;
    int64_t nano; /* -1: refused */
  } rows[] = {{"0.06", 60000000},
              {"0", 0},
              {"0.0", 0},
              {"5", 5000000000},
              {"0.1", 100000000},
              {"3.07", 3070000000},
              {"6e-2", 60000000},
              {"6E-2", 60000000},
              {"1.5e+1", 15000000000},
              {"0.000000001", 1},
              {"1e-9", 1},
              {"0.1000000000000", 100000000},
              {"1000000", 1000000000000000},
              {"0e999", 0},
              {"0.0000000001", -1},
              {"1e-10", -1},
              {"1000000.000000001", -1},
              {"1000001", -1},
              {"1e6", 1000000000000000},
              {"1e7", -1},
              {"1e99", -1},
              {"-1", -1},
              {"", -1},
              {".", -1},
              {".5", -1},
              {"5.", -1},
              {"1e", -1},
              {"1e1001", -1},
              {"1.2.3", -1},
              {"0x10", -1},
              {"NaN", -1},
              {"99999999999999999999", -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t nano = -7;
    const char *why = config_price_parse_usd(str_from_c(rows[i].text), &nano);
    if ((why == NULL) != (rows[i].nano >= 0)) print_error("%s: %s\n", rows[i].text, why ? why : "accepted");
    assert_int_equal(why == NULL, rows[i].nano >= 0);
    assert_int_equal(nano, rows[i].nano >= 0 ? rows[i].nano : -7);
  }
}

TEST(times_and_sizes) {
  uint64_t v;
  assert_true(config_value_ms(STR("250"), &v) && v == 250);
  assert_true(config_value_ms(STR("10s"), &v) && v == 10000);
  assert_true(config_value_ms(STR("5 min"), &v) && v == 300000);
  assert_false(config_value_ms(STR("1d"), &v));
  assert_false(config_value_ms(STR("s"), &v));
  assert_false(config_value_ms(STR("-1"), &v));
  assert_false(config_value_ms(STR("99999999999999999999"), &v));
  assert_false(config_value_ms(STR("18446744073709551615s"), &v));
  assert_true(config_value_bytes(STR("64KiB"), &v) && v == 65536);
  assert_true(config_value_bytes(STR("64 kb"), &v) && v == 64000);
  assert_true(config_value_bytes(STR("2g"), &v) && v == 2ull << 30);
  assert_false(config_value_bytes(STR("1 PB"), &v));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(urls),
      cmocka_unit_test(other_strings),
      cmocka_unit_test(prices_are_exact),
      cmocka_unit_test(times_and_sizes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
