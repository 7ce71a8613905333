/* Which Ollama node is meant: names that say it, names that only one node can mean, and all others, refused. */
#include "gateway/node_choice.h"

#include "../route/route_rig.h"

static struct user user;
static struct principal_user beside;
static struct principals principals;

#define OLLAMA(id) "\"" id "\":{\"type\":\"ollama\",\"baseURL\":\"http://127.0.0.1:9\"}"
#define THREE \
  "{\"providers\":{" OLLAMA("box") "," OLLAMA("den") "," PROVIDER("up", ",\"code\":\"upc\"", "\"m\":{}") "}}"

static struct request_context caller(void) {
  return (struct request_context){
      .arena = &rig.arena, .catalog = rig.catalog, .principals = &principals, .principal = {.kind = AUTH_ADMIN}};
}

/* As a user with these lists. */
static struct request_context bound(void) {
  struct request_context rc = caller();
  user.id = 7;
  principals.people.users = &user;
  principals.people.user_count = 1;
  principals.users = &beside;
  rc.principal = (struct auth_principal){.kind = AUTH_USER, .id = 7};
  return rc;
}

static void expect(struct request_context *rc, const char *name, unsigned flags, enum err e, const char *node,
                   const char *text) {
  struct node_choice out = {0};
  struct err_info info = {0};
  enum err got = node_choice_find(rc, str_from_c(name), "model", flags, &out, &info);
  if (got != e) fail_msg("%s: %s (%s)", name, err_code(got), info.text);
  if (e && !strstr(err_info_text(e, &info), text)) fail_msg("%s: %s", name, info.text);
  if (e) return;
  assert_str(out.at->provider.id, str_from_c(node));
  assert_str(out.model, str_from_c(text));
}

TEST(a_name_that_says_its_node) {
  listed("box", "a:latest b:7b");
  listed("den", "c:latest b:7b");
  rig_build(THREE);
  struct request_context rc = caller();
  expect(&rc, "node:box:llama3:8b", 0, OK, "box", "llama3:8b");
  expect(&rc, "node:den:me/x", 0, OK, "den", "me/x");
  expect(&rc, "box/llama3", 0, OK, "box", "llama3");
  expect(&rc, "den/me/x:y", NODE_CHOICE_HOLDER, OK, "den", "me/x:y");
  expect(&rc, "node:nope:x", 0, ERR_NOT_FOUND, NULL, "Node with code 'nope' not found");
  expect(&rc, "node:box", 0, ERR_MISSING, NULL, "required");
  expect(&rc, "node:box:", 0, ERR_MISSING, NULL, "required");
  expect(&rc, "box/", 0, ERR_MISSING, NULL, "required");
  expect(&rc, "", 0, ERR_MISSING, NULL, "required");
  expect(&rc, "node:up:m", 0, ERR_NOT_SERVED, NULL, "\"up\" is no Ollama node");
  expect(&rc, "node:upc:m", 0, ERR_NOT_SERVED, NULL, "\"up\" is no Ollama node");
  expect(&rc, "up/m", NODE_CHOICE_HOLDER, ERR_NOT_SERVED, NULL, "no Ollama node");
  expect(&rc, "node:box:a\nb", 0, ERR_BAD_VALUE, NULL, "no name");
  rig_clear();
  discovered_clear();
}

TEST(a_name_alone_is_never_guessed) {
  listed("box", "a:latest b:7b");
  listed("den", "c:latest b:7b d");
  rig_build(THREE);
  struct request_context rc = caller();
  expect(&rc, "a", 0, ERR_BAD_VALUE, NULL, "(box, den): write \"node:<code>:a\"");
  expect(&rc, "a", NODE_CHOICE_HOLDER, OK, "box", "a");
  expect(&rc, "c:latest", NODE_CHOICE_HOLDER, OK, "den", "c:latest");
  expect(&rc, "d:latest", NODE_CHOICE_HOLDER, OK, "den", "d:latest");
  expect(&rc, "b:7b", NODE_CHOICE_HOLDER, ERR_BAD_VALUE, NULL, "(box, den)");
  expect(&rc, "b", NODE_CHOICE_HOLDER, ERR_MODEL_NOT_FOUND, NULL, "model 'b' not found");
  expect(&rc, "m", NODE_CHOICE_HOLDER, ERR_MODEL_NOT_FOUND, NULL, "not found");
  rig_clear();
  discovered_clear();
  rig_build("{\"providers\":{" OLLAMA("box") "}}");
  rc = caller();
  expect(&rc, "anything", 0, OK, "box", "anything");
  expect(&rc, "library/anything", NODE_CHOICE_HOLDER, OK, "box", "library/anything");
  rig_clear();
  rig_build("{\"providers\":{" PROVIDER("up", "", "\"m\":{}") "}}");
  rc = caller();
  expect(&rc, "m", NODE_CHOICE_HOLDER, ERR_NOT_SERVED, NULL, "there is no Ollama node");
  rig_clear();
}

TEST(a_users_lists_bind) {
  static struct str models[] = {STR("llama*"), STR("exact")}, nodes[] = {STR("den")};
  rig_build(THREE);
  user = (struct user){.models = models, .model_count = 2};
  struct request_context rc = bound();
  expect(&rc, "node:box:llama3", 0, OK, "box", "llama3");
  expect(&rc, "node:box:exact:latest", 0, OK, "box", "exact:latest");
  expect(&rc, "node:box:other", 0, ERR_FORBIDDEN, NULL, "no access to this model");
  expect(&rc, "other", 0, ERR_FORBIDDEN, NULL, "no access to this model");
  expect(&rc, "other", NODE_CHOICE_UNBOUND, ERR_BAD_VALUE, NULL, "(box, den)");
  user = (struct user){.has_all_models = true, .nodes = nodes, .node_count = 1};
  rc = bound();
  expect(&rc, "other", 0, OK, "den", "other"); /* the only one that is theirs */
  expect(&rc, "node:box:other", 0, ERR_FORBIDDEN, NULL, "provider of this model");
  expect(&rc, "node:box:other", NODE_CHOICE_UNBOUND, OK, "box", "other");
  rig_clear();
}

TEST(a_further_name_is_of_the_same_node) {
  rig_build(THREE);
  struct request_context rc = caller();
  const struct catalog_provider *box = map_get(&rig.catalog->by_provider, STR("box"));
  static const struct {
    const char *name, *model;
    enum err e;
  } rows[] = {{"me/copy", "me/copy", OK},      {"box/copy", "copy", OK},          {"node:box:a:b", "a:b", OK},
              {"den/copy", "", ERR_BAD_VALUE}, {"node:den:x", "", ERR_BAD_VALUE}, {"", "", ERR_MISSING},
              {"node:no:x", "", ERR_NOT_FOUND}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str model = STR_NONE;
    struct err_info info = {0};
    assert_int_equal(node_choice_same(&rc, str_from_c(rows[i].name), "destination", 0, box, &model, &info), rows[i].e);
    assert_str(model, str_from_c(rows[i].model));
    if (rows[i].e == ERR_BAD_VALUE) assert_string_equal(info.param, "destination");
  }
  rig_clear();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_that_says_its_node), cmocka_unit_test(a_name_alone_is_never_guessed),
      cmocka_unit_test(a_users_lists_bind), cmocka_unit_test(a_further_name_is_of_the_same_node)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
