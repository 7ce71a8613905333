/* Snapshots: what is shared, what is freed and when, and readers on threads while another publishes. */
#include "state/snapshot.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

struct thing {
  uint32_t value, of_first;
};

static atomic_int live, builds;
static bool fail_second;

static enum err make(uint32_t value, uint32_t of_first, const void *old, void **out) {
  const struct thing *before = old;
  atomic_fetch_add(&builds, 1);
  if (before && before->value == value && before->of_first == of_first) {
    *out = (void *)(uintptr_t)old;
    return OK;
  }
  struct thing *t = malloc(sizeof *t);
  if (!t) return ERR_NO_MEMORY;
  *t = (struct thing){value, of_first};
  atomic_fetch_add(&live, 1);
  *out = t;
  return OK;
}
static void drop(void *t) {
  atomic_fetch_sub(&live, 1);
  free(t);
}
static enum err build_first(const struct config *c, const struct snapshot *made, const void *old, void **out,
                            struct config_diags *diags) {
  (void)diags;
  assert_null(snapshot_get(made, 0));
  return make(c->options.server_drain_ms, 0, old, out);
}
static enum err build_second(const struct config *c, const struct snapshot *made, const void *old, void **out,
                             struct config_diags *diags) {
  if (fail_second) {
    config_diags_add(diags, CONFIG_ERROR, (struct config_place){STR("x"), 0}, STR_NONE, NULL, "no");
    return ERR_BAD_CONFIG;
  }
  const struct thing *first = snapshot_get(made, 0); /* of the snapshot being made, not of the old one */
  return make(c->options.stream_head_after_ms, first->value, old, out);
}
static enum err build_nothing(const struct config *c, const struct snapshot *made, const void *old, void **out,
                              struct config_diags *diags) {
  (void)c, (void)made, (void)old, (void)out, (void)diags;
  return OK;
}

static const struct snapshot_section rows[] = {
    {"first", build_first, drop}, {"second", build_second, drop}, {"nothing", build_nothing, drop}};
static const struct snapshot_table table = {rows, 3};

static struct config *config_with(const char *drain, const char *head) {
  struct config *c = NULL;
  struct config_flag flags[] = {{STR("server.drainMs"), str_from_c(drain)},
                                {STR("stream.headAfterMs"), str_from_c(head)}};
  struct config_sources s = {.flags = flags, .flag_count = 2};
  assert_int_equal(config_load(&s, &c, NULL), OK);
  return c;
}

static struct snapshot *build(const char *drain, const char *head, const struct snapshot *old) {
  struct snapshot *s = NULL;
  struct config *c = config_with(drain, head);
  assert_int_equal(snapshot_build(&table, c, old, &s, NULL, NULL), OK);
  config_unref(c); /* the snapshot has its own reference */
  return s;
}

static uint32_t value(const struct snapshot *s, size_t row) {
  return ((const struct thing *)snapshot_get(s, row))->value;
}

TEST(unchanged_sections_are_shared) {
  struct snapshot *a = build("1", "1", NULL);
  assert_int_equal(atomic_load(&live), 2);
  struct snapshot *b = build("1", "2", a);
  assert_int_equal(atomic_load(&live), 3);
  assert_ptr_equal(snapshot_get(a, 0), snapshot_get(b, 0));
  assert_ptr_not_equal(snapshot_get(a, 1), snapshot_get(b, 1));
  assert_null(snapshot_get(b, 2));
  assert_null(snapshot_get(b, 3));
  assert_int_equal(snapshot_epoch(b), snapshot_epoch(a) + 1);
  assert_int_equal(snapshot_config(b)->options.stream_head_after_ms, 2);
  snapshot_unref(a); /* the shared section lives on */
  assert_int_equal(atomic_load(&live), 2);
  assert_int_equal(value(b, 0), 1);
  struct snapshot *c = build("5", "2", b); /* a changed first section is seen by the second */
  assert_int_equal(((const struct thing *)snapshot_get(c, 1))->of_first, 5);
  snapshot_unref(b);
  snapshot_unref(c);
  assert_int_equal(atomic_load(&live), 0);
  snapshot_unref(NULL);
  assert_null(snapshot_ref(NULL));
}

