/* The envelope of OpenAI's requests: chat, completions and embeddings differ in the member that holds the content only.
 * Each makes its table of these rows; the functions are what struct dialect wants, with the content's name. */
#ifndef MAESTRO_DIALECT_OPENAI_ENVELOPE_H
#define MAESTRO_DIALECT_OPENAI_ENVELOPE_H

#include "dialect/dialect.h"

enum openai_envelope_row {
  OPENAI_ENVELOPE_MODEL,
  OPENAI_ENVELOPE_CONTENT,
  OPENAI_ENVELOPE_STREAM,
  OPENAI_ENVELOPE_STREAM_OPTIONS,
  OPENAI_ENVELOPE_INCLUDE_USAGE,
  OPENAI_ENVELOPE_MAX_TOKENS,
  OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS,
  OPENAI_ENVELOPE_CHOICES,
  OPENAI_ENVELOPE_BEST_OF,
  OPENAI_ENVELOPE_MAESTRO,
  OPENAI_ENVELOPE_ROWS
};

/* The paths of the rows; content: "messages", "prompt", "input". */
#define OPENAI_ENVELOPE_PATHS(content)                                                                            \
  {                                                                                                               \
    [OPENAI_ENVELOPE_MODEL] = STR("model"), [OPENAI_ENVELOPE_CONTENT] = STR(content),                             \
    [OPENAI_ENVELOPE_STREAM] = STR("stream"), [OPENAI_ENVELOPE_STREAM_OPTIONS] = STR("stream_options"),           \
    [OPENAI_ENVELOPE_INCLUDE_USAGE] = STR("stream_options.include_usage"),                                        \
    [OPENAI_ENVELOPE_MAX_TOKENS] = STR("max_tokens"),                                                             \
    [OPENAI_ENVELOPE_MAX_COMPLETION_TOKENS] = STR("max_completion_tokens"), [OPENAI_ENVELOPE_CHOICES] = STR("n"), \
    [OPENAI_ENVELOPE_BEST_OF] = STR("best_of"), [OPENAI_ENVELOPE_MAESTRO] = STR("maestro"),                       \
  }
/* All but what is said of the content. */
enum err openai_envelope_read(struct arena *a, struct str body, const struct envelope_scan *scan,
                              struct dialect_request *out, struct err_info *info) MUST_CHECK;
enum err openai_envelope_edit(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                              struct err_info *info);

#endif
