/* The shape of everything that is no model dialect (admin, operations, unknown paths): JSON with the error both as
 * `error` and as `detail`, which clients of either habit read. Only its errors are used. */
#ifndef MAESTRO_DIALECT_PLAIN_H
#define MAESTRO_DIALECT_PLAIN_H

#include "dialect/dialect.h"

extern const struct dialect dialect_plain;

#endif
