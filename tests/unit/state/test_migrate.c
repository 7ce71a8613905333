/* Migrations: from nothing and from every earlier version with what was in it, never beyond, never by half. */
#include "state/store/migrate.h"

#include <sqlite3.h>

#include "one_store_rig.h"
#include "state/node.h"
#include "state/people.h"

static struct db *open_db(void) {
  const struct db_options options = {.path = rig.path, .busy_ms = 100};
  struct db *db = NULL;
  assert_int_equal(db_open(&db, &options, NULL), OK);
  return db;
}

/* With SQLite itself, as something outside of the program would. */
static void execute(const char *sql) {
  sqlite3 *other;
  char *said = NULL;
  assert_int_equal(sqlite3_open(rig.path, &other), SQLITE_OK);
  int rc = sqlite3_exec(other, sql, NULL, NULL, &said);
  if (rc) fail_msg("%s: %s", sql, said);
  sqlite3_close(other);
}

/* What a store of that version holds, in its own terms. */
static void fill(unsigned version) {
  if (version == 0) return;
  execute(
      "INSERT INTO users (name, role, is_active, created_us, updated_us) VALUES ('old', 'viewer', 1, 5, 6);"
      "INSERT INTO user_tokens (user_id, name, hash, created_us)"
      " VALUES (1, 'default', x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 7);");
  if (version == 1) return;
  execute(
      "INSERT INTO user_models VALUES (1, 'gpt-*'); INSERT INTO user_nodes VALUES (1, 'gpu');"
      "INSERT INTO user_node_models VALUES (1, 'gpu', 'llama');");
  if (version == 2) return;
  execute(
      "INSERT INTO audit_log (at_us, actor, address, action, entity_type, entity_id)"
      " VALUES (8, 'admin', '', 'create', 'user', 'old');");
  if (version == 3) return;
  execute("INSERT INTO teams (name, created_us, updated_us) VALUES ('crew', 1, 1); UPDATE users SET team_id = 1;");
  if (version < 5) return;
  execute(
      "INSERT INTO nodes (id, code, name, type, base_url, region, health_url, priority, weight, usage, is_active, "
      "is_warmup,"
      " is_sync, allow_private, created_us, updated_us, synced_us, sealed)"
      " VALUES (1, 'gpu', 'GPU', 'vllm', 'http://h/v1', '', '', 1, 2, 0, 1, 0, 0, 1, 9, 9, 0, x'');"
      "INSERT INTO node_models VALUES (1, 'llama', 1, 1, 0, 4096, 0, '', '', 9);");
  if (version <= 6) return; /* names have tests of their own */
  execute(
      "UPDATE users SET password_hash = 'x', sessions_from_us = 9 WHERE id = 1;"
      "INSERT INTO sessions VALUES (x'00', 1, 1, 1, 1);");
}

/* A node that was stored before it could have them has no timeouts and quirks of its own. */
static void check_nodes(struct db *db, unsigned version) {
  struct nodes nodes;
  assert_int_equal(nodes_load(db, 0, NULL, &nodes, NULL), OK);
  assert_int_equal(nodes.n, version < 5 ? 0 : 1);
  if (nodes.n) {
    assert_int_equal(nodes.v[0].p.timeouts.connect_ms, CONFIG_TIMEOUT_UNSET);
    assert_int_equal(nodes.v[0].p.timeouts.total_ms, CONFIG_TIMEOUT_UNSET);
    assert_int_equal(nodes.v[0].p.quirks.n, 0);
  }
  node_list_clear(&nodes);
}

