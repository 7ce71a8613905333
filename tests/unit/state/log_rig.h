/* A folder for a request log, and rows for it. */
#ifndef MAESTRO_TESTS_LOG_RIG_H
#define MAESTRO_TESTS_LOG_RIG_H

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/log/log_list.h"
#include "state/log/log_store.h"
#include "unit.h"

enum { LOG_RIG_DAY = 20000 }; /* 2024-10-04 */
#define LOG_RIG_AT(day, second) (log_day_begins_us(day) + (int64_t)(second)*1000000)

struct log_rig {
  char dir[64];
  struct log_store *store;
  struct err_info info;
};

static inline void log_rig_init(struct log_rig *r) {
  const struct log_store_options options = {30, 400, UINT64_C(1) << 40};
  memset(r, 0, sizeof *r);
  snprintf(r->dir, sizeof r->dir, "/tmp/maestro-log-XXXXXX");
  assert_non_null(mkdtemp(r->dir));
  assert_int_equal(log_store_new(&r->store, r->dir, &options, &r->info), OK);
}

static inline unsigned log_rig_files(const struct log_rig *r, const char *suffix) {
  DIR *d = opendir(r->dir);
  unsigned n = 0;
  assert_non_null(d);
  for (struct dirent *f; (f = readdir(d));) n += str_has_suffix(str_from_c(f->d_name), str_from_c(suffix));
  closedir(d);
  return n;
}

static inline void log_rig_clear(struct log_rig *r) {
  log_store_free(r->store);
  DIR *d = opendir(r->dir);
  assert_non_null(d);
  for (struct dirent *f; (f = readdir(d));)
    if (f->d_name[0] != '.') unlinkat(dirfd(d), f->d_name, 0);
  closedir(d);
  assert_int_equal(rmdir(r->dir), 0);
}

static inline struct log_row log_rig_row(int64_t at_us) {
  return (struct log_row){.at_us = at_us,
                          .trace = STR("tr_1"),
                          .text = {[LOG_TEXT_USER] = STR("ann"),
                                   [LOG_TEXT_PRINCIPAL] = STR("user:7"),
                                   [LOG_TEXT_SOURCE] = STR("curl"),
                                   [LOG_TEXT_ENDPOINT] = STR("/v1/chat/completions"),
                                   [LOG_TEXT_TYPE] = STR("chat"),
                                   [LOG_TEXT_ASKED] = STR("gpt"),
                                   [LOG_TEXT_MODEL] = STR("openai/gpt"),
                                   [LOG_TEXT_NODE] = STR("openai")},
                          .status = 200,
                          .attempts = 1,
                          .tokens = {10, 5, -1, -1, -1},
                          .cost_nano_usd = 1000,
                          .ttft_us = 300,
                          .duration_us = 2000};
}

static inline void log_rig_add(struct log_rig *r, const struct log_row *rows, size_t n) {
  size_t written = 0;
  assert_int_equal(log_store_write(r->store, rows, n, &written, &r->info), OK);
  assert_int_equal(written, n);
}

#endif
