/* Changes of users as the API and the commands run them: what is stored, what is answered, what is refused as a whole.
 */
#include "admin/people/users_change.h"

#include "base/json.h"
#include "change_rig.h"
#include "state/store/store_audit.h"

/* The member "token" of the last answer. */
static struct str token(void) {
  struct json doc;
  struct str text = STR_NONE;
  assert_int_equal(json_parse_copy(&doc, str_from_c(last.answer), NULL, &arena, NULL), OK);
  struct json_node root = json_root(&doc);
  assert_int_equal(json_get_string(&root, STR("token"), &text, NULL), OK);
  assert_true(text.n > 0);
  return text;
}

static bool is_stored(struct str text) {
  struct people p;
  struct crypto_hash h;
  bool found = false;
  assert_int_equal(crypto_sha256(text, &h), OK);
  assert_int_equal(people_load(rig.db, 0, &p, NULL), OK);
  for (size_t i = 0; i < p.user_count; i++)
    for (size_t k = 0; k < p.users[i].token_count; k++)
      found = found || crypto_equal(&h, &p.users[i].tokens[k].hash, sizeof h);
  people_clear(&p);
  return found;
}

static enum err run(enum users_operation operation, const char *user, const char *item, const char *body) {
  return change_rig_run(users_operation(operation), user, item, body);
}
#define RUN(name, user, item, body) run(USERS_OPERATION_##name, user, item, body)

TEST(a_user_is_made_with_a_token_that_is_seen_once) {
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\",\"role\":\"viewer\",\"models\":[\"gpt-*\",\"a\"]}"), OK);
  struct str text = token();
  assert_true(is_stored(text));
  assert_true(says("\"role\":\"viewer\"") && says("\"models\":[\"a\",\"gpt-*\"]") && says("\"is_active\":true"));
  assert_true(says("\"expires_at\":null"));
  assert_int_equal(RUN(update, "ann", "", "{}"), OK);
  assert_false(says("\"token\":"));
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), ERR_CONFLICT);
  assert_true(is_stored(text));
}

TEST(half_of_a_change_is_none) {
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\",\"models\":[\"a\"]}"), OK);
  /* The tokens of a user are full: the last step of an operation fails. */
  for (int i = 1; i < USER_TOKENS_MAX; i++) {
    char body[64];
    snprintf(body, sizeof body, "{\"name\":\"t%d\"}", i);
    assert_int_equal(RUN(token_add, "ann", "", body), OK);
  }
  assert_int_equal(RUN(token_add, "ann", "", "{\"name\":\"more\"}"), ERR_CONFLICT);
  assert_int_equal(RUN(nodes_set, "ann", "", "{}"), ERR_MISSING);
  assert_int_equal(RUN(nodes_set, "ann", "", "{\"node_id\":\"a\",\"node_ids\":[\"b\"]}"), ERR_MISSING);
  assert_int_equal(RUN(update, "ann", "", "{}"), OK);
  assert_true(says("\"nodes\":[]") && says("\"models\":[\"a\"]"));
}

TEST(tokens_come_and_go) {
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), OK);
  struct str first = token();
  assert_int_equal(RUN(token_add, "ann", "", "{\"name\":\"ci\",\"expires_in_days\":7}"), OK);
  struct str ci = token();
  assert_true(says("\"name\":\"ci\"") && !says("\"expires_at\":null"));
  assert_int_equal(RUN(token_add, "ann", "", "{\"name\":\"ci\"}"), ERR_CONFLICT);
  assert_int_equal(RUN(token_renew, "ann", "", ""), OK); /* the default one */
  struct str second = token();
  assert_true(is_stored(second) && !is_stored(first) && is_stored(ci));
  assert_int_equal(RUN(token_renew, "ann", "ci", "{\"expires_in_days\":null}"), OK);
  assert_true(says("\"expires_at\":null"));
  assert_false(is_stored(ci));
  assert_int_equal(RUN(token_renew, "ann", "none", ""), ERR_NOT_FOUND);
  assert_int_equal(RUN(token_revoke, "ann", "default", ""), OK);
  assert_false(is_stored(second));
  assert_int_equal(RUN(token_revoke, "ann", "default", ""), ERR_NOT_FOUND);
  assert_int_equal(RUN(token_renew, "ann", "", ""), OK); /* and back into being */
  assert_true(is_stored(token()));
}

