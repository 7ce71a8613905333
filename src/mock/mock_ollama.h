/* What the operations of the Ollama dialect share. */
#ifndef MAESTRO_MOCK_OLLAMA_H
#define MAESTRO_MOCK_OLLAMA_H

#include "mock/mock_dialect.h"

/* q->own. */
struct mock_ollama {
  struct str model;        /* JSON-escaped, as the client sent it; q->scan.model is without ":latest" */
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
/* Requests without a body. */
bool mock_ollama_scan_none(struct mock_request *q, struct arena *a, struct mock_error *fault);

#endif
