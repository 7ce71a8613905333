/* Names of tools on the wire: see tool_name.h. */
#include "dialect/tool_name.h"

static bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_wire(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (!is_plain(s.p[i])) return false;
  return s.n <= TOOL_NAME_BYTES_MAX;
}

struct str tool_name_wire(struct arena *a, struct str namespace, struct str name) {
  if (!namespace.n && is_wire(name)) return name;
  struct str joined =
      namespace.n ? arena_printf(a, "%.*s__%.*s", STR_ARG(namespace), STR_ARG(name)) : arena_dup(a, name);
  if (!joined.p) return STR_NONE;
  if (joined.n > TOOL_NAME_BYTES_MAX) joined.n = TOOL_NAME_BYTES_MAX;
  char *p = (char *)joined.p; /* made above */
  for (size_t i = 0; i < joined.n; i++)
    if (!is_plain(p[i])) p[i] = '_';
  return joined;
}
