/* One request on its way through the gateway: who asks, what for, how it was answered. Made by exchange_run on the
 * exchange's fiber, passed to the endpoint, recorded at the end; nothing outlives the exchange. */
#ifndef MAESTRO_GATEWAY_REQUEST_CONTEXT_H
#define MAESTRO_GATEWAY_REQUEST_CONTEXT_H

#include "base/id.h"
#include "call/call.h"
#include "call/manage.h"
#include "dialect/dialect.h"
#include "gateway/reply.h"
#include "policy/auth.h"
#include "policy/auth_failures.h"
#include "policy/cors.h"
#include "policy/principals.h"
#include "route/route_names.h"

/* What a worker brings to every request; lives as long as the worker. */
struct gateway_worker {
  unsigned index;
  struct http_client *client;
  struct auth_failures *failures;
};

/* Rows of the snapshot, in the order of gateway_snapshot_table. */
enum gateway_section {
  GATEWAY_CATALOG,
  GATEWAY_NAMES,
  GATEWAY_PRINCIPALS,
  GATEWAY_RULES,
  GATEWAY_LIMITS,
  GATEWAY_SECTIONS
};

struct request_context;

/* What an endpoint is for: an operation (llm_operation + 1; 0: no call of a model), and what its path says. */
enum endpoint_what {
  GENERATE = LLM_GENERATE + 1,
  COMPLETE = LLM_COMPLETE + 1,
  EMBED = LLM_EMBED + 1,
  COUNT = LLM_COUNT_TOKENS + 1,
  OPERATION_MASK = 7,
  PATH_MODEL = 8,   /* {model} is the model's name */
  PATH_STREAM = 16, /* the answer is a stream */
  SEGMENT = 64,     /* {name} is one segment of the path, without a '/' */
  MANAGED = 128,    /* models of a node are managed: in the request log like a call of a model */
  KEPT = 32         /* answers are kept for later turns, and ids of kept ones may stand in the request (Responses) */
};

/* One row of the route table (app/routes.def). */
struct endpoint {
  struct str route;     /* template, for logs and metrics: "/v1/models/{model}" */
  struct str header;    /* that a request must have; empty: none */
  struct str methods;   /* for Allow: "GET, HEAD, OPTIONS"; of all rows of the template */
  unsigned method_mask; /* bit (1 << enum http_method) */
  unsigned what;        /* enum endpoint_what */
  enum auth_class class;
  unsigned accept;               /* enum auth_accept */
  const struct dialect *dialect; /* of its errors and answers */
  void (*run)(struct request_context *rc);
  unsigned metrics_label;
};

struct request_context {
  struct http_exchange *x;
  const struct http_request *request;
  struct arena *arena;
  struct gateway_worker *worker;
  const struct endpoint *endpoint;
  struct str path_rest;                 /* what the template's {…} matched, still percent-encoded; empty otherwise */
  const struct snapshot *snapshot;      /* referenced */
  const struct config_options *options; /* and what follows: of the snapshot */
  const struct catalog *catalog;
  const struct route_names *names;
  const struct principals *principals;
  struct auth_principal principal;
  struct str request_id, trace_id;
  char request_id_bytes[ID_BYTES];
  uint64_t started_us;
  struct reply reply;
  /* for the record */
  enum err error;
  struct err_info info;
  struct str asked; /* the model's name in the request; empty: not read */
  size_t bytes_in;
  const struct call_outcome *outcome; /* NULL: no model was called */
  const struct manage *managed;       /* NULL: no node was asked to change its models */
  bool is_stream;
};

#endif
