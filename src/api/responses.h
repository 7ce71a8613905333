/* Kept responses by their id: GET and DELETE /v1/responses/{id}, GET /v1/responses/{id}/input_items. Their owner's
 * only; to everybody else there is none (404). Source: OpenAI API reference, Responses (read 2026-11). */
#ifndef MAESTRO_API_RESPONSES_H
#define MAESTRO_API_RESPONSES_H

#include "gateway/request_context.h"

void responses_get(struct request_context *rc);
void responses_delete(struct request_context *rc);
void responses_input_items(struct request_context *rc);

#endif
