/* Metrics: sums over threads, histograms, names and their limits, and that the exposition is well-formed throughout. */
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static struct buf text;

static int setup(void **state) {
  (void)state;
  metrics_clear();
  buf_init(&text, 0);
  assert_int_equal(metrics_worker_attach(0, NULL), OK);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  metrics_worker_detach();
  metrics_clear();
  buf_clear(&text);
  return 0;
}

static const char *scrape(void) {
  buf_reset(&text);
  metrics_write(&text, true);
  buf_put_char(&text, 0);
  assert_false(text.failed);
  return text.p;
}

static void assert_has_line(const char *line) {
  char wanted[400];
  snprintf(wanted, sizeof wanted, "\n%s\n", line);
  if (!strstr(scrape(), wanted)) fail_msg("no line \"%s\" in:\n%s", line, text.p);
}

TEST(counters_of_one_cell_are_always_shown) {
  assert_has_line("maestro_client_gone_total 0");
  metrics_inc(METRIC_CLIENT_GONE, 0, 0);
  metrics_add(METRIC_CLIENT_GONE, 0, 0, 4);
  assert_has_line("maestro_client_gone_total 5");
  assert_has_line("# TYPE maestro_client_gone_total counter");
  assert_has_line("maestro_build_info{version=\"" MAESTRO_VERSION "\"} 1");
  assert_non_null(strstr(scrape(), "\nprocess_resident_memory_bytes "));
  assert_non_null(strstr(scrape(), "\nprocess_start_time_seconds 1"));
}

TEST(labelled_series_appear_with_their_first_event) {
  unsigned chat = metrics_endpoint(STR("chat_completions"));
  assert_true(chat > 0);
  assert_int_equal(metrics_endpoint(STR("chat_completions")), chat);
  assert_null(strstr(scrape(), "maestro_requests_total{"));
  metrics_inc(METRIC_REQUESTS, chat, metrics_status_class(200));
  metrics_inc(METRIC_REQUESTS, chat, metrics_status_class(429));
  metrics_inc(METRIC_REQUESTS, 0, metrics_status_class(999));
  assert_has_line("maestro_requests_total{endpoint=\"chat_completions\",status_class=\"2xx\"} 1");
  assert_has_line("maestro_requests_total{endpoint=\"chat_completions\",status_class=\"4xx\"} 1");
  assert_has_line("maestro_requests_total{endpoint=\"other\",status_class=\"other\"} 1");
}

TEST(models_tokens_and_cost) {
  unsigned pair = metrics_pair(STR("openai"), STR("gpt-5"));
  metrics_add(METRIC_TOKENS, pair, METRICS_INPUT, 1000);
  metrics_add(METRIC_TOKENS, pair, METRICS_REASONING, 7);
  metrics_add(METRIC_COST, pair, 0, 1234567);
  metrics_inc(METRIC_UPSTREAM_RESPONSES, metrics_pair_provider(pair), metrics_status(200));
  metrics_inc(METRIC_UPSTREAM_RESPONSES, metrics_pair_provider(pair), metrics_status(529));
  metrics_inc(METRIC_UPSTREAM_RESPONSES, metrics_pair_provider(pair), metrics_status(418));
  metrics_inc(METRIC_UPSTREAM_RESPONSES, metrics_pair_provider(pair), metrics_status(0));
  assert_has_line("maestro_tokens_total{provider=\"openai\",model=\"gpt-5\",kind=\"input\"} 1000");
  assert_has_line("maestro_tokens_total{provider=\"openai\",model=\"gpt-5\",kind=\"reasoning\"} 7");
  assert_has_line("maestro_cost_usd_total{provider=\"openai\",model=\"gpt-5\"} 0.001234567");
  assert_has_line("maestro_upstream_responses_total{provider=\"openai\",status=\"200\"} 1");
  assert_has_line("maestro_upstream_responses_total{provider=\"openai\",status=\"529\"} 1");
  assert_has_line("maestro_upstream_responses_total{provider=\"openai\",status=\"4xx\"} 1");
  assert_has_line("maestro_upstream_responses_total{provider=\"openai\",status=\"none\"} 1");
}

