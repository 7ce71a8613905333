/* An estimate of a request's tokens: see count.h. */
#include "call/count.h"

#include "base/buf.h"

enum {
  ITEM_TOKENS = 4,
  TOOL_TOKENS = 8,
  IMAGE_TOKENS = 1100,        /* of a picture of about a megapixel, as vendors count them */
  DOCUMENT_BYTES_A_TOKEN = 40 /* of a PDF's base64: pages are pictures and text at once */
};

struct count {
  uint64_t ascii, other; /* bytes */
  int64_t tokens;
};

static void add_text(struct count *c, struct str s) {
  uint64_t other = 0;
  for (size_t i = 0; i < s.n; i++) other += (unsigned char)s.p[i] >> 7;
  c->other += other;
  c->ascii += s.n - other;
}

static void add_json(struct count *c, struct yyjson_val *v) {
  struct buf text;
  if (!v) return;
  buf_init(&text, 0);
  json_split_put(&text, v);
  add_text(c, buf_str(&text));
  buf_clear(&text);
}

static void add_part(struct count *c, const struct request_part *p) {
  add_text(c, p->text);
  add_text(c, p->name);
  if (p->kind == PART_SERVER_TOOL || p->kind == PART_OPAQUE) add_json(c, p->raw);
  if (p->kind == PART_IMAGE) c->tokens += IMAGE_TOKENS;
  if (p->media && p->kind != PART_IMAGE) {
    add_text(c, p->media->text);
    c->tokens += (int64_t)(p->media->data.n / DOCUMENT_BYTES_A_TOKEN);
  }
}

int64_t count_estimate(const struct request *r) {
  struct count c = {0};
  for (size_t i = 0; i < r->item_count; i++) {
    c.tokens += ITEM_TOKENS;
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      add_part(&c, p);
      for (size_t m = 0; m < p->result_count; m++) add_part(&c, &p->results[m]);
    }
  }
  for (size_t i = 0; i < r->tool_count; i++) {
    c.tokens += TOOL_TOKENS;
    add_text(&c, r->tools[i].name);
    add_text(&c, r->tools[i].description);
    add_json(&c, r->tools[i].kind == TOOL_HOSTED ? r->tools[i].raw : r->tools[i].schema);
  }
  add_json(&c, r->format_schema);
  int64_t tokens = c.tokens + (int64_t)((c.ascii + 3) / 4) + (int64_t)((c.other * 2 + 4) / 5);
  return tokens ? tokens : 1;
}
