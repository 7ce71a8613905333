/* The process's store: one holder of the data directory, and who may call when the store does not work. */
#include "state/store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "one_store_rig.h"
#include "state/data_lock.h"
#include "state/store/store_user.h"

static int teardown(void **state) {
  store_stop();
  return one_store_rig_clear(state);
}

static void start(enum err fault) {
  struct store_status status;
  assert_int_equal(store_start(rig.dir, "test", NULL), OK);
  store_status(&status);
  assert_true(status.is_started);
  assert_int_equal(status.fault, fault);
}

static enum err add(struct db *db, void *arg, struct err_info *info) {
  struct store_user u = {.is_active = true};
  return store_user_add(db, str_from_c(arg), &u, info);
}

static enum store_source source(size_t users) {
  struct people p;
  enum store_source s = store_people(&p);
  assert_int_equal(p.user_count, users);
  people_clear(&p);
  return s;
}

static void write_over(const char *name, const char *text) {
  char path[160];
  snprintf(path, sizeof path, "%s/%s", rig.dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static const char garbage[] =
    "no database, but longer than a header of one hundred bytes: ................................";

TEST(a_change_is_committed_and_counted) {
  struct err_info info = {0};
  start(OK);
  uint64_t before = store_generation();
  assert_int_equal(source(0), STORE_DB);
  assert_int_equal(store_write(add, "ann", &info), OK);
  assert_int_equal(store_generation(), before + 1);
  assert_int_equal(source(1), STORE_DB);
  assert_int_equal(store_write(add, "ann", &info), ERR_CONFLICT); /* the caller's fault, not the store's */
  assert_int_equal(store_generation(), before + 1);
  struct store_status status;
  store_status(&status);
  assert_int_equal(status.fault, OK);
  store_stop();
  start(OK);
  assert_int_equal(source(1), STORE_DB);
}

/* ---- what changed ---- */

struct change {
  const char *name;
  uint32_t a_day; /* requests; 0: the user is deleted */
};

static enum err change(struct db *db, void *arg, struct err_info *info) {
  const struct change *c = arg;
  struct store_user u;
  struct limits l = limits_none;
  l.requests_per_day = c->a_day;
  enum err e = store_user_find(db, str_from_c(c->name), &u, info);
  if (e) return e;
  return c->a_day ? store_user_set_limits(db, u.id, &l, info) : store_user_delete(db, u.id, info);
}

static enum err change_then_fail(struct db *db, void *arg, struct err_info *info) {
  enum err e = change(db, arg, info);
  return e ? e : ERR_CANCELLED;
}

static enum err nothing(struct db *db, void *arg, struct err_info *info) {
  (void)db, (void)arg, (void)info;
  return OK;
}

static void set(const char *name, uint32_t a_day) {
  struct change c = {name, a_day};
  assert_int_equal(store_write(change, &c, NULL), OK);
}

static uint32_t a_day(const struct people *p, const char *name) {
  const struct user *u = people_find(p, str_from_c(name));
  return u ? u->limits.requests_per_day : UINT32_MAX;
}

TEST(who_has_not_changed_is_shared) {
  struct people old, next, last;
  start(OK);
  static const char *const names[] = {"ann", "bob", "eve"};
  for (int i = 0; i < 3; i++) assert_int_equal(store_write(add, (void *)(uintptr_t)names[i], NULL), OK);
  uint64_t since = store_generation();
  assert_int_equal(store_people(&old), STORE_DB);
  assert_int_equal(store_people_since(since, &old, &next), STORE_SAME);
  assert_int_equal(store_write(nothing, NULL, NULL), OK); /* a change of something else */
  assert_int_equal(store_people_since(since, &old, &next), STORE_SAME);
  struct change c = {"bob", 9};
  assert_int_equal(store_write(change_then_fail, &c, NULL), ERR_CANCELLED);
  assert_int_equal(store_people_since(since, &old, &next), STORE_SAME); /* and what was taken back */

  set("bob", 5), set("bob", 7), set("eve", 0);
  assert_int_equal(store_people_since(since, &old, &next), STORE_PATCHED);
  assert_int_equal(next.user_count, 2);
  assert_int_equal(a_day(&next, "bob"), 7);
  assert_int_equal(a_day(&old, "bob"), 0); /* the old one is as it was */
  assert_ptr_equal(people_find(&next, STR("ann"))->name.p, people_find(&old, STR("ann"))->name.p);
  uint64_t then = store_generation();
  assert_int_equal(store_write(add, "eve", NULL), OK); /* again, and somebody new */
  assert_int_equal(store_write(add, "zoe", NULL), OK);
  assert_int_equal(store_people_since(then, &next, &last), STORE_PATCHED);
  people_clear(&old);
  people_clear(&next); /* what is shared outlives those it came from */
  assert_int_equal(last.user_count, 4);
  assert_str(last.users[0].name, STR("ann"));
  assert_int_equal(last.users[2].life, 2);
  assert_str(last.users[3].name, STR("zoe"));
  people_clear(&last);
}

TEST(too_much_or_too_long_ago_is_read_whole) {
  struct people old, next;
  char name[16];
  start(OK);
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "u%d", i);
    assert_int_equal(store_write(add, name, NULL), OK);
  }
  uint64_t since = store_generation();
  assert_int_equal(store_people(&old), STORE_DB);
  for (int i = 0; i < 9; i++) {
    snprintf(name, sizeof name, "u%d", i);
    set(name, 3);
  }
  assert_int_equal(store_people_since(since, &old, &next), STORE_UNCLEAR); /* many at once */
  since = store_generation();
  people_clear(&old);
  assert_int_equal(store_people(&old), STORE_DB);
  for (uint32_t i = 1; i <= 300; i++) set("u1", i); /* more than is remembered, of one user */
  assert_int_equal(store_people_since(since, &old, &next), STORE_UNCLEAR);
  since = store_generation();
  store_stop();
  start(OK);
  assert_int_equal(store_people_since(since, &old, &next), STORE_UNCLEAR); /* somebody else may have written */
  people_clear(&old);
}

