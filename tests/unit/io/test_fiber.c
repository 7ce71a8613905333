/* The scheduler: lives, ids, park, wake, cancel, deadlines, shields. */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>

#include "in_child.h"
#include "in_fiber.h"

static void nothing(void *arg) { (void)arg; }

/* --- the switch --- */

static void format_doubles(void *arg) {
  char text[64];
  volatile double v = 2.5;
  snprintf(text, sizeof text, "%f %.3e %Lf", v, 1e300, (long double)0.125);
  CHECK(strcmp(text, "2.500000 1.000e+300 0.125000") == 0);
  (void)arg;
}

TEST(floating_point_formatting_works_in_a_fresh_fiber) { in_fiber(format_doubles); }

/* Without libm: 0 is to nearest, anything else is not. */
static void set_rounding(unsigned mode) {
#if defined(__x86_64__)
  unsigned csr = (__builtin_ia32_stmxcsr() & ~0x6000u) | mode << 13;
  uint16_t word;
  __builtin_ia32_ldmxcsr(csr);
  __asm__ volatile("fnstcw %0" : "=m"(word));
  word = (uint16_t)((word & ~0x0c00u) | mode << 10);
  __asm__ volatile("fldcw %0" : : "m"(word));
#elif defined(__aarch64__)
  uint64_t fpcr = (uint64_t)mode << 22;
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
#endif
}
static bool is_rounding(bool upward) {
  volatile double one = 1, tiny = 1e-30;
  volatile long double long_one = 1, long_tiny = 1e-30L;
  return (one + tiny > one) == upward && (long_one + long_tiny > long_one) == upward;
}

static void round_upward(void *arg) {
  (void)arg;
  set_rounding(2);
  CHECK(is_rounding(true));
  pause_ms(1);
  CHECK(is_rounding(true));
}
static void expect_nearest(void *arg) {
  (void)arg;
  CHECK(is_rounding(false));
  CHECK(fiber_yield() == OK);
  CHECK(is_rounding(false));
}

TEST(the_rounding_mode_belongs_to_a_fiber) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_spawn(NULL, round_upward, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, expect_nearest, NULL), OK);
  finish_loop(l);
  assert_true(is_rounding(false));
}

/* Many values that live across waits, so that every callee-saved register is in use. */
static void mix(void *arg) {
  uint64_t a = (uint64_t)(uintptr_t)arg, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13, g = a * 17;
  double x = (double)a, y = x * 0.5;
  uint64_t a0 = a, b0 = b, c0 = c, d0 = d, e0 = e, f0 = f, g0 = g;
  for (int i = 0; i < 50; i++) {
    a += b, b += c, c += d, d += e, e += f, f += g, g += a, x += y;
    CHECK(fiber_yield() == OK);
    a0 += b0, b0 += c0, c0 += d0, d0 += e0, e0 += f0, f0 += g0, g0 += a0;
    CHECK(a == a0 && b == b0 && c == c0 && d == d0 && e == e0 && f == f0 && g == g0);
  }
  CHECK(x == (double)(uintptr_t)arg * 26);
}

TEST(registers_survive_a_wait) {
  struct loop *l = open_loop(NULL);
  for (uintptr_t i = 1; i <= 20; i++) assert_int_equal(fiber_spawn(NULL, mix, (void *)i), OK);
  finish_loop(l);
}

static void set_errno(void *arg) {
  errno = (int)(intptr_t)arg;
  CHECK(fiber_yield() == OK);
  CHECK(errno == (int)(intptr_t)arg);
  pause_ms(1);
  CHECK(errno == (int)(intptr_t)arg);
}

TEST(errno_belongs_to_a_fiber) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_spawn(NULL, set_errno, (void *)(intptr_t)EPERM), OK);
  assert_int_equal(fiber_spawn(NULL, set_errno, (void *)(intptr_t)EDOM), OK);
  finish_loop(l);
}

static void unwind_here(void *arg) {
  (void)arg;
  void *frame[64];
  int n = backtrace(frame, 64);
  CHECK(n >= 2 && n < 16);
}

