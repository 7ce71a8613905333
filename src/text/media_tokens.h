/* Tokens of what is no text in a request, by the formulas that vendors publish: pictures by their size and the detail
 * asked for, documents by their pages, sound and films by their length. Sizes are read from the files (image_size.h);
 * where they cannot be (a URL, an unknown format) a picture of about a megapixel is taken. Used by call/count.c. Pure.
 *
 * The table in media_tokens.c has each vendor's source. All of it is an estimate but for pictures of a known size. */
#ifndef MAESTRO_TEXT_MEDIA_TOKENS_H
#define MAESTRO_TEXT_MEDIA_TOKENS_H

#include "text/image_size.h"

enum media_kind { MEDIA_IMAGE, MEDIA_DOCUMENT, MEDIA_AUDIO, MEDIA_VIDEO };

/* model: as its provider knows it. base64: empty where the bytes are elsewhere. detail: OpenAI's, or empty. At least 1.
 */
int64_t media_tokens(struct str model, enum media_kind kind, struct str base64, struct str detail);
/* The picture's part of it. */
int64_t media_tokens_image(struct str model, struct image_size size, struct str detail);

#endif
