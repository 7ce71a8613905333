/* Values as people write them, and the options table with what the loaders need beyond the public rows. Inside
 * src/state. Pure but for config_value_set_*, which write one option into a configuration under construction. */
#ifndef MAESTRO_STATE_CONFIG_VALUE_H
#define MAESTRO_STATE_CONFIG_VALUE_H

#include "state/config/config_read.h"

/* "250", "250ms", "10s", "5m", "1h" */
bool config_value_ms(struct str text, uint64_t *out);
/* "4096", "64KiB", "64k", "1MB" (K, M, G, T and KiB … are powers of 1024, KB … of 1000) */
bool config_value_bytes(struct str text, uint64_t *out);
/* true, yes, on, 1; false, no, off, 0; in any case */
bool config_value_bool(struct str text, bool *out);

enum config_kind {
  CONFIG_KIND_BOOL,
  CONFIG_KIND_U32,
  CONFIG_KIND_BYTES,
  CONFIG_KIND_MS,
  CONFIG_KIND_USD,
  CONFIG_KIND_STRING,
  CONFIG_KIND_PATH,
  CONFIG_KIND_LIST,
  CONFIG_KIND_ENUM,
};

struct config_row {
  struct config_option option; /* what everybody may see */
  enum config_kind kind;
  size_t offset;                          /* in struct config_options */
  const char *(*check)(struct str value); /* NULL: anything; else the reason against it */
};
const struct config_row *config_row(enum config_option_id id);
/* The choice's index, any spelling, ASCII case ignored; SIZE_MAX when there is none. */
size_t config_row_choice(const struct config_row *row, struct str text);
/* "debug, info, warn or error" */
void config_row_choices(const struct config_row *row, char *out, size_t out_bytes);

/* Where a value was found, for its fault and for config.places. */
struct config_found {
  enum config_origin origin;
  struct config_place place;
  struct str path;    /* as the person who wrote it calls it: variable, flag or key */
  const char *folder; /* that a relative PATH belongs to; NULL: the current one */
};

/* Both report a fault (with r->severity) and leave the option as it was, false; memory failures set r->is_no_memory.
 * `r` lends arena, diags and flags; for text no file needs to be open. */
bool config_value_set_text(struct config_read *r, struct config *c, const struct config_row *row,
                           const struct config_found *found, struct str text);
bool config_value_set_json(struct config_read *r, struct config *c, const struct config_row *row,
                           const struct config_found *found, yyjson_val *key, yyjson_val *val);

#endif