TEST(a_backtrace_ends_at_the_fiber) { in_fiber(unwind_here); }

/* --- lives and ids --- */

static int order[8], order_count;
static void note_order(void *arg) { order[order_count++] = (int)(intptr_t)arg; }
static void spawn_three(void *arg) {
  (void)arg;
  for (intptr_t i = 1; i <= 3; i++) CHECK(fiber_spawn(NULL, note_order, (void *)i) == OK);
  CHECK(order_count == 0);
}

TEST(spawned_fibers_run_later_and_in_order) {
  order_count = 0;
  in_fiber(spawn_three);
  assert_int_equal(order_count, 3);
  for (int i = 0; i < 3; i++) assert_int_equal(order[i], i + 1);
}

static void look_at_self(void *arg) {
  struct fiber_id id = fiber_self();
  CHECK(id.fiber != NULL && fiber_is_live(id));
  CHECK(fiber_context() == NULL);
  fiber_set_context(arg);
  CHECK(fiber_yield() == OK);
  CHECK(fiber_context() == arg);
  CHECK(fiber_self().fiber == id.fiber && fiber_self().generation == id.generation);
}

TEST(self_and_context_belong_to_a_fiber) {
  struct loop *l = open_loop(NULL);
  int one, two;
  assert_null(fiber_self().fiber);
  assert_null(fiber_context());
  assert_false(fiber_is_cancelled());
  assert_int_equal(fiber_spawn(NULL, look_at_self, &one), OK);
  assert_int_equal(fiber_spawn(NULL, look_at_self, &two), OK);
  finish_loop(l);
}

static void outlive_stale_ids(void *arg) {
  (void)arg;
  struct fiber_id dead, next;
  CHECK(fiber_spawn(&dead, nothing, NULL) == OK);
  CHECK(fiber_is_live(dead));
  CHECK(fiber_yield() == OK);
  CHECK(!fiber_is_live(dead));
  fiber_wake(dead);
  fiber_cancel(dead);
  CHECK(fiber_spawn(&dead, look_at_self, &next) == OK); /* leaves a context behind */
  for (int i = 0; i < 3; i++) CHECK(fiber_yield() == OK);
  CHECK(fiber_spawn(&next, look_at_self, NULL) == OK);
  CHECK(next.fiber == dead.fiber); /* recycled, or this test shows nothing */
  fiber_cancel(dead);
  CHECK(fiber_is_live(next));
  fiber_wake((struct fiber_id){NULL, 0});
  fiber_cancel((struct fiber_id){NULL, 0});
  CHECK(!fiber_is_live((struct fiber_id){NULL, 0}));
}

TEST(stale_ids_are_harmless) { in_fiber(outlive_stale_ids); }

static void park_for_ever(void *arg) {
  while (fiber_park(DEADLINE_NONE) == OK) continue;
  ++*(unsigned *)arg;
}

TEST(spawn_beyond_the_cap_is_refused_until_one_ends) {
  struct loop *l = open_loop(&(struct loop_options){.fibers_max = 3});
  struct fiber_id id[3];
  unsigned ended = 0;
  for (int i = 0; i < 3; i++) assert_int_equal(fiber_spawn(&id[i], park_for_ever, &ended), OK);
  assert_int_equal(fiber_spawn(NULL, nothing, NULL), ERR_BUSY);
  assert_int_equal(loop_stats(l)->fibers_refused, 1);
  assert_int_equal(loop_stats(l)->fibers_live, 3);
  loop_cancel_all(l);
  loop_stop(l);
  loop_run(l);
  assert_int_equal(ended, 3);
  loop_free(l);
}

enum { MANY = IS_SANITIZED ? 2000 : 10000 }; /* TSan knows 8128 fibers at most */

static void wait_once(void *arg) {
  CHECK(fiber_park(DEADLINE_NONE) == OK);
  ++*(unsigned *)arg;
}
static void wake_many(void *arg) {
  struct fiber_id *id = arg;
  pause_ms(5); /* all have parked */
  for (int i = 0; i < MANY; i++) fiber_wake(id[i]);
}

