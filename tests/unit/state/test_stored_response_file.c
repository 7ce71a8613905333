/* Stored responses and their file: what is put is found at any moment, survives its process and its bounds, goes when
 * it is deleted, and stays in memory while the file cannot be written. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "state/stored_response.h"
#include "unit.h"

static struct arena arena;
static struct stored_responses *store;
static char dir[64], path[96];
static const struct stored_response_limits roomy = {100, 1 << 20, 1000000};

static int setup(void **state) {
  (void)state;
  arena_init(&arena, 0);
  snprintf(dir, sizeof dir, "/tmp/maestro-responses-XXXXXX");
  if (!mkdtemp(dir)) return -1;
  snprintf(path, sizeof path, "%s/" STORED_RESPONSE_FILE, dir);
  return 0;
}
static int teardown(void **state) {
  char command[128];
  (void)state;
  stored_response_free(store);
  store = NULL;
  arena_clear(&arena);
  snprintf(command, sizeof command, "rm -r %s", dir);
  return system(command);
}

static void open_with(const struct stored_response_limits *limits) {
  stored_response_free(store);
  store = stored_response_new(limits);
  assert_non_null(store);
  assert_int_equal(stored_response_open(store, path, NULL), OK);
}

static struct stored_response_status status(void) {
  struct stored_response_status s;
  stored_response_status(store, &s);
  return s;
}

/* Until nothing waits and so many are written. */
static void wait_for(size_t written) {
  for (int i = 0; i < 500 && (status().waiting.count || status().written.count != written); i++) usleep(10000);
  assert_int_equal(status().waiting.count, 0);
  assert_int_equal(status().written.count, written);
  assert_int_equal(status().fault, OK);
}

static enum err put_text(const char *owner, const char *id, struct str input) {
  const struct stored_response_item item = {STR("in"), str_sub(input, 1, input.n - 1)};
  const struct stored_response r = {.id = str_from_c(id),
                                    .response = STR("{\"r\":1}"),
                                    .input = input,
                                    .output = STR("[]"),
                                    .items = &item,
                                    .item_count = 1};
  return stored_response_put(store, str_from_c(owner), &r, 0, NULL);
}
static void put(const char *owner, const char *id) {
  assert_int_equal(put_text(owner, id, STR("[{\"id\":\"in\"}]")), OK);
}

/* As the gateway looks. */
static enum err get(const char *owner, const char *id, struct stored_response *out) {
  enum err e;
  struct str o = str_from_c(owner), i = str_from_c(id);
  if (stored_response_get(store, o, i, 0, &arena, out, &e) || e) return e;
  return stored_response_get_file(store, o, i, &arena, out, NULL);
}
static bool has(const char *owner, const char *id) {
  struct stored_response r;
  enum err e = get(owner, id, &r);
  assert_true(!e || e == ERR_NOT_FOUND);
  return !e;
}
static enum err item(const char *owner, const char *id, struct str *json) {
  enum err e;
  struct str o = str_from_c(owner), i = str_from_c(id);
  if (stored_response_get_item(store, o, i, 0, &arena, json, &e) || e) return e;
  return stored_response_get_item_file(store, o, i, &arena, json, NULL);
}

TEST(what_was_put_outlives_its_process) {
  struct stored_response r;
  struct str json;
  open_with(&roomy);
  put("a", "resp_1");
  assert_true(has("a", "resp_1")); /* written or not */
  open_with(&roomy);               /* which has written the rest */
  assert_int_equal(stored_response_sum(store).count, 0);
  assert_int_equal(get("a", "resp_1", &r), OK);
  assert_str(r.id, STR("resp_1"));
  assert_str(r.response, STR("{\"r\":1}"));
  assert_str(r.input, STR("[{\"id\":\"in\"}]"));
  assert_str(r.output, STR("[]"));
  assert_int_equal(item("a", "in", &json), OK);
  assert_str(json, STR("{\"id\":\"in\"}"));
  assert_int_equal(get("b", "resp_1", &r), ERR_NOT_FOUND);
  assert_int_equal(item("b", "in", &json), ERR_NOT_FOUND);
  assert_int_equal(get("a", "resp_2", &r), ERR_NOT_FOUND);
}

TEST(the_newest_of_an_id_counts) {
  struct stored_response r;
  struct str json;
  open_with(&roomy);
  assert_int_equal(put_text("a", "one", STR("[1]")), OK);
  assert_int_equal(put_text("a", "two", STR("[2]")), OK);
  wait_for(2);
  assert_int_equal(item("a", "in", &json), OK);
  assert_str(json, STR("2"));
  assert_int_equal(put_text("a", "one", STR("[3]")), OK); /* in the place of the first */
  wait_for(2);
  assert_int_equal(get("a", "one", &r), OK);
  assert_str(r.input, STR("[3]"));
  assert_int_equal(item("a", "in", &json), OK);
  assert_str(json, STR("3"));
}

static enum err delete (const char *owner, const char *id) {
  bool was = stored_response_delete(store, str_from_c(owner), str_from_c(id), 0);
  enum err e = stored_response_delete_file(store, str_from_c(owner), str_from_c(id), NULL);
  return e == ERR_NOT_FOUND && was ? OK : e;
}

TEST(what_is_deleted_does_not_come_back) {
  char id[16];
  struct str json;
  open_with(&roomy);
  for (int i = 0; i < 60; i++) { /* some before, some while, some after they are written */
    snprintf(id, sizeof id, "r%d", i);
    put("a", id);
    if (i % 3 == 0) usleep((unsigned)(i * 50));
    assert_int_equal(delete ("b", id), ERR_NOT_FOUND);
    assert_int_equal(delete ("a", id), OK);
    assert_int_equal(delete ("a", id), ERR_NOT_FOUND);
    assert_false(has("a", id));
  }
  open_with(&roomy);
  for (int i = 0; i < 60; i++) {
    snprintf(id, sizeof id, "r%d", i);
    assert_false(has("a", id));
  }
  assert_int_equal(item("a", "in", &json), ERR_NOT_FOUND);
}

