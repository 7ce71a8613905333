/* A dialect is a wire format, both directions, no network: a table of pure functions over bytes. Dialects are rows of
 * dialects.def; adding one is a file and a row. What a dialect does while relaying: read a request's envelope, turn
 * wanted changes into span edits, pass frames on while telling what they mean (events), shape errors.
 *
 * Requests are never decoded for a relay: unknown members, their order and their spelling survive byte for byte. */
#ifndef MAESTRO_DIALECT_DIALECT_H
#define MAESTRO_DIALECT_DIALECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/envelope_edit.h"
#include "base/envelope_scan.h"
#include "io/frame_sse.h"
#include "llm/event.h"

/* What the gateway needs to know of a request before it is routed; slices and offsets into the body. */
struct dialect_request {
  struct str model; /* unescaped */
  bool is_stream;
  bool wants_usage;   /* the caller asked for usage in the stream */
  bool wants_receipt; /* a gateway-only `maestro` member was sent */
  struct str options; /* the raw `maestro` member, or empty */
  int64_t max_tokens; /* the caller's output limit; -1: none */
};

/* The changes a relayed request needs. */
struct dialect_request_edits {
  struct str model; /* the name the upstream knows; empty: leave as it is */
  bool ask_usage;   /* ask the upstream for usage in the stream */
};

/* The changes a relayed reply needs, fixed for the whole reply. */
struct dialect_reply_edits {
  struct str model; /* splice this in place of the upstream's name; empty: leave */
  bool hide_usage;  /* the caller did not ask for usage in the stream: withhold what we asked for */
};

/* What relaying one frame needs to remember of the ones before it. Zero-initialise. */
struct dialect_stream {
  bool saw_content, saw_stop, saw_end;
  bool dropped_cr; /* a CR that ended the frame before was not sent on; its LF may come as a frame of its own */
};

struct dialect_model {
  struct str id; /* as a caller may write it */
  struct str owned_by;
  int64_t context_tokens, prompt_tokens, output_tokens; /* -1: unknown */
  struct str extra;                                     /* further raw JSON members without braces, or empty */
};

struct dialect {
  struct str name;
  const struct envelope_table *(*request_table)(void); /* made on first use; thread-safe */
  struct str content_type_stream;                      /* "text/event-stream" */
  struct str keep_alive;                               /* what may be sent into silence; empty: nothing may */

  /* After the scan has ended. Outputs borrow the body or `a`. */
  enum err (*read_request)(struct arena *a, struct str body, const struct envelope_scan *scan,
                           struct dialect_request *out, struct err_info *info);
  /* Adds the wanted changes to *edit (whose scan is the request's). Texts come from `a`. */
  enum err (*edit_request)(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                           struct err_info *info);
  /* A whole reply: events tell what it says; the edited bytes go to out. ERR_UPSTREAM_PROTOCOL when it is not a reply.
   */
  enum err (*relay_reply)(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                          struct buf *out, struct err_info *info);
  /* One stream frame likewise; a withheld frame adds nothing to out. */
  enum err (*relay_frame)(struct dialect_stream *state, const struct frame_sse_event *frame,
                          const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                          struct err_info *info);
  /* Inserts the receipt (a JSON object) into the reply or frame that begins at out->p + from. */
  void (*put_receipt)(struct buf *out, size_t from, struct str receipt);
  void (*put_error)(struct buf *out, enum err e, const struct err_info *info);
  /* The event that ends a stream which cannot be completed. */
  void (*put_stream_error)(struct buf *out, enum err e, const struct err_info *info);
  void (*put_model)(struct buf *out, const struct dialect_model *model);
  void (*put_model_list)(struct buf *out, const struct dialect_model *models, size_t count);
};

#define X(symbol) extern const struct dialect symbol;
#include "dialect/dialects.def"
#undef X
const struct dialect *dialect_by_name(struct str name); /* NULL: unknown */

#endif
