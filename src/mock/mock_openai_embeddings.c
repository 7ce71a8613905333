/* OpenAI's embeddings: one input or many, as text or as tokens, in numbers or base64. The vectors are mock_vector's.
 * Shapes: the vendor's OpenAPI document and the types of its JavaScript client 6.49 (read 2026-11). */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"
#include "mock/mock_vector.h"

enum { DIMENSIONS = 1536, DIMENSIONS_LARGE = 3072, INPUTS_MAX = 2048 };

/* mock_request.own */
struct embeddings {
  struct str *inputs; /* tokens as their JSON */
  size_t count, dimensions;
  bool is_base64;
};

static bool refuse(struct mock_error *fault, struct str message, struct str param, struct str code) {
  *fault = (struct mock_error){.status = 400, .message = message, .param = param, .code = code};
  return false;
}

static bool refuse_input(struct mock_error *fault) {
  return refuse(fault,
                STR("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/"
                    "api-reference."),
                STR_NONE, STR_NONE);
}

static bool is_tokens(yyjson_val *v) {
  yyjson_val *token;
  size_t i, n;
  if (!yyjson_is_arr(v)) return false;
  yyjson_arr_foreach(v, i, n, token) {
    if (!yyjson_is_uint(token)) return false;
  }
  return yyjson_arr_size(v) > 0;
}

/* False when it is neither a text nor tokens, or empty. */
static bool add_input(struct mock_request *q, struct embeddings *own, yyjson_val *v, struct arena *a) {
  struct str text = mock_json_str(v);
  if (text.n) {
    q->user_text = text;
    q->scan.text_bytes += text.n;
  } else if (is_tokens(v)) {
    text = mock_json_written(v, a);
    q->scan.text_bytes += yyjson_arr_size(v) * 4;
  }
  own->inputs[own->count++] = text;
  return text.n > 0;
}

static bool read_inputs(struct mock_request *q, struct embeddings *own, yyjson_val *input, struct arena *a) {
  yyjson_val *v;
  size_t i, n;
  bool is_single = yyjson_is_str(input) || is_tokens(input);
  size_t count = is_single ? 1 : yyjson_arr_size(input);
  if (count == 0 || count > INPUTS_MAX) return false;
  own->inputs = ARENA_NEW_ARRAY(a, struct str, count);
  if (!own->inputs) return false;
  if (is_single) return add_input(q, own, input, a);
  yyjson_arr_foreach(input, i, n, v) {
    if (!add_input(q, own, v, a)) return false;
  }
  return true;
}

static bool read_dimensions(struct mock_request *q, struct embeddings *own, yyjson_val *dimensions,
                            struct mock_error *fault) {
  bool is_large = str_has_suffix(q->scan.model, STR("-large"));
  own->dimensions = is_large ? DIMENSIONS_LARGE : DIMENSIONS;
  if (!dimensions || yyjson_is_null(dimensions)) return true;
  uint64_t wanted = yyjson_is_uint(dimensions) ? yyjson_get_uint(dimensions) : 0;
  if (wanted == 0 || wanted > own->dimensions)
    return refuse(fault,
                  is_large ? STR("Invalid value for 'dimensions'. Must be between 1 and 3072.")
                           : STR("Invalid value for 'dimensions'. Must be between 1 and 1536."),
                  STR("dimensions"), STR("invalid_value"));
  own->dimensions = wanted;
  return true;
}

static bool read_encoding(struct embeddings *own, yyjson_val *format, struct mock_error *fault) {
  own->is_base64 = yyjson_equals_str(format, "base64");
  if (!format || yyjson_is_null(format) || own->is_base64 || yyjson_equals_str(format, "float")) return true;
  return refuse(fault, STR("Invalid value for 'encoding_format'. Supported values are: 'float' and 'base64'."),
                STR("encoding_format"), STR("invalid_value"));
}

static bool scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  yyjson_val *root = mock_scan_chat(q->body, &q->scan) ? mock_json_read(q->body, a) : NULL;
  struct embeddings *own = ARENA_NEW(a, struct embeddings);
  if (!root) return mock_openai_refuse_json(fault);
  if (!own) {
    *fault = (struct mock_error){.status = 500};
    return false;
  }
  q->scan.is_stream = false;
  q->scan.n = 1;
  if (!q->scan.model.p) return refuse(fault, STR("you must provide a model parameter"), STR_NONE, STR_NONE);
  if (!read_inputs(q, own, yyjson_obj_get(root, "input"), a)) return refuse_input(fault);
  q->own = own;
  q->is_parsed = true;
  return read_dimensions(q, own, yyjson_obj_get(root, "dimensions"), fault) &&
         read_encoding(own, yyjson_obj_get(root, "encoding_format"), fault);
}

static void reply(const struct mock_answer *a, struct buf *out) {
  const struct embeddings *own = a->q->own;
  PUT(out, "{\"object\":\"list\",\"data\":[");
  for (size_t i = 0; i < own->count; i++) {
    if (i) buf_put_char(out, ',');
    PUT(out, "{\"object\":\"embedding\",\"index\":");
    buf_put_u64(out, i);
    PUT(out, ",\"embedding\":");
    if (own->is_base64)
      mock_vector_put_base64(out, own->inputs[i], own->dimensions);
    else
      mock_vector_put(out, own->inputs[i], own->dimensions);
    buf_put_char(out, '}');
  }
  PUT(out, "],\"model\":\"");
  buf_put(out, a->model);
  buf_put_char(out, '"');
  if (a->has_usage) {
    PUT(out, ",\"usage\":{\"prompt_tokens\":");
    buf_put_u64(out, a->prompt_tokens);
    PUT(out, ",\"total_tokens\":");
    buf_put_u64(out, a->prompt_tokens);
    buf_put_char(out, '}');
  }
  PUT(out, "}\n");
}

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
const struct mock_dialect mock_openai_embeddings = {
    .name = TEXT("openai-embeddings"),
    .id_header = TEXT("x-request-id"),
    .fixed = {TEXT("openai-version"), TEXT("2020-10-01")},
    .errors = mock_openai_errors,
    .error_count = MOCK_OPENAI_ERRORS,
    .scan = scan,
    .reply = reply,
    .error = mock_openai_error,
};
