/* Which way a call takes through the dialects: the endpoint of the provider, and whether the bytes are relayed or
 * translated. Pure; chosen once for each attempt. */
#ifndef MAESTRO_CALL_CODEC_H
#define MAESTRO_CALL_CODEC_H

#include "dialect/dialect.h"
#include "provider/provider.h"
#include "text/text_filter.h"

enum codec_send {
  CODEC_RELAY, /* the caller's bytes with span edits, the upstream's frames */
  CODEC_ENCODE /* decoded, and encoded in the other's dialect (or in the same, where no relay can say it) */
};

struct codec {
  unsigned endpoint; /* of the provider's type */
  const struct dialect *target;
  enum codec_send request, answer;   /* an answer may have to be encoded though the request is relayed */
  struct text_filter_options filter; /* what the answer's text is looked through for: see filters.h */
};

/* endpoints: the type's; dialects: theirs, NULL where one is not in this build. An endpoint in the caller's own dialect
 * wins, then the first for the operation. False: the provider does not serve that operation. */
bool codec_choose(const struct provider_endpoint *endpoints, const struct dialect *const *dialects,
                  const struct dialect *caller, const struct dialect_request *request, struct codec *out) MUST_CHECK;

#endif
