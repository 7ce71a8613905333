/* A queue of bytes: whole records or none, in order, over the seam, and between two threads; a large
 * one gives emptied memory back. */
#include "base/byte_ring.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

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

enum { RECORDS = 50000, RECORD = 100 };

/* Each record holds its number, again and again. */
static void *produce(void *arg) {
  uint32_t record[RECORD / 4];
  for (uint32_t i = 0; i < RECORDS; i++) {
    for (size_t k = 0; k < RECORD / 4; k++) record[k] = i;
    while (byte_ring_put(arg, record, sizeof record) == BYTE_RING_FULL) sched_yield();
  }
  return NULL;
}

/* Takes several records at once, which leave the ring together. */
static void two_threads_with(size_t ring_bytes) {
  struct byte_ring *r = byte_ring_new(ring_bytes);
  struct str parts[2];
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
  for (uint32_t want = 0; want < RECORDS;) {
    size_t there = byte_ring_peek(r, parts);
    if (!there) sched_yield();
    for (size_t at = 0; at < there; at += RECORD, want++) {
      uint32_t got[RECORD / 4];
      byte_ring_copy(r, at, got, sizeof got);
      for (size_t k = 0; k < RECORD / 4; k++) assert_int_equal(got[k], want);
    }
    byte_ring_drop(r, there);
  }
  pthread_join(thread, NULL);
  byte_ring_free(r);
}

TEST(two_threads_over_a_small_ring) { two_threads_with(1024); }

TEST(two_threads_over_a_ring_that_gives_memory_back) { two_threads_with(1024 * 1024); }

static size_t pages_in_memory(const struct byte_ring *r) {
  static unsigned char is_there[4096];
  size_t n = 0, pages = (r->mask + 1) / 4096;
  assert_int_equal(mincore(r->bytes, r->mask + 1, is_there), 0);
  for (size_t i = 0; i < pages; i++) n += is_there[i] & 1;
  return n;
}

TEST(a_large_ring_costs_what_waits_in_it) {
  enum { SIZE = 16 * 1024 * 1024, PIECE = 4000 };
  static const char piece[PIECE];
  struct byte_ring *r = byte_ring_new(SIZE);
  for (int i = 0; i < 3 * SIZE / PIECE; i++) { /* three times around, one piece waiting */
    assert_int_equal(byte_ring_put(r, piece, PIECE), BYTE_RING_TAKEN);
    byte_ring_drop(r, PIECE);
  }
  assert_true(pages_in_memory(r) <= 2 * 64 / 4);
  while (byte_ring_put(r, piece, PIECE) != BYTE_RING_FULL) {
  }
  assert_true(pages_in_memory(r) > SIZE / 4096 - 2 * 64 / 4); /* all of it could be used */
  byte_ring_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(records_over_the_seam_at_every_place),
      cmocka_unit_test(two_threads_over_a_small_ring), cmocka_unit_test(two_threads_over_a_ring_that_gives_memory_back),
      cmocka_unit_test(a_large_ring_costs_what_waits_in_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
