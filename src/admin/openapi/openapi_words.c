/* Answers in words: see openapi_words.h. */
#include "admin/openapi/openapi_words.h"

static void put(struct buf *b, const char *c) { buf_put(b, str_from_c(c)); }

/* ", " between, " or " before the last. */
static void put_separator(struct buf *b, size_t i, size_t n) {
  if (i) put(b, i + 1 == n ? " or " : ", ");
}

static void put_schema(struct buf *b, const struct openapi_answer *answer, const struct schema *schema,
                       openapi_link_fn *link) {
  bool is_list = answer->shape == OPENAPI_LIST, is_either = answer->shape == OPENAPI_EITHER;
  if (is_list) put(b, "list of ");
  if (schema->name)
    link(b, schema->name);
  else
    put(b, "object");
  if (!is_either) return;
  put(b, " or list of ");
  link(b, schema->name);
}

void openapi_words_answer(struct buf *b, const struct openapi_op *op, openapi_link_fn *link) {
  struct str rest = str_from_c(op->answer.media ? op->answer.media : ""), media;
  size_t n = 0, shapes = op->vendor_count ? op->vendor_count : 1;
  bool is_vendors = op->answer.shape == OPENAPI_MODELS || op->answer.shape == OPENAPI_MODEL;
  if (!is_vendors) shapes = 1;
  buf_put_i64(b, openapi_status(op));
  for (; n < shapes && openapi_schema(op, n); n++) {
    if (!n) put(b, ": ");
    put_separator(b, n, shapes);
    put_schema(b, &op->answer, openapi_schema(op, n), link);
  }
  for (bool more = rest.n > 0; more; n++) {
    more = str_cut(rest, '|', &media, &rest);
    put(b, n ? ", " : ": ");
    buf_put(b, media);
  }
}

void openapi_words_type(struct buf *b, const struct schema_member *m, openapi_link_fn *link) {
  unsigned type = schema_type_of(m);
  if (!m->of || !m->of->name) {
    schema_put_type(m, b);
    return;
  }
  if (type == SCHEMA_LIST) put(b, "list of ");
  link(b, m->of->name);
  if (type == SCHEMA_MAP) put(b, " by name");
  if (m->type & SCHEMA_NULL) put(b, " or null");
}
