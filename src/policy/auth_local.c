/* What makes a call local, and the checks of Host and Origin that keep a browser's other sites (cross-site requests,
 * DNS rebinding) away from a loopback bind: see auth.h. Everything compares against a closed list; what is malformed,
 * doubled or unknown is foreign. Nothing here looks at credentials. */
#include <arpa/inet.h>

#include "policy/auth_rules.h"
#include "policy/cors.h"

/* The third letter tells the names apart; it is looked at first, since most clients send a dozen other X- headers. */
static bool is_proxy_header(struct str name) {
  switch (name.n > 2 ? name.p[2] | 0x20 : 0) {
    case 'f': return str_has_prefix_nocase(name, STR("x-forwarded"));
    case 'r': return str_eq_nocase(name, STR("x-real-ip")) || str_eq_nocase(name, STR("forwarded"));
    case 'c': return str_eq_nocase(name, STR("x-client-ip")) || str_eq_nocase(name, STR("x-cluster-client-ip"));
    case 'o': return str_eq_nocase(name, STR("x-original-host"));
    case 'e': return str_has_prefix_nocase(name, STR("x-envoy-"));
    case 'a': return str_eq_nocase(name, STR("via"));
    case '-': return str_has_prefix_nocase(name, STR("cf-"));
    case 'n': return str_eq_nocase(name, STR("cdn-loop"));
    case 'u': return str_eq_nocase(name, STR("true-client-ip"));
    case 'i': return str_has_prefix_nocase(name, STR("tailscale-"));
    default: return false;
  }
}

void auth_local_scan(struct http_headers headers, struct auth_head *out) {
  *out = (struct auth_head){0};
  for (size_t i = 0; i < headers.n; i++) {
    const struct http_header *h = &headers.v[i];
    if (h->name.n == 0) continue;
    switch (h->name.p[0] | 0x20) { /* letters in lower case; what else lands here is told apart below */
      case 'o':
        if (!str_eq_nocase(h->name, STR("origin"))) break;
        out->origins++;
        out->origin = h->value;
        break;
      case 's':
        if (!str_eq_nocase(h->name, STR("sec-fetch-site"))) break;
        out->fetch_sites++;
        out->fetch_site = h->value;
        break;
      case 'c':
        if (str_eq_nocase(h->name, STR("content-type"))) {
          out->content_types++;
          out->content_type = h->value;
          break;
        }
        out->has_proxy_header |= is_proxy_header(h->name);
        break;
      case 'f':
      case 't':
      case 'v':
      case 'x': out->has_proxy_header |= is_proxy_header(h->name); break;
      default: break;
    }
  }
}

/* "name", "name:port", "[v6]" or "[v6]:port"; port 0 when none is given. */
static bool split_authority(struct str s, struct str *name, uint16_t *port) {
  size_t end = s.n && s.p[0] == '[' ? str_find_char(s, ']') : str_find_char(s, ':');
  if (s.n && s.p[0] == '[') {
    if (end == SIZE_MAX) return false;
    end++;
  }
  if (end == SIZE_MAX || end == s.n) {
    *name = s;
    *port = 0;
    return s.n > 0;
  }
  uint64_t value;
  struct str digits = str_sub(s, end + 1, s.n);
  if (s.p[end] != ':' || digits.n > 5 || !str_to_u64(digits, &value) || digits.p[0] == '0' || value > 65535)
    return false;
  *name = str_sub(s, 0, end);
  *port = (uint16_t)value;
  return end > 0;
}

bool auth_local_parse_host(struct str text, struct auth_host *out) {
  struct auth_host host;
  if (!split_authority(text, &host.name, &host.port)) return false;
  for (size_t i = 0; i < host.name.n; i++) {
    char c = host.name.p[i];
    bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    bool is_v6 = host.name.p[0] == '[' && (c == '[' || c == ']' || c == ':');
    if (!is_plain && !is_v6) return false;
  }
  *out = host;
  return true;
}