TEST(histograms_are_cumulative_and_in_seconds) {
  unsigned pair = metrics_pair(STR("p"), STR("m"));
  metrics_observe_us(METRIC_TTFT, pair, 10000);
  metrics_observe_us(METRIC_TTFT, pair, 10001);
  metrics_observe_us(METRIC_TTFT, pair, 400000000);
  assert_has_line("maestro_ttft_seconds_bucket{provider=\"p\",model=\"m\",le=\"0.01\"} 1");
  assert_has_line("maestro_ttft_seconds_bucket{provider=\"p\",model=\"m\",le=\"0.025\"} 2");
  assert_has_line("maestro_ttft_seconds_bucket{provider=\"p\",model=\"m\",le=\"300\"} 2");
  assert_has_line("maestro_ttft_seconds_bucket{provider=\"p\",model=\"m\",le=\"+Inf\"} 3");
  assert_has_line("maestro_ttft_seconds_sum{provider=\"p\",model=\"m\"} 400.020001");
  assert_has_line("maestro_ttft_seconds_count{provider=\"p\",model=\"m\"} 3");
  assert_int_equal(metrics_get(METRIC_TTFT, pair, 0), 3);
  metrics_observe_us(METRIC_OVERHEAD, 0, 25);
  assert_has_line("maestro_gateway_overhead_seconds_bucket{le=\"0.00003\"} 1");
  assert_has_line("maestro_gateway_overhead_seconds_sum 0.000025");
}

TEST(labels_are_cleaned_and_escaped) {
  unsigned a = metrics_pair(STR("a\"b\\c"), STR("line\nbreak \xff gr\xc3\xbc\xc3\x9f"));
  metrics_add(METRIC_TOKENS, a, METRICS_INPUT, 1);
  assert_has_line(
      "maestro_tokens_total{provider=\"a\\\"b\\\\c\",model=\"line?break ? gr\xc3\xbc\xc3\x9f\",kind=\"input\"} 1");
  char big[400];
  memset(big, 'm', sizeof big);
  unsigned b = metrics_pair(STR("a"), str_from(big, 400)), c = metrics_pair(STR("a"), str_from(big, 300));
  assert_int_equal(b, c); /* the same after the cut */
  memcpy(big + METRICS_LABEL_MAX - 1, "\xc3\xbc", 2);
  metrics_add(METRIC_TOKENS, metrics_pair(STR("a"), str_from(big, 400)), METRICS_INPUT, 1);
  assert_true(str_is_utf8(str_from_c(scrape())));
}

TEST(a_full_table_counts_as_other) {
  char name[20];
  unsigned last = 1;
  for (unsigned i = 0; i < METRICS_PAIR + 10; i++) {
    snprintf(name, sizeof name, "model-%u", i);
    unsigned pair = metrics_pair(STR("p"), str_from_c(name));
    if (i < METRICS_PAIR - 1)
      assert_int_equal(pair, i + 1);
    else
      assert_int_equal(pair, 0);
    metrics_inc(METRIC_COST_UNKNOWN, pair, 0);
    last = pair;
  }
  assert_int_equal(metrics_pair_provider(last), 0);
  assert_int_equal(metrics_pair(STR("p"), STR("model-7")), 8);
  assert_has_line("maestro_cost_unknown_total{provider=\"other\",model=\"other\"} 11");
  for (unsigned i = 0; i < METRICS_PROVIDER + 10; i++) {
    snprintf(name, sizeof name, "q-%u", i);
    assert_true(metrics_provider(str_from_c(name)) < METRICS_PROVIDER);
    assert_true(metrics_endpoint(str_from_c(name)) < METRICS_ENDPOINT);
  }
}

