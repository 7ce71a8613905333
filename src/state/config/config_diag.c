/* Diagnostics: a growing array in an arena of its own. When memory is short a diagnostic is counted but not kept, so
 * that `errors` can be trusted in every case. */
#include "state/config/config_diag.h"

#include <stdarg.h>
#include <stdio.h>

void config_diags_init(struct config_diags *d) {
  *d = (struct config_diags){0};
  arena_init(&d->arena, 4u << 20);
}

void config_diags_clear(struct config_diags *d) {
  arena_clear(&d->arena);
  config_diags_init(d);
}

void config_diags_add(struct config_diags *d, enum config_severity severity, struct config_place place, struct str path,
                      const char *hint, const char *format, ...) {
  if (!d) return;
  d->errors += severity == CONFIG_ERROR;
  d->warnings += severity == CONFIG_WARNING;
  if (d->n == 0 && !d->items) d->items = ARENA_NEW_ARRAY(&d->arena, struct config_diag, CONFIG_DIAGS_MAX);
  if (!d->items || d->n == CONFIG_DIAGS_MAX) {
    d->left_out++;
    return;
  }
  char text[768];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  d->items[d->n++] = (struct config_diag){.severity = severity,
                                          .file = arena_dup(&d->arena, place.file),
                                          .line = place.line,
                                          .path = arena_dup(&d->arena, path),
                                          .text = arena_dup(&d->arena, str_from_c(text)),
                                          .hint = arena_dup(&d->arena, str_from_c(hint))};
}

const char *config_severity_name(enum config_severity s) {
  static const char *const names[] = {"note", "warning", "error"};
  return names[s];
}

void config_diag_write(const struct config_diag *d, struct buf *out) {
  if (d->file.n) {
    buf_put(out, d->file);
    if (d->line) {
      buf_put_char(out, ':');
      buf_put_u64(out, d->line);
    }
    buf_put(out, STR(": "));
  }
  buf_printf(out, "%s: ", config_severity_name(d->severity));
  if (d->path.n) {
    buf_put(out, d->path);
    buf_put(out, STR(": "));
  }
  buf_put(out, d->text);
  if (d->hint.n) {
    buf_put(out, STR(" ("));
    buf_put(out, d->hint);
    buf_put_char(out, ')');
  }
}

void config_diags_write(const struct config_diags *d, struct buf *out) {
  for (size_t i = 0; i < d->n; i++) {
    config_diag_write(&d->items[i], out);
    buf_put_char(out, '\n');
  }
  if (d->left_out) buf_printf(out, "and %zu more\n", d->left_out);
}

static void put_member(struct buf *out, const char *name, struct str value) {
  buf_printf(out, "\"%s\":", name);
  buf_put_json(out, value);
  buf_put_char(out, ',');
}

void config_diags_write_json(const struct config_diags *d, struct buf *out) {
  buf_put_char(out, '[');
  for (size_t i = 0; i < d->n; i++) {
    const struct config_diag *item = &d->items[i];
    buf_put(out, i ? STR(",{") : STR("{"));
    put_member(out, "severity", str_from_c(config_severity_name(item->severity)));
    put_member(out, "file", item->file);
    put_member(out, "path", item->path);
    put_member(out, "text", item->text);
    put_member(out, "hint", item->hint);
    buf_printf(out, "\"line\":%u}", item->line);
  }
  buf_put_char(out, ']');
}
