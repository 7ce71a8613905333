/* The table of dialects: see dialect.h. */
#include "dialect/dialect.h"

static const struct dialect *const dialects[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};

const struct dialect *dialect_by_name(struct str name) {
  for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
    if (str_eq(dialects[i]->name, name)) return dialects[i];
  return NULL;
}
