/* What a person sees in the terminal when the server has come up: where it listens, what it lacks, and the first
 * command to try. The log is for machines. Called once by server.c, with the first snapshot in force. */
#ifndef MAESTRO_APP_SERVER_GREET_H
#define MAESTRO_APP_SERVER_GREET_H

#include "state/config/config.h"

/* To standard error. created_key: a server key was made at this start. */
void server_greet(const struct config *config, uint16_t port, const char *data_dir, bool created_key);

#endif