TEST(the_same_model_at_two_providers_is_two_pairs) {
  unsigned a = metrics_pair(STR("a"), STR("m")), b = metrics_pair(STR("b"), STR("m"));
  assert_int_not_equal(a, b);
  assert_int_not_equal(metrics_pair_provider(a), metrics_pair_provider(b));
  assert_int_equal(metrics_provider(STR("b")), metrics_pair_provider(b));
}

TEST(what_is_out_of_range_is_counted_in_the_first_cell) {
  metrics_inc(METRIC_TOKENS, 99999, 99999);
  metrics_inc(METRIC_CLIENT_GONE, 7, 7);
  assert_int_equal(metrics_get(METRIC_TOKENS, 0, 0), 1);
  assert_int_equal(metrics_get(METRIC_CLIENT_GONE, 0, 0), 1);
  metrics_observe_us(METRIC_CLIENT_GONE, 0, 5); /* no histogram: nothing */
  metrics_inc(METRIC_TTFT, 0, 0);               /* no counter: nothing */
  assert_int_equal(metrics_get(METRIC_CLIENT_GONE, 0, 0), 1);
  assert_int_equal(metrics_get(METRIC_TTFT, 0, 0), 0);
  assert_int_not_equal(metrics_worker_attach(METRICS_WORKERS_MAX, NULL), OK);
}

TEST(set_copies_a_figure_per_worker) {
  metrics_set(0, METRIC_UPSTREAM_CONNECTIONS, METRICS_IDLE, 0, 3);
  metrics_set(5, METRIC_UPSTREAM_CONNECTIONS, METRICS_IDLE, 0, 4);
  metrics_set(5, METRIC_UPSTREAM_CONNECTIONS, METRICS_IDLE, 0, 2);
  metrics_set(METRICS_WORKERS_MAX, METRIC_UPSTREAM_CONNECTIONS, METRICS_IDLE, 0, 100);
  assert_has_line("maestro_upstream_connections{state=\"idle\"} 5");
  assert_has_line("maestro_upstream_connections{state=\"active\"} 0");
  metrics_add(METRIC_IN_FLIGHT, 0, 0, 2);
  metrics_add(METRIC_IN_FLIGHT, 0, 0, -1);
  assert_has_line("maestro_in_flight 1");
}

/* name{label="value",…} number; returns false for anything else. */
static bool is_sample(struct str line) {
  size_t i = 0;
  while (i < line.n && (line.p[i] == '_' || line.p[i] == ':' || (line.p[i] >= 'a' && line.p[i] <= 'z'))) i++;
  if (i == 0) return false;
  if (i < line.n && line.p[i] == '{') {
    do {
      size_t start = ++i;
      while (i < line.n && (line.p[i] == '_' || (line.p[i] >= 'a' && line.p[i] <= 'z'))) i++;
      if (i == start || i + 1 >= line.n || line.p[i] != '=' || line.p[i + 1] != '"') return false;
      for (i += 2; i < line.n && line.p[i] != '"'; i++)
        if (line.p[i] == '\\') i++;
      i++;
    } while (i < line.n && line.p[i] == ',');
    if (i >= line.n || line.p[i++] != '}') return false;
  }
  if (i >= line.n || line.p[i++] != ' ' || i == line.n) return false;
  for (; i < line.n; i++)
    if (!strchr("0123456789.-", line.p[i])) return false;
  return true;
}

TEST(the_whole_exposition_is_well_formed) {
  unsigned pair = metrics_pair(STR("p}\","), STR("m{le=\"1\"}"));
  for (unsigned m = 0; m < METRIC_COUNT; m++) {
    metrics_inc(m, pair, 1);
    metrics_observe_us(m, pair, 123456);
  }
  struct str rest = str_from_c(scrape()), line, name = STR_NONE;
  unsigned samples = 0;
  while (str_cut(rest, '\n', &line, &rest)) {
    if (str_has_prefix(line, STR("# HELP "))) {
      struct str after;
      str_cut(str_sub(line, 7, line.n), ' ', &name, &after);
      assert_true(after.n > 10);
      /* No family twice. */
      char again[200];
      snprintf(again, sizeof again, "\n# HELP %.*s ", STR_ARG(name));
      assert_int_equal(str_find(rest, str_from_c(again)), SIZE_MAX);
    } else if (str_has_prefix(line, STR("# TYPE "))) {
      assert_true(str_has_prefix(str_sub(line, 7, line.n), name));
    } else {
      if (!is_sample(line) || !str_has_prefix(line, name)) fail_msg("%.*s", STR_ARG(line));
      samples++;
    }
  }
  assert_true(samples > METRIC_COUNT);
}

