/* The resolver: what needs no DNS, cache, single flight, hanging names, policy on answers. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "in_fiber.h"

#include "io/pool.h"
#include "io/resolver.h"
#include "io/worker.h"

/* --- an injected getaddrinfo: the name says what happens --- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool is_gate_open;
static atomic_uint lookups, hanging;

static void set_gate(bool is_open) {
  pthread_mutex_lock(&gate_lock);
  is_gate_open = is_open;
  pthread_cond_broadcast(&gate_changed);
  pthread_mutex_unlock(&gate_lock);
}

static void add4(struct resolver_result *out, const char *text) {
  struct sockaddr_in in = {.sin_family = AF_INET};
  inet_pton(AF_INET, text, &in.sin_addr);
  memcpy(&out->address[out->count++], &in, sizeof in);
}

static int fake_lookup(const char *host, struct resolver_result *out) {
  struct str name = str_from_c(host);
  atomic_fetch_add(&lookups, 1);
  if (str_has_prefix(name, STR("hang"))) {
    atomic_fetch_add(&hanging, 1);
    pthread_mutex_lock(&gate_lock);
    while (!is_gate_open) pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
    atomic_fetch_sub(&hanging, 1);
  }
  if (str_has_prefix(name, STR("missing"))) return EAI_NONAME;
  if (str_has_prefix(name, STR("empty"))) return 0;
  if (str_has_prefix(name, STR("private"))) {
    add4(out, "10.0.0.7");
  } else if (str_has_prefix(name, STR("metadata"))) {
    add4(out, "169.254.169.254");
  } else if (str_has_prefix(name, STR("mixed"))) {
    add4(out, "169.254.169.254");
    add4(out, "10.0.0.7");
    add4(out, "192.0.2.9");
  } else {
    add4(out, "192.0.2.1");
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
    memcpy(&out->address[out->count++], &in6, sizeof in6);
  }
  return 0;
}

static int start_test(void **state) {
  (void)state;
  clock_inject(NULL, NULL);
  resolver_inject(fake_lookup);
  lookups = 0;
  set_gate(false);
  return 0;
}

static bool is_address(const struct resolver_result *r, unsigned i, const char *text, uint16_t port) {
  char got[64] = "";
  uint16_t got_port = 0;
  if (i >= r->count) return false;
  if (r->address[i].ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)&r->address[i];
    inet_ntop(AF_INET, &in->sin_addr, got, sizeof got);
    got_port = ntohs(in->sin_port);
  } else {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&r->address[i];
    inet_ntop(AF_INET6, &in6->sin6_addr, got, sizeof got);
    got_port = ntohs(in6->sin6_port);
  }
  return strcmp(got, text) == 0 && got_port == port;
}

static enum err ask(const char *host, bool allow_private, struct resolver_result *out) {
  return resolver_lookup(str_from_c(host), 443, allow_private, clock_deadline_ms(20000), out, NULL);
}

/* --- tests --- */

static void ask_numbers(void *arg) {
  (void)arg;
  struct resolver_result r;
  CHECK(ask("192.0.2.33", false, &r) == OK && r.count == 1 && is_address(&r, 0, "192.0.2.33", 443));
  CHECK(ask("2001:db8::5", false, &r) == OK && r.count == 1 && is_address(&r, 0, "2001:db8::5", 443));
  CHECK(ask("127.0.0.1", true, &r) == OK && is_address(&r, 0, "127.0.0.1", 443));
  CHECK(ask("127.0.0.1", false, &r) == ERR_ADDRESS_FORBIDDEN);
  CHECK(ask("169.254.169.254", true, &r) == ERR_ADDRESS_FORBIDDEN);
  CHECK(ask("::ffff:169.254.169.254", true, &r) == ERR_ADDRESS_FORBIDDEN);
  CHECK(lookups == 0);
}

TEST(numeric_hosts_need_no_look_up) { in_fiber(ask_numbers); }

