/* contexts.json, server.json and the files below them: formats, modes, and that a write is all or nothing. */
#include "state/contexts.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/disk.h"
#include "state/server_info.h"
#include "unit.h"

static char folder[64], path[96];

static int set_up(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/maestro-contexts-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/contexts.json", folder);
  return 0;
}

/* Entries of the folder; with `remove`, they go and the folder too. */
static size_t entries(bool remove) {
  size_t n = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char name[512];
    if (entry->d_name[0] == '.' && (!entry->d_name[1] || entry->d_name[1] == '.')) continue;
    snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
    if (remove && unlink(name) != 0) rmdir(name);
    n++;
  }
  closedir(dir);
  if (remove) rmdir(folder);
  return n;
}

static int tear_down(void **state) {
  (void)state;
  entries(true);
  return 0;
}

static void put(const char *text) { assert_int_equal(disk_replace(path, str_from_c(text), 0600, NULL), OK); }

static void expect_content(const char *expected) {
  struct buf out;
  buf_init(&out, 0);
  assert_int_equal(disk_read(path, 65536, &out, NULL, NULL), OK);
  assert_str(buf_str(&out), str_from_c(expected));
  buf_clear(&out);
}

TEST(missing_file_gives_local) {
  struct contexts c;
  assert_int_equal(contexts_load(path, &c, NULL), OK);
  assert_int_equal(c.n, 1);
  assert_string_equal(contexts_current(&c)->name, "local");
  assert_string_equal(contexts_current(&c)->endpoint, "http://localhost:8080");
  assert_null(contexts_current(&c)->key);
  contexts_clear(&c);
}

TEST(changes_and_the_format_written) {
  struct contexts c;
  bool replaced = true;
  assert_int_equal(contexts_load(path, &c, NULL), OK);
  assert_int_equal(contexts_add(&c, STR("work"), STR("https://w.example/"), STR("k-1"), &replaced, NULL), OK);
  assert_false(replaced);
  assert_int_equal(contexts_add(&c, STR("work"), STR("https://w2.example"), STR("k-2"), &replaced, NULL), OK);
  assert_true(replaced);
  assert_int_equal(contexts_select(&c, STR("work"), NULL), OK);
  assert_int_equal(contexts_save(path, &c, NULL), OK);
  expect_content(
      "{\n  \"current\": \"work\",\n  \"contexts\": {\n    \"local\": {\n      \"endpoint\": "
      "\"http://localhost:8080\",\n"
      "      \"api_key\": null\n    },\n    \"work\": {\n      \"endpoint\": \"https://w2.example\",\n      "
      "\"api_key\": "
      "\"k-2\"\n    }\n  }\n}\n");
  contexts_clear(&c);
  assert_int_equal(contexts_load(path, &c, NULL), OK);
  assert_string_equal(contexts_current(&c)->name, "work");
  assert_true(secret_eq(contexts_current(&c)->key, STR("k-2")));
  struct str endpoint = STR("http://h:1"), empty = STR_NONE;
  assert_int_equal(contexts_update(&c, STR("work"), &endpoint, NULL, NULL), OK);
  assert_true(secret_eq(contexts_current(&c)->key, STR("k-2")));
  assert_int_equal(contexts_update(&c, STR("work"), NULL, &empty, NULL), OK);
  assert_null(contexts_current(&c)->key);
  assert_string_equal(contexts_current(&c)->endpoint, "http://h:1");
  assert_int_equal(contexts_remove(&c, STR("work"), NULL), OK);
  assert_string_equal(contexts_current(&c)->name, "local");
  assert_int_equal(c.n, 1);
  contexts_clear(&c);
}

