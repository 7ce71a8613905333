/* Declared providers: the map of maestro.json and providers.json, and the array of MAESTRO_PROVIDERS, read by one table
 * of members. In providers.json a bad entry is left out and the others load; elsewhere a fault voids the whole. */
#include <stdio.h>

#include "state/config/config_check.h"
#include "state/config/config_load.h"

struct reading {
  struct config_loader *l;
  struct config_draft draft;
  yyjson_val *options_key_env; /* options.api_key_env, to be compared with apiKeyEnv */
};

static struct config_provider *provider(void *out) { return &((struct reading *)out)->draft.p; }

/* In an all-or-nothing source an unknown key is a fault; the others ignore it, as their own projects do. */
static enum config_severity unknown_severity(const struct config_read *r) {
  return r->severity == CONFIG_ERROR ? CONFIG_ERROR : CONFIG_WARNING;
}

/* A string that a check agrees with. */
static bool read_checked(struct config_read *r, yyjson_val *key, yyjson_val *val, const char *(*check)(struct str),
                         struct str *out) {
  struct str text;
  if (!config_read_string(r, key, val, 1, 4096, &text)) return false;
  const char *why = check(text);
  if (why)
    config_read_fault(r, key, val, NULL, "%s", why);
  else
    *out = text;
  return !why;
}

static void read_url(struct config_read *r, yyjson_val *key, yyjson_val *val, struct str *out) {
  struct str url;
  if (!read_checked(r, key, val, config_check_url, &url)) return;
  while (url.n && url.p[url.n - 1] == '/') url.n--;
  *out = config_read_dup(r, url);
}

static bool is_type(const struct config_vocabulary *v, struct str type) {
  for (size_t i = 0; i < v->type_count; i++)
    if (str_eq(type, str_from_c(v->types[i]))) return true;
  for (size_t i = 0; i < v->preset_count; i++)
    if (str_eq(type, str_from_c(v->presets[i].name))) return true;
  return false;
}

const char *config_type_nearest(const struct config_vocabulary *v, struct str type) {
  const char *names[256];
  size_t n = 0;
  for (size_t i = 0; i < v->type_count && n < 256; i++) names[n++] = v->types[i];
  for (size_t i = 0; i < v->preset_count && n < 256; i++) names[n++] = v->presets[i].name;
  return config_read_nearest(type, names, n);
}

static void nearest_type(const struct config_vocabulary *v, struct str type, char *hint, size_t hint_bytes) {
  const char *near = config_type_nearest(v, type);
  if (near)
    snprintf(hint, hint_bytes, "did you mean \"%s\"?", near);
  else
    snprintf(hint, hint_bytes, "for any OpenAI-like server: \"openai-compatible\"");
}

static void read_type(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  const struct config_vocabulary *v = ((struct reading *)out)->l->sources->vocabulary;
  struct str type;
  char hint[160];
  if (!config_read_string(r, key, val, 1, 64, &type)) return;
  if (v && !is_type(v, type)) {
    nearest_type(v, type, hint, sizeof hint);
    config_read_fault(r, key, val, hint, "\"%.*s\" is not a type of provider", STR_ARG(type));
    return;
  }
  provider(out)->type = type;
}

static void read_base_url(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_url(r, key, val, &provider(out)->base_url);
}
static void read_auth_base_url(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_url(r, key, val, &provider(out)->auth_base_url);
}

static void read_api_key(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  const struct secret *s;
  if (yyjson_is_null(val) || !config_read_secret(r, key, val, &s)) return;
  const char *why = config_check_header_value(secret_reveal(s));
  if (why)
    config_read_fault(r, key, val, NULL, "%s", why);
  else
    provider(out)->api_key = s;
}

/* A key in place of a variable's name is a common mistake, so the value is not shown. */
static void read_key_env(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct str name;
  if (!read_checked(r, key, val, config_check_variable, &name)) return;
  if (provider(out)->api_key_env.n && !str_eq(provider(out)->api_key_env, name))
    config_read_fault(r, key, val, NULL, "apiKeyEnv and options.api_key_env name different variables");
  provider(out)->api_key_env = name;
}

