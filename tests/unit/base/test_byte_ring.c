/* A queue of bytes: whole records or none, in order, over the seam, and between two threads. */
#include "base/byte_ring.h"

#include <pthread.h>
#include <sched.h>

#include "unit.h"

TEST(what_does_not_fit_is_refused) {
  struct byte_ring *r = byte_ring_new(64);
  struct str parts[2];
  char text[64];
  memset(text, 'a', sizeof text);
  assert_int_equal(byte_ring_put(r, text, 30), BYTE_RING_TAKEN);
  assert_int_equal(byte_ring_put(r, text, 10), BYTE_RING_HALF);
  assert_int_equal(byte_ring_put(r, text, 25), BYTE_RING_FULL);
  assert_int_equal(byte_ring_peek(r, parts), 40);
  assert_int_equal(byte_ring_put(r, text, 24), BYTE_RING_HALF);
  assert_int_equal(byte_ring_put(r, text, 1), BYTE_RING_FULL);
  byte_ring_drop(r, 64);
  assert_int_equal(byte_ring_put(r, text, 1), BYTE_RING_TAKEN);
  byte_ring_free(r);
}

TEST(records_over_the_seam_at_every_place) {
  struct byte_ring *r = byte_ring_new(64);
  for (size_t n = 1; n <= 64; n++) {
    for (size_t turn = 0; turn < 64; turn++) {
      char in[64], out[64];
      struct str parts[2];
      for (size_t i = 0; i < n; i++) in[i] = (char)(turn + i);
      assert_int_not_equal(byte_ring_put(r, in, n), BYTE_RING_FULL);
      assert_int_equal(byte_ring_peek(r, parts), n);
      assert_int_equal(parts[0].n + parts[1].n, n);
      assert_memory_equal(parts[0].p, in, parts[0].n);
      assert_memory_equal(parts[1].p, in + parts[0].n, parts[1].n);
      byte_ring_copy(r, n / 2, out, n - n / 2);
      assert_memory_equal(out, in + n / 2, n - n / 2);
      byte_ring_drop(r, n);
    }
  }
  byte_ring_free(r);
}

enum { RECORDS = 50000 };

static void *produce(void *arg) {
  for (uint32_t i = 0; i < RECORDS;)
    if (byte_ring_put(arg, &i, sizeof i) != BYTE_RING_FULL)
      i++;
    else
      sched_yield();
  return NULL;
}

TEST(two_threads) {
  struct byte_ring *r = byte_ring_new(1024);
  struct str parts[2];
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
  for (uint32_t want = 0; want < RECORDS;) {
    uint32_t got;
    if (byte_ring_peek(r, parts) < sizeof got) {
      sched_yield();
      continue;
    }
    byte_ring_copy(r, 0, &got, sizeof got);
    assert_int_equal(got, want);
    byte_ring_drop(r, sizeof got);
    want++;
  }
  pthread_join(thread, NULL);
  byte_ring_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_does_not_fit_is_refused),
                                     cmocka_unit_test(records_over_the_seam_at_every_place),
                                     cmocka_unit_test(two_threads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