TEST(a_failed_build_leaves_everything) {
  struct snapshot *a = build("1", "1", NULL), *b = NULL;
  struct config *c = config_with("2", "2");
  struct config_diags diags;
  struct err_info info = {0};
  config_diags_init(&diags);
  fail_second = true;
  assert_int_equal(snapshot_build(&table, c, a, &b, &diags, &info), ERR_BAD_CONFIG);
  fail_second = false;
  assert_null(b);
  assert_int_equal(diags.errors, 1);
  assert_string_equal(info.text, "section \"second\" could not be built");
  assert_int_equal(atomic_load(&live), 2);
  static const struct snapshot_table other = {rows, 1};
  assert_int_equal(snapshot_build(&other, c, a, &b, &diags, &info), ERR_INTERNAL);
  config_diags_clear(&diags);
  config_unref(c);
  snapshot_unref(a);
  assert_int_equal(atomic_load(&live), 0);
}

TEST(a_worker_keeps_what_it_adopted) {
  assert_null(snapshot_current());
  assert_null(snapshot_newest());
  snapshot_adopt(); /* before the first publish */
  assert_null(snapshot_current());
  snapshot_publish(build("1", "1", NULL));
  assert_null(snapshot_current());
  snapshot_adopt();
  const struct snapshot *first = snapshot_current();
  assert_int_equal(value(first, 0), 1);
  const struct snapshot *kept = snapshot_ref(first); /* an exchange */
  snapshot_publish(build("2", "2", NULL));
  assert_ptr_equal(snapshot_current(), first);
  snapshot_adopt();
  assert_int_equal(value(snapshot_current(), 0), 2);
  assert_int_equal(value(kept, 0), 1);
  struct snapshot *newest = snapshot_newest();
  assert_ptr_equal(newest, snapshot_current());
  snapshot_unref(newest);
  snapshot_unref(kept);
  snapshot_leave();
  assert_null(snapshot_current());
  assert_int_equal(atomic_load(&live), 2); /* the newest */
  snapshot_unpublish();
  assert_int_equal(atomic_load(&live), 0);
}

static atomic_bool stop;
static atomic_int ready;

static void *reader(void *arg) {
  uint64_t seen = 0, last = 0;
  (void)arg;
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&stop)) {
    snapshot_adopt();
    const struct snapshot *kept = snapshot_ref(snapshot_current());
    snapshot_adopt(); /* maybe another one meanwhile */
    if (snapshot_epoch(kept) < last || value(kept, 0) != value(kept, 1)) abort();
    last = snapshot_epoch(kept);
    snapshot_unref(kept);
    seen++;
  }
  snapshot_leave();
  return (void *)(uintptr_t)(seen > 0);
}

TEST(readers_and_a_publisher) {
  pthread_t threads[4];
  snapshot_publish(build("0", "0", NULL));
  for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, reader, NULL), 0);
  while (atomic_load(&ready) < 4) sched_yield();
  for (unsigned i = 1; i <= 200; i++) {
    char text[16];
    snprintf(text, sizeof text, "%u", i / 2); /* every second one is the same as before: shared */
    struct snapshot *old = snapshot_newest();
    struct snapshot *s = build(text, text, old);
    snapshot_unref(old);
    snapshot_publish(s);
  }
  atomic_store(&stop, true);
  for (size_t i = 0; i < 4; i++) {
    void *ok;
    pthread_join(threads[i], &ok);
    assert_non_null(ok);
  }
  struct snapshot *last = snapshot_newest();
  assert_int_equal(value(last, 0), 100);
  snapshot_unref(last);
  snapshot_unpublish();
  assert_int_equal(atomic_load(&live), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unchanged_sections_are_shared),
      cmocka_unit_test(a_failed_build_leaves_everything),
      cmocka_unit_test(a_worker_keeps_what_it_adopted),
      cmocka_unit_test(readers_and_a_publisher),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