static void ask_localhost(void *arg) {
  (void)arg;
  static const char *const names[] = {"localhost", "LocalHost", "localhost.", "api.localhost"};
  struct resolver_result r;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    CHECK(ask(names[i], true, &r) == OK && r.count == 2);
    CHECK(is_address(&r, 0, "127.0.0.1", 443) && is_address(&r, 1, "::1", 443));
    CHECK(ask(names[i], false, &r) == ERR_ADDRESS_FORBIDDEN);
  }
  CHECK(lookups == 0);
  CHECK(ask("notlocalhost", false, &r) == OK && lookups == 1);
}

TEST(localhost_needs_no_look_up) { in_fiber(ask_localhost); }

static void ask_nonsense(void *arg) {
  (void)arg;
  struct resolver_result r = {.count = 77};
  char long_name[300];
  memset(long_name, 'a', sizeof long_name);
  struct err_info info = {0};
  CHECK(resolver_lookup(STR(""), 1, true, DEADLINE_NONE, &r, &info) == ERR_RESOLVE_FAILED && info.text[0]);
  CHECK(resolver_lookup(str_from(long_name, 254), 1, true, DEADLINE_NONE, &r, NULL) == ERR_RESOLVE_FAILED);
  CHECK(resolver_lookup(STR("a\0b"), 1, true, DEADLINE_NONE, &r, NULL) == ERR_RESOLVE_FAILED);
  CHECK(ask("a b", true, &r) == ERR_RESOLVE_FAILED);
  CHECK(ask("fe80::1%eth0", true, &r) == ERR_RESOLVE_FAILED);
  CHECK(ask("ex\xc3\xa4mple", true, &r) == ERR_RESOLVE_FAILED);
  CHECK(ask("a/b", true, &r) == ERR_RESOLVE_FAILED);
  CHECK(lookups == 0 && r.count == 77); /* untouched */
  CHECK(resolver_lookup(str_from(long_name, 253), 1, true, DEADLINE_NONE, &r, NULL) == OK);
}

TEST(what_is_no_host_name_is_refused) { in_fiber(ask_nonsense); }

static void ask_twice(void *arg) {
  (void)arg;
  struct resolver_result r;
  CHECK(ask("cached.example", false, &r) == OK && r.count == 2);
  CHECK(is_address(&r, 0, "192.0.2.1", 443) && is_address(&r, 1, "2001:db8::1", 443));
  CHECK(resolver_lookup(STR("CACHED.example"), 8080, false, DEADLINE_NONE, &r, NULL) == OK);
  CHECK(is_address(&r, 0, "192.0.2.1", 8080) && is_address(&r, 1, "2001:db8::1", 8080));
  CHECK(lookups == 1);
}

TEST(answers_are_cached_and_get_each_callers_port) { in_fiber(ask_twice); }

static atomic_uint_fast64_t fake_now_us;
static uint64_t fake_clock(void) { return fake_now_us; }
static void expire(void *arg) {
  (void)arg;
  struct resolver_result r;
  CHECK(ask("good.example", false, &r) == OK && ask("missing.example", false, &r) == ERR_RESOLVE_FAILED);
  CHECK(lookups == 2);
  fake_now_us += 4900000;
  CHECK(fiber_yield() == OK); /* a new turn sees it */
  CHECK(ask("good.example", false, &r) == OK && ask("missing.example", false, &r) == ERR_RESOLVE_FAILED);
  CHECK(lookups == 2);
  fake_now_us += 200000; /* 5.1 s: the failure is forgotten */
  CHECK(fiber_yield() == OK);
  CHECK(ask("good.example", false, &r) == OK && ask("missing.example", false, &r) == ERR_RESOLVE_FAILED);
  CHECK(lookups == 3);
  fake_now_us += 55 * 1000000ull; /* 60.1 s: the success as well */
  CHECK(fiber_yield() == OK);
  CHECK(ask("good.example", false, &r) == OK);
  CHECK(lookups == 4);
}
TEST(answers_expire_and_failures_sooner) {
  fake_now_us = 1000000;
  clock_inject(fake_clock, NULL);
  in_fiber(expire);
}

