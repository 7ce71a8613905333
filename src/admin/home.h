/* GET /: a page for people, a line for Ollama's clients, JSON for everybody else. */
#ifndef MAESTRO_ADMIN_HOME_H
#define MAESTRO_ADMIN_HOME_H

#include "base/schema.h"
#include "gateway/request_context.h"

void home_page(struct request_context *rc);

extern const struct schema home_schema;

#endif