TEST(ten_thousand_fibers_wait_and_go_on) {
  struct loop *l = open_loop(NULL);
  static struct fiber_id id[MANY];
  unsigned ended = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < MANY; i++) assert_int_equal(fiber_spawn(&id[i], wait_once, &ended), OK);
    assert_int_equal(fiber_spawn(NULL, wake_many, id), OK);
    loop_stop(l);
    if (pass == 0) { /* the second pass lives on trimmed stacks */
      while (loop_stats(l)->fibers_live) uv_run(loop_uv(l), UV_RUN_ONCE);
    }
  }
  finish_loop(l);
  assert_int_equal(ended, 2 * MANY);
}

/* --- park and wake --- */

static struct fiber_id partner;
static unsigned resumed;
static void count_resumes(void *arg) {
  (void)arg;
  while (fiber_park(DEADLINE_NONE) == OK) resumed++;
}
static void wake_twice(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  fiber_wake(partner);
  fiber_wake(partner);
  CHECK(resumed == 0); /* never runs it at once */
  CHECK(fiber_yield() == OK);
  CHECK(fiber_yield() == OK);
  CHECK(resumed == 1);
  fiber_cancel(partner);
}

TEST(wake_is_idempotent) {
  struct loop *l = open_loop(NULL);
  resumed = 0;
  assert_int_equal(fiber_spawn(&partner, count_resumes, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, wake_twice, NULL), OK);
  finish_loop(l);
}

static void wake_self(void *arg) {
  (void)arg;
  fiber_wake(fiber_self());
  CHECK(fiber_park(clock_deadline_ms(5000)) == OK);
  CHECK(fiber_park(clock_deadline_ms(3)) == ERR_TIMEOUT); /* it was used up */
}

TEST(a_wake_before_the_park_is_not_lost) { in_fiber(wake_self); }

static void time_out(void *arg) {
  (void)arg;
  uint64_t deadline = clock_deadline_ms(15);
  CHECK(fiber_park(deadline) == ERR_TIMEOUT);
  CHECK(clock_mono_us() >= deadline);
  CHECK(fiber_park(deadline) == ERR_TIMEOUT); /* at once */
  CHECK(fiber_park(0) == ERR_TIMEOUT);
  CHECK(fiber_sleep_until(0) == OK);
}

TEST(a_wait_ends_at_its_deadline_and_not_before) { in_fiber(time_out); }

struct sleeper {
  uint64_t deadline_us;
  struct fiber_id id;
  bool is_to_be_woken;
};
static unsigned slept;
static void sleep_once(void *arg) {
  struct sleeper *s = arg;
  s->id = fiber_self();
  enum err e = fiber_park(s->deadline_us);
  if (e == ERR_TIMEOUT) CHECK(clock_mono_us() >= s->deadline_us);
  if (e == OK) CHECK(s->is_to_be_woken);
  slept++;
}
static void wake_some(void *arg) {
  struct sleeper *s = arg;
  for (int i = 0; i < 500; i++) {
    if (s[i].is_to_be_woken) fiber_wake(s[i].id);
    if (i % 50 == 0) pause_ms(1);
  }
}

TEST(many_deadlines_in_any_order_end_in_time) {
  struct loop *l = open_loop(NULL);
  static struct sleeper s[500];
  uint32_t random = 12345;
  slept = 0;
  for (int i = 0; i < 500; i++) {
    random = random * 1103515245u + 12345u;
    s[i] = (struct sleeper){.deadline_us = clock_mono_us() + 1000 + random % 60000, .is_to_be_woken = random >> 16 & 1};
    assert_int_equal(fiber_spawn(NULL, sleep_once, &s[i]), OK);
  }
  assert_int_equal(fiber_spawn(NULL, wake_some, s), OK);
  finish_loop(l);
  assert_int_equal(slept, 500);
}

static uint64_t fake_now_us;
static uint64_t fake_clock(void) { return fake_now_us; }

