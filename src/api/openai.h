/* OpenAI's endpoints beside the chat itself (which is gateway/exchange_call): the model list. */
#ifndef MAESTRO_API_OPENAI_H
#define MAESTRO_API_OPENAI_H

#include "gateway/request_context.h"

void openai_models(struct request_context *rc); /* GET /v1/models */
void openai_model(struct request_context *rc);  /* GET /v1/models/{model} */

#endif