TEST(lists_are_replaced_grown_and_emptied) {
  static const struct {
    enum users_operation operation;
    const char *item, *body;
    enum err want;
    const char *says; /* NULL: nothing new */
  } steps[] = {
#define STEP(name, item, body, want, says) {USERS_OPERATION_##name, item, body, want, says}
      STEP(models_all, "", "", OK, "\"has_all_models\":true"),
      STEP(models_set, "", "{\"models\":[\"x\",\"y/z\"]}", OK, "\"has_all_models\":false,\"models\":[\"x\",\"y/z\"]"),
      STEP(models_remove, "y/z", "", OK, "\"models\":[\"x\"]"),
      STEP(models_remove, "y/z", "", ERR_NOT_FOUND, NULL),
      STEP(models_clear, "", "", OK, "\"models\":[]"),
      STEP(nodes_set, "", "{\"node_id\":\"gpu\"}", OK, "\"has_restriction\":true,\"nodes\":[\"gpu\"]"),
      STEP(nodes_set, "", "{\"node_id\":\"cpu\"}", OK, "\"has_restriction\":true,\"nodes\":[\"cpu\",\"gpu\"]"),
      STEP(nodes_set, "", "{\"node_ids\":[\"b\"]}", OK, "\"nodes\":[\"b\"]"),
      STEP(nodes_remove, "gpu", "", ERR_NOT_FOUND, NULL),
      STEP(nodes_clear, "", "", OK, "\"has_restriction\":false,\"nodes\":[]"),
      STEP(node_models_add, "", "{\"node_id\":\"gpu\",\"model_name\":\"llama\"}", OK, NULL),
      STEP(models_of_node_set, "cpu", "{\"models\":[\"phi\"]}", OK,
           "\"node_id\":\"cpu\",\"models\":[\"phi\"],\"has_restriction\":true"),
      STEP(node_models_remove, "", "{\"node_id\":\"gpu\",\"model_name\":\"llama\"}", OK,
           "\"node_models\":[{\"node_id\":\"cpu\",\"model_name\":\"phi\"}]"),
      STEP(models_of_node_clear, "cpu", "", OK, NULL),
      STEP(node_models_clear, "", "", OK, "\"node_models\":[]"),
#undef STEP
  };
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\",\"models\":[\"a\"]}"), OK);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    enum err e = run(steps[i].operation, "ann", steps[i].item, steps[i].body);
    if (e != steps[i].want || (steps[i].says && !says(steps[i].says)))
      fail_msg("step %zu: %s, %s", i, err_code(e), last.answer);
  }
}

TEST(a_user_is_switched_off_and_on_and_deleted) {
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\",\"has_all_models\":true}"), OK);
  struct str text = token();
  assert_int_equal(RUN(deactivate, "ann", "", ""), OK);
  assert_true(says("\"is_active\":false") && says("\"has_all_models\":true"));
  assert_true(is_stored(text)); /* switched on again it holds again */
  assert_int_equal(RUN(activate, "ann", "", ""), OK);
  assert_true(says("\"is_active\":true"));
  assert_int_equal(RUN(update, "ann", "", "{\"is_active\":false,\"role\":\"operator\"}"), OK);
  assert_true(says("\"is_active\":false") && says("\"role\":\"operator\""));
  assert_true(says("\"can_manage_ollama\":false"));
  assert_int_equal(RUN(update, "ann", "", "{\"can_manage_ollama\":true}"), OK);
  assert_true(says("\"can_manage_ollama\":true") && says("\"role\":\"operator\""));
  assert_int_equal(RUN(delete, "ann", "", ""), OK);
  assert_false(is_stored(text));
  assert_int_equal(RUN(delete, "ann", "", ""), ERR_NOT_FOUND);
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), OK);
  assert_true(says("\"has_all_models\":false") && says("\"role\":\"user\"") && says("\"id\":1,"));
  assert_true(says("\"can_manage_ollama\":false"));
}

