/* What an administrator keeps of names: aliases, groups and their members, tool sets, settings of models, system
 * prompts, settings. A value read whole from the store, immutable afterwards; the snapshot's section of names
 * (route/route_names.h) is made of it. Kinds and fields are rows of names.def, so that reading and writing them is one
 * piece of code for all. The text form is one JSON object a line, as `maestro store export` writes it. */
#ifndef MAESTRO_STATE_NAMES_H
#define MAESTRO_STATE_NAMES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "llm/price.h"
#include "state/config/config_diag.h"
#include "state/store/db.h"

enum names_kind {
#define K(KIND, name, word, query) NAMES_##KIND,
#include "state/names.def"
#undef K
  NAMES_KINDS
};

enum {
  NAMES_PINS_MAX = 64,
  NAMES_PRIORITY_MAX = 1000000, /* of a pin, and its negative */
  NAMES_ROWS_MAX = 20000,       /* of a kind */
  NAMES_LIST_MAX = 1024,
  NAMES_TEXT_MAX = 256 /* bytes of a list's element */
};

struct names_list {
  const struct str *v;
  size_t n;
  bool is_set; /* false: null */
};

/* The only providers that something is asked at. */
struct names_pins {
  struct names_list nodes;
  const int64_t *priority; /* one for each, higher first; NULL: all 0 */
};

/* First in every row. */
struct names_row {
  int64_t id; /* of the store: never given twice; 0: declared */
  int64_t created_us, updated_us;
  struct config_place place; /* of a declared one */
};

enum names_strategy { NAMES_ROUND_ROBIN, NAMES_WEIGHTED, NAMES_PRIORITY };
#define NAMES_SCOPES "global|user|node|group|model|mapping" /* as users write them, in this order */
enum names_scope { NAMES_FOR_ALL, NAMES_FOR_USER, NAMES_FOR_NODE, NAMES_FOR_GROUP, NAMES_FOR_MODEL, NAMES_FOR_ALIAS };

struct names_alias { /* one of (name, node) */
  struct names_row row;
  struct str name, real, node;
  int64_t context_tokens; /* 0: not said */
  struct names_list capabilities;
};
struct names_group {
  struct names_row row;
  struct str name, description;
  unsigned strategy; /* enum names_strategy */
  bool is_active, is_listed;
  int64_t priority, max_retries; /* -1: fallback.maxRetries */
};
struct names_member { /* one of (group, model) */
  struct names_row row;
  struct str group, model;
  struct names_list tags;
  struct names_pins pins;
  int64_t weight, priority;
  bool is_fallback, is_fallback_413, is_metadata_source, is_active;
};
struct names_tool_set {
  struct names_row row;
  struct str name, description;
  struct names_list tools;
};
struct names_model { /* one of (prefix) */
  struct names_row row;
  struct str prefix, tool_set;
  bool is_exact, is_active, is_closed;
  struct names_list tools, unsupported;
  int64_t context_tokens, max_context_tokens;     /* 0: not said */
  int64_t requests_per_minute, tokens_per_minute; /* -1: no limit */
  int64_t cost_factor;                            /* billionths; PRICE_ONCE: as it is */
};
struct names_prompt { /* one of (scope, value, priority) */
  struct names_row row;
  unsigned scope; /* enum names_scope */
  struct str value, text, description;
  int64_t priority;
  bool is_active;
};
struct names_setting {
  struct names_row row;
  struct str name, value, description;
};

struct names_table {
  void *v; /* rows of the kind's struct */
  size_t n;
};
struct names {
  struct arena arena;
  struct names_table of[NAMES_KINDS]; /* in order of id */
};

/* names_group_at(n, i) and so on: row i of a kind. */
#define K(KIND, name, word, query)                                                              \
  static inline const struct names_##name *names_##name##_at(const struct names *n, size_t i) { \
    return (const struct names_##name *)n->of[NAMES_##KIND].v + i;                              \
  }
#include "state/names.def"
#undef K

enum names_type {
  NAMES_TEXT,
  NAMES_PROSE,
  NAMES_NUMBER,
  NAMES_LIMIT,
  NAMES_TOKENS,
  NAMES_FACTOR,
  NAMES_FLAG,
  NAMES_WORD,
  NAMES_LIST,
  NAMES_PINS,
  NAMES_NODE = NAMES_TEXT /* of a provider or node: the API takes numbers, too */
};
struct names_field {
  enum names_kind kind;
  enum names_type type;
  struct str key;
  size_t offset; /* in the row */
  int64_t min, max, by_default;
  const char *words; /* "a|b", or NULL */
  const char *help;
};
/* The fields of a kind, in order; *n says how many. */
const struct names_field *names_fields(enum names_kind kind, size_t *n);
const char *names_kind_word(enum names_kind kind);
size_t names_row_bytes(enum names_kind kind);
/* What is wrong with a row's value of a field, or NULL. */
const char *names_check(const struct names_field *f, const void *row);
/* The index of a word among "a|b|c"; false: none of them. */
bool names_word_parse(const char *words, struct str word, unsigned *out) MUST_CHECK;
struct str names_word(const char *words, unsigned index);
/* "128000", "198K", "1M": tokens, of 1 to 1,000,000,000. */
bool names_tokens_parse(struct str text, int64_t *out) MUST_CHECK;

void names_init(struct names *n);
void names_clear(struct names *n);
/* Fills a row with its defaults. */
void names_row_init(enum names_kind kind, void *row);
/* Adds a zeroed row with the defaults to the value; NULL: no memory, or too many. Rows may move. */
void *names_add(struct names *n, enum names_kind kind) MUST_CHECK;
/* Everything, within the caller's transaction. On failure *out is left cleared. */
enum err names_load(struct db *db, struct names *out, struct err_info *info) MUST_CHECK;
const struct names_group *names_find_group(const struct names *n, struct str name);
const struct names_tool_set *names_find_tool_set(const struct names *n, struct str name);
/* The row of that id, or NULL. */
const void *names_find_id(const struct names *n, enum names_kind kind, int64_t id);

/* The first that is there before already, or nodes.n. */
size_t names_pins_double(const struct names_pins *pins);
/* Whether a group would be shown as both; only active members count. */
bool names_are_two_sources(const struct names_member *a, const struct names_member *b);

/* A list as JSON text, which is what the store keeps of it, and back. {NULL, 0}: no memory, or null. */
struct str names_list_text(struct arena *a, const struct names_list *list);
enum err names_list_parse(struct arena *a, struct str text, struct names_list *out) MUST_CHECK;
/* The same of pins; those of one priority are a list. */
struct str names_pins_text(struct arena *a, const struct names_pins *pins);
enum err names_pins_parse(struct arena *a, struct str text, struct names_pins *out) MUST_CHECK;

/* The members of a row, as the API and the export say them, into an object that is being written. */
void names_put_fields(struct buf *out, enum names_kind kind, const void *row);
/* Strict: an unknown member, a wrong type, a value out of range is an error with the member's path. Members that are
 * absent leave the row as it is, unless is_whole: then ERR_MISSING for those that have to be said. Texts are copied. */
enum err names_read_fields(struct arena *a, enum names_kind kind, const struct json_node *object, bool is_whole,
                           void *row, struct err_info *info) MUST_CHECK;

/* Rows of all kinds. */
size_t names_count(const struct names *n);
/* The text form. A first line says what follows and how many. */
void names_write(const struct names *n, struct buf *out);
/* Strict, as people_read is; ERR_BAD_VALUE with the line. */
enum err names_read(struct str text, struct names *out, struct err_info *info) MUST_CHECK;

#endif
