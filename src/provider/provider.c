/* Provider types, presets and what all types share: see provider.h. */
#include "provider/provider.h"

#include <time.h>

#include "base/crypto.h"

const struct provider_preset provider_presets[] = {
#define X(name, type, url, key, base, auth, usage, needs_key) \
  {STR(name), &provider_##type, STR(url), STR(key), STR(base), PROVIDER_AUTH_##auth, PROVIDER_USAGE_##usage, needs_key},
#include "provider/presets.def"
#undef X
};
const size_t provider_preset_count = sizeof provider_presets / sizeof *provider_presets;

static const struct {
  struct str name;
  const struct provider_type *type;
} types[] = {
#define X(symbol, name) {STR(name), &provider_##symbol},
#include "provider/types.def"
#undef X
};

const struct provider_type *provider_type_by_name(struct str name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (str_eq(types[i].name, name)) return types[i].type;
  return NULL;
}

const struct provider_preset *provider_preset_by_name(struct str name) {
  for (size_t i = 0; i < provider_preset_count; i++)
    if (str_eq(provider_presets[i].name, name)) return &provider_presets[i];
  return NULL;
}

struct kept {
  size_t n;
  char bytes[];
};

static void wipe(void *arg) {
  struct kept *k = arg;
  crypto_wipe(k->bytes, k->n);
}

struct str provider_keep_secret(struct arena *a, struct str prefix, struct str secret) {
  struct kept *k = arena_alloc(a, sizeof *k + prefix.n + secret.n);
  if (!k || !arena_on_clear(a, wipe, k)) return STR_NONE;
  k->n = prefix.n + secret.n;
  if (prefix.n) memcpy(k->bytes, prefix.p, prefix.n);
  if (secret.n) memcpy(k->bytes + prefix.n, secret.p, secret.n);
  return str_from(k->bytes, k->n);
}

enum err provider_init(struct arena *a, const struct provider_spec *spec, struct provider *out, struct err_info *info) {
  const struct provider_preset *preset = provider_preset_by_name(spec->type);
  const struct provider_type *type = preset ? preset->type : provider_type_by_name(spec->type);
  if (!type) return err_set_param(info, ERR_BAD_VALUE, "type", "unknown provider type \"%.*s\"", STR_ARG(spec->type));
  struct str base_url = spec->base_url.n ? spec->base_url : preset ? preset->base_url : STR_NONE;
  if (!base_url.n)
    return err_set_param(info, ERR_MISSING, "baseURL", "a provider of type \"%.*s\" needs a baseURL",
                         STR_ARG(spec->type));
  struct provider p = {.type = type, .timeouts = spec->timeouts};
  enum err e = http_origin_parse(a, base_url, spec->allow_private, &p.origin, info);
  if (e) return e;
  p.id = arena_dup(a, spec->id);
  if (!p.id.p) return ERR_NO_MEMORY;
  if (spec->api_key.n) {
    p.secret = provider_keep_secret(a, STR_NONE, spec->api_key);
    if (!p.secret.p) return ERR_NO_MEMORY;
  }
  e = type->init(a, spec, preset, &p, info);
  if (e) return e;
  *out = p;
  return OK;
}

enum { RETRY_AFTER_MAX_MS = 24 * 3600 * 1000 };

/* A number with or without a fraction, which is dropped, times scale_ms; false when it is something else. */
static bool read_wait(struct str text, int64_t scale_ms, int64_t *out_ms) {
  struct str whole, fraction;
  uint64_t value = 0;
  bool has_point = str_cut(text, '.', &whole, &fraction), is_number = whole.n > 0 && (!has_point || fraction.n);
  for (size_t i = 0; i < text.n; i++) is_number = is_number && (i == whole.n || (text.p[i] >= '0' && text.p[i] <= '9'));
  if (!is_number) return false;
  bool fits = str_to_u64(whole, &value) && value <= (uint64_t)(RETRY_AFTER_MAX_MS / scale_ms);
  *out_ms = fits ? (int64_t)value * scale_ms : RETRY_AFTER_MAX_MS;
  return true;
}

int64_t provider_retry_after_ms(struct http_headers headers, int64_t wall_us) {
  int64_t ms;
  struct str after = http_header_get(headers, STR("retry-after"));
  if (read_wait(http_header_get(headers, STR("retry-after-ms")), 1, &ms) || read_wait(after, 1000, &ms)) return ms;
  char text[64];
  if (after.n == 0 || after.n >= sizeof text) return 0;
  memcpy(text, after.p, after.n);
  text[after.n] = 0;
  struct tm t = {0};
  if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &t)) return 0;
  ms = (int64_t)timegm(&t) * 1000 - wall_us / 1000;
  return ms <= 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}
