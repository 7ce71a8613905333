/* The text form of names: see names.h. As strict as that of people: it may have been edited or cut. */
#include "base/json_out.h"
#include "state/names.h"

#define KIND "maestro-names"
enum { TEXT_VERSION = 1 };

static const void *row_at(const struct names *n, enum names_kind kind, size_t i) {
  return (const char *)n->of[kind].v + i * names_row_bytes(kind);
}

size_t names_count(const struct names *n) {
  size_t rows = 0;
  for (unsigned kind = 0; kind < NAMES_KINDS; kind++) rows += n->of[kind].n;
  return rows;
}

/* Each line is a JSON text of its own, so the writer's commas must not see the line before. */
static void put_line(struct buf *out, struct buf *line) {
  if (line->failed) out->failed = true;
  buf_put(out, buf_str(line));
  buf_put_char(out, '\n');
  buf_reset(line);
}

static void put_row(struct buf *b, enum names_kind kind, const struct names_row *row) {
  json_out_begin(b, '{');
  json_out_member_string(b, "kind", str_from_c(names_kind_word(kind)));
  json_out_member_i64(b, "created_us", row->created_us);
  json_out_member_i64(b, "updated_us", row->updated_us);
  json_out_key(b, "value");
  json_out_begin(b, '{');
  names_put_fields(b, kind, row);
  json_out_end(b, '}');
  json_out_end(b, '}');
}

void names_write(const struct names *n, struct buf *out) {
  struct buf line;
  buf_init(&line, 0);
  json_out_begin(&line, '{');
  json_out_member_string(&line, "kind", STR(KIND));
  json_out_member_i64(&line, "version", TEXT_VERSION);
  json_out_member_i64(&line, "rows", (int64_t)names_count(n));
  json_out_end(&line, '}');
  put_line(out, &line);
  for (unsigned kind = 0; kind < NAMES_KINDS; kind++) {
    for (size_t i = 0; i < n->of[kind].n; i++) {
      put_row(&line, (enum names_kind)kind, row_at(n, (enum names_kind)kind, i));
      put_line(out, &line);
    }
  }
  buf_clear(&line);
}

static bool kind_parse(struct str word, enum names_kind *out) {
  for (unsigned kind = 0; kind < NAMES_KINDS; kind++) {
    if (!str_eq(word, str_from_c(names_kind_word((enum names_kind)kind)))) continue;
    *out = (enum names_kind)kind;
    return true;
  }
  return false;
}

static enum err read_head(const struct json_node *n, size_t *rows, struct err_info *info) {
  struct str kind = STR_NONE;
  int64_t version = 0;
  uint64_t expected = 0;
  struct json_node node = json_member(n, STR("rows"));
  enum err e = json_get_string(n, STR("kind"), &kind, info);
  if (!e) e = json_get_i64(n, STR("version"), &version, info);
  if (!e && !str_eq(kind, STR(KIND))) return err_set(info, ERR_BAD_VALUE, "this is no export of names");
  if (!e && version != TEXT_VERSION)
    return err_set(info, ERR_STORE_NEWER, "this export has version %lld, this program reads %d", (long long)version,
                   (int)TEXT_VERSION);
  if (!e) e = json_u64(&node, &expected, info);
  if (!e) *rows = (size_t)expected;
  return e;
}

static enum err read_row(struct names *n, const struct json_node *root, struct err_info *info) {
  struct json_node word = json_member(root, STR("kind")), value = json_member(root, STR("value"));
  enum names_kind kind = NAMES_ALIAS;
  struct str text;
  enum err e = json_string(&word, &text, info);
  if (!e && !kind_parse(text, &kind)) return err_set_param(info, ERR_BAD_VALUE, "kind", "\"kind\" is not known");
  if (e) return e;
  struct names_row *row = names_add(n, kind);
  if (!row) return err_set(info, ERR_BAD_VALUE, "more than %d of a kind", NAMES_ROWS_MAX);
  row->id = (int64_t)n->of[kind].n;
  e = json_get_i64(root, STR("created_us"), &row->created_us, info);
  if (!e) e = json_get_i64(root, STR("updated_us"), &row->updated_us, info);
  return e ? e : names_read_fields(&n->arena, kind, &value, true, row, info);
}

enum err names_read(struct str text, struct names *out, struct err_info *info) {
  struct err_info why = {0};
  struct arena work;
  struct str line;
  size_t expected = 0;
  unsigned at = 0;
  enum err e = OK;
  names_init(out);
  arena_init(&work, 0);
  while (!e && text.n) {
    struct json doc;
    str_cut(text, '\n', &line, &text);
    if (str_trim(line).n == 0) continue;
    at++;
    arena_reset(&work);
    e = json_parse_copy(&doc, line, NULL, &work, &why);
    struct json_node root = e ? (struct json_node){0} : json_root(&doc);
    if (!e) e = at == 1 ? read_head(&root, &expected, &why) : read_row(out, &root, &why);
  }
  if (!e && (at == 0 || names_count(out) != expected))
    e = err_set(&why, ERR_BAD_VALUE, "it was cut: it has not as many rows as its first line says");
  arena_clear(&work);
  if (!e) return OK;
  names_clear(out);
  if (e == ERR_STORE_NEWER || e == ERR_NO_MEMORY) return err_set(info, e, "%s", err_info_text(e, &why));
  return err_set(info, ERR_BAD_VALUE, "names, line %u: %.500s", at ? at : 1, err_info_text(e, &why));
}
