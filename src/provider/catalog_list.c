/* Lists of models as providers answer them: see provider.h. */
#include "base/json.h"
#include "provider/provider.h"

enum { CATALOG_MODELS_MAX = 4096, MODEL_ID_MAX = 256, CONTEXT_MAX = 1000000000 };

/* An id goes into headers, logs and JSON, and comes back in requests: nothing invisible. */
static bool is_model_id(struct str id) {
  for (size_t i = 0; i < id.n; i++)
    if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f) return false;
  return id.n > 0 && id.n <= MODEL_ID_MAX && str_trim(id).n == id.n;
}

/* The first of these members that is a number says how long a context may be: vLLM, OpenRouter and Together, Groq,
 * Mistral, Gemini (their API references and vLLM's source, read 2026-11). */
static int64_t context_of(const struct json_node *row) {
  static const struct str keys[] = {STR("max_model_len"), STR("context_length"), STR("context_window"),
                                    STR("max_context_length"), STR("inputTokenLimit")};
  int64_t v = 0;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    struct json_node member = json_member(row, keys[i]);
    if (json_type(&member) == JSON_NUMBER && !json_i64(&member, &v, NULL) && v > 0 && v <= CONTEXT_MAX) return v;
  }
  return 0;
}

static struct str word_of(const struct json_node *object, struct str key) {
  struct json_node member = json_member(object, key);
  struct str s;
  return !json_string(&member, &s, NULL) && is_model_id(s) ? s : STR_NONE;
}

/* What Ollama says beside the name (its API document, GET /api/tags, read 2026-11). */
static void read_details(const struct json_node *row, struct provider_listed *m) {
  struct json_node details = json_member(row, STR("details")), size = json_member(row, STR("size"));
  if (json_i64(&size, &m->size_bytes, NULL) || m->size_bytes < 0) m->size_bytes = 0;
  m->family = word_of(&details, STR("family"));
  m->digest = word_of(row, STR("digest"));
}

enum err provider_parse_list(struct arena *a, struct str body, struct str list, struct str name, struct str prefix,
                             struct provider_listed **models, size_t *count, struct err_info *info) {
  struct json doc;
  struct provider_listed *v = NULL;
  struct str id;
  size_t n = 0;
  struct json_node root = {0}, data = {0}, row, member;
  if (json_parse_copy(&doc, body, NULL, a, NULL) == OK) {
    root = json_root(&doc);
    data = json_type(&root) == JSON_ARRAY ? root : json_member(&root, list);
  }
  if (json_type(&data) != JSON_ARRAY) return err_set(info, ERR_UPSTREAM_PROTOCOL, "the model list is not a list");
  size_t most = json_count(&data) < CATALOG_MODELS_MAX ? json_count(&data) : CATALOG_MODELS_MAX;
  if (!(v = ARENA_NEW_ARRAY(a, struct provider_listed, most + 1))) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&data); n < most && json_next(&it, &row);) {
    member = json_member(&row, name);
    if (json_string(&member, &id, NULL)) continue;
    if (str_has_prefix(id, prefix)) id = str_sub(id, prefix.n, id.n);
    if (!is_model_id(id)) continue;
    v[n] = (struct provider_listed){.id = id, .context_tokens = context_of(&row)};
    read_details(&row, &v[n++]);
  }
  *models = v;
  *count = n;
  return OK;
}