/* Exactly those whose time has come, in any order of deadlines, with drops and moves between. */
enum { EXACT = 300 };
struct exact {
  uint64_t deadline_us;
  struct fiber_id id;
  unsigned timeouts;
};
static void wait_exactly(void *arg) {
  struct exact *x = arg;
  for (;;) {
    enum err e = fiber_park(x->deadline_us);
    if (e == ERR_CANCELLED) return;
    if (e == OK) continue; /* its deadline was moved */
    CHECK(x->deadline_us <= fake_now_us);
    x->timeouts++;
    x->deadline_us = DEADLINE_NONE;
  }
}
static void advance(void *arg) {
  struct exact *x = arg;
  uint32_t random = 99;
  for (int step = 0; step < 200; step++) {
    for (int i = 0; i < 20; i++) {
      random = random * 1103515245u + 12345u;
      struct exact *moved = &x[(random >> 8) % EXACT];
      moved->deadline_us = random >> 28 ? fake_now_us + 1 + (random >> 16) % 3000 : DEADLINE_NONE;
      fiber_wake(moved->id);
    }
    CHECK(fiber_yield() == OK);
    fake_now_us += 50;
    CHECK(fiber_yield() == OK); /* a turn with the new time */
    CHECK(fiber_yield() == OK);
    for (int i = 0; i < EXACT; i++) CHECK(x[i].deadline_us > fake_now_us);
  }
  unsigned timeouts = 0;
  for (int i = 0; i < EXACT; i++) timeouts += x[i].timeouts;
  CHECK(timeouts > 300);
  loop_cancel_all(loop_current());
}

TEST(exactly_the_due_deadlines_end) {
  static struct exact x[EXACT];
  fake_now_us = 1000000;
  clock_inject(fake_clock, NULL);
  struct loop *l = open_loop(NULL);
  for (int i = 0; i < EXACT; i++) {
    x[i].deadline_us = fake_now_us + 1 + (uint64_t)i * 7919 % 3000;
    assert_int_equal(fiber_spawn(&x[i].id, wait_exactly, &x[i]), OK);
  }
  assert_int_equal(fiber_spawn(NULL, advance, x), OK);
  finish_loop(l);
}

static int restore_clock(void **state) {
  (void)state;
  clock_inject(NULL, NULL);
  return 0;
}

static void wake_by_timer(uv_timer_t *timer) {
  fiber_wake(partner);
  uv_close((uv_handle_t *)timer, NULL);
}
static void shorten(void *arg) {
  (void)arg;
  static uv_timer_t timer;
  partner = fiber_self();
  uv_timer_init(loop_uv(loop_current()), &timer);
  uv_timer_start(&timer, wake_by_timer, 5, 0);
  CHECK(fiber_park(clock_deadline_ms(60000)) == OK); /* the loop's timer is set for this one */
  uint64_t before = clock_mono_us();
  CHECK(fiber_park(clock_deadline_ms(5)) == ERR_TIMEOUT);
  CHECK(clock_mono_us() - before < 20000000);
}

TEST(an_earlier_deadline_moves_the_timer) { in_fiber(shorten); }

static bool is_timer_done;
static void on_timer(uv_timer_t *timer) {
  is_timer_done = true;
  uv_close((uv_handle_t *)timer, NULL);
}
static void spin(void *arg) {
  (void)arg;
  uint64_t give_up = clock_deadline_ms(10000);
  while (!is_timer_done && clock_mono_us() < give_up) CHECK(fiber_yield() == OK);
  CHECK(is_timer_done);
}

static void count_turns(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) {
    uint64_t turns = loop_stats(loop_current())->turns;
    CHECK(fiber_yield() == OK);
    CHECK(loop_stats(loop_current())->turns == turns + 1);
  }
}

TEST(a_yield_lasts_a_turn) { in_fiber(count_turns); }

