/* The egress policy, address by address. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "unit.h"

#include "io/resolver.h"

enum expected { PUBLIC, PRIVATE, NEVER };

static const struct {
  const char *address;
  enum expected expected;
} table[] = {
    {"8.8.8.8", PUBLIC},
    {"1.1.1.1", PUBLIC},
    {"93.184.216.34", PUBLIC},
    {"0.0.0.0", NEVER},
    {"0.1.2.3", NEVER},
    {"1.0.0.0", PUBLIC},
    {"9.255.255.255", PUBLIC},
    {"10.0.0.0", PRIVATE},
    {"10.255.255.255", PRIVATE},
    {"11.0.0.0", PUBLIC},
    {"100.63.255.255", PUBLIC},
    {"100.64.0.0", PRIVATE},
    {"100.127.255.255", PRIVATE},
    {"100.128.0.0", PUBLIC},
    {"100.100.100.200", NEVER},
    {"100.100.100.201", PRIVATE},
    {"126.255.255.255", PUBLIC},
    {"127.0.0.1", PRIVATE},
    {"127.255.255.254", PRIVATE},
    {"128.0.0.0", PUBLIC},
    {"168.63.129.16", NEVER},
    {"168.63.129.17", PUBLIC},
    {"169.253.255.255", PUBLIC},
    {"169.254.0.0", NEVER},
    {"169.254.169.254", NEVER},
    {"169.254.255.255", NEVER},
    {"169.255.0.0", PUBLIC},
    {"172.15.255.255", PUBLIC},
    {"172.16.0.0", PRIVATE},
    {"172.31.255.255", PRIVATE},
    {"172.32.0.0", PUBLIC},
    {"192.0.0.192", NEVER},
    {"192.167.255.255", PUBLIC},
    {"192.168.0.0", PRIVATE},
    {"192.168.255.255", PRIVATE},
    {"192.169.0.0", PUBLIC},
    {"198.17.255.255", PUBLIC},
    {"198.18.0.0", PRIVATE},
    {"198.19.255.255", PRIVATE},
    {"198.20.0.0", PUBLIC},
    {"223.255.255.255", PUBLIC},
    {"224.0.0.1", NEVER},
    {"239.255.255.255", NEVER},
    {"240.0.0.1", NEVER},
    {"255.255.255.255", NEVER},
    {"2606:4700:4700::1111", PUBLIC},
    {"2001:4860:4860::8888", PUBLIC},
    {"::", NEVER},
    {"::1", PRIVATE},
    {"::2", NEVER}, /* IPv4-compatible 0.0.0.2 */
    {"fe80::1", NEVER},
    {"febf:ffff::1", NEVER},
    {"fec0::1", PRIVATE},
    {"fe7f::1", PUBLIC},
    {"fc00::1", PRIVATE},
    {"fdff:ffff::1", PRIVATE},
    {"fbff::1", PUBLIC},
    {"fd00:ec2::254", NEVER},
    {"fd00:ec2::255", PRIVATE},
    {"fd20:ce::254", NEVER},
    {"ff02::1", NEVER},
    {"ff00::", NEVER},
    /* Wrapped IPv4 addresses. */
    {"::ffff:8.8.8.8", PUBLIC},
    {"::ffff:127.0.0.1", PRIVATE},
    {"::ffff:10.1.2.3", PRIVATE},
    {"::ffff:169.254.169.254", NEVER},
    {"::ffff:0.0.0.0", NEVER},
    {"::ffff:100.100.100.200", NEVER},
    {"::169.254.169.254", NEVER},
    {"::127.0.0.1", PRIVATE},
    {"64:ff9b::8.8.8.8", PUBLIC},
    {"64:ff9b::169.254.169.254", NEVER},
    {"64:ff9b::10.0.0.1", PRIVATE},
    {"64:ff9b:1::a9fe:a9fe", NEVER},
    {"2002:a9fe:a9fe::1", NEVER},
    {"2002:7f00:1::", PRIVATE},
    {"2002:808:808::1", PUBLIC},
};

static void parse(const char *text, struct sockaddr_storage *out) {
  memset(out, 0, sizeof *out);
  struct sockaddr_in *in = (struct sockaddr_in *)out;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
  if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    return;
  }
  memset(out, 0, sizeof *out);
  assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
  in6->sin6_family = AF_INET6;
}

TEST(every_address_is_judged) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sockaddr_storage a;
    parse(table[i].address, &a);
    bool is_allowed = resolver_address_is_allowed((struct sockaddr *)&a, false);
    bool is_allowed_privately = resolver_address_is_allowed((struct sockaddr *)&a, true);
    if (is_allowed != (table[i].expected == PUBLIC)) fail_msg("%s", table[i].address);
    if (is_allowed_privately != (table[i].expected != NEVER)) fail_msg("%s with private", table[i].address);
  }
}

TEST(other_families_are_refused) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  assert_false(resolver_address_is_allowed((struct sockaddr *)&un, true));
  struct sockaddr_storage none = {0};
  assert_false(resolver_address_is_allowed((struct sockaddr *)&none, true));
}

TEST(hosts_that_need_no_look_up) {
  static const struct {
    const char *host;
    bool in_private, in_public;
  } rows[] = {{"127.0.0.1", true, false},   {"localhost", true, false},
              {"x.localhost", true, false}, {"::1", true, false},
              {"10.1.2.3", true, false},    {"8.8.8.8", true, true},
              {"h.example", true, true},    {"169.254.169.254", false, false},
              {"0.0.0.0", false, false},    {"fe80::1", false, false},
              {"a b", false, false},        {"", false, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(resolver_host_is_allowed(str_from_c(rows[i].host), true), rows[i].in_private);
    assert_int_equal(resolver_host_is_allowed(str_from_c(rows[i].host), false), rows[i].in_public);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_address_is_judged),
                                     cmocka_unit_test(other_families_are_refused),
                                     cmocka_unit_test(hosts_that_need_no_look_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
