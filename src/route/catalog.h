/* The catalog: which models can be called where. Built from configuration, registry and what providers list, as a
 * section of the snapshot; immutable afterwards. A deployment is a provider x model. Read by resolve and the model
 * lists. */
#ifndef MAESTRO_ROUTE_CATALOG_H
#define MAESTRO_ROUTE_CATALOG_H

#include "base/map.h"
#include "dialect/dialect.h"
#include "llm/price.h"
#include "provider/provider.h"
#include "state/node.h"
#include "state/registry.h"
#include "state/snapshot.h"

struct deployment;

struct catalog_provider {
  struct provider provider;
  const struct dialect *dialects[PROVIDER_ENDPOINTS_MAX]; /* of the type's endpoints, in their order */
  int32_t priority;                                       /* higher is preferred */
  bool is_open;   /* its models are not known: any id may be asked for as provider/id */
  bool is_scoped; /* its models are asked only where it is named, not by a model's id alone */
  bool is_demo;
  bool is_ready;           /* has a credential or needs none */
  const struct node *node; /* kept in the store; NULL: declared */
  unsigned runtime;        /* slot of route/runtime */
  unsigned metrics_label;
  size_t first, count;                  /* its deployments, a run of catalog.deployments */
  const struct deployment *deployments; /* the same: where it begins */
};

struct deployment {
  const struct catalog_provider *at;
  struct str model;                      /* as the provider knows it */
  struct str qualified;                  /* "provider/model" */
  struct price price;                    /* known == 0: unknown */
  const struct registry_model *spec;     /* NULL: not in the registry */
  int64_t context_tokens, output_tokens; /* -1 unknown */
  unsigned metrics_label;                /* of the pair */
  bool is_known; /* declared or in the registry, not merely listed by its provider: surely a chat model */
  size_t order;  /* position in `priorities`; SIZE_MAX: not among them */
};

struct catalog {
  struct arena arena;
  struct registry *registry;
  struct catalog_provider *providers;
  size_t provider_count;
  struct deployment *deployments; /* grouped by provider, in order of declaration */
  size_t deployment_count;
  const struct deployment **ranked;     /* all of them, preferred first: priorities, then priority, then declaration */
  const struct deployment **priorities; /* the configured list, as far as it exists */
  size_t priority_count;
  struct map by_qualified; /* -> struct deployment * */
  struct map by_model;     /* -> struct catalog_name *: every deployment of a model id */
  struct map by_provider;  /* -> struct catalog_provider * */
  struct map by_code;      /* the same, also by the code of a declared one: node:<code>:<model> */
  struct map switched_off; /* "provider/model" of nodes' models that an administrator has taken away */
  /* What it was made of, referenced: the same again gives the same catalog. */
  const struct config *config;
  const struct nodes *nodes; /* all that are kept in the store; NULL: nothing is known of any */
  uint64_t discovered;
};

/* The deployments of one model id, preferred first. */
struct catalog_name {
  const struct deployment **v; /* for who says the id alone: none of scoped providers */
  size_t n;
  const struct deployment **all;
  size_t all_n;
};

/* What is outside the configuration: set by main before the first build, thread-safe. The demo provider is in the
 * catalog where nothing else is configured; its origin is a loopback listener of this process. */
void catalog_set_demo_url(const char *base_url);
/* The section: {"catalog", build, free}. */
extern const struct snapshot_section catalog_section;

/* A provider's model by the id that it knows it by; NULL: it is not known to have it. */
const struct deployment *catalog_find(const struct catalog *c, struct str provider, struct str model);

bool catalog_is_among(const struct deployment *const *v, size_t n, const struct deployment *d);

/* The declared provider that a node must give way to, since it has its code; NULL: none. */
const struct config_provider *catalog_shadow_of(const struct config *config, const struct node *node);

/* What config_load must know of provider types. */
const struct config_vocabulary *catalog_vocabulary(void);

#endif
