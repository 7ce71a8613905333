/* Amazon Bedrock Converse (POST /model/{id}/converse and /converse-stream), as a target only: requests, replies and AWS
 * event streams. Nobody calls us in it, but its requests are decoded too, so that what we write can be checked against
 * what real clients send. Sources: the Converse API reference and the types of the vendor's JavaScript SDK 3.1162 (read
 * 2026-11).
 *
 * Model and streaming are said by the path, so bodies have neither. Thinking is signed under this dialect's own name:
 * signatures of Anthropic's API are not replayed here nor the reverse. */
#ifndef MAESTRO_DIALECT_BEDROCK_BEDROCK_CONVERSE_H
#define MAESTRO_DIALECT_BEDROCK_BEDROCK_CONVERSE_H

#include "dialect/dialect.h"

extern const struct dialect dialect_bedrock_converse;

#endif
