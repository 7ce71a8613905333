/* Money and rates around a call: what is reserved, settled and released on each way out, which candidate is taken, and
 * what the provider is told. The rows are read from a real journal. */
#include "call/reserve.h"

#include "base/crypto.h"
#include "rule_rig.h"

enum { ROWS_MAX = 16 };

static char folder[64];
static struct limits_subject subject;
static struct limits_caller caller;
static struct journal_row rows[ROWS_MAX];
static size_t row_count;

#define USED(in, out) "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]," USAGE(in, out) "}"
static const struct scripted_answer good = {.type = JSON, .pieces = {USED(10, 4)}};
static const struct scripted_answer failing = {
    .status = 500, .type = JSON, .pieces = {"{\"error\":{\"message\":\"no\"}}"}};

static void begin(const char *body, int64_t budget) {
  struct err_info info = {0};
  snprintf(folder, sizeof folder, "/tmp/maestro-reserve-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_int_equal(ledger_open(folder, 1, NULL, &info), OK);
  ledger_worker_attach(0);
  rig_open(body);
  subject = (struct limits_subject){.account = ledger_account(STR("key:x")),
                                    .label = STR("key:1"),
                                    .limits = {.budget_nano_usd = budget, .min_output = 16}};
  caller = (struct limits_caller){.v = {&subject}, .n = 1};
  rig.call.limits = &caller;
  rig.call.reply_id = STR("tr_1");
  rig.plan.n = 1;
  for (int i = 0; i < 3; i++) {
    /* a nano-USD for a token of the input, two for one of the output */
    rig.deployments[i].price = (struct price){.nano_usd_per_mtok = {1000000, 2000000}, .known = 3};
    rig.deployments[i].output_tokens = 100;
  }
}

static void keep(void *arg, const struct journal_row *row) {
  (void)arg;
  assert_true(row_count < ROWS_MAX);
  rows[row_count++] = *row;
}

/* Ends the call's test: what stands in the journal, and that nothing is held any more. */
static void end(int64_t spent) {
  char path[128], command[128];
  struct journal_found found;
  struct journal *j;
  assert_int_equal(ledger_balance(subject.account, LEDGER_TOTAL, clock_wall_us()).spent_nano_usd, spent);
  assert_int_equal(ledger_balance(subject.account, LEDGER_TOTAL, clock_wall_us()).reserved_nano_usd, 0);
  assert_int_equal(atomic_load(&ledger_account_rates(subject.account)->running), 0);
  rig_close();
  ledger_worker_detach();
  ledger_close();
  row_count = 0;
  snprintf(path, sizeof path, "%s/worker-0.journal", folder);
  assert_int_equal(journal_open(&j, path, 0, &journal_shape, 1, keep, NULL, &found, NULL), OK);
  assert_int_equal(found.slots + found.torn_slots, 0);
  journal_close(j);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
}

/* The most that WHOLE and the like can cost with so much output. */
static int64_t bound(const char *body, int64_t output) {
  return (int64_t)strlen(body) + 512 + 2 * output + USAGE_CLASSES;
}

TEST(reserved_before_and_settled_after) {
  begin(WHOLE, 10000);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0], "{\"max_tokens\":100,\"model\":\"m0\",\"messages\":[{}]}");
  assert_int_equal(rig.call.outcome.max_tokens, 100);
  end(10 + 2 * 4);
  assert_int_equal(row_count, 1);
  assert_int_equal(rows[0].amount_nano_usd, 18);
  assert_int_equal(rows[0].entry.reserved_nano_usd, bound(WHOLE, 100));
  assert_int_equal(rows[0].entry.attempt, 1);
  assert_string_equal(rows[0].entry.trace, "tr_1");
  assert_string_equal(rows[0].entry.model, "one/m0");
  assert_int_equal(rows[0].flags, 0);
  assert_int_equal(rows[0].tokens[JOURNAL_INPUT], 10);
}

TEST(reasoning_beyond_the_limit_is_reserved_for) {
  begin(WHOLE, 10000);
  rig.providers[0].provider.bills_reasoning_apart = true;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(10 + 2 * 4);
  assert_int_equal(rows[0].entry.reserved_nano_usd, bound(WHOLE, 200)); /* the limit, and the model's maximum again */
}

