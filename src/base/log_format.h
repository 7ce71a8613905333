/* One log line as bytes: the formatting half of log.c, pure. Called on the caller's stack for every line; the result is
 * always one line that ends with '\n' and holds no control character whatever the values were. */
#ifndef MAESTRO_BASE_LOG_FORMAT_H
#define MAESTRO_BASE_LOG_FORMAT_H

#include "base/log.h"

/* Returns the bytes written to out. JSON: {"time":…,"level":…,"event":…,fields}. Text: time LEVEL event key=value …,
 * where a value is quoted as in JSON unless it is plain visible ASCII. */
size_t log_format(char out[LOG_LINE_MAX], bool is_json, int64_t wall_us, enum log_level level, struct str event,
                  const struct log_field *fields, size_t n);

#endif
