/* The nodes of a snapshot, found as paths name them: by code, or by number. Those of the store come first, then
 * declared providers. */
#ifndef MAESTRO_ADMIN_NODES_FIND_H
#define MAESTRO_ADMIN_NODES_FIND_H

#include "admin/entity.h"
#include "admin/fields.h"
#include "admin/nodes/nodes_json.h"
#include "gateway/request_context.h"

struct nodes_found {
  struct node node; /* borrows from the snapshot */
  struct nodes_json_state state;
};

/* ERR_NOT_FOUND when there is none. */
enum err nodes_find_any(const struct request_context *rc, struct str code_or_id, struct nodes_found *out,
                        struct err_info *info) MUST_CHECK;
/* The same, and ERR_CONFLICT where it is declared: what is said in a file is changed there. */
enum err nodes_find_stored(const struct request_context *rc, struct str code_or_id, struct nodes_found *out,
                           struct err_info *info) MUST_CHECK;
/* ERR_CONFLICT for a node that nothing can be sent to: it says why. */
enum err nodes_check_use(const struct nodes_found *found, struct err_info *info) MUST_CHECK;

/* Puts the code, which lists have, in the place of a number or a name in another case; it is in `a` then. Patterns and
 * nothing stay. One that does not exist is a slip of the pen: ERR_BAD_VALUE with that status and parameter. */
enum err nodes_find_name(const struct request_context *rc, struct arena *a, struct str *node, const char *param,
                         int status, struct err_info *info) MUST_CHECK;
/* The same for all of a list, with 422 and the element's path. */
enum err nodes_find_names(const struct request_context *rc, struct arena *a, struct field_strings *list,
                          const char *param, struct err_info *info) MUST_CHECK;

/* Every one: stored, then declared. False behind the last. i begins at 0. */
bool nodes_each(const struct request_context *rc, size_t *i, struct nodes_found *out);

#endif
