/* The configuration: everything declared in files, environment and flags, checked and merged into one immutable value.
 * config_load reads all sources and reports every fault; the result is refcounted and shared by all threads, and a
 * reload makes a new one. Precedence, highest first: flags, environment, .env, maestro.json, settings of the store,
 * priorities.json (fallback only), default. Reading blocks on files: call it at start or on a pool thread, never on a
 * loop. */
#ifndef MAESTRO_STATE_CONFIG_H
#define MAESTRO_STATE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "state/config/config_diag.h"
#include "state/config/config_price.h"
#include "state/names.h"
#include "state/secret.h"

struct http_server_limits;
struct http_client_options;

struct config_strings {
  const struct str *items; /* NUL-terminated each */
  size_t n;
};
struct config_secrets {
  const struct secret *const *items;
  size_t n;
};

/* ---- what the caller knows: types, presets, quirks (the provider room's tables) ---- */

/* A type that is ready to use: a row of presets.def. Also how a plain type ("anthropic", "ollama") gets its address. */
struct config_preset {
  const char *name;         /* type name, and provider id when it becomes active by environment */
  const char *base_url;     /* default; NULL: must be declared or come from base_url_env; "": the provider knows */
  const char *key_env;      /* "OPENROUTER_API_KEY"; NULL: NAME_API_KEY */
  const char *base_url_env; /* "AI_GATEWAY_BASE_URL"; NULL: NAME_BASE_URL */
  bool key_optional;        /* works without a key; then base_url_env makes it active */
  bool is_aws;              /* AWS's access keys serve in place of a key, and its address has a region */
};

struct config_vocabulary {
  const char *const *types; /* plain types, beside the presets' names */
  size_t type_count;
  const struct config_preset *presets;
  size_t preset_count;
  const char *const *quirks; /* NULL: any name is accepted */
  size_t quirk_count;
};
bool config_quirk_is_known(const struct config_vocabulary *v, struct str quirk);
/* The type of provider that an unknown one may have been meant for; NULL: none is near. */
const char *config_type_nearest(const struct config_vocabulary *v, struct str type);

/* ---- where it comes from ---- */

struct config_flag {
  struct str name; /* a flag of options.def without dashes ("port"), or an option's path ("log.level") */
  struct str value;
};

struct config_sources {
  const char *config_dir; /* NULL: no files of a directory (tests) */
  const char *data_dir;   /* for auth.json; NULL: not read */
  const char *file;       /* --config; NULL: MAESTRO_CONFIG, else maestro.json of config_dir if it exists */
  const struct config_flag *flags;
  size_t flag_count;
  const struct names *settings;               /* of the store; NULL: none. Faults in them are warnings */
  const struct config_vocabulary *vocabulary; /* NULL: any type and quirk, no presets */
  /* NULL: no environment. config_getenv is the process's. Kept by the result for config_env. */
  const char *(*env)(void *arg, const char *name);
  void *env_arg;
  /* NULL: the file system. ERR_NOT_FOUND when there is no such file. *mode is st_mode (0: unknown). */
  enum err (*read)(void *arg, const char *path, struct buf *out, unsigned *mode, struct err_info *info);
  void *read_arg;
};

/* For sources.env. */
const char *config_getenv(void *unused, const char *name);
/* $XDG_CONFIG_HOME/maestro and $XDG_DATA_HOME/maestro, or below $HOME; NUL-terminated, from `a`. Relative XDG values
 * are ignored, as their specification asks. ERR_BAD_CONFIG without any of them. */
enum err config_directories(struct arena *a, const char *(*env)(void *, const char *), void *env_arg,
                            const char **config_dir, const char **data_dir, struct err_info *info) MUST_CHECK;
/* Splits "--port 80 --log-level=debug -p 80 --set log.level=debug --config F" into flags (slices of argv, array from
 * `a`). *file is set by --config. An unknown flag is ERR_BAD_VALUE with the nearest known one. `rest` (may be NULL:
 * then an error) gets the words that are not flags. */
enum err config_flags_parse(struct arena *a, int argc, char *const *argv, struct config_flag **flags,
                            size_t *flag_count, const char **file, struct config_strings *rest,
                            struct err_info *info) MUST_CHECK;

