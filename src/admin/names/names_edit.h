/* One change of names in hand, and what each operation of names.def does with it: aliases in names_alias.c, groups and
 * members in names_group.c, the rest in names_rows.c. Shared by those and names_change.c only; lives as long as the
 * transaction. */
#ifndef MAESTRO_ADMIN_NAMES_EDIT_H
#define MAESTRO_ADMIN_NAMES_EDIT_H

#include "admin/change.h"
#include "admin/names/names_input.h"
#include "route/route_names.h"

struct names_edit {
  struct db *db;
  struct change *c;
  const struct names_input *in;
  struct names now;          /* what the store has; edited in memory before it is judged and written */
  struct snapshot *snapshot; /* what is declared, and which models are known */
  const struct names *declared;
  const struct catalog *catalog;
  union names_any row; /* that is added or changed */
};

/* Each does its work and writes it to the store; a new entity's name goes to c->name. */
#define X(name, entity, fields, allowed, required, status, prepare) \
  enum err names_edit_##name(struct names_edit *edit, struct err_info *info) MUST_CHECK;
#include "admin/names/names.def"
#undef X

enum err names_edit_not_found(const char *what, struct str name, struct err_info *info);
/* ERR_CONFLICT: what is declared can be changed in its file alone. */
enum err names_edit_declared(const struct names_row *row, struct err_info *info);
/* Whether an alias or a group may have that name: no name of this program's, nor of what is declared or a group. */
enum err names_edit_check_free(const struct names_edit *edit, struct str name, const char *param,
                               struct err_info *info);
/* Judges an alias or a member in `now` (route_names_check). */
enum err names_edit_check(struct names_edit *edit, enum names_kind kind, const void *row, struct err_info *info);
const struct names_alias *names_edit_first_alias(const struct names *names, struct str name);

#endif
