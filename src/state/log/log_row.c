/* Rows of the request log: see log_row.h. A packed row is its figures as they lie in memory, then its texts. */
#include "state/log/log_row.h"

#include "base/clock.h"

struct packed {
  uint32_t bytes; /* first: LOG_PACKED_HEAD */
  int32_t status;
  int64_t at_us;
  uint32_t attempts;
  uint8_t is_stream, is_estimated, trace_bytes, unused;
  uint8_t text_bytes[LOG_TEXTS + 6]; /* whole words, so that nothing is left unwritten between the members */
  int64_t tokens[USAGE_CLASSES], cost_nano_usd, ttft_us, duration_us;
};

_Static_assert(sizeof(struct packed) <= 128 && LOG_TEXT_MAX <= UINT8_MAX, "LOG_PACKED_MAX has room for it");

size_t log_row_pack(const struct log_row *row, char out[LOG_PACKED_MAX]) {
  struct packed p = {.status = row->status,
                     .at_us = row->at_us,
                     .attempts = row->attempts,
                     .is_stream = row->is_stream,
                     .is_estimated = row->is_estimated,
                     .cost_nano_usd = row->cost_nano_usd,
                     .ttft_us = row->ttft_us,
                     .duration_us = row->duration_us};
  memcpy(p.tokens, row->tokens, sizeof p.tokens);
  struct str trace = str_sub(row->trace, 0, LOG_TRACE_MAX);
  size_t at = sizeof p;
  if (trace.n) memcpy(out + at, trace.p, trace.n);
  p.trace_bytes = (uint8_t)trace.n;
  at += trace.n;
  for (int i = 0; i < LOG_TEXTS; i++) {
    struct str t = row->text[i].n > LOG_TEXT_MAX ? str_cut_utf8(row->text[i], LOG_TEXT_MAX) : row->text[i];
    if (t.n) memcpy(out + at, t.p, t.n);
    p.text_bytes[i] = (uint8_t)t.n;
    at += t.n;
  }
  p.bytes = (uint32_t)at;
  memcpy(out, &p, sizeof p);
  return at;
}

size_t log_row_packed_bytes(const char *head) {
  uint32_t n;
  memcpy(&n, head, sizeof n);
  return n;
}

int64_t log_row_packed_at_us(const char *head) {
  int64_t at_us;
  memcpy(&at_us, head + offsetof(struct packed, at_us), sizeof at_us);
  return at_us;
}

void log_row_unpack(const char *bytes, struct log_row *out) {
  struct packed p;
  memcpy(&p, bytes, sizeof p);
  *out = (struct log_row){.at_us = p.at_us,
                          .status = p.status,
                          .attempts = p.attempts,
                          .is_stream = p.is_stream,
                          .is_estimated = p.is_estimated,
                          .cost_nano_usd = p.cost_nano_usd,
                          .ttft_us = p.ttft_us,
                          .duration_us = p.duration_us};
  memcpy(out->tokens, p.tokens, sizeof p.tokens);
  const char *at = bytes + sizeof p;
  out->trace = str_from(at, p.trace_bytes);
  at += p.trace_bytes;
  for (int i = 0; i < LOG_TEXTS; i++) {
    out->text[i] = str_from(at, p.text_bytes[i]);
    at += p.text_bytes[i];
  }
}

/* Sums saturate: a figure that is too large is wrong, one that went round is absurd. */
static void add(int64_t *sum, int64_t v) {
  if (__builtin_add_overflow(*sum, v, sum)) *sum = INT64_MAX;
}

void log_sums_add_row(struct log_sums *s, const struct log_row *row) {
  s->v[LOG_SUM_ROWS]++;
  s->v[LOG_SUM_SUCCESS] += log_row_is_success(row->status, row->text[LOG_TEXT_ERROR]);
  for (int i = 0; i < USAGE_CLASSES; i++)
    if (row->tokens[i] > 0) add(&s->v[LOG_SUM_INPUT + i], row->tokens[i]);
  if (row->cost_nano_usd >= 0) {
    add(&s->v[LOG_SUM_COST], row->cost_nano_usd);
    s->v[LOG_SUM_PRICED]++;
  }
  s->v[LOG_SUM_USED] += row->tokens[USAGE_INPUT] >= 0 || row->tokens[USAGE_OUTPUT] >= 0;
  s->v[LOG_SUM_ESTIMATED] += row->is_estimated;
  add(&s->v[LOG_SUM_DURATION], row->duration_us);
  if (row->ttft_us >= 0) {
    add(&s->v[LOG_SUM_TTFT], row->ttft_us);
    s->v[LOG_SUM_TTFT_ROWS]++;
  }
  int64_t hour = (row->at_us - log_day_begins_us(log_day(row->at_us))) / INT64_C(3600000000);
  s->hours[hour]++;
}

void log_sums_add(struct log_sums *s, const struct log_sums *other) {
  for (int i = 0; i < LOG_SUMS; i++) add(&s->v[i], other->v[i]);
  for (int i = 0; i < LOG_HOURS; i++) s->hours[i] += other->hours[i];
}

int64_t log_day(int64_t at_us) {
  int64_t day = at_us / INT64_C(86400000000);
  return at_us < 0 && at_us % INT64_C(86400000000) ? day - 1 : day;
}

void log_day_text(int64_t day, char out[LOG_DAY_BYTES]) {
  char text[25];
  clock_format_rfc3339(log_day_begins_us(day), text);
  memcpy(out, text, 10);
  out[10] = '\0';
}
