/* links: text */
/* Sizes, pages and seconds out of any base64, and what they cost with every vendor: within its bounds, never nothing.
 * Half of the inputs are taken for the file itself and encoded here, so that headers are reached. */
#include <stdlib.h>

#include "base/base64.h"
#include "text/media_tokens.h"

static void must(bool condition) {
  if (!condition) abort();
}

static void look(struct str base64) {
  static const char *const models[] = {"gpt-4o",          "gpt-4o-mini", "gpt-4.1-mini", "gpt-5.4",
                                       "claude-opus-4-7", "claude-3",    "gemini-2.5",   "gemini-3-pro"};
  struct image_size size = {0};
  bool is_known = image_size_read(base64, &size);
  must(is_known == (size.width > 0) && is_known == (size.height > 0));
  must(image_size_pdf_pages(base64) <= base64.n);
  must(image_size_wav_deciseconds(base64) <= base64.n);
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    struct str model = str_from_c(models[i]);
    if (is_known) {
      int64_t n = media_tokens_image(model, size, STR("high"));
      must(n >= 1 && n <= 4000000);
    }
    for (int kind = MEDIA_IMAGE; kind <= MEDIA_VIDEO; kind++)
      must(media_tokens(model, (enum media_kind)kind, base64, STR_NONE) >= 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size && data[0] == '!') {
    look(str_from((const char *)data + 1, size - 1));
    return 0;
  }
  struct buf text;
  buf_init(&text, 0);
  base64_put(&text, str_from((const char *)data, size));
  look(buf_str(&text));
  buf_clear(&text);
  return 0;
}
