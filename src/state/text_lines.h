/* The text forms of what the store holds: one JSON object a line, of which the first says what follows and how much, so
 * that a text that was cut is noticed. Read as strictly as anything from outside: an operator may have edited it. Used
 * by people_text.c, names_text.c and node_text.c. */
#ifndef MAESTRO_STATE_TEXT_LINES_H
#define MAESTRO_STATE_TEXT_LINES_H

#include "base/buf.h"
#include "base/json.h"

/* Adds the line and empties it. Each is a JSON text of its own, so json_out's commas must not see the one before. */
void text_lines_put(struct buf *out, struct buf *line);

/* Of the first line: "kind" (kind: "maestro-people") and "version". ERR_BAD_VALUE for another kind, ERR_STORE_NEWER for
 * another version. */
enum err text_lines_head(const struct json_node *first, const char *kind, int oldest, int newest,
                         struct err_info *info) MUST_CHECK;

/* Calls take with each line that is not empty, the first being number 1, then end (complete: 0 lines too), which says
 * whether all that was announced has come. Any failure but those of memory and version is ERR_BAD_VALUE with the line.
 */
struct text_lines_reader {
  enum err (*take)(void *arg, unsigned number, const struct json_node *line, struct err_info *info);
  enum err (*end)(void *arg, unsigned lines, struct err_info *info);
  void *arg;
};
enum err text_lines_read(struct str text, const struct text_lines_reader *reader, struct err_info *info) MUST_CHECK;

#endif
