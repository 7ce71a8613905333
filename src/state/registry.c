/* The registry file: read strictly by a table of members into one arena. Prices and weights are taken from the decimal
 * text, without floating point. */
#include "state/registry.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "state/config/config_load.h"
#include "state/disk.h"

enum { MODELS_MAX = 4096, TAGS_MAX = 64, ARENA_BYTES_MAX = 32 << 20 };
static const int64_t DAY_US = 86400ll * 1000000ll;

struct owned {
  struct registry registry; /* first */
  atomic_uint refs;
  struct arena arena;
};

extern const char registry_default_start[], registry_default_end[];

struct str registry_default_text(void) {
  return str_from(registry_default_start, (size_t)(registry_default_end - registry_default_start));
}

static const char *const tier_names[] = {"cheap", "mid", "frontier"};
static const char *const cap_names[] = {"code",    "math",         "reasoning", "translation",
                                        "factual", "long-context", "vision",    "fresh"};
static const char *const tag_names[] = {"strong", "positive", "negative"};
enum { CAPS = sizeof cap_names / sizeof *cap_names };

const char *registry_tier_name(enum registry_tier tier) { return tier_names[tier]; }

const char *registry_cap_name(unsigned bit) {
  for (unsigned i = 0; i < CAPS; i++)
    if (bit == 1u << i) return cap_names[i];
  return NULL;
}

/* ---- dates ---- */

static bool two_digits(struct str s, size_t at, uint64_t *out) { return str_to_u64(str_sub(s, at, at + 2), out); }

/* Days since 1970-01-01 of "2026-06-22", perhaps followed by a time; -1 for anything else. Civil-from-days of H.
 * Hinnant, restricted to years from 1970. */
static int32_t parse_day(struct str s) {
  static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  uint64_t year, month, day;
  if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-' || (s.n > 10 && s.p[10] != 'T' && s.p[10] != ' ')) return -1;
  if (!str_to_u64(str_sub(s, 0, 4), &year) || !two_digits(s, 5, &month) || !two_digits(s, 8, &day)) return -1;
  if (year < 1970 || month < 1 || month > 12 || day < 1) return -1;
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > lengths[month - 1] + (uint64_t)(month == 2 && is_leap)) return -1;
  uint64_t y = month <= 2 ? year - 1 : year, m = month > 2 ? month - 3 : month + 9;
  uint64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
  return (int32_t)(days - 719468);
}

static bool read_day(struct config_read *r, yyjson_val *key, yyjson_val *val, int32_t *out) {
  int32_t day = yyjson_is_str(val) ? parse_day(config_read_text(val)) : -1;
  if (day < 0) {
    config_read_fault(r, key, val, NULL, "must be a date such as \"2026-06-22\"");
    return false;
  }
  *out = day;
  return true;
}

/* ---- one model ---- */

struct reading {
  struct registry_model m;
  bool has_strength, has_tier;
};

static struct registry_model *model(void *out) { return &((struct reading *)out)->m; }

static void read_slot(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 128, &model(out)->slot);
}
static void read_id(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 512, &model(out)->id);
}
static void read_provider(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 64, &model(out)->provider);
}
static void read_tier(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  unsigned index;
  ((struct reading *)out)->has_tier = true;
  if (config_read_enum(r, key, val, tier_names, 3, &index)) model(out)->tier = (enum registry_tier)index;
}
static void read_strength(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  ((struct reading *)out)->has_strength = true;
  config_read_u32(r, key, val, 0, 100, &model(out)->strength);
}
static void read_context(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_u32(r, key, val, 1, 1000000000, &model(out)->context_window);
}
static void read_output(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_u32(r, key, val, 1, 1000000000, &model(out)->max_output);
}
static void read_efforts(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_strings(r, key, val, 16, &model(out)->efforts);
}
static void read_regions(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_strings(r, key, val, 64, &model(out)->regions);
}
static void read_privacy(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &model(out)->privacy_ok);
}

static void read_caps(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  yyjson_arr_iter iter;
  size_t at = 0;
  if (!yyjson_is_arr(val)) {
    config_read_wrong_type(r, key, val, "an array of capabilities");
    return;
  }
  yyjson_arr_iter_init(val, &iter);
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)); at++) {
    unsigned index;
    size_t mark = config_read_push_index(r, at);
    if (config_read_enum(r, NULL, item, cap_names, CAPS, &index)) model(out)->caps |= 1u << index;
    config_read_pop(r, mark);
  }
}

