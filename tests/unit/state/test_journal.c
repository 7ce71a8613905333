/* The journal: rows and slots survive whatever order they were left in; a file is damaged at every byte; the ring
 * turns; what is not ours is left alone. */
#include "state/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temp_folder.h"
#include "unit.h"

enum { SLOTS = 4, ROWS = 8, HEADER = 4096, SLOT_BYTES = 176, ROW_BYTES = 208, FOUND_MAX = 32 };
enum { FILE_BYTES = HEADER + SLOTS * SLOT_BYTES + ROWS * ROW_BYTES };

static const struct journal_shape shape = {SLOTS, ROWS};
static char path[128];

static struct {
  struct journal_row rows[FOUND_MAX];
  size_t n;
} got;

static int fresh(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/j", temp_folder);
  unlink(path);
  return 0;
}

static void keep(void *arg, const struct journal_row *row) {
  (void)arg;
  assert_true(got.n < FOUND_MAX);
  got.rows[got.n++] = *row;
}

static struct journal *open_at(uint64_t next_seq, struct journal_found *found) {
  struct journal *j = NULL;
  struct err_info info = {0};
  got.n = 0;
  if (journal_open(&j, path, 0, &shape, next_seq, keep, NULL, found, &info)) fail_msg("%s", info.text);
  return j;
}

/* Ready to be used, as after a start whose finds are safe. */
static struct journal *start(uint64_t next_seq, struct journal_found *found) {
  struct journal *j = open_at(next_seq, found);
  journal_forget(j);
  return j;
}

static struct journal_entry entry(uint64_t account, int64_t reserved) {
  return (struct journal_entry){.accounts = {account},
                                .reserved_nano_usd = reserved,
                                .input_nano_usd_per_mtok = 1000000,
                                .output_nano_usd_per_mtok = 4000000,
                                .began_us = 1790000000000000,
                                .attempt = 1,
                                .trace = "tr_x",
                                .model = "up/m"};
}

static int reserve(struct journal *j, uint64_t account) {
  int slot = -7;
  struct journal_entry e = entry(account, 1000);
  assert_int_equal(journal_reserve(j, &e, &slot), OK);
  return slot;
}

static void settle(struct journal *j, uint64_t account, int64_t amount) {
  journal_settle(j, reserve(j, account), &(struct journal_result){.amount_nano_usd = amount, .tokens = {3, 4}});
}

static void read_file(unsigned char out[FILE_BYTES]) {
  int fd = open(path, O_RDONLY);
  assert_int_equal(read(fd, out, FILE_BYTES), FILE_BYTES);
  close(fd);
}

static void write_file(const unsigned char *bytes, size_t n) {
  int fd = open(path, O_WRONLY | O_CREAT, 0600); /* O_TRUNC makes some file systems wait for the disk at close */
  assert_int_equal(pwrite(fd, bytes, n, 0), n);
  assert_int_equal(ftruncate(fd, (off_t)n), 0);
  close(fd);
}

TEST(rows_come_back_in_order) {
  struct journal_found found;
  struct journal *j = start(0, &found);
  assert_int_equal(got.n, 0);
  assert_int_equal(journal_next_seq(j), 1);
  for (int i = 1; i <= 3; i++) settle(j, 7, 100 * i);
  journal_close(j);
  j = open_at(0, &found);
  assert_int_equal(found.rows, 3);
  assert_int_equal(got.n, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(got.rows[i].seq, i + 1);
    assert_int_equal(got.rows[i].amount_nano_usd, 100 * (int)(i + 1));
    assert_int_equal(got.rows[i].entry.accounts[0], 7);
    assert_int_equal(got.rows[i].tokens[JOURNAL_OUTPUT], 4);
    assert_string_equal(got.rows[i].entry.trace, "tr_x");
  }
  journal_close(j);
  j = open_at(3, &found); /* the first two have been copied away */
  assert_int_equal(got.n, 1);
  assert_int_equal(got.rows[0].seq, 3);
  assert_int_equal(journal_next_seq(j), 4);
  journal_close(j);
}

