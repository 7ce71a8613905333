/* The table of dialects, and an error's missing words: see mock_dialect.h. */
#include "mock/mock_dialect.h"

static const struct mock_dialect *const dialects[] = {
#define X(dialect) &mock_##dialect,
#include "mock/dialect.def"
#undef X
};
enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

const struct mock_dialect *mock_dialect_at(size_t i) { return i < DIALECTS ? dialects[i] : NULL; }

const struct mock_dialect *mock_dialect_of_path(struct str path) {
  const struct mock_dialect *best = dialects[0];
  for (size_t i = 1; i < DIALECTS; i++)
    if (dialects[i]->prefix.n > best->prefix.n && str_has_prefix(path, dialects[i]->prefix)) best = dialects[i];
  return best;
}

struct mock_error mock_dialect_error(const struct mock_dialect *d, const struct mock_error *e) {
  const struct mock_error *found = &d->errors[e->status >= 500 ? d->error_count - 1 : 0];
  for (size_t i = 0; i < d->error_count; i++)
    if (e->words ? d->errors[i].words == e->words : !d->errors[i].words && d->errors[i].status == e->status)
      found = &d->errors[i];
  struct mock_error whole = e->words ? *found : *e;
  whole.request_id = e->request_id;
  if (whole.message.n == 0) {
    whole.message = found->message;
    whole.code = whole.code.n ? whole.code : found->code;
  }
  if (whole.type.n == 0) whole.type = found->type;
  return whole;
}
