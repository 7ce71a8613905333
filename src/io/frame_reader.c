/* A reader of any framing: see frame_reader.h. */
#include "io/frame_reader.h"

static const struct str content_types[FRAMINGS] = {
    [FRAMING_SSE] = STR("text/event-stream"),
    [FRAMING_NDJSON] = STR("application/x-ndjson"),
    [FRAMING_AWS] = STR("application/vnd.amazon.eventstream"),
};

struct str framing_content_type(enum framing framing) {
  return content_types[framing];
}

void frame_reader_init(struct frame_reader *r, enum framing framing, size_t limit_bytes) {
  r->framing = framing;
  switch (framing) {
    case FRAMING_NDJSON: frame_ndjson_init(&r->ndjson, limit_bytes); break;
    case FRAMING_AWS: frame_aws_init(&r->aws, limit_bytes); break;
    default: frame_sse_init(&r->sse, limit_bytes); break;
  }
}

void frame_reader_clear(struct frame_reader *r) {
  switch (r->framing) {
    case FRAMING_NDJSON: frame_ndjson_clear(&r->ndjson); break;
    case FRAMING_AWS: frame_aws_clear(&r->aws); break;
    default: frame_sse_clear(&r->sse); break;
  }
}

void frame_reader_feed(struct frame_reader *r, struct str piece) {
  switch (r->framing) {
    case FRAMING_NDJSON: frame_ndjson_feed(&r->ndjson, piece); break;
    case FRAMING_AWS: frame_aws_feed(&r->aws, piece); break;
    default: frame_sse_feed(&r->sse, piece); break;
  }
}

bool frame_reader_next(struct frame_reader *r, struct frame *out, enum err *e) {
  switch (r->framing) {
    case FRAMING_NDJSON: return frame_ndjson_next(&r->ndjson, out, e);
    case FRAMING_AWS: return frame_aws_next(&r->aws, out, e);
    default: return frame_sse_next(&r->sse, out, e);
  }
}

size_t frame_reader_held_bytes(const struct frame_reader *r) {
  switch (r->framing) {
    case FRAMING_NDJSON: return r->ndjson.held.cap;
    case FRAMING_AWS: return r->aws.held.cap;
    default: return r->sse.held.cap + r->sse.joined.cap;
  }
}

bool frame_reader_is_partial(const struct frame_reader *r) {
  switch (r->framing) {
    case FRAMING_NDJSON: return frame_ndjson_is_partial(&r->ndjson);
    case FRAMING_AWS: return frame_aws_is_partial(&r->aws);
    default: return frame_sse_is_partial(&r->sse);
  }
}

bool frame_reader_take_partial(struct frame_reader *r, struct frame *out, enum err *e) {
  switch (r->framing) {
    case FRAMING_NDJSON: return frame_ndjson_take_partial(&r->ndjson, out, e);
    case FRAMING_AWS: *e = OK; return false;
    default: return frame_sse_take_partial(&r->sse, out, e);
  }
}
