/* One request, one line and its counts; nothing in it that was not known. */
#include "record/request_log.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "unit.h"

static int fd = -1;

static int set_up(void **state) {
  (void)state;
  char name[] = "/tmp/maestro-test-record-XXXXXX";
  fd = mkstemp(name);
  assert_true(fd >= 0);
  unlink(name);
  log_set_fd(fd);
  log_set_level(LOG_LEVEL_INFO);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  log_set_fd(STDERR_FILENO);
  metrics_clear();
  return close(fd);
}

/* What was written since the last call, without its time. */
static const char *line(void) {
  static char text[4096];
  static off_t seen;
  ssize_t n = pread(fd, text, sizeof text - 1, seen);
  assert_true(n >= 0);
  seen += n;
  text[n] = 0;
  return n ? strchr(text, ' ') + 1 : text;
}

static struct request_record basic(void) {
  return (struct request_record){.request_id = STR("req_1"),
                                 .trace_id = STR("tr_1"),
                                 .route = STR("/v1/models"),
                                 .method = STR("GET"),
                                 .principal = STR("local"),
                                 .client = STR("127.0.0.1"),
                                 .endpoint_label = metrics_endpoint(STR("/v1/models")),
                                 .status = 200,
                                 .duration_us = 1500,
                                 .bytes_in = 1,
                                 .bytes_out = 2};
}

TEST(a_plain_request) {
  struct request_record r = basic();
  request_log_write(&r);
  assert_string_equal(line(),
                      "INFO request request_id=req_1 trace_id=tr_1 method=GET route=/v1/models status=200 "
                      "duration_us=1500 principal=local client=127.0.0.1 bytes_in=1 bytes_out=2\n");
  assert_int_equal(metrics_get(METRIC_REQUESTS, r.endpoint_label, metrics_status_class(200)), 1);
  assert_int_equal(metrics_get(METRIC_REQUEST_DURATION, r.endpoint_label, 0), 1);
  assert_int_equal(metrics_get(METRIC_OVERHEAD, 0, 0), 0);
  r.trace_id = r.request_id; /* said once */
  request_log_write(&r);
  assert_null(strstr(line(), "trace_id"));
}

TEST(a_model_call) {
  struct request_record r = basic();
  r.is_model_call = r.is_stream = true;
  r.model = STR("p/m");
  r.provider = STR("p");
  r.attempts = 2;
  r.upstream_status = 200;
  r.overhead_us = 27;
  request_log_write(&r);
  const char *text = line();
  assert_non_null(strstr(text, " model=p/m provider=p attempts=2 upstream_status=200 stream=true overhead_us=27\n"));
  assert_true(usage_set(&r.usage, USAGE_INPUT, 10) && usage_set(&r.usage, USAGE_OUTPUT, 0));
  r.cost = (struct cost){.is_known = true, .total_nano_usd = 12345};
  r.ttft_us = 99;
  request_log_write(&r);
  assert_non_null(strstr(line(), " ttft_us=99 input_tokens=10 output_tokens=0 cost_nano_usd=12345\n"));
  assert_int_equal(metrics_get(METRIC_OVERHEAD, 0, 0), 2);
}

TEST(failures) {
  struct request_record r = basic();
  struct err_info info = {.text = "up: no \"luck\"\nreally", .code = "theirs"};
  r.status = 502;
  r.error = ERR_UPSTREAM_STATUS;
  r.info = &info;
  request_log_write(&r);
  const char *text = line();
  assert_true(str_has_prefix(str_from_c(text), STR("WARN request ")));
  assert_non_null(strstr(text, " code=theirs error=\"up: no \\\"luck\\\"\\nreally\"\n"));
  r.status = 499;
  r.error = ERR_CANCELLED;
  r.info = NULL;
  request_log_write(&r);
  text = line();
  assert_true(str_has_prefix(str_from_c(text), STR("INFO request ")));
  assert_non_null(strstr(text, " code=cancelled error=\"the client has gone\"\n"));
  assert_int_equal(metrics_get(METRIC_CLIENT_GONE, 0, 0), 1);
}

TEST(below_the_level_only_counts) {
  struct request_record r = basic();
  int64_t before = metrics_get(METRIC_REQUESTS, r.endpoint_label, metrics_status_class(200));
  log_set_level(LOG_LEVEL_ERROR);
  request_log_write(&r);
  assert_string_equal(line(), "");
  assert_int_equal(metrics_get(METRIC_REQUESTS, r.endpoint_label, metrics_status_class(200)), before + 1);
  log_set_level(LOG_LEVEL_INFO);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_plain_request), cmocka_unit_test(a_model_call),
                                     cmocka_unit_test(failures), cmocka_unit_test(below_the_level_only_counts)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
