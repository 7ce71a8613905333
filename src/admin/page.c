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

struct str page_number_key(struct arena *a, int64_t id) {
  return arena_printf(a, "/%lld", (long long)id);
}

bool page_number_of(struct str after, int64_t *id) {
  uint64_t n;
  if (!str_has_prefix(after, STR("/")) || !str_to_u64(str_sub(after, 1, after.n), &n) || n > INT64_MAX) return false;
  *id = (int64_t)n;
  return true;
}

/* ---- numbers ---- */

static const int64_t first_declared = (int64_t)1 << 48;

int64_t page_declared_id(struct str name, uint64_t more) {
  return first_declared | (int64_t)(str_hash(name, more) & (uint64_t)(first_declared - 1));
}

enum err page_begin(struct request_context *rc, bool has_declared_first, struct page *out, struct err_info *info) {
  uint64_t limit = PAGE_MAX, after = 0;
  enum err e = query_number(rc->request->query, "limit", 1, PAGE_MAX, &limit, info);
  if (!e) e = query_number(rc->request->query, "after", 1, 2 * (uint64_t)first_declared - 1, &after, info);
  *out = (struct page){.after = (int64_t)after, .has_declared_first = has_declared_first, .left = (size_t)limit};
  return e;
}

/* A stored entry that has gone is passed by its number all the same. */
bool page_reaches(struct page *p, int64_t id) {
  bool is_declared = id >= first_declared, was_declared = p->after >= first_declared, was_begun = p->is_begun;
  if (!p->after) return true;
  if (is_declared != was_declared) return is_declared != p->has_declared_first;
  if (!is_declared) return id > p->after;
  p->is_begun = p->is_begun || id == p->after;
  return was_begun;
}

bool page_has_room(struct page *p, int64_t id) {
  if (!p->left) {
    p->has_more = true;
    return false;
  }
  p->left--;
  p->last = id;
  return true;
}

bool page_takes(struct page *p, int64_t id) { return page_reaches(p, id) && page_has_room(p, id); }

enum err page_end(struct request_context *rc, const struct page *p, const char *what, struct err_info *info) {
  if (p->after >= first_declared && !p->is_begun) return page_refuse_after(what, info);
  if (p->has_more) page_more(rc, arena_printf(rc->arena, "%lld", (long long)p->last));
  return OK;
}

/* ---- the next one ---- */

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
