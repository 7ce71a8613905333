/* Failures as values. A fallible function returns `enum err` (must be checked) and may write text for people into the
 * `struct err_info *` that is its last parameter (NULL: not wanted). err.def fixes HTTP status, retry class and blame
 * of each code once. Outputs are untouched on failure. No allocation, no state. */
#ifndef MAESTRO_BASE_ERR_H
#define MAESTRO_BASE_ERR_H

#include "base/str.h"

enum err {
  OK = 0,
#define X(name, code, status, retry, blame, text) ERR_##name,
#include "base/err.def"
#undef X
  ERR_COUNT
};

enum err_retry { ERR_RETRY_NEVER, ERR_RETRY_SAME, ERR_RETRY_OTHER };
enum err_blame { ERR_BLAME_NOBODY, ERR_BLAME_CLIENT, ERR_BLAME_UPSTREAM, ERR_BLAME_US };

#define MUST_CHECK __attribute__((warn_unused_result))

enum { ERR_TEXT_MAX = 640, ERR_PARAM_MAX = 128, ERR_CODE_MAX = 64 };

/* Text and detail of one failure. Zero-initialise before use. */
struct err_info {
  char text[ERR_TEXT_MAX];   /* for people; UTF-8; never holds a secret, a URL or a foreign host name */
  char param[ERR_PARAM_MAX]; /* path of the offending member ("messages[0].role"), or empty */
  char code[ERR_CODE_MAX];   /* overrides the table's code when not empty (an upstream's own code) */
  char type[ERR_CODE_MAX];   /* an upstream's own error type, or empty */
  int http_status;           /* overrides the table's status when not 0 (an upstream's own status) */
  int64_t retry_after_ms;    /* when to try again, in ms from now; 0 unknown */
};

const char *err_code(enum err e);     /* "ok" for OK */
const char *err_text(enum err e);     /* default text */
int err_http_status(enum err e);      /* 200 for OK */
enum err_retry err_retry(enum err e); /* NEVER for OK */
enum err_blame err_blame(enum err e);

/* Writes text into info (which may be NULL) and returns e, so that `return err_set(info, ERR_X, "…", …)` reads well. */
enum err err_set(struct err_info *info, enum err e, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with the path of the member at fault. */
enum err err_set_param(struct err_info *info, enum err e, const char *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Paths of members, cut to fit: "base.member", and "base.list[index]". An empty base or member (NULL too) takes its dot
 * with it. Decoders make them for whatever they may have to name, so they cost no format's interpretation. `out` is
 * none of the others. */
void err_path_member(char out[ERR_PARAM_MAX], const char *base, const char *member);
void err_path_index(char out[ERR_PARAM_MAX], const char *base, const char *list, size_t index);
/* The status to answer with: info's own if set, else the table's. */
int err_info_status(enum err e, const struct err_info *info);
/* The text to answer with: info's own if set, else the table's. */
const char *err_info_text(enum err e, const struct err_info *info);
const char *err_info_code(enum err e, const struct err_info *info);

#endif
