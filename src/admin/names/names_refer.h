/* Who refers to whom among names: what is asked before one goes, and follows when one is renamed. */
#ifndef MAESTRO_ADMIN_NAMES_REFER_H
#define MAESTRO_ADMIN_NAMES_REFER_H

#include "route/route_names.h"

struct names_refer {
  struct db *db;
  const struct names *stored, *declared;
  const struct catalog *catalog;
};

/* A stored row by its id, or by the name of a tool set or the prefix of a model's settings; NULL: none. */
const void *names_refer_row(const struct names *stored, enum names_kind kind, struct str id);
/* ERR_CONFLICT that says by what a group or alias is used: an alias, a member, a system prompt, somebody's list of
 * models. */
enum err names_refer_check(struct db *db, const struct names *stored, const struct names *declared,
                           enum names_scope what, struct str name, struct err_info *info) MUST_CHECK;
/* All of those, and users' lists of models, get the new name; in the store and in *stored. */
enum err names_refer_rename(struct db *db, struct names *stored, enum names_scope what, struct str old, struct str name,
                            struct err_info *info) MUST_CHECK;
/* Whether what a system prompt is for is there; a pattern always is. */
enum err names_refer_is_known(const struct names_refer *r, enum names_scope scope, struct str value, bool *is_known,
                              struct err_info *info) MUST_CHECK;

#endif
