/* server.json of the data directory, by which commands find the running server. Written by `serve`, read by `server
 * stop`, `info` and `status`; blocking, never on a loop. 0600, replaced atomically. It may outlive a killed server:
 * whoever reads it checks that the pid still lives. */
#ifndef MAESTRO_STATE_SERVER_INFO_H
#define MAESTRO_STATE_SERVER_INFO_H

#include "base/err.h"

struct server_info {
  int64_t pid;
  char host[256];
  uint16_t port;
  int64_t started_wall_us;
  char version[64];
};
enum err server_info_write(const char *path, const struct server_info *s, struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND when there is no file. Whether the pid still lives is the caller's to find out. */
enum err server_info_read(const char *path, struct server_info *out, struct err_info *info) MUST_CHECK;
/* Removes the file if it still names this pid. */
void server_info_remove(const char *path, int64_t pid);

#endif