TEST(passwords_are_for_those_who_sign_in) {
  static const char body[] = "{\"password\":\"long enough\"}";
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), OK);
  assert_true(says("\"has_password\":false"));
  assert_int_equal(RUN(password_set, "ann", "", body), ERR_CONFLICT);
  assert_int_equal(RUN(password_set, "ann", "", "{\"password\":\"short\"}"), ERR_BAD_VALUE);
  assert_int_equal(RUN(update, "ann", "", "{\"role\":\"viewer\"}"), OK);
  assert_int_equal(RUN(password_set, "ann", "", body), OK);
  assert_int_equal(RUN(update, "ann", "", "{}"), OK);
  assert_true(says("\"has_password\":true") && !says("long enough"));
  assert_int_equal(RUN(password_clear, "ann", "", ""), OK);
  assert_int_equal(RUN(update, "ann", "", "{}"), OK);
  assert_true(says("\"has_password\":false"));
}

TEST(every_operation_but_create_wants_a_user_that_exists) {
  static const char *const bodies[USERS_OPERATION_COUNT] = {
      [USERS_OPERATION_token_add] = "{\"name\":\"x\"}",
      [USERS_OPERATION_models_set] = "{\"models\":[]}",
      [USERS_OPERATION_node_models_add] = "{\"node_id\":\"n\",\"model_name\":\"m\"}",
      [USERS_OPERATION_node_models_remove] = "{\"node_id\":\"n\",\"model_name\":\"m\"}",
      [USERS_OPERATION_models_of_node_set] = "{\"models\":[]}",
      [USERS_OPERATION_password_set] = "{\"password\":\"long enough\"}",
  };
  for (int i = 0; i < USERS_OPERATION_COUNT; i++) {
    if (i == USERS_OPERATION_create) continue;
    enum err e = run((enum users_operation)i, "nobody", "item", bodies[i] ? bodies[i] : "");
    if (e != ERR_NOT_FOUND) fail_msg("%s: %s", users_operation((enum users_operation)i)->action, err_code(e));
  }
}

TEST(a_change_of_what_was_changed_meanwhile_is_refused) {
  char first[ENTITY_TAG_BYTES];
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), OK);
  memcpy(first, last.tag, sizeof first);
  assert_int_equal(strlen(first), ENTITY_TAG_BYTES - 1);
  assert_int_equal(RUN(models_all, "ann", "", ""), OK);
  assert_string_not_equal(last.tag, first);
  change_rig_if_match = first;
  assert_int_equal(RUN(update, "ann", "", "{\"role\":\"admin\"}"), ERR_PRECONDITION);
  change_rig_if_match = "*";
  assert_int_equal(RUN(create, "", "", "{\"username\":\"bob\"}"), ERR_PRECONDITION); /* there is none to match */
  char list[2 * ENTITY_TAG_BYTES + 8];
  snprintf(list, sizeof list, "%s, W/%s", first, last.tag);
  change_rig_if_match = list;
  assert_int_equal(RUN(update, "ann", "", "{\"role\":\"admin\"}"), ERR_PRECONDITION); /* the tag is "" by now */
  change_rig_if_match = "";
  assert_int_equal(RUN(update, "ann", "", "{}"), OK);
  snprintf(list, sizeof list, "%s, W/%s", first, last.tag);
  change_rig_if_match = list;
  assert_int_equal(RUN(update, "ann", "", "{\"role\":\"viewer\"}"), OK);
  change_rig_if_match = "";
  assert_true(says("\"role\":\"viewer\""));
  assert_int_equal(RUN(delete, "ann", "", ""), OK);
  assert_string_equal(last.tag, "");
}

