/* Text in HTML. */
#ifndef MAESTRO_ADMIN_HTML_H
#define MAESTRO_ADMIN_HTML_H

#include "base/buf.h"

/* Escaped, so that it is text between tags and in attributes with double quotes. */
void html_put(struct buf *b, struct str s);

#endif