TEST(the_oldest_go_by_count_and_bytes) {
  char id[16];
  struct stored_response_limits limits = {3, 1 << 20, 1000000};
  open_with(&limits);
  for (int i = 0; i < 10; i++) {
    snprintf(id, sizeof id, "r%d", i);
    put("a", id);
    wait_for(i < 3 ? (size_t)i + 1 : 3);
  }
  assert_false(has("a", "r6"));
  assert_true(has("a", "r7") && has("a", "r8") && has("a", "r9"));
  struct buf large;
  buf_init(&large, 0);
  buf_printf(&large, "[\"%04000d\"]", 1);
  for (int i = 7; i < 10; i++) {
    snprintf(id, sizeof id, "r%d", i);
    assert_int_equal(put_text("a", id, buf_str(&large)), OK);
    wait_for(3);
  }
  buf_clear(&large);
  limits.bytes = status().written.bytes * 3 / 4;
  stored_response_set_limits(store, &limits, 0);
  put("a", "x");
  wait_for(3);
  assert_true(has("a", "x") && has("a", "r9") && has("a", "r8") && !has("a", "r7"));
  assert_true(status().written.bytes <= limits.bytes);
  limits.count = 1;
  stored_response_set_limits(store, &limits, 0); /* with nothing to write */
  wait_for(1);
  open_with(&(struct stored_response_limits){0, 0, 0}); /* nothing is to be kept any more */
  wait_for(0);
}

TEST(what_is_too_old_is_not_found_and_goes) {
  const struct stored_response_limits brief = {100, 1 << 20, 50};
  open_with(&roomy);
  put("a", "old");
  wait_for(1);
  usleep(60000);
  open_with(&brief);
  assert_false(has("a", "old"));
  wait_for(0);
}

/* Killed at any moment: what the file said to have is there, and the file is whole. */
TEST(a_kill_loses_what_was_not_written_and_no_more) {
  for (int round = 0; round < 5; round++) {
    int told[2];
    char byte;
    unsigned written = 0, found = 0;
    stored_response_free(store);
    store = NULL;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      open_with(&roomy);
      for (int i = 0;; i++) {
        char id[32];
        snprintf(id, sizeof id, "k%d_%d", round, i);
        put("a", id);
        while (status().waiting.count) usleep(100);
        if (write(told[1], "x", 1) != 1) _exit(1);
      }
    }
    close(told[1]);
    for (; written < 12 && read(told[0], &byte, 1) == 1; written++) {
    }
    usleep((unsigned)round * 700);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(told[0]);
    open_with(&roomy);
    for (unsigned i = 0; i < written; i++) {
      char id[32];
      snprintf(id, sizeof id, "k%d_%u", round, i);
      found += has("a", id);
    }
    assert_int_equal(found, written);
  }
}

static sqlite3 *lock_file(void) {
  sqlite3 *other = NULL;
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  return other;
}

TEST(while_the_file_is_locked_they_stay_in_memory) {
  open_with(&(struct stored_response_limits){3, 1 << 20, 1000000});
  put("a", "before");
  wait_for(1);
  sqlite3 *other = lock_file();
  for (int i = 0; i < 3; i++) put("a", (const char *[]){"one", "two", "three"}[i]);
  for (int i = 0; i < 300 && !status().fault; i++) usleep(10000);
  assert_int_equal(status().fault, ERR_STORE_BUSY);
  assert_int_equal(status().waiting.count, 3);
  assert_true(has("a", "one") && has("a", "two") && has("a", "before"));
  assert_int_equal(status().lost, 0);
  put("a", "four"); /* the memory is full of what could not be written */
  assert_int_equal(status().lost, 1);
  assert_false(has("a", "one"));
  sqlite3_close(other);
  wait_for(3);
  assert_true(has("a", "two") && has("a", "three") && has("a", "four") && !has("a", "before"));
}

TEST(a_file_that_cannot_be_made_is_told) {
  if (geteuid() == 0) snprintf(path, sizeof path, "%s/none/" STORED_RESPONSE_FILE, dir);
  assert_int_equal(chmod(dir, 0500), 0);
  open_with(&roomy);
  put("a", "x");
  for (int i = 0; i < 300 && !status().fault; i++) usleep(10000);
  assert_int_equal(status().fault, ERR_STORE_READ_ONLY);
  assert_true(status().text[0]);
  assert_true(has("a", "x"));
  assert_int_equal(chmod(dir, 0700), 0);
}

TEST(a_damaged_file_is_put_aside) {
  FILE *f = fopen(path, "w");
  for (int i = 0; i < 2000; i++) fputs("no database ", f);
  fclose(f);
  open_with(&roomy);
  put("a", "x");
  wait_for(1);
  open_with(&roomy);
  assert_true(has("a", "x"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(what_was_put_outlives_its_process),
      T(the_newest_of_an_id_counts),
      T(what_is_deleted_does_not_come_back),
      T(the_oldest_go_by_count_and_bytes),
      T(what_is_too_old_is_not_found_and_goes),
      T(a_kill_loses_what_was_not_written_and_no_more),
      T(while_the_file_is_locked_they_stay_in_memory),
      T(a_file_that_cannot_be_made_is_told),
      T(a_damaged_file_is_put_aside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
