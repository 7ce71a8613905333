/* What a provider still needs once all sources are read: its address and its key; and the presets that
 * become active because their variable is set or a login is stored. A vendor's key goes to another address only where
 * the person gave the provider the vendor's own name. */
#include <stdio.h>

#include "state/config/config_check.h"
#include "state/config/config_load.h"

struct stored { /* an entry of auth.json */
  struct str id;
  const struct secret *key; /* NULL: a login (OAuth), which the credential job reads itself */
  bool is_login;
};

struct settling {
  struct config_loader *l;
  struct stored *stored;
  size_t stored_count, stored_max;
  struct str auth_path;
  bool is_api; /* of the entry being read */
  bool is_oauth;
  const struct secret *key;
};

/* ---- auth.json ---- */

static void read_kind(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct settling *s = out;
  if (!yyjson_is_str(val)) {
    config_read_wrong_type(r, key, val, "a string");
    return;
  }
  s->is_api = str_eq(config_read_text(val), STR("api"));
  s->is_oauth = str_eq(config_read_text(val), STR("oauth"));
}
static void read_key(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_secret(r, key, val, &((struct settling *)out)->key);
}
static void skip_member(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  (void)r, (void)key, (void)val, (void)out;
}

static void read_stored(struct settling *s, struct config_read *r, yyjson_val *key) {
  static const struct config_member members[] = {
      {"type", read_kind},     {"key", read_key},        {"refresh", skip_member},
      {"access", skip_member}, {"expires", skip_member}, {"api_endpoint", skip_member},
  };
  s->key = NULL;
  s->is_api = s->is_oauth = r->is_bad = false;
  bool is_object = config_read_members(r, key, yyjson_obj_iter_get_val(key), members, sizeof members / sizeof *members,
                                       CONFIG_NOTE, s);
  if (!is_object || r->is_bad) return;
  if ((s->is_api && !s->key) || (!s->is_api && !s->is_oauth)) {
    config_read_fault(r, key, NULL, "log in again", "is neither an API key nor a login");
    return;
  }
  s->stored[s->stored_count++] =
      (struct stored){.id = config_read_dup(r, config_read_text(key)), .key = s->key, .is_login = s->is_oauth};
}

static void load_stored(struct settling *s) {
  struct config_loader *l = s->l;
  struct config_bytes bytes;
  struct config_read r = {0};
  if (!l->data_dir) return;
  struct str path = arena_printf(l->arena, "%s/auth.json", l->data_dir);
  if (!path.p || !config_loader_read(l, path.p, CONFIG_WARNING, &bytes)) {
    l->is_no_memory |= !path.p;
    return;
  }
  s->auth_path = bytes.path;
  if (!bytes.exists || !config_read_open(&r, l->arena, l->diags, CONFIG_WARNING, bytes.path, buf_str(&bytes.buf)))
    goto out;
  if (!yyjson_is_obj(r.root) || yyjson_obj_size(r.root) > CONFIG_PROVIDERS_MAX) {
    config_read_fault(&r, NULL, r.root, NULL, "must be an object of at most %d entries", CONFIG_PROVIDERS_MAX);
    goto out;
  }
  config_read_duplicates(&r, r.root);
  s->stored = ARENA_NEW_ARRAY(&l->scratch, struct stored, yyjson_obj_size(r.root));
  if (!s->stored) {
    l->is_no_memory = true;
    goto out;
  }
  yyjson_obj_iter iter = yyjson_obj_iter_with(r.root);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
    if (!config_read_is_first(r.root, key)) continue;
    size_t mark = config_read_push(&r, config_read_text(key));
    read_stored(s, &r, key);
    config_read_pop(&r, mark);
  }
  config_loader_check_mode(l, &bytes, r.has_secret);
out:
  l->is_no_memory |= r.is_no_memory;
  config_read_clear(&r);
  config_bytes_clear(&bytes);
}

static const struct stored *find_stored(const struct settling *s, struct str id) {
  for (size_t i = 0; i < s->stored_count; i++)
    if (str_eq_nocase(s->stored[i].id, id)) return &s->stored[i];
  return NULL;
}

