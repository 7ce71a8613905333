/* Receipts: an object that parses whatever is known, whose parts add up to its total, and whose unknowns are null. */
#include "gateway/receipt.h"

#include <yyjson.h>

#include "unit.h"

static const struct catalog_provider provider = {.provider = {.id = STR("p\"q")}};
static const struct registry_model spec = {.slot = STR("cheap-fast")};

static struct deployment deployment = {.at = &provider, .model = STR("m"), .qualified = STR("p\"q/m")};

static yyjson_doc *receipt_of(const struct call_outcome *o, enum plan_mode mode) {
  static struct request_context rc;
  rc.trace_id = STR("tr_1");
  rc.started_us = clock_mono_us() - 5000;
  const struct plan plan = {.mode = mode};
  struct buf b;
  buf_init(&b, 0);
  receipt_put(&rc, &plan, o, &b);
  yyjson_doc *doc = yyjson_read(b.p, b.n, 0);
  assert_non_null(doc);
  buf_clear(&b);
  return doc;
}

static yyjson_val *at(yyjson_doc *doc, const char *pointer) { return yyjson_doc_ptr_get(doc, pointer); }

TEST(everything_known) {
  struct call_outcome o = {
      .deployment = &deployment, .attempts = 2, .upstream_us = 4000, .ttft_us = 2500, .duration_us = 9000};
  deployment.spec = &spec;
  deployment.price = (struct price){.nano_usd_per_mtok = {3000000000, 15000000000, 300000000, 3750000000, 15000000000},
                                    .known = 31,
                                    .date = "2026-06-22"};
  for (int i = 0; i < USAGE_CLASSES; i++) assert_true(usage_set(&o.usage, (enum usage_class)i, 1000 - 200 * i));
  o.cost = cost_of(&o.usage, &deployment.price);
  yyjson_doc *doc = receipt_of(&o, PLAN_AUTO);
  assert_string_equal(yyjson_get_str(at(doc, "/trace_id")), "tr_1");
  assert_string_equal(yyjson_get_str(at(doc, "/mode")), "auto");
  assert_string_equal(yyjson_get_str(at(doc, "/price_date")), "2026-06-22");
  assert_string_equal(yyjson_get_str(at(doc, "/route/0/model")), "p\"q/m");
  assert_string_equal(yyjson_get_str(at(doc, "/route/0/provider")), "p\"q");
  assert_string_equal(yyjson_get_str(at(doc, "/route/0/slot")), "cheap-fast");
  assert_int_equal(yyjson_get_int(at(doc, "/turns")), 1);
  assert_int_equal(yyjson_get_int(at(doc, "/route/0/attempts")), 2);
  assert_int_equal(yyjson_get_int(at(doc, "/route/0/ms")), 9);
  assert_int_equal(yyjson_get_int(at(doc, "/route/0/ttft_ms")), 2);
  assert_int_equal(yyjson_get_int(at(doc, "/route/0/usage/cache_read")), 600);
  assert_true(yyjson_get_int(at(doc, "/overhead_us")) >= 1000);
  double total = yyjson_get_num(at(doc, "/cost_usd")), sum = 0;
  static const char *const parts[] = {"input", "output", "cache_read", "cache_write", "reasoning"};
  for (size_t i = 0; i < 5; i++) sum += yyjson_get_num(yyjson_obj_get(at(doc, "/route/0/cost"), parts[i]));
  assert_true(total > 0 && sum > total - 1e-12 && sum < total + 1e-12);
  assert_true(yyjson_get_num(at(doc, "/route/0/cost_usd")) == total);
  yyjson_doc_free(doc);
}

TEST(nothing_known) {
  const struct call_outcome o = {.deployment = &deployment};
  deployment.spec = NULL;
  deployment.price = (struct price){0};
  yyjson_doc *doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_string_equal(yyjson_get_str(at(doc, "/mode")), "passthrough");
  static const char *const nulls[] = {"/cost_usd",
                                      "/price_date",
                                      "/route/0/slot",
                                      "/route/0/cost",
                                      "/route/0/cost_usd",
                                      "/route/0/usage/input",
                                      "/route/0/usage/reasoning",
                                      "/savings_pct",
                                      "/route/0/ttft_ms"};
  for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) assert_true(yyjson_is_null(at(doc, nulls[i])));
  assert_true(yyjson_is_false(at(doc, "/estimated")) && yyjson_is_false(at(doc, "/cached")));
  yyjson_doc_free(doc);
}

TEST(free_is_zero_and_an_estimate_says_so) {
  struct call_outcome o = {.deployment = &deployment, .cost = {.is_known = true, .is_estimated = true}};
  yyjson_doc *doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_true(yyjson_is_num(at(doc, "/cost_usd")) && yyjson_get_num(at(doc, "/cost_usd")) == 0);
  assert_true(yyjson_is_true(at(doc, "/estimated")));
  yyjson_doc_free(doc);
}

/* The parts are what is charged, and say of what they are so many times. */
TEST(a_charge_that_is_not_the_price_says_so) {
  struct call_outcome o = {.deployment = &deployment, .cost_factor = 1250000000};
  assert_true(usage_set(&o.usage, USAGE_INPUT, 1000) && usage_set(&o.usage, USAGE_OUTPUT, 0));
  deployment.price = (struct price){.nano_usd_per_mtok = {4000000000, 8000000000}, .known = 3};
  const struct price charged = price_times(&deployment.price, o.cost_factor);
  o.cost = cost_of(&o.usage, &charged);
  yyjson_doc *doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_true(yyjson_get_num(at(doc, "/route/0/cost_multiplier")) == 1.25);
  assert_true(yyjson_get_num(at(doc, "/cost_usd")) == 0.005);
  assert_true(yyjson_get_num(at(doc, "/route/0/cost_usd")) == 0.005);
  assert_true(yyjson_get_num(at(doc, "/route/0/cost/input")) == 0.005);
  yyjson_doc_free(doc);
  o.cost_factor = PRICE_ONCE;
  doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_null(at(doc, "/route/0/cost_multiplier"));
  yyjson_doc_free(doc);
}

