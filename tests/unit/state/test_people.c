/* People, from the store and from their text form: both ways give the same, and a text that was cut or changed is
 * refused. */
#include "state/people.h"

#include "one_store_rig.h"
#include "state/store/migrate.h"
#include "state/store/store_team.h"
#include "state/store/store_user.h"

static int64_t add(const char *name, enum user_role role, bool has_all_models) {
  struct store_user u = {
      .role = role, .is_active = true, .has_all_models = has_all_models, .can_manage_ollama = has_all_models};
  assert_int_equal(store_user_add(rig.db, str_from_c(name), &u, NULL), OK);
  return u.id;
}

static enum err add_token(int64_t user, const char *name, const char *text, int64_t expires_us, struct err_info *info) {
  struct user_token t = {.name = str_from_c(name), .created_us = 11, .expires_us = expires_us};
  assert_int_equal(crypto_sha256(str_from_c(text), &t.hash), OK);
  return store_user_add_token(rig.db, user, &t, info);
}

static void allow(enum store_user_list list, int64_t user, const char *node, const char *pattern) {
  assert_int_equal(store_user_allow(rig.db, list, user, str_from_c(node), str_from_c(pattern), NULL), OK);
}

/* Three users, so that lists of one lie between others'; the second has nothing. */
static void fill(void) {
  int64_t a = add("ann", USER_ROLE_USER, false), b = add("bob", USER_ROLE_VIEWER, false),
          c = add("C\xc3\xa9line \"quoted\"", USER_ROLE_ADMIN, true);
  (void)b;
  assert_int_equal(add_token(c, "laptop", "t3", 99, NULL), OK);
  assert_int_equal(add_token(a, "default", "t1", 0, NULL), OK);
  assert_int_equal(add_token(a, "ci", "t2", 0, NULL), OK);
  allow(STORE_USER_MODELS, a, "", "gpt-*");
  allow(STORE_USER_MODELS, a, "", "gpt-*");
  allow(STORE_USER_MODELS, a, "", "llama");
  allow(STORE_USER_NODES, c, "", "gpu");
  allow(STORE_USER_NODE_MODELS, c, "gpu", "llama*");
  allow(STORE_USER_NODE_MODELS, c, "cpu", "phi");
}

static void read_all(struct people *p) { assert_int_equal(people_load(rig.db, 0, p, NULL), OK); }

/* On top: Bob in one of two teams, limits of everything that can have some. */
static void fill_teams(void) {
  struct store_user bob;
  struct str lists[] = {STR("gpt-*"), STR("llama")};
  struct limits l = limits_none;
  int64_t red, blue;
  assert_int_equal(store_team_add(rig.db, STR("red"), &red, NULL), OK);
  assert_int_equal(store_team_add(rig.db, STR("bl\xc3\xbc"), &blue, NULL), OK);
  assert_int_equal(store_team_set_list(rig.db, STORE_TEAM_MODELS, blue, lists, 2, NULL), OK);
  assert_int_equal(store_team_set_list(rig.db, STORE_TEAM_NODES, red, lists, 1, NULL), OK);
  assert_int_equal(store_user_find(rig.db, STR("bob"), &bob, NULL), OK);
  bob.team_id = blue;
  assert_int_equal(store_user_update(rig.db, &bob, NULL), OK);
  l.budget_nano_usd = 11;
  assert_int_equal(store_team_set_limits(rig.db, blue, &l, NULL), OK);
  l.budget_nano_usd = 12;
  assert_int_equal(store_user_set_limits(rig.db, bob.id, &l, NULL), OK);
  assert_int_equal(add_token(bob.id, "ci", "t8", 0, NULL), OK);
  l.budget_nano_usd = 13;
  assert_int_equal(store_user_set_token_limits(rig.db, bob.id, STR("ci"), &l, NULL), OK);
  l.budget_nano_usd = 14;
  assert_int_equal(store_team_set_model_limits(rig.db, STR("up/m"), &l, NULL), OK);
}