TEST(a_slot_that_was_left_is_settled_once) {
  struct journal_found found;
  struct journal *j = start(0, &found);
  settle(j, 1, 5);
  int left = reserve(j, 2), gone = reserve(j, 3);
  journal_note(j, left, 200, 50);
  journal_release(j, gone);
  assert_int_equal(journal_taken(j), 1);
  journal_close(j); /* as a kill leaves it */
  j = open_at(0, &found);
  assert_int_equal(found.slots, 1);
  assert_int_equal(got.n, 2);
  const struct journal_row *r = &got.rows[1];
  assert_int_equal(r->entry.accounts[0], 2);
  assert_int_equal(r->amount_nano_usd, 200 + 50 * 4); /* 1 and 4 nano-USD a token */
  assert_int_equal(r->flags, JOURNAL_ESTIMATED | JOURNAL_RECOVERED | JOURNAL_FAILED);
  assert_int_equal(r->tokens[JOURNAL_INPUT], 200);
  journal_close(j); /* killed before what was found is safe: the same is found again, not twice */
  j = open_at(0, &found);
  assert_int_equal(found.slots, 0);
  assert_int_equal(got.n, 2);
  journal_close(j);
  j = open_at(3, &found); /* safe, but killed before the slots were forgotten */
  assert_int_equal(found.slots, 0);
  assert_int_equal(got.n, 0);
  journal_forget(j);
  assert_int_equal(journal_taken(j), 0);
  journal_close(j);
  j = open_at(3, &found);
  assert_int_equal(found.slots + got.n, 0);
  journal_close(j);
}

TEST(a_price_that_is_unknown_stays_unknown) {
  struct journal_found found;
  struct journal *j = start(0, &found);
  struct journal_entry e = entry(1, 0);
  int slot;
  e.output_nano_usd_per_mtok = -1;
  assert_int_equal(journal_reserve(j, &e, &slot), OK);
  journal_note(j, slot, 10, 10);
  journal_close(j);
  j = open_at(0, &found);
  assert_int_equal(got.n, 1);
  assert_int_equal(got.rows[0].amount_nano_usd, 0);
  assert_true(got.rows[0].flags & JOURNAL_UNPRICED);
  journal_close(j);
}

/* Between any two stores of settling: the slot with its row's number, the row, the slot freed. */
TEST(a_kill_between_the_steps_of_settling) {
  struct journal_found found;
  static unsigned char before[FILE_BYTES], after[FILE_BYTES], cut[FILE_BYTES];
  struct journal *j = start(0, &found);
  int slot = reserve(j, 9);
  journal_note(j, slot, 100, 0);
  read_file(before);
  journal_settle(j, slot, &(struct journal_result){.amount_nano_usd = 777});
  read_file(after);
  journal_close(j);
  size_t at_slot = HEADER + (size_t)slot * SLOT_BYTES, at_row = HEADER + SLOTS * SLOT_BYTES + ROW_BYTES; /* row 1 */
  for (size_t k = 0; k <= ROW_BYTES; k++) {
    memcpy(cut, before, sizeof cut);
    memcpy(cut + at_slot + 8, after + at_slot + 8, 8); /* settle_seq */
    memcpy(cut + at_row, after + at_row, k);
    write_file(cut, sizeof cut);
    j = open_at(0, &found);
    assert_int_equal(got.n, 1);
    bool is_whole = !memcmp(cut + at_row, after + at_row, ROW_BYTES);
    assert_int_equal(got.rows[0].amount_nano_usd, is_whole ? 777 : 100);
    assert_int_equal(found.slots, !is_whole);
    journal_close(j);
  }
}