/* ---- values ---- */

enum config_log_level { CONFIG_LOG_DEBUG, CONFIG_LOG_INFO, CONFIG_LOG_WARN, CONFIG_LOG_ERROR };
enum config_log_format { CONFIG_FORMAT_AUTO, CONFIG_FORMAT_TEXT, CONFIG_FORMAT_JSON };
enum config_period { CONFIG_PERIOD_TOTAL, CONFIG_PERIOD_MONTH, CONFIG_PERIOD_DAY };
enum config_guard { CONFIG_GUARD_AUTO, CONFIG_GUARD_ON, CONFIG_GUARD_OFF };
enum config_fallback { CONFIG_FALLBACK_PRIORITY, CONFIG_FALLBACK_SAME_MODEL, CONFIG_FALLBACK_NONE };
enum config_context_check { CONFIG_CONTEXT_CHECK_AUTO, CONFIG_CONTEXT_CHECK_OFF };

#define CONFIG_TYPE_BOOL_PLAIN bool
#define CONFIG_TYPE_U32_PLAIN uint32_t
#define CONFIG_TYPE_BYTES_PLAIN uint64_t
#define CONFIG_TYPE_MS_PLAIN uint32_t
#define CONFIG_TYPE_USD_PLAIN int64_t /* nano-USD */
#define CONFIG_TYPE_STRING_PLAIN struct str
#define CONFIG_TYPE_PATH_PLAIN struct str
#define CONFIG_TYPE_LIST_PLAIN struct config_strings
#define CONFIG_TYPE_ENUM_PLAIN unsigned                 /* index into the choices: enum config_log_level … */
#define CONFIG_TYPE_STRING_SECRET const struct secret * /* NULL: not set */
#define CONFIG_TYPE_LIST_SECRET struct config_secrets

/* One member for each row of options.def: server_host, server_port, … */
struct config_options {
#define X(kind, member, path, env, flag, def, min, max, apply, secrecy, choices, check, help) \
  CONFIG_TYPE_##kind##_##secrecy member;
#include "state/config/options.def"
#undef X
};

enum config_option_id {
#define X(kind, member, path, env, flag, def, min, max, apply, secrecy, choices, check, help) CONFIG_OPTION_##member,
#include "state/config/options.def"
#undef X
  CONFIG_OPTION_COUNT
};

enum config_origin { /* where a value comes from, weakest first */
                     CONFIG_FROM_DEFAULT,
                     CONFIG_FROM_PRIORITIES, /* priorities.json */
                     CONFIG_FROM_STORE,      /* settings that an administrator keeps there */
                     CONFIG_FROM_FILE,       /* maestro.json */
                     CONFIG_FROM_DOTENV,
                     CONFIG_FROM_ENVIRONMENT,
                     CONFIG_FROM_FLAG,
};

/* ---- providers ---- */

struct config_model {
  struct str id;   /* the provider's own */
  struct str name; /* for display; the id when none was given */
  struct config_price price;
  uint32_t context_window, max_output; /* tokens; 0 unknown */
  unsigned line;
};

struct config_header {
  struct str name;
  const struct secret *value; /* it may be a credential */
};

enum { CONFIG_TIMEOUT_UNSET = -1, CONFIG_TIMEOUT_MAX_MS = 86400000, CONFIG_QUIRKS_MAX = 64 };
/* Of a provider's own, in the order of timeouts.def; 0: no limit, CONFIG_TIMEOUT_UNSET: the option's. */
struct config_timeouts {
#define X(member, camel, option, help) int32_t member;
#include "state/config/timeouts.def"
#undef X
};
extern const struct config_timeouts config_timeouts_unset;

enum config_usage { CONFIG_USAGE_OPTION, CONFIG_USAGE_ALWAYS, CONFIG_USAGE_NONE };

enum config_credential {
  CONFIG_CREDENTIAL_NONE,      /* none found: not usable until somebody logs in */
  CONFIG_CREDENTIAL_ANONYMOUS, /* no Authorization at all */
  CONFIG_CREDENTIAL_ENV,
  CONFIG_CREDENTIAL_DECLARED, /* apiKey in the file */
  CONFIG_CREDENTIAL_STORED,   /* auth.json */
};

