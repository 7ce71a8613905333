/* Judgements on strings: see config_check.h. Hosts follow the rule of browsers (WHATWG URL, "ends in a number"), so
 * that a checker and a resolver can never read one address differently. */
#include "state/config/config_check.h"

#include <arpa/inet.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* family AF_INET or AF_INET6 */
static bool is_address(int family, struct str s) {
  char text[INET6_ADDRSTRLEN + 1];
  unsigned char bytes[16];
  if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n)) return false;
  memcpy(text, s.p, s.n);
  text[s.n] = '\0';
  return inet_pton(family, text, bytes) == 1;
}

static bool is_port(struct str s) {
  uint64_t v;
  return s.n <= 5 && str_to_u64(s, &v) && v > 0 && v < 65536;
}

const char *config_check_host(struct str s) {
  if (str_eq(s, STR("localhost")) || is_address(AF_INET, s) || is_address(AF_INET6, s)) return NULL;
  return "must be a numeric address or localhost";
}

/* A name in DNS form, or a strict IPv4 address. */
static const char *check_name(struct str s) {
  if (s.n == 0) return "the host is missing";
  if (s.n > 253) return "the host is too long";
  size_t label = 0, dot = str_rfind_char(s, '.');
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '.') {
      if (label == 0) return "the host has an empty label";
      label = 0;
    } else if (!is_alnum(c) && c != '-' && c != '_') {
      return (unsigned char)c >= 0x80 ? "the host must be ASCII (xn--…)" : "the host has a character that no host has";
    } else if (++label > 63) {
      return "the host has a label of more than 63 characters";
    }
  }
  if (label == 0) return "the host ends with a dot";
  struct str last = str_sub(s, dot == SIZE_MAX ? 0 : dot + 1, s.n);
  bool is_number = last.n > 0;
  for (size_t i = 0; is_number && i < last.n; i++) is_number = is_digit(last.p[i]);
  is_number = is_number || str_has_prefix_nocase(last, STR("0x"));
  if (is_number && !is_address(AF_INET, s)) return "the host looks like an address but is none";
  return NULL;
}

/* name, 1.2.3.4 or [::1], each perhaps with :port. */
static const char *check_authority(struct str s) {
  struct str host = s, port = STR_NONE;
  if (str_has_prefix(s, STR("["))) {
    size_t close = str_find_char(s, ']');
    if (close == SIZE_MAX) return "']' is missing";
    if (!is_address(AF_INET6, str_sub(s, 1, close))) return "the host is no IPv6 address";
    struct str rest = str_sub(s, close + 1, s.n);
    if (rest.n == 0) return NULL;
    if (rest.p[0] != ':') return "unexpected text after ']'";
    return is_port(str_sub(rest, 1, rest.n)) ? NULL : "the port must be a number from 1 to 65535";
  }
  if (str_cut(s, ':', &host, &port) && !is_port(port)) return "the port must be a number from 1 to 65535";
  return check_name(host);
}

const char *config_check_host_name(struct str s) { return is_address(AF_INET6, s) ? NULL : check_authority(s); }

const char *config_check_network(struct str s) {
  struct str address, bits;
  uint64_t prefix = 0;
  bool has_prefix = str_cut(s, '/', &address, &bits);
  bool is_v4 = is_address(AF_INET, address);
  if (!is_v4 && !is_address(AF_INET6, address)) return "must be an address or a network such as 10.0.0.0/8";
  if (has_prefix && (bits.n > 3 || !str_to_u64(bits, &prefix) || prefix > (is_v4 ? 32 : 128)))
    return "the prefix length is out of range";
  return NULL;
}

/* The scheme's length with "://", or 0. */
static size_t scheme_length(struct str s) {
  if (str_has_prefix_nocase(s, STR("https://"))) return 8;
  return str_has_prefix_nocase(s, STR("http://")) ? 7 : 0;
}

const char *config_check_origin(struct str s) {
  size_t n = scheme_length(s);
  if (str_eq(s, STR("*"))) return "origins must be named one by one; * is not accepted";
  if (n == 0) return "must begin with http:// or https://";
  if (str_find_char(str_sub(s, n, s.n), '/') != SIZE_MAX) return "an origin has no path";
  return check_authority(str_sub(s, n, s.n));
}

const char *config_check_key(struct str s) {
  if (s.n == 0) return "must not be empty";
  if (s.n > 4096) return "longer than 4096 bytes";
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == ',') return "must be visible ASCII without spaces or commas";
  return NULL;
}

const char *config_check_url(struct str s) {
  size_t n = scheme_length(s);
  if (n == 0) return "must begin with http:// or https://";
  if (s.n > 2048) return "longer than 2048 bytes";
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c)) return "has a character that no URL has";
    if (c == '?') return "must not have a query";
    if (c == '#') return "must not have a fragment";
  }
  struct str authority, path;
  str_cut(str_sub(s, n, s.n), '/', &authority, &path);
  if (str_find_char(authority, '@') != SIZE_MAX) return "must not name a user or password";
  struct str segment;
  for (bool more = path.n > 0; more;) {
    more = str_cut(path, '/', &segment, &path);
    if (str_eq(segment, STR(".")) || str_eq(segment, STR(".."))) return "must not have . or .. in its path";
  }
  return check_authority(authority);
}

const char *config_check_variable(struct str s) {
  bool ok = s.n > 0 && s.n <= 128 && !is_digit(s.p[0]);
  for (size_t i = 0; ok && i < s.n; i++) ok = is_alnum(s.p[i]) || s.p[i] == '_';
  return ok ? NULL : "must be the name of an environment variable (letters, digits, _)";
}

const char *config_check_provider_id(struct str s) {
  if (s.n == 0) return "the provider's name is empty";
  if (s.n > 64) return "the provider's name is longer than 64 bytes";
  if (str_trim(s).n != s.n) return "the provider's name begins or ends with a space";
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == '/') return "a provider's name must not contain /";
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return "a provider's name must not contain control characters";
  }
  return str_is_utf8(s) ? NULL : "a provider's name must be UTF-8";
}

const char *config_check_code(struct str s) {
  bool ok = s.n > 0 && s.n <= 64;
  for (size_t i = 0; ok && i < s.n; i++) ok = is_alnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.';
  return ok ? NULL : "must be 1 to 64 letters, digits, '-', '_' or '.'";
}

const char *config_check_header_name(struct str s) {
  static const char *const own[] = {
      "host",   "connection",      "content-length", "transfer-encoding", "te",          "trailer", "upgrade",
      "expect", "accept-encoding", "keep-alive",     "proxy-connection",  "content-type"};
  if (s.n == 0 || s.n > 128) return "a header's name has 1 to 128 characters";
  for (size_t i = 0; i < s.n; i++)
    if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", s.p[i])))
      return "has a character that no header's name has";
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (str_eq_nocase(s, str_from_c(own[i]))) return "this header is the client's own and cannot be set";
  return NULL;
}

const char *config_check_header_value(struct str s) {
  if (s.n > 8192) return "longer than 8192 bytes";
  if (str_trim(s).n != s.n) return "begins or ends with a space";
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return "must not contain control characters";
  return NULL;
}
