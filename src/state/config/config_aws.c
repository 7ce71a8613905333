/* What AWS's own tools read from the environment: access keys and the region. For providers whose preset is of AWS;
 * used by config_credentials.c while providers are settled. Variables: AWS SDKs and Tools Reference Guide, "Environment
 * variables" (read 2026-11). The shared files (~/.aws) and the roles of machines are not read. */
#include "state/config/config_check.h"
#include "state/config/config_load.h"

static bool take(struct config_loader *l, const char *name, const char *(*check)(struct str), struct str *out) {
  struct config_found found;
  if (!config_loader_env(l, name, out, &found)) return false;
  const char *why = check(*out);
  if (why) config_diags_add(l->diags, CONFIG_WARNING, found.place, str_from_c(name), "it is not used", "%s", why);
  return !why;
}

struct str config_aws_regional_url(struct config_loader *l, const struct config_provider *p) {
  struct str url = str_from_c(p->preset->base_url), service, rest, other;
  if (!p->preset->is_aws || !p->region.n || !str_cut(url, '.', &service, &rest) || !str_cut(rest, '.', &other, &rest))
    return url;
  struct str out = arena_printf(l->arena, "%.*s.%.*s.%.*s", STR_ARG(service), STR_ARG(p->region), STR_ARG(rest));
  l->is_no_memory |= !out.p;
  return out;
}

void config_aws_settle_region(struct config_loader *l, struct config_provider *p) {
  struct str found;
  if (!p->preset || !p->preset->is_aws) return;
  if (!p->region.n &&
      (take(l, "AWS_REGION", config_check_code, &found) || take(l, "AWS_DEFAULT_REGION", config_check_code, &found)))
    p->region = config_loader_dup(l, found);
}

bool config_aws_take_keys(struct config_loader *l, struct config_provider *p) {
  struct str id, secret, token;
  if (!p->preset || !p->preset->is_aws || !take(l, "AWS_ACCESS_KEY_ID", config_check_header_value, &id) ||
      !take(l, "AWS_SECRET_ACCESS_KEY", config_check_header_value, &secret))
    return false;
  p->aws = (struct config_aws){.access_key_id = config_loader_dup(l, id),
                               .secret_access_key = secret_new_in(l->arena, secret)};
  l->is_no_memory |= !p->aws.secret_access_key;
  if (take(l, "AWS_SESSION_TOKEN", config_check_header_value, &token)) {
    p->aws.session_token = secret_new_in(l->arena, token);
    l->is_no_memory |= !p->aws.session_token;
  }
  p->credential = CONFIG_CREDENTIAL_ENV;
  return true;
}