/* ---- names of variables ---- */

/* "my-provider" and "_API_KEY": MY_PROVIDER_API_KEY. Runs of other characters become one '_', none at the ends. */
static void derive_name(struct str id, const char *suffix, char *out, size_t out_bytes) {
  size_t n = 0;
  bool gap = false;
  for (size_t i = 0; i < id.n && n + 2 < out_bytes; i++) {
    char c = id.p[i];
    bool is_lower = c >= 'a' && c <= 'z';
    if (!is_lower && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) {
      gap = n > 0;
      continue;
    }
    if (gap) out[n++] = '_';
    gap = false;
    out[n++] = (char)(is_lower ? c - 32 : c);
  }
  snprintf(out + n, out_bytes - n, "%s", suffix);
}

const struct config_preset *config_preset_of(const struct config_loader *l, struct str type) {
  const struct config_vocabulary *v = l->sources->vocabulary;
  for (size_t i = 0; v && i < v->preset_count; i++)
    if (str_eq(type, str_from_c(v->presets[i].name))) return &v->presets[i];
  return NULL;
}

static bool is_named_like(const struct config_provider *p, const struct config_preset *preset) {
  return preset && str_eq_nocase(p->id, str_from_c(preset->name));
}

/* The variable of the preset's own name or row. */
static void preset_key_variable(const struct config_preset *preset, char *out, size_t out_bytes) {
  if (preset->key_env)
    snprintf(out, out_bytes, "%s", preset->key_env);
  else
    derive_name(str_from_c(preset->name), "_API_KEY", out, out_bytes);
}

/* ---- address and key ---- */

/* The variable that would give the address; false when it has none. */
static bool url_variable(const struct config_draft *d, char *name, size_t name_bytes) {
  const struct config_preset *preset = d->p.preset;
  if (is_named_like(&d->p, preset) && preset->base_url_env) {
    snprintf(name, name_bytes, "%s", preset->base_url_env);
    return true;
  }
  derive_name(d->p.id, "_BASE_URL", name, name_bytes);
  return name[0] != '_';
}

static void drop(struct config_loader *l, struct config_draft *d, struct config_place place, struct str path,
                 const char *hint, const char *text) {
  enum config_severity severity = d->is_required_entry ? CONFIG_ERROR : CONFIG_WARNING;
  config_diags_add(l->diags, severity, place, path, hint, "%s", text);
  d->is_left_out = true;
}

static void settle_url(struct config_loader *l, struct config_draft *d) {
  char name[128], hint[256];
  struct str value;
  struct config_found found;
  struct config_provider *p = &d->p;
  if (p->base_url.n) return;
  bool has_variable = url_variable(d, name, sizeof name);
  if (has_variable && config_loader_env(l, name, &value, &found)) {
    const char *why = config_check_url(value);
    while (value.n && value.p[value.n - 1] == '/') value.n--;
    if (why)
      drop(l, d, found.place, str_from_c(name), NULL, why);
    else
      p->base_url = config_loader_dup(l, value);
  } else if (p->preset && p->preset->base_url) {
    p->base_url = config_aws_regional_url(l, p);
  } else if (p->preset || str_eq(p->type, STR("openai-compatible"))) {
    struct str path = arena_printf(&l->scratch, "providers.%.*s", STR_ARG(p->id));
    snprintf(hint, sizeof hint, "where its API begins, such as \"https://host/v1\"%s%s",
             has_variable ? "; or set " : "", has_variable ? name : "");
    drop(l, d, p->place, path, hint, "\"baseURL\" is missing");
  }
}