enum { THREADS = 2, ROUNDS = 200000 }; /* and as many without a block */
static pthread_barrier_t start;
static _Atomic bool is_over;

static void *count(void *arg) {
  unsigned worker = (unsigned)(uintptr_t)arg;
  bool is_attached = worker < THREADS;
  if (is_attached) assert_int_equal(metrics_worker_attach(worker, NULL), OK);
  pthread_barrier_wait(&start);
  unsigned pair = metrics_pair(STR("p"), worker % 2 ? STR("odd") : STR("even"));
  for (int i = 0; i < ROUNDS; i++) {
    metrics_inc(METRIC_REQUESTS, 0, 2);
    metrics_add(METRIC_TOKENS, pair, METRICS_OUTPUT, 3);
    metrics_observe_us(METRIC_TTFT, pair, (uint64_t)i);
  }
  metrics_worker_detach();
  return NULL;
}

static void *scrape_on(void *arg) {
  (void)arg;
  struct buf b;
  buf_init(&b, 0);
  int64_t before = 0;
  while (!atomic_load(&is_over)) {
    buf_reset(&b);
    metrics_write(&b, true);
    int64_t now = metrics_get(METRIC_REQUESTS, 0, 2);
    assert_true(now >= before);
    before = now;
    usleep(1000); /* the counting threads are what this is about */
  }
  buf_clear(&b);
  return NULL;
}

TEST(threads_with_and_without_a_block_lose_nothing) {
  pthread_t threads[2 * THREADS], scraper;
  is_over = false;
  assert_int_equal(pthread_barrier_init(&start, NULL, 2 * THREADS), 0);
  assert_int_equal(pthread_create(&scraper, NULL, scrape_on, NULL), 0);
  for (size_t i = 0; i < 2 * THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, count, (void *)i), 0);
  for (size_t i = 0; i < 2 * THREADS; i++) pthread_join(threads[i], NULL);
  is_over = true;
  pthread_join(scraper, NULL);
  pthread_barrier_destroy(&start);
  unsigned even = metrics_pair(STR("p"), STR("even")), odd = metrics_pair(STR("p"), STR("odd"));
  assert_int_equal(metrics_get(METRIC_REQUESTS, 0, 2), (2 * THREADS) * ROUNDS);
  assert_int_equal(metrics_get(METRIC_TOKENS, even, METRICS_OUTPUT), THREADS * ROUNDS * 3);
  assert_int_equal(metrics_get(METRIC_TTFT, odd, 0), THREADS * ROUNDS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(counters_of_one_cell_are_always_shown, setup, teardown),
      cmocka_unit_test_setup_teardown(labelled_series_appear_with_their_first_event, setup, teardown),
      cmocka_unit_test_setup_teardown(models_tokens_and_cost, setup, teardown),
      cmocka_unit_test_setup_teardown(histograms_are_cumulative_and_in_seconds, setup, teardown),
      cmocka_unit_test_setup_teardown(labels_are_cleaned_and_escaped, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_table_counts_as_other, setup, teardown),
      cmocka_unit_test_setup_teardown(the_same_model_at_two_providers_is_two_pairs, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_out_of_range_is_counted_in_the_first_cell, setup, teardown),
      cmocka_unit_test_setup_teardown(set_copies_a_figure_per_worker, setup, teardown),
      cmocka_unit_test_setup_teardown(the_whole_exposition_is_well_formed, setup, teardown),
      cmocka_unit_test_setup_teardown(threads_with_and_without_a_block_lose_nothing, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
