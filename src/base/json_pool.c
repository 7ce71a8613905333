/* JSON trees over one block: see json_pool.h. */
#include "base/json_pool.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/json_bytes.h"

enum {
  POOL_SLACK = 512,
  POOL_MIN = 4096,
  POOL_TEXT_MAX = 16 * 1024, /* a tree may take twelve times its text; larger ones come from the allocator */
  VALUES_MAX = 1 << 20       /* 16 bytes each, while text of nothing but brackets has one a byte */
};

void json_pool_clear(struct json_pool *p) {
  free(p->bytes);
  yyjson_doc_free(p->large);
  *p = (struct json_pool){0};
}

static const yyjson_read_flag flags = YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW;

/* Who walks a tree may recurse, so its depth is bounded. A tree of few values cannot be deep: most frames are not
 * looked at again. */
static bool is_too_deep(const yyjson_doc *doc, struct str text) {
  return yyjson_doc_get_val_count((yyjson_doc *)doc) > JSON_DEPTH_MAX &&
         !json_is_within(text, JSON_DEPTH_MAX, VALUES_MAX);
}

/* n: bytes of p->bytes, text but for what has been mended. */
static yyjson_val *parse(struct json_pool *p, size_t text_room, size_t n, struct str text) {
  yyjson_alc alc;
  if (text.n > POOL_TEXT_MAX) {
    p->large = yyjson_read_opts(p->bytes, n, flags, NULL, NULL);
    return yyjson_doc_get_root(p->large);
  }
  if (!yyjson_alc_pool_init(&alc, p->bytes + text_room, p->cap - text_room)) return NULL;
  yyjson_doc *doc = yyjson_read_opts(p->bytes, n, flags, &alc, NULL);
  return is_too_deep(doc, text) ? NULL : yyjson_doc_get_root(doc);
}

/* The lone half at s: joined with the one that waited, kept to wait, or U+FFFD, which is as long. Returns what is to be
 * read next. */
static char *mend_half(struct json_pool *p, char *s, char **end, bool is_high) {
  bool ends = *end - s > JSON_BYTES_HALF && s[JSON_BYTES_HALF] == '"', begins = s > p->bytes && s[-1] == '"';
  if (p->joins_halves && is_high && ends) {
    memcpy(p->half, s, JSON_BYTES_HALF);
    memmove(s, s + JSON_BYTES_HALF, (size_t)(*end - s) - JSON_BYTES_HALF);
    *end -= JSON_BYTES_HALF;
    return s;
  }
  if (p->half[0] && !is_high && begins) {
    memmove(s + JSON_BYTES_HALF, s, (size_t)(*end - s));
    memcpy(s, p->half, JSON_BYTES_HALF);
    p->half[0] = 0;
    *end += JSON_BYTES_HALF;
    return s + 2 * JSON_BYTES_HALF;
  }
  memcpy(s, "\\ufffd", JSON_BYTES_HALF);
  return s + JSON_BYTES_HALF;
}

/* Of the n bytes of text. True when there were halves of pairs that stand alone; *n is what it is then. */
static bool mend_surrogates(struct json_pool *p, size_t *n) {
  char *end = p->bytes + *n, *half;
  bool is_high, has_any = false;
  for (char *s = p->bytes; (half = json_bytes_lone_half(s, end, &is_high)) < end; has_any = true)
    s = mend_half(p, half, &end, is_high);
  *n = (size_t)(end - p->bytes);
  return has_any;
}

yyjson_val *json_pool_parse(struct json_pool *p, struct str text) {
  size_t text_room = (text.n + JSON_BYTES_HALF + YYJSON_PADDING_SIZE + 15) & ~(size_t)15;
  size_t tree = text.n > POOL_TEXT_MAX ? 0 : yyjson_read_max_memory_usage(text.n + JSON_BYTES_HALF, flags) + POOL_SLACK;
  size_t need = text_room + tree;
  yyjson_doc_free(p->large);
  p->large = NULL;
  if (tree == 0 && !json_is_within(text, JSON_DEPTH_MAX, VALUES_MAX)) return NULL;
  if (p->cap < need) {
    free(p->bytes);
    size_t cap = need < POOL_MIN ? POOL_MIN : tree ? need + need / 4 : need;
    p->bytes = malloc(cap);
    p->cap = p->bytes ? cap : 0;
    if (!p->bytes) return NULL;
  }
  for (int round = 0; round < 2; round++) {
    size_t n = text.n;
    if (n) memcpy(p->bytes, text.p, n);
    if (round && !mend_surrogates(p, &n)) return NULL;
    memset(p->bytes + n, 0, YYJSON_PADDING_SIZE);
    yyjson_val *root = parse(p, text_room, n, text);
    if (root) return root;
  }
  return NULL;
}

struct str json_pool_text(yyjson_val *v) {
  return yyjson_is_str(v) ? str_from(yyjson_get_str(v), yyjson_get_len(v)) : STR_NONE;
}

struct str json_pool_member(yyjson_val *object, struct str key) {
  return json_pool_text(yyjson_obj_getn(object, key.p, key.n));
}

int64_t json_pool_count(yyjson_val *v) {
  struct str raw = yyjson_is_raw(v) ? str_from(yyjson_get_raw(v), yyjson_get_len(v)) : STR_NONE, whole, fraction;
  uint64_t count;
  str_cut(raw, '.', &whole, &fraction);
  for (size_t i = 0; i < fraction.n; i++)
    if (fraction.p[i] != '0') return -1;
  return str_to_u64(whole, &count) && count <= INT64_MAX ? (int64_t)count : -1;
}
