/* Allowlists as a table: a user's lists as text, a candidate, what must come out. */
#include "policy/access.h"

#include "base/arena.h"
#include "unit.h"

#define ALL "*all"

/* "a,b" to a list. */
static size_t split(struct arena *a, const char *text, struct str **out) {
  struct str rest = str_from_c(text), one;
  size_t n = 0;
  *out = ARENA_NEW_ARRAY(a, struct str, 16);
  while (rest.n) {
    str_cut(rest, ',', &one, &rest);
    (*out)[n++] = one;
  }
  return n;
}

TEST(each_list_says_its_part) {
  static const struct {
    const char *models, *nodes, *node_models; /* "node=pattern" */
    const char *asked, *provider, *model;
    enum access expected;
  } rows[] = {
      /* no rows of models: nothing; all: everything */
      {"", "", "", "gpt", "openai", "gpt", ACCESS_NO_MODEL},
      {ALL, "", "", "gpt", "openai", "gpt", ACCESS_GRANTED},
      /* the name asked for, or the candidate's own */
      {"gpt", "", "", "gpt", "openai", "gpt", ACCESS_GRANTED},
      {"gpt", "", "", "openai/gpt", "openai", "gpt", ACCESS_GRANTED},
      {"gpt", "", "", "gpt-5", "openai", "gpt-5", ACCESS_NO_MODEL},
      {"gpt-5", "", "", "gpt", "openai", "gpt", ACCESS_NO_MODEL},
      {"openai/gpt", "", "", "gpt", "openai", "gpt", ACCESS_GRANTED},
      {"openai/gpt", "", "", "gpt", "azure", "gpt", ACCESS_NO_MODEL},
      {"GPT", "", "", "gpt", "openai", "gpt", ACCESS_NO_MODEL},
      {"a,b,gpt", "", "", "gpt", "openai", "gpt", ACCESS_GRANTED},
      /* patterns */
      {"gpt-*", "", "", "gpt-5", "openai", "gpt-5", ACCESS_GRANTED},
      {"gpt-?", "", "", "gpt-55", "openai", "gpt-55", ACCESS_NO_MODEL},
      {"openai/*", "", "", "o3", "openai", "o3", ACCESS_GRANTED},
      {"openai/*", "", "", "o3", "openai2", "o3", ACCESS_NO_MODEL},
      {"*", "", "", "x", "y", "x", ACCESS_GRANTED},
      {"*:free", "", "", "org/m:free", "openrouter", "org/m:free", ACCESS_GRANTED},
      /* a listed name grants what it stands for; a list of models lets it choose among those */
      {"maestro-auto", "", "", "maestro-auto", "openai", "gpt", ACCESS_GRANTED},
      {"gpt", "", "", "maestro-auto", "openai", "gpt", ACCESS_GRANTED},
      {"gpt", "", "", "maestro-auto", "openai", "o3", ACCESS_NO_MODEL},
      /* a list of models is asked without a name */
      {"maestro-auto", "", "", "", "openai", "gpt", ACCESS_NO_MODEL},
      {"*", "", "", "", "openai", "gpt", ACCESS_GRANTED},
      /* nodes: no rows, every one */
      {ALL, "gpu", "", "llama", "gpu", "llama", ACCESS_GRANTED},
      {ALL, "gpu", "", "llama", "cpu", "llama", ACCESS_NO_NODE},
      {ALL, "gpu*", "", "llama", "gpu2", "llama", ACCESS_GRANTED},
      {"maestro-auto", "gpu", "", "maestro-auto", "cpu", "llama", ACCESS_NO_NODE},
      {"gpt", "gpu", "", "llama", "cpu", "llama", ACCESS_NO_MODEL}, /* models come first */
      /* models of a node: restrict that node alone */
      {ALL, "", "gpu=llama", "llama", "gpu", "llama", ACCESS_GRANTED},
      {ALL, "", "gpu=llama", "phi", "gpu", "phi", ACCESS_NO_NODE_MODEL},
      {ALL, "", "gpu=llama", "phi", "cpu", "phi", ACCESS_GRANTED},
      {ALL, "", "gpu=llama,gpu=phi*", "phi3", "gpu", "phi3", ACCESS_GRANTED},
      {ALL, "", "g*=llama", "phi", "gpu", "phi", ACCESS_NO_NODE_MODEL},
      {"maestro-auto", "", "gpu=llama", "maestro-auto", "gpu", "phi", ACCESS_NO_NODE_MODEL},
      {ALL, "cpu", "gpu=llama", "llama", "gpu", "llama", ACCESS_NO_NODE},
      {"llama", "gpu", "gpu=llama", "llama", "gpu", "llama", ACCESS_GRANTED},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    struct str *pairs;
    arena_init(&a, 0);
    struct user u = {.has_all_models = !strcmp(rows[i].models, ALL)};
    if (!u.has_all_models) u.model_count = split(&a, rows[i].models, &u.models);
    u.node_count = split(&a, rows[i].nodes, &u.nodes);
    u.node_model_count = split(&a, rows[i].node_models, &pairs);
    u.node_models = ARENA_NEW_ARRAY(&a, struct user_node_model, 16);
    for (size_t k = 0; k < u.node_model_count; k++)
      str_cut(pairs[k], '=', &u.node_models[k].node, &u.node_models[k].pattern);
    const struct access_target target = {
        .asked = str_from_c(rows[i].asked),
        .provider = str_from_c(rows[i].provider),
        .model = str_from_c(rows[i].model),
        .qualified = arena_printf(&a, "%s/%s", rows[i].provider, rows[i].model),
    };
    enum access got = access_judge(&u, NULL, &target);
    if (got != rows[i].expected) fail_msg("row %zu: %d, not %d", i, got, rows[i].expected);
    arena_clear(&a);
  }
}

