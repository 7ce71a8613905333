/* The admin API of settings ("config"): options that are kept in the store and take effect while serving
 * (state/config/config_settings.h), as the sections of the configuration or one by one. */
#ifndef MAESTRO_ADMIN_SETTINGS_H
#define MAESTRO_ADMIN_SETTINGS_H

#include "base/schema.h"
#include "gateway/request_context.h"

void settings_show(struct request_context *rc);   /* GET /config: what is in force, by section */
void settings_raw(struct request_context *rc);    /* GET /config/raw: what is kept */
void settings_get(struct request_context *rc);    /* GET /config/{key} */
void settings_put(struct request_context *rc);    /* PUT /config, in sections; null forgets */
void settings_set(struct request_context *rc);    /* POST /config {key, value, description} */
void settings_delete(struct request_context *rc); /* DELETE /config/{key} */

extern const struct schema settings_schema, settings_kept_schema;

#endif
