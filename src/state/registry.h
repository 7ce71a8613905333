/* The model registry: what is known of models wherever they run: tier, strength, capabilities, prices, sizes. One JSON
 * file (the ModelSpec format), or the default that is embedded in the binary. Immutable, refcounted, shared by threads.
 * Read by routing and by the brain. Invariant: prices are exact integers from the decimal text; an unknown one is
 * marked as absent, never zero. */
#ifndef MAESTRO_STATE_REGISTRY_H
#define MAESTRO_STATE_REGISTRY_H

#include "base/err.h"
#include "base/str.h"
#include "state/config/config.h"

enum registry_tier { REGISTRY_CHEAP, REGISTRY_MID, REGISTRY_FRONTIER };

enum registry_cap { /* bits */
                    REGISTRY_CAP_CODE = 1 << 0,
                    REGISTRY_CAP_MATH = 1 << 1,
                    REGISTRY_CAP_REASONING = 1 << 2,
                    REGISTRY_CAP_TRANSLATION = 1 << 3,
                    REGISTRY_CAP_FACTUAL = 1 << 4,
                    REGISTRY_CAP_LONG_CONTEXT = 1 << 5,
                    REGISTRY_CAP_VISION = 1 << 6,
                    REGISTRY_CAP_FRESH = 1 << 7,
};

enum registry_tag_kind { REGISTRY_TAG_STRONG, REGISTRY_TAG_POSITIVE, REGISTRY_TAG_NEGATIVE };

struct registry_tag { /* "strong:code": 1.0 */
  enum registry_tag_kind kind;
  struct str subject;
  int32_t weight_milli; /* 1000 is 1.0 */
};

struct registry_model {
  struct str slot; /* label; may be empty */
  struct str id;   /* the provider's own */
  struct str provider;
  enum registry_tier tier;
  uint32_t strength;             /* 0..100 */
  unsigned caps;                 /* enum registry_cap */
  struct config_strings efforts; /* weak to strong */
  struct config_price price;
  int32_t price_day;                   /* days since 1970-01-01 of price.updated (else of the file's); -1 unknown */
  uint32_t context_window, max_output; /* tokens; 0 unknown */
  struct config_strings regions;
  bool privacy_ok;
  struct registry_tag *tags;
  size_t tag_count;
  unsigned line;
};

struct registry {
  struct str file;
  int32_t updated_day;           /* days since 1970-01-01 */
  struct registry_model *models; /* in the file's order */
  size_t model_count;
};

/* All or nothing: ERR_BAD_CONFIG when a diagnostic is an error, *out untouched then. `name` stands in the diagnostics.
 */
enum err registry_parse(struct str name, struct str bytes, struct registry **out,
                        struct config_diags *diags) MUST_CHECK;
/* Blocks on the file. Also ERR_BAD_CONFIG, reported, when it cannot be read. */
enum err registry_load(const char *path, struct registry **out, struct config_diags *diags) MUST_CHECK;
enum err registry_load_default(struct registry **out, struct config_diags *diags) MUST_CHECK;
/* The embedded file. */
struct str registry_default_text(void);
void registry_unref(const struct registry *r); /* NULL is allowed */
/* NULL when there is none; the case of `provider` does not matter. */
const struct registry_model *registry_find_of(const struct registry *r, struct str provider, struct str id);
/* Whole days between the file's date and now_wall_us, at least 0. */
int32_t registry_age_days(const struct registry *r, int64_t now_wall_us);
const char *registry_tier_name(enum registry_tier tier);
const char *registry_cap_name(unsigned bit); /* of one bit of enum registry_cap; NULL for any other */

#endif
