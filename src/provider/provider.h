/* Providers: an address, credentials and quirks that speak a dialect. Pure functions over memory; the call room does
 * the sending. A provider is built once per snapshot (route/catalog) and immutable; what a request needs from it is
 * prebuilt so that a call adds nothing. Types are rows of types.def, well-known providers rows of
 * presets.def. */
#ifndef MAESTRO_PROVIDER_PROVIDER_H
#define MAESTRO_PROVIDER_PROVIDER_H

#include "base/arena.h"
#include "base/err.h"
#include "io/http_client.h"
#include "llm/request.h"
#include "provider/sigv4.h"

/* How the credential is sent: as its type does, as Azure's `api-key`, or as its type does and where there is none
 * signed with AWS's access keys. */
enum provider_auth { PROVIDER_AUTH_OWN, PROVIDER_AUTH_API_KEY, PROVIDER_AUTH_AWS };
/* How token usage arrives in streams: on asking (stream_options.include_usage), always, or never. */
enum provider_usage { PROVIDER_USAGE_OPTION, PROVIDER_USAGE_ALWAYS, PROVIDER_USAGE_NONE };

struct provider_type;

struct provider_preset {
  struct str name;
  const struct provider_type *type;
  struct str base_url, key_env, base_url_env;
  enum provider_auth auth;
  enum provider_usage usage;
  bool needs_key;
  bool is_vendor;             /* of its type's dialect, though the type is that of imitators */
  bool bills_reasoning_apart; /* as in struct provider */
  struct str title_header;    /* a header for our name; empty: none */
};
extern const struct provider_preset provider_presets[];
extern const size_t provider_preset_count;

enum { PROVIDER_ENDPOINTS_MAX = 8 };

/* One thing that a provider serves: an operation, in a dialect, at a path. Of several for one operation the first is
 * preferred, unless another speaks the caller's own dialect. */
struct provider_endpoint {
  enum llm_operation operation;
  struct str dialect;     /* its name */
  struct str path;        /* behind the base path; one "{model}" stands for the model's id, percent-encoded */
  struct str path_stream; /* of a stream; empty: the same */
};

struct provider_timeouts { /* ms; 0: none */
  uint32_t connect_ms, headers_ms, first_token_ms, silence_ms, total_ms;
};

struct provider;

/* What a provider is made from; everything borrowed for the call only. */
struct provider_spec {
  struct str id, type, base_url, api_key; /* api_key empty: anonymous, or `aws` */
  struct sigv4_credential aws;            /* in place of a key, for Bedrock; access_key_id empty: none */
  struct str region;                      /* AWS's, where the address does not name it */
  struct http_headers headers;            /* extra headers of the configuration */
  struct provider_timeouts timeouts;
  enum provider_usage usage;
  bool has_usage;                              /* usage was configured; else the type's or preset's */
  bool starts_in_think, bills_reasoning_apart; /* as in struct provider */
  bool allow_private;                          /* egress policy for its origin */
};

/* A model as a provider lists it; what it does not say is 0 or empty. */
struct provider_listed {
  struct str id;
  int64_t context_tokens, size_bytes;
  struct str family, digest;
};

struct provider_type {
  const struct provider_endpoint *endpoints; /* ends with a row without a dialect */
  struct str version;                        /* "/v1": added to a base path that does not end in a version; or empty */
  struct str catalog_path;                   /* of the list of models */
  struct str key_header, key_prefix;         /* "Authorization", "Bearer " */
  struct http_header header;                 /* one that the vendor asks for; name empty: none */
  bool is_vendor;                            /* the maker of API and models, not a server that imitates or hosts them */
  enum provider_usage usage;                 /* where neither preset nor configuration says otherwise */
  /* Reads a failed reply (status >= 400, or 0 for a failure that came with a good status: then the body may name one,
   * else it is 502) into a code and *info: status, message (sanitised), code, type, Retry-After. */
  enum err (*classify_failure)(const struct provider *p, int status, struct http_headers headers, struct str body,
                               struct err_info *info);
  /* The models of a catalog reply, in memory from a. */
  enum err (*parse_catalog)(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                            struct err_info *info);
};

