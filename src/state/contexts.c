/* contexts.json: read entry by entry, kept as plain heap values that commands may change, written whole. */
#include "state/contexts.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "state/config/config_check.h"
#include "state/config/config_read.h"
#include "state/disk.h"

enum { CONTEXTS_MAX = 256 };
#define DEFAULT_ENDPOINT STR("http://localhost:8080")

static char *dup_c(struct str s) {
  char *copy = malloc(s.n + 1);
  if (!copy) return NULL;
  if (s.n) memcpy(copy, s.p, s.n);
  copy[s.n] = '\0';
  return copy;
}

static void context_clear(struct context *c) {
  free(c->name);
  free(c->endpoint);
  secret_free(c->key);
  *c = (struct context){0};
}

void contexts_clear(struct contexts *c) {
  for (size_t i = 0; i < c->n; i++) context_clear(&c->items[i]);
  free(c->items);
  free(c->current);
  *c = (struct contexts){0};
}

struct context *contexts_find(const struct contexts *c, struct str name) {
  for (size_t i = 0; i < c->n; i++)
    if (str_eq(name, str_from_c(c->items[i].name))) return &c->items[i];
  return NULL;
}

struct context *contexts_current(const struct contexts *c) {
  struct context *found = contexts_find(c, str_from_c(c->current));
  return found ? found : contexts_find(c, STR(CONTEXTS_LOCAL));
}

static enum err no_memory(struct err_info *info) { return err_set(info, ERR_NO_MEMORY, "out of memory"); }

static enum err check_endpoint(struct str endpoint, struct err_info *info) {
  const char *why = config_check_url(endpoint);
  return why ? err_set(info, ERR_BAD_VALUE, "the endpoint %s", why) : OK;
}

static struct str without_slash(struct str url) {
  while (url.n && url.p[url.n - 1] == '/') url.n--;
  return url;
}

/* Sets what is given; all or nothing. */
static enum err change(struct context *c, const struct str *endpoint, const struct str *key, struct err_info *info) {
  char *new_endpoint = NULL;
  struct secret *new_key = NULL;
  const char *why = key && key->n ? config_check_key(*key) : NULL;
  if (why) return err_set(info, ERR_BAD_VALUE, "the key %s", why);
  if (endpoint) {
    enum err e = check_endpoint(*endpoint, info);
    if (e) return e;
    if (!(new_endpoint = dup_c(without_slash(*endpoint)))) return no_memory(info);
  }
  if (key && key->n && !(new_key = secret_new(*key))) {
    free(new_endpoint);
    return no_memory(info);
  }
  if (endpoint) {
    free(c->endpoint);
    c->endpoint = new_endpoint;
  }
  if (key) {
    secret_free(c->key);
    c->key = new_key;
  }
  return OK;
}

enum err contexts_update(struct contexts *c, struct str name, const struct str *endpoint, const struct str *key,
                         struct err_info *info) {
  struct context *found = contexts_find(c, name);
  if (!found) return err_set(info, ERR_NOT_FOUND, "there is no context \"%.*s\"", STR_ARG(name));
  return change(found, endpoint, key, info);
}

static enum err append(struct contexts *c, struct str name, struct str endpoint, struct str key,
                       struct err_info *info) {
  if (c->n == CONTEXTS_MAX) return err_set(info, ERR_BAD_VALUE, "more than %d contexts", CONTEXTS_MAX);
  struct context *grown = realloc(c->items, (c->n + 1) * sizeof *grown);
  if (!grown) return no_memory(info);
  c->items = grown;
  struct context fresh = {.name = dup_c(name)};
  if (!fresh.name) return no_memory(info);
  enum err e = change(&fresh, &endpoint, &key, info);
  if (e)
    context_clear(&fresh);
  else
    c->items[c->n++] = fresh;
  return e;
}

enum err contexts_add(struct contexts *c, struct str name, struct str endpoint, struct str key, bool *replaced,
                      struct err_info *info) {
  const char *why = config_check_code(name);
  if (why) return err_set(info, ERR_BAD_VALUE, "a context's name %s", why);
  struct context *found = contexts_find(c, name);
  enum err e = found ? change(found, &endpoint, &key, info) : append(c, name, endpoint, key, info);
  if (!e && replaced) *replaced = found != NULL;
  return e;
}

