/* The database behind the store: parameters, transactions, and each failure by its own name with what to do. */
#include "state/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "one_store_rig.h"
#include "state/store/migrate.h"

static enum err take_id(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)columns, (void)info;
  assert_int_equal(row[0].type, DB_INT);
  *(int64_t *)arg = row[0].i;
  return OK;
}

static enum err add_user(struct db *db, const char *name, int64_t *id, struct err_info *info) {
  const struct db_value params[] = {
      db_text(str_from_c(name)), db_text(STR("user")), db_int(1), db_int(0), db_int(1234), db_null(), db_int(0)};
  return db_run(db, DB_USER_ADD, params, 7, take_id, id, info);
}

static enum err count_rows(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)row, (void)info;
  assert_true(columns > 1);
  ++*(unsigned *)arg;
  return OK;
}

static unsigned count_users(struct db *db) {
  const struct db_value everybody[] = {db_int(0), db_int(INT64_MAX)};
  unsigned n = 0;
  assert_int_equal(db_run(db, DB_USER_LIST, everybody, 2, count_rows, &n, NULL), OK);
  return n;
}

TEST(one_parameter_may_stand_twice_and_text_is_never_sql) {
  struct db *db = store_rig_open(&rig, 100);
  const char *name = "x'); DROP TABLE users; --";
  int64_t id = 0;
  assert_int_equal(add_user(db, name, &id, NULL), OK); /* $5 is created_us and updated_us */
  assert_true(id > 0);
  assert_int_equal(count_users(db), 1);
  db_close(db);
}

TEST(what_is_rolled_back_is_not_there) {
  struct db *db = store_rig_open(&rig, 100);
  int64_t id;
  assert_int_equal(db_begin(db, NULL), OK);
  assert_int_equal(add_user(db, "a", &id, NULL), OK);
  db_rollback(db);
  db_rollback(db);
  assert_int_equal(count_users(db), 0);
  assert_int_equal(db_begin(db, NULL), OK);
  assert_int_equal(add_user(db, "a", &id, NULL), OK);
  assert_int_equal(db_commit(db, NULL), OK);
  assert_int_equal(count_users(db), 1);
  db_close(db);
}

TEST(a_value_that_exists_is_a_conflict) {
  struct db *db = store_rig_open(&rig, 100);
  struct err_info info = {0};
  int64_t id;
  assert_int_equal(add_user(db, "a", &id, NULL), OK);
  assert_int_equal(add_user(db, "a", &id, &info), ERR_CONFLICT);
  assert_int_equal(count_users(db), 1);
  db_close(db);
}

