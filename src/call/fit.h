/* Whether a request fits a model's context: refused before it is sent, in the words by which the caller's clients know
 * to shorten their history, so that another candidate with a larger context is asked at once, and a hopeless megabyte
 * costs nobody a minute. Used by call/call.c, before each attempt.
 *
 * Only what is certain is refused: the limit is known, and the text of the prompt, as counted here, exceeds it by more
 * than the count's error. What the answer may take is left out (newer models end there, they do not refuse), and so are
 * media. Where provider or request shorten a prompt by themselves, nothing is refused. What an administrator has set as
 * the most (max_context_length of a model's settings) holds whoever would shorten it, and whatever the option says. */
#ifndef MAESTRO_CALL_FIT_H
#define MAESTRO_CALL_FIT_H

#include "call/call_internal.h"

/* ERR_CONTEXT_EXCEEDED: it surely does not fit. A body of two bytes for each token of the limit, or less, is not looked
 * at. Waits for the pool where it has to be counted. */
WAIT enum err fit_check(struct call *c, const struct deployment *d, struct err_info *info);

#endif
