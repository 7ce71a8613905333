/* Citations of any dialect: see citation.h. */
#include "dialect/citation.h"

#include <yyjson.h>

#include "base/json_pool.h"

static struct str first_text(yyjson_val *v, const char *a, const char *b) {
  struct str s = json_pool_str(v, a);
  return s.n ? s : json_pool_str(v, b);
}

static yyjson_val *first_value(yyjson_val *v, const char *a, const char *b) {
  yyjson_val *found = yyjson_obj_get(v, a);
  return found ? found : yyjson_obj_get(v, b);
}

bool citation_read(yyjson_val *native, struct citation *out) {
  yyjson_val *inner = yyjson_obj_get(native, "url_citation");
  if (!yyjson_is_obj(inner)) inner = yyjson_obj_get(yyjson_obj_get(native, "location"), "web");
  if (!yyjson_is_obj(inner)) inner = yyjson_obj_get(native, "web");
  if (!yyjson_is_obj(inner)) inner = native;
  *out = (struct citation){.url = first_text(inner, "url", "uri"),
                           .title = json_pool_str(inner, "title"),
                           .start = first_value(inner, "start_index", "startIndex"),
                           .end = first_value(inner, "end_index", "endIndex")};
  if (!out->title.n) out->title = json_pool_str(native, "title");
  return out->url.n > 0;
}
