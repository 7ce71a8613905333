/* The greeting: see server_greet.h. */
#include "app/server_greet.h"

#include <stdio.h>

#include "gateway/request_context.h"
#include "policy/principals.h"
#include "route/resolve.h"
#include "state/store/store.h"

static bool has_auto_model(const struct catalog *c) {
  struct arena a;
  struct resolution r;
  arena_init(&a, 0);
  bool found = !resolve_name(c, NULL, &a, STR("maestro-auto"), &r, NULL);
  arena_clear(&a);
  return found;
}

static bool is_any_ready(const struct catalog *c) {
  bool is_ready = false;
  for (size_t i = 0; i < c->provider_count; i++) is_ready = is_ready || c->providers[i].is_ready;
  return is_ready;
}

/* The first thing to try, or what is to be done before it. The key is named where a call without one is refused. */
static void tell_first_step(const struct catalog *c, const char *url, bool needs_key) {
  const char *key = needs_key ? "-H \"Authorization: Bearer $(maestro server show-key)\" " : "";
  if (!is_any_ready(c))
    fprintf(stderr, "  No provider can be used yet: `maestro check` says what each lacks.\n\n");
  else if (!has_auto_model(c))
    fprintf(stderr,
            "  `maestro-auto` knows no model yet: list some in \"priorities\", or name one of\n        curl "
            "%s%s/v1/models\n\n",
            key, url);
  else
    fprintf(
        stderr,
        "  Try:  curl %s/v1/chat/completions -H 'Content-Type: application/json' \\\n"
        "          %s-d '{\"model\":\"maestro-auto\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'\n\n",
        url, key);
}

void server_greet(const struct config *config, uint16_t port, const char *data_dir, bool created_key) {
  struct snapshot *now = snapshot_newest();
  const struct catalog *c = snapshot_get(now, GATEWAY_CATALOG);
  bool has_users = principals_has_users(snapshot_get(now, GATEWAY_PRINCIPALS));
  const char *host = config->options.server_host.p;
  bool is_any = !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
  bool is_local = !strcmp(host, "127.0.0.1") || !strcmp(host, "::1") || is_any;
  char url[320];
  snprintf(url, sizeof url, strchr(host, ':') && !is_local ? "http://[%s]:%u" : "http://%s:%u",
           is_local ? "localhost" : host, port);
  fprintf(stderr, "\n  Maestro " MAESTRO_VERSION " serves on %s\n\n", url);
  if (c->provider_count == 1 && c->providers[0].is_demo)
    fprintf(stderr,
            "  No provider is configured: the built-in demo answers (no real model). Set OPENAI_API_KEY or another\n"
            "  provider's key, or run `maestro init`, then see `maestro check`.\n");
  if (is_any) fprintf(stderr, "  It listens on all addresses: every call needs a key.\n");
  if (!secret_bytes(config->options.admin_password))
    fprintf(stderr,
            "  The administrator's password is in %s/" STORE_PASSWORD_FILE " (set ADMIN_PASSWORD for your own).\n",
            data_dir);
  if (created_key) fprintf(stderr, "  A server key was made for you: `maestro server show-key` prints it.\n");
  tell_first_step(c, url, config->keys.n || is_any || has_users);
  snapshot_unref(now);
}
