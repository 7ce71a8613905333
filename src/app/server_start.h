/* Listeners and workers of the serving process: what server.c starts, tells and drains. */
#ifndef MAESTRO_APP_SERVER_START_H
#define MAESTRO_APP_SERVER_START_H

#include "base/err.h"
#include "state/config/config.h"

struct server_start;

/* Binds; tells rules and catalog the ports. with_demo: a second listener on loopback for the demo provider. */
enum err server_start_listen(struct server_start **out, const struct config *config, bool with_demo,
                             struct err_info *info) MUST_CHECK;
uint16_t server_start_port(const struct server_start *s);
/* After the first snapshot was published. */
enum err server_start_workers(struct server_start *s, const struct config *config, struct err_info *info) MUST_CHECK;
/* Tells the workers to adopt the newest snapshot, its limits included. */
void server_start_adopt(struct server_start *s);
/* Asks providers for their models, in the background, and rebuilds the catalog when that changes it. */
void server_start_discover(struct server_start *s);
/* Graceful end: returns when all workers have ended. */
void server_start_drain(struct server_start *s, uint32_t drain_ms);
void server_start_free(struct server_start *s); /* NULL is fine */

#endif
