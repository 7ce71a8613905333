/* Reading JSON files that people write: comments and trailing commas allowed, every fault with its line and path,
 * unknown and repeated members found. The tables of members (config_member) are the schemas; this file walks them. Used
 * by the loaders of src/state only. One config_read lives as long as one file is read; what is kept is copied out.
 * Invariant: the text is wiped when it is cleared, since it may hold keys, and no value of a secret member gets into a
 * message. */
#ifndef MAESTRO_STATE_CONFIG_READ_H
#define MAESTRO_STATE_CONFIG_READ_H

#include <yyjson.h>

#include "state/config/config.h"

enum {
  CONFIG_FILE_BYTES_MAX = 4 << 20,
  CONFIG_PATH_BYTES = 512,
  CONFIG_OBJECT_MEMBERS_MAX = 5000, /* repeated members are found by comparing each with each */
};

struct config_read {
  struct str file;
  struct config_diags *diags;
  enum config_severity severity; /* of the faults found */
  struct arena *arena;           /* where results go */
  yyjson_val *root;
  bool is_bad;       /* a fault was found since the reader last set it to false */
  bool is_no_memory; /* sticky */
  bool has_secret;   /* a secret was read: its file should be private */
  char path[CONFIG_PATH_BYTES];
  size_t path_n;
  /* inside */
  yyjson_doc *doc;
  char *text; /* parsed in place: strings and raw numbers point into it, which is how their line is known */
  size_t text_n;
  uint32_t *line_starts;
  size_t line_count;
};

/* Parses. On failure the fault is reported (with r->severity) and false returned; config_read_clear is allowed then.
 * file and arena must outlive r. */
bool config_read_open(struct config_read *r, struct arena *arena, struct config_diags *diags,
                      enum config_severity severity, struct str file, struct str bytes);
void config_read_clear(struct config_read *r);

/* Line of a value, else of its key (either may be NULL); 0 when no file is open. */
unsigned config_read_line(const struct config_read *r, yyjson_val *key, yyjson_val *val);
struct config_place config_read_place(const struct config_read *r, yyjson_val *key, yyjson_val *val);
/* Appends ".name" (or the name, at the root); returns what to give to config_read_pop. */
size_t config_read_push(struct config_read *r, struct str name);
size_t config_read_push_index(struct config_read *r, size_t index);
void config_read_pop(struct config_read *r, size_t mark);
struct str config_read_path(const struct config_read *r);

/* Reports with r->severity at the current path and sets is_bad. hint may be NULL. */
void config_read_fault(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *hint, const char *format,
                       ...) __attribute__((format(printf, 5, 6)));
/* The same with a severity of its own and without is_bad. */
void config_read_note(struct config_read *r, enum config_severity severity, yyjson_val *key, yyjson_val *val,
                      const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* "must be X, not a string" */
void config_read_wrong_type(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *wanted);

struct str config_read_text(yyjson_val *val); /* bytes of a string or raw number, borrowed */
/* Copies; on memory failure the flag is set and STR_NONE returned. */
struct str config_read_dup(struct config_read *r, struct str s);
/* A string of min..max bytes without control characters. */
bool config_read_string(struct config_read *r, yyjson_val *key, yyjson_val *val, size_t min, size_t max,
                        struct str *out);
bool config_read_secret(struct config_read *r, yyjson_val *key, yyjson_val *val, const struct secret **out);
bool config_read_bool(struct config_read *r, yyjson_val *key, yyjson_val *val, bool *out);
bool config_read_u64(struct config_read *r, yyjson_val *key, yyjson_val *val, uint64_t min, uint64_t max,
                     uint64_t *out);
bool config_read_u32(struct config_read *r, yyjson_val *key, yyjson_val *val, uint32_t min, uint32_t max,
                     uint32_t *out);
bool config_read_i32(struct config_read *r, yyjson_val *key, yyjson_val *val, int32_t min, int32_t max, int32_t *out);
/* Milliseconds: a whole number, or a string with a unit. */
bool config_read_ms(struct config_read *r, yyjson_val *key, yyjson_val *val, uint32_t max, uint32_t *out);
bool config_read_strings(struct config_read *r, yyjson_val *key, yyjson_val *val, size_t max_count,
                         struct config_strings *out);
/* One of `names`; *out is its index. */
bool config_read_enum(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *const *names, size_t count,
                      unsigned *out);

struct config_member {
  const char *names; /* "baseURL baseUrl base_url": the first is its name, the others are accepted spellings */
  void (*read)(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out);
};
enum { CONFIG_MEMBERS_MAX = 64 };
/* Reads an object by its table: false (and a fault) when it is none. Repeated members are faults; an unknown one is
 * reported with `unknown` (a CONFIG_ERROR counts as a fault) and the nearest known name. The path is the object's own.
 */
bool config_read_members(struct config_read *r, yyjson_val *key, yyjson_val *obj, const struct config_member *members,
                         size_t count, enum config_severity unknown, void *out);
/* Faults for members that appear twice, naming both lines; and for an object of more than CONFIG_OBJECT_MEMBERS_MAX,
 * which the caller must not walk over then. The values of the first stand. */
void config_read_duplicates(struct config_read *r, yyjson_val *obj);
/* The name among `names` (a space-separated list in each) that is likely meant, or NULL. */
const char *config_read_nearest(struct str word, const char *const *names, size_t count);
/* For maps of entries: is this key the first of its spelling? Call config_read_duplicates for the report. */
bool config_read_is_first(yyjson_val *obj, yyjson_val *key);

#endif
