/* The table of dialects: see dialect.h. */
#include "dialect/dialect.h"

#include "base/json_out.h"

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

enum err dialect_bad_reply(struct err_info *info, const char *what) {
  return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider's answer could not be understood: %s", what);
}

void dialect_drop(const struct dialect_target *target, const struct request *r, const char *member) {
  const struct dialect *caller = dialect_by_name(r->dialect);
  if (target->dropped) caps_dropped_add(target->dropped, caller ? request_member_word(&caller->words, member) : member);
}

void dialect_put_receipt_member(const struct dialect_exchange *x, struct buf *out) {
  if (!x->put_receipt) return;
  json_out_key(out, "maestro");
  x->put_receipt(x->receipt_arg, out);
}

struct str dialect_make_id(const struct dialect_exchange *x, const char *prefix, unsigned n) {
  return arena_printf(x->arena, "%s%.*s_%u", prefix, STR_ARG(x->reply_id), n);
}
