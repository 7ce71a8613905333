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

/* True where `wire` is how the tool is said: its names joined, what an API does not take for a name replaced by '_'
 * (how much that is differs), the end cut off. */
static bool is_said_as(const struct request_tool *t, struct str wire) {
  size_t head = t->namespace.n ? t->namespace.n + 2 : 0, n = head + t->name.n;
  if (wire.n != n && !(n > TOOL_NAME_BYTES_MAX && wire.n == TOOL_NAME_BYTES_MAX)) return false;
  for (size_t i = 0; i < wire.n; i++) {
    char c = i < t->namespace.n ? t->namespace.p[i] : i < head ? '_' : t->name.p[i - head];
    if (c != wire.p[i] && (is_plain(c) || wire.p[i] != '_')) return false;
  }
  return true;
}

const struct request_tool *tool_name_find(const struct request *r, struct str wire) {
  const struct request_tool *found = NULL;
  for (size_t i = 0; r && i < r->tool_count; i++) {
    const struct request_tool *t = &r->tools[i];
    if (t->kind == TOOL_HOSTED) continue;
    if (!t->namespace.n && str_eq(t->name, wire)) return t;
    if (!found && is_said_as(t, wire)) found = t;
  }
  return found;
}

struct str tool_name_declared(const struct request *r, struct str target, struct str wire) {
  const struct request_tool *t = r && !str_eq(r->dialect, target) ? tool_name_find(r, wire) : NULL;
  return t && !t->namespace.n ? t->name : wire;
}
