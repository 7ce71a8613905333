/* The endpoints of routes.def, each with what can be said of it, as one list: the OpenAPI document (openapi.c) and the
 * pages for people (openapi_page.c) are written from it. Made once, at the start; immutable afterwards. */
#ifndef MAESTRO_ADMIN_OPENAPI_OPS_H
#define MAESTRO_ADMIN_OPENAPI_OPS_H

#include "admin/change.h"

struct openapi_op {
  const struct endpoint *endpoint;
  enum http_method method;
  const char *tag, *summary, *more; /* never NULL */
  const char *query;                /* "limit:integer,after:string" */
  const char *response;             /* a JSON Schema, or empty */
  const char *link;                 /* the vendor's own description, or empty */
  const struct change_row *row;     /* of what changes something by one; NULL */
  const struct fields *body;        /* NULL: none, or a vendor's */
  unsigned allowed, required;       /* of the body's fields */
  bool is_twin;                     /* the same stands below /admin */
};

/* Before serving; `endpoints` outlives everything. */
void openapi_ops_init(const struct endpoint *endpoints, size_t n);
const struct openapi_op *openapi_ops(size_t *n);

/* Who may: names in the order of the table; is_open of the op's class. */
enum { OPENAPI_CALLERS = 8 };
const char *openapi_caller(size_t i);
bool openapi_may(const struct openapi_op *op, size_t caller);

/* The next {name} of a template, from *at on; false at the end. */
bool openapi_next_name(struct str route, size_t *at, struct str *name);
/* The next "name:type" of op->query, cut off *rest. */
bool openapi_next_query(struct str *rest, struct str *name, struct str *type);

#endif