/* Any order of changes, patched one by one or several at once, gives what a whole reading gives. */
TEST(patched_is_as_read_whole) {
  struct people now, whole, next;
  struct buf a, b;
  unsigned seed = 5;
  buf_init(&a, 0), buf_init(&b, 0);
  start(OK);
  assert_int_equal(store_people(&now), STORE_DB);
  uint64_t since = store_generation();
  for (int round = 0; round < 300; round++) {
    char name[16];
    seed = seed * 1103515245u + 12345u;
    snprintf(name, sizeof name, "u%u", (seed >> 16) % 12);
    struct change c = {name, (seed >> 8) % 5};
    if (store_write(change, &c, NULL)) assert_int_equal(store_write(add, name, NULL), OK);
    if ((seed >> 24) % 3 == 0) continue;
    uint64_t at = store_generation();
    enum store_news news = store_people_since(since, &now, &next);
    if (news == STORE_UNCLEAR) assert_int_equal(store_people(&next), STORE_DB);
    assert_int_not_equal(news, STORE_SAME);
    people_clear(&now);
    now = next;
    since = at;
    assert_int_equal(store_people(&whole), STORE_DB);
    buf_reset(&a), buf_reset(&b);
    people_write(&now, &a);
    people_write(&whole, &b);
    assert_str(buf_str(&a), buf_str(&b));
    people_clear(&whole);
  }
  people_clear(&now);
  buf_clear(&a), buf_clear(&b);
}

TEST(what_was_patched_is_kept_when_asked) {
  struct people old, next;
  start(OK);
  assert_int_equal(store_write(add, "ann", NULL), OK);
  uint64_t since = store_generation();
  assert_int_equal(store_people(&old), STORE_DB);
  set("ann", 42);
  assert_int_equal(store_people_since(since, &old, &next), STORE_PATCHED);
  store_keep_people(&next);
  people_clear(&old);
  people_clear(&next);
  store_stop();
  write_over("maestro.db", garbage);
  start(ERR_STORE_CORRUPT);
  assert_int_equal(store_people(&old), STORE_KEPT);
  assert_int_equal(a_day(&old, "ann"), 42);
  people_clear(&old);
}

TEST(nobody_is_in_a_store_that_was_not_started) { assert_int_equal(source(0), STORE_NONE); }

