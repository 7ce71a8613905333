/* For fuzz targets that hand a body to a decoder without its envelope being read first. */
#ifndef MAESTRO_FUZZ_PASSES_ENVELOPE_H
#define MAESTRO_FUZZ_PASSES_ENVELOPE_H

#include <stdlib.h>
#include <yyjson.h>

#include "dialect/dialect.h"

/* A decoder never sees these two as null (an encoder, which writes the model itself, would have it twice): reading the
 * envelope must refuse it, which is checked. Not of Gemini, whose model is in the path. */
static inline bool passes_envelope(const struct dialect *d, yyjson_val *root, struct str body) {
  struct arena a;
  struct envelope_scan scan;
  struct dialect_request r = {0};
  struct err_info info = {0};
  if (!yyjson_is_null(yyjson_obj_get(root, "model")) && !yyjson_is_null(yyjson_obj_get(root, "maestro"))) return true;
  arena_init(&a, 0);
  enum err e = envelope_scan_whole(&scan, d->request_table(), NULL, &a, body, &info);
  if (!e) e = d->read_request(&a, body, &scan, &r, &info);
  if (!e) abort();
  arena_clear(&a);
  return false;
}

#endif