TEST(without_a_budget_nothing_is_told) {
  begin(WHOLE, -1);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0], "{\"model\":\"m0\",\"messages\":[{}]}");
  assert_int_equal(rig.call.outcome.max_tokens, 0);
  end(18);
  assert_int_equal(row_count, 1);
}

/* 400 words of one token each and a blank before them: a quarter of their bytes, more or less. */
TEST(what_is_counted_exactly_needs_less) {
  static char body[4096];
  struct buf b = {.p = body, .cap = sizeof body, .limit_bytes = sizeof body};
  buf_put(&b, STR("{\"model\":\"m\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\""));
  for (int i = 0; i < 400; i++) buf_put(&b, STR(" hello"));
  buf_put(&b, STR("\"}]}"));
  buf_put_char(&b, '\0');
  int64_t less = 400 + 512 + 100 + 40; /* some for the turn's frame, and rounding */
  assert_true(bound(body, 50) > 2 * less);
  begin(body, less);
  rig.deployments[0].model = STR("gpt-4o");
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(18);
  assert_int_equal(row_count, 1);
  assert_true(rows[0].entry.reserved_nano_usd <= less);
  begin(body, less); /* who counts otherwise is bound by its bytes */
  rig.deployments[0].model = STR("some-model");
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  end(0);
}

TEST(the_shortfall_is_exact) {
  static const char body[] = "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":50}";
  begin(body, bound(body, 50) - 1);
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  assert_non_null(strstr(rig.info.text, "$0.000000001 are missing"));
  assert_int_equal(rig.sent, 0);
  assert_int_equal(rig.call.outcome.attempts, 0);
  end(0);
  assert_int_equal(row_count, 0);
  begin(body, bound(body, 50));
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(18);
}

TEST(trimmed_to_what_is_left) {
  static const char own[] = "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":50}";
  static const struct {
    const char *body;
    int64_t left;
    bool trim;
    int64_t told; /* 0: refused */
  } cases[] = {{WHOLE, 0, false, 0},   {WHOLE, 15, false, 0}, {WHOLE, 16, false, 16},
               {WHOLE, 40, false, 40}, {own, 40, false, 0},   {own, 40, true, 40},
               {own, 15, true, 0},     {own, 49, true, 49},   {WHOLE, 101, false, 100}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    begin(cases[i].body, bound(cases[i].body, cases[i].left));
    subject.limits.trim = cases[i].trim;
    rig.answers[0] = good;
    assert_int_equal(rig_run(), cases[i].told ? OK : ERR_BUDGET_EXCEEDED);
    assert_int_equal(rig.call.outcome.max_tokens, cases[i].told);
    end(cases[i].told ? 18 : 0);
  }
}

TEST(failures_cost_nothing) {
  static const struct scripted_answer answers[] = {
      {.start = ERR_CONNECT_FAILED},
      {.start = ERR_CANCELLED},
      {.start = ERR_HEADERS_TIMEOUT},
      {.status = 500, .type = JSON, .pieces = {"{}"}},
      {.status = 429, .type = JSON, .pieces = {"{}"}},
      {.status = 400, .type = JSON, .pieces = {gone}},
      {.type = JSON, .pieces = {"{\"error\":{\"message\":\"full\",\"code\":429}}"}},
      {.type = "text/html", .pieces = {"<html>sign in first</html>"}},
  };
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    begin(WHOLE, 10000);
    rig.answers[0] = answers[i];
    assert_int_not_equal(rig_run(), OK);
    end(0);
    assert_int_equal(row_count, 0);
  }
}

