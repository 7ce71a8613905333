/* A catalog made from a configuration's text, as the snapshot would make it. Included by the tests of route/. */
#ifndef MAESTRO_TESTS_ROUTE_RIG_H
#define MAESTRO_TESTS_ROUTE_RIG_H

#include "route/catalog.h"
#include "route/discovered.h"
#include "route/route_names.h"

#include "../state/fake.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

static struct {
  struct fake fake;
  struct catalog *catalog;
  struct route_names *names;
  struct arena arena;
  enum err e;
  char *report; /* of the build */
} rig;

/* maestro.json; an empty environment unless the test fills rig.fake.env before. */
static void rig_build(const char *json) {
  rig.fake.files[0] = (struct fake_entry){"/c/maestro/maestro.json", json};
  rig.fake.vocabulary = catalog_vocabulary();
  fake_load(&rig.fake);
  assert_int_equal(rig.fake.diags.errors, 0);
  void *section = NULL;
  struct config_diags diags;
  struct buf report;
  config_diags_init(&diags);
  buf_init(&report, 0);
  rig.e = catalog_section.build(rig.fake.config, NULL, NULL, &section, &diags);
  config_diags_write(&diags, &report);
  buf_put_char(&report, '\0');
  config_diags_clear(&diags);
  rig.report = report.p;
  rig.catalog = section;
  assert_true((rig.e == OK) == (section != NULL));
  arena_init(&rig.arena, 0);
}

static void rig_clear(void) {
  catalog_section.free(rig.catalog);
  fake_clear(&rig.fake);
  free(rig.report);
  arena_clear(&rig.arena);
  memset(&rig, 0, sizeof rig);
}

/* The names of deployments, joined by spaces. */
static void expect_names(const struct deployment *const *v, size_t n, const char *expected) {
  struct buf b;
  buf_init(&b, 0);
  for (size_t i = 0; i < n; i++) {
    if (i) buf_put_char(&b, ' ');
    buf_put(&b, v[i]->qualified);
  }
  if (!str_eq(buf_str(&b), str_from_c(expected))) print_error("%.*s\n", STR_ARG(buf_str(&b)));
  assert_str(buf_str(&b), str_from_c(expected));
  buf_clear(&b);
}

/* A list as discovery would leave it. */
static void listed(const char *provider, const char *names) {
  struct str ids[8], rest = str_from_c(names);
  size_t n = 0;
  bool changed;
  for (bool more = rest.n > 0; more;) more = str_cut(rest, ' ', &ids[n++], &rest);
  assert_true(discovered_put(str_from_c(provider), ids, n, &changed));
}

static const struct deployment *deployment(const char *qualified) {
  return map_get(&rig.catalog->by_qualified, str_from_c(qualified));
}

#define PROVIDER(id, members, models)                                                                         \
  "\"" id "\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:9/v1\",\"apiKey\":\"k\"" members \
  ",\"models\":{" models "}}"
#define NO_KEY(id, models)                                                                              \
  "\"" id                                                                                               \
  "\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:9/v1\",\"apiKeyEnv\":\"NOT_SET\"," \
  "\"models\":{" models "}}"

#endif