static void read_unauthenticated(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &provider(out)->allow_unauthenticated);
}

static void read_options(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {
      {"api_key_env apiKeyEnv", read_key_env},
      {"allow_unauthenticated allowUnauthenticated", read_unauthenticated},
      {"apiKey api_key", read_api_key},
      {"baseURL baseUrl base_url", read_base_url},
  };
  config_read_members(r, key, val, members, sizeof members / sizeof *members, unknown_severity(r), out);
}

/* ---- models ---- */

static void read_model_name(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 512, &((struct config_model *)out)->name);
}
static void read_model_price(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_price(r, key, val, &((struct config_model *)out)->price, NULL, unknown_severity(r));
}
static void read_model_context(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_u32(r, key, val, 1, 1000000000, &((struct config_model *)out)->context_window);
}
static void read_model_output(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_u32(r, key, val, 1, 1000000000, &((struct config_model *)out)->max_output);
}

static const char *check_model_id(struct str id) {
  if (id.n == 0 || id.n > 512) return "a model's name has 1 to 512 bytes";
  if (str_trim(id).n != id.n) return "a model's name begins or ends with a space";
  struct str rest = id, segment;
  for (bool more = true; more;) {
    more = str_cut(rest, '/', &segment, &rest);
    if (str_trim(segment).n == 0) return "a model's name has an empty part between slashes";
  }
  for (size_t i = 0; i < id.n; i++)
    if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f) return "a model's name must not contain control characters";
  return NULL;
}

static void read_model(struct config_read *r, yyjson_val *key, struct config_model *m) {
  static const struct config_member members[] = {{"name", read_model_name},
                                                 {"price", read_model_price},
                                                 {"contextWindow context_window", read_model_context},
                                                 {"maxOutput max_output", read_model_output}};
  const char *why = check_model_id(config_read_text(key));
  m->line = config_read_line(r, key, NULL);
  if (why) {
    config_read_fault(r, key, NULL, NULL, "%s", why);
    return;
  }
  m->id = m->name = config_read_dup(r, config_read_text(key));
  config_read_members(r, key, yyjson_obj_iter_get_val(key), members, sizeof members / sizeof *members,
                      unknown_severity(r), m);
}

static void read_models(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct config_provider *p = provider(out);
  if (!yyjson_is_obj(val)) {
    config_read_fault(r, key, val, "write {\"model-id\": {}}", "must be an object of models");
    return;
  }
  size_t n = yyjson_obj_size(val);
  if (n > CONFIG_MODELS_MAX) {
    config_read_fault(r, key, val, NULL, "more than %d models", CONFIG_MODELS_MAX);
    return;
  }
  config_read_duplicates(r, val);
  struct config_model *models = ARENA_NEW_ARRAY(r->arena, struct config_model, n);
  if (!models) {
    r->is_no_memory = true;
    return;
  }
  yyjson_obj_iter iter = yyjson_obj_iter_with(val);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    size_t mark = config_read_push(r, config_read_text(name));
    read_model(r, name, &models[p->model_count++]);
    config_read_pop(r, mark);
  }
  p->models = models;
}

/* ---- the smaller members ---- */

static void read_priority(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_i32(r, key, val, -1000000, 1000000, &provider(out)->priority);
}
static void read_weight(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_u32(r, key, val, 0, 1000000, &provider(out)->weight);
}
static void read_code(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_checked(r, key, val, config_check_code, &provider(out)->code);
}
static void read_region(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_checked(r, key, val, config_check_code, &provider(out)->region);
}
static void read_active(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &provider(out)->is_active);
}
static void read_warmup(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &provider(out)->is_warmup);
}
static void read_sync(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &provider(out)->is_sync);
}
static void read_scoped(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &provider(out)->is_scoped);
}
static void read_usage(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const char *const names[] = {"option", "always", "none"};
  unsigned index;
  if (config_read_enum(r, key, val, names, 3, &index)) provider(out)->usage = (enum config_usage)index;
}

