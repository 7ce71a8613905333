/* The shape of everything that is no model dialect: see plain.h. */
#include "dialect/plain.h"

static void put_error(struct buf *out, enum err e, const struct err_info *info) {
  struct str text = str_from_c(err_info_text(e, info));
  buf_put(out, STR("{\"error\":{\"message\":"));
  buf_put_json(out, text);
  buf_put(out, STR(",\"code\":"));
  buf_put_json(out, str_from_c(err_info_code(e, info)));
  if (info && info->param[0]) {
    buf_put(out, STR(",\"param\":"));
    buf_put_json(out, str_from_c(info->param));
  }
  buf_put(out, STR("},\"detail\":"));
  buf_put_json(out, text);
  buf_put_char(out, '}');
}

const struct dialect dialect_plain = {.name = STR("plain"), .put_error = put_error};
