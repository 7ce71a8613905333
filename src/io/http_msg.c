/* HTTP message parts that server and client share: see http_msg.h. Pure functions on borrowed bytes; the tables are
 * ordered so that what a gateway answers most is found first. */
#include "io/http_msg.h"

static const struct {
  int status;
  struct str text;
} status_texts[] = {
#define X(status, text) {status, {text, sizeof(text) - 1}},
    X(200, "OK") X(400, "Bad Request") X(401, "Unauthorized") X(404, "Not Found") X(429, "Too Many Requests") X(
        503, "Service Unavailable") X(502, "Bad Gateway") X(500, "Internal Server Error") X(504, "Gateway Timeout")
        X(201, "Created") X(202, "Accepted") X(204, "No Content") X(206, "Partial Content") X(301, "Moved Permanently")
            X(302, "Found") X(303, "See Other") X(304, "Not Modified") X(307, "Temporary Redirect")
                X(308, "Permanent Redirect") X(402, "Payment Required") X(403, "Forbidden") X(405, "Method Not Allowed")
                    X(406, "Not Acceptable") X(408, "Request Timeout") X(409, "Conflict") X(410, "Gone")
                        X(411, "Length Required") X(412, "Precondition Failed") X(413, "Content Too Large")
                            X(414, "URI Too Long") X(415, "Unsupported Media Type") X(416, "Range Not Satisfiable") X(
                                417, "Expectation Failed") X(421, "Misdirected Request") X(422, "Unprocessable Content")
                                X(424, "Failed Dependency") X(426, "Upgrade Required") X(428, "Precondition Required")
                                    X(431, "Request Header Fields Too Large") X(451, "Unavailable For Legal Reasons")
                                        X(499, "Client Closed Request") X(501, "Not Implemented")
                                            X(505, "HTTP Version Not Supported") X(507, "Insufficient Storage")
                                                X(529, "Site Is Overloaded") X(100, "Continue")
                                                    X(101, "Switching Protocols")
#undef X
};

struct str http_method_name(enum http_method m) {
  static const struct str names[] = {
      [HTTP_OTHER] = {"", 0},        [HTTP_GET] = {"GET", 3},        [HTTP_HEAD] = {"HEAD", 4},
      [HTTP_POST] = {"POST", 4},     [HTTP_PUT] = {"PUT", 3},        [HTTP_PATCH] = {"PATCH", 5},
      [HTTP_DELETE] = {"DELETE", 6}, [HTTP_OPTIONS] = {"OPTIONS", 7}};
  return (unsigned)m < sizeof names / sizeof names[0] ? names[m] : STR("");
}

struct str http_status_text(int status) {
  for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++)
    if (status_texts[i].status == status) return status_texts[i].text;
  return STR("");
}

struct str http_header_get(struct http_headers h, struct str name) {
  for (size_t i = 0; i < h.n; i++)
    if (h.v[i].name.n == name.n && str_eq_nocase(h.v[i].name, name)) return h.v[i].value;
  return STR_NONE;
}

size_t http_header_count(struct http_headers h, struct str name) {
  size_t count = 0;
  for (size_t i = 0; i < h.n; i++) count += h.v[i].name.n == name.n && str_eq_nocase(h.v[i].name, name);
  return count;
}

bool http_header_has_token(struct http_headers h, struct str name, struct str token) {
  for (size_t i = 0; i < h.n; i++) {
    if (h.v[i].name.n != name.n || !str_eq_nocase(h.v[i].name, name)) continue;
    struct str rest = h.v[i].value, item;
    for (bool more = true; more;) {
      more = str_cut(rest, ',', &item, &rest);
      if (str_eq_nocase(str_trim(item), token)) return true;
    }
  }
  return false;
}

bool http_header_value_is_safe(struct str value) {
  for (size_t i = 0; i < value.n; i++) {
    unsigned char c = (unsigned char)value.p[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}