static void read_headers(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct config_provider *p = provider(out);
  if (!yyjson_is_obj(val) || yyjson_obj_size(val) > 64) {
    config_read_fault(r, key, val, NULL, "must be an object of at most 64 headers");
    return;
  }
  config_read_duplicates(r, val);
  p->headers = ARENA_NEW_ARRAY(r->arena, struct config_header, yyjson_obj_size(val));
  if (!p->headers) {
    r->is_no_memory = true;
    return;
  }
  yyjson_obj_iter iter = yyjson_obj_iter_with(val);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    yyjson_val *value = yyjson_obj_iter_get_val(name);
    struct config_header *h = &p->headers[p->header_count];
    size_t mark = config_read_push(r, config_read_text(name));
    const char *why = config_check_header_name(config_read_text(name));
    if (!why && yyjson_is_str(value)) why = config_check_header_value(config_read_text(value));
    if (why) {
      config_read_fault(r, name, value, NULL, "%s", why);
    } else if (config_read_secret(r, name, value, &h->value)) {
      h->name = config_read_dup(r, config_read_text(name));
      p->header_count++;
    }
    config_read_pop(r, mark);
  }
}

const struct config_timeouts config_timeouts_unset = {
#define X(member, camel, option, help) .member = CONFIG_TIMEOUT_UNSET,
#include "state/config/timeouts.def"
#undef X
};

bool config_quirk_is_known(const struct config_vocabulary *v, struct str quirk) {
  for (size_t i = 0; v->quirks && i < v->quirk_count; i++)
    if (str_eq(quirk, str_from_c(v->quirks[i]))) return true;
  return !v->quirks;
}

static void read_quirks(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  const struct config_vocabulary *v = ((struct reading *)out)->l->sources->vocabulary;
  struct config_strings quirks;
  char hint[160];
  if (!config_read_strings(r, key, val, CONFIG_QUIRKS_MAX, &quirks)) return;
  for (size_t i = 0; v && i < quirks.n; i++) {
    if (config_quirk_is_known(v, quirks.items[i])) continue;
    const char *near = config_read_nearest(quirks.items[i], v->quirks, v->quirk_count);
    if (near) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    config_read_fault(r, key, val, near ? hint : NULL, "\"%.*s\" is not a known quirk", STR_ARG(quirks.items[i]));
  }
  provider(out)->quirks = quirks;
}

static void read_timeout(struct config_read *r, yyjson_val *key, yyjson_val *val, int32_t *out) {
  uint32_t ms;
  if (config_read_ms(r, key, val, CONFIG_TIMEOUT_MAX_MS, &ms)) *out = (int32_t)ms;
}
#define X(member, camel, option, help)                                                            \
  static void read_##member(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) { \
    read_timeout(r, key, val, &provider(out)->timeouts.member);                                   \
  }
#include "state/config/timeouts.def"
#undef X
static void read_timeouts(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const struct config_member members[] = {
#define X(member, camel, option, help) {#member " " camel, read_##member},
#include "state/config/timeouts.def"
#undef X
  };
  config_read_members(r, key, val, members, sizeof members / sizeof *members, unknown_severity(r), out);
}

/* Only in the array of MAESTRO_PROVIDERS, where an entry names itself. */
static void read_name(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_checked(r, key, val, config_check_provider_id, &provider(out)->id);
}
static void read_require_key(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  bool is_required;
  if (config_read_bool(r, key, val, &is_required)) provider(out)->allow_unauthenticated = !is_required;
}

static const struct config_member provider_members[] = {
    {"type", read_type},
    {"baseURL baseUrl base_url", read_base_url},
    {"authBaseURL authBaseUrl auth_base_url", read_auth_base_url},
    {"apiKeyEnv api_key_env", read_key_env},
    {"apiKey api_key", read_api_key},
    {"options", read_options},
    {"models", read_models},
    {"priority", read_priority},
    {"weight", read_weight},
    {"code", read_code},
    {"headers", read_headers},
    {"region", read_region},
    {"timeouts", read_timeouts},
    {"quirks", read_quirks},
    {"active", read_active},
    {"scopedModels scoped_models", read_scoped},
    {"warmup", read_warmup},
    {"autoSync auto_sync", read_sync},
    {"usage", read_usage},
    {"name", read_name},
    {"requireKey", read_require_key},
};
enum { ARRAY_MEMBERS = sizeof provider_members / sizeof *provider_members, MAP_MEMBERS = ARRAY_MEMBERS - 2 };

