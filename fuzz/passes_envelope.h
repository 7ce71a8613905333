/* For fuzz targets that hand a body to a decoder without its envelope being read first. */
#ifndef MAESTRO_FUZZ_PASSES_ENVELOPE_H
#define MAESTRO_FUZZ_PASSES_ENVELOPE_H

#include <stdbool.h>
#include <yyjson.h>

/* Reading the envelope refuses these two where they are null, so a decoder never sees it (and an encoder, which writes
 * the model itself, would have it twice). Not of Gemini, whose model is in the path. */
static inline bool passes_envelope(yyjson_val *root) {
  return !yyjson_is_null(yyjson_obj_get(root, "model")) && !yyjson_is_null(yyjson_obj_get(root, "maestro"));
}

#endif
