/* Options that an administrator keeps in the store ("settings"), the weakest source but defaults and priorities.json:
 * which may be kept so, whether a value is one, and how what is in force is shown. */
#ifndef MAESTRO_STATE_CONFIG_SETTINGS_H
#define MAESTRO_STATE_CONFIG_SETTINGS_H

#include "state/config/config.h"

/* The option of that path, if it takes effect while serving and is no secret; else NULL. */
const struct config_option *config_setting_find(struct str path);
/* ERR_BAD_VALUE with what is wrong. `value` as in the environment. */
enum err config_setting_check(const struct config_option *option, struct str value, struct err_info *info) MUST_CHECK;
/* Whether two have the same settings, in whatever order of time. */
bool config_settings_equal(const struct names *a, const struct names *b);
/* All that may be kept so, as an object of objects: {"log":{"level":"info"}}. */
void config_settings_put(const struct config *c, struct buf *out);
/* The JSON Schema of that. */
void config_settings_put_schema(struct buf *out);

#endif
