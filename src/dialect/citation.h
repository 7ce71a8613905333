/* Where an answer has something from: what the vendors' citations have in common, read from any of them for the callers
 * of another. Each dialect keeps its own whole (ATTACH_CITATION's raw); what only its maker can read back (Anthropic's
 * encrypted index) is not here. Pure; the texts borrow the tree.
 *
 * Sources, read 2026-11: the types of the vendors' SDKs. OpenAI chat nests url_citation, Responses does not; Gemini has
 * citationSources {startIndex, endIndex, uri, title} and groundingChunks {web {uri, title}}; Anthropic's
 * web_search_result_location has url and title; Bedrock has {title, location {web {url}}}. */
#ifndef MAESTRO_DIALECT_CITATION_H
#define MAESTRO_DIALECT_CITATION_H

#include <stdbool.h>

#include "base/str.h"

struct yyjson_val;

struct citation {
  struct str url, title;          /* title may be empty */
  struct yyjson_val *start, *end; /* of the text that it is about; NULL: not said */
};

/* False where it names no address: a place in a document of the request. */
bool citation_read(struct yyjson_val *native, struct citation *out);

#endif
