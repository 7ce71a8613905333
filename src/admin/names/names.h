/* The admin API of names: aliases ("model mappings"), groups and their members, tool sets, settings of models, system
 * prompts. Reads show the snapshot; changes are rows of names.def. */
#ifndef MAESTRO_ADMIN_NAMES_H
#define MAESTRO_ADMIN_NAMES_H

#include "base/schema.h"
#include "gateway/request_context.h"

void names_aliases(struct request_context *rc);
void names_alias(struct request_context *rc);
void names_refresh(struct request_context *rc); /* the snapshot anew */
void names_groups(struct request_context *rc);
void names_group_show(struct request_context *rc);
void names_members(struct request_context *rc);
void names_tool_sets(struct request_context *rc);
void names_tool_set_show(struct request_context *rc);
void names_models(struct request_context *rc);
void names_model_show(struct request_context *rc);
void names_prompts(struct request_context *rc);
void names_prompt_show(struct request_context *rc);

#define X(name, entity, fields, allowed, required, status, prepare) void names_##name(struct request_context *rc);
#include "admin/names/names.def"
#undef X

extern const struct schema names_refresh_schema;

#endif