static void check_teams(const struct people *p) {
  const struct user *bob = people_find(p, STR("bob"));
  const struct team *blue = people_find_team(p, STR("bl\xc3\xbc")), *red = people_find_team(p, STR("red"));
  assert_int_equal(p->team_count, 2);
  assert_str(bob->team, blue->name);
  assert_int_equal(bob->team_id, blue->id);
  assert_int_equal(people_find(p, STR("ann"))->team_id, 0);
  assert_int_equal(blue->model_count, 2);
  assert_str(blue->models[1], STR("llama"));
  assert_int_equal(red->model_count, 0);
  assert_int_equal(red->node_count, 1);
  assert_int_equal(blue->limits.budget_nano_usd, 11);
  assert_int_equal(bob->limits.budget_nano_usd, 12);
  assert_int_equal(bob->tokens[0].limits.budget_nano_usd, 13);
  assert_int_equal(people_find_model(p, STR("up/m"))->limits.budget_nano_usd, 14);
  assert_true(limits_is_none(&people_find(p, STR("ann"))->limits));
}

/* Everything goes with its owner, and a team does not go with somebody in it. */
TEST(limits_go_with_whose_they_are) {
  struct err_info info = {0};
  struct people p;
  struct store_user bob;
  int64_t blue;
  fill();
  fill_teams();
  assert_int_equal(store_team_find(rig.db, STR("bl\xc3\xbc"), &blue, NULL), OK);
  assert_int_equal(store_team_delete(rig.db, blue, &info), ERR_CONFLICT);
  assert_non_null(strstr(info.text, "\"bob\""));
  assert_int_equal(store_user_find(rig.db, STR("bob"), &bob, NULL), OK);
  assert_int_equal(store_user_delete(rig.db, bob.id, NULL), OK);
  assert_int_equal(store_team_delete(rig.db, blue, &info), OK);
  assert_int_equal(store_team_find(rig.db, STR("bl\xc3\xbc"), &blue, NULL), ERR_NOT_FOUND);
  int64_t again;
  assert_int_equal(store_team_add(rig.db, STR("bl\xc3\xbc"), &again, NULL), OK);
  assert_int_not_equal(again, blue); /* so it is another account */
  assert_int_equal(add("bob", USER_ROLE_USER, false), bob.id);
  assert_int_equal(add_token(bob.id, "ci", "t8", 0, NULL), OK);
  read_all(&p);
  const struct user *u = people_find(&p, STR("bob"));
  assert_int_equal(u->life, 2);
  assert_true(limits_is_none(&u->limits) && limits_is_none(&u->tokens[0].limits));
  assert_true(limits_is_none(&people_find_team(&p, STR("bl\xc3\xbc"))->limits));
  assert_int_equal(people_find_team(&p, STR("bl\xc3\xbc"))->model_count, 0);
  people_clear(&p);
}

TEST(accounts_have_names_that_fit) {
  char out[PEOPLE_ACCOUNT_BYTES], other[PEOPLE_ACCOUNT_BYTES], name[200];
  assert_str(people_account(LIMITS_USER, 7, 1, STR_NONE, out), STR("user:7"));
  assert_str(people_account(LIMITS_USER, 7, 3, STR_NONE, out), STR("user:7.3"));
  assert_str(people_account(LIMITS_TEAM, 3, 1, STR("red"), out), STR("team:3"));
  assert_str(people_account(LIMITS_TOKEN, 12, 1, STR("ci"), out), STR("token:12"));
  assert_str(people_account(LIMITS_MODEL, 0, 1, STR("openai/gpt-x"), out), STR("model:openai/gpt-x"));
  memset(name, 'x', sizeof name);
  for (size_t n = 1; n <= sizeof name; n++) {
    struct str a = people_account(LIMITS_MODEL, 0, 1, str_from(name, n), out);
    struct str b = people_account(LIMITS_MODEL, 0, 1, str_from(name, n - 1), other);
    assert_true(a.n <= LEDGER_NAME_MAX);
    assert_false(str_eq(a, b));
  }
}