TEST(an_answer_that_was_begun_costs_what_was_seen) {
  static const struct {
    struct scripted_answer answer;
    int64_t output; /* -1: any */
  } cases[] = {
      {{.pieces = {ROLE, TEXT("a"), TEXT("b"), cut}}, 2},
      {{.pieces = {ROLE, TEXT("a"), TEXT("b"), gone}}, 2},
      {{.pieces = {ROLE, TEXT("a"), TEXT("b"), late}}, 2},
      {{.pieces = {TEXT("a"), TEXT("bbbbbbbbbbbbbbbb"), cut}}, 2 + 15 / 4},
      {{.pieces = {ROLE, gone}}, 0},
      {{.pieces = {"data: {broken\n\n"}}, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    begin(STREAM, 10000);
    rig.answers[0] = cases[i].answer;
    assert_int_not_equal(rig_run(), OK);
    int64_t input = ((int64_t)strlen(STREAM) + 3) / 4, spent = input + 2 * cases[i].output;
    struct usage usage; /* the row of the request log says what is charged */
    struct cost cost;
    losses_sum(&rig.call.outcome, false, &usage, &cost);
    assert_true(usage.is_estimated && usage_get(&usage, USAGE_INPUT) == input);
    assert_int_equal(usage_get(&usage, USAGE_OUTPUT), cases[i].output);
    assert_true(cost.is_known && cost.is_estimated && cost.total_nano_usd == spent);
    end(spent);
    assert_int_equal(row_count, 1);
    assert_int_equal(rows[0].flags, JOURNAL_ESTIMATED | JOURNAL_FAILED);
    assert_int_equal(rows[0].tokens[JOURNAL_OUTPUT], cases[i].output);
  }
}

/* Nobody has seen a byte of them, so others are asked; they are paid for all the same. */
TEST(attempts_that_failed_are_part_of_what_the_call_cost) {
  begin(STREAM, 10000);
  rig.plan.n = 3;
  rig.answers[0] = (struct scripted_answer){.pieces = {cut}};
  rig.answers[1] = (struct scripted_answer){.status = 500, .type = JSON, .pieces = {"{}"}};
  rig.answers[2] = (struct scripted_answer){.pieces = {TEXT("a"), STOP, USAGE_CHUNK(10, 4), DONE}};
  assert_int_equal(rig_run(), OK);
  const struct call_outcome *o = &rig.call.outcome;
  int64_t lost = ((int64_t)strlen(STREAM) + 3) / 4;
  assert_true(o->losses_n == 1 && o->attempts == 3 && o->losses->error == ERR_UPSTREAM_CUT);
  assert_ptr_equal(o->losses->deployment, &rig.deployments[0]);
  assert_int_equal(o->cost.total_nano_usd, 18);
  struct usage usage;
  struct cost cost;
  losses_sum(o, true, &usage, &cost);
  assert_int_equal(cost.total_nano_usd, 18 + lost);
  assert_int_equal(usage_get(&usage, USAGE_INPUT), 10 + lost);
  end(18 + lost);
  assert_int_equal(row_count, 2);
}

TEST(a_loss_without_a_price_leaves_the_sum_unknown) {
  begin(STREAM, -1);
  rig.plan.n = 2;
  rig.deployments[0].price.known = 0;
  rig.answers[0] = (struct scripted_answer){.pieces = {cut}};
  rig.answers[1] = (struct scripted_answer){.pieces = {TEXT("a"), STOP, USAGE_CHUNK(10, 4), DONE}};
  assert_int_equal(rig_run(), OK);
  struct usage usage;
  struct cost cost;
  losses_sum(&rig.call.outcome, true, &usage, &cost);
  assert_false(cost.is_known);
  assert_true(usage_get(&usage, USAGE_INPUT) > 10);
  end(18);
}

TEST(usage_that_is_missing_is_estimated_within_the_bound) {
  static const char asked[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello there\"}]}";
  static const struct scripted_answer answer = {
      .type = JSON, .pieces = {"{\"choices\":[{\"message\":{\"content\":\"a text of some length\"}}]}"}};
  begin(asked, 10000);
  rig.answers[0] = answer;
  assert_int_equal(rig_run(), OK);
  struct cost told = rig.call.outcome.cost; /* counted by call/count.c: the receipt says the same as the row */
  assert_true(told.is_known && rig.call.outcome.usage.is_estimated);
  assert_true(told.total_nano_usd > 0 && told.total_nano_usd <= bound(asked, 100));
  end(told.total_nano_usd);
  assert_int_equal(row_count, 1);
  assert_int_equal(rows[0].flags, JOURNAL_ESTIMATED);
  begin(WHOLE, 10000); /* a prompt that cannot be read is told by its length */
  rig.answers[0] = answer;
  assert_int_equal(rig_run(), OK);
  assert_false(rig.call.outcome.cost.is_known);
  struct count_output words = {0};
  count_output_add(&words, STR("a text of some length"));
  end(((int64_t)strlen(WHOLE) + 3) / 4 + 2 * count_output_tokens(&words, STR("m0")));
  assert_int_equal(rows[0].flags, JOURNAL_ESTIMATED);
}

TEST(a_receipt_leaves_after_its_row) {
  begin(STREAM, 10000);
  rig.call.put_receipt = caller_receipt;
  rig.answers[0] = (struct scripted_answer){.pieces = {TEXT("a"), STOP, USAGE_CHUNK(10, 4), DONE}};
  assert_int_equal(rig_run(), OK);
  assert_ptr_equal(rig.call.put_receipt, caller_receipt); /* put back */
  expect_text(&rig.got, TEXT("a") STOP_WITH("{\"in\":10,\"out\":4}") DONE);
  end(18);
  assert_int_equal(row_count, 1);
  assert_int_equal(rows[0].flags, 0);
}

TEST(a_cheaper_candidate_is_taken) {
  begin(WHOLE, bound(WHOLE, 100));
  rig.plan.n = 2;
  rig.deployments[0].price.nano_usd_per_mtok[USAGE_INPUT] = 50000000;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 1);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[1]);
  end(18);
  begin(WHOLE, bound(WHOLE, 100)); /* one without a price likewise */
  rig.plan.n = 2;
  rig.deployments[0].price.known = 0;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(18);
}

