/* Texts of lines: see text_lines.h. */
#include "state/text_lines.h"

void text_lines_put(struct buf *out, struct buf *line) {
  if (line->failed) out->failed = true;
  buf_put(out, buf_str(line));
  buf_put_char(out, '\n');
  buf_reset(line);
}

enum err text_lines_head(const struct json_node *first, const char *kind, int oldest, int newest,
                         struct err_info *info) {
  struct str said = STR_NONE;
  int64_t version = 0;
  enum err e = json_get_string(first, STR("kind"), &said, info);
  if (!e) e = json_get_i64(first, STR("version"), &version, info);
  if (e) return e;
  if (!str_eq(said, str_from_c(kind)))
    return err_set(info, ERR_BAD_VALUE, "this is no export of %s", strchr(kind, '-') + 1);
  if (version >= oldest && version <= newest) return OK;
  return err_set(info, ERR_STORE_NEWER, "this export has version %lld, this program reads %d", (long long)version,
                 newest);
}

enum err text_lines_read(struct str text, const struct text_lines_reader *reader, struct err_info *info) {
  static const struct json_limits limits = {.numbers_are_raw = true}; /* decimals are exact */
  struct err_info why = {0};
  struct arena work;
  struct str line;
  unsigned number = 0;
  enum err e = OK;
  arena_init(&work, 0);
  while (!e && text.n) {
    struct json doc;
    str_cut(text, '\n', &line, &text);
    if (str_trim(line).n == 0) continue;
    number++;
    arena_reset(&work);
    e = json_parse_copy(&doc, line, &limits, &work, &why);
    struct json_node root = e ? (struct json_node){0} : json_root(&doc);
    if (!e) e = reader->take(reader->arg, number, &root, &why);
  }
  if (!e) e = reader->end(reader->arg, number, &why);
  arena_clear(&work);
  if (!e) return OK;
  if (e == ERR_STORE_NEWER || e == ERR_NO_MEMORY) return err_set(info, e, "%s", err_info_text(e, &why));
  return err_set(info, ERR_BAD_VALUE, "line %u: %.500s", number ? number : 1, err_info_text(e, &why));
}
