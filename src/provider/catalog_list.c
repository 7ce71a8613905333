/* Lists of models as providers answer them: see provider.h. */
#include "base/json.h"
#include "provider/provider.h"

enum { CATALOG_MODELS_MAX = 4096, MODEL_ID_MAX = 256 };

/* An id goes into headers, logs and JSON, and comes back in requests: nothing invisible. */
static bool is_model_id(struct str id) {
  for (size_t i = 0; i < id.n; i++)
    if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f) return false;
  return id.n > 0 && id.n <= MODEL_ID_MAX && str_trim(id).n == id.n;
}

enum err provider_parse_list(struct arena *a, struct str body, struct str list, struct str name, struct str prefix,
                             struct str **ids, size_t *count, struct err_info *info) {
  struct json doc;
  struct str *v = NULL, id;
  size_t n = 0;
  struct json_node root = {0}, data = {0}, row, member;
  if (json_parse_copy(&doc, body, NULL, a, NULL) == OK) {
    root = json_root(&doc);
    data = json_type(&root) == JSON_ARRAY ? root : json_member(&root, list);
  }
  if (json_type(&data) != JSON_ARRAY) return err_set(info, ERR_UPSTREAM_PROTOCOL, "the model list is not a list");
  size_t most = json_count(&data) < CATALOG_MODELS_MAX ? json_count(&data) : CATALOG_MODELS_MAX;
  if (!(v = ARENA_NEW_ARRAY(a, struct str, most + 1))) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(&data); n < most && json_next(&it, &row);) {
    member = json_member(&row, name);
    if (json_string(&member, &id, NULL)) continue;
    if (str_has_prefix(id, prefix)) id = str_sub(id, prefix.n, id.n);
    if (is_model_id(id)) v[n++] = id;
  }
  *ids = v;
  *count = n;
  return OK;
}