/* Each is a turn of its own, and the whole is the sum of the turns. */
TEST(attempts_that_failed_and_are_charged_are_turns) {
  static const struct deployment other = {.at = &provider, .model = STR("n"), .qualified = STR("p/n")};
  const struct cost one = {.is_known = true, .total_nano_usd = 1000000000, .class_nano_usd = {1000000000}};
  const struct usage used = {.tokens = {10, 4}, .known = 3, .is_estimated = true};
  struct call_loss third = {.deployment = &deployment, .error = ERR_UPSTREAM_CUT, .usage = used, .cost = one};
  struct call_loss second = {
      .next = &third, .deployment = &other, .error = ERR_UPSTREAM_CUT, .usage = used, .cost = one, .duration_us = 7000};
  struct call_loss first = {
      .next = &second, .deployment = &other, .error = ERR_UPSTREAM_STATUS, .usage = used, .cost = one};
  struct call_outcome o = {
      .deployment = &deployment, .attempts = 6, .losses = &first, .last_loss = &third, .losses_n = 3};
  o.duration_us = 9000, o.ttft_us = 8000; /* of the call */
  o.usage = (struct usage){.tokens = {100, 40}, .known = 3};
  o.cost = one;
  yyjson_doc *doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_int_equal(yyjson_get_int(at(doc, "/turns")), 4);
  assert_int_equal(yyjson_arr_size(at(doc, "/route")), 4);
  assert_int_equal(yyjson_get_int(at(doc, "/route/3/turn")), 4);
  assert_int_equal(yyjson_get_int(at(doc, "/route/3/attempts")), 3);
  assert_null(at(doc, "/route/3/error"));
  assert_string_equal(yyjson_get_str(at(doc, "/route/1/error")), err_code(ERR_UPSTREAM_CUT));
  assert_string_equal(yyjson_get_str(at(doc, "/route/1/model")), "p/n");
  assert_int_equal(yyjson_get_int(at(doc, "/route/1/ms")), 7);
  assert_int_equal(yyjson_get_int(at(doc, "/route/3/ms")), 2);
  assert_int_equal(yyjson_get_int(at(doc, "/route/3/ttft_ms")), 1);
  assert_true(yyjson_get_num(at(doc, "/cost_usd")) == 4);
  assert_int_equal(yyjson_obj_size(at(doc, "/usage_by_model")), 2);
  assert_int_equal(yyjson_get_int(yyjson_obj_get(yyjson_obj_get(at(doc, "/usage_by_model"), "p/n"), "in")), 20);
  assert_int_equal(yyjson_get_int(yyjson_obj_get(yyjson_obj_get(at(doc, "/usage_by_model"), "p\"q/m"), "out")), 44);
  assert_true(yyjson_is_true(at(doc, "/estimated")));
  yyjson_doc_free(doc);
  third.cost = (struct cost){0};
  doc = receipt_of(&o, PLAN_PASSTHROUGH);
  assert_true(yyjson_is_null(at(doc, "/cost_usd")));
  yyjson_doc_free(doc);
}

static struct str header(const struct request_context *rc, const char *name) {
  return http_header_get((struct http_headers){rc->reply.headers, rc->reply.header_count}, str_from_c(name));
}

/* A call that failed has no turn that answered; what was used is said of whole answers only. */
TEST(headers_say_what_is_known_by_then) {
  static const struct {
    unsigned lost_attempt;
    bool is_final;
    const char *turns, *estimated, *cost;
  } rows[] = {{0, true, "1", NULL, "1"},
              {0, false, "1", NULL, NULL},
              {1, true, "2", "1", "2"},
              {1, false, "2", NULL, NULL},
              {2, false, "1", NULL, NULL}};
  const struct cost one = {.is_known = true, .total_nano_usd = 1000000000, .class_nano_usd = {1000000000}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    static struct request_context rc;
    struct call_loss lost = {.deployment = &deployment,
                             .attempt = rows[i].lost_attempt,
                             .usage = {.tokens = {10, 4}, .known = 3, .is_estimated = true},
                             .cost = one};
    struct call_outcome o = {.deployment = &deployment, .attempts = 2, .cost = one};
    if (lost.attempt) o.losses = o.last_loss = &lost, o.losses_n = 1;
    arena_init(&a, 0);
    memset(&rc, 0, sizeof rc);
    rc.arena = &a;
    receipt_add_headers(&rc, &(struct plan){0}, &o, rows[i].is_final);
    assert_str(header(&rc, "x-maestro-turns"), str_from_c(rows[i].turns));
    assert_str(header(&rc, "x-maestro-estimated"), str_from_c(rows[i].estimated));
    assert_str(header(&rc, "x-maestro-cost-usd"), str_from_c(rows[i].cost));
    arena_clear(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(everything_known),
                                     cmocka_unit_test(nothing_known),
                                     cmocka_unit_test(free_is_zero_and_an_estimate_says_so),
                                     cmocka_unit_test(a_charge_that_is_not_the_price_says_so),
                                     cmocka_unit_test(attempts_that_failed_and_are_charged_are_turns),
                                     cmocka_unit_test(headers_say_what_is_known_by_then)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