TEST(why_the_first_failed_is_not_hidden_by_a_price) {
  begin(WHOLE, bound(WHOLE, 100));
  rig.plan.n = 2;
  rig.deployments[1].price.known = 0;
  rig.answers[0] = failing;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_string_equal(rig.info.text, "one: no");
  assert_int_equal(rig.call.outcome.attempts, 1);
  end(0);
}

TEST(each_attempt_reserves_for_itself) {
  begin(STREAM, 10000);
  rig.plan.n = 2;
  rig.answers[0] = (struct scripted_answer){.pieces = {ROLE, cut}};
  rig.answers[1] = (struct scripted_answer){.pieces = {TEXT("a"), STOP, USAGE_CHUNK(10, 4), DONE}};
  assert_int_equal(rig_run(), OK);
  end(((int64_t)strlen(STREAM) + 3) / 4 + 18);
  assert_int_equal(row_count, 2);
  assert_int_equal(rows[0].entry.attempt, 1);
  assert_int_equal(rows[1].entry.attempt, 2);
  assert_string_equal(rows[1].entry.model, "two/m1");
}

TEST(beyond_the_bound_is_billed_and_marked) {
  begin(WHOLE, 10000);
  rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {USED(10, 40000)}};
  assert_int_equal(rig_run(), OK);
  end(10 + 80000);
  assert_int_equal(rows[0].flags, JOURNAL_OVERRUN);
}

TEST(an_unknown_price_is_written_as_unknown) {
  begin(WHOLE, -1);
  rig.deployments[0].price.known = 0;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(0);
  assert_int_equal(row_count, 1);
  assert_int_equal(rows[0].flags, JOURNAL_UNPRICED);
  assert_int_equal(rows[0].tokens[JOURNAL_OUTPUT], 4);
}

TEST(refusals_by_rate_and_what_they_leave) {
  begin(WHOLE, -1);
  subject.limits.requests_per_day = 1;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  call_clear(&rig.call);
  assert_int_equal(rig_run(), ERR_RATE_LIMITED);
  assert_true(rig.info.retry_after_ms > 0 && rig.info.retry_after_ms <= 86400000);
  assert_int_equal(rig.sent, 1);
  end(18);
  begin(WHOLE, 1); /* a call that the budget refuses is no request */
  subject.limits.requests_per_day = 1;
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  call_clear(&rig.call);
  subject.limits.budget_nano_usd = 10000;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  end(18);
}

