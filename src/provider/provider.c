/* Provider types, presets and what all types share: see provider.h. */
#include "provider/provider.h"

#include <time.h>

#include "base/buf.h"
#include "base/crypto.h"

const struct provider_preset provider_presets[] = {
#define X(name, type, url, key, base, auth, usage, needs_key, vendor, apart, title)                           \
  {STR(name), &provider_##type, STR(url), STR(key),  STR(base), PROVIDER_AUTH_##auth, PROVIDER_USAGE_##usage, \
   needs_key, vendor,           apart,    STR(title)},
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

/* "v1", "v1beta", "v2": the last part of a base path that says which API it is. */
static bool ends_in_version(struct str path) {
  size_t slash = str_rfind_char(path, '/');
  struct str last = slash == SIZE_MAX ? path : str_sub(path, slash + 1, path.n);
  return last.n >= 2 && last.p[0] == 'v' && last.p[1] >= '0' && last.p[1] <= '9';
}

static bool names_model(struct str path) { return str_find(path, STR("{model}")) != SIZE_MAX; }

static enum err build_targets(struct arena *a, struct provider *p) {
  const struct provider_type *t = p->type;
  struct str version = ends_in_version(p->origin.base_path) ? STR_NONE : t->version;
  p->base_path = arena_printf(a, "%.*s%.*s", STR_ARG(p->origin.base_path), STR_ARG(version));
  p->catalog_target = arena_printf(a, "%.*s%.*s", STR_ARG(p->base_path), STR_ARG(t->catalog_path));
  if (!p->base_path.p || !p->catalog_target.p) return ERR_NO_MEMORY;
  for (unsigned i = 0; t->endpoints[i].dialect.n; i++) {
    if (names_model(t->endpoints[i].path) || t->endpoints[i].path_stream.n) continue;
    p->target[i] = arena_printf(a, "%.*s%.*s", STR_ARG(p->base_path), STR_ARG(t->endpoints[i].path));
    if (!p->target[i].p) return ERR_NO_MEMORY;
  }
  return OK;
}

/* One segment of a path: everything but unreserved characters is percent-encoded (RFC 3986, section 3.3), ":" too, for
 * AWS signs paths as its own SDKs send them. */
static bool put_segment(struct buf *out, struct str s) {
  buf_put_percent(out, s, "");
  return !out->failed;
}

struct str provider_target(struct arena *a, const struct provider *p, unsigned endpoint, struct str model,
                           bool is_stream) {
  const struct provider_endpoint *at = &p->type->endpoints[endpoint];
  if (p->target[endpoint].n) return p->target[endpoint];
  struct str path = is_stream && at->path_stream.n ? at->path_stream : at->path, target = STR_NONE;
  size_t hole = str_find(path, STR("{model}"));
  struct buf out;
  buf_init(&out, 0);
  buf_put(&out, p->base_path);
  buf_put(&out, str_sub(path, 0, hole));
  if (hole != SIZE_MAX && put_segment(&out, model)) buf_put(&out, str_sub(path, hole + sizeof "{model}" - 1, path.n));
  if (!out.failed) target = arena_dup(a, buf_str(&out));
  buf_clear(&out);
  return target;
}

/* The credential: a key, or what requests are signed with. */
static enum err keep_credential(struct arena *a, const struct provider_spec *spec, struct provider *p,
                                struct err_info *info) {
  const struct sigv4_credential *aws = &spec->aws;
  bool is_signed = aws->access_key_id.n && !spec->api_key.n;
  struct str secret = is_signed ? aws->session_token : spec->api_key; /* what goes out as it is */
  if (secret.n && !(p->secret = provider_keep_secret(a, STR_NONE, secret)).p) return ERR_NO_MEMORY;
  if (!is_signed) return OK;
  struct str region = sigv4_region_of(p->origin.host);
  p->region = arena_dup(a, region.n ? region : spec->region);
  if (!p->region.n)
    return err_set_param(info, ERR_MISSING, "region",
                         "signing needs a region, which the address does not name; set \"region\", or AWS_REGION");
  enum err e = sigv4_check(aws, p->region, info);
  if (e) return e;
  p->aws = (struct sigv4_credential){.access_key_id = arena_dup(a, aws->access_key_id),
                                     .secret_access_key = provider_keep_secret(a, STR_NONE, aws->secret_access_key),
                                     .session_token = p->secret};
  return p->aws.access_key_id.p && p->aws.secret_access_key.p ? OK : ERR_NO_MEMORY;
}

/* An address of the vendor's own: the preset's, or, for AWS, that of any region. */
static bool is_vendor_address(const struct provider_spec *spec, const struct provider_preset *preset,
                              const struct provider *p) {
  if (!p->is_vendor || !preset) return false;
  if (!spec->base_url.n || !preset->base_url.n || str_eq(spec->base_url, preset->base_url)) return true;
  return p->type == &provider_bedrock && sigv4_region_of(p->origin.host).n;
}

enum err provider_init(struct arena *a, const struct provider_spec *spec, struct provider *out, struct err_info *info) {
  const struct provider_preset *preset = provider_preset_by_name(spec->type);
  const struct provider_type *type = preset ? preset->type : provider_type_by_name(spec->type);
  if (!type) return err_set_param(info, ERR_BAD_VALUE, "type", "unknown provider type \"%.*s\"", STR_ARG(spec->type));
  struct str base_url = spec->base_url.n ? spec->base_url : preset ? preset->base_url : STR_NONE;
  if (!base_url.n)
    return err_set_param(info, ERR_MISSING, "baseURL", "a provider of type \"%.*s\" needs a baseURL",
                         STR_ARG(spec->type));
  struct provider p = {
      .type = type,
      .timeouts = spec->timeouts,
      .is_vendor = type->is_vendor || (preset && preset->is_vendor),
      .starts_in_think = spec->starts_in_think,
      .bills_reasoning_apart = spec->bills_reasoning_apart || (preset && preset->bills_reasoning_apart)};
  enum err e = http_origin_parse(a, base_url, spec->allow_private, &p.origin, info);
  if (e) return e;
  p.id = arena_dup(a, spec->id);
  if (!p.id.p) return ERR_NO_MEMORY;
  if ((e = keep_credential(a, spec, &p, info))) return e;
  p.is_vendor_address = is_vendor_address(spec, preset, &p);
  p.has_no_list = p.type == &provider_bedrock && p.is_vendor_address; /* the control plane has it, another host */
  p.usage = spec->has_usage ? spec->usage : preset ? preset->usage : type->usage;
  e = build_targets(a, &p);
  if (!e) e = provider_build_headers(a, spec, preset, &p, info);
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