/* ---- entries ---- */

struct config_draft *config_draft_add(struct config_loader *l, const struct config_draft *draft) {
  if (l->draft_count == l->draft_cap) {
    size_t cap = l->draft_cap ? l->draft_cap * 2 : 16;
    struct config_draft *grown = ARENA_NEW_ARRAY(&l->scratch, struct config_draft, cap);
    if (!grown) {
      l->is_no_memory = true;
      return NULL;
    }
    if (l->draft_count) memcpy(grown, l->drafts, l->draft_count * sizeof *grown);
    l->drafts = grown;
    l->draft_cap = cap;
  }
  l->drafts[l->draft_count] = *draft;
  return &l->drafts[l->draft_count++];
}

/* Names differ in more than case. A clash with another source is always an error: which of two addresses gets the keys
 * must not depend on the order of reading. */
static bool is_declared_already(struct config_loader *l, struct config_read *r, const struct config_provider *p,
                                yyjson_val *key, yyjson_val *val) {
  for (size_t i = 0; i < l->draft_count; i++) {
    const struct config_provider *other = &l->drafts[i].p;
    if (!str_eq_nocase(other->id, p->id)) continue;
    enum config_severity severity = r->severity;
    if (!str_eq(other->place.file, r->file)) r->severity = CONFIG_ERROR;
    config_read_fault(r, key, val, NULL, "provider \"%.*s\" is declared twice; first at %.*s:%u", STR_ARG(p->id),
                      STR_ARG(other->place.file), other->place.line);
    r->severity = severity;
    return true;
  }
  return false;
}

/* Members that later versions act on: taken, so that a file need not change, but not in silence. */
static void note_without_effect(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *val,
                                const struct config_provider *p) {
  const struct config_preset *preset = config_preset_of(l, p->type);
  const struct {
    const char *name;
    bool is_set;
  } members[] = {{"weight", p->weight != 1},
                 {"region", p->region.n > 0 && !(preset && preset->is_aws)},
                 {"warmup", p->is_warmup},
                 {"autoSync", p->is_sync},
                 {"authBaseURL", p->auth_base_url.n > 0}};
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (members[i].is_set && !r->is_bad)
      config_read_note(r, CONFIG_NOTE, key, val, NULL, "\"%s\" has no effect in this version", members[i].name);
}

/* The entry's name as type where it is one: {"groq": {}} says all there is to say. */
static void check_entry(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *val,
                        struct config_provider *p, bool is_array) {
  const struct config_vocabulary *v = l->sources->vocabulary;
  if (p->type.n == 0 && is_array) p->type = STR("openai-compatible");
  if (p->type.n == 0 && v && is_type(v, p->id)) p->type = p->id;
  if (p->type.n == 0 && !yyjson_obj_get(val, "type")) /* a bad one has been reported */
    config_read_fault(r, key, val, "for any OpenAI-like server: \"openai-compatible\"", "\"type\" is missing");
  note_without_effect(l, r, key, val, p);
  if (p->api_key && p->api_key_env.n)
    config_read_fault(r, key, val, NULL, "apiKey and apiKeyEnv are both there; one of them must go");
  for (size_t i = 0; p->code.n && i < l->draft_count; i++)
    if (str_eq_nocase(p->code, l->drafts[i].p.code))
      config_read_fault(r, key, val, NULL, "code \"%.*s\" is also that of provider \"%.*s\"", STR_ARG(p->code),
                        STR_ARG(l->drafts[i].p.id));
}

