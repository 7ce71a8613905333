/* What auth.c and auth_local.c share: the rules behind auth_rules_new and what one pass over a head finds. Private to
 * these files; others use auth.h. Everything here is immutable after auth_rules_new and lives in its arena. */
#ifndef MAESTRO_POLICY_AUTH_RULES_H
#define MAESTRO_POLICY_AUTH_RULES_H

#include "policy/auth.h"

struct auth_host {
  struct str name; /* as configured, brackets included for IPv6; compared without case */
  uint16_t port;   /* 0: any */
};

struct auth_net {
  uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
  unsigned bits;
};

struct auth_rules {
  const struct crypto_hash *keys;
  uint32_t keys_n;
  bool has_admin, has_metrics, has_docs;
  struct crypto_hash admin, metrics, docs;
  bool may_be_local; /* no key set by a person, no user, loopback bind */
  bool is_bind_loopback;
  uint16_t port;
  const struct auth_host *hosts;
  size_t hosts_n;
  const struct str *origins;
  size_t origins_n;
  const struct auth_net *proxies;
  size_t proxies_n;
  auth_find *find;
  void *find_arg;
};

/* What speaks for or against a local call, found in one pass. */
struct auth_head {
  bool has_proxy_header;
  unsigned origins, fetch_sites, content_types; /* how many headers of that name */
  struct str origin, fetch_site, content_type;  /* the last of them */
};

enum auth_local {
  AUTH_LOCAL_YES,
  AUTH_LOCAL_NOT_OFFERED, /* a key was set, a user exists, or the bind is open */
  AUTH_LOCAL_PEER,
  AUTH_LOCAL_HOST,
  AUTH_LOCAL_PROXY,
  AUTH_LOCAL_ORIGIN,
  AUTH_LOCAL_FETCH_SITE,
  AUTH_LOCAL_BODY
};

void auth_local_scan(struct http_headers headers, struct auth_head *out);
enum auth_local auth_local_judge(const struct auth_rules *rules, const struct http_request *request,
                                 const struct http_peer *peer, const struct auth_head *head);
enum err auth_local_check_origin(const struct auth_rules *rules, const struct http_request *request,
                                 const struct http_peer *peer, const struct auth_head *head,
                                 struct err_info *info) MUST_CHECK;
/* A page of ours made this request: for calls that a cookie alone would allow. */
bool auth_local_is_same_origin(const struct http_request *request, const struct auth_head *head);

/* Building. */
bool auth_local_parse_host(struct str text, struct auth_host *out) MUST_CHECK;
bool auth_local_parse_net(struct str text, struct auth_net *out) MUST_CHECK;

#endif
