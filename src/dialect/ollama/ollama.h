/* Ollama: chat (/api/chat), completion (/api/generate), embeddings (/api/embed, and the older /api/embeddings):
 * requests, replies, lines of streams, errors and the model list. Sources: Ollama's API documentation (docs.ollama.com
 * and docs/api.md, read 2026-11), the types of its JavaScript client 0.6.4, and requests that this client was seen to
 * send. Used through the table in dialect.h.
 *
 * Streams are the default: only "stream": false asks for a whole reply. Tool calls are objects without ids in most
 * versions and clients: they are paired with their results by order and name, and get ids of ours. */
#ifndef MAESTRO_DIALECT_OLLAMA_OLLAMA_H
#define MAESTRO_DIALECT_OLLAMA_OLLAMA_H

#include "dialect/dialect.h"

extern const struct dialect dialect_ollama, dialect_ollama_generate, dialect_ollama_embed, dialect_ollama_embeddings;

#endif