struct seen {
  unsigned n;
  char text[8192];
};

static enum err see(void *arg, const struct audit_row *row) {
  struct seen *s = arg;
  size_t at = strlen(s->text);
  assert_str(row->actor, STR("admin"));
  assert_str(row->address, STR("192.0.2.1"));
  assert_true(row->id > 0 && row->at_us > 0);
  snprintf(s->text + at, sizeof s->text - at, "%.*s %.*s %.*s|%.*s|%.*s\n", STR_ARG(row->action),
           STR_ARG(row->entity_type), STR_ARG(row->entity_id), STR_ARG(row->before), STR_ARG(row->after));
  s->n++;
  return OK;
}

static unsigned audit(struct seen *s, struct audit_filter filter) {
  int64_t total = -1;
  if (!filter.limit) filter.limit = 100;
  *s = (struct seen){0};
  assert_int_equal(store_audit_list(rig.db, &filter, see, s, NULL), OK);
  assert_int_equal(store_audit_count(rig.db, &filter, &total, NULL), OK);
  return (unsigned)total;
}

TEST(each_change_has_one_row_and_a_refused_one_none) {
  struct seen s;
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\",\"models\":[\"a\"]}"), OK);
  struct str text = token();
  assert_int_equal(RUN(create, "", "", "{\"username\":\"ann\"}"), ERR_CONFLICT);
  assert_int_equal(RUN(models_remove, "ann", "nothing", ""), ERR_NOT_FOUND);
  assert_int_equal(RUN(models_set, "ann", "", "{\"models\":[\"b\",\"c\",\"d\"]}"), OK);
  assert_int_equal(RUN(create, "", "", "{\"username\":\"bob\"}"), OK);
  assert_int_equal(RUN(delete, "ann", "", ""), OK);
  assert_int_equal(audit(&s, (struct audit_filter){0}), 4);
  assert_int_equal(s.n, 4);
  /* Newest first; a token is in none of it. */
  assert_true(!strncmp(s.text, "delete user ann|{", 17));
  assert_non_null(strstr(s.text, "create user bob||{"));
  assert_null(strstr(s.text, "\"token\":"));
  char signature[64];
  snprintf(signature, sizeof signature, "%.*s", (int)(text.n - (str_rfind_char(text, '.') + 1)),
           text.p + str_rfind_char(text, '.') + 1);
  assert_null(strstr(s.text, signature));
  char *changed = strstr(s.text, "models_set user ann|");
  assert_non_null(changed);
  assert_non_null(strstr(changed, "\"models\":[\"a\"]"));
  assert_non_null(strstr(changed, "\"models\":[\"b\",\"c\",\"d\"]"));
  /* Filters combine, and the total is theirs. */
  assert_int_equal(audit(&s, (struct audit_filter){.entity_id = STR("ann"), .action = STR("create")}), 1);
  assert_int_equal(s.n, 1);
  assert_int_equal(audit(&s, (struct audit_filter){.entity_id = STR("ann"), .limit = 2, .offset = 1}), 3);
  assert_int_equal(s.n, 2);
  assert_true(!strncmp(s.text, "models_set", 10));
  assert_int_equal(audit(&s, (struct audit_filter){.actor = STR("nobody")}), 0);
  assert_int_equal(audit(&s, (struct audit_filter){.entity_type = STR("user' OR '1'='1")}), 0);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, change_rig_make, change_rig_clear)
  const struct CMUnitTest tests[] = {
      T(a_user_is_made_with_a_token_that_is_seen_once),
      T(half_of_a_change_is_none),
      T(tokens_come_and_go),
      T(lists_are_replaced_grown_and_emptied),
      T(a_user_is_switched_off_and_on_and_deleted),
      T(a_change_of_what_was_changed_meanwhile_is_refused),
      T(each_change_has_one_row_and_a_refused_one_none),
      T(passwords_are_for_those_who_sign_in),
      T(every_operation_but_create_wants_a_user_that_exists),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
