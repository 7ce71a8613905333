/* What an answer's text is looked through for (text/text_filter.h), by the options, the provider and the way the call
 * takes. Used by call/attempt.c. */
#ifndef MAESTRO_CALL_FILTERS_H
#define MAESTRO_CALL_FILTERS_H

#include "call/call.h"
#include "call/codec.h"

/* Fills codec->filter. "auto": tool text is on for providers that are not the vendor's own address, think tags there
 * where the answer is translated anyway; both concern chats only. The guards watch streams. The tools are the call's,
 * decoded when asked for. A stream that could not be taken over in its middle is encoded from the start. */
void filters_choose(struct call *c, const struct deployment *d, struct codec *codec);
/* Whether a whole reply's bytes could hold anything that the filter changes: at the cost of a search. */
bool filters_may_change(const struct text_filter_options *options, struct str body);

#endif
