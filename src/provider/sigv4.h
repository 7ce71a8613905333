/* AWS Signature Version 4: the headers that sign one request with an access key. Pure: the time is the caller's, so a
 * signature can be made again. For Bedrock's runtime, whose paths are signed with their percent escapes escaped once
 * more; S3, which alone does otherwise, is not meant. Called by provider_sign for each attempt, since signatures hold
 * for five minutes.
 *
 * Source: AWS General Reference, "Create a signed AWS API request" (read 2026-11); what is signed is what the vendor's
 * own JavaScript signer signs. Invariant: the secret key reaches no output and is in no message. */
#ifndef MAESTRO_PROVIDER_SIGV4_H
#define MAESTRO_PROVIDER_SIGV4_H

#include "base/arena.h"
#include "base/err.h"
#include "io/http_msg.h"

struct sigv4_credential {
  struct str access_key_id, secret_access_key;
  struct str session_token; /* of temporary credentials; or empty */
};

/* What is signed, as it goes out. */
struct sigv4_request {
  struct str method, path; /* path: percent-encoded, without a query: Bedrock's runtime has none */
  struct str host;         /* the Host header: with its port unless that is the scheme's own */
  struct str region, service;
  const struct str *body; /* slices */
  size_t body_slices;
  int64_t time_s; /* Unix seconds, years 1970 to 9999 */
};

enum { SIGV4_HEADERS_MAX = 4 };

/* X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token where there is one, and Authorization: *n of them, values in
 * `a`. ERR_BAD_VALUE for what sigv4_check refuses, or a time out of range. */
enum err sigv4_sign(struct arena *a, const struct sigv4_credential *credential, const struct sigv4_request *request,
                    struct http_header out[SIGV4_HEADERS_MAX], size_t *n, struct err_info *info) MUST_CHECK;
/* ERR_BAD_VALUE: a credential or region with bytes that no header may hold, or without what must be there. */
enum err sigv4_check(const struct sigv4_credential *credential, struct str region, struct err_info *info) MUST_CHECK;
/* The region in a host of AWS's: "us-east-1" of "bedrock-runtime.us-east-1.amazonaws.com"; empty: it names none. */
struct str sigv4_region_of(struct str host);

#endif
