/* Ollama generate (/api/generate): a prompt without turns. Decoded to a system item and one user item with the prompt's
 * text and images; members that only Ollama can act on (template, raw, context, keep_alive) stay in the rest. As a
 * target it says requests of system items and one prompt only. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/ollama/ollama_internal.h"

/* ---- decode ---- */

enum { MODEL, STREAM, MAESTRO, PROMPT, SUFFIX, SYSTEM, IMAGES, FORMAT, OPTIONS, THINK, LOGPROBS, TOP_LOGPROBS, NAMES };
static const struct str names[NAMES] = {
    STR("model"),  STR("stream"), STR("maestro"), STR("prompt"), STR("suffix"),   STR("system"),
    STR("images"), STR("format"), STR("options"), STR("think"),  STR("logprobs"), STR("top_logprobs"),
};

static enum err read_system(const struct read_member *at, yyjson_val *v, struct request *r) {
  if (!v) return OK;
  struct request_part *p = ARENA_NEW(at->arena, struct request_part);
  if (!p) return ERR_NO_MEMORY;
  *p = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX};
  r->items[r->item_count++] = (struct request_item){
      .role = ROLE_SYSTEM, .source = UINT32_MAX, .form = CONTENT_STRING, .parts = p, .part_count = 1};
  return read_member_string(at, "system", v, &p->text);
}

static enum err read_prompt(const struct read_member *at, yyjson_val *prompt, yyjson_val *images, struct request *r) {
  enum err e = read_member_array(at, "images", images);
  if (e || (!prompt && !images)) return e;
  size_t count = prompt ? 1 : 0, image_count = yyjson_arr_size(images);
  struct request_part *p = ARENA_NEW_ARRAY(at->arena, struct request_part, count + image_count);
  if (!p) return ERR_NO_MEMORY;
  if (prompt) p[0] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX};
  if (prompt) e = read_member_string(at, "prompt", prompt, &p[0].text);
  if (!e) e = ollama_read_images(at, images, p + count);
  r->items[r->item_count++] = (struct request_item){.role = ROLE_USER,
                                                    .source = 0,
                                                    .form = prompt ? CONTENT_STRING : CONTENT_ABSENT,
                                                    .parts = p,
                                                    .part_count = count + image_count};
  return e;
}

enum err ollama_generate_decode_request(struct arena *a, yyjson_val *root, const struct dialect_request *envelope,
                                        struct request *out, struct err_info *info) {
  const struct read_member top = {"", a, info};
  yyjson_val *f[NAMES];
  struct request r;
  request_init(&r, STR("ollama_generate"), LLM_COMPLETE);
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.wants_usage = true;
  r.items = ARENA_NEW_ARRAY(a, struct request_item, 2);
  if (!r.items) return ERR_NO_MEMORY;
  enum err e = read_member_split(&top, root, names, NAMES, f, &r.rest);
  if (!e) e = read_system(&top, f[SYSTEM], &r);
  if (!e) e = read_prompt(&top, f[PROMPT], f[IMAGES], &r);
  if (!e) e = read_member_string(&top, "suffix", f[SUFFIX], &r.suffix);
  const struct ollama_members shared = {f[FORMAT], f[OPTIONS], f[THINK], f[LOGPROBS], f[TOP_LOGPROBS]};
  if (!e) e = ollama_read_members(&top, &shared, &r);
  if (!e) *out = r;
  return e;
}

/* ---- encode ---- */

static struct str part_text(const struct request_part *p) {
  return p->kind == PART_TEXT ? p->text : p->kind == PART_DOCUMENT ? p->media->text : STR_NONE;
}

/* The texts of all system items, or of all others, as one member. */
static enum err put_texts(const struct request *r, const char *key, bool of_system, bool is_always, struct buf *out) {
  struct buf text;
  bool has_any = is_always;
  buf_init(&text, 0);
  for (size_t i = 0; i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    if (request_is_system(item) != of_system) continue;
    for (size_t k = 0; k < item->part_count; k++) {
      struct str piece = part_text(&item->parts[k]);
      if (text.n && piece.n) buf_put(&text, STR("\n\n"));
      buf_put(&text, piece);
      has_any = has_any || piece.p;
    }
  }
  if (has_any) json_out_member_string(out, key, buf_str(&text));
  enum err e = text.failed ? ERR_NO_MEMORY : OK;
  buf_clear(&text);
  return e;
}

static void put_images(const struct request *r, struct buf *out) {
  size_t n = 0;
  for (size_t i = 0; i < r->item_count; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      const struct request_part *p = &r->items[i].parts[k];
      if (p->kind != PART_IMAGE) continue;
      if (n++ == 0) {
        json_out_key(out, "images");
        json_out_begin(out, '[');
      }
      json_out_string(out, p->media->data);
    }
  if (n) json_out_end(out, ']');
}

static enum err check_items(const struct request *r, struct err_info *info) {
  unsigned prompts = 0;
  for (size_t i = 0; i < r->item_count; i++) {
    const struct request_item *item = &r->items[i];
    bool is_prompt = item->role == ROLE_USER && prompts++ == 0;
    if (is_prompt || request_is_system(item)) continue;
    return dialect_refuse(r, item, NULL, info, "a completion by Ollama has one prompt and no conversation");
  }
  return OK;
}

enum err ollama_generate_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                        struct buf *out, struct err_info *info) {
  (void)a;
  bool is_own = str_eq(r->dialect, STR("ollama_generate"));
  enum err e = check_items(r, info);
  if (e) return e;
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  e = put_texts(r, "system", true, false, out);
  if (!e) e = put_texts(r, "prompt", false, !is_own, out);
  json_out_member_string_if(out, "suffix", r->suffix);
  put_images(r, out);
  json_out_member_bool(out, "stream", r->is_stream);
  ollama_put_members(out, r, is_own, target->context_tokens);
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