/* ---- several at once ---- */

static struct limits_subject team, model;
static struct map models;

/* A user in a team, both without a limit, and limits of the model of the first candidate. */
static void begin_with_team(const char *body) {
  begin(body, -1);
  subject.kind = LIMITS_OF_USER;
  team = (struct limits_subject){
      .account = ledger_account(STR("team:1")), .label = STR("red"), .limits = limits_none, .kind = LIMITS_OF_TEAM};
  model = (struct limits_subject){
      .account = ledger_account(STR("model:one/m0")), .limits = limits_none, .kind = LIMITS_OF_MODEL};
  map_init(&models, &rig.arena);
  assert_true(map_put(&models, STR("one/m0"), &model));
  caller = (struct limits_caller){.v = {&subject, &team}, .n = 2, .models = &models};
}

static int64_t spent_of(const struct limits_subject *s) {
  struct ledger_balance b = ledger_balance(s->account, LEDGER_TOTAL, clock_wall_us());
  assert_int_equal(b.reserved_nano_usd, 0);
  assert_int_equal(atomic_load(&ledger_account_rates(s->account)->running), 0);
  return b.spent_nano_usd;
}

static uint64_t id_of(const char *name) {
  struct crypto_hash hash;
  uint64_t id;
  assert_int_equal(crypto_sha256(str_from_c(name), &hash), OK);
  memcpy(&id, hash.bytes, sizeof id);
  return id;
}

TEST(what_is_spent_is_spent_by_all) {
  begin_with_team(WHOLE);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(spent_of(&team), 18);
  assert_int_equal(spent_of(&model), 18);
  const uint64_t ids[] = {id_of("key:x"), id_of("team:1"), id_of("model:one/m0"), 0};
  end(18);
  assert_memory_equal(rows[0].entry.accounts, ids, sizeof ids);
}

TEST(all_or_none_and_whose_it_was) {
  static const char body[] = "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":50}";
  struct limits_subject *const each[] = {&subject, &team, &model};
  static const char *const said[] = {"your monthly budget", "your team's monthly budget",
                                     "this model's monthly budget"};
  for (size_t i = 0; i < 3; i++) {
    begin_with_team(body);
    for (size_t k = 0; k < 3; k++) each[k]->limits.budget_nano_usd = 1000000;
    each[i]->limits.budget_nano_usd = bound(body, 50) - 1;
    each[i]->limits.period = LEDGER_MONTH;
    assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
    if (!strstr(rig.info.text, said[i])) fail_msg("%s: not \"%s\"", rig.info.text, said[i]);
    assert_non_null(strstr(rig.info.text, "$0.000000001 are missing"));
    assert_int_equal(spent_of(&team) + spent_of(&model), 0);
    end(0);
  }
}

TEST(the_narrowest_trims_and_no_floor_is_passed) {
  begin_with_team(WHOLE);
  subject.limits.budget_nano_usd = bound(WHOLE, 60);
  team.limits.budget_nano_usd = bound(WHOLE, 80);
  model.limits.budget_nano_usd = bound(WHOLE, 40);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.call.outcome.max_tokens, 40);
  end(18);
  begin_with_team(WHOLE);
  subject.limits.budget_nano_usd = bound(WHOLE, 60);
  subject.limits.min_output = 50; /* the model's budget would go below it */
  model.limits.budget_nano_usd = bound(WHOLE, 40);
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  end(0);
}

TEST(a_models_budget_needs_a_price) {
  begin_with_team(WHOLE);
  model.limits.budget_nano_usd = 1000000;
  rig.deployments[0].price.known = 0;
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  end(0);
}

