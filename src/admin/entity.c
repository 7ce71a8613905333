/* Paths, bodies, tags and answers of entities: see entity.h. */
#include "admin/entity.h"

#include "gateway/exchange.h"

static enum err no_such_path(struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "nothing is served at this path");
}

/* A name that none can have is found nowhere. */
static enum err take_name(struct arena *a, struct str raw, struct str *out, struct err_info *info) {
  char *p = arena_alloc(a, raw.n);
  if (!p) return ERR_NO_MEMORY;
  *out = str_from(p, str_percent_decode(raw, p, raw.n));
  return out->n ? OK : no_such_path(info);
}

/* "ann", "ann/models/openai/gpt" or "gpu/openai/gpt": the first name, and what stands behind the second '/', or behind
 * the first where the template has no word between its two names. */
enum err entity_path(const struct request_context *rc, struct arena *a, struct str *name, struct str *item,
                     struct err_info *info) {
  struct str first, middle, last, route = rc->endpoint->route;
  *name = *item = STR_NONE;
  if (!rc->path_rest.n) return OK;
  /* A first name that is the template's last part may have a '/' of its own, unless it is told to be a segment. */
  size_t close = str_find_char(route, '}');
  struct str behind = str_sub(route, close + 1, route.n);
  size_t second = str_find_char(behind, '{');
  bool wants_item = second != SIZE_MAX, has_word = second > 1;
  if (!wants_item && !(rc->endpoint->what & SEGMENT)) return take_name(a, rc->path_rest, name, info);
  bool has_more = str_cut(rc->path_rest, '/', &first, &last);
  bool has_item = has_more && (wants_item && !has_word ? last.n > 0 : str_cut(last, '/', &middle, &last));
  if (has_more != wants_item || has_item != wants_item) return no_such_path(info);
  enum err e = take_name(a, first, name, info);
  if (!e && has_item) e = take_name(a, last, item, info);
  return e;
}

enum err entity_body(struct request_context *rc, struct arena *a, size_t max_bytes, const struct fields *fields,
                     unsigned allowed, unsigned required, void *out, struct err_info *info) {
  const struct http_body_options options = {.max_bytes = max_bytes};
  struct str body = STR_NONE;
  enum err e = rc->request->has_body ? http_exchange_read_body(rc->x, &options, &body, info) : OK;
  rc->bytes_in = body.n;
  return e ? e : fields_read(a, body, fields, allowed, required, out, info);
}

enum err entity_tag(struct str json, char out[ENTITY_TAG_BYTES]) {
  struct crypto_hash hash;
  enum err e = crypto_sha256(json, &hash);
  if (e) return e;
  out[0] = '"';
  crypto_hex(hash.bytes, 16, out + 1);
  memcpy(out + 33, "\"", 2);
  return OK;
}

bool entity_tag_is_in(struct str list, struct str tag) {
  struct str one;
  if (!tag.n) return false;
  while (list.n) {
    str_cut(list, ',', &one, &list);
    one = str_trim(one);
    if (str_has_prefix(one, STR("W/"))) one = str_sub(one, 2, one.n);
    if (str_eq(one, STR("*")) || str_eq(one, tag)) return true;
  }
  return false;
}

void entity_answer_change(struct request_context *rc, int status, struct str tag, const struct buf *json) {
  struct str kept = tag.n ? arena_dup(rc->arena, tag) : STR_NONE;
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("no-store"));
  if (kept.n) reply_add_header(&rc->reply, STR("ETag"), kept);
  exchange_answer(rc, status, json);
}

void entity_answer_tagged(struct request_context *rc, struct str tag, const struct buf *json) {
  static const struct buf nothing;
  bool is_known = entity_tag_is_in(http_header_get(rc->request->headers, STR("If-None-Match")), tag);
  entity_answer_change(rc, is_known ? 304 : 200, tag, is_known ? &nothing : json);
}

void entity_answer(struct request_context *rc, const struct buf *json) {
  char tag[ENTITY_TAG_BYTES];
  if (json->failed || entity_tag(buf_str(json), tag))
    exchange_fail(rc, ERR_NO_MEMORY, NULL);
  else
    entity_answer_tagged(rc, str_from_c(tag), json);
}

void entity_end(struct request_context *rc, enum err e, const struct err_info *info, const struct buf *json) {
  if (e)
    exchange_fail(rc, e, info);
  else
    entity_answer(rc, json);
}