static void check_filled(const struct people *p) {
  assert_int_equal(p->user_count, 3);
  const struct user *a = &p->users[0], *b = &p->users[1], *c = &p->users[2];
  assert_str(a->name, STR("ann"));
  assert_int_equal(a->token_count, 2);
  assert_str(a->tokens[1].name, STR("ci"));
  assert_int_equal(a->model_count, 2);
  assert_str(a->models[0], STR("gpt-*"));
  assert_int_equal(a->node_count + a->node_model_count, 0);
  assert_int_equal(b->role, USER_ROLE_VIEWER);
  assert_int_equal(b->token_count + b->model_count + b->node_count + b->node_model_count, 0);
  assert_str(c->name, STR("C\xc3\xa9line \"quoted\""));
  assert_int_equal(c->role, USER_ROLE_ADMIN);
  assert_true(c->has_all_models && c->is_active && c->can_manage_ollama);
  assert_false(a->can_manage_ollama);
  assert_int_equal(c->tokens[0].expires_us, 99);
  assert_int_equal(c->tokens[0].created_us, 11);
  struct crypto_hash hash;
  assert_int_equal(crypto_sha256(STR("t3"), &hash), OK);
  assert_memory_equal(&hash, &c->tokens[0].hash, sizeof hash);
  assert_int_equal(c->node_model_count, 2);
  assert_str(c->node_models[0].node, STR("cpu"));
  assert_str(c->node_models[1].pattern, STR("llama*"));
}

TEST(each_has_its_own) {
  struct people p;
  fill();
  read_all(&p);
  check_filled(&p);
  assert_null(people_find(&p, STR("an")));
  const struct user *c = people_find(&p, p.users[2].name);
  assert_ptr_equal(c, &p.users[2]);
  int64_t id = c->id;
  people_clear(&p);
  assert_int_equal(people_load(rig.db, id, &p, NULL), OK);
  assert_int_equal(p.user_count, 1);
  assert_int_equal(p.users[0].id, id);
  assert_int_equal(p.users[0].node_model_count, 2);
  people_clear(&p);
}

TEST(the_text_form_gives_the_same) {
  struct people p, again;
  struct buf text, second;
  fill();
  fill_teams();
  read_all(&p);
  check_teams(&p);
  buf_init(&text, 0);
  buf_init(&second, 0);
  people_write(&p, &text);
  assert_false(text.failed);
  assert_int_equal(people_read(buf_str(&text), &again, NULL), OK);
  check_teams(&again);
  people_write(&again, &second);
  assert_str(buf_str(&second), buf_str(&text));
  people_clear(&again);
  people_clear(&p);
  /* Cut anywhere it is no text of people, but for its very last line end. */
  for (size_t n = 0; n + 1 < text.n; n++) {
    struct err_info info = {0};
    assert_int_equal(people_read(str_from(text.p, n), &again, &info), ERR_BAD_VALUE);
    assert_int_equal(again.user_count, 0);
  }
  buf_clear(&text);
  buf_clear(&second);
}

#define HEAD(n) "{\"kind\":\"maestro-people\",\"version\":1,\"users\":" #n "}\n"
#define TEAMS(n) "{\"kind\":\"maestro-people\",\"version\":2,\"teams\":" #n ",\"users\":1}\n"
#define TEAM(id, name) "{\"id\":" #id ",\"name\":\"" name "\",\"models\":[],\"nodes\":[]}\n"
#define USER(id, name, rest) "{\"id\":" #id ",\"name\":\"" name "\",\"role\":\"user\",\"is_active\":true" rest "}\n"
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN ",\"tokens\":[{\"name\":\"t\",\"sha256\":\"" HASH "\",\"created_us\":1}]"

