/* HTTP message parts that server and client share: see http_msg.h. Pure functions on borrowed bytes; the tables are
 * ordered so that what a gateway answers most is found first. */
#include "io/http_msg.h"

static const struct {
  int status;
  const char *text;
} status_texts[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {404, "Not Found"},
    {429, "Too Many Requests"},
    {503, "Service Unavailable"},
    {502, "Bad Gateway"},
    {500, "Internal Server Error"},
    {504, "Gateway Timeout"},
    {100, "Continue"},
    {101, "Switching Protocols"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {499, "Client Closed Request"},
    {501, "Not Implemented"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {529, "Site Is Overloaded"},
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
    if (status_texts[i].status == status) return str_from_c(status_texts[i].text);
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

/* The high bit of each byte of `word` that is a control character other than a tab. */
static uint64_t controls_in(uint64_t word) {
  const uint64_t each = UINT64_C(0x0101010101010101), low = each * 0x7f, high = each * 0x80;
  const uint64_t tab = word ^ each * '\t', del = word ^ low;
  const uint64_t is_text = ((word & low) + each * 0x60) | word; /* its high bit: 0x20 and beyond */
  const uint64_t no_tab = ((tab & low) + low) | tab, no_del = ((del & low) + low) | del;
  return ((~is_text & no_tab) | ~no_del) & high;
}

bool http_header_value_is_safe(struct str value) {
  /* No early return: this runs over every reply's headers, where the answer is nearly always yes. */
  uint64_t bad = 0, word;
  size_t i = 0;
  for (; i + sizeof word <= value.n; i += sizeof word) {
    memcpy(&word, value.p + i, sizeof word);
    bad |= controls_in(word);
  }
  if (i == value.n) return !bad;
  word = UINT64_C(0x2020202020202020);
  memcpy(&word, value.p + i, value.n - i);
  return !(bad | controls_in(word));
}
