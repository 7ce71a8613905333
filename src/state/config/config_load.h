/* The parts of config_load and what they share while a configuration is being made. Inside src/state; one loader lives
 * as long as one call of config_load. */
#ifndef MAESTRO_STATE_CONFIG_LOAD_H
#define MAESTRO_STATE_CONFIG_LOAD_H

#include <stdatomic.h>

#include "state/config/config_read.h"
#include "state/config/config_value.h"

enum { CONFIG_PROVIDERS_MAX = 1024, CONFIG_MODELS_MAX = 4096, CONFIG_PRIORITIES_MAX = 4096, CONFIG_FILES_MAX = 16 };

struct config_variable { /* of .env */
  struct str name;
  const struct secret *value; /* any of them may be a key */
  unsigned line;
};

/* What a struct config is inside. */
struct config_owned {
  struct config config; /* first */
  atomic_uint refs;
  struct arena arena;
  const char *(*env)(void *, const char *);
  void *env_arg;
  struct config_variable *variables;
  size_t variable_count;
  struct str dotenv; /* path */
};

/* A provider as declared, before addresses and credentials are settled. */
struct config_draft {
  struct config_provider p;
  bool is_required_entry; /* of an all-or-nothing source: what is missing is an error */
  bool is_left_out;
};

struct config_loader {
  const struct config_sources *sources;
  struct config_owned *owned;
  struct config *c;
  struct arena *arena; /* the result's */
  struct config_diags *diags;
  const char *config_dir, *data_dir; /* in use: perhaps router-maestro's */
  const char *file;                  /* declared file in use, or NULL */
  struct arena scratch;
  struct config_draft *drafts;
  size_t draft_count, draft_cap;
  bool has_priorities; /* priorities.json gave a list */
  bool is_no_memory;
};

struct config_bytes { /* a file's content; wiped by config_bytes_clear */
  struct buf buf;
  struct str path; /* result's arena */
  unsigned mode;
  bool exists;
};

/* config.c: notes the file for watching and reads it. False when it cannot be read (reported with `severity`); when
 * there is none: true, with exists false. */
bool config_loader_read(struct config_loader *l, const char *path, enum config_severity severity,
                        struct config_bytes *out);
void config_bytes_clear(struct config_bytes *b);
struct str config_loader_dup(struct config_loader *l, struct str s);
/* Warns when others may read a file that holds keys. */
void config_loader_check_mode(struct config_loader *l, const struct config_bytes *b, bool has_secret);

/* config_env.c */
void config_load_dotenv(struct config_loader *l, const char *path);
/* The environment, else .env; false when unset or empty. found (may be NULL) gets origin, place and path. */
bool config_loader_env(const struct config_loader *l, const char *name, struct str *value, struct config_found *found);
void config_load_environment(struct config_loader *l); /* options */
void config_load_flags(struct config_loader *l);

/* config_file.c */
void config_load_file(struct config_loader *l);       /* maestro.json, or --config */
void config_load_priorities(struct config_loader *l); /* priorities.json */

/* config_settings.c: options kept in the store */
void config_load_settings(struct config_loader *l);

/* config_names.c */
void config_load_aliases(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map);
void config_load_groups(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map);
void config_check_names(struct config_loader *l); /* at the end of the file */

/* config_providers.c */
void config_load_provider_map(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map);
void config_load_providers_file(struct config_loader *l); /* providers.json */
void config_load_providers_env(struct config_loader *l);  /* MAESTRO_PROVIDERS */
struct config_draft *config_draft_add(struct config_loader *l, const struct config_draft *draft);

/* config_aws.c: the region of a provider whose preset is of AWS, where it declares none. */
void config_aws_settle_region(struct config_loader *l, struct config_provider *p);
/* The preset's address; of AWS's the one in p's region: the host's second word is replaced. */
struct str config_aws_regional_url(struct config_loader *l, const struct config_provider *p);
/* AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN; false: they are not there. */
bool config_aws_take_keys(struct config_loader *l, struct config_provider *p);

/* config_credentials.c: the type's row; NULL: it has none, or nobody told the vocabulary. */
const struct config_preset *config_preset_of(const struct config_loader *l, struct str type);
/* Presets made active by the environment, addresses, keys; fills c->providers. */
void config_settle_providers(struct config_loader *l);

/* config_read_price.c: the members of a price; `updated` (may be NULL: then no such member) gets the text of its date.
 */
bool config_read_price(struct config_read *r, yyjson_val *key, yyjson_val *val, struct config_price *out,
                       yyjson_val **updated, enum config_severity unknown);

#endif
