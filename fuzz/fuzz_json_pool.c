/* links: base */
/* Trees over one block, in a row: the same tree as the library makes by itself, bounded in depth; taken apart by
 * json_split and written again by json_out each is the same value. The input is several texts, cut at 0xff bytes, so
 * that the pool is used again and again; its first byte chooses the names. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/json_out.h"
#include "base/json_pool.h"

static void check(bool ok) {
  if (!ok) abort();
}

static yyjson_val *parse(struct json_pool *pool, struct str text) {
  char *copy = malloc(text.n ? text.n : 1); /* an exact allocation */
  if (text.n) memcpy(copy, text.p, text.n);
  yyjson_val *root = json_pool_parse(pool, str_from(copy, text.n));
  free(copy);
  return root;
}

static void put_object(struct arena *a, unsigned names_n, yyjson_val *object, struct buf *out) {
  static const struct str names[] = {STR("model"), STR("a"), STR(""), STR("usage")};
  yyjson_val *found[4];
  struct json_rest rest;
  struct err_info info = {0};
  enum err e = json_split(a, object, names, names_n, found, &rest, &info);
  json_out_begin(out, '{');
  if (e) {
    check(e == ERR_DUPLICATE_KEY ? str_is_utf8(str_from_c(info.param)) : e == ERR_BAD_VALUE);
  } else {
    size_t n = rest.n;
    json_out_rest(out, &rest);
    for (unsigned i = 0; i < names_n; i++) {
      n += found[i] != NULL;
      if (found[i]) json_out_key_str(out, names[i]);
      if (found[i]) json_out_value(out, found[i]);
    }
    check(n == yyjson_obj_size(object));
  }
  json_out_end(out, '}');
}

/* Members are told apart and come back; order differs, which yyjson_equals does not mind but for repeated keys. */
static void check_object(yyjson_val *root, unsigned names_n) {
  struct arena a;
  struct buf out;
  arena_init(&a, 0);
  buf_init(&out, 0);
  json_out_begin(&out, '[');
  put_object(&a, names_n, root, &out);
  put_object(&a, 0, root, &out); /* all of it is the rest: the very order */
  json_out_end(&out, ']');
  check(!out.failed);
  yyjson_doc *again = yyjson_read(out.p, out.n, YYJSON_READ_NUMBER_AS_RAW);
  check(again != NULL);
  yyjson_val *second = yyjson_arr_get(yyjson_doc_get_root(again), 1);
  size_t n;
  char *one = yyjson_val_write(second, 0, &n), *two = yyjson_val_write(root, 0, NULL);
  check(yyjson_obj_size(root) > JSON_SPLIT_MEMBERS_MAX || (one && two && strcmp(one, two) == 0));
  free(one);
  free(two);
  yyjson_doc_free(again);
  buf_clear(&out);
  arena_clear(&a);
}

static void check_text(struct json_pool *pool, struct str text, unsigned names_n) {
  yyjson_val *root = parse(pool, text);
  yyjson_doc *doc = text.n ? yyjson_read(text.p, text.n, YYJSON_READ_NUMBER_AS_RAW) : NULL;
  bool is_within = json_is_within(text, JSON_DEPTH_MAX, 1 << 20);
  /* What the library reads is read, unless it is too deep; beyond that, only lone surrogates are mended. */
  check(!doc || (root != NULL) == is_within);
  check(!root || doc || str_find(text, STR("\\u")) != SIZE_MAX);
  if (!root) goto out;
  if (doc) check(yyjson_equals(root, yyjson_doc_get_root(doc)));
  struct buf b;
  buf_init(&b, 0);
  json_out_value(&b, root);
  check(!b.failed && b.n > 0);
  size_t n;
  char *plain = yyjson_val_write(root, 0, &n);
  yyjson_doc *again = yyjson_read(b.p, b.n, YYJSON_READ_NUMBER_AS_RAW);
  check(plain && again && yyjson_equals(yyjson_doc_get_root(again), root));
  yyjson_doc_free(again);
  free(plain);
  buf_clear(&b);
  check(json_pool_count(root) >= -1 && json_pool_text(root).n <= 3 * text.n);
  check(json_pool_str(root, "a").n <= 3 * text.n);
  if (yyjson_is_obj(root)) check_object(root, names_n);
out:
  yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct json_pool pool = {0};
  struct str rest = str_from((const char *)data + 1, size - 1), text;
  for (int i = 0; i < 64; i++) {
    bool more = str_cut(rest, '\xff', &text, &rest);
    check_text(&pool, text, data[0] & 3u ? 4u - (data[0] & 1u) : 0);
    if (!more) break;
  }
  json_pool_clear(&pool);
  return 0;
}
