/* Structured log lines, as text or JSON. A worker formats its line on its own stack and copies it into its ring (one
 * producer, one consumer, no lock, no system call); one writer thread drains the rings. A full ring drops the line and
 * counts it. Threads without a ring, and everybody while no writer runs, write directly with one write() per line.
 *
 * What may be logged is decided by types: a line is an event name (a literal) and fields whose names come from
 * log_field.def; no format string, no field for a raw target, query, header or body, and no constructor for a secret.
 * Values are escaped and cut at LOG_VALUE_MAX bytes; a line at LOG_LINE_MAX (the last field then is "cut").
 *
 *   log_line(LOG_LEVEL_INFO, "request", log_str(LOG_ROUTE, route), log_u64(LOG_STATUS, 200));
 *
 * SIGPIPE must be ignored by the process. After fork a child writes directly. */
#ifndef MAESTRO_BASE_LOG_H
#define MAESTRO_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_OFF };
enum { LOG_LINE_MAX = 2048, LOG_EVENT_MAX = 96, LOG_VALUE_MAX = 512, LOG_FIELDS_MAX = 32, LOG_RINGS_MAX = 256 };

enum log_name {
#define X(name, key, meaning) LOG_##name,
#include "base/log_field.def"
#undef X
  LOG_NAME_COUNT
};

struct log_field {
  enum log_name name;
  enum { LOG_TYPE_STR, LOG_TYPE_U64, LOG_TYPE_I64, LOG_TYPE_BOOL } type;
  union {
    struct str str;
    uint64_t u64;
    int64_t i64;
    bool boolean;
  } v;
};

static inline struct log_field log_str(enum log_name name, struct str v) {
  return (struct log_field){name, LOG_TYPE_STR, {.str = v}};
}
static inline struct log_field log_c(enum log_name name, const char *v) { return log_str(name, str_from_c(v)); }
static inline struct log_field log_u64(enum log_name name, uint64_t v) {
  return (struct log_field){name, LOG_TYPE_U64, {.u64 = v}};
}
static inline struct log_field log_i64(enum log_name name, int64_t v) {
  return (struct log_field){name, LOG_TYPE_I64, {.i64 = v}};
}
static inline struct log_field log_bool(enum log_name name, bool v) {
  return (struct log_field){name, LOG_TYPE_BOOL, {.boolean = v}};
}

/* One line. `event` is a literal of at most LOG_EVENT_MAX bytes; fields follow, at least one. Their values are not
 * evaluated below the level. */
#define log_line(level, event, ...)                                                          \
  do {                                                                                       \
    _Static_assert(sizeof(event) - 1 <= LOG_EVENT_MAX, "the event would be cut");            \
    if (log_is_on(level)) {                                                                  \
      const struct log_field log_fields_[] = {__VA_ARGS__};                                  \
      log_write((level), STR(event), log_fields_, sizeof log_fields_ / sizeof *log_fields_); \
    }                                                                                        \
  } while (0)

bool log_is_on(enum log_level level);
void log_write(enum log_level level, struct str event, const struct log_field *fields, size_t n);

/* Reloadable, from any thread. Defaults: info, text, standard error. */
void log_set_level(enum log_level level);
/* "debug", "info", "warn" or "warning", "error" or "critical", "off"; case ignored. */
bool log_level_parse(struct str s, enum log_level *out) MUST_CHECK;
void log_set_json(bool is_json);
void log_set_fd(int fd); /* borrowed; not while other threads log */

struct log_options {
  size_t ring_bytes; /* per worker, rounded up to a power of two; 0: 256 KiB */
};
/* Starts the writer thread. Without it everything works, by direct writes. */
enum err log_start(const struct log_options *options, struct err_info *info) MUST_CHECK;
/* Gives the calling thread a ring; log_worker_detach before the thread ends. Without a writer it does nothing. */
enum err log_worker_attach(struct err_info *info) MUST_CHECK;
void log_worker_detach(void);
/* Waits until everything put into a ring before this call was written, or timeout_ms passed (then false). Not on a
 * worker that serves: it blocks the thread. */
bool log_flush(uint32_t timeout_ms);
/* Writes what is left, ends the thread, frees the rings. All workers have detached. */
void log_stop(void);

uint64_t log_dropped_total(void); /* lines lost to full rings or failed writes */

#endif
