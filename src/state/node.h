/* Nodes: providers that an administrator keeps in the store. Read as a whole, from the store or from a text, into one
 * arena; immutable afterwards. A node is a struct config_provider like a declared one, so that the catalog
 * (route/catalog.c) treats both alike; what it has beside is its number, its name and the models it listed.
 *
 * Its credential (key, AWS keys, headers) is one text, sealed with a key derived from the store's (store_seal_key) and
 * bound to the node's origin: what was copied beside another address does not open. Invariant: it never leaves this
 * process but towards that origin; no function here writes it in clear. */
#ifndef MAESTRO_STATE_NODE_H
#define MAESTRO_STATE_NODE_H

#include "base/crypto.h"
#include "state/config/config.h"
#include "state/store/db.h"

enum {
  NODE_CODE_MAX = 30,
  NODE_NAME_MAX = 100,
  NODE_HEADERS_MAX = 32,
  NODE_MODELS_MAX = 4096,
  NODE_MODEL_NAME_MAX = 256,
  NODES_MAX = 1024
};

struct node_model {
  struct str name;
  bool is_available;      /* an administrator's switch; asking the node does not change it */
  bool is_listed;         /* by the node, when it was last asked */
  int64_t context_tokens; /* as an administrator says; 0: as the node does */
  int64_t listed_tokens;  /* as the node says; 0: it does not */
  int64_t size_bytes;     /* 0: unknown, as are the next two when empty */
  struct str family, digest;
  int64_t seen_us; /* when it was last listed; 0: never */
};

struct node {
  int64_t id;               /* never given twice */
  struct str name;          /* for people */
  struct config_provider p; /* its id is the node's code */
  bool allow_private;       /* its address may be loopback or private */
  struct str health_url;    /* of its own origin; empty: the list of models is asked for */
  struct str sealed;        /* the credential as it is stored; empty: none */
  bool is_shut;             /* it cannot be opened: another key, or a changed address */
  struct node_model *models;
  size_t model_count;
  int64_t created_us, updated_us, synced_us; /* wall clock; synced_us 0: never */
};

struct nodes {
  struct arena arena;
  struct node *v; /* in order of id */
  size_t n;
};

/* The key of node credentials. */
struct node_key {
  uint8_t bytes[CRYPTO_KEY_BYTES];
};
enum err node_key_derive(struct str master, struct node_key *out) MUST_CHECK;

/* ^[a-z0-9_-]{1,30}$ */
bool node_code_is_valid(struct str code);
/* "My GPU 1" -> "my-gpu-1", for nodes without a code of their own; empty when nothing of it can stay. */
struct str node_code_of_name(struct arena *a, struct str name);
bool node_name_is_valid(struct str name);
bool node_model_name_is_valid(struct str name);
/* "https://host:port" of a base URL; empty when it is none, or without memory. */
struct str node_origin(struct arena *a, struct str base_url);
/* The tokens of a model's context, by whoever said so: 0 when nobody did. */
int64_t node_model_context(const struct node_model *m);

/* node->p's key, AWS keys and headers into node->sealed (memory from a), or out of it. Opening never fails for what
 * lies in the store: is_shut tells. */
enum err node_seal(struct arena *a, const struct node_key *key, struct node *node, struct err_info *info) MUST_CHECK;
enum err node_unseal(struct arena *a, const struct node_key *key, struct node *node) MUST_CHECK;
/* The last four characters of its key, when there are enough before them; else empty. Into out, NUL-terminated. */
struct str node_key_hint(const struct node *node, char out[8]);
bool node_has_credential(const struct node *node); /* a key or AWS keys, be they readable or not */

void node_list_init(struct nodes *nodes);
void node_list_clear(struct nodes *nodes);
/* All (id 0) or one. With key NULL credentials stay sealed. On failure *out is left cleared. */
enum err nodes_load(struct db *db, int64_t id, const struct node_key *key, struct nodes *out,
                    struct err_info *info) MUST_CHECK;
/* By code, ASCII case ignored, or by number ("12"); NULL when there is none. */
const struct node *nodes_find(const struct nodes *nodes, struct str code_or_id);

/* The text form: a line that says what it is, then one JSON object a line and node. With credentials they are in it as
 * sealed as in the store. */
void nodes_write(const struct nodes *nodes, bool with_credentials, struct buf *out);
/* Strict, as people_read is: ERR_BAD_VALUE names the line. Credentials stay sealed. */
enum err nodes_read(struct str text, struct nodes *out, struct err_info *info) MUST_CHECK;

void node_init(struct node *node); /* what a node is before anything is said of it */
/* NODE_WORDS as one text, and back; memory from a. */
struct str node_words_text(struct arena *a, const struct config_strings *words);
enum err node_words_parse(struct arena *a, struct str text, struct config_strings *out) MUST_CHECK;

/* One node as a row and as a text have it: what store_node.c and node_text.c go through. */
enum node_field_type {
  NODE_TEXT,
  NODE_I64,
  NODE_I32,
  NODE_U32,
  NODE_BOOL,
  NODE_WORDS, /* struct config_strings; in the store one text, with a space between two */
  NODE_BYTES
};
struct node_field {
  const char *key;
  enum node_field_type type;
  size_t offset;
};
enum { NODE_FIELDS = 25, NODE_MODEL_FIELDS = 9 };
extern const struct node_field node_fields[NODE_FIELDS]; /* in the order of NODE_LIST's columns */
extern const struct node_field
    node_model_fields[NODE_MODEL_FIELDS]; /* in that of NODE_MODELS_LIST's, from the second */

#endif