TEST(a_fiber_that_only_yields_lets_the_loop_poll) {
  struct loop *l = open_loop(NULL);
  is_timer_done = false;
  uv_timer_t timer;
  uv_timer_init(loop_uv(l), &timer);
  uv_timer_start(&timer, on_timer, 5, 0);
  assert_int_equal(fiber_spawn(NULL, spin, NULL), OK);
  finish_loop(l);
}

static struct fiber_id ping_id[2];
static void ping(void *arg) {
  unsigned me = (unsigned)(uintptr_t)arg;
  uint64_t give_up = clock_deadline_ms(10000);
  while (!is_timer_done && clock_mono_us() < give_up) {
    fiber_wake(ping_id[1 - me]);
    if (fiber_park(give_up) != OK) break;
  }
  fiber_wake(ping_id[1 - me]);
  CHECK(is_timer_done);
}

TEST(fibers_that_wake_each_other_for_ever_let_the_loop_poll) {
  struct loop *l = open_loop(NULL);
  is_timer_done = false;
  uv_timer_t timer;
  uv_timer_init(loop_uv(l), &timer);
  uv_timer_start(&timer, on_timer, 5, 0);
  for (uintptr_t i = 0; i < 2; i++) assert_int_equal(fiber_spawn(&ping_id[i], ping, (void *)i), OK);
  finish_loop(l);
}

/* --- cancel --- */

static unsigned cancelled;
static void expect_cancelled_park(void *arg) {
  (void)arg;
  CHECK(fiber_park(DEADLINE_NONE) == ERR_CANCELLED);
  /* Sticky, for every kind of wait. */
  CHECK(fiber_is_cancelled());
  CHECK(fiber_park(clock_deadline_ms(5000)) == ERR_CANCELLED);
  CHECK(fiber_yield() == ERR_CANCELLED);
  CHECK(fiber_sleep_until(clock_deadline_ms(5000)) == ERR_CANCELLED);
  cancelled++;
}
static void expect_cancelled_sleep(void *arg) {
  (void)arg;
  CHECK(fiber_sleep_until(clock_deadline_ms(60000)) == ERR_CANCELLED);
  cancelled++;
}
static void expect_cancelled_yield(void *arg) {
  (void)arg;
  enum err e;
  while ((e = fiber_yield()) == OK) continue;
  CHECK(e == ERR_CANCELLED);
  cancelled++;
}
static void cancel_three(void *arg) {
  struct fiber_id *id = arg;
  pause_ms(2);
  for (int i = 0; i < 3; i++) {
    fiber_cancel(id[i]);
    fiber_cancel(id[i]);
  }
}

TEST(cancel_ends_every_basic_wait_and_stays) {
  struct loop *l = open_loop(NULL);
  static struct fiber_id id[3];
  cancelled = 0;
  assert_int_equal(fiber_spawn(&id[0], expect_cancelled_park, NULL), OK);
  assert_int_equal(fiber_spawn(&id[1], expect_cancelled_sleep, NULL), OK);
  assert_int_equal(fiber_spawn(&id[2], expect_cancelled_yield, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_three, id), OK);
  finish_loop(l);
  assert_int_equal(cancelled, 3);
}

TEST(a_fiber_cancelled_before_it_began_still_begins) {
  struct loop *l = open_loop(NULL);
  struct fiber_id id;
  cancelled = 0;
  assert_int_equal(fiber_spawn(&id, expect_cancelled_park, NULL), OK);
  fiber_cancel(id);
  finish_loop(l);
  assert_int_equal(cancelled, 1);
}

static void cancel_self(void *arg) {
  (void)arg;
  fiber_cancel(fiber_self());
  CHECK(fiber_is_cancelled());
  CHECK(fiber_park(DEADLINE_NONE) == ERR_CANCELLED);
}

TEST(a_fiber_may_cancel_itself) { in_fiber(cancel_self); }

/* The next life of a cancelled fiber's memory is not cancelled. */
static void expect_fresh(void *arg) {
  (void)arg;
  CHECK(!fiber_is_cancelled());
  CHECK(fiber_yield() == OK);
}
static void reuse_cancelled(void *arg) {
  (void)arg;
  struct fiber_id first, second;
  CHECK(fiber_spawn(&first, expect_cancelled_park, NULL) == OK);
  fiber_cancel(first);
  CHECK(fiber_yield() == OK);
  CHECK(fiber_spawn(&second, expect_fresh, NULL) == OK);
  CHECK(second.fiber == first.fiber);
}