TEST(refusals_change_nothing) {
  struct contexts c;
  struct err_info info = {0};
  struct str bad_url = STR("ftp://x"), bad_key = STR("hunter2 x");
  assert_int_equal(contexts_load(path, &c, NULL), OK);
  assert_int_equal(contexts_add(&c, STR("a/b"), STR("http://x"), STR_NONE, NULL, &info), ERR_BAD_VALUE);
  assert_int_equal(contexts_add(&c, STR("a"), bad_url, STR_NONE, NULL, &info), ERR_BAD_VALUE);
  assert_int_equal(contexts_add(&c, STR("a"), STR("http://x"), bad_key, NULL, &info), ERR_BAD_VALUE);
  assert_null(strstr(info.text, "hunter2"));
  assert_int_equal(contexts_update(&c, STR("local"), &bad_url, NULL, &info), ERR_BAD_VALUE);
  assert_int_equal(contexts_update(&c, STR("none"), NULL, NULL, &info), ERR_NOT_FOUND);
  assert_int_equal(contexts_select(&c, STR("none"), &info), ERR_NOT_FOUND);
  assert_int_equal(contexts_remove(&c, STR("none"), &info), ERR_NOT_FOUND);
  assert_int_equal(contexts_remove(&c, STR("local"), &info), ERR_BAD_VALUE);
  assert_int_equal(c.n, 1);
  assert_string_equal(c.items[0].endpoint, "http://localhost:8080");
  contexts_clear(&c);
}

TEST(bad_entries_are_left_out_and_reported) {
  struct contexts c;
  struct config_diags diags;
  struct buf out;
  char expected[1280];
  config_diags_init(&diags);
  buf_init(&out, 0);
  put("{\"current\": \"gone\", \"contexts\": {\n\"ok\": {\"endpoint\": \"http://h\", \"api_key\": \"k\", \"x\": 1},\n"
      "\"bad\": {\"endpoint\": \"h\", \"api_key\": \"hunter2 z\"},\n\"none\": {}}}");
  assert_int_equal(contexts_load(path, &c, &diags), OK);
  config_diags_write(&diags, &out);
  snprintf(expected, sizeof expected,
           "%s:2: note: contexts.ok.x: unknown key, ignored (known here: endpoint, api_key)\n"
           "%s:3: warning: contexts.bad.endpoint: must begin with http:// or https://\n"
           "%s:3: warning: contexts.bad.api_key: must be visible ASCII without spaces or commas\n"
           "%s:3: warning: contexts.bad: the context is left out\n"
           "%s:4: warning: contexts.none: \"endpoint\" is missing\n"
           "%s:4: warning: contexts.none: the context is left out\n"
           "%s: warning: current: there is no context \"gone\" (\"local\" is used)\n",
           path, path, path, path, path, path, path);
  assert_str(buf_str(&out), str_from_c(expected));
  assert_int_equal(c.n, 2);
  assert_string_equal(contexts_current(&c)->name, "local");
  contexts_clear(&c);
  buf_clear(&out);
  config_diags_clear(&diags);
}

TEST(a_broken_file_is_never_overwritten) {
  struct contexts c;
  struct secret *key = NULL;
  bool created;
  put("{\"contexts\": ");
  assert_int_equal(contexts_load(path, &c, NULL), ERR_BAD_CONFIG);
  assert_int_equal(contexts_local_key(path, &key, &created, NULL, NULL), ERR_BAD_CONFIG);
  assert_null(key);
  expect_content("{\"contexts\": ");
  put("[]");
  assert_int_equal(contexts_load(path, &c, NULL), ERR_BAD_CONFIG);
}

TEST(local_key_is_made_once_and_private) {
  struct secret *first, *second;
  bool created = false;
  struct stat st;
  mode_t old = umask(0);
  assert_int_equal(contexts_local_key(path, &first, &created, NULL, NULL), OK);
  umask(old);
  assert_true(created);
  assert_true(str_has_prefix(secret_reveal(first), STR("sk-maestro-")));
  assert_int_equal(secret_bytes(first), 54);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_int_equal(contexts_local_key(path, &second, &created, NULL, NULL), OK);
  assert_false(created);
  assert_true(secret_eq_secret(first, second));
  secret_free(first);
  secret_free(second);
}