enum err contexts_select(struct contexts *c, struct str name, struct err_info *info) {
  if (!contexts_find(c, name)) return err_set(info, ERR_NOT_FOUND, "there is no context \"%.*s\"", STR_ARG(name));
  char *copy = dup_c(name);
  if (!copy) return no_memory(info);
  free(c->current);
  c->current = copy;
  return OK;
}

enum err contexts_remove(struct contexts *c, struct str name, struct err_info *info) {
  struct context *found = contexts_find(c, name);
  if (str_eq(name, STR(CONTEXTS_LOCAL))) return err_set(info, ERR_BAD_VALUE, "\"local\" cannot be removed");
  if (!found) return err_set(info, ERR_NOT_FOUND, "there is no context \"%.*s\"", STR_ARG(name));
  if (str_eq(name, str_from_c(c->current))) {
    enum err e = contexts_select(c, STR(CONTEXTS_LOCAL), info);
    if (e) return e;
  }
  size_t index = (size_t)(found - c->items);
  context_clear(found);
  memmove(found, found + 1, (c->n - index - 1) * sizeof *found);
  c->n--;
  return OK;
}

/* ---- reading ---- */

struct entry {
  struct str endpoint;
  const struct secret *key;
};

static void read_endpoint(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct str url;
  if (!config_read_string(r, key, val, 1, 2048, &url)) return;
  const char *why = config_check_url(url);
  if (why)
    config_read_fault(r, key, val, NULL, "%s", why);
  else
    ((struct entry *)out)->endpoint = url;
}

static void read_key(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  const struct secret *s;
  if (yyjson_is_null(val) || (yyjson_is_str(val) && yyjson_get_len(val) == 0) || !config_read_secret(r, key, val, &s))
    return;
  const char *why = config_check_key(secret_reveal(s));
  if (why)
    config_read_fault(r, key, val, NULL, "%s", why);
  else
    ((struct entry *)out)->key = s;
}

static void read_entry(struct config_read *r, yyjson_val *name, struct contexts *c) {
  static const struct config_member members[] = {{"endpoint", read_endpoint}, {"api_key apiKey", read_key}};
  struct entry entry = {0};
  r->is_bad = false;
  const char *why = config_check_code(config_read_text(name));
  if (why) config_read_fault(r, name, NULL, NULL, "the name %s", why);
  config_read_members(r, name, yyjson_obj_iter_get_val(name), members, 2, CONFIG_NOTE, &entry);
  if (!r->is_bad && entry.endpoint.n == 0) config_read_fault(r, name, NULL, NULL, "\"endpoint\" is missing");
  if (r->is_bad) {
    config_read_note(r, CONFIG_WARNING, name, NULL, NULL, "the context is left out");
    return;
  }
  struct err_info info = {0};
  enum err e = contexts_add(c, config_read_text(name), entry.endpoint, secret_reveal(entry.key), NULL, &info);
  if (e) config_read_fault(r, name, NULL, NULL, "%s", err_info_text(e, &info));
  r->is_no_memory |= e == ERR_NO_MEMORY;
}

static void read_contexts(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  if (!yyjson_is_obj(val) || yyjson_obj_size(val) > CONTEXTS_MAX) {
    config_read_fault(r, key, val, NULL, "must be an object of at most %d contexts", CONTEXTS_MAX);
    return;
  }
  config_read_duplicates(r, val);
  yyjson_obj_iter iter = yyjson_obj_iter_with(val);
  for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
    if (!config_read_is_first(val, name)) continue;
    size_t mark = config_read_push(r, config_read_text(name));
    read_entry(r, name, out);
    config_read_pop(r, mark);
  }
}

static void read_current(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct contexts *c = out;
  struct str name;
  if (!config_read_string(r, key, val, 1, 64, &name)) return;
  free(c->current);
  c->current = dup_c(name);
  r->is_no_memory |= !c->current;
}

/* What the file says; `local` and a valid `current` are added by the caller. */
static enum err parse(struct config_read *r, struct arena *arena, const char *path, struct str bytes,
                      struct contexts *c, struct config_diags *diags) {
  static const struct config_member members[] = {{"contexts", read_contexts}, {"current", read_current}};
  if (!config_read_open(r, arena, diags, CONFIG_ERROR, str_from_c(path), bytes))
    return r->is_no_memory ? ERR_NO_MEMORY : ERR_BAD_CONFIG;
  if (!yyjson_is_obj(r->root)) {
    config_read_wrong_type(r, NULL, r->root, "an object");
    return ERR_BAD_CONFIG;
  }
  r->severity = CONFIG_WARNING;
  config_read_members(r, NULL, r->root, members, 2, CONFIG_NOTE, c);
  return r->is_no_memory ? ERR_NO_MEMORY : OK;
}