TEST(a_model_at_its_limit_gives_way_to_another) {
  begin_with_team(WHOLE);
  model.limits.requests_per_day = 1;
  rig.answers[0] = rig.answers[1] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.call.outcome.deployment == &rig.deployments[0], true);
  call_clear(&rig.call);
  rig.plan.n = 2;
  rig.answers[1] = good;
  assert_int_equal(rig_run(), OK);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[1]);
  call_clear(&rig.call);
  rig.plan.n = 1;
  assert_int_equal(rig_run(), ERR_RATE_LIMITED);
  assert_non_null(strstr(rig.info.text, "this model's limit of 1 request a day is reached"));
  assert_true(rig.info.retry_after_ms > 0);
  assert_int_equal(spent_of(&model), 18);
  end(36);
}

TEST(a_models_rates_come_back) {
  static const char body[] = "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":50}";
  begin_with_team(body);
  model.limits.requests_per_day = 1;
  model.limits.tokens_per_day = 1000;
  subject.limits.budget_nano_usd = 1; /* refuses after the model has agreed */
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  call_clear(&rig.call);
  subject.limits.budget_nano_usd = -1;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  struct rate_limit_view view;
  const struct limits_caller alone = {.v = {&model}, .n = 1};
  rate_limit_view(&alone, true, clock_wall_us(), &view);
  assert_int_equal(view.remaining, 1000 - 14); /* what was used, not what was asked for */
  end(18);
}

TEST(without_a_journal_nobody_with_a_budget_is_served) {
  rig_open(WHOLE);
  subject = (struct limits_subject){
      .account = ledger_account(STR("key:y")), .label = STR("key:1"), .limits = {.budget_nano_usd = 1000}};
  caller = (struct limits_caller){.v = {&subject}, .n = 1};
  rig.call.limits = &caller;
  rig.plan.n = 1;
  rig.deployments[0].price = (struct price){.known = 3};
  assert_int_equal(rig_run(), ERR_BUSY);
  rig_close();
  rig_open(WHOLE);
  subject.limits.budget_nano_usd = -1;
  rig.call.limits = &caller;
  rig.plan.n = 1;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  rig_close();
  ledger_close();
}

/* Half as much again as the provider asks: reserved, settled, told and written down alike. */
TEST(a_model_is_charged_so_many_times_its_price) {
  static const char own[] = "{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":50}";
  int64_t most = ((int64_t)strlen(own) + 512) * 3 / 2 + 1 + 3 * 50 + USAGE_CLASSES; /* 1.5 and 3 nano-USD a token */
  begin(own, most);
  rule_rig_open();
  rule_row.cost_factor = 1500000000;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.call.outcome.cost.total_nano_usd, 15 + 3 * 4);
  assert_int_equal(rig.call.outcome.cost_factor, 1500000000);
  end(15 + 3 * 4);
  assert_int_equal(row_count, 1);
  assert_int_equal(rows[0].amount_nano_usd, 27);
  assert_true(rows[0].entry.reserved_nano_usd <= most && rows[0].entry.reserved_nano_usd >= most - 1);
  assert_int_equal(rows[0].entry.input_nano_usd_per_mtok, 1500000); /* what a recovery goes by */
  begin(own, most - 2);
  rule_rig_open();
  rule_row.cost_factor = 1500000000;
  assert_int_equal(rig_run(), ERR_BUDGET_EXCEEDED);
  end(0);
  begin(WHOLE, -1); /* what has no price has none so many times */
  rule_rig_open();
  rule_row.cost_factor = 1500000000;
  rig.deployments[0].price.known = 0;
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  assert_false(rig.call.outcome.cost.is_known);
  end(0);
  assert_int_equal(rows[0].flags, JOURNAL_UNPRICED);
}

static void open_rates(uint32_t requests, uint32_t tokens) {
  rule_rig_open();
  rule.limits.requests_per_minute = requests;
  rule.limits.tokens_per_minute = tokens;
  rule.account = ledger_account(STR("model_config:1"));
}

