/* The provider type of everything that speaks OpenAI chat completions at a base URL with a key: most of the field. */
#ifndef MAESTRO_PROVIDER_OPENAI_COMPATIBLE_H
#define MAESTRO_PROVIDER_OPENAI_COMPATIBLE_H

#include "provider/provider.h"

extern const struct provider_type provider_openai_compatible;

#endif