static void ask_failing(void *arg) {
  (void)arg;
  struct resolver_result r = {.count = 77};
  struct err_info info = {0};
  CHECK(resolver_lookup(STR("missing.example"), 1, true, DEADLINE_NONE, &r, &info) == ERR_RESOLVE_FAILED);
  CHECK(info.text[0] && !strstr(info.text, "missing.example"));
  CHECK(ask("empty.example", true, &r) == ERR_RESOLVE_FAILED);
  CHECK(r.count == 77);
}

TEST(failures_are_told_without_the_name) { in_fiber(ask_failing); }

static void ask_forbidden(void *arg) {
  (void)arg;
  struct resolver_result r = {.count = 77};
  CHECK(ask("private.example", false, &r) == ERR_ADDRESS_FORBIDDEN && r.count == 77);
  CHECK(ask("private.example", true, &r) == OK && r.count == 1 && is_address(&r, 0, "10.0.0.7", 443));
  CHECK(lookups == 1); /* the policy is applied to what is cached */
  CHECK(ask("metadata.example", true, &r) == ERR_ADDRESS_FORBIDDEN);
  CHECK(ask("mixed.example", false, &r) == OK && r.count == 1 && is_address(&r, 0, "192.0.2.9", 443));
  CHECK(ask("mixed.example", true, &r) == OK && r.count == 2 && is_address(&r, 0, "10.0.0.7", 443));
}

TEST(the_policy_holds_for_every_answer) { in_fiber(ask_forbidden); }

static unsigned answered, gone;
static void ask_hanging(void *arg) {
  struct resolver_result r;
  enum err e = ask(arg, false, &r);
  if (e == OK) answered++;
  if (e == ERR_CANCELLED) gone++;
}
static struct fiber_id hanging_id[20];
static void share_a_flight(void *arg) {
  (void)arg;
  struct resolver_result r;
  uint64_t give_up = clock_deadline_ms(10000);
  CHECK(ask("known.example", false, &r) == OK);
  for (int i = 0; i < 20; i++) CHECK(fiber_spawn(&hanging_id[i], ask_hanging, "hang.example") == OK);
  while (hanging == 0 && clock_mono_us() < give_up) pause_ms(1);
  CHECK(lookups == 2); /* one flight for all */
  /* Others are not delayed: cached, numeric, or another name. */
  CHECK(ask("known.example", false, &r) == OK && ask("192.0.2.1", false, &r) == OK);
  CHECK(ask("other.example", false, &r) == OK && lookups == 3);
  /* Neither is a cancel, not even of the one who asked first; nor a deadline. */
  fiber_cancel(hanging_id[0]);
  fiber_cancel(hanging_id[7]);
  CHECK(fiber_yield() == OK);
  CHECK(gone == 2 && answered == 0);
  CHECK(resolver_lookup(STR("hang.example"), 1, false, clock_deadline_ms(3), &r, NULL) == ERR_TIMEOUT);
  CHECK(lookups == 3);
  set_gate(true);
}

TEST(one_hanging_flight_per_name_and_it_holds_up_nobody_else) {
  answered = gone = 0;
  in_fiber(share_a_flight);
  assert_int_equal(answered, 18);
  assert_int_equal(gone, 2);
}

static void abandon_flight(void *arg) {
  (void)arg;
  struct resolver_result r;
  CHECK(resolver_lookup(STR("hang2.example"), 1, false, clock_deadline_ms(5), &r, NULL) == ERR_TIMEOUT);
  CHECK(resolver_lookup(STR("hang2.example"), 1, false, clock_deadline_ms(5), &r, NULL) == ERR_TIMEOUT);
  CHECK(lookups == 1);
  set_gate(true);
  CHECK(ask("hang2.example", false, &r) == OK); /* the abandoned flight's answer serves */
  CHECK(lookups == 1);
  fiber_cancel(fiber_self());
  CHECK(ask("hang2.example", false, &r) == ERR_CANCELLED);
  CHECK(ask("192.0.2.1", false, &r) == ERR_CANCELLED); /* sticky here too */
}

TEST(an_abandoned_flight_still_lands) { in_fiber(abandon_flight); }

