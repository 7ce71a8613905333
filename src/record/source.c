/* The source of a request: see source.h. Most rows ask for the same header: it is looked up and lowered once. */
#include "record/source.h"

#include "llm/request.h"

static const struct row {
  struct str header, value, route, name;
} rows[] = {
#define X(header, value, route, name) {STR(header), STR(value), STR(route), STR(name)},
#include "record/source.def"
#undef X
};

enum { VALUE_MAX = 96 /* bytes of a header that are looked at */ };

struct lowered {
  struct str header; /* whose value it is; n == 0: of none yet */
  bool is_there;
  char bytes[VALUE_MAX];
  size_t n;
};

static void look_up(struct lowered *l, struct http_headers headers, struct str name) {
  struct str v = http_header_get(headers, name);
  l->header = name;
  l->is_there = v.p != NULL;
  l->n = v.n < VALUE_MAX ? v.n : VALUE_MAX;
  for (size_t i = 0; i < l->n; i++) l->bytes[i] = (char)(v.p[i] >= 'A' && v.p[i] <= 'Z' ? v.p[i] | 0x20 : v.p[i]);
}

/* Whether the glob could fit at all: by its first byte, which nearly all of them have. */
static bool may_fit(struct str glob, struct str text) {
  return !glob.n || glob.p[0] == '*' || glob.p[0] == '?' || (text.n && text.p[0] == glob.p[0]);
}

struct str source_of(struct http_headers headers, struct str route) {
  struct lowered l = {.n = 0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct row *r = &rows[i];
    if (r->header.n) {
      if (!str_eq(l.header, r->header)) look_up(&l, headers, r->header);
      struct str value = str_from(l.bytes, l.n);
      if (!l.is_there || !may_fit(r->value, value) || !str_glob(r->value, value)) continue;
    }
    if (str_glob(r->route, route)) return r->name;
  }
  return STR("Unknown");
}

struct str source_request_type(unsigned operation, struct str route) {
  switch (operation) {
    case LLM_COMPLETE: return str_has_suffix(route, STR("/generate")) ? STR("generate") : STR("completion");
    case LLM_EMBED: return STR("embedding");
    case LLM_COUNT_TOKENS: return STR("count");
    default: return STR("chat");
  }
}
