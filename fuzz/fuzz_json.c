/* links: base */
/* JSON trees, strict and relaxed, and what walks them: getters, paths, lines, key checks; and the byte-level helpers.
 * The first byte chooses limits. */
#include "base/json.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json_bytes.h"

static void check(bool ok) {
  if (!ok) abort();
}

static void look(const struct json *doc, const struct json_node *n, struct arena *arena) {
  struct err_info info = {.code = ""};
  struct str s;
  bool b;
  int64_t i;
  uint64_t u;
  double d;
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  check(strlen(path) < ERR_PARAM_MAX);
  unsigned line = json_line_of(doc, n);
  check(doc->text.p ? line >= 1 : line == 0);
  enum json_type type = json_type(n);
  check((json_string(n, &s, &info) == OK) == (type == JSON_STRING));
  check((json_bool(n, &b, &info) == OK) == (type == JSON_BOOL));
  enum err ei = json_i64(n, &i, &info), eu = json_u64(n, &u, &info), ed = json_double(n, &d, &info);
  check(type == JSON_NUMBER || (ei == ERR_BAD_TYPE && eu == ERR_BAD_TYPE && ed == ERR_BAD_TYPE));
  check(ei || eu || (uint64_t)i == u);
  const struct str known[] = {STR("model"), STR("a")};
  enum err ek = json_check_keys(n, known, 2, arena, &info);
  check(ek == OK || ek == ERR_DUPLICATE_KEY || ek == ERR_BAD_VALUE || ek == ERR_NO_MEMORY);
  check(json_member(n, STR("a")).val == NULL || type == JSON_OBJECT);
}

/* The whole tree, without recursion: a path of nodes as deep as the cap. */
static void walk(const struct json *doc, struct arena *arena) {
  static struct json_node nodes[JSON_DEPTH_MAX + 2];
  static struct json_iter iters[JSON_DEPTH_MAX + 2];
  unsigned depth = 0;
  nodes[0] = json_root(doc);
  look(doc, &nodes[0], arena);
  iters[0] = json_each(&nodes[0]);
  for (;;) {
    if (json_next(&iters[depth], &nodes[depth + 1])) {
      look(doc, &nodes[depth + 1], arena);
      check(depth + 1 < JSON_DEPTH_MAX + 2);
      if (json_count(&nodes[depth + 1]) == 0) continue;
      depth++;
      iters[depth] = json_each(&nodes[depth]);
    } else if (depth-- == 0) {
      return;
    }
  }
}

static void check_bytes(struct str text) {
  struct buf b;
  struct arena arena;
  struct json doc;
  struct str back;
  size_t n = 0;
  buf_init(&b, 0);
  buf_put_json(&b, text);
  arena_init(&arena, 0);
  check(json_parse_copy(&doc, buf_str(&b), NULL, &arena, NULL) == OK);
  struct json_node root = json_root(&doc);
  check(json_string(&root, &back, NULL) == OK);
  check(!str_is_utf8(text) || str_eq(back, text));
  char *out = malloc(b.n);
  check(json_bytes_unescape(str_sub(buf_str(&b), 1, b.n - 1), JSON_BYTES_LOOSE, out, &n) &&
        str_eq(str_from(out, n), back));
  free(out);
  out = malloc(text.n + 1); /* and of bytes that may be anything */
  bool strict = json_bytes_unescape(text, JSON_BYTES_STRICT, out, &n);
  check(!strict || (n <= text.n && str_is_utf8(str_from(out, n))));
  bool loose = json_bytes_unescape(text, JSON_BYTES_LOOSE, out, &n);
  check((loose || !strict) && (!loose || (n <= text.n && str_is_utf8(str_from(out, n)))));
  free(out);
  arena_clear(&arena);
  buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct str text = str_from((const char *)data + 1, size - 1);
  struct json_limits limits = {
      .values = data[0] & 1 ? 40 : 0, .depth = data[0] & 2 ? 4 : 0, .numbers_are_raw = data[0] & 4};
  struct arena arena;
  struct err_info info = {.code = ""};
  struct json doc;
  arena_init(&arena, data[0] & 8 ? 3000 : 0);
  enum err strict = json_parse_copy(&doc, text, &limits, &arena, &info);
  if (strict == OK) walk(&doc, &arena);
  enum err relaxed = json_parse_relaxed(&doc, text, &limits, &arena, &info);
  if (relaxed == OK) walk(&doc, &arena);
  check(strict != OK || relaxed == OK || relaxed == ERR_NO_MEMORY);
  arena_clear(&arena);
  check_bytes(text);
  return 0;
}
