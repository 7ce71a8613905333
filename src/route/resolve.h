/* A name to deployments: the first steps of the contract's order, pure over the catalog. */
#ifndef MAESTRO_ROUTE_RESOLVE_H
#define MAESTRO_ROUTE_RESOLVE_H

#include "route/route_names.h"

enum resolve_how {
  RESOLVE_BRAIN,     /* maestro, maestro-auto */
  RESOLVE_PRIORITY,  /* router-maestro: the configured list in order */
  RESOLVE_SMOKE,     /* test: an answer without a provider */
  RESOLVE_NODE,      /* node:code:model */
  RESOLVE_GROUP,     /* a group's members, as its strategy has them this time */
  RESOLVE_ALIAS,     /* what an alias stands for */
  RESOLVE_QUALIFIED, /* provider/model */
  RESOLVE_MODEL      /* an exact model id, wherever it is, with or without Ollama's ":latest" */
};

/* The names that stand for no single model, as model lists show them. */
#define RESOLVE_NAME_AUTO STR("maestro-auto")
#define RESOLVE_NAME_PRIORITY STR("router-maestro")
/* Not shown: it is no model, but a way to see that a client reaches the gateway. */
#define RESOLVE_NAME_SMOKE STR("test")

/* The tag of Ollama's names that may be left out: "llama3" is "llama3:latest", and the reverse. */
#define RESOLVE_LATEST STR(":latest")
static inline struct str resolve_untagged(struct str name) {
  return str_has_suffix(name, RESOLVE_LATEST) ? str_sub(name, 0, name.n - RESOLVE_LATEST.n) : name;
}

struct resolution {
  enum resolve_how how;
  const struct deployment **v; /* candidates, preferred first; at least one */
  size_t n;
  struct str told;                  /* what the answer calls its model; empty: the qualified name that ran */
  const struct route_name *named;   /* the group or alias; NULL: another name */
  const struct deployment **larger; /* for a request that is too long for the one before: asked next then. Those that
                                       are in v as well are asked once */
  size_t larger_n;
};

/* Memory from `a`; names may be NULL: there are none. ERR_NOT_FOUND for a node that is not there; ERR_MODEL_NOT_FOUND
 * with the nearest names; ERR_NO_CREDENTIAL when the only provider of the model lacks its key. */
enum err resolve_name(const struct catalog *c, const struct route_names *names, struct arena *a, struct str name,
                      struct resolution *out, struct err_info *info) MUST_CHECK;
/* Leaves only what `keep` says; where nothing of v is left, what is larger takes its place. n is then 0 if that is
 * empty, too. */
enum err resolve_keep(struct arena *a, struct resolution *r, bool (*keep)(void *arg, const struct deployment *d),
                      void *arg) MUST_CHECK;
enum resolve_reach {
  RESOLVE_OPEN, /* of a model's id what providers have that are not scoped: who says no more than that */
  RESOLVE_ALL
};
/* The last steps alone: "provider/model", a model's id, the same with or without ":latest". *found is false and *out
 * untouched for any other name. */
enum err resolve_literal(const struct catalog *c, struct arena *a, struct str name, enum resolve_reach reach,
                         struct resolution *out, bool *found) MUST_CHECK;
bool resolve_is_of_node(struct str name); /* "node:<code>:<model>" */
/* Its node, and its model, which is empty where none is named. ERR_NOT_FOUND. */
enum err resolve_node(const struct catalog *c, struct str name, const struct catalog_provider **at, struct str *model,
                      struct err_info *info) MUST_CHECK;
/* Names that no group and no alias may have, since they would never be asked: the brain's, "node:…" and "test". */
bool resolve_is_reserved(struct str name);

#endif
