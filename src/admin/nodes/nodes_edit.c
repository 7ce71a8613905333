/* Bodies applied to nodes: see nodes_edit.h. */
#include "admin/nodes/nodes_edit.h"

#include "io/resolver.h"
#include "provider/provider.h"

static enum err refuse(const char *param, const char *why, struct err_info *info) {
  return fields_refuse_named(info, param, "\"%s\" %s", param, why);
}

/* ---- the address ---- */

static bool is_of_aws(const struct node *node) {
  const struct provider_preset *preset = provider_preset_by_name(node->p.type);
  return preset && preset->auth == PROVIDER_AUTH_AWS;
}

/* The type's own; of AWS's that of the region, which is the host's second word. Empty: it has none. */
static struct str default_url(struct arena *a, const struct node *node) {
  const struct provider_preset *preset = provider_preset_by_name(node->p.type);
  struct str url = preset ? preset->base_url : STR_NONE, service, rest, other;
  if (!is_of_aws(node) || !node->p.region.n || !str_cut(url, '.', &service, &rest) ||
      !str_cut(rest, '.', &other, &rest))
    return url;
  return arena_printf(a, "%.*s.%.*s.%.*s", STR_ARG(service), STR_ARG(node->p.region), STR_ARG(rest));
}

static enum err check_address(struct arena *a, const struct node *node, bool has_private, struct err_info *info) {
  struct http_origin origin;
  struct err_info why = {0};
  enum err e = http_origin_parse(a, node->p.base_url, false, &origin, &why);
  if (e) return refuse("base_url", err_info_text(e, &why), info);
  if (resolver_host_is_allowed(origin.host, has_private && node->allow_private)) return OK;
  if (!resolver_host_is_allowed(origin.host, true))
    return refuse("base_url", "is an address that is never called: link-local, metadata, multicast or the like", info);
  if (!has_private)
    return refuse("base_url", "is an address of this machine or a private network, which egress.private forbids", info);
  return refuse("base_url",
                "is an address of this machine or a private network: \"allow_private\": true allows it for this node",
                info);
}

/* was_default: it had the type's own address and goes with it. */
static enum err settle_url(struct arena *a, const struct nodes_input *in, struct node *node, bool was_default,
                           struct err_info *info) {
  struct str url = in->base_url;
  while (url.n && url.p[url.n - 1] == '/') url.n--;
  if (in->has & NODES_URL)
    node->p.base_url = url;
  else if (was_default || !node->p.base_url.n)
    node->p.base_url = default_url(a, node);
  if (!node->p.base_url.n) return refuse("base_url", "is required for this type", info);
  return check_address(a, node, in->has_private, info);
}

static enum err check_health_url(struct arena *a, const struct node *node, struct err_info *info) {
  if (!node->health_url.n || str_eq(node_origin(a, node->health_url), node_origin(a, node->p.base_url))) return OK;
  return refuse("health_check_url", "must be of the node's own origin", info);
}

/* ---- the credential ---- */

static void drop_credential(struct node *node, bool *drops) {
  *drops = node_has_credential(node) || node->p.header_count;
  node->p.api_key = NULL;
  node->p.aws = (struct config_aws){0};
  node->p.headers = NULL;
  node->p.header_count = 0;
  node->is_shut = false;
  node->sealed = STR_NONE;
}

/* Empty: it is taken away. */
static enum err set_secret(struct arena *a, struct str s, const struct secret **out) {
  *out = s.n ? secret_new_in(a, s) : NULL;
  return s.n && !*out ? ERR_NO_MEMORY : OK;
}

static enum err set_headers(struct arena *a, const struct nodes_headers *headers, struct config_provider *p) {
  p->headers = ARENA_NEW_ARRAY(a, struct config_header, headers->n + 1);
  if (!p->headers) return ERR_NO_MEMORY;
  p->header_count = headers->n;
  for (size_t i = 0; i < headers->n; i++) {
    p->headers[i] = (struct config_header){headers->v[i].name, secret_new_in(a, headers->v[i].value)};
    if (!p->headers[i].value) return ERR_NO_MEMORY;
  }
  return OK;
}

enum { CREDENTIAL_MEMBERS = NODES_API_KEY | NODES_AWS_SECRET | NODES_AWS_TOKEN | NODES_AUTH_MODE };

static enum err set_aws(struct arena *a, const struct nodes_input *in, struct node *node, struct err_info *info) {
  struct config_aws *aws = &node->p.aws;
  enum err e = OK;
  if (in->has & NODES_AWS_SECRET) e = set_secret(a, in->aws_secret_key, &aws->secret_access_key);
  if (!e && in->has & NODES_AWS_TOKEN) e = set_secret(a, in->aws_session_token, &aws->session_token);
  if (in->has & NODES_API_KEY) aws->access_key_id = in->api_key;
  node->p.api_key = NULL;
  if (!e && (!aws->secret_access_key || !aws->access_key_id.n))
    e = refuse("aws_secret_key", "and \"api_key\" (the access key's id) are needed together", info);
  return e;
}

