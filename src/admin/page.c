/* Pages of lists: see page.h. */
#include "admin/page.h"

#include "admin/fields.h"
#include "admin/query.h"

enum err page_read(struct request_context *rc, uint64_t max, uint64_t *limit, struct str *after,
                   struct err_info *info) {
  enum err e = query_number(rc->request->query, "limit", 1, max, limit, info);
  return e ? e : query_text(rc->arena, rc->request->query, "after", after, info);
}

enum err page_refuse_after(const char *what, struct err_info *info) {
  return fields_refuse_named(info, "after", "\"after\" names no %s", what);
}

/* What a URI reference between < and > may not have; a header neither. */
static bool is_plain(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '"') return false;
  return true;
}

void page_more(struct request_context *rc, struct str last_key) {
  struct str rest = rc->request->query, one;
  struct buf b;
  if (!is_plain(rc->request->path) || !is_plain(rest)) return;
  buf_init(&b, 0);
  buf_put_char(&b, '<');
  buf_put(&b, rc->request->path);
  buf_put_char(&b, '?');
  while (rest.n) {
    str_cut(rest, '&', &one, &rest);
    if (!one.n || str_has_prefix(one, STR("after=")) || str_has_prefix(one, STR("offset="))) continue;
    buf_put(&b, one);
    buf_put_char(&b, '&');
  }
  buf_put(&b, STR("after="));
  buf_put_percent(&b, last_key, "");
  buf_put(&b, STR(">; rel=\"next\""));
  struct str link = b.failed ? STR_NONE : arena_dup(rc->arena, buf_str(&b));
  buf_clear(&b);
  if (link.p) reply_add_header(&rc->reply, STR("Link"), link);
}
