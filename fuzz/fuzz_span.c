/* links: base */
/* Spans: edits added in any order against a naive model that keeps, for each byte of the body, what goes and what
 * comes. */
#include "base/span.h"

#include <stdlib.h>

enum { BODY = 64 };

struct model {
  bool gone[BODY];                 /* this byte is replaced */
  bool starts[BODY];               /* and its span begins here */
  unsigned char inserts[BODY + 1]; /* inserts before this byte */
  struct buf before[BODY + 1], instead[BODY];
};

static void check(bool ok) {
  if (!ok) abort();
}

/* Would a span fit? An insert may stand at the edge of what goes, not within. */
static bool fits(const struct model *m, size_t offset, size_t length) {
  if (offset > BODY || length > BODY - offset) return false;
  if (length == 0) return offset == BODY || !m->gone[offset] || m->starts[offset];
  for (size_t i = offset; i < offset + length; i++)
    if (m->gone[i] || (i > offset && m->inserts[i])) return false;
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct model m;
  static struct span_list list;
  char body[BODY], text[256];
  struct buf want, out;
  memset(&m, 0, sizeof m);
  for (size_t i = 0; i < BODY; i++) body[i] = (char)('A' + i);
  memset(text, 'x', sizeof text);
  span_list_init(&list, BODY);
  size_t added = 0;
  for (size_t i = 0; i + 3 <= size; i += 3) {
    size_t offset = data[i] % (BODY + 4), length = data[i + 1] % 9, n = data[i + 2] % 17;
    struct str bytes = str_from(text + data[i + 2] % 200, n);
    for (size_t k = 0; k < sizeof text; k++) text[k] = (char)('a' + k % 26);
    bool fit = added < SPAN_MAX && fits(&m, offset, length);
    check((span_add(&list, offset, length, bytes, NULL) == OK) == fit);
    if (!fit) continue;
    added++;
    if (length == 0) {
      m.inserts[offset] = 1;
      buf_put(&m.before[offset], bytes);
      continue;
    }
    m.starts[offset] = true;
    for (size_t k = offset; k < offset + length; k++) m.gone[k] = true;
    buf_put(&m.instead[offset], bytes);
  }
  buf_init(&want, 0);
  buf_init(&out, 0);
  for (size_t i = 0; i <= BODY; i++) {
    buf_put(&want, buf_str(&m.before[i]));
    buf_clear(&m.before[i]);
    if (i == BODY) break;
    buf_put(&want, buf_str(&m.instead[i]));
    buf_clear(&m.instead[i]);
    if (!m.gone[i]) buf_put_char(&want, body[i]);
  }
  span_apply(&list, str_from(body, BODY), &out);
  check(str_eq(buf_str(&want), buf_str(&out)) && out.n == span_total(&list));
  buf_clear(&want);
  buf_clear(&out);
  return 0;
}
