/* The text form of names: see names.h. As strict as that of people: it may have been edited or cut. */
#include "base/json_out.h"
#include "state/names.h"
#include "state/text_lines.h"

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

static void put_row(struct buf *b, enum names_kind kind, const struct names_row *row) {
  json_out_begin(b, '{');
  json_out_member_string(b, "type", str_from_c(names_kind_word(kind)));
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
  text_lines_put(out, &line);
  for (unsigned kind = 0; kind < NAMES_KINDS; kind++) {
    for (size_t i = 0; i < n->of[kind].n; i++) {
      put_row(&line, (enum names_kind)kind, row_at(n, (enum names_kind)kind, i));
      text_lines_put(out, &line);
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

static enum err read_row(struct names *n, const struct json_node *root, struct err_info *info) {
  struct json_node word = json_member(root, STR("type")), value = json_member(root, STR("value"));
  enum names_kind kind = NAMES_ALIAS;
  struct str text;
  enum err e = json_string(&word, &text, info);
  if (!e && !kind_parse(text, &kind)) return err_set_param(info, ERR_BAD_VALUE, "type", "\"type\" is not known");
  if (e) return e;
  struct names_row *row = names_add(n, kind);
  if (!row) return err_set(info, ERR_BAD_VALUE, "more than %d of a kind", NAMES_ROWS_MAX);
  row->id = (int64_t)n->of[kind].n;
  e = json_get_i64(root, STR("created_us"), &row->created_us, info);
  if (!e) e = json_get_i64(root, STR("updated_us"), &row->updated_us, info);
  return e ? e : names_read_fields(&n->arena, kind, &value, true, row, info);
}

struct reading {
  struct names *names;
  uint64_t rows; /* that the first line announces */
};

static enum err take_line(void *arg, unsigned number, const struct json_node *line, struct err_info *info) {
  struct reading *r = arg;
  if (number > 1) return read_row(r->names, line, info);
  const struct json_node rows = json_member(line, STR("rows"));
  enum err e = text_lines_head(line, KIND, TEXT_VERSION, TEXT_VERSION, info);
  return e ? e : json_u64(&rows, &r->rows, info);
}

static enum err take_end(void *arg, unsigned lines, struct err_info *info) {
  const struct reading *r = arg;
  if (lines && names_count(r->names) == r->rows) return OK;
  return err_set(info, ERR_BAD_VALUE, "it was cut: it has not as many rows as its first line says");
}

/* Flagged members are few. */
static enum err check_sources(const struct names *n, struct err_info *info) {
  for (size_t i = 0; i < n->of[NAMES_MEMBER].n; i++) {
    const struct names_member *m = names_member_at(n, i);
    for (size_t k = 0; k < i && m->is_metadata_source; k++)
      if (names_are_two_sources(names_member_at(n, k), m))
        return err_set(info, ERR_BAD_VALUE, "the group \"%.*s\" has two members with is_metadata_source",
                       STR_ARG(str_cut_utf8(m->group, NAMES_TEXT_MAX)));
  }
  return OK;
}

enum err names_read(struct str text, struct names *out, struct err_info *info) {
  struct reading r = {.names = out};
  names_init(out);
  enum err e = text_lines_read(text, &(struct text_lines_reader){take_line, take_end, &r}, info);
  if (!e) e = check_sources(out, info);
  if (e) names_clear(out);
  return e;
}
