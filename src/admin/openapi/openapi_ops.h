/* The endpoints of routes.def, each with what can be said of it, as one list: the OpenAPI document (openapi.c) and the
 * pages for people (openapi_page.c) are written from it. Made once, at the start; immutable afterwards. */
#ifndef MAESTRO_ADMIN_OPENAPI_OPS_H
#define MAESTRO_ADMIN_OPENAPI_OPS_H

#include "admin/change.h"
#include "admin/openapi/openapi_vendors.h"

enum { OPENAPI_VENDORS = 4 };

enum openapi_shape {
  OPENAPI_NONE,   /* no JSON */
  OPENAPI_EMPTY,  /* nothing, with status 200 */
  OPENAPI_ONE,    /* one object */
  OPENAPI_LIST,   /* an array of them */
  OPENAPI_EITHER, /* the one or the other */
  OPENAPI_MODELS, /* the vendor's list of models */
  OPENAPI_MODEL   /* the vendor's model */
};

struct openapi_answer {
  enum openapi_shape shape;
  const struct schema *schema; /* NULL: none, or the vendor's */
  const char *media;           /* other types than JSON: "text/csv|application/x-ndjson"; NULL: none */
};

struct openapi_op {
  const struct endpoint *endpoint;
  enum http_method method;
  const char *tag, *summary, *more; /* never NULL */
  const char *query;                /* "limit:integer,after:string" */
  const char *link;                 /* the vendor's own description, or empty */
  struct openapi_answer answer;     /* where all went well */
  bool is_tagged;                   /* it has an ETag, and If-None-Match is minded */
  /* Whose shapes its answers and errors have: of several a header decides (routes.def). None: our own. */
  const struct openapi_vendor *vendors[OPENAPI_VENDORS];
  size_t vendor_count;
  const struct openapi_vendor_call *call; /* of a model; NULL */
  const struct change_row *row;           /* of what changes something by one; NULL */
  const struct fields *body;              /* NULL: none, or a vendor's */
  unsigned allowed, required;             /* of the body's fields */
  bool is_twin;                           /* the same stands below /admin */
};

/* Before serving; `endpoints` outlives everything. */
void openapi_ops_init(const struct endpoint *endpoints, size_t n);
const struct openapi_op *openapi_ops(size_t *n);

/* Of the answer where all went well. */
int openapi_status(const struct openapi_op *op);
/* Calls fn once for each schema with a name that answers and vendors' errors have, in the order of the list; of those
 * that pass (NULL: all). */
void openapi_each_schema(bool (*passes)(const struct openapi_op *op), void (*fn)(void *arg, const struct schema *s),
                         void *arg);

/* Who may: names in the order of the table; is_open of the op's class. */
enum { OPENAPI_CALLERS = 8 };
const char *openapi_caller(size_t i);
bool openapi_may(const struct openapi_op *op, size_t caller);
/* Whether it is of a list that comes in pages (page.h). */
bool openapi_is_paged(const struct openapi_op *op);
/* Its schema by one of its vendors, which counts for MODELS, MODEL and calls alone. NULL: no JSON. */
const struct schema *openapi_schema(const struct openapi_op *op, size_t vendor);

/* The next {name} of a template, from *at on; false at the end. */
bool openapi_next_name(struct str route, size_t *at, struct str *name);
/* The next "name:type" of op->query, cut off *rest. */
bool openapi_next_query(struct str *rest, struct str *name, struct str *type);

#endif
