/* The command line: the table commands.def and what all commands share. Exit codes are documented in docs/cli.md. */
#ifndef MAESTRO_APP_CLI_H
#define MAESTRO_APP_CLI_H

#include "base/arena.h"
#include "state/config/config.h"
#include "state/contexts.h"
#include "state/server_info.h"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_CONFIG = 3, CLI_NOT_RUNNING = 4 };

/* argv[0] is the command's own name. */
#define X(name, arguments, help, details, function) int function(int argc, char **argv);
#include "app/commands.def"
#undef X

int cli_main(int argc, char **argv);

/* "maestro: " + text + newline on standard error; returns the code. */
int cli_fail(enum cli_exit code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Finds and removes a flag without a value ("--json"). */
bool cli_take_flag(int *argc, char **argv, const char *flag);
/* Finds and removes a flag with its value ("--port 80", "--port=80", "-p 80"); NULL when absent. *is_bad: no value. */
const char *cli_take_option(int *argc, char **argv, const char *flag, const char *short_flag, bool *is_bad);

/* Of a command with actions. Too many arguments behind the action argv[0], of which it takes `most`: told, CLI_USAGE.
 */
int cli_check_arguments(const char *command, int argc, char **argv, int most);
/* No action was said (NULL), or none of the `n` that there are: told with the one that was meant, else how the command
 * is used. CLI_USAGE. */
int cli_no_action(const char *command, const char *action, const char *const *names, size_t n);

/* Where this user's files are; strings live as long as `a`. ERR_BAD_CONFIG when there is no home. */
struct cli_paths {
  const char *config_dir, *data_dir, *contexts, *server_info;
};
enum err cli_paths(struct arena *a, struct cli_paths *out, struct err_info *info) MUST_CHECK;

/* The paths, and the contexts of that user: of commands that speak to a server. What is wrong is told on standard
 * error; returns the exit code. After CLI_OK contexts_clear. */
int cli_find_contexts(struct arena *a, struct cli_paths *paths, struct contexts *contexts);

/* True and *out when a server of this machine runs. */
bool cli_find_server(const struct cli_paths *paths, struct server_info *out);
enum { CLI_ENDPOINT_BYTES = 320 };
/* Where a context's server is. The local one follows the address that the server of this machine really has. */
const char *cli_endpoint(const struct cli_paths *paths, const struct context *c, char *room, size_t max);

/* A small blocking request to a context's server, for commands. *status 0 when it cannot be reached. */
struct cli_reply {
  int status;
  struct buf body;
};
enum err cli_request(const struct context *context, const char *method, const char *path, struct cli_reply *out,
                     struct err_info *info) MUST_CHECK;
/* The same with a body of JSON. */
enum err cli_request_body(const struct context *context, const char *method, const char *path, struct str body,
                          struct cli_reply *out, struct err_info *info) MUST_CHECK;
/* Whether the store is a server's to change: where one runs here, or the context is another machine's. */
bool cli_is_served(const struct cli_paths *paths, const struct context *context);
/* Asks the admin API of a context: its answer is added to *answer (wiped in between, it may hold a token), or what it
 * says against it is told. Memory from `a`. */
int cli_ask(const struct cli_paths *paths, struct arena *a, const struct context *context, const char *method,
            const char *path, struct str body, struct buf *answer);
/* Texts in a path or query. NULL: no memory. */
const char *cli_percent_encode(struct arena *a, struct str text);

#endif
