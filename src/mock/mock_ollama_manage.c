/* Ollama's management of models: pull, push, create, copy, delete. What became of it shows in /api/tags (mock_shelf.h).
 * The model's name is the behaviour, as everywhere: pulling "pace-50+chunks-40" is slow, pulling "stream-error" fails
 * halfway. Shapes: the vendor's API document and the types of its JavaScript client 0.6.4, words of errors those of its
 * Go server (read 2026-11). Requests are read by one function; the operation is told by the dialect's own. */
#include "mock/mock_json.h"
#include "mock/mock_ollama.h"
#include "mock/mock_shelf.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

enum { LAYER_BYTES_PER_BYTE = 1000000 /* of a layer, for each byte of the text that the plan has for an answer */ };
#define DIGEST_START "6d6f636b6d6f"
#define DIGEST "sha256:" DIGEST_START "636b6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b"

/* ---- requests ---- */

static bool read_stream(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  if (!mock_ollama_scan_show(q, a, fault)) return false;
  struct mock_ollama *own = q->own;
  q->user_text = own->name;
  q->scan.is_stream = !yyjson_is_false(yyjson_obj_get(own->root, "stream"));
  return true;
}

static bool scan_delete(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  if (!mock_ollama_scan_show(q, a, fault)) return false;
  q->user_text = ((struct mock_ollama *)q->own)->name;
  return true;
}

/* ---- what is not there ---- */

static bool has_model(const struct mock_request *q, struct str name) {
  struct mock_plan plan = {0};
  struct str kept = mock_shelf_name(name);
  bool is_made_with =
      str_eq(kept, STR("mock-small")) || str_eq(kept, STR("mock-large")) || mock_plan_apply(&plan, kept);
  return mock_shelf_has(q->shelf, name, is_made_with);
}

static bool refuse_missing(struct str name, const char *quote, struct arena *a, struct mock_error *fault) {
  *fault = (struct mock_error){.status = 404,
                               .message = arena_printf(a, "model %s%.*s%s not found", quote, STR_ARG(name), quote)};
  return false;
}

/* A fault that is planned comes first. */
static bool check_there(const struct mock_request *q, const struct mock_plan *plan, struct arena *a,
                        struct mock_error *fault) {
  struct str name = ((const struct mock_ollama *)q->own)->name;
  return plan->fault || has_model(q, name) || refuse_missing(name, "'", a, fault);
}

static bool check_source(const struct mock_request *q, const struct mock_plan *plan, struct arena *a,
                         struct mock_error *fault) {
  struct str name = ((const struct mock_ollama *)q->own)->name;
  return plan->fault || has_model(q, name) || refuse_missing(name, "\"", a, fault);
}

static bool check_create(const struct mock_request *q, const struct mock_plan *plan, struct arena *a,
                         struct mock_error *fault) {
  yyjson_val *root = ((const struct mock_ollama *)q->own)->root;
  (void)plan, (void)a;
  return mock_json_member(root, "from").n || yyjson_is_obj(yyjson_obj_get(root, "files")) ||
         mock_refuse(fault, STR("neither 'from' or 'files' was specified"));
}

/* ---- answers ---- */

static void put(const struct mock_answer *a) {
  mock_shelf_put(a->q->shelf, ((const struct mock_ollama *)a->q->own)->name, false);
}

static void put_status(struct buf *out, const char *status) { buf_printf(out, "{\"status\":\"%s\"}\n", status); }

static void reply_success(const struct mock_answer *a, struct buf *out) {
  (void)a;
  PUT(out, "{\"status\":\"success\"}");
}

static void reply_made(const struct mock_answer *a, struct buf *out) {
  put(a);
  reply_success(a, out);
}

static void reply_copy(const struct mock_answer *a, struct buf *out) {
  (void)out; /* it has no body */
  mock_shelf_put(a->q->shelf, ((const struct mock_ollama *)a->q->own)->destination, false);
}

static void reply_delete(const struct mock_answer *a, struct buf *out) {
  (void)out;
  mock_shelf_put(a->q->shelf, ((const struct mock_ollama *)a->q->own)->name, true);
}

/* A layer that grows with the answer's text. */
static void put_layer(const struct mock_answer *a, const char *what, const struct mock_step *step, struct buf *out) {
  size_t done = (size_t)(step->piece.p - a->text.p) + step->piece.n;
  buf_printf(out, "{\"status\":\"%s " DIGEST_START "\",\"digest\":\"" DIGEST "\",\"total\":%llu,\"completed\":%llu}\n",
             what, (unsigned long long)a->text.n * LAYER_BYTES_PER_BYTE,
             (unsigned long long)done * LAYER_BYTES_PER_BYTE);
}

/* A layer on its way from or to a registry, between a first status and those of the end. */
static void put_transfer(const struct mock_answer *a, const struct mock_step *step, const char *first, const char *what,
                         const char *const *ends, struct buf *out) {
  if (step->kind == MOCK_STEP_START) put_status(out, first);
  if (step->kind == MOCK_STEP_TEXT) put_layer(a, what, step, out);
  for (; step->kind == MOCK_STEP_FINISH && *ends; ends++) put_status(out, *ends);
}

static void event_pull(const struct mock_answer *a, struct str start, const struct mock_step *step,
                       struct mock_progress *at, struct buf *out) {
  static const char *const ends[] = {"verifying sha256 digest", "writing manifest", "success", NULL};
  (void)start, (void)at;
  if (step->kind == MOCK_STEP_FINISH) put(a);
  put_transfer(a, step, "pulling manifest", "pulling", ends, out);
}

static void event_push(const struct mock_answer *a, struct str start, const struct mock_step *step,
                       struct mock_progress *at, struct buf *out) {
  static const char *const ends[] = {"pushing manifest", "success", NULL};
  (void)start, (void)at;
  put_transfer(a, step, "retrieving manifest", "pushing", ends, out);
}

static void event_create(const struct mock_answer *a, struct str start, const struct mock_step *step,
                         struct mock_progress *at, struct buf *out) {
  (void)start, (void)at;
  if (step->kind == MOCK_STEP_TEXT) put_status(out, "using existing layer " DIGEST);
  if (step->kind != MOCK_STEP_FINISH) return;
  put_status(out, "writing manifest");
  put(a);
  put_status(out, "success");
}

#define WHOLE .json_type = TEXT("application/json; charset=utf-8"), MOCK_OLLAMA_ERRORS
#define STREAMED WHOLE, .stream_type = TEXT("application/x-ndjson"), .scan = read_stream

const struct mock_dialect mock_ollama_pull = {STREAMED, .name = TEXT("ollama-pull"), .reply = reply_made,
                                              .event = event_pull};
const struct mock_dialect mock_ollama_push = {STREAMED, .name = TEXT("ollama-push"), .check = check_there,
                                              .reply = reply_success, .event = event_push};
const struct mock_dialect mock_ollama_create = {STREAMED, .name = TEXT("ollama-create"), .check = check_create,
                                                .reply = reply_made, .event = event_create};
const struct mock_dialect mock_ollama_copy = {WHOLE, .name = TEXT("ollama-copy"), .scan = mock_ollama_scan_copy,
                                              .check = check_source, .reply = reply_copy};
const struct mock_dialect mock_ollama_delete = {WHOLE, .name = TEXT("ollama-delete"), .scan = scan_delete,
                                                .check = check_there, .reply = reply_delete};
