/* Sums of the request log by name and by day, gathered from what log_reader_facets gives: for the files that write
 * figures (usage.h). All memory is the reader's arena, so nothing is freed here. */
#ifndef MAESTRO_ADMIN_USAGE_SUMS_H
#define MAESTRO_ADMIN_USAGE_SUMS_H

#include "admin/records/usage.h"
#include "base/map.h"

struct usage_sums_group {
  struct str name, label;
  struct log_sums sums;
};

struct usage_sums {
  struct arena *arena;
  struct map map; /* name -> struct usage_sums_group */
  const struct usage_ask *ask;
};

void usage_sums_init(struct usage_sums *g, struct log_reader *r, const struct usage_ask *ask);
enum err usage_sums_add(struct usage_sums *g, struct str name, struct str label,
                        const struct log_sums *sums) MUST_CHECK;
/* For log_reader_facets, arg: a struct usage_sums. Nobody and nothing has no name, and is left out. */
enum err usage_sums_add_facet(void *arg, const struct log_facet *f, struct err_info *info);
/* All groups, those of most requests first; NULL with *n == 0 where there are none or no memory. */
struct usage_sums_group **usage_sums_sorted(struct usage_sums *g, size_t *n);

struct usage_sums_days {
  int64_t from; /* day */
  size_t n;
  struct log_sums *v;
};

/* ask->from to ask->to, 400 days at most. */
enum err usage_sums_days_new(struct usage_sums_days *d, struct log_reader *r, const struct usage_ask *ask) MUST_CHECK;
/* For log_reader_facets, arg: a struct usage_sums_days. Other days are left out. */
enum err usage_sums_add_day(void *arg, const struct log_facet *f, struct err_info *info);

static inline int64_t usage_sums_tokens(const struct log_sums *s) { return s->v[LOG_SUM_INPUT] + s->v[LOG_SUM_OUTPUT]; }
/* A member in milliseconds: the mean of n; null for none. */
void usage_sums_put_mean_ms(struct buf *b, const char *key, int64_t us, int64_t n);

#endif