static void read_price(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  yyjson_val *updated = NULL;
  if (!config_read_price(r, key, val, &model(out)->price, &updated, CONFIG_ERROR) || !updated) return;
  size_t mark = config_read_push(r, STR("updated"));
  read_day(r, NULL, updated, &model(out)->price_day);
  config_read_pop(r, mark);
}

/* "strong:code": 0.5 */
static void read_tag(struct config_read *r, yyjson_val *key, yyjson_val *val, struct registry_model *m) {
  struct str kind, subject;
  int64_t nano;
  unsigned index = 0;
  str_cut(config_read_text(key), ':', &kind, &subject);
  while (index < 3 && !str_eq(kind, str_from_c(tag_names[index]))) index++;
  if (index == 3 || subject.n == 0) {
    config_read_fault(r, key, NULL, "strong:code, positive:general, negative:math", "must be a kind and a subject");
    return;
  }
  if (!yyjson_is_raw(val) || config_price_parse_usd(config_read_text(val), &nano) || nano > 1000ll * 1000000000ll ||
      nano % 1000000 != 0) {
    config_read_fault(r, key, val, NULL, "must be a number from 0 to 1000 with at most three decimals");
    return;
  }
  m->tags[m->tag_count++] = (struct registry_tag){.kind = (enum registry_tag_kind)index,
                                                  .subject = config_read_dup(r, subject),
                                                  .weight_milli = (int32_t)(nano / 1000000)};
}

static void read_tags(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct registry_model *m = model(out);
  if (!yyjson_is_obj(val) || yyjson_obj_size(val) > TAGS_MAX) {
    config_read_fault(r, key, val, NULL, "must be an object of at most %d tags", TAGS_MAX);
    return;
  }
  config_read_duplicates(r, val);
  m->tags = ARENA_NEW_ARRAY(r->arena, struct registry_tag, yyjson_obj_size(val));
  if (!m->tags) {
    r->is_no_memory = true;
    return;
  }
  yyjson_obj_iter iter = yyjson_obj_iter_with(val);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    size_t mark = config_read_push(r, config_read_text(name));
    read_tag(r, name, yyjson_obj_iter_get_val(name), m);
    config_read_pop(r, mark);
  }
}

static void require(struct config_read *r, yyjson_val *val, bool is_there, const char *name) {
  if (!is_there) config_read_fault(r, NULL, val, NULL, "\"%s\" is missing", name);
}

/* A qualified name stands once; a slot may repeat, its first model is found then. */
static void check_repeats(struct config_read *r, yyjson_val *val, const struct registry *reg,
                          const struct registry_model *m) {
  for (size_t i = 0; i < reg->model_count; i++) {
    const struct registry_model *other = &reg->models[i];
    if (m->id.n && str_eq(other->id, m->id) && str_eq(other->provider, m->provider))
      config_read_fault(r, NULL, val, NULL, "%.*s/%.*s stands there twice; first in line %u", STR_ARG(m->provider),
                        STR_ARG(m->id), other->line);
    if (m->slot.n && str_eq(other->slot, m->slot))
      config_read_note(r, CONFIG_WARNING, NULL, val, NULL,
                       "slot \"%.*s\" is also that of line %u, which is the one found", STR_ARG(m->slot), other->line);
  }
}

static void read_model(struct config_read *r, yyjson_val *val, struct registry *reg) {
  static const struct config_member members[] = {
      {"slot", read_slot},
      {"id", read_id},
      {"provider", read_provider},
      {"tier", read_tier},
      {"strength", read_strength},
      {"caps", read_caps},
      {"efforts", read_efforts},
      {"price", read_price},
      {"tags", read_tags},
      {"contextWindow context_window", read_context},
      {"regions", read_regions},
      {"maxOutput max_output", read_output},
      {"privacyOk privacy_ok", read_privacy},
  };
  struct reading reading = {.m = {.price_day = -1, .line = config_read_line(r, NULL, val)}};
  if (!config_read_members(r, NULL, val, members, sizeof members / sizeof *members, CONFIG_ERROR, &reading)) return;
  require(r, val, yyjson_obj_get(val, "id"), "id");
  require(r, val, yyjson_obj_get(val, "provider"), "provider");
  require(r, val, reading.has_tier, "tier");
  require(r, val, reading.has_strength, "strength");
  check_repeats(r, val, reg, &reading.m);
  reg->models[reg->model_count++] = reading.m;
}

