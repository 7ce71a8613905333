/* Failures as values: see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
  const char *code, *text;
  int status;
  enum err_retry retry;
  enum err_blame blame;
} table[ERR_COUNT] = {
    [OK] = {"ok", "ok", 200, ERR_RETRY_NEVER, ERR_BLAME_NOBODY},
#define X(name, code, status, retry, blame, text) \
  [ERR_##name] = {code, text, status, ERR_RETRY_##retry, ERR_BLAME_##blame},
#include "base/err.def"
#undef X
};

static enum err known(enum err e) { return e < ERR_COUNT ? e : ERR_INTERNAL; }

const char *err_code(enum err e) { return table[known(e)].code; }
const char *err_text(enum err e) { return table[known(e)].text; }
int err_http_status(enum err e) { return table[known(e)].status; }
enum err_retry err_retry(enum err e) { return table[known(e)].retry; }
enum err_blame err_blame(enum err e) { return table[known(e)].blame; }

/* What is too long is cut, but not inside a character. */
static void trim(char *text) { text[str_cut_utf8(str_from_c(text), SIZE_MAX).n] = 0; }

enum err err_set(struct err_info *info, enum err e, const char *format, ...) {
  if (info) {
    va_list args;
    va_start(args, format);
    vsnprintf(info->text, sizeof info->text, format, args);
    va_end(args);
    trim(info->text);
  }
  return e;
}

enum err err_set_param(struct err_info *info, enum err e, const char *param, const char *format, ...) {
  if (info) {
    va_list args;
    va_start(args, format);
    vsnprintf(info->text, sizeof info->text, format, args);
    va_end(args);
    trim(info->text);
    snprintf(info->param, sizeof info->param, "%s", param ? param : "");
    trim(info->param);
  }
  return e;
}

static size_t append(char out[ERR_PARAM_MAX], size_t at, const char *text, size_t n) {
  if (n > ERR_PARAM_MAX - 1 - at) n = ERR_PARAM_MAX - 1 - at;
  memcpy(out + at, text, n);
  return at + n;
}

/* Without the NUL; returns the length. */
static size_t join(char out[ERR_PARAM_MAX], const char *base, const char *member) {
  bool has_base = base && base[0], has_member = member && member[0];
  size_t n = has_base ? append(out, 0, base, strlen(base)) : 0;
  if (has_base && has_member) n = append(out, n, ".", 1);
  return has_member ? append(out, n, member, strlen(member)) : n;
}

void err_path_member(char out[ERR_PARAM_MAX], const char *base, const char *member) {
  out[join(out, base, member)] = 0;
}

void err_path_index(char out[ERR_PARAM_MAX], const char *base, const char *list, size_t index) {
  char digits[24];
  size_t at = sizeof digits;
  digits[--at] = ']';
  do digits[--at] = (char)('0' + index % 10);
  while (index /= 10);
  digits[--at] = '[';
  size_t n = join(out, base, list);
  out[append(out, n, digits + at, sizeof digits - at)] = 0;
}

int err_info_status(enum err e, const struct err_info *info) {
  return info && info->http_status ? info->http_status : err_http_status(e);
}

const char *err_info_text(enum err e, const struct err_info *info) {
  return info && info->text[0] ? info->text : err_text(e);
}

const char *err_info_code(enum err e, const struct err_info *info) {
  return info && info->code[0] ? info->code : err_code(e);
}