TEST(what_does_not_belong_is_named_with_its_line) {
  static const struct {
    const char *text, *why;
  } rows[] = {
      {HEAD(1) USER(1, "a", ""), NULL},
      {HEAD(0), NULL},
      {HEAD(2) USER(1, "a", TOKEN) USER(2, "b", ""), NULL},
      {HEAD(2) USER(1, "a", TOKEN) USER(2, "b", TOKEN), "line 3: \"tokens[0].sha256\" comes twice"},
      {HEAD(2) USER(1, "a", "") USER(2, "a", ""), "line 3: \"name\" comes twice"},
      {HEAD(2) USER(2, "a", "") USER(1, "b", ""), "line 3: \"id\" must rise"},
      {HEAD(1) USER(1, "a", "") USER(2, "b", ""), "line 3: more users"},
      {HEAD(1) USER(0, "a", ""), "line 2: \"id\""},
      {HEAD(1) USER(1, "a/b", ""), "line 2: \"name\" is no name"},
      {HEAD(1) USER(1, "", ""), "line 2: \"name\" is no name"},
      {HEAD(1) USER(1, "a\\n", ""), "line 2: \"name\" is no name"},
      {HEAD(1) USER(1, "a", ",\"models\":[1]"), "line 2: "},
      {HEAD(1) USER(1, "a", ",\"models\":[\"\"]"), "models[0]"},
      {HEAD(1) USER(1, "a", ",\"nodes\":{}"), "line 2: "},
      {HEAD(1) USER(1, "a", ",\"node_models\":[{\"node\":\"n\"}]"), "node_models[0].model"},
      {HEAD(1) USER(1, "a", ",\"tokens\":[{\"name\":\"t\",\"sha256\":\"00\",\"created_us\":1}]"), "tokens[0].sha256"},
      {HEAD(1) "{\"id\":1,\"name\":\"a\",\"role\":\"king\",\"is_active\":true}\n", "\"role\" is no role"},
      {HEAD(1) "{\"id\":1,\"name\":\"a\",\"role\":\"user\"}\n", "line 2: "},
      {HEAD(1) "nonsense\n", "line 2: "},
      {HEAD(99999999), "line 1: \"users\" is more"},
      {HEAD(1) USER(1, "a", ",\"team\":\"red\""), "line 2: \"team\" is no team of this file"},
      {HEAD(1) USER(1, "a", ",\"limits\":{\"period\":\"week\"}"), "line 2: \"limits.period\" is no period"},
      {TEAMS(1) TEAM(1, "red") USER(1, "a", ",\"team\":\"red\""), NULL},
      {TEAMS(2) TEAM(1, "red") TEAM(2, "red"), "line 3: \"name\" comes twice"},
      {TEAMS(2) TEAM(2, "red") TEAM(1, "blue"), "line 3: \"id\" must rise"},
      {TEAMS(1) TEAM(1, "a/b"), "line 2: \"name\" is no name of a team"},
      {TEAMS(1) TEAM(1, "red"), "line 2: it was cut"},
      {"{\"kind\":\"something else\",\"version\":1,\"users\":0}\n", "line 1: this is no export"},
      {"{}\n", "line 1: this is no export"},
      {"[]\n", "line 1: "},
      {"", "line 1: it was cut"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    struct people p;
    enum err e = people_read(str_from_c(rows[i].text), &p, &info);
    if (!rows[i].why) {
      assert_int_equal(e, OK);
      people_clear(&p);
      continue;
    }
    assert_int_equal(e, ERR_BAD_VALUE);
    if (!strstr(info.text, rows[i].why)) fail_msg("%s: not \"%s\"", info.text, rows[i].why);
  }
  struct err_info info = {0};
  struct people p;
  assert_int_equal(people_read(STR("{\"kind\":\"maestro-people\",\"version\":3,\"users\":0}\n"), &p, &info),
                   ERR_STORE_NEWER);
}

TEST(a_deleted_user_is_gone_and_comes_back_bare_with_its_id) {
  struct people p;
  struct store_user u;
  fill();
  assert_int_equal(store_user_find(rig.db, STR("ann"), &u, NULL), OK);
  int64_t id = u.id;
  assert_int_equal(store_user_delete(rig.db, id, NULL), OK);
  assert_int_equal(store_user_find(rig.db, STR("ann"), &u, NULL), ERR_NOT_FOUND);
  read_all(&p);
  assert_int_equal(p.user_count, 2);
  people_clear(&p);
  assert_int_equal(add("ann", USER_ROLE_USER, false), id);
  assert_int_equal(people_load(rig.db, id, &p, NULL), OK);
  assert_true(p.users[0].is_active);
  assert_int_equal(p.users[0].token_count + p.users[0].model_count, 0);
  people_clear(&p);
  struct err_info info = {0};
  assert_int_equal(store_user_add(rig.db, STR("ann"), &u, &info), ERR_CONFLICT);
  assert_string_equal(info.param, "username");
}

TEST(tokens_have_names_of_their_user_and_one_hash_in_the_world) {
  struct err_info info = {0};
  struct people p;
  fill();
  read_all(&p);
  int64_t a = p.users[0].id, b = p.users[1].id;
  people_clear(&p);
  assert_int_equal(add_token(a, "ci", "t9", 0, &info), ERR_CONFLICT);
  assert_int_equal(add_token(b, "ci", "t9", 0, NULL), OK);
  assert_int_equal(add_token(b, "copied", "t1", 0, &info), ERR_CONFLICT);
  struct user_token fresh = {.name = STR("ci"), .created_us = 12};
  assert_int_equal(crypto_sha256(STR("t10"), &fresh.hash), OK);
  assert_int_equal(store_user_renew_token(rig.db, a, &fresh, NULL), OK);
  fresh.name = STR("none");
  assert_int_equal(crypto_sha256(STR("t11"), &fresh.hash), OK);
  assert_int_equal(store_user_renew_token(rig.db, a, &fresh, &info), ERR_NOT_FOUND);
  assert_int_equal(store_user_delete_token(rig.db, b, STR("ci"), NULL), OK);
  assert_int_equal(store_user_delete_token(rig.db, b, STR("ci"), &info), ERR_NOT_FOUND);
  read_all(&p);
  assert_int_equal(p.users[0].token_count, 2);
  assert_int_equal(p.users[0].tokens[1].created_us, 12);
  assert_int_equal(p.users[1].token_count, 0);
  people_clear(&p);
}

TEST(lists_shrink_one_by_one_or_at_once) {
  struct people p;
  fill();
  read_all(&p);
  int64_t a = p.users[0].id, c = p.users[2].id;
  people_clear(&p);
  assert_int_equal(store_user_disallow(rig.db, STORE_USER_MODELS, a, STR_NONE, STR("llama"), NULL), OK);
  assert_int_equal(store_user_disallow(rig.db, STORE_USER_MODELS, a, STR_NONE, STR("llama"), NULL), ERR_NOT_FOUND);
  assert_int_equal(store_user_disallow(rig.db, STORE_USER_NODE_MODELS, c, STR("gpu"), STR("phi"), NULL), ERR_NOT_FOUND);
  assert_int_equal(store_user_clear(rig.db, STORE_USER_NODE_MODELS, c, STR("gpu"), NULL), OK);
  read_all(&p);
  assert_int_equal(p.users[0].model_count, 1);
  assert_int_equal(p.users[2].node_model_count, 1);
  people_clear(&p);
  assert_int_equal(store_user_clear(rig.db, STORE_USER_NODE_MODELS, c, STR_NONE, NULL), OK);
  assert_int_equal(store_user_clear(rig.db, STORE_USER_MODELS, a, STR_NONE, NULL), OK);
  read_all(&p);
  assert_int_equal(p.users[0].model_count, 0);
  assert_int_equal(p.users[2].node_model_count, 0);
  assert_int_equal(p.users[2].node_count, 1);
  people_clear(&p);
}

TEST(an_import_brings_all_of_a_user) {
  struct people p, text_form;
  struct buf text;
  buf_init(&text, 0);
  fill();
  read_all(&p);
  people_write(&p, &text);
  for (size_t i = 0; i < p.user_count; i++) assert_int_equal(store_user_delete(rig.db, p.users[i].id, NULL), OK);
  people_clear(&p);
  assert_int_equal(people_read(buf_str(&text), &text_form, NULL), OK);
  for (size_t i = 0; i < text_form.user_count; i++)
    assert_int_equal(store_user_import(rig.db, &text_form.users[i], NULL), OK);
  read_all(&p);
  check_filled(&p);
  people_clear(&p);
  assert_int_equal(store_user_import(rig.db, &text_form.users[0], NULL), ERR_CONFLICT);
  people_clear(&text_form);
  buf_clear(&text);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, one_store_rig_make, one_store_rig_clear)
  const struct CMUnitTest tests[] = {
      T(each_has_its_own),
      T(the_text_form_gives_the_same),
      T(what_does_not_belong_is_named_with_its_line),
      T(a_deleted_user_is_gone_and_comes_back_bare_with_its_id),
      T(tokens_have_names_of_their_user_and_one_hash_in_the_world),
      T(lists_shrink_one_by_one_or_at_once),
      T(an_import_brings_all_of_a_user),
      T(limits_go_with_whose_they_are),
      T(accounts_have_names_that_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