static void read_entry(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *val,
                       bool is_array) {
  struct reading reading = {.l = l};
  struct config_provider *p = &reading.draft.p;
  reading.draft.is_required_entry = r->severity == CONFIG_ERROR;
  *p = (struct config_provider){
      .weight = 1, .is_active = true, .timeouts = config_timeouts_unset, .place = config_read_place(r, key, val)};
  bool was_bad = r->is_bad;
  r->is_bad = false;
  if (!is_array) {
    const char *why = config_check_provider_id(config_read_text(key));
    p->id = config_read_dup(r, config_read_text(key));
    if (why) config_read_fault(r, key, NULL, NULL, "%s", why);
  }
  if (!config_read_members(r, key, val, provider_members, is_array ? ARRAY_MEMBERS : MAP_MEMBERS, unknown_severity(r),
                           &reading))
    goto out;
  if (p->id.n == 0)
    config_read_fault(r, key, val, NULL, "\"name\" is missing");
  else if (!is_declared_already(l, r, p, key, val))
    check_entry(l, r, key, val, p, is_array);
  if (!r->is_bad) config_draft_add(l, &reading.draft);
out:
  if (r->is_bad && r->severity != CONFIG_ERROR)
    config_read_note(r, CONFIG_WARNING, key, val, NULL, "the provider is left out");
  r->is_bad |= was_bad;
}

void config_load_provider_map(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map) {
  if (!yyjson_is_obj(map)) {
    config_read_wrong_type(r, key, map, "an object of providers");
    return;
  }
  if (yyjson_obj_size(map) > CONFIG_PROVIDERS_MAX) {
    config_read_fault(r, key, map, NULL, "more than %d providers", CONFIG_PROVIDERS_MAX);
    return;
  }
  config_read_duplicates(r, map);
  yyjson_obj_iter iter = yyjson_obj_iter_with(map);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    if (!config_read_is_first(map, name)) continue;
    size_t mark = config_read_push(r, config_read_text(name));
    read_entry(l, r, name, yyjson_obj_iter_get_val(name), false);
    config_read_pop(r, mark);
  }
}

static void read_map(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_load_provider_map(out, r, key, val);
}

void config_load_providers_file(struct config_loader *l) {
  static const struct config_member members[] = {{"providers", read_map}};
  struct config_bytes bytes;
  struct config_read r = {0};
  if (!l->config_dir) return;
  struct str path = arena_printf(l->arena, "%s/providers.json", l->config_dir);
  if (!path.p || !config_loader_read(l, path.p, CONFIG_WARNING, &bytes)) {
    l->is_no_memory |= !path.p;
    return;
  }
  if (bytes.exists && config_read_open(&r, l->arena, l->diags, CONFIG_WARNING, bytes.path, buf_str(&bytes.buf))) {
    config_read_members(&r, NULL, r.root, members, 1, CONFIG_WARNING, l);
    config_loader_check_mode(l, &bytes, r.has_secret);
  }
  l->is_no_memory |= r.is_no_memory;
  config_read_clear(&r);
  config_bytes_clear(&bytes);
}

void config_load_providers_env(struct config_loader *l) {
  struct config_read r;
  struct str text;
  size_t at = 0;
  if (!config_loader_env(l, "MAESTRO_PROVIDERS", &text, NULL)) return;
  if (!config_read_open(&r, l->arena, l->diags, CONFIG_ERROR, STR("MAESTRO_PROVIDERS"), text)) goto out;
  if (!yyjson_is_arr(r.root) || yyjson_arr_size(r.root) > CONFIG_PROVIDERS_MAX) {
    config_read_fault(&r, NULL, r.root, NULL, "must be an array of at most %d providers", CONFIG_PROVIDERS_MAX);
    goto out;
  }
  yyjson_arr_iter iter = yyjson_arr_iter_with(r.root);
  for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)); at++) {
    size_t mark = config_read_push_index(&r, at);
    read_entry(l, &r, NULL, item, true);
    config_read_pop(&r, mark);
  }
out:
  l->is_no_memory |= r.is_no_memory;
  config_read_clear(&r);
}
