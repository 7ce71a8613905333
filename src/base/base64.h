/* Base64 with padding (RFC 4648, section 4), over OpenSSL's coder, which takes more than that. Pure. */
#ifndef MAESTRO_BASE_BASE64_H
#define MAESTRO_BASE_BASE64_H

#include "base/buf.h"
#include "base/str.h"

enum { BASE64_TEXT_MAX = 128 << 20 }; /* bytes of text, either way */

/* Room that base64_decode needs for so many bytes of text. */
static inline size_t base64_room(size_t text_bytes) { return text_bytes / 4 * 3 + 1; }
/* The bytes of text into out (base64_room); SIZE_MAX: it is no base64, or larger than BASE64_TEXT_MAX. */
size_t base64_decode(struct str text, void *out);
/* Adds the text of bytes; larger than BASE64_TEXT_MAX fails the buffer. */
void base64_put(struct buf *out, struct str bytes);

#endif