/* ---- the file ---- */

static void read_updated(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_day(r, key, val, &((struct registry *)out)->updated_day);
}

static void read_models(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct registry *reg = out;
  size_t n = yyjson_arr_size(val), at = 0;
  if (n < 1 || n > MODELS_MAX) {
    config_read_fault(r, key, val, NULL, "must be an array of 1 to %d models", MODELS_MAX);
    return;
  }
  reg->models = ARENA_NEW_ARRAY(r->arena, struct registry_model, n);
  if (!reg->models) {
    r->is_no_memory = true;
    return;
  }
  yyjson_arr_iter iter = yyjson_arr_iter_with(val);
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)); at++) {
    size_t mark = config_read_push_index(r, at);
    read_model(r, item, reg);
    config_read_pop(r, mark);
  }
}

static void read_schema(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  (void)r, (void)key, (void)val, (void)out;
}

enum err registry_parse(struct str name, struct str bytes, struct registry **out, struct config_diags *diags) {
  static const struct config_member members[] = {
      {"updated", read_updated}, {"models", read_models}, {"$schema", read_schema}};
  struct owned *owned = calloc(1, sizeof *owned);
  struct config_read r;
  if (!owned) return ERR_NO_MEMORY;
  struct registry *reg = &owned->registry;
  atomic_init(&owned->refs, 1);
  arena_init(&owned->arena, ARENA_BYTES_MAX);
  reg->updated_day = -1;
  reg->file = arena_dup(&owned->arena, name);
  if (config_read_open(&r, &owned->arena, diags, CONFIG_ERROR, reg->file, bytes) &&
      config_read_members(&r, NULL, r.root, members, 3, CONFIG_ERROR, reg)) {
    require(&r, r.root, yyjson_obj_get(r.root, "updated"), "updated");
    require(&r, r.root, yyjson_obj_get(r.root, "models"), "models");
  }
  for (size_t i = 0; i < reg->model_count; i++)
    if (reg->models[i].price_day < 0) reg->models[i].price_day = reg->updated_day;
  enum err e = r.is_no_memory || !reg->file.p ? ERR_NO_MEMORY : r.is_bad ? ERR_BAD_CONFIG : OK;
  config_read_clear(&r);
  if (e)
    registry_unref(reg);
  else
    *out = reg;
  return e;
}

enum err registry_load(const char *path, struct registry **out, struct config_diags *diags) {
  struct buf bytes;
  struct err_info info = {0};
  buf_init(&bytes, 0);
  enum err e = disk_read(path, CONFIG_FILE_BYTES_MAX, &bytes, NULL, &info);
  if (e) {
    config_diags_add(diags, CONFIG_ERROR, (struct config_place){str_from_c(path), 0}, STR_NONE, NULL,
                     "cannot be read: %s", err_info_text(e, &info));
    e = e == ERR_NO_MEMORY ? e : ERR_BAD_CONFIG;
  } else {
    e = registry_parse(str_from_c(path), buf_str(&bytes), out, diags);
  }
  buf_clear(&bytes);
  return e;
}

enum err registry_load_default(struct registry **out, struct config_diags *diags) {
  return registry_parse(STR("built-in registry"), registry_default_text(), out, diags);
}

void registry_unref(const struct registry *r) {
  struct owned *owned = (struct owned *)(uintptr_t)r;
  if (!owned || atomic_fetch_sub_explicit(&owned->refs, 1, memory_order_acq_rel) != 1) return;
  arena_clear(&owned->arena);
  free(owned);
}

/* ---- look-up and age ---- */

const struct registry_model *registry_find_of(const struct registry *r, struct str provider, struct str id) {
  for (size_t i = 0; i < r->model_count; i++)
    if (str_eq(r->models[i].id, id) && str_eq_nocase(r->models[i].provider, provider)) return &r->models[i];
  return NULL;
}

static int32_t age(int32_t day, int64_t now_wall_us) {
  int64_t days = now_wall_us / DAY_US - day;
  return days > 0 ? (int32_t)days : 0;
}

int32_t registry_age_days(const struct registry *r, int64_t now_wall_us) { return age(r->updated_day, now_wall_us); }
