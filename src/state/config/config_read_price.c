/* Members of a price object, of registry rows and of providers' models alike. null says unknown, as absence does. */
#include "state/config/config_load.h"

struct price_reading {
  struct config_price *price;
  yyjson_val **updated;
};

static void read_amount(struct config_read *r, yyjson_val *key, yyjson_val *val, int64_t *out, bool *has) {
  const char *why;
  int64_t v = 0;
  if (yyjson_is_null(val)) return;
  if (!yyjson_is_raw(val)) {
    config_read_wrong_type(r, key, val, "a number of USD per million tokens");
  } else if ((why = config_price_parse_usd(config_read_text(val), &v))) {
    config_read_fault(r, key, val, NULL, "%s", why);
  } else {
    *out = v;
    *has = true;
  }
}

#define AMOUNT(member)                                                                            \
  static void read_##member(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) { \
    struct config_price *p = ((struct price_reading *)out)->price;                                \
    read_amount(r, key, val, &p->member, &p->has_##member);                                       \
  }
AMOUNT(in)
AMOUNT(out)
AMOUNT(cache_read)
AMOUNT(cache_write)
AMOUNT(reasoning)
#undef AMOUNT

static void read_updated(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  if (yyjson_is_str(val))
    *((struct price_reading *)out)->updated = val;
  else
    config_read_wrong_type(r, key, val, "a date such as \"2026-06-22\"");
}

bool config_read_price(struct config_read *r, yyjson_val *key, yyjson_val *val, struct config_price *out,
                       yyjson_val **updated, enum config_severity unknown) {
  static const struct config_member members[] = {
      {"in", read_in},
      {"out", read_out},
      {"cacheRead cache_read", read_cache_read},
      {"cacheWrite cache_write", read_cache_write},
      {"reasoning", read_reasoning},
      {"updated", read_updated},
  };
  size_t count = sizeof members / sizeof *members - (updated ? 0 : 1);
  struct price_reading reading = {out, updated};
  return config_read_members(r, key, val, members, count, unknown, &reading);
}
