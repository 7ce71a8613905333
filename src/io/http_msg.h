/* HTTP message parts that server and client share. Plain data over borrowed bytes. RFC 9110/9112 (June 2022). */
#ifndef MAESTRO_IO_HTTP_MSG_H
#define MAESTRO_IO_HTTP_MSG_H

#include "base/str.h"

enum http_method { HTTP_OTHER, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

struct http_header {
  struct str name, value; /* name as sent; value without surrounding white space */
};

struct http_headers {
  const struct http_header *v;
  size_t n;
};

struct str http_method_name(enum http_method m); /* "GET"; "" for HTTP_OTHER */
struct str http_status_text(int status);         /* "OK"; "" when unknown */
/* The first value of that name (letter case ignored), or {NULL, 0}. */
struct str http_header_get(struct http_headers h, struct str name);
size_t http_header_count(struct http_headers h, struct str name);
/* True when the comma-separated list in any header of that name has the token (case ignored). */
bool http_header_has_token(struct http_headers h, struct str name, struct str token);
/* A value that may stand in a header: no CR, LF, NUL or other control character but tab. */
bool http_header_value_is_safe(struct str value);

#endif