TEST(the_file_is_its_owners_alone) {
  struct stat st;
  mode_t before = umask(0);
  struct db *db = store_rig_open(&rig, 100);
  umask(before);
  assert_int_equal(stat(rig.path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  db_close(db);
}

TEST(another_programs_lock_is_busy) {
  struct db *db = store_rig_open(&rig, 20);
  struct err_info info = {0};
  sqlite3 *other;
  assert_int_equal(sqlite3_open(rig.path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(db_begin(db, &info), ERR_STORE_BUSY);
  assert_non_null(strstr(info.text, "try again"));
  assert_int_equal(count_users(db), 0); /* readers go on */
  sqlite3_close(other);
  assert_int_equal(db_begin(db, &info), OK);
  db_rollback(db);
  db_close(db);
}

static void write_file(const char *text) {
  int fd = open(rig.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

TEST(what_is_no_database_is_corrupt) {
  const struct db_options options = {.path = rig.path};
  struct err_info info = {0};
  struct db *db = NULL;
  write_file(
      "this is certainly no database of any kind, and it is longer than a header of one hundred bytes is at all");
  assert_int_equal(db_open(&db, &options, &info), ERR_STORE_CORRUPT);
  assert_null(db);
  assert_non_null(strstr(info.text, "restore"));
}

TEST(a_foreign_database_is_left_alone) {
  const struct db_options options = {.path = rig.path};
  struct err_info info = {0};
  struct db *db = NULL;
  sqlite3 *other;
  unsigned from;
  assert_int_equal(sqlite3_open(rig.path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "CREATE TABLE users (a)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(other);
  assert_int_equal(db_open(&db, &options, &info), OK);
  assert_int_equal(migrate_run(db, 0, &from, &info), ERR_STORE_CORRUPT);
  assert_non_null(strstr(info.text, "another program"));
  db_close(db);
}

TEST(rights_that_are_missing_are_told) {
  const struct db_options options = {.path = "/proc/maestro.db"};
  struct err_info info = {0};
  struct db *db = NULL;
  assert_int_equal(db_open(&db, &options, &info), ERR_STORE_READ_ONLY);
  assert_non_null(strstr(info.text, "rights"));
  const struct db_options absent = {.path = rig.path, .is_read_only = true};
  assert_int_equal(db_open(&db, &absent, &info), ERR_STORE_READ_ONLY);
  assert_int_not_equal(access(rig.path, F_OK), 0);
}

TEST(a_full_disk_is_told) {
  struct db *db = store_rig_open(&rig, 20);
  struct err_info info = {0};
  char name[64];
  enum err e = OK;
  assert_int_equal(db_limit_pages(db, 16), OK);
  for (int i = 0; !e && i < 5000; i++) {
    int64_t id;
    snprintf(name, sizeof name, "a user with a long name, number %d", i);
    e = add_user(db, name, &id, &info);
  }
  assert_int_equal(e, ERR_STORE_FULL);
  assert_non_null(strstr(info.text, "make room"));
  assert_true(count_users(db) > 0);
  db_close(db);
}

TEST(a_copy_is_whole_and_never_goes_over_a_file) {
  struct db *db = store_rig_open(&rig, 20), *copy;
  struct err_info info = {0};
  char path[160];
  int64_t id;
  snprintf(path, sizeof path, "%s/copy.db", rig.dir);
  assert_int_equal(add_user(db, "a", &id, NULL), OK);
  assert_int_equal(db_copy(db, path, &info), OK);
  assert_int_equal(add_user(db, "b", &id, NULL), OK);
  assert_int_equal(db_copy(db, path, &info), ERR_IO);
  db_close(db);
  const struct db_options options = {.path = path, .is_read_only = true};
  assert_int_equal(db_open(&copy, &options, &info), OK);
  assert_int_equal(db_check(copy, &info), OK);
  assert_int_equal(count_users(copy), 1);
  db_close(copy);
}

TEST(a_damaged_page_is_found) {
  struct db *db = store_rig_open(&rig, 20);
  struct err_info info = {0};
  char name[256], noise[4096];
  int64_t id;
  for (int i = 0; i < 400; i++) {
    snprintf(name, sizeof name, "a user with a long name: %0200d", i); /* more pages than the schema has */
    assert_int_equal(add_user(db, name, &id, &info), OK);
  }
  assert_int_equal(db_check(db, &info), OK);
  db_close(db); /* the log goes into the file */
  struct stat st;
  memset(noise, 0x5a, sizeof noise);
  int fd = open(rig.path, O_WRONLY);
  assert_int_equal(fstat(fd, &st), 0);
  assert_true(st.st_size > 8 * 4096);
  for (off_t at = (st.st_size / 4096 * 3 / 4) * 4096; /* the schema stands before */ at < st.st_size; at += 4096)
    assert_int_equal(pwrite(fd, noise, sizeof noise, at), 4096);
  close(fd);
  const struct db_options options = {.path = rig.path};
  assert_int_equal(db_open(&db, &options, &info), OK);
  assert_int_equal(db_check(db, &info), ERR_STORE_CORRUPT);
  db_close(db);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, one_store_rig_folder, one_store_rig_clear)
  const struct CMUnitTest tests[] = {
      T(one_parameter_may_stand_twice_and_text_is_never_sql),
      T(what_is_rolled_back_is_not_there),
      T(a_value_that_exists_is_a_conflict),
      T(the_file_is_its_owners_alone),
      T(another_programs_lock_is_busy),
      T(what_is_no_database_is_corrupt),
      T(a_foreign_database_is_left_alone),
      T(rights_that_are_missing_are_told),
      T(a_full_disk_is_told),
      T(a_copy_is_whole_and_never_goes_over_a_file),
      T(a_damaged_page_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
