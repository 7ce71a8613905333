/* What models' vendors answer with, for the API's description: their top members, by dialect, as their own references
 * have them (linked in each row; read 2026-11). Static. */
#ifndef MAESTRO_ADMIN_OPENAPI_VENDORS_H
#define MAESTRO_ADMIN_OPENAPI_VENDORS_H

#include "base/schema.h"
#include "gateway/request_context.h"

struct openapi_vendor {
  struct str prefix; /* of its dialects' names */
  const char *tag;
  const char *stream; /* media type of its streams */
  const struct schema *error, *models, *model;
};

struct openapi_vendor_call {
  const char *dialect;
  enum endpoint_what what; /* the operation */
  const char *summary, *link;
  const struct schema *answer; /* that is no stream */
};

/* NULL: the endpoint's dialect is no vendor's. */
const struct openapi_vendor *openapi_vendors_of(const struct endpoint *e);
/* NULL: it calls no model. */
const struct openapi_vendor_call *openapi_vendors_call(const struct endpoint *e);

/* Kept responses, what is left of a deleted one, and what one was asked. */
extern const struct schema openapi_vendors_response, openapi_vendors_deleted, openapi_vendors_items;
/* An object that says nothing, and this very description. */
extern const struct schema openapi_vendors_nothing, openapi_vendors_document;

#endif
