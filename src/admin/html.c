/* Text in HTML: see html.h. */
#include "admin/html.h"

void html_put(struct buf *b, struct str s) {
  for (size_t i = 0; i < s.n; i++) {
    switch (s.p[i]) {
      case '<': buf_put(b, STR("&lt;")); break;
      case '>': buf_put(b, STR("&gt;")); break;
      case '&': buf_put(b, STR("&amp;")); break;
      case '"': buf_put(b, STR("&quot;")); break;
      default: buf_put_char(b, s.p[i]);
    }
  }
}