/* Two models, two callers, one limit: it is the row's. */
TEST(the_rates_of_a_rule_are_one_for_all_its_models_and_callers) {
  begin(WHOLE, -1);
  open_rates(2, 0);
  rig.plan.n = 2;
  rig.answers[0] = failing; /* an attempt counts */
  rig.answers[1] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 2);
  struct limits_subject other = {.account = ledger_account(STR("key:y")), .limits = limits_none};
  caller.v[0] = &other;
  call_clear(&rig.call);
  assert_int_equal(rig_run(), ERR_RATE_LIMITED);
  assert_int_equal(rig.sent, 2);
  assert_non_null(strstr(rig.info.text, "this model's limit of 2 requests a minute is reached"));
  assert_true(rig.info.retry_after_ms > 0);
  caller.v[0] = &subject;
  assert_int_equal(atomic_load(&ledger_account_rates(rule.account)->running), 0);
  assert_int_equal(ledger_balance(rule.account, LEDGER_TOTAL, clock_wall_us()).spent_nano_usd, 0); /* no money is its */
  end(18);
  assert_int_equal(rows[0].entry.accounts[1], 0);
}

TEST(tokens_of_a_rule_are_charged_with_what_they_were) {
  begin(WHOLE, -1);
  open_rates(0, 12);
  rig.answers[0] = good; /* 10 and 4 tokens */
  assert_int_equal(rig_run(), OK);
  call_clear(&rig.call);
  assert_int_equal(rig_run(), ERR_RATE_LIMITED);
  assert_non_null(strstr(rig.info.text, "this model's limit of 12 tokens a minute"));
  end(18);
}

TEST(a_rule_binds_beside_all_others) {
  begin_with_team(WHOLE);
  struct limits_subject token = {
      .account = ledger_account(STR("token:1")), .limits = limits_none, .kind = LIMITS_OF_TOKEN};
  caller.v[caller.n++] = &token;
  open_rates(1, 0);
  rig.answers[0] = good;
  assert_int_equal(rig_run(), OK);
  call_clear(&rig.call);
  assert_int_equal(rig_run(), ERR_RATE_LIMITED);
  assert_int_equal(spent_of(&model), 18);
  end(18);
  assert_true(rows[0].entry.accounts[3] == id_of("model:one/m0"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reserved_before_and_settled_after),
      cmocka_unit_test(reasoning_beyond_the_limit_is_reserved_for),
      cmocka_unit_test(without_a_budget_nothing_is_told),
      cmocka_unit_test(what_is_counted_exactly_needs_less),
      cmocka_unit_test(the_shortfall_is_exact),
      cmocka_unit_test(trimmed_to_what_is_left),
      cmocka_unit_test(failures_cost_nothing),
      cmocka_unit_test(an_answer_that_was_begun_costs_what_was_seen),
      cmocka_unit_test(attempts_that_failed_are_part_of_what_the_call_cost),
      cmocka_unit_test(a_loss_without_a_price_leaves_the_sum_unknown),
      cmocka_unit_test(usage_that_is_missing_is_estimated_within_the_bound),
      cmocka_unit_test(a_receipt_leaves_after_its_row),
      cmocka_unit_test(a_cheaper_candidate_is_taken),
      cmocka_unit_test(why_the_first_failed_is_not_hidden_by_a_price),
      cmocka_unit_test(each_attempt_reserves_for_itself),
      cmocka_unit_test(beyond_the_bound_is_billed_and_marked),
      cmocka_unit_test(an_unknown_price_is_written_as_unknown),
      cmocka_unit_test(refusals_by_rate_and_what_they_leave),
      cmocka_unit_test(what_is_spent_is_spent_by_all),
      cmocka_unit_test(all_or_none_and_whose_it_was),
      cmocka_unit_test(the_narrowest_trims_and_no_floor_is_passed),
      cmocka_unit_test(a_models_budget_needs_a_price),
      cmocka_unit_test(a_model_at_its_limit_gives_way_to_another),
      cmocka_unit_test(a_models_rates_come_back),
      cmocka_unit_test(a_model_is_charged_so_many_times_its_price),
      cmocka_unit_test(the_rates_of_a_rule_are_one_for_all_its_models_and_callers),
      cmocka_unit_test(tokens_of_a_rule_are_charged_with_what_they_were),
      cmocka_unit_test(a_rule_binds_beside_all_others),
      cmocka_unit_test(without_a_journal_nobody_with_a_budget_is_served),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