TEST(every_byte_damaged) {
  struct journal_found found;
  static unsigned char good[FILE_BYTES], bad[FILE_BYTES];
  struct journal *j = start(0, &found);
  for (int i = 1; i <= 3; i++) settle(j, 5, 10 * i);
  (void)reserve(j, 6);
  read_file(good);
  journal_close(j);
  for (size_t k = 0; k < FILE_BYTES; k++) {
    if (k >= 48 && k < HEADER) continue; /* behind the header's words there is nothing */
    struct err_info info = {0};
    memcpy(bad, good, sizeof bad);
    bad[k] ^= 0x40;
    write_file(bad, sizeof bad);
    got.n = 0;
    enum err e = journal_open(&j, path, 0, &shape, 0, keep, NULL, &found, &info);
    if (e) {
      static unsigned char still[FILE_BYTES];
      assert_int_equal(e, ERR_BAD_VALUE); /* it looks like another version's */
      assert_true(k < 48);
      read_file(still);
      assert_memory_equal(still, bad, sizeof still);
      continue;
    }
    if (k < 40) {
      assert_true(found.was_damaged);
      assert_int_equal(access(found.aside, F_OK), 0);
      unlink(found.aside);
      assert_int_equal(got.n, 0);
    } else {
      /* At most one row or one slot is lost, and none is invented. */
      assert_true(got.n >= 3 && got.n <= 4);
      for (size_t i = 0; i < got.n; i++)
        assert_true(got.rows[i].amount_nano_usd <= (got.rows[i].flags & JOURNAL_RECOVERED ? 1000 : 30));
    }
    journal_close(j);
  }
}

TEST(a_file_cut_at_any_length_is_kept_aside) {
  struct journal_found found;
  static unsigned char good[FILE_BYTES];
  journal_close(open_at(0, &found));
  read_file(good);
  for (size_t n = 0; n < FILE_BYTES; n += n < 64 ? 1 : 509) {
    write_file(good, n);
    struct journal *j = open_at(17, &found);
    struct stat st;
    assert_true(found.was_damaged);
    assert_int_equal(stat(found.aside, &st), 0);
    assert_int_equal(st.st_size, n);
    unlink(found.aside);
    assert_int_equal(journal_next_seq(j), 17); /* numbers go on: none is used twice */
    journal_close(j);
  }
}

TEST(another_version_is_left_alone) {
  struct journal_found found;
  struct err_info info = {0};
  struct journal *j;
  static unsigned char good[FILE_BYTES], still[FILE_BYTES];
  journal_close(open_at(0, &found));
  read_file(good);
  good[8] = JOURNAL_VERSION + 1;
  write_file(good, sizeof good);
  assert_int_equal(journal_open(&j, path, 0, &shape, 0, keep, NULL, &found, &info), ERR_BAD_VALUE);
  assert_non_null(strstr(info.text, "another version"));
  read_file(still);
  assert_memory_equal(still, good, sizeof still);
  unlink(path);
  journal_close(open_at(0, &found));
  const struct journal_shape other = {SLOTS, ROWS + 1};
  assert_int_equal(journal_open(&j, path, 0, &other, 0, keep, NULL, &found, &info), ERR_BAD_VALUE);
}

TEST(the_ring_turns_and_never_overruns) {
  struct journal_found found;
  struct journal *j = start(0, &found);
  struct journal_entry e = entry(1, 1);
  uint64_t seq = 1;
  int slot, slots[SLOTS];
  for (int i = 0; i < ROWS - SLOTS; i++, seq++) settle(j, 1, 1);
  for (int i = 0; i < SLOTS; i++) slots[i] = reserve(j, 1);
  assert_int_equal(journal_reserve(j, &e, &slot), ERR_BUSY); /* no slot, and every row is spoken for */
  for (int i = 0; i < SLOTS; i++, seq++) journal_settle(j, slots[i], &(struct journal_result){.amount_nano_usd = 2});
  assert_int_equal(journal_reserve(j, &e, &slot), ERR_BUSY); /* slots enough, no row */
  assert_int_equal(journal_fill(j), 100);
  journal_trim(j, 4);
  assert_int_equal(journal_reserve(j, &e, &slot), OK);
  journal_release(j, slot);
  for (int round = 0; round < 50; round++) {
    journal_trim(j, seq);
    for (int i = 0; i < 3; i++, seq++) settle(j, 1, (int)seq);
    assert_int_equal(journal_read(j, seq - 1).amount_nano_usd, seq - 1);
  }
  journal_close(j);
  j = open_at(seq - 3, &found);
  assert_int_equal(got.n, 3);
  assert_int_equal(got.rows[0].seq, seq - 3);
  assert_int_equal(found.torn_rows, 0);
  journal_close(j);
}

