/* Loading and reloading from files: all or nothing, noticed when a file changes, appears or goes, told to workers. */
#include "jobs/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "route/catalog.h"
#include "unit.h"

static char folder[] = "/tmp/maestro-reload-XXXXXX", config_path[64], registry_path[64];
static const struct snapshot_table table = {&catalog_section, 1};
static struct config_sources sources;
static unsigned published;

static void on_publish(void *arg) {
  assert_ptr_equal(arg, &published);
  published++;
}

static void write_file(const char *path, const char *text) {
  char other[80];
  snprintf(other, sizeof other, "%s.new", path); /* as editors do: another inode each time */
  FILE *f = fopen(other, "w");
  assert_non_null(f);
  fputs(text, f);
  assert_int_equal(fclose(f), 0);
  assert_int_equal(chmod(other, 0600), 0);
  assert_int_equal(rename(other, path), 0);
}

#define WITH(model)                                                             \
  "{\"providers\":{\"p\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://" \
  "127.0.0.1:9\",\"apiKey\":\"k\",\"models\":{\"" model "\":{}}}}}"

static enum err reload(char report[1024]) {
  struct config_diags diags;
  struct err_info info = {0};
  struct buf b;
  config_diags_init(&diags);
  buf_init(&b, 0);
  enum err e = reload_now(&diags, &info);
  config_diags_write(&diags, &b);
  snprintf(report, 1024, "%.*s", STR_ARG(buf_str(&b)));
  assert_int_equal(e != OK, info.text[0] != 0);
  buf_clear(&b);
  config_diags_clear(&diags);
  return e;
}

static void expect_model(const char *name, uint64_t epoch) {
  struct snapshot *s = snapshot_newest();
  assert_non_null(s);
  const struct catalog *c = snapshot_get(s, 0);
  assert_int_equal(c->deployment_count, 1);
  assert_str(c->deployments[0].model, str_from_c(name));
  assert_int_equal(snapshot_epoch(s), epoch);
  snapshot_unref(s);
}

TEST(a_bad_file_changes_nothing) {
  char report[1024];
  struct err_info info = {0};
  reload_init(&sources, &table);
  assert_int_equal(reload_rebuild(NULL, &info), ERR_INTERNAL); /* there is nothing to build again */
  write_file(config_path, "{\"providers\":");
  assert_int_equal(reload(report), ERR_BAD_CONFIG);
  assert_null(snapshot_newest());
  write_file(config_path, WITH("one"));
  assert_int_equal(reload(report), OK);
  assert_string_equal(report, "");
  struct snapshot *first = snapshot_newest();
  uint64_t epoch = snapshot_epoch(first);
  expect_model("one", epoch);
  assert_false(reload_is_due());
  reload_on_publish(on_publish, &published);
  write_file(config_path, "{\"providers\":7}");
  assert_true(reload_is_due());
  assert_int_equal(reload(report), ERR_BAD_CONFIG);
  assert_non_null(strstr(report, "maestro.json:1: error: providers"));
  assert_false(reload_is_due()); /* it was read, and is not read again before it changes */
  expect_model("one", epoch);
  assert_int_equal(published, 0);
  write_file(config_path, WITH("two"));
  assert_true(reload_is_due());
  assert_int_equal(reload(report), OK);
  expect_model("two", epoch + 1);
  assert_int_equal(published, 1);
  expect_model("two", epoch + 1);
  const struct catalog *old = snapshot_get(first, 0); /* who has the first still has it */
  assert_str(old->deployments[0].model, STR("one"));
  snapshot_unref(first);
  assert_int_equal(reload_rebuild(NULL, &info), OK);
  expect_model("two", epoch + 2);
  assert_int_equal(published, 2);
  reload_on_publish(NULL, NULL);
}

/* Only what stays away is gone. */
static void expect_gone(void) {
  unsigned looks = 1;
  assert_false(reload_is_due());
  while (!reload_is_due()) assert_true(++looks < 10);
}

TEST(files_that_come_and_go_are_noticed) {
  char report[1024], text[512];
  snprintf(text, sizeof text, "{\"registry\":{\"file\":\"%s\"}}", registry_path);
  write_file(registry_path,
             "{\"updated\":\"2026-01-01\",\"models\":[{\"slot\":\"s\",\"id\":\"m\",\"provider\":\"p\",\"tier\":"
             "\"cheap\",\"strength\":1}]}");
  write_file(config_path, text);
  assert_int_equal(reload(report), OK);
  assert_string_equal(report, "");
  assert_false(reload_is_due());
  write_file(registry_path,
             "{\"updated\":\"2026-01-02\",\"models\":[{\"slot\":\"s\",\"id\":\"m\",\"provider\":\"p\",\"tier\":"
             "\"cheap\",\"strength\":1}]}");
  assert_true(reload_is_due());
  assert_int_equal(reload(report), OK);
  assert_int_equal(unlink(registry_path), 0);
  expect_gone();
  assert_int_equal(reload(report), ERR_BAD_CONFIG);
  assert_false(reload_is_due());
  write_file(registry_path,
             "{\"updated\":\"2026-01-02\",\"models\":[{\"slot\":\"s\",\"id\":\"m\",\"provider\":\"p\",\"tier\":"
             "\"cheap\",\"strength\":1}]}");
  assert_true(reload_is_due());
  assert_int_equal(reload(report), OK);
  char other[80];
  snprintf(other, sizeof other, "%s/providers.json", folder); /* looked for, but not there until now */
  write_file(other, "{\"providers\":{}}");
  assert_true(reload_is_due());
  assert_int_equal(reload(report), OK);
  assert_int_equal(unlink(other), 0);
  assert_false(reload_is_due());
  write_file(other, "{\"providers\":{}} "); /* an editor's way to write */
  assert_true(reload_is_due());
  assert_int_equal(reload(report), OK);
  assert_int_equal(unlink(other), 0);
  expect_gone();
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  snprintf(config_path, sizeof config_path, "%s/maestro.json", folder);
  snprintf(registry_path, sizeof registry_path, "%s/registry.json", folder);
  sources = (struct config_sources){.config_dir = folder, .vocabulary = catalog_vocabulary()};
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  snapshot_unpublish();
  unlink(config_path);
  unlink(registry_path);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_bad_file_changes_nothing),
                                     cmocka_unit_test(files_that_come_and_go_are_noticed)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