static unsigned busy;
static void ask_numbered(void *arg) {
  char name[32];
  struct resolver_result r;
  snprintf(name, sizeof name, "hang-%d.example", (int)(intptr_t)arg);
  enum err e = ask(name, false, &r);
  if (e == OK) answered++;
  if (e == ERR_BUSY) busy++;
}
static void leave_the_queue(void *arg) {
  (void)arg;
  struct resolver_result r;
  uint64_t give_up = clock_deadline_ms(10000);
  for (intptr_t i = 0; i < 4; i++) CHECK(fiber_spawn(NULL, ask_numbered, (void *)(1000 + i)) == OK);
  while (hanging < 4 && clock_mono_us() < give_up) pause_ms(1);
  CHECK(resolver_lookup(STR("unwanted.example"), 1, false, clock_deadline_ms(3), &r, NULL) == ERR_TIMEOUT);
  CHECK(lookups == 4);
  set_gate(true);
  while (answered < 4 && clock_mono_us() < give_up) pause_ms(1);
  CHECK(ask("wanted.example", false, &r) == OK && lookups == 5); /* the unwanted one was never looked up */
  CHECK(ask("unwanted.example", false, &r) == OK && lookups == 6);
}

TEST(a_name_nobody_waits_for_leaves_the_queue) {
  answered = 0;
  in_fiber(leave_the_queue);
}

/* More names than the lane takes: the rest is refused at once, and nothing is remembered of the refusal. */
static void overload(void *arg) {
  (void)arg;
  for (intptr_t i = 0; i < 300; i++) CHECK(fiber_spawn(NULL, ask_numbered, (void *)i) == OK);
  pause_ms(5);
  CHECK(busy == 300 - 256 - 4 && answered == 0);
  set_gate(true);
  uint64_t give_up = clock_deadline_ms(20000);
  while (answered < 260 && clock_mono_us() < give_up) pause_ms(1);
  struct resolver_result r;
  CHECK(ask("hang-299.example", false, &r) == OK);
}

TEST(too_many_names_at_once_are_refused) {
  answered = busy = 0;
  in_fiber(overload);
  assert_int_equal(answered, 260);
}

static void ask_many(void *arg) {
  (void)arg;
  struct resolver_result r;
  char name[32];
  for (int i = 0; i < 1500; i++) {
    snprintf(name, sizeof name, "n%d.example", i);
    CHECK(ask(name, false, &r) == OK);
    CHECK(ask("n0.example", false, &r) == OK); /* stays in use */
  }
  CHECK(lookups == 1500);
  CHECK(ask("n1499.example", false, &r) == OK && lookups == 1500);
  CHECK(ask("n477.example", false, &r) == OK && lookups == 1500); /* the 1024 last used are n0, n477 … n1499 */
  CHECK(ask("n476.example", false, &r) == OK && lookups == 1501);
}

TEST(the_cache_is_bounded) { in_fiber(ask_many); }

/* One flight for the fibers of several workers, some of whom leave. */
enum { WORKERS = 3, ASKERS = 8 };
static atomic_uint far_answers, far_leavers, far_others;
static void ask_from_afar(void *arg) {
  struct resolver_result r;
  uint64_t deadline = (intptr_t)arg % 2 ? clock_deadline_ms(3) : clock_deadline_ms(20000);
  enum err e = resolver_lookup(STR("hang-far.example"), 1, false, deadline, &r, NULL);
  atomic_fetch_add(e == OK ? &far_answers : e == ERR_TIMEOUT ? &far_leavers : &far_others, 1);
}
static void open_gate_later(void *arg) {
  (void)arg;
  uint64_t give_up = clock_deadline_ms(10000);
  while (far_leavers < WORKERS * ASKERS / 2 && clock_mono_us() < give_up) {
    if (fiber_sleep_until(clock_deadline_ms(1)) != OK) break;
  }
  set_gate(true);
}
static enum err start_worker(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  (void)loop, (void)arg, (void)info;
  for (intptr_t i = 0; i < ASKERS; i++) {
    if (fiber_spawn(NULL, ask_from_afar, (void *)i) != OK) return ERR_BUSY;
  }
  return index == 0 ? fiber_spawn(NULL, open_gate_later, NULL) : OK;
}

