/* Signatures that the mock can tell from those it did not make, as vendors put on thoughts and calls: a gateway that
 * loses or changes one is found out. Deterministic and no secret: anybody with this file can make them. Pure. */
#ifndef MAESTRO_MOCK_SIGN_H
#define MAESTRO_MOCK_SIGN_H

#include "base/buf.h"

enum { MOCK_SIGN_BYTES = 64 };

/* Appends 64 characters of base64 that stand for `text`; purpose keeps kinds apart. */
void mock_sign_put(struct buf *out, struct str purpose, struct str text);
bool mock_sign_is_good(struct str signature, struct str purpose, struct str text);

#endif
