/* How large a picture is, in pixels, by the first bytes of its file (PNG, JPEG, GIF, WebP, BMP), read out of the base64
 * that it travels as, without decoding it; and what else of a file a count of tokens wants to know: a PDF's pages, a
 * WAV file's seconds. For text/media_tokens.h. Every byte is a client's: nothing is believed beyond its own size, all
 * but the search for pages is constant time. Pure.
 * Formats: PNG (W3C, 2003) 11.2.2, JPEG (ITU T.81) B.2.2, GIF89a 18, WebP (RFC 9649) 2, BMP (BITMAPINFOHEADER), WAVE
 * (RIFF MCI, 1991). Read 2026-11-28. */
#ifndef MAESTRO_TEXT_IMAGE_SIZE_H
#define MAESTRO_TEXT_IMAGE_SIZE_H

#include "base/str.h"

struct image_size {
  uint32_t width, height; /* both above 0 */
};

/* base64: standard alphabet, no white space. False: none of these formats, cut short, or it does not say. */
bool image_size_read(struct str base64, struct image_size *out);
/* Pages of a PDF: its page objects, as far as they are not packed themselves; 0: none is to be seen. Linear. */
uint32_t image_size_pdf_pages(struct str base64);
/* Tenths of a second of a WAV file by its header and the bytes there are; 0: it is none. */
uint64_t image_size_wav_deciseconds(struct str base64);

#endif