static enum err complete(struct contexts *c, const char *path, struct config_diags *diags) {
  if (!contexts_find(c, STR(CONTEXTS_LOCAL))) {
    enum err e = append(c, STR(CONTEXTS_LOCAL), DEFAULT_ENDPOINT, STR_NONE, NULL);
    if (e) return e;
  }
  if (c->current && contexts_find(c, str_from_c(c->current))) return OK;
  if (c->current)
    config_diags_add(diags, CONFIG_WARNING, (struct config_place){str_from_c(path), 0}, STR("current"),
                     "\"local\" is used", "there is no context \"%s\"", c->current);
  return contexts_select(c, STR(CONTEXTS_LOCAL), NULL);
}

enum err contexts_load(const char *path, struct contexts *out, struct config_diags *diags) {
  struct contexts c = {0};
  struct config_read r = {0};
  struct arena arena;
  struct buf bytes;
  struct err_info info = {0};
  arena_init(&arena, 0);
  buf_init(&bytes, 0);
  enum err e = disk_read(path, CONFIG_FILE_BYTES_MAX, &bytes, NULL, &info);
  if (e == ERR_NOT_FOUND)
    e = OK;
  else if (e)
    config_diags_add(diags, CONFIG_ERROR, (struct config_place){str_from_c(path), 0}, STR_NONE, NULL,
                     "cannot be read: %s", err_info_text(e, &info));
  else
    e = parse(&r, &arena, path, buf_str(&bytes), &c, diags);
  if (!e) e = complete(&c, path, diags);
  config_read_clear(&r);
  crypto_wipe(bytes.p, bytes.cap);
  buf_clear(&bytes);
  arena_clear(&arena);
  if (e)
    contexts_clear(&c);
  else
    *out = c;
  return e;
}

/* ---- writing ---- */

enum err contexts_save(const char *path, const struct contexts *c, struct err_info *info) {
  struct buf out;
  size_t room = 1024;
  buf_init(&out, 0);
  for (size_t i = 0; i < c->n; i++) room += 8192 + 6 * secret_bytes(c->items[i].key);
  (void)buf_reserve(&out, room); /* at once, so that growing leaves no copy of a key behind */
  buf_put(&out, STR("{\n  \"current\": "));
  buf_put_json(&out, str_from_c(c->current ? c->current : CONTEXTS_LOCAL));
  buf_put(&out, STR(",\n  \"contexts\": {"));
  for (size_t i = 0; i < c->n; i++) {
    buf_put(&out, i ? STR(",\n    ") : STR("\n    "));
    buf_put_json(&out, str_from_c(c->items[i].name));
    buf_put(&out, STR(": {\n      \"endpoint\": "));
    buf_put_json(&out, str_from_c(c->items[i].endpoint));
    buf_put(&out, STR(",\n      \"api_key\": "));
    if (c->items[i].key)
      buf_put_json(&out, secret_reveal(c->items[i].key));
    else
      buf_put(&out, STR("null"));
    buf_put(&out, STR("\n    }"));
  }
  buf_put(&out, STR("\n  }\n}\n"));
  enum err e = out.failed ? no_memory(info) : disk_replace(path, buf_str(&out), 0600, info);
  crypto_wipe(out.p, out.cap);
  buf_clear(&out);
  return e;
}

enum err contexts_local_key(const char *path, struct secret **key, bool *created, struct config_diags *diags,
                            struct err_info *info) {
  struct contexts c;
  enum err e = contexts_load(path, &c, diags);
  if (e) return err_set(info, e, "%s could not be read", path);
  struct context *local = contexts_find(&c, STR(CONTEXTS_LOCAL));
  bool is_new = !local->key;
  if (is_new) {
    local->key = secret_new_random(STR(CONTEXTS_KEY_PREFIX), 32);
    e = local->key ? contexts_save(path, &c, info) : no_memory(info);
  }
  struct secret *copy = e ? NULL : secret_dup(local->key);
  if (!e && !copy) e = no_memory(info);
  contexts_clear(&c);
  if (e) return e;
  *key = copy;
  *created = is_new;
  return OK;
}