TEST(cancel_does_not_reach_the_next_life) { in_fiber(reuse_cancelled); }

/* --- shields --- */

static unsigned settled;
static void settle_shielded(void *arg) {
  (void)arg;
  CHECK(fiber_park(DEADLINE_NONE) == ERR_CANCELLED);
  fiber_shield_begin(clock_deadline_ms(10000));
  CHECK(fiber_is_cancelled());
  CHECK(fiber_yield() == OK);
  CHECK(fiber_sleep_until(clock_deadline_ms(3)) == OK);
  CHECK(fiber_park(clock_deadline_ms(2)) == ERR_TIMEOUT);
  fiber_shield_end();
  CHECK(fiber_yield() == ERR_CANCELLED);
  settled++;
}
static void cancel_partner(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  fiber_cancel(partner);
  pause_ms(1);
  fiber_cancel(partner); /* in its shield */
}

TEST(a_shield_defers_cancel) {
  struct loop *l = open_loop(NULL);
  settled = 0;
  assert_int_equal(fiber_spawn(&partner, settle_shielded, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_partner, NULL), OK);
  finish_loop(l);
  assert_int_equal(settled, 1);
}

static void cancelled_while_shielded(void *arg) {
  (void)arg;
  fiber_shield_begin(DEADLINE_NONE);
  uint64_t deadline = clock_deadline_ms(10);
  CHECK(fiber_park(deadline) == ERR_TIMEOUT); /* not even woken */
  CHECK(clock_mono_us() >= deadline);
  CHECK(fiber_is_cancelled());
  fiber_shield_end();
  CHECK(fiber_park(DEADLINE_NONE) == ERR_CANCELLED);
  settled++;
}

TEST(cancel_in_a_shield_arrives_after_it) {
  struct loop *l = open_loop(NULL);
  settled = 0;
  assert_int_equal(fiber_spawn(&partner, cancelled_while_shielded, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_partner, NULL), OK);
  finish_loop(l);
  assert_int_equal(settled, 1);
}

static void cap_waits(void *arg) {
  (void)arg;
  uint64_t outer = clock_deadline_ms(20), inner = clock_deadline_ms(5);
  fiber_shield_begin(outer);
  fiber_shield_begin(inner);
  CHECK(fiber_park(DEADLINE_NONE) == ERR_TIMEOUT);
  CHECK(clock_mono_us() >= inner && clock_mono_us() < outer + 10000000);
  CHECK(fiber_sleep_until(DEADLINE_NONE) == ERR_TIMEOUT);
  fiber_shield_end();
  CHECK(fiber_park(DEADLINE_NONE) == ERR_TIMEOUT);
  CHECK(clock_mono_us() >= outer);
  /* An inner cap cannot widen the outer one. */
  fiber_shield_begin(DEADLINE_NONE);
  CHECK(fiber_park(DEADLINE_NONE) == ERR_TIMEOUT);
  fiber_shield_end();
  fiber_shield_end();
  CHECK(fiber_park(clock_deadline_ms(1)) == ERR_TIMEOUT);
  CHECK(fiber_yield() == OK);
}

TEST(a_shields_cap_ends_every_wait) { in_fiber(cap_waits); }

/* --- what must not happen aborts --- */

static void park_on_the_loop(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK) return;
  if (fiber_park(DEADLINE_NONE) == OK) return;
}

static void park_in_callback(void *arg) {
  (void)arg;
  loop_enter_callback();
  if (fiber_yield() == OK) loop_leave_callback();
}
static void park_in_a_callback(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK || fiber_spawn(NULL, park_in_callback, NULL) != OK) return;
  loop_stop(l);
  loop_run(l);
}

