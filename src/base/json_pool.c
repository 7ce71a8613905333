/* JSON trees over one block: see json_pool.h. */
#include "base/json_pool.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"

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

static bool is_hex4(const char *p) {
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
  }
  return true;
}

static bool is_surrogate(const char *p, const char *end, const char *kinds) {
  return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && (p[2] == 'd' || p[2] == 'D') && strchr(kinds, p[3]) && p[3] &&
         is_hex4(p + 2);
}

enum { HALF = 6 /* bytes of an escape */ };

/* The lone half at s: joined with the one that waited, kept to wait, or U+FFFD, which is as long. Returns what is to be
 * read next. */
static char *mend_half(struct json_pool *p, char *s, char **end, bool is_high) {
  bool ends = *end - s > HALF && s[HALF] == '"', begins = s > p->bytes && s[-1] == '"';
  if (p->joins_halves && is_high && ends) {
    memcpy(p->half, s, HALF);
    memmove(s, s + HALF, (size_t)(*end - s) - HALF);
    *end -= HALF;
    return s;
  }
  if (p->half[0] && !is_high && begins) {
    memmove(s + HALF, s, (size_t)(*end - s));
    memcpy(s, p->half, HALF);
    p->half[0] = 0;
    *end += HALF;
    return s + 2 * HALF;
  }
  memcpy(s, "\\ufffd", HALF);
  return s + HALF;
}

/* Of the n bytes of text. True when there were halves of pairs that stand alone; *n is what it is then. */
static bool mend_surrogates(struct json_pool *p, size_t *n) {
  static const char high[] = "89abAB", low[] = "cdefCDEF";
  bool mended = false;
  char *end = p->bytes + *n;
  for (char *s = p->bytes; s < end;) {
    bool is_high = is_surrogate(s, end, high);
    if (*s != '\\') {
      s++;
    } else if (is_high && is_surrogate(s + HALF, end, low)) {
      s += 2 * HALF;
    } else if (is_high || is_surrogate(s, end, low)) {
      s = mend_half(p, s, &end, is_high);
      mended = true;
    } else {
      s += 2;
    }
  }
  *n = (size_t)(end - p->bytes);
  return mended;
}

yyjson_val *json_pool_parse(struct json_pool *p, struct str text) {
  size_t text_room = (text.n + HALF + YYJSON_PADDING_SIZE + 15) & ~(size_t)15;
  size_t tree = text.n > POOL_TEXT_MAX ? 0 : yyjson_read_max_memory_usage(text.n + HALF, flags) + POOL_SLACK;
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
