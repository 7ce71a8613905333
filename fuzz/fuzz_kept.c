/* links: state */
/* The text forms of people, nodes and names, which a person may have edited and a disk may have cut: whatever is read
 * is written so that it reads the same again. The first byte says which of them. */
#include <stdint.h>
#include <stdlib.h>

#include "state/names.h"
#include "state/node.h"
#include "state/people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool is_true) {
  if (!is_true) abort();
}

static void nodes_put(const struct nodes *v, struct buf *out) { nodes_write(v, true, out); }

#define DEFINE(kind, write, clear)                                                  \
  static bool round_##kind(struct str in, struct buf *out, struct err_info *info) { \
    struct kind v;                                                                  \
    enum err e = kind##_read(in, &v, info);                                         \
    check(!e || info->text[0]);                                                     \
    if (e) return false;                                                            \
    write(&v, out);                                                                 \
    clear(&v);                                                                      \
    return true;                                                                    \
  }
DEFINE(people, people_write, people_clear)
DEFINE(nodes, nodes_put, node_list_clear)
DEFINE(names, names_write, names_clear)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static bool (*const rounds[])(struct str in, struct buf * out, struct err_info * info) = {round_people, round_nodes,
                                                                                            round_names};
  struct err_info info = {0};
  struct buf first, second;
  if (n == 0) return 0;
  bool (*round)(struct str, struct buf *, struct err_info *) = rounds[data[0] % 3];
  buf_init(&first, 0);
  buf_init(&second, 0);
  if (round(str_from((const char *)data + 1, n - 1), &first, &info)) {
    check(!first.failed && round(buf_str(&first), &second, &info));
    check(str_eq(buf_str(&first), buf_str(&second)));
  }
  buf_clear(&first);
  buf_clear(&second);
  return 0;
}
