/* GET /: a page for people, a line for Ollama's clients, JSON for everybody else. */
#ifndef MAESTRO_ADMIN_HOME_H
#define MAESTRO_ADMIN_HOME_H

#include "gateway/request_context.h"

void home_page(struct request_context *rc);

#endif
