/* What the operations of the Bedrock dialect share. */
#ifndef MAESTRO_MOCK_BEDROCK_H
#define MAESTRO_MOCK_BEDROCK_H

#include "mock/mock_dialect.h"

/* q->own. */
struct mock_bedrock {
  bool wants_sequence; /* additionalModelResponseFieldPaths asks for /stop_sequence */
};

bool mock_bedrock_scan_whole(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_bedrock_scan_stream(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_bedrock_scan_count(struct mock_request *q, struct arena *a, struct mock_error *fault);

/* Purposes of mock_sign.h. */
#define MOCK_BEDROCK_REASONING STR("bedrock-reasoning")
#define MOCK_BEDROCK_REDACTED STR("bedrock-redacted")
#define MOCK_BEDROCK_REDACTED_TEXT STR("redacted")

#endif
