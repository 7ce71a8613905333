/* One request of Ollama's management of models to one node: pull, push, create, copy, delete, show. It takes no tokens
 * and costs nothing, so it is no model call (call.h): no plan, no other candidate, no money. Used by the caller's
 * endpoints (api/ollama_manage.c) and the administration's (admin/nodes/nodes_manage.c); the struct lives on the
 * caller's stack or arena, on one fiber.
 *
 * Progress is asked for as a stream, whatever the caller wants, since only a stream shows that a pull of hours is
 * alive: there is no limit on its duration, but one on its silence (the provider's silence_ms), on a line and on all of
 * them. Wire format: Ollama's API document and the handlers of its server (read 2026-11). */
#ifndef MAESTRO_CALL_MANAGE_H
#define MAESTRO_CALL_MANAGE_H

#include "base/buf.h"
#include "io/fiber.h"
#include "route/catalog.h"

enum manage_operation {
  MANAGE_PULL,
  MANAGE_PUSH,
  MANAGE_CREATE,
  MANAGE_COPY,
  MANAGE_DELETE,
  MANAGE_SHOW,
  MANAGE_OPERATIONS
};

struct manage {
  struct http_client *client;
  const struct catalog_provider *at; /* manage_is_possible */
  struct arena *arena;
  enum manage_operation operation;
  const struct str *body; /* slices; where there is progress it must not say "stream": false */
  size_t body_slices;
  /* What one read brought of progress: lines, each a JSON object with its line end, without the last, which says
   * success or what went wrong. A failure ends the request. NULL: nobody wants to know. */
  WAIT enum err (*on_lines)(void *arg, struct str lines);
  void *arg;
  /* results */
  int upstream_status; /* 0: no reply */
  struct buf answer;   /* the last line, which says success, or the whole answer; cleared by manage_clear */
  struct buf lines;    /* private */
};

/* Whether the provider speaks it: only the type "ollama" does. */
bool manage_is_possible(const struct catalog_provider *at);
/* Whether the operation tells its progress; else its answer comes at once. */
bool manage_has_progress(enum manage_operation operation);

/* OK: it is done, and `answer` says so. ERR_UPSTREAM_STATUS with the node's own status and words, cleaned; what the
 * HTTP client says; ERR_SILENCE_TIMEOUT; ERR_UPSTREAM_CUT where the lines end before success; ERR_UPSTREAM_PROTOCOL;
 * ERR_UPSTREAM_TOO_LARGE; ERR_CANCELLED, with the node's connection closed; what on_lines returned. */
WAIT enum err manage_run(struct manage *m, struct err_info *info);
void manage_clear(struct manage *m);

#endif