/* Vendors' examples show whole addresses, and what is added to one would make a path that nobody serves. */
static void warn_of_endpoint(struct config_loader *l, const struct config_provider *p) {
  static const char *const endpoints[] = {"/completions", "/responses",     "/messages",     "/embeddings",
                                          "/v1/models",   "/v1beta/models", "/api/generate", "/api/chat"};
  for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
    if (!str_has_suffix(p->base_url, str_from_c(endpoints[i]))) continue;
    struct str path = arena_printf(&l->scratch, "providers.%.*s.baseURL", STR_ARG(p->id));
    config_diags_add(l->diags, CONFIG_WARNING, p->place, path,
                     "an address is where the API begins: leave the endpoint out",
                     "ends in \"%s\", to which the paths of the API are added", endpoints[i]);
  }
}

static bool take_key(struct config_loader *l, struct config_provider *p, const char *name) {
  struct str value;
  struct config_found found;
  if (!config_loader_env(l, name, &value, &found)) return false;
  const char *why = config_check_header_value(value);
  if (why) {
    config_diags_add(l->diags, CONFIG_WARNING, found.place, str_from_c(name), "the key is not used", "%s", why);
    return false;
  }
  p->api_key = secret_new_in(l->arena, value);
  p->credential = CONFIG_CREDENTIAL_ENV;
  p->api_key_env = config_loader_dup(l, str_from_c(name));
  l->is_no_memory |= !p->api_key;
  return true;
}

/* Variables first, then what is stored, then none at all. */
static void settle_key(struct settling *s, struct config_draft *d, bool is_own_url) {
  struct config_loader *l = s->l;
  struct config_provider *p = &d->p;
  char name[128], vendor[128];
  if (p->api_key_env.n) {
    if (take_key(l, p, p->api_key_env.p)) return;
  } else if (p->api_key) {
    p->credential = CONFIG_CREDENTIAL_DECLARED;
    return;
  } else {
    if (p->preset) preset_key_variable(p->preset, vendor, sizeof vendor);
    if (is_named_like(p, p->preset))
      snprintf(name, sizeof name, "%s", vendor);
    else
      derive_name(p->id, "_API_KEY", name, sizeof name);
    if (take_key(l, p, name)) return;
    if (p->preset && !is_own_url && take_key(l, p, vendor)) return;
    if ((!is_own_url || is_named_like(p, p->preset)) && config_aws_take_keys(l, p)) return;
    p->api_key_env = config_loader_dup(l, str_from_c(name));
  }
  const struct stored *stored = find_stored(s, p->id);
  if (stored) {
    p->api_key = stored->key;
    p->credential = CONFIG_CREDENTIAL_STORED;
  } else if (p->allow_unauthenticated || (p->preset && p->preset->key_optional)) {
    p->credential = CONFIG_CREDENTIAL_ANONYMOUS;
  }
}