static void *wake_foreign(void *arg) {
  fiber_wake(*(struct fiber_id *)arg);
  return NULL;
}
static void wake_from_another_thread(void) {
  struct loop *l = NULL;
  struct fiber_id id;
  pthread_t thread;
  if (loop_new(&l, NULL, NULL) != OK || fiber_spawn(&id, nothing, NULL) != OK) return;
  if (pthread_create(&thread, NULL, wake_foreign, &id) == 0) pthread_join(thread, NULL);
}

static void free_with_fibers(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK || fiber_spawn(NULL, nothing, NULL) != OK) return;
  loop_free(l);
}

static void end_in_shield(void *arg) {
  (void)arg;
  fiber_shield_begin(DEADLINE_NONE);
}
static void end_inside_a_shield(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK || fiber_spawn(NULL, end_in_shield, NULL) != OK) return;
  loop_stop(l);
  loop_run(l);
}

TEST(misuse_aborts_with_a_reason) {
  static const struct {
    void (*fn)(void);
    const char *reason;
  } misuse[] = {
      {park_on_the_loop, "loop's own stack"},
      {park_in_a_callback, "library's callback"},
      {wake_from_another_thread, "another thread"},
      {free_with_fibers, "fibers live"},
      {end_inside_a_shield, "shield"},
  };
  for (size_t i = 0; i < sizeof misuse / sizeof *misuse; i++) {
    static char said[4096];
    assert_int_equal(in_child(misuse[i].fn, said, sizeof said), SIGABRT);
    assert_non_null(strstr(said, misuse[i].reason));
  }
}

static void bracket(void *arg) {
  (void)arg;
  loop_enter_callback();
  loop_enter_callback();
  fiber_wake(fiber_self());
  CHECK(fiber_spawn(NULL, nothing, NULL) == OK);
  loop_leave_callback();
  loop_leave_callback();
  CHECK(fiber_yield() == OK);
}

TEST(waiting_is_allowed_again_after_a_callback) { in_fiber(bracket); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floating_point_formatting_works_in_a_fresh_fiber),
      cmocka_unit_test(the_rounding_mode_belongs_to_a_fiber),
      cmocka_unit_test(registers_survive_a_wait),
      cmocka_unit_test(errno_belongs_to_a_fiber),
      cmocka_unit_test(a_backtrace_ends_at_the_fiber),
      cmocka_unit_test(spawned_fibers_run_later_and_in_order),
      cmocka_unit_test(self_and_context_belong_to_a_fiber),
      cmocka_unit_test(stale_ids_are_harmless),
      cmocka_unit_test(spawn_beyond_the_cap_is_refused_until_one_ends),
      cmocka_unit_test(ten_thousand_fibers_wait_and_go_on),
      cmocka_unit_test(wake_is_idempotent),
      cmocka_unit_test(a_wake_before_the_park_is_not_lost),
      cmocka_unit_test(a_wait_ends_at_its_deadline_and_not_before),
      cmocka_unit_test(many_deadlines_in_any_order_end_in_time),
      cmocka_unit_test_teardown(exactly_the_due_deadlines_end, restore_clock),
      cmocka_unit_test(an_earlier_deadline_moves_the_timer),
      cmocka_unit_test(a_yield_lasts_a_turn),
      cmocka_unit_test(a_fiber_that_only_yields_lets_the_loop_poll),
      cmocka_unit_test(fibers_that_wake_each_other_for_ever_let_the_loop_poll),
      cmocka_unit_test(cancel_ends_every_basic_wait_and_stays),
      cmocka_unit_test(a_fiber_cancelled_before_it_began_still_begins),
      cmocka_unit_test(a_fiber_may_cancel_itself),
      cmocka_unit_test(cancel_does_not_reach_the_next_life),
      cmocka_unit_test(a_shield_defers_cancel),
      cmocka_unit_test(cancel_in_a_shield_arrives_after_it),
      cmocka_unit_test(a_shields_cap_ends_every_wait),
      cmocka_unit_test(misuse_aborts_with_a_reason),
      cmocka_unit_test(waiting_is_allowed_again_after_a_callback),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