struct config_aws { /* access keys, as AWS's own tools find them in the environment */
  struct str access_key_id;
  const struct secret *secret_access_key;
  const struct secret *session_token; /* of temporary ones; NULL: none */
};

struct config_provider {
  struct str id, type;
  const struct config_preset *preset; /* the type's row, or NULL */
  struct str base_url;                /* checked for form, without trailing '/'; empty: the type knows */
  struct str auth_base_url;           /* OAuth and token hosts; empty: the type's own */
  const struct secret *api_key;       /* NULL: see credential */
  struct str api_key_env;             /* the variable that is or would be read; empty: none */
  struct config_aws aws;              /* in place of a key; secret_access_key NULL: none */
  enum config_credential credential;
  bool allow_unauthenticated;
  struct config_model *models;
  size_t model_count;
  int32_t priority; /* higher is preferred; 0 */
  uint32_t weight;  /* 1 */
  struct str code;  /* as in node:<code>:<model>; empty: the id serves */
  struct config_header *headers;
  size_t header_count;
  struct str region; /* of AWS; where none is declared, that of the environment */
  struct config_timeouts timeouts;
  struct config_strings quirks;
  bool is_active;          /* true */
  bool is_warmup, is_sync; /* "warmup", "autoSync": false */
  bool is_scoped;          /* "scopedModels": its models are asked only where it is named; false */
  enum config_usage usage; /* whether stream_options.include_usage is asked for: on request, always, never */
  bool is_preset;          /* not declared: made active by an environment variable */
  struct config_place place;
};

/* ---- the result ---- */

struct config_file {
  struct str path;
  bool exists;
};

struct config {
  struct config_options options; /* server_workers is the effective number */
  enum config_origin origins[CONFIG_OPTION_COUNT];
  struct config_place places[CONFIG_OPTION_COUNT];
  struct config_secrets keys; /* server.key and server.keys in order, each once; empty: none set by a person */
  struct config_provider
      *providers; /* in order of declaration: maestro.json, providers.json, MAESTRO_PROVIDERS, presets */
  size_t provider_count;
  struct config_strings priorities;     /* "provider/model" */
  struct config_place *priority_places; /* of each */
  struct names names;                   /* declared aliases and groups with their members */
  struct names settings;                /* of the store, as they were read */
  struct config_file *files;            /* every file that was looked for: what to watch */
  size_t file_count;
  struct str file; /* the declared file in use, or empty */
};

/* ERR_BAD_CONFIG when any diagnostic is an error: *out is untouched then. `diags` must be initialised; may be NULL. */
enum err config_load(const struct config_sources *sources, struct config **out, struct config_diags *diags) MUST_CHECK;
struct config *config_ref(const struct config *c);
void config_unref(const struct config *c); /* NULL is allowed; wipes the secrets with the last one */
/* A variable of the process's environment, else of .env; false when it is unset or empty. Where variables are read that
 * are no options (AWS_REGION, DATABASE_URL). *value is valid as long as c, and as the environment. */
bool config_env(const struct config *c, const char *name, struct str *value);
/* By id, ASCII case ignored; NULL when there is none. */
const struct config_provider *config_provider_find(const struct config *c, struct str id);
/* Adds a warning for each option that differs between the two and needs a restart. */
void config_note_restart(const struct config *running, const struct config *next, struct config_diags *diags);
/* server.limits.* in the server's own struct; tls.* and upstream.* in the client's. */
void config_server_limits(const struct config *c, struct http_server_limits *out);
void config_client_options(const struct config *c, struct http_client_options *out);

/* ---- the table, for help and documents ---- */

struct config_option {
  enum config_option_id id;
  const char *path, *env, *flag, *kind, *default_text, *choices, *help;
  uint64_t min, max;
  bool is_reloadable, is_secret;
};
const struct config_option *config_option(enum config_option_id id);
/* The options that have a flag, for `maestro serve --help`. */
void config_write_help(struct buf *out);
/* docs/config.md. */
void config_write_docs(struct buf *out);

#endif
