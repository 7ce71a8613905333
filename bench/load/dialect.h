/* The wire formats the generator can speak: where a request goes, what stands around its text, and by what the events
 * of a stream are told: those with text, the end, an error. Data only (dialect.c), constant; chosen with --dialect.
 * Every row asks for the same: a system text, one user text, a temperature and a limit of output. */
#ifndef BENCH_LOAD_DIALECT_H
#define BENCH_LOAD_DIALECT_H

#include <stdbool.h>

struct dialect {
  const char *name;
  const char *path, *stream_path; /* %s, where it stands, is the model */
  const char *before;             /* the user's text; a %s is the model */
  const char *after, *after_stream;
  bool is_lines;           /* NDJSON; else server-sent events */
  const char *text_member; /* the text of a content event follows */
  const char *end_mark;    /* in the last event, and only there */
  const char *error_mark;
};

const struct dialect *dialect_by_name(const char *name); /* NULL: unknown */

#endif
