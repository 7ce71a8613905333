/* What llhttp leaves to its user, checked once a head is complete: request line, target form, Host, framing headers,
 * expectations and upgrades. Called by http_parse.c from inside llhttp; pure but for p->head. Every refusal says which
 * rule was broken, never the offending bytes. RFC 9112 §3, §6 and RFC 9110 §7.2, §10.1.1 (June 2022). */
#include "io/http_parse.h"

static struct str raw_of(const struct http_parse *p, uint32_t at, uint32_t n) { return str_from(p->raw + at, n); }

static enum err bad(struct err_info *info, const char *text) { return err_set(info, ERR_BAD_REQUEST, "%s", text); }

static enum err not_implemented(struct err_info *info, const char *text) {
  if (info) info->http_status = 501;
  return err_set(info, ERR_BAD_REQUEST, "%s", text);
}

/* llhttp skips empty lines, runs of spaces and knows RTSP; a request line here has exactly one form. */
static enum err check_line(struct http_parse *p, uint8_t minor, struct err_info *info) {
  const uint32_t target_end = p->target_at + p->target_n;
  uint32_t at = 0;
  while (at + 1 < p->target_at && p->raw[at] == '\r' && p->raw[at + 1] == '\n') at += 2;
  if (at > 4) return bad(info, "too many empty lines before the request line");
  uint32_t end = at;
  while (end < p->target_at && p->raw[end] != ' ') end++;
  if (end == at || p->raw[at] <= ' ' || end + 1 != p->target_at) return bad(info, "malformed request line");
  const char version[] = {' ', 'H', 'T', 'T', 'P', '/', '1', '.', (char)('0' + minor), '\r', '\n'};
  if (minor > 1 || memcmp(p->raw + target_end, version, sizeof version) != 0) {
    if (info) info->http_status = 505;
    return err_set(info, ERR_BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are served here");
  }
  p->head.version_minor = minor;
  p->head.method_at = at;
  p->head.method_n = end - at;
  return OK;
}

static enum err split_path(struct http_parse *p, uint32_t at) {
  const uint32_t end = p->target_at + p->target_n;
  const char *mark = memchr(p->raw + at, '?', end - at);
  const uint32_t path_end = mark ? (uint32_t)(mark - p->raw) : end;
  p->head.path_at = at;
  p->head.path_n = path_end - at;
  p->head.query_at = mark ? path_end + 1 : end;
  p->head.query_n = end - p->head.query_at;
  return OK;
}

static enum err check_absolute(struct http_parse *p, struct err_info *info) {
  const struct str target = raw_of(p, p->target_at, p->target_n);
  const size_t scheme = str_has_prefix_nocase(target, STR("http://"))    ? 7
                        : str_has_prefix_nocase(target, STR("https://")) ? 8
                                                                         : 0;
  if (!scheme) return bad(info, "the request target must be a path or an http URL");
  uint32_t at = p->target_at + (uint32_t)scheme, end = at;
  while (end < p->target_at + p->target_n && p->raw[end] != '/' && p->raw[end] != '?') end++;
  if (!http_parse_host_is_valid(raw_of(p, at, end - at))) return bad(info, "invalid authority in the request target");
  p->head.authority_at = at;
  p->head.authority_n = end - at;
  return split_path(p, end);
}

static enum err check_target(struct http_parse *p, struct err_info *info) {
  const struct str target = raw_of(p, p->target_at, p->target_n);
  for (size_t i = 0; i < target.n; i++) {
    const unsigned char c = (unsigned char)target.p[i];
    if (c <= ' ' || c >= 0x7f || c == '#') return bad(info, "invalid character in the request target");
  }
  if (str_eq(raw_of(p, p->head.method_at, p->head.method_n), STR("CONNECT")))
    return not_implemented(info, "CONNECT is not served here");
  if (target.p[0] == '/') return split_path(p, p->target_at);
  if (target.p[0] != '*' || target.n != 1) return check_absolute(p, info);
  if (p->head.method != HTTP_OPTIONS) return bad(info, "the request target * is for OPTIONS only");
  return split_path(p, p->target_at);
}

/* Counts of the headers that decide about framing and routing. */
struct framing {
  unsigned hosts, lengths, encodings, expectations;
  struct str encoding;
  bool has_bad_expectation, is_websocket;
};

static void classify_header(struct http_parse *p, uint32_t i, struct framing *f) {
  const struct http_parse_field *field = &p->fields[i];
  const struct str name = raw_of(p, field->name_at, field->name_n);
  const struct str value = str_trim(raw_of(p, field->value_at, field->value_n));
  switch (name.n) {
    case 4:
      if (!str_eq_nocase(name, STR("host"))) break;
      f->hosts++;
      p->head.host_index = i;
      break;
    case 6:
      if (!str_eq_nocase(name, STR("expect"))) break;
      f->expectations++;
      f->has_bad_expectation |= !str_eq_nocase(value, STR("100-continue"));
      break;
    case 7:
      if (!str_eq_nocase(name, STR("upgrade"))) break;
      f->is_websocket |=
          http_header_has_token((struct http_headers){&(struct http_header){name, value}, 1}, name, STR("websocket"));
      break;
    case 14: f->lengths += str_eq_nocase(name, STR("content-length")); break;
    case 17:
      if (!str_eq_nocase(name, STR("transfer-encoding"))) break;
      f->encodings++;
      f->encoding = value;
      break;
    default: break;
  }
}

static enum err check_host(const struct http_parse *p, const struct framing *f, struct err_info *info) {
  if (f->hosts > 1) return bad(info, "more than one Host header");
  if (f->hosts == 0) return p->head.version_minor == 0 ? OK : bad(info, "the Host header is missing");
  const struct http_parse_field *field = &p->fields[p->head.host_index];
  const struct str host = str_trim(raw_of(p, field->value_at, field->value_n));
  if (!http_parse_host_is_valid(host)) return bad(info, "invalid Host header");
  const struct str authority = raw_of(p, p->head.authority_at, p->head.authority_n);
  if (authority.n && !str_eq_nocase(authority, host))
    return bad(info, "the Host header differs from the request target");
  return OK;
}

static enum err check_framing(struct http_parse *p, const struct http_parse_facts *facts, const struct framing *f,
                              struct err_info *info) {
  if (f->encodings && p->head.version_minor == 0) return bad(info, "Transfer-Encoding on HTTP/1.0");
  if (f->encodings > 1 || (f->encodings && !str_eq_nocase(f->encoding, STR("chunked"))))
    return not_implemented(info, "the only transfer coding served here is chunked");
  if (f->lengths > 1) return bad(info, "more than one Content-Length header");
  if (f->lengths && f->encodings) return bad(info, "Content-Length beside Transfer-Encoding");
  if (!!f->lengths != facts->has_length || !!f->encodings != facts->is_chunked)
    return bad(info, "ambiguous body length");
  if (facts->has_length && facts->length > INT64_MAX) return ERR_BODY_TOO_LARGE;
  p->head.content_length = facts->has_length ? (int64_t)facts->length : -1;
  p->head.has_body = facts->is_chunked || (facts->has_length && facts->length > 0);
  return OK;
}

enum err http_parse_check_head(struct http_parse *p, const struct http_parse_facts *facts, struct err_info *info) {
  struct framing framing = {0};
  p->head.host_index = UINT32_MAX;
  enum err e = check_line(p, facts->minor, info);
  if (!e) e = check_target(p, info);
  if (e) return e;
  for (uint32_t i = 0; i < p->count; i++) classify_header(p, i, &framing);
  e = check_host(p, &framing, info);
  if (!e) e = check_framing(p, facts, &framing, info);
  if (e) return e;
  if (facts->wants_upgrade && framing.is_websocket) return ERR_UPGRADE_REQUIRED;
  p->head.keep_alive = facts->keep_alive;
  if (p->head.version_minor == 0) return OK; /* 1.0 has no expectations */
  if (framing.has_bad_expectation) return ERR_EXPECTATION_FAILED;
  p->head.expects_continue = framing.expectations > 0 && p->head.has_body;
  return OK;
}

static bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("-._~!$&'()*+,;=%", c));
}

bool http_parse_host_is_valid(struct str host) {
  size_t end = 0;
  if (host.n && host.p[0] == '[') {
    end = str_find_char(host, ']');
    if (end == SIZE_MAX || end < 3) return false;
    for (size_t i = 1; i < end; i++) {
      const char c = host.p[i];
      const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!is_hex && c != ':' && c != '.') return false;
    }
    end++;
  } else {
    while (end < host.n && is_host_char(host.p[end])) end++;
    if (end == 0) return false;
  }
  if (end == host.n) return true;
  if (host.p[end] != ':') return false;
  const struct str port = str_sub(host, end + 1, host.n);
  uint64_t value = 0;
  return port.n == 0 || (port.n <= 5 && str_to_u64(port, &value) && value <= 65535);
}
