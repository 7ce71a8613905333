/* Errors in the shapes of the Responses API. A body is OpenAI's usual envelope. In a stream two frames say it: the
 * event `error`, at which SDKs throw, with its members both flat, as the reference has them, and under "error", as the
 * service sends them; then `response.failed`, which is what Codex looks at (its response.error.code decides whether it
 * tries again). */
#include "base/json_out.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses/internal.h"

void openai_responses_put_error(struct buf *out, enum err e, const struct err_info *info) {
  dialect_openai_chat.put_error(out, e, info);
}

void openai_responses_put_response_error(struct buf *out, enum err e, const struct err_info *info) {
  json_out_begin(out, '{');
  json_out_member_string(out, "code", str_from_c(err_info_code(e, info)));
  json_out_member_string(out, "message", str_from_c(err_info_text(e, info)));
  json_out_end(out, '}');
}

void openai_responses_put_error_frame(struct buf *out, uint64_t sequence, enum err e, const struct err_info *info) {
  struct buf body;
  buf_init(&body, 0);
  openai_responses_put_error(&body, e, info); /* {"error":{…}} */
  buf_put(out, STR("event: error\ndata: "));
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("error"));
  json_out_member_i64(out, "sequence_number", (int64_t)sequence);
  json_out_member_string(out, "code", str_from_c(err_info_code(e, info)));
  json_out_member_string(out, "message", str_from_c(err_info_text(e, info)));
  json_out_key(out, "param");
  if (info && info->param[0])
    buf_put_json(out, str_from_c(info->param));
  else
    buf_put(out, STR("null"));
  if (body.n > 2) {
    buf_put_char(out, ',');
    buf_put(out, str_sub(buf_str(&body), 1, body.n));
  } else {
    json_out_end(out, '}');
  }
  buf_put(out, STR("\n\n"));
  if (body.failed) out->failed = true;
  buf_clear(&body);
}

/* Without a writer: what the response had come to is not known here (see openai_responses_encode_error). */
void openai_responses_put_relay_error(const struct dialect_stream *state, enum err e, const struct err_info *info,
                                      struct buf *out) {
  openai_responses_put_error_frame(out, state->sequence, e, info);
  buf_put(out, STR("event: response.failed\ndata: "));
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("response.failed"));
  json_out_member_i64(out, "sequence_number", (int64_t)state->sequence + 1);
  json_out_key(out, "response");
  json_out_begin(out, '{');
  json_out_member_string(out, "id", str_from_c(state->response_id));
  json_out_member_string(out, "object", STR("response"));
  json_out_member_string(out, "status", STR("failed"));
  json_out_key(out, "error");
  openai_responses_put_response_error(out, e, info);
  json_out_key(out, "output");
  buf_put(out, STR("[]"));
  json_out_end(out, '}');
  json_out_end(out, '}');
  buf_put(out, STR("\n\n"));
}

void openai_responses_put_stream_error(struct buf *out, enum err e, const struct err_info *info) {
  openai_responses_put_relay_error(&(struct dialect_stream){0}, e, info, out);
}