/* A write that cannot finish leaves the old content and no litter. */
TEST(a_failed_write_keeps_the_old_file) {
  static char big[1 << 16];
  struct rlimit old, small = {1000, 1000};
  struct err_info info = {0};
  memset(big, 'x', sizeof big);
  put("old");
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  enum err e = disk_replace(path, str_from(big, sizeof big), 0600, &info);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(e, ERR_IO);
  expect_content("old");
  assert_int_equal(entries(false), 1);
}

TEST(replacing_changes_the_inode_not_the_open_file) {
  struct stat before, after;
  char content[8] = {0};
  put("old");
  assert_int_equal(stat(path, &before), 0);
  FILE *reader = fopen(path, "r");
  put("new");
  assert_int_equal(stat(path, &after), 0);
  assert_int_not_equal(before.st_ino, after.st_ino);
  assert_int_equal(fread(content, 1, sizeof content - 1, reader), 3);
  assert_string_equal(content, "old");
  fclose(reader);
}

TEST(disk_faults) {
  struct buf out;
  struct err_info info = {0};
  char deep[160];
  buf_init(&out, 0);
  assert_int_equal(disk_read(path, 10, &out, NULL, &info), ERR_NOT_FOUND);
  assert_false(disk_exists(path));
  assert_int_equal(disk_read(folder, 10, &out, NULL, &info), ERR_BAD_VALUE);
  put("0123456789a");
  assert_true(disk_exists(path));
  assert_int_equal(disk_read(path, 10, &out, NULL, &info), ERR_BAD_VALUE);
  assert_int_equal(out.n, 0);
  assert_int_equal(disk_read(path, 11, &out, NULL, &info), OK);
  assert_int_equal(out.n, 11);
  snprintf(deep, sizeof deep, "%s/x/y", path); /* below a file */
  assert_int_equal(disk_replace(deep, STR("z"), 0600, &info), ERR_IO);
  buf_clear(&out);
}

TEST(folders_are_made_private) {
  char deep[160];
  struct stat st;
  snprintf(deep, sizeof deep, "%s/made/file", folder);
  assert_int_equal(disk_replace(deep, STR("z"), 0644, NULL), OK);
  assert_int_equal(stat(deep, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0644);
  unlink(deep);
  snprintf(deep, sizeof deep, "%s/made", folder);
  assert_int_equal(stat(deep, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
}

TEST(server_info_round_trip) {
  struct server_info in = {
      .pid = 1234, .host = "127.0.0.1", .port = 8080, .started_wall_us = 1795000000123000, .version = "0.1.0"};
  struct server_info out;
  assert_int_equal(server_info_read(path, &out, NULL), ERR_NOT_FOUND);
  assert_int_equal(server_info_write(path, &in, NULL), OK);
  assert_int_equal(server_info_read(path, &out, NULL), OK);
  assert_int_equal(out.pid, in.pid);
  assert_int_equal(out.port, in.port);
  assert_int_equal(out.started_wall_us, in.started_wall_us);
  assert_string_equal(out.host, in.host);
  assert_string_equal(out.version, in.version);
  server_info_remove(path, 99);
  assert_true(disk_exists(path));
  server_info_remove(path, 1234);
  assert_false(disk_exists(path));
  put("{\"pid\": -1, \"port\": 1}");
  assert_int_equal(server_info_read(path, &out, NULL), ERR_BAD_VALUE);
  put("nonsense");
  assert_int_equal(server_info_read(path, &out, NULL), ERR_BAD_VALUE);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(missing_file_gives_local),
      T(changes_and_the_format_written),
      T(refusals_change_nothing),
      T(bad_entries_are_left_out_and_reported),
      T(a_broken_file_is_never_overwritten),
      T(local_key_is_made_once_and_private),
      T(a_failed_write_keeps_the_old_file),
      T(replacing_changes_the_inode_not_the_open_file),
      T(disk_faults),
      T(folders_are_made_private),
      T(server_info_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
