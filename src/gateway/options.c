/* Options of one request that are the gateway's own: see options.h. An empty object asks for the receipt. The options
 * that steer the brain come with it; until then naming one is an error, since ignoring it would be a silent lie. */
#include "gateway/options.h"

#include <stdio.h>
#include <yyjson.h>

enum { OPTIONS_BYTES_MAX = 16 * 1024 }; /* parsing them in a body's full length would stop the worker for seconds */

/* `json` must be an object; `where` is how its members are called in errors. */
static enum err refuse_members(struct str json, const char *where, struct err_info *info) {
  if (json.n > OPTIONS_BYTES_MAX)
    return err_set_param(info, ERR_BAD_VALUE, where, "\"%s\" must not be longer than 16 KiB", where);
  yyjson_doc *doc = yyjson_read(json.p, json.n, 0);
  yyjson_val *root = yyjson_doc_get_root(doc);
  enum err e = OK;
  if (!yyjson_is_obj(root)) {
    e = err_set_param(info, ERR_BAD_TYPE, where, "\"%s\" must be a JSON object", where);
  } else if (yyjson_obj_size(root) > 0) {
    yyjson_obj_iter it = yyjson_obj_iter_with(root);
    yyjson_val *key = yyjson_obj_iter_next(&it);
    char param[ERR_PARAM_MAX];
    struct str name = str_cut_utf8(str_from(yyjson_get_str(key), yyjson_get_len(key)), 64);
    snprintf(param, sizeof param, "%s.%.*s", where, STR_ARG(name));
    e = err_set_param(info, ERR_UNSUPPORTED, param, "the option \"%s\" is not supported by this version", param);
  }
  yyjson_doc_free(doc);
  return e;
}

enum err options_read(const struct http_request *http, const struct dialect_request *request, bool *wants_receipt,
                      struct err_info *info) {
  struct str header = http_header_get(http->headers, STR("x-maestro-options"));
  struct str receipt = http_header_get(http->headers, STR("x-maestro-receipt"));
  *wants_receipt = request->wants_receipt || str_eq(receipt, STR("1")) || str_eq_nocase(receipt, STR("true"));
  enum err e = request->options.n ? refuse_members(request->options, "maestro", info) : OK;
  if (!e && header.n) e = refuse_members(header, "x-maestro-options", info);
  return e;
}
