/* CRC-32C against the values of RFC 3720, appendix B.4, and the instruction against the table. */
#include "base/crc32c.h"

#include "unit.h"

TEST(values_of_the_rfc) {
  unsigned char bytes[32];
  memset(bytes, 0, sizeof bytes);
  assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aau);
  memset(bytes, 0xff, sizeof bytes);
  assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43u);
  for (unsigned i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
  assert_int_equal(crc32c(0, bytes, 32), 0x46dd794eu);
  for (unsigned i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
  assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5cu);
  assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
  assert_int_equal(crc32c(0, "", 0), 0);
}

TEST(both_ways_and_any_cut_agree) {
  unsigned char bytes[70];
  for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 37 + 11);
  for (size_t n = 0; n <= sizeof bytes; n++) {
    uint32_t whole = crc32c(0, bytes, n);
    assert_int_equal(whole, crc32c_portable(0, bytes, n));
    for (size_t cut = 0; cut <= n; cut++) assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, n - cut), whole);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_of_the_rfc),
                                     cmocka_unit_test(both_ways_and_any_cut_agree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