/* Half full is what the writer lets it get; a disk that stalls then is bridged for a second at 30,000 rows/s. */
TEST(the_usual_ring_bridges_a_second) {
  struct journal_found found;
  struct err_info info = {0};
  struct journal *j = NULL;
  struct journal_entry e = entry(1, 1);
  int slot;
  if (journal_open(&j, path, 0, &journal_shape, 0, keep, NULL, &found, &info)) fail_msg("%s", info.text);
  journal_forget(j);
  while (journal_fill(j) < 50) settle(j, 1, 1);
  for (int i = 0; i < 30000; i++) settle(j, 1, 1);
  while (journal_reserve(j, &e, &slot) == OK) journal_settle(j, slot, &(struct journal_result){.amount_nano_usd = 1});
  assert_int_equal(journal_next_seq(j), journal_shape.rows + 1);
  journal_close(j);
}

static long resident_pages(void) {
  long total = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
  fclose(f);
  return resident;
}

TEST(what_is_trimmed_takes_no_memory_and_stays_in_the_file) {
  struct journal_found found;
  struct err_info info = {0};
  struct journal *j = NULL;
  if (journal_open(&j, path, 0, &journal_shape, 0, keep, NULL, &found, &info)) fail_msg("%s", info.text);
  journal_forget(j);
  settle(j, 1, 1);
  journal_trim(j, 2);
  long before = resident_pages();
  uint64_t seq = 2;
  for (; seq < 2 * (uint64_t)journal_shape.rows; seq++) { /* twice around */
    settle(j, 1, (int)seq);
    if (seq % 1000 == 0) journal_trim(j, seq - 10);
  }
  assert_true(resident_pages() - before < 200); /* of 3,300 that the ring has */
  journal_trim(j, seq);
  journal_close(j);
  j = NULL;
  got.n = 0;
  if (journal_open(&j, path, 0, &journal_shape, seq - 3, keep, NULL, &found, &info)) fail_msg("%s", info.text);
  assert_int_equal(got.n, 3);
  assert_int_equal(got.rows[2].amount_nano_usd, seq - 1);
  journal_close(j);
}

/* A power cut may keep a later page and lose an earlier one. */
TEST(a_gap_is_counted_and_what_is_behind_it_kept) {
  struct journal_found found;
  static unsigned char bytes[FILE_BYTES];
  struct journal *j = start(0, &found);
  for (int i = 1; i <= 4; i++) settle(j, 1, i);
  read_file(bytes);
  journal_close(j);
  memset(bytes + HEADER + SLOTS * SLOT_BYTES + 2 * ROW_BYTES, 0, ROW_BYTES); /* row 2 */
  write_file(bytes, sizeof bytes);
  j = open_at(0, &found);
  assert_int_equal(got.n, 3);
  assert_int_equal(found.torn_rows, 1);
  assert_int_equal(got.rows[2].seq, 4);
  assert_int_equal(journal_next_seq(j), 5);
  journal_close(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(rows_come_back_in_order, fresh),
      cmocka_unit_test_setup(the_usual_ring_bridges_a_second, fresh),
      cmocka_unit_test_setup(what_is_trimmed_takes_no_memory_and_stays_in_the_file, fresh),
      cmocka_unit_test_setup(a_slot_that_was_left_is_settled_once, fresh),
      cmocka_unit_test_setup(a_price_that_is_unknown_stays_unknown, fresh),
      cmocka_unit_test_setup(a_kill_between_the_steps_of_settling, fresh),
      cmocka_unit_test_setup(every_byte_damaged, fresh),
      cmocka_unit_test_setup(a_file_cut_at_any_length_is_kept_aside, fresh),
      cmocka_unit_test_setup(another_version_is_left_alone, fresh),
      cmocka_unit_test_setup(the_ring_turns_and_never_overruns, fresh),
      cmocka_unit_test_setup(a_gap_is_counted_and_what_is_behind_it_kept, fresh),
  };
  return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