static void warn_without_key(struct config_loader *l, const struct config_draft *d, bool is_own_url) {
  const struct config_provider *p = &d->p;
  char hint[256], others[128] = "";
  if (p->credential != CONFIG_CREDENTIAL_NONE || !p->is_active || d->is_left_out) return;
  if (!p->preset)
    snprintf(others, sizeof others, ", or \"options\": {\"allow_unauthenticated\": true} where it needs none");
  else if (p->preset->is_aws && is_own_url && !is_named_like(p, p->preset))
    snprintf(others, sizeof others, "; AWS's access keys go to such an address from the provider \"%s\" alone",
             p->preset->name);
  else if (p->preset->is_aws)
    snprintf(others, sizeof others, ", or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  snprintf(hint, sizeof hint, "set %.*s%s", STR_ARG(p->api_key_env), others);
  struct str path = arena_printf(&l->scratch, "providers.%.*s", STR_ARG(p->id));
  config_diags_add(l->diags, CONFIG_WARNING, p->place, path, hint, "has no key and cannot be used");
}

static void settle_draft(struct settling *s, struct config_draft *d) {
  bool is_own_url = d->p.base_url.n > 0;
  d->p.preset = config_preset_of(s->l, d->p.type);
  config_aws_settle_region(s->l, &d->p);
  settle_url(s->l, d);
  warn_of_endpoint(s->l, &d->p);
  settle_key(s, d, is_own_url);
  warn_without_key(s->l, d, is_own_url);
}

/* ---- presets ---- */

/* Declared: a provider of that name, or one of that type at the vendor's own address. */
static bool is_declared(struct config_loader *l, size_t declared, struct str type) {
  for (size_t i = 0; i < declared; i++) {
    const struct config_draft *d = &l->drafts[i];
    if (str_eq_nocase(d->p.id, type)) return true;
    bool is_own_url = d->p.preset && d->p.preset->base_url && !str_eq(d->p.base_url, config_aws_regional_url(l, &d->p));
    if (str_eq(d->p.type, type) && !is_own_url) return true;
  }
  return false;
}

static struct config_draft new_draft(struct str type, struct config_place place) {
  struct config_draft d = {.p = {.id = type,
                                 .type = type,
                                 .weight = 1,
                                 .is_active = true,
                                 .is_preset = true,
                                 .timeouts = config_timeouts_unset,
                                 .place = place},
                           .is_required_entry = true};
  return d;
}

/* One of the two variables that make a preset active, alone. */
static void warn_of_half(struct config_loader *l, struct config_place place, const char *said, const char *lacking) {
  char hint[160];
  snprintf(hint, sizeof hint, "set %s, too", lacking);
  config_diags_add(l->diags, CONFIG_WARNING, place, str_from_c(said), hint, "makes no provider active by itself");
}

/* Whether a variable or a stored credential asks for this preset; *place says which. */
static bool is_wanted(const struct settling *s, const struct config_preset *preset, struct config_place *place) {
  char key[128], url[128];
  struct str value, id = str_from_c(preset->name);
  struct config_found found;
  struct config_draft d = {.p = {.id = id, .preset = preset}};
  preset_key_variable(preset, key, sizeof key);
  bool has_url = url_variable(&d, url, sizeof url) && config_loader_env(s->l, url, &value, &found);
  if (has_url) *place = found.place;
  bool has_key = config_loader_env(s->l, key, &value, &found);
  if (!has_url && !preset->base_url) { /* no address */
    if (has_key) warn_of_half(s->l, found.place, key, url);
    return false;
  }
  if (has_key) {
    *place = found.place;
    return true;
  }
  if (find_stored(s, id)) {
    *place = (struct config_place){s->auth_path, 0};
    return true;
  }
  if (has_url && !preset->key_optional) warn_of_half(s->l, *place, url, key);
  return has_url && preset->key_optional;
}

static void add_presets(struct settling *s) {
  struct config_loader *l = s->l;
  const struct config_vocabulary *v = l->sources->vocabulary;
  size_t declared = l->draft_count;
  for (size_t i = 0; v && i < v->preset_count; i++) {
    struct str type = str_from_c(v->presets[i].name);
    struct config_place place = {STR("environment"), 0};
    if (is_declared(l, declared, type) || !is_wanted(s, &v->presets[i], &place)) continue;
    struct config_draft d = new_draft(type, place), *added = config_draft_add(l, &d);
    if (added) settle_draft(s, added);
  }
  for (size_t i = 0; v && i < v->type_count; i++) { /* plain types: only a stored login makes one active */
    struct str type = str_from_c(v->types[i]);
    if (config_preset_of(l, type) || is_declared(l, declared, type) || !find_stored(s, type)) continue;
    struct config_draft d = new_draft(type, (struct config_place){s->auth_path, 0}), *added = config_draft_add(l, &d);
    if (added) settle_draft(s, added);
  }
}

void config_settle_providers(struct config_loader *l) {
  struct settling s = {.l = l};
  load_stored(&s);
  for (size_t i = 0; i < l->draft_count; i++) settle_draft(&s, &l->drafts[i]);
  add_presets(&s);
  l->c->providers = ARENA_NEW_ARRAY(l->arena, struct config_provider, l->draft_count);
  if (!l->c->providers) {
    l->is_no_memory = true;
    return;
  }
  for (size_t i = 0; i < l->draft_count; i++)
    if (!l->drafts[i].is_left_out) l->c->providers[l->c->provider_count++] = l->drafts[i].p;
}
