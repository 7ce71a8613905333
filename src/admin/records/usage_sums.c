/* Sums of the request log: see usage_sums.h. */
#include "admin/records/usage_sums.h"

#include <stdlib.h>

#include "base/json_out.h"

enum { DAYS_MAX = 400 };

/* ---- by name ---- */

void usage_sums_init(struct usage_sums *g, struct log_reader *r, const struct usage_ask *ask) {
  g->arena = &r->arena;
  g->ask = ask;
  map_init(&g->map, &r->arena);
}

static struct usage_sums_group *group_of(struct usage_sums *g, struct str name, struct str label) {
  struct usage_sums_group *found = map_get(&g->map, name);
  if (found) return found;
  found = ARENA_NEW(g->arena, struct usage_sums_group);
  if (!found) return NULL;
  found->name = arena_dup(g->arena, name);
  found->label = arena_dup(g->arena, label);
  return found->name.p && map_put(&g->map, found->name, found) ? found : NULL;
}

enum err usage_sums_add(struct usage_sums *g, struct str name, struct str label, const struct log_sums *sums) {
  struct usage_sums_group *into = group_of(g, name, label);
  if (!into) return ERR_NO_MEMORY;
  log_sums_add(&into->sums, sums);
  return OK;
}

enum err usage_sums_add_facet(void *arg, const struct log_facet *f, struct err_info *info) {
  (void)info;
  return f->value.n ? usage_sums_add(arg, f->value, f->label, f->sums) : OK;
}

static int more_requests_first(const void *a, const void *b) {
  const struct usage_sums_group *x = *(struct usage_sums_group *const *)a, *y = *(struct usage_sums_group *const *)b;
  int64_t n = x->sums.v[LOG_SUM_ROWS], m = y->sums.v[LOG_SUM_ROWS];
  return n != m ? (n < m ? 1 : -1) : str_cmp(x->name, y->name);
}

struct usage_sums_group **usage_sums_sorted(struct usage_sums *g, size_t *n) {
  struct usage_sums_group **v = ARENA_NEW_ARRAY(g->arena, struct usage_sums_group *, g->map.count);
  *n = v ? g->map.count : 0;
  for (size_t i = 0; i < *n; i++) v[i] = g->map.entries[i].value;
  if (*n) qsort(v, *n, sizeof *v, more_requests_first);
  return v;
}

void usage_sums_put_mean_ms(struct buf *b, const char *key, int64_t us, int64_t n) {
  json_out_key(b, key);
  if (n)
    buf_printf(b, "%.1f", (double)us / 1000 / (double)n);
  else
    buf_put(b, STR("null"));
}

/* ---- by day ---- */

enum err usage_sums_add_day(void *arg, const struct log_facet *f, struct err_info *info) {
  const struct usage_sums_days *d = arg;
  (void)info;
  if (f->day >= d->from && f->day < d->from + (int64_t)d->n) log_sums_add(&d->v[f->day - d->from], f->sums);
  return OK;
}

enum err usage_sums_days_new(struct usage_sums_days *d, struct log_reader *r, const struct usage_ask *ask) {
  int64_t n = ask->to - ask->from + 1;
  d->from = ask->from;
  d->n = n < 1 ? 0 : n > DAYS_MAX ? DAYS_MAX : (size_t)n;
  d->v = ARENA_NEW_ARRAY(&r->arena, struct log_sums, d->n);
  return d->v ? OK : ERR_NO_MEMORY;
}
