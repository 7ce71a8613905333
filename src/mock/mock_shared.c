/* Records, aborts and once-only faults: see mock_shared.h. */
#include "mock/mock_shared.h"

#include <stdlib.h>

#include "base/crypto.h"

enum err mock_shared_new(struct mock_shared **out, const struct mock_options *options, struct err_info *info) {
  struct mock_shared *s = calloc(1, sizeof *s);
  if (!s) return err_set(info, ERR_NO_MEMORY, "no memory for the mock");
  s->options = *options;
  s->started_us = clock_mono_us();
  mock_prose_init(&s->prose, options->seed);
  pthread_mutex_init(&s->lock, NULL);
  mock_stored_init(&s->stored);
  mock_shelf_init(&s->shelf);
  *out = s;
  return OK;
}

static void drop_oldest(struct mock_shared *s) {
  struct str *oldest = &s->records[s->record_first];
  s->record_bytes -= oldest->n;
  free((char *)oldest->p);
  *oldest = STR_NONE;
  s->record_first = (s->record_first + 1) % MOCK_RECORDS_MAX;
  s->record_count--;
}

void mock_shared_reset(struct mock_shared *s) {
  mock_stored_clear(&s->stored);
  mock_shelf_reset(&s->shelf);
  pthread_mutex_lock(&s->lock);
  while (s->record_count) drop_oldest(s);
  s->records_seen = s->aborts_seen = 0;
  s->once_count = 0;
  memset(s->once, 0, sizeof s->once);
  for (struct mock *m = s->workers; m; m = m->next) {
    uint64_t *each[] = {&m->counters.requests, &m->counters.answers, &m->counters.streams_started,
                        &m->counters.streams_finished, &m->counters.aborted};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) __atomic_store_n(each[i], 0, __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock(&s->lock);
}

void mock_shared_free(struct mock_shared *s) {
  if (!s) return;
  while (s->record_count) drop_oldest(s);
  mock_stored_destroy(&s->stored);
  mock_shelf_destroy(&s->shelf);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static void put_digest(struct buf *out, struct str secret) {
  struct crypto_hash digest;
  char hex[16];
  buf_put(out, STR("sha256:"));
  if (crypto_sha256(secret, &digest)) return;
  crypto_hex(digest.bytes, sizeof hex / 2, hex);
  buf_put(out, str_from(hex, sizeof hex));
}

static bool is_secret(struct str name) {
  static const char *const names[] = {"authorization",  "proxy-authorization",  "x-api-key", "api-key",
                                      "x-goog-api-key", "x-subscription-token", "cookie"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (str_eq_nocase(name, str_from_c(names[i]))) return true;
  return false;
}

/* A credential keeps its scheme and shows a digest: equal ones can be told from different ones, none can be read. */
static void put_header_value(struct buf *out, struct http_header h) {
  if (!is_secret(h.name)) {
    buf_put_json(out, h.value);
    return;
  }
  struct str scheme, credential;
  buf_put_char(out, '"');
  if (str_cut(h.value, ' ', &scheme, &credential) &&
      (str_eq_nocase(scheme, STR("bearer")) || str_eq_nocase(scheme, STR("basic")))) {
    buf_put(out, scheme);
    buf_put_char(out, ' ');
  } else {
    credential = h.value;
  }
  put_digest(out, credential);
  buf_put_char(out, '"');
}

/* name=value pairs with the value of `key` replaced by its digest. */
static void put_query(struct buf *out, struct str query) {
  struct buf clean;
  buf_init(&clean, 0);
  struct str pair, rest = query;
  bool more = query.n > 0;
  while (more) {
    more = str_cut(rest, '&', &pair, &rest);
    if (str_has_prefix(pair, STR("key="))) {
      buf_put(&clean, STR("key="));
      put_digest(&clean, str_sub(pair, 4, pair.n));
    } else {
      buf_put(&clean, pair);
    }
    if (more) buf_put_char(&clean, '&');
  }
  buf_put_json(out, buf_str(&clean));
  buf_clear(&clean);
}

static void put_lower_json(struct buf *out, struct str name) {
  size_t from = out->n;
  buf_put_json(out, name);
  for (size_t i = from; i < out->n; i++)
    if (out->p[i] >= 'A' && out->p[i] <= 'Z') out->p[i] = (char)(out->p[i] + 32);
}

static void put_record(struct buf *out, const struct http_request *r, struct str body) {
  struct str kept = str_sub(body, 0, MOCK_RECORD_BODY_MAX);
  buf_put(out, STR("{\"method\":"));
  buf_put_json(out, r->method_name);
  buf_put(out, STR(",\"path\":"));
  buf_put_json(out, r->path);
  buf_put(out, STR(",\"query\":"));
  put_query(out, r->query);
  buf_printf(out, ",\"http_minor\":%d,\"headers\":[", r->version_minor);
  for (size_t i = 0; i < r->headers.n; i++) {
    buf_put(out, i ? STR(",[") : STR("["));
    put_lower_json(out, r->headers.v[i].name);
    buf_put_char(out, ',');
    put_header_value(out, r->headers.v[i]);
    buf_put_char(out, ']');
  }
  buf_put(out, STR("],\"body_bytes\":"));
  buf_put_u64(out, body.n);
  buf_put(out, STR(",\"is_cut\":"));
  buf_put(out, kept.n < body.n ? STR("true") : STR("false"));
  buf_put(out, STR(",\"body\":"));
  buf_put_json(out, kept);
  buf_put_char(out, '}');
}

void mock_shared_record(struct mock_shared *s, const struct http_request *r, struct str body) {
  struct buf record;
  buf_init(&record, MOCK_RECORDS_BYTES_MAX / 2);
  put_record(&record, r, body);
  if (record.failed) {
    buf_clear(&record);
    return;
  }
  pthread_mutex_lock(&s->lock);
  while (s->record_count &&
         (s->record_count == MOCK_RECORDS_MAX || s->record_bytes + record.n > MOCK_RECORDS_BYTES_MAX))
    drop_oldest(s);
  s->records[(s->record_first + s->record_count++) % MOCK_RECORDS_MAX] = buf_str(&record);
  s->record_bytes += record.n;
  s->records_seen++;
  pthread_mutex_unlock(&s->lock);
}

void mock_shared_requests_json(struct mock_shared *s, struct buf *out) {
  pthread_mutex_lock(&s->lock);
  buf_put(out, STR("{\"seen\":"));
  buf_put_u64(out, s->records_seen);
  buf_put(out, STR(",\"requests\":["));
  for (unsigned i = 0; i < s->record_count; i++) {
    if (i) buf_put_char(out, ',');
    buf_put(out, s->records[(s->record_first + i) % MOCK_RECORDS_MAX]);
  }
  buf_put(out, STR("]}\n"));
  pthread_mutex_unlock(&s->lock);
}

/* --- aborts and once ---------------------------------------------------------------------------------------------- */

void mock_shared_abort(struct mock_shared *s, struct str model, bool is_stream, uint64_t events_sent) {
  pthread_mutex_lock(&s->lock);
  struct mock_abort *a = &s->aborts[s->aborts_seen++ % MOCK_ABORTS_MAX];
  size_t n = model.n < sizeof a->model - 1 ? model.n : sizeof a->model - 1;
  if (n) memcpy(a->model, model.p, n);
  a->model[n] = 0;
  a->is_stream = is_stream;
  a->events_sent = events_sent;
  a->at_us = clock_mono_us();
  pthread_mutex_unlock(&s->lock);
}

bool mock_shared_is_first(struct mock_shared *s, uint32_t fault, struct str text) {
  uint64_t hash = str_hash(text, fault) | 1;
  bool is_first = true;
  pthread_mutex_lock(&s->lock);
  if (s->once_count > MOCK_ONCE_MAX / 2) {
    memset(s->once, 0, sizeof s->once);
    s->once_count = 0;
  }
  size_t at = (hash >> 1) % MOCK_ONCE_MAX;
  while (s->once[at] && s->once[at] != hash) at = (at + 1) % MOCK_ONCE_MAX;
  if (s->once[at]) {
    is_first = false;
  } else {
    s->once[at] = hash;
    s->once_count++;
  }
  pthread_mutex_unlock(&s->lock);
  return is_first;
}

static void put_aborts(struct mock_shared *s, struct buf *out) {
  uint64_t now = clock_mono_us();
  uint64_t first = s->aborts_seen > MOCK_ABORTS_MAX ? s->aborts_seen - MOCK_ABORTS_MAX : 0;
  for (uint64_t i = s->aborts_seen; i-- > first;) { /* the newest first */
    const struct mock_abort *a = &s->aborts[i % MOCK_ABORTS_MAX];
    buf_put(out, i + 1 == s->aborts_seen ? STR("{\"model\":") : STR(",{\"model\":"));
    buf_put_json(out, str_from_c(a->model));
    buf_printf(out, ",\"stream\":%s,\"events_sent\":%llu,\"ago_ms\":%.3f}", a->is_stream ? "true" : "false",
               (unsigned long long)a->events_sent, (double)(now - a->at_us) / 1000.0);
  }
}

void mock_shared_stats_json(struct mock_shared *s, struct buf *out) {
  struct mock_counters sum = {0};
  uint64_t open = 0;
  bool is_watched = false;
  pthread_mutex_lock(&s->lock);
  for (struct mock *m = s->workers; m; m = m->next) {
    const struct mock_counters *c = &m->counters;
    sum.requests += __atomic_load_n(&c->requests, __ATOMIC_RELAXED);
    sum.answers += __atomic_load_n(&c->answers, __ATOMIC_RELAXED);
    sum.streams_started += __atomic_load_n(&c->streams_started, __ATOMIC_RELAXED);
    sum.streams_finished += __atomic_load_n(&c->streams_finished, __ATOMIC_RELAXED);
    sum.aborted += __atomic_load_n(&c->aborted, __ATOMIC_RELAXED);
    sum.live += __atomic_load_n(&c->live, __ATOMIC_RELAXED);
    if (m->server) {
      is_watched = true;
      open += __atomic_load_n(&http_server_stats(m->server)->connections_open, __ATOMIC_RELAXED);
    }
  }
  buf_put(out, STR("{\"connections_open\":"));
  if (is_watched)
    buf_put_u64(out, open);
  else
    buf_put(out, STR("null"));
  buf_printf(out,
             ",\"requests\":%llu,\"answers\":%llu,\"live\":%llu,\"streams_started\":%llu,\"streams_finished\":%llu,"
             "\"aborted\":%llu,\"aborts\":[",
             (unsigned long long)sum.requests, (unsigned long long)sum.answers, (unsigned long long)sum.live,
             (unsigned long long)sum.streams_started, (unsigned long long)sum.streams_finished,
             (unsigned long long)sum.aborted);
  put_aborts(s, out);
  buf_printf(out, "],\"uptime_ms\":%llu}\n", (unsigned long long)((clock_mono_us() - s->started_us) / 1000));
  pthread_mutex_unlock(&s->lock);
}