/* A key, or what AWS signs with: api_key is then the id of the access key, as model-maestro has it. */
static enum err set_credential(struct arena *a, const struct nodes_input *in, struct node *node,
                               struct err_info *info) {
  bool gives_aws = in->has & NODES_AWS_SECRET && in->aws_secret_key.n;
  bool is_iam = in->has & NODES_AUTH_MODE
                    ? in->auth_mode == NODES_AUTH_IAM
                    : gives_aws || (node->p.aws.secret_access_key && !(in->has & NODES_AWS_SECRET));
  if (!(in->has & CREDENTIAL_MEMBERS)) return OK;
  if ((gives_aws || in->has & NODES_AUTH_MODE) && !is_of_aws(node))
    return refuse(gives_aws ? "aws_secret_key" : "bedrock_auth_mode", "is for nodes of type bedrock", info);
  node->is_shut = false;
  if (is_iam) return set_aws(a, in, node, info);
  node->p.aws = (struct config_aws){0};
  return in->has & NODES_API_KEY ? set_secret(a, in->api_key, &node->p.api_key) : OK;
}

/* ---- all of it ---- */

/* As the catalog will make it, so that what it would refuse is refused here. */
static enum err check_provider(const struct node *node, struct err_info *info) {
  const struct config_provider *p = &node->p;
  struct err_info why = {0};
  struct provider made;
  struct arena work;
  arena_init(&work, 0);
  const struct provider_spec spec = {
      .id = p->id,
      .type = p->type,
      .base_url = p->base_url,
      .api_key = secret_reveal(p->api_key),
      .aws = {p->aws.access_key_id, secret_reveal(p->aws.secret_access_key), secret_reveal(p->aws.session_token)},
      .region = p->region};
  enum err e = provider_init(&work, &spec, &made, &why);
  arena_clear(&work);
  if (!e || e == ERR_NO_MEMORY) return e;
  const char *param = str_eq(str_from_c(why.param), STR("baseURL")) ? "base_url"
                      : why.param[0]                                ? why.param
                                                                    : "node_type";
  return refuse(param, err_info_text(e, &why), info);
}

static void set_plain(const struct nodes_input *in, struct node *node) {
  struct config_provider *p = &node->p;
  if (in->has & NODES_NAME) node->name = in->name;
  if (in->has & NODES_CODE) p->id = in->code;
  if (in->has & NODES_TYPE) p->type = in->type;
  if (in->has & NODES_REGION) p->region = in->region;
  if (in->has & NODES_PRIORITY) p->priority = (int32_t)in->priority;
  if (in->has & NODES_WEIGHT) p->weight = (uint32_t)in->weight;
  if (in->has & NODES_ACTIVE) p->is_active = in->is_active;
  if (in->has & NODES_WARMUP) p->is_warmup = in->is_warmup;
  if (in->has & NODES_SYNC) p->is_sync = in->is_sync;
  if (in->has & NODES_SCOPED) p->is_scoped = in->is_scoped;
  if (in->has & NODES_PRIVATE) node->allow_private = in->allow_private;
  if (in->has & NODES_USAGE) p->usage = (enum config_usage)in->usage;
  if (in->has & NODES_HEALTH_URL) node->health_url = in->health_url;
  if (in->has & NODES_TIMEOUTS) p->timeouts = nodes_timeouts_of(&in->timeouts);
  if (in->has & NODES_QUIRKS) p->quirks = (struct config_strings){in->quirks.v, in->quirks.n};
}

enum err nodes_edit(struct arena *a, const struct nodes_input *in, struct node *node, bool *drops,
                    struct err_info *info) {
  struct str before = node->p.base_url.n ? node_origin(a, node->p.base_url) : STR_NONE;
  bool was_default = node->p.base_url.n && str_eq(node->p.base_url, default_url(a, node));
  *drops = false;
  set_plain(in, node);
  if (!node->p.id.n) node->p.id = node_code_of_name(a, node->name);
  if (!node->p.id.n) return refuse("code", "is required, since none can be made of the name", info);
  enum err e = settle_url(a, in, node, was_default, info);
  if (e) return e;
  if (before.n && !str_eq(before, node_origin(a, node->p.base_url))) drop_credential(node, drops);
  e = set_credential(a, in, node, info);
  if (!e && in->has & NODES_HEADERS) e = set_headers(a, &in->headers, &node->p);
  if (!e) e = check_health_url(a, node, info);
  return e ? e : check_provider(node, info);
}