static bool is_loopback_name(struct str name) {
  return str_eq_nocase(name, STR("localhost")) || str_eq(name, STR("127.0.0.1")) || str_eq(name, STR("[::1]"));
}

/* default_port is what the scheme means when the authority names none. */
static bool is_our_authority(const struct auth_rules *rules, const struct http_peer *peer, struct str authority,
                             uint16_t default_port) {
  struct str name;
  uint16_t port, ours = rules->port ? rules->port : peer->local_port;
  if (!split_authority(authority, &name, &port)) return false;
  if (!port) port = default_port;
  if (is_loopback_name(name) && port == ours && default_port == 80) return true;
  for (size_t i = 0; i < rules->hosts_n; i++)
    if (str_eq_nocase(name, rules->hosts[i].name) && (!rules->hosts[i].port || rules->hosts[i].port == port))
      return true;
  return false;
}

static bool is_our_origin(const struct auth_rules *rules, const struct http_peer *peer, struct str origin) {
  static const struct str http = {"http://", 7}, https = {"https://", 8};
  if (str_has_prefix(origin, http)) return is_our_authority(rules, peer, str_sub(origin, http.n, origin.n), 80);
  if (str_has_prefix(origin, https)) return is_our_authority(rules, peer, str_sub(origin, https.n, origin.n), 443);
  return false;
}

enum err auth_local_check_origin(const struct auth_rules *rules, const struct http_request *request,
                                 const struct http_peer *peer, const struct auth_head *head, struct err_info *info) {
  if (!rules->is_bind_loopback) return OK;
  if (!is_our_authority(rules, peer, request->host, 80))
    return err_set(
        info, ERR_MISDIRECTED,
        "this server answers only to localhost, 127.0.0.1 and [::1] with its own port; to reach it by another "
        "name, list that name in server.hosts");
  if (head->origins == 0) return OK;
  if (head->origins == 1 &&
      (is_our_origin(rules, peer, head->origin) || cors_origin_matches(rules->origins, rules->origins_n, head->origin)))
    return OK;
  return err_set(
      info, ERR_FORBIDDEN,
      "pages of this origin may not call this server; to allow them, list the origin in server.origins (its own "
      "names are those of server.hosts)");
}

/* "application/json", parameters allowed. */
static bool is_json(struct str content_type) {
  struct str type, parameters;
  str_cut(content_type, ';', &type, &parameters);
  return str_eq_nocase(str_trim(type), STR("application/json"));
}

enum auth_local auth_local_judge(const struct auth_rules *rules, const struct http_request *request,
                                 const struct http_peer *peer, const struct auth_head *head) {
  if (!rules->may_be_local) return AUTH_LOCAL_NOT_OFFERED;
  if (!peer->is_loopback) return AUTH_LOCAL_PEER;
  if (!is_our_authority(rules, peer, request->host, 80)) return AUTH_LOCAL_HOST;
  if (head->has_proxy_header) return AUTH_LOCAL_PROXY;
  if (head->origins > 1 || (head->origins == 1 && !is_our_origin(rules, peer, head->origin))) return AUTH_LOCAL_ORIGIN;
  if (head->fetch_sites > 1 || (head->fetch_sites == 1 && !str_eq(head->fetch_site, STR("same-origin")) &&
                                !str_eq(head->fetch_site, STR("none"))))
    return AUTH_LOCAL_FETCH_SITE;
  bool has_body = request->has_body && request->content_length != 0;
  if (has_body && (head->content_types != 1 || !is_json(head->content_type))) return AUTH_LOCAL_BODY;
  return AUTH_LOCAL_YES;
}

bool auth_is_local(const struct auth_rules *rules, const struct http_request *request, const struct http_peer *peer) {
  struct auth_head head;
  auth_local_scan(request->headers, &head);
  return auth_local_judge(rules, request, peer, &head) == AUTH_LOCAL_YES;
}

