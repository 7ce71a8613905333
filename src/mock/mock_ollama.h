/* What the operations of the Ollama dialect share. */
#ifndef MAESTRO_MOCK_OLLAMA_H
#define MAESTRO_MOCK_OLLAMA_H

#include "mock/mock_dialect.h"

/* q->own. */
struct mock_ollama {
  struct yyjson_val *root; /* the request */
  struct str name;         /* the model as the client sent it */
  struct str model;        /* the same JSON-escaped; q->scan.model is without ":latest" */
  struct str destination;  /* of a copy */
  struct str loads;        /* "load" or "unload": there is nothing to answer; else empty */
  bool is_silent;          /* think is false: no thoughts */
  const struct str *texts; /* to embed */
  size_t text_count;
  uint64_t dimensions; /* 0: the default */
};

bool mock_ollama_scan_chat(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_ollama_scan_generate(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_ollama_scan_embed(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_ollama_scan_embeddings(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_ollama_scan_show(struct mock_request *q, struct arena *a, struct mock_error *fault);
bool mock_ollama_scan_copy(struct mock_request *q, struct arena *a, struct mock_error *fault);
/* Requests without a body. */
bool mock_ollama_scan_none(struct mock_request *q, struct arena *a, struct mock_error *fault);

/* The vendor's words for errors, and how it says them: members of every dialect of it. */
enum { MOCK_OLLAMA_ERROR_ROWS = 9 };
extern const struct mock_error mock_ollama_errors[MOCK_OLLAMA_ERROR_ROWS];
void mock_ollama_error(const struct mock_error *e, struct buf *out);
void mock_ollama_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out);
void mock_ollama_broken_event(struct mock_progress *at, struct buf *out);
#define MOCK_OLLAMA_ERRORS                                                                         \
  .errors = mock_ollama_errors, .error_count = MOCK_OLLAMA_ERROR_ROWS, .error = mock_ollama_error, \
  .error_event = mock_ollama_error_event, .broken_event = mock_ollama_broken_event

#endif
