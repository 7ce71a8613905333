/* docs/api-admin.md: the administration's endpoints as tables, from the same list as the OpenAPI document. Written by
 * `maestro check --write-api-docs` for scripts/docs. */
#include "admin/openapi/openapi.h"
#include "admin/openapi/openapi_words.h"

static void put(struct buf *b, const char *c) { buf_put(b, str_from_c(c)); }

/* A cell has no '|'. */
static void put_cell(struct buf *b, const char *c) {
  for (; *c; c++) {
    if (*c == '|') buf_put_char(b, '\\');
    buf_put_char(b, *c);
  }
}

static bool is_of_administration(const struct openapi_op *op) {
  return str_has_prefix(op->endpoint->route, STR("/admin/")) ||
         str_has_prefix(op->endpoint->route, STR("/api/admin/")) || op->endpoint->class == AUTH_CLASS_DOCS;
}

static bool is_shown(const struct openapi_op *op) { return is_of_administration(op) && !op->is_twin; }

static void put_callers(struct buf *b, const struct openapi_op *op) {
  if (openapi_may(op, 0)) {
    put(b, "everybody");
    return;
  }
  bool is_first = true;
  for (size_t i = 0; i < OPENAPI_CALLERS; i++) {
    if (!openapi_may(op, i)) continue;
    if (!is_first) put(b, ", ");
    put(b, openapi_caller(i));
    is_first = false;
  }
}

static void put_body(struct buf *b, const struct openapi_op *op) {
  struct str name, type, query = str_from_c(op->query);
  bool is_first = true;
  for (size_t i = 0; op->body && i < op->body->n; i++) {
    const struct field *f = &op->body->v[i];
    if (!(op->allowed & f->bit)) continue;
    buf_printf(b, "%s`%.*s`%s", is_first ? "" : ", ", STR_ARG(f->key), op->required & f->bit ? " (required)" : "");
    is_first = false;
  }
  while (openapi_next_query(&query, &name, &type)) {
    buf_printf(b, "%s`?%.*s=`", is_first ? "" : ", ", STR_ARG(name));
    is_first = false;
  }
}

static void put_link(struct buf *b, const char *name) {
  buf_printf(b, "[%s](#answer-", name); /* since a section may have the same name */
  for (; *name; name++) buf_put_char(b, (char)(*name | 0x20));
  buf_put_char(b, ')');
}

static void put_op(struct buf *b, const struct openapi_op *op) {
  buf_printf(b, "| `%.*s %.*s` | ", STR_ARG(http_method_name(op->method)), STR_ARG(op->endpoint->route));
  put_cell(b, op->summary);
  if (*op->more) put(b, ". ");
  put_cell(b, op->more);
  put(b, " | ");
  put_body(b, op);
  put(b, " | ");
  openapi_words_answer(b, op, put_link);
  put(b, " | ");
  put_callers(b, op);
  put(b, " |\n");
}

/* The fields that bodies have, each once per tag. */
static void put_fields(struct buf *b, const struct openapi_op *ops, size_t n, const char *tag) {
  const struct field *seen[128];
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    const struct openapi_op *op = &ops[i];
    if (strcmp(op->tag, tag) || !is_shown(op) || !op->body) continue;
    for (size_t k = 0; k < op->body->n; k++) {
      const struct field *f = &op->body->v[k];
      size_t at = 0;
      while (at < count && seen[at] != f) at++;
      if (!(op->allowed & f->bit) || at < count || count == sizeof seen / sizeof *seen) continue;
      if (!count) put(b, "\n| member | meaning |\n| --- | --- |\n");
      seen[count++] = f;
      buf_printf(b, "| `%.*s` | ", STR_ARG(f->key));
      if (f->help) put_cell(b, f->help);
      if (f->help && f->must) put(b, "; ");
      if (f->must) put_cell(b, f->must);
      for (int64_t c = 0; f->type == FIELD_CHOICE && c < f->max; c++)
        buf_printf(b, "%s`%s`", c ? ", " : f->help ? ": " : "", f->choices[c]);
      put(b, " |\n");
    }
  }
}

/* ---- answers ---- */

static void put_answer_member(void *arg, struct str path, const struct schema_member *m) {
  struct buf *b = arg;
  buf_printf(b, "| `%.*s`%s | ", STR_ARG(path), m->type & SCHEMA_OPTIONAL ? " (optional)" : "");
  openapi_words_type(b, m, put_link);
  put(b, " | ");
  if (m->help) put_cell(b, m->help);
  put(b, " |\n");
}

static void put_answer(void *arg, const struct schema *s) {
  struct buf *b = arg;
  buf_printf(b, "\n### Answer %s\n\n", s->name);
  if (!s->n) {
    put(b, "Options by section: [config.md](config.md).\n");
    return;
  }
  put(b, "| member | type | meaning |\n| --- | --- | --- |\n");
  schema_walk(s, put_answer_member, b);
}

void openapi_write_markdown(struct buf *b) {
  size_t n;
  const struct openapi_op *ops = openapi_ops(&n);
  put(b,
      "# The administration's endpoints\n\nGenerated from `src/app/routes.def` and the tables of fields (`make docs`); "
      "do "
      "not edit. What they are for says [admin.md](admin.md).\n\nWhat stands below `/admin` stands below `/api/admin`, "
      "too, unless a row says otherwise: there any server key reads, and the first one changes. Open to: `admin` is "
      "the "
      "admin token, the configured administrator and users of that role.\n");
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < i && (!is_shown(&ops[k]) || strcmp(ops[k].tag, ops[i].tag))) k++;
    if (k < i || !is_shown(&ops[i])) continue; /* not the first of its tag */
    buf_printf(
        b,
        "\n## %s\n\n| method and path | what | body or query | answer | open to |\n| --- | --- | --- | --- | --- |\n",
        ops[i].tag);
    for (k = i; k < n; k++)
      if (is_shown(&ops[k]) && !strcmp(ops[k].tag, ops[i].tag)) put_op(b, &ops[k]);
    put_fields(b, ops, n, ops[i].tag);
  }
  put(b,
      "\n## Answers\n\nErrors have `error.message`, `error.code`, perhaps `error.param`, and `detail`, the message "
      "again. `a[].b` is of each "
      "element of a list, `a.*.b` of each value of an object.\n");
  openapi_each_schema(is_shown, put_answer, b);
}
