/* The table of dialect.h. Sources: the vendors' API references (read 2026-11). */
#include "dialect.h"

#include <stddef.h>
#include <string.h>

#define SYSTEM "You are a helpful assistant."
#define MESSAGES \
  "{\"model\":\"%s\",\"messages\":[{\"role\":\"system\",\"content\":\"" SYSTEM "\"},{\"role\":\"user\",\"content\":\""
#define GEMINI_AFTER "\"}]}],\"generationConfig\":{\"temperature\":0.2,\"maxOutputTokens\":256}}"

static const struct dialect dialects[] = {
    {
        .name = "openai",
        .path = "/v1/chat/completions",
        .stream_path = "/v1/chat/completions",
        .before = MESSAGES,
        .after = "\"}],\"temperature\":0.2,\"max_tokens\":256,\"stream\":false}",
        .after_stream = "\"}],\"temperature\":0.2,\"max_tokens\":256,\"stream\":true}",
        .text_member = "\"content\":\"",
        .end_mark = "[DONE]",
        .error_mark = "\"error\"",
    },
    {
        .name = "anthropic",
        .path = "/v1/messages",
        .stream_path = "/v1/messages",
        .before = "{\"model\":\"%s\",\"system\":\"" SYSTEM "\",\"messages\":[{\"role\":\"user\",\"content\":\"",
        .after = "\"}],\"temperature\":0.2,\"max_tokens\":256,\"stream\":false}",
        .after_stream = "\"}],\"temperature\":0.2,\"max_tokens\":256,\"stream\":true}",
        .text_member = "\"text\":\"",
        .end_mark = "\"message_stop\"",
        .error_mark = "\"error\"",
    },
    {
        .name = "responses",
        .path = "/v1/responses",
        .stream_path = "/v1/responses",
        .before = "{\"model\":\"%s\",\"instructions\":\"" SYSTEM "\",\"input\":[{\"role\":\"user\",\"content\":\"",
        .after = "\"}],\"temperature\":0.2,\"max_output_tokens\":256,\"store\":false,\"stream\":false}",
        .after_stream = "\"}],\"temperature\":0.2,\"max_output_tokens\":256,\"store\":false,\"stream\":true}",
        .text_member = "\"delta\":\"",
        .end_mark = "\"response.completed\"",
        .error_mark = "\"error\":{",
    },
    {
        .name = "gemini",
        .path = "/v1beta/models/%s:generateContent",
        .stream_path = "/v1beta/models/%s:streamGenerateContent?alt=sse",
        .before = "{\"systemInstruction\":{\"parts\":[{\"text\":\"" SYSTEM
                  "\"}]},\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"",
        .after = GEMINI_AFTER,
        .after_stream = GEMINI_AFTER,
        .text_member = "\"text\":\"",
        .end_mark = "\"finishReason\"",
        .error_mark = "\"error\"",
    },
    {
        .name = "ollama",
        .path = "/api/chat",
        .stream_path = "/api/chat",
        .before = MESSAGES,
        .after = "\"}],\"options\":{\"temperature\":0.2,\"num_predict\":256},\"stream\":false}",
        .after_stream = "\"}],\"options\":{\"temperature\":0.2,\"num_predict\":256},\"stream\":true}",
        .is_lines = true,
        .text_member = "\"content\":\"",
        .end_mark = "\"done\":true",
        .error_mark = "\"error\"",
    },
};

const struct dialect *dialect_by_name(const char *name) {
  for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++)
    if (strcmp(dialects[i].name, name) == 0) return &dialects[i];
  return NULL;
}