TEST(a_teams_lists_come_on_top) {
  static const struct {
    const char *models, *nodes; /* of the team; the user may use everything at "gpu" */
    const char *asked, *provider, *model;
    enum access expected;
  } rows[] = {
      {"", "", "llama", "gpu", "llama", ACCESS_GRANTED}, /* empty lists restrict nothing */
      {"llama", "", "llama", "gpu", "llama", ACCESS_GRANTED},
      {"llama", "", "phi", "gpu", "phi", ACCESS_TEAM_NO_MODEL},
      {"gpu/*", "", "phi", "gpu", "phi", ACCESS_GRANTED},
      {"auto", "", "auto", "gpu", "phi", ACCESS_GRANTED},
      {"", "cpu", "llama", "gpu", "llama", ACCESS_TEAM_NO_NODE},
      {"", "g*", "llama", "gpu", "llama", ACCESS_GRANTED},
      {"llama", "cpu", "phi", "cpu", "phi", ACCESS_NO_NODE}, /* the user's own come first */
      {"phi", "cpu", "llama", "gpu", "llama", ACCESS_TEAM_NO_MODEL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    struct str node = STR("gpu");
    arena_init(&a, 0);
    const struct user u = {.has_all_models = true, .nodes = &node, .node_count = 1};
    struct team t = {0};
    t.model_count = split(&a, rows[i].models, &t.models);
    t.node_count = split(&a, rows[i].nodes, &t.nodes);
    const struct access_target target = {str_from_c(rows[i].asked), str_from_c(rows[i].provider),
                                         str_from_c(rows[i].model),
                                         arena_printf(&a, "%s/%s", rows[i].provider, rows[i].model)};
    enum access got = access_judge(&u, &t, &target);
    if (got != rows[i].expected) fail_msg("row %zu: %d, not %d", i, got, rows[i].expected);
    arena_clear(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_list_says_its_part),
                                     cmocka_unit_test(a_teams_lists_come_on_top)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