bool auth_local_is_same_origin(const struct http_request *request, const struct auth_head *head) {
  struct str scheme, authority;
  if (head->fetch_sites == 1 && str_eq(head->fetch_site, STR("same-origin")) && head->origins <= 1) return true;
  if (head->origins != 1 || request->host.n == 0) return false;
  str_cut(head->origin, ':', &scheme, &authority);
  if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https"))) return false;
  return str_has_prefix(authority, STR("//")) && str_eq_nocase(str_sub(authority, 2, authority.n), request->host);
}

/* Any numeric address as 16 bytes; IPv4 as IPv4-mapped. */
static bool parse_address(struct str s, uint8_t out[16]) {
  char text[INET6_ADDRSTRLEN];
  if (s.n == 0 || s.n >= sizeof text) return false;
  memcpy(text, s.p, s.n);
  text[s.n] = 0;
  if (memchr(s.p, ':', s.n)) return inet_pton(AF_INET6, text, out) == 1;
  memcpy(out, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  return inet_pton(AF_INET, text, out + 12) == 1;
}

bool auth_local_parse_net(struct str text, struct auth_net *out) {
  struct str address, bits;
  struct auth_net net = {.bits = 128};
  bool has_bits = str_cut(text, '/', &address, &bits);
  if (!parse_address(address, net.address)) return false;
  bool is_v4 = str_find_char(address, ':') == SIZE_MAX;
  uint64_t n;
  if (has_bits) {
    if (bits.n > 3 || !str_to_u64(bits, &n) || n > (is_v4 ? 32u : 128u)) return false;
    net.bits = (unsigned)n + (is_v4 ? 96 : 0);
  }
  *out = net;
  return true;
}

static bool is_trusted_proxy(const struct auth_rules *rules, const uint8_t address[16]) {
  for (size_t i = 0; i < rules->proxies_n; i++) {
    const struct auth_net *net = &rules->proxies[i];
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    if (memcmp(net->address, address, whole) == 0 &&
        (rest == 0 || ((net->address[whole] ^ address[whole]) & mask) == 0))
      return true;
  }
  return false;
}

static void copy_address(struct str s, char out[46]) {
  memcpy(out, s.p, s.n);
  out[s.n] = 0;
}

/* An entry of X-Forwarded-For may carry a port ("1.2.3.4:567", "[::1]:567"). */
static struct str without_port(struct str s) {
  if (s.n && s.p[0] == '[') {
    size_t end = str_find_char(s, ']');
    return end == SIZE_MAX ? s : str_sub(s, 1, end);
  }
  size_t colon = str_find_char(s, ':');
  return colon != SIZE_MAX && colon == str_rfind_char(s, ':') ? str_sub(s, 0, colon) : s;
}

void auth_client_address(const struct auth_rules *rules, const struct http_request *request,
                         const struct http_peer *peer, char out[46]) {
  uint8_t address[16];
  struct str current = str_from_c(peer->address);
  if (rules->proxies_n == 0 || !parse_address(current, address)) goto out;
  /* From the right, since every proxy appends: the list's left end is the client's own word. */
  for (size_t i = request->headers.n; i-- > 0 && is_trusted_proxy(rules, address);) {
    const struct http_header *h = &request->headers.v[i];
    if (!str_eq_nocase(h->name, STR("x-forwarded-for"))) continue;
    struct str list = h->value;
    while (list.n && is_trusted_proxy(rules, address)) {
      size_t comma = str_rfind_char(list, ',');
      struct str entry = without_port(str_trim(comma == SIZE_MAX ? list : str_sub(list, comma + 1, list.n)));
      list = str_sub(list, 0, comma == SIZE_MAX ? 0 : comma);
      if (!parse_address(entry, address)) goto out; /* the last address that could be read stands */
      current = entry;
    }
  }
out:
  copy_address(current, out);
}