TEST(every_earlier_version_comes_up_with_its_content) {
  for (unsigned version = 0; version <= db_migration_count(); version++) {
    struct db *db = open_db();
    struct err_info info = {0};
    struct people people;
    unsigned from = 99, now = 99;
    if (version) assert_int_equal(migrate_run(db, version, &from, &info), OK);
    assert_int_equal(migrate_version(db, &now, &info), OK);
    assert_int_equal(now, version);
    db_close(db);
    fill(version);
    db = open_db();
    assert_int_equal(migrate_run(db, 0, &from, &info), OK);
    assert_int_equal(from, version);
    assert_int_equal(migrate_version(db, &now, &info), OK);
    assert_int_equal(now, db_migration_count());
    assert_int_equal(people_load(db, 0, &people, &info), OK);
    assert_int_equal(people.user_count, version ? 1 : 0);
    if (version) {
      const struct user *u = &people.users[0];
      assert_str(u->name, STR("old"));
      assert_int_equal(u->role, USER_ROLE_VIEWER);
      assert_false(u->has_all_models);
      assert_int_equal(u->token_count, 1);
      assert_int_equal(u->tokens[0].hash.bytes[31], 0x1f);
      assert_int_equal(u->model_count, version > 1 ? 1 : 0);
      assert_int_equal(u->node_count, version > 1 ? 1 : 0);
      assert_int_equal(u->node_model_count, version > 1 ? 1 : 0);
    }
    people_clear(&people);
    check_nodes(db, version);
    assert_int_equal(migrate_run(db, 0, &from, &info), OK); /* again: nothing to do */
    assert_int_equal(from, db_migration_count());
    db_close(db);
    store_rig_clear(&rig);
    store_rig_init(&rig);
  }
}

TEST(a_newer_store_is_refused_and_untouched) {
  struct db *db = open_db();
  struct err_info info = {0};
  unsigned from, now;
  assert_int_equal(migrate_run(db, 0, &from, &info), OK);
  db_close(db);
  execute("INSERT INTO migrations VALUES (999, 'of the future', 0)");
  db = open_db();
  assert_int_equal(migrate_run(db, 0, &from, &info), ERR_STORE_NEWER);
  assert_non_null(strstr(info.text, "999"));
  assert_non_null(strstr(info.text, "newer program"));
  assert_int_equal(migrate_version(db, &now, &info), OK);
  assert_int_equal(now, 999);
  db_close(db);
}

/* A step that fails in its middle: here its second statement, since somebody has made that table. */
TEST(a_step_that_fails_leaves_the_version_before) {
  struct db *db = open_db();
  struct err_info info = {0};
  unsigned from, now;
  assert_int_equal(migrate_run(db, 1, &from, &info), OK);
  db_close(db);
  fill(1);
  execute("CREATE TABLE user_models (in_the_way)");
  db = open_db();
  assert_int_equal(migrate_run(db, 0, &from, &info), ERR_STORE_FAILED);
  assert_int_equal(migrate_version(db, &now, &info), OK);
  assert_int_equal(now, 1);
  db_close(db);
  execute("DROP TABLE user_models; ALTER TABLE users ADD COLUMN has_all_models INTEGER"); /* it had been taken back */
  execute("ALTER TABLE users DROP COLUMN has_all_models");
  db = open_db();
  assert_int_equal(migrate_run(db, 0, &from, &info), OK);
  assert_int_equal(from, 1);
  db_close(db);
}

TEST(a_store_that_another_program_writes_is_not_migrated_meanwhile) {
  struct db *db = open_db();
  struct err_info info = {0};
  sqlite3 *other;
  unsigned from;
  assert_int_equal(migrate_run(db, 1, &from, &info), OK);
  assert_int_equal(sqlite3_open(rig.path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(migrate_run(db, 0, &from, &info), ERR_STORE_BUSY);
  sqlite3_close(other);
  assert_int_equal(migrate_run(db, 0, &from, &info), OK);
  db_close(db);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, one_store_rig_folder, one_store_rig_clear)
  const struct CMUnitTest tests[] = {
      T(every_earlier_version_comes_up_with_its_content),
      T(a_newer_store_is_refused_and_untouched),
      T(a_step_that_fails_leaves_the_version_before),
      T(a_store_that_another_program_writes_is_not_migrated_meanwhile),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