TEST(workers_share_a_flight) {
  struct worker_options options = {.count = WORKERS, .start = start_worker};
  struct workers *w = NULL;
  far_answers = far_leavers = far_others = 0;
  assert_int_equal(workers_start(&w, &options, NULL), OK);
  workers_stop(w);
  workers_join(w);
  assert_int_equal(lookups, 1);
  assert_int_equal(far_answers, WORKERS * ASKERS / 2);
  assert_int_equal(far_leavers, WORKERS * ASKERS / 2);
  assert_int_equal(far_others, 0);
}

/* Many workers, names, deadlines and cancels at once, for the sanitizers' eyes. */
static atomic_uint shaken;
static void shake(void *arg) {
  uint32_t random = (uint32_t)(uintptr_t)arg * 2654435761u + 1;
  char name[32];
  struct resolver_result r;
  for (int i = 0; i < 40; i++) {
    random = random * 1103515245u + 12345u;
    snprintf(name, sizeof name, "s%u.example",
             random >> 20 & (random >> 18 & 1 ? 15 : 4095)); /* some shared, some evicted */
    enum err e = resolver_lookup(str_from_c(name), 1, false, loop_now_us() + (random >> 22), &r, NULL);
    if (e != OK && e != ERR_TIMEOUT && e != ERR_BUSY) return;
    atomic_fetch_add(&shaken, 1);
  }
}
static enum err start_shaking(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  (void)loop, (void)arg, (void)info;
  for (uintptr_t i = 0; i < 50; i++) {
    if (fiber_spawn(NULL, shake, (void *)(index * 100 + i)) != OK) return ERR_BUSY;
  }
  return OK;
}

TEST(any_mix_of_workers_and_deadlines_comes_to_an_end) {
  struct worker_options options = {.count = WORKERS, .start = start_shaking};
  struct workers *w = NULL;
  shaken = 0;
  assert_int_equal(workers_start(&w, &options, NULL), OK);
  workers_stop(w);
  workers_join(w);
  assert_int_equal(shaken, WORKERS * 50 * 40);
}

static void ask_the_system(void *arg) {
  (void)arg;
  struct resolver_result r;
  resolver_inject(NULL);
  CHECK(ask("127.1", true, &r) == OK && is_address(&r, 0, "127.0.0.1", 443)); /* inet_aton's spelling, no DNS */
  CHECK(ask("127.1", false, &r) == ERR_ADDRESS_FORBIDDEN);
}

TEST(the_systems_resolver_is_behind_it) { in_fiber(ask_the_system); }

#define RESOLVER_TEST(name) cmocka_unit_test_setup(name, start_test)

int main(void) {
  pool_init();
  const struct CMUnitTest tests[] = {
      RESOLVER_TEST(numeric_hosts_need_no_look_up),
      RESOLVER_TEST(localhost_needs_no_look_up),
      RESOLVER_TEST(what_is_no_host_name_is_refused),
      RESOLVER_TEST(answers_are_cached_and_get_each_callers_port),
      RESOLVER_TEST(answers_expire_and_failures_sooner),
      RESOLVER_TEST(failures_are_told_without_the_name),
      RESOLVER_TEST(the_policy_holds_for_every_answer),
      RESOLVER_TEST(one_hanging_flight_per_name_and_it_holds_up_nobody_else),
      RESOLVER_TEST(an_abandoned_flight_still_lands),
      RESOLVER_TEST(a_name_nobody_waits_for_leaves_the_queue),
      RESOLVER_TEST(too_many_names_at_once_are_refused),
      RESOLVER_TEST(the_cache_is_bounded),
      RESOLVER_TEST(workers_share_a_flight),
      RESOLVER_TEST(any_mix_of_workers_and_deadlines_comes_to_an_end),
      RESOLVER_TEST(the_systems_resolver_is_behind_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
