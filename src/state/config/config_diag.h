/* What is wrong with a configuration: every fault, not only the first, each with its place and, where there is one, a
 * way out. Filled by the loaders of src/state and by snapshot sections; read by `maestro check`, the start, the reload
 * and the admin API. Owns its text. A diagnostic never holds the value of a secret member. Not thread-safe. */
#ifndef MAESTRO_STATE_CONFIG_DIAG_H
#define MAESTRO_STATE_CONFIG_DIAG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum config_severity {
  CONFIG_NOTE,    /* worth knowing */
  CONFIG_WARNING, /* something was left out; the rest is in force */
  CONFIG_ERROR,   /* the configuration is not accepted */
};

struct config_diag {
  enum config_severity severity;
  struct str file; /* as opened, or "environment", "command line"; NUL-terminated */
  unsigned line;   /* from 1; 0 unknown or not a file */
  struct str path; /* "providers.groq.baseURL", a variable's name or a flag; may be empty */
  struct str text; /* what is wrong */
  struct str hint; /* what to do, or empty */
};

enum { CONFIG_DIAGS_MAX = 256 };

struct config_diags {
  struct arena arena;
  struct config_diag *items;
  size_t n;
  size_t left_out; /* beyond CONFIG_DIAGS_MAX: counted, not kept */
  unsigned errors, warnings;
};

struct config_place { /* where a diagnostic points */
  struct str file;
  unsigned line;
};

void config_diags_init(struct config_diags *d);
void config_diags_clear(struct config_diags *d);
/* d may be NULL. hint may be NULL. The format is the text. */
void config_diags_add(struct config_diags *d, enum config_severity severity, struct config_place place, struct str path,
                      const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Nothing more will be kept (or d is NULL): what makes a diagnostic dear need not be done. */
static inline bool config_diags_is_full(const struct config_diags *d) { return !d || d->n == CONFIG_DIAGS_MAX; }
const char *config_severity_name(enum config_severity s); /* "error" */
/* "FILE:LINE: error: PATH: TEXT (HINT)" and a newline for each, in the order found. */
void config_diags_write(const struct config_diags *d, struct buf *out);
void config_diag_write(const struct config_diag *d, struct buf *out);
/* [{"severity","file","line","path","text","hint"}] */
void config_diags_write_json(const struct config_diags *d, struct buf *out);

#endif