struct provider {
  struct str id;
  const struct provider_type *type;
  struct http_origin origin;
  struct provider_timeouts timeouts;
  enum provider_usage usage;
  bool is_vendor;             /* by its type or its preset */
  bool is_vendor_address;     /* and at the vendor's own address: its own models, which write calls as calls */
  bool has_no_list;           /* its address has no list of models to ask for */
  bool starts_in_think;       /* its models' templates write the opening tag of thinking: answers begin inside of it */
  bool bills_reasoning_apart; /* by its preset or configuration: reasoning beyond the limit of output that it is told */
  struct str base_path;       /* with its version */
  struct str catalog_target;
  struct str target[PROVIDER_ENDPOINTS_MAX]; /* of the endpoints whose path names no model; else empty */
  struct http_headers headers;               /* complete, credential included: never logged */
  struct str secret;                         /* the credential, for removal from messages */
  struct sigv4_credential aws;               /* requests are signed with it; access_key_id empty: they are not */
  struct str region;                         /* of what is signed */
};

#define X(symbol, name) extern const struct provider_type provider_##symbol;
#include "provider/types.def"
#undef X
const struct provider_type *provider_type_by_name(struct str name); /* NULL: unknown */
/* `type` names a provider type or a preset. ERR_BAD_VALUE with a reason that a person can act on. */
enum err provider_init(struct arena *a, const struct provider_spec *spec, struct provider *out,
                       struct err_info *info) MUST_CHECK;
const struct provider_preset *provider_preset_by_name(struct str name); /* NULL: unknown */

/* The target of one of the type's endpoints for that model: prebuilt where it can be, else made in a; {NULL, 0} when
 * memory is short. */
struct str provider_target(struct arena *a, const struct provider *p, unsigned endpoint, struct str model,
                           bool is_stream);

/* prefix + secret in the arena, wiped when it is cleared; {NULL, 0} when memory is short. For types' init. */
struct str provider_keep_secret(struct arena *a, struct str prefix, struct str secret);

/* Everything a request to p carries: the vendor's own, the credential, then `headers` of the configuration, which
 * overrule both. */
enum err provider_build_headers(struct arena *a, const struct provider_spec *spec, const struct provider_preset *preset,
                                struct provider *p, struct err_info *info) MUST_CHECK;
/* Where p's requests are signed: replaces request->headers by them and what signs the request as it stands now (method,
 * target, body), for the five minutes from wall_us (Unix microseconds) that a signature holds. Memory from a. */
enum err provider_sign(struct arena *a, const struct provider *p, int64_t wall_us, struct http_client_request *request,
                       struct err_info *info) MUST_CHECK;
/* classify_failure for the error bodies of all vendors known: OpenAI, Anthropic, Gemini, Ollama, Bedrock, FastAPI. */
enum err provider_classify_failure(const struct provider *p, int status, struct http_headers headers, struct str body,
                                   struct err_info *info);
/* parse_catalog over {list: [{member: id}]} (or a bare array); `prefix` is taken off each id. */
enum err provider_parse_list(struct arena *a, struct str body, struct str list, struct str member, struct str prefix,
                             struct provider_listed **models, size_t *count, struct err_info *info);

/* Copies an upstream's message for a caller's eyes into out (NUL-terminated, at most max - 1 bytes, cut at a character
 * border): the provider's secret, anything that looks like a key or bearer token, URLs, IP addresses with ports and the
 * provider's host name are replaced by a bracketed word; control characters become spaces. */
void provider_sanitise(const struct provider *p, struct str message, char *out, size_t max);
/* Retry-After (seconds or HTTP date) or retry-after-ms as ms from now; 0 when absent or unusable; capped at one day. */
int64_t provider_retry_after_ms(struct http_headers headers, int64_t wall_us);

#endif
