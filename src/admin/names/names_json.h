/* Names as the admin API shows them. Rows have their fields, an id (null: declared) and times; `source` says whether
 * they are declared or stored, `shadowed` whether a declared one stands in front of a stored one. */
#ifndef MAESTRO_ADMIN_NAMES_JSON_H
#define MAESTRO_ADMIN_NAMES_JSON_H

#include "admin/page.h"
#include "base/schema.h"
#include "route/route_names.h"

/* Where rows come from; the catalog knows the types of providers. */
struct names_view {
  const struct names *stored, *declared;
  const struct catalog *catalog;
};

void names_json_put_row(struct buf *out, enum names_kind kind, const void *row);
/* The rows of one alias: one object where all lead to the same, else an array with one for each real name. Nothing
 * where there is none. */
void names_json_put_alias(struct buf *out, const struct names_view *view, struct str name);
/* Arrays of what the page takes: rows of a kind; aliases, one for each real name; groups, in `{groups, total}`. */
void names_json_put_rows(struct buf *out, const struct names_view *view, enum names_kind kind, struct page *page);
void names_json_put_aliases(struct buf *out, const struct names_view *view, struct page *page);
/* With its members. Nothing where there is none. */
void names_json_put_group(struct buf *out, const struct names_view *view, struct str name);
void names_json_put_groups(struct buf *out, const struct names_view *view, struct page *page);
void names_json_put_members(struct buf *out, const struct names_view *view, struct str group);
/* Name and priority of each stored group. */
void names_json_put_order(struct buf *out, const struct names *stored);
/* {"key","value","description","updated_at"}. */
void names_json_put_setting(struct buf *out, const struct names_setting *s);

/* What they write: one row of a kind, an alias, a group with its members, all groups, a place in the order. */
extern const struct schema names_json_member_schema, names_json_tool_set_schema, names_json_model_schema,
    names_json_prompt_schema, names_json_setting_schema, names_json_alias_schema, names_json_group_schema,
    names_json_groups_schema, names_json_order_schema;

#endif
