/* Who may call, as a section of the snapshot: see rules.h. */
#include "gateway/rules.h"

#include <stdlib.h>

#include "gateway/request_context.h"
#include "policy/principals.h"

static struct secret *generated_key; /* set by main before any snapshot is built */
static struct secret *made_password; /* the same */
static uint16_t listening_port;

void rules_set_generated_key(struct str key) {
  secret_free(generated_key);
  generated_key = key.n ? secret_new(key) : NULL;
}

void rules_set_admin_password(struct str password) {
  secret_free(made_password);
  made_password = password.n ? secret_new(password) : NULL;
}

void rules_set_port(uint16_t port) { listening_port = port; }

static bool is_loopback_name(struct str host) {
  return str_eq_nocase(host, STR("localhost")) || str_has_prefix(host, STR("127.")) || str_eq(host, STR("::1")) ||
         str_eq(host, STR("[::1]"));
}

static void rules_free(void *section) {
  struct rules *r = section;
  if (!r) return;
  arena_clear(&r->arena);
  free(r);
}

static bool find_caller(void *rules, enum auth_source source, const struct crypto_hash *hash,
                        struct auth_principal *out) {
  const struct rules *r = rules;
  void *principals = (void *)(uintptr_t)r->sessions.principals;
  return (principals && principals_find(principals, source, hash, out)) ||
         sessions_find(&r->sessions, source, hash, out);
}

static enum err fill_sessions(struct rules *r, const struct config_options *o, const struct principals *principals) {
  struct str password = secret_reveal(secret_bytes(o->admin_password) ? o->admin_password : made_password);
  struct str name = arena_dup(&r->arena, o->admin_username);
  r->sessions.idle_us = (int64_t)o->admin_session_idle_ms * 1000;
  r->sessions.total_us = (int64_t)o->admin_session_total_ms * 1000;
  r->sessions.principals = principals;
  return name.p ? sessions_set_admin(&r->sessions, name, password) : ERR_NO_MEMORY;
}

static enum err fill(struct rules *r, const struct config *config, const struct principals *principals,
                     struct err_info *info) {
  const struct config_options *o = &config->options;
  bool by_person = config->keys.n > 0;
  size_t n = by_person ? config->keys.n : generated_key ? 1 : 0;
  struct str *keys = ARENA_NEW_ARRAY(&r->arena, struct str, n + 1);
  if (!keys) return ERR_NO_MEMORY;
  for (size_t i = 0; i < n; i++) keys[i] = secret_reveal(by_person ? config->keys.items[i] : generated_key);
  const struct auth_rules_input input = {
      .keys = keys,
      .keys_n = n,
      .is_key_set_by_person = by_person,
      .has_users = principals && principals_has_users(principals),
      .find = find_caller,
      .find_arg = r,
      .admin_token = secret_reveal(o->admin_token),
      .docs_username = o->docs_username,
      .docs_password = secret_reveal(o->docs_password),
      .metrics_token = secret_reveal(o->metrics_token),
      .is_bind_loopback = is_loopback_name(o->server_host),
      .port = listening_port ? listening_port : (uint16_t)o->server_port,
      .hosts = o->server_hosts.items,
      .hosts_n = o->server_hosts.n,
      .origins = o->server_origins.items,
      .origins_n = o->server_origins.n,
      .trusted_proxies = o->server_trusted_proxies.items,
      .trusted_proxies_n = o->server_trusted_proxies.n,
  };
  enum err e = fill_sessions(r, o, principals);
  if (!e) e = auth_rules_new(&r->arena, &input, &r->auth, info);
  if (!e) r->cors.origins = auth_rules_origins(r->auth, &r->cors.origins_n);
  return e;
}

static enum err build(const struct config *config, const struct snapshot *made, const void *old, void **out,
                      struct config_diags *diags) {
  (void)old;
  struct err_info info = {0};
  struct rules *r = calloc(1, sizeof *r);
  if (!r) return ERR_NO_MEMORY;
  arena_init(&r->arena, 0);
  enum err e = fill(r, config, made ? snapshot_get(made, GATEWAY_PRINCIPALS) : NULL, &info);
  if (e) {
    config_diags_add(diags, CONFIG_ERROR, (struct config_place){0}, STR("server"), NULL, "%s", err_info_text(e, &info));
    rules_free(r);
    return e;
  }
  *out = r;
  return OK;
}

const struct snapshot_section rules_section = {"rules", build, rules_free};