/* Another process, since one process may take a lock of its own again. */
TEST(the_second_is_told_who_holds_it) {
  int ready[2], done[2];
  char c = 0, expected[64];
  struct err_info info = {0};
  assert_int_equal(pipe(ready) | pipe(done), 0);
  pid_t child = fork();
  if (child == 0) {
    struct data_lock lock = {-1};
    c = data_lock_take(rig.dir, "serve", &lock, NULL) == OK;
    if (write(ready[1], &c, 1) != 1 || read(done[0], &c, 1) < 0) _exit(1);
    _exit(0);
  }
  close(done[0]);
  assert_int_equal(read(ready[0], &c, 1), 1);
  assert_int_equal(c, 1);
  assert_true(data_lock_is_held(rig.dir));
  assert_int_equal(store_start(rig.dir, "test", &info), ERR_CONFLICT);
  snprintf(expected, sizeof expected, "`maestro serve`, process %ld", (long)child);
  assert_non_null(strstr(info.text, expected));
  assert_non_null(strstr(info.text, rig.dir));
  struct store_status status;
  store_status(&status);
  assert_false(status.is_started);
  kill(child, SIGKILL); /* the lock goes with its holder */
  waitpid(child, NULL, 0);
  close(done[1]), close(ready[0]), close(ready[1]);
  assert_false(data_lock_is_held(rig.dir));
  start(OK);
}

TEST(a_corrupt_store_serves_from_what_was_kept) {
  start(OK);
  assert_int_equal(store_write(add, "ann", NULL), OK);
  assert_int_equal(source(1), STORE_DB);
  store_stop();
  write_over("maestro.db", garbage);
  start(ERR_STORE_CORRUPT);
  assert_int_equal(source(1), STORE_KEPT);
  assert_int_equal(store_write(add, "bob", NULL), ERR_STORE_CORRUPT);
  assert_false(store_retry());
  unlink(rig.path); /* a person puts things right */
  assert_true(store_retry());
  assert_int_equal(source(0), STORE_DB);
  struct store_status status;
  store_status(&status);
  assert_int_equal(status.fault, OK);
}

TEST(what_cannot_be_known_is_not_nobody) {
  write_over("maestro.db", garbage);
  start(ERR_STORE_CORRUPT);
  assert_int_equal(source(0), STORE_UNKNOWN);
  write_over("people.jsonl", "{\"kind\":\"maestro-people\",\"version\":1,\"users\":4}\n");
  assert_int_equal(source(0), STORE_UNKNOWN);
}

TEST(a_locked_store_is_waited_for_and_comes_back) {
  sqlite3 *other;
  start(OK);
  assert_int_equal(store_write(add, "ann", NULL), OK);
  assert_int_equal(source(1), STORE_DB);
  assert_int_equal(sqlite3_open(rig.path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(store_write(add, "bob", NULL), ERR_STORE_BUSY);
  struct store_status status;
  store_status(&status);
  assert_int_equal(status.fault, ERR_STORE_BUSY);
  assert_int_equal(source(1), STORE_DB);
  assert_false(store_retry());
  sqlite3_close(other);
  assert_true(store_retry());
  assert_false(store_retry()); /* nothing to mend any more */
  store_status(&status);
  assert_int_equal(status.fault, OK);
  assert_int_equal(store_write(add, "bob", NULL), OK);
  store_status(&status);
  assert_int_equal(status.fault, OK);
  assert_int_equal(source(2), STORE_DB);
}

TEST(a_directory_without_rights_starts_all_the_same) {
  if (geteuid() == 0) { /* root writes anywhere, but not there */
    assert_int_equal(store_start("/proc/maestro", "test", NULL), OK);
  } else {
    assert_int_equal(chmod(rig.dir, 0500), 0);
    assert_int_equal(store_start(rig.dir, "test", NULL), OK);
  }
  struct store_status status;
  store_status(&status);
  assert_int_equal(status.fault, ERR_STORE_READ_ONLY);
  assert_int_equal(source(0), STORE_NONE);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, one_store_rig_folder, teardown)
  const struct CMUnitTest tests[] = {
      T(a_change_is_committed_and_counted),
      T(who_has_not_changed_is_shared),
      T(too_much_or_too_long_ago_is_read_whole),
      T(patched_is_as_read_whole),
      T(what_was_patched_is_kept_when_asked),
      T(nobody_is_in_a_store_that_was_not_started),
      T(the_second_is_told_who_holds_it),
      T(a_corrupt_store_serves_from_what_was_kept),
      T(what_cannot_be_known_is_not_nobody),
      T(a_locked_store_is_waited_for_and_comes_back),
      T(a_directory_without_rights_starts_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
